"""``hedgerow bench federation``: what a room costs whose members live on several nodes, as JSON.

Real nodes in processes of their own, peers of each other on loopback; the devices are raw sockets in others. Every
figure is printed with words going out at once (``--fanout-ms 0``) and gathered for as long as by default; the setting
ends each figure's name. Figures and what they mean: docs/figures-federation.md.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from hedgerow_node.bench import (
    federation_compared,
    federation_growth,
    federation_joining,
    federation_matrix,
    federation_messages,
)
from hedgerow_node.bench.federation_messages import WRITERS
from hedgerow_node.bench.federation_world import FarRoom, Home, fill, found, home, offer
from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.rooms_append import Flush
from hedgerow_node.memory import settle_memory
from hedgerow_protocol.federation.fanout_values import FANOUT_MS_DEFAULT

ROUNDS: Final = 3
SECONDS: Final = 5.0
SECONDS_QUICK: Final = 1.0
GATHERED_SECONDS: Final = 2.0
"""Seconds. A round is at least so many times longer than words are gathered."""

FANOUT_MS_MAX: Final = 10_000
"""Milliseconds. Longer is not waited for."""

LEFT_OUT: Final = (
    "left out: name a Python in which `pip install matrix-synapse` was done, with --synapse PYTHON, to see the ratios"
)


def run(*, quick: bool = False, fanout_ms: int | None = None, synapse: str | None = None) -> int:
    """Measure and print one JSON object. Takes about a minute quick, ten by default.

    ``fanout_ms``: only with this setting. ``synapse``: an interpreter in which Matrix Synapse is installed.
    """
    print(json.dumps(measure(quick=quick, fanout_ms=fanout_ms, synapse=synapse), indent=2))
    return 0


def measure(*, quick: bool = False, fanout_ms: int | None = None, synapse: str | None = None) -> dict[str, Any]:
    """The report."""
    settle_memory()
    settings = (0, FANOUT_MS_DEFAULT) if fanout_ms is None else (fanout_ms,)
    version = federation_matrix.version(synapse) if synapse else None
    sizes = federation_growth.MEMBERS_QUICK if quick else federation_growth.MEMBERS
    folder = Path(tempfile.mkdtemp(prefix="hedgerow-bench-"))
    try:
        tokens = {name: fill(folder / name, max(sizes)) for name in ("hub", "follower", "third")}
        figures: list[Figure] = []
        for setting in settings:
            other = synapse if version and setting == settings[0] else None
            figures += _with_nodes(folder, tokens, setting, quick=quick, synapse=other)
    finally:
        shutil.rmtree(folder)
    return {
        "about": "nodes on loopback; each figure's name ends with the milliseconds for which words are gathered",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "fanout_ms": list(settings),
        "followers": list(_followers(quick)),
        "members": list(sizes),
        "synapse": version or LEFT_OUT,
        "holds": all(each.holds for each in figures),
        "figures": [each.as_json() for each in figures],
    }


def _followers(quick: bool) -> tuple[int, ...]:
    return federation_growth.FOLLOWERS_QUICK if quick else federation_growth.FOLLOWERS


def _with_nodes(
    folder: Path, tokens: dict[str, list[bytes]], fanout_ms: int, *, quick: bool, synapse: str | None
) -> list[Figure]:
    rounds = 1 if quick else ROUNDS
    seconds = max(SECONDS_QUICK if quick else SECONDS, GATHERED_SECONDS * fanout_ms / 1_000)
    members = federation_growth.MEMBERS_QUICK if quick else federation_growth.MEMBERS
    with ExitStack() as stack:
        nodes: list[Home] = []
        for name in ("hub", "follower", "third"):
            nodes.append(stack.enter_context(home(folder / name, tokens[name], fanout_ms, nodes)))
        hub, follower, third = nodes
        _say(f"{fanout_ms} ms: three nodes are linked")
        flushed = [_flush(folder)]
        figures = federation_joining.figures(hub, follower, third, fanout_ms=fanout_ms, quick=quick)
        two, three = _rooms(hub, follower, third)
        figures += federation_messages.figures(
            three, two, (hub, follower, third), fanout_ms=fanout_ms, rounds=rounds, seconds=seconds
        )
        if synapse is not None:
            _say("the same with two Synapse servers")
            joins = federation_joining.JOINS_QUICK
            figures += federation_compared.figures(
                synapse, folder / "synapse", two, hub, follower, rounds=rounds, seconds=seconds, joins=joins
            )
        how: dict[str, Any] = {"fanout_ms": fanout_ms, "rounds": rounds, "seconds": seconds}
        _say("members")
        figures += federation_growth.over_members(hub, follower, members, **how)
        _say("followers")
        figures += federation_growth.over_followers(hub, _followers(quick), **how)
        flushed.append(_flush(folder))
        about = "one fdatasync of a page on this disk, before and after: an answer waits for three, on two nodes"
        figures.append(Figure(f"flush_{fanout_ms}", 1e3 * median(flushed), "ms", None, about))
        figures += [
            Figure(f"memory_{name}_{fanout_ms}", each.server.resident_kib / 1024, "MiB", None, "resident, at the end")
            for name, each in (("hub", hub), ("follower", follower))
        ]
    return figures


def _flush(folder: Path) -> float:
    flush = Flush(folder)
    try:
        return flush.median()
    finally:
        flush.close()


def _rooms(hub: Home, follower: Home, third: Home) -> tuple[FarRoom, FarRoom]:
    """Rooms of the hub with writers there and at a follower; in the second one somebody at a third node."""
    made = []
    for others in ((follower,), (follower, third)):
        room = found(hub, hub.devices[0])
        for at in others:
            _fill(room, at, at.devices[: WRITERS if at is follower else 1])
        room.let_in(0, [offer(hub, each) for each in hub.devices[1:WRITERS]])
        made.append(room)
    return made[0], made[1]


def _fill(room: FarRoom, at: Home, devices: Sequence[Any]) -> None:
    """The first of them lets the others in: they are claimed at their own node, and no node asks another very often."""
    room.let_in(0, [offer(at, devices[0])])
    if len(devices) > 1:
        room.let_in(len(room.places) - 1, [offer(at, each) for each in devices[1:]])


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)
