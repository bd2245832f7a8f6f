"""Asks to be let in: by an invitation, or for another device of somebody who is in the room already."""

from hashlib import sha256

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.far_ask_rows import tell_followers, tell_others, told_of_ask
from hedgerow_node.store.private.invite_rows import KeptInvite
from hedgerow_node.store.private.mailbox_rows import devices_in
from hedgerow_node.store.private.outgoing_rows import PASSING, Outgoing, check_room_for, find, put
from hedgerow_node.store.private.values import DAY_SECONDS, AskRow, Happened, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import AskId, InviteId, RoomId
from hedgerow_protocol.federation.letters import kind_of
from hedgerow_protocol.federation.values import Asked, AskLetter, AskTold, RefusalAnswer, RoomAsk
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy


def add_ask(
    connection: Connection,
    session: Session,
    kept: KeptInvite,
    body: bytes,
    name: AskId,
    entropy: Entropy,
    now: int,
) -> tuple[AskId, Happened | None]:
    """Ask by an invitation; the same again gives the first one's id. Raises :class:`Refused`."""
    again = connection.execute(
        "SELECT name FROM ask WHERE invite = ? AND account = ? AND body = ?", (kept.row, session.account_row, body)
    ).fetchone()
    if again is not None:
        return AskId(again[0]), None
    (many,) = connection.execute(_OF_INVITE, (kept.row, kept.row)).fetchone()
    if many >= limits.ASKS_OF_INVITE_MAX:
        raise Refused(Refusal.TOO_MANY, "Many people ask by this invitation. Try again when some were answered.")
    _check_account(connection, session)
    _insert(connection, session, kept.row, kept.room, body, name, now)
    return name, told_of_ask(connection, kept, body, name, session.device, None, entropy, now)


def add_ask_elsewhere(
    connection: Connection, session: Session, node: NodeId, ask: AskLetter, name: AskId, now: int
) -> tuple[AskId, Happened | None]:
    """Ask by an invitation that another node keeps; the same again gives the first one's id. Raises Refused.

    So whoever was not told in time what became of it asks again, and is told.
    """
    again = connection.execute(_ELSEWHERE, (node, session.account_row, ask.body)).fetchone()
    if again is not None:
        return AskId(again[0]), None
    about = sha256(ask.invite + ask.proof + ask.body).digest()
    known = find(connection, node, kind_of(ask), about)
    if known is not None and isinstance(known.answer, Asked):
        return known.answer.ask, None  # somebody has handled it since
    if known is not None and isinstance(known.answer, RefusalAnswer) and known.answer.code not in PASSING:
        raise Refused(known.answer.code, known.answer.sentence or "The other community said no.")
    _check_account(connection, session)
    check_room_for(connection, node, session.device_row)
    _insert(connection, session, None, None, ask.body, name, now, node)
    put(connection, Outgoing(node, name, ask, about, session.device_row), now)
    return name, Happened(outgoing=[node])


def forget_refused(connection: Connection, ask: AskId) -> None:
    """The node that was asked has said no."""
    connection.execute("DELETE FROM ask WHERE name = ?", (ask,))


