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


_SEEN = pytest.StashKey[list[str]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Write down something measured on the way; it stands below the tests' results and decides nothing."""
    seen = request.config.stash.setdefault(_SEEN, [])

    def write_down(name: str, value: float) -> None:
        seen.append(f"{request.node.name}: {name} {value:.4g}")

    return write_down


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what :func:`figure` wrote down."""
    if seen := config.stash.get(_SEEN, []):
        terminalreporter.section("measured on the way")
        for each in seen:
            terminalreporter.write_line(each)
