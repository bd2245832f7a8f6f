"""Letting somebody of another node in: from the claim of a KeyPackage to the Welcome in the newcomer's hands.

Only the delivery layer: the MLS messages are noise in true envelopes. What a browser's engine adds is a figure of
``hedgerow bench rooms``.
"""

import time
from typing import Final

from hedgerow_node.bench.federation_world import (
    Device,
    Home,
    found,
    heard_of_welcome,
    listen,
    offer,
    take_welcome,
)
from hedgerow_node.bench.measure import Figure, median, percentile

JOIN_MS_MAX: Final = 150.0

JOINS: Final = 20
JOINS_QUICK: Final = 5


def join(hub: Home, member: tuple[Home, Device], newcomer: tuple[Home, Device]) -> tuple[float, float, float]:
    """Milliseconds of the claim, of the commit, and from there until the newcomer has the Welcome."""
    at_hub = hub.devices[-1]
    room = found(hub, at_hub)
    index = 0
    if member[0] is not hub:
        room.let_in(0, [offer(*member)])
        index = 1
    offered = offer(*newcomer)
    live = listen(*newcomer)
    try:
        start = time.perf_counter()
        room.claim(room.places[index][:2], offered)
        claimed = time.perf_counter()
        room.commit(index, [(newcomer[0].node_id, offered.ref, offered.mailbox)])
        committed = time.perf_counter()
        heard_of_welcome(live)
        take_welcome(offered)
        welcomed = time.perf_counter()
    finally:
        live.close()
    return 1e3 * (claimed - start), 1e3 * (committed - claimed), 1e3 * (welcomed - committed)


def figures(hub: Home, second: Home, third: Home, *, fanout_ms: int, quick: bool) -> list[Figure]:
    """At the hub's member's hands, and with all three on different nodes."""
    many = JOINS_QUICK if quick else JOINS
    ways = {
        "join": ((hub, hub.devices[-1]), (second, second.devices[-1]), "the member at the hub"),
        "join_across": ((second, second.devices[-1]), (third, third.devices[-1]), "member, hub, newcomer: three nodes"),
    }
    found_all: list[Figure] = []
    for name, (member, newcomer, about) in ways.items():
        took = [join(hub, member, newcomer) for _ in range(many)]
        whole = [sum(each) for each in took]
        limit = JOIN_MS_MAX if fanout_ms == 0 else None
        found_all += [
            Figure(f"{name}_{fanout_ms}", median(whole), "ms", limit, f"median; {about}"),
            Figure(f"{name}_p95_{fanout_ms}", percentile(whole, 0.95), "ms", None, about),
        ]
        for part, values in zip(("claim", "commit", "welcome"), zip(*took, strict=True), strict=True):
            found_all.append(Figure(f"{name}_{part}_{fanout_ms}", median(values), "ms", None, "its part, median"))
    return found_all
