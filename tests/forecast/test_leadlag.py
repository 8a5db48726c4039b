import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from basisdesk.forecast.leadlag import _products, lead_lag

MS = 1_000_000


def trades(lead_ms, seconds=300, rates=(12.0, 4.0), seed=1, noise=2e-6):
    """Both legs trade one true price; the perpetual sees it `lead_ms` before spot does."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 2e-6, seconds * 1_000 + 5_000)
    true = np.cumsum(steps)

    def leg(rate, delay_ms):
        count = int(rate * seconds)
        at = np.unique(rng.integers(0, seconds * 1_000, count))
        log = true[at + 2_500 - delay_ms] + rng.normal(0.0, noise, len(at))
        return at * MS, 100.0 * np.exp(log)

    return leg(rates[1], lead_ms), leg(rates[0], 0)


@pytest.mark.parametrize("lead_ms", [300, 700, -300, -700])
def test_a_true_lead_is_found_within_a_step(lead_ms):
    found = lead_lag(*trades(lead_ms))
    assert abs(found.lead_ms - lead_ms) <= 100
    assert found.leader == ("perp" if lead_ms > 0 else "spot")
    assert found.low_ms <= found.lead_ms <= found.high_ms
    assert (found.ratio > 1.0) == (lead_ms > 0)
    assert "leads by" in found.why


def test_legs_that_move_together_have_no_leader():
    found = lead_lag(*trades(0))
    assert found.leader == ""
    assert found.why.startswith("no stable leader")
    assert found.low_ms <= 0.0 <= found.high_ms


def test_legs_that_are_strangers_have_no_leader():
    spot, _ = trades(0, seed=1)
    _, perp = trades(0, seed=2)
    found = lead_lag(spot, perp)
    assert found.leader == ""
    assert found.why.startswith("no stable leader")


def test_too_few_moves_say_so():
    spot, perp = trades(300, seconds=300)
    found = lead_lag((spot[0][:20], spot[1][:20]), perp)
    assert found.leader == ""
    assert found.why == "19 price changes of spot, 60 are needed"
    assert math.isnan(found.lead_ms)
    nothing = np.empty(0, dtype=np.int64), np.empty(0)
    assert lead_lag(nothing, nothing).spot_moves == 0


def test_the_same_prices_and_seed_give_the_same_interval():
    spot, perp = trades(300)
    assert lead_lag(spot, perp, seed=7) == lead_lag(spot, perp, seed=7)


def test_swapping_the_legs_swaps_the_leader():
    spot, perp = trades(700)
    there, back = lead_lag(spot, perp), lead_lag(perp, spot)
    assert back.leader == "spot"
    assert abs(there.lead_ms + back.lead_ms) <= 100


def slow_products(spot_ms, spot, perp_ms, perp, lag):
    total = 0.0
    for i in range(1, len(spot)):
        for j in range(1, len(perp)):
            left = max(spot_ms[i - 1], perp_ms[j - 1] + lag)
            if left < min(spot_ms[i], perp_ms[j] + lag):  # half-open intervals overlap
                total += (spot[i] - spot[i - 1]) * (perp[j] - perp[j - 1])
    return total


times = st.lists(st.integers(0, 2_000), min_size=2, max_size=14, unique=True).map(sorted)


@settings(max_examples=60)
@given(times, times, st.data())
def test_the_fast_sum_is_the_sum_over_all_overlapping_pairs(spot_ms, perp_ms, data):
    values = st.floats(-1, 1)
    spot = data.draw(arrays(float, len(spot_ms), elements=values))
    perp = data.draw(arrays(float, len(perp_ms), elements=values))
    grid = np.array([-500, -1, 0, 3, 700])
    found = _products(np.array(spot_ms, float), spot, (np.array(perp_ms, float), perp), grid)
    for row, lag in zip(found.sum(axis=1), grid, strict=True):
        assert row == pytest.approx(slow_products(spot_ms, spot, perp_ms, perp, lag), abs=1e-9)
