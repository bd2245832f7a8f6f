"""Keeping records: the state function of :mod:`hedgerow_protocol.state`, with an index instead of a walk.

Everything here runs inside one write. Each step keeps the greatest under a total order, so the order of arrival does
not matter; ``tests/property/test_store_model.py`` compares this with the plain form for any order of any records.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hedgerow_node.store import blocks
from hedgerow_node.store.blocks import Block
from hedgerow_node.store.chains import ChainRows
from hedgerow_node.store.eviction import Eviction
from hedgerow_node.store.index_rows import IndexRows, KnownTerms
from hedgerow_node.store.live import NEVER, LiveChange, LiveTally
from hedgerow_node.store.node_rows import NodeRows
from hedgerow_node.store.record_rows import Filled, Gone, RecordRows
from hedgerow_node.store.rows import LOCAL, Arrival, CharterRow, IndexRow, Kept, MakeIndex, Origin
from hedgerow_protocol import limits
from hedgerow_protocol.envelope import Kind, stored_body
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import ListingId, RecordId, listing_id
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, Charter, HostingClaim, Listing, Withdrawal, read_stored
from hedgerow_protocol.state import check_founding, check_signers, check_succession, check_times, hour_start

CHAIN_CHARTERS_MAX: Final = 256
"""Charters. One chain with its forks: four times as many as changes can follow each other."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How much one store takes."""

    records: int = limits.RECORDS_STORED_MAX
    entries: int = limits.CHARTER_ENTRIES_MAX


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a write happens, and for whom."""

    now: Timestamp
    origin: Origin = LOCAL
    live_hour: Timestamp = NEVER
    """The hour of the copy of the live set that is kept up from what this write changes."""


def _slots_of(arrivals: Iterable[Arrival]) -> Iterable[tuple[RecordId, bytes]]:
    for arrival in arrivals:
        if isinstance(arrival.record, Listing | Withdrawal):
            yield arrival.record.slot.charter, arrival.record.slot.entry


class Keeper:
    """Takes records into the store within one write. Call :meth:`finish` at its end."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        occasion: Occasion,
        caps: Caps,
        terms: KnownTerms,
        make_index: MakeIndex,
    ) -> None:
        self.connection = connection
        self._connection = connection
        self._now = occasion.now
        self._origin = occasion.origin
        self._caps = caps
        self._make_index = make_index
        self._live = LiveTally(occasion.live_hour)
        self._chains = ChainRows(connection, occasion.now, self._live)
        self._rows = IndexRows(connection, terms)
        self._records = RecordRows(connection, caps.records, self._live)
        self._nodes = NodeRows(connection, occasion.now, self._records)
        self._eviction = Eviction(connection, self._chains, self._records, self._rows, caps.records)

    def finish(self) -> LiveChange:
        """Write what waits, and what was counted; how the live set has changed."""
        self._records.finish()
        self._rows.finish()
        self._chains.finish()
        return self._live.change()

    def take(self, arrival: Arrival) -> Kept:
        """Judge one verified record and keep it if it counts. Raises :class:`RemoteError` when it is refused."""
        match arrival.record:
            case Charter():
                return self._take_charter(arrival, arrival.record)
            case Announcement() | HostingClaim():
                return self._nodes.take(arrival, arrival.record)
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

    def _make_room(self, newcomer: Origin) -> None:
        if self._records.is_full:
            self._eviction.make_room(newcomer)

    def _adopt(self, chain: int) -> None:
        """What is published under here, from here, is never pushed out."""
        if self._origin is LOCAL and self._chains.is_foreign(chain):
            self._records.flush()
            self._chains.adopt(chain)

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
            if self._chains.charters(previous.chain) >= CHAIN_CHARTERS_MAX:
                raise RemoteError(Code.LIMIT, f"One group has at most {CHAIN_CHARTERS_MAX} charters; this one is full.")
            self._adopt(previous.chain)
        self._make_room(self._origin if previous is None else self._chains.newcomer(previous.chain))
        chain = previous.chain if previous is not None else self._chains.found(rid, self._origin)
        record = self._records.insert(arrival, Kind.CHARTER, chain, None, None, charter.position, 0)
        self._chains.add(record, rid, chain, charter, previous)
        self._chains.weigh(chain, 1)
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
            "SELECT id, rid, expires, charter FROM record WHERE chain = ? AND entry IS NOT NULL", (charter.chain,)
        ).fetchall()
        below = [Gone(number, rid, expires) for number, rid, expires, under in rows if under in ids]
        self._records.delete(below)
        self._records.delete([Gone(each.id, each.rid, 0) for each in gone])
        self._chains.weigh(charter.chain, -len(below) - len(gone))
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

    # --- listings and withdrawals

    def _take_slot(self, arrival: Arrival, record: Listing | Withdrawal) -> Kept:
        slot = record.slot
        check_times(slot.issued, slot.expires, self._now)
        charter = self._chains.charter(slot.charter)
        if charter is None:
            return Kept.WAITING
        check_signers(arrival.envelope, charter.charter)
        self._adopt(charter.chain)
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
        losers = [Gone(each.id, each.rid, each.expires) for each in here if each not in kept]
        if not losers:
            self._make_room(self._chains.newcomer(charter.chain))
        self._records.delete(losers)
        self._chains.weigh(charter.chain, 1 - len(losers))
        self._records.insert(arrival, Kind(new.kind), charter.chain, charter.id, slot.entry, slot.seq, slot.expires)
        self._chains.fill(charter.chain, slot.expires, 0)
        self._reselect(charter.chain, {slot.entry}, arrival)
        return Kept.STORED

    def _take_first(self, arrival: Arrival, record: Listing | Withdrawal, charter: CharterRow) -> Kept:
        """The usual case: nothing is held for this entry yet."""
        slot = record.slot
        if self._chains.entries(charter.chain) >= self._caps.entries:
            raise RemoteError(Code.LIMIT, f"One charter lists at most {self._caps.entries} groups; this one is full.")
        self._make_room(self._chains.newcomer(charter.chain))
        number = self._records.insert(
            arrival, arrival.envelope.kind, charter.chain, charter.id, slot.entry, slot.seq, slot.expires
        )
        self._chains.weigh(charter.chain, 1)
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
        rows = self._connection.execute(
            "SELECT id, rid, expires, chain, entry FROM record WHERE expires > 0 AND expires <= ? LIMIT ?", (hour, many)
        ).fetchall()
        self._nodes.drop([Gone(*row[:3]) for row in rows if row[3] is None])
        self._records.delete([Gone(*row[:3]) for row in rows if row[3] is not None])
        entries: dict[int, set[bytes]] = {}
        for *_, chain, entry in rows:
            if chain is not None:
                entries.setdefault(chain, set()).add(entry)
                self._chains.weigh(chain, -1)
        for chain, those in entries.items():
            # Where a withdrawal has gone, something else may be left.
            self._reselect(chain, those)
            self._chains.recount(chain)
        unused = self._chains.unused(many)
        for chain in unused:
            self._records.delete(self._chains.remove_chain(chain))
        return max(len(rows), len(unused))

    # --- what the keeper does not carry

    def block(self, block: Block, places: Mapping[ListingId, tuple[RecordId, bytes]]) -> bool:
        """Forget a node's own records or a listing, and refuse them from now on; False when the list is full.

        ``places``: where records of the listing may be (see :func:`hedgerow_node.store.blocks.entries_of`).
        """
        if not blocks.add(self._connection, block):
            return False
        if block.is_node:
            self._nodes.drop_of(block.target)
            return True
        lid = ListingId(block.target)
        place = places.get(lid) or blocks.entry_of(self._connection, lid)
        if place is not None:
            self._forget_listing(*place)
        return True

    def _forget_listing(self, root: RecordId, entry: bytes) -> None:
        self._records.flush()
        rows = self._connection.execute(
            "SELECT r.id, r.rid, r.expires, h.id FROM record r JOIN chain h ON h.id = r.chain"
            " WHERE h.root = ? AND r.entry = ?",
            (root, entry),
        ).fetchall()
        if rows:
            chain = rows[0][3]
            self._eviction.remove_slots(chain, root, [(Gone(*row[:3]), entry) for row in rows])
            self._chains.recount(chain)
