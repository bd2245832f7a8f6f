"""The one place that knows everybody: puts a node together, starts it from the ground up, stops it in stages.

Start: data folder and lock, keys, store, directory, network, street door, control socket. Stop, each stage with its own
patience: goodbye to peers, no new connections, running answers, the writer's queue, the store.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.app.control import open_control
from hedgerow_node.app.control_members import member_routes
from hedgerow_node.app.folder import prepare_folder
from hedgerow_node.app.members import Members, federation_of, open_members
from hedgerow_node.app.peering import NodePeering
from hedgerow_node.app.speaking import SpeakingDirectory
from hedgerow_node.app.whereabouts import DirectoryWhereabouts
from hedgerow_node.config import Config
from hedgerow_node.directory.door_folder import FolderLock, make_folder
from hedgerow_node.directory.service import Directory
from hedgerow_node.federation.service import Federation
from hedgerow_node.http import bounds
from hedgerow_node.http.certificate import OwnCertificate
from hedgerow_node.http.client import Callers, subscriber
from hedgerow_node.http.member.desk import open_desk
from hedgerow_node.http.server import Street, build_app, keeper_link, open_street
from hedgerow_node.http.site import SITE
from hedgerow_node.http.webui import find_webui
from hedgerow_node.memory import settle_memory
from hedgerow_node.net.service import Network
from hedgerow_node.net.websocket import Visitor
from hedgerow_node.store.errors import StoreError
from hedgerow_protocol.ids import NodeId

if TYPE_CHECKING:
    from hedgerow_node.app.certificates import Certificates

LOG = logging.getLogger(__name__)

PRUNE_SECONDS = 3_600.0
"""Seconds. What has expired is removed once an hour: leases end at whole hours for everybody."""

FILES_BESIDE_CONNECTIONS = 512
"""Files. Databases, peers, uploads and whatever libraries open."""

CLOSE_NETWORK_SECONDS_MAX = 10.0
"""Seconds. To say goodbye to peers."""

CLOSE_STREET_SECONDS_MAX = 10.0
"""Seconds. For answers that are under way."""

CLOSE_STORE_SECONDS_MAX = 30.0
"""Seconds. For the writer's queue, which holds what callers were not yet told about."""


@dataclass(frozen=True, slots=True)
class Node:
    """A running node."""

    config: Config
    directory: Directory
    node_id: NodeId
    street: Street
    network: Network
    certificate: OwnCertificate | None = None
    """With it, the same port speaks https, too."""

    @property
    def address(self) -> str:
        """The web address on this machine, with the path prefix and a final slash."""
        return f"{self.street.addresses[0]}{self.config.path_prefix}/"

    @property
    def home(self) -> str:
        """The address others are told, without a final slash: the public one, else one that the node's own certificate
        vouches for, else this machine's."""
        if self.config.base_url:
            return self.config.base_url
        if self.certificate is not None and self.certificate.hosts:
            return f"https://{self.certificate.hosts[0]}:{self.street.port}"
        return self.street.addresses[0]

    @property
    def secure_addresses(self) -> tuple[str, ...]:
        """Its https addresses where it has a certificate of its own."""
        hosts = self.certificate.hosts if self.certificate is not None else ()
        return tuple(f"https://{host}:{self.street.port}{self.config.path_prefix}/" for host in hosts)


