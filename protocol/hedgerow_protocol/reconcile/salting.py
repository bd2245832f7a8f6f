"""Ids under a salt: what two nodes compare is never the ids themselves.

A record's *salted id* is BLAKE2b-256 of its id under the salt; its *name* is the first 8 bytes of that. Whoever wants
two records to look alike must know the salt before he makes them, and a salt is fresh for each session or, in large
sets, for an hour.
"""

from hashlib import blake2b
from typing import Final

from hedgerow_protocol.errors import LocalError

SALT_BYTES: Final = 16
NONCE_BYTES: Final = 16
NAME_BYTES: Final = 8


class Salt:
    """One salt, 16 bytes."""

    __slots__ = ("_id", "_probe", "key")

    def __init__(self, key: bytes) -> None:
        if len(key) != SALT_BYTES:
            raise LocalError(f"A salt has {SALT_BYTES} bytes.")
        self.key = key
        self._id = blake2b(key=key, digest_size=32, person=b"hedgerow/salted")
        self._probe = blake2b(key=key, digest_size=12, person=b"hedgerow/probe")

    def salted(self, rid: bytes) -> bytes:
        """The salted id of a record: 32 bytes."""
        hashed = self._id.copy()
        hashed.update(rid)
        return hashed.digest()

    def probe(self, name: bytes) -> bytes:
        """12 bytes that belong to a name: 4 that check it and 8 from which its cells are drawn."""
        hashed = self._probe.copy()
        hashed.update(name)
        return hashed.digest()


def session_salt(binding: bytes, opener: bytes, answerer: bytes) -> Salt:
    """The salt of one session: of the channel both share and of a nonce of each side, so that neither chooses it."""
    hashed = blake2b(digest_size=SALT_BYTES, person=b"hedgerow/session")
    hashed.update(binding)
    hashed.update(opener)
    hashed.update(answerer)
    return Salt(hashed.digest())
