"""One run: its seed, its clock, its nodes, and the weather."""

import random
from collections import deque
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from hedgerow_node.bench.simulation.clockwork import Clockwork
from hedgerow_protocol.ids import NodeId
from rooms_across.wires import Wires

if TYPE_CHECKING:
    from rooms_across.node import Node
    from rooms_across.safety import Safety

EPOCH = 1_800_000_000
"""Unix seconds when a world begins."""

REPEAT = "python3 tests/simulation/rooms_across"


class SimulationError(AssertionError):
    """A rule was broken. Says which, when, and how to see it again."""


@dataclass(frozen=True)
class Weather:
    """How bad it is, for as long as it is bad."""

    rough: bool = False
    break_per_letter: float = 0.0
    """How likely a link ends soon after a letter was put on it."""
    link_seconds: float = 1e9
    """How long links live, on average."""
    dial_fails: float = 0.0
    crash_per_write: float = 0.0
    """How likely a node crashes while it writes something."""
    busy: float = 0.0
    """How likely a request is answered "busy"."""


CALM = Weather()


class World:
    """Everything there is in one run."""

    safety: "Safety"

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(f"rooms across {seed}")
        self.clock = Clockwork()
        self.wires = Wires(self)
        self.weather = CALM
        self.nodes: dict[NodeId, Node] = {}
        self.story: deque[str] = deque(maxlen=200)
        self._trace = blake2b(digest_size=16)

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return probability > 0 and self.random.random() < probability

    def note(self, line: str) -> None:
        """Something happened that helps to understand a failure."""
        self.story.append(f"{self.clock.time:9.2f}  {line}")
        self.trace(line.encode())

    def trace(self, what: bytes) -> None:
        """Something happened at this moment, for :attr:`traced`."""
        self._trace.update(b"%r " % self.clock.time + what)

    @property
    def traced(self) -> str:
        """A hash of all that has happened and when: each letter with its bytes, each crash."""
        return self._trace.hexdigest()

    def fail(self, what: str) -> None:
        """A rule was broken."""
        raise SimulationError(f"{what} (at {self.clock.time:.2f} s of seed {self.seed}; again: {REPEAT} {self.seed})")
