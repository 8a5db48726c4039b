import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.market.series import GAPS_MAX, Series

NINE = ("spot", "perp", "mid", "open", "close", "mean", "sd", "fair", "funding")


def filled(capacity, values, step_s=1.0):
    """A one-column series, row i at i * step_s; None is a gap row."""
    series = Series(["v"], capacity)
    for i, value in enumerate(values):
        if value is None:
            series.push_gap(i * step_s)
        else:
            series.push(i * step_s, (value,))
    return series


def curve_bounds(y):
    finite = y[np.isfinite(y)]
    return (finite.min(), finite.max()) if len(finite) else (math.nan, math.nan)


def same(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


cells = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.none())
# runs keep the examples small for hypothesis while the series grow past several pyramid levels
histories = st.lists(st.tuples(cells, st.integers(1, 90)), min_size=1, max_size=25).map(
    lambda runs: [
        value if value is None or math.isnan(value) else value + (k % 7)
        for value, n in runs
        for k in range(n)
    ]
)


# --- the ring ------------------------------------------------------------------------------------


@given(st.integers(1, 300), histories)
def test_the_ring_shows_exactly_the_last_capacity_rows(capacity, history):
    series = filled(capacity, history)
    kept = history[-capacity:]
    t, columns = series.window(-math.inf, math.inf)
    assert len(series) == len(kept)
    assert t.tolist() == [float(i) for i in range(len(history) - len(kept), len(history))]
    assert same(columns["v"], [math.nan if v is None else v for v in kept])


@given(st.integers(1, 300), histories, st.data())
def test_bulk_rows_and_single_pushes_give_the_same_series(capacity, history, data):
    cut = data.draw(st.integers(0, len(history)))
    single = filled(capacity, history)
    bulk = filled(capacity, history[:cut])
    bulk.extend([[i, math.nan if v is None else v] for i, v in enumerate(history)][cut:])
    assert same(bulk.window(0, 1e9)[1]["v"], single.window(0, 1e9)[1]["v"])
    assert bulk.t_last == single.t_last
    t0, t1 = sorted(data.draw(st.tuples(*[st.floats(-5, len(history) + 5)] * 2)))
    assert same(bulk.bounds("v", t0, t1), single.bounds("v", t0, t1))


def test_a_bulk_load_longer_than_the_ring_keeps_the_newest_rows():
    series = Series(["v"], 100)
    series.extend(np.column_stack([np.arange(70_001.0), np.arange(70_001.0)]))
    assert len(series) == 100
    assert (series.t_first, series.t_last) == (69_901.0, 70_000.0)
    assert series.bounds("v", 0, 1e9) == (69_901.0, 70_000.0)


def test_memory_is_allocated_once_and_stays():
    series = Series(NINE, 1_000)
    before, arrays = series.nbytes, [id(level) for level in series._lo + series._hi]
    for i in range(5_000):
        series.push(i, range(9))
    series.extend(np.zeros((3_000, 10)))
    series.replace_front(10, np.zeros((50, 10)))
    assert series.nbytes == before
    assert [id(level) for level in series._lo + series._hi] == arrays


def test_the_pyramid_costs_no_more_than_four_fifths_above_the_rows():
    series = Series(NINE, 864_000)
    assert series.nbytes < 1.8 * 864_000 * 10 * 8


def test_an_empty_series_answers_with_nothing():
    series = Series(["v"], 10)
    assert len(series) == 0
    assert math.isnan(series.t_first)
    assert math.isnan(series.t_last)
    assert math.isnan(series.last("v"))
    assert series.at(0.0) is None
    assert all(math.isnan(bound) for bound in series.bounds("v", 0, 1))
    assert [len(part) for part in series.envelope("v", 0, 1, 100)] == [0, 0]
    series.extend([])
    assert len(series) == 0


@pytest.mark.parametrize(
    ("columns", "capacity"), [([], 5), (["v"], 0), (["v"], -1), (["v", "v"], 5)]
)
def test_a_series_that_makes_no_sense_cannot_be_made(columns, capacity):
    with pytest.raises(ValueError, match="capacity="):
        Series(columns, capacity)


