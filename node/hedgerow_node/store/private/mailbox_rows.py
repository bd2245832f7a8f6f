"""Rooms and the mailboxes that take part in them: founding, stopping, how far each has read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.log_rows import position_at
from hedgerow_node.store.private.outgoing_rows import Outgoing, put
from hedgerow_node.store.private.values import Happened, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import BEGINNING
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import DeviceId, MailboxId, Position, RoomId
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, Unfollow
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy


@dataclass(frozen=True, slots=True)
class Standing:
    """One room of a device, before its head is signed."""

    room: RoomId
    mailbox: MailboxId
    acknowledged: int
    position: Position
    until: int | None
    hub: NodeId | None = None
    """The node that orders the room; ``None``: this one."""
    signature: bytes = b""
    """The hub's, of ``position``; empty where this node is the hub."""
    notes: int = 0
    """The number of the newest note."""


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


def stop(
    connection: Connection, session: Session, room: RoomId, mailbox: MailboxId, entropy: Entropy, now: int = 0
) -> Happened:
    """Forget a device's own mailbox in a room; a hub elsewhere is told."""
    hubs = tell_hubs(connection, _HUBS_OF_MAILBOX, (mailbox, session.device_row), entropy, now)
    gone = connection.execute(_STOP, (mailbox, session.device_row, room)).fetchone()
    if gone is None:
        raise unknown_room()
    return Happened(parted=[(session.device, room)], outgoing=hubs)


def tell_hubs(
    connection: Connection, query: str, about: tuple[Any, ...], entropy: Entropy, now: int = 0
) -> list[NodeId]:
    """These mailboxes stop: put that into the outbox, for each whose room has its hub elsewhere. The hubs."""
    hubs = []
    for hub, room, mailbox in connection.execute(query, about).fetchall():
        gone = Unfollow(RoomId(room), MailboxId(mailbox))
        put(connection, Outgoing(NodeId(hub), entropy(REQUEST_ID_BYTES), gone, mailbox), now)
        hubs.append(NodeId(hub))
    return hubs


def rooms_of(connection: Connection, session: Session) -> list[Standing]:
    """Everything a device takes or took part in; not yet where the commit that let it in has not come from the hub."""
    rows = connection.execute(_ROOMS_OF, (session.device_row,)).fetchall()
    return [
        Standing(
            RoomId(room),
            MailboxId(name),
            acknowledged,
            Position(seq, hash, time) if until is None else position_at(connection, row, until),
            until,
            NodeId(hub) if hub is not None else None,
            signature or b"",
            notes,
        )
        for row, room, name, acknowledged, until, seq, hash, time, hub, signature, notes in rows
    ]


def positions(
    connection: Connection, session: Session, rooms: Sequence[RoomId]
) -> list[tuple[RoomId, Position, bytes | None]]:
    """Where those of these rooms stand in which the device takes part; with the hub's signature, of other hubs."""
    found = []
    for room in dict.fromkeys(rooms):
        row = connection.execute(_POSITION, (room, session.device_row)).fetchone()
        if row is not None:
            found.append((room, Position(*row[:3]), row[3]))
    return found


def acknowledge(connection: Connection, acknowledged: Iterable[tuple[Session, RoomId, int]]) -> None:
    """Never goes back, and never beyond what the mailbox may read."""
    connection.executemany(_ACKNOWLEDGE, [(seq, seq, session.device_row, room) for session, room, seq in acknowledged])


def device_of(connection: Connection, mailbox: MailboxId) -> int | None:
    """The row of the device whose mailbox this is."""
    found = connection.execute("SELECT device FROM mailbox WHERE name = ?", (mailbox,)).fetchone()
    return found[0] if found is not None else None


def devices_in(connection: Connection, room_row: int) -> list[DeviceId]:
    """Devices that take part in a room."""
    return [DeviceId(name) for (name,) in connection.execute(_DEVICES_IN, (room_row,))]


_TAKES_PART = "SELECT 1 FROM mailbox WHERE id = ? AND room = ? AND until IS NULL"
_ROOMS = "SELECT count(*) FROM mailbox WHERE device = ? AND room IS NOT NULL AND until IS NULL"
_HUBS = """
SELECT r.hub, r.name, m.name FROM mailbox m JOIN room r ON r.id = m.room WHERE r.hub IS NOT NULL AND
"""
_HUBS_OF_MAILBOX = _HUBS + "m.name = ? AND m.device = ?"
HUBS_OF_DEVICE = _HUBS + "m.device = ? AND m.until IS NULL"
"""Far rooms in which a device takes part: hub, room, mailbox."""
HUBS_OF_ACCOUNT = _HUBS + "m.account = ?"
"""Far rooms in which an account has or had a mailbox."""
_STOP = """
DELETE FROM mailbox WHERE name = ? AND device = ? AND room = (SELECT id FROM room WHERE name = ?) RETURNING id
"""
_ROOMS_OF = """
SELECT r.id, r.name, m.name, m.acknowledged, m.until, r.seq, r.hash, r.time, r.hub,
  iif(m.until IS NULL, r.signature, m.until_signature),
  coalesce((SELECT max(n.id) FROM note n WHERE n.room = r.id), 0)
FROM mailbox m JOIN room r ON r.id = m.room WHERE m.device = ? AND m.joined <= r.seq ORDER BY m.id
"""
_POSITION = """
SELECT r.seq, r.hash, r.time, r.signature FROM room r JOIN mailbox m ON m.room = r.id
WHERE r.name = ? AND m.device = ? AND m.until IS NULL AND m.joined <= r.seq
"""
_ACKNOWLEDGE = """
UPDATE mailbox SET acknowledged = min(?, coalesce(until, (SELECT seq FROM room WHERE id = mailbox.room)))
WHERE acknowledged < ? AND device = ? AND room = (SELECT id FROM room WHERE name = ?)
"""
_DEVICES_IN = """
SELECT d.name FROM mailbox m JOIN device d ON d.id = m.device WHERE m.room = ? AND m.until IS NULL
"""
