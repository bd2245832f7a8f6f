"""What a simulated network costs: frames and bytes by kind of message, copies of each record."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from hedgerow_protocol import messages
from hedgerow_protocol.channel_plaintext import padded_size
from hedgerow_protocol.ids import NodeId, RecordId

KINDS: Final = {number: kind.__name__ for number, kind, _readers in messages._TABLE}

HEAD_BYTES: Final = 3
"""Bytes. A mark and a length before each frame."""

TAG_BYTES: Final = 16


def sealed_bytes(frame: int) -> int:
    """Bytes of WebSocket payload that a frame of so many bytes becomes: a head, zeros, and the tag."""
    return padded_size(HEAD_BYTES + frame) + TAG_BYTES


@dataclass(slots=True)
class Cost:
    """Counts since it was last cleared."""

    frames: Counter[str] = field(default_factory=Counter)
    sealed: Counter[str] = field(default_factory=Counter)
    """Bytes of WebSocket payload by kind of message."""
    copies: defaultdict[RecordId, Counter[NodeId]] = field(default_factory=lambda: defaultdict(Counter))
    """How often each watched record reached each node."""
    watched: set[RecordId] = field(default_factory=set)

    def sent(self, frame: bytes) -> None:
        """A node sent this."""
        kind = KINDS.get(frame[1], "other") if len(frame) > 1 else "other"
        self.frames[kind] += 1
        self.sealed[kind] += sealed_bytes(len(frame))

    def arrived(self, to: NodeId, rids: list[RecordId]) -> None:
        """These records reached a node."""
        for rid in rids:
            if rid in self.watched:
                self.copies[rid][to] += 1

    def clear(self) -> None:
        """Begin anew."""
        self.frames.clear()
        self.sealed.clear()
        self.copies.clear()
        self.watched.clear()

    @property
    def total_frames(self) -> int:
        return self.frames.total()

    @property
    def total_bytes(self) -> int:
        return self.sealed.total()