def test_rows_of_the_wrong_width_are_refused_and_leave_nothing_behind():
    series = filled(10, [1.0])
    with pytest.raises(ValueError, match="rows of shape"):
        series.extend([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError):  # noqa: PT011 - numpy's own sentence
        series.push(1.0, (1.0, 2.0))
    assert len(series) == 1
    assert series.last("v") == 1.0


def test_time_never_runs_backwards():
    series = Series(["v"], 10)
    series.push(100.0, (1.0,))
    series.push(50.0, (2.0,))
    series.extend([[70.0, 3.0], [120.0, 4.0], [110.0, 5.0]])
    assert series.window(0, 1e9)[0].tolist() == [100.0, 100.0, 100.0, 120.0, 120.0]


def test_a_window_is_a_copy_that_later_rows_do_not_touch():
    series = filled(4, [1.0, 2.0, 3.0, 4.0])
    t, columns = series.window(0, 10)
    for i in range(4):
        series.push(10 + i, (-1.0,))
    assert t.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert columns["v"].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_the_crosshair_reads_what_stood_at_that_time():
    series = filled(10, [10.0, 11.0, None, 13.0])
    assert series.at(-0.1) is None
    assert series.at(0.0) == {"t": 0.0, "v": 10.0}
    assert series.at(1.9) == {"t": 1.0, "v": 11.0}
    assert series.at(2.5) is None, "inside an outage nothing stood"
    assert series.at(99.0) == {"t": 3.0, "v": 13.0}


@given(st.integers(1, 60), st.lists(cells, max_size=150), st.lists(st.floats(-5, 160), max_size=20))
def test_many_times_are_read_as_one_by_one(capacity, history, times):
    series = filled(capacity, history)
    for asked in (times, [float(i) for i in range(-2, 152)]):
        found = [series.at(t) or {"t": math.nan, "v": math.nan} for t in asked]
        own, values = series.many("v", np.array(asked, dtype=float))
        assert same(own, [row["t"] for row in found])
        assert same(values, [row["v"] for row in found])


# --- older rows in front --------------------------------------------------------------------------


@given(st.integers(20, 300), histories, st.integers(0, 150))
def test_older_rows_laid_in_front_leave_the_live_rows_as_they_were(capacity, live, older):
    series = Series(["v"], capacity)
    for i, value in enumerate(live):
        if value is None:
            series.push_gap(1_000.0 + i)
        else:
            series.push(1_000.0 + i, (value,))
    series.replace_front(0, [[float(i), float(i)] for i in range(older)])
    held = [float(i) for i in range(older)] + [math.nan if v is None else v for v in live]
    # rows that had left the ring before are gone for good; the older ones come before the rest
    still = live[-capacity:]
    held = held[:older] + [math.nan if v is None else v for v in still]
    assert same(series.window(-1, 1e9)[1]["v"], held[-capacity:])
    assert series.ends_in_gap == (live[-1] is None or math.isnan(live[-1]))


def test_a_second_backfill_takes_the_place_of_the_first():
    series = Series(["v"], 50)
    series.push(100.0, (7.0,))
    series.replace_front(0, [[1.0, 1.0], [2.0, 2.0]])
    series.push(101.0, (8.0,))
    series.replace_front(2, [[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]])
    assert series.window(-1, 1e9)[1]["v"].tolist() == [5.0, 5.0, 5.0, 7.0, 8.0]


# --- bounds and envelope --------------------------------------------------------------------------


@given(st.integers(30, 2_000), histories, st.data())
def test_bounds_are_the_exact_extremes_of_the_window(capacity, history, data):
    series = filled(capacity, history)
    t0, t1 = sorted(data.draw(st.tuples(*[st.floats(-5, len(history) + 5)] * 2)))
    rows = series.window(t0, t1)[1]["v"]
    assert same(series.bounds("v", t0, t1), curve_bounds(rows))


@given(st.integers(30, 2_000), histories, st.data())
@settings(max_examples=200)
def test_an_envelope_has_the_extremes_of_its_window_and_few_points(capacity, history, data):
    series = filled(capacity, history)
    oldest = len(history) - len(series)
    t0, t1 = sorted(data.draw(st.tuples(*[st.integers(oldest, len(history) - 1)] * 2)))
    pixels = data.draw(st.integers(4, 60))
    x, y = series.envelope("v", t0, t1, pixels)
    # one row beyond either end belongs to the curve, so that it runs off the edges
    rows = series.window(t0 - 1, t1 + 1)[1]["v"]
    assert same(curve_bounds(y), curve_bounds(rows))
    assert len(x) == len(y)
    assert (np.diff(x) >= 0).all()
    gaps = sum(value is None for value in history)
    assert len(x) <= max(4 * pixels, 128) + 12 + 6 * gaps, "the top level has 16 to 64 buckets"
    assert x[0] == max(t0 - 1, oldest)
    assert x[-1] == min(t1 + 1, len(history) - 1)
    assert same(y[-1], rows[-1]), "the curve ends at the newest row itself"


@given(st.integers(0, 3_000), st.integers(20, 60), st.integers(4, 40))
def test_every_bucket_shows_the_spike_it_holds(spike_at, capacity, pixels):
    values = np.sin(np.arange(3_001) / 50)
    values[spike_at] = 1e6
    series = Series(["v"], capacity * 64)
    series.extend(np.column_stack([np.arange(3_001.0), values]))
    x, y = series.envelope("v", 0, 3_000, pixels)
    if spike_at <= 3_000 - len(series):
        return  # it has left the ring
    at = int(np.argmax(y))
    assert y[at] == 1e6
    level = 4 ** math.ceil(math.log(max(len(series) / (2 * pixels), 1), 4))
    assert abs(x[at] - spike_at) <= max(level, 1), "and shows it within its bucket"


def test_a_full_bucket_does_not_shimmer_while_the_window_scrolls():
    rng = np.random.default_rng(3)
    series = Series(["v"], 50_000)
    series.extend(np.column_stack([np.arange(40_000.0), rng.normal(size=40_000)]))
    before = dict.fromkeys(
        zip(*(a.tolist() for a in series.envelope("v", 0, 3e4, 100)), strict=True)
    )
    after = dict.fromkeys(
        zip(*(a.tolist() for a in series.envelope("v", 37, 30_037, 100)), strict=True)
    )
    moved = [point for point in after if point not in before]
    assert len(moved) <= 12, "only the torn ends may differ"


def test_a_steady_rise_is_drawn_as_a_steady_rise():
    series = Series(["v"], 100_000)
    series.extend(np.column_stack([np.arange(100_000.0)] * 2))
    x, y = series.envelope("v", 0, 1e5, 500)
    assert (np.diff(y) >= 0).all()
    assert (x[0], y[0], x[-1], y[-1]) == (0.0, 0.0, 99_999.0, 99_999.0)


def test_every_column_of_a_window_has_the_same_times():
    rng = np.random.default_rng(5)
    series = Series(NINE, 30_000)
    series.extend(np.column_stack([np.arange(20_000.0), rng.normal(size=(20_000, 9))]))
    curves = [series.envelope(name, 333, 17_777, 300)[0] for name in NINE]
    assert all(np.array_equal(curves[0], x) for x in curves[1:])


def test_few_rows_come_as_they_are():
    series = filled(1_000, [float(i % 5) for i in range(100)])
    x, y = series.envelope("v", 10, 20, 800)
    assert x.tolist() == [float(i) for i in range(9, 22)]
    assert y.tolist() == [float(i % 5) for i in range(9, 22)]


@pytest.mark.parametrize("pixels", [10, 100, 1_000, 100_000])
def test_a_curve_is_broken_across_an_outage_at_every_zoom(pixels):
    series = Series(["v"], 100_000)
    for i in range(20_000):
        series.push(i * 0.1, (1.0,))
    series.push_gap(2_000.0)
    for i in range(20_000):
        series.push(6_000.0 + i * 0.1, (5.0,))
    x, y = series.envelope("v", 0, 8_000, pixels)
    breaks = np.flatnonzero(np.isnan(y))
    assert len(breaks) >= 1
    assert np.nanmax(y[: breaks[0]]) == 1.0, "what came before stays before"
    assert x[breaks[0] - 1] < 2_000.0
    assert np.nanmin(y[breaks[-1] + 1 :]) == 5.0, "what came after stays after"
    assert x[breaks[-1] + 1] == 6_000.0


def test_an_outage_that_still_lasts_ends_the_curve():
    series = Series(["v"], 100_000)
    for i in range(10_000):
        series.push(float(i), (2.0,))
    series.push_gap(10_000.0)
    assert series.ends_in_gap
    y = series.envelope("v", 0, 2e4, 50)[1]
    assert math.isnan(y[-1])
    assert np.nanmax(y) == 2.0


def test_a_value_missing_in_one_row_does_not_hide_its_bucket():
    series = filled(10_000, [math.nan if i % 10 == 3 else 4.0 for i in range(5_000)])
    y = series.envelope("v", 0, 5_000, 50)[1]
    assert (y == 4.0).all()


def test_a_column_without_any_value_gives_a_curve_without_any_point_to_draw():
    series = Series(["v", "w"], 10_000)
    for i in range(5_000):
        series.push(i, (math.nan, 1.0))
    assert np.isnan(series.envelope("v", 0, 5_000, 50)[1]).all()
    assert (series.envelope("w", 0, 5_000, 50)[1] == 1.0).all()


def test_a_feed_that_breaks_a_thousand_times_keeps_memory_and_cost_bounded():
    series = Series(["v"], 200_000)
    for i in range(1_500):
        series.push_gap(i * 100.0)
        series.extend(np.column_stack([i * 100.0 + 1 + np.arange(90.0), np.full(90, 3.0)]))
    assert len(series._gaps) <= GAPS_MAX
    x, y = series.envelope("v", 0, 2e5, 300)
    assert np.nanmax(y) == 3.0
    assert len(x) < 4 * 300 + 6 * GAPS_MAX


# --- what it costs --------------------------------------------------------------------------------


def fastest(call, runs=25):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def test_a_curve_over_a_day_costs_like_one_over_minutes():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(864_000, 2)).cumsum(axis=0)
    rows[:, 0] = np.arange(864_000) * 0.1
    day, minutes = Series(["v"], 864_000), Series(["v"], 864_000)
    day.extend(rows)
    minutes.extend(rows[:2_000])
    long_s = fastest(lambda: day.envelope("v", 0, 1e6, 400))
    short_s = fastest(lambda: minutes.envelope("v", 0, 1e6, 400))
    assert long_s < 5 * short_s


def test_the_extremes_of_a_day_cost_like_those_of_minutes():
    day, minutes = Series(["v"], 864_000), Series(["v"], 864_000)
    rows = np.column_stack([np.arange(864_000) * 0.1] * 2)
    day.extend(rows)
    minutes.extend(rows[:2_000])
    long_s = fastest(lambda: day.bounds("v", 0.05, 1e6))
    assert long_s < 8 * fastest(lambda: minutes.bounds("v", 0.05, 1e6))
