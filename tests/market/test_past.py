"""Our own past in memory: learnt twice is learnt once, in any order, and bounded."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.events import ScanPast
from basisdesk.market.past import AHEAD_MAX, LEGS_MAX, MINUTE_MS, Fresh, Past

KEY, OTHER = "bybit:perp:ADAUSDT", "okx:perp:ADA-USDT-SWAP"
H8 = 8 * 3_600_000
DAY = 24 * 3_600_000
M0 = 29_000_000  # a minute of 2025


def settled(past, key=KEY):
    ms, rate = past.settled(key)
    return list(zip(ms.tolist(), rate.tolist(), strict=True))


def prices(past, key=KEY):
    first, logs = past.minutes(key)
    return {first + at: round(float(np.exp(log)), 3) for at, log in enumerate(logs) if log == log}


def test_nothing_is_known_of_a_stranger():
    past = Past(90)
    assert settled(past) == []
    first, logs = past.minutes(KEY)
    assert (first, len(logs)) == (0, 0)
    past.sample(M0, {OTHER: 1.0})
    first, logs = past.minutes(KEY)
    assert len(logs) == past.minutes_kept
    assert np.isnan(logs).all()
    assert past.drain().rows == 1


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
def test_settlements_come_in_any_order_and_twice(order, again):
    past = Past(90)
    for number in [*order, *again]:
        past.learn(ScanPast(KEY, settled=(((number + 1) * H8, number * 1e-5),)))
    assert settled(past) == [((n + 1) * H8, n * 1e-5) for n in range(6)]
    assert past.drain().settled[KEY][0].tolist() == [(n + 1) * H8 for n in range(6)]
    assert past.drain().rows == 0


def test_the_venues_history_beats_what_we_heard_and_not_the_other_way_round():
    past = Past(90)
    past.settle(KEY, H8, 1e-4)
    past.drain()
    past.learn(ScanPast(KEY, settled=((H8, 3e-4),)))
    assert settled(past) == [(H8, 3e-4)]
    assert past.drain().settled[KEY][1].tolist() == [3e-4]  # the disk learns of the correction
    past.settle(KEY, H8, 1e-4)
    assert settled(past) == [(H8, 3e-4)]
    assert past.drain().rows == 0


def test_an_array_that_was_handed_out_is_not_written_into():
    past = Past(90)
    past.settle(KEY, H8, 1e-4)
    _, before = past.settled(KEY)
    past.settle(KEY, H8, 1e-4)
    assert past.settled(KEY)[1] is before  # nothing was learnt
    past.learn(ScanPast(KEY, settled=((H8, 3e-4),)))
    assert before.tolist() == [1e-4]
    assert past.settled(KEY)[1] is not before


def test_a_stamp_some_milliseconds_late_is_the_same_settlement():
    past = Past(90)
    past.settle(KEY, H8, 1e-4)
    past.learn(ScanPast(KEY, settled=((H8 + 7, 1e-4),)))
    assert settled(past) == [(H8, 1e-4)]


@pytest.mark.parametrize("rate", [math.nan, math.inf, 0.17, -0.5])
def test_what_is_no_rate_is_refused_and_counted(rate):
    past = Past(90)
    past.settle(KEY, H8, rate)
    assert past.perps == ()
    assert past.refused == 1


def test_funding_is_bounded_in_days_and_by_the_shortest_interval():
    past = Past(7)
    past.learn(ScanPast(KEY, settled=tuple((n * H8, 1e-5) for n in range(1, 100))))
    ms, _ = past.settled(KEY)
    assert (ms[-1] - ms[0]) <= 7 * DAY
    assert ms[-1] == 99 * H8
    past.learn(ScanPast(KEY, settled=tuple((100 * H8 + n * MINUTE_MS, 1e-5) for n in range(2_000))))
    assert len(past.settled(KEY)[0]) == 7 * 24


def test_both_legs_stand_on_one_grid():
    past = Past(90, minutes_kept=5)
    past.sample(M0, {KEY: 2.0})
    past.sample(M0 + 2, {OTHER: 4.0})
    past.sample(M0 + 3, {KEY: 3.0, OTHER: 5.0, "x": math.nan, "y": 0.0, "z": math.inf})
    (first, one), (also, other) = past.minutes(KEY), past.minutes(OTHER)
    assert first == also == M0 - 1
    assert len(one) == len(other) == 5
    assert prices(past) == {M0: 2.0, M0 + 3: 3.0}
    assert prices(past, OTHER) == {M0 + 2: 4.0, M0 + 3: 5.0}
    assert past.legs == (KEY, OTHER)


def test_the_grid_moves_on_and_forgets():
    past = Past(90, minutes_kept=5)
    for minute in range(12):
        past.sample(M0 + minute, {KEY: 1.0 + minute})
    assert prices(past) == {M0 + n: 1.0 + n for n in range(7, 12)}
    past.sample(M0 + 14, {KEY: 9.0})  # a pause is a gap
    assert prices(past) == {M0 + 10: 11.0, M0 + 11: 12.0, M0 + 14: 9.0}
    past.sample(M0 + 100, {KEY: 8.0})
    assert prices(past) == {M0 + 100: 8.0}


def test_pages_fill_gaps_and_our_own_mid_stands():
    past = Past(90, minutes_kept=10)
    past.sample(M0, {KEY: 2.0})
    past.drain()
    page = tuple(((M0 + n) * MINUTE_MS, 5.0 + n) for n in range(-3, 3))
    past.learn(ScanPast(KEY, minutes=page))
    assert prices(past) == {M0 - 3: 2.0, M0 - 2: 3.0, M0 - 1: 4.0, M0: 2.0}  # M0 + 1 is not over
    assert past.drain().minutes[KEY][0].tolist() == [M0 - 3, M0 - 2, M0 - 1]
    past.learn(ScanPast(KEY, minutes=page))
    assert past.drain().rows == 0


def test_a_page_of_no_prices_is_refused_and_counted():
    past = Past(90, minutes_kept=10)
    past.learn(
        ScanPast(KEY, minutes=((0, math.nan), (60_000, -1.0), (120_000, 0.0), (-60_000, 1.0)))
    )
    assert past.refused == 4
    assert past.last == -1
    past.learn(ScanPast(KEY, minutes=((60_000, 1e30),)))  # e^69
    assert past.last == -1


def test_a_page_from_the_future_costs_nothing_once_the_clock_has_spoken():
    past = Past(90, minutes_kept=10)
    past.sample(M0, {KEY: 2.0})
    past.learn(ScanPast(KEY, minutes=(((M0 + 10_000) * MINUTE_MS, 9.0),)))
    past.learn(ScanPast(KEY, settled=(((M0 + AHEAD_MAX + 1) * MINUTE_MS, 1e-4),)))
    assert prices(past) == {M0: 2.0}
    assert settled(past) == []
    assert past.refused == 1


def test_one_that_came_before_the_clock_spoke_is_forgotten():
    past = Past(90, minutes_kept=10)
    past.learn(ScanPast(KEY, minutes=(((M0 + 10_000) * MINUTE_MS, 9.0),)))
    past.sample(M0, {KEY: 2.0})
    assert prices(past) == {M0: 2.0}
    assert [m.tolist() for m in past.drain().minutes[KEY][:1]] == [[M0]]


def test_a_clock_that_was_set_back_a_little_goes_on_in_the_same_grid():
    past = Past(90, minutes_kept=10)
    past.sample(M0, {KEY: 2.0})
    past.sample(M0 - 3, {KEY: 1.5})
    assert prices(past) == {M0 - 3: 1.5, M0: 2.0}


def test_what_the_disk_kept_is_not_new_and_beats_nothing():
    past = Past(90, minutes_kept=10)
    past.sample(M0, {KEY: 2.0})
    past.learn(ScanPast(KEY, settled=((H8, 3e-4),)))
    past.drain()
    kept = Fresh(
        {KEY: (np.array([H8, 2 * H8]), np.array([9e-4, 2e-4]))},
        {KEY: (np.array([M0 - 1, M0]), np.log(np.array([7.0, 8.0])).astype(np.float32))},
    )
    past.restore(kept)
    assert settled(past) == [(H8, 3e-4), (2 * H8, 2e-4)]
    assert prices(past) == {M0 - 1: 7.0, M0: 2.0}
    assert past.drain().rows == 0


def many(legs=5, count=40):
    """A past of so many legs, minutes and settlements, all of it fresh."""
    past = Past(90, minutes_kept=50)
    past.reach(M0 + count)
    for leg in range(legs):
        rows = tuple((H8 * (n + 1), (leg + n) * 1e-6) for n in range(count))
        closes = tuple(((M0 + n) * MINUTE_MS, 1.0 + leg + n) for n in range(count))
        past.learn(ScanPast(f"v:perp:{leg}", minutes=closes, settled=rows))
    return past


@pytest.mark.parametrize("rows_max", [1, 7, 40, 1_000])
def test_a_drain_in_slices_is_the_drain(rows_max):
    whole, past = many().drain(), many()
    again, slices = Past(90, minutes_kept=50), 0
    while (part := past.drain(rows_max)).rows == rows_max:
        slices += 1
        again.restore(part)
    again.restore(part)
    assert slices == whole.rows // rows_max
    assert past.drain().rows == 0
    again.reach(M0 + 40)
    for key in past.legs:
        assert settled(again, key) == settled(past, key)
        assert prices(again, key) == prices(past, key)


def test_what_is_learnt_between_two_slices_of_a_drain_is_in_a_later_one():
    past = many(legs=2)
    past.drain(50)
    past.learn(ScanPast("v:perp:0", settled=((H8, 5e-4),)))  # of the first slice: corrected
    past.sample(M0 + 41, {"v:perp:0": 9.0})
    rest = past.drain()
    assert rest.settled["v:perp:0"][1].tolist() == [5e-4]
    assert rest.minutes["v:perp:0"][0].tolist() == [*range(M0, M0 + 40), M0 + 41]
    assert past.drain().rows == 0


def test_restoring_yields_after_so_many_legs_and_what_came_meanwhile_stands():
    kept, past = many(legs=5).drain(), Past(90, minutes_kept=50)
    past.reach(M0 + 40)
    slices = past.restoring(kept, legs=3)
    next(slices)
    assert past.perps == ("v:perp:0", "v:perp:1", "v:perp:2")
    assert past.legs == ()
    past.learn(ScanPast("v:perp:4", ((M0 * MINUTE_MS, 77.0),), ((H8, 7e-4),)))
    assert len(list(slices)) == 2
    assert past.legs == ("v:perp:4", "v:perp:0", "v:perp:1", "v:perp:2", "v:perp:3")
    assert prices(past, "v:perp:4")[M0] == 77.0
    assert settled(past, "v:perp:4")[0] == (H8, 7e-4)
    assert past.drain().rows == 2


def test_drained_and_restored_is_the_same_past():
    past, again = Past(90, minutes_kept=50), Past(90, minutes_kept=50)
    rng = np.random.default_rng(3)
    for minute in range(70):
        known = rng.random(2) < 0.7
        mids = {
            key: float(rng.uniform(1, 9)) for key, on in zip((KEY, OTHER), known, strict=True) if on
        }
        past.sample(M0 + minute, mids)
        past.settle(KEY, H8 * (1 + minute), float(rng.normal(0, 1e-4)))
        if minute % 9 == 0:
            again.restore(past.drain())
    again.reach(M0 + 69)
    again.restore(past.drain())
    for key in (KEY, OTHER):
        assert prices(past, key) == prices(again, key)
        assert settled(past, key) == settled(again, key)


def test_rounding_moves_a_price_by_less_than_five_thousandths_of_a_bp():
    past = Past(90, minutes_kept=1)
    for price in (123_456.789, 0.000_012_345, 1.000_1, 3.3e-7):
        past.sample(M0, {KEY: price})
        kept = float(np.exp(np.float64(past.minutes(KEY)[1][0])))
        assert abs(kept / price - 1) * 1e4 < 0.005


def test_legs_are_bounded():
    past = Past(90, minutes_kept=1)
    past.sample(M0, {f"v:spot:{n}": 1.0 for n in range(LEGS_MAX + 5)})
    assert len(past.legs) == LEGS_MAX
    assert past.refused == 5
    for n in range(LEGS_MAX + 5):
        past.settle(f"v:perp:{n}", H8, 1e-4)
    assert len(past.perps) == LEGS_MAX
    assert past.refused == 10
