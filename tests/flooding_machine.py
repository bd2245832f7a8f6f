"""A machine so plain that its rightness can be seen: it floods whatever is new. For testing the simulator itself."""

from collections.abc import Sequence

from hedgerow_node.bench.simulation.node import Node
from hedgerow_protocol import messages
from hedgerow_protocol.gossip.events import (
    Dial,
    Event,
    FrameIn,
    Judge,
    Judged,
    LinkDown,
    LinkId,
    LinkUp,
    Output,
    PeersChosen,
    Published,
    Send,
    Standing,
    Ticket,
    Why,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import Records
from hedgerow_protocol.ports import Instant, Now


class Flooding:
    """Dials whom it is told to, and sends every record that was stored to every link."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._links: dict[LinkId, NodeId] = {}
        self._asked: dict[Ticket, tuple[bytes, ...]] = {}
        self._count = 0

    def handle(self, event: Event, now: Now) -> Sequence[Output]:
        match event:
            case PeersChosen(addresses=addresses):
                return [Dial(each, None, None, Why.KEEP) for each in addresses]
            case LinkUp(link=link, peer=peer):
                self._links[link] = peer
            case LinkDown(link=link):
                self._links.pop(link, None)
            case FrameIn(link=link, frame=frame):
                message = messages.decode(frame)
                if isinstance(message, Records):
                    self._count += 1
                    ticket = Ticket(self._count)
                    self._asked[ticket] = message.envelopes
                    return [Judge(ticket, link, self._links[link], message.envelopes)]
            case Judged(ticket=ticket, verdicts=verdicts):
                judged = zip(self._asked.pop(ticket), verdicts, strict=True)
                return self._flood([data for data, each in judged if each.standing is Standing.STORED])
            case Published(envelopes=envelopes):
                return self._flood([data for _rid, data in envelopes])
            case _:
                pass
        return []

    def _flood(self, datas: Sequence[bytes]) -> list[Output]:
        frames = [messages.encode(Records(0, (data,))) for data in datas]
        return [Send(link, frame) for link in self._links for frame in frames]

    def due(self) -> Instant | None:
        return None
