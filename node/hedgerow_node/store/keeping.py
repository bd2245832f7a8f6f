"""Keeping records: the state function of :mod:`hedgerow_protocol.state`, with an index instead of a walk.

Everything here runs inside one write. Each step keeps the greatest under a total order, so the order of arrival does
not matter; ``tests/property/test_store_model.py`` compares this with the plain form for any order of any records.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from hedgerow_node.store.chains import ChainRows
from hedgerow_node.store.index_rows import IndexRows, KnownTerms
from hedgerow_node.store.record_rows import Filled, RecordRows, turned
from hedgerow_node.store.rows import Arrival, CharterRow, IndexRow, Kept, MakeIndex
from hedgerow_protocol import limits
from hedgerow_protocol.envelope import Kind, stored_body
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import RecordId, listing_id
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, Charter, Listing, Withdrawal, read_stored
from hedgerow_protocol.state import check_founding, check_signers, check_succession, check_times, hour_start


@dataclass(frozen=True, slots=True)
class Caps:
    """How much one store takes."""

    records: int = limits.RECORDS_STORED_MAX
    entries: int = limits.CHARTER_ENTRIES_MAX


def _slots_of(arrivals: Iterable[Arrival]) -> Iterable[tuple[RecordId, bytes]]:
    for arrival in arrivals:
        if isinstance(arrival.record, Listing | Withdrawal):
            yield arrival.record.slot.charter, arrival.record.slot.entry


class Keeper:
    """Takes records into the store within one write. Call :meth:`finish` at its end."""

    def __init__(
        self, connection: sqlite3.Connection, now: Timestamp, caps: Caps, terms: KnownTerms, make_index: MakeIndex
    ) -> None:
        self.connection = connection
        self._connection = connection
        self._now = now
        self._caps = caps
        self._make_index = make_index
        self._chains = ChainRows(connection, now)
        self._rows = IndexRows(connection, terms)
        self._records = RecordRows(connection, caps.records)

    def finish(self) -> None:
        """Write what waits, and what was counted."""
        self._records.finish()
        self._rows.finish()
        self._chains.finish()

    def take(self, arrival: Arrival) -> Kept:
        """Judge one verified record and keep it if it counts. Raises :class:`RemoteError` when it is refused."""
        match arrival.record:
            case Charter():
                return self._take_charter(arrival, arrival.record)
            case Announcement():
                return self._take_announcement(arrival, arrival.record)
            case Listing() | Withdrawal():
                return self._take_slot(arrival, arrival.record)

    def expect(self, arrivals: Iterable[Arrival]) -> None:
        """Look up in one go which entries are filled, so that most arrivals need no question of their own."""
        wanted = [
            (charter.chain, entry)
            for rid, entry in _slots_of(arrivals)
            if (charter := self._chains.charter(rid)) is not None
        ]
        self._records.expect(wanted)

    # --- charters

    def _take_charter(self, arrival: Arrival, charter: Charter) -> Kept:
        rid = arrival.envelope.rid
        if self._chains.charter(rid) is not None:
            return Kept.KNOWN
        previous: CharterRow | None = None
        if charter.previous is None:
            check_founding(arrival.envelope, charter)
        else:
            previous = self._chains.charter(charter.previous)
            if previous is None:
                return Kept.WAITING
            check_succession(arrival.envelope, charter, previous.charter)
        self._records.make_room()
        chain = previous.chain if previous is not None else self._chains.found(rid)
        record = self._records.insert(arrival, Kind.CHARTER, chain, None, None, charter.position, 0)
        self._chains.add(record, rid, chain, charter, previous)
        if previous is None:
            return Kept.STORED
        surplus = self._chains.surplus_children(previous.rid)
        for each in surplus:
            self._forget(each)
        left = self._chains.leave_path_below(previous)
        self._reselect(chain, self._entries_under(chain, left))
        return Kept.SUPERSEDED if rid in {each.rid for each in surplus} else Kept.STORED

    def _forget(self, charter: CharterRow) -> None:
        self._records.flush()
        gone = self._chains.subtree(charter)
        ids = [each.id for each in gone]
        entries = self._entries_under(charter.chain, ids)
        rows = self._connection.execute(
            "SELECT id, charter FROM record WHERE chain = ? AND entry IS NOT NULL", (charter.chain,)
        ).fetchall()
        self._records.delete([record for record, under in rows if under in ids])
        self._records.delete(ids)
        self._chains.remove(gone)
        self._reselect(charter.chain, entries)
        self._chains.recount(charter.chain)

    def _entries_under(self, chain: int, charters: list[int]) -> set[bytes]:
        self._records.flush()
        if not charters:
            return set()
        rows = self._connection.execute(
            "SELECT entry, charter FROM record WHERE chain = ? AND entry IS NOT NULL", (chain,)
        )
        return {entry for entry, under in rows if under in charters}

    # --- announcements

    def _take_announcement(self, arrival: Arrival, announcement: Announcement) -> Kept:
        check_times(announcement.issued, announcement.expires, self._now)
        rid = arrival.envelope.rid
        self._records.flush()
        held = self._connection.execute(
            "SELECT r.id, r.rid, r.seq, r.expires FROM announcement a"
            " JOIN record r ON r.id = a.record WHERE a.node = ?",
            (announcement.node_id,),
        ).fetchone()
        if held is not None:
            record, held_rid, seq, expires = held
            if held_rid == rid:
                return Kept.KNOWN
            if (announcement.expires, announcement.seq, turned(rid)) < (expires, seq, turned(held_rid)):
                return Kept.SUPERSEDED
            self._connection.execute("DELETE FROM announcement WHERE node = ?", (announcement.node_id,))
            self._records.delete([record])
        self._records.make_room()
        record = self._records.insert(
            arrival, Kind.ANNOUNCEMENT, None, None, None, announcement.seq, announcement.expires
        )
        self._connection.execute(
            "INSERT INTO announcement (node, record) VALUES (?, ?)", (announcement.node_id, record)
        )
        return Kept.STORED

    # --- listings and withdrawals

    def _take_slot(self, arrival: Arrival, record: Listing | Withdrawal) -> Kept:
        slot = record.slot
        check_times(slot.issued, slot.expires, self._now)
        charter = self._chains.charter(slot.charter)
        if charter is None:
            return Kept.WAITING
        check_signers(arrival.envelope, charter.charter)
        rid = arrival.envelope.rid
        filled = self._records.filled(charter.chain, slot.entry)
        if not filled:
            return self._take_first(arrival, record, charter)
        if any(each.rid == rid for each in filled):
            return Kept.KNOWN
        here = [each for each in filled if each.charter == charter.id]
        new = Filled(0, rid, arrival.envelope.kind, charter.id, slot.seq, slot.expires)
        ordered = sorted([*here, new], key=lambda each: each.order, reverse=True)
        kept = [each for each in ordered[:2] if each.order[:2] == ordered[0].order[:2]]
        if new not in kept:
            return Kept.SUPERSEDED
        losers = [each.id for each in here if each not in kept]
        if not losers:
            self._records.make_room()
        self._records.delete(losers)
        self._records.insert(arrival, Kind(new.kind), charter.chain, charter.id, slot.entry, slot.seq, slot.expires)
        self._chains.fill(charter.chain, slot.expires, 0)
        self._reselect(charter.chain, {slot.entry}, arrival)
        return Kept.STORED

    def _take_first(self, arrival: Arrival, record: Listing | Withdrawal, charter: CharterRow) -> Kept:
        """The usual case: nothing is held for this entry yet."""
        slot = record.slot
        if self._chains.entries(charter.chain) >= self._caps.entries:
            raise RemoteError(Code.LIMIT, f"One charter lists at most {self._caps.entries} groups; this one is full.")
        self._records.make_room()
        number = self._records.insert(
            arrival, arrival.envelope.kind, charter.chain, charter.id, slot.entry, slot.seq, slot.expires
        )
        self._chains.fill(charter.chain, slot.expires, 1)
        if isinstance(record, Listing) and slot.expires > self._now:
            lid = listing_id(charter.root, slot.entry)
            index = arrival.index or self._make_index(record)
            self._rows.add(lid, charter.chain, number, slot.expires, False, index)
        return Kept.STORED

    def _reselect(self, chain: int, entries: Iterable[bytes], arrival: Arrival | None = None) -> None:
        """Show of each entry the version that wins now."""
        root = self._chains.root(chain)
        for entry in sorted(entries):
            lid = listing_id(root, entry)
            alive = [each for each in self._records.filled(chain, entry) if each.expires > self._now]
            winner, two_versions = self._winner(alive, contested=self._chains.contested(chain))
            if winner is None or winner.kind != Kind.LISTING:
                self._rows.drop(lid)
                continue
            index = self._index_of(winner, arrival)
            self._rows.put(lid, chain, winner.id, winner.expires, two_versions, index)

    def _winner(self, alive: list[Filled], *, contested: bool) -> tuple[Filled | None, bool]:
        charters = {each.charter: self._chains.charter_by_id(each.charter) for each in alive}
        on_path = [each for each in alive if charters[each.charter].on_path]
        candidates = on_path or (alive if contested else [])
        if not candidates:
            return None, False
        winner = max(candidates, key=lambda each: (charters[each.charter].position, *each.order))
        beside = [each for each in alive if each.charter == winner.charter and each.order[:2] == winner.order[:2]]
        return winner, len(beside) > 1

    def _index_of(self, winner: Filled, arrival: Arrival | None) -> IndexRow:
        if arrival is not None and arrival.index is not None and arrival.envelope.rid == winner.rid:
            return arrival.index
        self._records.flush()
        (data,) = self._connection.execute("SELECT envelope FROM record WHERE id = ?", (winner.id,)).fetchone()
        listing = read_stored(Kind.LISTING, stored_body(data))
        assert isinstance(listing, Listing)  # noqa: S101 - its kind was looked at
        return self._make_index(listing)

    # --- what has expired

    def expire(self, many: int) -> int:
        """Drop up to ``many`` things that have expired; how many there were. Again while it is ``many``."""
        hour = hour_start(self._now)
        # Records stay until the hour ends, because the state hash looks at its start; searches look at the time.
        gone = self._connection.execute(
            "SELECT id, chain, entry FROM record WHERE expires > 0 AND expires <= ? LIMIT ?", (hour, many)
        ).fetchall()
        ids = [record for record, _chain, _entry in gone]
        self._connection.executemany("DELETE FROM announcement WHERE record = ?", [(each,) for each in ids])
        self._records.delete(ids)
        for chain in {chain for _record, chain, _entry in gone if chain is not None}:
            # Where a withdrawal has gone, something else may be left.
            self._reselect(chain, {entry for _record, under, entry in gone if under == chain})
            self._chains.recount(chain)
        unused = self._chains.unused(many)
        for chain in unused:
            ids = self._chains.remove_chain(chain)
            self._records.delete(ids)
        return max(len(gone), len(unused))
