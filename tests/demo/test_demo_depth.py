"""Books of fifty levels that never cross; trades that cluster."""

import numpy as np
import pytest

from basisdesk.demo.coins import BY_SYMBOL, COINS
from basisdesk.demo.depth import LEVELS, Ladder, TradeTape


def jumpy_mids(coin, steps, seed):
    rng = np.random.default_rng(seed)
    sizes = np.where(rng.random(steps) < 0.05, 60e-4, 1e-4)
    return coin.price * np.exp(np.cumsum(rng.standard_normal(steps) * sizes))


@pytest.mark.parametrize("coin", COINS, ids=lambda coin: coin.name)
@pytest.mark.parametrize("leg", [0, 1])
def test_deltas_rebuild_the_book_and_it_stays_valid(coin, leg):
    ladder = Ladder(coin, leg, coin.price, np.random.default_rng(1))
    bids, asks = (dict(side) for side in ladder.published)
    for at, mid in enumerate(jumpy_mids(coin, 200, 2)):
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
        touch = (max(bids) + min(asks)) / 2 / 10**coin.tick_decimals
        assert abs(touch - mid) * 10**coin.tick_decimals <= 1.0


def test_a_standing_market_changes_about_five_to_ten_levels_a_delta():
    coin = BY_SYMBOL["ADAUSDT"]
    ladder = Ladder(coin, 1, 0.8, np.random.default_rng(1))
    counts = []
    for _ in range(300):
        ladder.move(0.8, 0.1, 1.0)
        counts.append(sum(map(len, ladder.publish())))
    assert 3 <= np.mean(counts) <= 12


def test_half_a_million_moves_the_bitcoin_perp_by_about_the_published_impact():
    """0.3 bp for $0.5m beyond the touch, within a factor of two (sizes are random)."""
    coin = BY_SYMBOL["BTCUSDT"]
    moved = []
    for seed in range(40):
        ladder = Ladder(coin, 1, coin.price, np.random.default_rng(seed))
        left, at = 500_000.0, 0
        while left > 0:
            left -= ladder.asks[at] * 0.001 * coin.price
            at += 1
        moved.append(at * 0.1 / coin.price * 1e4)
    assert 0.15 < np.mean(moved) < 0.6


def test_taken_touch_refills():
    coin = BY_SYMBOL["ADAUSDT"]
    ladder = Ladder(coin, 1, 0.8, np.random.default_rng(1))
    for _ in range(30):
        ladder.take(buy=True, lots=10**9)
    assert ladder.asks[0] == 1
    for _ in range(100):
        ladder.move(0.8, 0.1, 1.0)
    assert ladder.asks[0] > 5_000


def test_trades_come_at_their_rate_in_bursts_and_runs():
    coin = BY_SYMBOL["BTCUSDT"]
    tape = TradeTape(coin, 1, np.random.default_rng(4))
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
    tape = TradeTape(BY_SYMBOL["ADAUSDT"], 1, np.random.default_rng(4))
    counts = [len(tape.draw(6.0)) for _ in range(500)]
    assert np.mean(counts) == pytest.approx(12.0, rel=0.3)
