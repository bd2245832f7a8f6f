"""The protocol's machine, as the pumps see it."""

from typing import Protocol

from hedgerow_protocol.gossip.events import Event, Output
from hedgerow_protocol.ports import Instant, Now


class Machine(Protocol):
    """One door, and the time at which it wants to be opened next."""

    def handle(self, event: Event, now: Now) -> list[Output]:
        """One event in, what is to be done out. Never waits, and raises only for a bug."""
        ...

    def due(self) -> Instant | None:
        """When the next ``Tick`` is due; ``None`` when nothing waits for time to pass."""
        ...
