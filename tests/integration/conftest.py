"""Fixtures of the tests with real files and sockets."""

import os
from collections.abc import Callable
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


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str, float], None]:
    """Write down something measured on the way; it stands below the tests' results and decides nothing."""

    def write_down(name: str, value: float) -> None:
        record_property("figure", f"{name} {value:.4g}")

    return write_down
