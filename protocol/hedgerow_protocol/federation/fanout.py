"""When a hub tells which follower what: a machine that is told what happens and says what to read and send.

For each room and follower there is a cursor: how far it was told, and how far it has acknowledged. What is under way
is bounded, for each cursor and for each node; a follower that never acknowledges costs its cursors and nothing else.
Nodes take turns, and within a node its rooms. Spec: docs/protocol/federation.md.
"""

from collections import deque

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.federation.fanout_values import (
    FANOUT_MS_DEFAULT,
    FETCHES_RATE,
    NODE_BYTES_MAX,
    READS_MAX,
    READS_OF_NODE_MAX,
    STALLED_SECONDS,
    TOGETHER_SECONDS,
    UNREAD_SECONDS,
    WANT_SECONDS,
    Acknowledged,
    Cursor,
    Event,
    Fetched,
    Followed,
    FollowedRoom,
    Follower,
    Grown,
    Limited,
    Output,
    Read,
    Sent,
    Stalled,
    Unfollowed,
)
from hedgerow_protocol.federation.timers import Timers
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now


class Fanout:
    """The machine. ``fanout_ms``: how long entries wait for others; 0 tells each at once."""

    def __init__(self, fanout_ms: int = FANOUT_MS_DEFAULT) -> None:
        self._wait = fanout_ms / 1000
        self._rooms: dict[RoomId, FollowedRoom] = {}
        self._nodes: dict[NodeId, Follower] = {}
        self._ring: deque[Follower] = deque()
        self._reads: dict[int, Cursor] = {}
        self._number = 0
        self._batches: Timers[FollowedRoom] = Timers()
        self._wants: Timers[Follower] = Timers()
        self._stalls: Timers[Cursor] = Timers()
        self._agains: Timers[Cursor] = Timers()
        self._stalled: dict[Cursor, None] = {}
        self._out: list[Output] = []

    def due(self) -> Instant | None:
        """When :class:`Tick` is to be told; ``None`` while nothing waits."""
        moments = (self._batches.due(), self._wants.due(), self._stalls.due(), self._agains.due())
        return min((each for each in moments if each is not None), default=None)

    def stalled(self) -> list[tuple[RoomId, NodeId]]:
        """Rooms and followers that were told something and have not acknowledged it for a minute."""
        return [(each.room.name, each.node.name) for each in self._stalled]

    def handle(self, event: Event, now: Now) -> list[Output]:
        """The one door: what to do because of what happened."""
        instant = now.instant
        match event:
            case Grown(room, seq):
                self._grown(room, seq, instant)
            case Sent():
                self._sent(event, instant)
            case Acknowledged(room, node, seq):
                self._acknowledged(room, node, seq, instant)
            case Fetched(room, node, after):
                self._fetched(room, node, after, instant)
            case Connected(node):
                follower = self._node(node)
                follower.connected = True
                self._enlist(follower)
            case Disconnected(node):
                self._disconnected(node, instant)
            case Followed():
                self._followed(event, instant)
            case Limited(room, node, end):
                if (cursor := self._cursor(room, node)) is not None:
                    cursor.end = end
                    self._wake(cursor, instant)
            case Unfollowed(room, node):
                self._unfollowed(room, node)
            case Tick():
                pass
        self._take_due(instant)
        self._run(instant)
        out, self._out = self._out, []
        return out

    # --- what happened

    def _grown(self, name: RoomId, seq: int, now: Instant) -> None:
        room = self._rooms.get(name)
        if room is None or seq <= room.newest:
            return
        room.newest = seq
        if room in self._batches:
            return
        due = max(now + self._wait, room.quiet_since + TOGETHER_SECONDS)
        if due <= now:
            self._tell(room, now)
        else:
            self._batches.set(room, Instant(due))

    def _tell(self, room: FollowedRoom, now: Instant) -> None:
        room.told, room.quiet_since = room.newest, now
        for cursor in room.cursors.values():
            self._wake(cursor, now)

    def _followed(self, event: Followed, now: Instant) -> None:
        room = self._rooms.get(event.room)
        if room is None:
            room = self._rooms[event.room] = FollowedRoom(event.room, event.newest)
        node = self._node(event.node)
        cursor = room.cursors.get(event.node)
        if cursor is None:
            cursor = room.cursors[event.node] = Cursor(room, node, event.acknowledged)
            node.cursors += 1
        else:
            self._reset(cursor)
        cursor.sent = cursor.acknowledged = event.acknowledged
        cursor.end = event.end
        self._wake(cursor, now)
        self._grown(event.room, event.newest, now)

    def _unfollowed(self, name: RoomId, node: NodeId) -> None:
        cursor = self._cursor(name, node)
        if cursor is None:
            return
        self._reset(cursor)
        cursor.node.ready.pop(name, None)
        self._agains.cancel(cursor)
        cursor.node.cursors -= 1
        del cursor.room.cursors[node]
        if not cursor.room.cursors:
            del self._rooms[name]
            self._batches.cancel(cursor.room)
        self._forget(cursor.node)

    def _sent(self, event: Sent, now: Instant) -> None:
        cursor = self._reads.pop(event.number, None)
        if cursor is None:
            return  # of a link that has ended since, or of a cursor that was moved
        node = cursor.node
        node.reads -= 1
        wanted = cursor.reading_some
        cursor.reading = None
        if event.seq > cursor.sent:
            cursor.sent = event.seq
            cursor.flight.append((event.seq, event.size))
            cursor.bytes += event.size
            node.bytes += event.size
            if cursor not in self._stalls and cursor not in self._stalled:
                self._stalls.set(cursor, Instant(now + STALLED_SECONDS))
            self._wake(cursor, now)
        elif wanted:
            self._agains.set(cursor, Instant(now + UNREAD_SECONDS))
        else:
            self._wake(cursor, now)
        self._settle(cursor)
        self._enlist(node)

    def _acknowledged(self, name: RoomId, node: NodeId, seq: int, now: Instant) -> None:
        cursor = self._cursor(name, node)
        if cursor is None or (seq := min(seq, cursor.sent)) <= cursor.acknowledged:
            return
        cursor.acknowledged = seq
        while cursor.flight and cursor.flight[0][0] <= seq:
            size = cursor.flight.popleft()[1]
            cursor.bytes -= size
            cursor.node.bytes -= size
        self._stalled.pop(cursor, None)
        self._stalls.cancel(cursor)
        if cursor.flight:
            self._stalls.set(cursor, Instant(now + STALLED_SECONDS))
        self._settle(cursor)
        self._wake(cursor, now)
        self._enlist(cursor.node)

    def _fetched(self, name: RoomId, node: NodeId, after: int, now: Instant) -> None:
        cursor = self._cursor(name, node)
        if cursor is None or not cursor.node.connected:
            return
        if not cursor.node.fetches.take(1, now):
            cursor.fetch = after
            wait = (1 - cursor.node.fetches.level(now)) / FETCHES_RATE
            self._agains.set(cursor, Instant(now + max(wait, 0.1)))
            return
        # It says itself that it has no more: only so are its acknowledgements of what comes again believed.
        cursor.acknowledged = min(after, cursor.acknowledged)
        self._reset(cursor)
        cursor.sent = min(after, cursor.target)
        cursor.asked = True
        cursor.node.flying[name] = cursor
        self._wake(cursor, now)

    def _disconnected(self, name: NodeId, now: Instant) -> None:
        node = self._nodes.get(name)
        if node is None:
            return
        node.connected = False
        for cursor in list(node.flying.values()):
            self._reset(cursor)
            self._wake(cursor, now)
        self._forget(node)

    def _take_due(self, now: Instant) -> None:
        for room in self._batches.take(now):
            self._tell(room, now)
        for node in self._wants.take(now):
            if node.ready and not node.connected:
                self._want(node, now)
        for cursor in self._stalls.take(now):
            self._stalled[cursor] = None
            self._out.append(Stalled(cursor.room.name, cursor.node.name))
        for cursor in self._agains.take(now):
            after, cursor.fetch = cursor.fetch, None
            if after is None:
                self._wake(cursor, now)
            else:
                self._fetched(cursor.room.name, cursor.node.name, after, now)

    # --- what follows from it

    def _wake(self, cursor: Cursor, now: Instant) -> None:
        """Put a cursor where it belongs: among those to be read for, or not."""
        node, name = cursor.node, cursor.room.name
        if not cursor.may_read or cursor in self._agains:
            node.ready.pop(name, None)
            return
        node.ready.setdefault(name, cursor)
        if node.connected:
            self._enlist(node)
        elif node not in self._wants:
            self._want(node, now)

    def _enlist(self, node: Follower) -> None:
        room = node.reads < READS_OF_NODE_MAX and node.bytes < NODE_BYTES_MAX
        if node.connected and node.ready and room and not node.listed:
            node.listed = True
            self._ring.append(node)

    def _run(self, now: Instant) -> None:
        while self._ring and len(self._reads) < READS_MAX:
            node = self._ring.popleft()
            node.listed = False
            if not (node.connected and node.ready):
                continue
            self._read(node.ready.pop(next(iter(node.ready))), now)
            self._enlist(node)

    def _read(self, cursor: Cursor, now: Instant) -> None:
        entries = max(0, min(cursor.target - cursor.sent, limits.NOTIFY_ENTRIES_MAX - cursor.under_way))
        size = limits.NOTIFY_BYTES_MAX - cursor.bytes
        self._number += 1
        cursor.reading, cursor.reading_some, cursor.asked = self._number, entries > 0, False
        self._reads[self._number] = cursor
        cursor.node.reads += 1
        cursor.node.flying[cursor.room.name] = cursor
        if cursor.node.wanted is None or now >= cursor.node.wanted + WANT_SECONDS:
            self._want(cursor.node, now)
        self._out.append(Read(self._number, cursor.room.name, cursor.node.name, cursor.sent, entries, size))

    def _want(self, node: Follower, now: Instant) -> None:
        node.wanted = now
        self._out.append(Want(node.name))
        if not node.connected:
            self._wants.set(node, Instant(now + WANT_SECONDS))

    def _reset(self, cursor: Cursor) -> None:
        """Forget what is under way: the follower may not have it."""
        if cursor.reading is not None:
            del self._reads[cursor.reading]
            cursor.node.reads -= 1
            cursor.reading = None
        cursor.node.bytes -= cursor.bytes
        cursor.bytes = 0
        cursor.flight.clear()
        cursor.sent = cursor.acknowledged
        cursor.asked, cursor.fetch = False, None
        cursor.node.flying.pop(cursor.room.name, None)
        self._stalled.pop(cursor, None)
        self._stalls.cancel(cursor)
        self._agains.cancel(cursor)

    def _settle(self, cursor: Cursor) -> None:
        if cursor.reading is None and cursor.sent <= cursor.acknowledged and not cursor.flight:
            cursor.node.flying.pop(cursor.room.name, None)

    def _cursor(self, room: RoomId, node: NodeId) -> Cursor | None:
        found = self._rooms.get(room)
        return None if found is None else found.cursors.get(node)

    def _node(self, name: NodeId) -> Follower:
        found = self._nodes.get(name)
        if found is None:
            found = self._nodes[name] = Follower(name)
        return found

    def _forget(self, node: Follower) -> None:
        if not node.cursors and not node.connected:
            self._nodes.pop(node.name, None)
            self._wants.cancel(node)
