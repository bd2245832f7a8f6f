"""What two nodes say to each other over one channel: each message a value, each frame one message.

A frame is a canonical array ``[type, field, …]`` (:mod:`hedgerow_protocol.wire`). Fields of a later version may follow
the known ones and are ignored; a type that this version does not know is no error, but the value :class:`Unknown`.
Spec: docs/protocol/messages.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final, NoReturn, TypeAlias, cast

from hedgerow_protocol import limits, wire
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import NODE_ID_BYTES, RECORD_ID_BYTES, NodeId, RecordId
from hedgerow_protocol.ports import Timestamp

VERSION: Final = 1
"""Of the messages. A node speaks to every node whose version is the same."""

DIGEST_BYTES: Final = 16
PING_NONCE_BYTES: Final = 8
DIAL_NONCE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message each way."""

    version: int
    features: tuple[str, ...]
    """What the sender can do beyond the core."""
    required: tuple[str, ...]
    """Features without which the sender would rather not talk."""
    clock: Timestamp
    """The sender's clock, to notice that one of the two is wrong."""
    count: int
    """How many live records the sender holds."""
    digest: bytes
    """16 bytes over that live set, keyed by this channel."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there, and do we still hold the same?"""

    nonce: bytes
    count: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to :class:`Ping`, with the answerer's own set."""

    nonce: bytes
    count: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Records:
    """Envelopes. A number above 0 asks for :class:`Got` once they are judged."""

    number: int
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Got:
    """These records were judged, and what was kept is on the disk: more may come."""

    number: int


@dataclass(frozen=True, slots=True)
class Have:
    """Ids of records that came lately, for a peer who perhaps lacks them."""

    rids: tuple[RecordId, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """Send me these records."""

    rids: tuple[RecordId, ...]


@dataclass(frozen=True, slots=True)
class Graft:
    """Take me into your mesh: push new records to me at once."""


@dataclass(frozen=True, slots=True)
class Prune:
    """I take you out of my mesh; do not ask again for so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Reconcile:
    """A step of a reconciliation; its bytes belong to :mod:`hedgerow_protocol.reconcile`."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class PeersWanted:
    """Tell me of other nodes."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Announcements of other nodes, in their envelopes."""

    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Bye:
    """I close this link; come back not before so many seconds."""

    reason: int
    """A :class:`hedgerow_protocol.session.Reason`; numbers this version does not know mean "other"."""
    seconds: int
    words: str
    """One line for a keeper, such as the name of a missing feature."""


@dataclass(frozen=True, slots=True)
class DialBack:
    """Please dial this address of mine and say the nonce there."""

    address: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class DialedBack:
    """Whether the address was reached and the nonce came from the right node."""

    nonce: bytes
    reached: bool


@dataclass(frozen=True, slots=True)
class Reserve:
    """I cannot be dialled: hold a place for circuits to me over this link."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """The answer: for how many seconds; 0 means no."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a circuit, with a number of my choice, to this node that holds a place with you."""

    circuit: int
    target: NodeId


@dataclass(frozen=True, slots=True)
class Incoming:
    """A circuit was opened to you, under this number of mine; ``source`` is what the relay knows of who asked."""

    circuit: int
    source: NodeId


@dataclass(frozen=True, slots=True)
class CircuitData:
    """Opaque bytes within a circuit: the messages of a channel of its own."""

    circuit: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class CircuitClosed:
    """A circuit has ended or could not be opened."""

    circuit: int
    reason: int
    """0 ended, 1 no such node here, 2 refused or full, 3 limit reached."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Something about rooms that both nodes have members in; only between nodes that both named the feature."""

    payload: bytes
    """Its bytes belong to :mod:`hedgerow_protocol.federation.letters`."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a later version; to be ignored."""

    type: int


Message: TypeAlias = (
    Hello | Ping | Pong | Records | Got | Have | Want | Graft | Prune | Reconcile | PeersWanted | Peers | Bye | DialBack
    | DialedBack | Reserve | Reserved | Connect | Incoming | CircuitData | CircuitClosed | Letter | Unknown
)  # fmt: skip

_Reader: TypeAlias = Callable[[Any], Any]


def _bad(reason: str) -> NoReturn:
    raise RemoteError(Code.BAD_FIELD, reason)


def _number(high: int) -> _Reader:
    def read(value: Any) -> int:
        if type(value) is not int or not 0 <= value <= high:
            _bad("A number in this message is out of range.")
        return value

    return read


def _bytes(size: int) -> _Reader:
    def read(value: Any) -> bytes:
        if type(value) is not bytes or len(value) != size:
            _bad(f"A field of this message is not {size} bytes.")
        return value

    return read


def _payload(value: Any) -> bytes:
    if type(value) is not bytes or not value:
        _bad("A message that should carry bytes carries none.")
    return value


def _letter(value: Any) -> bytes:
    payload = _payload(value)
    if len(payload) > limits.LETTER_FRAME_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"A letter has at most {limits.LETTER_FRAME_BYTES_MAX} bytes.")
    return payload


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        _bad("A field of this message is neither true nor false.")
    return value


