"""Finding nodes on the local network by multicast DNS, when the keeper has chosen it.

The service's name is neutral and an instance's name is chance: neither the community's title nor the host's name goes
out to the household. Text of an answer: the protocol's version and the path prefix, nothing else.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from hedgerow_node.net import bounds
from hedgerow_protocol.ports import Entropy

if TYPE_CHECKING:
    from zeroconf import Zeroconf
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

LOG = logging.getLogger(__name__)

SERVICE: Final = "_hdg._tcp.local."
VERSION: Final = "1"
RESOLVE_MILLISECONDS: Final = 3_000
"""Milliseconds. To ask an instance for its address and port."""

STOP_SECONDS_MAX: Final = 3.0
"""Seconds. To say that this node is leaving."""

PREFIX_CHARACTERS_MAX: Final = 100
"""Characters. A path that another node says it lives below."""


class LanError(Exception):
    """The local network cannot be used; ``str()`` is a sentence."""


@dataclass(slots=True, kw_only=True)
class Lan:
    """Registers this node and looks for others until it is stopped."""

    host: str
    """Where this node listens: on loopback alone, nothing is said beyond this machine."""
    port: int
    prefix: str
    entropy: Entropy
    found: Callable[[str], None]
    """Told the web address of each node that is found."""
    problem: str = ""
    """Why it does not work; empty while it does."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Web addresses by the instance's name."""
    name: str = ""
    _zeroconf: "AsyncZeroconf | None" = None
    _browser: "AsyncServiceBrowser | None" = None
    _asking: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def start(self) -> None:
        """Begin. What goes wrong is a sentence in :attr:`problem` and in the log; the node goes on without."""
        self.name = f"{self.entropy(8).hex()}.{SERVICE}"
        try:
            await self._start()
        except (OSError, LanError, NotImplementedError) as error:
            self.problem = f"The local network cannot be searched: {_why(error)}."
            LOG.warning("%s The node goes on without it.", self.problem)
            await self.stop()
        except Exception as error:  # noqa: BLE001 - zeroconf's own errors share no parent with a meaning
            self.problem = "The local network cannot be searched: multicast DNS did not start."
            LOG.warning("%s The node goes on without it (%s).", self.problem, type(error).__name__)
            await self.stop()

    async def _start(self) -> None:
        from zeroconf import IPVersion
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

        here = await asyncio.to_thread(own_addresses, self.host)
        if not here:
            raise LanError("this machine has no address in a local network")
        six = any(":" in each for each in here)
        four = any(":" not in each for each in here)
        version = IPVersion.All if six and four else IPVersion.V6Only if six else IPVersion.V4Only
        self._zeroconf = AsyncZeroconf(interfaces=list(here), ip_version=version)
        info = AsyncServiceInfo(
            SERVICE,
            self.name,
            port=self.port,
            properties={"v": VERSION, "p": self.prefix},
            server=self.name.replace(f".{SERVICE}", ".local."),
            addresses=[ip_address(each).packed for each in here],
        )
        # The name is chance, so nobody need be asked whether it is taken; that question would take most of a second.
        await self._zeroconf.async_register_service(info, cooperating_responders=True)
        self._browser = AsyncServiceBrowser(self._zeroconf.zeroconf, SERVICE, handlers=[self._changed])

    def _changed(self, zeroconf: "Zeroconf", service_type: str, name: str, state_change: Any) -> None:
        """zeroconf's callback, in the loop."""
        from zeroconf import ServiceStateChange

        if name == self.name or service_type != SERVICE:
            return
        if state_change is ServiceStateChange.Removed:
            self.addresses.pop(name, None)
            return
        if len(self._asking) + len(self.addresses) >= bounds.LAN_PEERS_MAX and name not in self.addresses:
            return
        task = asyncio.get_running_loop().create_task(self._ask(zeroconf, name), name="lan-ask")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, zeroconf: "Zeroconf", name: str) -> None:
        from zeroconf.asyncio import AsyncServiceInfo

        info = AsyncServiceInfo(SERVICE, name)
        try:
            answered = await info.async_request(zeroconf, RESOLVE_MILLISECONDS)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's packet does to a parser
            LOG.debug("A node on the local network could not be asked: %s", type(error).__name__)
            return
        address = address_of(info) if answered else None
        if address is not None:
            self.addresses[name] = address
            self.found(address)

    async def stop(self) -> None:
        """Say goodbye to the local network. Idempotent."""
        for task in list(self._asking):
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        browser, self._browser = self._browser, None
        zeroconf, self._zeroconf = self._zeroconf, None
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                if browser is not None:
                    await browser.async_cancel()
                if zeroconf is not None:
                    await zeroconf.async_unregister_all_services()
                    await zeroconf.async_close()


def address_of(info: "AsyncServiceInfo") -> str | None:
    """The web address an answer speaks of; ``None`` when it is none of ours."""
    properties = info.properties or {}
    version, prefix = properties.get(b"v"), properties.get(b"p") or b""
    if version != VERSION.encode() or not info.port:
        return None
    try:
        path = prefix.decode("ascii")
    except UnicodeDecodeError:
        return None
    if len(path) > PREFIX_CHARACTERS_MAX or (path and not path.startswith("/")):
        return None
    if any(c in "?#@\\" or not c.isprintable() or c.isspace() for c in path) or "//" in path:
        return None
    # A link-local address in IPv6 means nothing without the name of an interface.
    hosts = [each for each in info.parsed_addresses() if not each.lower().startswith("fe80")]
    if not hosts:
        return None
    host = min(hosts, key=lambda each: ":" in each)
    return f"http://[{host}]:{info.port}{path}" if ":" in host else f"http://{host}:{info.port}{path}"


def own_addresses(host: str) -> tuple[str, ...]:
    """The addresses at which others on the same network find a node that listens on ``host``."""
    try:
        address = ip_address(host)
    except ValueError:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            return ()
        return tuple(dict.fromkeys(str(each[4][0]) for each in found))
    if not address.is_unspecified:
        return (host,)
    import ifaddr

    own: list[str] = []
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            text = str(each.ip[0] if isinstance(each.ip, tuple) else each.ip)
            ip = ip_address(text)
            if not ip.is_loopback and not ip.is_link_local and (ip.version == 4 or address.version == 6):
                own.append(text)
    return tuple(dict.fromkeys(own))


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or "for an unknown reason"
