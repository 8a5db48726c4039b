"""OKX for the scanner: which paths to ask for, and how their answers are read.

    /api/v5/public/instruments?instType=SWAP                  contract sizes; gives no event
    /api/v5/market/tickers?instType=SPOT, ...=SWAP            best bid and ask
    /api/v5/public/mark-price?instType=SWAP                   marks
    /api/v5/public/funding-rate?instId=ANY                    rates, intervals, caps of all swaps
    /api/v5/public/open-interest?instType=SWAP                open interest
    /api/v5/market/index-tickers?quoteCcy=USDT                indices, named by their coins
    /api/v5/market/books?instId=I&sz=50                       depth
    /api/v5/market/candles?instId=I&bar=1m&limit=300          minutes
    /api/v5/public/funding-rate-history?instId=I&limit=400[&after=T]  settled before T, newest first

Shapes: official pages of 2026-07. Best bid and ask of the tickers page may belong to quotes that an
ordinary order cannot take (since 2025-11-26); the books page has none of those.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from math import isnan, nan
from typing import Annotated

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import ScanRow
from basisdesk.venues.instrument import split_key
from basisdesk.venues.okx_channels import SWAP
from basisdesk.venues.okx_rest import SETTLED_IN, SYMBOL, key_of
from basisdesk.venues.reading import (
    HOUR_MS,
    HOURS_MIN,
    SIZE_MIN,
    Amount,
    Events,
    Millis,
    MillisGiven,
    PriceOrNone,
    Size,
    given,
)
from basisdesk.venues.rest_reading import Answer, only, typed
from basisdesk.venues.scan_codec import (
    NAMES_KEPT,
    Candle,
    PageCap,
    PageRate,
    Rows,
    Turnover,
    book,
    dollar,
    minutes,
    page,
    settled,
    touch,
    windows,
)

CONTRACTS = "/api/v5/public/instruments?instType=SWAP"
FUNDING = "/api/v5/public/funding-rate?instId=ANY"
INTEREST = "/api/v5/public/open-interest?instType=SWAP"
INDICES = "/api/v5/market/index-tickers?quoteCcy=USDT"
PAGES = (
    CONTRACTS,
    "/api/v5/market/tickers?instType=SPOT",
    "/api/v5/market/tickers?instType=SWAP",
    "/api/v5/public/mark-price?instType=SWAP",
    FUNDING,
    INTEREST,
    INDICES,
)
# The venue renews its rates every 30 to 90 s.
EVERY_S = {CONTRACTS: 3600.0, FUNDING: 20.0, INTEREST: 30.0, INDICES: 10.0}
HOURS_MAX = 168.0  # of a funding interval
SETTLED_ROWS = 400  # a page of settled funding; three months are kept

_ContractSize = Annotated[float, Meta(ge=SIZE_MIN, lt=1e12)]


class _Envelope(msgspec.Struct, gc=False):
    code: str
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _ContractRow(msgspec.Struct, gc=False):
    instId: str
    ctType: str
    ctValCcy: str
    settleCcy: str
    ctVal: _ContractSize
    ctMult: _ContractSize = 1.0


class _TickerRow(msgspec.Struct, gc=False):
    instId: str
    bidPx: PriceOrNone = nan
    bidSz: Size = nan
    askPx: PriceOrNone = nan
    askSz: Size = nan
    last: PriceOrNone = nan
    volCcy24h: Turnover = nan  # quote currency on spot, coins on swaps
    ts: Millis = 0


class _MarkRow(msgspec.Struct, gc=False):
    instId: str
    markPx: PriceOrNone = nan
    ts: Millis = 0


class _FundingRow(msgspec.Struct, gc=False):
    instId: str
    fundingRate: PageRate = nan
    fundingTime: Millis = 0
    nextFundingTime: Millis = 0
    maxFundingRate: PageCap = 0.0
    ts: Millis = 0


class _InterestRow(msgspec.Struct, gc=False):
    instId: str
    oi: Amount = nan
    oiCcy: Amount = nan
    ts: Millis = 0


class _IndexRow(msgspec.Struct, gc=False):
    instId: str
    idxPx: PriceOrNone = nan
    ts: Millis = 0


class _BookRow(msgspec.Struct, gc=False):
    asks: msgspec.Raw
    bids: msgspec.Raw
    ts: Millis = 0


class _Candle(Candle, array_like=True, gc=False):
    vol: str
    volCcy: str
    volCcyQuote: str
    confirm: str  # "1" once the minute is over


class _SettledRow(msgspec.Struct, gc=False):
    instId: str
    fundingTime: MillisGiven
    fundingRate: str = ""
    realizedRate: str = ""


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_contracts = Rows(_ContractRow)
_tickers = Rows(_TickerRow)
_marks = Rows(_MarkRow)
_rates = Rows(_FundingRow)
_interests = Rows(_InterestRow)
_indices = Rows(_IndexRow)
_candles = Rows(_Candle)
_settlements = Rows(_SettledRow)


def book_path(instrument: str) -> str:
    """REST path of the depth of one instrument."""
    return f"/api/v5/market/books?instId={split_key(instrument)[2]}&sz=50"


def past_paths(instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
    """REST paths of the last 300 minutes; of a perpetual also its settled funding.

    Pages of funding end before `after`; the newest has none. A swap that settles every 8 h says
    the same rows on several of them, which is better than a gap in one that settles every hour.
    """
    _, market, symbol = split_key(instrument)
    newest = f"/api/v5/market/candles?instId={symbol}&bar=1m&limit=300"
    if market == "spot":
        return (newest,)
    history = f"/api/v5/public/funding-rate-history?instId={symbol}&limit={SETTLED_ROWS}"
    older = windows(now_ms, days, SETTLED_ROWS)[1:]
    return (newest, history, *(f"{history}&after={last + 1}" for _, last in older))


class Pages:
    """Reader of "okx.scan". It remembers the coins in one contract of each swap.

    contracts: what the venue's other codecs know of them, read only: a scan page is not recorded
        with a tape, so nothing that trades may hang on it.
    """

    def __init__(self, contracts: Mapping[str, Decimal]) -> None:
        self._shared = contracts
        self._coins: dict[str, float] = {}
        self._readers: dict[str, Callable[[msgspec.Raw, Answer], Events]] = {
            "public/instruments": self._learn,
            "market/tickers": self._ticker_page,
            "public/mark-price": _mark_page,
            "public/funding-rate": _funding_page,
            "public/open-interest": self._interest_page,
            "market/index-tickers": self._index_page,
            "market/books": self._book,
            "market/candles": _minutes,
            "public/funding-rate-history": _settled,
        }

    def read(self, answer: Answer) -> Events:
        """Events of one answer."""
        said = _decode_envelope(answer.body)
        if said.code != "0":
            raise BadFrame("rest")
        read = self._readers.get(answer.path.removeprefix("/api/v5/"))
        if read is None:
            raise BadFrame("topic")
        return read(said.data, answer)

    def _unit(self, symbol: str) -> float:
        """Coins in one unit of size; NaN for a swap whose contract nobody has described."""
        if not symbol.endswith(SWAP):
            return 1.0
        coins = self._coins.get(symbol)
        return float(self._shared.get(symbol, nan)) if coins is None else coins

    def _learn(self, data: msgspec.Raw, _: Answer) -> Events:
        """No event: what one contract of each linear swap is."""
        told = _contracts.list_of(data)
        coins = {row.instId: row.ctVal * row.ctMult for row in told if _is_linear(row)}
        if not coins:
            raise BadFrame("symbol" if told else "number")
        self._coins = coins
        return ()

    def _ticker_page(self, data: msgspec.Raw, _: Answer) -> Events:
        told = _tickers.list_of(data)
        rows, newest = [], 0
        for row in told:
            key = _named(row.instId)
            if not key:
                continue
            bid, bid_size, ask, ask_size = touch(row.bidPx, row.bidSz, row.askPx, row.askSz)
            if isnan(bid) and isnan(ask):
                continue
            newest, unit, turnover = max(newest, row.ts), self._unit(row.instId), row.volCcy24h
            if row.instId.endswith(SWAP):
                turnover *= given(row.last)
            rows.append(
                ScanRow(key, bid, bid_size * unit, ask, ask_size * unit, turnover_day=turnover)
            )
        return page("okx", rows, len(told), newest)

    def _interest_page(self, data: msgspec.Raw, _: Answer) -> Events:
        """The venue's own figure in coins, else contracts times their size."""
        told = _interests.list_of(data)
        rows, newest = [], 0
        for row in told:
            key = _named(row.instId, swap=True)
            held = row.oiCcy if row.oiCcy > 0.0 else row.oi * self._unit(row.instId)
            if key and held >= 0.0:
                newest = max(newest, row.ts)
                rows.append(ScanRow(key, open_interest=held))
        return page("okx", rows, len(told), newest)

    def _index_page(self, data: msgspec.Raw, _: Answer) -> Events:
        """Indices are listed by their coins. Said of the swaps that are known to exist."""
        told = _indices.list_of(data)
        rows, newest = [], 0
        for row in told:
            swap, index = f"{row.instId}{SWAP}", given(row.idxPx)
            key = _named(swap, swap=True)
            if key and not isnan(index) and not isnan(self._unit(swap)):
                newest = max(newest, row.ts)
                rows.append(ScanRow(key, index=index))
        return page("okx", rows, len(told), newest) if rows or not told else ()

    def _book(self, data: msgspec.Raw, answer: Answer) -> Events:
        symbol = answer.query.get("instId", "")
        (row,) = typed(data, list[_BookRow])
        key, coins = key_of(symbol), self._unit(symbol)
        if isnan(coins):
            raise BadFrame("contract")
        return book(key, (row.bids, row.asks), row.ts, contract=coins)


