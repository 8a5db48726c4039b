"""REST answers of Bybit: rules, tiers, candles, funding, time."""

import gzip
import json
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import refusal

from basisdesk.events import Candles, FundingHistory, VenueTime
from basisdesk.venues.bybit import Bybit
from basisdesk.venues.bybit_rest import multiplier_of
from basisdesk.venues.instrument import split_coin

MINUTE = 60_000
RULES = "/v5/market/instruments-info"


def frame(path, result, code=0, time_ms=1_786_310_817_197):
    body = {"retCode": code, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": time_ms}
    return json.dumps({"path": path, "data": json.dumps(body)}).encode()


def decode(path, result, **more):
    return Bybit().codec("bybit.rest").decode(frame(path, result, **more))


def reason_of(payload):
    return refusal.reason_of(Bybit().codec("bybit.rest"), payload)


def linear_row(symbol="1000PEPEUSDT", base="1000PEPE", **more):
    return {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": "USDT",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "50.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.0000010", "maxPrice": "19.9", "tickSize": "0.0000010"},
        "lotSizeFilter": {
            "maxOrderQty": "110000000",
            "minOrderQty": "100",
            "qtyStep": "100",
            "maxMktOrderQty": "42000000",
            "minNotionalValue": "5",
        },
        "fundingInterval": 240,
        **more,
    }


SPOT_ROW = {
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "status": "Trading",
    "lotSizeFilter": {
        "basePrecision": "0.000001",
        "minOrderQty": "0.000001",
        "minOrderAmt": "5",
        "maxOrderQty": "230",
        "maxMarketOrderQty": "120",
    },
    "priceFilter": {"tickSize": "0.1"},
}


def test_spot_rules():
    (event,) = decode(RULES + "?category=spot", {"category": "spot", "list": [SPOT_ROW]})
    (row,) = event.rows
    assert (row.key, row.market, row.base, row.quote) == (
        "bybit:spot:BTCUSDT",
        "spot",
        "BTC",
        "USDT",
    )
    assert (row.tick, row.lot, row.min_qty) == (Decimal("0.1"), Decimal("1e-6"), Decimal("1e-6"))
    assert (row.min_notional, row.max_qty, row.multiplier) == (5, 120, 1)
    assert "2026-08-09" in row.source


def test_linear_rules_in_single_coins_and_hours():
    result = {"category": "linear", "list": [linear_row()], "nextPageCursor": ""}
    (row,) = decode(RULES, result)[0].rows
    assert (row.key, row.base, row.multiplier) == ("bybit:perp:1000PEPEUSDT", "PEPE", 1000)
    assert (row.tick, row.lot, row.min_qty) == (Decimal("1e-9"), 100_000, 100_000)
    assert (row.max_qty, row.leverage_max) == (42_000_000_000, 50)
    assert row.funding_interval_h == 4  # 240 minutes


def test_rows_that_cannot_be_used_do_not_hide_the_others():
    rows = [
        linear_row("AUSDT", "A", status="PreLaunch"),
        linear_row("B-26DEC25", "B", contractType="LinearFutures"),
        linear_row("CUSDT", "C", priceFilter={"tickSize": "nan"}),
        linear_row("DUSDT", "D"),
        {"symbol": "E"},
    ]
    (event,) = decode(RULES, {"category": "linear", "list": rows})
    assert [row.symbol for row in event.rows] == ["DUSDT"]
    assert reason_of(frame(RULES, {"category": "linear", "list": rows[2:3]})) == "number"


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("BTCUSDT", 1),
        ("1000PEPEUSDT", 1000),
        ("1000PEPEPERP", 1000),
        ("10000SATSUSDT", 10_000),
        ("1000000CHEEMSUSDT", 1_000_000),
        ("SHIB1000USDT", 1000),
        ("1INCHUSDT", 1),
        ("C98USDT", 1),
        ("0GUSDT", 1),
        ("BANANAS31USDT", 1),
        ("LUNA2USDT", 1),
        ("4USDT", 1),
        ("USDTUSDC", 1),
    ],
)
def test_multiplier_of_a_symbol(symbol, expected):
    assert multiplier_of(symbol) == expected


def answers(folder):
    with gzip.open(folder / "control_and_rest.jsonl.gz", "rt") as lines:
        return [record for record in map(json.loads, lines) if record["t"] == "http"]


def test_multiplier_of_every_captured_symbol_agrees_with_its_base_coin(bybit_capture):
    for record in answers(bybit_capture):
        for row in json.loads(record["data"])["result"]["list"]:
            if row.get("contractType", "LinearPerpetual") == "LinearPerpetual":
                assert multiplier_of(row["symbol"]) == split_coin(row["baseCoin"])[0]


def test_captured_rules_are_read(bybit_capture):
    events = []
    for record in answers(bybit_capture):
        payload = msgspec.json.encode({"path": record["url"], "data": record["data"]})
        events += Bybit().codec("bybit.rest").decode(payload)
    rows = {row.key: row for event in events for row in event.rows}
    assert len(events[0].rows) == 760  # all perpetuals: 800 rows less 40 dated futures
    assert len(events[1].rows) == 557
    perp = rows["bybit:perp:BTCUSDT"]
    assert (perp.tick, perp.lot, perp.funding_interval_h) == (Decimal("0.1"), Decimal("0.001"), 8)


