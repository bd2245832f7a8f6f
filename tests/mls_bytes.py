"""MLS messages as a node sees them (RFC 9420): well-formed headers, real signatures, and nothing inside.

The node has no MLS engine. What it checks of a message (its kind, its room, its epoch, a KeyPackage's signatures) is
genuine here; what only members could open is noise.
"""

import os
import struct
from dataclasses import dataclass
from hashlib import sha256

from nacl.signing import SigningKey

SUITE = 1
APPLICATION, PROPOSAL, COMMIT = 1, 2, 3
PUBLIC_MESSAGE, PRIVATE_MESSAGE, WELCOME, KEY_PACKAGE = 1, 2, 3, 5


def vector(data: bytes) -> bytes:
    """``opaque data<V>`` (RFC 9420, 2.1.2)."""
    size = len(data)
    if size < 64:
        return bytes((size,)) + data
    if size < 16_384:
        return struct.pack("!H", 0x4000 | size) + data
    return struct.pack("!I", 0x8000_0000 | size) + data


def private_message(room: bytes, epoch: int, content: int, *, size: int = 80, aad: bytes = b"") -> bytes:
    """A PrivateMessage in its MLSMessage."""
    head = struct.pack("!HH", 1, PRIVATE_MESSAGE) + vector(room) + struct.pack("!QB", epoch, content)
    return head + vector(aad) + vector(os.urandom(28)) + vector(os.urandom(size))


def public_message(room: bytes, epoch: int) -> bytes:
    """A commit as a PublicMessage, which no node takes."""
    body = vector(room) + struct.pack("!Q", epoch) + b"\x01" + struct.pack("!I", 0) + vector(b"") + bytes((COMMIT,))
    return struct.pack("!HH", 1, PUBLIC_MESSAGE) + body + os.urandom(60)


def application(room: bytes, epoch: int, *, size: int = 280) -> bytes:
    """A message of a member."""
    return private_message(room, epoch, APPLICATION, size=size)


def commit(room: bytes, epoch: int, *, size: int = 500) -> bytes:
    """A commit that ends ``epoch``."""
    return private_message(room, epoch, COMMIT, size=size, aad=b"\x01" + os.urandom(200))


def welcome(refs: list[bytes]) -> bytes:
    """A Welcome for these KeyPackages."""
    secrets = b"".join(vector(ref) + vector(os.urandom(32)) + vector(os.urandom(120)) for ref in refs)
    return struct.pack("!HHH", 1, WELCOME, SUITE) + vector(secrets) + vector(os.urandom(400))


@dataclass(frozen=True)
class KeyPackage:
    """One KeyPackage in its MLSMessage, and its reference (RFC 9420, 5.2)."""

    data: bytes
    ref: bytes


def signed(key: SigningKey, label: str, content: bytes) -> bytes:
    """SignWithLabel (RFC 9420, 5.1.2)."""
    return key.sign(vector(b"MLS 1.0 " + label.encode()) + vector(content)).signature


def key_package(
    *,
    until: int,
    since: int = 0,
    mailbox: bytes | None = None,
    identity: bytes | None = None,
    seed: bytes | None = None,
) -> KeyPackage:
    """A KeyPackage with true signatures of the leaf; its credential names ``mailbox``, or is ``identity``."""
    key = SigningKey(seed or os.urandom(32))
    if identity is None:
        identity = b"\x01" + os.urandom(32) + (mailbox or os.urandom(16)) + os.urandom(64)
    credential = struct.pack("!H", 1) + vector(identity)
    capabilities = (
        vector(struct.pack("!H", 1)) + vector(struct.pack("!H", SUITE)) + vector(b"") + vector(b"")
    ) + vector(struct.pack("!H", 1))
    leaf = vector(os.urandom(32)) + vector(bytes(key.verify_key)) + credential + capabilities
    leaf += b"\x01" + struct.pack("!QQ", since, until) + vector(b"")
    leaf += vector(signed(key, "LeafNodeTBS", leaf))
    package = struct.pack("!HH", 1, SUITE) + vector(os.urandom(32)) + leaf + vector(b"")
    package += vector(signed(key, "KeyPackageTBS", package))
    ref = sha256(vector(b"MLS 1.0 KeyPackage Reference") + vector(package)).digest()
    return KeyPackage(struct.pack("!HH", 1, KEY_PACKAGE) + package, ref)
