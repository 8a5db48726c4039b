"""REST pages: the envelope, the venue's parameters and orders, refusals in its form."""

import json
from decimal import Decimal
from itertools import pairwise

import pytest

from basisdesk.demo.coins import CALIBRATED
from basisdesk.demo.dialect_bybit_pages import page as answer
from basisdesk.demo.funding import INTERVAL_MS, MINUTE_MS
from basisdesk.demo.listings import specs_of
from tests.demo.demo_rig import EPOCH_MS, Desk

NOW_MS = EPOCH_MS + 3 * MINUTE_MS


@pytest.fixture(scope="module")
def get():
    floor = Desk(NOW_MS).floor

    def page(target, status=200):
        made = answer(f"/v5/market/{target}", floor)
        said = json.loads(made.body)
        assert made.status == status
        assert set(said) == {"retCode", "retMsg", "result", "retExtInfo", "time"}
        assert said["time"] == NOW_MS
        return said

    return page


def test_time(get):
    said = get("time")
    assert said["retCode"] == 0
    assert said["result"]["timeSecond"] == str(NOW_MS // 1000)
    assert said["result"]["timeNano"] == str(NOW_MS * 10**6)


@pytest.mark.parametrize("coin", CALIBRATED, ids=lambda coin: coin.name)
def test_rules(get, coin):
    spot = get(f"instruments-info?category=spot&symbol={coin.name}USDT")["result"]["list"][0]
    perp = get(f"instruments-info?category=linear&symbol={coin.name}USDT")["result"]["list"][0]
    ticks = {"BTC": "0.1", "ETH": "0.01", "BNB": "0.1", "DOGE": "0.00001", "ADA": "0.0001"}
    for row in (spot, perp):
        assert Decimal(row["priceFilter"]["tickSize"]) == Decimal(ticks[coin.name])
    assert spot["lotSizeFilter"]["minOrderAmt"] == "5"
    assert perp["lotSizeFilter"]["minNotionalValue"] == "5"
    assert perp["fundingInterval"] == 480
    assert Decimal(perp["upperFundingRate"]) == -Decimal(perp["lowerFundingRate"])
    assert (spot["baseCoin"], perp["baseCoin"]) == (coin.name, coin.name)
    assert perp["contractType"] == "LinearPerpetual"


def test_ada_rules_as_documented(get):
    spot = get("instruments-info?category=spot&symbol=ADAUSDT")["result"]["list"][0]
    perp = get("instruments-info?category=linear&symbol=ADAUSDT")["result"]["list"][0]
    assert spot["lotSizeFilter"]["basePrecision"] == "0.01"
    assert perp["lotSizeFilter"]["qtyStep"] == "1"
    assert perp["priceFilter"]["tickSize"] == "0.0001"


def test_all_instruments_without_a_symbol(get):
    page = get("instruments-info?category=linear")["result"]
    symbols = [row["symbol"] for row in page["list"]]
    assert symbols == [spec.symbol for spec in specs_of("bybit", "perp")]
    assert len(symbols) >= 45
    assert page["nextPageCursor"] == ""


@pytest.mark.parametrize("coin", CALIBRATED, ids=lambda coin: coin.name)
def test_tiers_fit_together(get, coin):
    """Margin at a tier's upper bound is the same by either tier: the deduction makes it so."""
    rows = get(f"risk-limit?category=linear&symbol={coin.name}USDT")["result"]["list"]
    assert rows[0]["mmDeduction"] == ""
    assert rows[0]["isLowestRisk"] == 1
    for low, high in pairwise(rows):
        bound = Decimal(low["riskLimitValue"])
        lower, upper = (
            bound * Decimal(r["maintenanceMargin"]) - Decimal(r["mmDeduction"] or "0")
            for r in (low, high)
        )
        assert lower == upper
        assert Decimal(high["maintenanceMargin"]) < Decimal(high["initialMargin"])
    perp = get(f"instruments-info?category=linear&symbol={coin.name}USDT")["result"]["list"][0]
    assert rows[0]["maxLeverage"] == perp["leverageFilter"]["maxLeverage"]


def test_published_tiers(get):
    btc = get("risk-limit?category=linear&symbol=BTCUSDT")["result"]["list"]
    assert [(r["riskLimitValue"], r["mmDeduction"]) for r in btc[:3]] == [
        ("2000000", ""), ("2600000", "1200"), ("3200000", "3020"),
    ]  # fmt: skip
    ada = get("risk-limit?category=linear&symbol=ADAUSDT")["result"]["list"]
    assert [r["maintenanceMargin"] for r in ada[:3]] == ["0.0075", "0.01", "0.015"]


def test_a_day_of_candles_in_two_pages(get):
    this = NOW_MS // MINUTE_MS * MINUTE_MS
    times = []
    for begin in (this - 1440 * MINUTE_MS, this - 720 * MINUTE_MS):
        end = begin + 719 * MINUTE_MS
        rows = get(
            f"kline?category=linear&symbol=ADAUSDT&interval=1&start={begin}&end={end}&limit=1000"
        )["result"]["list"]
        stamps = [int(row[0]) for row in rows]
        assert stamps == sorted(stamps, reverse=True)
        times += reversed(stamps)
    assert times == list(range(this - 1440 * MINUTE_MS, this, MINUTE_MS))


def test_candle_rows_are_seven_texts_newest_first_with_the_running_minute(get):
    rows = get("kline?category=spot&symbol=BTCUSDT&interval=1&limit=5")["result"]["list"]
    assert len(rows) == 5
    assert int(rows[0][0]) == NOW_MS // MINUTE_MS * MINUTE_MS
    for row in rows:
        assert len(row) == 7
        assert all(isinstance(text, str) for text in row)
        opened, high, low, close = (Decimal(text) for text in row[1:5])
        assert low <= min(opened, close) <= max(opened, close) <= high


def test_the_limit_of_candles(get):
    ask = "kline?category=spot&symbol=BTCUSDT&interval=1"
    assert len(get(ask)["result"]["list"]) == 200
    assert len(get(f"{ask}&limit=5000")["result"]["list"]) == 1000
    assert len(get(f"{ask}&limit=0")["result"]["list"]) == 1


def test_funding_history(get):
    rows = get("funding/history?category=linear&symbol=ADAUSDT&limit=200")["result"]["list"]
    stamps = [int(row["fundingRateTimestamp"]) for row in rows]
    assert len(rows) >= 30
    assert stamps == sorted(stamps, reverse=True)
    assert all(stamp % INTERVAL_MS == 0 for stamp in stamps)
    assert all("e" not in row["fundingRate"].lower() for row in rows)
    part = get(
        f"funding/history?category=linear&symbol=ADAUSDT&startTime={stamps[4]}&endTime={stamps[2]}"
    )["result"]["list"]
    assert [int(row["fundingRateTimestamp"]) for row in part] == stamps[2:5]


def test_tickers_and_book(get):
    spot = get("tickers?category=spot&symbol=ADAUSDT")["result"]["list"][0]
    perp = get("tickers?category=linear&symbol=ADAUSDT")["result"]["list"][0]
    for row in (spot, perp):
        assert float(row["bid1Price"]) < float(row["ask1Price"])
    assert int(perp["nextFundingTime"]) % INTERVAL_MS == 0
    assert len(get("tickers?category=linear")["result"]["list"]) >= 45
    page = get("orderbook?category=linear&symbol=ADAUSDT&limit=10")["result"]
    assert len(page["b"]) == len(page["a"]) == 10
    assert float(page["b"][0][0]) < float(page["a"][0][0])


@pytest.mark.parametrize(
    "target",
    [
        "kline?category=linear&symbol=ADAUSDT&interval=5",
        "kline?category=linear&symbol=ADAUSDT",
        "kline?category=linear&symbol=NOPE&interval=1",
        "kline?category=option&symbol=ADAUSDT&interval=1",
        "kline?category=linear&symbol=ADAUSDT&interval=1&start=2&end=1",
        "kline?category=linear&symbol=ADAUSDT&interval=1&start=-5",
        "kline?category=linear&symbol=ADAUSDT&interval=1&limit=many",
        "funding/history?category=spot&symbol=ADAUSDT",
        "funding/history?category=linear&symbol=ADAUSDT&startTime=1",
        "instruments-info",
        "risk-limit?category=spot&symbol=ADAUSDT",
        "orderbook?category=linear",
    ],
)
def test_bad_parameters(get, target):
    said = get(target)
    assert said["retCode"] == 10001
    assert said["retMsg"]
    assert said["result"] == {}


def test_unknown_page(get):
    assert get("nothing/here", status=404)["retCode"] == 10404
