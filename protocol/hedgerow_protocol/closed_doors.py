"""Addresses at which nobody answered lately, whoever is said to live there: one door is knocked at rarely.

Anybody can sign announcements that name an innocent machine, with as many keys as he likes. What is counted here is
the door, not the key. Spec: docs/protocol/peers.md.
"""

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hedgerow_protocol.neighbourhood import is_local, neighbourhood_of
from hedgerow_protocol.ports import Instant

REST_SECONDS_MIN: Final = 30.0
"""Seconds. After the first dial in vain at a door; four times as long after each further one."""

REST_SECONDS_MAX: Final = 3_600.0
"""Seconds. The longest rest: a door at which nobody is home is knocked at some two dozen times a day."""

DOORS_MAX: Final = 4_096
"""Doors. Remembered; as many as an address book has slots in one table."""


@dataclass(slots=True)
class _Door:
    not_before: Instant
    failures: int


class ClosedDoors:
    """The doors of addresses: host and port, and for a public host the host alone, whatever the port."""

    def __init__(self) -> None:
        self._doors: OrderedDict[str, _Door] = OrderedDict()

    def failed(self, address: str, now: Instant) -> None:
        """Nobody of ours answered there."""
        door = self._doors.setdefault(door_of(address), _Door(now, 0))
        door.not_before = Instant(now + min(REST_SECONDS_MIN * 4.0 ** min(door.failures, 8), REST_SECONDS_MAX))
        door.failures += 1
        self._doors.move_to_end(door_of(address))
        while len(self._doors) > DOORS_MAX:
            self._doors.popitem(last=False)

    def opened(self, address: str) -> None:
        """A node answered there."""
        self._doors.pop(door_of(address), None)

    def rests(self, address: str, now: Instant) -> bool:
        """Whether nobody should knock there now."""
        door = self._doors.get(door_of(address))
        return door is not None and now < door.not_before


@lru_cache(maxsize=4096)
def door_of(address: str) -> str:
    """What several addresses have in common that lead to one machine: its host; on local networks also the port."""
    place = address.split("://", 1)[-1].split("/", 1)[0].lower()
    if is_local(neighbourhood_of(address)):
        return place  # several nodes on one machine are usual there
    host, _, port = place.rpartition(":")
    return host if host and port.isdigit() else place
