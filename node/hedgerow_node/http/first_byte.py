"""One port for https and http: the first byte of a connection tells which it is (a TLS record begins with 22).

A node with a certificate of its own goes on speaking http on the same port, because a device that does not trust the
certificate yet must be able to read how it can, and because other nodes come in with a channel of their own.

asyncio can wrap a socket in TLS only before anything was read from it, so the byte is looked at and left where it is.
"""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from hedgerow_node.http import bounds
from hedgerow_node.http.connections import Door

LOG = logging.getLogger(__name__)

TLS_HANDSHAKE: Final = b"\x16"
"""The first byte of a TLS connection (RFC 8446, 5.1); no HTTP request begins with it."""

ACCEPT_AT_ONCE: Final = 64
"""Connections taken in one turn of the loop, so that those that are open get theirs, too."""

ACCEPT_AGAIN_SECONDS: Final = 1.0
"""Seconds. Before trying again when the system has no file descriptors left."""


class BothServer:
    """Listens on sockets and gives each connection to ``factory``, behind TLS where it begins with TLS.

    Until it has shown its first byte and, with TLS, ended its handshake, a connection is counted here, by the rules of
    the :class:`Door`; then the door counts it.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        factory: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext,
        door: Door,
    ) -> None:
        self.sockets = tuple(sockets)
        self._factory = factory
        self._context = context
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._silent: dict[socket.socket, asyncio.TimerHandle] = {}
        self._shaking: set[asyncio.Task[None]] = set()
        self._keys: dict[socket.socket, str] = {}
        self._counts: Counter[str] = Counter()
        self._closed = False
        for each in self.sockets:
            self._loop.add_reader(each, self._accept, each)

    @property
    def waiting(self) -> int:
        """Connections that have not begun, or whose handshake is not at its end."""
        return len(self._keys)

    def close(self) -> None:
        """Take no more connections, and drop those that have not begun."""
        self._closed = True
        for each in self.sockets:
            self._loop.remove_reader(each)
            each.close()
        for each in list(self._silent):
            self._drop(each)
        for task in self._shaking:
            task.cancel()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPT_AT_ONCE):
            try:
                connection, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                LOG.warning("No connection can be taken just now: too many files are open.")
                self._loop.remove_reader(listening)
                self._loop.call_later(ACCEPT_AGAIN_SECONDS, self._again, listening)
                return
            self._wait_for(connection, str(address[0]))

    def _again(self, listening: socket.socket) -> None:
        if not self._closed:
            self._loop.add_reader(listening, self._accept, listening)

    def _wait_for(self, connection: socket.socket, remote: str) -> None:
        connection.setblocking(False)
        key = self._door.key_of(remote)
        many = len(self._keys) + len(self._door.handlers)
        if many >= self._door.connections_max or (key and self._counts[key] >= self._door.per_address_max):
            self._door.refused += 1
            connection.close()
            return
        self._keys[connection] = key
        self._counts[key] += 1
        self._silent[connection] = self._loop.call_later(self._door.head_seconds, self._late, connection)
        self._loop.add_reader(connection, self._look, connection)

    def _late(self, connection: socket.socket) -> None:
        self._door.refused += 1
        self._drop(connection)

    def _look(self, connection: socket.socket) -> None:
        try:
            first = connection.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        if not first:
            self._drop(connection)
            return
        self._silent.pop(connection).cancel()
        self._loop.remove_reader(connection)
        task = self._loop.create_task(self._hand_over(connection, tls=first == TLS_HANDSHAKE), name="street handshake")
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _hand_over(self, connection: socket.socket, *, tls: bool) -> None:
        seconds = self._door.head_seconds if tls else None
        try:
            await self._loop.connect_accepted_socket(
                self._factory,
                connection,
                ssl=self._context if tls else None,
                ssl_handshake_timeout=seconds,
                ssl_shutdown_timeout=bounds.TLS_CLOSE_SECONDS_MAX if tls else None,
            )
        except (OSError, ssl.SSLError):
            # A device that does not trust the certificate ends here: that is its right, and no news for a log.
            LOG.debug("A handshake ended early")
        finally:
            self._forget(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._silent.pop(connection).cancel()
        self._loop.remove_reader(connection)
        self._forget(connection)
        connection.close()

    def _forget(self, connection: socket.socket) -> None:
        key = self._keys.pop(connection)
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]


async def listen_both(
    host: str, port: int, factory: Callable[[], asyncio.Protocol], context: ssl.SSLContext, door: Door
) -> BothServer:
    """Open the port on every address of ``host``. Raises :class:`OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            opened = socket.socket(family, kind, protocol)
            sockets.append(opened)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.setblocking(False)
            opened.bind(address)
            opened.listen(bounds.BACKLOG_MAX)
    except OSError:
        for each in sockets:
            each.close()
        raise
    return BothServer(sockets, factory, context, door)
