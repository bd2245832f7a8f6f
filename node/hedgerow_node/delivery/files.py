"""Members' files: checked, written whole, and only then named by a row; removed when no room has them any more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import blob_rows, far_blob_rows
from hedgerow_node.store.private.files import blob_name
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import BlobFile, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import BlobHash, RoomId
from hedgerow_protocol.ids import NodeId


class BlobRoom:
    """Keeps and finds members' files."""

    def __init__(self, store: PrivateStore, scribe: Scribe) -> None:
        self._store = store
        self._scribe = scribe
        self._held: dict[BlobHash, tuple[asyncio.Lock, int]] = {}

    async def put(self, session: Session, room: RoomId, blob: BlobHash, data: bytes, now: int) -> None:
        """See :meth:`hedgerow_node.delivery.doors.Delivery.put_blob`."""
        if len(data) > limits.BLOB_BYTES_MAX:
            raise Refused(Refusal.TOO_LARGE, f"A file has at most {limits.BLOB_BYTES_MAX // 1024**2} MiB.")
        known = await self._store.database.read(
            lambda connection: blob_rows.check_blob(connection, session, room, blob, len(data))
        )
        if known:
            return
        await self._keep(blob, data, now, partial(_add, session, room, blob, len(data), now))

    async def put_far(self, node: NodeId, room: RoomId, blob: BlobHash, data: bytes, now: int) -> None:
        """Keep a file that another node has brought for a room of this hub. Raises :class:`Refused`."""
        await self._keep(blob, data, now, lambda c: far_blob_rows.add_for(c, node, room, blob, len(data), now))

    async def put_fetched(self, room: RoomId, blob: BlobHash, data: bytes, now: int) -> None:
        """Keep a file that was fetched from the hub of a room. Raises :class:`Refused`."""
        await self._keep(blob, data, now, lambda c: far_blob_rows.add_fetched(c, room, blob, len(data), now))

    async def _keep(self, blob: BlobHash, data: bytes, now: int, add: Callable[[Connection], None]) -> None:
        if await asyncio.to_thread(lambda: sha256(data).digest()) != blob:
            raise Refused(Refusal.BAD, "The file was damaged on its way. Send it again.")
        async with self._holding(blob):
            await asyncio.to_thread(self._store.blobs.write, blob_name(blob), data, now=now)
            await self._scribe.quietly(add)

    async def find(self, session: Session, room: RoomId, blob: BlobHash) -> BlobFile:
        """See :meth:`hedgerow_node.delivery.doors.Delivery.blob`."""
        size = await self._store.database.read(lambda connection: blob_rows.blob_size(connection, session, room, blob))
        path = self._store.blobs.path_of(blob_name(blob))
        if not await asyncio.to_thread(path.is_file):
            # It expired while the backup that was restored here was being made.
            raise Refused(Refusal.UNKNOWN, "This file is no longer kept.")
        return BlobFile(blob, path, size)

    async def forget(self, blobs: Iterable[BlobHash]) -> None:
        """Remove the files among these that no room has any more."""
        for blob in dict.fromkeys(blobs):
            async with self._holding(blob):
                wanted = await self._store.database.read(
                    lambda connection, blob=blob: blob_rows.is_wanted(connection, blob)  # type: ignore[misc]
                )
                if not wanted:
                    await asyncio.to_thread(self._store.blobs.remove, blob_name(blob))

    @asynccontextmanager
    async def _holding(self, blob: BlobHash) -> AsyncIterator[None]:
        # A file that is being written anew is not the one to remove: one at a time for each name.
        lock, many = self._held.get(blob, (asyncio.Lock(), 0))
        self._held[blob] = (lock, many + 1)
        try:
            async with lock:
                yield
        finally:
            lock, many = self._held[blob]
            if many == 1:
                del self._held[blob]
            else:
                self._held[blob] = (lock, many - 1)


def _add(session: Session, room: RoomId, blob: BlobHash, size: int, now: int, connection: Connection) -> None:
    blob_rows.add_blob(connection, session, room, blob, size, now)
    far_blob_rows.leave(connection, room, blob, now)
