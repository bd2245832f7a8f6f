"""Undoing what invalid commits did to a mailbox of a room of this hub. The rule: docs/protocol/delivery.md."""

from collections.abc import Sequence
from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import far_mailbox_rows
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.letting_in import device_name
from hedgerow_node.store.private.outgoing_rows import Outgoing, put
from hedgerow_node.store.private.values import Happened, Session
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import MailboxId, RoomId
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, MailboxTold, PutBack
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy


class _Author(NamedTuple):
    """Who asks for it."""

    untils: Sequence[int | None]
    """Of the author's own mailboxes in the room; ``None`` takes part."""
    account_row: int | None
    device_row: int | None
    node: NodeId | None
    mailbox: MailboxId | None
    seen: int
    """The last seq the author has processed."""

    def check(self, until: int, *, own: bool, another: bool) -> None:
        """``own``: the mailbox is that of the author's device; ``another``: surely of another account. Raises."""
        takes_part = any(each is None for each in self.untils)
        went_with_it = another and any(each is not None and each >= until for each in self.untils)
        if not (takes_part or went_with_it) or own:
            raise Refused(Refusal.NOT_ALLOWED, "Only others who take part in the room can put this mailbox back.")


def put_back(
    connection: Connection, session: Session, room: RoomId, mailbox: MailboxId, seen: int, entropy: Entropy
) -> Happened | None:
    """As a device of this node asks that has processed the log up to ``seen``. Raises :class:`Refused`."""
    own = connection.execute(_OWN, (session.device_row, room)).fetchall()
    if not own:
        raise unknown_room()
    author = _Author([until for (until,) in own], session.account_row, session.device_row, None, None, seen)
    return _put_back(connection, author, room, mailbox, entropy)


def put_back_for_node(connection: Connection, node: NodeId, asked: PutBack, entropy: Entropy) -> Happened | None:
    """As a device of another node asks. Raises :class:`Refused`."""
    own = far_mailbox_rows.find(connection, asked.room, asked.author)
    if own is None or own.node != node or own.gone:
        raise far_mailbox_rows.unknown_here()
    author = _Author([own.until], None, None, node, asked.author, asked.seen)
    return _put_back(connection, author, asked.room, asked.mailbox, entropy)


def _put_back(
    connection: Connection, author: _Author, room: RoomId, mailbox: MailboxId, entropy: Entropy
) -> Happened | None:
    here = connection.execute(_OUT, (mailbox, room)).fetchone()
    if here is not None:
        return _put_back_here(connection, author, room, *here)
    far = far_mailbox_rows.find(connection, room, mailbox)
    if far is None or far.gone:
        raise Refused(Refusal.UNKNOWN, "There is no such mailbox in this room.")
    if far.until is None or far.last > author.seen:
        return None
    author.check(far.until, own=mailbox == author.mailbox, another=far.node != author.node)
    far_mailbox_rows.bring_back(connection, far.row)
    put(connection, Outgoing(far.node, entropy(REQUEST_ID_BYTES), MailboxTold(room, mailbox, None), mailbox))
    return Happened(outgoing=[far.node], limited=[(far.node, room, None)])


def _put_back_here(
    connection: Connection,
    author: _Author,
    room: RoomId,
    row: int,
    until: int | None,
    last: int,
    device_row: int,
    account_row: int,
) -> Happened | None:
    if until is None or last > author.seen:
        return None
    author.check(until, own=device_row == author.device_row, another=account_row != author.account_row)
    device = device_name(connection, device_row)
    if device is None or connection.execute(_ANOTHER, (device_row, room, row)).fetchone():
        return None  # revoked meanwhile, or it takes part with a newer mailbox
    connection.execute("UPDATE mailbox SET until = NULL, out_last = NULL WHERE id = ?", (row,))
    return Happened(joined=[(device, room)])


_OWN = "SELECT m.until FROM mailbox m JOIN room r ON r.id = m.room WHERE m.device = ? AND r.name = ? AND r.hub IS NULL"
_OUT = """
SELECT m.id, m.until, max(coalesce(m.until, 0), coalesce(m.out_last, 0)), m.device, m.account
FROM mailbox m JOIN room r ON r.id = m.room WHERE m.name = ? AND r.name = ? AND r.hub IS NULL
"""
_ANOTHER = """
SELECT 1 FROM mailbox m JOIN room r ON r.id = m.room
WHERE m.device = ? AND r.name = ? AND m.id <> ? AND m.until IS NULL
"""
