"""Submissions over the live socket: judged as by POST, heard as by POST, and nothing lost with a socket."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hedgerow_node.delivery.doors import Outcome
from hedgerow_node.http import bounds
from hedgerow_node.http.member import live as live_module
from hedgerow_node.http.member.body import BODIES, Bodies
from hedgerow_node.store.private.appending import Appender
from integration.test_member_live import deaf, inside, lift_pace, room_of
from member_devices import Device, Ear, b64, new_id
from member_node import MemberNode, member_node


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[MemberNode]:
    async with member_node(tmp_path / "data") as node:
        yield node


def bodies_of(at: MemberNode) -> Bodies:
    return at.node.street.runner.app[BODIES]


async def all_answers(ear: Ear, many: int) -> list[Any]:
    """The answers to the submissions 0, 1, 2 …, in whichever order they come."""
    told: dict[int, Any] = {}
    while len(told) < many:
        frame = await ear.frame()
        told |= {frame[how]: frame for how in ("submitted", "refused") if how in frame}
    return [told[number] for number in range(many)]


async def test_a_word_over_the_socket_is_a_word_in_the_log(at: MemberNode) -> None:
    room, (ash, birch) = await room_of(at, 2)
    ears = [await each.listen() for each in (ash, birch)]
    assert ears[0].hello["submit_bytes"] == bounds.LIVE_MESSAGE_BYTES_MAX
    said = ash.message(room, epoch=1)
    await ears[0].submit(room, said, 7)
    told = await ears[0].answer(7)
    (heard,) = await ears[1].entries(1)
    (entry,) = await ash.log(room, after=1)
    assert {name: heard[name] for name in entry} == entry
    assert (entry["id"], entry["payload"], entry["seq"]) == (said["id"], said["payload"], 2)
    assert told == {"submitted": 7, "seq": 2, "time": entry["time"], "hash": entry["hash"]}
    # The same again, over the socket or by POST, is the same entry.
    await ears[0].submit(room, said, 8)
    assert await ears[0].answer(8) == told | {"submitted": 8}
    again = await ash.fine("POST", f"/rooms/{room}/log", said)
    assert again == {name: told[name] for name in ("seq", "time", "hash")}
    assert len(await ash.log(room)) == 2
    for ear in ears:
        await ear.socket.close()


async def test_many_under_way_are_answered_by_their_numbers(at: MemberNode) -> None:
    lift_pace(at)
    room, devices = await room_of(at, 4)
    ears = [await each.listen() for each in devices]
    for number in range(30):
        for device, ear in zip(devices, ears, strict=True):
            await ear.submit(room, device.message(room, epoch=3), number)
    seqs: list[int] = []
    for ear in ears:
        entries: list[int] = []
        answers: dict[int, int] = {}
        while len(answers) < 30 or len(entries) < 120:
            frame = await ear.frame()
            entries += [each["seq"] for each in frame.get("entries", [])]
            if "submitted" in frame:
                answers[frame["submitted"]] = frame["seq"]
        assert entries == list(range(4, 124)), "everybody hears all of it in order, its own words, too"
        assert list(answers) == list(range(30)), "one socket's words keep their order"
        seqs += answers.values()
        await ear.socket.close()
    assert sorted(seqs) == list(range(4, 124))


def bent(device: Device, room: str) -> list[tuple[str, dict[str, Any]]]:
    """Rooms and submissions that are refused, each for something else."""
    right = device.message(room, epoch=1)
    wrong = [
        {name: value for name, value in right.items() if name != missing}
        for missing in ("mailbox", "id", "kind", "epoch", "seen", "payload")
    ]
    wrong += [right | {"id": "x"}, right | {"kind": "whisper"}, right | {"seen": 99}, right | {"epoch": 5}]
    wrong += [right | {"mailbox": new_id()}, right | {"payload": b64(os.urandom(300))}, right | {"seen": -1}]
    wrong += [right | {"removes": [right["mailbox"]]}, right | {"welcomes": [{}]}, right | {"payload": 7}]
    elsewhere = b64(os.urandom(32))
    return [(room, each) for each in wrong] + [(elsewhere, right)]


async def test_what_a_request_refuses_the_socket_refuses_in_the_same_words(at: MemberNode) -> None:
    room, (ash, _birch) = await room_of(at, 2)
    ear = await ash.listen()
    for number, (where, said) in enumerate(bent(ash, room)):
        by_post = await ash.ask("POST", f"/rooms/{where}/log", said)
        await ear.submit(where, said, number)
        told = await ear.answer(number)
        assert by_post.status >= 400, said
        assert told == {"refused": number, **by_post.body}
    for number, room_name in enumerate(("", None, "x", b64(os.urandom(31)), 7)):
        await ear.socket.send_json({"submit": ash.message(room) | {"room": room_name}, "n": number})
        told = await ear.answer(number)
        assert (told["status"], told["field"]) == (400, "room")
    for number, nothing in enumerate(([], "x", None, 3)):
        await ear.socket.send_json({"submit": nothing, "n": number})
        assert (await ear.answer(number))["status"] == 400
    assert len(await ash.log(room)) == 1
    await ear.ping()
    await ear.socket.close()


async def test_a_commit_that_comes_second(at: MemberNode, monkeypatch: pytest.MonkeyPatch) -> None:
    room, (ash, birch) = await room_of(at, 2)
    ear = await birch.listen()
    await ash.fine("POST", f"/rooms/{room}/log", ash.commit(room, epoch=1, seen=1))
    second = birch.commit(room, epoch=1, seen=1)
    await ear.submit(room, second)
    told = await ear.answer()
    by_post = await birch.ask("POST", f"/rooms/{room}/log", second)
    assert by_post.kind == "conflict"
    assert told == {"refused": 1, **by_post.body}
    assert [each["seq"] for each in told["entries"]] == [2]
    monkeypatch.setattr(bounds, "LIVE_FRAME_BYTES_MAX", 100)
    await ear.submit(room, second, 2)
    told = await ear.answer(2)
    assert (told["entries"], told["head"]["seq"]) == ([], 2), "too much to be sent: the log has it"
    await ear.submit(room, birch.commit(room, epoch=1, seen=2), 3)
    assert (await ear.answer(3))["seq"] == 3
    await ear.socket.close()


async def test_frames_are_as_the_document_says(at: MemberNode) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    room, (ash, birch) = await room_of(at, 2)
    components = (await ash.fine("GET", "/openapi.json"))["components"]

    def check(name: str, value: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": components}
        jsonschema.Draft202012Validator(schema).validate(value)

    ear = await birch.listen()
    for number, said in enumerate((ash.commit(room, epoch=1, seen=1), birch.commit(room, epoch=1, seen=1))):
        if number == 0:
            await ash.fine("POST", f"/rooms/{room}/log", said)
        else:
            frame = {"submit": {"room": room, **said}, "n": number}
            check("LiveSubmission", frame)
            await ear.socket.send_json(frame)
            conflict = await ear.answer(number)
            assert conflict["entries"]
            check("LiveRefused", conflict)
    await ear.submit(room, birch.message(room, epoch=2), 2)
    check("LiveSubmitted", await ear.answer(2))
    await ear.submit(room, {"mailbox": "x"}, 3)
    check("LiveRefused", await ear.answer(3))
    await ear.socket.close()


async def test_a_room_of_others_is_no_room(at: MemberNode) -> None:
    """Strangers, another device of a member, and a member that takes another's mailbox in its mouth."""
    room, (ash, birch) = await room_of(at, 2)
    stranger, second = await at.member(), await at.second_device(ash)
    own = await stranger.found()
    for device in (stranger, second, birch):
        ear = await device.listen()
        await ear.submit(room, ash.message(room, epoch=1))
        told = await ear.answer()
        assert (told["status"], told["type"].rpartition("/")[2]) == (404, "unknown")
        assert not {"entries", "head", "seq"} & set(told)
        await ear.socket.close()
    ear = await stranger.listen()
    await ear.submit(own, ash.message(room, epoch=1))  # its own room, with what was made for another
    assert (await ear.answer())["status"] in (400, 404)
    await ear.socket.close()
    assert len(await ash.log(room)) == 1


