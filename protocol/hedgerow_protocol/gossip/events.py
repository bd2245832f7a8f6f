"""What goes in at the door of :class:`hedgerow_protocol.gossip.Gossip`, and what comes out.

The machine never waits. What needs the disk or the network leaves as an output with a ticket or a link, and the answer
comes back as an event.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NewType, TypeAlias

from hedgerow_protocol.errors import Code
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.relay_values import CircuitDown as CircuitDown
from hedgerow_protocol.relay_values import CircuitFailed as CircuitFailed
from hedgerow_protocol.relay_values import CircuitIn as CircuitIn
from hedgerow_protocol.relay_values import CircuitUp as CircuitUp
from hedgerow_protocol.relay_values import RelaysChanged as RelaysChanged

LinkId = NewType("LinkId", int)
"""One link of this node, numbered by whoever owns the sockets; never used twice."""

Ticket = NewType("Ticket", int)
"""One question of the machine to its node; the answer carries it."""


class Why(Enum):
    """What a dial is for."""

    KEEP = "keep"
    FEELER = "feeler"
    AUDIT = "audit"
    DIAL_BACK = "dial back"
    ROOMS = "rooms"
    """A node that rooms need: see :mod:`hedgerow_protocol.gossip.wanting`."""


# --- events


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp:
    """A channel is open and we know whose key is at its other end."""

    link: LinkId
    peer: NodeId
    outbound: bool
    """We dialled."""
    address: str
    """What we dialled, or where it came from (``10.1.2.3:5000``): only to tell places in the network apart."""
    binding: bytes
    """32 bytes that only the two ends of this channel know: its handshake hash."""
    announcement: bytes
    """The peer's announcement, in its envelope, already verified to be of this peer and this channel."""
    pinned: bool = False
    """The keeper chose this peer by hand."""
    relayed: bool = False
    """Through a third node: no circuits over it."""
    why: Why = Why.KEEP
    """What it was dialled for."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """A link has ended, by whomever."""

    link: LinkId


@dataclass(frozen=True, slots=True)
class FrameIn:
    """A peer said something: one decrypted frame."""

    link: LinkId
    frame: bytes


@dataclass(frozen=True, slots=True)
class DialFailed:
    """A :class:`Dial` came to nothing."""

    address: str
    peer: NodeId | None
    wrong_node: bool = False
    """Somebody answered, but not the node we asked for."""


class Standing(Enum):
    """What became of an envelope that was judged."""

    STORED = "stored"
    KNOWN = "known"
    SUPERSEDED = "superseded"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The node's judgement of one envelope."""

    standing: Standing
    rid: RecordId | None = None
    """``None`` when it could not even be parsed."""
    needs: RecordId | None = None
    """The charter that a waiting record needs."""
    code: Code | None = None
    """Why it was refused."""
    new_chain: bool = False
    """Stored, and it founded a chain of charters that this node had not heard of."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer to :class:`Judge`: one verdict for each envelope, in order. What was stored is on the disk."""

    ticket: Ticket
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to :class:`Fetch`: the envelopes that are still held, charters before what they charter."""

    ticket: Ticket
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class LiveChanged:
    """The node's live set has changed, for whatever reason: what came and what went.

    Each record comes with the second that orders it in reconciliation: when it expires, and 0 for charters.
    """

    added: tuple[tuple[int, RecordId], ...]
    removed: tuple[tuple[int, RecordId], ...]


@dataclass(frozen=True, slots=True)
class Published:
    """This node itself has made or imported these records and stored them: tell the others."""

    envelopes: tuple[tuple[RecordId, bytes], ...]


@dataclass(frozen=True, slots=True)
class Announced:
    """This node's own announcement as it is now; ``gossiped`` when others may pass it on (it has addresses)."""

    rid: RecordId
    envelope: bytes
    gossiped: bool


