"""Bybit for the scanner: which paths to ask for, and how their answers are read.

    /v5/market/tickers?category=spot, ...=linear              best bid and ask, mark, index, funding
    /v5/market/orderbook?category=C&symbol=S&limit=50         depth
    /v5/market/kline?category=C&symbol=S&interval=1&limit=1000  minutes
    /v5/market/funding/history?category=linear&symbol=S&startTime=A&endTime=B&limit=200  settled

Shapes: official pages of 2026-07. Spot tickers have bid1 and ask1 over HTTP, unlike on the socket.
"""

from functools import lru_cache
from math import isnan, nan

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import ScanRow
from basisdesk.venues.bybit_rest import check, decode_envelope, key_of, multiplier_of
from basisdesk.venues.instrument import split_key
from basisdesk.venues.reading import (
    MINUTE_MS,
    Amount,
    Events,
    Hours,
    Millis,
    MillisGiven,
    PriceOrNone,
    Size,
    given,
)
from basisdesk.venues.rest_reading import Answer, only, typed
from basisdesk.venues.scan_codec import (
    NAMES_KEPT,
    PageCap,
    PageRate,
    Rows,
    Turnover,
    book,
    candle_rows,
    dollar,
    minutes,
    page,
    settled,
    touch,
    windows,
)

PAGES = ("/v5/market/tickers?category=spot", "/v5/market/tickers?category=linear")
SETTLED_ROWS = 200  # a page of settled funding


class _List(msgspec.Struct, gc=False):
    category: str
    list: msgspec.Raw
    symbol: str = ""


class _TickerRow(msgspec.Struct, gc=False):
    symbol: str
    bid1Price: PriceOrNone = nan
    bid1Size: Size = nan
    ask1Price: PriceOrNone = nan
    ask1Size: Size = nan
    markPrice: PriceOrNone = nan
    indexPrice: PriceOrNone = nan
    fundingRate: PageRate = nan
    fundingIntervalHour: Hours = 0.0
    nextFundingTime: Millis = 0
    fundingCap: PageCap = 0.0
    openInterest: Amount = nan
    turnover24h: Turnover = nan


class _Depth(msgspec.Struct, gc=False):
    s: str
    b: msgspec.Raw
    a: msgspec.Raw
    ts: Millis = 0
    cts: Millis = 0


class _SettledRow(msgspec.Struct, gc=False):
    symbol: str
    fundingRateTimestamp: MillisGiven
    fundingRate: float


_tickers = Rows(_TickerRow)
_settlements = Rows(_SettledRow)


def book_path(instrument: str) -> str:
    """REST path of the depth of one instrument."""
    return f"/v5/market/orderbook?{_which(instrument)}&limit=50"


def past_paths(instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
    """REST paths of the last 1,000 minutes; of a perpetual also its settled funding."""
    which = _which(instrument)
    newest = f"/v5/market/kline?{which}&interval=1&limit=1000"
    if split_key(instrument)[1] == "spot":
        return (newest,)
    history = f"/v5/market/funding/history?{which}"
    return (
        newest,
        *(
            f"{history}&startTime={first}&endTime={last}&limit={SETTLED_ROWS}"
            for first, last in windows(now_ms, days, SETTLED_ROWS)
        ),
    )


def _which(instrument: str) -> str:
    _, market, symbol = split_key(instrument)
    return f"category={'spot' if market == 'spot' else 'linear'}&symbol={symbol}"


def read_scan(answer: Answer) -> Events:
    """Events of one answer of "bybit.scan"."""
    said = decode_envelope(answer.body)
    if said.retCode != 0:
        raise BadFrame("rest")
    if answer.path == "/v5/market/orderbook":
        return _book(typed(said.result, _Depth), answer)
    read = _PAGES.get(answer.path)
    if read is None:
        raise BadFrame("topic")
    told = typed(said.result, _List)
    check(answer.query, category=told.category)
    return read(told, said.time, answer)


@lru_cache(NAMES_KEPT)
def _named(category: str, symbol: str) -> tuple[str, float] | None:
    try:
        return dollar(key_of(category, symbol), float(multiplier_of(symbol)))
    except ValueError:
        return None


def _page(told: _List, time_ms: int, _: Answer) -> Events:
    rows, found = _tickers.list_of(told.list), []
    for row in rows:
        named = _named(told.category, row.symbol)
        if named is not None:
            said = _row(row, *named)
            if said is not None:
                found.append(said)
    return page("bybit", found, len(rows), time_ms)


def _row(row: _TickerRow, key: str, unit: float) -> ScanRow | None:
    """What the row says for one coin; None where it says nothing."""
    bid, bid_size, ask, ask_size = touch(row.bid1Price, row.bid1Size, row.ask1Price, row.ask1Size)
    mark, index, held = given(row.markPrice), given(row.indexPrice), row.openInterest
    if isnan(bid) and isnan(ask) and isnan(mark) and isnan(row.fundingRate):
        return None
    if unit != 1.0:
        bid, ask, mark, index = bid / unit, ask / unit, mark / unit, index / unit
        bid_size, ask_size, held = bid_size * unit, ask_size * unit, held * unit
    return ScanRow(
        key,
        bid,
        bid_size,
        ask,
        ask_size,
        mark,
        index,
        row.fundingRate,
        row.fundingIntervalHour,
        row.nextFundingTime,
        row.fundingCap,
        held,
        row.turnover24h,
    )


def _book(row: _Depth, answer: Answer) -> Events:
    check(answer.query, symbol=row.s)
    key = key_of(answer.query.get("category", ""), row.s)
    return book(key, (row.b, row.a), row.ts or row.cts, unit=float(multiplier_of(row.s)))


def _minutes(told: _List, time_ms: int, answer: Answer) -> Events:
    check(answer.query, interval="1", symbol=told.symbol)
    key, unit = key_of(told.category, told.symbol), float(multiplier_of(told.symbol))
    # The newest candle may still be open: its close is not a close yet.
    rows = candle_rows.list_of(told.list)
    closed = (row for row in rows if not time_ms or row.start + MINUTE_MS <= time_ms)
    return minutes(key, ((row.start, row.close / unit) for row in closed))


def _settled(told: _List, _time_ms: int, answer: Answer) -> Events:
    symbol = answer.query.get("symbol", "")
    rows = only(_settlements.list_of(told.list), symbol, lambda row: row.symbol)
    rates = [(row.fundingRateTimestamp, row.fundingRate) for row in rows]
    return settled(key_of(told.category, symbol), rates)


_PAGES = {
    "/v5/market/tickers": _page,
    "/v5/market/kline": _minutes,
    "/v5/market/funding/history": _settled,
}
