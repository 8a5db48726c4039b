"""The market as a whole: seeded, continuous, its candles and settlements consistent."""

import json
import math

import numpy as np
import pytest

from basisdesk.demo.coins import COINS
from basisdesk.demo.funding import INTERVAL_MS, MINUTE_MS
from basisdesk.demo.market import FINE_MIN_MAX, Market
from basisdesk.errors import SettingsError

EPOCH_MS = 1_790_000_000_000  # 20 s into a minute, 1 h 47 min before a settlement
SYMBOLS = [coin.symbol for coin in COINS]


def prices(market, now_ms):
    market.advance(now_ms)
    return [market.view(symbol, now_ms) for symbol in SYMBOLS]


def test_same_seed_same_market_whatever_the_looking_times():
    one, two = Market(11, "mixed", EPOCH_MS), Market(11, "mixed", EPOCH_MS)
    assert one.candles == two.candles
    assert one.settlements == two.settlements
    end_ms = EPOCH_MS + 7 * MINUTE_MS + 1234
    for now_ms in range(EPOCH_MS, end_ms, 20_000):
        one.advance(now_ms)
    assert prices(one, end_ms) == prices(two, end_ms)


def test_another_seed_is_another_market():
    one, two = Market(11, "mixed", EPOCH_MS), Market(12, "mixed", EPOCH_MS)
    assert one.candles["ADAUSDT"] != two.candles["ADAUSDT"]


def test_it_begins_at_the_known_prices_with_a_day_of_candles_and_30_settlements():
    market = Market(3, "2025 calm", EPOCH_MS)
    for coin in COINS:
        view = market.view(coin.symbol, EPOCH_MS)
        assert view.spot_mid == pytest.approx(coin.price, rel=0.01)
        rows = list(market.candles[coin.symbol])
        assert len(rows) >= 1440
        times = [row.t_ms for row in rows]
        assert times == list(range(times[0], times[0] + len(rows) * MINUTE_MS, MINUTE_MS))
        assert times[-1] == EPOCH_MS // MINUTE_MS * MINUTE_MS - MINUTE_MS
        settled = [t_ms for t_ms, _ in market.settlements[coin.symbol]]
        assert len(settled) >= 30
        assert all(t_ms % INTERVAL_MS == 0 for t_ms in settled)
        assert np.all(np.diff(settled) == INTERVAL_MS)


def test_candles_are_sane_and_continuous_into_the_present():
    market = Market(3, "mixed", EPOCH_MS)
    market.advance(EPOCH_MS + 5 * MINUTE_MS)
    for symbol in SYMBOLS:
        rows = list(market.candles[symbol])
        for leg in ("spot", "perp"):
            ohlc = np.array([getattr(row, leg) for row in rows])
            assert (ohlc[:, 1] >= ohlc.max(axis=1)).all()
            assert (ohlc[:, 2] <= ohlc.min(axis=1)).all()
            gaps = np.abs(np.log(ohlc[1:, 0] / ohlc[:-1, 3]))
            assert gaps[-6:].max() < 0.004, "history and present do not meet"
        assert min(row.spot_volume for row in rows) > 0


def test_minutes_do_not_jump_at_their_borders():
    """Over 20 borders the move across is no larger than the largest inside (100 ms each)."""
    market = Market(5, "2025 calm", EPOCH_MS)
    start_ms = EPOCH_MS // MINUTE_MS * MINUTE_MS
    for leg in ("spot_mid", "perp_mid", "mark_price"):
        inside, across, last = [], [], None
        market = Market(5, "2025 calm", EPOCH_MS)
        for minute in range(20):
            at_ms = start_ms + minute * MINUTE_MS
            market.advance(at_ms)
            values = [
                math.log(getattr(market.view("BTCUSDT", at_ms + k * 100), leg)) for k in range(600)
            ]
            inside.append(np.abs(np.diff(values)).max())
            if last is not None:
                across.append(abs(values[0] - last))
            last = values[-1]
        assert max(across) <= max(inside) * 1.5


def test_the_rate_shown_before_a_settlement_is_the_rate_settled():
    market = Market(9, "2021 mania", EPOCH_MS)
    stamp = market.view("ADAUSDT", EPOCH_MS).next_funding_ms
    market.advance(stamp - 1)
    shown = {s: market.view(s, stamp - 1) for s in SYMBOLS}
    market.advance(stamp)
    for symbol in SYMBOLS:
        assert shown[symbol].next_funding_ms == stamp
        assert market.settlements[symbol][-1] == (stamp, shown[symbol].rate)
        assert market.view(symbol, stamp).next_funding_ms == stamp + INTERVAL_MS


def test_mark_lies_between_the_legs_within_a_few_bp():
    market = Market(4, "mixed", EPOCH_MS)
    for now_ms in range(EPOCH_MS, EPOCH_MS + 10 * MINUTE_MS, 15_000):
        for view in prices(market, now_ms):
            low = min(view.index_price, view.perp_mid) * (1 - 20e-4)
            high = max(view.index_price, view.perp_mid) * (1 + 20e-4)
            assert low < view.mark_price < high


def test_dump_goes_through_json_and_continues_the_same_path():
    market = Market(21, "mixed", EPOCH_MS)
    later_ms = EPOCH_MS + 3 * MINUTE_MS + 700
    market.advance(later_ms)
    kept = json.loads(json.dumps(market.dump()))
    again = Market.restored(21, "mixed", kept)
    assert prices(again, later_ms) == prices(market, later_ms)
    end_ms = later_ms + 4 * MINUTE_MS
    assert prices(again, end_ms) == prices(market, end_ms)
    assert again.candles == market.candles
    assert again.settlements == market.settlements


def test_a_long_gap_is_filled_and_does_not_jump():
    market = Market(21, "2025 calm", EPOCH_MS)
    before = prices(market, EPOCH_MS)
    later_ms = EPOCH_MS + (FINE_MIN_MAX + 600) * MINUTE_MS
    after = prices(market, later_ms)
    for symbol, was, now in zip(SYMBOLS, before, after, strict=True):
        assert abs(math.log(now.spot_mid / was.spot_mid)) < 0.2
        times = [row.t_ms for row in market.candles[symbol]]
        assert np.all(np.diff(times) == MINUTE_MS)
        closes = np.array([row.spot[3] for row in market.candles[symbol]])
        assert np.abs(np.diff(np.log(closes))).max() < 0.03


@pytest.mark.parametrize("spoilt", [{}, {"version": 1}, {"version": 2, "anchor_ms": 1}])
def test_a_foreign_dump_is_refused(spoilt):
    with pytest.raises(ValueError, match=r".+"):
        Market.restored(1, "mixed", spoilt)


def test_an_unknown_scenario_is_one_sentence():
    with pytest.raises(SettingsError, match=r"Unknown scenario 'boom'\. Known: mixed, "):
        Market(1, "boom", EPOCH_MS)
