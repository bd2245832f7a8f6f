"""WebSocket frames built once and written to many (RFC 6455, 5.2: what a server sends is not masked)."""

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from hedgerow_node.http import bounds

_FIN_TEXT: Final = 0x81
_FIN_CLOSE: Final = 0x88


def text_frame(payload: bytes) -> bytes:
    """One whole text frame. ``payload`` is UTF-8."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN_TEXT, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", _FIN_TEXT, 126, size) + payload
    return struct.pack("!BBQ", _FIN_TEXT, 127, size) + payload


def close_frame(code: int) -> bytes:
    """The frame that ends a socket (RFC 6455, 5.5.1)."""
    return struct.pack("!BBH", _FIN_CLOSE, 2, code)


def entries_frames(entries: Sequence[bytes]) -> bytes:
    """Frames of ``{"entries":[…]}`` for entries that are JSON already: one, or more where one would be too large."""
    return b"".join(text_frame(b'{"entries":[' + b",".join(part) + b"]}") for part in _parts(entries))


def _parts(entries: Iterable[bytes]) -> Iterable[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for each in entries:
        if part and size + len(each) > bounds.LIVE_FRAME_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(each)
        size += len(each) + 1
    if part:
        yield part
