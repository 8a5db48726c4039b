"""Binance streams: the wire shapes of the socket messages and one reader a stream.

Every reader takes a combined frame, `{"stream":"adausdt@bookTicker","data":{...}}`. Numbers are
checked by the decoder itself: a price outside [1e-12, 1e9), a size outside [0, 1e13), NaN and
infinity never get past it. A message is decoded whole before anything of it is kept, and no reader
keeps anything. Keys that are not read here (`ps`, `ap`, `nq`, whatever comes next) are skipped.
Shapes: official pages of 2026-07 (spot) and SDK models of 2026-08 (USD-M).
"""

import re
from collections.abc import Callable
from math import nan

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
    Sequence64,
    SequenceBefore,
    Size,
    check_sides,
    scaled,
    unit_of,
)

COIN_M = 2  # `st` of the coin-margined family, which shares sockets since 2026-06
SPOT = "binance.spot"


class _TopData(msgspec.Struct, gc=False):  # wire shapes: only the fields we read
    u: Sequence64
    s: str
    b: PriceOrNone
    B: Size
    a: PriceOrNone
    A: Size
    T: Millis = 0  # USD-M only: spot's top of book has no time at all
    st: int = 1


class _Top(msgspec.Struct, gc=False):
    data: _TopData


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


class _Diff(msgspec.Struct, gc=False):
    data: _DiffData


class _SpotPartData(msgspec.Struct, gc=False):
    lastUpdateId: Sequence64
    bids: list[tuple[Price, Size]]
    asks: list[tuple[Price, Size]]


class _SpotPart(msgspec.Struct, gc=False):
    data: _SpotPartData


class _TradeData(msgspec.Struct, gc=False):
    s: str
    p: PriceOrNone
    q: Size
    T: Millis
    m: bool  # the buyer was resting, so the taker sold
    st: int = 1


class _Trade(msgspec.Struct, gc=False):
    data: _TradeData


class _MarkData(msgspec.Struct, gc=False):
    E: Millis
    s: str
    p: Price
    i: Price
    r: Rate
    T: Millis  # of the next funding, not of this message
    st: int = 1


class _Mark(msgspec.Struct, gc=False):
    data: _MarkData


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


class _Marks(msgspec.Struct, gc=False):
    data: list[_MarkRow]


_decode_top = msgspec.json.Decoder(_Top, strict=False).decode
_decode_diff = msgspec.json.Decoder(_Diff, strict=False).decode
_decode_spot_part = msgspec.json.Decoder(_SpotPart, strict=False).decode
_decode_trade = msgspec.json.Decoder(_Trade, strict=False).decode
_decode_mark = msgspec.json.Decoder(_Mark, strict=False).decode
_decode_marks = msgspec.json.Decoder(_Marks, strict=False).decode


class Stream:
    """Reader of one stream. `unit`: base coins in one unit of the venue's size (1000PEPE: 1000)."""

    __slots__ = ("key", "spot", "stream", "symbol", "unit")

    def __init__(self, conn: str, name: str, symbol: str) -> None:
        self.spot = conn == SPOT
        self.key = f"binance:{'spot' if self.spot else 'perp'}:{symbol}"
        self.stream = f"{conn}/{name}"
        self.symbol = symbol
        self.unit = float(unit_of(symbol, QUOTES))

    def read(self, payload: bytes) -> Events:
        """Events of one message of this stream. Raises BadFrame."""
        raise NotImplementedError


class TopOfBook(Stream):
    """`@bookTicker`: the best bid and ask, on every change. A price or size of 0: no such side."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """One Quote. Its venue time is the engine's; 0 on spot, whose message carries none."""
        data = _decode_top(payload).data
        if data.s != self.symbol:
            raise BadFrame("symbol", payload)
        if data.st == COIN_M:
            return (Heard(self.stream, data.T),)
        bid, bid_size, ask, ask_size = data.b, data.B, data.a, data.A
        if bid < PRICE_MIN or bid_size < SIZE_MIN:
            bid, bid_size = nan, 0.0
        if ask < PRICE_MIN or ask_size < SIZE_MIN:
            ask, ask_size = nan, 0.0
        if bid >= ask:
            raise BadFrame("crossed", payload)
        if self.unit != 1.0:
            bid, bid_size = bid / self.unit, bid_size * self.unit
            ask, ask_size = ask / self.unit, ask_size * self.unit
        return (Quote(self.key, self.stream, bid, bid_size, ask, ask_size, data.T, data.u),)


class Diff(Stream):
    """`@depth` at any speed: changes only, chained by update ids. The snapshot comes over HTTP.

    Spot counts every change, so a message builds on U - 1. USD-M ids skip between messages, which
    therefore name the id they build on, `pu`.
    """

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """One BookUpdate, never a snapshot. venue_ms: the engine's time where there is one."""
        data = _decode_diff(payload).data
        if data.s != self.symbol:
            raise BadFrame("symbol", payload)
        if data.st == COIN_M:
            return (Heard(self.stream, data.E),)
        if self.spot:
            prev = data.U - 1
        elif (prev := data.pu) < 0:
            raise BadFrame("type", payload)
        if data.u < data.U or prev > data.u:
            raise BadFrame("number", payload)
        bids, asks = scaled(data.b, self.unit), scaled(data.a, self.unit)
        venue_ms = data.T or data.E
        return (BookUpdate(self.key, self.stream, False, bids, asks, data.u, venue_ms, prev),)


