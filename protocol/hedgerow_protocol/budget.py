"""Bounded strangers: how much that is new may come through one link.

What a link brings first is charged to the neighbourhood it comes from, not to a key: an attacker who mints keys gains
nothing, one who rents machines in many networks gains in proportion. Charges fade by half in twelve hours. When a link
from elsewhere shows by itself that it holds the same record, the two share the charge: honest links bear each other's
load, and all that strangers brought together stays below the sum of their limits. Where a place costs nothing (onion
addresses, relay places, this machine and household) all of its kind share one wider limit too.
Spec: docs/protocol/peers.md.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hedgerow_protocol import limits
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.neighbourhood import Neighbourhood, Place, is_local, place_of, wide_of
from hedgerow_protocol.ports import Instant

HALF_LIFE_SECONDS: Final = 12 * 3_600.0
"""Seconds. A day leaves a quarter of a charge: a link that used up its budget may bring 59 new chains an hour."""

CHAINS_MAX: Final = 1_024
"""Chains of charters. New ones outstanding for one neighbourhood; more groups than most countries found in a day."""

RECORDS_MIN: Final = 4_096
"""Records. Outstanding for one neighbourhood even in a small store."""

RECORDS_SHARE: Final = 0.1
"""Part of the store that one neighbourhood may fill before its charges fade."""

BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes. Outstanding for one neighbourhood: 30,000 records of 2 kB."""

CHOSEN_SHARE: Final = 0.5
"""Part of the store that a peer of the keeper's own choice may fill, and the same for all of a wide kind together."""

CHOSEN_RECORD_BYTES: Final = 4_096
"""Bytes. A chosen peer's bytes are bounded by its records at this size each."""

WIDE_FACTOR: Final = 8
"""Times one neighbourhood's chains and bytes that all places of a kind that costs nothing may have outstanding."""

INTRODUCED_MAX: Final = 65_536
"""Records. Remembered with who brought them, about 17 MB; what is forgotten keeps its charge until it fades."""

HOLDERS_MAX: Final = 8
"""Accounts. Sharing one record's charge: as many as there are outbound links."""

ACCOUNTS_MAX: Final = 8_192
"""Accounts. Kept at one time; those with the least outstanding are dropped first."""

HOST_CHARTERS_MAX: Final = 512
"""Chains of charters. Hosted by one node; a node of a thousand groups runs as two."""

HOSTS_CLAIMS_MAX: Final = 262_144
"""Claims. Counted for all hosts together, below the records of a store."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays for what a link brings; made by :func:`account_of`."""

    key: bytes
    wide: bytes | None
    """The account that all of this kind pay into as well."""
    chosen: bool
    """The keeper chose this peer by hand."""


def account_of(neighbourhood: Neighbourhood, peer: NodeId, *, pinned: bool) -> Account:
    """The account of a link, from where it leads and whom.

    Local links, and those of which nobody knows whence they come, are told apart by key, or two households behind one
    wall, and test networks, would share one limit.
    """
    if pinned:
        return Account(b"chosen:" + peer, None, chosen=True)
    kind = wide_of(neighbourhood)
    wide = None if kind is None else b"wide:" + kind
    if is_local(neighbourhood) or place_of(neighbourhood) is Place.UNKNOWN:
        return Account(b"node:" + peer, wide, chosen=False)
    return Account(b"place:" + neighbourhood, wide, chosen=False)


@dataclass(frozen=True, slots=True)
class Room:
    """What may still come: whole records, bytes, and new chains of charters; none is below 0."""

    records: int
    bytes: int
    chains: int

    def takes(self, records: int, size: int, chains: int) -> bool:
        """Whether that fits."""
        return records <= self.records and size <= self.bytes and chains <= self.chains


@dataclass(slots=True)
class _Charge:
    """What is outstanding on one account, faded up to a moment."""

    faded: Instant
    records: float = 0.0
    bytes: float = 0.0
    chains: float = 0.0

    def fade(self, now: Instant) -> None:
        if now > self.faded:
            factor = 0.5 ** ((now - self.faded) / HALF_LIFE_SECONDS)
            self.records *= factor
            self.bytes *= factor
            self.chains *= factor
            self.faded = now

    def add(self, records: float, size: float, chains: float) -> None:
        self.records = max(0.0, self.records + records)
        self.bytes = max(0.0, self.bytes + size)
        self.chains = max(0.0, self.chains + chains)


@dataclass(slots=True)
class _Introduced:
    """One record that came through a link: who shares its charge."""

    at: Instant
    size: int
    chain: bool
    holders: tuple[Account, ...]


