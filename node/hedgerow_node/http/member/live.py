"""``GET /api/v1/live``: the socket over which a device hears at once what it would otherwise have to ask for.

It carries hints and entries, never the only copy of anything: whoever was away reads the log. Compression is never
agreed to (sizes of compressed secrets speak, and each connection would hold its tables in memory).
"""

import asyncio
import json
from typing import Any, Final

from aiohttp import WSMessage, WSMsgType, hdrs, web

from hedgerow_node.http import bounds
from hedgerow_node.http.member.answering import head_json, hub_json
from hedgerow_node.http.member.bearer import desk_of, token_of
from hedgerow_node.http.member.body import BODIES
from hedgerow_node.http.member.desk import Desk
from hedgerow_node.http.member.fields import parse_json
from hedgerow_node.http.member.frames import text_frame
from hedgerow_node.http.member.lines import NOT_UNDERSTOOD, TOKEN_REFUSED, TOO_MUCH, Receiver
from hedgerow_node.http.member.submitting import Submissions
from hedgerow_node.http.problems import Problem
from hedgerow_node.http.site import SITE
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private.values import Overview
from hedgerow_protocol import base64url
from hedgerow_protocol.delivery.values import ROOM_ID_BYTES, RoomId
from hedgerow_protocol.ratelimit import TokenBucket

_AIOHTTP_MESSAGE_MAX: Final = bounds.LIVE_MESSAGE_BYTES_MAX + 1
"""Bytes. aiohttp refuses a message of exactly its limit."""

_SEQ_MAX: Final = 2**53 - 1

INTERNAL: Final = 1011
"""Close code: something is wrong on this side (RFC 6455, 7.4.1)."""


async def live(request: web.Request) -> web.StreamResponse:
    """Upgrade, wait for the token, then write what happens until either side ends it."""
    desk = desk_of(request)
    if "websocket" not in request.headers.get(hdrs.UPGRADE, "").lower():
        raise Problem(
            426,
            "Devices listen here, over WebSocket. See /api/v1/openapi.json.",
            headers=((hdrs.UPGRADE, "websocket"),),
        )
    if desk.receivers.closed or desk.receivers.many >= desk.receivers.sockets_max:
        raise Problem(503, "This site has no room for more devices just now.", headers=((hdrs.RETRY_AFTER, "30"),))
    socket = web.WebSocketResponse(
        compress=False,
        max_msg_size=_AIOHTTP_MESSAGE_MAX,
        timeout=bounds.LIVE_GOODBYE_SECONDS,
        heartbeat=bounds.LIVE_PING_SECONDS,
        autoclose=False,
        decode_text=False,
    )
    try:
        await socket.prepare(request)
    except (web.HTTPBadRequest, ValueError) as error:  # ValueError: a key that is not even ASCII
        raise Problem(400, "This is not the beginning of a WebSocket (RFC 6455, 4.1).") from error
    transport = request.transport
    if not isinstance(transport, asyncio.WriteTransport):
        return socket
    token = await _first_frame(socket)
    session = await desk.accounts.authenticate(token) if token is not None else None
    if token is None or session is None:
        await socket.close(code=TOKEN_REFUSED)
    elif not desk.receivers.has_room_for(session):
        await socket.close(code=TOO_MUCH)
    else:
        await _serve(request, desk, Receiver(socket, transport, session), token)
    return socket


async def _first_frame(socket: web.WebSocketResponse) -> bytes | None:
    """The token in the first frame; ``None`` when there is none, or none in time."""
    try:
        async with asyncio.timeout(bounds.LIVE_TOKEN_SECONDS_MAX):
            message = await socket.receive()
    except TimeoutError:
        return None
    if message.type is not WSMsgType.TEXT:
        return None
    try:
        frame = parse_json(message.data)
    except Problem:
        return None
    text = frame.get("token") if isinstance(frame, dict) else None
    return token_of(text) if isinstance(text, str) else None


