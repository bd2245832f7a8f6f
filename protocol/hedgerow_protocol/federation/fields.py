"""Readers of a letter's fields: each takes what the wire gave and returns the value, or refuses it with a sentence."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from hedgerow_protocol import keys, limits
from hedgerow_protocol.delivery.envelope import size_max
from hedgerow_protocol.delivery.values import (
    ENTRY_ID_BYTES,
    HASH_BYTES,
    KEY_PACKAGE_REF_BYTES,
    MAILBOX_ID_BYTES,
    ROOM_ID_BYTES,
    Entry,
    EntryKind,
    Head,
    Position,
    Submission,
    WelcomeOut,
)
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.field_readers import Reader, bad, choice, is_visible, many, number, optional
from hedgerow_protocol.ids import NODE_ID_BYTES
from hedgerow_protocol.wire import Value


def exact(size: int) -> Reader:
    """So many bytes."""

    def read(value: Any) -> bytes:
        if type(value) is not bytes or len(value) != size:
            bad(f"A field of this letter is not {size} bytes.")
        return value

    return read


def sized(most: int, least: int = 0) -> Reader:
    """Bytes, of which there are not too many."""

    def read(value: Any) -> bytes:
        if type(value) is not bytes or len(value) < least:
            bad("A field of this letter does not hold the bytes it should.")
        if len(value) > most:
            raise RemoteError(Code.TOO_LARGE, f"A field of this letter has {len(value)} bytes; at most {most} fit.")
        return value

    return read


def line(characters_max: int) -> Reader:
    """One line of visible text. (The encoding has made sure of its normal form.)"""

    def read(value: Any) -> str:
        if type(value) is not str or len(value) > characters_max or not is_visible(value):
            bad("A text of this letter is not one short line.")
        return value

    return read


def row(value: Any, fields: int) -> tuple[Any, ...]:
    """An array with at least so many fields; those of a later version are left away."""
    if type(value) is not tuple or len(value) < fields:
        raise RemoteError(Code.MALFORMED, "A letter lacks fields.")
    return value[:fields]


def several(read: Reader, count_max: int) -> Reader:
    """An array of those in which nothing stands twice."""
    read_many = many(read, count_max)

    def read_all(value: Any) -> tuple[Any, ...]:
        found: tuple[Any, ...] = read_many(value)
        if len(set(found)) != len(found):
            bad("A list in this letter says something twice.")
        return found

    return read_all


seq = number(0, limits.SEQUENCE_MAX)
time = number(0, limits.TIMESTAMP_MAX)
room = exact(ROOM_ID_BYTES)
mailbox = exact(MAILBOX_ID_BYTES)
node = exact(NODE_ID_BYTES)
ref = exact(KEY_PACKAGE_REF_BYTES)
hash_ = exact(HASH_BYTES)
mailboxes = several(mailbox, limits.FOLLOW_MAILBOXES_MAX)
followers = several(node, limits.FOLLOWERS_TOLD_MAX)
_kind = choice(EntryKind)
_entry_id = exact(ENTRY_ID_BYTES)
_signature = exact(keys.SIGNATURE_BYTES)
_payloads: Final = {kind: sized(size_max(kind), 1) for kind in EntryKind}
_removes = many(mailbox, limits.REMOVES_MAX)


def head(value: Any) -> Head:
    """``[seq, hash, time, signature]``; whether the signature holds is another question."""
    at, hash, when, signature = row(value, 4)
    return Head(Position(seq(at), hash_(hash), time(when)), _signature(signature))


def head_row(said: Head) -> Value:
    """The inverse of :func:`head`."""
    at = said.position
    return (at.seq, at.hash, at.time, said.signature)


optional_head = optional(head)


def entry(value: Any) -> Entry:
    """``[seq, time, kind, epoch, id, payload or nil, payload's hash or nil, hash]``: one of the two is there."""
    at, when, kind, epoch, id, payload, payload_hash, hash = row(value, 8)
    kind = _kind(kind)
    if payload is not None:
        payload = _payloads[kind](payload)
        if payload_hash is not None:
            bad("An entry says its payload and the hash of it.")
        payload_hash = sha256(payload).digest()
    if seq(at) == 0:
        bad("The first entry of a log has number 1.")
    return Entry(at, time(when), kind, seq(epoch), _entry_id(id), payload, hash_(payload_hash), hash_(hash))


def entry_row(said: Entry) -> Value:
    """The inverse of :func:`entry`."""
    known = said.payload_hash if said.payload is None else None
    return (said.seq, said.time, int(said.kind), said.epoch, said.id, said.payload, known, said.hash)


def entries(value: Any) -> tuple[Entry, ...]:
    """Entries, of which payloads there are not too many bytes; the first is always fine."""
    found: tuple[Entry, ...] = many(entry, limits.NOTIFY_ENTRIES_MAX)(value)
    if sum(len(each.payload) for each in found[1:] if each.payload is not None) > limits.NOTIFY_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, "A notify carries too many bytes.")
    return found


def _welcome(value: Any) -> WelcomeOut:
    of, payload, home, at = row(value, 4)
    if (home is None) != (at is None):
        bad("A Welcome names a home and a mailbox, or neither.")
    read = sized(limits.WELCOME_BYTES_MAX, 1)
    return WelcomeOut(ref(of), read(payload), optional(node)(home), optional(mailbox)(at))


def submission(value: Any) -> Submission:
    """``[room, mailbox, id, kind, epoch, seen, payload, welcomes, removes]``."""
    of, at, id, kind, epoch, seen, payload, welcomes, removes = row(value, 9)
    kind = _kind(kind)
    found: tuple[WelcomeOut, ...] = many(_welcome, limits.WELCOMES_MAX)(welcomes)
    if sum(len(each.payload) for each in found) > limits.WELCOMES_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, "The Welcomes of this commit are too large together.")
    gone = _removes(removes)
    if kind is not EntryKind.COMMIT and (found or gone):
        bad("Only a commit lets somebody in or takes somebody out.")
    return Submission(
        room(of), mailbox(at), _entry_id(id), kind, seq(epoch), seq(seen), _payloads[kind](payload), found, gone
    )


def submission_row(said: Submission) -> Value:
    """The inverse of :func:`submission`."""
    welcomes = tuple((each.ref, each.payload, each.home, each.mailbox) for each in said.welcomes)
    return (
        said.room, said.mailbox, said.id, int(said.kind), said.epoch, said.seen, said.payload, welcomes,
        tuple(said.removes),
    )  # fmt: skip


Writer = Callable[[Any], Value]
WRITERS: Final[dict[Reader, Writer]] = {
    head: head_row,
    optional_head: lambda said: None if said is None else head_row(said),
    submission: submission_row,
    entries: lambda said: tuple(map(entry_row, said)),
}
"""How fields that are no plain values become ones."""
