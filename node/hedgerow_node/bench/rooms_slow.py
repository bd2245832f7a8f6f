"""Connections that are held for nothing: how long the node lets them live, and what they do to everybody else."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.rooms_dialects import Place
from hedgerow_node.bench.rooms_fanout import run
from hedgerow_node.bench.rooms_servers import Server, crowd
from hedgerow_node.bench.rooms_trouble import CALMER_MAX
from hedgerow_node.http import bounds
from hedgerow_protocol import limits

EACH: Final = 60
"""Connections of each kind."""

LIVED_MAX: Final = 1.25
"""Times the deadline: a sweep a second, a moment for the answer to be taken, and a machine that is busy."""

DRIP_SECONDS: Final = 1.0
"""Seconds between two bytes of those that send slowly."""

FEW: Final = 3
PAGES: Final = 24
"""Connections that read nothing, and pages of a log that each asks for: far more than the system keeps for a reader."""

STALLED_BUFFER: Final = 8_192
"""Bytes. What the system keeps for one that reads nothing."""

BODY_BYTES: Final = 4_096
"""Bytes that a body is said to have, of which few come."""

_Begin = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to hold a connection."""

    name: str
    about: str
    deadline: float
    """Seconds that it may live."""
    begin: _Begin
    drip: bytes = b""
    """Sent again and again, slowly."""
    many: int = EACH


def _sending(*parts: str) -> _Begin:
    async def begin(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("".join(parts).encode())

    return begin


def _kinds(place: Place, device: list[str], *, quick: bool) -> list[Kind]:
    host = f"Host: {place.host}:{place.port}\r\n"
    token = f"Authorization: Bearer {device[0]}\r\n"
    log = f"/rooms/{place.room}/log"
    body = f"POST {place.path}{log} HTTP/1.1\r\n{host}{token}Content-Length: {BODY_BYTES}\r\n\r\n{{"
    upgrade = (
        f"GET {place.path}/live HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    head = bounds.HEAD_SECONDS_MAX
    # It is told by a close frame first, and has a moment to answer that.
    token_late = bounds.LIVE_TOKEN_SECONDS_MAX + bounds.LIVE_GOODBYE_SECONDS
    kinds = [
        Kind("silent", "say nothing", head, _sending()),
        Kind("headers", "stop in the middle of their headers", head, _sending(f"GET / HTTP/1.1\r\n{host}X: ")),
        Kind("headers_drip", "send their headers a byte a second", head, _sending("GET / HTTP/1.1\r\nX: "), b"x"),
        Kind("live_silent", "open the live socket and show no token", token_late, _sending(upgrade)),
    ]
    if quick:
        return kinds
    late = bounds.BODY_SECONDS_MAX + BODY_BYTES / bounds.BODY_BYTES_PER_SECOND_MIN
    page = f"GET {place.path}{log}?limit={limits.LOG_PAGE_ENTRIES_MAX} HTTP/1.1\r\n{host}{token}\r\n"
    return [
        *kinds,
        Kind("body", "stop in the middle of their body", late, _sending(body)),
        Kind("body_drip", "send their body a byte a second", late, _sending(body), b" "),
        Kind("answer", "read nothing of their answers", bounds.STALL_SECONDS_MAX, _sending(page * PAGES), many=FEW),
        Kind(
            "idle",
            "are quiet after an answer",
            bounds.IDLE_SECONDS_MAX,
            _asking(f"GET /healthz HTTP/1.1\r\n{host}\r\n"),
        ),
    ]


def _asking(request: str) -> _Begin:
    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request.encode())
        if not await reader.read(65_536):
            raise RuntimeError("the node did not answer")

    return begin


async def _held(place: Place, kind: Kind) -> float:
    """Hold one connection; seconds until it has ended."""
    reading = kind.name != "answer"
    made = socket.socket()
    if not reading:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, (place.host, place.port))
    reader, writer = await asyncio.open_connection(sock=made, limit=STALLED_BUFFER)
    try:
        await kind.begin(reader, writer)
        start = time.monotonic()
        dripping = asyncio.create_task(_drip(writer, kind.drip)) if kind.drip else None
        with suppress(ConnectionError):
            if reading:
                while await reader.read(65_536):
                    pass
            else:
                await _until_reset(writer)
        if dripping is not None:
            dripping.cancel()
        return time.monotonic() - start
    finally:
        writer.close()


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    while not writer.is_closing():
        await asyncio.sleep(DRIP_SECONDS)
        writer.write(data)


async def _until_reset(writer: asyncio.StreamWriter) -> None:
    """Read nothing, and notice all the same that the other side has ended it: what is sent then fails."""
    while not writer.is_closing():
        await asyncio.sleep(0.25)
        writer.write(b"\r\n")
        await writer.drain()


class Slow:
    """All kinds at once, in a thread of their own."""

    def __init__(self, place: Place, kinds: list[Kind]) -> None:
        self.lived: dict[str, list[float]] = {}
        self._kinds = kinds
        self._thread = threading.Thread(target=lambda: asyncio.run(self._hold(place)))
        self._thread.start()

    async def _hold(self, place: Place) -> None:
        async def one(kind: Kind) -> None:
            self.lived.setdefault(kind.name, []).append(await _held(place, kind))

        await asyncio.gather(*(one(kind) for kind in self._kinds for _ in range(kind.many)))

    def done(self) -> dict[str, list[float]]:
        """Wait for the end of the last one."""
        self._thread.join()
        return self.lived


def figures(
    node: Server, room: dict[str, Any], many: int, filled: dict[str, Any], *, rounds: int, seconds: float, quick: bool
) -> list[Figure]:
    """``filled``: a room of others, whose log has much to read."""
    kinds = _kinds(node.place(filled), filled["devices"][-1], quick=quick)
    with crowd(node, room, many) as listening:

        def late() -> float:
            return median([run(node, listening, room, window=4, seconds=seconds).p99 for _ in range(rounds)])

        calm = late()
        slow = Slow(node.place(filled), kinds)
        held = late()
        lived = slow.done()
    about = f"{sum(kind.many for kind in kinds)} connections are held for nothing; none is"
    found = [Figure("slow_others_p99", held / calm, "times", CALMER_MAX, about)]
    for kind in kinds:
        longest = max(lived[kind.name]) / kind.deadline
        what = f"the longest of {kind.many} that {kind.about}; the deadline of {kind.deadline:.0f} s"
        found.append(Figure(f"slow_{kind.name}", longest, "times", LIVED_MAX, what))
    return found
