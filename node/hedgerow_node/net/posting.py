"""The post between nodes, as the network does it: letters go to the links that take them, and come from them.

Spec: docs/protocol/messages.md, "Letters"; docs/protocol/gossip.md, "Links that rooms need".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hedgerow_node.federation.post import LetterReceiver
from hedgerow_node.net import bounds
from hedgerow_node.net.links import Link
from hedgerow_protocol import limits
from hedgerow_protocol.gossip.events import (
    Event,
    LetterIn,
    LetterOut,
    LinkId,
    NodesKnown,
    PeerDown,
    PeerUp,
    PeerWanted,
    Send,
)
from hedgerow_protocol.ids import NodeId


@dataclass(slots=True)
class Posting:
    """Implements :class:`hedgerow_node.federation.post.Post` over the links of one node."""

    feed: Callable[[Event], None]
    """Gives the machine an event."""
    links: Mapping[LinkId, Link]
    """Open ones."""
    receiver: LetterReceiver | None = None
    _up: dict[NodeId, LinkId] = field(default_factory=dict)
    _in_line: dict[NodeId, int] = field(default_factory=dict)
    """Bytes of letters that the machine has not put out yet."""

    # --- Post

    def send(self, to: NodeId, letter: bytes) -> bool:
        """See :class:`~hedgerow_node.federation.post.Post`."""
        if not 0 < len(letter) <= limits.LETTER_FRAME_BYTES_MAX:
            raise ValueError(f"A letter has 1 to {limits.LETTER_FRAME_BYTES_MAX} bytes.")
        if to not in self._up or self.waiting(to) > bounds.LETTERS_WAITING_BYTES_MAX:
            return False
        self._in_line[to] = self._in_line.get(to, 0) + bounds.letter_cost(letter)
        self.feed(LetterOut(to, letter))
        return True

    def want(self, to: NodeId) -> None:
        """See :class:`~hedgerow_node.federation.post.Post`."""
        self.feed(PeerWanted(to))

    def connected(self) -> frozenset[NodeId]:
        """See :class:`~hedgerow_node.federation.post.Post`."""
        return frozenset(self._up)

    def waiting(self, to: NodeId) -> int:
        """See :class:`~hedgerow_node.federation.post.Post`."""
        number = self._up.get(to)
        link = None if number is None else self.links.get(number)
        return 0 if link is None else link.waiting_letter_bytes + self._in_line.get(to, 0)

    def known(self, nodes: frozenset[NodeId]) -> None:
        """See :class:`~hedgerow_node.federation.post.Post`."""
        self.feed(NodesKnown(nodes))

    # --- what the machine puts out

    def sent(self, output: Send, link: Link) -> None:
        """The machine has put a letter out."""
        if link.peer is not None and (left := self._in_line.get(link.peer)):
            # The frame says a few bytes more than the letter did; a rest would be wrong for ever.
            self._in_line[link.peer] = max(0, left - bounds.letter_cost(output.frame))
        link.send_letter(output.frame)

    def told(self, output: PeerUp | PeerDown | LetterIn) -> None:
        """Pass on what the machine says to whoever reads letters here."""
        match output:
            case PeerUp(peer=peer, link=number):
                self._up[peer] = number
            case PeerDown(peer=peer):
                self._up.pop(peer, None)
                self._in_line.pop(peer, None)
            case LetterIn():
                pass
        if self.receiver is None:
            return
        match output:
            case PeerUp(peer=peer):
                self.receiver.up(peer)
            case PeerDown(peer=peer):
                self.receiver.down(peer)
            case LetterIn(peer=peer, payload=payload):
                self.receiver.came(peer, payload)
