"""The bytes of Negentropy version 1: numbers, bounds, ranges. Source: the protocol page of hoytech/negentropy.

A bound is a pair (seconds, prefix): the first key that does not belong to the range any more, its id cut to as many
bytes as are needed to tell it from the record before.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.reconcile.sorted_blocks import ID_BYTES, KEY_BYTES, SECONDS_END

VERSION: Final = 0x61
VERSIONS: Final = range(0x60, 0x70)
FINGERPRINT_BYTES: Final = 16

SKIP: Final = 0
FINGERPRINT: Final = 1
ID_LIST: Final = 2

Bound: TypeAlias = tuple[int, bytes]

NOTHING: Final[Bound] = (0, b"")
INFINITY: Final[Bound] = (SECONDS_END, b"")


def _malformed(reason: str) -> RemoteError:
    return RemoteError(Code.MALFORMED, reason)


def varint(number: int) -> bytes:
    """Base 128, the most significant group first, the high bit set on all bytes but the last."""
    if number < 128:
        return bytes((number,))
    groups = [number & 0x7F]
    number >>= 7
    while number:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(reversed(groups))


def key_of_bound(bound: Bound) -> bytes:
    """The smallest key that is not below this bound."""
    seconds, prefix = bound
    return (seconds.to_bytes(8, "big") + prefix).ljust(KEY_BYTES, b"\x00")


def bound_between(left: bytes, right: bytes) -> Bound:
    """The shortest bound that has ``left`` below it and ``right`` not; both are keys, ``left`` the smaller."""
    seconds = int.from_bytes(right[:8], "big")
    if left[:8] != right[:8]:
        return seconds, b""
    shared = 8
    while left[shared] == right[shared]:
        shared += 1
    return seconds, right[8 : shared + 1]


class Writer:
    """Builds one message: seconds are written as what they are more than the last ones."""

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds = 0

    def bound(self, bound: Bound) -> bytes:
        """One bound; each is written after all those before it in the message."""
        seconds, prefix = bound
        if seconds == SECONDS_END:
            self._seconds = SECONDS_END
            return b"\x00" + varint(len(prefix)) + prefix
        encoded = varint(1 + seconds - self._seconds)
        self._seconds = seconds
        return encoded + varint(len(prefix)) + prefix

    def skip(self, bound: Bound) -> bytes:
        """A range of which nothing is left to say."""
        return self.bound(bound) + b"\x00"

    def fingerprint(self, bound: Bound, fingerprint: bytes) -> bytes:
        """A range by its fingerprint."""
        return self.bound(bound) + b"\x01" + fingerprint

    def id_list(self, bound: Bound, rids: list[bytes]) -> bytes:
        """A range by all its ids."""
        return self.bound(bound) + b"\x02" + varint(len(rids)) + b"".join(rids)


@dataclass(frozen=True, slots=True)
class Range:
    """One range of a message: what the sender says of the records up to ``bound``."""

    bound: Bound
    mode: int
    fingerprint: bytes = b""
    rids: tuple[bytes, ...] = ()


class Reader:
    """Takes one message apart. Raises only :class:`RemoteError`."""

    __slots__ = ("_at", "_data", "_last", "_seconds")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._seconds = 0
        self._last = bytes(KEY_BYTES)

    @property
    def more(self) -> bool:
        """Whether there is another range."""
        return self._at < len(self._data)

    def version(self) -> int:
        """The first byte."""
        number = self._take(1)[0]
        if number not in VERSIONS:
            raise _malformed("This is no message of Negentropy.")
        return number

    def range(self) -> Range:
        """The next range."""
        bound = self._bound()
        key = key_of_bound(bound)
        if key < self._last:
            raise _malformed("Ranges of a reconciliation do not follow one another.")
        self._last = key
        mode = self._varint()
        if mode == SKIP:
            return Range(bound, mode)
        if mode == FINGERPRINT:
            return Range(bound, mode, self._take(FINGERPRINT_BYTES))
        if mode != ID_LIST:
            raise _malformed("A range of a reconciliation has an unknown mode.")
        count = self._varint()
        if count * ID_BYTES > len(self._data) - self._at:
            raise _malformed("A list of ids ends early.")
        listed = self._take(count * ID_BYTES)
        return Range(bound, mode, b"", tuple(listed[at : at + ID_BYTES] for at in range(0, len(listed), ID_BYTES)))

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise _malformed("A message of a reconciliation ends early.")
        self._at += size
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        number = 0
        for place in range(10):
            byte = self._take(1)[0]
            if place == 0 and byte == 0x80:
                raise _malformed("A number of a reconciliation is not in its shortest form.")
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                if number >= 2**64:
                    break
                return number
        raise _malformed("A number of a reconciliation is too large.")

    def _bound(self) -> Bound:
        more = self._varint()
        size = self._varint()
        if size > ID_BYTES:
            raise _malformed("A bound of a reconciliation is longer than an id.")
        if more == 0:
            self._seconds = SECONDS_END
        else:
            self._seconds = min(SECONDS_END, self._seconds + more - 1)
        return self._seconds, self._take(size)
