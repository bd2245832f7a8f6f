"""A session of a reconciliation under peers that lie, repeat, say nothing or never end, and under two openings."""

from dataclasses import replace

import pytest

from hedgerow_protocol.errors import LocalError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now
from hedgerow_protocol.reconcile import LiveSet, payloads, session, sketching, talk
from hedgerow_protocol.reconcile.negentropy_codec import INFINITY, VERSION, Writer
from hedgerow_protocol.reconcile.payloads import Answer, Cells, End, Method, More, Open, Ranges, Turn
from hedgerow_protocol.reconcile.salting import session_salt
from hedgerow_protocol.reconcile.session import Session, Step, is_opening
from hedgerow_protocol.reconcile.sketch import pack, put, symbol
from reconcile_pair import BINDING, Pair, Seeded, item, live_set, rid

PEER = NodeId(bytes(32))
TEN = [item(number) for number in range(10)]


def later(now: Now, seconds: float) -> Now:
    return replace(now, instant=Instant(now.instant + seconds))


def sets(shared: int, ours: int, theirs: int) -> tuple[LiveSet, LiveSet]:
    both = [item(number) for number in range(shared)]
    one = [item(number) for number in range(shared, shared + ours)]
    return live_set(both + one), live_set(both + [item(shared + ours + number) for number in range(theirs)])


def kinds(sent: list[bytes]) -> list[str]:
    return [type(payloads.decode(each)).__name__ for each in sent]


def opened(
    live: LiveSet, *, peer_count: int = 0, dialled: bool = True, entropy: Seeded | None = None
) -> tuple[Session, Open, Now]:
    """A session that has said its first word."""
    now = Pair(live, live).now
    made = Session.open(
        live, binding=BINDING, dialled=dialled, peer=PEER, peer_count=peer_count, hint=None,
        entropy=entropy or Seeded(1), now=now,
    )  # fmt: skip
    (first,) = made.start(now).send
    opening = payloads.decode(first)
    assert isinstance(opening, Open)
    return made, opening, now


def answering(live: LiveSet, opening: Open, *, dialled: bool = False) -> tuple[Session, Step, Now]:
    """A session that has answered an opening."""
    now = Pair(live, live).now
    made = Session.answer(live, binding=BINDING, dialled=dialled, peer=PEER, entropy=Seeded(2), now=now)
    step = made.handle(payloads.encode(opening), now)
    return made, finish(made, step, now), now


def finish(made: Session, step: Step, now: Now) -> Step:
    """Tick until nothing is left to do; all that was said in between together."""
    while step.busy:
        more = made.tick(now)
        step = replace(more, send=step.send + more.send, give=step.give + more.give, expect=step.expect + more.expect)
    return step


# --- the ways


def test_few_differences_travel_as_a_sketch_in_one_round_trip() -> None:
    pair = Pair(*sets(500, 3, 4)).run(hint=7)
    assert kinds(pair.opener.sent) == ["Open", "End"]
    assert set(kinds(pair.answerer.sent)[1:]) == {"Cells"}


def test_an_empty_node_is_given_everything_after_one_round_trip() -> None:
    for ours, theirs in ((3_000, 0), (0, 3_000)):
        pair = Pair(*sets(0, ours, theirs)).run()
        assert "Cells" not in kinds(pair.answerer.sent)
        assert (len(pair.opener.gave), len(pair.answerer.gave)) == (ours, theirs)
        assert sum(map(len, pair.opener.sent + pair.answerer.sent)) < 700


def test_a_window_that_was_too_small_grows() -> None:
    pair = Pair(*sets(300, 150, 150)).run(hint=0)
    assert kinds(pair.opener.sent)[:3] == ["Open", "More", "More"]
    assert len(pair.opener.gave) == 150


def test_parts_of_a_stream_grow_by_a_tenth_at_most() -> None:
    pair = Pair(*sets(300, 200, 200)).run()
    cells = [heard for each in pair.answerer.sent if isinstance(heard := payloads.decode(each), Cells)]
    sent = 0
    for each in cells:
        assert not sent or len(each.cells) // 13 <= max(sketching.PART_MIN, sent // 10)
        sent += len(each.cells) // 13
    assert sent == 1_024


