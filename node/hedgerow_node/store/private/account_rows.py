"""Accounts and devices: made with an invitation, a linked device or the account's key; removed with all they had."""

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.invite_rows import find_invite, use_invite
from hedgerow_node.store.private.mailbox_rows import HUBS_OF_ACCOUNT, HUBS_OF_DEVICE, tell_hubs
from hedgerow_node.store.private.sealed_rows import remove_sealed
from hedgerow_node.store.private.values import DAY_SECONDS, DeviceRow, Happened, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import AccountKey, DeviceId, InviteId, RoomId
from hedgerow_protocol.ports import Entropy


def session_of(connection: Connection, token_hash: bytes) -> Session | None:
    """The device whose token has this hash."""
    found = connection.execute(_WHOSE, (token_hash,)).fetchone()
    return Session(AccountKey(found[0]), DeviceId(found[1]), found[2], found[3]) if found is not None else None


def register(
    connection: Connection,
    invite: InviteId,
    proof: bytes,
    account: AccountKey,
    device: DeviceId,
    token_hash: bytes,
    now: int,
) -> Session:
    """An account with its first device. Raises :class:`Refused`."""
    again = session_of(connection, token_hash)
    if again is not None and again.account == account and again.device == device:
        return again
    found = find_invite(connection, invite, proof, now)
    if connection.execute("SELECT 1 FROM account WHERE key = ?", (account,)).fetchone():
        raise Refused(Refusal.TAKEN, "There is such an account already. Recover it with its sheet.")
    use_invite(connection, found)
    made = connection.execute("INSERT INTO account (key, day) VALUES (?, ?)", (account, now // DAY_SECONDS))
    return _add_device(connection, account, int(made.lastrowid or 0), device, token_hash, now)


def recover(connection: Connection, account: AccountKey, device: DeviceId, token_hash: bytes, now: int) -> Session:
    """A new device for an account whose key was proven. Raises :class:`Refused`."""
    found = connection.execute("SELECT id FROM account WHERE key = ?", (account,)).fetchone()
    if found is None:
        raise Refused(Refusal.NO_ACCOUNT, "This node knows no account with this recovery sheet.")
    return add_device(connection, account, found[0], device, token_hash, now)


def add_device(
    connection: Connection, account: AccountKey, account_row: int, device: DeviceId, token_hash: bytes, now: int
) -> Session:
    """One more device. The same again is fine. Raises :class:`Refused`."""
    again = session_of(connection, token_hash)
    if again is not None and again.account == account and again.device == device:
        return again
    (many,) = connection.execute("SELECT count(*) FROM device WHERE account = ?", (account_row,)).fetchone()
    if many >= limits.DEVICES_OF_ACCOUNT_MAX:
        raise Refused(
            Refusal.TOO_MANY,
            f"An account has at most {limits.DEVICES_OF_ACCOUNT_MAX} devices. Remove an old one first.",
        )
    return _add_device(connection, account, account_row, device, token_hash, now)


def _add_device(
    connection: Connection, account: AccountKey, account_row: int, device: DeviceId, token_hash: bytes, now: int
) -> Session:
    if connection.execute("SELECT 1 FROM device WHERE name = ? OR token_hash = ?", (device, token_hash)).fetchone():
        raise Refused(Refusal.TAKEN, "This device is known already.")
    if connection.execute("SELECT 1 FROM account WHERE id = ?", (account_row,)).fetchone() is None:
        raise Refused(Refusal.NO_ACCOUNT, "This account is no longer here.")
    made = connection.execute(
        "INSERT INTO device (account, name, token_hash, day) VALUES (?, ?, ?, ?)",
        (account_row, device, token_hash, now // DAY_SECONDS),
    )
    return Session(account, device, account_row, int(made.lastrowid or 0))


def devices_of(connection: Connection, session: Session) -> list[DeviceRow]:
    """All devices of an account, oldest first."""
    rows = connection.execute("SELECT name, day, id FROM device WHERE account = ? ORDER BY id", (session.account_row,))
    return [DeviceRow(DeviceId(name), day * DAY_SECONDS, row == session.device_row) for name, day, row in rows]


def remove_device(
    connection: Connection, session: Session, device: DeviceId, vault: str, entropy: Entropy
) -> tuple[list[str], Happened]:
    """Revoke a device of an account: its mailboxes end where their rooms stand. Raises :class:`Refused`.

    ``vault`` is the name of its sealed record, which goes, too; its file is the caller's to remove.
    """
    found = connection.execute(
        "SELECT id FROM device WHERE name = ? AND account = ?", (device, session.account_row)
    ).fetchone()
    if found is None:
        raise Refused(Refusal.UNKNOWN, "There is no such device.")
    hubs = tell_hubs(connection, HUBS_OF_DEVICE, found, entropy)
    parted = _end_mailboxes(connection, found[0], device)
    connection.execute("DELETE FROM device WHERE id = ?", found)
    file = remove_sealed(connection, session, vault)
    return [file] if file is not None else [], Happened(parted=parted, revoked=[device], outgoing=hubs)


def _end_mailboxes(connection: Connection, device_row: int, device: DeviceId) -> list[tuple[DeviceId, RoomId]]:
    rooms = connection.execute(_ACTIVE_ROOMS, (device_row,)).fetchall()
    connection.execute("DELETE FROM mailbox WHERE device = ? AND room IS NULL", (device_row,))
    connection.execute(_END, (device_row,))
    return [(device, RoomId(room)) for (room,) in rooms]


def remove_account(connection: Connection, session: Session, entropy: Entropy) -> tuple[list[str], Happened]:
    """Remove an account and all of it; the files of its sealed records are the caller's to remove."""
    files = [
        name for (name,) in connection.execute("SELECT file FROM sealed WHERE account = ?", (session.account_row,))
    ]
    devices = connection.execute("SELECT id, name FROM device WHERE account = ?", (session.account_row,)).fetchall()
    parted = [
        (DeviceId(name), RoomId(room))
        for row, name in devices
        for (room,) in connection.execute(_ACTIVE_ROOMS, (row,)).fetchall()
    ]
    hubs = tell_hubs(connection, HUBS_OF_ACCOUNT, (session.account_row,), entropy)
    connection.execute("DELETE FROM mailbox WHERE account = ?", (session.account_row,))
    connection.execute("DELETE FROM account WHERE id = ?", (session.account_row,))
    return files, Happened(parted=parted, revoked=[DeviceId(name) for _, name in devices], outgoing=hubs)


_WHOSE = """
SELECT a.key, d.name, a.id, d.id FROM device d JOIN account a ON a.id = d.account WHERE d.token_hash = ?
"""
_ACTIVE_ROOMS = """
SELECT r.name FROM mailbox m JOIN room r ON r.id = m.room WHERE m.device = ? AND m.until IS NULL
"""
_END = """
UPDATE mailbox SET device = NULL, until = coalesce(until, (SELECT seq FROM room WHERE id = mailbox.room))
WHERE device = ?
"""
