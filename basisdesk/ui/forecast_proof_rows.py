"""How good the forecast was so far, as text and as points of a curve. Pure, no Qt."""

import math
from dataclasses import dataclass, field, replace

from basisdesk.forecast.abstain import N_EFF_MIN
from basisdesk.forecast.evaluate import BIN_MIN, BINS, Bar, Interval, Report
from basisdesk.forecast.signal_score import REGIME_MIN
from basisdesk.forecast.view import ForecastView, RegimeSkill
from basisdesk.ui.facts import Fact
from basisdesk.ui.figures import NOTHING, number_text, sign_text
from basisdesk.ui.forecast_rows import NO_FORECAST, Verdict
from basisdesk.ui.forecast_texts import OUTCOMES_MIN, between_text, few_text, hours_text, pct_text
from basisdesk.ui.glossary import term
from basisdesk.ui.times import clock_text, date_text, zone_text

NO_REGIMES = "No outcome yet of a candidate whose regime was noted."
REGIME_TIP = (
    f"{term('Skill')} Here against the base rate of that very regime, which nobody knew before: "
    f"the sterner of the two. Under {REGIME_MIN} outcomes nothing is said."
)
NO_CURVE = "No outcome yet. Each candidate is told at its horizon."


@dataclass(frozen=True, slots=True)
class RegimeRow:
    """One kind of market. n, base_value, skill_value: to sort by, NaN where nothing is said."""

    name: str
    count: str
    base: str
    skill: str
    interval: str
    tone: str
    tip: str
    n: int = field(compare=False)
    base_value: float = field(compare=False)
    skill_value: float = field(compare=False)


def regime_rows(view: ForecastView | None) -> list[RegimeRow]:
    """A row of each regime that had outcomes."""
    return [_regime(each) for each in view.skill.regimes] if view is not None else []


def _regime(each: RegimeSkill) -> RegimeRow:
    enough = each.n >= REGIME_MIN
    figure, interval, tone = few_text(each.n), "", "muted"
    if enough and math.isfinite(each.skill):
        bounds = f"{sign_text(100 * each.low, 1)} to {sign_text(100 * each.high, 1)}"
        known = math.isfinite(each.low) and math.isfinite(each.high)
        figure, interval = sign_text(100 * each.skill, 1), bounds if known else "none yet"
        tone = "gain" if each.low > 0.0 else ("loss" if each.high < 0.0 else "")
    elif enough:
        figure = "all alike"
    tip = f"{each.n:,} outcomes; {REGIME_MIN} are needed."
    if enough:
        tip = f"{figure} %, 95 % interval: {interval or 'none'}. {REGIME_TIP}"
    return RegimeRow(
        name=each.regime,
        count=f"{each.n:,}",
        base=number_text(100 * each.base_rate, 1) if enough else NOTHING,
        skill=figure,
        interval=interval,
        tone=tone,
        tip=tip,
        n=each.n,
        base_value=each.base_rate if enough else math.nan,
        skill_value=each.skill,
    )


@dataclass(frozen=True, slots=True)
class Reliability:
    """The curve. note: the sentence in its place, "" where dots are drawn."""

    points: tuple[Bar, ...] = ()
    bin_width: float = 1.0 / BINS
    note: str = ""
    tip: str = ""

    @property
    def said(self) -> str:
        """For a screen reader."""
        told = [point_tip(point) for point in self.points if point.enough]
        return self.note or " ".join(told)


def reliability_of(view: ForecastView | None) -> Reliability:
    """The bins of the last report."""
    report = view.skill.report if view is not None else None
    tip = term("Reliability")
    if report is None or not report.n:
        return Reliability(note=NO_CURVE if view is not None else NO_FORECAST, tip=tip)
    if any(bar.enough for bar in report.bars):
        return Reliability(report.bars, tip=tip)
    most = max((bar.n for bar in report.bars), default=0)
    note = f"A dot needs {BIN_MIN} outcomes; the fullest bin has {most}."
    return Reliability(report.bars, note=note, tip=tip)


def point_tip(bar: Bar) -> str:
    """One bin in words."""
    few = "" if bar.enough else f" Under {BIN_MIN} outcomes it has no dot."
    return (
        f"Said {pct_text(bar.said)}, came true {pct_text(bar.came)}"
        f" ({between_text(bar.low, bar.high)}) of {bar.n:,}.{few}"
    )


def proof_of(view: ForecastView | None) -> Verdict:
    """What may be claimed. Without enough outcomes nothing is, and that is no fault."""
    report = view.skill.report if view is not None else None
    if view is None:
        return Verdict(NO_FORECAST, "muted")
    if report is None or not report.n or view.n_eff < N_EFF_MIN:
        text = f"Not enough evidence: {effective_text(view)} effective outcomes of {N_EFF_MIN:.0f}"
        return Verdict(text, "muted", term("Effective outcomes"))
    text = f"{report.verdict[:1].upper()}{report.verdict[1:]}"
    tones = {"better than z-bins": "gain", "worse than z-bins": "loss"}
    return Verdict(text, tones.get(report.verdict, "muted"), term("z-bins"))


def effective_text(view: ForecastView) -> str:
    """Effective outcomes as they are counted everywhere: what was learned from up to now."""
    return f"{view.n_eff:.0f}"


def facts_of(view: ForecastView | None, utc: bool) -> tuple[Fact, ...]:
    """The figures beside the curve."""
    if view is None:
        return ()
    report = view.skill.report
    known = report if report is not None and report.n >= OUTCOMES_MIN else None
    few = few_text(report.n if report is not None else 0) if view.n_learned else NOTHING
    facts = (*_skill_facts(known, view), _drift_fact(view), *_trade_facts(known))
    if known is None:
        facts = tuple(replace(each, text=few) if each.text == NOTHING else each for each in facts)
    return (_age_fact(view, utc), *facts, _words_fact(view), *_model_facts(view))


