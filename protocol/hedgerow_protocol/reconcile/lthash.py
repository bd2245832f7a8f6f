"""LtHash: one small running state for a whole set, to which a member is added or taken away at any time.

Each member is stretched to 1,024 lanes of 16 bits, and lanes are summed modulo 2^16. Sets that differ have different
sums unless somebody solves a lattice problem that is believed to need more than 2^200 steps (Bellare and Micciancio,
"A new paradigm for collision-free hashing", 1997; the size is that of Lewis, Kim, Maitland, Marriott, Patten, Wiseman,
"Securing update propagation with homomorphic hashing", 2019). A plain sum of ids has no such strength.

The state is two big integers, one with the even and one with the odd lanes, each lane in a field of 32 bits: so adding
2,048 bytes is a handful of operations on integers.
"""

from collections.abc import Iterable
from hashlib import blake2b, shake_128
from typing import Final

LANES: Final = 1024
STATE_BYTES: Final = 2 * LANES
DIGEST_BYTES: Final = 16

_EVEN: Final = int.from_bytes(b"\xff\xff\x00\x00" * (LANES // 2), "little")
_TOP: Final = int.from_bytes(b"\x00\x00\x01\x00" * (LANES // 2), "little")
_UNMASKED_MAX: Final = 65_000  # sums of so many lanes of 16 bits stay below 2^32
_BEGUN: Final = shake_128(b"hedgerow/lthash\x00")

_from_bytes = int.from_bytes


def _stretched(member: bytes) -> int:
    """All lanes of a member, as one number."""
    hashed = _BEGUN.copy()  # costs less than to begin anew
    hashed.update(member)
    return _from_bytes(hashed.digest(STATE_BYTES), "little")


class LtHash:
    """The running state of a set of byte strings. Counting members is the caller's task."""

    __slots__ = ("_even", "_odd")

    def __init__(self) -> None:
        self._even = 0
        self._odd = 0

    def add(self, member: bytes) -> None:
        """Add a member that is not in the set."""
        lanes = _stretched(member)
        self._even = (self._even + (lanes & _EVEN)) & _EVEN
        self._odd = (self._odd + (lanes >> 16 & _EVEN)) & _EVEN

    def remove(self, member: bytes) -> None:
        """Take away a member that is in the set."""
        lanes = _stretched(member)
        self._even = ((self._even | _TOP) - (lanes & _EVEN)) & _EVEN
        self._odd = ((self._odd | _TOP) - (lanes >> 16 & _EVEN)) & _EVEN

    def add_all(self, members: Iterable[bytes]) -> None:
        """Add many members, none of which is in the set."""
        even, odd, unmasked = self._even, self._odd, 0
        for member in members:
            lanes = _stretched(member)
            even += lanes & _EVEN
            odd += lanes >> 16 & _EVEN
            unmasked += 1
            if unmasked == _UNMASKED_MAX:
                even, odd, unmasked = even & _EVEN, odd & _EVEN, 0
        self._even, self._odd = even & _EVEN, odd & _EVEN

    def state(self) -> bytes:
        """The 1,024 lanes, each 2 bytes, little-endian."""
        return (self._even | self._odd << 16).to_bytes(STATE_BYTES, "little")

    def digest(self, key: bytes, count: int) -> bytes:
        """16 bytes over state and count, under a key of at most 64 bytes: two links never show the same digest."""
        hashed = blake2b(key=key, digest_size=DIGEST_BYTES, person=b"hedgerow/live")
        hashed.update(self.state())
        hashed.update(count.to_bytes(8, "little"))
        return hashed.digest()
