"""Ends of links without a machine: a gate whose events are only written down, behind a real door or none."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.net.announcing import Announcer, channel_key
from hedgerow_node.net.dialing import Dialer
from hedgerow_node.net.gate import Gate, Lent
from hedgerow_node.net.websocket import PATH, PeerDoor, Visitor
from hedgerow_protocol.gossip.events import Dial, DialFailed, Event, FrameIn, LinkDown, LinkId, LinkUp, Why
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Now

SECONDS = 10.0
"""To wait for anything before the test fails."""

E = TypeVar("E")


async def until(is_so: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Wait until a condition holds; fail with its name when it never does."""
    try:
        async with asyncio.timeout(seconds):
            while not is_so():  # noqa: ASYNC110 - the tests' one place that looks again and again
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None


def now() -> Now:
    """This moment."""
    return Now(clock.monotonic(), clock.now())


@dataclass
class WroteDown:
    """One node's gate; its events are kept in the order in which they came."""

    key: SigningKey = field(default_factory=lambda: SigningKey.from_seed(Usage.NODE, os.urandom(32)))
    dialer: Dialer = field(default_factory=Dialer)
    room: Callable[[LinkId], object] | None = None
    events: list[Event] = field(default_factory=list)
    heard: Callable[[Event], None] | None = None

    def __post_init__(self) -> None:
        channel = channel_key(self.key)
        self.announcer = Announcer(key=self.key, channel=channel, features=())
        announced = self.announcer.renew(clock.now())
        assert announced is not None

        async def room(link: LinkId) -> None:
            if self.room is not None:
                await self.room(link)  # type: ignore[misc]

        def feed(event: Event) -> None:
            self.events.append(event)
            if self.heard is not None:
                self.heard(event)

        lent = Lent(
            feed=feed,
            room=room,
            dropped=lambda link: None,
            now=now,
            entropy=os.urandom,
            announcement=lambda: announced.envelope,
        )
        self.gate = Gate(channel, self.dialer, lent)

    @property
    def id(self) -> NodeId:
        return NodeId(self.key.public[1:])

    def all(self, kind: type[E]) -> list[E]:
        """The events of one kind so far."""
        return [each for each in self.events if isinstance(each, kind)]

    async def first(self, kind: type[E], number: int = 1) -> E:
        """Wait for the first (second, …) event of a kind."""
        await until(lambda: len(self.all(kind)) >= number, f"{number} {kind.__name__}")
        return self.all(kind)[number - 1]

    def dial(self, address: str, *, peer: NodeId | None = None, channel: bytes | None = None) -> None:
        """Dial as if the keeper had chosen the address."""
        self.gate.dial(Dial(address, peer, channel, Why.KEEP, pinned=True))

    async def close(self) -> None:
        await self.gate.close()


@dataclass
class Served:
    """A gate behind a door at a real port."""

    end: WroteDown
    door: PeerDoor
    url: str


@asynccontextmanager
async def served(
    end: WroteDown, *, prefix: str = "", host: str = "127.0.0.1", trust_header: bool = False
) -> AsyncIterator[Served]:
    """Open a door. With ``trust_header``, ``X-Forwarded-For`` says who comes (as a trusted proxy would)."""

    def visitor_of(request: web.Request) -> Visitor:
        said = request.headers.get("X-Forwarded-For", "") if trust_header else ""
        return Visitor(said or request.remote or "", said)

    door = PeerDoor(end.gate.let_in, visitor_of, clock.monotonic)
    app = web.Application()
    app.router.add_get(prefix + PATH, door.answer, allow_head=False)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Served(end, door, f"http://{host}:{port}{prefix}")
    finally:
        await end.close()
        await door.close()
        await runner.cleanup()


@asynccontextmanager
async def two_ends(**options: str) -> AsyncIterator[tuple[WroteDown, Served]]:
    """One who dials, and one who is dialled."""
    caller = WroteDown()
    async with served(WroteDown(), **options) as called:  # type: ignore[arg-type]
        try:
            yield caller, called
        finally:
            await caller.close()


__all__ = ["DialFailed", "FrameIn", "LinkDown", "LinkUp", "Served", "WroteDown", "now", "served", "two_ends", "until"]
