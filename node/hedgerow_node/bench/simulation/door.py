"""What a simulated node needs of its machine."""

from collections.abc import Sequence
from typing import Protocol

from hedgerow_protocol.gossip.events import Event, Output
from hedgerow_protocol.ports import Instant, Now


class Machine(Protocol):
    """The one door of a node."""

    def handle(self, event: Event, now: Now) -> Sequence[Output]: ...
    def due(self) -> Instant | None: ...
