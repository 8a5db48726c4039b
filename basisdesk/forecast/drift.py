"""Whether the forecast still fits: a window that cuts itself, on outcomes that do not overlap.

`Adwin` is ADWIN2 (Bifet, Gavalda, Learning from Time-Changing Data with Adaptive Windowing, 2007,
section 3): it keeps the longest window of values whose older and newer parts may still have one
mean, in O(log n) buckets. `DriftWatch` feeds it the log-loss of outcomes, at most one a pair in
each horizon: outcomes that share hours are not independent, and ADWIN sees drift in any such stream
(measured here: no cut in 20 x 5,000 independent values, some 33 in 5,000 with a memory of 0.98).

An alarm puts the model under review. Nothing is reset: what was learned stays, more is asked of a
trade, the calibrator forgets faster, and it is said. The review ends when as many further outcomes
as a review takes came out no worse than before the alarm, or when a person ends it; both are said.
"""

import math
from typing import Any, NamedTuple

from basisdesk.forecast.model import log_loss

DELTA = 0.002
BUCKETS_MAX = 5  # of one size; a sixth makes two of them one of twice the size
LOOK_EACH = 32  # values between two looks for a cut
SEEN_MIN = 10  # values under which there is no look
PART_MIN = 5  # values that either part of a window must have
LOSS_MAX = 2.0  # nats that one outcome may cost here; more is said of p under 14 % only
REVIEW_OUTCOMES = 40  # that do not overlap, until a review may end
EVENTS_MAX = 200


class _Bucket(NamedTuple):
    n: int
    total: float
    apart: float  # sum of squares around its own mean


class Adwin:
    """The longest window of values in 0..1 that may have one mean.

    delta: chance of a cut where there was none, a look at a window (the paper's confidence).
    """

    def __init__(self, delta: float = DELTA) -> None:
        self.delta = delta
        self.width = 0
        self.cuts = 0
        self._total = 0.0
        self._apart = 0.0
        self._ticks = 0
        self._rows: list[list[_Bucket]] = [[]]  # row k: buckets of 2**k values, oldest first

    @property
    def mean(self) -> float:
        """Mean of the window; NaN when it is empty."""
        return self._total / self.width if self.width else math.nan

    @property
    def sd(self) -> float:
        """Deviation of the window's values; NaN when it is empty."""
        return math.sqrt(max(self._apart, 0.0) / self.width) if self.width else math.nan

    def update(self, value: float) -> int:
        """Take a value in. +1: the mean rose and the old part was dropped, -1: it fell, 0: as was.

        Not a finite number: passed over.
        """
        if not math.isfinite(value):
            return 0
        value = min(max(value, 0.0), 1.0)
        if self.width:
            d = value - self._total / self.width
            self._apart += self.width * d * d / (self.width + 1)
        self.width += 1
        self._total += value
        self._rows[0].append(_Bucket(1, value, 0.0))
        self._compress()
        self._ticks += 1
        if self._ticks % LOOK_EACH or self.width <= SEEN_MIN:
            return 0
        return self._cut()

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All that is remembered, as plain JSON."""
        return {
            "delta": self.delta,
            "width": self.width,
            "cuts": self.cuts,
            "total": self._total,
            "apart": self._apart,
            "ticks": self._ticks,
            "rows": [[list(bucket) for bucket in row] for row in self._rows],
        }

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Adwin":
        """The window of a dump, bit for bit."""
        found = cls(float(kept["delta"]))
        found.width, found.cuts = int(kept["width"]), int(kept["cuts"])
        found._total, found._apart = float(kept["total"]), float(kept["apart"])
        found._ticks = int(kept["ticks"])
        found._rows = [
            [_Bucket(int(n), float(total), float(apart)) for n, total, apart in row]
            for row in kept["rows"]
        ]
        return found

    # --- inside ----------------------------------------------------------------------------------

    def _compress(self) -> None:
        k = 0
        while len(self._rows[k]) > BUCKETS_MAX:
            one, other = self._rows[k][:2]
            del self._rows[k][:2]
            if k + 1 == len(self._rows):
                self._rows.append([])
            self._rows[k + 1].append(_joined(one, other))
            k += 1

    def _cut(self) -> int:
        # drop the oldest bucket as long as any split of the window has two means
        turned = 0
        while side := self._split():
            turned = side
            self._drop()
        if turned:
            self.cuts += 1
        return turned

    def _split(self) -> int:
        n0, total0 = 0, 0.0
        variance = max(self._apart, 0.0) / self.width
        terms = math.log(2.0 * math.log(self.width) / self.delta)
        for row in reversed(self._rows):
            for bucket in row:
                n0 += bucket.n
                total0 += bucket.total
                n1 = self.width - n0
                if n1 < PART_MIN:
                    return 0
                if n0 < PART_MIN:
                    continue
                rise = (self._total - total0) / n1 - total0 / n0
                m = 1.0 / (n0 - PART_MIN + 1) + 1.0 / (n1 - PART_MIN + 1)
                if abs(rise) > math.sqrt(2.0 * m * variance * terms) + 2.0 / 3.0 * m * terms:
                    return 1 if rise > 0.0 else -1
        return 0

    def _drop(self) -> None:
        row = self._rows[-1]
        oldest = row.pop(0)
        left = self.width - oldest.n
        self._total -= oldest.total
        d = oldest.total / oldest.n - self._total / left
        self._apart -= oldest.apart + oldest.n * left * d * d / self.width
        self.width = left
        while len(self._rows) > 1 and not self._rows[-1]:
            self._rows.pop()


class DriftEvent(NamedTuple):
    """One change of the watch, in words. t_ns: of the outcome's release, or of the word said."""

    t_ns: int
    text: str


