"""Safe connections: the page that says how, the node's own certificate, the saved client, the service worker."""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from hedgerow_node.config import FILE_NAME
from hedgerow_node.fingerprint import hex_of, words_of
from hedgerow_node.http import security
from hedgerow_node.http.client import parse_address
from hedgerow_node.http.problems import not_found
from hedgerow_node.http.proxy_samples import caddy_sample, nginx_sample, settings_sample
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import CALLER, SITE, Site
from hedgerow_node.http.webui import WebUi
from hedgerow_node.qr import qr_code

PATH: Final = "/safe-connection"

SYSTEMS: Final = (
    ("android", "Android"),
    ("ios", "iPhone, iPad"),
    ("windows", "Windows"),
    ("macos", "macOS"),
    ("firefox", "Firefox"),
    ("chromium", "Chrome, Chromium (Linux)"),
)
"""Names are the makers' own and the same in every language. Firefox keeps its own list on every computer."""

STEPS: Final = 3
"""Steps to trust the certificate, on each system; how to end it is one more."""

EXAMPLE_NAME: Final = "hedgerow.example.org"
EXAMPLE_COMMAND: Final = "hedgerow tls --name hedgerow.local --address 192.168.1.20"


async def safe_connection(request: web.Request) -> web.Response:
    """``/safe-connection``: whether this connection is safe, why it should be, and the ways to get there."""
    site = request.app[SITE]
    view = site.pages.view(request)
    host = site.callers.host_of(request)
    kind = kind_of(request[CALLER].scheme, host)
    port = _port_of(host) or site.config.port
    values = {
        "kind": kind,
        "certificate": _certificate(site, view, port),
        "client": await client_facts(site),
        "onion": site.config.onion,
        "public": site.config.base_url if site.config.base_url.startswith("https://") else "",
        "localhost": f"http://localhost:{port}{site.prefix}/",
        "systems": [
            {"name": name, "steps": [f"secure.step.{key}.{step}" for step in range(1, STEPS + 1)], "key": key}
            for key, name in SYSTEMS
        ],
        "samples": _samples(site),
        "command": EXAMPLE_COMMAND,
    }
    return await site.pages.page(request, view, "safe_connection.html", values, index=True)


def kind_of(scheme: str, host: str) -> str:
    """How safe a browser thinks an address of ours is: ``https``, ``here``, ``onion`` or ``open``.

    Only the name counts, as in the browser: a name of the local network is not safe, wherever it leads.
    """
    if scheme == "https":
        return "https"
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return "open"
    address = parse_address(name)
    if name == "localhost" or name.endswith(".localhost") or (address is not None and address.is_loopback):
        return "here"
    return "onion" if name.endswith(".onion") else "open"


def _port_of(host: str) -> int:
    try:
        return urlsplit(f"//{host}").port or 0
    except ValueError:
        return 0


def _certificate(site: Site, view: View, port: int) -> dict[str, Any] | None:
    own = site.certificate
    if own is None:
        return None
    code = qr_code(f"http://{own.hosts[0]}:{port}{site.prefix}{PATH}")
    fingerprint = hex_of(own.fingerprint)
    return {
        "hosts": own.hosts,
        "urls": [f"https://{each}:{port}{site.prefix}/" for each in own.hosts],
        "words": words_of(own.fingerprint),
        "fingerprint": [fingerprint[:47], fingerprint[48:]],
        "download": f"{site.prefix}{PATH}/ca.crt",
        "qr": {"side": code.side, "path": code.svg_path()},
    }


async def client_facts(site: Site) -> dict[str, Any] | None:
    """Where the saved client is, and its words; ``None`` where it was not built."""
    bundle = await asyncio.to_thread(lambda: site.webui.bundle)
    if not bundle.client:
        return None
    words = words_of(bytes.fromhex(bundle.client))
    return {"url": f"{site.prefix}/client.html", "words": words, "sha256": bundle.client}


def _samples(site: Site) -> list[dict[str, str]]:
    config = site.config
    name = urlsplit(config.base_url).hostname or EXAMPLE_NAME
    name = EXAMPLE_NAME if parse_address(name) is not None else name
    port = config.port or 8470
    return [
        {"name": "nginx", "text": nginx_sample(name, port, site.prefix)},
        {"name": "Caddy", "text": caddy_sample(name, port, site.prefix)},
        {"name": FILE_NAME, "text": settings_sample(name, site.prefix)},
    ]


async def authority_certificate(request: web.Request) -> web.Response:
    """``/safe-connection/ca.crt``: the certificate authority of this node, for devices to trust."""
    own = request.app[SITE].certificate
    if own is None:
        raise not_found("This site has no certificate of its own.")
    # iPhones and Android offer to install it by this type.
    headers = {"Content-Type": "application/x-x509-ca-cert", "Content-Disposition": 'attachment; filename="ca.crt"'}
    return web.Response(body=own.download, headers=headers)


async def saved_client(request: web.Request) -> web.Response:
    """``/client.html``: the member app as one file. It is saved and not run here: it obeys a policy of its own."""
    body = await asyncio.to_thread(_read, request.app[SITE].webui, "client.html")
    if body is None:
        raise not_found("The program to save was not built here.")
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Disposition": 'attachment; filename="hedgerow.html"',
        "Cache-Control": security.REVALIDATE,
    }
    return web.Response(body=body, headers=headers)


async def service_worker(request: web.Request) -> web.Response:
    """``/app/sw.js``: looks after the member app's page and nothing else (``webui/src/sw.ts``)."""
    site = request.app[SITE]
    body = await asyncio.to_thread(_read, site.webui, "sw.js")
    if body is None:
        raise not_found("There is no such file.")
    headers = {
        "Content-Type": "text/javascript; charset=utf-8",
        "Cache-Control": security.REVALIDATE,
        # The page is /app; without this a script in /app/ may only look after what lies below /app/.
        "Service-Worker-Allowed": f"{site.prefix}/app",
    }
    return web.Response(body=body, headers=headers)


def _read(webui: WebUi, name: str) -> bytes | None:
    try:
        return (webui.dist / name).read_bytes()
    except OSError:
        return None
