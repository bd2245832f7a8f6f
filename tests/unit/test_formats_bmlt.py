"""BMLT: formats by their world-wide id, days from 1, labels, unpublished rows, service bodies."""

import json
from pathlib import Path

import pytest

from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.report import FormatError, Parsed
from hedgerow_protocol.content import Attendance, Contact, Openness, Standing

FEEDS = Path(__file__).parent.parent / "samples" / "feeds"
NAMES = ("bmlt-results.json", "bmlt-bodies.json")


@pytest.fixture(scope="module")
def parsed() -> Parsed:
    return parse_feed([(name, (FEEDS / name).read_bytes()) for name in NAMES], program="na", tz="America/New_York")


def test_counts(parsed: Parsed) -> None:
    assert (parsed.read, parsed.kept) == (3, 2)
    assert [(each.row, each.reason) for each in parsed.dropped] == [
        (3, "This meeting has no name, and no place to name it by.")
    ]
    assert parsed.repaired == {
        "feed_wrapped": 1,
        "field_label_cut": 1,
        "format_unknown": 1,
        "time_zone_from_argument": 1,
        "unpublished_as_paused": 1,
    }


def test_files_may_come_in_any_order(parsed: Parsed) -> None:
    files = [(name, (FEEDS / name).read_bytes()) for name in reversed(NAMES)]
    assert parse_feed(files, program="na", tz="America/New_York") == parsed


def test_in_person(parsed: Parsed) -> None:
    (steps,) = [draft.content for draft in parsed.drafts if draft.content.name == "Sample Steps"]
    (meeting,) = steps.meetings
    assert (meeting.slug, meeting.weekday, meeting.start, meeting.duration_min) == ("11", 0, 1140, 90)
    assert meeting.attendance is Attendance.IN_PERSON
    assert meeting.tz == "America/New_York"
    assert steps.facets.openness is Openness.OPEN
    assert (steps.facets.features, steps.facets.languages) == (("wheelchair",), ("en",))
    assert meeting.place is not None
    assert (meeting.place.street, meeting.place.city, meeting.place.notes) == (
        "5 Sample St",
        "Sampleville",
        "A to Sample Road",
    )
    assert meeting.extras == (("bmlt:formats", "XQ"), ("bmlt:worldid_mixed", "G0001"))
    assert (steps.body, steps.links) == ("Sample Area", ("http://area.example.org",))
    assert steps.extras == (
        ("bmlt:service_body_bigint", "5"),
        ("bmlt:service_body_helpline", "555-0100"),
        ("bmlt:service_body_parent", "Sample Region"),
    )
    assert steps.experiences == ("drugs",)


def test_unpublished_and_online(parsed: Parsed) -> None:
    (marathon,) = [draft.content for draft in parsed.drafts if draft.content.name == "Sample Marathon"]
    (meeting,) = marathon.meetings
    assert meeting.standing is Standing.PAUSED
    assert (meeting.weekday, meeting.start, meeting.duration_min, meeting.tz) == (6, 15, 1440, "America/Chicago")
    assert meeting.attendance is Attendance.ONLINE
    assert marathon.facets.languages == ("es",)
    assert marathon.contacts == (Contact(name="Robin", phone="555-0142"),)
    assert dict(meeting.extras)["bmlt:published"] == "0"


def test_without_the_formats_usual_keys_are_read_and_counted() -> None:
    rows = json.loads((FEEDS / NAMES[0]).read_bytes())["meetings"]
    parsed = parse_feed([("rows.json", json.dumps(rows).encode())], program="na", tz="UTC")
    (steps,) = [draft.content for draft in parsed.drafts if draft.content.name == "Sample Steps"]
    assert steps.facets.features == ("wheelchair",)
    assert parsed.repaired["format_by_usual_key"] == 3
    assert parsed.repaired["format_unknown"] == 2


def test_formats_of_a_servers_own_become_tags() -> None:
    results = json.loads((FEEDS / NAMES[0]).read_bytes())
    results["meetings"][0] |= {"formats": "XR", "format_shared_id_list": "8"}
    parsed = parse_feed([("results.json", json.dumps(results).encode())], program="na", tz="UTC")
    (steps,) = [draft.content for draft in parsed.drafts if draft.content.name == "Sample Steps"]
    assert steps.facets.formats == ("round-table",)


def test_formats_alone_are_no_feed() -> None:
    with pytest.raises(FormatError, match="no meetings"):
        parse_feed([("bodies.json", (FEEDS / NAMES[1]).read_bytes())], program="na")
