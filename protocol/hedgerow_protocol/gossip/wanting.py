"""Links that rooms need: a node that somebody here shares a room with is dialled until a link is up, and for a while.

Directly, over Tor, or through one of the relays it announces; the relay is dialled first where there is no link to it.
These links stand beside the eight of the dial policy (:mod:`hedgerow_protocol.finding`) and never count among them:
whom members share rooms with is other people's choice. Spec: docs/protocol/gossip.md, "Links that rooms need".
"""

from dataclasses import dataclass, field
from typing import Final

from hedgerow_protocol.address_entry import usable
from hedgerow_protocol.dial_rules import DIAL_SECONDS_MAX
from hedgerow_protocol.envelope import parse_envelope
from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import AnnouncementSought, Dial, DialFailed, LinkUp, Reason, Why
from hedgerow_protocol.gossip.linked import NEVER, Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.meeting import Meeting
from hedgerow_protocol.gossip.reaching import Reaching
from hedgerow_protocol.ids import NodeId, to_text
from hedgerow_protocol.neighbourhood import (
    RELAY_PREFIX,
    Neighbourhood,
    Place,
    neighbourhood_of,
    place_of,
    relay_of,
)
from hedgerow_protocol.ports import Instant, Now
from hedgerow_protocol.records import Announcement, read_announcement

WANTED_SECONDS: Final = 600.0
"""Seconds. A link is sought and kept for so long after it was last wanted, or a letter last passed."""

WANTED_NODES_MAX: Final = 1_024
"""Nodes. Wanted at one time; beyond it the one that was wanted longest ago is forgotten."""

WANTED_LINKS_MAX: Final = 32
"""Links. Open or being dialled because rooms need them: four times those of the dial policy, 10 kB each."""

TURN_SECONDS: Final = 60.0
"""Seconds. Where all of these are taken, one over which no letter passed for so long gives way to a node that waits."""

AGAIN_SECONDS_MIN: Final = 5.0
"""Seconds. Before a node is tried again when every way to it failed; twice as long each time, give or take a fifth."""

AGAIN_SECONDS_MAX: Final = 900.0
"""Seconds. The longest such pause: a node that is off for the night is reached within a quarter of an hour."""

LASTING_SECONDS: Final = 60.0
"""Seconds. A link that lasted so long ends the pauses; one that ends at once, such as with a full node, does not."""

RELAY_SECONDS: Final = 40.0
"""Seconds. To get a link to a relay before another way is tried: one dial over Tor, and some to spare."""

_FROM_ANYWHERE: Final = neighbourhood_of("")
"""Where a record that comes from the disk was told: nobody knows, so no address inside a household is believed."""


@dataclass(slots=True)
class _Wanted:
    """One node, and how we stand with it."""

    until: Instant = NEVER
    """It is wanted until then; relays on the way to others are not wanted themselves."""
    not_before: Instant = NEVER
    pause: float = 0.0
    """Seconds. The last pause; 0 after success."""
    ways: list[str] = field(default_factory=list)
    """Addresses that remain to be tried in this round, the next one first."""
    dialling: str | None = None
    dialled: Instant = NEVER
    waits_for: NodeId | None = None
    """The relay that has to be linked first…"""
    waits_until: Instant = NEVER
    """…until then."""
    channel: bytes = b""
    addresses: tuple[str, ...] = ()
    relays: tuple[NodeId, ...] = ()
    seq: int = -1
    """Of the announcement that these are from."""

    def drop_way(self) -> None:
        """The way that was tried leads nowhere now."""
        self.dialling = self.waits_for = None
        if self.ways:
            del self.ways[0]


