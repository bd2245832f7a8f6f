"""Invitations: the node counts and ends them, and cannot open what is sealed in them.

An **intake** is one that makes no accounts, leads into a room and has no note. A listing shows it to everybody, so it
is not its maker's but the room's: every member of the room may renew and withdraw it, and nobody who has left.
"""

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

    @property
    def is_intake(self) -> bool:
        """It belongs to all of its room."""
        return self.uses == 0 and self.room is not None and not self.note


def find_invite(connection: Connection, invite: InviteId, proof: bytes, now: int) -> KeptInvite:
    """An invitation that is still good, for somebody who shows its proof. Raises :class:`Refused`."""
    found = connection.execute(_KEPT, (invite,)).fetchone()
    if found is None or not matches(proof, found[3]):
        raise _not_known()
    kept = KeptInvite(*found)
    if kept.expires <= now:
        if kept.is_intake:
            raise _not_known()  # whether a group ever took asks is for nobody else
        raise Refused(Refusal.ENDED, "This invitation has expired. Ask for a new one.")
    return kept


def _not_known() -> Refused:
    return Refused(Refusal.UNKNOWN, "This invitation is not known here. Ask for a new one.")


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
        if session is not None and kept.is_intake and invite.is_intake:
            _renew(connection, session, kept, invite)
        elif (kept.account, kept.proof_hash) != (account, invite.proof_hash):
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


def _renew(connection: Connection, session: Session, kept: KeptInvite, invite: NewInvite) -> None:
    """Whoever renews an intake keeps it from now on: it must not go with an account that left."""
    if kept.room != _room_row(connection, session, invite.room) or kept.proof_hash != invite.proof_hash:
        raise Refused(Refusal.TAKEN, "There is such an invitation already.")
    connection.execute(
        "UPDATE invite SET account = ?, expires = max(expires, ?) WHERE id = ?",
        (session.account_row, invite.expires, kept.row),
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
    """Withdraw one's own, or the intake of a room one takes part in; the keeper any. Raises :class:`Refused`."""
    found = connection.execute(_KEPT, (invite,)).fetchone()
    if found is None or not _may_withdraw(connection, session, KeptInvite(*found)):
        raise Refused(Refusal.UNKNOWN, "There is no such invitation.")
    connection.execute("DELETE FROM invite WHERE name = ?", (invite,))


def _may_withdraw(connection: Connection, session: Session | None, kept: KeptInvite) -> bool:
    if session is None:
        return True
    if not kept.is_intake:
        return kept.account == session.account_row
    return connection.execute(_TAKES_PART, (kept.room, session.account_row)).fetchone() is not None


_KEPT = "SELECT id, account, room, proof_hash, expires, uses, used, note FROM invite WHERE name = ?"
_ROOM = """
SELECT r.id FROM room r JOIN mailbox m ON m.room = r.id
WHERE r.name = ? AND m.account = ? AND m.until IS NULL LIMIT 1
"""
_TAKES_PART = "SELECT 1 FROM mailbox WHERE room = ? AND account = ? AND until IS NULL LIMIT 1"
_OWN = """
SELECT i.name, i.expires, i.uses, i.used, i.note, r.name
FROM invite i LEFT JOIN room r ON r.id = i.room WHERE i.account IS ? AND i.expires > ? ORDER BY i.id
"""
