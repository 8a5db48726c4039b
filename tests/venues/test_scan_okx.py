"""OKX's scan pages: contract sizes first, then tickers, marks, funding, interest, indices."""

import math
from decimal import Decimal

import pytest
from refusal import reason_of
from scan_wire import HOUR, MINUTE, T0, by_key, frame, same

from basisdesk.events import ScanBook, ScanPast
from basisdesk.venues.okx import Okx

CONTRACTS, SPOT, SWAP, MARKS, FUNDING, INTEREST, INDICES = Okx().scan_pages()
BOOK = Okx().scan_book("okx:perp:OP-USDT-SWAP")


def codec(venue=None):
    return (venue or Okx()).codec("okx.scan")


def answer(path, rows, code="0"):
    return frame(path, {"code": code, "msg": "", "data": rows})


def contract(symbol="OP-USDT-SWAP", value="10", **more):
    base, quote, _ = symbol.split("-")
    return {
        "instId": symbol,
        "instType": "SWAP",
        "ctType": "linear",
        "ctVal": value,
        "ctMult": "1",
        "ctValCcy": base,
        "settleCcy": quote,
        "state": "live",
        **more,
    }


def learned():
    reader = codec()
    assert reader.decode(answer(CONTRACTS, [contract()])) == ()
    return reader


def ticker(symbol, **more):
    return {
        "instId": symbol,
        "last": "2.0",
        "bidPx": "1.99",
        "bidSz": "5",
        "askPx": "2.01",
        "askSz": "7",
        "volCcy24h": "1000",
        "vol24h": "100",
        "ts": str(T0),
        **more,
    }


def test_spot_tickers():
    rows = [ticker("OP-USDT"), ticker("OP-USD", ts=str(T0 + 4)), ticker("OP-BTC"), ticker("X")]
    (page,) = codec().decode(answer(SPOT, rows))
    assert (page.venue, page.venue_ms) == ("okx", T0 + 4)
    found = {row.instrument: row for row in page.rows}
    assert list(found) == ["okx:spot:OP-USDT", "okx:spot:OP-USD"]
    assert same(
        found["okx:spot:OP-USDT"],
        instrument="okx:spot:OP-USDT",
        bid=1.99,
        bid_size=5.0,
        ask=2.01,
        ask_size=7.0,
        turnover_day=1000.0,
    )


def test_swap_sizes_are_unknown_until_the_contract_is():
    rows = [ticker("OP-USDT-SWAP"), ticker("OP-USD-SWAP"), ticker("BTC-USDT-SWAP")]
    row = by_key(codec().decode(answer(SWAP, rows)))["okx:perp:OP-USDT-SWAP"]
    assert (row.bid, row.ask) == (1.99, 2.01)
    assert math.isnan(row.bid_size)
    assert math.isnan(row.ask_size)
    found = by_key(learned().decode(answer(SWAP, rows)))
    assert list(found) == ["okx:perp:OP-USDT-SWAP", "okx:perp:BTC-USDT-SWAP"]
    assert same(
        found["okx:perp:OP-USDT-SWAP"],
        instrument="okx:perp:OP-USDT-SWAP",
        bid=1.99,
        bid_size=50.0,
        ask=2.01,
        ask_size=70.0,
        turnover_day=2000.0,  # 1,000 coins at the last price
    )
    assert found["okx:perp:BTC-USDT-SWAP"].bid_size == 0.05  # of the built-in table


def test_only_linear_contracts_are_learned_and_the_venue_is_not_touched():
    venue = Okx()
    before = dict(venue.contracts)
    reader = codec(venue)
    rows = [
        contract("BTC-USDT-SWAP", "0.02"),
        contract("ETH-USDT-SWAP", "0.1", ctMult="2"),
        contract("BTC-USD-SWAP", "100", ctType="inverse", ctValCcy="USD", settleCcy="BTC"),
        contract("SOL-USDT-SWAP", "nan"),
        contract("XRP-USDT-SWAP", "100", ctValCcy="USD"),
        {},
        3,
    ]
    assert reader.decode(answer(CONTRACTS, rows)) == ()
    assert venue.contracts == before  # the sockets' frames mean the same with and without a scan
    names = ("BTC", "ETH", "SOL", "XRP")
    found = by_key(reader.decode(answer(SWAP, [ticker(f"{coin}-USDT-SWAP") for coin in names])))
    sizes = [found[f"okx:perp:{coin}-USDT-SWAP"].bid_size for coin in names]
    assert sizes == [0.1, 1.0, 5.0, 500.0]  # SOL and XRP of the built-in table
    venue.contracts["SOL-USDT-SWAP"] = Decimal(2)
    found = by_key(reader.decode(answer(SWAP, [ticker("SOL-USDT-SWAP")])))
    assert found["okx:perp:SOL-USDT-SWAP"].bid_size == 10.0


