"""OKX V5 channels: the wire shapes of the socket messages and one reader a topic.

Numbers are checked by the decoder itself: a price outside [1e-12, 1e9), a size outside [0, 1e13),
NaN and infinity never get past it. A message is decoded whole before anything of it is kept.

Sizes of a swap are contracts on the wire and coins after its reader; see okx_contracts.py. The
`checksum` of a book is never compared: it has been 0 in every message since 2026-06-23.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from math import nan
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import BookLost, BookUpdate, Heard, Quote, Ticker, Trade
from basisdesk.venues.reading import (
    HOUR_MS,
    HOURS_MIN,
    Amount,
    Events,
    Levels,
    Millis,
    Price,
    Rate,
    Read,
    Sequence64,
    SequenceBefore,
    Size,
    SizeAtTop,
    Topic,
    check_sides,
)

_T = TypeVar("_T")

ROWS_MAX = 100  # data rows of one message; the venue sends one, trades a few

SWAP = "-SWAP"  # how the id of a swap ends

_ABSENT = -2  # a sequence id the wire cannot carry: "this field was not in the message"


class _One(msgspec.Struct, Generic[_T], gc=False):  # wire shapes: only the fields we read
    data: Annotated[list[_T], Meta(min_length=1, max_length=1)]


class TopLevel(msgspec.Struct, array_like=True, gc=False):
    """A level as the wire has it: [price, size, "0", orders]; only the first two are read."""

    price: Price
    size: SizeAtTop


class Level(msgspec.Struct, array_like=True, gc=False):
    """A level of a depth book; size 0 deletes it."""

    price: Price
    size: Size


class _TopRow(msgspec.Struct, gc=False):
    asks: Annotated[list[TopLevel], Meta(max_length=1)]
    bids: Annotated[list[TopLevel], Meta(max_length=1)]
    ts: Millis
    seqId: Sequence64


class _Top(msgspec.Struct, gc=False):
    data: Annotated[list[_TopRow], Meta(min_length=1, max_length=ROWS_MAX)]


class _BookRow(msgspec.Struct, gc=False):
    asks: list[Level]
    bids: list[Level]
    ts: Millis
    seqId: Sequence64 = _ABSENT
    prevSeqId: SequenceBefore = _ABSENT
    checksum: int = 0


class _Book(msgspec.Struct, gc=False):
    action: Literal["snapshot", "update"]
    data: Annotated[list[_BookRow], Meta(min_length=1, max_length=1)]


class _TradeRow(msgspec.Struct, gc=False):
    instId: str
    px: Price
    sz: SizeAtTop
    side: Literal["buy", "sell"]
    ts: Millis


class _Trades(msgspec.Struct, gc=False):
    data: Annotated[list[_TradeRow], Meta(min_length=1, max_length=10 * ROWS_MAX)]


class MarkRow(msgspec.Struct, gc=False):
    """The mark of a swap."""

    instId: str
    markPx: Price
    ts: Millis


class _IndexRow(msgspec.Struct, gc=False):
    instId: str
    idxPx: Price
    ts: Millis


class InterestRow(msgspec.Struct, gc=False):
    """Open interest in contracts and in coins; the second is checked against the first."""

    instId: str
    oi: Amount
    ts: Millis
    oiCcy: Amount = 0.0


class FundingRow(msgspec.Struct, gc=False):
    """Funding of a swap; every figure may be "", which says nothing."""

    instId: str
    fundingRate: str = ""
    fundingTime: str = ""
    nextFundingTime: str = ""
    maxFundingRate: str = ""
    ts: str = ""


class _LastRow(msgspec.Struct, gc=False):
    instId: str
    last: Price  # read only so that a garbled message is noticed
    ts: Millis


_decode_top = msgspec.json.Decoder(_Top, strict=False).decode
_decode_book = msgspec.json.Decoder(_Book, strict=False).decode
_decode_trades = msgspec.json.Decoder(_Trades, strict=False).decode
_decode_mark = msgspec.json.Decoder(_One[MarkRow], strict=False).decode
_decode_index = msgspec.json.Decoder(_One[_IndexRow], strict=False).decode
_decode_interest = msgspec.json.Decoder(_One[InterestRow], strict=False).decode
_decode_funding = msgspec.json.Decoder(_One[FundingRow]).decode
_decode_last = msgspec.json.Decoder(_One[_LastRow], strict=False).decode


class Channel:
    """A topic, and what one unit of its size is: 1 coin on spot, else a contract.

    A swap's unit is looked up at every message, because an HTTP answer may bring it, or correct it.
    """

    __slots__ = ("_coins", "_contracts", "_size", "swap", "topic")

    def __init__(self, topic: Topic, contracts: Mapping[str, Decimal]) -> None:
        self.topic = topic
        self.swap = topic.symbol.endswith(SWAP)
        self._contracts = contracts
        self._size: Decimal | None = None
        self._coins = 1.0

    def unit(self, payload: bytes) -> float:
        """Coins in one unit of size, now. BadFrame "contract" while nobody has said."""
        if self.swap:
            size = self._contracts.get(self.topic.symbol)
            if size is None:
                raise BadFrame("contract", payload)
            if size is not self._size:
                self._size, self._coins = size, float(size)
        return self._coins

    def check(self, said: str, payload: bytes, *, swap: bool) -> None:
        """The message speaks of this topic's symbol, of the right kind, or it is a BadFrame."""
        if said != self.topic.symbol or swap != self.swap:
            raise BadFrame("symbol", payload)


