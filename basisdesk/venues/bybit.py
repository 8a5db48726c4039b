"""Bybit V5, public data: addresses, what to send, and the codecs of the two main sockets.

The messages themselves are read in bybit_topics.py, those of the spread socket in bybit_spread.py,
REST answers in bybit_rest.py.
"""

from collections.abc import Mapping, Sequence

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, Pong
from basisdesk.venues import Codec, Limits, MarketEvent, TopicRule
from basisdesk.venues import bybit_scan as scan
from basisdesk.venues.bybit_rest import read_page
from basisdesk.venues.bybit_spread import RULE as COMBO_RULE
from basisdesk.venues.bybit_spread import SpreadCodec, combo_topic
from basisdesk.venues.bybit_topics import Head, decode_head, depth_of, reader
from basisdesk.venues.instrument import split_key
from basisdesk.venues.reading import PAYLOAD_MAX, TEXT_MAX, Events, Read, bad_frame, plain
from basisdesk.venues.rest_reading import RestCodec, half_days

SPOT, LINEAR, SPREAD = "bybit.spot", "bybit.linear", "bybit.spread"
REST, SCAN = "bybit.rest", "bybit.scan"
TOPICS_MAX = 1_000  # topics remembered a connection


class Bybit:
    """The exchange as the desk sees it: addresses, messages to send, and a codec a connection."""

    name = "bybit"
    title = "Bybit"
    endpoints: Mapping[str, str] = {
        SPOT: "wss://stream.bybit.com/v5/public/spot",
        LINEAR: "wss://stream.bybit.com/v5/public/linear",
        SPREAD: "wss://stream.bybit.com/v5/public/spread",
    }
    rest_urls: Mapping[str, str] = {"/v5/": "https://api.bybit.com"}
    # 500 connects in 5 min a domain (rate-limit page, 2026-07); the desk stays far below.
    limits = Limits(ping_every_s=20.0)

    def codec(self, conn: str) -> Codec:
        """A fresh decoder of a socket, of "bybit.rest" or "bybit.scan"; else ValueError."""
        if conn == REST:
            return RestCodec(read_page)
        if conn == SCAN:
            return RestCodec(scan.read_scan)
        if conn == SPREAD:
            return SpreadCodec(conn)
        if conn in (SPOT, LINEAR):
            return BybitCodec(conn)
        raise ValueError(f"{conn!r} is not a connection of Bybit")

    def rule(self, conn: str, topic: str) -> TopicRule:
        """What a topic carries. orderbook.1 repeats every 3 s; trades may be silent for hours."""
        if conn == SPREAD:
            return COMBO_RULE
        kind = topic.rpartition(".")[0]
        if levels := depth_of(kind):
            if levels == 1:
                return TopicRule("top", 1, 6.0)
            return TopicRule("book", levels, 6.0, stateful=True)
        if kind == "tickers":
            return TopicRule("ticker", quiet_s=10.0, stateful=conn == LINEAR)
        return TopicRule("trades", awaited=False) if kind == "publicTrade" else TopicRule()

    def topics(self, instrument: str) -> Mapping[str, tuple[str, ...]]:
        """Topics by connection that give this leg its top of book, depth, trades and ticker."""
        _, market, symbol = split_key(instrument)
        kinds = ("orderbook.1", "orderbook.50", "publicTrade", "tickers")
        conn = SPOT if market == "spot" else LINEAR
        return {conn: tuple(f"{kind}.{symbol}" for kind in kinds)}

    def combo_topic(self, spot_key: str, perp_key: str) -> tuple[str, str] | None:
        """(connection, topic) of the venue's own combination of two legs; None where it has none.

        The venue lists fewer than could be; a topic of one it does not list is answered with no.
        """
        topic = combo_topic(spot_key, perp_key)
        return None if topic is None else (SPREAD, topic)

    def batches(self, topics: Sequence[str]) -> list[tuple[str, ...]]:
        """One request a symbol: a bad topic fails its whole request (spot takes 10 topics)."""
        by_symbol: dict[str, list[str]] = {}
        for topic in topics:
            by_symbol.setdefault(topic.rpartition(".")[2], []).append(topic)
        return [tuple(each) for each in by_symbol.values()]

    def subscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that asks for these topics. One bad topic fails all of them."""
        return msgspec.json.encode({"req_id": req_id, "op": "subscribe", "args": list(topics)})

    def unsubscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that drops these topics."""
        return msgspec.json.encode({"req_id": req_id, "op": "unsubscribe", "args": list(topics)})

    def ping(self, conn: str, req_id: str) -> bytes:  # noqa: ARG002
        """The application heartbeat, due every `limits.ping_every_s`."""
        return msgspec.json.encode({"req_id": req_id, "op": "ping"})

    def seed_path(self, conn: str, topic: str) -> str:  # noqa: ARG002
        """None: every subscription brings its snapshot."""
        return ""

    def refresh(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """The last settled funding rates of a perpetual."""
        return tuple(path for path in self.backfill(instrument, now_ms) if "funding" in path)

    def catalogue(self) -> tuple[str, ...]:
        """Every spot market and linear contract."""
        page = "/v5/market/instruments-info?category="
        return (f"{page}spot", f"{page}linear&limit=1000")

    def backfill(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """REST paths for the rules and the last 24 h of 1-minute candles, in two pages.

        For a perpetual also its risk tiers and the last 200 settled funding rates.
        """
        _, market, symbol = split_key(instrument)
        which = f"category={'spot' if market == 'spot' else 'linear'}&symbol={symbol}"
        candles = tuple(
            f"/v5/market/kline?{which}&interval=1&start={first}&end={last}&limit=1000"
            for first, last in half_days(now_ms)
        )
        rules = f"/v5/market/instruments-info?{which}"
        if market == "spot":
            return (rules, *candles)
        return (
            rules,
            f"/v5/market/risk-limit?{which}",
            *candles,
            f"/v5/market/funding/history?{which}&limit=200",
        )

    def time_path(self) -> str:
        """REST path of the server's clock."""
        return "/v5/market/time"

    def scan_pages(self) -> tuple[str, ...]:
        """Tickers of every spot market and of every linear contract."""
        return scan.PAGES

    def scan_every_s(self, path: str) -> float:  # noqa: ARG002
        """0: both pages live."""
        return 0.0

    def scan_book(self, instrument: str) -> str:
        """REST path of 50 levels a side."""
        return scan.book_path(instrument)

    def scan_leg(self, instrument: str) -> tuple[str, ...]:  # noqa: ARG002
        """None: the pages tell all."""
        return ()

    def scan_past(self, instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
        """REST paths of the last 1,000 minutes and of `days` of settled funding."""
        return scan.past_paths(instrument, now_ms, days)


class BybitCodec:
    """Decoder of the spot or the linear socket. A topic's first message chooses how it is read.

    It keeps what the dialect needs: the merged ticker of a symbol, and the last update id of an
    `orderbook.1`, to tell a repeat from a change.
    """

    def __init__(self, conn: str) -> None:
        self.conn = conn
        self._market = "spot" if conn == SPOT else "perp"
        self._topics: dict[str, Read] = {}
        self._starts: dict[bytes, Read] = {}  # by '{"topic":"orderbook.1.X'

    def decode(self, payload: bytes) -> Events:
        """Events of one message. Raises BadFrame, and then nothing of the message was kept."""
        if len(payload) > PAYLOAD_MAX:
            raise BadFrame("size", payload)
        try:
            read = self._starts.get(payload[: payload.find(b'"', 10)])
            return read(payload) if read is not None else self._first(payload)
        except (ValueError, RecursionError) as exc:
            raise bad_frame(exc, payload) from None

    def _first(self, payload: bytes) -> Events:
        head = decode_head(payload)
        if not head.topic:
            return (self._control(head, payload),)
        read = self._topics.get(head.topic) or self._reader(head.topic, payload)
        events = read(payload)
        self._topics[head.topic] = read
        start = b'{"topic":"' + head.topic.encode()
        if payload.startswith(start + b'"'):
            self._starts[start] = read
        return events

    def _reader(self, topic: str, payload: bytes) -> Read:
        if len(self._topics) >= TOPICS_MAX:
            raise BadFrame("topic", payload)
        return reader(self.conn, self._market, topic, payload)

    def _control(self, head: Head, payload: bytes) -> MarketEvent:
        if head.op == "pong" or (head.op == "ping" and head.ret_msg == "pong"):
            return Pong(self.conn)
        if head.success is None or (head.success and head.op not in ("subscribe", "unsubscribe")):
            raise BadFrame("topic", payload)
        # "already subscribed" leaves the first subscription flowing, so it is as good as a yes.
        ok = head.success or "already subscribed" in head.ret_msg
        return Ack(self.conn, head.req_id[:TEXT_MAX], ok, plain(head.ret_msg))
