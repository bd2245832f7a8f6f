"""What another node is told instead of an account: 16 bytes that say "the same one as before", for one thing only.

Made with a secret of the home node, so nobody else can tell whose a tag is, or that two tags are of one account.
"""

from hashlib import blake2b
from typing import Final

from hedgerow_protocol.delivery.values import AccountKey, KeyPackageRef, RoomId
from hedgerow_protocol.errors import LocalError
from hedgerow_protocol.federation.values import TAG_BYTES

SECRET_BYTES: Final = 32


def claim_tag(secret: bytes, account: AccountKey, ref: KeyPackageRef) -> bytes:
    """For a claim of this KeyPackage: who claimed it gets it again, and a commit's author is known as who claimed."""
    return _tag(secret, b"hedgerow/claim", account + ref)


def room_tag(secret: bytes, account: AccountKey, room: RoomId) -> bytes:
    """For what an account asks in this room: so the hub can bound how much one account asks."""
    return _tag(secret, b"hedgerow/room", account + room)


def _tag(secret: bytes, person: bytes, what: bytes) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise LocalError(f"The secret of claims is {SECRET_BYTES} bytes.")
    return blake2b(what, key=secret, digest_size=TAG_BYTES, person=person).digest()
