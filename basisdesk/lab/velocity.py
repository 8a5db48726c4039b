"""Funding velocity: does it tell a rate that lasts from one that goes, beyond what its level tells?

The founding claim is that velocity separates structural from temporary funding. Two logits, with
level alone and with level and velocity, are fitted on what came before and judged on what came
after, a week at a time. Histories hold settled rates only, so velocity is the step from one
settlement to the next and not the slope of the rate that floats.
"""

import argparse
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from basisdesk import __version__
from basisdesk.errors import UserError
from basisdesk.lab.claims import by_verdict
from basisdesk.lab.rotation_data import Rates, day_of, read_rates
from basisdesk.lab.rotation_panel import grid
from basisdesk.lab.rotation_tests import (
    NAN,
    UNKNOWN,
    Interval,
    blocks_of,
    bootstrap,
    drawn_blocks,
    few,
    holm,
)
from basisdesk.lab.words import Progress, chart, made_by, no_progress, pre_registration, table, told
from basisdesk.market.stats import Z_95
from basisdesk.scan import sector_series as series
from basisdesk.scan.sector_series import Floats, Ints

INTEREST_BP = 1.0  # per 8 h, where rates are pinned
PINNED_BP = 1e-4
RIDGE = 1e-6  # of the curvature's trace: a column without spread has no answer otherwise
STEPS_MAX = 50  # of Newton
QUESTIONS = {
    "above": "is above itself 24 h later",
    "half": "keeps half of itself for 24 h, where it is above 3 bp per 8 h",
}
HYPOTHESIS = (
    "Velocity tells whether a funding rate lasts, beyond its level: out of sample, the log loss of "
    "a logit with level and velocity is below that of level alone. Two questions under Holm."
)


@dataclass(frozen=True)
class VelocityPlan:
    """The pre-registered constants. ahead: settlements of 8 h until the outcome.

    high_bp: from which a rate is high, per 8 h. first: share of the span that is only learned from.
    """

    ahead: int = 3
    high_bp: float = 3.0
    first: float = 1.0 / 3.0
    block_days: int = 7
    blocks_min: int = 6
    rows_min: int = 300
    draws: int = 2_000


@dataclass(frozen=True)
class VelocityOptions:
    """What a run is made of."""

    funding: tuple[Path, ...] = ()
    draws: int = VelocityPlan().draws
    seed: int = 1


class Sample(NamedTuple):
    """Rows by time. at: row of the grid; level, velocity: of x, bp squeezed by asinh; y: 0 or 1."""

    at: Ints
    level: Floats
    velocity: Floats
    y: Floats


class Judged(NamedTuple):
    """One question. gain: log loss saved by velocity, share of that of level alone.

    n: outcomes judged; base: share of them that came true; right: share called right by level and
    by both. weight: of velocity in the logit of all
    rows, with an interval by blocks (the sandwich of Liang and Zeger 1986, Biometrika 73).
    known: log loss saved by level alone, share of that of the rate at which it came true before.
    """

    name: str
    n: int
    base: float
    loss_level: float
    loss_both: float
    right: tuple[float, float]
    gain: Interval
    weight: Interval
    p: float
    p_holm: float
    known: Interval = UNKNOWN


