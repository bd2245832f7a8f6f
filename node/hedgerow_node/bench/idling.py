"""What a link costs while nothing happens: two nodes on real sockets, whose clocks are lent and run ahead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.bench.measure import Figure
from hedgerow_node.config import Config
from hedgerow_node.directory.door_folder import make_folder
from hedgerow_node.directory.service import Directory
from hedgerow_node.net.service import Network
from hedgerow_node.net.websocket import PATH, Visitor
from hedgerow_protocol.gossip.events import Tick
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Instant, Now, Timestamp

DAY_SECONDS: Final = 86_400

HOURS: Final = 6
"""Hours that pass; the day is computed from them."""

KILOBYTES_MAX: Final = 500.0

STEP_SECONDS: Final = 2.0
"""Seconds by which the clocks are put forward at a time."""

WAIT_SECONDS_MAX: Final = 30.0


class _Ahead:
    """Clocks that can be put forward."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> Now:
        return Now(Instant(clock.monotonic() + self.seconds), Timestamp(clock.now() + int(self.seconds)))


@asynccontextmanager
async def _served(data: Path, ahead: _Ahead) -> AsyncIterator[tuple[Network, str]]:
    """A store, its network, and the door to it; no pages."""
    config = Config(data=data)
    make_folder(data)
    directory = Directory.open(config.database_file)
    key = SigningKey.from_seed(Usage.NODE, clock.entropy(32))
    network = Network(config, directory, key, lambda request: Visitor(request.remote or "", ""), moment=ahead)
    application = web.Application()
    application.router.add_get(PATH, network.door.answer, allow_head=False)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, config.host, 0).start()
    try:
        await network.start()
        while network.door.closed:  # noqa: ASYNC110 - a moment, until its sets are read
            await asyncio.sleep(0.01)
        yield network, f"http://{config.host}:{runner.addresses[0][1]}"
    finally:
        await network.stop()
        await runner.cleanup()
        await directory.close()


def _said(network: Network) -> int:
    """Bytes of WebSocket payload that left over all links of a node."""
    return sum(link.traffic.bytes_out for link in network.gate.links.values())


def _heard(network: Network) -> int:
    return sum(link.traffic.bytes_in for link in network.gate.links.values())


async def _let_arrive(one: Network, other: Network) -> None:
    """Until both have heard what the other said."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while (_said(one), _said(other)) != (_heard(other), _heard(one)):  # noqa: ASYNC110 - nobody calls it
            await asyncio.sleep(0)


async def idle_bytes(folder: Path, seconds: float) -> int:
    """Payload of one link, both ways, in so many seconds in which nothing is published."""
    ahead = _Ahead()
    async with AsyncExitStack() as stack:
        one, address = await stack.enter_async_context(_served(folder / "one", ahead))
        other, _ = await stack.enter_async_context(_served(folder / "other", ahead))
        other.choose([address])
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not (one.status().links and other.status().links):  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        await _let_arrive(one, other)
        before = _said(one) + _said(other)
        for _ in range(int(seconds / STEP_SECONDS)):
            ahead.seconds += STEP_SECONDS
            for network in (one, other):
                network.feed(Tick())
            for _ in range(4):  # from the machine to the link's writer, and on
                await asyncio.sleep(0)
            await _let_arrive(one, other)
        if not (one.open_links == other.open_links == 1):
            raise RuntimeError("the link did not last")
        return _said(one) + _said(other) - before


def figure(folder: Path, hours: float = HOURS) -> Figure:
    """Kilobytes of WebSocket payload that an idle link costs in a day."""
    seconds = hours * 3_600
    found = asyncio.run(idle_bytes(folder, seconds)) * DAY_SECONDS / seconds / 1_000
    return Figure("idle_sockets_day", found, "kB", KILOBYTES_MAX, "payload both ways, two nodes on real sockets")
