"""Setting up, settings that commands change, peers, doctor, exports."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine
from hedgerow_node.cli import setup as asking
from hedgerow_node.cli.parser import config_of, parse
from hedgerow_node.cli.setup_network import ask_network
from hedgerow_node.config import ConfigError, load_config
from hedgerow_node.config.settings_file import change_settings
from hedgerow_node.http.help_now.crisis_lines import read_crisis_file


def test_flags_answer_everything(hedgerow: CommandLine) -> None:
    answer = hedgerow.json(
        "setup", "--title", 'The "Exampleton" circles', "--place", "Exampleton", "--country", "ie", "--port", "9000",
        "--crisis-name", "Example Line", "--crisis-phone", "+353 1 555 0100", "--crisis-hours", "always",
    )  # fmt: skip
    assert (answer["made"], answer["crisis_line"]) == (True, True)
    config = load_config({"data": hedgerow.data}, {})
    assert (config.title, config.country, config.port) == ('The "Exampleton" circles', "IE", 9000)
    (line,) = read_crisis_file(config.crisis_file).lines
    assert (line.name, line.phone, line.checked) == ("Example Line", "+353 1 555 0100", asking.today())
    again = hedgerow.json("setup", "--title", "Another")
    assert (again["made"], again["crisis_line"], again["directory_key"]) == (False, False, answer["directory_key"])
    config = load_config({"data": hedgerow.data}, {})
    assert (config.title, config.country) == ("Another", "IE")


def test_a_crisis_line_needs_a_number(hedgerow: CommandLine) -> None:
    assert "--crisis-phone" in hedgerow.fails("setup", "--crisis-name", "Line", code=2)


def test_questions_are_asked_again_until_the_answer_can_be_used(tmp_path: Path) -> None:
    config = config_of(parse(["setup", "--data", str(tmp_path), "--place", "Exampleton"], {}))
    answers = iter(["Circles", "Ireland", "ie"])
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return next(answers)

    assert asking.ask_settings(config, ask) == {"title": "Circles", "country": "IE"}
    assert len(asked) == 3


@pytest.mark.parametrize(("said", "checked"), [("y", True), ("", False)])
def test_a_crisis_line_is_dated_only_when_somebody_called_it(tmp_path: Path, said: str, checked: bool) -> None:
    config = config_of(parse(["setup", "--data", str(tmp_path)], {}))
    answers = iter(["Line", "555 0101", "always", said])
    line = asking.ask_crisis_line(config, {}, lambda question: next(answers))
    assert line is not None
    assert (line.checked is not None) is checked
    assert line.source.startswith("called") is checked, "nobody is told that it was called when it was not"
    assert asking.ask_crisis_line(config, {}, lambda question: "") is None


def test_peers_are_kept_for_later(hedgerow: CommandLine) -> None:
    assert hedgerow.json("peers", "list")["peers"] == []
    hedgerow.json("peers", "add", "https://a.example.org/")
    hedgerow.json("peers", "add", "http://b.example.org:8470")
    hedgerow.json("peers", "add", "https://a.example.org")
    answer = hedgerow.json("peers", "list")
    assert [peer["url"] for peer in answer["peers"]] == ["https://a.example.org", "http://b.example.org:8470"]
    assert answer["connected"] == 0
    hedgerow.json("peers", "remove", "https://a.example.org")
    assert [peer["url"] for peer in hedgerow.json("peers", "list")["peers"]] == ["http://b.example.org:8470"]
    assert "not among" in hedgerow.fails("peers", "remove", "https://a.example.org")
    assert "web address" in hedgerow.fails("peers", "add", "nonsense", code=2)


def test_changing_a_setting_keeps_what_the_keeper_wrote(tmp_path: Path) -> None:
    path = tmp_path / "hedgerow.toml"
    path.write_text(
        '# mine\nport = 1\npeers = [\n  "https://a.example",\n  "https://b.example",\n]\n# title = ""\nlan = true\n'
    )
    change_settings(path, {"peers": ("https://c.example",), "title": "T", "place": "P"})
    text = path.read_text()
    assert tomllib.loads(text) == {"port": 1, "peers": ["https://c.example"], "title": "T", "place": "P", "lan": True}
    assert text.startswith("# mine\n")
    path.write_text('title = """\nport = 1\n"""\n')
    with pytest.raises(ConfigError, match="by hand"):
        change_settings(path, {"port": 5})
    assert tomllib.loads(path.read_text()) == {"title": "port = 1\n"}
    assert [each.name for each in tmp_path.iterdir()] == ["hedgerow.toml"]


def test_doctor_finds_what_is_wrong(hedgerow: CommandLine) -> None:
    assert "setup" in str(hedgerow.json("doctor", code=1))
    hedgerow.json("setup", "--no-questions")
    answer = hedgerow.json("doctor")
    assert answer["fine"]
    assert answer["settings"]["port"] == 8470
    (hedgerow.data / "node.key").chmod(0o644)
    (hedgerow.data / "public.db").write_bytes(b"not a database at all, and long enough to look like one" * 100)
    hedgerow.data.chmod(0o755)
    wrong = {
        check["name"]: check["sentence"] for check in hedgerow.json("doctor", code=1)["checks"] if not check["fine"]
    }
    assert set(wrong) == {"node key", "store", "data folder"}
    assert "chmod 600" in wrong["node key"]
    out, _ = hedgerow.run("doctor", code=1)
    assert "WRONG" in out


def test_a_damaged_store_is_a_sentence(hedgerow: CommandLine) -> None:
    hedgerow.json("publish", "draft", "--directory", "--set", "name=A")
    (hedgerow.data / "public.db").write_bytes(b"not a database at all, and long enough to look like one" * 100)
    for name in ("public.db-wal", "public.db-shm"):
        (hedgerow.data / name).unlink(missing_ok=True)
    assert "public.db" in hedgerow.fails("search")
    assert "public.db" in hedgerow.fails("publish", "draft", "--directory", "--set", "name=B")


@pytest.mark.parametrize("word", ["meeting-guide", "calendar", "hsds"])
def test_exports_are_written_whole(hedgerow: CommandLine, tmp_path: Path, word: str) -> None:
    fields: list[str] = []
    for pair in ("name=Quiet evening", "meeting_1_weekday=2", "meeting_1_start=19:00", "meeting_1_tz=Europe/Dublin"):
        fields += ["--set", pair]
    hedgerow.json("publish", "draft", "--directory", *fields)
    hedgerow.run("export", word, "--out", tmp_path / "out")
    data = (tmp_path / "out").read_bytes()
    assert b"Quiet evening" in data
    if word == "calendar":
        assert data.startswith(b"BEGIN:VCALENDAR\r\n")
    else:
        value: Any = json.loads(data)
        assert value
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".part")] == []


def test_search_takes_the_filters_of_the_api(hedgerow: CommandLine) -> None:
    assert "no listings" in hedgerow.fails("search")
    for number, day in ((1, "0"), (2, "3")):
        hedgerow.json(
            "publish", "draft", "--directory", "--set", f"name=Circle {number}", "--set", "experiences=bereavement",
            "--set", f"meeting_1_weekday={day}", "--set", "meeting_1_start=19:00",
            "--set", "meeting_1_tz=Europe/Dublin",
        )  # fmt: skip
    assert len(hedgerow.json("search", "circle")["listings"]) == 2
    assert [each["name"] for each in hedgerow.json("search", "--weekday", "3")["listings"]] == ["Circle 2"]
    assert hedgerow.json("search", "--experience", "gambling")["listings"] == []
    page = hedgerow.json("search", "--limit", "1")
    rest = hedgerow.json("search", "--limit", "1", "--cursor", page["next"])
    assert {each["name"] for each in (*page["listings"], *rest["listings"])} == {"Circle 1", "Circle 2"}
    assert "weekday" in hedgerow.fails("search", "--weekday", "7")
    out, _ = hedgerow.run("search", "2")
    assert "every Wednesday 19:00 (Europe/Dublin)" in out
    assert "Nothing was found" in hedgerow.run("search", "nowhere")[0]


def test_set_up_warns_before_an_address_is_announced(hedgerow: CommandLine) -> None:
    said, _ = hedgerow.run("setup", "--announce", "https://home.example.org")
    words = " ".join(said.split())
    assert "goes to every node in the network and stays there for up to 7 days" in words
    assert "relays (nodes that pass calls on)" in words
    assert "onion" in words
    (warning,) = hedgerow.json("setup", "--announce", "https://home.example.org")["warnings"]
    assert "cannot be taken back" in warning
    assert hedgerow.json("setup", "--announce", "")["warnings"] == []
    assert "7 days" not in hedgerow.run("setup")[0]


def _answering(*answers: str) -> Callable[[str], str]:
    left = iter(answers)
    return lambda question: next(left)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (("", ""), {}),
        (("", "y"), {"lan": True}),
        (("nonsense", "https://a.example.org/", "y", ""), {"announce": "https://a.example.org"}),
        (("https://a.example.org", "", ""), {}),
    ],
)
def test_questions_about_other_nodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: tuple[str, ...], said: dict[str, object]
) -> None:
    config = config_of(parse(["setup", "--data", str(tmp_path)], {}))
    assert ask_network(config, _answering(*answers)) == said
    words = " ".join(capsys.readouterr().out.split())
    assert "cannot be taken back sooner" in words
    assert "everybody in the household or office can see" in words


def test_what_flags_said_is_not_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_of(parse(["setup", "--data", str(tmp_path), "--no-lan", "--announce", "https://a.example.org"], {}))
    assert ask_network(config, _answering()) == {}
    assert capsys.readouterr().out == ""
