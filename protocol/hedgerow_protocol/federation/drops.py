"""Drops: letters for a node that is not there, sealed so that whoever keeps them until it is learns nothing from them.

Only the destination can open a drop, and only then it sees who sent it: the sender's signature is inside. The seal is
made for the node's key itself, not for the channel key of its announcement, because announcements end after a week
and a drop has to find its way after many. Spec: docs/protocol/federation.md, "Drops".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, cast

import nacl.bindings
import nacl.exceptions

from hedgerow_protocol import keys, limits, wire
from hedgerow_protocol.delivery.byte_strings import labelled
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.federation import fields as read
from hedgerow_protocol.federation.letters import Acknowledge, Answer, Fetch, Forked, Letter, Notify, Request
from hedgerow_protocol.federation.values import (
    BlobBytes,
    BlobGet,
    BlobPut,
    CopyFetch,
    CopyPart,
    DropFetch,
    DropLeft,
    DropsFound,
)
from hedgerow_protocol.field_readers import many
from hedgerow_protocol.handshake import public_key
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.invitation import hkdf_sha256
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp

SEED_BYTES: Final = 32
DROP_ID_BYTES: Final = 16
VERSION: Final = 1
_HEAD_BYTES: Final = 1 + 32
"""Version and ephemeral key."""
_LENGTH_BYTES: Final = 4
_TAG_BYTES: Final = 16
_OUTSIDE_BYTES: Final = _HEAD_BYTES + _LENGTH_BYTES + _TAG_BYTES
_NONCE: Final = bytes(24)
"""Each key seals one drop only."""

BUCKETS: Final = tuple(1024 * 4**power for power in range(6))
"""Bytes. A drop has one of these sizes: 1, 4, 16, 64, 256 KiB or 1 MiB."""

LETTERS_BYTES_MAX: Final = BUCKETS[-1] - 512
"""Bytes. Of the letters in one drop, each counted with :data:`LETTER_MORE_BYTES`."""

LETTER_MORE_BYTES: Final = 8
"""Bytes. What a letter needs besides its own, at most."""


@dataclass(frozen=True, slots=True)
class Drop:
    """What somebody who could not be met has to say."""

    sender: NodeId
    time: Timestamp
    """When it was sealed, by the sender's clock."""
    letters: tuple[bytes, ...]
    """Encoded, in their order; whether they can be read is another question."""


def drop_id(sealed: bytes) -> bytes:
    """16 bytes by which a drop is known to its holder and its destination."""
    return sha256(sealed).digest()[:DROP_ID_BYTES]


def may_be_in_drop(letter: Letter) -> bool:
    """Whether this is of any use hours later: what asks for an answer while the link lasts is not."""
    match letter:
        case Request(_, body):
            return not isinstance(body, BlobGet | BlobPut | CopyFetch | DropLeft | DropFetch)
        case Answer(_, body):
            return not isinstance(body, BlobBytes | CopyPart | DropsFound)
    return isinstance(letter, Notify | Acknowledge | Fetch | Forked)


def seal_drop(key: SigningKey, to: NodeId, letters: Sequence[bytes], now: Timestamp, seed: bytes) -> bytes:
    """A drop for a node; ``seed`` are 32 random bytes that are never used again.

    Raises :class:`RemoteError` when that node's name is no key, :class:`LocalError` when it is too much for one drop.
    """
    if key.usage is not Usage.NODE or len(seed) != SEED_BYTES:
        raise LocalError("A drop is signed with a node's key and sealed with 32 fresh bytes.")
    ephemeral = public_key(seed)
    said = tuple(letters)
    signature = key.sign(_signed(to, ephemeral, now, said))
    content = wire.encode((key.public[1:], int(now), signature, said))
    size = next((each for each in BUCKETS if each >= len(content) + _OUTSIDE_BYTES), None)
    if size is None or not 0 < len(said) <= limits.DROP_LETTERS_MAX:
        raise LocalError("This does not fit into a drop.")
    plain = len(content).to_bytes(_LENGTH_BYTES, "big") + content
    plain = plain.ljust(size - _HEAD_BYTES - _TAG_BYTES, b"\0")
    sealing = _key(_agreed(seed, keys.agreement_key(to)), ephemeral, to)
    head = bytes((VERSION,)) + ephemeral
    return head + bytes(
        nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, labelled(_LABEL, head, to), _NONCE, sealing)
    )


def open_drop(key: SigningKey, sealed: bytes) -> Drop:
    """Open what lay somewhere for this node. Raises only :class:`RemoteError`: it is not for us, or it is forged."""
    if len(sealed) not in BUCKETS:
        raise RemoteError(Code.MALFORMED, "This is not the size of a drop.")
    if sealed[0] != VERSION:
        raise RemoteError(Code.MALFORMED, "This drop is of a kind that this version does not know.")
    own, head, ephemeral = NodeId(key.public[1:]), sealed[:_HEAD_BYTES], sealed[1:_HEAD_BYTES]
    sealing = _key(key.agree(ephemeral), ephemeral, own)
    try:
        plain = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[_HEAD_BYTES:], labelled(_LABEL, head, own), _NONCE, sealing
        )
    except nacl.exceptions.CryptoError as error:
        raise RemoteError(Code.BAD_SIGNATURE, "This drop was not sealed for this node.") from error
    return _read(own, ephemeral, _unpadded(plain))


_LABEL: Final = b"hedgerow drop v1"
_letters = many(read.sized(limits.DROP_BYTES_MAX, 1), limits.DROP_LETTERS_MAX)


def _unpadded(plain: bytes) -> bytes:
    end = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
    if end > len(plain) or plain.count(0, end) != len(plain) - end:
        raise RemoteError(Code.MALFORMED, "This drop is not filled up as it should be.")
    return plain[_LENGTH_BYTES:end]


def _read(own: NodeId, ephemeral: bytes, content: bytes) -> Drop:
    sender, when, signature, said = read.row(wire.decode(content, size_max=limits.DROP_BYTES_MAX), 4)
    drop = Drop(read.node(sender), Timestamp(read.time(when)), cast(tuple[bytes, ...], _letters(said)))
    signature = read.exact(keys.SIGNATURE_BYTES)(signature)
    message = _signed(own, ephemeral, drop.time, drop.letters)
    if not drop.letters or not keys.verify(bytes((Usage.NODE,)) + drop.sender, message, signature):
        raise RemoteError(Code.BAD_SIGNATURE, "This drop was not signed by the node that it names.")
    return drop


def _signed(to: NodeId, ephemeral: bytes, now: Timestamp, letters: tuple[bytes, ...]) -> bytes:
    return labelled(_LABEL, to, ephemeral, int(now), sha256(wire.encode(letters)).digest())


def _key(agreed: bytes, ephemeral: bytes, to: NodeId) -> bytes:
    return hkdf_sha256(agreed, labelled(b"hedgerow drop key v1", ephemeral, to), 32)


def _agreed(seed: bytes, public: bytes) -> bytes:
    try:
        return bytes(nacl.bindings.crypto_scalarmult(seed, public))
    except nacl.exceptions.CryptoError as error:
        raise RemoteError(Code.BAD_KEY, "Nothing can be sealed for this node.") from error


assert BUCKETS[-1] == limits.DROP_BYTES_MAX  # noqa: S101 - relations of constants
assert BUCKETS[-1] - _OUTSIDE_BYTES - 128 > LETTERS_BYTES_MAX  # noqa: S101
