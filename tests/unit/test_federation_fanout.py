"""The machine that says when a hub tells which follower what, step by step."""

from collections import Counter
from time import perf_counter

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation import fanout_values as fan
from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.federation.fanout import Fanout
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now, Timestamp

A, B, C, D, E = (NodeId(bytes([letter]) * 32) for letter in b"abcde")
ROOM, OTHER = RoomId(b"r" * 32), RoomId(b"o" * 32)
START = 1_800_000_000


def at(seconds: float) -> Now:
    return Now(Instant(seconds), Timestamp(START + int(seconds)))


# --- the hub's notifies


def hub(*nodes: NodeId, fanout_ms: int = 0, rooms: tuple[RoomId, ...] = (ROOM,)) -> Fanout:
    machine = Fanout(fanout_ms)
    for room in rooms:
        for node in nodes:
            machine.handle(fan.Followed(room, node, 0, 0), at(0))
    for node in nodes:
        machine.handle(Connected(node), at(0))
    return machine


def reads(outputs: list[fan.Output]) -> list[fan.Read]:
    return [each for each in outputs if isinstance(each, fan.Read)]


def test_what_comes_within_a_second_is_told_together() -> None:
    machine = hub(A, B, fanout_ms=1_000)
    assert machine.handle(fan.Grown(ROOM, 1), at(10)) == []
    assert machine.handle(fan.Grown(ROOM, 2), at(10.5)) == []
    assert machine.due() == 11
    out = reads(machine.handle(Tick(), at(11)))
    assert [(each.node, each.after, each.limit) for each in out] == [(A, 0, 2), (B, 0, 2)]
    for each in out:
        machine.handle(fan.Sent(each.number, 2, 200), at(11))
    machine.handle(fan.Grown(ROOM, 3), at(11.1))
    assert machine.handle(fan.Acknowledged(ROOM, A, 2), at(11.2)) == [], "what comes later waits for its own second"
    assert len(reads(machine.handle(Tick(), at(12.1)))) == 2


def test_without_a_wait_an_entry_is_told_at_once_and_what_follows_closely_together() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 1), at(1)))
    assert reads(machine.handle(fan.Sent(read.number, 1, 50), at(1))) == []
    for seq in (2, 3, 4):
        assert machine.handle(fan.Grown(ROOM, seq), at(1 + seq / 1_000)) == []
    assert machine.due() == 1 + fan.TOGETHER_SECONDS
    (read,) = reads(machine.handle(Tick(), at(1 + fan.TOGETHER_SECONDS)))
    assert (read.after, read.limit) == (1, 3)
    machine.handle(fan.Sent(read.number, 4, 50), at(1.1))
    (read,) = reads(machine.handle(fan.Grown(ROOM, 5), at(1.1)))
    assert (read.after, read.limit) == (4, 1)


def test_one_read_at_a_time_for_one_cursor() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 1), at(1)))
    assert machine.handle(fan.Grown(ROOM, 2), at(2)) == []
    (read,) = reads(machine.handle(fan.Sent(read.number, 1, 50), at(2)))
    assert (read.after, read.limit) == (1, 1)


def test_the_window_closes_and_opens() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 1_000), at(1)))
    assert (read.limit, read.size) == (limits.NOTIFY_ENTRIES_MAX, limits.NOTIFY_BYTES_MAX)
    (read,) = reads(machine.handle(fan.Sent(read.number, 10, 900_000), at(1)))
    assert (read.after, read.limit, read.size) == (10, 246, limits.NOTIFY_BYTES_MAX - 900_000)
    assert machine.handle(fan.Sent(read.number, 12, 200_000), at(1)) == []
    assert machine.handle(fan.Acknowledged(ROOM, A, 9), at(1)) == [], "half a notify frees no bytes"
    (read,) = reads(machine.handle(fan.Acknowledged(ROOM, A, 10), at(1)))
    assert (read.after, read.size) == (12, limits.NOTIFY_BYTES_MAX - 200_000)
    assert read.limit == limits.NOTIFY_ENTRIES_MAX - 2


def test_a_new_link_begins_where_the_last_one_was_acknowledged() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 20), at(1)))
    (other,) = reads(machine.handle(fan.Sent(read.number, 10, 100), at(1)))
    machine.handle(fan.Acknowledged(ROOM, A, 4), at(2))
    machine.handle(Disconnected(A), at(3))
    assert machine.handle(fan.Sent(other.number, 20, 100), at(3)) == [], "what was read for the old link"
    (read,) = reads(machine.handle(Connected(A), at(4)))
    assert (read.after, read.limit) == (4, 16)


