"""A line of small networks of their own (Linux network namespaces): each is cabled to its neighbours only."""

import ctypes
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

IP = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin:/usr/local/sbin")

_CLONE_NEWNET = 0x40000000
_T = TypeVar("_T")


@dataclass(frozen=True)
class Namespace:
    """One network and a thread that stands in it."""

    name: str
    thread: ThreadPoolExecutor

    @property
    def within(self) -> tuple[str, ...]:
        """Put before a command, it runs the command in here."""
        return (_ip(), "netns", "exec", self.name)

    def do(self, work: Callable[[], _T]) -> _T:
        """Call something that opens sockets in here."""
        return self.thread.submit(work).result(30)

    def get(self, url: str) -> str:
        """The text at a web address, as somebody in this network reads it."""

        def read() -> str:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())

        return self.do(read)


@dataclass(frozen=True)
class Line:
    """Networks in a row."""

    places: tuple[Namespace, ...]

    def address(self, number: int) -> str:
        """Where the network of this number is, as its right-hand neighbour sees it."""
        return f"10.77.{number}.1"

    def cable(self, left: int, *, up: bool) -> None:
        """Cut the cable between a network and its right-hand neighbour, or mend it."""
        end, state = f"right{left}", "up" if up else "down"
        _run("-n", self.places[left].name, "link", "set", end, state)


def _ip() -> str:
    assert IP is not None, "REQUIRE_NAMESPACES=1, and there is no ip command (apt-get install iproute2)"
    return IP


def _run(*arguments: str) -> None:
    done = subprocess.run([_ip(), *arguments], capture_output=True, text=True, timeout=30)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def _enter(name: str) -> None:
    """Put the calling thread, and no other, into a namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    file = os.open(Path("/run/netns") / name, os.O_RDONLY)
    try:
        if libc.setns(file, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(file)


@contextmanager
def line(count: int) -> Iterator[Line]:
    """So many networks in a row. Skips the test where they cannot be made, unless ``REQUIRE_NAMESPACES=1``."""
    prefix = f"hedgerow-test-{os.getpid()}"
    with ExitStack() as stack:
        try:
            if IP is None:
                raise OSError("there is no ip command (apt-get install iproute2)")
            places = tuple(stack.enter_context(_place(f"{prefix}-{number}")) for number in range(count))
            for number in range(count - 1):
                _join(places, number)
        except OSError as error:
            if os.environ.get("REQUIRE_NAMESPACES") == "1":
                raise
            pytest.skip(f"network namespaces cannot be made here: {error}; REQUIRE_NAMESPACES=1 makes this a failure")
        yield Line(places)


@contextmanager
def _place(name: str) -> Iterator[Namespace]:
    _run("netns", "add", name)
    try:
        _run("-n", name, "link", "set", "lo", "up")
        with ThreadPoolExecutor(1, initializer=_enter, initargs=(name,)) as thread:
            place = Namespace(name, thread)
            subprocess.run([*place.within, "true"], check=True, capture_output=True, timeout=30)
            place.do(os.getpid)  # a thread that cannot enter says so now
            yield place
    except subprocess.CalledProcessError as error:
        raise OSError(f"nothing can be started in a namespace: {error.stderr.decode().strip()}") from error
    except RuntimeError as error:
        raise OSError(f"a thread cannot enter a namespace: {error}") from error
    finally:
        # Its end of each cable goes with it, and so does the other end.
        _run("netns", "delete", name)


def _join(places: tuple[Namespace, ...], left: int) -> None:
    """A cable to the right-hand neighbour; both ends are made inside, so nothing is ever seen outside."""
    here, there = places[left].name, places[left + 1].name
    mine, theirs = f"right{left}", f"left{left + 1}"
    _run("-n", here, "link", "add", mine, "type", "veth", "peer", "name", theirs, "netns", there)
    for name, end, address in ((here, mine, f"10.77.{left}.1/30"), (there, theirs, f"10.77.{left}.2/30")):
        _run("-n", name, "addr", "add", address, "dev", end)
        _run("-n", name, "link", "set", end, "up")
