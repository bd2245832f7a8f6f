"""A number of nodes that begin together, hold the same listings, and know a few addresses each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from hedgerow_node.bench.listings import LEASE_SECONDS
from hedgerow_node.bench.simulation.addresses import home, source
from hedgerow_node.bench.simulation.archive import Archived
from hedgerow_node.bench.simulation.making import Community
from hedgerow_node.bench.simulation.node import USUAL, Character, MakeMachine, Node, real_machine
from hedgerow_node.bench.simulation.store import SimStore
from hedgerow_node.bench.simulation.world import World

START_SECONDS = 5.0
"""Seconds. Within which all nodes of a society start."""


@dataclass(slots=True)
class Society:
    """Its world, its nodes, and a community whose listings they pass around."""

    world: World
    community: Community
    nodes: list[Node] = field(default_factory=list)
    published: list[Archived] = field(default_factory=list)

    @property
    def honest(self) -> list[Node]:
        """The honest nodes that are up."""
        return [each for each in self.nodes if each.honest and each.up]

    def states(self, nodes: Iterable[Node] | None = None) -> set[str]:
        """The different state hashes of these nodes, or of all honest ones."""
        return {each.store.state_hash() for each in (self.honest if nodes is None else nodes)}

    def agrees(self) -> bool:
        """Whether all honest nodes hold the same."""
        sizes = {len(each.store.live) for each in self.honest}
        return len(sizes) == 1 and len(self.states()) == 1

    def settle(self, seconds: float) -> bool:
        """Let time pass until all honest nodes agree. Whether they did in time."""
        return self.world.run_until(self.agrees, seconds)

    def must_agree(self, seconds: float) -> float:
        """The same, but never to agree is an error. Seconds that it took."""
        begin = self.world.time
        if not self.settle(seconds):
            sizes = sorted(len(each.store.live) for each in self.honest)
            raise self.world.safety.never(
                f"after {seconds} s there are {len(self.states())} states, of {sizes[0]} to {sizes[-1]} records"
            )
        return self.world.time - begin

    def must_have(self, records: Sequence[Archived], seconds: float, nodes: Sequence[Node] | None = None) -> float:
        """Let time pass until these nodes, or all honest ones, hold these records. Seconds that it took."""
        begin = self.world.time
        rids = [each.rid for each in records]

        def have() -> bool:
            return all(rid in node.store.live for node in (nodes or self.honest) for rid in rids)

        if not self.world.run_until(have, seconds):
            lacking = [
                f"{each.number} lacks {sum(rid not in each.store.live for rid in rids)}"
                for each in (nodes or self.honest)
                if any(rid not in each.store.live for rid in rids)
            ]
            raise self.world.safety.never(f"after {seconds} s {len(lacking)} nodes lack records: {lacking[:9]}")
        return self.world.time - begin

    def publish(self, node: Node, count: int = 1, *, lease: int = LEASE_SECONDS, watch: bool = False) -> list[Archived]:
        """New listings appear on one node; ``watch``: note when and how often they reach the others."""
        now = node.now().timestamp
        made = [self.world.scribe.list_group(self.community, now, lease=lease) for _ in range(count)]
        for each in made if watch else ():
            self.world.watch(each)
        node.publish(made)
        self.published += made
        return made


def gather(
    world: World,
    count: int,
    *,
    characters: Callable[[int], Character] = lambda _number: USUAL,
    listings: int = 20,
    addresses: int = 1,
    heard_of: int = 24,
    make_machine: MakeMachine = real_machine,
    start: bool = True,
) -> Society:
    """So many nodes that were part of one network before.

    All hold the same listings and announcements. Each keeper chose the ``addresses`` of so many others, and each node
    has so many others in its address book by hearsay.
    """
    scribe = world.scribe
    community, founding = scribe.found(3)
    records = [founding, *(scribe.list_group(community, world.unix()) for _ in range(listings))]
    society = Society(world, community, published=records)
    for number in range(count):
        society.nodes.append(Node(world, number, character=characters(number), make_machine=make_machine))
    records += [each.announcement() for each in society.nodes if each.is_gossiped]
    first = SimStore(world.archive)
    first.judge([each.data for each in records], world.unix())
    for node in society.nodes:
        node.store = first.copy()
        for other in world.random.sample(society.nodes, min(heard_of, count)):
            if other is not node and other.address:
                node.heard_of.append((other.announcement(), source(world.random.randrange(count))))
    if start:
        for node in society.nodes:
            told = some_addresses(world, node, count, addresses)
            world.clockwork.at(world.random.uniform(0, START_SECONDS), node.start, told)
    return society


def some_addresses(world: World, node: Node, count: int, many: int) -> list[str]:
    """Addresses of so many other nodes, by chance."""
    others = [number for number in range(count) if number != node.number]
    return [home(number) for number in world.random.sample(others, min(many, len(others)))]