async def test_a_revoked_device_submits_nothing(at: MemberNode) -> None:
    room, (ash, birch) = await room_of(at, 2)
    helper = await at.second_device(birch)
    ear = await birch.listen()
    await helper.fine("DELETE", f"/devices/{birch.id}")
    for number in range(3):
        await ear.submit(room, birch.message(room, epoch=1), number)
    assert await ear.closed() == 4401
    assert len(await ash.log(room)) == 1


async def test_a_socket_that_ends_in_between_loses_nothing(at: MemberNode) -> None:
    lift_pace(at)
    room, (ash, _birch) = await room_of(at, 2)
    said = [ash.message(room, epoch=1) for _ in range(40)]
    for number in range(0, 40, 4):
        ear = await ash.listen()
        for each in said[number : number + 4]:
            await ear.submit(room, each)
        assert ear.socket._response.connection is not None
        transport = ear.socket._response.connection.transport
        assert transport is not None
        await asyncio.sleep(0.002 * (number % 3))
        transport.abort()
    for each in said:
        await ash.fine("POST", f"/rooms/{room}/log", each)
    logged = [each["id"] for each in await ash.log(room, after=1)]
    assert sorted(logged) == sorted(each["id"] for each in said), "each of them once"
    await inside(at, 0)
    assert bodies_of(at).held == 0


