"""A whole street door on a directory held in memory: the protocol's own record set, searched naively.

Used by the tests of ``http/``; everything in it is invented.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from hedgerow_node.config import Config
from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored
from hedgerow_node.directory.publishing import directory_signer
from hedgerow_node.directory.query import Query, bad_cursor
from hedgerow_node.directory.versions import next_slot
from hedgerow_node.http.cards import distance_km
from hedgerow_node.http.peering import Peering
from hedgerow_node.http.reads import Reads
from hedgerow_node.http.server import build_app
from hedgerow_protocol.content import (
    Attendance,
    Contact,
    Facets,
    ListingContent,
    Meeting,
    Online,
    Openness,
    Place,
)
from hedgerow_protocol.envelope import parse_envelope, verify_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import ListingId, NodeId, RecordId, to_text
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Instant, Timestamp
from hedgerow_protocol.records import Listing
from hedgerow_protocol.state import RecordSet, ShownListing

NOW = Timestamp(1_795_352_400)
"""Sunday 2026-11-22 13:00 UTC."""

NODE_ID = NodeId(bytes(range(32)))


@dataclass(slots=True)
class Clock:
    """A clock that tests move."""

    now: int = NOW
    elapsed: float = 0.0

    def timestamp(self) -> Timestamp:
        return Timestamp(self.now)

    def monotonic(self) -> Instant:
        return Instant(self.elapsed)


@dataclass(frozen=True, slots=True)
class FoundPage:
    listings: tuple[ShownListing, ...]
    next: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Counted:
    listings: int
    meetings: int
    records: int
    state_hash: str


@dataclass(frozen=True, slots=True)
class FoundChain:
    envelopes: tuple[bytes, ...]


@dataclass(slots=True)
class MemoryDirectory:
    """What ``http/`` asks of a directory, over the protocol's plain record set."""

    records: RecordSet = field(default_factory=RecordSet)
    generation: int = 0
    known: set[bytes] = field(default_factory=set)

    async def accept(self, envelopes: Sequence[bytes], *, now: Timestamp) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for data in envelopes:
            try:
                envelope = parse_envelope(data)
                if envelope.rid in self.known:
                    outcomes.append(Known(envelope.rid))
                    continue
                self.records.add(verify_envelope(envelope), now)
            except RemoteError as error:
                outcomes.append(Refused(error.code, error.reason))
            else:
                self.known.add(envelope.rid)
                outcomes.append(Stored(envelope.rid))
        self.generation += 1
        return outcomes

    def _all(self, now: Timestamp) -> list[ShownListing]:
        return sorted(self.records.shown(now).values(), key=lambda each: (each.name, each.id))

    async def search(self, query: Query, *, now: Timestamp) -> FoundPage:
        found = [each for each in self._all(now) if fits(query, each)]
        if query.cursor and not (query.cursor.isascii() and query.cursor.isdecimal()):
            raise bad_cursor()
        start = int(query.cursor or 0)
        page = tuple(found[start : start + query.limit])
        following = start + query.limit
        return FoundPage(page, str(following) if following < len(found) else None, len(found))

    async def listing(self, lid: ListingId, *, now: Timestamp) -> ShownListing | None:
        return self.records.shown(now).get(lid)

    async def status(self, *, now: Timestamp) -> Counted:
        shown = self._all(now)
        meetings = sum(len(each.content.meetings) for each in shown if each.content is not None)
        return Counted(len(shown), meetings, len(self.known), self.records.state_hash(now))

    async def charter_of(self, lid: ListingId) -> FoundChain | None:
        for each in self.records.shown(NOW).values():
            if each.id == lid:
                return FoundChain((self.records.charters[each.slot.charter][1].to_bytes(),))
        return None

    async def of_source(self, root: RecordId, source: str, *, now: Timestamp) -> list[ShownListing]:
        return [
            each
            for each in self._all(now)
            if each.slot.charter == root and each.content is not None and each.content.source == source
        ]

    async def all_listings(self, *, now: Timestamp) -> AsyncIterator[ShownListing]:
        for each in self._all(now):
            yield each


def fits(query: Query, shown: ShownListing) -> bool:
    """The filters, said in the plainest way."""
    content = shown.content
    if content is None:
        return not query.filtered
    words = " ".join([content.name, content.summary]).lower()
    if any(word not in words for word in query.q.lower().split()):
        return False
    if query.experience and query.experience not in content.experiences:
        return False
    if query.program and query.program != content.program:
        return False
    return not query.of_meetings or any(_meeting_fits(query, content, each) for each in content.meetings)