def add_velocity_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `basisdesk lab velocity`."""
    parser.add_argument(
        "--funding", type=Path, nargs="+", default=[], metavar="PATH", help="settled funding"
    )
    parser.add_argument("--seed", type=int, default=1, help="of all draws")


def velocity_from(arguments: argparse.Namespace) -> VelocityOptions:
    """The options as they were typed."""
    return VelocityOptions(funding=tuple(arguments.funding), seed=arguments.seed)


def run_velocity(options: VelocityOptions, progress: Progress = no_progress) -> dict[str, Any]:
    """The study as plain values. Raises UserError; Cancelled where progress says stop."""
    if not options.funding or options.seed < 0:
        raise UserError("Name settled funding with --funding, and a --seed from 0 on.")
    plan = VelocityPlan(draws=options.draws)
    rates = [each for path in options.funding for each in read_rates(path, progress)]
    if not rates:
        raise UserError("No funding to study. Name files of it with --funding.")
    first = min(int(each.ms[0]) for each in rates)
    stamps = grid(first, max(int(each.ms[-1]) for each in rates) + series.MINUTE_MS)
    rate = np.stack([series.on_grid(each.ms, each.rate, stamps) for each in rates], axis=1)
    judged = []
    for done, name in enumerate(QUESTIONS):
        told(progress, done, len(QUESTIONS), "questions")
        judged.append(judge(name, sample_of(rate, name, plan), stamps, plan, options.seed))
    adjusted = holm([each.p for each in judged])
    found = [each._replace(p_holm=p) for each, p in zip(judged, adjusted, strict=True)]
    return _study(options, plan, found, (rates, stamps))


def sample_of(rate: Floats, name: str, plan: VelocityPlan) -> Sample:
    """Rows of one question. rate: T x C, bp per 8 h.

    Pinned rates are left out: they have no velocity and stay what they are by the venue's formula.
    """
    ahead = plan.ahead
    now, before, then = rate[1:-ahead], rate[: -ahead - 1], rate[1 + ahead :]
    good = np.isfinite(now) & np.isfinite(before) & np.isfinite(then)
    good &= np.abs(now - INTEREST_BP) > PINNED_BP
    if name == "half":
        good &= now > plan.high_bp
    row, column = np.nonzero(good)
    at = now[row, column]
    after = then[row, column]
    y = after > at if name == "above" else after >= at / 2.0
    level: Floats = np.arcsinh(at - INTEREST_BP)
    velocity: Floats = np.arcsinh(at - before[row, column])
    return Sample(np.asarray(row + 1), level, velocity, y.astype(np.float64))


def judge(name: str, sample: Sample, stamps_ms: Ints, plan: VelocityPlan, seed: int) -> Judged:
    """Fit on what was known before each week, judge in it; all of one question."""
    nothing = Judged(name, len(sample.y), NAN, NAN, NAN, (NAN, NAN), UNKNOWN, UNKNOWN, NAN, NAN)
    blocks = blocks_of(stamps_ms, plan.block_days)
    weeks = int(blocks[-1]) + 1 if len(blocks) else 0
    both = columns(sample, velocity=True)
    level = columns(sample, velocity=False)
    own = blocks[sample.at]
    begin = np.searchsorted(blocks, np.arange(weeks))  # first settlement of each block
    score = np.full((3, len(sample.y)), np.nan)
    for week in range(max(1, math.ceil(weeks * plan.first)), weeks):
        known, tested = sample.at + plan.ahead < begin[week], own == week
        if np.count_nonzero(known) < plan.rows_min or not tested.any():
            continue
        for place, inputs in enumerate((level, both)):
            weights = fitted(inputs[known], sample.y[known])
            score[place, tested] = inputs[tested] @ weights
        came = (sample.y[known].sum() + 0.5) / (np.count_nonzero(known) + 1.0)
        score[2, tested] = math.log(came / (1.0 - came))
    judged = np.isfinite(score[0])
    if np.count_nonzero(judged) < plan.rows_min:
        return nothing._replace(n=int(np.count_nonzero(judged)))
    y = sample.y[judged]
    loss = log_loss(score[:, judged], y)
    right = ((score[:, judged] > 0.0) == (y > 0.5)).mean(axis=1)
    test_weeks = np.unique(own[judged])
    renamed = np.searchsorted(test_weeks, own[judged])
    drawn = drawn_blocks(len(test_weeks), plan.draws, np.random.default_rng([seed, 20_264]))
    mean, p = bootstrap(loss[0] - loss[1], renamed, drawn)
    of_known, _ = bootstrap(loss[2] - loss[0], renamed, drawn)
    if len(test_weeks) < plan.blocks_min:
        mean, p = UNKNOWN._replace(value=mean.value), NAN
        of_known = UNKNOWN._replace(value=of_known.value)
    of_level, of_both, of_base = (float(each.mean()) for each in loss)
    return Judged(
        name=name,
        n=len(y),
        base=float(y.mean()),
        loss_level=of_level,
        loss_both=of_both,
        right=(float(right[0]), float(right[1])),
        gain=Interval(*(each / of_level for each in mean)),
        weight=_weight(both, sample.y, own),
        p=p,
        p_holm=NAN,
        known=Interval(*(each / of_base for each in of_known)),
    )


def columns(sample: Sample, *, velocity: bool) -> Floats:
    """One, level and its size, then velocity and its size: a level's pull need not be even."""
    parts = [np.ones(len(sample.y)), sample.level, np.abs(sample.level)]
    if velocity:
        parts += [sample.velocity, np.abs(sample.velocity)]
    return np.stack(parts, axis=1)


