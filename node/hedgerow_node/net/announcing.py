"""This node's own announcement: where it can be reached, signed by its key.

It is remade when an address comes or goes and at half of its life. A node without addresses shows it on its links
(no announcement, no service) and nobody passes it on.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from hedgerow_protocol import envelope as envelopes
from hedgerow_protocol import ids, limits
from hedgerow_protocol.channel import ChannelKey
from hedgerow_protocol.envelope import Kind
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.keys import SEED_BYTES, SigningKey
from hedgerow_protocol.neighbourhood import RELAY_PREFIX, check_address
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement

LOG = logging.getLogger(__name__)

LIFE_SECONDS: Final = 7 * 86_400
"""Seconds. A node that is gone is forgotten in a week; one that is up signs twice a week."""

CHANGE_SECONDS_MIN: Final = 60
"""Seconds. Between two announcements that others pass on: each one goes to every node there is."""

RETRACT_SECONDS: Final = 600
"""Seconds. Without any address before others are told so: a relay that starts anew is back by then."""

RELAYS_MAX: Final = 3
"""Relays. Named in one announcement."""

_CHANNEL_KEY = b"hedgerow/channel-key/1"
"""Signed, as no record is, to derive the channel key: Ed25519 always gives the same signature (RFC 8032)."""


def channel_key(key: SigningKey) -> ChannelKey:
    """The channel key that belongs to a node's key: the same at every start, and no file of its own to lose."""
    return ChannelKey.from_seed(blake2b(key.sign(_CHANNEL_KEY), digest_size=SEED_BYTES).digest())


def relay_address(relay: NodeId) -> str:
    """How an announcement says "ask that node for a circuit to me"."""
    return RELAY_PREFIX + ids.to_text(relay)


def announced_form(address: str) -> str:
    """An address as it stands in announcements; empty when it cannot stand there (a port that nobody dials)."""
    try:
        return check_address(address)
    except RemoteError as error:
        LOG.warning("An address of this node cannot be announced: %s", error)
        return ""


@dataclass(frozen=True, slots=True)
class Announced:
    """One announcement of this node."""

    rid: RecordId
    envelope: bytes
    addresses: tuple[str, ...]
    seq: int
    issued: Timestamp
    gossiped: bool
    """Whether others are to pass it on: it says where this node is, or that it is no longer where it was."""


@dataclass(slots=True, kw_only=True)
class Announcer:
    """Knows the addresses of this node and signs for them."""

    key: SigningKey
    channel: ChannelKey
    features: tuple[str, ...]
    announce: str = ""
    """What the keeper says this node's web address is."""
    onion: str = ""
    told: bool = False
    """Others were told an address of this node, and may still remember it."""
    last_seq: int = 0
    """Of the newest announcement there ever was; the next is above it, whatever the clock says."""
    unreachable: frozenset[str] = frozenset()
    """Addresses that were tried from outside in vain: not announced until somebody gets through."""
    relays: tuple[NodeId, ...] = ()
    current: Announced | None = None
    _nowhere_since: Timestamp | None = None

    @property
    def claimed(self) -> tuple[str, ...]:
        """The addresses that somebody outside could try: a web address and an onion, in the form others expect."""
        said = (each for each in (self.announce, self.onion) if each)
        return tuple(dict.fromkeys(address for each in said if (address := announced_form(each))))

    @property
    def wants_relays(self) -> bool:
        """Whether nobody can dial this node: it has no address, or each was tried in vain."""
        return all(each in self.unreachable for each in self.claimed)

    @property
    def addresses(self) -> tuple[str, ...]:
        """What is to be announced now."""
        open_ones = [each for each in self.claimed if each not in self.unreachable]
        relayed = [relay_address(each) for each in self.relays[:RELAYS_MAX]]
        return tuple((*open_ones, *relayed)[: limits.NODE_ADDRESSES_MAX])

    def reached(self, address: str, *, reached: bool) -> None:
        """Somebody outside tried one of our addresses."""
        self.unreachable = self.unreachable - {address} if reached else self.unreachable | {address}

    def renew(self, now: Timestamp) -> Announced | None:
        """A new announcement when one is due; ``None`` while the present one will do."""
        current, wanted = self.current, self.addresses
        if wanted:
            self._nowhere_since = None
        elif self._nowhere_since is None:
            self._nowhere_since = now
        if current is not None and not self._is_due(current, wanted, now):
            return None
        # At a start nothing is taken back yet: the relays will be there in a moment.
        gossiped = bool(wanted) or (self.told and current is not None)
        self.current = made = self._make(now, wanted, gossiped=gossiped)
        self.last_seq = made.seq
        if gossiped:
            self.told = bool(wanted)
        return made

    def _is_due(self, current: Announced, wanted: Sequence[str], now: Timestamp) -> bool:
        if now >= current.issued + LIFE_SECONDS // 2:
            return True
        if not wanted:
            # Only where others may still believe in an address is there something to take back.
            away = now - self._nowhere_since if self._nowhere_since is not None else 0
            return self.told and away >= RETRACT_SECONDS
        if wanted == current.addresses:
            return False
        return not current.gossiped or abs(now - current.issued) >= CHANGE_SECONDS_MIN

    def _make(self, now: Timestamp, addresses: tuple[str, ...], *, gossiped: bool) -> Announced:
        seq = max(int(now), self.last_seq + 1)
        announcement = Announcement(
            node=self.key.public,
            channel=self.channel.public,
            addresses=addresses,
            features=self.features,
            seq=seq,
            issued=now,
            expires=Timestamp(now + LIFE_SECONDS),
        )
        signed = envelopes.sign(Kind.ANNOUNCEMENT, announcement.to_body(), (self.key,)).envelope
        return Announced(signed.rid, signed.to_bytes(), addresses, seq, now, gossiped)
