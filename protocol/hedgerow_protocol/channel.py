"""One secure channel between two nodes, over anything that carries binary messages in order: a WebSocket, a circuit.

The initiator who knows the responder's channel key opens it with Noise XK, otherwise with XX. Each side shows its
signed announcement, which binds the channel key to the node's key: the responder in the second message, before it is
told who asks, the initiator in the third. No announcement, no service. Afterwards every message is one padded frame,
and each direction changes its key by the hour. Spec: docs/protocol/channel.md.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import Final, TypeAlias

from hedgerow_protocol.channel_plaintext import Plain, pad, unpad
from hedgerow_protocol.envelope import parse_envelope, verify_envelope
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.handshake import Handshake, public_key
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SEED_BYTES
from hedgerow_protocol.ports import Entropy, Instant, Now, Timestamp
from hedgerow_protocol.records import Announcement, read_record
from hedgerow_protocol.state import check_times

HANDSHAKE_SECONDS_MAX: Final = 10
"""Seconds. From the connection to the last message of the handshake: several round trips through Tor."""

ANNOUNCEMENT_BYTES_MAX: Final = 8 * 1024
"""Bytes. The announcement a stranger shows: eight addresses and sixteen features need below 4 KiB."""

HANDSHAKE_MESSAGE_BYTES_MAX: Final = 9 * 1024
"""Bytes. One message of a handshake, looked at before any key is: an announcement, its padding, keys and seals."""

REKEY_MESSAGES: Final = 2**16
"""Messages. The most that one key of one direction carries; the last of them must say that it is the last."""

REKEY_SECONDS: Final = 3_600
"""Seconds. After which a sender changes its key: who breaks into a node cannot read what was sent an hour ago."""

VERSION: Final = 1


class Pattern(IntEnum):
    """How a channel is opened; the first byte of the initiator's first message."""

    XK = 1
    """The initiator knows the responder's channel key."""
    XX = 2
    """The initiator knows only an address."""


_NAMES = {pattern: f"Noise_{pattern.name}_25519_ChaChaPoly_BLAKE2s" for pattern in Pattern}
_PATTERNS = {int(pattern): pattern for pattern in Pattern}


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """A node's X25519 channel key. Keep it out of logs: ``repr`` shows only the public part."""

    public: bytes
    private: bytes

    @classmethod
    def from_seed(cls, seed: bytes) -> "ChannelKey":
        """Derive the channel key from 32 bytes that only its node knows."""
        if len(seed) != SEED_BYTES:
            raise LocalError(f"A seed is {SEED_BYTES} bytes.")
        private = blake2b(seed, digest_size=32, person=b"hedgerow/channel").digest()
        return cls(public_key(private), private)

    def __repr__(self) -> str:
        return f"ChannelKey({self.public.hex()[:10]}…)"


class WrongNodeError(RemoteError):
    """Another node answered than the one that was asked for."""

    def __init__(self) -> None:
        super().__init__(Code.WRONG_SIGNER, "Another node answered than the one that was asked for.")


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send these bytes as one binary message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """The channel is open: this node is at its other end, and nobody else can read or write it."""

    peer: NodeId
    announcement: bytes
    """The peer's announcement in its envelope, verified. It may name no addresses."""
    binding: bytes
    """32 bytes that only the two ends of this channel know."""
    xk: bool
    """Opened by an initiator who knew the responder's channel key."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The peer said this."""

    frame: bytes


ChannelOutput: TypeAlias = Transmit | Opened | Frame


