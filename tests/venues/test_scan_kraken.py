"""Kraken's scan pages: names of pairs, contracts, pairs, depth, the past."""

import math

import pytest
from refusal import reason_of
from scan_wire import HOUR, MINUTE, T0, by_key, frame, same

from basisdesk.events import ScanBook, ScanPast
from basisdesk.venues.kraken import Kraken

NAMES, CONTRACTS, PAIRS = Kraken().scan_pages()
NOW = "2026-09-23T04:00:00.123Z"  # T0 and 123 ms


def codec():
    return Kraken().codec("kraken.scan")


def spot(path, result, error=()):
    return frame(path, {"error": list(error), "result": result})


def contracts(*rows, **more):
    return frame(CONTRACTS, {"result": "success", "serverTime": NOW, "tickers": list(rows), **more})


def ticker(symbol="PF_XBTUSD", **more):
    return {
        "symbol": symbol,
        "tag": "perpetual",
        "last": 86710.0,
        "lastTime": "2026-09-23T03:59:00.000Z",
        "markPrice": 86712.4,
        "bid": 86710.0,
        "bidSize": 1.25,
        "ask": 86711.0,
        "askSize": 0.9,
        "vol24h": 3140.1,
        "volumeQuote": 272e6,
        "openInterest": 1580.12,
        "indexPrice": 86752.0,
        "fundingRate": 1.0844,  # USD a coin an hour
        "fundingRatePrediction": 0.91,
        "suspended": False,
        **more,
    }


def pair(bid="0.8213", ask="0.8214", bid_size="1500.000", ask_size="900.500"):
    return {
        "a": [ask, "900", ask_size],
        "b": [bid, "1500", bid_size],
        "c": ["0.8213", "10.0"],
        "v": ["1000.0", "2000.0"],
        "p": ["0.81", "0.82"],
        "t": [5, 9],
        "o": "0.8",
    }


def test_contracts_and_the_rate_as_a_fraction():
    (page,) = codec().decode(contracts(ticker(), ticker("PI_XBTUSD"), ticker("FF_XBTUSD_261225")))
    assert (page.venue, page.venue_ms) == ("kraken", T0 + 123)
    (row,) = page.rows
    assert same(
        row,
        instrument="kraken:perp:PF_XBTUSD",
        bid=86710.0,
        bid_size=1.25,
        ask=86711.0,
        ask_size=0.9,
        mark=86712.4,
        index=86752.0,
        rate=1.0844 / 86752.0,
        interval_h=1.0,
        next_ms=T0 + HOUR,
        cap=0.0025,
        open_interest=1580.12,
        turnover_day=272e6,
    )
    assert math.isclose(row.rate, 1.25e-5, rel_tol=1e-3)


def test_a_relative_rate_and_a_stamp_are_taken_where_a_page_says_them():
    said = ticker(relativeFundingRate=2e-5, nextFundingRateTime=T0 + 2 * HOUR)
    (row,) = by_key(codec().decode(contracts(said))).values()
    assert (row.rate, row.next_ms) == (2e-5, T0 + 2 * HOUR)


def test_odd_figures_of_contracts():
    rows = [
        ticker(indexPrice=0),  # no index, no fraction
        ticker("PF_ETHUSD", fundingRate=None, bid=None),
        ticker("PF_ADAUSD", fundingRate=20000.0),  # beyond what a rate can be
        ticker("PF_SOLUSD", suspended=True),
        ticker("PF_XRPUSD", ask=86709.0),
        {"symbol": "PF_DOTUSD"},
        {"symbol": None},
        "x",
    ]
    found = by_key(codec().decode(contracts(*rows)))
    named = {key.removeprefix("kraken:perp:PF_"): row for key, row in found.items()}
    assert sorted(named) == ["ADAUSD", "ETHUSD", "SOLUSD", "XBTUSD", "XRPUSD"]
    for name in ("XBTUSD", "ETHUSD", "ADAUSD"):
        assert math.isnan(named[name].rate)
        assert (named[name].interval_h, named[name].next_ms, named[name].cap) == (0.0, 0, 0.0)
    assert math.isnan(named["ETHUSD"].bid)
    assert named["ETHUSD"].ask == 86711.0
    for name in ("SOLUSD", "XRPUSD"):
        assert math.isnan(named[name].bid)
        assert math.isnan(named[name].ask_size)
        assert math.isclose(named[name].rate, 1.25e-5, rel_tol=1e-3)


