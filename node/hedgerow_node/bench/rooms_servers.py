"""The servers that the rooms' bench starts, and the processes of clients that it lets loose on them."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hedgerow_node.bench.processes import cpu_seconds, process
from hedgerow_node.bench.rooms_dialects import Place

SETTLED_SECONDS_MAX: Final = 60.0
"""Seconds. Until everything that was answered has been heard by all."""

_LOAD: Final = (sys.executable, "-m", "hedgerow_node.bench.rooms_load")
_MOSQUITTO: Final = ("mosquitto", "/usr/sbin/mosquitto")


@dataclass(frozen=True, slots=True)
class Server:
    """A running one."""

    dialect: str
    pid: int
    address: str

    def place(self, room: dict[str, Any]) -> Place:
        """For a room of the world."""
        parts = urlsplit(self.address)
        path = {"node": f"{parts.path}api/v1", "synapse": parts.path}.get(self.dialect, "")
        return Place(parts.hostname or "", parts.port or 0, path, room["room"], room["epoch"])

    @property
    def resident_kib(self) -> int:
        """KiB that it holds in memory."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        return int(found.group(1)) if found else 0

    @property
    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        return cpu_seconds(self.pid)


@contextmanager
def node(data: Path, *settings: str) -> Iterator[Server]:
    """A node as a keeper starts it."""
    with process("-m", "hedgerow_node", "serve", "--data", str(data), "--port", "0", *settings) as (started, address):
        yield Server("node", started.pid, address)


@contextmanager
def bare(folder: Path) -> Iterator[Server]:
    """The prototype."""
    with process("-m", "hedgerow_node.bench.rooms_bare", str(folder / "bare.db")) as (started, address):
        yield Server("bare", started.pid, address)


@contextmanager
def mosquitto(folder: Path) -> Iterator[Server | None]:
    """An MQTT broker; ``None`` where it is not installed."""
    binary = next((found for each in _MOSQUITTO if (found := shutil.which(each))), None)
    if binary is None:
        yield None
        return
    port = free_port()
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n")
    with subprocess.Popen([binary, "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        try:
            wait_for(port)
            yield Server("mqtt", started.pid, f"mqtt://127.0.0.1:{port}/")
        finally:
            started.kill()


def free_port() -> int:
    """A port of 127.0.0.1 at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + SETTLED_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def _load(asked: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(_LOAD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            _say(started, asked)
            yield started
        finally:
            started.kill()


def _say(started: "subprocess.Popen[str]", asked: dict[str, Any]) -> None:
    assert started.stdin is not None  # noqa: S101 - a pipe was asked for
    started.stdin.write(json.dumps(asked) + "\n")
    started.stdin.flush()


def _hear(started: "subprocess.Popen[str]") -> dict[str, Any]:
    assert started.stdout is not None  # noqa: S101 - the same
    line = started.stdout.readline()
    if not line:
        raise RuntimeError("the clients of the bench ended before they had answered")
    told: dict[str, Any] = json.loads(line)
    return told


class Crowd:
    """Devices that listen, in a process of their own."""

    def __init__(self, started: "subprocess.Popen[str]", many: int) -> None:
        self._started = started
        self.many = many
        """Those that read."""

    def ask(self, what: str) -> dict[str, Any]:
        """``reset``, ``report`` or ``ended``."""
        _say(self._started, {"do": what})
        return _hear(self._started)

    def speak(self, *, window: int, seconds: float, size: int = 300, tag: int = 0) -> dict[str, Any]:
        """They say something, each over its own connection. See :class:`hedgerow_node.bench.rooms_talk.Talk`."""
        _say(self._started, {"do": "speak", "window": window, "seconds": seconds, "size": size, "tag": tag})
        return _hear(self._started)

    def settled(self, entries: int) -> dict[str, Any]:
        """Wait until each has heard so many entries; what they say of them. Raises RuntimeError if they do not."""
        deadline = time.monotonic() + SETTLED_SECONDS_MAX
        while True:
            told = self.ask("report")
            least, most = told["bytes"]
            if least == most and set(told["entries"]) == {entries}:
                if told["gaps"]:
                    raise RuntimeError("entries came out of their order")
                return told
            if time.monotonic() > deadline or max(told["entries"]) > entries:
                raise RuntimeError(f"{entries} entries were written, and heard: {told}")
            time.sleep(0.02)


@contextmanager
def crowd(server: Server, room: dict[str, Any], many: int, *, stalled: int = 0) -> Iterator[Crowd]:
    """Connect so many devices of a room; the first ``stalled`` of them read nothing."""
    asked = {
        "do": "listen",
        "dialect": server.dialect,
        "place": asdict(server.place(room)),
        "devices": room["devices"][:many],
        "stalled": stalled,
    }
    with _load(asked) as started:
        if _hear(started)["connected"] != many:
            raise RuntimeError("not all devices could connect")
        yield Crowd(started, many - stalled)


class Sender:
    """Messages on their way, sent by a process of its own."""

    def __init__(self, started: "subprocess.Popen[str]") -> None:
        self._started = started

    def done(self) -> dict[str, Any]:
        """Wait; what became of them."""
        return _hear(self._started)


@contextmanager
def sender(
    server: Server,
    room: dict[str, Any],
    *,
    window: int,
    seconds: float,
    size: int = 300,
    devices: Sequence[Any] | None = None,
    tag: int = 0,
    every: float = 0.0,
    flood: bool = False,
) -> Iterator[Sender]:
    """See :func:`hedgerow_node.bench.rooms_load.send`, and :func:`hedgerow_node.bench.rooms_talk.flood`."""
    asked = {
        "do": "flood" if flood else "send",
        "dialect": server.dialect,
        "place": asdict(server.place(room)),
        "devices": devices if devices is not None else room["devices"],
        "window": window,
        "seconds": seconds,
        "size": size,
        "tag": tag,
        "every": every,
    }
    with _load(asked) as started:
        yield Sender(started)