class Channel:
    """One end of a channel. After a :class:`RemoteError` it is dead and its transport is to be closed."""

    def __init__(
        self,
        key: ChannelKey,
        announcement: bytes,
        *,
        entropy: Entropy,
        now: Now,
        pattern: Pattern | None,
        peer_key: bytes | None = None,
        expected: NodeId | None = None,
    ) -> None:
        """Use :meth:`initiate` or :meth:`accept`."""
        if not 1 <= len(announcement) <= ANNOUNCEMENT_BYTES_MAX:
            raise LocalError(f"An announcement has 1 to {ANNOUNCEMENT_BYTES_MAX} bytes, not {len(announcement)}.")
        self._key = key
        self._announcement = announcement
        self._entropy = entropy
        self._expected = expected
        self._pattern = pattern
        self._initiator = pattern is not None
        self._handshake = None if pattern is None else self._begin(pattern, peer_key)
        self._deadline: Instant | None = Instant(now.instant + HANDSHAKE_SECONDS_MAX)
        self._failed = False
        self._sent = self._received = 0  # messages under the present keys
        self._sending_since = now.instant

    @classmethod
    def initiate(
        cls,
        key: ChannelKey,
        announcement: bytes,
        *,
        entropy: Entropy,
        now: Now,
        peer_key: bytes | None = None,
        expected: NodeId | None = None,
    ) -> "Channel":
        """The end that dialled. Call :meth:`start` next.

        ``announcement`` is our own, in its envelope; ``peer_key`` the peer's 32-byte channel key when it is known from
        the peer's announcement; ``expected`` the only node we want to talk to.
        """
        pattern = Pattern.XX if peer_key is None else Pattern.XK
        return cls(key, announcement, entropy=entropy, now=now, pattern=pattern, peer_key=peer_key, expected=expected)

    @classmethod
    def accept(cls, key: ChannelKey, announcement: bytes, *, entropy: Entropy, now: Now) -> "Channel":
        """The end that was dialled."""
        return cls(key, announcement, entropy=entropy, now=now, pattern=None)

    @property
    def deadline(self) -> Instant | None:
        """When the handshake must be finished; ``None`` once it is."""
        return self._deadline

    @property
    def is_open(self) -> bool:
        """Whether frames may be sent."""
        return self._deadline is None and not self._failed

    def start(self) -> list[ChannelOutput]:
        """The initiator's first message. Raises :class:`RemoteError` when the peer's key is none."""
        if self._failed or self._handshake is None or self._pattern is None or not self._initiator:
            raise LocalError("Only the end that dialled begins a channel.")
        try:
            return [Transmit(bytes([self._pattern]) + self._handshake.write())]
        except RemoteError:
            self._failed = True
            raise

    def handle(self, data: bytes, now: Now) -> list[ChannelOutput]:
        """Take one binary message of the peer. Raises only :class:`RemoteError` for whatever bytes."""
        if self._failed:
            raise LocalError("This channel has failed.")
        try:
            return self._shake_hands(data, now) if self._deadline is not None else [self._receive(data)]
        except RemoteError:
            self._failed = True
            raise

    def seal(self, frame: bytes, now: Now) -> bytes:
        """The one binary message that carries a frame of 1 to ``FRAME_BYTES_MAX`` bytes."""
        handshake = self._handshake
        if handshake is None or not self.is_open:
            raise LocalError("This channel is not open.")
        last = self._sent + 1 >= REKEY_MESSAGES or now.instant - self._sending_since >= REKEY_SECONDS
        message = handshake.encrypt(pad(Plain(frame, last)))
        self._sent += 1
        if last:
            handshake.rekey_sending()
            self._sent = 0
            self._sending_since = now.instant
        return message

    def _receive(self, data: bytes) -> Frame:
        handshake = self._handshake
        if handshake is None:
            raise LocalError("This channel is not open.")
        plain = unpad(handshake.decrypt(data))
        self._received += 1
        if plain.last:
            handshake.rekey_receiving()
            self._received = 0
        elif self._received >= REKEY_MESSAGES:
            raise RemoteError(Code.LIMIT, f"The peer has not changed its key after {REKEY_MESSAGES} messages.")
        return Frame(plain.frame)

    def _shake_hands(self, data: bytes, now: Now) -> list[ChannelOutput]:
        if self._deadline is not None and now.instant > self._deadline:
            raise RemoteError(Code.LIMIT, f"The channel was not open after {HANDSHAKE_SECONDS_MAX} seconds.")
        if len(data) > HANDSHAKE_MESSAGE_BYTES_MAX:
            raise RemoteError(Code.TOO_LARGE, f"A handshake message has at most {HANDSHAKE_MESSAGE_BYTES_MAX} bytes.")
        handshake = self._handshake
        if handshake is None:
            return [self._answer(data)]
        plain = unpad(handshake.read(data))
        if plain.last:
            raise RemoteError(Code.MALFORMED, "A handshake has no key to change yet.")
        announcement = plain.frame
        peer = self._check(announcement, handshake.remote_static, now.timestamp)
        outputs: list[ChannelOutput] = []
        if self._initiator:
            outputs.append(Transmit(handshake.write(self._own_payload())))
        self._deadline = None
        self._sending_since = now.instant
        binding = handshake.exported(b"hedgerow/binding")
        return [*outputs, Opened(peer, announcement, binding, self._pattern is Pattern.XK)]

    def _answer(self, data: bytes) -> Transmit:
        """The responder's message, to the initiator's first."""
        pattern = _PATTERNS.get(data[0]) if data else None
        if pattern is None:
            raise RemoteError(Code.UNKNOWN_KIND, "The peer opens its channel in a way this version does not know.")
        handshake = self._begin(pattern, None)
        if handshake.read(data[1:]):
            raise RemoteError(Code.MALFORMED, "The first message of a handshake says nothing yet.")
        self._pattern, self._handshake = pattern, handshake
        return Transmit(handshake.write(self._own_payload()))

    def _begin(self, pattern: Pattern, peer_key: bytes | None) -> Handshake:
        return Handshake(
            _NAMES[pattern],
            self._initiator,
            prologue(pattern),
            s=self._key.private,
            rs=peer_key,
            entropy=self._entropy,
        )

    def _own_payload(self) -> bytes:
        return pad(Plain(self._announcement, last=False))

    def _check(self, envelope: bytes, static: bytes | None, at: Timestamp) -> NodeId:
        """The node whose announcement this is, if it is valid and names the key at the other end."""
        if len(envelope) > ANNOUNCEMENT_BYTES_MAX:
            raise RemoteError(Code.TOO_LARGE, f"An announcement has at most {ANNOUNCEMENT_BYTES_MAX} bytes.")
        parsed = parse_envelope(envelope)
        if len(parsed.signatures) != 1:
            raise RemoteError(Code.WRONG_SIGNER, "A node announcement is signed by that node and nobody else.")
        announcement = read_record(verify_envelope(parsed))
        if not isinstance(announcement, Announcement):
            raise RemoteError(Code.BAD_FIELD, "The peer has shown another record than its announcement.")
        if announcement.channel != static:
            raise RemoteError(Code.BAD_KEY, "The peer has shown the announcement of another channel key.")
        if self._expected is not None and announcement.node_id != self._expected:
            raise WrongNodeError
        check_times(announcement.issued, announcement.expires, at)
        return announcement.node_id


def prologue(pattern: Pattern) -> bytes:
    """What both ends must agree on before a word is said: protocol, version, role of each end, pattern."""
    return b"hedgerow/channel/%d/node/node/%d" % (VERSION, pattern)
