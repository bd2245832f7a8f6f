"""Messages from a member of one node to a member of another: how late, how many, and what they cost."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from hedgerow_node.bench.federation_world import FarRoom, Home
from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.rooms_servers import Crowd, crowd, sender

P50_MS_MAX: Final = 20.0
P95_MS_MAX: Final = 50.0
RATE_FLOOR: Final = 400.0

WRITERS: Final = 16
"""Devices that write as fast as they can, each with one message under way: more than their own pace would let eight."""

PAUSE_SECONDS: Final = 0.05
"""Seconds. Between two messages of a calm room: each goes alone, which is the most that one can cost."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one round showed. Times in seconds."""

    p50: float
    p95: float
    answered: float
    """Median, until the author had an answer."""
    accepted_rate: float
    """Messages a second that were answered."""
    heard_rate: float
    """The same, until all had heard all of them."""
    cpu: tuple[float, ...]
    """Of each node, in their order, for one message."""
    traffic: float
    """Bytes on the links of the first of these nodes, for one message."""
    messages: int


def run(
    author: Home,
    listening: Crowd,
    room: FarRoom,
    nodes: Sequence[Home],
    *,
    window: int,
    seconds: float,
    every: float = 0.0,
    also: Sequence[Crowd] = (),
) -> Run:
    """Send for so long, until all have heard all of it. Raises RuntimeError where something is refused or lost.

    ``also``: others who listen, and are waited for, too.
    """
    for each in (listening, *also):
        each.ask("reset")
    traffic = nodes[0].traffic()
    cpu = [node.server.cpu for node in nodes]
    with sender(author.server, room.at(author), window=window, seconds=seconds, every=every) as sending:
        said = sending.done()
    if said["no"] or not said["yes"]:
        raise RuntimeError(f"a node did not take what was sent: {said}")
    told = listening.settled(said["yes"])
    for each in also:
        each.settled(said["yes"])
    number, late = said["yes"], told["late"]["0"]
    return Run(
        late["p50"],
        late["p95"],
        said["answer"]["p50"],
        number / ((said["stop"] - said["start"]) / 1e9),
        number / ((told["last"] - said["start"]) / 1e9),
        tuple((node.server.cpu - before) / number for node, before in zip(nodes, cpu, strict=True)),
        (nodes[0].traffic() - traffic) / number,
        number,
    )


def figures(
    three: FarRoom, two: FarRoom, nodes: tuple[Home, Home, Home], *, fanout_ms: int, rounds: int, seconds: float
) -> list[Figure]:
    """Between each two of the three nodes, calmly; then as fast as many writers can, from one node to another.

    ``three`` is a room of the first node with members on all of them, ``two`` one with members on the first two.
    """
    hub, follower, third = nodes
    ways = {
        "message_from_hub": (hub, follower, "author at the hub, reader at a follower"),
        "message_to_hub": (follower, hub, "author at a follower, reader at the hub"),
        "message_across": (follower, third, "author and reader at two followers"),
    }
    calm: dict[str, list[Run]] = {name: [] for name in ways}
    with ExitStack() as stack:
        crowds = {each.node_id: stack.enter_context(crowd(each.server, three.at(each), 1)) for each in nodes}
        for _ in range(rounds):
            for name, (author, reader, _) in ways.items():
                others = [other for node, other in crowds.items() if node != reader.node_id]
                calm[name].append(
                    run(
                        author,
                        crowds[reader.node_id],
                        three,
                        nodes,
                        window=1,
                        seconds=seconds,
                        every=PAUSE_SECONDS,
                        also=others,
                    )
                )
    found: list[Figure] = []
    for name, (_, _, about) in ways.items():
        found += _calm(name, calm[name], about, fanout_ms)
    fast: list[Run] = []
    local: list[Run] = []
    with crowd(hub.server, two.at(hub), 1) as listening:
        for _ in range(rounds):
            fast.append(many(follower, listening, two, (hub, follower), seconds))
            local.append(many(hub, listening, two, (hub, follower), seconds))
    return found + _costs(calm["message_from_hub"], fast, local, fanout_ms)


def many(author: Home, listening: Crowd, two: FarRoom, nodes: Sequence[Home], seconds: float) -> Run:
    """As fast as these writers can, each with one message under way."""
    return run(author, listening, two, nodes, window=WRITERS, seconds=seconds)


def _calm(name: str, runs: Sequence[Run], about: str, fanout_ms: int) -> list[Figure]:
    promised = fanout_ms == 0
    milliseconds = [(1e3 * each.p50, 1e3 * each.p95, 1e3 * each.answered) for each in runs]
    p50, p95, answered = (median(values) for values in zip(*milliseconds, strict=True))
    return [
        Figure(f"{name}_p50_{fanout_ms}", p50, "ms", P50_MS_MAX if promised else None, about),
        Figure(f"{name}_p95_{fanout_ms}", p95, "ms", P95_MS_MAX if promised else None, about),
        Figure(f"{name}_answered_{fanout_ms}", answered, "ms", None, "the median until the author has an answer"),
    ]


def _costs(calm: Sequence[Run], fast: Sequence[Run], local: Sequence[Run], fanout_ms: int) -> list[Figure]:
    def each(name: str, values: Sequence[float], unit: str, about: str, floor: float | None = None) -> Figure:
        return Figure(f"{name}_{fanout_ms}", median(values), unit, None, about, floor)

    alone = "20 a second, two nodes follow"
    away = f"{WRITERS} writers at a follower, the reader at the hub"
    return [
        each("accepted_far", [one.accepted_rate for one in fast], "a second", away, RATE_FLOOR),
        each("heard_far", [one.heard_rate for one in fast], "a second", "of these, until the reader has all of them"),
        each("accepted_at_hub", [one.accepted_rate for one in local], "a second", f"{WRITERS} writers at the hub"),
        each(
            "accepted_far_share",
            [one.accepted_rate / two.accepted_rate for one, two in zip(fast, local, strict=True)],
            "times",
            f"{away}; {WRITERS} writers at the hub",
        ),
        each("cpu_hub", [1e3 * one.cpu[0] for one in calm], "ms", f"processor time of a message; {alone}"),
        each("cpu_follower", [1e3 * one.cpu[1] for one in calm], "ms", f"the same at one that follows; {alone}"),
        each("cpu_hub_fast", [1e3 * one.cpu[0] for one in fast], "ms", f"processor time of a message; {away}"),
        each("cpu_follower_fast", [1e3 * one.cpu[1] for one in fast], "ms", f"the same where it is written; {away}"),
        each("wire", [one.traffic for one in calm], "bytes", f"both links of the hub, a message of 300 B; {alone}"),
        each("wire_fast", [one.traffic for one in fast], "bytes", f"the link, both ways; {away}"),
    ]
