"""Binance over HTTP, spot (`/api/v3`) and USD-M (`/fapi/v1`): rules, candles, books, funding, time.

An answer comes in as a frame like any other: {"path": "/api/v3/...?query", "data": "<body text>"}.
Many bodies do not name their symbol; then the path does. Money-like values are read as text into
Decimal; a listing that cannot be read is left out, an answer with no readable one is a BadFrame.
Shapes: official pages of 2026-07 (spot) and SDK models of 2026-08 (USD-M).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan
from typing import Annotated, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import (
    BookUpdate,
    Candles,
    FundingHistory,
    FundingInfo,
    Ticker,
    VenueTime,
)
from basisdesk.venues import MarketEvent
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

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
SETTLED_LATE_MS = 2 * MINUTE_MS  # a settlement can lag a minute behind its hour
DEFAULT_HOURS = 8.0  # of every perpetual that fundingInfo does not list
NO_INTEREST = ("BNBUSDT", "ETHBTC")  # interest term 0; 0.01 % per 8 h elsewhere

SYMBOL = re.compile(r"[A-Z0-9]{2,40}")
_AMOUNT = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,18})?")
_COIN = re.compile(r"[A-Z0-9]{1,20}")

Millis = Annotated[int, Meta(gt=0, le=10**14)]
Price = Annotated[float, Meta(gt=0.0, lt=1e9)]
Size = Annotated[float, Meta(ge=0.0, lt=1e13)]
Rate = Annotated[float, Meta(gt=-1.0, lt=1.0)]


class _Answer(msgspec.Struct, gc=False):
    path: str
    data: str


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


class _Listing(msgspec.Struct, gc=False):
    symbol: str
    status: str
    baseAsset: str
    quoteAsset: str
    filters: list[_Filter]
    contractType: str = ""
    isSpotTradingAllowed: bool = True


class _ExchangeInfo(msgspec.Struct, gc=False):
    symbols: list[msgspec.Raw]
    serverTime: Annotated[int, Meta(ge=0, le=4_102_444_800_000)] = 0  # up to the year 2100


class _Depth(msgspec.Struct, gc=False):
    lastUpdateId: Annotated[int, Meta(ge=0, le=2**62)]
    bids: list[tuple[Price, Size]]
    asks: list[tuple[Price, Size]]
    T: Annotated[int, Meta(ge=0, le=10**14)] = 0  # USD-M only: the engine's time


class _Premium(msgspec.Struct, gc=False):
    symbol: str
    markPrice: Price
    indexPrice: Price
    lastFundingRate: Rate
    nextFundingTime: Annotated[int, Meta(ge=0, le=10**14)]
    time: Annotated[int, Meta(ge=0, le=10**14)]


class _Settled(msgspec.Struct, gc=False):
    symbol: str
    fundingTime: Millis
    fundingRate: str


class _Interval(msgspec.Struct, gc=False):
    symbol: str
    fundingIntervalHours: Annotated[float, Meta(gt=0.0, le=168.0)]
    adjustedFundingRateCap: str = ""


class _Held(msgspec.Struct, gc=False):
    symbol: str
    openInterest: Annotated[float, Meta(ge=0.0, lt=1e16)]
    time: Annotated[int, Meta(ge=0, le=10**14)] = 0


class _Time(msgspec.Struct, gc=False):
    serverTime: Millis


class _Ask(NamedTuple):
    """What was asked, beside the answer's body."""

    market: Market
    query: Mapping[str, str]
    body: str

    def symbol(self) -> str:
        """The symbol in the path; BadFrame "symbol" where there is none to be read."""
        return _symbol(self.query.get("symbol", ""))


_T = TypeVar("_T")
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_listing = msgspec.json.Decoder(_Listing).decode
_Candle = tuple[Millis, Price, Price, Price, Price, str, int, str, int, str, str, str]


class RestCodec:
    """Decoder of "binance.rest". Stateless."""

    def decode(self, payload: bytes) -> Sequence[MarketEvent]:
        """Events of one answer. BadFrame "rest" when the venue refused the request."""
        try:
            answer = _decode_answer(payload)
            url = urlsplit(answer.path)
            query = dict(parse_qsl(url.query))
        except msgspec.ValidationError:
            raise BadFrame("type", payload) from None
        except (ValueError, RecursionError):
            raise BadFrame("json", payload) from None
        market: Market = "perp" if url.path.startswith("/fapi/") else "spot"
        read = _PAGES.get(url.path)
        if read is None:
            raise BadFrame("topic", payload)
        try:
            return read(_Ask(market, query, answer.data))
        except (BadFrame, ValueError, ArithmeticError, RecursionError) as exc:
            raise BadFrame(_reason(exc, answer.data), payload) from None


