"""Two currencies in one pair: the rate is a leg of its own, and its absence is no 1."""

import math
from decimal import Decimal

import pytest
from market_events import ns

from basisdesk.config import Settings
from basisdesk.events import Candles, Quote
from basisdesk.market.cross import IDENTITY, cross_leg
from basisdesk.market.state import Market
from basisdesk.venues.instrument import FundingRule, Instrument, Instruments

USDT_USD, USDC = "kraken:spot:USDT/USD", "bybit:spot:USDCUSDT"
KRAKEN, BINANCE = "kraken:spot:ADA/USD", "binance:perp:ADAUSDT"
OKX_PERP, BYBIT_PERP = "okx:perp:ADA-USDT-SWAP", "bybit:perp:ADAUSDT"
KRAKEN_PERP = "kraken:perp:PF_ADAUSD"


@pytest.fixture
def market():
    return Market(Settings())


def say(market, key, bid, ask, ms=0):
    stream = f"{key.partition(':')[0]}.x/top:{key}"
    market.apply(Quote(key, stream, bid, 9e5, ask, 9e5, 0, ms), ns(ms))


def rule(key, base="ADA", quote="USDT", **more):
    venue, kind, symbol = key.split(":")
    one = Decimal(1)
    tick = Decimal("0.0001")
    return Instrument(key, venue, kind, symbol, base, quote, tick, one, one, one, one, **more)


# --- the rate ------------------------------------------------------------------------------------


def test_the_accounts_own_currency_is_worth_itself(market):
    assert market.fx("USDT", 0) == IDENTITY
    assert cross_leg("USDT") == ""


def test_dollars_are_the_inverse_of_a_tether_leg(market):
    assert cross_leg("USD") == USDT_USD
    say(market, USDT_USD, 0.9995, 0.9997)
    fx = market.fx("USD", ns(400))
    assert fx.bid == pytest.approx(1 / 0.9997)  # selling a dollar buys tether at the ask
    assert fx.ask == pytest.approx(1 / 0.9995)
    assert fx.mid == pytest.approx(1 / 0.9996)
    assert fx.bid < fx.mid < fx.ask
    assert (fx.key, fx.stale, fx.age_ms) == (USDT_USD, "", pytest.approx(400))
    assert fx.note == "USDT/USD 0.99960, Kraken, 0.4 s old"


def test_usdc_is_read_directly(market):
    assert cross_leg("USDC") == USDC
    say(market, USDC, 1.0001, 1.0003)
    fx = market.fx("USDC", ns(0))
    assert (fx.bid, fx.ask, fx.mid) == pytest.approx((1.0001, 1.0003, 1.0002))


def test_a_missing_rate_says_what_is_awaited_and_is_never_one(market):
    fx = market.fx("USD", ns(0))
    assert fx.stale == "No USDT/USD rate yet. Waiting for Kraken."
    assert fx.key == USDT_USD
    assert math.isnan(fx.mid)
    assert math.isnan(fx.bid)
    assert math.isnan(fx.ask)


def test_an_old_rate_is_refused_ten_times_later_than_a_quote(market):
    say(market, USDT_USD, 0.9995, 0.9997)
    assert market.fx("USD", ns(19_900)).stale == ""
    fx = market.fx("USD", ns(24_050))
    assert fx.stale == "USDT/USD rate is 24.1 s old (limit 20 s). Waiting for Kraken."
    assert fx.mid == pytest.approx(1 / 0.9996)  # still good for valuing what is held


def test_a_currency_nobody_quotes_is_said_so(market):
    fx = market.fx("EUR", ns(0))
    assert "No rate of EUR in USDT is known" in fx.stale
    assert math.isnan(fx.mid)
    assert cross_leg("EUR") == ""


def test_a_rate_in_doubt_is_no_rate(market):
    say(market, USDT_USD, 0.9995, 0.9997)
    say(market, USDT_USD, 0.1, 0.1001, ms=10)
    fx = market.fx("USD", ns(10))
    assert fx.stale == (
        "USDT/USD rate jumped from 0.9996 to 0.10005. Waiting for Kraken to confirm it."
    )
    assert fx.mid == pytest.approx(1 / 0.9996)  # what is held keeps its worth
    say(market, USDT_USD, 0.5, 1.9, ms=20)
    assert market.fx("USD", ns(20)).stale == "USDT/USD rate is in doubt. Waiting for Kraken."


def test_one_message_of_a_rate_moves_it_by_two_percent_at_most(market):
    say(market, USDT_USD, 0.9995, 0.9997)
    for ms, price in ((100, 0.60), (200, 0.31), (300, 0.977), (400, 1.021), (500, 1.6)):
        say(market, USDT_USD, price, price + 0.0002, ms)
        fx = market.fx("USD", ns(ms))
        assert "Waiting for Kraken to confirm it." in fx.stale
        assert fx.mid == pytest.approx(1 / 0.9996)
    say(market, USDT_USD, 0.985, 0.9852, 600)
    assert market.fx("USD", ns(600)).mid == pytest.approx(1 / 0.9851)


