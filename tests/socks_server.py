"""A SOCKS 5 proxy as small as can be (RFC 1928, no authentication), which knows some names of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class SocksServer:
    """Leads names to ports of this machine; everything else is unreachable."""

    names: dict[str, int]
    port: int = 0
    asked: list[tuple[int, str]] = field(default_factory=list)
    """Kind of address (3: a name) and address of each request."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        _, command, _, kind = await reader.readexactly(4)
        size = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        host = await reader.readexactly(size)
        await reader.readexactly(2)
        name = host.decode() if kind == 3 else host.hex()
        self.asked.append((kind, name))
        port = self.names.get(name)
        if command != 1 or port is None:
            writer.write(b"\x05\x04\x00\x01" + bytes(6))
            await writer.drain()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            far_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def socks_server(names: dict[str, int]) -> AsyncIterator[SocksServer]:
    """Run one until the block ends."""
    socks = SocksServer(names)
    server = await asyncio.start_server(socks.serve, "127.0.0.1", 0)
    socks.port = server.sockets[0].getsockname()[1]
    try:
        yield socks
    finally:
        server.close()
        for task in list(socks.tasks):
            task.cancel()
        await asyncio.gather(*socks.tasks, return_exceptions=True)
        await server.wait_closed()
