"""OKX V5 over HTTP: instruments, tiers, candles, funding, mark, open interest, books, the clock.

The venue's answers do not always say what they are about, so the query is read too. Money-like
values are read as text into Decimal; a row that cannot be read is left out, an answer with no
readable row is a BadFrame.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping
from decimal import Decimal
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, FundingInfo, VenueTime
from basisdesk.venues.instrument import FundingRule, Instrument, Instruments, Tier
from basisdesk.venues.okx_channels import (
    SWAP,
    FundingRow,
    InterestRow,
    Level,
    MarkRow,
    funding,
    interest,
    levels,
    ticker,
)
from basisdesk.venues.reading import MINUTE_MS, Events, Millis, Price, Sequence64, check_sides
from basisdesk.venues.rest_reading import (
    YEAR_2100_MS,
    Answer,
    Known,
    Limited,
    amount,
    at_most,
    candles,
    ladders,
    only,
    past_funding,
    positive,
    typed,
)

PAGE_MINUTES = 288  # candles a page, five pages a day; the venue gives 300 rows at most
LEVELS_MAX = 5_000  # a side of a book over HTTP, the most the venue gives
ALL = "ANY"  # the instId that asks for the funding of every swap

# Notice of 2026-05-29: F = clamp[(P + clamp(I - P, 5 bp)) / (8 / N)], I = 1 bp.
FUNDING = FundingRule(interest_8h_bp=1.0, clamp_bp=5.0, scale="8h")
SETTLED_IN = ("USDT", "USDC")

SYMBOL = re.compile(r"[A-Z0-9]{1,20}-[A-Z0-9]{2,10}(-SWAP)?")
_FAMILY = re.compile(r"[A-Z0-9]{1,20}-(USDT|USDC)")
_PLACES = 20  # digits after the point of an amount here
_amount = partial(amount, places=_PLACES)
_positive = partial(positive, places=_PLACES)


class _Envelope(msgspec.Struct, gc=False):
    code: str
    data: Annotated[list[msgspec.Raw], Limited]


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
    seqId: Sequence64


class _TimeRow(msgspec.Struct, gc=False):
    ts: Annotated[int, Meta(gt=0, le=YEAR_2100_MS)]


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_known: Known[Instrument] = Known()
_Query = Mapping[str, str]
_Rows = list[msgspec.Raw]


class Pages:
    """Reader of "okx.rest". Keeps nothing but the contract sizes, which the whole venue shares."""

    def __init__(self, contracts: MutableMapping[str, Decimal]) -> None:
        self._contracts = contracts
        self._readers: dict[str, Callable[[_Rows, _Query], Events]] = {
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

    def read(self, answer: Answer) -> Events:
        """Events of one answer."""
        page = _decode_envelope(answer.body)
        if page.code != "0":
            raise BadFrame("rest")
        read = self._readers.get(answer.path.removeprefix("/api/v5/"))
        if read is None:
            raise BadFrame("topic")
        return read(page.data, answer.query)

    def _unit(self, symbol: str) -> Decimal:
        if not symbol.endswith(SWAP):
            return Decimal(1)
        size = self._contracts.get(symbol)
        if size is None:
            raise BadFrame("contract", symbol.encode())
        return size

    def _instruments(self, raw: _Rows, query: _Query) -> Events:
        if query.get("instType", "SPOT") not in ("SPOT", "SWAP"):
            return ()  # futures and options, in recordings of others: not traded here
        found = _known.readable(raw, "", _described)
        rows = only(found, query.get("instId", ""), lambda row: row.symbol)
        # What the venue says wins over what we knew.
        self._contracts.update({row.symbol: row.multiplier for row in rows if row.market == "perp"})
        return (Instruments("okx", tuple(rows)),)

    def _tiers(self, raw: _Rows, query: _Query) -> Events:
        asked = query.get("instFamily", "")
        said = [typed(text, _TierRow) for text in raw]
        named = [(row.instFamily or row.uly or asked, row) for row in said]
        tiers = []
        for family, row in only(named, asked, lambda each: each[0]):
            if not _FAMILY.fullmatch(family):
                raise ValueError(f"{family[:40]!r} is not a family of linear swaps")
            tiers.append((family, _tier(row, self._unit(f"{family}{SWAP}"))))
        return ladders(tiers, lambda family: f"okx:perp:{family}{SWAP}", "base")

    def _interest(self, raw: _Rows, query: _Query) -> Events:
        events = []
        said = [typed(text, InterestRow) for text in raw]
        for row in only(said, query.get("instId", ""), _id):
            key = _swap(row.instId)
            coins = interest(row, float(self._unit(row.instId)), row.instId.encode())
            events.append(ticker(key, "", row.ts, open_interest=coins))
        return events

    def _book(self, raw: _Rows, query: _Query) -> Events:
        symbol = query.get("instId", "")
        (text,) = raw
        row, unit = typed(text, _BookRow), float(self._unit(symbol))
        most = at_most(query, LEVELS_MAX, "sz")
        bids, asks = levels(row.bids[:most], unit), levels(row.asks[:most], unit)
        check_sides(bids, asks, b"")
        return (BookUpdate(key_of(symbol), "", True, bids, asks, row.seqId, row.ts),)


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
    family = symbol.removesuffix(SWAP)
    return (
        rules,
        f"{public}position-tiers?instType=SWAP&tdMode=isolated&instFamily={family}",
        *candles,
        f"{public}funding-rate?{which}",
        f"{public}funding-rate-history?{which}&limit=400",
        f"{public}mark-price?instType=SWAP&{which}",
        f"{public}open-interest?instType=SWAP&{which}",
    )


def key_of(symbol: str) -> str:
    """The leg's name; ValueError where it can be none."""
    if not SYMBOL.fullmatch(symbol):
        raise ValueError(f"{symbol[:40]!r} is not an instrument")
    return f"okx:{'perp' if symbol.endswith(SWAP) else 'spot'}:{symbol}"


