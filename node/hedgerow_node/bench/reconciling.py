"""What it costs two nodes to find out how their sets differ: bytes exactly, CPU as time and in verifications.

V is one bare Ed25519 verification, measured in the same run, so that figures of two machines can be compared.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from random import Random  # noqa: TID251 - the same sets every time
from typing import Final

from hedgerow_node.bench.listings import Maker
from hedgerow_node.bench.measure import Figure, Yardstick, cpu, median, percentile
from hedgerow_protocol import wire
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.reconcile import Initiator, LiveSet, Responder, payloads
from hedgerow_protocol.reconcile.hour_views import HourView
from hedgerow_protocol.reconcile.payloads import End
from hedgerow_protocol.reconcile.session import Session, Step
from hedgerow_protocol.reconcile.sorted_blocks import SortedBlocks

SIZES: Final = (100_000, 1_000_000)
SIZES_QUICK: Final = (100_000,)
ROUNDS: Final = 41
CHANGES: Final = 2_000

EQUAL_BYTES_MAX: Final = 64
CPU_MILLISECONDS_MAX: Final = 15.0
UPKEEP_MILLISECONDS_MAX: Final = 0.1
LARGER_TIMES_MAX: Final = 3.0
BYTES_MAX: Final = {10: 500, 100: 2_600}

_BINDING: Final = bytes(range(32))
_NOW: Final = Now(Instant(1_000.0), Timestamp(1_800_000_000))
_REFERENCE: Final = ((0, 323 + 4_869 + 61_982 + 61_982), (4_096, 36))
"""5,000 records of which each side lacks 100: the reference's bytes, and its messages when they are limited."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One session: what it took until the opener knew the difference, and said so."""

    bytes_until_stop: int
    """Both ways, counted when the opener has read what it needed, with its last word."""
    bytes_sent: int
    """Both ways, with what was still under way."""
    round_trips: int
    opener_seconds: float
    answerer_seconds: float
    exact: bool


class Two:
    """Two nodes with the same records, and the difference of the moment."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.random = Random(size)
        self.opener, self.answerer = LiveSet(), LiveSet()
        self.load_seconds = cpu(lambda: self.opener.load(_record(number) for number in range(size)))
        self.answerer.load(_record(number) for number in range(size))
        self.next = size

    def exchange(self, opener_alone: int, answerer_alone: int, *, hint: int | None) -> Exchange:
        """One session over a new difference; both sets are equal again afterwards."""
        ours = [_record(self.next + number) for number in range(opener_alone)]
        theirs = [_record(self.next + opener_alone + number) for number in range(answerer_alone)]
        self.next += opener_alone + answerer_alone
        for each in ours:
            self.opener.add(*each)
        for each in theirs:
            self.answerer.add(*each)
        done = _session(self.opener, self.answerer, hint, {rid for _, rid in ours}, {rid for _, rid in theirs})
        for each in ours:
            self.opener.remove(*each)
        for each in theirs:
            self.answerer.remove(*each)
        return done


def _record(number: int) -> tuple[int, bytes]:
    """Half are charters, the others expire within a year, in no order."""
    rid = sha256(number.to_bytes(8, "big")).digest()
    return (0 if number % 2 else 1_800_000_000 + int.from_bytes(rid[:3], "big") * 31_536_000 // 2**24), rid


class _Side:
    """One end of a session, with a stopwatch."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seconds = 0.0
        self.gave: list[RecordId] = []
        self.done = False

    def step(self, work: Callable[[], Step]) -> list[bytes]:
        """Do it, and all that has to be done in slices."""
        sent: list[bytes] = []
        busy = True
        while busy:
            made: list[Step] = []
            self.seconds += cpu(lambda work=work, made=made: made.append(work()))  # type: ignore[misc]
            sent += made[0].send
            self.gave += made[0].give
            busy, self.done = made[0].busy, made[0].done
            work = lambda: self.session.tick(_NOW)  # noqa: E731
        return sent


