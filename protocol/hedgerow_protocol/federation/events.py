"""What the machines of this room are told alike, and what both may want."""

from dataclasses import dataclass

from hedgerow_protocol.ids import NodeId


@dataclass(frozen=True, slots=True)
class Connected:
    """A link to this node is up, and both read letters."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The link to this node ended; what was on its way is perhaps lost."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class Tick:
    """The moment that ``due()`` said has come."""


@dataclass(frozen=True, slots=True)
class Want:
    """There is something for this node: get a link to it, and keep it for a while."""

    node: NodeId
