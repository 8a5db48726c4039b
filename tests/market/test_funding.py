import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.events import FundingHistory, Ticker
from basisdesk.market.funding import (
    RATE_AGE_MS_MAX,
    SETTLED_MAX,
    FundingClock,
    annualised_pct,
    prediction_error,
)

H = 3_600_000
T0 = 1_700_006_400_000  # a stamp: 2023-11-15 00:00 UTC
PERP = "bybit:perp:ADAUSDT"


def ticker(venue_ms, rate=0.0001, next_ms=T0, interval_h=8.0, mark=0.36, cap=0.02):
    return Ticker(
        PERP, "bybit.linear/tickers.ADAUSDT", mark, mark, 1e6, rate, interval_h, next_ms, cap,
        venue_ms,
    )  # fmt: skip


def history(*rows):
    return FundingHistory(PERP, [(ms, text) for ms, text in rows])


# --- settlements ---------------------------------------------------------------------------------


def test_a_settlement_is_paid_by_the_last_rate_and_mark_heard_before_its_stamp():
    clock = FundingClock()
    clock.apply(ticker(T0 - 5_000, rate=0.0001, mark=0.36))
    clock.apply(ticker(T0 - 100, rate=0.0002, mark=0.37))
    assert clock.due(T0 - 1) == []
    assert clock.due(T0) == [(T0, 0.0002, 0.37)]


def test_what_is_heard_at_the_stamp_itself_still_counts():
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, rate=0.0001))
    clock.apply(ticker(T0, rate=0.0003, mark=0.38))
    assert clock.due(T0 + 10) == [(T0, 0.0003, 0.38)]


def test_what_is_heard_after_the_stamp_counts_for_the_next_one():
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, rate=0.0001, mark=0.36))
    clock.apply(ticker(T0 + 1, rate=0.0009, mark=0.50))  # the venue has not moved its stamp yet
    assert clock.due(T0 + 10) == [(T0, 0.0001, 0.36)]
    clock.apply(ticker(T0 + 8 * H - 2_000, rate=0.0008, next_ms=T0 + 8 * H))
    assert clock.due(T0 + 8 * H) == [(T0 + 8 * H, 0.0008, 0.36)]


def test_a_stamp_is_not_lost_when_the_venue_moves_on_before_we_ask():
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, rate=0.0001))
    clock.apply(ticker(T0 + 50, rate=0.0005, next_ms=T0 + 8 * H))
    assert clock.next_ms == T0 + 8 * H
    assert clock.due(T0 + 60) == [(T0, 0.0001, 0.36)]
    assert clock.due(T0 + 70) == []


def test_our_clock_must_reach_the_stamp_even_if_the_venue_is_ahead_of_us():
    clock = FundingClock()
    clock.apply(ticker(T0 - 100))
    clock.apply(ticker(T0 + 50, next_ms=T0 + 8 * H))
    assert clock.due(T0 - 20) == []
    assert [s.settle_ms for s in clock.due(T0)] == [T0]


def test_a_stamp_that_passed_before_anything_was_heard_is_not_ours():
    clock = FundingClock()
    clock.apply(ticker(T0 + 300, next_ms=T0))  # connected just after: the ticker still says T0
    clock.apply(ticker(T0 + 2_000, next_ms=T0 + 8 * H))
    assert clock.due(T0 + 5_000) == []


def test_a_stamp_brought_forward_or_put_off_before_its_time_never_happened():
    clock = FundingClock()
    clock.apply(ticker(T0 - 5 * H))
    clock.apply(ticker(T0 - 5 * H + 100, next_ms=T0 - 4 * H, interval_h=1.0))
    clock.apply(ticker(T0 - 4 * H - 100, next_ms=0))
    assert [s.settle_ms for s in clock.due(T0 - 4 * H)] == [T0 - 4 * H]
    clock.apply(ticker(T0 - 4 * H + 100, next_ms=T0 - 3 * H, interval_h=1.0))
    clock.apply(ticker(T0 - 4 * H + 200, next_ms=T0, interval_h=4.0))
    clock.apply(ticker(T0 - 100, next_ms=0))
    assert clock.due(T0 - 1) == []
    assert [s.settle_ms for s in clock.due(T0)] == [T0]


