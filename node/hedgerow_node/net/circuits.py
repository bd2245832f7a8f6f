"""Circuits as transports: a channel of its own through a node that relays, which sees nothing but sizes.

The machine speaks of circuits in events; here each becomes something that a :class:`~hedgerow_node.net.links.Link`
can run over like over a WebSocket.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hedgerow_node.net import bounds
from hedgerow_node.net.dialing import DialError
from hedgerow_node.net.transport import TransportError
from hedgerow_protocol import relay_limits
from hedgerow_protocol.gossip.events import CircuitEnded, CircuitOut
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.ratelimit import TokenBucket


@dataclass(eq=False, slots=True)
class CircuitTransport:
    """One circuit."""

    circuit: int
    feed: Callable[[CircuitOut | CircuitEnded], None]
    _came: deque[bytes] = field(default_factory=deque)
    _bytes: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False
    _overflowed: bool = False

    def came(self, payload: bytes) -> None:
        """Bytes arrived. A circuit cannot hold its sender back, so one that floods is cut."""
        if self._bytes + len(payload) > bounds.CIRCUIT_QUEUE_BYTES_MAX:
            self._overflowed = True
        else:
            self._came.append(payload)
            self._bytes += len(payload)
        self._wake.set()

    def ended(self) -> None:
        """The other side, or the relay, is gone."""
        self._ended = True
        self._wake.set()

    async def receive(self) -> bytes | None:
        """See :class:`~hedgerow_node.net.transport.Transport`."""
        while not self._came:
            if self._overflowed:
                raise TransportError("It sent more through a circuit than could be read.")
            if self._ended:
                return None
            self._wake.clear()
            await self._wake.wait()
        payload = self._came.popleft()
        self._bytes -= len(payload)
        return payload

    async def send(self, message: bytes) -> None:
        """See :class:`~hedgerow_node.net.transport.Transport`. Pace is the machine's affair: it knows the limits."""
        if self._ended:
            raise ConnectionResetError("The circuit has ended.")
        self.feed(CircuitOut(self.circuit, message))

    async def close(self, *, politely: bool = True) -> None:
        """See :class:`~hedgerow_node.net.transport.Transport`."""
        if not self._ended:
            self.ended()
            self.feed(CircuitEnded(self.circuit))


class CircuitPace:
    """When a letter may go into a circuit. A relay that has to hold back too much ends the circuit.

    Records keep within what the relay lets through by themselves: their giver waits for answers. Letters do not, so
    they go where this end's half of the relay's rate, and what both ends together have left of it, has room; and in
    any case at a rate that the relay grants beside two givers of records.
    """

    def __init__(self) -> None:
        self._left = float(relay_limits.CIRCUIT_BURST_BYTES)
        """What the relay lets through at once, as far as this end can tell; below 0 it holds something back."""
        self._when: Instant | None = None
        self._half = TokenBucket(bounds.CIRCUIT_LETTERS_RATE, bounds.CIRCUIT_LETTERS_BURST)
        self._least = TokenBucket(bounds.CIRCUIT_LETTERS_RATE_LEAST, bounds.CIRCUIT_LETTERS_BURST_LEAST)

    def passed(self, size: int, instant: Instant) -> None:
        """A message has come through the circuit."""
        self._left = max(self._left_at(instant) - _cost(size), -float(relay_limits.CIRCUIT_BURST_BYTES))

    def _left_at(self, instant: Instant) -> float:
        gained = 0.0 if self._when is None else (instant - self._when) * relay_limits.CIRCUIT_RATE_BYTES
        self._left = min(float(relay_limits.CIRCUIT_BURST_BYTES), self._left + max(0.0, gained))
        self._when = instant
        return self._left

    def said(self, size: int, instant: Instant) -> None:
        """A message has gone into the circuit, a letter or not."""
        self.passed(size, instant)
        self._half.take(min(_cost(size), self._half.level(instant)), instant)

    def may_send(self, size: int, instant: Instant) -> bool:
        """Whether a letter may leave now."""
        return self._has_room(size, instant) or self._least.level(instant) >= _cost(size)

    def letter(self, size: int, instant: Instant) -> None:
        """A letter leaves; :meth:`said` comes after it."""
        if not self._has_room(size, instant):
            self._least.take(_cost(size), instant)

    def _has_room(self, size: int, instant: Instant) -> bool:
        return min(self._left_at(instant), self._half.level(instant)) >= _cost(size)


def _cost(size: int) -> int:
    """What a relay counts for a message."""
    return max(relay_limits.CIRCUIT_MESSAGE_BYTES_MIN, size)


@dataclass(slots=True)
class Circuits:
    """All circuits that end at this node, and those it has asked for."""

    feed: Callable[[CircuitOut | CircuitEnded], None]
    open: dict[int, CircuitTransport] = field(default_factory=dict)
    wanted: "list[tuple[NodeId, NodeId | None, asyncio.Future[CircuitTransport]]]" = field(default_factory=list)

    def up(self, circuit: int, relay: NodeId, peer: NodeId, *, inbound: bool) -> CircuitTransport | None:
        """A circuit is open. Returns it when somebody came to us; one that we asked for goes to who asked."""
        transport = CircuitTransport(circuit, self.feed)
        self.open[circuit] = transport
        if inbound:
            return transport
        for number, (target, through, future) in enumerate(self.wanted):
            if target == peer and through in (relay, None) and not future.done():
                del self.wanted[number]
                future.set_result(transport)
                return None
        transport.ended()
        self.forget(transport)
        self.feed(CircuitEnded(circuit))
        return None

    def failed(self, target: NodeId, relay: NodeId | None) -> None:
        """A circuit that was asked for will not be."""
        for peer, through, future in self.wanted:
            if peer == target and through == relay and not future.done():
                future.set_exception(DialError("The relay did not open a circuit."))
                return

    def came(self, circuit: int, payload: bytes) -> None:
        """Bytes came through a circuit."""
        transport = self.open.get(circuit)
        if transport is not None:
            transport.came(payload)

    def down(self, circuit: int) -> None:
        """A circuit has ended."""
        transport = self.open.pop(circuit, None)
        if transport is not None:
            transport.ended()

    def forget(self, transport: CircuitTransport) -> None:
        """Its link has ended."""
        self.open.pop(transport.circuit, None)
