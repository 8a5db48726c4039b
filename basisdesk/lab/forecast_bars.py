"""One pair in bars, simulated or read from an archive, and what a trade decided at each would earn.

Bars know what was known when: a price stands at the bar's close, a settlement has the moment from
which it was published, and what one enters at is a price after the decision, never the one decided
on. Legs have the same size, no leverage: nothing is liquidated here.
"""

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.forecast.words import SETTLED_TAIL, Tick
from basisdesk.market.fair import fair_basis_bp
from basisdesk.market.funding import rate_8h_bp
from basisdesk.market.stats import EwStats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NS = 1_000_000_000
MS_NS = 1_000_000
HOUR_NS = 3_600 * NS
FULL_H = 8.0
DAY_S = 86_400.0
SD_FLOOR_BP = 0.3
Z_WEIGHT_MIN = 0.6  # one day heard, of a memory of one day
PUBLISH_DELAY_NS = 60 * NS  # a settled rate is taken as known a minute after its stamp


class Settled(NamedTuple):
    """Settlements of one perpetual, oldest first.

    rate: fraction per interval of so many hours; positive: longs pay shorts. known_ns: from when
    on it may be used.
    """

    stamp_ns: Ints
    rate: Floats
    interval_h: Floats
    known_ns: Ints


class Bars(NamedTuple):
    """One pair in n bars. Hours that a venue did not publish are simply not there.

    t_ns: when the bar closed. spot, perp: middles at the close. enter_ns, enter_spot, enter_perp:
    when and at which middles an order decided at the close is filled, NaN where that is unknown.
    half_spot_bp, half_perp_bp: half the spread of each leg, paid at entry and at exit.
    f_ind: indicative rate by the samples up to the close, fraction per interval.
    more: further columns by the name of the `Tick` field that they fill.
    """

    name: str
    t_ns: Ints
    spot: Floats
    perp: Floats
    enter_ns: Ints
    enter_spot: Floats
    enter_perp: Floats
    half_spot_bp: Floats
    half_perp_bp: Floats
    f_ind: Floats
    settled: Settled
    interval_h: float
    interest_8h: float
    cap: float
    more: dict[str, Floats]

    @property
    def basis_bp(self) -> Floats:
        """Mid basis at the close, bp of the spot price."""
        return np.asarray((self.perp / self.spot - 1.0) * 1e4)

    @property
    def half_bp(self) -> Floats:
        """Half the spread of both legs together."""
        return self.half_spot_bp + self.half_perp_bp

    def of(self, chosen: "NDArray[np.bool_]") -> "Bars":
        """Some of the bars. What was entered stays what it was, and settlements stay all."""
        return self._replace(
            t_ns=self.t_ns[chosen],
            spot=self.spot[chosen],
            perp=self.perp[chosen],
            enter_ns=self.enter_ns[chosen],
            enter_spot=self.enter_spot[chosen],
            enter_perp=self.enter_perp[chosen],
            half_spot_bp=self.half_spot_bp[chosen],
            half_perp_bp=self.half_perp_bp[chosen],
            f_ind=self.f_ind[chosen],
            more={name: column[chosen] for name, column in self.more.items()},
        )


class Rule(NamedTuple):
    """What was registered before any outcome was looked at. All bp, times in seconds.

    cost_bp: a whole round trip, spreads included. threshold: least distance of a candidate, of the
    basis from fair value in bp (by "x") or from its own 24 hours in deviations (by "z").
    gain_bp: net that counts as success. stop_bp: widening of the mid basis that ends the trade.
    horizon_s: H. cool_s: between two candidates of one side. money_year: r of fair value.
    """

    cost_bp: float
    threshold: float
    gain_bp: float
    stop_bp: float
    horizon_s: float
    by: Literal["x", "z"] = "x"
    cool_s: float = 300.0
    money_year: float = 0.05

    @property
    def horizon_ns(self) -> int:
        """H in nanoseconds."""
        return round(self.horizon_s * NS)

    @property
    def words(self) -> str:
        """The rule as a person reads it."""
        far = (
            f"basis at least {self.threshold:g} bp from its clamp-aware fair value"
            if self.by == "x"
            else f"basis at least {self.threshold:g} deviations from its mean of 24 h"
        )
        return (
            f"Candidate: {far}, {self.cool_s:g} s after the last of that side. Entry at the first"
            f" price after the decision. Success: net {self.gain_bp:g} bp after {self.cost_bp:g} bp"
            f" of costs and with all settlements in between, before the basis widens by"
            f" {self.stop_bp:g} bp and before {self.horizon_s / 3_600.0:g} h."
        )


