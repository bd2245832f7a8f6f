"""The member API where another node has a part: what it passes on, what it says, and what it says while it waits."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hedgerow_node.delivery.doors import Refusal, Refused, Waiting
from hedgerow_node.store.private.values import (
    ClaimedKeyPackage,
    FarInviteView,
    LogPage,
    MailboxRow,
    Overview,
    Places,
    Refetch,
)
from hedgerow_protocol.delivery.values import AskId, Head, MailboxId, Position, RoomId
from hedgerow_protocol.ids import NodeId
from member_devices import Answer, Device, b64, new_id, unb64
from member_node import MemberNode, member_node

FAR = NodeId(bytes(range(32)))
HEAD = Head(Position(7, bytes(32), 70), bytes(64))
OTHER_HEAD = Head(Position(7, bytes(31) + b"1", 70), bytes(64))


@pytest.fixture(scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MemberNode]:
    async with member_node(tmp_path_factory.mktemp("far") / "data") as node:
        yield node


@pytest.fixture(scope="module")
async def member(at: MemberNode) -> Device:
    return await at.member()


class Asked:
    """Stands where a service's method was: notes what it is asked, and answers with one thing."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.calls: list[tuple[Any, ...]] = []
        self.named: list[dict[str, Any]] = []

    async def __call__(self, *given: Any, **named: Any) -> Any:
        self.calls.append(given)
        self.named.append(named)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


WAITING = Waiting("The other community has not answered yet.", retry_after=4.2)


def check_waiting(answer: Answer) -> None:
    assert (answer.status, answer.kind) == (503, "waiting")
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.body["detail"] == "The other community has not answered yet."


