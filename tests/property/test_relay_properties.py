"""Two guests and a relay, whatever happens between them; and a relay, or a guest, that lies."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow_protocol import messages, relay_limits
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import CircuitClosed, CircuitData, Connect, Incoming, Reserve, Reserved
from hedgerow_protocol.neighbourhood import neighbourhood_of
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.relay import Relay, RelayMessage
from hedgerow_protocol.relay_values import (
    CircuitDown,
    CircuitFailed,
    CircuitIn,
    CircuitUp,
    RelayOutput,
    RelaysChanged,
    SendMessage,
)

RELAY, ANNA, BERT = (NodeId(name * 32) for name in (b"r", b"a", b"b"))
NAMES = (ANNA, BERT)


def entropy(size: int) -> bytes:
    return bytes(size)


def at(seconds: float) -> Now:
    return Now(Instant(seconds), Timestamp(1_700_000_000))


@dataclass
class Guest:
    """One guest as its node sees it."""

    name: NodeId
    machine: Relay
    open: dict[int, NodeId] = field(default_factory=dict)
    """Circuits that are up, and who is at the other end."""
    ended: set[int] = field(default_factory=set)
    sent: dict[int, int] = field(default_factory=dict)
    """How many messages went into each circuit."""
    got: dict[int, list[tuple[NodeId, int, int]]] = field(default_factory=dict)
    """What came out of each: sender, the sender's number of the circuit, position."""
    relays: tuple[NodeId, ...] = ()
    link: int | None = None

    def take(self, outputs: Iterable[RelayOutput]) -> list[messages.Message]:
        """Note what happened and give what is to be sent."""
        out = []
        for each in outputs:
            match each:
                case SendMessage(link, message):
                    assert link == self.link
                    out.append(message)
                case CircuitUp(circuit, relay, peer, inbound):
                    assert relay == RELAY
                    assert circuit not in self.open.keys() | self.ended
                    self.open[circuit] = peer
                    self.sent[circuit] = 0
                    self.got[circuit] = []
                    assert inbound or peer != self.name
                case CircuitIn(circuit, payload):
                    assert circuit in self.open
                    self.got[circuit].append((NodeId(payload[:32]), payload[32], int.from_bytes(payload[33:37])))
                case CircuitDown(circuit, _):
                    self.end(circuit)
                case CircuitFailed():
                    pass
                case RelaysChanged(relays):
                    self.relays = relays
        return out

    def end(self, circuit: int) -> None:
        del self.open[circuit]
        self.ended.add(circuit)


class World:
    """Two guests, one relay, and the lines between them, in which messages wait until they are delivered."""

    def __init__(self) -> None:
        self.now = 0.0
        self.relay = Relay(RELAY, entropy)
        self.guests = [Guest(name, Relay(name, entropy)) for name in NAMES]
        self.to_relay: dict[int, deque[bytes]] = {}
        self.to_guest: dict[int, deque[bytes]] = {}
        self.last_link = 0
        self.passed: dict[tuple[int, int], list[tuple[float, int]]] = {}

    def link_up(self, guest: Guest) -> None:
        self.last_link += 1
        link = guest.link = self.last_link
        self.to_relay[link], self.to_guest[link] = deque(), deque()
        near = neighbourhood_of(f"11.{link % 200}.0.1:1")
        self.from_relay(
            self.relay.link_up(
                link, guest.name, outbound=False, relayed=False, can_relay=False, neighbourhood=near, now=at(self.now)
            )
        )
        outputs = guest.machine.link_up(
            link, RELAY, outbound=True, relayed=False, can_relay=True, neighbourhood=near, now=at(self.now)
        )
        self.from_guest(guest, outputs)

    def link_down(self, guest: Guest) -> None:
        link = guest.link
        assert link is not None
        del self.to_relay[link], self.to_guest[link]
        self.from_relay(self.relay.link_down(link, at(self.now)))
        self.from_guest(guest, guest.machine.link_down(link, at(self.now)))
        guest.link = None

    def from_guest(self, guest: Guest, outputs: Iterable[RelayOutput]) -> None:
        for message in guest.take(outputs):
            assert guest.link is not None
            self.to_relay[guest.link].append(messages.encode(message))

    def from_relay(self, outputs: Iterable[RelayOutput]) -> None:
        for each in outputs:
            assert isinstance(each, SendMessage)
            if each.link in self.to_guest:
                self.to_guest[each.link].append(messages.encode(each.message))
            if isinstance(each.message, CircuitData):
                row = self.passed.setdefault((each.link, each.message.circuit), [])
                row.append((self.now, len(each.message.payload)))

    def deliver(self, guest: Guest, *, to_relay: bool) -> bool:
        if guest.link is None:
            return False
        queue = (self.to_relay if to_relay else self.to_guest)[guest.link]
        if not queue:
            return False
        message = messages.decode(queue.popleft())
        machine = self.relay if to_relay else guest.machine
        outputs = machine.handle(guest.link, _relay_message(message), at(self.now))  # honest ends never offend
        if to_relay:
            self.from_relay(outputs)
        else:
            self.from_guest(guest, outputs)
        return True

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.from_relay(self.relay.tick(at(self.now)))
        for guest in self.guests:
            self.from_guest(guest, guest.machine.tick(at(self.now)))

    def settle(self) -> None:
        """Deliver everything, also what the relay holds back; time passes as little as it must."""
        for _ in range(10_000):
            if any(self.deliver(guest, to_relay=way) for guest in self.guests for way in (True, False)):
                continue
            waiting = self.relay._host._line.next_due()
            if waiting is None:
                return
            self.pass_time(max(0.0, waiting - self.now))
        raise AssertionError("This never ends.")

    def check(self) -> None:
        tally = self.relay.tally()
        assert tally.carried_circuits <= 2 * relay_limits.CIRCUITS_GUEST_MAX
        assert self.relay._host._line.queued <= relay_limits.RELAY_QUEUE_BYTES_MAX
        for guest in self.guests:
            for circuit, rows in guest.got.items():
                senders = {(sender, theirs) for sender, theirs, _ in rows}
                assert len(senders) <= 1
                assert guest.name not in {sender for sender, _ in senders}
                assert [position for *_, position in rows] == list(range(len(rows)))
                peer = guest.open.get(circuit)
                assert peer is None or all(sender == peer for sender, _ in senders)

    def check_settled(self) -> None:
        """Nothing is under way: whoever has a circuit has it with somebody."""
        tally = self.relay.tally()
        one, other = self.guests
        assert len(one.open) == len(other.open) == tally.carried_circuits
        assert tally.own_circuits == 0


