"""Honest statistics of returns: intervals by blocks, Sharpe ratios deflated by the trials made.

Everything here takes plain arrays and a seed and gives the same to the last bit again. Sharpe
ratios are per period of the returns unless "annual" says otherwise; `kurtosis` is the full fourth
moment, 3 for a normal law. The interval of a share is `forecast.calibration.wilson`.
"""

import math
from itertools import combinations
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from basisdesk.forecast.evaluate import Interval
from basisdesk.lab.series import Floats, Ints
from basisdesk.market.stats import wilson

__all__ = ["Interval", "wilson"]

DAYS_A_YEAR = 365.0
DAY_NS = 86_400 * 1_000_000_000
DRAWS = 2_000
BLOCKS_MIN = 8  # under so many blocks an interval has no bounds
STILL = 1e-13  # of the mean square: a variance below it is what rounding leaves of equal returns
EULER = 0.577_215_664_901_532_9
SPLITS_MAX = 12  # parts of the time for CSCV: 924 splits; 10,000 trials then take seconds
SPLITS_MIN = 6  # 20 splits; with fewer a share of them says nothing
CELLS_MAX = 20_000_000  # numbers in one step of CSCV, bounds its memory to some hundred MB
_NORMAL = NormalDist()


class Moments(NamedTuple):
    """n periods; mean and deviation (n - 1) of one; skew, and kurtosis with 3 for a normal law."""

    n: int
    mean: float
    sd: float
    skew: float
    kurtosis: float

    @property
    def sharpe(self) -> float:
        """Mean over deviation of one period; 0 where nothing moves."""
        return self.mean / self.sd if self.sd > 0.0 else 0.0


class Overfit(NamedTuple):
    """How likely the best trial is one of chance.

    pbo: probability of backtest overfitting, the share of splits where the best in sample was not
    above the median out of sample. splits: their number; parts: of time; trials: compared. slope:
    of out-of-sample on in-sample Sharpe of those bests. loss: share with a loss out of sample.
    """

    pbo: float
    splits: int
    parts: int
    trials: int
    slope: float
    loss: float


# --- Sharpe ratios --------------------------------------------------------------------------------


def moments(returns: Floats) -> Moments:
    """Moments of returns per period; skew 0 and kurtosis 3 where nothing moves."""
    n = len(returns)
    if n < 2:
        return Moments(n, float(returns.mean()) if n else 0.0, 0.0, 0.0, 3.0)
    mean = float(returns.mean())
    off = returns - mean
    square = float(np.mean(off**2))
    if not square > STILL * float(np.mean(returns**2)):
        return Moments(n, mean, 0.0, 0.0, 3.0)
    skew = float(np.mean(off**3)) / square**1.5
    kurtosis = float(np.mean(off**4)) / square**2
    return Moments(n, mean, math.sqrt(square * n / (n - 1)), skew, kurtosis)


def annual(sharpe: float, periods: float = DAYS_A_YEAR) -> float:
    """A Sharpe ratio per period as one per year, as if periods were independent."""
    return sharpe * math.sqrt(periods)


def psr(sharpe: float, n: int, skew: float, kurtosis: float, against: float = 0.0) -> float:
    """Chance that the true Sharpe ratio is above `against`, all per period.

    Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier, 2012, equation 11. NaN where n
    is below 2 or the moments cannot belong together.
    """
    square = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
    if n < 2 or not square > 0.0:
        return math.nan
    return _NORMAL.cdf((sharpe - against) * math.sqrt(n - 1.0) / math.sqrt(square))


def luck(trials: int, sd: float) -> float:
    """Sharpe ratio that the best of so many worthless trials is expected to show.

    Bailey and Lopez de Prado, The Deflated Sharpe Ratio, 2014, equation 1. sd: of the Sharpe
    ratios over the trials. 0 for one trial.
    """
    if trials < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return sd * ((1.0 - EULER) * first + EULER * second)


