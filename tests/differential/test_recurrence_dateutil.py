"""Our expansion of rules against python-dateutil's, and our zones against a plain reading with zoneinfo."""

import datetime as dt
import json
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rruleset, rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hedgerow_node.schedule.occurrences import next_occurrence, occurrences
from hedgerow_protocol.content import Meeting
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.rules import Rule, check, spell
from shared import SHARED, shared

DATES = st.dates(date(1995, 1, 1), date(2035, 12, 31))
SPAN = timedelta(days=3653)

ZONES = [
    "America/Los_Angeles", "America/New_York", "America/Phoenix", "America/St_Johns", "America/Santiago",
    "Europe/London", "Europe/Berlin", "Europe/Dublin", "Africa/Cairo", "Africa/Casablanca", "Asia/Jerusalem",
    "Asia/Tehran", "Asia/Kathmandu", "Asia/Tokyo", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland",
    "Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati", "Etc/GMT+12", "UTC",
]  # fmt: skip


def zones_of_the_data() -> list[str]:
    """Every zone the real feeds name, beside a fixed list with every kind of clock change."""
    if SHARED is None:
        return ZONES
    named = {
        row.get("timezone") for path in shared("data/tsml").glob("*.json") for row in json.loads(path.read_bytes())
    }
    return sorted({*ZONES, *(str(name) for name in named if name)})


@st.composite
def canonical_rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY"]))
    day = st.integers(0, 6)
    bymonth = draw(st.one_of(st.just([]), st.lists(st.integers(1, 12), max_size=3)))
    if freq in ("DAILY", "WEEKLY"):
        byday = draw(st.lists(day.map(lambda d: (0, d)), max_size=3))
    else:
        # RFC 5545 lets "MO" and "2TU" stand side by side; dateutil then asks for both at once. One kind at a time.
        # And it falls over a 25th Sunday of August.
        bound = 5 if freq == "MONTHLY" or bymonth else 53
        ordinals = st.integers(-bound, bound).filter(bool)
        counted = st.lists(st.tuples(ordinals, day), min_size=1, max_size=3)
        byday = draw(st.one_of(st.just([]), st.lists(day.map(lambda d: (0, d)), max_size=3), counted))
    days = st.integers(-31, 31).filter(bool)
    bymonthday = draw(st.one_of(st.just([]), st.just([]), st.lists(days, max_size=3)))
    places = st.integers(-6, 6).filter(bool)
    # In the week of DTSTART dateutil counts BYSETPOS from DTSTART on, not from the beginning of the week.
    by = bool(byday or bymonth or bymonthday) and freq != "WEEKLY"
    bysetpos = draw(st.one_of(st.just([]), st.lists(places, max_size=2))) if by else []
    rule = Rule(
        freq=freq,
        interval=draw(st.one_of(st.just(1), st.integers(1, 30))),
        count=draw(st.one_of(st.none(), st.none(), st.integers(1, 40))),
        bymonth=tuple(bymonth),
        bymonthday=tuple(bymonthday),
        byday=tuple(byday),
        bysetpos=tuple(bysetpos),
        wkst=draw(st.sampled_from([1, 1, 0, 6])),
    )
    return check(spell(rule))


def theirs(rule: str, first: date, high: datetime) -> list[datetime]:
    """What dateutil makes of a rule before ``high``. It gets a nearer end of time: a search to 9999 takes seconds."""
    parts = dict(part.split("=") for part in rule.split(";"))
    count = int(parts.pop("COUNT", "100000"))
    bounded = ";".join(f"{name}={value}" for name, value in parts.items()) + f";UNTIL={high:%Y%m%dT%H%M%S}"
    dates = rrulestr(bounded, dtstart=datetime.combine(first, datetime.min.time()))
    with patch.object(dt, "MAXYEAR", high.year + 1):
        return [moment for moment in islice(dates, count) if moment < high]


