"""Names of things: fixed-length bytes, and the text a person or a URL shows for them."""

import base64
import binascii
from hashlib import blake2b
from typing import NewType

from hedgerow_protocol.errors import Code, RemoteError

RecordId = NewType("RecordId", bytes)
"""32 bytes: BLAKE2b-256 of a record's domain and body."""

ListingId = NewType("ListingId", bytes)
"""20 bytes: names one entry below a founding charter, and stays the same through every change."""

NodeId = NewType("NodeId", bytes)
"""32 bytes: a node's Ed25519 public key."""

RECORD_ID_BYTES = 32
LISTING_ID_BYTES = 20
NODE_ID_BYTES = 32


def listing_id(founding_charter: RecordId, entry: bytes) -> ListingId:
    """The id of the listing that ``entry`` names below the charter that began the chain."""
    digest = blake2b(digest_size=LISTING_ID_BYTES, person=b"hedgerow/listing")
    digest.update(founding_charter)
    digest.update(entry)
    return ListingId(digest.digest())


def to_text(value: bytes) -> str:
    """Lower-case base32 without padding (RFC 4648): safe in URLs, file names, and when read aloud."""
    return base64.b32encode(value).decode("ascii").rstrip("=").lower()


def from_text(text: str, size: int) -> bytes:
    """The inverse of :func:`to_text` for an id of ``size`` bytes. Raises :class:`RemoteError`."""
    try:
        value = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError) as error:
        raise RemoteError(Code.BAD_FIELD, "This is not an id: it holds letters an id never has.") from error
    if len(value) != size or to_text(value) != text:
        raise RemoteError(Code.BAD_FIELD, "This is not an id: it has the wrong length.")
    return value
