"""Turns the machine's crank: events in one line, outputs done in order, a tick when one is due.

No event is handled inside another: what an output causes at once stands at the end of the line. After a few
milliseconds the rest of the line waits for the loop's other work.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hedgerow_node.net import bounds
from hedgerow_node.net.machine import Machine
from hedgerow_protocol.gossip.events import Event, Output, Tick
from hedgerow_protocol.ports import Now

LOG = logging.getLogger(__name__)

TURN_SECONDS: Final = 0.005
"""Seconds. The loop is held for so long at most, but for the length of one event."""

TICK_SECONDS_MIN: Final = 0.01
"""Seconds. Between two ticks, whatever the machine says: a mistake there must not eat the processor."""


@dataclass(slots=True)
class Engine:
    """Begin with :meth:`start`; before that, events wait."""

    act: Callable[[Output], None]
    now: Callable[[], Now]
    handled: int = 0
    """Events since the start."""
    slowest: float = 0.0
    """Seconds. The longest time one event took, with what it put out."""
    _line: deque[Event] = field(default_factory=deque)
    _machine: Machine | None = None
    _inside: bool = False
    _rest: asyncio.Handle | None = None
    _tick: asyncio.TimerHandle | None = None

    @property
    def backlog(self) -> int:
        """Events that wait."""
        return len(self._line)

    def feed(self, event: Event) -> None:
        """Give the machine an event, at once if it is idle. Only from the event loop."""
        self._line.append(event)
        machine = self._machine
        if machine is not None and not self._inside and self._rest is None:
            self._turn(machine)

    async def room(self) -> None:
        """Wait until few events wait."""
        # An event object would cost more than this look: the line is worked off by the very loop that this yields to.
        while len(self._line) >= bounds.EVENTS_AT_ONCE:  # noqa: ASYNC110
            await asyncio.sleep(0)

    def start(self, machine: Machine) -> None:
        """Handle what waits, and go on. From now on nobody else touches the machine."""
        self._machine = machine
        self._turn(machine)

    def stop(self) -> None:
        """No more events and ticks."""
        self._machine = None
        self._line.clear()
        for handle in (self._rest, self._tick):
            if handle is not None:
                handle.cancel()
        self._rest = self._tick = None

    def _turn(self, machine: Machine) -> None:
        self._rest = None
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._inside = True
        try:
            while self._line and self._machine is not None:
                before = loop.time()
                self.handled += 1
                for output in machine.handle(self._line.popleft(), self.now()):
                    self.act(output)
                after = loop.time()
                self.slowest = max(self.slowest, after - before)
                if after - began > TURN_SECONDS and self._line:
                    self._rest = loop.call_soon(self._turn, machine)
                    break
        finally:
            self._inside = False
        if self._machine is not None:
            self._plan_tick(machine, loop)

    def _plan_tick(self, machine: Machine, loop: asyncio.AbstractEventLoop) -> None:
        due = machine.due()
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if due is not None:
            wait = max(TICK_SECONDS_MIN, due - self.now().instant)
            self._tick = loop.call_later(wait, self._ring)

    def _ring(self) -> None:
        self._tick = None
        self.feed(Tick())
