"""Fetching drops: what others left for this node is opened, and done as if it had come over a link."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from hedgerow_node.federation.answering import Answering
from hedgerow_node.federation.copies import Copies
from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.holders import Holders, Pace
from hedgerow_node.federation.leaving import Leaving
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.federation.telling import Telling
from hedgerow_node.store.database import Database
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import drop_rows
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_protocol import limits
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation.drops import Drop, drop_id, may_be_in_drop, open_drop
from hedgerow_protocol.federation.letters import Acknowledge, Answer, Fetch, Letter, Notify, Request, decode
from hedgerow_protocol.federation.outbox_values import WINDOW_REQUESTS_MAX
from hedgerow_protocol.federation.values import DropFetch, DropsFound
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.ports import Timestamp

LOG = logging.getLogger(__name__)

DONE_SECONDS: Final = 30.0
"""Seconds. For which what a drop asks is awaited before its answer goes; what takes longer is asked again."""

PAGES_MAX: Final = 64
"""Answers of one holder that are read in a row: more than it may hold. The rest is fetched the next time."""

BEGIN_SECONDS: Final = 2.0
"""Seconds. After the start before holders are asked: links and announcements come meanwhile."""

BELIEVED_SECONDS: Final = limits.DROP_SECONDS_KEPT + 2 * 86_400
"""Seconds. An older drop is not looked at: nobody keeps one for so long, and it may have been opened before."""


class Collecting:
    """Fetches drops and opens them. Belongs to the event loop."""

    def __init__(
        self,
        database: Database,
        scribe: Scribe,
        exchange: Exchange,
        holders: Holders,
        leaving: Leaving,
        answering: Answering,
        copies: Copies,
        telling: Telling,
        take: Callable[[NodeId, Letter], None],
        key: SigningKey,
        now: Callable[[], Timestamp],
        pace: Pace,
    ) -> None:
        self._database = database
        self._scribe = scribe
        self._exchange = exchange
        self._holders = holders
        self._leaving = leaving
        self._answering = answering
        self._copies = copies
        self._telling = telling
        self._take = take
        self._key = key
        self._now = now
        self._pace = pace
        self._asked: dict[tuple[NodeId, bytes], asyncio.Future[None]] = {}
        """Requests of a drop that are being answered."""
        self._fetching: set[NodeId] = set()
        self._opening = asyncio.Lock()
        self._tasks = Tasks("fetching drops")

    def start(self) -> None:
        """Ask now, and now and then."""
        self._tasks.spawn(self._fetch_forever())

    async def stop(self) -> None:
        """Fetch nothing more."""
        await self._tasks.stop()

    def up(self, node: NodeId) -> None:
        """A link is open: perhaps something lies there."""
        for (asker, _), future in self._asked.items():
            if asker == node and not future.done():
                future.set_result(None)  # its answer goes by the link
        self._tasks.spawn(self._fetch_if_holder(node))

    def unsent(self, to: NodeId, letter: Letter | bytes) -> None:
        """An answer is ready."""
        if isinstance(letter, Answer):
            future = self._asked.get((to, letter.id))
            if future is not None and not future.done():
                future.set_result(None)

    # --- fetching

    async def _fetch_forever(self) -> None:
        await asyncio.sleep(min(BEGIN_SECONDS, self._pace.fetch))
        while True:
            try:
                if await self._database.read(drop_rows.has_members):
                    for holder in await self._holders.of(self._holders.own):
                        self._tasks.spawn(self._fetch(holder))
            except StoreError:
                LOG.warning("It could not be found out who holds drops; it is tried again")
            await asyncio.sleep(self._pace.fetch)

    async def _fetch_if_holder(self, node: NodeId) -> None:
        try:
            if node in await self._holders.all() and await self._database.read(drop_rows.has_members):
                await self._fetch(node)
        except StoreError:
            LOG.warning("It could not be found out who holds drops; it is tried again")

    async def _fetch(self, holder: NodeId) -> None:
        if holder in self._fetching:
            return
        self._fetching.add(holder)
        try:
            taken: tuple[bytes, ...] = ()
            for _ in range(PAGES_MAX):
                found = await self._holders.ask(holder, DropFetch(taken))
                if not isinstance(found, DropsFound) or not found.drops:
                    return
                done = await self._open_all(found.drops)
                taken = tuple(dict.fromkeys(done))
                if not taken:
                    return  # what they ask could not be answered: they are fetched again later
        except StoreError:
            LOG.warning("What others left for this node could not be kept; it is fetched again")
        except Exception:
            LOG.exception("What others left for this node could not be read")
        finally:
            self._fetching.discard(holder)

    # --- opening

    async def _open_all(self, drops: tuple[bytes, ...]) -> list[bytes]:
        """Do what these say; the ids of those that are done, or never will be."""
        done: list[bytes] = []
        async with self._opening:
            blocked = await self._holders.whereabouts.blocked()
            senders: dict[NodeId, list[bytes]] = {}
            for sealed in drops:
                name = drop_id(sealed)
                drop = None if await self._was_opened(name) else self._opened(sealed)
                if drop is None or drop.sender in blocked or drop.sender == self._holders.own:
                    done.append(name)
                    continue
                await self._hand_over(drop)
                senders.setdefault(drop.sender, []).append(name)
        answered = await asyncio.gather(*(self._answer(sender) for sender in senders))
        for names, is_done in zip(senders.values(), answered, strict=True):
            if is_done:
                await self._scribe.quietly(partial(drop_rows.have_opened, names=names, now=self._now()))
                done += names
        return done

    async def _answer(self, sender: NodeId) -> bool:
        """Whoever asked hears the answer by the same way. Only then it is over, but what strangers have asked is over
        anyhow: they could fill all the room there is, and they ask again."""
        if not self._leaving.owes(sender) or await self._leaving.leave(sender, at_once=True):
            return True
        return not await self._database.read(lambda c: drop_rows.is_known(c, sender))

    async def _was_opened(self, name: bytes) -> bool:
        return await self._database.read(lambda c: drop_rows.was_opened(c, name))

    def _opened(self, sealed: bytes) -> Drop | None:
        try:
            drop = open_drop(self._key, sealed)
        except RemoteError as error:
            LOG.debug("What lay somewhere for this node could not be opened: %s", error.code)
            return None
        now = self._now()
        return drop if now - BELIEVED_SECONDS <= drop.time <= now + limits.CLOCK_SKEW_SECONDS_MAX else None

    async def _hand_over(self, drop: Drop) -> None:
        """Everything through the doors of what comes over a link, and wait until it is done."""
        linked = self._exchange.is_up(drop.sender)
        if not linked:
            self._leaving.came_by_drop(drop.sender)
        asked: list[asyncio.Future[None]] = []
        rooms = set()
        for letter in _readable(drop.letters):
            match letter:
                case Request(id) if not linked:
                    asked.append(self._asked.setdefault((drop.sender, id), _future()))
                case Notify(room):
                    rooms.add(room)
                case Acknowledge() | Fetch() if not linked:
                    await self._follows(drop.sender, letter)
                    continue
            self._take(drop.sender, letter)
            if len(asked) >= WINDOW_REQUESTS_MAX:
                await self._answered(asked)
                asked = []
        await self._answered(asked)
        for room in rooms:
            await self._copies.settled(room, DONE_SECONDS)
        for key in [key for key in self._asked if key[0] == drop.sender]:
            del self._asked[key]
        if not self._exchange.is_up(drop.sender):
            self._answering.left(drop.sender)

    async def _answered(self, asked: list[asyncio.Future[None]]) -> None:
        if asked:
            await asyncio.wait(asked, timeout=DONE_SECONDS)

    async def _follows(self, follower: NodeId, letter: Acknowledge | Fetch) -> None:
        """How far a follower is, by its own word. The machine that tells followers begins anew from there."""
        if isinstance(letter, Acknowledge):
            following = await self._scribe.quietly(
                lambda c: drop_rows.following(c, follower, letter.room, after=letter.seq)
            )
        else:
            following = await self._scribe.quietly(
                lambda c: drop_rows.rewound(c, follower, letter.room, after=letter.after)
            )
        if following is not None:
            self._telling.resume(following)


def _readable(letters: tuple[bytes, ...]) -> list[Letter]:
    found: list[Letter] = []
    for data in letters:
        try:
            letter = decode(data)
        except RemoteError as error:
            LOG.debug("A letter of a drop was not understood: %s", error.code)
            continue
        if may_be_in_drop(letter):
            found.append(letter)
    return found


def _future() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()