class DriftWatch:
    """Watches the log-loss of outcomes that do not overlap. `review`: "" or why it is on.

    horizon_ns: for so long after an outcome's candidate no other of that pair is taken.
    """

    def __init__(self, horizon_ns: int, delta: float = DELTA) -> None:
        self.horizon_ns = horizon_ns
        self.review = ""
        self.events: list[DriftEvent] = []
        self.taken = 0
        self.adwin = Adwin(delta)
        self._next_ns: dict[str, int] = {}
        self._before = math.nan  # mean loss that a review has to come back to
        self._since = 0
        self._since_total = 0.0

    @property
    def loss(self) -> float:
        """Mean log-loss of the window, nats."""
        return self.adwin.mean * LOSS_MAX

    def take(self, pair: str, t_ns: int, p: float, y: int, released_ns: int) -> bool:
        """An outcome came, p as told at t_ns. True when the review began or ended."""
        next_ns = self._next_ns.get(pair, t_ns)
        if next_ns - 2 * self.horizon_ns < t_ns < next_ns:  # before: the clock had been ahead
            return False
        self._next_ns[pair] = t_ns + self.horizon_ns
        self.taken += 1
        loss = min(log_loss(p, y), LOSS_MAX)
        before = self.loss
        turned = self.adwin.update(loss / LOSS_MAX)
        if self.review:
            self._since += 1
            self._since_total += loss
        if turned > 0:
            return self._begin(before, released_ns)
        return self._may_end(released_ns)

    def end_review(self, t_ns: int, who: str) -> None:
        """A person ends the review. Nothing that was learned changes."""
        if self.review:
            self.review = ""
            self._say(t_ns, f"review ended by {who}")

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All that is remembered, as plain JSON."""
        return {
            "horizon_ns": self.horizon_ns,
            "review": self.review,
            "events": [list(event) for event in self.events],
            "taken": self.taken,
            "adwin": self.adwin.dump(),
            "next_ns": dict(self._next_ns),
            "before": None if math.isnan(self._before) else self._before,
            "since": self._since,
            "since_total": self._since_total,
        }

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "DriftWatch":
        """The watch of a dump, bit for bit."""
        found = cls(int(kept["horizon_ns"]))
        found.review = str(kept["review"])
        found.events = [DriftEvent(int(t_ns), str(text)) for t_ns, text in kept["events"]]
        found.taken = int(kept["taken"])
        found.adwin = Adwin.restored(kept["adwin"])
        found._next_ns = {str(pair): int(t_ns) for pair, t_ns in kept["next_ns"].items()}
        found._before = math.nan if kept["before"] is None else float(kept["before"])
        found._since, found._since_total = int(kept["since"]), float(kept["since_total"])
        return found

    # --- inside ----------------------------------------------------------------------------------

    def _begin(self, before: float, t_ns: int) -> bool:
        began = not self.review
        if began:
            self._before = before
        self._since, self._since_total = 0, 0.0
        self.review = f"log-loss rose from {self._before:.2f} to {self.loss:.2f}"
        self._say(t_ns, self.review + ": under review")
        return began

    def _may_end(self, t_ns: int) -> bool:
        if not self.review or self._since < REVIEW_OUTCOMES:
            return False
        mean = self._since_total / self._since
        slack = self.adwin.sd * LOSS_MAX / math.sqrt(self._since)
        if not mean <= self._before + slack:
            return False
        self.review = ""
        self._say(t_ns, f"review ended: {self._since} outcomes at a log-loss of {mean:.2f}")
        return True

    def _say(self, t_ns: int, text: str) -> None:
        self.events.append(DriftEvent(t_ns, text))
        del self.events[:-EVENTS_MAX]


def _joined(one: _Bucket, other: _Bucket) -> _Bucket:
    d = one.total / one.n - other.total / other.n
    apart = one.apart + other.apart + one.n * other.n * d * d / (one.n + other.n)
    return _Bucket(one.n + other.n, one.total + other.total, apart)
