"""Where in the network an address lies, as coarsely as it costs an attacker something to be in many places.

A *neighbourhood* is what one provider hands out in one piece: an IPv4 /16, an IPv6 /32, a registered domain. Budgets
and dial rules count neighbourhoods, never keys: keys are free. Spec: docs/protocol/peers.md.
"""

import ipaddress
import re
from enum import IntEnum
from functools import lru_cache
from typing import Final, NewType

from hedgerow_protocol import limits
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import NODE_ID_BYTES, NodeId, from_text, to_text

Neighbourhood = NewType("Neighbourhood", bytes)
"""One byte that tells the kind (:class:`Place`), then what tells this place from others of its kind."""

_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

HOST_CHARACTERS_MAX: Final = 253
"""Characters. The longest host name the name system holds."""

PORT_FREE_MIN: Final = 1024
"""Port. Below it, only 80 and 443 are dialled at a stranger's word: nobody makes us knock at mail or shell servers."""


class Place(IntEnum):
    """Kinds of neighbourhood: the first byte."""

    UNKNOWN = 0
    LOOPBACK = 1
    LAN = 2
    IPV4 = 3
    IPV6 = 4
    NAME = 5
    ONION = 6
    RELAY = 7


_PLACES: Final = {bytes((each,)): each for each in Place}
_LAN_RANGES: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_NOWHERE: Final = tuple(
    ipaddress.ip_network(each) for each in ("0.0.0.0/8", "224.0.0.0/3", "::/128", "ff00::/8", "100::/64")
)
_LAN_ENDINGS: Final = frozenset({"local", "lan", "internal", "home", "localdomain", "arpa", "test"})
_ONION: Final = re.compile(r"[a-z2-7]{56}\.onion")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*")
_ADDRESS: Final = re.compile(r"(https?|wss?)://(\[[0-9A-Fa-f:.]+\]|[^/:@?#\[\]\\\s]+)(?::([0-9]{1,5}))?(/[^?#\s]*)?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
RELAY_PREFIX: Final = "relay:"


@lru_cache(maxsize=4096)
def neighbourhood_of(address: str) -> Neighbourhood:
    """The neighbourhood of an address in whatever form a socket, a person or an announcement gives it.

    Never raises; what cannot be read is in one common neighbourhood of kind ``UNKNOWN``.
    """
    text = address.strip()
    if text[: len(RELAY_PREFIX)].lower() == RELAY_PREFIX:
        relay = relay_of(text.lower())
        return _make(Place.RELAY, relay) if relay is not None else _make(Place.UNKNOWN)
    host = _host(text)
    ip = _read_ip(host)
    return _of_ip(_unwrap(ip)) if ip is not None else _of_name(host)


def place_of(neighbourhood: Neighbourhood) -> Place:
    """The kind of a neighbourhood."""
    return _PLACES.get(neighbourhood[:1], Place.UNKNOWN)


def is_local(neighbourhood: Neighbourhood) -> bool:
    """On this machine or in this household: rules about variety make no sense there and do not apply."""
    return place_of(neighbourhood) in (Place.LOOPBACK, Place.LAN)


def wide_of(neighbourhood: Neighbourhood) -> Neighbourhood | None:
    """The whole kind, where new places of that kind cost nothing and must share one limit.

    Onion addresses and relay places are made for free; local ones are told apart by key only, and visitors through a
    proxy of our own look local too. ``None`` where a place costs money.
    """
    place = place_of(neighbourhood)
    return None if place in (Place.IPV4, Place.IPV6, Place.NAME) else _make(place)


def may_tell(address: Neighbourhood, listener: Neighbourhood) -> bool:
    """Whether an address there may be told to somebody there, and believed when somebody there tells it.

    What is only reachable from inside stays inside: it would tell strangers about a household, and a stranger could
    make this node knock at doors behind its own firewall.
    """
    place, other = place_of(address), place_of(listener)
    if place is Place.LOOPBACK:
        return other is Place.LOOPBACK
    if place is Place.LAN:
        return other in (Place.LOOPBACK, Place.LAN)
    return place is not Place.UNKNOWN


def relay_of(address: str) -> NodeId | None:
    """The relay that ``relay:<node id>`` names; ``None`` for every other address."""
    if not address.startswith(RELAY_PREFIX):
        return None
    try:
        return NodeId(from_text(address[len(RELAY_PREFIX) :], NODE_ID_BYTES))
    except RemoteError:
        return None


def check_address(text: str) -> str:
    """The one form in which an address stands in an announcement. Raises only :class:`RemoteError`.

    ``https://host[:port][/path]``, ``http://…`` (the channel inside brings its own secrecy; onion services use it), or
    ``relay:<node id>``. ``ws`` and ``wss`` become ``http`` and ``https``; host in lower case, no default port, no
    slash at the end.
    """
    if len(text.encode("utf-8", "surrogatepass")) > limits.NODE_ADDRESS_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"An address has at most {limits.NODE_ADDRESS_BYTES_MAX} bytes.")
    if text.startswith(RELAY_PREFIX):
        relay = relay_of(text)
        if relay is None:
            raise RemoteError(Code.BAD_FIELD, "An address through a relay names a node.")
        return RELAY_PREFIX + to_text(relay)
    head, colon, rest = text.partition("://")
    match = _ADDRESS.fullmatch(head.lower() + colon + rest)
    if match is None or not text.isascii():
        raise RemoteError(Code.BAD_FIELD, "An address looks like https://example.org, perhaps with a port and a path.")
    scheme, host, port, path = match.groups()
    scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    return f"{scheme}://{_check_host(host)}{_check_port(scheme, port)}{_check_path(path or '')}"


