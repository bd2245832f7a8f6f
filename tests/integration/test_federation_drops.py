"""Rooms of nodes that are never online at the same time, as long as a third one is."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import mls_bytes
from drop_worlds import PACE, Village, eventually, newest, together, village
from hedgerow_node.federation.holding import DROPS_NODE_BURST
from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import deposit_rows, drop_rows
from hedgerow_node.store.private.deposit_rows import OF_PAIR_MAX
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Waiting
from hedgerow_protocol.delivery.values import Accepted, KeyPackageRef, RoomId, Submission, WelcomeOut
from hedgerow_protocol.federation.drops import drop_id, seal_drop
from hedgerow_protocol.federation.letters import Answer, Request, encode
from hedgerow_protocol.federation.values import (
    Claimed,
    Done,
    DropFetch,
    DropLeft,
    DropsFound,
    KeyPackageClaim,
    RefusalAnswer,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.ports import Timestamp
from linked_worlds import Node, in_room, node_key, wait_log
from private_worlds import DAY, NOW, Member, commit, message


@asynccontextmanager
async def meanwhile(asking: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """A device asks for what will not be answered as long as it waits."""
    task = asyncio.create_task(asking)
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_room_of_two_nodes_that_are_never_up_together(tmp_path: Path) -> None:
    async with village(tmp_path) as place:
        async with place.online("home") as home:
            birch = await home.member()
            ref, consent = await home.offer(birch)
        async with place.online("hub") as hub:
            ash = await hub.member()
            room = await hub.room(ash)
            async with meanwhile(hub.delivery.claim_key_package(ash.session, ref, consent, home=home.id, now=NOW)):
                await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await place.has_fetched(home)
            await place.has_left(home, hub.id)
        async with place.online("hub") as hub:
            claimed = await hub.delivery.claim_key_package(ash.session, ref, consent, home=home.id, now=NOW)
            assert claimed.mailbox == birch.mailbox
            welcome = WelcomeOut(KeyPackageRef(ref), mls_bytes.welcome([ref]), home.id, birch.mailbox)
            done = await hub.delivery.submit(
                ash.session, commit(room, ash, epoch=0, seen=0, welcomes=[welcome]), now=NOW
            )
            assert isinstance(done, Accepted)
            await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await place.has_fetched(home)  # the Welcome; its device hears of it when the commit has come, too
            await place.has_left(home, hub.id)
        async with place.online("hub") as hub:
            await place.has_fetched(hub)
            await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await in_room(home, birch, room, done.seq)
            said = message(room, birch, seen=done.seq, epoch=1)
            async with meanwhile(home.delivery.submit(birch.session, said, now=NOW)):
                await place.has_left(home, hub.id)
        async with place.online("hub") as hub:
            await wait_log(hub, ash, room, 2)
            await hub.delivery.submit(ash.session, message(room, ash, seen=2, epoch=1), now=NOW)
            await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await wait_log(home, birch, room, 3)
            again = await home.delivery.submit(birch.session, said, now=NOW)
            assert isinstance(again, Accepted)
            assert again.seq == 2
            await place.has_left(home, hub.id)
        async with place.online("hub") as hub:

            async def has_all() -> bool:
                query = "SELECT acknowledged FROM follower WHERE node = ?"
                row = await hub.store.database.read(lambda c: c.execute(query, (home.id,)).fetchone())
                return bool(row == (3,))

            await eventually(has_all, "the hub knows that all of it has come")
        assert not any({home.id, hub.id} == {sender, to} for sender, to, _ in place.wire.frames)


async def test_what_a_drop_asks_is_done_once_however_often_it_comes(tmp_path: Path) -> None:
    async with village(tmp_path) as place:
        ash = place.stranger("ash")
        async with place.online("home") as home:
            birch = await home.member()
            ref, consent = await home.offer(birch)
        request = Request(bytes(16), KeyPackageClaim(KeyPackageRef(ref), consent, bytes(16)))
        sealed = seal_drop(ash.key, home.id, [encode(request)], NOW, os.urandom(32))
        assert await ash.ask(place.holder, DropLeft(home.id, sealed)) == Done()
        async with place.online("home") as home:
            await place.has_fetched(home)
            (answer,) = await place.taken_by(ash)
            assert isinstance(answer, Answer)
            assert answer.id == request.id
            assert isinstance(answer.body, Claimed)
        # The holder, or anybody who saw it, brings it again: nothing comes of it.
        assert await ash.ask(place.holder, DropLeft(home.id, sealed)) == Done()
        async with place.online("home") as home:
            await place.has_fetched(home)
            await asyncio.sleep(4 * PACE.look)
            assert await place.lies_for(ash.id) == 0
        # The same request in a new drop is answered anew: the first answer may be lost.
        again = seal_drop(ash.key, home.id, [encode(request)], NOW, os.urandom(32))
        assert await ash.ask(place.holder, DropLeft(home.id, again)) == Done()
        async with place.online("home") as home:
            await place.has_fetched(home)
            assert await place.taken_by(ash) == [answer]


async def test_nothing_comes_of_forged_drops_nor_of_those_for_others(tmp_path: Path) -> None:
    async with village(tmp_path) as place:
        ash, mallory = place.stranger("ash"), place.stranger("mallory")
        async with place.online("home") as home:
            birch = await home.member()
            ref, consent = await home.offer(birch)
        request = Request(bytes(16), KeyPackageClaim(KeyPackageRef(ref), consent, bytes(16)))
        said = [encode(request)]
        forger = SigningKey(ash.key.usage, ash.key.public, mallory.key._secret)
        for wrong in (
            seal_drop(forger, home.id, said, NOW, os.urandom(32)),  # in somebody's name
            seal_drop(ash.key, mallory.id, said, NOW, os.urandom(32)),  # for somebody else
            seal_drop(ash.key, home.id, said, Timestamp(NOW - 17 * DAY), os.urandom(32)),  # too old
            seal_drop(ash.key, home.id, said, Timestamp(NOW + 2 * DAY), os.urandom(32)),  # of a time to come
            seal_drop(ash.key, home.id, [b"no letter", encode(Request(bytes(16), DropFetch(())))], NOW, os.urandom(32)),
            os.urandom(1024),
        ):
            assert await mallory.ask(place.holder, DropLeft(home.id, wrong)) == Done()
            async with place.online("home") as home:
                await place.has_fetched(home)
                await asyncio.sleep(2 * PACE.look)
                claimed = await home.store.database.read(_claimed)
                assert not claimed
            assert await place.lies_for(ash.id) == await place.lies_for(mallory.id) == 0
        # Whoever is shut out is not heard by this way either.
        place.told.shut_out = frozenset((ash.id,))
        good = seal_drop(ash.key, home.id, said, NOW, os.urandom(32))
        assert await mallory.ask(place.holder, DropLeft(home.id, good)) == Done()
        async with place.online("home") as home:
            await place.has_fetched(home)
            assert not await home.store.database.read(_claimed)
        # And this is what would have come of it.
        place.told.shut_out = frozenset()
        good = seal_drop(ash.key, home.id, said, NOW, os.urandom(32))
        assert await mallory.ask(place.holder, DropLeft(home.id, good)) == Done()
        async with place.online("home") as home:
            await place.has_fetched(home)
            assert await home.store.database.read(_claimed)


def _claimed(connection: Connection) -> bool:
    row = connection.execute("SELECT count(*) FROM key_package WHERE claimed_node IS NOT NULL").fetchone()
    return bool(row[0])


async def test_a_holder_gives_drops_to_nobody_else_and_refuses_what_is_none(tmp_path: Path) -> None:
    async with village(tmp_path) as place:
        ash, mallory, birch = place.stranger("ash"), place.stranger("mallory"), node_key("birch")
        away = NodeId(birch.public[1:])  # a node that the holder has never heard of
        sealed = seal_drop(ash.key, away, [b"x"], NOW, os.urandom(32))
        assert await ash.ask(place.holder, DropLeft(away, sealed)) == Done()
        assert await mallory.ask(place.holder, DropFetch((drop_id(sealed),))) == DropsFound((), False)
        assert await place.lies_for(away) == 1
        for to, what in ((away, b"x" * 1000), (place.holder.id, sealed), (ash.id, sealed)):
            answer = await ash.ask(place.holder, DropLeft(to, what))
            assert isinstance(answer, RefusalAnswer)
            assert answer.code is Refusal.BAD
        for _ in range(DROPS_NODE_BURST):
            answer = await ash.ask(place.holder, DropLeft(away, os.urandom(1024)))
        assert isinstance(answer, RefusalAnswer)
        assert answer.code is Refusal.TOO_FAST
        assert await place.lies_for(away) == OF_PAIR_MAX
        async with place.online("nobody") as other:
            for body in (DropLeft(away, sealed), DropFetch(())):
                place.wire.link(ash, other)
                answer = await ash.ask(other, body)
                assert isinstance(answer, RefusalAnswer)
                assert answer.code is Refusal.BAD


@pytest.mark.parametrize("known", [True, False])
async def test_what_no_holder_takes_waits_and_is_answered_when_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    async with village(tmp_path) as place:
        ash = place.stranger("ash")
        async with place.online("home", link=False) as home:
            birch = await home.member()
            ref, consent = await home.offer(birch)
            if known:
                asking = home.delivery.claim_key_package(birch.session, os.urandom(32), b"some", home=ash.id, now=NOW)
                async with meanwhile(asking):
                    await eventually(lambda: home.store.database.read(lambda c: drop_rows.is_known(c, ash.id)), "known")
        request = Request(bytes(16), KeyPackageClaim(KeyPackageRef(ref), consent, bytes(16)))
        sealed = seal_drop(ash.key, home.id, [encode(request)], NOW, os.urandom(32))
        assert await ash.ask(place.holder, DropLeft(home.id, sealed)) == Done()
        monkeypatch.setattr(deposit_rows, "BYTES_MAX", 1500)
        async with place.online("home") as home:
            await eventually(lambda: home.store.database.read(_claimed), "the KeyPackage is claimed")
            if not known:
                # Anybody could leave so much that nothing else comes through: who is not known asks again.
                await place.has_fetched(home)
                return
            await asyncio.sleep(4 * PACE.look)
            # There was no room for the answer, so the drop is not over.
            assert await place.lies_for(home.id) == 1
            assert await place.lies_for(ash.id) == 0
        monkeypatch.setattr(deposit_rows, "BYTES_MAX", 1_000_000)
        async with place.online("home") as home:
            await place.has_fetched(home)
            said = await place.taken_by(ash)
            (answer,) = [each for each in said if isinstance(each, Answer)]
            assert answer.id == request.id
            assert isinstance(answer.body, Claimed)


async def test_a_holder_is_looked_for_and_another_one_where_it_does_not_come(tmp_path: Path) -> None:
    gone, away = NodeId(node_key("gone").public[1:]), NodeId(node_key("away").public[1:])
    async with village(tmp_path) as place:
        place.told.able.append(gone)
        place.told.relays[away] = [gone]
        async with place.online("hub", link=False, pace=replace(PACE, link=0.3)) as hub:
            ash = await hub.member()
            asking = hub.delivery.claim_key_package(ash.session, os.urandom(32), b"consent", home=away, now=NOW)
            async with meanwhile(asking):
                wanted = hub.post.wanted
                await eventually(lambda: _is_in(place.holder.id, wanted), "the second one is looked for")
                assert wanted.index(gone) < wanted.index(place.holder.id)
                place.wire.link(hub, place.holder)
                await place.has_left(hub, away)
                tried = wanted.count(gone)
                hub.later = DAY  # once more, and who was not there a moment ago is passed over

                async def is_left_again() -> bool:
                    return await place.lies_for(away) == 2

                await eventually(is_left_again, "it lies there once more")
                assert wanted.count(gone) == tried


async def _is_in(node: NodeId, wanted: list[NodeId]) -> bool:
    return node in wanted


async def test_a_drop_left_twice_is_the_same_until_a_day_has_passed(tmp_path: Path) -> None:
    async with village(tmp_path) as place:
        away = node_key("away")
        to = NodeId(away.public[1:])
        async with place.online("hub") as hub:
            ash = await hub.member()
            async with meanwhile(
                hub.delivery.claim_key_package(ash.session, os.urandom(32), b"consent", home=to, now=NOW)
            ):
                await place.has_left(hub, to)
                await asyncio.sleep(6 * PACE.look)
                assert await place.lies_for(to) == 1
                hub.later = DAY

                async def is_left_again() -> bool:
                    return await place.lies_for(to) == 2

                await eventually(is_left_again, "it lies there once more")
        await place.holder.federation.prune(Timestamp(NOW + limits.DROP_SECONDS_KEPT + DAY))
        assert await place.lies_for(to) == 0


async def test_a_follower_that_lost_something_says_so_by_drop(tmp_path: Path) -> None:
    async with village(tmp_path) as place:
        ash, birch, room = await together(place)
        async with place.online("hub") as hub, place.online("home") as home:
            place.wire.link(hub, home)
            await hub.delivery.submit(ash.session, message(room, ash, epoch=1, seen=1), now=NOW)
            await in_room(home, birch, room, 2)
        async with place.online("hub") as hub:
            await _say_and_leave(place, hub, home.id, ash, room, 2)
            query = "UPDATE follower SET acknowledged = 3"  # as if it had said that it has all of it
            await place.forget_drops()
            await hub.store.database.write(lambda c: c.execute(query))
        async with place.online("hub") as hub:
            await _say_and_leave(place, hub, home.id, ash, room, 3)
        async with place.online("home") as home:
            await place.has_fetched(home)
            assert await newest(home, birch, room) == 2
            await place.has_said(home, hub.id)
        async with place.online("hub") as hub:
            await place.has_fetched(hub)
            await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await wait_log(home, birch, room, 4)


async def _say_and_leave(place: Village, hub: Node, to: NodeId, ash: Member, room: RoomId, seen: int) -> None:
    await hub.delivery.submit(ash.session, message(room, ash, epoch=1, seen=seen), now=NOW)
    await place.has_left(hub, to)


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_or_out_of_order_whenever_nodes_come_and_go(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    async with village(tmp_path) as place:
        ash, birch, room = await together(place)
        said: dict[str, list[bytes]] = {"hub": [], "home": []}

        async def session(name: str, number: int, many: int) -> list[bytes]:
            """One of the two is up for a while; ids of what it has of the log at the end."""
            me, there = (birch, "hub") if name == "home" else (ash, "home")
            async with place.online(name, later=number * DAY // 3) as here, asyncio.TaskGroup() as tasks:
                asking = []
                for _ in range(many):
                    written = message(room, me, epoch=1, seen=1)
                    said[name].append(written.id)
                    asking.append(tasks.create_task(_submit(here, me, written)))
                await eventually(lambda: here.store.database.read(partial(_has_all, said[name])), "it is on the disk")
                await asyncio.sleep(dice.choice((0.0, 0.1, 0.2)))
                if many == 0:
                    await place.has_fetched(here)
                    await _quiet(place, place.id_of(there))
                for each in asking:
                    each.cancel()
                return await here.store.database.read(_log)

        for number in range(8):
            await session(dice.choice(("hub", "home")), number, dice.randrange(1, 4))
            if dice.random() < 0.25:
                await place.forget_drops()  # whoever held them is gone
        for number in range(8, 24):
            logs = [await session(name, number, 0) for name in ("home", "hub")]
            if logs[0] == logs[1] and len(logs[0]) == 1 + sum(map(len, said.values())):
                break
        assert logs[0] == logs[1]
        for ids in said.values():
            assert [each for each in logs[0] if each in ids] == ids


async def _submit(where: Node, member: Member, written: Submission) -> None:
    with suppress(Waiting):
        await where.delivery.submit(member.session, written, now=NOW)


def _has_all(ids: list[bytes], connection: Connection) -> bool:
    """Whether each stands in the log or in the outbox."""
    abouts = [row[0] for row in connection.execute("SELECT about FROM outgoing WHERE kind = 'submit'")]
    entries = set(_log(connection))
    return all(each in entries or any(about.endswith(each) for about in abouts) for each in ids)


def _log(connection: Connection) -> list[bytes]:
    return [row[0] for row in connection.execute("SELECT submission FROM entry ORDER BY id")]


async def _quiet(place: Village, to: NodeId) -> None:
    """Wait until nothing new has been left for a node for some looks."""
    before, calm = -1, 0
    query = "SELECT coalesce(max(id), 0) FROM deposit WHERE destination = ?"
    while calm < 4:
        (last,) = await place.holder.store.database.read(lambda c: c.execute(query, (to,)).fetchone())
        calm = calm + 1 if last == before else 0
        before = last
        await asyncio.sleep(PACE.look)
