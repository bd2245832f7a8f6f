"""Files that cannot be used are refused with one sentence that names the file."""

import gzip
import json
import time
import tracemalloc

import pytest

from hedgerow_node.formats import bounds
from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.report import FormatError

ROW = {"name": "A", "slug": "a", "day": 1, "time": "10:00"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "feed.json is empty."),
        (b" \n\t\xef\xbb\xbf", "feed.json is empty."),
        (b"\xef\xbb\xbf", "feed.json is empty."),
        (json.dumps([ROW]).encode()[:-10], "feed.json is cut off"),
        (b"[{]", "feed.json is not valid JSON: there is a mistake at line 1, column 3."),
        (b"[" * 100_000, "feed.json is nested too deep"),
        (b"[" * 100_000 + b"]" * 100_000, "feed.json is nested too deep"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "feed.json is nested too deep"),
        (b'{"error": "no such page"}', "feed.json is JSON, but holds no list of meetings"),
        (b"[1, 2]", "feed.json is a list of single values"),
        (b"<!DOCTYPE html><html></html>", "feed.json is a web page"),
        (b"PK\x03\x04abc", "feed.json is a spreadsheet or an archive"),
        (gzip.compress(b"[]", mtime=0), "feed.json is compressed"),
        (b"%PDF-1.4", "feed.json is a PDF"),
        (b"\x00\x01\x02\x03", "feed.json is neither"),
    ],
)
def test_sentences(data: bytes, sentence: str) -> None:
    with pytest.raises(FormatError) as refused:
        parse_feed([("feed.json", data)], program="aa")
    assert str(refused.value).startswith(sentence)


def test_files_that_are_too_large_cost_nothing() -> None:
    data = bytes(100 * 2**20)
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(FormatError, match=r"feed\.json is 100 MiB"):
        parse_feed([("feed.json", data)], program="aa")
    assert time.process_time() - began < 0.5
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_many_small_parts_are_refused_before_they_are_parsed() -> None:
    data = b"[" + b"[]," * (bounds.JSON_CONTAINERS_MAX + 1) + b"[]]"
    with pytest.raises(FormatError, match="too many parts"):
        parse_feed([("feed.json", data)], program="aa")


def test_too_many_rows() -> None:
    data = b"Name,Day\n" + b"A,1\n" * (bounds.ROWS_MAX + 20)
    with pytest.raises(FormatError, match="more than 40000 rows"):
        parse_feed([("feed.csv", data)], program="aa")


def test_wrong_arguments() -> None:
    feed = [("feed.json", json.dumps([ROW]).encode())]
    with pytest.raises(FormatError, match="XX is not a program known here"):
        parse_feed(feed, program="XX")
    with pytest.raises(FormatError, match="Mars/Phobos is not a time zone"):
        parse_feed(feed, program="aa", tz="Mars/Phobos")
    with pytest.raises(FormatError, match="No file"):
        parse_feed([], program="aa")


def test_odd_json_is_read_and_counted() -> None:
    data = (
        b'[{"name": "A", "name": "", "slug": "a", "day": 1, "time": "10:00", "latitude": NaN, "x": '
        + b"9" * 5000
        + b"}]"
    )
    parsed = parse_feed([("feed.json", data)], program="aa", tz="UTC")
    assert parsed.repaired["field_said_twice"] == 1
    assert parsed.repaired["not_a_number"] == 1
    assert parsed.drafts[0].content.name == "A"


def test_names_of_files_are_shown_safely() -> None:
    with pytest.raises(FormatError) as refused:
        parse_feed([("\x1b[31m" + "x" * 500, b"")], program="aa")
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 120


def test_several_files_are_one_source() -> None:
    one = [("one.json", json.dumps([ROW]).encode()), ("two.csv", b"Name,Day,Time,Slug\nA,Tuesday,10:00,b\n")]
    parsed = parse_feed(one, program="aa", tz="UTC")
    assert [each.slug for each in parsed.drafts[0].content.meetings] == ["a", "b"]
    assert parsed.read == 2


def test_large_feeds_are_read_in_seconds() -> None:
    rows = [{**ROW, "name": f"A {n % 700}", "slug": f"a-{n}", "day": n % 7, "types": ["O", "D"]} for n in range(4_000)]
    data = json.dumps(rows).encode()
    began = time.process_time()
    assert parse_feed([("feed.json", data)], program="aa", tz="UTC").kept == 4_000
    assert time.process_time() - began < 8
