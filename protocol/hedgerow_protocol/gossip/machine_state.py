"""What the parts of the machine share: the links, the sets, and the list of outputs they write to."""

from collections.abc import Iterable, Iterator

from hedgerow_protocol import messages
from hedgerow_protocol.budget import Introductions
from hedgerow_protocol.chance import Chance
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import Close, LinkId, Output, Reason, Send, Ticket
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.recent import Recents
from hedgerow_protocol.gossip.settings import Settings
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import Bye, Message
from hedgerow_protocol.ports import Entropy, Instant, Now
from hedgerow_protocol.reconcile import LiveSet
from hedgerow_protocol.score import Scores


class MachineState:
    """One node's share in the network, as far as more than one part needs it."""

    def __init__(self, own: NodeId, entropy: Entropy, settings: Settings) -> None:
        self.own = own
        self.entropy = entropy
        self.chance = Chance(entropy)
        self.settings = settings
        self.live = LiveSet()
        self.links: dict[LinkId, Linked] = {}
        self.by_peer: dict[NodeId, LinkId] = {}
        self.recents = Recents()
        self.scores = Scores()
        self.introductions = Introductions(settings.records_max)
        self.out: list[Output] = []
        self.gone: list[Linked] = []
        """Links that ended during this event."""
        self.old_after = times.OFFERED_WITHIN_SECONDS
        """Seconds after which a record should have been offered by some mesh peer."""
        self._ticket = 0

    # --- outputs

    def ticket(self) -> Ticket:
        self._ticket += 1
        return Ticket(self._ticket)

    def send(self, linked: Linked, message: Message) -> None:
        """Say something to a peer."""
        self.out.append(Send(linked.link, messages.encode(message)))

    def close(self, linked: Linked, reason: Reason, *, seconds: int = 0, words: str = "") -> None:
        """Say goodbye and close. The link is forgotten at once; its :class:`LinkDown` finds nothing."""
        self.send(linked, Bye(int(reason), seconds, words))
        self.out.append(Close(linked.link, reason))
        self.forget(linked)

    def forget(self, linked: Linked) -> None:
        """A link is no more; what follows from that is seen to at the end of the event."""
        if self.links.pop(linked.link, None) is None:
            return
        if self.by_peer.get(linked.peer) == linked.link:
            del self.by_peer[linked.peer]
        self.recents.forget_link(linked.link)
        self.gone.append(linked)

    # --- links

    def greeted(self) -> Iterator[Linked]:
        """Links whose peers have said hello and are listened to."""
        return (each for each in self.links.values() if each.greeted)

    def mesh(self) -> list[Linked]:
        return [each for each in self.links.values() if each.in_mesh]

    def offended(self, linked: Linked, error: RemoteError, now: Now) -> None:
        """A peer sent something wrong."""
        self.scores.offended(linked.peer, error.severity, now)

    # --- chance

    def choose(self, several: Iterable[Linked], many: int) -> list[Linked]:
        """So many of these, by chance."""
        return self.chance.shuffled(several)[: max(0, many)]

    def soon(self, now: Instant, seconds: float) -> Instant:
        """So many seconds from now, give or take a tenth, so that nodes do not march in step."""
        return Instant(now + seconds * self.chance.between(0.9, 1.1))
