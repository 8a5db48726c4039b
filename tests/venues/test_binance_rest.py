"""HTTP answers of Binance: rules, tiers, candles, books, funding, open interest, time."""

import json
from decimal import Decimal
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
import refusal
from binance_recorded import rest, row

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, Candles, FundingHistory, Ticker, VenueTime
from basisdesk.venues.binance import Binance
from basisdesk.venues.binance_rest import settled_ms
from basisdesk.venues.binance_tiers import ASSUMED, TIERS_OF, tiers_of
from basisdesk.venues.instrument import QUOTES
from basisdesk.venues.reading import unit_of

MINUTE = 60_000
NOW = 1_790_121_612_345


def decode(name):
    return Binance().codec("binance.rest").decode(row(name)[1])


def body(name):
    """(path, body) of a payload file, to be changed."""
    frame = json.loads(row(name)[1])
    return frame["path"], json.loads(frame["data"])


def reason_of(path, data):
    return refusal.reason_of(Binance().codec("binance.rest"), rest(path, data))


def rules(name, change):
    path, data = body(name)
    change(data["symbols"])
    return Binance().codec("binance.rest").decode(rest(path, data))[0].rows


# --- rules ---------------------------------------------------------------------------------------


def test_spot_rules():
    (event,) = decode("rest_spot_rules")
    (told,) = event.rows
    assert (event.venue, told.key, told.market) == ("binance", "binance:spot:ADAUSDT", "spot")
    assert (told.base, told.quote, told.multiplier) == ("ADA", "USDT", 1)
    assert (told.tick, told.lot, told.min_qty) == (
        Decimal("0.0001"),
        Decimal("0.1"),
        Decimal("0.1"),
    )
    assert told.max_qty == Decimal("420000.55")  # of market orders, which the desk sends
    assert told.min_notional == 5
    assert told.tiers == ()
    assert told.source == "Binance api/v3/exchangeInfo of 2026-09-23"


def test_perpetual_rules_come_from_filters_never_from_precision():
    (event,) = decode("rest_usdm_rules")
    assert [told.symbol for told in event.rows] == ["ADAUSDT", "1000PEPEUSDT", "1MBABYDOGEUSDT"]
    ada, pepe, doge = event.rows
    assert ada.tick == Decimal("0.0001")  # pricePrecision says 5 digits
    assert (pepe.base, pepe.multiplier) == ("PEPE", 1000)
    assert pepe.tick == Decimal("0.0000001") / 1000
    assert (pepe.lot, pepe.min_qty, pepe.max_qty) == (1000, 1000, 60_000_000_000)
    assert (doge.base, doge.multiplier) == ("BABYDOGE", 1_000_000)
    assert pepe.min_notional == 5  # of the money, so no multiple
    assert ada.funding_interval_h == 0  # not said here; fundingInfo says it


def test_a_perpetual_carries_the_dated_tiers_and_says_how_old_they_are():
    ada, pepe, doge = decode("rest_usdm_rules")[0].rows
    assert ada.tiers == tiers_of("ADAUSDT")[0]
    assert ada.source == f"Binance fapi/v1/exchangeInfo of 2026-09-23; {TIERS_OF}"
    assert (ada.leverage_max, pepe.leverage_max) == (75, 75)
    assert doge.source.endswith(ASSUMED)
    assert (doge.leverage_max, doge.tiers[0].maintenance) == (10, Decimal("0.05"))
    assert ada.tiers_in == "quote"


def test_the_funding_rule_divides_by_8_over_n_and_bnb_has_no_interest():
    def to_bnb(symbols):
        symbols[0] |= {"symbol": "BNBUSDT", "baseAsset": "BNB"}

    bnb, pepe, _ = rules("rest_usdm_rules", to_bnb)
    assert (bnb.funding.interest_8h_bp, pepe.funding.interest_8h_bp) == (0.0, 1.0)
    assert {(told.funding.clamp_bp, told.funding.scale) for told in (bnb, pepe)} == {(5.0, "8h")}
    assert {(told.funding.pays, told.funding.on) for told in (bnb, pepe)} == {("snapshot", "mark")}


