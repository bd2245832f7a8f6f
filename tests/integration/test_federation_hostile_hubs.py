"""Hubs that forge or withhold, silent followers, letters said again: bounded, seen, felt in no other room."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import mls_bytes
from hedgerow_node.federation import far_delivery, sending
from hedgerow_node.federation.tally import Why
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import BEGINNING, sign_head
from hedgerow_protocol.delivery.refusal import Waiting
from hedgerow_protocol.delivery.values import Entry, KeyPackageRef, Position, RoomId, WelcomeOut
from hedgerow_protocol.federation import fanout
from hedgerow_protocol.federation.letters import Answer, Heads, Notify, Request
from hedgerow_protocol.federation.values import (
    Follow,
    Following,
    MoveRead,
    PutBack,
    RefusalAnswer,
    Submit,
    Unfollow,
)
from linked_worlds import Node, Stranger, eventually, in_room, node_key, nodes
from lying_hubs import OtherRoom, entries_from, held, joined, refused_of, seen_of, told
from private_worlds import DAY, NOW, Member, commit, message


async def test_forged_notifies_are_counted_and_take_nothing(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, honest, home):
        other = await OtherRoom.between(honest, home)
        birch = await home.member()
        liar, stranger = Stranger(wire, node_key("liar")), Stranger(wire, node_key("stranger"))
        wire.link(liar, home)
        wire.link(stranger, home)
        room = RoomId(os.urandom(32))
        await joined(liar, home, birch, room)
        good = entries_from(BEGINNING, room, 3)
        whole = told(liar, room, BEGINNING, good)
        soon = NOW + limits.CLOCK_SKEW_SECONDS_MAX + 60
        for _ in range(5):
            stranger.say(home, whole)  # not its hub
            stranger.say(home, told(stranger, other.room, BEGINNING, good))
            liar.say(home, told(stranger, room, BEGINNING, good))  # signed by somebody else
            liar.say(home, replace(whole, entries=(good[0], replace(good[1], time=NOW + 1), good[2])))
            liar.say(home, replace(whole, entries=good[::-1]))  # type: ignore[arg-type]
            liar.say(home, told(liar, room, BEGINNING, entries_from(BEGINNING, room, 1, time=soon)))
            liar.say(home, Heads(room, sign_head(stranger.key, room, Position(9, os.urandom(32), NOW))))
            await other.talks()
        assert await refused_of(home, stranger.id, Why.NOT_THEIRS, 10) == 10
        assert await refused_of(home, liar.id, Why.FORGED, 20) == 20
        assert await refused_of(home, liar.id, Why.FUTURE, 5) == 5
        assert (await held(home, room), await held(home, other.room)) == (0, other.seq)
        # More at once than is looked at: the rest is passed over.
        for _ in range(500):
            liar.say(home, told(stranger, room, BEGINNING, good))
        assert await refused_of(home, liar.id, Why.PACE, 1) > 0
        liar.say(home, whole)
        await other.talks()
        assert (await seen_of(home, honest.id)).refused == {}
        assert not (await seen_of(home, liar.id)).lied, "forging proves nothing against a hub"


async def _rows(where: Node) -> list[Any]:
    tables = ("room", "entry", "mailbox", "far_mailbox", "ask", "far_ask", "blob", "outgoing")
    return await where.store.database.read(lambda c: [c.execute(f"SELECT * FROM {each}").fetchall() for each in tables])


async def test_old_letters_after_a_reconnect_and_from_another_link(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        replayed, other = await OtherRoom.between(hub, home), await OtherRoom.between(hub, home)
        for _ in range(3):
            await replayed.talks()
        frames = list(wire.frames)
        wire.cut(hub, home)
        wire.link(hub, home)
        await other.talks()
        before = [await _rows(hub), await _rows(home)]
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, hub)
        wire.link(stranger, home)
        for sender, to, frame in frames:
            wire.carry(sender, to, frame)
            wire.carry(stranger.id, to, frame)
        # What the other side had said is not the stranger's to say; what a link brings again is known.
        await refused_of(hub, stranger.id, Why.NOT_THERE, 5)
        await refused_of(home, stranger.id, Why.NOT_THEIRS, 6)
        await refused_of(home, hub.id, Why.AGAIN, 3)
        await refused_of(home, hub.id, Why.UNASKED, 3)
        await eventually(lambda: _is_quiet(wire), "all is answered")
        assert [await _rows(hub), await _rows(home)] == before
        for each in (replayed, other):
            await each.talks()


async def _is_quiet(wire: Any) -> bool:
    many = len(wire.frames)
    await asyncio.sleep(0.2)
    return len(wire.frames) == many


async def test_who_claims_the_mailboxes_of_others_gets_nothing(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        claimed, other = await OtherRoom.between(hub, home), await OtherRoom.between(hub, home)
        liar = Stranger(wire, node_key("liar"))
        wire.link(liar, hub)
        before = await _rows(hub)
        mailboxes = (claimed.guest.mailbox, claimed.founder.mailbox)
        answers = [await liar.ask(hub, Follow(claimed.room, 0, mailboxes))]
        for mailbox in mailboxes:
            said = replace(message(claimed.room, claimed.guest, seen=1), mailbox=mailbox, welcomes=(), removes=())
            answers.append(await liar.ask(hub, Submit(said)))
            answers.append(await liar.ask(hub, Unfollow(claimed.room, mailbox)))
            answers.append(await liar.ask(hub, PutBack(claimed.room, mailbox, mailboxes[0], 9)))
            answers.append(await liar.ask(hub, MoveRead(claimed.room, 1, (mailbox,))))
        assert {type(each) for each in answers} == {RefusalAnswer}
        assert await refused_of(hub, liar.id, Why.NOT_THERE, len(answers)) == len(answers) == 9
        assert await _rows(hub) == before
        assert not [each for each in liar.heard if isinstance(each, Notify)]
        for each in (claimed, other):
            await each.talks()
        assert (await seen_of(hub, home.id)).refused == {}


async def test_a_follower_that_never_acknowledges_is_seen_and_waited_for_a_limited_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "STALLED_SECONDS", 0.2)
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        other = await OtherRoom.between(hub, home)
        ash, cedar = await hub.member(), await hub.member()
        silent = Stranger(wire, node_key("silent"))
        wire.link(silent, hub)
        room = await hub.room(ash)
        welcome = WelcomeOut(KeyPackageRef(os.urandom(32)), mls_bytes.welcome([bytes(32)]), silent.id, cedar.mailbox)
        await hub.delivery.submit(ash.session, commit(room, ash, epoch=0, seen=0, welcomes=[welcome]), now=NOW)
        assert isinstance(await silent.ask(hub, Follow(room, 0, (cedar.mailbox,))), Following)
        for seq in range(1, 301):
            await hub.delivery.submit(ash.session, message(room, ash, epoch=1, seen=seq), now=NOW)
        await other.talks()

        async def is_seen() -> bool:
            return (await seen_of(hub, silent.id)).stalled

        await eventually(is_seen, "the keeper sees it", 30)
        seen = await seen_of(hub, silent.id)
        assert (seen.behind, seen.up, seen.waiting) == (100, True, 1), "301 entries, and the Welcome waits, too"
        assert not (await seen_of(hub, home.id)).stalled
        assert (await seen_of(hub, home.id)).behind <= 1
        sent = [each for notify in silent.heard if isinstance(notify, Notify) for each in notify.entries]
        assert 0 < len(sent) <= limits.NOTIFY_ENTRIES_MAX
        # A new link tells it the same once more, and not more than that.
        wire.cut(silent, hub)  # type: ignore[arg-type]
        silent.heard.clear()
        wire.link(silent, hub)
        await silent.hear(lambda each: isinstance(each, Notify) and len(each.entries) > 0)
        await other.talks()
        sent = [each for notify in silent.heard if isinstance(notify, Notify) for each in notify.entries]
        assert len(sent) <= limits.NOTIFY_ENTRIES_MAX
        # Commits wait for it, and for everybody, for at most three months.
        hub.later = home.later = limits.COMMIT_SECONDS_KEPT - DAY
        await hub.delivery.acknowledge([(ash.session, room, 301)])
        await hub.delivery.prune(now=NOW + hub.later)
        assert await _commits_kept(hub, room) == 1
        await hub.delivery.prune(now=NOW + limits.COMMIT_SECONDS_KEPT + DAY)
        assert await _commits_kept(hub, room) == 0
        await other.talks()


async def _commits_kept(where: Node, room: RoomId) -> int:
    found = await where.store.database.read(
        lambda c: c.execute(
            "SELECT count(*) FROM entry e JOIN room r ON e.id >> 32 = r.id"
            " WHERE r.name = ? AND e.kind = 1 AND e.payload IS NOT NULL",
            (room,),
        ).fetchone()
    )
    return int(found[0])


async def _away(where: Node, who: Member, room: RoomId) -> int | None:
    return (await where.delivery.places(who.session, room)).away_since


async def test_a_hub_that_answers_no_submission_is_seen_by_members_and_keeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, honest, home):
        other = await OtherRoom.between(honest, home)
        birch = await home.member()
        deaf = Stranger(wire, node_key("deaf"))
        wire.link(deaf, home)
        room = RoomId(os.urandom(32))
        await joined(deaf, home, birch, room)
        deaf.say(home, told(deaf, room, BEGINNING, entries_from(BEGINNING, room, 1)))
        await in_room(home, birch, room, 1)
        follow = await deaf.hear(lambda each: isinstance(getattr(each, "body", None), Follow))
        assert isinstance(follow, Request)
        head = sign_head(deaf.key, room, Position(1, os.urandom(32), NOW))
        deaf.say(home, Answer(follow.id, Following(head, ())))
        for _ in range(3):
            with monkeypatch.context() as brief:
                brief.setattr(far_delivery, "SUBMIT_SECONDS", 0.1)
                with pytest.raises(Waiting):
                    await home.delivery.submit(birch.session, message(room, birch, seen=1), now=NOW)
            await other.talks()
        assert await _away(home, birch, room) is None
        assert (await seen_of(home, deaf.id)).silent_since is None
        home.later = sending.SILENT_SECONDS
        assert await _away(home, birch, room) == NOW, "members see that the room's node does not answer"
        seen = await seen_of(home, deaf.id)
        assert (seen.silent_since, seen.waiting, seen.waiting_since, seen.up) == (NOW, 3, NOW, True)
        assert await _away(home, other.guest, other.room) is None
        assert (await seen_of(home, honest.id)).silent_since is None
        await other.talks()


async def test_a_hub_that_keeps_back_what_others_have_is_found_out(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "west", "east") as (wire, honest, west, east):
        other = await OtherRoom.between(honest, west)
        birch, cedar = await west.member(), await east.member()
        miser = Stranger(wire, node_key("miser"))
        room = RoomId(os.urandom(32))
        story = entries_from(BEGINNING, room, 3)
        for where, who, fellow in ((west, birch, east), (east, cedar, west)):
            wire.link(miser, where)
            await joined(miser, where, who, room)
            await _followed(miser, where, room, story, fellow)
            # One of them is told one entry, the other three.
            many = 1 if where is west else 3
            miser.say(where, told(miser, room, BEGINNING, story[:many]))
            await in_room(where, who, room, many)
        await eventually(partial(_is_ahead, west, birch, room), "what others have is seen", 30)
        await other.talks()
        assert (await seen_of(west, miser.id)).silent_since is None, "it may be a moment late"
        west.later = sending.SILENT_SECONDS
        assert (await seen_of(west, miser.id)).silent_since == NOW
        assert (await seen_of(east, miser.id)).silent_since is None
        assert (await seen_of(west, honest.id)).silent_since is None
        # Told, it is forgotten.
        at = Position(1, story[0].hash, story[0].time)
        miser.say(west, told(miser, room, at, story[1:]))
        await in_room(west, birch, room, 3)
        assert await _away(west, birch, room) is None
        assert (await seen_of(west, miser.id)).silent_since is None


async def _followed(hub: Stranger, where: Node, room: RoomId, story: Sequence[Entry], fellow: Node) -> None:
    """The follow of a node is answered with who else follows."""
    follow = await hub.hear(lambda each: isinstance(getattr(each, "body", None), Follow))
    assert isinstance(follow, Request)
    last = story[-1]
    hub.say(
        where, Answer(follow.id, Following(sign_head(hub.key, room, Position(3, last.hash, last.time)), (fellow.id,)))
    )
    hub.heard.clear()


async def _is_ahead(where: Node, who: Member, room: RoomId) -> bool:
    return await _away(where, who, room) is not None


async def test_what_the_keeper_sees_names_no_room_and_nobody(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        other = await OtherRoom.between(hub, home)
        await other.talks()
        for where, peer in ((hub, home), (home, hub)):
            (seen,) = await where.federation.standing()
            assert seen.node == peer.id
            said = repr(seen.to_json())
            for secret in (other.room, other.guest.mailbox, other.founder.mailbox):
                assert repr(secret) not in said
                assert secret.hex() not in said
            assert set(seen.to_json()) == {
                "node", "shares_rooms", "up", "since", "waiting", "waiting_since", "behind_at_least", "stalled",
                "silent_since", "two_stories", "refused",
            }  # fmt: skip
        await eventually(partial(_all_acknowledged, hub, home), "nothing is left to tell")


async def _all_acknowledged(hub: Node, home: Node) -> bool:
    seen = await seen_of(hub, home.id)
    return (seen.behind, seen.waiting, seen.shares) == (0, 0, True)
