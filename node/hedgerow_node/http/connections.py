"""Connections that cannot be held for nothing: aiohttp's protocol with deadlines and counts.

aiohttp waits without limit for the end of a request's headers, and for a reader that takes nothing of an answer. Here
one sweep a second closes what is too slow, and one address may hold only so many connections.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from hedgerow_node.http import bounds
from hedgerow_node.http.client import Callers, parse_address, subscriber
from hedgerow_protocol.ports import Instant

LOG = logging.getLogger(__name__)

_SILENT = logging.getLogger("hedgerow_node.http.silent")
_SILENT.setLevel(logging.CRITICAL + 1)
"""aiohttp's access log would hold addresses and queries: it goes nowhere."""


@dataclass(slots=True)
class Door:
    """All open connections of one server."""

    callers: Callers
    head_seconds: float = bounds.HEAD_SECONDS_MAX
    idle_seconds: float = bounds.IDLE_SECONDS_MAX
    stall_seconds: float = bounds.STALL_SECONDS_MAX
    connections_max: int = bounds.CONNECTIONS_MAX
    per_address_max: int = bounds.CONNECTIONS_PER_ADDRESS_MAX
    limit_loopback: bool = False
    """Loopback is usually a local proxy or Tor, which bring everybody from one address. Tests set it."""
    sweep_seconds: float = 1.0
    """Between two looks at all connections."""
    refused: int = 0
    """Connections not taken, and those closed for slowness, since the start."""
    handlers: "set[PatientHandler]" = field(default_factory=set)
    addresses: Counter[str] = field(default_factory=Counter)
    sweeping: asyncio.TimerHandle | None = None

    def enter(self, handler: "PatientHandler", remote: str) -> bool:
        """Count a new connection in; False when it is one too many."""
        key = self.key_of(remote)
        if len(self.handlers) >= self.connections_max or (key and self.addresses[key] >= self.per_address_max):
            self.refused += 1
            return False
        handler.counted_as = key
        if key:
            self.addresses[key] += 1
        self.handlers.add(handler)
        if self.sweeping is None:
            self._plan_sweep()
        return True

    def key_of(self, remote: str) -> str:
        """What a connection from there is counted as; empty when only the sum of all counts."""
        address = parse_address(remote)
        counted = address is not None and not self.callers.is_trusted(address)
        if address is not None and address.is_loopback and not self.limit_loopback:
            counted = False
        return subscriber(address) if counted else ""

    def leave(self, handler: "PatientHandler") -> None:
        """Count a connection out."""
        if handler not in self.handlers:
            return
        self.handlers.discard(handler)
        if handler.counted_as:
            self.addresses[handler.counted_as] -= 1
            if not self.addresses[handler.counted_as]:
                del self.addresses[handler.counted_as]

    def _plan_sweep(self) -> None:
        self.sweeping = asyncio.get_running_loop().call_later(self.sweep_seconds, self.sweep)

    def stop(self) -> None:
        """No more sweeps."""
        if self.sweeping is not None:
            self.sweeping.cancel()
            self.sweeping = None

    def sweep(self) -> None:
        """Close every connection whose time is over. Runs by itself while there are any."""
        now = asyncio.get_running_loop().time()
        for handler in [each for each in self.handlers if each.is_late(now)]:
            self.refused += 1
            handler.abort()
        self.sweeping = None
        if self.handlers:
            self._plan_sweep()


class PatientHandler(web.RequestHandler):
    """aiohttp's handler of one connection, which tells the :class:`Door` how far it is."""

    __slots__ = ("_busy", "_deadline", "_door", "_stalled_since", "_time", "counted_as")

    def __init__(self, manager: web.Server, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=door.idle_seconds,
            access_log=_SILENT,
            max_line_size=bounds.HEADER_LINE_BYTES_MAX,
            max_field_size=bounds.HEADER_LINE_BYTES_MAX,
            max_headers=bounds.HEADERS_MAX,
            lingering_time=2.0,
            auto_decompress=False,  # a small compressed body could unfold into a large one
        )
        self._door = door
        self._busy = False
        self._time = loop.time
        self._deadline = Instant(loop.time() + door.head_seconds)
        self._stalled_since: Instant | None = None
        self.counted_as = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        remote = str(peer[0]) if isinstance(peer, tuple) else ""
        super().connection_made(transport)
        if not self._door.enter(self, remote):
            self.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._door.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._busy:
            latest = self._time() + self._door.head_seconds
            if latest < self._deadline:
                self._deadline = Instant(latest)
        super().data_received(data)

    def pause_writing(self) -> None:
        self._stalled_since = Instant(self._time())
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stalled_since = None
        super().resume_writing()

    def request_began(self) -> None:
        """The headers are whole; the answer is being made."""
        self._busy = True

    def request_ended(self) -> None:
        """The answer is on its way; the next request may come."""
        self._busy = False
        self._deadline = Instant(self._time() + self._door.idle_seconds)

    def is_late(self, now: float) -> bool:
        """Whether this connection is held for nothing."""
        if self._stalled_since is not None:
            return now > self._stalled_since + self._door.stall_seconds
        if self._busy or now <= self._deadline:
            return False
        transport = self.transport
        # A slow but steady reader of the last answer is welcome: its stalls are judged above.
        return not (isinstance(transport, asyncio.WriteTransport) and transport.get_write_buffer_size() > 0)

    def abort(self) -> None:
        """Close at once, without an answer."""
        transport = self.transport
        self.force_close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what is not HTTP with one plain line; nothing of it, and no address, reaches a log."""
        LOG.debug("A request was not understood: %s", type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("The answer had begun; another cannot follow.")
        response = web.Response(status=status, text="This request was not understood.\n")
        response.headers["Server"] = ""
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Name the kind of error only: its text could hold what somebody asked for."""
        error = kw.get("exc_info")
        LOG.error("A connection ended with an error: %s", type(error).__name__ if error else "unknown")


async def listen(runner: web.BaseRunner, door: Door, host: str, port: int, **server_arguments: Any) -> asyncio.Server:
    """Open the door. ``runner`` must be set up. Close the server before ``runner.cleanup()``.

    ``server_arguments`` go to ``loop.create_server`` (``sock``, ``reuse_port``).
    """
    loop, factory = asyncio.get_running_loop(), handlers(runner, door)
    if "sock" in server_arguments:
        return await loop.create_server(factory, **server_arguments)
    return await loop.create_server(factory, host, port, **server_arguments)


def handlers(runner: web.BaseRunner, door: Door) -> Callable[[], PatientHandler]:
    """Makes one handler for each connection. ``runner`` must be set up."""
    loop, manager = asyncio.get_running_loop(), runner.server
    if manager is None:
        raise RuntimeError("Set the runner up first.")
    return lambda: PatientHandler(manager, door, loop)
