"""Nodes that are peers of each other, and members of one room on several of them: let in over HTTP, as apps do it."""

import asyncio
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hedgerow_node import clock
from hedgerow_node.bench import rooms_servers
from hedgerow_node.bench.rooms_dialects import DIALECTS, read_frame
from hedgerow_node.bench.rooms_servers import Server
from hedgerow_node.bench.rooms_world import COMMIT, DAY_SECONDS, World, key_package, private_message, welcome
from hedgerow_node.config import Config
from hedgerow_node.directory import door_control
from hedgerow_protocol import limits
from hedgerow_protocol.base64url import encode as b64
from hedgerow_protocol.delivery.key_package import ref_of

SILENT_SECONDS_MAX: Final = 20.0
"""Seconds. Servers keep a silent connection for a minute or so."""

PATIENCE_SECONDS: Final = 60.0
"""Seconds. Until the nodes are linked, and until a newcomer has a Welcome."""


class Line(http.client.HTTPConnection):
    """A connection that is kept, and opened anew when it was silent for so long that the server may have closed it."""

    _used = 0.0

    def answer(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of an answer."""
        if time.monotonic() > self._used + SILENT_SECONDS_MAX:
            self.close()
        self.request(method, path, body, headers)
        answer = self.getresponse()
        data = answer.read()
        self._used = time.monotonic()
        return answer.status, data


class Device:
    """One device of a member, on one connection that is kept."""

    def __init__(self, address: str, token: bytes) -> None:
        parts = urlsplit(address)
        self._path = f"{parts.path}api/v1"
        self._line = Line(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
        self._headers = {"Authorization": f"Bearer {b64(token)}", "Content-Type": "application/json"}
        self.token = b64(token)

    def ask(self, method: str, path: str, said: Any = None) -> Any:
        """What the node answers. While another node has not answered yet, it is asked again, as an app does."""
        body = json.dumps(said) if said is not None else None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, data = self._line.answer(method, self._path + path, body, self._headers)
            if status < 300:
                return json.loads(data) if data else None
            if status != 503 or time.monotonic() > deadline:
                raise RuntimeError(f"{method} {path.split('/')[1]} was answered with {status}: {data[:200]!r}")
            time.sleep(0.2)

    def close(self) -> None:
        """End the connection."""
        self._line.close()


@dataclass
class Home:
    """A running node, and devices of accounts that it keeps."""

    data: Path
    server: Server
    devices: list[Device]
    node_id: str = ""

    def traffic(self) -> int:
        """Bytes of channels' messages that went over this node's links so far, both ways."""
        status = asyncio.run(door_control.call(Config(data=self.data).control_socket, "GET", "/peers"))
        return sum(each["bytes_in"] + each["bytes_out"] for each in status["links"])

    def settled(self, links: int) -> None:
        """Wait for so many links."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        socket = Config(data=self.data).control_socket
        while asyncio.run(door_control.call(socket, "GET", "/peers"))["connected"] < links:
            if time.monotonic() > deadline:
                raise RuntimeError("the nodes of the bench did not link")
            time.sleep(0.1)


def fill(data: Path, members: int) -> list[bytes]:
    """Accounts in a folder on which no node runs yet; the tokens of their devices."""

    async def filled() -> list[bytes]:
        world = World(data)
        try:
            return [each.token for each in await world.members(members)]
        finally:
            await world.close()

    return asyncio.run(filled())


@contextmanager
def home(data: Path, tokens: Sequence[bytes], fanout_ms: int, peers: Sequence[Home]) -> Iterator[Home]:
    """A node on this folder, linked to those that run already."""
    settings = ["--fanout-ms", str(fanout_ms)]
    for each in peers:
        settings += ["--peer", each.server.address.rstrip("/")]
    with rooms_servers.node(data, *settings) as server:
        devices = [Device(server.address, token) for token in tokens]
        made = Home(data, server, devices)
        try:
            made.node_id = devices[0].ask("GET", "/accounts/self")["node_id"]
            made.settled(len(peers))
            yield made
        finally:
            for device in devices:
                device.close()


@dataclass(frozen=True, slots=True)
class Offer:
    """A KeyPackage that a newcomer has offered at home."""

    home: Home
    device: Device
    ref: bytes
    consent: bytes
    mailbox: bytes


def offer(at: Home, device: Device) -> Offer:
    """Offer one."""
    mailbox, consent, until = os.urandom(16), os.urandom(32), int(clock.now()) + DAY_SECONDS
    message, body = key_package(mailbox, until + DAY_SECONDS)
    ref = ref_of(body)
    said = {
        "ref": b64(ref),
        "key_package": b64(message),
        "mailbox": b64(mailbox),
        "consent_hash": b64(sha256(consent).digest()),
        "expires": until,
    }
    device.ask("POST", "/key-packages", [said])
    return Offer(at, device, ref, consent, mailbox)


@dataclass
class FarRoom:
    """A room, and who is in it."""

    hub: Home
    id: bytes
    epoch: int = 0
    seen: int = 0
    places: list[tuple[Home, Device, bytes]] = field(default_factory=list)
    """Home, device and mailbox of each; the founder's first."""

    def at(self, home: Home) -> dict[str, Any]:
        """For the processes of clients that speak to this node."""
        devices = [[device.token, b64(mailbox)] for where, device, mailbox in self.places if where is home]
        return {"room": b64(self.id), "epoch": self.epoch, "devices": devices}

    def claim(self, by: tuple[Home, Device], made: Offer) -> None:
        """Have a member's node fetch a newcomer's KeyPackage."""
        said = {"ref": b64(made.ref), "consent": b64(made.consent)}
        if made.home is not by[0]:
            said["home"] = made.home.node_id
        by[1].ask("POST", "/key-packages/claim", said)

    def commit(self, index: int, newcomers: Sequence[tuple[str, bytes, bytes]]) -> None:
        """Let these in: node, reference of the KeyPackage and mailbox of each. The member of that place does it."""
        _, device, mailbox = self.places[index]
        welcomes = []
        for node, ref, new in newcomers:
            said = {"ref": b64(ref), "payload": b64(welcome(ref))}
            welcomes.append(said | ({"home": node, "mailbox": b64(new)} if node != self.hub.node_id else {}))
        submission = {
            "mailbox": b64(mailbox),
            "id": b64(os.urandom(16)),
            "kind": "commit",
            "epoch": self.epoch,
            "seen": self.seen,
            "payload": b64(private_message(self.id, self.epoch, COMMIT, size=1_000)),
            "welcomes": welcomes,
        }
        self.seen = device.ask("POST", f"/rooms/{b64(self.id)}/log", submission)["seq"]
        self.epoch += 1

    def let_in(self, index: int, offers: Sequence[Offer]) -> None:
        """Claims, commits, and the Welcomes of these newcomers, who then hold a place."""
        by = self.places[index][:2]
        for each in offers:
            self.claim(by, each)
        for start in range(0, len(offers), limits.WELCOMES_MAX):
            part = offers[start : start + limits.WELCOMES_MAX]
            self.commit(index, [(each.home.node_id, each.ref, each.mailbox) for each in part])
        for each in offers:
            take_welcome(each)
            self.places.append((each.home, each.device, each.mailbox))
        self.settled()

    def settled(self) -> None:
        """Wait until all nodes with a place in it have its log: what is heard afterwards is what is said afterwards."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        for device in {home.node_id: device for home, device, _ in self.places}.values():
            while device.ask("GET", f"/rooms/{b64(self.id)}/log?after={self.seen}&limit=1")["head"]["seq"] < self.seen:
                if time.monotonic() > deadline:
                    raise RuntimeError("a node did not hear of a commit")
                time.sleep(0.02)


def found(hub: Home, device: Device) -> FarRoom:
    """A new room with one member, at this device's home."""
    room, mailbox = os.urandom(32), os.urandom(16)
    device.ask("POST", "/rooms", {"room": b64(room), "mailbox": b64(mailbox)})
    return FarRoom(hub, room, places=[(hub, device, mailbox)])


def take_welcome(made: Offer) -> None:
    """Wait until it is there; then it is acknowledged."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        for each in made.device.ask("GET", "/welcomes"):
            if each["ref"] == b64(made.ref):
                made.device.ask("DELETE", f"/welcomes/{each['id']}")
                return
        if time.monotonic() > deadline:
            raise RuntimeError("a Welcome did not come")
        time.sleep(0.05)


def listen(at: Home, device: Device) -> socket.socket:
    """The live socket of a device, after its hello."""
    return DIALECTS["node"].listen(at.server.place({"room": "", "epoch": 0}), [device.token])


def heard_of_welcome(made: socket.socket) -> None:
    """Wait for the frame that says so."""
    while "welcomes" not in json.loads(read_frame(made)):
        pass
