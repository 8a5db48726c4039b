"""Bytes to events, one file per exchange; also what to send to subscribe and to stay alive.

`Venue` is the contract of those files. Nothing here opens a socket or asks the time.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from basisdesk.events import (
    Ack,
    BookLost,
    BookUpdate,
    Candles,
    ComboQuote,
    FundingHistory,
    FundingInfo,
    Heard,
    Notice,
    Pong,
    Quote,
    ScanBook,
    ScanPage,
    ScanPast,
    Ticker,
    Trade,
    VenueTime,
)
from basisdesk.venues.instrument import Instruments, Tiers

MarketEvent = (
    Quote
    | BookUpdate
    | BookLost
    | Trade
    | Ticker
    | ComboQuote
    | Heard
    | Ack
    | Pong
    | Notice
    | VenueTime
    | Candles
    | FundingHistory
    | FundingInfo
    | ScanPage
    | ScanBook
    | ScanPast
    | Instruments
    | Tiers
)


class TopicRule(msgspec.Struct, frozen=True):
    """What one topic carries, and what its silence means.

    what: "top" (best bid and ask), "book" (depth), "trades", "ticker" (any of mark, index, funding,
        open interest), "combo" or "other".
    depth: levels a side the channel keeps; 1 for a top of book, 0 where it is no book.
    quiet_s: the venue promises a message at least this often, so more silence is stale. 0: it
        promises nothing, and the stream is measured by its own habit.
    awaited: data should follow a subscription within seconds; False for trades, which may rest.
    stateful: messages build on each other, so a lost one needs a new subscription.
    seeded: the subscription brings no snapshot; it comes over HTTP, see Venue.seed_path.
    """

    what: Literal["top", "book", "trades", "ticker", "combo", "other"] = "other"
    depth: int = 0
    quiet_s: float = 0.0
    awaited: bool = True
    stateful: bool = False
    seeded: bool = False


class Limits(msgspec.Struct, frozen=True):
    """What a venue allows one client, from its own pages. Times in seconds; 0: no such limit.

    connects in connect_window_s, at least connect_gap_s apart. send_gap_s: between two messages to
    one connection. asks_h: subscribe and unsubscribe requests an hour on one connection.
    life_s: the venue cuts a connection at this age, so it is renewed before.
    ping_every_s: how often our heartbeat is due; 0: only to probe a silent connection.
    rest_gap_s: between two HTTP requests. floor_s: the shortest wait before any reconnect.
    """

    connects: int = 60
    connect_window_s: float = 300.0
    connect_gap_s: float = 1.0
    send_gap_s: float = 0.0
    asks_h: int = 0
    life_s: float = 0.0
    ping_every_s: float = 20.0
    rest_gap_s: float = 0.05
    floor_s: float = 0.0


class Codec(Protocol):
    """Decoder of one connection. Holds only what the dialect needs to merge deltas.

    A new connection gets a new codec: nothing merged outlives the socket it came from.
    """

    def decode(self, payload: bytes) -> Sequence[MarketEvent]:
        """Events of one message. Raises BadFrame, and then nothing of the message was kept."""
        ...


class Venue(Protocol):
    """One exchange's dialect. Stateless; codecs hold the state."""

    name: str  # "bybit"
    title: str  # "Bybit"
    endpoints: Mapping[str, str]  # connection name -> default URL, e.g. "bybit.spot" -> "wss://..."
    rest_urls: Mapping[str, str]  # start of a path -> host, e.g. "/fapi" -> "https://fapi..."
    limits: Limits

    def codec(self, conn: str) -> Codec:
        """A fresh decoder of one connection, also "bybit.rest", "bybit.scan"; else ValueError."""
        ...

    def rule(self, conn: str, topic: str) -> TopicRule:
        """What a topic carries; TopicRule() for one the venue does not have."""
        ...

    def topics(self, instrument: str) -> Mapping[str, tuple[str, ...]]:
        """Topics by connection that give this leg its top of book, depth, trades and ticker."""
        ...

    def batches(self, topics: Sequence[str]) -> list[tuple[str, ...]]:
        """These topics in requests of the size and mix that the venue takes."""
        ...

    def subscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that asks for one batch. req_id: decimal digits, unique on the connection."""
        ...

    def unsubscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that drops one batch."""
        ...

    def ping(self, conn: str, req_id: str) -> bytes | None:
        """The application heartbeat; None where the WebSocket's own ping frame is meant."""
        ...

    def seed_path(self, conn: str, topic: str) -> str:
        """REST path of a book's snapshot; "" where the venue has none for this topic."""
        ...

    def backfill(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """REST paths (with query) for rules, tiers, the last 24 h of candles and past funding."""
        ...

    def refresh(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """REST paths that follow a funding settlement: past funding, intervals, open interest."""
        ...

    def catalogue(self) -> tuple[str, ...]:
        """REST paths that list every instrument of the venue."""
        ...

    def time_path(self) -> str:
        """REST path of the server's clock."""
        ...

    def scan_pages(self) -> tuple[str, ...]:
        """REST paths that tell of whole markets at once: touch, mark, funding, open interest.

        Answers to these and to the three below come in on "VENUE.scan" as ScanPage, ScanBook and
        ScanPast, and move no leg that is watched. Asked for in this order: some pages hold what
        the codec needs to read those after them, and give no event themselves.
        """
        ...

    def scan_every_s(self, path: str) -> float:
        """Seconds before one of the scan pages is worth another reading; 0: at every round."""
        ...

    def scan_book(self, instrument: str) -> str:
        """REST path of a few dozen levels of one instrument."""
        ...

    def scan_leg(self, instrument: str) -> tuple[str, ...]:
        """REST paths for what no page tells of this leg (open interest, funding rate); or ()."""
        ...

    def scan_past(self, instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
        """REST paths of the last minutes, one page, and of `days` of settled funding."""
        ...


def known_venues() -> dict[str, Venue]:
    """Every venue the desk speaks, by name."""
    from basisdesk.venues.binance import Binance
    from basisdesk.venues.bybit import Bybit
    from basisdesk.venues.kraken import Kraken
    from basisdesk.venues.okx import Okx

    return {"binance": Binance(), "bybit": Bybit(), "kraken": Kraken(), "okx": Okx()}


def rest_host(venue: Venue, path: str) -> str:
    """The host a REST path belongs to: of the longest prefix that fits."""
    fits = [prefix for prefix in venue.rest_urls if path.startswith(prefix)]
    return venue.rest_urls[max(fits, key=len)]
