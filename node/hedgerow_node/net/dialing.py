"""Dialling other nodes: from a web address to an open WebSocket, directly or through a SOCKS proxy.

No redirect is followed, no proxy of the environment is used, no cookie is kept, and an address that a stranger named
never makes this node speak to machines inside its own house.
"""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver, ResolveResult

from hedgerow_node.net import bounds
from hedgerow_node.net.transport import Transport
from hedgerow_node.net.websocket import AIOHTTP_MESSAGE_MAX, PATH, WebSocketTransport

if TYPE_CHECKING:
    from ssl import SSLContext

ONION: Final = ".onion"


class DialError(Exception):
    """Nobody could be reached; ``str()`` is a sentence without the address."""


def peer_url(address: str) -> str:
    """The WebSocket address behind a node's web address: ``https://example.org/groups`` is dialled at
    ``wss://example.org/groups/peer``. Raises :class:`DialError`."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise DialError("This is not a web address.") from None
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise DialError("This is not a web address.")
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(PATH)}{PATH}"


def is_onion(address: str) -> bool:
    """Whether only Tor finds the way there."""
    return (urlsplit(address).hostname or "").rstrip(".").lower().endswith(ONION)


def is_inside(host: str) -> bool:
    """Whether an IP address belongs to this machine or a local network, and not to the internet."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return not (mapped or address).is_global


class Dialer:
    """Opens WebSockets. An async context manager."""

    def __init__(
        self,
        *,
        tor_proxy: str = "",
        ssl: "SSLContext | None" = None,
        connect_seconds: float = bounds.CONNECT_SECONDS_MAX,
    ) -> None:
        """``tor_proxy`` is ``host:port`` of a SOCKS 5 proxy; ``ssl`` stands in for the system's certificates."""
        self._tor_proxy = tor_proxy
        self._ssl = ssl
        self._seconds = connect_seconds
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def connect(self, address: str, *, inside: bool = False) -> Transport:
        """Open a WebSocket to the node at this web address. Raises :class:`DialError`.

        ``inside`` allows machines of the local network and this one: for addresses the keeper or the LAN named.
        """
        url = peer_url(address)
        host = urlsplit(url).hostname or ""
        onion = is_onion(url)
        if onion and not self._tor_proxy:
            raise DialError("This address is an onion, and no tor_proxy is set.")
        if not inside and not onion and is_inside(host):
            raise DialError("A stranger named an address inside the local network.")
        session = self._session("onion" if onion else "inside" if inside else "outside")
        try:
            async with asyncio.timeout(self._seconds):
                ws = await session.ws_connect(
                    url,
                    compress=0,
                    max_msg_size=AIOHTTP_MESSAGE_MAX,
                    timeout=aiohttp.ClientWSTimeout(ws_close=bounds.GOODBYE_SECONDS_MAX),
                    ssl=self._ssl or True,
                )
        except TimeoutError:
            raise DialError("Nobody answered in time.") from None
        except aiohttp.WSServerHandshakeError as error:
            raise DialError(f"No node answers there (status {error.status}).") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise DialError(_sentence(error)) from error
        except Exception as error:
            if _is_proxy_error(error):
                raise DialError("The SOCKS proxy could not reach it.") from error
            raise
        # aiohttp's client has no public way to drop a connection at once; its response has.
        return WebSocketTransport(ws, ws._response.close)

    def _session(self, kind: str) -> aiohttp.ClientSession:
        session = self._sessions.get(kind)
        if session is None:
            session = aiohttp.ClientSession(
                connector=self._connector(kind),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._seconds),
                skip_auto_headers=(hdrs.USER_AGENT, hdrs.ACCEPT_ENCODING, hdrs.ACCEPT),
                middlewares=(_no_redirects,),
            )
            self._sessions[kind] = session
        return session

    def _connector(self, kind: str) -> aiohttp.BaseConnector:
        if kind == "onion":
            from aiohttp_socks import ProxyConnector

            # The name goes to the proxy: an onion address must never be asked of a name server.
            return ProxyConnector.from_url(f"socks5://{self._tor_proxy}", rdns=True, limit=0, force_close=True)
        resolver = None if kind == "inside" else _OutsideResolver()
        return aiohttp.TCPConnector(limit=0, force_close=True, resolver=resolver, use_dns_cache=False)

    async def close(self) -> None:
        """Close what is open."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def __aenter__(self) -> "Dialer":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _OutsideResolver(AbstractResolver):
    """The system's resolver, without answers that point inside: a name is only a stranger's word."""

    def __init__(self) -> None:
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [each for each in await self._inner.resolve(host, port, family) if not is_inside(each["host"])]
        if not found:
            raise OSError("This name points inside the local network.")
        return found

    async def close(self) -> None:
        await self._inner.close()


class _RedirectedError(aiohttp.ClientError):
    """Somebody sent us elsewhere."""


async def _no_redirects(
    request: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Any]
) -> aiohttp.ClientResponse:
    response: aiohttp.ClientResponse = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise _RedirectedError("redirected")
    return response


def _sentence(error: BaseException) -> str:
    match error:
        case _RedirectedError():
            return "The address leads elsewhere; nodes follow no redirects."
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "Its certificate is not valid."
        case aiohttp.ClientConnectorDNSError():
            return "There is no such name, or it points inside the local network."
        case ConnectionRefusedError():
            return "Nothing listens there."
        case aiohttp.ClientConnectorError():
            return "It cannot be reached."
        case _:
            return "No node answers there."


def _is_proxy_error(error: Exception) -> bool:
    return type(error).__module__.startswith(("python_socks", "aiohttp_socks"))
