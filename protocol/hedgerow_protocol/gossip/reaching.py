"""Whether others can reach this node, and circuits for those whom nobody can: the door to relay and self-test."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias, assert_never

from hedgerow_protocol.dialback import AddressTested, Reach, SelfTest, SelfTestOutput
from hedgerow_protocol.dialback_answer import DialBacks
from hedgerow_protocol.gossip.events import Dial, LinkId, Verified, Why
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.settings import DIAL_BACK, RELAY
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import DialBack, DialedBack
from hedgerow_protocol.ports import Instant, Now
from hedgerow_protocol.relay import Relay, RelayMessage
from hedgerow_protocol.relay_values import (
    CircuitDown,
    CircuitFailed,
    CircuitIn,
    CircuitUp,
    RelayOutput,
    RelaysChanged,
    RelayTally,
    SendMessage,
)

_Wish: TypeAlias = SelfTestOutput | RelayOutput


class Reaching:
    """Self-test, dial-back and relay of one node."""

    def __init__(self, state: MachineState) -> None:
        self._state = state
        self._test = SelfTest(state.entropy)
        self._answers = DialBacks(onion=state.settings.onion)
        self._relay = Relay(state.own, state.entropy, serve=state.settings.relay)
        self._up: set[int] = set()

    def states(self) -> dict[str, Reach]:
        """What is known of each of our addresses."""
        return self._test.states()

    def tally(self) -> RelayTally:
        """What is carried for others and by others."""
        return self._relay.tally()

    @property
    def relays(self) -> tuple[NodeId, ...]:
        """The nodes that hold a place for us."""
        return self._relay.tally().relays

    # --- links

    def greeted(self, linked: Linked, now: Now) -> None:
        """A link is open and the peer has said hello."""
        self._up.add(linked.link)
        self._do(
            self._relay.link_up(
                linked.link,
                linked.peer,
                outbound=linked.outbound,
                relayed=linked.relayed,
                can_relay=RELAY in linked.features,
                neighbourhood=linked.neighbourhood,
                now=now,
            )
        )
        self._do(
            self._test.link_up(
                linked.link,
                linked.peer,
                relayed=linked.relayed,
                can_dial_back=DIAL_BACK in linked.features,
                neighbourhood=linked.neighbourhood,
                now=now,
            )
        )

    def link_down(self, link: int, now: Now) -> None:
        """A link has ended."""
        if link in self._up:
            self._up.remove(link)
            self._do(self._relay.link_down(link, now))
            self._do(self._test.link_down(link, now))
            self._answers.link_down(link)

    def exchanged(self, linked: Linked) -> None:
        """Records have passed over this link."""
        if linked.link in self._up:
            self._relay.exchanged(linked.link)

    # --- self-test

    def addresses(self, addresses: Iterable[str], now: Now) -> None:
        """Test whether these addresses of ours work."""
        self._do(self._test.addresses(addresses, now))

    def dialled_us(self, peer: NodeId, now: Now) -> None:
        """Somebody reached us from outside."""
        self._do(self._test.dialled_us(peer, now))

    def dial_back(self, linked: Linked, message: DialBack, now: Now) -> None:
        """A peer wants to know whether it can be reached."""
        wishes = self._answers.wished(linked.link, linked.peer, linked.address, message, now, relayed=linked.relayed)
        for wish in wishes:
            self._state.out.append(Dial(wish.address, wish.peer, None, Why.DIAL_BACK, public_only=wish.public_only))

    def dialled(self, address: str, peer: NodeId, now: Now, *, reached: bool) -> None:
        """A dial for a peer's self-test has ended."""
        self._do(self._answers.outcome(address, peer, now, reached=reached))

    def dialed_back(self, linked: Linked, message: DialedBack, now: Now) -> None:
        """A peer answers our question. Raises nothing: what was not asked is ignored."""
        self._do(self._test.handle(linked.link, message, now))

    # --- relay

    def relay(self, linked: Linked, message: RelayMessage, now: Now) -> None:
        """A message about circuits. Raises :class:`RemoteError`."""
        if linked.link in self._up:
            self._do(self._relay.handle(linked.link, message, now))

    def want_relays(self, wanted: bool, now: Now) -> None:
        """Whether this node needs others to be reached."""
        self._do(self._relay.want_relays(wanted, now))

    def connect(self, target: NodeId, relay: NodeId | None, now: Now) -> None:
        """Open a circuit."""
        self._do(self._relay.connect(target, relay, now))

    def send(self, circuit: int, payload: bytes, now: Now) -> None:
        """Send through a circuit of ours."""
        self._do(self._relay.send(circuit, payload, now))

    def close(self, circuit: int, now: Now) -> None:
        """End a circuit of ours."""
        self._do(self._relay.close(circuit, now))

    # --- time

    def tick(self, now: Now) -> None:
        """Let time pass."""
        self._do(self._relay.tick(now))
        self._do(self._test.tick(now))

    def next_due(self) -> Instant | None:
        """When :meth:`tick` has something to do."""
        return min((due for due in (self._relay.next_due(), self._test.next_due()) if due is not None), default=None)

    def _do(self, wishes: Sequence[_Wish]) -> None:
        for wish in wishes:
            match wish:
                case SendMessage(link, message):
                    linked = self._state.links.get(LinkId(link))
                    if linked is not None:
                        self._state.send(linked, message)
                case AddressTested(address, reached):
                    self._state.out.append(Verified(address, reached))
                case CircuitUp() | CircuitIn() | CircuitDown() | CircuitFailed() | RelaysChanged():
                    self._state.out.append(wish)
                case _:
                    assert_never(wish)
