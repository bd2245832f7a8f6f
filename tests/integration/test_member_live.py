"""The live socket on a real node: in order and without gaps, whatever else goes on, and never at others' expense."""

import asyncio
import json
import os
import socket as sockets
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hedgerow_node.http import bounds
from hedgerow_node.http.member.acknowledging import Acknowledgements
from hedgerow_node.http.member.lines import Lines
from hedgerow_node.store.private.values import Session
from hedgerow_protocol.delivery.values import AccountKey, DeviceId, RoomId
from integration.test_member_kill import invite
from member_devices import Device, b64
from member_node import MemberNode, member_node
from running_node import running_node


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[MemberNode]:
    async with member_node(tmp_path / "data") as node:
        yield node


def lift_pace(at: MemberNode) -> None:
    """Let devices send as fast as they can: what is tested here is what comes after."""
    for each in (at.desk.pace.requests, at.desk.pace.sent):
        each._per_second = each._burst = 1e12


async def room_of(at: MemberNode, many: int) -> tuple[str, list[Device]]:
    """A room with so many devices in it, of different people."""
    first = await at.member()
    room = await first.found()
    devices = [first]
    for number in range(many - 1):
        newcomer = await at.member()
        await first.let_in(room, newcomer, now=at.now(), epoch=number, seen=number)
        devices.append(newcomer)
    return room, devices


async def deaf(at: MemberNode, device: Device) -> sockets.socket:
    """A live socket of a client that says its token and then reads nothing, with the smallest of buffers."""
    return await deaf_at(at.node.street.addresses[0], device)


async def deaf_at(address: str, device: Device) -> sockets.socket:
    """The same at a web address without a path."""
    host, _, port = address.removeprefix("http://").partition(":")
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, (host, int(port)))
    head = "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    await loop.sock_sendall(raw, head.encode())
    payload = json.dumps({"token": b64(device.token)}).encode()
    await loop.sock_sendall(raw, bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload)
    return raw


async def inside(at: MemberNode, many: int) -> None:
    """Wait until so many receivers hear what happens."""
    receivers = at.desk.receivers
    for _ in range(400):
        if receivers.many == many and not receivers.entering:
            return
        await asyncio.sleep(0.02)
    raise AssertionError((receivers.many, len(receivers.entering)))


async def test_everybody_hears_everything_once_and_in_order(at: MemberNode) -> None:
    lift_pace(at)
    room, devices = await room_of(at, 6)
    ears = [await each.listen() for each in devices]
    await asyncio.gather(*(device.write(room, epoch=5) for device in devices for _ in range(25)))
    expected = list(range(6, 6 + 150))
    for ear in ears:
        heard = await ear.entries(150)
        assert [each["seq"] for each in heard] == expected
    log = await devices[0].log(room)
    heard_last = {each["seq"]: each["hash"] for each in heard}
    assert {each["seq"]: each["hash"] for each in log if each["seq"] > 5} == heard_last
    for ear in ears:
        await ear.socket.close()
    await inside(at, 0)
    assert at.desk.receivers.rooms == {}
    assert at.desk.receivers.devices == {}
    assert at.desk.receivers.accounts == {}


async def test_frames_that_come_together_are_joined(at: MemberNode) -> None:
    lift_pace(at)
    room, devices = await room_of(at, 2)
    ear = await devices[1].listen()
    await asyncio.gather(*(devices[0].write(room, epoch=1) for _ in range(64)))
    frames = []
    while sum(len(each["entries"]) for each in frames) < 64:
        frames.append(await ear.frame())
    assert len(frames) < 40, "under load, several entries share a frame"
    await ear.socket.close()


async def test_who_comes_in_the_middle_misses_nothing(at: MemberNode) -> None:
    """hello says where the log stands; from there on every seq comes, though others write all the while."""
    lift_pace(at)
    room, (writer, reader) = await room_of(at, 2)
    stop = asyncio.Event()

    async def write() -> int:
        last = 0
        while not stop.is_set():
            last = (await writer.write(room, epoch=1))["seq"]
        return last

    writing = [asyncio.create_task(write()) for _ in range(4)]
    for _ in range(15):
        ear = await reader.listen()
        (stands,) = (each["head"]["seq"] for each in ear.hello["rooms"] if each["room"] == room)
        heard = [each["seq"] for each in await ear.entries(20)]
        fresh = [seq for seq in heard if seq > stands]
        assert fresh == list(range(stands + 1, stands + 1 + len(fresh))), (stands, heard)
        await ear.socket.close()
    stop.set()
    last = max(await asyncio.gather(*writing))
    assert [each["seq"] for each in await reader.log(room)] == list(range(1, last + 1))