async def test_the_hub_stands_beside_each_head(at: MemberNode, member: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = new_id()
    room = b64(os.urandom(32))
    delivery = at.desk.delivery
    page = LogPage([b'{"seq":8}'], HEAD, FAR)
    monkeypatch.setattr(delivery, "log", Asked(page))
    answer = await member.fine("GET", f"/rooms/{room}/log")
    assert answer["hub"] == b64(FAR)
    assert answer["entries"] == [{"seq": 8}]
    assert answer["head"]["seq"] == 7
    monkeypatch.setattr(delivery, "log", Asked(LogPage([], HEAD)))
    assert "hub" not in await member.fine("GET", f"/rooms/{room}/log")

    member.rooms[room] = mailbox
    monkeypatch.setattr(delivery, "submit", Asked(Refetch(page)))
    conflict = await member.ask("POST", f"/rooms/{room}/log", member.message(room))
    assert (conflict.status, conflict.kind) == (409, "conflict")
    assert conflict.body["hub"] == b64(FAR)
    assert conflict.body["entries"] == [{"seq": 8}]

    rows = [
        MailboxRow(RoomId(unb64(room)), MailboxId(unb64(mailbox)), 3, HEAD, None, FAR),
        MailboxRow(RoomId(os.urandom(32)), MailboxId(os.urandom(16)), 3, HEAD, None),
    ]
    monkeypatch.setattr(delivery, "overview", Asked(Overview(rows, 0, 0)))
    far, near = (await member.fine("GET", "/mailbox"))["rooms"]
    assert far["hub"] == b64(FAR)
    assert "hub" not in near
    ear = await member.listen()
    try:
        assert [each.get("hub") for each in ear.hello["rooms"]] == [b64(FAR), None]
    finally:
        await ear.socket.close()
        del member.rooms[room]


async def test_while_another_node_has_not_answered(
    at: MemberNode, member: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = b64(os.urandom(32))
    member.rooms[room] = new_id()
    delivery, accounts = at.desk.delivery, at.desk.accounts
    for service, method in (
        (delivery, "submit"), (delivery, "put_back"), (delivery, "claim_key_package"), (delivery, "blob"),
        (accounts, "add_room_ask"), (accounts, "read_far_invite"), (accounts, "add_far_ask"),
    ):  # fmt: skip
        monkeypatch.setattr(service, method, Asked(WAITING))
    claim = {"ref": b64(bytes(32)), "consent": b64(bytes(32)), "home": b64(FAR)}
    proof = {"Invite-Proof": b64(bytes(32))}
    invite = f"/invites/{new_id()}"
    check_waiting(await member.ask("POST", f"/rooms/{room}/log", member.message(room)))
    check_waiting(await member.ask("POST", f"/rooms/{room}/mailboxes", {"mailbox": new_id(), "seen": 1}))
    check_waiting(await member.ask("POST", "/key-packages/claim", claim))
    check_waiting(await member.ask("GET", f"/blobs/{b64(bytes(32))}?room={room}"))
    check_waiting(await member.ask("POST", f"/rooms/{room}/asks", {"ask": b64(b"me")}))
    check_waiting(await member.ask("GET", f"{invite}?node={b64(FAR)}", headers=proof))
    ask = {"proof": b64(bytes(32)), "ask": b64(b"me")}
    check_waiting(await member.ask("POST", f"{invite}/asks?node={b64(FAR)}", ask))
    del member.rooms[room]


async def test_the_live_socket_says_the_same_of_a_submission(
    at: MemberNode, member: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = b64(os.urandom(32))
    member.rooms[room] = new_id()
    outcomes = [WAITING, Refetch(LogPage([b'{"seq":8}'], HEAD, FAR))]

    def hand_in(_session: Any, _submission: Any, told: Any, *, now: int) -> None:
        told(outcomes.pop(0))

    monkeypatch.setattr(at.desk.delivery, "hand_in", hand_in)
    ear = await member.listen()
    await ear.submit(room, member.message(room), 1)
    waiting = await ear.answer(1)
    assert (waiting["status"], waiting["type"].rpartition("/")[2], waiting["retry_after"]) == (503, "waiting", 5)
    await ear.submit(room, member.message(room), 2)
    conflict = await ear.answer(2)
    assert (conflict["status"], conflict["hub"], conflict["entries"]) == (409, b64(FAR), [{"seq": 8}])
    await ear.socket.close()
    del member.rooms[room]


async def test_a_key_package_is_asked_of_the_node_that_keeps_it(
    at: MemberNode, member: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(ClaimedKeyPackage(b"a key package", MailboxId(bytes(16))))
    monkeypatch.setattr(at.desk.delivery, "claim_key_package", asked)
    claim = {"ref": b64(bytes(32)), "consent": b64(bytes(32))}
    for home, passed_on in ((None, None), (b64(at.node.node_id), None), (b64(FAR), FAR)):
        said = claim if home is None else claim | {"home": home}
        answer = await member.fine("POST", "/key-packages/claim", said)
        assert answer == {"key_package": b64(b"a key package"), "mailbox": b64(bytes(16))}
        assert asked.named[-1].get("home") == passed_on
    refused = await member.ask("POST", "/key-packages/claim", claim | {"home": "x"})
    assert (refused.status, refused.body["field"]) == (400, "home")


async def test_a_welcome_names_the_newcomers_node(
    at: MemberNode, member: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(Refused(Refusal.UNKNOWN, "There is no such room."))
    monkeypatch.setattr(at.desk.delivery, "submit", asked)
    room, mailbox = b64(os.urandom(32)), new_id()
    member.rooms[room] = new_id()
    near = {"ref": b64(bytes(32)), "payload": b64(b"welcome")}
    far = near | {"home": b64(FAR), "mailbox": mailbox}
    commit = member.commit(room, epoch=0, seen=0, welcomes=[near, far])
    assert (await member.ask("POST", f"/rooms/{room}/log", commit)).status == 404
    first, second = asked.calls[-1][1].welcomes
    assert (first.home, first.mailbox) == (None, None)
    assert (second.home, second.mailbox) == (FAR, unb64(mailbox))
    half = member.commit(room, epoch=0, seen=0, welcomes=[near | {"home": b64(FAR)}])
    answer = await member.ask("POST", f"/rooms/{room}/log", half)
    assert (answer.status, answer.body["field"]) == (400, "welcomes[0].mailbox")
    del member.rooms[room]


async def test_an_invitation_of_another_node(at: MemberNode, member: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    view = Asked(FarInviteView("Beech", 99, b"sealed"))
    ask = Asked(AskId(bytes(16)))
    monkeypatch.setattr(at.desk.accounts, "read_far_invite", view)
    monkeypatch.setattr(at.desk.accounts, "add_far_ask", ask)
    invite, proof = new_id(), b64(os.urandom(32))
    headers = {"Invite-Proof": proof}
    where = f"/invites/{invite}?node={b64(FAR)}"
    expected = {"title": "Beech", "expires": 99, "uses_left": 0, "accounts": False, "note": b64(b"sealed")}
    assert await member.fine("GET", where, headers=headers) == expected
    assert view.calls[-1][1:] == (FAR, unb64(invite), unb64(proof))
    said = {"proof": proof, "ask": b64(b"me")}
    assert await member.fine("POST", f"/invites/{invite}/asks?node={b64(FAR)}", said) == {"id": b64(bytes(16))}
    assert ask.calls[-1][1:] == (FAR, unb64(invite), unb64(proof), b"me")

    # What costs another node something takes a token; what is no node's id names nothing.
    for token in ("", b64(os.urandom(32))):
        assert (await member.ask("GET", where, headers=headers, token=token)).status == 401
        assert (await member.ask("POST", f"/invites/{invite}/asks?node={b64(FAR)}", said, token=token)).status == 401
    for node in ("", "x", b64(bytes(31))):
        assert (await member.ask("GET", f"/invites/{invite}?node={node}", headers=headers)).status == 404
        assert (await member.ask("POST", f"/invites/{invite}/asks?node={node}", said)).status == 404
    assert len(view.calls) == len(ask.calls) == 1

    # This node's own name is as good as none.
    mine = await member.invite(now=at.now())
    here = f"/invites/{b64(mine.id)}?node={b64(at.node.node_id)}"
    own = await member.fine("GET", here, headers={"Invite-Proof": b64(mine.proof)}, token="")
    assert own["accounts"] is True
    assert len(view.calls) == 1


async def test_where_a_room_is_kept(at: MemberNode, member: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    room = await member.found()
    assert await member.fine("GET", f"/rooms/{room}/places") == {"hub": b64(at.node.node_id), "followers": []}
    monkeypatch.setattr(at.desk.delivery, "places", Asked(Places(FAR, [at.node.node_id], (HEAD, OTHER_HEAD))))
    places = await member.fine("GET", f"/rooms/{room}/places")
    assert (places["hub"], places["followers"]) == (b64(FAR), [b64(at.node.node_id)])
    assert [each["hash"] for each in places["faulty"]] == [b64(bytes(32)), b64(bytes(31) + b"1")]
