"""Every real feed of the shared folder: no crash, at least 99 % of meetings kept, the same again the second time."""

import json
import random

import pytest

from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.meeting_guide_out import export_meeting_guide
from hedgerow_node.formats.report import Parsed
from hedgerow_protocol import limits, wire
from hedgerow_protocol.content import Openness, Standing
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from shared import needs_shared, shared
from strategies import shown_listing

pytestmark = needs_shared

TSML = [
    ("tsml/massachusetts-al-anon.json", "al-anon", 360),
    ("tsml/orange-county-ca-aa.json", "aa", 1967),
    ("tsml/san-francisco-marin-aa.json", "aa", 658),
    ("tsml/edge-cases-timezones.json", "aa", 9),
]
BMLT = ("GetSearchResults-part.json", "GetFormats-all-languages.json", "GetServiceBodies.json")
_read: dict[str, Parsed] = {}


def read(path: str, program: str) -> Parsed:
    """One feed, parsed once for all tests."""
    if path not in _read:
        _read[path] = parse_feed([(path, shared(f"data/{path}").read_bytes())], program=program)
    return _read[path]


def check(parsed: Parsed, rows: int) -> None:
    """What holds of every feed."""
    assert parsed.read == rows
    assert parsed.kept >= 0.99 * rows
    assert parsed.kept + len(parsed.dropped) == rows
    keys = [draft.key for draft in parsed.drafts]
    assert keys == sorted(set(keys))
    slugs = [meeting.slug for draft in parsed.drafts for meeting in draft.content.meetings]
    assert len(slugs) == len(set(slugs)) >= parsed.kept - parsed.repaired.get("row_repeated", 0)
    for draft in parsed.drafts:
        encoded = wire.encode(content_to_value(draft.content))
        assert content_from_value(wire.decode(encoded, size_max=limits.BODY_BYTES_MAX)) == draft.content


@pytest.mark.parametrize(("path", "program", "rows"), TSML)
def test_meeting_guide(path: str, program: str, rows: int) -> None:
    parsed = read(path, program)
    check(parsed, rows)
    assert not any(draft.content.extras and "tsml:types" in dict(draft.content.extras) for draft in parsed.drafts)


@pytest.mark.parametrize(("path", "program", "rows"), TSML)
def test_order_of_rows_does_not_matter(path: str, program: str, rows: int) -> None:
    shuffled = json.loads(shared(f"data/{path}").read_bytes())
    random.Random(7).shuffle(shuffled)
    assert parse_feed([(path, json.dumps(shuffled).encode())], program=program).drafts == read(path, program).drafts


@pytest.mark.parametrize(("path", "program", "rows"), TSML)
def test_nothing_is_lost(path: str, program: str, rows: int) -> None:
    """Every text of every row can be found again in the listing that holds its meeting."""
    found = {each.slug: draft.content for draft in read(path, program).drafts for each in draft.content.meetings}
    for row in json.loads(shared(f"data/{path}").read_bytes()):
        if row["slug"] not in found:
            continue  # a slug that had to be made again: counted, and covered by the counts
        text = _flat(repr(found[row["slug"]]).replace("\\u2019", "").replace("’", ""))
        for field in ("name", "notes", "location", "location_notes", "formatted_address", "address", "conference_url",
                      "conference_url_notes", "conference_phone", "venmo", "square", "paypal", "group", "group_notes",
                      "district", "url", "edit_url", "feedback_url", "author", "email", "phone", "website", "region",
                      "sub_region", "last_contact", "id", "location_id", "region_id"):  # fmt: skip
            value = row.get(field)
            if isinstance(value, str | int) and "&" not in str(value) and "<" not in str(value):
                assert _flat(repr(_visible(value))) in text, (row["slug"], field)


def _visible(value: str | int) -> str:
    """The text without marks that a page must not hold: they are taken out and counted."""
    unwanted = "\x92\u202a\u202c\u2066\u2069"
    return str(value).strip().translate({ord(mark): None for mark in unwanted})


def _flat(text: str) -> str:
    return "".join(character for character in text.replace("\\r", "").replace("\\n", "") if character.isalnum())


@pytest.mark.parametrize(("path", "program", "rows"), TSML)
def test_exported_and_read_again(path: str, program: str, rows: int) -> None:
    drafts = read(path, program).drafts
    shown = [shown_listing(draft.content, number) for number, draft in enumerate(drafts, start=1)]
    records, losses = export_meeting_guide(shown)
    assert not [kind for kind in losses if kind.startswith("left_out")]
    again = parse_feed([("export.json", json.dumps(records).encode())], program=program)
    assert again.kept == len(records) == sum(len(draft.content.meetings) for draft in drafts)
    assert len(again.drafts) == len(drafts)
    assert {each.content.name for each in again.drafts} == {each.content.name for each in drafts}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_bmlt(count: int) -> None:
    files = [(name, shared(f"data/bmlt/{name}").read_bytes()) for name in BMLT[:count]]
    parsed = parse_feed(files, program="na")
    check(parsed, 500)
    meetings = [meeting for draft in parsed.drafts for meeting in draft.content.meetings]
    assert sum(meeting.standing is Standing.PAUSED for meeting in meetings) == 17
    assert parsed.repaired["unpublished_as_paused"] == 17
    assert {meeting.tz for meeting in meetings} == {"America/New_York"}
    assert all("#@-@#" not in repr(meeting) for meeting in meetings)
    said = [draft.content.facets.openness for draft in parsed.drafts]
    assert sum(openness is not Openness.UNKNOWN for openness in said) > 0.8 * len(said)
    if count > 1:
        assert "format_unknown" not in parsed.repaired
