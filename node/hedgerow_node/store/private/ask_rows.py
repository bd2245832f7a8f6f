"""Asks to be let in: by an invitation, or for another device of somebody who is in the room already."""

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.invite_rows import KeptInvite
from hedgerow_node.store.private.mailbox_rows import devices_in
from hedgerow_node.store.private.values import DAY_SECONDS, AskRow, Happened, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import AskId, DeviceId, InviteId, RoomId


def add_ask(
    connection: Connection, session: Session, kept: KeptInvite, body: bytes, name: AskId, now: int
) -> tuple[AskId, Happened | None]:
    """Ask by an invitation; the same again gives the first one's id. Raises :class:`Refused`."""
    again = connection.execute(
        "SELECT name FROM ask WHERE invite = ? AND account = ? AND body = ?", (kept.row, session.account_row, body)
    ).fetchone()
    if again is not None:
        return AskId(again[0]), None
    (many,) = connection.execute("SELECT count(*) FROM ask WHERE invite = ?", (kept.row,)).fetchone()
    if many >= limits.ASKS_OF_INVITE_MAX:
        raise Refused(Refusal.TOO_MANY, "Many people ask by this invitation. Try again when some were answered.")
    _check_account(connection, session)
    _insert(connection, session, kept.row, kept.room, body, name, now)
    devices = _devices_of(connection, kept.account)
    if kept.room is not None:
        devices += devices_in(connection, kept.room)
    return name, Happened(asks=[each for each in dict.fromkeys(devices) if each != session.device])


def add_room_ask(
    connection: Connection, session: Session, room: RoomId, body: bytes, name: AskId, now: int
) -> tuple[AskId, Happened | None]:
    """Ask for this device; a newer ask of the same device takes the older one's place. Raises :class:`Refused`.

    A device that takes part may ask too: it has lost the room's state, and its Welcome ends the older mailbox.
    """
    found = connection.execute(_OTHER_DEVICES, (room, session.account_row)).fetchall()
    if not found:
        raise unknown_room()
    row = found[0][0]
    again = connection.execute(
        "SELECT name, body FROM ask WHERE room = ? AND device = ? AND invite IS NULL", (row, session.device_row)
    ).fetchone()
    if again is not None:
        if again[1] == body:
            return AskId(again[0]), None
        connection.execute("DELETE FROM ask WHERE name = ?", (again[0],))
    _check_account(connection, session)
    _insert(connection, session, None, row, body, name, now)
    return name, Happened(asks=devices_in(connection, row))


def asks_for(connection: Connection, session: Session) -> list[AskRow]:
    """By one's own invitations and for the rooms of this device, except this device's own."""
    rows = connection.execute(_FOR, (session.account_row, session.device_row, session.device_row))
    return [
        AskRow(
            AskId(name),
            InviteId(invite) if invite is not None else None,
            RoomId(room) if room is not None else None,
            body,
            day * DAY_SECONDS,
        )
        for name, invite, room, body, day in rows
    ]


def count_asks(connection: Connection, session: Session) -> int:
    """How many :func:`asks_for` would give."""
    query = (session.account_row, session.device_row, session.device_row)
    (many,) = connection.execute(f"SELECT count(*) FROM ({_FOR})", query).fetchone()  # noqa: S608 - our own text
    return int(many)


def remove_ask(connection: Connection, session: Session, ask: AskId) -> None:
    """Whoever may see it has handled it, or its maker takes it back. Raises :class:`Refused`."""
    if all(each.ask != ask for each in asks_for(connection, session)):
        own = connection.execute("SELECT 1 FROM ask WHERE name = ? AND account = ?", (ask, session.account_row))
        if own.fetchone() is None:
            raise Refused(Refusal.UNKNOWN, "There is no such ask; perhaps somebody else has handled it.")
    connection.execute("DELETE FROM ask WHERE name = ?", (ask,))


def _check_account(connection: Connection, session: Session) -> None:
    (many,) = connection.execute("SELECT count(*) FROM ask WHERE account = ?", (session.account_row,)).fetchone()
    if many >= limits.ASKS_OF_ACCOUNT_MAX:
        raise Refused(Refusal.TOO_MANY, "You have asked in many places. Wait for an answer, or take an ask back.")


def _insert(
    connection: Connection, session: Session, invite: int | None, room: int | None, body: bytes, name: AskId, now: int
) -> None:
    connection.execute(
        "INSERT INTO ask (name, account, device, invite, room, body, day) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (name, session.account_row, session.device_row, invite, room, body, now // DAY_SECONDS),
    )


def _devices_of(connection: Connection, account_row: int | None) -> list[DeviceId]:
    return [
        DeviceId(name) for (name,) in connection.execute("SELECT name FROM device WHERE account = ?", (account_row,))
    ]


# Mailboxes of the account that take part now, or would if their device had not been revoked.
_OTHER_DEVICES = """
SELECT r.id, m.device FROM room r JOIN mailbox m ON m.room = r.id
WHERE r.name = ? AND m.account = ? AND (m.until IS NULL OR m.device IS NULL)
"""
_FOR = """
SELECT a.name, i.name, r.name, a.body, a.day
FROM ask a LEFT JOIN invite i ON i.id = a.invite LEFT JOIN room r ON r.id = a.room
WHERE (
  a.invite IN (SELECT id FROM invite WHERE account = ?)
  OR a.room IN (SELECT room FROM mailbox WHERE device = ? AND room IS NOT NULL AND until IS NULL)
) AND a.device <> ?
ORDER BY a.id
"""
