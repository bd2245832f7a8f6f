"""How long ciphertext is kept: until everybody has it, or until a day that is the same for all."""

from collections.abc import Iterable
from dataclasses import dataclass

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import EntryKind


@dataclass(frozen=True, slots=True)
class Kept:
    """What a node keeps at a moment: payloads of entries with a time at or after these."""

    messages_from: int
    """Unix seconds."""
    commits_from: int
    """Unix seconds; and of the commits since then, those that some mailbox has not acknowledged."""


def kept_at(now: int) -> Kept:
    """What is kept at a moment."""
    return Kept(now - limits.MESSAGE_SECONDS_KEPT, now - limits.COMMIT_SECONDS_KEPT)


def everybody_has(acknowledged: Iterable[int]) -> int:
    """The seq up to which every mailbox that takes part has acknowledged; 0 when nobody takes part."""
    return min(acknowledged, default=0)


def payload_is_kept(kind: EntryKind, time: int, seq: int, everybody: int, kept: Kept) -> bool:
    """Whether an entry's payload is still kept. Its hash always is."""
    if kind is EntryKind.MESSAGE:
        return time >= kept.messages_from
    return time >= kept.commits_from and seq > everybody
