"""Keys that can do one thing only.

Every public key carries a usage byte, and the usage is part of what is signed and part of how the secret is derived.
So a node's key can never stand for a steward's, even when one seed makes both: the person who runs a node has power
over a listing only as one of its stewards. Source: RFC 8032 (Ed25519) as libsodium verifies it.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b

import nacl.bindings
import nacl.exceptions

from hedgerow_protocol.errors import Code, LocalError, RemoteError

SEED_BYTES = 32
SIGNATURE_BYTES = 64
PUBLIC_BYTES = 33
"""A public key on the wire: one usage byte, then 32 bytes of Ed25519."""


class Usage(IntEnum):
    """What a key is for."""

    NODE = 1
    STEWARD = 2


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret key of one usage. Keep it out of logs: ``repr`` shows only the public part."""

    usage: Usage
    public: bytes
    _secret: bytes

    @classmethod
    def from_seed(cls, usage: Usage, seed: bytes) -> "SigningKey":
        """Derive the key of this usage from 32 secret bytes."""
        if len(seed) != SEED_BYTES:
            raise LocalError(f"A seed is {SEED_BYTES} bytes.")
        own_seed = blake2b(seed, digest_size=32, person=b"hedgerow/key/%d" % usage).digest()
        public, secret = nacl.bindings.crypto_sign_seed_keypair(own_seed)
        return cls(usage, bytes([usage]) + public, secret)

    def sign(self, message: bytes) -> bytes:
        """64 bytes of signature over ``message``, which must already hold its domain."""
        return nacl.bindings.crypto_sign(message, self._secret)[:SIGNATURE_BYTES]

    def agree(self, public: bytes) -> bytes:
        """32 bytes that only the owner of this X25519 key and this node's key know. Raises :class:`RemoteError`.

        Only a node's key does that, and what comes of it is used through a key derivation with a label of its own.
        """
        if self.usage is not Usage.NODE:
            raise LocalError("Only a node's key agrees with others.")
        own = nacl.bindings.crypto_sign_ed25519_sk_to_curve25519(self._secret)
        try:
            return bytes(nacl.bindings.crypto_scalarmult(own, public))
        except (nacl.exceptions.CryptoError, ValueError) as error:
            raise RemoteError(Code.BAD_KEY, "This key agrees with nobody's.") from error

    def __repr__(self) -> str:
        return f"SigningKey({self.usage.name}, {self.public.hex()[:10]}…)"


def usage_of(public: bytes) -> Usage:
    """The usage of a public key. Raises :class:`RemoteError` when it is not a key."""
    if len(public) != PUBLIC_BYTES:
        raise RemoteError(Code.BAD_KEY, f"A public key is {PUBLIC_BYTES} bytes, not {len(public)}.")
    usage = _USAGES.get(public[0])
    if usage is None:
        raise RemoteError(Code.BAD_KEY, "This key is of a kind this version does not know.")
    return usage


_USAGES = {int(usage): usage for usage in Usage}


def agreement_key(node: bytes) -> bytes:
    """The X25519 key that belongs to a node's Ed25519 key of 32 bytes. Raises :class:`RemoteError` if it is none."""
    try:
        return bytes(nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(node))
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise RemoteError(Code.BAD_KEY, "This is not the key of a node.") from error


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is this key's over ``message``; follows libsodium's strict rules."""
    try:
        nacl.bindings.crypto_sign_open(signature + message, public[1:])
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.CryptoError, ValueError):
        return False
    return True
