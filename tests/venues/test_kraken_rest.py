"""REST answers of Kraken: rules, tiers, candles, past funding, time."""

import json
import math
from decimal import Decimal

import pytest
import refusal
from kraken_wire import payload

from basisdesk.events import Candles, FundingHistory, FundingInfo, Ticker, VenueTime
from basisdesk.venues import rest_host
from basisdesk.venues.instrument import FundingRule, Instruments, Tier, Tiers
from basisdesk.venues.kraken import REST, Kraken
from basisdesk.venues.kraken_rest import FUNDING_KEPT, NO_LIMIT, rest_pair, v2_symbol

MINUTE = 60_000
NOW = 1_790_179_812_345


def decode(name):
    return Kraken().codec(REST).decode(payload(name))


def answer(path, body):
    return json.dumps({"path": path, "data": json.dumps(body)}).encode()


def reason_of(message):
    return refusal.reason_of(Kraken().codec(REST), message)


# --- spot ----------------------------------------------------------------------------------------


def test_pairs_by_their_new_names():
    (event,) = decode("rest_asset_pairs")
    assert isinstance(event, Instruments)
    by_key = {row.key: row for row in event.rows}
    assert list(by_key) == [
        "kraken:spot:BTC/USDT",
        "kraken:spot:ADA/USD",
        "kraken:spot:DOGE/USD",
        "kraken:spot:USDT/USD",
    ]  # the pair in cancel_only mode is not for trading
    row = by_key["kraken:spot:BTC/USDT"]
    assert (row.base, row.quote, row.market) == ("BTC", "USDT", "spot")
    assert (row.tick, row.lot) == (Decimal("0.1"), Decimal("0.00000001"))
    assert (row.min_qty, row.min_notional) == (Decimal("0.00005"), Decimal("0.5"))
    assert (row.max_qty, row.leverage_max) == (NO_LIMIT, 1)
    assert row.price(86720.1) == Decimal("86720.1")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("XBT/USDT", "BTC/USDT"),
        ("XBTUSDT", "BTC/USDT"),
        ("XDGUSD", "DOGE/USD"),
        ("ETH/XBT", "ETH/BTC"),
        ("ETHXBT", "ETH/BTC"),
        ("DOTUSD", "DOT/USD"),
        ("USDTUSD", "USDT/USD"),
        ("USDCUSDT", "USDC/USDT"),
        ("ADAEUR", "ADA/EUR"),
    ],
)
def test_trap_29_old_and_new_names_of_a_pair(old, new):
    assert v2_symbol(old) == new
    assert v2_symbol(rest_pair(new)) == new


@pytest.mark.parametrize("name", ["", "USD", "/USD", "ADA/", "<b>/USD", "ADA/USD/X", "ADAXYZ"])
def test_what_is_no_pair(name):
    with pytest.raises(ValueError, match="is not a pair"):
        v2_symbol(name)


def test_candles_leave_the_running_minute_out():
    assert decode("rest_ohlc") == (
        Candles(
            "kraken:spot:BTC/USD",
            [(1762777020000, 106038.2), (1762777080000, 106039.9)],
        ),
    )


def test_the_clock_is_cut_to_seconds_so_we_take_their_middle():
    assert decode("rest_time") == (VenueTime("kraken", 1790179812500),)


def test_a_refusal_is_said_so():
    assert reason_of(payload("rest_refused")) == "rest"


# --- futures -------------------------------------------------------------------------------------


