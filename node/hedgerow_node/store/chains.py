"""Charters as rows: which chain each belongs to, which of them are followed, and how much a chain holds."""

import sqlite3
from dataclasses import dataclass, field
from typing import Final

from hedgerow_node.store.live import LiveTally
from hedgerow_node.store.record_rows import Gone
from hedgerow_node.store.rows import LOCAL, CharterRow, Origin
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
    origin: Origin
    followed: bool
    was_live: bool
    """Before this write, at the hour of the copy of the live set."""
    touched: int
    is_new: bool = False
    changed: bool = False
    came: list[RecordId] = field(default_factory=list)
    """Charters; so that the live set hears of them."""
    went: list[RecordId] = field(default_factory=list)


class ChainRows:
    """Reads and writes ``chain`` and ``charter`` within one write, remembering what it has read."""

    def __init__(self, connection: sqlite3.Connection, now: Timestamp, live: LiveTally) -> None:
        self._connection = connection
        self._live = live
        self._now = now
        self._chains: dict[int, _Chain] = {}
        self._charters: dict[RecordId, CharterRow | None] = {}
        self._shares: dict[bytes, int] = {}

    def finish(self) -> None:
        """Write the counts back, and tell which charters came into the live set or left it."""
        for number, chain in self._chains.items():
            self._tell(number, chain)
            if chain.changed:
                self._connection.execute(
                    "UPDATE chain SET contested = ?, entries = ?, live_until = ?, touched = ? WHERE id = ?",
                    (int(chain.contested), chain.entries, chain.live_until, chain.touched, number),
                )
        self.write_shares()

    def _tell(self, number: int, chain: _Chain) -> None:
        """The charters of a chain are live together."""
        live = self._live
        is_live = chain.live_until > live.hour
        came: list[RecordId] = []
        went: list[RecordId] = []
        if is_live and not (chain.was_live or chain.is_new):
            came = self._rids(number)
        elif is_live:
            came, went = chain.came, chain.went
        elif chain.was_live:  # those that are there, without those that were not, and with those that were
            came, went = chain.came, [*self._rids(number), *chain.went]
        for rid in came:
            live.came(rid, 0)
        for rid in went:
            live.went(rid, 0)

    def _rids(self, chain: int) -> list[RecordId]:
        return [rid for (rid,) in self._connection.execute("SELECT rid FROM charter WHERE chain = ?", (chain,))]

    # --- chains

    def found(self, root: RecordId, origin: Origin) -> int:
        """Begin a chain."""
        row = self._connection.execute("SELECT 1 FROM followed WHERE root = ?", (root,)).fetchone()
        followed = row is not None
        cursor = self._connection.execute(
            "INSERT INTO chain (root, touched, origin, followed) VALUES (?, ?, ?, ?)",
            (root, self._now, origin, int(followed)),
        )
        number = cursor.lastrowid
        assert number is not None  # noqa: S101 - an insert has one
        self._chains[number] = _Chain(
            root, contested=False, entries=0, live_until=0, origin=origin, followed=followed, was_live=False,
            touched=self._now, is_new=True,
        )  # fmt: skip
        return number

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
        self._touch(row)

    def _touch(self, row: _Chain) -> None:
        row.changed = True
        row.touched = self._now

    def recount(self, chain: int, *, touch: bool = True) -> None:
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
        if touch:
            row.touched = self._now

    def unused(self, many: int) -> list[int]:
        """Chains that nothing needs any more."""
        rows = self._connection.execute(
            "SELECT id FROM chain WHERE ((live_until = 0 AND touched <= ?) OR (live_until > 0 AND live_until <= ?))"
            # After a long sleep more has expired than one write drops: the chain goes when its last record has.
            " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.chain = chain.id AND r.entry IS NOT NULL) LIMIT ?",
            (self._now - UNUSED_SECONDS, self._now - LAPSED_SECONDS, many),
        ).fetchall()
        return [chain for (chain,) in rows]

    def remove_chain(self, chain: int) -> list[Gone]:
        """Remove a chain and its charters; their records, which the caller deletes."""
        row = self._chain(chain)
        row.live_until = 0
        self._tell(chain, row)
        rows = self._connection.execute("SELECT id, rid, 0 FROM charter WHERE chain = ?", (chain,))
        gone = [Gone(*each) for each in rows]
        self.weigh(chain, -len(gone))
        self._connection.execute("DELETE FROM charter WHERE chain = ?", (chain,))
        self._connection.execute("DELETE FROM chain WHERE id = ?", (chain,))
        self._chains.pop(chain, None)
        self._charters.clear()
        return gone

    def _chain(self, number: int) -> _Chain:
        held = self._chains.get(number)
        if held is None:
            root, contested, entries, live_until, origin, followed, touched = self._connection.execute(
                "SELECT root, contested, entries, live_until, origin, followed, touched FROM chain WHERE id = ?",
                (number,),
            ).fetchone()
            was_live = live_until > self._live.hour
            held = self._chains[number] = _Chain(
                root, bool(contested), entries, live_until, origin, bool(followed), was_live, touched
            )
        return held

    # --- origins

    def newcomer(self, chain: int) -> Origin:
        """In whose name this chain asks for room; a followed one asks in ours."""
        row = self._chain(chain)
        return LOCAL if row.followed else row.origin

    def adopt(self, chain: int) -> None:
        """Something was published here under a chain that came from elsewhere: it is ours from now on."""
        row = self._chain(chain)
        if row.origin is not LOCAL:
            self.weigh(chain, -self.records(chain))
            row.origin = LOCAL
            self._connection.execute("UPDATE chain SET origin = NULL WHERE id = ?", (chain,))

    def is_foreign(self, chain: int) -> bool:
        """Whether a chain came from elsewhere."""
        return self._chain(chain).origin is not LOCAL

    def weigh(self, chain: int, records: int) -> None:
        """So many records came under this chain (or went, below 0): its origin takes that much more room."""
        origin = self._chain(chain).origin
        if origin is not None:
            self._shares[origin] = self._shares.get(origin, 0) + records

    def records(self, chain: int) -> int:
        """How many records a chain holds. What waits to be written is not counted."""
        (count,) = self._connection.execute(
            "SELECT (SELECT count(*) FROM record WHERE chain = ?1 AND entry IS NOT NULL)"
            " + (SELECT count(*) FROM charter WHERE chain = ?1)",
            (chain,),
        ).fetchone()
        return int(count)

    def charters(self, chain: int) -> int:
        """How many charters a chain holds."""
        (count,) = self._connection.execute("SELECT count(*) FROM charter WHERE chain = ?", (chain,)).fetchone()
        return int(count)

    def write_shares(self) -> None:
        """Write what was weighed."""
        if not self._shares:
            return
        self._connection.executemany(
            "INSERT INTO origin_share (origin, records) VALUES (?, ?)"
            " ON CONFLICT (origin) DO UPDATE SET records = records + excluded.records",
            self._shares.items(),
        )
        self._connection.execute("DELETE FROM origin_share WHERE records <= 0")
        self._shares.clear()

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
        self._chain(chain).came.append(rid)

    def remove(self, charters: list[CharterRow]) -> None:
        """Remove charters' rows."""
        self._connection.executemany("DELETE FROM charter WHERE id = ?", [(each.id,) for each in charters])
        self._charters.clear()
        for each in charters:
            self._chain(each.chain).went.append(each.rid)

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
        chain.contested = True
        self._touch(chain)
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
