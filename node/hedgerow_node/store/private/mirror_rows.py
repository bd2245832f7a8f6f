"""Copies of logs whose hub is another node: they grow as the hub tells, and local mailboxes read them as any log."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.letting_in import device_name
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.entry_text import entry_text, room_opening
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import DeviceId, Entry, EntryId, EntryKind, Head, MailboxId, Position, RoomId
from hedgerow_protocol.federation.values import MailboxTold
from hedgerow_protocol.ids import NodeId


class Copy(NamedTuple):
    """Where the copy of a room of another hub stands."""

    row: int
    hub: NodeId
    head: Head
    """The hub's newest signed one that this node has."""
    size: int
    """Bytes of payload that are kept."""
    faulty: bool
    """The hub told two stories: nothing more is taken from it."""
    followed: bool
    """A local mailbox takes part."""


class NotYet(Exception):  # noqa: N818 - it is an answer more than an error
    """What this is about has not come from the hub yet."""


def copy_of(connection: Connection, room: RoomId) -> Copy | None:
    """``None`` for rooms that are not there and rooms of this hub."""
    found = connection.execute(_COPY, (room,)).fetchone()
    if found is None:
        return None
    row, hub, seq, hash, time, signature, size, faulty, followed = found
    return Copy(row, NodeId(hub), Head(Position(seq, hash, time), signature), size, bool(faulty), bool(followed))


def own_entries(connection: Connection, room_row: int, after: int, upto: int) -> list[Entry]:
    """Entries with ``after < seq <= upto`` as far as they are held, without payloads."""
    first = room_row << ROOM_SHIFT
    return [
        Entry(
            id - first,
            time,
            EntryKind(kind),
            epoch,
            EntryId(submission),
            None,
            payload_hash if payload_hash is not None else sha256(payload).digest(),
            hash,
        )
        for id, time, kind, epoch, submission, hash, payload_hash, payload in connection.execute(
            _ENTRIES, (first + after, first + upto)
        )
    ]


def grow(
    connection: Connection, room: RoomId, before: Position, entries: Sequence[Entry], head: Head, bytes_max: int
) -> Happened:
    """Put checked entries into a copy that stands at ``before``, together with the head that covers them.

    Raises :class:`NotYet` when the copy stands elsewhere by now, :class:`Refused` when it cannot take them.
    """
    copy = copy_of(connection, room)
    if copy is None or copy.faulty or copy.head.position != before:
        raise NotYet
    size = sum(len(each.payload) for each in entries if each.payload is not None)
    if copy.size + size > bytes_max:
        raise Refused(Refusal.TOO_MANY, "This room is full for now. Older messages make room as they are removed.")
    if twice(connection, copy.row, entries):
        raise Refused(Refusal.BAD, "An entry stands twice in this log.")
    insert_entries(connection, copy.row, entries)
    at = head.position
    connection.execute(_STAND, (at.seq, at.time, at.hash, head.signature, size, copy.row))
    joined, welcomes = arrived_between(connection, room, copy.row, before.seq, at.seq)
    return Happened({room: texts_of(room, entries)}, {room: at.seq}, joined=joined, welcomes=welcomes)


def insert_entries(connection: Connection, row: int, entries: Sequence[Entry]) -> int:
    """Put checked entries into a log, which stands where it stood; bytes of their payloads."""
    first = row << ROOM_SHIFT
    connection.executemany(
        _INSERT,
        [
            (
                first + each.seq,
                each.time,
                each.kind,
                each.epoch,
                each.id,
                each.hash,
                each.payload_hash if each.payload is None else None,
                each.payload,
            )
            for each in entries
        ],
    )
    return sum(len(each.payload) for each in entries if each.payload is not None)


def texts_of(room: RoomId, entries: Sequence[Entry]) -> list[bytes]:
    """Entries as devices are told of them."""
    opening = room_opening(room)
    return [
        entry_text(
            each.seq, each.time, each.kind, each.epoch, each.id, each.payload, each.payload_hash, each.hash,
            opening=opening,
        )
        for each in entries
    ]  # fmt: skip


def twice(connection: Connection, row: int, entries: Sequence[Entry]) -> bool:
    """Whether an entry would stand twice in a log."""
    return len({each.id for each in entries}) < len(entries) or any(
        connection.execute(_KNOWN, (row, each.id)).fetchone() for each in entries
    )


