"""What the network remembers from one start to the next: the address book, scores, the last announcement's number."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeVar

import msgpack

from hedgerow_node import clock
from hedgerow_node.directory.service import Directory
from hedgerow_node.store.network_rows import ROW_BYTES_MAX, ROWS_MAX, NetworkRow
from hedgerow_protocol.address_book import AddressBook
from hedgerow_protocol.address_entry import AddressRow
from hedgerow_protocol.address_table import SECRET_BYTES
from hedgerow_protocol.gossip.machine import Gossip
from hedgerow_protocol.gossip.settings import Settings
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.ports import Now
from hedgerow_protocol.score import ScoreRow, Scores

LOG = logging.getLogger(__name__)

ADDRESSES: Final = "address"
SCORES: Final = "score"
ANNOUNCEMENT: Final = "announcement"
"""Kinds of rows in the store."""

_SEQ: Final = b"seq"
_TOLD: Final = b"told"

_BOOK_SECRET: Final = b"hedgerow/address-book-secret/1"
"""Signed, as no record is, to derive what keeps the places in the address book unpredictable to others."""

_Row = TypeVar("_Row", bound=NamedTuple)


@dataclass(slots=True)
class Memory:
    """Reads and writes the rows. Their values are ours alone: a row that cannot be read is left out."""

    directory: Directory

    async def wake(self, key: SigningKey, settings: Settings, now: Now) -> Gossip:
        """The machine of this node, with what it knew before."""
        secret = blake2b(key.sign(_BOOK_SECRET), digest_size=SECRET_BYTES).digest()
        addresses = _unpacked(AddressRow, await self.directory.network_rows(ADDRESSES))
        machine = Gossip(
            NodeId(key.public[1:]),
            entropy=clock.entropy,
            now=now,
            secret=secret,
            settings=settings,
            book=AddressBook.from_rows(addresses, secret, clock.entropy, now),
        )
        scores = _unpacked(ScoreRow, await self.directory.network_rows(SCORES))
        machine.state.scores = Scores.from_rows(scores, now)
        return machine

    async def save(self, machine: Gossip, now: Now) -> None:
        """Write down what the machine knows of others."""
        addresses = _that_fit((row.node, _packed(row)) for row in machine.book.rows())
        await self.directory.replace_network_rows(ADDRESSES, addresses)
        scores = _that_fit((row.peer, _packed(row)) for row in machine.state.scores.to_rows(now))
        await self.directory.replace_network_rows(SCORES, scores)

    async def last_announced(self) -> tuple[int, bool]:
        """The number of this node's last announcement (0: none), and whether it named an address."""
        rows = dict(await self.directory.network_rows(ANNOUNCEMENT))
        return int.from_bytes(rows.get(_SEQ, b""), "big"), bool(rows.get(_TOLD))

    async def save_announced(self, seq: int, *, told: bool) -> None:
        """Remember them."""
        rows = [(_SEQ, seq.to_bytes(8, "big")), (_TOLD, b"1" if told else b"")]
        await self.directory.replace_network_rows(ANNOUNCEMENT, rows)

    async def blocked(self) -> frozenset[NodeId]:
        """The nodes this keeper does not want to hear from."""
        return frozenset(NodeId(each.target) for each in await self.directory.blocked() if each.is_node)


def _that_fit(rows: Iterable[NetworkRow]) -> list[NetworkRow]:
    """Without what is too large for the store: a stranger's announcement may be larger than any honest one."""
    fit = [row for row in rows if len(row[0]) + len(row[1]) <= ROW_BYTES_MAX]
    return fit[:ROWS_MAX]


def _packed(row: tuple[Any, ...]) -> bytes:
    packed: bytes = msgpack.packb(tuple(row))
    return packed


def _unpacked(kind: type[_Row], rows: Iterable[tuple[bytes, bytes]]) -> list[_Row]:
    read: list[_Row] = []
    for _, value in rows:
        try:
            read.append(kind(*msgpack.unpackb(value)))
        except (ValueError, TypeError, msgpack.UnpackException):
            LOG.debug("A remembered row could not be read.")
    return read
