"""Binance streams: the wire shapes of the socket messages and one reader a stream.

Every reader takes a combined frame, `{"stream":"adausdt@bookTicker","data":{...}}`. Numbers are
checked by the decoder itself: a price outside [1e-12, 1e9), a size outside [0, 1e13), NaN and
infinity never get past it. A message is decoded whole, and no reader keeps anything. Keys that
are not read here (`ps`, `ap`, `nq`, whatever comes next) are skipped.
Shapes: official pages of 2026-07 (spot) and SDK models of 2026-08 (USD-M).
"""

import re
from collections.abc import Callable
from functools import partial
from math import nan
from typing import Generic, TypeVar

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, Heard, Quote, Ticker, Trade
from basisdesk.venues.binance_rest import SYMBOL
from basisdesk.venues.instrument import QUOTES
from basisdesk.venues.reading import (
    PRICE_MIN,
    SIZE_MIN,
    Events,
    Millis,
    Price,
    PriceOrNone,
    Rate,
    Read,
    Sequence64,
    SequenceBefore,
    Size,
    Topic,
    check_sides,
    scaled,
    unit_of,
)

COIN_M = 2  # `st` of the coin-margined family, which shares sockets since 2026-06
SPOT = "binance.spot"

_T = TypeVar("_T")


class _Frame(msgspec.Struct, Generic[_T], gc=False):  # wire shapes: only the fields we read
    data: _T


class _TopData(msgspec.Struct, gc=False):
    u: Sequence64
    s: str
    b: PriceOrNone
    B: Size
    a: PriceOrNone
    A: Size
    T: Millis = 0  # USD-M only: spot's top of book has no time at all
    st: int = 1


class _DiffData(msgspec.Struct, gc=False):
    s: str
    U: Sequence64
    u: Sequence64
    b: list[tuple[Price, Size]]
    a: list[tuple[Price, Size]]
    E: Millis
    T: Millis = 0
    pu: SequenceBefore = -1  # USD-M: the update id before this message
    st: int = 1


class _SpotPartData(msgspec.Struct, gc=False):
    lastUpdateId: Sequence64
    bids: list[tuple[Price, Size]]
    asks: list[tuple[Price, Size]]


class _TradeData(msgspec.Struct, gc=False):
    s: str
    p: PriceOrNone
    q: Size
    T: Millis
    m: bool  # the buyer was resting, so the taker sold
    st: int = 1


class _MarkData(msgspec.Struct, gc=False):
    E: Millis
    s: str
    p: Price
    i: Price
    r: Rate
    T: Millis  # of the next funding, not of this message
    st: int = 1


class _MarkRow(msgspec.Struct, gc=False):
    # One row of the array. Dated contracts say "" where a perpetual has a rate: their row is left
    # out, so these three are read as text first.
    E: Millis
    s: str
    p: str
    i: str
    r: str
    T: Millis
    st: int = 1


_decode_top = msgspec.json.Decoder(_Frame[_TopData], strict=False).decode
_decode_diff = msgspec.json.Decoder(_Frame[_DiffData], strict=False).decode
_decode_spot_part = msgspec.json.Decoder(_Frame[_SpotPartData], strict=False).decode
_decode_trade = msgspec.json.Decoder(_Frame[_TradeData], strict=False).decode
_decode_mark = msgspec.json.Decoder(_Frame[_MarkData], strict=False).decode
_decode_marks = msgspec.json.Decoder(_Frame[list[_MarkRow]], strict=False).decode


def _top_of_book(topic: Topic, payload: bytes) -> Events:
    """`@bookTicker`: the best bid and ask, on every change. A price or size of 0: no such side.

    One Quote. Its venue time is the engine's; 0 on spot, whose message carries none.
    """
    data = _decode_top(payload).data
    if data.s != topic.symbol:
        raise BadFrame("symbol", payload)
    if data.st == COIN_M:
        return (Heard(topic.stream, data.T),)
    bid, bid_size, ask, ask_size, unit = data.b, data.B, data.a, data.A, topic.unit
    if bid < PRICE_MIN or bid_size < SIZE_MIN:
        bid, bid_size = nan, 0.0
    if ask < PRICE_MIN or ask_size < SIZE_MIN:
        ask, ask_size = nan, 0.0
    if bid >= ask:
        raise BadFrame("crossed", payload)
    if unit != 1.0:
        bid, bid_size = bid / unit, bid_size * unit
        ask, ask_size = ask / unit, ask_size * unit
    return (Quote(topic.key, topic.stream, bid, bid_size, ask, ask_size, data.T, data.u),)


def _spot_diff(topic: Topic, payload: bytes) -> Events:
    """`@depth` of spot, which counts every change, so a message builds on U - 1."""
    data = _decode_diff(payload).data
    return _changed(topic, data, data.U - 1, payload)


def _perp_diff(topic: Topic, payload: bytes) -> Events:
    """`@depth` of USD-M, whose ids skip between messages: each names the one it builds on."""
    data = _decode_diff(payload).data
    return _changed(topic, data, data.pu if data.pu >= 0 else None, payload)


