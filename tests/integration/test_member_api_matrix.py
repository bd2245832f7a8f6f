"""Who may do what: every route of the member API, asked by everybody who must not, and by the one who may."""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from nacl.signing import SigningKey

from hedgerow_node.http.member.table import MEMBER_ROUTES
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.moving import Move, move_message
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.invitation import Invitation
from member_devices import Device, b64, new_id, unb64
from member_node import MemberNode, member_node

TOKENS = ("", "x", "A" * 42, "A" * 43, "A" * 44, "é" * 43, " " * 43, "Bearer " + "A" * 43, b64(os.urandom(32)))
"""No token, and texts that are none."""


@pytest.fixture(scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MemberNode]:
    async with member_node(tmp_path_factory.mktemp("matrix") / "data") as node:
        yield node


@dataclass
class Things:
    """What one member has, each with a secret or a name that nobody else may see."""

    owner: Device
    room: str
    invite: Invitation
    asker: Device
    ask: str
    ref: str
    consent: str
    welcome: str
    waiting: Device
    """In the room, with a Welcome that was not fetched."""
    blob: str
    device: Device
    secrets: list[str]


async def things(at: MemberNode) -> Things:
    """A member's whole household."""
    owner, waiting, asker = await at.member(), await at.member(), await at.member()
    device = await at.second_device(owner)
    room = await owner.found()
    await owner.let_in(room, waiting, now=at.now(), epoch=0, seen=0)
    (welcome,) = await waiting.fine("GET", "/welcomes")
    invite = await owner.invite(now=at.now(), uses=3, room=room)
    said = {"proof": b64(invite.proof), "ask": b64(b"an ask that is sealed")}
    ask = (await asker.fine("POST", f"/invites/{b64(invite.id)}/asks", said))["id"]
    ref, consent, mailbox = await owner.offer(now=at.now())
    data = b"ciphertext of a file"
    blob = b64(sha256(data).digest())
    await owner.fine("PUT", f"/blobs/{blob}?room={room}", data=data)
    await owner.fine("PUT", "/sealed/index", {"version": 1, "body": b64(b"a sealed index")})
    await owner.write(room, epoch=1)
    entries = await owner.log(room)
    secrets = [owner.rooms[room], waiting.rooms[room], mailbox, welcome["payload"], b64(b"a sealed index")]
    secrets += [b64(b"an ask that is sealed"), b64(b"sealed words"), data.decode(), owner.account, device.id, ask]
    secrets += [each["payload"] for each in entries] + [each["hash"] for each in entries]
    return Things(
        owner, room, invite, asker, ask, ref, consent, welcome["id"], waiting, blob, device, secrets
    )  # fmt: skip


Call = tuple[str, Any, dict[str, Any]]
"""Path, what is sent, further arguments."""


def a_move(room: str) -> dict[str, Any]:
    """That somebody has moved a room to a node that nobody knows."""
    member, hub = SigningKey(os.urandom(32)), NodeId(os.urandom(32))
    to = Move(1, bytes(32), hub, 1)
    signature = member.sign(move_message(RoomId(unb64(room)), to)).signature
    said = {"by": b64(bytes(member.verify_key)), "seq": 1, "hash": b64(bytes(32)), "signature": b64(signature)}
    return {"number": 1, "hub": b64(hub), "statements": [said], "mailboxes": [new_id()]}


