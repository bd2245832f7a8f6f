"""``hedgerow bench rooms`` runs to its end: every message that is answered is heard by all, in order, or it says so."""

import json
import subprocess
import sys

import pytest

from hedgerow_node.bench.measure import Figure
from running_node import environment

EVERYWHERE = {"append_alone", "append_together", "catch_up", "idle_connection", "stalled_memory", "flood_share"}


def test_a_figure_knows_whether_it_holds() -> None:
    assert Figure("few", 1.0, "times", limit=1.0).holds
    assert not Figure("few", 1.1, "times", limit=1.0).holds
    assert Figure("many", 0.6, "times", floor=0.6).holds
    assert not Figure("many", 0.5, "times", floor=0.6).holds
    assert Figure("told", 5.0, "times").as_json() == {"name": "told", "ratio": 5.0, "unit": "times"}
    assert Figure("many", 0.5, "times", floor=0.6).as_json()["holds"] is False


@pytest.mark.slow
def test_the_bench_of_rooms_prints_its_figures() -> None:
    command = [sys.executable, "-m", "hedgerow_node", "bench", "rooms", "--quick", "--rooms", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    report = json.loads(done.stdout)
    figures = {each["name"]: each for each in report["figures"]}
    assert set(figures) >= EVERYWHERE | {
        f"fanout_{size}_rate_{window}" for size in report["sizes"] for window in (4, 64)
    }
    assert figures["catch_up"]["holds"]
    assert figures["flood_share"]["holds"], figures["flood_share"]