def _meeting_fits(query: Query, content: ListingContent, meeting: Meeting) -> bool:
    if query.weekdays and meeting.weekday not in query.weekdays:
        return False
    if query.from_min is not None or query.until_min is not None:
        low = query.from_min or 0
        high = 1439 if query.until_min is None else query.until_min
        start = meeting.start
        if start is None or not (low <= start <= high if low <= high else start >= low or start <= high):
            return False
    if query.attendance is not None and meeting.attendance not in (query.attendance, Attendance.HYBRID):
        return False
    languages = {*content.facets.languages, *meeting.facets.languages}
    if query.language and query.language not in languages:
        return False
    if not set(query.access) <= {*content.facets.features, *meeting.facets.features}:
        return False
    if query.near is not None:
        km = distance_km(*query.near[:2], meeting.place) if meeting.place is not None else None
        return km is not None and km <= query.near[2]
    return True


def weekly(slug: str, weekday: int, start: int, **more: Any) -> Meeting:
    """A weekly meeting."""
    more.setdefault("tz", "Europe/London")
    more.setdefault("duration_min", 60)
    return Meeting(slug=slug, weekday=weekday, start=start, **more)


LEEDS = Place(
    name="Example Library",
    street="12 High St",
    city="Leeds",
    country="GB",
    latitude_e7=537_997_000,
    longitude_e7=-15_492_000,
)
YORK = Place(
    name="Meeting House", street="1 Friar Lane", city="York", latitude_e7=539_590_000, longitude_e7=-10_815_000
)
SUNDAY_CIRCLE = ListingContent(
    name="Sunday circle",
    summary="For people who lost somebody.\nTea from noon.",
    experiences=("bereavement",),
    facets=Facets(openness=Openness.OPEN, features=("wheelchair",), formats=("discussion",), languages=("en",)),
    meetings=(weekly("sunday", 0, 13 * 60 + 30, place=LEEDS, attendance=Attendance.IN_PERSON),),
    contacts=(Contact(name="Robin", phone="+44 113 555 0100", email="circle@example.org"),),
    url="https://example.org/circle",
)
ONLINE_PARENTS = ListingContent(
    name="Parents online",
    summary="Parents of children with a long illness.",
    experiences=("chronic-illness", "parenting"),
    facets=Facets(languages=("en", "pl")),
    meetings=(
        weekly(
            "tuesday",
            2,
            19 * 60,
            attendance=Attendance.ONLINE,
            online=Online(url="https://meet.example.org/j/123", phone="+1 646 555 0123,,456#", password_hint="Ask us."),
        ),
        Meeting(
            slug="monthly",
            rrule="FREQ=MONTHLY;BYDAY=1TH",
            first="2026-12-03",
            start=600,
            tz="Europe/Warsaw",
            attendance=Attendance.ONLINE,
        ),
    ),
)
YORK_VOICES = ListingContent(
    name="Voices York",
    summary="A hearing voices group.",
    experiences=("hearing-voices",),
    facets=Facets(features=("quiet-space",), languages=("en",)),
    meetings=(weekly("thursday", 4, 18 * 60, place=YORK, attendance=Attendance.HYBRID),),
)
SAMPLE = (SUNDAY_CIRCLE, ONLINE_PARENTS, YORK_VOICES)

SIGNER = directory_signer(SigningKey.from_seed(Usage.STEWARD, bytes(32)))


def entry_of(number: int) -> bytes:
    """The name of one entry."""
    return number.to_bytes(4, "big")


async def put(directory: Reads, contents: Sequence[ListingContent], *, first: int = 0) -> list[str]:
    """Publish these listings; returns their ids as text."""
    from hedgerow_protocol.ids import listing_id

    await directory.accept([SIGNER.charter.to_bytes()], now=NOW)
    envelopes, ids = [], []
    for number, content in enumerate(contents, first):
        slot = next_slot(SIGNER.root, entry_of(number), NOW, previous=None)
        envelopes.append(SIGNER.sign(Listing(slot=slot, content=content)).envelope.to_bytes())
        ids.append(to_text(listing_id(SIGNER.root, entry_of(number))))
    outcomes = await directory.accept(envelopes, now=NOW)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert not refused, refused
    return ids


def make_app(
    data: Path, directory: Reads, clock: Clock | None = None, *, peering: Peering | None = None, **settings: Any
) -> web.Application:
    """The street door of a node whose data folder is ``data``."""
    clock = clock or Clock()
    return build_app(
        Config(data=data, **settings),
        directory,
        node_id=NODE_ID,
        version="0.1.0",
        now=clock.timestamp,
        monotonic=clock.monotonic,
        peering=peering,
    )
