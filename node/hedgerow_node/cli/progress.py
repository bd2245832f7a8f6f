"""A progress bar for long work, on a terminal only."""

import sys
from collections.abc import Callable
from typing import TextIO

from hedgerow_node import clock

WIDTH = 30
REDRAW_SECONDS = 0.1


class ProgressBar:
    """``Storing   [=========>          ]  4,200 of 10,000``, redrawn in place at most ten times a second."""

    def __init__(self, stream: TextIO | None = None, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._monotonic = monotonic
        self._drawn_at = -REDRAW_SECONDS
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say how far a stage is."""
        now = self._monotonic()
        if not self._shown or (stage == self._stage and done < total and now - self._drawn_at < REDRAW_SECONDS):
            return
        self._stage, self._drawn_at = stage, now
        filled = WIDTH * min(done, total) // max(total, 1)
        bar = ("=" * filled + ">")[:WIDTH].ljust(WIDTH)
        count = f"{done:,} of {total:,}" if total > 1 else "…"
        self._stream.write(f"\r\x1b[K{stage:<10} [{bar}] {count}")
        self._stream.flush()

    def close(self) -> None:
        """Remove the bar."""
        if self._shown and self._stage:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
