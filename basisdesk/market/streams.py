"""Each stream and connection: is it alive, how late does it come, what failed."""

from collections import deque
from math import inf, nan
from typing import TYPE_CHECKING

from basisdesk.market.book import Book

if TYPE_CHECKING:
    from basisdesk.market.leg import Leg

LAGS_KEPT = 200  # messages a stream
LAG_BUCKET_NS = 300_000_000_000  # two buckets of 5 min: the best lag is 5 to 10 minutes young
LAG_LIMIT_MS = 86_400_000.0  # a stamp a day off is not a time; such a stream has receive ages only


class LinkState:
    """One connection: what it does, why, since when, and the best lag seen on it.

    state: "connecting", "up", "down", or "" before anything was said of it.
    connects: how often it came up. last_error: what the venue said against a request.
    bad, bad_by_reason: frames of it that could not be read. pong_ns: the last answer to our ping.
    """

    __slots__ = (
        "_bucket_ns",
        "_low",
        "_low_before",
        "_lowest",
        "bad",
        "bad_by_reason",
        "conn",
        "connects",
        "last_error",
        "low_ms",
        "pong_ns",
        "reason",
        "since_ns",
        "state",
    )

    def __init__(self, conn: str) -> None:
        self.conn = conn
        self.state = ""
        self.reason = ""
        self.since_ns = 0
        self.connects = 0
        self.last_error = ""
        self.pong_ns = 0
        self.bad = 0
        self.bad_by_reason: dict[str, int] = {}
        self.low_ms = inf  # a lag below this is worth noting; read by the hot path
        self._lowest = inf
        self._low = inf
        self._low_before = inf
        self._bucket_ns = 0

    def note_lag(self, lag_ms: float) -> None:
        """Take a lag (receive minus venue time, ms) below `low_ms`.

        The second lowest counts, so that one stamp from the future cannot age all others.
        """
        if not -LAG_LIMIT_MS < lag_ms < LAG_LIMIT_MS:
            return
        if lag_ms < self._lowest:
            self._low, self._lowest = self._lowest, lag_ms
        else:
            self._low = lag_ms
        self.low_ms = self._low

    def best_lag_ms(self) -> float:
        """The best lag of the last 5 to 10 minutes, ms; NaN before any venue time was heard.

        It holds the clock difference and the shortest way; what a message took longer is its age.
        """
        low = self._low if self._low < inf else self._lowest
        best = min(low, self._low_before)
        return best if best < inf else nan

    def roll(self, now_ns: int) -> None:
        """Begin a new lag bucket when the current one is full."""
        if now_ns - self._bucket_ns < LAG_BUCKET_NS:
            return
        if self._bucket_ns:
            low = self._low if self._low < inf else self._lowest
            self._low_before = low
            self._lowest = self._low = self.low_ms = inf
        self._bucket_ns = now_ns


class Stream:
    """One topic on one connection, as the feeds panel shows it.

    id: "bybit.spot/orderbook.1.BTCUSDT". state: "connecting", "acked", "live" (data was heard),
    "stale" (silent for longer than `quiet_ns`), "down" (the connection is gone, or the venue
    refused the topic), "resync" (state was lost: the supervisor has to subscribe anew).
    depth: levels of its book (1: a top of book; 0: no book). instrument, leg: known from the first
    message that names them ("" before). since_ns: when that state began. frames: events taken.
    late: quotes that came out of order and were ignored. gaps, resyncs: sequence gaps seen,
    subscriptions renewed. last_error: a sentence, or "".
    """

    __slots__ = (
        "asked_ns",
        "bad",
        "bad_by_reason",
        "book",
        "conn",
        "depth",
        "frames",
        "gaps",
        "heard_ns",
        "id",
        "instrument",
        "kind",
        "lags",
        "last_error",
        "late",
        "leg",
        "link",
        "live",
        "quiet_ns",
        "resyncs",
        "seq",
        "since_ns",
        "state",
        "topic",
    )

    leg: "Leg"  # not there before `instrument` is set

    def __init__(self, stream_id: str, link: LinkState, quiet_ns: int) -> None:
        self.id = stream_id
        self.conn, _, self.topic = stream_id.partition("/")
        self.kind, _, _ = self.topic.rpartition(".")
        self.link = link
        self.quiet_ns = quiet_ns
        self.state = "connecting"
        self.live = False  # state == "live", as the hot path asks it
        self.since_ns = 0
        self.asked_ns = 0
        self.heard_ns = 0
        self.frames = 0
        self.seq = 0
        self.late = 0
        self.bad = 0
        self.bad_by_reason: dict[str, int] = {}
        self.gaps = 0
        self.resyncs = 0
        self.last_error = ""
        self.lags: deque[float] = deque(maxlen=LAGS_KEPT)
        self.instrument = ""
        self.depth = depth_of(self.kind)
        self.book = Book()

    @property
    def awaited(self) -> bool:
        """It was asked for and should have brought data: what is silent by nature never is."""
        return self.state in ("connecting", "acked") and self.asked_ns > 0 and self.quiet_ns > 0

    @property
    def has_state(self) -> bool:
        """Its messages build on each other, so a lost one needs a new subscription."""
        return self.depth > 1 or self.kind == "tickers"

    def move(self, state: str, t_ns: int, error: str | None = None) -> bool:
        """Enter a state; `error` replaces the last error. Returns whether anything changed."""
        if error is not None:
            self.last_error = error
        if state == self.state:
            return error is not None
        self.state = state
        self.live = state == "live"
        self.since_ns = t_ns
        return True

    def count_bad(self, reason: str) -> None:
        """Count one unreadable message."""
        self.bad += 1
        self.bad_by_reason[reason] = self.bad_by_reason.get(reason, 0) + 1

    def latency_ms(self) -> tuple[float, float]:
        """(median, 99th percentile) of receive minus venue time, last messages; NaN if none.

        It includes the difference of the two clocks, so it may be negative.
        """
        lags = sorted(lag for lag in self.lags if abs(lag) < LAG_LIMIT_MS)
        if not lags:
            return nan, nan
        return lags[len(lags) // 2], lags[min(len(lags) - 1, int(len(lags) * 0.99))]


def depth_of(kind: str) -> int:
    """Levels a side of a topic kind: 50 for "orderbook.50", 0 where it is no order book."""
    name, _, levels = kind.partition(".")
    return int(levels) if name == "orderbook" and levels.isdecimal() else 0