async def test_away_and_back(at: MemberNode) -> None:
    room, (writer, reader) = await room_of(at, 2)
    ear = await reader.listen()
    await writer.write(room, epoch=1)
    (first,) = await ear.entries(1)
    await ear.socket.close()
    for _ in range(5):
        await writer.write(room, epoch=1)
    ear = await reader.listen()
    (state,) = ear.hello["rooms"]
    caught_up = await reader.log(room, after=first["seq"])
    assert [each["seq"] for each in caught_up] == list(range(first["seq"] + 1, state["head"]["seq"] + 1))
    await writer.write(room, epoch=1)
    (next,) = await ear.entries(1)
    assert next["seq"] == state["head"]["seq"] + 1
    await ear.socket.close()


async def test_several_rooms_at_once(at: MemberNode) -> None:
    lift_pace(at)
    ash, birch, cedar = [await at.member() for _ in range(3)]
    rooms = [await ash.found() for _ in range(3)]
    for room, others in zip(rooms, ([birch], [birch, cedar], [cedar]), strict=True):
        for number, other in enumerate(others):
            await ash.let_in(room, other, now=at.now(), epoch=number, seen=number)
    ears = {device.id: await device.listen() for device in (ash, birch, cedar)}
    await asyncio.gather(*(ash.write(room, epoch=2) for room in rooms for _ in range(20)))
    for device, count in ((ash, 60), (birch, 40), (cedar, 40)):
        heard = await ears[device.id].entries(count)
        for room in device.rooms:
            seqs = [each["seq"] for each in heard if each["room"] == room]
            assert seqs == list(range(seqs[0], seqs[0] + 20)), "in order within each room"
        assert {each["room"] for each in heard} == set(device.rooms), "and nothing of other rooms"
        await ears[device.id].ping()
        await ears[device.id].socket.close()


async def test_who_does_not_read_is_let_go_and_the_others_hear_on(at: MemberNode) -> None:
    lift_pace(at)
    room, devices = await room_of(at, 4)
    silent = await deaf(at, devices[-1])
    await inside(at, 1)
    ears = [await each.listen() for each in devices[:-1]]
    lines = at.desk.receivers.lines
    written = 0
    while lines.slow == 0:
        assert written < 400, "it was never let go"
        await devices[0].write(room, epoch=3, size=60_000)
        written += 1
        waiting = sum(each.transport.get_write_buffer_size() for each in lines.behind)
        assert waiting <= bounds.LIVE_QUEUE_BYTES_MAX + bounds.LIVE_FRAME_BYTES_MAX, "memory is bounded"
    for ear in ears:
        heard = await ear.entries(written)
        assert [each["seq"] for each in heard] == list(range(4, 4 + written))
        await ear.ping()
    silent.close()
    # What it missed is in the log.
    assert len(await devices[-1].log(room)) == 1 + written, "from the commit that let it in"
    for ear in ears:
        await ear.socket.close()
    await inside(at, 0)


async def test_who_reads_again_is_told_why_it_was_let_go(at: MemberNode) -> None:
    lift_pace(at)
    room, (writer, reader) = await room_of(at, 2)
    silent = await deaf(at, reader)
    await inside(at, 1)
    while at.desk.receivers.lines.slow == 0:
        await writer.write(room, epoch=1, size=60_000)
    loop = asyncio.get_running_loop()
    last = b""
    async with asyncio.timeout(20):
        while data := await loop.sock_recv(silent, 1 << 20):
            last = (last + data)[-4:]
    silent.close()
    assert last == bytes((0x88, 2)) + (4408).to_bytes(2), "the last frame closes with 4408"


