"""The one place that reads clocks and the system's randomness: others are told ``now`` and lent ``entropy``."""

import os
import time

from hedgerow_protocol.ports import Instant, Timestamp


def now() -> Timestamp:
    """Whole seconds since 1970-01-01 UTC: for records."""
    return Timestamp(int(time.time()))  # noqa: TID251 - this is the place


def monotonic() -> Instant:
    """Seconds on a clock that never goes back: for timers and progress."""
    return Instant(time.monotonic())


def entropy(count: int) -> bytes:
    """That many unpredictable bytes, from the operating system."""
    return os.urandom(count)
