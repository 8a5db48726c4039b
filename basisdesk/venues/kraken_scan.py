"""Kraken for the scanner: which paths to ask for, and how their answers are read.

    /0/public/AssetPairs                                      names of the pairs; gives no event
    /derivatives/api/v3/tickers                               all that is known of contracts
    /0/public/Ticker                                          best bid and ask of pairs
    /0/public/Depth?pair=P&count=100, /derivatives/api/v3/orderbook?symbol=S   depth
    /0/public/OHLC?pair=P&interval=1                          720 minutes of a pair
    /api/charts/v1/trade/S/1m?from=A&to=B                     2,000 minutes of a contract
    /derivatives/api/v4/historicalfundingrates?symbol=S       settled, years of hours

Shapes: docs.kraken.com REST pages (2026-07).
"""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from math import isnan, nan
from operator import attrgetter
from typing import Annotated

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import ScanRow
from basisdesk.venues.instrument import RENAMED, split_key
from basisdesk.venues.kraken_futures import INTERVAL_H
from basisdesk.venues.kraken_rest import (
    CAP_DEFAULT,
    CHART,
    FUNDING_MAX,
    LINEAR,
    Seconds,
    check_futures,
    rest_names,
    rest_pair,
    spot_result,
    v2_symbol,
)
from basisdesk.venues.kraken_spot import Stamp, to_ms
from basisdesk.venues.reading import (
    HOUR_MS,
    MINUTE_MS,
    PRICE_MIN,
    Amount,
    Events,
    Millis,
    MillisGiven,
    Price,
    PriceOrNone,
    Size,
    given,
)
from basisdesk.venues.rest_reading import Answer
from basisdesk.venues.scan_codec import (
    NAMES_KEPT,
    NO_TOUCH,
    RATE_MAX,
    SETTLED_MAX,
    PageRate,
    Rows,
    Turnover,
    book,
    dollar,
    minutes,
    page,
    settled,
    touch,
)

NAMES = "/0/public/AssetPairs"
PAGES = (NAMES, "/derivatives/api/v3/tickers", "/0/public/Ticker")
EVERY_S = {NAMES: 3600.0}
CHART_ROWS = 2_000  # candles of a contract in one answer

YEARS = 2013, 2099  # of a settlement's stamp

# Old coins and currencies have an X or Z before theirs in the names of pairs, in some pairs only
# the currency has. The venue has given no new name of the kind for years.
_OLD = re.compile(r"X(XBT|ETH|LTC|XRP|XLM|XMR|ZEC|ETC|REP|MLN|XDG)Z(USD)|(USDT|EUR|GBP|AUD)Z(USD)")


class _TickerRow(msgspec.Struct, gc=False):
    symbol: str
    bid: PriceOrNone = nan
    bidSize: Size = nan
    ask: PriceOrNone = nan
    askSize: Size = nan
    markPrice: PriceOrNone = nan
    indexPrice: PriceOrNone = nan
    openInterest: Amount = nan
    fundingRate: Annotated[float, Meta(gt=-1e9, lt=1e9)] = nan  # USD a coin an hour
    relativeFundingRate: PageRate = nan  # fraction of the index, where a page says it
    nextFundingRateTime: Millis = 0
    volumeQuote: Turnover = nan
    suspended: bool = False


class _TickerPage(msgspec.Struct, gc=False):
    tickers: msgspec.Raw
    serverTime: Stamp | None = None


class _PairRow(msgspec.Struct, gc=False):
    altname: str
    wsname: str


class _Best(msgspec.Struct, array_like=True, gc=False):
    price: PriceOrNone
    whole: str  # lots, cut off
    size: Size  # to three digits


class _Day(msgspec.Struct, array_like=True, gc=False):
    today: Turnover
    day: Turnover


class _PairTicker(msgspec.Struct, gc=False):
    a: _Best | None = None
    b: _Best | None = None
    v: _Day | None = None  # coins
    p: _Day | None = None  # price, weighted by volume


class _PairDepth(msgspec.Struct, gc=False):
    asks: msgspec.Raw
    bids: msgspec.Raw


class _ContractDepth(msgspec.Struct, gc=False):
    orderBook: _PairDepth
    serverTime: Stamp | None = None


class _Candle(msgspec.Struct, array_like=True, gc=False):
    start: Seconds
    open: Price
    high: Price
    low: Price
    close: Price


class _ChartRow(msgspec.Struct, gc=False):
    time: MillisGiven
    close: Price


class _ChartPage(msgspec.Struct, gc=False):
    candles: msgspec.Raw


class _RateRow(msgspec.Struct, gc=False):
    timestamp: Stamp
    relativeFundingRate: float


