"""Moves of rooms: what members' devices have decided is done here, and other nodes are answered about it.

The new hub gathers what the others have and the old one told them, and begins; everybody else asks it where. Nobody
does either without the word of a device of its own: which statements count, only members know.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from hedgerow_node.delivery.service import DeliveryService
from hedgerow_node.federation.copies import Copies
from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.sending import Sending
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.federation.telling import Telling
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import gathering_rows, house_rows, mirror_rows, moving_rows, note_rows
from hedgerow_node.store.private.house_rows import House
from hedgerow_node.store.private.letting_in import Sign
from hedgerow_node.store.private.mirror_rows import NotYet
from hedgerow_node.store.private.moving_rows import Pending, Unbegun
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened, NewMove, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import head_holds
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import Entry, MailboxId, Position, RoomId
from hedgerow_protocol.federation.letters import Request
from hedgerow_protocol.federation.mirror import continues
from hedgerow_protocol.federation.moving import statement_holds
from hedgerow_protocol.federation.values import (
    AnswerBody,
    CopyFetch,
    CopyPart,
    Done,
    Moved,
    MoveRead,
    Note,
    RefusalAnswer,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy, Timestamp

LOG = logging.getLogger(__name__)

LINK_SECONDS: Final = 5.0
"""Seconds. For which the new hub waits for links to the other nodes before it begins without them."""

CLOSE_SECONDS: Final = 30.0
"""Seconds. For which the new hub waits for an old one that is there and goes on ordering."""

ASK_SECONDS: Final = 20.0
"""Seconds. For one answer."""

PAUSE_SECONDS: Final = (0.5, 60.0)
"""Seconds. Between two looks whether the new hub has begun: the first, and the longest."""

GATHERED_BYTES_MAX: Final = 32 * 1024 * 1024
"""Bytes. Payloads taken from one node at once."""


class Moves:
    """Does what was decided. Belongs to the event loop."""

    def __init__(
        self,
        database: Database,
        scribe: Scribe,
        exchange: Exchange,
        here: DeliveryService,
        copies: Copies,
        telling: Telling,
        sending: Sending,
        *,
        sign: Sign,
        entropy: Entropy,
        now: Callable[[], Timestamp],
        room_bytes_max: int,
    ) -> None:
        self._database = database
        self._scribe = scribe
        self._exchange = exchange
        self._here = here
        self._copies = copies
        self._telling = telling
        self._sending = sending
        self._sign = sign
        self._entropy = entropy
        self._now = now
        self._room_bytes_max = room_bytes_max
        self._running: set[RoomId] = set()
        self._tasks = Tasks("moves of rooms")

    async def start(self) -> None:
        """Go on with what is decided and not done."""
        for each in await self._database.read(moving_rows.pending):
            self._begin(each.room)

    async def stop(self) -> None:
        """Go on at the next start."""
        await self._tasks.stop()

    async def prune(self, now: Timestamp) -> None:
        """Old notes go."""
        await self._scribe.quietly(lambda c: note_rows.forget_old(c, now))

    # --- what devices ask

    async def move(self, session: Session, move: NewMove) -> None:
        """See :class:`hedgerow_node.delivery.doors.Delivery`."""
        await asyncio.to_thread(_check, move)
        await self._scribe.quietly(lambda c: moving_rows.plan(c, session, move, self._here.node))
        self._begin(move.room)

    # --- what other nodes ask

    async def answer(self, peer: NodeId, request: Request) -> AnswerBody | None:
        """``None`` when this is about no move. Raises :class:`Refused` and :class:`StoreError`."""
        match request.body:
            case Note() as note:
                await self._scribe.write(lambda c: (None, note_rows.note_came(c, peer, note, self._now())))
                return Done()
            case CopyFetch(room, number, after):
                return await self._database.read(
                    lambda c: gathering_rows.copy_part(c, peer, room, number, after, self._sign)
                )
            case MoveRead(room, number, mailboxes):
                try:
                    return Moved(
                        await self._scribe.quietly(lambda c: moving_rows.claim(c, peer, room, number, mailboxes))
                    )
                except Unbegun:
                    return Moved(None)
        return None

    # --- doing it

    def _begin(self, room: RoomId) -> None:
        if room not in self._running:
            self._running.add(room)
            self._tasks.spawn(self._until_done(room))

    async def _until_done(self, room: RoomId) -> None:
        pause, longest = PAUSE_SECONDS
        try:
            while pending := await self._database.read(lambda c: moving_rows.pending(c, room)):
                try:
                    if await self._one(pending[0]):
                        return
                except (StoreError, Refused, NotYet) as error:
                    LOG.warning("A room could not be moved yet: %s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(longest, 1.5 * pause)
        finally:
            self._running.discard(room)

    async def _one(self, move: Pending) -> bool:
        if move.hub == self._here.node:
            return await self._come_here(move)
        return await self._go_there(move)

    async def _come_here(self, move: Pending) -> bool:
        """Become the hub."""
        if move.old is None:
            return True
        tails = await self._gather(move, move.old)
        house = await self._scribe.write(
            lambda c: _with_happened(house_rows.begin_here(c, move.room, move.number, tails, self._sign)),
            lambda house: self._moved(house, move.room, None),
        )
        for each in house.left_over if house is not None else ():
            try:
                await self._here.submit_again(each, now=self._now())
            except Refused as refused:
                LOG.info("An entry of the old hub could not be taken over: %s", refused.code)
        return True

    async def _gather(self, move: Pending, old: NodeId) -> list[list[Entry]]:
        """Bring the copy here up to the newest that another node has; what others have after that, unsigned."""
        nodes = await self._database.read(lambda c: _nodes(c, move.room))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        tails: list[list[Entry]] = []
        waiting = list(nodes)
        while waiting:
            for node in tuple(waiting):
                if not self._exchange.is_up(node):
                    self._exchange.post.want(node)
                    continue
                answer = await self._fetch(node, old, move)
                # The old hub, where it goes on ordering, is asked again.
                if not (node == old and isinstance(answer, RefusalAnswer) and loop.time() < begun + CLOSE_SECONDS):
                    waiting.remove(node)
                if isinstance(answer, list):
                    tails.append(answer)
            if not any(map(self._exchange.is_up, waiting)) and loop.time() >= begun + LINK_SECONDS:
                break
            await asyncio.sleep(0.2)
        return tails

    async def _fetch(self, node: NodeId, signer: NodeId, move: Pending) -> "list[Entry] | RefusalAnswer | None":
        """Take over what another node has; what it has without the old hub's signature."""
        copy = await self._copies.copy(move.room)
        if copy is None or copy.faulty:
            return None  # of two stories the one that is here goes on
        entries, answer = await self._entries(node, move, copy.head.position)
        if not isinstance(answer, CopyPart):
            return answer if isinstance(answer, RefusalAnswer) else None
        at = answer.head.position
        signed = [each for each in entries if each.seq <= at.seq]
        tail = [each for each in entries if each.seq > at.seq]
        if signed:
            last = signed[-1]
            late = at.time > self._now() + limits.CLOCK_SKEW_SECONDS_MAX
            if late or at != last.position or not head_holds(signer, move.room, answer.head):
                return None
            await self._copies.take_over(copy, move.room, signed, answer.head)
        return [] if any(each.time > self._now() + limits.CLOCK_SKEW_SECONDS_MAX for each in tail) else tail

    async def _entries(
        self, node: NodeId, move: Pending, position: Position
    ) -> "tuple[list[Entry], AnswerBody | None]":
        """What another node has after a place, as far as it follows from there, and its last answer."""
        entries: list[Entry] = []
        size = 0
        while True:
            answer = await self._exchange.ask(node, CopyFetch(move.room, move.number, position.seq), ASK_SECONDS)
            if not isinstance(answer, CopyPart):
                return entries, answer
            found = continues(move.room, position, answer.entries)
            entries += found
            size += sum(len(each.payload or b"") for each in found)
            if not (found and answer.more and size < GATHERED_BYTES_MAX):
                return entries, answer
            position = found[-1].position

    async def _go_there(self, move: Pending) -> bool:
        """Follow the new hub, once it has begun."""
        self._exchange.post.want(move.hub)
        mailboxes = await self._database.read(lambda c: _mailboxes(c, move.room))
        answer = await self._exchange.ask(move.hub, MoveRead(move.room, move.number, mailboxes), ASK_SECONDS)
        start = answer.head if isinstance(answer, Moved) else None
        if start is None or not head_holds(move.hub, move.room, start):
            return False
        missing: list[Entry] = []
        if start.position.seq > move.position.seq:
            found, _ = await self._entries(move.hub, move, move.position)
            missing = [each for each in found if each.seq <= start.position.seq]
            last = missing[-1] if missing else None
            if last is None or last.position != start.position:
                return False
        await self._scribe.write(
            lambda c: _with_happened(
                house_rows.follow_there(
                    c, move.room, move.number, move.hub, start, missing, self._entropy, self._now(),
                    self._room_bytes_max,
                )
            ),
            lambda house: self._moved(house, move.room, move.hub),
        )  # fmt: skip
        return True

    def _moved(self, house: House | None, room: RoomId, hub: NodeId | None) -> None:
        """It is on the disk: whatever goes on in memory goes on with the new hub."""
        if house is None:
            return
        self._sending.drop(house.dropped)
        if hub is None:
            self._copies.end(room)
        else:
            self._telling.end(room)
            self._copies.begin(room, hub)


def _with_happened(house: House | None) -> tuple[House | None, Happened | None]:
    return house, house.happened if house is not None else None


def _nodes(connection: Connection, room: RoomId) -> list[NodeId]:
    row, _, _ = moving_rows.hub_of(connection, room)
    return note_rows.nodes_of(connection, row)


def _mailboxes(connection: Connection, room: RoomId) -> tuple[MailboxId, ...]:
    row, _, _ = moving_rows.hub_of(connection, room)
    return tuple(mirror_rows.mailboxes_in(connection, row, limits.FOLLOW_MAILBOXES_MAX))


def _check(move: NewMove) -> None:
    """Whether these are members' statements about this move. Raises :class:`Refused`."""
    who = set()
    for each in move.statements:
        about = (each.move.hub, each.move.number) == (move.hub, move.number)
        if not about or each.by in who or not statement_holds(move.room, each):
            raise Refused(Refusal.BAD, "A statement about this move is not what it should be.")
        who.add(each.by)
    if not who:
        raise Refused(Refusal.BAD, "A move needs the statements of more than half of the members.")
