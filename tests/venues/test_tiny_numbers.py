"""Prices too small to be one: none gets out of a codec as 0, whatever is divided off it later."""

import json
import math

import pytest

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, Candles, Quote, Ticker, Trade
from basisdesk.venues import known_venues

TINY = ("1e-323", "5e-324", "2.2e-308", "1e-300", "9e-13")
SMALL = "1e-12"  # the smallest price that is one: a coin of 1e-9 has a thousandth of it to spare

# A price stands at %s, in quotes or bare as the venue has it.
SOCKETS = (
    (
        "binance.public",
        '{"stream":"1000pepeusdt@bookTicker","data":{"u":1,"s":"1000PEPEUSDT","b":"%s","B":"1",'
        '"a":"0.01","A":"1","T":1,"E":1}}',
    ),
    (
        "binance.public",
        '{"stream":"1000pepeusdt@bookTicker","data":{"u":1,"s":"1000PEPEUSDT","b":"0","B":"0",'
        '"a":"%s","A":"1","T":1,"E":1}}',
    ),
    (
        "binance.public",
        '{"stream":"1000pepeusdt@depth@100ms","data":{"s":"1000PEPEUSDT","U":1,"u":2,"pu":0,'
        '"b":[["%s","5"]],"a":[],"T":1,"E":1}}',
    ),
    (
        "binance.market",
        '{"stream":"1mbabydogeusdt@aggTrade","data":{"s":"1MBABYDOGEUSDT","p":"%s","q":"5","T":1,'
        '"m":true}}',
    ),
    (
        "binance.market",
        '{"stream":"1000pepeusdt@markPrice@1s","data":{"s":"1000PEPEUSDT","p":"%s","i":"1",'
        '"r":"0.0001","T":1,"E":1}}',
    ),
    (
        "binance.market",
        '{"stream":"!markPrice@arr@1s","data":[{"s":"1000PEPEUSDT","p":"1","i":"%s","r":"0.0001",'
        '"T":1,"E":1}]}',
    ),
    (
        "bybit.linear",
        '{"topic":"orderbook.1.1000PEPEUSDT","type":"snapshot","ts":1,"data":{"s":"1000PEPEUSDT",'
        '"b":[["%s","1"]],"a":[["1","1"]],"u":5,"seq":1},"cts":1}',
    ),
    (
        "bybit.linear",
        '{"topic":"publicTrade.1000PEPEUSDT","type":"snapshot","ts":1,"data":[{"T":1,'
        '"s":"1000PEPEUSDT","S":"Buy","v":"1","p":"%s","i":"x"}]}',
    ),
    (
        "bybit.linear",
        '{"topic":"tickers.1000PEPEUSDT","type":"snapshot","ts":1,"data":{"symbol":"1000PEPEUSDT",'
        '"markPrice":"%s","indexPrice":"1","openInterest":"1","fundingRate":"0.1",'
        '"nextFundingTime":"1"}}',
    ),
    (
        "okx.public",
        '{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT-SWAP"},"data":[{"asks":[["2","1","0","1"]],'
        '"bids":[["%s","1","0","1"]],"ts":"1","seqId":1}]}',
    ),
    (
        "kraken.futures",
        '{"feed":"book","product_id":"PF_ADAUSD","side":"buy","seq":5,"price":%s,"qty":5,'
        '"timestamp":1}',
    ),
    (
        "kraken.futures",
        '{"feed":"ticker","product_id":"PF_ADAUSD","time":1,"markPrice":%s,"index":%s}',
    ),
    (
        "kraken.spot",
        '{"channel":"trade","type":"update","data":[{"symbol":"ADA/USD","side":"buy","price":%s,'
        '"qty":1.0,"timestamp":"2026-09-22T20:11:52Z"}]}',
    ),
)
ANSWERS = (
    (
        "binance.rest",
        "/fapi/v1/depth?symbol=1000PEPEUSDT&limit=5",
        '{"lastUpdateId":1,"bids":[["%s","1"]],"asks":[["1","1"]]}',
    ),
    (
        "binance.rest",
        "/fapi/v1/klines?symbol=1000PEPEUSDT&interval=1m&endTime=99999999999999",
        '[[60000,"1","1","1","%s","0",1,"0",1,"0","0","0"]]',
    ),
    (
        "kraken.rest",
        "/derivatives/api/v3/tickers",
        '{"result":"success","tickers":[{"symbol":"PF_ADAUSD","markPrice":%s,"indexPrice":%s}]}',
    ),
)


def with_price(text, price):
    return text % ((price,) * text.count("%s"))


def messages(price):
    for conn, text in SOCKETS:
        yield conn, with_price(text, price).encode()
    for conn, path, text in ANSWERS:
        yield conn, json.dumps({"path": path, "data": with_price(text, price)}).encode()


def codec(conn):
    return known_venues()[conn.partition(".")[0]].codec(conn)


def prices_of(event):
    if isinstance(event, Quote):
        return event.bid, event.ask
    if isinstance(event, BookUpdate):
        return [price for price, _ in (*event.bids, *event.asks)]
    if isinstance(event, Trade):
        return (event.price,)
    if isinstance(event, Ticker):
        return event.mark, event.index
    return [close for _, close in event.rows] if isinstance(event, Candles) else ()


@pytest.mark.parametrize("tiny", TINY)
def test_no_price_of_zero_gets_out(tiny):
    for conn, payload in messages(tiny):
        try:
            events = codec(conn).decode(payload)
        except BadFrame as exc:
            assert exc.reason in ("number", "type")
            continue
        for price in (price for event in events for price in prices_of(event)):
            assert math.isnan(price) or price >= 1e-9, payload


def test_the_smallest_price_is_one_and_stays_above_zero():
    for conn, payload in messages(SMALL):
        told = [price for event in codec(conn).decode(payload) for price in prices_of(event)]
        given = [price for price in told if not math.isnan(price)]
        assert given, payload
        assert all(0.0 < price < 1e9 for price in given)


@pytest.mark.parametrize("tiny", TINY)
def test_a_best_price_with_next_to_nothing_behind_it_is_none(tiny):
    binance = SOCKETS[0][1].replace('"B":"1"', f'"B":"{tiny}"') % "0.001"
    (quote,) = codec("binance.public").decode(binance.encode())
    assert math.isnan(quote.bid)
    assert (quote.bid_size, quote.ask) == (0.0, 1e-05)
    bybit = SOCKETS[6][1].replace('["1","1"]', f'["1","{tiny}"]') % "0.5"
    okx = SOCKETS[9][1].replace('["2","1",', f'["2","{tiny}",') % "1"
    for conn, text in (("bybit.linear", bybit), ("okx.public", okx)):
        with pytest.raises(BadFrame, match="number"):
            codec(conn).decode(text.encode())


@pytest.mark.parametrize("huge", ["1e9", "1e15", "9e15"])
def test_a_mark_of_kraken_is_a_price_like_any_other(huge):
    ticker = with_price(SOCKETS[11][1], huge).encode()
    with pytest.raises(BadFrame, match="number"):
        codec("kraken.futures").decode(ticker)
    conn, path, text = ANSWERS[2]
    page = json.dumps({"path": path, "data": with_price(text, huge)}).encode()
    assert codec(conn).decode(page) == ()
