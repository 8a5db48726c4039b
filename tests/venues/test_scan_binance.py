"""Binance's scan pages: best prices, intervals, premium, open interest, depth, the past."""

import math

import pytest
from refusal import reason_of
from scan_wire import HOUR, MINUTE, T0, by_key, frame, same

from basisdesk.events import ScanBook, ScanPast
from basisdesk.venues.binance import Binance

SPOT, PERP, INTERVALS, PREMIUM = Binance().scan_pages()
REFUSED = {"code": -1003, "msg": "Too many requests."}


def codec():
    return Binance().codec("binance.scan")


def best(symbol="ADAUSDT", **more):
    return {
        "symbol": symbol,
        "bidPrice": "0.8213",
        "bidQty": "1500.0",
        "askPrice": "0.8214",
        "askQty": "900.0",
        **more,
    }


def premium(symbol="ADAUSDT", **more):
    return {
        "symbol": symbol,
        "markPrice": "0.82135",
        "indexPrice": "0.82170",
        "estimatedSettlePrice": "0.8",
        "lastFundingRate": "0.00005",
        "interestRate": "0.0001",
        "nextFundingTime": T0 + HOUR,
        "time": T0,
        **more,
    }


def interval(symbol, hours=4, cap="0.02"):
    return {
        "symbol": symbol,
        "adjustedFundingRateCap": cap,
        "adjustedFundingRateFloor": "-0.02",
        "fundingIntervalHours": hours,
        "disclaimer": False,
    }


def test_best_prices_of_both_markets():
    (page,) = codec().decode(frame(SPOT, [best(), best("ETHBTC"), best("ADATRY")]))
    assert (page.venue, page.venue_ms) == ("binance", 0)
    touch = {"bid": 0.8213, "bid_size": 1500.0, "ask": 0.8214, "ask_size": 900.0}
    (row,) = page.rows
    assert same(row, instrument="binance:spot:ADAUSDT", **touch)
    told = [best(time=T0), best("XRPUSDT", time=T0 + 9), best("BTCUSDT_261225", time=T0 + 99)]
    (page,) = codec().decode(frame(PERP, told))
    assert page.venue_ms == T0 + 9
    assert same(page.rows[0], instrument="binance:perp:ADAUSDT", **touch)
    assert len(page.rows) == 2


@pytest.mark.parametrize(
    ("symbol", "unit"), [("1000PEPEUSDT", 1e3), ("1MBABYDOGEUSDT", 1e6), ("BTCUSDC", 1.0)]
)
def test_prices_are_for_one_coin(symbol, unit):
    row = by_key(codec().decode(frame(PERP, [best(symbol)])))[f"binance:perp:{symbol}"]
    assert math.isclose(row.bid, 0.8213 / unit)
    assert math.isclose(row.ask_size, 900 * unit)
    row = by_key(codec().decode(frame(PREMIUM, [premium(symbol)])))[f"binance:perp:{symbol}"]
    assert math.isclose(row.mark, 0.82135 / unit)
    assert math.isclose(row.index, 0.8217 / unit)
    assert row.rate == 0.00005


def test_closed_markets_and_odd_rows_are_left_out():
    zero = dict.fromkeys(("bidPrice", "bidQty", "askPrice", "askQty"), "0.00000000")
    rows = [
        best("LUNAUSDT", **zero),
        best("XRPUSDT", askPrice="0.8"),  # crossed, and nothing else is said here
        best("SOLUSDT", askPrice="1e999"),
        best(None),
        {},
        [],
        best(),
    ]
    found = by_key(codec().decode(frame(SPOT, rows)))
    assert list(found) == ["binance:spot:SOLUSDT", "binance:spot:ADAUSDT"]
    assert math.isnan(found["binance:spot:SOLUSDT"].ask_size)
    assert found["binance:spot:SOLUSDT"].bid == 0.8213


