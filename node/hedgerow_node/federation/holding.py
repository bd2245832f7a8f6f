"""Keeping drops for nodes that are not there: what other nodes leave here, and what their destinations fetch."""

from collections.abc import Callable
from typing import Final

from hedgerow_node.store.private import deposit_rows
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.federation.asks import Buckets
from hedgerow_protocol.federation.drops import BUCKETS
from hedgerow_protocol.federation.letters import Request
from hedgerow_protocol.federation.values import AnswerBody, Done, DropFetch, DropLeft, DropsFound
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Timestamp

DROPS_NODE_BURST: Final = 30
"""Drops. Left by one node in quick succession: one for each community that a lively one knows."""

DROPS_NODE_RATE: Final = 1 / 30
"""Drops a second. Left by one node in the long run."""


class DropDesk:
    """Answers requests about drops, where this node holds any. Methods raise :class:`Refused` and store errors."""

    def __init__(
        self,
        own: NodeId,
        scribe: Scribe,
        now: Callable[[], Timestamp],
        monotonic: Callable[[], Instant],
        *,
        holds: bool,
    ) -> None:
        self._own = own
        self._scribe = scribe
        self._now = now
        self._monotonic = monotonic
        self._holds = holds
        self._rates: Buckets[NodeId] = Buckets(DROPS_NODE_RATE, DROPS_NODE_BURST)

    async def answer(self, peer: NodeId, request: Request) -> AnswerBody | None:
        """``None`` when this is no request to a holder of drops, or this node is none."""
        if not self._holds:
            return None
        match request.body:
            case DropLeft(to, sealed):
                await self._leave(peer, to, sealed)
                return Done()
            case DropFetch(taken):
                found = await self._scribe.quietly(lambda c: deposit_rows.take(c, peer, taken))
                return DropsFound(tuple(found.drops), found.more)
        return None

    async def _leave(self, peer: NodeId, to: NodeId, sealed: bytes) -> None:
        if len(sealed) not in BUCKETS or to in (self._own, peer):
            raise Refused(Refusal.BAD, "This is not a drop for another node.")
        wait = self._rates.wait(peer, self._monotonic())
        if wait:
            raise Refused(Refusal.TOO_FAST, "Your node leaves very much here. Try again later.", retry_after=wait)
        await self._scribe.quietly(lambda c: deposit_rows.leave(c, peer, to, sealed, self._now()))
