"""Kraken Futures, WebSocket v1: the codec of the socket.

Only linear perpetuals (PF_, settled in USD, one contract is one coin) can be traded here; inverse
and dated contracts (PI_, FI_) are read as well, with sizes in their own contracts. Source:
docs.kraken.com, futures websocket (2026-07), and frames recorded in 2021-07.
"""

import re
from collections.abc import Callable
from functools import partial
from math import nan
from typing import Literal

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, BookUpdate, Heard, Notice, Pong, Ticker, Trade
from basisdesk.venues.reading import (
    PAYLOAD_MAX,
    Amount,
    Events,
    Millis,
    Price,
    PriceOrNone,
    Rate,
    Read,
    Sequence64,
    Size,
    SizeAtTop,
    Topic,
    bad_frame,
    check_sides,
    given,
    plain,
)

READERS_MAX = 2_000  # feeds times products remembered a connection
INTERVAL_H = 1.0  # every perpetual of the venue
LINEAR = "PF_"  # how products begin whose sizes are coins

_PRODUCT = re.compile(r"[A-Z]{2}_[A-Za-z0-9_]{2,36}")


class _Delta(msgspec.Struct, gc=False):  # wire shapes: only the fields we read
    product_id: str
    side: Literal["buy", "sell"]
    seq: Sequence64
    price: Price
    qty: Size
    timestamp: Millis


class _Level(msgspec.Struct, gc=False):
    price: Price
    qty: Size


class _Snapshot(msgspec.Struct, gc=False):
    product_id: str
    timestamp: Millis
    seq: Sequence64
    bids: list[_Level]
    asks: list[_Level]


class _Trade(msgspec.Struct, gc=False):
    product_id: str
    side: Literal["buy", "sell"]
    time: Millis
    qty: SizeAtTop
    price: Price
    type: str = "fill"


class _Trades(msgspec.Struct, gc=False):
    product_id: str
    trades: list[_Trade]


class _Ticker(msgspec.Struct, gc=False):
    product_id: str
    time: Millis
    markPrice: PriceOrNone | None = None
    index: PriceOrNone | None = None
    openInterest: Amount | None = None
    relative_funding_rate: Rate | None = None  # a fraction an hour; funding_rate is USD an hour
    next_funding_rate_time: Millis | None = None


class _Lite(msgspec.Struct, gc=False):
    product_id: str
    time: Millis = 0


class _Head(msgspec.Struct, gc=False):
    feed: str = ""
    event: str = ""
    product_id: str = ""


class _Event(msgspec.Struct, gc=False):
    event: str
    feed: str = ""
    product_ids: list[str] = []
    message: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_delta = msgspec.json.Decoder(_Delta).decode
_decode_snapshot = msgspec.json.Decoder(_Snapshot).decode
_decode_trade = msgspec.json.Decoder(_Trade).decode
_decode_trades = msgspec.json.Decoder(_Trades).decode
_decode_ticker = msgspec.json.Decoder(_Ticker).decode
_decode_lite = msgspec.json.Decoder(_Lite).decode


class FuturesCodec:
    """Decoder of "kraken.futures". Remembers only how each feed of each product is read."""

    def __init__(self, conn: str) -> None:
        self.conn = conn
        self._readers: dict[tuple[str, str], Read] = {}
        self._starts: dict[bytes, Read] = {}  # '{"feed":"book","product_id"..'

    def decode(self, payload: bytes) -> Events:
        """Events of one message. Raises BadFrame, and then nothing of the message was kept."""
        if len(payload) > PAYLOAD_MAX:
            raise BadFrame("size", payload)
        try:
            # Up to the second comma: '{"feed":"book","product_id":"PF_ADAUSD"'.
            read = self._starts.get(payload[: payload.find(b",", 16)])
            return read(payload) if read is not None else self._first(payload)
        except (ValueError, RecursionError) as exc:
            raise bad_frame(exc, payload) from None

    def _first(self, payload: bytes) -> Events:
        head = _decode_head(payload)
        if head.event:
            return self._control(payload)
        if head.feed == "heartbeat":
            return (Pong(self.conn),)
        name = head.feed, head.product_id
        read = self._readers.get(name) or self._reader(*name, payload)
        events = read(payload)
        self._readers[name] = read
        start = f'{{"feed":"{name[0]}","product_id":"{name[1]}"'.encode()
        if payload.startswith(start + b","):
            self._starts[start] = read
        return events

    def _reader(self, feed: str, product: str, payload: bytes) -> Read:
        made = _FEEDS.get(feed)
        if made is None or len(self._readers) >= READERS_MAX:
            raise BadFrame("topic", payload)
        if not _PRODUCT.fullmatch(product):
            raise BadFrame("symbol", payload)
        read, feed = made
        topic = Topic(f"kraken:perp:{product}", f"{self.conn}/{feed}:{product}", product)
        return partial(read, topic)

    def _control(self, payload: bytes) -> Events:
        said = _decode_event(payload)
        text = plain(said.message)
        topics = (
            tuple(plain(f"{said.feed}:{each}") for each in said.product_ids) if said.feed else ()
        )
        if said.event in ("subscribed", "unsubscribed"):
            return (Ack(self.conn, "", True, text, topics),)
        if said.event == "error":
            return (Ack(self.conn, "", False, text or "error", topics),)
        if said.event == "alert":  # "already subscribed", and the like: nothing is lost by it
            return (Notice(self.conn, f"Kraken Futures: {text}"),)
        if said.event in ("info", "pong"):
            return (Pong(self.conn),)
        raise BadFrame("topic", payload)


