"""What goes in and out of the outbox's machine, and what it keeps. :mod:`.outbox`."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Timestamp

WINDOW_REQUESTS_MAX: Final = 64
"""Requests. Under way to one node: enough for 400 a second at 100 ms there and back."""

WINDOW_BYTES_MAX: Final = 1024 * 1024
"""Bytes. Under way to one node; a single larger request goes alone."""

ANSWER_SECONDS: Final = 60.0
"""Seconds. For which an answer is awaited on a live link before the request is sent again."""

GIVE_UP_SECONDS: Final = 30 * 86_400
"""Seconds. After which a request that was never answered is given up: what it is about is no longer kept then."""

BACK_OFF_SECONDS_MIN: Final = 5.0
"""Seconds. Before a node is wished for again, or a busy one is asked again; doubled each time."""

BACK_OFF_SECONDS_MAX: Final = 900.0
"""Seconds. Where the doubling ends: a node that comes back is noticed within a quarter of an hour."""

KEEP_SECONDS: Final = 300.0
"""Seconds. Between two wishes for a link that is up and in use."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A request is on the disk; also each one that is there when this node starts, in the order of their numbers."""

    node: NodeId
    number: int
    room: RoomId | None
    """Requests for one room are sent in their order; those for none in any."""
    size: int
    """Bytes of its letter."""
    created: Timestamp


@dataclass(frozen=True, slots=True)
class Answered:
    """It has its answer, on the disk; or whoever asked takes it back. Numbers that are not known are fine."""

    number: int


@dataclass(frozen=True, slots=True)
class BusyAnswered:
    """The other node asks to be sent this again, not before so many seconds."""

    number: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send these, in this order."""

    node: NodeId
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GiveUp:
    """This was never answered; tell whoever asked. The machine has forgotten it."""

    number: int


Event: TypeAlias = Queued | Answered | BusyAnswered | Connected | Disconnected | Tick
Output: TypeAlias = Send | Want | GiveUp


@dataclass(slots=True, eq=False)
class Destination:
    """One node for which something waits, or that is linked."""

    name: NodeId
    connected: bool = False
    lanes: dict[RoomId | int, "Lane"] = field(default_factory=dict)
    ready: "dict[RoomId | int, Lane]" = field(default_factory=dict)
    """Those with something to send now, in the order of their turns."""
    flying: int = 0
    bytes: int = 0
    wanted: Instant | None = None
    """When a link was wished for last."""
    wishes: int = 0
    """Since there was one."""


@dataclass(slots=True, eq=False)
class Lane:
    """The requests for one room at one node, in their order: first those under way, then those that wait."""

    node: Destination
    key: RoomId | int
    flying: "dict[int, Item]" = field(default_factory=dict)
    waiting: "OrderedDict[int, Item]" = field(default_factory=OrderedDict)
    busy: int = 0
    """Times that the other node was busy, since it last was not."""
    held: bool = False
    """Whether it waits because the other node was busy."""


@dataclass(slots=True, eq=False)
class Item:
    """One request."""

    number: int
    size: int
    created: Timestamp
    lane: Lane
    sent: Instant | None = None
