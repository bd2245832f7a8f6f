"""Whatever a stranger or a member's broken program sends: a problem document, never a crash, never a silence."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hedgerow_node.http import bounds
from hedgerow_node.http.member.table import MEMBER_ROUTES
from member_devices import Device, b64, new_id
from member_node import MemberNode, member_node

ROUTES = [(route.method, route.path.removeprefix("/api/v1")) for route in MEMBER_ROUTES]
ANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = (
    "id", "proof", "proof_hash", "expires", "uses", "room", "note", "invite", "account_key", "device", "token_hash",
    "challenge", "signature", "ask", "ref", "consent", "key_package", "mailbox", "consent_hash", "kind", "epoch",
    "seen", "payload", "welcomes", "removes", "acknowledged", "seq", "version", "body",
)  # fmt: skip


@pytest.fixture(scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MemberNode]:
    async with member_node(tmp_path_factory.mktemp("any") / "data") as node:
        pace = node.desk.pace
        pace.requests._per_second = pace.sent._per_second = 1e12  # this person is very quick
        pace.requests._burst = pace.sent._burst = 1e12
        yield node


@pytest.fixture(scope="module")
async def member(at: MemberNode) -> Device:
    device = await at.member()
    await device.found()
    return device


def values(member: Device) -> st.SearchStrategy[Any]:
    """Values that almost fit."""
    (room,) = member.rooms
    sizes = st.sampled_from([0, 1, 15, 16, 17, 31, 32, 33, 64, 300])
    texts = sizes.map(lambda size: b64(os.urandom(size)))
    known = st.sampled_from([room, member.rooms[room], member.id, "commit", "message", "index"])
    numbers = st.integers() | st.sampled_from([0, 1, 2**53, -1, 1.5, 1e400])
    plain = st.none() | st.booleans() | numbers | texts | known | st.text(max_size=30)
    return st.recursive(
        plain,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=6)
        ),
        max_leaves=15,
    )


def paths(member: Device, path: str) -> st.SearchStrategy[str]:
    """An address of the table with its places filled in, rightly or wrongly."""
    (room,) = member.rooms
    fill = st.sampled_from(
        [
            room,
            member.rooms[room],
            member.id
            if not path.startswith("/devices")
            else new_id(),  # who is revoked is not there for the next example
            new_id(),
            b64(os.urandom(32)),
            "x",
            "%00",
            "..",
            "index",
            "a",
            "🦔",
            "A" * 300,
        ]
    ) | st.text(
        st.characters(blacklist_characters="/?#%\\", blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12
    )
    parts = [fill if part.startswith("{") else st.just(part) for part in path.split("/")]
    query = st.sampled_from(["", "?", "?after=1&limit=2", "?after=-1", "?limit=x", "?room=", f"?room={room}", "?x=%ff"])
    return st.tuples(st.tuples(*parts).map("/".join), query).map("".join)


def check(status: int, body: bytes, kind: str, headers: Any) -> None:
    assert status < 500, body
    assert "Access-Control-Allow-Origin" in headers or status in (405, 421)
    if status >= 400:
        assert kind == "application/problem+json", body
        problem = json.loads(body)
        assert problem["status"] == status
        assert problem["detail"]
        assert "Traceback" not in problem["detail"]


async def send(member: Device, method: str, path: str, body: bytes, kind: str = "application/json") -> None:
    headers = {"Authorization": f"Bearer {b64(member.token)}", "Content-Type": kind}
    async with member.http.request(method, member.api + path, data=body, headers=headers) as response:
        check(response.status, await response.read(), response.content_type, response.headers)


SAFE = [route for route in ROUTES if route not in (("DELETE", "/accounts/self"), ("GET", "/live"))]
"""A member who removes the own account is not there for the next example."""


@ANY
@given(data=st.data())
async def test_any_json(at: MemberNode, member: Device, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(SAFE))
    body = json.dumps(data.draw(values(member))).encode()
    await send(member, method, data.draw(paths(member, path)), body)
    assert (await member.ask("GET", "/accounts/self")).status == 200


@ANY
@given(data=st.data(), body=st.binary(max_size=400), kind=st.sampled_from(["application/json", "text/plain", "x/y"]))
async def test_any_bytes(at: MemberNode, member: Device, data: st.DataObject, body: bytes, kind: str) -> None:
    method, path = data.draw(st.sampled_from(SAFE))
    await send(member, method, data.draw(paths(member, path)), body, kind)


@ANY
@given(data=st.data())
async def test_a_submission_with_one_field_changed(at: MemberNode, member: Device, data: st.DataObject) -> None:
    (room,) = member.rooms
    said = member.message(room)
    name = data.draw(st.sampled_from([*said, "welcomes", "removes"]))
    said[name] = data.draw(values(member))
    await send(member, "POST", f"/rooms/{room}/log", json.dumps(said).encode())


@ANY
@given(said=st.binary(max_size=60))
async def test_any_authorization(at: MemberNode, member: Device, said: bytes) -> None:
    text = said.decode("latin-1").translate(dict.fromkeys([*range(32), 127])).strip()
    async with member.http.get(f"{member.api}/mailbox", headers={"Authorization": text}) as response:
        check(response.status, await response.read(), response.content_type, response.headers)
        assert response.status == 401


@pytest.mark.parametrize(("method", "path"), SAFE)
async def test_a_body_that_is_too_large_is_not_read(at: MemberNode, member: Device, method: str, path: str) -> None:
    if method not in ("POST", "PUT"):
        return
    (room,) = member.rooms
    names = {"{hash}": b64(os.urandom(32)), "{name}": "index", "{side}": "a", "{ref}": b64(os.urandom(32))}
    where = "/".join(
        names.get(part, room if "/rooms/" in path and part == "{id}" else new_id()) if part.startswith("{") else part
        for part in path.split("/")
    )
    where += f"?room={room}" if "blobs" in path else ""
    host, _, port = at.node.street.addresses[0].removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    size = 64 * 1024 * 1024
    token = f"Authorization: Bearer {b64(member.token)}\r\n"
    head = f"{method} /api/v1{where} HTTP/1.1\r\nHost: localhost\r\n{token}Content-Length: {size}\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(20):
        line = await reader.readline()  # answered though not one byte of the body came
    writer.close()
    assert line.startswith(b"HTTP/1.1 413"), line


async def test_a_large_body_must_say_how_long_it_is(at: MemberNode, member: Device) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 1000

    headers = {"Authorization": f"Bearer {b64(member.token)}"}
    (room,) = member.rooms
    url = f"{member.api}/blobs/{b64(os.urandom(32))}?room={room}"
    async with member.http.put(url, data=pieces(), headers=headers) as response:
        assert response.status == 411
    async with member.http.post(f"{member.api}/rooms", data=pieces(), headers=headers) as response:
        assert response.status == 400, "a small one need not"


async def test_compressed_bodies_are_not_taken(at: MemberNode, member: Device) -> None:
    answer = await member.ask("POST", "/rooms", {"room": "x"}, headers={"Content-Encoding": "gzip"})
    assert answer.status == 415


async def test_bodies_have_a_bound_together(at: MemberNode, member: Device) -> None:
    from hedgerow_node.http.member.body import BODIES

    bodies = at.node.street.runner.app[BODIES]
    assert bodies.held == 0, "what was read is let go"
    bodies.held_max, before = 10, bodies.held_max
    try:
        answer = await member.ask("POST", "/rooms", {"room": "x" * 20})
        assert answer.status == 503
        assert answer.headers["Retry-After"]
    finally:
        bodies.held_max = before
    assert bodies.held == 0
    assert (await member.ask("POST", "/rooms", {"room": "x" * 20})).status == 400


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_page_of_any_origin_may_ask(at: MemberNode, member: Device, method: str, path: str) -> None:
    where = "/".join(new_id() if part.startswith("{") else part for part in path.split("/"))
    for origin in ("null", "https://elsewhere.example", "file://"):
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        async with member.http.options(member.api + where, headers=asked) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert method in response.headers["Access-Control-Allow-Methods"].split(", ")
            allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
            assert {"authorization", "content-type", "invite-proof"} <= set(allowed)
            assert "Access-Control-Allow-Credentials" not in response.headers
        if path != "/live":
            fetched = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"}
            async with member.http.request(method, member.api + where, data=b"{", headers=fetched) as response:
                assert response.status in (400, 401, 404, 200), "never refused for its origin"
                assert response.headers["Access-Control-Allow-Origin"] == "*"
    # A stranger's name that points here is another matter.
    async with member.http.request(method, member.api + where, headers={"Host": "evil.example.com"}) as response:
        assert response.status == 421
        assert "Access-Control-Allow-Origin" not in response.headers


# --- the live socket


async def live(member: Device) -> aiohttp.ClientWebSocketResponse:
    return await member.http.ws_connect(f"{member.api}/live", max_msg_size=0)


async def code_after(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while True:
        message = await socket.receive(timeout=20)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
            return socket.close_code


FRAMES = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["acknowledge", "ping", "token", "entries", "submit", "n"]),
        st.recursive(st.none() | st.integers() | st.text(max_size=50), lambda inner: st.lists(inner, max_size=3)),
        max_size=3,
    ).map(json.dumps),
)


def submissions(member: Device) -> st.SearchStrategy[str]:
    """Frames that almost hold a submission, and some that do."""
    (room,) = member.rooms
    right = {"room": room, **member.message(room)}
    bent = st.dictionaries(st.sampled_from([*right, "welcomes", "removes"]), values(member), max_size=3)
    said = bent.map(lambda fields: right | {"id": new_id()} | fields) | values(member)
    frames = st.tuples(said, st.integers(0, 2**53 - 1)).map(lambda pair: {"submit": pair[0], "n": pair[1]})
    return frames.map(json.dumps).filter(lambda frame: "Infinity" not in frame)  # which is not JSON


@ANY
@given(frame=FRAMES)
async def test_any_first_frame(at: MemberNode, member: Device, frame: str | bytes) -> None:
    socket = await live(member)
    await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
    assert await code_after(socket) == 4401
    assert at.desk.receivers.many == 0


@ANY
@given(data=st.data())
async def test_any_submission_over_the_socket(at: MemberNode, member: Device, data: st.DataObject) -> None:
    """Each is answered, by its number, and none of them closes the socket."""
    frames = data.draw(st.lists(submissions(member), min_size=1, max_size=4))
    ear = await member.listen()
    for frame in frames:
        await ear.socket.send_str(frame)
    expected = sorted(json.loads(frame)["n"] for frame in frames)
    answered: list[int] = []
    while len(answered) < len(frames):
        said = await ear.frame()
        if "refused" in said:
            assert 400 <= said["status"] < 500, said
            assert said["detail"]
        answered += [said[how] for how in ("submitted", "refused") if how in said]
    assert sorted(answered) == expected
    await ear.ping()
    await ear.socket.close()


@ANY
@given(frames=st.lists(FRAMES, min_size=1, max_size=4))
async def test_any_later_frame(at: MemberNode, member: Device, frames: list[str | bytes]) -> None:
    ear = await member.listen()
    try:
        for frame in frames:
            await (ear.socket.send_bytes(frame) if isinstance(frame, bytes) else ear.socket.send_str(frame))
        await ear.socket.send_json({"ping": 9})
        while True:
            message = await ear.socket.receive(timeout=20)
            if message.type is not aiohttp.WSMsgType.TEXT:
                assert ear.socket.close_code == 1003
                break
            if json.loads(message.data).get("pong") == 9:
                break
    except aiohttp.ClientConnectionResetError:
        pass  # closed while we were still sending
    finally:
        await ear.socket.close()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("x" * (bounds.LIVE_MESSAGE_BYTES_MAX + 1), 1009),
        (json.dumps({"acknowledge": [["A" * 43, 1]] * 201}), 1003),
        (json.dumps({"acknowledge": [["A" * 43, -1]]}), 1003),
        (json.dumps({"acknowledge": [["A" * 42, 1]]}), 1003),
        (json.dumps({"submit": {}}), 1003),
        (json.dumps({"submit": {}, "n": -1}), 1003),
        (json.dumps({"submit": {}, "n": 2**53}), 1003),
        (json.dumps({"submit": {}, "n": "1"}), 1003),
        (b"\x00", 1003),
    ],
)
async def test_what_closes_a_socket(at: MemberNode, member: Device, frame: str | bytes, code: int) -> None:
    ear = await member.listen()
    await (ear.socket.send_bytes(frame) if isinstance(frame, bytes) else ear.socket.send_str(frame))
    assert await ear.closed() == code


async def test_not_a_websocket(at: MemberNode, member: Device) -> None:
    answer = await member.ask("GET", "/live")
    assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
    for headers in (
        {"Upgrade": "websocket"},
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "é"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "99", "Sec-WebSocket-Key": "A" * 24},
    ):
        answer = await member.ask("GET", "/live", headers=headers)
        assert answer.status == 400
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_half_a_body_is_not_waited_for(at: MemberNode, member: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BODY_SECONDS_MAX", 0.2)
    host, _, port = at.node.street.addresses[0].removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    token = f"Authorization: Bearer {b64(member.token)}\r\n"
    writer.write(
        f"POST /api/v1/rooms HTTP/1.1\r\nHost: localhost\r\n{token}Content-Length: 100\r\n\r\n".encode() + b"{"
    )
    async with asyncio.timeout(20):
        answer = await reader.read()  # to the end: the connection is closed, too
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert b"application/problem+json" in answer
