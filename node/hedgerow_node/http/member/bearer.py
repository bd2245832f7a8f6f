"""Who asks: the device whose token a request carries. No cookie is read here, and nothing else is believed.

The store keeps only the SHA-256 of a token (32 random bytes), and finds it by that hash: how long finding takes tells
a guesser nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from hedgerow_node.delivery.doors import Refusal, Refused, Session, Waiting
from hedgerow_node.http import bounds, security
from hedgerow_node.http.member.body import let_go
from hedgerow_node.http.member.desk import DESK, Desk
from hedgerow_node.http.member.pace import too_much
from hedgerow_node.http.problems import Problem
from hedgerow_node.http.site import CALLER, SITE
from hedgerow_node.store.errors import StoreBusyError, StoreError
from hedgerow_protocol import base64url

TOKEN_BYTES: Final = 32

_SCHEME: Final = "Bearer "
_TEXT_LENGTH: Final = base64url.length_of(TOKEN_BYTES)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MemberHandler = Callable[[web.Request, Desk, Session], Awaitable[web.StreamResponse]]
OpenHandler = Callable[[web.Request, Desk], Awaitable[web.StreamResponse]]

STATUSES: Final = {
    Refusal.BAD: 400,
    Refusal.NO_ACCOUNT: 403,
    Refusal.NOT_ALLOWED: 403,
    Refusal.UNKNOWN: 404,
    Refusal.TAKEN: 409,
    Refusal.USED: 410,
    Refusal.ENDED: 410,
    Refusal.STALE: 409,
    Refusal.TOO_MANY: 409,
    Refusal.TOO_LARGE: 413,
    Refusal.TOO_FAST: 429,
}
"""What each refusal of the services is in HTTP; programs read the problem's type, which is the refusal's own word."""


def problem_of(refused: Refused) -> Problem:
    """A service's no, as an answer."""
    headers: tuple[tuple[str, str], ...] = ()
    if refused.retry_after is not None:
        headers = (("Retry-After", str(int(refused.retry_after) + 1)),)
    more = {"version": refused.version} if refused.code is Refusal.STALE else {}
    return Problem(STATUSES[refused.code], refused.sentence, headers=headers, type=refused.code.value, more=more)


def problem_of_waiting(waiting: Waiting) -> Problem:
    """Another node has not answered yet: what was asked is kept and goes on."""
    headers = (("Retry-After", str(int(waiting.retry_after) + 1)),)
    return Problem(503, waiting.sentence, headers=headers, type="waiting")


def problem_of_failure(error: Refused | Waiting | StoreError) -> Problem:
    """Whatever the services say instead of doing it, as an answer."""
    if isinstance(error, Refused):
        return problem_of(error)
    if isinstance(error, Waiting):
        return problem_of_waiting(error)
    if isinstance(error, StoreBusyError):
        return Problem(503, str(error), headers=(("Retry-After", "2"),), type="busy")
    return Problem(503, "This site cannot write anything down just now. Try again later.")


def not_signed_in() -> Problem:
    """The answer to a request without a valid token, whatever is wrong with it."""
    return Problem(
        401,
        "This site does not know this device (any more). Link it with another of your devices, or use your recovery "
        "sheet.",
        headers=((hdrs.WWW_AUTHENTICATE, "Bearer"),),
        type="token",
    )


def token_of(text: str) -> bytes | None:
    """The token that a text stands for, if it has the form of one."""
    if len(text) != _TEXT_LENGTH:
        return None
    try:
        return base64url.decode(text)
    except ValueError:
        return None


async def session_of(request: web.Request, desk: Desk) -> Session:
    """The device that asks. Raises Problem (401)."""
    said = request.headers.get(hdrs.AUTHORIZATION, "")
    if said[: len(_SCHEME)].lower() == _SCHEME.lower():
        token = token_of(said[len(_SCHEME) :])
        session = await desk.accounts.authenticate(token) if token is not None else None
        if session is not None:
            return session
    raise not_signed_in()


def bearer(handler: MemberHandler) -> Handler:
    """A handler for devices with a token; nothing of the body is read before the token is known."""

    async def answer(request: web.Request) -> web.StreamResponse:
        desk = desk_of(request)
        session = await session_of(request, desk)
        await desk.pace.admit(str(session.device_row), request.content_length or 0)
        return await _answer(request, handler(request, desk, session))

    return answer


def open_to_all(handler: OpenHandler) -> Handler:
    """A handler for whoever has no token yet, limited by address."""

    async def answer(request: web.Request) -> web.StreamResponse:
        desk, site, caller = desk_of(request), request.app[SITE], request[CALLER]
        if not caller.loopback or site.limit_loopback:
            # One was taken for the request itself.
            wait = site.rate.take(caller.address, site.monotonic(), bounds.OPEN_REQUEST_COST - 1.0)
            if wait:
                raise too_much(wait)
        return await _answer(request, handler(request, desk))

    return answer


async def _answer(request: web.Request, answering: Awaitable[web.StreamResponse]) -> web.StreamResponse:
    try:
        response = await answering
    except (Refused, Waiting, StoreBusyError) as error:
        raise problem_of_failure(error) from None
    finally:
        let_go(request)
    if not response.prepared:
        security.open_to_every_origin(response)
    return response


def desk_of(request: web.Request) -> Desk:
    """The members' side of this node. Raises Problem where there is none."""
    desk = request.app.get(DESK)
    if desk is None:
        raise Problem(404, "This node has no members' side.")
    return desk
