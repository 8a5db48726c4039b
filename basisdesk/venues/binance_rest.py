"""Binance over HTTP, spot (`/api/v3`) and USD-M (`/fapi/v1`): rules, candles, books, funding, time.

Many bodies do not name their symbol; then the path does. Money-like values are read as text into
Decimal; a listing that cannot be read is left out, an answer with no readable one is a BadFrame.
Shapes: official pages of 2026-07 (spot) and SDK models of 2026-08 (USD-M).
"""

import re
from collections.abc import Callable
from decimal import Decimal
from math import nan
from typing import Annotated

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, FundingInfo, Ticker, VenueTime
from basisdesk.venues.binance_tiers import tiers_of
from basisdesk.venues.instrument import (
    QUOTES,
    FundingRule,
    Instrument,
    Instruments,
    Market,
    split_coin,
    split_symbol,
)
from basisdesk.venues.reading import (
    HOUR_MS,
    MINUTE_MS,
    Amount,
    Events,
    Hours,
    Millis,
    MillisGiven,
    Price,
    Rate,
    Sequence64,
    Size,
    check_sides,
    scaled,
    unit_of,
)
from basisdesk.venues.rest_reading import (
    COIN,
    Answer,
    Known,
    Limited,
    ServerMs,
    amount,
    at_most,
    candles,
    dated,
    only,
    past_funding,
    positive,
    typed,
)

SETTLED_LATE_MS = 2 * MINUTE_MS  # a settlement can lag a minute behind its hour
DEFAULT_HOURS = 8.0  # of every perpetual that fundingInfo does not list
LEVELS_MAX = 5_000  # a side of a book over HTTP, the most the venue gives
NO_INTEREST = ("BNBUSDT", "ETHBTC")  # interest term 0; 0.01 % per 8 h elsewhere
_FUNDING, _FREE = FundingRule(1.0, 5.0, "8h"), FundingRule(0.0, 5.0, "8h")

SYMBOL = re.compile(r"[A-Z0-9]{2,40}")


class _Refusal(msgspec.Struct, gc=False):
    code: int
    msg: str


class _Filter(msgspec.Struct, gc=False):  # of any type: a key that its type lacks stays ""
    filterType: str
    tickSize: str = ""
    stepSize: str = ""
    minQty: str = ""
    maxQty: str = ""
    minNotional: str = ""  # spot: NOTIONAL, or the older MIN_NOTIONAL
    notional: str = ""  # USD-M: MIN_NOTIONAL


_NO_FILTER = _Filter("")


class _Listing(msgspec.Struct, gc=False):
    symbol: str
    status: str
    baseAsset: str
    quoteAsset: str
    filters: list[_Filter]
    contractType: str = ""
    isSpotTradingAllowed: bool = True


class _ExchangeInfo(msgspec.Struct, gc=False):
    symbols: Annotated[list[msgspec.Raw], Limited]
    serverTime: ServerMs = 0


class _Depth(msgspec.Struct, gc=False):
    lastUpdateId: Sequence64
    bids: list[tuple[Price, Size]]
    asks: list[tuple[Price, Size]]
    T: Millis = 0  # USD-M only: the engine's time


class _Premium(msgspec.Struct, gc=False):
    symbol: str
    markPrice: Price
    indexPrice: Price
    lastFundingRate: Rate
    nextFundingTime: Millis
    time: Millis


class _Settled(msgspec.Struct, gc=False):
    symbol: str
    fundingTime: MillisGiven
    fundingRate: str


class _Interval(msgspec.Struct, gc=False):
    symbol: str
    fundingIntervalHours: Hours
    adjustedFundingRateCap: str = ""


class _Held(msgspec.Struct, gc=False):
    symbol: str
    openInterest: Amount
    time: Millis = 0


class _Time(msgspec.Struct, gc=False):
    serverTime: MillisGiven


_decode_listing = msgspec.json.Decoder(_Listing).decode
_known: Known[Instrument] = Known()
_Rows = Annotated[list[msgspec.Raw], Limited]
_Candle = tuple[MillisGiven, Price, Price, Price, Price, str, int, str, int, str, str, str]


def read_page(answer: Answer) -> Events:
    """Events of one answer of "binance.rest"."""
    page = _PAGES.get(answer.path)
    if page is None:
        raise BadFrame("topic")
    try:
        return page(answer)
    except (BadFrame, ValueError, ArithmeticError, RecursionError):
        if refused(answer.body):
            raise BadFrame("rest") from None
        raise


