"""Writing to the private store, and telling what happened in the order in which it happened."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.refusal import Refusal, Refused

_T = TypeVar("_T")
Tell: TypeAlias = Callable[[Happened], None]
Work: TypeAlias = Callable[[Connection], tuple[_T, Happened | None]]


class Scribe:
    """Runs writes that return a result and what others are to hear of it.

    Told on the event loop after the transaction is on the disk, in the order of the transactions, and before whoever
    asked for the write goes on.
    """

    def __init__(self, database: Database, tell: Callable[[], Tell]) -> None:
        self._database = database
        self._tell = tell

    async def write(self, work: Work[_T], first: Callable[[_T], None] | None = None) -> _T:
        """Run ``work`` in the writer thread. Raises what it raises, or :class:`StoreError`.

        ``first`` is called with the result on the event loop, right before the others are told; it must not raise.
        A device that was removed a moment ago is told so: rows that would point to it cannot be written.
        """
        loop = asyncio.get_running_loop()

        def pass_on(result: _T, happened: Happened | None) -> None:
            if first is not None:
                first(result)
            if happened is not None and happened.anything:
                self._tell()(happened)

        def committed(result: tuple[_T, Happened | None]) -> None:
            if (first is not None or result[1] is not None) and not loop.is_closed():
                loop.call_soon_threadsafe(pass_on, *result)

        try:
            result, _happened = await self._database.write(work, committed)
        except sqlite3.IntegrityError as error:
            raise Refused(Refusal.NO_ACCOUNT, "This device is no longer known here.") from error
        return result

    async def quietly(self, work: Callable[[Connection], _T]) -> _T:
        """The same for what nobody waits to hear."""
        return await self.write(lambda connection: (work(connection), None))