def test_nobody_acknowledges_what_they_were_not_told() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 300), at(1)))
    machine.handle(fan.Sent(read.number, 256, 100), at(1))
    (read,) = reads(machine.handle(fan.Acknowledged(ROOM, A, limits.SEQUENCE_MAX), at(1)))
    assert (read.after, read.limit) == (256, 44)
    machine.handle(fan.Acknowledged(ROOM, B, 5), at(1))
    machine.handle(fan.Acknowledged(OTHER, A, 5), at(1))
    machine.handle(Disconnected(A), at(2))
    (read,) = reads(machine.handle(Connected(A), at(3)))
    assert read.after == 256


def test_a_fetch_goes_back_and_is_always_answered() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 10), at(1)))
    machine.handle(fan.Sent(read.number, 10, 100), at(1))
    machine.handle(fan.Acknowledged(ROOM, A, 10), at(1))
    (read,) = reads(machine.handle(fan.Fetched(ROOM, A, 3), at(2)))
    assert (read.after, read.limit) == (3, 7)
    assert machine.handle(fan.Sent(read.number, 10, 100), at(2)) == []
    (read,) = reads(machine.handle(fan.Fetched(ROOM, A, 10), at(3)))
    assert (read.after, read.limit) == (10, 0)
    assert machine.handle(fan.Sent(read.number, 10, 0), at(3)) == []
    assert machine.due() is None
    (read,) = reads(machine.handle(fan.Fetched(ROOM, A, 99), at(4)))
    assert read.after == 10, "nobody goes beyond what there is"


def test_fetches_are_bounded_and_none_is_lost() -> None:
    machine = hub(A)
    machine.handle(fan.Grown(ROOM, 10), at(1))
    told = 0
    for _ in range(1_000):
        told += len(reads(machine.handle(fan.Fetched(ROOM, A, 0), at(1))))
    assert told <= fan.FETCHES_BURST
    due = machine.due()
    assert due is not None
    (read,) = reads(machine.handle(Tick(), at(due)))
    assert (read.after, read.limit) == (0, 10)


def test_what_could_not_be_read_is_tried_again() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 1), at(1)))
    assert machine.handle(fan.Sent(read.number, 0, 0), at(1)) == []
    assert machine.due() == 1 + fan.UNREAD_SECONDS
    (read,) = reads(machine.handle(Tick(), at(1 + fan.UNREAD_SECONDS)))
    assert read.after == 0


def test_a_follower_whose_last_mailbox_was_taken_out_is_told_no_more() -> None:
    machine = hub(A, B)
    machine.handle(fan.Limited(ROOM, A, 2), at(1))
    out = {each.node: each for each in reads(machine.handle(fan.Grown(ROOM, 5), at(1)))}
    assert (out[A].limit, out[B].limit) == (2, 5)
    assert machine.handle(fan.Sent(out[A].number, 2, 10), at(1)) == []
    (read,) = reads(machine.handle(fan.Limited(ROOM, A, None), at(2)))
    assert (read.after, read.limit) == (2, 3)
    machine.handle(fan.Unfollowed(ROOM, A), at(3))
    machine.handle(fan.Unfollowed(ROOM, B), at(3))
    machine.handle(fan.Unfollowed(ROOM, C), at(3))
    assert machine.handle(fan.Grown(ROOM, 6), at(3)) == []
    machine.handle(Disconnected(A), at(4))
    machine.handle(Disconnected(B), at(4))
    assert not machine._rooms
    assert not machine._nodes
    assert not machine._reads
    assert machine.due() is None


def test_who_follows_anew_begins_where_they_say() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 9), at(1)))
    machine.handle(fan.Sent(read.number, 9, 10), at(1))
    (read,) = reads(machine.handle(fan.Followed(ROOM, A, 3, 9), at(2)))
    assert (read.after, read.limit) == (3, 6)


def test_who_is_away_is_wished_for_now_and_then() -> None:
    machine = Fanout(0)
    machine.handle(fan.Followed(ROOM, A, 0, 0), at(0))
    assert machine.due() is None
    assert machine.handle(fan.Grown(ROOM, 1), at(1)) == [Want(A)]
    assert machine.handle(fan.Grown(ROOM, 2), at(2)) == []
    assert machine.handle(Tick(), at(1 + fan.WANT_SECONDS)) == [Want(A)]
    out = machine.handle(Connected(A), at(1_000))
    assert reads(out)
    assert Want(A) in out, "a link in use is kept"
    assert reads(machine.handle(fan.Grown(ROOM, 3), at(1_001))) == []


def test_who_does_not_acknowledge_is_told_of_once() -> None:
    machine = hub(A, B)
    for read in reads(machine.handle(fan.Grown(ROOM, 5), at(1))):
        machine.handle(fan.Sent(read.number, 5, 10), at(1))
    machine.handle(fan.Acknowledged(ROOM, B, 5), at(2))
    assert machine.stalled() == []
    assert machine.handle(Tick(), at(1 + fan.STALLED_SECONDS)) == [fan.Stalled(ROOM, A)]
    assert machine.handle(Tick(), at(500)) == []
    assert machine.stalled() == [(ROOM, A)]
    machine.handle(fan.Acknowledged(ROOM, A, 5), at(501))
    assert machine.stalled() == []
    assert machine.due() is None


