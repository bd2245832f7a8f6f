"""What became of one record that was offered to this node.

Every way in (an import, a form, the command line, later a peer) passes :meth:`Directory.accept`, and each envelope
gets exactly one of these answers. They are values, because all of them are expected.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from hedgerow_protocol.errors import Code
from hedgerow_protocol.ids import RecordId


@dataclass(frozen=True, slots=True)
class Stored:
    """It is new, it holds, and it is on disk."""

    rid: RecordId
    new_chain: bool = field(default=False, compare=False)
    """It is a founding charter: a chain of charters that this node had not heard of."""


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
    needs: RecordId | None = field(default=None, compare=False)
    """That charter."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is wrong, or there is no room for it."""

    code: Code
    reason: str
    """A sentence for a person."""
    rid: RecordId | None = field(default=None, compare=False)
    """``None`` when it could not even be parsed."""


Outcome: TypeAlias = Stored | Known | Superseded | Waiting | Refused
