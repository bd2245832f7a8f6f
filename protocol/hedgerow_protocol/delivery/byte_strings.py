"""Byte strings that are hashed or signed: a label and fields, each with its length in front.

So no two lists of fields ever give the same bytes, and no signature made for one purpose stands for another.
"""

import struct
from typing import Final

from hedgerow_protocol.errors import LocalError

FIELD_BYTES_MAX: Final = 65_535
"""Bytes. What two bytes of length can say."""


def lp(field: bytes) -> bytes:
    """Two bytes of length, big-endian, and the field."""
    if len(field) > FIELD_BYTES_MAX:
        raise LocalError("A field of a signed byte string has at most 65,535 bytes.")
    return len(field).to_bytes(2, "big") + field


def u64(value: int) -> bytes:
    """A whole number as eight bytes, big-endian."""
    return struct.pack(">Q", value)


def labelled(label: bytes, *fields: bytes | int) -> bytes:
    """``lp(label) ‖ lp(field) ‖ …``; numbers as eight bytes."""
    return lp(label) + b"".join([lp(u64(each) if isinstance(each, int) else each) for each in fields])
