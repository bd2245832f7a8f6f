"""What every test shares: the import path of test modules and Hypothesis profiles."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

# Dozens of tests start a node or the web app's own client: each of them need not be compiled anew.
CACHE = Path(__file__).parents[1] / ".pytest_cache"
os.environ.setdefault("NODE_COMPILE_CACHE", str(CACHE / "node"))
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(CACHE / "python"))

settings.register_profile("hedgerow", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("hedgerow")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the fixture ``figure`` wrote down, in whichever process it was."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, [])]
    seen = [
        f"{report.nodeid.rpartition('::')[2]}: {text}"
        for report in reports
        for name, text in report.user_properties
        if name == "figure"
    ]
    if seen:
        terminalreporter.section("measured on the way")
        for each in dict.fromkeys(seen):
            terminalreporter.write_line(each)
