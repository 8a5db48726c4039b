"""Market state to the exact messages of OKX V5's public socket. REST: dialect_okx_pages.py.

Shapes, channels and pace follow the venue's pages of 2026-07; digits, which drop trailing zeros,
follow frames recorded in 2022-05. Nothing here asks the time.
"""

from collections.abc import Mapping, Sequence

import msgspec

from basisdesk.demo.dialect_okx_pages import (
    encode,
    funding_fields,
    interest_fields,
    levels,
    page,
    plain,
    short,
)
from basisdesk.demo.wire import Floor, Heard, Leg, News, Page, Print, Topic

CHANNELS = (
    "bbo-tbt",
    "books",
    "trades",
    "tickers",
    "mark-price",
    "index-tickers",
    "funding-rate",
    "open-interest",
)
SWAP_ONLY = ("mark-price", "funding-rate", "open-interest")  # mark prices of margin pairs are not
KEEP_ALIVE_MS = 60_000  # an unchanged book says so after this
# How long after the last message the next may come, and, changed or not, must come (ms).
PACE = {
    "tickers": (100, 0),
    "mark-price": (200, 10_000),
    "index-tickers": (100, 60_000),
    "funding-rate": (30_000, 30_000),
    "open-interest": (3_000, 3_000),
}


class _Arg(msgspec.Struct):
    channel: str = ""
    instId: str = ""


class _Request(msgspec.Struct):
    op: str = ""
    id: str = ""
    args: list[_Arg] = []


