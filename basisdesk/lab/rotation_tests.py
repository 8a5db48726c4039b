"""Statistics of the rotation study: block bootstrap, circular-shift placebo, Holm, control.

Outcomes of neighbouring events share hours, sectors share the market, and funding follows returns,
so no event is independent of the next. The bootstrap draws whole calendar blocks (Kuensch 1989,
Annals of Statistics 17; Politis and Romano 1994, JASA 89), the placebo keeps the pattern of events
and moves it against time, and a test counts only where both agree: its p is the larger of the two.
"""

import math
from typing import NamedTuple

import numpy as np

from basisdesk.lab.rotation_events import Events
from basisdesk.lab.rotation_panel import DAY_MS, Plan
from basisdesk.market.stats import Z_95
from basisdesk.scan.sector_series import Floats, Ints

NAN = math.nan
POWER_80 = 2.801585  # 1.959964 + 0.841621: an effect so many standard errors large shows in 80 %
AWAY = 90  # settlements, 30 days: a placebo keeps as far away from the events themselves
MOVE = 0.02  # of "moved by 2 %", which a claim of hits may hide behind


class Interval(NamedTuple):
    """A figure with its 95 % interval. NaN where it cannot be told."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half its width."""
        return (self.high - self.low) / 2.0

    @property
    def off_zero(self) -> bool:
        """Whether it leaves zero out."""
        return self.low > 0.0 or self.high < 0.0


UNKNOWN = Interval(NAN, NAN, NAN)


class Answer(NamedTuple):
    """One of the tests: a side at a horizon. Returns are fractions.

    end: settlements from the event to the end of the outcome. base_hit: share of all moments of
    the same sectors at which the outcome was above zero; hit_apart: that of events minus it.
    moved, base_moved: the same of a move by 2 % either way. bare, held: the event's coefficient
    alone, and beside the past 48 h return of the sector. naive_p: as if every settlement beyond the
    line were independent of all others.
    """

    side: int
    end: int
    n: int
    mean: Interval
    median: float
    hit: float
    base_hit: float
    hit_apart: Interval
    moved: float
    base_moved: float
    p_bootstrap: float
    p_placebo: float
    p_holm: float
    naive_p: float
    bare: Interval
    held: Interval

    @property
    def p(self) -> float:
        """The larger of bootstrap and placebo."""
        return max(self.p_bootstrap, self.p_placebo)


class Ground(NamedTuple):
    """What tests stand on. outcome: T x G by end. past: T x G, return of the 48 h before.

    blocks: number of the calendar block of each settlement, from 0. beyond: T x G, side of z.
    """

    outcome: dict[int, Floats]
    past: Floats
    blocks: Ints
    beyond: Floats

    @property
    def block_count(self) -> int:
        """How many calendar blocks hold an outcome that is known."""
        known = np.zeros(len(self.blocks), dtype=bool)
        for table in self.outcome.values():
            known |= np.isfinite(table).any(axis=1)
        return len(np.unique(self.blocks[known]))


