"""Runs commands in this process, as ``hedgerow`` would, and gives back what they printed."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hedgerow_node.cli import main


@dataclass
class CommandLine:
    """One data folder and its commands."""

    data: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
        """Run a command with ``--data``; check its exit code; return its output and what it said on the side."""
        self.capsys.readouterr()
        ended = main([*map(str, arguments), "--data", str(self.data)])
        out, err = self.capsys.readouterr()
        assert ended == code, f"{arguments} ended with {ended}: {out} {err}"
        assert "Traceback" not in out + err
        assert "inside Hedgerow" not in err, err
        return out, err

    def json(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        """Run it with ``--json``."""
        out, _ = self.run(*arguments, "--json", code=code)
        answer: dict[str, Any] = json.loads(out)
        return answer

    def fails(self, *arguments: str | Path, code: int = 1) -> str:
        """Run a command that must not work; return its sentence."""
        out, err = self.run(*arguments, code=code)
        assert out == "", out
        assert err.strip(), "it must say why"
        return err.strip()

    def connected(self, many: int, seconds: float = 20.0) -> dict[str, Any]:
        """What ``peers list`` says once the running node has so many links; not before."""
        deadline = time.monotonic() + seconds
        while (answer := self.json("peers", "list"))["connected"] != many:
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer

    def state_hash(self) -> str:
        """Of the folder's store, without a running node."""
        import asyncio

        from hedgerow_node import clock
        from hedgerow_node.config import Config
        from hedgerow_node.directory.door import read_directory

        async def read() -> str:
            async with read_directory(Config(data=self.data)) as reading:
                return (await reading.directory.status(now=clock.now())).state_hash

        return asyncio.run(read())
