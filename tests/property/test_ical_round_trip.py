"""What a calendar can hold comes back the same; whatever a listing says, the second trip changes nothing more."""

import contextlib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from calendar_listings import NOW, calendar_contents, shown
from hedgerow_node.formats.ical_in import read_icalendar
from hedgerow_node.formats.ical_out import export_icalendar, icalendar_losses
from hedgerow_node.formats.report import FormatError, Tally
from hedgerow_protocol.content import ListingContent, Standing
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from strategies import contents


def read(data: bytes) -> list[ListingContent]:
    tally = Tally()
    drafts = read_icalendar(data, tz="", tally=tally)
    assert tally.read == tally.kept + len(tally.dropped)
    return [draft.content for draft in drafts]


def by_slug(content: ListingContent) -> ListingContent:
    from dataclasses import replace

    return replace(content, meetings=tuple(sorted(content.meetings, key=lambda each: each.slug)))


@given(calendar_contents())
@settings(max_examples=100)
def test_what_a_calendar_holds_comes_back(content: ListingContent) -> None:
    [back] = read(export_icalendar([shown(content)], now=NOW, name="Back"))
    assert by_slug(back) == by_slug(content)


@given(contents(max_meetings=2))
@settings(max_examples=100)
def test_the_second_trip_changes_nothing_more(content: ListingContent) -> None:
    once = read(export_icalendar([shown(content)], now=NOW, name="Once"))
    held = sum(meeting.standing is not Standing.ENDED for meeting in content.meetings)
    losses = icalendar_losses([shown(content)])
    left_out = losses.get("meeting_by_appointment", 0) + losses.get("meeting_without_a_date", 0)
    assert sum(len(each.meetings) for each in once) == held - left_out
    for each in once:
        assert content_from_value(content_to_value(each)) == each  # it can be signed
        [twice] = read(export_icalendar([shown(each)], now=NOW, name="Twice"))
        assert by_slug(twice) == by_slug(each)


_LINES = st.one_of(
    st.sampled_from(
        [
            "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "UID:1",
            "BEGIN:VTIMEZONE", "TZID:Custom", "X-LIC-LOCATION:Europe/Berlin", "END:VTIMEZONE", "SUMMARY:A", "UID:2@x",
            "DTSTART:20260101T190000", "DTSTART;TZID=Custom:20260101T190000Z", "DTSTART;VALUE=DATE:20260101",
            "DTEND:20260101T180000", "DURATION:PT1H", "DURATION:-P400W", "RRULE:FREQ=WEEKLY", "RRULE:FREQ=HOURLY",
            "RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "RRULE:FREQ=MONTHLY;BYDAY=TH;BYSETPOS=2", "RRULE:X",
            "RRULE:FREQ=WEEKLY;UNTIL=20261231T000000Z;COUNT=99999", "EXDATE:20260108T190000Z", "RDATE:20260303",
            "RDATE;VALUE=PERIOD:20260404T100000/PT2H", "RECURRENCE-ID:20260108T190000", "STATUS:CANCELLED", "GEO:1;2",
            "GEO:north", "CONFERENCE:tel:+1", "LOCATION:https://example.org/x", "CATEGORIES:bereavement,Other",
            "CLASS:PRIVATE", "LAST-MODIFIED:20260101T000000Z", "X-HEDGEROW-FIRST:NONE", "X-HEDGEROW-SLUG:a\\\\,b",
            "X-HEDGEROW-FIRST:2026-99-99", "ORGANIZER;CN=A:mailto:a@example.org", "DTSTART:00010101T000000Z",
            "DTEND;TZID=Pacific/Kiritimati:99991231T235959", "DTSTART;TZID=W. Europe Standard Time:20260101T010000",
        ]
    ),
    st.text(max_size=40),
)  # fmt: skip


@given(st.lists(_LINES, max_size=30).map("\r\n".join))
@example("BEGIN:VEVENT\nDTSTART:20260101T190000\nRRULE:FREQ=WEEKLY\nX-HEDGEROW-FIRST:2026-99-99\nEND:VEVENT")
@settings(max_examples=300)
def test_any_lines_give_listings_that_can_be_signed(text: str) -> None:
    for each in read(text.encode("utf-8", "replace")):
        assert content_from_value(content_to_value(each)) == each


@given(st.binary(max_size=300))
def test_any_bytes_give_a_list_or_a_sentence(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        read(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + data)
