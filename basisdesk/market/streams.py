"""Each stream and connection: is it alive, how late does it come, what failed."""

from collections import deque
from math import inf, nan
from typing import TYPE_CHECKING

from basisdesk.market.book import Book
from basisdesk.venues import TopicRule

if TYPE_CHECKING:
    from basisdesk.market.leg import Leg

LAGS_KEPT = 200  # messages a stream
LAG_BUCKET_NS = 300_000_000_000  # two buckets of 5 min: the best lag is 5 to 10 minutes young
STEP_MS = 5_000.0  # stamps of one venue that differ so much are of a clock that was set
LAG_LIMIT_MS = 86_400_000.0  # a stamp a day off is not a time; such a stream has receive ages only

# Silence of a stream that promises nothing is judged by its own habit (reliability, fault 10).
HABIT_TIMES = 8  # times the 99th percentile of its pauses
HABIT_NS_MIN = 2_000_000_000
HABIT_NS_MAX = 60_000_000_000
PAUSE_NS_MIN = HABIT_NS_MIN // HABIT_TIMES  # shorter ones cannot move the limit: not noted
PAUSES_KEPT = 100
HABIT_FRAMES = 500  # messages that the percentile looks back

BAD_MAX = 3  # unreadable messages of one stream ...
BAD_NS = 60_000_000_000  # ... within so long: subscribe anew (fault 23)
NEVER_NS = 1 << 62


