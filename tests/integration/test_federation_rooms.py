"""Rooms with members on several nodes, whose letters go through memory."""

import asyncio
import json
import os
import random
from hashlib import sha256
from pathlib import Path

import pytest

from hedgerow_node.delivery.doors import Outcome
from hedgerow_node.store.private.values import NewInvite
from hedgerow_protocol.delivery.chain import head_holds
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.delivery.values import Accepted, BlobHash, EntryId, InviteId, Submission
from linked_worlds import Node, eventually, in_room, let_in_from, node, nodes, wait_asks, wait_log
from private_worlds import NOW, Member, commit, message


async def say(where: Node, member: Member, room: bytes, **more: object) -> Accepted:
    """Write a message and wait for where it stands."""
    done = await where.delivery.submit(member.session, message(room, member, **more), now=NOW)  # type: ignore[arg-type]
    assert isinstance(done, Accepted)
    return done


async def seqs(where: Node, member: Member, room: bytes) -> list[int]:
    """What a device can read."""
    page = await where.delivery.log(member.session, room, after=0, limit=500)  # type: ignore[arg-type]
    return [json.loads(each)["seq"] for each in page.entries]


async def test_words_go_both_ways_between_a_hub_and_a_follower(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        seq = await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, seq)
        (welcome,) = await home.delivery.welcomes(birch.session)
        assert (welcome.room, welcome.seq) == (room, seq)

        here = await say(hub, ash, room, seen=seq)
        await in_room(home, birch, room, here.seq)
        there = await say(home, birch, room, seen=seq)
        await in_room(home, birch, room, there.seq)

        at_hub = await hub.delivery.log(ash.session, room, after=0, limit=100)
        at_home = await home.delivery.log(birch.session, room, after=0, limit=100)
        assert at_home.entries == at_hub.entries
        assert [json.loads(each)["seq"] for each in at_home.entries] == [1, 2, 3]
        assert at_home.head == at_hub.head
        assert head_holds(hub.id, room, at_home.head)
        assert (at_hub.hub, at_home.hub) == (None, hub.id)
        assert home.heard(room) == hub.heard(room)
        assert hub.post.shared == {home.id}
        assert home.post.shared == {hub.id}
        places = await home.delivery.places(birch.session, room)
        assert (places.hub, places.followers, places.faulty) == (hub.id, [home.id], None)


async def test_members_of_two_followers_talk_and_let_one_another_in(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "west", "east", link=False) as (wire, hub, west, east):
        wire.link(hub, west)
        wire.link(hub, east)
        wire.link(west, east)  # a claim goes from home to home
        ash, birch, cedar, dogwood = await hub.member(), await west.member(), await east.member(), await hub.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(west, birch)], epoch=0, seen=0)
        await in_room(west, birch, room, 1)
        # A member of one follower lets in somebody of another one, and somebody of the hub.
        seq = await let_in_from(room, (west, birch), [(east, cedar), (hub, dogwood)], epoch=1, seen=1)
        assert seq == 2
        await in_room(east, cedar, room, 2)
        await in_room(hub, dogwood, room, 2)
        assert (
            len(await east.delivery.welcomes(cedar.session)) == len(await hub.delivery.welcomes(dogwood.session)) == 1
        )
        await say(east, cedar, room, epoch=2, seen=2)
        for where, who, expected in ((hub, ash, [1, 2, 3]), (west, birch, [1, 2, 3]), (east, cedar, [2, 3])):
            await wait_log(where, who, room, 3)
            assert await seqs(where, who, room) == expected
        places = await west.delivery.places(birch.session, room)
        assert set(places.followers) == {west.id, east.id}


