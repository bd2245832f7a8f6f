"""The machine of the outbox, that of followers who compare heads, and their timers, step by step."""

import pytest

from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation import comparing as ex
from hedgerow_protocol.federation import outbox_values as box
from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.federation.outbox import Outbox
from hedgerow_protocol.federation.timers import Timers
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now, Timestamp

A, B, C, D, E = (NodeId(bytes([letter]) * 32) for letter in b"abcde")
ROOM, OTHER = RoomId(b"r" * 32), RoomId(b"o" * 32)
START = 1_800_000_000


def at(seconds: float) -> Now:
    return Now(Instant(seconds), Timestamp(START + int(seconds)))


# --- timers


def test_timers_come_in_their_order_and_once() -> None:
    timers: Timers[str] = Timers()
    assert timers.due() is None
    timers.set("b", Instant(2.0))
    timers.set("a", Instant(1.0))
    timers.set("c", Instant(3.0))
    timers.set("c", Instant(0.5))
    timers.cancel("b")
    assert timers.due() == 0.5
    assert "b" not in timers
    assert timers.take(Instant(1.0)) == ["c", "a"]
    assert timers.take(Instant(9.0)) == []
    for number in range(10_000):
        timers.set("again", Instant(float(number)))
    assert len(timers) == 1
    assert len(timers._heap) < 200, "what was set anew does not pile up"
    assert timers.due() == 9_999.0


# --- the outbox


def queued(
    number: int, node: NodeId = A, room: RoomId | None = ROOM, size: int = 100, created: int = START
) -> box.Queued:
    return box.Queued(node, number, room, size, Timestamp(created))


def sends(outputs: list[box.Output]) -> list[int]:
    return [number for each in outputs if isinstance(each, box.Send) for number in each.numbers]


def linked(*nodes: NodeId) -> Outbox:
    machine = Outbox()
    for node in nodes:
        machine.handle(Connected(node), at(0))
    return machine


def test_requests_go_at_once_over_a_link_and_in_their_order() -> None:
    machine = linked(A)
    assert machine.handle(queued(1), at(1)) == [box.Send(A, (1,)), Want(A)]
    assert machine.handle(queued(1), at(1)) == [], "the same number is the same request"
    assert machine.handle(queued(2), at(1)) == [box.Send(A, (2,))]
    assert machine.under_way(A) == (2, 200)
    machine.handle(box.Answered(1), at(1))
    machine.handle(box.Answered(99), at(1))
    assert machine.under_way(A) == (1, 100)
    machine.handle(Disconnected(A), at(2))
    machine.handle(queued(3), at(2))
    assert sends(machine.handle(Connected(A), at(3))) == [2, 3]


def test_the_window_of_the_outbox() -> None:
    machine = linked(A)
    sent = [number for each in range(1, 100) for number in sends(machine.handle(queued(each), at(1)))]
    assert sent == list(range(1, box.WINDOW_REQUESTS_MAX + 1))
    assert sends(machine.handle(box.Answered(1), at(1))) == [65]
    machine = linked(A)
    large = box.WINDOW_BYTES_MAX
    assert sends(machine.handle(queued(1, size=2 * large), at(1))) == [1], "a request that is larger goes alone"
    assert sends(machine.handle(queued(2), at(1))) == []
    assert sends(machine.handle(box.Answered(1), at(1))) == [2]
    assert sends(machine.handle(queued(3, size=large), at(1))) == []
    assert sends(machine.handle(queued(4, room=OTHER), at(1))) == [], "small ones do not keep a large one waiting"
    assert sends(machine.handle(box.Answered(2), at(1))) == [3]


def test_rooms_take_turns() -> None:
    machine = Outbox()
    for number in range(1, 101):
        machine.handle(queued(number), at(0))
    for number in range(101, 111):
        machine.handle(queued(number, room=OTHER), at(0))
    machine.handle(queued(111, room=None), at(0))
    sent = sends(machine.handle(Connected(A), at(1)))
    assert set(range(101, 112)) < set(sent)
    assert sent[:4] == [1, 101, 111, 2]