def test_a_session_goes_on_by_ranges_when_the_longest_sketch_does_not_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketching, "CELLS_MAX", 512)
    for ours, theirs in ((500, 400), (400, 500)):
        pair = Pair(*sets(600, ours, theirs)).run()
        assert ("Turn" in kinds(pair.opener.sent)) is (ours < theirs)
        assert "Ranges" in kinds(pair.opener.sent)
        assert (len(pair.opener.gave), len(pair.answerer.gave)) == (ours, theirs)


def test_work_on_many_records_is_done_in_slices() -> None:
    pair = Pair(*sets(20_000, 5, 5)).run()
    assert pair.opener.ticks > 15
    assert pair.answerer.ticks > 15
    assert pair.settle()


# --- both open at once


@pytest.mark.parametrize("dialler_first", [True, False])
def test_two_openings_that_cross_become_one_session(dialler_first: bool) -> None:
    pair = Pair(*sets(400, 3, 4))
    dialler, other = pair.opener, pair.answerer
    crossing = [(other, pair.open(dialler, other)[0]), (dialler, pair.open(other, dialler)[0])]
    pair.deliver(crossing if dialler_first else crossing[::-1])
    assert (len(dialler.gave), len(other.gave)) == (3, 4)
    assert (dialler.expected, other.expected) == (4, 3)
    assert kinds(dialler.sent)[0] == "Open"
    assert kinds(other.sent)[:2] == ["Open", "Answer"]
    assert pair.settle()


def test_a_peer_may_begin_anew_once() -> None:
    live, other = sets(400, 3, 4)
    _, opening, _ = opened(other, peer_count=len(live))
    made, step, now = answering(live, opening)
    assert kinds(list(step.send))[0] == "Answer"
    again = replace(opening, nonce=bytes(16))
    assert not made.handle(payloads.encode(again), now).failed
    assert made.handle(payloads.encode(opening), now).failed


def test_what_is_left_of_an_earlier_session_is_not_heard() -> None:
    made, opening, now = opened(live_set(TEN), peer_count=10)
    for stale in (End(b"old.", b"", 3, False), Cells(b"old.", bytes(13)), Turn(b"old.")):
        assert made.handle(payloads.encode(stale), now) == Step()
    assert made.handle(payloads.encode(End(opening.tag, b"", 0, True)), now) == Step(done=True, again=True)


def test_only_an_opening_is_an_opening() -> None:
    _, opening, _ = opened(live_set(TEN))
    assert is_opening(payloads.encode(opening))
    for other in (payloads.encode(Turn(opening.tag)), b"", b"\x01", b"\x02" + payloads.encode(opening)[1:], bytes(200)):
        assert not is_opening(other)


def test_only_an_opener_starts_and_once() -> None:
    made, _, now = opened(live_set(TEN))
    with pytest.raises(LocalError):
        made.start(now)
    with pytest.raises(LocalError):
        Session.answer(live_set(TEN), binding=BINDING, dialled=False, peer=PEER, entropy=Seeded(1), now=now).start(now)


# --- caps


def test_a_responder_that_never_agrees_is_left() -> None:
    """It answers every message with a fingerprint of everything that is nobody's."""
    made, opening, now = opened(live_set(item(number) for number in range(1_000)), peer_count=1_000)
    step = finish(
        made,
        made.handle(payloads.encode(Answer(opening.tag, bytes(16), 1_000, Method.OPENER_RANGES, b"", 0)), now),
        now,
    )
    for round_number in range(100):
        fresh = bytes([VERSION]) + Writer().fingerprint(INFINITY, bytes([round_number]) * 16)
        step = finish(made, made.handle(payloads.encode(Ranges(opening.tag, fresh, b"", 0)), now), now)
        if step.done:
            break
    assert step.failed == "The reconciliation does not come to an end."
    assert round_number <= 2 * 3 + talk.ROUNDS_FREE


