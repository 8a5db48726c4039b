"""Figures of the past against processes whose truth is known, and examples made by hand."""

import math

import numpy as np
import pytest

from basisdesk.events import ScanPast
from basisdesk.market.past import Past
from basisdesk.scan import past_stats
from basisdesk.scan.past_stats import (
    GapSeries,
    basis_minutes,
    gap_of,
    gap_stats,
    half_life,
    hazard,
    momentum,
    paid,
    percentile,
    settled_8h_bp,
)
from basisdesk.scan.sector_series import interval_hours

HOUR = 3_600_000
FAST, SLOW, SPOT = "kraken:perp:PF_ADAUSD", "bybit:perp:ADAUSDT", "bybit:spot:ADAUSDT"


def past_of(**legs):
    """A past of settled rates, bp of the interval: name -> (hours, rates, first stamp in hours)."""
    past = Past(400)
    names = {"fast": FAST, "slow": SLOW}
    for name, (hours, rates, first_h) in legs.items():
        rows = [((first_h + n * hours) * HOUR, bp / 1e4) for n, bp in enumerate(rates)]
        past.learn(ScanPast(names[name], settled=tuple(rows)))
    return past


def gap_series(past, long, short):
    return gap_of(paid(past, long), paid(past, short))


def ar1(rng, count, steps, noise=0.0):
    """An AR(1) of deviation 1 and this half-life, with white noise on top."""
    keep = 2.0 ** (-1.0 / steps)
    shocks = rng.standard_normal(count) * math.sqrt(1 - keep * keep)
    values = np.empty(count)
    value = rng.standard_normal()
    for at, shock in enumerate(shocks):
        value = keep * value + shock
        values[at] = value
    return values + noise * rng.standard_normal(count)


# --- half-life ------------------------------------------------------------------------------------


# The error of one estimate is about half_life * sqrt(2 * half_life / count) * 1.4 / 1.2 of its log:
# 22 % at 216 half-lives of data, 45 % at 43. The median of 40 has a sixth to a fifth of that.
@pytest.mark.parametrize(
    ("count", "steps", "noise", "low", "high"),
    [
        (4_320, 20, 0.0, 0.90, 1.10),
        (4_320, 20, 1.0, 0.88, 1.12),
        (4_320, 100, 0.0, 0.75, 1.15),
        (4_320, 100, 0.5, 0.72, 1.15),
        (270, 3, 0.0, 0.80, 1.15),
        (270, 3, 0.5, 0.75, 1.20),
    ],
)
def test_the_half_life_of_a_known_process_is_found(count, steps, noise, low, high):
    rng = np.random.default_rng(7)
    found = [half_life(ar1(rng, count, steps, noise)) for _ in range(40)]
    known = [each for each in found if math.isfinite(each.half_life)]
    assert len(known) >= 36
    assert low < np.median([each.half_life for each in known]) / steps < high
    # of 90 % on paper, of 84 to 93 % as measured: 40 draws leave 12 % either way
    assert np.mean([each.low <= steps <= each.high for each in known]) > 0.72
    assert all(each.low <= each.half_life <= each.high for each in known)


def test_noise_does_not_shorten_it_as_it_does_a_plain_regression():
    rng = np.random.default_rng(5)
    values = [ar1(rng, 4_320, 30, noise=1.0) for _ in range(20)]
    ours = np.median([half_life(each).half_life for each in values])
    plain = []
    for each in values:
        apart = each - each.mean()
        plain.append(-math.log(2) / math.log(apart[1:] @ apart[:-1] / (apart @ apart)))
    assert np.median(plain) < 0.1 * 30  # quant.md: 8 h read as 0.8 h
    assert 0.75 * 30 < ours < 1.25 * 30


def test_gaps_in_the_series_are_gaps_and_no_zeros():
    rng = np.random.default_rng(11)
    whole = [ar1(rng, 4_320, 20) + 50.0 for _ in range(15)]
    holed = [np.where(rng.random(4_320) < 0.3, np.nan, each) for each in whole]
    ratio = np.median([half_life(each).half_life for each in holed]) / 20
    assert 0.85 < ratio < 1.15


def test_there_is_none_where_nothing_returns_or_too_little_is_known():
    rng = np.random.default_rng(2)
    assert math.isnan(half_life(np.empty(0)).half_life)
    assert math.isnan(half_life(np.full(500, np.nan)).half_life)
    assert math.isnan(half_life(np.full(500, 3.0)).half_life)
    assert math.isnan(half_life(np.arange(500.0)).half_life)  # phi >= 1
    assert math.isnan(half_life(np.resize([1.0, -1.0], 500)).half_life)  # phi <= 0
    assert math.isnan(half_life(ar1(rng, 15, 2)).half_life)
    white = [half_life(rng.standard_normal(2_000)).half_life for _ in range(40)]
    assert np.mean(np.isnan(white)) > 0.9


