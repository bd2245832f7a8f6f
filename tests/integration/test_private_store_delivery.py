"""Delivery over a real store: who may do what, what is told to whom, and what is kept how long."""

import asyncio
import base64
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

import mls_bytes
from hedgerow_node.store.private.values import KeyPackageOffer, Refetch
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import head_holds
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import (
    Accepted,
    BlobHash,
    KeyPackageRef,
    MailboxId,
    RoomId,
    WelcomeId,
    WelcomeOut,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp
from private_worlds import DAY, NODE, NOW, Member, World, commit, message, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def seqs(here: World, room: RoomId, member: Member, after: int = 0, limit: int = 500) -> list[int]:
    page = await here.delivery.log(member.session, room, after=after, limit=limit)
    return [json.loads(each)["seq"] for each in page.entries]


async def test_a_message_reaches_the_others_once_and_is_signed_for(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    sent = message(room, ash)
    here.told.clear()
    first, again = await asyncio.gather(
        here.delivery.submit(ash.session, sent, now=NOW), here.delivery.submit(ash.session, sent, now=NOW)
    )
    assert isinstance(first, Accepted)
    assert first == again == await here.delivery.submit(ash.session, sent, now=NOW)
    page = await here.delivery.log(birch.session, room, after=1, limit=10)
    (entry,) = map(json.loads, page.entries)
    assert base64.urlsafe_b64decode(entry["payload"] + "==") == sent.payload
    assert (page.head.position.seq, page.head.position.hash) == (first.seq, first.hash)
    assert head_holds(NodeId(NODE.public[1:]), room, page.head)
    (happened,) = here.told
    assert happened.heads == {room: 2}
    (told,) = happened.entries[room]
    assert json.loads(told) == {"room": json.loads(told)["room"], **entry}


async def test_many_at_once_are_told_together_and_in_order(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    here.told.clear()
    answers = await asyncio.gather(
        *(
            here.delivery.submit((ash, birch)[n % 2].session, message(room, (ash, birch)[n % 2]), now=NOW)
            for n in range(200)
        )
    )
    assert sorted(each.seq for each in answers if isinstance(each, Accepted)) == list(range(2, 202))
    told = [json.loads(text)["seq"] for happened in here.told for text in happened.entries[room]]
    assert told == list(range(2, 202))
    assert len(here.told) < 30


async def test_strangers_learn_nothing_of_a_room(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    stranger = await here.member()
    own_room = await here.room(stranger)
    blob = os.urandom(100)
    name = BlobHash(sha256(blob).digest())
    await here.delivery.put_blob(ash.session, room, name, blob, now=NOW)
    forged = message(room, stranger)
    lent = message(room, ash)  # names somebody else's mailbox
    attempts = [
        here.delivery.log(stranger.session, room, after=0, limit=5),
        here.delivery.submit(stranger.session, forged, now=NOW),
        here.delivery.submit(stranger.session, lent, now=NOW),
        here.delivery.put_back(stranger.session, room, birch.mailbox, seen=1),
        here.delivery.stop(stranger.session, room, birch.mailbox),
        here.delivery.stop(ash.session, room, birch.mailbox),
        here.delivery.blob(stranger.session, room, name),
        here.delivery.blob(stranger.session, own_room, name),
        here.delivery.put_blob(stranger.session, room, name, blob, now=NOW),
        here.accounts.add_room_ask(stranger.session, room, b"{}", now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(Refused) as refused:
            await attempt
        assert refused.value.code is Refusal.UNKNOWN
    with pytest.raises(Refused) as taken:
        await here.delivery.create_room(stranger.session, room, MailboxId(os.urandom(16)), now=NOW)
    assert taken.value.code is Refusal.TAKEN
    with pytest.raises(Refused):
        await here.delivery.create_room(stranger.session, RoomId(os.urandom(32)), ash.mailbox, now=NOW)
    await here.delivery.acknowledge([(stranger.session, room, 1)])
    assert await here.delivery.heads(stranger.session, [room]) == []
    assert [each.room for each in (await here.delivery.overview(stranger.session)).rooms] == [own_room]
    assert await seqs(here, room, ash) == [1]
    # A mailbox in another room is no way in.
    wrong = message(room, stranger)
    with pytest.raises(Refused):
        await here.delivery.submit(stranger.session, wrong, now=NOW)


async def test_the_second_commit_of_an_epoch_is_told_what_it_missed(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    sent = commit(room, ash, epoch=1, seen=1)
    first = await here.delivery.submit(ash.session, sent, now=NOW)
    assert isinstance(first, Accepted)
    assert await here.delivery.submit(ash.session, sent, now=NOW) == first
    second = commit(room, birch, epoch=1, seen=1)
    refetch = await here.delivery.submit(birch.session, second, now=NOW)
    assert isinstance(refetch, Refetch)
    assert [json.loads(each)["seq"] for each in refetch.page.entries] == [2]
    # Judged invalid, and named as seen: the same commit goes in after it.
    judged = commit(room, birch, epoch=1, seen=2, id=second.id)
    assert isinstance(await here.delivery.submit(birch.session, judged, now=NOW), Accepted)
    # And the first one's author, whose answer was lost, still gets it.
    assert await here.delivery.submit(ash.session, sent, now=NOW) == first
    both = await asyncio.gather(
        *(here.delivery.submit(each.session, commit(room, each, epoch=2, seen=3), now=NOW) for each in (ash, birch))
    )
    assert [type(each) for each in both] == [Accepted, Refetch]


async def test_a_newcomer_starts_at_the_commit_that_lets_it_in(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    await here.delivery.submit(ash.session, message(room, ash), now=NOW)
    cherry = await here.member()
    here.told.clear()
    seq = await here.let_in(room, ash, [cherry], epoch=1, seen=2)
    (happened,) = here.told
    assert happened.joined == [(cherry.session.device, room)]
    assert happened.welcomes == (cherry.session.device,)
    (welcome,) = await here.delivery.welcomes(cherry.session)
    assert (welcome.room, welcome.seq) == (room, seq)
    assert await here.delivery.welcomes(birch.session) is not None
    assert await seqs(here, room, cherry) == [seq]
    (standing,) = (await here.delivery.overview(cherry.session)).rooms
    assert (standing.acknowledged, standing.head.position.seq, standing.until) == (seq, seq, None)
    with pytest.raises(Refused):
        await here.delivery.remove_welcome(birch.session, welcome.id)
    await here.delivery.remove_welcome(cherry.session, welcome.id)
    assert (await here.delivery.overview(cherry.session)).welcomes == 0
    with pytest.raises(Refused):
        await here.delivery.remove_welcome(cherry.session, WelcomeId(welcome.id))


async def test_key_packages_are_handed_to_one_account_for_the_right_room(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    cherry = await here.member()
    ref, consent = await here.offer(cherry, room)
    with pytest.raises(Refused) as wrong:
        await here.delivery.claim_key_package(ash.session, ref, b"x" * 32, now=NOW)
    assert wrong.value.code is Refusal.UNKNOWN
    late = Timestamp(NOW + 31 * DAY)
    with pytest.raises(Refused) as ended:
        await here.delivery.claim_key_package(ash.session, ref, consent, now=late)
    assert ended.value.code is Refusal.ENDED
    claimed = await here.delivery.claim_key_package(ash.session, ref, consent, now=NOW)
    assert claimed.mailbox == cherry.mailbox
    assert await here.delivery.claim_key_package(ash.session, ref, consent, now=NOW) == claimed
    with pytest.raises(Refused) as used:
        await here.delivery.claim_key_package(birch.session, ref, consent, now=NOW)
    assert used.value.code is Refusal.USED

    welcomes = [WelcomeOut(ref, mls_bytes.welcome([ref]))]
    for by, where, sent in (
        (birch, room, welcomes),  # claimed by another account
        (ash, room, welcomes * 2),
        (ash, room, [WelcomeOut(KeyPackageRef(bytes(32)), welcomes[0].payload)]),
        (ash, room, [WelcomeOut(ref, b"not a Welcome")]),
    ):
        with pytest.raises(Refused) as bad:
            await here.delivery.submit(by.session, commit(where, by, epoch=1, seen=1, welcomes=sent), now=NOW)
        assert bad.value.code is Refusal.BAD
    good = commit(room, ash, epoch=1, seen=1, welcomes=welcomes)
    assert isinstance(await here.delivery.submit(ash.session, good, now=NOW), Accepted)
    with pytest.raises(Refused):
        await here.delivery.claim_key_package(ash.session, ref, consent, now=NOW)
    assert isinstance(await here.delivery.submit(ash.session, good, now=NOW), Accepted)
    assert len(await here.delivery.welcomes(cherry.session)) == 1


async def test_key_packages_that_are_not_what_they_say(here: World) -> None:
    ash, birch = await here.member(), await here.member()
    package = mls_bytes.key_package(until=NOW + 10 * DAY, mailbox=ash.mailbox)
    ref, hash = KeyPackageRef(package.ref), bytes(32)
    good = KeyPackageOffer(ref, package.data, ash.mailbox, hash, NOW + DAY)
    for wrong in (
        KeyPackageOffer(KeyPackageRef(bytes(32)), package.data, ash.mailbox, hash, NOW + DAY),
        KeyPackageOffer(ref, package.data[:-1], ash.mailbox, hash, NOW + DAY),
        KeyPackageOffer(ref, package.data, birch.mailbox, hash, NOW + DAY),
        KeyPackageOffer(ref, package.data, ash.mailbox, hash, NOW + 11 * DAY),
        KeyPackageOffer(ref, package.data, ash.mailbox, hash, NOW),
    ):
        with pytest.raises(Refused) as refused:
            await here.delivery.add_key_packages(ash.session, [good, wrong], now=NOW)
        assert refused.value.code is Refusal.BAD
    await here.delivery.add_key_packages(ash.session, [good, good], now=NOW)
    with pytest.raises(Refused) as taken:
        await here.delivery.add_key_packages(birch.session, [good], now=NOW)
    assert taken.value.code is Refusal.TAKEN
    with pytest.raises(Refused):
        await here.delivery.remove_key_package(birch.session, ref)
    await here.delivery.remove_key_package(ash.session, ref)
    with pytest.raises(Refused):
        await here.delivery.add_key_packages(ash.session, [good] * 21, now=NOW)


async def test_who_is_taken_out_reads_to_the_end_and_can_be_put_back_by_others(here: World) -> None:
    room, (ash, birch, cherry, dogwood) = await here.full_room(4)
    hostile = commit(room, dogwood, epoch=1, seen=1, removes=[ash.mailbox, birch.mailbox, cherry.mailbox])
    here.told.clear()
    await here.delivery.submit(dogwood.session, hostile, now=NOW)
    (happened,) = here.told
    assert {device for device, _ in happened.parted} == {each.session.device for each in (ash, birch, cherry)}
    await here.delivery.submit(dogwood.session, message(room, dogwood), now=NOW)
    assert await seqs(here, room, ash) == [1, 2]
    page = await here.delivery.log(ash.session, room, after=0, limit=10)
    assert page.head.position.seq == 2
    (standing,) = (await here.delivery.overview(ash.session)).rooms
    assert (standing.until, standing.head.position.seq) == (2, 2)
    with pytest.raises(Refused) as out:
        await here.delivery.submit(ash.session, message(room, ash), now=NOW)
    assert out.value.code is Refusal.NOT_ALLOWED
    with pytest.raises(Refused) as own:
        await here.delivery.put_back(ash.session, room, ash.mailbox, seen=2)
    assert own.value.code is Refusal.NOT_ALLOWED
    # All of them were taken out at once, so each may put the others back, and then be put back.
    await here.delivery.put_back(ash.session, room, birch.mailbox, seen=2)
    await here.delivery.put_back(birch.session, room, ash.mailbox, seen=2)
    await here.delivery.put_back(birch.session, room, ash.mailbox, seen=2)
    assert await seqs(here, room, ash) == [1, 2, 3]
    # Cherry alone was taken out last: neither it nor one who went before can put it back.
    await here.delivery.put_back(ash.session, room, cherry.mailbox, seen=3)
    later = commit(room, ash, epoch=5, seen=3, removes=[cherry.mailbox, dogwood.mailbox])
    await here.delivery.submit(ash.session, later, now=NOW)
    last = commit(room, ash, epoch=6, seen=4, removes=[birch.mailbox])
    await here.delivery.submit(ash.session, last, now=NOW)
    with pytest.raises(Refused):
        await here.delivery.put_back(cherry.session, room, birch.mailbox, seen=5)
    await here.delivery.put_back(birch.session, room, cherry.mailbox, seen=5)


async def test_putting_back_undoes_nothing_that_came_after_what_was_seen(here: World) -> None:
    """The word about an invalid commit comes late: meanwhile a valid one has taken the mailbox out."""
    room, (ash, birch, cherry) = await here.full_room(3)
    invalid = commit(room, cherry, epoch=9, seen=1, removes=[birch.mailbox])
    assert (await here.delivery.submit(cherry.session, invalid, now=NOW)).seq == 2  # type: ignore[union-attr]
    valid = commit(room, ash, epoch=1, seen=2, removes=[birch.mailbox])
    assert (await here.delivery.submit(ash.session, valid, now=NOW)).seq == 3  # type: ignore[union-attr]
    await here.delivery.put_back(ash.session, room, birch.mailbox, seen=2)
    await here.delivery.submit(ash.session, message(room, ash), now=NOW)
    assert await seqs(here, room, birch) == [1, 2]
    (standing,) = (await here.delivery.overview(birch.session)).rooms
    assert standing.until == 2
    # Whoever has judged that one, too, puts it back.
    await here.delivery.put_back(ash.session, room, birch.mailbox, seen=4)
    assert await seqs(here, room, birch) == [1, 2, 3, 4]


async def test_two_devices_of_one_account_do_not_put_each_other_back(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    second = await here.device_of(birch)
    await here.let_in(room, ash, [second], epoch=1, seen=1)
    out = commit(room, ash, epoch=2, seen=2, removes=[birch.mailbox, second.mailbox])
    await here.delivery.submit(ash.session, out, now=NOW)
    with pytest.raises(Refused) as refused:
        await here.delivery.put_back(birch.session, room, second.mailbox, seen=3)
    assert refused.value.code is Refusal.NOT_ALLOWED
    await here.delivery.put_back(ash.session, room, second.mailbox, seen=3)
    # It takes part again, and so may help the other, as every member may.
    await here.delivery.put_back(second.session, room, birch.mailbox, seen=3)


async def test_a_commit_after_its_author_was_taken_out_in_the_same_group(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    removal, late = commit(room, ash, epoch=1, seen=1, removes=[birch.mailbox]), message(room, birch)
    answers = await asyncio.gather(
        here.delivery.submit(ash.session, removal, now=NOW),
        here.delivery.submit(birch.session, late, now=NOW),
        return_exceptions=True,
    )
    assert isinstance(answers[0], Accepted)
    assert isinstance(answers[1], Refused)
    assert await seqs(here, room, ash) == [1, 2]


async def test_only_commits_change_who_takes_part(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    sent = message(room, ash)
    for wrong in (
        [birch.mailbox],
        [birch.mailbox] * (limits.REMOVES_MAX + 1),
    ):
        with pytest.raises(Refused):
            await here.delivery.submit(ash.session, replace(sent, removes=wrong), now=NOW)
    with pytest.raises(Refused) as ahead:
        await here.delivery.submit(ash.session, message(room, ash, seen=9), now=NOW)
    assert ahead.value.code is Refusal.BAD


async def test_pages_are_bounded_by_number_and_bytes(here: World) -> None:
    room, (ash, _) = await here.full_room(2)
    for _ in range(20):
        await here.delivery.submit(ash.session, message(room, ash, size=65_536), now=NOW)
    assert await seqs(here, room, ash, after=1, limit=4) == [2, 3, 4, 5]
    found = await seqs(here, room, ash)
    assert 10 < len(found) < 20
    assert await seqs(here, room, ash, after=21) == []
    await here.delivery.stop(ash.session, room, ash.mailbox)
    with pytest.raises(Refused):
        await here.delivery.log(ash.session, room, after=0, limit=5)


async def test_acknowledging_never_goes_back_or_too_far(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    for _ in range(5):
        await here.delivery.submit(ash.session, message(room, ash), now=NOW)
    for seq, expected in ((3, 3), (2, 3), (100, 6)):
        await here.delivery.acknowledge([(birch.session, room, seq), (ash.session, RoomId(bytes(32)), 5)])
        (standing,) = (await here.delivery.overview(birch.session)).rooms
        assert standing.acknowledged == expected
    (own,) = (await here.delivery.overview(ash.session)).rooms
    assert own.acknowledged == 0


async def test_messages_go_after_a_month_and_commits_when_everybody_has_them(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    await here.delivery.submit(ash.session, message(room, ash), now=NOW)
    old = commit(room, ash, epoch=1, seen=2)
    await here.delivery.submit(ash.session, old, now=NOW)
    await here.delivery.submit(ash.session, message(room, ash, epoch=2), now=Timestamp(NOW + 20 * DAY))

    async def kept() -> list[bool]:
        page = await here.delivery.log(ash.session, room, after=0, limit=9)
        return [json.loads(each)["payload"] is not None for each in page.entries]

    await here.delivery.prune(NOW)
    assert await kept() == [True, True, True, True]
    await here.delivery.prune(Timestamp(NOW + 31 * DAY))
    assert await kept() == [True, False, True, True]
    await here.delivery.acknowledge([(ash.session, room, 4)])
    await here.delivery.prune(Timestamp(NOW + 31 * DAY))
    # Birch was let in at seq 1 and so has that one, but not the next commit.
    assert await kept() == [False, False, True, True]
    await here.delivery.acknowledge([(birch.session, room, 3)])
    await here.delivery.prune(Timestamp(NOW + 31 * DAY))
    assert await kept() == [False, False, False, True]
    page = await here.delivery.log(birch.session, room, after=2, limit=1)
    gone = json.loads(page.entries[0])
    assert base64.urlsafe_b64decode(gone["payload_hash"] + "=") == sha256(old.payload).digest()
    again = await here.delivery.submit(ash.session, old, now=Timestamp(NOW + 31 * DAY))
    assert isinstance(again, Accepted)
    assert again.seq == 3


async def test_commits_go_after_a_season_whoever_is_away(here: World) -> None:
    room, (ash, _) = await here.full_room(2)
    await here.delivery.submit(ash.session, commit(room, ash, epoch=1, seen=1), now=NOW)
    await here.delivery.prune(Timestamp(NOW + 91 * DAY))
    page = await here.delivery.log(ash.session, room, after=0, limit=9)
    assert [json.loads(each)["payload"] for each in page.entries] == [None, None]


async def test_a_long_log_is_pruned_whole(here: World) -> None:
    room, (ash, _) = await here.full_room(2)
    await asyncio.gather(*(here.delivery.submit(ash.session, message(room, ash), now=NOW) for _ in range(450)))
    await here.delivery.prune(Timestamp(NOW + 31 * DAY))
    page = await here.delivery.log(ash.session, room, after=1, limit=500)
    assert len(page.entries) == 450
    assert all(json.loads(each)["payload"] is None for each in page.entries)


async def test_a_full_room_takes_words_again_when_old_ones_have_gone(tmp_path: Path) -> None:
    async with world(tmp_path, room_bytes_max=4_000) as here:
        room = await here.room(ash := await here.member())
        for _ in range(4_000 // len(message(room, ash).payload)):
            await here.delivery.submit(ash.session, message(room, ash), now=NOW)
        with pytest.raises(Refused) as full:
            await here.delivery.submit(ash.session, message(room, ash), now=NOW)
        assert full.value.code is Refusal.TOO_MANY
        later = Timestamp(NOW + 31 * DAY)
        await here.delivery.prune(later)
        assert isinstance(await here.delivery.submit(ash.session, message(room, ash), now=later), Accepted)


async def test_a_room_without_anybody_goes_with_its_files(here: World, tmp_path: Path) -> None:
    room, (ash, birch) = await here.full_room(2)
    blob = os.urandom(5_000)
    name = BlobHash(sha256(blob).digest())
    await here.delivery.put_blob(ash.session, room, name, blob, now=NOW)
    path = (await here.delivery.blob(birch.session, room, name)).path
    await here.delivery.submit(ash.session, message(room, ash), now=NOW)
    await here.accounts.remove_account(ash.session)
    await here.delivery.prune(Timestamp(NOW + 5 * DAY))
    assert path.exists()
    await here.delivery.stop(birch.session, room, birch.mailbox)
    await here.delivery.prune(Timestamp(NOW + 31 * DAY))
    assert not path.exists()
    with sqlite3.connect(tmp_path / "private.db") as reading:
        for table in ("room", "entry", "mailbox", "blob", "welcome"):
            assert reading.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    reading.close()


async def test_files_are_checked_kept_and_forgotten(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    blob = os.urandom(70_000)
    name = BlobHash(sha256(blob).digest())
    with pytest.raises(Refused) as damaged:
        await here.delivery.put_blob(ash.session, room, name, blob[:-1], now=NOW)
    assert damaged.value.code is Refusal.BAD
    with pytest.raises(Refused) as large:
        await here.delivery.put_blob(ash.session, room, name, bytes(limits.BLOB_BYTES_MAX + 1), now=NOW)
    assert large.value.code is Refusal.TOO_LARGE
    await asyncio.gather(*(here.delivery.put_blob(ash.session, room, name, blob, now=NOW) for _ in range(3)))
    found = await here.delivery.blob(birch.session, room, name)
    assert found.path.read_bytes() == blob
    assert found.size == len(blob)
    assert found.path.stat().st_mode & 0o777 == 0o600
    assert found.path.stat().st_mtime % DAY == 0
    await here.delivery.prune(Timestamp(NOW + 29 * DAY))
    assert found.path.exists()
    await here.delivery.prune(Timestamp(NOW + 32 * DAY))
    assert not found.path.exists()
    with pytest.raises(Refused):
        await here.delivery.blob(birch.session, room, name)


async def test_quotas_of_files(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    room, (ash, birch, cherry) = await here.full_room(3)
    monkeypatch.setattr(limits, "BLOBS_OF_ACCOUNT_BYTES_MAX", 1_000)
    monkeypatch.setattr(limits, "BLOBS_OF_ROOM_BYTES_MAX", 1_500)

    async def put(member: Member, size: int) -> None:
        data = os.urandom(size)
        await here.delivery.put_blob(member.session, room, BlobHash(sha256(data).digest()), data, now=NOW)

    await put(ash, 900)
    with pytest.raises(Refused) as account:
        await put(ash, 200)
    await put(birch, 500)
    with pytest.raises(Refused) as whole:
        await put(cherry, 200)
    assert account.value.code is whole.value.code is Refusal.TOO_MANY


async def test_what_a_crash_left_of_files_is_swept(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())
        blob = os.urandom(100)
        name = BlobHash(sha256(blob).digest())
        await here.delivery.put_blob(ash.session, room, name, blob, now=NOW)
        await here.accounts.put_sealed(ash.session, "index", 1, b"sealed")
        orphan = here.store.blobs.write("ab" * 32, b"nobody's", now=NOW)
        half = orphan.with_name(orphan.name + ".part00")
        half.write_bytes(b"x")
        stale = here.store.sealed.write("cd" * 16, b"nobody's", now=NOW)
        assert here.store.sweep() == 3
        assert not orphan.exists()
        assert not half.exists()
        assert not stale.exists()
        assert (await here.delivery.blob(ash.session, room, name)).path.read_bytes() == blob
        assert (await here.accounts.sealed(ash.session, "index")).body == b"sealed"


async def test_a_devices_lost_mailbox_ends_when_it_is_let_in_anew(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    lost = birch.mailbox
    birch.mailbox = MailboxId(os.urandom(16))
    seq = await here.let_in(room, ash, [birch], epoch=1, seen=1)
    await here.delivery.submit(ash.session, message(room, ash, epoch=2), now=NOW)
    standings = {each.mailbox: each for each in (await here.delivery.overview(birch.session)).rooms}
    assert standings[lost].until == seq
    assert standings[birch.mailbox].until is None
    assert await seqs(here, room, birch) == [seq, seq + 1]
    # Somebody puts the lost one back: it stays ended, because the device takes part with the other.
    await here.delivery.put_back(ash.session, room, lost, seen=seq)
    standings = {each.mailbox: each for each in (await here.delivery.overview(birch.session)).rooms}
    assert standings[lost].until == seq


async def test_times_never_go_back(here: World) -> None:
    room, (ash, _) = await here.full_room(2)
    first = await here.delivery.submit(ash.session, message(room, ash), now=Timestamp(NOW + 50))
    second = await here.delivery.submit(ash.session, message(room, ash), now=Timestamp(NOW - 500))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert (first.time, second.time) == (NOW + 50, NOW + 50)


async def test_a_device_that_was_revoked_meanwhile_is_told_so(here: World) -> None:
    room, (ash, _) = await here.full_room(2)
    await here.accounts.remove_device(ash.session, ash.session.device)
    with pytest.raises(Refused):
        await here.delivery.submit(ash.session, message(room, ash), now=NOW)
    with pytest.raises(Refused) as refused:
        await here.offer(ash)
    assert refused.value.code in (Refusal.NO_ACCOUNT, Refusal.TAKEN)
    ash.mailbox = MailboxId(os.urandom(16))
    with pytest.raises(Refused) as gone:
        await here.delivery.create_room(ash.session, RoomId(os.urandom(32)), ash.mailbox, now=NOW)
    assert gone.value.code is Refusal.NO_ACCOUNT
    assert here.told[-1].revoked == [ash.session.device]
