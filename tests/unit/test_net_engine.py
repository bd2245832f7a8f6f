"""The crank: events in one line, outputs in order, ticks when they are due, the loop never held for long."""

import asyncio
from dataclasses import dataclass, field

from hedgerow_node import clock
from hedgerow_node.net import bounds
from hedgerow_node.net.engine import Engine
from hedgerow_protocol.gossip.events import Close, Event, LinkDown, LinkId, Output, Reason, Tick
from hedgerow_protocol.ports import Instant, Now
from net_ends import now, until


@dataclass
class Machine:
    """Answers each end of a link with the closing of the next one."""

    costs: float = 0.0
    seen: list[Event] = field(default_factory=list)
    wants_tick: Instant | None = None

    def handle(self, event: Event, now: Now) -> list[Output]:
        self.seen.append(event)
        if isinstance(event, Tick):
            self.wants_tick = None
            return []
        end = clock.monotonic() + self.costs
        while clock.monotonic() < end:
            pass
        return [Close(LinkId(event.link + 100), Reason.OTHER)] if isinstance(event, LinkDown) else []

    def due(self) -> Instant | None:
        return self.wants_tick


def down(link: int) -> LinkDown:
    return LinkDown(LinkId(link))


async def test_what_an_output_causes_stands_at_the_end_of_the_line() -> None:
    machine, order = Machine(), list[str]()

    def act(output: Output) -> None:
        assert isinstance(output, Close)
        order.append(f"close {output.link}")
        if output.link == 101:
            engine.feed(down(50))
            order.append("fed")

    engine = Engine(act, now)
    engine.feed(down(1))
    engine.feed(down(2))
    assert machine.seen == []  # it has not begun
    engine.start(machine)
    # On a busy machine the rest of the line waits for the loop, in the same order.
    await until(lambda: len(order) == 4, "the whole line")
    assert order == ["close 101", "fed", "close 102", "close 150"]
    engine.feed(down(3))
    await until(lambda: len(order) == 5, "one more")
    assert order[-1] == "close 103"
    engine.stop()


async def test_a_tick_comes_when_it_is_due_and_not_without_end() -> None:
    machine = Machine(wants_tick=Instant(clock.monotonic() + 0.05))
    engine = Engine(lambda output: None, now)
    engine.start(machine)
    await until(lambda: machine.seen == [Tick()], "a tick")
    machine.wants_tick = Instant(clock.monotonic() - 100)
    engine.feed(down(1))  # a machine that is always late does not spin
    await until(lambda: len(machine.seen) == 3, "a late tick")
    engine.stop()


async def test_a_long_line_lets_others_have_their_turn_and_holds_its_makers() -> None:
    machine = Machine(costs=0.002)
    engine = Engine(lambda output: None, now)
    for number in range(bounds.EVENTS_AT_ONCE * 2):
        engine.feed(down(number))
    engine.start(machine)
    assert 0 < engine.backlog < bounds.EVENTS_AT_ONCE * 2
    await engine.room()
    assert engine.backlog < bounds.EVENTS_AT_ONCE
    await until(lambda: engine.backlog == 0, "the end of the line")
    assert [event.link for event in machine.seen if isinstance(event, LinkDown)] == list(
        range(bounds.EVENTS_AT_ONCE * 2)
    )
    engine.stop()


async def test_after_the_end_nothing_is_handled() -> None:
    machine = Machine(wants_tick=Instant(clock.monotonic() + 0.01))
    engine = Engine(lambda output: None, now)
    engine.start(machine)
    engine.stop()
    engine.feed(down(1))
    await asyncio.sleep(0.03)
    assert machine.seen == []