async def _serve(request: web.Request, desk: Desk, receiver: Receiver, token: bytes) -> None:
    receivers = desk.receivers
    receivers.enter(receiver)
    try:
        if await desk.accounts.authenticate(token) is None:
            # Revoked between the first look and entering: from entering on, it would have been told.
            receivers.lines.end(receiver, TOKEN_REFUSED)
        overview = await desk.delivery.overview(receiver.session)
        rooms = [each.room for each in overview.rooms if each.until is None]
        receivers.begin(receiver, rooms, _hello(request, overview))
        await _listen(request, desk, receiver)
    except StoreError:
        receivers.lines.end(receiver, INTERNAL)
        await _listen(request, desk, receiver)
    finally:
        receivers.leave(receiver)


def _hello(request: web.Request, overview: Overview) -> bytes:
    site = request.app[SITE]
    hello = {
        "node_id": base64url.encode(site.node_id),
        "submit_bytes": bounds.LIVE_MESSAGE_BYTES_MAX,
        **overview_json(overview),
    }
    return text_frame(json.dumps({"hello": hello}, separators=(",", ":")).encode())


def overview_json(overview: Overview) -> dict[str, Any]:
    """What waits for a device, as ``GET /mailbox`` and the live socket's hello say it."""
    rooms = [
        {
            "room": base64url.encode(each.room),
            "mailbox": base64url.encode(each.mailbox),
            "acknowledged": each.acknowledged,
            "head": head_json(each.head),
            "until": each.until,
            "notes": each.notes,
            **hub_json(each.hub),
        }
        for each in overview.rooms
    ]
    return {"rooms": rooms, "welcomes": overview.welcomes, "asks": overview.asks}


async def _listen(request: web.Request, desk: Desk, receiver: Receiver) -> None:
    """Read what the device says until its socket ends; after our goodbye, only to hear the answer to it."""
    lines = desk.receivers.lines
    # Both are made when they are needed: most sockets are silent, and there are many.
    bucket: TokenBucket | None = None
    submissions: Submissions | None = None
    site = request.app[SITE]
    while True:
        message = await receiver.socket.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        if receiver.ending is not None:
            continue
        try:
            frame = _frame_of(message)
            if "submit" in frame:
                if submissions is None:
                    submissions = Submissions(desk, request.app[BODIES], receiver, site.now)
                await submissions.take(frame, len(message.data))
            else:
                if bucket is None:
                    bucket = TokenBucket(bounds.LIVE_FRAMES_PER_SECOND, bounds.LIVE_FRAMES_BURST)
                if not bucket.take(1, site.monotonic()):
                    lines.end(receiver, TOO_MUCH)
                    continue
            _hear(desk, receiver, frame)
        except Problem:
            lines.end(receiver, NOT_UNDERSTOOD)


def _frame_of(message: WSMessage) -> dict[str, Any]:
    if message.type is WSMsgType.TEXT:
        frame = parse_json(message.data)
        if isinstance(frame, dict):
            return frame
    raise Problem(400, "A frame is a JSON object in text.")


def _hear(desk: Desk, receiver: Receiver, frame: dict[str, Any]) -> None:
    """Take what is not a submission. Raises Problem. Members nobody knows are passed over."""
    if "acknowledge" in frame:
        desk.acknowledgements.add(receiver.session, _pairs(frame["acknowledge"]))
    ping = frame.get("ping")
    if type(ping) is int and 0 <= ping <= _SEQ_MAX:
        desk.receivers.lines.write(receiver, text_frame(b'{"pong":%d}' % ping))


def _pairs(said: object) -> list[tuple[RoomId, int]]:
    if not isinstance(said, list) or len(said) > bounds.LIVE_ACKNOWLEDGEMENTS_MAX:
        raise Problem(400, "Acknowledgements are a list of pairs.")
    pairs = []
    for each in said:
        if not isinstance(each, list) or len(each) != 2 or not isinstance(each[0], str):
            raise Problem(400, "An acknowledgement is a room and a seq.")
        try:
            room = base64url.decode(each[0])
        except ValueError:
            room = b""
        if len(room) != ROOM_ID_BYTES or type(each[1]) is not int or not 0 <= each[1] <= _SEQ_MAX:
            raise Problem(400, "An acknowledgement is a room and a seq.")
        pairs.append((RoomId(room), each[1]))
    return pairs


LIVE_PATH = "/api/v1/live"
"""Where the socket is."""
