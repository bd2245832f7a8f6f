"""A node in a process of its own, as a keeper starts it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class RunningNode:
    """Its process and the address it printed."""

    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> Any:
        """The JSON at a path below the address."""
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


def environment() -> dict[str, str]:
    """This one without anybody's own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HEDGEROW_")}


@contextmanager
def running_node(data: Path, *arguments: str, within: Sequence[str] = ()) -> Iterator[RunningNode]:
    """Start a node on any free port and wait until it says that it listens.

    ``within`` is a command that runs another one, somewhere: it stands before the node's own.
    """
    serve = ("-m", "hedgerow_node", "serve", "--data", str(data), "--port", "0", *arguments)
    command = [*within, sys.executable, *serve]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if "http" not in line:
                process.kill()
                raise AssertionError(f"The node did not start: {line} {process.communicate()[1]}")
            yield RunningNode(process, line.split()[-1])
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()
