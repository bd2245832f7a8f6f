"""Where a page ended, as an opaque text that only the same search can go on from."""

import struct
from dataclasses import dataclass

from hedgerow_node.directory.query import Query, bad_cursor
from hedgerow_protocol import base64url

_LAYOUT = struct.Struct(">4sBqq")


@dataclass(frozen=True, slots=True)
class Place:
    """``top`` and ``skip``: for lists the highest number still to look at and how many of that block were seen; around
    a point the millimetres already covered and the number of the last listing shown at that distance."""

    top: int
    skip: int


_LISTS, _AROUND = 1, 2


def write_cursor(query: Query, place: Place) -> str:
    """The text of a place."""
    kind = _LISTS if query.near is None else _AROUND
    packed = _LAYOUT.pack(query.fingerprint(), kind, place.top, place.skip)
    return base64url.encode(packed)


def read_cursor(query: Query) -> Place | None:
    """The place in a query's cursor; ``None`` at the beginning. Raises :class:`QueryError`."""
    if not query.cursor:
        return None
    try:
        packed = base64url.decode(query.cursor)
        fingerprint, kind, top, skip = _LAYOUT.unpack(packed)
    except (struct.error, ValueError):
        raise bad_cursor() from None
    expected = _LISTS if query.near is None else _AROUND
    if fingerprint != query.fingerprint() or kind != expected or top < 0 or skip < 0:
        raise bad_cursor()
    return Place(top, skip)
