"""How much the directory holds, and the hash by which two nodes compare."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """Counts at one moment."""

    listings: int
    """Shown now."""
    meetings: int
    """Of those listings."""
    records: int
    """Live as of the start of the hour, charters and announcements among them: what ``state_hash`` is made of."""
    held: int
    """On the disk, expired ones that were not yet dropped included."""
    waiting: int
    """In memory, because their charter has not arrived."""
    state_hash: str
