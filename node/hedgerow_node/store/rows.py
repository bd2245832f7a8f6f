"""What goes in and out of the store besides envelopes: plain values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.records import Charter, Listing, Record, Slot

Origin: TypeAlias = bytes | None
"""Through whom records came: bytes that tell one part of the network from another, or :data:`LOCAL`."""

LOCAL: Final[Origin] = None
"""Published or imported at this node."""

ORIGIN_BYTES_MAX: Final = 64
"""Bytes. A node's id has 32; the name of a place in the network is shorter."""


class IndexRow(NamedTuple):
    """How a listing is found. The store keeps it and does not look inside ``facts``."""

    words: str
    """Folded words, name first, then ``|``, the other words once each, ``|``, one-word marks for filters."""
    terms: Sequence[str]
    """The words of ``words`` without the marks, one by one."""
    facts: bytes
    places: tuple[tuple[int, int], ...]
    """Latitude and longitude in 1e-7 degrees, without repetition."""
    meetings: int


MakeIndex: TypeAlias = Callable[[Listing], IndexRow]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified record on its way into the store."""

    data: bytes
    """The envelope as received."""
    envelope: Envelope
    record: Record
    index: IndexRow | None = None
    """Made outside the writer thread for listings."""


class Kept(Enum):
    """What the store did with an arrival it did not refuse."""

    STORED = "stored"
    KNOWN = "known"
    SUPERSEDED = "superseded"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class CharterRow:
    """A charter as the judge needs it."""

    id: int
    rid: RecordId
    chain: int
    root: RecordId
    position: int
    charter: Charter
    """Only what the checks of signers look at: position, stewards and threshold."""
    on_path: bool


@dataclass(frozen=True, slots=True)
class HeldSlot:
    """What fills one entry of a chain: for planning what to publish next."""

    rid: RecordId
    slot: Slot
    content: ListingContent | None
    """``None`` for a withdrawal."""
    two_versions: bool


@dataclass(frozen=True, slots=True)
class CharterChain:
    """A founding charter and the selected ones after it, as envelopes, oldest first."""

    root: RecordId
    envelopes: tuple[bytes, ...]
    contested: bool


class Candidate(NamedTuple):
    """A listing that may be an answer, with what is needed to decide. (A tuple: hundreds are made for one search.)"""

    id: int
    facts: bytes
    words: str
    contested: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the store holds."""

    listings: int
    meetings: int
    records: int
