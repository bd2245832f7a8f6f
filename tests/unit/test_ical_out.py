"""Calendars as they are written: the letter of RFC 5545 and RFC 7986, and the discreet form."""

import time

import icalendar
import pytest

from calendar_listings import NOW, listing, shown
from hedgerow_node.formats.ical_event_out import event_uid
from hedgerow_node.formats.ical_out import export_icalendar, icalendar_losses
from hedgerow_node.formats.ical_text import duration_value, folded_line, parameter_value, text_value
from hedgerow_protocol.content import (
    Attendance,
    Change,
    Contact,
    Facets,
    ListingContent,
    Meeting,
    Online,
    Place,
    Standing,
)

FULL = Meeting(
    slug="tuesday",
    weekday=2,
    start=1140,
    duration_min=90,
    tz="Europe/Berlin",
    attendance=Attendance.HYBRID,
    place=Place(
        name="Example Library", street="1 Main Street", city="Exampletown", latitude_e7=-5_000_001, longitude_e7=133,
    ),
    online=Online(
        url="https://meet.example.org/a,b;c", phone="+1 555 0100,,12#", url_notes='Say "hi": now', password_hint="Ask.",
    ),
    notes="Bring tea, cake; and \\ patience.\nEverybody is welcome.",
    updated=1_700_000_000,
    url="https://example.org/tuesday",
)  # fmt: skip
CONTENT = ListingContent(
    name="Café of the bereaved " + "ü" * 60, summary="A summary.", experiences=("bereavement",), meetings=(FULL,),
    contacts=(Contact(name="Robin"),), facets=Facets(languages=("de",)),
)  # fmt: skip


def lines_of(data: bytes) -> list[str]:
    assert data.endswith(b"\r\n")
    return data.decode().replace("\r\n ", "").split("\r\n")


def test_the_letter_of_the_standard() -> None:
    data = export_icalendar([shown(CONTENT)], now=NOW, name="All, of them", url="https://example.org/calendar.ics")
    assert b"\n" not in data.replace(b"\r\n", b"")
    for line in data.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # a character is never cut
    lines = lines_of(data)
    for expected in (
        "VERSION:2.0",
        "METHOD:PUBLISH",
        "NAME:All\\, of them",
        "X-WR-CALNAME:All\\, of them",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
        "URL:https://example.org/calendar.ics",
        f"UID:{event_uid(shown(CONTENT), 'tuesday')}",
        "DTSTAMP:20261101T120000Z",
        "SEQUENCE:3",
        "DTSTART;TZID=Europe/Berlin:20261103T190000",
        "DURATION:PT1H30M",
        "RRULE:FREQ=WEEKLY;BYDAY=TU",
        "STATUS:CONFIRMED",
        "CLASS:PUBLIC",
        "LOCATION:Example Library\\, 1 Main Street\\, Exampletown",
        "GEO:-0.5000001;0.0000133",
        "CONFERENCE;VALUE=URI;FEATURE=VIDEO;LABEL=\"Say ^'hi^': now\":https://meet.example.org/a,b;c",
        "CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+1%20555%200100,,12%23",
        "URL:https://example.org/tuesday",
        "CATEGORIES:bereavement",
        "LAST-MODIFIED:20231114T221320Z",
        "DESCRIPTION:Bring tea\\, cake\\; and \\\\ patience.\\nEverybody is welcome.\\n\\nA summary.\\n\\nAsk.",
    ):
        assert expected in lines, expected
    parsed = icalendar.Calendar.from_ical(data)
    assert not parsed.errors
    [event] = parsed.walk("VEVENT")
    assert not event.errors
    assert event["SUMMARY"] == CONTENT.name


def test_the_same_listings_give_the_same_bytes() -> None:
    first = export_icalendar([shown(CONTENT)], now=NOW, name="N")
    assert export_icalendar([shown(CONTENT)], now=NOW + 3600, name="N") == first  # type: ignore[arg-type]


def test_the_discreet_form_tells_nothing() -> None:
    paused = Meeting(slug="p", weekday=1, start=60, standing=Standing.PAUSED)
    content = listing(FULL, paused, name=CONTENT.name, summary="A summary.", experiences=("bereavement",))
    data = export_icalendar([shown(content)], now=NOW, discreet="Busy", name="Meetings", url="https://example.org/")
    text = "\n".join(lines_of(data))
    for secret in (
        "Caf",
        "bereave",
        "Library",
        "example.org",
        "tea",
        "summary",
        "tuesday",
        "Hedgerow",
        "HEDGEROW",
        "GEO",
    ):
        assert secret not in text, secret
    [event] = icalendar.Calendar.from_ical(data).walk("VEVENT")
    assert (str(event["SUMMARY"]), str(event["CLASS"])) == ("Busy", "PRIVATE")


