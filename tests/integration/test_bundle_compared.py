"""Two whole nodes of one version: one serves another program, and both say so to their keepers and members."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession

from command_line import CommandLine
from hedgerow_node import app
from hedgerow_node.bundle import Bundle
from hedgerow_node.config import Config
from hedgerow_node.directory import door_control
from hedgerow_node.http.webui import WebUi, find_webui
from hedgerow_node.net.announcing import Announcer, channel_key
from hedgerow_protocol import limits
from hedgerow_protocol.envelope import parse_envelope, verify_envelope
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, read_record
from net_ends import until


def webui_with(folder: Path, sha256: str, version: str = "0.1.0") -> WebUi:
    """A web UI that says it was built so."""
    (folder / "dist").mkdir(parents=True)
    for name in ("templates", "locales"):
        (folder / name).symlink_to(find_webui().root / name)
    (folder / "dist" / "bundle.json").write_text(json.dumps({"version": version, "sha256": sha256, "client": ""}))
    return WebUi(folder)


@pytest.mark.parametrize(
    ("other", "version", "differs"),
    [("b" * 64, "0.1.0", 1), ("a" * 64, "0.1.0", 0), ("b" * 64, "0.2.0", 0)],
)
async def test_the_same_version_with_another_bundle_is_noticed_on_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str, version: str, differs: int
) -> None:
    served = [webui_with(tmp_path / "ui-a", "a" * 64), webui_with(tmp_path / "ui-b", other, version)]
    monkeypatch.setattr(app, "find_webui", lambda: served.pop(0))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(app.running_node(Config(data=tmp_path / "a", port=0), version="0.1.0"))
        url = f"http://127.0.0.1:{first.street.port}"
        config = Config(data=tmp_path / "b", port=0, peers=(url,))
        second = await stack.enter_async_context(app.running_node(config, version="0.1.0"))
        session = await stack.enter_async_context(ClientSession())
        for node in (first, second):
            await until(lambda: any(each.features for each in node.network.status().links), "a greeting")  # noqa: B023
            status = await door_control.call(node.config.control_socket, "GET", "/peers")
            assert status["bundle_differs"] == differs
            async with session.get(f"{node.address}api/v1/status") as answer:
                facts = await answer.json()
            assert facts["bundle_differs"] == differs
            assert len(facts["bundle"]) == 64
            listed = await asyncio.to_thread(_listed, node.config.data)
            assert ("another program of the same version" in listed) is bool(differs)


def _listed(data: Path) -> str:
    import contextlib
    import io

    from hedgerow_node.cli import main

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["peers", "list", "--data", str(data)]) == 0
    return said.getvalue()


def test_an_announcement_has_room_for_it() -> None:
    bundle = Bundle(version="123.45.67-rc.1+build.20261122", sha256="c" * 64)
    assert len(bundle.feature) <= limits.TAG_CHARACTERS_MAX
    key = SigningKey.from_seed(Usage.NODE, b"k" * 32)
    announcer = Announcer(key=key, channel=channel_key(key), features=("relay/1", bundle.feature))
    said = announcer.renew(Timestamp(1_800_000_000))
    assert said is not None
    record = read_record(verify_envelope(parse_envelope(said.envelope)))
    assert isinstance(record, Announcement)
    assert bundle.feature in record.features


def test_a_liar_raises_one_alarm_and_not_many() -> None:
    bundle = Bundle(version="0.1.0", sha256="a" * 64)
    assert bundle.differs([f"webui/0.1.0/{number:016x}" for number in range(16)]) is True
    assert not bundle.differs(["webui/0.1.0/" + "a" * 16, "webui/0.1.00/ff", "webui/", "exchange/1"])
    assert not Bundle().differs(["webui//ff", "webui/0.1.0/ff"])


def test_doctor_says_whether_the_files_are_as_they_were_built(
    hedgerow: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hedgerow_node.bundle import bundle_digest
    from hedgerow_node.http import webui as module

    root = tmp_path / "ui"
    (root / "dist" / "assets").mkdir(parents=True)
    (root / "dist" / "assets" / "app.js").write_text("1")
    digest = bundle_digest(root / "dist")
    (root / "dist" / "bundle.json").write_text(json.dumps({"version": "0.1.0", "sha256": digest, "client": ""}))
    monkeypatch.setattr(module, "find_webui", lambda: WebUi(root))
    hedgerow.run("setup")

    def web_ui(code: int) -> dict[str, object]:
        checks = hedgerow.json("doctor", code=code)["checks"]
        return next(each for each in checks if each["name"] == "web UI")

    assert web_ui(0)["fine"]
    (root / "dist" / "assets" / "app.js").write_text("2")
    assert not web_ui(1)["fine"]


def test_the_words_of_a_file_and_whether_it_is_ours(
    hedgerow: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    from hedgerow_node.http import webui as module

    file = tmp_path / "hedgerow.html"
    file.write_bytes(b"abc")
    ours = hashlib.sha256(b"abc").hexdigest()
    root = tmp_path / "ui"
    (root / "dist").mkdir(parents=True)
    said = {"version": "0.1.0", "sha256": "a" * 64, "client": ours}
    (root / "dist" / "bundle.json").write_text(json.dumps(said))
    monkeypatch.setattr(module, "find_webui", lambda: WebUi(root))
    answer = hedgerow.json("client-fingerprint", file)
    assert " ".join(answer["words"]) == "risk scheme quiz bulk brother vivid agree chimney"
    assert (answer["sha256"], answer["same_as_this_version"]) == (ours, True)
    file.write_bytes(b"abcd")
    assert hedgerow.json("client-fingerprint", file, code=1)["same_as_this_version"] is False
    assert "No such file" in hedgerow.fails("client-fingerprint", tmp_path / "nowhere.html")
