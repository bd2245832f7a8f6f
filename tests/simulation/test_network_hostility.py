"""Strangers who flood, mint, lie, replay, never end, and surround: honest nodes stay right, bounded and quick."""

import pytest

from hedgerow_node.bench.simulation.addresses import home, source
from hedgerow_node.bench.simulation.archive import Archived
from hedgerow_node.bench.simulation.making import forged
from hedgerow_node.bench.simulation.node import Character, Node
from hedgerow_node.bench.simulation.safety import containers
from hedgerow_node.bench.simulation.society import Society
from hedgerow_node.bench.simulation.strangers import (
    FALSE_DIGESTS,
    FORGING,
    GARBLING,
    Endless,
    Flooder,
    Minter,
    Replayer,
    Shadow,
)
from hedgerow_protocol.budget import CHAINS_MAX
from hedgerow_protocol.gossip.events import Notice, Reason
from simulated import formed, look_at_all, mesh_of, some

SEEDS = (0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6)))
"""Worlds. One in the usual run, more among the slow ones."""
STRANGER = 5_000
"""The number of the first attacker."""


def latencies(society: Society, count: int = 10) -> list[float]:
    """Seconds until each of some listings has reached all honest nodes."""
    found = []
    for number in range(count):
        (made,) = society.publish(society.honest[number % 3])
        found.append(society.must_have([made], 120))
        society.world.run(3)
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("character", [FORGING, FALSE_DIGESTS, GARBLING], ids=["forging", "false digests", "garbling"])
def test_liars_among_the_peers(character: Character, seed: int) -> None:
    society = formed(seed, 20, characters=some(0.3, character, seed=seed, count=20))
    latencies(society, 20)
    society.must_agree(300)
    look_at_all(society)
    if character is FORGING:
        assert society.world.archive.refused
    if character is GARBLING:
        closed = [each for node in society.honest for _time, each in node.closed if each.reason is Reason.MISBEHAVED]
        assert closed, "somebody should have been sent away"


def junk(society: Society, kind: str, count: int) -> list[bytes]:
    """Records to flood with."""
    scribe, now = society.world.scribe, society.world.unix()
    community, founding = scribe.found()
    good = [founding, *(scribe.list_group(community, now) for _ in range(count))]
    match kind:
        case "new":
            return [each.data for each in good]
        case "forged":
            return [forged(each) for each in good]
        case "replayed":
            return [each.data for each in society.published]
        case _:
            return [society.world.random.randbytes(900) for _ in range(count)]


@pytest.mark.timeout(400)  # some ten seconds alone; a busy machine has taken more than a hundred
@pytest.mark.parametrize("kind", ["new", "forged", "replayed", "rubbish"])
def test_a_flood_of_a_thousand_records_a_second(kind: str) -> None:
    """Honest latency at most doubles, and the victim's store and queues stay bounded."""
    calm = latencies(formed(3, 8), 6)
    society = formed(3, 8)
    victim = society.nodes[0]
    before = len(victim.store)
    society.world.safety.every = 1_000  # a look inside takes longer than all the rest
    flooder = Flooder(society.world, STRANGER, junk(society, kind, 3_000), 1_000.0)
    flooder.attack(victim)
    society.world.run(3)
    flooded = latencies(society, 6)
    assert sum(flooded) <= 2 * sum(calm)
    assert flooder.sent > 3_000 or flooder.refused
    society.world.run(20)
    # A burst of 500 and 20 a second, however many are sent.
    assert len(victim.store) - before <= 500 + 20 * 60
    society.must_agree(300)
    look_at_all(society)


def minted(society: Society, count: int, host: Node) -> list[bytes]:
    """So many charters, each with a listing that names an innocent host."""
    scribe, now = society.world.scribe, society.world.unix()
    records: list[Archived] = []
    for _ in range(count):
        community, founding = scribe.found()
        records += [founding, scribe.list_group(community, now, hosts=(host.id,))]
    return [each.data for each in records]


