"""Those who do not play by the rules: honest machines whose words are swallowed or twisted, and hand-made attackers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - a world from a seed is the point

from hedgerow_node.bench.simulation.addresses import source
from hedgerow_node.bench.simulation.archive import Archived
from hedgerow_node.bench.simulation.making import forged, node_key
from hedgerow_node.bench.simulation.node import Character, Node
from hedgerow_node.bench.simulation.world import End, World
from hedgerow_protocol import messages
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.gossip.events import Dial, Why
from hedgerow_protocol.gossip.settings import FEATURES
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import (
    DIGEST_BYTES,
    VERSION,
    Graft,
    Have,
    Hello,
    Message,
    Ping,
    Pong,
    Reconcile,
    Records,
    Want,
)

# --- honest machines, twisted


def silent(_node: Node, message: Message, frame: bytes) -> Sequence[bytes]:
    """Accepts everything, keeps its place in the mesh, and never passes anything on."""
    return () if isinstance(message, Records | Have | Reconcile | Want) else (frame,)


def forging(node: Node, message: Message, frame: bytes) -> Sequence[bytes]:
    """Spoils the signatures of half of what it passes on."""
    if not isinstance(message, Records):
        return (frame,)
    twisted = tuple(
        forged(node.world.archive.read(data)) if node.random.random() < 0.5 else data for data in message.envelopes
    )
    return (messages.encode(Records(message.number, twisted)),)


def false_digests(node: Node, message: Message, frame: bytes) -> Sequence[bytes]:
    """Says at every turn that it holds something else."""
    match message:
        case Ping() | Pong():
            lie = type(message)(message.nonce, message.count + 1, node.entropy(DIGEST_BYTES))
            return (messages.encode(lie),)
        case Hello():
            other = Hello(VERSION, message.features, (), message.clock, message.count + 1, node.entropy(DIGEST_BYTES))
            return (messages.encode(other),)
        case _:
            return (frame,)


def garbling(node: Node, message: Message, frame: bytes) -> Sequence[bytes]:
    """Changes a byte of every tenth frame, cuts every tenth short, and sends noise between."""
    fate = node.random.random()
    if isinstance(message, Hello) or fate > 0.3 or len(frame) < 2:
        return (frame,)
    if fate < 0.1:
        at = node.random.randrange(len(frame))
        return (frame[:at] + bytes([frame[at] ^ (1 + node.random.randrange(255))]) + frame[at + 1 :],)
    if fate < 0.2:
        return (frame[: node.random.randrange(1, len(frame))],)
    return (frame, node.entropy(1 + node.random.randrange(200)))


SILENT = Character(tamper=silent)
FORGING = Character(tamper=forging)
FALSE_DIGESTS = Character(tamper=false_digests)
GARBLING = Character(tamper=garbling)


# --- hand-made attackers


@dataclass(slots=True)
class Hand:
    """One open link of an attacker, and what the victim said on it."""

    end: End
    heard: list[Message] = field(default_factory=list)


class Stranger:
    """An attacker without a machine: answers pings so that it is not thought dead, and does what its kind does.

    It has as many keys as it likes, and as many places in the network as it is given.
    """

    honest = False
    pace = 1.0

    def __init__(self, world: World, number: int, *, address: str = "", seems: str = "") -> None:
        """``address``: where it can be dialled. ``seems``: where its own dials come from."""
        self.world = world
        self.number = number
        self.address = address
        self.source = seems or source(number)
        self.random = Random((world.seed << 24) ^ number ^ 0xBAD)
        key = node_key(world.seed, number)
        self.id = NodeId(key.public[1:])
        addresses = (address,) if address else ()
        self._announced = world.scribe.announce(key, addresses, FEATURES, world.unix())
        self.hands: dict[int, Hand] = {}
        self.refused = 0
        world.add(self)

    def attack(self, victim: Node) -> None:
        """Dial the victim."""
        self.world.dial(self, Dial(victim.address, victim.id, None, Why.KEEP))

    # --- a participant

    def announcement(self) -> Archived:
        return self._announced

    def accepts(self) -> bool:
        return True

    def link_up(self, end: End, dial: Dial | None) -> None:
        self.hands[end.link] = Hand(end)
        self.greet(end)
        self.begin(end)

    def link_down(self, end: End) -> None:
        self.hands.pop(end.link, None)
        self.refused += 1

    def dial_failed(self, dial: Dial, wrong_node: bool) -> None:
        self.refused += 1

    def frame_in(self, end: End, frame: bytes) -> None:
        hand = self.hands.get(end.link)
        if hand is None:
            return
        try:
            message = messages.decode(frame)
        except RemoteError:
            return
        if len(hand.heard) < 1_000:
            hand.heard.append(message)
        if isinstance(message, Ping):
            # The victim's own digest, back to it: all is well.
            self.say(end, Pong(message.nonce, message.count, message.digest))
        self.hear(end, message)

    # --- what its kind does

    def greet(self, end: End) -> None:
        """Say the first words."""
        self.say(end, Hello(VERSION, FEATURES, (), self.world.unix(), 0, bytes(DIGEST_BYTES)))

    def begin(self, end: End) -> None:
        """A link has just opened."""

    def hear(self, end: End, message: Message) -> None:
        """The victim has said something."""

    def say(self, end: End, message: Message) -> None:
        """Say something."""
        if end.link in self.hands:
            self.world.send(end, messages.encode(message))

    def every(self, seconds: float, end: End, do: Callable[[], None]) -> None:
        """Do something again and again while the link is open."""
        if end.link in self.hands:
            do()
            self.world.clockwork.after(seconds, self.every, seconds, end, do)


class Flooder(Stranger):
    """Sends so many records a second, one by one: new ones, the same ones, or rubbish."""

    def __init__(self, world: World, number: int, records: Sequence[bytes], per_second: float, **where: str) -> None:
        super().__init__(world, number, **where)
        self._records = records
        self._seconds = 1.0 / per_second
        self._at = 0
        self.sent = 0

    def begin(self, end: End) -> None:
        self.say(end, Graft())
        self.every(self._seconds * 10, end, lambda: self._ten(end))

    def _ten(self, end: End) -> None:
        for _ in range(10):
            self.say(end, Records(0, (self._records[self._at % len(self._records)],)))
            self._at += 1
            self.sent += 1


class Minter(Stranger):
    """Brings charters and listings without end, as fast as the giver's window lets it, and offers what it can."""

    def __init__(self, world: World, number: int, records: Sequence[bytes], **where: str) -> None:
        super().__init__(world, number, **where)
        self._records = records
        self._at = 0

    def begin(self, end: End) -> None:
        self.every(1.0, end, lambda: self._more(end))

    def _more(self, end: End) -> None:
        part = self._records[self._at : self._at + 20]
        self._at += len(part)
        if part:
            self.say(end, Records(1, tuple(part)))


