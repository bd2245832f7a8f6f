"""``hedgerow bench network``: how fast a listing reaches everybody, how the network heals, what it costs; as JSON.

The network is simulated (docs/simulation.md): its seconds are exact and repeat from a seed, whatever this machine does.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from hedgerow_node.bench import joining, network_picture, reconciling
from hedgerow_node.bench.measure import Figure
from hedgerow_node.bench.simulation.convergence import (
    SCENARIOS,
    SPREAD_SECONDS_MAX,
    Healing,
    Spread,
    heal,
    idle_link,
    spread,
)
from hedgerow_node.memory import settle_memory

SIZES: Final = (10, 100, 1_000)
SIZES_QUICK: Final = (10, 100)
SIZES_FULL: Final = (10, 100, 1_000, 10_000)

LISTINGS: Final = {10: 40, 100: 20, 1_000: 10, 10_000: 3}
"""Listings. Published one after another in each network of so many nodes."""

IDLE_NODES: Final = 20
"""Nodes. Enough that answers with other nodes' announcements are full."""

COPIES_MAX: Final = 6.5
IDLE_KILOBYTES_MAX: Final = 500.0
HEAL_SECONDS_MAX: Final = 60.0

LIMITS: Final[dict[tuple[int, str, str], float]] = {
    (1_000, "calm", "last"): 1.5,
    (1_000, "calm", "copies"): COPIES_MAX,
    (1_000, "loss_20", "copies"): COPIES_MAX,
    (1_000, "silent_30", "copies"): COPIES_MAX,
    (1_000, "silent_50_loss_10", "copies"): COPIES_MAX,
    (1_000, "silent_50_loss_10", "p99"): 3.0,
    (1_000, "silent_50_loss_10", "last"): 120.0,
}
"""What was promised, by nodes, scenario and what."""


def run(
    *, quick: bool = False, full: bool = False, nodes: int | None = None, seed: int = 1, picture: Path | None = None
) -> int:
    """Measure and print one JSON object. Takes about a minute quick, some ten by default, hours full."""
    report, spreads = measure(quick=quick, full=full, nodes=nodes, seed=seed)
    print(json.dumps(report, indent=2))
    if picture is not None:
        most = max(each.nodes for each in spreads if each.nodes <= SIZES[-1] or nodes)
        picture.write_text(network_picture.draw([each for each in spreads if each.nodes == most]), encoding="utf-8")
    return 0


def measure(
    *, quick: bool = False, full: bool = False, nodes: int | None = None, seed: int = 1
) -> tuple[dict[str, Any], list[Spread]]:
    """The report, and what it was made from."""
    settle_memory()
    sizes = (nodes,) if nodes else SIZES_QUICK if quick else SIZES_FULL if full else SIZES
    spreads = list(_spreads(seed, sizes))
    repeat = _repeat(seed, max(sizes))
    parted, records = (40, 100) if quick else (1_000, 500) if full else (100, 500)
    healing = heal(seed, parted, records, repeat=repeat)
    idle = idle_link(seed, IDLE_NODES, 7_200.0 if quick else 86_400.0, repeat=repeat)
    folder = Path(tempfile.mkdtemp(prefix="hedgerow-bench-"))
    try:
        joined = joining.figures(folder, joining.SIZE_QUICK if quick else joining.SIZE)
    finally:
        shutil.rmtree(folder)
    figures = [
        *(figure for each in spreads for figure in _figures(each)),
        *_healing_figures(healing),
        Figure("idle_link_day", idle, "kB", IDLE_KILOBYTES_MAX, "payload of one link, both ways"),
        *reconciling.figures(quick=quick, full=full),
        *joined,
    ]
    report = {
        "about": "simulated seconds; delays of 80 ms (median, lognormal, sigma 0.6); repeats from the seed",
        "python": sys.version.split()[0],
        "seed": seed,
        "sizes": list(sizes),
        "holds": all(each.limit is None or each.ratio <= each.limit for each in figures),
        "table": [_row(each) for each in spreads],
        "figures": [each.as_json() for each in figures],
    }
    return report, spreads


def _repeat(seed: int, nodes: int) -> str:
    return f"hedgerow bench network --seed {seed} --nodes {nodes}"


def _spreads(seed: int, sizes: Iterable[int]) -> Iterable[Spread]:
    for size in sizes:
        for scenario in SCENARIOS:
            begin = time.monotonic()
            found = spread(seed, size, scenario, _listings(size), repeat=_repeat(seed, size))
            took = time.monotonic() - begin
            print(f"{size} nodes, {scenario.words}: {took:.0f} s", file=sys.stderr)
            yield found


def _listings(size: int) -> int:
    return next((LISTINGS[each] for each in sorted(LISTINGS, reverse=True) if size >= each), 40)


def _row(each: Spread) -> dict[str, Any]:
    """One line of the table."""
    return {
        "nodes": each.nodes,
        "scenario": each.scenario.words,
        "p50_s": round(each.p50, 3),
        "p99_s": round(each.p99, 3),
        "p99_worst_s": round(each.p99_worst, 3),
        "last_s": round(each.last, 3),
        "missing": each.missing,
        "copies": round(each.copies, 2),
        "kilobytes": round(each.kilobytes, 2),
        "listings": each.listings,
    }


def _figures(each: Spread) -> Sequence[Figure]:
    def figure(what: str, value: float, unit: str) -> Figure:
        name = f"{what}_{each.nodes}_{each.scenario.key}"
        return Figure(name, value, unit, LIMITS.get((each.nodes, each.scenario.key, what)), each.scenario.words)

    return (
        figure("p99", each.p99, "s"),
        figure("last", each.last if not each.missing else SPREAD_SECONDS_MAX, "s"),
        figure("copies", each.copies, "copies"),
        figure("kilobytes", each.kilobytes, "kB"),
    )


def _healing_figures(healing: Healing) -> Sequence[Figure]:
    about = f"{healing.nodes} nodes in halves, {healing.records} new records on each side"
    return (
        Figure("heal", healing.complete, "s", HEAL_SECONDS_MAX, f"{about}; from the first link across"),
        Figure("heal_first_link", healing.first_link, "s", None, about),
        Figure("heal_reconciling", healing.reconciling_kilobytes, "kB", None, "a node, beside records"),
        Figure("heal_records", healing.records_kilobytes, "kB", None, "a node"),
    )
