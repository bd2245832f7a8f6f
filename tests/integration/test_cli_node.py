"""A node in its own process, and commands that speak to it through its control socket."""

import json
import signal
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine
from hedgerow_node.directory import door
from hedgerow_node.directory.door_folder import FolderLock
from running_node import running_node


def feed(path: Path, count: int) -> Path:
    """A feed of invented groups."""
    rows: list[dict[str, Any]] = [
        {"slug": f"g{n}", "name": f"Circle {n}", "day": 1, "time": "19:00", "timezone": "Europe/Dublin", "types": ["O"],
         "formatted_address": "1 Example Street, Exampleton, Ireland"}
        for n in range(count)
    ]  # fmt: skip
    path.write_text(json.dumps(rows))
    return path


def test_the_first_start_makes_everything_and_a_signal_ends_it(hedgerow: CommandLine) -> None:
    with running_node(hedgerow.data) as node:
        status = node.get("api/v1/status")
        assert status["listings"] == 0
        assert set(status) >= {"node_id", "listings", "meetings", "records", "state_hash", "peers", "version"}
        assert stat.S_IMODE(hedgerow.data.stat().st_mode) == 0o700
        for name in ("node.key", "directory.key", "control.sock", "hedgerow.toml"):
            assert stat.S_IMODE((hedgerow.data / name).stat().st_mode) == 0o600, name
        assert node.stop(signal.SIGTERM) == 0
        assert not (hedgerow.data / "control.sock").exists()
    with running_node(hedgerow.data) as node:
        assert node.get("api/v1/status")["node_id"] == status["node_id"]
        assert node.stop(signal.SIGINT) == 0


def test_commands_speak_to_the_running_node(hedgerow: CommandLine, tmp_path: Path) -> None:
    with running_node(hedgerow.data) as node:
        before = node.get("api/v1/status")
        report = hedgerow.json("import", feed(tmp_path / "f.json", 250), "--program", "aa")
        assert (report["new"], report["not_taken"]) == (250, 0)
        after = node.get("api/v1/status")
        assert after["listings"] == 250
        assert after["state_hash"] != before["state_hash"]
        assert hedgerow.json("import", feed(tmp_path / "f.json", 250), "--program", "aa")["unchanged"] == 250
        assert node.get("api/v1/status")["state_hash"] == after["state_hash"]
        answer = hedgerow.json("publish", "draft", "--directory", "--set", "name=By hand")
        found = node.get(f"api/v1/listings/{answer['listings'][0]}")
        assert found["name"] == "By hand"
        assert len(hedgerow.json("search", "hand")["listings"]) == 1
        assert hedgerow.json("doctor")["fine"]
    assert hedgerow.json("import", feed(tmp_path / "f.json", 250), "--program", "aa")["unchanged"] == 250


def test_the_keeper_link_comes_from_the_running_node(hedgerow: CommandLine) -> None:
    assert "not running" in hedgerow.fails("keeper-link")
    with running_node(hedgerow.data) as node:
        first, second = (hedgerow.json("keeper-link")["url"] for _ in range(2))
        assert first.startswith(node.url + "keeper")
        assert first != second
    with running_node(hedgerow.data, "--base-url", "https://hedge.example.org/groups") as node:
        assert node.url.endswith("/groups/")
        assert node.get("api/v1/status")["listings"] == 0
        assert hedgerow.json("keeper-link")["url"].startswith("https://hedge.example.org/groups/keeper")
    assert "not running" in hedgerow.fails("keeper-link")


def refused(data: Path, *arguments: str) -> str:
    with pytest.raises(AssertionError, match="did not start") as caught, running_node(data, *arguments):
        pass
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def test_there_is_never_a_second_writer(hedgerow: CommandLine) -> None:
    with running_node(hedgerow.data):
        assert "Two may not write there at once" in refused(hedgerow.data)


def test_a_port_in_use_is_a_sentence(hedgerow: CommandLine) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert "already uses this port" in refused(hedgerow.data, "--port", str(other.getsockname()[1]))


def test_a_command_does_not_write_beside_somebody_who_does_not_answer(
    hedgerow: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hedgerow_node.config import Config

    monkeypatch.setattr(door, "WAIT_SECONDS_MAX", 0.0)
    hedgerow.json("setup", "--no-questions")
    with FolderLock(Config(data=hedgerow.data)):
        sentence = hedgerow.fails("import", feed(tmp_path / "f.json", 1), "--program", "aa")
        assert "Another Hedgerow is using" in sentence
        assert not hedgerow.json("doctor", code=1)["fine"]


def test_a_data_folder_with_a_long_path_works(hedgerow: CommandLine, tmp_path: Path) -> None:
    hedgerow.data = tmp_path / ("a-long-name-" * 6) / ("another-long-name-" * 5) / "data"
    with running_node(hedgerow.data):
        assert hedgerow.json("import", feed(tmp_path / "f.json", 3), "--program", "aa")["new"] == 3
        assert "keeper" in hedgerow.json("keeper-link")["url"]


def test_a_killed_node_leaves_nothing_in_the_way(hedgerow: CommandLine, tmp_path: Path) -> None:
    with running_node(hedgerow.data) as node:
        hedgerow.json("import", feed(tmp_path / "f.json", 5), "--program", "aa")
        state = node.get("api/v1/status")["state_hash"]
        node.stop(signal.SIGKILL)
    assert (hedgerow.data / "control.sock").exists()
    assert hedgerow.json("import", feed(tmp_path / "f.json", 5), "--program", "aa")["unchanged"] == 5
    with running_node(hedgerow.data) as node:
        assert node.get("api/v1/status")["state_hash"] == state


def test_a_folder_of_other_files_is_left_alone(hedgerow: CommandLine) -> None:
    hedgerow.data.mkdir()
    (hedgerow.data / "letter.txt").write_text("Dear …")
    assert "holds other files" in refused(hedgerow.data)
    assert [each.name for each in hedgerow.data.iterdir()] == ["letter.txt"]
