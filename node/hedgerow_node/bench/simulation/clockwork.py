"""The queue of what will happen, in the order of simulated time."""

import heapq
from collections.abc import Callable
from typing import Any


class Clockwork:
    """Runs what is due, earliest first; what is due at the same time in the order in which it was asked for."""

    def __init__(self) -> None:
        self.time = 0.0
        """Simulated seconds since the world began."""
        self.steps = 0
        self._count = 0
        self._queue: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []

    def __len__(self) -> int:
        return len(self._queue)

    def at(self, time: float, do: Callable[..., object], *arguments: Any) -> None:
        """Do this then; at once when that time is past."""
        self._count += 1
        heapq.heappush(self._queue, (max(time, self.time), self._count, do, arguments))

    def after(self, seconds: float, do: Callable[..., object], *arguments: Any) -> None:
        """Do this so many seconds from now."""
        self.at(self.time + seconds, do, *arguments)

    def run_until(self, end: float) -> None:
        """Let everything happen that is due until then."""
        queue = self._queue
        while queue and queue[0][0] <= end:
            self.time, _count, do, arguments = heapq.heappop(queue)
            self.steps += 1
            do(*arguments)
        self.time = max(self.time, end)