def test_an_initiator_that_never_agrees_is_left() -> None:
    live = live_set(item(number) for number in range(1_000))
    opening = Open(b"n" * 16, 1_001, None, True, b"")
    made, step, now = answering(live, opening)
    assert kinds(list(step.send)) == ["Answer"]
    for round_number in range(100):
        fresh = bytes([VERSION]) + Writer().fingerprint(INFINITY, bytes([round_number]) * 16)
        step = finish(made, made.handle(payloads.encode(Ranges(opening.tag, fresh, b"", 0)), now), now)
        if step.done:
            break
    assert step.failed
    assert round_number <= 2 * 3 + talk.ROUNDS_FREE


def test_the_bytes_of_a_session_end_it_with_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "SESSION_BYTES_MAX", 100_000)
    monkeypatch.setattr(talk, "FOUND_BYTES", 0)
    ours, theirs = sets(3_000, 2_500, 2_400)
    found = 0
    for seed in range(12):
        pair = Pair(ours, theirs, seed=seed).run()
        assert pair.opener.last
        assert pair.answerer.last
        assert pair.opener.last.failed is None
        assert pair.answerer.last.failed is None
        assert sum(map(len, pair.opener.sent + pair.answerer.sent)) < 100_000 + 2 * 60_000
        found += len(pair.opener.gave) + len(pair.answerer.gave)
        if pair.settle():
            break
        assert pair.opener.last.again
        assert pair.answerer.last.again
    assert pair.opener.live.digest(BINDING) == pair.answerer.live.digest(BINDING)
    assert found == 4_900


def test_a_session_that_finds_much_may_be_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "SESSION_BYTES_MAX", 100_000)
    ours, theirs = sets(6_000, 4_000, 4_000)
    pair = Pair(ours, theirs).run()
    assert 100_000 + 2 * 60_000 < sum(map(len, pair.opener.sent + pair.answerer.sent)) < 100_000 + 8_000 * 160
    assert (len(pair.opener.gave), len(pair.answerer.gave)) == (4_000, 4_000)
    assert pair.opener.last
    assert pair.answerer.last
    assert not pair.opener.last.again
    assert not pair.answerer.last.again


def test_what_a_peer_promises_earns_it_only_so_many_bytes() -> None:
    opening = Open(b"n" * 16, 20, None, True, b"")
    made, _, now = answering(live_set(TEN), opening)
    lie = bytes([VERSION]) + Writer().fingerprint(INFINITY, bytes(16))
    for _ in range(2):
        made.handle(payloads.encode(Ranges(opening.tag, lie, b"\x01\x02\x03\x04" * 500, 32_768)), now)
    assert made._talk.bytes_earned == talk.FOUND_BYTES * talk.SESSION_IDS_MAX


def test_records_are_given_when_the_peer_knows_how_many_will_come() -> None:
    """Before that it takes few: what comes unasked for is cut to a stranger's rate."""
    live = live_set(item(number) for number in range(9_000))
    made, step, now = answering(live, Open(b"n" * 16, 0, None, False, b""))
    assert kinds(list(step.send)) == ["Answer", "Ranges"]
    empty = bytes([VERSION]) + Writer().id_list(INFINITY, [])
    step = made.handle(payloads.encode(Ranges(b"n" * 4, empty, b"", 0)), now)
    told, gave, most, steps = 0, 0, 0, 0
    while True:
        told += sum(each.giving for each in map(payloads.decode, step.send) if isinstance(each, End | Ranges))
        gave += len(step.give)
        most = max(most, len(step.give))
        steps += 1
        assert gave <= told
        if not step.busy:
            break
        assert not step.done
        step = made.tick(now)
    assert step.done
    assert told == gave == 9_000
    assert most <= 2_000, "nobody is held up by very many at once"
    assert steps > 5


