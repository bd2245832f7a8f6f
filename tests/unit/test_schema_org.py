"""schema.org's Event for meetings of each kind."""

import json

import pytest
from hypothesis import given, settings

from calendar_listings import NOW, listing, shown
from hedgerow_node.formats.schema_org import listing_json_ld
from hedgerow_protocol.content import Attendance, Facets, ListingContent, Meeting, Online, Place, Standing
from strategies import contents

URL = "https://node.example.org/listings/abc"


def event_of(meeting: Meeting, **fields: object) -> dict[str, object]:
    document = listing_json_ld(shown(listing(meeting, **fields)), now=NOW, url=URL)
    assert document["@context"] == "https://schema.org"
    [event] = document["@graph"]  # type: ignore[misc]
    return event  # type: ignore[no-any-return]


def test_a_weekly_hybrid_meeting() -> None:
    meeting = Meeting(
        slug="w", weekday=2, start=1140, duration_min=90, tz="Europe/Berlin", attendance=Attendance.HYBRID,
        place=Place(name="Library", street="1 Main Street", city="Town", country="DE", latitude_e7=1, longitude_e7=2),
        online=Online(url="https://example.org/room"), facets=Facets(features=("hearing-loop",), languages=("de",)),
        cancelled=("2026-12-29",),
    )  # fmt: skip
    event = event_of(meeting, experiences=("bereavement",), eligibility="For parents")
    assert event["@type"] == "Event"
    assert (event["startDate"], event["endDate"]) == ("2026-11-24T19:00+01:00", "2026-11-24T20:30+01:00")
    assert event["eventAttendanceMode"] == "https://schema.org/MixedEventAttendanceMode"
    assert event["eventStatus"] == "https://schema.org/EventScheduled"
    assert (event["isAccessibleForFree"], event["inLanguage"]) == (True, "de")
    place, virtual = event["location"]  # type: ignore[misc]
    assert place["address"]["streetAddress"] == "1 Main Street"
    assert place["amenityFeature"][0]["value"] is True
    assert virtual == {"@type": "VirtualLocation", "url": "https://example.org/room"}
    assert event["keywords"] == ["Bereavement", "Hearing loop"] or "Bereavement" in str(event["keywords"])
    assert event["eventSchedule"] == {
        "@type": "Schedule",
        "repeatFrequency": "P1W",
        "byDay": ["https://schema.org/Tuesday"],
        "startTime": "19:00:00",
        "scheduleTimezone": "Europe/Berlin",
        "duration": "PT1H30M",
        "exceptDate": ["2026-12-29"],
    }


@pytest.mark.parametrize(
    ("rrule", "expected"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", {"repeatFrequency": "P2W", "byDay": ["https://schema.org/Tuesday"]}),
        ("FREQ=MONTHLY;BYDAY=2TH", {"repeatFrequency": "P1M", "byDay": ["2TH"], "byMonthWeek": 2}),
        ("FREQ=MONTHLY;BYDAY=-1FR", {"repeatFrequency": "P1M", "byDay": ["-1FR"]}),
        ("FREQ=MONTHLY;BYMONTHDAY=15", {"byMonthDay": 15}),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", {"repeatFrequency": "P1Y", "byMonth": 11}),
        ("FREQ=DAILY;COUNT=40", {"repeatCount": 40, "endDate": "2026-12-10"}),
    ],
)
def test_rules(rrule: str, expected: dict[str, object]) -> None:
    event = event_of(Meeting(slug="r", rrule=rrule, first="2026-11-01", start=600, tz="America/New_York"))
    schedule = event["eventSchedule"]
    assert expected.items() <= schedule.items()  # type: ignore[attr-defined]


def test_the_offset_is_that_of_the_day() -> None:
    event = event_of(Meeting(slug="o", first="2027-07-01", start=600, tz="Europe/Berlin"))
    assert event["startDate"] == "2027-07-01T10:00+02:00"
    assert "eventSchedule" not in event


def test_an_unknown_zone_gives_no_moment() -> None:
    event = event_of(Meeting(slug="u", weekday=2, start=600))
    assert "startDate" not in event
    assert event["eventSchedule"]["startTime"] == "10:00:00"  # type: ignore[index]


def test_paused_ended_and_disputed() -> None:
    paused = event_of(Meeting(slug="p", weekday=2, start=600, tz="UTC", standing=Standing.PAUSED))
    assert paused["eventStatus"] == "https://schema.org/EventPostponed"
    assert "startDate" not in paused
    ended = ListingContent(name="A", meetings=(Meeting(slug="e", weekday=1, standing=Standing.ENDED),))
    for each in (shown(ended), shown(None)):
        assert listing_json_ld(each, now=NOW, url=URL)["@graph"] == []


def test_online_without_a_link_leads_to_the_page() -> None:
    event = event_of(Meeting(slug="o", weekday=2, start=600, attendance=Attendance.ONLINE))
    assert event["location"] == {"@type": "VirtualLocation", "url": URL}


@given(contents())
@settings(max_examples=60)
def test_any_listing_gives_json(content: ListingContent) -> None:
    document = listing_json_ld(shown(content), now=NOW, url=URL)
    assert json.loads(json.dumps(document)) == document
