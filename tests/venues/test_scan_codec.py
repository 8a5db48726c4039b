"""What the four scan codecs share: bad rows, windows, and that no bytes hurt them."""

import json
import math
import random
from itertools import pairwise

import msgspec
import pytest
from fuzz_rig import OUTCOMES, any_bytes, attempt, is_refused, json_values, spoil_answer
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from refusal import reason_of
from scan_wire import HOUR, MINUTE, T0, frame

from basisdesk.errors import BadFrame
from basisdesk.events import ScanBook, ScanPage, ScanPast
from basisdesk.venues import known_venues, rest_host
from basisdesk.venues.instrument import split_symbol
from basisdesk.venues.scan_codec import DAYS_MAX, Rows, dollar, page, touch, windows

NAMES = ("binance", "bybit", "kraken", "okx")
LEGS = {
    "binance": ("binance:spot:ADAUSDT", "binance:perp:1000PEPEUSDT"),
    "bybit": ("bybit:spot:ADAUSDT", "bybit:perp:1000PEPEUSDT"),
    "kraken": ("kraken:spot:BTC/USD", "kraken:perp:PF_XBTUSD"),
    "okx": ("okx:spot:ADA-USDT", "okx:perp:ADA-USDT-SWAP"),
}
MUTANTS = 6_000
WORDS = ([["1", "2"]], [[]], "ADAUSDT", "0.0001", "1e999", {"a": None})


def paths_of(name):
    venue = known_venues()[name]
    legs = [
        (venue.scan_book(leg), *venue.scan_leg(leg), *venue.scan_past(leg, T0, 30))
        for leg in LEGS[name]
    ]
    return [*venue.scan_pages(), *(path for paths in legs for path in paths)]


# --- good answers of each kind, to be spoilt ------------------------------------------------------

LEVELS = {"bids": [["0.8", "5"], ["0.7", "6"]], "asks": [["0.9", "5"], ["1.0", "6"]]}
CANDLE = [T0 - MINUTE, "1", "1", "1", "0.8", "5", T0, "5", 3]
OKX_CANDLE = [str(T0 - MINUTE), "1", "1", "1", "0.8", "5", "5", "5", "1"]
BYBIT_ROW = {
    "symbol": "1000PEPEUSDT", "bid1Price": "0.8", "bid1Size": "5", "ask1Price": "0.9",
    "ask1Size": "6", "markPrice": "0.85", "indexPrice": "0.86", "openInterest": "7",
    "turnover24h": "8", "fundingRate": "0.0001", "fundingIntervalHour": "8",
    "fundingCap": "0.01", "nextFundingTime": str(T0),
}  # fmt: skip
KRAKEN_ROW = {
    "symbol": "PF_XBTUSD", "bid": 1.0, "bidSize": 2, "ask": 1.1, "askSize": 3, "markPrice": 1.05,
    "indexPrice": 1.04, "openInterest": 5, "fundingRate": 1e-6, "volumeQuote": 9,
    "suspended": False,
}  # fmt: skip


def bybit(result):
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": T0}


def okx(*rows):
    return {"code": "0", "msg": "", "data": list(rows)}


def kraken(result):
    return {"error": [], "result": result}


