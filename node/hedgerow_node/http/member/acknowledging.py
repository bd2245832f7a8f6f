"""Acknowledgements from live sockets, gathered: one write for many devices, not one for each.

Losing some in a crash loses nothing: the client hears those entries again, knows them, and acknowledges them again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from hedgerow_node.delivery.doors import Session
from hedgerow_node.http import bounds
from hedgerow_node.store.errors import StoreError
from hedgerow_protocol.delivery.values import RoomId

LOG = logging.getLogger(__name__)

Write = Callable[[Sequence[tuple[Session, RoomId, int]]], Awaitable[None]]


@dataclass(slots=True)
class Acknowledgements:
    """What waits to be written: for each device and room the highest seq."""

    write: Write
    seconds: float = bounds.ACKNOWLEDGE_SECONDS
    waiting: dict[tuple[Session, RoomId], int] = field(default_factory=dict)
    _task: "asyncio.Task[None] | None" = None

    def add(self, session: Session, acknowledged: Iterable[tuple[RoomId, int]]) -> None:
        """Take a device's acknowledgements. When very many wait, further ones are passed over: they come again."""
        for room, seq in acknowledged:
            key = (session, room)
            known = self.waiting.get(key)
            if known is None and len(self.waiting) >= bounds.ACKNOWLEDGEMENTS_WAITING_MAX:
                continue
            if known is None or seq > known:
                self.waiting[key] = seq
        if self._task is None and self.waiting:
            self._task = asyncio.get_running_loop().create_task(self._write_soon(), name="acknowledgements")

    async def _write_soon(self) -> None:
        try:
            while self.waiting:
                await asyncio.sleep(self.seconds)
                await self._write_all()
        finally:
            self._task = None

    async def _write_all(self) -> None:
        many = bounds.ACKNOWLEDGEMENTS_TOGETHER_MAX
        try:
            # A part at a time: what somebody says meanwhile does not wait for all of them.
            for _ in range(0, len(self.waiting), many):
                part = [(key, self.waiting.pop(key)) for key in list(islice(self.waiting, many))]
                await self.write([(session, room, seq) for (session, room), seq in part])
        except StoreError:
            LOG.warning("Acknowledgements could not be written; the clients will make them again")

    async def close(self) -> None:
        """Write what waits."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.waiting:
            await self._write_all()
