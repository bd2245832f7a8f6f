"""Group commit: submissions that wait at the same moment share one transaction and one flush of the disk.

While one group is being written the next one gathers, so a lone submission waits for nobody, and under load the cost
of the disk is shared by all that came meanwhile.
"""

import asyncio
import logging
from collections import deque
from functools import partial
from typing import Final, TypeAlias

from hedgerow_node.store.database import Connection
from hedgerow_node.store.errors import StoreBusyError, StoreError
from hedgerow_node.store.private.appending import Appender, Arrived, Batch
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import Accepted, Conflict

LOG = logging.getLogger(__name__)

TOGETHER_MAX: Final = 32
"""Submissions. In one transaction: a flush costs less than they do."""

GROUPS_MAX: Final = 2
"""Groups. Under way at once: while one is being written, those who sent the one before hear of it and go on."""

TOGETHER_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes. Payloads in one transaction: what a slow disk flushes within a moment."""

WAITING_MAX: Final = 2_000
"""Submissions. Beyond them devices are told that the node is busy instead of filling its memory."""

_Waiting: TypeAlias = "tuple[Arrived, asyncio.Future[Accepted | Conflict]]"


class Pump:
    """Takes submissions on the event loop and writes them in groups."""

    def __init__(self, scribe: Scribe, appender: Appender) -> None:
        self._scribe = scribe
        self._appender = appender
        self._waiting: deque[_Waiting] = deque()
        self._groups: set[asyncio.Task[None]] = set()
        self._soon = False
        self._closed = False

    async def submit(self, arrived: Arrived) -> Accepted | Conflict:
        """What became of it, once that is on the disk. Raises :class:`Refused` or :class:`StoreError`."""
        if self._closed:
            raise StoreError("The store is closed.")
        if len(self._waiting) >= WAITING_MAX:
            raise StoreBusyError("Too much is waiting to be written. Try again in a moment.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Accepted | Conflict] = loop.create_future()
        self._waiting.append((arrived, future))
        if not self._soon:
            # Not at once: what else arrives in this turn of the loop belongs to the same group.
            self._soon = True
            loop.call_soon(self._begin)
        return await future

    async def close(self) -> None:
        """Write what waits, then stop."""
        self._closed = True
        while self._waiting or self._groups:
            self._begin()
            await asyncio.wait(self._groups)

    def _begin(self) -> None:
        self._soon = False
        while self._waiting and len(self._groups) < GROUPS_MAX:
            task = asyncio.get_running_loop().create_task(self._write(self._gather()), name="a group of submissions")
            self._groups.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._groups.discard(task)
        if not self._soon and self._waiting:
            self._begin()

    def _gather(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < TOGETHER_MAX and size <= TOGETHER_BYTES_MAX:
            waiting = self._waiting.popleft()
            if not waiting[1].done():
                group.append(waiting)
                size += len(waiting[0].submission.payload)
        return group

    async def _write(self, group: list[_Waiting]) -> None:
        arrived = [each for each, _ in group]
        try:
            batch = await self._scribe.write(partial(self._append, arrived))
        except StoreError as error:
            for _, future in group:
                _fail(future, type(error)(str(error)))
        except Exception:
            # A mistake of ours in one group must not stop all that come after it.
            LOG.exception("A group of submissions could not be written")
            for _, future in group:
                _fail(future, StoreError("This could not be written."))
        else:
            for (_, future), outcome in zip(group, batch.outcomes, strict=True):
                if isinstance(outcome, Refused):
                    _fail(future, outcome)
                elif not future.done():
                    future.set_result(outcome)

    def _append(self, arrived: list[Arrived], connection: Connection) -> tuple[Batch, Happened]:
        batch = self._appender.append(connection, arrived)
        return batch, batch.happened


def _fail(future: "asyncio.Future[Accepted | Conflict]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
