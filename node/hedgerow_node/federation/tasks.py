"""Work that nobody waits for: kept so that it is not lost, and ended together."""

import asyncio
from collections.abc import Coroutine


class Tasks:
    """A set of running tasks. Belongs to the event loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Begin this; after the end, nothing begins any more."""
        if self._ended:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work, name=self._name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End everything that runs."""
        self._ended = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
