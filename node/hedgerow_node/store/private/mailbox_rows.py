"""Rooms and the mailboxes that take part in them: founding, putting back, stopping, how far each has read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.letting_in import device_name
from hedgerow_node.store.private.log_rows import position_at
from hedgerow_node.store.private.values import Happened, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import BEGINNING
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import DeviceId, MailboxId, Position, RoomId


@dataclass(frozen=True, slots=True)
class Standing:
    """One room of a device, before its head is signed."""

    room: RoomId
    mailbox: MailboxId
    acknowledged: int
    position: Position
    until: int | None


def found_room(
    connection: Connection, session: Session, room: RoomId, mailbox: MailboxId
) -> tuple[Position, Happened | None]:
    """A new room with its first mailbox. The same again gives where it stands."""
    found = connection.execute("SELECT id, seq, hash, time FROM room WHERE name = ?", (room,)).fetchone()
    row = own_mailbox(connection, session, mailbox)
    if found is not None:
        here = row is not None and connection.execute(_TAKES_PART, (row, found[0])).fetchone()
        if not here:
            raise Refused(Refusal.TAKEN, "There is such a room already.")
        return Position(*found[1:]), None
    (many,) = connection.execute(_ROOMS, (session.device_row,)).fetchone()
    if many >= limits.ROOMS_OF_DEVICE_MAX:
        raise Refused(Refusal.TOO_MANY, f"A device takes part in at most {limits.ROOMS_OF_DEVICE_MAX} rooms.")
    if row is None:
        row = register_mailbox(connection, session, mailbox)
    elif connection.execute("SELECT room FROM mailbox WHERE id = ?", (row,)).fetchone()[0] is not None:
        raise Refused(Refusal.TAKEN, "This mailbox belongs to another room.")
    room_row = connection.execute(
        "INSERT INTO room (name, seq, time, hash) VALUES (?, 0, 0, ?)", (room, BEGINNING.hash)
    ).lastrowid
    connection.execute("UPDATE mailbox SET room = ? WHERE id = ?", (room_row, row))
    return BEGINNING, Happened(joined=[(session.device, room)])


def own_mailbox(connection: Connection, session: Session, mailbox: MailboxId) -> int | None:
    """The row of a device's mailbox; ``None`` when nobody has it. Raises :class:`Refused` when another device has."""
    found = connection.execute("SELECT id, device FROM mailbox WHERE name = ?", (mailbox,)).fetchone()
    if found is None:
        return None
    if found[1] != session.device_row:
        raise Refused(Refusal.TAKEN, "This mailbox belongs to another device.")
    return int(found[0])


def register_mailbox(connection: Connection, session: Session, mailbox: MailboxId) -> int:
    """A new mailbox that waits to be let into a room. Returns its row."""
    (many,) = connection.execute("SELECT count(*) FROM mailbox WHERE device = ?", (session.device_row,)).fetchone()
    if many >= limits.MAILBOXES_OF_DEVICE_MAX:
        raise Refused(Refusal.TOO_MANY, f"A device has at most {limits.MAILBOXES_OF_DEVICE_MAX} mailboxes.")
    made = connection.execute(
        "INSERT INTO mailbox (name, account, device) VALUES (?, ?, ?)",
        (mailbox, session.account_row, session.device_row),
    )
    return int(made.lastrowid or 0)


def put_back(connection: Connection, session: Session, room: RoomId, mailbox: MailboxId) -> Happened | None:
    """Undo that a mailbox was taken out. See the rule in docs/protocol/delivery.md. Raises :class:`Refused`."""
    own = connection.execute(_OWN, (session.device_row, room)).fetchall()
    if not own:
        raise unknown_room()
    found = connection.execute(_OUT, (mailbox, room)).fetchone()
    if found is None:
        raise Refused(Refusal.UNKNOWN, "There is no such mailbox in this room.")
    row, until, device_row, account_row = found
    if until is None:
        return None
    takes_part = any(each is None for (each,) in own)
    went_with_it = any(each is not None and each >= until for (each,) in own) and account_row != session.account_row
    if not (takes_part or went_with_it) or device_row == session.device_row:
        raise Refused(Refusal.NOT_ALLOWED, "Only others who take part in the room can put this mailbox back.")
    device = device_name(connection, device_row)
    if device is None or connection.execute(_ANOTHER, (device_row, room, row)).fetchone():
        return None  # revoked meanwhile, or it takes part with a newer mailbox
    connection.execute("UPDATE mailbox SET until = NULL WHERE id = ?", (row,))
    return Happened(joined=[(device, room)])