def tier(limit, mmr, imr, leverage, deduction="", symbol="BTCUSDT"):
    return {
        "id": 1,
        "symbol": symbol,
        "riskLimitValue": limit,
        "maintenanceMargin": mmr,
        "initialMargin": imr,
        "maxLeverage": leverage,
        "mmDeduction": deduction,
        "isLowestRisk": 1,
    }


TIERS = [
    tier("2600000", "0.0056", "0.0111", "90.00", "1200"),
    tier("2000000", "0.005", "0.01", "100.00"),
]


def test_tiers_are_fractions_sorted_by_limit():
    (event,) = decode("/v5/market/risk-limit", {"category": "linear", "list": TIERS})
    assert event.instrument == "bybit:perp:BTCUSDT"
    first, second = event.tiers
    assert (first.limit, first.maintenance, first.deduction) == (2_000_000, Decimal("0.005"), 0)
    assert (second.deduction, second.leverage_max) == (1200, 90)


def test_tiers_in_percent_are_brought_to_fractions():
    rows = [tier("150", "0.5", "1", "100.00"), tier("300", "1", "2", "50.00")]
    (event,) = decode("/v5/market/risk-limit", {"category": "linear", "list": rows})
    assert [t.maintenance for t in event.tiers] == [Decimal("0.005"), Decimal("0.01")]
    assert [t.initial for t in event.tiers] == [Decimal("0.01"), Decimal("0.02")]


@pytest.mark.parametrize(
    "row",
    [
        tier("2000000", "0.02", "0.01", "100"),
        tier("-1", "0.005", "0.01", "100"),
        tier("1e5", "0.005", "0.01", "100"),
        tier("2000000", "0.005", "nan", "100"),
        tier("2000000", "0.005", "0.01", "100", symbol="<b>"),
    ],
)
def test_tiers_that_make_no_sense_are_refused(row):
    payload = frame("/v5/market/risk-limit", {"category": "linear", "list": [row]})
    assert reason_of(payload) == "number"


def kline(minute, close):
    return [str(minute * MINUTE), "1", "2", "0.5", close, "10", "20"]


def test_candles_are_turned_oldest_first_and_the_open_one_is_left_out():
    result = {
        "category": "spot",
        "symbol": "ADAUSDT",
        "list": [kline(102, "0.9"), kline(101, "0.8"), kline(100, "0.7")],
    }
    path = "/v5/market/kline?category=spot&symbol=ADAUSDT&interval=1"
    (event,) = decode(path, result, time_ms=102 * MINUTE + 5)
    assert event == Candles("bybit:spot:ADAUSDT", [(100 * MINUTE, 0.7), (101 * MINUTE, 0.8)])
    assert decode(path, {**result, "list": []})[0].rows == []
    assert reason_of(frame(path.replace("interval=1", "interval=D"), result)) == "number"
    bad = {**result, "list": [kline(100, "0.7"), kline(101, "nan")]}
    assert reason_of(frame(path, bad)) == "type"


def test_funding_history_is_turned_oldest_first_and_kept_as_text():
    rows = [
        {"symbol": "ETHUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": "1672041600000"},
        {"symbol": "ETHUSDT", "fundingRate": "-0.00025", "fundingRateTimestamp": "1672012800000"},
    ]
    result = {"category": "linear", "list": rows}
    (event,) = decode("/v5/market/funding/history", result)
    assert event == FundingHistory(
        "bybit:perp:ETHUSDT", [(1672012800000, "-0.00025"), (1672041600000, "0.0001")]
    )
    rows[0]["fundingRate"] = "nan"
    assert reason_of(frame("/v5/market/funding/history", result)) == "number"


def test_server_time():
    result = {"timeSecond": "1688639403", "timeNano": "1688639403423213947"}
    assert decode("/v5/market/time", result) == (VenueTime("bybit", 1688639403423),)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (frame("/v5/market/time", {}, code=10006), "rest"),
        (frame("/v5/market/time", {}), "type"),
        (frame("/v5/market/else", {}), "topic"),
        (frame("http://[", {}), "json"),
        (b"{}", "type"),
        (b"\xff", "json"),
        (b'{"path":"/v5/market/time","data":"<html>"}', "json"),
        (b'{"path":"/v5/market/time","data":"{}"}', "type"),
        (
            frame("/v5/market/kline?interval=1", {"category": "x", "symbol": "A", "list": []}),
            "number",
        ),
    ],
)
def test_answers_that_cannot_be_read(payload, reason):
    assert reason_of(payload) == reason


def test_backfill_asks_for_24_hours_in_two_pages():
    now_ms = 1_790_000_123_456
    paths = Bybit().backfill("bybit:perp:ADAUSDT", now_ms)
    assert [urlsplit(path).path.rpartition("/")[2] for path in paths] == [
        "instruments-info",
        "risk-limit",
        "kline",
        "kline",
        "history",
    ]
    pages = [parse_qs(urlsplit(path).query) for path in paths if "kline" in path]
    minutes = set()
    for page in pages:
        start, end = int(page["start"][0]), int(page["end"][0])
        asked = range(start, end + 1, MINUTE)
        assert len(asked) <= int(page["limit"][0]) <= 1000
        minutes |= set(asked)
    assert len(minutes) == 1440
    assert max(minutes) + MINUTE == now_ms - now_ms % MINUTE
    assert parse_qs(urlsplit(paths[-1]).query)["limit"] == ["200"]
    spot = Bybit().backfill("bybit:spot:ADAUSDT", now_ms)
    assert len(spot) == 3
    assert all("category=spot" in path for path in spot)
