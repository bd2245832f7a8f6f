"""Whole nodes on this machine: what is published on one is found on all, whatever happens in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from hedgerow_node import app, clock
from hedgerow_node.directory.door_control import call
from hedgerow_protocol.ids import ListingId
from net_ends import until
from networks import agreed, linked, names, node_in, publish, shown
from nginx_server import needs_nginx, nginx


async def test_what_is_published_on_either_of_two_nodes_is_found_on_both(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a") as first:
        await publish(first, "Before they met")
        async with node_in(tmp_path / "b", first.address) as second:
            await linked(second, 1)
            await shown(second, "Before they met")
            await publish(first, "Quiet evening")
            await publish(second, "Loud morning")
            await shown(second, "Quiet evening")
            await shown(first, "Loud morning")
            await agreed([first, second])
            (peer,) = second.network.status().links
            assert peer.peer == first.node_id
            assert peer.pinned
            assert peer.records_new >= 2
            assert first.network.status().links[0].records_out >= 2
        await until(lambda: first.network.open_links == 0, "a goodbye")


async def test_five_in_a_line_cut_and_healed(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        nodes: list[app.Node] = []
        for number in range(5):
            # Nobody relays and nobody announces an address: only neighbours in the line are ever connected.
            neighbours = [nodes[-1].address] if nodes else []
            nodes.append(await stack.enter_async_context(node_in(tmp_path / str(number), *neighbours, relay=False)))
        for number, node in enumerate(nodes):
            await linked(node, 1 if number in (0, 4) else 2)
        assert [node.network.open_links for node in nodes] == [1, 2, 2, 2, 1]
        await publish(nodes[0], "From the first")
        await shown(nodes[4], "From the first", seconds=10)
        await publish(nodes[4], "From the last")
        await shown(nodes[0], "From the last", seconds=10)
        await agreed(nodes)
        # Cut the middle, change both sides, heal.
        nodes[2].network.choose([])
        middle = nodes[1].node_id
        for number, link in list(nodes[2].network.gate.links.items()):
            if link.outbound:
                nodes[2].network.gate.links[number].close()
        await until(lambda: all(each.peer != middle for each in nodes[2].network.status().links), "a cut")
        await publish(nodes[0], "Left side")
        await publish(nodes[4], "Right side")
        await shown(nodes[1], "Left side")
        await shown(nodes[2], "Right side")
        assert "Right side" not in await names(nodes[1])
        nodes[2].network.choose([nodes[1].address])
        await agreed(nodes)
        assert await names(nodes[2]) == {"From the first", "From the last", "Left side", "Right side"}


async def test_two_nodes_find_each_other_on_the_local_network(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a", lan=True) as first, node_in(tmp_path / "b", lan=True) as second:
        await linked(first, 1)
        await linked(second, 1)
        await publish(first, "Quiet evening")
        await shown(second, "Quiet evening")
        assert second.network.status().lan == "on"


async def test_the_keeper_changes_peers_of_a_running_node(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a") as first, node_in(tmp_path / "b") as second:
        socket = second.config.control_socket
        url = first.address.rstrip("/")
        body = json.dumps({"url": url, "keep": True}).encode()
        assert (await call(socket, "POST", "/peers", body))["peers"][0]["url"] == url
        await linked(second, 1)
        told = await call(socket, "GET", "/peers")
        assert told["connected"] == 1
        assert told["peers"] == [{"url": url, "connected": True, "problem": ""}]
        assert (await call(socket, "GET", "/status"))["peers"] == 1
        async with aiohttp.ClientSession() as session, session.get(second.address + "api/v1/status") as answer:
            assert (await answer.json())["peers"] == 1


async def test_a_node_that_was_away_catches_up_and_remembers_whom_it_knew(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a", announce="http://127.0.0.1:9") as first:
        async with node_in(tmp_path / "b", first.address) as second:
            await linked(second, 1)
            await publish(first, "One")
            await shown(second, "One")
        await publish(first, "Two")
        async with node_in(tmp_path / "b", first.address) as second:
            await shown(second, "One", "Two")
            await agreed([first, second])


async def test_a_link_that_is_cut_comes_back(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a") as first, node_in(tmp_path / "b", first.address) as second:
        await linked(first, 1)
        for link in list(first.network.gate.links.values()):
            await link.transport.close(politely=False)
        await until(lambda: bool(first.network.gate.ended), "a cut")
        await publish(first, "While it was cut")
        await shown(second, "While it was cut", seconds=30)


async def test_dialling_oneself_comes_to_nothing(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a") as node:
        node.network.choose([node.address])
        await until(lambda: sum(node.network.gate.ended.values()) >= 2, "both ends of it")
        assert not node.network.status().links


async def test_a_node_below_a_sub_path_says_so_and_is_dialled_there(tmp_path: Path) -> None:
    base = "https://hedgerow.example.org/groups"
    async with node_in(tmp_path / "a", base_url=base) as first:
        root = first.street.addresses[0]
        # Pages need not wait for the network, so its gate opens a moment after the door to the street.
        await until(lambda: not first.network.door.closed, "the gate is open")
        async with aiohttp.ClientSession() as session:
            for path in ("/groups/peer", "/peer"):
                async with session.get(root + path) as answer:
                    assert answer.status == 426
                    assert answer.headers["Cache-Control"] == "no-store"
                # Any name may lead to a node: it is told apart by its key.
                async with session.ws_connect(root + path, headers={"Host": "elsewhere.example.net"}) as opened:
                    assert "Content-Security-Policy" not in opened._response.headers
        async with node_in(tmp_path / "b", f"{root}/groups") as second:
            await linked(second, 1)
            await publish(first, "Below a path")
            await shown(second, "Below a path")


@needs_nginx
async def test_a_whole_node_behind_nginx_below_a_sub_path(tmp_path: Path) -> None:
    settings = {"base_url": "https://hedgerow.example.org/groups", "trusted_proxies": ("127.0.0.1",)}
    async with node_in(tmp_path / "a", **settings) as first:
        with nginx(tmp_path / "nginx", first.street.port) as url:
            async with node_in(tmp_path / "b", url) as second:
                await linked(second, 1)
                await publish(first, "Behind a proxy")
                await shown(second, "Behind a proxy")
                await publish(second, "And back")
                await shown(first, "And back")


async def test_two_who_refuse_to_be_dialled_exchange_listings_through_a_third(tmp_path: Path) -> None:
    """The third does not carry the listing, so it can have come through a circuit only, unread."""
    async with AsyncExitStack() as stack:
        third = await stack.enter_async_context(node_in(tmp_path / "c"))
        first = await stack.enter_async_context(node_in(tmp_path / "a"))
        second = await stack.enter_async_context(node_in(tmp_path / "b"))
        secret = await publish(first, "Only through a circuit")
        await third.directory.block(secret, "a test", now=clock.now())
        for node in (first, second):
            node.network.door.closed = True
            node.network.choose([third.address])
            await linked(node, 1)

        def relayed() -> bool:
            return any(each.relayed for each in first.network.status().links)

        await until(relayed, "a link through the relay", 60)
        await shown(second, "Only through a circuit", seconds=30)
        assert await names(third) == set()
        (envelope,) = [each async for each in _envelopes(first, secret)]
        stored = b"".join(path.read_bytes() for path in (tmp_path / "c").glob("public.db*"))
        assert b"through a circuit" not in stored
        assert envelope[-64:] not in stored
        tally = third.network._machine.reaching.tally()
        assert tally.guests == 2
        assert tally.carried_circuits == 1
        assert tally.carried_bytes > len(envelope)


async def _envelopes(node: app.Node, lid: ListingId) -> AsyncIterator[bytes]:
    rids = [rid for _, rid in (await node.directory.live_items(now=clock.now()))[0]]
    assert await node.directory.listing(lid, now=clock.now()) is not None
    for _, envelope in await node.directory.envelopes(rids):
        if b"through a circuit" in envelope:
            yield envelope


async def test_a_stop_is_quick_and_leaves_no_task(tmp_path: Path) -> None:
    before = set(asyncio.all_tasks())
    async with node_in(tmp_path / "a") as first, node_in(tmp_path / "b", first.address) as second:
        await linked(second, 1)
    await asyncio.sleep(0)
    assert set(asyncio.all_tasks()) <= before
    assert first.network.open_links == second.network.open_links == 0