def test_none_is_told_that_is_longer_than_the_data_bear():
    # ten values of their own: phi^2 = (n - 10) / (n + 10), so n / 14.4 at most
    rng = np.random.default_rng(2)
    found = [half_life(ar1(rng, 300, 200)).half_life for _ in range(50)]
    assert np.mean(np.isnan(found)) > 0.4
    assert np.nanmax(found) <= 300 / 14.4


# --- intervals and grids --------------------------------------------------------------------------


def test_rates_are_brought_to_eight_hours_by_their_own_interval():
    past = Past(400)
    stamps = [8, 16, 24, 28, 32]
    past.learn(ScanPast(SLOW, settled=tuple((h * HOUR, 1e-4) for h in stamps)))
    assert settled_8h_bp(past, SLOW)[1].tolist() == pytest.approx([1, 1, 1, 2, 2])


def test_the_scanner_reads_an_interval_as_the_sectors_do():
    past = Past(400)
    stamps = np.array([8, 16, 24, 32, 48, 60, 64, 68, 72, 172]) * HOUR  # with holes
    past.learn(ScanPast(SLOW, settled=tuple((int(ms), 1e-4) for ms in stamps)))
    hours = interval_hours(stamps)
    assert hours.tolist() == [8, 8, 8, 8, 4, 4, 4, 4, 4, 4]
    assert paid(past, SLOW).hours.tolist() == hours.tolist()
    assert settled_8h_bp(past, SLOW)[1].tolist() == (8 / hours).tolist()
    past.learn(ScanPast(FAST, settled=((8 * HOUR, 1e-4), (56 * HOUR, 1e-4))))
    assert len(settled_8h_bp(past, FAST)[1]) == 0  # nothing tells what they are for


