"""What this node does for others: it holds places for peers that cannot be dialled, and carries circuits to them.

It sees two node ids and the sizes and times of messages, never what is in them. Spec: docs/protocol/relaying.md.
"""

from dataclasses import dataclass

from hedgerow_protocol import relay_limits
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import CircuitClosed, CircuitData, Connect, Incoming, Reserved
from hedgerow_protocol.neighbourhood import wide_of
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.ratelimit import TokenBucket
from hedgerow_protocol.relay_pacing import Line, Stream, cost_of
from hedgerow_protocol.relay_values import Ended, RelayLink, SendMessage, say_closed


@dataclass(frozen=True, slots=True)
class _Place:
    """One guest's reservation."""

    link: RelayLink
    until: Instant


@dataclass(slots=True, eq=False)
class _Carried:
    """One circuit between two peers."""

    caller: RelayLink
    target: RelayLink
    to_caller: Stream
    to_target: Stream
    opened: Instant
    heard: Instant
    counted: int = 0
    """Bytes so far, both ways."""

    @property
    def due(self) -> Instant:
        return Instant(
            min(
                self.opened + relay_limits.CIRCUIT_SECONDS_MAX,
                self.heard + relay_limits.CIRCUIT_IDLE_SECONDS_MAX,
            )
        )


