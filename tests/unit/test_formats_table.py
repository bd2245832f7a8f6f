"""Tables in every spelling: separators, encodings, headings anywhere, spreadsheets' JSON."""

import json
from pathlib import Path

import pytest

from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.report import FormatError, Parsed
from hedgerow_protocol.content import Attendance, Openness

FEEDS = Path(__file__).parent.parent / "samples" / "feeds"


def parse(data: bytes, tz: str = "America/New_York") -> Parsed:
    """A table file of the program "aa"."""
    return parse_feed([("table.csv", data)], program="aa", tz=tz)


def rows(parsed: Parsed) -> list[tuple[str, str, int | None, int | None]]:
    """Name, slug, weekday and start of every meeting."""
    return sorted(
        (draft.content.name, each.slug, each.weekday, each.start)
        for draft in parsed.drafts
        for each in draft.content.meetings
    )


EXPECTED = [
    ('Talk, "listen"', "talk-1", 1, 720),
    ('Talk, "listen"', "talk-2", 2, 720),
    ('Talk, "listen"', "talk-3", 3, 720),
    ("Tuesday Tea", "tea", 2, 1140),
    ("Walkers", "walk", 0, 540),
]


def test_plain_language_table() -> None:
    parsed = parse((FEEDS / "plain-language.csv").read_bytes())
    assert (parsed.read, parsed.kept) == (3, 3)
    assert rows(parsed) == EXPECTED
    assert parsed.repaired["table_lines_above_heading"] == 1
    (tea,) = [draft.content for draft in parsed.drafts if draft.content.name == "Tuesday Tea"]
    assert tea.facets.openness is Openness.OPEN
    assert tea.facets.features == ("wheelchair",)
    assert tea.contacts[0].name == "Robin"
    assert tea.meetings[0].duration_min == 90
    assert tea.meetings[0].attendance is Attendance.IN_PERSON


@pytest.mark.parametrize(
    ("encoding", "repair"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "encoding_utf_16_le"),
        ("utf-16-be", "encoding_utf_16_be"),
        ("utf-32", "encoding_utf_32_le"),
        ("cp1252", "encoding_windows_1252"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(encoding: str, repair: str, separator: str) -> None:
    text = (
        separator.join(("Name", "Day", "Time")) + "\r\n" + separator.join(("Café für alle", "Friday", "19.30")) + "\r\n"
    )
    parsed = parse(text.encode(encoding))
    assert rows(parsed) == [("Café für alle", "café-für-alle", 5, 1170)]
    assert not repair or parsed.repaired[repair] == 1
    assert ("table_other_separator" in parsed.repaired) == (separator != ",")


def test_latin_1_and_broken_quotes() -> None:
    parsed = parse("Name,Day,Time\nCaf\xe9 \x81,Monday,10:00\n".encode("latin-1"))
    assert parsed.drafts[0].content.name == "Café"
    assert parsed.repaired["encoding_latin_1"] == 1
    parsed = parse(b'Name,Day,Time\n"The "Old" Mill",Monday,10:00\nB,Tuesday,11:00\n')
    assert parsed.kept == 2
    assert parsed.repaired["table_quotes"] == 1


def test_rows_that_are_too_long_or_too_short() -> None:
    parsed = parse(b"Name,Day,Time,Colour\nA,Monday,10:00,red,more,and more\nB,Monday\n,,10:00\n")
    assert (parsed.read, parsed.kept, len(parsed.dropped)) == (3, 2, 1)
    extras = parsed.drafts[0].content.meetings[0].extras
    assert extras == (("tsml:Colour", "red"), ("tsml:further_cells", "more\nand more"))


def sheet(**value: object) -> Parsed:
    """A spreadsheet's JSON."""
    return parse_feed([("sheet.json", json.dumps(value).encode())], program="aa", tz="UTC")


def test_spreadsheets_json() -> None:
    cells = [["Name", "Day", "Time", "ID"], ["A", "Monday", "7:00 PM", "a"], [], ["B", 2, 0.5]]
    expected = [("A", "a", 1, 1140), ("B", "b", 2, 720)]
    assert rows(sheet(range="Sheet1!A1:D3", majorDimension="ROWS", values=cells)) == expected
    columns = [["Name", "A", "B"], ["Day", "Monday", 2], ["Time", "7:00 PM", 0.5], ["ID", "a"]]
    assert rows(sheet(majorDimension="COLUMNS", values=columns)) == expected
    table = {
        "cols": [{"label": "Name"}, {"label": "Day"}, {"label": "Time"}],
        "rows": [
            {"c": [{"v": "A"}, {"v": "Monday"}, {"v": [19, 0, 0, 0], "f": "7:00 PM"}]},
            {"c": [{"v": "B"}, {"v": 2.0}, {"v": "Date(1899,11,30,12,0,0)", "f": "12:00"}, None]},
        ],
    }
    call = b"/*O_o*/\ngoogle.visualization.Query.setResponse(" + json.dumps({"table": table}).encode() + b");"
    parsed = parse_feed([("gviz", call)], program="aa", tz="UTC")
    assert rows(parsed) == expected
    assert parsed.repaired["json_in_a_call"] == 1
    entry = {"gsx$name": {"$t": "A"}, "gsx$day": {"$t": "Monday"}, "gsx$starttime": {"$t": "7:00 PM"}}
    assert rows(sheet(feed={"entry": [entry]})) == [expected[0]]


def test_a_table_without_known_headings_is_refused() -> None:
    with pytest.raises(FormatError, match=r"table\.csv is neither a known feed nor a table"):
        parse(b"one,two\n1,2\n")
    with pytest.raises(FormatError, match=r"names? no known columns"):
        sheet(values=[["one", "two"], [1, 2]])
