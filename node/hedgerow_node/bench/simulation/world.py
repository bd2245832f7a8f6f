"""A simulated network: who takes part, the links between them, and the weather on the wires.

Everything happens in one thread in the order of simulated time, and every chance comes from one seed, so a run can be
repeated exactly. Links carry frames directly: the secure channel and the sockets have tests of their own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random  # noqa: TID251 - a world from a seed is the point
from typing import Final, Protocol

from hedgerow_node.bench.listings import NOW
from hedgerow_node.bench.simulation.archive import Archive, Archived
from hedgerow_node.bench.simulation.clockwork import Clockwork
from hedgerow_node.bench.simulation.cost import Cost
from hedgerow_node.bench.simulation.making import Scribe
from hedgerow_node.bench.simulation.safety import KEY, Safety
from hedgerow_node.bench.simulation.store import SimStore
from hedgerow_node.bench.simulation.weather import CALM, Weather
from hedgerow_protocol.gossip.events import Dial, LinkId
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.reconcile import LiveSet

EPOCH: Final = NOW
"""The unix time at which a world begins, by clocks that are right."""

HANDSHAKE_WAYS: Final = 4
"""One-way delays before a link is open at the dialler: connecting, upgrading, and the channel's handshake."""

DIAL_SECONDS_MAX: Final = 10.0
"""Seconds. After which a dial that nobody answers has failed."""

BREAK_SECONDS: Final = 30.0
"""Seconds. Within which the ends notice that a wire was cut, where they notice at all."""


class Participant(Protocol):
    """Whoever can be at one end of a link: a node, or somebody worse."""

    number: int
    id: NodeId
    address: str
    """Where it can be dialled; empty when it cannot."""
    source: str
    """Where its own dials seem to come from."""
    honest: bool
    pace: float
    """How many times slower than usual it and its wires are."""

    def announcement(self) -> Archived: ...
    def accepts(self) -> bool: ...
    def link_up(self, end: "End", dial: Dial | None) -> None: ...
    def link_down(self, end: "End") -> None: ...
    def frame_in(self, end: "End", frame: bytes) -> None: ...
    def dial_failed(self, dial: Dial, wrong_node: bool) -> None: ...


@dataclass(slots=True, eq=False)
class End:
    """One end of a link."""

    owner: Participant
    link: LinkId
    binding: bytes
    outbound: bool
    delay: float
    """Seconds to the other end."""
    other: "End"
    up: bool = True
    latest: float = 0.0
    """When the last frame from here arrives at the other end."""


