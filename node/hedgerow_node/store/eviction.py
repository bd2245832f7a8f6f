"""Making room in a full store: whoever takes the most of it gives way, and nobody else.

Chains are counted by the origin they came through (a place in the network, not a key: keys are free). When the store
is full, a newcomer may push out what was untouched the longest of the origin that occupies the most, if that origin
still occupies more than the newcomer's afterwards: so what gave way cannot push its way back in. Never pushed out are
chains under which something was published or imported here, and those that somebody here follows. Chains that some
host claims are spared while others can go. Each arrival costs a bounded number of steps.
"""

import sqlite3
from typing import Final

from hedgerow_node.store.chains import ChainRows
from hedgerow_node.store.index_rows import IndexRows
from hedgerow_node.store.record_rows import Gone, RecordRows
from hedgerow_node.store.rows import Origin
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import RecordId, listing_id

RECORDS_AT_ONCE_MAX: Final = 64
"""Records. A chain with more loses some of its entries at a time."""

ENTRIES_AT_ONCE: Final = 16
"""Entries. Of a large chain, at a time."""

ORIGINS_LOOKED_AT: Final = 4
"""Origins. The largest may hold nothing but what is followed here."""

CHAINS_LOOKED_AT: Final = 64
"""Chains. Among so many that were untouched the longest, one that no host claims is looked for."""


class Eviction:
    """Pushes chains out within one write."""

    def __init__(
        self, connection: sqlite3.Connection, chains: ChainRows, records: RecordRows, rows: IndexRows, records_max: int
    ) -> None:
        self._connection = connection
        self._chains = chains
        self._records = records
        self._rows = rows
        self._max = records_max

    def make_room(self, newcomer: Origin) -> None:
        """Make room for a record that comes through ``newcomer``. Raises :class:`RemoteError` when nobody gives way."""
        self._records.flush()
        self._chains.write_shares()
        own = -1 if newcomer is None else self._share(newcomer)
        largest = self._connection.execute(
            "SELECT origin, records FROM origin_share ORDER BY records DESC LIMIT ?", (ORIGINS_LOOKED_AT,)
        ).fetchall()
        for origin, share in largest:
            if origin != newcomer and share > own and self._push_out(origin, share - own):
                return
        raise RemoteError(
            Code.LIMIT, f"This node is full: it holds {self._max} records, the most it was set up to keep."
        )

    def _share(self, origin: bytes) -> int:
        row = self._connection.execute("SELECT records FROM origin_share WHERE origin = ?", (origin,)).fetchone()
        return 0 if row is None else int(row[0])

    def _push_out(self, origin: bytes, surplus: int) -> bool:
        """Push out something of this origin that is less than ``surplus`` records; whether there was something."""
        row = self._connection.execute(
            "SELECT id, root FROM (SELECT id, root, touched FROM chain"
            "  WHERE origin = ? AND origin IS NOT NULL AND followed = 0 ORDER BY touched LIMIT ?) AS c"
            " ORDER BY EXISTS (SELECT 1 FROM hosted h WHERE h.root = c.root), touched LIMIT 1",
            (origin, CHAINS_LOOKED_AT),
        ).fetchone()
        if row is None:
            return False
        chain, root = row
        size = self._chains.records(chain)
        entries = RECORDS_AT_ONCE_MAX if size <= RECORDS_AT_ONCE_MAX else ENTRIES_AT_ONCE
        gone = self._slots(chain, entries)
        whole = size <= RECORDS_AT_ONCE_MAX
        if (size if whole else len(gone)) >= surplus:
            return False
        self.remove_slots(chain, root, gone)
        if whole:
            self._records.delete(self._chains.remove_chain(chain))
        else:
            self._chains.recount(chain, touch=False)
        return True

    def _slots(self, chain: int, entries: int) -> list[tuple[Gone, bytes]]:
        rows = self._connection.execute(
            "SELECT id, rid, expires, entry FROM record WHERE chain = ?1 AND entry IS NOT NULL AND entry IN"
            " (SELECT DISTINCT entry FROM record WHERE chain = ?1 AND entry IS NOT NULL ORDER BY entry LIMIT ?2)",
            (chain, entries),
        )
        return [(Gone(number, rid, expires), entry) for number, rid, expires, entry in rows]

    def remove_slots(self, chain: int, root: RecordId, gone: list[tuple[Gone, bytes]]) -> None:
        """Forget these records of a chain, which are all of their entries; the chain is not counted again."""
        for entry in {entry for _, entry in gone}:
            self._rows.drop(listing_id(root, entry))
        self._records.delete([each for each, _ in gone])
        self._chains.weigh(chain, -len(gone))
