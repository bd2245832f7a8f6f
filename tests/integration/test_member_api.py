"""The member API on a real node: from an invitation to words in a room and back, by plain HTTP."""

import asyncio
import os
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
from nacl.signing import VerifyKey

import mls_bytes
from hedgerow_protocol.delivery.byte_strings import labelled
from hedgerow_protocol.invitation import Invitation
from member_devices import Device, b64, new_id, unb64
from member_node import MemberNode, member_node


@pytest.fixture(scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MemberNode]:
    async with member_node(tmp_path_factory.mktemp("members") / "data", title="Elm community") as node:
        yield node


def check_chain(device: Device, room: str, entries: list[Any], head: dict[str, Any]) -> None:
    """Recompute every hash from the entries' fields, and verify the node's signature on the head."""
    before = bytes(32)
    for number, each in enumerate(entries, 1):
        assert each["seq"] == number
        kind = b"\x01" if each["kind"] == "commit" else b"\x02"
        payload_hash = sha256(unb64(each["payload"])).digest()
        fields = (unb64(room), each["seq"], each["time"], kind, each["epoch"], unb64(each["id"]), payload_hash, before)
        before = sha256(labelled(b"hedgerow log entry v1", *fields)).digest()
        assert each["hash"] == b64(before)
    assert (head["seq"], head["hash"]) == (len(entries), b64(before))
    signed = labelled(b"hedgerow log head v1", unb64(room), head["seq"], before, head["time"])
    VerifyKey(unb64(device.node_id)).verify(signed, unb64(head["signature"]))


async def test_from_an_invitation_to_words_and_back(at: MemberNode) -> None:
    ash, birch = at.stranger(), at.stranger()
    link = await at.link(uses=2)
    invitation = Invitation(unb64(link.rpartition("#")[2].partition(".")[0]))
    shown = {"headers": {"Invite-Proof": b64(invitation.proof)}, "token": ""}
    view = await ash.fine("GET", f"/invites/{b64(invitation.id)}", **shown)
    assert (view["title"], view["uses_left"], view["accounts"]) == ("Elm community", 2, True)

    made = await ash.register(link)
    assert made == await ash.fine("GET", "/accounts/self")
    assert (made["account"], made["device"], made["title"]) == (ash.account, ash.id, "Elm community")
    assert made["may_invite"] is True
    await birch.register(link)
    view = await ash.fine("GET", f"/invites/{b64(invitation.id)}", **shown)
    assert (view["uses_left"], view["accounts"]) == (0, False)

    room = await ash.found()
    ear = await ash.listen()
    assert [each["room"] for each in ear.hello["rooms"]] == [room]

    # Birch asks by an invitation to the room, and Ash hears of it.
    into = await ash.invite(now=at.now(), uses=0, room=room)
    assert [each["id"] for each in await ash.fine("GET", "/invites")] == [b64(into.id)]
    said = {"proof": b64(into.proof), "ask": b64(b"sealed: let me in")}
    ask = await birch.fine("POST", f"/invites/{b64(into.id)}/asks", said)
    assert await birch.fine("POST", f"/invites/{b64(into.id)}/asks", said) == ask, "the same again is the same ask"
    assert (await ear.frame()) == {"asks": True}
    (seen,) = await ash.fine("GET", "/asks")
    assert (seen["id"], seen["invite"], seen["room"]) == (ask["id"], b64(into.id), room)
    assert unb64(seen["ask"]) == b"sealed: let me in"

    # Ash lets Birch in; the Welcome waits for Birch, and both hear what is said from then on.
    other = await birch.listen()
    await ash.let_in(room, birch, now=at.now(), epoch=0, seen=0)
    assert (await other.frame()) == {"welcomes": True}
    (welcome,) = await birch.fine("GET", "/welcomes")
    assert (welcome["room"], welcome["seq"]) == (room, 1)
    await birch.fine("DELETE", f"/welcomes/{welcome['id']}")
    assert await birch.fine("GET", "/welcomes") == []
    await ash.fine("DELETE", f"/asks/{ask['id']}")
    assert await ash.fine("GET", "/asks") == []

    first = await ash.write(room, epoch=1)
    second = await birch.write(room, epoch=1)
    assert (first["seq"], second["seq"]) == (2, 3)
    assert [each["seq"] for each in await ear.entries(3)] == [1, 2, 3]
    heard = await other.entries(2)
    assert [each["seq"] for each in heard] == [2, 3]
    assert {each["room"] for each in heard} == {room}

    page = await birch.fine("GET", f"/rooms/{room}/log")
    check_chain(birch, room, page["entries"], page["head"])
    assert [each["hash"] for each in heard] == [each["hash"] for each in page["entries"][1:]]
    assert (await birch.log(room, after=1, limit=1)) == page["entries"][1:]

    # What was processed is acknowledged: by the socket (gathered), or by a request (at once).
    await other.socket.send_json({"acknowledge": [[room, 3]]})
    await ash.fine("POST", "/mailbox/acknowledge", {"acknowledged": [{"room": room, "seq": 2}]})
    (mine,) = (await ash.fine("GET", "/mailbox"))["rooms"]
    assert (mine["mailbox"], mine["acknowledged"], mine["head"]["seq"]) == (ash.rooms[room], 2, 3)
    for _ in range(400):
        (state,) = (await birch.fine("GET", "/mailbox"))["rooms"]
        if state["acknowledged"] == 3:
            break
        await asyncio.sleep(0.05)
    assert state["acknowledged"] == 3
    await ear.socket.close()
    await other.socket.close()