def _best_bid_offer(channel: Channel, payload: bytes) -> Events:
    """`bbo-tbt`: the best bid and ask that anyone can take, whole with every change.

    One Quote; of several rows the last, which is the newest.
    """
    row, topic = _decode_top(payload).data[-1], channel.topic
    unit = channel.unit(payload)
    bid = ask = nan
    bid_size = ask_size = 0.0
    for best in row.bids:
        bid, bid_size = best.price, best.size * unit
    for best in row.asks:
        ask, ask_size = best.price, best.size * unit
    if bid >= ask:
        raise BadFrame("crossed", payload)
    return (Quote(topic.key, topic.stream, bid, bid_size, ask, ask_size, row.ts, row.seqId),)


class _Depth:
    """`books`: a snapshot, then updates chained by prevSeqId, which go on to the book unchanged.

    Equal ids with empty sides are a keep-alive, a seqId below its prevSeqId a reset during
    maintenance; both chain like any update.

    Recordings from before there were ids carry a live checksum instead: those are counted here. An
    id that is missing for any other reason is a fault, since without it no gap would show.
    """

    __slots__ = ("_channel", "_count", "_last_unit")

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._count = 1
        self._last_unit = 0.0

    def read(self, payload: bytes) -> Events:
        """One BookUpdate; BookLost where the contract's size was corrected under the book."""
        message, topic = _decode_book(payload), self._channel.topic
        row, snapshot = message.data[0], message.action == "snapshot"
        unit = self._channel.unit(payload)
        bids, asks = levels(row.bids, unit), levels(row.asks, unit)
        if snapshot:
            check_sides(bids, asks, payload)
        prev, seq = row.prevSeqId, row.seqId
        if seq == _ABSENT or prev == _ABSENT:
            if seq != prev or not row.checksum:
                raise BadFrame("type", payload)
            prev, seq = -1 if snapshot else self._count, self._count + 1
            self._count = seq
        if not snapshot and self._last_unit not in (0.0, unit):
            self._last_unit = 0.0
            return (BookLost(topic.key, topic.stream, "the size of a contract was corrected"),)
        self._last_unit = unit
        return (BookUpdate(topic.key, topic.stream, snapshot, bids, asks, seq, row.ts, prev),)


def _trades(channel: Channel, payload: bytes) -> Events:
    """`trades`: one row for each taker order and price. A Trade for each row."""
    rows = _decode_trades(payload).data
    unit, topic = channel.unit(payload), channel.topic
    key, stream, symbol = topic.key, topic.stream, topic.symbol
    trades = []
    for row in rows:
        if row.instId != symbol:
            raise BadFrame("symbol", payload)
        trades.append(Trade(key, stream, row.px, row.sz * unit, row.side == "buy", row.ts))
    return trades


def _mark_price(channel: Channel, payload: bytes) -> Events:
    """`mark-price` of a swap. A Ticker that says the mark."""
    row, topic = _decode_mark(payload).data[0], channel.topic
    topic.check(row.instId, payload)
    return (ticker(topic.key, topic.stream, row.ts, mark=row.markPx),)


