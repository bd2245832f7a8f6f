"""From a salted name back to its record, at 16 bytes a record."""

from collections.abc import Iterator
from typing import Final

from hedgerow_protocol.reconcile.salting import NAME_BYTES

HANDLE_BYTES: Final = 8
ENTRY_BYTES: Final = NAME_BYTES + HANDLE_BYTES

_DRAWER_ENTRIES: Final = 64


class Names:
    """Names, each with 8 bytes of the caller's that say where its record is.

    Names are evenly spread, so their first bits say in which of many small byte strings they stand.
    """

    __slots__ = ("_drawers", "_length", "_shift")

    def __init__(self, expected: int) -> None:
        bits = max(0, (expected // _DRAWER_ENTRIES).bit_length())
        self._shift = 8 * 4 - min(bits, 24)
        self._drawers = [bytearray() for _ in range(1 << min(bits, 24))]
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def _drawer(self, name: bytes) -> bytearray:
        return self._drawers[int.from_bytes(name[:4], "big") >> self._shift]

    def add(self, name: bytes, handle: bytes) -> None:
        """Note one more record."""
        self._drawers[int.from_bytes(name[:4], "big") >> self._shift] += name + handle
        self._length += 1

    def remove(self, name: bytes, handle: bytes) -> None:
        """Forget a record; nothing happens when it is not here."""
        drawer = self._drawer(name)
        for offset in self._offsets(drawer, name + handle):
            drawer[offset : offset + ENTRY_BYTES] = drawer[-ENTRY_BYTES:]
            del drawer[-ENTRY_BYTES:]
            self._length -= 1
            return

    def find(self, name: bytes) -> list[bytes]:
        """The handles of all records whose name begins with these bytes (at least 4)."""
        drawer = self._drawer(name)
        return [bytes(drawer[offset + NAME_BYTES : offset + ENTRY_BYTES]) for offset in self._offsets(drawer, name)]

    @staticmethod
    def _offsets(drawer: bytearray, prefix: bytes) -> Iterator[int]:
        offset = drawer.find(prefix)
        while offset >= 0:
            if offset % ENTRY_BYTES == 0:
                yield offset
            offset = drawer.find(prefix, offset + 1)

    def drawers(self) -> Iterator[list[bytes]]:
        """All names, some at a time."""
        for drawer in self._drawers:
            yield [bytes(drawer[offset : offset + NAME_BYTES]) for offset in range(0, len(drawer), ENTRY_BYTES)]
