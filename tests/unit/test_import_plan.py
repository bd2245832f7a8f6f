"""What a re-import changes, against a model that is too simple to be wrong."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_node.directory.import_plan import Held, ImportRefusedError, Plan, entry_of, make_plan
from hedgerow_node.directory.versions import ClockError, is_worth_renewing, next_slot, withdrawal_slot
from hedgerow_protocol import limits
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Listing, Withdrawal

CHARTER = RecordId(b"c" * 32)
NOW = Timestamp(1_790_000_000)
DAY = 86_400


def content(name: str) -> ListingContent:
    return ListingContent(name=name, source="s")


def wanted(*names: str) -> dict[bytes, ListingContent]:
    return {entry_of("s", name): content(name) for name in names}


def apply(held: dict[bytes, Held], plan: Plan) -> dict[bytes, Held]:
    """What is held after the plan was carried out, as the store would."""
    after = dict(held)
    for record in plan.records:
        before = after.get(record.slot.entry)
        if before is not None:
            assert (record.slot.expires, record.slot.seq) > (before.slot.expires, before.slot.seq)
            assert record.slot.expires >= before.slot.expires
        after[record.slot.entry] = Held(record.slot, record.content if isinstance(record, Listing) else None)
    return after


def plan(want: dict[bytes, ListingContent], held: dict[bytes, Held], now: int = NOW, *, allow: bool = True) -> Plan:
    return make_plan(want, held, charter=CHARTER, now=Timestamp(now), allow_withdraw=allow)


def test_first_everything_is_new_then_nothing_changes() -> None:
    want = wanted("a", "b", "c")
    first = plan(want, {})
    assert (len(first.new), first.unchanged) == (3, 0)
    second = plan(want, apply({}, first), NOW + DAY)
    assert (second.records, second.unchanged) == ((), 3)


def test_a_changed_listing_gets_a_later_version() -> None:
    held = apply({}, plan(wanted("a", "b"), {}))
    want = wanted("a", "b")
    entry = entry_of("s", "a")
    want[entry] = replace(want[entry], summary="new words")
    second = plan(want, held, NOW + 5)
    assert [each.slot.entry for each in second.updated] == [entry]
    assert second.unchanged == 1
    apply(held, second)


def test_a_lease_is_renewed_when_less_than_two_thirds_are_left() -> None:
    held = apply({}, plan(wanted("a"), {}))
    assert plan(wanted("a"), held, NOW + 29 * DAY).unchanged == 1
    third = plan(wanted("a"), held, NOW + 31 * DAY)
    assert len(third.renewed) == 1
    assert third.renewed[0].slot.expires == NOW + 31 * DAY + limits.LEASE_SECONDS_DEFAULT
    apply(held, third)


def test_what_vanished_is_withdrawn_and_can_come_back() -> None:
    held = apply({}, plan(wanted("a", "b"), {}))
    gone = plan(wanted("a"), held, NOW + 10)
    assert [each.slot.entry for each in gone.withdrawn] == [entry_of("s", "b")]
    after = apply(held, gone)
    assert plan(wanted("a"), after, NOW + 20).records == ()
    back = plan(wanted("a", "b"), after, NOW + 30)
    assert len(back.new) == 1
    apply(after, back)


def test_a_withdrawal_outlives_what_it_withdraws() -> None:
    slot = next_slot(CHARTER, b"e", NOW, previous=None, lease_seconds=400 * DAY)
    taken_back = withdrawal_slot(CHARTER, Timestamp(NOW + DAY), previous=slot)
    assert taken_back.expires >= slot.expires
    assert taken_back.seq > slot.seq
    dying = next_slot(CHARTER, b"e", NOW, previous=None, lease_seconds=60)
    assert withdrawal_slot(CHARTER, Timestamp(NOW + 59), previous=dying).expires >= NOW + 30 * DAY
    Withdrawal(slot=taken_back).to_body()


@pytest.mark.parametrize(
    ("before", "vanish", "refused"),
    [(20, 4, False), (20, 5, True), (25, 5, False), (26, 6, True), (5, 4, False), (2, 2, True)],
)
def test_many_at_once_are_refused_until_somebody_says_it_is_right(before: int, vanish: int, refused: bool) -> None:
    names = [f"n{number}" for number in range(before)]
    held = apply({}, plan(wanted(*names), {}))
    want = wanted(*names[vanish:])
    if refused:
        with pytest.raises(ImportRefusedError, match="--allow-withdraw"):
            plan(want, held, NOW + 10, allow=False)
    else:
        assert len(plan(want, held, NOW + 10, allow=False).withdrawn) == vanish
    assert len(plan(want, held, NOW + 10, allow=True).withdrawn) == vanish


def test_already_withdrawn_entries_do_not_count_as_vanishing() -> None:
    held = apply({}, plan(wanted(*"abcdefghij"), {}))
    held = apply(held, plan(wanted(*"abcde"), held, NOW + 1))
    assert plan(wanted(*"abcde"), held, NOW + 2, allow=False).withdrawn == ()


def test_a_clock_that_went_back_is_noticed() -> None:
    slot = next_slot(CHARTER, b"e", Timestamp(NOW + 500 * DAY), previous=None)
    with pytest.raises(ClockError, match="date and time"):
        next_slot(CHARTER, b"e", NOW, previous=slot)


def test_renewing_looks_at_the_share_that_is_left() -> None:
    slot = next_slot(CHARTER, b"", NOW, previous=None, lease_seconds=90 * DAY)
    assert not is_worth_renewing(slot, Timestamp(NOW + 30 * DAY))
    assert is_worth_renewing(slot, Timestamp(NOW + 30 * DAY + 1))


def test_entries_of_different_sources_never_meet() -> None:
    assert entry_of("a", "bc") != entry_of("ab", "c")
    assert len(entry_of("a", "b")) == limits.ENTRY_BYTES_MAX


names = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(st.lists(st.tuples(names, st.integers(1, 40 * DAY)), max_size=8))
def test_any_history_of_imports_ends_with_what_the_last_feed_said(history: list[tuple[list[str], int]]) -> None:
    held: dict[bytes, Held] = {}
    now = int(NOW)
    for feed, later in history:
        now += later
        want = wanted(*feed)
        held = apply(held, plan(want, held, now))
        alive = {entry: each.content for entry, each in held.items() if each.content is not None}
        assert alive == want
        assert all(each.slot.expires > now for each in held.values() if each.content is not None)
        assert plan(want, held, now).records == ()
