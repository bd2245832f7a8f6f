"""Five nodes, each in a network of its own, cabled in a line: only neighbours can ever be connected."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine
from network_namespaces import Line, line
from running_node import RunningNode, running_node

NODES = 5
PORT = 8470


class Street:
    """The nodes of the line, their folders and their command lines."""

    def __init__(self, cables: Line, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.cables = cables
        self.commands = [CommandLine(folder / f"node-{number}", capsys) for number in range(NODES)]
        self._stacks = [ExitStack() for _ in range(NODES)]
        self._running: list[RunningNode | None] = [None] * NODES

    def start(self, number: int) -> None:
        """Start a node that knows its left-hand neighbour."""
        peer = ("--peer", f"http://{self.cables.address(number - 1)}:{PORT}") if number else ()
        where = ("--host", "0.0.0.0", "--port", str(PORT), "--relay", "false")
        place = self.cables.places[number]
        data = self.commands[number].data
        self._running[number] = self._stacks[number].enter_context(
            running_node(data, *where, *peer, within=place.within)
        )

    def kill(self, number: int) -> None:
        """End a node as a power cut would."""
        running = self._running[number]
        assert running is not None
        running.process.kill()
        running.process.wait(20)
        self._stacks[number].close()

    def close(self) -> None:
        """End all that were started here."""
        for stack in self._stacks:
            stack.close()

    # --- what somebody in each of the networks sees

    def page(self, number: int) -> str:
        """The directory page of a node, read in its own network."""
        return self.cables.places[number].get(f"http://127.0.0.1:{PORT}/")

    def status(self, number: int) -> dict[str, Any]:
        """What a node says of itself."""
        answer = self.cables.places[number].get(f"http://127.0.0.1:{PORT}/api/v1/status")
        status: dict[str, Any] = json.loads(answer)
        return status

    def publish(self, number: int, name: str) -> None:
        """Publish a listing as its keeper does at the command line; when this returns it is acknowledged."""
        form = self.commands[number].data.parent / "form.toml"
        form.write_text(f'name = "{name}"\nsummary = "An invented circle."\n')
        self.commands[number].json("publish", "draft", "--directory", "--from", form)

    def wait_for_page(self, number: int, name: str, seconds: float) -> float:
        """Seconds until a name stands on a node's page."""
        return _wait(lambda: name in self.page(number), f"{name!r} on the page of node {number}", seconds)

    def wait_for_agreement(self, seconds: float) -> float:
        """Seconds until all have the same state hash."""

        def agree() -> bool:
            return len({self.status(number)["state_hash"] for number in range(NODES)}) == 1

        return _wait(agree, "one state hash", seconds)


def _wait(is_so: Callable[[], bool], what: str, seconds: float) -> float:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"never happened: {what}"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture
def street(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Five running nodes, linked to their neighbours."""
    monkeypatch.chdir(tmp_path)
    with line(NODES) as cables:
        street = Street(cables, tmp_path, capsys)
        try:
            for number in range(NODES):
                street.start(number)
            for number in range(NODES):
                links = 1 if number in (0, NODES - 1) else 2
                _wait(lambda n=number, k=links: street.status(n)["peers"] == k, f"{links} links of {number}", 20)  # type: ignore[misc]
            yield street
        finally:
            street.close()


def test_a_line_of_networks(street: Street, figure: Callable[[str, float], None]) -> None:
    assert not _reaches(street, 0, 2), "the first and the third are not cabled"
    street.publish(0, "From the first")
    found = street.wait_for_page(NODES - 1, "From the first", 10)
    figure("found on the last page, seconds", found)

    street.cables.cable(1, up=False)
    street.publish(0, "On the left")
    street.publish(NODES - 1, "On the right")
    street.wait_for_page(1, "On the left", 10)
    street.wait_for_page(2, "On the right", 10)
    assert "On the right" not in street.page(1)
    assert "On the left" not in street.page(2)
    street.cables.cable(1, up=True)
    healed = street.wait_for_agreement(30)
    figure("healed, seconds", healed)
    for number in range(NODES):
        assert {"From the first", "On the left", "On the right"} <= _names(street.page(number))

    for number in range(NODES):
        street.publish(number, f"Last words of {number}")
        street.kill(number)
        street.start(number)
        assert f"Last words of {number}" in street.page(number)
    agreed = street.wait_for_agreement(60)
    figure("agreed after kills, seconds", agreed)
    assert street.status(0)["listings"] == 3 + NODES


def _reaches(street: Street, number: int, other: int) -> bool:
    try:
        street.cables.places[number].get(f"http://{street.cables.address(other)}:{PORT}/healthz")
    except OSError:
        return False
    return True


def _names(page: str) -> set[str]:
    known = ("From the first", "On the left", "On the right")
    return {each for each in known if each in page}
