"""How the bench's raw clients speak to each server: the node, the bare prototype, an MQTT broker, Synapse."""

import base64
import json
import os
import re
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any, Final, Protocol

from hedgerow_node.bench.rooms_world import APPLICATION, private_message
from hedgerow_protocol import base64url
from hedgerow_protocol.base64url import encode as b64

ID: Final = re.compile(rb'"id":"([\w-]{22})"')
"""What every message carries, in every dialect: when it was sent, and by whom (see :func:`message_id`)."""

ID_PLACE: Final = b"@" * 22
_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def message_id(tag: int) -> bytes:
    """16 bytes as 22 letters: the monotonic clock of this machine (ns), a tag, and noise."""
    return base64url.letters(struct.pack("!QB", time.monotonic_ns(), tag) + os.urandom(7))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens, and the room that is written to."""

    host: str
    port: int
    path: str
    """Of the API, or of nothing."""
    room: str
    epoch: int


class Dialect(Protocol):
    """What the load asks of a dialect."""

    acknowledges: bool

    def listen(self, place: Place, device: list[str]) -> socket.socket:
        """A connection that hears the room from now on."""
        ...

    def sender(self, place: Place) -> socket.socket:
        """A connection to send on."""
        ...

    def request(self, place: Place, device: list[str], size: int) -> bytes:
        """One message, with twenty-two ``@`` in the place of its id."""
        ...

    def answered(self, data: bytes) -> bool | None:
        """Whether what came back is an answer, and a yes; ``None`` while it is not whole."""
        ...

    def utterance(self, place: Place, device: list[str], size: int) -> bytes:
        """One message that a listener sends over its own connection, with twenty-two ``@`` in the place of its id."""
        ...

    def answer_among(self, data: bytes) -> tuple[int, bool] | None:
        """The answer to an utterance among what a listener hears: its bytes on the line, and whether it is a yes.

        ``None`` while none begins in ``data``.
        """
        ...


ANSWER_BEGINNING_MAX: Final = 16
"""Bytes. From the begin of such an answer to where it is told from everything else."""


def _frame_among(data: bytes) -> tuple[int, bool] | None:
    at = data.find(b'{"submitted":')
    if at >= 2:
        return 2 + data[at - 1], True  # a short frame: its second byte is its length
    return (0, False) if b'{"refused":' in data else None


def connect(place: Place) -> socket.socket:
    """A TCP connection without Nagle's delay."""
    made = socket.create_connection((place.host, place.port), timeout=30)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def upgrade(place: Place, path: str) -> socket.socket:
    """A WebSocket, upgraded."""
    made = connect(place)
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {place.host}:{place.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    made.sendall(head.encode())
    said = read_until(made, b"\r\n\r\n")
    if b" 101 " not in said:
        raise RuntimeError(f"no WebSocket: {said[:200]!r}")
    return made


def read_until(made: socket.socket, end: bytes) -> bytes:
    """What comes until then, read byte by byte so that nothing behind it is lost."""
    said = bytearray()
    while not said.endswith(end):
        more = made.recv(1)
        if not more:
            raise RuntimeError(f"the connection ended: {bytes(said[:200])!r}")
        said += more
    return bytes(said)


def read_exactly(made: socket.socket, size: int) -> bytes:
    """So many bytes."""
    said = bytearray()
    while len(said) < size:
        more = made.recv(size - len(said))
        if not more:
            raise RuntimeError("the connection ended")
        said += more
    return bytes(said)


def read_frame(made: socket.socket) -> bytes:
    """The payload of one frame from a server."""
    size = read_exactly(made, 2)[1]
    if size == 126:
        (size,) = struct.unpack("!H", read_exactly(made, 2))
    elif size == 127:
        (size,) = struct.unpack("!Q", read_exactly(made, 8))
    return read_exactly(made, size)


def client_frame(payload: bytes, opcode: int = 1) -> bytes:
    """A frame from a client, masked with zeros (which changes nothing)."""
    size = len(payload)
    head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
    return head + bytes(4) + payload


def _http(place: Place, path: str, body: bytes, authorization: str = "") -> bytes:
    token = f"Authorization: Bearer {authorization}\r\n" if authorization else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {place.host}:{place.port}\r\n{token}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _http_answered(data: bytes) -> bool | None:
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return None
    length = _LENGTH.search(head)
    if length is not None and len(body) < int(length.group(1)):
        return None
    return data.startswith(b"HTTP/1.1 200")


class Node:
    """``/api/v1`` of a node: HTTP to send, the live socket to hear."""

    acknowledges = True

    def listen(self, place: Place, device: list[str]) -> socket.socket:
        made = upgrade(place, f"{place.path}/live")
        made.sendall(client_frame(json.dumps({"token": device[0]}).encode()))
        hello = json.loads(read_frame(made))
        if "hello" not in hello:
            raise RuntimeError("the node said no hello")
        return made

    def sender(self, place: Place) -> socket.socket:
        return connect(place)

    def _submission(self, place: Place, device: list[str], size: int) -> dict[str, Any]:
        room = _unb64(place.room)
        return {
            "mailbox": device[1],
            "id": ID_PLACE.decode(),
            "kind": "message",
            "epoch": place.epoch,
            "seen": 0,
            "payload": b64(private_message(room, place.epoch, APPLICATION, size=size)),
        }

    def request(self, place: Place, device: list[str], size: int) -> bytes:
        body = json.dumps(self._submission(place, device, size), separators=(",", ":")).encode()
        return _http(place, f"{place.path}/rooms/{place.room}/log", body, device[0])

    def answered(self, data: bytes) -> bool | None:
        return _http_answered(data)

    def utterance(self, place: Place, device: list[str], size: int) -> bytes:
        said = {"submit": {"room": place.room, **self._submission(place, device, size)}, "n": 1}
        return client_frame(json.dumps(said, separators=(",", ":")).encode())

    def answer_among(self, data: bytes) -> tuple[int, bool] | None:
        return _frame_among(data)


def _text(place: Place, size: int) -> bytes:
    """A message of the same size for servers that know neither devices nor MLS."""
    said = {
        "room": place.room,
        "id": ID_PLACE.decode(),
        "epoch": place.epoch,
        "payload": b64(os.urandom(size // 3 * 3)),
    }
    return json.dumps(said, separators=(",", ":")).encode()


class Bare:
    """The prototype of :mod:`hedgerow_node.bench.rooms_bare`, asked over HTTP as the node is."""

    acknowledges = False

    def listen(self, place: Place, device: list[str]) -> socket.socket:
        made = upgrade(place, "/live")
        read_frame(made)
        return made

    def sender(self, place: Place) -> socket.socket:
        return connect(place)

    def request(self, place: Place, device: list[str], size: int) -> bytes:
        return _http(place, "/append", _text(place, size))

    def answered(self, data: bytes) -> bool | None:
        return _http_answered(data)

    def utterance(self, place: Place, device: list[str], size: int) -> bytes:
        return client_frame(b'{"submit":' + _text(place, size) + b',"n":1}')

    def answer_among(self, data: bytes) -> tuple[int, bool] | None:
        return _frame_among(data)


class Mqtt:
    """An MQTT 3.1.1 broker: senders with quality of service 1, so that they hear an answer; receivers with 0."""

    acknowledges = False

    def _session(self, place: Place) -> socket.socket:
        made = connect(place)
        name = os.urandom(8).hex().encode()
        body = b"\0\x04MQTT\x04\x02\0\0" + struct.pack("!H", len(name)) + name
        made.sendall(bytes((0x10, len(body))) + body)
        if read_exactly(made, 4)[3] != 0:
            raise RuntimeError("the broker refused a connection")
        return made

    def listen(self, place: Place, device: list[str]) -> socket.socket:
        made = self._session(place)
        body = b"\0\x01\0\x04room\0"
        made.sendall(bytes((0x82, len(body))) + body)
        read_exactly(made, 5)
        return made

    def sender(self, place: Place) -> socket.socket:
        return self._session(place)

    def request(self, place: Place, device: list[str], size: int) -> bytes:
        body = b"\0\x04room\0\x01" + _text(place, size)
        length, many = bytearray(), len(body)
        while True:
            many, low = divmod(many, 128)
            length.append(low | (0x80 if many else 0))
            if not many:
                return b"\x32" + bytes(length) + body

    def answered(self, data: bytes) -> bool | None:
        return data[0] == 0x40 if len(data) >= 4 else None

    def utterance(self, place: Place, device: list[str], size: int) -> bytes:
        return self.request(place, device, size)

    def answer_among(self, data: bytes) -> tuple[int, bool] | None:
        # PUBACK of the one message identifier that is used. No text holds these bytes, and no other packet begins so.
        return (4, True) if b"\x40\x02\0\x01" in data else None


class Synapse:
    """Matrix's client API, to send: an event of the same size that is encrypted already. It is heard by ``/sync``."""

    acknowledges = False

    def listen(self, place: Place, device: list[str]) -> socket.socket:
        raise NotImplementedError("a long poll is no stream: see federation_matrix")

    def sender(self, place: Place) -> socket.socket:
        return connect(place)

    def request(self, place: Place, device: list[str], size: int) -> bytes:
        return _http(place, f"{place.path}/rooms/{place.room}/send/m.room.encrypted", _text(place, size), device[0])

    def answered(self, data: bytes) -> bool | None:
        return _http_answered(data)

    def utterance(self, place: Place, device: list[str], size: int) -> bytes:
        raise NotImplementedError("nothing is sent over a long poll")

    def answer_among(self, data: bytes) -> tuple[int, bool] | None:
        raise NotImplementedError("nothing is sent over a long poll")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


DIALECTS: Final[dict[str, Dialect]] = {"node": Node(), "bare": Bare(), "mqtt": Mqtt(), "synapse": Synapse()}
