"""Which entries a log takes, and when they say they were taken."""

from typing import TypeVar

from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import Conflict, EntryKind, Position

_T = TypeVar("_T", bound=int)


def comes_second(kind: EntryKind, seen: int, newest_commit_of_epoch: int) -> Conflict | None:
    """Whether another commit has ended this epoch at a place its author has not seen.

    ``newest_commit_of_epoch`` is the seq of the last commit of the same epoch in the log, or 0. A commit that its
    author *has* seen does not stand in the way: then the author judged it invalid, and every member does the same.
    """
    if kind is EntryKind.COMMIT and newest_commit_of_epoch > seen:
        return Conflict(seen)
    return None


def check_seen(seen: int, head: Position) -> None:
    """Nobody has seen more than there is. Raises :class:`Refused`."""
    if seen > head.seq:
        raise Refused(Refusal.BAD, "This says it has seen more of the room than there is.")


def entry_time(now: int, head: Position) -> int:
    """An entry's time: the node's clock, but never before an earlier entry's."""
    return max(now, head.time)


def last_readable(acknowledged: int, until: int | None) -> int:
    """How far a mailbox may say it has read: not beyond where it was taken out."""
    return acknowledged if until is None else min(acknowledged, until)
