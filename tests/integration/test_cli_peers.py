"""``hedgerow peers`` on a folder and on a running node: the same words, and nothing is lost between the two."""

import tomllib
from pathlib import Path

from command_line import CommandLine
from hedgerow_protocol.ids import ListingId, NodeId, to_text
from running_node import running_node

NODE = to_text(NodeId(bytes(range(32))))
LISTING = to_text(ListingId(bytes(range(20))))
NOBODY = "http://127.0.0.1:9"
"""Nothing listens on the discard port."""


def settings(hedgerow: CommandLine) -> dict[str, object]:
    return tomllib.loads((hedgerow.data / "hedgerow.toml").read_text())


def urls(hedgerow: CommandLine) -> list[str]:
    return [peer["url"] for peer in hedgerow.json("peers", "list")["peers"]]


def test_a_folder_without_a_node(hedgerow: CommandLine, tmp_path: Path) -> None:
    out, _ = hedgerow.run("peers", "list")
    assert "not running" in out
    out, _ = hedgerow.run("peers", "add", "https://a.example.org/")
    assert "from its next start" in out
    assert hedgerow.json("peers", "list") == {
        "peers": [{"url": "https://a.example.org", "connected": False, "problem": ""}],
        "connected": 0,
        "links": [],
    }
    assert hedgerow.json("peers", "blocks") == {"blocks": []}
    hedgerow.run("peers", "block", NODE, "--reason", "Floods.")
    hedgerow.run("peers", "block", f"https://a.example.org/listings/{LISTING}")
    rows = hedgerow.json("peers", "blocks")["blocks"]
    assert {row.get("node", row.get("listing")) for row in rows} == {NODE, LISTING}
    assert "Floods." in hedgerow.run("peers", "blocks")[0]
    hedgerow.run("peers", "export-blocks", tmp_path / "list.json")
    assert "since" not in (tmp_path / "list.json").read_text()
    hedgerow.run("peers", "unblock", NODE)
    assert "not on the block list" in hedgerow.fails("peers", "unblock", NODE)
    assert hedgerow.json("peers", "import-blocks", tmp_path / "list.json")["blocked"] == 2
    assert len(hedgerow.json("peers", "blocks")["blocks"]) == 2
    assert "not an id" in hedgerow.fails("peers", "block", "nonsense")
    (tmp_path / "list.json").write_bytes(b"\xff")
    assert "UTF-8" in hedgerow.fails("peers", "import-blocks", tmp_path / "list.json")
    assert "No such file" in hedgerow.fails("peers", "import-blocks", tmp_path / "none.json")


def test_leaving_without_a_node(hedgerow: CommandLine) -> None:
    hedgerow.json("setup", "--peer", "https://a.example.org", "--lan", "--announce", "https://b.example.org")
    out, _ = hedgerow.run("peers", "leave")
    assert "within 7 days" in out
    said = settings(hedgerow)
    assert (said["peers"], said["lan"], said["announce"]) == ([], False, "")
    assert hedgerow.json("peers", "leave") == {"left": True, "forgotten_within_days": 7}


def test_a_running_node_does_it_at_once(hedgerow: CommandLine, tmp_path: Path) -> None:
    with running_node(hedgerow.data, "--peer", "https://by-flag.invalid") as node:
        assert urls(hedgerow) == ["https://by-flag.invalid"]
        out, _ = hedgerow.run("peers", "add", NOBODY)
        assert "calling it now" in out
        assert urls(hedgerow) == ["https://by-flag.invalid", NOBODY]
        assert settings(hedgerow)["peers"] == [NOBODY], "what a flag said does not slip into the file"
        answer = hedgerow.json("peers", "list")
        assert (answer["connected"], answer["lan"], answer["reachable"]) == (0, "off", None)
        out, _ = hedgerow.run("peers", "list")
        assert NOBODY in out
        assert "Not connected to any node." in out
        hedgerow.run("peers", "remove", NOBODY)
        assert "not among" in hedgerow.fails("peers", "remove", NOBODY)
        assert settings(hedgerow)["peers"] == []

        hedgerow.run("peers", "block", NODE, "--reason", "Floods.")
        assert hedgerow.json("peers", "blocks")["blocks"][0]["reason"] == "Floods."
        hedgerow.run("peers", "export-blocks", tmp_path / "list.json")
        hedgerow.run("peers", "unblock", NODE)
        assert hedgerow.json("peers", "blocks")["blocks"] == []
        assert hedgerow.json("peers", "import-blocks", tmp_path / "list.json")["blocked"] == 1
        assert "not on the block list" in hedgerow.fails("peers", "unblock", LISTING)

        checks = {each["name"]: each for each in hedgerow.json("doctor")["checks"]}
        assert checks["peers"]["advice"]
        assert checks["local network"]["sentence"] == "off"
        assert "nothing is announced" in checks["reached by others"]["sentence"]

        assert hedgerow.json("peers", "leave")["left"]
        assert hedgerow.json("peers", "list")["peers"] == []
        assert node.get("api/v1/status")["peers"] == 0, "pages go on"
        assert node.stop() == 0


def test_choices_outlive_the_node(hedgerow: CommandLine) -> None:
    with running_node(hedgerow.data):
        hedgerow.run("peers", "add", NOBODY)
        hedgerow.run("peers", "block", LISTING)
    with running_node(hedgerow.data):
        assert urls(hedgerow) == [NOBODY]
        assert [row["listing"] for row in hedgerow.json("peers", "blocks")["blocks"]] == [LISTING]


def test_two_nodes_see_each_other(hedgerow: CommandLine, tmp_path: Path) -> None:
    """The whole way: two nodes, one command, and what the table says of it."""
    with running_node(tmp_path / "other") as other, running_node(hedgerow.data):
        hedgerow.run("peers", "add", other.url.rstrip("/"))
        answer = hedgerow.connected(1)
        (link,) = answer["links"]
        assert (link["direction"], link["chosen"]) == ("outbound", True)
        assert answer["peers"][0]["connected"]
        out, _ = hedgerow.run("peers", "list")
        assert "Connected to 1 node " in out


def test_who_leaves_is_alone_and_stays_alone(hedgerow: CommandLine, tmp_path: Path) -> None:
    with running_node(tmp_path / "other") as other:
        address = other.url.rstrip("/")
        with running_node(hedgerow.data):
            hedgerow.run("peers", "add", address)
            hedgerow.connected(1)
            hedgerow.run("peers", "leave")
            assert hedgerow.connected(0)["left"]
            assert "left the network" in hedgerow.run("peers", "list")[0]
            assert "start it again" in hedgerow.run("peers", "add", address)[0]
            hedgerow.run("peers", "remove", address)
        with running_node(hedgerow.data):
            status = hedgerow.json("peers", "list")
            assert (status["peers"], status["known_nodes"], status["left"]) == ([], 0, False)
            hedgerow.run("peers", "add", address)
            hedgerow.connected(1)
