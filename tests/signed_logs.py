"""Logs with true hashes and signed heads, as a hub tells them; and hubs that tell two stories."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash, sign_head
from hedgerow_protocol.delivery.values import Entry, EntryId, EntryKind, Head, Position, RoomId
from hedgerow_protocol.federation.letters import Notify
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage

HUB_KEY = SigningKey.from_seed(Usage.NODE, b"hedgerow test seed hub".ljust(32, b"."))
HUB = NodeId(HUB_KEY.public[1:])
OTHER_KEY = SigningKey.from_seed(Usage.NODE, b"hedgerow test seed other hub".ljust(32, b"."))
ROOM = RoomId(sha256(b"hedgerow test room").digest())
NOW = 1_800_000_000


@dataclass
class SignedLog:
    """One room's log at its hub."""

    room: RoomId = ROOM
    key: SigningKey = HUB_KEY
    entries: list[Entry] = field(default_factory=list)

    def add(self, *words: str, kind: EntryKind = EntryKind.MESSAGE) -> "SignedLog":
        """One entry for each word."""
        for word in words:
            at = self.position()
            seq, time, payload = at.seq + 1, NOW + at.seq, word.encode()
            id, digest = EntryId(sha256(payload).digest()[:16]), sha256(payload).digest()
            hash = entry_hash(self.room, seq, time, kind, seq // 3, id, digest, at.hash)
            self.entries.append(Entry(seq, time, kind, seq // 3, id, payload, digest, hash))
        return self

    def branch(self, upto: int) -> "SignedLog":
        """The same up to a seq, to go on differently."""
        return SignedLog(self.room, self.key, self.entries[:upto])

    def position(self, seq: int | None = None) -> Position:
        """Where it stands, or stood."""
        seq = len(self.entries) if seq is None else seq
        return self.entries[seq - 1].position if seq else BEGINNING

    def head(self, seq: int | None = None) -> Head:
        """The signed head of a seq; of the newest entry by default."""
        return sign_head(self.key, self.room, self.position(seq))

    def notify(self, after: int, upto: int | None = None) -> Notify:
        """What the hub tells somebody who has everything up to ``after``."""
        upto = len(self.entries) if upto is None else upto
        told = tuple(self.entries[after:upto])
        before = self.position(after).hash if told else bytes(32)
        return Notify(self.room, self.head(upto if told else None), before, told, upto < len(self.entries))

    def between(self, after: int, upto: int) -> Sequence[Entry]:
        """As a follower that mirrored all of it gives its own entries."""
        return self.entries[after:upto]


def log(*words: str) -> SignedLog:
    """A log of messages."""
    return SignedLog().add(*words)


def letters(count: int, start: str = "word") -> list[str]:
    """So many different words."""
    return [f"{start} {number}" for number in range(count)]