def fitted(table: Floats, y: Floats) -> Floats:
    """Weights of a logit by Newton's method, halving a step that makes the fit worse."""
    weights = np.zeros(table.shape[1])
    now = float(log_loss(table @ weights, y).mean())
    for _ in range(STEPS_MAX):
        p, curve = _curvature(table, weights)
        step = np.linalg.solve(curve, table.T @ (y - p))
        then = float(log_loss(table @ (weights + step), y).mean())
        while then > now and np.abs(step).max() > 1e-12:
            step = step / 2.0
            then = float(log_loss(table @ (weights + step), y).mean())
        weights = weights + step
        if now - then < 1e-12:
            break
        now = then
    return weights


def log_loss(score: Floats, y: Floats) -> Floats:
    """Of each outcome: minus the log of the probability that it was given."""
    return np.asarray(np.logaddexp(0.0, score) - y * score)


def _curvature(table: Floats, weights: Floats) -> tuple[Floats, Floats]:
    p = 1.0 / (1.0 + np.exp(-np.clip(table @ weights, -50.0, 50.0)))
    curve = (table * (p * (1.0 - p))[:, None]).T @ table
    ridge = RIDGE * np.trace(curve) + 1e-12
    return p, np.asarray(curve + ridge * np.eye(len(curve)))


def _weight(table: Floats, y: Floats, blocks: Ints) -> Interval:
    """Velocity's weight over all rows; deviation from scores summed by block."""
    weights = fitted(table, y)
    p, curve = _curvature(table, weights)
    count = int(blocks.max()) + 1
    scores = np.stack(
        [np.bincount(blocks, column, count) for column in (table * (y - p)[:, None]).T], axis=1
    )
    there = len(np.unique(blocks))
    if there < 2:
        return UNKNOWN
    inverse = np.linalg.inv(curve)
    variance = inverse @ (scores.T @ scores) @ inverse
    half = Z_95 * few(there) * math.sqrt(float(variance[3, 3]))
    value = float(weights[3])
    return Interval(value, value - half, value + half)


# --- what it says ---------------------------------------------------------------------------------


def verdict_of(found: list[Judged]) -> str:
    """SUPPORTED where a question is answered better with velocity, by Holm and out of sample."""
    if any(each.p_holm < 0.05 and each.gain.low > 0.0 for each in found):
        return "SUPPORTED"
    return "UNDERPOWERED" if any(math.isnan(each.p) for each in found) else "NOT SUPPORTED"


def _study(
    options: VelocityOptions,
    plan: VelocityPlan,
    found: list[Judged],
    data: tuple[list[Rates], Ints],
) -> dict[str, Any]:
    rates, stamps = data
    first, last = (day_of(int(stamps[place])) for place in (0, -1))
    verdict = verdict_of(found)
    return {
        "study": "velocity",
        "title": "Does funding velocity tell what lasts from what goes?",
        "version": __version__,
        "made_by": made_by("lab velocity", asdict(options)),
        "data": [
            {
                "name": "settled funding",
                "files": [path.name for path in options.funding],
                "perpetuals": len(rates),
                "rows": sum(len(each.ms) for each in rates),
                "from": first,
                "to": last,
            }
        ],
        "pre_registration": pre_registration(
            HYPOTHESIS,
            {**asdict(plan), "questions": list(QUESTIONS.values())},
            trials=len(QUESTIONS),
            dates={"first": first, "last": last},
            costs={},
        ),
        "verdict": verdict,
        "n": sum(each.n for each in found),
        "dates": [first, last],
        "claims": claims_of(verdict, found),
        "sentences": _sentences(verdict, found, (len(rates), first, last)),
        "tables": [_table(found)],
        "charts": [_gain_chart(found)],
    }


