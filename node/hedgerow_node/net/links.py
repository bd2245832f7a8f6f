"""One link: a channel over a transport, a pump that reads and a pump that writes.

Letters and everything else wait in two lines that are served in turn, so neither keeps the other from leaving.

Size comes before anything else; a link whose envelopes still wait to be judged, or that says too much, is not read (so
TCP holds the peer back), and a peer that does not read is left after half a minute.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from hedgerow_node.net import bounds
from hedgerow_node.net.circuits import CircuitPace
from hedgerow_node.net.traffic import Traffic, is_letter
from hedgerow_node.net.transport import Transport, TransportError
from hedgerow_protocol.channel import Channel, ChannelOutput, Frame, Opened, Transmit, WrongNodeError
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.gossip.events import LinkId
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.ratelimit import TokenBucket

LOG = logging.getLogger(__name__)

BREATH_SECONDS = 0.005
"""Seconds. One link may hold the event loop for so long before others get their turn."""

PACE_SECONDS = 0.05
"""Seconds. A link that says too much is not read for so long, and then for some two dozen messages."""


class End(Enum):
    """Why a link is no more."""

    OURS = "ours"
    """This node closed it."""
    GONE = "gone"
    """The other side or the network did."""
    HANDSHAKE = "handshake"
    """The channel never opened."""
    WRONG_NODE = "wrong node"
    """Somebody answered, but not the node that was asked for."""
    LATE = "late"
    """The handshake took too long."""
    STALLED = "stalled"
    """The peer does not read."""
    MALFORMED = "malformed"
    """The peer broke the rules of the transport or the channel."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a link tells what happens. None of these may raise."""

    now: Callable[[], Now]
    opened: "Callable[[Link, Opened], None]"
    frame: "Callable[[Link, bytes], None]"
    room: Callable[[LinkId], Awaitable[None]]
    """Waits until another message of this link may be read."""