async def test_all_queues_together_have_a_bound(at: MemberNode) -> None:
    lift_pace(at)
    room, devices = await room_of(at, 5)
    at.desk.receivers.lines = lines = Lines(queue_max=10 * 1024 * 1024, queues_max=2 * 1024 * 1024)
    silent = [await deaf(at, each) for each in devices[1:]]
    await inside(at, 4)
    for _ in range(100):
        await devices[0].write(room, epoch=4, size=60_000)
        waiting = sum(each.transport.get_write_buffer_size() for each in lines.behind)
        assert waiting <= lines.queues_max
    assert lines.slow > 0
    for each in silent:
        each.close()


async def test_a_flood_is_slowed_and_readers_are_not_cut(at: MemberNode) -> None:
    """A sender that never waits for readers is held; a reader that reads, however slowly it began, stays."""
    lift_pace(at)
    room, (writer, reader) = await room_of(at, 2)
    ear = await reader.listen()
    many = 300

    async def flood() -> None:
        for _ in range(0, many, 4):
            await asyncio.gather(*(writer.write(room, epoch=1, size=60_000) for _ in range(4)))

    flooding = asyncio.create_task(flood())
    heard = await ear.entries(many)
    await flooding
    assert [each["seq"] for each in heard] == list(range(2, 2 + many))
    assert at.desk.receivers.lines.slow == 0
    await ear.socket.close()


async def test_one_device_may_not_ask_without_end(at: MemberNode) -> None:
    writer = await at.member()
    reader = await at.member()
    room = await writer.found()
    requests = at.desk.pace.requests
    requests._burst = 20.0
    requests._buckets.clear()
    answers = await asyncio.gather(
        *(writer.ask("POST", f"/rooms/{room}/log", writer.message(room)) for _ in range(300))
    )
    refused = [each for each in answers if each.status == 429]
    assert refused, "a flood is told to come back later"
    assert {each.kind for each in refused} == {"slow-down"}
    assert all(int(each.headers["Retry-After"]) >= 1 for each in refused)
    accepted = [each for each in answers if each.status == 200]
    assert len(await reader_log(writer, room)) == len(accepted)
    assert (await reader.ask("GET", "/mailbox")).status == 200, "another device is not made to wait"


async def reader_log(device: Device, room: str) -> list[Any]:
    """The log, asked for patiently."""
    while True:
        answer = await device.ask("GET", f"/rooms/{room}/log?limit=500")
        if answer.status == 200:
            entries: list[Any] = answer.body["entries"]
            return entries
        await asyncio.sleep(float(answer.headers["Retry-After"]))


async def test_what_is_too_large_is_only_named(at: MemberNode) -> None:
    room, (ash, birch) = await room_of(at, 2)
    ear = await birch.listen()
    said = ash.commit(room, epoch=1, seen=1, size=200_000)
    accepted = await ash.fine("POST", f"/rooms/{room}/log", said)
    frame = await ear.frame()
    (head,) = frame["heads"]
    assert (head["room"], head["seq"], head["hash"]) == (room, accepted["seq"], accepted["hash"])
    (entry,) = await birch.log(room, after=1)
    assert entry["payload"] == said["payload"]
    await ash.write(room, epoch=2)
    assert [each["seq"] for each in await ear.entries(1)] == [3]
    await ear.socket.close()


async def test_the_oldest_socket_of_a_device_makes_room(at: MemberNode) -> None:
    ash = await at.member()
    ears = [await ash.listen() for _ in range(bounds.LIVE_SOCKETS_PER_DEVICE_MAX + 1)]
    assert await ears[0].closed() == 4429
    for ear in ears[1:]:
        await ear.ping()
        await ear.socket.close()


async def test_an_account_has_so_many_sockets(at: MemberNode) -> None:
    ash = await at.member()
    at.desk.receivers.per_account_max = 2
    one, two = await ash.listen(), await ash.listen()
    socket = await ash.http.ws_connect(f"{ash.api}/live")
    await socket.send_json({"token": b64(ash.token)})
    await socket.receive(timeout=20)
    assert socket.close_code == 4429
    for ear in (one, two):
        await ear.ping()
        await ear.socket.close()


