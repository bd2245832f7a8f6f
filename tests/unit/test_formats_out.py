"""Meeting Guide written strictly, with what it cannot hold counted; and the JSON of the API."""

import json
from dataclasses import replace

from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.listing_json import listing_json
from hedgerow_node.formats.meeting_guide_out import export_meeting_guide
from hedgerow_protocol.content import (
    Attendance,
    Contact,
    Facets,
    ListingContent,
    Meeting,
    Online,
    Openness,
    Place,
    Standing,
)
from strategies import shown_listing

WEEKLY = Meeting(slug="dawn", weekday=1, start=1410, duration_min=60, tz="Europe/Dublin", attendance=Attendance.HYBRID)
CONTENT = ListingContent(
    name="Dawn", program="aa", experiences=("alcohol",), facets=Facets(openness=Openness.OPEN, languages=("es",))
)


def test_one_record() -> None:
    place = Place(
        formatted="1 Example St, A, B 1, C", latitude_e7=533_500_001, longitude_e7=-62_600_000, regions=("A",)
    )
    meeting = replace(WEEKLY, place=place, facets=Facets(formats=("speaker",)), updated=1_700_000_000)
    rows, losses = export_meeting_guide([shown_listing(replace(CONTENT, meetings=(meeting,)))])
    assert losses == {}
    assert rows == [
        {
            "slug": "dawn",
            "name": "Dawn",
            "day": 1,
            "time": "23:30",
            "end_time": "00:30",
            "timezone": "Europe/Dublin",
            "types": ["O", "S", "SP"],
            "updated": "2023-11-14 22:13:20",
            "attendance_option": "hybrid",
            "formatted_address": "1 Example St, A, B 1, C",
            "regions": ["A"],
            "approximate": "no",
            "latitude": 53.3500001,
            "longitude": -6.26,
            "group": "Dawn",
            "group_id": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        }
    ]


def test_what_cannot_be_held_is_counted() -> None:
    meetings = (
        Meeting(slug="a", rrule="FREQ=MONTHLY;BYDAY=2TH", first="2026-01-08", start=600),
        Meeting(slug="b", first="2026-01-08", start=600),
        Meeting(slug="c", weekday=1),
        replace(WEEKLY, slug="d", until="2026-09-01"),
        replace(WEEKLY, slug="e", standing=Standing.ENDED),
        replace(WEEKLY, slug="f", cancelled=("2026-12-28",), duration_min=2000, tz=""),
        replace(WEEKLY, slug="x" * 90, facets=Facets(formats=("circle",)), extras=(("bmlt:zone", "3"),)),
    )
    content = replace(CONTENT, meetings=meetings, summary="S", how_to_join="H", experiences=("alcohol", "cancer"))
    rows, losses = export_meeting_guide([shown_listing(content), replace(shown_listing(content, 2), content=None)])
    assert [row["slug"][:1] for row in rows] == ["f", "x"]
    assert losses == {
        "cancelled_dates": 1,
        "duration": 1,
        "experiences": 1,
        "further_fields": 1,
        "how_to_join": 1,
        "left_out_ended": 1,
        "left_out_in_dispute": 1,
        "left_out_no_time": 1,
        "left_out_once": 1,
        "left_out_rule": 1,
        "left_out_season": 1,
        "slug": 1,
        "summary": 1,
        "time_zone_unknown": 1,
        "types_formats": 1,
    }


def test_weekly_rules_become_one_record_a_day() -> None:
    meeting = Meeting(slug="a", rrule="FREQ=WEEKLY;BYDAY=TU,TH", first="2026-01-01", start=600, tz="UTC")
    rows, losses = export_meeting_guide([shown_listing(replace(CONTENT, meetings=(meeting,)))])
    assert [(row["slug"], row["day"]) for row in rows] == [("a-2", 2), ("a-4", 4)]
    assert losses == {"first_date": 2}


def test_paused_and_closed_places_come_back() -> None:
    paused = replace(WEEKLY, standing=Standing.PAUSED, attendance=Attendance.UNKNOWN)
    closed = replace(
        WEEKLY,
        slug="closed",
        attendance=Attendance.ONLINE,
        place=Place(street="1 Example St"),
        online=Online(url="https://example.org/room"),
        facets=Facets(features=("in-person-closed",)),
    )
    content = replace(CONTENT, meetings=(closed, paused))
    rows, _ = export_meeting_guide([shown_listing(content)])
    assert [(row["attendance_option"], "TC" in row["types"]) for row in rows] == [("online", True), ("inactive", False)]
    (draft,) = parse_feed([("feed.json", json.dumps(rows).encode())], program="aa").drafts
    assert draft.content == content


def test_no_markup_and_no_secret_hint_is_lost() -> None:
    meeting = replace(WEEKLY, notes="<b>Bring</b> tea", online=Online(url_notes="Muted", password_hint="Ask Robin"))
    rows, losses = export_meeting_guide([shown_listing(replace(CONTENT, meetings=(meeting,)))])
    assert rows[0]["notes"] == "Bring tea"
    assert rows[0]["conference_url_notes"] == "Muted\nAsk Robin"
    assert losses == {"html": 1, "password_hint_in_notes": 1}


def test_api_json() -> None:
    place = Place(name="Hall", latitude_e7=1, longitude_e7=2)
    meetings = (
        replace(WEEKLY, facets=Facets(languages=("en",), formats=("speaker",))),
        Meeting(slug="m", rrule="FREQ=MONTHLY;BYDAY=2TH", first="2026-01-08", start=600, place=place),
    )
    content = replace(
        CONTENT, meetings=meetings, contacts=(Contact(name="Robin"),), extras=(("a:b", "1"), ("a:b", "2"))
    )
    listing = listing_json(shown_listing(content))
    assert json.loads(json.dumps(listing)) == listing
    assert listing["id"] == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"
    assert (listing["languages"], listing["facets"]["languages"]) == (["en", "es"], ["es"])
    assert listing["place"]["name"] == "Hall"
    assert (listing["expires"], listing["in_dispute"]) == (1_797_000_000, False)
    weekly, monthly = listing["meetings"]
    assert (weekly["weekday"], weekly["rrule"], weekly["start"], weekly["duration_min"]) == (1, None, "23:30", 60)
    assert (weekly["tz"], weekly["attendance"], weekly["slug"]) == ("Europe/Dublin", "hybrid", "dawn")
    assert weekly["facets"]["formats"] == ["speaker"]
    assert weekly["facets"]["openness"] == "open"
    assert (monthly["weekday"], monthly["rrule"], monthly["tz"]) == (None, "FREQ=MONTHLY;BYDAY=2TH", None)
    assert listing["extras"] == {"a:b": "1\n2"}


def test_api_json_of_a_contested_listing_says_nothing_but_its_name() -> None:
    shown = replace(shown_listing(CONTENT), content=None, contested=True)
    listing = listing_json(shown)
    assert (listing["name"], listing["meetings"], listing["place"]) == ("Dawn", [], None)
    assert listing["in_dispute"] is True
    assert "summary" not in listing
