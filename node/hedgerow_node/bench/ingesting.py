"""Taking listings in: the cost of a new one, a known one and a forged one, growth, and how late the event loop is."""

import asyncio
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

from hedgerow_node.bench.listings import NOW, Maker
from hedgerow_node.bench.measure import Figure, Yardstick, cpu_of, median, percentile
from hedgerow_node.directory.outcome import Known, Refused, Stored
from hedgerow_node.directory.service import Directory
from hedgerow_protocol.envelope import Envelope, Signature, parse_envelope

BATCH: Final = 100

ROUNDS: Final = 60
"""Batches. One figure."""

TICK_SECONDS: Final = 0.005


class Ingest:
    """Fills a directory with made-up listings and measures on the way."""

    def __init__(self, path: Path, records_max: int) -> None:
        self.directory = Directory.open(path, records_max=records_max)
        self._source: Iterator[bytes] = Maker(1).envelopes(records_max)
        self._held = 0
        self._yardstick = Yardstick(list(islice(Maker(2).envelopes(BATCH), BATCH)))

    async def fill(self, upto: int) -> None:
        """Take listings in without measuring."""
        while self._held < upto:
            await self._take(list(islice(self._source, min(BATCH, upto - self._held))))

    async def _take(self, batch: list[bytes]) -> None:
        outcomes = await self.directory.accept(batch, now=NOW)
        assert all(isinstance(each, Stored) for each in outcomes), outcomes  # noqa: S101 - else nothing was measured
        self._held += len(batch)

    async def new(self, rounds: int = ROUNDS) -> float:
        """V per new listing at the present size."""
        ratios = []
        for _ in range(rounds):
            batch = list(islice(self._source, BATCH))
            reference = self._yardstick.seconds()
            ratios.append(await cpu_of(self._take(batch)) / len(batch) / reference)
        # The mean, not the median: what is postponed (merging the index, copying the log) is part of the cost.
        return sum(ratios) / len(ratios)

    async def known(self, rounds: int = ROUNDS) -> float:
        """V per listing that is held already."""
        batch = list(islice(Maker(1).envelopes(BATCH), BATCH))
        ratios = []
        for _ in range(rounds):
            reference = self._yardstick.seconds()
            start = time.process_time()
            outcomes = await self.directory.accept(batch, now=NOW)
            ratios.append((time.process_time() - start) / BATCH / reference)
            assert all(isinstance(each, Known) for each in outcomes)  # noqa: S101
        return median(ratios)

    async def forged(self, rounds: int = 20) -> float:
        """V per listing whose signature does not hold; nothing may be written."""
        generation = self.directory.generation
        ratios = []
        for _ in range(rounds):
            made = [parse_envelope(each) for each in islice(self._source, BATCH)]
            batch = [_forge(each, other).to_bytes() for each, other in pairwise([*made, made[0]])]
            reference = self._yardstick.seconds()
            start = time.process_time()
            outcomes = await self.directory.accept(batch, now=NOW)
            ratios.append((time.process_time() - start) / BATCH / reference)
            refused = sum(isinstance(each, Refused) for each in outcomes)
            assert refused == BATCH, outcomes  # noqa: S101 - else nothing was measured
        assert self.directory.generation == generation, "something was written"  # noqa: S101
        return median(ratios)

    async def lateness_ms(self, seconds: float = 6.0) -> tuple[float, float]:
        """How late a 5 ms ticker is at p50 and p99 while listings come in as fast as they can (ms)."""
        made = list(islice(self._source, 8_000))
        late: list[float] = []
        ended = asyncio.Event()

        async def tick() -> None:
            loop = asyncio.get_running_loop()
            while not ended.is_set():
                due = loop.time() + TICK_SECONDS
                await asyncio.sleep(TICK_SECONDS)
                late.append(1000 * (loop.time() - due))

        ticker = asyncio.create_task(tick())
        end = time.monotonic() + seconds
        while made and time.monotonic() < end:
            await self._take(made[:BATCH])
            del made[:BATCH]
        ended.set()
        await ticker
        return percentile(late, 0.5), percentile(late, 0.99)


def _forge(envelope: Envelope, other: Envelope) -> Envelope:
    """The same words with a good signature of other words."""
    signatures = (Signature(envelope.signatures[0].author, other.signatures[0].signature),)
    return Envelope(envelope.kind, envelope.body, signatures, envelope.rid)


async def figures(ingest: Ingest, sizes: list[int], *, rounds: int) -> list[Figure]:
    """Fill to each size in turn and measure there."""
    found: list[Figure] = []
    costs: list[float] = []
    for size in sizes:
        await ingest.fill(size)
        costs.append(await ingest.new(rounds))
        found.append(Figure(f"ingest_new_at_{size}", costs[-1], "V", 3.5, "batches of 100, CPU"))
    if len(costs) > 1:
        found.append(Figure("ingest_growth", costs[-1] / costs[0], "times", 1.5, f"from {sizes[0]} to {sizes[-1]}"))
    found.append(Figure("ingest_known", await ingest.known(rounds), "V", 0.3))
    found.append(Figure("ingest_forged", await ingest.forged(), "V", 1.6, "and nothing written"))
    middle, worst = await ingest.lateness_ms()
    found.append(Figure("loop_late_p50", middle, "ms"))
    found.append(Figure("loop_late_p99", worst, "ms", 10.0, "a 5 ms ticker while ingesting at full speed"))
    return found
