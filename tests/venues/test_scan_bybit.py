"""Bybit's scan pages: tickers of whole markets, depth, minutes, settled funding."""

import math

import pytest
from refusal import reason_of
from scan_wire import HOUR, MINUTE, T0, by_key, frame, same

from basisdesk.events import ScanBook, ScanPage, ScanPast
from basisdesk.venues.bybit import Bybit

SPOT, LINEAR = Bybit().scan_pages()
BOOK = "/v5/market/orderbook?category=linear&symbol=1000PEPEUSDT&limit=50"
MINUTES = "/v5/market/kline?category=linear&symbol=1000PEPEUSDT&interval=1&limit=1000"
SETTLED = (
    "/v5/market/funding/history?category=linear&symbol=ADAUSDT&startTime=1&endTime=2&limit=200"
)


def codec():
    return Bybit().codec("bybit.scan")


def answer(path, result, code=0):
    body = {"retCode": code, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": T0 + 7}
    return frame(path, body)


def listed(path, rows, category="linear", **more):
    return answer(path, {"category": category, "list": rows, **more})


def linear_row(symbol="ADAUSDT", **more):
    return {
        "symbol": symbol,
        "lastPrice": "0.8214",
        "bid1Price": "0.8213",
        "bid1Size": "1500",
        "ask1Price": "0.8214",
        "ask1Size": "900",
        "markPrice": "0.82135",
        "indexPrice": "0.8217",
        "openInterest": "215000000",
        "turnover24h": "4936790.5",
        "fundingRate": "-0.0001",
        "fundingIntervalHour": "4",
        "fundingCap": "0.01",
        "nextFundingTime": str(T0 + HOUR),
        "deliveryTime": "0",
        **more,
    }


DATED = linear_row("BTCUSDT-25DEC26", fundingRate="", nextFundingTime="", fundingIntervalHour="")


def read(*rows):
    return by_key(codec().decode(listed(LINEAR, rows)))


def test_linear_page():
    (page,) = codec().decode(listed(LINEAR, [linear_row(), DATED]))
    assert isinstance(page, ScanPage)
    assert (page.venue, page.venue_ms, len(page.rows)) == ("bybit", T0 + 7, 1)
    assert same(
        page.rows[0],
        instrument="bybit:perp:ADAUSDT",
        bid=0.8213,
        bid_size=1500.0,
        ask=0.8214,
        ask_size=900.0,
        mark=0.82135,
        index=0.8217,
        rate=-0.0001,
        interval_h=4.0,
        next_ms=T0 + HOUR,
        cap=0.01,
        open_interest=215e6,
        turnover_day=4936790.5,
    )


@pytest.mark.parametrize(
    ("symbol", "unit"), [("1000PEPEUSDT", 1e3), ("SHIB1000USDT", 1e3), ("BTCPERP", 1.0)]
)
def test_prices_are_for_one_coin_and_sizes_in_coins(symbol, unit):
    row = read(linear_row(symbol))[f"bybit:perp:{symbol}"]
    assert math.isclose(row.bid, 0.8213 / unit)
    assert math.isclose(row.ask, 0.8214 / unit)
    assert math.isclose(row.mark, 0.82135 / unit)
    assert math.isclose(row.index, 0.8217 / unit)
    assert (row.bid_size, row.ask_size) == (1500 * unit, 900 * unit)
    assert (row.open_interest, row.turnover_day) == (215e6 * unit, 4936790.5)


def test_spot_page_has_a_best_bid_and_ask():
    rows = [
        {
            "symbol": "BTCUSDT",
            "bid1Price": "20517.96",
            "bid1Size": "2",
            "ask1Price": "20517.97",
            "ask1Size": "1.5",
            "turnover24h": "141946527.2",
            "usdIndexPrice": "20784.12",
        },
        {"symbol": "ETHBTC", "bid1Price": "0.05", "bid1Size": "2", "ask1Price": "0.06"},
    ]
    found = by_key(codec().decode(listed(SPOT, rows, "spot")))
    assert list(found) == ["bybit:spot:BTCUSDT"]
    assert same(
        found["bybit:spot:BTCUSDT"],
        instrument="bybit:spot:BTCUSDT",
        bid=20517.96,
        bid_size=2.0,
        ask=20517.97,
        ask_size=1.5,
        turnover_day=141946527.2,
    )


@pytest.mark.parametrize("ask", ["0.8213", "0.7"])
def test_crossed_sides_are_no_touch_and_funding_stays(ask):
    row = read(linear_row(ask1Price=ask))["bybit:perp:ADAUSDT"]
    assert all(map(math.isnan, (row.bid, row.bid_size, row.ask, row.ask_size)))
    assert (row.rate, row.mark) == (-0.0001, 0.82135)


@pytest.mark.parametrize(
    "odd",
    ["", "0", "nan", "inf", "1e999", "-1", "1_0", "1e308", " 1 ", "１", None, True, [], 10**400],
)
def test_a_price_that_is_none_takes_its_side_alone(odd):
    row = read(linear_row(bid1Price=odd, indexPrice=odd))["bybit:perp:ADAUSDT"]
    assert all(map(math.isnan, (row.bid, row.bid_size, row.index)))
    assert (row.ask, row.ask_size, row.mark, row.rate) == (0.8214, 900.0, 0.82135, -0.0001)


@pytest.mark.parametrize("odd", ["", "nan", "1e999", "0.17", "-0.17", None])
def test_a_rate_that_is_none_is_not_said(odd):
    row = read(linear_row(fundingRate=odd, fundingIntervalHour=odd, fundingCap="nan"))
    row = row["bybit:perp:ADAUSDT"]
    assert math.isnan(row.rate)
    assert row.cap == 0.0
    assert row.bid == 0.8213


def test_nothing_behind_a_price_is_no_side_but_an_unsaid_size_is():
    rows = read(linear_row(bid1Size="0"), linear_row("XRPUSDT", bid1Size="nan"))
    assert math.isnan(rows["bybit:perp:ADAUSDT"].bid)
    assert rows["bybit:perp:XRPUSDT"].bid == 0.8213
    assert math.isnan(rows["bybit:perp:XRPUSDT"].bid_size)


def test_odd_rows_are_left_out_and_the_others_stay():
    nameless = linear_row()
    del nameless["symbol"]
    bare = {"symbol": "SOLUSDT"}
    rows = read(nameless, 7, None, "x", linear_row("a:b"), linear_row(""), bare, linear_row())
    assert list(rows) == ["bybit:perp:ADAUSDT"]


def test_missing_fields_are_not_said():
    row = read({"symbol": "ADAUSDT", "markPrice": "0.8"})["bybit:perp:ADAUSDT"]
    assert same(row, instrument="bybit:perp:ADAUSDT", mark=0.8)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (answer(LINEAR, {}, code=10001), "rest"),
        (listed(LINEAR, []), "number"),
        (listed(LINEAR, [1, {}]), "number"),
        (listed(LINEAR, [linear_row("ETHBTC")]), "symbol"),
        (listed(LINEAR, [linear_row()], "spot"), "symbol"),
        (listed(LINEAR, {}), "type"),
        (answer(LINEAR, {}), "type"),
        (frame(LINEAR, "<html>"), "json"),
        (frame(LINEAR, ""), "json"),
        (listed("/v5/market/time", []), "topic"),
        (listed("/v5/market/instruments-info?category=spot", []), "topic"),
    ],
)
def test_whole_pages_refused(message, reason):
    assert reason_of(codec(), message) == reason