def add_room_ask(
    connection: Connection,
    session: Session,
    room: RoomId,
    body: bytes,
    name: AskId,
    tag: bytes,
    entropy: Entropy,
    now: int,
) -> tuple[AskId, Happened | None]:
    """Ask for this device; a newer ask of the same device takes the older one's place. Raises :class:`Refused`.

    A device that takes part may ask too: it has lost the room's state, and its Welcome ends the older mailbox.
    ``tag`` stands for the account at a hub elsewhere.
    """
    found = connection.execute(_OTHER_DEVICES, (room, session.account_row)).fetchall()
    if not found:
        raise unknown_room()
    row, hub = found[0][0], found[0][2]
    again = connection.execute(
        "SELECT name, body FROM ask WHERE room = ? AND device = ? AND invite IS NULL", (row, session.device_row)
    ).fetchone()
    if again is not None:
        if again[1] == body:
            return AskId(again[0]), None
        connection.execute("DELETE FROM ask WHERE name = ?", (again[0],))
    _check_account(connection, session)
    _insert(connection, session, None, row, body, name, now)
    if hub is None:
        told = AskTold(room, name, None, body, now // DAY_SECONDS * DAY_SECONDS)
        nodes = tell_followers(connection, row, told, name, None, entropy, now)
    else:
        nodes = [NodeId(hub)]
        check_room_for(connection, nodes[0], session.device_row)
        put(connection, Outgoing(nodes[0], name, RoomAsk(room, tag, body), name, session.device_row), now)
    return name, Happened(asks=devices_in(connection, row), outgoing=nodes)


def asks_for(connection: Connection, session: Session) -> list[AskRow]:
    """By one's own invitations and for the rooms of this device, except this device's own."""
    rows = connection.execute(_FOR, (session.account_row, session.device_row) * 2 + (session.device_row,))
    return [
        AskRow(
            AskId(name),
            InviteId(invite) if invite is not None else None,
            RoomId(room) if room is not None else None,
            body,
            day * DAY_SECONDS,
        )
        for name, invite, room, body, day, *_ in rows
    ]


def count_asks(connection: Connection, session: Session) -> int:
    """How many :func:`asks_for` would give."""
    query = (session.account_row, session.device_row) * 2 + (session.device_row,)
    (many,) = connection.execute(f"SELECT count(*) FROM ({_FOR})", query).fetchone()  # noqa: S608 - our own text
    return int(many)


def remove_ask(connection: Connection, session: Session, ask: AskId, entropy: Entropy) -> Happened | None:
    """Whoever may see it has handled it, or its maker takes it back. Raises :class:`Refused`."""
    if all(each.ask != ask for each in asks_for(connection, session)):
        own = connection.execute("SELECT 1 FROM ask WHERE name = ? AND account = ?", (ask, session.account_row))
        if own.fetchone() is None:
            raise Refused(Refusal.UNKNOWN, "There is no such ask; perhaps somebody else has handled it.")
    rooms = [
        connection.execute(f"DELETE FROM {table} WHERE name = ? RETURNING room", (ask,)).fetchone()  # noqa: S608
        for table in ("ask", "far_ask")
    ]
    nodes: list[NodeId] = []
    for found in rooms:
        if found is not None and found[0] is not None:
            nodes += tell_others(connection, found[0], ask, entropy)
    return Happened(outgoing=nodes)


def _check_account(connection: Connection, session: Session) -> None:
    (many,) = connection.execute("SELECT count(*) FROM ask WHERE account = ?", (session.account_row,)).fetchone()
    if many >= limits.ASKS_OF_ACCOUNT_MAX:
        raise Refused(Refusal.TOO_MANY, "You have asked in many places. Wait for an answer, or take an ask back.")


def _insert(
    connection: Connection,
    session: Session,
    invite: int | None,
    room: int | None,
    body: bytes,
    name: AskId,
    now: int,
    node: NodeId | None = None,
) -> None:
    connection.execute(
        "INSERT INTO ask (name, account, device, invite, room, body, day, node) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, session.account_row, session.device_row, invite, room, body, now // DAY_SECONDS, node),
    )


# Mailboxes of the account that take part now, or would if their device had not been revoked.
_OTHER_DEVICES = """
SELECT r.id, m.device, r.hub FROM room r JOIN mailbox m ON m.room = r.id
WHERE r.name = ? AND m.account = ? AND (m.until IS NULL OR m.device IS NULL)
"""
_OF_INVITE = """
SELECT (SELECT count(*) FROM ask WHERE invite = ?) + (SELECT count(*) FROM far_ask WHERE invite = ?)
"""
_ELSEWHERE = "SELECT name FROM ask WHERE node = ? AND account = ? AND body = ?"
# What is asked of a room is for those who take part in it now: whoever made the invitation may have left.
_ALL = """
SELECT a.name, i.name, r.name, a.body, a.day, a.device, a.id
FROM ask a LEFT JOIN invite i ON i.id = a.invite LEFT JOIN room r ON r.id = a.room
WHERE (
  a.room IS NULL AND a.invite IN (SELECT id FROM invite WHERE account = ?)
  OR a.room IN (SELECT room FROM mailbox WHERE device = ? AND room IS NOT NULL AND until IS NULL)
)
UNION ALL
SELECT f.name, coalesce(i.name, f.told_invite), r.name, f.body, f.day, NULL, f.id
FROM far_ask f LEFT JOIN invite i ON i.id = f.invite LEFT JOIN room r ON r.id = f.room
WHERE (
  f.room IS NULL AND f.invite IN (SELECT id FROM invite WHERE account = ?)
  OR f.room IN (SELECT room FROM mailbox WHERE device = ? AND room IS NOT NULL AND until IS NULL)
)
"""
_FOR = f"SELECT * FROM ({_ALL}) WHERE device IS NOT ? ORDER BY day, id"  # noqa: S608 - our own text
