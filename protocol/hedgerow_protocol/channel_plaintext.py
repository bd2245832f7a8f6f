"""The plaintext of a channel's messages: a mark, a length, a frame, and zeros so that its size says little."""

import struct
from dataclasses import dataclass
from typing import Final

from hedgerow_protocol import limits
from hedgerow_protocol.errors import Code, LocalError, RemoteError

SMALL_STEP_BYTES: Final = 64
"""Bytes. Plaintexts of up to 1 KiB grow in these steps: questions, ids and digests look alike."""

LARGE_STEP_BYTES: Final = 512
"""Bytes. Longer plaintexts grow in these steps: below 1 % of a full message is wasted."""

SMALL_PLAINTEXT_BYTES_MAX: Final = 1_024
"""Bytes. Where the small steps end."""

LAST_UNDER_THIS_KEY: Final = 1
"""The mark of a message after which its sender changes to the next key."""

_HEAD = struct.Struct(">BH")


@dataclass(frozen=True, slots=True)
class Plain:
    """What one plaintext holds."""

    frame: bytes
    last: bool
    """Whether the sender's next message comes under the next key."""


def padded_size(size: int) -> int:
    """The size of the plaintext that holds ``size`` bytes of mark, length and frame."""
    step = SMALL_STEP_BYTES if size <= SMALL_PLAINTEXT_BYTES_MAX else LARGE_STEP_BYTES
    return -(-size // step) * step


def pad(plain: Plain) -> bytes:
    """The plaintext of a frame of 1 to ``FRAME_BYTES_MAX`` bytes."""
    size = len(plain.frame)
    if not 1 <= size <= limits.FRAME_BYTES_MAX:
        raise LocalError(f"A frame has 1 to {limits.FRAME_BYTES_MAX} bytes, not {size}.")
    head = _HEAD.pack(LAST_UNDER_THIS_KEY if plain.last else 0, size)
    return (head + plain.frame).ljust(padded_size(_HEAD.size + size), b"\0")


def unpad(plaintext: bytes) -> Plain:
    """The inverse. There is one plaintext for each frame and mark; any other raises :class:`RemoteError`."""
    if len(plaintext) < SMALL_STEP_BYTES:
        raise RemoteError(Code.MALFORMED, "A message of a channel is shorter than its padding.")
    mark, size = _HEAD.unpack_from(plaintext)
    end = _HEAD.size + size
    if mark not in (0, LAST_UNDER_THIS_KEY):
        raise RemoteError(Code.MALFORMED, "A message of a channel has a mark this version does not know.")
    if not 1 <= size <= limits.FRAME_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"A frame has 1 to {limits.FRAME_BYTES_MAX} bytes, not {size}.")
    if len(plaintext) != padded_size(end) or plaintext.count(0, end) != len(plaintext) - end:
        raise RemoteError(Code.NOT_CANONICAL, "A message of a channel is not padded in the one canonical way.")
    return Plain(plaintext[_HEAD.size : end], mark == LAST_UNDER_THIS_KEY)
