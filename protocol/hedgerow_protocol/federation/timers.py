"""Moments by name, for machines that are told the time: which are due, and when the next one is."""

from collections.abc import Hashable
from heapq import heappop, heappush
from typing import Generic, TypeVar

from hedgerow_protocol.ports import Instant

K = TypeVar("K", bound=Hashable)


class Timers(Generic[K]):
    """At most one moment for each name. Setting, cancelling and taking cost the logarithm of how many there are."""

    __slots__ = ("_heap", "_number", "_when")

    def __init__(self) -> None:
        self._when: dict[K, tuple[Instant, int]] = {}
        self._heap: list[tuple[Instant, int, K]] = []
        self._number = 0

    def __contains__(self, name: K) -> bool:
        return name in self._when

    def __len__(self) -> int:
        return len(self._when)

    def set(self, name: K, when: Instant) -> None:
        """The moment of this name, instead of an earlier one."""
        self._number += 1
        self._when[name] = (when, self._number)
        heappush(self._heap, (when, self._number, name))
        if len(self._heap) > 64 + 4 * len(self._when):
            self._heap = sorted((at, number, each) for each, (at, number) in self._when.items())

    def cancel(self, name: K) -> None:
        """Forget a moment, if there is one."""
        self._when.pop(name, None)

    def due(self) -> Instant | None:
        """The next moment."""
        self._clean()
        return self._heap[0][0] if self._heap else None

    def take(self, now: Instant) -> list[K]:
        """The names whose moment has come, in the order of their moments; they are forgotten."""
        found = []
        while (when := self.due()) is not None and when <= now:
            name = heappop(self._heap)[2]
            del self._when[name]
            found.append(name)
        return found

    def _clean(self) -> None:
        while self._heap and self._when.get(self._heap[0][2], (0, 0))[1] != self._heap[0][1]:
            heappop(self._heap)
