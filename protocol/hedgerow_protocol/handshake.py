"""Noise handshakes XK and XX, with or without a pre-shared key, and the transport that follows them.

Source: the Noise Protocol Framework, revision 34 (noiseprotocol.org); checked with its published vectors. Nothing here
knows of Hedgerow: see :mod:`hedgerow_protocol.channel` for what nodes say within it.
"""

import hmac
from enum import Enum, auto
from typing import Final, assert_never

import nacl.bindings
import nacl.exceptions

from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.noise_symmetric import HASHES, KEY_BYTES, TAG_BYTES, CipherState, SymmetricState
from hedgerow_protocol.ports import Entropy

MESSAGE_BYTES_MAX: Final = 65_535
"""Bytes. One Noise message, by its specification."""


class Token(Enum):
    """One step of a handshake message."""

    E = auto()
    S = auto()
    EE = auto()
    ES = auto()
    SE = auto()
    PSK = auto()


_Message = tuple[Token, ...]
_E, _S, _EE, _ES, _SE = Token.E, Token.S, Token.EE, Token.ES, Token.SE

# Whether the responder's static key is known beforehand, and the messages: initiator's, responder's, initiator's.
_PATTERNS: Final[dict[str, tuple[bool, tuple[_Message, ...]]]] = {
    "XK": (True, ((_E, _ES), (_E, _EE), (_S, _SE))),
    "XX": (False, ((_E,), (_E, _EE, _S, _ES), (_S, _SE))),
}


def public_key(private: bytes) -> bytes:
    """The 32-byte X25519 public key of 32 private bytes."""
    if len(private) != KEY_BYTES:
        raise ValueError(f"A private key is {KEY_BYTES} bytes.")
    return bytes(nacl.bindings.crypto_scalarmult_base(private))


def _parse_name(name: str) -> tuple[bool, tuple[_Message, ...], str]:
    """Whether the responder is known, the messages, the hash's name."""
    known = f"This is not a handshake this package knows: {name!r}."
    match name.split("_"):
        case ["Noise", pattern, "25519", "ChaChaPoly", hash_name] if hash_name in HASHES and pattern[:2] in _PATTERNS:
            pre, messages = _PATTERNS[pattern[:2]]
        case _:
            raise ValueError(known)
    match pattern[2:]:
        case "":
            return pre, messages, hash_name
        case "psk0":
            return pre, ((Token.PSK, *messages[0]), *messages[1:]), hash_name
        case "psk1" | "psk2" | "psk3" as modifier:
            at = int(modifier[3]) - 1
            return pre, (*messages[:at], (*messages[at], Token.PSK), *messages[at + 1 :]), hash_name
        case _:
            raise ValueError(known)