def blocks_of(stamps_ms: Ints, days: int) -> Ints:
    """Number of the calendar block of each stamp, counted from the first."""
    if not len(stamps_ms):
        return np.empty(0, dtype=np.int64)
    return np.asarray((stamps_ms - stamps_ms[0]) // (days * DAY_MS), dtype=np.int64)


def answers(ground: Ground, events: Events, plan: Plan, seed: int) -> list[Answer]:
    """All tests, each side at each horizon, with Holm's correction over them.

    One set of drawn blocks serves them all, so that what is compared is drawn alike.
    """
    rng = np.random.default_rng([seed, 20_261])
    count = int(ground.blocks[-1]) + 1 if len(ground.blocks) else 0
    weights = drawn_blocks(count, plan.draws, rng)
    controls = {end: control(ground, events, end, weights) for end in plan.horizons}
    found = []
    for side in (1, -1):
        own = events.take(events.side == side)
        for end in plan.horizons:
            made = _answer(ground, own, (side, end), weights)
            shifted, _ = placebo(ground.outcome[end], own, plan.draws, seed)
            bare, held = controls[end][side]
            found.append(made._replace(p_placebo=shifted, bare=bare, held=held))
    if ground.block_count < plan.blocks_min:
        found = [_muted(each) for each in found]
    adjusted = holm([each.p for each in found])
    return [each._replace(p_holm=p) for each, p in zip(found, adjusted, strict=True)]


def holm(p: list[float]) -> list[float]:
    """Adjusted p values: Holm (1979), Scandinavian Journal of Statistics 6. NaN stays and counts.

    A test that could not be made still was one of those that were meant to be.
    """
    order = sorted(range(len(p)), key=lambda i: math.inf if math.isnan(p[i]) else p[i])
    found, highest = [NAN] * len(p), 0.0
    for place, i in enumerate(order):
        if not math.isnan(p[i]):
            highest = max(highest, min(1.0, (len(p) - place) * p[i]))
            found[i] = highest
    return found


def drawn_blocks(count: int, draws: int, rng: np.random.Generator) -> Ints:
    """How often each of `count` blocks comes in each draw, with replacement; draws x count."""
    share = np.full(count, 1.0 / max(count, 1))
    return np.asarray(rng.multinomial(count, share, size=draws), dtype=np.int64)


def bootstrap(values: Floats, blocks: Ints, weights: Ints) -> tuple[Interval, float]:
    """Mean of the values with its interval, and p of zero. weights: of `drawn_blocks`.

    Whole blocks are drawn with replacement, empty ones too. The interval is symmetric, from the
    95 % quantile of the drawn means' distance, widened for few blocks (see `few`), so that p < 0.05
    says the same as an interval without zero.
    """
    count = weights.shape[1]
    if not len(values) or count < 2:
        return UNKNOWN, NAN
    top = weights @ np.bincount(blocks, values, count)
    under = weights @ np.bincount(blocks, minlength=count)
    good = under > 0
    return around(float(values.mean()), top[good] / under[good], count)


def around(value: float, drawn: Floats, count: int) -> tuple[Interval, float]:
    """(interval, p of zero) of a figure by what it came to in draws of `count` blocks."""
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < 2 or not math.isfinite(value):
        return UNKNOWN, NAN
    apart = np.abs(drawn - value) * few(count)
    half = float(np.quantile(apart, 0.95))
    p = (1.0 + float(np.count_nonzero(apart >= abs(value)))) / (1.0 + len(drawn))
    return Interval(value, value - half, value + half), p


def few(count: int) -> float:
    """What an interval from so many blocks is widened by; 1 for very many.

    sqrt(B / (B - 1)) for the deviation, and Student's quantile of B - 1 degrees over the normal
    one, by the first term of Abramowitz and Stegun (1964), 26.7.5.
    """
    student = 1.0 + (Z_95 * Z_95 + 1.0) / (4.0 * (count - 1.0))
    return math.sqrt(count / (count - 1.0)) * student


def placebo(outcome: Floats, events: Events, draws: int, seed: int) -> tuple[float, Floats]:
    """(p, means at other times): the same pattern of events, moved round in a circle of time.

    All sectors move by the same number of settlements, so what they share stays shared, and by 30
    days at least either way: funding follows returns, so a pattern moved back by hours would earn
    what made it. Two-sided, about the mean of the moved means: a sector that rises all the time
    earns nothing here.
    """
    rows = np.flatnonzero(np.isfinite(outcome).any(axis=1))
    if len(rows) < 3 or not events.number:
        return NAN, np.empty(0)
    table = outcome[rows[0] : rows[-1] + 1]
    pattern = np.zeros(table.shape)
    inside = (events.at >= rows[0]) & (events.at <= rows[-1])
    pattern[events.at[inside] - rows[0], events.sector[inside]] = 1.0
    known = np.isfinite(table)
    top = _moved(pattern, np.where(known, table, 0.0))
    under = np.rint(_moved(pattern, known * 1.0))
    means = np.where(under > 0.0, top / np.maximum(under, 1.0), np.nan)
    away = min(AWAY, len(table) // 4)
    rng = np.random.default_rng([seed, 20_263])
    shifts = rng.integers(away, len(table) - away + 1, size=draws)
    elsewhere = means[shifts][np.isfinite(means[shifts])]
    if not len(elsewhere) or not math.isfinite(means[0]):
        return NAN, elsewhere
    apart = np.abs(elsewhere - elsewhere.mean())
    beyond = np.count_nonzero(apart >= abs(float(means[0]) - float(elsewhere.mean())))
    return (1.0 + float(beyond)) / (1.0 + len(elsewhere)), elsewhere


def _moved(pattern: Floats, table: Floats) -> Floats:
    """Sum of the table under the pattern, for each number of rows that it is moved by."""
    size = len(table)
    seen = np.conj(np.fft.rfft(pattern, axis=0)) * np.fft.rfft(table, axis=0)
    return np.asarray(np.fft.irfft(seen.sum(axis=1), size))


def control(
    ground: Ground, events: Events, end: int, weights: Ints
) -> dict[int, tuple[Interval, Interval]]:
    """By side: the event's coefficient without and with the past 48 h return of the sector.

    Least squares over all settlements and sectors, intervals by drawing blocks of their normal
    equations. Where the second loses what the first had, it was momentum or reversal.
    """
    outcome = ground.outcome[end]
    side = np.zeros(outcome.shape)
    side[events.at, events.sector] = events.side
    whole = np.isfinite(outcome) & np.isfinite(ground.past)
    rows = np.nonzero(whole)
    y, past, said = outcome[rows], ground.past[rows], side[rows]
    columns: Floats = np.stack((np.ones(len(y)), (said > 0) * 1.0, (said < 0) * 1.0, past), axis=1)
    count = weights.shape[1]
    if count < 2 or len(y) < 10:
        return {1: (UNKNOWN, UNKNOWN), -1: (UNKNOWN, UNKNOWN)}
    left, right = _normal(columns, y, ground.blocks[rows[0]], count)
    bare = _coefficients(left[:, :3, :3], right[:, :3], weights, count)
    held = _coefficients(left, right, weights, count)
    return {1: (bare[1], held[1]), -1: (bare[2], held[2])}


def naive_p(values: Floats) -> float:
    """The p of a t test that takes every value for independent: what this study is not."""
    if len(values) < 3:
        return NAN
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    if error == 0.0:
        return NAN
    return math.erfc(abs(float(values.mean())) / error / math.sqrt(2.0))


def _answer(ground: Ground, events: Events, which: tuple[int, int], weights: Ints) -> Answer:
    side, end = which
    outcome = ground.outcome[end]
    events = events.take(np.isfinite(outcome[events.at, events.sector]))
    seen, blocks = outcome[events.at, events.sector], ground.blocks[events.at]
    mean, p = bootstrap(seen, blocks, weights)
    base = _base(outcome, 0.0)[events.sector]
    hits = (seen > 0.0).astype(np.float64)
    apart, _ = bootstrap(hits - base, blocks, weights)
    return Answer(
        side=side,
        end=end,
        n=len(seen),
        mean=mean,
        median=float(np.median(seen)) if len(seen) else NAN,
        hit=_mean(hits),
        base_hit=_mean(base),
        hit_apart=apart,
        moved=_mean((np.abs(seen) > MOVE).astype(np.float64)),
        base_moved=_mean(_base(np.abs(outcome), MOVE)[events.sector]),
        p_bootstrap=p,
        p_placebo=NAN,
        p_holm=NAN,
        naive_p=naive_p(outcome[(ground.beyond == side) & np.isfinite(outcome)]),
        bare=UNKNOWN,
        held=UNKNOWN,
    )


def _muted(answer: Answer) -> Answer:
    """What is left of an answer where there are too few blocks for any interval."""
    return answer._replace(
        mean=UNKNOWN._replace(value=answer.mean.value),
        hit_apart=UNKNOWN,
        p_bootstrap=NAN,
        p_placebo=NAN,
        bare=UNKNOWN,
        held=UNKNOWN,
    )


def _base(outcome: Floats, line: float) -> Floats:
    """By sector: share of all its known outcomes above the line, whatever funding said."""
    known = np.isfinite(outcome)
    above = (known & (np.where(known, outcome, 0.0) > line)).sum(axis=0)
    return np.where(known.any(axis=0), above / np.maximum(known.sum(axis=0), 1), np.nan)


def _normal(columns: Floats, y: Floats, blocks: Ints, count: int) -> tuple[Floats, Floats]:
    width = columns.shape[1]
    left, right = np.zeros((count, width, width)), np.zeros((count, width))
    for number in range(count):
        own = blocks == number
        left[number] = columns[own].T @ columns[own]
        right[number] = columns[own].T @ y[own]
    return left, right


def _coefficients(left: Floats, right: Floats, weights: Ints, count: int) -> list[Interval]:
    whole = _solved(left.sum(axis=0)[None], right.sum(axis=0)[None])[0]
    share = weights.astype(np.float64)
    drawn = _solved(np.tensordot(share, left, 1), np.tensordot(share, right, 1))
    return [around(float(value), drawn[:, i], count)[0] for i, value in enumerate(whole)]


def _solved(left: Floats, right: Floats) -> Floats:
    # draws in which a column is empty have no answer; the determinant is scaled by the diagonal
    diagonal = np.einsum("bii->bi", left)
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = left / scale[:, :, None] / scale[:, None, :]
    sound = (diagonal > 0.0).all(axis=1) & (np.abs(np.linalg.det(scaled)) > 1e-12)
    found = np.full(right.shape, np.nan)
    if sound.any():
        answer = np.linalg.solve(scaled[sound], (right / scale)[sound][..., None])[..., 0]
        found[sound] = answer / scale[sound]
    return found


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else NAN