class Wanting:
    """Seeks and keeps links to the nodes that rooms need."""

    def __init__(self, state: MachineState, reaching: Reaching, meeting: Meeting) -> None:
        self._state = state
        self._reaching = reaching
        self._meeting = meeting
        self._wanted: dict[NodeId, _Wanted] = {}
        """In the order in which they were last tried."""
        meeting.heard = self.heard
        meeting.sought = self.is_dialling

    def is_wanted(self, node: NodeId) -> bool:
        """Whether rooms need a link to this node now."""
        return node in self._wanted

    def is_dialling(self, node: NodeId) -> bool:
        """Whether a dial to this node is under way, so that nobody else begins one."""
        wanted = self._wanted.get(node)
        return wanted is not None and wanted.dialling is not None

    # --- what happens

    def want(self, node: NodeId, now: Now) -> bool:
        """There is something for this node. Whether it has to be looked for now."""
        if node == self._state.own or node in self._meeting.blocked:
            return False
        wanted = self._wanted.get(node)
        fresh = wanted is None
        if wanted is None:
            while len(self._wanted) >= WANTED_NODES_MAX:
                del self._wanted[min(self._wanted, key=lambda each: self._wanted[each].until)]
            wanted = self._wanted[node] = _Wanted()
        wanted.until = Instant(now.instant + WANTED_SECONDS)
        return fresh and node not in self._state.by_peer

    def heard(self, announcement: Announcement, source: Neighbourhood, now: Now) -> None:
        """A verified announcement came: where a node we seek has moved to is tried at once."""
        wanted = self._wanted.get(announcement.node_id)
        if wanted is None or announcement.seq <= wanted.seq or announcement.expires <= now.timestamp:
            return
        wanted.addresses, wanted.relays = usable(announcement, (source,))
        wanted.channel, wanted.seq = announcement.channel, announcement.seq
        if wanted.dialling is None:
            wanted.ways, wanted.waits_for, wanted.pause = [], None, 0.0
            # Somebody who announces himself without end does not make us dial without end.
            wanted.not_before = max(now.instant, Instant(wanted.dialled + AGAIN_SECONDS_MIN))

    def found(self, envelope: bytes, now: Now) -> None:
        """The announcement of a node the address book does not know was found among the records."""
        self.heard(read_announcement(parse_envelope(envelope).body), _FROM_ANYWHERE, now)

    def opened(self, event: LinkUp, linked: Linked | None, now: Now) -> None:
        """A channel to a node is open, by whomever; ``linked`` is ``None`` when the link was closed at once."""
        wanted = self._wanted.get(event.peer)
        if wanted is None or event.why in (Why.FEELER, Why.DIAL_BACK):
            return
        wanted.dialling = wanted.waits_for = None
        wanted.ways = []
        if linked is None and event.peer not in self._state.by_peer:
            self._rest(wanted, now)

    def link_down(self, linked: Linked, now: Now) -> None:
        """A link has ended."""
        wanted = self._wanted.get(linked.peer)
        if wanted is None or wanted.dialling is not None or linked.peer in self._state.by_peer:
            return
        if now.instant - linked.since >= LASTING_SECONDS:
            wanted.pause = 0.0
            # A hub that starts anew has many followers: not all at once.
            wanted.not_before = max(wanted.not_before, Instant(now.instant + self._state.chance.between(0.0, 2.0)))
        else:
            self._rest(wanted, now)

    def told_to_wait(self, node: NodeId, seconds: int, now: Now) -> None:
        """A node said goodbye, and when to come back."""
        wanted = self._wanted.get(node)
        if wanted is not None:
            wanted.not_before = max(wanted.not_before, Instant(now.instant + seconds))

    def dial_failed(self, event: DialFailed, now: Now) -> None:
        """A dial came to nothing: the next way, or a pause."""
        wanted = None if event.peer is None else self._wanted.get(event.peer)
        if wanted is not None and wanted.dialling == event.address:
            self._fail_way(wanted, now)

    def _fail_way(self, wanted: _Wanted, now: Now) -> None:
        wanted.drop_way()
        if not wanted.ways:
            self._rest(wanted, now)

    def _rest(self, wanted: _Wanted, now: Now) -> None:
        wanted.pause = min(AGAIN_SECONDS_MAX, max(AGAIN_SECONDS_MIN, wanted.pause * 2))
        pause = wanted.pause * self._state.chance.between(0.8, 1.2)
        wanted.not_before = max(wanted.not_before, Instant(now.instant + pause))

    # --- time

    def heartbeat(self, now: Now) -> None:
        """Dial who is wanted and not linked, and let go who is wanted no more."""
        needed = self._needed(now)
        for node in [each for each in self._wanted if each not in needed]:
            del self._wanted[node]
        self._let_go(needed, now)
        seen: set[NodeId] = set()
        # A relay on the way to somebody is looked for in the same heartbeat.
        while fresh := [each for each in self._wanted if each not in seen]:
            seen.update(fresh)
            self._try_all(fresh, now)

    def _try_all(self, nodes: list[NodeId], now: Now) -> None:
        refuses = self._meeting.refuses(now)
        for node in nodes:
            wanted = self._wanted[node]
            if not refuses(node) and self._is_due(node, wanted, now):
                if self._taken() >= WANTED_LINKS_MAX and not self._make_room(now):
                    return
                self._try(node, wanted, now)

    def next_due(self, now: Now) -> Instant | None:
        """When :meth:`heartbeat` has something to do, if nothing else happens before; what it could have done already
        and did not waits for another occasion."""
        dues: list[Instant] = []
        for node, wanted in self._wanted.items():
            if node in self._state.by_peer:
                dues.append(wanted.until)
            elif wanted.dialling is not None:
                dues.append(Instant(wanted.dialled + DIAL_SECONDS_MAX))
            elif wanted.waits_for is not None:
                dues.append(wanted.waits_until)
            else:
                dues.append(wanted.not_before)
        return min((each for each in dues if each > now.instant), default=None)

    def _needed(self, now: Now) -> set[NodeId]:
        """Whom we need a link to: the wanted ones, and relays on the way to them or in use by anybody here."""
        needed = {node for node, each in self._wanted.items() if each.until > now.instant}
        ways = [self._wanted[node].dialling for node in needed]
        ways += [each.address for each in self._state.links.values() if each.relayed]
        needed |= {relay for way in ways if way is not None and (relay := relay_of(way)) is not None}
        needed |= {each.waits_for for each in self._wanted.values() if each.waits_for is not None}
        return needed | set(self._reaching.relays)

    def _let_go(self, needed: set[NodeId], now: Now) -> None:
        for linked in list(self._state.links.values()):
            idle = now.instant - linked.last_letter >= WANTED_SECONDS
            if linked.why is Why.ROOMS and linked.peer not in needed and idle:
                self._state.close(linked, Reason.DONE)

    def _taken(self) -> int:
        dialled = sum(each.dialling is not None for each in self._wanted.values())
        return dialled + sum(each.why is Why.ROOMS for each in self._state.links.values())

    def _make_room(self, now: Now) -> bool:
        """Part from whom nobody wrote to for longest. ``False`` when all are in use."""
        used = {relay_of(each.address) for each in self._state.links.values() if each.relayed}
        used |= set(self._reaching.relays)
        idle = [
            each
            for each in self._state.links.values()
            if each.why is Why.ROOMS
            and each.peer not in used
            and now.instant - max(each.since, each.last_letter) >= TURN_SECONDS
        ]
        if not idle:
            return False
        self._state.close(min(idle, key=lambda each: max(each.since, each.last_letter)), Reason.DONE)
        return True

    # --- one node

    def _is_due(self, node: NodeId, wanted: _Wanted, now: Now) -> bool:
        if node in self._state.by_peer or self._meeting.finding.is_dialling(node):
            return False
        if wanted.dialling is not None:
            if now.instant < wanted.dialled + DIAL_SECONDS_MAX:
                return False
            self._fail_way(wanted, now)
        elif wanted.waits_for is not None:
            if self._relays(wanted.waits_for):
                wanted.waits_for = None
                return True
            if now.instant < wanted.waits_until:
                return False
            self._fail_way(wanted, now)
        return now.instant >= wanted.not_before

    def _try(self, node: NodeId, wanted: _Wanted, now: Now) -> None:
        self._wanted[node] = self._wanted.pop(node)  # to the end of the line
        if not wanted.ways:
            self._look_up(node, wanted)
            on_the_way = wanted.until <= now.instant
            wanted.ways = self._ways(wanted, direct_only=on_the_way)
        while wanted.ways:
            relay = relay_of(wanted.ways[0])
            if relay is None or self._relays(relay):
                wanted.dialling, wanted.dialled = wanted.ways[0], now.instant
                self._state.out.append(Dial(wanted.dialling, node, wanted.channel, Why.ROOMS))
                return
            if self._may_reach(relay, now):
                wanted.waits_for = relay
                wanted.waits_until = Instant(now.instant + RELAY_SECONDS)
                return
            wanted.drop_way()
        self._rest(wanted, now)

    def _look_up(self, node: NodeId, wanted: _Wanted) -> None:
        entry = self._meeting.book.get(node)
        if entry is not None and entry.seq >= wanted.seq:
            wanted.addresses, wanted.relays = entry.addresses, entry.relays
            wanted.channel, wanted.seq = entry.channel, entry.seq
        elif entry is None:
            # What is known already is tried meanwhile; a newer one begins another round.
            self._state.out.append(AnnouncementSought(node))

    def _ways(self, wanted: _Wanted, *, direct_only: bool) -> list[str]:
        onion = self._state.settings.onion
        direct = [each for each in wanted.addresses if onion or place_of(neighbourhood_of(each)) is not Place.ONION]
        if direct_only:
            return direct
        # A relay that is linked already is a shorter way than one that is not.
        relays = sorted((each for each in wanted.relays if each != self._state.own), key=self._is_far)
        return direct + [RELAY_PREFIX + to_text(each) for each in relays]

    def _is_far(self, relay: NodeId) -> bool:
        return not self._relays(relay)

    def _relays(self, node: NodeId) -> bool:
        """Whether a link of ours leads to a relay."""
        number = self._state.by_peer.get(node)
        linked = None if number is None else self._state.links.get(number)
        return linked is not None and linked.greeted and times.RELAY in linked.features and not linked.relayed

    def _may_reach(self, relay: NodeId, now: Now) -> bool:
        """Seek a link to a relay, unless that was tried in vain lately or it is linked and no relay."""
        number = self._state.by_peer.get(relay)
        if number is not None:
            return not self._state.links[number].greeted
        if self._meeting.refuses(now)(relay):
            return False
        known = self._wanted.setdefault(relay, _Wanted())
        return known.not_before <= now.instant + RELAY_SECONDS / 2