def stop(connection: Connection, session: Session, room: RoomId, mailbox: MailboxId) -> Happened:
    """Forget a device's own mailbox in a room."""
    gone = connection.execute(_STOP, (mailbox, session.device_row, room)).fetchone()
    if gone is None:
        raise unknown_room()
    return Happened(parted=[(session.device, room)])


def rooms_of(connection: Connection, session: Session) -> list[Standing]:
    """Everything a device takes or took part in."""
    rows = connection.execute(_ROOMS_OF, (session.device_row,)).fetchall()
    return [
        Standing(
            RoomId(room),
            MailboxId(name),
            acknowledged,
            Position(seq, hash, time) if until is None else position_at(connection, row, until),
            until,
        )
        for row, room, name, acknowledged, until, seq, hash, time in rows
    ]


def positions(connection: Connection, session: Session, rooms: Sequence[RoomId]) -> list[tuple[RoomId, Position]]:
    """Where those of these rooms stand in which the device takes part."""
    found = []
    for room in dict.fromkeys(rooms):
        row = connection.execute(_POSITION, (room, session.device_row)).fetchone()
        if row is not None:
            found.append((room, Position(*row)))
    return found


def acknowledge(connection: Connection, acknowledged: Iterable[tuple[Session, RoomId, int]]) -> None:
    """Never goes back, and never beyond what the mailbox may read."""
    connection.executemany(_ACKNOWLEDGE, [(seq, seq, session.device_row, room) for session, room, seq in acknowledged])


def devices_in(connection: Connection, room_row: int) -> list[DeviceId]:
    """Devices that take part in a room."""
    return [DeviceId(name) for (name,) in connection.execute(_DEVICES_IN, (room_row,))]


_TAKES_PART = "SELECT 1 FROM mailbox WHERE id = ? AND room = ? AND until IS NULL"
_ROOMS = "SELECT count(*) FROM mailbox WHERE device = ? AND room IS NOT NULL AND until IS NULL"
_OWN = "SELECT m.until FROM mailbox m JOIN room r ON r.id = m.room WHERE m.device = ? AND r.name = ?"
_OUT = """
SELECT m.id, m.until, m.device, m.account
FROM mailbox m JOIN room r ON r.id = m.room WHERE m.name = ? AND r.name = ?
"""
_ANOTHER = """
SELECT 1 FROM mailbox m JOIN room r ON r.id = m.room
WHERE m.device = ? AND r.name = ? AND m.id <> ? AND m.until IS NULL
"""
_STOP = """
DELETE FROM mailbox WHERE name = ? AND device = ? AND room = (SELECT id FROM room WHERE name = ?) RETURNING id
"""
_ROOMS_OF = """
SELECT r.id, r.name, m.name, m.acknowledged, m.until, r.seq, r.hash, r.time
FROM mailbox m JOIN room r ON r.id = m.room WHERE m.device = ? ORDER BY m.id
"""
_POSITION = """
SELECT r.seq, r.hash, r.time FROM room r JOIN mailbox m ON m.room = r.id
WHERE r.name = ? AND m.device = ? AND m.until IS NULL
"""
_ACKNOWLEDGE = """
UPDATE mailbox SET acknowledged = min(?, coalesce(until, (SELECT seq FROM room WHERE id = mailbox.room)))
WHERE acknowledged < ? AND device = ? AND room = (SELECT id FROM room WHERE name = ?)
"""
_DEVICES_IN = """
SELECT d.name FROM mailbox m JOIN device d ON d.id = m.device WHERE m.room = ? AND m.until IS NULL
"""
