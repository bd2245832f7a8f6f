"""Intakes through the member API: opened by one member, renewed and closed by another; asks that come too fast."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hedgerow_node.http import bounds
from hedgerow_protocol import intake, limits
from member_devices import Answer, Device, b64
from member_node import MemberNode, member_node

DAY = 86_400


@pytest.fixture(scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MemberNode]:
    async with member_node(tmp_path_factory.mktemp("members") / "data", title="Elm community") as node:
        yield node


def an_intake(room: str, expires: int) -> tuple[dict[str, Any], bytes]:
    """What a client posts, and the key."""
    key = os.urandom(32)
    name, proof_hash = b64(intake.invite_id(key)), b64(intake.proof_hash(key))
    return {"id": name, "proof_hash": proof_hash, "expires": expires, "uses": 0, "room": room, "note": ""}, key


async def asks(device: Device, key: bytes, words: bytes = b"sealed for the group") -> Answer:
    said = {"proof": b64(intake.proof(key)), "ask": b64(words)}
    return await device.ask("POST", f"/invites/{b64(intake.invite_id(key))}/asks", said)


async def test_opened_renewed_asked_closed(at: MemberNode) -> None:
    ash, birch, cedar = [await at.member() for _ in range(3)]
    room = await ash.found()
    await ash.let_in(room, birch, now=at.now(), epoch=0, seen=0)
    said, key = an_intake(room, at.now() + 399 * DAY)
    assert (await cedar.ask("POST", "/invites", said)).status == 403
    await ash.fine("POST", "/invites", said | {"expires": at.now() + DAY})
    await birch.fine("POST", "/invites", said)
    shown = {"headers": {"Invite-Proof": b64(intake.proof(key))}, "token": ""}
    view = await cedar.fine("GET", f"/invites/{said['id']}", **shown)
    assert (view["expires"], view["accounts"], view["uses_left"], view["note"]) == (said["expires"], False, 0, "")

    ear = await ash.listen()
    assert (await asks(cedar, key)).status == 201
    assert await ear.frame() == {"asks": True}
    for each in (ash, birch):
        (row,) = await each.fine("GET", "/asks")
        assert (row["invite"], row["room"]) == (said["id"], room)

    assert (await cedar.ask("DELETE", f"/invites/{said['id']}")).status == 404
    await ash.fine("DELETE", f"/invites/{said['id']}")
    assert await birch.fine("GET", "/asks") == [], "asks go with their intake"
    closed = await asks(cedar, key, b"again")
    never = await asks(cedar, os.urandom(32))
    assert (closed.status, closed.body["detail"]) == (never.status, never.body["detail"])
    assert closed.status == 404


async def test_it_lasts_no_longer_than_a_listing(at: MemberNode) -> None:
    ash = await at.member()
    room = await ash.found()
    said, _ = an_intake(room, at.now() + limits.INTAKE_SECONDS_MAX + DAY)
    refused = await ash.ask("POST", "/invites", said)
    assert refused.status == 400
    assert "400 days" in refused.body["detail"]


async def test_who_asks_everywhere_has_to_wait(at: MemberNode) -> None:
    ash, birch = [await at.member() for _ in range(2)]
    statuses = []
    for _ in range(int(bounds.ACCOUNT_ASKS_BURST) + 1):
        # Whether there is such an intake makes no difference.
        statuses.append((await asks(birch, os.urandom(32))).status)
    assert statuses == [404] * int(bounds.ACCOUNT_ASKS_BURST) + [429]
    slow = await asks(birch, os.urandom(32))
    assert slow.kind == "slow-down"
    assert int(slow.headers["Retry-After"]) > 60
    assert (await asks(ash, os.urandom(32))).status == 404, "others are not touched"
    second = await at.second_device(birch)
    assert (await asks(second, os.urandom(32))).status == 429, "another device is the same person"
