"""OKX V5, public data: addresses, what to send, and the codec of its one socket.

Spot and swaps share the socket: an instrument's id says which it is. The messages themselves are
read in okx_channels.py, REST answers in okx_rest.py, contract sizes stand in okx_contracts.py.
Venue facts: official pages of 2026-07 (see the dates beside the rules).
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, Notice, Pong
from basisdesk.venues import Codec, Limits, MarketEvent, TopicRule
from basisdesk.venues import okx_scan as scan
from basisdesk.venues.instrument import split_key
from basisdesk.venues.okx_channels import NAMES, SWAP, reader
from basisdesk.venues.okx_contracts import known_contracts
from basisdesk.venues.okx_rest import SYMBOL, Pages, backfill_paths
from basisdesk.venues.reading import PAYLOAD_MAX, TEXT_MAX, Events, Read, bad_frame, plain
from basisdesk.venues.rest_reading import RestCodec

PUBLIC, REST, SCAN = "okx.public", "okx.rest", "okx.scan"
TOPICS_MAX = 2_000  # topics remembered a connection
ARGS_MAX = 50  # of one request; its text stays far below the venue's 64 KB
CLOSING = "64008"  # notice: the connection is closed in 60 s for an upgrade

_NAMED = re.compile(r"channel:([a-z0-9-]{1,40}),\s*instId:([A-Za-z0-9-]{1,60})")

_SPOT_CHANNELS = ("bbo-tbt", "books", "trades")
_SWAP_CHANNELS = (*_SPOT_CHANNELS, "mark-price", "index-tickers", "funding-rate", "open-interest")

_RULES = {
    # The best bid and ask come on change only, so a quiet market promises nothing.
    "bbo-tbt": TopicRule("top", 1),
    "books": TopicRule("book", 400, 75.0, stateful=True),  # a keep-alive every 60 s
    "trades": TopicRule("trades", awaited=False),
    "mark-price": TopicRule("ticker", quiet_s=20.0),  # every 10 s at the latest
    "index-tickers": TopicRule("ticker", quiet_s=75.0),  # every minute at the latest
    "funding-rate": TopicRule("ticker", quiet_s=120.0, awaited=False),  # every 30 to 90 s
    "open-interest": TopicRule("ticker", quiet_s=15.0),  # every 3 s
    "tickers": TopicRule("other"),  # its bid and ask hold quotes others cannot take: not read
}


class Okx:
    """The exchange as the desk sees it: addresses, messages to send, and a codec a connection.

    contracts: coins in one contract by instrument id. The one thing codecs of an `Okx` share: the
        HTTP codec writes it, the socket's and the scanner's read it. It starts from a dated
        built-in table, so two runs over the same frames in the same order agree as long as each
        has an `Okx` of its own, and no one but the run itself decodes HTTP answers with it.
    """

    name = "okx"
    title = "OKX"
    endpoints: Mapping[str, str] = {PUBLIC: "wss://ws.okx.com:8443/ws/v5/public"}
    rest_urls: Mapping[str, str] = {"/api/v5/": "https://www.okx.com"}
    # 3 connects/s an address, 480 requests an hour a connection, closed after 30 s of silence; the
    # slowest HTTP pages we ask for take 10 requests in 2 s (pages of 2026-07).
    limits = Limits(connect_gap_s=1.0, asks_h=480, ping_every_s=20.0, rest_gap_s=0.2)

    def __init__(self) -> None:
        self.contracts: dict[str, Decimal] = known_contracts()

    def codec(self, conn: str) -> Codec:
        """A fresh decoder of "okx.public", "okx.rest" or "okx.scan"; else ValueError."""
        if conn == REST:
            return RestCodec(Pages(self.contracts).read)
        if conn == SCAN:
            return RestCodec(scan.Pages(self.contracts).read)
        if conn == PUBLIC:
            return OkxCodec(conn, self.contracts)
        raise ValueError(f"{conn!r} is not a connection of OKX")

    def rule(self, conn: str, topic: str) -> TopicRule:  # noqa: ARG002
        """What a topic carries, by its channel."""
        return _RULES.get(topic.partition(":")[0], TopicRule())

    def topics(self, instrument: str) -> Mapping[str, tuple[str, ...]]:
        """Topics by connection that give this leg its top of book, depth, trades and ticker.

        The index of a swap is listed under its coins, "ADA-USDT", not under the swap's own id.
        """
        _, market, symbol = split_key(instrument)
        if market == "spot":
            return {PUBLIC: tuple(f"{channel}:{symbol}" for channel in _SPOT_CHANNELS)}
        index = symbol.removesuffix(SWAP)
        return {
            PUBLIC: tuple(
                f"{channel}:{index if channel == 'index-tickers' else symbol}"
                for channel in _SWAP_CHANNELS
            )
        }

    def batches(self, topics: Sequence[str]) -> list[tuple[str, ...]]:
        """Fifty a request: each is answered by itself, and requests are what is counted."""
        return [tuple(topics[i : i + ARGS_MAX]) for i in range(0, len(topics), ARGS_MAX)]

    def subscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that asks for these topics; the venue answers each one."""
        return _request("subscribe", topics, req_id)

    def unsubscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that drops these topics."""
        return _request("unsubscribe", topics, req_id)

    def ping(self, conn: str, req_id: str) -> bytes:  # noqa: ARG002
        """The application heartbeat: bare text, no JSON, no number."""
        return b"ping"

    def seed_path(self, conn: str, topic: str) -> str:  # noqa: ARG002
        """The book over HTTP. The socket sends a snapshot of its own, as long as it still does.

        A change planned in 2026-02 would end those; nobody saw it come. A `books` topic that opens
        with an update is seeded from here: the answer carries the same `seqId`.
        """
        channel, _, symbol = topic.partition(":")
        return f"/api/v5/market/books?instId={symbol}&sz=400" if channel == "books" else ""

    def refresh(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """The last settled funding rates of a perpetual, its interval and its open interest."""
        wanted = ("funding", "open-interest")
        paths = self.backfill(instrument, now_ms)
        return tuple(path for path in paths if any(word in path for word in wanted))

    def catalogue(self) -> tuple[str, ...]:
        """Every spot market and every swap."""
        page = "/api/v5/public/instruments?instType="
        return (f"{page}SPOT", f"{page}SWAP")

    def backfill(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """REST paths for the rules and the last 24 h of 1-minute candles, in five pages.

        For a perpetual also its risk tiers, funding, mark and open interest. The rules come first:
        the others need the contract's size.
        """
        _, market, symbol = split_key(instrument)
        return backfill_paths(market == "spot", symbol, now_ms)

    def time_path(self) -> str:
        """REST path of the server's clock."""
        return "/api/v5/public/time"

    def scan_pages(self) -> tuple[str, ...]:
        """Contract sizes first, then tickers, marks, funding, open interest and indices of all."""
        return scan.PAGES

    def scan_every_s(self, path: str) -> float:
        """Seconds before a page is worth another reading."""
        return scan.EVERY_S.get(path, 0.0)

    def scan_book(self, instrument: str) -> str:
        """REST path of 50 levels a side."""
        return scan.book_path(instrument)

    def scan_leg(self, instrument: str) -> tuple[str, ...]:  # noqa: ARG002
        """None: the pages tell all."""
        return ()

    def scan_past(self, instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
        """REST paths of the last 300 minutes and of `days` of settled funding (3 months kept)."""
        return scan.past_paths(instrument, now_ms, days)


def _request(op: str, topics: Sequence[str], req_id: str) -> bytes:
    args = [dict(zip(("channel", "instId"), topic.split(":", 1), strict=True)) for topic in topics]
    return msgspec.json.encode({"id": req_id, "op": op, "args": args})


class _Arg(msgspec.Struct, frozen=True, gc=False):
    channel: str = ""
    instId: str = ""


class _Head(msgspec.Struct, gc=False):  # what tells one message from another
    arg: _Arg = _Arg()
    event: str = ""
    id: str = ""
    code: str = ""
    msg: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode


class OkxCodec:
    """Decoder of the public socket. A topic's first message chooses how it is read."""

    def __init__(self, conn: str, contracts: Mapping[str, Decimal]) -> None:
        self.conn = conn
        self._contracts = contracts
        self._topics: dict[str, Read] = {}
        self._starts: dict[bytes, Read] = {}  # by '{"arg":{...' up to its end

    def decode(self, payload: bytes) -> Events:
        """Events of one message. Raises BadFrame, and then nothing of the message was kept."""
        if len(payload) > PAYLOAD_MAX:
            raise BadFrame("size", payload)
        try:
            read = self._starts.get(payload[: payload.find(b"}")])
            return read(payload) if read is not None else self._first(payload)
        except (ValueError, RecursionError) as exc:
            raise bad_frame(exc, payload) from None

    def _first(self, payload: bytes) -> Events:
        if payload == b"pong":
            return (Pong(self.conn),)
        head = _decode_head(payload)
        if head.event:
            return (self._control(head, payload),)
        channel, symbol = head.arg.channel, head.arg.instId
        topic = f"{channel}:{symbol}"
        read = self._topics.get(topic) or self._reader(channel, symbol, payload)
        events = read(payload)
        self._topics[topic] = read
        start = f'{{"arg":{{"channel":"{channel}","instId":"{symbol}"'.encode()
        if payload.startswith(start + b"}"):
            self._starts[start] = read
        return events

    def _reader(self, channel: str, symbol: str, payload: bytes) -> Read:
        if channel not in NAMES or len(self._topics) >= TOPICS_MAX:
            raise BadFrame("topic", payload)
        if not SYMBOL.fullmatch(symbol):
            raise BadFrame("symbol", payload)
        return reader(channel, symbol, self.conn, self._contracts)

    def _control(self, head: _Head, payload: bytes) -> MarketEvent:
        event, req_id = head.event, head.id[:TEXT_MAX]
        if event in ("subscribe", "unsubscribe"):
            topic = plain(f"{head.arg.channel}:{head.arg.instId}")
            return Ack(self.conn, req_id, ok=True, text="", topics=(topic,))
        said = plain(f"{head.code} {head.msg}".strip())
        if event == "notice":
            return Notice(self.conn, said, closing=head.code == CLOSING)
        if event == "error":
            named = _NAMED.search(head.msg[: 2 * TEXT_MAX])
            topics = (f"{named[1]}:{named[2]}",) if named else ()
            return Ack(self.conn, req_id, ok=False, text=said, topics=topics)
        raise BadFrame("topic", payload)