def test_a_peer_may_open_while_the_last_records_are_given() -> None:
    live = live_set(item(number) for number in range(9_000))
    made, _, now = answering(live, Open(b"n" * 16, 0, None, False, b""))
    empty = bytes([VERSION]) + Writer().id_list(INFINITY, [])
    step = made.handle(payloads.encode(Ranges(b"n" * 4, empty, b"", 0)), now)
    gave = len(step.give)
    while not gave:
        step = made.tick(now)
        gave += len(step.give)
    assert made.handle(payloads.encode(Ranges(b"n" * 4, empty, b"", 0)), now).send == ()
    step = made.handle(payloads.encode(Open(b"m" * 16, 8_999, None, False, b"")), now)
    assert "Answer" in kinds(list(step.send))
    assert not step.done


def test_the_ids_of_a_session_end_it_with_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (talk, __import__("hedgerow_protocol.reconcile.ranging", fromlist=["x"])):
        monkeypatch.setattr(module, "SESSION_IDS_MAX", 1_000)
    ours, theirs = sets(10, 3_500, 0)
    for seed in range(4):
        pair = Pair(ours, theirs, seed=seed).run()
        assert pair.opener.last
        assert pair.opener.last.again is (seed < 3)
        assert len(pair.opener.gave) == pair.answerer.expected == (1_000 if seed < 3 else 500)
        pair.settle()
    assert ours.digest(BINDING) == theirs.digest(BINDING)


def test_every_payload_fits_into_a_frame() -> None:
    pair = Pair(*sets(9_000, 4_000, 4_500)).run()
    assert "Ranges" in kinds(pair.opener.sent)
    assert max(map(len, pair.opener.sent + pair.answerer.sent)) <= payloads.PAYLOAD_BYTES_MAX
    assert (len(pair.opener.gave), len(pair.answerer.gave)) == (4_000, 4_500)
    assert sum(map(len, pair.opener.sent + pair.answerer.sent)) <= talk.SESSION_BYTES_MAX


# --- liars


def test_who_promises_or_asks_for_too_much_is_left() -> None:
    _, opening, now = opened(live_set(TEN), peer_count=10)
    for lie in (
        End(opening.tag, b"", talk.SESSION_IDS_MAX + 1, False),
        Ranges(opening.tag, b"\x61", b"", talk.SESSION_IDS_MAX + 1),
    ):
        made, _, now = answering(live_set(TEN), replace(opening, ranges=True, count=20))
        assert made.handle(payloads.encode(lie), now).failed


def test_names_that_nobody_has_are_given_nothing() -> None:
    _, opening, now = opened(live_set(TEN), peer_count=10)
    made, step, now = answering(live_set(TEN), opening)
    step = made.handle(payloads.encode(End(opening.tag, bytes(4) * 900, 0, False)), now)
    assert step == Step(done=True)


def test_who_asks_twice_is_given_once() -> None:
    live = live_set(TEN)
    _, opening, now = opened(live, peer_count=10)
    made, _, now = answering(live, opening)
    name = made._talk.salt().salted(rid(3))[:4]
    step = made.handle(payloads.encode(End(opening.tag, name * 3, 0, False)), now)
    assert step.give == (rid(3),)


@pytest.mark.parametrize(
    "lie",
    [
        lambda tag: Cells(tag, bytes(13)),
        lambda tag: More(tag, 512),
        Turn,
        lambda tag: Ranges(tag, b"\x61", b"", 0),
    ],
)
def test_words_out_of_turn_end_a_session(lie: object) -> None:
    made, opening, now = opened(live_set(TEN), peer_count=10)
    assert callable(lie)
    step = made.handle(payloads.encode(lie(opening.tag)), now)
    assert step.done
    assert step.failed


def test_a_sketch_in_which_the_peer_lacks_what_it_has_is_in_doubt() -> None:
    """It has added one of our own records twice."""
    made, opening, now = opened(live_set(TEN), peer_count=10)
    made.handle(payloads.encode(Answer(opening.tag, bytes(16), 10, Method.SKETCH, b"", 64)), now)
    finish(made, made.tick(now), now)
    salt = session_salt(BINDING, opening.nonce, bytes(16))
    cells = [0] * 64
    for _, record in [*TEN, TEN[4]]:
        put(cells, *symbol(salt, salt.salted(record)[:8]))
    step = finish(made, made.handle(payloads.encode(Cells(opening.tag, pack(cells))), now), now)
    assert kinds(list(step.send)) == ["Ranges"]
    assert not step.done
    late = made.handle(payloads.encode(Cells(opening.tag, pack(cells))), now)  # it was under way already
    assert late == Step()


