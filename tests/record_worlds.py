"""Small worlds of records made from a seed: charters that change and fork, listings, renewals, withdrawals, twins of
one version, announcements, records signed by too few. For tests of what a *set* of records means."""

import random
from dataclasses import dataclass, field

from hedgerow_protocol.content import Attendance, Facets, ListingContent, Meeting, Place
from hedgerow_protocol.envelope import Kind, VerifiedEnvelope, sign
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, Charter, HostingClaim, Listing, Slot, Withdrawal

NOW = Timestamp(1_790_000_123)
DAY = 86_400
STEWARDS = [SigningKey.from_seed(Usage.STEWARD, bytes([number]) * 32) for number in range(1, 7)]
NODES = [SigningKey.from_seed(Usage.NODE, bytes([number]) * 32) for number in range(1, 4)]
_BY_PUBLIC = {key.public: key for key in STEWARDS}
_NAMES = ("Quiet Café", "Morning circle", "Écoute", "Tuesday walk", "Lantern")


@dataclass
class World:
    """Records in the order in which they were made."""

    random: random.Random
    records: list[VerifiedEnvelope] = field(default_factory=list)
    charters: list[tuple[RecordId, Charter]] = field(default_factory=list)

    def found(self) -> None:
        """A founding charter."""
        self._charter(None, 0, None)

    def succeed(self) -> None:
        """A change of some charter: of the same one twice, it is a fork."""
        rid, previous = self.random.choice(self.charters)
        self._charter(rid, previous.position + 1, previous)

    def _charter(self, rid: RecordId | None, position: int, previous: Charter | None) -> None:
        count = self.random.choice([1, 1, 2, 3])
        keys = sorted(self.random.sample([key.public for key in STEWARDS], count))
        charter = Charter(
            previous=rid,
            position=position,
            stewards=tuple(keys),
            threshold=count // 2 + 1,
            nonce=self.random.randbytes(16),
        )
        signers = {*keys, *(previous.stewards if previous else ())}
        if self.random.random() < 0.1:
            signers = set(sorted(signers)[:1])  # often too few
        made = self._sign(Kind.CHARTER, charter.to_body(), signers)
        self.charters.append((made.envelope.rid, charter))

    def say(self) -> None:
        """A listing or a withdrawal under some charter; sequences and leases repeat often."""
        rid, charter = self.random.choice(self.charters)
        slot = Slot(
            charter=rid,
            entry=self.random.choice([b"", b"a", b"b"]),
            seq=self.random.choice([1, 2, 2, 3]),
            issued=NOW,
            expires=Timestamp(NOW + self.random.choice([100, 5_000, 40 * DAY, 90 * DAY, 90 * DAY])),
        )
        signers = set(charter.stewards)
        if self.random.random() < 0.2:
            signers = set(charter.stewards[: charter.threshold])
        if self.random.random() < 0.1:
            signers = set(charter.stewards[:1]) if self.random.random() < 0.5 else {STEWARDS[0].public}
        if self.random.random() < 0.2:
            self._sign(Kind.WITHDRAWAL, Withdrawal(slot=slot).to_body(), signers)
        else:
            content = self._content()
            hosts = tuple(
                sorted(NodeId(key.public[1:]) for key in self.random.sample(NODES, self.random.choice([0, 2])))
            )
            made = self._sign(Kind.LISTING, Listing(slot=slot, content=content, hosts=hosts).to_body(), signers)
            if self.random.random() < 0.1:  # the same words, other signers
                fewer = set(charter.stewards[: charter.threshold])
                self.records.append(sign(Kind.LISTING, made.envelope.body, [_BY_PUBLIC[key] for key in fewer]))

    def _content(self) -> ListingContent:
        meeting = Meeting(
            slug="one",
            weekday=self.random.randrange(7),
            start=self.random.randrange(1440),
            tz=self.random.choice(["", "Europe/Berlin", "Asia/Kathmandu"]),
            attendance=self.random.choice(list(Attendance)),
            place=Place(
                city="Exampleton",
                latitude_e7=self.random.randrange(-900_000_000, 900_000_000),
                longitude_e7=self.random.randrange(-1_800_000_000, 1_800_000_000),
            ),
        )
        return ListingContent(
            name=f"{self.random.choice(_NAMES)} {self.random.randrange(9)}",
            summary=" ".join(self.random.choice(_NAMES) for _ in range(3)),
            experiences=(self.random.choice(["bereavement", "parenting"]),),
            facets=Facets(languages=(self.random.choice(["de-AT", "en", "es"]),)),
            meetings=(meeting,) if self.random.random() < 0.9 else (),
            source=self.random.choice(["", "feed"]),
        )

    def announce(self) -> None:
        """Where a node is."""
        key = self.random.choice(NODES)
        announcement = Announcement(
            node=key.public,
            channel=self.random.randbytes(32),
            addresses=("wss://node.example.org/peer",),
            features=(),
            seq=self.random.choice([1, 2]),
            issued=NOW,
            expires=Timestamp(NOW + self.random.choice([3, 20]) * DAY),
        )
        self.records.append(sign(Kind.ANNOUNCEMENT, announcement.to_body(), [key]))

    def claim(self) -> None:
        """Which groups a node says that it hosts."""
        key = self.random.choice(NODES)
        roots = [rid for rid, charter in self.charters if charter.previous is None]
        claim = HostingClaim(
            node=key.public,
            roots=tuple(sorted(self.random.sample(roots, self.random.randrange(len(roots) + 1)))),
            seq=self.random.choice([1, 2]),
            issued=NOW,
            expires=Timestamp(NOW + self.random.choice([5_000, 3 * DAY, 20 * DAY])),
        )
        self.records.append(sign(Kind.HOSTING, claim.to_body(), [key]))

    def _sign(self, kind: Kind, body: bytes, signers: set[bytes]) -> VerifiedEnvelope:
        made = sign(kind, body, [_BY_PUBLIC[key] for key in sorted(signers)])
        self.records.append(made)
        return made


def make_world(seed: int, size: int = 30, *, forks: bool = True) -> list[VerifiedEnvelope]:
    """A world of about ``size`` records from a seed."""
    world = World(random.Random(seed))
    world.found()
    if world.random.random() < 0.5:
        world.found()
    while len(world.records) < size:
        what = world.random.random()
        if what < 0.04:
            world.found()
        elif what < (0.3 if forks and seed % 2 else 0.1):
            world.succeed()
        elif what < 0.86:
            world.say()
        elif what < 0.93:
            world.claim()
        else:
            world.announce()
    return world.records