@given(canonical_rules(), DATES, st.integers(0, 3000))
@example("FREQ=MONTHLY;BYDAY=2TH", date(2026, 1, 1), 0)
@example("FREQ=YEARLY;BYDAY=53SU", date(2000, 1, 1), 0)
@settings(max_examples=200)
def test_rules_fall_as_dateutil_says(rule: str, first: date, offset: int) -> None:
    low = datetime.combine(first, datetime.min.time()) + timedelta(days=offset)
    high = low + SPAN
    # A far COUNT is followed within a budget (tested elsewhere); beyond some years the two may part.
    if "COUNT" in rule:
        low, high = datetime.combine(first, datetime.min.time()), datetime.combine(first, datetime.min.time()) + SPAN
    expected = [moment.date().isoformat() for moment in theirs(rule, first, high) if moment >= low]
    meeting = Meeting(slug="m", rrule=rule, first=first.isoformat(), start=0)
    assert [each.date for each in occurrences(meeting, low, high)] == expected[:4000]


@given(canonical_rules(), DATES, st.sets(DATES, max_size=5), st.sets(DATES, max_size=5))
@settings(max_examples=100)
def test_exceptions_fall_as_dateutil_says(rule: str, first: date, added: set[date], cancelled: set[date]) -> None:
    midnight = datetime.min.time()
    low = datetime.combine(first, midnight)
    both = rruleset()
    for moment in theirs(rule, first, low + SPAN + timedelta(seconds=1)):
        both.rdate(moment)
    for day in added:
        both.rdate(datetime.combine(day, midnight))
    for day in cancelled:
        both.exdate(datetime.combine(day, midnight))
    expected = [moment.date().isoformat() for moment in both.between(low, low + SPAN, inc=True)]
    meeting = Meeting(
        slug="m", rrule=rule, first=first.isoformat(), start=0,
        added=tuple(sorted(day.isoformat() for day in added)),
        cancelled=tuple(sorted(day.isoformat() for day in cancelled)),
    )  # fmt: skip
    assert [each.date for each in occurrences(meeting, low, low + SPAN + timedelta(seconds=1))] == expected


@pytest.mark.parametrize("tz", zones_of_the_data())
@pytest.mark.parametrize("minute", [0, 150, 19 * 60, 1439])
def test_ten_years_of_weeks_by_a_plain_reading(tz: str, minute: int) -> None:
    zone = ZoneInfo(tz)
    naive = rrulestr("FREQ=WEEKLY", dtstart=datetime(2020, 1, 5, minute // 60, minute % 60))  # noqa: DTZ001
    expected = [
        moment.replace(tzinfo=zone).astimezone(UTC) for moment in naive.between(*map(_naive, (2020, 2030)), inc=True)
    ]
    meeting = Meeting(slug="m", weekday=0, start=minute, tz=tz)
    found = occurrences(meeting, _naive(2020).replace(tzinfo=zone), _naive(2030).replace(tzinfo=zone))
    assert [each.start.astimezone(UTC) for each in found] == expected
    assert [each.date for each in found] == [m.date().isoformat() for m in naive.between(*map(_naive, (2020, 2030)))]


@given(canonical_rules(), DATES, st.sampled_from(ZONES), st.integers(0, 1439), st.integers(0, 2**31))
@settings(max_examples=150)
def test_next_is_the_first_that_begins_from_now_on(rule: str, first: date, tz: str, start: int, now: int) -> None:
    assume("COUNT" not in rule)
    meeting = Meeting(slug="m", rrule=rule, first=first.isoformat(), start=start, tz=tz)
    found = next_occurrence(meeting, Timestamp(now))
    moment = datetime.fromtimestamp(now, UTC)
    expected = occurrences(meeting, moment, moment + timedelta(days=2999))
    if expected:
        assert found == expected[0]
    elif found is not None:
        assert found.start >= moment + timedelta(days=2999)


def _naive(year: int) -> datetime:
    return datetime(year, 1, 1)  # noqa: DTZ001