@lru_cache(NAMES_KEPT)
def _named(symbol: str, *, swap: bool = False) -> str:
    """The leg's name; "" for what is none of the scanner's. swap: spot is none either."""
    if not SYMBOL.fullmatch(symbol) or (swap and not symbol.endswith(SWAP)):
        return ""
    if symbol.endswith(SWAP) and symbol.removesuffix(SWAP).partition("-")[2] not in SETTLED_IN:
        return ""  # inverse, its sizes are dollars
    named = dollar(key_of(symbol), 1.0)
    return named[0] if named else ""


def _is_linear(row: _ContractRow) -> bool:
    base = row.instId.partition("-")[0]
    return row.ctType == "linear" and row.settleCcy in SETTLED_IN and row.ctValCcy == base


def _mark_page(data: msgspec.Raw, _: Answer) -> Events:
    told = _marks.list_of(data)
    rows, newest = [], 0
    for row in told:
        key, mark = _named(row.instId, swap=True), given(row.markPx)
        if key and not isnan(mark):
            newest = max(newest, row.ts)
            rows.append(ScanRow(key, mark=mark))
    return page("okx", rows, len(told), newest)


def _funding_page(data: msgspec.Raw, _: Answer) -> Events:
    """The interval is the time between the next two settlements; the venue names it nowhere."""
    told = _rates.list_of(data)
    rows, newest = [], 0
    for row in told:
        key = _named(row.instId, swap=True)
        if not key or isnan(row.fundingRate):
            continue
        hours = (row.nextFundingTime - row.fundingTime) / HOUR_MS if row.fundingTime else 0.0
        newest = max(newest, row.ts)
        rows.append(
            ScanRow(
                key,
                rate=row.fundingRate,
                interval_h=hours if HOURS_MIN <= hours <= HOURS_MAX else 0.0,
                next_ms=row.fundingTime,
                cap=row.maxFundingRate,
            )
        )
    return page("okx", rows, len(told), newest)


def _minutes(data: msgspec.Raw, answer: Answer) -> Events:
    if answer.query.get("bar") != "1m":
        raise ValueError("candles of another interval than one minute")
    told = _candles.list_of(data)
    closed = ((row.start, row.close) for row in told if row.confirm == "1")
    return minutes(key_of(answer.query.get("instId", "")), closed)


def _settled(data: msgspec.Raw, answer: Answer) -> Events:
    symbol = answer.query.get("instId", "")
    key = _named(symbol, swap=True)
    if not key:
        raise BadFrame("symbol")
    told = only(_settlements.list_of(data), symbol, lambda row: row.instId)
    return settled(key, [(row.fundingTime, _charged(row)) for row in told])


def _charged(row: _SettledRow) -> float:
    """The rate that was charged, before the one that was predicted; NaN where it is none."""
    try:
        return msgspec.convert(row.realizedRate or row.fundingRate, PageRate, strict=False)
    except msgspec.ValidationError:
        return nan
