import io
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.lab.snapshots import Mark, Snapshot, Snapshots, _Unpacker
from basisdesk.market.day_series import STEP_S, DaySeries
from basisdesk.market.series import Series

FINE, DAY = 40, 4_000
EVER = (-math.inf, math.inf)

# (samples, seconds between them, what they stand around); None is a gap
runs = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.sampled_from([0.0, 0.1, 0.5, 1.0, 7.0, 60.0]),
        st.one_of(st.integers(-1_000, 1_000), st.just(math.nan), st.none()),
    ),
    min_size=1,
    max_size=12,
)


def rows_of(history, since_s=1_000.0):
    """Rows (t, v, w) of these runs; a gap row is NaN in both."""
    rows, t_s = [], since_s
    for count, step_s, around in history:
        for k in range(1 if around is None else count):
            t_s += step_s
            v = math.nan if around is None else around + k % 7
            rows.append((t_s, v, math.nan if around is None else 2.0 * k))
    return np.array(rows)


def feed(series, rows):
    for t_s, v, w in rows.tolist():
        if math.isnan(w):
            series.push_gap(t_s)
        else:
            series.push(t_s, (v, w))


def both(rows, bulk=0):
    """The same rows in little memory, the last of them one by one, and in one long series."""
    day, whole = DaySeries(("v", "w"), FINE, DAY), Series(("v", "w"), 10_000)
    day.extend(rows[:bulk])
    feed(day, rows[bulk:])
    whole.extend(rows)
    return day, whole


def extremes(values):
    finite = values[np.isfinite(values)]
    return (finite.min(), finite.max()) if len(finite) else (math.nan, math.nan)


def inside(inner, outer):
    return math.isnan(inner[0]) or (outer[0] <= inner[0] and inner[1] <= outer[1])


@st.composite
def windows(draw, rows):
    ends = st.floats(rows[0, 0] - 5, rows[-1, 0] + 5)
    return tuple(sorted((draw(ends), draw(ends))))


@given(runs, st.data())
@settings(max_examples=25)
def test_no_extreme_of_a_window_is_lost_and_none_is_made_up(history, data):
    rows = rows_of(history)
    day, whole = both(rows, data.draw(st.integers(0, len(rows))))
    t0, t1 = data.draw(windows(rows))
    known = whole.bounds("v", t0, t1)
    around = whole.bounds("v", t0 - STEP_S, t1 + STEP_S)
    told = day.bounds("v", t0, t1)
    assert inside(known, told)
    assert inside(told, around)
    x, y = day.envelope("v", t0, t1, data.draw(st.integers(4, 60)))
    assert len(x) == len(y)
    assert (np.diff(x) >= 0).all()
    assert inside(known, extremes(y))
    assert inside(extremes(y), extremes(rows[:, 1]))


@given(runs, st.data())
@settings(max_examples=25)
def test_no_curve_is_joined_across_a_gap_that_can_be_seen(history, data):
    rows = rows_of(history)
    day, _ = both(rows, data.draw(st.integers(0, len(rows))))
    pixels = data.draw(st.integers(200, 400))
    x, y = day.envelope("w", *EVER, pixels)
    pixel_s = (rows[-1, 0] - rows[0, 0]) / pixels
    for at in np.flatnonzero(np.isnan(rows[:, 2])):
        before, after = rows[:at, 0], rows[at + 1 :, 0]
        if not len(before) or not len(after) or after[0] - before[-1] < 2.1 * pixel_s:
            continue
        if after[0] - before[-1] > 0:
            between = (x >= before[-1]) & (x <= after[0])
            assert np.isnan(y[between]).any()