def claims_of(verdict: str, found: list[Judged]) -> dict[str, dict[str, Any]]:
    """Answers by claim: that velocity tells, and that funding can be predicted at all.

    To tell what lasts from what goes is to call more of them right than one answer for all does:
    where velocity saves log loss and does not do that, the claim stays undecided. Predictable: for
    each question that could be judged the level of now saves log loss, out of sample, over the rate
    at which it came true before.
    """
    told = [each for each in found if not math.isnan(each.known.half)]
    parts = [
        f"whether a rate {QUESTIONS[each.name]}: level saves {_pct(each.known)} of the log loss of "
        f"the rate known before, velocity {_pct(each.gain)} of the rest; {each.right[0]:.1%} are "
        f"called right by level, {each.right[1]:.1%} with velocity, {_one_answer(each):.1%} by one "
        "answer for all "
        f"({each.n:,} outcomes)"
        for each in told
    ]
    said = f"Out of sample, 95 % intervals: {'; '.join(parts)}." if parts else "Too few outcomes."
    status = "undecided"
    if told and all(each.known.low > 0.0 for each in told):
        status = "reproduced"
    elif told and all(each.known.low <= 0.0 for each in told):
        status = "not reproduced"
    n = sum(each.n for each in told)
    velocity = by_verdict(verdict, said, n)
    calls = told and all(each.right[1] > _one_answer(each) for each in told)
    if verdict == "SUPPORTED" and not calls:
        why = "Velocity saves log loss, but calls no more of them right than one answer for all: "
        velocity = {"status": "undecided", "said": f"{why}{said[0].lower()}{said[1:]}", "n": n}
    return {"velocity": velocity, "predictable": {"status": status, "said": said, "n": n}}


def _one_answer(each: Judged) -> float:
    return max(each.base, 1.0 - each.base)


def _sentences(verdict: str, found: list[Judged], span: tuple[int, str, str]) -> list[str]:
    meaning = {
        "SUPPORTED": "velocity adds to what the level of funding says of its next 24 h",
        "NOT SUPPORTED": "velocity adds nothing to what the level of funding says",
        "UNDERPOWERED": "these data cannot tell whether velocity adds to the level of funding",
    }
    count, first, last = span
    said = [f"{verdict}: {meaning[verdict]} ({count} perpetuals, {first} to {last})."]
    for each in found:
        if math.isnan(each.gain.half):
            said.append(
                f"Whether a rate {QUESTIONS[each.name]}: {each.n:,} outcomes, too few to tell."
            )
            continue
        way = "less" if each.weight.value < 0.0 else "more"
        said.append(
            f"Whether a rate {QUESTIONS[each.name]} ({each.n:,} outcomes, {each.base:.0%} did): "
            f"velocity saves {_pct(each.gain)} of the log loss of level alone, p "
            f"{each.p_holm:.3f} after Holm; {each.right[0]:.1%} are called right by level and "
            f"{each.right[1]:.1%} by both. One that just rose is {way} likely to, weight "
            f"{each.weight.value:+.2f} [{each.weight.low:+.2f}, {each.weight.high:+.2f}]."
        )
    said.append(
        "Velocity here is the step between settlements; the slope of the floating rate is not in "
        "settled histories. A rate that reverts because a spike was noise counts as velocity too."
    )
    return said


def _table(found: list[Judged]) -> dict[str, Any]:
    names = [
        ("question", ""), ("outcomes", ""), ("came true", "%"), ("log loss, level", "nats"),
        ("log loss, both", "nats"), ("right, level", "%"), ("right, both", "%"), ("saved", "%"),
        ("low", "%"), ("high", "%"), ("p", ""), ("p Holm", ""), ("weight of velocity", ""),
        ("low", ""), ("high", ""),
    ]  # fmt: skip
    rows = [
        [
            QUESTIONS[each.name], each.n, _rounded(each.base * 100, 1),
            _rounded(each.loss_level), _rounded(each.loss_both),
            *(_rounded(share * 100, 1) for share in each.right),
            *(_rounded(cell * 100, 2) for cell in each.gain), _rounded(each.p),
            _rounded(each.p_holm), *(_rounded(cell, 3) for cell in each.weight),
        ]
        for each in found
    ]  # fmt: skip
    return table("Level against level and velocity", names, rows, "Out of sample, week by week.")


def _gain_chart(found: list[Judged]) -> dict[str, Any]:
    names = [each.name for each in found]
    line = {
        "name": "log loss saved by velocity, with 95 % interval",
        "y": [_rounded(each.gain.value * 100, 2) for each in found],
        "low": [_rounded(each.gain.low * 100, 2) for each in found],
        "high": [_rounded(each.gain.high * 100, 2) for each in found],
    }
    made = chart("points", "What velocity adds to level", ("question", "%"), names, [line])
    return {**made, "x_kind": "words"}


def _pct(each: Interval) -> str:
    return f"{each.value * 100:+.2f} % [{each.low * 100:+.2f}, {each.high * 100:+.2f}]"


def _rounded(value: float, places: int = 4) -> float:
    return round(value, places) if math.isfinite(value) else NAN
