"""Kraken Futures, WebSocket v1: the codec of the socket.

Only linear perpetuals (PF_, settled in USD, one contract is one coin) can be traded here; inverse
and dated contracts (PI_, FI_) are read as well, with sizes in their own contracts. Source:
docs.kraken.com, futures websocket (2026-07), and frames recorded in 2021-07.
"""

import re
from collections.abc import Callable
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
    Sequence64,
    Size,
    SizeAtTop,
    bad_frame,
    check_sides,
    given,
    plain,
)

READERS_MAX = 2_000  # feeds times products remembered a connection
INTERVAL_H = 1.0  # every perpetual of the venue

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
        self._readers: dict[tuple[str, str], Callable[[bytes], Events]] = {}
        self._starts: dict[bytes, Callable[[bytes], Events]] = {}  # '{"feed":"book","product_id"..'

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

    def _reader(self, feed: str, product: str, payload: bytes) -> Callable[[bytes], Events]:
        made = _FEEDS.get(feed)
        if made is None or len(self._readers) >= READERS_MAX:
            raise BadFrame("topic", payload)
        if not _PRODUCT.fullmatch(product):
            raise BadFrame("symbol", payload)
        shape, topic = made
        return shape(product, f"{self.conn}/{topic}:{product}").read

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


class Feed:
    """Reader of one feed of one product."""

    __slots__ = ("key", "linear", "product", "stream")

    def __init__(self, product: str, stream: str) -> None:
        self.key = f"kraken:perp:{product}"
        self.product = product
        self.stream = stream
        self.linear = product.startswith("PF_")

    def read(self, payload: bytes) -> Events:
        """Events of one message of this feed. Raises BadFrame."""
        raise NotImplementedError

    def check(self, product: str, payload: bytes) -> None:
        """The message speaks of this product, or it is a BadFrame."""
        if product != self.product:
            raise BadFrame("symbol", payload)


class BookDelta(Feed):
    """`book`: one level a message."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """One BookUpdate of one level."""
        msg = _decode_delta(payload)
        if msg.product_id != self.product:
            raise BadFrame("symbol", payload)
        level = [(msg.price, msg.qty)]
        bids, asks = (level, []) if msg.side == "buy" else ([], level)
        seq = msg.seq
        return (BookUpdate(self.key, self.stream, False, bids, asks, seq, msg.timestamp, seq - 1),)


class BookSnapshot(Feed):
    """`book_snapshot`: every level there is. The venue lists some with size 0; they are none."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """One BookUpdate, best levels first."""
        msg = _decode_snapshot(payload)
        self.check(msg.product_id, payload)
        bids = sorted(((row.price, row.qty) for row in msg.bids if row.qty), reverse=True)
        asks = sorted((row.price, row.qty) for row in msg.asks if row.qty)
        check_sides(bids, asks, payload)
        seq = msg.seq
        return (BookUpdate(self.key, self.stream, True, bids, asks, seq, msg.timestamp, seq - 1),)


class PublicTrades(Feed):
    """`trade`: one trade a message. A block trade was agreed off the book and is no price of it."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """The Trade."""
        msg = _decode_trade(payload)
        self.check(msg.product_id, payload)
        if msg.type == "block":
            return (Heard(self.stream, msg.time),)
        buy = msg.side == "buy"
        return (Trade(self.key, self.stream, msg.price, msg.qty, buy, msg.time),)


class PastTrades(Feed):
    """`trade_snapshot`: what was traded before we came. Nothing of it is news."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """Heard, at the time of the newest."""
        msg = _decode_trades(payload)
        self.check(msg.product_id, payload)
        return (Heard(self.stream, max((row.time for row in msg.trades), default=0)),)


class Tickers(Feed):
    """`ticker`: mark, index, funding, all of it once a second.

    The rate is `relative_funding_rate`, the fraction of the index paid an hour. `funding_rate` is
    the same in USD a coin and thousands of times larger on bitcoin.
    """

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """The Ticker. A dated contract has no funding: NaN and 0."""
        msg = _decode_ticker(payload)
        self.check(msg.product_id, payload)
        rate, funded = msg.relative_funding_rate, msg.relative_funding_rate is not None
        held = msg.openInterest
        return (
            Ticker(
                self.key,
                self.stream,
                given(msg.markPrice),
                given(msg.index),
                nan if held is None or not self.linear else held,
                nan if rate is None else rate,
                INTERVAL_H if funded else 0.0,
                msg.next_funding_rate_time or 0,
                0.0,
                msg.time,
            ),
        )


class Lite(Feed):
    """`ticker_lite`: no sizes, no time, nothing we keep."""

    __slots__ = ()

    def read(self, payload: bytes) -> Events:
        """Heard."""
        msg = _decode_lite(payload)
        self.check(msg.product_id, payload)
        return (Heard(self.stream, msg.time),)


_FEEDS: dict[str, tuple[type[Feed], str]] = {
    "book": (BookDelta, "book"),
    "book_snapshot": (BookSnapshot, "book"),
    "trade": (PublicTrades, "trade"),
    "trade_snapshot": (PastTrades, "trade"),
    "ticker": (Tickers, "ticker"),
    "ticker_lite": (Lite, "ticker_lite"),
}
