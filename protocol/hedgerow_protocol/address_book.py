"""Which nodes this node knows of: by hearsay (the new table) and by experience (the tried table).

Built so that somebody who tells many lies, or runs many nodes in few places, cannot make this node talk to him alone.
Times are Unix seconds, because the book outlives a restart. Spec: docs/protocol/peers.md.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from hedgerow_protocol import limits
from hedgerow_protocol.address_entry import NEW_FAILURES_MAX, AddressRow, Entry, from_row, to_row, usable
from hedgerow_protocol.address_shelves import Shelves
from hedgerow_protocol.address_table import Places
from hedgerow_protocol.chance import Chance
from hedgerow_protocol.envelope import Envelope
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.neighbourhood import Neighbourhood, is_local, may_tell, neighbourhood_of
from hedgerow_protocol.ports import Entropy, Now, Timestamp
from hedgerow_protocol.records import Announcement

ANCHORS_MAX: Final = 4
"""Nodes. Remembered over a restart as the longest-lived outbound links; two are wanted, two may be gone."""

TOLD_PER_NEIGHBOURHOOD_MAX: Final = 2
"""Announcements of one neighbourhood in one answer, so that no answer is full of one place."""

TOLD_LINKED_SECONDS: Final = 86_400
"""Seconds. A node that linked to us so lately is told of although we never dialled it."""

TOLD_ROUND_SECONDS: Final = 3_600
"""Seconds. So long the same listener hears of the same nodes: the book cannot be read out by asking often."""

DRAWS_MAX: Final = 48
"""Draws from the tables before every node is looked at."""

FAILURE_CHANCE: Final = 0.66
"""Factor. Each dial in vain makes a node less likely to be chosen."""


class AddressBook:
    """The nodes this node knows of. ``secret`` is 16 bytes that the node keeps to itself and over restarts."""

    def __init__(self, secret: bytes, entropy: Entropy) -> None:
        self._places = Places(secret)
        self._chance = Chance(entropy)
        self._shelves = Shelves(self._places, self._chance)
        self._anchors: tuple[NodeId, ...] = ()
        self.changes = 0
        """Grows whenever there may be somebody else to dial."""

    def __len__(self) -> int:
        return len(self._shelves.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._shelves.entries.values()))

    def get(self, node: NodeId) -> Entry | None:
        """What is known of a node."""
        return self._shelves.entries.get(node)

    # --- what happened

    def learn(self, announcement: Announcement, envelope: Envelope, source: Neighbourhood, now: Now) -> bool:
        """Somebody at ``source`` (for the node itself: where it lies) told this announcement, which was verified.

        ``True`` when the book knows more than before. Announcements without an address anybody can use are not kept.
        """
        if announcement.expires <= now.timestamp:
            return False
        entry = self.get(announcement.node_id)
        if entry is not None:
            newer = announcement.seq > entry.seq
            if newer and not self._renew(entry, announcement, envelope, source, now.timestamp):
                return False
            told = self._shelves.tell(entry, source, now.timestamp)
            if told and not newer:
                self.changes += 1  # another source may make it eligible
            return newer or told
        addresses, relays = usable(announcement, (source,))
        if not addresses and not relays:
            return False
        entry = Entry(
            node=announcement.node_id,
            announcement=announcement,
            envelope=envelope.to_bytes(),
            rid=envelope.rid,
            learned=now.timestamp,
            heard=now.timestamp,
            addresses=addresses,
            relays=relays,
        )
        kept = self._shelves.tell(entry, source, now.timestamp)
        self.changes += kept
        return kept

    def _renew(
        self, entry: Entry, announcement: Announcement, envelope: Envelope, source: Neighbourhood, time: Timestamp
    ) -> bool:
        """A newer announcement of a node we know; ``False`` when it is forgotten for it."""
        addresses, relays = usable(announcement, (*entry.sources, source))
        if not addresses and not relays:
            self._shelves.forget(entry)
            return False
        place = entry.neighbourhood
        changed = (addresses, relays) != (entry.addresses, entry.relays)
        entry.announcement, entry.envelope, entry.rid = announcement, envelope.to_bytes(), envelope.rid
        entry.addresses, entry.relays, entry.heard = addresses, relays, time
        if changed:
            entry.failures = 0
            self.changes += 1
        # Experience with the old place says nothing of the new one.
        return entry.neighbourhood == place or self._shelves.replace(entry, time)

    def met(self, node: NodeId, now: Now) -> None:
        """A link to this node is open, whoever dialled."""
        entry = self.get(node)
        if entry is not None:
            entry.seen = entry.heard = now.timestamp

    def dialling(self, node: NodeId, now: Now) -> None:
        """A dial begins: this node rests for a while, whatever comes of it."""
        entry = self.get(node)
        if entry is not None:
            entry.dialled = now.timestamp

    def tried(self, node: NodeId, ok: bool, now: Now) -> None:
        """We dialled this node. To be told of failures only while this node itself is online."""
        entry = self.get(node)
        if entry is None:
            return
        entry.dialled = now.timestamp
        if ok:
            entry.seen = entry.heard = entry.reached = now.timestamp
            entry.first_reached = entry.first_reached or now.timestamp
            entry.failures = 0
        else:
            entry.failures += 1
        self._shelves.tested(entry, ok, now.timestamp)
        if ok and not entry.tried:
            self._shelves.promote(entry, now.timestamp)
        elif entry.is_hopeless(now.timestamp):
            self._shelves.forget(entry)

    def answered_wrongly(self, node: NodeId, now: Now) -> None:
        """Somebody else answered at this node's address: what was told of a node never reached is not true."""
        entry = self.get(node)
        if entry is not None and not entry.reached and len(entry.addresses) < 2:
            self._shelves.forget(entry)
        else:
            self.tried(node, False, now)

    def forget(self, node: NodeId) -> None:
        """Forget a node: the keeper blocked it, or it is ourselves."""
        entry = self.get(node)
        if entry is not None:
            self._shelves.forget(entry)

    def expire(self, now: Now) -> None:
        """Forget who left without a word. Worth calling once an hour."""
        for entry in self:
            if entry.is_gone(now.timestamp):
                self._shelves.forget(entry)

    # --- whom to dial

    @property
    def anchors(self) -> tuple[NodeId, ...]:
        """The nodes of the longest-lived outbound links, longest first."""
        return tuple(node for node in self._anchors if node in self._shelves.entries)

    def set_anchors(self, nodes: Sequence[NodeId]) -> None:
        """Remember these, longest-lived first; those that the book does not know are left out."""
        self._anchors = tuple(node for node in nodes if node in self._shelves.entries)[:ANCHORS_MAX]

    def choose(
        self, allowed: Callable[[Entry], bool], now: Now, *, tried: bool | None = None, oldest: bool = True
    ) -> Entry | None:
        """A node to dial among those ``allowed``; ``tried`` restricts it to one table.

        Both tables are as likely, each bucket of a table is, and of two nodes drawn the one known for longer wins
        (unless not ``oldest``): who floods the book today stands behind those who were there before.
        """
        time = now.timestamp
        drawn: list[Entry] = []
        for _ in range(DRAWS_MAX):
            node = self._draw(tried)
            if node is None:
                return None
            entry = self._shelves.entries[node]
            likely = self._chance.unit() < FAILURE_CHANCE ** min(entry.failures, 8)
            if likely and entry not in drawn and _is_ready(entry, time) and allowed(entry):
                drawn.append(entry)
                if len(drawn) == 2 or not oldest:
                    break
        if not drawn:
            rest = [each for each in self if tried in (None, each.tried) and _is_ready(each, time) and allowed(each)]
            drawn = self._chance.shuffled(rest)[: 2 if oldest else 1]
        return min(drawn, key=lambda each: each.first_reached or each.learned, default=None)

    def to_test(self, now: Now) -> Entry | None:
        """A node of the tried table for whose place another one waits: to be dialled as the next feeler."""
        return self._shelves.to_test(now.timestamp)

    def _draw(self, tried: bool | None) -> NodeId | None:
        new_table, tried_table = self._shelves.new, self._shelves.tried
        if tried is None:
            tried = bool(tried_table) and (not new_table or self._chance.below(2) == 1)
        return (tried_table if tried else new_table).pick(self._chance)

    # --- what to tell

    def sample(
        self, asker: NodeId, listener: Neighbourhood, now: Now, count: int = limits.PEERS_TOLD_MAX
    ) -> list[bytes]:
        """Envelopes for an answer to ``asker``, who is at ``listener``: only of nodes we know by experience.

        Never the asker's own, never one with an address that is not meant for listeners there. The same listener hears
        the same for an hour, whatever key it asks with.
        """
        time = now.timestamp
        whose = bytes(asker) if is_local(listener) else bytes(listener)
        turn = (time // TOLD_ROUND_SECONDS).to_bytes(8, "big")
        known = [each for each in self if each.node != asker and _is_told(each, listener, time)]
        known.sort(key=lambda each: (not each.tried, self._places.rank(turn, whose, each.node)))
        told: list[bytes] = []
        places: dict[Neighbourhood, int] = {}
        for entry in known:
            place = entry.neighbourhood
            if is_local(place) or places.get(place, 0) < TOLD_PER_NEIGHBOURHOOD_MAX:
                places[place] = places.get(place, 0) + 1
                told.append(entry.envelope)
        return told[:count]

    # --- keeping it

    def rows(self) -> list[AddressRow]:
        """Everything worth keeping over a restart."""
        rank = {node: number for number, node in enumerate(self.anchors, 1)}
        return [to_row(entry, rank.get(entry.node, 0)) for entry in self]

    @classmethod
    def from_rows(cls, rows: Iterable[AddressRow], secret: bytes, entropy: Entropy, now: Now) -> "AddressBook":
        """The book as it was kept. What has expired, and rows that cannot be read, are left out."""
        book = cls(secret, entropy)
        anchors: list[tuple[int, NodeId]] = []
        for row in rows:
            entry = from_row(row)
            if entry is None or entry.is_gone(now.timestamp) or book.get(entry.node) is not None:
                continue
            if book._shelves.restore(entry) and row.anchor:
                anchors.append((row.anchor, entry.node))
        book.set_anchors([node for _, node in sorted(anchors)])
        return book


def _is_ready(entry: Entry, time: Timestamp) -> bool:
    return entry.rests_until(time) <= time and not entry.is_gone(time)


def _is_told(entry: Entry, listener: Neighbourhood, time: Timestamp) -> bool:
    known = entry.tried or entry.seen > time - TOLD_LINKED_SECONDS
    if not known or entry.failures >= NEW_FAILURES_MAX or entry.is_gone(time):
        return False
    # The envelope is signed as a whole: one address that is not meant for the listener keeps back all.
    return all(may_tell(neighbourhood_of(address), listener) for address in entry.announcement.addresses)
