"""Files of the built web UI: immutable, compressed when they were built, read once."""

import asyncio

from aiohttp import web

from hedgerow_node.http import security
from hedgerow_node.http.answers import answer_ready
from hedgerow_node.http.pages_public import beholder
from hedgerow_node.http.problems import Problem, not_found
from hedgerow_node.http.site import SITE
from hedgerow_node.http.wording import Wording

WASM_WORKER = "crypto.worker-"
"""What the name of the one worker begins with that may use WebAssembly (webui/src/workers/crypto.worker.ts)."""


async def asset(request: web.Request) -> web.Response:
    """``/assets/{file}``."""
    site = request.app[SITE]
    file = request.match_info["file"]
    found = site.webui.loaded.get(file) or await asyncio.to_thread(site.webui.load_asset, file)
    if found is None:
        raise not_found("There is no such file.")
    headers = {"Content-Type": found.content_type, "Cache-Control": security.IMMUTABLE, "Vary": "Accept-Encoding"}
    if file.endswith(".js"):
        # The policy of a file matters where it is the script of a worker.
        request[security.OWN_POLICY] = security.worker_policy(
            site.callers.host_of(request), wasm=file.startswith(WASM_WORKER)
        )
    accepted = request.headers.get("Accept-Encoding", "")
    body = found.body
    if found.brotli is not None and "br" in accepted:
        headers["Content-Encoding"], body = "br", found.brotli
    elif found.gzip is not None and "gzip" in accepted:
        headers["Content-Encoding"], body = "gzip", found.gzip
    return web.Response(body=body, headers=headers)


async def robots(request: web.Request) -> web.Response:
    """``/robots.txt``: the directory may be found; the keeper's page and bulk data need not be crawled."""
    prefix = request.app[SITE].prefix
    paths = ("/keeper", "/export/", "/api/", "/directory/")
    lines = ["User-agent: *", *(f"Disallow: {prefix}{path}" for path in paths)]
    return web.Response(text="\n".join(lines) + "\n", headers={"Cache-Control": "public, max-age=86400"})


async def compact_list(request: web.Request) -> web.Response:
    """``/directory/list.json``: what the browser searches by itself."""
    site = request.app[SITE]
    region = request.query.get("region")
    if region is not None and len(region) > 80:
        raise Problem(400, "A region's key has at most 80 characters.", field="region")
    view = site.pages.view(request)
    wording: Wording = beholder(site, view).wording
    response = answer_ready(request, await site.snapshots.compact(wording, region))
    response.headers["Vary"] = "Accept-Encoding, Accept-Language"
    return response
