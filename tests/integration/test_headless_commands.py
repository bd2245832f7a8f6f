"""``npm run client -- …``: the commands that others rely on, one process each, as the guide has them."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headless_clients import WEBUI, Community, community, node_program
from running_node import environment, running_node

GUIDE = WEBUI.parent / "docs" / "headless-client.md"
Run = Callable[..., Any]


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Community]:
    with running_node(tmp_path / "node") as node, community(tmp_path / "node", tmp_path, node) as made:
        yield made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run("ann", "send", "hello")``: a command with that person's folder; what it printed with ``--json``."""
    script = json.loads((WEBUI / "package.json").read_text())["scripts"]["client"].split()
    assert script[0] == "node"

    def command(who: str, name: str, *arguments: str, code: int = 0) -> Any:
        line = [node_program(), *script[1:], name, "--state", str(tmp_path / who), "--json", *arguments]
        done = subprocess.run(
            line, cwd=WEBUI, capture_output=True, text=True, env=environment(), timeout=90, check=False
        )
        assert done.returncode == code, f"{name}: {done.returncode} {done.stdout} {done.stderr}"
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout else done.stderr

    return command


def test_two_people_by_commands(people: Community, run: Run, tmp_path: Path) -> None:
    assert run("ann", "register", "--link", people.link(), "--name", "Ann") == {"room": None}
    room = run("ann", "create-room", "--title", "Walks", "--name", "Ann")["room"]
    invite = run("ann", "invite", "--room", "Walks", "--uses", "2")
    assert invite["link"].startswith(f"{people.url}/join#")

    assert run("ben", "register", "--link", invite["link"], "--name", "Ben", "--words", "From the library") == {
        "room": room
    }
    [ask] = run("ann", "asks", "--room", room)
    assert (ask["name"], ask["words"], ask["needed"]) == ("Ben", "From the library", 1)
    assert run("ann", "approve")["approved"] == [{"ask": ask["ask"], "name": "Ben"}]
    assert [each["standing"] for each in run("ben", "rooms")] == ["in"]

    (tmp_path / "list.txt").write_text("bread\n")
    sent = run("ben", "send", "--file", str(tmp_path / "list.txt"), "Shopping", "for", "Thursday")
    [*_, seen] = run("ann", "read")
    assert (seen["id"], seen["name"], seen["text"]) == (sent["id"], "Ben", "Shopping for Thursday")
    run("ann", "save", "--message", sent["id"], "--to", str(tmp_path / "got.txt"))
    assert (tmp_path / "got.txt").read_text() == "bread\n"
    assert sorted(each["name"] for each in run("ann", "members")) == ["Ann", "Ben"]
    assert run("ann", "verify", "--member", "Ben")["number"] == run("ben", "verify", "--member", "Ann")["number"]
    run("ann", "export", "--to", str(tmp_path / "mine.json"))
    assert json.loads((tmp_path / "mine.json").read_text())["rooms"][0]["title"] == "Walks"
    run("ben", "leave")
    assert [each["name"] for each in run("ann", "members")] == ["Ann"]


def test_what_is_wrong_is_said_and_ends_with_a_code(people: Community, run: Run) -> None:
    assert (
        "--state"
        in subprocess.run(
            [node_program(), "src/headless/main.ts", "rooms"], cwd=WEBUI, capture_output=True, text=True, check=False
        ).stderr
    )
    assert "--link is missing" in run("ann", "register", "--name", "Ann", code=2)
    failure = run("ann", "register", "--name", "Ann", "--link", f"{people.url}/join#AAAAAAAAAAAAAAAAAAAAAA", code=1)
    assert json.loads(failure)["failure"]["code"] == "invite-gone"
    failure = run("ann", "create-room", "--title", "T", "--name", "Ann", code=1)
    assert json.loads(failure)["failure"]["code"] == "no-account"


def test_the_guide_names_every_command() -> None:
    help_text = subprocess.run(
        [node_program(), "src/headless/main.ts", "help"], cwd=WEBUI, capture_output=True, text=True, check=False
    ).stderr
    commands = [line.split()[0] for line in help_text.splitlines() if line.startswith("  ")]
    assert len(commands) > 20
    guide = GUIDE.read_text()
    assert [each for each in commands if f"`{each}" not in guide] == []