def _relay_message(message: messages.Message) -> RelayMessage:
    assert isinstance(message, Reserve | Reserved | Connect | Incoming | CircuitData | CircuitClosed)
    return message


def _act(world: World, action: str, guest: Guest, number: int) -> None:
    now = at(world.now)
    other = world.guests[guest is world.guests[0]]
    match action:
        case "up" if guest.link is None:
            world.link_up(guest)
        case "down" if guest.link is not None:
            world.link_down(guest)
        case "want":
            world.from_guest(guest, guest.machine.want_relays(number % 4 != 0, now))
        case "connect":
            world.from_guest(guest, guest.machine.connect(other.name, (None, RELAY)[number % 2], now))
        case "send" | "flood" if guest.open:
            circuit = sorted(guest.open)[number % len(guest.open)]
            for _ in range(40 if action == "flood" else 1):
                head = guest.name + bytes([circuit]) + guest.sent[circuit].to_bytes(4)
                body = bytes(64_000) if action == "flood" else bytes(number)
                guest.sent[circuit] += 1
                world.from_guest(guest, guest.machine.send(circuit, head + body, now))
        case "close" if guest.open:
            circuit = sorted(guest.open)[number % len(guest.open)]
            world.from_guest(guest, guest.machine.close(circuit, now))
            guest.end(circuit)
        case "to relay" | "to guest":
            for _ in range(1 + number % 8):
                world.deliver(guest, to_relay=action == "to relay")
        case "all":
            world.settle()
        case "time":
            world.pass_time((0.01, 1.0, 15.0, 120.0, 1_800.0)[number % 5])
        case _:
            pass


ACTIONS = (
    *("to relay", "to guest", "connect", "send", "all") * 3,
    *("up", "want", "close", "time") * 2,
    *("down", "flood"),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 1), st.integers(0, 60)), max_size=60))
def test_any_interleaving(plan: list[tuple[str, int, int]]) -> None:
    world = World()
    for guest in world.guests:
        world.link_up(guest)
        world.from_guest(guest, guest.machine.want_relays(True, at(0)))
    for action, who, number in plan:
        _act(world, action, world.guests[who], number)
        world.check()
    world.settle()
    world.check()
    world.check_settled()
    _check_rates(world)


def _check_rates(world: World) -> None:
    """In no stretch of time did more pass through a circuit, one way, than burst and rate allow."""
    for rows in world.passed.values():
        for begin in range(0, len(rows), 16):
            volume = 0
            for when, size in rows[begin:]:
                volume += max(size, relay_limits.CIRCUIT_MESSAGE_BYTES_MIN)
                allowed = relay_limits.CIRCUIT_BURST_BYTES + relay_limits.CIRCUIT_RATE_BYTES * (when - rows[begin][0])
                assert volume <= allowed + len(rows)  # half a byte is forgiven each time


def test_what_is_sent_arrives() -> None:
    world = World()
    anna, bert = world.guests
    for guest in world.guests:
        world.link_up(guest)
    world.from_guest(bert, bert.machine.want_relays(True, at(0)))
    world.settle()
    assert bert.relays == (RELAY,)
    _act(world, "connect", anna, 1)
    for _ in range(20):
        _act(world, "send", anna, 30)
    world.settle()
    _act(world, "flood", bert, 0)
    world.settle()
    assert bert.got == {1: [(ANNA, 1, position) for position in range(20)]}
    assert anna.got == {1: [(BERT, 1, position) for position in range(40)]}
    world.link_down(bert)
    world.settle()
    assert anna.ended == bert.ended == {1}


