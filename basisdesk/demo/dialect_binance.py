"""Market state to the exact messages of Binance's three sockets. REST: dialect_binance_pages.py.

Shapes, key order and pace follow the venue's pages of 2026-07 (spot) and SDK models of 2026-08
(USD-M); spot prints eight decimals, USD-M those of tick and lot, as in frames recorded in 2024-08.
A stream that does not exist, or belongs to another path, is acknowledged and stays silent, as the
venue's own do. Nothing here asks the time.
"""

import re
from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import msgspec

from basisdesk.demo.dialect_binance_pages import eight, encode, page, price, quantity
from basisdesk.demo.wire import Floor, Heard, Leg, Levels, News, Page, Print, Topic

SPOT, PUBLIC, MARKET = "binance.spot", "binance.public", "binance.market"
STREAMS_MAX = 1_024  # a connection
SILENT = "silent"  # kind of a stream that is held but never speaks
BLANK_EVERY = 50  # USD-M @trade prints a row without price and size now and then

_NAME = re.compile(r"([a-z0-9]{1,40})@(\S{1,30})")
_SPEEDS = {  # depth stream -> ms between two messages, by family
    "spot": {"depth": 1_000, "depth@100ms": 100},
    "perp": {"depth": 250, "depth@100ms": 100, "depth@500ms": 500},
}
_PARTS = {f"depth{n}{speed}": n for n in (5, 10, 20) for speed in ("", "@100ms")}
_MARKS = {"markPrice": 3_000, "markPrice@1s": 1_000}
_KINDS: dict[str, frozenset[str]] = {  # what each path carries
    SPOT: frozenset(("bookTicker", "trade", "aggTrade", *_SPEEDS["spot"], *_PARTS)),
    PUBLIC: frozenset(("bookTicker", "trade", *_SPEEDS["perp"], *_PARTS)),
    MARKET: frozenset(("aggTrade", *_MARKS)),
}
_METHODS = "SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY"


class _Request(msgspec.Struct):
    method: str
    params: list[str] = []
    id: int | str | None = None


