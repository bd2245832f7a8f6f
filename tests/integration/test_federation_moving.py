"""Rooms move from one node to another: with the old one there, with it gone, and with some who lie about it."""

import asyncio
import shutil
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey as Ed25519

from hedgerow_node.store.private.values import NewMove
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.letters import Notify
from hedgerow_protocol.federation.moving import Move, MoveStatement, move_message
from hedgerow_protocol.federation.values import CopyFetch, MoveRead, Note, RefusalAnswer
from hedgerow_protocol.ids import NodeId
from linked_worlds import Node, Stranger, eventually, in_room, let_in_from, node, node_key, nodes, wait_log
from private_worlds import NOW, Member, message

MEMBERS = [Ed25519(sha256(b"moving member %d" % number).digest()) for number in range(3)]


def statement(room: RoomId, by: Ed25519, seq: int, hash: bytes, hub: NodeId, number: int = 1) -> MoveStatement:
    """One member's word."""
    move = Move(seq, hash, hub, number)
    return MoveStatement(bytes(by.verify_key), move, by.sign(move_message(room, move)).signature)


async def decision(where: Node, member: Member, room: RoomId, to: NodeId, others: Any, number: int = 1) -> NewMove:
    """What two of three members have signed, as a device of one of them hands it in."""
    at = (await where.delivery.log(member.session, room, after=0, limit=1)).head.position
    said = [statement(room, each, at.seq, at.hash, to, number) for each in MEMBERS[:2]]
    return NewMove(room, number, to, said, [each.mailbox for each in others])


async def entries(where: Node, member: Member, room: RoomId) -> list[bytes]:
    """A device's log."""
    return list((await where.delivery.log(member.session, room, after=0, limit=200)).entries)


async def say(where: Node, member: Member, room: RoomId, many: int = 1) -> list[Any]:
    """Say something and wait until it is accepted; as a device does that asks again."""
    accepted = []
    for _ in range(many):
        head = (await where.delivery.log(member.session, room, after=0, limit=1)).head.position
        submission = message(room, member, epoch=1, seen=head.seq)
        while True:
            with suppress(Waiting):
                try:
                    accepted.append((submission.id, await where.delivery.submit(member.session, submission, now=NOW)))
                    break
                except Refused as refused:
                    if refused.code is not Refusal.TOO_FAST:
                        raise
            await asyncio.sleep(0.05)
    return accepted


async def hub_is(where: Node, member: Member, room: RoomId, hub: Node) -> None:
    """Wait until a node has another hub for a room."""

    async def is_there() -> bool:
        page = await where.delivery.log(member.session, room, after=0, limit=1)
        return (page.hub or where.id) == hub.id

    await eventually(is_there, "the new hub", 30)


async def three(wire: Any, west: Node, hub: Node, east: Node) -> tuple[RoomId, Member, Member, Member]:
    """A room of the one in the middle, with a member of each."""
    birch, ash, cedar = await west.member(), await hub.member(), await east.member()
    room = await hub.room(ash)
    await let_in_from(room, (hub, ash), [(west, birch), (east, cedar)], epoch=0, seen=0)
    for where, who in ((west, birch), (east, cedar)):
        await in_room(where, who, room, 1)
        await say(where, who, room)
    for where, who in ((west, birch), (east, cedar)):
        await in_room(where, who, room, 3)
    return room, birch, ash, cedar


