"""Choices at random from lent entropy, so that a seed replays them."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from hedgerow_protocol.ports import Entropy

T = TypeVar("T")


class Chance:
    """Draws numbers and picks from lists. Its bias, below 2^-40 for every list it meets, does not matter here."""

    __slots__ = ("_entropy",)

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy

    def unit(self) -> float:
        """A number from 0 up to but not including 1."""
        return (int.from_bytes(self._entropy(7), "big") >> 3) / 2**53

    def below(self, end: int) -> int:
        """A whole number from 0 up to but not including ``end``."""
        if end <= 0:
            raise ValueError("There is nothing to choose from.")
        return int.from_bytes(self._entropy(8), "big") % end

    def between(self, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        return low + (high - low) * self.unit()

    def pick(self, items: Sequence[T]) -> T:
        """One of a list that is not empty."""
        return items[self.below(len(items))]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """All of them, in any order."""
        result = list(items)
        for end in range(len(result), 1, -1):
            index = self.below(end)
            result[index], result[end - 1] = result[end - 1], result[index]
        return result
