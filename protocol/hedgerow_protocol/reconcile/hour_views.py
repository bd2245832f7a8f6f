"""Large sets under salts that last for an hour: kept up to date, so that a session need not hash every record.

A view is 2,048 cells of the sketch and a way back from names to records: some 20 bytes a record. There is one view for
this node's own salt, which it tells those who dial it, and one for the salt of each of some nodes that it has dialled.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.ports import Entropy, Instant
from hedgerow_protocol.reconcile.names import Names
from hedgerow_protocol.reconcile.salting import NAME_BYTES, SALT_BYTES, Salt
from hedgerow_protocol.reconcile.session_view import SLICE_CELL_RECORDS, Snapshot
from hedgerow_protocol.reconcile.sketch import put, symbol
from hedgerow_protocol.reconcile.sorted_blocks import SortedBlocks, key_of

HOUR_CELLS: Final = 2_048
"""Cells. Kept up to date in each view: enough for some 1,450 differences; more are found by ranges."""

HOUR_SECONDS: Final = 3_600
"""Seconds. The life of a node's salt: who learns it has so long to make records that collide under it."""

FOREIGN_VIEWS_MAX: Final = 4
"""Views. Kept for salts of other nodes; each costs some 10 us a change. For further links there are ranges."""

FOREIGN_SECONDS_MIN: Final = 600
"""Seconds. A view that was used so lately makes no room for another one: building views in turn helps nobody."""

FOREIGN_SALTS_PER_HOUR_MAX: Final = 3
"""Salts. Taken from one node within an hour: one, and two for restarts. A view costs 0.8 s for 100,000 records."""

PARTNERS_MAX: Final = 256
"""Nodes. Whose salts and audits are remembered."""

AUDIT_SECONDS: Final = 86_400
"""Seconds. Between sessions by ranges under a fresh salt with one peer, where a salt otherwise lasts an hour."""

UNUSED_SECONDS_MAX: Final = 2 * 3_600
"""Seconds. A view that no session used for so long is dropped."""

_SECONDS_BYTES: Final = 5
_PREFIX_BYTES: Final = 3


class HourView:
    """The live set under one salt."""

    def __init__(self, salt: Salt, records: SortedBlocks, now: Instant) -> None:
        self.salt = salt
        self.cells = [0] * HOUR_CELLS
        self.since = now
        self.used = now
        self._records = records
        self._names = Names(len(records))
        self._job: Iterator[None] | None = self._build(Snapshot(records.blocks))
        self._later: list[tuple[bool, int, bytes]] = []

    @property
    def ready(self) -> bool:
        """Every record is in it."""
        return self._job is None

    @property
    def length(self) -> int:
        """How many records."""
        return len(self._names)

    def step(self) -> None:
        """Build one slice more, while it is not ready."""
        if self._job is not None and next(self._job, self) is self:
            self._job = None

    def _build(self, snapshot: Snapshot) -> Iterator[None]:
        for part in snapshot.slices(SLICE_CELL_RECORDS):
            for _, entry in part:
                self._enter(int.from_bytes(entry[:8], "big"), entry[8:])
            yield
        while self._later:
            some, self._later = self._later[:SLICE_CELL_RECORDS], self._later[SLICE_CELL_RECORDS:]
            for added, seconds, rid in some:
                (self._enter if added else self._leave)(seconds, rid)
            if self._later:
                yield

    def add(self, seconds: int, rid: bytes) -> None:
        """A record has come."""
        if self._job is None:
            self._enter(seconds, rid)
        else:
            self._later.append((True, seconds, rid))

    def remove(self, seconds: int, rid: bytes) -> None:
        """A record has gone."""
        if self._job is None:
            self._leave(seconds, rid)
        else:
            self._later.append((False, seconds, rid))

    def _enter(self, seconds: int, rid: bytes) -> None:
        name = self.salt.salted(rid)[:NAME_BYTES]
        self._names.add(name, _handle(seconds, rid))
        put(self.cells, *symbol(self.salt, name))

    def _leave(self, seconds: int, rid: bytes) -> None:
        name = self.salt.salted(rid)[:NAME_BYTES]
        self._names.remove(name, _handle(seconds, rid))
        value, seed = symbol(self.salt, name)
        put(self.cells, -value, seed)

    def named(self, name: bytes) -> list[RecordId]:
        """The records whose name begins so (at least 4 bytes) and that are still live."""
        found: list[RecordId] = []
        for handle in self._names.find(name):
            seconds = int.from_bytes(handle[:_SECONDS_BYTES], "big")
            prefix = handle[_SECONDS_BYTES:]
            begin = self._records.lower_bound(key_of(seconds, prefix.ljust(32, b"\x00")))
            end = self._records.lower_bound(key_of(seconds, prefix.ljust(32, b"\xff")))
            for entry in self._records.entries(begin, min(end + 1, len(self._records))):
                rid = RecordId(entry[8:])
                if self.salt.salted(rid).startswith(name) and rid not in found:
                    found.append(rid)
        return found


