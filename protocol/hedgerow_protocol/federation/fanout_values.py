"""What goes in and out of the hub's machine, and what it keeps. :mod:`.fanout`."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.ratelimit import TokenBucket

FANOUT_MS_DEFAULT: Final = 1_000
"""Milliseconds. From an entry to its notify: what comes meanwhile is told with it, and timing tells less."""

TOGETHER_SECONDS: Final = 0.01
"""Seconds. What follows something that was told sooner than that is told together, even when nothing is to wait: in a
lively room each notify costs both sides more than the entries in it."""

NODE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes. Payloads under way to one node, of all its rooms together; those that are being read come on top."""

READS_MAX: Final = 64
"""Notifies. Being read from the disk at a time."""

READS_OF_NODE_MAX: Final = 4
"""Notifies. Being read for one node at a time, so that the others have their turn."""

STALLED_SECONDS: Final = 60.0
"""Seconds. Without an acknowledgement on a live link, after which the keeper is told."""

WANT_SECONDS: Final = 300.0
"""Seconds. Between two wishes for a link to the same node; a link is kept for longer than that."""

UNREAD_SECONDS: Final = 5.0
"""Seconds. Until something that could not be read is tried again."""

FETCHES_RATE: Final = 4.0
"""Fetches a second. By one node in the long run: each makes the hub read and send again."""

FETCHES_BURST: Final = 64
"""Fetches. By one node in quick succession; more of them wait their turn."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A room's log has entries up to this seq, on the disk. Of rooms that nobody follows it is passed over."""

    room: RoomId
    seq: int


@dataclass(frozen=True, slots=True)
class Followed:
    """A node follows a room from here on; also for each one that did when this node starts, and when it begins anew."""

    room: RoomId
    node: NodeId
    acknowledged: int
    """What it has."""
    newest: int
    """Where the log stands."""
    end: int | None = None
    """What it may have at most; ``None``: everything."""


@dataclass(frozen=True, slots=True)
class Limited:
    """Its last mailbox in this room was taken out: it may have what is up to this seq. ``None``: everything again."""

    room: RoomId
    node: NodeId
    end: int | None


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """This node follows this room no longer."""

    room: RoomId
    node: NodeId


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """It has everything up to this seq on its disk. What it was not even told is not believed."""

    room: RoomId
    node: NodeId
    seq: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """It wants everything after this seq once more."""

    room: RoomId
    node: NodeId
    after: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What :class:`Read` with this number asked for is handed to the link."""

    number: int
    seq: int
    """Of the last entry; that of ``after`` if there was none, or it could not be read."""
    size: int
    """Bytes of payloads."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read this, send it as a notify, and say so with :class:`Sent`, whatever became of it."""

    number: int
    room: RoomId
    node: NodeId
    after: int
    limit: int
    """Entries at most. 0: only where the log stands."""
    size: int
    """Bytes of payloads at most; the first entry always."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """This follower has not acknowledged for a minute, on a live link. Said once, until it does."""

    room: RoomId
    node: NodeId


Event: TypeAlias = (
    Grown | Followed | Limited | Unfollowed | Acknowledged | Fetched | Sent | Connected | Disconnected | Tick
)
Output: TypeAlias = Read | Want | Stalled


@dataclass(slots=True, eq=False)
class Follower:
    """One node that follows rooms, or could."""

    name: NodeId
    connected: bool = False
    listed: bool = False
    """Whether it waits for its turn."""
    cursors: int = 0
    ready: dict[RoomId, "Cursor"] = field(default_factory=dict)
    """Those that could be read for now, in the order of their turns."""
    flying: dict[RoomId, "Cursor"] = field(default_factory=dict)
    """Those for which something is being read or under way."""
    reads: int = 0
    bytes: int = 0
    """Under way, of all rooms."""
    wanted: Instant | None = None
    """When a link to it was wished for last."""
    fetches: TokenBucket = field(default_factory=lambda: TokenBucket(FETCHES_RATE, FETCHES_BURST))


@dataclass(slots=True, eq=False)
class FollowedRoom:
    """One room that somebody follows."""

    name: RoomId
    newest: int
    told: int = -1
    """What may be told by now: entries after it wait for others to come."""
    quiet_since: Instant = Instant(float("-inf"))
    """When something was told for the last time."""
    cursors: dict[NodeId, "Cursor"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.told = self.newest


@dataclass(slots=True, eq=False)
class Cursor:
    """How far one follower is in one room."""

    room: FollowedRoom
    node: Follower
    acknowledged: int
    sent: int = 0
    end: int | None = None
    reading: int | None = None
    """The number of the read that is under way."""
    reading_some: bool = False
    """Whether that read asks for entries."""
    asked: bool = False
    """Whether the follower is to be answered even if there is nothing new."""
    fetch: int | None = None
    """A fetch that waits for its turn."""
    flight: deque[tuple[int, int]] = field(default_factory=deque)
    """(last seq, bytes) of each notify that is not acknowledged."""
    bytes: int = 0

    @property
    def target(self) -> int:
        """How far it may be told."""
        return self.room.told if self.end is None else min(self.room.told, self.end)

    @property
    def under_way(self) -> int:
        """Entries that were sent and are not acknowledged."""
        return max(0, self.sent - self.acknowledged) if self.flight else 0

    @property
    def may_read(self) -> bool:
        """Whether there is something for it, and room on the way to it."""
        return (
            self.reading is None
            and (self.asked or self.sent < self.target)
            and self.under_way < limits.NOTIFY_ENTRIES_MAX
            and self.bytes < limits.NOTIFY_BYTES_MAX
        )
