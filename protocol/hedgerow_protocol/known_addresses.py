"""Addresses that are dialled again and again: those a keeper chose, and those found on the local network."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hedgerow_protocol.chance import Chance
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.neighbourhood import check_address
from hedgerow_protocol.ports import Instant

REDIAL_SECONDS_MIN: Final = 2.0
"""Seconds. Before an address is dialled again; twice as long after each failure, give or take a quarter."""

REDIAL_SECONDS_MAX: Final = 300.0
"""Seconds. The longest pause: a friend's node that was off all night is found within five minutes."""

STEADY_SECONDS: Final = 60.0
"""Seconds. A link that lasted so long ended by chance; one that ended sooner counts as a failure."""

LONG_AGO: Final = Instant(float("-inf"))


@dataclass(slots=True)
class KnownAddress:
    """One address and how it went."""

    address: str
    peer: NodeId | None = None
    """Who answered there last."""
    failures: int = 0
    not_before: Instant = LONG_AGO
    opened: Instant = LONG_AGO


class KnownAddresses:
    """At most ``most`` addresses, each with its own back-off; the one that failed oftenest makes room for another."""

    def __init__(self, chance: Chance, most: int) -> None:
        self._chance = chance
        self._most = most
        self._known: dict[str, KnownAddress] = {}

    def __iter__(self) -> Iterator[KnownAddress]:
        return iter(tuple(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, canonical: str) -> bool:
        return canonical in self._known

    def get(self, address: str) -> KnownAddress | None:
        """How it went with this address."""
        return self._known.get(address) or self._known.get(same_form(address))

    def add(self, address: str) -> bool:
        """Know one more; ``False`` when it was known already."""
        address = same_form(address)
        if address in self._known:
            return False
        if len(self._known) >= self._most:
            worst = max(self._known.values(), key=lambda each: each.failures)
            if not worst.failures:
                return False
            del self._known[worst.address]
        self._known[address] = KnownAddress(address)
        return True

    def keep_only(self, addresses: set[str]) -> None:
        """Forget all others."""
        self._known = {address: known for address, known in self._known.items() if address in addresses}

    def failed(self, known: KnownAddress, now: Instant) -> None:
        """A dial came to nothing, or the link ended."""
        known.failures += 1
        pause = min(REDIAL_SECONDS_MAX, REDIAL_SECONDS_MIN * 2 ** min(known.failures - 1, 16))
        known.not_before = Instant(now + min(REDIAL_SECONDS_MAX, pause * self._chance.between(0.75, 1.25)))

    def opened(self, known: KnownAddress, peer: NodeId, now: Instant) -> None:
        """Somebody answered."""
        known.peer, known.opened = peer, now

    def closed(self, known: KnownAddress, now: Instant) -> None:
        """The link through this address has ended."""
        if now - known.opened >= STEADY_SECONDS:
            known.failures = 0
        self.failed(known, now)


def same_form(address: str) -> str:
    """The canonical form of an address, or the text itself where it has none."""
    try:
        return check_address(address)
    except RemoteError:
        return address
