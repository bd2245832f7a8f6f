"""Nodes that lie, forge, replay, withhold or pry: bounded, visible, and without effect on anybody else."""

import asyncio
import os
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import mls_bytes
from hedgerow_node.federation import answering
from hedgerow_node.store.private.values import NewInvite
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash, sign_head
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import (
    Accepted,
    BlobHash,
    Entry,
    EntryId,
    EntryKind,
    Head,
    InviteId,
    KeyPackageRef,
    Position,
    RoomId,
    WelcomeOut,
)
from hedgerow_protocol.federation import forks
from hedgerow_protocol.federation.letters import Acknowledge, Answer, Fetch, Heads, Notify, Request, decode
from hedgerow_protocol.federation.values import (
    AskGone,
    AskLetter,
    AskTold,
    BlobGet,
    BlobPut,
    Busy,
    Follow,
    Following,
    MailboxTold,
    PutBack,
    RefusalAnswer,
    RequestBody,
    RoomAsk,
    Submit,
    SubmitAccepted,
    Unfollow,
    WelcomeLetter,
)
from linked_worlds import Node, Stranger, eventually, in_room, let_in_from, node_key, nodes, wait_log
from lying_hubs import entries_from, held, joined, seen_of, told
from private_worlds import DAY, NOW, Member, commit, message


async def test_a_node_without_a_mailbox_learns_nothing_and_changes_nothing(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        data = b"sealed"
        blob = BlobHash(sha256(data).digest())
        await hub.delivery.put_blob(ash.session, room, blob, data, now=NOW)
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, hub)
        before = await _state(hub)

        def requests(of: RoomId) -> list[RequestBody]:
            said = message(of, birch, seen=1)
            return [
                Submit(replace(said, welcomes=(), removes=())),
                Submit(replace(said, mailbox=ash.mailbox, welcomes=(), removes=())),
                Follow(of, 0, (birch.mailbox,)),
                Unfollow(of, birch.mailbox),
                PutBack(of, birch.mailbox, ash.mailbox, 9),
                RoomAsk(of, bytes(16), b"let me in"),
                AskGone(of, EntryId(bytes(16))),  # type: ignore[arg-type]
                AskTold(of, EntryId(bytes(16)), None, b"look", NOW),  # type: ignore[arg-type]
                BlobGet(of, blob, 0),
                BlobPut(of, blob, len(data), 0, data),
                MailboxTold(of, ash.mailbox, None),
            ]

        known = [await stranger.ask(hub, body) for body in requests(room)]
        unknown = [await stranger.ask(hub, body) for body in requests(RoomId(os.urandom(32)))]
        assert known == unknown
        assert {each.code for each in known if isinstance(each, RefusalAnswer)} == {Refusal.UNKNOWN}
        stranger.say(hub, Fetch(room, 0))
        stranger.say(hub, Acknowledge(room, 1))
        await asyncio.sleep(0.05)
        assert not [each for each in stranger.heard if isinstance(each, Notify)]
        assert await _state(hub) == before


async def _state(where: Node) -> list[Any]:
    tables = ("room", "entry", "mailbox", "far_mailbox", "follower", "ask", "far_ask", "blob", "outgoing")
    return await where.store.database.read(lambda c: [c.execute(f"SELECT * FROM {each}").fetchall() for each in tables])


async def test_a_follower_cannot_speak_for_a_mailbox_of_another_node(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "west", "east") as (wire, hub, west, east):
        ash, birch, cedar = await hub.member(), await west.member(), await east.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(west, birch), (east, cedar)], epoch=0, seen=0)
        await in_room(east, cedar, room, 1)
        await in_room(west, birch, room, 1)
        wire.cut_all(west)
        liar = Stranger(wire, west.key)
        wire.link(liar, hub)
        for mailbox in (ash.mailbox, cedar.mailbox):
            said = replace(message(room, birch, seen=1), mailbox=mailbox, welcomes=(), removes=())
            answer = await liar.ask(hub, Submit(said))
            assert isinstance(answer, RefusalAnswer)
            assert answer.code is Refusal.UNKNOWN
            refused = await liar.ask(hub, Unfollow(room, mailbox))
            assert isinstance(refused, RefusalAnswer)
        said = replace(message(room, birch, seen=1), welcomes=(), removes=())
        assert isinstance(await liar.ask(hub, Submit(said)), SubmitAccepted)


