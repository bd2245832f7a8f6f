"""``hedgerow peers rooms`` and ``check-proof``: from what a node says to lines, and proofs without a node."""

import base64
import os
from pathlib import Path

from command_line import CommandLine
from hedgerow_node.cli.peers_rooms import REASONS, lines_of
from hedgerow_node.federation.standing import NodeStanding, proof_text, step, to_json
from hedgerow_node.federation.tally import Why
from hedgerow_protocol.delivery.chain import BEGINNING, sign_head
from hedgerow_protocol.delivery.values import Position, RoomId
from hedgerow_protocol.federation import forks
from hedgerow_protocol.ids import NodeId, to_text
from lent_network import NOW, all_troubles, shared
from linked_worlds import node_key
from lying_hubs import entries_from
from running_node import running_node


def test_nothing_shared() -> None:
    assert list(lines_of({"nodes": [], "more": 0}, NOW)) == ["No room is shared with another node."]


def test_a_calm_node_is_one_line() -> None:
    (line,) = lines_of({"nodes": [shared(5)], "more": 0}, NOW)
    assert line.endswith("shares rooms, connected for 3 h")


def test_every_trouble_has_a_line() -> None:
    said = "\n".join(lines_of({"nodes": all_troubles(), "more": 2}, NOW))
    for part in (
        "! In 2 of your members' rooms",
        "told two stories about 2 rooms",
        "silent about a room for 2 h",
        "1204 requests wait for it, the oldest for 2 days",
        "not confirmed 100 or more entries, and says nothing",
        "too much at once 1412, a signature, hash or order was wrong 12, of_tomorrow 1",
        "shares no rooms, away\n  refused in the last day: asked too often 40",
        "further nodes",
        "and 2 more nodes",
    ):
        assert part in said, part
    assert max(map(len, said.splitlines())) < 120
    assert set(REASONS) == {each.value for each in Why}


def test_what_is_wrong_comes_first_and_steps_hide_numbers() -> None:
    nodes = [NodeStanding(node=NodeId(bytes([each]) * 32), shares=True) for each in range(3)]
    nodes.append(NodeStanding(node=NodeId(bytes(32)), lied=1))
    nodes.append(NodeStanding(node=NodeId(bytes(32)), refused={"forged": 9}))
    said = to_json(nodes)["nodes"]
    assert [each["two_stories"] for each in said] == [1, 0, 0, 0, 0]
    assert said[1]["refused"] == {"forged": 9}
    assert [step(each) for each in (0, 1, 9, 10, 99, 100, 5_000)] == [0, 1, 1, 10, 10, 100, 1_000]


def _proof(room: RoomId, *, honest: bool = False) -> forks.Proof:
    """Two heads of one log, or of two."""
    hub = node_key("hub")
    one, two = entries_from(BEGINNING, room, 2), entries_from(BEGINNING, room, 3)
    first = sign_head(hub, room, Position(2, one[1].hash, one[1].time))
    second = sign_head(hub, room, Position(3, two[2].hash, two[2].time))
    before = one[1].hash if honest else two[1].hash
    return forks.Proof(NodeId(hub.public[1:]), room, first, second, before, (forks.link_of(two[2]),))


def test_anybody_checks_a_proof_without_a_node(hedgerow: CommandLine, tmp_path: Path) -> None:
    room = RoomId(os.urandom(32))
    file = tmp_path / "proofs.txt"
    file.write_text(proof_text(forks.encode(_proof(room))) + "\n")
    out, _ = hedgerow.run("peers", "check-proof", file)
    who = to_text(NodeId(node_key("hub").public[1:]))
    assert out.startswith(f"Holds: the node {who} signed, for one room, entry 2, and an entry 3 without it.")
    (checked,) = hedgerow.json("peers", "check-proof", file)["proofs"]
    assert checked["holds"]
    assert checked["room"] == base64.urlsafe_b64encode(room).decode().rstrip("=")
    assert not hedgerow.data.exists(), "it needs no data folder"


def test_what_proves_nothing_does_not_hold(hedgerow: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "proofs.txt"
    honest = proof_text(forks.encode(_proof(RoomId(os.urandom(32)), honest=True)))
    for text in (honest, "bm9uc2Vuc2U", "{}", "\xe9"):
        file.write_text(text)
        out, _ = hedgerow.run("peers", "check-proof", file, code=1)
        assert "Does not hold" in out
    file.write_text("\n\n")
    assert "no proofs" in hedgerow.fails("peers", "check-proof", file)


def test_a_node_that_does_not_run_has_nothing_to_say(hedgerow: CommandLine) -> None:
    for part in ("rooms", "proofs"):
        assert "not running" in hedgerow.fails("peers", part)


def test_a_node_that_runs(hedgerow: CommandLine) -> None:
    with running_node(hedgerow.data):
        assert hedgerow.json("peers", "rooms") == {"nodes": [], "more": 0}
        assert "No room is shared" in hedgerow.run("peers", "rooms")[0]
        assert hedgerow.json("peers", "proofs") == {"proofs": []}
        assert "No hub was found telling two stories" in hedgerow.run("peers", "proofs")[0]
