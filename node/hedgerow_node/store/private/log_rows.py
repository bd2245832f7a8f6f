"""Reading logs: who may read from where to where, and the entries as the API writes them."""

from dataclasses import dataclass

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_protocol.delivery.chain import BEGINNING
from hedgerow_protocol.delivery.entry_text import entry_text
from hedgerow_protocol.delivery.values import EntryId, EntryKind, Position, RoomId
from hedgerow_protocol.ids import NodeId


@dataclass(frozen=True, slots=True)
class Reach:
    """What a device may read of a room."""

    room_row: int
    first: int
    """Seq of the first entry: the commit that let it in, or 1."""
    position: Position
    """Where the log stands, or stood when the device was taken out."""
    until: int | None
    hub: NodeId | None = None
    """The node that orders the room; ``None``: this one."""
    signature: bytes = b""
    """The hub's, of ``position``; empty where this node is the hub."""


def reach_of(connection: Connection, room: RoomId, device_row: int) -> Reach:
    """Raises :class:`Refused` when the device never took part."""
    found = connection.execute(_REACH, (room, device_row)).fetchone()
    if found is None:
        raise unknown_room()
    row, joined, until, seq, hash, time, hub, signature = found
    position = Position(seq, hash, time) if until is None else position_at(connection, row, until)
    return Reach(row, max(1, joined), position, until, NodeId(hub) if hub is not None else None, signature or b"")


def position_at(connection: Connection, room_row: int, seq: int) -> Position:
    """Where a log stood after an entry."""
    if seq == 0:
        return BEGINNING
    query = ((room_row << ROOM_SHIFT) + seq,)
    hash, time = connection.execute("SELECT hash, time FROM entry WHERE id = ?", query).fetchone()
    return Position(seq, hash, time)


def texts_after(connection: Connection, reach: Reach, after: int, limit: int, bytes_max: int) -> list[bytes]:
    """Entries after a seq as JSON, at most ``limit`` and about ``bytes_max`` of payload, but one at least."""
    first = reach.room_row << ROOM_SHIFT
    low = first + max(after, reach.first - 1)
    texts: list[bytes] = []
    size = 0
    for id, time, kind, epoch, submission, hash, payload_hash, payload in connection.execute(
        _ENTRIES, (low, first + reach.position.seq, limit)
    ):
        size += len(payload or b"")
        if texts and size > bytes_max:
            break
        texts.append(
            entry_text(
                id - first, time, EntryKind(kind), epoch, EntryId(submission), payload, payload_hash or b"", hash
            )
        )
    return texts


# A device that takes part comes before its own older mailboxes.
_REACH = """
SELECT r.id, m.joined, m.until, r.seq, r.hash, r.time, r.hub, iif(m.until IS NULL, r.signature, m.until_signature)
FROM room r JOIN mailbox m ON m.room = r.id WHERE r.name = ? AND m.device = ?
ORDER BY m.until IS NOT NULL, m.until DESC LIMIT 1
"""
_ENTRIES = """
SELECT id, time, kind, epoch, submission, hash, payload_hash, payload
FROM entry WHERE id > ? AND id <= ? ORDER BY id LIMIT ?
"""
