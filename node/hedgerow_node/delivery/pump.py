"""Group commit: submissions that wait at the same moment share one transaction and one flush of the disk.

While one group is being written and told the next one gathers, so a lone submission waits for nobody, and under load
the cost of the disk, and of writing to all who listen, is shared by all that came meanwhile.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
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


TOGETHER_MAX: Final = 64
"""Submissions. In one transaction, and then in one write to each receiver."""

TOGETHER_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes. Payloads in one transaction: what a slow disk flushes within a moment."""

WAITING_MAX: Final = 2_000
"""Submissions. Beyond them devices are told that the node is busy instead of filling its memory."""

Outcome: TypeAlias = Accepted | Conflict | Refused | StoreError
"""What became of a submission."""
Told: TypeAlias = Callable[[Outcome], None]


class _Waiting:
    """A submission on its way, and who hears what became of it; ``None`` when nobody wants to know any more."""

    __slots__ = ("arrived", "told")

    def __init__(self, arrived: Arrived, told: Told) -> None:
        self.arrived = arrived
        self.told: Told | None = told

    def tell(self, outcome: Outcome) -> None:
        """Say so, once."""
        told, self.told = self.told, None
        if told is None:
            return
        try:
            told(outcome)
        except Exception:
            LOG.exception("Who submitted something could not be told what became of it")


class Pump:
    """Takes submissions on the event loop and writes them in groups."""

    def __init__(self, scribe: Scribe, appender: Appender) -> None:
        self._scribe = scribe
        self._appender = appender
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, arrived: Arrived) -> Accepted | Conflict:
        """What became of it, once that is on the disk. Raises :class:`Refused` or :class:`StoreError`."""
        future: asyncio.Future[Accepted | Conflict] = asyncio.get_running_loop().create_future()
        waiting = self._take(_Waiting(arrived, partial(_resolve, future)))
        try:
            return await future
        except asyncio.CancelledError:
            waiting.told = None
            raise

    def hand_in(self, arrived: Arrived, told: Told) -> None:
        """The same for whoever does not wait: ``told`` is called on the event loop, right before all others hear of it.

        Raises :class:`StoreError` when it is not taken; ``told`` is then not called.
        """
        self._take(_Waiting(arrived, told))

    def _take(self, waiting: _Waiting) -> _Waiting:
        if self._closed:
            raise StoreError("The store is closed.")
        if len(self._waiting) >= WAITING_MAX:
            raise StoreBusyError("Too much is waiting to be written. Try again in a moment.")
        self._waiting.append(waiting)
        if self._writing is None:
            # It begins at the end of this turn of the loop: what else arrives in it belongs to the same group.
            self._writing = asyncio.get_running_loop().create_task(self._write_all(), name="submissions")
        return waiting

    async def close(self) -> None:
        """Write what waits, then stop."""
        self._closed = True
        if self._writing is not None:
            await self._writing

    def _gather(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < TOGETHER_MAX and size <= TOGETHER_BYTES_MAX:
            waiting = self._waiting.popleft()
            if waiting.told is not None:
                group.append(waiting)
                size += len(waiting.arrived.submission.payload)
        return group

    async def _write_all(self) -> None:
        """One group after the other. While one is told, nothing is written: two threads would only take turns."""
        try:
            while self._waiting:
                await self._write_one()
        finally:
            self._writing = None

    async def _write_one(self) -> None:
        group: list[_Waiting] = []
        try:
            await self._scribe.write(partial(self._append, group), partial(_tell, group))
        except StoreError as error:
            for each in group or self._gather():
                each.tell(type(error)(str(error)))
        except Exception:
            # A mistake of ours in one group must not stop all that come after it.
            LOG.exception("A group of submissions could not be written")
            for each in group or self._gather():
                each.tell(StoreError("This could not be written."))

    def _append(self, group: list[_Waiting], connection: Connection) -> tuple[Batch, Happened]:
        # In the writer's thread: what has arrived until now is in it.
        group += self._gather()
        batch = self._appender.append(connection, [each.arrived for each in group])
        return batch, batch.happened


def _tell(group: list[_Waiting], batch: Batch) -> None:
    for waiting, outcome in zip(group, batch.outcomes, strict=True):
        waiting.tell(outcome)


def _resolve(future: "asyncio.Future[Accepted | Conflict]", outcome: Outcome) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
