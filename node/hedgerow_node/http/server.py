"""The street door: one aiohttp application from one table of routes, and a listener with patience but not for ever."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.config import Config
from hedgerow_node.http import bounds
from hedgerow_node.http.certificate import OwnCertificate
from hedgerow_node.http.client import Callers, Hosts
from hedgerow_node.http.connections import Door, handlers, listen
from hedgerow_node.http.first_byte import BothServer, listen_both
from hedgerow_node.http.keeper.cosigning import CosignDrafts
from hedgerow_node.http.keeper.links import KeeperLinks
from hedgerow_node.http.keeper.pages import DRAFTS
from hedgerow_node.http.languages import Languages
from hedgerow_node.http.member.body import BODIES, Bodies
from hedgerow_node.http.member.desk import DESK, Desk
from hedgerow_node.http.middleware import PEER_PATH, Handler, dress, street_door
from hedgerow_node.http.peering import Peering
from hedgerow_node.http.rate import RateLimit
from hedgerow_node.http.reads import Reads
from hedgerow_node.http.rendering import Community, Pages
from hedgerow_node.http.routes import add_routes
from hedgerow_node.http.site import SITE, Site
from hedgerow_node.http.snapshots import Snapshots
from hedgerow_node.http.webui import WebUi, find_webui
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy, Instant, Timestamp

EXIT_URL = "https://www.bbc.co.uk/weather"
"""Where quick exit leads: a page without personal content that nobody wonders about (the default of GOV.UK's)."""

DEFAULT_TITLE = "Hedgerow"


def build_app(
    config: Config,
    directory: Reads,
    *,
    node_id: NodeId,
    version: str,
    peers: Callable[[], int] = lambda: 0,
    now: Callable[[], Timestamp] = clock.now,
    monotonic: Callable[[], Instant] = clock.monotonic,
    entropy: Entropy = clock.entropy,
    webui: WebUi | None = None,
    source_url: str = "",
    peer_door: Handler | None = None,
    peering: Peering | None = None,
    certificate: OwnCertificate | None = None,
    desk: Desk | None = None,
) -> web.Application:
    """The application of one node. Nothing heavy is loaded or read before the first request.

    ``desk`` is the members' side; without it there is none.
    ``peer_door`` answers ``GET /peer``, where other nodes come in; ``peering`` is what the keeper's page shows of them.
    """
    webui = webui or find_webui()
    prefix = config.path_prefix
    pages = Pages(
        webui,
        Languages(webui.locales, config.locale),
        Community(name=config.title or DEFAULT_TITLE),
        prefix=prefix,
        base_url=config.base_url,
        exit_url=EXIT_URL,
    )
    app = web.Application(middlewares=[street_door], client_max_size=bounds.BODY_BYTES_MAX)
    app[SITE] = Site(
        config=config,
        directory=directory,
        node_id=node_id,
        version=version,
        peers=peers,
        now=now,
        monotonic=monotonic,
        entropy=entropy,
        prefix=prefix,
        callers=Callers(config.trusted_proxies),
        hosts=Hosts(_own_addresses(config, certificate)),
        rate=RateLimit(),
        webui=webui,
        pages=pages,
        keeper=KeeperLinks(monotonic, entropy),
        snapshots=Snapshots(directory, now, monotonic),
        source_url=source_url,
        peering=peering,
        certificate=certificate,
    )
    app[DRAFTS] = CosignDrafts()
    app[BODIES] = Bodies()
    if desk is not None:
        app[DESK] = desk
        app.on_shutdown.append(_close_desk)
    app.on_response_prepare.append(dress)
    app.on_cleanup.append(_close_snapshots)
    add_routes(app, prefix)
    if peer_door is not None:
        for base in dict.fromkeys((prefix, "")):
            app.router.add_get(base + PEER_PATH, peer_door, allow_head=False)
    return app


def _own_addresses(config: Config, certificate: OwnCertificate | None) -> list[str]:
    listening = f"http://{config.host}" if ":" not in config.host else ""
    vouched = [f"https://{host}" for host in certificate.hosts] if certificate is not None else []
    return [config.base_url, config.announce, listening, *vouched]


async def _close_desk(app: web.Application) -> None:
    await app[DESK].close()


async def _close_snapshots(app: web.Application) -> None:
    await app[SITE].snapshots.close()


def keeper_link(app: web.Application) -> str:
    """A new one-time address of the keeper's page: the part after the node's web address (it holds the prefix).

    The token stands in the fragment, which browsers send to nobody; without JavaScript the page asks for it.
    """
    site = app[SITE]
    return f"{site.prefix}/keeper/enter#{site.keeper.make()}"


@dataclass(slots=True)
class Street:
    """An open street door."""

    runner: web.AppRunner
    server: asyncio.Server | BothServer
    door: Door

    @property
    def addresses(self) -> list[str]:
        """The web addresses it listens at."""
        found = []
        for socket in self.server.sockets:
            host, port = socket.getsockname()[:2]
            found.append(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        return found

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self.server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Take no more connections, let running answers end, then close."""
        self.server.close()
        await self.runner.cleanup()
        self.door.stop()


async def open_street(app: web.Application, host: str, port: int, **server_arguments: Any) -> Street:
    """Listen. ``server_arguments`` go to ``loop.create_server`` (``reuse_port``). Raises :class:`OSError`.

    With ``ssl`` (a context) the port speaks https, and goes on speaking http to whoever does not trust it yet.
    """
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=5.0)
    await runner.setup()
    door = Door(app[SITE].callers)
    try:
        context = server_arguments.pop("ssl", None)
        if context is None:
            server: asyncio.Server | BothServer = await listen(runner, door, host, port, **server_arguments)
        else:
            server = await listen_both(host, port, handlers(runner, door), context, door)
    except BaseException:
        await runner.cleanup()
        raise
    return Street(runner, server, door)
