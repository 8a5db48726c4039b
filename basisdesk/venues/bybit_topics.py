"""Bybit V5 topics: the wire shapes of the socket messages and one reader a topic.

Numbers are checked by the decoder itself: a price outside [1e-12, 1e9), a size outside [0, 1e13),
NaN and infinity never get past it. A message is decoded whole before anything of it is kept.

The spot ticker has no bid or ask, so it moves nothing: the top of book is `orderbook.1`.
"""

import re
from functools import partial
from math import nan
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, Heard, Quote, Ticker, Trade
from basisdesk.venues.bybit_rest import SYMBOL, multiplier_of
from basisdesk.venues.reading import (
    Amount,
    Events,
    Hours,
    Millis,
    Price,
    Rate,
    Read,
    Sequence64,
    Size,
    SizeAtTop,
    Topic,
    bad_frame,
    check_sides,
    scaled,
)

_T = TypeVar("_T")
Kind = Literal["snapshot", "delta"]
TopLevel = Annotated[list[tuple[Price, SizeAtTop]], Meta(max_length=1)]

_BLANKABLE = (
    "markPrice",
    "indexPrice",
    "openInterest",
    "fundingRate",
    "fundingIntervalHour",
    "nextFundingTime",
    "fundingCap",
)
_ABSENT = nan  # a number the wire cannot carry: "this field was not in the message"


class _Message(msgspec.Struct, Generic[_T], gc=False):  # wire shapes: only the fields we read
    type: Kind
    ts: Millis
    data: _T


class _TopData(msgspec.Struct, gc=False):
    s: str
    b: TopLevel
    a: TopLevel
    u: Sequence64
    cts: Millis = 0


class _Top(msgspec.Struct, gc=False):
    type: Literal["snapshot"]
    ts: Millis
    data: _TopData
    cts: Millis = 0


class _BookData(msgspec.Struct, gc=False):
    s: str
    b: list[tuple[Price, Size]]
    a: list[tuple[Price, Size]]
    u: Sequence64
    cts: Millis = 0


class _Book(msgspec.Struct, gc=False):
    type: Kind
    ts: Millis
    data: _BookData
    cts: Millis = 0


class _SpotTickerData(msgspec.Struct, gc=False):
    symbol: str
    lastPrice: Price  # read only so that a garbled message is noticed


class _TickerData(msgspec.Struct, gc=False):
    symbol: str
    markPrice: Price = _ABSENT
    indexPrice: Price = _ABSENT
    openInterest: Amount = _ABSENT
    fundingRate: Rate = _ABSENT
    fundingIntervalHour: Hours = _ABSENT
    nextFundingTime: Millis = -1
    fundingCap: Rate = _ABSENT


class _TradeData(msgspec.Struct, gc=False):
    s: str
    S: Literal["Buy", "Sell"]
    p: Price
    v: SizeAtTop
    T: Millis


class Head(msgspec.Struct, gc=False):
    """What tells one message from another before its topic is known."""

    topic: str = ""
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    req_id: str = ""


_Ticker = _Message[_TickerData]
_Trades = _Message[list[_TradeData]]
_decode_top = msgspec.json.Decoder(_Top, strict=False).decode
_decode_book = msgspec.json.Decoder(_Book, strict=False).decode
_decode_spot_ticker = msgspec.json.Decoder(_Message[_SpotTickerData], strict=False).decode
_decode_ticker = msgspec.json.Decoder(_Ticker, strict=False).decode
_decode_trades = msgspec.json.Decoder(_Trades, strict=False).decode
decode_head = msgspec.json.Decoder(Head).decode


class _TopOfBook:
    """`orderbook.1`: whole snapshots only. `seq`: the last update id, to tell a repeat."""

    __slots__ = ("seq", "topic")

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.seq = -1

    def read(self, payload: bytes) -> Events:
        """One Quote; its venue time is the engine's, or for a repeat the time of publishing."""
        msg, topic = _decode_top(payload), self.topic
        data, unit = msg.data, topic.unit
        if data.s != topic.symbol:
            raise BadFrame("symbol", payload)
        bid, bid_size = data.b[0] if data.b else (nan, 0.0)
        ask, ask_size = data.a[0] if data.a else (nan, 0.0)
        if bid >= ask:
            raise BadFrame("crossed", payload)
        if unit != 1.0:
            bid, bid_size = bid / unit, bid_size * unit
            ask, ask_size = ask / unit, ask_size * unit
        seq = data.u
        # A repeat, and the first message of a quiet book, carry the engine time of an old change
        # but say at `ts` that it still holds.
        engine_ms = msg.cts or data.cts
        fresh = seq != self.seq and (self.seq >= 0 or msg.ts - engine_ms < 1000)
        venue_ms = engine_ms if engine_ms and fresh else msg.ts
        self.seq = seq
        return (Quote(topic.key, topic.stream, bid, bid_size, ask, ask_size, venue_ms, seq),)


def _depth(topic: Topic, payload: bytes) -> Events:
    """`orderbook.N`: a snapshot, then deltas. One BookUpdate."""
    msg = _decode_book(payload)
    data = msg.data
    if data.s != topic.symbol:
        raise BadFrame("symbol", payload)
    bids, asks = data.b, data.a
    # Update id 1: the venue's service began anew, whatever the message calls itself.
    snapshot = msg.type == "snapshot" or data.u == 1
    venue_ms = msg.cts or data.cts
    if snapshot:
        check_sides(bids, asks, payload)
    if not venue_ms or (snapshot and msg.ts - venue_ms >= 1000):
        venue_ms = msg.ts
    if topic.unit != 1.0:
        bids, asks = scaled(bids, topic.unit), scaled(asks, topic.unit)
    seq = data.u
    return (BookUpdate(topic.key, topic.stream, snapshot, bids, asks, seq, venue_ms, seq - 1),)


