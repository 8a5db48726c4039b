"""Which leg moves first, and by how many milliseconds: Hayashi and Yoshida's correlation over lags.

Prices come at their own irregular times, and neither is put on a grid: with trades 0.25 s apart a
true lead of 120 ms is found as 100 ms on lags of 100 ms, where a grid of last ticks of 1 s says 0
(measured here). Both legs must be stamped by clocks that agree to less than the lead: our own
receive stamps hold the difference of two feeds' delays, so a lead below that is none.

Source: Hayashi, Yoshida, On covariance estimation of non-synchronously observed diffusion processes
(2005); Hoffmann, Rosenbaum, Yoshida, Estimation of the lead-lag parameter from non-synchronous data
(2013); Huth, Abergel, High frequency lead/lag relationships (2014), for the ratio of both sides.
"""

import math
from math import nan
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Leader = Literal["spot", "perp", ""]

LAG_MS, LAGS = 100, 20  # 41 lags from -2 s to 2 s
BLOCKS = 30  # of equal count; a draw takes as many of them with return
DRAWS = 200
MOVES_MIN = 60  # price changes of each leg
INSIDE = (0.025, 0.975)
AGREE_MIN = 0.95  # share of the draws that must name the same leader
RHO_MIN = 0.05


class LeadLag(NamedTuple):
    """The perpetual leads by `lead_ms` where positive, spot where negative.

    low_ms, high_ms: 95 % interval of a block bootstrap. rho: correlation at that lag. ratio: sum of
    squared correlations at lags where the perpetual leads over those where spot does. leader: ""
    where there is no stable one. why: in words.
    """

    lead_ms: float
    low_ms: float
    high_ms: float
    rho: float
    ratio: float
    leader: Leader
    why: str
    spot_moves: int
    perp_moves: int


def lead_lag(
    spot: tuple[Ints, Floats],
    perp: tuple[Ints, Floats],
    seed: int = 0,
    lag_ms: int = LAG_MS,
    lags: int = LAGS,
) -> LeadLag:
    """Who leads, by two series of (time ns, price), oldest first.

    Repeated prices are no moves. Costs some 10 ms for 5 minutes of a busy pair: not for the beat.
    seed: of the bootstrap; the same prices and seed give the same interval.
    """
    spot_ms, spot_log = _moves(*spot)
    perp_ms, perp_log = _moves(*perp)
    counts = max(0, len(spot_log) - 1), max(0, len(perp_log) - 1)
    if min(counts) < MOVES_MIN:
        few = "spot" if counts[0] < counts[1] else "the perpetual"
        why = f"{min(counts)} price changes of {few}, {MOVES_MIN} are needed"
        return LeadLag(nan, nan, nan, nan, nan, "", why, *counts)
    grid = lag_ms * np.arange(-lags, lags + 1)
    each = _products(spot_ms, spot_log, (perp_ms, perp_log), grid)
    scale = math.sqrt(float(np.sum(np.diff(spot_log) ** 2) * np.sum(np.diff(perp_log) ** 2)))
    rho = each.sum(axis=1) / scale
    at = int(np.argmax(np.abs(rho)))
    drawn = grid[_drawn(each, seed)]
    low, high = (float(x) for x in np.quantile(drawn, INSIDE))
    back, ahead = float(np.sum(rho[:lags] ** 2)), float(np.sum(rho[lags + 1 :] ** 2))
    found = LeadLag(
        lead_ms=float(grid[at]),
        low_ms=low,
        high_ms=high,
        rho=min(max(float(rho[at]), -1.0), 1.0),  # its parts are sampled unlike, it may pass 1
        ratio=ahead / back if back > 0.0 else nan,
        leader="",
        why="",
        spot_moves=counts[0],
        perp_moves=counts[1],
    )
    leader, why = _verdict(found, drawn)
    return found._replace(leader=leader, why=why)


def _verdict(found: LeadLag, drawn: Ints) -> tuple[Leader, str]:
    side = np.sign(found.lead_ms)
    agree = float(np.mean(np.sign(drawn) == side))
    if abs(found.rho) < RHO_MIN:
        return "", f"no stable leader: the legs hardly move together ({found.rho:.2f})"
    if side == 0 or agree < AGREE_MIN or found.low_ms <= 0.0 <= found.high_ms:
        between = f"{found.low_ms:.0f} to {found.high_ms:.0f} ms"
        return "", f"no stable leader: the lead may be {between}"
    leader: Leader = "perp" if side > 0 else "spot"
    name = "the perpetual" if leader == "perp" else "spot"
    ends = sorted((abs(found.low_ms), abs(found.high_ms)))
    return leader, f"{name} leads by {abs(found.lead_ms):.0f} ms ({ends[0]:.0f} to {ends[1]:.0f})"


def _moves(t_ns: Ints, price: Floats) -> tuple[Floats, Floats]:
    """(ms since the epoch, log price) where the price changed, the last of equal stamps."""
    good = np.isfinite(price) & (price > 0.0)
    t_ns, price = t_ns[good], price[good]
    if not len(price):
        return np.empty(0), np.empty(0)
    last = np.append(t_ns[1:] != t_ns[:-1], True)
    t_ns, price = t_ns[last], price[last]
    changed = np.append(True, price[1:] != price[:-1])
    return t_ns[changed] / 1e6, np.log(price[changed])


def _products(spot_ms: Floats, spot_log: Floats, perp: tuple[Floats, Floats], grid: Ints) -> Floats:
    """Each move of spot times all moves of the perpetual that overlap it, by lag: (lags, moves).

    The overlapping moves are neighbours, so their sum is the difference of two prices.
    """
    perp_ms, perp_log = perp
    moves = np.diff(spot_log)
    found = np.empty((len(grid), len(moves)))
    for row, lag in enumerate(grid.tolist()):
        times = perp_ms + lag  # as if the perpetual had moved so much later
        first = np.searchsorted(times, spot_ms[:-1], "right") - 1
        last = np.searchsorted(times, spot_ms[1:], "left")
        first, last = np.maximum(first, 0), np.minimum(last, len(times) - 1)
        found[row] = moves * (perp_log[last] - perp_log[first])
    return found


def _drawn(each: Floats, seed: int) -> NDArray[np.int64]:
    """The lag with the strongest correlation in each draw of blocks: places in the grid."""
    edges = np.linspace(0, each.shape[1], BLOCKS + 1).astype(np.int64)[:-1]
    blocks = np.add.reduceat(each, edges, axis=1)
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, BLOCKS, size=(DRAWS, BLOCKS))
    times = np.stack([np.bincount(pick, minlength=BLOCKS) for pick in picks])
    found: NDArray[np.int64] = np.argmax(np.abs(blocks @ times.T), axis=0)
    return found
