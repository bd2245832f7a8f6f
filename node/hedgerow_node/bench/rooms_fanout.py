"""One message to many devices: a real node, with authentication and cursors, beside what is bare and what is known."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hedgerow_node.bench import rooms_servers
from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.rooms_servers import Crowd, Server, crowd, sender

WINDOWS: Final = (4, 64)
"""Messages under way at once: a lively room, and a flood."""

RATE_FLOOR: Final = 0.6
CPU_GROWTH_MAX: Final = 1.3
SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one round showed."""

    rate: float
    """Deliveries a second."""
    cpu: float
    """The server's seconds of CPU for one delivery."""
    p50: float
    p99: float
    """Seconds, from sending to hearing."""
    messages: int


def run(
    server: Server,
    listening: Crowd,
    room: dict[str, Any],
    *,
    window: int,
    seconds: float,
    size: int = 300,
    post: bool = False,
) -> Run:
    """Send for so long, until all have heard all of it: over the sockets that listen, or by ``post``."""
    listening.ask("reset")
    before = server.cpu
    if post:
        with sender(server, room, window=window, seconds=seconds, size=size) as sending:
            said = sending.done()
    else:
        said = listening.speak(window=window, seconds=seconds, size=size)
    if said["no"] or not said["yes"]:
        raise RuntimeError(f"{server.dialect} did not take what was sent: {said}")
    told = listening.settled(said["yes"])
    deliveries = said["yes"] * listening.many
    late = told["late"]["0"]
    return Run(
        deliveries / ((told["last"] - said["start"]) / 1e9),
        (server.cpu - before) / deliveries,
        late["p50"],
        late["p99"],
        said["yes"],
    )


def figures(
    folder: Path, node: Server, rooms: dict[int, dict[str, Any]], *, rounds: int, seconds: float
) -> list[Figure]:
    """For each size of room: the node, the prototype and, where there is one, the broker, in turn."""
    found: list[Figure] = []
    cpu: dict[tuple[int, int], float] = {}
    with ExitStack() as stack:
        servers = [node, stack.enter_context(rooms_servers.bare(folder))]
        broker = stack.enter_context(rooms_servers.mosquitto(folder))
        if broker is not None:
            servers.append(broker)
        for many, room in rooms.items():
            with ExitStack() as inner:
                crowds = {each.dialect: inner.enter_context(crowd(each, room, many)) for each in servers}
                for window in WINDOWS:
                    runs: dict[str, list[Run]] = {each.dialect: [] for each in servers}
                    posts: dict[str, list[Run]] = {each.dialect: [] for each in servers[:2]}
                    for _ in range(rounds):
                        for post, into in ((False, runs), (True, posts)):
                            for each in servers if not post else servers[:2]:
                                heard = crowds[each.dialect]
                                once = run(each, heard, room, window=window, seconds=seconds, post=post)
                                into[each.dialect].append(once)
                    cpu[many, window] = median([each.cpu for each in runs["node"]])
                    found += [*_figures(many, window, runs), *_posted(many, window, posts)]
    small, large = min(rooms), max(rooms)
    for window in WINDOWS:
        found.append(
            Figure(
                f"fanout_cpu_growth_{window}",
                cpu[large, window] / cpu[small, window],
                "times",
                CPU_GROWTH_MAX,
                f"CPU for one delivery, {large} devices against {small}, {window} under way",
            )
        )
    return found


def _posted(many: int, window: int, runs: dict[str, list[Run]]) -> list[Figure]:
    """By a request for each message, as the member app does where the live socket cannot be used."""
    pairs = list(zip(runs["node"], runs["bare"], strict=True))
    about = f"{many} devices, {window} under way, each message by POST"
    rate = median([node.rate / bare.rate for node, bare in pairs])
    cpu = median([node.cpu / bare.cpu for node, bare in pairs])
    return [
        Figure(
            f"fanout_{many}_post_rate_{window}", rate, "times", None, f"deliveries a second, {about}; a prototype's"
        ),
        Figure(f"fanout_{many}_post_cpu_{window}", cpu, "times", None, about),
    ]


def _figures(many: int, window: int, runs: dict[str, list[Run]]) -> list[Figure]:
    """Over the sockets that listen, as the member app does."""
    pairs = list(zip(runs["node"], runs["bare"], strict=True))
    name, about = f"fanout_{many}", f"{many} devices, {window} under way"
    found = [
        Figure(
            f"{name}_rate_{window}",
            median([node.rate / bare.rate for node, bare in pairs]),
            "times",
            None,
            f"deliveries a second, {about}; a bare durable prototype's",
            RATE_FLOOR,
        ),
        Figure(f"{name}_cpu_{window}", median([node.cpu / bare.cpu for node, bare in pairs]), "times", None, about),
        Figure(f"{name}_deliveries_{window}", median([node.rate for node, _ in pairs]), "a second", None, about),
        Figure(f"{name}_cpu_each_{window}", 1e6 * median([node.cpu for node, _ in pairs]), "us", None, about),
        Figure(f"{name}_p99_{window}", 1e3 * median([node.p99 for node, _ in pairs]), "ms", None, about),
        Figure(f"{name}_p99_bare_{window}", 1e3 * median([bare.p99 for _, bare in pairs]), "ms", None, about),
    ]
    brokers = runs.get("mqtt")
    if brokers:
        beside = list(zip(runs["node"], brokers, strict=True))
        ratio = median([node.p99 / broker.p99 for node, broker in beside])
        found.append(Figure(f"{name}_p99_mosquitto_{window}", ratio, "times", 1.0, f"{about}; mosquitto's p99"))
        ratio = median([node.cpu / broker.cpu for node, broker in beside])
        found.append(Figure(f"{name}_cpu_mosquitto_{window}", ratio, "times", None, f"{about}; mosquitto's CPU"))
    return found
