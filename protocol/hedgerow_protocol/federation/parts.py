"""Letters too large for one frame: taken apart, and put together again within bounds.

The parts of a letter are sent one after the other on one link; other letters may come between them. When the link
ends, what is not complete is gone: whoever sent it sends the whole again.
"""

from dataclasses import dataclass
from typing import Final

from hedgerow_protocol import limits
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.federation.letters import PARTS_MAX, Letter, Part, decode, encode
from hedgerow_protocol.ids import NodeId

PART_DATA_BYTES: Final = limits.LETTER_FRAME_BYTES_MAX - 32
"""Bytes of a letter in each part but the last, so that each part with its numbers fits one frame."""

OPEN_OF_PEER_MAX: Final = 4
"""Letters. In parts from one peer at a time: a commit, a notify, and two to spare."""

OPEN_OF_PEER_BYTES_MAX: Final = 6 * 1024 * 1024
"""Bytes. Held for one peer until letters are complete: the largest letter and a notify."""

OPEN_BYTES_MAX: Final = 48 * 1024 * 1024
"""Bytes. Held for all peers together; beyond, the peer for whom most is held loses what is not complete."""


class Splitter:
    """Takes letters apart for one link."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0

    def frames(self, letter: bytes) -> list[bytes]:
        """The frames of an encoded letter, each of at most ``LETTER_FRAME_BYTES_MAX`` bytes, in their order."""
        if len(letter) <= limits.LETTER_FRAME_BYTES_MAX:
            return [letter]
        pieces = [letter[at : at + PART_DATA_BYTES] for at in range(0, len(letter), PART_DATA_BYTES)]
        self._next += 1
        return [encode(Part(self._next, index, len(pieces), piece)) for index, piece in enumerate(pieces)]


@dataclass(slots=True)
class _Open:
    """A letter of which some parts are there."""

    count: int
    data: bytearray
    parts: int


class Joiner:
    """Puts letters together for all links."""

    def __init__(self) -> None:
        self._open: dict[NodeId, dict[int, _Open]] = {}
        self._held: dict[NodeId, int] = {}
        self.held = 0
        """Bytes that are held now for all peers."""

    def came(self, peer: NodeId, frame: bytes) -> Letter | None:
        """The letter of a frame, or of the last of its parts; ``None`` while more are to come.

        Raises :class:`RemoteError`, which the peer should be held to account for.
        """
        if len(frame) > limits.LETTER_FRAME_BYTES_MAX:
            raise RemoteError(Code.TOO_LARGE, "A letter in one frame is too large for it.")
        letter = decode(frame)
        if not isinstance(letter, Part):
            return letter
        whole = self._put(peer, letter)
        if whole is None:
            return None
        letter = decode(whole)
        if isinstance(letter, Part):
            raise RemoteError(Code.MALFORMED, "A part holds a part.")
        return letter

    def down(self, peer: NodeId) -> None:
        """The link ended."""
        self._open.pop(peer, None)
        self.held -= self._held.pop(peer, 0)

    def let_go(self, peer: NodeId) -> bool:
        """Wait for no further parts of what this peer has begun; whether there was anything."""
        begun = bool(self._open.get(peer))
        self.down(peer)
        return begun

    def _put(self, peer: NodeId, part: Part) -> bytes | None:
        opened = self._open.setdefault(peer, {})
        known = opened.get(part.id)
        if known is None:
            if part.index != 0:
                return None  # of a letter that was let go when too much was held
            if len(opened) >= OPEN_OF_PEER_MAX:
                self.down(peer)
                raise RemoteError(Code.LIMIT, "Too many letters are under way in parts.")
            known = opened[part.id] = _Open(part.count, bytearray(), 0)
        last = part.index == known.count - 1
        if part.index != known.parts or part.count != known.count or not _fits(part, last):
            self.down(peer)
            raise RemoteError(Code.BAD_FIELD, "The parts of a letter do not fit together.")
        self._count(peer, len(part.data))
        if self._held[peer] > OPEN_OF_PEER_BYTES_MAX:
            self.down(peer)
            raise RemoteError(Code.LIMIT, "Too many bytes are under way in parts.")
        known.data += part.data
        known.parts += 1
        if last:
            del opened[part.id]
            self._count(peer, -len(known.data))
            return bytes(known.data)
        if self.held > OPEN_BYTES_MAX:
            self.down(max(self._held, key=lambda each: self._held[each]))
        return None

    def _count(self, peer: NodeId, size: int) -> None:
        self._held[peer] = self._held.get(peer, 0) + size
        self.held += size


def _fits(part: Part, last: bool) -> bool:
    return len(part.data) <= PART_DATA_BYTES if last else len(part.data) == PART_DATA_BYTES


assert PARTS_MAX * PART_DATA_BYTES > limits.LETTER_BYTES_MAX  # noqa: S101 - relations of constants
