"""Channels over WebSockets: the door at ``/peer``, and what both of its sides share.

The upgrade is an ordinary GET, so it passes any reverse proxy and Tor. Compression is never agreed to (sizes of
compressed secrets speak), browsers are sent away (they name an origin), and text closes the connection.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import hdrs, web

from hedgerow_node.net import bounds
from hedgerow_node.net.transport import Transport, TransportError
from hedgerow_protocol.ports import Instant

AIOHTTP_MESSAGE_MAX: Final = bounds.MESSAGE_BYTES_MAX + 1
"""Bytes. aiohttp refuses a message of exactly its limit."""

PATH: Final = "/peer"

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse

# aiohttp would warn about each unknown sub-protocol, with the visitor's address in it.
logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)


class WebSocketTransport:
    """A channel's messages as binary WebSocket messages."""

    def __init__(self, socket: Socket, abort: Callable[[], None]) -> None:
        self._socket = socket
        self._abort = abort
        self._closed = False

    async def receive(self) -> bytes | None:
        """See :class:`~hedgerow_node.net.transport.Transport`."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.BINARY:
                data: bytes = message.data
                return data
            case aiohttp.WSMsgType.TEXT:
                raise TransportError("It sent text; nodes speak in binary messages.")
            case aiohttp.WSMsgType.ERROR:
                raise TransportError("It sent a message that is too long, or no WebSocket message at all.")
            case _:
                return None

    async def send(self, message: bytes) -> None:
        """See :class:`~hedgerow_node.net.transport.Transport`."""
        await self._socket.send_bytes(message)

    async def close(self, *, politely: bool = True) -> None:
        """See :class:`~hedgerow_node.net.transport.Transport`. A peer that is slow to answer is not waited for."""
        if self._closed:
            return
        self._closed = True
        if politely:
            try:
                async with asyncio.timeout(bounds.GOODBYE_SECONDS_MAX):
                    await self._socket.close()
            except (TimeoutError, OSError, RuntimeError):
                pass
        self._abort()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for the upgrade, as the street door understands it."""

    address: str
    """An IP address, whole; empty when it is not known."""
    counted_as: str
    """What the bounds count: the part of the address that one subscriber has. Empty: not counted."""


@dataclass(slots=True)
class Attempt:
    """One connection to the door, from its first byte to its end."""

    visitor: Visitor
    door: "PeerDoor"
    opened: bool = False

    def succeed(self) -> None:
        """The handshake is done."""
        if not self.opened:
            self.opened = True
            self.door.handshakes -= 1


Serve = Callable[[Transport, Attempt], Awaitable[None]]
"""Runs one link until its end; calls ``Attempt.succeed`` when its channel is open."""


@dataclass(slots=True)
class PeerDoor:
    """The handler of ``GET /peer``, and how many may stand in it."""

    serve: Serve
    visitor_of: Callable[[web.Request], Visitor]
    monotonic: Callable[[], Instant]
    inbound_max: int = bounds.INBOUND_MAX
    per_address_max: int = bounds.INBOUND_PER_ADDRESS_MAX
    handshakes_max: int = bounds.HANDSHAKES_MAX
    handshakes: int = 0
    """Under way now."""
    inside: int = 0
    """Connections, with those still shaking hands."""
    turned_away: Counter[str] = field(default_factory=Counter)
    """How many were not let in since the start, and why."""
    closed: bool = False
    addresses: Counter[str] = field(default_factory=Counter)
    failed: dict[str, deque[Instant]] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request: upgrade it and run the link, or say why not."""
        if "websocket" not in request.headers.get(hdrs.UPGRADE, "").lower():
            return _plain(
                426,
                "Nodes talk to each other here, over WebSocket. There is nothing to read at this address.",
                {hdrs.UPGRADE: "websocket"},
            )
        if hdrs.ORIGIN in request.headers:
            return self._refuse("origin", 403, "This address is for nodes; a web page has no business here.")
        visitor = self.visitor_of(request)
        refusal = self._no_room(visitor)
        if refusal is not None:
            return refusal
        return await self._let_in(request, visitor)

    def _no_room(self, visitor: Visitor) -> web.StreamResponse | None:
        if self.closed:
            return self._refuse("closed", 503, "This node is not talking to others just now.")
        if self.handshakes >= self.handshakes_max or self.inside >= self.inbound_max:
            return self._refuse("full", 503, "This node has as many peers as it can take.")
        key = visitor.counted_as
        if key and self.addresses[key] >= self.per_address_max:
            return self._refuse("address", 429, "There are many links from your address already.")
        if key and self._failed_lately(key) >= bounds.HANDSHAKES_FAILED_MAX:
            return self._refuse("failed", 429, "Too many handshakes from your address have failed.")
        return None

    def _refuse(self, why: str, status: int, sentence: str) -> web.Response:
        self.turned_away[why] += 1
        return _plain(status, sentence, {hdrs.RETRY_AFTER: "60"} if status in (429, 503) else {})

    def _failed_lately(self, key: str) -> int:
        times = self.failed.get(key)
        if times is None:
            return 0
        since = self.monotonic() - bounds.HANDSHAKES_FAILED_SECONDS
        while times and times[0] <= since:
            times.popleft()
        if not times:
            del self.failed[key]
        return len(times)

    def _has_failed(self, visitor: Visitor) -> None:
        self.turned_away["handshake"] += 1
        key = visitor.counted_as
        if not key:
            return
        if key not in self.failed and len(self.failed) >= bounds.FAILED_ADDRESSES_MAX:
            del self.failed[next(iter(self.failed))]
        self.failed.setdefault(key, deque(maxlen=bounds.HANDSHAKES_FAILED_MAX)).append(self.monotonic())

    async def _let_in(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=AIOHTTP_MESSAGE_MAX, timeout=bounds.GOODBYE_SECONDS_MAX
        )
        attempt = Attempt(visitor, self)
        task = asyncio.current_task()
        self.inside += 1
        self.handshakes += 1
        self.addresses[visitor.counted_as] += 1
        if task is not None:
            self.tasks.add(task)
        try:
            try:
                await socket.prepare(request)
            except ValueError:  # aiohttp's, for a key that is not even ASCII
                return self._refuse("handshake", 400, "This is not the beginning of a WebSocket.")
            await self.serve(WebSocketTransport(socket, lambda: _abort(request)), attempt)
        finally:
            if task is not None:
                self.tasks.discard(task)
            self.inside -= 1
            self.addresses[visitor.counted_as] -= 1
            if not self.addresses[visitor.counted_as]:
                del self.addresses[visitor.counted_as]
            if not attempt.opened:
                self.handshakes -= 1
                self._has_failed(visitor)
        return socket

    async def close(self) -> None:
        """Let nobody in any more, and send away whoever still stands in the door."""
        self.closed = True
        tasks = [task for task in self.tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _abort(request: web.Request) -> None:
    transport = request.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _plain(status: int, sentence: str, headers: dict[str, str]) -> web.Response:
    response = web.Response(status=status, text=sentence + "\n", headers=headers)
    if status != 426:
        response.force_close()
    return response
