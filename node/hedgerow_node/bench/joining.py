"""An empty node that a peer fills, beside its own bulk ingest of the same records in the same run.

The giver is a node in a process of its own, whose CPU counts on neither side; the one that joins runs here, so that its
CPU and its event loop can be watched. Both sides count all threads of this process, from when the link is open and the
giver has started: ingest counts judging and disk, joining also network, cipher, reconciliation, and what watches both.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hedgerow_node import clock
from hedgerow_node.bench.ingesting import BATCH, TICK_SECONDS
from hedgerow_node.bench.listings import Maker
from hedgerow_node.bench.measure import Figure, percentile
from hedgerow_node.bench.processes import process
from hedgerow_node.config import Config
from hedgerow_node.directory.door_folder import make_folder
from hedgerow_node.directory.outcome import Stored
from hedgerow_node.directory.service import Directory
from hedgerow_node.net.service import Network
from hedgerow_node.net.websocket import Visitor
from hedgerow_protocol.keys import SigningKey, Usage

SIZE: Final = 100_000
SIZE_QUICK: Final = 10_000
"""Listings."""

TIMES_MAX: Final = 1.5
"""Times its own bulk ingest, that joining may take."""

LATE_MILLISECONDS_MAX: Final = 10.0

LINK_SECONDS_MAX: Final = 30.0

STANDSTILL_SECONDS_MAX: Final = 180.0


@dataclass(slots=True)
class Spent:
    """What some work took."""

    cpu: float = 0.0
    """Seconds of CPU, of all threads of this process."""
    wall: float = 0.0
    late: list[float] = field(default_factory=list)
    """Milliseconds by which a ticker was late, again and again."""


async def spend(work: Coroutine[Any, Any, None]) -> Spent:
    """Do something while a ticker looks how late the event loop is."""
    spent, ended = Spent(), asyncio.Event()

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        while not ended.is_set():
            due = loop.time() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            spent.late.append(1000 * (loop.time() - due))

    ticker = asyncio.create_task(tick())
    cpu, wall = time.process_time(), time.perf_counter()
    await work
    spent.cpu, spent.wall = time.process_time() - cpu, time.perf_counter() - wall
    ended.set()
    await ticker
    return spent


async def _ingest(path: Path, records: Sequence[bytes]) -> Spent:
    """Take the records in as a bulk import does; they stay at ``path``."""
    directory = Directory.open(path)

    async def all_of_them() -> None:
        for start in range(0, len(records), BATCH):
            outcomes = await directory.accept(records[start : start + BATCH], now=clock.now())
            assert all(isinstance(each, Stored) for each in outcomes), outcomes  # noqa: S101

    try:
        return await spend(all_of_them())
    finally:
        await directory.close()


@asynccontextmanager
async def _joiner(data: Path) -> AsyncIterator[Network]:
    """A node without pages: a store and its network."""
    config = Config(data=data)
    make_folder(data)
    directory = Directory.open(config.database_file)
    key = SigningKey.from_seed(Usage.NODE, clock.entropy(32))
    network = Network(config, directory, key, lambda request: Visitor("", ""))
    try:
        await network.start()
        yield network
    finally:
        await network.stop()
        await directory.close()


async def _link(network: Network, address: str) -> None:
    """Choose the peer and wait for the link: a node that has just started lets nobody in for a moment."""
    network.choose([address])
    async with asyncio.timeout(LINK_SECONDS_MAX):
        while not network.status().links:  # noqa: ASYNC110 - a bench asks, nobody calls it
            await asyncio.sleep(0.001)


async def _wait(network: Network, many: int, told: Callable[[int], None]) -> None:
    """Wait until so many records have come and are kept here."""
    held, since = 0, time.monotonic()
    while held < many:
        await asyncio.sleep(0.02)
        now = sum(link.records_new for link in network.status().links)
        if now != held:
            held, since = now, time.monotonic()
            told(held)
        if time.monotonic() > since + STANDSTILL_SECONDS_MAX:
            raise TimeoutError(f"only {held} of {many} records came")


async def join(folder: Path, size: int, told: Callable[[int], None] = lambda _held: None) -> tuple[Spent, Spent]:
    """Bulk ingest of so many listings, then joining a peer that holds them."""
    records = list(Maker(1, clock.now()).envelopes(size))
    giver = folder / "giver"
    giver.mkdir(parents=True)
    alone = await _ingest(Config(data=giver).database_file, records)
    with process("-m", "hedgerow_node", "serve", "--data", str(giver), "--port", "0") as (_giver, address):
        async with _joiner(folder / "joiner") as network:
            await _link(network, address)
            joined = await spend(_wait(network, len(records), told))
    return alone, joined


def figures(folder: Path, size: int = SIZE) -> list[Figure]:
    """The ratios, and how late the event loop of the joining node is. ``folder`` is left full."""
    alone, joined = asyncio.run(join(folder, size))
    about = f"{size} listings from one peer; its own bulk ingest of the same records"
    return [
        Figure("joining_cpu", joined.cpu / alone.cpu, "times", TIMES_MAX, about),
        Figure("joining_wall", joined.wall / alone.wall, "times", None, "the giver works on the same cores"),
        Figure("joining_loop_late_p50", percentile(joined.late, 0.5), "ms"),
        Figure("joining_loop_late_p99", percentile(joined.late, 0.99), "ms", LATE_MILLISECONDS_MAX, "a 5 ms ticker"),
        Figure("ingesting_loop_late_p99", percentile(alone.late, 0.99), "ms", None, "the same ticker, bulk ingest"),
    ]
