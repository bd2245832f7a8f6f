"""When meetings are held: known answers over clock changes, seasons, exceptions; and rules made to cost time."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from hedgerow_node.formats.ical_out import export_icalendar
from hedgerow_node.schedule.occurrences import (
    OCCURRENCES_MAX,
    Occurrence,
    last_possible_date,
    next_occurrence,
    occurrences,
    occurs_on,
    weekdays,
)
from hedgerow_node.schedule.rule_dates import last_date
from hedgerow_protocol.content import Change, ListingContent, Meeting, Standing
from hedgerow_protocol.ids import ListingId, RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Slot
from hedgerow_protocol.state import ShownListing


def meeting(**fields: object) -> Meeting:
    given = {"slug": "m", "start": 19 * 60, "duration_min": 60, **fields}
    return Meeting(**given)  # type: ignore[arg-type]


def between(each: Meeting, low: str, high: str) -> list[Occurrence]:
    return occurrences(each, datetime.fromisoformat(low), datetime.fromisoformat(high))


def utc_starts(each: Meeting, low: str, high: str) -> list[str]:
    return [found.start.astimezone(UTC).strftime("%Y-%m-%d %H:%M") for found in between(each, low, high)]


@pytest.mark.parametrize(
    ("tz", "weekday", "low", "high", "expected"),
    [
        # United States: clocks go forward on 8 March 2026 and back on 1 November 2026.
        ("America/New_York", 0, "2026-03-01", "2026-03-16",
         ["2026-03-02 00:00", "2026-03-08 23:00", "2026-03-15 23:00"]),
        ("America/New_York", 0, "2026-10-25", "2026-11-02", ["2026-10-25 23:00", "2026-11-02 00:00"]),
        # European Union: 29 March and 25 October 2026.
        ("Europe/Berlin", 6, "2026-03-28", "2026-04-05", ["2026-03-28 18:00", "2026-04-04 17:00"]),
        ("Europe/Berlin", 6, "2026-10-24", "2026-11-01", ["2026-10-24 17:00", "2026-10-31 18:00"]),
        # Lord Howe Island moves by half an hour: back on 5 April, forward on 4 October 2026.
        ("Australia/Lord_Howe", 6, "2026-04-04", "2026-04-12", ["2026-04-04 08:00", "2026-04-11 08:30"]),
        ("Australia/Lord_Howe", 6, "2026-10-03", "2026-10-11", ["2026-10-03 08:30", "2026-10-10 08:00"]),
        # The southern summer: back on 5 April, forward on 27 September 2026.
        ("Pacific/Auckland", 6, "2026-04-04", "2026-04-12", ["2026-04-04 06:00", "2026-04-11 07:00"]),
        ("Pacific/Auckland", 6, "2026-09-26", "2026-10-04", ["2026-09-26 07:00", "2026-10-03 06:00"]),
        # No clock changes.
        ("Asia/Tokyo", 6, "2026-03-28", "2026-04-05", ["2026-03-28 10:00", "2026-04-04 10:00"]),
        ("America/Phoenix", 0, "2026-03-01", "2026-03-09", ["2026-03-02 02:00", "2026-03-09 02:00"]),
        ("Asia/Kathmandu", 0, "2026-03-01", "2026-03-02", ["2026-03-01 13:15"]),
    ],
)  # fmt: skip
def test_seven_in_the_evening_stays_seven(tz: str, weekday: int, low: str, high: str, expected: list[str]) -> None:
    weekly = meeting(weekday=weekday, tz=tz)
    assert utc_starts(weekly, low, high) == expected
    assert {found.start.strftime("%H:%M") for found in between(weekly, low, high)} == {"19:00"}


@pytest.mark.parametrize(
    ("tz", "day", "minute", "expected"),
    [
        # In the gap: moved forward by its length.
        ("America/New_York", "2026-03-08", 150, "2026-03-08 03:30-04:00"),
        ("Europe/Berlin", "2026-03-29", 120, "2026-03-29 03:00+02:00"),
        ("Australia/Lord_Howe", "2026-10-04", 135, "2026-10-04 02:45+11:00"),
        # Africa/Cairo changes at midnight: the day begins at 01:00.
        ("Africa/Cairo", "2026-04-24", 30, "2026-04-24 01:30+03:00"),
        # Twice: the first.
        ("America/New_York", "2026-11-01", 90, "2026-11-01 01:30-04:00"),
        ("Europe/Berlin", "2026-10-25", 150, "2026-10-25 02:30+02:00"),
        ("Australia/Lord_Howe", "2026-04-05", 105, "2026-04-05 01:45+11:00"),
    ],
)
def test_times_that_do_not_exist_or_exist_twice(tz: str, day: str, minute: int, expected: str) -> None:
    once = meeting(first=day, start=minute, tz=tz)
    [found] = between(once, "2026-01-01", "2027-01-01")
    assert found.start.isoformat(" ", "minutes") == expected
    assert found.date == day


def test_hours_are_by_the_clock_and_days_by_the_calendar() -> None:
    # 01:30 for two hours over the night the clocks go back: over after two hours, at 02:30 by the new time.
    short = meeting(first="2026-11-01", start=90, duration_min=120, tz="America/New_York")
    [found] = between(short, "2026-10-31", "2026-11-02")
    assert found.end is not None
    assert found.end.isoformat(" ", "minutes") == "2026-11-01 02:30-05:00"
    # A retreat of two days ends at the hour at which it began.
    retreat = meeting(first="2026-10-31", start=18 * 60, duration_min=2 * 1440, tz="America/New_York")
    [found] = between(retreat, "2026-10-31", "2026-11-02")
    assert found.end is not None
    assert found.end.isoformat(" ", "minutes") == "2026-11-02 18:00-05:00"


def test_the_repeated_hour_is_told_apart() -> None:
    once = meeting(first="2026-11-01", start=90, tz="America/New_York")
    second = datetime(2026, 11, 1, 6, 15, tzinfo=UTC)  # 01:15 by the new time, 45 minutes after the meeting began
    assert occurrences(once, second, second + timedelta(days=1)) == []


def test_a_season_bounds_a_weekly_meeting() -> None:
    season = meeting(weekday=2, first="2026-05-01", until="2026-05-26", tz="Europe/London")
    found = [each.date for each in between(season, "2026-01-01", "2027-01-01")]
    assert found == ["2026-05-05", "2026-05-12", "2026-05-19", "2026-05-26"]
    assert last_possible_date(season) == date(2026, 5, 26)


def test_exceptions() -> None:
    weekly = meeting(
        weekday=1,
        tz="Europe/Paris",
        cancelled=("2026-01-12",),
        added=("2026-01-14", "2026-01-19"),
        changes=(Change(date="2026-01-26", to_date="2026-01-27", start=600, duration_min=30),),
    )
    found = between(weekly, "2026-01-05", "2026-02-01")
    assert [(each.date, each.start.strftime("%d %H:%M"), each.changed) for each in found] == [
        ("2026-01-05", "05 19:00", False),
        ("2026-01-14", "14 19:00", False),
        ("2026-01-19", "19 19:00", False),
        ("2026-01-26", "27 10:00", True),
    ]
    assert found[-1].end is not None
    assert found[-1].end.strftime("%H:%M") == "10:30"
    assert not occurs_on(weekly, date(2026, 1, 12))
    assert occurs_on(weekly, date(2026, 1, 14))
    assert occurs_on(weekly, date(2026, 1, 26))
    assert weekdays(weekly) == (1, 2, 3)


def test_a_change_into_the_window_from_outside_is_found() -> None:
    moved = meeting(weekday=1, changes=(Change(date="2026-01-05", to_date="2026-03-01", start=60),))
    assert [each.date for each in between(moved, "2026-03-01", "2026-03-02")] == ["2026-01-05"]


def test_a_change_to_the_end_of_time_is_ignored() -> None:
    for day in ("0001-01-01", "9999-12-31"):
        moved = meeting(weekday=1, tz="Asia/Tokyo", changes=(Change(date="2026-01-05", to_date=day, start=60),))
        assert len(between(moved, "2026-01-01", "2026-01-31")) == 3


@pytest.mark.parametrize(
    ("rrule", "first", "expected"),
    [
        ("FREQ=WEEKLY;INTERVAL=2", "2026-01-06", ["2026-01-06", "2026-01-20", "2026-02-03", "2026-02-17"]),
        ("FREQ=MONTHLY;BYDAY=2TH", "2026-01-01", ["2026-01-08", "2026-02-12", "2026-03-12", "2026-04-09"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-01-01", ["2026-01-30", "2026-02-27", "2026-03-27", "2026-04-24"]),
        ("FREQ=MONTHLY;BYDAY=5SA", "2026-01-01", ["2026-01-31", "2026-05-30", "2026-08-29", "2026-10-31"]),
        ("FREQ=MONTHLY", "2026-01-31", ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-15", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("FREQ=YEARLY", "2024-02-29", ["2028-02-29", "2032-02-29"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2020-01-01", ["2026-11-26", "2027-11-25", "2028-11-23", "2029-11-22"]),
        ("FREQ=YEARLY;BYDAY=1MO,-1MO", "2026-01-01", ["2026-01-05", "2026-12-28", "2027-01-04", "2027-12-27"]),
        ("FREQ=DAILY;COUNT=3", "2026-01-30", ["2026-01-30", "2026-01-31", "2026-02-01"]),
        ("FREQ=WEEKLY;COUNT=4;BYDAY=MO,WE", "2026-01-07", ["2026-01-07", "2026-01-12", "2026-01-14", "2026-01-19"]),
        ("FREQ=MONTHLY;UNTIL=20260401;BYDAY=1WE", "2026-01-01",
         ["2026-01-07", "2026-02-04", "2026-03-04", "2026-04-01"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01",
         ["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", "2026-01-01", ["2026-02-13", "2026-03-13", "2026-11-13", "2027-08-13"]),
        # The example of RFC 5545 that shows what WKST is for.
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=SU,TU", "1997-08-05",
         ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=SU,TU;WKST=SU", "1997-08-05",
         ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]),
    ],
)  # fmt: skip
def test_rules(rrule: str, first: str, expected: list[str]) -> None:
    low = "1990-01-01" if first < "2000" else "2026-01-01"
    found = [each.date for each in between(meeting(rrule=rrule, first=first), low, "2036-01-01")]
    assert found[: len(expected)] == expected
    if "COUNT" in rrule or "UNTIL" in rrule:
        assert found == expected
        assert last_possible_date(meeting(rrule=rrule, first=first)) == date.fromisoformat(expected[-1])


def test_unknown_zones_give_naive_times() -> None:
    for tz in ("", "Moon/Tranquility"):
        [found] = between(meeting(weekday=0, tz=tz), "2026-01-04", "2026-01-05")
        assert found.start == datetime(2026, 1, 4, 19, 0)  # noqa: DTZ001 - naive is what is asked for
        assert found.start.tzinfo is None


def test_by_appointment_and_without_a_time_there_are_none() -> None:
    assert between(meeting(), "2026-01-01", "2027-01-01") == []
    assert between(meeting(weekday=3, start=None), "2026-01-01", "2027-01-01") == []
    assert weekdays(meeting()) == ()


def test_next_looks_past_leap_days_and_far_single_dates() -> None:
    now = Timestamp(int(datetime(2096, 3, 1, tzinfo=UTC).timestamp()))
    leap = next_occurrence(meeting(rrule="FREQ=YEARLY", first="2024-02-29"), now)
    assert leap is not None
    assert leap.date == "2104-02-29"  # 2100 is no leap year
    far = next_occurrence(meeting(first="2140-05-05"), now)
    assert far is not None
    assert far.date == "2140-05-05"
    assert next_occurrence(meeting(first="2026-05-05"), now) is None
    assert next_occurrence(meeting(weekday=1, standing=Standing.PAUSED), now) is None
    assert next_occurrence(meeting(weekday=1, until="2030-01-01"), now) is None


HOSTILE = [
    ("FREQ=DAILY;COUNT=5000", "0001-01-01"),
    ("FREQ=DAILY;COUNT=5000;BYMONTH=2;BYMONTHDAY=30", "2026-01-01"),
    ("FREQ=DAILY;INTERVAL=399;COUNT=5000;BYMONTHDAY=31;BYDAY=MO", "1970-01-01"),
    ("FREQ=DAILY;COUNT=4999;BYDAY=MO;BYSETPOS=2", "2026-01-01"),
    ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,31", "0001-01-01"),
    ("FREQ=WEEKLY;COUNT=5000;BYMONTH=2;BYMONTHDAY=30;BYDAY=SU,MO,TU,WE,TH,FR,SA", "2026-01-01"),
    ("FREQ=MONTHLY;COUNT=5000;BYDAY=5MO;BYSETPOS=300", "2026-01-01"),
    ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-01"),
    ("FREQ=YEARLY;COUNT=5000;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYSETPOS=-366", "2026-01-01"),
    ("FREQ=YEARLY;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYSETPOS=366", "2025-01-01"),
    ("FREQ=YEARLY;COUNT=5000;BYMONTHDAY=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15;BYSETPOS=200", "2026-01-01"),
    ("FREQ=YEARLY;INTERVAL=400;BYMONTHDAY=29;BYMONTH=2", "1999-01-01"),
    ("FREQ=DAILY;COUNT=5000", "9999-12-31"),
    ("FREQ=WEEKLY;COUNT=5000;WKST=SU", "9999-12-30"),
]


@pytest.mark.parametrize(("rrule", "first"), HOSTILE)
def test_a_rule_made_to_cost_time_costs_little(rrule: str, first: str) -> None:
    now = Timestamp(int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()))
    hostile = meeting(rrule=rrule, first=first, tz="Europe/Berlin")
    began = time.process_time()
    next_occurrence(hostile, now)
    last_date(rrule, date.fromisoformat(first))
    assert time.process_time() - began < 0.25  # some 5 ms; the bound leaves room for a slow machine


def test_one_answer_is_bounded() -> None:
    daily = meeting(rrule="FREQ=DAILY", first="1950-01-01", added=("2026-01-01",))
    assert len(between(daily, "1900-01-01", "2300-01-01")) <= OCCURRENCES_MAX


@pytest.mark.parametrize("fields", [{"until": "0001-01-01"}, {"first": "9999-12-31"}, {"first": "0001-01-01"}])
@pytest.mark.parametrize("shape", [{"weekday": 1}, {"weekday": 6}])
@pytest.mark.parametrize("zone", ["", "Asia/Tokyo", "America/New_York"])
def test_the_first_and_the_last_dates_there_are(fields: dict[str, str], shape: dict[str, int], zone: str) -> None:
    # One odd record must not take everybody's calendar away: dates that any record may hold, written out.
    odd = meeting(tz=zone, start=0, duration_min=10_080, **shape, **fields)
    assert next_occurrence(odd, Timestamp(1_795_359_993)) is None or fields == {"first": "0001-01-01"}
    slot = Slot(charter=RecordId(bytes(32)), entry=b"", seq=1, issued=Timestamp(1), expires=Timestamp(2**40))
    content = ListingContent(name="Odd", meetings=(odd, meeting(slug="usual", weekday=2)))
    shown = ShownListing(id=ListingId(bytes(20)), name="Odd", content=content, slot=slot)
    for discreet in ("", "Busy"):
        text = export_icalendar([shown], now=Timestamp(1_795_359_993), name="All", discreet=discreet)
        assert b"BYDAY=TU" in text
