"""Binance for the scanner: which paths to ask for, and how their answers are read.

    /api/v3/ticker/bookTicker, /fapi/v1/ticker/bookTicker     best bid and ask (weight 4 and 5)
    /fapi/v1/fundingInfo                                      intervals that differ from 8 h, caps
    /fapi/v1/premiumIndex                                     mark, index, floating rate (weight 10)
    /fapi/v1/openInterest?symbol=S                            open interest of one perpetual
    /api/v3/depth?symbol=S&limit=100, /fapi/v1/depth?...      depth (weight 5)
    /api/v3/klines?symbol=S&interval=1m&endTime=T&limit=1000  minutes, 1500 on USD-M
    /fapi/v1/fundingRate?symbol=S&startTime=A&endTime=B&limit=1000  settled, oldest first

Shapes: official pages of 2026-07 (spot) and SDK models of 2026-08 (USD-M).
"""

from collections.abc import Callable
from functools import lru_cache
from math import isnan, nan

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import ScanPage, ScanRow
from basisdesk.venues.binance_rest import (
    DEFAULT_HOURS,
    asked,
    key_of,
    market_of,
    refused,
    settled_ms,
)
from basisdesk.venues.instrument import QUOTES, Market, split_key
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
    unit_of,
)
from basisdesk.venues.rest_reading import Answer, only, typed
from basisdesk.venues.scan_codec import (
    NAMES_KEPT,
    PageCap,
    PageRate,
    Rows,
    book,
    candle_rows,
    dollar,
    minutes,
    page,
    settled,
    touch,
    windows,
)

INTERVALS = "/fapi/v1/fundingInfo"
PAGES = (
    "/api/v3/ticker/bookTicker",
    "/fapi/v1/ticker/bookTicker",
    INTERVALS,
    "/fapi/v1/premiumIndex",
)
# Shares 500 requests in 5 minutes with past funding.
EVERY_S = {INTERVALS: 60.0}
SETTLED_ROWS = 1_000  # a page of settled funding


_Read = Callable[[Answer], Events]


class _TopRow(msgspec.Struct, gc=False):
    symbol: str
    bidPrice: PriceOrNone = nan
    bidQty: Size = nan
    askPrice: PriceOrNone = nan
    askQty: Size = nan
    time: Millis = 0  # USD-M only


class _PremiumRow(msgspec.Struct, gc=False):
    symbol: str
    markPrice: PriceOrNone = nan
    indexPrice: PriceOrNone = nan
    lastFundingRate: PageRate = nan
    nextFundingTime: Millis = 0
    time: Millis = 0


class _IntervalRow(msgspec.Struct, gc=False):
    symbol: str
    fundingIntervalHours: Hours
    adjustedFundingRateCap: PageCap = 0.0


class _Held(msgspec.Struct, gc=False):
    symbol: str
    openInterest: Amount
    time: Millis = 0


class _Depth(msgspec.Struct, gc=False):
    bids: msgspec.Raw
    asks: msgspec.Raw
    T: Millis = 0


class _SettledRow(msgspec.Struct, gc=False):
    symbol: str
    fundingTime: MillisGiven
    fundingRate: float


_tops = Rows(_TopRow)
_premiums = Rows(_PremiumRow)
_intervals = Rows(_IntervalRow)
_settlements = Rows(_SettledRow)


def book_path(instrument: str) -> str:
    """REST path of the depth of one instrument."""
    api, symbol = _api(instrument)
    return f"{api}/depth?symbol={symbol}&limit=100"


def leg_paths(instrument: str) -> tuple[str, ...]:
    """REST path of the open interest of a perpetual."""
    api, symbol = _api(instrument)
    return (f"{api}/openInterest?symbol={symbol}",) if api == "/fapi/v1" else ()


