"""Links over real sockets on this machine: what the door lets in, what it refuses, and who is left behind."""

import asyncio
import os
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from hedgerow_node.net import bounds
from hedgerow_node.net.announcing import channel_key
from hedgerow_node.net.dialing import Dialer
from hedgerow_protocol.channel import Channel, Transmit
from hedgerow_protocol.gossip.events import LinkId
from net_ends import DialFailed, FrameIn, LinkDown, LinkUp, Served, WroteDown, now, served, two_ends, until


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_two_nodes_open_a_link_and_talk_both_ways() -> None:
    async with two_ends() as (caller, called):
        caller.dial(called.url)
        here, there = await caller.first(LinkUp), await called.end.first(LinkUp)
        assert (here.peer, there.peer) == (called.end.id, caller.id)
        assert (here.outbound, there.outbound) == (True, False)
        assert here.binding == there.binding
        assert here.pinned
        assert not there.pinned
        for size in (1, 60, 1_000, 65_000):
            caller.gate.links[here.link].send(b"a" * size)
            called.end.gate.links[there.link].send(b"b" * size)
        await until(lambda: len(caller.all(FrameIn)) == 4, "answers")
        assert [len(each.frame) for each in called.end.all(FrameIn)] == [1, 60, 1_000, 65_000]
        caller.gate.links[here.link].close()
        await called.end.first(LinkDown)
        await caller.first(LinkDown)
        assert not caller.gate.links
        assert not called.end.gate.links
        assert caller.gate.ended["ours"] == called.end.gate.ended["gone"] == 1


async def test_a_known_key_opens_the_channel_in_one_pattern_and_a_wrong_node_is_noticed() -> None:
    async with two_ends() as (caller, called):
        known = channel_key(called.end.key).public
        caller.dial(called.url, peer=called.end.id, channel=known)
        assert (await caller.first(LinkUp)).peer == called.end.id
        caller.dial(called.url, peer=WroteDown().id)
        failed = await caller.first(DialFailed)
        assert failed.wrong_node
        assert "Another node" in caller.gate.failed[called.url]


async def test_a_door_below_a_path_prefix() -> None:
    async with two_ends(prefix="/peer-support/hedgerow") as (caller, called):
        caller.dial(called.url + "/")
        assert (await caller.first(LinkUp)).peer == called.end.id


async def test_a_plain_visit_is_told_what_this_is(session: aiohttp.ClientSession) -> None:
    async with served(WroteDown()) as called, session.get(called.url + "/peer") as answer:
        assert answer.status == 426
        assert answer.headers["Upgrade"] == "websocket"
        assert "Nodes talk" in await answer.text()


async def test_a_key_that_is_none_is_refused() -> None:
    async with served(WroteDown()) as called:
        address = called.url.removeprefix("http://").split("/")[0]
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET /peer HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \u00e4\u00e4\r\n\r\n"
        writer.write(head.encode())
        assert (await asyncio.wait_for(reader.readline(), 5)).split()[1] == b"400"
        writer.close()
        assert called.door.inside == 0


async def test_a_browser_is_sent_away(session: aiohttp.ClientSession) -> None:
    async with served(WroteDown()) as called:
        for origin in ("https://example.org", "null", called.url):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(called.url + "/peer", headers={"Origin": origin})
            assert refused.value.status == 403
        assert called.door.turned_away["origin"] == 3
        assert called.door.inside == 0


async def test_compression_is_never_agreed_to(session: aiohttp.ClientSession) -> None:
    async with served(WroteDown()) as called, session.ws_connect(called.url + "/peer", compress=15) as socket:
        assert socket.compress == 0
        # A frame that says it is compressed all the same ends the connection.
        transport = socket.get_extra_info("socket")
        assert transport is not None
        writer = socket._writer.transport
        writer.write(bytes([0x80 | 0x40 | 0x02, 0x80 | 1]) + b"\0\0\0\0" + b"x")
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        await until(lambda: called.door.turned_away["handshake"] == 1, "the end of that link")


@pytest.mark.parametrize("message", ["hello", b"x" * 65_536, b"x" * 9_000, b"", b"\x01short", b"\x07" + b"x" * 48])
async def test_what_is_no_handshake_ends_the_connection(session: aiohttp.ClientSession, message: str | bytes) -> None:
    async with served(WroteDown()) as called, session.ws_connect(called.url + "/peer") as socket:
        if isinstance(message, str):
            await socket.send_str(message)
        else:
            await socket.send_bytes(message)
        got = await socket.receive()
        assert got.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        await until(lambda: called.door.turned_away["handshake"] == 1, "the end of that link")
        assert not called.end.events
        assert called.door.handshakes == called.door.inside == 0