def _reason(exc: Exception, body: str) -> str:
    """Why an answer was not read; "rest" when it is the venue's refusal."""
    try:
        msgspec.json.decode(body, type=_Refusal)
    except (ValueError, RecursionError):
        pass
    else:
        return "rest"
    if isinstance(exc, BadFrame):
        return exc.reason
    if isinstance(exc, msgspec.ValidationError):
        return "type"
    broken = isinstance(exc, (msgspec.DecodeError, RecursionError))
    return "json" if broken else "number"


def unit_of(symbol: str) -> Decimal:
    """Base coins in one unit of the venue's size: 1000 for 1000PEPEUSDT."""
    for quote in QUOTES:
        if symbol.endswith(quote) and symbol != quote:
            return split_coin(symbol.removesuffix(quote))[0]
    return split_coin(symbol)[0]


def settled_ms(stamp_ms: int) -> int:
    """The hour a settlement belongs to: its stamp is milliseconds to a minute later than that."""
    late = stamp_ms % HOUR_MS
    return stamp_ms - late if late <= SETTLED_LATE_MS else stamp_ms


def _read(ask: _Ask, shape: type[_T]) -> _T:
    return msgspec.json.decode(ask.body, type=shape, strict=False)


def _symbol(text: str) -> str:
    if not SYMBOL.fullmatch(text):
        raise BadFrame("symbol")
    return text


def _key(market: Market, symbol: str) -> str:
    return f"binance:{market}:{_symbol(symbol)}"


def _amount(text: str) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an amount")
    return Decimal(text)


def _positive(text: str) -> Decimal:
    value = _amount(text)
    if value <= 0:
        raise ValueError(f"{text[:40]!r} is not above zero")
    return value


def _instruments(ask: _Ask) -> Sequence[MarketEvent]:
    told = _read(ask, _ExchangeInfo)
    api = "fapi/v1" if ask.market == "perp" else "api/v3"
    day = f"{datetime.fromtimestamp(told.serverTime / 1000, UTC):%Y-%m-%d}"
    source = f"Binance {api}/exchangeInfo" + (f" of {day}" if told.serverTime else "")
    rows, odd = [], 0
    for text in told.symbols:
        try:
            row = _decode_listing(text)
            if row.status == "TRADING" and _is_ours(row, ask.market):
                rows.append(_instrument(row, ask.market, source))
        except BadFrame:
            odd += 1  # one odd listing must not hide the others
        except (ValueError, ArithmeticError, LookupError):
            continue
    if told.symbols and not rows:
        raise BadFrame("symbol") if odd else ValueError("no readable instrument")
    return (Instruments("binance", tuple(rows)),)


def _is_ours(row: _Listing, market: Market) -> bool:
    # USD-M also lists dated futures and TRADIFI_PERPETUAL.
    return row.contractType == "PERPETUAL" if market == "perp" else row.isSpotTradingAllowed


def _instrument(row: _Listing, market: Market, source: str) -> Instrument:
    if not (_COIN.fullmatch(row.baseAsset) and _COIN.fullmatch(row.quoteAsset)):
        raise BadFrame("symbol")
    key = _key(market, row.symbol)
    unit, base = split_coin(row.baseAsset)
    if row.symbol != row.baseAsset + row.quoteAsset or split_symbol(key) != (base, row.quoteAsset):
        raise BadFrame("symbol")  # everyone else reads the coins from the symbol
    rules = {each.filterType: each for each in row.filters}
    lot, market_lot = rules["LOT_SIZE"], rules.get("MARKET_LOT_SIZE", _Filter(""))
    least = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL") or _Filter("")
    # The desk sends market orders: where they have rules of their own (not 0), those bind as well.
    step = max(_positive(lot.stepSize), _amount(market_lot.stepSize or "0"))
    most, most_market = _positive(lot.maxQty), _amount(market_lot.maxQty or "0")
    tiers, what = tiers_of(row.symbol) if market == "perp" else ((), "")
    return Instrument(
        key=key,
        venue="binance",
        market=market,
        symbol=row.symbol,
        base=base,
        quote=row.quoteAsset,
        tick=_positive(rules["PRICE_FILTER"].tickSize) / unit,
        lot=step * unit,
        min_qty=max(_amount(lot.minQty), _amount(market_lot.minQty or "0"), step) * unit,
        min_notional=_amount(least.minNotional or least.notional or "0"),
        max_qty=(min(most, most_market) if most_market > 0 else most) * unit,
        multiplier=unit,
        leverage_max=tiers[0].leverage_max if tiers else Decimal(1),
        tiers=tiers,
        source=f"{source}; {what}" if what else source,
        funding=funding_rule(row.symbol),
    )


