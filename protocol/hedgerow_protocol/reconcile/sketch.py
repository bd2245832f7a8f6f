"""A rateless sketch: a stream of cells whose prefix, once it is long enough, gives the difference of two sets.

Every record is added into cell 0 and into ever fewer of the later ones: cell *i* takes it with probability 2/(i+2).
The difference of the cells of two sets is the cells of their difference, in which some cell holds one record only; it
is taken out of all its cells, which leaves others with one only, and so on. About 1.4 cells for each record that
differs are enough, however large the sets are. Source: Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation"
(arXiv 2402.02668), whose mapping has this density; ours is drawn with whole numbers only, so that all machines agree,
and cells hold sums and not exclusive ors.

A cell on the wire is 13 bytes: the sum of names modulo 2^64, of checks modulo 2^32, and the count modulo 256.
"""

from collections.abc import Iterable
from math import isqrt
from typing import Final

from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.reconcile.salting import NAME_BYTES, Salt

CELL_BYTES: Final = 13
CELLS_MAX: Final = 4_096
"""Cells. Of one sketch: beyond some 2,900 differences ranges cost little more, and no decoder works for long."""

_FACTOR: Final = 0xDA942042E4DD58B5  # of a generator modulo 2^64 with a good spectrum (Steele, Vigna 2021)
_MASK64: Final = 2**64 - 1
_MASK32: Final = 2**32 - 1
# In memory a cell is one integer: the sums side by side, with room so that none runs over into the next.
_CHECK_SHIFT: Final = 96
_COUNT_SHIFT: Final = 160


def symbol(salt: Salt, name: bytes) -> tuple[int, int]:
    """What a record adds to its cells, and the seed from which these cells are drawn."""
    probe = salt.probe(name)
    value = int.from_bytes(name, "big") | int.from_bytes(probe[:4], "big") << _CHECK_SHIFT | 1 << _COUNT_SHIFT
    return value, int.from_bytes(probe[4:], "big") | 1


def next_cell(cell: int, state: int) -> tuple[int, int]:
    """The cell that follows one that holds a record, and the generator's next state.

    After cell *i* none up to *j* holds it with probability (i+1)(i+2) / ((j+1)(j+2)). So for a number r drawn from
    1 to 2^32 the next one is the smallest *j* with (j+1)(j+2) r > (i+1)(i+2) 2^32; ``isqrt`` solves that exactly.
    """
    state = state * _FACTOR & _MASK64
    far = ((cell + 1) * (cell + 2) << 32) // ((state >> 32) + 1)
    return isqrt(far << 2 | 1) - 1 >> 1, state


def put(cells: list[int], value: int, seed: int) -> None:
    """Add a record to all its cells of a prefix; take it out with the negative of its value."""
    count = len(cells)
    cell, state = 0, seed
    while cell < count:
        cells[cell] += value
        state = state * _FACTOR & _MASK64
        cell = isqrt(((cell + 1) * (cell + 2) << 32) // ((state >> 32) + 1) << 2 | 1) - 1 >> 1


def pack(cells: Iterable[int]) -> bytes:
    """Cells as they travel."""
    return b"".join(
        ((cell & _MASK64) << 40 | (cell >> _CHECK_SHIFT & _MASK32) << 8 | cell >> _COUNT_SHIFT & 0xFF).to_bytes(
            CELL_BYTES, "big"
        )
        for cell in cells
    )


class DoubtfulError(Exception):
    """A sketch contradicts itself: whatever it was made from, it is of no use."""


class _Found:
    """A record of the difference that was found: which way it differs, and where its next cell is."""

    __slots__ = ("cell", "check", "name", "sign", "state")

    def __init__(self, name: int, check: int, sign: int, state: int) -> None:
        self.name = name
        self.check = check
        self.sign = sign
        self.cell = 0
        self.state = state


class Decoder:
    """Takes the peer's cells as they come, and its own; says when the difference is known."""

    def __init__(self, salt: Salt, own: list[int]) -> None:
        self._salt = salt
        self._own = own
        self._names: list[int] = []
        self._checks: list[int] = []
        self._counts: list[int] = []
        self._waiting: dict[int, list[_Found]] = {}
        self._found: dict[int, _Found] = {}

    @property
    def cells(self) -> int:
        """How many cells were taken in."""
        return len(self._names)

    @property
    def finished(self) -> bool:
        """Every cell is accounted for. The first one holds all records, so it decides almost always."""
        if not self._names or self._names[0] or self._checks[0] or self._counts[0]:
            return False
        return not (any(self._names) or any(self._checks) or any(self._counts))

    @property
    def theirs(self) -> list[bytes]:
        """Names that only the peer has."""
        return [each.name.to_bytes(NAME_BYTES, "big") for each in self._found.values() if each.sign > 0]

    @property
    def ours(self) -> list[bytes]:
        """Names that only we have."""
        return [each.name.to_bytes(NAME_BYTES, "big") for each in self._found.values() if each.sign < 0]

    def know(self, own: list[int]) -> None:
        """Our own cells, now more of them."""
        self._own = own

    def feed(self, cells: bytes) -> None:
        """Take the next cells. Raises :class:`RemoteError` for too many, :class:`DoubtfulError` for impossible ones."""
        if len(cells) % CELL_BYTES or self.cells + len(cells) // CELL_BYTES > len(self._own):
            raise RemoteError(Code.MALFORMED, "A sketch is cut wrongly or longer than was agreed.")
        pure: list[int] = []
        for offset in range(0, len(cells), CELL_BYTES):
            index = len(self._names)
            own = self._own[index]
            theirs = int.from_bytes(cells[offset : offset + CELL_BYTES], "big")
            self._names.append((theirs >> 40) - own & _MASK64)
            self._checks.append((theirs >> 8 & _MASK32) - (own >> _CHECK_SHIFT) & _MASK32)
            self._counts.append((theirs & 0xFF) - (own >> _COUNT_SHIFT) & 0xFF)
            for found in self._waiting.pop(index, ()):
                self._take_out(found)
                self._wait(found)
            pure.append(index)
            self._peel(pure)

    def _peel(self, cells: list[int]) -> None:
        while cells:
            found = self._alone(cells.pop())
            if found is None:
                continue
            if found.name in self._found or len(self._found) >= len(self._names):
                raise DoubtfulError
            self._found[found.name] = found
            while found.cell < len(self._names):
                self._take_out(found)
                cells.append(found.cell)
                found.cell, found.state = next_cell(found.cell, found.state)
            self._waiting.setdefault(found.cell, []).append(found)

    def _alone(self, cell: int) -> _Found | None:
        """The record that a cell holds, if it holds one alone."""
        match self._counts[cell]:
            case 1:
                sign = 1
            case 255:
                sign = -1
            case _:
                return None
        name, check = sign * self._names[cell] & _MASK64, sign * self._checks[cell] & _MASK32
        value, seed = symbol(self._salt, name.to_bytes(NAME_BYTES, "big"))
        return _Found(name, check, sign, seed) if value >> _CHECK_SHIFT & _MASK32 == check else None

    def _take_out(self, found: _Found) -> None:
        cell = found.cell
        self._names[cell] = self._names[cell] - found.sign * found.name & _MASK64
        self._checks[cell] = self._checks[cell] - found.sign * found.check & _MASK32
        self._counts[cell] = self._counts[cell] - found.sign & 0xFF

    def _wait(self, found: _Found) -> None:
        found.cell, found.state = next_cell(found.cell, found.state)
        self._waiting.setdefault(found.cell, []).append(found)
