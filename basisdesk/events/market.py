"""Market events: what a venue said. Prices and sizes are float64, sizes in base coin."""

import math

import msgspec


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask of one instrument, from an order book channel, never from a ticker."""

    instrument: str
    stream: str  # "bybit.spot/orderbook.1.BTCUSDT"
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    venue_ms: int
    seq: int


class BookUpdate(msgspec.Struct, frozen=True, gc=False):
    """A snapshot or a delta of a depth book. Sizes are absolute; size 0.0 deletes the level.

    stream: "" for a snapshot that came over HTTP: the instrument's own depth stream takes it.
    seq: the book's update id after this message. prev: the id it builds on (deltas), whatever the
    venue calls it: Bybit u - 1, Binance spot U - 1, USD-M pu, OKX prevSeqId, Kraken Futures
    seq - 1. A delta applies where prev is the book's id; right after a snapshot also where
    prev < id < seq; seq <= id was applied before; anything else is a gap.
    """

    instrument: str
    stream: str
    snapshot: bool
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
    seq: int
    venue_ms: int
    prev: int = -1


class BookLost(msgspec.Struct, frozen=True, gc=False):
    """The codec cannot vouch for a book any more (a checksum that does not match)."""

    instrument: str
    stream: str
    reason: str


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One public trade. `taker_buy`: the aggressor bought."""

    instrument: str
    stream: str
    price: float
    size: float
    taker_buy: bool
    venue_ms: int


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """What a venue said of a perpetual: mark, index, funding. NaN or 0: not said here, keep.

    rate: fraction per interval, floating until settlement; positive: longs pay shorts.
    open_interest: base coin. interval_h, next_ms, cap: as the venue last said; 0 when unknown.
    """

    instrument: str
    stream: str
    mark: float
    index: float
    open_interest: float
    rate: float
    interval_h: float
    next_ms: int
    cap: float
    venue_ms: int


class ComboQuote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask of a venue's own combination of two legs: perp price minus spot price.

    In quote currency per base coin; may be zero or negative. Sizes in base coin. NaN: no such side.
    """

    spot: str
    perp: str
    stream: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    venue_ms: int


class FundingInfo(msgspec.Struct, frozen=True, gc=False):
    """Funding intervals and caps from HTTP: rows of (leg key, hours, cap; 0 where not said).

    default_h: hours of every perpetual of the venue that is not listed; 0: says nothing of them.
    """

    venue: str
    rows: tuple[tuple[str, float, float], ...]
    default_h: float = 0.0


class Notice(msgspec.Struct, frozen=True, gc=False):
    """The venue said something about a connection. `closing`: it will be closed soon; renew it."""

    conn: str
    text: str
    closing: bool = False


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A valid message that moved nothing we keep (a spot ticker, an unchanged delta)."""

    stream: str
    venue_ms: int


class Ack(msgspec.Struct, frozen=True, gc=False):
    """The venue's answer to a subscribe or unsubscribe.

    topics: those it answers, where the venue names them; else all that were asked under req_id.
    """

    conn: str
    req_id: str
    ok: bool
    text: str
    topics: tuple[str, ...] = ()


class Pong(msgspec.Struct, frozen=True, gc=False):
    """The venue's answer to our application ping, or a heartbeat of its own."""

    conn: str


class VenueTime(msgspec.Struct, frozen=True, gc=False):
    """Server time from REST, with our stamps around the call."""

    venue: str
    venue_ms: int


class Candles(msgspec.Struct, frozen=True, gc=False):
    """One-minute candles for backfill, oldest first: rows of (open time ms, close price)."""

    instrument: str
    rows: list[tuple[int, float]]


class FundingHistory(msgspec.Struct, frozen=True, gc=False):
    """Settled funding, oldest first: rows of (settlement ms, rate as the venue's text)."""

    instrument: str
    rows: list[tuple[int, str]]


class ScanRow(msgspec.Struct, frozen=True, gc=False):
    """What a page about a whole market said of one instrument. NaN or 0: not said there, keep.

    Prices are for one coin, sizes and open_interest in base coin, turnover_day in quote currency.
    rate: fraction per interval, floating until settlement; interval_h, next_ms, cap as in Ticker.
    """

    instrument: str
    bid: float = math.nan
    bid_size: float = math.nan
    ask: float = math.nan
    ask_size: float = math.nan
    mark: float = math.nan
    index: float = math.nan
    rate: float = math.nan
    interval_h: float = 0.0
    next_ms: int = 0
    cap: float = 0.0
    open_interest: float = math.nan
    turnover_day: float = math.nan


class ScanPage(msgspec.Struct, frozen=True, gc=False):
    """One page about many instruments of a venue, polled over HTTP. venue_ms: 0 where not said."""

    venue: str
    rows: tuple[ScanRow, ...]
    venue_ms: int = 0


class ScanBook(msgspec.Struct, frozen=True, gc=False):
    """Depth of one instrument, polled over HTTP: best first, (price for one coin, coins)."""

    instrument: str
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    venue_ms: int = 0


class ScanPast(msgspec.Struct, frozen=True, gc=False):
    """Past of one instrument for the history store, oldest first.

    minutes: (open time ms, close price for one coin). settled: (ms, rate of the interval).
    """

    instrument: str
    minutes: tuple[tuple[int, float], ...] = ()
    settled: tuple[tuple[int, float], ...] = ()