def test_what_is_not_answered_is_sent_again() -> None:
    machine = linked(A)
    machine.handle(queued(1), at(1))
    machine.handle(queued(2), at(30))
    machine.handle(queued(3, room=OTHER), at(30))
    assert machine.due() == 1 + box.ANSWER_SECONDS
    assert sends(machine.handle(Tick(), at(61))) == [1, 2], "in their order; other rooms are left alone"
    machine.handle(box.Answered(1), at(62))
    machine.handle(box.Answered(2), at(62))
    assert sends(machine.handle(Tick(), at(91))) == [3]
    machine.handle(box.Answered(3), at(92))
    assert len(machine) == 0
    assert machine.due() is None


def test_an_answer_that_came_just_in_time_counts() -> None:
    machine = linked(A)
    machine.handle(queued(1), at(1))
    machine.handle(queued(2), at(50))
    machine.handle(box.Answered(1), at(60))
    assert sends(machine.handle(Tick(), at(61))) == []
    assert machine.due() == 50 + box.ANSWER_SECONDS


def test_busy_holds_the_room_back_and_longer_each_time() -> None:
    machine = linked(A)
    for number in (1, 2, 3):
        machine.handle(queued(number), at(0))
    assert machine.handle(box.BusyAnswered(2, 1), at(1)) == []
    assert machine.handle(box.BusyAnswered(3, 1), at(1)) == []
    assert machine.under_way(A) == (1, 100)
    assert sends(machine.handle(queued(4), at(2))) == []
    assert sends(machine.handle(queued(5, room=OTHER), at(2))) == [5]
    assert sends(machine.handle(Tick(), at(1 + box.BACK_OFF_SECONDS_MIN))) == [2, 3, 4]
    machine.handle(box.BusyAnswered(2, 0), at(10))
    assert sends(machine.handle(Tick(), at(19))) == []
    assert sends(machine.handle(Tick(), at(20))) == [2, 3, 4]
    machine.handle(box.BusyAnswered(2, 3_600), at(20))
    assert machine.handle(Tick(), at(59)) == []
    machine.handle(box.Answered(1), at(59))
    machine.handle(box.Answered(5), at(59))
    assert sends(machine.handle(Tick(), at(3_619))) == [], "the other node said when"
    assert sends(machine.handle(Tick(), at(3_620)))[:3] == [2, 3, 4]


def test_a_link_is_wished_for_less_and_less_often() -> None:
    machine = Outbox()
    assert machine.handle(queued(1), at(0)) == [Want(A)]
    assert machine.handle(queued(2), at(1)) == []
    wished = []
    now = 0.0
    while now < 4_000:
        due = machine.due()
        assert due is not None
        now = due
        wished += [now for out in machine.handle(Tick(), at(now)) if out == Want(A)]
    gaps = [right - left for left, right in zip([0.0, *wished], wished, strict=False)]
    assert gaps[:4] == [5, 10, 20, 40]
    assert max(gaps) == box.BACK_OFF_SECONDS_MAX
    assert Want(A) in machine.handle(queued(3), at(now + 6)), "somebody has just said something"
    machine.handle(Connected(A), at(now + 7))
    for number in (1, 2, 3):
        machine.handle(box.Answered(number), at(now + 8))
    machine.handle(Disconnected(A), at(now + 9))
    assert machine.due() is None
    assert not machine._nodes


def test_a_request_is_given_up_after_a_month() -> None:
    machine = Outbox()
    machine.handle(queued(1, created=START - box.GIVE_UP_SECONDS + 100), at(0))
    machine.handle(queued(2), at(0))
    assert box.GiveUp(1) not in machine.handle(Tick(), at(99))
    assert box.GiveUp(1) in machine.handle(Tick(), at(100))
    assert len(machine) == 1
    assert sends(machine.handle(Connected(A), at(101))) == [2]
    slow = Now(Instant(box.GIVE_UP_SECONDS + 50.0), Timestamp(START + 50))
    assert box.GiveUp(2) not in machine.handle(Tick(), slow), "the clock on the wall counts"
    assert box.GiveUp(2) in machine.handle(Tick(), at(2.0 * box.GIVE_UP_SECONDS))
    assert machine.waiting(A) == 0