async def _open(session: aiohttp.ClientSession, called: Served) -> tuple[aiohttp.ClientWebSocketResponse, Channel]:
    """Open a channel by hand, to send what no link would."""
    socket = await session.ws_connect(called.url + "/peer", max_msg_size=0)
    stranger = WroteDown()
    announced = stranger.announcer.current
    assert announced is not None
    channel = Channel.initiate(channel_key(stranger.key), announced.envelope, entropy=os.urandom, now=now())
    (hello,) = channel.start()
    assert isinstance(hello, Transmit)
    await socket.send_bytes(hello.data)
    for output in channel.handle((await socket.receive()).data, now()):
        if isinstance(output, Transmit):
            await socket.send_bytes(output.data)
    await called.end.first(LinkUp)
    return socket, channel


@pytest.mark.parametrize("wrong", ["text", "oversize", "forged", "replayed"])
async def test_an_open_link_ends_at_what_breaks_the_rules(session: aiohttp.ClientSession, wrong: str) -> None:
    async with served(WroteDown()) as called:
        socket, channel = await _open(session, called)
        sealed = channel.seal(b"good", now())
        await socket.send_bytes(sealed)
        await called.end.first(FrameIn)
        match wrong:
            case "text":
                await socket.send_str("good")
            case "oversize":
                await socket.send_bytes(bytes(65_536))
            case "forged":
                await socket.send_bytes(bytes(82))
            case _:
                await socket.send_bytes(sealed)
        await called.end.first(LinkDown)
        assert called.end.gate.ended["malformed"] == 1
        assert len(called.end.all(FrameIn)) == 1
        await socket.close()