def _changed(topic: Topic, data: _DiffData, prev: int | None, payload: bytes) -> Events:
    """`@depth` at any speed: changes only, chained by update ids. The snapshot comes over HTTP.

    One BookUpdate, never a snapshot. venue_ms: the engine's time where there is one.
    """
    topic.check(data.s, payload)
    if data.st == COIN_M:
        return (Heard(topic.stream, data.E),)
    if prev is None:
        raise BadFrame("type", payload)
    if data.u < data.U or prev > data.u:
        raise BadFrame("number", payload)
    bids, asks = scaled(data.b, topic.unit), scaled(data.a, topic.unit)
    venue_ms = data.T or data.E
    return (BookUpdate(topic.key, topic.stream, False, bids, asks, data.u, venue_ms, prev),)


def _spot_part(topic: Topic, payload: bytes) -> Events:
    """`@depth5`, `@depth10`, `@depth20` of spot: the best levels, whole, each time: a snapshot.

    The message names neither symbol nor time: only the stream it came by says whose it is.
    """
    data = _decode_spot_part(payload).data
    bids, asks = scaled(data.bids, topic.unit), scaled(data.asks, topic.unit)
    check_sides(bids, asks, payload)
    return (BookUpdate(topic.key, topic.stream, True, bids, asks, data.lastUpdateId, 0),)


def _perp_part(topic: Topic, payload: bytes) -> Events:
    """`@depth5`, `@depth10`, `@depth20` of USD-M: named like a change, but whole: a snapshot."""
    data = _decode_diff(payload).data
    topic.check(data.s, payload)
    if data.st == COIN_M:
        return (Heard(topic.stream, data.E),)
    bids, asks = scaled(data.b, topic.unit), scaled(data.a, topic.unit)
    check_sides(bids, asks, payload)
    venue_ms = data.T or data.E
    return (BookUpdate(topic.key, topic.stream, True, bids, asks, data.u, venue_ms),)


def _trades(topic: Topic, payload: bytes) -> Events:
    """`@trade` and `@aggTrade`: one Trade a message.

    Heard for the rows without price or size that USD-M `@trade` prints.
    """
    data = _decode_trade(payload).data
    topic.check(data.s, payload)
    price, size, unit = data.p, data.q, topic.unit
    if price < PRICE_MIN or size < SIZE_MIN or data.st == COIN_M:
        return (Heard(topic.stream, data.T),)
    return (Trade(topic.key, topic.stream, price / unit, size * unit, not data.m, data.T),)


def _marks(topic: Topic, payload: bytes) -> Events:
    """`@markPrice`, `@markPrice@1s`: mark, index, and the funding rate as it would settle now.

    One Ticker. The interval is in no stream: it comes over HTTP.
    """
    data = _decode_mark(payload).data
    topic.check(data.s, payload)
    if data.st == COIN_M:
        return (Heard(topic.stream, data.E),)
    return (_ticker(topic.key, topic.stream, topic.unit, data),)


def _all_marks(stream: str, payload: bytes) -> Events:
    """`!markPrice@arr`: the marks of every contract of the venue in one array.

    A Ticker for each readable perpetual; Heard when there is none. Coin-margined contracts, dated
    ones and names that are no leg of ours are left out; TradFi contracts come in an array of their
    own.
    """
    rows = _decode_marks(payload).data
    kept = [
        (row.s, msgspec.convert(msgspec.structs.asdict(row), _MarkData, strict=False))
        for row in rows
        if row.st != COIN_M and row.r and SYMBOL.fullmatch(row.s)
    ]
    events = [
        _ticker(f"binance:perp:{symbol}", stream, float(unit_of(symbol, QUOTES)), data)
        for symbol, data in kept
    ]
    return events or (Heard(stream, rows[0].E if rows else 0),)


def _ticker(key: str, stream: str, unit: float, data: _MarkData) -> Ticker:
    mark, index = data.p / unit, data.i / unit
    return Ticker(key, stream, mark, index, nan, data.r, 0.0, data.T, 0.0, data.E)


_NAME = re.compile(r"([a-z0-9]{1,40})@(\S{1,30})")
_SPEED = r"(@[0-9]{1,4}ms)?"
_ALL_MARKS = re.compile(r"!markPrice@arr(@1s)?")
_Reading = Callable[[Topic, bytes], Events]
_KINDS: tuple[tuple[re.Pattern[str], _Reading, _Reading | None], ...] = (
    # what stands behind the symbol, how it is read on USD-M, and on spot
    (re.compile("bookTicker"), _top_of_book, _top_of_book),
    (re.compile(f"depth{_SPEED}"), _perp_diff, _spot_diff),
    (re.compile(f"depth(5|10|20){_SPEED}"), _perp_part, _spot_part),
    (re.compile("trade|aggTrade"), _trades, _trades),
    (re.compile("markPrice(@1s)?"), _marks, None),
)


def reader(conn: str, name: str) -> Read:
    """What reads a stream, by its name. Raises BadFrame "topic" or "symbol"."""
    stream, is_spot = f"{conn}/{name}", conn == SPOT
    if not is_spot and _ALL_MARKS.fullmatch(name):
        return partial(_all_marks, stream)
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadFrame("topic", name.encode(errors="replace"))
    symbol = found[1].upper()
    for pattern, perp, spot in _KINDS:
        read = spot if is_spot else perp
        if read is not None and pattern.fullmatch(found[2]):
            key = f"binance:{'spot' if is_spot else 'perp'}:{symbol}"
            return partial(read, Topic(key, stream, symbol, float(unit_of(symbol, QUOTES))))
    raise BadFrame("topic", name.encode(errors="replace"))