def call_of(at: MemberNode, it: Things, method: str, path: str) -> Call:
    """The request that its owner may make, for each bearer route that names something of somebody's."""
    room, invite = it.room, b64(it.invite.id)
    new = {"id": new_id(), "token_hash": b64(os.urandom(32))}
    ask = {"proof": b64(it.invite.proof), "ask": b64(b"let me in")}
    added = Invitation(os.urandom(16))
    to_room = {"id": b64(added.id), "proof_hash": b64(added.proof_hash), "expires": at.now() + 60, "uses": 0}
    calls: dict[tuple[str, str], Call] = {
        ("GET", "/accounts/self"): ("/accounts/self", None, {}),
        ("DELETE", "/accounts/self"): ("/accounts/self", None, {}),
        ("GET", "/devices"): ("/devices", None, {}),
        ("POST", "/devices"): ("/devices", new, {}),
        ("DELETE", "/devices/{id}"): (f"/devices/{it.device.id}", None, {}),
        ("POST", "/invites"): ("/invites", to_room | {"room": room}, {}),
        ("GET", "/invites"): ("/invites", None, {}),
        ("DELETE", "/invites/{id}"): (f"/invites/{invite}", None, {}),
        ("POST", "/invites/{id}/asks"): (f"/invites/{invite}/asks", ask, {}),
        ("GET", "/asks"): ("/asks", None, {}),
        ("DELETE", "/asks/{id}"): (f"/asks/{it.ask}", None, {}),
        ("POST", "/key-packages"): ("/key-packages", [], {}),
        ("POST", "/key-packages/claim"): ("/key-packages/claim", {"ref": it.ref, "consent": it.consent}, {}),
        ("DELETE", "/key-packages/{ref}"): (f"/key-packages/{it.ref}", None, {}),
        ("POST", "/rooms"): ("/rooms", {"room": room, "mailbox": new_id()}, {}),
        ("GET", "/rooms/{id}/log"): (f"/rooms/{room}/log", None, {}),
        ("POST", "/rooms/{id}/log"): (f"/rooms/{room}/log", it.owner.message(room, epoch=1), {}),
        ("POST", "/rooms/{id}/asks"): (f"/rooms/{room}/asks", {"ask": b64(b"me, too")}, {}),
        ("GET", "/rooms/{id}/places"): (f"/rooms/{room}/places", None, {}),
        ("POST", "/rooms/{id}/notes"): (f"/rooms/{room}/notes", {"note": b64(b"sealed")}, {}),
        ("GET", "/rooms/{id}/notes"): (f"/rooms/{room}/notes", None, {}),
        ("POST", "/rooms/{id}/moves"): (f"/rooms/{room}/moves", a_move(room), {}),
        ("GET", "/rooms/{id}/moves"): (f"/rooms/{room}/moves", None, {}),
        ("POST", "/rooms/{id}/mailboxes"): (
            f"/rooms/{room}/mailboxes", {"mailbox": it.waiting.rooms[room], "seen": 1}, {},
        ),
        ("DELETE", "/rooms/{id}/mailboxes/{mailbox}"): (f"/rooms/{room}/mailboxes/{it.owner.rooms[room]}", None, {}),
        ("GET", "/mailbox"): ("/mailbox", None, {}),
        ("POST", "/mailbox/acknowledge"): ("/mailbox/acknowledge", {"acknowledged": [{"room": room, "seq": 1}]}, {}),
        ("GET", "/welcomes"): ("/welcomes", None, {}),
        ("DELETE", "/welcomes/{id}"): (f"/welcomes/{it.welcome}", None, {}),
        ("PUT", "/blobs/{hash}"): (f"/blobs/{it.blob}?room={room}", None, {"data": b"ciphertext of a file"}),
        ("GET", "/blobs/{hash}"): (f"/blobs/{it.blob}?room={room}", None, {}),
        ("GET", "/sealed/{name}"): ("/sealed/index", None, {}),
        ("PUT", "/sealed/{name}"): ("/sealed/index", {"version": 2, "body": b64(b"mine now")}, {}),
        ("DELETE", "/sealed/{name}"): ("/sealed/index", None, {}),
    }  # fmt: skip
    return calls[method, path]


BEARER = [(route.method, route.path.removeprefix("/api/v1")) for route in MEMBER_ROUTES if not route.open]
OPEN = [(route.method, route.path.removeprefix("/api/v1")) for route in MEMBER_ROUTES if route.open]

