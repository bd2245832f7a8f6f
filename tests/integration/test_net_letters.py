"""Letters between real nodes on this machine: sent, held back, through a relay, and after a link was lost."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hedgerow_node import clock
from hedgerow_node.net import bounds
from hedgerow_protocol import limits
from hedgerow_protocol.gossip.events import NodesBlocked
from hedgerow_protocol.messages import Letter, encode
from hedgerow_protocol.ratelimit import TokenBucket
from net_ends import until
from networks import eventually
from post_offices import free_port, office, send_all


async def test_letters_pass_both_ways_in_order(tmp_path: Path) -> None:
    async with office(tmp_path / "a", 1) as first, office(tmp_path / "b", 2, first.url) as second:
        await until(lambda: first.id in second.post.connected() and second.id in first.post.connected(), "both up")
        there = [number.to_bytes(2, "big") for number in range(500)]
        back = [bytes(limits.LETTER_FRAME_BYTES_MAX), b"\0"]
        await asyncio.gather(send_all(first, second.id, there), send_all(second, first.id, back))
        await until(lambda: len(second.read.letters) == 500 and len(first.read.letters) == 2, "all letters")
        assert second.read.letters == [(first.id, each) for each in there]
        assert first.read.letters == [(second.id, each) for each in back]
        await until(lambda: first.post.waiting(second.id) == 0, "nothing waits")
        for wrong in (b"", bytes(limits.LETTER_FRAME_BYTES_MAX + 1)):
            with pytest.raises(ValueError, match="letter"):
                first.post.send(second.id, wrong)
    assert first.read.said == [("up", second.id), ("down", second.id)]
    assert second.read.said == [("up", first.id), ("down", first.id)]


async def test_a_node_that_reads_no_letters_gets_none(tmp_path: Path) -> None:
    async with (
        office(tmp_path / "a", 1, letters=False) as first,
        office(tmp_path / "b", 2, first.url) as second,
    ):
        await until(lambda: bool(second.network.status().links), "a link")
        assert "rooms" not in second.network.status().links[0].features
        assert "rooms" not in first.network.announcer.features
        assert "rooms" in second.network.announcer.features
        assert second.post.connected() == frozenset()
        assert not second.post.send(first.id, b"nobody reads this")
        assert second.post.waiting(first.id) == 0
        assert not second.read.said


async def test_a_wanted_node_is_found_by_its_announcement_and_found_again_after_it_was_away(tmp_path: Path) -> None:
    port = free_port()
    async with AsyncExitStack() as stack:
        third = await stack.enter_async_context(office(tmp_path / "c", 3))
        first = await stack.enter_async_context(office(tmp_path / "a", 1, third.url))
        async with office(tmp_path / "b", 2, third.url, port=port, announce=True) as second:
            other = second.id
            await until(lambda: first.network._engine._machine.book.get(other) is not None, "hearsay")
            assert other not in first.post.connected()
            first.post.want(other)
            await until(lambda: other in first.post.connected(), "a link")
            assert first.is_wanted(second)
            assert first.link_to(second).outbound
            assert first.post.send(other, b"before")
            await until(lambda: second.read.letters == [(first.id, b"before")], "a letter")
        await until(lambda: first.read.said[-1] == ("down", other), "it is away")
        assert not first.post.send(other, b"while it is away")
        async with office(tmp_path / "b", 2, third.url, port=port, announce=True) as second:
            await until(lambda: other in first.post.connected(), "it is back", 30)
            assert first.post.send(other, b"after")
            await until(lambda: second.read.letters == [(first.id, b"after")], "a letter")
        assert [what for what, who in first.read.said if who == other] == ["up", "down", "up", "down"]


async def test_two_who_cannot_be_dialled_write_to_each_other_through_a_relay(tmp_path: Path) -> None:
    """More than a relay holds back at once: whoever sends has to keep to the relay's pace."""
    async with AsyncExitStack() as stack:
        third = await stack.enter_async_context(office(tmp_path / "c", 3))
        first = await stack.enter_async_context(office(tmp_path / "a", 1, third.url, dialable=False))
        second = await stack.enter_async_context(office(tmp_path / "b", 2, third.url, dialable=False))
        for one, other in ((first, second), (second, first)):
            announcer = other.network.announcer
            await until(lambda announcer=announcer: announcer.relays == (third.id,), "a place")  # type: ignore[misc]
            # Gossip brings it within half a minute; it stands among the records then.
            assert announcer.current is not None
            await one.directory.accept([announcer.current.envelope], now=clock.now())
        assert second.id not in first.post.connected()
        first.post.want(second.id)
        second.post.want(first.id)  # both at once: one of the two links stays
        await until(lambda: second.id in first.post.connected() and first.id in second.post.connected(), "up", 30)
        (status,) = [each for each in first.network.status().links if each.peer == second.id]
        assert status.relayed
        assert status.rooms
        ups = len(first.read.said)
        there = [bytes([number]) * 30_000 for number in range(14)]
        await asyncio.gather(send_all(first, second.id, there), send_all(second, first.id, [b"meanwhile"]))
        await until(lambda: len(second.read.letters) == 14, "all letters", 30)
        assert [letter for _, letter in second.read.letters] == there
        assert first.read.letters == [(second.id, b"meanwhile")]
        assert len(first.read.said) == ups  # the relay did not end the circuit
        assert third.network._machine.reaching.tally().carried_circuits == 1  # type: ignore[union-attr]
        assert not third.read.letters


