"""OKX V5 over HTTP: instruments, tiers, candles, funding, mark, open interest, books, the clock.

An answer comes in as a frame like any other: {"path": "/api/v5/...?query", "data": "<body text>"}.
The venue's answers do not always say what they are about, so the query is read too. Money-like
values are read as text into Decimal; a row that cannot be read is left out, an answer with no
readable row is a BadFrame.
"""

import re
from collections.abc import Callable, MutableMapping, Sequence
from decimal import Decimal
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, Candles, FundingHistory, FundingInfo, VenueTime
from basisdesk.venues import MarketEvent
from basisdesk.venues.instrument import FundingRule, Instrument, Instruments, Tier, Tiers
from basisdesk.venues.okx_channels import (
    FundingRow,
    InterestRow,
    Level,
    Millis,
    Price,
    SeqId,
    check_snapshot,
    funding,
    interest,
    levels,
    ticker,
)

MINUTE_MS = 60_000
PAGE_MINUTES = 288  # candles a page, five pages a day; the venue gives 300 rows at most
ROWS_MAX = 20_000  # rows of one answer; the longest, all spot markets, has below 2,000

# Notice of 2026-05-29: F = clamp[(P + clamp(I - P, 5 bp)) / (8 / N)], I = 1 bp.
FUNDING = FundingRule(interest_8h_bp=1.0, clamp_bp=5.0, scale="8h")
SETTLED_IN = ("USDT", "USDC")

_SYMBOL = re.compile(r"[A-Z0-9]{1,20}-[A-Z0-9]{2,10}(-SWAP)?")
_FAMILY = re.compile(r"[A-Z0-9]{1,20}-(USDT|USDC)")
_AMOUNT = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,20})?")


class _Answer(msgspec.Struct, gc=False):
    path: str
    data: str


class _Envelope(msgspec.Struct, gc=False):
    code: str
    data: Annotated[list[msgspec.Raw], Meta(max_length=ROWS_MAX)]


class _InstrumentRow(msgspec.Struct, gc=False):
    instId: str
    instType: str
    state: str
    tickSz: str
    lotSz: str
    minSz: str
    baseCcy: str = ""
    quoteCcy: str = ""
    settleCcy: str = ""
    uly: str = ""
    ctType: str = ""
    ctVal: str = ""
    ctMult: str = ""
    ctValCcy: str = ""
    lever: str = ""
    maxLmtSz: str = ""
    maxMktSz: str = ""


class _TierRow(msgspec.Struct, gc=False):
    maxSz: str
    mmr: str
    imr: str
    maxLever: str
    instFamily: str = ""
    uly: str = ""


class _SettledRow(msgspec.Struct, gc=False):
    instId: str
    fundingTime: Millis
    fundingRate: str = ""
    realizedRate: str = ""


class _Candle(msgspec.Struct, array_like=True, gc=False):
    ts: Millis
    open: Price
    high: Price
    low: Price
    close: Price
    vol: str
    volCcy: str
    volCcyQuote: str
    confirm: str  # "1" once the minute is over


class _BookRow(msgspec.Struct, gc=False):
    asks: list[Level]
    bids: list[Level]
    ts: Millis
    seqId: SeqId


class _MarkRow(msgspec.Struct, gc=False):
    instId: str
    markPx: Price
    ts: Millis


class _TimeRow(msgspec.Struct, gc=False):
    ts: Annotated[int, Meta(gt=0, le=4_102_444_800_000)]  # up to the year 2100


_T = TypeVar("_T")
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_Query = dict[str, str]
_Rows = list[msgspec.Raw]


