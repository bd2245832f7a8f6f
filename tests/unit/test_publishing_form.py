"""A form becomes a listing, or comes back with a sentence for each field that is wrong."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_node.directory.publishing_form import (
    LISTING_FIELDS,
    MEETING_FIELDS,
    FieldErrors,
    fields_from_listing,
    flatten,
    listing_from_fields,
)
from hedgerow_protocol import intake
from hedgerow_protocol.content import Attendance, Intake, Joining, Openness, Standing

FULL: dict[str, str | list[str]] = {
    "name": "Parents after loss",
    "summary": "A quiet evening.\r\nTea at the end.",
    "experiences": "bereavement, Parenting",
    "languages": ["en", "ga"],
    "openness": "closed",
    "features": "wheelchair,child friendly",
    "joining": "ask",
    "how_to_join": "Write to us first.",
    "url": "group.example.org",
    "contact_email": "group@example.org",
    "confirmed": "2026-11-01",
    "meeting_1_weekday": "Thursday",
    "meeting_1_start": "19:30",
    "meeting_1_end": "21:00",
    "meeting_1_tz": "Europe/Dublin",
    "meeting_1_place_name": "Example Library",
    "meeting_1_street": "1 Example Street",
    "meeting_1_city": "Exampleton",
    "meeting_1_latitude": "53.35",
    "meeting_1_longitude": "-6,26",
    "meeting_2_repeats": "monthly",
    "meeting_2_ordinal": "2",
    "meeting_2_first": "2027-01-14",
    "meeting_2_start": "9:05",
    "meeting_2_duration": "60",
    "meeting_2_online_url": "https://meet.example.org/abc",
    "meeting_2_password_hint": "Ask by e-mail.",
}


def test_a_full_form_becomes_a_listing() -> None:
    content = listing_from_fields(FULL)
    assert content.experiences == ("bereavement", "parenting")
    assert content.summary == "A quiet evening.\nTea at the end."
    assert content.facets.openness is Openness.CLOSED
    assert content.facets.features == ("child-friendly", "wheelchair")
    assert content.facets.languages == ("en", "ga")
    assert content.joining is Joining.ASK
    assert content.url == "https://group.example.org"
    assert content.contacts[0].email == "group@example.org"
    first, second = content.meetings
    assert (first.weekday, first.start, first.duration_min, first.tz) == (4, 1170, 90, "Europe/Dublin")
    assert first.attendance is Attendance.IN_PERSON
    assert first.place is not None
    assert (first.place.latitude_e7, first.place.longitude_e7) == (533_500_000, -62_600_000)
    assert (second.rrule, second.first, second.start) == ("FREQ=MONTHLY;BYDAY=2TH", "2027-01-14", 545)
    assert second.attendance is Attendance.ONLINE
    assert {first.slug, second.slug} == {"parents-after-loss", "parents-after-loss-2"}


def test_the_fields_of_a_listing_make_it_again() -> None:
    content = listing_from_fields(FULL)
    assert listing_from_fields(fields_from_listing(content)) == content


@pytest.mark.parametrize(
    ("repeats", "extra", "rule", "weekday"),
    [
        ("weekly", {"weekday": "0"}, "", 0),
        ("fortnightly", {"first": "2027-01-05"}, "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", None),
        ("monthly", {"first": "2027-01-29", "ordinal": "last"}, "FREQ=MONTHLY;BYDAY=-1FR", None),
        ("monthly", {"first": "2027-01-15"}, "FREQ=MONTHLY;BYMONTHDAY=15", None),
        ("once", {"first": "2027-02-01"}, "", None),
    ],
)
def test_each_way_to_repeat(repeats: str, extra: dict[str, str], rule: str, weekday: int | None) -> None:
    fields = {"name": "A", "meeting_1_repeats": repeats, "meeting_1_start": "10:00"}
    fields.update({f"meeting_1_{name}": value for name, value in extra.items()})
    content = listing_from_fields(fields)
    assert (content.meetings[0].rrule, content.meetings[0].weekday) == (rule, weekday)
    assert listing_from_fields(fields_from_listing(content)) == content


def test_by_appointment_and_paused() -> None:
    fields = {
        "name": "A",
        "meeting_1_repeats": "appointment",
        "meeting_1_standing": "paused",
        "meeting_1_notes": "Call.",
    }
    meeting = listing_from_fields(fields).meetings[0]
    assert (meeting.start, meeting.weekday, meeting.first, meeting.standing) == (None, None, "", Standing.PAUSED)


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("name", "  ", "name"),
        ("name", "x" * 300, "longer"),
        ("url", "javascript:alert(1)", "http"),
        ("openness", "sometimes", "open, closed"),
        ("languages", "e", "language"),
        ("confirmed", "1/2/2027", "YYYY-MM-DD"),
        ("nmae", "x", "Did you mean name"),
        ("meeting_1_weekday", "someday", "Choose"),
        ("meeting_1_start", "25:00", "time of day"),
        ("meeting_1_start", "7pm", "HH:MM"),
        ("meeting_1_start", "", "begins"),
        ("meeting_1_tz", "Mars/Olympus", "time zone"),
        ("meeting_1_latitude", "95", "degrees"),
        ("meeting_1_latitude", "10", "both"),
        ("meeting_1_duration", "-5", "whole number"),
        ("meeting_1_colour", "red", "no such field"),
        ("summary", "a\u202eb", "control"),
        ("summary", "bell\x07", "control"),
    ],
)
def test_each_mistake_names_its_field(field: str, value: str, word: str) -> None:
    fields: dict[str, str | list[str]] = {
        "name": "A",
        "meeting_1_weekday": "1",
        "meeting_1_start": "10:00",
        field: value,
    }
    with pytest.raises(FieldErrors) as caught:
        listing_from_fields(fields)
    told = " ".join(caught.value.fields.values())
    assert word in told
    if word != "both":
        assert field in caught.value.fields


def test_a_monthly_meeting_begins_on_its_own_day() -> None:
    fields = {"name": "A", "meeting_1_repeats": "monthly", "meeting_1_ordinal": "2", "meeting_1_start": "10:00"}
    with pytest.raises(FieldErrors, match="second"):
        listing_from_fields({**fields, "meeting_1_first": "2027-01-07"})
    with pytest.raises(FieldErrors, match="not a Monday"):
        listing_from_fields({**fields, "meeting_1_first": "2027-01-14", "meeting_1_weekday": "monday"})


def test_a_toml_table_is_the_same_form() -> None:
    import tomllib

    table = tomllib.loads(
        """
        name = "A"
        confirmed = 2026-11-01
        experiences = ["illness"]
        [[meetings]]
        weekday = 3
        start = 18:15:00
        duration = 45
        approximate = true
        city = "Exampleton"
        """
    )
    content = listing_from_fields(flatten(table))
    meeting = content.meetings[0]
    assert (meeting.weekday, meeting.start, meeting.duration_min, content.confirmed) == (3, 1095, 45, "2026-11-01")
    assert meeting.place is not None
    assert meeting.place.approximate


def test_meetings_that_are_no_tables() -> None:
    with pytest.raises(FieldErrors):
        listing_from_fields(flatten({"name": "A", "meetings": [1, 2]}))


texts = st.one_of(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=3))
field_names = st.sampled_from(
    [
        *LISTING_FIELDS,
        *(f"meeting_{n}_{name}" for n in (1, 2, 64, 99) for name in MEETING_FIELDS),
        "other",
        "meeting_0_x",
    ]
)


@given(st.dictionaries(field_names, texts, max_size=12))
def test_any_form_gives_a_listing_or_sentences(fields: dict[str, str | list[str]]) -> None:
    try:
        content = listing_from_fields({"name": "A", **fields})
    except FieldErrors as error:
        told = error.fields
    else:
        told = {"nothing": "was wrong"}
        assert listing_from_fields(fields_from_listing(content)).name == content.name
    assert told
    assert all(told.values())


PLACE = Intake(node=b"n" * 32, room=b"r" * 32, key=b"k" * 32)


def test_the_line_from_a_groups_conversation_says_where_to_ask() -> None:
    code = intake.to_code(PLACE)
    content = listing_from_fields({"name": "A circle", "joining": "ask", "intake": f" {code[:60]}\n{code[60:]} "})
    assert content.intake == PLACE
    fields = fields_from_listing(content)
    assert fields["intake"] == code
    assert listing_from_fields(fields) == content
    assert listing_from_fields({**fields, "intake": " "}).intake is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"joining": "ask", "intake": "my phone number"}, "begins with"),
        ({"joining": "ask", "intake": intake.to_code(PLACE)[:-3]}, "not whole"),
        ({"joining": "ask", "intake": intake.to_code(PLACE)[:-1] + "_"}, "is wrong|not whole"),
        ({"joining": "come", "intake": intake.to_code(PLACE)}, "Choose “ask”"),
        ({"intake": intake.to_code(PLACE)}, "Choose “ask”"),
    ],
)
def test_a_wrong_line_is_told_at_its_field(fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(FieldErrors) as wrong:
        listing_from_fields({"name": "A circle", **fields})
    assert list(wrong.value.fields) == ["intake"]
    assert re.search(sentence, wrong.value.fields["intake"])