async def test_a_socket_that_says_nothing_is_closed(at: MemberNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LIVE_TOKEN_SECONDS_MAX", 0.2)
    socket = await at.http.ws_connect(f"{at.api}/live")
    await socket.receive(timeout=20)
    assert socket.close_code == 4401
    assert at.desk.receivers.many == 0


async def test_a_client_that_is_gone_without_a_word_is_noticed(at: MemberNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LIVE_PING_SECONDS", 0.5)
    ash = await at.member()
    silent = await deaf(at, ash)  # it never answers a ping
    await inside(at, 1)
    await inside(at, 0)
    silent.close()


async def test_too_many_frames(at: MemberNode) -> None:
    ash = await at.member()
    ear = await ash.listen()
    for _ in range(int(bounds.LIVE_FRAMES_BURST) + 50):
        await ear.socket.send_json({"ping": 1})
    assert await ear.closed() == 4429


async def test_the_node_says_goodbye(tmp_path: Path) -> None:
    async with member_node(tmp_path / "data") as at:
        ash = await at.member()
        room = await ash.found()
        ear = await ash.listen()
        await ash.write(room)
        await ear.entries(1)
        await ear.socket.send_json({"acknowledge": [[room, 1]]})
        await ear.ping()
        closing = asyncio.create_task(at.node.street.close())
        assert await ear.closed() == 1001
        await closing
        (state,) = (await at.desk.delivery.overview(await session(at, ash))).rooms
        assert state.acknowledged == 1, "what was acknowledged is written before the end"


async def test_many_acknowledgements_are_written_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is not written yet when the node stops is written then."""
    monkeypatch.setattr(bounds, "ACKNOWLEDGEMENTS_TOGETHER_MAX", 10)
    written: list[list[int]] = []
    held = asyncio.Event()

    async def write(acknowledged: Sequence[tuple[Session, RoomId, int]]) -> None:
        written.append([seq for _, _, seq in acknowledged])
        if len(written) == 2:
            held.set()
            await asyncio.Event().wait()

    session = Session(AccountKey(b""), DeviceId(b""), 1, 1)
    acknowledgements = Acknowledgements(write, seconds=0.0)
    acknowledgements.add(session, [(RoomId(bytes([number])), number) for number in range(35)])
    await held.wait()
    assert [len(each) for each in written] == [10, 10]
    await acknowledgements.close()
    assert [len(each) for each in written] == [10, 10, 10, 5]
    assert sorted(seq for each in written for seq in each) == list(range(35))


async def session(at: MemberNode, device: Device) -> Any:
    found = await at.desk.accounts.authenticate(device.token)
    assert found is not None
    return found


async def test_acknowledgements_of_strangers_change_nothing(at: MemberNode) -> None:
    room, (ash, birch) = await room_of(at, 2)
    stranger = await at.member()
    ear = await stranger.listen()
    await ear.socket.send_json({"acknowledge": [[room, 1], [b64(os.urandom(32)), 9]]})
    await ear.ping()
    await at.desk.acknowledgements.close()
    assert (await stranger.fine("GET", "/mailbox"))["rooms"] == []
    for device in (ash, birch):
        (state,) = (await device.fine("GET", "/mailbox"))["rooms"]
        assert state["acknowledged"] <= 1
    await ear.socket.close()


@pytest.mark.slow
async def test_memory_of_an_idle_connection(tmp_path: Path, figure: Callable[[str, float], None]) -> None:
    """Resident memory of a node in a process of its own, before and after 300 devices begin to listen."""
    many = 300
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=40, force_close=True)) as http:
        with running_node(tmp_path / "data") as node:
            people = [Device(http, f"{node.url}api/v1") for _ in range(many)]
            link = invite(tmp_path / "data", many)
            await asyncio.gather(*(each.register(link) for each in people))
            await asyncio.gather(*(each.found() for each in people))
            before = resident(node.process.pid)
            address = node.url.rstrip("/")
            silent = [await deaf_at(address, each) for each in people]
            last = await people[-1].listen()  # whoever came before it has been let in, too
            await last.ping()
            each = (resident(node.process.pid) - before) / many
            await last.socket.close()
            for raw in silent:
                raw.close()
    figure("KiB of an idle connection", each / 1024)
    assert each <= 24 * 1024


def resident(process: int) -> int:
    """Bytes of a process in memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