def arrived_between(
    connection: Connection, room: RoomId, row: int, after: int, upto: int
) -> tuple[list[tuple[DeviceId, RoomId]], list[DeviceId]]:
    """Devices whose way into the room has come with these entries: who takes part now, who has a Welcome."""
    joined = [(DeviceId(name), room) for (name,) in connection.execute(_JOINED, (row, after, upto))]
    welcomes = [DeviceId(name) for (name,) in connection.execute(_WELCOMED, (row, after, upto))]
    return joined, welcomes


def stands_at(connection: Connection, copy: Copy, head: Head) -> bool:
    """Whether the copy holds what this head says. Raises :class:`NotYet` while it does not reach that far."""
    seq = head.position.seq
    if seq > copy.head.position.seq:
        raise NotYet
    if seq == copy.head.position.seq:
        return head.position == copy.head.position
    query = ((copy.row << ROOM_SHIFT) + seq,)
    found = connection.execute("SELECT hash, time FROM entry WHERE id = ?", query).fetchone()
    return found is not None and head.position == Position(seq, *found)


def told_of_mailbox(connection: Connection, hub: NodeId, told: MailboxTold) -> Happened | None:
    """A local mailbox was taken out at the hub, or put back. Raises :class:`Refused`, :class:`NotYet`."""
    copy = copy_of(connection, told.room)
    found = connection.execute(_MAILBOX, (told.mailbox, copy.row)).fetchone() if copy is not None else None
    if copy is None or copy.hub != hub or found is None:
        raise unknown_copy()
    row, device_row, until = found
    device = device_name(connection, device_row)
    if told.until is None:
        if until is None or device is None or connection.execute(_ANOTHER, (device_row, copy.row, row)).fetchone():
            return None
        connection.execute("UPDATE mailbox SET until = NULL, until_signature = NULL WHERE id = ?", (row,))
        return Happened(joined=[(device, told.room)])
    if not stands_at(connection, copy, told.until):
        raise Refused(Refusal.BAD, "This head is not of the log that was told here.")
    connection.execute(_END, (told.until.position.seq, told.until.signature, row))
    return Happened(parted=[(device, told.room)]) if device is not None else None


def mailboxes_in(connection: Connection, room_row: int, limit: int) -> list[MailboxId]:
    """Local mailboxes that take part."""
    return [MailboxId(name) for (name,) in connection.execute(_MAILBOXES, (room_row, limit))]


def unknown_copy() -> Refused:
    """The one answer to other nodes for rooms that are not there and rooms that are not theirs."""
    return Refused(Refusal.UNKNOWN, "Nobody here takes part in such a room of yours.")


_COPY = """
SELECT r.id, r.hub, r.seq, r.hash, r.time, r.signature, r.bytes, EXISTS (SELECT 1 FROM fork f WHERE f.room = r.id),
  EXISTS (SELECT 1 FROM mailbox m WHERE m.room = r.id AND m.until IS NULL)
FROM room r WHERE r.name = ? AND r.hub IS NOT NULL
"""
_ENTRIES = """
SELECT id, time, kind, epoch, submission, hash, payload_hash, payload
FROM entry WHERE id > ? AND id <= ? ORDER BY id
"""
_KNOWN = "SELECT 1 FROM entry WHERE id >> 32 = ? AND submission = ?"
_INSERT = """
INSERT INTO entry (id, time, kind, epoch, submission, hash, payload_hash, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_STAND = "UPDATE room SET seq = ?, time = ?, hash = ?, signature = ?, bytes = bytes + ? WHERE id = ?"
_JOINED = """
SELECT d.name FROM mailbox m JOIN device d ON d.id = m.device
WHERE m.room = ? AND m.until IS NULL AND m.joined > ? AND m.joined <= ?
"""
_WELCOMED = """
SELECT DISTINCT d.name FROM welcome w JOIN device d ON d.id = w.device WHERE w.room = ? AND w.seq > ? AND w.seq <= ?
"""
_MAILBOX = "SELECT id, device, until FROM mailbox WHERE name = ? AND room = ?"
_ANOTHER = "SELECT 1 FROM mailbox WHERE device = ? AND room = ? AND id <> ? AND until IS NULL"
_END = "UPDATE mailbox SET until = ?, until_signature = ? WHERE id = ?"
_MAILBOXES = "SELECT name FROM mailbox WHERE room = ? AND until IS NULL ORDER BY id LIMIT ?"
