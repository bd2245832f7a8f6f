"""From the machine's questions to the directory and back: judging what peers sent, reading what they ask for.

Each link waits in its own line and the lines are served in turn, so a peer that sends a thousand records a second
makes only itself wait. What waits is bounded; the links' pumps stop reading before the bound is passed.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, Protocol, TypeVar, assert_never

from hedgerow_node import clock
from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_node.net import bounds
from hedgerow_node.store.errors import StoreError
from hedgerow_protocol.gossip.events import Fetch, Fetched, Judge, Judged, LinkId, Standing, Verdict

LOG = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0
"""Seconds. Before a batch that the disk did not take is tried once more."""

_T = TypeVar("_T")


def verdict_of(outcome: Outcome) -> Verdict:
    """The machine's word for what the directory did."""
    match outcome:
        case Stored(rid=rid):
            return Verdict(Standing.STORED, rid, new_chain=outcome.new_chain)
        case Known(rid=rid):
            return Verdict(Standing.KNOWN, rid)
        case Superseded(rid=rid):
            return Verdict(Standing.SUPERSEDED, rid)
        case Waiting(rid=rid):
            return Verdict(Standing.WAITING, rid, needs=outcome.needs)
        case Refused(code=code):
            return Verdict(Standing.REFUSED, outcome.rid, code=code)
        case _:
            assert_never(outcome)


class Lines(Generic[_T]):
    """One line for each link, served in turn."""

    def __init__(self) -> None:
        self._lines: dict[LinkId, deque[_T]] = {}
        self._served: LinkId | None = None

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def many(self, link: LinkId) -> int:
        """How many of this link wait."""
        return len(self._lines.get(link, ()))

    def put(self, link: LinkId, item: _T) -> None:
        """At the end of the link's line."""
        self._lines.setdefault(link, deque()).append(item)

    def first(self) -> LinkId | None:
        """The link whose turn it is: not the last one again while another waits."""
        first: LinkId | None = None
        for link in self._lines:
            if link != self._served:
                return link
            first = link
        return first

    def peek(self, link: LinkId) -> _T | None:
        """The first in this link's line."""
        line = self._lines.get(link)
        return line[0] if line else None

    def take(self, link: LinkId) -> _T:
        """Take the first of this link's line."""
        line = self._lines[link]
        item = line.popleft()
        if not line:
            del self._lines[link]
        return item

    def turn(self, link: LinkId) -> None:
        """This link was served: the others go first now."""
        self._served = link
        line = self._lines.pop(link, None)
        if line:
            self._lines[link] = line

    def drop(self, link: LinkId) -> list[_T]:
        """This link is no more; what waited in its line."""
        return list(self._lines.pop(link, ()))


class Records(Protocol):
    """What the network asks of the directory."""

    async def take_in(self, envelopes: Sequence[bytes], judge: Judge) -> Sequence[Outcome]:
        """One outcome for each envelope; what was stored is on the disk. Raises :class:`StoreError`."""
        ...

    async def read(self, fetch: Fetch) -> Sequence[bytes]:
        """The envelopes still held. Raises :class:`StoreError`."""
        ...


Answer = Callable[[Judge | Fetch, Judged | Fetched], None]
"""Gives the machine its answer."""

Fail = Callable[[LinkId], None]
"""The store could not do what this link asked for: nothing more can come of the link."""


