"""The instruments of all venues: found by words, paired by coin, cheap in thousands."""

from decimal import Decimal

import pytest

from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.events import Changed
from basisdesk.market.state import Market
from basisdesk.venues.instrument import Instrument, Instruments, Tier, Tiers


def rule(key, base, quote):
    venue, kind, symbol = key.split(":")
    one = Decimal(1)
    return Instrument(key, venue, kind, symbol, base, quote, one, one, one, one, one)


KEYS = [
    ("bybit:spot:ADAUSDT", "ADA", "USDT"),
    ("bybit:perp:ADAUSDT", "ADA", "USDT"),
    ("binance:spot:ADAUSDT", "ADA", "USDT"),
    ("binance:perp:ADAUSDT", "ADA", "USDT"),
    ("okx:perp:ADA-USDT-SWAP", "ADA", "USDT"),
    ("kraken:spot:ADA/USD", "ADA", "USD"),
    ("kraken:perp:PF_ADAUSD", "ADA", "USD"),
    ("kraken:perp:PF_XBTUSD", "BTC", "USD"),
    ("bybit:spot:BTCUSDT", "BTC", "USDT"),
    ("bybit:spot:PEPEUSDT", "PEPE", "USDT"),
    ("binance:perp:1000PEPEUSDT", "PEPE", "USDT"),
    ("bybit:spot:CADAUSDT", "CADA", "USDT"),
]


@pytest.fixture
def market():
    market = Market(Settings())
    for venue in ("bybit", "binance", "okx", "kraken"):
        rows = tuple(rule(*row) for row in KEYS if row[0].startswith(venue))
        assert market.apply(Instruments(venue, rows), 0) & Changed.FEEDS
    return market


def found(market, text, limit=50):
    return [each.key for each in market.search(text, limit)]


def test_the_coin_itself_comes_before_what_only_holds_its_letters(market):
    keys = found(market, "ada")
    assert len(keys) == 8
    assert keys[-1] == "bybit:spot:CADAUSDT"


def test_every_word_has_to_fit_coin_venue_kind_or_currency(market):
    assert found(market, "ada kraken") == ["kraken:spot:ADA/USD", "kraken:perp:PF_ADAUSD"]
    assert found(market, "OKX ada perp") == ["okx:perp:ADA-USDT-SWAP"]
    assert found(market, "ada usd spot kraken") == ["kraken:spot:ADA/USD"]
    assert found(market, "ada moon") == []


def test_venues_own_symbols_and_older_names_are_found(market):
    assert found(market, "1000pepe") == ["binance:perp:1000PEPEUSDT"]
    assert found(market, "xbt") == ["kraken:perp:PF_XBTUSD"]
    assert "kraken:perp:PF_XBTUSD" in found(market, "btc")


def test_nothing_typed_lists_all_up_to_the_limit(market):
    assert len(found(market, "")) == len(KEYS)
    assert len(found(market, "", 3)) == 3


def test_partners_are_every_leg_that_makes_a_pair_with_this_one(market):
    partners = [each.key for each in market.partners("kraken:spot:ADA/USD")]
    assert partners[0] == "kraken:perp:PF_ADAUSD"
    assert all(":perp:" in key for key in partners)
    assert len(partners) == 4
    of_perp = [each.key for each in market.partners("okx:perp:ADA-USDT-SWAP")]
    assert len(of_perp) == 6
    assert "okx:perp:ADA-USDT-SWAP" not in of_perp


def test_partners_look_through_multipliers_and_renamed_coins(market):
    assert [each.key for each in market.partners("bybit:spot:PEPEUSDT")] == [
        "binance:perp:1000PEPEUSDT"
    ]
    assert [each.key for each in market.partners("bybit:spot:BTCUSDT")] == ["kraken:perp:PF_XBTUSD"]
    assert market.partners("nonsense") == []


def test_what_is_described_later_is_found_at_once(market):
    assert found(market, "dot") == []
    market.apply(Instruments("okx", (rule("okx:spot:DOT-USDT", "DOT", "USDT"),)), 1)
    assert found(market, "dot") == ["okx:spot:DOT-USDT"]


def test_a_catalogue_page_without_tiers_keeps_those_that_are_known(market):
    key = "bybit:perp:ADAUSDT"
    tiers = (Tier(Decimal(100), Decimal("0.01"), Decimal("0.02"), Decimal(50)),)
    market.apply(Tiers(key, tiers, "base"), 0)
    market.apply(Instruments("bybit", (rule(key, "ADA", "USDT"),)), 1)
    assert (market.instruments[key].tiers, market.instruments[key].tiers_in) == (tiers, "base")


def test_thousands_of_instruments_cost_little():
    market = Market(Settings())
    rows = tuple(rule(f"bybit:perp:C{number}USDT", f"C{number}", "USDT") for number in range(5_000))
    start_s = mono_s()
    market.apply(Instruments("bybit", rows), 0)
    assert len(market.search("c49")) == 50
    assert mono_s() - start_s < 1.0  # 0.05 s here
    assert market.legs == {}  # a name in a catalogue is no leg
