"""Kraken's words in the demo exchange: who is asked what, and which page speaks for it.

Messages of the two sockets are made in dialect_kraken_spot.py and dialect_kraken_futures.py, HTTP
answers in dialect_kraken_pages.py. All follow docs.kraken.com (2026-07) and frames of 2021-07.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from basisdesk.demo import dialect_kraken_futures as futures_words
from basisdesk.demo import dialect_kraken_spot as spot_words
from basisdesk.demo.dialect_kraken_pages import answer
from basisdesk.demo.wire import Floor, Heard, Leg, News, Page, Topic

SPOT, FUTURES = "kraken.spot", "kraken.futures"
HEARTBEAT_MS = 1_000  # silence towards a subscribed spot client that is broken
DEPTHS = (10, 25)  # the venue also has 100, 500 and 1000; the simulated book is 50 deep
TRIGGERS = ("trades", "bbo")  # the first is the venue's default
FEEDS = ("book", "ticker", "ticker_lite", "trade")
SYMBOLS_MAX = 500  # of one request

encode = msgspec.json.Encoder().encode


class _Params(msgspec.Struct):
    channel: str = ""
    symbol: list[str] = []
    depth: int = 10
    event_trigger: str = "trades"
    snapshot: bool = True


class _SpotRequest(msgspec.Struct):
    method: str
    params: _Params = msgspec.field(default_factory=_Params)
    req_id: int | None = None


class _FuturesRequest(msgspec.Struct):
    event: str
    feed: str = ""
    product_ids: list[str] = []


class KrakenDialect:
    """Kraken spot v2 and Kraken Futures v1. Keeps nothing: see `wire.Dialect`."""

    venue = "kraken"
    sockets: Mapping[str, str] = {"/v2": SPOT, "/ws/v1": FUTURES}
    pages: Sequence[str] = ("/0/public/", "/derivatives/", "/api/charts/")

    def hello(self, conn: str, path: str, now_ms: int) -> Heard:  # noqa: ARG002
        """Spot says its status, futures their version."""
        if conn == FUTURES:
            return Heard((b'{"event":"info","version":1}',))
        status = {
            "version": "2.0.10",
            "system": "online",
            "api_version": "v2",
            "connection_id": 10_000_000_000_000 + now_ms % 10**12,
        }
        return Heard((encode({"channel": "status", "type": "update", "data": [status]}),))

    def hear(
        self,
        conn: str,
        message: bytes,
        have: Mapping[str, Topic],
        floor: Floor,
        conn_id: str,  # noqa: ARG002
    ) -> Heard:
        """Answer one client message: one acknowledgement a symbol, as the venue does."""
        if conn == FUTURES:
            return _hear_futures(message, have, floor)
        return _hear_spot(message, have, floor)

    def idle(self, conn: str, silent_ms: int, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002
        """The spot heartbeat, after a second of silence."""
        if conn == SPOT and silent_ms >= HEARTBEAT_MS:
            return (b'{"channel":"heartbeat"}',)
        return ()

    def greet(
        self, conn: str, topic: Topic, leg: Leg, memory: dict[str, object], now_ms: int
    ) -> Sequence[bytes]:
        """Snapshots: a book and a ticker always, trades where they were asked for."""
        if conn == FUTURES:
            return futures_words.greet(topic, leg, memory, now_ms)
        return spot_words.greet(topic, leg, memory, now_ms)

    def say(
        self, conn: str, topic: Topic, leg: Leg, memory: dict[str, object], news: News
    ) -> Sequence[bytes]:
        """Messages of this topic for this news; the same for every client of the topic."""
        if conn == FUTURES:
            return futures_words.say(topic, leg, memory, news)
        return spot_words.say(topic, leg, memory, news)

    def page(self, path: str, floor: Floor) -> Page:
        """An HTTP answer; path with its query."""
        return answer(path, floor)

    def leg_of(self, conn: str, topic: Topic) -> tuple[str, str, str] | None:
        """(venue, market, symbol) the topic speaks of."""
        return "kraken", "perp" if conn == FUTURES else "spot", topic.symbol


# --- spot ----------------------------------------------------------------------------------------


def _hear_spot(message: bytes, have: Mapping[str, Topic], floor: Floor) -> Heard:
    stamp = spot_words.rfc3339(floor.now_ms("kraken"))
    times = {"time_in": stamp, "time_out": stamp}
    try:
        ask = msgspec.json.decode(message, type=_SpotRequest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Heard((encode({"error": "Malformed request", "success": False, **times}),))
    if ask.req_id is not None:
        times["req_id"] = ask.req_id  # type: ignore[assignment]  # one dict of odds and ends
    if ask.method == "ping":
        return Heard((encode({"method": "pong", **times}),))
    said = {"method": ask.method, **times}
    if ask.method not in ("subscribe", "unsubscribe"):
        return Heard((encode({**said, "error": "Method not found", "success": False}),))
    if fault := _spot_fault(ask.params):
        return Heard((encode({**said, "error": fault, "success": False}),))
    replies, added, dropped = [], [], []
    for symbol in ask.params.symbol:
        topic = _spot_topic(ask.params, symbol)
        known = floor.leg("kraken", "spot", symbol) is not None
        if fault := _spot_refusal(ask.method, topic, have, known=known):
            refused = {**said, "error": fault, "success": False, "symbol": symbol}
            replies.append(encode(refused))
            continue
        replies.append(encode({**said, "result": _spot_result(ask, symbol), "success": True}))
        if ask.method == "subscribe":
            added.append(topic)
        else:
            dropped.append(topic.text)
    return Heard(replies, added, dropped)


def _spot_fault(params: _Params) -> str:
    """Why the whole request is refused, or ""."""
    if params.channel not in ("book", "ticker", "trade"):
        return f"Channel not supported {params.channel[:40]}"
    if not 0 < len(params.symbol) <= SYMBOLS_MAX:
        return "Symbol(s) not found"
    if params.depth not in DEPTHS:
        return "Subscription depth not supported"
    return "" if params.event_trigger in TRIGGERS else "Event trigger not supported"


def _spot_topic(params: _Params, symbol: str) -> Topic:
    """The topic; its text is plain for what the desk asks, and longer for other flavours."""
    text, args = f"{params.channel}:{symbol}", ""
    if params.channel == "book":
        args = str(params.depth)
        text += "" if params.depth == DEPTHS[0] else f":{args}"
    elif params.channel == "ticker":
        args = params.event_trigger
        text += "" if args == "bbo" else f":{args}"
    elif params.snapshot:
        args = "snapshot"
    return Topic(text, params.channel, symbol, args)


def _spot_refusal(method: str, topic: Topic, have: Mapping[str, Topic], *, known: bool) -> str:
    if not known:
        return f"Currency pair not supported {topic.symbol[:40]}"
    if method == "subscribe":
        return "Already subscribed" if topic.text in have else ""
    return "" if topic.text in have else "Subscription not found"


def _spot_result(ask: _SpotRequest, symbol: str) -> dict[str, Any]:
    params = ask.params
    result: dict[str, Any] = {"channel": params.channel, "symbol": symbol}
    if params.channel == "book":
        result["depth"] = params.depth
    if params.channel == "ticker":
        result["event_trigger"] = params.event_trigger
    if ask.method == "subscribe":
        result["snapshot"] = params.snapshot
    return result


# --- futures -------------------------------------------------------------------------------------


def _hear_futures(message: bytes, have: Mapping[str, Topic], floor: Floor) -> Heard:
    try:
        ask = msgspec.json.decode(message, type=_FuturesRequest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Heard((encode({"event": "error", "message": "Json Error"}),))
    if ask.event not in ("subscribe", "unsubscribe"):
        return Heard((encode({"event": "error", "message": "Invalid event"}),))
    if ask.feed not in FEEDS:
        return Heard((encode({"event": "error", "message": "Invalid feed"}),))
    products = [each.upper() for each in ask.product_ids[:SYMBOLS_MAX]]
    if not products or any(floor.leg("kraken", "perp", each) is None for each in products):
        return Heard((encode({"event": "error", "message": "Invalid product id"}),))
    replies, added, dropped = [], [], []
    for product in products:
        topic = Topic(f"{ask.feed}:{product}", ask.feed, product)
        if ask.event == "subscribe" and topic.text in have:
            again = "Already subscribed to feed, re-requesting"
            replies.append(encode({"event": "alert", "message": again}))
            continue
        done = {"event": f"{ask.event}d", "feed": ask.feed, "product_ids": [product]}
        replies.append(encode(done))
        if ask.event == "subscribe":
            added.append(topic)
        else:
            dropped.append(topic.text)
    return Heard(replies, added, dropped)
