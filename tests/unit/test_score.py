"""What a peer's deeds do to its score, and its score to what it may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_worlds import DAY, moment, node_of
from hedgerow_protocol import score as scoring
from hedgerow_protocol.errors import Severity
from hedgerow_protocol.score import Scores

PEER = node_of(1)


def linked() -> Scores:
    scores = Scores()
    scores.connected(PEER, moment())
    return scores


def test_a_stranger_is_welcome_and_stands_at_zero() -> None:
    scores = Scores()
    assert scores.value(PEER, moment()) == 0
    assert scores.may_mesh(PEER, moment())
    assert scores.may_gossip(PEER, moment())
    assert scores.is_welcome(PEER, moment())
    assert len(scores) == 0


def test_good_deeds_are_bounded_and_fade() -> None:
    scores = linked()
    scores.delivered(PEER, moment(), 10)
    assert scores.value(PEER, moment()) == pytest.approx(1.0)
    assert scores.value(PEER, moment(60)) == pytest.approx(0.9 + 0.02)
    scores.delivered(PEER, moment(60), 10_000)
    assert scores.value(PEER, moment(60)) == pytest.approx(20.02)
    assert scores.value(PEER, moment(600 * 60)) == pytest.approx(5.0)


def test_offences_by_severity_and_the_three_steps() -> None:
    scores = linked()
    scores.offended(PEER, Severity.LOW, moment())
    assert scores.value(PEER, moment()) == pytest.approx(-0.2)
    assert not scores.may_mesh(PEER, moment())
    scores.offended(PEER, Severity.MEDIUM, moment())
    assert scores.value(PEER, moment()) == pytest.approx(-3.2)
    for _ in range(2):
        scores.offended(PEER, Severity.HIGH, moment())
    assert not scores.may_gossip(PEER, moment())
    assert scores.is_welcome(PEER, moment())
    scores.offended(PEER, Severity.HIGH, moment())
    assert scores.is_welcome(PEER, moment())
    scores.offended(PEER, Severity.HIGH, moment())
    assert scores.banned_until(PEER, moment()) == moment().timestamp + 3_600
    assert scores.is_welcome(PEER, moment(3_600))


def test_a_small_mistake_is_forgiven_after_a_while() -> None:
    scores = linked()
    scores.offended(PEER, Severity.LOW, moment())
    assert not scores.may_mesh(PEER, moment(120))
    assert scores.may_mesh(PEER, moment(900))


def test_a_wrong_clock_alone_or_other_settings_never_end_gossip() -> None:
    scores = linked()
    for _ in range(1_000):
        scores.offended(PEER, Severity.LOW, moment())
        scores.unconverged(PEER, moment())
    assert scores.value(PEER, moment()) == pytest.approx(-20)
    assert scores.may_gossip(PEER, moment())


def test_withholding_grows_squared_and_silence_alone_never_ends_a_link() -> None:
    scores = linked()
    seen = []
    for _ in range(6):
        scores.withheld(PEER, moment())
        seen.append(round(scores.value(PEER, moment())))
    assert seen == [-1, -4, -9, -16, -25, -25]
    assert scores.is_welcome(PEER, moment())


def test_who_floods_for_half_a_minute_is_out() -> None:
    scores = linked()
    seconds = next(s for s in range(100) if scores.flooded(PEER, moment(s)) or not scores.is_welcome(PEER, moment(s)))
    assert 15 < seconds < 30


def test_going_away_clears_no_name_and_keeps_no_merit() -> None:
    scores = linked()
    scores.offended(PEER, Severity.HIGH, moment())
    scores.delivered(PEER, moment(), 50)
    scores.disconnected(PEER, moment())
    assert scores.value(PEER, moment(DAY)) == pytest.approx(-10)
    scores.connected(PEER, moment(DAY))
    assert scores.value(PEER, moment(DAY)) == pytest.approx(-10)
    scores.disconnected(PEER, moment(DAY))
    scores.expire(moment(7 * DAY))
    assert len(scores) == 1
    scores.expire(moment(8 * DAY))
    assert len(scores) == 0


def test_refusals_double_up_to_a_day_and_the_return_is_probation() -> None:
    scores = Scores()
    when, lengths = 0, []
    for _ in range(7):
        scores.connected(PEER, moment(when))
        if lengths:
            assert scores.value(PEER, moment(when)) == pytest.approx(-10)
            assert scores.may_gossip(PEER, moment(when))
        for _ in range(5):
            scores.offended(PEER, Severity.HIGH, moment(when))
        scores.disconnected(PEER, moment(when))
        until = scores.banned_until(PEER, moment(when))
        assert until is not None
        lengths.append((until - moment(when).timestamp) / 3_600)
        when = until - moment().timestamp
    assert lengths == [1, 2, 4, 8, 16, 24, 24]


def test_a_clock_put_back_makes_no_refusal_longer() -> None:
    scores = linked()
    for _ in range(5):
        scores.offended(PEER, Severity.HIGH, moment(100 * DAY))
    assert scores.banned_until(PEER, moment()) == moment().timestamp + 86_400


def test_bounded_in_number_and_links_stay() -> None:
    scores = linked()
    for number in range(2, scoring.SCORES_MAX + 100):
        scores.delivered(node_of(number), moment(number))
    assert len(scores) == scoring.SCORES_MAX
    assert scores.value(PEER, moment(60)) > 0


def test_rows_bring_everything_back() -> None:
    scores = linked()
    scores.offended(PEER, Severity.HIGH, moment())
    for _ in range(5):
        scores.offended(node_of(2), Severity.HIGH, moment())
    scores.disconnected(PEER, moment())
    rows = scores.to_rows(moment(10))
    again = Scores.from_rows(rows, moment(10))
    assert again.to_rows(moment(10)) == rows
    assert again.value(PEER, moment(10)) == pytest.approx(-10)
    assert not again.is_welcome(node_of(2), moment(10))
    assert len(Scores.from_rows(rows, moment(8 * DAY))) == 0
    assert all(type(value) in (bytes, int, float) for row in rows for value in row)


DEEDS = st.sampled_from(["good", "low", "medium", "high", "withheld", "unconverged", "flooded", "on", "off"])


@given(st.lists(st.tuples(DEEDS, st.integers(0, 7_200)), max_size=60))
def test_the_score_is_always_bounded(deeds: list[tuple[str, int]]) -> None:
    scores, seconds = Scores(), 0
    for deed, pause in deeds:
        seconds += pause
        now = moment(seconds)
        match deed:
            case "good":
                scores.delivered(PEER, now, 500)
            case "low" | "medium" | "high":
                scores.offended(PEER, Severity[deed.upper()], now)
            case "withheld":
                scores.withheld(PEER, now)
            case "unconverged":
                scores.unconverged(PEER, now)
            case "flooded":
                scores.flooded(PEER, now)
            case "on":
                scores.connected(PEER, now)
            case _:
                scores.disconnected(PEER, now)
        assert scoring.SCORE_MIN <= scores.value(PEER, now) <= 25
        until = scores.banned_until(PEER, now)
        assert until is None or now.timestamp < until <= now.timestamp + scoring.REFUSED_SECONDS_MAX
