"""A cable between clients and a node that keeps everything that goes through it, in both directions."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle


@dataclass
class Conversation:
    """One connection: what the client said and what the node answered, whole."""

    asked: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)

    def unmasked(self) -> bytes:
        """What the client said in WebSocket frames. They go masked (RFC 6455, 5.3): as they are they hide all."""
        asked = bytes(self.asked)
        upgrade = asked.lower().find(b"\r\nupgrade: websocket\r\n")
        if upgrade < 0:
            return b""
        rest = asked[asked.index(b"\r\n\r\n", upgrade) + 4 :]
        found = b""
        while len(rest) >= 2:
            size, at = rest[1] & 0x7F, 2
            if size >= 126:
                at = 4 if size == 126 else 10
                size = int.from_bytes(rest[2:at], "big")
            assert rest[1] & 0x80, "a client masks"
            mask, at = rest[at : at + 4], at + 4
            found += bytes(byte ^ key for byte, key in zip(rest[at : at + size], cycle(mask), strict=False)) + b"\n"
            rest = rest[at + size :]
        return found


class Wire:
    """Listens on a port of its own and passes everything on."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.conversations: list[Conversation] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients call."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:  # closed
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:  # the node has gone
                near.close()
                continue
            conversation = Conversation()
            self.conversations.append(conversation)
            for source, target, kept in ((near, far, conversation.asked), (far, near, conversation.answered)):
                threading.Thread(target=self._pass_on, args=(source, target, kept), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        try:
            while data := source.recv(65_536):
                kept += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # the other end has gone
            target.close()

    def close(self) -> None:
        """Take no more calls. Those under way end with their ends."""
        self._listening.close()


@contextmanager
def recording(port: int) -> Iterator[Wire]:
    """A cable to a port of this machine."""
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