def test_contracts_are_linear_perpetuals_with_tiers_in_usd():
    rules, *tiers, info = decode("rest_instruments")
    bitcoin, pepe = rules.rows
    assert (bitcoin.key, bitcoin.base, bitcoin.quote) == ("kraken:perp:PF_XBTUSD", "BTC", "USD")
    assert (bitcoin.tick, bitcoin.lot, bitcoin.min_qty) == (1, Decimal("0.0001"), Decimal("0.0001"))
    assert (bitcoin.max_qty, bitcoin.multiplier) == (500, 1)
    assert (bitcoin.leverage_max, bitcoin.funding_interval_h) == (50, 1)
    assert bitcoin.funding == FundingRule(0.0, 0.0, "24h", "accrual", "index")
    assert bitcoin.source == "Kraken instruments of 2026-09-22"
    first = Tier(Decimal(1_000_000), Decimal("0.01"), Decimal("0.02"), Decimal(50))
    assert bitcoin.tiers[0] == first
    assert [tier.limit for tier in bitcoin.tiers] == [1_000_000, 5_000_000, NO_LIMIT]
    assert bitcoin.tiers[2].leverage_max == Decimal("3.33")
    assert tiers[0] == Tiers("kraken:perp:PF_XBTUSD", bitcoin.tiers, "quote")
    assert info == FundingInfo(
        "kraken", (("kraken:perp:PF_XBTUSD", 1.0, 0.0025), ("kraken:perp:PF_PEPEUSD", 1.0, 0.005))
    )
    # a negative precision: whole thousands of coins; the tick is 1e-10 on the wire
    assert (pepe.lot, pepe.tick) == (1000, Decimal("1e-10"))
    assert pepe.round_down(Decimal(12_345)) == 12_000


def test_a_contract_of_more_than_a_coin_is_left_out():
    body = json.loads(json.loads(payload("rest_instruments"))["data"])
    body["instruments"][1]["contractSize"] = 10
    rules, *_ = Kraken().codec(REST).decode(answer("/derivatives/api/v3/instruments", body))
    assert [row.symbol for row in rules.rows] == ["PF_PEPEUSD"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tickSize", 0),
        ("tickSize", "1e999"),
        ("marginLevels", []),
        ("marginLevels", [{"initialMargin": 0.02, "maintenanceMargin": 0.01}]),
        (
            "marginLevels",
            [{"numNonContractUnits": 0, "initialMargin": 0.01, "maintenanceMargin": 0.02}],
        ),
        ("contractValueTradePrecision", 99),
        ("maxPositionSize", -1),
    ],
)
def test_a_contract_that_cannot_be_does_not_hide_the_others(field, value):
    body = json.loads(json.loads(payload("rest_instruments"))["data"])
    body["instruments"][1][field] = value
    rules, *_ = Kraken().codec(REST).decode(answer("/derivatives/api/v3/instruments", body))
    assert [row.symbol for row in rules.rows] == ["PF_PEPEUSD"]
    del body["instruments"][2]
    assert reason_of(answer("/derivatives/api/v3/instruments", body)) == "number"


def test_tickers_give_mark_index_and_interest_but_no_rate():
    """fundingRate is absolute there (trap 30)."""
    (event,) = decode("rest_tickers")
    assert isinstance(event, Ticker)
    assert (event.instrument, event.stream) == ("kraken:perp:PF_ETHUSD", "")
    assert (event.mark, event.index, event.open_interest) == (3205.25, 3202.75, 1000.5)
    assert math.isnan(event.rate)
    assert event.venue_ms == 1790107812345


def test_trap_30_past_funding_is_the_relative_rate_in_plain_digits():
    assert decode("rest_funding") == (
        FundingHistory(
            "kraken:perp:PF_XBTUSD",
            [(1790100000000, "-0.00000625"), (1790103600000, "0.0000125")],
        ),
    )


def test_years_of_funding_are_cut_to_the_newest():
    rows = [
        {"timestamp": f"{2020 + at // 8760}-{1 + at // 720 % 12:02d}-{1 + at // 24 % 28:02d}"
                      f"T{at % 24:02d}:00:00Z", "fundingRate": 1.0, "relativeFundingRate": 1e-6}
        for at in range(20_000)
    ]  # fmt: skip
    body = {"result": "success", "rates": rows}
    path = "/derivatives/api/v4/historicalfundingrates?symbol=PF_ADAUSD"
    (event,) = Kraken().codec(REST).decode(answer(path, body))
    assert len(event.rows) == FUNDING_KEPT
    assert event.rows == sorted(event.rows)
    assert event.rows[-1][1] == "0.000001"


