"""A bucket gives what its rate allows, and never more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_protocol.ports import Instant
from hedgerow_protocol.ratelimit import TokenBucket


def test_a_burst_then_the_rate() -> None:
    bucket = TokenBucket(rate=20, burst=64)
    assert all(bucket.take(1, Instant(5.0)) for _ in range(64))
    assert not bucket.take(1, Instant(5.0))
    assert bucket.take(2, Instant(5.125))
    assert not bucket.take(1, Instant(5.125))
    assert bucket.level(Instant(1_000.0)) == 64


def test_all_or_nothing_and_a_clock_that_goes_back() -> None:
    bucket = TokenBucket(rate=1, burst=10)
    assert bucket.take(8, Instant(100.0))
    assert not bucket.take(3, Instant(100.0))
    assert bucket.level(Instant(50.0)) == 2
    assert bucket.level(Instant(100.0)) == 2
    assert bucket.take(3, Instant(101.0))


def test_callers_mistakes() -> None:
    with pytest.raises(ValueError, match="room"):
        TokenBucket(1, 0)
    with pytest.raises(ValueError, match="room"):
        TokenBucket(float("nan"), 1)
    with pytest.raises(ValueError, match="back"):
        TokenBucket(1, 1).take(-1, Instant(0.0))


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 40)), max_size=60), st.floats(0, 50), st.floats(0.5, 100))
def test_never_more_than_burst_and_rate(asks: list[tuple[float, float]], rate: float, burst: float) -> None:
    bucket = TokenBucket(rate, burst)
    taken = 0.0
    for when, n in sorted(asks):
        taken += n * bucket.take(n, Instant(when))
        assert taken <= burst + rate * when + 1e-6
        assert 0 <= bucket.level(Instant(when)) <= burst
