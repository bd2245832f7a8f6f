"""Records in order, packed into small blocks that each know their sum.

An entry is 40 bytes: the seconds (8 bytes, big-endian), then the id; entries compare as bytes. A set may give each
entry a few bytes more (its *tail*), which take no part in the order. Blocks are immutable bytes, so that a snapshot of
a million records is a copy of some thousand references. The sum of the ids of any range, which is what a Negentropy
fingerprint is made of, costs at most two blocks beside one addition for each block between them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import Final

from hedgerow_protocol.errors import LocalError

ID_BYTES: Final = 32
KEY_BYTES: Final = 40
SECONDS_END: Final = 2**64 - 1
"""Reserved by Negentropy: no record has it, and as a bound it means "behind everything"."""

BLOCK_ENTRIES_MAX: Final = 256
BLOCK_ENTRIES_FILLED: Final = 192
BLOCK_ENTRIES_MIN: Final = 48

_from_bytes = int.from_bytes
_SUM_MASK: Final = 2**256 - 1


def key_of(seconds: int, rid: bytes) -> bytes:
    """The entry of a record. Raises :class:`LocalError`."""
    if len(rid) != ID_BYTES:
        raise LocalError("An id has 32 bytes.")
    if not 0 <= seconds < SECONDS_END:
        raise LocalError("Seconds are from 0 to 2^64 - 2.")
    return seconds.to_bytes(8, "big") + rid


class SortedBlocks:
    """A set of entries, in order."""

    __slots__ = ("_blocks", "_counts", "_firsts", "_length", "_starts", "_stride", "_sums")

    def __init__(self, tail: int = 0) -> None:
        self._stride = KEY_BYTES + tail
        self._blocks: list[bytes] = []
        self._firsts: list[bytes] = []
        self._counts: list[int] = []
        self._sums: list[int] = []
        self._length = 0
        self._starts: list[int] | None = None

    @classmethod
    def of(cls, items: Iterable[tuple[int, bytes]]) -> "SortedBlocks":
        """The set of these (seconds, id), in whatever order they come. Raises :class:`LocalError` for a repetition."""
        entries = sorted(key_of(seconds, rid) for seconds, rid in items)
        blocks = cls()
        blocks.extend(entries)
        return blocks

    def __len__(self) -> int:
        return self._length

    def __contains__(self, key: bytes) -> bool:
        at = self.lower_bound(key)
        return at < self._length and self.entry(at)[:KEY_BYTES] == key

    # --- change

    def extend(self, entries: Sequence[bytes]) -> None:
        """Append entries that are in ascending order and come behind all that are here. Raises :class:`LocalError`."""
        last = self._blocks[-1][-self._stride :][:KEY_BYTES] if self._blocks else b""
        for entry in entries:
            key = entry[:KEY_BYTES]
            if key <= last:
                raise LocalError("Entries come in ascending order, each once.")
            last = key
        taken = 0
        if self._counts and self._counts[-1] < BLOCK_ENTRIES_FILLED:
            taken = min(BLOCK_ENTRIES_FILLED - self._counts[-1], len(entries))
            joined = b"".join(entries[:taken])
            self._blocks[-1] += joined
            self._counts[-1] += taken
            self._sums[-1] = self._sums[-1] + self._sum_of(joined) & _SUM_MASK
        for start in range(taken, len(entries), BLOCK_ENTRIES_FILLED):
            self._insert_block(len(self._blocks), b"".join(entries[start : start + BLOCK_ENTRIES_FILLED]))
        self._length += len(entries)
        self._starts = None

    def add(self, key: bytes) -> bool:
        """Put an entry in its place; false when it was there."""
        if not self._blocks:
            self.extend([key])
            return True
        number = max(0, bisect_right(self._firsts, key) - 1)
        block = self._blocks[number]
        at = self._search(block, self._counts[number], key)
        offset = at * self._stride
        if block[offset : offset + KEY_BYTES] == key:
            return False
        block = block[:offset] + key + block[offset:]
        if self._counts[number] < BLOCK_ENTRIES_MAX:
            self._blocks[number] = block
            self._counts[number] += 1
            self._sums[number] = self._sums[number] + _from_bytes(key[8:KEY_BYTES], "little") & _SUM_MASK
            if at == 0:
                self._firsts[number] = key
        else:
            half = (self._counts[number] + 1) // 2 * self._stride
            self._put(number, block[:half])
            self._insert_block(number + 1, block[half:])
        self._length += 1
        self._starts = None
        return True

    def remove(self, key: bytes) -> bool:
        """Take an entry out; false when it was not there."""
        if not self._blocks:
            return False
        number = max(0, bisect_right(self._firsts, key) - 1)
        block = self._blocks[number]
        at = self._search(block, self._counts[number], key)
        offset = at * self._stride
        if block[offset : offset + KEY_BYTES] != key:
            return False
        block = block[:offset] + block[offset + self._stride :]
        self._length -= 1
        self._starts = None
        if not block:
            self._delete_block(number)
            return True
        self._blocks[number] = block
        self._counts[number] -= 1
        self._sums[number] = self._sums[number] - _from_bytes(key[8:KEY_BYTES], "little") & _SUM_MASK
        if at == 0:
            self._firsts[number] = block[:KEY_BYTES]
        if self._counts[number] < BLOCK_ENTRIES_MIN:
            self._join(number)
        return True

    def _join(self, number: int) -> None:
        """Put a small block together with the next or the one before it, where they fit."""
        for first in (number, number - 1):
            if 0 <= first < len(self._blocks) - 1:
                together = self._counts[first] + self._counts[first + 1]
                if together <= BLOCK_ENTRIES_FILLED:
                    self._put(first, self._blocks[first] + self._blocks[first + 1])
                    self._delete_block(first + 1)
                    return

    def _put(self, number: int, block: bytes) -> None:
        self._blocks[number] = block
        self._firsts[number] = block[:KEY_BYTES]
        self._counts[number] = len(block) // self._stride
        self._sums[number] = self._sum_of(block)

    def _insert_block(self, number: int, block: bytes) -> None:
        self._blocks.insert(number, b"")
        self._firsts.insert(number, b"")
        self._counts.insert(number, 0)
        self._sums.insert(number, 0)
        self._put(number, block)

    def _delete_block(self, number: int) -> None:
        del self._blocks[number], self._firsts[number], self._counts[number], self._sums[number]

    # --- look

    @property
    def blocks(self) -> tuple[bytes, ...]:
        """The blocks as they are now: a snapshot."""
        return tuple(self._blocks)

    def entry(self, index: int) -> bytes:
        """The entry at an index, with its tail."""
        number = bisect_right(self._starts_now(), index) - 1
        offset = (index - self._starts_now()[number]) * self._stride
        return self._blocks[number][offset : offset + self._stride]

    def lower_bound(self, key: bytes, begin: int = 0) -> int:
        """The index of the first entry that is not below ``key``, and at least ``begin``."""
        if not self._blocks:
            return 0
        number = max(0, bisect_right(self._firsts, key) - 1)
        found = self._starts_now()[number] + self._search(self._blocks[number], self._counts[number], key)
        return max(begin, found)

    def entries(self, begin: int, end: int) -> Iterator[bytes]:
        """The entries from one index to another, with their tails."""
        if begin >= end:
            return
        starts = self._starts_now()
        number = bisect_right(starts, begin) - 1
        skip = begin - starts[number]
        left = end - begin
        stride = self._stride
        for block in islice(self._blocks, number, None):
            part = block[skip * stride : (skip + left) * stride]
            for offset in range(0, len(part), stride):
                yield part[offset : offset + stride]
            left -= len(part) // stride
            skip = 0
            if left <= 0:
                return

    def sum(self, begin: int, end: int) -> int:
        """The ids of a range as little-endian numbers, added up modulo 2^256."""
        if begin >= end:
            return 0
        starts = self._starts_now()
        first = bisect_right(starts, begin) - 1
        last = bisect_right(starts, end - 1) - 1
        if first == last:
            return self._sum_within(first, begin - starts[first], end - starts[first])
        total = sum(self._sums[first + 1 : last])
        total += self._sum_within(first, begin - starts[first], self._counts[first])
        total += self._sum_within(last, 0, end - starts[last])
        return total & _SUM_MASK

    def _sum_within(self, number: int, begin: int, end: int) -> int:
        count = self._counts[number]
        if 2 * (end - begin) > count:  # what is left out is less to add up
            rest = self._sum_of(self._blocks[number][: begin * self._stride])
            rest += self._sum_of(self._blocks[number][end * self._stride :])
            return self._sums[number] - rest & _SUM_MASK
        return self._sum_of(self._blocks[number][begin * self._stride : end * self._stride])

    def _sum_of(self, block: bytes) -> int:
        stride = self._stride
        ids = [_from_bytes(block[offset : offset + ID_BYTES], "little") for offset in range(8, len(block), stride)]
        return sum(ids) & _SUM_MASK

    def _starts_now(self) -> list[int]:
        if self._starts is None:
            self._starts = list(accumulate(self._counts, initial=0))[:-1]
        return self._starts

    def _search(self, block: bytes, count: int, key: bytes) -> int:
        low, high, stride = 0, count, self._stride
        while low < high:
            middle = (low + high) // 2
            offset = middle * stride
            if block[offset : offset + KEY_BYTES] < key:
                low = middle + 1
            else:
                high = middle
        return low
