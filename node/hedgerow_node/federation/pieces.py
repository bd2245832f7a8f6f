"""Members' files between nodes, a piece at a time: what followers bring to this hub, and what they fetch from it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hedgerow_node.delivery.files import BlobRoom
from hedgerow_node.store.database import Database
from hedgerow_node.store.private import far_blob_rows
from hedgerow_node.store.private.files import Files, blob_name
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import BlobHash, RoomId
from hedgerow_protocol.federation.values import BlobBytes, BlobGet, BlobPut
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant

OF_NODE_MAX: Final = 4
"""Files. Of one node that come at a time."""

OF_ALL_MAX: Final = 8
"""Files. That come at a time: in memory until they are whole, 80 MiB at most."""

IDLE_SECONDS: Final = 120.0
"""Seconds. Without a piece, after which what has come of a file is forgotten."""


@dataclass(slots=True)
class _Coming:
    size: int
    data: bytearray
    when: Instant


class Pieces:
    """The hub's side of files."""

    def __init__(self, database: Database, files: Files, blobs: BlobRoom, monotonic: Callable[[], Instant]) -> None:
        self._database = database
        self._files = files
        self._blobs = blobs
        self._monotonic = monotonic
        self._coming: dict[tuple[NodeId, RoomId, BlobHash], _Coming] = {}

    async def get(self, peer: NodeId, body: BlobGet) -> BlobBytes:
        """A piece of a file of a room in which a mailbox of this node takes part. Raises :class:`Refused`."""
        size = await self._database.read(lambda c: far_blob_rows.size_for(c, peer, body.room, body.blob))
        path = self._files.path_of(blob_name(body.blob))

        def read() -> bytes:
            with path.open("rb") as file:
                file.seek(body.offset)
                return file.read(limits.BLOB_PIECE_BYTES_MAX)

        try:
            return BlobBytes(size, await asyncio.to_thread(read))
        except OSError as error:
            raise Refused(Refusal.UNKNOWN, "This file is no longer kept.") from error

    async def put(self, peer: NodeId, body: BlobPut, now: int) -> None:
        """A piece of a file; with the last one it is kept. Raises :class:`Refused`."""
        known = await self._database.read(lambda c: far_blob_rows.check_for(c, peer, body.room, body.blob, body.size))
        if known:
            return
        self._forget_idle()
        key = (peer, body.room, body.blob)
        coming = self._coming.get(key)
        if coming is None or body.offset == 0:
            coming = self._begin(key, body)
        if coming.size != body.size or body.offset + len(body.data) > body.size:
            raise Refused(Refusal.BAD, "The pieces of this file do not fit together.")
        if body.offset > len(coming.data):
            raise Refused(Refusal.STALE, "The pieces of this file before this one are not here.")
        coming.when = self._monotonic()
        if body.offset + len(body.data) <= len(coming.data):
            return
        coming.data[body.offset :] = body.data
        if len(coming.data) < coming.size:
            return
        del self._coming[key]
        await self._blobs.put_far(peer, body.room, body.blob, bytes(coming.data), now)

    def down(self, peer: NodeId) -> None:
        """Its link has ended: it begins anew."""
        for key in [key for key in self._coming if key[0] == peer]:
            del self._coming[key]

    def _begin(self, key: tuple[NodeId, RoomId, BlobHash], body: BlobPut) -> _Coming:
        if body.offset:
            raise Refused(Refusal.STALE, "The pieces of this file before this one are not here.")
        if key not in self._coming:
            own = sum(1 for each in self._coming if each[0] == key[0])
            if own >= OF_NODE_MAX or len(self._coming) >= OF_ALL_MAX:
                raise Refused(Refusal.TOO_FAST, "Many files are on their way already.", retry_after=30)
        coming = self._coming[key] = _Coming(body.size, bytearray(), self._monotonic())
        return coming

    def _forget_idle(self) -> None:
        now = self._monotonic()
        for key in [key for key, each in self._coming.items() if now - each.when > IDLE_SECONDS]:
            del self._coming[key]