class _RatePage(msgspec.Struct, gc=False):
    rates: msgspec.Raw


_stamp = attrgetter("timestamp")
_tickers = Rows(_TickerRow)
_pairs = Rows(_PairRow)
_pair_tickers = Rows(_PairTicker)
_candles = Rows(_Candle)
_chart = Rows(_ChartRow)
_rates = Rows(_RateRow, FUNDING_MAX)


def book_path(instrument: str) -> str:
    """REST path of the depth of one instrument."""
    _, market, symbol = split_key(instrument)
    if market == "spot":
        return f"/0/public/Depth?pair={rest_pair(symbol)}&count=100"
    return f"/derivatives/api/v3/orderbook?symbol={symbol}"


def past_paths(instrument: str, now_ms: int, days: int) -> tuple[str, ...]:  # noqa: ARG001
    """REST paths of one page of minutes; of a contract also of all the funding there is."""
    _, market, symbol = split_key(instrument)
    if market == "spot":
        return (f"/0/public/OHLC?pair={rest_pair(symbol)}&interval=1",)
    last = now_ms - now_ms % MINUTE_MS - MINUTE_MS
    first = last - (CHART_ROWS - 1) * MINUTE_MS
    return (
        f"/api/charts/v1/trade/{symbol}/1m?from={first // 1000}&to={last // 1000}",
        f"/derivatives/api/v4/historicalfundingrates?symbol={symbol}",
    )


