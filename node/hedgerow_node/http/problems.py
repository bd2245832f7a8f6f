"""What a visitor is told when something is wrong: RFC 9457 problem documents for programs, sentences for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from http import HTTPStatus
from typing import Any

from aiohttp import web

PROBLEM_TYPE = "application/problem+json"

TYPES = "tag:hedgerow,2026:problem/"
"""What the names of problems begin with (a tag URI, RFC 4151: a name, not an address)."""


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
    type: str = ""
    """A stable name for programs that act on it: the last part of the document's ``type``; empty when the status says
    it all."""
    more: Mapping[str, Any] = made(default_factory=dict)
    """Further members of the document (RFC 9457, 3.2)."""

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
    """The members of RFC 9457; without ``type`` it means ``about:blank``: the title says it all."""
    document: dict[str, object] = {"type": f"{TYPES}{problem.type}"} if problem.type else {}
    document |= {
        "title": title_of(problem.status),
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.field:
        document["field"] = problem.field
    return {**document, **problem.more}


def problem_response(problem: Problem) -> web.Response:
    """The answer for programs."""
    response = web.Response(
        status=problem.status,
        body=json.dumps(problem_document(problem), ensure_ascii=False).encode(),
        headers={"Content-Type": PROBLEM_TYPE},
    )
    for name, value in problem.headers:
        response.headers[name] = value
    return response
