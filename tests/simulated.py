"""Simulated societies for the tests; a failing run says which test and seed to repeat."""

import os
from collections.abc import Callable
from typing import Any

from hedgerow_node.bench.simulation.node import USUAL, Character, Node
from hedgerow_node.bench.simulation.society import Society, gather
from hedgerow_node.bench.simulation.weather import CALM, Weather
from hedgerow_node.bench.simulation.world import World

Characters = Callable[[int], Character]

FORM_SECONDS = 60.0


def make_world(seed: int, weather: Weather = CALM, *, every: int = 50) -> World:
    """A world of this test."""
    return World(seed, weather, repeat=os.environ.get("PYTEST_CURRENT_TEST", ""), check_every=every)


def formed(
    seed: int,
    count: int,
    *,
    weather: Weather = CALM,
    characters: Characters = lambda _number: USUAL,
    seconds: float = FORM_SECONDS,
    every: int = 50,
    **more: Any,
) -> Society:
    """A society whose network has formed."""
    society = gather(make_world(seed, weather, every=every), count, characters=characters, **more)
    society.world.run(seconds)
    return society


def some(share: float, character: Character, *, seed: int = 1, count: int = 1_000) -> Characters:
    """This share of the nodes has this character, the first one never."""
    import random

    chosen = set(random.Random(seed).sample(range(1, count), int(share * count)))
    return lambda number: character if number in chosen else USUAL


def look_at_all(society: Society) -> None:
    """Check everything inside every honest node."""
    for node in society.honest:
        society.world.safety.look(node)


def mesh_of(node: Node) -> set[bytes]:
    """The peers in a node's mesh."""
    return {bytes(each.peer) for each in node.machine.state.mesh()}  # type: ignore[attr-defined]
