"""Finding the nodes at which drops lie, and asking them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hedgerow_node.federation.exchange import Exchange
from hedgerow_protocol.federation.holders import CLOSEST, holders_for
from hedgerow_protocol.federation.values import AnswerBody, RequestBody
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant

ANSWER_SECONDS: Final = 60.0
"""Seconds. For a drop of a MiB to go and its answer to come, also at a relay's pace."""

KNOWN_SECONDS: Final = 600.0
"""Seconds. For which it is remembered who holds drops: announcements last a week."""

FEW_SECONDS: Final = 30.0
"""Seconds. The same while fewer are known than are asked: this node may just have met the first others."""


AWAY_SECONDS: Final = 300.0
"""Seconds. For which a holder is passed over to which no link came."""

AWAY_MAX: Final = 1_024
"""Nodes. Of which that is remembered."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When drops are left and fetched."""

    after: float = 600.0
    """Seconds. For which something waits for a link before it is left as a drop; and between two drops for one node."""
    soon: float = 60.0
    """Seconds. The same for a node from which a drop came since there was a link: it is not there when this one is."""
    again: float = 86_400.0
    """Seconds. After which the same is left again: its holder may be gone."""
    look: float = 30.0
    """Seconds. Between two looks whether something waits."""
    fetch: float = 900.0
    """Seconds. Between two questions whether something lies somewhere for this node."""
    link: float = 60.0
    """Seconds. For which a link to a holder is awaited before the next one is tried."""


class Whereabouts(Protocol):
    """What the directory knows of other nodes; lent to federation."""

    async def holders(self) -> Sequence[NodeId]:
        """The nodes that announce that they hold drops, and that can be dialled."""
        ...

    async def relays_of(self, node: NodeId) -> Sequence[NodeId]:
        """The relays that a node announces, or announced last."""
        ...

    async def blocked(self) -> frozenset[NodeId]:
        """Those with which this one has nothing to do."""
        ...


class Holders:
    """Who holds drops. Belongs to the event loop."""

    def __init__(
        self, own: NodeId, exchange: Exchange, whereabouts: Whereabouts, pace: Pace, monotonic: Callable[[], Instant]
    ) -> None:
        self.own = own
        self.whereabouts = whereabouts
        self._exchange = exchange
        self._pace = pace
        self._monotonic = monotonic
        self._known: frozenset[NodeId] = frozenset()
        self._until: float = float("-inf")
        self._away: dict[NodeId, Instant] = {}
        """Those to which no link came, and until when that is believed."""
        self._links: dict[NodeId, asyncio.Event] = {}

    async def all(self) -> frozenset[NodeId]:
        """Everybody who holds drops."""
        now = self._monotonic()
        if now >= self._until:
            self._known = frozenset(await self.whereabouts.holders())
            self._until = now + (KNOWN_SECONDS if len(self._known) > CLOSEST else FEW_SECONDS)
        return self._known

    async def of(self, node: NodeId) -> list[NodeId]:
        """Other nodes that hold drops for a node, the best first."""
        relays, blocked = await self.whereabouts.relays_of(node), await self.whereabouts.blocked()
        found = holders_for(node, relays, await self.all())
        return [each for each in found if each != self.own and each not in blocked]

    async def ask(self, holder: NodeId, body: RequestBody) -> AnswerBody | None:
        """Ask a holder, once there is a link to it; ``None`` when there is none in time, or no answer."""
        if not self._exchange.is_up(holder):
            if self._monotonic() < self._away.get(holder, float("-inf")):
                return None
            event = self._links.setdefault(holder, asyncio.Event())
            self._exchange.post.want(holder)
            try:
                async with asyncio.timeout(self._pace.link):
                    await event.wait()
            except TimeoutError:
                if len(self._away) >= AWAY_MAX:
                    self._away.clear()
                self._away[holder] = Instant(self._monotonic() + AWAY_SECONDS)
                return None
        return await self._exchange.ask(holder, body, ANSWER_SECONDS)

    def up(self, node: NodeId) -> None:
        """A link is open."""
        self._away.pop(node, None)
        event = self._links.pop(node, None)
        if event is not None:
            event.set()