@given(
    st.lists(st.tuples(st.integers(1, 3 * H), st.floats(-0.01, 0.01)), min_size=1, max_size=60),
    st.integers(0, 2_000),
    st.integers(1, 5),
)
def test_each_stamp_comes_once_and_in_order_whatever_the_rhythm(steps, lag_ms, ask_every):
    clock = FundingClock()
    now_ms, heard, got = T0 - 8 * H, [], []
    for i, (step_ms, rate) in enumerate(steps):
        now_ms += step_ms
        venue_ms = now_ms - lag_ms
        next_ms = venue_ms // H * H + H
        clock.apply(ticker(venue_ms, rate=rate, next_ms=next_ms, interval_h=1.0))
        heard.append((venue_ms, rate))
        if i % ask_every == 0 or i == len(steps) - 1:
            for settlement in clock.due(now_ms):
                got.append(settlement.settle_ms)
                assert settlement.settle_ms <= now_ms
                known = [r for ms, r in heard if ms <= settlement.settle_ms]
                assert settlement.rate == known[-1]
    assert got == sorted(set(got))
    # a rate last said long before its stamp settles nothing: that stamp waits for history
    passed = {stamp: ms for ms, _ in heard if (stamp := ms // H * H + H) <= now_ms}
    assert set(got) == {stamp for stamp, ms in passed.items() if stamp - ms <= RATE_AGE_MS_MAX}
    assert set(clock.missed) >= set(passed) - set(got)


def test_stamps_slept_through_come_late_with_the_published_rate():
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, rate=0.0001))
    clock.apply(ticker(T0 + 17 * H, rate=0.0004, next_ms=T0 + 24 * H, mark=0.40))
    assert list(clock.missed) == [T0 + 8 * H, T0 + 16 * H]
    assert clock.due(T0 + 17 * H) == [(T0, 0.0001, 0.36)]
    clock.learn(history((T0 + 8 * H, "0.00021"), (T0, "0.0001"), (T0 + 16 * H, "-0.0003")))
    expected = [(T0 + 8 * H, 0.00021, 0.40), (T0 + 16 * H, -0.0003, 0.40)]
    assert clock.due(T0 + 17 * H) == expected
    clock.learn(history((T0 + 8 * H, "0.00021")))
    assert clock.due(T0 + 18 * H) == []


def test_a_settlement_without_a_mark_waits_for_the_published_rate():
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, mark=math.nan))
    assert clock.due(T0) == []
    assert list(clock.missed) == [T0]


# --- predicted and settled -----------------------------------------------------------------------


def test_predicted_and_settled_rates_are_kept_apart():
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, rate=0.0007))
    clock.learn(history((T0 - 8 * H, "0.0001"), (T0 - 16 * H, "-0.00025")))
    assert clock.rate == 0.0007
    assert clock.last_settled == 0.0001
    assert clock.settled == [(T0 - 16 * H, -0.00025), (T0 - 8 * H, 0.0001)]


def test_a_published_rate_is_known_from_its_stamp_on_and_not_before():
    clock = FundingClock()
    clock.learn(history((T0, "0.0001"), (T0 + 8 * H, "0.0002")))
    assert math.isnan(clock.settled_at(T0 - 1))
    assert clock.settled_at(T0) == clock.settled_at(T0 + 8 * H - 1) == 0.0001
    assert clock.settled_at(T0 + 8 * H) == 0.0002
    assert clock.settled_between(T0, T0 + 8 * H) == [(T0 + 8 * H, 0.0002)]


def test_the_same_history_twice_is_the_same_history_and_it_is_bounded():
    clock = FundingClock()
    rows = [(T0 + i * H, "0.0001") for i in range(SETTLED_MAX + 500)]
    clock.learn(history(*rows))
    once = list(clock.settled)
    clock.learn(history(*rows[-200:]))
    assert clock.settled == once
    assert len(once) == SETTLED_MAX
    assert once[-1][0] == rows[-1][0]


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "0.17", "-28.4"])
def test_a_published_rate_that_cannot_be_is_left_out(text):
    clock = FundingClock()
    clock.learn(history((T0, text), (T0 + 8 * H, "0.0001")))
    assert clock.settled == [(T0 + 8 * H, 0.0001)]
    assert clock.rejected == 1


@pytest.mark.parametrize("rate", [0.1600001, -0.5, 28.4, math.inf])
def test_a_rate_beyond_sixteen_percent_is_a_feed_error(rate):
    clock = FundingClock()
    clock.apply(ticker(T0 - 2_000, rate=0.0001, mark=0.36))
    clock.apply(ticker(T0 - 1_000, rate=rate, mark=0.37))
    assert clock.rate == 0.0001
    assert clock.mark == 0.37, "the rest of the ticker is good"
    assert clock.rejected == 1
    assert clock.due(T0) == [(T0, 0.0001, 0.37)]


def test_a_ticker_that_does_not_say_something_keeps_what_was_known():
    clock = FundingClock()
    clock.apply(ticker(T0 - 2_000))
    moved = clock.apply(
        ticker(T0 - 1_000, rate=math.nan, next_ms=0, interval_h=0.0, mark=math.nan, cap=0.0)
    )
    assert not moved
    assert (clock.rate, clock.next_ms, clock.interval_h) == (0.0001, T0, 8.0)
    assert (clock.mark, clock.cap) == (0.36, 0.02)


