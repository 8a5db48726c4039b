"""What the venues list: names the desk understands, sizes, tiers, sectors."""

from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest

from basisdesk.demo.coins import BY_NAME, COINS, SECTORS
from basisdesk.demo.listings import MARKETS, by_symbol, coin_of, spec_of, specs_of
from basisdesk.demo.places import PLACES, funding_hours
from basisdesk.venues.instrument import split_symbol

ALL = [spec for venue in PLACES for market in MARKETS for spec in specs_of(venue, market)]


def test_forty_coins_and_more_on_every_venue_in_sectors_of_four():
    for venue in PLACES:
        for market in MARKETS:
            assert len(specs_of(venue, market)) >= 45, (venue, market)
    counts = Counter(coin.sector for coin in COINS)
    assert set(SECTORS) >= {"L1", "L2", "DeFi", "Meme", "AI", "Gaming", "Payments", "RWA"}
    assert all(counts[sector] >= 4 for sector in SECTORS)


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.key)
def test_names_and_sizes(spec):
    """The desk reads coin and currency off the name; tick and lot fit the price."""
    assert split_symbol(spec.key) == (spec.base, spec.quote)
    price = coin_of(spec).price * spec.price_unit
    assert 1e-7 < float(spec.tick) / price < 2e-3
    assert len(spec.tick.partition(".")[2]) == spec.tick_decimals
    assert len(spec.lot.partition(".")[2]) == spec.lot_decimals
    lot_usd = float(spec.lot) * spec.unit * coin_of(spec).price
    assert lot_usd < 150
    assert spec.max_lots * lot_usd > 50_000
    assert spec.min_lots >= 1
    assert by_symbol(spec.venue, spec.market)[spec.symbol] is spec


@pytest.mark.parametrize("spec", [s for s in ALL if s.market == "perp"], ids=lambda spec: spec.key)
def test_tiers_rise_and_fit_together(spec):
    assert len(spec.tiers) >= 2
    for low, high in pairwise(spec.tiers):
        assert Decimal(low[0]) < Decimal(high[0])
        assert Decimal(low[1]) < Decimal(high[1]) < Decimal(high[2])
        if spec.venue in ("bybit", "binance"):
            bound = Decimal(low[0])
            lower, upper = (bound * Decimal(row[1]) - Decimal(row[4]) for row in (low, high))
            assert lower == upper
        else:
            assert high[4] == "0"
    assert spec.leverage_max == spec.tiers[0][3]
    assert 0 < spec.funding_cap <= 0.02


@pytest.mark.parametrize(
    ("venue", "market", "name", "symbol", "unit", "price_unit"),
    [
        ("bybit", "perp", "SHIB", "SHIB1000USDT", 1000, 1000),
        ("bybit", "perp", "BABYDOGE", "1000000BABYDOGEUSDT", 1e6, 1e6),
        ("bybit", "spot", "BABYDOGE", "BABYDOGEUSDT", 1, 1),
        ("binance", "perp", "PEPE", "1000PEPEUSDT", 1000, 1000),
        ("binance", "perp", "BABYDOGE", "1MBABYDOGEUSDT", 1e6, 1e6),
        ("okx", "perp", "PEPE", "PEPE-USDT-SWAP", 1e7, 1),
        ("okx", "perp", "BTC", "BTC-USDT-SWAP", 0.01, 1),
        ("okx", "perp", "ADA", "ADA-USDT-SWAP", 100, 1),
        ("kraken", "perp", "BTC", "PF_XBTUSD", 1, 1),
        ("kraken", "perp", "PEPE", "PF_PEPEUSD", 1, 1),
        ("kraken", "spot", "USDT", "USDT/USD", 1, 1),
    ],
)
def test_names_as_the_venues_write_them(venue, market, name, symbol, unit, price_unit):
    spec = spec_of(venue, market, BY_NAME[name])
    assert (spec.symbol, spec.unit, spec.price_unit) == (symbol, unit, price_unit)


def test_intervals_of_eight_four_and_one_hours():
    for venue, place in PLACES.items():
        hours = Counter(spec.interval_h for spec in specs_of(venue, "perp"))
        assert set(hours) == ({1} if venue == "kraken" else {8, 4, 1}), venue
        usual = funding_hours(place, BY_NAME["ADA"], usual=True)
        assert usual == (1 if venue == "kraken" else 8)


def test_the_currencies_are_traded_on_spot_only():
    assert all(spec_of(venue, "perp", BY_NAME["USDC"]) is None for venue in PLACES)
    assert spec_of("bybit", "spot", BY_NAME["USDT"]) is None
    assert spec_of("kraken", "spot", BY_NAME["USDC"]).quote == "USD"
