"""The follower's side of files: brought to the hub of their room, and fetched from it when somebody asks for them."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from hedgerow_node.delivery.files import BlobRoom
from hedgerow_node.federation.asking import RETRY_SECONDS
from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import far_blob_rows
from hedgerow_node.store.private.far_blob_rows import Leaving
from hedgerow_node.store.private.files import Files, blob_name
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.delivery.values import BlobHash, RoomId
from hedgerow_protocol.federation.values import BlobBytes, BlobGet, BlobPut, Done, RefusalAnswer
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp

LOG = logging.getLogger(__name__)

PIECE_SECONDS: Final = 30.0
"""Seconds. For one piece to go and its answer to come."""

FETCH_SECONDS: Final = 20.0
"""Seconds. For which a device waits for a file; then it asks again, and the fetching goes on meanwhile."""

FETCHES_MAX: Final = 4
"""Files. Fetched at a time: in memory until they are whole."""


class Fetching:
    """Files on their way between this node and hubs. Belongs to the event loop."""

    def __init__(
        self,
        database: Database,
        scribe: Scribe,
        files: Files,
        blobs: BlobRoom,
        exchange: Exchange,
        now: Callable[[], Timestamp],
    ) -> None:
        self._database = database
        self._scribe = scribe
        self._files = files
        self._blobs = blobs
        self._exchange = exchange
        self._now = now
        self._bringing: set[NodeId] = set()
        self._coming: dict[tuple[RoomId, BlobHash], asyncio.Future[Refused | None]] = {}
        self._few = asyncio.Semaphore(FETCHES_MAX)
        self._tasks = Tasks("files of rooms")

    async def start(self) -> None:
        """Ask for links to the hubs to which files are to be brought."""
        for hub in {each.hub for each in await self._database.read(far_blob_rows.leaving)}:
            self._exchange.post.want(hub)

    async def stop(self) -> None:
        """Bring and fetch nothing more."""
        await self._tasks.stop()

    # --- bringing

    def bring(self, hub: NodeId) -> None:
        """Something waits for this hub, or a link to it is open."""
        if not self._exchange.is_up(hub):
            self._exchange.post.want(hub)
        elif hub not in self._bringing:
            self._bringing.add(hub)
            self._tasks.spawn(self._bring(hub))

    def up(self, hub: NodeId) -> None:
        """A link is open."""
        self._tasks.spawn(self._bring_if_any(hub))

    async def _bring_if_any(self, hub: NodeId) -> None:
        if await self._database.read(lambda c: far_blob_rows.leaving(c, hub)):
            self.bring(hub)

    async def _bring(self, hub: NodeId) -> None:
        try:
            passed: set[int] = set()
            while True:
                leaving = await self._database.read(lambda c: far_blob_rows.leaving(c, hub))
                left = [each for each in leaving if each.row not in passed]
                if not left:
                    return
                passed.add(left[0].row)
                if await self._bring_one(left[0]):
                    await self._scribe.quietly(partial(_brought, left[0].row))
                elif not self._exchange.is_up(hub):
                    return
        except StoreError:
            LOG.warning("A file could not be brought to its room; it is tried again with the next link")
        finally:
            self._bringing.discard(hub)

    async def _bring_one(self, file: Leaving) -> bool:
        """Whether it is there, or the hub wants it never."""
        asked = BlobGet(file.room, file.blob, file.size)
        if isinstance(await self._exchange.ask(file.hub, asked, PIECE_SECONDS), BlobBytes):
            return True  # another member has brought it
        try:
            data = await asyncio.to_thread(self._files.read, blob_name(file.blob))
        except StoreError:
            return True  # it has expired
        for offset in range(0, file.size, limits.BLOB_PIECE_BYTES_MAX):
            piece = data[offset : offset + limits.BLOB_PIECE_BYTES_MAX]
            put = BlobPut(file.room, file.blob, file.size, offset, piece)
            answer = await self._exchange.ask(file.hub, put, PIECE_SECONDS)
            if isinstance(answer, RefusalAnswer):
                # Where the hub is only full or in a hurry, the next link tries again; the row goes with the file.
                return answer.code not in (Refusal.TOO_FAST, Refusal.TOO_MANY, Refusal.STALE)
            if not isinstance(answer, Done):
                return False
        return True

    # --- fetching

    async def fetch(self, hub: NodeId, room: RoomId, blob: BlobHash) -> None:
        """Get a file from the hub. Raises :class:`Refused`, or :class:`Waiting` while it comes."""
        key = (room, blob)
        coming = self._coming.get(key)
        if coming is None:
            if not self._exchange.is_up(hub):
                self._exchange.post.want(hub)
                raise _coming_later()
            coming = self._coming[key] = asyncio.get_running_loop().create_future()
            self._tasks.spawn(self._fetch(hub, room, blob, coming))
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                refused = await asyncio.shield(coming)
        except TimeoutError:
            raise _coming_later() from None
        if refused is not None:
            raise refused

    async def _fetch(self, hub: NodeId, room: RoomId, blob: BlobHash, coming: "asyncio.Future[Refused | None]") -> None:
        outcome: Refused | None = Refused(Refusal.UNKNOWN, "This file could not be fetched. Try again later.")
        try:
            async with self._few:
                data = await self._pieces(hub, room, blob)
                await self._blobs.put_fetched(room, blob, data, self._now())
            outcome = None
        except Refused as refused:
            outcome = refused
        except StoreError:
            LOG.warning("A file that was fetched could not be kept")
        finally:
            del self._coming[room, blob]
            if not coming.done():
                coming.set_result(outcome)

    async def _pieces(self, hub: NodeId, room: RoomId, blob: BlobHash) -> bytes:
        data = bytearray()
        size: int | None = None
        while size is None or len(data) < size:
            answer = await self._exchange.ask(hub, BlobGet(room, blob, len(data)), PIECE_SECONDS)
            if isinstance(answer, RefusalAnswer):
                raise Refused(Refusal.UNKNOWN, "This file is not here, or is no longer kept.")
            if not isinstance(answer, BlobBytes) or size not in (None, answer.size) or not answer.data:
                raise Refused(Refusal.UNKNOWN, "This file could not be fetched. Try again later.")
            size = answer.size
            data += answer.data
            if len(data) > size:
                raise Refused(Refusal.UNKNOWN, "The room's node gave more than the file.")
        return bytes(data)


def _brought(row: int, connection: Connection) -> None:
    far_blob_rows.brought(connection, row)


def _coming_later() -> Waiting:
    return Waiting(
        "This file is at another community and on its way. Try again in a moment.", retry_after=RETRY_SECONDS
    )
