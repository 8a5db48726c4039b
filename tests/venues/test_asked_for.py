"""An HTTP answer speaks of what its path asked for: other symbols and endless rows stay outside."""

import json

import pytest

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, Candles, FundingHistory
from basisdesk.venues import known_venues
from basisdesk.venues.rest_reading import CANDLES_MAX, ROWS_MAX, Known, at_most, only

MANY = 3_000
HOUR = 3_600_000


def bybit(category, rows):
    return {"retCode": 0, "time": 0, "result": {"category": category, "list": rows}}


def okx(rows):
    return {"code": "0", "msg": "", "data": rows}


def bybit_tier(symbol):
    return {
        "symbol": symbol,
        "riskLimitValue": "100",
        "maintenanceMargin": "0.01",
        "initialMargin": "0.02",
        "maxLeverage": "50",
    }


def okx_tier(family):
    return {"maxSz": "9", "mmr": "0.01", "imr": "0.02", "maxLever": "50", "instFamily": family}


def bybit_rules(symbol):
    return {
        "symbol": symbol,
        "status": "Trading",
        "baseCoin": symbol.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "contractType": "LinearPerpetual",
        "lotSizeFilter": {"qtyStep": "1", "minOrderQty": "1", "maxMktOrderQty": "9"},
        "priceFilter": {"tickSize": "0.1"},
        "leverageFilter": {"maxLeverage": "50"},
    }


def binance_rules(symbol):
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.1"},
            {"filterType": "LOT_SIZE", "stepSize": "1", "minQty": "1", "maxQty": "9"},
        ],
    }


def okx_rules(symbol):
    base = symbol.partition("-")[0]
    return {
        "instId": symbol,
        "instType": "SPOT",
        "state": "live",
        "tickSz": "0.1",
        "lotSz": "1",
        "minSz": "1",
        "maxLmtSz": "9",
        "baseCcy": base,
        "quoteCcy": "USDT",
    }


def kraken_pair(symbol):
    name = symbol.removesuffix("USD")
    return {
        "altname": symbol,
        "wsname": f"{name}/USD",
        "tick_size": "0.1",
        "lot_decimals": 8,
        "ordermin": "1",
    }


def kraken_pairs(rows):
    return {"error": [], "result": {row["altname"]: row for row in rows}}


# (path, whole answer of some rows, row of a symbol, symbol asked for, another's name by a number)
PAGES = {
    "binance rules": (
        "/api/v3/exchangeInfo?symbol=ADAUSDT",
        lambda rows: {"symbols": rows},
        binance_rules,
        "ADAUSDT",
        "A{}USDT",
    ),
    "binance funding": (
        "/fapi/v1/fundingRate?symbol=ADAUSDT&limit=200",
        lambda rows: rows,
        lambda name: {"symbol": name, "fundingTime": HOUR, "fundingRate": "0.1"},
        "ADAUSDT",
        "A{}USDT",
    ),
    "binance premium": (
        "/fapi/v1/premiumIndex?symbol=ADAUSDT",
        lambda rows: rows,
        lambda name: {
            "symbol": name,
            "markPrice": "1",
            "indexPrice": "1",
            "lastFundingRate": "0.1",
            "nextFundingTime": 1,
            "time": 1,
        },
        "ADAUSDT",
        "A{}USDT",
    ),
    "bybit rules": (
        "/v5/market/instruments-info?category=linear&symbol=ADAUSDT",
        lambda rows: bybit("linear", rows),
        bybit_rules,
        "ADAUSDT",
        "A{}USDT",
    ),
    "bybit tiers": (
        "/v5/market/risk-limit?category=linear&symbol=ADAUSDT",
        lambda rows: bybit("linear", rows),
        bybit_tier,
        "ADAUSDT",
        "A{}USDT",
    ),
    "bybit funding": (
        "/v5/market/funding/history?category=linear&symbol=ADAUSDT&limit=200",
        lambda rows: bybit("linear", rows),
        lambda name: {"symbol": name, "fundingRate": "0.1", "fundingRateTimestamp": HOUR},
        "ADAUSDT",
        "A{}USDT",
    ),
    "okx rules": (
        "/api/v5/public/instruments?instType=SPOT&instId=ADA-USDT",
        okx,
        okx_rules,
        "ADA-USDT",
        "A{}-USDT",
    ),
    "okx tiers": (
        "/api/v5/public/position-tiers?instType=SWAP&instFamily=ADA-USDT",
        okx,
        okx_tier,
        "ADA-USDT",
        "A{}-USDT",
    ),
    "okx funding": (
        "/api/v5/public/funding-rate?instId=ADA-USDT-SWAP",
        okx,
        lambda name: {"instId": name, "fundingRate": "0.1"},
        "ADA-USDT-SWAP",
        "A{}-USDT-SWAP",
    ),
    "okx settled": (
        "/api/v5/public/funding-rate-history?instId=ADA-USDT-SWAP&limit=400",
        okx,
        lambda name: {"instId": name, "fundingTime": str(HOUR), "realizedRate": "0.1"},
        "ADA-USDT-SWAP",
        "A{}-USDT-SWAP",
    ),
    "okx mark": (
        "/api/v5/public/mark-price?instType=SWAP&instId=ADA-USDT-SWAP",
        okx,
        lambda name: {"instId": name, "markPx": "1", "ts": "1"},
        "ADA-USDT-SWAP",
        "A{}-USDT-SWAP",
    ),
    "okx interest": (
        "/api/v5/public/open-interest?instType=SWAP&instId=ADA-USDT-SWAP",
        okx,
        lambda name: {"instId": name, "oi": "1", "ts": "1"},
        "ADA-USDT-SWAP",
        "A{}-USDT-SWAP",
    ),
    "kraken rules": (
        "/0/public/AssetPairs?pair=ADAUSD",
        kraken_pairs,
        kraken_pair,
        "ADAUSD",
        "A{}USD",
    ),
    "kraken tickers": (
        "/derivatives/api/v3/tickers?symbol=PF_ADAUSD",
        lambda rows: {"result": "success", "tickers": rows},
        lambda name: {"symbol": name, "markPrice": 1.0},
        "PF_ADAUSD",
        "PF_A{}USD",
    ),
}
VENUE_OF = {"/api/v3": "binance", "/fapi/": "binance", "/v5/": "bybit", "/api/v5": "okx"}


