"""The log's hash chain and its signed heads: what makes a rewritten or forked log show.

Each entry's hash covers the one before it, so a head's hash stands for the whole log up to it. Two heads with one
number and different hashes, both signed by the same node, prove that it lied. Spec: docs/protocol/delivery.md.
"""

import struct
from hashlib import sha256
from typing import Final

from hedgerow_protocol import keys
from hedgerow_protocol.delivery.byte_strings import labelled, lp
from hedgerow_protocol.delivery.values import HASH_BYTES, EntryId, EntryKind, Head, Position, RoomId
from hedgerow_protocol.ids import NodeId

ENTRY_LABEL: Final = b"hedgerow log entry v1"
HEAD_LABEL: Final = b"hedgerow log head v1"

BEGINNING: Final = Position(seq=0, hash=bytes(HASH_BYTES), time=0)
"""Where a log stands before its first entry."""

# seq, time, kind, epoch, id, hash of the payload, hash of the entry before: each with its length in front.
_FIELDS: Final = struct.Struct(">HQHQHBHQH16sH32sH32s")


def entry_prefix(room: RoomId) -> bytes:
    """What the hashes of all entries of a room begin with."""
    return lp(ENTRY_LABEL) + lp(room)


def hash_after(
    prefix: bytes, seq: int, time: int, kind: EntryKind, epoch: int, id: EntryId, payload_hash: bytes, previous: bytes
) -> bytes:
    """:func:`entry_hash` for many entries of one room, whose :func:`entry_prefix` is at hand."""
    return sha256(
        prefix + _FIELDS.pack(8, seq, 8, time, 1, kind, 8, epoch, 16, id, 32, payload_hash, 32, previous)
    ).digest()


def entry_hash(
    room: RoomId, seq: int, time: int, kind: EntryKind, epoch: int, id: EntryId, payload_hash: bytes, previous: bytes
) -> bytes:
    """32 bytes that stand for this entry and all before it. ``payload_hash`` is the payload's SHA-256."""
    return hash_after(entry_prefix(room), seq, time, kind, epoch, id, payload_hash, previous)


def head_message(room: RoomId, position: Position) -> bytes:
    """What a node signs to say that this is where the room's log stands."""
    return labelled(HEAD_LABEL, room, position.seq, position.hash, position.time)


def sign_head(key: keys.SigningKey, room: RoomId, position: Position) -> Head:
    """The head of a log, signed with the node's key."""
    return Head(position, key.sign(head_message(room, position)))


def head_holds(node: NodeId, room: RoomId, head: Head) -> bool:
    """Whether the node with this key signed this head."""
    return keys.verify(bytes((keys.Usage.NODE,)) + node, head_message(room, head.position), head.signature)
