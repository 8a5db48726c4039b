"""Ticks, ranges and labels that keep apart."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.ui.axis import (
    clock_words,
    fit_range,
    spread,
    tick_words,
    time_ticks,
    value_ticks,
    zone_of,
)


def test_value_ticks_are_round_and_inside():
    ticks, places = value_ticks(0.3631, 0.3672, 4)
    assert [round(tick, 6) for tick in ticks] == [0.364, 0.365, 0.366, 0.367]
    assert places == 3
    assert value_ticks(-13.0, 130.0, 3) == ([0.0, 50.0, 100.0], 0)


@pytest.mark.parametrize(("lo", "hi"), [(1.0, 1.0), (math.nan, 1.0), (0.0, math.inf), (2.0, 1.0)])
def test_no_ticks_where_there_is_no_range(lo, hi):
    assert value_ticks(lo, hi, 5) == ([], 0)
    assert time_ticks(lo, hi, 5) == []


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(1, 40))
def test_value_ticks_never_leave_the_range_nor_run_away(lo, span, count):
    ticks, places = value_ticks(lo, lo + span, count)
    slack = span * 1e-6 + 1e-6
    assert all(lo - slack <= tick <= lo + span + slack for tick in ticks)
    assert len(ticks) <= 3 * count + 3
    assert 0 <= places <= 12


def test_time_ticks_stand_on_round_clock_times_of_the_zone():
    day = 1_795_219_200.0  # 2026-11-21 00:00 UTC
    assert time_ticks(day - 60, day + 3600, 4) == [day, day + 1800, day + 3600]
    assert tick_words([day, day + 1800]) == ["21 Nov", "00:30"]
    india = 5.5 * 3600
    ticks = time_ticks(day, day + 7200, 3, india)
    assert tick_words(ticks, india) == ["06:00", "07:00"]
    assert tick_words([day + 5, day + 10]) == ["00:00:05", "00:00:10"]


def test_times_carry_their_zone():
    assert clock_words(1_795_239_650.25, True) == "05:40:50 UTC"
    assert clock_words(1_795_239_650.25, True, millis=True, date=True) == (
        "2026-11-21 05:40:50.250 UTC"
    )
    assert clock_words(math.nan, True) == ""
    assert clock_words(1e300, True).endswith("UTC")
    name, offset_s = zone_of(False, 1_795_239_650.0)
    assert name
    assert abs(offset_s) <= 50_400


def test_a_range_stays_while_the_data_stay_inside_and_fill_it():
    shown = fit_range(10.0, 70.0, 4.0)
    assert shown == (4.0, 76.0)
    assert fit_range(12.0, 71.0, 4.0, shown) == shown
    assert fit_range(10.0, 90.0, 4.0, shown) == (2.0, 98.0)
    assert fit_range(10.0, 12.0, 4.0, shown) == pytest.approx((8.6, 13.4))


def test_a_flat_line_is_not_blown_up_to_noise():
    lo, hi = fit_range(0.01, 0.01, 0.002)
    assert hi - lo >= 0.002
    assert lo < 0.01 < hi


def test_nothing_to_show_keeps_the_range():
    assert fit_range(math.nan, math.nan, 4.0, (1.0, 2.0)) == (1.0, 2.0)
    assert fit_range(math.nan, math.nan, 4.0) == (-2.0, 2.0)


@given(st.lists(st.floats(-500, 1500), max_size=12), st.floats(200, 900))
def test_labels_never_overlap_and_stay_inside_while_there_is_room(wanted, high):
    tops = spread(wanted, 15.0, 0.0, high)
    if len(wanted) * 15.0 > high:
        return
    ordered = sorted(tops)
    assert all(0.0 - 1e-6 <= top <= high - 15.0 + 1e-6 for top in tops)
    assert all(b - a >= 15.0 - 1e-6 for a, b in pairwise(ordered))


def test_a_label_with_room_stays_where_it_was_wanted():
    assert spread([100.0, 10.0, 50.0], 15.0, 0.0, 200.0) == [100.0, 10.0, 50.0]
    assert spread([100.0, 102.0], 15.0, 0.0, 200.0) == [100.0, 115.0]
