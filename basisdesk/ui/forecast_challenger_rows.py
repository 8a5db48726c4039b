"""The challengers beside our own model, as rows of a table. Pure, no Qt."""

import math
from dataclasses import dataclass, field

from basisdesk.forecast.abstain import N_EFF_MIN
from basisdesk.forecast.challenge import BASE, NO_RIVER, OFF, OURS, Challenge, Rival
from basisdesk.forecast.view import ForecastView
from basisdesk.ui.figures import NOTHING, number_text, sign_text
from basisdesk.ui.forecast_rows import NO_FORECAST, Verdict
from basisdesk.ui.forecast_texts import OUTCOMES_MIN, few_text

NAN = math.nan
NAMES = {OURS: "basisdesk, ours"}
TIP = (
    "Models of river beside ours, in a process of their own: a logistic regression and an adaptive"
    " tree. They hear the same candidates and the same outcomes, as late as ours does, and their"
    " probabilities are calibrated the same way. Nothing trades by them."
)
SWITCH = "Switch them on with challengers = true under [forecast] in settings.toml."


@dataclass(frozen=True, slots=True)
class RivalRow:
    """One of them. brier, skill, auc: to sort by, NaN where unknown."""

    name: str
    count: str
    brier_shown: str
    skill_shown: str
    auc_shown: str
    tone: str
    tip: str = field(compare=False)
    n: int = field(default=0, compare=False)
    brier: float = field(default=NAN, compare=False)
    skill: float = field(default=NAN, compare=False)
    auc: float = field(default=NAN, compare=False)


def rival_rows(view: ForecastView | None) -> list[RivalRow]:
    """Ours, the challengers, and the base rate that all have to beat."""
    return [] if view is None else [_row(each) for each in view.challenge.rivals]


def challenge_said(view: ForecastView | None) -> Verdict:
    """What the challengers are doing, in one line."""
    if view is None:
        return Verdict(NO_FORECAST, "muted", TIP)
    here = view.challenge
    if here.state == OFF:
        return Verdict(f"Challengers: {OFF}.", "muted", f"{TIP} {SWITCH}")
    if not here.running:
        tone = "muted" if here.state == NO_RIVER else "warn"
        return Verdict(f"Challengers: {here.state}.", tone, TIP)
    lost = f", {here.lost:,} rows lost" if here.lost else ""
    return Verdict(f"{_evidence(here)}{lost}.", "muted", f"{TIP} Now: {here.state}.")


def empty_text(view: ForecastView | None) -> str:
    """What stands in place of the rows."""
    if view is None:
        return NO_FORECAST
    if not view.challenge.running:
        return "No challenger is heard."
    return "No table yet. It comes within seconds after the first candidate."


def _evidence(here: Challenge) -> str:
    if not here.n:
        return f"Challengers: {here.waiting:,} candidates wait for their end"
    few = f", too few to tell: {N_EFF_MIN:.0f} are asked for" if here.n_eff < N_EFF_MIN else ""
    return f"{here.n:,} common outcomes, {number_text(here.n_eff, 0)} effective{few}"


def _row(each: Rival) -> RivalRow:
    enough = each.n >= OUTCOMES_MIN
    known = (each.brier, each.skill, each.auc, each.log_loss) if enough else (None,) * 4
    brier, skill, auc, loss = (NAN if x is None else x for x in known)
    bounded = enough and each.low is not None and each.high is not None
    sure = bounded and (each.low or 0.0) * (each.high or 0.0) > 0.0
    return RivalRow(
        name=NAMES.get(each.name, each.name),
        count=f"{each.n:,}" if each.n else NOTHING,
        brier_shown=number_text(brier, 4),
        skill_shown=_skill_shown(each, bounded=bounded),
        auc_shown=number_text(auc, 3),
        tone=("gain" if skill > 0.0 else "loss") if sure else "",
        tip=f"Log-loss {number_text(loss, 3)} of {each.n:,} outcomes that all of them heard.",
        n=each.n,
        brier=brier,
        skill=skill,
        auc=auc,
    )


def _skill_shown(each: Rival, *, bounded: bool) -> str:
    if each.n < OUTCOMES_MIN:
        return few_text(each.n) if each.n else NOTHING
    return NOTHING if each.name == BASE else _skill(each, bounded=bounded)


def _skill(each: Rival, *, bounded: bool) -> str:
    if each.skill is None:
        return NOTHING
    text = sign_text(100 * each.skill, 1)
    if not bounded or each.low is None or each.high is None:
        return f"{text} (no interval)"
    return f"{text} ({sign_text(100 * each.low, 1)} to {sign_text(100 * each.high, 1)})"
