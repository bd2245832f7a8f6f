"""Any bytes give a report or one sentence, never anything else."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.report import FormatError, Parsed

_STARTS = (
    b"",
    b"[",
    b"{",
    b'[{"name":"',
    b"Name,Day,Time\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'{"values":[["Name","Day"],',
)
_ODDITIES = ("NaN", "1e999", "-Infinity", "9" * 5000, '"\\ud800"', "[" * 80 + "]" * 80, "{}", "null", "true", '"x"')


def _parse(data: bytes) -> Parsed | FormatError:
    result: Parsed | FormatError
    try:
        result = parse_feed([("feed.json", data)], program="aa")
    except FormatError as error:
        result = error
    if isinstance(result, FormatError):
        assert str(result).endswith((".", "?"))
        assert "feed.json" in str(result) or "These files" in str(result)
    return result


@settings(max_examples=400)
@given(st.sampled_from(_STARTS), st.binary(max_size=200))
def test_any_bytes(start: bytes, data: bytes) -> None:
    _parse(start + data)


_NAMES = (
    "meetings values table rows cols c v contents feed entry name day id_bigint meeting_name formats key_string "
    "name_string world_id parent_id type services schedules"
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.text(max_size=5), st.sampled_from(_NAMES.split())), inner, max_size=5),
    ),
    max_leaves=20,
)


@settings(max_examples=400)
@given(_JSON)
def test_any_json(value: object) -> None:
    _parse(json.dumps(value).encode())


@settings(max_examples=100)
@given(st.sampled_from(_ODDITIES), st.sampled_from(["name", "day", "time", "latitude", "types", "updated", "id", "x"]))
def test_odd_values(odd: str, field: str) -> None:
    _parse(f'[{{"slug":"a","name":"A","day":1,"time":"10:00","{field}":{odd}}}]'.encode())


@settings(max_examples=100)
@given(st.integers(0, 400), st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "cp1252"]))
def test_truncated_files_are_refused_or_read(cut: int, encoding: str) -> None:
    rows = [{"name": "Café", "slug": "a", "day": 1, "time": "10:00", "types": ["O", "X"], "notes": "zwölf" * 20}]
    data = json.dumps(rows, ensure_ascii=False).encode(encoding)
    whole = _parse(data)
    assert isinstance(whole, Parsed)
    assert whole.drafts[0].content.name == "Café"
    if cut < len(data) - 8:
        assert isinstance(_parse(data[:cut]), FormatError)
