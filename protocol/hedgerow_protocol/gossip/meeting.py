"""Whom this node is linked to: links that open and close, nodes it hears of, and whom it dials next."""

from collections.abc import Callable

from hedgerow_protocol.address_book import AddressBook
from hedgerow_protocol.budget import account_of
from hedgerow_protocol.dial_rules import SLOTS, OpenLink, Plan
from hedgerow_protocol.envelope import Envelope, Kind, parse_envelope, verify_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.finding import Finding
from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import Dial, DialFailed, LinkUp, Reason, Why
from hedgerow_protocol.gossip.linked import NEVER, Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.reaching import Reaching
from hedgerow_protocol.ids import NodeId, to_text
from hedgerow_protocol.messages import Peers, PeersWanted
from hedgerow_protocol.neighbourhood import RELAY_PREFIX, Neighbourhood, neighbourhood_of
from hedgerow_protocol.ports import Instant, Now
from hedgerow_protocol.ratelimit import TokenBucket
from hedgerow_protocol.records import Announcement, read_announcement
from hedgerow_protocol.state import check_times

LINKS_MAX = 136
"""Links. 128 from outside and those this node dials: each costs some 10 kB and its share of every digest. Links that
rooms need have a limit of their own."""

KNOWN_LINKS_MAX = 8
"""Links. From outside, beyond these: for nodes that this one shares rooms with, so that strangers cannot keep them out.
"""

RECORDS_RATE, RECORDS_BURST = 20.0, 500
"""Records a second, and at once, that a peer may push unasked."""

BYTES_RATE, BYTES_BURST = 256 * 1024.0, 4 * 1024 * 1024
"""Bytes a second, and at once, of records that a peer may push unasked."""

IDS_RATE, IDS_BURST = 64.0, 4_096
"""Ids a second, and at once, that a peer may offer or wish."""


OPENINGS_RATE, OPENINGS_BURST = 0.2, 16
"""Reconciliations a second, and at once, that a peer may open: a first contact needs one for each 30,000 records."""

EXPIRE_SECONDS = 3_600.0
"""Seconds. Between two looks at who is long gone."""

RELAYED_SECONDS = 10.0
"""Seconds. Between two attempts to reach somebody through a relay."""

PARTED_SECONDS = 600.0
"""Seconds. Before a peer with a bad score, of whom a link was lost, is dialled again: others come first."""


