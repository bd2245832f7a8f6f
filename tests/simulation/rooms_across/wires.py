"""Links between nodes: ordered and whole while they live, and gone in the middle of anything."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hedgerow_protocol.ids import NodeId

if TYPE_CHECKING:
    from rooms_across.node import Node
    from rooms_across.world import World

WANTED_SECONDS = 600.0
Pair = tuple[NodeId, NodeId]


def pair(one: NodeId, other: NodeId) -> Pair:
    """The name of what is between two nodes."""
    return (one, other) if one < other else (other, one)


@dataclass(eq=False)
class Link:
    """One link. Each end learns of its end in its own time."""

    ends: Pair
    delay: float
    speed: float
    """Bytes a second."""
    room: int
    """Bytes that may wait."""
    alive: bool = True
    open: dict[NodeId, bool] = field(default_factory=dict)
    arrival: dict[NodeId, float] = field(default_factory=dict)
    waiting: dict[NodeId, int] = field(default_factory=dict)


class Wires:
    """All links, and who wishes for which."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.links: dict[Pair, Link] = {}
        self._wanted: dict[tuple[NodeId, NodeId], float] = {}
        self._dialling: set[tuple[NodeId, NodeId]] = set()
        self.sides: dict[NodeId, int] = {}
        """In which part of a parted network each node is; all in one when empty."""
        self.apart: set[Pair] = set()
        self.neighbours: set[Pair] = set()
        """Whose links stay when nobody wishes for them: nodes that gossip."""
        self.frames = self.lost = 0

    # --- for nodes

    def send(self, sender: NodeId, to: NodeId, frames: list[bytes], *, wait: bool = True) -> bool:
        """Put frames on a link, all or none: where it is too full, only those that can ``wait`` are not taken."""
        link, world = self.links.get(pair(sender, to)), self._world
        if link is None or not link.open.get(sender):
            return False
        size = sum(map(len, frames))
        if wait and link.waiting[to] and link.waiting[to] + size > link.room:
            return False
        for frame in frames:
            self.frames += 1
            begin = max(link.arrival[to], world.clock.time + link.delay * world.random.uniform(0.8, 1.6))
            link.arrival[to] = begin + len(frame) / link.speed
            link.waiting[to] += len(frame)
            world.clock.at(link.arrival[to], self._arrive, link, sender, to, frame)
        if world.chance(world.weather.break_per_letter):
            world.clock.after(world.random.uniform(0, 3 * link.delay), self.cut, link)
        return True

    def _arrive(self, link: Link, sender: NodeId, to: NodeId, frame: bytes) -> None:
        link.waiting[to] -= len(frame)
        self._world.trace(sender + to + frame)
        if link.alive and link.open[to]:
            self._world.nodes[to].came(sender, frame)
        else:
            self.lost += 1

    def want(self, one: NodeId, other: NodeId) -> None:
        """A node wishes for a link."""
        self._wanted[one, other] = self._world.clock.time + WANTED_SECONDS
        at = self.links.get(pair(one, other))
        if (one, other) not in self._dialling and (at is None or not at.open[one]):
            self._dialling.add((one, other))
            node = self._world.nodes[one]
            self._world.clock.after(self._world.random.uniform(0.05, 0.5), self._dial, node, node.life, other, 5.0)

    def _dial(self, node: "Node", life: int, other: NodeId, pause: float) -> None:
        world, key = self._world, (node.id, other)
        at = self.links.get(pair(*key))
        stale = at is not None and not (at.alive and at.open[node.id])
        given_up = node.life != life or self._wanted.get(key, 0) < world.clock.time or (at is not None and not stale)
        if given_up:
            self._dialling.discard(key)
            if node.up and node.life != life and self._wanted.get(key, 0) >= world.clock.time:
                self.want(*key)
            return
        if not self.reachable(*key) or world.chance(world.weather.dial_fails):
            world.clock.after(pause, self._dial, node, life, other, min(120.0, pause * 2))
            return
        if at is not None:
            self._notice(at, at.ends[0])
            self._notice(at, at.ends[1])
        self._dialling.discard(key)
        self._dialling.discard((other, node.id))
        self._open(node, world.nodes[other])

    def reachable(self, one: NodeId, other: NodeId) -> bool:
        """Whether a link between two nodes could be."""
        up = self._world.nodes[one].up and self._world.nodes[other].up
        return up and self.sides.get(one) == self.sides.get(other) and pair(one, other) not in self.apart

    # --- what befalls links

    def _open(self, one: "Node", other: "Node") -> None:
        world = self._world
        slow = world.weather.rough and (one.slow or other.slow)
        link = Link(
            pair(one.id, other.id),
            world.random.uniform(0.005, 0.2) * (10 if slow else 1),
            8e3 if slow else 1e6,
            60_000 if slow else 1 << 20,
        )
        self.links[link.ends] = link
        for end in link.ends:
            link.open[end], link.arrival[end], link.waiting[end] = True, 0.0, 0
        one.link_up(other.id)
        if link.alive and link.open[other.id]:
            other.link_up(one.id)
        if world.weather.rough:
            world.clock.after(world.random.expovariate(1 / world.weather.link_seconds), self.cut, link)
        world.clock.after(60.0, self._keep, link)

    def _keep(self, link: Link) -> None:
        if not link.alive:
            return
        one, other = link.ends
        now = self._world.clock.time
        wanted = max(self._wanted.get((one, other), 0), self._wanted.get((other, one), 0)) >= now
        if not wanted and link.ends not in self.neighbours:
            self.cut(link)
        else:
            self._world.clock.after(60.0, self._keep, link)

    def cut(self, link: Link, noticed: float = 20.0) -> None:
        """A link ends; its ends notice that one after the other, and what is on its way is lost."""
        if not link.alive:
            return
        link.alive = False
        for end in link.ends:
            self._world.clock.after(self._world.random.uniform(0, noticed), self._notice, link, end)

    def _notice(self, link: Link, end: NodeId) -> None:
        link.alive = False
        if not link.open[end]:
            return
        link.open[end] = False
        if not any(link.open.values()) and self.links.get(link.ends) is link:
            del self.links[link.ends]
        node = self._world.nodes[end]
        if node.up:
            node.link_down(link.ends[0] if link.ends[1] == end else link.ends[1])

    def crashed(self, node: NodeId) -> None:
        """A node's ends of its links are gone with it."""
        for link in [each for each in self.links.values() if node in each.ends]:
            self.cut(link)
            self._notice(link, node)

    def cut_parted(self) -> None:
        """End links that could not be any more."""
        for link in list(self.links.values()):
            if not self.reachable(*link.ends):
                self.cut(link)
