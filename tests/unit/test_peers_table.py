"""``hedgerow peers list`` and ``doctor`` about other nodes, from a status to lines."""

from dataclasses import replace

import pytest

from hedgerow_node.cli.doctor_network import network_checks
from hedgerow_node.cli.peers_table import lines_of, span
from hedgerow_node.net.status import NetworkStatus
from lent_network import NOW, TROUBLED, status


def test_a_table_that_lines_up() -> None:
    lines = list(lines_of(status(5).to_json(), NOW))
    start = next(number for number, line in enumerate(lines) if line.startswith("Connected to 5 nodes"))
    table = lines[start + 1 : start + 7]
    column = table[0].index("address")
    assert all(line[column - 1] == " " and line[column] != " " for line in table)
    assert table[1].startswith("  *+")
    assert "No address of this node is announced" in "\n".join(lines)
    assert max(map(len, lines)) < 120


def test_a_link_that_rooms_need_says_so() -> None:
    said = status(2)
    links = (said.links[0], replace(said.links[1], rooms=True))
    lines = list(lines_of(replace(said, links=links).to_json(), NOW))
    assert [line.count(", rooms") for line in lines if line.rstrip().endswith(links[1].address)] == [1]
    assert "\n".join(lines).count(", rooms") == 1


def test_alone_and_in_trouble() -> None:
    alone = "\n".join(lines_of(NetworkStatus(links=(), chosen=()).to_json(), NOW))
    assert "hedgerow peers add URL" in alone
    assert "Not connected to any node." in alone
    trouble = "\n".join(lines_of(status(1, **TROUBLED).to_json(), NOW))
    assert trouble.startswith("! Somebody may be keeping")
    assert "differ by 12 h" in trouble
    assert "bad signature 3" in trouble
    assert "others do not get through" in trouble


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (7_200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_spans(seconds: int, said: str) -> None:
    assert span(seconds) == said


def test_doctor_calls_only_a_wrong_clock_wrong() -> None:
    checks = {each.name: each for each in network_checks(status(2, **TROUBLED).to_json())}
    assert [name for name, each in checks.items() if not each.fine] == ["clock of others"]
    assert checks["local network"].advice
    assert checks["neighbours"].advice
    assert "through 2 relaying nodes" in checks["reached by others"].sentence
    calm = {each.name: each for each in network_checks(status(2, reachable=None).to_json())}
    assert all(each.fine for each in calm.values())
    assert "2 connected" in calm["peers"].sentence
    away = NetworkStatus(links=(), chosen=("https://a.example.org",), failed={"https://a.example.org": "Nobody."})
    (peers, *_) = network_checks(away.to_json())
    assert peers.advice
    assert "https://a.example.org (Nobody.)" in peers.sentence
