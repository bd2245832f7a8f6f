"""Nodes in processes of their own: killed at any moment, they come back with everything that was acknowledged."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hedgerow_node import clock
from hedgerow_node.bench.listings import Maker
from hedgerow_node.config import Config
from hedgerow_node.directory.door import open_door
from hedgerow_node.directory.publishing import publish_with_directory_key
from hedgerow_node.directory.publishing_form import listing_from_fields
from hedgerow_node.directory.service import Directory
from nginx_server import free_port
from running_node import RunningNode, running_node


def wait_for(node: RunningNode, many: int, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while node.get("api/v1/status")["listings"] < many:
        assert time.monotonic() < deadline, f"only {node.get('api/v1/status')['listings']} of {many} listings came"
        time.sleep(0.05)


def wait_for_agreement(*nodes: RunningNode, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while len({each.get("api/v1/status")["state_hash"] for each in nodes}) > 1:
        assert time.monotonic() < deadline, "the nodes do not agree"
        time.sleep(0.05)


async def _publish(data: Path, name: str) -> None:
    config = Config(data=data)
    async with open_door(config) as door:
        assert door.through_node
        await publish_with_directory_key(door, config, listing_from_fields({"name": name}), clock.now())


def publish(data: Path, name: str) -> None:
    asyncio.run(_publish(data, name))


def test_a_middle_node_is_killed_while_listings_pass_through_it(tmp_path: Path) -> None:
    port = free_port()
    with running_node(tmp_path / "a") as first:
        # A port of its own, so that the last node finds it again.
        middle = ("--port", str(port), "--peer", first.url.rstrip("/"))
        last = ("--peer", f"http://127.0.0.1:{port}")
        with running_node(tmp_path / "c", *last) as third:
            with running_node(tmp_path / "b", *middle) as second:
                publish(tmp_path / "a", "Before")
                wait_for(third, 1)
                for number in range(10):
                    publish(tmp_path / "a", f"Listing {number}")
                second.process.kill()
                second.process.wait(20)
            publish(tmp_path / "a", "While it was dead")
            with running_node(tmp_path / "b", *middle) as second:
                wait_for(second, 12)
                wait_for(third, 12)
                wait_for_agreement(first, second, third)
                # And the one that published is killed right after the acknowledgement.
                publish(tmp_path / "a", "Last words")
                first.process.kill()
                first.process.wait(20)
                with running_node(tmp_path / "a", "--peer", f"http://127.0.0.1:{port}") as again:
                    assert again.get("api/v1/status")["listings"] == 13
                    wait_for(third, 13)
                    wait_for_agreement(again, second, third)


HELD = 1_500
"""Listings one side has and the other lacks: some twenty messages, judged in half a second or two."""


async def _fill(data: Path) -> None:
    directory = Directory.open(Config(data=data).database_file)
    try:
        await directory.accept(list(Maker(3, clock.now()).envelopes(HELD)), now=clock.now())
    finally:
        await directory.close()


class Pair:
    """Two nodes that know each other; either can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folders = (folder / "a", folder / "b")
        self.ports = (free_port(), free_port())
        self.stacks = (ExitStack(), ExitStack())
        self.nodes: dict[int, RunningNode] = {}

    def start(self, which: int) -> None:
        peer = f"http://127.0.0.1:{self.ports[1 - which]}"
        arguments = ("--port", str(self.ports[which]), "--peer", peer)
        self.nodes[which] = self.stacks[which].enter_context(running_node(self.folders[which], *arguments))

    def kill(self, which: int) -> None:
        self.nodes[which].process.kill()
        self.nodes[which].process.wait(20)
        self.stacks[which].close()

    def held(self, which: int) -> int:
        """Listings a node shows."""
        return int(self.nodes[which].get("api/v1/status")["listings"])


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """The first has many listings, the second none yet."""
    pair = Pair(tmp_path)
    pair.folders[0].mkdir()
    asyncio.run(_fill(pair.folders[0]))
    try:
        yield pair
    finally:
        for stack in pair.stacks:
            stack.close()


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_either_is_killed_at_any_moment_of_a_large_reconciliation(pair: Pair, seed: int) -> None:
    """What was acknowledged, by a node's own command line or by having been shown, is there after every restart."""
    choose = random.Random(seed)
    pair.start(0)
    pair.start(1)
    published, shown = 0, [HELD, 0]
    for _ in range(4):
        which = choose.randrange(2)
        # A moment told by what has come, not by the clock, so that it falls between the first message and the last.
        wait_for(pair.nodes[1], min(HELD, shown[1] + choose.randrange(400)))
        publish(pair.folders[which], f"Listing {published}")
        published += 1
        shown[which] = max(shown[which], pair.held(which))
        pair.kill(which)
        pair.start(which)
        assert pair.held(which) >= shown[which]
    for which in (0, 1):
        wait_for(pair.nodes[which], HELD + published, 60)
        assert pair.held(which) == HELD + published
    wait_for_agreement(*pair.nodes.values())