async def test_the_first_commit_wins_and_the_second_learns_why(at: MemberNode) -> None:
    ash, birch = await at.member(), await at.member()
    room = await ash.found()
    await ash.let_in(room, birch, now=at.now(), epoch=0, seen=0)
    won = ash.commit(room, epoch=1, seen=1)
    accepted = await ash.fine("POST", f"/rooms/{room}/log", won)
    lost = birch.commit(room, epoch=1, seen=1)
    answer = await birch.ask("POST", f"/rooms/{room}/log", lost)
    assert (answer.status, answer.kind) == (409, "conflict")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [each["id"] for each in answer.body["entries"]] == [won["id"]]
    assert answer.body["head"]["seq"] == accepted["seq"]
    # Birch's program judged the first one invalid, says that it has seen it, and may try again.
    again = await birch.fine("POST", f"/rooms/{room}/log", lost | {"seen": accepted["seq"]})
    assert again["seq"] == accepted["seq"] + 1


async def test_the_same_again_gives_the_same_answer(at: MemberNode) -> None:
    ash = await at.member()
    room = await ash.found()
    message = ash.message(room)
    first = await ash.fine("POST", f"/rooms/{room}/log", message)
    answers = await asyncio.gather(*(ash.fine("POST", f"/rooms/{room}/log", message) for _ in range(5)))
    assert all(each == first for each in answers)
    commit = ash.commit(room, epoch=0, seen=1)
    won = await ash.fine("POST", f"/rooms/{room}/log", commit)
    await ash.write(room, epoch=1)
    assert await ash.fine("POST", f"/rooms/{room}/log", commit) == won, "also after others came"
    assert len(await ash.log(room)) == 3
    for method, path, said in (
        ("POST", "/rooms", {"room": room, "mailbox": ash.rooms[room]}),
        ("POST", "/devices", ash.new),
        ("PUT", "/sealed/index", {"version": 1, "body": b64(b"one")}),
        ("PUT", "/sealed/index", {"version": 1, "body": b64(b"one")}),
    ):
        await ash.fine(method, path, said)


async def test_out_and_back(at: MemberNode) -> None:
    ash, birch = await at.member(), await at.member()
    room = await ash.found()
    await ash.let_in(room, birch, now=at.now(), epoch=0, seen=0)
    ear = await birch.listen()
    out = ash.commit(room, epoch=1, seen=1, removes=[birch.rooms[room]])
    gone = await ash.fine("POST", f"/rooms/{room}/log", out)
    assert [each["seq"] for each in await ear.entries(1)] == [gone["seq"]], "who is taken out still hears of it"
    await ash.write(room, epoch=2)
    await ear.ping()  # and nothing else came before the pong
    assert [each["seq"] for each in await birch.log(room)] == [1, 2]
    refused = await birch.ask("POST", f"/rooms/{room}/log", birch.message(room, epoch=1))
    assert (refused.status, refused.kind) == (403, "not-allowed")
    (state,) = (await birch.fine("GET", "/mailbox"))["rooms"]
    assert state["until"] == gone["seq"]
    # The commit was invalid under the room's rules: Ash's program puts the mailbox back.
    await ash.fine("POST", f"/rooms/{room}/mailboxes", {"mailbox": birch.rooms[room], "seen": 3})
    assert len(await birch.log(room)) == 3
    await ash.write(room, epoch=2)
    assert [each["seq"] for each in await ear.entries(1)] == [4]
    # Birch goes, and hears no more.
    await birch.fine("DELETE", f"/rooms/{room}/mailboxes/{birch.rooms[room]}")
    await ash.write(room, epoch=2)
    await ear.ping()
    await ear.socket.close()


