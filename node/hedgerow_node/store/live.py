"""How the live set changes: what each write brings into it and takes out of it.

The live set (:mod:`hedgerow_protocol.state`) is judged at the start of an hour. Whoever keeps a copy of it in memory
names that hour; every write then yields a :class:`LiveChange` against it, and :func:`turned` gives the change from one
hour to the next. So a copy that is kept up equals what :func:`hedgerow_node.store.showing.live_hash` reads at its hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from hedgerow_node.store.database import Connection
from hedgerow_protocol import limits
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp

NEVER: Final = Timestamp(limits.TIMESTAMP_MAX)
"""The hour of nobody's copy: nothing lives that long, so nothing is noted."""

LiveItem: TypeAlias = tuple[int, RecordId]
"""When a record expires (0 for charters), and its id."""


@dataclass(frozen=True, slots=True)
class LiveChange:
    """What came into the live set and what left it; an item is in one of the two and stands there once."""

    added: tuple[LiveItem, ...] = ()
    removed: tuple[LiveItem, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


class LiveTally:
    """Counts what came and went within one write; what did both leaves no trace."""

    def __init__(self, hour: Timestamp) -> None:
        self.hour = hour
        """The start of the hour of the copy that is kept."""
        self._count: dict[LiveItem, int] = {}

    def came(self, rid: RecordId, seconds: int) -> None:
        """A record is live now."""
        item = (seconds, rid)
        self._count[item] = self._count.get(item, 0) + 1

    def went(self, rid: RecordId, seconds: int) -> None:
        """A record is no longer live."""
        item = (seconds, rid)
        self._count[item] = self._count.get(item, 0) - 1

    def change(self) -> LiveChange:
        """All of it."""
        added = tuple(item for item, count in self._count.items() if count > 0)
        return LiveChange(added, tuple(item for item, count in self._count.items() if count < 0))


def live_items(connection: Connection, hour: Timestamp) -> list[LiveItem]:
    """The live set at the start of this hour, in no particular order."""
    return list(_between(connection, hour, NEVER))


def turned(connection: Connection, before: Timestamp, after: Timestamp) -> LiveChange:
    """What the live set loses when the hour turns; what it gains again when a clock was set back."""
    between = tuple(_between(connection, min(before, after), max(before, after)))
    return LiveChange(removed=between) if before < after else LiveChange(added=between)


def _between(connection: Connection, low: Timestamp, high: Timestamp) -> Iterator[LiveItem]:
    """What is live at ``low`` and not at ``high``."""
    # The partial index on expires is only taken when the condition says that it is above 0.
    yield from connection.execute(
        "SELECT expires, rid FROM record WHERE expires > 0 AND expires > ? AND expires <= ?", (low, high)
    )
    yield from connection.execute(
        "SELECT 0, rid FROM charter WHERE chain IN (SELECT id FROM chain WHERE live_until > ? AND live_until <= ?)",
        (low, high),
    )