class Introductions:
    """What strangers' links have brought lately, and what each may still bring."""

    def __init__(self, records_max: int = limits.RECORDS_STORED_MAX) -> None:
        self._records_max = records_max
        self._charges: dict[bytes, _Charge] = {}
        self._introduced: OrderedDict[RecordId, _Introduced] = OrderedDict()

    def room(self, account: Account, now: Instant) -> Room:
        """What may come through a link of this account now."""
        own = _left(self._limit(account), self._outstanding(account.key, now))
        if account.wide is None:
            return own
        wide = _left(self._wide_limit(), self._outstanding(account.wide, now))
        return Room(min(own.records, wide.records), min(own.bytes, wide.bytes), min(own.chains, wide.chains))

    def charge(self, account: Account, rid: RecordId, size: int, now: Instant, *, new_chain: bool = False) -> bool:
        """Charge a record that is about to be kept, or was just kept, and came through this account's link first.

        ``False``, and nothing is charged, when there is no room for it: then it is not to be kept. A record that was
        charged before costs nothing more. ``size`` is that of its envelope in bytes.
        """
        if rid in self._introduced:
            return True
        if not self.room(account, now).takes(1, size, int(new_chain)):
            return False
        self._add(account, 1, size, int(new_chain), now)
        self._remember(rid, _Introduced(now, size, new_chain, (account,)))
        return True

    def charge_all(self, account: Account, records: Iterable[tuple[RecordId, int, bool]], now: Instant) -> None:
        """Charge many records as :meth:`charge` would one after another: each is an id, a size, whether a new chain."""
        room = self.room(account, now)
        holders = (account,)
        many = sizes = chains = 0
        for rid, size, chain in records:
            if rid in self._introduced or not room.takes(many + 1, sizes + size, chains + chain):
                continue
            many, sizes, chains = many + 1, sizes + size, chains + chain
            self._remember(rid, _Introduced(now, size, chain, holders))
        if many:
            self._add(account, many, sizes, chains, now)

    def _remember(self, rid: RecordId, introduced: _Introduced) -> None:
        self._introduced[rid] = introduced
        if len(self._introduced) > INTRODUCED_MAX:
            self._introduced.popitem(last=False)

    def corroborated(self, rid: RecordId, account: Account, now: Instant) -> None:
        """Another link has shown *by itself*, before we sent or offered the record to it, that it holds it too.

        Those who hold it share its charge evenly, as far as each has room; a peer of the keeper's own choice clears
        the charge altogether.
        """
        introduced = self._introduced.get(rid)
        if introduced is None or account in introduced.holders or introduced.holders[0].chosen:
            return
        left = 0.5 ** (max(0.0, now - introduced.at) / HALF_LIFE_SECONDS)
        holders = len(introduced.holders)
        if account.chosen:
            for holder in introduced.holders:
                self._share(holder, -left / holders, introduced, now)
            del self._introduced[rid]
            return
        if holders >= HOLDERS_MAX or not self.room(account, now).takes(1, introduced.size, int(introduced.chain)):
            return
        share = left / (holders + 1)
        for holder in introduced.holders:
            self._share(holder, share - left / holders, introduced, now)
        self._share(account, share, introduced, now)
        introduced.holders += (account,)

    def _limit(self, account: Account) -> tuple[float, float, float]:
        if account.chosen:
            records = max(RECORDS_MIN, self._records_max * CHOSEN_SHARE)
            return records, records * CHOSEN_RECORD_BYTES, records
        return max(RECORDS_MIN, self._records_max * RECORDS_SHARE), BYTES_MAX, CHAINS_MAX

    def _wide_limit(self) -> tuple[float, float, float]:
        records = max(RECORDS_MIN, self._records_max * CHOSEN_SHARE)
        return records, WIDE_FACTOR * BYTES_MAX, WIDE_FACTOR * CHAINS_MAX

    def _outstanding(self, key: bytes, now: Instant) -> _Charge:
        charge = self._charges.get(key)
        if charge is None:
            return _Charge(now)
        charge.fade(now)
        return charge

    def _share(self, account: Account, share: float, introduced: _Introduced, now: Instant) -> None:
        self._add(account, share, share * introduced.size, share * introduced.chain, now)

    def _add(self, account: Account, records: float, size: float, chains: float, now: Instant) -> None:
        for key in (account.key, account.wide):
            if key is not None:
                charge = self._charges.setdefault(key, _Charge(now))
                charge.fade(now)
                charge.add(records, size, chains)
        if len(self._charges) > ACCOUNTS_MAX:
            self._drop_smallest(now)

    def _drop_smallest(self, now: Instant) -> None:
        for charge in self._charges.values():
            charge.fade(now)
        least = sorted(self._charges, key=lambda key: (key.startswith(b"wide:"), self._charges[key].records))
        for key in least[: ACCOUNTS_MAX // 4]:
            del self._charges[key]


def _left(limit: tuple[float, float, float], charge: _Charge) -> Room:
    # Shares of one charge are fractions; adding them up must not cost a whole record to rounding.
    records, size, chains = limit
    return Room(
        max(0, int(records - charge.records + 1e-6)),
        max(0, int(size - charge.bytes + 1e-3)),
        max(0, int(chains - charge.chains + 1e-6)),
    )


class HostQuota:
    """How many chains of charters each node hosts: counted only by what the host itself signed.

    A claim is a pair (host, root of a chain) whose signature somebody has verified. A listing may name any host; that
    alone charges nobody, so that nobody can use up another's quota.
    """

    def __init__(self) -> None:
        self._roots: dict[NodeId, set[RecordId]] = {}
        self._claims = 0

    def __len__(self) -> int:
        return self._claims

    def count(self, host: NodeId) -> int:
        """Chains this host has claimed."""
        return len(self._roots.get(host, ()))

    def claims(self, host: NodeId, root: RecordId) -> bool:
        """Whether this claim stands."""
        return root in self._roots.get(host, ())

    def claim(self, host: NodeId, root: RecordId) -> bool:
        """Count a verified claim; ``False`` when the host's quota is used up. A claim that stands costs nothing."""
        roots = self._roots.get(host, set())
        if root in roots:
            return True
        if len(roots) >= HOST_CHARTERS_MAX or self._claims >= HOSTS_CLAIMS_MAX:
            return False
        self._roots.setdefault(host, roots).add(root)
        self._claims += 1
        return True

    def release(self, host: NodeId, root: RecordId) -> None:
        """The host took its claim back, or the chain is gone."""
        roots = self._roots.get(host)
        if roots is None or root not in roots:
            return
        roots.remove(root)
        self._claims -= 1
        if not roots:
            del self._roots[host]