@pytest.mark.parametrize("odd", ["", "0", "nan", "1e999", None])
def test_odd_sides(odd):
    rows = [ticker("OP-USDT", bidPx=odd), ticker("ADA-USDT", askPx="1.99")]
    found = by_key(codec().decode(answer(SPOT, [*rows, {"last": "1"}, []])))
    assert list(found) == ["okx:spot:OP-USDT"]  # the crossed one says nothing else
    row = found["okx:spot:OP-USDT"]
    assert math.isnan(row.bid)
    assert math.isnan(row.bid_size)
    assert row.ask == 2.01


def test_marks():
    rows = [
        {"instType": "SWAP", "instId": "OP-USDT-SWAP", "markPx": "2.005", "ts": str(T0)},
        {"instType": "SWAP", "instId": "OP-USD-SWAP", "markPx": "2.005", "ts": str(T0)},
        {"instType": "SWAP", "instId": "ADA-USDT-SWAP", "markPx": "", "ts": str(T0)},
        {"instType": "MARGIN", "instId": "ADA-USDT", "markPx": "1", "ts": str(T0)},
    ]
    (page,) = codec().decode(answer(MARKS, rows))
    (row,) = page.rows
    assert same(row, instrument="okx:perp:OP-USDT-SWAP", mark=2.005)
    assert page.venue_ms == T0


def funding(symbol="OP-USDT-SWAP", **more):
    return {
        "instId": symbol,
        "fundingRate": "0.0000584",
        "fundingTime": str(T0),
        "nextFundingTime": str(T0 + 4 * HOUR),
        "nextFundingRate": "",
        "maxFundingRate": "0.00375",
        "minFundingRate": "-0.00375",
        "ts": str(T0 - 9),
        **more,
    }


def test_funding_of_all_swaps():
    rows = [
        funding(),
        funding("ADA-USDT-SWAP", nextFundingTime="", maxFundingRate=""),
        funding("XRP-USDT-SWAP", fundingRate=""),
        funding("SOL-USDT-SWAP", fundingRate="0.5"),
        funding("BTC-USD-SWAP"),
        funding("DOGE-USDT-SWAP", nextFundingTime=str(T0 - HOUR)),
    ]
    found = by_key(codec().decode(answer(FUNDING, rows)))
    assert sorted(key.split(":")[2] for key in found) == [
        "ADA-USDT-SWAP",
        "DOGE-USDT-SWAP",
        "OP-USDT-SWAP",
    ]
    assert same(
        found["okx:perp:OP-USDT-SWAP"],
        instrument="okx:perp:OP-USDT-SWAP",
        rate=0.0000584,
        interval_h=4.0,
        next_ms=T0,
        cap=0.00375,
    )
    ada = found["okx:perp:ADA-USDT-SWAP"]
    assert (ada.rate, ada.interval_h, ada.next_ms, ada.cap) == (0.0000584, 0.0, T0, 0.0)
    assert found["okx:perp:DOGE-USDT-SWAP"].interval_h == 0.0


def test_open_interest_in_coins():
    rows = [
        {"instId": "OP-USDT-SWAP", "oi": "100", "oiCcy": "1001", "oiUsd": "1", "ts": str(T0)},
        {"instId": "ADA-USDT-SWAP", "oi": "3", "oiCcy": "", "ts": str(T0)},  # built-in: 100 coins
        {"instId": "LTC-USDT-SWAP", "oi": "3", "ts": str(T0)},  # nobody knows
        {"instId": "BTC-USD-SWAP", "oi": "3", "oiCcy": "1", "ts": str(T0)},
    ]
    found = by_key(learned().decode(answer(INTEREST, rows)))
    assert {key: row.open_interest for key, row in found.items()} == {
        "okx:perp:OP-USDT-SWAP": 1001.0,
        "okx:perp:ADA-USDT-SWAP": 300.0,
    }


