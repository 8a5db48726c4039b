"""What a simulated instrument tells, before any venue's words; and who puts it into words.

The exchange moves legs on and hands each connection's `Dialect` the news; the dialect makes the
exact messages its venue would send. One dialect a venue, in `dialect_VENUE.py`, pure: it asks no
time and opens no socket.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

Levels = Mapping[int, int]  # price in ticks -> size in lots; 0 lots: the level is gone


class Spec(NamedTuple):
    """One instrument of one venue. Prices are whole ticks, sizes whole lots.

    symbol: as the venue writes it, "ADA-USDT-SWAP"; base, quote: plain coins, "ADA", "USDT".
    unit: coins in one unit of the venue's size (1000PEPE: 1000; OKX contract: its value), so a
        price is per coin times `price_unit`, and a size of 1 is `unit` coins.
    price_unit: coins that a price is quoted for: 1000 for 1000PEPE, 1 for every OKX contract.
    tick, lot: decimal text in the venue's units; *_decimals: digits after the point of each.
    interval_h: funding interval of a perpetual, 0 for spot. sector: of the coin, "L1".
    """

    venue: str
    market: Literal["spot", "perp"]
    symbol: str
    base: str
    quote: str
    unit: float
    price_unit: float
    tick: str
    lot: str
    tick_decimals: int
    lot_decimals: int
    min_lots: int
    min_notional: str
    max_lots: int
    leverage_max: str
    interval_h: int
    funding_cap: float
    sector: str
    # risk tiers as (limit notional quote, maintenance, initial, leverage_max, deduction), texts
    tiers: tuple[tuple[str, str, str, str, str], ...] = ()

    @property
    def key(self) -> str:
        """The leg's name in the desk: "okx:perp:ADA-USDT-SWAP"."""
        return f"{self.venue}:{self.market}:{self.symbol}"


class Print(NamedTuple):
    """One printed trade: time, aggressor, price in ticks, size in lots, running trade number."""

    t_ms: int
    buy: bool
    tick: int
    lots: int
    number: int


class View(NamedTuple):
    """A perpetual's (and its coin's) figures at one moment; prices per `price_unit`, in quote.

    rate: of the running interval as it would settle now. settled_rate: the last settled.
    open_interest: coins. index_price: also for spot.
    """

    t_ms: int
    index_price: float
    mark_price: float
    rate: float
    settled_rate: float
    next_funding_ms: int
    interval_h: int
    open_interest: float


class Day(NamedTuple):
    """The last 24 hours of a leg, prices per `price_unit`; volume in coins, turnover in quote."""

    high: float
    low: float
    first: float
    hour_ago: float
    volume: float
    turnover: float


class Candle(NamedTuple):
    """One minute of a leg: start, open, high, low, close (per price_unit, on the tick), coins."""

    t_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class News(NamedTuple):
    """What happened to a leg since its last pulse.

    touched: the top of book changed. repeat: it did not, but has not been said for 3 s.
    quotes: top-of-book messages to send (above 1 only in load tests; `Leg.flood` varies them).
    bids, asks: changed levels. first, last: the book's update ids this change covers; prev: the
    id before it (first - 1 on a spot book; on a futures book ids also skip). slow: the moment for
    trades' and tickers' slower channels, ten times a second. now_ms: venue clock.
    """

    now_ms: int
    touched: bool
    repeat: bool
    quotes: int
    bids: Levels
    asks: Levels
    first: int
    last: int
    prev: int
    prints: Sequence[Print]
    slow: bool


