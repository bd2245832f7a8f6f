"""From the machine's questions to the directory and back: in turn, within bounds, whatever the disk does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_node.net.judging import Judging, Lines, verdict_of
from hedgerow_node.store.errors import StoreError
from hedgerow_protocol.errors import Code
from hedgerow_protocol.gossip.events import Fetch, Fetched, Judge, Judged, LinkId, Standing, Ticket
from hedgerow_protocol.ids import NodeId, RecordId
from net_ends import until

RID, CHARTER = RecordId(b"r" * 32), RecordId(b"c" * 32)


@dataclass
class Slow:
    """A directory that takes as long as it is told, and keeps what it is asked for in the order it came."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[tuple[LinkId, int]] = field(default_factory=list)
    errors: int = 0
    """So many of the next calls go wrong."""

    async def take_in(self, envelopes: Sequence[bytes], judge: Judge) -> Sequence[Outcome]:
        self.batches.append((judge.link, len(envelopes)))
        await self.gate.wait()
        if self.errors:
            self.errors -= 1
            raise StoreError("The disk is full.")
        return [Stored(RecordId(each.ljust(32)[:32])) for each in envelopes]

    async def read(self, fetch: Fetch) -> Sequence[bytes]:
        await self.gate.wait()
        return [b"envelope"] * len(fetch.rids)


@dataclass
class Bench:
    """Judging at work, and what it answered."""

    records: Slow
    judging: Judging
    answers: list[Judged | Fetched]
    failed: list[LinkId]
    tickets: int = 0

    def judge(self, link: int, *envelopes: bytes) -> Ticket:
        self.tickets += 1
        self.judging.put(Judge(Ticket(self.tickets), LinkId(link), NodeId(b"n" * 32), envelopes))
        return Ticket(self.tickets)

    def fetch(self, link: int, many: int = 1) -> Ticket:
        self.tickets += 1
        self.judging.put(Fetch(Ticket(self.tickets), LinkId(link), (RID,) * many))
        return Ticket(self.tickets)

    async def answered(self, many: int) -> None:
        await until(lambda: len(self.answers) >= many, f"{many} answers")


@asynccontextmanager
async def at_work(*, held: bool = False, **bounds: int) -> AsyncIterator[Bench]:
    records, answers, failed = Slow(), list[Judged | Fetched](), list[LinkId]()
    judging = Judging(
        records=records,
        answer=lambda question, answer: answers.append(answer),
        fail=failed.append,
        retry_seconds=0.0,
        **bounds,  # type: ignore[arg-type]
    )
    if not held:
        records.gate.set()
    task = asyncio.create_task(judging.run())
    try:
        yield Bench(records, judging, answers, failed)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("outcome", "standing"),
    [
        (Stored(RID, new_chain=True), Standing.STORED),
        (Known(RID), Standing.KNOWN),
        (Superseded(RID), Standing.SUPERSEDED),
        (Waiting(RID, CHARTER), Standing.WAITING),
        (Refused(Code.BAD_SIGNATURE, "It is wrong.", RID), Standing.REFUSED),
    ],
)
def test_every_outcome_has_a_verdict(outcome: Outcome, standing: Standing) -> None:
    verdict = verdict_of(outcome)
    assert (verdict.standing, verdict.rid) == (standing, RID)
    assert verdict.new_chain == (standing is Standing.STORED)
    assert verdict.needs == (CHARTER if standing is Standing.WAITING else None)
    assert verdict.code == (Code.BAD_SIGNATURE if standing is Standing.REFUSED else None)


async def test_each_question_gets_its_own_verdicts_in_their_order() -> None:
    async with at_work() as bench:
        first = bench.judge(1, b"a", b"b")
        second = bench.judge(1, b"c")
        await bench.answered(2)
        rids = {each.ticket: [v.rid for v in each.verdicts] for each in bench.answers if isinstance(each, Judged)}
        assert rids == {first: [b"a".ljust(32), b"b".ljust(32)], second: [b"c".ljust(32)]}
        assert bench.judging.waiting_bytes(LinkId(1)) == 0