async def test_so_many_under_way_and_no_more(at: MemberNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk takes its time, the node stops reading from a socket that goes on sending."""
    lift_pace(at)
    room, (ash, birch) = await room_of(at, 2)
    waiting: list[tuple[Any, ...]] = []
    hand_in = at.desk.delivery.hand_in

    def hold(session: Any, submission: Any, told: Callable[[Outcome], None], *, now: Any) -> None:
        waiting.append((session, submission, told, now))

    monkeypatch.setattr(at.desk.delivery, "hand_in", hold)
    ear = await ash.listen()
    many = bounds.LIVE_SUBMISSIONS_MAX + 20
    for number in range(many):
        await ear.submit(room, ash.message(room, epoch=1), number)
    await ear.socket.send_json({"ping": 5})
    for _ in range(200):
        if len(waiting) >= bounds.LIVE_SUBMISSIONS_MAX:
            break
        await asyncio.sleep(0.01)
    await birch.write(room, epoch=1)  # others are not held up
    await asyncio.sleep(0.1)
    assert len(waiting) == bounds.LIVE_SUBMISSIONS_MAX
    assert bodies_of(at).held > 64 * 300
    monkeypatch.setattr(at.desk.delivery, "hand_in", hand_in)
    for session, submission, told, now in waiting:
        hand_in(session, submission, told, now=now)
    told: list[dict[str, Any]] = []
    while len(told) < many + 1:
        frame = await ear.frame()
        told += [dict(frame)] if "submitted" in frame or "pong" in frame else []
    assert sorted(each["seq"] for each in told if "seq" in each) == list(range(3, 3 + many))
    assert bodies_of(at).held == 0
    await ear.socket.close()


async def test_a_flood_over_the_socket_is_slowed_to_the_pace_of_requests(at: MemberNode) -> None:
    room, (ash, birch) = await room_of(at, 2)
    requests = at.desk.pace.requests
    requests._burst, requests._per_second = 20.0, 100.0
    requests._buckets.clear()
    ear, other = await ash.listen(), await birch.listen()
    start = asyncio.get_running_loop().time()
    for number in range(60):
        await ear.submit(room, ash.message(room, epoch=1), number)
    await other.submit(room, birch.message(room, epoch=1))
    assert "submitted" in await other.answer()
    assert asyncio.get_running_loop().time() - start < 0.4, "another device is not made to wait"
    assert ["submitted" in each for each in await all_answers(ear, 60)] == [True] * 60
    assert asyncio.get_running_loop().time() - start >= 0.35, "(60 - 20) / 100 seconds, and nothing was refused"
    assert (await ash.ask("GET", "/mailbox")).status == 200
    await ear.socket.close()
    await other.socket.close()


async def test_who_cannot_even_wait_is_told_when_to_come_back(at: MemberNode, monkeypatch: pytest.MonkeyPatch) -> None:
    room, (ash, _birch) = await room_of(at, 2)
    monkeypatch.setattr(bounds, "DEVICES_WAITING_MAX", 0)
    requests = at.desk.pace.requests
    requests._burst, requests._per_second = 5.0, 0.001
    requests._buckets.clear()
    ear = await ash.listen()
    for number in range(8):
        await ear.submit(room, ash.message(room, epoch=1), number)
    answers = await all_answers(ear, 8)
    assert ["seq" in each for each in answers] == [True] * 5 + [False] * 3
    assert {(each["status"], each["type"].rpartition("/")[2]) for each in answers[5:]} == {(429, "slow-down")}
    assert all(each["retry_after"] >= 1 for each in answers[5:])
    await ear.socket.close()


async def test_the_size_of_a_frame(at: MemberNode) -> None:
    room, (ash, _birch) = await room_of(at, 2)
    ear = await ash.listen()
    large = ash.message(room, epoch=1, size=17_000)  # the bucket of 16 KiB, sealed
    assert len(json.dumps({"submit": {"room": room, **large}, "n": 1})) < bounds.LIVE_MESSAGE_BYTES_MAX
    await ear.submit(room, large)
    assert (await ear.answer())["seq"] == 2
    await ear.submit(room, ash.message(room, epoch=1, size=30_000))
    assert await ear.closed() == 1009
    assert len(await ash.log(room)) == 2
    await ash.write(room, epoch=1, size=30_000)  # by a request it goes


async def test_all_that_arrives_has_a_bound_together(at: MemberNode) -> None:
    room, (ash, _birch) = await room_of(at, 2)
    bodies = bodies_of(at)
    ear = await ash.listen()
    bodies.held_max = 500
    await ear.submit(room, ash.message(room, epoch=1))
    told = await ear.answer()
    assert (told["status"], told["retry_after"]) == (503, 5)
    bodies.held_max = bounds.MEMBER_BODIES_BYTES_MAX
    await ear.submit(room, ash.message(room, epoch=1), 2)
    assert (await ear.answer(2))["seq"] == 2
    assert bodies.held == 0
    await ear.socket.close()


async def test_a_disk_that_fails_is_told(at: MemberNode, monkeypatch: pytest.MonkeyPatch) -> None:
    room, (ash, _birch) = await room_of(at, 2)
    ear = await ash.listen()
    whole = Appender.append

    def fail(*_: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Appender, "append", fail)
    said = ash.message(room, epoch=1)
    await ear.submit(room, said)
    told = await ear.answer()
    assert (told["refused"], told["status"]) == (1, 503)
    monkeypatch.setattr(Appender, "append", whole)
    await ear.submit(room, said, 2)
    assert (await ear.answer(2))["seq"] == 2
    assert bodies_of(at).held == 0
    await ear.socket.close()


async def test_a_sender_waits_a_little_for_those_who_read_slowly(at: MemberNode) -> None:
    """As with a request: the answer is held while somebody has much to read, but not for ever."""
    lift_pace(at)
    room, (ash, _birch, cedar) = await room_of(at, 3)
    silent = await deaf(at, cedar)
    await inside(at, 1)
    lines = at.desk.receivers.lines
    while not any(each.transport.get_write_buffer_size() > bounds.LIVE_EASE_BYTES for each in lines.behind):
        await ash.write(room, epoch=2, size=30_000)
    ear = await ash.listen()
    start = asyncio.get_running_loop().time()
    await ear.submit(room, ash.message(room, epoch=2))
    assert "submitted" in await ear.answer()
    least = bounds.LIVE_EASE_STEPS * bounds.LIVE_EASE_STEP_SECONDS
    assert asyncio.get_running_loop().time() - start >= least * 0.9
    silent.close()
    await ear.socket.close()


async def test_an_answer_and_the_entry_go_out_in_one_write(at: MemberNode, monkeypatch: pytest.MonkeyPatch) -> None:
    room, (ash, _birch) = await room_of(at, 2)
    written: list[bytes] = []
    kept: list[live_module.Receiver] = []
    real = live_module.Receiver

    class Watched:
        """The transport of a receiver, and what was written to it."""

        def __init__(self, transport: asyncio.WriteTransport) -> None:
            self.transport = transport

        def write(self, data: bytes) -> None:
            written.append(bytes(data))
            self.transport.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.transport, name)

    def receiver(socket: Any, transport: Any, session: Any) -> live_module.Receiver:
        kept.append(real(socket, Watched(transport), session))  # type: ignore[arg-type]
        return kept[-1]

    monkeypatch.setattr(live_module, "Receiver", receiver)
    ear = await ash.listen()
    written.clear()
    await ear.submit(room, ash.message(room, epoch=1))
    await ear.answer()
    assert len(written) == 1
    assert written[0].index(b'{"entries":') < written[0].index(b'{"submitted":')
    await ear.socket.close()
