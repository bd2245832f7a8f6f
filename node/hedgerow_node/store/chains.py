"""Charters as rows: which chain each belongs to, which of them are followed, and how much a chain holds."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from hedgerow_node.store.rows import CharterRow
from hedgerow_protocol import limits
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.keys import PUBLIC_BYTES
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter

UNUSED_SECONDS: Final = 2 * 86_400
"""Seconds. A charter under which nothing was ever published is kept this long."""

LAPSED_SECONDS: Final = 180 * 86_400
"""Seconds. A charter whose last listing has faded is kept this long, so that a group that was late can renew."""

_COLUMNS = "c.id, c.rid, c.chain, h.root, c.position, c.threshold, c.stewards, c.on_path"


@dataclass(slots=True)
class _Chain:
    """A chain's counts; written back once at the end of a write."""

    root: RecordId
    contested: bool
    entries: int
    live_until: int
    changed: bool = False


class ChainRows:
    """Reads and writes ``chain`` and ``charter`` within one write, remembering what it has read."""

    def __init__(self, connection: sqlite3.Connection, now: Timestamp) -> None:
        self._connection = connection
        self._now = now
        self._chains: dict[int, _Chain] = {}
        self._charters: dict[RecordId, CharterRow | None] = {}

    def finish(self) -> None:
        """Write the counts back."""
        for number, chain in self._chains.items():
            if chain.changed:
                self._connection.execute(
                    "UPDATE chain SET contested = ?, entries = ?, live_until = ?, touched = ? WHERE id = ?",
                    (int(chain.contested), chain.entries, chain.live_until, self._now, number),
                )

    # --- chains

    def found(self, root: RecordId) -> int:
        """Begin a chain."""
        cursor = self._connection.execute("INSERT INTO chain (root, touched) VALUES (?, ?)", (root, self._now))
        assert cursor.lastrowid is not None  # noqa: S101 - an insert has one
        return cursor.lastrowid

    def root(self, chain: int) -> RecordId:
        return self._chain(chain).root

    def contested(self, chain: int) -> bool:
        return self._chain(chain).contested

    def entries(self, chain: int) -> int:
        return self._chain(chain).entries

    def fill(self, chain: int, expires: int, new_entries: int) -> None:
        """Count a record that was put under this chain."""
        row = self._chain(chain)
        row.entries += new_entries
        row.live_until = max(row.live_until, expires)
        row.changed = True

    def recount(self, chain: int) -> None:
        """Count again after records have gone."""
        row = self._chain(chain)
        (row.entries,) = self._connection.execute(
            "SELECT count(DISTINCT entry) FROM record WHERE chain = ? AND entry IS NOT NULL", (chain,)
        ).fetchone()
        (alive,) = self._connection.execute(
            "SELECT max(expires) FROM record WHERE chain = ? AND entry IS NOT NULL", (chain,)
        ).fetchone()
        hour = self._now - self._now % 3600
        row.live_until = min(row.live_until, hour) if alive is None else alive
        row.changed = True

    def unused(self, many: int) -> list[int]:
        """Chains that nothing needs any more."""
        rows = self._connection.execute(
            "SELECT id FROM chain WHERE ((live_until = 0 AND touched <= ?) OR (live_until > 0 AND live_until <= ?))"
            # After a long sleep more has expired than one write drops: the chain goes when its last record has.
            " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.chain = chain.id AND r.entry IS NOT NULL) LIMIT ?",
            (self._now - UNUSED_SECONDS, self._now - LAPSED_SECONDS, many),
        ).fetchall()
        return [chain for (chain,) in rows]

    def remove_chain(self, chain: int) -> list[int]:
        """Remove a chain and its charters; the ids of their records, which the caller deletes."""
        ids = [each for (each,) in self._connection.execute("SELECT id FROM charter WHERE chain = ?", (chain,))]
        self._connection.execute("DELETE FROM charter WHERE chain = ?", (chain,))
        self._connection.execute("DELETE FROM chain WHERE id = ?", (chain,))
        self._chains.pop(chain, None)
        self._charters.clear()
        return ids

    def _chain(self, number: int) -> _Chain:
        held = self._chains.get(number)
        if held is None:
            root, contested, entries, live_until = self._connection.execute(
                "SELECT root, contested, entries, live_until FROM chain WHERE id = ?", (number,)
            ).fetchone()
            held = self._chains[number] = _Chain(root, bool(contested), entries, live_until)
        return held

    # --- charters

    def charter(self, rid: RecordId) -> CharterRow | None:
        """The charter of this id, if it is held."""
        if rid not in self._charters:
            self._charters[rid] = charter_row(self._connection, rid)
        return self._charters[rid]

    def charter_by_id(self, number: int) -> CharterRow:
        """The charter of this row."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM charter c JOIN chain h ON h.id = c.chain WHERE c.id = ?",  # noqa: S608 - constant
            (number,),
        ).fetchone()
        return _read(row)

    def add(self, record: int, rid: RecordId, chain: int, charter: Charter, previous: CharterRow | None) -> None:
        """Add a charter's row; it is on the path if its predecessor is. Forks are seen to afterwards."""
        on_path = previous is None or previous.on_path
        self._connection.execute(
            "INSERT INTO charter (id, rid, chain, previous, position, threshold, stewards, on_path)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record, rid, chain, charter.previous, charter.position, charter.threshold, b"".join(charter.stewards),
                int(on_path),
            ),
        )  # fmt: skip
        self._charters.clear()

    def remove(self, charters: list[CharterRow]) -> None:
        """Remove charters' rows."""
        self._connection.executemany("DELETE FROM charter WHERE id = ?", [(each.id,) for each in charters])
        self._charters.clear()

    def children(self, rid: RecordId) -> list[CharterRow]:
        """The charters that name this one as their predecessor, smallest id first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM charter c JOIN chain h ON h.id = c.chain WHERE c.previous = ? ORDER BY c.rid",  # noqa: S608
            (rid,),
        )
        return [_read(row) for row in rows]

    def surplus_children(self, rid: RecordId) -> list[CharterRow]:
        """Children beyond those that are kept as evidence of a dispute."""
        return self.children(rid)[limits.CHARTER_FORKS_MAX :]

    def subtree(self, charter: CharterRow) -> list[CharterRow]:
        """A charter and everything below it."""
        found = [charter]
        for each in found:  # grows while it is walked: breadth first
            found.extend(self.children(each.rid))
        return found

    def leave_path_below(self, parent: CharterRow) -> list[int]:
        """Where a charter on the path has several children, end the path at it. The rows that left the path."""
        if not parent.on_path or len(self.children(parent.rid)) < 2:
            return []
        rows = self._connection.execute(
            "SELECT id FROM charter WHERE chain = ? AND on_path = 1 AND position > ?", (parent.chain, parent.position)
        ).fetchall()
        left = [number for (number,) in rows]
        self._connection.executemany("UPDATE charter SET on_path = 0 WHERE id = ?", rows)
        self._charters.clear()
        chain = self._chain(parent.chain)
        chain.contested = chain.changed = True
        return left


def charter_row(connection: sqlite3.Connection, rid: RecordId) -> CharterRow | None:
    """The charter of this id, if it is held."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM charter c JOIN chain h ON h.id = c.chain WHERE c.rid = ?",  # noqa: S608 - constant
        (rid,),
    ).fetchone()
    return None if row is None else _read(row)


def _read(row: tuple[int, bytes, int, bytes, int, int, bytes, int]) -> CharterRow:
    number, rid, chain, root, position, threshold, stewards, on_path = row
    keys = tuple(stewards[at : at + PUBLIC_BYTES] for at in range(0, len(stewards), PUBLIC_BYTES))
    charter = Charter(previous=None, position=position, stewards=keys, threshold=threshold, nonce=b"")
    return CharterRow(number, RecordId(rid), chain, RecordId(root), position, charter, bool(on_path))
