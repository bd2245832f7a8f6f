"""The post between nodes: what the network lends to federation, and what federation lends to the network.

A letter is opaque here: bytes of at most ``LETTER_FRAME_BYTES_MAX`` that the other node's federation understands. The
post is no memory: a letter that was sent may still be lost with its link, so whoever needs an answer keeps the letter
and sends it again when the link comes up again. Spec: docs/protocol/messages.md, "Letters".
"""

from typing import Protocol

from hedgerow_protocol.ids import NodeId


class Post(Protocol):
    """Sends letters to other nodes; what the network does for rooms. Every method returns at once."""

    def send(self, to: NodeId, letter: bytes) -> bool:
        """Put a letter on the link to a node, if there is one and it has room.

        ``False`` when there is no greeted link to a node that takes letters now, or when more than
        a MiB (``LETTERS_WAITING_BYTES_MAX``) waits on it: keep the letter, and send it when the link comes up, or when
        :meth:`waiting` has gone down. Raises :class:`ValueError` for an empty letter or one that is too large.
        """
        ...

    def want(self, to: NodeId) -> None:
        """There is something for this node: dial it (directly, over Tor, or through a relay), and keep the link.

        The link is kept for ten minutes after the last time it was wanted. Until then it is dialled again and again,
        with growing pauses; a node that announces no address and no relay has to dial us.
        """
        ...

    def connected(self) -> frozenset[NodeId]:
        """The nodes that take letters from us now."""
        ...

    def waiting(self, to: NodeId) -> int:
        """Bytes that wait on the link to this node and are not on the wire yet; 0 when there is no link."""
        ...

    def known(self, nodes: frozenset[NodeId]) -> None:
        """The nodes this one shares rooms with, all of them: they may come in when strangers are told to wait."""
        ...


class LetterReceiver(Protocol):
    """What the network calls when letters come; lent to it before it starts. Called in the event loop, in order.

    None of these may wait or raise; for one node, ``up`` and ``down`` alternate, and letters come only in between.
    """

    def came(self, peer: NodeId, letter: bytes) -> None:
        """A letter came from a node whose key was proven by its channel. It is opaque and untrusted."""
        ...

    def up(self, peer: NodeId) -> None:
        """A link to a node that takes letters is open."""
        ...

    def down(self, peer: NodeId) -> None:
        """It is no more. What was sent may be lost."""
        ...