class Endless(Stranger):
    """Opens reconciliations, answers every step with another, and never comes to an end."""

    def begin(self, end: End) -> None:
        self.every(5.0, end, lambda: self._differ(end))

    def _differ(self, end: End) -> None:
        self.say(end, Ping(self.random.randbytes(8), 7, self.random.randbytes(DIGEST_BYTES)))

    def hear(self, end: End, message: Message) -> None:
        if isinstance(message, Reconcile):
            noise = message.payload[:1] + self.random.randbytes(self.random.randrange(8, 400))
            for payload in (message.payload, noise):
                self.say(end, Reconcile(payload))


class Replayer(Stranger):
    """Sends back whatever it hears, and old records, for ever."""

    def __init__(self, world: World, number: int, records: Sequence[bytes], **where: str) -> None:
        super().__init__(world, number, **where)
        self._records = list(records)

    def begin(self, end: End) -> None:
        self.say(end, Graft())
        self.every(1.0, end, lambda: self._again(end))

    def _again(self, end: End) -> None:
        if self._records:
            part = self.random.sample(self._records, min(5, len(self._records)))
            self.say(end, Records(0, tuple(part)))

    def hear(self, end: End, message: Message) -> None:
        if isinstance(message, Records) and len(self._records) < 1_000:
            self._records.extend(message.envelopes)


class Shadow(Stranger):
    """Part of an eclipse: answers, keeps still, agrees with every digest, names only its accomplices."""

    def __init__(self, world: World, number: int, accomplices: list["Shadow"], **where: str) -> None:
        super().__init__(world, number, **where)
        self._accomplices = accomplices
        accomplices.append(self)

    def greet(self, end: End) -> None:
        """Waits for the victim's first words, so as to hold the same from the first moment."""

    def hear(self, end: End, message: Message) -> None:
        match message:
            case Hello():
                self.say(end, Hello(VERSION, FEATURES, (), self.world.unix(), message.count, message.digest))
                self.say(end, Graft())
            case messages.PeersWanted():
                told = self.random.sample(self._accomplices, min(16, len(self._accomplices)))
                self.say(end, messages.Peers(tuple(each.announcement().data for each in told)))
            case _:
                pass
