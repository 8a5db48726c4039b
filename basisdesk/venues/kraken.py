"""Kraken: spot (WebSocket v2) and futures (v1), public data: addresses, and what to send.

Messages are read in kraken_spot.py and kraken_futures.py, REST answers in kraken_rest.py. One coin
has two names here: BTC and DOGE on spot v2, XBT and XDG in spot REST; futures say XBT and DOGE.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from basisdesk.venues import Codec, Limits, TopicRule
from basisdesk.venues import kraken_scan as scan
from basisdesk.venues.instrument import split_key
from basisdesk.venues.kraken_futures import FuturesCodec
from basisdesk.venues.kraken_rest import read_page, rest_pair
from basisdesk.venues.kraken_spot import DEPTH, SpotCodec, wire_id
from basisdesk.venues.rest_reading import RestCodec, half_days

SPOT, FUTURES = "kraken.spot", "kraken.futures"
REST, SCAN = "kraken.rest", "kraken.scan"
CHANNELS = ("book", "ticker", "trade")
FUTURES_LEVELS = 1_000  # a side; the feed keeps every level there is
SYMBOLS_MAX = 100  # in one request; the venue names no limit

_RULES = {
    (SPOT, "book"): TopicRule("book", DEPTH, stateful=True),
    (SPOT, "ticker"): TopicRule("other"),  # a last price; it rests while the best bid and ask do
    (SPOT, "trade"): TopicRule("trades", awaited=False),
    (FUTURES, "book"): TopicRule("book", FUTURES_LEVELS, stateful=True),
    (FUTURES, "ticker"): TopicRule("ticker", quiet_s=10.0),  # once a second
    (FUTURES, "ticker_lite"): TopicRule("other"),
    (FUTURES, "trade"): TopicRule("trades", awaited=False),
}


class Kraken:
    """The exchange as the desk sees it: addresses, messages to send, and a codec a connection."""

    name = "kraken"
    title = "Kraken"
    endpoints: Mapping[str, str] = {
        SPOT: "wss://ws.kraken.com/v2",
        FUTURES: "wss://futures.kraken.com/ws/v1",
    }
    rest_urls: Mapping[str, str] = {
        "/0/public/": "https://api.kraken.com",
        "/derivatives/": "https://futures.kraken.com",
        "/api/charts/": "https://futures.kraken.com",
    }
    # About 150 connects in 10 minutes an address, then a ban; 5 s between tries in maintenance
    # (support 360022326871, 2026-07). Futures close a connection without a ping for 60 s and take
    # 100 requests a second. Public REST is meant for one request a second.
    limits = Limits(
        connects=60,
        connect_window_s=600.0,
        send_gap_s=0.05,
        ping_every_s=20.0,
        rest_gap_s=1.0,
        floor_s=5.0,
    )

    def codec(self, conn: str) -> Codec:
        """A fresh decoder of a socket, of "kraken.rest" or "kraken.scan"; else ValueError."""
        if conn == SPOT:
            return SpotCodec(conn)
        if conn == FUTURES:
            return FuturesCodec(conn)
        if conn == REST:
            return RestCodec(read_page)
        if conn == SCAN:
            return RestCodec(scan.Pages().read)
        raise ValueError(f"{conn!r} is not a connection of Kraken")

    def rule(self, conn: str, topic: str) -> TopicRule:
        """What a topic carries. A quiet book says nothing: only the connection has a heartbeat."""
        return _RULES.get((conn, topic.partition(":")[0]), TopicRule())

    def topics(self, instrument: str) -> Mapping[str, tuple[str, ...]]:
        """Topics by connection that give this leg its book (and so its top), trades and ticker."""
        _, market, symbol = split_key(instrument)
        conn = SPOT if market == "spot" else FUTURES
        return {conn: tuple(f"{channel}:{symbol}" for channel in CHANNELS)}

    def batches(self, topics: Sequence[str]) -> list[tuple[str, ...]]:
        """One request a channel, up to 100 symbols each; spot and futures apart."""
        by_channel: dict[tuple[bool, str], list[str]] = {}
        for topic in topics:
            by_channel.setdefault((_is_spot(topic), topic.partition(":")[0]), []).append(topic)
        return [
            tuple(each[at : at + SYMBOLS_MAX])
            for each in by_channel.values()
            for at in range(0, len(each), SYMBOLS_MAX)
        ]

    def subscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that asks for one batch: topics of one channel of one connection."""
        return _request("subscribe", topics, req_id)

    def unsubscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that drops one batch."""
        return _request("unsubscribe", topics, req_id)

    def ping(self, conn: str, req_id: str) -> bytes | None:
        """JSON on spot. Futures have no JSON ping: None, the WebSocket's own frame is meant."""
        if conn == FUTURES:
            return None
        return msgspec.json.encode({"method": "ping", "req_id": wire_id(req_id)})

    def seed_path(self, conn: str, topic: str) -> str:  # noqa: ARG002
        """None: every subscription brings its snapshot."""
        return ""

    def backfill(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """REST paths for rules and 1-minute candles; of a perpetual also past funding.

        The venue gives 720 candles of a spot pair, so its chart begins 12 hours ago. Rules of a
        perpetual stand only in the list of all, which holds the tiers too.
        """
        _, market, symbol = split_key(instrument)
        if market == "spot":
            pair = rest_pair(symbol)
            return (
                f"/0/public/AssetPairs?pair={pair}",
                f"/0/public/OHLC?pair={pair}&interval=1",
            )
        candles = tuple(
            f"/api/charts/v1/trade/{symbol}/1m?from={first // 1000}&to={last // 1000}"
            for first, last in half_days(now_ms)
        )
        return (
            "/derivatives/api/v3/instruments",
            *candles,
            *self.refresh(instrument, now_ms),
        )

    def refresh(self, instrument: str, now_ms: int) -> tuple[str, ...]:  # noqa: ARG002
        """Past funding of a perpetual; the venue has no way to ask for the newest only."""
        _, market, symbol = split_key(instrument)
        if market == "spot":
            return ()
        return (f"/derivatives/api/v4/historicalfundingrates?symbol={symbol}",)

    def catalogue(self) -> tuple[str, ...]:
        """Every spot pair and every futures contract."""
        return ("/0/public/AssetPairs", "/derivatives/api/v3/instruments")

    def time_path(self) -> str:
        """REST path of the server's clock (whole seconds; futures have none of their own)."""
        return "/0/public/Time"

    def scan_pages(self) -> tuple[str, ...]:
        """Names of the spot pairs first, then tickers of all contracts and of all pairs."""
        return scan.PAGES

    def scan_every_s(self, path: str) -> float:
        """Seconds before a page is worth another reading: names hardly change."""
        return scan.EVERY_S.get(path, 0.0)

    def scan_book(self, instrument: str) -> str:
        """REST path of 100 levels a side of a pair, of all levels of a contract."""
        return scan.book_path(instrument)

    def scan_leg(self, instrument: str) -> tuple[str, ...]:  # noqa: ARG002
        """None: the pages tell all."""
        return ()

    def scan_past(self, instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
        """REST paths of the last minutes and, of a contract, of all the funding there is."""
        return scan.past_paths(instrument, now_ms, days)


def _is_spot(topic: str) -> bool:
    return "/" in topic


def _request(what: str, topics: Sequence[str], req_id: str) -> bytes:
    channel = topics[0].partition(":")[0]
    symbols = [topic.partition(":")[2] for topic in topics]
    if not _is_spot(topics[0]):
        return msgspec.json.encode({"event": what, "feed": channel, "product_ids": symbols})
    params: dict[str, Any] = {"channel": channel, "symbol": symbols}
    if channel == "book":
        params["depth"] = DEPTH
    if channel == "ticker":
        # The default, "trades", moves bid and ask only when something trades.
        params["event_trigger"] = "bbo"
    if what == "subscribe":
        params["snapshot"] = channel != "trade"
    return msgspec.json.encode(
        {"method": what, "params": params, "req_id": wire_id(req_id, channel)}
    )