async def test_a_room_moves_while_its_hub_is_there(tmp_path: Path) -> None:
    async with nodes(tmp_path, "west", "hub", "east") as (wire, west, hub, east):
        room, birch, ash, cedar = await three(wire, west, hub, east)
        everybody = ((west, birch), (hub, ash), (east, cedar))
        people = [each for _, each in everybody]
        move = await decision(west, birch, room, west.id, people)
        talking = [asyncio.create_task(say(where, who, room, 8)) for where, who in everybody]
        for where, who in everybody:
            await where.delivery.move(who.session, move)
        for where, who in everybody:
            await hub_is(where, who, room, west)
        said = [each for task in talking for each in await task]
        for where, who in everybody:
            await in_room(where, who, room, 27)
        logs = [await entries(where, who, room) for where, who in everybody]
        assert logs[0] == logs[1] == logs[2]
        assert len(logs[0]) == 27
        assert len({id for id, _ in said}) == 24
        for where, who in everybody:
            (row,) = await where.delivery.moves(who.session, room)
            assert (row.number, row.hub, len(row.statements)) == (1, west.id, 2)
            assert row.head is not None
        places = await west.delivery.places(birch.session, room)
        assert (places.hub, set(places.followers)) == (west.id, {hub.id, east.id})


async def test_a_room_is_rescued_with_everything_that_was_accepted(tmp_path: Path) -> None:
    async with nodes(tmp_path, "west", "hub", "east") as (wire, west, hub, east):
        room, birch, ash, cedar = await three(wire, west, hub, east)
        # East has entries that West never had, and one that the hub only accepted and told nobody.
        wire.cut(west, hub)
        await say(hub, ash, room, 2)
        await in_room(east, cedar, room, 5)
        wire.lose = lambda sender, to, frame: sender == hub.id and b"accepted" not in frame
        ((last, accepted),) = await say(east, cedar, room)
        assert accepted.seq == 6
        wire.cut_all(hub)
        wire.lose = lambda *_: False
        assert len(await entries(east, cedar, room)) == 5

        move = await decision(west, birch, room, west.id, [birch, ash, cedar])
        await east.delivery.move(cedar.session, move)
        await west.delivery.move(birch.session, move)
        for where, who in ((west, birch), (east, cedar)):
            await hub_is(where, who, room, west)
            await wait_log(where, who, room, 6)
        assert await entries(west, birch, room) == await entries(east, cedar, room)
        again = await east.delivery.submit(cedar.session, message(room, cedar, epoch=1, seen=5, id=last), now=NOW)
        assert again == accepted, "the very place that the old hub gave it"
        await say(west, birch, room)
        await say(east, cedar, room)
        await wait_log(west, birch, room, 8)
        await wait_log(east, cedar, room, 8)
        assert await entries(west, birch, room) == await entries(east, cedar, room)

        # The old hub comes back with a word that nobody else has heard: it follows, and the word is not lost.
        ((word, _),) = await say(hub, ash, room)
        wire.link(hub, west)
        wire.link(hub, east)
        await hub.delivery.move(ash.session, move)
        await hub_is(hub, ash, room, west)
        await wait_log(hub, ash, room, 9)
        assert await entries(hub, ash, room) == await entries(west, birch, room)
        again = await hub.delivery.submit(ash.session, message(room, ash, epoch=1, seen=9, id=word), now=NOW)
        assert again.seq == 9  # type: ignore[union-attr]


async def test_a_hub_that_told_two_stories_loses_its_room(tmp_path: Path) -> None:
    """As one does that goes on from an old backup: it gives places that it has given before to other words."""
    async with nodes(tmp_path, "west", "east") as (wire, west, east):
        async with node(tmp_path / "hub", wire, "hub") as hub:
            wire.link(hub, west)
            wire.link(hub, east)
            room, birch, ash, cedar = await three(wire, west, hub, east)
        shutil.copytree(tmp_path / "hub", tmp_path / "backup")
        async with node(tmp_path / "hub", wire, "hub") as hub:
            wire.link(hub, west)
            wire.link(hub, east)
            await say(hub, ash, room, 2)
            for where, who in ((west, birch), (east, cedar)):
                await in_room(where, who, room, 5)
        async with node(tmp_path / "backup", wire, "hub") as hub:
            await say(hub, ash, room, 3)
            wire.link(hub, west)
            wire.link(hub, east)

            async def is_shown(where: Node, who: Member) -> bool:
                return (await where.delivery.places(who.session, room)).faulty is not None

            for where, who in ((west, birch), (east, cedar)):
                await eventually(partial(is_shown, where, who), "the proof")
            before = await entries(west, birch, room)
            move = await decision(west, birch, room, west.id, [birch, ash, cedar])
            for where, who in ((west, birch), (east, cedar), (hub, ash)):
                await where.delivery.move(who.session, move)
            for where, who in ((west, birch), (east, cedar)):
                await hub_is(where, who, room, west)
                assert not await is_shown(where, who)
            assert (await entries(west, birch, room))[: len(before)] == before
            await say(east, cedar, room)
            await wait_log(west, birch, room, len(before) + 1)
            # The hub's own copy is of the other story: it is left as it is.
            await asyncio.sleep(1)
            assert (await hub.delivery.log(ash.session, room, after=0, limit=1)).hub is None


