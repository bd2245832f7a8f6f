"""How the cost of a message grows with the nodes that follow a room, and with its members on one of them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from hedgerow_node.bench.federation_messages import Run, run
from hedgerow_node.bench.federation_world import PATIENCE_SECONDS, FarRoom, Home, found, offer
from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.rooms_servers import crowd, sender

FOLLOWERS: Final = (1, 10, 50)
FOLLOWERS_QUICK: Final = (1, 4)
MEMBERS: Final = (10, 100, 500)
MEMBERS_QUICK: Final = (10, 30)

PAUSE_SECONDS: Final = 0.1
"""Seconds. Between two messages: fifty followers in one process read and answer all of them."""


def over_members(
    hub: Home, follower: Home, sizes: Sequence[int], *, fanout_ms: int, rounds: int, seconds: float
) -> list[Figure]:
    """So many members at one follower, one author at the hub: each letter is one, whoever reads it."""
    found_all: list[Figure] = []
    cpu: dict[int, tuple[float, float]] = {}
    for many in sizes:
        room = found(hub, hub.devices[0])
        room.let_in(0, [offer(follower, follower.devices[0])])
        # The first of them lets the others in, as neighbours do: they are claimed at their own node.
        room.let_in(1, [offer(follower, each) for each in follower.devices[1:many]])
        runs: list[Run] = []
        with crowd(follower.server, room.at(follower), many) as listening:
            for _ in range(rounds):
                runs.append(run(hub, listening, room, (hub, follower), window=1, seconds=seconds, every=PAUSE_SECONDS))
        cpu[many] = (median([each.cpu[0] for each in runs]), median([each.cpu[1] for each in runs]))
        about = f"{many} members at one follower"
        name = f"members_{many}"
        found_all += [
            Figure(f"{name}_p50_{fanout_ms}", 1e3 * median([each.p50 for each in runs]), "ms", None, about),
            Figure(f"{name}_p95_{fanout_ms}", 1e3 * median([each.p95 for each in runs]), "ms", None, about),
            Figure(f"{name}_cpu_hub_{fanout_ms}", 1e3 * cpu[many][0], "ms", None, f"of a message, {about}"),
            Figure(f"{name}_cpu_follower_{fanout_ms}", 1e3 * cpu[many][1], "ms", None, f"of a message, {about}"),
            Figure(f"{name}_wire_{fanout_ms}", median([each.traffic for each in runs]), "bytes", None, about),
        ]
    small, large = min(sizes), max(sizes)
    about = f"of a message, {large} members at one follower; {small}"
    return [
        *found_all,
        Figure(f"members_cpu_hub_growth_{fanout_ms}", cpu[large][0] / cpu[small][0], "times", None, about),
        Figure(f"members_cpu_follower_growth_{fanout_ms}", cpu[large][1] / cpu[small][1], "times", None, about),
    ]


class Followers:
    """Light ones, in a process of their own."""

    def __init__(self, started: "subprocess.Popen[str]", many: int) -> None:
        self._started = started
        self.many = many
        self.nodes: list[str] = self._hear()["nodes"]
        """Their ids, base64url."""

    def _hear(self) -> dict[str, Any]:
        assert self._started.stdout is not None  # noqa: S101 - a pipe was asked for
        line = self._started.stdout.readline()
        if not line:
            raise RuntimeError("the followers of the bench ended")
        told: dict[str, Any] = json.loads(line)
        return told

    def ask(self, what: str) -> dict[str, Any]:
        """``report`` or ``reset``."""
        assert self._started.stdin is not None  # noqa: S101 - the same
        self._started.stdin.write(json.dumps({"do": what}) + "\n")
        self._started.stdin.flush()
        return self._hear()

    def until(self, what: str, value: Any) -> dict[str, Any]:
        """Wait until they report this."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (told := self.ask("report"))[what] != value:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the followers should report {what} {value}, and say {told}")
            time.sleep(0.05)
        return told


@contextmanager
def followers(hub: Home, many: int) -> Iterator[Followers]:
    """So many of them, linked to a hub."""
    command = [sys.executable, "-m", "hedgerow_node.bench.federation_followers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdin is not None  # noqa: S101 - a pipe was asked for
            started.stdin.write(json.dumps({"address": hub.server.address, "many": many}) + "\n")
            started.stdin.flush()
            yield Followers(started, many)
        finally:
            started.kill()


def over_followers(hub: Home, sizes: Sequence[int], *, fanout_ms: int, rounds: int, seconds: float) -> list[Figure]:
    """So many light followers, one author at the hub: each of them is told every message."""
    found_all: list[Figure] = []
    cpu: dict[int, float] = {}
    for many in sizes:
        before = hub.server.resident_kib
        with followers(hub, many) as light:
            room = found(hub, hub.devices[0])
            room.commit(0, [(node, os.urandom(32), os.urandom(16)) for node in light.nodes])
            light.until("following", many)
            light.until("entries", [1, 1])
            runs = [_told(hub, light, room, seconds) for _ in range(rounds)]
            grown = (hub.server.resident_kib - before) / many
        p50, p95, cpu[many], wire, notifies = (median(values) for values in zip(*runs, strict=True))
        about, name = f"{many} nodes follow", f"followers_{many}"
        found_all += [
            Figure(f"{name}_p50_{fanout_ms}", 1e3 * p50, "ms", None, f"{about}; until each of them has it"),
            Figure(f"{name}_p95_{fanout_ms}", 1e3 * p95, "ms", None, about),
            Figure(f"{name}_cpu_hub_{fanout_ms}", 1e3 * cpu[many], "ms", None, f"of a message, {about}"),
            Figure(f"{name}_wire_{fanout_ms}", wire, "bytes", None, f"of a message to one of them and back, {about}"),
            Figure(f"{name}_notifies_{fanout_ms}", notifies, "of 1", None, "letters to one of them for one message"),
            Figure(f"{name}_memory_{fanout_ms}", grown, "KiB", None, f"what the hub grew by, for each; {about}"),
        ]
    small, large = min(sizes), max(sizes)
    more = 1e3 * (cpu[large] - cpu[small]) / (large - small)
    return [
        *found_all,
        Figure(
            f"followers_cpu_growth_{fanout_ms}", cpu[large] / cpu[small], "times", None,
            f"processor time of a message at the hub, {large} followers; {small}",
        ),
        Figure(f"followers_cpu_each_{fanout_ms}", more, "ms", None, "of a message at the hub, for one follower more"),
    ]  # fmt: skip


def _told(hub: Home, light: Followers, room: FarRoom, seconds: float) -> tuple[float, ...]:
    light.ask("reset")
    cpu = hub.server.cpu
    with sender(hub.server, room.at(hub), window=1, seconds=seconds, every=PAUSE_SECONDS) as sending:
        said = sending.done()
    if said["no"] or not said["yes"]:
        raise RuntimeError(f"the hub did not take what was sent: {said}")
    many = said["yes"]
    told = light.until("entries", [many, many])
    parts = many * light.many
    late = told["late"]
    return late["p50"], late["p95"], (hub.server.cpu - cpu) / many, told["bytes"] / parts, told["notifies"] / parts
