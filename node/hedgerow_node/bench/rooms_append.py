"""Writing one word down: against one flush of the same disk, alone and among many, in a small store and a full one."""

import asyncio
import http.client
import json
import os
import time
from pathlib import Path
from typing import Any, Final

from hedgerow_node import clock
from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.rooms_servers import Server, sender
from hedgerow_node.bench.rooms_world import Room, World
from hedgerow_protocol import limits

ALONE_MAX: Final = 8.0
TOGETHER_FLOOR: Final = 10.0
FULL_MAX: Final = 1.5
"""Times. Noise; a cost that grew with the rooms on the disk would be far more."""

CATCH_UP_SECONDS_MAX: Final = 60.0

AWAY_MESSAGES: Final = 5_000
FLUSHES: Final = 60
ALONE: Final = 300
TOGETHER: Final = 64
TOGETHER_MANY: Final = 6_400


class Flush:
    """Writing one page of a file over another, and ``fdatasync``."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "flush", os.O_RDWR | os.O_CREAT, 0o600)
        self._page = os.urandom(4_096)
        os.write(self._file, self._page * 16)
        os.fsync(self._file)
        self._turn = 0

    def seconds(self) -> float:
        """That once."""
        self._turn = (self._turn + 1) % 16
        start = time.perf_counter()
        os.pwrite(self._file, self._page, 4_096 * self._turn)
        os.fdatasync(self._file)
        return time.perf_counter() - start

    def median(self) -> float:
        """That many times."""
        return median([self.seconds() for _ in range(FLUSHES)])

    def close(self) -> None:
        """Once."""
        os.close(self._file)


async def alone(world: World, room: Room, flush: Flush) -> tuple[float, float, float]:
    """With one under way: seconds (median) to the answer and of a flush in between, and how many answers a second."""
    took: list[float] = []
    flushes: list[float] = []
    for _ in range(ALONE):
        flushes.append(flush.seconds())
        session, said = world.message(room)
        start = time.perf_counter()
        await world.delivery.submit(session, said, now=clock.now())
        took.append(time.perf_counter() - start)
    return median(took), median(flushes), len(took) / sum(took)


async def together(world: World, room: Room, many: int) -> float:
    """How many a second with 64 under way."""
    said = iter([world.message(room, index % len(room.places)) for index in range(many)])

    async def one_after_another() -> None:
        for session, each in said:
            await world.delivery.submit(session, each, now=clock.now())

    start = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(TOGETHER)))
    return many / (time.perf_counter() - start)


async def figures(folder: Path, full: World, room: Room, *, rounds: int, rooms: int, quick: bool) -> list[Figure]:
    """Through the delivery service. ``full`` holds many rooms; beside it, one that holds a single one."""
    small, flush = World(folder / "small"), Flush(folder)
    lone = await small.room(await small.members(1))
    many = TOGETHER_MANY // (4 if quick else 1)
    against_flush, rates, against_small = [], [], []
    try:
        for _ in range(rounds):
            seconds, flushed, rate = await alone(full, room, flush)
            against_flush.append(seconds / flushed)
            rates.append(await together(full, room, many) / rate)
            against_small.append(seconds / (await alone(small, lone, flush))[0])
    finally:
        flush.close()
        await small.close()
    return [
        Figure("append_alone", median(against_flush), "times", ALONE_MAX, "one under way; one fdatasync of a page"),
        Figure("append_together", median(rates), "times", None, "64 under way; the rate of one", TOGETHER_FLOOR),
        Figure("append_many_rooms", median(against_small), "times", FULL_MAX, f"{rooms} rooms on the disk; one room"),
    ]


def over_http(folder: Path, node: Server, room: dict[str, Any], *, rounds: int, seconds: float) -> list[Figure]:
    """The same from outside, through the street door: with HTTP, the token and two processes on the same cores."""
    alone_ratios, rates, each = [], [], []
    flush = Flush(folder)
    for _ in range(rounds):
        flushed = flush.median()
        with sender(node, room, window=1, seconds=seconds) as one:
            single = one.done()
        with sender(node, room, window=TOGETHER, seconds=seconds) as many:
            crowd = many.done()
        alone_ratios.append(single["answer"]["p50"] / flushed)
        rates.append(_rate(crowd) / _rate(single))
        each.append(_rate(crowd))
    flush.close()
    return [
        Figure("append_http_alone", median(alone_ratios), "times", None, "the same over HTTP"),
        Figure("append_http_together", median(rates), "times", None, "the same over HTTP"),
        Figure("append_http_rate", median(each), "a second", None, "messages, 64 under way, nobody listening"),
    ]


def _rate(said: dict[str, Any]) -> float:
    yes, took = int(said["yes"]), int(said["stop"]) - int(said["start"])
    return yes / (took / 1e9)


def catching_up(node: Server, room: dict[str, Any], many: int) -> Figure:
    """A device that was away for 30 days asks what waits, reads all of it and says so; the node's part of it."""
    place = node.place(room)
    connection = http.client.HTTPConnection(place.host, place.port, timeout=60)
    headers = {"Authorization": f"Bearer {room['devices'][-1][0]}", "Content-Type": "application/json"}

    def ask(method: str, path: str, body: Any = None) -> Any:
        connection.request(method, f"{place.path}{path}", json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path} was answered with {answer.status}")
        return json.loads(data) if data else None

    start = time.perf_counter()
    (waiting,) = [each for each in ask("GET", "/mailbox")["rooms"] if each["room"] == place.room]
    seq, heard = waiting["acknowledged"], 0
    while seq < waiting["head"]["seq"]:
        page = ask("GET", f"/rooms/{place.room}/log?after={seq}&limit={limits.LOG_PAGE_ENTRIES_MAX}")
        heard += sum(each["kind"] == "message" and each["payload"] is not None for each in page["entries"])
        seq = page["entries"][-1]["seq"]
    ask("POST", "/mailbox/acknowledge", {"acknowledged": [{"room": place.room, "seq": seq}]})
    seconds = time.perf_counter() - start
    connection.close()
    if heard != many:
        raise RuntimeError(f"{many} messages waited, and {heard} came")
    about = f"{many} messages of 30 days over HTTP, the node's part: without decrypting"
    return Figure("catch_up", seconds, "s", CATCH_UP_SECONDS_MAX, about)