class LinkState:
    """One connection: what it does, why, since when, and the best lag seen on it.

    state: "connecting", "up", "down", "idle", or "" before anything was said of it.
    connects: how often it came up. renewed: how often a second socket took over without a pause.
    last_error: what the venue said against a request. notice: what it last said of the connection;
    closing: it will cut the connection soon, so renew it.
    bad, bad_by_reason: frames of it that could not be read. pong_ns: the last answer to our ping.
    """

    __slots__ = (
        "_bucket_ns",
        "_low",
        "_low_ahead",
        "_low_before",
        "_lowest",
        "bad",
        "bad_by_reason",
        "closing",
        "conn",
        "connects",
        "high_ms",
        "last_error",
        "low_ms",
        "notice",
        "pong_ns",
        "reason",
        "renewed",
        "since_ns",
        "state",
    )

    def __init__(self, conn: str) -> None:
        self.conn = conn
        self.state = ""
        self.reason = ""
        self.since_ns = 0
        self.connects = 0
        self.renewed = 0
        self.notice = ""
        self.closing = False
        self.last_error = ""
        self.pong_ns = 0
        self.bad = 0
        self.bad_by_reason: dict[str, int] = {}
        self.low_ms = inf  # a lag below this is worth noting; read by the hot path
        self.high_ms = inf  # a lag above this is a clock that was set back, or a long freeze
        self._lowest = inf
        self._low = inf
        self._low_before = inf
        self._low_ahead = inf  # the best lag before the venue's clock leapt ahead
        self._bucket_ns = 0

    def note(self, lag_ms: float, passed_ms: int) -> None:
        """Take a lag outside of [low_ms, high_ms]. passed_ms: between its stamp and the last."""
        if lag_ms < self.low_ms:
            self.note_lag(lag_ms)
        elif lag_ms > self.high_ms and passed_ms < -STEP_MS:
            self.set_back()

    def note_lag(self, lag_ms: float) -> None:
        """Take a lag (receive minus venue time, ms) below `low_ms`.

        The second lowest counts, so that one stamp from the future cannot age all others.
        """
        if not -LAG_LIMIT_MS < lag_ms < LAG_LIMIT_MS:
            return
        if self._lowest - STEP_MS > lag_ms and self._lowest < inf:
            self._low_ahead = self._lowest
        if lag_ms < self._lowest:
            self._low, self._lowest = self._lowest, lag_ms
        else:
            self._low = lag_ms
        self.low_ms = self._low
        self.high_ms = self._lowest + STEP_MS

    def set_back(self) -> None:
        """The venue's stamps went back: its clock was set, and messages are not as old as they say.

        The best lag is that of before the clock leapt ahead, or is learnt anew.
        """
        self._lowest = self._low = self.low_ms = self._low_ahead
        self.high_ms = self._lowest + STEP_MS
        self._low_before = self._low_ahead = inf

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

    id: "bybit.spot/orderbook.1.BTCUSDT". rule: what the venue says of the topic; `what` and `depth`
    (levels a side; 1: a top of book; 0: no book) are of it.
    state: "connecting", "acked", "live" (data was heard), "stale" (silent for longer than
    `quiet_max_ns`), "down" (the connection is gone, or the venue refused the topic), "resync"
    (state was lost: the supervisor has to subscribe anew, or to fetch a snapshot).
    instrument, leg: known from the first message that names them ("" before). shared: it tells of
    other instruments too. since_ns: when that state began. frames: events taken. late: quotes that
    came out of order and were ignored. gaps: sequence gaps seen. resyncs: subscriptions asked again
    after a loss. renewals: second sockets that took over. last_error: a sentence, or "".
    """

    __slots__ = (
        "_bad_ns",
        "_marks",
        "_pauses",
        "asked_ns",
        "bad",
        "bad_by_reason",
        "book",
        "conn",
        "depth",
        "floor_ns",
        "frames",
        "gaps",
        "heard_ns",
        "id",
        "instrument",
        "lags",
        "last_error",
        "late",
        "late_run",
        "leg",
        "link",
        "live",
        "pause_ns",
        "quiet_ns",
        "renewals",
        "resyncs",
        "rule",
        "seq",
        "shared",
        "since_ns",
        "speed",
        "state",
        "topic",
        "what",
    )

    leg: "Leg"  # not there before `instrument` is set

    def __init__(
        self, stream_id: str, link: LinkState, rule: TopicRule, speed: float = 1.0
    ) -> None:
        self.id = stream_id
        self.conn, _, self.topic = stream_id.partition("/")
        self.link = link
        self.rule = rule
        self.what = rule.what
        self.depth = rule.depth
        self.speed = speed
        self.quiet_ns = round(rule.quiet_s * 1e9 * speed)  # 0: by habit, or never stale
        by_habit = rule.what in ("top", "book", "ticker") and not self.quiet_ns
        self.pause_ns = round(PAUSE_NS_MIN * speed) if by_habit else NEVER_NS
        self.floor_ns = (
            round(HABIT_NS_MIN * speed) if by_habit else self.quiet_ns
        )  # never stale yet
        self.state = "connecting"
        self.live = False  # state == "live", as the hot path asks it
        self.since_ns = 0
        self.asked_ns = 0
        self.heard_ns = 0
        self.frames = 0
        self.seq = 0
        self.late = 0
        self.late_run = (0, 0)  # the id that late quotes were below, and since when
        self.bad = 0
        self.bad_by_reason: dict[str, int] = {}
        self.gaps = 0
        self.resyncs = 0
        self.renewals = 0
        self.last_error = ""
        self.lags: deque[float] = deque(maxlen=LAGS_KEPT)
        self.instrument = ""
        self.shared = False
        self.book = Book()
        self._marks = [f'"{part}"'.encode() for part in self.topic.split(":")]
        self._bad_ns: deque[int] = deque(maxlen=BAD_MAX)
        self._pauses: deque[tuple[int, int]] = deque(maxlen=PAUSES_KEPT)  # (frame, pause ns)

    @property
    def awaited(self) -> bool:
        """It was asked for and should have brought data: what is silent by nature never is."""
        return self.state in ("connecting", "acked") and self.asked_ns > 0 and self.rule.awaited

    @property
    def has_state(self) -> bool:
        """Its messages build on each other, so a lost one needs a new subscription."""
        return self.rule.stateful

    def arrived(self, t_ns: int, venue_ms: int) -> float:
        """A message came. Returns its lag, receive minus venue time, ms; NaN without venue time."""
        self.frames += 1
        if t_ns - self.heard_ns > self.pause_ns:
            self.note_pause(t_ns)
        self.heard_ns = t_ns
        if not venue_ms:
            return nan
        lag_ms = t_ns / 1e6 - venue_ms
        self.lags.append(lag_ms)
        return lag_ms

    def note_pause(self, t_ns: int) -> None:
        """A message after a pause of `pause_ns` or more. One around an outage is no habit."""
        if self.heard_ns and self.state in ("live", "stale", "resync"):
            self._pauses.append((self.frames, t_ns - self.heard_ns))

    def quiet_max_ns(self) -> int:
        """Silence beyond this is stale: as promised, or HABIT_TIMES its own 99th percentile pause.

        0: it is never stale.
        """
        if self.quiet_ns or self.pause_ns == NEVER_NS:
            return self.quiet_ns
        since = self.frames - HABIT_FRAMES
        if len(self._pauses) == PAUSES_KEPT:  # all that is known reaches back no farther
            since = max(since, self._pauses[0][0])
        recent = sorted(pause for frame, pause in self._pauses if frame >= since)
        rank = min(self.frames, self.frames - since) // 100  # so many pauses are above the 99th
        pause_ns = recent[-1 - rank] if rank < len(recent) else 0
        low, high = round(HABIT_NS_MIN * self.speed), round(HABIT_NS_MAX * self.speed)
        return min(max(HABIT_TIMES * pause_ns, low), high)

    def named_in(self, payload: bytes) -> bool:
        """Whether the head of a message seems to name this topic: every part of it, quoted."""
        marks = self._marks
        return marks[-1] in payload and all(mark in payload for mark in marks)

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
        """Count one unreadable or unbelievable message."""
        self.bad += 1
        self.bad_by_reason[reason] = self.bad_by_reason.get(reason, 0) + 1

    def worn_out(self, t_ns: int) -> bool:
        """Note an unreadable message. True at the BAD_MAX-th within BAD_NS."""
        times = self._bad_ns
        times.append(t_ns)
        if len(times) < BAD_MAX or t_ns - times[0] > BAD_NS * self.speed:
            return False
        times.clear()
        return True

    def latency_ms(self) -> tuple[float, float]:
        """(median, 99th percentile) of receive minus venue time, last messages; NaN if none.

        It includes the difference of the two clocks, so it may be negative.
        """
        lags = sorted(lag for lag in self.lags if abs(lag) < LAG_LIMIT_MS)
        if not lags:
            return nan, nan
        return lags[len(lags) // 2], lags[min(len(lags) - 1, int(len(lags) * 0.99))]
