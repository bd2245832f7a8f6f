"""Fixtures of the tests with real files and sockets."""

import os
from pathlib import Path

import pytest

from command_line import CommandLine


@pytest.fixture
def hedgerow(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A command line on a new data folder, away from the settings of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("HEDGEROW_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path / "data", capsys)
