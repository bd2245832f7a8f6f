"""What the two ends of a session say to each other: values, and their bytes.

A payload is one byte, the version, and a canonical array ``[type, field, …]`` (:mod:`hedgerow_protocol.wire`). Each
carries the first 4 bytes of the opener's nonce, so that what is still under way from an earlier session is not taken
for a part of this one.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final, TypeAlias, cast

from hedgerow_protocol import limits, wire
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.reconcile.salting import NONCE_BYTES, SALT_BYTES
from hedgerow_protocol.reconcile.sketch import CELL_BYTES, CELLS_MAX

PAYLOAD_VERSION: Final = 1

PAYLOAD_BYTES_MAX: Final = 60_000
"""Bytes. One payload of a reconciliation: fits into one frame with room for a relay's own."""

TAG_BYTES: Final = 4
SHORT_NAME_BYTES: Final = 4
"""Bytes. By which a record is asked for: among a million records one such name in 4,000 is of two; both are given."""


class Method(IntEnum):
    """How the answerer wants to go on."""

    SKETCH = 0
    """It sends cells under the session's salt."""
    HOUR_SKETCH = 1
    """It sends cells under the salt of whoever of the two was dialled."""
    OPENER_RANGES = 2
    """The opener begins with Negentropy."""
    ANSWERER_RANGES = 3
    """The answerer begins with Negentropy; its first message follows."""


@dataclass(frozen=True, slots=True)
class Open:
    """A session begins."""

    nonce: bytes
    count: int
    """How many records the opener has."""
    changes: int | None
    """How many of its records came or went since both were equal; ``None`` when it cannot say."""
    ranges: bool
    """The opener wants ranges under a fresh salt, not a sketch: it is time for an audit, or much is known to differ."""
    salt: bytes
    """The opener's hour salt when it was dialled and has many records, else empty."""

    @property
    def tag(self) -> bytes:
        """What marks the other payloads of this session."""
        return self.nonce[:TAG_BYTES]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answerer's first word."""

    tag: bytes
    nonce: bytes
    count: int
    method: Method
    salt: bytes
    """The answerer's hour salt, when that is to be used and is its own."""
    window: int
    """How many cells it sends without being asked again."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The next cells of the sketch."""

    tag: bytes
    cells: bytes


@dataclass(frozen=True, slots=True)
class More:
    """The cells were not enough: go on up to this many."""

    tag: bytes
    window: int


@dataclass(frozen=True, slots=True)
class Turn:
    """The sketch came to nothing: begin with Negentropy."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Ranges:
    """A message of Negentropy; from its initiator with what it has found so far."""

    tag: bytes
    message: bytes
    names: bytes
    """Short names of records that the sender lacks: please give them."""
    giving: int
    """So many records the sender will give, beside those it told of before."""


@dataclass(frozen=True, slots=True)
class End:
    """The session is over."""

    tag: bytes
    names: bytes
    giving: int
    again: bool
    """There is more to find: open another session when these records have come."""


Payload: TypeAlias = Open | Answer | Cells | More | Turn | Ranges | End

_Reader: TypeAlias = Callable[[Any], Any]


def _bad() -> RemoteError:
    return RemoteError(Code.BAD_FIELD, "A field of a reconciliation's payload is not what it should be.")


def _sized(*sizes: int) -> _Reader:
    def read(value: Any) -> bytes:
        if type(value) is not bytes or len(value) not in sizes:
            raise _bad()
        return value

    return read


def _several(size: int) -> _Reader:
    def read(value: Any) -> bytes:
        if type(value) is not bytes or len(value) % size:
            raise _bad()
        return value

    return read


def _number(high: int) -> _Reader:
    def read(value: Any) -> int:
        if type(value) is not int or not 0 <= value <= high:
            raise _bad()
        return value

    return read


def _perhaps(reader: _Reader) -> _Reader:
    return lambda value: None if value is None else reader(value)


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise _bad()
    return value


def _method(value: Any) -> Method:
    return Method(_number(max(Method))(value))


_count = _number(limits.SEQUENCE_MAX)
_tag = _sized(TAG_BYTES)
_nonce = _sized(NONCE_BYTES)
_salt = _sized(0, SALT_BYTES)
_names = _several(SHORT_NAME_BYTES)
_window = _number(CELLS_MAX)

_OPEN_BYTES_MAX: Final = 128

_TABLE: Final[tuple[tuple[int, type[Any], tuple[_Reader, ...]], ...]] = (
    (1, Open, (_nonce, _count, _perhaps(_count), _flag, _salt)),
    (2, Answer, (_tag, _nonce, _count, _method, _salt, _window)),
    (3, Cells, (_tag, _several(CELL_BYTES))),
    (4, More, (_tag, _window)),
    (5, Turn, (_tag,)),
    (6, Ranges, (_tag, _several(1), _names, _count)),
    (7, End, (_tag, _names, _count, _flag)),
)
_BY_TYPE = {number: (kind, readers) for number, kind, readers in _TABLE}
_TYPE_OF: dict[type[Any], tuple[int, tuple[str, ...]]] = {
    kind: (number, tuple(each.name for each in fields(kind))) for number, kind, _ in _TABLE
}


def encode(payload: Payload) -> bytes:
    """The bytes of a payload."""
    number, names = _TYPE_OF[type(payload)]
    values = (getattr(payload, name) for name in names)
    return bytes((PAYLOAD_VERSION,)) + wire.encode((number, *(int(v) if isinstance(v, IntEnum) else v for v in values)))


def decode(data: bytes) -> Payload | None:
    """The payload; ``None`` for a type of a later version. Raises only :class:`RemoteError`."""
    if len(data) > PAYLOAD_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"A payload of a reconciliation is longer than {PAYLOAD_BYTES_MAX} bytes.")
    if not data or data[0] != PAYLOAD_VERSION:
        raise RemoteError(Code.MALFORMED, "A reconciliation of another version.")
    row = wire.decode(data[1:], size_max=PAYLOAD_BYTES_MAX)
    if type(row) is not tuple or not row or type(row[0]) is not int:
        raise RemoteError(Code.MALFORMED, "A payload of a reconciliation begins with the number of its type.")
    known = _BY_TYPE.get(row[0])
    if known is None:
        return None
    kind, readers = known
    if len(row) - 1 < len(readers):
        raise RemoteError(Code.MALFORMED, "A payload of a reconciliation lacks fields.")
    return cast(Payload, kind(*(read(value) for read, value in zip(readers, row[1:], strict=False))))


def is_opening(data: bytes) -> bool:
    """Whether these bytes begin a session."""
    try:
        return len(data) <= _OPEN_BYTES_MAX and isinstance(decode(data), Open)
    except RemoteError:
        return False
