"""The directory: takes records in, and answers what they say. The only thing that others ask about listings."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar

from hedgerow_node.directory.accept import take_all
from hedgerow_node.directory.accept_waiting import WaitingRoom
from hedgerow_node.directory.import_plan import Held
from hedgerow_node.directory.live_feed import Follower, LiveFeed
from hedgerow_node.directory.outcome import Outcome, Stored, Waiting
from hedgerow_node.directory.query import Query
from hedgerow_node.directory.search import Page, search
from hedgerow_node.directory.search_index import index_of
from hedgerow_node.directory.status import Status
from hedgerow_node.store import blocks, fetching, following, network_rows, showing
from hedgerow_node.store.blocks import Block
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.index_rows import KnownTerms
from hedgerow_node.store.keeping import Caps, Keeper, Occasion
from hedgerow_node.store.live import LiveChange, LiveItem
from hedgerow_node.store.network_rows import NetworkRow, Refusals
from hedgerow_node.store.rows import LOCAL, ORIGIN_BYTES_MAX, CharterChain, HeldSlot, Origin
from hedgerow_protocol import limits
from hedgerow_protocol.errors import Code
from hedgerow_protocol.ids import ListingId, NodeId, RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing, hour_start

BATCH_ENVELOPES: Final = 100
"""Envelopes. Verified and written together: beyond a hundred nothing is won."""

EXPORT_CHUNK: Final = 200
"""Listings. Read at a time when all are read."""

EXPIRE_CHUNK: Final = 500
"""Records. Dropped in one write when they have expired."""

_T = TypeVar("_T")


class Directory:
    """Open one with :meth:`open`; close it with :meth:`close`."""

    def __init__(self, database: Database, caps: Caps) -> None:
        self._database = database
        self._caps = caps
        self._terms = KnownTerms()
        self._waiting = WaitingRoom()
        self._live_feed = LiveFeed(database)
        self._counting = asyncio.Lock()
        self._status: tuple[tuple[int, int, int], Status] | None = None
        self._live: tuple[tuple[int, int], tuple[int, str]] | None = None

    @classmethod
    def open(cls, path: Path, *, records_max: int = limits.RECORDS_STORED_MAX) -> Self:
        """Open or create the store at ``path`` (``public.db``). Raises :class:`StoreError` with a sentence."""
        return cls(Database.open(path), Caps(records=records_max))

    async def close(self) -> None:
        """Finish what is being written, then close. Idempotent."""
        await asyncio.to_thread(self._database.close)

    @property
    def database(self) -> Database:
        """The store below, for ``doctor`` and backups."""
        return self._database

    @property
    def generation(self) -> int:
        """Grows whenever something was written: an answer made before may be out of date."""
        return self._database.version

    # --- taking in

    async def accept(self, envelopes: Sequence[bytes], *, now: Timestamp, origin: Origin = LOCAL) -> list[Outcome]:
        """Take envelopes in; what became of each, in their order. What was stored is on the disk.

        ``origin``: through whom they came from the network; who takes most of a full store gives way.
        Raises only :class:`StoreError`, when the disk cannot take it; what earlier batches stored stays.
        """
        if origin is not None and len(origin) > ORIGIN_BYTES_MAX:
            raise ValueError(f"An origin has at most {ORIGIN_BYTES_MAX} bytes.")
        outcomes: list[Outcome] = []
        for start in range(0, len(envelopes), BATCH_ENVELOPES):
            outcomes += await self._accept_batch(envelopes[start : start + BATCH_ENVELOPES], now, origin)
        return outcomes

    async def _accept_batch(self, datas: Sequence[bytes], now: Timestamp, origin: Origin) -> list[Outcome]:
        # Checked and stored in one thread: what one core has unpacked, another would have to fetch from it.
        taken = await self._write(now, lambda keeper: take_all(keeper, datas, now), origin)
        come: list[RecordId] = []
        for data, each in zip(datas, taken, strict=True):
            if isinstance(each.outcome, Waiting) and each.waits_for is not None:
                self._waiting.put(data, each.waits_for, origin)
            elif isinstance(each.outcome, Stored) and each.is_charter:
                come.append(each.outcome.rid)
        for rid in come:
            for whence, waited in self._waiting.pop(rid).items():
                await self.accept(waited, now=now, origin=whence)
        return [each.outcome for each in taken]

    async def _write(self, now: Timestamp, work: Callable[[Keeper], _T], origin: Origin = LOCAL) -> _T:
        def run(connection: Connection) -> tuple[_T, LiveChange]:
            occasion = Occasion(now, origin, self._live_feed.hour)
            keeper = Keeper(connection, occasion, self._caps, self._terms, index_of)
            result = work(keeper)
            return result, keeper.finish()

        try:
            result, _change = await self._database.write(run, lambda done: self._live_feed.committed(done[1]))
        except BaseException:
            self._terms.forget()
            raise
        return result

    async def prune(self, *, now: Timestamp) -> None:
        """Drop what has expired, a bounded number at a time. To be called about once an hour."""
        while await self._write(now, lambda keeper: keeper.expire(EXPIRE_CHUNK)) >= EXPIRE_CHUNK:
            pass

    # --- the live set

    def on_live_change(self, follower: Follower) -> None:
        """Call ``follower`` on this event loop after each commit that changed the live set, in their order.

        It begins after the next :meth:`live_items`, with the first change that is not in its answer.
        """
        self._live_feed.follow(follower)

    async def live_items(self, now: Timestamp) -> tuple[list[LiveItem], Timestamp]:
        """Every live record as (second of its expiry, 0 for charters; id), and the start of the hour this is of.

        Use the answer before awaiting anything else: then no change is lost between it and the first that is told.
        """
        return await self._live_feed.items(now)

    async def turn_hour(self, now: Timestamp) -> None:
        """Let what has expired leave the live set, as a change; to be called at each full hour and after a sleep."""
        await self._live_feed.turn(now)

    # --- answering

    async def search(self, query: Query, *, now: Timestamp) -> Page:
        """One page of answers. Raises :class:`QueryError` for a cursor that does not belong to this search."""
        return await self._database.read(lambda c: search(c, query, now))

    async def listing(self, lid: ListingId, *, now: Timestamp) -> ShownListing | None:
        """One listing, if it is shown now."""
        return await self._database.read(lambda c: showing.by_id(c, lid, now))

    async def all_listings(self, *, now: Timestamp) -> AsyncIterator[ShownListing]:
        """Every listing shown now, in the order in which they first came; read in pieces while they are used."""
        number = 0
        while number >= 0:
            work = partial(showing.after, number=number, many=EXPORT_CHUNK, now=now)
            listings, number = await self._database.read(work)
            for listing in listings:
                yield listing

    async def status(self, *, now: Timestamp) -> Status:
        """Counts and the state hash; worked out again only after a change, a new hour, or a minute."""
        async with self._counting:
            key = (self.generation, hour_start(now), now // 60)
            if self._status is None or self._status[0] != key:
                self._status = (key, await self._read_status(now))
            return replace(self._status[1], waiting=len(self._waiting))

    async def _read_status(self, now: Timestamp) -> Status:
        key = (self.generation, hour_start(now))
        if self._live is None or self._live[0] != key:
            self._live = (key, await self._database.read(lambda c: showing.live_hash(c, now)))
        counts = await self._database.read(lambda c: showing.counts(c, now))
        records, state_hash = self._live[1]
        return Status(counts.listings, counts.meetings, records, counts.records, 0, state_hash)

    # --- for other nodes

    async def envelopes(self, rids: Sequence[RecordId], *, with_charters: bool = False) -> list[tuple[RecordId, bytes]]:
        """Those of these records that are held, each once; ``with_charters`` after all charters of their chains.

        At most :data:`~hedgerow_node.store.fetching.RECORDS_READ_MAX` at once; ends early where they are very large.
        """
        return await self._database.read(lambda c: fetching.envelopes(c, rids, with_charters=with_charters))

    async def unknown(self, rids: Iterable[RecordId]) -> set[RecordId]:
        """Which of these are not held."""
        wanted = set(rids)
        return wanted - await self._database.read(lambda c: showing.known(c, wanted))

    async def network_rows(self, kind: str) -> list[NetworkRow]:
        """What :meth:`replace_network_rows` kept, by key."""
        return await self._database.read(lambda c: network_rows.read_rows(c, kind))

    async def replace_network_rows(self, kind: str, rows: Iterable[NetworkRow]) -> None:
        """Keep these rows of the network floor in the place of all others of their kind. Only what differs is written.

        Raises ``ValueError`` when they are too many or too large.
        """
        wanted = list(rows)
        await self._database.write(lambda c: network_rows.replace_rows(c, kind, wanted))

    async def count_refusals(self, counts: Mapping[Code, int], *, now: Timestamp) -> None:
        """Add what was refused to the day's counts, by reason; nobody is named."""
        await self._database.write(lambda c: network_rows.count_refusals(c, counts, now))

    async def refusals(self) -> list[Refusals]:
        """How much was refused on each day, the latest first."""
        return await self._database.read(network_rows.refusals)

    # --- what is followed, and what is not carried

    async def follow(self, root: RecordId) -> bool:
        """Never push the group of this founding charter out of a full store; False when too many are followed."""
        return await self._database.write(lambda c: following.follow(c, root))

    async def unfollow(self, root: RecordId) -> None:
        """Treat it like any other again."""
        await self._database.write(lambda c: following.unfollow(c, root))

    async def followed(self) -> list[RecordId]:
        """The founding charters that are followed."""
        return await self._database.read(following.followed)

    async def block(self, target: NodeId | ListingId, reason: str, *, now: Timestamp) -> bool:
        """Carry this node's own records, or this listing, no longer; False when the block list is full."""
        return await self.block_all([Block(target, reason, now)], now=now) == 1

    async def block_all(self, those: Sequence[Block], *, now: Timestamp) -> int:
        """Put all of these on the block list and forget what is held of them; how many there was room for."""
        listings: set[bytes] = {each.target for each in those if not each.is_node}
        places = await self._database.read(lambda c: blocks.entries_of(c, listings)) if listings else {}
        return await self._write(now, lambda keeper: sum(keeper.block(each, places) for each in those))

    async def unblock(self, target: NodeId | ListingId) -> bool:
        """Take it off the block list; whether it was there. What others hold comes back from them."""
        return await self._database.write(lambda c: blocks.remove(c, target))

    async def blocked(self) -> list[Block]:
        """The block list, the latest first."""
        return await self._database.read(blocks.blocked)

    # --- for publishing and importing

    async def of_source(self, root: RecordId, source: str, *, now: Timestamp) -> list[ShownListing]:
        """The listings shown now that one feed made below one founding charter; none while they are in dispute."""
        return await self._database.read(lambda c: showing.of_source(c, root, source, now))

    async def held_of(self, root: RecordId, source: str) -> dict[bytes, Held]:
        """What fills the entries of one source below a founding charter: its listings, and every withdrawal there."""
        held = await self._database.read(lambda c: showing.slots(c, root))
        return {
            entry: Held(each.slot, each.content)
            for entry, each in held.items()
            if each.content is None or each.content.source == source
        }

    async def slots(self, root: RecordId) -> dict[bytes, HeldSlot]:
        """What fills each entry below a founding charter, withdrawals too: the next version must come after it."""
        return await self._database.read(lambda c: showing.slots(c, root))

    async def charter_of(self, lid: ListingId) -> CharterChain | None:
        """The charters behind a listing that is shown, oldest first."""
        return await self._database.read(lambda c: showing.chain_of_listing(c, lid))

    async def chain(self, charter: RecordId) -> CharterChain | None:
        """The charters before and after this one; ``None`` when it is not held."""
        return await self._database.read(lambda c: showing.chain_of_charter(c, charter))

    async def envelope(self, rid: RecordId) -> bytes | None:
        """A record's envelope as it was received."""
        return await self._database.read(lambda c: showing.envelope_of(c, rid))

    async def announcements_saying(self, feature: str, *, now: Timestamp) -> list[bytes]:
        """Envelopes of all announcements in force in which this word stands, perhaps as a feature."""
        return await self._database.read(lambda c: showing.announcements_saying(c, feature, now))

    async def announcement_of(self, node: NodeId) -> bytes | None:
        """Where a node says it can be reached: the envelope of its newest announcement."""
        return await self._database.read(lambda c: showing.announcement_of(c, node))