def depth(path=BOOK, **more):
    return answer(
        path,
        {
            "s": "1000PEPEUSDT",
            "b": [["0.0112", "50"], ["0.0113", "20"]],
            "a": [["0.0115", "70"], ["0.0114", "30"]],
            "ts": T0 + 3,
            "cts": T0,
            "u": 1,
            **more,
        },
    )


def test_depth_for_one_coin_best_first():
    (book,) = codec().decode(depth())
    assert isinstance(book, ScanBook)
    assert (book.instrument, book.venue_ms) == ("bybit:perp:1000PEPEUSDT", T0 + 3)
    assert book.bids == ((0.0113 / 1e3, 20e3), (0.0112 / 1e3, 50e3))
    assert book.asks == ((0.0114 / 1e3, 30e3), (0.0115 / 1e3, 70e3))


def test_odd_levels_are_left_out():
    odd = [["nan", "1"], ["0.01", "0"], ["0.011"], None, ["1e999", "2"], ["0.0112", "50"]]
    (book,) = codec().decode(depth(b=odd))
    assert book.bids == ((0.0112 / 1e3, 50e3),)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"b": [["0.02", "1"]]}, "crossed"),
        ({"s": "ADAUSDT"}, "symbol"),
        ({"b": [], "a": []}, "number"),
        ({"b": [["x", "1"]]}, "number"),
        ({"b": 7}, "type"),
    ],
)
def test_depth_refused(more, reason):
    assert reason_of(codec(), depth(**more)) == reason