async def test_a_link_that_is_cut_loses_nothing_and_nothing_comes_twice(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        wire.cut(hub, home)
        for _ in range(5):
            await say(hub, ash, room, seen=1)
        said = [message(room, birch, seen=1) for _ in range(5)]
        waiting = [asyncio.create_task(home.delivery.submit(birch.session, each, now=NOW)) for each in said]
        with pytest.raises(Waiting):
            await waiting[0]
        assert hub.id in home.post.wanted
        wire.link(hub, home)
        await wait_log(home, birch, room, 11)
        assert await seqs(home, birch, room) == list(range(1, 12))
        await asyncio.gather(*waiting, return_exceptions=True)
        # The same entries again are the same entries; what one device wrote stands in its order.
        again = [await home.delivery.submit(birch.session, each, now=NOW) for each in said]
        assert [each.seq for each in again] == list(range(7, 12))
        assert await seqs(hub, ash, room) == list(range(1, 12))


async def told_of(where: Node, who: Member, submission: Submission) -> Outcome:
    """What becomes of something that is handed in."""
    outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    where.delivery.hand_in(who.session, submission, outcome.set_result, now=NOW)
    async with asyncio.timeout(20):
        return await outcome


async def test_what_is_handed_in_for_another_hub(tmp_path: Path) -> None:
    """As what is submitted, without a task of the one who hands it in."""
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        said = message(room, birch, seen=1)
        accepted = await told_of(home, birch, said)
        assert isinstance(accepted, Accepted)
        assert accepted.seq == 2
        assert await told_of(home, birch, said) == accepted
        refused = await told_of(home, birch, message(room, birch, seen=99))
        assert isinstance(refused, Refused)
        wire.cut(hub, home)
        late = message(room, birch, seen=1)
        assert isinstance(await told_of(home, birch, late), Waiting)
        wire.link(hub, home)
        await wait_log(home, birch, room, 3)
        again = await told_of(home, birch, late)
        assert isinstance(again, Accepted)
        assert again.seq == 3
        here = await told_of(hub, ash, message(room, ash, seen=1))
        assert isinstance(here, Accepted)


@pytest.mark.parametrize("lost", [0.2, 0.6])
async def test_answers_and_requests_that_get_lost_are_sent_again(tmp_path: Path, lost: float) -> None:
    chance = random.Random(7)
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        wire.lose = lambda *_: chance.random() < lost
        said = [message(room, birch, seen=1) for _ in range(10)]
        tasks = [asyncio.create_task(home.delivery.submit(birch.session, each, now=NOW)) for each in said]
        for _ in range(12):
            await asyncio.sleep(0.05)
            wire.cut(hub, home)
            wire.link(hub, home)
        wire.lose = lambda *_: False
        wire.cut(hub, home)
        wire.link(hub, home)
        await wait_log(home, birch, room, 11)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await seqs(hub, ash, room) == list(range(1, 12))
        assert await seqs(home, birch, room) == list(range(1, 12))


async def test_both_go_on_after_a_restart(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub") as (wire, hub):
        ash = await hub.member()
        room = await hub.room(ash)
        async with node(tmp_path / "home", wire, "home") as home:
            birch = await home.member()
            wire.link(hub, home)
            await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
            await in_room(home, birch, room, 1)
            wire.cut(hub, home)
            said = message(room, birch, seen=1)
            task = asyncio.create_task(home.delivery.submit(birch.session, said, now=NOW))
            await eventually(lambda: _waits(home, 1), "the entry is in the outbox")
            task.cancel()
        await say(hub, ash, room, seen=1)
        async with node(tmp_path / "home", wire, "home") as home:
            wire.link(hub, home)
            await wait_log(home, birch, room, 3)
            assert await seqs(home, birch, room) == [1, 2, 3]
            assert await home.delivery.submit(birch.session, said, now=NOW) == Accepted(*(await _entry(hub, said.id)))
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):  # the hub was restarted, too
        await say(hub, ash, room, seen=3)
        await wait_log(home, birch, room, 4)
        await say(home, birch, room, seen=3)
        await wait_log(home, birch, room, 5)


async def _waits(where: Node, many: int) -> bool:
    found = await where.store.database.read(
        lambda c: c.execute("SELECT count(*) FROM outgoing WHERE status IS NULL").fetchone()
    )
    return bool(found[0] == many)


async def _entry(where: Node, id: EntryId) -> tuple[int, int, bytes]:
    row = await where.store.database.read(
        lambda c: c.execute("SELECT id, time, hash FROM entry WHERE submission = ?", (id,)).fetchone()
    )
    return row[0] & 0xFFFFFFFF, row[1], row[2]


async def test_a_commit_that_comes_second_gets_what_came_first(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home", fanout_ms=300) as (_, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        first = await hub.delivery.submit(ash.session, commit(room, ash, epoch=1, seen=1), now=NOW)
        mine = commit(room, birch, epoch=1, seen=1)
        second = await home.delivery.submit(birch.session, mine, now=NOW)
        assert not isinstance(second, Accepted)
        assert [json.loads(each)["seq"] for each in second.page.entries] == [first.seq]
        assert second.page.head.position.seq == 2
        assert second.hub == hub.id
        # Judged invalid by its author, it is no longer in the way.
        again = type(mine)(mine.room, mine.mailbox, mine.id, mine.kind, 1, 2, mine.payload)
        done = await home.delivery.submit(birch.session, again, now=NOW)
        assert isinstance(done, Accepted)
        assert done.seq == 3


async def test_who_is_taken_out_reads_no_further_and_can_be_put_back(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch, cedar = await hub.member(), await home.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch), (home, cedar)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        out = commit(room, ash, epoch=1, seen=1, removes=[birch.mailbox])
        await hub.delivery.submit(ash.session, out, now=NOW)
        await say(hub, ash, room, epoch=2, seen=2)
        await wait_log(home, cedar, room, 3)

        async def is_out() -> bool:
            overview = await home.delivery.overview(birch.session)
            return bool(overview.rooms[0].until == 2)

        await eventually(is_out, "taken out", 25)
        assert await seqs(home, birch, room) == [1, 2]
        page = await home.delivery.log(birch.session, room, after=0, limit=9)
        assert page.head.position.seq == 2
        assert head_holds(hub.id, room, page.head)
        with pytest.raises(Refused) as refused:
            await home.delivery.submit(birch.session, message(room, birch, epoch=2, seen=2), now=NOW)
        assert refused.value.code is Refusal.NOT_ALLOWED
        # Members of any node put the mailbox back: the commit was invalid.
        await home.delivery.put_back(cedar.session, room, birch.mailbox, seen=2)

        async def is_in() -> bool:
            return (await home.delivery.overview(birch.session)).rooms[0].until is None

        await eventually(is_in, "put back")
        assert await seqs(home, birch, room) == [1, 2, 3]
        await say(home, birch, room, epoch=2, seen=3)


async def test_a_node_is_told_no_more_than_its_members_may_read(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        for seq in range(3):
            await say(hub, ash, room, epoch=0, seen=seq)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=3)
        await in_room(home, birch, room, 4)
        rows = await home.store.database.read(
            lambda c: c.execute("SELECT id & 4294967295, payload FROM entry").fetchall()
        )
        assert [seq for seq, _ in rows] == [4]
        await hub.delivery.submit(ash.session, commit(room, ash, epoch=1, seen=4, removes=[birch.mailbox]), now=NOW)
        for seq in (5, 6):
            await say(hub, ash, room, epoch=2, seen=seq)

        async def is_out() -> bool:
            return bool((await home.delivery.overview(birch.session)).rooms[0].until == 5)

        await eventually(is_out, "taken out", 25)
        await asyncio.sleep(0.1)
        held = await home.store.database.read(lambda c: c.execute("SELECT max(id & 4294967295) FROM entry").fetchone())
        assert held == (5,)


async def test_a_device_that_stops_is_taken_out_at_the_hub(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch, cedar = await hub.member(), await home.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch), (home, cedar)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        await home.delivery.stop(birch.session, room, birch.mailbox)
        await home.accounts.remove_device(cedar.session, cedar.session.device)

        async def left() -> bool:
            rows = await hub.store.database.read(lambda c: c.execute("SELECT gone FROM far_mailbox").fetchall())
            return bool(rows == [(1,), (1,)])

        await eventually(left, "both left")
        with pytest.raises(Refused):
            await hub.delivery.put_back(ash.session, room, birch.mailbox, seen=9)


async def test_files_go_to_the_hub_and_come_from_it(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "west", "east", link=False) as (wire, hub, west, east):
        wire.link(hub, west)
        wire.link(hub, east)
        ash, birch, cedar = await hub.member(), await west.member(), await east.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(west, birch), (east, cedar)], epoch=0, seen=0)
        await in_room(west, birch, room, 1)
        await in_room(east, cedar, room, 1)
        data = os.urandom(200_000)
        blob = BlobHash(sha256(data).digest())
        await west.delivery.put_blob(birch.session, room, blob, data, now=NOW)

        async def is_there() -> bool:
            try:
                return bool((await hub.delivery.blob(ash.session, room, blob)).size == len(data))
            except Refused:
                return False

        await eventually(is_there, "the file at the hub")
        assert (await hub.delivery.blob(ash.session, room, blob)).path.read_bytes() == data
        fetched = await east.delivery.blob(cedar.session, room, blob)
        assert fetched.path.read_bytes() == data
        wire.cut(hub, east)
        assert (await east.delivery.blob(cedar.session, room, blob)).size == len(data)  # kept
        with pytest.raises(Waiting):
            await east.delivery.blob(cedar.session, room, BlobHash(bytes(32)))
        stranger = await east.member()
        with pytest.raises(Refused):
            await east.delivery.blob(stranger.session, room, blob)


