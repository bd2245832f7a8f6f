"""What reading a feed gives back: drafts of listings, and an honest report of every repair and every loss.

Import is lenient, so the report is what makes it trustworthy: each row is counted as read, and then either kept or
dropped with its number and a reason; each repair is counted under a snake_case kind.
"""

from collections import Counter
from dataclasses import dataclass, field

from hedgerow_protocol.content import ListingContent


class FormatError(Exception):
    """A whole file cannot be used; the text is a sentence that says which file and why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One listing as a source says it, before screening and signing."""

    key: str
    """Names the listing within its source: the same over re-imports, whatever the order of the rows."""
    content: ListingContent


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row of which nothing could be kept."""

    row: int
    """Counted from 1 in the order of the file (the heading of a table is not a row)."""
    reason: str
    """A sentence."""


@dataclass(slots=True)
class Tally:
    """Collects the report while a reader works; every reader of one call shares one."""

    read: int = 0
    """Rows (or events, or services) seen so far."""
    kept: int = 0
    """Rows that became at least one meeting."""
    repaired: Counter[str] = field(default_factory=Counter)
    dropped: list[Dropped] = field(default_factory=list)

    def row(self) -> int:
        """Count one more row as read, and return its number from 1."""
        self.read += 1
        return self.read

    def keep(self) -> None:
        """Count the current row as kept."""
        self.kept += 1

    def repair(self, kind: str, count: int = 1) -> None:
        """Count a repair under its kind, a snake_case name such as ``time_zone_unknown``."""
        self.repaired[kind] += count

    def drop(self, row: int, reason: str) -> None:
        """Record that nothing of a row could be kept, and why."""
        self.dropped.append(Dropped(row, reason))

    def parsed(self, drafts: "tuple[Draft, ...] | list[Draft]") -> "Parsed":
        """The finished report, with these drafts."""
        return Parsed(
            drafts=tuple(drafts),
            read=self.read,
            kept=self.kept,
            repaired=dict(sorted(self.repaired.items())),
            dropped=tuple(self.dropped),
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that was read from the files of one call."""

    drafts: tuple[Draft, ...]
    """Sorted by key; no two have the same."""
    read: int
    """Rows seen."""
    kept: int
    """Rows that became meetings. ``read == kept + len(dropped)``."""
    repaired: dict[str, int]
    dropped: tuple[Dropped, ...]
