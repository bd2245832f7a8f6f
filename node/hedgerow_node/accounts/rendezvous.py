"""A meeting place for two devices that link: each leaves a few sealed bytes for the other, in memory, for minutes.

Open to everybody who knows a place's name (16 random bytes, on the screen of one of the devices), because the new
device has no token yet. What is left there is sealed by the devices; see the app's linking.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused


@dataclass(slots=True)
class _Place:
    until: float
    left: dict[str, bytes] = field(default_factory=dict)


class MeetingPlaces:
    """All places of one node. ``now`` is monotonic seconds."""

    def __init__(self, places_max: int = limits.RENDEZVOUS_MAX) -> None:
        self._places_max = places_max
        self._places: OrderedDict[bytes, _Place] = OrderedDict()

    def leave(self, place: bytes, side: Literal["a", "b"], body: bytes, *, now: float) -> None:
        """Leave something for the other side, once. Raises :class:`Refused`."""
        if len(body) > limits.RENDEZVOUS_BYTES_MAX:
            raise Refused(Refusal.TOO_LARGE, f"At most {limits.RENDEZVOUS_BYTES_MAX} bytes fit here.")
        self._end(now)
        there = self._places.get(place)
        if there is None:
            if len(self._places) >= self._places_max:
                # They end in the order they began, so the first one says when there is room.
                wait = next(iter(self._places.values())).until - now
                raise Refused(Refusal.TOO_FAST, "Many devices are being linked. Try again soon.", retry_after=wait)
            there = self._places[place] = _Place(now + limits.RENDEZVOUS_SECONDS_MAX)
        if there.left.setdefault(side, body) != body:
            raise Refused(Refusal.TAKEN, "Something else is there already. Begin again on both devices.")

    def found(self, place: bytes, side: Literal["a", "b"], *, now: float) -> bytes | None:
        """What that side has left."""
        self._end(now)
        there = self._places.get(place)
        return there.left.get(side) if there is not None else None

    def _end(self, now: float) -> None:
        while self._places and next(iter(self._places.values())).until <= now:
            self._places.popitem(last=False)
