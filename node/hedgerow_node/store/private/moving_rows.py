"""Moves of rooms to other hubs: what a device here has said is decided, and where the new hub begins."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.far_mailbox_rows import unknown_here
from hedgerow_node.store.private.note_rows import active_room, nodes_of
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_node.store.private.values import MoveRow, NewMove, Session
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import Head, MailboxId, Position, RoomId
from hedgerow_protocol.federation.moving import decode_statement, encode_statement
from hedgerow_protocol.ids import NodeId

_LINE: Final = b"\n"
"""Between two statements: JSON in its one form has none."""


class Pending(NamedTuple):
    """A move that is decided and not done here."""

    room: RoomId
    number: int
    hub: NodeId
    """The new one."""
    old: NodeId | None
    """The present one; ``None``: this node."""
    position: Position
    """Where the log stands here."""


class Unbegun(Exception):  # noqa: N818 - it is an answer more than an error
    """The move to this node is not begun."""


def plan(connection: Connection, session: Session, move: NewMove, this: NodeId) -> bool:
    """A device says that a move is decided; whether that was new. Raises :class:`Refused`.

    From now on nothing more is ordered here, if this node was the hub.
    """
    row = active_room(connection, session, move.room)
    (hub,) = connection.execute("SELECT hub FROM room WHERE id = ?", (row,)).fetchone()
    newest = connection.execute(_NEWEST, (row,)).fetchone()
    if newest is not None and newest[0] >= move.number:
        known = connection.execute(_HUB_OF, (row, move.number)).fetchone()
        if known is None or known[0] != move.hub:
            raise Refused(Refusal.STALE, "This room has moved elsewhere already.")
        return False
    if move.hub == (hub or this):
        raise Refused(Refusal.BAD, "This room is kept there already.")
    statements = _LINE.join(map(encode_statement, move.statements))
    connection.execute(_PLAN, (row, move.number, move.hub, statements, b"".join(move.mailboxes)))
    if hub is None:
        connection.execute("UPDATE room SET closed = 1 WHERE id = ?", (row,))
    return True


def pending(connection: Connection, room: RoomId | None = None) -> list[Pending]:
    """Moves to be done, of one room or of all: the newest of each."""
    return [
        Pending(RoomId(name), number, NodeId(hub), NodeId(old) if old is not None else None, Position(seq, hash, time))
        for name, number, hub, old, seq, hash, time in connection.execute(_PENDING, (room, room))
    ]


def moves_of(connection: Connection, session: Session, room: RoomId) -> list[MoveRow]:
    """All moves of a room that this node knows, in their order. Raises :class:`Refused`."""
    row = active_room(connection, session, room)
    return [
        MoveRow(
            number,
            NodeId(hub),
            Head(Position(seq, hash, time), signature) if signature is not None else None,
            tuple(map(decode_statement, statements.split(_LINE))),
        )
        for number, hub, seq, hash, time, signature, statements in connection.execute(_MOVES, (row,))
    ]


def hub_of(connection: Connection, room: RoomId) -> tuple[int, NodeId | None, bool]:
    """The row of a room, its hub (``None``: this node), and whether it is closed here. Raises :class:`Refused`."""
    found = connection.execute("SELECT id, hub, closed FROM room WHERE name = ?", (room,)).fetchone()
    if found is None:
        raise unknown_here()
    return found[0], NodeId(found[1]) if found[1] is not None else None, bool(found[2])


def is_closed(connection: Connection, room: RoomId) -> bool:
    """Whether a room of this hub is about to move away, or has moved."""
    return connection.execute(_CLOSED, (room,)).fetchone() is not None


def is_begun(connection: Connection, room_row: int, number: int) -> bool:
    """Whether this move of a room is done here."""
    return connection.execute(_BEGUN, (room_row, number)).fetchone() is not None


def claim(connection: Connection, node: NodeId, room: RoomId, number: int, mailboxes: Sequence[MailboxId]) -> Head:
    """Another node has these mailboxes of a room that has moved here. Where it begins here.

    Raises :class:`Refused`, and :class:`Unbegun`.
    """
    row, hub, _ = hub_of(connection, room)
    found = connection.execute(_BEGUN, (row, number)).fetchone()
    if hub is not None or found is None:
        if node in nodes_of(connection, row):
            raise Unbegun
        raise unknown_here()
    first = connection.execute(_FIRST, (row,)).fetchone()[0]
    joined = first - (row << ROOM_SHIFT) if first is not None else found[0] + 1
    for mailbox in mailboxes:
        if connection.execute(_UNCLAIM, (row, mailbox)).rowcount:
            connection.execute(_CLAIM, (mailbox, row, node, joined))
    if node not in nodes_of(connection, row):
        raise unknown_here()
    return Head(Position(*found[:3]), found[3])


_NEWEST = "SELECT max(number) FROM move WHERE room = ? HAVING max(number) IS NOT NULL"
_HUB_OF = "SELECT hub FROM move WHERE room = ? AND number = ?"
_PLAN = "INSERT INTO move (room, number, hub, statements, mailboxes) VALUES (?, ?, ?, ?, ?)"
_PENDING = """
SELECT r.name, m.number, m.hub, r.hub, r.seq, r.hash, r.time FROM move m JOIN room r ON r.id = m.room
WHERE m.signature IS NULL AND (? IS NULL OR r.name = ?)
AND NOT EXISTS (SELECT 1 FROM move n WHERE n.room = m.room AND n.number > m.number)
ORDER BY m.id
"""
_MOVES = "SELECT number, hub, seq, hash, time, signature, statements FROM move WHERE room = ? ORDER BY number"
_CLOSED = """
SELECT 1 FROM room r WHERE r.name = ? AND (r.closed = 1 OR (
  r.hub IS NOT NULL AND EXISTS (SELECT 1 FROM move m WHERE m.room = r.id AND m.hub = r.hub)))
"""
_BEGUN = """
SELECT seq, hash, time, signature FROM move WHERE room = ? AND number = ? AND signature IS NOT NULL
"""
_FIRST = "SELECT min(id) FROM entry WHERE id >> 32 = ?"
_UNCLAIM = "DELETE FROM unclaimed WHERE room = ? AND name = ?"
_CLAIM = "INSERT INTO far_mailbox (name, room, node, joined) VALUES (?, ?, ?, ?) ON CONFLICT (room, name) DO NOTHING"
