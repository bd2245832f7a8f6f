"""HSDS: the examples of the standard, its required fields, times and rules."""

import json
from uuid import UUID

import pytest

from calendar_listings import NOW, listing, shown
from hedgerow_node.formats.hsds_in import read_hsds
from hedgerow_node.formats.hsds_out import export_hsds
from hedgerow_node.formats.report import Parsed, Tally
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
from shared import needs_shared, shared


def read(value: object, tz: str = "") -> Parsed:
    tally = Tally()
    return tally.parsed(read_hsds(value, tz=tz, tally=tally))


def meetings_of(schedule: dict[str, object], tz: str = "", **service: object) -> tuple[Meeting, ...]:
    value = {"id": "s", "name": "Example", "status": "active", "schedules": [{"id": "a", **schedule}], **service}
    parsed = read(value, tz)
    assert parsed.kept == 1
    return parsed.drafts[0].content.meetings


@needs_shared
@pytest.mark.parametrize(
    ("file", "kept", "dropped"),
    [
        ("service_full.json", 1, 0),
        ("organization_full.json", 1, 0),
        ("service_list.json", 1, 0),
        ("location.json", 0, 1),
    ],
)
def test_the_examples_of_the_standard(file: str, kept: int, dropped: int) -> None:
    parsed = read(json.loads(shared(f"data/hsds/{file}").read_bytes()))
    assert (parsed.kept, len(parsed.dropped)) == (kept, dropped)
    if not kept:
        return
    content = parsed.drafts[0].content
    assert content.name == "Community Counselling"
    assert content.body == "Example Organization Inc."
    assert content.confirmed == "2005-01-01"
    assert "12" in content.eligibility
    if file != "service_list.json":
        [meeting] = content.meetings  # the one schedule stands in several places
        assert (meeting.start, meeting.duration_min) == (600, 480)
        assert meeting.rrule == "FREQ=WEEKLY;UNTIL=20050101;BYDAY=TH,FR;WKST=TU"
        assert meeting.attendance is Attendance.HYBRID
        assert content.facets.languages == ("ur",)
    if file == "service_full.json":
        assert meeting.place is not None
        assert (meeting.place.street, meeting.place.country) == ("1-30 Main Street, MyVillage", "US")
        assert meeting.place.latitude_e7 is None  # 100 degrees north is nowhere
        assert "hearing-loop" in content.facets.features


def test_schedules() -> None:
    [weekly] = meetings_of({"freq": "WEEKLY", "byday": "TU", "opens_at": "19:00:00", "closes_at": "20:30:00"})
    assert (weekly.weekday, weekly.start, weekly.duration_min, weekly.tz, weekly.first) == (2, 1140, 90, "", "")
    [late] = meetings_of({"freq": "WEEKLY", "byday": "SA", "opens_at": "23:30", "closes_at": "00:30"})
    assert late.duration_min == 60
    [monthly] = meetings_of({"freq": "MONTHLY", "byday": "2MO,-1FR", "opens_at": "10:00", "dtstart": "2026-01-01"})
    assert (monthly.rrule, monthly.first, monthly.added) == ("FREQ=MONTHLY;BYDAY=-1FR,2MO", "2026-01-01", ())
    [fortnightly] = meetings_of(
        {"freq": "WEEKLY", "interval": 2, "byday": "TU", "opens_at": "10:00", "dtstart": "2026-01-06"}
    )
    assert fortnightly.rrule == "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"
    [once] = meetings_of({"dtstart": "2026-01-06", "opens_at": "10:00", "count": 1})
    assert (once.first, once.rrule, once.weekday) == ("2026-01-06", "", None)
    both = meetings_of({"freq": "WEEKLY", "byday": "MO,TH", "opens_at": "10:00"})
    assert [(each.slug, each.weekday) for each in both] == [("a-mo", 1), ("a-th", 4)]
    [season] = meetings_of(
        {"freq": "WEEKLY", "byday": "MO", "opens_at": "10:00", "valid_from": "2026-05-01", "valid_to": "2026-09-30"}
    )
    assert (season.first, season.until) == ("2026-05-01", "2026-09-30")


def test_an_offset_alone_is_no_zone() -> None:
    schedule: dict[str, object] = {"freq": "WEEKLY", "byday": "TU", "opens_at": "19:00", "timezone": 1}
    [unknown] = meetings_of(schedule)
    assert unknown.tz == ""
    assert ("hsds:timezone", "1") in unknown.extras
    [given] = meetings_of(schedule, tz="Europe/Berlin")
    assert given.tz == "Europe/Berlin"