def test_who_acknowledges_a_part_has_another_minute_for_the_rest() -> None:
    machine = hub(A)
    (read,) = reads(machine.handle(fan.Grown(ROOM, 9), at(1)))
    (read,) = reads(machine.handle(fan.Sent(read.number, 5, 10), at(1)))
    machine.handle(fan.Sent(read.number, 9, 10), at(1))
    machine.handle(fan.Acknowledged(ROOM, A, 5), at(40))
    assert machine.handle(Tick(), at(99)) == []
    assert machine.handle(Tick(), at(100)) == [fan.Stalled(ROOM, A)]


def test_a_few_notifies_are_read_for_one_node_at_a_time() -> None:
    rooms = tuple(RoomId(number.to_bytes(32, "big")) for number in range(6))
    machine = hub(A, rooms=rooms)
    waiting = [read for room in rooms for read in reads(machine.handle(fan.Grown(room, 1), at(1)))]
    assert [each.room for each in waiting] == list(rooms[: fan.READS_OF_NODE_MAX])
    (read,) = reads(machine.handle(fan.Sent(waiting[0].number, 1, 10), at(1)))
    assert read.room == rooms[fan.READS_OF_NODE_MAX]


def test_links_that_come_and_go_leave_nothing_behind() -> None:
    machine = hub(A)
    machine.handle(fan.Grown(ROOM, 10), at(1))
    for number in range(20):
        machine.handle(Disconnected(A), at(2))
        (read,) = reads(machine.handle(Connected(A), at(2)))
        assert read.after == 0
        machine.handle(fan.Sent(read.number, 1, 1_000_000), at(2 + number))
    machine.handle(fan.Acknowledged(ROOM, A, 1), at(30))
    assert machine._nodes[A].bytes == 0


def test_nodes_take_turns() -> None:
    rooms = tuple(RoomId(number.to_bytes(32, "big")) for number in range(200))
    machine = Fanout(0)
    for room in rooms:
        machine.handle(fan.Followed(room, A, 0, 10), at(0))
    machine.handle(fan.Followed(ROOM, B, 0, 10), at(0))
    machine.handle(Connected(A), at(0))
    (read,) = reads(machine.handle(Connected(B), at(0)))
    assert read.node == B, "the many rooms of one node do not fill all places"
    told: Counter[NodeId] = Counter()
    waiting = [read]
    for room in rooms[:50]:
        waiting += reads(machine.handle(fan.Grown(room, 11), at(1)))
    while waiting:
        each = waiting.pop(0)
        told[each.node] += 1
        waiting += reads(machine.handle(fan.Sent(each.number, each.after + each.limit, 10), at(1)))
        waiting += reads(machine.handle(fan.Acknowledged(each.room, each.node, each.after + each.limit), at(1)))
    assert told[B] == 1


def test_what_is_under_way_to_one_node_is_bounded_over_all_its_rooms() -> None:
    machine = hub(A, B, rooms=tuple(RoomId(number.to_bytes(32, "big")) for number in range(40)))
    sent: Counter[NodeId] = Counter()
    waiting = []
    for number in range(40):
        waiting += reads(machine.handle(fan.Grown(RoomId(number.to_bytes(32, "big")), 4), at(1)))
        while waiting:
            each = waiting.pop(0)
            sent[each.node] += 1
            waiting += reads(machine.handle(fan.Sent(each.number, 4, 500_000), at(1)))
            if each.node == B:
                waiting += reads(machine.handle(fan.Acknowledged(each.room, B, 4), at(1)))
    assert sent[B] == 40
    assert sent[A] <= fan.NODE_BYTES_MAX // 500_000 + 1 + fan.READS_OF_NODE_MAX


def test_ten_thousand_rooms_cost_no_more_for_each_than_a_hundred() -> None:
    def seconds(count: int) -> float:
        rooms = [RoomId(number.to_bytes(32, "big")) for number in range(count)]
        machine = hub(A, B, C, rooms=tuple(rooms), fanout_ms=1_000)
        begun = perf_counter()
        for step in range(2_000):
            room, now = rooms[step * 7 % count], at(1 + step / 100)
            waiting = machine.handle(fan.Grown(room, step // count + 1), now)
            while waiting:
                out = waiting.pop()
                if isinstance(out, fan.Read):
                    waiting += machine.handle(fan.Sent(out.number, out.after + out.limit, 100), now)
                    waiting += machine.handle(fan.Acknowledged(out.room, out.node, out.after + out.limit), now)
        return perf_counter() - begun

    small = min(seconds(100) for _ in range(3))
    assert min(seconds(10_000) for _ in range(2)) < 10 * small