def test_an_outbox_of_very_many_rooms_and_nodes() -> None:
    machine = Outbox()
    for number in range(20_000):
        room = RoomId((number % 5_000).to_bytes(32, "big"))
        machine.handle(queued(number, NodeId((number % 50).to_bytes(32, "big")), room), at(0))
    sent = sends(machine.handle(Connected(NodeId(bytes(32))), at(1)))
    arrived = []
    while sent:
        arrived += sent
        sent = [more for number in sent for more in sends(machine.handle(box.Answered(number), at(1)))]
    assert len(arrived) == len(set(arrived)) == 400
    assert len(machine) == 19_600


# --- heads


def shown(outputs: list[ex.Output]) -> list[NodeId]:
    return [each.node for each in outputs if isinstance(each, ex.ShowHead)]


def follower(*fellows: NodeId) -> ex.Comparing:
    machine = ex.Comparing(B)
    for node in fellows:
        machine.handle(Connected(node), at(0))
    machine.handle(ex.Advanced(ROOM, 1), at(0))
    return machine


def test_fellows_are_shown_heads_in_turn_and_at_most_once_a_minute() -> None:
    machine = follower(A, C, D, E)
    assert shown(machine.handle(ex.Fellows(ROOM, (A, B, C, D, E), anew=True), at(1))) == [C, D, E]
    assert machine.handle(ex.Advanced(ROOM, 2), at(2)) == []
    assert machine.handle(ex.Advanced(ROOM, 9), at(3)) == []
    assert machine.due() == 61
    assert shown(machine.handle(Tick(), at(61))) == [A, C, D]
    assert machine.due() is None, "nothing new, nothing to show"
    assert shown(machine.handle(ex.Fellows(ROOM, (C,), anew=True), at(62))) == [C], "after each follow"
    assert machine.handle(ex.Advanced(ROOM, 9), at(63)) == []


def test_a_link_to_one_fellow_is_wished_for() -> None:
    machine = follower()
    assert machine.handle(ex.Fellows(ROOM, (A, C)), at(1)) == [Want(C)]
    assert machine.handle(Connected(A), at(2)) == []
    assert shown(machine.handle(Connected(C), at(2))) == [C]
    machine.handle(Disconnected(A), at(3))
    machine.handle(Disconnected(C), at(3))
    machine.handle(ex.Advanced(ROOM, 2), at(3))
    assert machine.handle(Tick(), at(61)) == [], "not all the time"
    assert machine.handle(ex.Advanced(ROOM, 3), at(700)) == [Want(C)], "the next one, after ten minutes"
    machine.handle(ex.Left(ROOM), at(701))
    assert machine.due() is None
    assert not machine._hopes
    assert not machine._rooms


def test_who_is_ahead_is_shown_ours_once_a_minute() -> None:
    machine = follower(A)
    machine.handle(ex.Fellows(ROOM, (A,), anew=True), at(1))
    assert shown(machine.handle(ex.HeardAhead(ROOM, A), at(2))) == [A]
    assert shown(machine.handle(ex.HeardAhead(ROOM, A), at(3))) == []
    assert shown(machine.handle(ex.HeardAhead(ROOM, A), at(62))) == [A]
    assert shown(machine.handle(ex.HeardAhead(ROOM, D), at(200))) == [], "no fellow of ours"
    assert shown(machine.handle(ex.HeardAhead(OTHER, A), at(200))) == []


@pytest.mark.parametrize("nodes", [(), (B,)])
def test_a_room_without_fellows_shows_nothing(nodes: tuple[NodeId, ...]) -> None:
    machine = follower(A)
    assert machine.handle(ex.Fellows(ROOM, nodes, anew=True), at(1)) == []
    assert machine.handle(ex.Advanced(ROOM, 5), at(100)) == []
    assert machine.due() is None
