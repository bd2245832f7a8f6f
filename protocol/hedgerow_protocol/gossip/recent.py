"""Records that came lately: so that copies are recognised without asking the disk, and who holds them already."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NewType, TypeAlias

from hedgerow_protocol.gossip.events import LinkId
from hedgerow_protocol.gossip.settings import RECENT_BYTES_MAX, RECENT_MAX, RECENT_SECONDS
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Instant

CopyId = NewType("CopyId", bytes)
"""16 bytes over a whole envelope: the same words with other signatures are another copy."""


def copy_id(envelope: bytes) -> CopyId:
    """The id of this very envelope."""
    return CopyId(blake2b(envelope, digest_size=16).digest())


@dataclass(slots=True)
class Recent:
    """One envelope that came lately."""

    came: Instant
    envelope: bytes | None
    rid: RecordId | None = None
    """``None`` until it is judged, and when it was refused."""
    holders: set[LinkId] = field(default_factory=set)
    """Links whose peers have it: they sent it, offered it, or were sent it."""


Keyed: TypeAlias = tuple[CopyId, bytes]
"""An envelope with its copy id."""

Named: TypeAlias = tuple[RecordId, Recent]
"""A record with what is known of it."""


class Recents:
    """The records of the last two minutes, bounded in number and bytes; the oldest leave first."""

    def __init__(self) -> None:
        self._copies: OrderedDict[CopyId, Recent] = OrderedDict()
        self._by_rid: dict[RecordId, Recent] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._copies)

    def copy(self, key: CopyId) -> Recent | None:
        """What is known of this very envelope."""
        return self._copies.get(key)

    def record(self, rid: RecordId) -> Recent | None:
        """What is known of this record."""
        return self._by_rid.get(rid)

    def add(self, envelopes: Iterable[Keyed], now: Instant, link: LinkId | None = None) -> list[Recent]:
        """These envelopes have come that were not known, over this link (``None``: this node made them)."""
        recents: list[Recent] = []
        for key, envelope in envelopes:
            recent = Recent(now, envelope, None, set() if link is None else {link})
            known = self._copies.pop(key, None)
            if known is not None:
                self._drop_bytes(known)
            self._copies[key] = recent
            self._bytes += len(envelope)
            recents.append(recent)
        self.expire(now)
        return recents

    def judged(self, recent: Recent, rid: RecordId, *, stored: bool) -> Recent:
        """The node knows now which record an envelope holds; what is known of it under this id from now on."""
        recent.rid = rid
        if not stored:
            self._drop_bytes(recent)
        known = self._by_rid.setdefault(rid, recent)
        if known is not recent:
            known.holders |= recent.holders
            if stored:
                self._by_rid[rid] = recent
                recent.holders |= known.holders
                known = recent
        return known

    def refused(self, recent: Recent) -> None:
        """It was wrong: only its fingerprint is kept, so that it is not judged again."""
        self._drop_bytes(recent)

    def forget_link(self, link: LinkId) -> None:
        """A link is gone."""
        for recent in self._copies.values():
            recent.holders.discard(link)

    def expire(self, now: Instant) -> None:
        """Forget what is no longer new, and the oldest of too many."""
        while self._copies:
            oldest = next(iter(self._copies.values()))
            if (
                now - oldest.came <= RECENT_SECONDS
                and len(self._copies) <= RECENT_MAX
                and self._bytes <= RECENT_BYTES_MAX
            ):
                return
            self._copies.popitem(last=False)
            self._drop_bytes(oldest)
            if oldest.rid is not None and self._by_rid.get(oldest.rid) is oldest:
                del self._by_rid[oldest.rid]

    def _drop_bytes(self, recent: Recent) -> None:
        if recent.envelope is not None:
            self._bytes -= len(recent.envelope)
            recent.envelope = None
