"""Makes the golden vectors of intakes: keys, what follows from them, a code, a sealed ask.

Run ``python tests/vectors/make_intake_vectors.py`` only when the protocol changes on purpose; the diff shows what
changed. All binary values are lower-case hex. The sealing is written a second time here, from docs/protocol/members.md.
"""

import hmac
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hedgerow_protocol import intake
from hedgerow_protocol.content import Intake
from hedgerow_protocol.delivery.byte_strings import labelled

HERE = Path(__file__).parent
SEAL = b"hedgerow intake ask seal v1"


def noise(name: str) -> bytes:
    """32 bytes that look random and are always the same."""
    return sha256(f"hedgerow test intake {name}".encode()).digest()


def public_of(secret: bytes) -> bytes:
    """The X25519 public key."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def sealing_key(mine: bytes, other: bytes, ephemeral: bytes, key: bytes, room: bytes) -> bytes:
    """What both sides of a sealed ask agree on."""
    shared = X25519PrivateKey.from_private_bytes(mine).exchange(X25519PublicKey.from_public_bytes(other))
    said = sha256(labelled(b"hedgerow intake ask v1", ephemeral, key, room)).digest()
    # HKDF-SHA256 with an empty salt, one block.
    pseudorandom = hmac.digest(bytes(32), shared + said, "sha256")
    return hmac.digest(pseudorandom, SEAL + b"\x01", "sha256")


def vectors() -> dict[str, Any]:
    """Everything in intake.json."""
    secret, node, room = noise("secret"), noise("node"), noise("room")
    key = public_of(secret)
    place = Intake(node=node, room=room, key=key)
    ephemeral_secret, nonce = noise("ephemeral"), noise("nonce")[:12]
    ephemeral = public_of(ephemeral_secret)
    plain = json.dumps({"v": 1, "ask": "an ask", "listing": "Parents after loss"}, separators=(",", ":")).encode()
    padded = (len(plain).to_bytes(4, "big") + plain).ljust(4096, b"\x00")
    sealed_with = sealing_key(ephemeral_secret, key, ephemeral, key, room)
    return {
        "about": "An intake, version 1. See docs/protocol/members.md.",
        "secret": secret.hex(),
        "key": key.hex(),
        "node": node.hex(),
        "room": room.hex(),
        "id": intake.invite_id(key).hex(),
        "proof": intake.proof(key).hex(),
        "proof_hash": intake.proof_hash(key).hex(),
        "code": intake.to_code(place),
        "ask": {
            "plain": plain.decode(),
            "sealed": (ephemeral + nonce + AESGCM(sealed_with).encrypt(nonce, padded, SEAL)).hex(),
        },
    }


def text() -> str:
    """The file as it is kept."""
    return json.dumps(vectors(), indent=1) + "\n"


if __name__ == "__main__":
    (HERE / "intake.json").write_text(text(), encoding="utf-8")