@pytest.mark.parametrize(
    ("meeting", "expected"),
    [
        (Meeting(slug="m", weekday=0, start=60, first="2026-05-01", until="2026-09-27", tz="America/New_York"),
         ["DTSTART;TZID=America/New_York:20260503T010000", "RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20260927T050000Z"]),
        (Meeting(slug="m", weekday=0, start=60), ["DTSTART:20261101T010000", "RRULE:FREQ=WEEKLY;BYDAY=SU"]),
        (Meeting(slug="m", weekday=0, start=60, until="2026-12-01"),
         ["RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20261201T010000"]),
        (Meeting(slug="m", weekday=0, start=60, tz="UTC"), ["DTSTART:20261101T010000Z"]),
        (Meeting(slug="m", first="2026-05-01"), ["DTSTART;VALUE=DATE:20260501"]),
        (Meeting(slug="m", rrule="FREQ=MONTHLY;BYDAY=2TH", first="2026-01-09", start=60, tz="Asia/Tokyo"),
         ["DTSTART;TZID=Asia/Tokyo:20260212T010000", "X-HEDGEROW-FIRST:2026-01-09"]),
        (Meeting(slug="m", rrule="FREQ=DAILY;COUNT=9", first="2026-01-09", until="2026-01-12", start=60),
         ["RRULE:FREQ=DAILY;UNTIL=20260112T010000"]),
        (Meeting(slug="m", weekday=1, first="2026-01-05", start=60, cancelled=("2026-01-06", "2026-01-12"),
                 added=("2026-01-13",),
                 changes=(Change(date="2026-01-19", to_date="2026-01-20", start=0, duration_min=5),)),
         ["EXDATE:20260112T010000", "RDATE:20260113T010000", "RECURRENCE-ID:20260119T010000", "DTSTART:20260120T000000",
          "DURATION:PT5M"]),
        (Meeting(slug="m", weekday=1, start=60, standing=Standing.PAUSED), ["STATUS:CANCELLED"]),
    ],
)  # fmt: skip
def test_times(meeting: Meeting, expected: list[str]) -> None:
    lines = lines_of(export_icalendar([shown(listing(meeting))], now=NOW, name="N"))
    assert [line for line in expected if line not in lines] == []


def test_what_a_calendar_does_not_hold_is_counted() -> None:
    content = listing(
        FULL, Meeting(slug="ask"), Meeting(slug="gone", weekday=1, start=60, standing=Standing.ENDED),
        Meeting(slug="never", rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", first="2026-01-01", start=60),
        contacts=(Contact(name="Robin"),), facets=Facets(languages=("de",)),
    )  # fmt: skip
    losses = icalendar_losses([shown(content), shown(None)])
    for kind in ("meeting_by_appointment", "meeting_ended", "meeting_without_a_date", "listing_in_dispute", "contacts",
                 "languages", "parts_of_an_address"):  # fmt: skip
        assert losses[kind] == 1, kind
    data = export_icalendar([shown(content), shown(None)], now=NOW, name="N")
    assert len(icalendar.Calendar.from_ical(data).walk("VEVENT")) == 1


def test_uids_stay_and_differ() -> None:
    assert event_uid(shown(CONTENT), "tuesday") == event_uid(shown(listing(seq_free := FULL)), seq_free.slug)
    assert event_uid(shown(CONTENT, 1), "tuesday") != event_uid(shown(CONTENT, 2), "tuesday")


def test_small_parts() -> None:
    assert text_value("a\r\nb\x07") == "a\\nb"
    assert parameter_value("plain") == "plain"
    assert parameter_value("a:b\n^") == '"a:b^n^^"'
    assert [duration_value(m) for m in (0, 5, 60, 90, 1440, 1445, 2880)] == [
        "PT0M", "PT5M", "PT1H", "PT1H30M", "P1D", "P1DT5M", "P2D",
    ]  # fmt: skip
    assert folded_line("x" * 75) == "x" * 75 + "\r\n"
    assert folded_line("é" * 38) == "é" * 37 + "\r\n é\r\n"


def test_an_empty_calendar_is_one() -> None:
    data = export_icalendar([], now=NOW, name="Nothing")
    assert icalendar.Calendar.from_ical(data).walk("VEVENT") == []


def test_two_thousand_meetings_take_little_time() -> None:
    many = [shown(listing(FULL, name=f"Group {number}"), number) for number in range(2000)]
    began = time.process_time()
    export_icalendar(many, now=NOW, name="Many")
    assert time.process_time() - began < 5