def test_indices_are_said_of_swaps_that_exist():
    rows = [
        {"instId": "OP-USDT", "idxPx": "2.002", "ts": str(T0)},
        {"instId": "NOSUCH-USDT", "idxPx": "2.002", "ts": str(T0)},
        {"instId": "ADA-USDT", "idxPx": "nan", "ts": str(T0)},
    ]
    (page,) = learned().decode(answer(INDICES, rows))
    (row,) = page.rows
    assert same(row, instrument="okx:perp:OP-USDT-SWAP", index=2.002)
    assert codec().decode(answer(INDICES, rows)) == ()  # no swap is known yet


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (answer(SWAP, [], code="50011"), "rest"),
        (frame(SWAP, {"code": "50011", "msg": "Too many requests"}), "rest"),
        (answer(SWAP, []), "number"),
        (answer(SWAP, [None, {}]), "number"),
        (answer(SWAP, [ticker("BTC-USD-SWAP")]), "symbol"),
        (answer(SPOT, [ticker("OP-BTC")]), "symbol"),
        (answer(CONTRACTS, [contract(ctType="inverse")]), "symbol"),
        (answer(CONTRACTS, []), "number"),
        (answer(SWAP, {}), "type"),
        (answer(FUNDING, [funding(fundingRate="")]), "symbol"),
        (answer("/api/v5/public/time", []), "topic"),
        (frame(SWAP, "<html>"), "json"),
    ],
)
def test_whole_pages_refused(message, reason):
    assert reason_of(codec(), message) == reason


def depth(**more):
    row = {
        "asks": [["2.01", "3", "0", "2"], ["2.02", "4", "0", "2"]],
        "bids": [["1.99", "5", "0", "1"], ["1.98", "x", "0", "1"]],
        "ts": str(T0),
        "seqId": 5,
    }
    return answer(BOOK, [row | more])


def test_depth_in_coins():
    (book,) = learned().decode(depth())
    asks = ((2.01, 30.0), (2.02, 40.0))
    assert book == ScanBook("okx:perp:OP-USDT-SWAP", ((1.99, 50.0),), asks, T0)


def test_depth_refused():
    assert reason_of(codec(), depth()) == "contract"
    assert reason_of(learned(), depth(asks=[["1.9", "1", "0", "1"]])) == "crossed"
    assert reason_of(learned(), answer(BOOK, [])) == "number"
    assert reason_of(learned(), answer(BOOK, [], code="51001")) == "rest"


def candle(start, close, confirm="1"):
    return [str(start), "1", "1", "1", close, "5", "5", "5", confirm]


def test_minutes_that_are_over():
    path, *_ = Okx().scan_past("okx:perp:OP-USDT-SWAP", T0, 7)
    rows = [candle(T0, "2.2", "0"), candle(T0 - MINUTE, "2.1"), candle(T0 - 2 * MINUTE, "2"), [1]]
    (past,) = codec().decode(answer(path, rows))
    minutes = ((T0 - 2 * MINUTE, 2.0), (T0 - MINUTE, 2.1))
    assert past == ScanPast("okx:perp:OP-USDT-SWAP", minutes=minutes)
    assert reason_of(codec(), answer(path.replace("1m", "5m"), rows)) == "number"
    assert reason_of(codec(), answer(path, [[1], [2]])) == "number"
    assert Okx().scan_past("okx:spot:OP-USDT", T0, 7) == (
        "/api/v5/market/candles?instId=OP-USDT&bar=1m&limit=300",
    )


def settlement(ms, realized, predicted="0.05", symbol="OP-USDT-SWAP"):
    return {
        "instId": symbol,
        "fundingRate": predicted,
        "realizedRate": realized,
        "fundingTime": str(ms),
    }


def test_what_was_charged_comes_before_what_was_predicted():
    _, newest, *older = Okx().scan_past("okx:perp:OP-USDT-SWAP", T0, 90)
    assert newest == "/api/v5/public/funding-rate-history?instId=OP-USDT-SWAP&limit=400"
    assert older[0] == f"{newest}&after={T0 - 399 * HOUR}"
    assert len(older) == 5
    rows = [
        settlement(T0, "0.0001"),
        settlement(T0 - HOUR, ""),
        settlement(T0 - 2 * HOUR, "nan"),
        settlement(T0 - 3 * HOUR, "0.9"),
        settlement(T0 - 4 * HOUR, "0.1", symbol="ADA-USDT-SWAP"),
        settlement(T0 - 5 * HOUR, "-0.0002"),
    ]
    (past,) = codec().decode(answer(newest, rows))
    settled = ((T0 - 5 * HOUR, -0.0002), (T0 - HOUR, 0.05), (T0, 0.0001))
    assert past == ScanPast("okx:perp:OP-USDT-SWAP", settled=settled)
    assert codec().decode(answer(newest, [])) == (ScanPast("okx:perp:OP-USDT-SWAP"),)
    assert reason_of(codec(), answer(newest, [settlement(T0, "0.9")])) == "number"
    assert reason_of(codec(), answer(newest.replace("OP-USDT-SWAP", "OP-USD-SWAP"), [])) == "symbol"


def test_how_often():
    every = {path: Okx().scan_every_s(path) for path in Okx().scan_pages()}
    assert every.pop(CONTRACTS) == 3600.0
    assert all(0.0 <= wait <= 30.0 for wait in every.values())
