"""What the machine keeps of one link."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hedgerow_protocol.budget import Account
from hedgerow_protocol.gossip.events import LinkId, Why
from hedgerow_protocol.gossip.settings import PUSH_BURST
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.messages import Hello
from hedgerow_protocol.neighbourhood import Neighbourhood
from hedgerow_protocol.ports import Instant

if TYPE_CHECKING:
    from hedgerow_protocol.ratelimit import TokenBucket
    from hedgerow_protocol.reconcile.session import Session

NEVER = Instant(float("-inf"))


@dataclass(slots=True)
class Giving:
    """Records this node owes the peer after a reconciliation."""

    rids: deque[RecordId] = field(default_factory=deque)
    fetching: int = 0
    """Records asked of the disk."""
    ready: deque[bytes] = field(default_factory=deque)
    """Envelopes that have come from there."""
    in_flight: dict[int, Instant] = field(default_factory=dict)
    """Numbers of messages that were sent and not yet judged, and when they were sent."""
    number: int = 0
    short: bool = False
    """Less was sent than the peer was told to expect."""
    given: OrderedDict[RecordId, int] = field(default_factory=OrderedDict)
    """How often a record was given over this link; a peer that lacks it again does not want it."""

    @property
    def idle(self) -> bool:
        return not (self.rids or self.fetching or self.ready or self.in_flight)


@dataclass(slots=True)
class Syncing:
    """Reconciliation over one link."""

    session: "Session | None" = None
    gave: int = 0
    """Records that this session had us give."""
    opened: bool = False
    """This session was opened by us: we look afterwards whether it helped."""
    slicing: bool = False
    """The session has work left to do without waiting for the peer."""
    expect: int = 0
    """Records the peer has yet to send us because of reconciliation."""
    early: int = 0
    """Records that came before the session told how many there would be."""
    stored: int = 0
    """Records that came of this session and were new."""
    tried: tuple[bytes, bytes] | None = None
    """The two digests about which the last session was opened."""
    retry: Instant = NEVER
    """When the same two digests are worth another session."""
    fruitless: int = 0
    """Sessions since the digests were last equal that brought us nothing."""
    not_before: Instant = NEVER
    heard: Instant = NEVER
    """When something last moved."""
    unequal: Instant | None = None
    """The digests differed when there was no time for a session: ask again then."""
    check: bool = False
    """Compare the digests again as soon as everything has arrived."""
    again: bool = False
    """The last session ended before it knew everything."""
    own_changes: int = 0
    """Changes of our own set since the digests were last equal; a hint at how much may differ."""
    ever_equal: bool = False


@dataclass(slots=True, kw_only=True)
class Linked:
    """One open link and what is known of its other end."""

    link: LinkId
    peer: NodeId
    outbound: bool
    address: str
    neighbourhood: Neighbourhood
    account: Account
    """Who pays for what it brings."""
    binding: bytes
    pinned: bool
    relayed: bool
    why: Why
    since: Instant
    pushes: "TokenBucket"
    push_bytes: "TokenBucket"
    ids: "TokenBucket"
    openings: "TokenBucket"
    """Reconciliations that the peer may open."""
    hello: Hello | None = None
    features: frozenset[str] = frozenset()
    count: int = 0
    """Live records the peer says it holds."""
    last_heard: Instant
    next_ping: Instant
    pinged: bytes | None = None
    """The nonce of the ping that waits for its answer."""
    in_mesh: bool = False
    grafted: Instant = NEVER
    graft_not_before: Instant = NEVER
    offers: list[RecordId] = field(default_factory=list)
    """Ids for the next lazy digest."""
    brought: int = 0
    """New records it brought first, or within moments of the first, since the mesh was last looked at."""
    brought_all: int = 0
    sent: dict[RecordId, int] = field(default_factory=dict)
    """How often a record was sent at its wish; bounded by the bucket of ids."""
    asked_peers: Instant = NEVER
    answered_peers: Instant = NEVER
    flooded: Instant = NEVER
    syncing: Syncing = field(default_factory=Syncing)
    giving: Giving = field(default_factory=Giving)
    suspicious: int = 0
    """Old records that this audit brought and no mesh peer had offered."""
    letters: bool = False
    """Letters pass over it, and those around the machine were told so."""
    last_letter: Instant = NEVER

    @property
    def greeted(self) -> bool:
        return self.hello is not None

    @property
    def chosen(self) -> bool:
        """This node dialled by its own policy. Whom members share rooms with, others decide: such a link proves no more
        than one from outside."""
        return self.outbound and self.why is not Why.ROOMS

    def offer(self, rid: RecordId) -> bool:
        """Put an id into the next lazy digest; ``False`` when that is full: reconciliation will have to tell."""
        if len(self.offers) >= 4 * PUSH_BURST:
            return False
        self.offers.append(rid)
        return True
