"""``hedgerow bench directory``: the figures that the directory promises, each a ratio taken in one run, as JSON."""

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

from hedgerow_node.bench import ingesting, processes, searching
from hedgerow_node.bench.ingesting import Ingest
from hedgerow_node.bench.measure import Figure
from hedgerow_node.memory import settle_memory

SIZES = (10_000, 100_000)
SIZES_QUICK = (2_000, 6_000)
SIZES_FULL = (10_000, 100_000, 1_000_000)


def run(*, quick: bool = False, full: bool = False, size: int | None = None) -> int:
    """Measure and print one JSON object. Takes about a minute quick, five by default, half an hour full."""
    print(json.dumps(measure(quick=quick, full=full, size=size), indent=2))
    return 0


def measure(*, quick: bool = False, full: bool = False, size: int | None = None) -> dict[str, Any]:
    """The report. ``size`` is the largest number of listings, where it is not the usual one."""
    sizes = list(SIZES_QUICK if quick else SIZES_FULL if full else SIZES)
    if size is not None:
        sizes = [*(each for each in sizes if each < size), size]
    settle_memory()
    folder = Path(tempfile.mkdtemp(prefix="hedgerow-bench-"))
    try:
        found = asyncio.run(_in_process(folder, sizes, rounds=20 if quick else ingesting.ROUNDS))
        found += processes.figures(folder)
    finally:
        shutil.rmtree(folder)
    return {
        "about": "ratios; V is one bare crypto_sign_open of a record of that size",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "sizes": sizes,
        "holds": all(each.limit is None or each.ratio <= each.limit for each in found),
        "figures": [each.as_json() for each in found],
    }


async def _in_process(folder: Path, sizes: list[int], *, rounds: int) -> list[Figure]:
    ingest = Ingest(folder / "public.db", records_max=2 * max(sizes) + 100_000)
    try:
        found: list[Figure] = []
        if len(sizes) > 1 and sizes[-1] > SIZES[-1]:  # the worst search is promised at 100,000 as well
            await ingest.fill(SIZES[-1])
            found += await searching.figures(ingest.directory, SIZES[-1])
        found += await ingesting.figures(ingest, sizes, rounds=rounds)
        return found + await searching.figures(ingest.directory, sizes[-1])
    finally:
        await ingest.directory.close()
