"""How fast other nodes may ask for what costs members' attention: KeyPackages, invitations, being let in.

Asked in two steps: of the node first, which costs nothing, and of the invitation once it is known to exist. So nobody
fills the memory with invitations that are none, and a flood at one invitation leaves the others alone.
"""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

from hedgerow_protocol.delivery.values import InviteId
from hedgerow_protocol.federation.values import (
    AskLetter,
    InviteRead,
    KeyPackageClaim,
    RequestBody,
    RoomAsk,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.ratelimit import TokenBucket

ASKS_NODE_BURST: Final = 20
"""Asks. From one node in quick succession: a community that joins another's group after a meeting."""

ASKS_NODE_RATE: Final = 20 / 3_600
"""Asks a second. From one node in the long run."""

ASKS_INVITE_BURST: Final = 30
"""Asks. By one invitation in quick succession, from all nodes together."""

ASKS_INVITE_RATE: Final = 30 / 3_600
"""Asks a second. By one invitation in the long run: more than members can judge."""

CLAIMS_NODE_BURST: Final = 64
"""KeyPackages and looks at invitations. By one node in quick succession: as many as one commit lets in."""

CLAIMS_NODE_RATE: Final = 0.5
"""KeyPackages and looks at invitations a second. By one node in the long run."""

REMEMBERED_MAX: Final = 4_096
"""Nodes, and invitations. Whose rates are remembered; the one that asked least lately is forgotten first."""

K = TypeVar("K")


class Buckets(Generic[K]):
    """A rate for each name, for a bounded number of names."""

    def __init__(self, rate: float, burst: float, remembered_max: int = REMEMBERED_MAX) -> None:
        self._rate = rate
        self._burst = burst
        self._most = remembered_max
        self._buckets: OrderedDict[K, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, name: K, now: Instant) -> float:
        """Take one; 0, or the seconds until there is one."""
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= self._most:
                self._buckets.popitem(last=False)
            bucket = self._buckets[name] = TokenBucket(self._rate, self._burst)
        self._buckets.move_to_end(name)
        if bucket.take(1, now):
            return 0.0
        return max(1.0, (1 - bucket.level(now)) / self._rate)


class AskRates:
    """Bounds what other nodes may ask of members here."""

    def __init__(self) -> None:
        self._asks: Buckets[NodeId] = Buckets(ASKS_NODE_RATE, ASKS_NODE_BURST)
        self._claims: Buckets[NodeId] = Buckets(CLAIMS_NODE_RATE, CLAIMS_NODE_BURST)
        self._invites: Buckets[InviteId] = Buckets(ASKS_INVITE_RATE, ASKS_INVITE_BURST)

    def wait(self, peer: NodeId, body: RequestBody, now: Instant) -> float:
        """0 if this request may be looked at; or the seconds after which it may (answer ``TOO_FAST``)."""
        if isinstance(body, AskLetter | RoomAsk):
            return self._asks.wait(peer, now)
        if isinstance(body, KeyPackageClaim | InviteRead):
            return self._claims.wait(peer, now)
        return 0.0

    def wait_invite(self, invite: InviteId, now: Instant) -> float:
        """The same for asks by an invitation that exists and whose proof held."""
        return self._invites.wait(invite, now)