class Meeting:
    """Opens and closes links, and keeps the address book."""

    def __init__(self, state: MachineState, reaching: Reaching, book: AddressBook, finding: Finding) -> None:
        self._state = state
        self._reaching = reaching
        self.book = book
        self.finding = finding
        self.blocked: frozenset[NodeId] = frozenset()
        self.known: frozenset[NodeId] = frozenset()
        """Nodes that this one shares rooms with."""
        self.heard: Callable[[Announcement, Neighbourhood, Now], None] = lambda announcement, source, now: None
        """Told of every verified announcement, and where it was told."""
        self.sought: Callable[[NodeId], bool] = lambda node: False
        """Whether somebody else dials this node already."""
        self.leaving = False
        self._next_relayed = NEVER
        self._next_expiry = NEVER
        finding.set_self(state.own, ())

    # --- links

    def link_up(self, event: LinkUp, now: Now) -> Linked | None:
        """A channel is open. ``None`` when nothing more is to be said on it."""
        linked = self._linked(event, now)
        if event.peer not in self.blocked:
            self._learn(event.announcement, linked, now)  # first: the rest says something of an entry in the book
        self.finding.opened(_open_link(linked), now)
        if not event.outbound:
            self._reaching.dialled_us(event.peer, now)
        elif event.why is Why.DIAL_BACK:
            self._reaching.dialled(event.address, event.peer, now, reached=True)
        refused = self._refusal(linked, now)
        if refused is not None:
            self._state.close(linked, refused)
            self.finding.closed(_open_link(linked), now)
            return None
        self._state.links[event.link] = linked
        self._state.by_peer[event.peer] = event.link
        self._state.scores.connected(event.peer, now)
        self.book.met(event.peer, now)
        return linked

    def _linked(self, event: LinkUp, now: Now) -> Linked:
        neighbourhood = neighbourhood_of(event.address)
        return Linked(
            link=event.link,
            peer=event.peer,
            outbound=event.outbound,
            address=event.address,
            neighbourhood=neighbourhood,
            account=account_of(neighbourhood, event.peer, pinned=event.pinned),
            binding=event.binding,
            pinned=event.pinned,
            relayed=event.relayed,
            why=event.why,
            since=now.instant,
            pushes=TokenBucket(RECORDS_RATE, RECORDS_BURST),
            push_bytes=TokenBucket(BYTES_RATE, BYTES_BURST),
            ids=TokenBucket(IDS_RATE, IDS_BURST),
            openings=TokenBucket(OPENINGS_RATE, OPENINGS_BURST),
            last_heard=now.instant,
            next_ping=self._state.soon(now.instant, times.PING_SECONDS),
        )

    def _refusal(self, linked: Linked, now: Now) -> Reason | None:
        """Why this link is not to be; closes an older one to the same node where the new one is better."""
        state = self._state
        if linked.peer == state.own:
            return Reason.SAME_NODE
        if linked.peer in self.blocked:
            return Reason.BLOCKED
        if linked.why in (Why.FEELER, Why.DIAL_BACK):
            return Reason.DONE
        if state.scores.banned_until(linked.peer, now) is not None:
            return Reason.MISBEHAVED
        older = state.links.get(state.by_peer[linked.peer]) if linked.peer in state.by_peer else None
        if older is not None:
            if not self._is_better(linked, older):
                return Reason.SAME_NODE
            state.close(older, Reason.SAME_NODE)
        if self.leaving:
            return Reason.LEAVING
        return None if linked.outbound or self._has_room(linked.peer) else Reason.FULL

    def _has_room(self, peer: NodeId) -> bool:
        """Whether this peer may come in."""
        most = LINKS_MAX + KNOWN_LINKS_MAX * (peer in self.known)
        return sum(each.why is not Why.ROOMS for each in self._state.links.values()) < most

    def _is_better(self, new: Linked, old: Linked) -> bool:
        # The same side dialled again: its old link is gone for it.
        if new.outbound == old.outbound:
            return True
        # Both sides dialled: both must keep the same one, whichever of the two each of them saw first.
        if new.relayed != old.relayed:
            return old.relayed
        return new.outbound == (self._state.own < new.peer)

    def link_down(self, linked: Linked, now: Now) -> None:
        """A link has ended, and is no more among the open ones; to be called once for each that was up."""
        self._state.scores.disconnected(linked.peer, now)
        self._reaching.link_down(linked.link, now)
        chosen = linked.outbound and linked.why is Why.KEEP and not linked.pinned
        if chosen and not self._state.scores.may_mesh(linked.peer, now):
            self.finding.stay_away(linked.peer, PARTED_SECONDS, now)
        self.finding.closed(_open_link(linked), now)

    def dial_failed(self, event: DialFailed, now: Now) -> None:
        """A dial came to nothing."""
        if event.peer is not None:
            self._reaching.dialled(event.address, event.peer, now, reached=False)
        self.finding.failed(event.address, now, wrong_node=event.wrong_node)

    def leave(self) -> None:
        """Say goodbye to everybody, and dial nobody."""
        self.leaving = True
        for linked in list(self._state.links.values()):
            self._state.close(linked, Reason.LEAVING)

    def block(self, nodes: frozenset[NodeId]) -> None:
        """Hear no more from these nodes."""
        self.blocked = nodes
        for linked in [each for each in self._state.links.values() if each.peer in nodes]:
            self._state.close(linked, Reason.BLOCKED, seconds=86_400)
        for node in nodes:
            self.book.forget(node)

    # --- other nodes

    def _learn(self, envelope: bytes, linked: Linked, now: Now) -> None:
        """An announcement that was verified already."""
        parsed = parse_envelope(envelope)
        self._told(read_announcement(parsed.body), parsed, linked, now)

    def _told(self, announcement: Announcement, envelope: Envelope, linked: Linked, now: Now) -> None:
        self.book.learn(announcement, envelope, linked.neighbourhood, now)
        self.heard(announcement, linked.neighbourhood, now)

    def stored(self, envelope: bytes, linked: Linked | None, now: Now) -> None:
        """A record was judged and stored: an announcement goes into the book."""
        if linked is not None and len(envelope) > 3 and envelope[2] == Kind.ANNOUNCEMENT:
            parsed = parse_envelope(envelope)
            announcement = read_announcement(parsed.body)
            if announcement.node_id != self._state.own and announcement.node_id not in self.blocked:
                self._told(announcement, parsed, linked, now)

    def ask_for_peers(self, linked: Linked, now: Now) -> None:
        """Ask a peer for other nodes, now and then."""
        due = now.instant - linked.asked_peers >= times.EXCHANGE_SECONDS
        if due and linked.chosen and times.EXCHANGE in linked.features:
            linked.asked_peers = now.instant
            self._state.send(linked, PeersWanted())

    def peers_wanted(self, linked: Linked, now: Now) -> None:
        """A peer asks for other nodes; too often is not answered."""
        if now.instant - linked.answered_peers >= times.EXCHANGE_SECONDS / 2:
            linked.answered_peers = now.instant
            self._state.send(linked, Peers(tuple(self.book.sample(linked.peer, linked.neighbourhood, now))))

    def peers(self, linked: Linked, message: Peers, now: Now) -> None:
        """A peer tells of other nodes, as it was asked. Raises :class:`RemoteError`."""
        if now.instant - linked.asked_peers > times.EXCHANGE_SECONDS or linked.asked_peers == float("-inf"):
            return
        for envelope in message.envelopes:
            announcement = self._read(envelope, now)
            if announcement is not None and announcement.node_id != self._state.own:
                self._told(announcement, parse_envelope(envelope), linked, now)

    def _read(self, envelope: bytes, now: Now) -> Announcement | None:
        parsed = parse_envelope(envelope)
        announcement = read_announcement(parsed.body)
        verify_envelope(parsed)
        if parsed.kind is not Kind.ANNOUNCEMENT or parsed.authors != (announcement.node,):
            return None
        try:
            check_times(announcement.issued, announcement.expires, now.timestamp)
        except RemoteError:
            return None  # old news is no offence
        return None if announcement.node_id in self.blocked else announcement

    def expire(self, now: Now) -> None:
        """Forget nodes and scores that are long gone; about once an hour."""
        if now.instant >= self._next_expiry:
            self._next_expiry = Instant(now.instant + EXPIRE_SECONDS)
            self.book.expire(now)
            self._state.scores.expire(now)

    # --- dialling

    def refuses(self, now: Now) -> Callable[[NodeId], bool]:
        """Whom this node does not want to be linked to."""
        scores = self._state.scores
        return lambda node: node in self.blocked or scores.banned_until(node, now) is not None

    def dial(self, now: Now) -> None:
        """Dial whom the policy wants to be dialled now."""
        if self.leaving:
            return
        refuses = self.refuses(now)
        self.finding.set_refused(lambda node: refuses(node) or self.sought(node))
        for plan in self.finding.due([_open_link(each) for each in self._state.links.values()], now):
            self._state.out.append(_to_dial(plan))
        self._dial_through_relays(now)

    def _dial_through_relays(self, now: Now) -> None:
        """Where too few can be dialled, those who can only be reached through a peer of ours."""
        links = self._state.links.values()
        if now.instant < self._next_relayed or sum(each.chosen for each in links) >= SLOTS:
            return
        self._next_relayed = self._state.soon(now.instant, RELAYED_SECONDS)
        relays = {each.peer for each in links if times.RELAY in each.features and not each.relayed}
        entry = self.finding.relayed(relays, now) if relays else None
        if entry is not None:
            through = next(each for each in entry.relays if each in relays)
            self.book.dialling(entry.node, now)
            address = RELAY_PREFIX + to_text(through)
            self._state.out.append(Dial(address, entry.node, entry.channel, Why.KEEP))

    def next_due(self, now: Now) -> Instant | None:
        """When somebody may be dialled next."""
        return None if self.leaving else self.finding.next_due(now)


def _open_link(linked: Linked) -> OpenLink:
    kept = linked.why is Why.KEEP
    return OpenLink(linked.peer, linked.outbound, linked.address, linked.since, linked.pinned, kept)


def _to_dial(plan: Plan) -> Dial:
    return Dial(plan.address, plan.peer, plan.channel_key, Why(plan.purpose.value), pinned=plan.pinned)
