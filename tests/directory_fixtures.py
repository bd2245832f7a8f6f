"""Short ways to make signed records and a directory for tests."""

from collections.abc import Sequence
from pathlib import Path

from hedgerow_node.directory.service import Directory
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope, Kind, sign
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter, Listing, Slot, Withdrawal

NOW = Timestamp(1_790_000_123)
DAY = 86_400
STEWARDS = sorted(
    (SigningKey.from_seed(Usage.STEWARD, bytes([n]) * 32) for n in range(1, 6)), key=lambda key: key.public
)
NODE = SigningKey.from_seed(Usage.NODE, bytes(32))


def charter(
    stewards: Sequence[SigningKey] = STEWARDS[:1],
    threshold: int = 1,
    *,
    previous: Envelope | None = None,
    position: int = 0,
    signers: Sequence[SigningKey] | None = None,
    nonce: bytes = bytes(16),
) -> Envelope:
    """A signed charter."""
    record = Charter(
        previous=None if previous is None else previous.rid,
        position=position,
        stewards=tuple(sorted(key.public for key in stewards)),
        threshold=threshold,
        nonce=nonce,
    )
    return sign(Kind.CHARTER, record.to_body(), signers or stewards).envelope


def slot(under: RecordId, entry: bytes = b"", seq: int = 1, days: int = 90, issued: int = NOW) -> Slot:
    """A slot that lasts ``days`` from ``issued``."""
    return Slot(charter=under, entry=entry, seq=seq, issued=Timestamp(issued), expires=Timestamp(issued + days * DAY))


def listing(where: Slot, content: ListingContent, signers: Sequence[SigningKey] = STEWARDS[:1]) -> Envelope:
    """A signed listing."""
    return sign(Kind.LISTING, Listing(slot=where, content=content).to_body(), signers).envelope


def withdrawal(where: Slot, signers: Sequence[SigningKey] = STEWARDS[:1]) -> Envelope:
    """A signed withdrawal."""
    return sign(Kind.WITHDRAWAL, Withdrawal(slot=where).to_body(), signers).envelope


def open_directory(folder: Path, **settings: int) -> Directory:
    """A directory on a new store."""
    return Directory.open(folder / "public.db", **settings)
