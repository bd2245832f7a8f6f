"""The keeper's guide about safe connections: its commands run as they stand, its samples are those of the page."""

import textwrap
from pathlib import Path

import pytest

from command_line import CommandLine
from hedgerow_node.cli import main
from hedgerow_node.config import load_config
from hedgerow_node.http.proxy_samples import caddy_sample, nginx_sample, settings_sample
from hedgerow_node.http.webui import find_webui
from integration.test_keeper_guide import CEREMONY, ROOT

GUIDE = (ROOT / "docs" / "keeper.md").read_text(encoding="utf-8")


def test_the_commands_run_as_they_stand(hedgerow: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEDGEROW_DATA", str(hedgerow.data))
    said = []
    for words in CEREMONY["A certificate of this node's own"]:
        hedgerow.capsys.readouterr()
        assert main(words) == 0, words
        said.append(hedgerow.capsys.readouterr().out)
    made, host, shown, replaced, off = said
    words = made.partition("trusts it:\n")[2].partition("\n")[0].strip()
    assert len(words.split()) == 8
    assert "Ready" in host
    assert words in shown
    assert words not in replaced
    assert "plain http" in off
    config = load_config({"data": hedgerow.data}, {})
    assert (config.tls, config.host) == ("off", "0.0.0.0")


def test_the_saved_clients_words(hedgerow: CommandLine, tmp_path: Path) -> None:
    (command,) = CEREMONY["The saved client"]
    (tmp_path / "hedgerow.html").write_text("<!doctype html>")
    out, _ = hedgerow.capsys.readouterr()
    ended = main(command)
    out, _ = hedgerow.capsys.readouterr()
    assert len(out.splitlines()[0].split()) == 8
    assert ended == (1 if find_webui().bundle.client else 0)


def test_the_samples_are_those_of_the_page() -> None:
    for sample in (
        nginx_sample("example.org", 8470, "/groups"),
        caddy_sample("example.org", 8470, "/groups"),
        settings_sample("example.org", "/groups"),
    ):
        assert textwrap.indent(sample, "    ") in GUIDE
