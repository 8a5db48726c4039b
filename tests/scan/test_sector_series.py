"""Intervals from stamps, rates per 8 h, the common grid, z."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.market.funding import rate_8h_bp
from basisdesk.scan import sector_series as series

H = series.HOUR_MS
DAY0 = 20_000 * 24 * H  # a midnight


def stamps(*hours):
    return np.array([DAY0 + round(h * H) for h in hours], dtype=np.int64)


def rates(*values):
    return np.array(values, dtype=np.float64)


def test_the_interval_is_the_time_since_the_settlement_before():
    ms = stamps(0, 8, 16, 17, 18, 20, 24)  # 8 h, then hourly, then back by way of 20:00
    assert series.interval_hours(ms).tolist() == [8, 8, 8, 1, 1, 2, 4]


def test_a_few_ms_of_the_venues_clock_are_no_interval_and_no_later_stamp():
    ms = stamps(0, 8, 16) + np.array([0, 7, -3])
    assert series.interval_hours(ms).tolist() == [8, 8, 8]
    found = series.on_grid(ms, rates(1e-4, 2e-4, 3e-4), stamps(0, 8, 16, 24))
    assert found[:3].tolist() == pytest.approx([1, 2, 3])
    assert math.isnan(found[3])


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((), []),
        ((8,), [math.nan]),
        ((0, 48), [math.nan, math.nan]),  # nothing says what they are for
        ((0, 4, 48, 52), [4, 4, 4, 4]),  # after a hole: as the next one
        ((0, 1, 48, 52), [1, 1, 4, 4]),
        ((0, 1, 48), [1, 1, 1]),  # nothing after it: as the one before
        ((0, 4, 12, 16, 20), [4, 4, 4, 4, 4]),  # 8:00 is missing
        ((0, 4, 8, 16), [4, 4, 4, 8]),  # who knows: a change must be seen at once
        ((0, 8, 16, 24, 40), [8, 8, 8, 8, 8]),  # more than 8 h is never one interval
        ((0, 1, 2, 14, 15, 16), [1, 1, 1, 1, 1, 1]),
        ((0, 16, 24, 32), [8, 8, 8, 8]),
        ((0, 8, 16, 28, 32, 36), [8, 8, 8, 4, 4, 4]),
        ((0, 8, 24, 40, 48), [8, 8, 8, 8, 8]),
        ((0, 1, 4, 8), [1, 1, 3, 4]),  # from 1 h to 4 h, on the venue's grid of 4 h
    ],
)
def test_the_first_and_what_follows_a_hole_take_their_neighbours_interval(hours, expected):
    assert series.interval_hours(stamps(*hours)).tolist() == pytest.approx(expected, nan_ok=True)


def test_rates_per_8_h_go_by_the_interval():
    rate, hours = rates(1e-4, 1e-4, -5e-5), rates(8, 4, 1)
    assert rate_8h_bp(rate, hours).tolist() == pytest.approx([1, 2, -4])


def test_the_grid_sums_what_was_paid_in_the_8_h_before_a_stamp():
    hourly = stamps(*range(1, 25))
    paid = series.on_grid(hourly, np.full(24, 1e-4), stamps(8, 16, 24))
    assert paid.tolist() == pytest.approx([8, 8, 8])
    fours = series.on_grid(stamps(4, 8, 12, 16), rates(1e-4, 2e-4, 3e-4, 4e-4), stamps(8, 16))
    assert fours.tolist() == pytest.approx([3, 7])


def test_a_step_of_which_little_is_known_is_not_known():
    hourly = stamps(1, 2, 3, 9, 10, 11, 12)
    found = series.on_grid(hourly, np.full(7, 1e-4), stamps(8, 16, 24))
    assert found.tolist() == pytest.approx([math.nan, 8, math.nan], nan_ok=True)


def test_nothing_settled_is_nothing_on_the_grid():
    empty = np.empty(0, dtype=np.int64)
    assert np.isnan(series.on_grid(empty, np.empty(0), stamps(0, 8))).all()
    assert series.on_grid(stamps(0, 8), rates(1, 1), empty).tolist() == []


columns = st.lists(st.one_of(st.just(math.nan), st.floats(-50, 50)), min_size=1, max_size=9)


@given(columns, st.integers(1, 4))
def test_the_median_of_what_is_known(row, least):
    known = [value for value in row if not math.isnan(value)]
    wanted = statistics.median(known) if len(known) >= least else math.nan
    found = series.median_of(np.array([row]), least)[0]
    assert found == pytest.approx(wanted, nan_ok=True)


def test_z_is_by_what_went_before_and_never_by_the_value_itself():
    rng = np.random.default_rng(3)
    values = rng.normal(0, 2, 700)
    values[600] = 1e6  # would shrink itself if it were part of its own reference
    z = series.robust_z(values, window=270, least=21)
    assert np.isnan(z[:21]).all()
    for at in (21, 100, 270, 511, 512, 600, 699):
        before = values[max(0, at - 270) : at].tolist()
        middle = statistics.median(before)
        mad = statistics.median([abs(v - middle) for v in before])
        wanted = (values[at] - middle) / max(1.4826 * mad, 0.2)
        assert z[at] == pytest.approx(wanted)
        assert series.last_z(values[at], values[max(0, at - 270) : at], 21) == pytest.approx(wanted)


def test_where_all_was_the_same_the_floor_keeps_z_finite():
    z = series.robust_z(np.array([1.0] * 30 + [1.4]), window=270, least=21)
    assert z[-1] == pytest.approx(2.0)  # 0.4 bp over a floor of 0.2 bp


def test_unknown_values_are_no_part_of_the_reference():
    values = np.full(60, np.nan)
    values[:20] = 1.0
    assert math.isnan(series.last_z(5.0, values, 21))
    values[20] = 1.0
    assert series.last_z(5.0, values, 21) == pytest.approx(20.0)
    assert math.isnan(series.last_z(math.nan, values, 21))
    assert math.isnan(series.last_z(5.0, np.empty(0), 21))
