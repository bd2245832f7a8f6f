"""base64url without padding (RFC 4648, 5), in its one canonical form: how bytes stand in texts."""

import binascii
from typing import Final

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_SPARE_BITS: Final = {2: 0b1111, 3: 0b11}
"""Letters in the last group, to the bits of its last letter that carry nothing."""


def letters(data: bytes) -> bytes:
    """The text of these bytes, in ASCII."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def encode(data: bytes) -> str:
    """The text of these bytes."""
    return letters(data).decode("ascii")


def decode(text: str) -> bytes:
    """The inverse. Raises :class:`ValueError` for anything :func:`encode` would not have written."""
    raw = text.encode("ascii")  # UnicodeEncodeError is a ValueError
    rest = len(raw) % 4
    if rest == 1 or raw.translate(None, _ALPHABET):
        raise ValueError("This is not base64url.")
    if rest and _ALPHABET.index(raw[-1]) & _SPARE_BITS[rest]:
        raise ValueError("The last letter carries bits that belong to nothing.")
    return binascii.a2b_base64(raw.translate(_FROM_URL) + b"=" * (-len(raw) % 4))


def length_of(size: int) -> int:
    """Letters that so many bytes take."""
    return (size * 4 + 2) // 3
