"""Whole nodes with members in one room, linked by the real network: over HTTP, and through kill −9."""

import asyncio
import signal
import socket
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from test_member_kill import Sender, invite

import mls_bytes
from hedgerow_node import clock
from member_devices import Device, b64, unb64
from member_node import member_node
from networks import eventually
from running_node import RunningNode, running_node


async def offered(device: Device, by: Device, room: str, now: int) -> tuple[str, dict[str, str]]:
    """A newcomer of another node, claimed by a member; the mailbox, and the Welcome to it."""
    ref, consent, mailbox = await device.offer(now=now, room=room)
    said = {"ref": ref, "consent": consent, "home": device.node_id}
    while (claimed := await by.ask("POST", "/key-packages/claim", said)).status == 503:
        assert claimed.kind == "waiting"
        await asyncio.sleep(0.2)
    assert claimed.status == 200, claimed.body
    assert claimed.body["mailbox"] == mailbox
    payload = b64(mls_bytes.welcome([unb64(ref)]))
    return mailbox, {"ref": ref, "payload": payload, "home": device.node_id, "mailbox": mailbox}


async def welcomed(device: Device, room: str) -> int:
    """Wait for the Welcome to a room, and acknowledge it; the seq from which the device reads."""
    waiting: list[dict[str, Any]] = []

    async def has_come() -> bool:
        waiting[:] = await device.fine("GET", "/welcomes")
        return bool(waiting)

    await eventually(has_come, "a Welcome", 30)
    (welcome,) = waiting
    assert welcome["room"] == room
    await device.fine("DELETE", f"/welcomes/{welcome['id']}")
    return int(welcome["seq"])


async def test_members_of_two_nodes_talk(tmp_path: Path) -> None:
    async with (
        member_node(tmp_path / "hub", fanout_ms=0) as hub,
        member_node(tmp_path / "home", fanout_ms=0, peers=(hub.node.address.rstrip("/"),)) as home,
    ):
        ash, birch = await hub.member(), await home.member()
        room = await ash.found()
        async with asyncio.timeout(30):
            birch.rooms[room], welcome = await offered(birch, ash, room, hub.now())
            said = ash.commit(room, epoch=0, seen=0, welcomes=[welcome])
            await ash.fine("POST", f"/rooms/{room}/log", said)
            assert await welcomed(birch, room) == 1
        at_hub, at_home = await ash.listen(), await birch.listen()
        (own,) = at_home.hello["rooms"]
        assert (own["room"], own["hub"], own["head"]["seq"]) == (room, ash.node_id, 1)
        assert "hub" not in at_hub.hello["rooms"][0]
        first = await ash.write(room, epoch=1)
        second = await birch.write(room, epoch=1)
        assert [first["seq"], second["seq"]] == [2, 3]
        assert await at_home.entries(2) == await at_hub.entries(2)
        assert await birch.log(room) == await ash.log(room)
        places = await birch.fine("GET", f"/rooms/{room}/places")
        assert places == {"hub": ash.node_id, "followers": [birch.node_id]}
        await birch.fine("POST", "/mailbox/acknowledge", {"acknowledged": [{"room": room, "seq": 3}]})


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["home", "hub"])
async def test_nothing_is_lost_when_a_node_is_killed(tmp_path: Path, killed: str) -> None:
    ports = {"hub": free_port(), "home": free_port()}
    many, kills = 120, 3
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        with ExitStack() as all_nodes:

            def start(name: str) -> tuple[ExitStack, Device]:
                peers = ["--peer", f"http://127.0.0.1:{ports['hub']}"] if name == "home" else []
                stack = all_nodes.enter_context(ExitStack())
                arguments = ("--port", str(ports[name]), "--fanout-ms", "20", *peers)
                node = stack.enter_context(running_node(tmp_path / name, *arguments))
                running[name] = node
                return stack, Device(http, f"{node.url}api/v1")

            running: dict[str, RunningNode] = {}
            (_, ash), (_, birch) = start("hub"), start("home")
            await ash.register(invite(tmp_path / "hub", 1))
            await birch.register(invite(tmp_path / "home", 1))
            room = await ash.found()
            async with asyncio.timeout(60):
                birch.rooms[room], welcome = await offered(birch, ash, room, clock.now())
                await ash.fine("POST", f"/rooms/{room}/log", ash.commit(room, epoch=0, seen=0, welcomes=[welcome]))
                assert await welcomed(birch, room) == 1
            senders = {"hub": Sender(ash, room, many), "home": Sender(birch, room, many)}
            for at in range(kills + 1):
                part = (at + 1) * many // (kills + 1)
                sending = [
                    asyncio.create_task(_send(each, lambda each=each, part=part: len(each.told) >= part))  # type: ignore[misc]
                    for each in senders.values()
                ]
                if at < kills:
                    victim = running[killed]
                    await eventually(partial(_has_told, senders[killed], part - 10), "half of it is said", 120)
                    victim.stop(signal.SIGKILL)
                    start(killed)
                async with asyncio.timeout(180):
                    await asyncio.gather(*sending)

            async def all_there() -> bool:
                return len(await birch.log(room)) == 2 * many + 1

            await eventually(all_there, "all of the log", 60)
            here, there = await ash.log(room), await birch.log(room)
            assert [each["hash"] for each in there] == [each["hash"] for each in here]
            assert [each["seq"] for each in here] == list(range(1, 2 * many + 2))
            place = {each["id"]: each["seq"] for each in here}
            for sender in senders.values():
                assert {id: place[id] for id in sender.told} == sender.told
                assert list(sender.told.values()) == sorted(sender.told.values())


async def _has_told(sender: Sender, many: int) -> bool:
    return len(sender.told) >= many


async def _send(sender: Sender, enough: object) -> None:
    """Send through everything: a node that is down, and one that cannot reach the other."""
    while not enough():  # type: ignore[operator]
        with suppress(aiohttp.ClientError, OSError):
            await sender.send(enough)  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
