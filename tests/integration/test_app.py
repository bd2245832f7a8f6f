"""A node put together in this process: it starts, answers, and leaves nothing behind."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from hedgerow_node import app
from hedgerow_node.config import Config
from hedgerow_node.directory.door import open_door
from hedgerow_node.directory.door_control import ControlError, call
from hedgerow_node.directory.door_folder import FolderBusyError, FolderLock
from hedgerow_node.directory.publishing_form import listing_from_fields


async def test_a_node_starts_answers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "data", port=0)
    before = set(asyncio.all_tasks())
    async with app.running_node(config, version="test") as node, aiohttp.ClientSession() as session:
        async with session.get(node.address + "api/v1/status") as answer:
            status = await answer.json()
        assert status["version"] == "test"
        assert (await call(config.control_socket, "GET", "/status"))["node_id"] == status["node_id"]
        with pytest.raises(FolderBusyError):
            FolderLock(config).take()
        async with open_door(config) as door:
            assert door.through_node
    assert not config.control_socket.exists()
    with FolderLock(config):
        pass
    await asyncio.sleep(0)
    assert set(asyncio.all_tasks()) <= before


async def test_the_control_socket_refuses_what_is_no_batch(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "data", port=0)
    async with app.running_node(config, version="test"):
        for body in (b"", b"hello", b"\x91\x01"):
            with pytest.raises(ControlError):
                await call(config.control_socket, "POST", "/accept", body)
        with pytest.raises(ControlError):
            await call(config.control_socket, "GET", "/nothing")
        answer = await call(config.control_socket, "POST", "/accept", b"\x91\xc4\x01x")
        assert answer["outcomes"][0]["outcome"] == "refused"
    with pytest.raises(OSError, match="listens"):
        await call(config.control_socket, "GET", "/status")


async def test_a_node_that_cannot_start_lets_everything_go(tmp_path: Path) -> None:
    first = Config(data=tmp_path / "one", port=0)
    async with app.running_node(first, version="test") as node:
        taken = int(node.street.addresses[0].rpartition(":")[2])
        second = Config(data=tmp_path / "two", port=taken)
        with pytest.raises(OSError, match="address already in use"):
            async with app.running_node(second, version="test"):
                pass
        with FolderLock(second):
            pass


async def test_two_commands_at_once_take_turns(tmp_path: Path) -> None:
    from hedgerow_node import clock
    from hedgerow_node.directory.publishing import publish_with_directory_key

    config = Config(data=tmp_path / "data")
    content = listing_from_fields({"name": "Quiet evening"})

    async def publish() -> None:
        async with open_door(config) as door:
            await publish_with_directory_key(door, config, content, clock.now())

    await asyncio.gather(*(publish() for _ in range(4)))
    async with open_door(config) as door:
        assert (await door.directory.status(now=clock.now())).listings == 4
