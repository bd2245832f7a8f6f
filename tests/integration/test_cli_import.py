"""``hedgerow import`` from the file to the store: what is kept, what changes at a re-import, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine
from shared import needs_shared, shared

KEYS = {
    "read", "kept", "listings", "meetings", "repaired", "dropped", "withheld", "unchanged", "updated", "withdrawn",
}  # fmt: skip

FEEDS = [
    (["tsml/orange-county-ca-aa.json"], "aa", 1967),
    (["tsml/san-francisco-marin-aa.json"], "AA", 658),
    (["tsml/massachusetts-al-anon.json"], "al-anon", 360),
    (["tsml/edge-cases-timezones.json"], "aa", 9),
    (
        ["bmlt/GetSearchResults-part.json", "bmlt/GetFormats-all-languages.json", "bmlt/GetServiceBodies.json"],
        "na",
        500,
    ),
]


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    """A small feed in the Meeting Guide's form: invented groups of an invented town."""
    return [
        {
            "slug": f"group-{number}",
            "name": f"Quiet evening {number}",
            "group": f"Quiet evening {number}",
            "day": number % 7,
            "time": "19:30",
            "end_time": "20:30",
            "timezone": "Europe/Dublin",
            "formatted_address": "1 Example Street, Exampleton, Ireland",
            "types": ["O"],
            **more,
        }
        for number in range(count)
    ]


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@needs_shared
@pytest.mark.parametrize(("files", "program", "count"), FEEDS, ids=lambda value: str(value)[:40])
def test_a_real_feed_comes_in_and_the_second_import_changes_nothing(
    hedgerow: CommandLine,
    files: list[str],
    program: str,
    count: int,
) -> None:
    command = ["import", *(shared(f"data/{name}") for name in files), "--program", program]
    first = hedgerow.json(*command)
    assert set(first) >= KEYS
    assert first["read"] == count
    assert first["kept"] >= 0.99 * count
    assert first["meetings"] >= first["kept"]
    assert first["new"] == first["listings"]
    assert all({"row", "reason"} <= set(each) for each in first["dropped"])
    before = hedgerow.state_hash()
    second = hedgerow.json(*command)
    assert (second["unchanged"], second["updated"], second["withdrawn"]) == (first["listings"], 0, 0)
    assert hedgerow.state_hash() == before


@needs_shared
@pytest.mark.parametrize("name", ["hsds/service_full.json", "hsds/service_list.json", "hsds/organization_full.json"])
def test_hsds_examples_come_in(hedgerow: CommandLine, name: str) -> None:
    first = hedgerow.json("import", shared(f"data/{name}"), "--program", "sg")
    second = hedgerow.json("import", shared(f"data/{name}"), "--program", "sg")
    assert second["unchanged"] == first["listings"]


@needs_shared
def test_every_calendar_is_read_or_refused_with_a_sentence(hedgerow: CommandLine) -> None:
    from hedgerow_node.cli import main

    read = 0
    for path in sorted(shared("data/ics").iterdir()):
        hedgerow.capsys.readouterr()
        code = main(
            ["import", str(path), "--program", "sg", "--tz", "Europe/Dublin", "--json", "--data", str(hedgerow.data)]
        )
        out, err = hedgerow.capsys.readouterr()
        answer = json.loads(out)
        assert code in (0, 1)
        assert "Traceback" not in err
        assert "inside Hedgerow" not in err, f"{path.name}: {err}"
        read += answer.get("listings", 0)
        assert code == 0 or answer["error"].endswith(".")
    assert read >= 8


def test_a_source_is_one_feed_and_others_are_left_alone(hedgerow: CommandLine, tmp_path: Path) -> None:
    feed = write(tmp_path / "feed.json", rows(3))
    assert hedgerow.json("import", feed, "--program", "aa", "--source", "one")["new"] == 3
    assert hedgerow.json("import", feed, "--program", "aa", "--source", "two")["new"] == 3
    gone = hedgerow.json("import", write(tmp_path / "b.json", rows(1)), "--program", "aa", "--source", "two")
    assert (gone["withdrawn"], gone["unchanged"], gone["source"]) == (2, 1, "two")
    assert hedgerow.json("import", feed, "--program", "aa", "--source", "one")["unchanged"] == 3
    assert len(hedgerow.json("search")["listings"]) == 4


