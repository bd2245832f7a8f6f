"""What an address book knows of one node, and the row in which that is kept on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hedgerow_protocol.envelope import Kind, parse_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.neighbourhood import Neighbourhood, check_address, may_tell, neighbourhood_of, relay_of
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, read_announcement

NEVER: Final = Timestamp(0)

SOURCES_MAX: Final = 2
"""Neighbourhoods. Remembered as having told of one node; each gives it a place in the new table."""

SILENT_SECONDS_MAX: Final = 30 * 86_400
"""Seconds. A node of which nothing is heard for so long is gone, as when its announcement has expired."""

NEW_FAILURES_MAX: Final = 3
"""Dials in vain. Then a node that was never reached is dropped: most of what strangers invent never answers."""

TRIED_FAILURES_MAX: Final = 10
"""Dials in vain. Then a node that was reached before, but not within a week, is dropped."""

TRIED_SECONDS_MIN: Final = 7 * 86_400
"""Seconds. A node that was reached within this time is kept however often it fails: homes have holidays."""

RETRY_SECONDS_MIN: Final = 30
"""Seconds. Between two dials of one node; four times as long after each failure."""

RETRY_SECONDS_MAX: Final = 3_600
"""Seconds. The longest pause between two dials of one node."""

PROVEN_SECONDS: Final = 86_400
"""Seconds. A node reached for the first time so long ago stands on its own name: who told of it matters no more."""


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """What is known of one node. Only the book changes it."""

    node: NodeId
    announcement: Announcement
    envelope: bytes
    """The announcement as it came, to be told to others."""
    rid: RecordId
    sources: list[Neighbourhood] = field(default_factory=list)
    """Who told of it, at most two neighbourhoods."""
    learned: Timestamp
    heard: Timestamp
    """The last sign of life: a newer announcement, or a link."""
    seen: Timestamp = NEVER
    """The last link, whoever dialled; 0 for never."""
    first_reached: Timestamp = NEVER
    """The first dial of ours that succeeded; 0 for never."""
    reached: Timestamp = NEVER
    """The last one; 0 for never."""
    dialled: Timestamp = NEVER
    """The last dial of ours; 0 for never."""
    failures: int = 0
    """Dials in vain since the last that succeeded."""
    tried: bool = False
    """Stands in the tried table."""
    places: list[int] = field(default_factory=list)
    """Where it stands: one place in the tried table, or one for each source in the new one."""
    addresses: tuple[str, ...] = ()
    """Those that this node would dial, best first."""
    relays: tuple[NodeId, ...] = ()
    """Nodes through which it can be reached."""

    @property
    def seq(self) -> int:
        """The announcement's number."""
        return self.announcement.seq

    @property
    def expires(self) -> Timestamp:
        """When the announcement ends."""
        return self.announcement.expires

    @property
    def channel(self) -> bytes:
        """The node's channel key."""
        return self.announcement.channel

    @property
    def neighbourhood(self) -> Neighbourhood:
        """Where its first address lies."""
        return neighbourhood_of(self.addresses[0]) if self.addresses else Neighbourhood(b"\0")

    def proven(self, now: Timestamp) -> bool:
        """Reached for the first time at least a day ago."""
        return 0 < self.first_reached <= now - PROVEN_SECONDS

    def rests_until(self, now: Timestamp) -> Timestamp:
        """Not to be dialled before then."""
        if not self.dialled or self.dialled > now:
            return Timestamp(0)
        pause = min(RETRY_SECONDS_MAX, RETRY_SECONDS_MIN * 4 ** min(self.failures, 8))
        return Timestamp(self.dialled + pause)

    def is_hopeless(self, now: Timestamp) -> bool:
        """Dialled in vain often enough to be dropped."""
        if not self.reached:
            return self.failures >= NEW_FAILURES_MAX * max(1, len(self.addresses))
        return self.failures >= TRIED_FAILURES_MAX and self.reached + TRIED_SECONDS_MIN <= now

    def is_gone(self, now: Timestamp) -> bool:
        """It left without a word: its announcement has ended, or nothing was heard of it for a month."""
        return self.expires <= now or self.heard + SILENT_SECONDS_MAX <= now


class AddressRow(NamedTuple):
    """One node of the book as it is kept on disk: numbers and bytes only."""

    node: bytes
    envelope: bytes
    tried: int
    first_source: bytes
    second_source: bytes
    """Empty for none."""
    first_place: int
    second_place: int
    """-1 for none."""
    learned: int
    heard: int
    seen: int
    first_reached: int
    reached: int
    dialled: int
    failures: int
    anchor: int
    """1 for the longest-lived link, 2 for the next…; 0 for no anchor."""


def usable(announcement: Announcement, sources: Sequence[Neighbourhood]) -> tuple[tuple[str, ...], tuple[NodeId, ...]]:
    """The addresses of an announcement that may be believed from these sources, and the relays it names."""
    addresses: list[str] = []
    relays: list[NodeId] = []
    for address in announcement.addresses:
        relay = relay_of(address)
        if relay is not None:
            relays.append(relay)
        elif _is_canonical(address):
            place = neighbourhood_of(address)
            if any(may_tell(place, source) for source in sources):
                addresses.append(address)
    return tuple(addresses), tuple(relays)


def _is_canonical(address: str) -> bool:
    try:
        return check_address(address) == address
    except RemoteError:
        return False


def to_row(entry: Entry, anchor: int) -> AddressRow:
    """The row of an entry; ``anchor`` is its rank among the anchors, or 0."""
    sources = [*map(bytes, entry.sources), b"", b""]
    places = [*entry.places, -1, -1]
    return AddressRow(
        node=bytes(entry.node),
        envelope=entry.envelope,
        tried=int(entry.tried),
        first_source=sources[0],
        second_source=sources[1],
        first_place=places[0],
        second_place=places[1],
        learned=int(entry.learned),
        heard=int(entry.heard),
        seen=int(entry.seen),
        first_reached=int(entry.first_reached),
        reached=int(entry.reached),
        dialled=int(entry.dialled),
        failures=entry.failures,
        anchor=anchor,
    )


def from_row(row: AddressRow) -> Entry | None:
    """The entry of a row; ``None`` when it cannot be read. Its places are those it had."""
    try:
        envelope = parse_envelope(row.envelope)
        if envelope.kind is not Kind.ANNOUNCEMENT:
            return None
        announcement = read_announcement(envelope.body)
    except RemoteError:
        return None
    sources = [Neighbourhood(each) for each in (row.first_source, row.second_source) if each]
    addresses, relays = usable(announcement, sources)
    if announcement.node_id != row.node or not (addresses or relays):
        return None
    return Entry(
        node=announcement.node_id,
        announcement=announcement,
        envelope=row.envelope,
        rid=envelope.rid,
        sources=sources,
        learned=Timestamp(row.learned),
        heard=Timestamp(row.heard),
        seen=Timestamp(row.seen),
        first_reached=Timestamp(row.first_reached),
        reached=Timestamp(row.reached),
        dialled=Timestamp(row.dialled),
        failures=row.failures,
        tried=bool(row.tried),
        places=[place for place in (row.first_place, row.second_place) if place >= 0],
        addresses=addresses,
        relays=relays,
    )