def deflated_sharpe(found: Moments, trials: int, sd: float) -> float:
    """Chance that the best of so many trials is better than luck (the same paper, equation 2)."""
    return psr(found.sharpe, found.n, found.skew, found.kurtosis, luck(trials, sd))


def sharpe_needed(
    n: int, trials: int, skew: float, kurtosis: float, sd: float | None = None, level: float = 0.95
) -> float:
    """Sharpe ratio per period at which the deflated Sharpe reaches `level`; NaN where none does.

    sd: of the Sharpe ratios over the trials; None for that of worthless trials, 1 / sqrt(n - 1).
    """
    if n < 2:
        return math.nan
    spread = 1.0 / math.sqrt(n - 1.0) if sd is None else sd
    base, low = luck(trials, spread), luck(trials, spread)
    high = base + 1.0
    while psr(high, n, skew, kurtosis, base) < level:
        high += 1.0
        if high > base + 100.0:
            return math.nan
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (
            (middle, high) if psr(middle, n, skew, kurtosis, base) < level else (low, middle)
        )
    return high


# --- intervals ------------------------------------------------------------------------------------


def calendar_blocks(t_ns: Ints, days: float) -> Ints:
    """Number of the calendar span of so many days, counted from 1970, that each moment is in."""
    return np.asarray(t_ns // round(days * DAY_NS), dtype=np.int64)


def block_mean(values: Floats, block: Ints, seed: int, draws: int = DRAWS) -> Interval:
    """Mean with its 95 % interval: whole blocks are drawn with repetition, as many as there are.

    Kuensch, The Jackknife and the Bootstrap for General Stationary Observations, 1989, with blocks
    that do not overlap. block: number of the block of each value. Under BLOCKS_MIN blocks the
    interval has no bounds.
    """
    sums, counts = _by_block(values, block)
    value = float(values.mean()) if len(values) else math.nan
    if len(sums) < BLOCKS_MIN:
        return Interval(value, -math.inf, math.inf, len(sums))
    drawn = _draws(len(sums), seed, draws)
    low, high = np.quantile((drawn @ sums) / np.maximum(drawn @ counts, 1.0), (0.025, 0.975))
    return Interval(value, float(low), float(high), len(sums))


def block_sharpe(returns: Floats, block: Ints, seed: int, draws: int = DRAWS) -> Interval:
    """Annual Sharpe ratio of daily returns with its 95 % interval, drawn like `block_mean`."""
    value = annual(moments(returns).sharpe)
    sums, counts = _by_block(returns, block)
    squares, _ = _by_block(returns**2, block)
    if len(sums) < BLOCKS_MIN:
        return Interval(value, -math.inf, math.inf, len(sums))
    drawn = _draws(len(sums), seed, draws)
    found = sharpes(drawn @ sums, drawn @ squares, drawn @ counts) * math.sqrt(DAYS_A_YEAR)
    low, high = np.quantile(found, (0.025, 0.975))
    return Interval(value, float(low), float(high), len(sums))


def paired_mean(
    mine: Floats, other: Floats, block: Ints, seed: int, draws: int = DRAWS
) -> Interval:
    """Mean of mine minus other, period by period, drawn like `block_mean`: one world for both."""
    return block_mean(mine - other, block, seed, draws)


def cvar(returns: Floats, share: float = 0.05) -> float:
    """Mean of the worst share of the returns; the boundary one counts in part.

    Rockafellar and Uryasev, Optimization of Conditional Value-at-Risk, 2000. NaN of none.
    """
    if not len(returns):
        return math.nan
    rows = np.sort(returns)
    weight = np.clip(share * len(rows) - np.arange(len(rows)), 0.0, 1.0)
    return float(rows @ weight / weight.sum())


def max_drawdown(returns: Floats) -> float:
    """Largest fall of the running sum of returns below its highest point so far, >= 0."""
    level = np.concatenate(([0.0], np.cumsum(returns)))
    return float(np.max(np.maximum.accumulate(level) - level))


def _by_block(values: Floats, block: Ints) -> tuple[Floats, Floats]:
    _, place = np.unique(block, return_inverse=True)
    sums = np.asarray(np.bincount(place, weights=values), dtype=np.float64)
    return sums, np.asarray(np.bincount(place), dtype=np.float64)


def _draws(blocks: int, seed: int, draws: int) -> Ints:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=draws))


