"""The door itself: names it answers to, rates, sizes, deadlines, counts, proxies; over real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient

from hedgerow_node.directory.query import Query
from hedgerow_node.http import bounds
from hedgerow_node.http.connections import Door, PatientHandler, listen
from hedgerow_node.http.server import Street, open_street
from hedgerow_node.http.site import SITE
from hedgerow_node.http.webui import Asset
from hedgerow_protocol.ports import Timestamp
from http_site import SAMPLE, Clock, FoundPage, MemoryDirectory, make_app, put


@pytest.fixture
async def app(tmp_path: Path) -> web.Application:
    directory = MemoryDirectory()
    await put(directory, SAMPLE)
    return make_app(tmp_path, directory, base_url="https://groups.example.org", trusted_proxies=("127.0.0.9",))


@pytest.fixture
async def client(aiohttp_client: Any, app: web.Application) -> TestClient:
    return await aiohttp_client(app)


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    directory = MemoryDirectory()
    opened = await open_street(make_app(tmp_path, directory), "127.0.0.1", 0)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("groups.example.org", 200),
        ("GROUPS.example.org:443", 200),
        ("localhost:8470", 200),
        ("127.0.0.1", 200),
        ("[::1]:8470", 200),
        ("192.168.1.5:8470", 200),
        ("raspberrypi", 200),
        ("hedgerow.local:8470", 200),
        ("abcdefabcdef.onion", 200),
        ("evil.example.com", 421),
        ("groups.example.org.evil.com", 421),
        ("groups.example.org@evil.com", 421),
        ("a b", 421),
        ("evil.com:99999999", 421),
    ],
)
async def test_only_our_own_names_are_answered(client: TestClient, host: str, status: int) -> None:
    response = await client.get("/api/v1/status", headers={"Host": host})
    assert response.status == status


async def test_a_public_node_behind_a_proxy(aiohttp_client: Any, tmp_path: Path) -> None:
    app = make_app(tmp_path, MemoryDirectory(), base_url="https://groups.example.org", trusted_proxies=("127.0.0.1",))
    client = await aiohttp_client(app)
    forwarded = {
        "X-Forwarded-For": "6.6.6.6, 203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "groups.example.org",
    }
    response = await client.get("/", headers=forwarded)
    assert response.status == 200
    assert "Cross-Origin-Opener-Policy" in response.headers
    plain = await client.get("/", headers=forwarded | {"X-Forwarded-Proto": "http"})
    assert "Cross-Origin-Opener-Policy" not in plain.headers, "browsers warn about it on plain http"
    response = await client.get("/", headers=forwarded | {"X-Forwarded-Host": "evil.example.com"})
    assert response.status == 421


async def test_a_stranger_cannot_choose_his_address(aiohttp_client: Any, tmp_path: Path) -> None:
    app = make_app(tmp_path, MemoryDirectory())
    app[SITE].limit_loopback = True
    client = await aiohttp_client(app)
    for number in range(int(bounds.REQUESTS_BURST)):
        response = await client.get("/healthz", headers={"X-Forwarded-For": f"10.0.0.{number}"})
        assert response.status == 200
    response = await client.get("/healthz", headers={"X-Forwarded-For": "10.9.9.9"})
    assert response.status == 429


async def test_too_many_requests(aiohttp_client: Any, tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, MemoryDirectory(), clock)
    app[SITE].limit_loopback = True
    client = await aiohttp_client(app)
    statuses = [(await client.get("/healthz")).status for _ in range(int(bounds.REQUESTS_BURST) + 5)]
    assert statuses.count(200) == bounds.REQUESTS_BURST
    assert statuses[-1] == 429
    response = await client.get("/")
    assert response.status == 429
    assert int(response.headers["Retry-After"]) >= 1
    assert "<h1" in await response.text()
    clock.elapsed += 2
    assert (await client.get("/healthz")).status == 200


async def test_large_bodies(client: TestClient) -> None:
    response = await client.post("/", data={"q": "x" * (bounds.BODY_BYTES_MAX + 1)})
    assert response.status == 413
    response = await client.post("/", data={f"f{number}": "x" for number in range(bounds.FIELDS_MAX + 1)})
    assert response.status == 413
    response = await client.post("/", data=b"{}", headers={"Content-Type": "application/json"})
    assert response.status == 415
    response = await client.get("/?" + "a" * bounds.TARGET_CHARACTERS_MAX)
    assert response.status == 414


async def test_strange_forms(client: TestClient) -> None:
    for body in (b"%", b"q=%ff%fe", b"=&=&=", b"q=" + b"%00" * 50, "q=🦔".encode(), b"weekday=1&weekday=9&weekday=x"):
        response = await client.post("/", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert response.status in (200, 400), body
    body = b'--x\r\nContent-Disposition: form-data; name="q"\r\n\r\nvoices'
    response = await client.post("/", data=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert response.status in (200, 400)


async def test_nothing_asked_reaches_a_log(street: Street, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (address,) = street.addresses
    async with ClientSession() as session:
        await session.post(f"{address}/", data={"q": "zanzibar", "town": "zanzibar"})
        for path in ("/?experience=zanzibar&near=zanzibar", "/api/v1/listings?q=zanzibar", "/listings/zanzibar"):
            await session.get(f"{address}{path}")
    await raw(street, b"ZANZIBAR zanzibar\r\n\r\n")
    said = " ".join(record.getMessage() for record in caplog.records if record.name != "asyncio").lower()
    assert "zanzibar" not in said
    assert "127.0.0.1" not in said


class BrokenDirectory(MemoryDirectory):
    """A directory with a bug."""

    async def search(self, query: Query, *, now: Timestamp) -> FoundPage:
        word = "zan" + "zibar"  # in pieces, because a log may quote this very line
        raise ValueError(word)


async def test_a_bug_is_one_calm_sentence(
    aiohttp_client: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = await aiohttp_client(make_app(tmp_path, BrokenDirectory()))
    for path in ("/api/v1/listings?q=a", "/"):
        response = await client.get(path)
        assert response.status == 500
        text = await response.text()
        assert "zanzibar" not in text
        assert "Traceback" not in text
    assert "ValueError" in caplog.text
    assert "zanzibar" not in caplog.text


async def raw(street: Street, *parts: bytes) -> bytes:
    """Send bytes as they are and read until the server closes."""
    host, port = street.server.sockets[0].getsockname()[:2]
    reader, writer = await asyncio.open_connection(host, port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def test_what_is_not_http(street: Street) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n" * 100):
        answer = await raw(street, nonsense + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400") or answer.startswith(b"HTTP/1.0 400"), nonsense
        assert b"aiohttp" not in answer
        assert b"Python" not in answer
        assert b"Traceback" not in answer


async def test_many_headers(street: Street) -> None:
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(bounds.HEADERS_MAX + 10))
    answer = await raw(street, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n")
    assert b" 400 " in answer.split(b"\r\n")[0]


async def test_addresses(street: Street) -> None:
    (address,) = street.addresses
    async with ClientSession() as session, session.get(f"{address}/healthz") as response:
        assert response.status == 200
        assert "Server" not in response.headers


@dataclass(slots=True)
class WatchedDoor(Door):
    """A door that tells when somebody went."""

    left: asyncio.Event = field(default_factory=asyncio.Event)

    def leave(self, handler: PatientHandler) -> None:
        super(WatchedDoor, self).leave(handler)
        self.left.set()


class Slow:
    """A server with short deadlines, and raw connections to it."""

    def __init__(self, app: web.Application, server: asyncio.Server, door: WatchedDoor) -> None:
        self.app = app
        self.server = server
        self.door = door

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self.server.sockets[0].getsockname()[:2]
        return await asyncio.open_connection(host, port)


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[Slow]:
    app = make_app(tmp_path, MemoryDirectory())
    runner = web.AppRunner(app)
    await runner.setup()
    door = WatchedDoor(
        app[SITE].callers, head_seconds=0.05, idle_seconds=0.5, stall_seconds=0.05, per_address_max=4,
        limit_loopback=True, sweep_seconds=0.02,
    )  # fmt: skip
    server = await listen(runner, door, "127.0.0.1", 0)
    yield Slow(app, server, door)
    server.close()
    await runner.cleanup()
    door.stop()


async def test_half_a_request_is_not_waited_for(slow: Slow) -> None:
    for beginning in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n"):
        reader, writer = await slow.connect()
        writer.write(beginning)
        async with asyncio.timeout(5):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()
    assert slow.door.refused >= 2
    assert not slow.door.handlers


async def test_a_whole_request_is_answered_and_then_closed(slow: Slow) -> None:
    reader, writer = await slow.connect()
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await reader.read()
    writer.close()


async def test_one_address_holds_few_connections(slow: Slow) -> None:
    held = [await slow.connect() for _ in range(8)]
    async with asyncio.timeout(5):
        for reader, writer in held:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()
    assert slow.door.refused >= 4
    assert not slow.door.addresses


async def test_half_a_form_is_not_waited_for(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BODY_SECONDS_MAX", 0.05)
    reader, writer = await slow.connect()
    writer.write(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nq=a"
    )
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
        await reader.read()
    writer.close()


async def test_a_reader_that_takes_nothing_is_left(slow: Slow) -> None:
    reader, writer = await slow.connect()
    slow.app[SITE].webui.loaded["big.js"] = Asset(bytes(30_000_000), None, None, "text/javascript")
    writer.write(b"GET /assets/big.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
    writer.transport.pause_reading()
    async with asyncio.timeout(5):
        await slow.door.left.wait()
    assert slow.door.refused == 1
    writer.transport.abort()
    del reader