_numbers = st.integers(0, 12) | st.sampled_from([2**32 - 1, 2**32 - 2])
_nodes = st.sampled_from([RELAY, ANNA, BERT, *(NodeId(bytes([n]) * 32) for n in range(6))])
_lies: st.SearchStrategy[RelayMessage] = st.one_of(
    st.just(Reserve()),
    st.builds(Reserved, st.integers(0, 86_400)),
    st.builds(Connect, _numbers, _nodes),
    st.builds(Incoming, _numbers, _nodes),
    st.builds(CircuitData, _numbers, st.binary(min_size=1, max_size=5)),
    st.builds(CircuitClosed, _numbers, st.integers(0, 9)),
)
_moves = st.sampled_from(["want", "not", "connect", "send", "close", "time", "known"])


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(1, 6), st.one_of(_lies, _lies, _moves)), max_size=80), st.booleans())
def test_liars_only_ever_end_circuits(plan: list[tuple[int, RelayMessage | str]], outbound: bool) -> None:
    machine = Relay(ANNA, entropy)
    links = {link: NodeId(bytes([link - 1]) * 32) for link in range(1, 7)}
    for link, peer in links.items():
        near = neighbourhood_of(f"11.{link}.0.1:1")
        assert not machine.link_up(
            link, peer, outbound=outbound, relayed=link == 6, can_relay=True, neighbourhood=near, now=at(0)
        )
    ups: set[int] = set()
    downs: set[int] = set()
    now = 0.0
    for link, step in plan:
        outputs: list[RelayOutput] = []
        match step:
            case "want" | "not":
                outputs += machine.want_relays(step == "want", at(now))
            case "connect":
                outputs += machine.connect(BERT, links[link], at(now))
            case "send" | "close" if ups:
                circuit = sorted(ups)[link % len(ups)]
                if step == "send":
                    outputs += machine.send(circuit, b"x", at(now))
                else:
                    outputs += machine.close(circuit, at(now))
                    downs.add(circuit)
            case "known":
                machine.exchanged(link)
            case "time":
                now = max(now + 1, float(machine.next_due() or 0.0))
                outputs += machine.tick(at(now))
                due = machine.next_due()
                assert due is None or due > now  # never woken for nothing
            case str():
                pass
            case _:
                before = machine.tally()
                try:
                    outputs += machine.handle(link, step, at(now))
                except RemoteError:
                    assert machine.tally() == before
        for each in outputs:
            match each:
                case CircuitUp(circuit):
                    assert circuit not in ups
                    ups.add(circuit)
                case CircuitDown(circuit):
                    assert circuit in ups - downs
                    downs.add(circuit)
                case CircuitIn(circuit):
                    assert circuit in ups - downs
                case SendMessage(where, message):
                    assert where in links
                    assert messages.decode(messages.encode(message)) == message
                    assert where != 6 or message in (Reserved(0),) or isinstance(message, CircuitClosed)
                case CircuitFailed() | RelaysChanged():
                    pass
        tally = machine.tally()
        assert tally.own_circuits == len(ups - downs)
        assert len(tally.relays) <= relay_limits.RELAYS_MAX
        assert tally.guests <= relay_limits.RESERVATIONS_MAX
        assert tally.carried_circuits <= len(links) * relay_limits.CIRCUITS_GUEST_MAX
    for link in links:
        for each in machine.link_down(link, at(now)):
            if isinstance(each, CircuitDown):
                downs.add(each.circuit)
    assert ups == downs
    assert machine.tally().carried_circuits == machine.tally().own_circuits == machine.tally().guests == 0
    assert machine.next_due() is None


@settings(max_examples=60)
@given(st.data())
def test_a_relay_that_drops_and_reorders(data: st.DataObject) -> None:
    world = World()
    anna, bert = world.guests
    for guest in world.guests:
        world.link_up(guest)
        world.from_guest(guest, guest.machine.want_relays(True, at(0)))
    world.settle()
    for step in range(12):
        _act(world, "connect", world.guests[step % 2], step)
        _act(world, "send", world.guests[step % 2], step)
        for guest in world.guests:
            for _ in range(3):
                world.deliver(guest, to_relay=True)
            assert guest.link is not None
            kept = data.draw(st.lists(st.sampled_from(range(8)), max_size=8))
            queue = list(world.to_guest[guest.link])
            world.to_guest[guest.link] = deque()
            for position in kept:  # leaves some out, turns the order around, says some twice
                if position < len(queue):
                    message = _relay_message(messages.decode(queue[position]))
                    try:
                        outputs = guest.machine.handle(guest.link, message, at(world.now))
                    except RemoteError:
                        continue
                    world.from_guest(guest, [each for each in outputs if not isinstance(each, CircuitIn)])
    for guest in (anna, bert):
        world.link_down(guest)
        assert not guest.open
        assert guest.machine.tally().own_circuits == 0