async def test_forged_notifies_are_passed_over(tmp_path: Path) -> None:
    async with nodes(tmp_path, "home") as (wire, home):
        birch = await home.member()
        hub, stranger = Stranger(wire, node_key("hub")), Stranger(wire, node_key("stranger"))
        wire.link(hub, home)
        wire.link(stranger, home)
        room = RoomId(os.urandom(32))
        await joined(hub, home, birch, room)
        good = entries_from(BEGINNING, room, 3)
        whole = told(hub, room, BEGINNING, good)
        # From somebody else, though the hub has signed it; with another's signature; with a hash that does not fit.
        stranger.say(home, whole)
        stranger.say(home, told(stranger, room, BEGINNING, good))
        hub.say(home, told(stranger, room, BEGINNING, good))
        hub.say(home, replace(whole, entries=(good[0], replace(good[1], time=NOW + 1), good[2])))
        hub.say(home, replace(whole, entries=good[:1], before=os.urandom(32)))  # type: ignore[arg-type]
        hub.say(home, replace(whole, entries=tuple(good[1:]), before=good[0].hash))  # a gap
        assert await hub.hear(lambda each: isinstance(each, Fetch)) == Fetch(room, 0)
        assert await held(home, room) == 0
        hub.say(home, whole)
        await hub.hear(lambda each: each == Acknowledge(room, 3))
        assert await held(home, room) == 3


async def test_a_hub_whose_log_says_an_entry_twice_is_not_followed(tmp_path: Path) -> None:
    async with nodes(tmp_path, "home") as (wire, home):
        birch = await home.member()
        hub = Stranger(wire, node_key("hub"))
        wire.link(hub, home)
        room = RoomId(os.urandom(32))
        await joined(hub, home, birch, room)
        (one,) = entries_from(BEGINNING, room, 1)
        at = Position(1, one.hash, one.time)
        hash = entry_hash(room, 2, NOW, EntryKind.MESSAGE, 1, one.id, one.payload_hash, one.hash)
        twice = Entry(2, NOW, EntryKind.MESSAGE, 1, one.id, one.payload, one.payload_hash, hash)
        hub.say(home, told(hub, room, BEGINNING, [one, twice]))
        hub.say(home, told(hub, room, BEGINNING, [one]))
        await hub.hear(lambda each: each == Acknowledge(room, 1))
        hub.say(home, told(hub, room, at, [twice]))
        hub.say(home, told(hub, room, at, entries_from(at, room, 1)))
        await hub.hear(lambda each: each == Acknowledge(room, 2))
        assert await held(home, room) == 2