class Pages:
    """Reader of "kraken.scan". It remembers what each pair of spot REST is called.

    Before the list of names came, a name is read by the venue's own way of making them.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._spot: dict[str, Callable[[msgspec.Raw, Answer], Events]] = {
            NAMES: self._learn,
            "/0/public/Ticker": self._pair_page,
            "/0/public/Depth": _pair_depth,
            "/0/public/OHLC": _pair_minutes,
        }

    def read(self, answer: Answer) -> Events:
        """Events of one answer, of a spot page or a futures page."""
        if spot := self._spot.get(answer.path):
            return spot(spot_result(answer.body), answer)
        chart = CHART.fullmatch(answer.path)
        futures = partial(_chart_minutes, chart[1]) if chart else _FUTURES.get(answer.path)
        if futures is None:
            raise BadFrame("topic")
        check_futures(answer.body)
        return futures(answer)

    def _learn(self, result: msgspec.Raw, _: Answer) -> Events:
        """No event: the names of the pairs."""
        names = {}
        for name, row in _pairs.named(result):
            try:
                names[name] = names[row.altname] = v2_symbol(row.wsname)
            except ValueError:
                continue  # a dark pool
        if not names:
            raise BadFrame("number")
        self._names = names
        return ()

    def _pair_page(self, result: msgspec.Raw, _: Answer) -> Events:
        told, rows = _pair_tickers.named(result), []
        for name, row in told:
            key = _spot_key(self._names.get(name) or _guess(name))
            if key and (said := _pair_row(row, key)) is not None:
                rows.append(said)
        return page("kraken", rows, len(told))


@lru_cache(NAMES_KEPT)
def _guess(name: str) -> str:
    """The v2 symbol of a pair of spot REST, by its name alone; "" for what is no pair."""
    old = _OLD.fullmatch(name)
    if old is not None:
        base, quote = old[1] or old[3], old[2] or old[4]
        return f"{RENAMED.get(base, base)}/{quote}"
    try:
        return v2_symbol(name)
    except ValueError:
        return ""


@lru_cache(NAMES_KEPT)
def _spot_key(symbol: str) -> str:
    named = dollar(f"kraken:spot:{symbol}", 1.0) if symbol else None
    return named[0] if named else ""


def _pair_row(row: _PairTicker, key: str) -> ScanRow | None:
    """What the row says; None where it says nothing.

    Sizes come cut to three digits: 0.000 is less than half a thousandth, and not nothing.
    """
    bid, bid_size = (row.b.price, row.b.size or nan) if row.b else (nan, nan)
    ask, ask_size = (row.a.price, row.a.size or nan) if row.a else (nan, nan)
    bid, bid_size, ask, ask_size = touch(bid, bid_size, ask, ask_size)
    if isnan(bid) and isnan(ask):
        return None
    turnover = row.v.day * row.p.day if row.v and row.p else nan
    return ScanRow(key, bid, bid_size, ask, ask_size, turnover_day=turnover)


def _pair_depth(result: msgspec.Raw, answer: Answer) -> Events:
    symbol = v2_symbol(answer.query.get("pair", ""))
    ((name, row),) = msgspec.json.decode(result, type=dict[str, _PairDepth]).items()
    if name not in rest_names(symbol):
        raise BadFrame("symbol")
    return book(f"kraken:spot:{symbol}", (row.bids, row.asks))


def _pair_minutes(result: msgspec.Raw, answer: Answer) -> Events:
    if answer.query.get("interval", "1") != "1":
        raise ValueError("candles of another interval than 1 minute")
    said = msgspec.json.decode(result, type=dict[str, msgspec.Raw])
    last = msgspec.json.decode(said.pop("last", msgspec.Raw(b"0")), type=int)
    symbol = v2_symbol(answer.query.get("pair", ""))
    ((name, text),) = said.items()
    if name not in rest_names(symbol):
        raise BadFrame("symbol")
    # The newest row is the running minute; `last` is the newest that is closed.
    closed = ((row.start * 1000, row.close) for row in _candles.list_of(text) if row.start <= last)
    return minutes(f"kraken:spot:{symbol}", closed)


def _contract(answer: Answer) -> str:
    symbol = answer.query.get("symbol", "")
    if not LINEAR.fullmatch(symbol):
        raise BadFrame("symbol")
    return f"kraken:perp:{symbol}"


def _ticker_page(answer: Answer) -> Events:
    said = msgspec.json.decode(answer.body, type=_TickerPage)
    ms, told = to_ms(said.serverTime), _tickers.list_of(said.tickers)
    found = (_contract_row(row, ms) for row in told if LINEAR.fullmatch(row.symbol))
    return page("kraken", [row for row in found if row is not None], len(told), ms)


def _contract_row(row: _TickerRow, ms: int) -> ScanRow | None:
    """What the row says; None where it says nothing. Nobody trades a suspended contract."""
    best = touch(row.bid, row.bidSize, row.ask, row.askSize)
    bid, bid_size, ask, ask_size = NO_TOUCH if row.suspended else best
    mark, rate = given(row.markPrice), _rate(row)
    if isnan(bid) and isnan(ask) and isnan(mark) and isnan(rate):
        return None
    # The page names no stamp: every contract settles on the hour.
    next_ms = row.nextFundingRateTime or (ms - ms % HOUR_MS + HOUR_MS if ms else 0)
    funded = not isnan(rate)
    return ScanRow(
        f"kraken:perp:{row.symbol}",
        bid,
        bid_size,
        ask,
        ask_size,
        mark,
        given(row.indexPrice),
        rate,
        INTERVAL_H if funded else 0.0,
        next_ms if funded else 0,
        CAP_DEFAULT if funded else 0.0,
        row.openInterest,
        row.volumeQuote,
    )


def _rate(row: _TickerRow) -> float:
    """The hour's rate as a fraction of the index.

    `fundingRate` of this page is in USD a coin, and thousands of times larger on bitcoin: an hour
    costs size x absolute rate = size x index x relative rate (support, linear perpetual contracts).
    """
    if not isnan(row.relativeFundingRate):
        return row.relativeFundingRate
    if not row.indexPrice >= PRICE_MIN:
        return nan
    rate = row.fundingRate / row.indexPrice
    return rate if abs(rate) <= RATE_MAX else nan


def _contract_depth(answer: Answer) -> Events:
    key = _contract(answer)
    said = msgspec.json.decode(answer.body, type=_ContractDepth)
    return book(key, (said.orderBook.bids, said.orderBook.asks), to_ms(said.serverTime))


def _settled(answer: Answer) -> Events:
    key = _contract(answer)
    told = _rates.list_of(msgspec.json.decode(answer.body, type=_RatePage).rates)
    told.sort(key=_stamp)  # years of hours come: only the newest are wanted
    return settled(key, [_dated(row) for row in told[-SETTLED_MAX:]])


def _dated(row: _RateRow) -> tuple[int, float]:
    """(ms, rate); no rate where the stamp is none."""
    known = YEARS[0] <= row.timestamp.year <= YEARS[1]
    return (to_ms(row.timestamp), row.relativeFundingRate) if known else (0, nan)


def _chart_minutes(symbol: str, answer: Answer) -> Events:
    until = answer.query.get("to", "")
    if not (until.isascii() and until.isdigit()):
        raise ValueError("candles without an end")  # the newest may still run
    last = int(until[:12]) * 1000
    told = _chart.list_of(msgspec.json.decode(answer.body, type=_ChartPage).candles)
    return minutes(
        f"kraken:perp:{symbol}", ((row.time, row.close) for row in told if row.time <= last)
    )


_FUTURES: dict[str, Callable[[Answer], Events]] = {
    "/derivatives/api/v3/tickers": _ticker_page,
    "/derivatives/api/v3/orderbook": _contract_depth,
    "/derivatives/api/v4/historicalfundingrates": _settled,
}