class Events(NamedTuple):
    """Candidates, oldest first, and how each ended. Indices are of bars.

    release_ns: t + H, when the outcome may be learned from. net_bp: at the first barrier.
    hold_s: from entry to there. how: 1 target, -1 stop, 0 time.
    """

    at: Ints
    direction: Ints
    t_ns: Ints
    y: Ints
    net_bp: Floats
    hold_s: Floats
    how: Ints
    release_ns: Ints

    def take(self, chosen: "NDArray[np.bool_] | Ints") -> "Events":
        """Some of them."""
        at, direction, t_ns, y, net_bp, hold_s, how, release_ns = self
        return Events(
            at[chosen], direction[chosen], t_ns[chosen], y[chosen],
            net_bp[chosen], hold_s[chosen], how[chosen], release_ns[chosen],
        )  # fmt: skip


def fair_bp(bars: Bars, rule: Rule) -> float:
    """Clamp-aware fair basis of the pair."""
    return fair_basis_bp(rule.money_year, bars.interval_h, bars.interest_8h * 1e4)


def distance(bars: Bars, rule: Rule) -> Floats:
    """What the rule looks at, at each close: bp from fair value, or deviations of 24 h."""
    basis = bars.basis_bp
    if rule.by == "x":
        return np.asarray(basis - fair_bp(bars, rule))
    past, out = EwStats(DAY_S), []
    for t_ns, now in zip(bars.t_ns.tolist(), basis.tolist(), strict=True):
        out.append(past.z(now, SD_FLOOR_BP) if past.weight > Z_WEIGHT_MIN else math.nan)
        past.update(t_ns / NS, now)  # after it was compared: never in its own mean
    return np.array(out)


def candidates(bars: Bars, rule: Rule) -> tuple[Ints, Ints]:
    """(bars, sides) where the registered rule holds: by the close alone, whatever came after.

    The distance at least the threshold, and no candidate of that side within the cool-down.
    """
    x = distance(bars, rule)
    at, sides = [], []
    last = {1: -(1 << 62), -1: -(1 << 62)}
    cool_ns = round(rule.cool_s * NS)
    for i in np.flatnonzero(np.abs(x) >= rule.threshold).tolist():
        side, now_ns = (1 if x[i] > 0 else -1), int(bars.t_ns[i])
        if now_ns - last[side] >= cool_ns:
            last[side] = now_ns
            at.append(i)
            sides.append(side)
    return np.array(at, dtype=np.int64), np.array(sides, dtype=np.int64)


def outcomes(bars: Bars, rule: Rule) -> Events:
    """Every candidate and its outcome, but those whose horizon the bars do not reach.

    Net = side x (executable entry - executable exit) - fees + settlements with entry < s <= exit.
    The first bar that is not before t + H ends what is still open, whatever it says: a missing
    quote is waited for and no trade is dropped for it. Before: stop where the mid basis has
    widened by the stop, else target where net reaches the gain. This is the law of
    forecast/labels.py, for many candidates at once.
    """
    at, side = candidates(bars, rule)
    ends = bars.t_ns[at] + rule.horizon_ns
    whole = (ends <= bars.t_ns[-1]) & np.isfinite(bars.enter_spot[at] + bars.enter_perp[at])
    at, side, ends = at[whole], side[whole], ends[whole]
    last = np.searchsorted(bars.t_ns, ends, side="left")
    first = np.searchsorted(bars.t_ns, bars.enter_ns[at], side="right")
    first = np.minimum(first, last)
    path = _Path(bars, rule, at, side)
    how = np.zeros(len(at), dtype=np.int64)
    net, end = np.full(len(at), math.nan), last.copy()
    todo = np.arange(len(at))
    while len(todo):
        bar = first[todo]
        wider, now = path.at(todo, bar)
        late = bar >= last[todo]
        stop = ~late & (wider >= rule.stop_bp)
        target = ~late & ~stop & (now >= rule.gain_bp)
        done = late | stop | target
        ended = todo[done]
        how[ended] = (target.astype(np.int64) - stop)[done]
        net[ended], end[ended] = now[done], bar[done]
        todo = todo[~done]
        first[todo] += 1
    hold = (bars.t_ns[end] - bars.enter_ns[at]) / NS
    y = (how == 1).astype(np.int64)
    return Events(at, side, bars.t_ns[at], y, net, hold, how, bars.t_ns[last])


