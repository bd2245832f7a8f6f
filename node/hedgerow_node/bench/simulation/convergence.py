"""How fast a listing reaches everybody, what that costs, and how a parted network heals: the runs behind the bench."""

from dataclasses import dataclass, replace
from typing import Final

from hedgerow_node.bench.measure import percentile
from hedgerow_node.bench.simulation.node import USUAL, Character, MakeMachine, Node, real_machine
from hedgerow_node.bench.simulation.society import Society, gather
from hedgerow_node.bench.simulation.strangers import SILENT
from hedgerow_node.bench.simulation.weather import Weather
from hedgerow_node.bench.simulation.world import World
from hedgerow_protocol.ids import RecordId

FORM_SECONDS: Final = 120.0
"""Seconds. A network forms before anything is measured."""

BETWEEN_SECONDS: Final = 10.0
"""Seconds. Between two listings."""

SPREAD_SECONDS_MAX: Final = 900.0
"""Seconds. A listing that has not reached everybody by then has not converged."""

IDLE_SECONDS: Final = 300.0
"""Seconds. Over which the cost of doing nothing is taken before the cost of a listing."""


ANNOUNCED_NODES_MAX: Final = 2_000
"""Nodes. Of larger networks the announcements are not in every store: memory grows with the square of their number."""

UNANNOUNCED: Final = replace(USUAL, gossiped=False)
UNANNOUNCED_SILENT: Final = replace(SILENT, gossiped=False)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is wrong with a network."""

    key: str
    words: str
    loss: float = 0.0
    silent: float = 0.0


SCENARIOS: Final = (
    Scenario("calm", "no fault"),
    Scenario("loss_20", "20 % of messages lost", loss=0.2),
    Scenario("silent_30", "30 % of nodes silent", silent=0.3),
    Scenario("silent_50_loss_10", "50 % silent, 10 % lost", loss=0.1, silent=0.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One scenario at one size. Seconds are simulated, from publishing to being held on the disk."""

    nodes: int
    scenario: Scenario
    listings: int
    p50: float
    p99: float
    """Of all listings on all nodes together."""
    p99_worst: float
    """Of the listing that took longest to get to 99 % of the nodes."""
    last: float
    """The last honest node's, of the worst listing."""
    missing: int
    """Honest nodes times listings that never arrived."""
    copies: float
    """A node and listing."""
    kilobytes: float
    """A node and listing, of everything that was sent beyond the cost of doing nothing."""
    moments: tuple[float, ...]
    """When the listings reached the nodes, all together, ascending."""


def form(world: World, nodes: int, scenario: Scenario, make_machine: MakeMachine = real_machine) -> Society:
    """A network in which this is wrong, formed and idle."""
    quiet = set(world.random.sample(range(nodes), int(nodes * scenario.silent)))
    world.weather = Weather(loss=scenario.loss)

    usual, silent = (USUAL, SILENT) if nodes <= ANNOUNCED_NODES_MAX else (UNANNOUNCED, UNANNOUNCED_SILENT)

    def character(number: int) -> Character:
        return silent if number in quiet else usual

    society = gather(world, nodes, characters=character, make_machine=make_machine)
    world.run(FORM_SECONDS)
    return society


def spread(
    seed: int, nodes: int, scenario: Scenario, listings: int, make_machine: MakeMachine = real_machine, repeat: str = ""
) -> Spread:
    """Publish listings on honest nodes by chance, one after another, and see when they reach all honest nodes."""
    world = World(seed, repeat=repeat, check_every=max(1, nodes))
    society = form(world, nodes, scenario, make_machine)
    idle = _idle_bytes(society)
    world.cost.clear()
    begin = world.time
    published: list[tuple[float, Node, RecordId]] = []
    for _ in range(listings):
        node = world.random.choice(society.honest)
        (made,) = society.publish(node, watch=True)
        published.append((world.time, node, made.rid))
        world.run(BETWEEN_SECONDS)
    honest = {node.id for node in society.honest}  # silent ones hold what they keep to themselves
    world.run_until(lambda: all(honest <= world.arrivals[rid].keys() for *_, rid in published), SPREAD_SECONDS_MAX)
    return _measured(society, scenario, published, idle * (world.time - begin))


