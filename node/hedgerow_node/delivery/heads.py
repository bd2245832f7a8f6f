"""Signed heads, each signed once: a signature takes as long as an entry takes to write, and many ask for the same."""

from collections import OrderedDict
from typing import Final

from hedgerow_protocol.delivery.chain import sign_head
from hedgerow_protocol.delivery.values import Head, Position, RoomId
from hedgerow_protocol.keys import SigningKey

REMEMBERED_MAX: Final = 4_096
"""Heads. The newest of the rooms that were asked about last; 1 MB."""


class Heads:
    """Signs positions with the node's key."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._signed: OrderedDict[RoomId, Head] = OrderedDict()

    def of(self, room: RoomId, position: Position) -> Head:
        """This position, signed."""
        known = self._signed.get(room)
        if known is not None and known.position == position:
            self._signed.move_to_end(room)
            return known
        head = sign_head(self._key, room, position)
        if known is None or known.position.seq < position.seq:
            self._signed[room] = head
            self._signed.move_to_end(room)
            if len(self._signed) > REMEMBERED_MAX:
                self._signed.popitem(last=False)
        return head
