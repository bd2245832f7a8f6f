"""Figures as ratios: a subject and its reference in turn, many short rounds, the median of the rounds' ratios.

CPU time of the process, not the clock on the wall, so that another program on the same machine disturbs less.
"""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import nacl.bindings


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured ratio and what it should stay below, or above."""

    name: str
    ratio: float
    unit: str
    limit: float | None = None
    about: str = ""
    floor: float | None = None
    """What it should reach, where more is better."""

    @property
    def holds(self) -> bool:
        """Whether it is what was promised."""
        return (self.limit is None or self.ratio <= self.limit) and (self.floor is None or self.ratio >= self.floor)

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        row: dict[str, Any] = {"name": self.name, "ratio": round(self.ratio, 3), "unit": self.unit}
        row |= {"limit": self.limit} if self.limit is not None else {}
        row |= {"floor": self.floor} if self.floor is not None else {}
        if self.limit is not None or self.floor is not None:
            row["holds"] = self.holds
        return row | ({"about": self.about} if self.about else {})


class Yardstick:
    """V: one bare Ed25519 verification of a record of the size of those that are measured."""

    def __init__(self, records: Sequence[bytes]) -> None:
        public, secret = nacl.bindings.crypto_sign_seed_keypair(bytes(32))
        self._public = public
        self._signed = [nacl.bindings.crypto_sign(record, secret) for record in records]

    def seconds(self) -> float:
        """V now."""
        start = time.process_time()
        for signed in self._signed:
            nacl.bindings.crypto_sign_open(signed, self._public)
        return (time.process_time() - start) / len(self._signed)


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU that ``work`` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


async def cpu_of(work: Awaitable[object]) -> float:
    """Seconds of CPU, of all threads, until ``work`` is done."""
    start = time.process_time()
    await work
    return time.process_time() - start


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