def test_market_orders_have_steps_of_their_own():
    def coarse(symbols):
        symbols[0]["filters"][2] |= {"stepSize": "10", "minQty": "20", "maxQty": "9e"}
        symbols[1]["filters"][2] |= {"stepSize": "10", "minQty": "20", "maxQty": "0"}

    pepe, _ = rules("rest_usdm_rules", coarse)  # the unreadable one is left out
    assert (pepe.lot, pepe.min_qty, pepe.max_qty) == (10_000, 20_000, 100_000_000_000)


def test_the_older_name_of_the_least_notional_is_read():
    def older(symbols):
        symbols[0]["filters"][4] = {"filterType": "MIN_NOTIONAL", "minNotional": "10.00000000"}

    (told,) = rules("rest_spot_rules", older)
    assert told.min_notional == 10


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "币安USDT", "baseAsset": "币安"},
        {"symbol": "ADAUSDT", "baseAsset": "<b>"},
        {"symbol": "ADAXXX"},
        {"symbol": "ADAJPY", "quoteAsset": "JPY"},  # a currency the desk does not know
        {"filters": []},
        {"filters": [{"filterType": "LOT_SIZE"}]},
        {"filters": None},
        {"status": None},
    ],
)
def test_an_odd_listing_hides_no_other(change):
    told = rules("rest_usdm_rules", lambda symbols: symbols[0].update(change))
    assert [each.symbol for each in told] == ["1000PEPEUSDT", "1MBABYDOGEUSDT"]


def test_a_market_that_does_not_trade_is_left_out():
    path, data = body("rest_spot_rules")
    for change in ({"status": "BREAK"}, {"isSpotTradingAllowed": False}):
        broken = {**data, "symbols": [{**data["symbols"][0], **change}]}
        assert reason_of(path, broken) == "number"
    assert Binance().codec("binance.rest").decode(rest(path, {**data, "symbols": []}))[0].rows == ()


def test_tiers_join_without_a_step_and_match_the_published_sums():
    for symbol, sums in {
        "BTCUSDT": (0, 50, 950),
        "SOLUSDT": (0, 30, 380),
        "ADAUSDT": (0, 50, 300),
        "OPUSDT": (0, 40, 290),
        "DOGEUSDT": (0, 20, 170),
        "1000PEPEUSDT": (0, 70, 1070),
    }.items():
        tiers, what = tiers_of(symbol)
        assert what == TIERS_OF
        assert tuple(tier.deduction for tier in tiers[:3]) == sums
        for low, high in pairwise(tiers):
            assert low.limit < high.limit
            below = low.limit * low.maintenance - low.deduction
            assert below == low.limit * high.maintenance - high.deduction
        for tier in tiers:
            assert tier.maintenance <= tier.initial <= 1
            assert tier.initial * tier.leverage_max >= 1


def test_the_worked_liquidations_of_the_venue_s_formula():
    """LP = (WB + cum - s*Q*E) / (Q*m - s*Q); 0.1 and 2 BTC at 60,000 and 10x, and official ones."""
    ladder, _ = tiers_of("BTCUSDT")

    def price(side, qty, entry, wallet):
        tier = next(tier for tier in ladder if qty * entry <= tier.limit)
        top = wallet + tier.deduction - side * qty * entry
        return round(top / (qty * tier.maintenance - side * qty), 2)

    entry = Decimal(60_000)
    assert price(1, Decimal("0.1"), entry, 600) == Decimal("54216.87")
    assert price(-1, Decimal("0.1"), entry, 600) == Decimal("65737.05")
    assert price(1, Decimal(2), entry, 12_000) == Decimal("54246.23")
    assert price(-1, Decimal(2), entry, 12_000) == Decimal("65696.52")


# --- the other pages -----------------------------------------------------------------------------


