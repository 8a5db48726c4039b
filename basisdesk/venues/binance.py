"""Binance, public data of spot and USD-M: addresses, what to send, and the codec of its sockets.

USD-M has two sockets since 2026-04: /public carries books, /market the rest; a stream asked for on
the wrong one is acknowledged and stays silent. Only combined mode is used, where every message
names its stream. Messages are read in binance_streams.py, HTTP answers in binance_rest.py.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, Notice
from basisdesk.venues import Codec, Limits, MarketEvent, TopicRule
from basisdesk.venues import binance_scan as scan
from basisdesk.venues.binance_rest import read_page
from basisdesk.venues.binance_streams import SPOT, reader
from basisdesk.venues.instrument import split_key
from basisdesk.venues.reading import PAYLOAD_MAX, TEXT_MAX, Events, Read, bad_frame, plain
from basisdesk.venues.rest_reading import RestCodec, half_days

PUBLIC, MARKET = "binance.public", "binance.market"
REST, SCAN = "binance.rest", "binance.scan"
TOPICS_MAX = 2_048  # streams remembered a connection; the venue takes 1,024
BATCH_MAX = 50  # streams of one request; requests count against 5 messages/s
BOOK_LIMIT = 1_000  # levels a side of the snapshot over HTTP

_CONNECTIONS = (SPOT, PUBLIC, MARKET)
_START = len('{"stream":"')
_PART = re.compile(r"depth(5|10|20)(@[0-9]{1,4}ms)?")
_DIFF = re.compile(r"depth(@[0-9]{1,4}ms)?")


class Binance:
    """The exchange as the desk sees it: addresses, messages to send, and a codec a connection."""

    name = "binance"
    title = "Binance"
    endpoints: Mapping[str, str] = {
        SPOT: "wss://stream.binance.com:9443/stream",
        PUBLIC: "wss://fstream.binance.com/public/stream",
        MARKET: "wss://fstream.binance.com/market/stream",
    }
    rest_urls: Mapping[str, str] = {
        "/api/v3": "https://api.binance.com",
        "/fapi/": "https://fapi.binance.com",
    }
    # Pages of 2026-07: 300 connects in 5 min an address, 5 messages/s to a spot socket (10 on
    # USD-M; pongs count), closed after 24 h; HTTP weight 2,400/min on USD-M, a whole book 20. At
    # this gap pages of weight 10 could come one after the other without end.
    # The venue pings by itself, in WebSocket frames.
    limits = Limits(
        connects=60,
        connect_window_s=300.0,
        send_gap_s=0.25,
        life_s=86_400.0,
        ping_every_s=0.0,
        rest_gap_s=0.25,
    )

    def codec(self, conn: str) -> Codec:
        """A fresh decoder of a socket, of "binance.rest" or "binance.scan"; else ValueError."""
        if conn == REST:
            return RestCodec(read_page)
        if conn == SCAN:
            return RestCodec(scan.Pages().read)
        if conn in _CONNECTIONS:
            return BinanceCodec(conn)
        raise ValueError(f"{conn!r} is not a connection of Binance")

    def rule(self, conn: str, topic: str) -> TopicRule:
        """What a stream carries. Books speak on change only: no silence of theirs is a promise."""
        kind = topic.partition("@")[2]
        if kind == "bookTicker":
            return TopicRule("top", 1)
        if _DIFF.fullmatch(kind):
            return TopicRule("book", BOOK_LIMIT, stateful=True, seeded=True)
        if part := _PART.fullmatch(kind):
            return TopicRule("book", int(part[1]))
        if kind in ("trade", "aggTrade"):
            return TopicRule("trades", awaited=False)
        if conn != SPOT and kind in ("markPrice", "markPrice@1s", "arr", "arr@1s"):
            return TopicRule("ticker", quiet_s=10.0)  # promised every 1 or 3 s
        return TopicRule()

    def topics(self, instrument: str) -> Mapping[str, tuple[str, ...]]:
        """Streams by connection that give this leg its top of book, depth, trades and mark.

        Trades of a perpetual are aggTrade: the plain ones print rows without price and size, and
        are not documented.
        """
        _, market, symbol = split_key(instrument)
        name = symbol.lower()
        book = (f"{name}@bookTicker", f"{name}@depth@100ms")
        if market == "spot":
            return {SPOT: (*book, f"{name}@trade")}
        return {PUBLIC: book, MARKET: (f"{name}@aggTrade", f"{name}@markPrice@1s")}

    def batches(self, topics: Sequence[str]) -> list[tuple[str, ...]]:
        """Fifty to a request. A stream that does not exist fails nothing; it stays silent."""
        return [tuple(topics[at : at + BATCH_MAX]) for at in range(0, len(topics), BATCH_MAX)]

    def subscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that asks for these streams."""
        return _request("SUBSCRIBE", topics, req_id)

    def unsubscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that drops these streams."""
        return _request("UNSUBSCRIBE", topics, req_id)

    def ping(self, conn: str, req_id: str) -> bytes | None:  # noqa: ARG002
        """None: the venue has no heartbeat of the application's own."""
        return None

    def seed_path(self, conn: str, topic: str) -> str:
        """REST path of a book's snapshot. The wider the reach, the heavier: 1,000 levels a side."""
        name, _, kind = topic.partition("@")
        if not _DIFF.fullmatch(kind):
            return ""
        api = "/api/v3" if conn == SPOT else "/fapi/v1"
        return f"{api}/depth?symbol={name.upper()}&limit={BOOK_LIMIT}"

    def backfill(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """Rules, the last 24 h of 1-minute candles in two pages; of a perpetual also its funding.

        USD-M rules come for all contracts at once, and so do the funding intervals.
        """
        _, market, symbol = split_key(instrument)
        api = "/api/v3" if market == "spot" else "/fapi/v1"
        candles = tuple(
            f"{api}/klines?symbol={symbol}&interval=1m&startTime={first}&endTime={last}&limit=720"
            for first, last in half_days(now_ms)
        )
        if market == "spot":
            return (f"{api}/exchangeInfo?symbol={symbol}&showPermissionSets=false", *candles)
        premium = f"{api}/premiumIndex?symbol={symbol}"
        return (f"{api}/exchangeInfo", premium, *candles, *self.refresh(instrument, now_ms))

    def refresh(self, instrument: str, now_ms: int) -> tuple[str, ...]:  # noqa: ARG002
        """Settled funding (200 rows), intervals that differ from 8 h, and open interest."""
        _, market, symbol = split_key(instrument)
        if market == "spot":
            return ()
        return (
            "/fapi/v1/fundingInfo",
            f"/fapi/v1/fundingRate?symbol={symbol}&limit=200",
            f"/fapi/v1/openInterest?symbol={symbol}",
        )

    def catalogue(self) -> tuple[str, ...]:
        """Every spot market that trades and every USD-M contract."""
        spot = "/api/v3/exchangeInfo?symbolStatus=TRADING&showPermissionSets=false"
        return (spot, "/fapi/v1/exchangeInfo")

    def time_path(self) -> str:
        """REST path of the server's clock."""
        return "/api/v3/time"

    def scan_pages(self) -> tuple[str, ...]:
        """Best bid and ask of all, intervals that differ from 8 h, then mark and funding of all."""
        return scan.PAGES

    def scan_every_s(self, path: str) -> float:
        """Seconds before a page is worth another reading: intervals change at settlements only."""
        return scan.EVERY_S.get(path, 0.0)

    def scan_book(self, instrument: str) -> str:
        """REST path of 100 levels a side."""
        return scan.book_path(instrument)

    def scan_leg(self, instrument: str) -> tuple[str, ...]:
        """Open interest of a perpetual, which no page of all has."""
        return scan.leg_paths(instrument)

    def scan_past(self, instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
        """REST paths of the last minutes, one page, and of `days` of settled funding."""
        return scan.past_paths(instrument, now_ms, days)


def _request(method: str, topics: Sequence[str], req_id: str) -> bytes:
    return msgspec.json.encode({"method": method, "params": list(topics), "id": int(req_id)})


class _Refusal(msgspec.Struct, gc=False):
    code: int = 0
    msg: str = ""


class _Head(msgspec.Struct, gc=False):
    """What tells one message from another before its stream is known."""

    stream: str = ""
    e: str = ""
    s: str = ""
    u: int = -1
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: _Refusal | None = None
    code: int | None = None
    msg: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode
# The stream a bare event would have come by. Its speed is not in it: ours is assumed.
_BARE = {
    "bookTicker": "bookTicker",
    "depthUpdate": "depth@100ms",
    "trade": "trade",
    "aggTrade": "aggTrade",
    "markPriceUpdate": "markPrice@1s",
}


class BinanceCodec:
    """Decoder of one socket. A stream's first message chooses how it is read; no event is kept."""

    def __init__(self, conn: str) -> None:
        self.conn = conn
        self._streams: dict[str, Read] = {}
        self._starts: dict[bytes, Read] = {}  # by '{"stream":"X'

    def decode(self, payload: bytes) -> Events:
        """Events of one message. Raises BadFrame, and then nothing of the message was kept."""
        if len(payload) > PAYLOAD_MAX:
            raise BadFrame("size", payload)
        try:
            read = self._starts.get(payload[: payload.find(b'"', _START)])
            return read(payload) if read is not None else self._first(payload)
        except (ValueError, RecursionError) as exc:
            raise bad_frame(exc, payload) from None

    def _first(self, payload: bytes) -> Events:
        head = _decode_head(payload)
        if not head.stream:
            return self._bare(head, payload)
        if head.stream == "!serverShutdown":
            return (self._closing(),)
        try:
            read = self._streams.get(head.stream) or reader(self.conn, head.stream)
        except BadFrame as exc:
            raise BadFrame(exc.reason, payload) from None
        if len(self._streams) >= TOPICS_MAX and head.stream not in self._streams:
            raise BadFrame("topic", payload)
        events = read(payload)
        self._streams[head.stream] = read
        start = b'{"stream":"' + head.stream.encode()
        if payload.startswith(start + b'"'):
            self._starts[start] = read
        return events

    def _bare(self, head: _Head, payload: bytes) -> Events:
        if head.e == "serverShutdown":
            return (self._closing(),)
        if head.s and (head.e or head.u >= 0):
            # A recording of raw mode: the event names its symbol, so its stream can be named.
            kind = _BARE.get(head.e or "bookTicker", "")
            if not kind or not head.s.isascii():
                raise BadFrame("topic", payload)
            stream = msgspec.json.encode(f"{head.s.lower()}@{kind}")
            return self.decode(b'{"stream":' + stream + b',"data":' + payload + b"}")
        return (self._answer(head, payload),)

    def _closing(self) -> MarketEvent:
        return Notice(self.conn, "Binance will close this connection soon (serverShutdown)", True)

    def _answer(self, head: _Head, payload: bytes) -> MarketEvent:
        req_id = "" if head.id is None else str(head.id)[:TEXT_MAX]
        refusal = head.error
        if refusal is None and head.code is not None:
            refusal = _Refusal(head.code, head.msg)
        if refusal is not None:
            return Ack(self.conn, req_id, False, plain(f"{refusal.msg} (code {refusal.code})"))
        if not bytes(head.result):
            raise BadFrame("topic", payload)
        return Ack(self.conn, req_id, True, "")  # it was read; not: the stream exists