def test_many_small_steps_of_a_rate_reach_no_farther_than_one(market):
    price, said = 1.0, 0
    for ms in range(0, 25_000, 100):
        say(market, USDT_USD, price, price + 0.0001, ms)
        fx = market.fx("USD", ns(ms))
        assert 1 / 1.0201 < fx.mid < 1 / 0.98
        said += not fx.stale
        price *= 0.995
    assert 3 < said < 6


def test_a_peg_that_is_truly_lost_is_believed_half_a_minute_later(market):
    say(market, USDC, 1.0001, 1.0002)
    for second in range(1, 40):
        say(market, USDC, 0.90, 0.9002, 1_000 * second)
        fx = market.fx("USDC", ns(1_000 * second))
        assert bool(fx.stale) == (second < 31)
        assert fx.mid == pytest.approx(0.9001 if second >= 31 else 1.00015)
    say(market, USDC, 0.91, 0.9102, 41_000)
    assert market.fx("USDC", ns(41_000)).stale == ""


def test_the_first_quote_of_a_rate_is_measured_by_par(market):
    say(market, USDT_USD, 0.60, 0.6001)
    fx = market.fx("USD", ns(0))
    assert fx.stale == "USDT/USD rate jumped to 0.60005. Waiting for Kraken to confirm it."
    assert math.isnan(fx.mid)
    say(market, USDT_USD, 0.9995, 0.9997, 100)
    assert market.fx("USD", ns(100)).stale == ""


def test_a_leg_that_is_no_rate_keeps_the_wide_guard(market):
    say(market, BINANCE, 1.0, 1.001)
    say(market, BINANCE, 0.6, 0.6001, 100)
    assert market.leg(BINANCE).mid == pytest.approx(0.60005)


# --- the pair ------------------------------------------------------------------------------------


def crossed(market, rate=(0.9995, 0.9997), ms=0):
    say(market, KRAKEN, 0.7999, 0.8001, ms)
    say(market, BINANCE, 0.8010, 0.8012, ms)
    if rate:
        say(market, USDT_USD, *rate, ms)
    pair = market.pair(KRAKEN, BINANCE)
    market.beat(ns(ms))
    return pair


def test_all_three_lines_are_converted_at_the_middle(market):
    pair = crossed(market)
    k = 0.9996  # dollars per tether
    now = pair.now
    assert pair.fx_ratio == pytest.approx(k)
    assert now.mid_bp == pytest.approx(1e4 * (0.8011 * k - 0.8000) / 0.8000)
    assert now.open_bp == pytest.approx(1e4 * (0.8010 * k - 0.8001) / 0.8001)
    assert now.close_bp == pytest.approx(1e4 * (0.8012 * k - 0.7999) / 0.7999)
    assert now.mid_bp == pytest.approx(9.75, abs=0.1)  # and 13.75 where a tether were a dollar
    assert now.fx_note == "USDT/USD 0.99960, Kraken, 0.0 s old"
    assert now.stale == ""
    assert pair.series.last("spot") == pytest.approx(0.8)
    assert pair.series.last("perp") == pytest.approx(0.8011)  # each in its own currency


def test_both_lines_of_a_reverse_pair_are_the_same_two(market):
    pair = crossed(market)
    assert pair.exec_bp(+1, 0.0) == (pair.now.open_bp, pair.now.close_bp)
    assert pair.exec_bp(-1, 0.0) == (pair.now.close_bp, pair.now.open_bp)


def test_without_a_rate_there_is_no_basis_and_no_trade(market):
    pair = crossed(market, rate=None)
    assert math.isnan(pair.now.mid_bp)
    assert math.isnan(pair.now.open_bp)
    assert pair.now.stale == "No USDT/USD rate yet. Waiting for Kraken."
    assert len(pair.series) == 0


def test_a_rate_that_grows_old_stops_the_pair(market):
    pair = crossed(market)
    for ms in range(500, 30_000, 500):
        say(market, KRAKEN, 0.7999, 0.8001, ms)
        say(market, BINANCE, 0.8010, 0.8012, ms)
        market.beat(ns(ms))
        assert ("USDT/USD rate is" in pair.now.stale) == (ms > 20_000)
    assert math.isnan(pair.now.mid_bp)


def test_one_currency_needs_no_rate_even_where_it_is_not_the_accounts(market):
    say(market, KRAKEN, 0.7999, 0.8001)
    say(market, KRAKEN_PERP, 0.8010, 0.8012)
    pair = market.pair(KRAKEN, KRAKEN_PERP)
    market.beat(ns(0))
    assert (pair.fx_ratio, pair.now.fx_note, pair.now.stale) == (1.0, "", "")
    assert pair.now.mid_bp == pytest.approx(13.75)


