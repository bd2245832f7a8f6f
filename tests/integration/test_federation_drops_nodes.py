"""Whole nodes on this machine that are never up together, and a third that keeps what they leave for each other."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from test_federation_nodes import welcomed

import mls_bytes
from hedgerow_node import clock
from hedgerow_node.app import running_node
from hedgerow_node.config import Config
from hedgerow_node.federation import holders, service
from hedgerow_node.federation.holders import Pace
from hedgerow_node.store.private.opening import DATABASE
from member_devices import Device, b64, unb64
from member_node import MemberNode
from networks import eventually
from post_offices import free_port

QUICK = Pace(after=0.0, soon=0.0, look=0.2, fetch=0.5, link=60.0)


@asynccontextmanager
async def up(data: Path, port: int, *, know: MemberNode | None = None, **settings: Any) -> AsyncIterator[MemberNode]:
    """A node; ``know``: whose announcement has reached it, as gossip brings it within half a minute."""
    async with (
        running_node(Config(data=data, port=port, fanout_ms=0, **settings), version="test") as node,
        aiohttp.ClientSession() as http,
    ):
        if know is not None:
            current = know.node.network.announcer.current
            assert current is not None
            await node.directory.accept([current.envelope], now=clock.now())
        yield MemberNode(node, http)


def lies_for(holder: Path, who: str) -> int:
    """Drops for a node."""
    with closing(sqlite3.connect(f"file:{holder / DATABASE}?mode=ro", uri=True)) as store:
        query = "SELECT count(*) FROM deposit WHERE destination = ?"
        return int(store.execute(query, (unb64(who),)).fetchone()[0])


def newest_for(holder: Path, who: str) -> int:
    """The number of the newest drop for a node."""
    with closing(sqlite3.connect(f"file:{holder / DATABASE}?mode=ro", uri=True)) as store:
        query = "SELECT coalesce(max(id), 0) FROM deposit WHERE destination = ?"
        return int(store.execute(query, (unb64(who),)).fetchone()[0])


async def has_come_and_gone(holder: Path, here: str, there: str) -> None:
    """Wait until a node has taken what lay for it, and has left something for the other one."""

    async def both() -> bool:
        return lies_for(holder, here) == 0 and lies_for(holder, there) > 0

    await eventually(both, "it was fetched, and answered", 60)


async def asked_in_vain(device: Device, path: str, body: Any, holder: Path, there: str) -> None:
    """A device asks; what it asked lies with the holder before the node of the other one is up."""
    before = newest_for(holder, there)
    task = asyncio.create_task(device.ask("POST", path, body))
    try:

        async def lies() -> bool:
            return newest_for(holder, there) > before

        await eventually(lies, "it lies with the holder", 60)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_members_of_nodes_that_never_meet_talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "Pace", lambda: QUICK)
    monkeypatch.setattr(holders, "FEW_SECONDS", 0.1)
    ports = {name: free_port() for name in ("holder", "hub", "home")}
    holder = tmp_path / "holder"
    url = f"http://127.0.0.1:{ports['holder']}"
    async with up(holder, ports["holder"], announce=url) as relay:

        def start(name: str) -> Any:
            return up(tmp_path / name, ports[name], know=relay, peers=(url,))

        async with aiohttp.ClientSession() as http:
            async with start("home") as home:
                birch = Device(http, home.api)
                await birch.register(await home.link())
            async with start("hub") as hub:
                ash = Device(http, hub.api)
                await ash.register(await hub.link())
                room = await ash.found()
            async with start("home"):
                ref, consent, mailbox = await birch.offer(now=clock.now(), room=room)
            claim = {"ref": ref, "consent": consent, "home": birch.node_id}
            async with start("hub"):
                await asked_in_vain(ash, "/key-packages/claim", claim, holder, birch.node_id)
            async with start("home"):
                await has_come_and_gone(holder, birch.node_id, ash.node_id)
            async with start("hub"):
                claimed = await ash.fine("POST", "/key-packages/claim", claim)
                assert claimed["mailbox"] == mailbox
                payload = b64(mls_bytes.welcome([unb64(ref)]))
                welcome = {"ref": ref, "payload": payload, "home": birch.node_id, "mailbox": mailbox}
                said = ash.commit(room, epoch=0, seen=0, welcomes=[welcome])
                await ash.fine("POST", f"/rooms/{room}/log", said)
                await has_come_and_gone(holder, ash.node_id, birch.node_id)
            birch.rooms[room] = mailbox
            async with start("home"):
                await has_come_and_gone(holder, birch.node_id, ash.node_id)
            async with start("hub"):
                await has_come_and_gone(holder, ash.node_id, birch.node_id)
            async with start("home"):
                assert await welcomed(birch, room) == 1
                await has_come_and_gone(holder, birch.node_id, ash.node_id)
                message = birch.message(room, epoch=1)
                await asked_in_vain(birch, f"/rooms/{room}/log", message, holder, ash.node_id)
            async with start("hub"):

                async def has_come() -> bool:
                    return [each["seq"] for each in await ash.log(room)] == [1, 2]

                await eventually(has_come, "the message at the hub", 60)
