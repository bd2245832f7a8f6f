"""Every address of the street door, in one table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from hedgerow_node.http import api, assets, exports, health, pages_directory, pages_print, pages_public
from hedgerow_node.http import pages_secure as secure
from hedgerow_node.http.keeper import inviting, publishing
from hedgerow_node.http.keeper import network_pages as network
from hedgerow_node.http.keeper import pages as keeper
from hedgerow_node.http.member import pages as member_pages
from hedgerow_node.http.member.table import add_member_routes

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ID = "{id:[a-z2-7]{32}}"
"""A listing's id: 20 bytes in lower-case base32."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address and method."""

    method: str
    path: str
    handler: Handler
    api: bool = False
    """It is for programs, so the OpenAPI document describes it."""


ROUTES: tuple[Route, ...] = (
    Route("GET", "/", pages_directory.directory_page),
    Route("POST", "/", pages_directory.directory_search),
    Route("GET", f"/listings/{_ID}", pages_public.listing),
    Route("GET", f"/listings/{_ID}.json", api.listing, api=True),
    Route("GET", f"/listings/{_ID}.ics", exports.listing_calendar, api=True),
    Route("GET", "/print", pages_print.print_list),
    Route("GET", "/help-now", pages_public.help_now),
    Route("GET", "/about", pages_public.about),
    Route("GET", "/leaving", pages_public.leaving),
    Route("GET", "/safe-connection", secure.safe_connection),
    Route("GET", "/safe-connection/ca.crt", secure.authority_certificate),
    Route("GET", "/client.html", secure.saved_client),
    Route("GET", "/app/sw.js", secure.service_worker),
    Route("GET", "/directory/list.json", assets.compact_list, api=True),
    Route("GET", "/app", member_pages.app),
    Route("GET", "/join", member_pages.join),
    Route("GET", "/assets/{file}", assets.asset),
    Route("GET", "/robots.txt", assets.robots),
    Route("GET", "/api/v1/listings", api.listings, api=True),
    Route("GET", "/api/v1/listings/{id}", api.listing, api=True),
    Route("GET", "/api/v1/status", api.status, api=True),
    Route("GET", "/api/v1/openapi.json", api.openapi, api=True),
    Route("OPTIONS", "/api/v1/{rest:.*}", api.preflight),
    Route("GET", "/export/meetings.json", exports.meeting_guide, api=True),
    Route("GET", "/export/calendar.ics", exports.calendar, api=True),
    Route("GET", "/export/hsds.json", exports.hsds, api=True),
    Route("OPTIONS", "/export/{rest:.*}", api.preflight),
    Route("GET", "/api/{rest:.*}", api.unknown),
    Route("GET", "/export/{rest:.*}", api.unknown),
    Route("GET", "/healthz", health.healthz, api=True),
    Route("GET", "/readyz", health.readyz, api=True),
    Route("GET", "/metrics", health.metrics, api=True),
    Route("GET", "/keeper", keeper.home),
    Route("GET", "/keeper/enter", keeper.enter_form),
    Route("GET", "/keeper/enter/{token}", keeper.enter_form),
    Route("POST", "/keeper/enter", keeper.enter),
    Route("POST", "/keeper/leave", keeper.leave),
    Route("GET", "/keeper/listings", keeper.listings),
    Route("GET", "/keeper/listings/new", publishing.new_form),
    Route("POST", "/keeper/listings/new", publishing.new),
    Route("GET", f"/keeper/listings/{_ID}/edit", publishing.edit_form),
    Route("POST", f"/keeper/listings/{_ID}/edit", publishing.edit),
    Route("POST", f"/keeper/listings/{_ID}/renew", publishing.renew),
    Route("GET", f"/keeper/listings/{_ID}/withdraw", publishing.withdraw_form),
    Route("POST", f"/keeper/listings/{_ID}/withdraw", publishing.withdraw),
    Route("GET", "/keeper/cosign", keeper.cosign_form),
    Route("POST", "/keeper/cosign", keeper.cosign),
    Route("GET", "/keeper/cosign/{draft:[a-z2-7]{16}}", keeper.cosign_download),
    Route("POST", "/keeper/cosign/{draft:[a-z2-7]{16}}/sign", keeper.cosign_sign),
    Route("GET", "/keeper/invite", inviting.invite_form),
    Route("POST", "/keeper/invite", inviting.invite),
    Route("GET", "/keeper/network", network.network),
    Route("GET", "/keeper/network/{part:peers|blocks|blocks/import}", network.back),
    Route("POST", "/keeper/network/peers", network.change_peers),
    Route("POST", "/keeper/network/blocks", network.change_blocks),
    Route("GET", "/keeper/network/blocks.json", network.export_blocks),
    Route("GET", "/keeper/network/proofs.txt", network.export_proofs),
    Route("POST", "/keeper/network/blocks/import", network.import_blocks),
)


def add_routes(app: web.Application, prefix: str) -> None:
    """Add the tables below the path prefix, and without it for proxies that take the prefix off."""
    add_member_routes(app, prefix)
    for base in dict.fromkeys((prefix, "")):
        for route in ROUTES:
            app.router.add_route(route.method, base + route.path, route.handler)
            if route.method == "GET":
                app.router.add_route("HEAD", base + route.path, route.handler)
    if prefix:
        app.router.add_get(prefix, pages_directory.directory_page)