async def test_nobody_moves_a_room_without_a_device_of_their_own(tmp_path: Path) -> None:
    async with nodes(tmp_path, "west", "hub", "east") as (wire, west, hub, east):
        room, birch, ash, cedar = await three(wire, west, hub, east)
        outsider = await west.member()
        move = await decision(west, birch, room, west.id, [birch, ash, cedar])
        with pytest.raises(Refused) as refused:
            await west.delivery.move(outsider.session, move)
        assert refused.value.code is Refusal.UNKNOWN
        good, other = move.statements
        forged = MoveStatement(good.by, good.move, other.signature)
        elsewhere = await decision(west, birch, room, east.id, [birch])
        for bad in ([], [forged], [good, good], [good, elsewhere.statements[1]]):
            with pytest.raises(Refused) as refused:
                await west.delivery.move(birch.session, NewMove(room, 1, west.id, bad, move.mailboxes))
            assert refused.value.code is Refusal.BAD
        with pytest.raises(Refused) as refused:
            await west.delivery.move(birch.session, await decision(west, birch, room, hub.id, [birch]))
        assert refused.value.code is Refusal.BAD, "it is there already"

        # A node that only claims it is the hub now is not heard, and gives no answer that anybody would ask for.
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, east)
        head = (await hub.delivery.log(ash.session, room, after=0, limit=1)).head
        stranger.say(east, Notify(room, head, bytes(32), (), False))
        for asked in (MoveRead(room, 1, (cedar.mailbox,)), CopyFetch(room, 1, 0), Note(room, b"x")):
            answer = await stranger.ask(east, asked)
            assert isinstance(answer, RefusalAnswer), asked
            assert answer.code is Refusal.UNKNOWN
        await say(east, cedar, room)
        await wait_log(west, birch, room, 4)
        assert (await east.delivery.log(cedar.session, room, after=0, limit=1)).hub == hub.id


async def test_notes_go_to_all_nodes_of_a_room_once(tmp_path: Path) -> None:
    async with nodes(tmp_path, "west", "hub", "east") as (wire, west, hub, east):
        room, birch, ash, cedar = await three(wire, west, hub, east)
        wire.cut_all(hub)
        wire.link(west, east)
        for body in (b"one", b"two", b"one"):
            await west.delivery.add_note(birch.session, room, body, now=NOW)

        async def two(where: Node, who: Member) -> bool:
            found = await where.delivery.notes(who.session, room, after=0)
            return [each.body for each in found] == [b"one", b"two"]

        await eventually(lambda: two(east, cedar), "both notes")
        assert await two(west, birch)
        assert [happened.notes for happened in east.told if happened.notes] == [[room], [room]]
        wire.link(hub, west)
        await eventually(lambda: two(hub, ash), "both notes at the hub that was away")
        (row,) = (await east.delivery.overview(cedar.session)).rooms
        assert row.notes > 0
        outsider = await west.member()
        for forbidden in (
            west.delivery.add_note(outsider.session, room, b"x", now=NOW),
            west.delivery.notes(outsider.session, room, after=0),
            west.delivery.moves(outsider.session, room),
        ):
            with pytest.raises(Refused) as refused:
                await forbidden
            assert refused.value.code is Refusal.UNKNOWN
