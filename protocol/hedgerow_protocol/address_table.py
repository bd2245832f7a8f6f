"""The two tables of an address book, and the places in them that a secret allows each node.

A place is ``bucket * TABLE_SLOTS + slot``. Which places a node may have depends on a secret, on where it lies and, in
the table of new nodes, on who told of it: whoever fills the book from one corner of the network fills one corner of the
book. The idea, and the sizes' proportions, are Bitcoin's (Heilman and others, "Eclipse attacks on Bitcoin's
peer-to-peer network", 2015). Spec: docs/protocol/peers.md.
"""

from hashlib import blake2b
from typing import Final

from hedgerow_protocol.chance import Chance
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.neighbourhood import Neighbourhood, wide_of

SECRET_BYTES: Final = 16

TABLE_BUCKETS: Final = 64
"""Buckets. In each of the two tables."""

TABLE_SLOTS: Final = 64
"""Slots. In each bucket: 4,096 nodes known by hearsay and 4,096 by experience, about 8 MB."""

SOURCE_BUCKETS_MAX: Final = 8
"""Buckets of the new table that all that one neighbourhood tells can reach: an eighth of the table."""

ADDRESS_BUCKETS_MAX: Final = 4
"""Buckets of the tried table that nodes of one neighbourhood can reach: a sixteenth of the table."""

PLACES_TRIED: Final = 4
"""Slots of its bucket in which a node may stand: nodes rarely push each other out while the book is small."""


class Table:
    """Nodes by bucket and slot; one node in a place, empty places cost nothing."""

    def __init__(self) -> None:
        self._buckets: dict[int, dict[int, NodeId]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def at(self, place: int) -> NodeId | None:
        """Who stands there."""
        return self._buckets.get(place // TABLE_SLOTS, {}).get(place)

    def put(self, place: int, node: NodeId) -> None:
        """Stand a node there, where nobody stands."""
        bucket = self._buckets.setdefault(place // TABLE_SLOTS, {})
        if place in bucket:
            raise ValueError("Somebody stands there.")
        bucket[place] = node
        self._count += 1

    def clear(self, place: int) -> None:
        """Nobody stands there any more."""
        bucket = self._buckets.get(place // TABLE_SLOTS, {})
        self._count -= bucket.pop(place, None) is not None
        if not bucket:
            self._buckets.pop(place // TABLE_SLOTS, None)

    def pick(self, chance: Chance) -> NodeId | None:
        """A node of a random bucket: many nodes in few buckets are not chosen oftener."""
        if not self._buckets:
            return None
        bucket = self._buckets[chance.pick(tuple(self._buckets))]
        return bucket[chance.pick(tuple(bucket))]


class Places:
    """Computes where a node may stand, from a secret of 16 bytes that no other node knows."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"The secret of an address book is {SECRET_BYTES} bytes.")
        self._secret = secret

    def new(self, node: NodeId, address: Neighbourhood, source: Neighbourhood) -> tuple[int, ...]:
        """Places in the new table, for a node at ``address`` of which ``source`` told."""
        told = _coarse(source)
        lane = self._draw(b"new lane", told, _coarse(address)) % SOURCE_BUCKETS_MAX
        return self._slots(b"new slot", self._draw(b"new bucket", told, bytes((lane,))), node)

    def tried(self, node: NodeId, address: Neighbourhood) -> tuple[int, ...]:
        """Places in the tried table."""
        lane = self._draw(b"tried lane", node) % ADDRESS_BUCKETS_MAX
        return self._slots(b"tried slot", self._draw(b"tried bucket", _coarse(address), bytes((lane,))), node)

    def rank(self, *parts: bytes) -> int:
        """A number that others cannot foretell and that is the same each time."""
        return self._draw(b"rank", *parts)

    def _slots(self, purpose: bytes, bucket: int, node: NodeId) -> tuple[int, ...]:
        bucket %= TABLE_BUCKETS
        drawn = self._draw(purpose, bytes((bucket,)), node).to_bytes(8, "big")
        slots = dict.fromkeys(byte % TABLE_SLOTS for byte in drawn)
        return tuple(bucket * TABLE_SLOTS + slot for slot in slots)[:PLACES_TRIED]

    def _draw(self, purpose: bytes, *parts: bytes) -> int:
        digest = blake2b(digest_size=8, key=self._secret, person=b"hedgerow/book")
        for part in (purpose, *parts):
            digest.update(len(part).to_bytes(2, "big"))
            digest.update(part)
        return int.from_bytes(digest.digest(), "big")


def _coarse(neighbourhood: Neighbourhood) -> bytes:
    """Places that cost nothing count as one here."""
    return wide_of(neighbourhood) or neighbourhood
