"""Somebody who speaks Noise as a node does, and then says whatever a test wants: on real sockets."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
import pytest

from directory_fixtures import charter, listing, slot
from hedgerow_node import app, clock
from hedgerow_node.net.announcing import Announcer, channel_key
from hedgerow_protocol import messages
from hedgerow_protocol.channel import Channel, ChannelOutput, Frame, Opened, Transmit
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope, Kind, Signature, sign
from hedgerow_protocol.gossip.events import Tick
from hedgerow_protocol.gossip.settings import FEATURES
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.messages import DIGEST_BYTES, VERSION, Hello, Message
from hedgerow_protocol.ports import Instant, Timestamp
from hedgerow_protocol.records import Announcement
from net_ends import now, until

M = TypeVar("M")


@dataclass(eq=False)
class Hostile:
    """One link of a stranger to a node. What the node says is kept, and counted as it went over the wire."""

    socket: aiohttp.ClientWebSocketResponse
    channel: Channel
    key: SigningKey
    announcement: bytes
    heard: list[Message] = field(default_factory=list)
    bytes_heard: int = 0
    answer: "Callable[[Message], Iterable[Message]] | None" = None
    """What to say to each message."""
    opened: Opened | None = None
    ended: bool = False
    _reader: "asyncio.Task[None] | None" = None

    @property
    def id(self) -> NodeId:
        return NodeId(self.key.public[1:])

    def all(self, kind: type[M]) -> list[M]:
        """What of this kind was heard."""
        return [each for each in self.heard if isinstance(each, kind)]

    async def heard_of(self, kind: type[M], many: int = 1) -> M:
        """Wait until so many messages of a kind have come; the last of them."""
        await until(lambda: len(self.all(kind)) >= many or self.ended, f"{many} {kind.__name__}")
        return self.all(kind)[many - 1]

    async def is_left(self, seconds: float = 10.0) -> None:
        """Wait until the node has closed the link."""
        await until(lambda: self.ended, "the end of the stranger's link", seconds)

    async def say(self, *several: Message) -> bool:
        """Say something; whether the link still stood."""
        return await self.say_frames(map(messages.encode, several))

    async def say_frames(self, frames: Iterable[bytes]) -> bool:
        """Say whatever bytes."""
        try:
            for frame in frames:
                await self.socket.send_bytes(self.channel.seal(frame, now()))
        except (OSError, RuntimeError):
            return False
        return not self.ended

    async def hello(self, **changed: object) -> None:
        """The first words."""
        fields: dict[str, object] = {
            "version": VERSION, "features": FEATURES, "required": (), "clock": clock.now(), "count": 0,
            "digest": bytes(DIGEST_BYTES),
        } | changed  # fmt: skip
        await self.say(Hello(**fields))  # type: ignore[arg-type]
        await self.heard_of(Hello)

    def listen(self) -> None:
        """Begin to read."""
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while (message := await self.socket.receive()).type is aiohttp.WSMsgType.BINARY:
                self.bytes_heard += len(message.data)
                for output in self.channel.handle(message.data, now()):
                    await self._take(output)
        finally:
            self.ended = True

    async def _take(self, output: ChannelOutput) -> None:
        match output:
            case Transmit(data):
                await self.socket.send_bytes(data)
            case Opened():
                self.opened = output
            case Frame(frame):
                said = messages.decode(frame)
                self.heard.append(said)
                for each in self.answer(said) if self.answer is not None else ():
                    await self.say(each)

    async def close(self) -> None:
        """Go away at once."""
        if self.socket._response.connection is not None:
            self.socket._response.close()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        await self.socket.close()


@asynccontextmanager
async def hostile(
    node: app.Node,
    *,
    key: SigningKey | None = None,
    greet: bool = True,
    answer: Callable[[Message], Iterable[Message]] | None = None,
    reads: bool = True,
) -> AsyncIterator[Hostile]:
    """A stranger dials a node, shakes hands as one should, and says hello unless told otherwise."""
    key = key or SigningKey.from_seed(Usage.NODE, os.urandom(32))
    announcer = Announcer(key=key, channel=channel_key(key), features=FEATURES)
    announced = announcer.renew(clock.now())
    assert announced is not None
    await until(lambda: not node.network.door.closed, "an open door")
    async with aiohttp.ClientSession(connector=None if reads else _narrow()) as session:
        opened = await session.ws_connect(node.address + "peer", max_msg_size=0)
        channel = Channel.initiate(channel_key(key), announced.envelope, entropy=os.urandom, now=now())
        stranger = Hostile(opened, channel, key, announced.envelope, answer=answer)
        try:
            for output in channel.start():
                await stranger._take(output)
            for output in channel.handle((await opened.receive()).data, now()):
                await stranger._take(output)
            if reads:
                stranger.listen()
            if greet and reads:
                await stranger.hello()
            elif greet:
                await stranger.say(Hello(VERSION, FEATURES, (), clock.now(), 0, bytes(DIGEST_BYTES)))
            yield stranger
        finally:
            await stranger.close()


def _narrow() -> aiohttp.TCPConnector:
    """Connections that hold little of what is not read."""

    def make(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol = address[:3]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        return made

    return aiohttp.TCPConnector(socket_factory=make)


class Hours:
    """The node's clocks, lent: time passes when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        monotonic, wall = clock.monotonic, clock.now
        monkeypatch.setattr(clock, "monotonic", lambda: Instant(monotonic() + self.ahead))
        monkeypatch.setattr(clock, "now", lambda: Timestamp(wall() + int(self.ahead)))

    async def let(self, seconds: float, *nodes: app.Node, step: float = 1.0) -> None:
        """Let time pass for these nodes; whatever they say to each other arrives in between."""
        for _ in range(int(seconds / step)):
            self.ahead += step
            for node in nodes:
                node.network._engine.feed(Tick())
            await settled(*nodes)