class BinanceDialect:
    """Binance's words: one spot socket, two of USD-M, all in combined mode."""

    venue = "binance"
    sockets: Mapping[str, str] = {
        "/stream": SPOT,
        "/public/stream": PUBLIC,
        "/market/stream": MARKET,
    }
    pages: Sequence[str] = ("/api/v3/", "/fapi/")

    def hello(self, conn: str, path: str, now_ms: int) -> Heard:  # noqa: ARG002
        """No words; the streams named in the URL are subscribed."""
        named = dict(parse_qsl(urlsplit(path).query)).get("streams", "")
        return Heard(added=[_topic(conn, name) for name in dict.fromkeys(named.split("/")) if name])

    def hear(
        self,
        conn: str,
        message: bytes,
        have: Mapping[str, Topic],
        floor: Floor,
        conn_id: str,  # noqa: ARG002
    ) -> Heard:
        """One answer a message. `result: null` says that it was read, not that a stream exists."""
        try:
            request = msgspec.json.decode(message, type=_Request)
        except msgspec.ValidationError as exc:
            return _refused(2, f"Invalid request: {exc}", None)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _refused(3, "Invalid JSON: expected value at line 1 column 1", None)
        if request.method == "LIST_SUBSCRIPTIONS":
            return Heard(replies=(encode({"result": list(have), "id": request.id}),))
        done = encode({"result": None, "id": request.id})
        if request.method == "UNSUBSCRIBE":
            return Heard((done,), dropped=[name for name in request.params if name in have])
        if request.method != "SUBSCRIBE":
            wrong = f"Invalid request: unknown variant `{request.method[:40]}`, expected one of"
            return _refused(2, f"{wrong} {_METHODS}", request.id)
        fresh = [name for name in dict.fromkeys(request.params) if name not in have]
        if len(have) + len(fresh) > STREAMS_MAX:
            error = {"code": 4, "msg": "Too many subscriptions"}
            return Heard(replies=(encode({"error": error, "id": request.id}),))
        return Heard((done,), [_known(_topic(conn, name), conn, floor) for name in fresh])

    def idle(self, conn: str, silent_ms: int, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002
        """Nothing: the venue's heartbeat is a WebSocket ping."""
        return ()

    def greet(
        self,
        conn: str,  # noqa: ARG002
        topic: Topic,  # noqa: ARG002
        leg: Leg,  # noqa: ARG002
        memory: dict[str, object],  # noqa: ARG002
        now_ms: int,  # noqa: ARG002
    ) -> Sequence[bytes]:
        """Nothing: every stream starts with its first change, a book's snapshot is a REST page."""
        return ()

    def say(
        self,
        conn: str,
        topic: Topic,
        leg: Leg,
        memory: dict[str, object],
        news: News,
    ) -> Sequence[bytes]:
        """Best bid and ask and trades at once, books and marks by their pace."""
        kind = topic.kind
        if kind == "bookTicker":
            datas = _touches(leg, news)
        elif kind in _PARTS:
            datas = _part(leg, _PARTS[kind], memory, news)
        elif kind in _MARKS:
            datas = _mark(leg, _MARKS[kind], memory, news)
        elif kind == "trade":
            datas = _trades(leg, news)
        elif kind == "aggTrade":
            datas = _bundles(leg, news)
        elif kind in _KINDS[conn]:
            datas = _change(leg, _SPEEDS[leg.spec.market][kind], memory, news)
        else:
            return ()
        return [f'{{"stream":"{topic.text}","data":{data}}}'.encode() for data in datas]

    def page(self, path: str, floor: Floor) -> Page:
        """An HTTP answer; see dialect_binance_pages.py."""
        return page(path, floor)

    def leg_of(self, conn: str, topic: Topic) -> tuple[str, str, str] | None:
        """The leg of a stream; None for one that stays silent."""
        if topic.kind == SILENT:
            return None
        return ("binance", "spot" if conn == SPOT else "perp", topic.symbol)


# Control


def _topic(conn: str, name: str) -> Topic:
    """Stream names are lowercase; one in capitals is taken and stays silent."""
    found = _NAME.fullmatch(name)
    if found is None or found[2] not in _KINDS[conn]:
        return Topic(name, SILENT, "")
    return Topic(name, found[2], found[1].upper())


def _known(topic: Topic, conn: str, floor: Floor) -> Topic:
    market = "spot" if conn == SPOT else "perp"
    if topic.kind != SILENT and floor.leg("binance", market, topic.symbol) is None:
        return Topic(topic.text, SILENT, "")
    return topic


def _refused(code: int, text: str, number: int | str | None) -> Heard:
    answer = {"code": code, "msg": text[:200]}
    return Heard(replies=(encode(answer if number is None else {**answer, "id": number}),))


# Streams: each gives the texts of its `data`


def _levels(leg: Leg, levels: Levels) -> str:
    return ",".join([f'["{price(leg, t)}","{quantity(leg, n)}"]' for t, n in levels.items()])


def _touches(leg: Leg, news: News) -> Sequence[str]:
    if not news.touched:
        return ()
    extra = leg.flood(news.quotes - 1) if news.quotes > 1 else ()
    first = leg.touch_id - len(extra)
    said = [_touch(leg, row, first + at, news.now_ms) for at, row in enumerate(extra)]
    return [*said, _touch(leg, leg.touch, leg.touch_id, news.now_ms)]


def _touch(leg: Leg, touch: tuple[int, int, int, int], number: int, now_ms: int) -> str:
    bid, bid_lots, ask, ask_lots = touch
    symbol = leg.spec.symbol
    sides = (
        f'"b":"{price(leg, bid)}","B":"{quantity(leg, bid_lots)}",'
        f'"a":"{price(leg, ask)}","A":"{quantity(leg, ask_lots)}"'
    )
    if leg.spec.market == "spot":
        return f'{{"u":{number},"s":"{symbol}",{sides}}}'
    return (
        f'{{"e":"bookTicker","u":{number},"s":"{symbol}","ps":"{symbol}",{sides},'
        f'"T":{now_ms},"E":{now_ms},"st":1}}'
    )


class _Gathered:
    """Changes of a book since its stream last spoke."""

    __slots__ = ("asks", "bids", "first", "last", "prev")

    def __init__(self, news: News) -> None:
        self.bids, self.asks = dict(news.bids), dict(news.asks)
        self.first, self.last, self.prev = news.first, news.last, news.prev

    def add(self, news: News) -> None:
        """Take what follows; later sizes replace earlier ones."""
        self.bids.update(news.bids)
        self.asks.update(news.asks)
        self.last = news.last


def _change(leg: Leg, every_ms: int, memory: dict[str, object], news: News) -> Sequence[str]:
    gathered = cast("_Gathered | None", memory.get("gathered"))
    if news.bids or news.asks or news.last > news.prev:
        if gathered is not None and gathered.last == news.prev:
            gathered.add(news)
        else:
            memory["gathered"] = gathered = _Gathered(news)
    if gathered is None or not news.slow or not _due(memory, every_ms, news.now_ms):
        return ()
    memory["gathered"] = None
    return (_book(leg, gathered, news.now_ms),)


def _book(leg: Leg, change: _Gathered, now_ms: int) -> str:
    symbol, ids = leg.spec.symbol, f'"U":{change.first},"u":{change.last}'
    sides = f'"b":[{_levels(leg, change.bids)}],"a":[{_levels(leg, change.asks)}]'
    if leg.spec.market == "spot":
        return f'{{"e":"depthUpdate","E":{now_ms},"s":"{symbol}",{ids},{sides}}}'
    return (
        f'{{"e":"depthUpdate","E":{now_ms},"T":{now_ms},"s":"{symbol}",{ids},'
        f'"pu":{change.prev},{sides},"ps":"{symbol}","st":1}}'
    )


def _part(leg: Leg, depth: int, memory: dict[str, object], news: News) -> Sequence[str]:
    before = cast("int", memory.get("book_id", -1))
    if not news.slow or before == leg.book_id:
        return ()
    memory["book_id"] = leg.book_id
    bids, asks = (dict(list(side.items())[:depth]) for side in leg.sides())
    if leg.spec.market == "spot":
        sides = f'"bids":[{_levels(leg, bids)}],"asks":[{_levels(leg, asks)}]'
        return (f'{{"lastUpdateId":{leg.book_id},{sides}}}',)
    now, before = leg.book_id, max(before, 0)
    whole = _Gathered(news._replace(bids=bids, asks=asks, first=now, last=now, prev=before))
    return (_book(leg, whole, news.now_ms),)


def _trades(leg: Leg, news: News) -> Sequence[str]:
    said = []
    for row in news.prints:
        stamp = max(news.now_ms, row.t_ms)
        symbol, maker = leg.spec.symbol, "false" if row.buy else "true"
        amounts = f'"t":{row.number},"p":"{price(leg, row.tick)}","q":"{quantity(leg, row.lots)}"'
        if leg.spec.market == "spot":
            said.append(
                f'{{"e":"trade","E":{stamp},"s":"{symbol}",{amounts},"T":{row.t_ms},'
                f'"m":{maker},"M":true}}'
            )
            continue
        head = f'"e":"trade","E":{stamp},"T":{row.t_ms},"s":"{symbol}"'
        said.append(f'{{{head},{amounts},"X":"MARKET","m":{maker},"ps":"{symbol}","st":1}}')
        if row.number % BLANK_EVERY == 0:
            blank = f'"t":{row.number},"p":"0","q":"0","X":"NA","m":false'
            said.append(f'{{{head},{blank},"ps":"{symbol}","st":1}}')
    return said


def _bundles(leg: Leg, news: News) -> Sequence[str]:
    """Prints of one moment, side and price are one aggregate trade."""
    groups: list[list[Print]] = []
    for row in news.prints:
        last = groups[-1][-1] if groups else None
        if last and (last.t_ms, last.buy, last.tick) == (row.t_ms, row.buy, row.tick):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [_bundle(leg, group, news.now_ms) for group in groups]


def _bundle(leg: Leg, group: Sequence[Print], now_ms: int) -> str:
    first, last = group[0], group[-1]
    size = quantity(leg, sum(row.lots for row in group))
    spot = leg.spec.market == "spot"
    total = "" if spot else f'"nq":"{size}",'
    tail = '"M":true' if spot else '"st":1'
    return (
        f'{{"e":"aggTrade","E":{max(now_ms, last.t_ms)},"s":"{leg.spec.symbol}",'
        f'"a":{first.number},"p":"{price(leg, first.tick)}","q":"{size}",{total}'
        f'"f":{first.number},"l":{last.number},"T":{last.t_ms},'
        f'"m":{"false" if first.buy else "true"},{tail}}}'
    )


def _mark(leg: Leg, every_ms: int, memory: dict[str, object], news: News) -> Sequence[str]:
    if not _due(memory, every_ms, news.now_ms):
        return ()
    view = leg.view()
    mark, index = eight(view.mark_price), eight(view.index_price)
    return (
        f'{{"e":"markPriceUpdate","E":{news.now_ms},"s":"{leg.spec.symbol}","p":"{mark}",'
        f'"ap":"{mark}","P":"{mark}","i":"{index}","r":"{eight(view.rate)}",'
        f'"T":{view.next_funding_ms},"st":1}}',
    )


def _due(memory: dict[str, object], every_ms: int, now_ms: int) -> bool:
    slot = now_ms // every_ms
    if every_ms > 100 and memory.get("slot") == slot:  # slow moments are 100 ms apart already
        return False
    memory["slot"] = slot
    return True
