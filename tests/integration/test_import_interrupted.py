"""An import that was stopped half way is finished by the next one; long work shows how far it is."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from command_line import CommandLine
from hedgerow_node.directory.door import Door
from hedgerow_node.directory.outcome import Outcome
from hedgerow_protocol.ports import Timestamp
from running_node import environment


def feed(path: Path, count: int) -> Path:
    """A feed of invented groups by appointment."""
    path.write_text(
        json.dumps([{"slug": f"g{n}", "name": f"Circle {n}", "formatted_address": "Exampleton"} for n in range(count)])
    )
    return path


def test_the_next_import_finishes_what_was_interrupted(
    hedgerow: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, calls = Door.accept, 0

    async def fail_at_the_third(self: Door, envelopes: Sequence[bytes], *, now: Timestamp) -> list[Outcome]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError(28, "No space left on device")
        return await accept(self, envelopes, now=now)

    monkeypatch.setattr(Door, "accept", fail_at_the_third)
    assert "The disk is full" in hedgerow.fails("import", feed(tmp_path / "f.json", 250), "--program", "sg")
    monkeypatch.undo()
    report = hedgerow.json("import", tmp_path / "f.json", "--program", "sg")
    assert (report["unchanged"], report["new"]) == (100, 150)
    assert hedgerow.json("import", tmp_path / "f.json", "--program", "sg")["unchanged"] == 250


def test_a_bar_is_drawn_on_a_terminal_and_only_there(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hedgerow_node", "import", str(feed(tmp_path / "f.json", 120)), "--program", "sg"]
    command += ["--data", str(tmp_path / "data"), "--json"]
    ours, theirs = os.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment()) as process:
        os.close(theirs)
        drawn = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            drawn += part
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
    os.close(ours)
    assert report["new"] == 120
    assert b"Storing" in drawn
    assert b"120 of 120" in drawn
    assert drawn.endswith(b"\r\x1b[K")
    plain = subprocess.run(command, capture_output=True, env=environment())
    assert plain.returncode == 0
    assert plain.stderr == b""


def test_a_reader_that_went_away_is_no_mistake(hedgerow: CommandLine, tmp_path: Path) -> None:
    hedgerow.json("import", feed(tmp_path / "f.json", 150), "--program", "sg")
    command = f"{sys.executable} -m hedgerow_node search --limit 150 --data {hedgerow.data} | head -n 1"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment())
    assert ran.stdout.startswith("Circle")
    assert ran.stderr == ""
