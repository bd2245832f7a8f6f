"""Two ends of a reconciliation session that talk to each other in memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.reconcile import LiveSet
from hedgerow_protocol.reconcile.session import Session, Step

BINDING = bytes(range(32))
Item = tuple[int, bytes]


def rid(number: int) -> RecordId:
    """The id of an imagined record."""
    return RecordId(blake2b(number.to_bytes(8, "big"), digest_size=32).digest())


def item(number: int) -> Item:
    """An imagined record: half of all are charters."""
    return (0 if number % 2 else 1_800_000_000 + number // 3, rid(number))


def live_set(items: Iterable[Item]) -> LiveSet:
    live = LiveSet()
    live.load(items)
    return live


class Seeded:
    """Entropy that is the same every time."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, size: int) -> bytes:
        self._drawn += 1
        return blake2b(f"{self._seed} {self._drawn}".encode(), digest_size=size).digest()


@dataclass
class End:
    """What one side has done."""

    live: LiveSet
    dialled: bool
    entropy: Seeded
    session: Session | None = None
    gave: list[RecordId] = field(default_factory=list)
    expected: int = 0
    sent: list[bytes] = field(default_factory=list)
    last: Step | None = None
    ticks: int = 0


class Pair:
    """Two nodes and the link between them. ``tamper`` may change or drop (``None``) what the answerer sends."""

    def __init__(
        self, opener: LiveSet, answerer: LiveSet, *, seed: int = 1, opener_dialled: bool = True,
        tamper: Callable[[bytes], bytes | None] | None = None,
    ) -> None:  # fmt: skip
        self.opener = End(opener, opener_dialled, Seeded(2 * seed))
        self.answerer = End(answerer, not opener_dialled, Seeded(2 * seed + 1))
        self.now = Now(Instant(1_000.0), Timestamp(1_800_000_000))
        self.tamper = tamper
        self.turns = 0

    def open(self, side: End, other: End, hint: int | None = None) -> list[bytes]:
        """One side opens; what it says is not delivered yet."""
        side.session = Session.open(
            side.live, binding=BINDING, dialled=side.dialled, peer=NodeId(bytes([other.dialled]) * 32),
            peer_count=len(other.live), hint=hint, entropy=side.entropy, now=self.now,
        )  # fmt: skip
        return self.did(side, side.session.start(self.now))

    def answering(self, side: End, other: End) -> Session:
        return Session.answer(
            side.live, binding=BINDING, dialled=side.dialled, peer=NodeId(bytes([other.dialled]) * 32),
            entropy=side.entropy, now=self.now,
        )  # fmt: skip

    def did(self, side: End, step: Step) -> list[bytes]:
        side.gave.extend(step.give)
        side.expected += step.expect
        side.sent.extend(step.send)
        side.last = step
        if step.done:
            side.session = None
        return list(step.send)

    def run(self, hint: int | None = None) -> "Pair":
        """One session from beginning to end."""
        waiting = [(self.answerer, each) for each in self.open(self.opener, self.answerer, hint)]
        self.answerer.session = self.answering(self.answerer, self.opener)
        self.deliver(waiting)
        return self

    def deliver(self, waiting: list[tuple[End, bytes]]) -> None:
        """Carry what waits, and all that follows from it, until nobody has anything to do."""
        while True:
            self.turns += 1
            assert self.turns < 20_000
            if waiting:
                side, payload = waiting.pop(0)
                if side.session is None:
                    continue
                waiting += self._carried(side, self.did(side, side.session.handle(payload, self.now)))
                continue
            busy = [side for side in (self.opener, self.answerer) if side.session and side.last and side.last.busy]
            if not busy:
                return
            for side in busy:
                side.ticks += 1
                assert side.session is not None
                waiting += self._carried(side, self.did(side, side.session.tick(self.now)))

    def _carried(self, side: End, payloads: list[bytes]) -> list[tuple[End, bytes]]:
        other = self.answerer if side is self.opener else self.opener
        if side is self.answerer and self.tamper is not None:
            payloads = [changed for each in payloads if (changed := self.tamper(each)) is not None]
        return [(other, each) for each in payloads]

    def settle(self) -> bool:
        """Give each other what was found; whether both sets are equal now."""
        for side, other in ((self.opener, self.answerer), (self.answerer, self.opener)):
            seconds = {rid: seconds for seconds, rid in side.live}
            for each in side.gave:
                other.live.add(seconds[each], each)
        return self.opener.live.digest(BINDING) == self.answerer.live.digest(BINDING)
