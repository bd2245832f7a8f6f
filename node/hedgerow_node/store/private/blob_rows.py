"""Which files belong to which rooms, and whose quota they count for."""

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.values import DAY_SECONDS, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import BlobHash, RoomId


def check_blob(connection: Connection, session: Session, room: RoomId, blob: BlobHash, size: int) -> bool:
    """Whether the room has this file already. Raises :class:`Refused` when it cannot have it."""
    room_row = _room_row(connection, session, room)
    if connection.execute("SELECT 1 FROM blob WHERE hash = ? AND room = ?", (blob, room_row)).fetchone():
        return True
    (by_account,) = connection.execute(
        "SELECT coalesce(sum(size), 0) FROM blob WHERE account = ?", (session.account_row,)
    ).fetchone()
    if by_account + size > limits.BLOBS_OF_ACCOUNT_BYTES_MAX:
        raise Refused(Refusal.TOO_MANY, "You have sent as many files as are kept at once. Older ones go after 30 days.")
    check_room_quota(connection, room_row, size)
    return False


def check_room_quota(connection: Connection, room_row: int, size: int) -> None:
    """Whether a room may have one more file of this size. Raises :class:`Refused`."""
    (in_room,) = connection.execute("SELECT coalesce(sum(size), 0) FROM blob WHERE room = ?", (room_row,)).fetchone()
    if in_room + size > limits.BLOBS_OF_ROOM_BYTES_MAX:
        raise Refused(Refusal.TOO_MANY, "This room has as many files as are kept at once. Older ones go after 30 days.")


def add_blob(connection: Connection, session: Session, room: RoomId, blob: BlobHash, size: int, now: int) -> None:
    """The file is on the disk; now the room has it. Raises :class:`Refused`."""
    if check_blob(connection, session, room, blob, size):
        return
    row = (blob, _room_row(connection, session, room), session.account_row, size, now // DAY_SECONDS)
    connection.execute("INSERT INTO blob (hash, room, account, size, day) VALUES (?, ?, ?, ?, ?)", row)


def blob_size(connection: Connection, session: Session, room: RoomId, blob: BlobHash) -> int:
    """Bytes of a file of a room. Raises :class:`Refused`."""
    room_row = _room_row(connection, session, room)
    found = connection.execute("SELECT size FROM blob WHERE hash = ? AND room = ?", (blob, room_row)).fetchone()
    if found is None:
        raise Refused(Refusal.UNKNOWN, "This file is not here, or is no longer kept.")
    return int(found[0])


def is_wanted(connection: Connection, blob: bytes) -> bool:
    """Whether any room has this file."""
    return connection.execute("SELECT 1 FROM blob WHERE hash = ?", (blob,)).fetchone() is not None


def _room_row(connection: Connection, session: Session, room: RoomId) -> int:
    found = connection.execute(_ROOM, (room, session.device_row)).fetchone()
    if found is None:
        raise unknown_room()
    return int(found[0])


_ROOM = """
SELECT r.id FROM room r JOIN mailbox m ON m.room = r.id WHERE r.name = ? AND m.device = ? AND m.until IS NULL
"""
