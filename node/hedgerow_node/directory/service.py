"""The directory: takes records in, and answers what they say. The only thing that others ask about listings."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from hedgerow_node.directory.accept import take_all
from hedgerow_node.directory.accept_waiting import WaitingRoom
from hedgerow_node.directory.import_plan import Held
from hedgerow_node.directory.outcome import Outcome, Stored, Waiting
from hedgerow_node.directory.query import Query
from hedgerow_node.directory.search import Page, search
from hedgerow_node.directory.search_index import index_of
from hedgerow_node.directory.status import Status
from hedgerow_node.store import showing
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.index_rows import KnownTerms
from hedgerow_node.store.keeping import Caps, Keeper
from hedgerow_node.store.rows import CharterChain, HeldSlot
from hedgerow_protocol import limits
from hedgerow_protocol.ids import ListingId, RecordId
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
        self._counting = asyncio.Lock()
        self._status: tuple[tuple[int, int, int], Status] | None = None
        self._live: tuple[tuple[int, int], tuple[int, str]] | None = None

    @classmethod
    def open(cls, path: Path, *, records_max: int = limits.RECORDS_STORED_MAX) -> "Directory":
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

    async def accept(self, envelopes: Sequence[bytes], *, now: Timestamp) -> list[Outcome]:
        """Take envelopes in; what became of each, in their order. What was stored is on the disk.

        Raises only :class:`StoreError`, when the disk cannot take it; what earlier batches stored stays.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(envelopes), BATCH_ENVELOPES):
            outcomes += await self._accept_batch(envelopes[start : start + BATCH_ENVELOPES], now)
        return outcomes

    async def _accept_batch(self, datas: Sequence[bytes], now: Timestamp) -> list[Outcome]:
        # Checked and stored in one thread: what one core has unpacked, another would have to fetch from it.
        taken = await self._write(now, lambda keeper: take_all(keeper, datas, now))
        come: list[RecordId] = []
        for data, each in zip(datas, taken, strict=True):
            if isinstance(each.outcome, Waiting) and each.waits_for is not None:
                self._waiting.put(data, each.waits_for)
            elif isinstance(each.outcome, Stored) and each.is_charter:
                come.append(each.outcome.rid)
        for rid in come:
            waited = self._waiting.pop(rid)
            if waited:
                await self.accept(waited, now=now)
        return [each.outcome for each in taken]

    async def _write(self, now: Timestamp, work: Callable[[Keeper], _T]) -> _T:
        def run(connection: Connection) -> _T:
            keeper = Keeper(connection, now, self._caps, self._terms, index_of)
            result = work(keeper)
            keeper.finish()
            return result

        try:
            return await self._database.write(run)
        except BaseException:
            self._terms.forget()
            raise

    async def prune(self, *, now: Timestamp) -> None:
        """Drop what has expired, a bounded number at a time. To be called about once an hour."""
        while await self._write(now, lambda keeper: keeper.expire(EXPIRE_CHUNK)) >= EXPIRE_CHUNK:
            pass

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
