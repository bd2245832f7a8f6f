"""Requests of other nodes: bounded in number and rate, answered one after the other within each room."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from math import ceil
from typing import Final, Protocol

from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.home import HomeDesk
from hedgerow_node.federation.hub import HubDesk
from hedgerow_node.federation.tally import Why, why_refused
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.store.errors import StoreBusyError
from hedgerow_node.store.private.mirror_rows import NotYet
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.federation.asks import AskRates
from hedgerow_protocol.federation.letters import Answer, Request
from hedgerow_protocol.federation.turnstile import Turnstile
from hedgerow_protocol.federation.values import (
    UNKNOWN_KIND,
    AnswerBody,
    Busy,
    RefusalAnswer,
    Submit,
    UnknownKind,
    room_of,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.ratelimit import TokenBucket

LOG = logging.getLogger(__name__)

OF_NODE_MAX: Final = 128
"""Requests. Of one node that are being answered at a time: twice what its outbox has under way."""

OF_ALL_MAX: Final = 2_000
"""Requests. Of all nodes that are being answered at a time; beyond them nodes are asked to come again."""

REQUESTS_RATE: Final = 1_000.0
"""Requests a second. Of one node in the long run: more than its members write."""

REQUESTS_BURST: Final = 4_000
"""Requests. Of one node in quick succession, after it was away."""

BUSY_SECONDS: Final = 5
"""Seconds. After which a node may ask again."""


class Desk(Protocol):
    """Answers one sort of request."""

    async def answer(self, peer: NodeId, request: Request) -> AnswerBody | None:
        """``None`` when this is none of its sort. Raises :class:`Refused` and :class:`StoreError`."""
        ...


class Answering:
    """Answers other nodes. Belongs to the event loop."""

    def __init__(
        self,
        exchange: Exchange,
        hub: HubDesk,
        home: HomeDesk,
        more: Sequence[Desk],
        rates: AskRates,
        monotonic: Callable[[], Instant],
    ) -> None:
        """``hub`` is asked for what goes into its logs; every other request goes from desk to desk, ``more`` last."""
        self._exchange = exchange
        self._hub = hub
        self._desks: tuple[Desk, ...] = (home, hub, *more)
        self._rates = rates
        self._monotonic = monotonic
        self._many: dict[NodeId, int] = {}
        self._buckets: dict[NodeId, TokenBucket] = {}
        self._lanes: dict[tuple[NodeId, bytes], tuple[asyncio.Lock, int]] = {}
        self._turnstile = Turnstile()
        self._tasks = Tasks("answers to other nodes")

    async def stop(self) -> None:
        """Answer nothing more."""
        await self._tasks.stop()

    def down(self, peer: NodeId) -> None:
        """A link has ended."""
        self._turnstile.down(peer)
        bucket = self._buckets.get(peer)
        if bucket is not None and bucket.level(self._monotonic()) >= REQUESTS_BURST:
            del self._buckets[peer]

    def left(self, peer: NodeId) -> None:
        """What it asked came without a link, and is answered."""
        self._turnstile.down(peer)
        if peer not in self._many:
            self._buckets.pop(peer, None)

    def take(self, peer: NodeId, request: Request) -> None:
        """A request came. It is answered, or its node is told to come again."""
        many = self._many.get(peer, 0)
        bucket = self._buckets.get(peer)
        if bucket is None:
            bucket = self._buckets[peer] = TokenBucket(REQUESTS_RATE, REQUESTS_BURST)
        if many >= OF_NODE_MAX or len(self._tasks) >= OF_ALL_MAX or not bucket.take(1, self._monotonic()):
            self._exchange.tally.count(peer, Why.PACE)
            self._exchange.send(peer, Answer(request.id, self._hold(peer, request, Busy(BUSY_SECONDS))))
            return
        self._many[peer] = many + 1
        self._tasks.spawn(self._one(peer, request))

    async def _one(self, peer: NodeId, request: Request) -> None:
        try:
            answer = await self._answer(peer, request)
            if isinstance(answer, Busy):
                answer = self._hold(peer, request, answer)
            elif isinstance(answer, RefusalAnswer):
                self._exchange.tally.count(peer, Why.LATER if answer is UNKNOWN_KIND else why_refused(answer.code))
        finally:
            self._many[peer] -= 1
            if not self._many[peer]:
                del self._many[peer]
        self._exchange.send(peer, Answer(request.id, answer))

    def _hold(self, peer: NodeId, request: Request, answer: Busy) -> Busy:
        """Nothing that is on its way behind this request may overtake it."""
        room = room_of(request.body)
        if room is not None and self._passes(peer, request):
            self._turnstile.busy(peer, room, request.id, self._monotonic())
        return answer

    def _passes(self, peer: NodeId, request: Request) -> bool:
        room = room_of(request.body)
        return room is None or self._turnstile.may_pass(peer, room, request.id, self._monotonic())

    async def _answer(self, peer: NodeId, request: Request) -> AnswerBody:
        body = request.body
        try:
            if isinstance(body, Submit):
                # What stands first in the line of letters stands first in the log: nothing waits before this.
                if not self._passes(peer, request):
                    return Busy(BUSY_SECONDS)
                return await self._hub.submit(peer, body)
            if isinstance(body, UnknownKind):
                return UNKNOWN_KIND
            wait = self._rates.wait(peer, body, self._monotonic())
            if wait:
                sentence = "Your community asks very often. Try again later."
                return RefusalAnswer(Refusal.TOO_FAST, sentence, _seconds(wait))
            return await self._in_lane(peer, request)
        except Refused as refused:
            return RefusalAnswer(refused.code, refused.sentence, _seconds(refused.retry_after or 0))
        except NotYet:
            return Busy(1)
        except StoreBusyError:
            return Busy(BUSY_SECONDS)
        except Exception:
            # A mistake of ours, or of the disk: the other node keeps its request, and comes again.
            LOG.exception("A request of another node could not be answered")
            return Busy(60)

    async def _in_lane(self, peer: NodeId, request: Request) -> AnswerBody:
        key = (peer, room_of(request.body) or b"")
        lock, many = self._lanes.get(key, (asyncio.Lock(), 0))
        self._lanes[key] = (lock, many + 1)
        try:
            async with lock:
                if not self._passes(peer, request):
                    return Busy(BUSY_SECONDS)
                for desk in self._desks:
                    answer = await desk.answer(peer, request)
                    if answer is not None:
                        return answer
                return UNKNOWN_KIND
        finally:
            lock, many = self._lanes[key]
            if many == 1:
                del self._lanes[key]
            else:
                self._lanes[key] = (lock, many - 1)


def _seconds(wait: float) -> int:
    return min(limits.WAIT_SECONDS_MAX, ceil(wait))
