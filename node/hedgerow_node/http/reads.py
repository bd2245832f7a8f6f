"""What the street door asks of the directory: a handful of reads, so that tests can stand in for it."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from hedgerow_node.directory.outcome import Outcome
from hedgerow_node.directory.query import Query
from hedgerow_protocol.ids import ListingId, RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing


class PageOfListings(Protocol):
    """One page of a search."""

    @property
    def listings(self) -> tuple[ShownListing, ...]: ...
    @property
    def next(self) -> str | None: ...
    @property
    def total(self) -> int | None: ...


class Counts(Protocol):
    """How much this node holds, and the hash by which two nodes compare."""

    @property
    def listings(self) -> int: ...
    @property
    def meetings(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def state_hash(self) -> str: ...


class Chain(Protocol):
    """The charters of a listing, from the founding one on."""

    @property
    def envelopes(self) -> tuple[bytes, ...]: ...


class Reads(Protocol):
    """The directory, as the street door sees it."""

    @property
    def generation(self) -> int:
        """Grows with every change of what pages show."""
        ...

    async def search(self, query: Query, *, now: Timestamp) -> PageOfListings: ...
    async def listing(self, lid: ListingId, *, now: Timestamp) -> ShownListing | None: ...
    async def status(self, *, now: Timestamp) -> Counts: ...
    async def accept(self, envelopes: Sequence[bytes], *, now: Timestamp) -> list[Outcome]: ...

    async def charter_of(self, lid: ListingId) -> Chain | None:
        """The charters a listing stands on."""
        ...

    async def of_source(self, root: RecordId, source: str, *, now: Timestamp) -> list[ShownListing]:
        """The listings shown now that one source made below one founding charter."""
        ...

    def all_listings(self, *, now: Timestamp) -> AsyncIterator[ShownListing]:
        """Every shown listing, read in batches beside the loop."""
        ...
