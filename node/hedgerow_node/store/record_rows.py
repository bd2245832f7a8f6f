"""Rows of ``record``: the envelopes themselves, and which of them fill a slot."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hedgerow_node.store.rows import Arrival
from hedgerow_protocol.envelope import Kind
from hedgerow_protocol.errors import Code, RemoteError
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


def turned(rid: bytes) -> bytes:
    """An id that counts downwards, so that the greatest of a tuple has the smallest id."""
    return rid.translate(_TURN)


_TURN = bytes(255 - byte for byte in range(256))


class RecordRows:
    """Reads and writes ``record`` within one write.

    New rows wait until :meth:`flush`: rows that go into one table together cost half.
    """

    def __init__(self, connection: sqlite3.Connection, records_max: int) -> None:
        self._connection = connection
        self._records_max = records_max
        self._new: list[tuple[object, ...]] = []
        self._new_slots: set[tuple[int | None, bytes | None]] = set()
        self._empty: set[tuple[int | None, bytes | None]] = set()
        self._count: int
        self._last: int
        (self._count,) = connection.execute("SELECT value FROM tally WHERE name = 'records'").fetchone()
        (self._last,) = connection.execute("SELECT coalesce(max(id), 0) FROM record").fetchone()
        self._count_before = self._count

    def make_room(self) -> None:
        """Raises :class:`RemoteError` when the store is full."""
        if self._count >= self._records_max:
            raise RemoteError(
                Code.LIMIT, f"This node is full: it holds {self._records_max} records, the most it was set up to keep."
            )

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

    def delete(self, ids: list[int]) -> None:
        """Forget records."""
        self.flush()
        self._connection.executemany("DELETE FROM record WHERE id = ?", [(each,) for each in ids])
        self._count -= len(ids)

    def finish(self) -> None:
        """Write what waits, and how many there are."""
        self.flush()
        if self._count != self._count_before:
            self._connection.execute("UPDATE tally SET value = ? WHERE name = 'records'", (self._count,))