def test_chart_candles_end_with_the_minute_we_asked_for():
    assert decode("rest_candles") == (
        Candles("kraken:perp:PF_ADAUSD", [(1790179740000, 0.80019), (1790179800000, 0.79995)]),
    )


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/derivatives/api/v3/instruments", {"result": "error", "error": "apiLimit"}, "rest"),
        ("/api/charts/v1/trade/PF_ADAUSD/1m", {"errors": [{"message": "no"}]}, "rest"),
        ("/api/charts/v1/trade/PF_ADAUSD/1m", {"candles": [{"time": 1, "close": "-1"}]}, "type"),
        ("/api/charts/v1/trade/PF_ADAUSD/5m", {"candles": []}, "topic"),
        ("/api/charts/v1/trade/PF_ADAUSD/1m?to=x", {"candles": []}, "number"),
        ("/derivatives/api/v4/historicalfundingrates?symbol=PI_XBTUSD", {"rates": []}, "symbol"),
        (
            "/derivatives/api/v4/historicalfundingrates?symbol=PF_XBTUSD",
            {"rates": [{"timestamp": "2026-01-01T00:00:00Z", "relativeFundingRate": 2}]},
            "number",
        ),
        ("/0/public/Time", {"error": [], "result": {"unixtime": -5}}, "type"),
        ("/0/public/Time", {"error": []}, "type"),
        ("/0/public/OHLC?pair=ADAUSD&interval=5", {"error": [], "result": {}}, "number"),
        ("/0/public/OHLC?pair=ADAUSD", {"error": [], "result": {"last": 1}}, "number"),
        ("/0/public/OHLC?pair=<b>", {"error": [], "result": {"x": [], "last": 1}}, "number"),
        ("/0/public/AssetPairs", {"error": [], "result": {"X": {"altname": "X"}}}, "number"),
        ("/0/public/Depth", {"error": []}, "topic"),
        ("/v5/market/time", {}, "topic"),
    ],
)
def test_what_cannot_be_used(path, body, reason):
    assert reason_of(answer(path, body)) == reason


@pytest.mark.parametrize(
    "message", [b"", b"{}", b"[]", b'{"path":"/0/public/Time","data":"<html>"}']
)
def test_what_is_no_answer(message):
    assert reason_of(message) in {"json", "type"}


# --- what the desk asks --------------------------------------------------------------------------


def test_backfill_of_a_spot_pair():
    assert Kraken().backfill("kraken:spot:BTC/USD", NOW) == (
        "/0/public/AssetPairs?pair=XBTUSD",
        "/0/public/OHLC?pair=XBTUSD&interval=1",
    )
    assert Kraken().refresh("kraken:spot:BTC/USD", NOW) == ()


def test_backfill_of_a_perpetual_is_a_day_of_minutes_without_the_running_one():
    rules, first, second, funding = Kraken().backfill("kraken:perp:PF_ADAUSD", NOW)
    assert rules == "/derivatives/api/v3/instruments"
    begin = NOW // MINUTE * MINUTE - 1440 * MINUTE
    stamps = [int(part.partition("=")[2]) for path in (first, second) for part in
              path.partition("?")[2].split("&")]  # fmt: skip
    assert stamps == [
        begin // 1000,
        (begin + 719 * MINUTE) // 1000,
        (begin + 720 * MINUTE) // 1000,
        (begin + 1439 * MINUTE) // 1000,
    ]
    assert stamps[-1] * 1000 + MINUTE <= NOW
    assert (funding,) == Kraken().refresh("kraken:perp:PF_ADAUSD", NOW)


def test_every_path_has_a_host_and_a_reader():
    venue = Kraken()
    paths = {
        *venue.catalogue(),
        venue.time_path(),
        *venue.backfill("kraken:spot:ADA/USD", NOW),
        *venue.backfill("kraken:perp:PF_ADAUSD", NOW),
    }
    for path in paths:
        assert rest_host(venue, path).startswith("https://")
        assert reason_of(answer(path, {"error": ["x"], "result": "error"})) == "rest"
    assert venue.seed_path("kraken.spot", "book:ADA/USD") == ""
