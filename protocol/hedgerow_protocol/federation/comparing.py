"""When a follower shows others of a room the hub's newest head: a machine that is told what happens and says to whom.

A hub that tells two followers different logs is found out when they compare heads. Each room has its turn at most once
a minute, after its log has grown, and whenever the room was followed anew; then a few followers are told, others each
time. If there is a link to none of them, one is wished for now and then. Spec: docs/protocol/federation.md.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.federation.timers import Timers
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now

TURN_SECONDS: Final = 60.0
"""Seconds. Between two turns of one room."""

TOLD_MAX: Final = 3
"""Followers. Told in one turn: a lie to any part of them is found within a few turns."""

WANT_SECONDS: Final = 600.0
"""Seconds. Between two wishes for a link for the sake of one room's heads alone."""


@dataclass(frozen=True, slots=True)
class Fellows:
    """Who else follows a room; ``anew``: the hub has just answered that we follow it, so they are told at once."""

    room: RoomId
    nodes: tuple[NodeId, ...]
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Advanced:
    """Our copy has entries up to this seq, with the hub's head."""

    room: RoomId
    seq: int


@dataclass(frozen=True, slots=True)
class HeardAhead:
    """A fellow showed a head that is ahead of ours: only it can compare, so it is shown ours."""

    room: RoomId
    node: NodeId


@dataclass(frozen=True, slots=True)
class Left:
    """The room is followed no longer, or its hub is known to lie."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class ShowHead:
    """Send the newest head of this room there."""

    room: RoomId
    node: NodeId


Event: TypeAlias = Fellows | Advanced | HeardAhead | Left | Connected | Disconnected | Tick
Output: TypeAlias = ShowHead | Want


@dataclass(slots=True, eq=False)
class _Room:
    name: RoomId
    fellows: tuple[NodeId, ...] = ()
    turn: int = 0
    """The place in ``fellows`` where the next turn begins."""
    seq: int = 0
    shown: int = 0
    """The seq of the head that was shown last."""
    last: Instant | None = None
    """When it had its turn."""
    replied: Instant | None = None
    wanted: Instant | None = None
    hoped: NodeId | None = None
    """The fellow to whom a link was wished for."""


@dataclass(slots=True)
class Comparing:
    """The machine. ``this``: this node, which the followers of a room stand around in a ring."""

    this: NodeId
    _rooms: dict[RoomId, _Room] = field(default_factory=dict)
    _linked: set[NodeId] = field(default_factory=set)
    _hopes: dict[NodeId, dict[RoomId, _Room]] = field(default_factory=dict)
    _turns: Timers[_Room] = field(default_factory=Timers)
    _out: list[Output] = field(default_factory=list)

    def due(self) -> Instant | None:
        """When :class:`Tick` is to be told; ``None`` while nothing waits."""
        return self._turns.due()

    def handle(self, event: Event, now: Now) -> list[Output]:
        """The one door: what to do because of what happened."""
        instant = now.instant
        match event:
            case Fellows(name, nodes, anew):
                room = self._rooms.setdefault(name, _Room(name))
                others = sorted(set(nodes) - {self.this})
                room.fellows = (*(n for n in others if n > self.this), *(n for n in others if n < self.this))
                if anew:
                    self._take_turn(room, instant)
                else:
                    self._plan(room, instant)
            case Advanced(name, seq):
                room = self._rooms.setdefault(name, _Room(name))
                room.seq = max(room.seq, seq)
                self._plan(room, instant)
            case HeardAhead(name, node):
                self._heard(name, node, instant)
            case Left(name):
                self._left(name)
            case Connected(node):
                self._linked.add(node)
                for room in self._hopes.pop(node, {}).values():
                    room.hoped = None
                    self._show(room, node)
            case Disconnected(node):
                self._linked.discard(node)
            case Tick():
                pass
        for room in self._turns.take(instant):
            self._take_turn(room, instant)
        out, self._out = self._out, []
        return out

    def _plan(self, room: _Room, now: Instant) -> None:
        if room.seq <= room.shown or not room.fellows or room in self._turns:
            return
        self._turns.set(room, now if room.last is None else Instant(max(now, room.last + TURN_SECONDS)))

    def _take_turn(self, room: _Room, now: Instant) -> None:
        if not room.seq or not room.fellows:
            return
        room.last, room.shown = now, room.seq
        self._turns.cancel(room)
        around = [room.fellows[(room.turn + step) % len(room.fellows)] for step in range(len(room.fellows))]
        told = [node for node in around if node in self._linked][:TOLD_MAX]
        for node in told:
            self._show(room, node)
        room.turn = (room.fellows.index(told[-1]) + 1 if told else room.turn + 1) % len(room.fellows)
        if not told and (room.wanted is None or now >= room.wanted + WANT_SECONDS):
            room.wanted = now
            self._hope(room, around[0])
            self._out.append(Want(around[0]))

    def _heard(self, name: RoomId, node: NodeId, now: Instant) -> None:
        room = self._rooms.get(name)
        if room is None or not room.seq or node not in room.fellows:
            return
        if room.replied is None or now >= room.replied + TURN_SECONDS:
            room.replied = now
            self._show(room, node)

    def _show(self, room: _Room, node: NodeId) -> None:
        self._out.append(ShowHead(room.name, node))

    def _hope(self, room: _Room, node: NodeId | None) -> None:
        if room.hoped is not None:
            hopes = self._hopes[room.hoped]
            del hopes[room.name]
            if not hopes:
                del self._hopes[room.hoped]
        room.hoped = node
        if node is not None:
            self._hopes.setdefault(node, {})[room.name] = room

    def _left(self, name: RoomId) -> None:
        room = self._rooms.pop(name, None)
        if room is not None:
            self._turns.cancel(room)
            self._hope(room, None)
