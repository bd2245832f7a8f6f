"""kill −9 of a node in the middle of a thousand sends: what was acknowledged is there, once and in order."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from member_devices import Device, Ear
from running_node import environment, running_node

SENDS = 1_000
IN_FLIGHT = 16
KILLS = 3


def invite(data: Path, uses: int) -> str:
    """Ask the running node for a link, as a keeper does."""
    command = [sys.executable, "-m", "hedgerow_node", "invite", "--data", str(data), "--json", "--uses", str(uses)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    assert ran.returncode == 0, ran.stderr
    made = json.loads(ran.stdout)
    assert set(made) == {"url", "expires", "uses"}
    return str(made["url"])


class Sender:
    """Sends a given list of messages, each until it is acknowledged, and remembers what it was told."""

    def __init__(self, device: Device, room: str, many: int) -> None:
        self.device, self.room = device, room
        self.waiting = [device.message(room, epoch=1) for _ in range(many)]
        self.told: dict[str, int] = {}

    async def send(self, enough: Callable[[], bool]) -> None:
        """Send what waits until there is nothing left, or the node is gone."""
        while self.waiting and not enough():
            said = self.waiting[0]
            answer = await self.device.ask("POST", f"/rooms/{self.room}/log", said)
            if answer.status in (429, 503):
                await asyncio.sleep(float(answer.headers["Retry-After"]))
                continue
            assert answer.status == 200, answer.body
            self.told[said["id"]] = answer.body["seq"]
            self.waiting.pop(0)


async def listen_through(device: Device, found: dict[int, str], room: str) -> None:
    """A client as it should be: hear, and read from the log what was missed, until the connection ends."""
    with suppress(aiohttp.ClientError, AssertionError, OSError):
        ear: Ear = await device.listen()
        last = max(found, default=0)
        for each in await device.log(room, after=last):
            found[each["seq"]] = each["id"]
        while True:
            for each in (await ear.frame(60)).get("entries", []):
                if each["seq"] == max(found, default=0) + 1:
                    found[each["seq"]] = each["id"]
                else:
                    assert found.get(each["seq"], each["id"]) == each["id"], "one number, two entries"


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
async def test_nothing_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    data = tmp_path / "data"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        with running_node(data) as node:
            people = [Device(http, f"{node.url}api/v1") for _ in range(IN_FLIGHT + 2)]
            link = invite(data, len(people))
            for each in people:
                await each.register(link)
            founder, *others = people
            room = await founder.found()
            now = (await founder.write(room))["time"]
            for number, each in enumerate(others):
                await founder.let_in(room, each, now=now, epoch=number, seen=number + 1)
            node.stop(signal.SIGTERM)
        before = len(others) + 1
        senders = [Sender(each, room, SENDS // IN_FLIGHT) for each in others[:IN_FLIGHT]]
        listeners = [founder, others[-1]]
        heard: list[dict[int, str]] = [{}, {}]
        for kill in range(KILLS + 1):
            await one_life(data, senders, listeners, heard, room, kill, seed)
        with running_node(data) as node:
            for each in people:
                each.api = f"{node.url}api/v1"
            log = await founder.log(room)
            for found, device in zip(heard, listeners, strict=True):
                for each in await device.log(room, after=max(found, default=0)):
                    found[each["seq"]] = each["id"]
    check(senders, heard, log, before)


async def one_life(
    data: Path,
    senders: list[Sender],
    listeners: list[Device],
    heard: list[dict[int, str]],
    room: str,
    kill: int,
    seed: int,
) -> None:
    """Run the node until so many were acknowledged, then kill it; the last life sends the rest."""
    enough = SENDS * (kill + 1) // (KILLS + 1) - 37 * seed if kill < KILLS else SENDS * 2
    with running_node(data) as node:
        for each in (*listeners, *(sender.device for sender in senders)):
            each.api = f"{node.url}api/v1"

        def is_enough() -> bool:
            if sum(len(each.told) for each in senders) >= enough and node.process.poll() is None:
                node.process.send_signal(signal.SIGKILL)  # while others are being written
            return False

        listening = [
            asyncio.create_task(listen_through(device, found, room))
            for device, found in zip(listeners, heard, strict=True)
        ]
        sending = [asyncio.create_task(each.send(is_enough)) for each in senders]
        ended = await asyncio.gather(*sending, return_exceptions=True)
        if kill < KILLS:
            assert node.process.wait(30) == -signal.SIGKILL
            assert all(isinstance(each, aiohttp.ClientError | OSError) for each in ended if each is not None), ended
        else:
            assert ended == [None] * len(senders)
            node.stop(signal.SIGTERM)
        await asyncio.wait(listening, timeout=30)
        for each in listening:
            each.cancel()


def check(senders: list[Sender], heard: list[dict[int, str]], log: list[Any], before: int) -> None:
    """Every acknowledged message is in the log once, at the number that was told, and every reader has that log."""
    ids = [each["id"] for each in log]
    assert [each["seq"] for each in log] == list(range(1, len(log) + 1)), "no gap"
    assert len(set(ids)) == len(ids), "nothing twice"
    by_id = {each["id"]: each["seq"] for each in log}
    for sender in senders:
        assert not sender.waiting
        for name, seq in sender.told.items():
            assert by_id[name] == seq
        places = [by_id[name] for name in sender.told]
        assert places == sorted(places), "in the order in which it was sent"
    assert len(log) == before + sum(len(each.told) for each in senders)
    for found in heard:
        begin = min(found)
        assert [found[seq] for seq in range(begin, len(log) + 1)] == ids[begin - 1 :]
