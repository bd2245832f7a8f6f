"""What every test shares: the import path of test modules and Hypothesis profiles."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

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
