"""What a follower makes of what the hub of a room tells it: pure, and the same on every follower.

Every notify ends in a signed head, so the hub stands by each entry it ever told, and two that differ prove its lie.
Whoever is told of a room in the middle of its log begins there: ``before`` makes the first entry's hash complete.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from hedgerow_protocol.delivery.chain import entry_prefix, hash_after, head_holds
from hedgerow_protocol.delivery.values import Entry, Head, Position, RoomId
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.federation.forks import OwnEntries, Proof, compare, link_of
from hedgerow_protocol.federation.letters import Notify
from hedgerow_protocol.ids import NodeId


@dataclass(frozen=True, slots=True)
class Held:
    """What a follower has of a room."""

    after: int
    """The seq of its newest entry; before the first one, the seq after which it wants to be told."""
    head: Head | None
    """The hub's head of the newest entry; ``None`` before the first one."""


@dataclass(frozen=True, slots=True)
class New:
    """Put these on the disk, with this head, and acknowledge the last one. Perhaps none: all was known."""

    entries: Sequence[Entry]
    head: Head


@dataclass(frozen=True, slots=True)
class Gap:
    """Something between is missing: fetch what comes after this seq."""

    after: int


@dataclass(frozen=True, slots=True)
class Faulty:
    """The hub told two stories. Keep the proof, and take nothing from this hub any more."""

    proof: Proof


Verdict: TypeAlias = New | Gap | Faulty


def check(hub: NodeId, held: Held, told: Notify, entries: OwnEntries) -> Verdict:
    """Judge a notify that came from the room's hub. ``entries`` gives what the follower has; rarely asked.

    Raises :class:`RemoteError` for what no hub may send; then nothing is taken over, and nothing is proved.
    """
    if not head_holds(hub, told.room, told.head):
        raise RemoteError(Code.BAD_SIGNATURE, "The hub has not signed this head.")
    _check_chain(told)
    theirs = told.head.position
    first = told.entries[0].seq if told.entries else theirs.seq + 1
    if held.head is None:
        return _begin(held.after, told, first)
    own = held.head.position
    if first > own.seq + 1:
        return Gap(own.seq)
    if theirs.seq < own.seq:
        proof = compare(hub, told.room, held.head, told.head, entries)
        return New((), held.head) if proof is None else Faulty(proof)
    stood = _hash_at(told, own.seq, first)
    new = told.entries[own.seq + 1 - first :]
    if stood != own.hash:
        return Faulty(Proof(hub, told.room, held.head, told.head, stood, tuple(map(link_of, new))))
    if not new:
        return New((), held.head)
    if new[0].time < own.time:
        raise RemoteError(Code.BAD_FIELD, "The time of a log went back.")
    return New(new, told.head)


def continues(room: RoomId, position: Position, entries: Sequence[Entry]) -> list[Entry]:
    """As many of these entries as follow one another after a place of the log."""
    prefix, found = entry_prefix(room), []
    for each in entries:
        if each.seq != position.seq + 1 or each.time < position.time or _hash(prefix, each, position.hash) != each.hash:
            break
        found.append(each)
        position = each.position
    return found


def _begin(after: int, told: Notify, first: int) -> Verdict:
    if first > after + 1:
        return Gap(after)
    new = told.entries[after + 1 - first :]
    if not new:
        raise RemoteError(Code.BAD_FIELD, "This room is shorter than it was said to be.")
    return New(new, told.head)


def _hash_at(told: Notify, seq: int, first: int) -> bytes:
    if seq >= first:
        return told.entries[seq - first].hash
    return told.before if told.entries else told.head.position.hash


def _check_chain(told: Notify) -> None:
    """Whether the entries follow one another, and the head is that of the last."""
    if not told.entries:
        return
    prefix, hash = entry_prefix(told.room), told.before
    if told.entries[0].seq == 1 and hash != bytes(32):
        raise RemoteError(Code.BAD_FIELD, "Something is said to stand before the first entry of a log.")
    for each in told.entries:
        hash = _hash(prefix, each, hash)
        if hash != each.hash:
            raise RemoteError(Code.BAD_FIELD, "The hashes of these entries do not follow from one another.")
    if any(left.seq + 1 != right.seq or left.time > right.time for left, right in pairwise(told.entries)):
        raise RemoteError(Code.BAD_FIELD, "These entries are not in the order of a log.")
    last = told.entries[-1]
    if told.head.position != last.position:
        raise RemoteError(Code.BAD_FIELD, "The head of these entries is that of other ones.")


def _hash(prefix: bytes, each: Entry, before: bytes) -> bytes:
    return hash_after(prefix, each.seq, each.time, each.kind, each.epoch, each.id, each.payload_hash, before)