def past_paths(instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
    """REST paths of one page of closed minutes; of a perpetual also its settled funding."""
    api, symbol = _api(instrument)
    perp, closed = api == "/fapi/v1", now_ms - now_ms % MINUTE_MS - MINUTE_MS
    most = 1_500 if perp else 1_000
    newest = f"{api}/klines?symbol={symbol}&interval=1m&endTime={closed}&limit={most}"
    if not perp:
        return (newest,)
    history = f"{api}/fundingRate?symbol={symbol}"
    return (
        newest,
        *(
            f"{history}&startTime={first}&endTime={last}&limit={SETTLED_ROWS}"
            for first, last in windows(now_ms, days, SETTLED_ROWS)
        ),
    )


def _api(instrument: str) -> tuple[str, str]:
    _, market, symbol = split_key(instrument)
    return "/api/v3" if market == "spot" else "/fapi/v1", symbol


class Pages:
    """Reader of "binance.scan". It remembers the funding intervals that differ from 8 h.

    The page of intervals lists those alone. Once it was read, premium rows of all others say 8 h;
    before, they say no interval.
    """

    def __init__(self) -> None:
        self._intervals: dict[str, tuple[float, float]] | None = None  # hours, cap; None: not said
        self._readers: dict[str, _Read] = {
            "/api/v3/ticker/bookTicker": _tops_page,
            "/fapi/v1/ticker/bookTicker": _tops_page,
            "/fapi/v1/premiumIndex": self._premium_page,
            INTERVALS: self._interval_page,
            "/fapi/v1/openInterest": _interest,
            "/api/v3/depth": _depth,
            "/fapi/v1/depth": _depth,
            "/api/v3/klines": _minutes,
            "/fapi/v1/klines": _minutes,
            "/fapi/v1/fundingRate": _settled,
        }

    def read(self, answer: Answer) -> Events:
        """Events of one answer."""
        read = self._readers.get(answer.path)
        if read is None:
            raise BadFrame("topic")
        try:
            return read(answer)
        except (BadFrame, ValueError, ArithmeticError, RecursionError):
            if refused(answer.body):
                raise BadFrame("rest") from None
            raise

    def _interval_page(self, answer: Answer) -> Events:
        """Rows of the listed ones; no event where there are none, which is no fault."""
        told = _intervals.list_of(answer.body)
        said = {row.symbol: (row.fundingIntervalHours, row.adjustedFundingRateCap) for row in told}
        rows = []
        for symbol, (hours, cap) in said.items():
            named = _named("perp", symbol)
            if named is not None:
                rows.append(ScanRow(named[0], interval_h=hours, cap=cap))
        self._intervals = said
        return (ScanPage("binance", tuple(rows)),) if rows else ()

    def _premium_page(self, answer: Answer) -> Events:
        told, rows, newest = _premiums.list_of(answer.body), [], 0
        others = 0.0 if self._intervals is None else DEFAULT_HOURS
        known = self._intervals or {}
        for row in told:
            named = _named("perp", row.symbol)
            if named is None:
                continue
            key, unit = named
            mark, index = given(row.markPrice) / unit, given(row.indexPrice) / unit
            rate = row.lastFundingRate
            if isnan(mark) and isnan(rate):
                continue
            hours, cap = known.get(row.symbol, (others, 0.0))
            newest = max(newest, row.time)
            rows.append(
                ScanRow(
                    key,
                    mark=mark,
                    index=index,
                    rate=rate,
                    interval_h=hours,
                    next_ms=row.nextFundingTime,
                    cap=cap,
                )
            )
        return page("binance", rows, len(told), newest)


@lru_cache(NAMES_KEPT)
def _named(market: Market, symbol: str) -> tuple[str, float] | None:
    try:
        return dollar(key_of(market, symbol), float(unit_of(symbol, QUOTES)))
    except BadFrame:
        return None  # a dated contract


def _tops_page(answer: Answer) -> Events:
    market, told = market_of(answer), _tops.list_of(answer.body)
    rows, newest = [], 0
    for row in told:
        named = _named(market, row.symbol)
        if named is None:
            continue
        best = touch(row.bidPrice, row.bidQty, row.askPrice, row.askQty)
        bid, bid_size, ask, ask_size = best
        if isnan(bid) and isnan(ask):
            continue  # the page lists markets that are closed for good
        key, unit = named
        newest = max(newest, row.time)
        rows.append(ScanRow(key, bid / unit, bid_size * unit, ask / unit, ask_size * unit))
    return page("binance", rows, len(told), newest)


def _interest(answer: Answer) -> Events:
    row = typed(answer.body, _Held)
    only([row], asked(answer), lambda each: each.symbol)
    held = row.openInterest * float(unit_of(row.symbol, QUOTES))
    said = ScanRow(key_of("perp", row.symbol), open_interest=held)
    return (ScanPage("binance", (said,), row.time),)


def _depth(answer: Answer) -> Events:
    symbol, row = asked(answer), typed(answer.body, _Depth)
    unit = float(unit_of(symbol, QUOTES))
    return book(key_of(market_of(answer), symbol), (row.bids, row.asks), row.T, unit=unit)


def _minutes(answer: Answer) -> Events:
    symbol, end = asked(answer), answer.query.get("endTime", "")
    if answer.query.get("interval") != "1m":
        raise ValueError("candles of another interval than one minute")
    if not (end.isascii() and end.isdigit()):
        raise ValueError("candles without an end")  # the newest may still run
    unit, last = float(unit_of(symbol, QUOTES)), int(end[:15])
    rows = candle_rows.list_of(answer.body)
    closed = ((row.start, row.close / unit) for row in rows if row.start <= last)
    return minutes(key_of(market_of(answer), symbol), closed)


def _settled(answer: Answer) -> Events:
    symbol = asked(answer)
    told = only(_settlements.list_of(answer.body), symbol, lambda row: row.symbol)
    rates = [(settled_ms(row.fundingTime), row.fundingRate) for row in told]
    return settled(key_of("perp", symbol), rates)
