"""Floods: each is bounded by a number, seen by the keeper, and felt in no other room."""

import asyncio
import os
from hashlib import sha256
from pathlib import Path

import pytest

from hedgerow_node.federation import answering, exchange
from hedgerow_node.federation.tally import ROWS_MAX, Tally, Why
from hedgerow_node.store.private.values import NewInvite
from hedgerow_protocol.delivery.refusal import Refusal
from hedgerow_protocol.delivery.values import InviteId, RoomId
from hedgerow_protocol.federation import asks, parts
from hedgerow_protocol.federation.letters import Answer, Fetch, Forked, Part, Request, encode
from hedgerow_protocol.federation.values import (
    Asked,
    AskLetter,
    Busy,
    Done,
    Follow,
    InviteRead,
    KeyPackageClaim,
    RefusalAnswer,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant
from linked_worlds import Node, Stranger, eventually, node_key, nodes
from lying_hubs import OtherRoom, refused_of, seen_of
from private_worlds import DAY, NOW, Member


async def _link_into(hub: Node, maker: Member, room: RoomId | None) -> tuple[InviteId, bytes]:
    """An invitation; with a room the intake of it, as a listing shows it."""
    invite, proof = InviteId(os.urandom(16)), os.urandom(32)
    made = NewInvite(invite, sha256(proof).digest(), NOW + DAY, 0, room=room)
    await hub.accounts.add_invite(maker.session, made, now=NOW)
    return invite, proof


@pytest.mark.parametrize("intake", [False, True])
async def test_asks_of_many_nodes_are_bounded_by_invitation(tmp_path: Path, intake: bool) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        other = await OtherRoom.between(hub, home)
        maker = await hub.member()
        room = await hub.room(maker) if intake else None
        flooded = await _link_into(hub, maker, room)
        calm = await _link_into(hub, other.founder, other.room if intake else None)
        crowd = [Stranger(wire, node_key(f"stranger {number}")) for number in range(4)]
        answers = []
        for number, each in enumerate(crowd):
            wire.link(each, hub)
            # Each keeps its own pace: together they are too many for whoever reads the asks.
            answers += [await each.ask(hub, AskLetter(*flooded, os.urandom(40))) for _ in range(10)]
            if number % 2:
                await other.talks()
        taken = [each for each in answers if isinstance(each, Asked)]
        assert len(taken) == asks.ASKS_INVITE_BURST
        assert len(await hub.accounts.asks(maker.session)) == asks.ASKS_INVITE_BURST
        assert await refused_of(hub, crowd[-1].id, Why.ASKS, 10) == 10
        await home.accounts.add_far_ask(other.guest.session, hub.id, *calm, b"sealed", now=NOW)
        assert len(await hub.accounts.asks(other.founder.session)) == 1


async def test_asks_of_one_node_are_bounded_over_all_invitations(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        other = await OtherRoom.between(hub, home)
        maker = await hub.member()
        links = [await _link_into(hub, maker, None) for _ in range(30)]
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, hub)
        answers = [await stranger.ask(hub, AskLetter(*each, b"sealed")) for each in links]
        await other.talks()
        assert sum(isinstance(each, Asked) for each in answers) == asks.ASKS_NODE_BURST
        assert await refused_of(hub, stranger.id, Why.ASKS, 10) == 10
        assert (await seen_of(hub, home.id)).refused == {}
        # It looks for what it can take or read, too.
        for _ in range(asks.CLAIMS_NODE_BURST + 5):
            stranger.say(hub, Request(os.urandom(16), InviteRead(InviteId(os.urandom(16)), bytes(32))))
        stranger.say(hub, Request(os.urandom(16), KeyPackageClaim(os.urandom(32), b"x", bytes(16))))  # type: ignore[arg-type]
        assert await refused_of(hub, stranger.id, Why.NOT_THERE, asks.CLAIMS_NODE_BURST) < asks.CLAIMS_NODE_BURST + 5
        await refused_of(hub, stranger.id, Why.ASKS, 15)


async def test_requests_over_pace_are_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "REQUESTS_BURST", 200.0)
    monkeypatch.setattr(answering, "REQUESTS_RATE", 1.0)
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        other = await OtherRoom.between(hub, home)
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, hub)
        for _ in range(1_000):
            stranger.say(hub, Request(os.urandom(16), Follow(RoomId(os.urandom(32)), 0, ())))
        await other.talks()
        assert await refused_of(hub, stranger.id, Why.PACE, 790) > 790
        assert await refused_of(hub, stranger.id, Why.NOT_THERE, 100) <= 210
        many = sum(isinstance(each, Answer) and isinstance(each.body, Busy) for each in stranger.heard)
        assert many >= 790, "it is told so"