def test_candles_of_both_markets():
    assert decode("rest_spot_klines") == (
        Candles("binance:spot:ADAUSDT", [(1_790_121_600_000, 0.8211), (1_790_121_660_000, 0.8213)]),
    )
    (pepe,) = decode("rest_usdm_klines")
    assert pepe.instrument == "binance:perp:1000PEPEUSDT"
    assert pepe.rows == [(1_790_121_600_000, 0.825 / 1000), (1_790_121_660_000, 0.8255 / 1000)]


def test_a_candle_that_may_still_be_open_is_no_close():
    _, data = body("rest_spot_klines")
    start = data[0][0]
    for asked, closed in ((f"&endTime={start}", 1), ("", 1), (f"&endTime={start + 1}", 1)):
        path = f"/api/v3/klines?symbol=ADAUSDT&interval=1m{asked}"
        (told,) = Binance().codec("binance.rest").decode(rest(path, data))
        assert [stamp for stamp, _ in told.rows] == [start][:closed]
    assert reason_of("/api/v3/klines?symbol=ADAUSDT&interval=1h", data) == "number"
    assert reason_of("/api/v3/klines?interval=1m", data) == "symbol"


def test_depth_snapshots_belong_to_the_leg_s_own_stream():
    (spot,) = decode("rest_spot_depth")
    assert spot == BookUpdate(
        "binance:spot:ADAUSDT", "", True, [(0.8214, 1000.0)], [(0.8215, 431.0)], 160, 0
    )
    (pepe,) = decode("rest_usdm_depth")
    assert (pepe.instrument, pepe.seq) == ("binance:perp:1000PEPEUSDT", 9312345678990)
    assert pepe.bids == [(0.011234 / 1000, 5_000_000.0)]
    assert pepe.venue_ms == 1789478388085
    path, data = body("rest_spot_depth")
    assert reason_of(path, {**data, "asks": [["0.8214", "1"]]}) == "crossed"
    assert reason_of(path, {**data, "asks": [["0", "1"]]}) == "type"
    assert reason_of("/api/v3/depth?limit=5", data) == "symbol"


def test_premium_index_is_a_whole_ticker_and_the_list_leaves_dated_contracts_out():
    (told,) = decode("rest_premium_index")
    assert (told.instrument, told.stream) == ("binance:perp:ADAUSDT", "")
    assert (told.mark, told.index, told.rate) == (0.8214, 0.8216, 0.0001)
    assert (told.next_ms, told.interval_h, told.venue_ms) == (1790150400000, 0.0, NOW)
    path, data = body("rest_premium_index")
    dated = {**data, "symbol": "BTCUSDT_261225", "lastFundingRate": ""}
    many = [dated, data, {**data, "symbol": "1000PEPEUSDT"}]
    found = Binance().codec("binance.rest").decode(rest(path.partition("?")[0], many))
    assert [each.instrument for each in found] == [
        "binance:perp:ADAUSDT",
        "binance:perp:1000PEPEUSDT",
    ]
    assert found[1].mark == 0.8214 / 1000


def test_settled_funding_stands_at_its_hour_oldest_first():
    assert decode("rest_funding_rate") == (
        FundingHistory(
            "binance:perp:ADAUSDT",
            [(1_790_092_800_000, "0.00010000"), (1_790_121_600_000, "-0.00003210")],
        ),
    )
    path, data = body("rest_funding_rate")
    assert reason_of(path, [{**data[0], "fundingRate": "1.5"}]) == "number"
    assert reason_of(path, [{**data[0], "symbol": "<b>"}]) == "symbol"


@pytest.mark.parametrize(("late", "kept"), [(0, 0), (7, 0), (60_000, 0), (1_800_000, 1_800_000)])
def test_a_settlement_s_stamp_lags_behind_its_hour(late, kept):
    assert settled_ms(1_790_092_800_000 + late) == 1_790_092_800_000 + kept


def test_funding_intervals_leave_out_what_they_cannot_name():
    path, data = body("rest_funding_info")
    odd = [
        {**data[0], "symbol": "币安USDT"},
        {**data[0], "fundingIntervalHours": 0},
        {**data[0], "symbol": "ADAUSDT", "adjustedFundingRateCap": "7"},
    ]
    (told,) = Binance().codec("binance.rest").decode(rest(path, odd))
    assert told.rows == (("binance:perp:ADAUSDT", 4.0, 0.0),)