def test_a_number_out_of_range_takes_its_figure_alone():
    text = contracts(ticker()).replace(b"86710.0", b"1e999")
    (row,) = by_key(codec().decode(text)).values()
    assert math.isnan(row.bid)
    assert row.ask == 86711.0


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("XXBTZUSD", "BTC/USD"),
        ("XETHZUSD", "ETH/USD"),
        ("XDGUSD", "DOGE/USD"),
        ("XBTUSDT", "BTC/USDT"),
        ("ADAUSD", "ADA/USD"),
        ("XTZUSD", "XTZ/USD"),
        ("USDTZUSD", "USDT/USD"),
        ("USDCUSD", "USDC/USD"),
        ("ZECUSD", "ZEC/USD"),
    ],
)
def test_pairs_by_name_alone(name, symbol):
    (row,) = by_key(codec().decode(spot(PAIRS, {name: pair(), "XXBTZEUR": pair()}))).values()
    assert same(
        row,
        instrument=f"kraken:spot:{symbol}",
        bid=0.8213,
        bid_size=1500.0,
        ask=0.8214,
        ask_size=900.5,
        turnover_day=2000 * 0.82,
    )


def test_pairs_by_the_list_of_names():
    reader = codec()
    names = {
        "QQQZZZ": {"altname": "QQQUSD", "wsname": "QQQ/USD", "status": "online"},
        "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD"},
        "XXBTZUSD.d": {"altname": "XBTUSD.d", "wsname": "nonsense"},
        "AAA": {"altname": "AAA"},
        "BBB": 7,
    }
    assert reader.decode(spot(NAMES, names)) == ()
    rows = {"QQQZZZ": pair(), "XXBTZUSD": pair(), "XXBTZUSD.d": pair(), "AAA": pair()}
    found = by_key(reader.decode(spot(PAIRS, rows)))
    assert list(found) == ["kraken:spot:QQQ/USD", "kraken:spot:BTC/USD"]
    assert reason_of(reader, spot(NAMES, {}, ["EGeneral:Too many requests"])) == "rest"
    assert reason_of(reader, spot(NAMES, {"A": {}})) == "number"
    assert "kraken:spot:QQQ/USD" in by_key(reader.decode(spot(PAIRS, rows)))


def test_odd_pairs():
    rows = {
        "ADAUSD": pair(bid_size="0.000"),  # less than half a thousandth, and not nothing
        "XRPUSD": pair(ask="0.8"),  # crossed, and nothing else is said here
        "SOLUSD": pair(ask="nan"),
        "DOTUSD": {"a": ["0.8", "1"], "b": ["0.7", "1", "1.000"], "v": None},
        "LTCUSD": [],
    }
    found = by_key(codec().decode(spot(PAIRS, rows)))
    named = {key.removeprefix("kraken:spot:"): row for key, row in found.items()}
    assert sorted(named) == ["ADA/USD", "DOT/USD", "SOL/USD"]
    assert named["ADA/USD"].bid == 0.8213
    assert math.isnan(named["ADA/USD"].bid_size)
    assert (named["SOL/USD"].bid, named["SOL/USD"].bid_size) == (0.8213, 1500.0)
    assert math.isnan(named["SOL/USD"].ask)
    assert same(named["DOT/USD"], instrument="kraken:spot:DOT/USD", bid=0.7, bid_size=1.0)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (spot(PAIRS, {}, ["EService:Unavailable"]), "rest"),
        (frame(CONTRACTS, {"result": "error", "error": "apiLimitExceeded"}), "rest"),
        (spot(PAIRS, {}), "number"),
        (spot(PAIRS, {"ADAUSD": 1}), "number"),
        (spot(PAIRS, {"XXBTZEUR": pair()}), "symbol"),
        (contracts(), "number"),
        (contracts(ticker("PI_XBTUSD")), "symbol"),
        (contracts(tickers=7), "type"),
        (frame(CONTRACTS, "<html>"), "json"),
        (frame(PAIRS, "<html>"), "json"),
        (frame("/derivatives/api/v3/instruments", {"result": "success"}), "topic"),
    ],
)
def test_whole_pages_refused(message, reason):
    assert reason_of(codec(), message) == reason


def test_depth_of_a_pair():
    path = Kraken().scan_book("kraken:spot:BTC/USD")
    assert path == "/0/public/Depth?pair=XBTUSD&count=100"
    book = {
        "asks": [["30384.2", "2.059", 1688671659], ["30387.9", "1.5", 1688671380]],
        "bids": [["30297.0", "1.115", 1688671636], ["30296.7", "2.0", 1688671674]],
    }
    (said,) = codec().decode(spot(path, {"XXBTZUSD": book}))
    assert said == ScanBook(
        "kraken:spot:BTC/USD",
        ((30297.0, 1.115), (30296.7, 2.0)),
        ((30384.2, 2.059), (30387.9, 1.5)),
    )
    assert reason_of(codec(), spot(path, {"XETHZUSD": book})) == "symbol"
    assert reason_of(codec(), spot(path, {})) == "number"
    assert reason_of(codec(), spot(path, {}, ["EQuery:Unknown asset pair"])) == "rest"


