"""Kraken over HTTP: rules, tiers, candles, past funding, tickers and the server's clock.

Rules are read as Decimal from the very digits; a row that cannot be read is left out, an answer
with no readable row is a BadFrame. Source: docs.kraken.com REST pages (2026-07).
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache, partial
from math import nan
from typing import Annotated

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import Candles, FundingHistory, FundingInfo, Ticker, VenueTime
from basisdesk.venues.instrument import RENAMED, FundingRule, Instrument, Instruments, Tier, Tiers
from basisdesk.venues.kraken_spot import Stamp, to_ms
from basisdesk.venues.reading import Amount, Events, MillisGiven, Price, PriceOrNone, given
from basisdesk.venues.rest_reading import (
    CANDLES_MAX,
    Answer,
    Known,
    Limited,
    oldest_first,
    only,
    typed,
)

FUNDING_KEPT = 720  # newest settlements kept: 30 days; the venue sends years
FUNDING_MAX = 200_000  # settlements of one answer: 20 years of hours
OHLC_KEPT = 720  # candles of a spot pair, all that the venue gives
NO_LIMIT = Decimal(10) ** 12  # the venue names no largest order or tier
INTERVAL_H = 1
# A premium's 24th part an hour, no interest term, no clamp, paid on the index as time passes
# (support, linear perpetual contracts, 2026).
FUNDING = FundingRule(0.0, 0.0, "24h", "accrual", "index")
RATE_DIGITS = Decimal("1e-24")
MARGIN_MIN = Decimal("1e-6")
LADDERS_KEPT, LADDER_BYTES = 512, 4_096  # texts of tiers remembered, and the longest of them
CAP_DEFAULT = 0.0025  # of the rate an hour, where the answer does not say

# Spot REST says the older names, WebSocket v2 the newer.
_OLDER = {new: old for old, new in RENAMED.items()}
_PAIR_QUOTES = (
    "USDT",
    "USDC",
    "USD",
    "EUR",
    "GBP",
    "AUD",
    "CAD",
    "CHF",
    "JPY",
    "XBT",
    "ETH",
    "DAI",
)
_SPOT = re.compile(r"([A-Za-z0-9][A-Za-z0-9.]{0,23})/([A-Z0-9]{2,10})")
LINEAR = re.compile(r"PF_([A-Za-z0-9]{1,30})USD")
CHART = re.compile(r"/api/charts/v1/trade/(PF_[A-Za-z0-9]{1,33})/1m")

Query = Mapping[str, str]
Seconds = Annotated[int, Meta(gt=0, le=10**11)]


class _SpotAnswer(msgspec.Struct, gc=False):
    error: list[str]
    result: msgspec.Raw = msgspec.Raw(b"{}")


class _PairRow(msgspec.Struct, gc=False):
    altname: str
    wsname: str
    tick_size: Decimal
    lot_decimals: Annotated[int, Meta(ge=0, le=18)]
    ordermin: Decimal
    costmin: Decimal = Decimal(0)
    status: str = "online"


class _SpotTime(msgspec.Struct, gc=False):
    unixtime: Seconds


class _Margin(msgspec.Struct, gc=False):
    initialMargin: Decimal
    maintenanceMargin: Decimal
    numNonContractUnits: Decimal | None = None  # lower end, quote currency


_Margins = Annotated[list[_Margin], Meta(min_length=1, max_length=100)]


class _Listed(msgspec.Struct, gc=False):
    symbol: str
    type: str
    tradeable: bool


class _ContractRow(_Listed, gc=False):
    tickSize: Decimal
    contractValueTradePrecision: Annotated[int, Meta(ge=-12, le=12)]
    marginLevels: msgspec.Raw
    contractSize: Decimal = Decimal(1)
    maxPositionSize: Decimal | None = None
    maxRelativeFundingRate: Annotated[float, Meta(gt=0.0, lt=1.0)] = CAP_DEFAULT


class _Contracts(msgspec.Struct, gc=False):
    instruments: Annotated[list[msgspec.Raw], Limited]
    serverTime: str = ""


class _TickerRow(msgspec.Struct, gc=False):
    symbol: str
    markPrice: PriceOrNone | None = None
    indexPrice: PriceOrNone | None = None
    openInterest: Amount | None = None


class _TickerPage(msgspec.Struct, gc=False):
    tickers: Annotated[list[msgspec.Raw], Limited]
    serverTime: Stamp | None = None


class _RateRow(msgspec.Struct, gc=False):
    timestamp: Stamp
    relativeFundingRate: Decimal


class _RatePage(msgspec.Struct, gc=False):
    rates: Annotated[list[_RateRow], Meta(max_length=FUNDING_MAX)]


class _CandleRow(msgspec.Struct, gc=False):
    time: MillisGiven
    close: Price


class _CandlePage(msgspec.Struct, gc=False):
    candles: list[_CandleRow]


_Row = tuple[Seconds, Price, Price, Price, Price, str, str, int]
_SUCCESS = msgspec.Raw(b'"success"')
_decode_pair = msgspec.json.Decoder(_PairRow).decode
_decode_listed = msgspec.json.Decoder(_Listed).decode
_decode_margins = msgspec.json.Decoder(_Margins).decode
_decode_contract = msgspec.json.Decoder(_ContractRow).decode
_known_pairs: Known[tuple[str, Instrument]] = Known()
_known_contracts: Known[tuple[Instrument, float]] = Known()


def read_page(answer: Answer) -> Events:
    """Events of one answer of "kraken.rest": spot and futures pages alike."""
    path, query, body = answer
    if spot := _SPOT_PAGES.get(path):
        return spot(spot_result(body), query)
    chart = CHART.fullmatch(path)
    futures = partial(_candles, chart[1]) if chart else _FUTURES_PAGES.get(path)
    if futures is None:
        raise BadFrame("topic")
    check_futures(body)
    return futures(body, query)


def spot_result(body: str) -> msgspec.Raw:
    """The result in a spot page. BadFrame "rest" where the venue refused."""
    page = msgspec.json.decode(body, type=_SpotAnswer)
    if page.error:
        raise BadFrame("rest")
    return page.result


def check_futures(body: str) -> None:
    """Raise BadFrame "rest" where a futures page or a chart is a refusal."""
    # Pages say {"result":"error","error":"..."}, charts {"errors":[...]}.
    said = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "errors" in said or bytes(said.get("result", _SUCCESS)) != bytes(_SUCCESS):
        raise BadFrame("rest")


def rest_pair(symbol: str) -> str:
    """A v2 symbol as spot REST takes it: "XBTUSDT" of "BTC/USDT", "ADAUSD" of "ADA/USD"."""
    base, quote = symbol.split("/")
    return _OLDER.get(base, base) + _OLDER.get(quote, quote)


def v2_symbol(name: str) -> str:
    """A pair of spot REST as WebSocket v2 calls it: "BTC/USDT" of wsname "XBT/USDT" or "XBTUSDT".

    Raises ValueError for what is no pair.
    """
    base, mark, quote = name.partition("/")
    if not mark:
        quote = next((each for each in _PAIR_QUOTES if name.endswith(each) and name != each), "")
        base = name.removesuffix(quote)
    symbol = f"{RENAMED.get(base, base)}/{RENAMED.get(quote, quote)}"
    if not _SPOT.fullmatch(symbol):
        raise ValueError(f"{name[:40]!r} is not a pair")
    return symbol


def _above_zero(*values: Decimal) -> None:
    for value in values:
        if not (value.is_finite() and Decimal("1e-18") <= value < Decimal("1e18")):
            raise ValueError(f"{value} is no tick, size or price")


# --- spot ----------------------------------------------------------------------------------------


def _pairs(raw: msgspec.Raw, query: Query) -> Events:
    texts = msgspec.json.decode(raw, type=Annotated[dict[str, msgspec.Raw], Limited])
    rows = _known_pairs.readable(tuple(texts.values()), "", _paired, ours=False)
    kept = only(rows, query.get("pair", ""), lambda row: row[0])
    return (Instruments("kraken", tuple(pair for _, pair in kept)),)


def _paired(text: msgspec.Raw) -> tuple[str, Instrument] | None:
    """(the name to ask for it by, the pair); ValueError for a dark pool, which has no such."""
    row = _decode_pair(text)
    if row.status != "online":
        return None
    pair = _pair(row)
    return rest_pair(pair.symbol), pair


def _pair(row: _PairRow) -> Instrument:
    symbol = v2_symbol(row.wsname)
    if "/" not in row.wsname:
        raise ValueError("no WebSocket name")
    base, quote = symbol.split("/")
    _above_zero(row.tick_size, row.ordermin)
    if row.costmin and not 0 <= row.costmin < NO_LIMIT:
        raise ValueError("smallest cost")
    return Instrument(
        key=f"kraken:spot:{symbol}",
        venue="kraken",
        market="spot",
        symbol=symbol,
        base=base,
        quote=quote,
        tick=row.tick_size,
        lot=Decimal(1).scaleb(-row.lot_decimals),
        min_qty=row.ordermin,
        min_notional=row.costmin,
        max_qty=NO_LIMIT,
        source="Kraken AssetPairs",
    )


def _ohlc(raw: msgspec.Raw, query: Query) -> Events:
    if query.get("interval", "1") != "1":
        raise ValueError("candles of another interval than 1 minute")
    result = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    last = msgspec.json.decode(result.pop("last", msgspec.Raw(b"0")), type=int)
    if len(result) != 1:
        raise ValueError("not the candles of one pair")
    name, text = result.popitem()
    symbol = v2_symbol(query.get("pair", ""))
    if name not in rest_names(symbol):
        raise BadFrame("symbol")
    rows = typed(text, list[_Row])
    # The newest row is the running minute; `last` is the newest that is closed.
    closed = oldest_first((row[0] * 1000, row[4]) for row in rows if row[0] <= last)
    return (Candles(f"kraken:spot:{symbol}", closed[-OHLC_KEPT:]),)


def rest_names(symbol: str) -> set[str]:
    """What spot REST may call a pair: older coins and currencies have an X or Z before theirs."""
    base, quote = symbol.split("/")
    names = {symbol}
    for old_base, old_quote in ((base, quote), (_OLDER.get(base, base), _OLDER.get(quote, quote))):
        names.update(f"{x}{old_base}{z}{old_quote}" for x in ("", "X", "Z") for z in ("", "X", "Z"))
    return names


def _time(raw: msgspec.Raw, _query: Query) -> Events:
    # Whole seconds, cut off: half a second is the best guess of the rest.
    seconds = msgspec.json.decode(raw, type=_SpotTime).unixtime
    return (VenueTime("kraken", seconds * 1000 + 500),)


# --- futures -------------------------------------------------------------------------------------


def _contracts(body: str, _query: Query) -> Events:
    page = msgspec.json.decode(body, type=_Contracts)
    day = page.serverTime[:10]
    source = f"Kraken instruments{f' of {day}' if _is_day(day) else ''}"

    def read(text: msgspec.Raw) -> tuple[Instrument, float] | None:
        listed = _decode_listed(text)
        if listed.type != "flexible_futures" or not listed.tradeable:
            return None  # inverse contracts and indices
        if not LINEAR.fullmatch(listed.symbol):
            return None  # a dated one
        row = _decode_contract(text)
        return _contract(row, source), row.maxRelativeFundingRate

    found = _known_contracts.readable(page.instruments, source, read, ours=False)
    caps = tuple((row.key, float(INTERVAL_H), cap) for row, cap in found)
    rows = tuple(row for row, _ in found)
    tiers = tuple(Tiers(row.key, row.tiers) for row in rows)
    return (Instruments("kraken", rows), *tiers, FundingInfo("kraken", caps))


def _is_day(text: str) -> bool:
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None


def _contract(row: _ContractRow, source: str) -> Instrument:
    found = LINEAR.fullmatch(row.symbol)
    if found is None or row.contractSize != 1:
        raise ValueError("not one coin a contract")  # the codec of the socket counts on it
    lot = Decimal(1).scaleb(-row.contractValueTradePrecision)
    most = row.maxPositionSize or NO_LIMIT
    _above_zero(row.tickSize, lot, most)
    ladder = bytes(row.marginLevels)
    tiers = _known_tiers(ladder) if len(ladder) <= LADDER_BYTES else _tiers(ladder)
    return Instrument(
        key=f"kraken:perp:{row.symbol}",
        venue="kraken",
        market="perp",
        symbol=row.symbol,
        base=RENAMED.get(found[1], found[1]),
        quote="USD",
        tick=row.tickSize,
        lot=lot,
        min_qty=lot,
        min_notional=Decimal(0),
        max_qty=most,
        leverage_max=tiers[0].leverage_max,
        funding_interval_h=Decimal(INTERVAL_H),
        tiers=tiers,
        source=source,
        funding=FUNDING,
    )


def _tiers(text: bytes) -> tuple[Tier, ...]:
    """Tiers by their upper ends: the venue gives the lower end of each, in USD of notional."""
    known = []
    for level in _decode_margins(text):
        if level.numNonContractUnits is None:
            raise ValueError("a tier in contracts")
        known.append((level.numNonContractUnits, level.initialMargin, level.maintenanceMargin))
    known.sort()
    ends = [low for low, _, _ in known[1:]] + [NO_LIMIT]
    tiers = []
    for (low, initial, maintenance), end in zip(known, ends, strict=True):
        if not (0 <= low < end and MARGIN_MIN <= maintenance <= initial <= 1):
            raise ValueError(f"margins {maintenance} and {initial} from {low} to {end}")
        leverage = (1 / initial).quantize(Decimal("0.01")).normalize()
        tiers.append(Tier(end, maintenance, initial, leverage))
    return tuple(tiers)


_known_tiers = lru_cache(LADDERS_KEPT)(_tiers)  # contracts of one class share a ladder


def _tickers(body: str, query: Query) -> Events:
    """Mark, index and open interest. The rate there is absolute, USD an hour: not taken."""
    page = msgspec.json.decode(body, type=_TickerPage)
    ms = to_ms(page.serverTime)
    rows = []
    for text in page.tickers:
        try:
            row = msgspec.json.decode(text, type=_TickerRow)
        except msgspec.ValidationError:
            continue  # an index has no mark
        if LINEAR.fullmatch(row.symbol):
            rows.append(row)
    return tuple(_ticker(row, ms) for row in only(rows, query.get("symbol", ""), _symbol_of))


def _symbol_of(row: _TickerRow) -> str:
    return row.symbol


def _ticker(row: _TickerRow, ms: int) -> Ticker:
    mark, index = given(row.markPrice), given(row.indexPrice)
    held = nan if row.openInterest is None else row.openInterest
    return Ticker(f"kraken:perp:{row.symbol}", "", mark, index, held, nan, 0.0, 0, 0.0, ms)


def _funding(body: str, query: Query) -> Events:
    symbol = query.get("symbol", "")
    if not LINEAR.fullmatch(symbol):
        raise BadFrame("symbol")
    told = {row.timestamp: row for row in msgspec.json.decode(body, type=_RatePage).rates}
    rows = {}
    for stamp in sorted(told)[-FUNDING_KEPT:]:  # years of hours come: only the newest are read
        row = told[stamp]
        if not abs(row.relativeFundingRate) < 1:
            raise ValueError(f"funding rate {row.relativeFundingRate}")
        rate = row.relativeFundingRate.quantize(RATE_DIGITS).normalize()
        rows[to_ms(stamp)] = f"{rate:f}"
    return (FundingHistory(f"kraken:perp:{symbol}", sorted(rows.items())),)


def _candles(symbol: str, body: str, query: Query) -> Events:
    until = int(query.get("to", "0")) * 1000  # the page may hold the minute that begins there
    page = typed(body, _CandlePage)
    rows = ((row.time, row.close) for row in page.candles if not until or row.time <= until)
    return (Candles(f"kraken:perp:{symbol}", oldest_first(rows)[-CANDLES_MAX:]),)


_SPOT_PAGES: dict[str, Callable[[msgspec.Raw, Query], Events]] = {
    "/0/public/AssetPairs": _pairs,
    "/0/public/OHLC": _ohlc,
    "/0/public/Time": _time,
}
_FUTURES_PAGES: dict[str, Callable[[str, Query], Events]] = {
    "/derivatives/api/v3/instruments": _contracts,
    "/derivatives/api/v3/tickers": _tickers,
    "/derivatives/api/v4/historicalfundingrates": _funding,
}
