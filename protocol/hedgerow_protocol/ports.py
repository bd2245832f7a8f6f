"""What a caller lends to the protocol: time and randomness, in types that do not mix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NewType

Instant = NewType("Instant", float)
"""Seconds on a monotonic clock: for timers and rates, never inside a record."""

Timestamp = NewType("Timestamp", int)
"""Whole seconds since 1970-01-01 UTC: only inside records and for judging them."""

Entropy = Callable[[int], bytes]
"""Returns that many unpredictable bytes."""


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks, as every state machine's door takes it."""

    instant: Instant
    timestamp: Timestamp
