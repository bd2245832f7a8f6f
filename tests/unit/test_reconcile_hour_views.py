"""Large sets under salts that last for an hour."""

import pytest

from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.reconcile import LiveSet, hour_views, payloads, session
from hedgerow_protocol.reconcile.hour_views import HourView
from hedgerow_protocol.reconcile.payloads import Answer, Method
from hedgerow_protocol.reconcile.salting import Salt
from hedgerow_protocol.reconcile.sketch import pack
from reconcile_pair import End, Pair, Seeded, item, live_set, rid

PEER = NodeId(bytes(32))
NOW = Instant(1_000.0)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of more than 300 records are large here."""
    monkeypatch.setattr(session, "SESSION_SALT_RECORDS_MAX", 300)


def pair_of(shared: int, ours: int, theirs: int, *, dialled: bool = True) -> Pair:
    both = [item(number) for number in range(shared)]
    one = [item(number) for number in range(shared, shared + ours)]
    other = [item(shared + ours + number) for number in range(theirs)]
    return Pair(live_set(both + one), live_set(both + other), opener_dialled=dialled)


def method(side: End) -> Method:
    answer = payloads.decode(side.sent[0])
    assert isinstance(answer, Answer)
    return answer.method


@pytest.mark.parametrize("dialled", [True, False])
def test_a_large_set_is_sketched_under_the_salt_of_who_was_dialled(dialled: bool) -> None:
    pair = pair_of(1_000, 5, 7, dialled=dialled).run()
    assert method(pair.answerer) is Method.HOUR_SKETCH
    assert (len(pair.opener.gave), len(pair.answerer.gave)) == (5, 7)
    acceptor = pair.answerer if dialled else pair.opener
    dialler = pair.opener if dialled else pair.answerer
    (own,) = acceptor.live.views
    (foreign,) = dialler.live.views
    assert own.salt.key == foreign.salt.key
    assert pair.settle()
    ticks = pair.opener.ticks, pair.answerer.ticks
    for number in range(2_000, 2_010):
        pair.opener.live.add(*item(number))
    pair.opener.gave.clear()
    pair.answerer.gave.clear()
    pair.answerer.sent.clear()
    pair.run()
    assert method(pair.answerer) is Method.HOUR_SKETCH
    assert sorted(pair.opener.gave) == sorted(rid(number) for number in range(2_000, 2_010))
    assert (pair.opener.ticks - ticks[0], pair.answerer.ticks - ticks[1]) == (0, 0)  # nothing was hashed again


def test_a_view_that_was_kept_up_is_what_a_new_one_would_be() -> None:
    live = live_set(item(number) for number in range(2_500))
    kept = live.views.own(live.records, Seeded(1), NOW)
    step = 0
    while not kept.ready:  # changes while it is being built
        live.add(*item(10_000 + step))
        live.remove(*item(7 * step))
        live.remove(*item(10_000 + step // 2))
        kept.step()
        step += 1
    for number in range(300, 400):  # and afterwards
        live.remove(*item(number))
        live.remove(*item(number))
        live.add(*item(20_000 + number))
    new = HourView(kept.salt, live.records, NOW)
    while not new.ready:
        new.step()
    assert pack(kept.cells) == pack(new.cells)
    assert kept.length == new.length == len(live)
    for number in (0, 1, 301, 20_301, 2_499):
        name = kept.salt.salted(rid(number))[:5]
        assert kept.named(name) == new.named(name) == ([rid(number)] if item(number) in live else [])


def test_a_salt_lasts_an_hour_and_a_view_that_nobody_uses_two() -> None:
    live = live_set(item(number) for number in range(10))
    first = live.views.own(live.records, entropy := Seeded(1), NOW)
    assert live.views.own(live.records, entropy, Instant(NOW + 3_599)) is first
    second = live.views.own(live.records, entropy, Instant(NOW + 3_600))
    assert second.salt.key != first.salt.key
    assert len(live.views) == 1
    live.views.foreign(PEER, bytes(16), live.records, Instant(NOW + 3_600 + 7_201))
    assert [view.salt.key for view in live.views] == [bytes(16)]


def foreign(live: LiveSet, peer: int, salt: int, at: float) -> HourView | None:
    return live.views.foreign(NodeId(bytes([peer]) * 32), bytes([salt]) * 16, live.records, Instant(NOW + at))


def test_a_peer_can_not_make_us_hash_everything_again_and_again() -> None:
    live = live_set(item(number) for number in range(10))
    views = [foreign(live, 1, salt, 600.0 * salt) for salt in range(5)]
    assert [view is not None for view in views] == [True, True, True, False, False]
    assert foreign(live, 1, 2, 3_000) is views[2]
    assert foreign(live, 1, 9, 3_700) is not None


def test_views_for_others_are_few_and_the_oldest_leaves_when_it_is_not_in_use() -> None:
    live = live_set(item(number) for number in range(10))
    for peer in range(hour_views.FOREIGN_VIEWS_MAX):
        assert foreign(live, peer, peer, peer)
    assert foreign(live, 99, 99, 100) is None
    assert foreign(live, 99, 99, 601) is not None
    assert len(live.views) == hour_views.FOREIGN_VIEWS_MAX
    assert bytes(16) not in {view.salt.key for view in live.views}


def test_ranges_do_where_no_view_may_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hour_views, "FOREIGN_SALTS_PER_HOUR_MAX", 0)
    for dialled in (True, False):
        pair = pair_of(1_000, 5, 7, dialled=dialled).run()
        assert (len(pair.opener.gave), len(pair.answerer.gave)) == (5, 7)
        assert pair.settle()


def test_once_a_day_ranges_are_compared_under_a_fresh_salt() -> None:
    pair = pair_of(1_000, 5, 7).run()
    assert pair.settle()
    methods = []
    for number, hours in enumerate((1, 23, 1, 1)):
        pair.now = type(pair.now)(Instant(pair.now.instant + 3_600 * hours), pair.now.timestamp)
        pair.opener.live.add(*item(5_000 + number))
        pair.answerer.sent.clear()
        pair.run()
        methods.append(method(pair.answerer))
        assert pair.settle()
    assert methods == [Method.HOUR_SKETCH, Method.OPENER_RANGES, Method.HOUR_SKETCH, Method.HOUR_SKETCH]


def test_records_that_went_while_a_sketch_was_under_way_do_no_harm() -> None:
    pair = pair_of(1_000, 5, 7)

    def tamper(data: bytes) -> bytes:
        for number in range(1_000, 1_003):
            pair.opener.live.remove(*item(number))
        return data

    pair.run()  # so that both views are there
    pair.opener.gave.clear()
    pair.answerer.gave.clear()
    pair.tamper = tamper
    pair.run()
    assert pair.opener.last
    assert pair.opener.last.failed is None
    assert set(pair.opener.gave) <= {rid(number) for number in range(1_000, 1_005)}
    assert len(pair.answerer.gave) == 7


def test_two_records_that_look_alike_are_both_found() -> None:
    live = live_set(item(number) for number in range(10))
    view = live.views.own(live.records, Seeded(1), NOW)
    while not view.ready:
        view.step()
    salt = Salt(view.salt.key)
    name = salt.salted(rid(3))
    assert view.named(name[:4]) == view.named(name[:8]) == [rid(3)]
    assert view.named(bytes(8)) == []
