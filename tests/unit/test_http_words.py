"""What people read: languages and plurals, times, towns, dated lines, emergency numbers."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_node.http.cards import is_web_address, paragraphs, phone_href, shorten
from hedgerow_node.http.help_now.crisis_lines import (
    EXAMPLE,
    CrisisLine,
    crisis_line_toml,
    read_crisis_file,
)
from hedgerow_node.http.help_now.numbers import emergency_numbers
from hedgerow_node.http.languages import Languages, json_for_script
from hedgerow_node.http.towns import Town, TownCounter, find_town, town_of
from hedgerow_node.http.webui import find_webui
from hedgerow_node.http.wording import Wording, place_line
from hedgerow_protocol.content import Attendance, Change, Meeting, Place, Standing

TODAY = date(2026, 11, 22)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    english = {"n_one": "{{count}} group", "n_other": "{{count}} groups", "hi": "Hello {{name}}", "only": "English"}
    polish = {
        "n_one": "{{count}} grupa",
        "n_few": "{{count}} grupy",
        "n_many": "{{count}} grup",
        "hi": "Cześć {{name}}",
    }
    pseudo = {"meta.dir": "rtl", "meta.name": "Pseudo", "hi": "«{{name}}»"}
    for code, texts in (("en", english), ("pl", polish), ("en-XB", pseudo)):
        (tmp_path / f"{code}.json").write_text(json.dumps(texts), encoding="utf-8")
    return tmp_path


def test_plurals_follow_the_language(folder: Path) -> None:
    languages = Languages(folder)
    english, polish = languages.get("en"), languages.get("pl")
    assert [english.t("n", count=count) for count in (0, 1, 2, 1200)] == [
        "0 groups",
        "1 group",
        "2 groups",
        "1,200 groups",
    ]
    assert [polish.t("n", count=count) for count in (1, 2, 5, 22)] == ["1 grupa", "2 grupy", "5 grup", "22 grupy"]
    assert polish.t("only") == "English"
    assert polish.t("nowhere") == "nowhere"
    assert polish.has("only")
    assert not polish.has("nowhere")


def test_names_in_another_direction_are_set_apart(folder: Path) -> None:
    languages = Languages(folder)
    assert languages.get("en").t("hi", name="Ann") == "Hello Ann"
    assert languages.get("en").t("hi", name="דנה") == "Hello \u2068דנה\u2069"
    assert languages.get("en-XB").t("hi", name="Ann") == "«\u2068Ann\u2069»"


@pytest.mark.parametrize(
    ("asked", "header", "code", "chosen"),
    [
        ("", "", "en", ""),
        ("pl", "", "pl", "pl"),
        ("PL", "en", "pl", "pl"),
        ("xx", "pl", "pl", ""),
        ("en-XB", "", "en-XB", "en-XB"),
        ("", "en-XB", "en", ""),
        ("", "de, pl;q=0.8, en;q=0.9", "en", ""),
        ("", "de, pl-PL;q=0.9, en;q=0.8", "pl", ""),
        ("", "pl;q=0, en;q=0.1", "en", ""),
        ("", "*;q=x, ;;;, pl;q=2", "en", ""),
        ("../../etc/passwd", "", "en", ""),
    ],
)
def test_choosing_a_language(folder: Path, asked: str, header: str, code: str, chosen: str) -> None:
    language, said = Languages(folder).choose(asked, header)
    assert (language.code, said) == (code, chosen)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_wish_gives_a_language(asked: str, header: str) -> None:
    assert Languages(find_webui().locales).choose(asked, header)[0].code


def test_a_missing_folder_still_speaks(tmp_path: Path) -> None:
    language, _ = Languages(tmp_path / "nothing").choose("", "pl")
    assert language.t("nav.skip") == "nav.skip"


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5))
def test_json_cannot_leave_its_script(value: dict[str, str]) -> None:
    text = json_for_script(value | {"x": "</script><!--\u2028&"})
    assert "<" not in text
    assert "&" not in text
    assert json.loads(text) == value | {"x": "</script><!--\u2028&"}


@pytest.fixture
def wording() -> Wording:
    return Wording(Languages(find_webui().locales).get("en"), TODAY)


def meeting(**fields: object) -> Meeting:
    return Meeting(slug="m", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_meeting", "said"),
    [
        (meeting(weekday=2, start=1140, duration_min=60), "Every Tuesday, 7:00 PM to 8:00 PM"),
        (meeting(weekday=0, start=0), "Every Sunday, 12:00 AM"),
        (meeting(weekday=6, start=1410, duration_min=90), "Every Saturday, 11:30 PM to 1:00 AM"),
        (meeting(first="2026-12-24", start=900), "Thursday, December 24, 3:00 PM"),
        (meeting(first="2027-01-02", start=900), "Saturday, January 2, 2027, 3:00 PM"),
        (meeting(), "By appointment"),
        (
            meeting(rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", first="2026-11-24", start=600),
            "Every second Tuesday, 10:00 AM",
        ),
        (
            meeting(rrule="FREQ=WEEKLY;INTERVAL=3;BYDAY=TU", first="2026-11-24", start=600),
            "Every 3 weeks on Tuesday, 10:00 AM",
        ),
        (
            meeting(rrule="FREQ=WEEKLY;BYDAY=MO,TH", first="2026-11-23", start=600),
            "Every Monday and Thursday, 10:00 AM",
        ),
        (meeting(rrule="FREQ=MONTHLY;BYDAY=-1FR", first="2026-11-27", start=600), "Last Friday of the month, 10:00 AM"),
        (
            meeting(rrule="FREQ=MONTHLY;BYMONTHDAY=15", first="2026-12-15", start=600),
            "On day 15 of each month, 10:00 AM",
        ),
        (meeting(rrule="FREQ=DAILY", first="2026-12-15", start=600), "Every day, 10:00 AM"),
        (meeting(rrule="FREQ=YEARLY;BYMONTH=12", first="2026-12-15", start=600), "On set dates, 10:00 AM"),
    ],
)
def test_when_in_words(wording: Wording, given_meeting: Meeting, said: str) -> None:
    assert wording.when(given_meeting).replace("\u00a0", " ") == said


def test_whose_time_it_is(wording: Wording) -> None:
    online = meeting(weekday=0, start=60, tz="America/New_York", attendance=Attendance.ONLINE)
    assert wording.zone_of_meeting(online) == "New York time"
    here = meeting(weekday=0, start=60, tz="America/New_York", attendance=Attendance.IN_PERSON)
    assert wording.zone_of_meeting(here) == ""
    assert "not" in wording.zone_of_meeting(meeting(weekday=0, start=60))
    assert wording.zone_of_meeting(meeting()) == ""


def test_exceptions_in_words(wording: Wording) -> None:
    changing = meeting(
        weekday=2,
        start=600,
        cancelled=("2026-01-06", "2026-12-01", "2030-01-01"),
        added=("2026-12-03",),
        changes=(Change(date="2026-12-08", to_date="2026-12-09", start=660),),
    )
    said = wording.changes(changing)
    assert len(said) == 3
    assert "December 1" in said[0]
    assert "December 9" in said[2]
    assert wording.note(meeting(weekday=1, start=0, standing=Standing.PAUSED))
    assert "2027" in wording.note(meeting(weekday=1, start=0, first="2027-01-04"))


def test_other_languages_need_no_new_code() -> None:
    polish = Wording(Languages(find_webui().locales).get("pl"), TODAY)
    assert polish.weekday(2) == "wtorek"
    assert polish.clock(1140) == "19:00"
    assert polish.day(date(2026, 11, 24)) == "wtorek, 24 listopada"
    assert polish.language_name("de") == "Niemiecki"
    assert polish.country("GB") == "Wielka Brytania"


@pytest.mark.parametrize(
    ("place", "line", "town"),
    [
        (Place(name="Hall", street="1 High St", city="York"), "Hall, 1 High St, York", "York"),
        (Place(name="Hall", formatted="Hall, 1 High St, York, UK"), "Hall, Hall, 1 High St, York, UK", "York"),
        (Place(city="York", street="1 High St", approximate=True), "York", "York"),
        (Place(formatted="200 Groton Rd, Ayer, MA 01432, USA"), "200 Groton Rd, Ayer, MA 01432, USA", "Ayer"),
        (Place(formatted="1 High St, Leeds LS1 1AA, UK"), "1 High St, Leeds LS1 1AA, UK", "Leeds"),
        (Place(formatted="Hauptstr. 3, 10115 Berlin, Germany"), "Hauptstr. 3, 10115 Berlin, Germany", "Berlin"),
        (Place(formatted="somewhere"), "somewhere", ""),
        (Place(), "", ""),
    ],
)
def test_places_in_a_line(place: Place, line: str, town: str) -> None:
    assert town_of(place) == town
    assert place_line(place) in (line, line.replace("Hall, Hall", "Hall"))


def test_towns_are_found_as_people_type_them() -> None:
    counter = TownCounter()
    cities = (("Łódź", "", 51), *[("Springfield", "IL", 39)] * 2, ("Springfield", "MA", 42), ("Ely", "", 52))
    for city, state, latitude in cities:
        point = {"latitude_e7": latitude * 10**7, "longitude_e7": 0}
        counter.add([Place(city=city, state=state, **point), Place(city=city, state=state, **point)])  # type: ignore[arg-type]
    towns = counter.towns()
    assert [town.name for town in towns] == ["Springfield, IL", "Ely", "Springfield, MA", "Łódź"]
    assert [town.listings for town in towns] == [2, 1, 1, 1]

    def name(said: str) -> str:
        town = find_town(towns, said)
        return town.name if isinstance(town, Town) else ""

    assert name("SPRINGFIELD") == "Springfield, IL"
    assert name("springfield ma") == "Springfield, MA"
    assert name("Łódź") == "Łódź"
    assert name("  ely ") == "Ely"
    assert name("el") == ""
    assert name("spri") == "Springfield, IL"
    assert name("") == ""
    assert name("Atlantis") == ""


@given(st.text(max_size=60))
def test_any_address_has_a_town_or_not(text: str) -> None:
    assert isinstance(town_of(Place(formatted=text)), str)


def test_small_texts() -> None:
    assert paragraphs("a\n\n b \n") == ["a", "b"]
    assert shorten("one two three", 8) == "one two…"
    assert phone_href("+1 (646) 555-0123,,98#") == "tel:+16465550123,,98%23"
    assert phone_href("ask us") == ""


def test_crisis_lines(tmp_path: Path) -> None:
    path = tmp_path / "lines.toml"
    assert read_crisis_file(path).lines == ()
    assert read_crisis_file(path).problems == ()
    path.write_text(EXAMPLE, encoding="utf-8")
    assert read_crisis_file(path) == read_crisis_file(tmp_path / "none.toml")
    line = CrisisLine(name='A "line"', phone="+353 1 555 0100", languages=("en", "ga"), country="IE", checked=TODAY)
    path.write_text(EXAMPLE + crisis_line_toml(line), encoding="utf-8")
    assert read_crisis_file(path).lines == (line,)
    assert not line.is_old(date(2027, 11, 22))
    assert line.is_old(date(2027, 11, 23))
    assert line.is_old(date(2026, 1, 1)), "nobody can have checked it in the future"
    assert CrisisLine(name="x", phone="1").is_old(TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "[[line]]\nname = 'x'",
        "[[line]]\nphone = '1'",
        "[[line]]\nname = 'x'\nurl = 'javascript:alert(1)'",
        "[[line]]\nname = 'x'\nphone = '1'\nchecked = 'last week'",
        "[[line]]\nname = ['x']\nphone = '1'",
        "line = 5",
        "line = [5]",
        "[[line",
        "\x00\xff",
        "x = 1\n" * 20_000,
    ],
)
def test_wrong_entries_are_said_and_left_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lines.toml"
    path.write_bytes(text.encode("latin-1"))
    found = read_crisis_file(path)
    assert found.lines == ()
    assert found.problems
    assert all(problem.endswith(".") for problem in found.problems)


def test_emergency_numbers() -> None:
    numbers = emergency_numbers()
    assert numbers.source
    by_country = {each.country: each for each in numbers.countries}
    assert [each.number for each in by_country["GB"].numbers] == ["999"]
    assert [each.number for each in by_country["NZ"].numbers] == ["111"]
    for each in numbers.countries:
        assert len(each.country) == 2
        for number in each.numbers:
            assert number.number.isdigit()
            assert 2 <= len(number.number) <= 5
            assert number.service in ("all", "police", "ambulance", "fire")


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "//example.org/", "https://[::1", "https://]/", "data:text/html,x"]
)
def test_what_is_no_link(url: str) -> None:
    assert not is_web_address(url)
    assert is_web_address("https://example.org/a?b#c")
