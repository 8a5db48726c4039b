"""Bybit V5 over HTTP: instruments, risk tiers, candles, past funding, the server's clock.

An answer comes in as a frame like any other: {"path": "/v5/...?query", "data": "<body text>"}.
Money-like values are read as text into Decimal; a row that cannot be read is left out, an answer
with no readable row is a BadFrame.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import Candles, FundingHistory, VenueTime
from basisdesk.venues import MarketEvent
from basisdesk.venues.instrument import Instrument, Instruments, Tier, Tiers, split_coin

MINUTE_MS = 60_000
QUOTES = ("USDT", "USDC", "USDE", "USD1", "EUR", "GBP", "BRL", "BTC", "ETH")

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,39}")
_AMOUNT = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,18})?")
_COIN = re.compile(r"[A-Z0-9]{1,20}")

Millis = Annotated[int, Meta(gt=0, le=10**14)]
Close = Annotated[float, Meta(gt=0.0, lt=1e9)]


class _Answer(msgspec.Struct, gc=False):
    path: str
    data: str


class _Envelope(msgspec.Struct, gc=False):
    retCode: int
    result: msgspec.Raw
    time: Annotated[int, Meta(ge=0, le=4_102_444_800_000)] = 0  # up to the year 2100


class _Filter(msgspec.Struct, gc=False):  # of price, lot and leverage, both categories
    tickSize: str = ""
    qtyStep: str = ""
    basePrecision: str = ""
    minOrderQty: str = ""
    minNotionalValue: str = ""
    minOrderAmt: str = ""
    maxMktOrderQty: str = ""
    maxMarketOrderQty: str = ""
    maxOrderQty: str = ""
    maxLeverage: str = "1"


class _InstrumentRow(msgspec.Struct, gc=False):
    symbol: str
    status: str
    baseCoin: str
    quoteCoin: str
    lotSizeFilter: _Filter
    priceFilter: _Filter
    contractType: str = ""
    fundingInterval: int = 0
    leverageFilter: _Filter = msgspec.field(default_factory=_Filter)


class _InstrumentList(msgspec.Struct, gc=False):
    category: str
    list: list[msgspec.Raw]


class _TierRow(msgspec.Struct, gc=False):
    symbol: str
    riskLimitValue: str
    maintenanceMargin: str
    initialMargin: str
    maxLeverage: str
    mmDeduction: str = ""


class _TierList(msgspec.Struct, gc=False):
    category: str
    list: list[_TierRow]


class _CandleList(msgspec.Struct, gc=False):
    category: str
    symbol: str
    list: list[tuple[Millis, Close, Close, Close, Close, str, str]]


class _FundingRow(msgspec.Struct, gc=False):
    symbol: str
    fundingRate: str
    fundingRateTimestamp: Millis


class _FundingList(msgspec.Struct, gc=False):
    category: str
    list: list[_FundingRow]


class _Time(msgspec.Struct, gc=False):
    timeNano: Annotated[int, Meta(gt=0, le=9 * 10**18)]


_T = TypeVar("_T")
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_row = msgspec.json.Decoder(_InstrumentRow).decode


class _OddName(ValueError):
    """A listing whose coins are not what its symbol says."""


class RestCodec:
    """Decoder of "bybit.rest". Stateless."""

    def __init__(self) -> None:
        self._readers: dict[str, Callable[[msgspec.Raw, int, str], Sequence[MarketEvent]]] = {
            "/v5/market/instruments-info": _instruments,
            "/v5/market/risk-limit": _tiers,
            "/v5/market/kline": _candles,
            "/v5/market/funding/history": _funding,
            "/v5/market/time": _time,
        }

    def decode(self, payload: bytes) -> Sequence[MarketEvent]:
        """Events of one answer. BadFrame "rest" when the venue refused the request."""
        try:
            answer = _decode_answer(payload)
            body = _decode_envelope(answer.data)
            url = urlsplit(answer.path)
            query = dict(parse_qsl(url.query))
        except msgspec.ValidationError:
            raise BadFrame("type", payload) from None
        except (ValueError, RecursionError):
            raise BadFrame("json", payload) from None
        if body.retCode != 0:
            raise BadFrame("rest", payload)
        read = self._readers.get(url.path)
        if read is None:
            raise BadFrame("topic", payload)
        try:
            return read(body.result, body.time, query.get("interval", "1"))
        except msgspec.ValidationError:
            raise BadFrame("type", payload) from None
        except _OddName:
            raise BadFrame("symbol", payload) from None
        except (ValueError, ArithmeticError, RecursionError):
            raise BadFrame("number", payload) from None


def multiplier_of(symbol: str) -> Decimal:
    """Base coins in one unit of the venue's size: 1000 for 1000PEPEUSDT and SHIB1000USDT."""
    for quote in (*QUOTES, "PERP"):
        if symbol.endswith(quote) and symbol != quote:
            return split_coin(symbol.removesuffix(quote))[0]
    return split_coin(symbol)[0]


def _amount(text: str) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an amount")
    return Decimal(text)


def _positive(text: str) -> Decimal:
    value = _amount(text)
    if value <= 0:
        raise ValueError(f"{text[:40]!r} is not above zero")
    return value


def _convert(raw: msgspec.Raw, shape: type[_T]) -> _T:
    return msgspec.json.decode(raw, type=shape, strict=False)


