"""What the network does by the clock: the hour, the announcement, the address book."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from hedgerow_node.store.errors import StoreError
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import hour_start

LOG = logging.getLogger(__name__)

HOUR_SECONDS: Final = 3_600

LOOK_SECONDS: Final = 30.0
"""Seconds. Between two looks at the clock: a laptop that slept past the hour notices within them."""

SAVE_SECONDS: Final = 300.0
"""Seconds. Between two savings of the address book; what a crash loses of it is found again."""

ANNOUNCE_SECONDS: Final = 30.0
"""Seconds. Between two looks whether this node's announcement is still true and young enough."""

REACHABLE_SECONDS: Final = 1_800.0
"""Seconds. Between two tests whether this node's addresses can be dialled."""


@dataclass(frozen=True, slots=True)
class Chore:
    """One thing that is done again and again."""

    name: str
    seconds: float
    do: Callable[[], Awaitable[None]]


async def repeat(chore: Chore) -> None:
    """Do it now and then until cancelled; a store that cannot is a line in the log, and it is tried again."""
    while True:
        await asyncio.sleep(chore.seconds)
        try:
            await chore.do()
        except StoreError as error:
            LOG.warning("The network's chore %r could not be done: %s", chore.name, error)


@dataclass(slots=True)
class Hours:
    """Notices when the hour turns, at the hour or after a sleep."""

    now: Callable[[], Timestamp]
    turn: Callable[[Timestamp], Awaitable[None]]
    current: Timestamp

    async def look(self) -> None:
        """Turn the hour if it is another one."""
        now = self.now()
        hour = hour_start(now)
        if hour != self.current:
            await self.turn(now)
            self.current = hour

    async def run(self) -> None:
        """Look at the clock at each full hour, and in between."""
        while True:
            left = self.current + HOUR_SECONDS - self.now()
            await asyncio.sleep(min(LOOK_SECONDS, max(0.05, left)))
            try:
                await self.look()
            except StoreError as error:
                LOG.warning("The hour could not be turned in the store: %s", error)


def report(task: "asyncio.Task[None]") -> None:
    """Say in the log with what error a task of the network has ended, if with any."""
    if not task.cancelled() and (error := task.exception()) is not None:
        LOG.error("A task of the network ended with %s", type(error).__name__, exc_info=error)
