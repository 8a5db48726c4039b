"""Bybit V5 over HTTP: instruments, risk tiers, candles, past funding, the server's clock.

Money-like values are read as text into Decimal; a row that cannot be read is left out, an answer
with no readable row is a BadFrame.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import VenueTime
from basisdesk.venues.instrument import Instrument, Instruments, Tier, split_coin
from basisdesk.venues.reading import MINUTE_MS, Events, MillisGiven, Price, unit_of
from basisdesk.venues.rest_reading import (
    COIN,
    Answer,
    Known,
    Limited,
    ServerMs,
    amount,
    candles,
    dated,
    ladders,
    only,
    past_funding,
    positive,
    typed,
)

QUOTES = ("USDT", "USDC", "USDE", "USD1", "EUR", "GBP", "BRL", "BTC", "ETH")

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,39}")


class _Envelope(msgspec.Struct, gc=False):
    retCode: int
    result: msgspec.Raw
    time: ServerMs = 0


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
    list: Annotated[list[msgspec.Raw], Limited]


class _TierRow(msgspec.Struct, gc=False):
    symbol: str
    riskLimitValue: str
    maintenanceMargin: str
    initialMargin: str
    maxLeverage: str
    mmDeduction: str = ""


class _TierList(msgspec.Struct, gc=False):
    category: str
    list: Annotated[list[_TierRow], Limited]


class _CandleList(msgspec.Struct, gc=False):
    category: str
    symbol: str
    list: list[tuple[MillisGiven, Price, Price, Price, Price, str, str]]


class _FundingRow(msgspec.Struct, gc=False):
    symbol: str
    fundingRate: str
    fundingRateTimestamp: MillisGiven


class _FundingList(msgspec.Struct, gc=False):
    category: str
    list: Annotated[list[_FundingRow], Limited]


class _Time(msgspec.Struct, gc=False):
    timeNano: Annotated[int, Meta(gt=0, le=9 * 10**18)]


decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_row = msgspec.json.Decoder(_InstrumentRow).decode
_known: Known[Instrument] = Known()
_Query = Mapping[str, str]


def read_page(answer: Answer) -> Events:
    """Events of one answer of "bybit.rest"."""
    said = decode_envelope(answer.body)
    if said.retCode != 0:
        raise BadFrame("rest")
    page = _PAGES.get(answer.path)
    if page is None:
        raise BadFrame("topic")
    return page(said.result, said.time, answer.query)


def multiplier_of(symbol: str) -> Decimal:
    """Base coins in one unit of the venue's size: 1000 for 1000PEPEUSDT and SHIB1000USDT."""
    return unit_of(symbol, (*QUOTES, "PERP"))


def key_of(category: str, symbol: str) -> str:
    """The leg's name; ValueError for what is no spot market or linear contract."""
    if category not in ("spot", "linear") or not SYMBOL.fullmatch(symbol):
        raise ValueError(f"{category[:20]!r} {symbol[:40]!r} is not an instrument")
    return f"bybit:{'spot' if category == 'spot' else 'perp'}:{symbol}"


def check(query: _Query, **said: str) -> None:
    """Raise BadFrame where the answer is not of what was asked for."""
    if any(query.get(word, value) != value for word, value in said.items()):
        raise BadFrame("symbol")


def _instruments(raw: msgspec.Raw, time_ms: int, query: _Query) -> Events:
    answer = typed(raw, _InstrumentList)
    check(query, category=answer.category)
    source = dated("Bybit instruments-info", time_ms)

    def read(text: msgspec.Raw) -> Instrument | None:
        row = _decode_row(text)
        if row.status != "Trading" or row.contractType not in ("", "LinearPerpetual"):
            return None
        return _instrument(row, answer.category, source)

    rows = _known.readable(answer.list, f"{answer.category} {source}", read)
    asked = query.get("symbol", "")
    return (Instruments("bybit", tuple(only(rows, asked, lambda row: row.symbol))),)


