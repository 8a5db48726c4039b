"""What a playbook is held against: never trading, always-on carry, chance, and shuffled funding.

Never trading earns nothing, to the digit. Always-on carry buys spot and sells the perpetual at the
first row, at two times, and enters again when it was liquidated. Random entries keep each trade's
length, direction and notional and put them elsewhere in time, one after the other as the
playbook's were. Shuffled funding keeps the trades and shifts the settled rates around the circle.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from basisdesk.lab import kernel
from basisdesk.lab.rule import BandRule, Costs, Size, rule_row
from basisdesk.lab.series import Floats, Ints, PairSeries

HOUR_NS = 3_600_000_000_000
DRAWS = 1_000
SEED = 1
ALWAYS_ON = BandRule(
    direction=1, entry_bp=-math.inf, exit_bp=-math.inf, stop_bp=math.inf, leverage=2.0
)


class Held(NamedTuple):
    """One trade as the nulls see it. notional: of the first leg at entry."""

    entry_ns: int
    exit_ns: int
    direction: int
    notional: float


class Chance(NamedTuple):
    """A null as draws of its total net. net: what was really earned, in the same arithmetic."""

    net: float
    draws: Floats

    @property
    def as_good(self) -> float:
        """Share of draws that are at least as good: small where chance does not do it."""
        return (1.0 + float(np.count_nonzero(self.draws >= self.net))) / (1.0 + len(self.draws))

    @property
    def less(self) -> tuple[float, float, float]:
        """Net less the draws: mean, and the middle 95 %."""
        over = self.net - self.draws
        low, high = np.quantile(over, (0.025, 0.975))
        return float(over.mean()), float(low), float(high)


def carry_daily(
    series: PairSeries, costs: Costs, capital: float, edges_ns: Ints
) -> tuple[Floats, "np.void"]:
    """Always-on carry of half the capital: (change of equity between edges, its SUMMARY)."""
    size = Size(capital=capital, notional=capital / 2.0)
    found = kernel.run_many(series, rule_row(ALWAYS_ON)[None, :], costs, size, edges_ns)
    return found.daily[0], found.rows[0]


class Ground:
    """One series and its costs, on which trades are placed anywhere.

    Prices are best bids and asks; depth, margin and liquidation are left out.
    """

    def __init__(self, series: PairSeries, costs: Costs) -> None:
        self._series, self._costs = series, costs
        self._t_ns = series.t_ns
        first = costs.perp_taker if ":perp:" in series.spot else costs.spot_taker
        self._fees = first, costs.perp_taker
        stamps = series.settled.t_ns
        rows = np.clip(np.searchsorted(self._t_ns, stamps, "right") - 1, 0, None)
        self._paid = np.nan_to_num(series.settled.rate) * series.mark[rows]
        self._rate = np.nan_to_num(series.settled.rate)
        self._mark = series.mark[rows]
        self._stamps = stamps
        self._summed = np.concatenate(([0.0], np.cumsum(self._paid)))

    def net(self, entry_ns: Ints, exit_ns: Ints, direction: Ints, notional: Floats) -> Floats:
        """Net of trades entered and left at the prices that stood at these moments."""
        s, slip = self._series, self._costs.slippage_bp * 1e-4
        i, j = (
            np.clip(np.searchsorted(self._t_ns, at, "right") - 1, 0, None)
            for at in (entry_ns, exit_ns)
        )
        up = direction > 0
        ask, bid = 1.0 + slip, 1.0 - slip
        first_in = np.where(up, s.spot_ask[i] * ask, s.spot_bid[i] * bid)
        first_out = np.where(up, s.spot_bid[j] * bid, s.spot_ask[j] * ask)
        second_in = np.where(up, s.perp_bid[i] * bid, s.perp_ask[i] * ask)
        second_out = np.where(up, s.perp_ask[j] * ask, s.perp_bid[j] * bid)
        qty = notional / first_in
        price = direction * qty * ((first_out - first_in) - (second_out - second_in))
        fees = qty * (self._fees[0] * (first_in + first_out))
        fees += qty * (self._fees[1] * (second_in + second_out))
        before, after = (np.searchsorted(self._stamps, at, "right") for at in (entry_ns, exit_ns))
        funding = direction * qty * (self._summed[after] - self._summed[before])
        hours = np.ceil((exit_ns - entry_ns) / HOUR_NS)
        spot = ":spot:" in s.spot
        borrow = np.where(up | (not spot), 0.0, self._costs.borrow_hourly * hours * notional)
        return np.asarray(price - fees + funding - borrow)

    def random(self, trades: Sequence[Held], draws: int = DRAWS, seed: int = SEED) -> Chance:
        """The same trades anywhere else: their lengths in a random order, with random pauses."""
        entry, leave, side, size = _columns(trades)
        own = float(self.net(entry, leave, side, size).sum())
        if not trades:
            return Chance(0.0, np.zeros(draws))
        rng = np.random.default_rng(seed)
        order = np.argsort(rng.random((draws, len(trades))), axis=1)
        held = (leave - entry)[order]
        free = max(0, int(self._t_ns[-1] - self._t_ns[0]) - int((leave - entry).sum()))
        pauses = np.sort(rng.random((draws, len(trades))), axis=1) * free
        starts = int(self._t_ns[0]) + pauses.astype(np.int64)
        starts += np.cumsum(held, axis=1) - held
        found = self.net(starts, starts + held, side[order], size[order])
        return Chance(own, np.asarray(found.sum(axis=1)))

    def shuffled(self, trades: Sequence[Held], draws: int = DRAWS, seed: int = SEED) -> Chance:
        """Funding of the same trades had the settled rates come at another time of their circle."""
        count = len(self._stamps)
        if not trades or count < 2:
            return Chance(0.0, np.zeros(draws))
        worth = np.zeros(count)
        entry, leave, side, size = _columns(trades)
        rows = np.clip(np.searchsorted(self._t_ns, entry, "right") - 1, 0, None)
        qty = side * size / self._series.spot_ask[rows]
        before, after = (np.searchsorted(self._stamps, at, "right") for at in (entry, leave))
        for first, last, each in zip(before.tolist(), after.tolist(), qty.tolist(), strict=True):
            worth[first:last] += each * self._mark[first:last]
        shifts = np.random.default_rng(seed).integers(1, count, draws)
        places = np.flatnonzero(worth)
        moved = self._rate[(places[None, :] + shifts[:, None]) % count]
        return Chance(float(worth @ self._rate), np.asarray(moved @ worth[places]))


def together(each: Sequence[Chance]) -> Chance:
    """Draws of several series added up, as they were drawn apart from each other."""
    if not each:
        return Chance(0.0, np.zeros(DRAWS))
    return Chance(sum(one.net for one in each), np.sum([one.draws for one in each], axis=0))


def _columns(trades: Sequence[Held]) -> tuple[Ints, Ints, Ints, Floats]:
    whole = [np.array([each[k] for each in trades], dtype=np.int64) for k in range(3)]
    return whole[0], whole[1], whole[2], np.array([each.notional for each in trades], dtype=float)