def test_only_what_changed_is_signed_again(hedgerow: CommandLine, tmp_path: Path) -> None:
    feed = rows(4)
    hedgerow.json("import", write(tmp_path / "f.json", feed), "--program", "aa")
    feed[2]["notes"] = "Ring the bell twice."
    feed.append(rows(5)[4])
    report = hedgerow.json("import", write(tmp_path / "f.json", list(reversed(feed))), "--program", "aa")
    assert (report["updated"], report["new"], report["unchanged"], report["withdrawn"]) == (1, 1, 3, 0)
    del feed[0]
    report = hedgerow.json("import", write(tmp_path / "f.json", feed), "--program", "aa")
    assert (report["withdrawn"], report["unchanged"]) == (1, 4)
    feed.insert(0, rows(1)[0])
    report = hedgerow.json("import", write(tmp_path / "f.json", feed), "--program", "aa")
    assert (report["new"], report["unchanged"]) == (1, 4)
    assert len(hedgerow.json("search")["listings"]) == 5


def test_a_feed_that_shrank_is_refused_until_somebody_says_it_is_right(
    hedgerow: CommandLine,
    tmp_path: Path,
) -> None:
    hedgerow.json("import", write(tmp_path / "f.json", rows(20)), "--program", "aa")
    before = hedgerow.state_hash()
    shrunk = write(tmp_path / "f.json", rows(15))
    sentence = hedgerow.fails("import", shrunk, "--program", "aa")
    assert "5 of the 20" in sentence
    assert "--allow-withdraw" in sentence
    assert hedgerow.state_hash() == before
    assert hedgerow.json("import", shrunk, "--program", "aa", "--allow-withdraw")["withdrawn"] == 5


def test_an_empty_feed_is_refused_while_its_listings_are_published(hedgerow: CommandLine, tmp_path: Path) -> None:
    hedgerow.json("import", write(tmp_path / "f.json", rows(2)), "--program", "aa")
    empty = write(tmp_path / "f.json", [])
    assert "holds nothing" in hedgerow.fails("import", empty, "--program", "aa")
    assert hedgerow.json("import", empty, "--program", "aa", "--allow-withdraw")["withdrawn"] == 2
    assert hedgerow.json("import", empty, "--program", "aa")["listings"] == 0


def test_a_dry_run_changes_nothing(hedgerow: CommandLine, tmp_path: Path) -> None:
    feed = write(tmp_path / "f.json", rows(3))
    report = hedgerow.json("import", feed, "--program", "aa", "--dry-run")
    assert (report["new"], report["dry_run"]) == (3, True)
    assert hedgerow.json("search")["listings"] == []


def test_private_details_are_withheld_unless_kept(hedgerow: CommandLine, tmp_path: Path) -> None:
    feed = write(tmp_path / "f.json", rows(2, notes="Write to somebody@example.org. Passcode: 998877"))
    report = hedgerow.json("import", feed, "--program", "aa")
    assert report["withheld"]["email"] == 2
    assert report["withheld"]["password"] == 2
    shown = json.dumps(hedgerow.json("search"))
    assert "somebody@example.org" not in shown
    assert "998877" not in shown
    report = hedgerow.json("import", feed, "--program", "aa", "--keep", "email")
    assert (report["updated"], "email" in report["withheld"]) == (2, False)
    assert "somebody@example.org" in json.dumps(hedgerow.json("search"))


def test_another_key_is_another_directory(hedgerow: CommandLine, tmp_path: Path) -> None:
    feed = write(tmp_path / "f.json", rows(2))
    hedgerow.json("publish", "key", tmp_path / "intergroup.key")
    first = hedgerow.json("import", feed, "--program", "aa", "--sign-with", tmp_path / "intergroup.key")
    assert first["new"] == 2
    again = hedgerow.json("import", feed, "--program", "aa", "--sign-with", tmp_path / "intergroup.key")
    assert again["unchanged"] == 2
    assert hedgerow.json("import", feed, "--program", "aa")["new"] == 2
    sentence = hedgerow.fails("import", feed, "--program", "aa", "--sign-with", hedgerow.data / "node.key")
    assert "a node key cannot sign for a group" in sentence