def _key(category: str, symbol: str) -> str:
    if category not in ("spot", "linear") or not _SYMBOL.fullmatch(symbol):
        raise ValueError(f"{category[:20]!r} {symbol[:40]!r} is not an instrument")
    return f"bybit:{'spot' if category == 'spot' else 'perp'}:{symbol}"


def _instruments(raw: msgspec.Raw, time_ms: int, _: str) -> Sequence[MarketEvent]:
    answer = _convert(raw, _InstrumentList)
    day = f" of {datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d}" if time_ms > 0 else ""
    rows, odd = [], 0
    for text in answer.list:
        try:
            row = _decode_row(text)
            if row.status == "Trading" and row.contractType in ("", "LinearPerpetual"):
                rows.append(_instrument(row, answer.category, f"Bybit instruments-info{day}"))
        except _OddName:
            odd += 1  # one odd listing must not hide the others
        except (ValueError, ArithmeticError):
            continue
    if answer.list and not rows:
        raise _OddName("no instrument") if odd else ValueError("no readable instrument")
    return (Instruments("bybit", tuple(rows)),)


def _instrument(row: _InstrumentRow, category: str, source: str) -> Instrument:
    lot, spot = row.lotSizeFilter, category == "spot"
    if not (_COIN.fullmatch(row.baseCoin) and _COIN.fullmatch(row.quoteCoin)):
        raise _OddName("a coin is named otherwise than in capitals and digits")
    if spot and row.symbol != row.baseCoin + row.quoteCoin:
        raise _OddName("a spot symbol is its two coins; the ledger reads the coin from it")
    unit, base = split_coin(row.baseCoin)
    step = _positive(lot.basePrecision if spot else lot.qtyStep)
    least = _amount(lot.minOrderQty or "0")
    most = (lot.maxMarketOrderQty if spot else lot.maxMktOrderQty) or lot.maxOrderQty
    return Instrument(
        key=_key(category, row.symbol),
        venue="bybit",
        market="spot" if spot else "perp",
        symbol=row.symbol,
        base=base,
        quote=row.quoteCoin,
        tick=_positive(row.priceFilter.tickSize) / unit,
        lot=step * unit,
        min_qty=max(least, step) * unit,
        min_notional=_amount((lot.minOrderAmt if spot else lot.minNotionalValue) or "0"),
        max_qty=_positive(most) * unit,
        multiplier=unit,
        leverage_max=Decimal(1) if spot else _positive(row.leverageFilter.maxLeverage),
        funding_interval_h=Decimal(row.fundingInterval) / 60,  # minutes here, hours in tickers
        source=source,
    )


def _tiers(raw: msgspec.Raw, _time_ms: int, _: str) -> Sequence[MarketEvent]:
    answer = _convert(raw, _TierList)
    by_symbol: dict[str, list[Tier]] = {}
    for row in answer.list:
        by_symbol.setdefault(row.symbol, []).append(_tier(row))
    if not by_symbol:
        raise ValueError("no tier")
    return tuple(
        Tiers(_key(answer.category, symbol), tuple(sorted(tiers, key=lambda tier: tier.limit)))
        for symbol, tiers in by_symbol.items()
    )


def _tier(row: _TierRow) -> Tier:
    maintenance, initial = _positive(row.maintenanceMargin), _positive(row.initialMargin)
    leverage = _positive(row.maxLeverage)
    # Linear answers are fractions, older samples percent. The initial margin is 1 / leverage, give
    # or take rounding, so a product near 100 instead of 1 gives the percent away.
    if initial * leverage > 10:
        maintenance, initial = maintenance / 100, initial / 100
    if not maintenance <= initial <= 1:
        raise ValueError(f"margins {maintenance} and {initial} at {leverage}x")
    return Tier(
        limit=_positive(row.riskLimitValue),
        maintenance=maintenance,
        initial=initial,
        leverage_max=leverage,
        deduction=_amount(row.mmDeduction or "0"),
    )


def _candles(raw: msgspec.Raw, time_ms: int, interval: str) -> Sequence[MarketEvent]:
    if interval != "1":
        raise ValueError(f"candles of interval {interval!r}, expected 1 minute")
    answer = _convert(raw, _CandleList)
    key, unit = _key(answer.category, answer.symbol), float(multiplier_of(answer.symbol))
    # The newest candle may still be open: its close is not a close yet.
    closed = (
        (row[0], row[4] / unit)
        for row in answer.list
        if not time_ms or row[0] + MINUTE_MS <= time_ms
    )
    return (Candles(key, _oldest_first(closed)),)


def _funding(raw: msgspec.Raw, _time_ms: int, _: str) -> Sequence[MarketEvent]:
    answer = _convert(raw, _FundingList)
    by_symbol: dict[str, list[tuple[int, str]]] = {}
    for row in answer.list:
        if abs(_amount(row.fundingRate)) >= 1:
            raise ValueError(f"funding rate {row.fundingRate}")
        rows = by_symbol.setdefault(row.symbol, [])
        rows.append((row.fundingRateTimestamp, row.fundingRate))
    return tuple(
        FundingHistory(_key(answer.category, symbol), _oldest_first(rows))
        for symbol, rows in by_symbol.items()
    )


def _time(raw: msgspec.Raw, _time_ms: int, _: str) -> Sequence[MarketEvent]:
    return (VenueTime("bybit", _convert(raw, _Time).timeNano // 1_000_000),)


_V = TypeVar("_V", float, str)


def _oldest_first(rows: Iterable[tuple[int, _V]]) -> list[tuple[int, _V]]:
    return sorted(dict(rows).items())
