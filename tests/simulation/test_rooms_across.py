"""Ten nodes and thirty rooms under every fault: one order for each room, nothing lost, nothing for outsiders, all told.

A world is known by its seed. ``python3 tests/simulation/rooms_across SEED`` runs one again and says what happened.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rooms_across.society import NODES, ROOMS_EACH, live
from rooms_across.world import REPEAT, SimulationError, World

HERE = Path(__file__).resolve().parent

FEW, MANY = 20, 1_000
"""Worlds. In the usual run, and with the slow ones."""

OF_FEW, OF_MANY = 2, 50
"""Worlds in one test, so that those who share the work get even parts."""


def chunks(begin: int, end: int, size: int) -> list[range]:
    """The seeds from ``begin`` to before ``end``, in their order."""
    return [range(at, min(end, at + size)) for at in range(begin, end, size)]


def named(seeds: range) -> str:
    """As a test is called."""
    return f"seeds {seeds[0]} to {seeds[-1]}"


USUAL = [pytest.param(each, id=named(each)) for each in chunks(0, FEW, OF_FEW)]
SLOW = [pytest.param(each, id=named(each), marks=pytest.mark.slow) for each in chunks(FEW, MANY, OF_MANY)]


@pytest.mark.parametrize("seeds", [*USUAL, *SLOW])
def test_rooms_across_nodes(seeds: range) -> None:
    for seed in seeds:
        society = live(seed)
        safety = society.world.safety
        assert (len(society.nodes), len(safety.hubs)) == (NODES, NODES * ROOMS_EACH) == (10, 30)
        # Whether there was anything to look at.
        assert sum(map(len, safety.logs.values())) > 200, seed
        assert len(safety.acknowledged) > 100, seed
        assert society.world.wires.lost > 0, seed
        assert safety.again > 0, seed
        assert safety.outsiders.letters > 1_000, seed


def test_a_failure_says_how_to_see_it_again() -> None:
    with pytest.raises(SimulationError, match=rf"^it broke \(at 0\.00 s of seed 77; again: {REPEAT} 77\)$"):
        World(77).fail("it broke")
    assert (HERE / Path(REPEAT.split()[1]).name / "__main__.py").is_file()


def test_a_seed_is_one_run_and_another_seed_another() -> None:
    """Also in a process whose sets of bytes have another order."""
    program = "from rooms_across.society import live; print(live(4).world.traced)"
    path = os.pathsep.join([str(HERE), str(HERE.parent), *sys.path])
    shown = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    here = live(4).world.traced
    assert shown.stdout.strip() == here
    assert live(5).world.traced != here