def _index_tickers(channel: Channel, payload: bytes) -> Events:
    """`index-tickers`: listed under the coins, "ADA-USDT", and said of the swap on them.

    A Ticker that says the index.
    """
    row, topic = _decode_index(payload).data[0], channel.topic
    channel.check(row.instId, payload, swap=False)
    return (ticker(f"okx:perp:{topic.symbol}{SWAP}", topic.stream, row.ts, index=row.idxPx),)


def _funding_rate(channel: Channel, payload: bytes) -> Events:
    """`funding-rate`: the estimate of the running interval, its end and its cap, as a Ticker."""
    row = _decode_funding(payload).data[0]
    said = funding(row, channel.topic.key, channel.topic.stream)
    channel.check(row.instId, payload, swap=True)
    return (said,)


def _open_interest(channel: Channel, payload: bytes) -> Events:
    """`open-interest` of a swap, in contracts on the wire. A Ticker that says it in coins."""
    row, topic = _decode_interest(payload).data[0], channel.topic
    channel.check(row.instId, payload, swap=True)
    coins = interest(row, channel.unit(payload), payload)
    return (ticker(topic.key, topic.stream, row.ts, open_interest=coins),)


def _last_price(channel: Channel, payload: bytes) -> Events:
    """`tickers`: read, and then nothing of it is used. Heard: the stream lives.

    Since 2025-11-26 its bid and ask hold quotes that an ordinary order cannot take.
    """
    row, topic = _decode_last(payload).data[0], channel.topic
    topic.check(row.instId, payload)
    return (Heard(topic.stream, row.ts),)


_CHANNELS: Mapping[str, Callable[[Channel, bytes], Events]] = {
    "bbo-tbt": _best_bid_offer,
    "trades": _trades,
    "mark-price": _mark_price,
    "index-tickers": _index_tickers,
    "funding-rate": _funding_rate,
    "open-interest": _open_interest,
    "tickers": _last_price,
}
NAMES = {"books", *_CHANNELS}  # of the channels that can be read


def reader(name: str, symbol: str, conn: str, contracts: Mapping[str, Decimal]) -> Read:
    """What reads a channel, one of NAMES, of an instrument."""
    key = f"okx:{'perp' if symbol.endswith(SWAP) else 'spot'}:{symbol}"
    channel = Channel(Topic(key, f"{conn}/{name}:{symbol}", symbol), contracts)
    return _Depth(channel).read if name == "books" else partial(_CHANNELS[name], channel)


def levels(rows: Sequence[Level], unit: float) -> Levels:
    """Price and coins of each level."""
    if unit == 1.0:
        return [(row.price, row.size) for row in rows]
    return [(row.price, row.size * unit) for row in rows]


def ticker(
    key: str,
    stream: str,
    ts: int,
    *,
    mark: float = nan,
    index: float = nan,
    open_interest: float = nan,
) -> Ticker:
    """A Ticker that says one thing and nothing of the rest."""
    return Ticker(key, stream, mark, index, open_interest, nan, 0.0, 0, 0.0, ts)


def funding(row: FundingRow, key: str, stream: str) -> Ticker:
    """The Ticker of a funding row. ValueError where a figure is none.

    The interval is the time between the next two settlements; the venue names it nowhere. Its
    `nextFundingRate` is "" for every swap today and is not read.
    """
    at_ms, after_ms = _millis(row.fundingTime), _millis(row.nextFundingTime)
    hours = (after_ms - at_ms) / HOUR_MS if at_ms and after_ms else 0.0
    if hours and not HOURS_MIN <= hours <= 168.0:
        raise msgspec.ValidationError(f"interval of {hours} h: `float` > 168")
    rate, cap = _rate(row.fundingRate), _rate(row.maxFundingRate)
    cap = max(0.0, cap)  # NaN where it was not said: max() keeps its first argument then
    ts = _millis(row.ts)
    return Ticker(key, stream, nan, nan, nan, rate, hours, at_ms, cap, ts)


def interest(row: InterestRow, unit: float, payload: bytes) -> float:
    """Open interest in coins. BadFrame "contract" where the venue's own coins contradict it."""
    coins = row.oi * unit
    if row.oiCcy and not 0.99 * row.oiCcy <= coins <= 1.01 * row.oiCcy:
        raise BadFrame("contract", payload)
    return coins


def _rate(text: str) -> float:
    return msgspec.convert(text, Rate, strict=False) if text else nan


def _millis(text: str) -> int:
    return msgspec.convert(text, Millis, strict=False) if text else 0
