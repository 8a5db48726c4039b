"""Named stories: found by loose names, and doing what their sentence says."""

from itertools import pairwise

import numpy as np
import pytest

from basisdesk.demo.funding import INTERVAL_MS, MINUTE_MS
from basisdesk.demo.market import Market
from basisdesk.demo.scenarios import (
    CRASH_DEPTH,
    Crash,
    Decoupling,
    OneLegOutage,
    find_scenario,
    scenario_names,
)
from tests.demo.demo_rig import EPOCH_MS, basis_bp


@pytest.mark.parametrize("name", ["2021 mania", "2021-mania", "2021_MANIA", "2021mania"])
def test_loose_names(name):
    assert find_scenario(name).preset == "mania"


def test_every_name_makes_a_market():
    for name in scenario_names():
        market = Market(1, name, EPOCH_MS)
        assert market.find("bybit:perp:ADAUSDT").mid(EPOCH_MS + MINUTE_MS) > 0
        assert market.about


def test_plus_adds_overlays():
    found = find_scenario("2021-mania + crash + one-leg-outage")
    assert found.preset == "mania"
    assert found.overlays == (Crash, Decoupling, OneLegOutage)


def test_the_default_decouples_soon_and_converges_within_the_half_hour():
    """Mid basis against its own start: over 50 bp within 7 minutes, under 15 bp after 35."""
    market = Market(7, "mixed", EPOCH_MS)

    path = [basis_bp(market, "ADA", EPOCH_MS + minute * MINUTE_MS) for minute in range(36)]
    assert max(path[3:8]) - path[0] > 50
    assert abs(path[35] - path[0]) < 15


def test_episodes_are_between_60_and_80_bp_and_mostly_up():
    overlay = Decoupling(EPOCH_MS, 7)
    peaks = [overlay.episode(k, 4)[1] for k in range(-300, 300)]
    assert all(60 <= abs(peak) <= 80 for peak in peaks)
    assert 0.65 < np.mean(np.array(peaks) > 0) < 0.85
    assert overlay.episode(0, 4)[1] > 0


def test_an_overlay_seen_in_parts_is_the_same():
    overlay = Decoupling(EPOCH_MS, 7)
    t_ms = EPOCH_MS - 3_600_000 + 10_000 * np.arange(2000, dtype=np.int64)
    whole = overlay.premium_bp(t_ms, 2)
    parts = np.concatenate([overlay.premium_bp(t_ms[k : k + 7], 2) for k in range(0, 2000, 7)])
    assert parts == pytest.approx(whole, abs=0.3)  # the far tail of an episode is cut


def test_crash_falls_12_6_percent_in_ten_minutes_and_thins_the_books():
    calm, crash = Market(3, "mixed", EPOCH_MS), Market(3, "crash", EPOCH_MS)
    now_ms = EPOCH_MS + 13 * MINUTE_MS
    usual, fallen = (m.find("bybit:spot:BTCUSDT").mid(now_ms) for m in (calm, crash))
    assert fallen / usual - 1 == pytest.approx(-0.126, abs=0.004)
    assert crash.depth(now_ms) == CRASH_DEPTH
    assert basis_bp(crash, "BTC", now_ms) < -60
    assert calm.depth(now_ms) == 1.0


def test_a_depeg_moves_the_dollar_markets_only():
    calm, depeg = Market(3, "mixed", EPOCH_MS), Market(3, "usdt depeg", EPOCH_MS)
    now_ms = EPOCH_MS + 35 * MINUTE_MS
    for key, moved in (
        ("kraken:spot:USDT/USD", -0.03),
        ("kraken:spot:ADA/USD", -0.03),
        ("bybit:spot:ADAUSDT", 0.0),
    ):
        usual, now = (m.find(key).mid(now_ms) for m in (calm, depeg))
        assert now / usual - 1 == pytest.approx(moved, abs=1e-3), key


@pytest.mark.parametrize("seed", range(4))
def test_funding_changes_its_sign_at_each_settlement(seed):
    market = Market(seed, "funding flip", EPOCH_MS)
    rows = market.find("bybit:perp:ETHUSDT").settlements(EPOCH_MS)[-12:]
    rates, stamps = [rate for _, rate, _ in rows], [t_ms for t_ms, _, _ in rows]
    assert all(a * b < 0 for a, b in pairwise(rates))
    assert all(abs(rate) > 3e-4 for rate in rates)
    assert all(
        (t_ms // INTERVAL_MS) % 2 == (rate > 0) for t_ms, rate in zip(stamps, rates, strict=True)
    )


def test_one_leg_outage_silences_the_perp_two_minutes_of_ten():
    market = Market(3, "one-leg outage", EPOCH_MS)
    seconds = range(3600)
    linear = [market.silent("bybit.linear", EPOCH_MS + 1000 * s) for s in seconds]
    assert sum(linear) == 6 * 120
    assert not linear[0]
    assert not any(market.silent("bybit.spot", EPOCH_MS + 1000 * s) for s in seconds)
