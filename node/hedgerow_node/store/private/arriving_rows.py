"""Being let into a room of another hub: its Welcome comes, and this node becomes a follower of the room."""

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.letting_in import check_welcomes_waiting, device_name
from hedgerow_node.store.private.mirror_rows import Copy, NotYet, copy_of, mailboxes_in, stands_at
from hedgerow_node.store.private.outgoing_rows import Outgoing, put
from hedgerow_node.store.private.values import DAY_SECONDS, Happened
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import WELCOME_ID_BYTES, MailboxId, RoomId
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, Follow, Unfollow, WelcomeLetter
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy


def arrive(connection: Connection, hub: NodeId, letter: WelcomeLetter, entropy: Entropy, now: int) -> Happened | None:
    """Let a device of this node in, if it is one that offered itself. The same again is fine. Raises :class:`Refused`.

    The head's signature was checked by whoever calls.
    """
    found = connection.execute(_PACKAGE, (letter.ref,)).fetchone()
    if found is None:
        if connection.execute(_ARRIVED, (letter.mailbox, letter.room, hub, letter.seq)).fetchone():
            return None
        raise _not_offered()
    package_row, device_row, mailbox_row, room, expires, claimed, mailbox, its_room = found
    if not claimed or expires <= now or room not in (None, letter.room) or mailbox != letter.mailbox:
        raise _not_offered()
    copy = copy_of(connection, letter.room)
    if copy is None:
        copy = _begin(connection, hub, letter)
    elif copy.hub != hub or copy.faulty or its_room not in (None, copy.row):
        raise _not_offered()
    else:
        _check_anchor(connection, copy, letter)
    _check_device(connection, device_row)
    _supersede(connection, copy, letter.room, device_row, mailbox_row, entropy, now)
    connection.execute(_LET_IN, (copy.row, letter.seq, letter.seq, mailbox_row))
    connection.execute(
        _WELCOME,
        (
            entropy(WELCOME_ID_BYTES),
            device_row,
            copy.row,
            letter.ref,
            letter.seq,
            now // DAY_SECONDS,
            letter.payload,
        ),
    )
    connection.execute("DELETE FROM key_package WHERE id = ?", (package_row,))
    ask_to_follow(connection, copy, letter.room, entropy, now)
    if copy.head.position.seq < letter.seq:
        # Its device hears of it when the commit that let it in is here: what it reads then fits together.
        return Happened(outgoing=[hub])
    device = device_name(connection, device_row)
    joined = [(device, letter.room)] if device is not None else []
    return Happened(joined=joined, welcomes=[each for each, _ in joined], outgoing=[hub])


def _begin(connection: Connection, hub: NodeId, letter: WelcomeLetter) -> Copy:
    if connection.execute("SELECT 1 FROM room WHERE name = ?", (letter.room,)).fetchone():
        raise _not_offered()  # a room of this node
    at = letter.head.position
    connection.execute(_ROOM, (letter.room, at.seq, at.time, at.hash, at.seq + 1, hub, letter.head.signature))
    copy = copy_of(connection, letter.room)
    assert copy is not None  # noqa: S101 - it was made a line above
    return copy


def _check_anchor(connection: Connection, copy: Copy, letter: WelcomeLetter) -> None:
    try:
        if not stands_at(connection, copy, letter.head):
            raise Refused(Refusal.BAD, "This head is not of the log that was told here.")
    except NotYet:
        return  # the copy grows past it, and is then checked against what comes


def _check_device(connection: Connection, device_row: int) -> None:
    check_welcomes_waiting(connection, device_row)
    (many,) = connection.execute(_ROOMS, (device_row,)).fetchone()
    if many >= limits.ROOMS_OF_DEVICE_MAX:
        raise Refused(Refusal.TOO_MANY, f"A device takes part in at most {limits.ROOMS_OF_DEVICE_MAX} rooms.")


def _supersede(
    connection: Connection, copy: Copy, room: RoomId, device_row: int, mailbox_row: int, entropy: Entropy, now: int
) -> None:
    # A device has one mailbox in a room: an older one of a lost state ends here, and at the hub.
    seq, signature = copy.head.position.seq, copy.head.signature
    older = connection.execute(_SUPERSEDE, (seq, signature, device_row, copy.row, mailbox_row)).fetchall()
    for (name,) in older:
        gone = Unfollow(room, MailboxId(name))
        put(connection, Outgoing(copy.hub, entropy(REQUEST_ID_BYTES), gone, name), now)


def ask_to_follow(connection: Connection, copy: Copy, room: RoomId, entropy: Entropy, now: int) -> None:
    """Ask the hub for everything after what is here."""
    mailboxes = tuple(mailboxes_in(connection, copy.row, limits.FOLLOW_MAILBOXES_MAX))
    follow = Follow(room, copy.head.position.seq, mailboxes)
    put(connection, Outgoing(copy.hub, entropy(REQUEST_ID_BYTES), follow, room), now)


def _not_offered() -> Refused:
    return Refused(Refusal.UNKNOWN, "Nobody here has offered to be let in so.")


_PACKAGE = """
SELECT k.id, k.device, k.mailbox, k.room, k.expires, k.claimed IS NOT NULL OR k.claimed_node IS NOT NULL, m.name, m.room
FROM key_package k JOIN mailbox m ON m.id = k.mailbox WHERE k.ref = ?
"""
_ARRIVED = """
SELECT 1 FROM mailbox m JOIN room r ON r.id = m.room WHERE m.name = ? AND r.name = ? AND r.hub = ? AND m.joined = ?
"""
_ROOM = """
INSERT INTO room (name, seq, time, hash, messages_from, hub, signature) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_ROOMS = "SELECT count(*) FROM mailbox WHERE device = ? AND room IS NOT NULL AND until IS NULL"
_SUPERSEDE = """
UPDATE mailbox SET until = ?, until_signature = ? WHERE device = ? AND room = ? AND id <> ? AND until IS NULL
RETURNING name
"""
_LET_IN = """
UPDATE mailbox SET room = ?, joined = ?, acknowledged = ?, until = NULL, until_signature = NULL WHERE id = ?
"""
_WELCOME = """
INSERT INTO welcome (name, device, room, ref, seq, day, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
