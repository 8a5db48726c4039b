"""The funding matrix: cells, what is not listed, and percentiles of our own past."""

import math

import numpy as np
import pytest
from told_universe import HOUR_MS, T0, S, Told, key_of

from basisdesk.events import ScanPast
from basisdesk.scan.matrix import MatrixMaker, matrix


def look(told):
    return matrix(told.market, told.settings, told.now)


def test_cells_and_what_is_not_listed():
    told = Told()
    spot = told.leg("binance", "spot", "SOL", mid=100.0)
    perp = told.perp("binance", "SOL", 2.0, hours=4.0, mid=100.1)
    far = told.perp("okx", "SOL", 1.0, mid=100.2)
    told.perp("okx", "XRP", -3.0)
    told.leg("bybit", "spot", "ADA")  # no perpetual anywhere: no row
    told.now += 3 * S
    found = look(told)
    assert found.coins == ("SOL", "XRP")  # the settings' order
    assert found.venues == ("binance", "okx")
    assert found.funding_8h_bp[0].tolist() == [pytest.approx(4.0), pytest.approx(1.0)]
    assert math.isnan(found.funding_8h_bp[1, 0])
    assert found.funding_8h_bp[1, 1] == pytest.approx(-3.0)
    assert found.basis_bp[0].tolist() == [pytest.approx(10.0), pytest.approx(20.0)]
    assert math.isnan(found.basis_bp[1, 1])
    assert found.interval_h[0].tolist() == [4.0, 8.0]
    assert found.age_s[0].tolist() == [3.0, 3.0]
    assert found.pairs[0] == ((spot, perp), (spot, far))  # spot of elsewhere where there is none
    assert found.pairs[1] == (None, None)
    assert np.isnan(found.funding_percentile).all()
    assert np.isnan(found.funding_days).all()


def test_percentiles_are_of_our_own_past():
    told = Told()
    spot = told.leg("bybit", "spot", "SOL", mid=100.0)
    perp = told.perp("bybit", "SOL", 8.0, mid=100.1)
    now_ms = T0 // 10**6
    told.market.universe.past.reach(now_ms // 60_000)
    # settled 0, 1 ... 19 bp: eight are below 8 bp, one is the same
    settled = tuple((now_ms - (20 - k) * 8 * HOUR_MS, k / 1e4) for k in range(20))
    # a basis of 0 ... 19 bp minute by minute; ten are below 10 bp, and the eleventh is about there
    minutes = [now_ms - (k + 2) * 60_000 for k in range(20)]
    low = tuple((ms, 100.0) for ms in reversed(minutes))
    high = tuple((ms, 100.0 * (1 + k / 1e4 + 5e-5)) for k, ms in reversed(list(enumerate(minutes))))
    for past in (ScanPast(perp, high, settled), ScanPast(spot, low)):
        told.market.apply_all([past], told.now)
    found = look(told)
    assert found.funding_percentile[0, 0] == pytest.approx(8.5 / 20)
    assert found.funding_days[0, 0] == pytest.approx(19 / 3)
    assert found.basis_percentile[0, 0] == pytest.approx(0.5)
    assert found.basis_days[0, 0] == pytest.approx(20 / 1440)


def test_little_past_is_no_percentile():
    told = Told()
    told.leg("bybit", "spot", "SOL")
    perp = told.perp("bybit", "SOL", 8.0)
    rows = tuple((T0 // 10**6 - (9 - k) * 8 * HOUR_MS, 1e-4) for k in range(9))
    told.market.apply_all([ScanPast(perp, (), rows)], told.now)
    found = look(told)
    assert math.isnan(found.funding_percentile[0, 0])
    assert found.funding_days[0, 0] == pytest.approx(8 / 3)


def test_a_rate_too_old_counts_as_its_age():
    told = Told()
    perp = told.perp("bybit", "SOL", 8.0)
    told.now += 700 * S
    told.touch(perp, 99.995, 100.005)
    assert look(told).age_s[0, 0] == pytest.approx(700.0)


def test_odd_legs_and_an_empty_universe():
    told = Told()
    assert look(told).coins == ()
    for venue in ("binance", "bybit", "okx"):
        told.perp(venue, "SOL", 1.0)
    told.touch(key_of("okx", "perp", "SOL"), 30.0, 30.1)
    found = look(told)
    assert found.venues == ("binance", "bybit")


def test_the_past_is_looked_through_in_turn():
    told = Told()
    keys = [told.perp("bybit", coin, 8.0) for coin in ("SOL", "XRP", "ADA")]
    rows = tuple((T0 // 10**6 - (20 - k) * 8 * HOUR_MS, k / 1e4) for k in range(20))
    for key in keys:
        told.market.apply_all([ScanPast(key, (), rows)], told.now)
    maker = MatrixMaker(cells_a_look=2)
    counts = []
    for _ in range(3):
        found = maker.look(told.market, told.settings, told.now)
        counts.append(int(np.isfinite(found.funding_percentile).sum()))
        assert np.isfinite(found.funding_8h_bp).all()
    assert counts == [2, 3, 3]
    assert (found.funding_percentile == look(told).funding_percentile).all()
