"""What others do for this node: they hold places for it, so that it can be reached, and carry its circuits.

Whatever a relay says, the worst it can do is to end circuits: both ends run a channel of their own through each.
Spec: docs/protocol/relaying.md.
"""

from dataclasses import dataclass

from hedgerow_protocol import relay_limits
from hedgerow_protocol.chance import Chance
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import CircuitClosed, CircuitData, Connect, Incoming, Reserve
from hedgerow_protocol.neighbourhood import is_local
from hedgerow_protocol.ports import Entropy, Instant
from hedgerow_protocol.relay_values import (
    CircuitDown,
    CircuitFailed,
    CircuitIn,
    CircuitUp,
    Ended,
    RelayLink,
    RelayOutput,
    RelaysChanged,
    SendMessage,
    say_closed,
)

_NEVER = Instant(float("inf"))


@dataclass(slots=True, eq=False)
class _Asking:
    """How we stand with one possible relay."""

    link: RelayLink
    not_before: Instant
    """Do not ask before, unless we hold a place."""
    ever: bool = False
    """We have asked at some time: circuits may come from here."""
    unanswered: int = 0
    give_up: Instant | None = None
    """We have asked; without an answer until then, it is none."""
    until: Instant | None = None
    """We hold a place until then."""
    refresh: Instant = _NEVER
    failing: bool = False
    """It did not answer when asked to hold the place longer."""

    @property
    def taken(self) -> bool:
        return self.until is not None or self.give_up is not None


@dataclass(frozen=True, slots=True)
class _Circuit:
    """Our end of a circuit."""

    link: RelayLink
    number: int
    inbound: bool


