"""Now and next: midnight, the turn of the week, clock changes, and whose clock is shown."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hedgerow_node.schedule.now import (
    Phase,
    Whose,
    happening,
    look,
    minute_of_week,
    now_and_next,
    shown_time,
)
from hedgerow_node.schedule.occurrences import occurrences
from hedgerow_protocol.content import Attendance, Meeting, Standing
from hedgerow_protocol.ports import Timestamp

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> Timestamp:
    return Timestamp(int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()))


def late(**fields: object) -> Meeting:
    """Saturday 23:30 to 00:30: over midnight, and over the end of the week."""
    return Meeting(**{"slug": "late", "weekday": 6, "start": 1410, "duration_min": 60, "tz": "Europe/Berlin", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-21 22:29", Phase.LATER),
        ("2026-11-21 22:30", Phase.SOON),
        ("2026-11-21 23:29", Phase.SOON),
        ("2026-11-21 23:30", Phase.NOW),
        ("2026-11-22 00:10", Phase.NOW),
        ("2026-11-22 00:29", Phase.NOW),
        ("2026-11-22 00:30", Phase.LATER),
    ],
)
def test_over_midnight_and_the_turn_of_the_week(moment: str, expected: Phase) -> None:
    assert happening(late(), at(moment)) is expected


def test_an_unknown_length_counts_an_hour() -> None:
    assert happening(late(duration_min=None), at("2026-11-22 00:29")) is Phase.NOW
    assert happening(late(duration_min=None), at("2026-11-22 00:30")) is Phase.LATER


def test_over_the_turn_of_the_year() -> None:
    eve = late(weekday=None, first="2026-12-31")
    assert happening(eve, at("2027-01-01 00:10")) is Phase.NOW
    assert happening(eve, at("2027-01-01 00:31")) is Phase.NEVER


@pytest.mark.parametrize(
    ("zone", "moment", "fold", "expected"),
    [
        # Sunday 1 November 2026, New York: 01:30 comes twice; the meeting is at the first.
        (NEW_YORK, "2026-11-01 00:45", 0, Phase.SOON),
        (NEW_YORK, "2026-11-01 01:30", 0, Phase.NOW),
        (NEW_YORK, "2026-11-01 01:15", 1, Phase.NOW),
        (NEW_YORK, "2026-11-01 01:30", 1, Phase.LATER),
        # Sunday 8 March 2026: 01:30 to 02:30 by the old time, which is 03:30 by the new.
        (NEW_YORK, "2026-03-08 03:20", 0, Phase.NOW),
        (NEW_YORK, "2026-03-08 03:31", 0, Phase.LATER),
    ],
)
def test_on_the_nights_the_clocks_change(zone: ZoneInfo, moment: str, fold: int, expected: Phase) -> None:
    early = late(weekday=0, start=90, tz=zone.key)
    assert happening(early, at(moment, zone, fold)) is expected


def test_a_meeting_in_the_gap_is_held_after_it() -> None:
    gap = late(weekday=0, start=150, tz="America/New_York")
    assert happening(gap, at("2026-03-08 01:59", NEW_YORK)) is Phase.SOON
    assert happening(gap, at("2026-03-08 03:29", NEW_YORK)) is Phase.SOON
    assert happening(gap, at("2026-03-08 03:30", NEW_YORK)) is Phase.NOW


def test_lord_howe_by_half_an_hour() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    early = late(weekday=0, start=100, duration_min=45, tz=zone.key)  # 01:40; on 5 April 2026 01:30–02:00 comes twice
    assert happening(early, at("2026-04-05 01:55", zone, 0)) is Phase.NOW
    assert happening(early, at("2026-04-05 01:50", zone, 1)) is Phase.NOW
    assert happening(early, at("2026-04-05 01:56", zone, 1)) is Phase.LATER


def test_an_unknown_zone_is_the_askers_and_marked() -> None:
    floating = late(tz="")
    moment = look(floating, at("2026-11-22 00:10", NEW_YORK), zone=NEW_YORK)
    assert moment is not None
    assert moment.phase is Phase.NOW
    assert moment.assumed_zone
    assert moment.occurrence.start.isoformat() == "2026-11-21T23:30:00-05:00"
    assert moment.ends - moment.begins == 3600
    known = look(late(), at("2026-11-22 00:10"), zone=NEW_YORK)
    assert known is not None
    assert not known.assumed_zone


def test_a_retreat_of_days_is_on_until_its_end() -> None:
    retreat = Meeting(slug="r", first="2026-11-20", start=1080, duration_min=2 * 1440, tz="Europe/Berlin")
    assert happening(retreat, at("2026-11-22 17:59")) is Phase.NOW
    assert happening(retreat, at("2026-11-22 18:00")) is Phase.NEVER


def test_paused_ended_and_timeless_meetings_are_never_now() -> None:
    for each in (late(standing=Standing.PAUSED), late(standing=Standing.ENDED), late(start=None), Meeting(slug="x")):
        assert look(each, at("2026-11-22 00:10")) is None


def test_the_order_of_now_and_next() -> None:
    now = at("2026-11-22 12:00")
    meetings = [
        ("later", late(weekday=0, start=14 * 60)),
        ("began long ago", late(weekday=0, start=10 * 60, duration_min=180)),
        ("soon", late(weekday=0, start=12 * 60 + 30)),
        ("just begun", late(weekday=0, start=11 * 60 + 55)),
        ("over", late(weekday=0, start=10 * 60)),
        ("far", late(weekday=None, first="2027-05-01")),
    ]
    found = now_and_next(meetings, now)
    assert [(name, moment.phase) for name, moment in found] == [
        ("just begun", Phase.NOW),
        ("began long ago", Phase.NOW),
        ("soon", Phase.SOON),
        ("later", Phase.LATER),
        ("over", Phase.LATER),
        ("far", Phase.LATER),
    ]
    assert [name for name, _ in now_and_next(meetings, now, within_minutes=60)] == [
        "just begun", "began long ago", "soon",
    ]  # fmt: skip


def test_whose_clock_a_page_shows() -> None:
    evening = Meeting(slug="e", weekday=0, start=1140, duration_min=90, tz="Europe/Berlin")
    [each] = occurrences(evening, datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    in_person = shown_time(each, Attendance.IN_PERSON, place=BERLIN, visitor=NEW_YORK)
    assert (in_person.start.hour, in_person.whose, in_person.zone) == (19, Whose.PLACE, "Europe/Berlin")
    online = shown_time(each, Attendance.ONLINE, place=BERLIN, visitor=NEW_YORK)
    assert (online.start.hour, online.whose, online.zone) == (13, Whose.VISITOR, "America/New_York")
    assert online.place_start == each.start
    assert online.end is not None
    assert online.end.strftime("%H:%M") == "14:30"
    same = shown_time(each, Attendance.ONLINE, place=BERLIN, visitor=ZoneInfo("Europe/Paris"))
    assert same.place_start is None
    unsaid = shown_time(each, Attendance.ONLINE, place=BERLIN, visitor=None)
    assert unsaid.whose is Whose.PLACE
    unknown = shown_time(each, Attendance.ONLINE, place=None, visitor=BERLIN)
    assert (unknown.whose, unknown.zone) == (Whose.UNKNOWN, "")


def test_the_minute_of_the_week() -> None:
    assert minute_of_week(late()) == 6 * 1440 + 1410
    assert minute_of_week(Meeting(slug="x", first="2026-01-01", start=5)) is None
