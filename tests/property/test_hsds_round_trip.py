"""What HSDS can hold comes back the same, and any JSON gives listings that can be signed."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from calendar_listings import NOW, ZONES, shown
from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.hsds_in import read_hsds
from hedgerow_node.formats.hsds_out import export_hsds
from hedgerow_node.formats.report import Tally
from hedgerow_protocol.content import (
    Attendance,
    Contact,
    ListingContent,
    Meeting,
    Online,
    Place,
    Standing,
)
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from strategies import RULES, contents, dates, facets, lines, texts, web_addresses

_NOT_HELD = ("DAILY", "YEARLY", "UNTIL", "SETPOS", "BYMONTH=")
HELD_RULES = [rule for rule in RULES if not any(part in rule for part in _NOT_HELD)]


def read(value: object) -> list[ListingContent]:
    tally = Tally()
    drafts = read_hsds(value, tz="", tally=tally)
    assert tally.read == tally.kept + len(tally.dropped)
    return [draft.content for draft in drafts]


def by_slug(content: ListingContent) -> ListingContent:
    return replace(content, meetings=tuple(sorted(content.meetings, key=lambda each: each.slug)))


@st.composite
def places(draw: st.DrawFn) -> Place:
    """A place in parts with a country's code, or in one line."""
    point = draw(st.one_of(st.none(), st.tuples(st.integers(-890_000_000, 890_000_000), st.integers(1, 10**9))))
    north, east = point or (None, None)
    common = {"name": draw(lines(30, min_size=1)), "latitude_e7": north, "longitude_e7": east}
    common |= {"approximate": draw(st.booleans()), "notes": draw(lines(40))}
    if draw(st.booleans()):
        return Place(formatted=draw(lines(100)), **common)  # type: ignore[arg-type]
    word = lines(20)
    return Place(
        street=draw(lines(30, min_size=1)), city=draw(word), state=draw(word), postal_code=draw(word), country="DE",
        regions=tuple(draw(st.lists(st.sampled_from(["North", "Old town"]), max_size=2))), **common,
    )  # type: ignore[arg-type]  # fmt: skip


@st.composite
def meetings(draw: st.DrawFn, slug: str, standing: Standing) -> Meeting:
    shape = draw(st.sampled_from(["weekly", "season", "rule", "once", "appointment"]))
    place = draw(st.one_of(st.none(), places()))
    url = draw(web_addresses())
    known = [Attendance.IN_PERSON, Attendance.ONLINE, Attendance.HYBRID]
    timed = shape != "appointment"
    return Meeting(
        slug=slug,
        weekday=draw(st.integers(0, 6)) if shape in ("weekly", "season") else None,
        rrule=draw(st.sampled_from(HELD_RULES)) if shape == "rule" else "",
        first=draw(dates("2025-01-01", "2027-12-31")) if shape in ("season", "rule", "once") else "",
        until=draw(dates("2028-02-01", "2029-12-31")) if shape == "season" else "",
        start=draw(st.integers(0, 1439)) if timed else None,
        duration_min=draw(st.one_of(st.none(), st.integers(1, 1439))) if timed else None,
        tz=draw(st.sampled_from(ZONES if place is not None and place.latitude_e7 is not None else ("", *ZONES)))
        if timed else "",
        attendance=draw(st.sampled_from(known if place is not None else [Attendance.UNKNOWN, *known])),
        standing=standing,
        place=place,
        online=Online(url=url) if url else None,
        notes=draw(texts()),
        facets=replace(draw(facets()), languages=()),
    )  # fmt: skip


@st.composite
def hsds_contents(draw: st.DrawFn) -> ListingContent:
    """What HSDS can hold, in the form in which an import gives it back."""
    standing = draw(st.sampled_from(Standing))
    contacts = draw(
        st.lists(
            st.builds(
                Contact, name=st.sampled_from(["", "Robin"]), phone=st.sampled_from(["", "555-0123"]),
                email=st.sampled_from(["", "a@example.org"]),
            ).filter(lambda each: each != Contact()), max_size=2, unique=True,
        )
    )  # fmt: skip
    return ListingContent(
        name=draw(lines(60, min_size=1)),
        summary=draw(texts()),
        experiences=tuple(sorted(draw(st.sets(st.sampled_from(sorted(vocabulary.EXPERIENCES)), max_size=3)))),
        program=draw(st.sampled_from(["", *vocabulary.program_codes()])),
        facets=draw(facets()),
        meetings=tuple(draw(meetings(f"meeting-{index}", standing)) for index in range(draw(st.integers(1, 3)))),
        how_to_join=draw(texts()),
        eligibility=draw(texts()),
        url=draw(web_addresses()),
        contacts=tuple(contacts),
        body=draw(lines(40)),
        confirmed=draw(st.one_of(st.just(""), dates())),
    )


@given(hsds_contents())
@settings(max_examples=100)
def test_what_hsds_holds_comes_back(content: ListingContent) -> None:
    page, _ = export_hsds([shown(content)], now=NOW)
    [back] = read(json.loads(json.dumps(page)))
    assert by_slug(back) == by_slug(content)


@given(contents(max_meetings=2))
@settings(max_examples=60)
def test_any_listing_is_exported_and_read(content: ListingContent) -> None:
    page, losses = export_hsds([shown(content)], now=NOW)
    [back] = read(json.loads(json.dumps(page)))
    assert content_from_value(content_to_value(back)) == back
    assert len(back.meetings) == max(1, len(content.meetings))
    assert all(count > 0 for count in losses.values())


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False), st.text(max_size=12),
    st.sampled_from(["WEEKLY", "MONTHLY", "MO", "2TH,FR", "2026-01-01", "19:00", "7 pm", "x" * 300, "100"]),
)  # fmt: skip
_KEYS = st.sampled_from(
    [
        "id", "name", "status", "contents", "services", "service_at_locations", "location", "schedules", "freq",
        "byday", "interval", "count", "until", "dtstart", "valid_from", "opens_at", "closes_at", "timezone", "wkst",
        "bymonthday",
        "attributes", "taxonomy_term", "taxonomy", "code", "value", "link_type", "languages", "contacts", "phones",
        "number", "addresses", "latitude", "longitude", "accessibility", "description", "organization",
    ]
)  # fmt: skip
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=8)),
    max_leaves=30,
)


@given(st.one_of(_JSON, st.dictionaries(_KEYS, _JSON, max_size=8).map(lambda each: {"name": "A", **each})))
@settings(max_examples=300)
def test_any_json_gives_listings_that_can_be_signed(value: object) -> None:
    for each in read(value):
        assert content_from_value(content_to_value(each)) == each
