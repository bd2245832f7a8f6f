"""What nodes say of themselves, the latest of each kind for each node: announcements and hosting claims."""

import sqlite3
from collections.abc import Sequence
from typing import Final, TypeAlias

from hedgerow_node.store.record_rows import Gone, RecordRows, turned
from hedgerow_node.store.rows import Arrival, Kept
from hedgerow_protocol.envelope import Kind, stored_body
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, HostingClaim, read_hosting_claim
from hedgerow_protocol.state import check_times

ANNOUNCEMENTS_STORED_MAX: Final = 10_000
"""Announcements. Far more nodes than one needs to know; about 5 MB. Beyond it the one that expires first goes."""

CLAIMS_STORED_MAX: Final = 2_000
"""Hosting claims. Each names up to 512 groups, so all of them take at most about 100 MB; usual ones a hundredth."""

ByNode: TypeAlias = Announcement | HostingClaim

_STORED_MAX = {Kind.ANNOUNCEMENT: ANNOUNCEMENTS_STORED_MAX, Kind.HOSTING: CLAIMS_STORED_MAX}


class NodeRows:
    """Reads and writes ``node_record`` and ``hosted`` within one write."""

    def __init__(self, connection: sqlite3.Connection, now: Timestamp, records: RecordRows) -> None:
        self._connection = connection
        self._now = now
        self._records = records

    def take(self, arrival: Arrival, record: ByNode) -> Kept:
        """Keep a record if it is the latest of its node. Raises :class:`RemoteError` when it is refused."""
        check_times(record.issued, record.expires, self._now)
        kind, rid = arrival.envelope.kind, arrival.envelope.rid
        self._records.flush()
        held = self._connection.execute(
            "SELECT r.id, r.rid, r.seq, r.expires FROM node_record n JOIN record r ON r.id = n.record"
            " WHERE n.node = ? AND n.kind = ?",
            (record.node_id, int(kind)),
        ).fetchone()
        if held is None:
            self._make_room(kind, record.expires)
        else:
            number, held_rid, seq, expires = held
            if held_rid == rid:
                return Kept.KNOWN
            if (record.expires, record.seq, turned(rid)) < (expires, seq, turned(held_rid)):
                return Kept.SUPERSEDED
            self.drop([Gone(number, held_rid, expires)])
        number = self._records.insert(arrival, kind, None, None, None, record.seq, record.expires)
        self._records.of_nodes += 1
        self._connection.execute(
            "INSERT INTO node_record (node, kind, record, expires) VALUES (?, ?, ?, ?)",
            (record.node_id, int(kind), number, record.expires),
        )
        if isinstance(record, HostingClaim):
            self._connection.executemany(
                "INSERT INTO hosted (root, node) VALUES (?, ?)", [(root, record.node_id) for root in record.roots]
            )
        return Kept.STORED

    def _make_room(self, kind: Kind, expires: int) -> None:
        (count,) = self._connection.execute("SELECT count(*) FROM node_record WHERE kind = ?", (int(kind),)).fetchone()
        if count < _STORED_MAX[kind]:
            return
        first = self._connection.execute(
            "SELECT r.id, r.rid, r.expires FROM node_record n JOIN record r ON r.id = n.record"
            " WHERE n.kind = ? ORDER BY n.expires LIMIT 1",
            (int(kind),),
        ).fetchone()
        if first[2] >= expires:
            raise RemoteError(Code.LIMIT, f"This node knows {count} others already, the most it keeps.")
        self.drop([Gone(*first)])

    def drop_of(self, node: bytes) -> None:
        """Forget what a node said of itself."""
        self._records.flush()
        rows = self._connection.execute(
            "SELECT r.id, r.rid, r.expires FROM node_record n JOIN record r ON r.id = n.record WHERE n.node = ?",
            (node,),
        ).fetchall()
        self.drop([Gone(*row) for row in rows])

    def drop(self, gone: Sequence[Gone]) -> None:
        """Forget these records, which are all in ``node_record``."""
        for each in gone:
            node, kind, data = self._connection.execute(
                "SELECT n.node, n.kind, r.envelope FROM node_record n JOIN record r ON r.id = n.record"
                " WHERE n.record = ?",
                (each.id,),
            ).fetchone()
            if kind == Kind.HOSTING:
                roots: tuple[RecordId, ...] = read_hosting_claim(stored_body(data)).roots
                self._connection.executemany(
                    "DELETE FROM hosted WHERE root = ? AND node = ?", [(root, node) for root in roots]
                )
            self._connection.execute("DELETE FROM node_record WHERE node = ? AND kind = ?", (node, kind))
        self._records.delete(gone)
        self._records.of_nodes -= len(gone)
