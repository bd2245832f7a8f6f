"""Our calendars read by other people's programs: the same occurrences over two years, in every zone."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from calendar_listings import NOW, ZONES, listing, shown, timed_meetings
from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.ical_event_out import event_uid
from hedgerow_node.formats.ical_out import export_icalendar
from hedgerow_node.schedule.occurrences import occurrences
from hedgerow_protocol.content import Change, Meeting
from hedgerow_protocol.state import ShownListing
from shared import SHARED, needs_shared, shared

FROM = datetime(2026, 11, 22, tzinfo=UTC)
UNTIL = FROM + timedelta(days=731)
Held = list[tuple[str, object]]

_HERE = Path(__file__).parent


def _ical_js() -> Path | None:
    """ical.js as the web UI's development packages have it; ``ICAL_JS`` names another copy."""
    installed = _HERE.parents[1] / "webui" / "node_modules" / "ical.js" / "dist" / "ical.js"
    path = Path(os.environ.get("ICAL_JS", installed))
    return path if path.is_file() else None


needs_ical_js = pytest.mark.skipif(
    _ical_js() is None or shutil.which("node") is None,
    reason="ical.js is not installed: run npm ci in webui/ with Node in PATH",
)


def zones_of_the_data() -> list[str]:
    """Every zone the real feeds name, beside the fixed list."""
    if SHARED is None:
        return list(ZONES)
    rows = [row for path in shared("data/tsml").glob("*.json") for row in json.loads(path.read_bytes())]
    return sorted({*ZONES, *(str(row["timezone"]) for row in rows if row.get("timezone"))})


