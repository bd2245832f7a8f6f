"""The reference for fan-out: as little as is still durable, on the same libraries. Prints its address.

It takes what the node takes, by POST or over the socket that listens, and tells what the node tells (JSON with
base64url in it): each message is stored (SQLite, WAL, ``synchronous = FULL``, a writer thread with group commit), then
written to all connected sockets, in one joined write for each and with the answer to what came over it. No accounts,
rooms, cursors, chain of hashes, checks or limits.
"""

import asyncio
import base64
import json
import queue
import sqlite3
import struct
import sys
import threading
from typing import Any, TypeAlias

from aiohttp import WSMsgType, web

TOGETHER_MAX = 64


Waiting: TypeAlias = "asyncio.Future[int] | tuple[asyncio.WriteTransport, int]"
"""Who waits for a seq: a request, or a socket with the number of its submission."""
Job: TypeAlias = tuple[dict[str, Any], bytes, Waiting]
"""What was said, its payload, and who waits for its seq."""


class Bare:
    """The store, its writer thread, and the sockets."""

    def __init__(self, path: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.transports: list[asyncio.WriteTransport] = []
        self.jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.seq = 0
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, submission TEXT, payload BLOB)")
        threading.Thread(target=self.write_forever, daemon=True).start()

    def write_forever(self) -> None:
        """Store whatever waits, all of it in one transaction."""
        while True:
            group = [self.jobs.get()]
            while len(group) < TOGETHER_MAX and not self.jobs.empty():
                group.append(self.jobs.get())
            rows = [(said["id"], payload) for said, payload, _ in group]
            self.connection.execute("BEGIN")
            self.connection.executemany("INSERT INTO entry (submission, payload) VALUES (?, ?)", rows)
            self.connection.execute("COMMIT")
            self.loop.call_soon_threadsafe(self.stored, group)

    def stored(self, group: list[Job]) -> None:
        """Tell everybody, then those who sent."""
        first = self.seq + 1
        self.seq += len(group)
        data = b"".join(frame(seq, said) for seq, (said, _, _) in enumerate(group, first))
        answers: dict[asyncio.WriteTransport, bytes] = {}
        for seq, (_, _, waiting) in enumerate(group, first):
            if isinstance(waiting, tuple):
                transport, number = waiting
                answers[transport] = answers.get(transport, b"") + answer(number, seq)
        for transport in self.transports:
            transport.write(data + answers[transport] if transport in answers else data)
        for seq, (_, _, waiting) in enumerate(group, first):
            if not isinstance(waiting, tuple):
                waiting.set_result(seq)

    def put(self, said: dict[str, Any], waiting: Waiting) -> None:
        """Give a message to the writer."""
        self.jobs.put((said, base64.urlsafe_b64decode(said["payload"] + "=="), waiting))

    async def append(self, request: web.Request) -> web.Response:
        """``POST /append``."""
        said = await request.json()
        future: asyncio.Future[int] = self.loop.create_future()
        self.put(said, future)
        return web.json_response({"seq": await future})

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        """``GET /live``: hears everything, and takes ``{"submit": {…}, "n": …}``."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        transport = request.transport
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
        await socket.send_str('{"hello":{}}')
        self.transports.append(transport)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    said = json.loads(message.data)
                    self.put(said["submit"], (transport, said["n"]))
        finally:
            self.transports.remove(transport)
        return socket


def frame(seq: int, said: dict[str, Any]) -> bytes:
    """One text frame (RFC 6455, 5.2) for everybody."""
    entry = {"room": said["room"], "seq": seq, "epoch": said["epoch"], "id": said["id"], "payload": said["payload"]}
    body = json.dumps({"entries": [entry]}, separators=(",", ":")).encode()
    return struct.pack("!BBH", 0x81, 126, len(body)) + body


def answer(number: int, seq: int) -> bytes:
    """One text frame for whoever submitted over its socket."""
    body = json.dumps({"submitted": number, "seq": seq}, separators=(",", ":")).encode()
    return bytes((0x81, len(body))) + body


async def main(path: str) -> None:
    """Serve until killed."""
    bare = Bare(path)
    app = web.Application()
    app.router.add_post("/append", bare.append)
    app.router.add_get("/live", bare.live)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
