"""``hedgerow bench federation`` runs to its end: every message is heard by all, in order, or it says so."""

import json
import subprocess
import sys

import pytest

from hedgerow_node.bench import federation_matrix
from running_node import environment

COMMAND = [sys.executable, "-m", "hedgerow_node", "bench", "federation"]
WAYS = ("message_from_hub", "message_to_hub", "message_across")


def test_a_python_without_synapse_is_no_reference() -> None:
    assert federation_matrix.version("/nowhere/python") is None
    assert federation_matrix.version("false") is None


def test_how_long_words_may_gather_is_bounded() -> None:
    done = subprocess.run([*COMMAND, "--fanout-ms", "10001"], capture_output=True, text=True, env=environment())
    assert done.returncode != 0
    assert "--fanout-ms is a whole number from 0 to 10000." in done.stderr


@pytest.mark.slow
def test_the_bench_of_federation_prints_its_figures() -> None:
    command = [*COMMAND, "--quick", "--fanout-ms", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    report = json.loads(done.stdout)
    assert report["fanout_ms"] == [0]
    assert "--synapse PYTHON" in report["synapse"]
    figures = {each["name"]: each for each in report["figures"]}
    named = {f"{way}_{share}_0" for way in WAYS for share in ("p50", "p95", "answered")}
    named |= {f"{way}{part}_0" for way in ("join", "join_across") for part in ("", "_claim", "_commit", "_welcome")}
    named |= {f"members_{many}_{what}_0" for many in report["members"] for what in ("cpu_hub", "cpu_follower", "wire")}
    named |= {f"followers_{many}_{what}_0" for many in report["followers"] for what in ("p50", "cpu_hub", "wire")}
    assert set(figures) >= named | {
        "accepted_far_0",
        "memory_hub_0",
        "followers_cpu_growth_0",
        "members_cpu_hub_growth_0",
    }
    assert not any("synapse" in name for name in figures)
    for many in report["followers"]:
        # A follower that is told everything is told each message once; what it costs on the wire is then no accident.
        assert 0 < figures[f"followers_{many}_notifies_0"]["ratio"] <= 1
        assert figures[f"followers_{many}_wire_0"]["ratio"] > 300
    for way in WAYS:
        assert figures[f"{way}_p50_0"]["limit"] == 20
        assert figures[f"{way}_p95_0"]["limit"] == 50
    assert figures["accepted_far_0"]["floor"] == 400
    assert figures["join_0"]["limit"] == 150
