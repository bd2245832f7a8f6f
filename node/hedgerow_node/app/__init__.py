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

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.app.control import open_control
from hedgerow_node.app.folder import prepare_folder
from hedgerow_node.app.peering import NodePeering
from hedgerow_node.app.speaking import SpeakingDirectory
from hedgerow_node.config import Config
from hedgerow_node.directory.door_folder import FolderLock, make_folder
from hedgerow_node.directory.service import Directory
from hedgerow_node.http.client import Callers, subscriber
from hedgerow_node.http.server import Street, build_app, keeper_link, open_street
from hedgerow_node.memory import settle_memory
from hedgerow_node.net.service import Network
from hedgerow_node.net.websocket import Visitor
from hedgerow_node.store.errors import StoreError
from hedgerow_protocol.ids import NodeId

LOG = logging.getLogger(__name__)

PRUNE_SECONDS = 3_600.0
"""Seconds. What has expired is removed once an hour: leases end at whole hours for everybody."""

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

    @property
    def address(self) -> str:
        """The web address on this machine, with the path prefix and a final slash."""
        return f"{self.street.addresses[0]}{self.config.path_prefix}/"


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
        network = Network(config, directory, keys.node, _visitor_of(config))
        leave = _in_time("network", network.stop, CLOSE_NETWORK_SECONDS_MAX)
        stack.push_async_callback(leave)
        await network.start()
        directory.tell = network.publish
        peering = NodePeering(config, directory, network)
        application = build_app(
            config,
            directory,
            node_id=node_id,
            version=version,
            peers=lambda: network.open_links,
            source_url=config.source_url,
            peer_door=network.door.answer,
            peering=peering,
        )
        street = await open_street(application, config.host, config.port)
        node = Node(config, directory, node_id, street, network)
        stack.push_async_callback(_in_time("street door", street.close, CLOSE_STREET_SECONDS_MAX))
        stack.push_async_callback(leave)  # peers hear a goodbye before their connections end
        await network.listening(street.port)
        home = config.base_url or street.addresses[0]

        def link() -> str:
            # keeper_link holds the prefix already, and so does the public address.
            return home.removesuffix(config.path_prefix) + keeper_link(application)

        await stack.enter_async_context(
            open_control(config, directory, peering, node_id=node_id, version=version, keeper_link=link)
        )
        pruning = asyncio.create_task(_prune_hourly(directory), name="prune")
        stack.push_async_callback(_end, pruning)
        yield node


def _visitor_of(config: Config) -> Callable[[web.BaseRequest], Visitor]:
    """The street door's rules about proxies, lent to the garden gate."""
    callers = Callers(config.trusted_proxies)

    def visitor_of(request: web.BaseRequest) -> Visitor:
        address = callers.address_of(request)
        known = address is not None and not address.is_loopback
        return Visitor(str(address) if address is not None else "", subscriber(address) if known else "")

    return visitor_of


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


async def _prune_hourly(directory: Directory) -> None:
    while True:
        try:
            await directory.prune(now=clock.now())
        except StoreError:
            LOG.exception("Removing what has expired did not work; it is tried again in an hour")
        await asyncio.sleep(PRUNE_SECONDS)


async def run(config: Config, *, version: str, tell: Callable[[Node], None]) -> None:
    """Run a node until SIGTERM or SIGINT. ``tell`` is called once it listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    async with running_node(config, version=version) as node:
        tell(node)
        settle_memory()
        await stop.wait()
