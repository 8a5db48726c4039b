"""Rows of two rhythms in one window: minutes of the past keep their shape while tenths come."""

import math

import numpy as np
import pytest

from basisdesk.market.day_series import DaySeries
from basisdesk.market.series import Series

T = 1_795_239_600.0  # the first live row
HOUR_S = 3_600.0
PIXELS = 790


def minutes(count=120):
    """(t, v, w): a close a minute, steep and uneven; w goes another way than v."""
    t = T - 75.0 - 60.0 * np.arange(count)[::-1]
    return np.column_stack([t, 30.0 + 40.0 * np.sin(t / 300.0), 10.0 + t % 420.0])


def tenths(first, end):
    t = T + np.arange(first, end) / 10.0
    return np.column_stack([t, 60.0 + np.sin(t / 50.0), np.full(len(t), 12.0)])


def gap(t_s):
    return [[t_s, math.nan, math.nan]]


def read(curve, times):
    """The curve at these times, NaN where it is broken."""
    x, y = curve
    at = np.searchsorted(x, times, "right") - 1
    after = np.minimum(at + 1, len(x) - 1)
    share = (times - x[at]) / np.maximum(x[after] - x[at], 1e-9)
    return np.where(share > 0.0, y[at] + (y[after] - y[at]) * share, y[at])


@pytest.mark.parametrize("fine_rows", [73_728, 6_000])  # the second: the live rows age into steps
def test_an_hour_shows_every_minute_however_many_live_rows_came(fine_rows):
    past, series = minutes(), DaySeries(("v", "w"), fine_rows)
    series.extend(past)
    series.extend(gap(past[-1, 0] + 0.1))
    for first, end in ((0, 600), (600, 6_000), (6_000, 18_000), (18_000, 27_000)):
        series.extend(tenths(first, end))
        now_s = T + end / 10.0
        shown = past[past[:, 0] > now_s - HOUR_S]
        for stride in (1, 8):
            for name, values in (("v", shown[:, 1]), ("w", shown[:, 2])):
                curve = series.envelope(name, now_s - HOUR_S, now_s, PIXELS, stride)
                told = read(curve, shown[:, 0])
                assert told[1:] == pytest.approx(values[1:])  # the first may share its pixels
                assert len(curve[0]) <= 4 * PIXELS + 2 * len(shown) + 8
                joint = (curve[0] > past[-1, 0]) & (curve[0] < T)
                assert np.isnan(curve[1][joint]).all()
                assert joint.any()  # broken where nothing was heard


def test_minutes_laid_in_front_later_show_as_those_that_were_there_first():
    past, series, whole = minutes(), DaySeries(("v", "w")), DaySeries(("v", "w"))
    series.extend(tenths(0, 20_000))
    series.replace_front(0, past[60:])
    series.replace_front(60, past)
    whole.extend(np.concatenate([past, tenths(0, 20_000)]))
    window = T - 1_600.0, T + 2_000.0
    for mine, theirs in zip(
        series.envelope("v", *window, PIXELS), whole.envelope("v", *window, PIXELS), strict=True
    ):
        assert np.array_equal(mine, theirs)


def test_a_smooth_curve_breaks_at_the_outages_of_the_others():
    series = Series(["v"], 40_000)
    rows = np.column_stack([T + np.arange(36_000) / 10.0, np.ones(36_000)])
    series.extend(rows[:20_000])
    series.push_gap(rows[19_999, 0] + 0.1)
    series.extend(rows[20_100:])  # 10 s, some 2 of 790 pixels
    for stride in (1, 8):
        x, y = series.envelope("v", T, T + HOUR_S, PIXELS, stride)
        assert np.isnan(y).sum() == 2
        assert np.diff(x[np.isfinite(y)]).max() < 2 * stride * HOUR_S / PIXELS + 10.2


def test_a_day_of_one_rhythm_has_few_points():
    series = Series(["v"], 400_000)
    t = T + np.arange(300_000) / 10.0
    series.extend(np.column_stack([t, np.sin(t)]))
    for stride in (1, 8):
        x, _ = series.envelope("v", t[0], t[-1], PIXELS, stride)
        assert len(x) <= 4 * PIXELS // stride + 80
