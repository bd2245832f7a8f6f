"""Made-up nodes with announcements, and a small world in which a :class:`Finding` dials them. For tests of how a node
finds others: keys and signatures are never looked at here, so they are only of the right shape."""

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from hedgerow_protocol.address_book import AddressBook
from hedgerow_protocol.dial_rules import OpenLink, Plan, Purpose
from hedgerow_protocol.envelope import Envelope, Kind, Signature, record_id
from hedgerow_protocol.finding import Finding
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import Usage
from hedgerow_protocol.neighbourhood import Neighbourhood, neighbourhood_of
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.records import Announcement

START = Timestamp(1_790_000_000)
DAY = 86_400
SECRET = bytes(range(16))


def moment(seconds: float = 0.0) -> Now:
    """So many seconds after the start, on both clocks."""
    return Now(Instant(1_000.0 + seconds), Timestamp(START + int(seconds)))


def entropy_of(seed: int) -> Callable[[int], bytes]:
    """Entropy that a seed replays."""
    return random.Random(seed).randbytes


def node_of(number: int) -> NodeId:
    """A node's id."""
    return NodeId(blake2b(b"node %d" % number, digest_size=32).digest())


def announced(
    number: int, *addresses: str, seq: int = 1, issued: int = START, lasts: int = 20 * DAY
) -> tuple[Announcement, Envelope]:
    """The announcement of node ``number``, and its envelope."""
    author = bytes((Usage.NODE,)) + node_of(number)
    announcement = Announcement(
        node=author,
        channel=blake2b(b"channel %d" % number, digest_size=32).digest(),
        addresses=addresses,
        features=(),
        seq=seq,
        issued=Timestamp(issued),
        expires=Timestamp(issued + lasts),
    )
    body = announcement.to_body()
    signature = Signature(author, bytes(64))
    return announcement, Envelope(Kind.ANNOUNCEMENT, body, (signature,), record_id(Kind.ANNOUNCEMENT, body))


def address_in(network: int, host: int = 1) -> str:
    """An address in the ``network``-th public /16."""
    return f"http://{20 + network // 250}.{network % 250}.{host // 250}.{host % 250 + 1}:8470"


def place_in(network: int) -> Neighbourhood:
    """The neighbourhood of :func:`address_in`."""
    return neighbourhood_of(address_in(network))


@dataclass
class World:
    """Answers every dial of one node after a moment, until somebody asks for something else.

    ``answers`` says which node is at an address; nobody is at any other. Links of nodes in ``restless`` end after about
    so many seconds.
    """

    finding: Finding
    answers: dict[str, NodeId]
    seed: int = 0
    restless: dict[NodeId, float] = field(default_factory=dict)
    tells: Callable[[OpenLink, Now], None] = lambda link, now: None
    links: list[OpenLink] = field(default_factory=list)
    plans: list[tuple[float, Plan]] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._events: list[tuple[float, int, Callable[[Now], None]]] = []
        self._count = 0

    def at(self, seconds: float, what: Callable[[Now], None]) -> None:
        """Do something later."""
        self._count += 1
        heapq.heappush(self._events, (seconds, self._count, what))

    def run(self, until: float) -> None:
        """Let time pass."""
        while True:
            now = moment(self.seconds)
            for plan in self.finding.due(self.links, now):
                self.plans.append((self.seconds, plan))
                self._dial(plan)
            due = self.finding.next_due(now) - moment().instant
            next_event = self._events[0][0] if self._events else until + 1
            # A clock that did not move on would hang here: a step of a millisecond shows it as a slow test instead.
            self.seconds = max(self.seconds + 0.001, min(due, next_event))
            if self.seconds > until:
                self.seconds = until
                return
            while self._events and self._events[0][0] <= self.seconds:
                heapq.heappop(self._events)[2](moment(self.seconds))

    def _dial(self, plan: Plan) -> None:
        delay = self._random.uniform(0.05, 0.5)
        peer = self.answers.get(plan.address)
        if peer is None:
            self.at(self.seconds + delay + 2, lambda now: self.finding.failed(plan.address, now))
        else:
            self.at(self.seconds + delay, lambda now: self._open(plan, peer, now))

    def _open(self, plan: Plan, peer: NodeId, now: Now) -> None:
        kept = plan.purpose is Purpose.KEEP and not any(link.peer == peer for link in self.links)
        link = OpenLink(peer, True, plan.address, now.instant, plan.pinned, kept)
        self.finding.opened(link, now)
        self.tells(link, now)
        if not kept:
            self.finding.closed(link, now)
            return
        self.links.append(link)
        if peer in self.restless:
            ends = self.seconds + self._random.expovariate(1 / self.restless[peer])
            self.at(ends, lambda now: self.close(link, now))

    def close(self, link: OpenLink, now: Now) -> None:
        """End a link."""
        self.links.remove(link)
        self.finding.closed(link, now)

    def outbound(self) -> list[NodeId]:
        """The nodes we keep links to by dialling."""
        return [link.peer for link in self.links if link.outbound and link.kept]


def finding_of(seed: int = 0, *, slots: int = 8, rows: Iterable[object] = ()) -> Finding:
    """A fresh node's dial policy."""
    entropy = entropy_of(seed)
    return Finding(AddressBook(SECRET, entropy), entropy, slots=slots)
