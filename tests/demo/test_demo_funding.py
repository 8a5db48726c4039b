"""The venue's funding formula against its published table and a plain re-reading of it."""

import numpy as np
import pytest

from basisdesk.demo.funding import (
    HOUR_MS,
    INTERVAL_MS,
    Intervals,
    average,
    averages,
    funding_rate,
    impact_premium,
    impact_premiums,
    premium_for,
)


@pytest.mark.parametrize(
    ("premium", "rate"),
    [(0.0008, 0.0003), (0.0003, 0.0001), (-0.0002, 0.0001), (0.0006, 0.0001), (-0.0010, -0.0005)],
)
def test_clamp_table(premium, rate):
    assert funding_rate(premium, cap=0.005) == pytest.approx(rate, abs=1e-15)


def test_cap_holds_on_both_sides():
    assert funding_rate(0.02, cap=0.005) == 0.005
    assert funding_rate(-0.02, cap=0.005) == -0.005


def test_impact_premium_is_zero_while_the_index_lies_inside():
    assert impact_premium(99.99, 100.01, 100.0) == 0.0
    assert impact_premium(100.5, 100.6, 100.0) == pytest.approx(0.005)
    assert impact_premium(99.3, 99.5, 100.0) == pytest.approx(-0.005)


def test_many_samples_agree_with_one_by_one():
    mids = np.linspace(-9, 9, 37)
    many = impact_premiums(mids, 1.5)
    for mid, got in zip(mids, many, strict=True):
        bid, ask = 1 + (mid - 1.5) * 1e-4, 1 + (mid + 1.5) * 1e-4
        assert got == pytest.approx(impact_premium(bid, ask, 1.0), abs=1e-12)


def test_weights_rise_linearly_but_for_kraken():
    samples = np.random.default_rng(3).normal(0, 8e-4, 480)
    mean = sum((k + 1) * p for k, p in enumerate(samples)) / sum(range(1, 481))
    assert average(samples, "interval") == pytest.approx(mean)
    assert average(samples, "8h") == pytest.approx(mean)
    assert average(samples, "24h") == pytest.approx(sum(samples) / 480)


@pytest.mark.parametrize(
    ("premium", "hours", "scale", "rate"),
    [
        (0.0008, 4, "interval", 0.0003),  # I of 4 h is half: clamp(0.00005 - 0.0008) = -0.0005
        (0.0001, 4, "interval", 0.00005),
        (0.0008, 4, "8h", 0.00015),  # Binance and OKX: the whole over 8 / 4
        (0.0001, 1, "8h", 0.0000125),
        (0.0024, 1, "24h", 0.0001),
    ],
)
def test_rates_of_short_intervals_by_each_venues_rule(premium, hours, scale, rate):
    made = funding_rate(premium, cap=0.005, hours=hours, scale=scale)
    assert made == pytest.approx(rate, abs=1e-12)


def test_intervals_end_at_00_08_16_utc():
    midnight = 1_790_035_200_000
    assert midnight % 86_400_000 == 0
    assert Intervals(8).end_ms(midnight) == midnight + INTERVAL_MS
    assert Intervals(8).end_ms(midnight - 1) == midnight
    assert Intervals(1).end_ms(midnight + 1) == midnight + HOUR_MS


def test_a_changed_interval_ends_the_running_one_by_the_new_rhythm():
    midnight = 1_790_035_200_000
    rhythm = Intervals(8)
    changed_ms = midnight + HOUR_MS + 1234
    rhythm.change(changed_ms, 1)
    assert rhythm.end_ms(midnight) == midnight + 2 * HOUR_MS
    assert rhythm.end_ms(changed_ms) == midnight + 2 * HOUR_MS
    assert (rhythm.hours(midnight), rhythm.hours(changed_ms)) == (8, 1)
    rhythm.change(midnight + 9 * HOUR_MS + 1, 8)
    assert rhythm.end_ms(midnight + 9 * HOUR_MS + 1) == midnight + 2 * INTERVAL_MS


@pytest.mark.parametrize("scale", ["interval", "8h", "24h"])
def test_many_averages_agree_with_one_by_one(scale):
    rows = np.random.default_rng(5).normal(0.0, 1e-3, (7, 240))
    assert averages(rows, scale).tolist() == pytest.approx([average(row, scale) for row in rows])


@pytest.mark.parametrize(
    ("scale", "hours"), [("interval", 8), ("interval", 1), ("8h", 8), ("8h", 1), ("24h", 1)]
)
@pytest.mark.parametrize("rate_8h", [-0.004, -0.0004, 0.0001, 0.0008, 0.0034])
def test_a_premium_for_a_rate_settles_at_that_rate(rate_8h, scale, hours):
    premium = premium_for(rate_8h, 0.0001, hours, scale)
    assert funding_rate(premium, 0.02, 0.0001, hours, scale) == pytest.approx(
        rate_8h * hours / 8, abs=1e-8
    )


def test_settlements_in_one_go_are_those_one_by_one():
    changed, constant = Intervals(8), Intervals(1)
    changed.change(20 * HOUR_MS + 5, 4)
    for intervals in (changed, constant):
        t_ms, stamps = 3 * HOUR_MS, []
        while (t_ms := intervals.end_ms(t_ms)) <= 40 * HOUR_MS:
            stamps.append(t_ms)
        assert intervals.ends_ms(3 * HOUR_MS, 40 * HOUR_MS) == stamps
    assert constant.ends_ms(3 * HOUR_MS, 3 * HOUR_MS + 5) == []