@pytest.mark.parametrize(
    ("program", "near"),
    [("al anon", "al-anon"), ("alanon", "al-anon"), ("Alcoholics Anonymus", "aa"), ("?", "")],
)
def test_an_unknown_program_names_its_neighbours(
    hedgerow: CommandLine,
    tmp_path: Path,
    program: str,
    near: str,
) -> None:
    sentence = hedgerow.fails("import", write(tmp_path / "f.json", rows(1)), "--program", program)
    assert "Known are: " in sentence
    if near:
        assert near in sentence.partition("Known are")[0]


def bad_files() -> dict[str, bytes]:
    good = json.dumps(rows(30)).encode()
    return {
        "empty": b"",
        "truncated": good[: len(good) // 2],
        "deep": b"[" * 200_000,
        "deep objects": b'{"a":' * 100_000,
        "utf-16 without a mark": good.decode().encode("utf-16-le")[: len(good) + 1],
        "binary": bytes(range(256)) * 64,
        "null bytes": b"\0" * 10_000,
        "a number": b"42",
        "a text": b'"hello"',
        "no meetings": b'{"hello": "world"}',
        "page": b"<!doctype html><title>404</title>",
        "broken calendar": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:x",
        "csv": b"just,some,columns\n1,2,3\n",
        "a huge number": b"[" + b"9" * 100_000 + b"]",
        "nan": b"[NaN, Infinity]",
    }


@pytest.mark.parametrize("name", list(bad_files()))
def test_a_malformed_file_is_a_sentence_and_leaves_the_store_alone(
    hedgerow: CommandLine,
    tmp_path: Path,
    name: str,
) -> None:
    hedgerow.json("import", write(tmp_path / "f.json", rows(3)), "--program", "aa")
    before = hedgerow.state_hash()
    bad = tmp_path / "bad.json"
    bad.write_bytes(bad_files()[name])
    sentence = hedgerow.fails("import", bad, "--program", "aa", "--source", "aa/f")
    assert "bad.json" in sentence
    assert len(sentence) < 600
    assert hedgerow.state_hash() == before


def test_a_hundred_megabytes_are_a_sentence(hedgerow: CommandLine, tmp_path: Path) -> None:
    bad = tmp_path / "big.json"
    with bad.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    sentence = hedgerow.fails("import", bad, "--program", "aa")
    assert "big.json" in sentence
    assert "32 MiB" in sentence
    assert not hedgerow.data.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.json", "--program", "aa"], "none.json"),
        ([".", "--program", "aa"], "cannot be read"),
        (["f.json", "--program", "aa", "--tz", "Mars/Olympus"], "time zone"),
        (["f.json", "--program", "aa", "--source", " "], "source"),
        (["f.json", "--program", "aa", "--sign-with", "none.key"], "none.key"),
    ],
)
def test_mistakes_are_sentences(
    hedgerow: CommandLine,
    tmp_path: Path,
    arguments: list[str],
    words: str,
) -> None:
    write(tmp_path / "f.json", rows(1))
    assert words in hedgerow.fails("import", *arguments)


def test_an_error_is_json_where_json_was_asked_for(hedgerow: CommandLine, tmp_path: Path) -> None:
    answer = hedgerow.json("import", tmp_path / "none.json", "--program", "aa", code=1)
    assert "none.json" in answer["error"]


def test_a_person_reads_a_calm_report(hedgerow: CommandLine, tmp_path: Path) -> None:
    out, err = hedgerow.run("import", write(tmp_path / "f.json", rows(3, notes="a@example.org")), "--program", "aa")
    assert "3 listings with 3 meetings" in out
    assert "email 3" in out
    assert err == ""
