"""The real feeds, imported on different nodes: all of it is found on all of them."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from hedgerow_node import app, clock
from hedgerow_node.directory.door import Door
from hedgerow_node.directory.importing import Feed, import_feed, prepare, read_files, source_of
from hedgerow_node.directory.keyfiles import load_or_create_key
from hedgerow_node.directory.publishing import directory_signer
from hedgerow_protocol.keys import Usage
from networks import agreed, linked, node_in
from shared import needs_shared, shared

pytestmark = needs_shared

SMALL = (
    ("aa", ["tsml/edge-cases-timezones.json"]),
    ("al-anon", ["tsml/massachusetts-al-anon.json"]),
)
BMLT = ["bmlt/GetSearchResults-part.json", "bmlt/GetFormats-all-languages.json", "bmlt/GetServiceBodies.json"]
ALL = (
    *SMALL,
    ("aa", ["tsml/orange-county-ca-aa.json"]),
    ("aa", ["tsml/san-francisco-marin-aa.json"]),
    ("na", BMLT),
)


async def take_in(node: app.Node, program: str, files: list[str]) -> tuple[int, str]:
    """Import a feed on a node as the command does; how many listings it made, and the name of one."""
    read = read_files([Path(shared(f"data/{each}")) for each in files])
    feed = Feed(files=read, program=program, source=source_of(program, files))
    prepared = prepare(feed)
    signer = directory_signer(load_or_create_key(node.config.directory_key_file, Usage.STEWARD, clock.entropy))
    door = Door(node.directory, node.config)
    report = await import_feed(door, signer, prepared, await door.held_of(signer.root, feed.source), now=clock.now())
    contents = sorted(prepared.wanted.values(), key=lambda each: (len(each.name), each.name))
    return report.new, contents[-1].name


async def found(session: aiohttp.ClientSession, node: app.Node, name: str) -> bool:
    """Whether the node's JSON API finds a listing by its name."""
    async with session.get(f"{node.address}api/v1/listings?q={quote(name)}") as answer:
        assert answer.status == 200
        return any(each["name"] == name for each in (await answer.json())["listings"])


@pytest.mark.parametrize(
    "feeds", [pytest.param(SMALL, id="two small ones"), pytest.param(ALL, id="all", marks=pytest.mark.slow)]
)
@pytest.mark.timeout(300)
async def test_what_each_node_imports_is_found_on_all(
    tmp_path: Path, feeds: tuple[tuple[str, list[str]], ...], figure: Callable[[str, float], None]
) -> None:
    async with AsyncExitStack() as stack:
        nodes: list[app.Node] = []
        for number in range(len(feeds)):
            neighbours = [nodes[-1].address] if nodes else []
            nodes.append(await stack.enter_async_context(node_in(tmp_path / str(number), *neighbours)))
        for node in nodes:
            await linked(node, 1)
        made, wanted = 0, []
        began = clock.monotonic()
        for node, (program, files) in zip(nodes, feeds, strict=True):
            count, name = await take_in(node, program, files)
            made += count
            wanted.append(name)
        imported = clock.monotonic() - began
        async with aiohttp.ClientSession() as session:
            for node, name in zip(nodes, wanted, strict=True):
                assert await found(session, node, name)
            after = await agreed(nodes, 200)
            for node in nodes:
                assert (await node.directory.status(now=clock.now())).listings == made
                for name in wanted:
                    assert await found(session, node, name), f"{name} on {node.address}"
    figure("listings", made)
    figure("seconds to import all of them in turn", imported)
    figure("seconds until all agree, after the last import", after)
