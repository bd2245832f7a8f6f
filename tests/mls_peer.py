"""A member of a room built on another MLS implementation (AWS mls-rs), and the way to the one in ``webui/``.

:class:`Bridge` runs the TypeScript engine in Node.js. :class:`RoomPeer` knows rooms from docs/protocol/rooms.md alone:
it asks to join, takes its Welcome, reads and writes events, follows commits and opens their proofs. It does not
commit: the binding sends its commits as PublicMessages, which a room does not take.
"""

import json
import os
import subprocess
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import mls_rs_uniffi as mls
import nacl.signing
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

WEBUI = Path(__file__).resolve().parents[1] / "webui"
BUCKETS = (256, 1024, 4096, 16_384, 65_536)


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def fields(label: str, *values: bytes | int) -> bytes:
    parts = [label.encode(), *(value.to_bytes(8, "big") if isinstance(value, int) else value for value in values)]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pad(content: bytes) -> bytes:
    size = next(size for size in BUCKETS if len(content) + 4 <= size)
    return (len(content).to_bytes(4, "big") + content).ljust(size, b"\0")


def unpad(padded: bytes) -> bytes:
    return padded[4 : 4 + int.from_bytes(padded[:4], "big")]


class BridgeError(Exception):
    """What the other side would not do."""


class Bridge:
    """The TypeScript engine in a Node.js of its own. Use as a context manager."""

    def __init__(self, node: Path) -> None:
        self._process = subprocess.Popen(
            [node, "tests/mls-bridge.ts"], cwd=WEBUI, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def __call__(self, do: str, name: str = "", **values: object) -> Any:
        """One request; raises :class:`BridgeError` with the engine's fault."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, "name": name, **values}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise BridgeError(answer["error"])
        return answer["is"]


class Engine:
    """One leaf on mls-rs."""

    def __init__(self, credential: bytes, keypair: Any) -> None:
        self.leaf = bytes(keypair.public_key.bytes)
        self.client = mls.Client(credential, keypair, mls.client_config_default())
        self.key_package: bytes = self.client.generate_key_package_message().to_bytes()
        self.group: Any = None

    @classmethod
    def named(cls, name: str) -> "Engine":
        return cls(name.encode(), mls.generate_signature_keypair(mls.CipherSuite.CURVE25519_AES128))

    def join(self, welcome: bytes) -> None:
        self.group = self.client.join_group(None, mls.Message.from_bytes(welcome)).group

    def receive(self, payload: bytes) -> Any:
        return self.group.process_incoming_message(mls.Message.from_bytes(payload))

    def seal(self, text: bytes) -> bytes:
        sealed: bytes = self.group.encrypt_application_message(text).to_bytes()
        return sealed

    def exporter(self, label: bytes, context: bytes) -> bytes:
        secret: bytes = self.group.export_secret(label, context, 32)
        return bytes(getattr(secret, "bytes", secret))


class Outside:
    """What a PrivateMessage says on its outside (RFC 9420, 6.3): group, epoch and authenticated data."""

    def __init__(self, payload: bytes) -> None:
        assert payload[:4] == b"\x00\x01\x00\x02"
        self._left = payload[4:]
        self.group = self._vector()
        self.epoch = int.from_bytes(self._take(8), "big")
        self.kind = self._take(1)[0]
        self.data = self._vector()

    def _take(self, count: int) -> bytes:
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def _vector(self) -> bytes:
        first = self._take(1)[0]
        more = self._take((1 << (first >> 6)) - 1)
        return self._take(int.from_bytes(bytes([first & 0x3F]) + more, "big"))


class RoomPeer:
    """A person with one device, made of other libraries."""

    def __init__(self, room: bytes, name: str) -> None:
        self.room = room
        self.name = name
        self.key = nacl.signing.SigningKey(os.urandom(32))
        self.identity = bytes(self.key.verify_key)
        self.mailbox = os.urandom(16)
        keypair = mls.generate_signature_keypair(mls.CipherSuite.CURVE25519_AES128)
        leaf = bytes(keypair.public_key.bytes)
        certificate = self._sign("hedgerow device certificate v1", leaf, self.mailbox)
        self.engine = Engine(b"\x01" + self.identity + self.mailbox + certificate, keypair)

    def _sign(self, label: str, *values: bytes | int) -> bytes:
        signature: bytes = self.key.sign(fields(label, self.room, *values)).signature
        return signature

    def ask(self) -> dict[str, object]:
        """What a newcomer hands to whoever invited them."""
        signature = self._sign("hedgerow profile v1", 0, self.name.encode())
        profile = {"by": b64(self.identity), "version": 0, "name": self.name, "signature": b64(signature)}
        return {
            "id": b64(os.urandom(16)),
            "identity": b64(self.identity),
            "ref": b64(_reference(self.engine.key_package)),
            "consent": b64(os.urandom(16)),
            "profile": profile,
        }

    def join(self, welcome: bytes) -> None:
        self.engine.join(welcome)

    def read(self, payload: bytes) -> dict[str, Any]:
        """The event in an application message."""
        received = self.engine.receive(payload)
        assert received.is_application_message()
        event: dict[str, Any] = json.loads(unpad(bytes(received.data)))
        return event

    def write(self, event: dict[str, object]) -> bytes:
        return self.engine.seal(pad(canonical(event)))

    def follow(self, payload: bytes) -> dict[str, Any]:
        """Applies a commit; its proofs, which only a member of the epoch before can open."""
        outside = Outside(payload)
        assert outside.group == self.room
        key = self.engine.exporter(b"hedgerow proofs v1", self.room)
        assert outside.data[0] == 1
        proofs: dict[str, Any] = json.loads(AESGCM(key).decrypt(outside.data[1:13], outside.data[13:], b""))
        assert self.engine.receive(payload).is_commit()
        return proofs


def _reference(message: bytes) -> bytes:
    """RFC 9420, 5.2: the reference of a KeyPackage, given in an MLSMessage."""

    def vector(data: bytes) -> bytes:
        size = len(data)
        head = bytes([size]) if size < 64 else (0x4000 | size).to_bytes(2, "big")
        return head + data

    return sha256(vector(b"MLS 1.0 KeyPackage Reference") + vector(message[4:])).digest()