def decode(path, body):
    venue = next((name for start, name in VENUE_OF.items() if path.startswith(start)), "kraken")
    payload = json.dumps({"path": path, "data": json.dumps(body)}).encode()
    return known_venues()[venue].codec(f"{venue}.rest").decode(payload)


def names_of(events):
    """The symbols of every instrument the events speak of."""
    found = set()
    for event in events:
        rows = getattr(event, "rows", ())
        keys = [getattr(row, "key", row[0] if isinstance(row, tuple) else "") for row in rows]
        if isinstance(event, FundingHistory) or not rows:
            keys = [event.instrument]
        found.update(str(key).rpartition(":")[2] for key in keys)
    return found


def plain(name):
    return name.replace("/", "").removesuffix("-SWAP")


@pytest.mark.parametrize("page", PAGES)
def test_rows_of_other_symbols_are_left_out(page):
    path, whole, row, asked, other = PAGES[page]
    alone = decode(path, whole([row(asked)]))
    among = decode(path, whole([*(row(other.format(at)) for at in range(MANY)), row(asked)]))
    assert among == alone or repr(among) == repr(alone)  # NaN is in tickers
    assert {plain(name) for name in names_of(among)} == {plain(asked)}


@pytest.mark.parametrize("page", PAGES)
def test_an_answer_that_speaks_of_others_only_is_refused(page):
    path, whole, row, _, other = PAGES[page]
    with pytest.raises(BadFrame, match="symbol"):
        decode(path, whole([row(other.format(at)) for at in range(3)]))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/fapi/v1/openInterest?symbol=ADAUSDT",
            {"symbol": "XRPUSDT", "openInterest": "1", "time": 1},
        ),
        (
            "/fapi/v1/premiumIndex?symbol=XRPUSDT",
            PAGES["binance premium"][2]("ADAUSDT"),
        ),
        (
            "/v5/market/kline?category=linear&symbol=ADAUSDT&interval=1",
            {
                "retCode": 0,
                "time": 0,
                "result": {"category": "linear", "symbol": "XRPUSDT", "list": []},
            },
        ),
        (
            "/v5/market/kline?category=spot&symbol=ADAUSDT&interval=1",
            {
                "retCode": 0,
                "time": 0,
                "result": {"category": "linear", "symbol": "ADAUSDT", "list": []},
            },
        ),
        (
            "/v5/market/funding/history?category=linear&symbol=ADAUSDT",
            bybit("spot", []),
        ),
        (
            "/0/public/OHLC?pair=ADAUSD&interval=1",
            {"error": [], "result": {"XRPUSD": [], "last": 1}},
        ),
    ],
)
def test_a_page_of_one_symbol_is_of_the_one_asked_for(path, body):
    with pytest.raises(BadFrame, match="symbol"):
        decode(path, body)


@pytest.mark.parametrize(
    ("pair", "name"),
    [
        ("XBTUSD", "XXBTZUSD"),
        ("XBTUSDT", "XBTUSDT"),
        ("XDGUSD", "XDGUSD"),
        ("USDTUSD", "USDTZUSD"),
        ("ETHXBT", "XETHXXBT"),
        ("EURUSD", "ZEURZUSD"),
        ("ADAUSD", "ADA/USD"),
    ],
)
def test_kraken_names_a_pair_in_its_older_way_too(pair, name):
    row = [60, "1", "1", "1", "1.5", "1", "1", 1]
    body = {"error": [], "result": {name: [row], "last": 60}}
    (candles,) = decode(f"/0/public/OHLC?pair={pair}&interval=1", body)
    assert candles.rows == [(60_000, 1.5)]


