"""The shared words of the scanner: what its parts hand to each other and to the screen.

Rates are fractions as venues say them; what ends in _bp is basis points. NaN: not known, never
zero. Times in _ms are venue stamps (UTC), in _ns our own.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = Literal["spot-perp", "perp-perp", "perp-spot"]  # long leg first; perp-spot shorts the spot
Flag = Literal["confirmed", "contradicted", "neutral", ""]  # "": no sector known

FRESH, STALE, MISSING = 0, 1, 2  # state of an opening: MISSING lacks a price of a leg
_UNTOLD: Floats = np.empty(0)  # of a column that its maker did not fill


class Combo(NamedTuple):
    """One combination that can be traded: what it buys and what it sells, of one coin."""

    coin: str
    kind: Kind
    long: str  # leg keys
    short: str


@dataclass(frozen=True)
class Openings:
    """All combinations at one moment, a column each, all of one length and order.

    combos and what they stand on change only when instruments come or go (`edition` counts that).
    rate_long, rate_short: indicative, fraction per own interval; NaN for a spot leg.
    settled_long, settled_short: last settled. interval_long_h, interval_short_h: 0 for spot.
    next_long_ms, next_short_ms: 0 where unknown or spot.
    rate_8h_bp: received per 8 h by the combination, short minus long, by true intervals, bp.
    year_pct: the same a year, simple, %. predicted_8h_bp is rate_8h_bp; settled_8h_bp of the last
    settled rates. velocity_bp_h: of rate_8h_bp, bp per 8 h each hour, smoothed, scaled by the
    phase of the interval. momentum_bp, z: of settled rates (quant.md 2.12, 2.14).
    open_bp, close_bp: executable at the scanner's size, of the long leg's price, > 0 where the
    short leg is the dearer. mid_bp: of mids. fair_bp: where the basis comes to rest.
    to_fair_bp: what convergence to fair would earn from mid.
    cost_bp: full round trip at the size: four fees, spreads, depth, conversion.
    net_bp: expected over hold_h, all in, exactly gain_bp + funding_bp - borrow_bp - cost_bp;
    net_8h_bp: per 8 h of it. gain_bp: convergence that counts: all of it where it costs us, only
    so much as our own past gives evidence for where it earns. funding_bp: expected over hold_h.
    borrow_bp: interest over hold_h, 0 where no coin is borrowed.
    payments, days: until the expected funding has paid the cost; inf: never.
    capacity: account currency that fits within the impact limit, each leg by the median of its
    last 5 books, or 25 touches (steady.py); where the newest carries the size no more, of the
    newest. Prices at the size stand on the newest. touch_only: books unknown, so it is what stands
    at the touch.
    gap_line_bp: a funding gap from here on is told (Trigger.line_bp). open_interest: account
    currency, the smaller of perps.
    half_life_h: of the funding gap, from our own history; basis_half_life_h: of the basis.
    hazard: chance that the funding turns against within the hold, with hazard_n cases.
    age_s: of the older leg. state: FRESH, STALE, MISSING.
    """

    now_ns: int
    edition: int
    size: float
    hold_h: float
    combos: tuple[Combo, ...]
    rate_long: Floats
    rate_short: Floats
    settled_long: Floats
    settled_short: Floats
    interval_long_h: Floats
    interval_short_h: Floats
    next_long_ms: Ints
    next_short_ms: Ints
    rate_8h_bp: Floats
    year_pct: Floats
    settled_8h_bp: Floats
    velocity_bp_h: Floats
    momentum_bp: Floats
    z: Floats
    open_bp: Floats
    close_bp: Floats
    mid_bp: Floats
    fair_bp: Floats
    to_fair_bp: Floats
    cost_bp: Floats
    net_bp: Floats
    net_8h_bp: Floats
    payments: Floats
    days: Floats
    capacity: Floats
    touch_only: NDArray[np.bool_]
    open_interest: Floats
    half_life_h: Floats
    basis_half_life_h: Floats
    hazard: Floats
    hazard_n: Ints
    age_s: Floats
    state: NDArray[np.int8]
    flags: tuple[Flag, ...]  # of each combination's coin and direction
    gain_bp: Floats = field(default_factory=lambda: _UNTOLD)
    funding_bp: Floats = field(default_factory=lambda: _UNTOLD)
    borrow_bp: Floats = field(default_factory=lambda: _UNTOLD)
    gap_line_bp: float = math.nan

    def __post_init__(self) -> None:
        """A column that was not told is not known."""
        unknown = np.full(len(self.combos), np.nan)
        for name in ("gain_bp", "funding_bp", "borrow_bp"):
            if getattr(self, name) is _UNTOLD:
                object.__setattr__(self, name, unknown)

    def __len__(self) -> int:
        """How many combinations."""
        return len(self.combos)


class Trigger(NamedTuple):
    """A funding gap that crossed its line. kind: "gap", "btc-eth". raw_bp: per own intervals.

    norm_bp: per 8 h, by true intervals; crossed: which of the two is over, "raw", "8h", "both".
    band: "below", "normal", "above", "wide" of norm_bp in the context bands.
    """

    kind: str
    coin: str
    long: str
    short: str
    raw_bp: float
    norm_bp: float
    line_bp: float
    crossed: str
    band: str


@dataclass(frozen=True)
class Strip:
    """The figures over the scanner.

    worth: openings that are fresh, net more than nothing, carry the size and are not contradicted,
    best net first and only those that share no leg with a better one: so many can be held at once.
    worth_rows: all of them. over_gap, fail_cost, fail_depth: of gaps by true intervals; raw_only:
    coins whose gap is over the line only as rates of unlike intervals are told.
    btc_eth_on: the venue it was read on, "" for the median of all.
    """

    coins: int = 0
    venues: int = 0
    combos: int = 0
    worth: int = 0
    over_gap: int = 0  # coins with a gap over the line, per 8 h
    fail_cost: int = 0  # of these, after costs nothing is left
    fail_depth: int = 0  # of these, the books are too thin
    btc_eth_bp: float = math.nan  # per 8 h
    market_8h_bp: float = math.nan  # median over all perpetuals
    market_percentile: float = math.nan  # of it, in our own history
    next_ms: int = 0  # the next settlement anywhere
    next_counts: tuple[tuple[str, int], ...] = ()  # venue, perpetuals that settle then
    history_mb: float = 0.0
    funding_days: float = math.nan  # of settled funding that the history spans
    minute_hours: float = math.nan  # of minute prices, in memory
    past_done: int = 0  # legs whose past was filled in by the venue, of past_wanted
    past_wanted: int = 0
    refresh_ms: float = 0.0
    worth_rows: int = 0
    raw_only: int = 0
    btc_eth_on: str = ""
    market_days: float = math.nan  # that market_percentile stands on


class Share(NamedTuple):
    """One venue's part in a composite. weight: 0..1; stale ones are dropped and say so.

    depth: account currency, the median of the last five books.
    """

    venue: str
    weight: float
    basis_bp: float
    rate_8h_bp: float
    depth: float
    stale: bool


class Composite(NamedTuple):
    """Depth-weighted basis and funding of one coin over venues. warning: "" or one sentence."""

    coin: str
    basis_bp: float
    rate_8h_bp: float
    shares: tuple[Share, ...]
    read_on: str
    trade_on: str
    warning: str


@dataclass(frozen=True)
class Matrix:
    """Coin x venue: NaN where a venue does not list it. percentile: 0..1 in `days` of history."""

    coins: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    funding_8h_bp: Floats = field(default_factory=lambda: np.empty((0, 0)))
    basis_bp: Floats = field(default_factory=lambda: np.empty((0, 0)))
    funding_percentile: Floats = field(default_factory=lambda: np.empty((0, 0)))
    basis_percentile: Floats = field(default_factory=lambda: np.empty((0, 0)))
    funding_days: Floats = field(default_factory=lambda: np.empty((0, 0)))
    basis_days: Floats = field(default_factory=lambda: np.empty((0, 0)))
    interval_h: Floats = field(default_factory=lambda: np.empty((0, 0)))
    age_s: Floats = field(default_factory=lambda: np.empty((0, 0)))
    pairs: tuple[tuple[tuple[str, str] | None, ...], ...] = ()  # (spot, perp) of each cell


class GapStats(NamedTuple):
    """A combination's funding gap (short minus long, bp per 8 h) by our own history.

    half_life_h: NaN where there is none or too little; low, high: its interval.
    hazard: share of like gaps that changed sign within the hold; n: how many like ones.
    """

    n: int
    mean_bp: float
    half_life_h: float
    low_h: float
    high_h: float
    hazard: float
    hazard_n: int


class SectorRow(NamedTuple):
    """One sector now. change: of the level in 24 h. momentum: price, a day and a week, %.

    divergence_bp: median of the sector minus median of all, per 8 h; z: in its own history.
    state: "hot" (longs crowd in), "cold", "calm"; since_ms: of the state. words: one sentence.
    """

    name: str
    members: int
    liquid: int
    funding_8h_bp: float
    funding_oi_8h_bp: float
    change_bp: float
    divergence_bp: float
    divergence_oi_bp: float
    z: float
    momentum_day_pct: float
    momentum_week_pct: float
    state: Literal["hot", "cold", "calm"]
    since_ms: int
    words: str


@dataclass(frozen=True)
class SectorView:
    """The overlay. z_lines: by sector, z over time on the stamps `times_ms` (NaN: no value).

    map_date, map_source: of the sector map. verdict: what the past says of rotation, in words.
    """

    rows: tuple[SectorRow, ...] = ()
    times_ms: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    z_lines: dict[str, Floats] = field(default_factory=dict)
    divergence_lines: dict[str, Floats] = field(default_factory=dict)
    line: float = 1.5
    map_date: str = ""
    map_source: str = ""
    unmapped: tuple[str, ...] = ()
    verdict: str = ""


class Score(NamedTuple):
    """One instrument on one venue, over what was seen since the start and in history.

    depth: account currency within 10 bp of mid, both sides the smaller. spread_bp: median.
    taker_bp, maker_bp: with fee_source. error_bp: median of |predicted - settled|, error_n cases.
    outages, outage_s: seen on its connections. lag_ms: from the venue's stamp to us, median.
    """

    venue: str
    instrument: str
    coin: str
    depth: float
    spread_bp: float
    taker_bp: float
    maker_bp: float
    fee_source: str
    error_bp: float
    bias_bp: float
    error_n: int
    missed: int
    capped: int
    outages: int
    outage_s: float
    lag_ms: float
    age_s: float