@dataclass(frozen=True, slots=True)
class PeersChosen:
    """The web addresses of peers that the keeper chose, all of them."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeerFound:
    """An address that was heard of on the local network."""

    address: str


@dataclass(frozen=True, slots=True)
class NodesBlocked:
    """The nodes this keeper does not want to hear from, all of them."""

    nodes: frozenset[NodeId]


@dataclass(frozen=True, slots=True)
class Reachable:
    """Test whether these addresses of ours can be dialled from outside."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelaysWanted:
    """Whether this node needs relays, because nobody can dial it."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class CircuitWanted:
    """Open a circuit to a node through the relay at the other end of a link (``None``: any that holds a place)."""

    target: NodeId
    relay: NodeId | None


@dataclass(frozen=True, slots=True)
class CircuitOut:
    """Bytes to send through a circuit of ours."""

    circuit: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class CircuitEnded:
    """Our end of a circuit is closed."""

    circuit: int


@dataclass(frozen=True, slots=True)
class LetterOut:
    """Send a letter to a node, if a link to it takes letters; otherwise nothing happens."""

    peer: NodeId
    payload: bytes


@dataclass(frozen=True, slots=True)
class PeerWanted:
    """There are letters for this node: open a link to it, and keep one for a while."""

    peer: NodeId


@dataclass(frozen=True, slots=True)
class NodesKnown:
    """The nodes with whom this one shares rooms, all of them: there is a place for them when strangers have to wait."""

    nodes: frozenset[NodeId]


@dataclass(frozen=True, slots=True)
class AnnouncementFound:
    """The answer to :class:`AnnouncementSought`, when there is one: an announcement that was verified before."""

    envelope: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. To be given at the time of :meth:`Gossip.due` or at any time before."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Say goodbye to everybody; nothing is dialled from now on."""


Event: TypeAlias = (
    LinkUp | LinkDown | FrameIn | DialFailed | Judged | Fetched | LiveChanged | Published | Announced | PeersChosen
    | PeerFound | NodesBlocked | Reachable | RelaysWanted | CircuitWanted | CircuitOut | CircuitEnded | LetterOut
    | PeerWanted | NodesKnown | AnnouncementFound | Tick | Leave
)  # fmt: skip


# --- outputs


@dataclass(frozen=True, slots=True)
class Send:
    """Send a frame."""

    link: LinkId
    frame: bytes
    letter: bool = False
    """It is a letter: it waits in a line of its own."""


class Reason(IntEnum):
    """Why a link is closed."""

    OTHER = 0
    LEAVING = 1
    FULL = 2
    VERSION = 3
    FEATURE = 4
    MISBEHAVED = 5
    SILENT = 6
    SAME_NODE = 7
    """A second link to the same node, or to ourselves."""
    DONE = 8
    """It was only a probe."""
    BLOCKED = 9


@dataclass(frozen=True, slots=True)
class Close:
    """Close a link, after what was given to send before."""

    link: LinkId
    reason: Reason


@dataclass(frozen=True, slots=True)
class Judge:
    """Take these envelopes in, and answer with :class:`Judged`."""

    ticket: Ticket
    link: LinkId
    peer: NodeId
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read these records, and answer with :class:`Fetched`."""

    ticket: Ticket
    link: LinkId
    rids: tuple[RecordId, ...]
    with_charters: bool = False
    """Also the charters that the records need, before them."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a link. ``peer`` and ``channel_key`` come from an announcement; ``None`` when only a URL is known."""

    address: str
    peer: NodeId | None
    channel_key: bytes | None
    why: Why
    pinned: bool = False
    public_only: bool = False
    """The name must not lead to an address of a local network."""


@dataclass(frozen=True, slots=True)
class Verified:
    """These addresses of ours were reached from outside (or, with ``False``, were not)."""

    address: str
    reached: bool


@dataclass(frozen=True, slots=True)
class PeerUp:
    """This link takes letters to a node from now on. For each node, this and :class:`PeerDown` alternate."""

    peer: NodeId
    link: LinkId


@dataclass(frozen=True, slots=True)
class PeerDown:
    """No link takes letters to this node any more; what was sent last may be lost."""

    peer: NodeId


@dataclass(frozen=True, slots=True)
class LetterIn:
    """A letter came from a node whose key its channel has proven."""

    peer: NodeId
    payload: bytes


@dataclass(frozen=True, slots=True)
class AnnouncementSought:
    """The address book does not know this node: look among the records, and answer with
    :class:`AnnouncementFound`."""

    peer: NodeId


class Notice(Enum):
    """What a keeper should hear of."""

    CLOCK_WRONG = "clock_wrong"
    ECLIPSE_SUSPECTED = "eclipse_suspected"


@dataclass(frozen=True, slots=True)
class Tell:
    """Something a keeper should know; ``value`` is a number that belongs to it (seconds, links)."""

    notice: Notice
    value: int


Output: TypeAlias = (
    Send | Close | Judge | Fetch | Dial | Verified | CircuitUp | CircuitIn | CircuitDown | CircuitFailed | RelaysChanged
    | PeerUp | PeerDown | LetterIn | AnnouncementSought | Tell
)  # fmt: skip
