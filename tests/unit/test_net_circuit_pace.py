"""Letters through a circuit keep to what a relay lets through, whatever else passes: otherwise it ends the circuit."""

from collections import deque

import pytest

from hedgerow_node.net.circuits import CircuitPace
from hedgerow_protocol import limits, relay_limits
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.ratelimit import TokenBucket
from hedgerow_protocol.relay_pacing import Line, Stream

LETTER = limits.LETTER_FRAME_BYTES_MAX
STEP = 0.02
GIVEN = 60_000
"""Bytes of a message with records; a giver has four under way."""


class End:
    """One end of a circuit: letters as fast as may be, and perhaps records."""

    def __init__(self, *, letters: bool, records: bool, size: int = LETTER) -> None:
        self.pace = CircuitPace()
        self.letters, self.records, self.size = letters, records, size
        self.under_way = 0
        self.arrived = 0

    def say(self, now: Instant) -> list[bytes]:
        said: list[bytes] = []
        while self.records and self.under_way < 4:
            self.under_way += 1
            said.append(b"r" * GIVEN)
            self.pace.said(GIVEN, now)
        while self.letters and self.pace.may_send(self.size, now):
            self.pace.letter(self.size, now)
            self.pace.said(self.size, now)
            said.append(b"l" * self.size)
        return said


def run(one: End, two: End, seconds: float) -> int:
    """Both ends over one relay; the most it ever held back in one direction."""
    line, bucket = Line(), TokenBucket(relay_limits.CIRCUIT_RATE_BYTES, relay_limits.CIRCUIT_BURST_BYTES)
    to_one, to_two = Stream(1, 1, bucket), Stream(2, 1, bucket)
    answers: deque[End] = deque()
    most, time = 0, 1_000.0
    for _ in range(round(seconds / STEP)):
        time += STEP
        now = Instant(time)
        while answers:
            answers.popleft().under_way -= 1
        for end, stream in ((one, to_two), (two, to_one)):
            for message in end.say(now):
                line.add(stream, message)
        for stream, payload in line.ready(now):
            giver, taker = (one, two) if stream is to_two else (two, one)
            taker.pace.passed(len(payload), now)
            taker.arrived += len(payload) * payload.startswith(b"l")
            if payload.startswith(b"r"):
                answers.append(giver)
        most = max(most, to_one.queued, to_two.queued)
    return most


@pytest.mark.parametrize("size", [LETTER, 700])
@pytest.mark.parametrize("records", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("letters", [(True, False), (True, True)])
def test_a_relay_never_has_to_hold_back_too_much(
    letters: tuple[bool, bool], records: tuple[bool, bool], size: int
) -> None:
    one, two = (End(letters=wrote, records=gave, size=size) for wrote, gave in zip(letters, records, strict=True))
    assert run(one, two, 60) <= relay_limits.CIRCUIT_QUEUE_BYTES_MAX


def test_letters_use_a_circuit_that_is_idle_and_are_not_starved_by_records() -> None:
    alone, other = End(letters=True, records=False), End(letters=False, records=False)
    run(alone, other, 20)
    assert other.arrived > 20 * 150 * 1024
    busy, giver = End(letters=True, records=True), End(letters=True, records=True)
    run(busy, giver, 60)
    assert min(busy.arrived, giver.arrived) > 60 * 45 * 1024