STRANGER: dict[tuple[str, str], tuple[int, ...]] = {
    ("DELETE", "/devices/{id}"): (404,),
    ("POST", "/invites"): (403,),
    ("DELETE", "/invites/{id}"): (404,),
    ("DELETE", "/asks/{id}"): (404,),
    ("DELETE", "/key-packages/{ref}"): (404,),
    ("POST", "/rooms"): (409,),
    ("GET", "/rooms/{id}/log"): (404,),
    ("POST", "/rooms/{id}/log"): (404,),
    ("POST", "/rooms/{id}/asks"): (404,),
    ("GET", "/rooms/{id}/places"): (404,),
    ("POST", "/rooms/{id}/notes"): (404,),
    ("GET", "/rooms/{id}/notes"): (404,),
    ("POST", "/rooms/{id}/moves"): (404,),
    ("GET", "/rooms/{id}/moves"): (404,),
    ("POST", "/rooms/{id}/mailboxes"): (404,),
    ("DELETE", "/rooms/{id}/mailboxes/{mailbox}"): (404,),
    ("DELETE", "/welcomes/{id}"): (404,),
    ("PUT", "/blobs/{hash}"): (404,),
    ("GET", "/blobs/{hash}"): (404,),
    ("GET", "/sealed/{name}"): (404,),
    ("PUT", "/sealed/{name}"): (409,),
}
"""What another account is told, where the thing is named; everywhere else it reaches only its own things."""

OWN_ONLY: dict[tuple[str, str], Any] = {
    ("GET", "/invites"): [],
    ("GET", "/asks"): [],
    ("GET", "/welcomes"): [],
    ("GET", "/mailbox"): {"rooms": [], "welcomes": 0, "asks": 0},
}
"""What another account sees of its own: nothing."""