def test_past_funding_is_cut_to_the_newest_of_what_was_asked_for():
    rows = [
        {"symbol": "ADAUSDT", "fundingTime": at * HOUR, "fundingRate": "0.1"}
        for at in range(1, MANY + 1)
    ]
    (history,) = decode("/fapi/v1/fundingRate?symbol=ADAUSDT&limit=200", rows)
    assert [ms // HOUR for ms, _ in history.rows] == list(range(MANY - 199, MANY + 1))


def test_candles_are_cut_to_the_newest_of_what_was_asked_for():
    rows = [
        [at * 60_000, "1", "1", "1", "2", "0", 1, "0", 1, "0", "0", "0"]
        for at in range(1, 2 * CANDLES_MAX)
    ]
    end = f"interval=1m&endTime={10**13}"
    for limit, kept in (("&limit=720", 720), ("", CANDLES_MAX), ("&limit=x", CANDLES_MAX)):
        (candles,) = decode(f"/fapi/v1/klines?symbol=ADAUSDT&{end}{limit}", rows)
        assert isinstance(candles, Candles)
        assert len(candles.rows) == kept
        assert candles.rows[-1][0] == rows[-1][0]


def test_a_book_is_cut_to_the_levels_asked_for():
    body = {
        "lastUpdateId": 1,
        "bids": [[str(10_000 - at), "1"] for at in range(MANY)],
        "asks": [[str(10_001 + at), "1"] for at in range(MANY)],
    }
    (book,) = decode("/fapi/v1/depth?symbol=ADAUSDT&limit=1000", body)
    assert isinstance(book, BookUpdate)
    assert (len(book.bids), len(book.asks), book.bids[0]) == (1000, 1000, (10_000.0, 1.0))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/fapi/v1/fundingRate", [{}] * (ROWS_MAX + 1)),
        ("/fapi/v1/fundingInfo", [{}] * (ROWS_MAX + 1)),
        ("/fapi/v1/exchangeInfo", {"symbols": [{}] * (ROWS_MAX + 1)}),
        ("/v5/market/instruments-info?category=spot", bybit("spot", [{}] * (ROWS_MAX + 1))),
        ("/api/v5/public/mark-price?instType=SWAP", okx([{}] * (ROWS_MAX + 1))),
        (
            "/derivatives/api/v3/tickers",
            {"result": "success", "tickers": [{}] * (ROWS_MAX + 1)},
        ),
    ],
)
def test_an_endless_list_is_refused_before_a_row_is_read(path, body):
    with pytest.raises(BadFrame, match="type"):
        decode(path, body)


@pytest.mark.parametrize(
    ("said", "rows"),
    [("", 9), ("5", 5), ("0", 1), ("99", 9), ("9" * 500, 9), ("-1", 9), ("²", 9), ("x", 9)],
)
def test_what_a_limit_says(said, rows):
    assert at_most({"limit": said}, 9) == rows


def test_only_what_was_asked_for():
    assert only(["a", "b"], "", str) == ["a", "b"]
    assert only(["a", "b", "a"], "a", str) == ["a", "a"]
    assert only([], "a", str) == []
    with pytest.raises(BadFrame, match="symbol"):
        only(["b"], "a", str)


def test_a_row_that_was_read_before_is_not_read_again():
    known, read = Known(), []

    def measure(text):
        read.append(bytes(text))
        return int(bytes(text)) or None

    def rows(about, *texts):
        return known.readable(texts, about, measure)

    assert rows("a", b"1", b"0", b"2") == rows("a", b"1", b"0", b"2") == [1, 2]
    assert read == [b"1", b"0", b"2"]
    assert rows("a", b"1", b"x", b"3") == rows("a", b"1", b"x", b"3") == [1, 3]
    assert read[3:] == [b"x", b"3", b"x"]  # what could not be read is tried again
    assert rows("b", b"1") == [1]  # of another day or market: read anew
    assert read[6:] == [b"1"]


def test_what_is_remembered_of_lists_is_bounded():
    known = Known()
    for day in range(9):
        known.readable([str(at).encode() for at in range(5_000)], str(day), bytes)
        assert len(known._rows) <= ROWS_MAX + 5_000


def test_rules_read_from_memory_are_the_same_and_carry_their_own_day():
    path, whole, row, asked, _ = PAGES["binance rules"]
    first = decode(path, whole([row(asked)]) | {"serverTime": 1_790_121_612_345})
    again = decode(path, whole([row(asked)]) | {"serverTime": 1_790_121_612_345 + HOUR})
    later = decode(path, whole([row(asked)]) | {"serverTime": 1_790_121_612_345 + 48 * HOUR})
    assert first == again
    assert first[0].rows[0] is again[0].rows[0]
    assert [told[0].rows[0].source[-10:] for told in (first, later)] == ["2026-09-23", "2026-09-25"]