def test_closed_minutes_oldest_first():
    rows = [
        [str(T0), "1", "1", "1", "0.9", "5", "5"],  # still runs
        [str(T0 - MINUTE), "1", "1", "1", "0.8", "5", "5"],
        [str(T0 - 2 * MINUTE), "1", "1", "1", "nan", "5", "5"],
        [str(T0 - 3 * MINUTE + 1), "1", "1", "1", "0.6", "5", "5"],
        [str(T0 - 4 * MINUTE), "1", "1", "1", "0.5", "5", "5"],
    ]
    (past,) = codec().decode(listed(MINUTES, rows, symbol="1000PEPEUSDT"))
    minutes = ((T0 - 4 * MINUTE, 0.5 / 1e3), (T0 - MINUTE, 0.8 / 1e3))
    assert past == ScanPast("bybit:perp:1000PEPEUSDT", minutes=minutes)


def settlement(ms, rate, symbol="ADAUSDT"):
    return {"symbol": symbol, "fundingRate": rate, "fundingRateTimestamp": str(ms)}


def test_settled_rates_oldest_first_without_the_impossible():
    rows = [
        settlement(T0, "0.0001"),
        settlement(T0 - HOUR, "-0.00025"),
        settlement(T0 - 2 * HOUR, "0.161"),
        settlement(T0 - 3 * HOUR, "nan"),
        settlement(T0 - 4 * HOUR, "inf"),
        settlement(T0 - 5 * HOUR, "0.16"),
        settlement(T0 - 6 * HOUR, "0.1", "XRPUSDT"),
        {"symbol": "ADAUSDT"},
    ]
    (past,) = codec().decode(listed(SETTLED, rows))
    settled = ((T0 - 5 * HOUR, 0.16), (T0 - HOUR, -0.00025), (T0, 0.0001))
    assert past == ScanPast("bybit:perp:ADAUSDT", settled=settled)


def test_a_window_before_the_listing_is_empty_and_no_fault():
    assert codec().decode(listed(SETTLED, [])) == (ScanPast("bybit:perp:ADAUSDT"),)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (listed(SETTLED, [settlement(T0, "0.9")]), "number"),
        (listed(SETTLED, [settlement(T0, "0.1", "XRPUSDT")]), "symbol"),
        (listed(MINUTES, [], symbol="ADAUSDT"), "symbol"),
        (listed(MINUTES.replace("interval=1", "interval=5"), [], symbol="1000PEPEUSDT"), "symbol"),
        (answer(SETTLED, {}, code=10006), "rest"),
    ],
)
def test_past_refused(message, reason):
    assert reason_of(codec(), message) == reason


def test_paths():
    venue = Bybit()
    assert [venue.scan_every_s(path) for path in venue.scan_pages()] == [0.0, 0.0]
    assert venue.scan_book("bybit:perp:1000PEPEUSDT") == BOOK
    assert venue.scan_leg("bybit:perp:ADAUSDT") == ()
    newest, *pages = venue.scan_past("bybit:perp:1000PEPEUSDT", T0, 90)
    assert newest == MINUTES
    assert len(pages) == 11  # 2,161 hours, 200 a page
    assert venue.scan_past("bybit:spot:ADAUSDT", T0, 90) == (
        "/v5/market/kline?category=spot&symbol=ADAUSDT&interval=1&limit=1000",
    )
