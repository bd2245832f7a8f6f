"""What every request passes: limits before logic, one shape of error, the same headers on every answer.

It is one function and not a stack of them: each layer costs every request, and the order can be read from top to
bottom. Nothing here writes an address, a path with an id, or a query to a log.
"""

import logging
import traceback
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from hedgerow_node.http import bounds, security
from hedgerow_node.http.client import origin_is_ours
from hedgerow_node.http.connections import PatientHandler
from hedgerow_node.http.problems import Problem, problem_response
from hedgerow_node.http.site import CALLER, SITE, Site
from hedgerow_node.store.errors import StoreError

LOG = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PEER_PATH = "/peer"
"""Where other nodes come in, over WebSocket."""

API_PATH = "/api/v1/"
"""The JSON API. Nothing below it reads a cookie: whoever may do more than read shows a token in ``Authorization``,
which no browser sends by itself. So another website's page can do nothing here in somebody's name, and every origin is
let in: the saved client's, too, which is ``null``."""

PROGRAM_PATHS = ("/api/", "/export/", "/directory/", "/healthz", "/readyz", "/metrics", PEER_PATH)
"""Paths whose errors are for programs."""

READING = frozenset((hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS))
"""Methods that change nothing (RFC 9110, 9.2.1)."""

HEAVY_PATHS = ("/export/", "/print")
"""Paths that read the whole directory."""


def for_programs(path: str) -> bool:
    """Whether an error at this path (without the prefix) is a problem document and not a page."""
    return path.startswith(PROGRAM_PATHS) or path.endswith((".json", ".ics"))


@web.middleware
async def street_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Judge, answer, and turn whatever goes wrong into a calm answer."""
    site = request.app[SITE]
    connection = request.protocol
    patient = connection if isinstance(connection, PatientHandler) else None
    if patient is not None:
        patient.request_began()
    try:
        _admit(site, request)
        return await handler(request)
    except Problem as problem:
        return await _tell(site, request, problem)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return await _tell(site, request, _problem_of(error))
    except TimeoutError:
        return await _tell(site, request, Problem(408, "The rest of this request did not come in time. Send it again."))
    except StoreError:
        LOG.error("The store cannot be used; /readyz says so until it can.")
        return await _tell(site, request, Problem(503, "This site cannot look things up just now. Try again later."))
    except (ConnectionError, web.RequestPayloadError):
        raise  # the visitor is gone
    except Exception as error:  # noqa: BLE001 - the last door: a bug becomes a sentence, and the log says where
        _log_bug(error)
        return await _tell(site, request, Problem(500, "Something went wrong on this side. Trying again may help."))
    finally:
        if patient is not None:
            patient.request_ended()


def _admit(site: Site, request: web.Request) -> None:
    """Refuse what is too much, comes by a name that is not ours, or was sent by another site. Raises Problem."""
    caller = site.callers.of(request)
    request[CALLER] = caller
    if len(request.raw_path) > bounds.TARGET_CHARACTERS_MAX:
        raise Problem(414, f"This address is longer than {bounds.TARGET_CHARACTERS_MAX} characters.")
    host = site.callers.host_of(request)
    # A node dials by whatever name it was told. Browsers, whom this check is for, are not let in there at all.
    if not site.hosts.is_ours(host) and request.path.removeprefix(site.prefix) != PEER_PATH:
        raise Problem(
            421,
            "This server does not answer to that name. The person who runs it can add the name with base_url.",
        )
    if not caller.loopback or site.limit_loopback:
        path = request.path.removeprefix(site.prefix)
        cost = bounds.HEAVY_REQUEST_COST if path.startswith(HEAVY_PATHS) else 1.0
        wait = site.rate.take(caller.address, site.monotonic(), cost)
        if wait:
            seconds = int(wait) + 1
            raise Problem(
                429,
                f"That was a lot at once. Wait {seconds} seconds, then go on.",
                headers=(("Retry-After", str(seconds)),),
            )
    if request.method in READING or request.path.removeprefix(site.prefix).startswith(API_PATH):
        return
    if not origin_is_ours(request, host):
        raise Problem(403, "This form was sent by another website. Open the page here and try again.", own_words=True)


def _problem_of(error: web.HTTPException) -> Problem:
    match error.status:
        case 404:
            return Problem(404, "There is nothing at this address. It may have been taken back, or mistyped.")
        case 405:
            allowed = error.headers.get("Allow", "")
            return Problem(405, "This address does not take that method.", headers=(("Allow", allowed),))
        case 413:
            return Problem(413, f"What was sent is larger than {bounds.BODY_BYTES_MAX // 1024} KB.")
        case status:
            return Problem(status, "This request cannot be answered.")


async def _tell(site: Site, request: web.Request, problem: Problem) -> web.StreamResponse:
    path = request.path.removeprefix(site.prefix)
    if not for_programs(path):
        try:
            response = await site.pages.error(request, problem)
        except Exception as error:  # noqa: BLE001 - also the error page may fail; plain text cannot
            _log_bug(error)
            response = web.Response(status=problem.status, text=f"{problem.detail}\n")
        for name, value in problem.headers:
            response.headers[name] = value
    else:
        response = problem_response(problem)
    if path.startswith(API_PATH) and problem.status != 421:  # 421: asked for by a name that is not ours
        security.open_to_every_origin(response)
    if problem.status in (408, 413):
        response.force_close()
    response.headers[hdrs.CACHE_CONTROL] = security.NO_STORE
    return response


def _log_bug(error: BaseException) -> None:
    """Where it went wrong and the kind of error; never its text, which may quote what somebody wrote."""
    where = "".join(traceback.format_tb(error.__traceback__)[-6:])
    LOG.error("A request failed with %s at\n%s", type(error).__name__, where)


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Signal ``on_response_prepare``: the headers of :mod:`hedgerow_node.http.security`, and no server name."""
    headers = response.headers
    headers.pop(hdrs.SERVER, None)
    if response.status == 101:
        return  # no page follows
    caller = request.get(CALLER)
    headers.update(security.ALWAYS_SECURE if caller is not None and caller.secure else security.ALWAYS)
    headers.update(request.get(security.OWN_POLICY, ()))
    if hdrs.ACCESS_CONTROL_ALLOW_ORIGIN not in headers:
        headers[security.OWN_ORIGIN[0]] = security.OWN_ORIGIN[1]
    if hdrs.CACHE_CONTROL not in headers:
        headers[hdrs.CACHE_CONTROL] = security.NO_STORE