# --- overfitting ----------------------------------------------------------------------------------


def sharpes(sums: Floats, squares: Floats, counts: Floats | float) -> Floats:
    """Sharpe ratios per period from sums of returns and of their squares; 0 where nothing moves."""
    n = np.maximum(np.asarray(counts, dtype=np.float64), 1.0)
    mean = sums / n
    square = (squares - sums * mean) / np.maximum(n - 1.0, 1.0)
    still = ~(square > STILL * squares / n)
    return np.asarray(np.where(still, 0.0, mean / np.sqrt(np.where(still, 1.0, square))))


def overfitting(sums: Floats, squares: Floats, counts: Floats) -> Overfit | None:
    """Combinatorially symmetric cross-validation over an even number of like parts of time.

    Bailey, Borwein, Lopez de Prado, Zhu, The Probability of Backtest Overfitting, 2017: for every
    half of the parts the best trial in it is found, and its rank in the other half looked up.
    sums, squares: of returns, float64[parts, trials]; counts: periods in each part. Where there
    are more than SPLITS_MAX parts, or an odd number, neighbours are joined. None where
    there are fewer than SPLITS_MIN parts or two trials.
    """
    joined = [_joined(each) for each in (sums, squares, counts[:, None])]
    parts, trials = joined[0].shape
    if parts < SPLITS_MIN or trials < 2:
        return None
    halves = list(combinations(range(parts), parts // 2))
    inside = np.zeros((len(halves), parts))
    for row, half in enumerate(halves):
        inside[row, half] = 1.0
    step = max(CELLS_MAX // trials, 1)
    found = [_split(inside[i : i + step], *joined) for i in range(0, len(halves), step)]
    logit, best, outside = (np.concatenate(each) for each in zip(*found, strict=True))
    return Overfit(
        pbo=float(np.mean(logit <= 0.0)),
        splits=len(halves),
        parts=parts,
        trials=trials,
        slope=_slope(best, outside),
        loss=float(np.mean(outside < 0.0)),
    )


def _joined(columns: Floats) -> Floats:
    # neighbours are joined into an even number of parts, which differ by one month at most
    parts = min(len(columns), SPLITS_MAX) // 2 * 2
    first = np.arange(parts) * len(columns) // max(parts, 1)
    return np.asarray(np.add.reduceat(columns, first, axis=0)) if parts else columns[:0]


def _split(
    inside: Floats, sums: Floats, squares: Floats, counts: Floats
) -> tuple[Floats, Floats, Floats]:
    # (logit of the rank outside, Sharpe inside, Sharpe outside) of the best of each split
    outside = 1.0 - inside
    chosen = sharpes(inside @ sums, inside @ squares, inside @ counts)
    tested = sharpes(outside @ sums, outside @ squares, outside @ counts)
    rows = np.arange(len(inside))
    best = np.argmax(chosen, axis=1)
    mine = tested[rows, best]
    below = np.count_nonzero(tested < mine[:, None], axis=1)
    equal = np.count_nonzero(tested == mine[:, None], axis=1)
    rank = (below + (equal + 1) / 2.0) / (sums.shape[1] + 1.0)
    return np.log(rank / (1.0 - rank)), chosen[rows, best], mine


def _slope(x: Floats, y: Floats) -> float:
    off = x - x.mean()
    square = float(off @ off)
    return float(off @ y) / square if square > 0.0 else math.nan
