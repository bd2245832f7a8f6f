"""Hypothesis strategies shared by the tests: valid listing contents of every kind.

``contents()`` makes any content that the wire accepts. ``meeting_guide_contents(program)`` makes only what Meeting
Guide can hold, in the form in which an import gives it back.
"""

from dataclasses import replace
from datetime import date
from typing import Any
from unicodedata import normalize

from hypothesis import strategies as st

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.text_repair import folded
from hedgerow_node.formats.vocabulary_codes import COMMON_TYPE_CODES, PROGRAM_TYPE_CODES
from hedgerow_node.formats.vocabulary_languages import LANGUAGE_CODES
from hedgerow_protocol import rules
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
from hedgerow_protocol.ids import ListingId, RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Slot
from hedgerow_protocol.state import ShownListing

ZONES = ("America/Los_Angeles", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin", "UTC")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
WORDS = LETTERS + "0123456789 éüñçßøλжאبम中—’'.,;:!?()/+-#*"


def lines(max_size: int = 60, *, min_size: int = 0) -> st.SearchStrategy[str]:
    """One line in several scripts: no spaces at its ends or twice in a row."""
    return (
        st.text(alphabet=WORDS, max_size=max_size, min_size=min_size)
        .map(lambda text: normalize("NFC", " ".join(text.split())))
        .filter(lambda text: len(text) >= min_size)
    )


def texts(max_size: int = 200) -> st.SearchStrategy[str]:
    """Text of some lines, now and then with an empty one between."""
    return st.text(alphabet=WORDS + "\n", max_size=max_size).map(lambda text: normalize("NFC", text).strip())


def dates(low: str = "2020-01-01", high: str = "2032-12-31") -> st.SearchStrategy[str]:
    """A date as text."""
    return st.dates(date.fromisoformat(low), date.fromisoformat(high)).map(date.isoformat)


def web_addresses() -> st.SearchStrategy[str]:
    """An address, or none."""
    path = st.text(alphabet="abcdefghij0123456789-/", max_size=20)
    return st.one_of(st.just(""), path.map(lambda text: f"https://example.org/{text}"))


def _sorted_set(items: Any, max_size: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=max_size, unique=True).map(lambda each: tuple(sorted(each)))


def tags() -> st.SearchStrategy[str]:
    """Tags of ours and tags nobody knows."""
    known = sorted(vocabulary.FORMATS | vocabulary.FEATURES | vocabulary.COMMUNITIES)
    return st.one_of(st.sampled_from(known), st.text(alphabet="abcdefg-", min_size=1, max_size=12))


def facets() -> st.SearchStrategy[Facets]:
    """Any facets."""
    return st.builds(
        Facets,
        openness=st.sampled_from(Openness),
        formats=_sorted_set(tags()),
        features=_sorted_set(tags()),
        communities=_sorted_set(tags()),
        languages=_sorted_set(st.sampled_from(["en", "es", "ase", "zh-Hant", "pt-BR", "he"])),
    )


@st.composite
def places(draw: st.DrawFn) -> Place:
    """Any place, exact or not."""
    point = draw(st.one_of(st.none(), st.tuples(st.integers(-900_000_000, 900_000_000), st.integers(-(10**9), 10**9))))
    return Place(
        name=draw(lines(40)),
        formatted=draw(lines(80)),
        street=draw(lines(40)),
        city=draw(lines(20)),
        state=draw(lines(10)),
        postal_code=draw(lines(10)),
        country=draw(lines(10)),
        regions=tuple(draw(st.lists(lines(20, min_size=1), max_size=3))),
        notes=draw(texts()),
        latitude_e7=point[0] if point else None,
        longitude_e7=point[1] if point else None,
        approximate=draw(st.booleans()),
    )


def onlines() -> st.SearchStrategy[Online]:
    """Any way to join from afar."""
    return st.builds(
        Online,
        url=web_addresses(),
        url_notes=texts(),
        phone=st.sampled_from(["", "+1 555 0100", "+15550100123,,123#"]),
        phone_notes=texts(),
        password_hint=lines(40),
    )


def extras(prefix: str) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Further fields of a source."""
    keys = st.text(alphabet="abcdefghij_", min_size=1, max_size=12).map(lambda key: f"{prefix}:{key}")
    return st.dictionaries(keys, texts(), max_size=3).map(lambda pairs: tuple(sorted(pairs.items())))


RULES = (
    "FREQ=MONTHLY;BYDAY=2TH",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=1MO,3MO",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
    "FREQ=MONTHLY;BYMONTHDAY=15",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;COUNT=40",
    "FREQ=WEEKLY;UNTIL=20301231;BYDAY=WE",
    "FREQ=MONTHLY;BYMONTH=4,5,6,7,8,9;BYDAY=1SA",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
)
"""Canonical rules of every kind that groups use."""
assert all(rules.check(rule) for rule in RULES)


@st.composite
def meetings(draw: st.DrawFn, slug: str = "a-meeting") -> Meeting:
    """A meeting of any of the four shapes."""
    shape = draw(st.sampled_from(["weekly", "rule", "once", "appointment"]))
    scheduled = shape != "appointment"
    first = draw(dates()) if shape in ("rule", "once") else draw(st.one_of(st.just(""), dates()))
    start = draw(st.integers(0, 1439)) if shape == "rule" or scheduled else None
    changes = draw(st.lists(_changes(), max_size=2, unique_by=lambda each: each.date)) if shape == "rule" else []
    return Meeting(
        slug=slug,
        name=draw(lines(40)),
        weekday=draw(st.integers(0, 6)) if shape == "weekly" else None,
        rrule=draw(st.sampled_from(RULES)) if shape == "rule" else "",
        first=first if scheduled else "",
        until=draw(st.one_of(st.just(""), dates("2033-01-01", "2036-12-31"))) if shape in ("weekly", "rule") else "",
        start=start,
        duration_min=draw(st.one_of(st.none(), st.integers(1, 3 * 1440))) if scheduled else None,
        tz=draw(st.sampled_from(("", *ZONES))),
        cancelled=draw(_sorted_set(dates(), 3)) if shape in ("weekly", "rule") else (),
        added=draw(_sorted_set(dates(), 3)) if shape in ("weekly", "rule") else (),
        changes=tuple(sorted(changes, key=lambda each: each.date)),
        attendance=draw(st.sampled_from(Attendance)),
        standing=draw(st.sampled_from(Standing)),
        place=draw(st.one_of(st.none(), places())),
        online=draw(st.one_of(st.none(), onlines())),
        notes=draw(texts()),
        facets=draw(facets()),
        updated=draw(st.integers(0, 2_000_000_000)),
        url=draw(web_addresses()),
        extras=draw(extras("tsml")),
    )


def _changes() -> st.SearchStrategy[Change]:
    return st.builds(
        Change,
        date=dates(),
        to_date=dates(),
        start=st.integers(0, 1439),
        duration_min=st.one_of(st.none(), st.integers(1, 600)),
    )


def contacts() -> st.SearchStrategy[Contact]:
    """An invented contact."""
    return st.builds(
        Contact,
        name=st.sampled_from(["", "Robin", "Sam T.", "Alex Example"]),
        phone=st.sampled_from(["", "555-0123", "+1 555 0199"]),
        email=st.sampled_from(["", "robin@example.org"]),
    )


def intakes() -> st.SearchStrategy[Intake]:
    """Where one asks to join; any bytes."""
    octets = st.binary(min_size=32, max_size=32)
    return st.builds(Intake, node=octets, room=octets, key=octets)


@st.composite
def contents(draw: st.DrawFn, max_meetings: int = 3) -> ListingContent:
    """Any content that the wire accepts."""
    count = draw(st.integers(0, max_meetings))
    joining = draw(st.sampled_from(Joining))
    return ListingContent(
        name=draw(lines(60, min_size=1)),
        summary=draw(texts()),
        experiences=draw(_sorted_set(st.sampled_from(sorted(vocabulary.EXPERIENCES)))),
        program=draw(st.sampled_from(["", *vocabulary.program_codes()])),
        facets=draw(facets()),
        meetings=tuple(draw(meetings(slug=f"meeting-{index}")) for index in range(count)),
        joining=joining,
        how_to_join=draw(texts()),
        eligibility=draw(texts()),
        url=draw(web_addresses()),
        links=tuple(draw(st.lists(web_addresses().filter(bool), max_size=2))),
        contacts=tuple(draw(st.lists(contacts(), max_size=3))),
        district=draw(lines(20)),
        body=draw(lines(40)),
        group_notes=draw(texts()),
        confirmed=draw(st.one_of(st.just(""), dates())),
        source=draw(st.sampled_from(["", "feed"])),
        extras=draw(extras("tsml")),
        intake=draw(st.none() | intakes()) if joining is Joining.ASK else None,
    )


def shown_listing(content: ListingContent, number: int = 1) -> ShownListing:
    """A listing as a store would show it, with an id of its own."""
    slot = Slot(
        charter=RecordId(bytes(32)),
        entry=b"",
        seq=number,
        issued=Timestamp(1_790_000_000),
        expires=Timestamp(1_797_000_000),
    )
    return ShownListing(
        id=ListingId(number.to_bytes(20, "big")), name=content.name, content=content, slot=slot, hosts=()
    )


def _program_facets(program: str) -> st.SearchStrategy[Facets]:
    """Facets that a program's type codes can say."""
    codes = PROGRAM_TYPE_CODES[program] or COMMON_TYPE_CODES
    known: dict[str, list[str]] = {"formats": [], "features": [], "communities": []}
    for tag in codes.values():
        facet = vocabulary.facet_of(tag)
        if facet in known and tag != "in-person-closed":  # decides on attendance: has a test of its own
            known[facet].append(tag)
    used = {code.casefold() for code in codes}
    languages = [tag for code, tag in LANGUAGE_CODES.items() if code.casefold() not in used]
    openness = [Openness.UNKNOWN]
    openness += [Openness.OPEN] if "open" in codes.values() else []
    openness += [Openness.CLOSED] if "closed" in codes.values() else []

    def few(tags: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
        return _sorted_set(st.sampled_from(sorted(tags)), 3) if tags else st.just(())

    made = st.builds(
        Facets,
        openness=st.sampled_from(openness),
        formats=few(known["formats"]),
        features=few(known["features"]),
        communities=few(known["communities"]),
        languages=few(languages),
    )
    return made.map(_with_sign_language)


def _with_sign_language(facets: Facets) -> Facets:
    if set(facets.languages) & {"ase", "fcs", "rsl"}:
        return replace(facets, features=tuple(sorted({*facets.features, "sign-language"})))
    return facets


@st.composite
def _meeting_guide_meetings(draw: st.DrawFn, program: str, slug: str, name: str) -> Meeting:
    weekly = draw(st.booleans())
    attendance = draw(st.sampled_from([Attendance.IN_PERSON, Attendance.ONLINE, Attendance.HYBRID, Attendance.UNKNOWN]))
    place = draw(st.one_of(st.none(), places())) if attendance else None
    if place is not None and (place.latitude_e7, place.longitude_e7) == (0, 0):
        place = replace(place, latitude_e7=None, longitude_e7=None)  # feeds say 0, 0 where they know no point
    if place is not None and replace(place, approximate=False) == Place():
        place = None
    online = draw(st.one_of(st.none(), onlines())) if attendance else None
    online = None if online is None else replace(online, password_hint="")
    zone_needed = weekly and place is not None and place.latitude_e7 is not None
    own_name = draw(st.one_of(st.just(""), lines(40)))
    return Meeting(
        slug=slug,
        name="" if own_name == name else own_name,
        weekday=draw(st.integers(0, 6)) if weekly else None,
        start=draw(st.integers(0, 1439)) if weekly else None,
        duration_min=draw(st.one_of(st.none(), st.integers(1, 1439))) if weekly else None,
        tz=draw(st.sampled_from(ZONES if zone_needed else ("", *ZONES))),
        attendance=attendance,
        # Of a paused meeting nobody says how people come together: see a test of its own.
        standing=Standing.ACTIVE if attendance else draw(st.sampled_from([Standing.ACTIVE, Standing.PAUSED])),
        place=place,
        online=None if online == Online() else online,
        notes=draw(texts()),
        facets=draw(_program_facets(program)),
        updated=draw(st.integers(0, 2_000_000_000)),
        url=draw(web_addresses()),
    )


def _shared(sets: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted(set.intersection(*(set(each) for each in sets))))


def _divided(meetings: list[Meeting]) -> tuple[Facets, tuple[Meeting, ...]]:
    """What all meetings share, and the meetings with the rest."""
    parts = ("formats", "features", "communities", "languages")
    shared = {part: _shared([getattr(each.facets, part) for each in meetings]) for part in parts}
    said = {each.facets.openness for each in meetings}
    openness = next(iter(said)) if len(said) == 1 else Openness.UNKNOWN
    rest = []
    for each in meetings:
        own = {part: tuple(tag for tag in getattr(each.facets, part) if tag not in shared[part]) for part in parts}
        own_openness = Openness.UNKNOWN if each.facets.openness == openness else each.facets.openness
        rest.append(replace(each, facets=Facets(openness=own_openness, **own)))
    return Facets(openness=openness, **shared), tuple(rest)


@st.composite
def meeting_guide_contents(draw: st.DrawFn, program: str, slug: str = "m") -> ListingContent:
    """What Meeting Guide can hold of a listing, in the order in which an import gives it back."""
    name = draw(lines(60, min_size=1))
    count = draw(st.integers(1, 4))
    made = [draw(_meeting_guide_meetings(program, f"{slug}-{index}", name)) for index in range(count)]
    made.sort(key=lambda each: (7 if each.weekday is None else each.weekday, each.start or 0, each.slug))
    facets, meetings = _divided(made)
    own = Contact(phone=draw(st.sampled_from(["", "555-0101"])), email=draw(st.sampled_from(["", "a@example.org"])))
    named = draw(st.lists(contacts().filter(lambda each: bool(each.name)), max_size=3, unique=True))
    fields = ("entity_email", "entity_phone", "feedback_url", "homegroup_online", "paypal", "square", "venmo")
    extra = draw(st.dictionaries(st.sampled_from(fields), lines(20, min_size=1), max_size=3))
    district = draw(lines(20))
    experiences = vocabulary.PROGRAMS[program].experiences
    return ListingContent(
        name=name,
        experiences=experiences,
        program=program,
        facets=facets,
        meetings=meetings,
        url=draw(web_addresses()),
        links=tuple(draw(st.lists(web_addresses().filter(bool), max_size=1))),
        contacts=tuple(each for each in (own, *named) if each != Contact()),
        # A district with the listing's name would say that the listing is a district's, not a group's.
        district="" if folded(district) == folded(name) else district,
        body=draw(lines(40)),
        group_notes=draw(texts()),
        confirmed=draw(st.one_of(st.just(""), dates())),
        extras=tuple(sorted((f"tsml:{key}", text) for key, text in extra.items())),
    )
