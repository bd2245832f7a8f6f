"""Nodes one minor version apart: what only one of them knows is refused politely or passed over; no link ends."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hedgerow_node import clock
from hedgerow_node.federation.tally import Why
from hedgerow_protocol import messages, wire
from hedgerow_protocol.delivery.chain import BEGINNING, sign_head
from hedgerow_protocol.delivery.refusal import Refusal
from hedgerow_protocol.delivery.values import Accepted, Position, RoomId
from hedgerow_protocol.federation import letters
from hedgerow_protocol.federation.letters import Acknowledge, Answer, Letter, Notify, Request
from hedgerow_protocol.federation.values import (
    Follow,
    Following,
    Note,
    RefusalAnswer,
    Submit,
    SubmitAccepted,
)
from hedgerow_protocol.gossip.settings import FEATURES
from hostile_peer import hostile
from linked_worlds import Node, Stranger, eventually, in_room, node_key, nodes, wait_log
from lying_hubs import OtherRoom, entries_from, held, joined, refused_of, told
from net_ends import until
from networks import node_in
from private_worlds import NOW, Member, message


def newer(letter: Letter) -> bytes:
    """A letter as the next version might write it: with further fields after those that are known."""
    type, *fields = wire.decode(letters.encode(letter), size_max=1 << 23)  # type: ignore[misc]
    if isinstance(letter, Request | Answer):
        word, values = fields[1]
        fields[1] = (word, (*values, ("later",), 7), "later")
    return wire.encode((type, *fields, ("one more", 1, None), b"more"))


async def heard_answer(who: Stranger, request: bytes) -> Any:
    """The answer to a request."""
    letter = await who.hear(lambda each: isinstance(each, Answer) and each.id == request, 30)
    assert isinstance(letter, Answer)
    return letter.body


async def test_what_a_later_version_says_more_is_passed_over(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire_, hub, home):
        other = await OtherRoom.between(hub, home)
        later = Stranger(wire_, node_key("later"))
        wire_.link(later, hub)
        before = later.wire.links.copy()
        # Letters and requests of which this version knows nothing.
        for type in (10, 99, 2**31):
            wire_.carry(later.id, hub.id, wire.encode((type, b"whatever", ("it", "is"))))
        for number in range(20):
            id = os.urandom(16)
            wire_.carry(later.id, hub.id, wire.encode((1, id, (f"later-{number}", (b"x", ("y", 1)), 5), "more")))
            answer = await heard_answer(later, id)
            assert isinstance(answer, RefusalAnswer)
            assert answer.code is Refusal.BAD
            assert answer.sentence
        # An answer with a word that is not known, to a request that is not: nothing happens.
        wire_.carry(later.id, hub.id, wire.encode((2, os.urandom(16), ("later", (1, 2)))))
        await other.talks()
        assert await refused_of(hub, later.id, Why.LATER, 20) == 20
        assert wire_.links == before, "no link has ended"


@asynccontextmanager
async def _room_of(tmp_path: Path) -> AsyncIterator[tuple[Any, Stranger, Node, Member, RoomId]]:
    """A home with a member in a room of a hub of another version."""
    async with nodes(tmp_path, "home") as (wire_, home):
        birch = await home.member()
        hub = Stranger(wire_, node_key("hub"))
        wire_.link(hub, home)
        room = RoomId(os.urandom(32))
        await joined(hub, home, birch, room)
        follow = await hub.hear(lambda each: isinstance(getattr(each, "body", None), Follow), 30)
        assert isinstance(follow, Request)
        head = sign_head(hub.key, room, BEGINNING)
        wire_.carry(hub.id, home.id, newer(Answer(follow.id, Following(head, ()))))
        yield wire_, hub, home, birch, room


async def test_a_room_at_a_hub_of_a_later_version(tmp_path: Path) -> None:
    async with _room_of(tmp_path) as (wire_, hub, home, birch, room):
        log = entries_from(BEGINNING, room, 2)
        wire_.carry(hub.id, home.id, newer(told(hub, room, BEGINNING, log)))
        await hub.hear(lambda each: each == Acknowledge(room, 2), 30)
        await in_room(home, birch, room, 2)

        async def answers() -> None:
            asked = await hub.hear(lambda each: isinstance(getattr(each, "body", None), Submit), 30)
            assert isinstance(asked, Request)
            wire_.carry(hub.id, home.id, newer(Answer(asked.id, SubmitAccepted(3, NOW, bytes(32)))))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(answers())
            done = await home.delivery.submit(birch.session, message(room, birch, seen=2), now=NOW)
        assert done == Accepted(3, NOW, bytes(32))
        assert await held(home, room) == 2


async def test_a_follower_of_a_later_version(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire_, hub, home):
        other = await OtherRoom.between(hub, home)
        wire_.cut_all(home)
        later = Stranger(wire_, home.key)
        wire_.link(later, hub)
        follow, submit = os.urandom(16), os.urandom(16)
        wire_.carry(later.id, hub.id, newer(Request(follow, Follow(other.room, 0, (other.guest.mailbox,)))))
        assert isinstance(await heard_answer(later, follow), Following)
        said = replace(message(other.room, other.guest, seen=1), welcomes=(), removes=())
        wire_.carry(later.id, hub.id, newer(Request(submit, Submit(said))))
        assert isinstance(await heard_answer(later, submit), SubmitAccepted)
        await wait_log(hub, other.founder, other.room, 2)
        seen = await later.hear(lambda each: isinstance(each, Notify) and each.head.position.seq == 2, 30)
        assert isinstance(seen, Notify)
        wire_.carry(later.id, hub.id, newer(Acknowledge(other.room, 2)))

        async def is_on_disk() -> bool:
            found = await hub.store.database.read(lambda c: c.execute("SELECT acknowledged FROM follower").fetchall())
            return bool(found == [(2,)])

        await eventually(is_on_disk, "acknowledged", 30)


async def test_a_hub_that_does_not_know_our_newest_requests(tmp_path: Path) -> None:
    """Notes came later than the rest: a hub without them refuses them, and everything else goes on."""
    async with _room_of(tmp_path) as (wire_, hub, home, birch, room):
        log = entries_from(BEGINNING, room, 1)
        hub.say(home, told(hub, room, BEGINNING, log))
        await in_room(home, birch, room, 1)
        await home.delivery.add_note(birch.session, room, b"sealed", now=NOW)
        note = await hub.hear(lambda each: isinstance(getattr(each, "body", None), Note), 30)
        assert isinstance(note, Request)
        hub.say(home, Answer(note.id, RefusalAnswer(Refusal.BAD, "", 0)))
        # A word of refusal that this version does not know counts as that, too.
        hub.heard.clear()
        await home.delivery.add_note(birch.session, room, b"another", now=NOW)
        note = await hub.hear(lambda each: isinstance(getattr(each, "body", None), Note), 30)
        assert isinstance(note, Request)
        wire_.carry(hub.id, home.id, wire.encode((2, note.id, ("refused", ("later-word", "", 0)))))

        async def nothing_waits() -> bool:
            found = await home.store.database.read(
                lambda c: c.execute("SELECT count(*) FROM outgoing WHERE status IS NULL").fetchone()
            )
            return bool(found == (0,))

        await eventually(nothing_waits, "the refusals are settled", 30)
        at = Position(1, log[0].hash, log[0].time)
        hub.say(home, told(hub, room, at, entries_from(at, room, 1)))
        await in_room(home, birch, room, 2)
        assert wire_.links, "the link has stayed"


async def test_a_node_without_rooms_keeps_its_link_and_gets_no_letters(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a") as node:
        for features, rooms in ((("exchange/1",), False), ((*FEATURES, "rooms", "moons/7"), True)):
            async with hostile(node, greet=False) as peer:
                # The next version says more in its hello, and then things of which this one knows nothing.
                hello = messages.encode(
                    messages.Hello(messages.VERSION, features, (), clock.now(), 0, bytes(messages.DIGEST_BYTES))
                )
                number, *fields = wire.decode(hello, size_max=1 << 16)  # type: ignore[misc]
                await peer.say_frames([wire.encode((number, *fields, "later", (1, 2)))])
                await peer.heard_of(messages.Hello)
                await peer.say_frames([wire.encode((200, b"of the next version"))])
                if rooms:
                    await until(lambda peer=peer: peer.id in node.network.post.connected(), "letters may go")
                    id = os.urandom(16)
                    await peer.say(messages.Letter(wire.encode((1, id, ("later", ())))))
                    letter = letters.decode((await peer.heard_of(messages.Letter)).payload)
                    assert isinstance(letter, Answer)
                    assert isinstance(letter.body, RefusalAnswer)
                await peer.say(messages.Ping(b"12345678", 0, bytes(messages.DIGEST_BYTES)))
                await peer.heard_of(messages.Pong)
                assert (peer.id in node.network.post.connected()) is rooms
                assert bool(peer.all(messages.Letter)) is rooms
                assert not peer.ended
