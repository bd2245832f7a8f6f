"""A small invented directory for the browser tests: every kind of listing a page can show, signed like real ones."""

from hedgerow_protocol.content import (
    Attendance,
    Change,
    Contact,
    Facets,
    Intake,
    Joining,
    ListingContent,
    Meeting,
    Online,
    Openness,
    Place,
    Standing,
)
from hedgerow_protocol.envelope import Kind, sign
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter, Listing, Slot

NOW = Timestamp(1_795_545_000)
"""Tuesday 24 November 2026, 18:30 UTC."""

DAY = 86_400
FILLERS = 70
"""Plain listings beside the special ones: more than one page of results."""

_LIBRARY = Place(
    name="Example Library, Room 14",
    street="12 High Street",
    city="Leeds",
    postal_code="LS1 0AA",
    country="United Kingdom",
    regions=("Yorkshire", "Leeds"),
    notes="The side door, left of the café. A long word: Donaudampfschifffahrtsgesellschaftskapitänsmütze.",
    latitude_e7=537_997_000,
    longitude_e7=-15_492_000,
)
_YORK = Place(
    city="York", country="United Kingdom", latitude_e7=539_600_000, longitude_e7=-10_800_000, approximate=True
)
_BOSTON = Place(
    name="Example Hall",
    formatted="1 Example Square, Boston, MA 02108, USA",
    city="Boston",
    state="Massachusetts",
    country="USA",
    latitude_e7=423_601_000,
    longitude_e7=-710_589_000,
)


def contents() -> list[ListingContent]:
    """What the listings say."""
    special = [
        ListingContent(
            name="Tuesday Circle for bereaved parents",
            summary="A quiet hour for parents who lost a child. We listen, we don't advise.\n\nTea afterwards.",
            experiences=("bereavement", "parenting"),
            facets=Facets(openness=Openness.CLOSED, languages=("en",), features=("step-free", "wheelchair")),
            meetings=(
                Meeting(slug="tue", weekday=2, start=1140, duration_min=90, tz="Europe/London",
                        attendance=Attendance.IN_PERSON, place=_LIBRARY, notes="Bring nothing.",
                        facets=Facets(formats=("circle", "discussion"))),
                Meeting(slug="first-sat", rrule="FREQ=MONTHLY;BYDAY=1SA", first="2026-01-03", start=600,
                        duration_min=120, tz="Europe/London", attendance=Attendance.HYBRID, place=_YORK,
                        cancelled=("2026-12-05",),
                        changes=(Change(date="2027-01-02", to_date="2027-01-09", start=660),),
                        online=Online(url="https://meet.example.org/circle", phone="+1 555-0100",
                                      password_hint="Ask by phone the day before.")),
            ),
            joining=Joining.ASK,
            how_to_join="Ring once, somebody will ring back.",
            intake=Intake(node=bytes(32), room=bytes(range(32)), key=bytes(reversed(range(32)))),
            eligibility="Parents of any age",
            url="https://circle.example.org/",
            contacts=(Contact(name="Alex", phone="555-0101", email="circle@example.org"),),
            confirmed="2026-11-01",
            group_notes="We began in 2019.",
        ),
        ListingContent(
            name="Grupo Mañana",
            summary="Reunión por internet, en español.",
            experiences=("alcohol",),
            program="aa",
            facets=Facets(openness=Openness.OPEN, languages=("es",), formats=("discussion",)),
            meetings=(
                Meeting(slug="wed", weekday=3, start=540, duration_min=60, tz="America/New_York",
                        attendance=Attendance.ONLINE, online=Online(url="https://meet.example.org/manana")),
                Meeting(slug="sun", weekday=0, start=1200, tz="America/New_York", attendance=Attendance.ONLINE,
                        standing=Standing.PAUSED, online=Online(url="https://meet.example.org/manana")),
            ),
        ),
        ListingContent(
            name="مجموعة الأمل",
            summary="لقاء أسبوعي للدعم المتبادل.",
            experiences=("mental-health",),
            facets=Facets(languages=("ar", "en")),
            meetings=(
                Meeting(slug="thu", weekday=4, start=1110, duration_min=60, tz="Europe/London",
                        attendance=Attendance.HYBRID, place=_YORK, online=Online(phone="+1 555-0102")),
            ),
        ),
        ListingContent(
            name="Hearing Voices, by appointment",
            experiences=("hearing-voices",),
            meetings=(Meeting(slug="any", notes="Write to us and we find a time."),),
            joining=Joining.INVITATION,
        ),
        ListingContent(
            name="One evening about caring",
            experiences=("caring",),
            facets=Facets(languages=("en",), features=("childcare",)),
            meetings=(Meeting(slug="once", first="2026-12-10", start=1170, duration_min=90, tz="Europe/London",
                              attendance=Attendance.IN_PERSON, place=_LIBRARY),),
        ),
        ListingContent(
            name="Late lights",
            experiences=("alcohol",),
            program="aa",
            facets=Facets(languages=("en",), formats=("speaker",), communities=("women",)),
            meetings=tuple(
                Meeting(slug=f"late-{day}", weekday=day, start=1410, duration_min=60, tz="America/New_York",
                        attendance=Attendance.IN_PERSON, place=_BOSTON)
                for day in range(7)
            ),
        ),
    ]  # fmt: skip
    fillers = [
        ListingContent(
            name=f"Evening group {number:02}",
            experiences=("alcohol",) if number % 2 else ("eating",),
            facets=Facets(languages=("en",)),
            meetings=(
                Meeting(
                    slug=f"filler-{number}",
                    weekday=number % 7,
                    start=1080 + number,
                    duration_min=60,
                    tz="America/New_York",
                    attendance=Attendance.IN_PERSON,
                    place=_BOSTON,
                ),
            ),
        )
        for number in range(FILLERS)
    ]
    return [*special, *fillers]