async def settled(*nodes: app.Node) -> None:
    """Give sockets and the disk their turn until nothing more is said."""
    before = None
    while before != (before := _said(nodes)):
        for _ in range(8):
            await asyncio.sleep(0)


def _said(nodes: tuple[app.Node, ...]) -> tuple[int, ...]:
    return tuple(
        each.traffic.messages_in + each.traffic.messages_out
        for node in nodes
        for each in node.network.gate.links.values()
    ) + tuple(node.network._engine.handled for node in nodes)


# --- records of today, to be sent by hand


@dataclass
class Circle:
    """A group of its own with one steward, and its listings."""

    number: int
    founding: Envelope = field(init=False)
    steward: SigningKey = field(init=False)

    def __post_init__(self) -> None:
        self.steward = SigningKey.from_seed(Usage.STEWARD, self.number.to_bytes(32, "big"))
        self.founding = charter([self.steward], nonce=self.number.to_bytes(16, "big"))

    def listing(
        self, name: str, *, entry: int = 0, seq: int = 1, issued: int | None = None, days: int = 90
    ) -> Envelope:
        """A listing signed today, or at another time."""
        where = slot(self.founding.rid, entry.to_bytes(4, "big"), seq, days, clock.now() if issued is None else issued)
        return listing(where, ListingContent(name=name), [self.steward])

    def many(self, count: int, name: str = "Flood") -> list[bytes]:
        """The charter and so many listings."""
        return [
            self.founding.to_bytes(),
            *(self.listing(f"{name} {number}", entry=number).to_bytes() for number in range(count)),
        ]


def spoiled(envelope: bytes) -> bytes:
    """The same words under a signature that does not hold."""
    from hedgerow_protocol.envelope import parse_envelope

    parsed = parse_envelope(envelope)
    good = parsed.signatures[0]
    bad = Signature(good.author, good.signature[:32] + bytes(16) + good.signature[48:])
    return Envelope(parsed.kind, parsed.body, (bad,), parsed.rid).to_bytes()


def minted_announcement(number: int, *addresses: str) -> Envelope:
    """The announcement of a node that nobody has ever run."""
    key = SigningKey.from_seed(Usage.NODE, number.to_bytes(32, "big"))
    at = clock.now()
    said = Announcement(
        node=key.public, channel=channel_key(key).public, addresses=addresses, features=(), seq=at, issued=at,
        expires=Timestamp(at + 7 * 86_400),
    )  # fmt: skip
    return sign(Kind.ANNOUNCEMENT, said.to_body(), [key]).envelope
