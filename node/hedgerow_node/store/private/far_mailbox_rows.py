"""Devices of other nodes in rooms of this hub: known by their mailbox and their node only."""

from collections.abc import Sequence
from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import MailboxId, RoomId
from hedgerow_protocol.ids import NodeId


class Span(NamedTuple):
    """What one mailbox reads: from the commit that let it in to the one that took it out, both included."""

    joined: int
    until: int | None


class Out(NamedTuple):
    """A far mailbox that was taken out, or takes part (``until`` is ``None``)."""

    row: int
    node: NodeId
    until: int | None
    gone: bool
    last: int
    """The seq of the last commit that took it out."""


def is_taken(connection: Connection, room: RoomId, node: NodeId, mailbox: MailboxId) -> bool:
    """Whether a mailbox of this name in the room is another one than this node's."""
    if connection.execute(_NAMED_HERE, (mailbox, room)).fetchone() is not None:
        return True
    found = connection.execute(_NAMED, (mailbox, room)).fetchone()
    return found is not None and (found[1] != node or found[2] is None)


def let_in(connection: Connection, room_row: int, node: NodeId, mailbox: MailboxId, seq: int) -> None:
    """It takes part from this seq on; its node follows the room from now on, if it did not."""
    connection.execute(_LET_IN, (mailbox, room_row, node, seq))
    connection.execute(_FOLLOW, (room_row, node, seq - 1))


def take_out(connection: Connection, room_row: int, mailbox: MailboxId, seq: int) -> NodeId | None:
    """It reads no further; its node, if there is such a mailbox that was not out before."""
    found = connection.execute(_TAKE_OUT, (seq, mailbox, room_row)).fetchone()
    return NodeId(found[0]) if found is not None and found[0] is not None else None


def leave(connection: Connection, node: NodeId, room: RoomId, mailbox: MailboxId) -> Happened:
    """Its home takes it back for good, or has refused it. The same again is fine. Raises :class:`Refused`."""
    done = connection.execute(_LEAVE, (mailbox, node, room)).fetchone()
    if done is None:
        raise unknown_here()
    return Happened(limited=[(node, room, end_for(connection, done[0], node))])


def end_for(connection: Connection, room_row: int, node: NodeId) -> int | None:
    """The last seq that this node may have; ``None``: everything, because a mailbox of it takes part."""
    active, end = connection.execute(_END_FOR, (room_row, node)).fetchone()
    return None if active else int(end)


def find(connection: Connection, room: RoomId, mailbox: MailboxId) -> Out | None:
    """A far mailbox of a room of this hub."""
    found = connection.execute(_NAMED, (mailbox, room)).fetchone()
    return Out(found[0], NodeId(found[1]), found[2], bool(found[3]), found[4]) if found is not None else None


def bring_back(connection: Connection, row: int) -> None:
    """As if it had never been taken out."""
    connection.execute("UPDATE far_mailbox SET until = NULL, out_last = NULL WHERE id = ? AND gone = 0", (row,))


def check_takes_part(connection: Connection, node: NodeId, room: RoomId) -> int:
    """The row of a room of this hub in which a mailbox of this node takes part. Raises :class:`Refused`."""
    found = connection.execute(_ACTIVE, (room, node)).fetchone()
    if found is None:
        raise unknown_here()
    return int(found[0])


def check_was_in(connection: Connection, node: NodeId, room: RoomId) -> int:
    """The same, also where only mailboxes take or took part that their home has taken back."""
    found = connection.execute(_WAS_IN, (room, node)).fetchone()
    if found is None:
        raise unknown_here()
    return int(found[0])


def spans_of(connection: Connection, node: NodeId, room: RoomId) -> tuple[int, Sequence[Span]]:
    """The row of a room of this hub, and what this node's mailboxes read of it. Raises :class:`Refused`."""
    rows = connection.execute(_SPANS, (room, node)).fetchall()
    if not rows:
        raise unknown_here()
    return rows[0][0], [Span(joined, until) for _, joined, until in rows]


def nodes_in(connection: Connection, room_row: int) -> list[NodeId]:
    """Nodes with mailboxes that take part."""
    return [NodeId(node) for (node,) in connection.execute(_NODES, (room_row,))]


def unknown_here() -> Refused:
    """The one answer to other nodes for rooms that are not there and rooms that are not theirs."""
    return Refused(Refusal.UNKNOWN, "No device of your node takes part in such a room here.")


_NAMED_HERE = "SELECT 1 FROM mailbox m JOIN room r ON r.id = m.room WHERE m.name = ? AND r.name = ?"
_NAMED = """
SELECT f.id, f.node, f.until, f.gone, max(coalesce(f.until, 0), coalesce(f.out_last, 0))
FROM far_mailbox f JOIN room r ON r.id = f.room
WHERE f.name = ? AND r.name = ? AND r.hub IS NULL
"""
_LET_IN = """
INSERT INTO far_mailbox (name, room, node, joined) VALUES (?, ?, ?, ?)
ON CONFLICT (room, name) DO UPDATE SET joined = excluded.joined, until = NULL, out_last = NULL, gone = 0
"""
_FOLLOW = """
INSERT INTO follower (room, node, acknowledged) VALUES (?, ?, ?) ON CONFLICT (node, room) DO NOTHING
"""
_TAKE_OUT = """
UPDATE far_mailbox SET until = coalesce(until, ?1), out_last = ?1 WHERE name = ?2 AND room = ?3
RETURNING iif(until = ?1, node, NULL)
"""
_LEAVE = """
UPDATE far_mailbox SET gone = 1, until = coalesce(until, (SELECT seq FROM room WHERE id = far_mailbox.room))
WHERE name = ? AND node = ? AND room = (SELECT id FROM room WHERE name = ? AND hub IS NULL) RETURNING room
"""
_END_FOR = """
SELECT coalesce(sum(until IS NULL), 0), coalesce(max(until), 0) FROM far_mailbox WHERE room = ? AND node = ?
"""
_ACTIVE = """
SELECT r.id FROM room r JOIN far_mailbox f ON f.room = r.id
WHERE r.name = ? AND r.hub IS NULL AND f.node = ? AND f.until IS NULL LIMIT 1
"""
_WAS_IN = """
SELECT r.id FROM room r JOIN far_mailbox f ON f.room = r.id
WHERE r.name = ? AND r.hub IS NULL AND f.node = ? AND (f.until IS NULL OR f.gone = 1) LIMIT 1
"""
_SPANS = """
SELECT r.id, f.joined, f.until FROM room r JOIN far_mailbox f ON f.room = r.id
WHERE r.name = ? AND r.hub IS NULL AND f.node = ?
"""
_NODES = "SELECT DISTINCT node FROM far_mailbox WHERE room = ? AND until IS NULL ORDER BY node"
