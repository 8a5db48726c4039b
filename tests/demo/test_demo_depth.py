"""Books of fifty levels that never cross; trades that cluster."""

import numpy as np
import pytest

from basisdesk.demo.coins import CALIBRATED
from basisdesk.demo.depth import LEVELS, Ladder, TradeTape, shape_of
from basisdesk.demo.listings import MARKETS, coin_of, spec_of
from tests.demo.demo_rig import coin as named

MORE = [("kraken", "BTC"), ("okx", "PEPE"), ("binance", "BABYDOGE"), ("bybit", "SHIB")]
LISTED = [("bybit", coin.name) for coin in CALIBRATED] + MORE


def listed(venue, market, name):
    return spec_of(venue, market, named(name))


def shape(name, market="perp"):
    return shape_of(listed("bybit", market, name))


def jumpy_mids(price, steps, seed):
    rng = np.random.default_rng(seed)
    sizes = np.where(rng.random(steps) < 0.05, 60e-4, 1e-4)
    return price * np.exp(np.cumsum(rng.standard_normal(steps) * sizes))


@pytest.mark.parametrize(("venue", "name"), LISTED)
@pytest.mark.parametrize("market", MARKETS)
def test_deltas_rebuild_the_book_and_it_stays_valid(venue, name, market):
    spec = listed(venue, market, name)
    price = coin_of(spec).price * spec.price_unit
    ladder = Ladder(shape_of(spec), price, np.random.default_rng(1))
    bids, asks = (dict(side) for side in ladder.published)
    for at, mid in enumerate(jumpy_mids(price, 200, 2)):
        ladder.move(float(mid), 0.1, 0.1 if at > 100 else 1.0)
        for side, change in zip((bids, asks), ladder.publish(), strict=True):
            for tick, lots in change.items():
                if lots:
                    side[tick] = lots
                else:
                    del side[tick]  # a level is deleted only where there was one
        assert (bids, asks) == ladder.levels()
        assert len(bids) == len(asks) == LEVELS
        assert max(bids) < min(asks)
        assert min(*bids.values(), *asks.values()) >= 1
        assert abs((max(bids) + min(asks)) / 2 - mid / float(spec.tick)) <= 1.0


def test_a_standing_market_changes_about_five_to_ten_levels_a_delta():
    ladder = Ladder(shape("ADA"), 0.8, np.random.default_rng(1))
    counts = []
    for _ in range(300):
        ladder.move(0.8, 0.1, 1.0)
        counts.append(sum(map(len, ladder.publish())))
    assert 3 <= np.mean(counts) <= 12


def test_half_a_million_moves_the_bitcoin_perp_by_about_the_published_impact():
    """0.3 bp for $0.5m beyond the touch, within a factor of two (sizes are random)."""
    price, moved = 86_720.0, []
    for seed in range(40):
        ladder = Ladder(shape("BTC"), price, np.random.default_rng(seed))
        left, at = 500_000.0, 0
        while left > 0:
            left -= ladder.asks[at] * 0.001 * price
            at += 1
        moved.append(at * 0.1 / price * 1e4)
    assert 0.15 < np.mean(moved) < 0.6


def test_taken_touch_refills():
    ladder = Ladder(shape("ADA"), 0.8, np.random.default_rng(1))
    for _ in range(30):
        ladder.take(buy=True, lots=10**9)
    assert ladder.asks[0] == 1
    for _ in range(100):
        ladder.move(0.8, 0.1, 1.0)
    assert ladder.asks[0] > 5_000


def test_trades_come_at_their_rate_in_bursts_and_runs():
    tape = TradeTape(shape("BTC"), np.random.default_rng(4))
    counts, sides = [], []
    for _ in range(20_000):
        drawn = tape.draw(0.1)
        counts.append(len(drawn))
        sides += [1.0 if buy else -1.0 for buy, _ in drawn]
    assert np.mean(counts) == pytest.approx(1.2, rel=0.15)
    in_10_s = np.array(counts).reshape(-1, 100).sum(axis=1)
    assert in_10_s.var() / in_10_s.mean() > 1.8  # Poisson alone would be 1
    assert np.corrcoef(sides[:-1], sides[1:])[0, 1] > 0.15


def test_fast_time_does_not_make_trades_explode():
    tape = TradeTape(shape("ADA"), np.random.default_rng(4))
    counts = [len(tape.draw(6.0)) for _ in range(500)]
    assert np.mean(counts) == pytest.approx(12.0, rel=0.3)
