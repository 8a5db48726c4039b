"""The same signals at several leverages: what each was worth, and whether the leg lived to see it.

A signal is registered before its outcome: the mid basis is `entry_bp` from the fair basis, in a
direction the rule may take, and the last signal of that direction is at least the horizon old, so
that no two outcomes share an hour. It is entered at the executable prices of the next row. Leverage
changes nothing of it but the margin of the perpetual: the leg is liquidated where the mark takes
what the margin, the settlements so far and the leg's own result leave above maintenance margin and
the fee of a forced close (Binance, Bybit and OKX, isolated linear contracts, as of 2026-07). Where
bars know the highest and lowest mark, those count. A liquidated leg loses its margin and the spot
leg is sold at once.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.lab.rule import BandRule, Costs, fair_bounds_bp
from basisdesk.lab.series import Floats, Ints, PairSeries

HOUR_NS = 3_600_000_000_000
Why = Literal["target", "stop", "time", "liquidated"]


class Path(NamedTuple):
    """One signal without leverage, per coin, as far as it goes: entry, exit and all between.

    rows: indices from the entry's own to the exit's. pnl: of the perpetual at the mark's worst of
    each row, settlements so far counted, quote currency a coin. worst: that mark.
    available_bp: entry's executable distance less the least mid basis within the horizon.
    """

    entry: int
    exit: int
    direction: int
    why: Why
    spot_in: float
    perp_in: float
    spot_out: float
    perp_out: float
    funding: float
    pnl: Floats
    worst: Floats
    available_bp: float


class Levered(NamedTuple):
    """One signal at one leverage. Figures in bp of the spot leg's notional at entry.

    top_up_bp: what the margin needs from outside so that the leg lives to the exit; 0 if nothing.
    on_capital: net over spot notional and margin together, a fraction.
    """

    why: Why
    hours: float
    net_bp: float
    converged_bp: float
    top_up_bp: float
    on_capital: float


def signals(series: PairSeries, rule: BandRule, costs: Costs, horizon_h: float) -> list[Path]:
    """All signals of a series with a whole horizon ahead of them, oldest first."""
    low, high = fair_bounds_bp(series.terms, costs.money_rate)
    mid = series.mid_bp
    out: list[Path] = []
    for direction in (1, -1):
        if rule.direction not in (0, direction):
            continue
        far = mid - high if direction > 0 else low - mid
        out += _of_side(series, rule, costs, (direction, far, horizon_h))
    return sorted(out, key=lambda path: (path.entry, path.direction))


def _of_side(
    series: PairSeries, rule: BandRule, costs: Costs, side: tuple[int, Floats, float]
) -> list[Path]:
    direction, far, horizon_h = side
    horizon_ns = int(horizon_h * HOUR_NS)
    out: list[Path] = []
    free_ns = int(series.t_ns[0]) if len(series.t_ns) else 0
    for row in np.flatnonzero(far >= rule.entry_bp).tolist():
        t_ns = int(series.t_ns[row])
        if t_ns < free_ns or row + 1 >= len(series.t_ns):
            continue
        last = int(np.searchsorted(series.t_ns, t_ns + horizon_ns, side="right")) - 1
        if t_ns + horizon_ns > int(series.t_ns[-1]) or last <= row + 1:
            break  # its horizon is not over: no outcome, so no signal
        free_ns = t_ns + horizon_ns
        out.append(_followed(series, rule, costs, (row + 1, last, direction, far)))
    return out


def _followed(
    series: PairSeries, rule: BandRule, costs: Costs, at: tuple[int, int, int, Floats]
) -> Path:
    """Enter in a row and leave where target, stop or time says so, nothing liquidated."""
    entry, last, d, far = at
    slip = costs.slippage_bp * 1e-4
    buy, sell = 1.0 + slip, 1.0 - slip
    bought, sold = (
        (series.spot_ask, series.perp_bid) if d > 0 else (series.perp_ask, series.spot_bid)
    )
    first, second = float(bought[entry]) * buy, float(sold[entry]) * sell
    spot_in, perp_in = (first, second) if d > 0 else (second, first)
    rows = slice(entry + 1, last + 1)
    mid = series.mid_bp[entry : last + 1]
    wider = d * (mid[1:] - mid[0])
    held_h = (series.t_ns[rows] - series.t_ns[entry]) / HOUR_NS
    done = far[rows] + _half_bp(series, rows) <= rule.exit_bp
    over = [_first(done), _first(wider >= rule.stop_bp), _first(held_h >= rule.max_hold_h)]
    step = min(over)
    why: Why = "time" if step == math.inf else ("target", "stop", "time")[over.index(step)]
    leave = min(entry + 1 + int(step), last) if step != math.inf else last
    path = slice(entry, leave + 1)
    funding = _settled(series, d, path)
    mark = _worst_mark(series, d, path)
    return Path(
        entry=entry,
        exit=leave,
        direction=d,
        why=why,
        spot_in=spot_in,
        perp_in=perp_in,
        spot_out=float(series.spot_bid[leave] * sell if d > 0 else series.spot_ask[leave] * buy),
        perp_out=float(series.perp_ask[leave] * buy if d > 0 else series.perp_bid[leave] * sell),
        funding=float(funding[-1]),
        pnl=d * (perp_in - mark) + funding,
        worst=mark,
        available_bp=float(max(d * (mid[0] - (mid.min() if d > 0 else mid.max())), 0.0)),
    )


def levered(path: Path, series: PairSeries, leverage: float, costs: Costs) -> Levered:
    """What a signal came to at one leverage: at the exit, or where the margin was gone."""
    margin = path.perp_in / leverage
    need = (costs.mmr + costs.liq_fee) * path.worst
    left = margin + path.pnl - need
    left[0] = max(left[0], 0.0)  # the entry's own row was before the entry
    dead = _first(left < 0.0)
    d = path.direction
    fees_in = path.spot_in * costs.spot_taker + path.perp_in * costs.perp_taker
    if dead == math.inf:
        end, why = path.exit, path.why
        perp = d * (path.perp_in - path.perp_out) + path.funding
        spot_out = path.spot_out
        fees = fees_in + path.perp_out * costs.perp_taker
    else:
        end, why = path.entry + int(dead), "liquidated"
        perp = -margin
        spot_out = _spot_then(path, series, (end, margin), costs)
        fees = fees_in
    fees += spot_out * costs.spot_taker
    hours = float(series.t_ns[end] - series.t_ns[path.entry]) / HOUR_NS
    borrow = path.spot_in * costs.borrow_hourly * math.ceil(hours) if d < 0 else 0.0
    net = d * (spot_out - path.spot_in) + perp - fees - borrow
    mid = series.mid_bp
    unit = 1e4 / path.spot_in
    return Levered(
        why=why,
        hours=hours,
        net_bp=net * unit,
        converged_bp=float(d * (mid[path.entry] - mid[end])),
        top_up_bp=float(max(-left.min(), 0.0)) * unit,
        on_capital=net / (path.spot_in + margin),
    )


def _spot_then(path: Path, series: PairSeries, at: tuple[int, float], costs: Costs) -> float:
    """What the spot leg is sold (or bought back) at when the other leg is liquidated in a row.

    Where the bar knows the mark's extremes, the mark was at the liquidation price then, and the
    spot price stood to it as the two closes of the bar stand to each other. Else the row's price.
    """
    row, margin = at
    d, slip = path.direction, costs.slippage_bp * 1e-4
    price = float(
        series.spot_bid[row] * (1.0 - slip) if d > 0 else series.spot_ask[row] * (1.0 + slip)
    )
    if (series.mark_high if d > 0 else series.mark_low) is None:
        return price
    place = row - path.entry
    funding = float(path.pnl[place] - d * (path.perp_in - path.worst[place]))
    need = costs.mmr + costs.liq_fee
    gone = (margin + d * path.perp_in + funding) / (d * (1.0 + d * need))
    return price * gone / float(series.mark[row])


def _half_bp(series: PairSeries, rows: slice) -> Floats:
    """Half of both legs' spreads: what a closing trade gives away against the mids."""
    spot = (series.spot_ask[rows] - series.spot_bid[rows]) / series.spot_bid[rows]
    perp = (series.perp_ask[rows] - series.perp_bid[rows]) / series.perp_bid[rows]
    return np.asarray((spot + perp) * 0.5e4)