def _handle(seconds: int, rid: bytes) -> bytes:
    # Together with the seconds three bytes of the id leave hardly more than one record to look at.
    return (seconds % (1 << 40)).to_bytes(_SECONDS_BYTES, "big") + rid[:_PREFIX_BYTES]


class _Partner:
    """What is remembered of another node."""

    __slots__ = ("audited", "much", "salts")

    def __init__(self, now: Instant) -> None:
        self.audited = now
        self.much = False
        self.salts: list[Instant] = []


class HourViews:
    """All views of one live set."""

    def __init__(self) -> None:
        self._own: HourView | None = None
        self._foreign: OrderedDict[bytes, HourView] = OrderedDict()
        self._partners: OrderedDict[NodeId, _Partner] = OrderedDict()

    def __len__(self) -> int:
        return len(self._foreign) + (self._own is not None)

    def __iter__(self) -> Iterator[HourView]:
        if self._own is not None:
            yield self._own
        yield from self._foreign.values()

    def add(self, seconds: int, rid: bytes) -> None:
        """A record has come."""
        for view in self:
            view.add(seconds, rid)

    def remove(self, seconds: int, rid: bytes) -> None:
        """A record has gone."""
        for view in self:
            view.remove(seconds, rid)

    def own(self, records: SortedBlocks, entropy: Entropy, now: Instant) -> HourView:
        """The view under this node's salt; a new salt every hour."""
        self._drop_unused(now)
        if self._own is None or now - self._own.since >= HOUR_SECONDS:
            self._own = HourView(Salt(entropy(SALT_BYTES)), records, now)
        self._own.used = now
        return self._own

    def foreign(self, peer: NodeId, key: bytes, records: SortedBlocks, now: Instant) -> HourView | None:
        """The view under a peer's salt; ``None`` when there are enough views or it tells new salts too often."""
        self._drop_unused(now)
        view = self._foreign.get(key)
        if view is None:
            oldest = next(iter(self._foreign.values()), None)
            if oldest is not None and len(self._foreign) >= FOREIGN_VIEWS_MAX:
                if now - oldest.used < FOREIGN_SECONDS_MIN:
                    return None
                del self._foreign[oldest.salt.key]
            partner = self._partner(peer, now)
            partner.salts = [each for each in partner.salts if now - each < HOUR_SECONDS]
            if len(partner.salts) >= FOREIGN_SALTS_PER_HOUR_MAX:
                return None
            partner.salts.append(now)
            view = self._foreign[key] = HourView(Salt(key), records, now)
        self._foreign.move_to_end(key)
        view.used = now
        return view

    def audit_due(self, peer: NodeId, now: Instant) -> bool:
        """Whether a day has passed since the last audit with this peer (or since it was first met)."""
        return now - self._partner(peer, now).audited >= AUDIT_SECONDS

    def much_differs(self, peer: NodeId, now: Instant) -> bool:
        """Whether the last session with this peer could not find everything."""
        return self._partner(peer, now).much

    def compared(self, peer: NodeId, now: Instant, *, all_found: bool) -> None:
        """A session by ranges under a salt of its own was held with this peer."""
        partner = self._partner(peer, now)
        partner.much = not all_found
        if all_found:
            partner.audited = now

    def _partner(self, peer: NodeId, now: Instant) -> _Partner:
        partner = self._partners.get(peer)
        if partner is None:
            partner = self._partners[peer] = _Partner(now)
            while len(self._partners) > PARTNERS_MAX:
                self._partners.popitem(last=False)
        self._partners.move_to_end(peer)
        return partner

    def _drop_unused(self, now: Instant) -> None:
        if self._own is not None and now - self._own.used > UNUSED_SECONDS_MAX:
            self._own = None
        for key in [key for key, view in self._foreign.items() if now - view.used > UNUSED_SECONDS_MAX]:
            del self._foreign[key]
