"""Reading calendars from all kinds of programs."""

import pytest

from hedgerow_node.formats.ical_in import read_icalendar
from hedgerow_node.formats.report import Parsed, Tally
from hedgerow_protocol.content import Attendance, Change, Contact, Meeting, Openness, Standing
from shared import needs_shared, shared


def read(text: str, tz: str = "") -> Parsed:
    tally = Tally()
    return tally.parsed(read_icalendar(text.encode(), tz=tz, tally=tally))


def event(*lines: str, head: tuple[str, ...] = ()) -> str:
    inner = ["BEGIN:VEVENT", "UID:one", "SUMMARY:An example", *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", *head, *inner, "END:VCALENDAR", ""])


def meeting_of(*lines: str, tz: str = "", head: tuple[str, ...] = ()) -> Meeting:
    parsed = read(event(*lines, head=head), tz)
    assert parsed.kept == 1, parsed
    return parsed.drafts[0].content.meetings[0]


WEEKLY = ("DTSTART;TZID=Europe/Berlin:20260106T190000", "DTEND;TZID=Europe/Berlin:20260106T203000")


@needs_shared
def test_every_calendar_of_the_shared_data_is_read() -> None:
    events = kept = 0
    for path in sorted(shared("data/ics").glob("*.ics")):
        tally = Tally()
        parsed = tally.parsed(read_icalendar(path.read_bytes(), tz="", tally=tally))
        assert parsed.read == parsed.kept + len(parsed.dropped)
        # What is dropped there has neither a name nor a time: an ORGANIZER alone, CONFERENCE lines alone, a bare RDATE.
        assert {each.reason for each in parsed.dropped} <= {"The event has neither a name nor a time."}
        events, kept = events + parsed.read, kept + parsed.kept
    assert (events, kept) == (16, 12)


def test_an_open_weekly_event_is_a_weekly_meeting() -> None:
    meeting = meeting_of(*WEEKLY, "RRULE:FREQ=WEEKLY;BYDAY=TU;WKST=SU")
    assert (meeting.weekday, meeting.rrule, meeting.first, meeting.until) == (2, "", "2026-01-06", "")
    assert (meeting.start, meeting.duration_min, meeting.tz) == (1140, 90, "Europe/Berlin")


@pytest.mark.parametrize(
    ("rrule", "expected"),
    [
        ("FREQ=WEEKLY;BYDAY=TH,TU", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("FREQ=WEEKLY;INTERVAL=2", "FREQ=WEEKLY;INTERVAL=2"),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=1TU"),
        ("BYDAY=1TU;FREQ=MONTHLY;INTERVAL=1", "FREQ=MONTHLY;BYDAY=1TU"),
        ("FREQ=WEEKLY;COUNT=10", "FREQ=WEEKLY;COUNT=10"),
        ("FREQ=WEEKLY;BYDAY=TU;BYHOUR=19;BYMINUTE=0;BYSECOND=0;INTERVAL=2", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        # The end is in UTC: 18:00 there is 19:00 here, so the 27th still counts …
        ("FREQ=DAILY;UNTIL=20260127T180000Z", "FREQ=DAILY;UNTIL=20260127"),
        # … and one second less no longer lets it.
        ("FREQ=DAILY;UNTIL=20260127T175959Z", "FREQ=DAILY;UNTIL=20260126"),
        ("FREQ=DAILY;UNTIL=20260127", "FREQ=DAILY;UNTIL=20260127"),
    ],
)
def test_rules(rrule: str, expected: str) -> None:
    meeting = meeting_of(*WEEKLY, f"RRULE:{rrule}")
    assert (meeting.rrule, meeting.first, meeting.added) == (expected, "2026-01-06", ())


def test_a_start_outside_its_rule_is_kept_and_counts() -> None:
    parsed = read(event(*WEEKLY, "RRULE:FREQ=MONTHLY;BYDAY=2TH;COUNT=3"))
    [meeting] = parsed.drafts[0].content.meetings
    assert (meeting.rrule, meeting.added) == ("FREQ=MONTHLY;COUNT=2;BYDAY=2TH", ("2026-01-06",))
    assert parsed.repaired["first_date_outside_rule"] == 1


def test_a_rule_outside_ours_is_spelled_out() -> None:
    parsed = read(event(*WEEKLY, "RRULE:FREQ=YEARLY;BYWEEKNO=2;BYDAY=TU;COUNT=3"))
    [meeting] = parsed.drafts[0].content.meetings
    assert (meeting.first, meeting.rrule) == ("2026-01-06", "")
    assert meeting.added == ("2027-01-12", "2028-01-11") or len(meeting.added) == 3
    assert parsed.repaired["rule_spelled_out"] == 1


def test_an_hourly_rule_is_one_date() -> None:
    parsed = read(event(*WEEKLY, "RRULE:FREQ=HOURLY"))
    [meeting] = parsed.drafts[0].content.meetings
    assert (meeting.first, meeting.rrule, meeting.added) == ("2026-01-06", "", ())
    assert parsed.repaired["rule_not_understood"] == 1


def test_exceptions_in_other_zones_and_forms() -> None:
    meeting = meeting_of(
        *WEEKLY,
        "RRULE:FREQ=WEEKLY",
        "EXDATE:20260113T180000Z,20260120T180000Z",
        "EXDATE;TZID=America/New_York:20260127T130000",
        "EXDATE;VALUE=DATE:20260203",
        "RDATE;TZID=Europe/Berlin:20260107T190000",
        "RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20260108T100000/PT30M",
    )
    assert meeting.cancelled == ("2026-01-13", "2026-01-20", "2026-01-27", "2026-02-03")
    assert meeting.added == ("2026-01-07", "2026-01-08")
    assert meeting.changes == (Change(date="2026-01-08", to_date="2026-01-08", start=600, duration_min=30),)


def test_changed_occurrences_join_their_series_wherever_they_stand() -> None:
    text = "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "BEGIN:VEVENT", "UID:one", "SUMMARY:An example", "RECURRENCE-ID:20260113T180000Z",
            "DTSTART;TZID=Europe/Berlin:20260114T200000", "DURATION:PT90M", "END:VEVENT",
            "BEGIN:VEVENT", "UID:one", "SUMMARY:An example", *WEEKLY, "RRULE:FREQ=WEEKLY", "END:VEVENT",
            "BEGIN:VEVENT", "UID:one", "RECURRENCE-ID;TZID=Europe/Berlin:20260120T190000", "STATUS:CANCELLED",
            "DTSTART;TZID=Europe/Berlin:20260120T190000", "END:VEVENT",
            "BEGIN:VEVENT", "UID:gone", "RECURRENCE-ID:20260120T190000Z", "END:VEVENT",
            "BEGIN:VEVENT", "UID:alone", "SUMMARY:Left over", "RECURRENCE-ID:20260120T190000Z",
            "DTSTART:20260121T190000Z", "END:VEVENT",
            "END:VCALENDAR",
        ]
    )  # fmt: skip
    parsed = read(text)
    assert (parsed.read, parsed.kept) == (5, 4)
    assert [each.row for each in parsed.dropped] == [4]
    series, alone = (draft.content.meetings[0] for draft in parsed.drafts)
    assert series.changes == (Change(date="2026-01-13", to_date="2026-01-14", start=1200),)
    assert series.cancelled == ("2026-01-20",)
    assert alone.first == "2026-01-21"
    assert parsed.repaired["series_missing"] == 1


@pytest.mark.parametrize(
    ("tzid", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("custom_America/New_York", "America/New_York"),
        ("/example.org/20260101_1/America/New_York", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("My own", "Europe/Paris"),
        ("Nowhere/At_All", ""),
    ],
)
def test_zone_names(tzid: str, expected: str) -> None:
    head = ("BEGIN:VTIMEZONE", "TZID:My own", "X-LIC-LOCATION:Europe/Paris", "END:VTIMEZONE")
    meeting = meeting_of(f"DTSTART;TZID={tzid}:20260101T190000", head=head)
    assert (meeting.tz, meeting.start) == (expected, 1140)


def test_where_a_missing_zone_comes_from() -> None:
    floating = "DTSTART:20260101T190000"
    assert meeting_of(floating).tz == ""
    assert meeting_of(floating, tz="Asia/Tokyo").tz == "Asia/Tokyo"
    assert meeting_of(floating, head=("X-WR-TIMEZONE:Europe/Vienna",)).tz == "Europe/Vienna"
    assert meeting_of(floating, "GEO:52.52;13.405").tz == "Europe/Berlin"
    assert read(event(floating)).repaired == {"time_zone_unknown": 1}


def test_single_events_in_utc_follow_the_calendars_zone() -> None:
    once = meeting_of("DTSTART:20260701T170000Z", "DTEND:20260701T180000Z", head=("X-WR-TIMEZONE:Europe/Berlin",))
    assert (once.start, once.duration_min, once.tz) == (1140, 60, "Europe/Berlin")
    # A series in UTC stays at its hour in UTC, all year.
    series = meeting_of("DTSTART:20260701T170000Z", "RRULE:FREQ=WEEKLY", head=("X-WR-TIMEZONE:Europe/Berlin",))
    assert (series.start, series.tz) == (1020, "UTC")


def test_whole_days() -> None:
    weekly = meeting_of("DTSTART;VALUE=DATE:20260106", "RRULE:FREQ=WEEKLY")
    assert (weekly.weekday, weekly.start, weekly.duration_min) == (2, None, None)
    retreat = meeting_of("DTSTART;VALUE=DATE:20260106", "DTEND;VALUE=DATE:20260109")
    assert (retreat.first, retreat.start, retreat.duration_min) == ("2026-01-06", None, 3 * 1440)
    by_rule = meeting_of("DTSTART;VALUE=DATE:20260106", "RRULE:FREQ=MONTHLY")
    assert (by_rule.start, by_rule.duration_min) == (0, 1440)


def test_words() -> None:
    parsed = read(
        event(
            *WEEKLY,
            "DESCRIPTION:Bring tea\\, please.\\nAnd\\; <b>cake</b>.",
            "LOCATION:Example Library\\, 1 Main Street",
            "GEO:52.5;13.4",
            "URL:https://example.org/meeting",
            "CONFERENCE;VALUE=URI;FEATURE=VIDEO;LABEL=Ask for the link:https://meet.example.org/room",
            'CONFERENCE;VALUE=URI;FEATURE=PHONE;LABEL="Dial: in":tel:+1-555-0100,,123%23',
            "CATEGORIES:Bereavement,open",
            "CATEGORIES:Something else",
            "ORGANIZER;CN=Robin:mailto:robin@example.org",
            "ATTENDEE;CN=Alex:mailto:alex@example.org",
            "LAST-MODIFIED:20260102T030405Z",
            "PRIORITY:5",
        )
    )
    content = parsed.drafts[0].content
    [meeting] = content.meetings
    assert content.name == "An example"
    assert content.experiences == ("bereavement",)
    assert content.facets.openness is Openness.OPEN
    assert content.contacts == (Contact(name="Robin", email="robin@example.org"),)
    assert meeting.notes == "Bring tea, please.\nAnd; cake."
    assert meeting.place is not None
    assert meeting.place.formatted == "Example Library, 1 Main Street"
    assert (meeting.place.latitude_e7, meeting.place.longitude_e7) == (525_000_000, 134_000_000)
    assert meeting.online is not None
    assert meeting.online.url == "https://meet.example.org/room"
    assert meeting.online.url_notes == "Ask for the link"
    assert (meeting.online.phone, meeting.online.phone_notes) == ("+1-555-0100,,123#", "Dial: in")
    assert meeting.attendance is Attendance.HYBRID
    assert meeting.updated == 1767323045
    assert dict(meeting.extras) == {"ics:CATEGORIES": "Something else", "ics:PRIORITY": "5"}
    assert parsed.repaired["attendees_left_out"] == 1
    assert "alex@" not in repr(content)


def test_a_cancelled_event_is_paused_and_a_private_one_is_not_taken() -> None:
    assert meeting_of(*WEEKLY, "STATUS:CANCELLED").standing is Standing.PAUSED
    parsed = read(event(*WEEKLY, "CLASS:PRIVATE"))
    assert parsed.drafts == ()
    assert "private" in parsed.dropped[0].reason


def test_addresses_in_uids_do_not_become_slugs() -> None:
    text = event(*WEEKLY).replace("UID:one", "UID:robin@example.org")
    slug = read(text).drafts[0].content.meetings[0].slug
    assert slug.startswith("uid-")
    assert "@" not in slug


def test_broken_files_give_what_can_be_saved() -> None:
    text = (
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSUMMARY:First\nDESCRIPTION:one\ntwo lines without an escape\n"
        "DTSTART;;VALUE=DATE-TIME:20260101T190000\nBEGIN:VALARM\nSUMMARY:Not this\nEND:VALARM\n"
        "BEGIN:VEVENT\nUID:b\nSUM\n MARY:Second\nDTSTART:nonsense\nDTSTART;TZID=Europe/Berlin:20260102T190000\n"
    )
    parsed = read(text)
    first, second = (draft.content for draft in parsed.drafts)
    assert (first.name, first.meetings[0].notes) == ("First", "one\ntwo lines without an escape")
    assert first.meetings[0].start == 1140
    assert (second.name, second.meetings[0].start) == ("Second", 1140)
    assert parsed.repaired["event_without_end"] == 2


def test_events_of_one_title_are_one_listing() -> None:
    one = event(*WEEKLY, "RRULE:FREQ=WEEKLY")
    two = one.replace("UID:one", "UID:two").replace("20260106", "20260108")
    parsed = read(one + two)
    [draft] = parsed.drafts
    assert [meeting.weekday for meeting in draft.content.meetings] == [2, 4]
    assert draft.key == read(two + one).drafts[0].key