def _settled(series: PairSeries, d: int, path: slice) -> Floats:
    """Funding received a coin up to each row of the path, none of the entry's own time."""
    settled, t_ns = series.settled, series.t_ns[path]
    first = int(np.searchsorted(settled.t_ns, t_ns[0], side="right"))
    end = int(np.searchsorted(settled.t_ns, t_ns[-1], side="right"))
    at = np.searchsorted(series.t_ns, settled.t_ns[first:end], side="right") - 1
    marks = np.where(np.isfinite(settled.mark[first:end]), settled.mark[first:end], series.mark[at])
    paid = np.concatenate(([0.0], np.cumsum(d * settled.rate[first:end] * marks)))
    return np.asarray(paid[np.searchsorted(settled.t_ns[first:end], t_ns, side="right")])


def _worst_mark(series: PairSeries, d: int, path: slice) -> Floats:
    edge = series.mark_high if d > 0 else series.mark_low
    return np.asarray((series.mark if edge is None else edge)[path])


def _first(which: NDArray[np.bool_]) -> float:
    """Place of the first that holds, infinity where none does."""
    place = int(np.argmax(which)) if which.size else 0
    return float(place) if which.size and which[place] else math.inf


def survival(series: PairSeries, leverage: float, hold_h: float, costs: Costs) -> tuple[int, int]:
    """(liquidated, looked at) of a short perpetual entered at every row and held so many hours.

    No settlement counts and nothing is topped up: only the path of the mark.
    """
    ends: Ints = np.searchsorted(series.t_ns, series.t_ns + int(hold_h * HOUR_NS), side="right") - 1
    whole = series.t_ns + int(hold_h * HOUR_NS) <= series.t_ns[-1]
    high = series.mark if series.mark_high is None else series.mark_high
    top = _highest(high, ends)
    limit = series.mark * (1.0 + 1.0 / leverage) / (1.0 + costs.mmr + costs.liq_fee)
    return int(np.count_nonzero((top > limit) & whole)), int(np.count_nonzero(whole))


def _highest(values: Floats, ends: Ints) -> Floats:
    """Most of values[i + 1 .. ends[i]] for each i, by doubling; -inf where there is none."""
    size = len(values)
    lengths = ends - np.arange(size)
    out = np.full(size, -math.inf)
    level, reach = values, 1
    start = np.arange(size) + 1
    while reach <= int(lengths.max(initial=0)):
        use = (lengths // reach) % 2 == 1
        at = np.minimum(start[use], size - 1)
        out[use] = np.maximum(out[use], level[at])
        start = np.where(use, start + reach, start)
        shifted = np.full(size, -math.inf)
        shifted[: size - reach] = level[reach:]
        level, reach = np.maximum(level, shifted), reach * 2
    return out
