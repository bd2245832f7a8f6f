"""What befalls nodes and links while the weather is rough."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rooms_across.wires import pair
from rooms_across.world import CALM, Weather

if TYPE_CHECKING:
    from rooms_across.node import Node
    from rooms_across.society import Society


class Trouble:
    """Plans it all from the seed, between two moments."""

    def __init__(self, society: "Society", begin: float, end: float) -> None:
        self.society, self.world = society, society.world
        self.begin, self.end = begin, end
        clock = self.world.clock
        clock.at(begin, self._rough)
        random = self.world.random
        for node in society.nodes:
            for _ in range(random.randint(0, 4)):
                clock.at(self._some_time(), self._crash, node, random.choice((2.0, 30.0, 300.0)))
        for _ in range(random.randint(0, 3)):
            at = self._some_time()
            clock.at(at, self._part)
            clock.at(at + random.uniform(20, 400), self._heal)
        if random.random() < 0.4:
            self._never_together(*random.sample(society.nodes, 2))
        if random.random() < 0.4:
            node = random.choice([each for each in society.nodes if each.honest])
            at = self._some_time()
            clock.at(at, self._copy_disk, node, at + random.uniform(30, 300))
        clock.at(end, self._calm)

    def _some_time(self) -> float:
        return self.world.random.uniform(self.begin, self.end)

    def _rough(self) -> None:
        random = self.world.random
        self.world.weather = Weather(
            rough=True,
            break_per_letter=random.choice((0.0, 0.002, 0.01)),
            link_seconds=random.choice((60.0, 300.0, 2_000.0)),
            dial_fails=random.choice((0.0, 0.3)),
            crash_per_write=random.choice((0.0, 0.001, 0.005)),
            busy=random.choice((0.0, 0.0, 0.05, 0.3)),
        )
        for link in list(self.world.wires.links.values()):
            self.world.clock.after(random.expovariate(1 / self.world.weather.link_seconds), self.world.wires.cut, link)

    def _calm(self) -> None:
        self.world.note("all is well from here on")
        self.world.weather = CALM
        self.world.wires.sides.clear()
        self.world.wires.apart.clear()
        for node in self.society.nodes:
            node.rise()

    def _crash(self, node: "Node", most: float) -> None:
        if node.up and self.world.weather.rough:
            node.crash()
            self.world.clock.after(self.world.random.uniform(0.5, most), node.rise)

    def _part(self) -> None:
        if self.world.weather.rough:
            self.world.note("the network parts")
            self.world.wires.sides = {each.id: self.world.random.randint(0, 1) for each in self.society.nodes}
            self.world.wires.cut_parted()

    def _heal(self) -> None:
        self.world.note("the network heals")
        self.world.wires.sides.clear()

    def _never_together(self, one: "Node", other: "Node") -> None:
        """Two nodes take turns in being there."""
        at, turn = self.begin, 0
        while at < self.end:
            self.world.clock.at(at, self._turn, (one, other) if turn % 2 else (other, one))
            at += self.world.random.uniform(60, 240)
            turn += 1
        self.world.wires.apart.add(pair(one.id, other.id))

    def _turn(self, both: Any) -> None:
        if self.world.weather.rough:
            both[0].rise()
            both[1].crash()

    def _copy_disk(self, node: "Node", restored: float) -> None:
        """Later, all copies of rooms at a node are as they are now."""
        copies = {room: self.society.world.nodes[node.id].disk.sure("copy", room) for room in node.disk.all("copy")}
        self.world.clock.at(restored, self._restore, node, copies)

    def _restore(self, node: "Node", copies: Any) -> None:
        if not self.world.weather.rough:
            return
        node.crash()
        disk = node.disk

        def restore() -> None:
            for room, old in copies.items():
                copy = disk.get("copy", room)
                if old is None or copy is None or copy.proof is not None:
                    continue
                for seq in range(old.head.position.seq + 1, copy.head.position.seq + 1):
                    disk.remove(("ids", room), disk.get(("log", room), seq).id)
                    disk.remove(("log", room), seq)
                disk.put("copy", room, replace(copy, head=old.head))
                node.follower.follow(room, copy, old.head.position.seq)

        self.world.note(f"{node} has older copies of rooms")
        disk.write(restore)
        disk.commit()
        node.rise()
