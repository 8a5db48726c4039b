"""The words of the forecast: what one beat says of a pair, and what is made of it.

A `Tick` is everything the forecast may know at one moment. What is learnt, scored and told later is
made of ticks and of nothing else, so a recorded row of ticks gives the same scores again.
"""

from math import nan
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]  # one value a row of forecast/table.py, NaN where missing

Regime = Literal["pinned", "rich", "cheap", "stress"]
How = Literal["target", "stop", "time", "liquidated"]

Settled = tuple[tuple[int, float], ...]  # (settlement ms, bp per 8 h), oldest first
SETTLED_TAIL = 90  # settlements a tick carries at most


class Tick(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One beat of one pair. NaN where unknown; basis in bp of the spot price, sizes in base coin.

    Where the legs have two currencies all prices of the perpetual come converted into that of spot.

    t_ns: our stamp. direction: +1 long spot and short perp, -1 the reverse: the side that
    `cost_bp`, `impact_bp` and `target_bp` are for, and that the two features of "our side" take.
    *_bid_5, *_ask_5, *_bid_10, *_ask_10: shown within 5 and 10 bp of the leg's mid.
    open_bp, close_bp: executable at the user's size: what entering long spot / short perp locks in,
    and what leaving it costs; for the reverse pair they change places (`entry_bp`, `exit_bp`).
    impact_bp: of an entry at the user's size, average price against mid, both legs together.
    fair_bp: clamp-aware. cost_bp: break-even, all costs of a round trip. target_bp: basis of exit.
    rate, cap: indicative funding and its limit, fraction per interval. interest_8h_bp: the rate
    at which the venue pins. next_ms: coming settlement. settled: published ones, newest last, at
    most SETTLED_TAIL; the same tuple object while nothing was published.
    *_signed, *_volume, *_trades: since the beat before: taker buys minus taker sells, both
    together, and their number. NaN where trades are not heard, 0 where there were none.
    xv_f_bp, xv_b_bp: own funding (per 8 h) and own basis minus the median of other venues.
    mkt_x_bp: median distance from fair over all coins. sector_z: of the coin's sector.
    outside: (feature, z) of the numbers from outside that are known, see outside.py.
    floor_bp: a deviation is never taken to be less: half a tick of both legs, 0.3 at least.
    stale: "" or the sentence why these quotes cannot be traded.
    """

    t_ns: int
    direction: int = 1
    spot_bid: float = nan
    spot_ask: float = nan
    spot_bid_size: float = nan
    spot_ask_size: float = nan
    perp_bid: float = nan
    perp_ask: float = nan
    perp_bid_size: float = nan
    perp_ask_size: float = nan
    spot_bid_5: float = nan
    spot_ask_5: float = nan
    spot_bid_10: float = nan
    spot_ask_10: float = nan
    perp_bid_5: float = nan
    perp_ask_5: float = nan
    perp_bid_10: float = nan
    perp_ask_10: float = nan
    mark: float = nan
    index: float = nan
    rate: float = nan
    cap: float = nan
    interest_8h_bp: float = nan
    interval_h: float = nan
    next_ms: int = 0
    settled: Settled = ()
    open_bp: float = nan
    close_bp: float = nan
    impact_bp: float = nan
    fair_bp: float = nan
    cost_bp: float = nan
    target_bp: float = nan
    spot_signed: float = nan
    spot_volume: float = nan
    spot_trades: float = nan
    perp_signed: float = nan
    perp_volume: float = nan
    perp_trades: float = nan
    xv_f_bp: float = nan
    xv_b_bp: float = nan
    mkt_x_bp: float = nan
    sector_z: float = nan
    floor_bp: float = 0.3
    stale: str = ""
    outside: tuple[tuple[str, float], ...] = ()

    @property
    def spot_mid(self) -> float:
        """Middle of bid and ask of spot."""
        return (self.spot_bid + self.spot_ask) / 2

    @property
    def perp_mid(self) -> float:
        """Middle of bid and ask of the perpetual."""
        return (self.perp_bid + self.perp_ask) / 2

    @property
    def mid_bp(self) -> float:
        """Basis of the mids."""
        spot = self.spot_mid
        return 1e4 * (self.perp_mid - spot) / spot if spot > 0.0 else nan

    @property
    def spot_micro(self) -> float:
        """Microprice of spot: bid and ask weighted by the size on the other side."""
        return micro(self.spot_bid, self.spot_bid_size, self.spot_ask, self.spot_ask_size)

    @property
    def perp_micro(self) -> float:
        """Microprice of the perpetual."""
        return micro(self.perp_bid, self.perp_bid_size, self.perp_ask, self.perp_ask_size)

    @property
    def x_bp(self) -> float:
        """Distance of the mid basis from its fair value."""
        return self.mid_bp - self.fair_bp

    @property
    def exec_in_bp(self) -> float:
        """Executable entry basis of `direction`."""
        return self.entry_bp(self.direction)

    @property
    def edge_bp(self) -> float:
        """What an entry now earns until the target, after all costs."""
        return self.direction * (self.exec_in_bp - self.target_bp) - self.cost_bp

    def entry_bp(self, direction: int) -> float:
        """Executable entry basis of a side."""
        return self.open_bp if direction > 0 else self.close_bp

    def exit_bp(self, direction: int) -> float:
        """Executable exit basis of a side."""
        return self.close_bp if direction > 0 else self.open_bp


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which a trade was possible, noted before anyone can know how it ended.

    id: counts up in one session of learning. pair: "spot key perp key". direction: as in `Tick`.
    features: 44 values, then those from outside; None where missing. features_hash: of their bytes,
    hexadecimal.
    raw: probability of the model alone. p: after calibration. version: of the model that said so.
    decision: what was made of it, in words, as "abstain: warm-up". cost_bp: break-even then.
    """

    id: int
    t_ns: int
    pair: str
    direction: int
    features: tuple[float | None, ...]
    features_hash: str
    raw: float
    p: float
    version: str
    decision: str = ""
    cost_bp: float = nan
    target_bp: float = nan


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """How a candidate ended. Told at its horizon and never before, whenever it was decided.

    y: 1 where the net profit target came first. net_bp: executable net at the first barrier.
    t_first_ns: when that was. mae_bp, mfe_bp: worst and best net on the way. released_ns: when
    it was told.
    """

    candidate: int
    y: int
    net_bp: float
    t_first_ns: int
    mae_bp: float
    mfe_bp: float
    how: How
    released_ns: int


class Score(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What the forecast says of one pair now.

    p: calibrated probability of reaching the target, low and high its interval. p_star: the
    probability at which the trade earns nothing. raw: before calibration. contributions: one a
    feature, their sum with `bias` is `logit`, which is raw's. abstain: why p may not be acted
    upon, in words; empty when it may. n_eff: outcomes it stands on, overlap counted once.
    own: what the calibrated model says alone; base: the base rate; weight: of own in p, 0 to 1, the
    base rate has the rest (trust.py). NaN where they are not known.
    """

    p: float
    low: float
    high: float
    p_star: float
    raw: float
    logit: float
    bias: float
    contributions: Vector
    abstain: tuple[str, ...] = ()
    version: str = ""
    n_eff: float = 0.0
    own: float = nan
    base: float = nan
    weight: float = nan


def micro(bid: float, bid_size: float, ask: float, ask_size: float) -> float:
    """Price between bid and ask, nearer to the side that shows less; NaN without sizes."""
    shown = bid_size + ask_size
    return (ask * bid_size + bid * ask_size) / shown if shown > 0.0 else nan