def _book(topic: Topic, payload: bytes) -> Events:
    """`book`: one level a message. One BookUpdate of it."""
    msg = _decode_delta(payload)
    if msg.product_id != topic.symbol:
        raise BadFrame("symbol", payload)
    level = [(msg.price, msg.qty)]
    bids, asks = (level, []) if msg.side == "buy" else ([], level)
    seq = msg.seq
    return (BookUpdate(topic.key, topic.stream, False, bids, asks, seq, msg.timestamp, seq - 1),)


def _book_snapshot(topic: Topic, payload: bytes) -> Events:
    """`book_snapshot`: every level there is. The venue lists some with size 0; they are none.

    One BookUpdate, best levels first.
    """
    msg = _decode_snapshot(payload)
    topic.check(msg.product_id, payload)
    bids = sorted(((row.price, row.qty) for row in msg.bids if row.qty), reverse=True)
    asks = sorted((row.price, row.qty) for row in msg.asks if row.qty)
    check_sides(bids, asks, payload)
    seq = msg.seq
    return (BookUpdate(topic.key, topic.stream, True, bids, asks, seq, msg.timestamp, seq - 1),)


def _trade(topic: Topic, payload: bytes) -> Events:
    """`trade`: one a message. A block trade was agreed off the book and is no price of it."""
    msg = _decode_trade(payload)
    topic.check(msg.product_id, payload)
    if msg.type == "block":
        return (Heard(topic.stream, msg.time),)
    return (Trade(topic.key, topic.stream, msg.price, msg.qty, msg.side == "buy", msg.time),)


def _trade_snapshot(topic: Topic, payload: bytes) -> Events:
    """`trade_snapshot`: what was traded before we came, no news. Heard, at the newest's time."""
    msg = _decode_trades(payload)
    topic.check(msg.product_id, payload)
    return (Heard(topic.stream, max((row.time for row in msg.trades), default=0)),)


def _ticker(topic: Topic, payload: bytes) -> Events:
    """`ticker`: mark, index, funding, all of it once a second.

    The rate is `relative_funding_rate`, the fraction of the index paid an hour. `funding_rate` is
    the same in USD a coin and thousands of times larger on bitcoin. A dated contract has no
    funding: NaN and 0.
    """
    msg = _decode_ticker(payload)
    topic.check(msg.product_id, payload)
    rate, held = msg.relative_funding_rate, msg.openInterest
    in_coins = topic.symbol.startswith(LINEAR)
    return (
        Ticker(
            topic.key,
            topic.stream,
            given(msg.markPrice),
            given(msg.index),
            nan if held is None or not in_coins else held,
            nan if rate is None else rate,
            0.0 if rate is None else INTERVAL_H,
            msg.next_funding_rate_time or 0,
            0.0,
            msg.time,
        ),
    )


def _ticker_lite(topic: Topic, payload: bytes) -> Events:
    """`ticker_lite`: no sizes, no time, nothing we keep. Heard."""
    msg = _decode_lite(payload)
    topic.check(msg.product_id, payload)
    return (Heard(topic.stream, msg.time),)


_FEEDS: dict[str, tuple[Callable[[Topic, bytes], Events], str]] = {
    "book": (_book, "book"),
    "book_snapshot": (_book_snapshot, "book"),
    "trade": (_trade, "trade"),
    "trade_snapshot": (_trade_snapshot, "trade"),
    "ticker": (_ticker, "ticker"),
    "ticker_lite": (_ticker_lite, "ticker_lite"),
}
