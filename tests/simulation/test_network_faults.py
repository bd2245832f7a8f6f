"""A network of honest nodes under every fault: safety at every step, and agreement once the fault has ended."""

import pytest

from hedgerow_node.bench.simulation.addresses import home, source
from hedgerow_node.bench.simulation.node import USUAL, Character, Node
from hedgerow_node.bench.simulation.society import Society, gather
from hedgerow_node.bench.simulation.strangers import SILENT
from hedgerow_node.bench.simulation.weather import CALM, Weather
from hedgerow_protocol.gossip.settings import CLOCK_PEERS_MIN
from hedgerow_protocol.neighbourhood import neighbourhood_of
from simulated import formed, look_at_all, make_world, mesh_of, some

SEEDS = (0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6)))
"""Worlds. One in the usual run, more among the slow ones."""


def chatter(society: Society, count: int, seconds: float) -> None:
    """So many listings appear on nodes by chance, spread over this time."""
    for _ in range(count):
        society.publish(society.world.random.choice(society.honest))
        society.world.run(seconds / count)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [2, 10, 40])
def test_calm(count: int, seed: int) -> None:
    society = formed(seed, count)
    # Who found everybody's mesh full asks again after a minute.
    assert society.world.run_until(lambda: all(len(mesh_of(each)) >= min(count - 1, 4) for each in society.nodes), 180)
    assert not any(each.told for each in society.nodes)
    for number in range(5):
        (made,) = society.publish(society.nodes[number % count], watch=True)
        assert society.must_have([made], 5) <= 2.5
    society.world.run(30)
    copies = sum(each.total() for each in society.world.cost.copies.values())
    assert copies <= 7.5 * count * 5  # the promise, 6.5, is for a thousand nodes: the bench shows it
    assert society.agrees()
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "weather",
    [
        Weather(loss=0.2),
        Weather(copies=0.2),
        Weather(overtaken=0.2),
        Weather(breaks_per_hour=30),
        Weather(loss=0.1, copies=0.1, overtaken=0.1, breaks_per_hour=10),
    ],
    ids=["loss", "copies", "overtaken", "breaks", "all"],
)
def test_bad_weather(weather: Weather, seed: int) -> None:
    society = formed(seed, 20, weather=weather)
    chatter(society, 30, 120)
    society.world.weather = CALM
    society.must_agree(300)
    assert len(society.honest[0].store.live) == 20 + 1 + 20 + 30
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
def test_loss_that_never_ends(seed: int) -> None:
    society = formed(seed, 20, weather=Weather(loss=0.2))
    chatter(society, 20, 60)
    society.must_agree(600)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("share", "loss"), [(0.3, 0.0), (0.5, 0.1)])
def test_silent_peers(share: float, loss: float, seed: int) -> None:
    society = formed(seed, 30, weather=Weather(loss=loss), characters=some(share, SILENT, seed=seed, count=30))
    assert sum(not each.honest for each in society.nodes) == int(share * 30)
    chatter(society, 10, 60)
    society.must_agree(600)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_with_silent_links_alone_finds_others(seed: int) -> None:
    """Nobody dials it, all that it dialled swallow everything, and a tenth of all words is lost: two minutes."""
    hidden = Character(dialable=False)
    society = formed(
        seed,
        40,
        start=False,
        seconds=0,
        characters=lambda number: SILENT if number >= 25 else USUAL if number else hidden,
    )
    world, lonely = society.world, society.nodes[0]
    lonely.heard_of = [(each.announcement(), source(each.number)) for each in society.nodes if not each.honest]
    for node in society.nodes[1:]:
        node.start([home(1 + node.number % 39)])
    lonely.start()
    world.run(60)
    assert lonely.links
    assert not any(end.other.owner.honest for end in lonely.links)
    for each in society.nodes[1:]:
        lonely.machine.book.learn(  # type: ignore[attr-defined]
            each.announcement().record,
            each.announcement().envelope,
            neighbourhood_of(source(each.number)),
            lonely.now(),
        )
    world.weather = Weather(loss=0.1)
    made = society.publish(society.nodes[1], watch=True)
    society.must_have(made, 120, [lonely])


@pytest.mark.parametrize("seed", SEEDS)
def test_slow_peers(seed: int) -> None:
    society = formed(seed, 20, characters=some(0.3, Character(pace=20.0), seed=seed, count=20))
    chatter(society, 20, 60)
    society.must_agree(300)