def test_dollars_against_usdc_meet_in_the_accounts_currency(market):
    perp = "okx:perp:ADA-USDC-SWAP"
    say(market, KRAKEN, 0.7999, 0.8001)
    say(market, perp, 0.8010, 0.8012)
    say(market, USDT_USD, 0.9995, 0.9997)
    pair = market.pair(KRAKEN, perp)
    market.beat(ns(0))
    assert pair.now.stale == "No USDC/USDT rate yet. Waiting for Bybit."
    say(market, USDC, 1.0001, 1.0003, 100)
    market.beat(ns(100))
    assert pair.fx_ratio == pytest.approx(1.0002 * 0.9996)
    assert pair.now.fx_note.count("old") == 2


def test_candles_of_two_currencies_wait_for_the_rate_and_say_how_they_were_converted(market):
    start = (ns(0) // 1_000_000) // 60_000 * 60_000 - 100 * 60_000
    for key, price in ((KRAKEN, 0.8), (BINANCE, 0.8004)):
        market.apply(Candles(key, [(start + i * 60_000, price) for i in range(90)]), ns(0))
    market.beat(ns(-500))
    pair = market.pair(KRAKEN, BINANCE)
    market.beat(ns(0))
    assert len(pair.series) == 0
    say(market, USDT_USD, 0.9995, 0.9997, 200)
    market.beat(ns(200))
    assert len(pair.series) == 90
    assert pair.series.last("mid_bp") == pytest.approx(1e4 * (0.8004 * 0.9996 - 0.8) / 0.8)
    assert pair.seed_note == (
        "Backfill converted at one rate: USDT/USD 0.99960, Kraken, 0.0 s old."
    )


# --- do the legs count the same thing? -----------------------------------------------------------


def test_trap_37_a_pair_whose_prices_differ_by_a_multiplier_is_no_pair(market):
    say(market, "bybit:spot:PEPEUSDT", 0.0000120, 0.0000121)
    say(market, "binance:perp:1000PEPEUSDT", 0.0120, 0.0121)  # a codec that forgot its multiplier
    pair = market.pair("bybit:spot:PEPEUSDT", "binance:perp:1000PEPEUSDT")
    market.beat(ns(0))
    assert pair.ratio_fault() == (
        "Perp price 0.01205 is 1,000 times the spot price 0.00001205: "
        "the legs do not count the same unit. This pair cannot be traded."
    )
    assert pair.now.stale == pair.ratio_fault()
    assert len(pair.series) == 0  # and it wrecks no chart
    assert math.isnan(pair.stats.mean)


@pytest.mark.parametrize(
    ("perp", "good"), [(0.79, False), (0.81, True), (1.24, True), (1.26, False)]
)
def test_trap_37_the_bounds_are_08_and_125(market, perp, good):
    say(market, "bybit:spot:ADAUSDT", 1.0, 1.0)
    say(market, BYBIT_PERP, perp, perp)
    pair = market.pair("bybit:spot:ADAUSDT", BYBIT_PERP)
    market.beat(ns(0))
    assert (pair.ratio_fault() == "") == good
    assert (pair.now.stale == "") == good


# --- fair value by the venue's own rule ----------------------------------------------------------


def described(market, key, scale, **more):
    row = rule(key, funding=FundingRule(scale=scale, **more))
    market.apply(Instruments(row.venue, (row,)), ns(0))
    market.leg(key).funding.interval_h = 4.0


def test_an_eight_hour_rate_that_is_divided_rests_where_eight_hours_rest(market):
    """Binance, OKX: F = (P + clamp(I - P)) / (8 / N): N falls out."""
    described(market, BINANCE, "8h")
    pair = market.pair("bybit:spot:ADAUSDT", BINANCE)
    assert pair.fair_bp() == pytest.approx(-4.54, abs=0.005)
    market.leg(BINANCE).funding.interval_h = 1.0
    assert pair.fair_bp() == pytest.approx(-4.54, abs=0.005)


def test_an_interval_rate_rests_by_its_interval(market):
    described(market, BYBIT_PERP, "interval")
    pair = market.pair("bybit:spot:ADAUSDT", BYBIT_PERP)
    assert pair.fair_bp() == pytest.approx(1e4 * 0.05 * 4 / 8_760 - 5.0)


def test_kraken_has_no_clamp_and_rests_at_the_money_of_a_day(market):
    """F = P / 24 an hour, no interest, no clamp: P = r / 365."""
    described(market, KRAKEN_PERP, "24h")
    pair = market.pair(KRAKEN, KRAKEN_PERP)
    assert pair.fair_bp() == pytest.approx(1e4 * 0.05 / 365)


def test_a_coin_without_interest_term_rests_above(market):
    described(market, BINANCE, "8h", interest_8h_bp=0.0)  # BNB (venues.md 4.6)
    assert market.pair("bybit:spot:ADAUSDT", BINANCE).fair_bp() == pytest.approx(5.46, abs=0.005)


def test_between_two_perpetuals_fair_is_the_difference_of_two_rules(market):
    described(market, KRAKEN_PERP, "24h")
    described(market, BINANCE, "8h")
    pair = market.pair(KRAKEN_PERP, BINANCE)
    kraken, binance = 1e4 * 0.05 / 365, 1e4 * 0.05 * 8 / 8_760 - 5.0
    assert pair.fair_bp() == pytest.approx(binance - kraken)
