"""For whoever keeps the machine: is it alive, is it ready, and a few counts without any label."""

from aiohttp import web

from hedgerow_node.http.problems import not_found
from hedgerow_node.http.site import CALLER, SITE

_JSON = {"Content-Type": "application/json"}


async def healthz(request: web.Request) -> web.Response:
    """``/healthz``: the process answers."""
    return web.Response(body=b'{"status":"ok"}', headers=_JSON)


async def readyz(request: web.Request) -> web.Response:
    """``/readyz``: the directory answers, too."""
    site = request.app[SITE]
    await site.directory.status(now=site.now())
    return web.Response(body=b'{"status":"ready"}', headers=_JSON)


async def metrics(request: web.Request) -> web.Response:
    """``/metrics`` in the Prometheus text format, for this machine only; no label names anybody or anything."""
    site = request.app[SITE]
    caller = request[CALLER]
    if not (caller.loopback and caller.secure):
        raise not_found("There is nothing at this address.")
    counts = await site.directory.status(now=site.now())
    lines = []
    for name, kind, value, explanation in (
        ("listings", "gauge", counts.listings, "Listings shown now."),
        ("meetings", "gauge", counts.meetings, "Meetings of these listings."),
        ("records", "gauge", counts.records, "Records held."),
        ("peers", "gauge", site.peers(), "Nodes connected."),
    ):
        lines += [
            f"# HELP hedgerow_{name} {explanation}",
            f"# TYPE hedgerow_{name} {kind}",
            f"hedgerow_{name} {value}",
        ]
    response = web.Response(text="\n".join(lines) + "\n")
    response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    return response