@pytest.mark.parametrize("count", [2_500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_minted_charters(count: int) -> None:
    """One link brings no more chains than one neighbourhood may, and the host it names is unharmed."""
    society = formed(4, 8, every=500)
    world = society.world
    victim, innocent = society.nodes[0], society.nodes[5]
    minter = Minter(world, STRANGER, minted(society, count, innocent))
    minter.attack(victim)
    world.run(count / 10 + 60)
    for node in society.nodes:
        chains = sum(1 for rid in node.store.held if rid in node.store._root and not node.store._charter(rid).position)
        # Honest peers that hand them on in a circle share the charge, so it is more than one link's own: 2,300 of
        # 2,500 or of 10,000.
        assert chains <= 3 * CHAINS_MAX, f"node {node.number}"
    own, founding = world.scribe.found()
    listing = world.scribe.list_group(own, world.unix(), hosts=(innocent.id,))
    innocent.publish([founding, listing])
    assert society.must_have([listing], 60) < 10
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
def test_reconciliation_that_never_ends(seed: int) -> None:
    society = formed(seed, 10, listings=300)
    calm = latencies(society, 3)
    attackers = [Endless(society.world, STRANGER + number) for number in range(4)]
    for each in attackers:
        each.attack(society.nodes[0])
    society.world.cost.clear()
    society.world.run(600)
    # What the victim says to four such peers in ten minutes is less than one reconciliation's bound each a minute.
    assert society.world.cost.sealed["Reconcile"] < 4 * 10 * 1_000_000
    assert sum(latencies(society, 3)) <= 2 * sum(calm)
    society.must_agree(60)
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
def test_replays_change_nothing(seed: int) -> None:
    society = formed(seed, 10)
    world, scribe = society.world, society.world.scribe
    now = world.unix()
    old = [scribe.list_group(society.community, now, entry=b"x", seq=number) for number in range(1, 6)]
    for each in old:
        society.nodes[1].publish([each])
        world.run(2)
    society.must_agree(30)
    state = society.states()
    replayer = Replayer(world, STRANGER, [each.data for each in (*old, *society.published)])
    for node in society.nodes[:5]:
        replayer.attack(node)
    world.run(300)
    assert society.states() == state
    look_at_all(society)


def poisoned(society: Society, victim: Node, share: float) -> list[Shadow]:
    """Attackers who make up this share of a victim's address book, in as many neighbourhoods as they like."""
    accomplices: list[Shadow] = []
    honest = len(victim.heard_of)
    for number in range(int(honest * share / (1 - share))):
        shadow = Shadow(society.world, STRANGER + number, accomplices, address=home(STRANGER + number))
        victim.heard_of.append((shadow.announcement(), source(number % 7)))
    return accomplices


@pytest.mark.parametrize("seed", SEEDS)
def test_a_third_of_the_address_book_is_poisoned(seed: int) -> None:
    """Half an hour later the victim still has four honest links that it dialled itself."""
    society = formed(seed, 30, start=False, seconds=0)
    victim = society.nodes[0]
    poisoned(society, victim, 1 / 3)
    for node in society.nodes:
        node.start([home((node.number + 1) % 30)] if node is not victim else ())
    society.world.run(1_800)
    outbound = [end for end in victim.links if end.outbound]
    assert sum(end.other.owner.honest for end in outbound) >= 4
    latencies(society, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_eclipse_is_noticed(seed: int) -> None:
    """Every mesh link leads to an accomplice: the keeper hears of it within ten minutes, and the node is freed."""
    hidden = Character(dialable=False)  # honest nodes that dial it would be a way out
    society = formed(seed, 20, start=False, seconds=0, characters=lambda number: Character() if number else hidden)
    world, victim = society.world, society.nodes[0]
    honest = list(victim.heard_of)
    victim.heard_of.clear()
    shadows: list[Shadow] = []
    for number in range(16):
        shadow = Shadow(world, STRANGER + number, shadows, address=home(STRANGER + number))
        victim.heard_of.append((shadow.announcement(), source(number)))
    for node in society.nodes[1:]:
        node.start([home(1 + node.number % 19)])
    world.part([[victim, *shadows], society.nodes[1:]])  # how the attackers came to be alone with it does not matter
    victim.start()
    world.run(60)
    world.heal()
    surrounded = {bytes(each.id) for each in shadows}
    assert mesh_of(victim)
    assert mesh_of(victim) <= surrounded
    learn(victim, honest)
    begin = world.time
    told: list[float] = []
    while world.time < begin + 1_200 and not told:
        society.publish(society.nodes[1 + int(world.time) % 19])
        world.run(20)
        told = [time for time, notice, _value in victim.told if notice is Notice.ECLIPSE_SUSPECTED]
    assert told, "nobody noticed"
    assert told[0] - begin <= 600
    world.run(120)
    # Linked to honest peers again; whether they have room in their meshes is theirs to say.
    assert {bytes(each.peer) for each in victim.machine.state.links.values()} - surrounded  # type: ignore[attr-defined]
    (made,) = society.publish(society.nodes[3])
    assert society.must_have([made], 60) < 30


def learn(node: Node, heard: list[tuple[Archived, str]]) -> None:
    """Some announcements come into a node's address book while it runs."""
    from hedgerow_protocol.neighbourhood import neighbourhood_of
    from hedgerow_protocol.records import Announcement

    for archived, told_by in heard:
        assert isinstance(archived.record, Announcement)
        node.machine.book.learn(  # type: ignore[attr-defined]
            archived.record, archived.envelope, neighbourhood_of(told_by), node.now()
        )


def test_what_is_counted_is_inside() -> None:
    """The look inside a machine really sees its tables."""
    society = formed(1, 4)
    paths = {path for path, _members in containers(society.nodes[0].machine)}
    assert {"Gossip.state.links", "Gossip.state.recents._copies"} <= paths