def _line(value: Any) -> str:
    if type(value) is not str or len(value.encode()) > limits.NODE_ADDRESS_BYTES_MAX or not value.isprintable():
        _bad("A text of this message is not one short line.")
    return value


def _several(read: _Reader, most: int) -> _Reader:
    def read_all(value: Any) -> tuple[Any, ...]:
        if type(value) is not tuple or len(value) > most:
            _bad(f"A list in this message has more than {most} members.")
        return tuple(read(each) for each in value)

    return read_all


_count = _number(limits.SEQUENCE_MAX)
_seconds = _number(limits.WAIT_SECONDS_MAX)
_circuit = _number(2**32 - 1)
_digest = _bytes(DIGEST_BYTES)
_ids = _several(_bytes(RECORD_ID_BYTES), limits.IDS_MAX)
_names = _several(_line, limits.NODE_FEATURES_MAX)

# Type number, class, one reader for each field. Numbers are never used again for something else.
_TABLE: Final[tuple[tuple[int, type[Any], tuple[_Reader, ...]], ...]] = (
    (1, Hello, (_count, _names, _names, _number(limits.TIMESTAMP_MAX), _count, _digest)),
    (2, Ping, (_bytes(PING_NONCE_BYTES), _count, _digest)),
    (3, Pong, (_bytes(PING_NONCE_BYTES), _count, _digest)),
    (4, Records, (_count, _several(_payload, limits.ENVELOPES_MAX))),
    (5, Got, (_count,)),
    (6, Have, (_ids,)),
    (7, Want, (_ids,)),
    (8, Graft, ()),
    (9, Prune, (_seconds,)),
    (10, Reconcile, (_payload,)),
    (11, PeersWanted, ()),
    (12, Peers, (_several(_payload, limits.PEERS_TOLD_MAX),)),
    (13, Bye, (_count, _seconds, _line)),
    (14, DialBack, (_line, _bytes(DIAL_NONCE_BYTES))),
    (15, DialedBack, (_bytes(DIAL_NONCE_BYTES), _flag)),
    (16, Reserve, ()),
    (17, Reserved, (_seconds,)),
    (18, Connect, (_circuit, _bytes(NODE_ID_BYTES))),
    (19, Incoming, (_circuit, _bytes(NODE_ID_BYTES))),
    (20, CircuitData, (_circuit, _payload)),
    (21, CircuitClosed, (_circuit, _count)),
    (22, Letter, (_letter,)),
)
_BY_TYPE = {number: (kind, readers) for number, kind, readers in _TABLE}
_TYPE_OF: dict[type[Any], tuple[int, tuple[str, ...]]] = {
    kind: (number, tuple(each.name for each in fields(kind))) for number, kind, _ in _TABLE
}


def encode(message: Message) -> bytes:
    """The frame of a message."""
    number, names = _TYPE_OF[type(message)]
    return wire.encode((number, *(getattr(message, name) for name in names)))


def decode(frame: bytes) -> Message:
    """The message of a frame of at most ``FRAME_BYTES_MAX`` bytes. Raises only :class:`RemoteError`."""
    row = wire.decode(frame, size_max=limits.FRAME_BYTES_MAX)
    if type(row) is not tuple or not row or type(row[0]) is not int or row[0] < 0:
        raise RemoteError(Code.MALFORMED, "A message begins with the number of its type.")
    known = _BY_TYPE.get(row[0])
    if known is None:
        return Unknown(row[0])
    kind, readers = known
    if len(row) - 1 < len(readers):
        raise RemoteError(Code.MALFORMED, "A message lacks fields.")
    values = (read(value) for read, value in zip(readers, row[1:], strict=False))
    return cast(Message, kind(*values))