def _public_trades(topic: Topic, payload: bytes) -> Events:
    """`publicTrade`: up to 1,024 trades a message, oldest first. A Trade for each."""
    msg = _decode_trades(payload)
    key, stream, symbol, unit = topic.key, topic.stream, topic.symbol, topic.unit
    events = []
    for trade in msg.data:
        if trade.s != symbol:
            raise BadFrame("symbol", payload)
        events.append(Trade(key, stream, trade.p / unit, trade.v * unit, trade.S == "Buy", trade.T))
    return events or (Heard(stream, msg.ts),)


def _spot_tickers(topic: Topic, payload: bytes) -> Events:
    """`tickers` of a spot market: read, and then nothing of it is used. Heard: it lives."""
    msg = _decode_spot_ticker(payload)
    topic.check(msg.data.symbol, payload)
    return (Heard(topic.stream, msg.ts),)


class _LinearTickers:
    """The merged ticker: a field that a delta leaves out keeps its value, a snapshot clears all."""

    __slots__ = ("known", "topic")

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.known = _TickerData(topic.symbol, nextFundingTime=0)

    def read(self, payload: bytes) -> Events:
        """The merged Ticker, or Heard when the message moved nothing we keep."""
        topic = self.topic
        blank: tuple[str, ...] = ()
        try:
            msg = _decode_ticker(payload)
        except (ValueError, RecursionError) as exc:
            msg, blank = _ticker_with_blanks(payload, exc)
        new = msg.data
        topic.check(new.symbol, payload)
        if msg.type == "snapshot":
            self.known = _TickerData(topic.symbol, nextFundingTime=0)
        elif not _moves(new) and not blank:
            return (Heard(topic.stream, msg.ts),)
        for name in blank:
            setattr(self.known, name, 0 if name == "nextFundingTime" else nan)
        _merge(self.known, new)
        return (_ticker(topic, self.known, msg.ts),)


def _moves(new: _TickerData) -> bool:
    # A field that was not in the message is NaN or -1 here, and NaN equals nothing.
    return (
        new.markPrice > 0.0
        or new.indexPrice > 0.0
        or new.openInterest >= 0.0
        or new.fundingRate > -1.0
        or new.nextFundingTime >= 0
        or new.fundingIntervalHour > 0.0
        or new.fundingCap > -1.0
    )


def _merge(known: _TickerData, new: _TickerData) -> None:
    if new.markPrice > 0.0:
        known.markPrice = new.markPrice
    if new.indexPrice > 0.0:
        known.indexPrice = new.indexPrice
    if new.openInterest >= 0.0:
        known.openInterest = new.openInterest
    if new.fundingRate > -1.0:
        known.fundingRate = new.fundingRate
    if new.nextFundingTime >= 0:
        known.nextFundingTime = new.nextFundingTime
    if new.fundingIntervalHour > 0.0:
        known.fundingIntervalHour = new.fundingIntervalHour
    if new.fundingCap > -1.0:
        known.fundingCap = new.fundingCap


def _ticker(topic: Topic, known: _TickerData, ts: int) -> Ticker:
    return Ticker(
        topic.key,
        topic.stream,
        known.markPrice / topic.unit,
        known.indexPrice / topic.unit,
        known.openInterest * topic.unit,
        known.fundingRate,
        max(0.0, known.fundingIntervalHour),
        known.nextFundingTime,
        max(0.0, known.fundingCap),
        ts,
    )


def _ticker_with_blanks(payload: bytes, exc: Exception) -> tuple[_Ticker, tuple[str, ...]]:
    # A dated future says "" where a perpetual has a number: the venue knows no value. Rare, slow.
    if b'""' not in payload:
        raise bad_frame(exc, payload) from None
    try:
        raw = msgspec.json.decode(payload, type=dict[str, Any])
        data = raw["data"]
        blank = tuple(name for name in _BLANKABLE if data.get(name) == "")
        raw["data"] = {name: value for name, value in data.items() if name not in blank}
        return msgspec.convert(raw, _Ticker, strict=False), blank
    except (ValueError, RecursionError, KeyError, AttributeError, TypeError) as other:
        raise bad_frame(other, payload) from None


_DEPTH = re.compile(r"orderbook\.([1-9][0-9]{0,3})")


def depth_of(kind: str) -> int:
    """Levels a side of a book by the kind of its topic, "orderbook.50"; 0 where it is no book."""
    found = _DEPTH.fullmatch(kind)
    return int(found[1]) if found else 0


def reader(conn: str, market: str, name: str, payload: bytes) -> Read:
    """What reads a topic of a "spot" or "perp" market. Raises BadFrame "topic" or "symbol"."""
    kind, _, symbol = name.rpartition(".")
    depth = depth_of(kind)
    if not depth and kind not in ("tickers", "publicTrade"):
        raise BadFrame("topic", payload)
    if not SYMBOL.fullmatch(symbol):
        raise BadFrame("symbol", payload)
    unit = float(multiplier_of(symbol))
    topic = Topic(f"bybit:{market}:{symbol}", f"{conn}/{name}", symbol, unit)
    if depth:
        return _TopOfBook(topic).read if depth == 1 else partial(_depth, topic)
    if kind == "publicTrade":
        return partial(_public_trades, topic)
    return partial(_spot_tickers, topic) if market == "spot" else _LinearTickers(topic).read
