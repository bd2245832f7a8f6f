"""Keys, charters, listings and announcements for a simulated world; the same ones for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - a world from a seed is the point

from hedgerow_node.bench.listings import LEASE_SECONDS, Maker
from hedgerow_node.bench.simulation.archive import Archive, Archived
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Kind, Signature, sign
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, Charter, Listing, Slot, Withdrawal

ANNOUNCED_SECONDS = 20 * 86_400


def node_key(seed: int, number: int) -> SigningKey:
    """The key of a world's node of this number."""
    return SigningKey.from_seed(Usage.NODE, seed.to_bytes(16, "big") + number.to_bytes(16, "big"))


@dataclass(slots=True)
class Community:
    """Some people who may speak for listings, and their charter as it is now."""

    keys: tuple[SigningKey, ...]
    charter: Charter
    rid: RecordId


@dataclass(slots=True)
class Scribe:
    """Writes and signs whatever a world needs."""

    seed: int
    archive: Archive
    random: Random = field(init=False)
    _maker: Maker = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed ^ 0x5C819E)
        self._maker = Maker(self.seed)

    def _key(self) -> SigningKey:
        return SigningKey.from_seed(Usage.STEWARD, self.random.randbytes(32))

    def found(self, stewards: int = 1) -> tuple[Community, Archived]:
        """A new charter of so many stewards, more than half of whom must sign."""
        keys = tuple(sorted((self._key() for _ in range(stewards)), key=lambda key: key.public))
        charter = Charter(
            previous=None,
            position=0,
            stewards=tuple(key.public for key in keys),
            threshold=stewards // 2 + 1,
            nonce=self.random.randbytes(16),
        )
        founding = self.archive.add(sign(Kind.CHARTER, charter.to_body(), keys))
        return Community(keys, charter, founding.rid), founding

    def succeed(self, old: Community, signers: Sequence[SigningKey] = ()) -> tuple[Community, Archived]:
        """The same stewards' next charter; done twice to one charter, it is a fork."""
        charter = Charter(
            previous=old.rid,
            position=old.charter.position + 1,
            stewards=old.charter.stewards,
            threshold=old.charter.threshold,
            nonce=self.random.randbytes(16),
        )
        next_one = self.archive.add(sign(Kind.CHARTER, charter.to_body(), signers or old.keys))
        return Community(old.keys, charter, next_one.rid), next_one

    def content(self) -> ListingContent:
        """Some listing's text."""
        self._count += 1
        return self._maker.content(self._count)

    def list_group(
        self,
        community: Community,
        now: Timestamp,
        *,
        entry: bytes | None = None,
        seq: int = 1,
        lease: int = LEASE_SECONDS,
        hosts: tuple[NodeId, ...] = (),
        signers: Sequence[SigningKey] = (),
    ) -> Archived:
        """A listing under a charter; in a new entry unless one is named."""
        content = self.content()
        slot = self._slot(community, now, self._entry(entry), seq, lease)
        listing = Listing(slot=slot, content=content, hosts=hosts)
        return self.archive.add(sign(Kind.LISTING, listing.to_body(), signers or community.keys))

    def withdraw(self, community: Community, now: Timestamp, entry: bytes, seq: int) -> Archived:
        """Take a listing back."""
        slot = self._slot(community, now, entry, seq, LEASE_SECONDS)
        return self.archive.add(sign(Kind.WITHDRAWAL, Withdrawal(slot=slot).to_body(), community.keys))

    def _entry(self, entry: bytes | None) -> bytes:
        return self._count.to_bytes(8, "big") if entry is None else entry

    @staticmethod
    def _slot(community: Community, now: Timestamp, entry: bytes, seq: int, lease: int) -> Slot:
        return Slot(charter=community.rid, entry=entry, seq=seq, issued=now, expires=Timestamp(now + lease))

    def announce(
        self, key: SigningKey, addresses: tuple[str, ...], features: tuple[str, ...], now: Timestamp, seq: int = 1
    ) -> Archived:
        """A node's own announcement."""
        announcement = Announcement(
            node=key.public,
            channel=self.random.randbytes(32),
            addresses=addresses,
            features=features,
            seq=seq,
            issued=now,
            expires=Timestamp(now + ANNOUNCED_SECONDS),
        )
        return self.archive.add(sign(Kind.ANNOUNCEMENT, announcement.to_body(), [key]))


def forged(good: Archived) -> bytes:
    """The same words with a signature that does not hold."""
    first, *rest = good.envelope.signatures
    wrong = Signature(first.author, first.signature[:32] + bytes(32 - 1) + b"\x07")
    envelope = good.envelope
    return type(envelope)(envelope.kind, envelope.body, (wrong, *rest), envelope.rid).to_bytes()