@pytest.mark.parametrize("seed", SEEDS)
def test_coming_and_going(seed: int) -> None:
    """Some leave politely, some die, all come back; what each had acknowledged is still there."""
    society = formed(seed, 16)
    world = society.world
    away: list[Node] = []
    for round_ in range(40):
        node = world.random.choice(society.honest)
        if len(society.honest) > 6:
            node.crash() if round_ % 2 else node.leave()
            away.append(node)
        if len(away) > 5:
            away.pop(0).start()
        chatter(society, 2, world.random.uniform(1, 15))
    for node in away:
        node.start()
    society.must_agree(600)
    assert len(society.nodes[0].store.live) == 20 + 1 + 16 + 80
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_at_any_moment(seed: int) -> None:
    """A node dies while a heap of records arrives, again and again; nothing that it had stored is lost."""
    society = formed(seed, 6)
    world, victim = society.world, society.nodes[1]
    society.publish(society.nodes[0], 300)
    for _ in range(6):
        world.run(world.random.uniform(0.01, 3.0))
        before = set(victim.store.held)
        victim.crash()
        world.run(world.random.uniform(0.1, 5.0))
        victim.start()
        assert before <= set(victim.store.held)
    society.must_agree(300)
    assert len(victim.store.live) == 20 + 1 + 6 + 300


@pytest.mark.parametrize("noticed", [0.0, 1.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_parted_and_healed(seed: int, noticed: float) -> None:
    """Both halves change; whether the ends notice that the wires are cut or not, they agree in the end."""
    society = formed(seed, 20)
    world = society.world
    halves = society.nodes[:10], society.nodes[10:]
    world.part(halves, noticed=noticed)
    for _ in range(30):
        for half in halves:
            society.publish(world.random.choice(half))
        world.run(10)
    assert len(society.states()) > 1
    assert len(society.states(halves[0])) == 1
    assert len(society.states(halves[1])) == 1
    world.heal()
    assert world.run_until(lambda: world.crossed_at is not None, 900)
    society.must_agree(120)
    assert len(society.nodes[0].store.live) == 20 + 1 + 20 + 60
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
def test_stewards_at_odds(seed: int) -> None:
    """Versions, withdrawals and a forked charter on both sides of a partition: one state in the end."""
    society = formed(seed, 12)
    world, scribe = society.world, society.world.scribe
    halves = society.nodes[:6], society.nodes[6:]
    world.part(halves, noticed=1.0)
    now = world.unix()
    for number, half in enumerate(halves):
        changed, charter = scribe.succeed(society.community)
        records = [
            scribe.list_group(society.community, now, entry=b"same", seq=1 + number),
            scribe.list_group(society.community, now, entry=b"twice", seq=5),
            charter,
            scribe.list_group(changed, now, entry=b"under"),
            scribe.withdraw(society.community, now, b"same", 4) if number else scribe.list_group(changed, now),
        ]
        half[0].publish(records)
    world.run(300)
    world.heal()
    society.must_agree(1_200)
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_great_import(seed: int) -> None:
    """What comes in heaps travels by reconciliation."""
    society = formed(seed, 10)
    society.publish(society.nodes[0], 600)
    took = society.must_agree(120)
    assert took < 60
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_empty_node_joins(seed: int) -> None:
    society = formed(seed, 10, listings=500)
    world = society.world
    late = Node(world, 100)
    society.nodes.append(late)
    late.start([society.nodes[0].address])
    took = society.must_agree(120)
    assert took < 60
    (made,) = society.publish(late)
    assert society.must_have([made], 10) < 5


@pytest.mark.parametrize("seed", SEEDS)
def test_hours_turn(seed: int) -> None:
    """Records expire while others come; at no time is something expired passed on, and all agree after each hour."""
    society = formed(seed, 8)
    world = society.world
    for _ in range(5):
        for lease in (3_000, 5_400, 9_000):
            society.publish(world.random.choice(society.nodes), lease=lease)
        world.run(1_800)
        society.must_agree(60)
    look_at_all(society)


@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_clocks_change_nothing(seed: int) -> None:
    """A fifth of the clocks is half a day off, either way."""

    def character(number: int) -> Character:
        return Character(clock_off=(43_200 if number % 2 else -43_200) if number % 5 == 0 else 0)

    society = formed(seed, 20, characters=character)
    chatter(society, 20, 60)
    society.must_agree(60)
    world = society.world
    wrong = [each for each in society.nodes if each.character.clock_off]
    for node in wrong:
        society.publish(node)
    society.must_agree(60)
    world.run(900)
    several = [each for each in wrong if sum(end.outbound for end in each.links) >= CLOCK_PEERS_MIN]
    assert several
    assert all(each.told for each in several), "a keeper should hear that his clock is wrong"
    assert not any(each.told for each in society.nodes if each not in wrong)
    assert society.agrees()


def test_two_worlds_of_one_seed_are_the_same() -> None:
    def trace() -> tuple[int, dict[str, int]]:
        society = gather(make_world(77, Weather(loss=0.1, copies=0.1)), 12)
        society.world.run(30)
        chatter(society, 10, 60)
        return society.world.clockwork.steps, dict(society.world.cost.sealed)

    assert trace() == trace()