class World:
    """Make one with a seed, add participants, let time pass."""

    def __init__(self, seed: int, weather: Weather = CALM, *, repeat: str = "", check_every: int = 1) -> None:
        """``repeat``: what to type to see this run again. Safety is checked at every so many steps."""
        self.seed = seed
        self.random = Random(seed)
        self.weather = weather
        self.clockwork = Clockwork()
        self.archive = Archive()
        self.scribe = Scribe(seed, self.archive)
        self.cost = Cost()
        self.safety = Safety(repeat or f"seed {seed}", check_every)
        self.participants: list[Participant] = []
        self.arrivals: dict[RecordId, dict[NodeId, float]] = {}
        """When each watched record was first held by each node."""
        self._digests: dict[str, bytes] = {}
        self._by_address: dict[str, Participant] = {}
        self._ends: dict[LinkId, End] = {}
        self.crossed_at: float | None = None
        """When the first link joined what had been parted."""
        self._side: dict[NodeId, int] = {}
        self._was_side: dict[NodeId, int] = {}
        self._links = 0

    # --- time

    @property
    def time(self) -> float:
        """Simulated seconds since the beginning."""
        return self.clockwork.time

    def unix(self) -> Timestamp:
        """What a clock that is right shows."""
        return Timestamp(EPOCH + int(self.time))

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        self.clockwork.run_until(self.time + seconds)

    def run_until(self, holds: Callable[[], bool], seconds: float, *, step: float = 0.5) -> bool:
        """Let time pass until something holds, looked at every ``step`` seconds. Whether it did in time."""
        end = self.time + seconds
        while not holds():
            if self.time >= end:
                return False
            self.run(min(step, end - self.time))
        return True

    # --- who takes part

    def add(self, participant: Participant) -> None:
        """Somebody new."""
        self.participants.append(participant)
        if participant.address:
            self._by_address[participant.address] = participant

    def watch(self, record: Archived) -> None:
        """Note when this record reaches each node, and how often."""
        self.cost.watched.add(record.rid)
        self.arrivals[record.rid] = {}

    def digest_of(self, store: SimStore) -> bytes:
        """The digest of what a store holds live, worked out from nothing; once for each state of the world."""
        state = store.state_hash()
        if state not in self._digests:
            live = LiveSet()
            live.load((seconds, rid) for rid, seconds in store.live.items())
            self._digests[state] = live.digest(KEY)
        return self._digests[state]

    # --- links

    def dial(self, who: Participant, dial: Dial) -> None:
        """Somebody dials an address."""
        there = self._by_address.get(dial.address)
        if there is None or not self._reaches(who, there):
            self.clockwork.after(DIAL_SECONDS_MAX, who.dial_failed, dial, False)
            return
        ways = [self._distance(who, there) for _ in range(2)]
        self.clockwork.after(HANDSHAKE_WAYS / 2 * sum(ways), self._answer, who, there, dial, ways)

    def _distance(self, one: Participant, two: Participant) -> float:
        return self.weather.distance(self.random) * max(one.pace, two.pace)

    def _reaches(self, one: Participant, two: Participant) -> bool:
        return self._side.get(one.id, 0) == self._side.get(two.id, 0)

    def _answer(self, who: Participant, there: Participant, dial: Dial, ways: list[float]) -> None:
        if not there.accepts() or not self._reaches(who, there):
            who.dial_failed(dial, False)
        elif dial.peer is not None and dial.peer != there.id:
            who.dial_failed(dial, True)
        else:
            self.connect(who, there, dial, ways)

    def connect(self, who: Participant, there: Participant, dial: Dial | None, ways: list[float] | None = None) -> End:
        """Open a link; the one who dialled knows first. Returns his end."""
        ways = ways or [self._distance(who, there) for _ in range(2)]
        binding = self.random.randbytes(32)
        mine = self._end(who, binding, True, ways[0])
        theirs = self._end(there, binding, False, ways[1])
        mine.other, theirs.other = theirs, mine
        mine.latest = self.time + ways[0]
        self.clockwork.at(mine.latest, self._reach, theirs)
        if self._was_side and self.crossed_at is None and self._crosses(mine):
            self.crossed_at = self.time
        who.link_up(mine, dial)
        if self.weather.breaks_per_hour:
            self.clockwork.after(self.random.expovariate(self.weather.breaks_per_hour / 3_600), self.cut, mine)
        return mine

    def _end(self, owner: Participant, binding: bytes, outbound: bool, delay: float) -> End:
        self._links += 1
        end = End(owner, LinkId(self._links), binding, outbound, delay, None)  # type: ignore[arg-type]
        self._ends[end.link] = end
        return end

    def _reach(self, end: End) -> None:
        if end.up:
            end.owner.link_up(end, None)

    def end(self, link: LinkId) -> End | None:
        """One end, while it is up."""
        return self._ends.get(link)

    def ends_of(self, who: Participant) -> list[End]:
        """Every open link of somebody."""
        return [end for end in self._ends.values() if end.owner is who]

    def close(self, end: End) -> None:
        """One end closes the link: the other hears of it after what was sent before."""
        if end.up:
            self._drop(end)
            arrives = max(end.latest, self.time + end.delay)
            self.clockwork.at(arrives, self._hear_down, end.other)

    def _hear_down(self, end: End) -> None:
        if end.up:
            self._drop(end)
            end.owner.link_down(end)

    def _drop(self, end: End) -> None:
        end.up = False
        self._ends.pop(end.link, None)

    def cut(self, end: End) -> None:
        """A wire breaks: both ends notice in their own time."""
        for each in (end, end.other):
            if each.up:
                self.clockwork.after(self.random.uniform(0.1, BREAK_SECONDS), self._hear_down, each)

    # --- frames

    def send(self, end: End, frame: bytes) -> None:
        """A frame leaves one end. It may arrive."""
        weather = self.weather
        self.cost.sent(frame)
        if not end.up or (weather.loss and self.random.random() < weather.loss):
            return
        if self._side and not self._reaches(end.owner, end.other.owner):
            return
        times = 2 if weather.copies and self.random.random() < weather.copies else 1
        for _ in range(times):
            arrives = self.time + end.delay * self.random.uniform(0.9, 1.1)
            if weather.overtaken and self.random.random() < weather.overtaken:
                arrives = max(arrives, end.latest) + self.random.uniform(0.0, 4 * end.delay)
            else:
                arrives = end.latest = max(arrives, end.latest)
            self.clockwork.at(arrives, self._arrive, end.other, frame)

    def _arrive(self, end: End, frame: bytes) -> None:
        if end.up:
            end.owner.frame_in(end, frame)

    # --- partition

    def part(self, sides: Iterable[Iterable[Participant]], *, noticed: float = 0.5) -> None:
        """Cut the network in pieces. This share of the links across break; the others only fall silent."""
        for number, side in enumerate(sides, start=1):
            for each in side:
                self._side[each.id] = number
        for end in list(self._ends.values()):
            if end.outbound and not self._reaches(end.owner, end.other.owner) and self.random.random() < noticed:
                self.cut(end)

    def heal(self) -> None:
        """Every wire carries again."""
        self._was_side, self._side = self._side, {}
        self.crossed_at = None
        if any(self._crosses(end) for end in self._ends.values()):
            self.crossed_at = self.time  # a link that had only fallen silent

    def _crosses(self, end: End) -> bool:
        was = self._was_side
        return was.get(end.owner.id, 0) != was.get(end.other.owner.id, 0)
