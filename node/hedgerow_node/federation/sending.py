"""The outbox: requests on the disk go to their nodes, in their order, until they are answered."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from hedgerow_node.federation.answers import settle
from hedgerow_node.federation.crank import Crank
from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.tally import Why
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import outgoing_rows
from hedgerow_node.store.private.outgoing_rows import Waiting
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened, Posted
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.events import Connected, Disconnected, Want
from hedgerow_protocol.federation.letters import Answer
from hedgerow_protocol.federation.outbox import Outbox
from hedgerow_protocol.federation.outbox_values import Answered, BusyAnswered, Event, GiveUp, Output, Queued, Send
from hedgerow_protocol.federation.values import AnswerBody, Busy
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Now, Timestamp

LOG = logging.getLogger(__name__)

PAGE: Final = 500
"""Rows. Looked at in one read."""

SILENT_SECONDS: Final = 900
"""Seconds. After which a node that is linked and has not answered, or not told what others have, is called silent:
longer than any pause of an honest one, and short enough for members to see."""

LETTERS_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bytes. Letters that are held in memory on their way to the links; others are read from the disk."""


class Sending:
    """Turns the outbox's machine."""

    def __init__(self, database: Database, scribe: Scribe, exchange: Exchange, now: Callable[[], Now]) -> None:
        self._database = database
        self._scribe = scribe
        self._exchange = exchange
        self._now = now
        self._machine = Outbox()
        self._crank: Crank[Event, Output] = Crank(self._machine, self._act, now)
        self._rows: dict[bytes, int] = {}
        """Rows of requests that are not answered on the disk, by their ids."""
        self._ids: dict[int, bytes] = {}
        self._letters: dict[int, bytes] = {}
        self._letters_bytes = 0
        self._seen = 0
        self._waiters: dict[bytes, list[asyncio.Future[AnswerBody]]] = {}
        self._sends: deque[Send] = deque()
        self._reading = False
        self._answers: list[tuple[NodeId | None, Answer]] = []
        self._settling = False
        self._pulling = asyncio.Lock()
        self._tasks = Tasks("outbox")

    async def start(self) -> None:
        """Take up everything that is not answered."""
        await self._pull()
        self._crank.start()

    async def stop(self) -> None:
        """Send no more; what is not answered is taken up at the next start."""
        self._crank.stop()
        await self._tasks.stop()

    def wake(self) -> None:
        """There are new rows."""
        self._tasks.spawn(self._pull())

    def post(self, posted: Iterable[Posted]) -> None:
        """There are new rows, and these are they."""
        for each in posted:
            if self._letters_bytes + len(each.letter) <= LETTERS_BYTES_MAX:
                self._letters[each.row] = each.letter
                self._letters_bytes += len(each.letter)
            self._queue(each.row, each.request, each.node, each.room, len(each.letter), each.created)

    def waiting(self, node: NodeId) -> int:
        """Requests for a node that are not answered."""
        return self._machine.waiting(node)

    async def away_since(self, node: NodeId, room: RoomId) -> int | None:
        """Since when something waits for a hub to which there is no link, or that does not answer about a room."""
        if not self._exchange.is_up(node):
            return await self._database.read(lambda c: outgoing_rows.waiting_since(c, node))
        since = await self._database.read(lambda c: outgoing_rows.waiting_since(c, node, room))
        return since if since is not None and self.is_silent(since) else None

    def is_silent(self, since: int) -> bool:
        """Whether a linked node that owes something since then is called silent."""
        return bool(self._now().timestamp - since >= SILENT_SECONDS)

    def up(self, node: NodeId) -> None:
        """A link is open."""
        self._crank.feed(Connected(node))

    def down(self, node: NodeId) -> None:
        """It has ended."""
        self._crank.feed(Disconnected(node))

    async def wait(
        self, request: bytes, seconds: float, *, new: bool = False, gone: AnswerBody | None = None
    ) -> AnswerBody | None:
        """The answer to a request that was put into the outbox; ``None`` when none has come in time.

        ``new``: it was put there just now, so no answer is on the disk. ``gone``: what is said of one that was answered
        so long ago that nothing is known of it.
        """
        future: asyncio.Future[AnswerBody] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(request, []).append(future)
        try:
            if not new:
                # From here on an answer is not missed; one that came before is on the disk.
                known = await self._database.read(lambda c: outgoing_rows.find_request(c, request))
                if known is None or known.answer is not None:
                    return known.answer if known is not None else gone
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            waiters = self._waiters[request]
            waiters.remove(future)
            if not waiters:
                del self._waiters[request]

    def answered(self, peer: NodeId, answer: Answer) -> None:
        """An answer came; of a request that nobody knows it is passed over."""
        row = self._rows.get(answer.id)
        if row is None:
            self._exchange.tally.count(peer, Why.UNASKED)
            return
        if isinstance(answer.body, Busy):
            self._crank.feed(BusyAnswered(row, answer.body.seconds))
            return
        self._settle(peer, answer)

    def drop(self, rows: Iterable[int]) -> None:
        """These were taken out of the outbox: whoever waits for an answer hears that none has come."""
        for row in rows:
            request = self._ids.pop(row, None)
            if request is not None:
                del self._rows[request]
                self._forget_letter(row)
                self._crank.feed(Answered(row))

    # --- inside

    def _settle(self, peer: NodeId | None, answer: Answer) -> None:
        self._answers.append((peer, answer))
        if not self._settling:
            self._settling = True
            self._tasks.spawn(self._settle_all())

    async def _settle_all(self) -> None:
        """Those that came while others were being written share the next write."""
        try:
            while self._answers:
                answers, self._answers = self._answers, []
                try:
                    settled = await self._scribe.write(partial(_settled, answers, self._now().timestamp))
                except (StoreError, Refused):
                    LOG.warning("Answers of other nodes could not be written; they are asked again")
                    continue
                for (_, answer), known in zip(answers, settled, strict=True):
                    if known:
                        self._done(answer)
        finally:
            self._settling = False

    def _done(self, answer: Answer) -> None:
        row = self._rows.pop(answer.id, None)
        if row is not None:
            self._ids.pop(row, None)
            self._forget_letter(row)
            self._crank.feed(Answered(row))
        for future in self._waiters.get(answer.id, ()):
            if not future.done():
                future.set_result(answer.body)

    def _forget_letter(self, row: int) -> None:
        letter = self._letters.pop(row, None)
        if letter is not None:
            self._letters_bytes -= len(letter)

    async def _pull(self) -> None:
        async with self._pulling:
            while True:
                found = await self._database.read(partial(_waiting, self._seen))
                if not found:
                    return
                self._seen = found[-1].row
                new = [each.row for each in found if not each.created]
                if new:
                    await self._scribe.quietly(partial(_begin, new, self._now().timestamp))
                for each in found:
                    self._queue(each.row, each.request, each.node, each.room, each.size, each.created)

    def _queue(self, row: int, request: bytes, node: NodeId, room: RoomId | None, size: int, created: int) -> None:
        if request in self._rows:
            return
        self._rows[request] = row
        self._ids[row] = request
        patience = Timestamp(created or self._now().timestamp)
        self._crank.feed(Queued(NodeId(node), row, RoomId(room) if room is not None else None, size, patience))

    def _act(self, output: Output) -> None:
        match output:
            case Send():
                if not self._reading and all(number in self._letters for number in output.numbers):
                    for number in output.numbers:
                        self._send(output.node, number, self._letters[number])
                    return
                self._sends.append(output)
                if not self._reading:
                    self._reading = True
                    self._tasks.spawn(self._read_and_send())
            case Want(node):
                self._exchange.post.want(node)
            case GiveUp(number):
                request = self._ids.get(number)
                if request is not None:
                    self._settle(None, Answer(request, outgoing_rows.ENDED))

    def _send(self, node: NodeId, number: int, letter: bytes) -> None:
        self._exchange.send(node, letter)
        self._forget_letter(number)

    async def _read_and_send(self) -> None:
        try:
            while self._sends:
                send = self._sends.popleft()
                try:
                    letters = await self._database.read(partial(_letters, send.numbers))
                except StoreError:
                    LOG.warning("Letters to another node could not be read; they are sent later")
                    continue
                for number, letter in zip(send.numbers, letters, strict=True):
                    if letter is not None:
                        self._send(send.node, number, letter)
        finally:
            self._reading = False


def _waiting(after: int, connection: Connection) -> list[Waiting]:
    return outgoing_rows.waiting(connection, None, after, PAGE)


def _letters(rows: tuple[int, ...], connection: Connection) -> list[bytes | None]:
    return outgoing_rows.letters(connection, rows)


def _begin(rows: list[int], now: int, connection: Connection) -> None:
    outgoing_rows.begin(connection, rows, now)


def _settled(
    answers: list[tuple[NodeId | None, Answer]], now: int, connection: Connection
) -> tuple[list[bool], Happened | None]:
    known: list[bool] = []
    limited: list[tuple[NodeId, RoomId, int | None]] = []
    fellows: dict[RoomId, Sequence[NodeId]] = {}
    for peer, answer in answers:
        was_asked, happened = settle(connection, peer, answer, now)
        known.append(was_asked)
        if happened is not None:
            limited += happened.limited
            fellows.update(happened.fellows)
    return known, Happened(limited=limited, fellows=fellows)