def test_the_machine_slept_and_the_stamp_waits_for_the_published_rate():
    """The lid closed an hour before the stamp: what the rate was then is not what settled."""
    clock = FundingClock()
    clock.apply(ticker(T0 - H, rate=0.0001, mark=0.36))
    assert clock.due(T0 + H) == []
    assert list(clock.missed) == [T0]
    clock.apply(ticker(T0 + H, rate=0.0009, next_ms=T0 + 8 * H, mark=0.40))
    assert clock.due(T0 + H) == []
    clock.learn(history((T0, "-0.0003")))
    assert clock.due(T0 + H) == [(T0, -0.0003, 0.40)]
    assert clock.due(T0 + 2 * H) == []
    assert clock.errors == []  # nothing was predicted for it


@pytest.mark.parametrize(("early_ms", "paid"), [(RATE_AGE_MS_MAX, 1), (RATE_AGE_MS_MAX + 1, 0)])
def test_a_rate_is_good_for_ten_minutes_before_its_stamp(early_ms, paid):
    clock = FundingClock()
    clock.apply(ticker(T0 - early_ms))
    clock.apply(ticker(T0 - 10, rate=math.nan, mark=0.37))  # marks alone do not renew it
    assert len(clock.due(T0)) == paid
    assert len(clock.missed) == 1 - paid


# --- caps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "kept"), [(0.03, 0.02), (-0.03, -0.02), (0.02, 0.02)])
def test_a_predicted_rate_beyond_the_venues_cap_is_brought_down_to_it_and_counted(said, kept):
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, rate=said, cap=0.02))
    assert clock.rate == kept
    assert clock.capped == (abs(said) > 0.02)
    assert clock.due(T0) == [(T0, kept, 0.36)]


def test_a_cap_that_moves_with_the_rate_is_taken_first_and_no_cap_caps_nothing():
    clock = FundingClock()
    clock.apply(ticker(T0 - 2_000, rate=0.03, cap=0.04))
    assert (clock.rate, clock.capped) == (0.03, 0)
    free = FundingClock()
    free.apply(ticker(T0 - 2_000, rate=0.15, cap=0.0))
    assert (free.rate, free.capped) == (0.15, 0)


def test_what_was_published_is_what_was_charged_and_no_cap_touches_it():
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, cap=0.001))
    clock.learn(history((T0, "0.005")))
    assert clock.last_settled == 0.005


# --- how good the prediction was -----------------------------------------------------------------


def test_predicted_minus_published_in_bp_per_8_h():
    """8 h: 1.0 bp predicted, 0.4 published, +0.6. 1 h: 0.1 and 0.2, -0.1 an hour, -0.8 per 8 h."""
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, rate=0.0001, interval_h=8.0))
    clock.apply(ticker(T0 + 100, rate=0.00001, next_ms=T0 + H, interval_h=1.0))
    clock.apply(ticker(T0 + H - 100, rate=0.00001, next_ms=0, interval_h=0.0))
    clock.due(T0 + H)
    assert clock.error.stamps == 0
    clock.learn(history((T0, "0.00004"), (T0 + H, "0.00002")))
    assert [(stamp, round(bp, 9)) for stamp, bp in clock.errors] == [(T0, 0.6), (T0 + H, -0.8)]
    found = clock.error
    assert found.stamps == 2
    assert found.mean_bp == pytest.approx(-0.1)
    assert found.mean_abs_bp == pytest.approx(0.7)
    assert found.worst_bp == pytest.approx(-0.8)


def test_the_clocks_of_a_venue_are_told_together():
    clocks = [FundingClock(), FundingClock(), FundingClock()]
    for clock, text in zip(clocks, ("0.0001", "0.0003"), strict=False):
        clock.apply(ticker(T0 - 100, rate=0.0001))
        clock.due(T0)
        clock.learn(history((T0, text)))
    found = prediction_error(clocks)  # 0 and -2 bp; the third has none
    assert (found.stamps, found.mean_bp) == (2, pytest.approx(-1.0))
    assert math.isnan(prediction_error([]).mean_bp)


# --- interval, yearly rate, countdown, velocity ---------------------------------------------------


def test_the_interval_is_data_and_its_changes_are_kept():
    clock = FundingClock(interval_h=8.0)
    clock.apply(ticker(T0 - 3 * H, interval_h=8.0))
    clock.apply(ticker(T0 + 1, next_ms=T0 + H, interval_h=1.0))
    assert clock.interval_h == 1.0
    assert list(clock.interval_changes) == [(T0 + 1, 8.0, 1.0)]


def test_the_interval_in_force_at_a_stamp():
    clock = FundingClock(interval_h=8.0)
    clock.set_interval(4.0, 0.0, T0 + 10)
    clock.set_interval(1.0, 0.0, T0 + 4 * H + 10)
    at = {hours: clock.interval_at(T0 + hours * H) for hours in (-8, 0, 4, 5)}
    assert at == {-8: 8.0, 0: 8.0, 4: 4.0, 5: 1.0}