async def test_a_lost_device_is_revoked_and_one_comes_back_by_the_sheet(at: MemberNode) -> None:
    first = await at.member()
    second = await at.second_device(first)
    assert {each["id"]: each["this"] for each in await second.fine("GET", "/devices")} == {
        first.id: False,
        second.id: True,
    }
    room = await first.found()
    ear = await first.listen()
    await second.fine("DELETE", f"/devices/{first.id}")
    assert await ear.closed() == 4401
    assert (await first.ask("GET", "/mailbox")).status == 401
    back = at.stranger(seed=first.seed)
    answer = await back.recover()
    assert answer.status == 201
    assert answer.body["account"] == first.account
    asked = await back.fine("POST", f"/rooms/{room}/asks", {"ask": b64(b"let this device in")})
    assert len(unb64(asked["id"])) == 16
    wrong = at.stranger(seed=os.urandom(32))
    assert (await wrong.recover()).kind == "no-account"
    await back.fine("DELETE", "/accounts/self")
    for device in (second, back):
        assert (await device.ask("GET", "/accounts/self")).status == 401


async def test_files_are_kept_for_their_room(at: MemberNode) -> None:
    ash, birch = await at.member(), await at.member()
    room = await ash.found()
    await ash.let_in(room, birch, now=at.now(), epoch=0, seen=0)
    data = os.urandom(300_000)
    path = f"/blobs/{b64(sha256(data).digest())}?room={room}"
    await ash.fine("PUT", path, data=data)
    got = await birch.ask("GET", path)
    assert got.body == data
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Cache-Control"] == "no-store"
    damaged = await ash.ask("PUT", path.replace(path[7:10], "AAA"), data=data)
    assert (damaged.status, damaged.kind) == (400, "bad")
    large = await ash.ask("PUT", path, data=bytes(10 * 1024 * 1024 + 1))
    assert large.status == 413


async def test_sealed_records_are_swapped_not_overwritten(at: MemberNode) -> None:
    ash = await at.member()
    second = await at.second_device(ash)
    assert (await ash.ask("GET", "/sealed/index")).status == 404
    await ash.fine("PUT", "/sealed/index", {"version": 1, "body": b64(b"one")})
    await second.fine("PUT", "/sealed/index", {"version": 2, "body": b64(b"two")})
    stale = await ash.ask("PUT", "/sealed/index", {"version": 2, "body": b64(b"another two")})
    assert (stale.status, stale.kind, stale.body["version"]) == (409, "stale", 2)
    assert await ash.fine("GET", "/sealed/index") == {"version": 2, "body": b64(b"two")}
    await ash.fine("DELETE", "/sealed/index")
    large = os.urandom(3 * 1024 * 1024)  # beyond what is parsed on the event loop
    await ash.fine("PUT", f"/sealed/vault-{ash.id}", {"version": 1, "body": b64(large)})
    assert unb64((await ash.fine("GET", f"/sealed/vault-{ash.id}"))["body"]) == large
    assert (await ash.ask("PUT", "/sealed/index", {"version": 1, "body": b64(bytes(1024 * 1024 + 1))})).status in (
        400,
        413,
    )


async def test_two_devices_meet_at_a_place(at: MemberNode) -> None:
    one, two = at.stranger(), at.stranger()
    place = new_id()
    assert (await two.ask("GET", f"/rendezvous/{place}/a", token="")).status == 404
    await one.fine("PUT", f"/rendezvous/{place}/a", {"body": b64(b"from a")}, token="")
    await two.fine("PUT", f"/rendezvous/{place}/b", {"body": b64(b"from b")}, token="")
    assert unb64((await two.fine("GET", f"/rendezvous/{place}/a", token=""))["body"]) == b"from a"
    assert unb64((await one.fine("GET", f"/rendezvous/{place}/b", token=""))["body"]) == b"from b"
    taken = await one.ask("PUT", f"/rendezvous/{place}/a", {"body": b64(b"another")}, token="")
    assert (taken.status, taken.kind) == (409, "taken")
    assert (await one.ask("GET", f"/rendezvous/{place}/c", token="")).status == 404


