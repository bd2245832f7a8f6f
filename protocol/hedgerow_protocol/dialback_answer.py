"""Dialling a peer back at its wish, without becoming anybody's weapon.

A node dials only where the peer itself sits as we see it, or a host name, rarely, and only what can be a node. What is
not granted is not answered, so that "no" always means "we tried". Spec: docs/protocol/relaying.md.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from hedgerow_protocol import relay_limits
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import DialBack, DialedBack
from hedgerow_protocol.neighbourhood import Place, check_address, is_local, may_tell, neighbourhood_of, place_of
from hedgerow_protocol.ports import Instant, Now
from hedgerow_protocol.relay_values import SendMessage


@dataclass(frozen=True, slots=True)
class DialWish:
    """Open a channel at this address to see whether this node is there, say nothing more, and tell the outcome."""

    address: str
    """In the form of :func:`hedgerow_protocol.neighbourhood.check_address`."""
    peer: NodeId
    public_only: bool
    """The name must not lead to an address that is not global: the peer is not from our own network."""


@dataclass(frozen=True, slots=True)
class _Pending:
    link: int
    peer: NodeId
    address: str
    nonce: bytes
    until: Instant


class DialBacks:
    """The answering side. ``onion``: this node has a way into Tor."""

    def __init__(self, *, onion: bool = False) -> None:
        self._onion = onion
        self._pending: list[_Pending] = []
        self._lately: dict[NodeId | str, Instant] = {}
        self.refused = 0
        """Wishes that were not granted."""

    def wished(
        self, link: int, peer: NodeId, seen: str, message: DialBack, now: Now, *, relayed: bool
    ) -> list[DialWish]:
        """A peer asks; ``seen`` is its address as the link shows it. Gives one dial or, when refused, nothing."""
        self._forget(now.instant)
        address = None if relayed else self._checked(message.address, seen)
        door = "" if address is None else urlsplit(address).netloc
        if address is None or not self._free(peer, door):
            self.refused += 1
            return []
        self._lately[peer] = self._lately[door] = now.instant
        until = Instant(now.instant + relay_limits.DIAL_BACK_SECONDS_MAX)
        self._pending.append(_Pending(link, peer, address, message.nonce, until))
        return [DialWish(address, peer, public_only=not is_local(neighbourhood_of(seen)))]

    def outcome(self, address: str, peer: NodeId, now: Now, *, reached: bool) -> list[SendMessage]:
        """A dial has ended. ``reached``: a channel was opened at the address, and this very node was there."""
        self._forget(now.instant)
        ended = [each for each in self._pending if each.address == address and each.peer == peer]
        self._pending = [each for each in self._pending if each not in ended]
        return [SendMessage(each.link, DialedBack(each.nonce, reached)) for each in ended]

    def link_down(self, link: int) -> None:
        """Nobody waits for the answer any more."""
        self._pending = [each for each in self._pending if each.link != link]

    def _checked(self, told: str, seen: str) -> str | None:
        """An address where we may dial, or ``None``: never let a peer aim us at somebody else."""
        try:
            address = check_address(told)
        except RemoteError:
            return None
        there, here = neighbourhood_of(address), neighbourhood_of(seen)
        ip = _ip(address)
        if ip is not None:
            allowed = ip == _ip(seen if "://" in seen else "//" + seen)
        elif place_of(there) is Place.ONION:
            allowed = self._onion
        else:
            allowed = place_of(there) in (Place.LOOPBACK, Place.LAN, Place.NAME) and may_tell(there, here)
        return address if allowed and place_of(here) is not Place.UNKNOWN else None

    def _free(self, peer: NodeId, door: str) -> bool:
        return (
            len(self._pending) < relay_limits.DIAL_BACK_PENDING_MAX
            and len(self._lately) + 2 <= relay_limits.DIAL_BACK_REMEMBERED_MAX
            and peer not in self._lately
            and door not in self._lately
        )

    def _forget(self, now: Instant) -> None:
        self._pending = [each for each in self._pending if each.until > now]
        self._lately = {
            who: when for who, when in self._lately.items() if now - when < relay_limits.DIAL_BACK_PEER_SECONDS
        }


def _ip(url: str) -> IPv4Address | IPv6Address | None:
    try:
        ip = ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
