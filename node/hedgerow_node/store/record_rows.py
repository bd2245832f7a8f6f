"""Rows of ``record``: the envelopes themselves, and which of them fill a slot."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from hedgerow_node.store.live import LiveTally
from hedgerow_node.store.rows import Arrival
from hedgerow_protocol.envelope import Kind
from hedgerow_protocol.ids import RecordId

SLOTS_ASKED_MAX: Final = 100
"""Slots. Looked up in one statement."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A record in a slot, as the judge needs it."""

    id: int
    rid: RecordId
    kind: int
    charter: int
    seq: int
    expires: int

    @property
    def order(self) -> tuple[int, int, bytes]:
        return (self.expires, self.seq, turned(self.rid))


class Gone(NamedTuple):
    """A row that is to be deleted."""

    id: int
    rid: RecordId
    expires: int


def turned(rid: bytes) -> bytes:
    """An id that counts downwards, so that the greatest of a tuple has the smallest id."""
    return rid.translate(_TURN)


_TURN = bytes(255 - byte for byte in range(256))


class RecordRows:
    """Reads and writes ``record`` within one write.

    New rows wait until :meth:`flush`: rows that go into one table together cost half.
    """

    def __init__(self, connection: sqlite3.Connection, records_max: int, live: LiveTally) -> None:
        self._connection = connection
        self._live = live
        self._max = records_max
        self._new: list[tuple[object, ...]] = []
        self._new_slots: set[tuple[int | None, bytes | None]] = set()
        self._empty: set[tuple[int | None, bytes | None]] = set()
        tallies = dict(connection.execute("SELECT name, value FROM tally WHERE name IN ('records', 'node_records')"))
        self._count: int = tallies["records"]
        self.of_nodes: int = tallies["node_records"]
        """What nodes say of themselves; it has a bound of its own, so that it takes no room from listings."""
        self._counted = (self._count, self.of_nodes)
        self._last: int
        (self._last,) = connection.execute("SELECT coalesce(max(id), 0) FROM record").fetchone()

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more charter, listing or withdrawal."""
        return self._count - self.of_nodes >= self._max

    def expect(self, wanted: Sequence[tuple[int, bytes]]) -> None:
        """Look up in one go which slots are filled, so that most arrivals need no question of their own."""
        for start in range(0, len(wanted), SLOTS_ASKED_MAX):
            part = wanted[start : start + SLOTS_ASKED_MAX]
            rows = self._connection.execute(
                f"WITH w (chain, entry) AS (VALUES {', '.join(['(?, ?)'] * len(part))})"  # noqa: S608 - question marks
                " SELECT DISTINCT w.chain, w.entry FROM w"
                " CROSS JOIN record r ON r.chain = w.chain AND r.entry = w.entry",
                [each for pair in part for each in pair],
            ).fetchall()
            self._empty.update(set(part).difference(rows, self._new_slots))

    def filled(self, chain: int, entry: bytes) -> list[Filled]:
        """What fills an entry of a chain, under any of its charters."""
        if (chain, entry) in self._new_slots:
            self.flush()
        elif (chain, entry) in self._empty:
            return []
        rows = self._connection.execute(
            "SELECT id, rid, kind, charter, seq, expires FROM record WHERE chain = ? AND entry = ?", (chain, entry)
        )
        return [Filled(*row) for row in rows]

    def insert(
        self,
        arrival: Arrival,
        kind: Kind,
        chain: int | None,
        charter: int | None,
        entry: bytes | None,
        seq: int,
        expires: int,
    ) -> int:
        """Keep a record; the number of its row."""
        self._last += 1
        self._count += 1
        self._new.append(
            (self._last, arrival.envelope.rid, int(kind), chain, charter, entry, seq, expires, arrival.data)
        )
        if expires > self._live.hour:
            self._live.came(arrival.envelope.rid, expires)
        self._new_slots.add((chain, entry))
        self._empty.discard((chain, entry))
        return self._last

    def flush(self) -> None:
        """Write what waits."""
        self._connection.executemany(
            "INSERT INTO record (id, rid, kind, chain, charter, entry, seq, expires, envelope)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._new,
        )
        self._new.clear()
        self._new_slots.clear()

    def delete(self, gone: Sequence[Gone]) -> None:
        """Forget records."""
        self.flush()
        self._connection.executemany("DELETE FROM record WHERE id = ?", [(each.id,) for each in gone])
        self._count -= len(gone)
        for each in gone:
            if each.expires > self._live.hour:
                self._live.went(each.rid, each.expires)

    def finish(self) -> None:
        """Write what waits, and how many there are."""
        self.flush()
        for name, value, before in zip(
            ("records", "node_records"), (self._count, self.of_nodes), self._counted, strict=True
        ):
            if value != before:
                self._connection.execute("UPDATE tally SET value = ? WHERE name = ?", (value, name))