def envelopes(now: Timestamp = NOW) -> list[bytes]:
    """The directory as signed records: a charter of one signer for most, a group of three, and one in dispute."""
    first, *rest = contents()
    directory = SigningKey.from_seed(Usage.STEWARD, bytes([7]) * 32)
    found = _signed([directory], 1, b"d" * 16, list(enumerate(rest)), now)
    three = [SigningKey.from_seed(Usage.STEWARD, bytes([number]) * 32) for number in (1, 2, 3)]
    found += _signed(three, 2, b"g" * 16, [(0, first)], now)
    return found + _contested(now) + _two_versions(now)


def _signed(
    keys: list[SigningKey], threshold: int, nonce: bytes, numbered: list[tuple[int, ListingContent]], now: Timestamp
) -> list[bytes]:
    charter = sign(Kind.CHARTER, _charter(keys, threshold, nonce).to_body(), keys)
    found = [charter.envelope.to_bytes()]
    for number, content in numbered:
        entry = number.to_bytes(2, "big")
        slot = Slot(charter=charter.envelope.rid, entry=entry, seq=1, issued=now, expires=Timestamp(now + 90 * DAY))
        found.append(
            sign(Kind.LISTING, Listing(slot=slot, content=content).to_body(), keys[:threshold]).envelope.to_bytes()
        )
    return found


def _contested(now: Timestamp) -> list[bytes]:
    """Two successors of one charter: nobody can know which is right."""
    keys = [SigningKey.from_seed(Usage.STEWARD, bytes([number]) * 32) for number in (21, 22, 23)]
    content = ListingContent(name="Riverside, in dispute", summary="Never shown.", experiences=("gambling",))
    found = _signed(keys[:2], 2, b"c" * 16, [(0, content)], now)
    founding = sign(Kind.CHARTER, _charter(keys[:2], 2, b"c" * 16).to_body(), keys[:2]).envelope.rid
    for nonce in (b"1" * 16, b"2" * 16):
        successor = Charter(previous=founding, position=1, stewards=_publics(keys), threshold=2, nonce=nonce)
        found.append(sign(Kind.CHARTER, successor.to_body(), keys).envelope.to_bytes())
    return found


def _two_versions(now: Timestamp) -> list[bytes]:
    """The same number of one listing signed twice, with different texts."""
    keys = [SigningKey.from_seed(Usage.STEWARD, bytes([31]) * 32)]
    first, second = (
        _signed(keys, 1, b"t" * 16, [(0, ListingContent(name="Allotment talk", summary=text))], now)
        for text in ("We dig on Mondays.", "We dig on Fridays.")
    )
    return [*first, second[-1]]


def _charter(keys: list[SigningKey], threshold: int, nonce: bytes) -> Charter:
    return Charter(previous=None, position=0, stewards=_publics(keys), threshold=threshold, nonce=nonce)


def _publics(keys: list[SigningKey]) -> tuple[bytes, ...]:
    return tuple(sorted(key.public for key in keys))