class RelayHost:
    """Places and circuits for others. ``serve=False``: refuses everything."""

    def __init__(self, *, serve: bool) -> None:
        self._serve = serve
        self._links: dict[int, RelayLink] = {}
        self._places: dict[NodeId, _Place] = {}
        self._legs: dict[tuple[int, int], _Carried] = {}
        self._circuits: list[_Carried] = []
        self._connects: dict[int, TokenBucket] = {}
        self._line = Line()
        self.carried_bytes = 0
        self.refused = 0

    @property
    def guests(self) -> int:
        """How many peers hold a place here."""
        return len(self._places)

    @property
    def circuits(self) -> int:
        """How many circuits run through here."""
        return len(self._circuits)

    def owns(self, link: RelayLink, number: int) -> bool:
        """Whether this number is a circuit that is carried here."""
        return (link.link, number) in self._legs

    def link_up(self, link: RelayLink) -> None:
        self._links[link.link] = link
        self._connects[link.link] = TokenBucket(relay_limits.CONNECTS_RATE, relay_limits.CONNECTS_BURST)

    def link_down(self, link: RelayLink) -> list[SendMessage]:
        """Both a guest's place and every circuit over the link end with it."""
        del self._links[link.link]
        del self._connects[link.link]
        place = self._places.get(link.peer)
        if place is not None and place.link is link:
            del self._places[link.peer]
        out: list[SendMessage] = []
        for circuit in [each for each in self._circuits if link in (each.caller, each.target)]:
            out += self._end(circuit, Ended.ENDED, but=link.link)
        return out

    def reserve(self, link: RelayLink, now: Instant) -> list[SendMessage]:
        """A peer asks for a place, or to keep it."""
        self._forget_lapsed(now)
        if not self._may_reserve(link):
            self.refused += 1
            return [SendMessage(link.link, Reserved(0))]
        self._places[link.peer] = _Place(link, Instant(now + relay_limits.RESERVATION_SECONDS))
        return [SendMessage(link.link, Reserved(relay_limits.RESERVATION_SECONDS))]

    def _may_reserve(self, link: RelayLink) -> bool:
        if not self._serve or link.relayed:
            return False
        others = [place.link for peer, place in self._places.items() if peer != link.peer]
        most = relay_limits.RESERVATIONS_MAX if link.known else relay_limits.RESERVATIONS_STRANGERS_MAX
        if len(others) >= most:
            return False
        narrow, wide = relay_limits.RESERVATIONS_NEIGHBOURHOOD_MAX, relay_limits.RESERVATIONS_WIDE_MAX
        return not _crowded(link, others, narrow, wide)

    def connect(self, link: RelayLink, message: Connect, now: Instant) -> list[SendMessage]:
        """A peer wants a circuit to one of the guests. Raises :class:`RemoteError` for a number it may not use."""
        link.check_new(message.circuit)
        if sum(each.caller is link for each in self._circuits) >= relay_limits.CIRCUITS_GUEST_MAX:
            raise RemoteError(Code.LIMIT, "A peer opened more circuits than it may have.")
        link.peer_last = message.circuit
        self._forget_lapsed(now)
        place = self._places.get(message.target)
        refusal = self._refusal(link, place, now)
        number = place.link.next_number() if place is not None and refusal is None else None
        if place is None or number is None:
            self.refused += 1
            why = Ended.REFUSED if refusal is None else refusal
            return [say_closed(link.link, message.circuit, why)]
        bucket = TokenBucket(relay_limits.CIRCUIT_RATE_BYTES, relay_limits.CIRCUIT_BURST_BYTES)
        circuit = _Carried(
            caller=link,
            target=place.link,
            to_caller=Stream(link.link, message.circuit, bucket),
            to_target=Stream(place.link.link, number, bucket),
            opened=now,
            heard=now,
        )
        self._circuits.append(circuit)
        self._legs[link.link, message.circuit] = circuit
        self._legs[place.link.link, number] = circuit
        return [SendMessage(place.link.link, Incoming(number, link.peer))]

    def _refusal(self, link: RelayLink, place: _Place | None, now: Instant) -> Ended | None:
        """Why this peer cannot have a circuit to that place, or ``None``."""
        if not self._serve or link.relayed or not self._connects[link.link].take(1, now):
            return Ended.REFUSED
        if place is None or place.link.peer == link.peer:
            return Ended.NOT_HERE
        most = relay_limits.CIRCUITS_MAX if link.known else relay_limits.CIRCUITS_STRANGERS_MAX
        calls = sum(each.caller.peer == link.peer for each in self._circuits)
        called = sum(each.target.peer == place.link.peer for each in self._circuits)
        twice = any(each.caller.peer == link.peer and each.target.peer == place.link.peer for each in self._circuits)
        if (
            twice
            or len(self._circuits) >= most
            or max(calls, called) >= relay_limits.CIRCUITS_GUEST_MAX
            or _crowded(
                link,
                [each.caller for each in self._circuits],
                relay_limits.CIRCUITS_NEIGHBOURHOOD_MAX,
                relay_limits.CIRCUITS_WIDE_MAX,
            )
        ):
            return Ended.REFUSED
        return None

    def data(self, link: RelayLink, message: CircuitData, now: Instant) -> list[SendMessage]:
        """Bytes in a circuit that is carried here."""
        if len(message.payload) > relay_limits.CIRCUIT_PAYLOAD_BYTES_MAX:
            raise RemoteError(Code.TOO_LARGE, "A message within a circuit is too large to be passed on.")
        circuit = self._legs[link.link, message.circuit]
        cost = cost_of(message.payload)
        circuit.heard = now
        circuit.counted += cost
        if circuit.counted > relay_limits.CIRCUIT_BYTES_MAX:
            return self._end(circuit, Ended.LIMIT)
        self.carried_bytes += cost
        from_caller = (circuit.to_caller.link, circuit.to_caller.number) == (link.link, message.circuit)
        self._line.add(circuit.to_target if from_caller else circuit.to_caller, message.payload)
        out = self._pump(now)
        while (stream := self._line.too_long()) is not None:
            out += self._end(self._legs[stream.link, stream.number], Ended.LIMIT)
        return out

    def closed(self, link: RelayLink, message: CircuitClosed, reason: Ended) -> list[SendMessage]:
        """One end of a circuit has closed it; the other hears of it."""
        return self._end(self._legs[link.link, message.circuit], reason, but=link.link)

    def tick(self, now: Instant) -> list[SendMessage]:
        """Let time pass: what waited goes on, what is too old or silent ends."""
        self._forget_lapsed(now)
        out = self._pump(now)
        for circuit in [each for each in self._circuits if each.due <= now]:
            out += self._end(circuit, Ended.LIMIT)
        return out

    def next_due(self) -> Instant | None:
        """When :meth:`tick` has something to do."""
        dues = [each.due for each in self._circuits]
        waiting = self._line.next_due()
        return min(dues if waiting is None else [*dues, waiting], default=None)

    def _pump(self, now: Instant) -> list[SendMessage]:
        return [
            SendMessage(stream.link, CircuitData(stream.number, payload)) for stream, payload in self._line.ready(now)
        ]

    def _end(self, circuit: _Carried, reason: Ended, but: int | None = None) -> list[SendMessage]:
        """Forget a circuit and tell both ends of it, or all but one that knows."""
        self._circuits.remove(circuit)
        out: list[SendMessage] = []
        for stream in (circuit.to_caller, circuit.to_target):
            del self._legs[stream.link, stream.number]
            self._line.drop(stream)
            if stream.link != but:
                out.append(say_closed(stream.link, stream.number, reason))
        return out

    def _forget_lapsed(self, now: Instant) -> None:
        for peer in [peer for peer, place in self._places.items() if place.until <= now]:
            del self._places[peer]


def _crowded(link: RelayLink, others: list[RelayLink], narrow: int, wide: int) -> bool:
    """Whether the others of this link's neighbourhood are as many as may be.

    Where neighbourhoods cost nothing or cannot be told apart, all of the kind share one larger number.
    """
    kind = wide_of(link.neighbourhood)
    if kind is None:
        return sum(each.neighbourhood == link.neighbourhood for each in others) >= narrow
    return sum(wide_of(each.neighbourhood) == kind for each in others) >= wide
