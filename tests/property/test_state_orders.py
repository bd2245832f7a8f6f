"""A set of records means the same in whatever order its members arrive."""

import contextlib
import random

import pytest

from hedgerow_protocol.envelope import VerifiedEnvelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import RecordSet
from record_worlds import DAY, NOW, make_world

ORDERS = 1_000
MOMENTS = tuple(Timestamp(NOW + later) for later in (0, 6_000, 41 * DAY))


def _state_after(records: list[VerifiedEnvelope]) -> RecordSet:
    state = RecordSet()
    for record in records:
        with contextlib.suppress(RemoteError):  # worlds hold records that are wrong
            state.add(record, NOW)
    return state


@pytest.mark.parametrize("seed", range(20))
def test_fifty_orders_of_a_world_give_one_state(seed: int) -> None:
    records = make_world(seed, size=25 + seed)
    expected = _state_after(records)
    answers = [(expected.state_hash(at), expected.shown(at)) for at in MOMENTS]
    shuffle = random.Random(seed)
    for number in range(ORDERS // 20):
        shuffle.shuffle(records)
        state = _state_after(records)
        found = [(state.state_hash(at), state.shown(at)) for at in MOMENTS]
        assert found == answers, f"seed {seed}, order {number}"


def test_the_worlds_hold_what_they_should() -> None:
    """Disputes, twins, withdrawals that win and records that wait: else the test above would say little."""
    contested = twins = shown = waiting = 0
    for seed in range(20):
        state = _state_after(make_world(seed, size=25 + seed))
        listings = state.shown(NOW).values()
        contested += sum(each.contested for each in listings)
        twins += sum(each.two_versions for each in listings)
        shown += len(listings)
        waiting += len(state.waiting)
    assert min(contested, twins, shown, waiting) >= 5


def test_a_removed_steward_cannot_overrule_the_present_ones() -> None:
    """What an older charter's stewards sign later and for longer loses to what the present charter's have signed."""
    for seed in range(60):
        records = make_world(seed, size=40, forks=False)
        state = _state_after(records)
        for shown in state.shown(NOW).values():
            if shown.contested:
                continue
            position = state.charters[shown.slot.charter][0].position
            rivals = [
                state.charters[charter][0].position
                for (charter, entry), filled in state.slots.items()
                if entry == shown.slot.entry
                and state._root(charter) == state._root(shown.slot.charter)
                and filled[0].record.slot.expires > NOW
            ]
            assert position == max(rivals)
