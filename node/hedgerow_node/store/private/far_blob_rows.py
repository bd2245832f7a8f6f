"""Files of rooms that cross nodes: what another node may have or bring, and what waits to be brought to a hub."""

from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.blob_rows import check_room_quota
from hedgerow_node.store.private.far_mailbox_rows import check_takes_part
from hedgerow_node.store.private.values import DAY_SECONDS
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import BlobHash, RoomId
from hedgerow_protocol.ids import NodeId


class Leaving(NamedTuple):
    """A file that waits to be brought to its room's hub."""

    row: int
    hub: NodeId
    room: RoomId
    blob: BlobHash
    size: int
    created: int


# --- at the hub


def size_for(connection: Connection, node: NodeId, room: RoomId, blob: BlobHash) -> int:
    """Bytes of a file of a room in which this node takes part. Raises :class:`Refused`."""
    row = check_takes_part(connection, node, room)
    found = connection.execute("SELECT size FROM blob WHERE hash = ? AND room = ?", (blob, row)).fetchone()
    if found is None:
        raise Refused(Refusal.UNKNOWN, "This file is not here, or is no longer kept.")
    return int(found[0])


def check_for(connection: Connection, node: NodeId, room: RoomId, blob: BlobHash, size: int) -> bool:
    """Whether the room has this file already. Raises :class:`Refused` when it cannot have it."""
    row = check_takes_part(connection, node, room)
    if connection.execute("SELECT 1 FROM blob WHERE hash = ? AND room = ?", (blob, row)).fetchone():
        return True
    if not 0 < size <= limits.BLOB_BYTES_MAX:
        raise Refused(Refusal.TOO_LARGE, f"A file has at most {limits.BLOB_BYTES_MAX // 1024**2} MiB.")
    check_room_quota(connection, row, size)
    return False


def add_for(connection: Connection, node: NodeId, room: RoomId, blob: BlobHash, size: int, now: int) -> None:
    """The file is on the disk; now the room has it. Raises :class:`Refused`."""
    if not check_for(connection, node, room, blob, size):
        row = (blob, check_takes_part(connection, node, room), size, now // DAY_SECONDS)
        connection.execute("INSERT INTO blob (hash, room, size, day) VALUES (?, ?, ?, ?)", row)


# --- at a follower


def leaving(connection: Connection, hub: NodeId | None = None) -> list[Leaving]:
    """What waits to be brought to this hub, or any; oldest first."""
    rows = connection.execute(_LEAVING, (hub, hub))
    return [
        Leaving(row, NodeId(its_hub), RoomId(room), BlobHash(blob), size, created)
        for row, its_hub, room, blob, size, created in rows
    ]


def leave(connection: Connection, room: RoomId, blob: BlobHash, now: int) -> None:
    """This file of a room of another hub is to be brought there."""
    connection.execute(_LEAVE, (now, blob, room))


def brought(connection: Connection, row: int) -> None:
    """It is there, or will never be."""
    connection.execute("DELETE FROM blob_out WHERE blob = ?", (row,))


def add_fetched(connection: Connection, room: RoomId, blob: BlobHash, size: int, now: int) -> None:
    """A file that was fetched from the hub is on the disk. Raises :class:`Refused`."""
    found = connection.execute("SELECT id FROM room WHERE name = ? AND hub IS NOT NULL", (room,)).fetchone()
    if found is not None:
        check_room_quota(connection, found[0], size)
    connection.execute(_FETCHED, (blob, size, now // DAY_SECONDS, room))


_LEAVING = """
SELECT o.blob, r.hub, r.name, b.hash, b.size, o.created
FROM blob_out o JOIN blob b ON b.id = o.blob JOIN room r ON r.id = b.room
WHERE r.hub IS NOT NULL AND (? IS NULL OR r.hub = ?) ORDER BY o.blob
"""
_LEAVE = """
INSERT INTO blob_out (blob, created)
SELECT b.id, ? FROM blob b JOIN room r ON r.id = b.room WHERE b.hash = ? AND r.name = ? AND r.hub IS NOT NULL
ON CONFLICT (blob) DO NOTHING
"""
_FETCHED = """
INSERT INTO blob (hash, room, size, day) SELECT ?, id, ?, ? FROM room WHERE name = ? AND hub IS NOT NULL
ON CONFLICT (hash, room) DO NOTHING
"""
