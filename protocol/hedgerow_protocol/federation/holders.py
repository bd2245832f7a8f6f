"""Where a drop lies: at nodes that its sender and its destination both find without having agreed on them.

First the destination's own relays, which it asks first when it comes online; then the nodes whose names lie closest to
the destination's, as everybody who knows the same announcements reckons. Spec: docs/protocol/federation.md, "Drops".
"""

from collections.abc import Iterable
from hashlib import sha256
from heapq import nsmallest
from typing import Final

from hedgerow_protocol.ids import NodeId

CLOSEST: Final = 3
"""Nodes. That a destination asks besides its relays: announcements come and go, so the first is not always the same."""


def holders_for(destination: NodeId, relays: Iterable[NodeId], holders: Iterable[NodeId]) -> tuple[NodeId, ...]:
    """Who holds drops for a node, the best first, never itself: of the relays it names those that hold drops at all."""
    able = frozenset(holders) - {destination}
    closest = nsmallest(CLOSEST, able, key=lambda each: sha256(each + destination).digest())
    return tuple(dict.fromkeys((*(each for each in relays if each in able), *closest)))
