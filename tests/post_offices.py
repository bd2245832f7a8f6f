"""Networks that take letters, each with a store and a door, and somebody who writes down what comes."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web

from directory_fixtures import charter, listing, slot
from hedgerow_node import clock
from hedgerow_node.config import Config
from hedgerow_node.directory.service import Directory
from hedgerow_node.federation.post import Post
from hedgerow_node.net.links import Link
from hedgerow_node.net.service import Network
from hedgerow_node.net.websocket import PATH, Visitor
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Instant
from net_ends import until


@dataclass
class WroteDown:
    """Reads letters: keeps everything it is told, in order."""

    said: list[tuple[str, NodeId]] = field(default_factory=list)
    letters: list[tuple[NodeId, bytes]] = field(default_factory=list)

    def came(self, peer: NodeId, letter: bytes) -> None:
        self.letters.append((peer, letter))

    def up(self, peer: NodeId) -> None:
        self.said.append(("up", peer))

    def down(self, peer: NodeId) -> None:
        self.said.append(("down", peer))


@dataclass
class Office:
    """One node, as far as letters are concerned."""

    network: Network
    directory: Directory
    url: str
    read: WroteDown

    @property
    def id(self) -> NodeId:
        return NodeId(self.network.key.public[1:])

    @property
    def post(self) -> Post:
        return self.network.post

    def link_to(self, other: "Office") -> Link:
        return next(each for each in self.network.gate.links.values() if each.peer == other.id)

    def is_wanted(self, other: "Office") -> bool:
        """Whether the keeper is told that a room needs the link."""
        return any(each.rooms for each in self.network.status().links if each.peer == other.id)

    async def publish(self, name: str) -> None:
        """A new listing of this node."""
        moment = clock.now()
        founding = charter(nonce=os.urandom(16))
        shown = listing(slot(founding.rid, issued=moment - 1), ListingContent(name=name))
        both = [(each.rid, each.to_bytes()) for each in (founding, shown)]
        await self.directory.accept([data for _, data in both], now=moment)
        self.network.publish(both)

    async def shows(self, name: str) -> bool:
        return name in {each.name async for each in self.directory.all_listings(now=clock.now())}


def free_port() -> int:
    """A port of 127.0.0.1 at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def key_of(number: int) -> SigningKey:
    """The key of the test's node of that number."""
    return SigningKey.from_seed(Usage.NODE, number.to_bytes(32, "big"))


@asynccontextmanager
async def office(
    data: Path,
    number: int,
    *peers: str,
    port: int = 0,
    announce: bool = False,
    alone: bool = True,
    letters: bool = True,
    dialable: bool = True,
) -> AsyncIterator[Office]:
    """A node with these chosen peers. ``alone``: it dials nobody by its own policy, so who is linked, rooms need."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    await asyncio.to_thread(data.mkdir, exist_ok=True)
    config = Config(data=data, peers=peers, announce=url if announce else "")
    directory = Directory.open(config.database_file)
    read = WroteDown()
    network = Network(
        config, directory, key_of(number), lambda request: Visitor("127.0.0.1", ""), letters=read if letters else None
    )
    if alone:
        network._settings = replace(network._settings, outbound=0)
    application = web.Application()
    if dialable:
        application.router.add_get(PATH, network.door.answer, allow_head=False)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        await network.start()
        await until(lambda: not network.door.closed, "the gate is open")
        if alone and network._machine is not None:
            network._machine._meeting._next_relayed = Instant(float("inf"))
        yield Office(network, directory, url, read)
    finally:
        await network.stop()
        await runner.cleanup()
        await directory.close()


async def send_all(sender: Office, to: NodeId, letters: list[bytes]) -> int:
    """Send these, waiting where there is no room; how often there was none."""
    waited = 0
    for letter in letters:
        while not sender.post.send(to, letter):
            waited += 1
            await asyncio.sleep(0.005)
        if not waited % 64:
            await asyncio.sleep(0)
    return waited