def funding_rule(symbol: str) -> FundingRule:
    """How the rate is made: the division by 8 / N came on 2025-09-18."""
    return FundingRule(0.0 if symbol in NO_INTEREST else 1.0, 5.0, "8h")


def _candles(ask: _Ask) -> Sequence[MarketEvent]:
    symbol = ask.symbol()
    if ask.query.get("interval") != "1m":
        raise ValueError("candles of another interval than one minute")
    rows = sorted((row[0], row[4]) for row in _read(ask, list[_Candle]))
    unit, end = float(unit_of(symbol)), ask.query.get("endTime", "")
    if end.isascii() and end.isdigit():
        rows = [row for row in rows if row[0] <= int(end[:15])]
    else:
        rows = rows[:-1]  # the newest candle may still be open: its close is not a close yet
    closes = {start: close / unit for start, close in rows}
    return (Candles(_key(ask.market, symbol), list(closes.items())),)


def _depth(ask: _Ask) -> Sequence[MarketEvent]:
    symbol = ask.symbol()
    told, unit = _read(ask, _Depth), float(unit_of(symbol))
    bids = [(price / unit, size * unit) for price, size in told.bids]
    asks = [(price / unit, size * unit) for price, size in told.asks]
    best_bid = max((price for price, size in bids if size), default=0.0)
    if best_bid >= min((price for price, size in asks if size), default=inf):
        raise BadFrame("crossed")
    seq = told.lastUpdateId
    return (BookUpdate(_key(ask.market, symbol), "", True, bids, asks, seq, told.T),)


def _premium(ask: _Ask) -> Sequence[MarketEvent]:
    if not ask.body.lstrip().startswith("["):
        return (_premium_ticker(_read(ask, _Premium)),)
    found = []
    for text in _read(ask, list[msgspec.Raw]):
        try:
            row = msgspec.json.decode(text, type=_Premium, strict=False)
            found.append(_premium_ticker(row))
        except (ValueError, BadFrame):
            continue  # a dated contract, which has no funding rate
    return found


def _premium_ticker(row: _Premium) -> Ticker:
    unit = float(unit_of(row.symbol))
    return Ticker(
        _key("perp", row.symbol),
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


def _funding(ask: _Ask) -> Sequence[MarketEvent]:
    by_symbol: dict[str, dict[int, str]] = {}
    for row in _read(ask, list[_Settled]):
        if abs(_amount(row.fundingRate)) >= 1:
            raise ValueError(f"funding rate {row.fundingRate}")
        by_symbol.setdefault(row.symbol, {})[settled_ms(row.fundingTime)] = row.fundingRate
    return tuple(
        FundingHistory(_key("perp", symbol), sorted(rows.items()))
        for symbol, rows in by_symbol.items()
    )


def _intervals(ask: _Ask) -> Sequence[MarketEvent]:
    rows = []
    for text in _read(ask, list[msgspec.Raw]):
        try:
            row = msgspec.json.decode(text, type=_Interval, strict=False)
            cap = _amount(row.adjustedFundingRateCap or "0")
            known = cap if 0 < cap < 1 else 0
            rows.append((_key("perp", row.symbol), row.fundingIntervalHours, float(known)))
        except (ValueError, ArithmeticError, BadFrame):
            continue  # a contract whose name is no leg of ours
    return (FundingInfo("binance", tuple(rows), DEFAULT_HOURS),)


def _open_interest(ask: _Ask) -> Sequence[MarketEvent]:
    row = _read(ask, _Held)
    held = row.openInterest * float(unit_of(row.symbol))
    return (Ticker(_key("perp", row.symbol), "", nan, nan, held, nan, 0.0, 0, 0.0, row.time),)


def _time(ask: _Ask) -> Sequence[MarketEvent]:
    return (VenueTime("binance", _read(ask, _Time).serverTime),)


_PAGES: dict[str, Callable[[_Ask], Sequence[MarketEvent]]] = {
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