async def test_what_is_no_mls_message_is_told(at: MemberNode) -> None:
    ash = await at.member()
    room = await ash.found()
    good = ash.message(room)
    for payload in (
        b"hello",
        mls_bytes.public_message(unb64(room), 0),
        mls_bytes.application(os.urandom(32), 0),
        mls_bytes.application(unb64(room), 7),
        mls_bytes.commit(unb64(room), 0),
        mls_bytes.private_message(unb64(room), 0, mls_bytes.PROPOSAL),
    ):
        answer = await ash.ask("POST", f"/rooms/{room}/log", good | {"payload": b64(payload)})
        assert (answer.status, answer.kind) == (400, "bad"), payload[:20]
        assert answer.body["detail"].endswith(".")
    assert await ash.log(room) == []


async def test_members_invite_only_where_the_community_lets_them(tmp_path: Any) -> None:
    async with member_node(tmp_path / "data", members_invite=False) as at:
        ash = await at.member()
        assert (await ash.fine("GET", "/accounts/self"))["may_invite"] is False
        room = await ash.found()
        await ash.invite(now=at.now(), uses=0, room=room)  # only for people who have an account
        invitation = Invitation(os.urandom(16))
        said = {
            "id": b64(invitation.id),
            "proof_hash": b64(invitation.proof_hash),
            "expires": at.now() + 60,
            "uses": 1,
        }
        refused = await ash.ask("POST", "/invites", said)
        assert (refused.status, refused.kind) == (403, "not-allowed")


async def test_answers_hold_to_the_document(at: MemberNode) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    ash, birch = await at.member(), await at.member()
    room = await ash.found()
    await ash.let_in(room, birch, now=at.now(), epoch=0, seen=0)
    into = await ash.invite(now=at.now(), room=room)
    said = {"proof": b64(into.proof), "ask": b64(b"let me in")}
    await (await at.member()).fine("POST", f"/invites/{b64(into.id)}/asks", said)
    await ash.fine("PUT", "/sealed/index", {"version": 1, "body": b64(b"one")})
    lost = ash.commit(room, epoch=0, seen=0)
    document = await ash.fine("GET", "/openapi.json")
    invite = f"/invites/{b64(into.id)}"
    proven = {"headers": {"Invite-Proof": b64(into.proof)}}
    for who, method, path, template, sent, more, status in (
        (ash, "GET", "/accounts/self", "/accounts/self", None, {}, "200"),
        (ash, "GET", "/accounts/challenge", "/accounts/challenge", None, {}, "200"),
        (ash, "GET", "/devices", "/devices", None, {}, "200"),
        (ash, "GET", "/invites", "/invites", None, {}, "200"),
        (ash, "GET", invite, "/invites/{id}", None, proven, "200"),
        (ash, "GET", "/asks", "/asks", None, {}, "200"),
        (ash, "GET", f"/rooms/{room}/log", "/rooms/{id}/log", None, {}, "200"),
        (ash, "POST", f"/rooms/{room}/log", "/rooms/{id}/log", ash.message(room, epoch=1), {}, "200"),
        (ash, "POST", f"/rooms/{room}/log", "/rooms/{id}/log", lost, {}, "409"),
        (ash, "GET", "/mailbox", "/mailbox", None, {}, "200"),
        (birch, "GET", "/welcomes", "/welcomes", None, {}, "200"),
        (ash, "GET", "/sealed/index", "/sealed/{name}", None, {}, "200"),
        (ash, "GET", f"/sealed/vault-{ash.id}", "/sealed/{name}", None, {}, "default"),
    ):
        answer = await who.ask(method, path, sent, **dict(more))
        assert status in (str(answer.status), "default"), (path, answer.body)
        assert answer.body, "an empty list would prove nothing"
        operation = document["paths"][f"/api/v1{template}"][method.lower()]
        described = operation["responses"][status]
        if "$ref" in described:
            described = document["components"]["responses"]["Problem"]
        (content,) = described["content"].values()
        schema = {**content["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.body)
        if sent is not None:
            (content,) = operation["requestBody"]["content"].values()
            schema = {**content["schema"], "components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(sent)
