"""``hedgerow invite``: in the folder and through the running node, and the keeper's guide as it stands."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from command_line import CommandLine
from hedgerow_node import clock
from hedgerow_node.cli import main
from hedgerow_node.cli.invite import words
from integration.test_keeper_guide import CEREMONY
from member_devices import Device
from running_node import running_node

DAY = 86_400


async def use(url: str, link: str, many: int) -> list[int]:
    """Make accounts with a link; the statuses."""
    from hedgerow_protocol.invitation import Invitation
    from member_devices import b64, unb64

    statuses = []
    async with aiohttp.ClientSession() as http:
        for _ in range(many):
            device = Device(http, f"{url}api/v1")
            invitation = Invitation(unb64(link.rpartition("#")[2].partition(".")[0]))
            said = {
                "invite": {"id": b64(invitation.id), "proof": b64(invitation.proof)},
                "account_key": device.account,
                "device": device.new,
            }
            statuses.append((await device.ask("POST", "/accounts", said, token="")).status)
    return statuses


def check(made: dict[str, Any], *, uses: int, days: int, home: str) -> None:
    assert set(made) == {"url", "expires", "uses"}
    assert made["uses"] == uses
    assert abs(made["expires"] - int(clock.now()) - days * DAY) < 120
    base, _, secret = made["url"].partition("/join#")
    assert base == home
    # 16 random bytes, and the id of the node, for those who have an account elsewhere.
    assert re.fullmatch(r"[\w-]{22}\.[\w-]{43}", secret)


def test_through_the_running_node(hedgerow: CommandLine) -> None:
    with running_node(hedgerow.data) as node:
        home = node.url.rstrip("/")
        check(hedgerow.json("invite"), uses=1, days=7, home=home)
        made = hedgerow.json("invite", "--uses", "2", "--days", "3")
        check(made, uses=2, days=3, home=home)
        assert asyncio.run(use(node.url, made["url"], 3)) == [201, 201, 410]


def test_in_the_folder(hedgerow: CommandLine) -> None:
    hedgerow.data.mkdir(mode=0o700)
    (hedgerow.data / "hedgerow.toml").write_text('base_url = "https://example.org/groups"\n')
    made = hedgerow.json("invite", "--uses", "2")
    check(made, uses=2, days=7, home="https://example.org/groups")
    assert (hedgerow.data / "private.db").stat().st_mode & 0o777 == 0o600
    with running_node(hedgerow.data, "--base-url", "") as node:
        assert asyncio.run(use(node.url, made["url"], 3)) == [201, 201, 410], "a node that starts later knows it"


def test_the_secret_is_kept_nowhere(hedgerow: CommandLine) -> None:
    with running_node(hedgerow.data):
        made = hedgerow.json("invite")
        secret = made["url"].rpartition("#")[2].partition(".")[0].encode()
        kept = [path for path in hedgerow.data.rglob("*") if path.is_file() and secret in path.read_bytes()]
        assert kept == []


def test_numbers_out_of_bounds_are_told(hedgerow: CommandLine) -> None:
    assert "1 to 1000" in hedgerow.fails("invite", "--uses", "0")
    assert "1 to 1000" in hedgerow.fails("invite", "--uses", "1001")
    assert "1 to 90" in hedgerow.fails("invite", "--days", "91")
    assert not hedgerow.data.exists(), "nothing was made"
    hedgerow.data.mkdir(mode=0o700)
    (hedgerow.data / "hedgerow.toml").write_text("port = 0\n")
    assert "Start the node first" in hedgerow.fails("invite")


def test_the_guide_as_it_stands(
    hedgerow: CommandLine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEDGEROW_DATA", str(hedgerow.data))
    steps = CEREMONY["Invite members"]
    assert steps == [["invite"], ["invite", "--uses", "12", "--days", "30"]]
    for step in steps:
        capsys.readouterr()
        assert main(step) == 0
        out = capsys.readouterr().out
        assert out.startswith("http://127.0.0.1:8470/join#")
    assert "12 people" in out


def test_a_terminal_shows_the_code(
    hedgerow: CommandLine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = hedgerow.run("invite")
    assert "█" not in out, "a pipe gets no picture"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out, _ = hedgerow.run("invite")
    from hedgerow_node.qr import qr_code

    link, *rest = out.splitlines()
    assert rest[-len(qr_code(link).terminal_lines()) :] == qr_code(link).terminal_lines()


def test_what_is_said_of_an_address() -> None:
    def said(url: str) -> str:
        return " ".join(words({"url": f"{url}/join#x", "expires": 1_800_000_000, "uses": 1}))

    assert "not https" in said("http://192.168.1.5:8470")
    for safe in ("https://example.org", "http://127.0.0.1:8470", "http://localhost:8470", "http://[::1]:8470"):
        assert "not https" not in said(safe)
    assert "one person" in said("https://example.org")


def test_json_is_one_object(hedgerow: CommandLine, tmp_path: Path) -> None:
    out, _ = hedgerow.run("invite", "--json")
    assert isinstance(json.loads(out), dict)