def _check_host(host: str) -> str:
    if host.startswith("["):
        ip = _read_ip(host[1:-1])
        if not isinstance(ip, ipaddress.IPv6Address):
            raise RemoteError(Code.BAD_FIELD, "What stands in brackets is not an IPv6 address.")
        ip = ip.ipv4_mapped or ip
    else:
        ip = _read_ip(host)
    if ip is not None:
        if _is_nowhere(ip):
            raise RemoteError(Code.BAD_FIELD, "Nobody can be reached at this address.")
        return f"[{ip}]" if ip.version == 6 else str(ip)
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    # A last label of digits is read by some systems as an IPv4 address ("127.1", "0x7f000001"); by others not.
    numeric = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1])
    if len(host) > HOST_CHARACTERS_MAX or numeric or not all(_LABEL.fullmatch(label) for label in labels):
        raise RemoteError(Code.BAD_FIELD, "This is not the name of a machine.")
    if labels[-1] == "onion" and not _ONION.fullmatch(host):
        raise RemoteError(Code.BAD_FIELD, "An onion address has 56 letters and digits before .onion.")
    return host


def _check_port(scheme: str, text: str | None) -> str:
    if text is None:
        return ""
    port = int(text)
    if port > 65_535 or (port < PORT_FREE_MIN and port not in _DEFAULT_PORTS.values()):
        raise RemoteError(Code.BAD_FIELD, "A port is 80, 443, or between 1024 and 65535.")
    return "" if port == _DEFAULT_PORTS[scheme] else f":{port}"


def _check_path(path: str) -> str:
    path = path.rstrip("/")
    if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise RemoteError(Code.BAD_FIELD, "The path of this address holds something that no path needs.")
    return path


def _make(place: Place, rest: bytes = b"") -> Neighbourhood:
    return Neighbourhood(bytes((place,)) + rest)


def _host(text: str) -> str:
    """The host alone: without scheme, user, port, path, brackets and zone."""
    _, mark, rest = text.partition("://")
    host = re.split(r"[/?#\\]", rest if mark else text, maxsplit=1)[0].rpartition("@")[2]
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return host.partition("%")[0].lower().removesuffix(".")


def _read_ip(host: str) -> _Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unwrap(ip: _Ip) -> _Ip:
    """The IPv4 address inside an IPv6 one that only carries it: it costs what the IPv4 address costs."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if inner is None and ip in _NAT64:
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return inner or ip


def _is_nowhere(ip: _Ip) -> bool:
    return any(ip.version == each.version and ip in each for each in _NOWHERE)


def _of_ip(ip: _Ip) -> Neighbourhood:
    if ip.is_loopback:
        return _make(Place.LOOPBACK)
    if any(ip.version == each.version and ip in each for each in _LAN_RANGES):
        return _make(Place.LAN)
    if _is_nowhere(ip):
        return _make(Place.UNKNOWN)
    if ip.version == 4:
        return _make(Place.IPV4, ip.packed[:2])
    return _make(Place.IPV6, ip.packed[:4])


def _of_name(host: str) -> Neighbourhood:
    labels = host.split(".")
    if not host.isascii() or len(host) > HOST_CHARACTERS_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        return _make(Place.UNKNOWN)
    if labels[-1] == "localhost":
        return _make(Place.LOOPBACK)
    if labels[-1] == "onion":
        return _make(Place.ONION, labels[-2][-56:].encode()) if len(labels) > 1 else _make(Place.UNKNOWN)
    if len(labels) == 1 or labels[-1] in _LAN_ENDINGS:
        return _make(Place.LAN)
    return _make(Place.NAME, ".".join(labels[-2:]).encode())