def test_open_interest_is_in_coins():
    (told,) = decode("rest_open_interest")
    assert isinstance(told, Ticker)
    assert told.open_interest == 123_456_000.0
    assert repr((told.mark, told.index, told.rate)) == "(nan, nan, nan)"
    assert (told.interval_h, told.next_ms) == (0.0, 0)


def test_the_server_s_clock_needs_no_leg():
    assert decode("rest_spot_time") == (VenueTime("binance", NOW),)
    assert decode("rest_usdm_time") == (VenueTime("binance", NOW + 1),)


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("/api/v3/time", {"code": -1003, "msg": "Too many requests"}, "rest"),
        ("/fapi/v1/klines?symbol=X1USDT&interval=1m", {"code": -1121, "msg": "no"}, "rest"),
        ("/fapi/v1/openInterest", {"code": -1121, "msg": "Invalid symbol."}, "rest"),
        ("/api/v3/time", "<html>403</html>", "json"),
        ("/api/v3/time", {}, "type"),
        ("/api/v3/time", {"serverTime": -1}, "type"),
        ("/api/v3/time", "", "json"),
        ("/api/v3/account", {}, "topic"),
        ("", {}, "topic"),
        ("http://[", {}, "json"),
        ("/fapi/v1/openInterest", {"symbol": "<b>", "openInterest": "1"}, "symbol"),
    ],
)
def test_refusals_and_nonsense_have_a_reason(path, data, reason):
    assert reason_of(path, data) == reason


def test_what_is_no_answer_at_all():
    codec = Binance().codec("binance.rest")
    for payload, reason in ((b"", "json"), (b"[]", "type"), (b'{"path":"/api/v3/time"}', "type")):
        with pytest.raises(BadFrame) as caught:
            codec.decode(payload)
        assert caught.value.reason == reason


# --- what is asked for ---------------------------------------------------------------------------


@pytest.mark.parametrize("market", ["spot", "perp"])
def test_the_last_day_of_candles_in_two_pages_without_a_hole(market):
    paths = Binance().backfill(f"binance:{market}:ADAUSDT", NOW)
    pages = [urlsplit(path) for path in paths if "klines" in path]
    asked = [parse_qs(page.query) for page in pages]
    assert {page.path for page in pages} == {
        "/api/v3/klines" if market == "spot" else "/fapi/v1/klines"
    }
    begins, ends = ([int(each[name][0]) for each in asked] for name in ("startTime", "endTime"))
    this_minute = NOW - NOW % MINUTE
    assert begins[0] == this_minute - 1440 * MINUTE
    assert begins[1] == ends[0] + MINUTE
    assert ends[1] == this_minute - MINUTE  # the running minute has no close
    for begin, end, each in zip(begins, ends, asked, strict=True):
        assert int(each["limit"][0]) == (end - begin) // MINUTE + 1 <= 1000
        assert each["interval"] == ["1m"]


def test_a_perpetual_also_asks_for_its_funding():
    assert [urlsplit(path).path for path in Binance().backfill("binance:perp:ADAUSDT", NOW)] == [
        "/fapi/v1/exchangeInfo",
        "/fapi/v1/premiumIndex",
        "/fapi/v1/klines",
        "/fapi/v1/klines",
        "/fapi/v1/fundingInfo",
        "/fapi/v1/fundingRate",
        "/fapi/v1/openInterest",
    ]
    assert Binance().refresh("binance:spot:ADAUSDT", NOW) == ()
    assert len(Binance().catalogue()) == 2
    assert Binance().time_path() == "/api/v3/time"


def test_units():
    assert [
        unit_of(each, QUOTES) for each in ("ADAUSDT", "1000PEPEUSDC", "1MBABYDOGEUSDT", "X")
    ] == [
        1,
        1000,
        1_000_000,
        1,
    ]
