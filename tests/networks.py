"""Whole nodes in this process or in their own, linked as a test wants them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from hedgerow_node import app, clock
from hedgerow_node.config import Config
from hedgerow_node.directory.door import Door
from hedgerow_node.directory.publishing import publish_with_directory_key
from hedgerow_node.directory.publishing_form import listing_from_fields
from hedgerow_protocol.ids import ListingId
from net_ends import until


@asynccontextmanager
async def node_in(data: Path, *peers: str, **settings: object) -> AsyncIterator[app.Node]:
    """A node on any free port of 127.0.0.1 that was told of these peers."""
    said: dict[str, object] = {"port": 0, **settings}
    config = Config(data=data, peers=tuple(each.rstrip("/") for each in peers), **said)  # type: ignore[arg-type]
    async with app.running_node(config, version="test") as node:
        yield node


async def publish(node: app.Node, name: str) -> ListingId:
    """Publish a listing on a node, as its keeper's page does."""
    door = Door(node.directory, node.config)
    return await publish_with_directory_key(door, node.config, listing_from_fields({"name": name}), clock.now())


async def names(node: app.Node) -> set[str]:
    """The names of all listings that the node shows."""
    return {each.name async for each in node.directory.all_listings(now=clock.now())}


async def state_hash(node: app.Node) -> str:
    """The node's state hash."""
    return (await node.directory.status(now=clock.now())).state_hash


async def eventually(is_so: Callable[[], Awaitable[bool]], what: str, seconds: float = 20.0) -> float:
    """Wait for something that has to be asked for; how many seconds it took."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            while not await is_so():  # noqa: ASYNC110 - asks a store, which calls nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None
    return time.monotonic() - began


async def shown(node: app.Node, *wanted: str, seconds: float = 20.0) -> float:
    """Wait until a node shows listings of these names; how many seconds it took."""

    async def is_shown() -> bool:
        return set(wanted) <= await names(node)

    return await eventually(is_shown, f"{wanted} shown", seconds)


async def agreed(nodes: Sequence[app.Node], seconds: float = 30.0) -> float:
    """Wait until all have the same state hash; how many seconds it took."""

    async def is_same() -> bool:
        return len({await state_hash(each) for each in nodes}) == 1

    return await eventually(is_same, "one state hash", seconds)


async def linked(node: app.Node, links: int) -> None:
    """Wait until a node has so many links, and their peers have said hello."""
    await until(lambda: len(node.network.status().links) >= links, f"{links} links")
