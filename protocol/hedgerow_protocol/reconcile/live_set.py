"""The node's live records as reconciliation sees them: kept in order in memory, with a running digest."""

from collections.abc import Iterable, Iterator
from typing import Final
from weakref import WeakSet

from hedgerow_protocol.errors import LocalError
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.reconcile.hour_views import HourViews
from hedgerow_protocol.reconcile.lthash import LtHash
from hedgerow_protocol.reconcile.salting import Salt
from hedgerow_protocol.reconcile.session_view import SessionView
from hedgerow_protocol.reconcile.sorted_blocks import KEY_BYTES, SortedBlocks, key_of

SESSION_VIEW_RECORDS_MAX: Final = 256_000
"""Records. Of all sets that sessions hash for themselves at one time: some 25 MB. A larger set is hashed alone."""


class LiveSet:
    """All live records, each with the second that orders it (when it expires; 0 for a charter)."""

    def __init__(self) -> None:
        self._blocks = SortedBlocks()
        self._hash = LtHash()
        self.views = HourViews()
        self._session_views: WeakSet[SessionView] = WeakSet()

    @property
    def records(self) -> SortedBlocks:
        """The records in order. For looking only: changes go through :meth:`add` and :meth:`remove`."""
        return self._blocks

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def count(self) -> int:
        """How many records are live."""
        return len(self._blocks)

    def __contains__(self, item: tuple[int, bytes]) -> bool:
        return key_of(*item) in self._blocks

    def __iter__(self) -> Iterator[tuple[int, RecordId]]:
        """Every record as (seconds, id), in order."""
        for entry in self._blocks.entries(0, len(self._blocks)):
            yield int.from_bytes(entry[:8], "big"), RecordId(entry[8:KEY_BYTES])

    def between(self, begin: tuple[int, bytes], end: tuple[int, bytes]) -> Iterator[tuple[int, RecordId]]:
        """The records from ``begin`` to before ``end``, in order."""
        first = self._blocks.lower_bound(key_of(*begin))
        for entry in self._blocks.entries(first, self._blocks.lower_bound(key_of(*end), first)):
            yield int.from_bytes(entry[:8], "big"), RecordId(entry[8:KEY_BYTES])

    def load(self, items: Iterable[tuple[int, bytes]]) -> None:
        """Fill an empty set with many records, each once. Raises :class:`LocalError`."""
        if len(self._blocks):
            raise LocalError("Only an empty set can be loaded.")
        entries = sorted(key_of(seconds, rid) for seconds, rid in items)
        self._blocks.extend(entries)
        self._hash.add_all(entry[8:] for entry in entries)
        self.views = HourViews()

    def add(self, seconds: int, rid: bytes) -> bool:
        """A record is live now; false when it was so before."""
        key = key_of(seconds, rid)
        if not self._blocks.add(key):
            return False
        self._hash.add(rid)
        self.views.add(seconds, rid)
        return True

    def remove(self, seconds: int, rid: bytes) -> bool:
        """A record is live no longer; false when it was not."""
        key = key_of(seconds, rid)
        if not self._blocks.remove(key):
            return False
        self._hash.remove(rid)
        self.views.remove(seconds, rid)
        return True

    def change(self, added: Iterable[tuple[int, bytes]], removed: Iterable[tuple[int, bytes]]) -> int:
        """Many records at once, first those that go; how many of them changed anything."""
        changed = sum([self.remove(seconds, rid) for seconds, rid in removed])
        new = [(seconds, rid) for seconds, rid in added if self._blocks.add(key_of(seconds, rid))]
        self._hash.add_all(rid for _, rid in new)
        for view in self.views:
            for seconds, rid in new:
                view.add(seconds, rid)
        return changed + len(new)

    def session_view(self, salt: Salt) -> SessionView | None:
        """The set as it is now under a salt, or ``None`` while too much memory is taken by other sessions."""
        taken = sum(view.length for view in self._session_views)
        if taken and taken + len(self) > SESSION_VIEW_RECORDS_MAX:
            return None
        view = SessionView(salt, self._blocks.blocks)
        self._session_views.add(view)
        return view

    def digest(self, key: bytes) -> bytes:
        """16 bytes over the whole set, under a key such as a channel's binding: equal when the sets are equal."""
        return self._hash.digest(key, len(self._blocks))