def _swap(symbol: str) -> str:
    if not symbol.endswith(SWAP):
        raise ValueError(f"{symbol[:40]!r} is not a swap")
    return key_of(symbol)


def _described(text: msgspec.Raw) -> Instrument | None:
    """The instrument; None for what the desk does not trade: inverse swaps, futures, options."""
    row = typed(text, _InstrumentRow)
    if row.state != "live":
        return None
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
    if row.instId != f"{base}-{quote}" + ("" if row.instType == "SPOT" else SWAP):
        raise ValueError("the id is not its two coins; the ledger reads the coin from it")
    lot = _positive(row.lotSz)
    return Instrument(
        key=key_of(row.instId),
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


def _id(row: FundingRow | InterestRow | MarkRow) -> str:
    return row.instId


def _funding(raw: _Rows, query: _Query) -> Events:
    asked = query.get("instId", ALL)
    rows = only([typed(text, FundingRow) for text in raw], "" if asked == ALL else asked, _id)
    said = [funding(row, key_of(row.instId), "") for row in rows if _linear(row.instId)]
    if not said:
        raise ValueError("no funding")
    info = FundingInfo("okx", tuple((each.instrument, each.interval_h, each.cap) for each in said))
    # A list of all swaps tells intervals; the rate of one is told only when one was asked for.
    return (info, said[0]) if len(said) == 1 else (info,)


def _linear(symbol: str) -> bool:
    return bool(_FAMILY.fullmatch(symbol.removesuffix(SWAP)))


def _settled(raw: _Rows, query: _Query) -> Events:
    rows = (typed(text, _SettledRow) for text in raw)
    # What was charged, before what was predicted.
    rates = [(row.instId, row.fundingTime, row.realizedRate or row.fundingRate) for row in rows]
    return past_funding(rates, key_of, query, "instId", _PLACES)


def _mark(raw: _Rows, query: _Query) -> Events:
    rows = only([typed(text, MarkRow) for text in raw], query.get("instId", ""), _id)
    return [ticker(_swap(row.instId), "", row.ts, mark=row.markPx) for row in rows]


def _candles(raw: _Rows, query: _Query) -> Events:
    if query.get("bar") != "1m":
        raise ValueError(f"candles of {query.get('bar', '')[:20]!r}, expected 1 minute")
    rows = [typed(text, _Candle) for text in raw]
    # The newest minute may still run: its close is not a close yet.
    closed = ((row.ts, row.close) for row in rows if row.confirm == "1")
    return candles(key_of(query.get("instId", "")), closed, query)


def _time(raw: _Rows, _: _Query) -> Events:
    (text,) = raw
    return (VenueTime("okx", typed(text, _TimeRow).ts),)
