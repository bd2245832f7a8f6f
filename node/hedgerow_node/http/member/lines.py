"""The lines to live sockets: what is written to each, how much may wait on it, and when it is cut.

Nobody waits for a receiver: what it does not read stays in its own bounded queue, and beyond the bound it is let go and
catches up by the log.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from hedgerow_node.delivery.doors import Session
from hedgerow_node.http import bounds
from hedgerow_node.http.member.frames import close_frame
from hedgerow_node.store.private.values import Happened

TOKEN_REFUSED: Final = 4401
"""Close code: no token came in time, or it is not (any longer) valid."""
TOO_SLOW: Final = 4408
"""Close code: more was waiting for this receiver than is kept; it catches up by the log."""
TOO_MUCH: Final = 4429
"""Close code: too many sockets, or too many frames."""
NOT_UNDERSTOOD: Final = 1003
"""Close code: a frame that is not one of ours (RFC 6455, 7.4.1)."""
GOING_AWAY: Final = 1001
"""Close code: the node stops."""


@dataclass(slots=True, eq=False)
class Receiver:
    """One live socket of one device."""

    socket: web.WebSocketResponse
    transport: asyncio.WriteTransport
    session: Session
    rooms: set[bytes] = field(default_factory=set)
    missed: "list[Happened] | None" = field(default_factory=list)
    """What happened since it came in, until it is told where everything stands; ``None`` from then on."""
    ending: asyncio.TimerHandle | None = None
    """A close frame was written; when this fires, the other side has not taken it."""
    owed: bytes = b""
    """Frames that go out with the next write, or at the end of this turn of the loop."""


@dataclass(slots=True)
class Lines:
    """Writes to receivers, each with its bound, and a bound on all of them together."""

    queue_max: int = bounds.LIVE_QUEUE_BYTES_MAX
    queues_max: int = bounds.LIVE_QUEUES_BYTES_MAX
    slow: int = 0
    """Receivers let go because they did not read, since the start."""
    behind: set[Receiver] = field(default_factory=set)
    """Those for whom something waited when they were last written to."""
    _owing: list[Receiver] = field(default_factory=list)

    def write(self, receiver: Receiver, data: bytes) -> None:
        """Write whole frames to one receiver, or let it go when too much waits for it. Never blocks."""
        transport = receiver.transport
        if receiver.owed:
            data += receiver.owed
            receiver.owed = b""
        if receiver.ending is not None or transport.is_closing():
            return
        waiting = transport.get_write_buffer_size()
        if waiting:
            if waiting + len(data) > self.queue_max:
                self.slow += 1
                self.end(receiver, TOO_SLOW)
                return
            self.behind.add(receiver)
        transport.write(data)

    def write_all(self, receivers: Iterable[Receiver], data: bytes) -> None:
        """The same bytes to each."""
        for receiver in tuple(receivers):
            transport = receiver.transport
            if receiver.owed or receiver.ending is not None or transport.get_write_buffer_size():
                self.write(receiver, data)
            elif not transport.is_closing():
                transport.write(data)

    def owe(self, receiver: Receiver, data: bytes) -> None:
        """Write whole frames together with what else is written to the receiver in this turn of the loop.

        A write costs the system far more than a few more bytes in it.
        """
        if not self._owing:
            asyncio.get_running_loop().call_soon(self._pay)
        if not receiver.owed:
            self._owing.append(receiver)
        receiver.owed += data

    def _pay(self) -> None:
        owing, self._owing = self._owing, []
        for receiver in owing:
            if receiver.owed:
                self.write(receiver, b"")

    def bound_queues(self) -> None:
        """Cut the longest queues when all of them together hold too much."""
        if not self.behind:
            return
        sizes = {each: each.transport.get_write_buffer_size() for each in self.behind}
        self.behind = {each for each, size in sizes.items() if size}
        total = sum(sizes.values())
        for receiver in sorted(self.behind, key=lambda each: -sizes[each]):
            if total <= self.queues_max:
                return
            total -= sizes[receiver]
            self.behind.discard(receiver)
            self.slow += 1
            receiver.transport.abort()  # no close frame: what waits before it is what must go

    def forget(self, receiver: Receiver) -> None:
        """Its socket has ended."""
        self.behind.discard(receiver)
        if receiver.ending is not None:
            receiver.ending.cancel()
            receiver.transport.close()  # both sides have said goodbye, or one of them is gone

    async def ease(self, listening: Iterable[Receiver]) -> None:
        """Hold a sender for a moment while those it writes to still have much to read: a flood is slowed here."""
        if not self.behind:
            return
        audience = set(listening)
        for _ in range(bounds.LIVE_EASE_STEPS):
            if not any(
                each.transport.get_write_buffer_size() > bounds.LIVE_EASE_BYTES
                for each in self.behind & audience
                if each.ending is None
            ):
                return
            await asyncio.sleep(bounds.LIVE_EASE_STEP_SECONDS)

    def end(self, receiver: Receiver, code: int) -> None:
        """Say goodbye with a close code, and cut the connection when that is not taken in time.

        The frame is written here and the answer is read where everything else is read: aiohttp's own way to close a
        socket that is being read would not wait for the answer, and browsers then tell their page nothing of the code.
        """
        if receiver.ending is not None:
            return
        if not receiver.transport.is_closing():
            receiver.transport.write(close_frame(code))
        loop = asyncio.get_running_loop()
        receiver.ending = loop.call_later(bounds.LIVE_GOODBYE_SECONDS, receiver.transport.abort)
