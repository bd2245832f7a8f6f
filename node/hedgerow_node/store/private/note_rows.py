"""Members' sealed words beside the log: kept for a month for the devices here, few enough of each node."""

from hashlib import sha256

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import far_mailbox_rows, outgoing_rows, place_rows
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.outgoing_rows import Outgoing, put
from hedgerow_node.store.private.values import DAY_SECONDS, Happened, NoteRow, Posted, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, Note
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy


def add_note(
    connection: Connection, session: Session, room: RoomId, body: bytes, entropy: Entropy, now: int
) -> Happened | None:
    """A device says something to the others; it goes to every other node of the room. Raises :class:`Refused`."""
    row = active_room(connection, session, room)
    if not _keep(connection, row, None, body, now):
        return None
    digest = sha256(body).digest()
    posted: list[Posted] = []
    for node in nodes_of(connection, row):
        if outgoing_rows.has_room_for(connection, node):
            posted.append(put(connection, Outgoing(node, entropy(REQUEST_ID_BYTES), Note(room, body), digest), now))
    return Happened(notes=[room], posted=posted)


def note_came(connection: Connection, node: NodeId, note: Note, now: int) -> Happened | None:
    """Another node of the room passes one on. Raises :class:`Refused`."""
    row = room_shared_with(connection, node, note.room)
    return Happened(notes=[note.room]) if _keep(connection, row, node, note.body, now) else None


def notes_after(connection: Connection, session: Session, room: RoomId, after: int) -> list[NoteRow]:
    """Those that came after one. Raises :class:`Refused`."""
    row = active_room(connection, session, room)
    return [NoteRow(number, body) for number, body in connection.execute(_AFTER, (row, after))]


def forget_old(connection: Connection, now: int) -> None:
    """Notes are kept for a month."""
    oldest = (now - limits.ROOM_NOTE_SECONDS_KEPT) // DAY_SECONDS
    connection.execute("DELETE FROM note WHERE day < ?", (oldest,))


def active_room(connection: Connection, session: Session, room: RoomId) -> int:
    """The row of a room in which a device takes part. Raises :class:`Refused`."""
    found = connection.execute(_ACTIVE, (room, session.device_row)).fetchone()
    if found is None:
        raise unknown_room()
    return int(found[0])


def room_shared_with(connection: Connection, node: NodeId, room: RoomId) -> int:
    """The row of a room whose hub or follower another node is. Raises :class:`Refused`."""
    found = connection.execute("SELECT id FROM room WHERE name = ?", (room,)).fetchone()
    if found is None or node not in nodes_of(connection, found[0]):
        raise far_mailbox_rows.unknown_here()
    return int(found[0])


def nodes_of(connection: Connection, room_row: int) -> list[NodeId]:
    """All other nodes of a room, as far as this one knows."""
    (hub,) = connection.execute("SELECT hub FROM room WHERE id = ?", (room_row,)).fetchone()
    if hub is None:
        return far_mailbox_rows.nodes_in(connection, room_row)
    return [NodeId(hub), *place_rows.fellows_of(connection, room_row)]


def _keep(connection: Connection, room_row: int, node: NodeId | None, body: bytes, now: int) -> bool:
    """Whether it is a new one. The oldest from the same node make room."""
    row = (room_row, node, sha256(body).digest(), body, now // DAY_SECONDS)
    if connection.execute(_KEEP, row).rowcount != 1:
        return False
    connection.execute(_BOUND, (room_row, node, room_row, node, limits.ROOM_NOTES_OF_NODE_MAX))
    return True


_ACTIVE = """
SELECT r.id FROM room r JOIN mailbox m ON m.room = r.id WHERE r.name = ? AND m.device = ? AND m.until IS NULL
"""
_AFTER = "SELECT id, body FROM note WHERE room = ? AND id > ? ORDER BY id"
_KEEP = "INSERT INTO note (room, node, digest, body, day) VALUES (?, ?, ?, ?, ?) ON CONFLICT (room, digest) DO NOTHING"
_BOUND = """
DELETE FROM note WHERE room = ? AND node IS ? AND id <= (
  SELECT id FROM note WHERE room = ? AND node IS ? ORDER BY id DESC LIMIT 1 OFFSET ?
)
"""
