"""What one receiver that does not read, one sender that floods, and a thousand that are silent do to the others."""

import time
from typing import Any, Final

from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.rooms_fanout import run
from hedgerow_node.bench.rooms_servers import Crowd, Server, crowd, sender
from hedgerow_node.http import bounds

CALMER_MAX: Final = 2.0
IDLE_KIB_MAX: Final = 24.0

STALL_SIZE: Final = 12_000
"""Bytes. Of a message."""

STALL_BYTES: Final = 12 * 1024**2
"""Bytes. Sent to a silent receiver: what the system keeps for it and its queue are full by then."""

STALL_MIB_MAX: Final = bounds.LIVE_QUEUE_BYTES_MAX / 1024**2 + 4.0
"""MiB. The queue of one receiver, and what memory is uneven by."""

FLOOD: Final = 64
"""Messages that the flooding device keeps under way."""

CALM: Final = 6
CALM_SECONDS: Final = 0.05
"""Devices that do not flood, and seconds between two messages of one: enough of them for a 99th percentile."""


def idle(node: Server, room: dict[str, Any], many: int) -> Figure:
    """KiB that a connected device costs while nothing happens."""
    with crowd(node, room, max(1, many // 5)):
        time.sleep(1.0)
        before = node.resident_kib
        with crowd(node, room, many):
            time.sleep(1.0)
            each = (node.resident_kib - before) / many
    return Figure("idle_connection", each, "KiB", IDLE_KIB_MAX, f"resident, for each of {many} devices that listen")


def stalled(node: Server, room: dict[str, Any], many: int, *, rounds: int, seconds: float) -> list[Figure]:
    """One of so many stops reading: the others' 99th percentile, and the memory it takes."""
    ratios, grown, gone = [], [], 0
    for _ in range(rounds):
        with crowd(node, room, many) as all_read:
            calm = run(node, all_read, room, window=4, seconds=seconds, size=STALL_SIZE)
            _send_more(node, all_read, room, calm.messages, seconds)  # so that the store's own memory has grown
        before = node.resident_kib
        with crowd(node, room, many, stalled=1) as one_does_not:
            stall = run(node, one_does_not, room, window=4, seconds=seconds, size=STALL_SIZE)
            _send_more(node, one_does_not, room, stall.messages, seconds)
            grown.append((node.resident_kib - before) / 1024)
            gone += one_does_not.ask("ended")["gone"]
        ratios.append(stall.p99 / calm.p99)
    about = f"one of {many} devices reads nothing"
    return [
        Figure("stalled_others_p99", median(ratios), "times", CALMER_MAX, f"{about}; all read"),
        Figure("stalled_memory", max(grown), "MiB", STALL_MIB_MAX, f"{about}: what the node grew by"),
        Figure("stalled_let_go", gone / rounds, "of 1", None, "let go, to catch up by the log", 1.0),
    ]


def _send_more(node: Server, listening: Crowd, room: dict[str, Any], messages: int, seconds: float) -> None:
    """Go on until a silent receiver would have been sent :data:`STALL_BYTES`."""
    while messages * STALL_SIZE < STALL_BYTES:
        messages += run(node, listening, room, window=16, seconds=seconds, size=STALL_SIZE).messages


def flooded(node: Server, room: dict[str, Any], many: int, *, rounds: int, seconds: float) -> list[Figure]:
    """One device sends without pause, over its socket or by many requests: the calm ones' words, and its own."""
    found: list[Figure] = []
    for name, how, socket in (("flood", "over its socket", True), ("flood_post", "by POST", False)):
        ratios, shares, refused = [], [], 0
        for _ in range(rounds):
            late = []
            for floods in (False, True):
                with crowd(node, room, many) as listening:
                    told, said = _calmly(node, listening, room, seconds, floods=floods, socket=socket)
                late.append(told["late"]["1"]["p99"])
                if said is not None:
                    allowed = bounds.DEVICE_REQUESTS_PER_SECOND * (said["stop"] - said["start"]) / 1e9
                    shares.append(said["yes"] / (bounds.DEVICE_REQUESTS_BURST + allowed))
                    refused += said["no"]
            ratios.append(late[1] / late[0])
        found += [
            Figure(
                f"{name}_others_p99", median(ratios), "times", CALMER_MAX, f"one of {many} floods {how}; nobody does"
            ),
            Figure(f"{name}_share", max(shares), "times", 1.0, "messages it gets through; what one device may send"),
            Figure(f"{name}_refused", refused / rounds, "messages", None, "told to come back later, in a round"),
        ]
    return found


def _calmly(
    node: Server, listening: Crowd, room: dict[str, Any], seconds: float, *, floods: bool, socket: bool
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    listening.ask("reset")
    calm, flooding = room["devices"][1 : 1 + CALM], room["devices"][:1]
    quiet = sender(node, room, window=CALM, seconds=seconds, devices=calm, tag=1, every=CALM_SECONDS)
    if not floods:
        with quiet as words:
            return listening.settled(words.done()["yes"]), None
    flood = sender(node, room, window=FLOOD, seconds=seconds, devices=flooding, tag=2, flood=socket)
    with flood as water, quiet as words:
        said, other = words.done(), water.done()
        return listening.settled(said["yes"] + other["yes"]), other