async def test_a_slow_handshake_is_cut(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(WroteDown()) as called:
        original = called.end.gate._link

        def impatient(*args: object, **more: object) -> object:
            link = original(*args, **more)  # type: ignore[arg-type]
            link.handshake_seconds = 0.05
            return link

        monkeypatch.setattr(type(called.end.gate), "_link", lambda _self, *args, **more: impatient(*args, **more))
        async with session.ws_connect(called.url + "/peer") as socket:
            assert (await socket.receive()).type is not aiohttp.WSMsgType.BINARY
        await until(lambda: called.end.gate.ended["late"] == 1, "the end of that link")
        assert called.door.handshakes == 0


async def test_no_more_handshakes_than_there_is_room_for(session: aiohttp.ClientSession) -> None:
    async with served(WroteDown()) as called:
        called.door.handshakes_max = 3
        waiting = [await session.ws_connect(called.url + "/peer") for _ in range(3)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(called.url + "/peer")
        assert refused.value.status == 503
        # An open link is no handshake any more, and a place that becomes free is given again.
        await waiting.pop().close()
        await until(lambda: called.door.handshakes == 2, "a free place")
        caller = WroteDown()
        caller.dial(called.url)
        await caller.first(LinkUp)
        await until(lambda: called.door.handshakes == 2, "the handshake's end")
        caller.dial(called.url)
        await caller.first(LinkUp, 2)
        await caller.close()
        for socket in waiting:
            await socket.close()


async def test_failed_handshakes_close_the_door_to_that_address_only(session: aiohttp.ClientSession) -> None:
    async with served(WroteDown(), trust_header=True) as called:
        bad = {"X-Forwarded-For": "203.0.113.7"}
        for number in range(bounds.HANDSHAKES_FAILED_MAX):
            async with session.ws_connect(called.url + "/peer", headers=bad) as socket:
                await socket.send_bytes(b"nonsense")
                await socket.receive()
            await until(lambda number=number: called.door.turned_away["handshake"] == number + 1, "a failure")  # type: ignore[misc]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(called.url + "/peer", headers=bad)
        assert refused.value.status == 429
        async with session.ws_connect(called.url + "/peer", headers={"X-Forwarded-For": "203.0.113.8"}):
            pass
        # A minute later they are forgiven.
        later = clock_after(called, bounds.HANDSHAKES_FAILED_SECONDS + 1)
        called.door.monotonic = later
        async with session.ws_connect(called.url + "/peer", headers=bad):
            pass


def clock_after(called: Served, seconds: float):  # type: ignore[no-untyped-def]
    """The door's clock, so much later."""
    present = called.door.monotonic
    return lambda: present() + seconds


async def test_one_address_and_all_together_hold_only_so_many_links(session: aiohttp.ClientSession) -> None:
    async with served(WroteDown(), trust_header=True) as called:
        called.door.per_address_max, called.door.inbound_max = 2, 4
        sockets = []
        for address, status in [("a", 0), ("a", 0), ("a", 429), ("b", 0), ("c", 0), ("d", 503)]:
            request = session.ws_connect(called.url + "/peer", headers={"X-Forwarded-For": address})
            if status:
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await request
                assert refused.value.status == status
            else:
                sockets.append(await request)
        assert called.door.inside == 4
        for socket in sockets:
            await socket.close()
        await until(lambda: called.door.inside == 0, "an empty door")
        assert not called.door.addresses


async def test_a_peer_that_does_not_read_is_left(session: aiohttp.ClientSession) -> None:
    async with served(WroteDown()) as called:
        socket, _ = await _open(session, called)
        link = called.end.gate.links[called.end.all(LinkUp)[0].link]
        link.stall_seconds = 0.2
        # Nobody reads at the other end: the buffers of both systems fill, then the link's own.
        while link.number in called.end.gate.links:
            if link.waiting_bytes < bounds.QUEUE_BYTES_MAX // 2:
                link.send(bytes(60_000))
            await asyncio.sleep(0)
        assert called.end.gate.ended["stalled"] == 1
        await socket.close()


async def test_a_queue_that_overflows_ends_the_link(session: aiohttp.ClientSession) -> None:
    async with served(WroteDown()) as called:
        socket, _ = await _open(session, called)
        link = called.end.gate.links[called.end.all(LinkUp)[0].link]
        for _ in range(bounds.QUEUE_BYTES_MAX // 60_000 + 2):
            link.send(bytes(60_000))
        assert link.waiting_bytes <= bounds.QUEUE_BYTES_MAX
        await called.end.first(LinkDown)
        assert called.end.gate.ended["stalled"] == 1
        await socket.close()


async def test_what_waits_to_be_judged_holds_its_sender_back() -> None:
    gates = asyncio.Event()
    called = WroteDown()

    async def room(link: LinkId) -> None:
        await gates.wait()

    called.room = room
    caller = WroteDown()
    async with served(called) as door:
        caller.dial(door.url)
        here = (await caller.first(LinkUp)).link
        link = caller.gate.links[here]
        sent = 0
        while link.waiting_bytes < bounds.QUEUE_BYTES_MAX // 2:
            link.send(bytes(60_000))
            sent += 1
            await asyncio.sleep(0)
        assert not called.all(FrameIn)
        gates.set()
        await until(lambda: len(called.all(FrameIn)) == sent, "all that was held back")
        await caller.close()


async def test_goodbye_says_what_was_queued_before_it() -> None:
    async with two_ends() as (caller, called):
        caller.dial(called.url)
        link = caller.gate.links[(await caller.first(LinkUp)).link]
        for number in range(100):
            link.send(b"word %d" % number)
        await caller.close()
        await called.end.first(LinkDown)
        assert [each.frame for each in called.end.all(FrameIn)] == [b"word %d" % number for number in range(100)]


async def test_many_dials_at_once_take_turns() -> None:
    async with two_ends() as (caller, called):
        for _ in range(40):
            caller.dial(called.url)
        await until(lambda: len(caller.all(LinkUp)) == 40, "forty links")
        caller.dial("http://127.0.0.1:1")
        assert "cannot be reached" in (await _why(caller, "http://127.0.0.1:1"))


async def _why(caller: WroteDown, address: str) -> str:
    await until(lambda: address in caller.gate.failed, "a failed dial")
    return caller.gate.failed[address]


async def test_a_server_that_redirects_or_is_no_node() -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPFound("/a/peer")

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def silent(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close()
        return socket

    app = web.Application()
    app.add_routes([web.get("/moved/peer", elsewhere), web.get("/page/peer", page), web.get("/a/peer", silent)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    caller = WroteDown()
    try:
        for path, words in {
            "/moved": "no redirects",
            "/page": "status 200",
            "/nothing": "status 404",
            "/a": "does not speak as a node",
        }.items():
            caller.dial(base + path)
            assert words in await _why(caller, base + path)
        assert len(caller.all(DialFailed)) == 4
    finally:
        await caller.close()
        await runner.cleanup()


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    caller = WroteDown(dialer=Dialer(connect_seconds=0.1))
    caller.dial(address)
    assert "in time" in await _why(caller, address)
    await caller.close()
    server.close()
    await server.wait_closed()
