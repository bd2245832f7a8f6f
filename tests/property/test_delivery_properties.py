"""Delivery with anything thrown at it: any bytes are read or refused, and any schedule gives what a naive log gives."""

import asyncio
import os
import random
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import mls_bytes
from hedgerow_node.store.private.values import Refetch
from hedgerow_protocol.delivery.chain import entry_hash
from hedgerow_protocol.delivery.envelope import check_payload, check_welcome, read_private_message
from hedgerow_protocol.delivery.key_package import read_key_package
from hedgerow_protocol.delivery.mls_bytes import MlsBytes, vector
from hedgerow_protocol.delivery.recovery import Challenges, signature_holds
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import Accepted, AccountKey, EntryKind, RoomId, Submission, WelcomeOut
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ports import Timestamp
from private_worlds import NOW, Member, World, commit, message, world

ROOM = RoomId(bytes(range(32)))
GOOD = (
    mls_bytes.application(ROOM, 1),
    mls_bytes.commit(ROOM, 1, size=20_000),
    mls_bytes.key_package(until=NOW).data,
    mls_bytes.welcome([bytes(32)]),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Something true with a few bytes changed, cut out or put in; or anything."""
    data = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


@given(st.one_of(st.binary(max_size=300), damaged()))
@settings(max_examples=1_500, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_private_message, read_key_package, check_welcome):
        with suppress(RemoteError):
            read(data)
    with suppress(RemoteError):
        check_payload(data, ROOM, EntryKind.MESSAGE, 1)
    with suppress(Refused):
        Challenges(bytes(32)).take(data, NOW)
    signature_holds(AccountKey(data[:32]), b"message", data)


@given(st.binary(max_size=70_000))
@settings(max_examples=200, deadline=None)
def test_a_vector_is_read_as_it_was_written(data: bytes) -> None:
    read = MlsBytes(vector(data) + b"rest")
    assert read.vector(70_000) == data
    assert read.fixed(4) == b"rest"
    read.end()


# --- the log against a naive one


@dataclass
class NaiveEntry:
    submission: Submission
    time: int
    hash: bytes


@dataclass
class NaiveMailbox:
    joined: int
    until: int | None = None


@dataclass
class NaiveRoom:
    """The rules again, as plainly as they can be said, over a list."""

    entries: list[NaiveEntry] = field(default_factory=list)
    mailboxes: dict[bytes, NaiveMailbox] = field(default_factory=dict)

    def submit(self, submission: Submission, now: int) -> tuple[int, bytes] | str:
        own = self.mailboxes.get(submission.mailbox)
        if own is None:
            return "refused"
        for seq, entry in enumerate(self.entries, 1):
            if entry.submission.id == submission.id:
                return seq, entry.hash
        if own.until is not None or submission.seen > len(self.entries):
            return "refused"
        if submission.kind is EntryKind.COMMIT and any(
            seq > submission.seen
            and entry.submission.kind is EntryKind.COMMIT
            and entry.submission.epoch == submission.epoch
            for seq, entry in enumerate(self.entries, 1)
        ):
            return "conflict"
        previous = self.entries[-1] if self.entries else NaiveEntry(submission, 0, bytes(32))
        time, seq = max(now, previous.time), len(self.entries) + 1
        payload_hash = sha256(submission.payload).digest()
        hash = entry_hash(
            submission.room, seq, time, submission.kind, submission.epoch, submission.id, payload_hash, previous.hash
        )
        self.entries.append(NaiveEntry(submission, time, hash))
        for mailbox in submission.removes:
            there = self.mailboxes.get(mailbox)
            if there is not None and there.until is None:
                there.until = seq
        return seq, hash

    def readable(self, mailbox: bytes) -> list[bytes]:
        own = self.mailboxes[mailbox]
        return [each.hash for each in self.entries[max(0, own.joined - 1) : own.until]]


async def run_schedule(made: World, choose: random.Random) -> None:
    members = [await made.member() for _ in range(5)]
    outsider = await made.member()
    rooms: list[tuple[RoomId, NaiveRoom]] = []
    for founder in members[:2]:
        room = await made.room(founder)
        rooms.append((room, NaiveRoom(mailboxes={founder.mailbox: NaiveMailbox(0)})))
    inside: dict[bytes, Member] = {each.mailbox: each for each in (*members, outsider)}
    known_ids = [os.urandom(16) for _ in range(6)]
    now = int(NOW)
    for _ in range(choose.randrange(3, 8)):
        group: list[tuple[Member, NaiveRoom, Submission]] = []
        for _ in range(choose.choice((1, 2, 5, 40))):
            room, naive = choose.choice(rooms)
            by = choose.choice([*members, outsider])
            id = choose.choice(known_ids) if choose.random() < 0.2 else os.urandom(16)
            seen = choose.choice((0, max(0, len(naive.entries) - 1), len(naive.entries), len(naive.entries) + 1))
            epoch = choose.randrange(3)
            if choose.random() < 0.3:
                removes = [choose.choice(members).mailbox] if choose.random() < 0.15 else []
                group.append((by, naive, commit(room, by, epoch=epoch, seen=seen, removes=removes, id=id)))
            else:
                group.append((by, naive, message(room, by, epoch=epoch, seen=seen, id=id)))
        now += choose.randrange(-5, 20)
        answers = await asyncio.gather(
            *(made.delivery.submit(by.session, each, now=Timestamp(now)) for by, _, each in group),
            return_exceptions=True,
        )
        for (_, naive, submission), answer in zip(group, answers, strict=True):
            expected = naive.submit(submission, now)
            if isinstance(answer, Accepted):
                assert expected == (answer.seq, answer.hash)
            else:
                assert expected == ("conflict" if isinstance(answer, Refetch) else "refused"), answer
        room, naive = choose.choice(rooms)
        newcomer = choose.choice(members)
        if newcomer.mailbox not in {key for _, each in rooms for key in each.mailboxes}:
            host = next((inside[key] for key, each in naive.mailboxes.items() if each.until is None), None)
            if host is not None:
                await let_in(made, room, naive, host, newcomer, now)
    for room, naive in rooms:
        for mailbox in naive.mailboxes:
            page = await made.delivery.log(inside[mailbox].session, room, after=0, limit=500)
            assert [hash_in(each) for each in page.entries] == naive.readable(mailbox)


async def let_in(made: World, room: RoomId, naive: NaiveRoom, host: Member, newcomer: Member, now: int) -> None:
    ref, consent = await made.offer(newcomer)
    await made.delivery.claim_key_package(host.session, ref, consent, now=NOW)
    submission = commit(
        room,
        host,
        epoch=99,
        seen=len(naive.entries),
        welcomes=[WelcomeOut(ref, mls_bytes.welcome([ref]))],
    )
    answer = await made.delivery.submit(host.session, submission, now=Timestamp(now))
    expected = naive.submit(submission, now)
    assert isinstance(answer, Accepted)
    assert expected == (answer.seq, answer.hash)
    naive.mailboxes[newcomer.mailbox] = NaiveMailbox(answer.seq)


def hash_in(entry: bytes) -> bytes:
    import base64
    import json

    return base64.urlsafe_b64decode(json.loads(entry)["hash"] + "=")


@given(st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_any_schedule_gives_what_a_naive_log_gives(seed: int) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with world(Path(folder)) as made:
                await run_schedule(made, random.Random(seed))

    asyncio.run(run())
