"""Every address of the member API, in one table, with the CORS answer for each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from hedgerow_node.http import security
from hedgerow_node.http.member import accounts, invites, keeping, mailbox, moving, rooms
from hedgerow_node.http.member.bearer import Handler, MemberHandler, OpenHandler, bearer, open_to_all
from hedgerow_node.http.member.live import LIVE_PATH, live

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class MemberRoute:
    """One address and method of the member API."""

    method: str
    path: str
    answer: Handler
    open: bool
    """It takes no token."""


def _bearer(method: str, path: str, handler: MemberHandler) -> MemberRoute:
    return MemberRoute(method, API + path, bearer(handler), False)


def _open(method: str, path: str, handler: OpenHandler) -> MemberRoute:
    return MemberRoute(method, API + path, open_to_all(handler), True)


MEMBER_ROUTES: tuple[MemberRoute, ...] = (
    _open("POST", "/accounts", accounts.register),
    _bearer("GET", "/accounts/self", accounts.own_account),
    _bearer("DELETE", "/accounts/self", accounts.remove_account),
    _open("GET", "/accounts/challenge", accounts.challenge),
    _open("POST", "/accounts/recover", accounts.recover),
    _bearer("GET", "/devices", accounts.devices),
    _bearer("POST", "/devices", accounts.add_device),
    _bearer("DELETE", "/devices/{id}", accounts.remove_device),
    _bearer("POST", "/invites", invites.add_invite),
    _bearer("GET", "/invites", invites.invites),
    _open("GET", "/invites/{id}", invites.read_invite),
    _bearer("DELETE", "/invites/{id}", invites.remove_invite),
    _bearer("POST", "/invites/{id}/asks", invites.ask_by_invite),
    _bearer("GET", "/asks", invites.asks),
    _bearer("DELETE", "/asks/{id}", invites.remove_ask),
    _bearer("POST", "/key-packages", mailbox.add_key_packages),
    _bearer("POST", "/key-packages/claim", mailbox.claim),
    _bearer("DELETE", "/key-packages/{ref}", mailbox.remove_key_package),
    _bearer("POST", "/rooms", rooms.create_room),
    _bearer("GET", "/rooms/{id}/log", rooms.log),
    _bearer("POST", "/rooms/{id}/log", rooms.submit),
    _bearer("POST", "/rooms/{id}/asks", invites.ask_for_room),
    _bearer("GET", "/rooms/{id}/places", rooms.places),
    _bearer("POST", "/rooms/{id}/notes", moving.add_note),
    _bearer("GET", "/rooms/{id}/notes", moving.notes),
    _bearer("POST", "/rooms/{id}/moves", moving.move),
    _bearer("GET", "/rooms/{id}/moves", moving.moves),
    _bearer("POST", "/rooms/{id}/mailboxes", rooms.put_back),
    _bearer("DELETE", "/rooms/{id}/mailboxes/{mailbox}", rooms.stop),
    _bearer("GET", "/mailbox", mailbox.mailbox),
    _bearer("POST", "/mailbox/acknowledge", mailbox.acknowledge),
    _bearer("GET", "/welcomes", mailbox.welcomes),
    _bearer("DELETE", "/welcomes/{id}", mailbox.remove_welcome),
    _bearer("PUT", "/blobs/{hash}", keeping.put_blob),
    _bearer("GET", "/blobs/{hash}", keeping.blob),
    _bearer("GET", "/sealed/{name}", keeping.sealed),
    _bearer("PUT", "/sealed/{name}", keeping.put_sealed),
    _bearer("DELETE", "/sealed/{name}", keeping.remove_sealed),
    _open("PUT", "/rendezvous/{id}/{side}", keeping.leave_at),
    _open("GET", "/rendezvous/{id}/{side}", keeping.found_at),
    MemberRoute("GET", LIVE_PATH, live, True),
)


def add_member_routes(app: web.Application, prefix: str) -> None:
    """Add the table below the path prefix, and without it for proxies that take the prefix off.

    A browser asks with ``OPTIONS`` before it sends a token or JSON to another origin (the saved client's is ``null``).
    """
    for base in dict.fromkeys((prefix, "")):
        for route in MEMBER_ROUTES:
            app.router.add_route(route.method, base + route.path, route.answer)
        for path in dict.fromkeys(route.path for route in MEMBER_ROUTES):
            app.router.add_route("OPTIONS", base + path, _preflight_of(path))


def _preflight_of(path: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    methods = ", ".join(route.method for route in MEMBER_ROUTES if route.path == path)

    async def preflight(request: web.Request) -> web.StreamResponse:
        response = web.Response(status=204, headers={"Allow": methods})
        security.open_to_every_origin(response)
        response.headers["Access-Control-Allow-Methods"] = methods
        # A star would not stand for Authorization (Fetch, 4.8).
        response.headers["Access-Control-Allow-Headers"] = f"Authorization, Content-Type, {invites.PROOF_HEADER}"
        response.headers["Access-Control-Max-Age"] = "7200"
        return response

    return preflight
