"""A set under the salt of one session: hashed anew, in slices, and gone when the session ends."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.reconcile.names import HANDLE_BYTES, Names
from hedgerow_protocol.reconcile.salting import NAME_BYTES, Salt
from hedgerow_protocol.reconcile.sketch import put, symbol
from hedgerow_protocol.reconcile.sorted_blocks import KEY_BYTES, SortedBlocks

SLICE_RECORDS: Final = 2_000
"""Records. Hashed at one go: some 4 ms, so that nothing else on the node waits for long."""

SLICE_CELL_RECORDS: Final = 800
"""Records. Put into cells at one go: some 6 ms."""

_POSITION_BYTES: Final = 4
_LONG_RUN: Final = 4_096  # records of one second, sorted at one go
_DRAWERS: Final = 256


class Snapshot:
    """The records of a set at one moment; costs little, because blocks are shared with the set."""

    __slots__ = ("_starts", "blocks", "length")

    def __init__(self, blocks: tuple[bytes, ...]) -> None:
        self.blocks = blocks
        self._starts = list(accumulate((len(block) // KEY_BYTES for block in blocks), initial=0))
        self.length = self._starts[-1]

    def rid(self, position: int) -> RecordId:
        """The id of the record at a position."""
        number = bisect_right(self._starts, position) - 1
        offset = (position - self._starts[number]) * KEY_BYTES
        return RecordId(self.blocks[number][offset + 8 : offset + KEY_BYTES])

    def slices(self, many: int) -> Iterator[list[tuple[int, bytes]]]:
        """All (position, entry), at least so many at a time."""
        part: list[tuple[int, bytes]] = []
        position = 0
        for block in self.blocks:
            for offset in range(0, len(block), KEY_BYTES):
                part.append((position, block[offset : offset + KEY_BYTES]))
                position += 1
            if len(part) >= many:
                yield part
                part = []
        if part:
            yield part


class SessionView:
    """A snapshot under one salt. What a session needs of it is built by the jobs, which yield between slices."""

    def __init__(self, salt: Salt, blocks: tuple[bytes, ...]) -> None:
        self.salt = salt
        self.snapshot = Snapshot(blocks)
        self.names: Names | None = None
        self.cells: list[int] = []
        self.ordered: SortedBlocks | None = None

    @property
    def length(self) -> int:
        """How many records."""
        return self.snapshot.length

    # --- jobs

    def prepare_cells(self, many: int) -> Iterator[None]:
        """Make ``cells`` hold so many."""
        if self.names is None:
            yield from self._prepare_names()
        if len(self.cells) >= many or self.names is None:
            return
        cells = [0] * many
        done = 0
        for names in self.names.drawers():
            for name in names:
                put(cells, *symbol(self.salt, name))
            done += len(names)
            if done >= SLICE_CELL_RECORDS:
                done = 0
                yield
        self.cells = cells

    def prepare_names(self) -> Iterator[None]:
        """Make :meth:`named` know every record."""
        if self.names is None:
            yield from self._prepare_names()

    def prepare_order(self) -> Iterator[None]:
        """Make ``ordered`` hold every record by (seconds, salted id)."""
        if self.ordered is not None:
            return
        ordered = SortedBlocks(_POSITION_BYTES)
        ready: list[bytes] = []  # in order, behind what is in ``ordered``
        run: list[bytes] = []
        drawers: list[bytearray] = []
        seconds = b""
        for part in self.snapshot.slices(SLICE_RECORDS):
            for position, entry in part:
                if entry[:8] != seconds:
                    if drawers:
                        ordered.extend(ready)
                        ready = []
                        yield from self._finish_long(ordered, run, drawers)
                    else:
                        run.sort()
                        ready += run
                    run, drawers, seconds = [], [], entry[:8]
                run.append(seconds + self.salt.salted(entry[8:]) + position.to_bytes(_POSITION_BYTES, "big"))
            if drawers or len(run) > _LONG_RUN:
                drawers = drawers or [bytearray() for _ in range(_DRAWERS)]
                for entry in run:
                    drawers[entry[8]] += entry
                run = []
            ordered.extend(ready)
            ready = []
            yield
        if drawers:
            yield from self._finish_long(ordered, run, drawers)
        else:
            ordered.extend(sorted(run))
        self.ordered = ordered

    @staticmethod
    def _finish_long(ordered: SortedBlocks, run: list[bytes], drawers: list[bytearray]) -> Iterator[None]:
        """Append the many records of one second, which were put apart by the first byte of their salted ids."""
        for entry in run:
            drawers[entry[8]] += entry
        stride = KEY_BYTES + _POSITION_BYTES
        done = 0
        for drawer in drawers:
            ordered.extend(sorted(bytes(drawer[at : at + stride]) for at in range(0, len(drawer), stride)))
            done += len(drawer) // stride
            if done >= SLICE_RECORDS:
                done = 0
                yield

    def _prepare_names(self) -> Iterator[None]:
        names = Names(self.snapshot.length)
        salted = self.salt.salted
        for part in self.snapshot.slices(SLICE_RECORDS):
            for position, entry in part:
                names.add(salted(entry[8:])[:NAME_BYTES], position.to_bytes(HANDLE_BYTES, "big"))
            yield
        self.names = names

    # --- finding back

    def rid_of(self, entry: bytes) -> RecordId:
        """The record of an entry of ``ordered``."""
        return self.snapshot.rid(int.from_bytes(entry[KEY_BYTES:], "big"))

    def named(self, name: bytes) -> list[RecordId]:
        """The records whose name begins so (at least 4 bytes)."""
        if self.names is None:
            return []
        return [self.snapshot.rid(int.from_bytes(handle, "big")) for handle in self.names.find(name)]