@given(runs, st.data())
@settings(max_examples=25)
def test_whole_steps_read_exactly_as_if_every_row_were_kept(history, data):
    rows = rows_of(history)
    day, whole = both(rows, data.draw(st.integers(0, len(rows))))
    times = STEP_S * np.arange(rows[0, 0] // STEP_S - 2, rows[-1, 0] // STEP_S + 3)
    for mine, theirs in zip(day.many("v", times), whole.many("v", times), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for t_s in times[:: max(1, len(times) // 200)].tolist():
        mine, theirs = day.at(t_s), whole.at(t_s)
        assert (mine is None) == (theirs is None)
        if mine is not None:
            np.testing.assert_array_equal(list(mine.values()), list(theirs.values()))
            assert mine.keys() == theirs.keys()
    assert (day.t_first, day.t_last) == (whole.t_first, whole.t_last)
    assert day.pushed == len(rows)


@given(runs, st.data())
@settings(max_examples=20)
def test_a_window_is_the_rows_held_each_once_and_the_last_hours_as_sampled(history, data):
    rows = rows_of(history)
    day, _ = both(rows, data.draw(st.integers(0, len(rows))))
    t, columns = day.window(*EVER)
    assert len(t) == len(day)
    told = np.column_stack([t, columns["v"], columns["w"]])
    kept = {tuple(row) for row in np.nan_to_num(rows, nan=-1e9).tolist()}
    assert {tuple(row) for row in np.nan_to_num(told, nan=-1e9).tolist()} <= kept
    fine = told[t > day.fine_from_s]
    np.testing.assert_array_equal(fine, rows[len(rows) - len(fine) :])
    t0, t1 = data.draw(windows(rows))
    np.testing.assert_array_equal(day.window(t0, t1)[0], t[(t >= t0) & (t <= t1)])


@given(runs, runs, st.data())
@settings(max_examples=20)
def test_a_backfill_lies_in_front_and_a_second_one_in_its_place(before, history, data):
    live = rows_of(history, since_s=50_000.0)
    first = rows_of(before, since_s=1_000.0)
    first = first[first[:, 0] < 50_000.0]
    second = np.column_stack([60.0 * np.arange(1, 30), np.arange(29.0), np.ones(29)])
    day, whole = both(live)
    for drop, rows in ((0, first), (len(first), second)):
        day.replace_front(drop, rows)
        whole.replace_front(drop, rows)
    feed(day, np.array([[90_000.0, 1.0, 1.0], [90_000.1, 2.0, 1.0]]))
    feed(whole, np.array([[90_000.0, 1.0, 1.0], [90_000.1, 2.0, 1.0]]))
    times = STEP_S * np.arange(0, 45_010, 7.0)
    for mine, theirs in zip(day.many("v", times), whole.many("v", times), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert day.pushed == whole.pushed
    assert day.bounds("v", *EVER) == whole.bounds("v", *EVER)


def test_a_spike_of_a_tenth_of_a_second_is_seen_a_day_later():
    day = DaySeries(("v",))
    rows = np.zeros((864_000, 2))
    rows[:, 0] = np.arange(864_000) / 10
    rows[123_456, 1] = 50.0
    day.extend(rows)
    at_s = rows[123_456, 0]
    for t0, t1 in ((0.0, 86_400.0), (at_s - 60, at_s + 60), (at_s, at_s)):
        assert day.bounds("v", t0, t1)[1] == 50.0
        assert np.nanmax(day.envelope("v", t0, t1, 900)[1]) == 50.0
    assert len(day.envelope("v", 0.0, 86_400.0, 900)[0]) <= 4 * 900 + 200
    assert len(day.window(79_300.0, 86_400.0)[0]) == 71_000, "the last hours are as sampled"


def test_a_full_day_of_a_pair_takes_thirty_megabytes_and_no_more():
    day = DaySeries([f"c{i}" for i in range(11)])
    assert day.nbytes <= 30e6
    assert day.touched == 0


def test_a_clock_that_stands_still_costs_no_extreme():
    day = DaySeries(("v",), FINE, DAY)
    day.push(100.0, (9.0,))
    for k in range(500):
        day.push(50.0 - k, (k % 3,))
    assert day.bounds("v", *EVER) == (0.0, 9.0)
    assert (day.t_first, day.t_last) == (100.0, 100.0)


@pytest.mark.parametrize("more", [0, 3, 300])
def test_a_snapshot_reads_as_the_series_it_was_taken_of(more):
    rows = rows_of([(60, 0.1, 5), (1, 9.0, None), (60, 0.5, -3), (40, 0.1, 8)])
    day, _ = both(rows)
    snapshots, shelf = Snapshots(), []
    for _ in range(2):  # the second takes the parts of the first and what came since
        shelf.clear()
        state = io.BytesIO()
        packer = pickle.Pickler(state)
        packer.dispatch_table = snapshots._reducers(shelf)
        packer.dump(day)
        kept, times = day.window(*EVER), STEP_S * np.arange(490, 600)
        told = [*kept[1].values(), day.envelope("v", *EVER, 100)[1], *day.many("v", times)]
        if more:
            feed(day, rows_of([(more, 0.1, 7)], since_s=day.t_last))
        again = pickle_load(state.getvalue(), tuple(shelf), snapshots)
        mine = again.window(*EVER)
        found = [*mine[1].values(), again.envelope("v", *EVER, 100)[1], *again.many("v", times)]
        for one, other in zip(told, found, strict=True):
            np.testing.assert_array_equal(one, other)
        feed(again, np.array([[again.t_last + 0.1, 77.0, 1.0]]))
        assert again.bounds("v", *EVER)[1] == 77.0


def pickle_load(state, shelf, snapshots):
    return _Unpacker(Snapshot(Mark(), 0, state, shelf), snapshots._again).load()