def refused(body: str) -> bool:
    """Whether the body is the venue's refusal of a request."""
    try:
        msgspec.json.decode(body, type=_Refusal)
    except (ValueError, RecursionError):
        return False
    return True


def settled_ms(stamp_ms: int) -> int:
    """The hour a settlement belongs to: its stamp is milliseconds to a minute later than that."""
    late = stamp_ms % HOUR_MS
    return stamp_ms - late if late <= SETTLED_LATE_MS else stamp_ms


def market_of(answer: Answer) -> Market:
    """The market that the path belongs to."""
    return "perp" if answer.path.startswith("/fapi/") else "spot"


def asked(answer: Answer) -> str:
    """The symbol in the path; BadFrame "symbol" where there is none to be read."""
    return _symbol(answer.query.get("symbol", ""))


def _named(answer: Answer) -> str:
    """The symbol in the path; "" where it asks for all of them."""
    return answer.query.get("symbol", "")


def _symbol(text: str) -> str:
    if not SYMBOL.fullmatch(text):
        raise BadFrame("symbol")
    return text


def key_of(market: Market, symbol: str) -> str:
    """The leg's name; BadFrame "symbol" where it can be none."""
    return f"binance:{market}:{_symbol(symbol)}"


def _instruments(answer: Answer) -> Events:
    told, market = typed(answer.body, _ExchangeInfo), market_of(answer)
    api = "fapi/v1" if market == "perp" else "api/v3"
    source = dated(f"Binance {api}/exchangeInfo", told.serverTime)

    def read(text: msgspec.Raw) -> Instrument | None:
        row = _decode_listing(text)
        if row.status != "TRADING" or not _is_ours(row, market):
            return None
        return _instrument(row, market, source)

    rows = _known.readable(told.symbols, f"{market} {source}", read)
    return (Instruments("binance", tuple(only(rows, _named(answer), lambda row: row.symbol))),)


def _is_ours(row: _Listing, market: Market) -> bool:
    # USD-M also lists dated futures and TRADIFI_PERPETUAL.
    return row.contractType == "PERPETUAL" if market == "perp" else row.isSpotTradingAllowed


def _instrument(row: _Listing, market: Market, source: str) -> Instrument:
    if not (COIN.fullmatch(row.baseAsset) and COIN.fullmatch(row.quoteAsset)):
        raise BadFrame("symbol")
    key = key_of(market, row.symbol)
    unit, base = split_coin(row.baseAsset)
    if row.symbol != row.baseAsset + row.quoteAsset or split_symbol(key) != (base, row.quoteAsset):
        raise BadFrame("symbol")  # everyone else reads the coins from the symbol
    rules = {each.filterType: each for each in row.filters}
    lot, market_lot = rules["LOT_SIZE"], rules.get("MARKET_LOT_SIZE", _NO_FILTER)
    least = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL") or _NO_FILTER
    # The desk sends market orders: where they have rules of their own (not 0), those bind as well.
    step = max(positive(lot.stepSize), amount(market_lot.stepSize or "0"))
    most, most_market = positive(lot.maxQty), amount(market_lot.maxQty or "0")
    tick, least_qty = positive(rules["PRICE_FILTER"].tickSize), amount(lot.minQty)
    least_qty = max(least_qty, amount(market_lot.minQty or "0"), step)
    most = min(most, most_market) if most_market > 0 else most
    if unit != 1:
        tick, step, least_qty, most = tick / unit, step * unit, least_qty * unit, most * unit
    tiers, what = tiers_of(row.symbol) if market == "perp" else ((), "")
    return Instrument(
        key=key,
        venue="binance",
        market=market,
        symbol=row.symbol,
        base=base,
        quote=row.quoteAsset,
        tick=tick,
        lot=step,
        min_qty=least_qty,
        min_notional=amount(least.minNotional or least.notional or "0"),
        max_qty=most,
        multiplier=unit,
        leverage_max=tiers[0].leverage_max if tiers else Decimal(1),
        tiers=tiers,
        source=f"{source}; {what}" if what else source,
        funding=funding_rule(row.symbol),
    )


