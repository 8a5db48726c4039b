"""The walk's exact laws: moments do not depend on the step length."""

import math

import numpy as np
import pytest

from basisdesk.demo.coins import BY_NAME, COINS
from basisdesk.demo.walk import (
    CLIPPED_SQUARE_MEAN,
    MARKET_SD_YEAR,
    SQUARE_MAX,
    YEAR_S,
    CoinState,
    Tide,
    common_factor,
    first_state,
    premium_bp,
    pull,
    walk,
)


def test_clipped_square_mean_by_integration():
    z = (np.arange(400_000) + 0.5) * 1e-3
    t = z * math.sqrt(2)
    density = 2 * math.sqrt(2) * 0.375 * (1 + t * t / 4) ** -2.5  # of |t(4)| / sqrt 2
    mean = float(np.sum(np.minimum(z * z, SQUARE_MAX) * density) * 1e-3)
    assert mean == pytest.approx(CLIPPED_SQUARE_MEAN, abs=5e-5)


@pytest.mark.parametrize("coin", COINS, ids=lambda coin: coin.name)
def test_moods_are_a_whole(coin):
    for preset in ("mania", "calm", "mixed"):
        assert sum(mood.weight for mood in coin.moods(preset)) == pytest.approx(1.0)
    assert coin.moods("mixed")[0].weight == pytest.approx(0.85)


@pytest.mark.parametrize(("name", "sd_year"), [("BTC", 0.5), ("ADA", 1.0), ("PEPE", 1.2)])
def test_spot_moves_as_much_as_it_should(name, sd_year):
    """90 days of minutes: the annualised deviation is within a third of the parameter."""
    rng = np.random.default_rng(5)
    steps = 90 * 1440
    market, _ = common_factor(1.0, steps, 60.0, rng, MARKET_SD_YEAR)
    sector, _ = common_factor(1.0, steps, 60.0, rng, 1.0)
    state = CoinState(0.0)
    path = walk(BY_NAME[name], "calm", state, Tide(market, sector), 60.0, rng)
    sd = float(np.diff(path.log_price).std()) * math.sqrt(YEAR_S / 60.0)
    assert sd_year * 0.67 < sd < sd_year * 1.5
    assert state.log_price == path.log_price[-1]


def test_large_moves_come_in_clusters_and_tails_are_fat():
    rng = np.random.default_rng(6)
    market, _ = common_factor(1.0, 60 * 1440, 60.0, rng, MARKET_SD_YEAR)
    squares = market**2
    clipped = np.minimum(squares, np.quantile(squares, 0.99))
    assert np.corrcoef(clipped[:-60], clipped[60:])[0, 1] > 0.02  # an hour apart
    assert (market**4).mean() / (market**2).mean() ** 2 > 4.0


@pytest.mark.parametrize("dt_s", [1.0, 60.0])
def test_premium_of_the_calm_preset_has_the_fitted_spread(dt_s):
    """Level -5.2, sd sqrt(1.4^2 + 2.2^2) for ADA, from many short walks of either step."""
    coin = BY_NAME["ADA"]
    ends = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        state = first_state(coin, "calm", rng)
        path = walk(coin, "calm", state, Tide(np.zeros(30), np.zeros(30)), dt_s, rng)
        assert premium_bp(state) == pytest.approx(path.premium_bp[-1])
        ends.append(path.premium_bp[-1])
    assert np.mean(ends) == pytest.approx(-5.2, abs=0.5)
    assert np.std(ends) == pytest.approx(math.hypot(1.4, 2.2), rel=0.15)


@pytest.mark.parametrize("half_life", [0.3, 5.0, 400.0])
@pytest.mark.parametrize("steps", [1, 47, 48, 49, 300])
def test_the_fast_recursion_is_the_plain_one(half_life, steps):
    noise = np.random.default_rng(1).standard_normal(steps)
    keep = 0.5 ** (1.0 / half_life)
    now, plain = 3.0, []
    for value in noise * math.sqrt(1.0 - keep * keep):
        now = keep * now + value
        plain.append(now)
    assert pull(3.0, half_life, 1.0, noise) == pytest.approx(plain, rel=1e-7, abs=1e-12)
