"""When a node sends which of its requests: a machine that is told what happens and says what to send.

The requests themselves lie on the disk; here are only their numbers and sizes. What is under way to a node is bounded.
Requests for one room go in their order; after a link has ended, or an answer has not come, they go again from the
first that is not answered. Rooms take turns. Spec: docs/protocol/federation.md.
"""

from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.federation.outbox_values import (
    ANSWER_SECONDS,
    BACK_OFF_SECONDS_MAX,
    BACK_OFF_SECONDS_MIN,
    GIVE_UP_SECONDS,
    KEEP_SECONDS,
    WINDOW_BYTES_MAX,
    WINDOW_REQUESTS_MAX,
    Answered,
    BusyAnswered,
    Destination,
    Event,
    GiveUp,
    Item,
    Lane,
    Output,
    Queued,
    Send,
)
from hedgerow_protocol.federation.timers import Timers
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now


class Outbox:
    """The machine."""

    def __init__(self) -> None:
        self._nodes: dict[NodeId, Destination] = {}
        self._items: dict[int, Item] = {}
        self._late: Timers[Lane] = Timers()
        self._holds: Timers[Lane] = Timers()
        self._wishes: Timers[Destination] = Timers()
        self._ends: Timers[int] = Timers()
        self._out: list[Output] = []

    def __len__(self) -> int:
        return len(self._items)

    def due(self) -> Instant | None:
        """When :class:`Tick` is to be told; ``None`` while nothing waits."""
        moments = (self._late.due(), self._holds.due(), self._wishes.due(), self._ends.due())
        return min((each for each in moments if each is not None), default=None)

    def under_way(self, node: NodeId) -> tuple[int, int]:
        """Requests and bytes that were sent to a node and are not answered."""
        found = self._nodes.get(node)
        return (found.flying, found.bytes) if found is not None else (0, 0)

    def waiting(self, node: NodeId) -> int:
        """Requests for a node that are not answered."""
        found = self._nodes.get(node)
        return sum(len(each.flying) + len(each.waiting) for each in found.lanes.values()) if found else 0

    def handle(self, event: Event, now: Now) -> list[Output]:
        """The one door: what to do because of what happened."""
        match event:
            case Queued():
                self._queued(event, now)
            case Answered(number):
                self._answered(number, now)
            case BusyAnswered(number, seconds):
                self._busy(number, seconds, now)
            case Connected(name):
                node = self._node(name)
                node.connected, node.wishes = True, 0
                self._wishes.cancel(node)
                self._run(node, now)
            case Disconnected(name):
                self._disconnected(name, now)
            case Tick():
                pass
        self._take_due(now)
        out, self._out = self._out, []
        return out

    # --- what happened

    def _queued(self, event: Queued, now: Now) -> None:
        if event.number in self._items:
            return
        node = self._node(event.node)
        key = event.number if event.room is None else event.room
        lane = node.lanes.get(key)
        if lane is None:
            lane = node.lanes[key] = Lane(node, key)
        item = self._items[event.number] = Item(event.number, event.size, event.created, lane)
        lane.waiting[event.number] = item
        self._set_end(item, now)
        self._list(lane)
        if node.connected:
            self._run(node, now)
        else:
            self._wish(node, now)

    def _answered(self, number: int, now: Now) -> None:
        item = self._items.get(number)
        if item is None:
            return
        item.lane.busy = 0
        self._drop(item, now)
        self._run(item.lane.node, now)

    def _busy(self, number: int, seconds: int, now: Now) -> None:
        item = self._items.get(number)
        if item is None or number not in item.lane.flying:
            return  # it waits already: the ones after it were answered the same
        lane = item.lane
        self._rewind(lane, number)
        wait = max(float(seconds), _back_off(lane.busy))
        lane.busy += 1
        lane.held = True
        lane.node.ready.pop(lane.key, None)
        self._holds.set(lane, Instant(now.instant + wait))
        self._run(lane.node, now)

    def _disconnected(self, name: NodeId, now: Now) -> None:
        node = self._nodes.get(name)
        if node is None:
            return
        node.connected = False
        for lane in node.lanes.values():
            if lane.flying:
                self._rewind(lane)
        self._forget(node)
        if node.lanes:
            self._wish(node, now)

    def _take_due(self, now: Now) -> None:
        for lane in self._holds.take(now.instant):
            lane.held = False
            self._list(lane)
            self._run(lane.node, now)
        for lane in self._late.take(now.instant):
            oldest = next(iter(lane.flying.values()), None)
            if oldest is None or oldest.sent is None:
                continue
            if oldest.sent + ANSWER_SECONDS <= now.instant:
                self._rewind(lane)
                self._run(lane.node, now)
            else:
                self._late.set(lane, Instant(oldest.sent + ANSWER_SECONDS))
        for node in self._wishes.take(now.instant):
            if node.lanes and not node.connected:
                self._wish(node, now)
        for number in self._ends.take(now.instant):
            item = self._items[number]
            if now.timestamp < item.created + GIVE_UP_SECONDS:
                self._set_end(item, now)
                continue
            self._out.append(GiveUp(number))
            self._drop(item, now)
            self._run(item.lane.node, now)

    # --- what follows from it

    def _run(self, node: Destination, now: Now) -> None:
        """Send what may go, one of each room in turn."""
        numbers: list[int] = []
        while node.connected and node.ready and node.flying < WINDOW_REQUESTS_MAX:
            lane = node.ready[next(iter(node.ready))]
            item = next(iter(lane.waiting.values()))
            if node.flying and node.bytes + item.size > WINDOW_BYTES_MAX:
                break
            del node.ready[lane.key]
            del lane.waiting[item.number]
            lane.flying[item.number] = item
            item.sent = now.instant
            node.flying += 1
            node.bytes += item.size
            if lane not in self._late:
                self._late.set(lane, Instant(now.instant + ANSWER_SECONDS))
            self._list(lane)
            numbers.append(item.number)
        if numbers:
            self._out.append(Send(node.name, tuple(numbers)))
            if node.wanted is None or now.instant >= node.wanted + KEEP_SECONDS:
                node.wanted = now.instant
                self._out.append(Want(node.name))

    def _wish(self, node: Destination, now: Now) -> None:
        """Wish for a link, unless that was just done; and again later."""
        if node.wanted is None or now.instant >= node.wanted + BACK_OFF_SECONDS_MIN:
            node.wanted = now.instant
            self._out.append(Want(node.name))
            self._wishes.set(node, Instant(now.instant + _back_off(node.wishes)))
            node.wishes += 1
        elif node not in self._wishes:
            self._wishes.set(node, Instant(node.wanted + BACK_OFF_SECONDS_MIN))

    def _rewind(self, lane: Lane, number: int | None = None) -> None:
        """What is under way, from this number on or all of it, waits again, before what waits already."""
        back = list(lane.flying)
        if number is not None:
            back = back[back.index(number) :]
        for each in reversed(back):
            item = lane.flying.pop(each)
            item.sent = None
            lane.node.flying -= 1
            lane.node.bytes -= item.size
            lane.waiting[each] = item
            lane.waiting.move_to_end(each, last=False)
        if not lane.flying:
            self._late.cancel(lane)
        self._list(lane)

    def _drop(self, item: Item, now: Now) -> None:
        lane, node = item.lane, item.lane.node
        del self._items[item.number]
        self._ends.cancel(item.number)
        if lane.flying.pop(item.number, None) is not None:
            node.flying -= 1
            node.bytes -= item.size
        lane.waiting.pop(item.number, None)
        oldest = next(iter(lane.flying.values()), None)
        if oldest is None or oldest.sent is None:
            self._late.cancel(lane)
        if not lane.waiting:
            node.ready.pop(lane.key, None)
            if not lane.flying:
                del node.lanes[lane.key]
                self._holds.cancel(lane)
        self._forget(node)

    def _list(self, lane: Lane) -> None:
        if lane.waiting and not lane.held:
            lane.node.ready.setdefault(lane.key, lane)

    def _set_end(self, item: Item, now: Now) -> None:
        left = max(0, item.created + GIVE_UP_SECONDS - now.timestamp)
        self._ends.set(item.number, Instant(now.instant + left))

    def _node(self, name: NodeId) -> Destination:
        found = self._nodes.get(name)
        if found is None:
            found = self._nodes[name] = Destination(name)
        return found

    def _forget(self, node: Destination) -> None:
        if not node.lanes and not node.connected:
            self._nodes.pop(node.name, None)
            self._wishes.cancel(node)


def _back_off(times: int) -> float:
    return min(BACK_OFF_SECONDS_MAX, BACK_OFF_SECONDS_MIN * float(1 << min(times, 16)))
