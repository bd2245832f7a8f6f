"""Clients in a process of their own: many that listen and speak, or a few that post. Commands are lines of JSON.

Raw sockets and one ``epoll``, so that what is measured is the server. Of the listeners every n-th is read closely (ids,
seqs, how late each entry came); of the others only the bytes are counted, which must be as many as the first one's.
"""

import base64
import json
import re
import resource
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

from hedgerow_node.bench.rooms_dialects import DIALECTS, ID, ID_PLACE, Dialect, Place, client_frame, message_id
from hedgerow_node.bench.rooms_talk import Talk, flood

SAMPLES: Final = 10
"""Listeners that are read closely."""

ACKNOWLEDGE_SECONDS: Final = 1.0
"""Seconds. Between two acknowledgements of one listener: as the member app does."""

KEEP_SECONDS: Final = 15.0
"""Seconds. Between two unasked pongs, so that no server asks for a sign of life."""

TICK_SECONDS: Final = 0.025

GOODBYE_SECONDS: Final = 5.0
"""Seconds. Who is let go may say goodbye for three of them first."""

STALLED_BUFFER: Final = 32 * 1024
"""Bytes. What the system keeps for a listener that stops reading, so that its silence is noticed soon."""

SHARES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))

_SEQ: Final = re.compile(rb'","seq":(\d+)')
"""Of an entry, which begins with its room; not of an answer."""
_CHUNK: Final = 512 * 1024


@dataclass(slots=True)
class Sample:
    """A listener that is read closely."""

    rest: bytes = b""
    entries: int = 0
    seq: int = 0
    gaps: int = 0
    late: dict[int, list[float]] = field(default_factory=dict)
    """By tag of the sender: seconds from sending to hearing."""

    def hear(self, data: bytes, now: int) -> None:
        """Look at what came."""
        text = self.rest + data
        end = 0
        for found in ID.finditer(text):
            end = found.end()
            self.entries += 1
            raw = base64.urlsafe_b64decode(found.group(1) + b"==")
            sent, tag = struct.unpack("!QB", raw[:9])
            self.late.setdefault(tag, []).append((now - sent) / 1e9)
        for seq in _SEQ.findall(text[:end]) if end else ():
            value = int(seq)
            if value:  # others than the node count nothing
                self.gaps += bool(self.seq) and value != self.seq + 1
                self.seq = value
        self.rest = text[end:]


class Listeners:
    """All listeners of this process."""

    def __init__(self, dialect: Dialect, place: Place, devices: list[list[str]], stalled: int) -> None:
        self.dialect, self.place = dialect, place
        self.poll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        self.bytes: dict[int, int] = {}
        self.samples: dict[int, Sample] = {}
        self.stalled: list[socket.socket] = []
        self.devices: list[tuple[socket.socket, list[str]]] = []
        """Those that read, and whose they are."""
        self.talk: Talk | None = None
        self.last = 0
        self.buffer = bytearray(_CHUNK)
        step = max(1, len(devices) // SAMPLES)
        for index, device in enumerate(devices):
            made = dialect.listen(place, device)
            if index < stalled:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER)
                self.stalled.append(made)
                continue
            made.setblocking(False)
            handle = made.fileno()
            self.sockets[handle] = made
            self.bytes[handle] = 0
            self.devices.append((made, device))
            if index % step == 0 or index == len(devices) - 1:
                self.samples[handle] = Sample()
            self.poll.register(handle, select.EPOLLIN)
        self.order = list(self.sockets)
        self.turn = 0
        self.acknowledged = 0
        self.kept = time.monotonic()

    def read(self, handle: int) -> None:
        """What waits on one."""
        made = self.sockets[handle]
        try:
            size = made.recv_into(self.buffer)
        except BlockingIOError:
            return
        except ConnectionError:
            size = 0
        if not size:
            self.poll.unregister(handle)
            return
        self.last = time.monotonic_ns()
        self.bytes[handle] += size
        sample = self.samples.get(handle)
        talk = self.talk
        if sample is None and (talk is None or handle not in talk.under_way):
            return
        data = bytes(memoryview(self.buffer)[:size])
        if talk is not None:
            self.bytes[handle] -= talk.hear(handle, data)  # an answer is no delivery
        if sample is not None:
            sample.hear(data, self.last)

    def tick(self) -> None:
        """Say what clients say from time to time, some of them at each tick."""
        now = time.monotonic()
        if now - self.kept > KEEP_SECONDS:
            self.kept = now
            for each in [*self.sockets.values(), *self.stalled]:
                _say(each, client_frame(b"", 10) if self.dialect is not DIALECTS["mqtt"] else b"\xc0\0")
        if not self.dialect.acknowledges:
            return
        share = max(1, int(len(self.order) * TICK_SECONDS / ACKNOWLEDGE_SECONDS))
        seq = min((each.seq for each in self.samples.values()), default=0)
        if seq == self.acknowledged and self.turn == 0:
            return
        frame = client_frame(json.dumps({"acknowledge": [[self.place.room, seq]]}).encode())
        for handle in self.order[self.turn : self.turn + share]:
            _say(self.sockets[handle], frame)
        self.turn += share
        if self.turn >= len(self.order):
            self.turn, self.acknowledged = 0, seq

    def speak(self, said: dict[str, Any]) -> dict[str, Any]:
        """Keep so many messages under way for so many seconds, all listeners in turn; what became of them."""
        talk = self.talk = Talk.of(said, self.dialect, self.place, self.devices)
        due = time.monotonic()
        while talk.under_way:
            for ready, _ in self.poll.poll(TICK_SECONDS):
                if ready in self.sockets:
                    self.read(ready)
            if time.monotonic() >= due:
                self.tick()
                due = time.monotonic() + TICK_SECONDS
        self.talk = None
        stop = time.monotonic_ns()
        return {"yes": talk.yes, "no": talk.no, "start": talk.start, "stop": stop, "answer": percentiles(talk.took)}

    def report(self, *, reset: bool) -> dict[str, Any]:
        """What came since the last reset."""
        closely = list(self.samples.values())
        late: dict[str, list[float]] = {}
        for each in closely:
            for tag, values in each.late.items():
                late.setdefault(str(tag), []).extend(values)
        told = {
            "entries": [each.entries for each in closely],
            "bytes": [min(self.bytes.values()), max(self.bytes.values())],
            "gaps": sum(each.gaps for each in closely),
            "last": self.last,
            "late": {tag: percentiles(values) for tag, values in late.items()},
        }
        if reset:
            self.bytes = dict.fromkeys(self.bytes, 0)
            for each in closely:
                each.entries, each.late, each.gaps = 0, {}, 0
        return told

    def ended(self) -> dict[str, Any]:
        """What became of those that do not read: how many the server has let go."""
        gone = 0
        for each in self.stalled:
            each.settimeout(GOODBYE_SECONDS)
            try:
                while each.recv(_CHUNK):
                    pass
                gone += 1
            except TimeoutError:
                pass
            except OSError:
                gone += 1
        return {"gone": gone, "stalled": len(self.stalled)}