def every_shape(tz: str) -> list[Meeting]:
    """One meeting of each kind, in the evening and in the morning; none in the hours in which clocks change."""
    common = {"start": 19 * 60, "duration_min": 90, "tz": tz}
    return [
        Meeting(slug="weekly", weekday=2, **common),
        Meeting(slug="weekly-no-length", weekday=0, start=600, tz=tz),
        Meeting(slug="late", weekday=6, start=23 * 60 + 30, duration_min=60, tz=tz),
        Meeting(slug="season", weekday=4, first="2027-03-01", until="2027-11-04", **common),
        Meeting(slug="fortnightly", rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", first="2026-01-06", **common),
        Meeting(slug="two-days", rrule="FREQ=WEEKLY;BYDAY=MO,TH", first="2026-01-01", until="2028-03-26", **common),
        Meeting(slug="second-thursday", rrule="FREQ=MONTHLY;BYDAY=2TH", first="2026-01-01", **common),
        Meeting(slug="last-friday", rrule="FREQ=MONTHLY;BYDAY=-1FR", first="2024-02-02", **common),
        Meeting(slug="fifth", rrule="FREQ=MONTHLY;BYDAY=5SA", first="2026-01-01", **common),
        Meeting(slug="workday", rrule="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", first="2026-01-30", **common),
        Meeting(slug="thirty-first", rrule="FREQ=MONTHLY;BYMONTHDAY=31", first="2026-01-31", **common),
        Meeting(slug="count", rrule="FREQ=DAILY;INTERVAL=3;COUNT=40", first="2027-02-01", **common),
        Meeting(slug="until", rrule="FREQ=DAILY;UNTIL=20270401", first="2027-03-20", **common),
        Meeting(slug="summer", rrule="FREQ=MONTHLY;BYMONTH=4,5,6,7,8,9;BYDAY=1SA", first="2026-04-04", **common),
        Meeting(slug="thanksgiving", rrule="FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", first="2020-11-26", **common),
        Meeting(slug="once", first="2027-03-14", **common),
        Meeting(slug="retreat", first="2027-10-29", start=18 * 60, duration_min=2 * 1440 - 180, tz=tz),
        Meeting(
            slug="once-moved", first="2027-05-05",
            changes=(Change(date="2027-05-05", to_date="2027-05-06", start=600),), **common,
        ),
        Meeting(slug="some-dates", first="2027-05-05", added=("2027-04-01", "2027-06-07"), **common),
        Meeting(
            slug="exceptions", weekday=1, cancelled=("2026-12-28", "2027-01-04"), added=("2027-01-05",),
            changes=(
                Change(date="2027-02-01", to_date="2027-02-02", start=600, duration_min=30),
                Change(date="2027-06-09", to_date="2027-06-09", start=1200),
            ), **common,
        ),
    ]  # type: ignore[arg-type]  # fmt: skip


def ours(listings: list[ShownListing]) -> Held:
    held: Held = []
    for each in listings:
        assert each.content is not None
        for meeting in each.content.meetings:
            uid = event_uid(each, meeting.slug)
            for found in occurrences(meeting, FROM, UNTIL):
                moment = found.start
                if moment.tzinfo is None:
                    held.append((uid, moment.isoformat()))
                else:
                    held.append((uid, int(moment.timestamp())))
    return sorted(held, key=repr)


def by_recurring_ical_events(calendar: bytes) -> Held:
    parsed = icalendar.Calendar.from_ical(calendar)
    held: Held = []
    for event in recurring_ical_events.of(parsed).between(FROM - timedelta(days=2), UNTIL + timedelta(days=2)):
        moment = event["DTSTART"].dt
        if moment.tzinfo is None:
            if FROM.replace(tzinfo=None) <= moment < UNTIL.replace(tzinfo=None):
                held.append((str(event["UID"]), moment.isoformat()))
        elif FROM <= moment < UNTIL:
            held.append((str(event["UID"]), int(moment.timestamp())))
    return sorted(held, key=repr)


def by_ical_js(calendar: bytes) -> list[list[object]]:
    path = _ical_js()
    assert path is not None
    asked = {"ics": calendar.decode(), "from": int(FROM.timestamp()), "until": int(UNTIL.timestamp())}
    done = subprocess.run(
        ["node", str(_HERE / "ical_expand.mjs"), str(path)],
        input=json.dumps(asked), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[list[object]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def everywhere() -> list[ShownListing]:
    return [shown(listing(*every_shape(tz), name=tz), number) for number, tz in enumerate(zones_of_the_data(), start=1)]


@pytest.fixture(scope="module")
def calendar(everywhere: list[ShownListing]) -> bytes:
    return export_icalendar(everywhere, now=NOW, name="Everywhere")


@pytest.fixture(scope="module")
def found_by_ical_js(calendar: bytes) -> list[list[object]]:
    return by_ical_js(calendar)


def test_recurring_ical_events_finds_the_same(everywhere: list[ShownListing], calendar: bytes) -> None:
    expected = ours(everywhere)
    assert len(expected) > 18_000
    assert by_recurring_ical_events(calendar) == expected


def in_a_changed_hour(listings: list[ShownListing]) -> set[tuple[str, int]]:
    """Starts in an hour that is skipped or comes twice, in each reading: there ical.js means the second, RFC 5545
    (and we) the first."""
    doubtful = set()
    for each in listings:
        assert each.content is not None
        for meeting in each.content.meetings:
            for found in occurrences(meeting, FROM, UNTIL):
                zone = found.start.tzinfo
                if zone is None:
                    continue
                readings = {
                    found.start.replace(tzinfo=zone, fold=fold, hour=hour, minute=minute).astimezone(UTC)
                    for fold in (0, 1)
                    for hour, minute in {divmod(meeting.start or 0, 60), (found.start.hour, found.start.minute)}
                }
                if len(readings) > 1 and not found.changed:
                    doubtful |= {(event_uid(each, meeting.slug), int(moment.timestamp())) for moment in readings}
    return doubtful


def check_ical_js(listings: list[ShownListing], found: list[list[object]]) -> None:
    doubtful = in_a_changed_hour(listings)
    theirs = {(str(uid), start) for uid, start, _ in found}
    expected = {each for each in ours(listings) if isinstance(each[1], int)}
    assert theirs - doubtful == expected - doubtful
    assert len(theirs) == len(expected)


@needs_ical_js
def test_ical_js_finds_the_same(everywhere: list[ShownListing], found_by_ical_js: list[list[object]]) -> None:
    check_ical_js(everywhere, found_by_ical_js)


@needs_ical_js
@given(st.lists(timed_meetings(zones=ZONES), min_size=20, max_size=20))
@settings(max_examples=5)
def test_whatever_a_meeting_says_ical_js_reads_alike(meetings: list[Meeting]) -> None:
    listings = [shown(listing(meeting), number) for number, meeting in enumerate(meetings, start=1)]
    listings = [each for each in listings if not _moved_into_a_changed_hour(each)]
    check_ical_js(listings, by_ical_js(export_icalendar(listings, now=NOW, name="Any")))


def _moved_into_a_changed_hour(each: ShownListing) -> bool:
    assert each.content is not None
    for meeting in each.content.meetings:
        for change in meeting.changes:
            zone = ZoneInfo(meeting.tz or "UTC")
            naive = datetime.fromisoformat(change.to_date) + timedelta(minutes=change.start)
            if naive.replace(tzinfo=zone, fold=0).utcoffset() != naive.replace(tzinfo=zone, fold=1).utcoffset():
                return True
    return False


@needs_ical_js
def test_ical_js_finds_the_same_ends(everywhere: list[ShownListing], found_by_ical_js: list[list[object]]) -> None:
    """Ends too, except on the nights the clocks change: there ical.js counts hours by the clock face."""
    expected = set()
    for each in everywhere:
        assert each.content is not None
        for meeting in each.content.meetings:
            for found in occurrences(meeting, FROM, UNTIL):
                if found.end is not None and found.start.utcoffset() == found.end.utcoffset():
                    uid = event_uid(each, meeting.slug)
                    expected.add((uid, int(found.start.timestamp()), int(found.end.timestamp())))
    assert expected <= {(str(uid), start, end) for uid, start, end in found_by_ical_js}


@needs_ical_js
def test_floating_times_float_everywhere() -> None:
    floating = [shown(listing(Meeting(slug="m", weekday=3, start=1140)))]
    text = export_icalendar(floating, now=NOW, name="Floating")
    assert b"VTIMEZONE" not in text
    assert by_recurring_ical_events(text) == ours(floating)
    assert [start for _, start, _ in by_ical_js(text)][:1] == ["2026-11-25T19:00:00"]


@given(st.lists(timed_meetings(zones=ZONES), min_size=1, max_size=8))
@settings(max_examples=25)
def test_whatever_a_meeting_says_is_read_alike(meetings: list[Meeting]) -> None:
    listings = [shown(listing(meeting), number) for number, meeting in enumerate(meetings, start=1)]
    text = export_icalendar(listings, now=NOW, name="Any")
    assert by_recurring_ical_events(text) == ours(listings)


@pytest.mark.parametrize("tz", zones_of_the_data())
def test_the_description_of_a_zone_is_right_for_decades(tz: str) -> None:
    """What a program knows from VTIMEZONE alone, against the zone data, every 11 hours over thirty years."""
    meeting = Meeting(slug="m", weekday=3, start=1140, tz=tz, first="1996-01-01")
    text = export_icalendar([shown(listing(meeting))], now=NOW, name="Zone")
    if tz == "UTC":
        assert b"VTIMEZONE" not in text
        return
    [described] = icalendar.Calendar.from_ical(text).walk("VTIMEZONE")
    read = described.to_tz(lookup_tzid=False)
    real = ZoneInfo(tz)
    moment, end = datetime(1996, 1, 3), datetime(2037, 1, 1)  # noqa: DTZ001 - a wall clock
    while moment < end:
        theirs, expected = moment.replace(tzinfo=read).utcoffset(), moment.replace(tzinfo=real).utcoffset()
        near = {(moment + timedelta(hours=h)).replace(tzinfo=real).utcoffset() for h in (-3, 3)}
        assert theirs == expected or len(near) > 1, moment
        moment += timedelta(hours=47)


REAL_FEEDS = (
    ("massachusetts-al-anon.json", "al-anon", 350),
    ("san-francisco-marin-aa.json", "aa", 650),
    ("orange-county-ca-aa.json", "aa", 1950),
)


@pytest.mark.slow
@needs_shared
@needs_ical_js
@pytest.mark.parametrize(("file", "program", "least"), REAL_FEEDS)
def test_real_feeds_are_read_alike(file: str, program: str, least: int) -> None:
    parsed = parse_feed([(file, shared(f"data/tsml/{file}").read_bytes())], program=program)
    listings = [shown(draft.content, number) for number, draft in enumerate(parsed.drafts, start=1)]
    assert sum(len(draft.content.meetings) for draft in parsed.drafts) >= least
    text = export_icalendar(listings, now=NOW, name="Real")
    assert by_recurring_ical_events(text) == ours(listings)
    check_ical_js(listings, by_ical_js(text))
