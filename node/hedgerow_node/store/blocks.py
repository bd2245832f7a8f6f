"""What this node's keeper does not carry: nodes and listings, by their ids."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from hedgerow_node.store.database import Connection
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import NODE_ID_BYTES, ListingId, NodeId, RecordId, listing_id
from hedgerow_protocol.ports import Timestamp

BLOCKS_MAX: Final = 10_000
"""Blocks. One node's list; a keeper writes some dozens, and lists that keepers share may add up."""


@dataclass(frozen=True, slots=True)
class Block:
    """One line of a block list."""

    target: NodeId | ListingId
    reason: str
    since: Timestamp

    @property
    def is_node(self) -> bool:
        """A node, else a listing."""
        return len(self.target) == NODE_ID_BYTES


class Blocks:
    """Asks whether something is blocked, within one write."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (self._any,) = connection.execute("SELECT EXISTS (SELECT 1 FROM block)").fetchone()

    def check_listing(self, root: RecordId, entry: bytes) -> None:
        """Raises :class:`RemoteError` when this listing is blocked."""
        if self._any and self._holds(listing_id(root, entry)):
            raise RemoteError(Code.BLOCKED, "This node's keeper does not carry this listing.")

    def check_node(self, node: bytes) -> None:
        """Raises :class:`RemoteError` when this node is blocked."""
        if self._any and self._holds(node):
            raise RemoteError(Code.BLOCKED, "This node's keeper does not carry what this node says.")

    def _holds(self, target: bytes) -> bool:
        return self._connection.execute("SELECT 1 FROM block WHERE target = ?", (target,)).fetchone() is not None


def blocked(connection: Connection) -> list[Block]:
    """The whole list, the latest first."""
    rows = connection.execute("SELECT target, reason, since FROM block ORDER BY since DESC, target")
    return [Block(*row) for row in rows]


def add(connection: Connection, block: Block) -> bool:
    """Put a line in, or say its reason anew; False when the list is full."""
    (count,) = connection.execute("SELECT count(*) FROM block WHERE target != ?", (block.target,)).fetchone()
    if count >= BLOCKS_MAX:
        return False
    connection.execute(
        "INSERT INTO block (target, reason, since) VALUES (?, ?, ?)"
        " ON CONFLICT (target) DO UPDATE SET reason = excluded.reason",
        (block.target, block.reason, block.since),
    )
    return True


def remove(connection: Connection, target: bytes) -> bool:
    """Take a line out; whether it was there."""
    return connection.execute("DELETE FROM block WHERE target = ?", (target,)).rowcount > 0


def entries_of(connection: Connection, targets: set[bytes]) -> dict[ListingId, tuple[RecordId, bytes]]:
    """Under which founding charter and entry records of these listings are held.

    Walks over all entries, because a listing's id does not tell them, and a withdrawn one has no row of its own.
    """
    rows = connection.execute(
        "SELECT DISTINCT h.root, r.entry FROM record r JOIN chain h ON h.id = r.chain WHERE r.entry IS NOT NULL"
    )
    named = ((listing_id(root, entry), (root, entry)) for root, entry in rows)
    return {lid: place for lid, place in named if lid in targets}


def entry_of(connection: Connection, lid: ListingId) -> tuple[RecordId, bytes] | None:
    """The same for one listing that is shown, at once."""
    row = connection.execute(
        "SELECT h.root, r.entry FROM listing l JOIN record r ON r.id = l.record JOIN chain h ON h.id = l.chain"
        " WHERE l.lid = ?",
        (lid,),
    ).fetchone()
    return None if row is None else (RecordId(row[0]), row[1])
