"""How whoever is asked keeps the order of requests when it has to answer one of them "busy".

Requests of a peer for a room come in their order, many at a time. When one is answered busy, those that are on their
way behind it must not overtake it: they are answered busy, too, until the first one comes again.
"""

from collections import OrderedDict
from typing import Final

from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant

ROOMS_OF_PEER_MAX: Final = 256
"""Rooms. In which one peer was told "busy" and has not come again; then the oldest is let pass."""

HELD_SECONDS: Final = 1_800.0
"""Seconds. After which others pass, because the first one was perhaps taken back: twice the longest back-off."""


class Turnstile:
    """One for all peers."""

    def __init__(self) -> None:
        self._waits: dict[NodeId, OrderedDict[RoomId, tuple[bytes, Instant]]] = {}

    def busy(self, peer: NodeId, room: RoomId, request: bytes, now: Instant) -> None:
        """This request was looked at and answered busy."""
        rooms = self._waits.setdefault(peer, OrderedDict())
        rooms[room] = (request, Instant(now + HELD_SECONDS))
        if len(rooms) > ROOMS_OF_PEER_MAX:
            rooms.popitem(last=False)

    def may_pass(self, peer: NodeId, room: RoomId, request: bytes, now: Instant) -> bool:
        """Whether this request may be looked at now; if not, answer busy (and do not tell :meth:`busy`)."""
        rooms = self._waits.get(peer)
        if rooms is None or room not in rooms:
            return True
        first, until = rooms[room]
        if first != request and now < until:
            return False
        del rooms[room]
        return True

    def down(self, peer: NodeId) -> None:
        """The link ended: on the next one everything comes again, in its order."""
        self._waits.pop(peer, None)