async def test_lines_are_served_in_turn_and_joined_up_to_two_hundred() -> None:
    async with at_work(held=True) as bench:
        for _ in range(5):
            bench.judge(1, *(b"x" * 10 for _ in range(80)))
        await until(lambda: len(bench.records.batches) == 2, "two batches under way")
        bench.judge(2, b"y")
        bench.records.gate.set()
        await bench.answered(6)
    # Two batches of the loud link were under way already; the quiet one comes before its third.
    assert bench.records.batches == [(1, 160), (1, 160), (2, 1), (1, 80)]


async def test_a_link_is_not_read_while_too_much_of_it_waits() -> None:
    async with at_work(held=True, bytes_max=100) as bench:
        bench.judge(1, b"x" * 60)
        await bench.judging.room(LinkId(1))
        bench.judge(1, b"x" * 60)
        waiting = asyncio.create_task(bench.judging.room(LinkId(1)))
        await bench.judging.room(LinkId(2))  # somebody else may go on
        await asyncio.sleep(0)
        assert not waiting.done()
        bench.records.gate.set()
        await asyncio.wait_for(waiting, 10)


async def test_all_links_together_are_bounded_and_small_ones_go_on() -> None:
    async with at_work(held=True, bytes_all_max=200_000) as bench:
        for link in (1, 2, 3):
            bench.judge(link, b"x" * 90_000)
        loud = [asyncio.create_task(bench.judging.room(LinkId(link))) for link in (1, 2, 3)]
        await bench.judging.room(LinkId(4))
        await asyncio.sleep(0)
        assert not any(task.done() for task in loud)
        bench.records.gate.set()
        await asyncio.wait_for(asyncio.gather(*loud), 10)


async def test_a_link_that_is_gone_leaves_nothing_behind() -> None:
    async with at_work(held=True, bytes_max=10) as bench:
        for _ in range(4):
            bench.judge(1, b"x" * 100, *(b"y" for _ in range(199)))
            bench.fetch(1)
        waiting = asyncio.create_task(bench.judging.room(LinkId(1)))
        await until(lambda: len(bench.records.batches) == 2, "two batches under way")
        bench.judging.drop(LinkId(1))
        bench.records.gate.set()
        await asyncio.wait_for(waiting, 10)
        await until(lambda: not bench.judging.waiting_bytes(LinkId(1)), "nothing waiting")
    assert len(bench.records.batches) == 2


async def test_a_disk_that_fails_once_is_asked_again_and_twice_ends_the_link() -> None:
    async with at_work() as bench:
        bench.records.errors = 1
        bench.judge(1, b"a")
        await bench.answered(1)
        assert not bench.failed
        bench.records.errors = 2
        bench.judge(2, b"b")
        await until(lambda: bench.failed == [2], "the link was given up")
        bench.judge(3, b"c")
        await bench.answered(2)


async def test_what_is_asked_for_comes_back_and_too_many_questions_get_nothing() -> None:
    async with at_work(held=True) as bench:
        tickets = [bench.fetch(1, 2) for _ in range(80)]
        assert bench.answers == [Fetched(ticket, ()) for ticket in tickets[64:]]
        bench.records.gate.set()
        await bench.answered(80)
        assert sum(len(each.envelopes) for each in bench.answers if isinstance(each, Fetched)) == 2 * 64


def test_lines_turn() -> None:
    lines: Lines[str] = Lines()
    one, two = LinkId(1), LinkId(2)
    lines.put(one, "a")
    lines.put(one, "b")
    lines.put(two, "c")
    taken = []
    while (link := lines.first()) is not None:
        taken.append(lines.take(link))
        lines.turn(link)
    assert taken == ["a", "c", "b"]
    assert len(lines) == 0