class Handshake:
    """One side of one handshake, and afterwards of its transport.

    ``name`` is ``Noise_{XK,XX}{,psk0,psk1,psk2,psk3}_25519_ChaChaPoly_{BLAKE2s,BLAKE2b,SHA256,SHA512}``. Keys are 32
    bytes: ``s`` and ``e`` own private ones, ``rs`` the other side's public one, ``psk`` shared beforehand. Without an
    ``e`` one is made from ``entropy``; give an ``e`` only for known vectors, for it must never be used twice.

    What the other side did wrong raises :class:`RemoteError`, what the caller does wrong :class:`LocalError` or
    ``ValueError``. After a ``RemoteError`` the object is dead: every later call raises ``LocalError``.
    """

    def __init__(
        self,
        name: str,
        initiator: bool,
        prologue: bytes = b"",
        s: bytes | None = None,
        e: bytes | None = None,
        rs: bytes | None = None,
        psk: bytes | None = None,
        *,
        entropy: Entropy | None = None,
    ) -> None:
        pre, self._messages, hash_name = _parse_name(name)
        for key in (s, e, rs, psk):
            if key is not None and len(key) != KEY_BYTES:
                raise ValueError(f"A key is {KEY_BYTES} bytes, not {len(key)}.")
        if s is None:
            raise ValueError(f"{name} needs an own static key, s.")
        if pre and initiator and rs is None:
            raise ValueError(f"{name} needs the responder's static key, rs.")
        if ("psk" in name) != (psk is not None):
            raise ValueError("A pre-shared key is given exactly when the name of the handshake has one.")
        self._initiator = initiator
        self._s, self._s_public = s, public_key(s)
        self._e = e
        self._entropy = entropy
        self._rs = rs
        self._re: bytes | None = None
        self._psk = psk
        self._step = 0
        self._dead = False
        self._sending: CipherState | None = None
        self._receiving: CipherState | None = None
        self._more = b""
        self._symmetric = SymmetricState(name, hash_name)
        self._symmetric.mix_hash(prologue)
        if pre:
            self._symmetric.mix_hash(_given(rs) if initiator else self._s_public)

    @property
    def finished(self) -> bool:
        """Whether the handshake is over and :meth:`encrypt` and :meth:`decrypt` may be used."""
        return self._step == len(self._messages)

    @property
    def handshake_hash(self) -> bytes:
        """The same on both sides and different for every handshake, but no secret. 32 or 64 bytes."""
        self._check(finished=True)
        return self._symmetric.hash

    @property
    def remote_static(self) -> bytes | None:
        """The other side's static public key, once it is known."""
        return self._rs

    def exported(self, label: bytes) -> bytes:
        """32 bytes that only the two ends of this handshake can know, another 32 for every label."""
        self._check(finished=True)
        return hmac.digest(self._more, self._symmetric.hash + label, self._symmetric.hmac_name)[:KEY_BYTES]

    def write(self, payload: bytes = b"") -> bytes:
        """The next handshake message. Raises :class:`RemoteError` for a bad key of the other side's."""
        self._check(finished=False, own_turn=True)
        self._dead = True  # until the message is complete
        symmetric = self._symmetric
        parts: list[bytes] = []
        for token in self._messages[self._step]:
            if token is Token.E:
                public = self._make_ephemeral()
                parts.append(public)
                symmetric.mix_hash(public)
                if self._psk is not None:
                    symmetric.mix_key(public)
            elif token is Token.S:
                parts.append(symmetric.encrypt_and_hash(self._s_public))
            else:
                self._mix_secret(token)
        parts.append(symmetric.encrypt_and_hash(payload))
        message = b"".join(parts)
        if len(message) > MESSAGE_BYTES_MAX:
            raise ValueError(f"A handshake message has at most {MESSAGE_BYTES_MAX} bytes, this one {len(message)}.")
        self._advance()
        return message

    def read(self, message: bytes) -> bytes:
        """The payload of the other side's next handshake message. Raises :class:`RemoteError`."""
        self._check(finished=False, own_turn=False)
        self._dead = True  # until the message is accepted
        if len(message) > MESSAGE_BYTES_MAX:
            raise RemoteError(Code.TOO_LARGE, f"A message of a channel has at most {MESSAGE_BYTES_MAX} bytes.")
        symmetric = self._symmetric
        rest = bytes(message)
        for token in self._messages[self._step]:
            if token is Token.E:
                self._re, rest = _cut(rest, KEY_BYTES)
                symmetric.mix_hash(self._re)
                if self._psk is not None:
                    symmetric.mix_key(self._re)
            elif token is Token.S:
                sealed, rest = _cut(rest, KEY_BYTES + TAG_BYTES * symmetric.has_key)
                static = symmetric.decrypt_and_hash(sealed)
                if self._rs is not None and self._rs != static:
                    raise RemoteError(Code.BAD_KEY, "The other side has another key than was expected.")
                self._rs = static
            else:
                self._mix_secret(token)
        payload = symmetric.decrypt_and_hash(rest)
        self._advance()
        return payload

    def encrypt(self, plaintext: bytes) -> bytes:
        """One transport message. The plaintext has at most 65,519 bytes."""
        self._check(finished=True)
        if len(plaintext) > MESSAGE_BYTES_MAX - TAG_BYTES:
            raise ValueError(f"A plaintext has at most {MESSAGE_BYTES_MAX - TAG_BYTES} bytes, not {len(plaintext)}.")
        return _state(self._sending).encrypt(b"", plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """The plaintext of the other side's next transport message. Raises :class:`RemoteError`."""
        self._check(finished=True)
        if len(ciphertext) > MESSAGE_BYTES_MAX:
            self._dead = True
            raise RemoteError(Code.TOO_LARGE, f"A message of a channel has at most {MESSAGE_BYTES_MAX} bytes.")
        try:
            return _state(self._receiving).decrypt(b"", bytes(ciphertext))
        except RemoteError:
            self._dead = True
            raise

    def rekey_sending(self) -> None:
        """From the next :meth:`encrypt` on use a new key; the other side must do :meth:`rekey_receiving` there."""
        self._check(finished=True)
        _state(self._sending).rekey()

    def rekey_receiving(self) -> None:
        """From the next :meth:`decrypt` on use a new key."""
        self._check(finished=True)
        _state(self._receiving).rekey()

    def _check(self, *, finished: bool, own_turn: bool | None = None) -> None:
        if self._dead:
            raise LocalError("This handshake or its transport has failed; begin a new one.")
        if self.finished != finished:
            raise LocalError(f"The handshake is {'over' if self.finished else 'not finished'}.")
        if own_turn is not None and (self._step % 2 == 0) == (self._initiator != own_turn):
            raise LocalError("It is the other side's turn in this handshake.")

    def _make_ephemeral(self) -> bytes:
        if self._e is None:
            if self._entropy is None:
                raise ValueError("A handshake needs an ephemeral key, e, or entropy to make one.")
            self._e = self._entropy(KEY_BYTES)
        return public_key(self._e)

    def _mix_secret(self, token: Token) -> None:
        mine = self._initiator
        match token:
            case Token.EE:
                secret = _agree(_given(self._e), _given(self._re))
            case Token.ES:
                secret = _agree(_given(self._e), _given(self._rs)) if mine else _agree(self._s, _given(self._re))
            case Token.SE:
                secret = _agree(self._s, _given(self._re)) if mine else _agree(_given(self._e), _given(self._rs))
            case Token.PSK:
                self._symmetric.mix_key_and_hash(_given(self._psk))
                return
            case Token.E | Token.S:
                raise AssertionError("a token that sends a key holds no secret")
            case _:
                assert_never(token)
        self._symmetric.mix_key(secret)

    def _advance(self) -> None:
        self._step += 1
        self._dead = False
        if self.finished:
            first, second, self._more = self._symmetric.split()
            self._sending, self._receiving = (first, second) if self._initiator else (second, first)
            self._e = self._psk = None  # what could open this conversation later is not kept


def _agree(private: bytes, public: bytes) -> bytes:
    """X25519. A public key that gives all zeros with every private key is refused."""
    try:
        shared: bytes = nacl.bindings.crypto_scalarmult(private, public)
    except nacl.exceptions.RuntimeError as error:  # how PyNaCl reports libsodium's refusal of such a key
        raise RemoteError(Code.BAD_KEY, "The other side's key agrees on nothing secret.") from error
    if not any(shared):
        raise RemoteError(Code.BAD_KEY, "The other side's key agrees on nothing secret.")
    return shared


def _cut(data: bytes, size: int) -> tuple[bytes, bytes]:
    if len(data) < size:
        raise RemoteError(Code.MALFORMED, "A handshake message is too short.")
    return data[:size], data[size:]


def _given(key: bytes | None) -> bytes:
    if key is None:
        raise AssertionError("the order of the pattern's tokens gives every key before it is used")
    return key


def _state(state: CipherState | None) -> CipherState:
    if state is None:
        raise AssertionError("a finished handshake has its keys")
    return state
