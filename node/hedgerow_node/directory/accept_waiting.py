"""Verified records whose charter has not arrived: held in memory for a while, bounded, the oldest leave first."""

from collections import OrderedDict
from typing import Final

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
        self._held: OrderedDict[bytes, RecordId] = OrderedDict()
        self._by_charter: dict[RecordId, dict[bytes, None]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def put(self, data: bytes, charter: RecordId) -> None:
        """Let an envelope wait for a charter."""
        if data in self._held:
            return
        self._held[data] = charter
        self._by_charter.setdefault(charter, {})[data] = None
        self._bytes += len(data)
        while len(self._held) > self._envelopes_max or self._bytes > self._bytes_max:
            self._remove(next(iter(self._held)))

    def pop(self, charter: RecordId) -> list[bytes]:
        """Take out what waited for this charter, in the order in which it came."""
        waited = list(self._by_charter.get(charter, ()))
        for data in waited:
            self._remove(data)
        return waited

    def _remove(self, data: bytes) -> None:
        charter = self._held.pop(data)
        self._bytes -= len(data)
        group = self._by_charter[charter]
        del group[data]
        if not group:
            del self._by_charter[charter]
