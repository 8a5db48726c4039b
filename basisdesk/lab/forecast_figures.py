"""Figures of what was said, each with its interval by calendar blocks; and the null beside it."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from basisdesk.forecast.abstain import N_EFF_MIN
from basisdesk.forecast.evaluate import Outcomes, auc, brier_skill, ece, report
from basisdesk.forecast.model import LOGIT_MAX, Z_MAX
from basisdesk.lab.forecast_bars import DAY_S, Ints, Rule
from basisdesk.lab.forecast_study import Sample, online, scored, shuffled, told
from basisdesk.market.stats import Z_95

SEEDS_MIN = 3  # worlds under which their spread is not told
LEARNED_MIN = 200  # outcomes before what is said counts: as many as a desk waits for at least
DRAWS = 400
ECE_MAX = 0.04
RIDGE = 5.0  # of the regression in hindsight, outcomes
NEWTON_STEPS = 20
LINES = (0.80, 0.90, 0.95)


class Target(NamedTuple):
    """What the numpy regression of the research reached in its own simulation, by seed."""

    auc: tuple[float, float]
    skill: tuple[float, float]


class Case(NamedTuple):
    """One registered question: a rule, and what is expected of it. None: nothing is."""

    name: str
    rule: Rule
    target: Target | None = None


def judged(case: Case, rows: Sample, until_ns: Ints, seed: int) -> dict[str, Any]:
    """What the model was worth over a sample, against its target and its baselines."""
    said = scored(rows, case.rule, until_ns)
    seen = told(rows, said, LEARNED_MIN)
    out = {"case": case.name, "rule": case.rule.words, **figures(seen, case.rule, seed)}
    out["verdict"] = sterner(out)
    raw = said.raw[said.learned >= LEARNED_MIN]
    auc_interval, skill_interval = _intervals(seen._replace(p=raw), case.rule, seed)
    out["raw"] = {
        "auc": auc(raw, seen.y),
        "auc_interval": auc_interval,
        "skill": brier_skill(raw, seen.y),
        "skill_interval": skill_interval,
        "ece": ece(raw, seen.y),
    }
    out["hindsight"] = hindsight(rows)
    if case.target is not None:
        out["target"] = case.target._asdict()
        out["reached"] = _reached(out, case.target)
        out["reference"] = {
            "auc": where(case.target.auc, out["raw"]["auc_interval"]),
            "skill": where(case.target.skill, out["skill_interval"]),
        }
    return out


def spread(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What one more seed may say, by case: mean, deviation and ends over the seeds.

    range: mean +- 1.96 sd sqrt(1 + 1 / n), where another seed of this world is expected; reference:
    where the two seeds of the research lie of it. Fewer than SEEDS_MIN seeds tell no deviation.
    """
    out = []
    for case in dict.fromkeys(run["case"] for run in runs):
        mine = [run for run in runs if run["case"] == case and "target" in run]
        if len(mine) < SEEDS_MIN:
            continue
        for name, values in (
            ("auc", [run["raw"]["auc"] for run in mine]),
            ("skill", [run["skill"] for run in mine]),
        ):
            mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
            far = Z_95 * sd * math.sqrt(1.0 + 1.0 / len(values))
            aim, ends = mine[0]["target"][name], [mean - far, mean + far]
            out.append(
                {
                    "case": case,
                    "figure": name,
                    "seeds": len(values),
                    "mean": mean,
                    "sd": sd,
                    "least": min(values),
                    "most": max(values),
                    "range": ends,
                    "target": aim,
                    "reference": where(aim, ends).replace("interval", "range"),
                }
            )
    return out


def hindsight(rows: Sample) -> dict[str, float]:
    """What a regression reaches that was fitted to all outcomes at once, and is judged by the same.

    It has seen every answer, so a forecast of the same form stays below it: what it reaches is the
    most that these features hold. Newton's steps with a small ridge; missing features are zero.
    """
    y = rows.events.y.astype(np.float64)
    known = np.nan_to_num(rows.vectors)
    sd = known.std(axis=0)
    z = np.clip((known - known.mean(axis=0)) / np.where(sd > 0.0, sd, 1.0), -Z_MAX, Z_MAX)
    z = np.column_stack((z, np.ones(len(z))))
    weights, p = np.zeros(z.shape[1]), np.full(len(z), 0.5)
    ridge = RIDGE * np.eye(z.shape[1])
    for _ in range(NEWTON_STEPS):
        slope = z.T @ (y - p) - ridge @ weights
        weights += np.linalg.solve((z.T * (p * (1.0 - p))) @ z + ridge, slope)
        p = 1.0 / (1.0 + np.exp(-np.clip(z @ weights, -LOGIT_MAX, LOGIT_MAX)))
    return {"auc": auc(p, y), "skill": brier_skill(p, y)}


def where(reference: tuple[float, float], interval: list[float]) -> str:
    """Where what the two seeds of the reference reached lies, in words: of this interval."""
    low, high = interval
    least, most = min(reference), max(reference)
    if low <= least and most <= high:
        return "within the interval"
    if high < least:
        return "above the interval"
    if most < low:
        return "below the interval"
    return "partly within the interval"


