"""What a coin moves in a minute, from candles or from the live pair."""

import math

import pytest
from quant_rig import PERP, SPOT, Quant

from basisdesk.events import Candles
from basisdesk.trading.volatility import MINUTES, minute_closes, minute_sigma, year_pct

NOTHING = [math.nan] * 8


def zigzag(minutes, step=0.001):
    return [0.36 * (1 + step * (i % 2)) for i in range(minutes)]


def candles(rig, prices, key=SPOT, skip=()):
    rows = [(i * 60_000, price) for i, price in enumerate(prices) if i not in skip]
    rig.market.candles[key] = Candles(key, rows)


def live(rig, prices):
    """A pair with a row a minute, spot as told, from minute 1000 on."""
    pair = rig.market.pair(SPOT, PERP)
    for i, price in enumerate(prices):
        pair.series.push(60.0 * (1000 + i), (price, price * 1.001, 10.0, *NOTHING))
    return pair


def test_sigma_of_a_zigzag_by_hand():
    """Returns of +0.1 % and -0.0999 % in turn: a deviation of 0.09995 %; 72.5 % a year."""
    rig = Quant()
    candles(rig, zigzag(201))
    assert minute_sigma(rig.market, SPOT) == pytest.approx(0.0009995, rel=1e-4)
    assert year_pct(0.0009995) == pytest.approx(72.46, abs=0.01)


def test_too_few_minutes_or_a_price_that_stands_still_say_nothing():
    rig = Quant()
    assert minute_sigma(rig.market, SPOT) is None
    candles(rig, zigzag(30))  # 29 returns
    assert minute_sigma(rig.market, SPOT) is None
    candles(rig, zigzag(31))
    assert minute_sigma(rig.market, SPOT) is not None
    candles(rig, [0.36] * 100)
    assert minute_sigma(rig.market, SPOT) is None


def test_a_missing_minute_makes_no_jump():
    """Twice the price after a hole of one minute: the two returns beside the hole are left out."""
    rig = Quant()
    prices = zigzag(100) + [2 * price for price in zigzag(100)]
    candles(rig, prices, skip=(100,))
    assert minute_sigma(rig.market, SPOT) == pytest.approx(0.0009995, rel=1e-3)


def test_only_the_last_four_hours_count():
    rig = Quant()
    candles(rig, zigzag(500, 0.05) + zigzag(MINUTES + 1))
    assert minute_sigma(rig.market, SPOT) == pytest.approx(0.0009995, rel=1e-3)


def test_live_minutes_go_before_candles_once_there_are_enough():
    rig = Quant()
    candles(rig, zigzag(300, 0.01))
    live(rig, zigzag(20))
    assert minute_sigma(rig.market, SPOT) == pytest.approx(0.01, rel=0.01)
    rig = Quant()
    candles(rig, zigzag(300, 0.01))
    live(rig, zigzag(60))
    assert minute_sigma(rig.market, SPOT) == pytest.approx(0.0009995, rel=1e-3)
    assert minute_sigma(rig.market, PERP) == pytest.approx(0.0009995, rel=1e-3)


def test_an_outage_is_not_a_price_that_stood_still():
    rig = Quant()
    pair = live(rig, zigzag(60))
    pair.series.push_gap(60.0 * 1059 + 1)
    pair.series.push(60.0 * 1090, (0.5, 0.5, 10.0, *NOTHING))
    closes = minute_closes(rig.market, SPOT)
    assert closes[-1] == 0.5
    assert all(math.isnan(close) for close in closes[-31:-1])
    assert minute_sigma(rig.market, SPOT) == pytest.approx(0.0009995, rel=1e-3)


def test_nothing_is_remembered_a_row_of_the_same_minute_counts_at_once():
    rig = Quant()
    pair = live(rig, zigzag(60))
    first = minute_sigma(rig.market, SPOT)
    assert minute_sigma(rig.market, SPOT) == first
    pair.series.push(60.0 * 1060, (0.37, 0.37, 10.0, *NOTHING))
    assert minute_sigma(rig.market, SPOT) > first
    pair.series.replace_front(60, [[60.0 * 1059, 0.5, 0.5, 10.0, *NOTHING]])
    assert minute_sigma(rig.market, SPOT) is None
