"""A device that was away for a month comes back: the member app's whole client, with its vault and its MLS engine.

What it missed is said by another such client, to a node, on clocks that run through the month in a minute.
"""

import base64
import time
from pathlib import Path
from typing import Any, Final

from hedgerow_node import clock
from hedgerow_node.bench.measure import Figure
from hedgerow_node.bench.processes import process
from hedgerow_node.bench.rooms_client import WEBUI, Client, client, invitation, node_program
from hedgerow_node.bench.rooms_servers import free_port

DAYS: Final = 29
"""Days away. Messages are kept for thirty."""

DAY_SECONDS: Final = 86_400
PLANNED_SECONDS: Final = 45.0
"""Seconds in which the month goes by. Who takes longer to say it all says the rest in the present."""

SECONDS_MAX: Final = 60.0
MESSAGES: Final = 5_000
TOGETHER: Final = 50
"""Messages that are written into the outbox before the first of them is waited for."""

WORDS: Final = "It was a long week, and your words of the other evening stayed with me."


def figures(folder: Path, *, quick: bool) -> list[Figure]:
    """Nothing where the sources or Node.js are missing."""
    program = node_program()
    if program is None or not (WEBUI / "node_modules").is_dir():
        return []
    many = MESSAGES // (20 if quick else 1)
    seconds, read = _away(folder / "away", program, many)
    if read != many:
        raise RuntimeError(f"{many} messages were said, and {read} can be read")
    about = f"{many} messages of {DAYS} days: the whole client, with its vault and engine, from its start to the last"
    return [Figure("catch_up_client", seconds, "s", SECONDS_MAX, about)]


def _away(folder: Path, program: str, many: int) -> tuple[float, int]:
    """Seconds until all was read, and how many messages that is."""
    folder.mkdir()
    serve = ("serve", "--data", str(folder / "node"), "--port", str(free_port()))
    now = float(clock.now())
    past = (str(now), str(now - DAYS * DAY_SECONDS), str(DAYS * DAY_SECONDS / PLANNED_SECONDS))
    with process("-m", "hedgerow_node.bench.rooms_past", *past, *serve) as (_, address):
        room = _month(folder, program, address.rstrip("/"), past, many)
    with process("-m", "hedgerow_node", *serve) as (_, address):
        start = time.perf_counter()
        with client(program, folder / "ben", address.rstrip("/")) as ben:
            while not _has_read(ben, room, many):
                time.sleep(0.05)
            seconds = time.perf_counter() - start
            kept = ben.call("exportArchive", room=room)
    return seconds, base64.b64decode(kept["bytes"]["base64"]).count(WORDS.encode())


def _month(folder: Path, program: str, address: str, past: tuple[str, ...], many: int) -> str:
    """Ana and Ben meet; Ben goes away; Ana says so many things. The room they are in."""
    with client(program, folder / "ana", address, past) as ana:
        ana.call("register", link=invitation(folder / "node"), name="Ana")
        made = ana.call("startPair", name="Ana")
        room: str = made["room"]
        with client(program, folder / "ben", address, past) as ben:
            ben.call("register", link=made["link"], name="Ben")
            while not any(each["standing"] == "in" for each in ben.call("state")["rooms"]):
                time.sleep(0.05)
            ben.call("settle", seconds=30)
        asked: list[int] = []
        for number in range(many):
            asked.append(ana.begin("send", room=room, text=f"{number}: {WORDS}"))
            if len(asked) == TOGETHER:
                for each in asked:
                    ana.answer(each)
                asked.clear()
        for each in asked:
            ana.answer(each)
        while ana.call("state")["outbox"]["waiting"]:
            time.sleep(0.2)
    return room


def _has_read(device: Client, room: str, many: int) -> bool:
    view: dict[str, Any] = device.call("watch", room=room)
    device.call("unwatch", room=room)
    said = [each["text"] for each in view["timeline"] if each["kind"] == "message"]
    return bool(said) and said[-1].startswith(f"{many - 1}: ")