def figures(seen: Outcomes, rule: Rule, seed: int) -> dict[str, Any]:
    """The report of evaluate.py with intervals for AUC and skill, and hits above some lines.

    skill: against the sample's own base rate, which nobody knew: the sterner one.
    """
    whole = report(seen, rule.horizon_s, seed)
    out: dict[str, Any] = {
        **whole._asdict(),
        "gain": whole.gain._asdict(),
        "bars": [bar._asdict() for bar in whole.bars],
        "skill": brier_skill(seen.p, seen.y),
        "auc_z": auc(seen.by_z, seen.y),
        "skill_of_z": brier_skill(seen.by_z, seen.y),
        "skill_of_base": brier_skill(seen.base, seen.y),
        "above": [_above(seen, line) for line in LINES],
    }
    out["auc_interval"], out["skill_interval"] = _intervals(seen, rule, seed)
    return out


def sterner(out: Mapping[str, Any]) -> str:
    """The verdict of figures, base rate first: no gain over z-bins makes up for a skill below it.

    Where nothing can be known the z-bins lose to the base rate by their own noise, and anything
    that only repeats the base rate is better than they are.
    """
    low, high = out["skill_interval"]
    known = str(out["verdict"])
    if out["n_eff"] < N_EFF_MIN:
        return f"{known}, and so far worse than the base rate" if high < 0.0 else known
    if high < 0.0:
        return "worse than the base rate"
    if low <= 0.0:
        held = "not enough evidence: the interval against the base rate holds zero"
        return f"{held}; {known}" if known.startswith("worse") else held
    if known.startswith("better"):
        return "better than the base rate and than z-bins"
    return f"better than the base rate; against z-bins {known}"


def null(case: Case, rows: Sample, seed: int) -> dict[str, Any]:
    """The same with outcomes of other times, of which nothing can be known.

    skill_base: against the base rate that was known when each was said, interval by calendar
    blocks. holds: that interval holds zero.
    """
    mixed = shuffled(rows, _block_s(case.rule), seed)
    said = scored(mixed, case.rule, online(mixed))
    seen = told(mixed, said, LEARNED_MIN)
    figure = figures(seen, case.rule, seed)
    low, high = _base_interval(seen, case.rule, seed)
    return {
        "case": case.name,
        "n": figure["n"],
        "n_eff": figure["n_eff"],
        "auc": figure["auc"],
        "auc_interval": figure["auc_interval"],
        "skill_base": figure["skill_base"],
        "skill_base_interval": [low, high],
        "gain": figure["gain"],
        "holds": low <= 0.0 <= high,
        "verdict": figure["verdict"],
    }


def _reached(out: dict[str, Any], target: Target) -> dict[str, bool]:
    """Within noise: the upper end of the interval is not below what the weaker seed reached.

    AUC is of the model alone, as the target was: a calibrator that moves in time mixes the order of
    its p. Skill and ECE are of p, which is what the desk shows.
    """
    return {
        "auc": out["raw"]["auc_interval"][1] >= min(target.auc),
        "skill": out["skill_interval"][1] >= min(target.skill),
        "ece": out["ece"] < ECE_MAX,
    }


def _above(seen: Outcomes, line: float) -> dict[str, float]:
    acted = seen.p >= line
    some = bool(acted.any())
    return {
        "p": line,
        "coverage": float(acted.mean()) if len(acted) else math.nan,
        "hits": float(seen.y[acted].mean()) if some else math.nan,
        "net_bp": float(seen.net_bp[acted].mean()) if some else math.nan,
    }


# --- intervals by calendar blocks -----------------------------------------------------------------


def _block_s(rule: Rule) -> float:
    return max(3.0 * rule.horizon_s, 5.0 * DAY_S)


def _drawn(seen: Outcomes, rule: Rule, seed: int) -> list[Ints]:
    """Rows of each bootstrap draw: calendar blocks with repetition."""
    if not len(seen.t_s):
        return []
    block = ((seen.t_s - seen.t_s[0]) // _block_s(rule)).astype(np.int64)
    groups = [np.flatnonzero(block == each) for each in np.unique(block)]
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(groups), size=(DRAWS, len(groups)))
    return [np.concatenate([groups[k] for k in row]) for row in picks.tolist()]


def _intervals(seen: Outcomes, rule: Rule, seed: int) -> tuple[list[float], list[float]]:
    """95 % of AUC and of skill against the sample's own base rate."""
    values = [
        (auc(seen.p[rows], seen.y[rows]), brier_skill(seen.p[rows], seen.y[rows]))
        for rows in _drawn(seen, rule, seed)
    ]
    return _ends([v[0] for v in values]), _ends([v[1] for v in values])


def _base_interval(seen: Outcomes, rule: Rule, seed: int) -> list[float]:
    """95 % of skill against the running base rate, which is what a desk would have known."""
    return _ends(
        [
            brier_skill(seen.p[rows], seen.y[rows], seen.base[rows])
            for rows in _drawn(seen, rule, seed)
        ]
    )


def _ends(values: list[float]) -> list[float]:
    kept = np.array([value for value in values if math.isfinite(value)])
    if not len(kept):
        return [-math.inf, math.inf]
    low, high = np.quantile(kept, (0.025, 0.975))
    return [float(low), float(high)]