async def test_replayed_frames_change_nothing(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        for _ in range(3):
            assert isinstance(
                await home.delivery.submit(birch.session, message(room, birch, seen=1), now=NOW), Accepted
            )
        await wait_log(home, birch, room, 4)
        frames = list(wire.frames)
        before = [await _state(hub), await _state(home)]
        for sender, to, frame in frames * 2:
            wire.carry(sender, to, frame)
        for _ in range(20):
            await asyncio.sleep(0.01)
        after = [await _state(hub), await _state(home)]
        # All but follower cursors, which may have gone back and come again.
        assert [each[:4] + each[5:8] for each in after] == [each[:4] + each[5:8] for each in before]
        assert isinstance(await home.delivery.submit(birch.session, message(room, birch, seen=1), now=NOW), Accepted)
        await wait_log(home, birch, room, 5)


async def test_a_hub_that_tells_two_stories_is_shown_to_members_of_both(tmp_path: Path) -> None:
    async with nodes(tmp_path, "west", "east") as (wire, west, east):
        birch, cedar = await west.member(), await east.member()
        hub = Stranger(wire, node_key("hub"))
        wire.link(hub, west)
        wire.link(hub, east)
        room = RoomId(os.urandom(32))
        for where, who, other in ((west, birch, east), (east, cedar, west)):
            await joined(hub, where, who, room)
            follow = await hub.hear(lambda each: isinstance(getattr(each, "body", None), Follow))
            story = told(hub, room, BEGINNING, entries_from(BEGINNING, room, 2))
            assert isinstance(follow, Request)
            hub.say(where, Answer(follow.id, Following(story.head, (other.id,))))
            hub.heard.clear()
            hub.say(where, story)
            await in_room(where, who, room, 2)
        for where, who in ((west, birch), (east, cedar)):
            await eventually(partial(_has_fellow, where, who, room), "the other follower is known")
        for where, who in ((west, birch), (east, cedar)):
            await eventually(partial(_is_faulty, where, who, room), "the fork is shown")
            places = await where.delivery.places(who.session, room)
            assert forks.proves(forks.decode(places.proof))
            assert places.faulty is not None
            # Nothing more is taken from it, and nothing more goes to it.
            with pytest.raises(Refused) as refused:
                await where.delivery.submit(who.session, message(room, who, seen=2), now=NOW)
            assert refused.value.code is Refusal.ENDED
            seq = await held(where, room)
            page = await where.delivery.log(who.session, room, after=0, limit=9)
            hub.say(where, told(hub, room, page.head.position, entries_from(page.head.position, room, 1)))
        await asyncio.sleep(0.05)
        assert (await held(west, room), await held(east, room)) == (seq, seq) == (2, 2)
        for where in (west, east):
            assert (await seen_of(where, hub.id)).lied == 1, "its keeper sees it"
            (proof,) = await where.federation.proofs()
            assert forks.proves(forks.decode(proof)), "and can show it to anybody"


async def _has_fellow(where: Node, who: Member, room: RoomId) -> bool:
    return len((await where.delivery.places(who.session, room)).followers) == 2


async def _is_faulty(where: Node, who: Member, room: RoomId) -> bool:
    return (await where.delivery.places(who.session, room)).faulty is not None


async def test_heads_of_nobody_are_passed_over(tmp_path: Path) -> None:
    async with nodes(tmp_path, "home") as (wire, home):
        birch = await home.member()
        hub, stranger = Stranger(wire, node_key("hub")), Stranger(wire, node_key("stranger"))
        wire.link(hub, home)
        wire.link(stranger, home)
        room = RoomId(os.urandom(32))
        await joined(hub, home, birch, room)
        hub.say(home, told(hub, room, BEGINNING, entries_from(BEGINNING, room, 2)))
        await in_room(home, birch, room, 2)
        stranger.say(home, Heads(room, Head(Position(2, os.urandom(32), NOW), os.urandom(64))))
        stranger.say(home, Heads(room, sign_head(stranger.key, room, Position(2, os.urandom(32), NOW))))
        stranger.say(home, Heads(room, sign_head(hub.key, room, Position(9, os.urandom(32), NOW))))
        await asyncio.sleep(0.05)
        assert not await _is_faulty(home, birch, room)


async def test_a_follower_that_never_acknowledges_costs_others_nothing(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch, cedar = await hub.member(), await home.member(), await hub.member()
        silent = Stranger(wire, node_key("silent"))
        wire.link(silent, hub)
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        welcome = WelcomeOut(KeyPackageRef(os.urandom(32)), mls_bytes.welcome([bytes(32)]), silent.id, cedar.mailbox)
        await hub.delivery.submit(ash.session, commit(room, ash, epoch=1, seen=1, welcomes=[welcome]), now=NOW)
        assert isinstance(await silent.ask(hub, Follow(room, 1, (cedar.mailbox,))), Following)
        for seq in range(2, 302):
            await hub.delivery.submit(ash.session, message(room, ash, epoch=2, seen=seq), now=NOW)
        await wait_log(home, birch, room, 302)
        sent = [each for notify in silent.heard if isinstance(notify, Notify) for each in notify.entries]
        assert 0 < len(sent) <= limits.NOTIFY_ENTRIES_MAX
        # It takes no more than it has acknowledged, so it can go on from there.
        silent.say(hub, Acknowledge(room, 100))
        await silent.hear(lambda each: isinstance(each, Notify) and any(entry.seq > 257 for entry in each.entries))


async def test_welcomes_that_nobody_offered_to_take_are_refused_and_let_nobody_in(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        ref, _ = await home.offer(birch)  # never claimed: no consent was shown
        cases = [(ref, birch.mailbox), (KeyPackageRef(os.urandom(32)), birch.mailbox)]
        for epoch, (each, mailbox) in enumerate(cases):
            welcome = WelcomeOut(each, mls_bytes.welcome([each]), home.id, mailbox)
            said = commit(room, ash, epoch=epoch, seen=epoch, welcomes=[welcome])
            await hub.delivery.submit(ash.session, said, now=NOW)
            await eventually(lambda: _all_gone(hub), "the mailbox is taken out")
        assert (await home.delivery.overview(birch.session)).rooms == []
        rooms = await home.store.database.read(lambda c: c.execute("SELECT count(*) FROM room").fetchone())
        assert rooms == (0,)
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, home)
        offered, consent = await home.offer(await home.member(), RoomId(os.urandom(32)))
        await home.delivery.claim_key_package(birch.session, offered, consent, now=NOW)
        head = sign_head(stranger.key, room, BEGINNING)
        body = WelcomeLetter(room, 1, offered, mls_bytes.welcome([offered]), birch.mailbox, head)
        answer = await stranger.ask(home, body)  # made for another room
        assert isinstance(answer, RefusalAnswer)


async def _all_gone(hub: Node) -> bool:
    rows = await hub.store.database.read(lambda c: c.execute("SELECT gone FROM far_mailbox").fetchall())
    return bool(rows) and all(gone for (gone,) in rows)


async def test_a_key_package_goes_to_one_account_of_one_node(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "west", "east") as (_, hub, west, east):
        ash, birch, cedar, newcomer = (
            await hub.member(),
            await west.member(),
            await west.member(),
            await east.member(),
        )
        ref, consent = await east.offer(newcomer)
        with pytest.raises(Refused) as refused:
            await west.delivery.claim_key_package(birch.session, ref, os.urandom(32), home=east.id, now=NOW)
        assert refused.value.code is Refusal.UNKNOWN
        got = await west.delivery.claim_key_package(birch.session, ref, consent, home=east.id, now=NOW)
        assert got == await west.delivery.claim_key_package(birch.session, ref, consent, home=east.id, now=NOW)
        assert got.mailbox == newcomer.mailbox
        for where, who, home in ((west, cedar, east.id), (hub, ash, east.id), (east, newcomer, None)):
            with pytest.raises(Refused) as refused:
                await where.delivery.claim_key_package(who.session, ref, consent, home=home, now=NOW)
            assert refused.value.code is Refusal.USED


async def test_a_flood_of_asks_is_bounded_and_leaves_other_nodes_alone(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        invites = [(InviteId(os.urandom(16)), os.urandom(32)) for _ in range(2)]
        for invite, proof in invites:
            await hub.accounts.add_invite(ash.session, NewInvite(invite, sha256(proof).digest(), NOW + DAY, 0), now=NOW)
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, hub)
        answers = [await stranger.ask(hub, AskLetter(*invites[0], os.urandom(40))) for _ in range(60)]
        refused = [each for each in answers if isinstance(each, RefusalAnswer)]
        assert len(refused) >= 30
        assert {each.code for each in refused} == {Refusal.TOO_FAST}
        assert all(each.retry_after > 0 for each in refused)
        await home.accounts.add_far_ask(birch.session, hub.id, *invites[1], b"sealed", now=NOW)
        assert len(await hub.accounts.asks(ash.session)) == 60 - len(refused) + 1


async def test_a_flood_of_requests_is_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "REQUESTS_BURST", 50.0)
    async with nodes(tmp_path, "hub") as (wire, hub):
        stranger = Stranger(wire, node_key("stranger"))
        wire.link(stranger, hub)
        for _ in range(500):
            stranger.say(hub, Request(os.urandom(16), Follow(RoomId(bytes(32)), 0, ())))
        async with asyncio.timeout(10):
            while len(stranger.heard) < 500:
                stranger.news.clear()
                await stranger.news.wait()
        bodies = [each.body for each in stranger.heard if isinstance(each, Answer)]
        assert sum(isinstance(each, Busy) for each in bodies) > 300


async def test_nothing_is_acknowledged_before_it_is_on_the_disk(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        seen: list[int] = []

        def look(sender: bytes, to: bytes, frame: bytes) -> bool:
            letter = decode(frame)
            if isinstance(letter, Acknowledge):
                held = home.store.database.read_now(lambda c: c.execute("SELECT max(seq) FROM room").fetchone())[0]
                assert letter.seq <= held
                seen.append(letter.seq)
            return False

        wire.lose = look
        for seq in range(1, 20):
            await hub.delivery.submit(ash.session, message(room, ash, seen=seq), now=NOW)
        await wait_log(home, birch, room, 20)
        await eventually(lambda: _is(seen, 20), "acknowledged")


async def _is(seen: list[int], seq: int) -> bool:
    return bool(seen) and seen[-1] == seq
