"""Letters of any bytes, and the hub's and the outbox's machines under any schedule: nothing lost, in order, bounded."""

from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

import letter_strategies
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation import fanout_values as fan
from hedgerow_protocol.federation import forks, moving, parts
from hedgerow_protocol.federation import outbox_values as box
from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.federation.fanout import Fanout
from hedgerow_protocol.federation.letters import Forked, Letter, Request, decode, encode, kind_of
from hedgerow_protocol.federation.mirror import Faulty, Gap, Held, New, check
from hedgerow_protocol.federation.outbox import Outbox
from hedgerow_protocol.federation.turnstile import Turnstile
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now, Timestamp
from signed_logs import HUB, SignedLog, letters

PEER = NodeId(b"p" * 32)
START = 1_800_000_000


# --- bytes


@given(letter_strategies.letters)
@settings(max_examples=400, deadline=None)
def test_letters_come_back_as_they_were(letter: Letter) -> None:
    data = encode(letter)
    assert decode(data) == letter
    assert encode(decode(data)) == data
    if isinstance(letter, Request):
        assert letter.kind == kind_of(letter.body)


@given(letter_strategies.letters, st.data())
@settings(max_examples=600, deadline=None)
def test_any_bytes_are_a_letter_or_refused(letter: Letter, data: st.DataObject) -> None:
    damaged = bytearray(encode(letter))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    for each in (bytes(damaged), data.draw(st.binary(max_size=200))):
        for read in (decode, forks.decode, moving.decode_statement, lambda frame: parts.Joiner().came(PEER, frame)):
            with suppress(RemoteError):
                read(each)


@given(st.integers(1, 400_000), st.lists(st.integers(0, 20), max_size=4))
@settings(max_examples=60, deadline=None)
def test_letters_of_any_size_travel(size: int, lost: list[int]) -> None:
    letter = Forked(bytes(size))
    frames = parts.Splitter().frames(encode(letter))
    assert max(map(len, frames)) <= limits.LETTER_FRAME_BYTES_MAX
    joiner = parts.Joiner()
    assert [joiner.came(PEER, frame) for frame in frames][-1] == letter
    kept = [frame for number, frame in enumerate(frames) if number not in lost]
    with suppress(RemoteError):
        got = [joiner.came(PEER, frame) for frame in kept]
        assert (letter in got) == (kept == frames)
    joiner.down(PEER)
    assert joiner.held == 0


# --- the mirror


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.booleans()), max_size=12), st.integers(0, 12))
@settings(max_examples=400, deadline=None)
def test_a_mirror_is_true_or_the_hub_is_proved_a_liar(told: list[tuple[int, int, bool]], fork: int) -> None:
    """Whatever parts of two logs a hub tells in whatever order: a follower never mixes them."""
    true = SignedLog().add(*letters(12))
    other = true.branch(fork).add(*letters(12 - fork, "another"))
    mirror: list[object] = []
    held = Held(0, None)
    for after, upto, lie in told:
        log = other if lie else true
        after, upto = min(after, upto), max(after, upto)
        verdict = check(HUB, held, log.notify(after, upto), lambda a, u: mirror[a:u])  # type: ignore[arg-type, return-value] # noqa: B023
        if isinstance(verdict, Faulty):
            assert forks.proves(verdict.proof)
            assert fork < 12
            return
        if isinstance(verdict, Gap):
            assert verdict.after == held.after
            continue
        assert isinstance(verdict, New)
        if verdict.entries:
            mirror += verdict.entries
            held = Held(len(mirror), verdict.head)
            assert verdict.head == (true if mirror == true.entries[: len(mirror)] else other).head(len(mirror))
    assert mirror in (true.entries[: len(mirror)], other.entries[: len(mirror)])


# --- the hub's machine

ROOMS = [RoomId(bytes([number]) * 32) for number in range(4)]
NODES = [NodeId(bytes([100 + number]) * 32) for number in range(3)]
SIZES = (100, 5_000, 300_000)
actions = st.lists(
    st.tuples(
        st.sampled_from(
            ("grow", "grow", "connect", "disconnect", "read", "read", "deliver", "deliver", "acks", "fetch", "wait")
        ),
        st.integers(0, 3),
        st.integers(0, 2),
        st.integers(1, 400),
    ),
    max_size=60,
)


