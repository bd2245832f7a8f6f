"""Invitations: the node counts and ends them, and cannot open what is sealed in them."""

from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.values import InviteRow, InviteView, NewInvite, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.consent import matches
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import InviteId, RoomId


class KeptInvite(NamedTuple):
    """An invitation as it is kept."""

    row: int
    account: int | None
    room: int | None
    proof_hash: bytes
    expires: int
    uses: int
    used: int
    note: bytes


def find_invite(connection: Connection, invite: InviteId, proof: bytes, now: int) -> KeptInvite:
    """An invitation that is still good, for somebody who shows its proof. Raises :class:`Refused`."""
    found = connection.execute(_KEPT, (invite,)).fetchone()
    if found is None or not matches(proof, found[3]):
        raise Refused(Refusal.UNKNOWN, "This invitation is not known here. Ask for a new one.")
    kept = KeptInvite(*found)
    if kept.expires <= now:
        raise Refused(Refusal.ENDED, "This invitation has expired. Ask for a new one.")
    return kept


def use_invite(connection: Connection, kept: KeptInvite) -> None:
    """An account is made with it. Raises :class:`Refused` when it allows no more."""
    if kept.used >= kept.uses:
        raise Refused(Refusal.ENDED, "This invitation was used as often as it may be. Ask for a new one.")
    connection.execute("UPDATE invite SET used = used + 1 WHERE id = ?", (kept.row,))


def view_of(kept: KeptInvite) -> InviteView:
    """What somebody with the link may know."""
    return InviteView(kept.expires, max(0, kept.uses - kept.used), kept.note)


def add_invite(connection: Connection, session: Session | None, invite: NewInvite) -> None:
    """Keep a checked invitation. The same again is fine. Raises :class:`Refused`."""
    account = session.account_row if session is not None else None
    found = connection.execute(_KEPT, (invite.invite,)).fetchone()
    if found is not None:
        kept = KeptInvite(*found)
        if (kept.account, kept.proof_hash) != (account, invite.proof_hash):
            raise Refused(Refusal.TAKEN, "There is such an invitation already.")
        return
    room = _room_row(connection, session, invite.room)
    if session is not None:
        (many,) = connection.execute("SELECT count(*) FROM invite WHERE account = ?", (session.account_row,)).fetchone()
        if many >= limits.INVITES_OF_ACCOUNT_MAX:
            raise Refused(Refusal.TOO_MANY, "You have as many open invitations as there may be. Withdraw one first.")
    connection.execute(
        "INSERT INTO invite (name, account, room, proof_hash, expires, uses, note) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (invite.invite, account, room, invite.proof_hash, invite.expires, invite.uses, invite.note),
    )


def _room_row(connection: Connection, session: Session | None, room: RoomId | None) -> int | None:
    if room is None:
        return None
    found = connection.execute(_ROOM, (room, session.account_row if session is not None else None)).fetchone()
    if found is None:
        raise Refused(Refusal.NOT_ALLOWED, "Only who takes part in a room can invite to it.")
    return int(found[0])


def invites_of(connection: Connection, session: Session | None, now: int) -> list[InviteRow]:
    """The account's own, or the keeper's, that have not expired."""
    rows = connection.execute(_OWN, (session.account_row if session is not None else None, now))
    return [
        InviteRow(InviteId(name), expires, uses, max(0, uses - used), note, RoomId(room) if room is not None else None)
        for name, expires, uses, used, note, room in rows
    ]


def remove_invite(connection: Connection, session: Session | None, invite: InviteId) -> None:
    """Withdraw one's own; the keeper may withdraw any. Raises :class:`Refused`."""
    if session is None:
        gone = connection.execute("DELETE FROM invite WHERE name = ? RETURNING id", (invite,)).fetchone()
    else:
        gone = connection.execute(
            "DELETE FROM invite WHERE name = ? AND account = ? RETURNING id", (invite, session.account_row)
        ).fetchone()
    if gone is None:
        raise Refused(Refusal.UNKNOWN, "There is no such invitation.")


_KEPT = "SELECT id, account, room, proof_hash, expires, uses, used, note FROM invite WHERE name = ?"
_ROOM = """
SELECT r.id FROM room r JOIN mailbox m ON m.room = r.id
WHERE r.name = ? AND m.account = ? AND m.until IS NULL LIMIT 1
"""
_OWN = """
SELECT i.name, i.expires, i.uses, i.used, i.note, r.name
FROM invite i LEFT JOIN room r ON r.id = i.room WHERE i.account IS ? AND i.expires > ? ORDER BY i.id
"""
