"""Many light followers in a process of their own: each has its own key, channel and link, and keeps nothing.

They shake hands, greet, take Welcomes, follow, and acknowledge what they are told as whole nodes do, so that the hub's
part is what it would be with as many machines around it. Commands and answers are lines of JSON.
"""

import asyncio
import json
import os
import struct
import sys
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from hedgerow_node import clock
from hedgerow_node.bench.rooms_load import percentiles
from hedgerow_node.net.announcing import Announcer, channel_key
from hedgerow_protocol import messages
from hedgerow_protocol.base64url import encode as b64
from hedgerow_protocol.channel import Channel, ChannelOutput, Frame, Opened, Transmit
from hedgerow_protocol.federation.letters import Acknowledge, Answer, Letter, Notify, Request, encode
from hedgerow_protocol.federation.parts import Joiner
from hedgerow_protocol.federation.values import Done, Follow, Following, WelcomeLetter
from hedgerow_protocol.gossip.settings import FEATURES, ROOMS
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.messages import VERSION, Hello, Message, Ping, Pong
from hedgerow_protocol.ports import Now
from hedgerow_protocol.reconcile.live_set import LiveSet


def _now() -> Now:
    return Now(clock.monotonic(), clock.now())


@dataclass
class Counted:
    """What one of them was told since the last reset."""

    entries: int = 0
    notifies: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    late: list[float] = field(default_factory=list)


class Follower:
    """One light node."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._key = SigningKey.from_seed(Usage.NODE, os.urandom(32))
        self._session = session
        self._address = address
        self._joiner = Joiner()
        self._seq: dict[bytes, int] = {}
        self.id = NodeId(self._key.public[1:])
        self.counted = Counted()
        self.following = 0
        self.greeted = asyncio.Event()
        self.ended = False

    async def run(self) -> None:
        """Until the link ends."""
        channel_keys = channel_key(self._key)
        announced = Announcer(key=self._key, channel=channel_keys, features=FEATURES).renew(clock.now())
        assert announced is not None  # noqa: S101 - the first one always is
        async with self._session.ws_connect(self._address + "peer", max_msg_size=0) as made:
            self._socket = made
            self._channel = Channel.initiate(channel_keys, announced.envelope, entropy=os.urandom, now=_now())
            for output in self._channel.start():
                await self._take(output)
            async for message in made:
                self.counted.bytes_in += len(message.data)
                for output in self._channel.handle(message.data, _now()):
                    await self._take(output)
        self.ended = True

    async def _take(self, output: ChannelOutput) -> None:
        match output:
            case Transmit(data):
                await self._socket.send_bytes(data)
            case Opened():
                self._digest = LiveSet().digest(output.binding)
                features = tuple(sorted((*FEATURES, ROOMS)))
                await self._say(Hello(VERSION, features, (), clock.now(), 0, self._digest))
            case Frame(frame):
                match messages.decode(frame):
                    case Hello():
                        self.greeted.set()
                    case Ping(nonce=nonce):
                        await self._say(Pong(nonce, 0, self._digest))
                    case messages.Letter(payload=payload):
                        letter = self._joiner.came(self.id, payload)
                        if letter is not None:
                            await self._read(letter)
                    case _:
                        pass

    async def _say(self, message: Message) -> None:
        data = self._channel.seal(messages.encode(message), _now())
        self.counted.bytes_out += len(data)
        await self._socket.send_bytes(data)

    async def _send(self, letter: Letter) -> None:
        await self._say(messages.Letter(encode(letter)))

    async def _read(self, letter: Letter) -> None:
        match letter:
            case Request(id=id, body=WelcomeLetter() as body):
                self._seq[body.room] = body.seq - 1
                await self._send(Answer(id, Done()))
                await self._send(Request(os.urandom(16), Follow(body.room, body.seq - 1, (body.mailbox,))))
            case Request(id=id):
                await self._send(Answer(id, Done()))
            case Answer(body=Following()):
                self.following += 1
            case Notify():
                await self._told(letter)
            case _:
                pass

    async def _told(self, letter: Notify) -> None:
        now, counted = clock.monotonic(), self.counted
        counted.notifies += 1
        for each in letter.entries:
            if each.seq != self._seq[letter.room] + 1:
                raise RuntimeError("a follower was told entries with a gap")
            self._seq[letter.room] = each.seq
            counted.entries += 1
            if each.kind == 2:
                counted.late.append(now - struct.unpack("!Q", each.id[:8])[0] / 1e9)
        await self._send(Acknowledge(letter.room, letter.head.position.seq))


async def serve(address: str, many: int) -> None:
    """Be so many followers until stdin ends."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        followers = [Follower(session, address) for _ in range(many)]
        tasks = [asyncio.create_task(each.run()) for each in followers]
        async with asyncio.timeout(60):
            await asyncio.gather(*(each.greeted.wait() for each in followers))
        _tell({"nodes": [b64(each.id) for each in followers]})
        while line := await asyncio.to_thread(sys.stdin.readline):
            for task in tasks:
                if task.done():
                    raise RuntimeError("the link of a follower ended") from task.exception()
            _tell(_report(followers))
            if json.loads(line)["do"] == "reset":
                for each in followers:
                    each.counted = Counted()


def _report(followers: list[Follower]) -> dict[str, Any]:
    entries = [each.counted.entries for each in followers]
    late = [value for each in followers for value in each.counted.late]
    return {
        "following": sum(each.following for each in followers),
        "entries": [min(entries), max(entries)],
        "notifies": sum(each.counted.notifies for each in followers),
        "bytes": sum(each.counted.bytes_in + each.counted.bytes_out for each in followers),
        "late": percentiles(late) if late else {},
    }


def _tell(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    first = json.loads(sys.stdin.readline())
    asyncio.run(serve(first["address"], first["many"]))
