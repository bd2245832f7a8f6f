"""The same scenario between two nodes and between two Synapse servers, in turn: ratios of one run."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from hedgerow_node.bench import federation_joining, federation_matrix
from hedgerow_node.bench.federation_matrix import Listener, Synapse
from hedgerow_node.bench.federation_messages import WRITERS, Run, many, run
from hedgerow_node.bench.federation_world import FarRoom, Home
from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.rooms_load import percentiles
from hedgerow_node.bench.rooms_servers import Server, crowd, sender

PAUSE_SECONDS: Final = 0.2
"""Seconds. Between two messages: both kinds of servers keep up with five a second."""


class Matrix:
    """A room of the first server, with writers and a reader on the second."""

    def __init__(self, one: Synapse, two: Synapse) -> None:
        self.one, self.two = one, two
        self.founder, self.reader = one.person("founder"), two.person("reader")
        self.writers = [two.person(f"writer-{number}") for number in range(WRITERS)]
        self.room = federation_matrix.room(self.founder)
        self.heard: list[float] = []
        """Of each run, the share of its events that came by a sync."""
        for each in (self.reader, *self.writers):
            federation_matrix.join(each, self.room, one)

    def _run(self, listener: Listener, at: Synapse, tokens: list[str], **how: Any) -> Run:
        room = {"room": quote(self.room), "epoch": 0, "devices": [[each, ""] for each in tokens]}
        listener.reset()
        servers = (self.one.server, self.two.server)
        cpu = [each.cpu for each in servers]
        with sender(at.server, room, **how) as sending:
            said = sending.done()
        if said["no"] or not said["yes"]:
            raise RuntimeError(f"Synapse did not take what was sent: {said}")
        heard = listener.settled(said["yes"])
        late = percentiles(heard)
        seconds = (said["stop"] - said["start"]) / 1e9
        rate = said["yes"] / seconds
        spent = tuple((each.cpu - before) / said["yes"] for each, before in zip(servers, cpu, strict=True))
        self.heard.append(len(heard) / said["yes"])
        return Run(late["p50"], late["p95"], said["answer"]["p50"], rate, 0.0, spent, 0.0, said["yes"])

    def calm(self, listener: Listener, seconds: float) -> Run:
        """The founder writes, and somebody on the other server reads."""
        return self._run(listener, self.one, [self.founder.token], window=1, seconds=seconds, every=PAUSE_SECONDS)

    def fast(self, listener: Listener, seconds: float) -> Run:
        """Eight write on the second server, and the founder reads on the first."""
        return self._run(listener, self.two, [each.token for each in self.writers], window=WRITERS, seconds=seconds)

    def join(self) -> float:
        """Milliseconds for joining a room that is new to the second server."""
        new = federation_matrix.room(self.founder)
        return 1e3 * federation_matrix.join(self.reader, new, self.one)


def figures(
    python: str, folder: Path, two: FarRoom, hub: Home, follower: Home, *, rounds: int, seconds: float, joins: int
) -> list[Figure]:
    """Joining, a calm room, many writers; processor time and memory of both servers together."""
    ours: list[tuple[Run, Run, float]] = []
    theirs: list[tuple[Run, Run, float]] = []
    with ExitStack() as stack:
        matrix = Matrix(*stack.enter_context(federation_matrix.pair(python, folder)))
        far, near = Listener(matrix.reader), Listener(matrix.founder)
        stack.callback(far.close)
        stack.callback(near.close)
        readers = stack.enter_context(crowd(follower.server, two.at(follower), 1))
        founders = stack.enter_context(crowd(hub.server, two.at(hub), 1))
        people = (hub, hub.devices[-1]), (follower, follower.devices[-1])
        for _ in range(rounds):
            calm = run(hub, readers, two, (hub, follower), window=1, seconds=seconds, every=PAUSE_SECONDS)
            calm_there = matrix.calm(far, seconds)
            fast = many(follower, founders, two, (hub, follower), seconds)
            fast_there = matrix.fast(near, seconds)
            joined = median([sum(federation_joining.join(hub, *people)) for _ in range(joins)])
            ours.append((calm, fast, joined))
            theirs.append((calm_there, fast_there, median([matrix.join() for _ in range(joins)])))
        memory = _resident(hub.server, follower.server), _resident(matrix.one.server, matrix.two.server)
    about = "of Synapse's events, those that came by a sync; clients page back for the others"
    return [*_figures(ours, theirs, memory), Figure("synapse_heard", min(matrix.heard), "of 1", None, about)]


def _resident(*servers: Server) -> float:
    return sum(each.resident_kib for each in servers) / 1024


def _figures(
    ours: list[tuple[Run, Run, float]], theirs: list[tuple[Run, Run, float]], memory: tuple[float, float]
) -> list[Figure]:
    calm, fast, joins = zip(*ours, strict=True)
    calm_there, fast_there, joins_there = zip(*theirs, strict=True)
    rows = [
        ("message_p50", "ms", "author at the hub, 5 a second",
         [1e3 * each.p50 for each in calm], [1e3 * each.p50 for each in calm_there]),
        ("message_p95", "ms", "the same", [1e3 * each.p95 for each in calm], [1e3 * each.p95 for each in calm_there]),
        ("accepted_far", "a second", f"{WRITERS} writers away from the room's hub, or its first server",
         [each.accepted_rate for each in fast], [each.accepted_rate for each in fast_there]),
        ("join", "ms", "Synapse's: a public room's join alone, without an invitation", list(joins), list(joins_there)),
        ("cpu_calm", "ms", "both servers, of a message, 5 a second",
         [1e3 * sum(each.cpu) for each in calm], [1e3 * sum(each.cpu) for each in calm_there]),
        ("cpu_fast", "ms", f"both servers, of a message, {WRITERS} writers",
         [1e3 * sum(each.cpu) for each in fast], [1e3 * sum(each.cpu) for each in fast_there]),
        ("memory", "MiB", "both servers, resident", [memory[0]], [memory[1]]),
    ]  # fmt: skip
    found: list[Figure] = []
    for name, unit, about, here, there in rows:
        ratio = median([one / other for one, other in zip(here, there, strict=True)])
        found.append(
            Figure(f"{name}_to_synapse", ratio, "times", None, f"Synapse's {median(there):.4g} {unit}; {about}")
        )
    return found
