"""The simulator keeps its own promises: seeds repeat, faults are as frequent as asked, broken rules are seen."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from flooding_machine import Flooding
from hedgerow_node.bench.simulation import strangers
from hedgerow_node.bench.simulation.cost import sealed_bytes
from hedgerow_node.bench.simulation.making import forged
from hedgerow_node.bench.simulation.node import Character, Node
from hedgerow_node.bench.simulation.safety import SimulationError, live_set_of
from hedgerow_node.bench.simulation.society import Society, gather
from hedgerow_node.bench.simulation.weather import CALM, Weather
from hedgerow_node.bench.simulation.world import World
from hedgerow_protocol import messages
from hedgerow_protocol.channel_plaintext import Plain, pad
from hedgerow_protocol.gossip.events import Event, FrameIn, Output, Published, Send, Tell
from hedgerow_protocol.messages import Records
from hedgerow_protocol.ports import Now

QUIET = Character(gossiped=False)


def flooded(
    seed: int, count: int = 12, weather: Weather = CALM, machine: type[Flooding] = Flooding, **more: object
) -> Society:
    more.setdefault("addresses", 4)
    more.setdefault("characters", lambda _number: QUIET)  # the plain machine cannot tell late comers who is there
    world = World(seed, weather, repeat=f"flooded({seed})")
    society = gather(world, count, make_machine=machine, **more)  # type: ignore[arg-type]
    society.world.run(20)
    return society


def test_a_listing_floods_a_calm_network() -> None:
    society = flooded(1, 30)
    (made,) = society.publish(society.nodes[3], watch=True)
    assert 0.1 < society.must_have([made], 5) < 3
    assert society.agrees()
    cost = society.world.cost
    assert set(cost.copies[made.rid]) == {each.id for each in society.nodes}
    assert cost.sealed["Records"] >= cost.frames["Records"] * len(made.data)
    assert society.world.safety.checks > 100


def trace(seed: int) -> str:
    """Everything that can be seen of a run with every kind of weather in it."""
    weather = Weather(loss=0.1, copies=0.1, overtaken=0.2, breaks_per_hour=5.0)
    society = flooded(seed, 20, weather)
    for node in society.nodes[:5]:
        society.publish(node)
        society.world.run(3)
    society.nodes[2].crash()
    society.world.run(5)
    society.nodes[2].start()
    society.world.run(30)
    states = "".join(each.store.state_hash() for each in society.nodes)
    return f"{society.world.clockwork.steps} {sorted(society.world.cost.frames.items())} {states}"


def test_a_seed_repeats_and_another_differs() -> None:
    """Also in another process, where tables of bytes are in another order."""
    first = trace(5)
    assert trace(5) == first
    assert trace(6) != first
    script = "import test_simulator; print(test_simulator.trace(5))"
    folder = Path(__file__).parent
    for order in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": order, "PYTHONPATH": f"{folder}{os.pathsep}{folder.parent}"}
        shown = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert shown.stdout.strip() == first


@pytest.mark.parametrize("seed", range(3))
def test_weather_is_as_bad_as_it_was_asked_for(seed: int) -> None:
    society = flooded(seed, 8)
    world = society.world
    end = society.nodes[0].links[0]
    arrived: list[tuple[float, bytes]] = []
    end.other.owner.frame_in = lambda _end, frame: arrived.append((world.time, frame))  # type: ignore[attr-defined, method-assign]

    def send_all(weather: Weather) -> list[bytes]:
        arrived.clear()
        world.weather = weather
        for number in range(2_000):
            world.send(end, number.to_bytes(4, "big"))
            world.run(0.001)
        world.run(60)
        return [frame for _time, frame in arrived]

    calm = send_all(CALM)
    assert calm == sorted(calm)
    assert len(calm) == 2_000
    assert 1_500 < len(send_all(Weather(loss=0.2))) < 1_700
    assert 2_100 < len(send_all(Weather(copies=0.1))) < 2_300
    overtaken = send_all(Weather(overtaken=0.1))
    assert overtaken != sorted(overtaken)
    assert sorted(overtaken) == calm


def test_bytes_are_counted_as_the_channel_makes_them() -> None:
    for size in (1, 60, 61, 62, 1_000, 1_021, 1_022, 2_000, 60_000):
        assert sealed_bytes(size) == len(pad(Plain(bytes(size), last=False))) + 16


def test_delays_are_what_they_should_be() -> None:
    world = World(3)
    ways = sorted(world.weather.distance(world.random) for _ in range(4_000))
    assert 0.076 < ways[2_000] < 0.084
    assert 0.12 < ways[3_364] / 1.2 < 0.15  # one sigma: e^0.6 times the median


def test_parted_and_healed() -> None:
    society = flooded(4, 10)
    sides = society.nodes[:5], society.nodes[5:]
    society.world.part(sides, noticed=0.5)
    (made,) = society.publish(sides[0][0])
    with pytest.raises(SimulationError, match=r"lack records.*flooded\(4\)"):
        society.must_have([made], 120)
    assert not any(made.rid in each.store.live for each in sides[1])
    society.world.heal()
    for node in society.nodes:
        node.crash()
        node.start()
    society.world.run(20)
    (again,) = society.publish(sides[0][0])
    society.must_have([again], 20)


def test_a_crash_keeps_what_is_on_the_disk() -> None:
    society = flooded(5, 6)
    node = society.nodes[1]
    (kept,) = society.publish(node)
    society.world.run(5)
    node.crash()
    assert not node.up
    (missed,) = society.publish(society.nodes[0])
    society.world.run(40)
    assert all(end.other.owner is not node for other in society.nodes for end in other.links)
    node.start()
    society.world.run(5)
    assert kept.rid in node.store.live
    assert missed.rid not in node.store.live  # the plain machine never asks


# --- the rules


class Forwarding(Flooding):
    """Passes everything on before it is judged."""

    def handle(self, event: Event, now: Now) -> Sequence[Output]:
        outputs = list(super().handle(event, now))
        if isinstance(event, FrameIn):
            outputs += [Send(link, event.frame) for link in self._links]
        return outputs


class Tired(Flooding):
    def handle(self, event: Event, now: Now) -> Sequence[Output]:
        if isinstance(event, FrameIn):
            raise IndexError("too much")
        return super().handle(event, now)


class Growing(Flooding):
    """Never forgets."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.all: list[bytes] = []

    def handle(self, event: Event, now: Now) -> Sequence[Output]:
        self.all += [b""] * 5_000
        return super().handle(event, now)