@pytest.mark.parametrize("window", [0, 4_097])
def test_a_window_that_cannot_be_is_refused(window: int) -> None:
    made, opening, now = opened(live_set(TEN), peer_count=10)
    answer = payloads.encode(Answer(opening.tag, bytes(16), 10, Method.SKETCH, b"", 64))
    row = answer.replace(b"\x40", {0: b"\x00", 4_097: b"\xcd\x10\x01"}[window])
    assert made.handle(row, now).failed


def test_cells_beyond_the_window_are_refused_and_so_are_none() -> None:
    for count in (65, 0):
        made, opening, now = opened(live_set(TEN), peer_count=10)
        made.handle(payloads.encode(Answer(opening.tag, bytes(16), 10, Method.SKETCH, b"", 64)), now)
        finish(made, made.tick(now), now)
        assert made.handle(payloads.encode(Cells(opening.tag, bytes(13 * count))), now).failed


def test_more_cells_than_there_can_be_are_not_sent() -> None:
    for window in (8, 256):
        _, opening, now = opened(live_set(TEN), peer_count=10)
        made, _, now = answering(live_set(TEN), opening)
        assert made.handle(payloads.encode(More(opening.tag, window)), now).failed


def test_a_peer_that_says_nothing_is_left() -> None:
    made, _, now = opened(live_set(TEN), peer_count=10)
    assert not made.tick(later(now, session.SILENCE_SECONDS_SMALL - 1)).done
    step = made.tick(later(now, session.SILENCE_SECONDS_SMALL + 1))
    assert step.done
    assert step.failed


def test_a_peer_that_says_little_for_ever_is_left() -> None:
    _, opening, now = opened(live_set(TEN), peer_count=10)
    made, step, now = answering(live_set(TEN), opening)
    while not step.done and now.instant < 10_000:
        now = later(now, 60)
        made.handle(b"\x01\x92\x63\xc0", now)  # a payload of a later version
        step = made.tick(now)
    assert step.again
    assert now.instant < 1_000 + session.SESSION_SECONDS_MAX + 120


def test_an_inbox_is_bounded() -> None:
    live = live_set(item(number) for number in range(20_000))
    _, opening, now = opened(live, peer_count=20_000)
    made = Session.answer(live, binding=BINDING, dialled=False, peer=PEER, entropy=Seeded(2), now=now)
    assert made.handle(payloads.encode(opening), now).busy
    steps = [made.handle(payloads.encode(More(opening.tag, 600)), now) for _ in range(session.INBOX_PAYLOADS_MAX + 1)]
    assert [step.done for step in steps[-2:]] == [False, True]
    assert steps[-1].failed


def test_a_session_that_is_over_says_nothing_more() -> None:
    made, opening, now = opened(live_set(TEN), peer_count=10)
    made.handle(payloads.encode(End(opening.tag, b"", 0, True)), now)
    assert made.handle(payloads.encode(Turn(opening.tag)), now) == Step(done=True, again=True)
    assert made.tick(later(now, 500)) == Step(done=True, again=True)
    made.close()


# --- memory


def test_there_is_room_for_so_many_sessions_at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hedgerow_protocol.reconcile.live_set.SESSION_VIEW_RECORDS_MAX", 25)
    live = live_set(TEN)
    held = []
    for number in range(3):
        opening = Open(bytes([number]) * 16, 10, None, False, b"")
        made, step, _ = answering(live, opening)
        held.append(made)
    assert step.done
    assert step.again
    assert kinds(list(step.send)) == ["End"]
    held.pop(0).close()
    made, step, _ = answering(live, opening)
    assert not step.done
