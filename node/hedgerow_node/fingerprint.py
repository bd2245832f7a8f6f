"""Fingerprints that people compare: eight words for the first 88 bits of a SHA-256, or all of it in hex.

Eight words can be read over a telephone, and 88 bits are beyond what anybody can search for a second file with the same
words. The list is that of BIP 39 (English): 2,048 words that differ in their first four letters. The web UI makes the
same words from the same list (``webui/src/bytes/fingerprint.ts``).
"""

from functools import cache
from pathlib import Path
from typing import Final

WORDS: Final = 8
"""Words in a fingerprint."""

_BITS: Final = 11
"""Bits. Of one word: 2,048 of them."""


@cache
def _list() -> tuple[str, ...]:
    path = Path(__file__).with_name("fingerprint_words.txt")
    return tuple(path.read_text(encoding="ascii").split())


def words_of(digest: bytes) -> tuple[str, ...]:
    """The eight words of a SHA-256 (32 bytes)."""
    if len(digest) != 32:
        raise ValueError("A SHA-256 has 32 bytes.")
    number = int.from_bytes(digest, "big")
    return tuple(_list()[number >> (256 - _BITS * (place + 1)) & (1 << _BITS) - 1] for place in range(WORDS))


def hex_of(digest: bytes) -> str:
    """In pairs with colons and capitals, as systems show the fingerprint of a certificate."""
    return digest.hex(":").upper()