def _age_fact(view: ForecastView, utc: bool) -> Fact:
    """When the figures below were worked out, and of how many outcomes."""
    skill, tip = view.skill, "When the figures of this list were worked out: each minute at most."
    of = skill.report.n if skill.report is not None else 0
    if not skill.t_ns or not of:
        return _fact("As of", NOTHING, tip)
    when = f"{date_text(skill.t_ns, utc)} {zone_text(utc, skill.t_ns)}"
    text = f"{clock_text(skill.t_ns, utc)} {zone_text(utc, skill.t_ns)}"
    return _fact("As of", text, f"{tip} {when}, of {of:,} outcomes.")


def _fact(name: str, text: str, tip: str, meaning: str = "") -> Fact:
    return Fact(name, text, meaning or ("muted" if text == NOTHING else ""), tip)


def _skill_facts(report: Report | None, view: ForecastView) -> tuple[Fact, ...]:
    n = view.n_learned
    outcomes = f"{n:,}, {effective_text(view)} effective" if n else "none yet"
    return (
        _fact("Outcomes", outcomes, term("Effective outcomes"), "" if n else "muted"),
        _fact("Base rate", pct_text(report.base_rate) if report else NOTHING, term("Base rate")),
        _fact("Brier", number_text(report.brier, 4) if report else NOTHING, term("Brier")),
        _fact("Over base rate", _base_text(report), term("Skill")),
        _fact("Over z-bins", _z_text(report), f"{term('Skill')} {term('z-bins')}"),
        _fact("ECE", pct_text(report.ece) if report else NOTHING, term("ECE")),
    )


def skill_text(skill: float, gain: Interval | None, brier: float) -> str:
    """A skill with its interval: "+8.2 % (\u22121.0 to +15.3)".

    The interval is that of the difference of the two Brier scores, as a part of the other one's:
    what resampling does to the divisor is left out.
    """
    if not math.isfinite(skill):
        return NOTHING
    text = f"{sign_text(100 * skill, 1)} %"
    other = brier / (1.0 - skill) if skill < 1.0 else math.nan
    bounds = (gain.low, gain.high) if gain is not None else (math.nan, math.nan)
    if not all(math.isfinite(x) for x in (*bounds, other)) or not other > 0.0:
        return f"{text} (no interval)"
    low, high = (sign_text(100 * bound / other, 1) for bound in bounds)
    return f"{text} ({low} to {high})"


def _z_text(report: Report | None) -> str:
    return skill_text(report.skill_z, report.gain, report.brier) if report else NOTHING


def _base_text(report: Report | None) -> str:
    if report is None:
        return NOTHING
    gain = getattr(report, "gain_base", None)
    return skill_text(report.skill_base, gain, report.brier)


def _trade_facts(report: Report | None) -> tuple[Fact, ...]:
    coverage, net, hold = NOTHING, NOTHING, NOTHING
    tone = ""
    if report is not None:
        coverage = f"{pct_text(report.coverage)}, {report.trades:,} of {report.n:,}"
        if report.trades:
            net = hold = few_text(report.trades)
        if report.trades >= OUTCOMES_MIN:
            net = f"{sign_text(report.net_bp, 1)} bp"
            tone = "gain" if report.net_bp > 0 else "loss"
            hold = hours_text(report.p90_h)
    return (
        _fact("Coverage", coverage, term("Coverage")),
        _fact("Net a trade", net, "Mean net of those above p*, after all costs.", tone),
        _fact("AUC", number_text(report.auc, 3) if report else NOTHING, term("AUC")),
        _fact("Hold, 9 of 10", hold, "So long nine of ten of those were held at most."),
    )


def _words_fact(view: ForecastView) -> Fact:
    """What came of the candidates that a person spoke of."""
    said, tip = view.overrides, term("Your word")
    if not said.n:
        return _fact("Your word", NOTHING, f"{tip} You have not spoken of any yet.")
    if not said.told:
        return _fact("Your word", f"{said.n:,}, none told yet", tip, "muted")
    you, model = sign_text(said.person_bp, 1), sign_text(said.model_bp, 1)
    if said.told < OUTCOMES_MIN:
        return _fact("Your word", f"{few_text(said.told)}, {said.n:,} said", tip, "muted")
    tip += f" A candidate, {said.told:,} of {said.n:,} told: you {you} bp, forecast {model} bp."
    return _fact("Your word", f"you {you}, it {model} bp", tip)


def _drift_fact(view: ForecastView) -> Fact:
    tip = term("Drift")
    if view.drift:
        last = view.drift[-1]
        tip += f" Last: {last.text}."
    if view.review:
        return _fact("Drift", "under review", f"{tip} Now: {view.review}.", "warn")
    if not view.skill.drift_n:
        return _fact("Drift", NOTHING, f"{tip} No outcome has been looked at yet.")
    if view.skill.drift_n < OUTCOMES_MIN:
        return _fact("Drift", few_text(view.skill.drift_n), tip, "muted")
    loss = number_text(view.skill.drift_loss, 2)
    return _fact("Drift", f"none, loss {loss} of {view.skill.drift_n:,}", tip)


def _model_facts(view: ForecastView) -> tuple[Fact, ...]:
    cost = f"{number_text(view.beat_us, 0)} us a pair and beat, " if view.beat_us > 0 else ""
    tip = (
        f"Kind, registered rule and outcomes learned from: {view.n_learned:,}. {cost}"
        f"{number_text(view.journal_mb, 1)} MB of samples."
    )
    return (
        _fact("Asked above p*", pct_text(view.margin, 0), term("p*")),
        _fact("Model", view.model or NOTHING, tip),
    )