def funding_rule(symbol: str) -> FundingRule:
    """How the rate is made: the division by 8 / N came on 2025-09-18."""
    return _FREE if symbol in NO_INTEREST else _FUNDING


def _candles(answer: Answer) -> Events:
    symbol = asked(answer)
    if answer.query.get("interval") != "1m":
        raise ValueError("candles of another interval than one minute")
    rows = sorted((row[0], row[4]) for row in typed(answer.body, list[_Candle]))
    unit, end = float(unit_of(symbol, QUOTES)), answer.query.get("endTime", "")
    if end.isascii() and end.isdigit():
        rows = [row for row in rows if row[0] <= int(end[:15])]
    else:
        rows = rows[:-1]  # the newest candle may still be open: its close is not a close yet
    closes = ((start, close / unit) for start, close in rows)
    return candles(key_of(market_of(answer), symbol), closes, answer.query)


def _depth(answer: Answer) -> Events:
    symbol = asked(answer)
    told, unit = typed(answer.body, _Depth), float(unit_of(symbol, QUOTES))
    most = at_most(answer.query, LEVELS_MAX)
    bids, asks = scaled(told.bids[:most], unit), scaled(told.asks[:most], unit)
    check_sides(bids, asks, b"")
    seq = told.lastUpdateId
    return (BookUpdate(key_of(market_of(answer), symbol), "", True, bids, asks, seq, told.T),)


def _premium(answer: Answer) -> Events:
    if not answer.body.lstrip().startswith("["):
        one = only([typed(answer.body, _Premium)], _named(answer), _symbol_of)
        return (_premium_ticker(one[0]),)
    rows = []
    for text in typed(answer.body, _Rows):
        try:
            row = typed(text, _Premium)
            rows.append((row, _premium_ticker(row)))
        except (ValueError, BadFrame):
            continue  # a dated contract, which has no funding rate
    return [event for _, event in only(rows, _named(answer), lambda each: each[0].symbol)]


def _symbol_of(row: _Premium | _Held) -> str:
    return row.symbol


def _premium_ticker(row: _Premium) -> Ticker:
    unit = float(unit_of(row.symbol, QUOTES))
    return Ticker(
        key_of("perp", row.symbol),
        "",
        row.markPrice / unit,
        row.indexPrice / unit,
        nan,
        row.lastFundingRate,
        0.0,
        row.nextFundingTime,
        0.0,
        row.time,
    )


def _funding(answer: Answer) -> Events:
    settled = [typed(text, _Settled) for text in typed(answer.body, _Rows)]
    rows = [(row.symbol, settled_ms(row.fundingTime), row.fundingRate) for row in settled]
    return past_funding(rows, lambda symbol: key_of("perp", symbol), answer.query)


def _intervals(answer: Answer) -> Events:
    rows = []
    for text in typed(answer.body, _Rows):
        try:
            row = typed(text, _Interval)
            cap = amount(row.adjustedFundingRateCap or "0")
            known = cap if 0 < cap < 1 else 0
            rows.append((key_of("perp", row.symbol), row.fundingIntervalHours, float(known)))
        except (ValueError, ArithmeticError, BadFrame):
            continue  # a contract whose name is no leg of ours
    return (FundingInfo("binance", tuple(rows), DEFAULT_HOURS),)


def _open_interest(answer: Answer) -> Events:
    (row,) = only([typed(answer.body, _Held)], _named(answer), _symbol_of)
    held = row.openInterest * float(unit_of(row.symbol, QUOTES))
    return (Ticker(key_of("perp", row.symbol), "", nan, nan, held, nan, 0.0, 0, 0.0, row.time),)


def _time(answer: Answer) -> Events:
    return (VenueTime("binance", typed(answer.body, _Time).serverTime),)


_PAGES: dict[str, Callable[[Answer], Events]] = {
    "/api/v3/exchangeInfo": _instruments,
    "/api/v3/klines": _candles,
    "/api/v3/depth": _depth,
    "/api/v3/time": _time,
    "/fapi/v1/exchangeInfo": _instruments,
    "/fapi/v1/klines": _candles,
    "/fapi/v1/depth": _depth,
    "/fapi/v1/time": _time,
    "/fapi/v1/premiumIndex": _premium,
    "/fapi/v1/fundingRate": _funding,
    "/fapi/v1/fundingInfo": _intervals,
    "/fapi/v1/openInterest": _open_interest,
}
