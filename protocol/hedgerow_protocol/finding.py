"""Whom to dial, and when: a few links that are as unlike each other as can be had.

``Finding`` opens nothing itself: it is told which links are open and says which dials to begin. What it asks for is
pinned peers always; eight links out, first to anchors, never two into one neighbourhood; a feeler now and then to see
whether hearsay is true; an audit of somebody at random, to notice if all links lie together.
Spec: docs/protocol/peers.md.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from hedgerow_protocol.address_book import ANCHORS_MAX, AddressBook
from hedgerow_protocol.address_entry import Entry
from hedgerow_protocol.chance import Chance
from hedgerow_protocol.closed_doors import ClosedDoors
from hedgerow_protocol.dial_rules import (
    ANCHOR_SECONDS_MIN,
    ANCHORS_WANTED,
    AUDIT_AGAIN_SECONDS,
    AUDIT_SECONDS,
    AWAY_MAX,
    DIAL_SECONDS_MAX,
    FEELER_SECONDS,
    FILL_PAUSE_SECONDS,
    FILL_RATE,
    FOUND_FAILURES_MAX,
    FOUND_MAX,
    FROM_NEW_MAX,
    ONION_MAX,
    PER_SOURCE_MAX,
    PINNED_MAX,
    SLOTS,
    SLOTS_FOR_BOOK_MIN,
    OpenLink,
    Plan,
    Purpose,
)  # fmt: skip
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.known_addresses import KnownAddress, KnownAddresses, same_form
from hedgerow_protocol.neighbourhood import Neighbourhood, Place, is_local, neighbourhood_of, place_of
from hedgerow_protocol.ports import Entropy, Instant, Now
from hedgerow_protocol.ratelimit import TokenBucket


@dataclass(frozen=True, slots=True)
class _Dialling:
    plan: Plan
    until: Instant
    source: Neighbourhood | None
    from_new: bool


@dataclass(slots=True)
class _View:
    """The links at one moment, counted in the ways that matter."""

    linked: set[NodeId]
    places: set[Neighbourhood]
    onions: int
    sources: Counter[Neighbourhood]
    from_new: int
    free: int


class Finding:
    """The dial policy of one node, over its address book. ``slots`` 0 means: only pinned and local peers."""

    def __init__(self, book: AddressBook, entropy: Entropy, *, slots: int = SLOTS, onion: bool = False) -> None:
        self.book = book
        self._chance = Chance(entropy)
        self._slots = slots
        self._onion = onion
        self._node: NodeId | None = None
        self._own_addresses: set[str] = set()
        self._refused: Callable[[NodeId], bool] = lambda _: False
        self._pinned = KnownAddresses(self._chance, PINNED_MAX)
        self._found = KnownAddresses(self._chance, FOUND_MAX)
        self._dialling: dict[str, _Dialling] = {}
        self._away: dict[NodeId, Instant] = {}
        self._held: dict[NodeId, _Dialling] = {}
        self._fill = TokenBucket(FILL_RATE, SLOTS)
        self._nobody: tuple[int, Instant] | None = None
        """What the book had learned, and until when to wait, when there was nobody to dial."""
        self._doors = ClosedDoors()
        self._moment = Instant(0.0)
        self._feeler: Instant | None = None
        self._audit: Instant | None = None
        self._online = False
        self._free = 0
        self._linked: frozenset[NodeId] = frozenset()
        self._changed = True

    # --- what is known

    def set_self(self, node: NodeId, addresses: Iterable[str]) -> None:
        """Who we are and where: never dialled."""
        self._node = node
        self._own_addresses = {same_form(address) for address in addresses}
        self.book.forget(node)

    def set_refused(self, refused: Callable[[NodeId], bool]) -> None:
        """Nodes that are not to be dialled: blocked by the keeper, or refused for their score."""
        self._refused = refused

    def set_pinned(self, addresses: Iterable[str]) -> None:
        """The addresses a keeper chose, all of them."""
        wanted = {same_form(address) for address in addresses}
        self._pinned.keep_only(wanted)
        for address in sorted(wanted):
            self._pinned.add(address)
        self._changed = True

    def found(self, address: str) -> bool:
        """An address was heard of on the local network. ``False`` when it is not local, or known."""
        if not is_local(neighbourhood_of(address)) or same_form(address) in self._own_addresses:
            return False
        known = self._found.get(address)
        if known is not None and known.failures >= FOUND_FAILURES_MAX:
            known.failures = 0
            self._changed = True
        added = self._found.add(address)
        self._changed = self._changed or added
        return added

    def stay_away(self, peer: NodeId, seconds: float, now: Now) -> None:
        """This node asked us not to come back for a while."""
        if len(self._away) >= AWAY_MAX:
            del self._away[min(self._away, key=lambda node: self._away[node])]
        self._away[peer] = Instant(now.instant + seconds)

    def audit_soon(self, now: Now) -> None:
        """The last audit found something amiss: look again before long, somewhere else."""
        soon = Instant(now.instant + AUDIT_AGAIN_SECONDS)
        self._audit = soon if self._audit is None else min(self._audit, soon)
        self._changed = True

    # --- what happened

    def opened(self, link: OpenLink, now: Now) -> None:
        """A link is open: also one that is closed at once because it leads to ourselves or a node we are linked to."""
        self._changed = True
        if not link.outbound:
            self.book.met(link.peer, now)
            return
        address = same_form(link.address)
        dialling = self._dialling.pop(address, None)
        self._doors.opened(address)
        for known, addresses in self._known(address):
            addresses.opened(known, link.peer, now.instant)
        if link.peer == self._node:
            self._own_addresses.add(address)
            return
        if dialling is not None:
            if dialling.plan.peer not in (None, link.peer):
                self.book.answered_wrongly(dialling.plan.peer or link.peer, now)
            if dialling.plan.purpose is Purpose.KEEP:
                self._held[link.peer] = dialling
        self.book.tried(link.peer, True, now)

    def closed(self, link: OpenLink, now: Now) -> None:
        """A link has ended."""
        self._changed = True
        if link.outbound:
            for known, addresses in self._known(same_form(link.address)):
                addresses.closed(known, now.instant)

    def failed(self, address: str, now: Now, *, wrong_node: bool = False) -> None:
        """A dial came to nothing; with ``wrong_node``, somebody else answered."""
        self._changed = True
        address = same_form(address)
        self._doors.failed(address, now.instant)
        for known, addresses in self._known(address):
            addresses.failed(known, now.instant)
        dialling = self._dialling.pop(address, None)
        peer = None if dialling is None else dialling.plan.peer
        if peer is None:
            return
        if wrong_node:
            self.book.answered_wrongly(peer, now)
        elif self._online or is_local(neighbourhood_of(address)):
            self.book.tried(peer, False, now)

    def _known(self, address: str) -> list[tuple[KnownAddress, KnownAddresses]]:
        both = ((addresses.get(address), addresses) for addresses in (self._pinned, self._found))
        return [(known, addresses) for known, addresses in both if known is not None]

    # --- what to do

    def is_dialling(self, node: NodeId) -> bool:
        """Whether a dial to this node is under way."""
        return any(each.plan.peer == node for each in self._dialling.values())

    def due(self, links: Sequence[OpenLink], now: Now) -> list[Plan]:
        """The dials to begin now. Each is answered by :meth:`opened` or :meth:`failed`."""
        self._changed = False
        self._moment = now.instant
        self._dialling = {key: each for key, each in self._dialling.items() if each.until > now.instant}
        self._away = {node: until for node, until in self._away.items() if until > now.instant}
        linked = {link.peer for link in links}
        self._held = {peer: held for peer, held in self._held.items() if peer in linked}
        plans = self._known_due(self._view(links), now)
        view = self._view(links)
        if self._slots:
            self._choose_anchors(links, now)
            self._fill_slots(view, plans, now)
            self._feel(view, plans, now)
            self._look_round(view, plans, now)
        self._free = view.free
        self._linked = frozenset(view.linked)
        return plans

    def next_due(self, now: Now) -> Instant:
        """When to ask again at the latest. To be asked after :meth:`due`, and again after every event."""
        if self._changed:
            return now.instant
        times = [each.until for each in self._dialling.values()]
        for known in (*self._pinned, *self._found):
            if self._may_dial_known(known, self._linked):
                times.append(known.not_before)
        if self._slots:
            times += [each for each in (self._feeler, self._audit) if each is not None]
            if self._free > 0:
                learned, until = self._nobody or (-1, Instant(now.instant + 1 / FILL_RATE))
                times.append(until if learned in (-1, self.book.changes) else now.instant)
        return max(now.instant, min(times, default=Instant(now.instant + AUDIT_SECONDS)))

    def relayed(self, relays: Collection[NodeId], now: Now) -> Entry | None:
        """A node that is not linked and can be reached only through one of these relays."""

        def allowed(entry: Entry) -> bool:
            return not entry.addresses and any(relay in relays for relay in entry.relays) and self._is_open(entry)

        return self.book.choose(lambda entry: allowed(entry) and entry.node not in self._linked, now)

    def _view(self, links: Sequence[OpenLink]) -> _View:
        kept = [link for link in links if link.outbound and link.kept]
        begun = [each for each in self._dialling.values() if each.plan.purpose is Purpose.KEEP]
        places = [neighbourhood_of(link.address) for link in kept]
        places += [neighbourhood_of(each.plan.address) for each in begun]
        held = [*self._held.values(), *begun]
        own = sum(not link.pinned and link.address not in self._found for link in kept)
        own += sum(not each.plan.pinned and each.plan.address not in self._found for each in begun)
        pinned = sum(link.pinned for link in kept) + sum(each.plan.pinned for each in begun)
        self._online = any(not is_local(neighbourhood_of(link.address)) for link in links)
        return _View(
            linked={link.peer for link in links} | {each.plan.peer for each in begun if each.plan.peer is not None},
            places={place for place in places if not is_local(place)},
            onions=sum(place_of(place) is Place.ONION for place in places),
            sources=Counter(each.source for each in held if each.source is not None),
            from_new=sum(each.from_new for each in held),
            free=max(min(self._slots, SLOTS_FOR_BOOK_MIN), self._slots - pinned) - own,
        )

    def _known_due(self, view: _View, now: Now) -> list[Plan]:
        plans = []
        for addresses in (self._pinned, self._found):
            for known in addresses:
                if known.not_before <= now.instant and self._may_dial_known(known, view.linked):
                    plan = Plan(known.address, None, None, Purpose.KEEP, pinned=addresses is self._pinned)
                    entry = self.book.get(known.peer) if known.peer is not None else None
                    if entry is not None and known.address in entry.addresses:
                        plan = Plan(known.address, entry.node, entry.channel, Purpose.KEEP, plan.pinned)
                    plans.append(self._begin(plan, now, None, from_new=False))
        return plans

    def _may_dial_known(self, known: KnownAddress, linked: Collection[NodeId]) -> bool:
        """Not ourselves, not linked, not under way, not given up."""
        if known.address in self._own_addresses or known.address in self._dialling:
            return False
        if known.failures >= FOUND_FAILURES_MAX and known.address not in self._pinned:
            return False
        return known.peer is None or (known.peer not in linked and self._is_welcome(known.peer))

    def _fill_slots(self, view: _View, plans: list[Plan], now: Now) -> None:
        if self._nobody is not None:
            learned, until = self._nobody
            if learned == self.book.changes and now.instant < until:
                return
            self._nobody = None
        anchors = [entry for node in self.book.anchors if (entry := self.book.get(node)) is not None]
        wanted = ANCHORS_WANTED - sum(entry.node in view.linked for entry in anchors)
        while view.free > 0 and self._fill.level(now.instant) >= 1:
            entry = None
            if wanted > 0:
                resting = (each for each in anchors if each.rests_until(now.timestamp) <= now.timestamp)
                entry = next((each for each in resting if self._is_allowed(each, view)), None)
                wanted -= 1
            if entry is None:
                entry = self._choose(view, now)
            address = None if entry is None else self._address(entry)
            if entry is None or address is None:
                self._nobody = self.book.changes, Instant(now.instant + FILL_PAUSE_SECONDS)
                return
            self._fill.take(1, now.instant)
            place = neighbourhood_of(address)
            source = None if is_local(place) or entry.proven(now.timestamp) else self._source(entry, view)
            plan = Plan(address, entry.node, entry.channel, Purpose.KEEP)
            plans.append(self._begin(plan, now, source, from_new=not entry.tried))
            view.linked.add(entry.node)
            view.free -= 1
            view.from_new += not entry.tried
            view.onions += place_of(place) is Place.ONION
            if not is_local(place):
                view.places.add(place)
            if source is not None:
                view.sources[source] += 1

    def _choose(self, view: _View, now: Now) -> Entry | None:
        def allowed(entry: Entry) -> bool:
            if not self._is_allowed(entry, view):
                return False
            near = is_local(neighbourhood_of(self._address(entry) or ""))
            return near or entry.proven(now.timestamp) or self._source(entry, view) is not None

        if view.from_new >= FROM_NEW_MAX:
            known = self.book.choose(allowed, now, tried=True)
            if known is not None:
                return known
        return self.book.choose(allowed, now)

    def _is_allowed(self, entry: Entry, view: _View) -> bool:
        """Somebody else than we have, somewhere else than we are linked."""
        address = self._address(entry)
        if address is None or entry.node in view.linked or not self._is_open(entry):
            return False
        place = neighbourhood_of(address)
        if place_of(place) is Place.ONION and view.onions >= ONION_MAX:
            return False
        return place not in view.places and address not in self._dialling and address not in self._pinned

    def _is_open(self, entry: Entry) -> bool:
        return self._is_welcome(entry.node) and not any(each in self._own_addresses for each in entry.addresses)

    def _is_welcome(self, node: NodeId) -> bool:
        return node != self._node and node not in self._away and not self._refused(node)

    def _source(self, entry: Entry, view: _View) -> Neighbourhood | None:
        """The one who told of it and has most room left; ``None`` when each has told of enough we are linked to."""
        best = min(entry.sources, key=lambda each: view.sources[each], default=None)
        return best if best is not None and view.sources[best] < PER_SOURCE_MAX else None

    def _address(self, entry: Entry) -> str | None:
        """What to dial: after each failure, the next of a node's addresses."""
        dialled = [
            each
            for each in entry.addresses
            if (self._onion or place_of(neighbourhood_of(each)) is not Place.ONION)
            and not self._doors.rests(each, self._moment)
        ]
        return dialled[entry.failures % len(dialled)] if dialled else None

    def _feel(self, view: _View, plans: list[Plan], now: Now) -> None:
        if self._feeler is not None and now.instant < self._feeler:
            return
        first = self._feeler is None
        self._feeler = Instant(now.instant + FEELER_SECONDS * self._chance.between(0.75, 1.25))
        if not first:
            entry = self.book.to_test(now)
            if entry is None or not self._may_visit(entry, view):
                entry = self.book.choose(lambda each: self._may_visit(each, view), now, tried=False, oldest=False)
            self._visit(entry, Purpose.FEELER, plans, now)

    def _look_round(self, view: _View, plans: list[Plan], now: Now) -> None:
        if self._audit is None:
            self._audit = Instant(now.instant + self._chance.between(0, AUDIT_SECONDS))
        elif now.instant >= self._audit:
            self._audit = Instant(now.instant + AUDIT_SECONDS)
            entry = self.book.choose(lambda each: self._may_visit(each, view), now, oldest=False)
            self._visit(entry, Purpose.AUDIT, plans, now)

    def _may_visit(self, entry: Entry, view: _View) -> bool:
        address = self._address(entry)
        if address is None or address in self._dialling:
            return False
        return entry.node not in view.linked and self._is_open(entry)

    def _visit(self, entry: Entry | None, purpose: Purpose, plans: list[Plan], now: Now) -> None:
        address = None if entry is None else self._address(entry)
        if entry is not None and address is not None:
            plans.append(self._begin(Plan(address, entry.node, entry.channel, purpose), now, None, from_new=False))

    def _begin(self, plan: Plan, now: Now, source: Neighbourhood | None, *, from_new: bool) -> Plan:
        self._dialling[plan.address] = _Dialling(plan, Instant(now.instant + DIAL_SECONDS_MAX), source, from_new)
        if plan.peer is not None:
            self.book.dialling(plan.peer, now)
        return plan

    def _choose_anchors(self, links: Sequence[OpenLink], now: Now) -> None:
        """The longest-lived links out, once there are such; until then those from before the restart stay."""
        old = [
            link
            for link in links
            if link.outbound and link.kept and not link.pinned and now.instant - link.since >= ANCHOR_SECONDS_MIN
        ]
        if old:
            lasting = [link.peer for link in sorted(old, key=lambda link: link.since)]
            rest = [node for node in self.book.anchors if node not in lasting]
            self.book.set_anchors([*lasting, *rest][:ANCHORS_MAX])
