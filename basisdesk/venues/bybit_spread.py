"""Bybit V5's spread socket: books of combinations, perpetual against spot as one order.

A combination is named PERP_SPOT, "ADAUSDT_ADA/USDT". Its prices are differences, perp minus spot,
and may be zero or negative; its sizes are base coins. The book has 25 levels a side, as a snapshot
and then deltas of which only the merged top is told. Answers and pongs of this socket have a form
of their own (official pages of 2026-07): topics are named, our request's number is not.
"""

import re
from math import nan
from typing import Annotated

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, ComboQuote, Heard, Pong
from basisdesk.venues import MarketEvent, TopicRule
from basisdesk.venues.bybit_topics import Kind
from basisdesk.venues.instrument import split_key
from basisdesk.venues.reading import (
    TEXT_MAX,
    Events,
    Millis,
    Sequence64,
    Size,
    bad_frame,
    plain,
)

DEPTH = 25
RULE = TopicRule("combo", DEPTH, stateful=True)
LEVELS_MAX = 1_000  # a side; the venue deletes what falls below its 25
PAYLOAD_MAX = 256 * 1024  # bytes; a snapshot has below 2 kB
TOPICS_MAX = 200  # combinations remembered a connection

_TOPIC = re.compile(r"orderbook\.25\.([A-Z0-9]{2,30})_([A-Z0-9]{1,20})/(USDT)")

Difference = Annotated[float, Meta(gt=-1e9, lt=1e9)]
_Top = tuple[float, float, float, float]


class _Data(msgspec.Struct, gc=False):  # wire shapes: only the fields we read
    s: str
    b: list[tuple[Difference, Size]]
    a: list[tuple[Difference, Size]]
    u: Sequence64


class _Message(msgspec.Struct, gc=False):
    type: Kind
    ts: Millis
    data: _Data
    cts: Millis = 0


class _Outcome(msgspec.Struct, frozen=True, gc=False):
    successTopics: tuple[str, ...] = ()
    failTopics: tuple[str, ...] = ()


class _Said(msgspec.Struct, gc=False):
    data: _Outcome = _Outcome()
    success: bool = False
    ret_msg: str = ""
    req_id: str = ""


class _Head(msgspec.Struct, gc=False):
    topic: str = ""
    op: str = ""
    type: str = ""
    success: bool | None = None


_decode_book = msgspec.json.Decoder(_Message, strict=False).decode
_decode_head = msgspec.json.Decoder(_Head).decode
_decode_said = msgspec.json.Decoder(_Said).decode


def combo_topic(spot_key: str, perp_key: str) -> str | None:
    """The topic of the combination of two Bybit legs; None where there can be none.

    Only of USDT pairs with the same coin in the same unit: 1000PEPEUSDT and PEPEUSDT are told in
    prices of different things. Whether the venue lists it is for the venue to answer.
    """
    spot, perp = split_key(spot_key), split_key(perp_key)
    if (spot[:2], perp[:2]) != (("bybit", "spot"), ("bybit", "perp")) or spot[2] != perp[2]:
        return None
    base = spot[2].removesuffix("USDT")
    if base in ("", spot[2]):
        return None
    return f"orderbook.{DEPTH}.{perp[2]}_{base}/USDT"


class SpreadCodec:
    """Decoder of "bybit.spread". It keeps the books it merges, one a combination."""

    def __init__(self, conn: str) -> None:
        self.conn = conn
        self._books: dict[str, _Combo] = {}

    def decode(self, payload: bytes) -> Events:
        """Events of one message. Raises BadFrame, and then nothing of the message was kept."""
        if len(payload) > PAYLOAD_MAX:
            raise BadFrame("size", payload)
        try:
            return self._read(payload)
        except (ValueError, RecursionError) as exc:
            raise bad_frame(exc, payload) from None

    def _read(self, payload: bytes) -> Events:
        head = _decode_head(payload)
        if not head.topic:
            return self._control(head, payload)
        book = self._books.get(head.topic) or self._book(head.topic, payload)
        events = book.read(payload)
        self._books[head.topic] = book
        return events

    def _book(self, topic: str, payload: bytes) -> "_Combo":
        named = _TOPIC.fullmatch(topic)
        if named is None or len(self._books) >= TOPICS_MAX:
            raise BadFrame("topic", payload)
        perp, base, quote = named.groups()
        if perp != base + quote:  # a dated future, or a coin told in thousands
            raise BadFrame("symbol", payload)
        return _Combo(perp, topic.removeprefix(f"orderbook.{DEPTH}."), f"{self.conn}/{topic}")

    def _control(self, head: _Head, payload: bytes) -> Events:
        if head.op == "pong":
            return (Pong(self.conn),)
        if head.success is None or (head.op or head.type) not in (
            "COMMAND_RESP",
            "subscribe",
            "unsubscribe",
        ):
            raise BadFrame("topic", payload)
        return self._answers(_decode_said(payload))

    def _answers(self, said: _Said) -> Events:
        req_id, text = said.req_id[:TEXT_MAX], plain(said.ret_msg)
        good, bad = said.data.successTopics, said.data.failTopics
        answers: list[MarketEvent] = []
        if good or not bad:
            answers.append(Ack(self.conn, req_id, said.success, text, _named(good)))
        if bad:
            why = text or "no such combination"
            answers.append(Ack(self.conn, req_id, ok=False, text=why, topics=_named(bad)))
        return answers


class _Combo:
    """The merged book of one combination. seq: of the last message taken; -1 before a snapshot."""

    __slots__ = ("asks", "bids", "perp", "seq", "spot", "stream", "symbol")

    def __init__(self, leg: str, symbol: str, stream: str) -> None:
        self.spot, self.perp = f"bybit:spot:{leg}", f"bybit:perp:{leg}"
        self.symbol = symbol
        self.stream = stream
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.seq = -1

    def read(self, payload: bytes) -> Events:
        """A ComboQuote, also where the top stays as it is; Heard for what was taken before.

        After a gap or a crossing every delta is refused until the next snapshot, since none of
        them builds on what was taken last.
        """
        message = _decode_book(payload)
        data = message.data
        if data.s != self.symbol:
            raise BadFrame("symbol", payload)
        fresh = message.type == "snapshot" or data.u == 1  # 1: the venue's service began anew
        if not fresh:
            if 0 <= data.u <= self.seq:
                return (Heard(self.stream, message.ts),)  # taken before
            if self.seq < 0 or data.u != self.seq + 1:
                raise BadFrame("gap", payload)
        bids = _merged({} if fresh else self.bids, data.b, payload)
        asks = _merged({} if fresh else self.asks, data.a, payload)
        top = _top(bids, asks)
        if top[0] >= top[2]:
            raise BadFrame("crossed", payload)
        self.bids, self.asks, self.seq = bids, asks, data.u
        venue_ms = message.cts or message.ts
        return (ComboQuote(self.spot, self.perp, self.stream, *top, venue_ms),)


def _merged(
    held: dict[float, float], levels: list[tuple[float, float]], payload: bytes
) -> dict[float, float]:
    merged = dict(held)
    for price, size in levels:
        if size:
            merged[price] = size
        else:
            merged.pop(price, None)
    if len(merged) > LEVELS_MAX:
        raise BadFrame("size", payload)
    return merged


def _top(bids: dict[float, float], asks: dict[float, float]) -> _Top:
    bid, ask = max(bids, default=nan), min(asks, default=nan)
    return bid, bids.get(bid, 0.0), ask, asks.get(ask, 0.0)


def _named(topics: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(plain(topic) for topic in topics[:TOPICS_MAX])