class OkxDialect:
    """OKX's words. One socket for spot and swaps; an instrument's id says which it is."""

    venue = "okx"
    sockets: Mapping[str, str] = {"/ws/v5/public": "okx.public"}
    pages: Sequence[str] = ("/api/v5/",)

    def hello(self, conn: str, path: str, now_ms: int) -> Heard:  # noqa: ARG002
        """Nothing: the venue waits for the first request."""
        return Heard()

    def hear(
        self,
        conn: str,  # noqa: ARG002
        message: bytes,
        have: Mapping[str, Topic],
        floor: Floor,
        conn_id: str,
    ) -> Heard:
        """One answer for each argument; "ping" is answered in kind, before any JSON."""
        if message == b"ping":
            return Heard(replies=(b"pong",))
        try:
            request = msgspec.json.decode(message, type=_Request)
        except (msgspec.DecodeError, UnicodeDecodeError):
            request = _Request()
        if request.op not in ("subscribe", "unsubscribe") or not request.args:
            text = message[:200].decode("utf-8", "replace")
            return Heard(
                replies=(_error(request.id, "60012", f"Invalid request: {text}", conn_id),)
            )
        replies: list[bytes] = []
        added: list[Topic] = []
        dropped: list[str] = []
        for arg in request.args:
            topic = Topic(f"{arg.channel}:{arg.instId}", arg.channel, arg.instId)
            if not _known(topic, floor):
                replies.append(_unknown(request.id, arg, conn_id))
                continue
            replies.append(_ack(request, arg, conn_id))
            if request.op == "unsubscribe":
                dropped.append(topic.text)
            elif topic.text not in have and topic not in added:
                added.append(topic)
        return Heard(replies, added, dropped)

    def idle(self, conn: str, silent_ms: int, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002
        """Nothing: keeping the connection alive is the client's part."""
        return ()

    def greet(
        self,
        conn: str,  # noqa: ARG002
        topic: Topic,
        leg: Leg,
        memory: dict[str, object],
        now_ms: int,
    ) -> Sequence[bytes]:
        """The state now; of trades the last one."""
        if topic.kind == "bbo-tbt":
            return (_touch(topic, leg, leg.touch, leg.touch_id, now_ms),)
        if topic.kind == "books":
            memory.setdefault("said_ms", now_ms)
            bids, asks = leg.sides()
            return (_book(topic, "snapshot", levels(leg, bids, asks), (-1, leg.book_id), now_ms),)
        if topic.kind == "trades":
            return () if leg.last is None else (_trade(topic, leg, leg.last),)
        fields = _fields(topic, leg)
        memory.setdefault("said_ms", now_ms)
        memory.setdefault("fields", fields)
        return (_data(topic, fields, now_ms),)

    def say(
        self,
        conn: str,  # noqa: ARG002
        topic: Topic,
        leg: Leg,
        memory: dict[str, object],
        news: News,
    ) -> Sequence[bytes]:
        """Top of book on change only; the slower channels by their pace."""
        if topic.kind == "bbo-tbt":
            return _touches(topic, leg, news)
        if topic.kind == "books":
            return _change(topic, leg, memory, news)
        if topic.kind == "trades":
            return [_trade(topic, leg, row) for row in news.prints]
        if not news.slow:
            return ()
        least_ms, most_ms = PACE[topic.kind]
        since_ms = news.now_ms - _said_ms(memory)
        if since_ms < least_ms:
            return ()
        fields = _fields(topic, leg)
        if fields == memory.get("fields") and not (most_ms and since_ms >= most_ms):
            return ()
        memory["said_ms"], memory["fields"] = news.now_ms, fields
        return (_data(topic, fields, news.now_ms),)

    def page(self, path: str, floor: Floor) -> Page:
        """An HTTP answer; see dialect_okx_pages.py."""
        return page(path, floor)

    def leg_of(self, conn: str, topic: Topic) -> tuple[str, str, str] | None:  # noqa: ARG002
        """The leg a topic speaks of; the index is told by the swap on the same coins."""
        if topic.kind not in CHANNELS:
            return None
        if topic.kind == "index-tickers":
            return ("okx", "perp", f"{topic.symbol}-SWAP")
        return ("okx", "perp" if topic.symbol.endswith("-SWAP") else "spot", topic.symbol)


# Control


def _known(topic: Topic, floor: Floor) -> bool:
    swap = topic.symbol.endswith("-SWAP")
    if topic.kind not in CHANNELS or (topic.kind in SWAP_ONLY and not swap):
        return False
    if topic.kind == "index-tickers":
        return not swap and floor.leg("okx", "perp", f"{topic.symbol}-SWAP") is not None
    return floor.leg("okx", "perp" if swap else "spot", topic.symbol) is not None


def _ack(request: _Request, arg: _Arg, conn_id: str) -> bytes:
    named = {"channel": arg.channel, "instId": arg.instId}
    number = {"id": request.id} if request.id else {}
    return encode({**number, "event": request.op, "arg": named, "connId": conn_id})


def _error(number: str, code: str, text: str, conn_id: str) -> bytes:
    named = {"id": number} if number else {}
    return encode({**named, "event": "error", "code": code, "msg": text, "connId": conn_id})


def _unknown(number: str, arg: _Arg, conn_id: str) -> bytes:
    text = (
        f"Wrong URL or channel:{arg.channel[:40]},instId:{arg.instId[:60]} doesn't exist. "
        "Please use the correct URL, channel and parameters referring to API document."
    )
    return _error(number, "60018", text, conn_id)


# Streams


def _said_ms(memory: dict[str, object]) -> int:
    said = memory.get("said_ms")
    return said if isinstance(said, int) else 0


def _touches(topic: Topic, leg: Leg, news: News) -> Sequence[bytes]:
    if not news.touched:
        return ()
    if news.quotes <= 1:
        return (_touch(topic, leg, leg.touch, leg.touch_id, news.now_ms),)
    extra = leg.flood(news.quotes - 1)
    first = leg.touch_id - len(extra)
    said = [_touch(topic, leg, row, first + at, news.now_ms) for at, row in enumerate(extra)]
    return [*said, _touch(topic, leg, leg.touch, leg.touch_id, news.now_ms)]


def _touch(
    topic: Topic, leg: Leg, touch: tuple[int, int, int, int], seq_id: int, now_ms: int
) -> bytes:
    bid, bid_lots, ask, ask_lots = touch
    bids, asks = levels(leg, {bid: bid_lots}, {ask: ask_lots})
    return (
        f'{{"arg":{{"channel":"bbo-tbt","instId":"{topic.symbol}"}},"data":[{{"asks":[{asks}],'
        f'"bids":[{bids}],"ts":"{now_ms}","seqId":{seq_id}}}]}}'
    ).encode()


def _change(topic: Topic, leg: Leg, memory: dict[str, object], news: News) -> Sequence[bytes]:
    if news.bids or news.asks:
        memory["said_ms"] = news.now_ms
        changed = levels(leg, news.bids, news.asks)
        return (_book(topic, "update", changed, (news.prev, news.last), news.now_ms),)
    if news.now_ms - _said_ms(memory) < KEEP_ALIVE_MS:
        return ()
    memory["said_ms"] = news.now_ms
    return (_book(topic, "update", ("", ""), (leg.book_id, leg.book_id), news.now_ms),)


def _book(
    topic: Topic, action: str, sides: tuple[str, str], ids: tuple[int, int], now_ms: int
) -> bytes:
    """ids: (prevSeqId, seqId). The checksum is 0, as in every message since 2026-06-23."""
    return (
        f'{{"arg":{{"channel":"books","instId":"{topic.symbol}"}},"action":"{action}","data":['
        f'{{"asks":[{sides[1]}],"bids":[{sides[0]}],"ts":"{now_ms}","checksum":0,'
        f'"prevSeqId":{ids[0]},"seqId":{ids[1]}}}]}}'
    ).encode()


def _trade(topic: Topic, leg: Leg, row: Print) -> bytes:
    side = "buy" if row.buy else "sell"
    price, size = short(leg.price_text(row.tick)), short(leg.size_text(row.lots))
    return (
        f'{{"arg":{{"channel":"trades","instId":"{topic.symbol}"}},"data":[{{"instId":'
        f'"{topic.symbol}","tradeId":"{row.number}","px":"{price}","sz":"{size}","side":"{side}",'
        f'"ts":"{row.t_ms}","count":"1","source":"0","seqId":{leg.book_id}}}]}}'
    ).encode()


def _data(topic: Topic, fields: Mapping[str, str], now_ms: int) -> bytes:
    named = {"channel": topic.kind, "instId": topic.symbol}
    return encode({"arg": named, "data": [{**fields, "ts": str(now_ms)}]})


def _fields(topic: Topic, leg: Leg) -> dict[str, str]:
    """What a slower channel says, but for its `ts`."""
    spec, view = leg.spec, leg.view()
    if topic.kind == "funding-rate":
        return funding_fields(leg)
    if topic.kind == "open-interest":
        return interest_fields(leg)
    if topic.kind == "mark-price":
        mark = plain(view.mark_price, spec.tick_decimals + 1)
        return {"instType": "SWAP", "instId": spec.symbol, "markPx": mark}
    day = leg.day()
    digits = spec.tick_decimals
    range_24h = {
        "high24h": plain(day.high, digits),
        "low24h": plain(day.low, digits),
        "open24h": plain(day.first, digits),
        "sodUtc0": plain(day.first, digits),
        "sodUtc8": plain(day.hour_ago, digits),
    }
    if topic.kind == "index-tickers":
        index = plain(view.index_price, digits + 1)
        return {"instId": topic.symbol, "idxPx": index, **range_24h}
    return _ticker_fields(leg, range_24h)


def _ticker_fields(leg: Leg, range_24h: Mapping[str, str]) -> dict[str, str]:
    spec, day, last = leg.spec, leg.day(), leg.last
    bid, bid_lots, ask, ask_lots = leg.touch
    swap = spec.market == "perp"
    return {
        "instType": "SWAP" if swap else "SPOT",
        "instId": spec.symbol,
        "last": short(leg.price_text(bid if last is None else last.tick)),
        "lastSz": short(leg.size_text(bid_lots if last is None else last.lots)),
        "askPx": short(leg.price_text(ask)),
        "askSz": short(leg.size_text(ask_lots)),
        "bidPx": short(leg.price_text(bid)),
        "bidSz": short(leg.size_text(bid_lots)),
        **range_24h,
        "volCcy24h": plain(day.volume if swap else day.turnover, 4),
        "vol24h": plain(day.volume / spec.unit, 4),
    }