def test_an_interval_is_said_only_once_the_exceptions_are_known():
    reader, answer = codec(), frame(PREMIUM, [premium(), premium("XRPUSDT")])
    rows = by_key(reader.decode(answer))
    assert same(
        rows["binance:perp:ADAUSDT"],
        instrument="binance:perp:ADAUSDT",
        mark=0.82135,
        index=0.8217,
        rate=0.00005,
        next_ms=T0 + HOUR,
    )
    told = by_key(reader.decode(frame(INTERVALS, [interval("XRPUSDT"), interval("ETHBTC")])))
    assert list(told) == ["binance:perp:XRPUSDT"]
    assert same(
        told["binance:perp:XRPUSDT"], instrument="binance:perp:XRPUSDT", interval_h=4.0, cap=0.02
    )
    rows = by_key(reader.decode(answer))
    ada, xrp = rows["binance:perp:ADAUSDT"], rows["binance:perp:XRPUSDT"]
    assert (ada.interval_h, ada.cap) == (8.0, 0.0)
    assert (xrp.interval_h, xrp.cap) == (4.0, 0.02)
    # Back to the default: it is not listed any more, and an empty list is no fault.
    assert reader.decode(frame(INTERVALS, [])) == ()
    xrp = by_key(reader.decode(answer))["binance:perp:XRPUSDT"]
    assert (xrp.interval_h, xrp.cap) == (8.0, 0.0)


def test_a_refused_list_of_intervals_leaves_the_known_ones():
    reader = codec()
    reader.decode(frame(INTERVALS, [interval("ADAUSDT", 1)]))
    assert reason_of(reader, frame(INTERVALS, REFUSED)) == "rest"
    assert reason_of(reader, frame(INTERVALS, [{"symbol": "ADAUSDT"}])) == "number"
    row = by_key(reader.decode(frame(PREMIUM, [premium()])))["binance:perp:ADAUSDT"]
    assert row.interval_h == 1.0


@pytest.mark.parametrize("odd", ["", "nan", "1e999", "0.2", None])
def test_odd_premium_figures_are_not_said(odd):
    rows = [premium(lastFundingRate=odd), premium("XRPUSDT", indexPrice="0", markPrice=odd)]
    found = by_key(codec().decode(frame(PREMIUM, rows)))
    assert math.isnan(found["binance:perp:ADAUSDT"].rate)
    assert found["binance:perp:ADAUSDT"].mark == 0.82135
    assert math.isnan(found["binance:perp:XRPUSDT"].index)
    assert found["binance:perp:XRPUSDT"].rate == 0.00005


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (SPOT, REFUSED, "rest"),
        (PREMIUM, REFUSED, "rest"),
        (SPOT, [], "number"),
        (SPOT, [1, {}], "number"),
        (SPOT, [best("ETHBTC")], "symbol"),
        (SPOT, {}, "type"),
        (SPOT, "<html>", "json"),
        ("/api/v3/exchangeInfo", [], "topic"),
    ],
)
def test_whole_pages_refused(path, body, reason):
    assert reason_of(codec(), frame(path, body)) == reason


def test_open_interest_of_one_leg():
    (path,) = Binance().scan_leg("binance:perp:1000PEPEUSDT")
    assert Binance().scan_leg("binance:spot:ADAUSDT") == ()
    body = {"openInterest": "10659.509", "symbol": "1000PEPEUSDT", "time": T0}
    (page,) = codec().decode(frame(path, body))
    assert page.venue_ms == T0
    (row,) = page.rows
    assert same(row, instrument="binance:perp:1000PEPEUSDT", open_interest=10659509.0)
    assert reason_of(codec(), frame(path, body | {"symbol": "ADAUSDT"})) == "symbol"
    assert reason_of(codec(), frame(path, body | {"openInterest": "nan"})) == "type"