class SpotPart(Stream):
    """`@depth5`, `@depth10`, `@depth20` of spot: the best levels, whole, each time.

    The message names neither symbol nor time: only the stream it came by says whose it is.
    """

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """One BookUpdate, a snapshot."""
        data = _decode_spot_part(payload).data
        bids, asks = scaled(data.bids, self.unit), scaled(data.asks, self.unit)
        check_sides(bids, asks, payload)
        return (BookUpdate(self.key, self.stream, True, bids, asks, data.lastUpdateId, 0),)


class PerpPart(Stream):
    """`@depth5`, `@depth10`, `@depth20` of USD-M: named like a change, but whole."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """One BookUpdate, a snapshot."""
        data = _decode_diff(payload).data
        if data.s != self.symbol:
            raise BadFrame("symbol", payload)
        if data.st == COIN_M:
            return (Heard(self.stream, data.E),)
        bids, asks = scaled(data.b, self.unit), scaled(data.a, self.unit)
        check_sides(bids, asks, payload)
        venue_ms = data.T or data.E
        return (BookUpdate(self.key, self.stream, True, bids, asks, data.u, venue_ms),)


class Trades(Stream):
    """`@trade` and `@aggTrade`: one trade a message."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """A Trade, or Heard for the rows without price or size that USD-M `@trade` prints."""
        data = _decode_trade(payload).data
        if data.s != self.symbol:
            raise BadFrame("symbol", payload)
        price, size = data.p, data.q
        if price < PRICE_MIN or size < SIZE_MIN or data.st == COIN_M:
            return (Heard(self.stream, data.T),)
        unit = self.unit
        return (Trade(self.key, self.stream, price / unit, size * unit, not data.m, data.T),)


class Marks(Stream):
    """`@markPrice`, `@markPrice@1s`: mark, index, and the funding rate as it would settle now."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """One Ticker. The interval is in no stream: it comes over HTTP."""
        data = _decode_mark(payload).data
        if data.s != self.symbol:
            raise BadFrame("symbol", payload)
        if data.st == COIN_M:
            return (Heard(self.stream, data.E),)
        return (_ticker(self.key, self.stream, self.unit, data),)


class AllMarks:
    """`!markPrice@arr`: the marks of every contract of the venue in one array.

    Coin-margined contracts, dated ones and names that are no leg of ours are left out; TradFi
    contracts come in an array of their own.
    """

    __slots__ = ("stream",)

    def __init__(self, stream: str) -> None:
        self.stream = stream

    def read(self, payload: bytes) -> Events:
        """A Ticker for each readable perpetual; Heard when there is none."""
        rows = _decode_marks(payload).data
        kept = [
            (row.s, msgspec.convert(msgspec.structs.asdict(row), _MarkData, strict=False))
            for row in rows
            if row.st != COIN_M and row.r and SYMBOL.fullmatch(row.s)
        ]
        events = [
            _ticker(f"binance:perp:{symbol}", self.stream, float(unit_of(symbol, QUOTES)), data)
            for symbol, data in kept
        ]
        return events or (Heard(self.stream, rows[0].E if rows else 0),)


def _ticker(key: str, stream: str, unit: float, data: _MarkData) -> Ticker:
    mark, index = data.p / unit, data.i / unit
    return Ticker(key, stream, mark, index, nan, data.r, 0.0, data.T, 0.0, data.E)


_NAME = re.compile(r"([a-z0-9]{1,40})@(\S{1,30})")
_SPEED = r"(@[0-9]{1,4}ms)?"
_ALL_MARKS = re.compile(r"!markPrice@arr(@1s)?")
_KINDS: tuple[tuple[re.Pattern[str], type[Stream], type[Stream] | None], ...] = (
    # what stands behind the symbol, reader on USD-M, reader on spot
    (re.compile("bookTicker"), TopOfBook, TopOfBook),
    (re.compile(f"depth{_SPEED}"), Diff, Diff),
    (re.compile(f"depth(5|10|20){_SPEED}"), PerpPart, SpotPart),
    (re.compile("trade|aggTrade"), Trades, Trades),
    (re.compile("markPrice(@1s)?"), Marks, None),
)


def reader(conn: str, name: str) -> Callable[[bytes], Events]:
    """The reader of a stream by its name. Raises BadFrame "topic" or "symbol"."""
    if conn != SPOT and _ALL_MARKS.fullmatch(name):
        return AllMarks(f"{conn}/{name}").read
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadFrame("topic", name.encode(errors="replace"))
    symbol = found[1].upper()
    for pattern, perp, spot in _KINDS:
        made = spot if conn == SPOT else perp
        if made is not None and pattern.fullmatch(found[2]):
            return made(conn, name, symbol).read
    raise BadFrame("topic", name.encode(errors="replace"))