def percentiles(values: list[float]) -> dict[str, float]:
    """What is said of many times, in seconds; sorts them."""
    values.sort()
    return {name: values[int(share * (len(values) - 1))] for name, share in SHARES}


def _say(made: socket.socket, data: bytes) -> None:
    try:
        made.send(data)
    except OSError:
        return  # it is being closed, or it is full: a client would wait


def listen(said: dict[str, Any], place: Place) -> None:
    """Be many listeners until stdin ends."""
    dialect = DIALECTS[said["dialect"]]
    made = Listeners(dialect, place, said["devices"], said.get("stalled", 0))
    _tell({"connected": len(made.sockets) + len(made.stalled)})
    handle = sys.stdin.fileno()
    made.poll.register(handle, select.EPOLLIN)
    due = time.monotonic()
    while True:
        for ready, _ in made.poll.poll(TICK_SECONDS):
            if ready != handle:
                made.read(ready)
                continue
            line = sys.stdin.readline()
            if not line:
                return
            asked = json.loads(line)
            if asked["do"] == "speak":
                _tell(made.speak(asked))
            else:
                _tell(made.ended() if asked["do"] == "ended" else made.report(reset=asked["do"] == "reset"))
        if time.monotonic() >= due:
            made.tick()
            due = time.monotonic() + TICK_SECONDS


@dataclass(slots=True)
class Sending:
    """One connection with at most one message under way."""

    made: socket.socket
    since: int = 0
    data: bytes = b""


def send(said: dict[str, Any], place: Place) -> dict[str, Any]:
    """Keep so many messages under way for so many seconds; what became of them.

    Each goes out in the name of the next device: one device alone may not send as much as a server can take.
    ``every``: seconds from one message to the next of a connection, where it is not as fast as it goes.
    """
    dialect = DIALECTS[said["dialect"]]
    tag, every = int(said.get("tag", 0)), float(said.get("every", 0.0))
    requests = [dialect.request(place, device, said["size"]).partition(ID_PLACE)[::2] for device in said["devices"]]
    poll = select.epoll()
    sending: dict[int, Sending] = {}
    turn = 0

    def begin(each: Sending) -> None:
        nonlocal turn
        before, after = requests[turn % len(requests)]
        turn += 1
        each.data, each.since = b"", time.monotonic_ns()
        each.made.sendall(before + message_id(tag) + after)

    for _ in range(said["window"]):
        made = dialect.sender(place)
        sending[made.fileno()] = Sending(made)
        poll.register(made.fileno(), select.EPOLLIN)
    start = time.monotonic_ns()
    end = start + int(said["seconds"] * 1e9)
    waiting: list[tuple[float, Sending]] = []
    for each in sending.values():
        begin(each)
    yes = no = 0
    took: list[float] = []
    underway = len(sending)
    while underway or waiting:
        for handle, _ in poll.poll(0.005 if waiting else 1.0):
            each = sending[handle]
            each.data += each.made.recv(65_536)
            answer = dialect.answered(each.data)
            if answer is None:
                continue
            now = time.monotonic_ns()
            took.append((now - each.since) / 1e9)
            yes, no = yes + answer, no + (not answer)
            underway -= 1
            if now >= end:
                continue
            if every:
                waiting.append((each.since / 1e9 + every, each))
            else:
                begin(each)
                underway += 1
        now_seconds = time.monotonic()
        if waiting and now_seconds * 1e9 >= end:
            waiting.clear()
        for due in [due for due in waiting if due[0] <= now_seconds]:
            waiting.remove(due)
            begin(due[1])
            underway += 1
    stop = time.monotonic_ns()
    for each in sending.values():
        each.made.close()
    return {"yes": yes, "no": no, "start": start, "stop": stop, "answer": percentiles(took)}


def _tell(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


def main() -> None:
    """Do what the first line says."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    said = json.loads(sys.stdin.readline())
    place = Place(**said["place"])
    if said["do"] == "listen":
        listen(said, place)
        return
    _tell(flood(said, DIALECTS[said["dialect"]], place) if said["do"] == "flood" else send(said, place))


if __name__ == "__main__":
    main()
