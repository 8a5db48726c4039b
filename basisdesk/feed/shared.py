"""What all connections of a desk use together, and what feeds may ask the market."""

import random
import ssl
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from basisdesk.clock import Clock
from basisdesk.errors import SettingsError
from basisdesk.events import LINK, Frame, LinkChange
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.names import Names
from basisdesk.feed.pace import HostGate, Pace

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class StreamView(Protocol):
    """What a link needs to know of a stream's health; the market judges it."""

    @property
    def state(self) -> str:
        """One of "connecting", "acked", "live", "stale", "resync", "down"."""
        ...

    @property
    def asked_ns(self) -> int:
        """Our stamp of the last "asked" that the market has taken for it."""
        ...

    @property
    def heard_ns(self) -> int:
        """Our stamp of the last data."""
        ...


class LinkView(Protocol):
    """What a link needs to know of what its venue said about the connection."""

    @property
    def closing(self) -> bool:
        """The venue said that it will close the connection."""
        ...


class MarketView(Protocol):
    """The market as far as feeds look at it."""

    @property
    def streams(self) -> Mapping[str, StreamView]:
        """Streams by id, "bybit.spot/orderbook.1.ADAUSDT"."""
        ...

    @property
    def links(self) -> Mapping[str, LinkView]:
        """Connections by name, "bybit.spot"."""
        ...


class Shared(msgspec.Struct, frozen=True):
    """What all links of a desk use together."""

    inbox: Inbox
    clock: Clock
    market: MarketView
    pace: Pace
    rng: random.Random
    gate: HostGate
    names: Names
    tls: ssl.SSLContext
    proxy: str = ""  # "http://HOST:PORT" that venues are reached through

    def say(self, change: LinkChange) -> int:
        """Put a link change into the inbox, stamped now; returns the stamp."""
        now_ns = self.clock.now_ns()
        self.inbox.put(Frame(LINK, msgspec.json.encode(change), now_ns))
        return now_ns


class LinkFacts(msgspec.Struct, frozen=True):
    """One connection as the feeds panel counts it. For "VENUE.rest": calls and answers.

    state: "idle", "connecting", "up", "down"; renewing: a second socket is being prepared.
    connects: tried since the start; renewals: sockets that took over without a pause.
    up_s: seconds since it came up, 0 when it is not. next_try_s: seconds to the next try, 0 where
        none is due. reason: why it last went down, or what it waits for.
    asks_hour, asks_limit: subscribe and unsubscribe requests of the last hour on this socket, and
        how many the venue allows (0: any number).
    messages, bytes: received since the start; bytes as on the wire (before decompression).
    sending: messages that wait for their turn to be sent.
    """

    conn: str
    host: str
    state: str
    connects: int = 0
    renewals: int = 0
    renewing: bool = False
    up_s: float = 0.0
    next_try_s: float = 0.0
    reason: str = ""
    asks_hour: int = 0
    asks_limit: int = 0
    messages: int = 0
    bytes: int = 0
    sending: int = 0


def check_url(conn: str, url: str, secure: str, plain: str) -> None:
    """Raise SettingsError unless the address is encrypted, or plain to this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if host and (parts.scheme == secure or (parts.scheme == plain and host in LOOPBACK)):
        return
    raise SettingsError(
        f"Feed {conn}: address {url!r} cannot be used. Give {secure}://HOST/PATH "
        f"({plain}:// only for 127.0.0.1)."
    )