def check_told(answer: Any, secrets: list[str]) -> None:
    """A refusal is a problem document, and holds nothing of anybody's."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.body["detail"].endswith(".")
    assert answer.body["status"] == answer.status
    text = json.dumps(answer.body)
    assert not [each for each in secrets if each in text]


@pytest.mark.parametrize(("method", "path"), BEARER)
async def test_without_a_token_nothing_is_told(at: MemberNode, method: str, path: str) -> None:
    it = await things(at)
    where, said, more = call_of(at, it, method, path)
    told = set()
    for token in TOKENS:
        answer = await it.owner.ask(method, where, said, token=token, **dict(more))
        assert answer.status == 401, (token, answer.body)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        check_told(answer, it.secrets)
        told.add(json.dumps(answer.body))
    for scheme in ("Basic", "bearer x", "Token"):
        headers = {"Authorization": f"{scheme} {b64(it.owner.token)}"}
        answer = await it.owner.ask(method, where, said, token="", headers=headers, **dict(more))
        assert answer.status == 401
        told.add(json.dumps(answer.body))
    cookie = {"Cookie": f"token={b64(it.owner.token)}; Authorization=Bearer {b64(it.owner.token)}"}
    assert (await it.owner.ask(method, where, said, token="", headers=cookie, **dict(more))).status == 401
    query = f"{where}{'&' if '?' in where else '?'}token={b64(it.owner.token)}"
    assert (await it.owner.ask(method, query, said, token="", **dict(more))).status == 401
    assert len(told) == 1, "the answer does not say what was wrong with the token"


@pytest.mark.parametrize(("method", "path"), BEARER)
async def test_a_revoked_device_is_a_stranger(at: MemberNode, method: str, path: str) -> None:
    it = await things(at)
    where, said, more = call_of(at, it, method, path)
    await it.device.fine("DELETE", f"/devices/{it.owner.id}")
    answer = await it.owner.ask(method, where, said, **more)
    assert answer.status == 401
    check_told(answer, it.secrets)


@pytest.mark.parametrize(("method", "path"), BEARER)
async def test_another_account_reaches_nothing(at: MemberNode, method: str, path: str) -> None:
    it = await things(at)
    other = await at.member()
    elsewhere = await other.found()  # it is in a room, but not in this one
    where, said, more = call_of(at, it, method, path)
    answer = await other.ask(method, where, said, **more)
    expected = STRANGER.get((method, path))
    if expected is not None:
        assert answer.status in expected, answer.body
        check_told(answer, it.secrets)
    else:
        assert answer.status < 400, answer.body
    if (method, path) == ("GET", "/mailbox"):
        assert [each["room"] for each in answer.body["rooms"]] == [elsewhere]
    elif (method, path) in OWN_ONLY:
        assert answer.body == OWN_ONLY[method, path]
    if (method, path) != ("POST", "/key-packages/claim"):  # whoever has the consent may claim: that is what it is for
        assert not [each for each in it.secrets if each in json.dumps(answer.body, default=str)]
    # Whatever it was told, nothing of the owner's has changed.
    assert (await it.owner.fine("GET", "/sealed/index"))["version"] == 1
    assert len(await it.owner.log(it.room)) == 2
    assert len(await it.owner.fine("GET", "/devices")) == 2
    assert it.ask in [each["id"] for each in await it.owner.fine("GET", "/asks")]
    assert [each["id"] for each in await it.owner.fine("GET", "/invites")] == [b64(it.invite.id)]
    assert [each["id"] for each in await it.waiting.fine("GET", "/welcomes")] == [it.welcome]
    assert (await it.owner.fine("GET", "/mailbox"))["rooms"][0]["until"] is None


@pytest.mark.parametrize(("method", "path"), BEARER)
async def test_another_device_of_the_person_is_in_no_room_by_itself(at: MemberNode, method: str, path: str) -> None:
    """It shares the account's things; a room it reaches only once it was let in."""
    it = await things(at)
    where, said, more = call_of(at, it, method, path)
    answer = await it.device.ask(method, where, said, **more)
    of_the_room = path.startswith(
        (
            "/rooms/{id}/log",
            "/rooms/{id}/mailboxes",
            "/rooms/{id}/places",
            "/rooms/{id}/notes",
            "/rooms/{id}/moves",
            "/blobs",
            "/key-packages/{ref}",
            "/welc",
        )
    )
    if of_the_room and path != "/welcomes":
        assert answer.status == 404, answer.body
        check_told(answer, it.secrets)
    elif path == "/welcomes":
        assert answer.body == []
    elif path == "/mailbox":
        assert answer.body["rooms"] == []


@pytest.mark.parametrize(("method", "path"), BEARER)
async def test_the_owner_may(at: MemberNode, method: str, path: str) -> None:
    """The same requests work for the one they are for: what was refused above was refused because of who asked."""
    it = await things(at)
    where, said, more = call_of(at, it, method, path)
    who = it.waiting if path == "/welcomes/{id}" else it.owner
    expected = {("POST", "/rooms"): (409,)}.get((method, path), (200, 201, 204))
    answer = await who.ask(method, where, said, **more)
    assert answer.status in expected, answer.body


def test_every_route_is_in_the_matrix() -> None:
    assert len(BEARER) + len(OPEN) == len(MEMBER_ROUTES)
    assert set(OPEN) == {
        ("POST", "/accounts"),
        ("GET", "/accounts/challenge"),
        ("POST", "/accounts/recover"),
        ("GET", "/invites/{id}"),
        ("PUT", "/rendezvous/{id}/{side}"),
        ("GET", "/rendezvous/{id}/{side}"),
        ("GET", "/live"),
    }, "an open route is a decision: add it to the tests of open routes, too"


