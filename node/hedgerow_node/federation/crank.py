"""Turns a machine's crank: events in one line, outputs done in their order, a tick when one is due."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from hedgerow_protocol.federation.events import Tick
from hedgerow_protocol.ports import Instant, Now

TICK_SECONDS_MIN: Final = 0.01
"""Seconds. Between two ticks, whatever the machine says: a mistake there must not eat the processor."""

EventT = TypeVar("EventT", contravariant=True)
Event = TypeVar("Event")
Output = TypeVar("Output")


class Machine(Protocol[EventT, Output]):
    """One of :mod:`hedgerow_protocol.federation`'s machines."""

    def due(self) -> Instant | None:
        """When the next tick is to be told."""
        ...

    def handle(self, event: EventT, now: Now, /) -> list[Output]:
        """The one door."""
        ...


class Crank(Generic[Event, Output]):
    """Belongs to the event loop. Nothing happens before :meth:`start` but that events wait."""

    def __init__(
        self, machine: "Machine[Event | Tick, Output]", act: Callable[[Output], None], now: Callable[[], Now]
    ) -> None:
        self._machine = machine
        self._act = act
        self._now = now
        self._line: deque[Event | Tick] = deque()
        self._running = False
        self._inside = False
        self._tick: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Handle what waits, and go on."""
        self._running = True
        self._turn()

    def stop(self) -> None:
        """No more events and ticks."""
        self._running = False
        self._line.clear()
        if self._tick is not None:
            self._tick.cancel()

    def feed(self, event: Event | Tick) -> None:
        """Something happened. What an output causes stands at the end of the line."""
        self._line.append(event)
        if self._running and not self._inside:
            self._turn()

    def _turn(self) -> None:
        self._inside = True
        try:
            while self._line and self._running:
                for output in self._machine.handle(self._line.popleft(), self._now()):
                    self._act(output)
        finally:
            self._inside = False
        self._set_tick()

    def _set_tick(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        due = self._machine.due()
        if due is not None and self._running:
            wait = max(TICK_SECONDS_MIN, due - self._now().instant)
            self._tick = asyncio.get_running_loop().call_later(wait, self.feed, Tick())