class _Path:
    """What candidates are worth at later bars."""

    def __init__(self, bars: Bars, rule: Rule, at: Ints, side: Ints) -> None:
        self.side, self.basis = side, bars.basis_bp
        self.mid = (bars.enter_perp[at] / bars.enter_spot[at] - 1.0) * 1e4
        entered = np.searchsorted(bars.t_ns, bars.enter_ns[at], side="right") - 1
        entry = executable(
            bars.enter_spot[at],
            bars.enter_perp[at],
            (bars.half_spot_bp[entered], bars.half_perp_bp[entered]),
        )
        self.entry = np.where(side > 0, *entry) - side * fees_bp(bars, rule)
        self.opened, self.closed = executable(
            bars.spot, bars.perp, (bars.half_spot_bp, bars.half_perp_bp)
        )
        self.paid = paid_bp(bars.settled, bars.t_ns)
        self.paid_in = paid_bp(bars.settled, bars.enter_ns[at])

    def at(self, which: Ints, bar: Ints) -> tuple[Floats, Floats]:
        """(how far the mid basis has widened, net if left now), bp."""
        side = self.side[which]
        out = np.where(side > 0, self.closed[bar], self.opened[bar])
        funding = self.paid[bar] - self.paid_in[which]
        wider = side * (self.basis[bar] - self.mid[which])
        return wider, side * (self.entry[which] - out + funding)


def executable(spot: Floats, perp: Floats, half_bp: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """(basis that long spot and short perp gets, basis at which it is left), bp."""
    spot_bid, spot_ask = _sides(spot, half_bp[0])
    perp_bid, perp_ask = _sides(perp, half_bp[1])
    opened = (perp_bid - spot_ask) / spot_ask * 1e4
    return opened, (perp_ask - spot_bid) / spot_bid * 1e4


def fees_bp(bars: Bars, rule: Rule) -> float:
    """Fees of a round trip: its cost less the usual spreads, which the fills pay by themselves."""
    return rule.cost_bp - 2.0 * float(np.median(bars.half_bp))


def paid_bp(settled: Settled, t_ns: Ints) -> Floats:
    """Sum of all settlements up to and with a time, bp: what a short has been paid since ever."""
    total = np.concatenate(([0.0], np.cumsum(settled.rate * 1e4)))
    return np.asarray(total[np.searchsorted(settled.stamp_ns, t_ns, side="right")])


# --- as ticks -------------------------------------------------------------------------------------


def ticks(bars: Bars, rule: Rule) -> Iterator[Tick]:
    """The bars as the forecast hears them, one beat a bar; the side is that of the basis."""
    fair, fees = fair_bp(bars, rule), fees_bp(bars, rule)
    spot_bid, spot_ask = _sides(bars.spot, bars.half_spot_bp)
    perp_bid, perp_ask = _sides(bars.perp, bars.half_perp_bp)
    opened, closed = executable(bars.spot, bars.perp, (bars.half_spot_bp, bars.half_perp_bp))
    side = np.where(distance(bars, rule) >= 0.0, 1, -1)
    interval_ns = round(bars.interval_h * HOUR_NS)
    next_ms = (bars.t_ns // interval_ns + 1) * interval_ns // MS_NS
    columns: dict[str, list[float]] = {
        "spot_bid": spot_bid.tolist(), "spot_ask": spot_ask.tolist(),
        "perp_bid": perp_bid.tolist(), "perp_ask": perp_ask.tolist(),
        "open_bp": opened.tolist(), "close_bp": closed.tolist(),
        "rate": bars.f_ind.tolist(), "impact_bp": bars.half_bp.tolist(),
        "mark": bars.perp.tolist(),
        "index": bars.spot.tolist(), "direction": side.tolist(), "next_ms": next_ms.tolist(),
        "t_ns": bars.t_ns.tolist(),
        **{name: column.tolist() for name, column in bars.more.items()},
    }  # fmt: skip
    names = tuple(columns)
    tails = _tails(bars)
    for row in zip(*columns.values(), strict=True):
        known = dict(zip(names, row, strict=True))
        yield Tick(
            **known,
            settled=next(tails),
            fair_bp=fair,
            target_bp=fair,
            cost_bp=fees,
            cap=bars.cap,
            interest_8h_bp=bars.interest_8h * 1e4,
            interval_h=bars.interval_h,
        )


def _sides(mid: Floats, half_bp: Floats) -> tuple[Floats, Floats]:
    return mid * (1.0 - half_bp / 1e4), mid * (1.0 + half_bp / 1e4)


def _tails(bars: Bars) -> Iterator[tuple[tuple[int, float], ...]]:
    """Published settlements at each bar; the same tuple while nothing was published."""
    stamp, rate, hours, _ = bars.settled
    rows = list(zip((stamp // MS_NS).tolist(), rate_8h_bp(rate, hours).tolist(), strict=True))
    tail: tuple[tuple[int, float], ...] = ()
    known = 0
    for count in np.searchsorted(bars.settled.known_ns, bars.t_ns, side="right").tolist():
        if count != known:
            tail, known = tuple(rows[max(0, count - SETTLED_TAIL) : count]), count
        yield tail
