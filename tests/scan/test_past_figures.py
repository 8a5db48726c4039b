"""Figures of every combination: a few a step, in the order of the openings."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from basisdesk.events import ScanPast
from basisdesk.market.past import Past
from basisdesk.scan.past_figures import PastFigures
from basisdesk.scan.past_stats import gap_of, gap_stats, paid
from basisdesk.scan.sector_series import robust_z
from basisdesk.scan.words import Combo

HOUR = 3_600_000
VENUES = ("binance", "bybit", "okx")
PERPS = {venue: f"{venue}:perp:ADAUSDT" for venue in VENUES}
SPOT = "bybit:spot:ADAUSDT"


@pytest.fixture
def past():
    past = Past(90, minutes_kept=600)
    rng = np.random.default_rng(1)
    for at, key in enumerate(PERPS.values()):
        rows = [(8 * HOUR * n, (at + rng.normal()) / 1e4) for n in range(1, 200)]
        past.learn(ScanPast(key, settled=tuple(rows)))
    return past


def openings_of(*combos, rate=2.0):
    rates = np.array([rate] * len(combos)) if isinstance(rate, float) else np.array(rate)
    return SimpleNamespace(combos=tuple(combos), rate_8h_bp=rates)


def perp_perp(long, short):
    return Combo("ADA", "perp-perp", PERPS[long], PERPS[short])


ONE, TWO = perp_perp("binance", "okx"), perp_perp("okx", "binance")
THREE = Combo("ADA", "spot-perp", SPOT, PERPS["bybit"])


def test_a_few_are_renewed_each_step_the_largest_gaps_first(past):
    figures = PastFigures(past)
    openings = openings_of(ONE, TWO, THREE, rate=[0.5, math.nan, -3.0])
    figures.step(openings, budget=1)
    assert np.isfinite(figures.momentum_bp).tolist() == [False, False, True]
    figures.step(openings, budget=1)
    assert np.isfinite(figures.momentum_bp).tolist() == [True, False, True]
    assert figures.passes == 0
    figures.step(openings, budget=1)
    assert np.isfinite(figures.momentum_bp).all()
    assert figures.passes == 1


def test_they_say_what_the_functions_say(past):
    figures = PastFigures(past, hold_h=24.0)
    figures.step(openings_of(ONE, THREE, rate=[2.0, 1.0]))
    gap = gap_of(paid(past, ONE.long), paid(past, ONE.short))
    stats = gap_stats(gap, 2.0, 24.0)
    found = figures.of(ONE)
    assert found[:7] == pytest.approx(tuple(stats), nan_ok=True)
    assert figures.hazard[0] == stats.hazard
    assert figures.hazard_n.tolist() == [stats.hazard_n, figures.of(THREE).hazard_n]
    assert figures.hazard_n.dtype == np.int64
    assert figures.z[0] == pytest.approx((2.0 - found.middle_bp) / found.sd_bp)
    assert figures.z[0] == pytest.approx(robust_z(np.append(gap.gap_bp, 2.0), 90, 10)[-1])
    assert figures.of(TWO) is None


def test_z_follows_the_rate_without_another_turn(past):
    figures = PastFigures(past)
    figures.step(openings_of(ONE, rate=[2.0]))
    before = figures.z[0]
    figures.step(openings_of(ONE, rate=[9.0]), budget=0)
    assert figures.z[0] > before + 3


def test_what_is_known_moves_with_the_order(past):
    figures = PastFigures(past)
    figures.step(openings_of(ONE, TWO, THREE))
    then = {combo: figures.of(combo) for combo in (ONE, THREE)}
    figures.align((THREE, perp_perp("bybit", "okx"), ONE))
    assert len(figures.half_life_h) == len(figures.z) == 3
    assert figures.momentum_bp[[0, 2]].tolist() == [then[THREE].momentum_bp, then[ONE].momentum_bp]
    assert math.isnan(figures.momentum_bp[1])
    assert figures.of(TWO) is None


def test_what_was_handed_out_never_changes(past):
    figures = PastFigures(past)
    figures.step(openings_of(ONE, TWO), budget=1)
    given, copy = figures.momentum_bp, figures.momentum_bp.copy()
    figures.step(openings_of(ONE, TWO), budget=1)
    np.testing.assert_array_equal(given, copy)
    assert np.isfinite(figures.momentum_bp).all()


def test_one_whose_past_has_not_moved_costs_nothing(past, monkeypatch):
    figures = PastFigures(past)
    figures.step(openings_of(ONE, TWO, THREE))
    monkeypatch.setattr(
        "basisdesk.scan.past_figures.gap_of", lambda *_: pytest.fail("counted again")
    )
    figures.step(openings_of(ONE, TWO, THREE, rate=2.1))
    monkeypatch.undo()
    past.learn(ScanPast(PERPS["bybit"], settled=((8 * HOUR * 200, 5e-4),)))
    before = figures.of(THREE)
    figures.step(openings_of(ONE, TWO, THREE, rate=2.1))
    assert figures.of(THREE).n == before.n + 1
    assert figures.passes == 3


def test_a_basis_is_looked_at_again_after_a_while(past):
    figures = PastFigures(past)
    rng = np.random.default_rng(3)
    figures.step(openings_of(THREE))
    assert math.isnan(figures.basis_half_life_h[0])
    basis = 0.0
    for minute in range(600):
        basis = 0.9 * basis + rng.normal() * 1e-4
        past.sample(minute + 1, {SPOT: 1.0, PERPS["bybit"]: 1.0 + basis})
    figures.step(openings_of(THREE))
    # 6.6 minutes; one draw of 90 half-lives
    assert 0.05 < figures.basis_half_life_h[0] < 0.25


def test_time_may_end_a_step(past):
    figures = PastFigures(past)
    figures.step(openings_of(ONE, TWO, THREE), enough=lambda: True)
    assert np.isfinite(figures.momentum_bp).sum() == 1


def test_medians_are_of_each_perpetual(past):
    figures = PastFigures(past)
    figures.step(openings_of(ONE, THREE), budget=0)
    assert set(figures.median_8h_bp) == set(PERPS.values())
    assert figures.median_8h_bp[PERPS["okx"]] == pytest.approx(2.0, abs=0.3)
    figures.align((THREE,))
    assert set(figures.median_8h_bp) == {PERPS["bybit"]}


def test_no_openings_and_no_past_are_fine():
    figures = PastFigures(Past(90))
    figures.step(openings_of())
    assert len(figures.z) == 0
    figures.step(openings_of(ONE, rate=[math.nan]))
    assert np.isnan(figures.half_life_h).all()
    assert figures.hazard_n.tolist() == [0]
    assert figures.median_8h_bp == {}