async def test_asks_reach_the_members_of_all_nodes_and_are_gone_everywhere(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "west", "east", link=False) as (wire, hub, west, east):
        wire.link(hub, west)
        wire.link(hub, east)
        ash, birch, cedar = await hub.member(), await west.member(), await east.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(west, birch), (east, cedar)], epoch=0, seen=0)
        await in_room(west, birch, room, 1)
        await in_room(east, cedar, room, 1)
        tablet = await west.device_of(birch)
        ask = await west.accounts.add_room_ask(tablet.session, room, b"let my tablet in", now=NOW)
        for where, who in ((hub, ash), (west, birch), (east, cedar)):
            (row,) = await wait_asks(where, who, 1)
            assert (row.ask, row.room, row.invite, row.body) == (ask, room, None, b"let my tablet in")
        assert await west.accounts.asks(tablet.session) == []
        await east.accounts.remove_ask(cedar.session, ask)
        for where, who in ((hub, ash), (west, birch), (east, cedar)):
            await wait_asks(where, who, 0)


async def test_an_invitation_of_another_node_is_read_and_answered(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "west", "east", link=False) as (wire, hub, west, east):
        wire.link(hub, west)
        wire.link(hub, east)
        ash, birch, cedar = await hub.member(), await west.member(), await east.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(east, cedar)], epoch=0, seen=0)
        await in_room(east, cedar, room, 1)
        invite, proof = InviteId(os.urandom(16)), os.urandom(32)
        made = NewInvite(invite, sha256(proof).digest(), NOW + 86_400, 5, b"sealed note", room)
        await hub.accounts.add_invite(ash.session, made, now=NOW)
        view = await west.accounts.read_far_invite(birch.session, hub.id, invite, proof, now=NOW)
        assert (view.title, view.expires, view.note) == ("hub", NOW + 86_400, b"sealed note")
        with pytest.raises(Refused) as refused:
            await west.accounts.read_far_invite(birch.session, hub.id, invite, os.urandom(32), now=NOW)
        assert refused.value.code is Refusal.UNKNOWN
        ask = await west.accounts.add_far_ask(birch.session, hub.id, invite, proof, b"sealed ask", now=NOW)
        assert ask == await west.accounts.add_far_ask(birch.session, hub.id, invite, proof, b"sealed ask", now=NOW)
        for where, who in ((hub, ash), (east, cedar)):
            (row,) = await wait_asks(where, who, 1)
            assert (row.ask, row.room, row.invite, row.body) == (ask, room, invite, b"sealed ask")
        await hub.accounts.remove_ask(ash.session, ask)
        await wait_asks(east, cedar, 0)


async def test_large_letters_wait_for_room_on_the_link(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        hub.post.room = 0
        large = [message(room, ash, seen=1, size=70_000) for _ in range(10)]
        for each in large:
            await hub.delivery.submit(ash.session, each, now=NOW)
        for _ in range(60):
            hub.post.room += 1
            await asyncio.sleep(0.01)
        hub.post.room = None
        await wait_log(home, birch, room, 11)
        assert await seqs(home, birch, room) == list(range(1, 12))