@dataclass(eq=False, slots=True, kw_only=True)
class Link:
    """Run it with :meth:`run`, which returns when it has ended."""

    number: LinkId
    transport: Transport
    channel: Channel
    owner: Owner
    outbound: bool
    address: str
    pinned: bool = False
    handshake_seconds: float = bounds.HANDSHAKE_SECONDS_MAX
    stall_seconds: float = bounds.STALL_SECONDS_MAX
    peer: NodeId | None = None
    """Known once the channel is open."""
    since: Timestamp | None = None
    traffic: Traffic = field(default_factory=Traffic)
    pace: TokenBucket = field(default_factory=lambda: TokenBucket(bounds.MESSAGES_RATE, bounds.MESSAGES_BURST))
    """Messages that may be read now, letters not among them."""
    letters: TokenBucket = field(default_factory=lambda: TokenBucket(bounds.LETTERS_RATE, bounds.LETTERS_BURST))
    letter_bytes: TokenBucket = field(
        default_factory=lambda: TokenBucket(bounds.LETTER_BYTES_RATE, bounds.LETTER_BYTES_BURST)
    )
    """Letters that may be read now, and their bytes."""
    circuit_pace: CircuitPace | None = None
    """When letters may leave, where the way does not hold its sender back."""
    _letters: deque[bytes] = field(default_factory=deque)
    _letters_bytes: int = 0
    _letters_turn: bool = False
    _letter_read: int = 0
    """Bytes of the letter that the last message was; 0 when it was none."""
    _queue: deque[bytes] = field(default_factory=deque)
    _raw: deque[bytes] = field(default_factory=deque)
    _queued_bytes: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False
    _overflowed: bool = False

    # --- from the machine

    def send(self, frame: bytes) -> None:
        """Queue a frame. A peer that lets too many gather does not read, and is left."""
        if self._closing or self._overflowed:
            return
        if self._queued_bytes + len(frame) > bounds.QUEUE_BYTES_MAX or len(self._queue) >= bounds.QUEUE_MESSAGES_MAX:
            self._overflowed = True
        else:
            self._queue.append(frame)
            self._queued_bytes += len(frame)
        self._wake.set()

    def send_letter(self, frame: bytes) -> None:
        """Queue a letter, in a line of its own. Whoever writes letters looks at :attr:`waiting_letter_bytes` before."""
        if self._closing or self._overflowed:
            return
        self._letters.append(frame)
        self._letters_bytes += bounds.letter_cost(frame)
        self._wake.set()

    def close(self) -> None:
        """End it once what is queued was sent, or after a few seconds. Letters that wait are not sent any more."""
        self._letters.clear()
        self._letters_bytes = 0
        self._closing = True
        self._wake.set()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of frames that were not sent yet."""
        return self._queued_bytes

    @property
    def waiting_letter_bytes(self) -> int:
        """Bytes of letters that were not sent yet."""
        return self._letters_bytes

    # --- its life

    async def run(self) -> End:
        """Shake hands, pump until the end, close."""
        end = End.GONE
        try:
            end = await self._shake_hands_and_pump()
        except (OSError, RuntimeError) as error:  # RuntimeError: aiohttp's word for "closed meanwhile"
            LOG.debug("A link ended: %s", type(error).__name__)
            end = End.GONE if self.peer is not None else End.HANDSHAKE
        except WrongNodeError:
            end = End.WRONG_NODE
        except (TransportError, RemoteError) as error:
            LOG.debug("A link ended: %s", error)
            end = End.MALFORMED if self.peer is not None else End.HANDSHAKE
        finally:
            await self.transport.close(politely=end in (End.OURS, End.GONE, End.MALFORMED))
        return end

    async def _shake_hands_and_pump(self) -> End:
        try:
            async with asyncio.timeout(self.handshake_seconds):
                if not await self._shake_hands():
                    return End.HANDSHAKE
        except TimeoutError:
            return End.LATE
        reader = asyncio.create_task(self._read(), name="link-reader")
        writer = asyncio.create_task(self._write(), name="link-writer")
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
            # The writer's word goes first: it knows whether the end was ours.
            for task in (writer, reader):
                if task.done():
                    return task.result()
            return End.GONE
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    async def _shake_hands(self) -> bool:
        if self.outbound:
            for message in self._follow(self.channel.start()):
                await self._put(message)
        while self.peer is None:
            data = await self._receive()
            if data is None:
                return False
            for message in self._take(data):
                await self._put(message)
        return True

    async def _receive(self) -> bytes | None:
        data = await self.transport.receive()
        if data is None:
            return None
        if len(data) > bounds.MESSAGE_BYTES_MAX:
            raise TransportError("It sent a message that is too long.")
        self.traffic.bytes_in += len(data)
        if self.circuit_pace is not None:
            self.circuit_pace.passed(len(data), self.owner.now().instant)
        self.traffic.messages_in += 1
        return data

    def _take(self, data: bytes) -> list[bytes]:
        """Give a message to the channel; what it wants to be sent as it is."""
        now = self.owner.now()
        self.traffic.heard = now.instant
        return self._follow(self.channel.handle(data, now))

    def _follow(self, outputs: Sequence[ChannelOutput]) -> list[bytes]:
        transmit: list[bytes] = []
        for output in outputs:
            match output:
                case Transmit(data=message):
                    transmit.append(message)
                case Opened():
                    self.peer = output.peer
                    self.since = self.owner.now().timestamp
                    self.owner.opened(self, output)
                case Frame(frame=frame):
                    self._letter_read = len(frame) if is_letter(frame) else 0
                    self.owner.frame(self, frame)
                case _:
                    assert_never(output)
        return transmit

    async def _read(self) -> End:
        loop = asyncio.get_running_loop()
        breath = loop.time()
        while True:
            await self.owner.room(self.number)
            while not self._may_read(Instant(loop.time())):  # noqa: ASYNC110 - time is what it waits for
                await asyncio.sleep(PACE_SECONDS)
            data = await self._receive()
            if data is None:
                return End.GONE
            transmit = self._take(data)
            self._count_read(Instant(loop.time()))
            if transmit:
                # Sealed already, in the channel's own order: it goes before whatever is sealed after it.
                self._raw.extend(transmit)
                self._wake.set()
            if loop.time() - breath > BREATH_SECONDS:
                await asyncio.sleep(0)
                breath = loop.time()

    def _may_read(self, instant: Instant) -> bool:
        """Whether there is room for another message, whatever it is."""
        most = bounds.MESSAGE_BYTES_MAX
        letters = self.letters.level(instant) >= 1 and self.letter_bytes.level(instant) >= most
        return letters and self.pace.level(instant) >= 1

    def _count_read(self, instant: Instant) -> None:
        size, self._letter_read = self._letter_read, 0
        if size:
            self.traffic.letters_in += 1
            self.letters.take(1, instant)
            self.letter_bytes.take(size, instant)
        else:
            self.pace.take(1, instant)

    async def _write(self) -> End:
        deadline: float | None = None
        loop = asyncio.get_running_loop()
        while True:
            if self._overflowed:
                return End.STALLED
            if self._closing and deadline is None:
                deadline = loop.time() + bounds.GOODBYE_SECONDS_MAX
            pause = self._letter_pause(self.owner.now().instant)
            if not self._raw and not self._queue and pause != 0:
                if self._closing:
                    return End.OURS
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                self._wake.clear()
                continue
            try:
                async with asyncio.timeout(self.stall_seconds) as patience:
                    if deadline is not None:
                        patience.reschedule(deadline)
                    await self._put(self._next(letter=pause == 0))
            except TimeoutError:
                return End.OURS if self._closing else End.STALLED

    def _letter_pause(self, instant: Instant) -> float | None:
        """Seconds until the next letter may leave; ``None`` when none waits."""
        if not self._letters:
            return None
        may = self.circuit_pace is None or self.circuit_pace.may_send(len(self._letters[0]), instant)
        return 0 if may else PACE_SECONDS

    def _next(self, *, letter: bool) -> bytes:
        """The next message to leave; there is one. With ``letter`` it may be a letter."""
        if self._raw:
            return self._raw.popleft()
        self._letters_turn = letter and not (self._letters_turn and self._queue)
        if self._letters_turn:
            frame = self._letters.popleft()
            self._letters_bytes -= bounds.letter_cost(frame)
            self.traffic.letters_out += 1
            if self.circuit_pace is not None:
                self.circuit_pace.letter(len(frame), self.owner.now().instant)
            return self.channel.seal(frame, self.owner.now())
        frame = self._queue.popleft()
        self._queued_bytes -= len(frame)
        return self.channel.seal(frame, self.owner.now())

    async def _put(self, message: bytes) -> None:
        self.traffic.bytes_out += len(message)
        if self.circuit_pace is not None:
            self.circuit_pace.said(len(message), self.owner.now().instant)
        self.traffic.messages_out += 1
        await self.transport.send(message)