BODIES = {
    "/v5/market/tickers?category=spot": bybit(
        {"category": "spot", "list": [BYBIT_ROW | {"symbol": "ADAUSDT"}]}
    ),
    "/v5/market/tickers?category=linear": bybit({"category": "linear", "list": [BYBIT_ROW]}),
    "/v5/market/orderbook": bybit(
        {"s": "1000PEPEUSDT", "b": LEVELS["bids"], "a": LEVELS["asks"], "ts": T0, "cts": T0}
    ),
    "/v5/market/kline": bybit(
        {"category": "linear", "symbol": "1000PEPEUSDT", "list": [list(map(str, CANDLE))]}
    ),
    "/v5/market/funding/history": bybit(
        {
            "category": "linear",
            "list": [
                {
                    "symbol": "1000PEPEUSDT",
                    "fundingRate": "0.01",
                    "fundingRateTimestamp": str(T0),
                }
            ],
        }
    ),
    "/api/v3/ticker/bookTicker": [
        {"symbol": "ADAUSDT", "bidPrice": "0.8", "bidQty": "5", "askPrice": "0.9", "askQty": "6"}
    ],
    "/fapi/v1/fundingInfo": [
        {"symbol": "ADAUSDT", "adjustedFundingRateCap": "0.02", "fundingIntervalHours": 4}
    ],
    "/fapi/v1/premiumIndex": [
        {
            "symbol": "ADAUSDT",
            "markPrice": "0.8",
            "indexPrice": "0.8",
            "lastFundingRate": "0.0001",
            "nextFundingTime": T0,
            "time": T0,
        }
    ],
    "/fapi/v1/openInterest": {"symbol": "1000PEPEUSDT", "openInterest": "5", "time": T0},
    "/fapi/v1/depth": LEVELS | {"T": T0},
    "/fapi/v1/klines": [CANDLE],
    "/fapi/v1/fundingRate": [
        {"symbol": "1000PEPEUSDT", "fundingTime": T0, "fundingRate": "0.0001"}
    ],
    "/api/v5/public/instruments": okx(
        {
            "instId": "OP-USDT-SWAP",
            "ctType": "linear",
            "ctVal": "1",
            "ctMult": "1",
            "ctValCcy": "OP",
            "settleCcy": "USDT",
        }
    ),
    "/api/v5/market/tickers": okx(
        {
            "instId": "ADA-USDT-SWAP",
            "bidPx": "0.8",
            "bidSz": "5",
            "askPx": "0.9",
            "askSz": "6",
            "last": "0.8",
            "volCcy24h": "7",
            "ts": str(T0),
        }
    ),
    "/api/v5/public/mark-price": okx({"instId": "ADA-USDT-SWAP", "markPx": "1", "ts": str(T0)}),
    "/api/v5/public/funding-rate": okx(
        {
            "instId": "ADA-USDT-SWAP",
            "fundingRate": "0.0001",
            "fundingTime": str(T0),
            "nextFundingTime": str(T0 + HOUR),
            "maxFundingRate": "0.01",
            "ts": str(T0),
        }
    ),
    "/api/v5/public/open-interest": okx(
        {"instId": "ADA-USDT-SWAP", "oi": "5", "oiCcy": "500", "ts": str(T0)}
    ),
    "/api/v5/market/index-tickers": okx({"instId": "ADA-USDT", "idxPx": "1", "ts": str(T0)}),
    "/api/v5/market/books": okx(LEVELS | {"ts": str(T0), "seqId": 1}),
    "/api/v5/market/candles": okx(OKX_CANDLE),
    "/api/v5/public/funding-rate-history": okx(
        {
            "instId": "ADA-USDT-SWAP",
            "fundingRate": "0.1",
            "realizedRate": "0.01",
            "fundingTime": str(T0),
        }
    ),
    "/0/public/AssetPairs": kraken({"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD"}}),
    "/0/public/Ticker": kraken(
        {
            "XXBTZUSD": {
                "a": ["1.1", "2", "2.5"],
                "b": ["1.0", "2", "2.5"],
                "v": ["1", "2"],
                "p": ["1", "2"],
            }
        }
    ),
    "/0/public/Depth": kraken({"XXBTZUSD": {"asks": [["1.1", "1", 5]], "bids": [["1.0", "1", 5]]}}),
    "/0/public/OHLC": kraken(
        {"XXBTZUSD": [[T0 // 1000, "1", "1", "1", "1", "1", "1", 1]], "last": T0 // 1000}
    ),
    "/derivatives/api/v3/tickers": {
        "result": "success",
        "serverTime": "2026-09-23T04:00:00Z",
        "tickers": [KRAKEN_ROW],
    },
    "/derivatives/api/v3/orderbook": {
        "result": "success",
        "orderBook": {"bids": [[1.0, 2]], "asks": [[1.1, 2]]},
    },
    "/derivatives/api/v4/historicalfundingrates": {
        "rates": [{"timestamp": "2026-09-23T04:00:00Z", "relativeFundingRate": 1e-5}]
    },
    "/api/charts/v1/trade/PF_XBTUSD/1m": {"candles": [{"time": T0 - MINUTE, "close": "1"}]},
}
NO_EVENT = ("/api/v5/public/instruments", "/0/public/AssetPairs")


def answers_of(name):
    """One good answer to each kind of question asked of a venue, the last leg's of a kind."""
    found = {}
    for path in paths_of(name):
        bare = path.partition("?")[0]
        body = BODIES.get(path, BODIES.get(bare))
        if body is not None:
            found[path if "tickers?c" in path else bare] = frame(path, body)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_path_asked_for_is_read(name):
    venue = known_venues()[name]
    codec, answers = venue.codec(f"{name}.scan"), answers_of(name)
    for path in paths_of(name):
        assert rest_host(venue, path).startswith("https://")
        assert venue.scan_every_s(path) >= 0.0
        with pytest.raises(BadFrame) as caught:
            codec.decode(frame(path, "{}"))
        assert caught.value.reason != "topic"
    for path, answer in answers.items():
        events = codec.decode(answer)
        assert len(events) == (0 if path in NO_EVENT else 1)
        assert all(isinstance(event, (ScanPage, ScanBook, ScanPast)) for event in events)
        assert not is_refused(attempt(codec, answer))


@pytest.mark.parametrize("name", NAMES)
def test_mutants_are_sane_events_or_bad_frames_and_leave_nothing_behind(name):
    rng, venue = random.Random(name), known_venues()[name]
    codec, twin = venue.codec(f"{name}.scan"), venue.codec(f"{name}.scan")
    answers = list(answers_of(name).values())
    paths = [json.loads(answer)["path"] for answer in answers]
    read = 0
    for number in range(MUTANTS):
        answer = answers[number % len(answers)]
        mutant = spoil_answer(answer, rng, WORDS, paths)
        outcome = attempt(codec, mutant)
        if not is_refused(outcome):
            read += 1
            assert repr(outcome) == repr(twin.decode(mutant))
        assert repr(codec.decode(answer)) == repr(twin.decode(answer))
    assert read > MUTANTS // 10


@given(any_bytes, st.sampled_from(NAMES))
@hypothesis_settings(max_examples=300)
def test_any_bytes_are_events_or_a_bad_frame(message, name):
    codec = known_venues()[name].codec(f"{name}.scan")
    assert isinstance(attempt(codec, message), OUTCOMES)
    text = message.decode("utf-8", "replace")
    for path in paths_of(name):
        assert isinstance(attempt(codec, frame(path, text)), OUTCOMES)


FIELDS = (
    "symbol", "instId", "bid", "ask", "bidPrice", "a", "b", "fundingRate", "list", "tickers",
    "category", "data", "code", "result", "retCode", "error", "bids", "asks", "orderBook",
)  # fmt: skip


@given(
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6) | json_values,
)
@hypothesis_settings(max_examples=300)
def test_any_body_is_events_or_a_bad_frame(name, body):
    codec = known_venues()[name].codec(f"{name}.scan")
    for path in paths_of(name):
        assert isinstance(attempt(codec, frame(path, body)), OUTCOMES)


def test_deep_nests_and_endless_rows_are_refused():
    nest = "[" * 5_000 + "]" * 5_000
    for name in NAMES:
        codec = known_venues()[name].codec(f"{name}.scan")
        for path in paths_of(name):
            assert reason_of(codec, frame(path, nest)) in ("json", "type", "number")
    path = known_venues()["binance"].scan_pages()[0]
    codec = known_venues()["binance"].codec("binance.scan")
    assert reason_of(codec, frame(path, [{"symbol": "ADAUSDT"}] * 20_001)) == "size"


# --- the parts ------------------------------------------------------------------------------------


class Row(msgspec.Struct, gc=False):
    name: str
    price: float = math.nan
    on: bool = False


def test_rows_are_read_at_once_or_one_by_one():
    rows = Rows(Row, 3)
    assert rows.list_of('[{"name":"a","price":"1.5"},{"name":"b","on":true}]')[0].price == 1.5
    (row,) = rows.list_of('[{"name":"a","price":"x","on":true},{"price":1},4]')
    assert (row.name, row.on) == ("a", True)
    assert math.isnan(row.price)
    assert rows.list_of("[]") == []
    named = rows.named(msgspec.Raw(b'{"x":{"name":"a"},"y":{"name":1}}'))
    assert [name for name, _ in named] == ["x"]
    for text, reason in (
        ("[1]", "number"),
        ('[{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"}]', "size"),
        ("[1,2,3,4]", "size"),
    ):
        with pytest.raises(BadFrame, match=reason):
            rows.list_of(text)
    with pytest.raises(BadFrame, match="number"):
        rows.named(msgspec.Raw(b'{"x":1}'))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ((1.0, 2.0, 1.1, 3.0), (1.0, 2.0, 1.1, 3.0)),
        ((1.0, math.nan, 1.1, 3.0), (1.0, math.nan, 1.1, 3.0)),
        ((0.0, 2.0, 1.1, 3.0), (math.nan, math.nan, 1.1, 3.0)),
        ((1.0, 0.0, 1.1, 3.0), (math.nan, math.nan, 1.1, 3.0)),
        ((1.0, 2.0, math.nan, 3.0), (1.0, 2.0, math.nan, math.nan)),
        ((1.1, 2.0, 1.1, 3.0), (math.nan,) * 4),
        ((1.2, 2.0, 1.1, 0.0), (1.2, 2.0, math.nan, math.nan)),
    ],
)
def test_touch(said, wanted):
    assert repr(touch(*said)) == repr(wanted)


