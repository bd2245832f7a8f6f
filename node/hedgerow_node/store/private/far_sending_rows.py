"""What a device says in a room of another hub, before it goes there."""

from dataclasses import replace

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_node.store.private.values import Session
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import Accepted, MailboxId, RoomId, Submission
from hedgerow_protocol.ids import NodeId


def as_sent(submission: Submission, hub: NodeId) -> Submission:
    """As the hub reads it: newcomers of the hub itself have no home there."""
    welcomes = tuple(
        replace(each, home=None, mailbox=None) if each.home == hub else each for each in submission.welcomes
    )
    return replace(submission, welcomes=welcomes, removes=tuple(submission.removes))


def check_author(connection: Connection, session: Session, hub: NodeId, submission: Submission) -> Accepted | None:
    """Where the same entry stands in the copy, if it has come; whether it may be sent. Raises :class:`Refused`."""
    found = connection.execute(_AUTHOR, (submission.mailbox, session.device_row, submission.room, hub)).fetchone()
    if found is None:
        raise unknown_room()
    until, row, faulty = found
    entry = connection.execute(_ENTRY, (row, submission.id)).fetchone()
    if entry is not None:
        id, time, hash = entry
        return Accepted(id - (row << ROOM_SHIFT), time, hash)
    if until is not None:
        raise Refused(Refusal.NOT_ALLOWED, "This device was taken out of the room.")
    if faulty:
        raise Refused(Refusal.ENDED, "The node of this room told two stories. Found the room anew.")
    return None


def own_mailbox_in(connection: Connection, session: Session, room: RoomId, *, active: bool = False) -> MailboxId:
    """The device's mailbox in a room: the one that takes part, else the last one that did. Raises :class:`Refused`."""
    found = connection.execute(_OWN, (session.device_row, room)).fetchone()
    if found is None or (active and found[1] is not None):
        raise unknown_room()
    return MailboxId(found[0])


_AUTHOR = """
SELECT m.until, r.id, EXISTS (SELECT 1 FROM fork f WHERE f.room = r.id)
FROM mailbox m JOIN room r ON r.id = m.room WHERE m.name = ? AND m.device = ? AND r.name = ? AND r.hub = ?
"""
_ENTRY = "SELECT id, time, hash FROM entry WHERE id >> 32 = ? AND submission = ?"
_OWN = """
SELECT m.name, m.until FROM mailbox m JOIN room r ON r.id = m.room
WHERE m.device = ? AND r.name = ? ORDER BY m.until IS NOT NULL, m.until DESC LIMIT 1
"""
