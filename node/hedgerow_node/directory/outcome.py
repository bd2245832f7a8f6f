"""What became of one record that was offered to this node.

Every way in (an import, a form, the command line, later a peer) passes :meth:`Directory.accept`, and each envelope
gets exactly one of these answers. They are values, because all of them are expected.
"""

from dataclasses import dataclass
from typing import TypeAlias

from hedgerow_protocol.errors import Code
from hedgerow_protocol.ids import RecordId


@dataclass(frozen=True, slots=True)
class Stored:
    """It is new, it holds, and it is on disk."""

    rid: RecordId


@dataclass(frozen=True, slots=True)
class Known:
    """This node already held it; nothing was verified or written."""

    rid: RecordId


@dataclass(frozen=True, slots=True)
class Superseded:
    """It holds, but this node has something later in its place, so it was not kept."""

    rid: RecordId


@dataclass(frozen=True, slots=True)
class Waiting:
    """Its signatures hold, but the charter it names has not arrived: it is held in memory for a while."""

    rid: RecordId


@dataclass(frozen=True, slots=True)
class Refused:
    """It is wrong, or there is no room for it."""

    code: Code
    reason: str
    """A sentence for a person."""


Outcome: TypeAlias = Stored | Known | Superseded | Waiting | Refused
