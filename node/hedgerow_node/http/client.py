"""Who is asking, and by which name: addresses behind trusted proxies, and host names that are really ours.

A source address is never trusted for access; it only bounds how much one visitor may ask for, and tells whether the
connection can be read on its way.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import web

LOCAL_SUFFIXES = (".localhost", ".local", ".lan", ".home.arpa", ".internal", ".test", ".onion")
"""Names nobody can register, so no stranger can point one at this machine (RFC 6761, 6762, 7686, 8375)."""

FORWARDED_HOPS_MAX = 16
"""Addresses read from the end of X-Forwarded-For."""

_HOST = re.compile(r"[A-Za-z0-9._\-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
"""A host as it stands in an address (RFC 3986, 3.2.2), names in their ASCII form."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of one request's sender."""

    address: str
    """The visitor's address, cut to the network part that one subscriber has (/64 in IPv6)."""
    loopback: bool
    """The visitor sits at this machine, or comes through a local proxy or Tor."""
    secure: bool
    """Nobody between can read or change the connection: https, or it never leaves this machine."""
    scheme: str
    proxied: bool
    """A trusted proxy brought it."""


class Callers:
    """Judges requests by the configured proxies."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._trusted: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(each, strict=False) for each in trusted_proxies
        )

    def is_trusted(self, address: Address | None) -> bool:
        """Whether this address is one of the proxies the keeper named."""
        return address is not None and any(
            address.version == each.version and address in each for each in self._trusted
        )

    def of(self, request: web.BaseRequest) -> Caller:
        """Read what the connection, and only then what a trusted proxy, says."""
        remote, scheme, headers = request.remote or "", request.scheme, request.headers
        if not self._trusted or not self.is_trusted(parse_address(remote)):
            # An untrusted proxy's headers are not believed, but they tell that the connection came from elsewhere.
            return _direct(remote, scheme, "X-Forwarded-For" in headers or "Forwarded" in headers)
        peer = parse_address(remote)
        forwarded = headers.get("X-Forwarded-Proto", "").strip().lower()
        scheme = forwarded if forwarded in ("http", "https") else scheme
        client = self._forwarded_for(headers.get("X-Forwarded-For", ""), peer)
        local = client is not None and client.is_loopback
        return Caller(subscriber(client), local, scheme == "https" or local, scheme, True)

    def address_of(self, request: web.BaseRequest) -> Address | None:
        """The visitor's whole address, as far as it is known: for the links of other nodes, never for a log."""
        peer = parse_address(request.remote or "")
        if self._trusted and self.is_trusted(peer):
            return self._forwarded_for(request.headers.get("X-Forwarded-For", ""), peer)
        return peer

    def host_of(self, request: web.BaseRequest) -> str:
        """The host (and port) the visitor typed."""
        if (
            self._trusted
            and "X-Forwarded-Host" in request.headers
            and self.is_trusted(parse_address(request.remote or ""))
        ):
            return request.headers["X-Forwarded-Host"].split(",")[0].strip()
        return request.headers.get("Host", "")

    def _forwarded_for(self, header: str, peer: Address | None) -> Address | None:
        """The last address that is not one of our proxies: what stands before it is the visitor's own claim."""
        client = peer
        for part in reversed(header.split(",")[-FORWARDED_HOPS_MAX:]):
            address = parse_address(part.strip())
            if address is None:
                break
            client = address
            if not self.is_trusted(address):
                break
        return client


@lru_cache(maxsize=1024)
def _direct(remote: str, scheme: str, relayed: bool) -> Caller:
    peer = parse_address(remote)
    local = peer is None or peer.is_loopback  # no peer address: a unix socket
    return Caller(subscriber(peer), local, scheme == "https" or (local and not relayed), scheme, False)


@lru_cache(maxsize=256)
def parse_address(text: str) -> Address | None:
    """An IP address, an IPv4 one also where IPv6 carries it; ``None`` when it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def subscriber(address: Address | None) -> str:
    """An address as the limits count it: whole in IPv4, its /64 in IPv6, empty when unknown."""
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address) if address else ""


class Hosts:
    """Which ``Host`` headers are answered: the configured names, addresses, and names that only a LAN gives out.

    A page of a stranger can make its own name point at this machine (DNS rebinding) and so read what is served here
    as if it were its own; it can do that only with a name that it can register.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        hosts = (urlsplit(each).hostname for each in addresses if each)
        self._names = frozenset(host for host in hosts if host)
        self._check = lru_cache(maxsize=64)(self._is_ours)

    def is_ours(self, host: str) -> bool:
        """Whether a ``Host`` header (name or address, with or without port) is answered; empty ones are."""
        return self._check(host)

    def _is_ours(self, host: str) -> bool:
        if not host:
            return True
        if not _HOST.fullmatch(host):
            return False
        try:
            parts = urlsplit(f"//{host}")
            name = (parts.hostname or "").rstrip(".")
            _ = parts.port
        except ValueError:
            return False
        if not name:
            return False
        if name in self._names or parse_address(name) is not None:
            return True
        return "." not in name or name.endswith(LOCAL_SUFFIXES)


def origin_is_ours(request: web.BaseRequest, host: str) -> bool:
    """Whether a request that changes something comes from one of our own pages.

    ``Sec-Fetch-Site`` decides where the browser sends it (https and localhost). Else ``Origin`` does, except ``null``:
    our own pages send that too, because they ask for no referrer; what matters then carries a token of its own.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None or origin == "null":
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