def _idle_bytes(society: Society) -> float:
    """Bytes a second that all of it sends while nothing happens."""
    society.world.cost.clear()
    society.world.run(IDLE_SECONDS)
    return society.world.cost.total_bytes / IDLE_SECONDS


def _measured(
    society: Society, scenario: Scenario, published: list[tuple[float, Node, RecordId]], idle: float
) -> Spread:
    world, honest = society.world, society.honest
    each_took: list[list[float]] = []
    missing = copies = 0
    for began, publisher, rid in published:
        reached = world.arrivals[rid]
        others = [node for node in honest if node is not publisher]
        took = sorted(reached[node.id] - began for node in others if node.id in reached)
        missing += len(others) - len(took)
        each_took.append(took)
        copies += world.cost.copies[rid].total()
    everyone = sorted(moment for took in each_took for moment in took)
    cost = world.cost.total_bytes - idle
    return Spread(
        nodes=len(society.nodes),
        scenario=scenario,
        listings=len(published),
        p50=percentile(everyone, 0.5),
        p99=percentile(everyone, 0.99),
        p99_worst=max(percentile(took, 0.99) for took in each_took),
        last=max(took[-1] for took in each_took),
        missing=missing,
        copies=copies / len(published) / len(society.nodes),
        kilobytes=cost / len(published) / len(society.nodes) / 1_000,
        moments=tuple(everyone),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """A network that was in two halves and became one again."""

    nodes: int
    records: int
    """New ones on each side."""
    first_link: float
    """Seconds from the healing of the wires to the first link across."""
    complete: float
    """Seconds from that link until all nodes agreed."""
    reconciling_kilobytes: float
    """A node, of everything but the records themselves."""
    records_kilobytes: float


PARTED_SECONDS: Final = 600.0
HEAL_SECONDS_MAX: Final = 3_600.0


def heal(seed: int, nodes: int, records: int, make_machine: MakeMachine = real_machine, repeat: str = "") -> Healing:
    """Part a network in halves, publish on both sides, let the wires carry again."""
    world = World(seed, repeat=repeat, check_every=max(1, nodes))
    society = form(world, nodes, SCENARIOS[0], make_machine)
    halves = society.nodes[: nodes // 2], society.nodes[nodes // 2 :]
    world.part(halves)
    world.run(60)
    publish_many(society, halves, records, PARTED_SECONDS / 2)
    world.run(PARTED_SECONDS)
    world.heal()
    began = world.time
    world.cost.clear()
    if not world.run_until(lambda: world.crossed_at is not None, HEAL_SECONDS_MAX):
        raise world.safety.never("no link joined the halves again")
    first = world.crossed_at or world.time
    society.must_agree(HEAL_SECONDS_MAX)
    cost = world.cost
    return Healing(
        nodes=nodes,
        records=records,
        first_link=first - began,
        complete=world.time - first,
        reconciling_kilobytes=(cost.total_bytes - cost.sealed["Records"]) / nodes / 1_000,
        records_kilobytes=cost.sealed["Records"] / nodes / 1_000,
    )


def publish_many(society: Society, sides: tuple[list[Node], ...], each: int, seconds: float) -> None:
    """So many new records on every side, one by one on nodes by chance, spread over this time."""
    world = society.world
    for side in sides:
        for _ in range(each):
            node = world.random.choice(side)
            world.clockwork.after(world.random.uniform(0, seconds), society.publish, node)


def idle_link(
    seed: int, nodes: int, seconds: float, make_machine: MakeMachine = real_machine, repeat: str = ""
) -> float:
    """Kilobytes of WebSocket payload that one link costs a day while nothing happens, both ways together."""
    world = World(seed, repeat=repeat, check_every=1_000)
    society = form(world, nodes, SCENARIOS[0], make_machine)
    society.must_agree(600)
    world.run(600)
    world.cost.clear()
    links = 0.0
    for _ in range(10):
        world.run(seconds / 10)
        links += sum(len(node.links) for node in society.nodes) / 2 / 10
    return world.cost.total_bytes / links * (86_400 / seconds) / 1_000