@asynccontextmanager
async def running_node(config: Config, *, version: str) -> AsyncIterator[Node]:
    """A node that listens until the block ends. Raises what a person can read: see :mod:`hedgerow_node.cli`."""
    async with AsyncExitStack() as stack:
        make_folder(config.data)
        stack.enter_context(FolderLock(config))
        keys = prepare_folder(config)
        node_id = NodeId(keys.node.public[1:])
        directory = SpeakingDirectory.open(config.database_file, records_max=config.records_max)
        stack.push_async_callback(_in_time("store", directory.close, CLOSE_STORE_SECONDS_MAX))
        members = await open_members(config, keys.node)
        stack.push_async_callback(_in_time("members' store", members.close, CLOSE_STORE_SECONDS_MAX))
        certificates = await _certificates_of(config)
        webui = find_webui()
        network = Network(config, directory, keys.node, _visitor_of(config), bundle=webui.bundle)
        federation = federation_of(config, keys.node, members, network.post, DirectoryWhereabouts(directory))
        network.letters = federation
        stack.push_async_callback(_in_time("rooms across nodes", federation.stop, CLOSE_NETWORK_SECONDS_MAX))
        await federation.start()
        leave = _in_time("network", network.stop, CLOSE_NETWORK_SECONDS_MAX)
        stack.push_async_callback(leave)
        await network.start()
        directory.tell = network.publish
        peering = NodePeering(config, directory, network, federation)
        application = build_app(
            config,
            directory,
            node_id=node_id,
            version=version,
            peers=lambda: network.open_links,
            webui=webui,
            source_url=config.source_url,
            peer_door=network.door.answer,
            peering=peering,
            certificate=certificates.shown() if certificates is not None else None,
            desk=open_desk(federation.accounts, federation.delivery, members.counts, clock.monotonic),
        )
        secured = {"ssl": certificates.context} if certificates is not None else {}
        street = await open_street(application, config.host, config.port, **secured)
        node = Node(config, directory, node_id, street, network, application[SITE].certificate)
        stack.push_async_callback(_in_time("street door", street.close, CLOSE_STREET_SECONDS_MAX))
        stack.push_async_callback(leave)  # peers hear a goodbye before their connections end
        await network.listening(street.port)
        home = config.base_url or street.addresses[0]

        def link() -> str:
            # keeper_link holds the prefix already, and so does the public address.
            return home.removesuffix(config.path_prefix) + keeper_link(application)

        routes = member_routes(members.accounts, node.home, node_id)
        await stack.enter_async_context(
            open_control(config, directory, peering, node_id=node_id, version=version, keeper_link=link, more=routes)
        )
        pruning = asyncio.create_task(_prune_hourly(directory, members, federation), name="prune")
        stack.push_async_callback(_end, pruning)
        if certificates is not None:
            stack.push_async_callback(_end, asyncio.create_task(certificates.watch(), name="certificates"))
        yield node


def _visitor_of(config: Config) -> Callable[[web.BaseRequest], Visitor]:
    """The street door's rules about proxies, lent to the garden gate."""
    callers = Callers(config.trusted_proxies)

    def visitor_of(request: web.BaseRequest) -> Visitor:
        address = callers.address_of(request)
        known = address is not None and not address.is_loopback
        return Visitor(str(address) if address is not None else "", subscriber(address) if known else "")

    return visitor_of


async def _certificates_of(config: Config) -> "Certificates | None":
    if config.tls != "local":
        return None
    # The library behind it takes a while to load, so only those who use it do.
    from hedgerow_node.app.certificates import open_certificates

    return await asyncio.to_thread(open_certificates, config, clock.now())


def _in_time(name: str, close: Callable[[], Awaitable[None]], seconds: float) -> Callable[[], Awaitable[None]]:
    """Close one part with its own patience; a late one is named in the log and left behind."""

    async def run() -> None:
        try:
            async with asyncio.timeout(seconds):
                await close()
        except TimeoutError:
            LOG.warning("Closing the %s took longer than %d seconds", name, seconds)

    return run


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _prune_hourly(directory: Directory, members: Members, federation: Federation) -> None:
    while True:
        for prune in (directory.prune, members.prune, federation.prune):
            try:
                await prune(now=clock.now())
            except StoreError:
                LOG.exception("Removing what has expired did not work; it is tried again in an hour")
        await asyncio.sleep(PRUNE_SECONDS)


def _allow_connections() -> None:
    """Raise the number of files this process may have open to what its connections need, as far as the system lets it.

    Many systems begin with 1,024, which is fewer than the live sockets of a large community.
    """
    try:
        import resource
    except ImportError:  # Windows counts otherwise
        return
    low, high = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = bounds.CONNECTIONS_MAX + FILES_BESIDE_CONNECTIONS
    if high != resource.RLIM_INFINITY:
        wanted = min(wanted, high)
    if low < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, high))


async def run(config: Config, *, version: str, tell: Callable[[Node], None]) -> None:
    """Run a node until SIGTERM or SIGINT. ``tell`` is called once it listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    _allow_connections()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    async with running_node(config, version=version) as node:
        tell(node)
        settle_memory()
        await stop.wait()