Growing.__module__ = "hedgerow_protocol.growing"


class Confused(Flooding):
    """Speaks on links that are none."""

    def handle(self, event: Event, now: Now) -> Sequence[Output]:
        outputs = super().handle(event, now)
        return [Send(type(each.link)(10**6), each.frame) if isinstance(each, Send) else each for each in outputs]


@pytest.mark.parametrize(
    ("machine", "what"),
    [
        (Forwarding, "had not judged|does not verify"),
        (Tired, "IndexError: too much, at FrameIn"),
        (Growing, r"Growing\.all has grown"),
        (Confused, "closed"),
    ],
)
def test_a_broken_rule_is_seen(machine: type[Flooding], what: str) -> None:
    def go() -> None:
        society = flooded(6, machine=machine)
        society.publish(society.nodes[0])
        society.world.run(5)

    with pytest.raises(SimulationError, match=rf"({what}).*\(node \d+ at [0-9.]+ s; flooded\(6\)\)"):
        go()


def test_expired_words_are_seen() -> None:
    society = flooded(7, 3)
    node = society.nodes[0]
    (made,) = society.publish(node, lease=7_200)
    society.world.run(10_900)
    assert made.rid not in node.store.held
    frame = messages.encode(Records(0, (made.data,)))
    with pytest.raises(SimulationError, match="has expired"):
        node._send(Send(node.links[0].link, frame))
    node.store.held[made.rid] = made
    with pytest.raises(SimulationError, match=r"holds .* which has expired"):
        society.world.safety.look(node)


def test_a_wrong_picture_is_seen() -> None:
    society = gather(World(11), 3)
    society.world.run(20)
    node = society.nodes[0]
    society.world.safety.look(node)
    live = live_set_of(node.machine)
    assert live is not None
    live.remove(*next(iter(live)))
    with pytest.raises(SimulationError, match="live set is not the store's"):
        society.world.safety.look(node)


def test_forged_words_are_seen() -> None:
    society = flooded(8, 3)
    (made,) = society.publish(society.nodes[0])
    node = society.nodes[1]
    with pytest.raises(SimulationError, match="does not verify"):
        node._send(Send(node.links[0].link, messages.encode(Records(0, (forged(made),)))))


def test_a_dishonest_node_may_say_what_it_likes() -> None:
    character = Character(tamper=strangers.forging)
    society = flooded(9, 6, characters=lambda number: character if number == 0 else QUIET)
    (made,) = society.publish(society.nodes[0])
    society.world.run(10)
    assert not society.nodes[0].honest
    assert made.rid in society.nodes[0].store.live
    assert society.world.archive.refused > 0


def test_what_a_keeper_is_told_is_kept() -> None:
    from hedgerow_protocol.gossip.events import Notice

    class Telling(Flooding):
        def handle(self, event: Event, now: Now) -> Sequence[Output]:
            return [Tell(Notice.CLOCK_WRONG, 7)] if isinstance(event, Published) else super().handle(event, now)

    society = flooded(10, 3, machine=Telling)
    society.publish(society.nodes[0])
    assert [each[1:] for each in society.nodes[0].told if each[0] > 19] == [(Notice.CLOCK_WRONG, 7)]
