"""Proofs that a hub told two stories: two signed heads that cannot both be of one log.

A head's hash stands for the log up to its seq. So a second head of a later seq says, too, what stands at the first
one's: the hash from which its own is reached by the entries between. If the two differ, the hub has lied, whoever asks.
Two heads with one seq and different hashes are the plain case, with nothing between. Spec: docs/protocol/federation.md.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from hedgerow_protocol import limits, wire
from hedgerow_protocol.delivery.chain import entry_prefix, hash_after, head_holds
from hedgerow_protocol.delivery.values import Entry, EntryId, EntryKind, Head, RoomId
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.federation import fields as read
from hedgerow_protocol.ids import NodeId

VERSION: Final = 1

_LINK: Final = struct.Struct(">QBQ16s32s")
LINKS_MAX: Final = (limits.FORK_PROOF_BYTES_MAX - 1_024) // _LINK.size
"""Entries. Between the two heads of a proof; followers compare each minute, so real ones have a few."""

_KINDS: Final = {int(kind): kind for kind in EntryKind}

OwnEntries = Callable[[int, int], Sequence[Entry]]
"""Gives one's own entries with ``after < seq <= upto``, in order; fewer when some are not held."""


@dataclass(frozen=True, slots=True)
class Link:
    """What an entry adds to the chain: all of it but its seq, its payload and what came before."""

    time: int
    kind: EntryKind
    epoch: int
    id: EntryId
    payload_hash: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """That a hub lied. Whether it did: :func:`proves`."""

    hub: NodeId
    room: RoomId
    first: Head
    second: Head
    before: bytes
    """What the second head says stands at the first one's seq."""
    links: tuple[Link, ...]
    """The entries after the first head's seq up to the second's, of the log that the second head is of."""


def proves(proof: Proof) -> bool:
    """Whether this is a proof: both heads signed, and no log can have both."""
    first, second = proof.first.position, proof.second.position
    if second.seq - first.seq != len(proof.links) or len(proof.links) > LINKS_MAX or proof.before == first.hash:
        return False
    hash, prefix = proof.before, entry_prefix(proof.room)
    for seq, link in enumerate(proof.links, first.seq + 1):
        hash = hash_after(prefix, seq, link.time, link.kind, link.epoch, link.id, link.payload_hash, hash)
    return (
        hash == second.hash
        and head_holds(proof.hub, proof.room, proof.first)
        and head_holds(proof.hub, proof.room, proof.second)
    )


def link_of(entry: Entry) -> Link:
    """What an entry adds to the chain."""
    return Link(entry.time, entry.kind, entry.epoch, entry.id, entry.payload_hash)


def compare(hub: NodeId, room: RoomId, own: Head, theirs: Head, entries: OwnEntries) -> Proof | None:
    """Whether a head that somebody was shown and one's own log prove that the hub lied.

    ``own`` is the head of one's own log, whose signature was checked. A head of a later seq proves nothing yet: whoever
    has it compares it with this one, and here it is compared again when the log has come so far.
    Raises :class:`RemoteError` when the hub has not signed ``theirs``, or the two lie too far apart for a proof.
    """
    if not head_holds(hub, room, theirs):
        raise RemoteError(Code.BAD_SIGNATURE, "The hub has not signed this head.")
    at, upto = theirs.position.seq, own.position.seq
    if at > upto:
        return None
    before = own.position.hash if at == upto else _own_hash(entries, at)
    if before is None or before == theirs.position.hash:
        return None
    if upto - at > LINKS_MAX:
        raise RemoteError(Code.LIMIT, "This head differs from the log, too long ago to prove it.")
    between = tuple(map(link_of, entries(at, upto))) if at < upto else ()
    if len(between) != upto - at:
        return None
    proof = Proof(hub, room, theirs, own, before, between)
    if not proves(proof):
        raise LocalError("Somebody's own log does not lead to its head.")
    return proof


def _own_hash(entries: OwnEntries, at: int) -> bytes | None:
    """What stands at a seq of one's own log; ``None`` from before this node was told of the room."""
    if at == 0:
        return bytes(32)
    found = entries(at - 1, at)
    return found[0].hash if found else None


def encode(proof: Proof) -> bytes:
    """The bytes of a proof, which anybody can check."""
    links = b"".join([_LINK.pack(each.time, each.kind, each.epoch, each.id, each.payload_hash) for each in proof.links])
    return wire.encode(
        (
            VERSION, proof.hub, proof.room, read.head_row(proof.first), read.head_row(proof.second), proof.before,
            links,
        )
    )  # fmt: skip


def decode(data: bytes) -> Proof:
    """The inverse. Raises only :class:`RemoteError`; whether it proves anything is another question."""
    found = wire.decode(data, size_max=limits.FORK_PROOF_BYTES_MAX)
    version, hub, room, first, second, before, links = read.row(found, 7)
    if version != VERSION or type(version) is not int:
        raise RemoteError(Code.UNKNOWN_KIND, "This proof is of a later version.")
    return Proof(
        read.node(hub), read.room(room), read.head(first), read.head(second), read.hash_(before), _links(links)
    )


def _links(value: Any) -> tuple[Link, ...]:
    if type(value) is not bytes or len(value) % _LINK.size or len(value) > LINKS_MAX * _LINK.size:
        raise RemoteError(Code.BAD_FIELD, "The entries of this proof do not have the right length.")
    found = []
    for time, kind, epoch, id, payload_hash in _LINK.iter_unpack(value):
        if kind not in _KINDS:
            raise RemoteError(Code.BAD_FIELD, "An entry of this proof is of no known kind.")
        found.append(Link(read.time(time), _KINDS[kind], read.seq(epoch), EntryId(id), payload_hash))
    return tuple(found)


def proof_id(proof: Proof) -> bytes:
    """32 bytes that name a proof, to know it again."""
    return sha256(encode(proof)).digest()
