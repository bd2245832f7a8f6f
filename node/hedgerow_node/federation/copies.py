"""The follower's side: copies of logs of other hubs grow as these tell, once hashes and signatures were checked."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.liars import Liars
from hedgerow_node.federation.tally import Why, why_refused, why_wrong
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import mirror_rows, place_rows
from hedgerow_node.store.private.mirror_rows import Copy, NotYet
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import Entry, Head, RoomId
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.federation.letters import Acknowledge, Fetch, Followers, Forked, Heads, Notify
from hedgerow_protocol.federation.mirror import Faulty, Gap, Held, New, check
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Now

LOG = logging.getLogger(__name__)

FETCH_AGAIN_SECONDS: Final = 5.0
"""Seconds. After which the hub is asked for what could not be kept: it tells a thing once on a link."""

WORDS_WAITING_MAX: Final = 64
"""Letters. About one room that wait to be looked at; a hub has few under way."""

WORDS_OF_PEER_MAX: Final = 512
"""Letters. Of one node about rooms that wait to be looked at, in all of its rooms."""

KNOWN_MAX: Final = 4_096
"""Copies. Whose standing is remembered; 2 MB."""

INLINE_BYTES_MAX: Final = 64 * 1024
"""Bytes. Payloads of a notify that is checked on the event loop: a fraction of a millisecond."""

SETTLED_SECONDS: Final = 0.02
"""Seconds. Between two looks whether everything about a room was looked at."""

Word: TypeAlias = Notify | Heads | Followers
"""What is said about one room."""


class _SlowlyError(Exception):
    """This is not to be looked at on the event loop."""


class Copies:
    """Takes what hubs and other followers say about rooms. Belongs to the event loop."""

    def __init__(
        self,
        database: Database,
        scribe: Scribe,
        exchange: Exchange,
        this: NodeId,
        now: Callable[[], Now],
        *,
        room_bytes_max: int,
    ) -> None:
        self._database = database
        self._scribe = scribe
        self._exchange = exchange
        self._now = now
        self._room_bytes_max = room_bytes_max
        self.hubs: dict[RoomId, NodeId] = {}
        """Rooms of other hubs of which there is a copy here."""
        self._known: dict[RoomId, Copy] = {}
        """Where copies stand that grew lately; what is written is checked against the disk all the same."""
        self._missed: set[RoomId] = set()
        self._lanes: dict[RoomId, deque[tuple[NodeId, Word]]] = {}
        self._of_peer: dict[NodeId, int] = {}
        self._awaited: dict[RoomId, list[tuple[int, asyncio.Future[None]]]] = {}
        self._tasks = Tasks("copies of rooms")
        self._liars = Liars(scribe, exchange, self._tasks, this, now, self.copy, self._forget)

    async def start(self) -> None:
        """Look which rooms there are, and begin to compare heads."""
        for room, hub, seq, fellows, faulty in await self._database.read(place_rows.copies):
            self.hubs[room] = hub
            if not faulty:
                self._liars.begin(room, seq, fellows)
        self._liars.start()

    async def stop(self) -> None:
        """Take nothing more."""
        self._liars.stop()
        await self._tasks.stop()

    def begin(self, room: RoomId, hub: NodeId) -> None:
        """There is a copy of this room now, or it has another hub."""
        if self.hubs.get(room, hub) != hub:
            self._liars.left(room)
        self._forget(room)
        self.hubs[room] = hub

    def end(self, room: RoomId) -> None:
        """This node orders the room from now on."""
        self.hubs.pop(room, None)
        self._liars.left(room)
        self._forget(room)

    async def take_over(self, copy: Copy, room: RoomId, entries: Sequence[Entry], head: Head) -> None:
        """Checked entries that did not come from the hub itself. Raises :class:`NotYet` and :class:`Refused`."""
        await self._grow(copy, room, entries, head)

    def up(self, node: NodeId) -> None:
        """A link is open."""
        self._liars.up(node)

    def down(self, node: NodeId) -> None:
        """It has ended."""
        self._liars.down(node)

    def ahead_since(self, room: RoomId) -> int | None:
        """Since when another follower has entries of the hub that it has not told here."""
        return self._liars.ahead_since(room)

    async def silent_hubs(self) -> dict[NodeId, int]:
        """Hubs that do not tell here what they have told others, and since when. Raises :class:`StoreError`."""
        found: dict[NodeId, int] = {}
        for room, since in self._liars.all_ahead():
            copy = await self.copy(room)
            if copy is not None and copy.followed and not copy.faulty:
                found[copy.hub] = min(since, found.get(copy.hub, since))
        return found

    def followed_anew(self, room: RoomId, fellows: Sequence[NodeId]) -> None:
        """The hub has answered that this node follows its room, and with whom."""
        self._liars.fellows(room, fellows, anew=True)

    def take(self, peer: NodeId, letter: Word | Forked) -> None:
        """Something about a room. What is not from its hub, or about no room here, is passed over."""
        if isinstance(letter, Forked):
            self._liars.forked(peer, letter, self.hubs)
            return
        hub = self.hubs.get(letter.room)
        if hub is None or (not isinstance(letter, Heads) and hub != peer):
            self._exchange.tally.count(peer, Why.NOT_THEIRS)
            return
        lane = self._lanes.get(letter.room)
        if self._of_peer.get(peer, 0) >= WORDS_OF_PEER_MAX or (lane is not None and len(lane) >= WORDS_WAITING_MAX):
            self._exchange.tally.count(peer, Why.PACE)
            return
        self._of_peer[peer] = self._of_peer.get(peer, 0) + 1
        if lane is not None:
            lane.append((peer, letter))
            return
        self._lanes[letter.room] = deque([(peer, letter)])
        self._tasks.spawn(self._work(letter.room))

    async def holds(self, room: RoomId, seq: int, seconds: float, *, fetch: bool = False) -> bool:
        """Wait until the copy of a room has come so far; whether it has. ``fetch``: ask the hub for it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(room, []).append((seq, future))
        try:
            copy = await self.copy(room)
            if copy is None or copy.head.position.seq >= seq:
                return copy is not None
            if fetch:
                self._exchange.send(copy.hub, Fetch(room, copy.head.position.seq))
            async with asyncio.timeout(seconds):
                await future
            return True
        except TimeoutError:
            return False
        finally:
            awaited = self._awaited[room]
            awaited.remove((seq, future))
            if not awaited:
                del self._awaited[room]

    async def settled(self, room: RoomId, seconds: float) -> None:
        """Wait until everything that was said about a room has been looked at."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while room in self._lanes:  # noqa: ASYNC110 - rarely asked, and then for a moment
                    await asyncio.sleep(SETTLED_SECONDS)

    async def copy(self, room: RoomId) -> Copy | None:
        """Where the copy of a room stands."""
        return self._known.get(room) or await self._database.read(lambda c: mirror_rows.copy_of(c, room))

    # --- inside

    async def _work(self, room: RoomId) -> None:
        lane = self._lanes[room]
        try:
            while lane:
                peer, letter = lane[0]
                try:
                    await self._one(peer, letter)
                except NotYet:
                    LOG.debug("A copy stands elsewhere than it stood; the next word about it is looked at anew")
                    self._fetch_later(room)
                except Refused as refused:
                    LOG.warning("What a hub told about a room could not be kept: %s", refused.code)
                    self._exchange.tally.count(peer, why_refused(refused.code))
                except StoreError as error:
                    LOG.warning("What a hub told about a room could not be kept: %s", type(error).__name__)
                    self._fetch_later(room)
                except RemoteError as error:
                    LOG.debug("What another node said about a room was refused: %s", error.code)
                    self._exchange.tally.count(peer, why_wrong(error.code))
                except LocalError:
                    LOG.exception("A copy of a room is damaged")
                lane.popleft()
                self._count_down(peer)
        finally:
            del self._lanes[room]
            for peer, _ in lane:
                self._count_down(peer)

    def _fetch_later(self, room: RoomId) -> None:
        """Ask the hub for what was not kept. Else it came only when more is said there, or on another link."""
        if room not in self._missed:
            self._missed.add(room)
            self._tasks.spawn(self._fetch_again(room))

    async def _fetch_again(self, room: RoomId) -> None:
        try:
            await asyncio.sleep(FETCH_AGAIN_SECONDS)
        finally:
            self._missed.discard(room)
        try:
            copy = await self.copy(room)
        except StoreError:
            self._fetch_later(room)
            return
        if copy is not None and copy.followed and not copy.faulty:
            self._exchange.send(copy.hub, Fetch(room, copy.head.position.seq))

    def _count_down(self, peer: NodeId) -> None:
        self._of_peer[peer] -= 1
        if not self._of_peer[peer]:
            del self._of_peer[peer]

    async def _one(self, peer: NodeId, letter: Word) -> None:
        copy = await self.copy(letter.room)
        if copy is None or copy.faulty or not copy.followed:
            return
        match letter:
            case Notify():
                await self._notified(copy, letter)
            case Heads():
                await self._liars.compared(peer, copy, letter, partial(self._own_entries, copy.row))
            case Followers(room, nodes):
                await self._scribe.quietly(lambda c: place_rows.set_fellows(c, copy.row, nodes))
                self._liars.fellows(room, nodes)

    async def _notified(self, copy: Copy, letter: Notify) -> None:
        if letter.head.position.time > self._now().timestamp + limits.CLOCK_SKEW_SECONDS_MAX:
            # What says it is of next month would be kept until then.
            raise RemoteError(Code.FROM_THE_FUTURE, "The hub dates its log too far ahead.")
        held = Held(copy.head.position.seq, copy.head)
        try:
            # Most are small and follow on what is here: looked at at once, which is sooner than in a thread.
            if sum(len(each.payload or b"") for each in letter.entries) > INLINE_BYTES_MAX:
                raise _SlowlyError
            verdict = check(copy.hub, held, letter, _none_here)
        except _SlowlyError:
            verdict = await asyncio.to_thread(check, copy.hub, held, letter, partial(self._own_entries, copy.row))
        match verdict:
            case New(entries, head):
                if entries:
                    await self._grow(copy, letter.room, entries, head)
                elif letter.entries:
                    self._exchange.tally.count(copy.hub, Why.AGAIN)
                self._exchange.send(copy.hub, Acknowledge(letter.room, head.position.seq))
            case Gap(after):
                self._exchange.send(copy.hub, Fetch(letter.room, after))
            case Faulty(proof):
                await self._liars.keep(copy, proof)

    async def _grow(self, copy: Copy, room: RoomId, entries: Sequence[Entry], head: Head) -> None:
        try:
            await self._scribe.write(partial(_grow, room, copy, entries, head, self._room_bytes_max))
        except BaseException:
            # Perhaps it stands elsewhere by now, or its hub was found lying: look again before the next one.
            self._forget(room)
            raise
        self._known[room] = copy._replace(head=head)
        if len(self._known) > KNOWN_MAX:
            self._known.pop(next(iter(self._known)))
        self._liars.advanced(room, head.position.seq)
        for seq, future in self._awaited.get(room, ()):
            if seq <= head.position.seq and not future.done():
                future.set_result(None)

    def _forget(self, room: RoomId) -> None:
        self._known.pop(room, None)

    def _own_entries(self, row: int, after: int, upto: int) -> list[Entry]:
        return self._database.read_now(lambda c: mirror_rows.own_entries(c, row, after, upto))


def _grow(
    room: RoomId, copy: Copy, entries: Sequence[Entry], head: Head, bytes_max: int, connection: Connection
) -> tuple[None, Happened | None]:
    return None, mirror_rows.grow(connection, room, copy.head.position, entries, head, bytes_max)


def _none_here(after: int, upto: int) -> list[Entry]:
    raise _SlowlyError
