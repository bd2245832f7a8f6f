"""Listeners that also speak, each over the connection on which it hears: what a member's device does."""

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hedgerow_node.bench.rooms_dialects import ANSWER_BEGINNING_MAX, ID_PLACE, Dialect, Place, message_id

FLOOD_MAX = 256
"""Messages that a flood keeps under way, all over one connection."""


@dataclass(slots=True)
class Speaker:
    """One listener with at most one message under way."""

    made: socket.socket
    before: bytes
    after: bytes
    """Its message, around the id."""
    since: int = 0
    tail: bytes = b""


@dataclass(slots=True)
class Talk:
    """So many messages under way for so long, each of the next listener that has none."""

    dialect: Dialect
    tag: int
    end: int
    """Nanoseconds of the monotonic clock. No message begins after it."""
    idle: deque[Speaker]
    start: int = field(default_factory=time.monotonic_ns)
    under_way: dict[int, Speaker] = field(default_factory=dict)
    """By handle of the socket."""
    yes: int = 0
    no: int = 0
    took: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, said: dict[str, Any], dialect: Dialect, place: Place, listeners: Sequence[tuple[Any, Any]]) -> "Talk":
        """Begin what was asked for. ``listeners``: sockets and the devices they belong to."""
        idle: deque[Speaker] = deque()
        for made, device in listeners:
            before, _, after = dialect.utterance(place, device, said["size"]).partition(ID_PLACE)
            idle.append(Speaker(made, before, after))
        talk = cls(dialect, int(said.get("tag", 0)), time.monotonic_ns() + int(said["seconds"] * 1e9), idle)
        for _ in range(said["window"]):
            talk.speak()
        return talk

    def speak(self) -> None:
        """The next one says something."""
        speaker = self.idle.popleft()
        speaker.since = time.monotonic_ns()
        self.under_way[speaker.made.fileno()] = speaker
        data = speaker.before + message_id(self.tag) + speaker.after
        if speaker.made.send(data) != len(data):
            raise RuntimeError("a device could not send its message at once")

    def hear(self, handle: int, data: bytes) -> int:
        """What a listener hears; how many bytes of it are the answer to what it said."""
        speaker = self.under_way.get(handle)
        if speaker is None:
            return 0
        told = speaker.tail + data
        answer = self.dialect.answer_among(told)
        if answer is None:
            speaker.tail = told[-ANSWER_BEGINNING_MAX:]
            return 0
        now = time.monotonic_ns()
        speaker.tail = b""
        self.took.append((now - speaker.since) / 1e9)
        self.yes, self.no = self.yes + answer[1], self.no + (not answer[1])
        del self.under_way[handle]
        self.idle.append(speaker)
        if now < self.end:
            self.speak()
        return answer[0]


def flood(said: dict[str, Any], dialect: Dialect, place: Place) -> dict[str, Any]:
    """One device that waits for nothing, over one connection; what became of its messages."""
    (device,) = said["devices"]
    made = dialect.listen(place, device)
    made.setblocking(False)
    before, _, after = dialect.utterance(place, device, said["size"]).partition(ID_PLACE)
    poll = select.poll()
    poll.register(made.fileno(), select.POLLIN | select.POLLOUT)
    start = time.monotonic_ns()
    end = start + int(said["seconds"] * 1e9)
    rest = tail = b""
    sent = yes = no = 0
    while sent > yes + no or time.monotonic_ns() < end:
        more = sent - yes - no < FLOOD_MAX and time.monotonic_ns() < end
        if more and not rest:
            rest, sent = before + message_id(int(said["tag"])) + after, sent + 1
        poll.modify(made.fileno(), select.POLLIN | (select.POLLOUT if rest else 0))
        for _, event in poll.poll(100):
            if event & select.POLLOUT:
                rest = rest[made.send(rest) :]
            elif event & select.POLLIN:
                tail += made.recv(65_536)
                while (answer := dialect.answer_among(tail)) is not None:
                    yes, no = yes + answer[1], no + (not answer[1])
                    tail = tail[tail.index(b"}", tail.index(b'ed":')) + 1 :]
                tail = tail[-ANSWER_BEGINNING_MAX:]
    made.close()
    return {"yes": yes, "no": no, "start": start, "stop": time.monotonic_ns(), "answer": {}}