def test_depth():
    path = Binance().scan_book("binance:perp:1000PEPEUSDT")
    assert path == "/fapi/v1/depth?symbol=1000PEPEUSDT&limit=100"
    body = {
        "lastUpdateId": 1,
        "E": T0 + 1,
        "T": T0,
        "bids": [["0.0113", "20"], ["0.0112", "50"], ["", "5"]],
        "asks": [["0.0114", "30"]],
    }
    (book,) = codec().decode(frame(path, body))
    assert book == ScanBook(
        "binance:perp:1000PEPEUSDT",
        ((0.0113 / 1e3, 20e3), (0.0112 / 1e3, 50e3)),
        ((0.0114 / 1e3, 30e3),),
        T0,
    )
    crossed = body | {"asks": [["0.0113", "30"]]}
    assert reason_of(codec(), frame(path, crossed)) == "crossed"
    assert reason_of(codec(), frame(path, REFUSED)) == "rest"
    spot = Binance().scan_book("binance:spot:ADAUSDT")
    (book,) = codec().decode(frame(spot, body))
    assert book.instrument == "binance:spot:ADAUSDT"
    assert book.bids[0] == (0.0113, 20.0)


def candle(start, close):
    return [start, "1", "1", "1", close, "5", start + MINUTE - 1, "5", 3, "1", "1", "0"]


def test_minutes_that_are_closed():
    venue = Binance()
    path, *_ = venue.scan_past("binance:perp:1000PEPEUSDT", T0 + 5, 7)
    rows = [candle(T0 - 2 * MINUTE, "0.5"), candle(T0 - MINUTE, "0.6"), candle(T0, "0.7"), ["x"]]
    (past,) = codec().decode(frame(path, rows))
    minutes = ((T0 - 2 * MINUTE, 0.5 / 1e3), (T0 - MINUTE, 0.6 / 1e3))
    assert past == ScanPast("binance:perp:1000PEPEUSDT", minutes=minutes)
    (path,) = venue.scan_past("binance:spot:ADAUSDT", T0, 7)
    assert path == (f"/api/v3/klines?symbol=ADAUSDT&interval=1m&endTime={T0 - MINUTE}&limit=1000")
    (past,) = codec().decode(frame(path, rows))
    assert past.minutes[-1] == (T0 - MINUTE, 0.6)
    assert reason_of(codec(), frame(path.replace("1m", "5m"), rows)) == "number"
    endless = path.partition("&endTime")[0]
    assert reason_of(codec(), frame(endless, rows)) == "number"


def test_settled_rates_belong_to_their_hour():
    _, *paths = Binance().scan_past("binance:perp:ADAUSDT", T0, 90)
    assert len(paths) == 3  # 2,161 hours, 1,000 a page
    rows = [
        {"symbol": "ADAUSDT", "fundingTime": T0 - 8 * HOUR + 4, "fundingRate": "-0.0375"},
        {"symbol": "ADAUSDT", "fundingTime": T0 + 60_000, "fundingRate": "0.0001"},
        {"symbol": "ADAUSDT", "fundingTime": T0 + HOUR, "fundingRate": "0.2"},
        {"symbol": "ADAUSDT", "fundingTime": T0 + 2 * HOUR, "fundingRate": "1e999"},
        {"symbol": "ADAUSDT", "fundingTime": 0, "fundingRate": "0.1"},
    ]
    (past,) = codec().decode(frame(paths[0], rows))
    assert past == ScanPast(
        "binance:perp:ADAUSDT", settled=((T0 - 8 * HOUR, -0.0375), (T0, 0.0001))
    )
    assert codec().decode(frame(paths[0], [])) == (ScanPast("binance:perp:ADAUSDT"),)
    assert reason_of(codec(), frame(paths[0], rows[2:3])) == "number"
    assert reason_of(codec(), frame(paths[0], REFUSED)) == "rest"


def test_how_often():
    every = [Binance().scan_every_s(path) for path in Binance().scan_pages()]
    assert every == [0.0, 0.0, 60.0, 0.0]
