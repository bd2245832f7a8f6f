"""Which names and addresses a node's own certificate may stand for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

AUTHORITY_CERTIFICATE: Final = "authority.crt"
AUTHORITY_KEY: Final = "authority.key"
SERVER_CERTIFICATE: Final = "server.crt"
SERVER_KEY: Final = "server.key"
FILES: Final = (AUTHORITY_CERTIFICATE, AUTHORITY_KEY, SERVER_CERTIFICATE, SERVER_KEY)
"""In the data folder; a backup holds them all."""

NAMES_MAX: Final = 8
"""Names, and as many addresses. A house has one or two of each."""

_NAME = re.compile(r"(?=.{3,253}\Z)([a-z0-9](-?[a-z0-9]){0,62}\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
"""A host name in its ASCII form, with at least one dot (RFC 1123, 2.1)."""

_TOO_WIDE = frozenset(("home.arpa", "co.uk", "com.au"))
"""Names below which other people's machines stand. Single words (``local``) are refused anyway."""

Address = IPv4Address | IPv6Address


class TlsError(Exception):
    """The certificate cannot be made or used; ``str()`` is a sentence."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a certificate stands for: at least one of both."""

    names: tuple[str, ...]
    addresses: tuple[Address, ...]

    @property
    def first(self) -> str:
        """The one that stands for all where only one can be shown."""
        return self.names[0] if self.names else str(self.addresses[0])

    @property
    def hosts(self) -> tuple[str, ...]:
        """All of them as they stand in a web address."""
        return (*self.names, *(f"[{each}]" if each.version == 6 else str(each) for each in self.addresses))


def read_names(names: Sequence[str], addresses: Sequence[str]) -> Names:
    """Check what somebody typed. Raises :class:`TlsError`."""
    if not names and not addresses:
        raise TlsError("Say at least one name (--name) or address (--address) that people will type.")
    if len(names) > NAMES_MAX or len(addresses) > NAMES_MAX:
        raise TlsError(f"At most {NAMES_MAX} names and {NAMES_MAX} addresses fit.")
    return Names(tuple(dict.fromkeys(map(_name, names))), tuple(dict.fromkeys(map(_address, addresses))))


def _name(said: str) -> str:
    name = said.strip().rstrip(".").lower()
    if not _NAME.fullmatch(name) or any(len(label) > 63 for label in name.split(".")):
        raise TlsError(f"{said[:60]!r} is not a whole name such as hedgerow.local. Say addresses with --address.")
    if name in _TOO_WIDE or name.endswith(".localhost"):
        raise TlsError(f"{name} is too wide a name: other machines stand below it. Choose one of your own.")
    return name


def _address(said: str) -> Address:
    try:
        address = ip_address(said.strip().strip("[]"))
    except ValueError:
        raise TlsError(f"{said[:60]!r} is not an address such as 192.168.1.20.") from None
    if address.is_loopback or address.is_unspecified or address.is_multicast or getattr(address, "scope_id", None):
        raise TlsError(f"{address} does not lead to this machine from elsewhere, so it needs no certificate.")
    return address
