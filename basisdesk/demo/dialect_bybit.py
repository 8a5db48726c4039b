"""A leg's news as the exact messages of Bybit V5: control answers, books, trades, tickers.

Shapes, key order, number formats and answers follow the venue's pages of 2026-07 and frames
recorded in 2026-08. REST pages are in `dialect_bybit_pages.py`, the spread socket's words in
`bybit_combo.py`. Nothing here asks the time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast
from zlib import crc32

import msgspec

from basisdesk.demo import bybit_combo as combo
from basisdesk.demo import dialect_bybit_pages as pages
from basisdesk.demo.dialect_bybit_pages import Category, Numbers, encode
from basisdesk.demo.wire import Floor, Heard, Leg, Levels, News, Page, Print, Topic

SPOT_ARGS_MAX = 10
LINEAR_ARGS_TEXT_MAX = 21_000
DEPTHS = {"spot": ("1", "50", "200", "1000"), "linear": ("1", "50", "200", "500", "1000")}
KINDS = ("orderbook", "publicTrade", "tickers")
ENGINE_LAG_MS = 3  # the engine's stamp lies this far before the publish stamp
SEQ_BASE = 112_488_000_000
SPOT_IDENT_BASE = 2_290_000_001_000_000_000
SPREAD = "bybit.spread"
_CATEGORY: dict[str, Category] = {"bybit.spot": "spot", "bybit.linear": "linear"}
_FIRST_TICK = "ZeroMinusTick"


class Request(msgspec.Struct):
    """What a client sends."""

    op: str = ""
    req_id: str = ""
    args: list[str] = []


class BybitDialect:
    """Bybit's words."""

    venue = "bybit"
    sockets: Mapping[str, str] = {
        "/v5/public/spot": "bybit.spot",
        "/v5/public/linear": "bybit.linear",
        combo.PATH: SPREAD,
    }
    pages: Sequence[str] = ("/v5/",)

    def hello(self, conn: str, path: str, now_ms: int) -> Heard:  # noqa: ARG002
        """Nothing: the venue waits for the first request."""
        return Heard()

    def hear(
        self, conn: str, message: bytes, have: Mapping[str, Topic], floor: Floor, conn_id: str
    ) -> Heard:
        """Answer one client message."""
        request = read_request(message)
        if request is None:
            said = "Failed to decode incoming data: not a valid request"
            return Heard((answer(False, said, conn_id, Request()),))
        if request.op == "ping":
            now_ms = floor.now_ms(self.venue)
            said_pong = combo.combo_pong(now_ms) if conn == SPREAD else pong(conn_id, request)
            return Heard((said_pong,))
        if request.op not in ("subscribe", "unsubscribe"):
            return Heard((answer(False, "error:invalid op", conn_id, request),))
        if conn == SPREAD:
            return _combo_topics(request, floor, conn_id)
        if request.op == "unsubscribe":
            return Heard((answer(True, "", conn_id, request),), (), request.args)
        category = _CATEGORY[conn]
        topics = [parse_topic(text, category, floor) for text in request.args]
        why_not = refusal(request, category, topics, have)
        if why_not:
            return Heard((answer(False, why_not, conn_id, request),))
        acked = "subscribe" if category == "spot" else ""
        added = [topic for topic in topics if topic is not None]
        return Heard((answer(True, acked, conn_id, request),), added)

    def idle(self, conn: str, silent_ms: int, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002
        """Nothing: keeping the connection alive is the client's part."""
        return ()

    def greet(
        self, conn: str, topic: Topic, leg: Leg, memory: dict[str, object], now_ms: int
    ) -> Sequence[bytes]:
        """The snapshot of a new subscription."""
        if topic.kind == "combo":
            return _combo(topic, leg, memory, now_ms, first=True)
        category = _CATEGORY[conn]
        if topic.kind == "publicTrade":
            return ()
        if topic.kind == "orderbook" and topic.args == "1":
            return (_touch(topic, category, leg, now_ms),)
        if topic.kind == "orderbook":
            stamps = (now_ms, leg.book_id)
            return (_book(topic, category, "snapshot", leg, leg.sides(), stamps),)
        fields = memory.get("fields") or _fields(category, leg, memory)
        memory["fields"] = fields
        return (_ticker(topic, category, "snapshot", leg, cast("dict[str, str]", fields), now_ms),)

    def say(
        self, conn: str, topic: Topic, leg: Leg, memory: dict[str, object], news: News
    ) -> Sequence[bytes]:
        """What this news is on this topic."""
        if topic.kind == "combo":
            return _combo(topic, leg, memory, news.now_ms, first=False)
        category = _CATEGORY[conn]
        if topic.kind == "orderbook" and topic.args == "1":
            return _touches(topic, category, leg, news)
        if topic.kind == "orderbook":
            if not news.bids and not news.asks:
                return ()
            stamps = (news.now_ms, news.last)
            return (_book(topic, category, "delta", leg, (news.bids, news.asks), stamps),)
        if topic.kind == "publicTrade":
            if not news.prints:
                return ()
            return (_trades(topic, category, leg, memory, news.prints),)
        return _ticker_change(topic, category, leg, memory, news) if news.slow else ()

    def page(self, path: str, floor: Floor) -> Page:
        """An HTTP answer; see dialect_bybit_pages.py."""
        return pages.page(path, floor)

    def leg_of(self, conn: str, topic: Topic) -> tuple[str, str, str] | None:
        """The instrument of a topic; of a combination the perpetual."""
        return "bybit", "spot" if conn == "bybit.spot" else "perp", topic.symbol


# Control


def parse_topic(text: str, category: Category, floor: Floor) -> Topic | None:
    """The topic, or None where the venue has no handler for it."""
    kind, _, rest = text.partition(".")
    depth, symbol = "", rest
    if kind == "orderbook":
        depth, _, symbol = rest.partition(".")
        if depth not in DEPTHS[category]:
            return None
    market = "spot" if category == "spot" else "perp"
    if kind not in KINDS or floor.leg("bybit", market, symbol) is None:
        return None
    return Topic(text, kind, symbol, depth)


def answer(success: bool, message: str, conn_id: str, request: Request) -> bytes:
    """An acknowledgement or a refusal, with the client's req_id."""
    return encode(
        {
            "success": success,
            "ret_msg": message,
            "conn_id": conn_id,
            "req_id": request.req_id,
            "op": request.op,
        }
    )


def pong(conn_id: str, request: Request) -> bytes:
    """The answer to the application ping; its op stays "ping"."""
    return answer(True, "pong", conn_id, request)


def read_request(payload: bytes | str) -> Request | None:
    """The client's message, or None where it is not one."""
    try:
        return msgspec.json.decode(payload, type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def refusal(
    request: Request, category: Category, topics: Sequence[Topic | None], have: Iterable[str]
) -> str:
    """Why a subscribe is refused as a whole, in the venue's words; "" when it is not."""
    if category == "spot" and len(request.args) > SPOT_ARGS_MAX:
        return f"args size >{SPOT_ARGS_MAX}"
    if sum(map(len, request.args)) > LINEAR_ARGS_TEXT_MAX:
        return f"args length >{LINEAR_ARGS_TEXT_MAX}"
    for text, topic in zip(request.args, topics, strict=True):
        if topic is None:
            return f"error:handler not found,topic:{text}"
    held = set(have)
    for text in request.args:
        if text in held:
            return f"error:already subscribed,topic:{text}"
    return ""


def _combo_topics(request: Request, floor: Floor, conn_id: str) -> Heard:
    good, bad, topics = [], [], []
    for text in request.args:
        symbol = combo.combo_symbol(text)
        if symbol and all(floor.leg("bybit", market, symbol) for market in ("spot", "perp")):
            good.append(text)
            topics.append(Topic(text, "combo", symbol))
        else:
            bad.append(text)
    reply = combo.combo_ack(good, bad, conn_id)
    return Heard((reply,), topics) if request.op == "subscribe" else Heard((reply,), (), good)


# Streams


def sequence(leg: Leg) -> int:
    """The venue's cross sequence: it rises with everything that happens to a leg."""
    return SEQ_BASE + leg.book_id + leg.touch_id + (leg.last.number if leg.last else 0)


def _head(topic: str, category: Category, kind: str, ts: int) -> str:
    """The opening of a data message; the two markets order their keys differently."""
    if category == "spot":
        return f'{{"topic":"{topic}","ts":{ts},"type":"{kind}","data":'
    return f'{{"topic":"{topic}","type":"{kind}","ts":{ts},"data":'


def _book(
    topic: Topic,
    category: Category,
    kind: str,
    leg: Leg,
    sides: tuple[Levels, Levels],
    stamps: tuple[int, int],
) -> bytes:
    """A book message. stamps: (publish time ms, update id)."""
    numbers = Numbers(leg)
    return (
        f'{_head(topic.text, category, kind, stamps[0])}{{"s":"{topic.symbol}",'
        f'"b":[{numbers.levels(sides[0])}],"a":[{numbers.levels(sides[1])}],"u":{stamps[1]},'
        f'"seq":{sequence(leg)}}},"cts":{stamps[0] - ENGINE_LAG_MS}}}'
    ).encode()


def _touch(topic: Topic, category: Category, leg: Leg, now_ms: int) -> bytes:
    bid, bid_lots, ask, ask_lots = leg.touch
    sides = ({bid: bid_lots}, {ask: ask_lots})
    return _book(topic, category, "snapshot", leg, sides, (now_ms, leg.touch_id))


def _touches(topic: Topic, category: Category, leg: Leg, news: News) -> Sequence[bytes]:
    if not news.touched:
        return (_touch(topic, category, leg, news.now_ms),) if news.repeat else ()
    extra = leg.flood(news.quotes - 1)
    if not extra:
        return (_touch(topic, category, leg, news.now_ms),)
    numbers, seq = Numbers(leg), sequence(leg) - len(extra)
    texts = {
        row: f'"b":[{numbers.levels({row[0]: row[1]})}],"a":[{numbers.levels({row[2]: row[3]})}]'
        for row in set(extra)
    }
    start = f'{_head(topic.text, category, "snapshot", news.now_ms)}{{"s":"{topic.symbol}",'
    end = f'}},"cts":{news.now_ms - ENGINE_LAG_MS}}}'
    first = leg.touch_id - len(extra)
    said = [
        f'{start}{texts[row]},"u":{first + at},"seq":{seq + at}{end}'.encode()
        for at, row in enumerate(extra)
    ]
    return [*said, _touch(topic, category, leg, news.now_ms)]


def _trades(
    topic: Topic, category: Category, leg: Leg, memory: dict[str, object], prints: Sequence[Print]
) -> bytes:
    """A publicTrade message; prints oldest first, at least one."""
    numbers, rows, seq = Numbers(leg), [], sequence(leg) - prints[-1].number
    for row in prints:
        side = "Buy" if row.buy else "Sell"
        price, size = numbers.tick(row.tick), numbers.lots(row.lots)
        ident = _ident(leg, row)
        if category == "spot":
            rows.append(
                f'{{"i":"{ident}","T":{row.t_ms},"p":"{price}","v":"{size}","S":"{side}",'
                f'"seq":{seq + row.number},"s":"{topic.symbol}","BT":false,"RPI":false}}'
            )
        else:
            rows.append(
                f'{{"T":{row.t_ms},"s":"{topic.symbol}","S":"{side}","v":"{size}","p":"{price}",'
                f'"L":"{_direction(memory, row)}","i":"{ident}","BT":false,"RPI":false,'
                f'"seq":{seq + row.number}}}'
            )
    ts = prints[-1].t_ms + 1
    return f"{_head(topic.text, category, 'snapshot', ts)}[{','.join(rows)}]}}".encode()


def _ident(leg: Leg, row: Print) -> str:
    if leg.spec.market == "spot":
        return str(SPOT_IDENT_BASE + row.t_ms % 10**9 * 1000 + row.number % 1000)
    named = f"{leg.spec.symbol} {row.t_ms} {row.number}".encode()
    text = "".join(f"{crc32(named, salt):08x}" for salt in range(4))
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _direction(memory: dict[str, object], row: Print) -> str:
    """The tick direction of a trade after those that `memory` saw."""
    number, tick, direction = cast("tuple[int, int, str]", memory.get("trade", (0, 0, "")))
    if number != row.number:
        if not number or (row.tick == tick and direction.startswith("Zero")):
            direction = direction or _FIRST_TICK
        elif row.tick == tick:
            direction = f"Zero{direction}"
        else:
            direction = "PlusTick" if row.tick > tick else "MinusTick"
        memory["trade"] = (row.number, row.tick, direction)
    return direction


def _fields(category: Category, leg: Leg, memory: dict[str, object]) -> dict[str, str]:
    if category == "spot":
        return pages.spot_fields(leg)
    direction = _direction(memory, leg.last) if leg.last else _FIRST_TICK
    return pages.linear_fields(leg, direction)


def _ticker_change(
    topic: Topic, category: Category, leg: Leg, memory: dict[str, object], news: News
) -> Sequence[bytes]:
    before = cast("dict[str, str]", memory.get("fields", {}))
    fields = _fields(category, leg, memory)
    memory["fields"] = fields
    if fields == before:
        return ()
    if category == "spot":
        return (_ticker(topic, category, "snapshot", leg, fields, news.now_ms),)
    new = {name: text for name, text in fields.items() if before.get(name) != text}
    return (_ticker(topic, category, "delta", leg, new, news.now_ms),)


def _ticker(
    topic: Topic, category: Category, kind: str, leg: Leg, fields: Mapping[str, str], ts: int
) -> bytes:
    """A spot ticker has no bid and no ask: the venue's does not either."""
    seq = sequence(leg)
    if category == "spot":
        return encode(
            {"topic": topic.text, "ts": ts, "type": "snapshot", "cs": seq, "data": fields}
        )
    data = {"symbol": topic.symbol, **fields}
    return encode({"topic": topic.text, "type": kind, "data": data, "cs": seq, "ts": ts})


def _combo(
    topic: Topic, leg: Leg, memory: dict[str, object], now_ms: int, *, first: bool
) -> Sequence[bytes]:
    """The combination's book: a snapshot to a new subscriber, then deltas on change."""
    spot = cast("Floor", memory["floor"]).leg("bybit", "spot", topic.symbol)
    if spot is None:
        return ()
    u = cast("int", memory.get("u", 1_000))
    touch = cast("combo.ComboTouch | None", memory.get("touch"))
    if first:
        shown = touch or combo.combo_touch(spot, leg)
        memory["touch"] = shown
        return (combo.combo_message(topic.text, "snapshot", shown, now_ms, u),)
    new = combo.combo_touch(spot, leg)
    if new == touch:
        return ()
    memory["u"], memory["touch"] = u + 1, new
    return (combo.combo_message(topic.text, "delta", new, now_ms, u + 1, touch),)
