"""Verified records whose charter has not arrived: held in memory for a while, bounded.

Whoever takes the most room in it loses his oldest first, so nobody can push out what others wait for.
"""

from typing import Final

from hedgerow_node.store.rows import Origin
from hedgerow_protocol import limits
from hedgerow_protocol.ids import RecordId

WAITING_BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes. All that waits, together: 2,000 envelopes of usual size are 2 MB, of the largest size 80 MB."""


class WaitingRoom:
    """Envelopes by the charter they wait for."""

    def __init__(self, envelopes_max: int = limits.WAITING_ENVELOPES_MAX, bytes_max: int = WAITING_BYTES_MAX) -> None:
        self._envelopes_max = envelopes_max
        self._bytes_max = bytes_max
        # The same words may wait with different signers, of whom perhaps only some may sign: so the whole is the key.
        self._held: dict[bytes, tuple[RecordId, Origin]] = {}
        self._by_charter: dict[RecordId, dict[bytes, None]] = {}
        self._by_origin: dict[Origin, dict[bytes, None]] = {}
        self._bytes_of: dict[Origin, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def put(self, data: bytes, charter: RecordId, origin: Origin) -> None:
        """Let an envelope wait for a charter."""
        if data in self._held:
            return
        self._held[data] = charter, origin
        self._by_charter.setdefault(charter, {})[data] = None
        self._by_origin.setdefault(origin, {})[data] = None
        self._bytes_of[origin] = self._bytes_of.get(origin, 0) + len(data)
        self._bytes += len(data)
        while len(self._held) > self._envelopes_max or self._bytes > self._bytes_max:
            largest = max(self._bytes_of, key=self._bytes_of.__getitem__)
            self._remove(next(iter(self._by_origin[largest])))

    def pop(self, charter: RecordId) -> dict[Origin, list[bytes]]:
        """Take out what waited for this charter, by whence and in the order in which it came."""
        waited: dict[Origin, list[bytes]] = {}
        for data in list(self._by_charter.get(charter, ())):
            waited.setdefault(self._remove(data), []).append(data)
        return waited

    def _remove(self, data: bytes) -> Origin:
        charter, origin = self._held.pop(data)
        self._bytes -= len(data)
        group = self._by_charter[charter]
        del group[data]
        if not group:
            del self._by_charter[charter]
        del self._by_origin[origin][data]
        self._bytes_of[origin] -= len(data)
        if not self._bytes_of[origin]:
            del self._by_origin[origin], self._bytes_of[origin]
        return origin
