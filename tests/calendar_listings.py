"""Listings as pages have them, for tests of calendars: made by hand, and by Hypothesis in the form a calendar holds."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from hedgerow_node.formats import vocabulary
from hedgerow_node.schedule.occurrences import occurrences, occurs_on
from hedgerow_protocol.content import (
    Attendance,
    Change,
    Facets,
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
from strategies import RULES, dates, lines, texts, web_addresses

ISSUED = Timestamp(int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()))
NOW = Timestamp(int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()))

ZONES = (
    "America/Los_Angeles", "America/New_York", "America/Phoenix", "America/St_Johns", "America/Santiago",
    "America/Sao_Paulo", "Europe/London", "Europe/Berlin", "Europe/Dublin", "Africa/Cairo", "Africa/Casablanca",
    "Asia/Jerusalem", "Asia/Tehran", "Asia/Kathmandu", "Asia/Tokyo", "Asia/Gaza", "Australia/Lord_Howe",
    "Australia/Sydney", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati", "Etc/GMT+12", "UTC",
)  # fmt: skip
"""Every kind of clock change there is: yearly rules, half hours, Ramadan, none."""


def shown(content: ListingContent | None, number: int = 1, seq: int = 3) -> ShownListing:
    """A listing as a page may show it."""
    slot = Slot(
        charter=RecordId(bytes([number % 256]) * 32), entry=b"", seq=seq, issued=ISSUED,
        expires=Timestamp(ISSUED + 90 * 86_400),
    )  # fmt: skip
    name = content.name if content is not None else "In dispute"
    return ShownListing(id=ListingId(number.to_bytes(20, "big")), name=name, content=content, slot=slot)


def listing(*meetings: Meeting, name: str = "An example group", **fields: object) -> ListingContent:
    """A listing of these meetings."""
    return ListingContent(name=name, meetings=meetings, **fields)  # type: ignore[arg-type]


# A rule of one day a week with an end is our weekly shape with an end: an import gives that.
_RULES = tuple(rule for rule in RULES if "UNTIL" not in rule)


@st.composite
def _facets(draw: st.DrawFn) -> Facets:
    def some(known: dict[str, str]) -> tuple[str, ...]:
        tags = sorted(tag for tag in known if tag not in vocabulary.EXPERIENCES)
        return tuple(sorted(draw(st.lists(st.sampled_from(tags), max_size=3, unique=True))))

    return Facets(
        openness=draw(st.sampled_from(Openness)),
        formats=some(vocabulary.FORMATS),
        features=some(vocabulary.FEATURES),
        communities=some(vocabulary.COMMUNITIES),
    )


@st.composite
def timed_meetings(draw: st.DrawFn, slug: str = "a-meeting", zones: tuple[str, ...] = ("", *ZONES)) -> Meeting:
    """The times of a meeting that can stand in a calendar, with exceptions its rule really has."""
    shape = draw(st.sampled_from(["weekly", "season", "rule", "once"]))
    meeting = Meeting(
        slug=slug,
        weekday=draw(st.integers(0, 6)) if shape in ("weekly", "season") else None,
        rrule=draw(st.sampled_from(_RULES)) if shape == "rule" else "",
        first=draw(dates("2025-01-01", "2027-12-31")) if shape != "weekly" else "",
        until=draw(dates("2028-02-01", "2029-12-31")) if shape == "season" else "",
        start=draw(st.integers(0, 1439)),
        duration_min=draw(st.one_of(st.none(), st.integers(1, 2000))),
        tz=draw(st.sampled_from(zones)),
    )
    low = datetime(2027, 1, 1)  # noqa: DTZ001 - the meeting's own wall clock
    held = [each.date for each in occurrences(meeting, low, low + timedelta(days=400))]
    if shape == "once" or not held:
        return meeting
    cancelled = draw(st.lists(st.sampled_from(held), max_size=2, unique=True))
    left = [day for day in held if day not in cancelled]
    added = [day for day in draw(st.lists(dates("2027-01-01", "2027-12-31"), max_size=2, unique=True))
             if not occurs_on(meeting, date.fromisoformat(day))]  # fmt: skip
    moved = draw(st.lists(st.sampled_from(left), max_size=2, unique=True)) if left else []
    changes = [_change(draw, day, meeting) for day in sorted(moved)]
    return replace(
        meeting,
        cancelled=tuple(sorted(cancelled)),
        added=tuple(sorted(set(added) - set(cancelled) - set(moved))),
        changes=tuple(changes),
    )


def _change(draw: st.DrawFn, day: str, meeting: Meeting) -> Change:
    to_date = date.fromisoformat(day) + timedelta(days=draw(st.integers(1, 3)))
    length = draw(st.one_of(st.none(), st.integers(1, 600)))
    length = None if length == meeting.duration_min else length
    return Change(date=day, to_date=to_date.isoformat(), start=draw(st.integers(0, 1439)), duration_min=length)


@st.composite
def calendar_contents(draw: st.DrawFn) -> ListingContent:
    """What iCalendar can hold, in the form in which an import gives it back."""
    count = draw(st.integers(1, 3))
    facets = draw(_facets())
    name = draw(lines(60, min_size=1).filter(lambda text: any(c.isalnum() for c in text)))
    meetings = []
    for index in range(count):
        point = draw(st.one_of(st.none(), st.tuples(st.integers(-890_000_000, 890_000_000), st.integers(1, 10**9))))
        formatted = draw(lines(80))
        place = None
        if formatted or point:
            north, east = point or (None, None)
            place = Place(formatted=formatted, latitude_e7=north, longitude_e7=east)
        url, phone = draw(web_addresses()), draw(st.sampled_from(["", "+1 555 0100", "+15550100123,,123#"]))
        online = None
        if url or phone:
            online = Online(
                url=url, phone=phone, url_notes=draw(texts()) if url else "", phone_notes=draw(texts()) if phone else ""
            )
        timed = draw(timed_meetings(slug=f"meeting-{index}"))
        if timed.tz == "" and place is not None and point is not None:
            place = replace(place, latitude_e7=None, longitude_e7=None) if formatted else None  # else a zone is found
        attendance = Attendance.UNKNOWN
        if place is not None:
            attendance = Attendance.HYBRID if online else Attendance.IN_PERSON
        elif online is not None:
            attendance = Attendance.ONLINE
        meetings.append(
            replace(
                timed,
                name=draw(lines(30).map(lambda text: "" if text == name else text)),
                attendance=attendance,
                standing=draw(st.sampled_from([Standing.ACTIVE, Standing.PAUSED])),
                place=place,
                online=online,
                notes=draw(texts()),
                updated=draw(st.integers(0, 2_000_000_000)),
                url=draw(web_addresses()),
            )
        )
    return ListingContent(
        name=name,
        experiences=tuple(
            sorted(draw(st.lists(st.sampled_from(sorted(vocabulary.EXPERIENCES)), max_size=3, unique=True)))
        ),
        facets=facets,
        meetings=tuple(meetings),
    )