async def test_open_routes_tell_only_who_proves(at: MemberNode) -> None:
    it = await things(at)
    stranger = at.stranger()
    invite = b64(it.invite.id)
    proof, right = b64(os.urandom(32)), b64(it.invite.proof)
    for headers, status in (
        ({"Invite-Proof": proof}, 404),
        ({}, 400),
        ({"Invite-Proof": "x"}, 400),
        ({"Invite-Proof": right}, 200),
    ):
        answer = await stranger.ask("GET", f"/invites/{invite}", token="", headers=headers)
        assert answer.status == status, headers
        if status != 200:
            check_told(answer, [*it.secrets, right])
    unknown = await stranger.ask("GET", f"/invites/{new_id()}", token="", headers={"Invite-Proof": proof})
    known = await stranger.ask("GET", f"/invites/{invite}", token="", headers={"Invite-Proof": proof})
    assert unknown.body == known.body, "a wrong proof and a wrong id look the same"

    said = {"invite": {"id": invite, "proof": proof}, "account_key": stranger.account, "device": stranger.new}
    answer = await stranger.ask("POST", "/accounts", said, token="")
    assert answer.status == 404
    check_told(answer, it.secrets)
    taken = said | {"invite": {"id": invite, "proof": right}, "device": it.owner.new}
    answer = await stranger.ask("POST", "/accounts", taken, token="")
    assert answer.status == 409
    check_told(answer, it.secrets)

    # A signature by another account's key, over another device, or over another challenge lets nobody in.
    thief = at.stranger(seed=os.urandom(32))
    challenge = (await thief.fine("GET", "/accounts/challenge", token=""))["challenge"]
    forged = {
        "account_key": it.owner.account,
        "challenge": challenge,
        "signature": b64(os.urandom(64)),
        "device": thief.new,
    }
    answer = await thief.ask("POST", "/accounts/recover", forged, token="")
    assert (answer.status, answer.kind) == (403, "no-account")
    check_told(answer, it.secrets)
    assert (await thief.ask("GET", "/accounts/self")).status == 401


async def test_an_ask_needs_the_proof(at: MemberNode) -> None:
    it = await things(at)
    other = await at.member()
    said = {"proof": b64(os.urandom(32)), "ask": b64(b"let me in")}
    answer = await other.ask("POST", f"/invites/{b64(it.invite.id)}/asks", said)
    assert answer.status == 404
    check_told(answer, it.secrets)


async def test_a_key_package_needs_its_consent(at: MemberNode) -> None:
    it = await things(at)
    other = await at.member()
    for consent in (b64(os.urandom(32)), b64(b"x")):
        answer = await other.ask("POST", "/key-packages/claim", {"ref": it.ref, "consent": consent})
        assert answer.status == 404
        check_told(answer, it.secrets)
    await other.fine("POST", "/key-packages/claim", {"ref": it.ref, "consent": it.consent})
    third = await at.member()
    answer = await third.ask("POST", "/key-packages/claim", {"ref": it.ref, "consent": it.consent})
    assert (answer.status, answer.kind) == (410, "used")


async def test_a_mailbox_of_somebody_else_writes_nothing(at: MemberNode) -> None:
    it = await things(at)
    said = it.owner.message(it.room, epoch=1)
    for who in (it.waiting, await at.member()):
        answer = await who.ask("POST", f"/rooms/{it.room}/log", said)
        assert answer.status == 404
        check_told(answer, it.secrets)
    foreign = await at.member()
    other_room = await foreign.found()
    answer = await foreign.ask("POST", f"/rooms/{it.room}/log", said | {"mailbox": foreign.rooms[other_room]})
    assert answer.status == 404
    removed = it.owner.commit(it.room, epoch=1, seen=2, removes=[foreign.rooms[other_room]])
    assert len(await it.owner.log(it.room)) == 2
    await it.owner.fine("POST", f"/rooms/{it.room}/log", removed)
    (state,) = (await foreign.fine("GET", "/mailbox"))["rooms"]
    assert (state["room"], state["until"]) == (other_room, None), "a commit takes out nobody of another room"
    await foreign.write(other_room)