async def test_letters_are_held_back_when_the_other_side_does_not_read(tmp_path: Path) -> None:
    async with office(tmp_path / "a", 1) as first, office(tmp_path / "b", 2, first.url) as second:
        await until(lambda: first.id in second.post.connected() and second.id in first.post.connected(), "both up")
        stuck = second.link_to(first)
        stuck.letters = TokenBucket(0.0, 1)  # one more letter, and then it reads nothing
        letter = bytes(60_000)
        sent = 0
        while first.post.send(second.id, letter):
            sent += 1
            await asyncio.sleep(0)
            assert sent < 10_000
        assert first.post.waiting(second.id) > bounds.LETTERS_WAITING_BYTES_MAX
        assert first.post.waiting(second.id) < bounds.LETTERS_WAITING_BYTES_MAX + 2 * len(letter)
        stuck.letters = TokenBucket(bounds.LETTERS_RATE, bounds.LETTERS_BURST)
        await until(lambda: first.post.waiting(second.id) == 0, "room again")
        await until(lambda: len(second.read.letters) == sent, "none was lost")
        assert first.post.send(second.id, letter)


async def test_a_blocked_node_is_not_written_to_and_not_heard(tmp_path: Path) -> None:
    async with (
        office(tmp_path / "a", 1, announce=True) as first,
        office(tmp_path / "b", 2, first.url) as second,
    ):
        await until(lambda: first.id in second.post.connected() and second.id in first.post.connected(), "both up")
        second.network.feed(NodesBlocked(frozenset({first.id})))
        await until(lambda: not first.post.connected() and not second.post.connected(), "parted")
        second.post.want(first.id)
        assert not second.post.send(first.id, b"no")
        assert not first.post.send(second.id, b"no")
        second.network.choose([])
        await asyncio.sleep(0.3)
        assert not second.network.gate.links
        second.network.feed(NodesBlocked(frozenset()))
        second.network.choose([first.url])
        second.post.want(first.id)
        await until(lambda: first.id in second.post.connected(), "together again", 30)


async def test_gossip_goes_on_while_ten_thousand_letters_flow(tmp_path: Path) -> None:
    async with office(tmp_path / "a", 1) as first, office(tmp_path / "b", 2, first.url) as second:
        await until(lambda: first.id in second.post.connected() and second.id in first.post.connected(), "both up")
        letters = [number.to_bytes(4, "big") * 100 for number in range(10_000)]
        flow = asyncio.create_task(send_all(first, second.id, letters))
        try:
            await until(lambda: len(second.read.letters) > 1_000, "the flow has begun")
            for number in range(3):
                await first.publish(f"Circle {number}")
                await eventually(lambda number=number: second.shows(f"Circle {number}"), "gossip", 10)  # type: ignore[misc]
            gossiped_at = len(second.read.letters)
            await flow
        finally:
            flow.cancel()
        assert gossiped_at < 10_000
        await until(lambda: len(second.read.letters) == 10_000, "every letter", 30)
        assert [letter for _, letter in second.read.letters] == letters
        assert second.network.status().links[0].score > 0


async def test_letters_go_on_while_records_are_reconciled(tmp_path: Path) -> None:
    async with office(tmp_path / "a", 1) as first:
        for number in range(400):
            await first.publish(f"Circle {number}")
        async with office(tmp_path / "b", 2, first.url) as second:
            await until(lambda: second.id in first.post.connected(), "up")
            await send_all(first, second.id, [bytes([number]) * 60_000 for number in range(60)])
            await until(lambda: len(second.read.letters) == 60, "every letter", 30)
            await eventually(lambda: second.shows("Circle 399"), "every record", 30)


async def test_who_writes_without_end_is_read_no_faster_than_the_limits_say(tmp_path: Path) -> None:
    async with office(tmp_path / "a", 1) as first, office(tmp_path / "b", 2, first.url) as second:
        await until(lambda: first.id in second.post.connected() and second.id in first.post.connected(), "both up")
        flood, began = first.link_to(second), clock.monotonic()
        for number in range(20_000):
            flood.send_letter(encode(Letter(number.to_bytes(4, "big"))))
        await until(lambda: len(second.read.letters) > bounds.LETTERS_BURST + 500, "the burst is over", 30)
        seconds = clock.monotonic() - began
        assert len(second.read.letters) <= bounds.LETTERS_BURST + bounds.LETTERS_RATE * (seconds + 0.1)
        # Nothing was dropped, and the one who wrote them is no offender: the line held him back.
        assert [letter for _, letter in second.read.letters] == [
            number.to_bytes(4, "big") for number in range(len(second.read.letters))
        ]
        assert second.network.status().links[0].score >= 0
