"""``/api/v1/blobs``, ``/sealed`` and ``/rendezvous``: bytes that are kept for members, and that only they can open."""

from typing import Literal

from aiohttp import hdrs, web

from hedgerow_node.delivery.doors import Session
from hedgerow_node.http import bounds
from hedgerow_node.http.member.answering import answer, done
from hedgerow_node.http.member.body import read_body, read_fields
from hedgerow_node.http.member.desk import Desk
from hedgerow_node.http.member.paths import id_in, id_of_query
from hedgerow_node.http.problems import not_found
from hedgerow_node.http.site import SITE
from hedgerow_protocol import base64url, limits
from hedgerow_protocol.delivery.values import BLOB_HASH_BYTES, ROOM_ID_BYTES, BlobHash, RoomId

PLACE_BYTES = 16
"""Bytes. The name of a meeting place, which both devices know from the code that one shows the other."""


def _blob_of(request: web.Request) -> tuple[RoomId, BlobHash]:
    room = RoomId(id_of_query(request, "room", ROOM_ID_BYTES))
    return room, BlobHash(id_in(request, "hash", BLOB_HASH_BYTES))


async def put_blob(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``PUT /blobs/{hash}?room=``: a file's ciphertext."""
    room, blob = _blob_of(request)
    data = await read_body(request, limits.BLOB_BYTES_MAX)
    await desk.delivery.put_blob(session, room, blob, data, now=request.app[SITE].now())
    return done()


async def blob(request: web.Request, desk: Desk, session: Session) -> web.StreamResponse:
    """``GET /blobs/{hash}?room=``."""
    found = await desk.delivery.blob(session, *_blob_of(request))
    return web.FileResponse(found.path, headers={hdrs.CONTENT_TYPE: "application/octet-stream"})


async def sealed(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /sealed/{name}``."""
    row = await desk.accounts.sealed(session, request.match_info["name"])
    return answer({"version": row.version, "body": base64url.encode(row.body)})


async def put_sealed(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``PUT /sealed/{name}``: compare and swap, so that two devices cannot write over each other."""
    name = request.match_info["name"]
    size_max = limits.SEALED_INDEX_BYTES_MAX if name == "index" else limits.SEALED_VAULT_BYTES_MAX
    said = await read_fields(request, base64url.length_of(size_max) + bounds.JSON_AROUND_BYTES_MAX)
    version = said.whole("version", 1, limits.SEQUENCE_MAX)
    await desk.accounts.put_sealed(session, name, version, said.sized("body", size_max))
    return done()


async def remove_sealed(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``DELETE /sealed/{name}``."""
    await desk.accounts.remove_sealed(session, request.match_info["name"])
    return done()


def _side(request: web.Request) -> Literal["a", "b"]:
    match request.match_info["side"]:
        case "a":
            return "a"
        case "b":
            return "b"
        case _:
            raise not_found("A meeting place has the sides a and b.")


async def leave_at(request: web.Request, desk: Desk) -> web.Response:
    """``PUT /rendezvous/{id}/{side}``: leave something for the other of two devices that link."""
    place, side = id_in(request, "id", PLACE_BYTES), _side(request)
    body = (await read_fields(request)).sized("body", limits.RENDEZVOUS_BYTES_MAX)
    desk.accounts.leave_at(place, side, body, now=request.app[SITE].monotonic())
    return done()


async def found_at(request: web.Request, desk: Desk) -> web.Response:
    """``GET /rendezvous/{id}/{side}``: what that side has left."""
    place, side = id_in(request, "id", PLACE_BYTES), _side(request)
    body = desk.accounts.found_at(place, side, now=request.app[SITE].monotonic())
    if body is None:
        raise not_found("Nothing was left here yet.")
    return answer({"body": base64url.encode(body)})