async def test_parts_that_never_end_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        other = await OtherRoom.between(hub, home)
        stranger, patient = Stranger(wire, node_key("stranger")), Stranger(wire, node_key("patient"))
        wire.link(stranger, hub)
        wire.link(patient, hub)
        joiner = hub.federation._exchange._joiner

        def begin(who: Stranger, letter: int, pieces: int) -> None:
            for index in range(pieces):
                frame = encode(Part(letter, index, parts.PARTS_MAX, bytes(parts.PART_DATA_BYTES)))
                assert wire.carry(who.id, hub.id, frame)

        for letter in range(parts.OPEN_OF_PEER_MAX + 1):
            begin(stranger, letter, 20)
        await refused_of(hub, stranger.id, Why.TOO_LARGE, 1)
        begin(stranger, 9, 127)
        begin(patient, 1, 3)
        await other.talks()
        held_most = parts.OPEN_OF_PEER_BYTES_MAX + 3 * parts.PART_DATA_BYTES
        assert 0 < joiner.held <= held_most
        # Nothing more comes: what was begun is let go, though the links stay.
        monkeypatch.setattr(exchange, "PARTS_SECONDS", 0.05)
        begin(stranger, 10, 1)
        begin(patient, 2, 1)
        await refused_of(hub, stranger.id, Why.UNFINISHED, 1)
        await refused_of(hub, patient.id, Why.UNFINISHED, 1)
        assert joiner.held == 0
        await other.talks()
        assert isinstance(await patient.ask(hub, InviteRead(InviteId(bytes(16)), bytes(32))), RefusalAnswer)


async def test_answers_that_nobody_asked_for_change_nothing(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        other = await OtherRoom.between(hub, home)
        wire.cut(hub, home)
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, home)
        # This waits for the hub; somebody else answers it.
        invite, proof = await _link_into(hub, other.founder, None)
        asking = asyncio.create_task(
            home.accounts.add_far_ask(other.guest.session, hub.id, invite, proof, b"sealed", now=NOW)
        )
        await eventually(lambda: _waits(home, 1), "the ask is in the outbox")
        (request,) = await home.store.database.read(
            lambda c: c.execute("SELECT request FROM outgoing WHERE status IS NULL").fetchall()
        )
        stranger.say(home, Answer(request[0], RefusalAnswer(Refusal.ENDED, "No.", 0)))
        for _ in range(200):
            stranger.say(home, Answer(os.urandom(16), Done()))
        assert await refused_of(home, stranger.id, Why.UNASKED, 200) == 200
        assert not asking.done()
        assert await _waits(home, 1)
        wire.link(hub, home)
        await asking
        await other.talks()
        assert len(await hub.accounts.asks(other.founder.session)) == 1


async def _waits(where: Node, many: int) -> bool:
    found = await where.store.database.read(
        lambda c: c.execute("SELECT count(*) FROM outgoing WHERE status IS NULL").fetchone()
    )
    return bool(found[0] == many)


async def test_what_cannot_be_read_and_proofs_that_prove_nothing(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        other = await OtherRoom.between(hub, home)
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, home)
        for _ in range(50):
            assert wire.carry(stranger.id, home.id, b"\x00" + os.urandom(20))
            stranger.say(home, Forked(os.urandom(200)))
            stranger.say(home, Fetch(other.room, 0))
        await other.talks()
        assert await refused_of(home, stranger.id, Why.NOT_THEIRS, 50) == 50

        async def all_are_counted() -> bool:
            refused = (await seen_of(home, stranger.id)).refused
            return sum(refused.values()) == 150

        await eventually(all_are_counted, "each of them is counted")
        assert not (await home.delivery.places(other.guest.session, other.room)).faulty


def test_what_is_counted_is_bounded_and_ends_after_a_day() -> None:
    at = [0.0]
    tally = Tally(lambda: Instant(at[0]))
    for number in range(ROWS_MAX + 500):
        tally.count(NodeId(number.to_bytes(32, "big")), Why.FORGED)
    counts = tally.counts()
    assert len(counts) == ROWS_MAX + 1
    assert counts[None] == {"forged": 500}
    at[0] = 3_700.0
    tally.count(NodeId(bytes(32)), Why.FORGED)
    assert tally.counts()[NodeId(bytes(32))] == {"forged": 2}
    at[0] = 86_400.0 + 1
    assert tally.counts() == {NodeId(bytes(32)): {"forged": 1}}
    at[0] = 2 * 86_400.0
    assert tally.counts() == {}
