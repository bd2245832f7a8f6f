"""The keeper's guide about other nodes: its commands run as they stand, and it warns in the words of set-up."""

import re
from pathlib import Path

import pytest

from command_line import CommandLine
from hedgerow_node.cli import main, setup_network
from hedgerow_node.config import load_config
from hedgerow_node.directory.blocklist import blocklist_from_json
from hedgerow_protocol.ports import Timestamp
from integration.test_keeper_guide import CEREMONY, ROOT
from running_node import running_node

GUIDE = (ROOT / "docs" / "keeper.md").read_text(encoding="utf-8")
WORDS = " ".join(GUIDE.split())
IN_ORDER = ("Choose peers", "On the local network", "Be reached by others", "Block", "Leave")


def do(hedgerow: CommandLine, heading: str) -> str:
    said = ""
    for words in CEREMONY[heading]:
        hedgerow.capsys.readouterr()
        ended = main(words)
        out, err = hedgerow.capsys.readouterr()
        assert ended == 0, f"{words}: {out} {err}"
        said += out
    return said


@pytest.fixture
def at_home(hedgerow: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("HEDGEROW_DATA", str(hedgerow.data))
    monkeypatch.chdir(tmp_path)
    return hedgerow


def test_the_commands_without_a_node(at_home: CommandLine, tmp_path: Path) -> None:
    do(at_home, "Choose peers")
    do(at_home, "On the local network")
    assert load_config({"data": at_home.data}, {}).lan
    said = do(at_home, "Be reached by others")
    assert "cannot be taken back sooner" in " ".join(said.split())
    assert load_config({"data": at_home.data}, {}).announce == ""
    said = do(at_home, "Block")
    assert "Sells cures and calls it a group." in said
    (block,) = blocklist_from_json((tmp_path / "blocklist.json").read_text(), now=Timestamp(1))
    assert not block.is_node
    do(at_home, "Leave")
    assert not load_config({"data": at_home.data}, {}).lan


def test_the_commands_on_a_running_node(at_home: CommandLine) -> None:
    with running_node(at_home.data):
        for heading in ("Choose peers", "Block", "Leave"):
            do(at_home, heading)


def test_every_section_has_its_commands() -> None:
    assert set(IN_ORDER) <= set(CEREMONY)


@pytest.mark.parametrize("text", [setup_network.WITHOUT_ANNOUNCING, setup_network.ANNOUNCING, setup_network.LAN])
def test_the_guide_says_what_set_up_says(text: str) -> None:
    for sentence in re.split(r"(?<=[.;]) ", text.removeprefix("Your ")):
        assert sentence in WORDS, sentence


def test_proxies_pass_upgrades_on() -> None:
    nginx = GUIDE.partition("nginx (")[2].partition("Caddy")[0]
    for line in (
        "proxy_http_version 1.1;",
        "Upgrade $http_upgrade;",
        "Connection $connection_upgrade;",
        "map $http_upgrade",
    ):
        assert line in nginx
    timeout = re.search(r"proxy_read_timeout (\d+)s;", nginx)
    assert timeout is not None
    from hedgerow_protocol.gossip.settings import SILENT_SECONDS_MAX

    assert int(timeout[1]) > SILENT_SECONDS_MAX, "a proxy must not be less patient than a node"