def test_depth_of_a_contract():
    path = Kraken().scan_book("kraken:perp:PF_XBTUSD")
    said = {
        "result": "success",
        "serverTime": NOW,
        "orderBook": {"bids": [[86710, 1.25], [86709, 3]], "asks": [[86712, 2], [86711, 0.9]]},
    }
    (book,) = codec().decode(frame(path, said))
    assert book == ScanBook(
        "kraken:perp:PF_XBTUSD",
        ((86710.0, 1.25), (86709.0, 3.0)),
        ((86711.0, 0.9), (86712.0, 2.0)),
        T0 + 123,
    )
    many = [[86712 + i, 1] for i in range(500)]
    said["orderBook"]["asks"] = many
    (book,) = codec().decode(frame(path, said))
    assert book.asks == tuple((86712.0 + i, 1.0) for i in range(100))
    assert reason_of(codec(), frame(path.replace("PF_", "PI_"), said)) == "symbol"
    assert reason_of(codec(), frame(path, {"result": "error", "error": "x"})) == "rest"


def test_minutes_of_a_pair():
    (path,) = Kraken().scan_past("kraken:spot:BTC/USD", T0, 30)
    assert path == "/0/public/OHLC?pair=XBTUSD&interval=1"
    start = T0 // 1000
    rows = [
        [start - 120, "1", "1", "1", "0.5", "1", "1", 1],
        [start - 60, "1", "1", "1", "nan", "1", "1", 1],
        [start, "1", "1", "1", "0.7", "1", "1", 1],
        [start + 60, "1", "1", "1", "0.8", "1", "1", 1],
    ]
    result = {"XXBTZUSD": rows, "last": start}
    (past,) = codec().decode(spot(path, result))
    minutes = ((T0 - 2 * MINUTE, 0.5), (T0, 0.7))
    assert past == ScanPast("kraken:spot:BTC/USD", minutes=minutes)
    assert reason_of(codec(), spot(path, {"XETHZUSD": rows, "last": start})) == "symbol"
    assert reason_of(codec(), spot(path, {"last": start})) == "number"


def test_minutes_and_settled_funding_of_a_contract():
    path, history = Kraken().scan_past("kraken:perp:PF_XBTUSD", T0 + 5, 90)
    last = T0 - MINUTE
    first = last - 1999 * MINUTE
    assert path == f"/api/charts/v1/trade/PF_XBTUSD/1m?from={first // 1000}&to={last // 1000}"
    rows = [
        {"time": last, "open": "1", "high": "1", "low": "1", "close": "0.5", "volume": 1},
        {"time": T0, "open": "1", "high": "1", "low": "1", "close": "0.6", "volume": 1},
        {"time": last - MINUTE, "close": ""},
    ]
    (past,) = codec().decode(frame(path, {"candles": rows, "more_candles": False}))
    assert past == ScanPast("kraken:perp:PF_XBTUSD", minutes=((last, 0.5),))
    assert reason_of(codec(), frame(path, {"errors": [{"msg": "no"}]})) == "rest"
    assert reason_of(codec(), frame(path.partition("&")[0], {"candles": rows})) == "number"
    rates = [
        {"timestamp": "2026-09-23T04:00:00Z", "fundingRate": 1.1, "relativeFundingRate": 2e-5},
        {"timestamp": "2026-09-23T03:00:00Z", "fundingRate": 1.1, "relativeFundingRate": -1e-5},
        {"timestamp": "2026-09-23T02:00:00Z", "fundingRate": 1.1, "relativeFundingRate": 1.1},
        {"timestamp": "2026-09-23T01:00:00Z", "fundingRate": 1.1},
        {"timestamp": "yesterday", "relativeFundingRate": 1e-5},
        {"timestamp": "0001-01-01T00:00:00+01:00", "relativeFundingRate": 1e-5},
    ]
    (past,) = codec().decode(frame(history, {"result": "success", "rates": rates}))
    settled = ((T0 - HOUR, -1e-5), (T0, 2e-5))
    assert past == ScanPast("kraken:perp:PF_XBTUSD", settled=settled)
    for odd in (rates[2:3], rates[3:5], rates[5:]):
        assert reason_of(codec(), frame(history, {"rates": odd})) == "number"
    assert codec().decode(frame(history, {"rates": []})) == (ScanPast("kraken:perp:PF_XBTUSD"),)


def test_years_of_hours_come_and_the_newest_are_kept():
    _, history = Kraken().scan_past("kraken:perp:PF_XBTUSD", T0, 90)
    text = "".join(
        f'{{"timestamp":"{2020 + at // 8760}-01-{at // 24 % 28 + 1:02d}T{at % 24:02d}:00:00Z",'
        f'"relativeFundingRate":{at}e-9}},'
        for at in range(25_000)
    )
    body = f'{{"result":"success","rates":[{text.rstrip(",")}]}}'
    (past,) = codec().decode(frame(history, body))
    assert 600 < len(past.settled) <= 9_600
    assert past.settled == tuple(sorted(past.settled))


def test_how_often():
    assert [Kraken().scan_every_s(path) for path in Kraken().scan_pages()] == [3600.0, 0.0, 0.0]
    assert Kraken().scan_leg("kraken:perp:PF_XBTUSD") == ()
