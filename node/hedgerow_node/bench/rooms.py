"""``hedgerow bench rooms``: what the delivery of members' words costs, as ratios of one run, as JSON.

A real node in a process of its own; the devices are raw sockets in others. What the member app itself costs is measured
in Node.js (:mod:`hedgerow_node.bench.rooms_away`) and Chromium (:mod:`hedgerow_node.bench.rooms_browser`). Figures and
what they mean: docs/figures-rooms.md.
"""

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from hedgerow_node import clock
from hedgerow_node.bench import (
    rooms_append,
    rooms_away,
    rooms_browser,
    rooms_fanout,
    rooms_servers,
    rooms_slow,
    rooms_trouble,
)
from hedgerow_node.bench.measure import Figure
from hedgerow_node.bench.rooms_world import DAY_SECONDS, World
from hedgerow_node.memory import settle_memory

SIZES: Final = (100, 1_000)
SIZES_QUICK: Final = (20, 100)
ROOMS: Final = 10_000
ROOMS_QUICK: Final = 300
ROUNDS: Final = 3
AWAY_DAYS: Final = 29
"""Days. Messages are kept for thirty."""


def run(*, quick: bool = False, rooms: int | None = None) -> int:
    """Measure and print one JSON object. Takes about two minutes quick, fifteen by default."""
    print(json.dumps(measure(quick=quick, rooms=rooms), indent=2))
    return 0


def measure(*, quick: bool = False, rooms: int | None = None) -> dict[str, Any]:
    """The report. ``rooms`` lie on the disk beside those that are used."""
    settle_memory()
    many = rooms if rooms is not None else ROOMS_QUICK if quick else ROOMS
    sizes = SIZES_QUICK if quick else SIZES
    folder = Path(tempfile.mkdtemp(prefix="hedgerow-bench-"))
    try:
        found = _figures(folder, sizes, many, quick=quick)
    finally:
        shutil.rmtree(folder)
    return {
        "about": "ratios of one run; the node in a process of its own, the devices in others on the same machine",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "sizes": list(sizes),
        "rooms": many,
        "holds": all(each.holds for each in found),
        "figures": [each.as_json() for each in found],
    }


def _figures(folder: Path, sizes: tuple[int, ...], rooms: int, *, quick: bool) -> list[Figure]:
    data, rounds = folder / "data", 1 if quick else ROUNDS
    seconds = 1.0 if quick else rooms_fanout.SECONDS
    away = rooms_append.AWAY_MESSAGES // (10 if quick else 1)
    found, used, left = asyncio.run(_prepare(folder, data, sizes, rooms, away, quick=quick))
    small, large = min(sizes), max(sizes)
    with rooms_servers.node(data) as node:
        found.append(rooms_append.catching_up(node, left, away))
        found += rooms_append.over_http(folder, node, used[small], rounds=rounds, seconds=seconds)
        found.append(rooms_trouble.idle(node, used[large], large))
        found += rooms_fanout.figures(folder, node, used, rounds=rounds, seconds=seconds)
        found += rooms_trouble.stalled(node, used[small], small, rounds=rounds, seconds=max(3.0, seconds))
        found += rooms_trouble.flooded(node, used[small], small, rounds=rounds, seconds=max(3.0, seconds))
        found += rooms_slow.figures(
            node, used[small], small, left, rounds=rounds, seconds=min(2.0, seconds), quick=quick
        )
    return [*found, *rooms_away.figures(folder, quick=quick), *rooms_browser.figures(folder)]


async def _prepare(
    folder: Path, data: Path, sizes: tuple[int, ...], rooms: int, away: int, *, quick: bool
) -> tuple[list[Figure], dict[int, dict[str, Any]], dict[str, Any]]:
    """Fill a data folder and measure its store before a node is started on it."""
    world = World(data)
    try:
        members = await world.members(max(sizes) + 2)
        used = {size: await world.room(members[:size]) for size in sizes}
        left = await world.room(members[-2:])
        for day in range(AWAY_DAYS):
            part = away * (day + 1) // AWAY_DAYS - away * day // AWAY_DAYS
            await world.write(left, part, now=int(clock.now()) - (AWAY_DAYS - day) * DAY_SECONDS)
        await world.fill(rooms)
        lone = await world.room(members[: min(64, *sizes)])
        found = await rooms_append.figures(folder, world, lone, rounds=1 if quick else ROUNDS, rooms=rooms, quick=quick)
    finally:
        await world.close()
    return found, {size: room.as_json() for size, room in used.items()}, left.as_json()