def test_dollar_legs():
    assert dollar("bybit:spot:ADAUSDT", 1.0) == ("bybit:spot:ADAUSDT", 1.0)
    assert split_symbol("kraken:spot:USDT/USD") == ("USDT", "USD")
    assert dollar("kraken:spot:USDT/USD", 1.0)
    for key in ("bybit:spot:ETHBTC", "bybit:perp:BTC-25DEC26", "bybit:spot:X", "okx:spot:A-EUR"):
        assert dollar(key, 1.0) is None
    with pytest.raises(BadFrame, match="number"):
        page("okx", [], 0)
    with pytest.raises(BadFrame, match="symbol"):
        page("okx", [], 5)


@given(
    st.integers(min_value=10**12, max_value=2 * 10**12),
    st.integers(min_value=-5, max_value=500),
    st.sampled_from([200, 400, 1_000]),
)
def test_windows_meet_and_reach_back(now_ms, days, rows):
    spans = windows(now_ms, days, rows)
    assert spans[0][1] - HOUR < now_ms <= spans[0][1]
    for (newer, _), (first, last) in pairwise(spans):
        assert last == newer - 1
        assert first < last
    assert all((last + 1 - first) // HOUR <= rows for first, last in spans)
    back = max(1, min(days, DAYS_MAX))
    assert spans[-1][0] == now_ms - now_ms % HOUR - back * 24 * HOUR