@dataclass
class HubWorld:
    """A hub, its links, and followers that put on disk what they are told."""

    fanout_ms: int
    machine: Fanout = field(init=False)
    time: float = 0.0
    newest: dict[RoomId, int] = field(default_factory=lambda: dict.fromkeys(ROOMS, 0))
    up: set[NodeId] = field(default_factory=set)
    reads: deque[fan.Read] = field(default_factory=deque)
    links: dict[NodeId, deque[tuple[RoomId, int, int]]] = field(default_factory=lambda: defaultdict(deque))
    acks: dict[NodeId, deque[tuple[RoomId, int]]] = field(default_factory=lambda: defaultdict(deque))
    disk: dict[tuple[RoomId, NodeId], int] = field(default_factory=lambda: defaultdict(int))
    wanted: set[NodeId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.machine = Fanout(self.fanout_ms)
        for room in ROOMS:
            for node in NODES:
                self.tell(fan.Followed(room, node, 0, 0))

    def tell(self, event: fan.Event) -> None:
        for out in self.machine.handle(event, Now(Instant(self.time), Timestamp(START))):
            match out:
                case fan.Read():
                    assert out.node in self.up
                    assert 0 <= out.limit <= limits.NOTIFY_ENTRIES_MAX
                    self.reads.append(out)
                case Want(node):
                    self.wanted.add(node)
        assert len(self.reads) <= fan.READS_MAX

    def read(self, size: int) -> None:
        """The caller reads what it was asked for, and hands it to the link."""
        out = self.reads.popleft()
        many = min(out.limit, max(1, out.size // size), self.newest[out.room] - out.after)
        if out.node in self.up:
            self.links[out.node].append((out.room, out.after, out.after + many))
        self.tell(fan.Sent(out.number, out.after + many, many * size))

    def deliver(self, node: NodeId, acknowledges: bool = True) -> None:
        room, after, upto = self.links[node].popleft()
        assert after <= self.disk[room, node], "a follower is never told something with a gap before it"
        self.disk[room, node] = max(self.disk[room, node], upto)
        if acknowledges:
            self.acks[node].append((room, self.disk[room, node]))

    def disconnect(self, node: NodeId) -> None:
        self.up.discard(node)
        self.links[node].clear()
        self.acks[node].clear()
        self.tell(Disconnected(node))

    def connect(self, node: NodeId) -> None:
        self.up.add(node)
        self.tell(Connected(node))

    def acknowledge(self, node: NodeId) -> None:
        while self.acks[node]:
            room, seq = self.acks[node].popleft()
            self.tell(fan.Acknowledged(room, node, seq))

    def drain(self, nodes: list[NodeId], size: int) -> None:
        """Until nothing more happens by itself."""
        for _ in range(5_000):
            if self.reads:
                self.read(size)
            elif any(self.links[node] for node in nodes):
                for node in nodes:
                    while self.links[node]:
                        self.deliver(node)
            elif any(self.acks[node] for node in nodes):
                for node in nodes:
                    self.acknowledge(node)
            else:
                return
        raise AssertionError("the hub and its followers never come to rest")


@given(st.sampled_from((0, 1_000)), st.sampled_from(SIZES), actions)
@settings(max_examples=200, deadline=None)
def test_every_follower_is_told_everything_in_order(
    fanout_ms: int, size: int, schedule: list[tuple[str, int, int, int]]
) -> None:
    world = HubWorld(fanout_ms)
    for action, room_number, node_number, amount in schedule:
        room, node = ROOMS[room_number], NODES[node_number]
        world.time += 0.01
        match action:
            case "grow":
                world.newest[room] += amount
                world.tell(fan.Grown(room, world.newest[room]))
            case "connect" if node not in world.up:
                world.connect(node)
            case "disconnect":
                world.disconnect(node)
            case "read" if world.reads:
                world.read(size)
            case "deliver" if world.links[node]:
                world.deliver(node, amount % 3 != 0)
            case "acks":
                world.acknowledge(node)
            case "fetch" if node in world.up:
                world.tell(fan.Fetched(room, node, max(0, world.disk[room, node] - amount % 4)))
            case "wait":
                world.time += amount / 100
                world.tell(Tick())
    for node in NODES:
        world.disconnect(node)
    world.reads.clear()
    for node in NODES:
        world.connect(node)
    for _ in range(20):
        world.drain(NODES, size)
        due = world.machine.due()
        if due is None:
            break
        world.time = max(world.time, due)
        world.tell(Tick())
    for room in ROOMS:
        assert {world.disk[room, node] for node in NODES} == {world.newest[room]}
    assert world.machine.stalled() == []


@given(st.sampled_from(SIZES), st.lists(st.tuples(st.integers(0, 3), st.integers(1, 400)), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_a_follower_that_never_acknowledges_is_told_a_window_and_holds_nobody_up(
    size: int, grown: list[tuple[int, int]]
) -> None:
    world = HubWorld(0)
    silent, others = NODES[0], NODES[1:]
    for node in NODES:
        world.connect(node)
    for number, amount in grown:
        world.newest[ROOMS[number]] += amount
        world.tell(fan.Grown(ROOMS[number], world.newest[ROOMS[number]]))
        world.time += fan.TOGETHER_SECONDS
        world.tell(Tick())
        world.drain(others, size)
    for room in ROOMS:
        assert all(world.disk[room, node] == world.newest[room] for node in others)
        told = [upto - after for of, after, upto in world.links[silent] if of == room]
        assert sum(told) <= limits.NOTIFY_ENTRIES_MAX
        assert sum(told) * size <= limits.NOTIFY_BYTES_MAX + size
    world.time += fan.STALLED_SECONDS
    world.tell(Tick())
    assert {node for _, node in world.machine.stalled()} == {silent}


# --- the outbox

jobs = st.lists(
    st.tuples(
        st.sampled_from(("queue", "queue", "queue", "connect", "disconnect", "answer", "answer", "busy", "wait")),
        st.integers(0, 2),
        st.integers(0, 1),
        st.integers(1, 900),
    ),
    max_size=80,
)


@dataclass
class OutboxWorld:
    """A node's outbox, and nodes that answer what arrives in its order."""

    machine: Outbox = field(default_factory=Outbox)
    turnstiles: dict[NodeId, Turnstile] = field(default_factory=lambda: defaultdict(Turnstile))
    """Each node's own, for this one."""
    time: float = 0.0
    number: int = 0
    room_of: dict[int, RoomId | None] = field(default_factory=dict)
    size_of: dict[int, int] = field(default_factory=dict)
    node_of: dict[int, NodeId] = field(default_factory=dict)
    up: set[NodeId] = field(default_factory=set)
    links: dict[NodeId, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    done: list[int] = field(default_factory=list)
    """In the order in which they first had their effect."""
    answered: set[int] = field(default_factory=set)

    def now(self) -> Now:
        return Now(Instant(self.time), Timestamp(START + int(self.time)))

    def tell(self, event: box.Event) -> None:
        for out in self.machine.handle(event, self.now()):
            match out:
                case box.Send(node, numbers):
                    assert node in self.up
                    assert {self.node_of[each] for each in numbers} == {node}
                    self.links[node].extend(numbers)
                case box.GiveUp():
                    raise AssertionError("nothing here is a month old")
        for node in NODES:
            requests, size = self.machine.under_way(node)
            assert requests <= box.WINDOW_REQUESTS_MAX
            assert requests <= 1 or size <= box.WINDOW_BYTES_MAX

    def queue(self, node: NodeId, room: RoomId | None, size: int) -> None:
        self.number += 1
        self.room_of[self.number], self.size_of[self.number], self.node_of[self.number] = room, size, node
        self.tell(box.Queued(node, self.number, room, size, Timestamp(START + int(self.time))))

    def arrive(self, node: NodeId, busy: bool = False) -> None:
        """The first request on the link arrives and is answered."""
        number = self.links[node].popleft()
        room, request, now = self.room_of[number], b"%d" % number, Instant(self.time)
        passes = room is None or self.turnstiles[node].may_pass(PEER, room, request, now)
        if passes and busy and room is not None:
            self.turnstiles[node].busy(PEER, room, request, now)
        if busy or not passes:
            self.tell(box.BusyAnswered(number, 1))
            return
        if number not in self.done:
            self.done.append(number)
        self.answered.add(number)
        self.tell(box.Answered(number))

    def disconnect(self, node: NodeId) -> None:
        self.up.discard(node)
        self.links[node].clear()
        self.turnstiles[node].down(PEER)
        self.tell(Disconnected(node))


@given(jobs)
@settings(max_examples=250, deadline=None)
def test_every_request_arrives_and_those_of_a_room_in_their_order(schedule: list[tuple[str, int, int, int]]) -> None:
    world = OutboxWorld()
    for action, which, room_number, amount in schedule:
        node = NODES[which]
        room = None if room_number and amount % 2 else ROOMS[which]
        world.time += 0.01
        match action:
            case "queue":
                for _ in range(amount % 40):
                    world.queue(node, room, amount * 500)
            case "connect" if node not in world.up:
                world.up.add(node)
                world.tell(Connected(node))
            case "disconnect":
                world.disconnect(node)
            case "answer" | "busy" if world.links[node]:
                world.arrive(node, action == "busy")
            case "wait":
                world.time += amount / 10
                world.tell(Tick())
    for node in NODES:
        world.disconnect(node)
    for node in NODES:
        world.up.add(node)
        world.tell(Connected(node))
    for _ in range(200):
        for node in NODES:
            while world.links[node]:
                world.arrive(node)
        due = world.machine.due()
        if not len(world.machine) or due is None:
            break
        world.time = max(world.time, due)
        world.tell(Tick())
    assert world.answered == set(range(1, world.number + 1))
    assert len(world.machine) == 0
    for each in ROOMS:
        of_room = [number for number in world.done if world.room_of[number] == each]
        assert of_room == sorted(of_room)
