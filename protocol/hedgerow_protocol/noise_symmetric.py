"""The symmetric half of the Noise Protocol Framework, revision 34 (noiseprotocol.org): one cipher key and its counter,
and the running hash and chaining key of a handshake. ChaCha20-Poly1305 only, four hashes.
"""

import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import nacl.bindings
import nacl.exceptions

from hedgerow_protocol.errors import Code, LocalError, RemoteError

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16

NONCE_END: Final = 2**63
"""Messages. One direction of one channel ends there, far from the number that Noise keeps for making the next key."""

_REKEY_NONCE: Final = 2**64 - 1
_nonce = struct.Struct("<4xQ").pack
_seal = nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt
_open = nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt

HASHES: Final[dict[str, tuple[Callable[[bytes], Any], str]]] = {
    "BLAKE2s": (hashlib.blake2s, "blake2s"),
    "BLAKE2b": (hashlib.blake2b, "blake2b"),
    "SHA256": (hashlib.sha256, "sha256"),
    "SHA512": (hashlib.sha512, "sha512"),
}
"""By the name Noise gives a hash: the function, and what :mod:`hmac` calls it."""


@dataclass(slots=True)
class CipherState:
    """One key and the number of the next message under it."""

    key: bytes
    nonce: int = 0

    def encrypt(self, ad: bytes, plaintext: bytes) -> bytes:
        """Ciphertext and tag. Raises :class:`LocalError` at the hard end of the counter."""
        if self.nonce >= NONCE_END:
            raise LocalError("This channel has sent as many messages as one channel may.")
        sealed: bytes = _seal(plaintext, ad, _nonce(self.nonce), self.key)
        self.nonce += 1
        return sealed

    def decrypt(self, ad: bytes, ciphertext: bytes) -> bytes:
        """Plaintext. Raises :class:`RemoteError`, and then the counter has not moved."""
        if self.nonce >= NONCE_END:
            raise RemoteError(Code.LIMIT, "This channel has carried as many messages as one channel may.")
        if len(ciphertext) < TAG_BYTES:
            raise RemoteError(Code.MALFORMED, "An encrypted message is shorter than its seal.")
        try:
            plaintext: bytes = _open(ciphertext, ad, _nonce(self.nonce), self.key)
        except nacl.exceptions.CryptoError as error:
            raise RemoteError(Code.BAD_KEY, "An encrypted message was altered, or made with another key.") from error
        self.nonce += 1
        return plaintext

    def rekey(self) -> None:
        """Replace the key by one from which it cannot be found again; the counter goes on."""
        self.key = _seal(bytes(KEY_BYTES), b"", _nonce(_REKEY_NONCE), self.key)[:KEY_BYTES]


class SymmetricState:
    """What both sides of a handshake have agreed on so far."""

    __slots__ = ("_chaining", "_cipher", "_hash", "hash", "hmac_name")

    def __init__(self, name: str, hash_name: str) -> None:
        self._hash, self.hmac_name = HASHES[hash_name]
        text = name.encode("ascii")
        size = self._hash(b"").digest_size
        self.hash: bytes = text.ljust(size, b"\0") if len(text) <= size else self._hash(text).digest()
        self._chaining = self.hash
        self._cipher: CipherState | None = None

    @property
    def has_key(self) -> bool:
        """Whether what is written now is encrypted."""
        return self._cipher is not None

    def mix_hash(self, data: bytes) -> None:
        """Bind ``data`` to everything that follows."""
        self.hash = self._hash(self.hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        """Let everything that follows depend on ``secret``."""
        self._chaining, key = self._derive(secret, 2)
        self._cipher = CipherState(key[:KEY_BYTES])

    def mix_key_and_hash(self, secret: bytes) -> None:
        """Both, as for a key that was shared beforehand."""
        self._chaining, bound, key = self._derive(secret, 3)
        self.mix_hash(bound)
        self._cipher = CipherState(key[:KEY_BYTES])

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        """Encrypt once there is a key; before, the plaintext itself."""
        ciphertext = plaintext if self._cipher is None else self._cipher.encrypt(self.hash, plaintext)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """The inverse. Raises :class:`RemoteError`."""
        plaintext = ciphertext if self._cipher is None else self._cipher.decrypt(self.hash, ciphertext)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[CipherState, CipherState, bytes]:
        """The keys of initiator to responder and back, and a secret from which more can be derived."""
        first, second, more = self._derive(b"", 3)
        return CipherState(first[:KEY_BYTES]), CipherState(second[:KEY_BYTES]), more

    def _derive(self, secret: bytes, count: int) -> list[bytes]:
        # Noise's HKDF: each output is fed into the next.
        key = hmac.digest(self._chaining, secret, self.hmac_name)
        outputs = [b""]
        for number in range(1, count + 1):
            outputs.append(hmac.digest(key, outputs[-1] + bytes([number]), self.hmac_name))
        return outputs[1:]
