"""Bodies made ready to send: compressed once, with a tag by which a browser asks whether they changed."""

import asyncio
import json
import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from aiohttp import web

from hedgerow_node.http import security

COMPRESS_FROM_BYTES = 1_200
"""Bytes. Below one network packet compression gains nothing."""

INLINE_BYTES_MAX = 64 * 1024
"""Bytes. Larger bodies are compressed in a thread, so that the loop answers others meanwhile."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A body in the forms it may be sent in."""

    body: bytes
    gzip: bytes | None
    etag: str
    content_type: str

    @property
    def size(self) -> int:
        """Bytes held in memory."""
        return len(self.body) + len(self.gzip or b"")


def dump(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def gzip_bytes(body: bytes, level: int = 6) -> bytes:
    """gzip (RFC 1952) without name and time, so that equal bodies give equal bytes."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


def make_ready(body: bytes, content_type: str, *, level: int = 6) -> Ready:
    """Compress and tag a body that several visitors will get."""
    packed = gzip_bytes(body, level) if len(body) >= COMPRESS_FROM_BYTES else None
    return Ready(body, packed, f'W/"{blake2b(body, digest_size=12).hexdigest()}"', content_type)


def accepts_gzip(request: web.BaseRequest) -> bool:
    """Whether the browser unpacks gzip."""
    accepted = request.headers.get("Accept-Encoding", "")
    return "gzip" in accepted and "gzip;q=0" not in accepted.replace(" ", "")


def answer_ready(request: web.BaseRequest, ready: Ready, *, cache: str = security.REVALIDATE) -> web.Response:
    """Send a ready body, or 304 when the browser holds it."""
    headers = {"ETag": ready.etag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if request.headers.get("If-None-Match") and ready.etag in request.headers["If-None-Match"]:
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = ready.content_type
    body = ready.body
    if ready.gzip is not None and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        body = ready.gzip
    return web.Response(body=body, headers=headers)


async def answer_once(
    request: web.BaseRequest,
    body: bytes,
    content_type: str,
    *,
    status: int = 200,
    cache: str = security.NO_STORE,
    compress: bool = True,
) -> web.Response:
    """Send a body that only this visitor gets. Do not compress one that holds a secret beside what others chose."""
    headers = {"Content-Type": content_type, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if compress and len(body) >= COMPRESS_FROM_BYTES and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        if len(body) > INLINE_BYTES_MAX:
            body = await asyncio.to_thread(gzip_bytes, body, 4)
        else:
            body = gzip_bytes(body, 4)
    return web.Response(status=status, body=body, headers=headers)