def test_stamps_slept_through_while_the_interval_changed_are_those_that_history_knows():
    """8 h became 1 h during the night. The finer grid waits, and what was never a stamp goes."""
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, interval_h=8.0))
    clock.apply(ticker(T0 + 10 * H + 5, next_ms=T0 + 11 * H, interval_h=1.0, mark=0.40))
    assert list(clock.missed) == [T0 + hour * H for hour in range(1, 11)]
    real = (0, 8, 9, 10, 11)
    clock.learn(history(*((T0 + hour * H, "0.0002") for hour in real)))
    assert list(clock.missed) == []
    late = [s.settle_ms for s in clock.due(T0 + 10 * H + 5)]
    assert late == [T0 + hour * H for hour in (0, 8, 9, 10)]


@pytest.mark.parametrize(("interval_h", "pct"), [(8.0, 10.95), (4.0, 21.9), (1.0, 87.6)])
def test_a_year_is_counted_by_the_symbols_own_interval(interval_h, pct):
    clock = FundingClock()
    clock.apply(ticker(T0 - 100, rate=0.0001, interval_h=interval_h))
    assert clock.annualised_pct == pytest.approx(pct)


def test_without_an_interval_there_is_no_yearly_rate():
    assert math.isnan(annualised_pct(0.0001, 0.0))
    assert math.isnan(FundingClock().annualised_pct)


def test_the_countdown_reaches_zero_and_is_unknown_before_the_first_ticker():
    clock = FundingClock()
    assert math.isnan(clock.seconds_left(T0))
    clock.apply(ticker(T0 - 90_000))
    assert clock.seconds_left(T0 - 90_000) == 90.0
    assert clock.seconds_left(T0 + 5) == 0.0


@pytest.mark.parametrize("step_ms", [100, 5_000, 60_000, 900_000])
def test_velocity_is_the_slope_of_a_steady_climb_whatever_the_rhythm(step_ms):
    clock = FundingClock()
    for ms in range(0, 5 * H, step_ms):  # 3 bp an hour
        clock.apply(ticker(T0 - 8 * H + ms, rate=3e-4 * ms / H))
    assert clock.velocity_bp_h == pytest.approx(3.0, rel=0.01)


def test_a_climb_is_told_from_a_high_plateau():
    climbing, flat = FundingClock(), FundingClock()
    for minute in range(360):
        ms = T0 - 8 * H + minute * 60_000
        flat.apply(ticker(ms, rate=0.0008))
        climbing.apply(ticker(ms, rate=0.0002 + 0.0006 * max(0, minute - 240) / 120))
    assert flat.velocity_bp_h == 0.0
    assert climbing.velocity_bp_h > 2.5


def test_the_step_at_a_settlement_is_not_velocity():
    clock = FundingClock()
    for minute in range(180):
        clock.apply(ticker(T0 - 3 * H + minute * 60_000, rate=0.0005))
    clock.apply(ticker(T0 + 100, rate=0.0001, next_ms=T0 + 8 * H))
    assert clock.velocity_bp_h == pytest.approx(0.0, abs=1e-9)


def test_velocity_is_unknown_before_the_first_rate():
    assert math.isnan(FundingClock().velocity_bp_h)


# --- stamps that cannot be -----------------------------------------------------------------------


@pytest.mark.parametrize("wrong_ms", [500, 30_000, 60_000 - 1, 90_500, 10 * 24 * H])
def test_a_wrong_next_stamp_makes_no_settlement(wrong_ms):
    clock, now = FundingClock(), T0 - 5 * H
    for _ in range(5):
        clock.apply(ticker(now, rate=0.01))
        clock.apply(ticker(now + 1_000, rate=0.01, next_ms=now + 1_000 + wrong_ms))
        assert clock.due(now + 1_000 + wrong_ms if wrong_ms < H else now + 2_000) == []
        now += 100_000
    clock.apply(ticker(T0 - 60_000, rate=0.0002))
    assert clock.next_ms == T0
    assert clock.bad_stamps == 5
    assert clock.due(T0) == [(T0, 0.0002, 0.36)]


def test_two_settlements_are_an_hour_apart_at_least():
    clock = FundingClock()
    clock.apply(ticker(T0 - 1_000))
    assert len(clock.due(T0)) == 1
    clock.apply(ticker(T0 + 1_000, next_ms=T0 + 5 * 60_000))
    assert clock.due(T0 + 6 * 60_000) == []
    clock.apply(ticker(T0 + 2_000, next_ms=T0 + H, interval_h=1.0))
    clock.apply(ticker(T0 + H - 2_000, next_ms=0))
    assert [s.settle_ms for s in clock.due(T0 + H)] == [T0 + H]