def _instrument(row: _InstrumentRow, category: str, source: str) -> Instrument:
    lot, spot = row.lotSizeFilter, category == "spot"
    if not (COIN.fullmatch(row.baseCoin) and COIN.fullmatch(row.quoteCoin)):
        raise BadFrame("a coin is named otherwise than in capitals and digits")
    if spot and row.symbol != row.baseCoin + row.quoteCoin:
        raise BadFrame("a spot symbol is its two coins; the ledger reads the coin from it")
    unit, base = split_coin(row.baseCoin)
    step = positive(lot.basePrecision if spot else lot.qtyStep)
    least = amount(lot.minOrderQty or "0")
    most = (lot.maxMarketOrderQty if spot else lot.maxMktOrderQty) or lot.maxOrderQty
    tick, most_qty, least_qty = positive(row.priceFilter.tickSize), positive(most), max(least, step)
    if unit != 1:
        tick, step, least_qty, most_qty = (
            tick / unit,
            step * unit,
            least_qty * unit,
            most_qty * unit,
        )
    return Instrument(
        key=key_of(category, row.symbol),
        venue="bybit",
        market="spot" if spot else "perp",
        symbol=row.symbol,
        base=base,
        quote=row.quoteCoin,
        tick=tick,
        lot=step,
        min_qty=least_qty,
        min_notional=amount((lot.minOrderAmt if spot else lot.minNotionalValue) or "0"),
        max_qty=most_qty,
        multiplier=unit,
        leverage_max=Decimal(1) if spot else positive(row.leverageFilter.maxLeverage),
        funding_interval_h=Decimal(row.fundingInterval) / 60,  # minutes here, hours in tickers
        source=source,
    )


def _tiers(raw: msgspec.Raw, _time_ms: int, query: _Query) -> Events:
    answer = typed(raw, _TierList)
    check(query, category=answer.category)
    rows = only(answer.list, query.get("symbol", ""), lambda row: row.symbol)
    tiers = ((row.symbol, _tier(row)) for row in rows)
    return ladders(tiers, lambda symbol: key_of(answer.category, symbol))


def _tier(row: _TierRow) -> Tier:
    maintenance, initial = positive(row.maintenanceMargin), positive(row.initialMargin)
    leverage = positive(row.maxLeverage)
    # Linear answers are fractions, older samples percent. The initial margin is 1 / leverage, give
    # or take rounding, so a product near 100 instead of 1 gives the percent away.
    if initial * leverage > 10:
        maintenance, initial = maintenance / 100, initial / 100
    if not maintenance <= initial <= 1:
        raise ValueError(f"margins {maintenance} and {initial} at {leverage}x")
    return Tier(
        limit=positive(row.riskLimitValue),
        maintenance=maintenance,
        initial=initial,
        leverage_max=leverage,
        deduction=amount(row.mmDeduction or "0"),
    )


def _candles(raw: msgspec.Raw, time_ms: int, query: _Query) -> Events:
    if query.get("interval", "1") != "1":
        raise ValueError("candles of another interval than one minute")
    answer = typed(raw, _CandleList)
    check(query, category=answer.category, symbol=answer.symbol)
    key, unit = key_of(answer.category, answer.symbol), float(multiplier_of(answer.symbol))
    # The newest candle may still be open: its close is not a close yet.
    closed = (
        (row[0], row[4] / unit)
        for row in answer.list
        if not time_ms or row[0] + MINUTE_MS <= time_ms
    )
    return candles(key, closed, query)


def _funding(raw: msgspec.Raw, _time_ms: int, query: _Query) -> Events:
    answer = typed(raw, _FundingList)
    check(query, category=answer.category)
    rows = [(row.symbol, row.fundingRateTimestamp, row.fundingRate) for row in answer.list]
    return past_funding(rows, lambda symbol: key_of(answer.category, symbol), query)


def _time(raw: msgspec.Raw, _time_ms: int, _query: _Query) -> Events:
    return (VenueTime("bybit", typed(raw, _Time).timeNano // 1_000_000),)


_PAGES: dict[str, Callable[[msgspec.Raw, int, _Query], Events]] = {
    "/v5/market/instruments-info": _instruments,
    "/v5/market/risk-limit": _tiers,
    "/v5/market/kline": _candles,
    "/v5/market/funding/history": _funding,
    "/v5/market/time": _time,
}
