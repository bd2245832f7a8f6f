"""Meeting Guide out and in again: what the format can hold comes back as it was."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.meeting_guide_out import export_meeting_guide
from hedgerow_protocol import wire
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from strategies import contents, meeting_guide_contents, shown_listing


@settings(max_examples=150)
@given(st.data(), st.sampled_from(vocabulary.program_codes()))
def test_import_of_export_is_the_same(data: st.DataObject, program: str) -> None:
    content = data.draw(meeting_guide_contents(program))
    rows, losses = export_meeting_guide([shown_listing(content)])
    assert not [kind for kind in losses if kind != "time_zone_unknown"]
    parsed = parse_feed([("feed.json", json.dumps(rows).encode())], program=program)
    assert [draft.content for draft in parsed.drafts] == [content]
    assert (parsed.read, parsed.kept, parsed.dropped) == (len(content.meetings), len(content.meetings), ())


@settings(max_examples=40)
@given(meeting_guide_contents("aa", slug="a"), meeting_guide_contents("aa", slug="b"), st.randoms())
def test_listings_stay_apart_in_any_order(one: ListingContent, two: ListingContent, shuffle: random.Random) -> None:
    rows, _ = export_meeting_guide([shown_listing(one, 1), shown_listing(two, 2)])
    shuffle.shuffle(rows)
    parsed = parse_feed([("feed.json", json.dumps(rows).encode())], program="aa")
    assert [draft.content for draft in parsed.drafts] == [one, two]


@settings(max_examples=60)
@given(contents())
def test_the_strategy_makes_what_the_wire_accepts(content: ListingContent) -> None:
    encoded = wire.encode(content_to_value(content))
    assert content_from_value(wire.decode(encoded, size_max=32 * 1024)) == content


@settings(max_examples=100)
@given(contents())
def test_any_export_is_strict_and_can_be_read(content: ListingContent) -> None:
    rows, _ = export_meeting_guide([shown_listing(content)])
    codes = {code.casefold() for code in _codes(content.program)}
    for row in rows:
        assert row["name"]
        assert 0 < len(row["slug"]) <= 64
        assert all(character.isalnum() or character in "-._~" for character in row["slug"])
        assert row.get("day") is None or row["day"] in range(7)
        assert "timezone" not in row or "/" in row["timezone"] or row["timezone"] == "UTC"
        assert {code.casefold() for code in row.get("types", [])} <= codes
        if "day" in row:
            assert len(row["time"]) == 5
    assert len({row["slug"] for row in rows}) == len(rows)
    parsed = parse_feed([("feed.json", json.dumps(rows).encode())], program=content.program)
    assert parsed.kept == parsed.read == len(rows)


def _codes(program: str) -> set[str]:
    from hedgerow_node.formats.vocabulary_codes import COMMON_TYPE_CODES, PROGRAM_TYPE_CODES
    from hedgerow_node.formats.vocabulary_languages import LANGUAGE_CODES, PROGRAM_LANGUAGE_CODES

    known = (
        PROGRAM_TYPE_CODES.get(program, {}),
        COMMON_TYPE_CODES,
        LANGUAGE_CODES,
        PROGRAM_LANGUAGE_CODES.get(program, {}),
    )
    return {code for table in known for code in table}


_FIELDS = [
    "name",
    "slug",
    "day",
    "time",
    "end_time",
    "timezone",
    "formatted_address",
    "address",
    "city",
    "latitude",
    "longitude",
    "approximate",
    "regions",
    "region",
    "types",
    "notes",
    "conference_url",
    "conference_phone",
    "group",
    "group_id",
    "district",
    "attendance_option",
    "updated",
    "url",
    "website",
    "email",
    "contact_1_name",
    "last_contact",
    "venmo",
    "feedback_emails",
    "unheard_of",
    "location",
]
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2500),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(
        [
            "Monday", "tues & thurs", "7 pm", "19:00", "noon", "25:99", "yes", "A, O, X", "https://example.org/\x00",
            "zoom.us/j/1", "&amp;#8217;<b>x</b>", "e\u0301", "\ud800", "\u202eabc", "CafÃ©", "x" * 5000,
            "Europe/Berlin", "europe/berlin", "Mars/Phobos", "1e400", "10,5", "2022-13-45", "12/31/2022", "inactive",
        ]
    ),
    st.lists(st.one_of(st.integers(0, 9), st.text(max_size=5)), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=14), max_size=6))
def test_whatever_rows_hold_becomes_contents_the_wire_accepts(rows: list[dict[str, object]]) -> None:
    rows = [{**row, "name": row.get("name", "A")} for row in rows]
    parsed = parse_feed([("feed.json", json.dumps(rows).encode())], program="aa")
    assert parsed.read == len(rows) == parsed.kept + len(parsed.dropped)
    for draft in parsed.drafts:
        encoded = wire.encode(content_to_value(draft.content))
        assert content_from_value(wire.decode(encoded, size_max=32 * 1024)) == draft.content


@pytest.mark.parametrize("seed", range(3))
def test_order_of_rows_does_not_matter(seed: int) -> None:
    made = random.Random(seed)
    rows = [
        {
            "name": made.choice(["Dawn", "Dusk"]),
            "slug": made.choice(["a", "b", "c"]),
            "day": made.randrange(7),
            "time": made.choice(["07:00", "19:00"]),
            "group": made.choice(["", "Harbour"]),
            "group_id": made.choice(["", "7"]),
            "district": made.choice(["", "North"]),
            "notes": made.choice(["", "Ring the bell."]),
            "contact_1_name": made.choice(["", "Robin", "Sam"]),
            "timezone": "Europe/Dublin",
        }
        for _ in range(40)
    ]
    first = parse_feed([("feed.json", json.dumps(rows).encode())], program="aa")
    made.shuffle(rows)
    second = parse_feed([("feed.json", json.dumps(rows).encode())], program="aa")
    assert first.drafts == second.drafts
    assert first.repaired == second.repaired
