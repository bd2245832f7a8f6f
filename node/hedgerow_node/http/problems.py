"""What a visitor is told when something is wrong: RFC 9457 problem documents for programs, sentences for people."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

PROBLEM_TYPE = "application/problem+json"


@dataclass(slots=True)
class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """Stops a request with an answer. ``detail`` is a sentence and says what to do next."""

    status: int
    detail: str
    field: str = ""
    """The name of the query parameter or form field that is wrong; empty when it is none."""
    headers: tuple[tuple[str, str], ...] = ()
    own_words: bool = False
    """A page shows ``detail`` even where the language has a text for this status."""

    def __str__(self) -> str:
        return self.detail


def not_found(detail: str) -> Problem:
    """Nothing is at this address (any more)."""
    return Problem(404, detail)


def title_of(status: int) -> str:
    """The short, fixed name of a status (RFC 9110)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def problem_document(problem: Problem) -> dict[str, object]:
    """The members of RFC 9457; ``type`` is left out, which means ``about:blank``: the title says it all."""
    document: dict[str, object] = {
        "title": title_of(problem.status),
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.field:
        document["field"] = problem.field
    return document


def problem_response(problem: Problem) -> web.Response:
    """The answer for programs."""
    response = web.Response(
        status=problem.status,
        text=json.dumps(problem_document(problem), ensure_ascii=False),
        content_type=PROBLEM_TYPE,
    )
    for name, value in problem.headers:
        response.headers[name] = value
    return response
