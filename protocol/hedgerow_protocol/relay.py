"""Circuits through a third node, for nodes that cannot be dialled: both what we do for others and what they do for us.

A relay is a peer that holds a *place* for a guest (Reserve, Reserved) and carries *circuits* to it (Connect, Incoming,
CircuitData, CircuitClosed). The two ends of a circuit run a channel of their own inside it, so the relay learns two
node ids, sizes and times. Spec: docs/protocol/relaying.md.
"""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from hedgerow_protocol.errors import LocalError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import CircuitClosed, CircuitData, Connect, Incoming, Reserve, Reserved
from hedgerow_protocol.neighbourhood import Neighbourhood
from hedgerow_protocol.ports import Entropy, Instant, Now
from hedgerow_protocol.relay_guest import RelayGuest
from hedgerow_protocol.relay_host import RelayHost
from hedgerow_protocol.relay_values import RelayLink, RelayOutput, RelayTally, reason_read

RelayMessage: TypeAlias = Reserve | Reserved | Connect | Incoming | CircuitData | CircuitClosed


class Relay:
    """Both sides of relaying for one node.

    Links are given up front with :meth:`link_up` once the peer's Hello has come, and taken back with
    :meth:`link_down`. ``serve=False``: this node holds no places for others.
    """

    def __init__(self, own: NodeId, entropy: Entropy, *, serve: bool = True) -> None:
        self._host = RelayHost(serve=serve)
        self._guest = RelayGuest(own, entropy)
        self._links: dict[int, RelayLink] = {}
        self._ignored = 0

    def link_up(
        self,
        link: int,
        peer: NodeId,
        *,
        outbound: bool,
        relayed: bool,
        can_relay: bool,
        neighbourhood: Neighbourhood,
        now: Now,
        known: bool = False,
    ) -> list[RelayOutput]:
        """A link is open and greeted.

        ``outbound``: we dialled. ``can_relay``: the peer's Hello names the feature. ``neighbourhood``: of the link's
        address; where it is local no rule of diversity applies. ``known``: see :meth:`exchanged`.
        """
        if link in self._links:
            raise LocalError("This link is up already.")
        up = RelayLink(
            link=link,
            peer=peer,
            outbound=outbound,
            relayed=relayed,
            can_relay=can_relay,
            neighbourhood=neighbourhood,
            known=known,
        )
        self._links[link] = up
        self._host.link_up(up)
        return self._guest.link_up(up, now.instant)

    def exchanged(self, link: int) -> None:
        """The peer has brought or taken records: it has the first claim on this relay's places."""
        if link in self._links:
            self._links[link].known = True

    def link_down(self, link: int, now: Now) -> list[RelayOutput]:
        """A link has ended; nothing happens for one that never was up here."""
        down = self._links.pop(link, None)
        if down is None:
            return []
        return [*self._host.link_down(down), *self._guest.link_down(down, now.instant)]

    def handle(self, link: int, message: RelayMessage, now: Now) -> Sequence[RelayOutput]:
        """A peer said something. Raises :class:`RemoteError` when it broke a rule; then nothing has changed."""
        over = self._links.get(link)
        if over is None:
            raise LocalError("A message came over a link that is not up.")
        match message:
            case Reserve():
                return self._host.reserve(over, now.instant)
            case Reserved(seconds):
                return self._guest.reserved(over, seconds, now.instant)
            case Connect():
                return self._host.connect(over, message, now.instant)
            case Incoming():
                return self._guest.incoming(over, message)
            case CircuitData() | CircuitClosed():
                return self._within(over, message, now.instant)
            case _:
                assert_never(message)

    def _within(self, link: RelayLink, message: CircuitData | CircuitClosed, now: Instant) -> Sequence[RelayOutput]:
        """A message of a circuit, carried or our own; one that has just ended is ignored."""
        link.check_used(message.circuit)
        side = next((side for side in (self._host, self._guest) if side.owns(link, message.circuit)), None)
        if side is None:
            self._ignored += 1
            return []
        if isinstance(message, CircuitClosed):
            return side.closed(link, message, reason_read(message.reason))
        return side.data(link, message, now)

    def connect(self, target: NodeId, relay: NodeId | None, now: Now) -> list[RelayOutput]:
        """Open a circuit to a node through a relay, or through any peer that relays.

        Gives a Connect to send and a CircuitUp, or a CircuitFailed. The relay's refusal comes later, as a CircuitDown.
        """
        del now
        return self._guest.connect(target, relay)

    def send(self, circuit: int, payload: bytes, now: Now) -> list[RelayOutput]:
        """Send 1 to ``CIRCUIT_PAYLOAD_BYTES_MAX`` bytes through a circuit of ours."""
        del now
        return self._guest.send(circuit, payload)

    def close(self, circuit: int, now: Now) -> list[RelayOutput]:
        """End a circuit of ours; no CircuitDown comes back."""
        del now
        return self._guest.close(circuit)

    def want_relays(self, wanted: bool, now: Now) -> list[RelayOutput]:
        """Whether this node needs places with others because it cannot be dialled."""
        return self._guest.want_relays(wanted, now.instant)

    def tick(self, now: Now) -> list[RelayOutput]:
        """Let time pass; at the time of :meth:`next_due` or at any time before."""
        return [*self._host.tick(now.instant), *self._guest.tick(now.instant)]

    def next_due(self) -> Instant | None:
        """When :meth:`tick` has something to do, if nothing else happens before."""
        return min((due for due in (self._host.next_due(), self._guest.next_due()) if due is not None), default=None)

    def tally(self) -> RelayTally:
        """What is going on here, for the keeper's page."""
        return RelayTally(
            guests=self._host.guests,
            carried_circuits=self._host.circuits,
            carried_bytes=self._host.carried_bytes,
            refused=self._host.refused,
            ignored=self._ignored,
            own_circuits=self._guest.circuits,
            relays=self._guest.relays,
        )
