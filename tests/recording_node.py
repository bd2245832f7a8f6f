"""A node that writes down every letter it sends to other nodes or gets from them, before the channel seals it.

Run as a program (``recording_node.py FILE python -m hedgerow_node serve …``, which is what ``within`` of running_node
makes) it is the node itself, with one thing more: the post writes into FILE.
"""

import sys
from pathlib import Path
from typing import BinaryIO

from hedgerow_node.cli import main
from hedgerow_node.net.posting import Posting
from hedgerow_protocol.gossip.events import LetterIn, PeerDown, PeerUp
from hedgerow_protocol.ids import NodeId

_MODULE_AND_PROGRAM = 3
"""Words before the node's own arguments: the program, -m, hedgerow_node."""


def within(file: Path) -> tuple[str, ...]:
    """What stands before a node's command so that it writes its letters into a file."""
    return (sys.executable, __file__, str(file))


def read_letters(file: Path, *, sent: bool) -> dict[NodeId, list[bytes]]:
    """The frames that went to each other node (or came from it), in their order."""
    found: dict[NodeId, list[bytes]] = {}
    data, at = file.read_bytes(), 0
    while at + 37 <= len(data):
        size = int.from_bytes(data[at + 33 : at + 37], "big")
        if (data[at : at + 1] == b">") is sent:
            found.setdefault(NodeId(data[at + 1 : at + 33]), []).append(data[at + 37 : at + 37 + size])
        at += 37 + size
    return found


def _record(file: BinaryIO) -> None:
    """Let every post of this process write."""
    send, told = Posting.send, Posting.told

    def write(way: bytes, peer: NodeId, letter: bytes) -> None:
        file.write(way + peer + len(letter).to_bytes(4, "big") + letter)
        file.flush()

    def sending(self: Posting, to: NodeId, letter: bytes) -> bool:
        went = send(self, to, letter)
        if went:
            write(b">", to, letter)
        return went

    def telling(self: Posting, output: PeerUp | PeerDown | LetterIn) -> None:
        if isinstance(output, LetterIn):
            write(b"<", output.peer, output.payload)
        told(self, output)

    Posting.send = sending  # type: ignore[method-assign]
    Posting.told = telling  # type: ignore[method-assign]


if __name__ == "__main__":
    with Path(sys.argv[1]).open("ab") as kept:
        _record(kept)
        sys.exit(main(sys.argv[2 + _MODULE_AND_PROGRAM :]))
