"""Telling one follower how the live set changes, without a gap and without a repetition.

The writer thread notes the changes (:mod:`hedgerow_node.store.live`); the follower hears of them on his event loop, in
the order of the commits. He begins with a snapshot. What was committed before it is in it and is not told; what is
committed while he is still being handed the snapshot waits until he has it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.live import NEVER, LiveChange, LiveItem, live_items, turned
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import hour_start

Follower: TypeAlias = Callable[[LiveChange], None]


class LiveFeed:
    """The changes of one store's live set, for one follower."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.undone = self._undo
        # Only the writer thread uses these two: the hour of the follower's copy, and as of the last commit.
        self._hour = NEVER
        self._hour_committed = NEVER
        # Only the loop's thread uses these.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._follower: Follower | None = None
        self._snapshot: object = None
        """Names the snapshot that is being taken."""
        self._held: list[LiveChange] | None = None
        """Committed after the snapshot, which the follower does not have yet."""
        self._flowing = False

    @property
    def hour(self) -> Timestamp:
        """The hour against which writes note their changes. For the writer thread."""
        return self._hour

    def follow(self, follower: Follower) -> None:
        """From the next snapshot on, call ``follower`` on this event loop after each commit that changed something."""
        if self._follower is not None:
            raise ValueError("The live set has a follower already.")
        self._loop = asyncio.get_running_loop()
        self._follower = follower

    # --- on the loop

    async def items(self, now: Timestamp) -> tuple[list[LiveItem], Timestamp]:
        """The live set of this hour, and the hour. What changes after it is told to the follower."""
        loop = self._loop = asyncio.get_running_loop()
        hour = hour_start(now)
        name = self._snapshot = object()
        self._flowing, self._held = False, None

        def work(connection: Connection) -> list[LiveItem]:
            items = live_items(connection, hour)
            self._hour = hour
            return items

        def committed(_items: list[LiveItem]) -> None:
            self._hour_committed = self._hour
            self._call(loop, self._begin, name)

        try:
            items = await self._database.write(work, committed)
        except BaseException:
            if self._snapshot is name:
                self._snapshot, self._held = None, None
            raise
        # The caller uses the snapshot before the loop does anything else.
        loop.call_soon(self._release, name)
        return items, hour

    async def turn(self, now: Timestamp) -> None:
        """Go on to this hour: what has expired by then leaves, also what is still on the disk."""

        def work(connection: Connection) -> LiveChange:
            before, hour = self._hour, hour_start(now)
            if before in (NEVER, hour):
                return LiveChange()
            change = turned(connection, before, hour)
            self._hour = hour
            return change

        await self._database.write(work, self.committed)

    def _begin(self, name: object) -> None:
        if name is self._snapshot:
            self._held = []

    def _release(self, name: object) -> None:
        if name is not self._snapshot:
            return
        held, self._held, self._snapshot, self._flowing = self._held or [], None, None, True
        for change in held:
            self._tell(change)

    def _tell(self, change: LiveChange) -> None:
        if self._held is not None:
            self._held.append(change)
        elif self._flowing and self._follower is not None:
            self._follower(change)

    # --- in the writer thread

    def committed(self, change: LiveChange) -> None:
        """A write is on the disk and changed the live set so. For the writer thread."""
        self._hour_committed = self._hour
        if change and self._loop is not None:
            self._call(self._loop, self._tell, change)

    def _undo(self) -> None:
        self._hour = self._hour_committed

    def _call(self, loop: asyncio.AbstractEventLoop, what: Callable[..., None], *values: object) -> None:
        with suppress(RuntimeError):  # the loop has ended, and whoever followed on it
            loop.call_soon_threadsafe(what, *values)
