"""Meeting Guide rows with everything that real feeds get wrong, on an invented feed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.report import Parsed
from hedgerow_protocol.content import Attendance, Contact, ListingContent, Meeting, Openness, Standing

FEEDS = Path(__file__).parent.parent / "samples" / "feeds"


def one(**fields: Any) -> tuple[Meeting, dict[str, int]]:
    """The only meeting of a feed of one row, and what was repaired."""
    row = {"name": "A", "slug": "a", "timezone": "Europe/Dublin", "day": 1, "time": "10:00", **fields}
    parsed = parse_feed([("feed.json", json.dumps([row]).encode())], program="aa")
    (draft,) = parsed.drafts
    (meeting,) = draft.content.meetings
    return meeting, parsed.repaired


def content(*rows: dict[str, Any], program: str = "aa", tz: str = "UTC") -> ListingContent:
    """The only listing of some rows."""
    (draft,) = parse_feed([("feed.json", json.dumps(rows).encode())], program=program, tz=tz).drafts
    return draft.content


@pytest.fixture(scope="module")
def worst() -> Parsed:
    return parse_feed([("worst-case.json", (FEEDS / "worst-case.json").read_bytes())], program="AA")


@pytest.fixture(scope="module")
def named(worst: Parsed) -> Callable[[str], ListingContent]:
    def find(name: str) -> ListingContent:
        (found,) = [draft.content for draft in worst.drafts if draft.content.name == name]
        return found

    return find


def test_counts(worst: Parsed) -> None:
    assert (worst.read, worst.kept) == (7, 5)
    assert [(dropped.row, dropped.reason) for dropped in worst.dropped] == [
        (5, "This row has no name, and neither group nor location to name it by."),
        (6, "This row is not an object with fields."),
    ]
    assert worst.repaired == {
        "approximate_derived": 4,
        "attendance_derived": 4,
        "day_as_list": 1,
        "day_as_text": 1,
        "day_seven_is_sunday": 1,
        "end_before_start": 1,
        "feed_wrapped": 1,
        "field_under_other_name": 3,
        "html_entities": 3,
        "html_tags": 1,
        "name_from_group": 1,
        "number_as_text": 2,
        "row_on_several_days": 1,
        "slug_made": 2,
        "time_as_word": 1,
        "time_twelve_hour": 2,
        "time_twenty_four": 1,
        "time_zone_from_feed": 3,
        "time_zone_respelled": 1,
        "type_as_name": 1,
        "type_unknown": 1,
        "types_as_text": 1,
        "updated_other_form": 1,
        "web_address_completed": 1,
    }


def test_rows_of_one_name_and_place_are_one_listing(named: Callable[[str], ListingContent]) -> None:
    light = named("Morning & Light")
    assert [(each.slug, each.weekday, each.start, each.duration_min) for each in light.meetings] == [
        ("morning", 1, 450, 60),
        ("morning-2", 2, 720, 60),
        ("morning-4", 4, 720, 60),
    ]
    assert light.facets.openness is Openness.OPEN
    assert light.facets.features == ("wheelchair",)
    monday = light.meetings[0]
    assert monday.facets.formats == ("discussion",)
    assert monday.notes == "Ring the bell.\nTea ’til nine."
    assert monday.extras == (("tsml:colour", "blue"), ("tsml:types", "QX"), ("tsml:venmo", "@example"))
    assert monday.place is not None
    assert (monday.place.latitude_e7, monday.place.longitude_e7) == (533_500_000, -62_600_000)
    assert monday.attendance is Attendance.IN_PERSON
    assert light.experiences == ("alcohol",)
    assert light.program == "aa"


def test_night_owls(named: Callable[[str], ListingContent]) -> None:
    (meeting,) = named("Night Owls").meetings
    assert (meeting.slug, meeting.start, meeting.duration_min, meeting.tz) == ("night-owls", 1410, 60, "Europe/Dublin")
    assert meeting.online is not None
    assert meeting.online.url == "https://zoom.us/j/5550100"
    assert meeting.attendance is Attendance.ONLINE
    assert named("Night Owls").facets.openness is Openness.CLOSED


def test_by_appointment(named: Callable[[str], ListingContent]) -> None:
    (meeting,) = named("On Request").meetings
    assert (meeting.weekday, meeting.start, meeting.rrule, meeting.first) == (None, None, "", "")
    assert meeting.attendance is Attendance.ONLINE


def test_paused(named: Callable[[str], ListingContent]) -> None:
    (meeting,) = named("Quiet Ones").meetings
    assert meeting.standing is Standing.PAUSED
    assert (meeting.weekday, meeting.start) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "attendance", "standing"),
    [
        ({"attendance_option": "hybrid"}, Attendance.HYBRID, Standing.ACTIVE),
        ({"venue_type": "virtual"}, Attendance.ONLINE, Standing.ACTIVE),
        ({"formatted_address": "1 A St, B, C 12345, USA"}, Attendance.IN_PERSON, Standing.ACTIVE),
        ({"formatted_address": "1 A St, B, C 12345, USA", "approximate": True}, Attendance.UNKNOWN, Standing.ACTIVE),
        ({"formatted_address": "1 A St, B, C 12345, USA", "types": ["TC"]}, Attendance.UNKNOWN, Standing.PAUSED),
        (
            {"address": "1 A St", "types": ["TC"], "conference_url": "https://meet.google.com/x"},
            Attendance.ONLINE,
            Standing.ACTIVE,
        ),
        ({"address": "1 A St", "conference_phone": "+15550100199"}, Attendance.HYBRID, Standing.ACTIVE),
        ({"address": "1 A St", "conference_phone": "5550100"}, Attendance.IN_PERSON, Standing.ACTIVE),
        ({"conference_url": "https://rooms.example.org/a"}, Attendance.UNKNOWN, Standing.ACTIVE),
        ({"conference_url": "https://zoom.us.example.org/a"}, Attendance.UNKNOWN, Standing.ACTIVE),
    ],
)
def test_attendance(fields: dict[str, Any], attendance: Attendance, standing: Standing) -> None:
    meeting, _ = one(**fields)
    assert (meeting.attendance, meeting.standing) == (attendance, standing)


@pytest.mark.parametrize(
    ("day", "time", "weekday", "start", "repair"),
    [
        (0, "19:30", 0, 1170, ""),
        ("6", "7:30 pm", 6, 1170, "day_as_text"),
        ("Wednesdays", "12 a.m.", 3, 0, "day_as_name"),
        ("lunes", "12:00 PM", 1, 720, "time_twelve_hour"),
        (3.0, 0.75, 3, 1080, "time_as_number"),
        (3, 1930, 3, 1170, "time_as_number"),
        (3, "1930", 3, 1170, "time_other_form"),
        (3, "Midnight", 3, 0, "time_as_word"),
        (3, "7 - 8 pm", 3, 1140, "time_as_range"),
        (3, "7ish", 3, None, "time_not_understood"),
        ("whenever", "19:30", None, None, "day_not_understood"),
        (9, "19:30", None, None, "day_not_understood"),
        (None, "19:30", None, None, "time_without_day"),
        (2, None, 2, None, "day_without_time"),
    ],
)
def test_when(day: object, time: object, weekday: int | None, start: int | None, repair: str) -> None:
    meeting, repaired = one(day=day, time=time)
    assert (meeting.weekday, meeting.start) == (weekday, start)
    assert not repair or repair in repaired
    said = {key for key, _ in meeting.extras}
    assert ("tsml:time" in said) == (start is None and time is not None)
    assert ("tsml:day" in said) == (weekday is None and day is not None)


@pytest.mark.parametrize(
    ("day", "rrule", "first"),
    [
        ("2nd Tuesday", "FREQ=MONTHLY;BYDAY=2TU", "2024-01-09"),
        ("First and third Mondays of each month", "FREQ=MONTHLY;BYDAY=1MO,3MO", "2024-01-01"),
        ("last fri", "FREQ=MONTHLY;BYDAY=-1FR", "2024-01-26"),
        ("5th Sunday", "FREQ=MONTHLY;BYDAY=5SU", "2024-03-31"),
    ],
)
def test_days_of_the_month(day: str, rrule: str, first: str) -> None:
    meeting, repaired = one(day=day, end_time="11:00")
    assert (meeting.rrule, meeting.first, meeting.weekday) == (rrule, first, None)
    assert (meeting.start, meeting.duration_min, meeting.tz) == (600, 60, "Europe/Dublin")
    assert repaired["day_of_the_month"] == 1
    without_time, _ = one(day=day, time="")
    assert (without_time.rrule, dict(without_time.extras)["tsml:day"]) == ("", day)


def test_zone_is_searched_in_order() -> None:
    place = {"latitude": 48.85, "longitude": 2.35, "address": "1 A"}
    row: dict[str, Any] = {"name": "A", "slug": "a", "day": 1, "time": "10:00", **place}

    def zone(feed: object, tz: str = "") -> tuple[str, list[str]]:
        parsed = parse_feed([("feed.json", json.dumps(feed).encode())], program="aa", tz=tz)
        kinds = [kind for kind in parsed.repaired if kind.startswith("time_zone")]
        return parsed.drafts[0].content.meetings[0].tz, kinds

    assert zone([{**row, "timezone": "Asia/Tokyo"}], "UTC") == ("Asia/Tokyo", [])
    assert zone({"timezone": "Asia/Seoul", "data": [row]}, "UTC") == ("Asia/Seoul", ["time_zone_from_feed"])
    assert zone([row], "UTC") == ("UTC", ["time_zone_from_argument"])
    assert zone([row]) == ("Europe/Paris", ["time_zone_from_place"])
    assert zone([{**row, "latitude": None}]) == ("", ["time_zone_unknown"])
    assert zone([{**row, "timezone": "Mars/Olympus"}]) == (
        "Europe/Paris",
        ["time_zone_from_place", "time_zone_not_a_zone"],
    )


def test_codes_mean_what_the_program_says() -> None:
    row = {"name": "A", "slug": "a", "day": 1, "time": "10:00", "types": ["A", "Y", "t", "S"]}
    aa = content(row, program="aa").facets
    assert (aa.communities, aa.languages) == (("secular", "transgender", "young-people"), ("es",))
    al_anon = content(row, program="AL-ANON").facets
    assert al_anon.communities == ("alateen", "atheist-agnostic", "transgender")
    aca = content(row, program="aca").facets
    assert (aca.features, aca.formats) == (("adults-only",), ("fellowship-text", "speaker", "yellow-workbook"))
    assert content(row, program="sg").meetings[0].extras == (("tsml:types", "A, Y, t"),)


def test_a_group_that_is_its_district_is_none() -> None:
    rows = [
        {
            "name": name,
            "slug": name,
            "day": 1,
            "time": "10:00",
            "group": "District 9",
            "group_id": 9,
            "district": "District 9",
        }
        for name in ("Hope", "Joy")
    ]
    parsed = parse_feed([("feed.json", json.dumps(rows).encode())], program="al-anon", tz="UTC")
    assert [draft.content.name for draft in parsed.drafts] == ["Hope", "Joy"]
    assert parsed.drafts[0].content.district == "District 9"
    assert parsed.repaired["group_is_district"] == 2


def test_a_group_shares_what_all_its_rows_say() -> None:
    row = {"group": "Harbour", "group_id": 4, "day": 1, "time": "10:00", "types": ["O", "M"], "venmo": "@harbour"}
    two = content(
        {**row, "name": "Dawn", "slug": "d", "email": "harbour@example.org", "website": "https://example.org"},
        {
            **row,
            "name": "Dusk",
            "slug": "e",
            "day": 2,
            "types": ["O", "W"],
            "district": "North",
            "contact_1_name": "Robin",
        },
    )
    assert two.name == "Harbour"
    assert [each.name for each in two.meetings] == ["Dawn", "Dusk"]
    assert two.facets.openness is Openness.OPEN
    assert [each.facets.communities for each in two.meetings] == [("men",), ("women",)]
    assert two.extras == (("tsml:group_id", "4"), ("tsml:venmo", "@harbour"))
    assert two.contacts == (Contact(email="harbour@example.org"), Contact(name="Robin"))
    assert (two.url, two.district) == ("https://example.org", "North")


def test_keys_do_not_depend_on_rows_beside_them() -> None:
    row = {"name": "Dawn", "slug": "d", "day": 1, "time": "10:00", "address": "1 Example St", "city": "Sampletown"}
    other = {"name": "Dusk", "slug": "e", "day": 1, "time": "10:00", "address": "1 Example St", "city": "Sampletown"}

    def keys(*rows: dict[str, Any]) -> set[str]:
        return {draft.key for draft in parse_feed([("f.json", json.dumps(rows).encode())], program="aa").drafts}

    assert keys(row) < keys(other, row)
    assert keys(row) == keys({**row, "time": "11:00", "slug": "z", "notes": "New.", "address": "1 EXAMPLE st."})


def test_large_groups_are_split() -> None:
    rows = [
        {"name": "Daily", "group": "Big", "slug": f"s{number}", "day": number % 7, "time": "10:00"}
        for number in range(150)
    ]
    parsed = parse_feed([("feed.json", json.dumps(rows).encode())], program="aa", tz="UTC")
    assert [len(draft.content.meetings) for draft in parsed.drafts] == [64, 64, 22]
    assert [draft.key for draft in parsed.drafts] == ["group:big", "group:big#2", "group:big#3"]
    long = [{**row, "notes": "语" * 3000} for row in rows[:8]]
    parsed = parse_feed([("feed.json", json.dumps(long).encode())], program="aa", tz="UTC")
    assert sum(len(draft.content.meetings) for draft in parsed.drafts) == 8
    assert len(parsed.drafts) > 1
    assert parsed.repaired["listing_split"]


def test_one_huge_row_is_shortened() -> None:
    row = {"name": "A", "slug": "a", "day": 1, "time": "10:00", **{f"field {n}": "语" * 9000 for n in range(90)}}
    parsed = parse_feed([("feed.json", json.dumps([row]).encode())], program="aa", tz="UTC")
    assert parsed.kept == 1
    assert parsed.repaired["text_shortened"] > 1
    assert parsed.repaired["further_fields_left_out"] >= 26


def test_invisible_and_broken_text() -> None:
    meeting, repaired = one(notes="e\u0301\u202ea\x00b\r\nc \ud800", location="  Two \n lines\u00a0")
    assert meeting.notes == "éab\nc"
    assert meeting.place is not None
    assert meeting.place.name == "Two lines"
    assert repaired["invisible_characters"] == 1
    assert repaired["text_not_composed"] == 1
    meeting, repaired = one(notes="CafÃ© â€œParisâ€\x9d", location="CafÃ©")
    assert meeting.place is not None
    assert meeting.place.name == "Café"
    assert repaired["text_decoded_twice"] == 1
    meeting, repaired = one(notes="Robin\x92s \x93hall\x94")
    assert meeting.notes == "Robin’s “hall”"
    assert repaired["text_windows_characters"] == 1


def test_unusable_addresses_are_kept_as_further_fields() -> None:
    meeting, repaired = one(conference_url="Ask Robin", url="javascript:alert(1)")
    assert meeting.online is None
    assert meeting.url == ""
    assert meeting.extras == (("tsml:conference_url", "Ask Robin"), ("tsml:url", "javascript:alert(1)"))
    assert repaired["web_address_not_usable"] == 2
