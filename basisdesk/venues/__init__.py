"""Bytes to events, one file per exchange; also what to send to subscribe and to stay alive.

`Venue` is the contract of those files. Nothing here opens a socket or asks the time.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from basisdesk.events import (
    Ack,
    BookUpdate,
    Candles,
    FundingHistory,
    Heard,
    Pong,
    Quote,
    Ticker,
    Trade,
    VenueTime,
)
from basisdesk.venues.instrument import Instruments, Tiers

MarketEvent = (
    Quote
    | BookUpdate
    | Trade
    | Ticker
    | Heard
    | Ack
    | Pong
    | VenueTime
    | Candles
    | FundingHistory
    | Instruments
    | Tiers
)


class Codec(Protocol):
    """Decoder of one connection. Holds only what the dialect needs to merge deltas.

    A new connection gets a new codec: nothing merged outlives the socket it came from.
    """

    def decode(self, payload: bytes) -> Sequence[MarketEvent]:
        """Events of one message. Raises BadFrame, and then nothing of the message was kept."""
        ...


class Venue(Protocol):
    """One exchange's dialect. Stateless; codecs hold the state."""

    name: str
    endpoints: Mapping[str, str]  # connection name -> default URL, e.g. "bybit.spot" -> "wss://..."
    rest_url: str
    ping_every_s: float
    quiet_s: Mapping[str, float]  # topic kind -> seconds of silence after which it is stale

    def codec(self, conn: str) -> Codec:
        """A fresh decoder for one connection (also for "bybit.rest")."""
        ...

    def topics(self, instrument: str) -> tuple[str, tuple[str, ...]]:
        """(connection, topics) that give this leg its top of book, depth, trades and ticker."""
        ...

    def subscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that asks for these topics."""
        ...

    def unsubscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        """The message that drops these topics."""
        ...

    def ping(self, req_id: str) -> bytes:
        """The application heartbeat."""
        ...

    def backfill(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        """REST paths (with query) for rules, tiers, the last 24 h of candles and past funding."""
        ...

    def time_path(self) -> str:
        """REST path of the server's clock."""
        ...


def known_venues() -> dict[str, Venue]:
    """Every venue the desk speaks, by name."""
    from basisdesk.venues.bybit import Bybit

    return {"bybit": Bybit()}