@dataclass(slots=True, kw_only=True)
class Judging:
    """Owns the two lines. Run it with :meth:`run`; it ends by being cancelled."""

    records: Records
    answer: Answer
    fail: Fail
    bytes_max: int = bounds.JUDGE_BYTES_MAX
    bytes_all_max: int = bounds.JUDGE_BYTES_ALL_MAX
    retry_seconds: float = RETRY_SECONDS
    judged: int = 0
    """Envelopes since the start."""
    slowest: float = 0.0
    """Seconds. The longest batch so far."""
    _judges: Lines[Judge] = field(default_factory=Lines)
    _fetches: Lines[Fetch] = field(default_factory=Lines)
    _bytes: dict[LinkId, int] = field(default_factory=dict)
    _bytes_all: int = 0
    _room: dict[LinkId, asyncio.Event] = field(default_factory=dict)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: asyncio.Event = field(default_factory=asyncio.Event)

    # --- from the machine and the links

    def put(self, question: Judge | Fetch) -> None:
        """Queue a question of the machine."""
        match question:
            case Judge(link=link):
                size = _size(question)
                self._bytes[link] = self._bytes.get(link, 0) + size
                self._bytes_all += size
                self._judges.put(link, question)
                self._work.set()
            case Fetch(link=link):
                if self._fetches.many(link) >= bounds.FETCHES_WAITING_MAX:
                    self.answer(question, Fetched(question.ticket, ()))
                    return
                self._fetches.put(link, question)
                self._reading.set()
            case _:
                assert_never(question)

    def waiting_bytes(self, link: LinkId) -> int:
        """Bytes of this link's envelopes that wait or are being judged."""
        return self._bytes.get(link, 0)

    def _is_full(self, link: LinkId) -> bool:
        mine = self.waiting_bytes(link)
        return mine > self.bytes_max or (self._bytes_all > self.bytes_all_max and mine > bounds.JUDGE_BYTES_FEW)

    async def room(self, link: LinkId) -> None:
        """Wait until this link may be read again."""
        while self._is_full(link):
            event = self._room.setdefault(link, asyncio.Event())
            event.clear()
            await event.wait()

    def drop(self, link: LinkId) -> None:
        """A link is no more: what it sent and was not judged yet is forgotten."""
        for judge in self._judges.drop(link):
            self._settle(judge)
        self._fetches.drop(link)
        event = self._room.pop(link, None)
        if event is not None:
            event.set()

    def _settle(self, judge: Judge) -> None:
        size = _size(judge)
        self._bytes_all -= size
        left = self._bytes.get(judge.link, 0) - size
        if left > 0:
            self._bytes[judge.link] = left
        else:
            self._bytes.pop(judge.link, None)
        was_full = self._bytes_all + size > self.bytes_all_max
        for link, event in self._room.items():
            if (was_full or link == judge.link) and not self._is_full(link):
                event.set()

    # --- the two servants

    async def run(self) -> None:
        """Serve both lines until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(bounds.JUDGE_BATCHES_MAX):
                group.create_task(self._judge_forever(), name=f"judging-{number}")
            for number in range(bounds.FETCHES_MAX):
                group.create_task(self._fetch_forever(), name=f"fetching-{number}")

    def _next_batch(self) -> list[Judge]:
        link = self._judges.first()
        if link is None:
            return []
        batch = [self._judges.take(link)]
        many = len(batch[0].envelopes)
        while (more := self._judges.peek(link)) is not None:
            many += len(more.envelopes)
            if many > bounds.JUDGE_TOGETHER:
                break
            batch.append(self._judges.take(link))
        self._judges.turn(link)
        return batch

    async def _judge_forever(self) -> None:
        while True:
            batch = self._next_batch()
            if not batch:
                self._work.clear()
                await self._work.wait()
                continue
            began = clock.monotonic()
            envelopes = [each for judge in batch for each in judge.envelopes]
            outcomes = await self._try(batch[0].link, partial(self.records.take_in, envelopes, batch[0]))
            self.slowest = max(self.slowest, clock.monotonic() - began)
            self.judged += len(envelopes)
            start = 0
            for judge in batch:
                self._settle(judge)
                if outcomes is not None:
                    mine = outcomes[start : start + len(judge.envelopes)]
                    self.answer(judge, Judged(judge.ticket, tuple(map(verdict_of, mine))))
                start += len(judge.envelopes)
                await asyncio.sleep(0)

    async def _fetch_forever(self) -> None:
        while True:
            link = self._fetches.first()
            if link is None:
                self._reading.clear()
                await self._reading.wait()
                continue
            fetch = self._fetches.take(link)
            self._fetches.turn(link)
            found = await self._try(link, partial(self.records.read, fetch))
            if found is not None:
                self.answer(fetch, Fetched(fetch.ticket, tuple(found)))

    async def _try(self, link: LinkId, work: Callable[[], Awaitable[Sequence[_T]]]) -> Sequence[_T] | None:
        for last in (False, True):
            try:
                return await work()
            except StoreError as error:
                # The node goes on showing what it has; peers come back when the disk does.
                LOG.warning("What a peer sent or asked for could not be done: %s", error)
                if not last:
                    await asyncio.sleep(self.retry_seconds)
        self.fail(link)
        return None


def _size(judge: Judge) -> int:
    return sum(map(len, judge.envelopes))