class RestCodec:
    """Decoder of "okx.rest". Keeps nothing but the contract sizes, which the whole venue shares."""

    def __init__(self, contracts: MutableMapping[str, Decimal]) -> None:
        self._contracts = contracts
        self._readers: dict[str, Callable[[_Rows, _Query], Sequence[MarketEvent]]] = {
            "public/instruments": self._instruments,
            "public/position-tiers": self._tiers,
            "public/funding-rate": _funding,
            "public/funding-rate-history": _settled,
            "public/mark-price": _mark,
            "public/open-interest": self._interest,
            "public/time": _time,
            "market/books": self._book,
            "market/candles": _candles,
            "market/history-candles": _candles,
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
        if body.code != "0":
            raise BadFrame("rest", payload)
        read = self._readers.get(url.path.removeprefix("/api/v5/"))
        if read is None:
            raise BadFrame("topic", payload)
        try:
            return read(body.data, query)
        except msgspec.ValidationError:
            raise BadFrame("type", payload) from None
        except (ValueError, ArithmeticError, RecursionError):
            raise BadFrame("number", payload) from None

    def _unit(self, symbol: str) -> Decimal:
        if not symbol.endswith("-SWAP"):
            return Decimal(1)
        size = self._contracts.get(symbol)
        if size is None:
            raise BadFrame("contract", symbol.encode())
        return size

    def _instruments(self, raw: _Rows, query: _Query) -> Sequence[MarketEvent]:
        if query.get("instType", "SPOT") not in ("SPOT", "SWAP"):
            return ()  # futures and options, in recordings of others: not traded here
        rows = []
        for text in raw:
            try:
                row = _row(text, _InstrumentRow)
                described = _described(row) if row.state == "live" else None
            except (ValueError, ArithmeticError):
                continue  # one odd listing must not hide the others
            if described is not None:
                rows.append(described)
        if raw and not rows:
            raise ValueError("no readable instrument")
        # What the venue says wins over what we knew.
        self._contracts.update({row.symbol: row.multiplier for row in rows if row.market == "perp"})
        return (Instruments("okx", tuple(rows)),)

    def _tiers(self, raw: _Rows, query: _Query) -> Sequence[MarketEvent]:
        by_family: dict[str, list[Tier]] = {}
        for text in raw:
            row = _row(text, _TierRow)
            family = row.instFamily or row.uly or query.get("instFamily", "")
            if not _FAMILY.fullmatch(family):
                raise ValueError(f"{family[:40]!r} is not a family of linear swaps")
            tier = _tier(row, self._unit(f"{family}-SWAP"))
            by_family.setdefault(family, []).append(tier)
        if not by_family:
            raise ValueError("no tier")
        return tuple(
            Tiers(f"okx:perp:{family}-SWAP", tuple(sorted(tiers, key=_limit)), "base")
            for family, tiers in by_family.items()
        )

    def _interest(self, raw: _Rows, _: _Query) -> Sequence[MarketEvent]:
        events = []
        for text in raw:
            row = _row(text, InterestRow)
            key = _swap(row.instId)
            coins = interest(row, float(self._unit(row.instId)), bytes(text))
            events.append(ticker(key, "", row.ts, open_interest=coins))
        return events

    def _book(self, raw: _Rows, query: _Query) -> Sequence[MarketEvent]:
        symbol = query.get("instId", "")
        (text,) = raw
        row, unit = _row(text, _BookRow), float(self._unit(symbol))
        bids, asks = levels(row.bids, unit), levels(row.asks, unit)
        check_snapshot(bids, asks, b"")
        return (BookUpdate(_key(symbol), "", True, bids, asks, row.seqId, row.ts),)


def backfill_paths(spot: bool, symbol: str, now_ms: int) -> tuple[str, ...]:
    """Rules, tiers, 24 h of candles in pages and funding of one instrument; see Venue.backfill.

    A page holds the minutes with before < start < after (both exclusive, pages of 2026-07).
    """
    public, which = "/api/v5/public/", f"instId={symbol}"
    this_minute, page = now_ms - now_ms % MINUTE_MS, PAGE_MINUTES * MINUTE_MS
    candles = tuple(
        f"/api/v5/market/history-candles?{which}&bar=1m"
        f"&after={start + page}&before={start - 1}&limit=300"
        for start in range(this_minute - 5 * page, this_minute, page)
    )
    rules = f"{public}instruments?instType={'SPOT' if spot else 'SWAP'}&{which}"
    if spot:
        return (rules, *candles)
    family = symbol.removesuffix("-SWAP")
    return (
        rules,
        f"{public}position-tiers?instType=SWAP&tdMode=isolated&instFamily={family}",
        *candles,
        f"{public}funding-rate?{which}",
        f"{public}funding-rate-history?{which}&limit=400",
        f"{public}mark-price?instType=SWAP&{which}",
        f"{public}open-interest?instType=SWAP&{which}",
    )


def _row(text: msgspec.Raw, shape: type[_T]) -> _T:
    return msgspec.json.decode(text, type=shape, strict=False)


def _amount(text: str) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an amount")
    return Decimal(text)


def _positive(text: str) -> Decimal:
    value = _amount(text)
    if value <= 0:
        raise ValueError(f"{text[:40]!r} is not above zero")
    return value


def _key(symbol: str) -> str:
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(f"{symbol[:40]!r} is not an instrument")
    return f"okx:{'perp' if symbol.endswith('-SWAP') else 'spot'}:{symbol}"


def _swap(symbol: str) -> str:
    if not symbol.endswith("-SWAP"):
        raise ValueError(f"{symbol[:40]!r} is not a swap")
    return _key(symbol)


def _described(row: _InstrumentRow) -> Instrument | None:
    """The instrument; None for what the desk does not trade: inverse swaps, futures, options."""
    if row.instType == "SPOT":
        base, quote = row.baseCcy, row.quoteCcy
        # A spot market's largest market order is told in USDT; the limit order's is in coins.
        unit, most, lever = Decimal(1), row.maxLmtSz, "1"
    elif row.instType == "SWAP" and row.ctType == "linear" and row.settleCcy in SETTLED_IN:
        base, _, quote = row.uly.partition("-")
        if (row.ctValCcy, row.settleCcy) != (base, quote):
            raise ValueError(f"contract in {row.ctValCcy[:20]!r}, settled in {row.settleCcy!r}")
        unit = _positive(row.ctVal) * _positive(row.ctMult or "1")
        most, lever = row.maxMktSz or row.maxLmtSz, row.lever or "1"
    else:
        return None
    if row.instId != f"{base}-{quote}" + ("" if row.instType == "SPOT" else "-SWAP"):
        raise ValueError("the id is not its two coins; the ledger reads the coin from it")
    lot = _positive(row.lotSz)
    return Instrument(
        key=_key(row.instId),
        venue="okx",
        market="spot" if row.instType == "SPOT" else "perp",
        symbol=row.instId,
        base=base,
        quote=quote,
        tick=_positive(row.tickSz),  # per coin: a contract's price is not per contract
        lot=lot * unit,
        min_qty=max(_amount(row.minSz), lot) * unit,
        min_notional=Decimal(0),
        max_qty=_positive(most) * unit,
        multiplier=unit,
        leverage_max=_positive(lever),
        source="OKX public/instruments",
        funding=FUNDING,
    )


def _tier(row: _TierRow, unit: Decimal) -> Tier:
    maintenance, initial = _positive(row.mmr), _positive(row.imr)
    if not maintenance <= initial <= 1:
        raise ValueError(f"margins {maintenance} and {initial}")
    return Tier(
        limit=_positive(row.maxSz) * unit,
        maintenance=maintenance,
        initial=initial,
        leverage_max=_positive(row.maxLever),
    )


def _limit(tier: Tier) -> Decimal:
    return tier.limit


def _funding(raw: _Rows, _: _Query) -> Sequence[MarketEvent]:
    rows = [_row(text, FundingRow) for text in raw]
    said = [funding(row, _key(row.instId), "") for row in rows if _linear(row.instId)]
    if not said:
        raise ValueError("no funding")
    info = FundingInfo("okx", tuple((each.instrument, each.interval_h, each.cap) for each in said))
    # A list of all swaps tells intervals; the rate of one is told only when one was asked for.
    return (info, said[0]) if len(said) == 1 else (info,)


def _linear(symbol: str) -> bool:
    return bool(_FAMILY.fullmatch(symbol.removesuffix("-SWAP")))


def _settled(raw: _Rows, _: _Query) -> Sequence[MarketEvent]:
    by_symbol: dict[str, dict[int, str]] = {}
    for text in raw:
        row = _row(text, _SettledRow)
        rate = row.realizedRate or row.fundingRate  # what was charged, before what was predicted
        if abs(_amount(rate)) >= 1:
            raise ValueError(f"funding rate {rate}")
        by_symbol.setdefault(row.instId, {})[row.fundingTime] = rate
    return tuple(
        FundingHistory(_key(symbol), sorted(rows.items())) for symbol, rows in by_symbol.items()
    )


def _mark(raw: _Rows, _: _Query) -> Sequence[MarketEvent]:
    rows = [_row(text, _MarkRow) for text in raw]
    return [ticker(_swap(row.instId), "", row.ts, mark=row.markPx) for row in rows]


def _candles(raw: _Rows, query: _Query) -> Sequence[MarketEvent]:
    if query.get("bar") != "1m":
        raise ValueError(f"candles of {query.get('bar', '')[:20]!r}, expected 1 minute")
    rows = [_row(text, _Candle) for text in raw]
    # The newest minute may still run: its close is not a close yet.
    closed = {row.ts: row.close for row in rows if row.confirm == "1"}
    return (Candles(_key(query.get("instId", "")), sorted(closed.items())),)


def _time(raw: _Rows, _: _Query) -> Sequence[MarketEvent]:
    (text,) = raw
    return (VenueTime("okx", _row(text, _TimeRow).ts),)