def _session(opener: LiveSet, answerer: LiveSet, hint: int | None, ours: set[bytes], theirs: set[bytes]) -> Exchange:
    one = _Side(
        Session.open(
            opener, binding=_BINDING, dialled=True, peer=NodeId(bytes(32)), peer_count=len(answerer), hint=hint,
            entropy=os.urandom, now=_NOW,
        )
    )  # fmt: skip
    other = _Side(
        Session.answer(
            answerer, binding=_BINDING, dialled=False, peer=NodeId(bytes([1]) * 32), entropy=os.urandom, now=_NOW
        )
    )
    asked = one.step(lambda: one.session.start(_NOW))
    until_stop = sent = round_trips = 0
    while asked:
        answers: list[bytes] = []
        for payload in asked:
            until_stop += len(payload)
            sent += len(payload)
            round_trips += not isinstance(payloads.decode(payload), End)
            answers += other.step(lambda payload=payload: other.session.handle(payload, _NOW))  # type: ignore[misc]
        asked = []
        sent += sum(map(len, answers))
        for payload in answers:
            if not one.done:
                until_stop += len(payload)
                asked += one.step(lambda payload=payload: one.session.handle(payload, _NOW))  # type: ignore[misc]
    exact = set(one.gave) == ours and set(other.gave) == theirs
    return Exchange(until_stop, sent, round_trips, one.seconds, other.seconds, exact)


def figures(*, quick: bool = False, full: bool = False) -> list[Figure]:
    """All of it. Takes some ten seconds quick; two minutes and 400 MB with a million records (``full`` is the same)."""
    yardstick = Yardstick(list(islice(Maker(2).envelopes(100), 100)))
    verification = median([yardstick.seconds() for _ in range(5)])
    found = [*_equal(), *_negentropy_bytes()]
    cpu_of_first = 0.0
    for size in SIZES_QUICK if quick and not full else SIZES:
        two = Two(size)
        for _ in range(2):
            two.exchange(1, 1, hint=2)  # so that what lasts for an hour is there
        if size == SIZES[0]:
            found += _bytes(two)
        more, spent = _cpu(two, verification, cpu_of_first)
        cpu_of_first = cpu_of_first or spent
        found += [*more, *_upkeep(two, verification), *_ranges(two, verification)]
    return found


def _equal() -> Iterator[Figure]:
    live = LiveSet()
    live.load(_record(number) for number in range(1_000))
    # Digest and count travel in messages that travel anyway (hello, ping, pong): what they add, both ways.
    added = 2 * (len(wire.encode(live.digest(_BINDING))) + len(wire.encode(1_000_000)))
    yield Figure("reconcile_equal_bytes", added, "bytes", EQUAL_BYTES_MAX, "both ways, within a ping and its answer")
    yield Figure("reconcile_equal_round_trips", 0, "more", 0)


def _negentropy_bytes() -> Iterator[Figure]:
    every = [(1_700_000_000 + 3 * number, sha256(str(number).encode()).digest()) for number in range(5_000)]
    for frame_limit, expected in _REFERENCE:
        initiator = Initiator([each for number, each in enumerate(every) if number % 50], frame_limit)
        responder = Responder([each for number, each in enumerate(every) if number % 50 != 1], frame_limit)
        messages: list[bytes] = []
        message: bytes | None = initiator.start()
        while message is not None:
            messages += [message, responder.receive(message)]
            message, _, _ = initiator.receive(messages[-1])
        measured = len(messages) if frame_limit else sum(map(len, messages))
        what = "messages_limited" if frame_limit else "bytes"
        yield Figure(f"negentropy_{what}", measured / expected, "times", 1.01, f"the reference's {expected:,}")


def _bytes(two: Two) -> Iterator[Figure]:
    for differences, limit in BYTES_MAX.items():
        half = differences // 2
        several = [two.exchange(half, differences - half, hint=half) for _ in range(ROUNDS)]
        name = f"reconcile_{differences}_in_{two.size}"
        counted = [each.bytes_until_stop for each in several]
        yield Figure(f"{name}_bytes", median(counted), "bytes", limit, "at the receiver's stop, median")
        yield Figure(f"{name}_bytes_p95", percentile(counted, 0.95), "bytes")
        yield Figure(f"{name}_bytes_sent", median([each.bytes_sent for each in several]), "bytes", None, "in all")
        yield Figure(f"{name}_round_trips", median([each.round_trips for each in several]), "round trips", 1)
        more = sum(each.round_trips > 1 for each in several) / len(several)
        yield Figure(f"{name}_more_round_trips", more, "of sessions")
        yield Figure(f"{name}_wrong", sum(not each.exact for each in several), "sessions", 0)
        needed = [two.exchange(0, differences, hint=0).bytes_until_stop for _ in range(ROUNDS)]
        yield Figure(f"{name}_bytes_all_lacking", median(needed), "bytes", limit, "the receiver lacks them all")
    unknown = [two.exchange(5, 5, hint=None) for _ in range(ROUNDS)]
    yield Figure("reconcile_10_unknown_bytes_sent", median([each.bytes_sent for each in unknown]), "bytes")


