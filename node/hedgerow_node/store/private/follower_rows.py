"""How far other nodes have the rooms of this hub, and what of the logs they are given."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.far_mailbox_rows import Span, spans_of, unknown_here
from hedgerow_node.store.private.log_rows import position_at
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_protocol.delivery.values import HASH_BYTES, Entry, EntryId, EntryKind, Position, RoomId
from hedgerow_protocol.ids import NodeId


class Following(NamedTuple):
    """One room that one node follows."""

    node: NodeId
    room: RoomId
    acknowledged: int
    """What it has on its disk."""
    newest: int
    """Where the log stands."""
    end: int | None
    """What it may have at most, once its last mailbox was taken out; ``None``: everything."""

    @property
    def upto(self) -> int:
        """The newest entry it is to have."""
        return self.newest if self.end is None else min(self.newest, self.end)


class Told(NamedTuple):
    """A part of a log for a follower."""

    entries: Sequence[Entry]
    before: bytes
    """The hash before the first of these; zero bytes where there are none."""
    position: Position
    """After the last of these entries; where the log stands for this follower where there are none."""
    end: int
    """The last seq that this follower may have."""


def follow(connection: Connection, node: NodeId, room: RoomId, after: int) -> tuple[Position, Following]:
    """Begin again after what the follower holds. Where the log stands for it. Raises :class:`Refused`."""
    row, spans = spans_of(connection, node, room)
    end = _end(connection, row, spans)
    # A follower that was restored from a backup goes back; nobody goes beyond what there is.
    acknowledged = max(min(after, end), min(span.joined for span in spans) - 1)
    connection.execute(_FOLLOW, (row, node, acknowledged))
    (newest,) = connection.execute("SELECT seq FROM room WHERE id = ?", (row,)).fetchone()
    limited = None if any(span.until is None for span in spans) else end
    return position_at(connection, row, end), Following(node, room, acknowledged, newest, limited)


def acknowledge(connection: Connection, acknowledged: Iterable[tuple[NodeId, RoomId, int]]) -> None:
    """Never goes back, never beyond the log; what is not followed is passed over."""
    connection.executemany(_ACKNOWLEDGE, [(seq, seq, node, room) for node, room, seq in acknowledged])


def all_followings(connection: Connection) -> list[Following]:
    """Every room of this hub that another node follows."""
    return _followings(connection.execute(_FOLLOWINGS))


def followings_of(connection: Connection, node: NodeId) -> list[Following]:
    """Every room of this hub that this node follows."""
    return _followings(connection.execute(_FOLLOWINGS + "WHERE f.node = ?", (node,)))


def following_of(connection: Connection, node: NodeId, room: RoomId) -> Following | None:
    """How this node follows this room; ``None`` when it does not, or when its hub is another node."""
    found = _followings(connection.execute(_FOLLOWINGS + "WHERE f.node = ? AND r.name = ?", (node, room)))
    return found[0] if found else None


def entries_for(connection: Connection, node: NodeId, room: RoomId, after: int, limit: int, bytes_max: int) -> Told:
    """What follows a seq, at most so many entries and bytes of payload, but one at least. Raises :class:`Refused`.

    What no mailbox of that node reads goes as a hash, which its copy needs for the chain.
    """
    row, spans = spans_of(connection, node, room)
    end, first = _end(connection, row, spans), row << ROOM_SHIFT
    after = max(after, min(span.joined for span in spans) - 1)
    entries: list[Entry] = []
    size = 0
    for id, time, kind, epoch, submission, hash, payload_hash, payload in connection.execute(
        _ENTRIES, (first + after, first + end, limit)
    ):
        seq = id - first
        if payload is not None:
            payload_hash = sha256(payload).digest()
            if not any(span.joined <= seq and (span.until is None or seq <= span.until) for span in spans):
                payload = None
        size += len(payload or b"")
        if entries and size > bytes_max:
            break
        entries.append(Entry(seq, time, EntryKind(kind), epoch, EntryId(submission), payload, payload_hash, hash))
    last = entries[-1] if entries else None
    if last is None:
        return Told((), bytes(HASH_BYTES), position_at(connection, row, end), end)
    before = position_at(connection, row, entries[0].seq - 1)
    return Told(entries, before.hash, last.position, end)


def room_position(connection: Connection, node: NodeId, room: RoomId) -> Position:
    """Where a room stands for a follower. Raises :class:`Refused`."""
    row, spans = spans_of(connection, node, room)
    return position_at(connection, row, _end(connection, row, spans))


def _followings(rows: Iterable[tuple[bytes, bytes, int, int, int | None]]) -> list[Following]:
    return [
        Following(NodeId(node), RoomId(room), acknowledged, newest, end)
        for node, room, acknowledged, newest, end in rows
    ]


def _end(connection: Connection, room_row: int, spans: Sequence[Span]) -> int:
    if any(span.until is None for span in spans):
        found = connection.execute("SELECT seq FROM room WHERE id = ?", (room_row,)).fetchone()
        if found is None:
            raise unknown_here()
        return int(found[0])
    return max(span.until or 0 for span in spans)


_FOLLOW = """
INSERT INTO follower (room, node, acknowledged) VALUES (?, ?, ?)
ON CONFLICT (node, room) DO UPDATE SET acknowledged = excluded.acknowledged
"""
_ACKNOWLEDGE = """
UPDATE follower SET acknowledged = min(?, (SELECT seq FROM room WHERE id = follower.room))
WHERE acknowledged < ? AND node = ? AND room = (SELECT id FROM room WHERE name = ? AND hub IS NULL)
"""
_FOLLOWINGS = """
SELECT f.node, r.name, f.acknowledged, r.seq,
  iif(
    EXISTS (SELECT 1 FROM far_mailbox m WHERE m.room = r.id AND m.node = f.node AND m.until IS NULL), NULL,
    coalesce((SELECT max(until) FROM far_mailbox m WHERE m.room = r.id AND m.node = f.node), 0)
  )
FROM follower f JOIN room r ON r.id = f.room AND r.hub IS NULL
"""
_ENTRIES = """
SELECT id, time, kind, epoch, submission, hash, payload_hash, payload
FROM entry WHERE id > ? AND id <= ? ORDER BY id LIMIT ?
"""
