"""Sealed records: which version of which record lies in which file."""

from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.values import Session
from hedgerow_protocol.delivery.refusal import Refusal, Refused


class KeptSealed(NamedTuple):
    """A record as it is kept."""

    version: int
    digest: bytes
    file: str


def find_sealed(connection: Connection, session: Session, name: str) -> KeptSealed | None:
    """An account's own record."""
    found = connection.execute(_KEPT, (session.account_row, name)).fetchone()
    return KeptSealed(*found) if found is not None else None


def check_swap(connection: Connection, session: Session, name: str, version: int, digest: bytes) -> None:
    """Whether this version may come now: asked before a large file is written for it. Raises :class:`Refused`."""
    kept = find_sealed(connection, session, name)
    have = kept.version if kept is not None else 0
    if version != have + 1 and (kept is None or (kept.version, kept.digest) != (version, digest)):
        raise Refused(Refusal.STALE, "A newer version is here. Take it first, then write again.", version=have)


def swap_sealed(
    connection: Connection, session: Session, name: str, version: int, digest: bytes, file: str
) -> str | None:
    """Put a new version in the place of the one before it. Returns the file that nothing needs any more, if any.

    The same version again is fine: then the new file is the one not needed. Raises :class:`Refused`.
    """
    check_swap(connection, session, name, version, digest)
    kept = find_sealed(connection, session, name)
    if kept is not None and (kept.version, kept.digest) == (version, digest):
        return file
    if kept is None:
        connection.execute(
            "INSERT INTO sealed (account, name, version, digest, file) VALUES (?, ?, ?, ?, ?)",
            (session.account_row, name, version, digest, file),
        )
        return None
    connection.execute(_SWAP, (version, digest, file, session.account_row, name))
    return kept.file


def remove_sealed(connection: Connection, session: Session, name: str) -> str | None:
    """Forget a record. Returns its file."""
    gone = connection.execute(_REMOVE, (session.account_row, name)).fetchone()
    return str(gone[0]) if gone is not None else None


def is_wanted(connection: Connection, file: str) -> bool:
    """Whether any record lies in this file."""
    return connection.execute("SELECT 1 FROM sealed WHERE file = ?", (file,)).fetchone() is not None


_KEPT = "SELECT version, digest, file FROM sealed WHERE account = ? AND name = ?"
_SWAP = "UPDATE sealed SET version = ?, digest = ?, file = ? WHERE account = ? AND name = ?"
_REMOVE = "DELETE FROM sealed WHERE account = ? AND name = ? RETURNING file"
