"""What went over one link, counted for the keeper's page."""

from dataclasses import dataclass
from typing import Final

import msgpack

_RECORDS: Final = 4
"""The type of the message that carries records (:class:`hedgerow_protocol.messages.Records`)."""
_LETTER: Final = 22
"""The type of the message that carries a letter (:class:`hedgerow_protocol.messages.Letter`)."""


@dataclass(slots=True, kw_only=True)
class Traffic:
    """What went over one link."""

    bytes_in: int = 0
    bytes_out: int = 0
    messages_in: int = 0
    messages_out: int = 0
    records_in: int = 0
    """Envelopes that came to be judged."""
    records_new: int = 0
    """Of these, the ones this node did not have and kept."""
    records_out: int = 0
    letters_in: int = 0
    letters_out: int = 0
    heard: float = 0.0
    """The instant of the last message that came."""


def records_of(frame: bytes) -> int:
    """How many records a frame of this node's own making carries; for other messages 0."""
    if len(frame) < 2 or frame[1] != _RECORDS:
        return 0
    unpacker = msgpack.Unpacker()
    unpacker.feed(frame)
    unpacker.read_array_header()
    unpacker.skip()  # the type
    unpacker.skip()  # the number
    return int(unpacker.read_array_header())


def is_letter(frame: bytes) -> bool:
    """Whether a frame says that it carries a letter; the machine reads it afterwards."""
    return len(frame) > 1 and frame[1] == _LETTER