class RelayGuest:
    """Places that this node holds with others, and the circuits that begin or end here."""

    def __init__(self, own: NodeId, entropy: Entropy) -> None:
        self._own = own
        self._chance = Chance(entropy)
        self._wanted = False
        self._asking: dict[int, _Asking] = {}
        self._circuits: dict[int, _Circuit] = {}
        self._legs: dict[tuple[int, int], int] = {}
        self._last = 0
        self._told: tuple[NodeId, ...] = ()
        self._seen = Instant(float("-inf"))

    @property
    def circuits(self) -> int:
        """How many circuits begin or end here."""
        return len(self._circuits)

    @property
    def relays(self) -> tuple[NodeId, ...]:
        """The nodes that hold a place for us, ascending."""
        return tuple(sorted(each.link.peer for each in self._asking.values() if each.until is not None))

    def owns(self, link: RelayLink, number: int) -> bool:
        """Whether this number is one of our own circuits."""
        return (link.link, number) in self._legs

    def link_up(self, link: RelayLink, now: Instant) -> list[RelayOutput]:
        self._asking[link.link] = _Asking(link, now)
        return self._settle(now)

    def link_down(self, link: RelayLink, now: Instant) -> list[RelayOutput]:
        """Its place and its circuits end with a link."""
        del self._asking[link.link]
        out: list[RelayOutput] = []
        for circuit in [circuit for circuit, each in self._circuits.items() if each.link is link]:
            self._forget(circuit)
            out.append(CircuitDown(circuit, Ended.ENDED))
        return out + self._settle(now)

    def want_relays(self, wanted: bool, now: Instant) -> list[RelayOutput]:
        """Whether places are to be held. Those that are no longer wanted lapse by themselves."""
        self._wanted = wanted
        if not wanted:
            for each in self._asking.values():
                each.until = each.give_up = None
                each.refresh = _NEVER
        return self._settle(now)

    def reserved(self, link: RelayLink, seconds: int, now: Instant) -> list[RelayOutput]:
        """The answer to our request. Raises :class:`RemoteError` when there was none."""
        asking = self._asking[link.link]
        if not asking.unanswered:
            raise RemoteError(Code.BAD_FIELD, "A relay answered a question that was not asked.")
        asking.unanswered -= 1
        if not self._wanted:
            return []
        asking.give_up = None
        asking.failing = False
        if seconds < relay_limits.RESERVATION_SECONDS_MIN:
            asking.until = None
            asking.refresh = _NEVER
            asking.not_before = Instant(now + relay_limits.RESERVE_AGAIN_SECONDS)
        else:
            held = min(seconds, relay_limits.RESERVATION_SECONDS)
            asking.until = Instant(now + held)
            asking.refresh = Instant(now + held / 2)
        return self._settle(now)

    def incoming(self, link: RelayLink, message: Incoming) -> list[RelayOutput]:
        """Somebody comes to us. Raises :class:`RemoteError` when the relay breaks the rules."""
        if not self._asking[link.link].ever:
            raise RemoteError(Code.BAD_FIELD, "A circuit came from a node that was not asked to relay.")
        link.check_new(message.circuit)
        if self._open_over(link, inbound=True) >= relay_limits.CIRCUITS_GUEST_MAX:
            raise RemoteError(Code.LIMIT, "A relay opened more circuits to this node than it may.")
        link.peer_last = message.circuit
        if not self._wanted or message.source in (self._own, link.peer):
            return [say_closed(link.link, message.circuit, Ended.REFUSED)]
        circuit = self._add(link, message.circuit, inbound=True)
        return [CircuitUp(circuit, link.peer, message.source, inbound=True)]

    def connect(self, target: NodeId, relay: NodeId | None) -> list[RelayOutput]:
        """Open a circuit. It counts as up at once, so that the channel's first message need not wait for the relay."""
        if target == self._own:
            raise LocalError("A node needs no circuit to itself.")
        links = [
            each.link
            for each in self._asking.values()
            if each.link.can_relay and not each.link.relayed and each.link.peer != target
            and relay in (None, each.link.peer)
        ]  # fmt: skip
        if not links:
            return [CircuitFailed(target, relay, Ended.NOT_HERE)]
        link = min(links, key=lambda each: (self._open_over(each, inbound=False), not each.outbound, -each.link))
        full = self._open_over(link, inbound=False) >= relay_limits.CIRCUITS_GUEST_MAX
        number = None if full else link.next_number()
        if number is None:
            return [CircuitFailed(target, relay, Ended.REFUSED)]
        circuit = self._add(link, number, inbound=False)
        return [
            SendMessage(link.link, Connect(number, target)),
            CircuitUp(circuit, link.peer, target, inbound=False),
        ]

    def send(self, circuit: int, payload: bytes) -> list[RelayOutput]:
        """Bytes to the other end; nothing when the circuit has ended meanwhile."""
        if not 0 < len(payload) <= relay_limits.CIRCUIT_PAYLOAD_BYTES_MAX:
            raise LocalError(f"A message within a circuit has 1 to {relay_limits.CIRCUIT_PAYLOAD_BYTES_MAX} bytes.")
        self._check_local(circuit)
        each = self._circuits.get(circuit)
        return [] if each is None else [SendMessage(each.link.link, CircuitData(each.number, payload))]

    def close(self, circuit: int) -> list[RelayOutput]:
        """End a circuit; nothing when it has ended meanwhile."""
        self._check_local(circuit)
        each = self._circuits.get(circuit)
        if each is None:
            return []
        self._forget(circuit)
        return [say_closed(each.link.link, each.number, Ended.ENDED)]

    def data(self, link: RelayLink, message: CircuitData, now: Instant) -> list[RelayOutput]:
        """Bytes for us."""
        del now
        return [CircuitIn(self._legs[link.link, message.circuit], message.payload)]

    def closed(self, link: RelayLink, message: CircuitClosed, reason: Ended) -> list[RelayOutput]:
        """The other end or the relay has ended a circuit."""
        circuit = self._legs[link.link, message.circuit]
        self._forget(circuit)
        return [CircuitDown(circuit, reason)]

    def tick(self, now: Instant) -> list[RelayOutput]:
        """Let time pass: ask again at half life, notice who does not answer."""
        out: list[RelayOutput] = []
        for each in self._asking.values():
            if each.give_up is not None and each.give_up <= now:
                each.give_up = None
                each.failing = each.until is not None
                each.not_before = each.refresh = Instant(now + relay_limits.RESERVE_AGAIN_SECONDS)
            if each.until is not None and each.until <= now:
                each.until = None
                each.failing = False
            if each.until is not None and each.give_up is None and each.refresh <= now:
                out.append(self._ask(each, now))
        return out + self._settle(now)

    def next_due(self) -> Instant | None:
        """When :meth:`tick` has something to do."""
        if not self._wanted:
            return None
        dues: list[Instant] = []
        for each in self._asking.values():
            if each.give_up is not None:
                dues.append(each.give_up)
            elif each.until is not None:
                dues.append(min(each.until, each.refresh))
            elif each.not_before > self._seen:
                dues.append(each.not_before)
        return min(dues, default=None)

    def _settle(self, now: Instant) -> list[RelayOutput]:
        """Ask for as many places as are lacking, and tell when those that are held have changed."""
        self._seen = max(self._seen, now)
        out: list[RelayOutput] = []
        while self._wanted:
            taken = [each for each in self._asking.values() if each.taken]
            sound = sum(not each.failing for each in taken)
            if sound >= relay_limits.RELAYS_WANTED or len(taken) >= relay_limits.RELAYS_MAX:
                break
            free = [each for each in self._asking.values() if self._suits(each, taken, now)]
            if not free:
                break
            # Any of them, so that the guests of a network do not all sit with the same relay.
            out.append(self._ask(self._chance.pick(free), now))
        if self.relays != self._told:
            self._told = self.relays
            out.append(RelaysChanged(self._told))
        return out

    def _suits(self, asking: _Asking, taken: list[_Asking], now: Instant) -> bool:
        """Whether a place may be asked for there. A node that we dialled can be dialled by others too."""
        link = asking.link
        if asking.taken or asking.not_before > now or not link.outbound or not link.can_relay or link.relayed:
            return False
        if any(each.link.peer == link.peer for each in taken):
            return False
        return is_local(link.neighbourhood) or all(each.link.neighbourhood != link.neighbourhood for each in taken)

    def _ask(self, asking: _Asking, now: Instant) -> SendMessage:
        asking.ever = True
        asking.unanswered += 1
        asking.give_up = Instant(now + relay_limits.RESERVE_ANSWER_SECONDS)
        return SendMessage(asking.link.link, Reserve())

    def _open_over(self, link: RelayLink, *, inbound: bool) -> int:
        return sum(each.link is link and each.inbound is inbound for each in self._circuits.values())

    def _add(self, link: RelayLink, number: int, *, inbound: bool) -> int:
        self._last += 1
        self._circuits[self._last] = _Circuit(link, number, inbound)
        self._legs[link.link, number] = self._last
        return self._last

    def _forget(self, circuit: int) -> None:
        each = self._circuits.pop(circuit)
        del self._legs[each.link.link, each.number]

    def _check_local(self, circuit: int) -> None:
        if not 1 <= circuit <= self._last:
            raise LocalError("There never was such a circuit.")
