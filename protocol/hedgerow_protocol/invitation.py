"""What an invitation link holds, and what follows from it.

The link ends in ``#`` and a secret, which browsers keep to themselves. From the secret follow three things: the name
under which the node finds the invitation, a proof of which the node keeps only the hash, and a key for words that the
node never has. So the node can count and end invitations, and cannot open one.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from hedgerow_protocol import base64url
from hedgerow_protocol.ids import NodeId

SECRET_BYTES: Final = 16
"""Bytes. In the link: nobody guesses it, and its QR code stays small."""

ID_BYTES: Final = 16
PROOF_BYTES: Final = 32
SEAL_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Invitation:
    """The parts of one invitation link."""

    secret: bytes

    @property
    def id(self) -> bytes:
        """16 bytes: its name at the node."""
        return hkdf_sha256(self.secret, b"hedgerow invite id v1", ID_BYTES)

    @property
    def proof(self) -> bytes:
        """32 bytes: shown to the node by whoever has the link."""
        return hkdf_sha256(self.secret, b"hedgerow invite proof v1", PROOF_BYTES)

    @property
    def proof_hash(self) -> bytes:
        """SHA-256 of the proof: what the node keeps."""
        return sha256(self.proof).digest()

    @property
    def seal_key(self) -> bytes:
        """32 bytes: the AES-256-GCM key of the note and of what is asked by this invitation."""
        return hkdf_sha256(self.secret, b"hedgerow invite seal v1", SEAL_KEY_BYTES)

    def link(self, base: str, node: NodeId) -> str:
        """The address to pass on. ``base`` is the node's web address without a final slash.

        With the node's id, whoever has an account at another node can open it there.
        """
        return f"{base}/join#{base64url.encode(self.secret)}.{base64url.encode(node)}"


def hkdf_sha256(secret: bytes, info: bytes, size: int) -> bytes:
    """HKDF with SHA-256 and an empty salt (RFC 5869)."""
    key = hmac.digest(bytes(32), secret, "sha256")
    block, out = b"", b""
    for number in range(1, -(-size // 32) + 1):
        block = hmac.digest(key, block + info + bytes((number,)), "sha256")
        out += block
    return out[:size]
