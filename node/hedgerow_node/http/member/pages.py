"""The two pages around the member app: the app itself, and where an invitation leads.

The server renders only their frame. What an invitation holds stands behind the ``#`` of its address, which no server
sees; what members write is opened on their devices alone.
"""

from typing import Any

from aiohttp import web

from hedgerow_node.http import security
from hedgerow_node.http.site import CALLER, SITE
from hedgerow_protocol.ids import to_text

TEXTS = ("app.", "join.", "secure.update.", "secure.differs")
"""Prefixes of the texts that the app's scripts use."""


async def app(request: web.Request) -> web.Response:
    """``GET /app``: the member app."""
    return await _shell(request, "app.html", camera=True)


async def join(request: web.Request) -> web.Response:
    """``GET /join``: what somebody sees who was invited."""
    return await _shell(request, "join.html", camera=False)


async def _shell(request: web.Request, template: str, *, camera: bool) -> web.Response:
    site = request.app[SITE]
    host = site.callers.host_of(request)
    request[security.OWN_POLICY] = security.app_policy(host, camera=camera)
    view = site.pages.view(request)
    values: dict[str, Any] = {
        "client_texts": TEXTS,
        "node_id": to_text(site.node_id),
        "version": site.version,
        "api_url": f"{site.prefix}/api/v1",
        "secure": request[CALLER].secure,
    }
    return await site.pages.page(request, view, template, values)
