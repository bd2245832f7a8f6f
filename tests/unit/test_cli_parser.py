"""The command line's words: which command runs, with which settings."""

from pathlib import Path

import pytest

from hedgerow_node.cli import main
from hedgerow_node.cli.parser import COMMANDS, build_parser, config_of, parse


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ([], "serve"),
        (["--port", "0"], "serve"),
        (["--data", "d"], "serve"),
        (["--data=d", "--json", "--lan"], "serve"),
        (["serve", "--no-lan"], "serve"),
        (["--data", "d", "doctor"], "doctor"),
        (["import", "a.json", "--program", "aa"], "import"),
        (["--json", "--data", "d", "import", "--program", "aa", "a.json", "b.json"], "import"),
        (["search", "--weekday", "0", "--weekday", "3", "grief"], "search"),
        (["--data", "d", "publish", "cosign", "f"], "publish"),
        (["--data", "d", "peers", "list"], "peers"),
        (["bench", "directory"], "bench"),
    ],
)
def test_the_command_is_found(arguments: list[str], command: str) -> None:
    options = parse(arguments, {})
    assert options.command == command
    if "d" in arguments:
        assert options.set_data == "d"


def test_flags_become_settings(tmp_path: Path) -> None:
    arguments = [
        *("serve", "--data", str(tmp_path), "--port", "9", "--peer", "https://a.example", "--peer", "http://b.example"),
        *("--no-lan", "--announce", "https://c.example", "--trusted-proxy", "10.0.0.1"),
    ]
    config = config_of(parse(arguments, {"HEDGEROW_LAN": "true"}))
    assert config.port == 9
    assert config.peers == ("https://a.example", "http://b.example")
    assert (config.lan, config.announce, config.trusted_proxies) == (False, "https://c.example", ("10.0.0.1",))


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["import"], ["import", "x"], ["import", "x", "--program"], ["publish"]]
)
def test_a_command_that_cannot_be_understood_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--prot", "80"], "Did you mean --port?"),
        (["serve", "--prot=80"], "Did you mean --port?"),
        (["search", "--weekdy", "1"], "Did you mean --weekday?"),
        (["publish", "renew", "x", "--dais", "3"], "Did you mean --days?"),
        (["serve", "--xyzzy"], "There is no --xyzzy here. See: hedgerow serve --help"),
        (["doctor", "now"], "one word too many"),
    ],
)
def test_an_unknown_flag_names_its_neighbour(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_every_command_has_help_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(command in text for command in COMMANDS)
    for command in COMMANDS:
        assert main([command, "--help"]) == 0
        assert capsys.readouterr().out.startswith("usage: hedgerow")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hedgerow ")


def test_a_bad_setting_ends_with_2_and_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--data", str(tmp_path), "--port", "many"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("--port is a whole number")
    assert captured.out == ""


def test_the_settings_in_force_can_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none"), "--print-config", "--port", "77"]) == 0
    out = capsys.readouterr().out
    assert "port = 77  # flag" in out
    assert 'host = "127.0.0.1"  # default' in out
    assert not (tmp_path / "none").exists()


def test_the_parser_builds_without_loading_the_heavy_parts() -> None:
    import subprocess
    import sys

    code = (
        "import sys, hedgerow_node.cli.parser as p; p.parse(['serve'], {});"
        "print([m for m in ('aiohttp', 'nacl', 'icalendar', 'sqlite_utils', 'zeroconf', 'babel') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stdout + ran.stderr
    assert build_parser().prog == "hedgerow"
