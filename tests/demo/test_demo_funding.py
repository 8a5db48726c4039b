"""The venue's funding formula against its published table and a plain re-reading of it."""

import numpy as np
import pytest

from basisdesk.demo.funding import (
    INTERVAL_MS,
    RateMeter,
    funding_rate,
    impact_premium,
    impact_premiums,
    interval_end_ms,
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


def test_weights_rise_linearly_and_a_settlement_starts_afresh():
    rng = np.random.default_rng(3)
    samples = rng.normal(0, 8e-4, 480)
    one, many = RateMeter(0.005), RateMeter(0.005)
    for sample in samples:
        one.add(float(sample))
    many.add_many(samples[:100])
    many.add_many(samples[100:])
    mean = sum((k + 1) * p for k, p in enumerate(samples)) / sum(range(1, 481))
    expected = mean + max(-0.0005, min(0.0005, 0.0001 - mean))
    assert one.rate() == pytest.approx(expected, abs=1e-8)
    assert many.rate() == one.rate()
    assert one.settle() == many.rate()
    assert (one.count, one.weighted, one.rate()) == (0, 0.0, 0.0001)


def test_intervals_end_at_00_08_16_utc():
    midnight = 1_790_035_200_000
    assert midnight % 86_400_000 == 0
    assert interval_end_ms(midnight) == midnight + INTERVAL_MS
    assert interval_end_ms(midnight - 1) == midnight
