"""Nodes in processes of their own: killed at any moment, they come back with everything that was acknowledged."""

import asyncio
import time
from pathlib import Path

from hedgerow_node import clock
from hedgerow_node.config import Config
from hedgerow_node.directory.door import open_door
from hedgerow_node.directory.publishing import publish_with_directory_key
from hedgerow_node.directory.publishing_form import listing_from_fields
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