def test_an_hourly_and_an_eight_hourly_perpetual_are_summed_on_the_longer_grid():
    past = past_of(fast=(1, [0.5] * 8 + [0.0] * 8 + [1.0] * 8, 1), slow=(8, [3.0, 3.0, 3.0], 8))
    series = gap_series(past, FAST, SLOW)
    assert series.step_h == 8
    assert (series.ends_ms // HOUR).tolist() == [8, 16, 24]
    assert series.gap_bp.tolist() == pytest.approx([-1.0, 3.0, -5.0])
    assert gap_series(past, SLOW, FAST).gap_bp.tolist() == pytest.approx([1.0, -3.0, 5.0])


def test_two_quick_ones_are_told_per_eight_hours_too():
    past = past_of(fast=(1, [0.1] * 24, 1))
    series = gap_series(past, SPOT, FAST)
    assert series.step_h == 1
    assert series.gap_bp.tolist() == pytest.approx([0.8] * 24)


def test_a_spot_leg_pays_nothing():
    past = past_of(slow=(8, [1.0, 2.0, -3.0], 8))
    assert gap_series(past, SPOT, SLOW).gap_bp.tolist() == pytest.approx([1.0, 2.0, -3.0])
    assert gap_series(past, SLOW, SPOT).gap_bp.tolist() == pytest.approx([-1.0, -2.0, 3.0])
    assert len(gap_series(past, SPOT, FAST).gap_bp) == 0
    assert len(gap_series(past, FAST, SLOW).gap_bp) == 0


def test_a_step_that_a_leg_does_not_cover_is_unknown():
    past = Past(400)
    hours = [h for h in range(1, 25) if h != 12]
    past.learn(ScanPast(FAST, settled=tuple((h * HOUR, 1e-5) for h in hours)))
    past.learn(ScanPast(SLOW, settled=tuple((h * HOUR, 1e-4) for h in (8, 16, 24))))
    gap = gap_series(past, FAST, SLOW).gap_bp
    assert np.isnan(gap).tolist() == [False, True, False]


def test_a_venue_that_switched_its_interval_keeps_whole_steps():
    past = Past(400)
    past.learn(ScanPast(SLOW, settled=tuple((h * HOUR, 1e-4) for h in (8, 16, 24, 28, 32, 36, 40))))
    series = gap_series(past, SPOT, SLOW)
    assert series.step_h == 8
    assert series.gap_bp.tolist() == pytest.approx([1, 1, 1, 2, 2])


# --- hazard ---------------------------------------------------------------------------------------


def series_of(*gaps, step_h=8.0):
    return GapSeries(np.arange(len(gaps), dtype=np.int64), np.array(gaps, dtype=float), step_h)


def test_the_hazard_counts_like_cases_that_turned():
    series = series_of(4, 4, 4, -1, 2, 2, 2, 2, 1, 5)
    # at least 2 and a whole day after: places 0 1 2, 4 5 6; the first three turn
    assert hazard(series, 4.0, 24.0) == (3 / 6, 6)
    assert hazard(series, 8.0, 24.0) == (1.0, 3)
    # one settlement of hold: 4, 4, 4, 2, 2, 2, 2 of which one turns; the last has no after
    assert hazard(series, 4.0, 8.0) == (pytest.approx(1 / 7), 7)
    assert hazard(series, -2.0, 8.0) == (1.0, 1)


def test_a_hold_that_is_no_whole_number_of_steps_takes_in_the_next_settlement():
    series = series_of(4, 4, -1, -1)
    assert hazard(series, 4.0, 9.0) == hazard(series, 4.0, 16.0) == (1.0, 2)


def test_what_is_not_known_is_no_case():
    assert hazard(series_of(4, math.nan, 4, 4, 4), 4.0, 8.0) == (0.0, 2)
    assert hazard(series_of(4, 4), 4.0, 80.0)[1] == 0
    for gap in (math.nan, 0.0, math.inf):
        share, cases = hazard(series_of(4, 4, 4), gap, 8.0)
        assert math.isnan(share)
        assert cases == 0
    assert hazard(series_of(1, 1, 1), 4.0, 8.0)[1] == 0


def test_the_hazard_of_a_coin_that_is_tossed():
    rng = np.random.default_rng(1)
    series = series_of(*np.where(rng.random(4_000) < 0.5, 1.0, -1.0))
    share, cases = hazard(series, 1.0, 24.0)
    assert cases > 1_900
    assert share == pytest.approx(7 / 8, abs=4 * math.sqrt(7 / 64 / (cases / 3)))  # they overlap


# --- of one rate ----------------------------------------------------------------------------------


def test_percentile_counts_equal_ones_half():
    values = np.array([1.0] * 5 + [2.0] * 5)
    assert percentile(values, 0.0) == 0.0
    assert percentile(values, 1.0) == 0.25
    assert percentile(values, 1.5) == 0.5
    assert percentile(values, 3.0) == 1.0
    assert math.isnan(percentile(values[:9], 1.0))
    assert math.isnan(percentile(values, math.nan))


def test_momentum_is_a_day_against_a_week_at_any_interval():
    step = np.concatenate((np.zeros(60), np.ones(3)))
    day = 1 - 0.5**3  # a span of 3 keeps a half
    week = 1 - (1 - 2 / 22) ** 3
    assert momentum(step, 8.0) == pytest.approx(day - week, abs=0.01)
    hourly = np.concatenate((np.zeros(480), np.ones(24)))
    assert momentum(hourly, 1.0) == pytest.approx(day - week, abs=0.03)
    assert math.isnan(momentum(np.ones(20), 8.0))
    assert momentum(np.ones(21), 8.0) == pytest.approx(0.0)


def test_gap_stats_of_a_known_process():
    rng = np.random.default_rng(4)
    past = past_of(slow=(8, ar1(rng, 800, 4) + 3.0, 8))
    stats = gap_stats(gap_series(past, SPOT, SLOW), 3.0, 24.0)
    assert stats.n == 800
    assert stats.mean_bp == pytest.approx(3.0, abs=4 * math.sqrt(2 * 4 / 0.693 / 800))
    assert stats.low_h <= stats.half_life_h <= stats.high_h
    assert 0.6 < stats.half_life_h / 32 < 1.6  # one draw of 200 half-lives
    assert stats.hazard < 0.1  # three deviations from zero
    nothing = gap_stats(gap_series(past, SPOT, FAST), 3.0, 24.0)
    assert nothing.n == nothing.hazard_n == 0
    assert math.isnan(nothing.half_life_h)


# --- basis ----------------------------------------------------------------------------------------


def test_the_basis_of_minutes_and_its_half_life():
    past = Past(90, minutes_kept=4_320)
    rng = np.random.default_rng(9)
    basis = ar1(rng, 4_320, 30) * 2.0 + 5.0
    price = np.exp(np.cumsum(rng.standard_normal(4_320) * 5e-4))
    for at in range(4_320):
        mids = {SPOT: price[at]}
        if at % 10:  # a minute of ten is missing
            mids[SLOW] = price[at] * (1 + basis[at] / 1e4)
        past.sample(1_000 + at, mids)
    found = basis_minutes(past, SPOT, SLOW)
    known = np.isfinite(found)
    assert known.sum() == 4_320 * 9 // 10
    assert found[known] == pytest.approx(basis[np.arange(4_320) % 10 > 0], abs=0.02)
    assert 0.6 < half_life(found).half_life / 30 < 1.6
    back = basis_minutes(past, SLOW, SPOT)
    assert half_life(back).half_life == pytest.approx(half_life(found).half_life, rel=0.01)


def test_the_basis_of_a_stranger_is_unknown():
    past = Past(90, minutes_kept=100)
    assert len(basis_minutes(past, SPOT, SLOW)) == 0
    past.sample(1_000, {SPOT: 1.0})
    assert np.isnan(basis_minutes(past, SPOT, SLOW)).all()
    assert math.isnan(half_life(basis_minutes(past, SPOT, SLOW)).half_life)


def test_a_memory_too_long_for_a_float_divides_by_nothing(monkeypatch):
    """Seen at 600 times speed: c(2 lag) / c(lag) was the float next to 1, a step of it 1."""
    lag, almost = 256, 1.0 - 2.0**-53
    monkeypatch.setattr(past_stats, "_covariance", lambda _a, _w, of: 1.0 if of == lag else almost)
    kept, near = past_stats._memory(np.ones(2_000), np.ones(2_000), lag)
    assert 0.0 < kept < 1.0
    assert near == 1.0