def test_a_service_without_a_schedule_is_by_appointment() -> None:
    parsed = read({"id": "s", "name": "Example", "status": "temporarily closed"})
    [meeting] = parsed.drafts[0].content.meetings
    assert (meeting.weekday, meeting.first, meeting.standing) == (None, "", Standing.PAUSED)
    assert parsed.repaired == {"schedule_missing": 1}


def test_terms_of_other_taxonomies() -> None:
    terms = [{"taxonomy_term": {"name": "Bereavement"}}, {"taxonomy_term": {"name": "Something"}, "value": "else"}]
    content = read({"id": "s", "name": "A", "attributes": terms}).drafts[0].content
    assert content.experiences == ("bereavement",)
    assert ("hsds:attribute", "Something: else") in content.extras


EXPORTED = ListingContent(
    name="An example",
    summary="A summary.",
    experiences=("bereavement",),
    facets=Facets(languages=("de",), features=("wheelchair",)),
    contacts=(Contact(name="Robin", phone="555-0100"),),
    body="Example body",
    meetings=(
        Meeting(slug="w", weekday=2, start=1140, duration_min=90, tz="Europe/Berlin", attendance=Attendance.HYBRID,
                place=Place(name="Library", street="1 Main Street", city="Town", country="Germany",
                            latitude_e7=525_000_000, longitude_e7=134_000_000),
                online=Online(url="https://example.org/room")),
        Meeting(slug="m", rrule="FREQ=MONTHLY;BYDAY=2TH", first="2026-01-01", start=600, tz="America/New_York",
                place=Place(street="2 Side Street", city="Town", country="")),
        Meeting(slug="y", rrule="FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", first="2026-01-01", start=600,
                changes=(Change(date="2026-11-26", to_date="2026-11-27", start=60),)),
    ),
)  # fmt: skip


def test_what_is_written() -> None:
    page, losses = export_hsds([shown(EXPORTED), shown(None)], now=NOW)
    [service] = page["contents"]  # type: ignore[misc]
    assert (service["name"], service["status"]) == ("An example", "active")
    first, second = service["service_at_locations"]
    [schedule] = first["schedules"]
    expected = {
        "freq": "WEEKLY", "byday": "TU", "opens_at": "19:00", "closes_at": "20:30", "timezone": 1,
        "schedule_link": "https://example.org/room",
    }  # fmt: skip
    assert {name: schedule[name] for name in expected} == expected
    assert "Europe/Berlin" in schedule["notes"]
    address = first["location"]["addresses"][0]
    assert (address["address_1"], address["country"], address["address_type"]) == ("1 Main Street", "DE", "physical")
    assert first["location"]["accessibility"][0]["description"]
    assert "addresses" not in second["location"]
    assert second["location"]["description"] == "2 Side Street, Town"
    assert second["schedules"][0]["byday"] == "2TH"
    [in_words] = service["schedules"]
    assert "freq" not in in_words
    assert "RRULE:FREQ=YEARLY" in in_words["description"]
    for kind in ("listing_in_dispute", "rule_in_words", "exceptions", "address_in_words"):
        assert losses[kind] == 1, kind


def test_every_entry_has_its_required_fields() -> None:
    page, _ = export_hsds([shown(EXPORTED)], now=NOW)
    required = {
        "addresses": {"address_1", "city", "state_province", "postal_code", "country", "address_type"},
        "taxonomy_term": {"name", "description"}, "organization": {"name", "description"}, "phones": {"number"},
        "contents": {"name", "status"}, "location": {"location_type"},
    }  # fmt: skip

    def check(value: object, name: str) -> None:
        if isinstance(value, dict):
            if name != "page":
                assert str(UUID(str(value["id"]))) == value["id"]
                assert required.get(name, set()) <= set(value)
            for key, inner in value.items():
                for item in inner if isinstance(inner, list) else [inner]:
                    check(item, key)

    check(page, "page")
    assert export_hsds([shown(EXPORTED)], now=NOW)[0] == page


def test_a_listing_of_nothing_but_a_name() -> None:
    page, losses = export_hsds([shown(listing(name="Only a name"))], now=NOW)
    assert losses == {}
    assert read(page).drafts[0].content.name == "Only a name"