class Leg(Protocol):
    """One instrument as a dialect looks at it. All of it is of the same moment."""

    spec: Spec
    touch: tuple[int, int, int, int]  # bid tick, bid lots, ask tick, ask lots
    touch_id: int  # update id of the top of book, +1 for each change
    book_id: int  # update id of the depth book
    last: Print | None  # the last trade

    def sides(self) -> tuple[Levels, Levels]:
        """Published bids and asks, best first, 50 levels a side: what `book_id` stands for."""
        ...

    def view(self) -> View:
        """Mark, index and funding now."""
        ...

    def day(self) -> Day:
        """The last 24 hours."""
        ...

    def candles(self, since_ms: int, until_ms: int) -> Sequence[Candle]:
        """Minutes with since <= start < until, oldest first, the running one included."""
        ...

    def settlements(self) -> Sequence[tuple[int, float, float]]:
        """(stamp ms, rate, mark) of past settlements, oldest first, at most 200."""
        ...

    def price_text(self, ticks: int) -> str:
        """A price of whole ticks with the tick's digits, "0.8000"."""
        ...

    def size_text(self, lots: int) -> str:
        """A size of whole lots with the lot's digits, "12.50"."""
        ...

    def flood(self, count: int) -> Sequence[tuple[int, int, int, int]]:
        """`count` invented touches near the present one, for load tests; moves touch_id on."""
        ...


class Topic(NamedTuple):
    """One subscription of one connection. text: as the venue names it. args: the dialect's own."""

    text: str
    kind: str
    symbol: str
    args: str = ""


class Heard(NamedTuple):
    """What a dialect makes of one message of a client.

    replies go out at once; then each of `added` is greeted (snapshot) and flows from then on;
    `dropped` are topic texts. ping: the connection counts as alive.
    """

    replies: Sequence[bytes] = ()
    added: Sequence[Topic] = ()
    dropped: Sequence[str] = ()


class Page(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes


class Floor(Protocol):
    """The exchange as REST pages look at it."""

    def specs(self, venue: str, market: str) -> Sequence[Spec]:
        """Every instrument of a venue's market."""
        ...

    def leg(self, venue: str, market: str, symbol: str) -> Leg | None:
        """One instrument now, or None where the venue has no such."""
        ...

    def now_ms(self, venue: str) -> int:
        """The venue's clock (it may be skewed by a fault)."""
        ...


class Dialect(Protocol):
    """One venue's words. Stateless but for what it is handed in `memory` (a dict a topic).

    A topic's memory is shared by all its clients, lasts as long as one of them, and holds the
    exchange's Floor under "floor" from the start, for topics that speak of two legs.

    sockets: URL path of each WebSocket -> connection name, {"/v5/public/spot": "bybit.spot"};
        a path with a query ("/stream?streams=a/b") is matched by what stands before "?".
    pages: starts of the HTTP paths it answers, ("/v5/",).
    """

    venue: str
    sockets: Mapping[str, str]
    pages: Sequence[str]

    def hello(self, conn: str, path: str, now_ms: int) -> Heard:
        """What a new connection is told unasked; topics given in the URL count as subscribed."""
        ...

    def hear(
        self, conn: str, message: bytes, have: Mapping[str, Topic], floor: Floor, conn_id: str
    ) -> Heard:
        """Answer one client message in the venue's words: acks, errors, pongs."""
        ...

    def idle(self, conn: str, silent_ms: int, now_ms: int) -> Sequence[bytes]:
        """Heartbeats due after so much silence towards a subscribed client; asked each second."""
        ...

    def greet(
        self, conn: str, topic: Topic, leg: Leg, memory: dict[str, object], now_ms: int
    ) -> Sequence[bytes]:
        """The first data of a new subscription, in step with what others have heard."""
        ...

    def say(
        self, conn: str, topic: Topic, leg: Leg, memory: dict[str, object], news: News
    ) -> Sequence[bytes]:
        """Messages of this topic for this news; the same for every client of the topic."""
        ...

    def page(self, path: str, floor: Floor) -> Page:
        """An HTTP answer; path with its query."""
        ...

    def leg_of(self, conn: str, topic: Topic) -> tuple[str, str, str] | None:
        """(venue, market, symbol) the topic speaks of; None where the symbol is unknown."""
        ...
