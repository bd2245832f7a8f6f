"""Letters between nodes that share rooms: passed on unread, and who may send them. Spec: docs/protocol/messages.md."""

from hedgerow_protocol import messages
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import LetterIn, LetterOut, PeerDown, PeerUp, Send
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.messages import Letter
from hedgerow_protocol.ports import Now


class Posting:
    """Takes letters to links and from them. It keeps none: whoever needs an answer sends again on the next link."""

    def __init__(self, state: MachineState) -> None:
        self._state = state

    def greeted(self, linked: Linked) -> None:
        """A peer has said hello: if both sides take letters, tell so."""
        if self._state.settings.rooms and times.ROOMS in linked.features:
            linked.letters = True
            self._state.out.append(PeerUp(linked.peer, linked.link))

    def link_down(self, linked: Linked) -> None:
        """A link has ended. There is one link to a node at a time, so another may be up a moment later."""
        if linked.letters:
            linked.letters = False
            self._state.out.append(PeerDown(linked.peer))

    def send(self, event: LetterOut, now: Now) -> None:
        """Send a letter if a link takes it."""
        number = self._state.by_peer.get(event.peer)
        linked = None if number is None else self._state.links.get(number)
        if linked is not None and linked.letters:
            linked.last_letter = now.instant
            self._state.out.append(Send(linked.link, messages.encode(Letter(event.payload)), letter=True))

    def came(self, linked: Linked, letter: Letter, now: Now) -> None:
        """A letter came. Raises :class:`RemoteError` when the peer never said that it knows of letters."""
        if not self._state.settings.rooms:
            return  # as with every message that this node cannot read
        if not linked.letters:
            raise RemoteError(Code.BAD_FIELD, "A letter came from a node that did not say that it reads letters.")
        linked.last_letter = now.instant
        self._state.out.append(LetterIn(linked.peer, letter.payload))