def _cpu(two: Two, verification: float, first: float) -> tuple[list[Figure], float]:
    several = [two.exchange(5, 5, hint=5) for _ in range(ROUNDS)]
    name = f"reconcile_10_in_{two.size}"
    found: list[Figure] = []
    sides = {
        "opener": median([each.opener_seconds for each in several]),
        "answerer": median([each.answerer_seconds for each in several]),
    }
    for side, seconds in sides.items():
        limit = CPU_MILLISECONDS_MAX if not first else None
        found.append(Figure(f"{name}_cpu_{side}", 1_000 * seconds, "ms", limit))
        found.append(Figure(f"{name}_cpu_{side}_in_v", seconds / verification, "V"))
    spent = max(sides.values())
    if first:
        found.append(Figure(f"{name}_cpu_larger", spent / first, "times", LARGER_TIMES_MAX, "of 100,000 records"))
    found.append(Figure(f"load_{two.size}", 1_000 * two.load_seconds, "ms"))
    return found, spent


def _upkeep(two: Two, verification: float) -> Iterator[Figure]:
    new = [_record(10**9 + number) for number in range(CHANGES)]
    live = two.answerer

    def change() -> None:
        for each in new:
            live.add(*each)
        for each in new:
            live.remove(*each)

    for views in (1, 5):
        while len(live.views) < views:
            number = len(live.views)
            made = live.views.foreign(NodeId(bytes([number]) * 32), bytes([number]) * 16, live.records, _NOW.instant)
            assert isinstance(made, HourView)  # noqa: S101 - there is room for so many
            while not made.ready:
                made.step()
            if two.size > SIZES[0]:
                break
        if len(live.views) == views:
            seconds = median([cpu(change) for _ in range(3)]) / (2 * CHANGES)
            name = f"upkeep_{two.size}_with_{views}_views"
            yield Figure(name, 1_000 * seconds, "ms", UPKEEP_MILLISECONDS_MAX, "a change")
            yield Figure(f"{name}_in_v", seconds / verification, "V")


def _ranges(two: Two, verification: float) -> Iterator[Figure]:
    """Negentropy alone, over sets that are in order already."""
    every = list(two.opener)
    lost = set(two.random.sample(range(len(every)), 10))
    fewer = SortedBlocks.of(each for number, each in enumerate(every) if number not in lost)
    del every
    initiator, responder = Initiator(two.opener.records), Responder(fewer)
    spent = [0.0, 0.0]
    travelled = 0
    answer: list[bytes | None] = []
    spent[0] += cpu(lambda: answer.append(initiator.start()))
    found = 0
    while (message := answer.pop()) is not None:
        replies: list[bytes] = []
        spent[1] += cpu(lambda message=message, replies=replies: replies.append(responder.receive(message)))  # type: ignore[misc]
        results: list[tuple[bytes | None, list[bytes], list[bytes]]] = []
        spent[0] += cpu(lambda replies=replies, results=results: results.append(initiator.receive(replies[0])))  # type: ignore[misc]
        travelled += len(message) + len(replies[0])
        found += len(results[0][1])
        answer.append(results[0][0])
    assert found == len(lost)  # noqa: S101 - or the figures would be of nothing
    name = f"negentropy_10_in_{two.size}"
    yield Figure(f"{name}_bytes", travelled, "bytes")
    for side, seconds in zip(("initiator", "responder"), spent, strict=True):
        limit = CPU_MILLISECONDS_MAX if two.size == SIZES[0] else None
        yield Figure(f"{name}_cpu_{side}", 1_000 * seconds, "ms", limit)
        yield Figure(f"{name}_cpu_{side}_in_v", seconds / verification, "V")
