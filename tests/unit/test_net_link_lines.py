"""Two lines leave over one link: letters, and everything else. Neither keeps the other from leaving."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hedgerow_node import clock
from hedgerow_node.net.circuits import CircuitPace
from hedgerow_node.net.links import End, Link, Owner
from hedgerow_protocol.channel import ChannelOutput, Opened
from hedgerow_protocol.gossip.events import LinkId
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Now
from net_ends import now, until


@dataclass
class Wire:
    """A transport that writes down what is sent, one message at a time when it is let."""

    sent: list[bytes] = field(default_factory=list)
    let: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    began: bool = False
    end: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> bytes | None:
        if not self.began:
            self.began = True
            return b"open"
        await self.end.wait()
        return None

    async def send(self, message: bytes) -> None:
        await self.let.acquire()
        self.sent.append(message)

    async def close(self, *, politely: bool = True) -> None:
        self.end.set()

    def let_go(self, many: int) -> None:
        for _ in range(many):
            self.let.release()


class Plain:
    """A channel that opens at once and seals nothing."""

    def handle(self, data: bytes, now: Now) -> list[ChannelOutput]:
        return [Opened(peer=NodeId(bytes(32)), binding=bytes(32), announcement=b"", xk=True)]

    def seal(self, frame: bytes, now: Now) -> bytes:
        return frame


async def _room(link: LinkId) -> None:
    return None


def a_link(**more: Any) -> tuple[Link, Wire]:
    wire = Wire()
    owner = Owner(now, lambda link, opened: None, lambda link, frame: None, _room)
    channel: Any = Plain()
    link = Link(number=LinkId(1), transport=wire, channel=channel, owner=owner, outbound=False, address="", **more)
    return link, wire


async def test_of_two_lines_one_message_of_each_leaves_in_turn() -> None:
    link, wire = a_link()
    running = asyncio.create_task(link.run())
    await until(lambda: link.peer is not None, "open")
    for number in range(50):
        link.send_letter(b"letter %d" % number)
    for number in range(3):
        link.send(b"frame %d" % number)
    wire.let_go(10)
    await until(lambda: len(wire.sent) == 10, "ten messages")
    assert sorted(wire.sent[:6]) == [b"frame 0", b"frame 1", b"frame 2", b"letter 0", b"letter 1", b"letter 2"]
    assert [each for each in wire.sent if each.startswith(b"letter")] == [b"letter %d" % number for number in range(7)]
    # Nor the other way round.
    for number in range(20):
        link.send(b"more %d" % number)
    wire.let_go(10)
    await until(lambda: len(wire.sent) == 20, "ten more")
    assert sum(each.startswith(b"letter") for each in wire.sent[10:]) in (5, 6)
    link.close()
    wire.let_go(100)
    assert await running is End.OURS
    # What was to be said before the goodbye was said; letters that waited were not.
    assert [each for each in wire.sent if each.startswith(b"more")] == [b"more %d" % number for number in range(20)]
    assert sum(each.startswith(b"letter") for each in wire.sent) < 20
    assert link.waiting_letter_bytes == 0


async def test_letters_that_wait_for_a_circuit_do_not_keep_anything_else_waiting() -> None:
    pace = CircuitPace()
    while pace.may_send(60_000, now().instant):
        pace.letter(60_000, now().instant)
        pace.said(60_000, now().instant)
    link, wire = a_link(circuit_pace=pace)
    wire.let_go(1_000)
    running = asyncio.create_task(link.run())
    await until(lambda: link.peer is not None, "open")
    began = clock.monotonic()
    link.send_letter(bytes(60_000))
    link.send(b"frame")
    await until(lambda: wire.sent == [b"frame"], "the frame")
    assert link.waiting_letter_bytes == 60_000
    await until(lambda: len(wire.sent) == 2, "the letter, in its time")
    assert clock.monotonic() - began > 0.2
    link.close()
    assert await running is End.OURS
