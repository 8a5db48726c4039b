"""What the forecast says of the pair on the screen, as text: probability, decision, and the lines.

Pure, no Qt. What is unknown is an en dash in grey with its reason, never a zero.
"""

import math
import re
from dataclasses import dataclass

from basisdesk.forecast.abstain import CORE, N_EFF_MIN
from basisdesk.forecast.analogues import CASES_MIN
from basisdesk.forecast.table import INDEX, WARM_S
from basisdesk.forecast.view import Due, ForecastView, Hold, PairForecast
from basisdesk.forecast.words import Score
from basisdesk.ui.figures import MINUS, NOTHING, number_text, sign_text, size_text, span_text
from basisdesk.ui.forecast_rule_rows import NAME as RULE
from basisdesk.ui.forecast_rule_rows import rule_text, rule_tip
from basisdesk.ui.forecast_texts import (
    OUTCOMES_MIN,
    between_text,
    few_text,
    hours_text,
    pct_text,
    short_side,
    side_text,
)
from basisdesk.ui.glossary import term
from basisdesk.ui.times import clock_text, moment, zone_text

NAN = math.nan
NO_FORECAST = "No forecast runs here."
NO_PAIR = "No pair is on the screen. Choose one with Ctrl+P."
NO_EVIDENCE = "Not enough evidence"
REASONS_MAX = 2  # that the decision names, the rest is in its tip
DUES_MAX = 3
BAND_SD = 2.0
WEIGHT_MIN = 0.005  # of the model in what is told; under it, it shows as 0 % and is 0
MS_NS = 1_000_000
S_NS = 1_000_000_000
_HYPHEN = re.compile(r"(?<!\w)-(?=\d)")  # words of the pure core have no true minus


@dataclass(frozen=True, slots=True)
class Gauge:
    """The probability and what stands beside it. Shares of 1, NaN where unknown.

    figure: large; wordy where it is no number. tone: of figure and mark, band: of the interval.
    line: what p has to reach, p* and the margin. star: the words at p*. said: all of it for a
    screen reader.
    """

    figure: str = NOTHING
    caption: str = ""
    p: float = NAN
    low: float = NAN
    high: float = NAN
    p_star: float = NAN
    line: float = NAN
    interval: str = ""
    star: str = ""
    tone: str = "muted"
    band: str = "muted"
    tip: str = ""
    wordy: bool = False

    @property
    def known(self) -> bool:
        """Whether there is a probability with an interval to draw."""
        return all(math.isfinite(x) for x in (self.p, self.low, self.high))

    @property
    def said(self) -> str:
        """All of it as one line."""
        return ". ".join(part for part in (self.figure, self.interval, self.star) if part)

    def __eq__(self, other: object) -> bool:
        """Alike on the screen: NaN is as unknown as NaN, and shares count to a thousandth."""
        return isinstance(other, Gauge) and self._look == other._look

    def __hash__(self) -> int:
        return hash(self._look)

    @property
    def _look(self) -> tuple[object, ...]:
        shares = self.p, self.low, self.high, self.p_star, self.line
        rounded = tuple(round(x, 3) if math.isfinite(x) else None for x in shares)
        words = self.figure, self.caption, self.interval, self.star, self.tone, self.band
        return *rounded, *words, self.tip, self.wordy


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision in one sentence. tip: every reason, and the rule."""

    text: str
    tone: str = "text"
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One named line. tone: "muted" where it is not known. tip: what it is and how it is made."""

    name: str
    text: str
    tone: str = "text"
    tip: str = ""


# --- probability and decision ---------------------------------------------------------------------


def gauge_of(view: ForecastView | None) -> Gauge:
    """What the scale shows. Without enough outcomes the figure gives way to these words."""
    here = view.here if view is not None else None
    if view is None or here is None or here.score is None:
        return Gauge(tip=term("Probability"))
    score = here.score
    few, bare = score.n_eff < N_EFF_MIN, view.n_learned < OUTCOMES_MIN
    quiet = few or bool(score.abstain) or bool(view.problem)
    within = f" within {size_text(view.horizon_h)} h" if math.isfinite(view.horizon_h) else ""
    caption = f"chance that {side_text(here.direction)} reaches its profit first,{within}"
    return Gauge(
        figure=NO_EVIDENCE if few else pct_text(score.p),
        caption="" if few else caption.rstrip(","),
        p=NAN if bare else score.p,
        low=NAN if bare else score.low,
        high=NAN if bare else score.high,
        p_star=score.p_star,
        interval=few_text(view.n_learned) if bare else told_text(score, bare=not few),
        line=score.p_star + margin_of(view),
        star=line_text(score, view),
        tone="muted" if quiet else "text",
        band="muted" if quiet else "accent",
        tip=f"{term('Probability')}\n{term('p*')}",
        wordy=few,
    )


def told_text(score: Score, *, bare: bool = False) -> str:
    """Whose word the probability is, with its interval. bare: its figure stands elsewhere.

    "base rate 54.8 % (48.1 to 61.2), model weighs 0 %": what has no weight is not called the
    model's.
    """
    between = between_text(score.low, score.high)
    if not math.isfinite(score.weight):
        return between if bare else f"{pct_text(score.p)} ({between})"
    weighs = f"model weighs {pct_text(score.weight, 0)}"
    name = "base rate " if score.weight < WEIGHT_MIN else ""
    figure = "" if bare else f"{pct_text(score.p)} "
    words = f"{name}{figure}({between})" if name or figure else between
    return f"{words}, {weighs}"


def head_of(view: ForecastView | None, utc: bool, ticket: int = 0) -> Verdict:
    """The side that all of it is for, and when; a warning where the ticket has the other side.

    ticket: +1 or -1 as chosen there, 0 where it is not known.
    """
    here = view.here if view is not None else None
    if here is None or not here.t_ns:
        return Verdict("", "muted")
    side = side_text(here.direction)
    when = f"{clock_text(here.t_ns, utc)} {zone_text(utc, here.t_ns)}"
    text = f"{side[:1].upper()}{side[1:]}{', held' if here.held else ''} \u00b7 as of {when}"
    other = ticket and ticket != here.direction
    if other:
        text += "\nThe ticket has the other side."
    tip = (
        "A pair that is held is seen from its own side, any other from the side of its gap: short "
        "perpetual while the basis is over fair value. Edge, hold, funding and probability are all "
        "of this side, whatever the ticket says."
    )
    return Verdict(text, "warn" if other else "muted", tip)


def verdict_of(view: ForecastView | None) -> Verdict:
    """The decision and why, or why there is none."""
    if view is None:
        return Verdict(NO_FORECAST, "muted")
    if view.problem:
        return Verdict(view.problem, "warn")
    here = view.here
    if here is None:
        return Verdict(view.why_empty or NO_PAIR, "muted")
    score = here.score
    if score is None:
        return Verdict(here.why_empty or view.why_empty, "muted")
    if score.abstain:
        reasons = [reason_text(reason, here) for reason in score.abstain]
        more = len(reasons) - REASONS_MAX
        told = "; ".join(reasons[:REASONS_MAX]) + (f"; and {more} more" if more > 0 else "")
        every = "\n".join(_sentence(reason) for reason in reasons)
        return Verdict(f"Abstains: {told}", "text", f"{every}\n{view.rules}".strip())
    return _against(score, view)


def margin_of(view: ForecastView) -> float:
    """By how much p has to be above p*, 0 to 1."""
    return view.margin if math.isfinite(view.margin) else 0.0


def line_text(score: Score, view: ForecastView) -> str:
    """What p has to reach: "p* 54.0 % + 2 %"."""
    margin = margin_of(view)
    beside = f" + {pct_text(margin, 0)}" if margin > 0 else ""
    return f"p* {pct_text(score.p_star)}{beside}"


def _against(score: Score, view: ForecastView) -> Verdict:
    margin = margin_of(view)
    if score.p >= score.p_star + margin:
        return Verdict(f"Above {line_text(score, view)}: trade", "gain", view.rules)
    star = f"p* {pct_text(score.p_star)}"
    if score.p >= score.p_star:
        return Verdict(f"Above {star}, but not by {pct_text(margin, 0)}: no trade", tip=view.rules)
    return Verdict(f"Below {star}: no trade", tip=view.rules)


def reason_text(reason: str, here: PairForecast) -> str:
    """A reason to abstain in few words; a warm-up says how long it has to go."""
    name, _, rest = reason.rstrip(".").partition(": ")
    if name == "warm-up":
        return warm_text(here) or f"warm-up of {rest}"
    if name == "missing features":
        return f"missing features {rest}"
    return f"{name}, {rest}" if rest else name


def warm_text(here: PairForecast) -> str:
    """How far the slowest memory that a score needs has come: "warm-up, 41 of 360 min"."""
    core = [name for name in CORE if name in here.warming]
    needs_s = max((float(WARM_S[INDEX[name]]) for name in core), default=0.0)
    if not needs_s:
        return ""
    heard_s = float(getattr(here, "heard_s", NAN))
    needs = f"{number_text(needs_s / 60, 0)} min"
    if not math.isfinite(heard_s):
        return f"warm-up, {needs} of quotes are needed"
    heard = number_text(math.floor(min(heard_s, needs_s) / 60), 0)
    return f"warm-up, {heard} of {needs}"


# --- the lines ------------------------------------------------------------------------------------


def lines_of(view: ForecastView | None, utc: bool, now_ns: int) -> tuple[Said, ...]:
    """Everything else that is said of the pair, one named line each."""
    here = view.here if view is not None else None
    if view is None or here is None:
        return () if view is None else (indicators_line(view, now_ns),)
    return (
        hold_line(here),
        funding_line(here),
        dues_line(here, utc, now_ns),
        edge_line(here),
        rule_line(view, here),
        regime_line(here),
        lead_line(here, now_ns),
        cases_line(here),
        bands_line(here),
        indicators_line(view, now_ns),
    )


def _unknown(name: str, why: str, tip: str) -> Said:
    return Said(name, f"{NOTHING} {why}".strip(), "muted", tip)


def hold_line(here: PairForecast) -> Said:
    """Median and 90 % of the time until the target, and what they stand on."""
    hold, tip = here.hold, term("Expected hold")
    half = half_life_text(hold)
    if half:
        tip += f" Now: {half}."
    if hold.may_never:
        why = hold.why or "the target may never be reached"
        return Said("Expected hold", f"may never: {why}", "warn", tip)
    if not math.isfinite(hold.median_h):
        return _unknown("Expected hold", hold.why, tip)
    if not hold.p90_h:
        return Said("Expected hold", "none, the target is reached", tip=tip)
    late = "9 of 10 unknown"
    if math.isfinite(hold.p90_h):
        late = f"9 of 10 within {hours_text(hold.p90_h)}"
    stands = half
    if hold.gaps:
        stands = f"{hold.came:,} of {hold.gaps:,} like gaps closed in {hold.hours:.0f} h"
    text = f"{hours_text(hold.median_h)}, {late}"
    return Said("Expected hold", f"{text}; {stands}" if stands else text, tip=tip)


def half_life_text(hold: Hold) -> str:
    """The half-life with its interval: "half-life 1.5 h (1.0 to 3.3 h) in 24 h of basis"."""
    if not math.isfinite(hold.half_h):
        return ""
    high = f"to {hours_text(hold.half_high_h)}" if math.isfinite(hold.half_high_h) else "or more"
    span = f" in {hold.hours:.0f} h of basis" if math.isfinite(hold.hours) else ""
    low = hours_text(hold.half_low_h)
    return f"half-life {hours_text(hold.half_h)} ({low} {high}){span}"


def funding_line(here: PairForecast) -> Said:
    """What the settlements within the hold pay this side."""
    funding, tip = here.funding, term("Funding over the hold")
    if not math.isfinite(funding.over_median_bp):
        return _unknown("Funding in it", funding.why, tip)
    text = f"{sign_text(funding.over_median_bp, 2)} bp"
    last_ms = here.t_ns // MS_NS + 3_600_000 * max(here.hold.median_h, here.hold.p90_h)
    if funding.dues and last_ms < funding.dues[0].at_ms:
        text += ", no settlement in it"
    elif math.isfinite(funding.over_p90_bp):
        text += f", {sign_text(funding.over_p90_bp, 2)} in the long one"
    return Said("Funding in it", text, tip=f"{tip} {_sentence(funding.why)}".strip())


def dues_line(here: PairForecast, utc: bool, now_ns: int) -> Said:
    """The settlements to come."""
    name, tip = "Settlements", term("Settlement")
    dues = here.funding.dues[:DUES_MAX]
    if not dues:
        return _unknown(name, "the coming settlement is not known", tip)
    text = " \u00b7 ".join(_due_text(due, utc) for due in dues)
    if any(not due.indicative for due in dues):
        tip += " What stands in brackets is the mean of the last settlements."
    return Said(name, f"{text} bp, {zone_text(utc, now_ns)}", tip=tip)


def _due_text(due: Due, utc: bool) -> str:
    figure = sign_text(due.bp, 2)
    return f"{moment(due.at_ms * MS_NS, utc):%H:%M} {figure if due.indicative else f'({figure})'}"


def edge_line(here: PairForecast) -> Said:
    """What an entry now would leave at its target."""
    name, tip = "Edge", term("Edge")
    if not math.isfinite(here.edge_bp):
        return _unknown(name, "no executable basis, or no cost", tip)
    text = (
        f"{sign_text(here.edge_bp, 1)} bp {short_side(here.direction)} to"
        f" {'its target' if here.held else 'fair, left at'} {sign_text(here.target_bp, 1)},"
        f" after {number_text(here.cost_bp, 1)} costs"
    )
    return Said(name, text, tip=tip)


def rule_line(view: ForecastView, here: PairForecast) -> Said:
    """Whose target, stop and horizon p* is of."""
    text, tip = rule_text(view.rule, here), f"{term('p*')} {rule_tip(view.rule)}".rstrip()
    return Said(RULE, text, tip=tip) if text else _unknown(RULE, "no rule is registered", tip)


def regime_line(here: PairForecast) -> Said:
    """What kind of market this is, and why."""
    tip = term("Regime")
    if here.regime is None:
        return _unknown("Regime", here.regime_why, tip)
    tone = "warn" if here.regime == "stress" else "text"
    why = _HYPHEN.sub(MINUS, here.regime_why.replace("+-", "\u00b1"))
    return Said("Regime", f"{here.regime}: {why}", tone, tip)


def lead_line(here: PairForecast, now_ns: int) -> Said:
    """Which leg moves first, with the interval; that none does is an answer too."""
    name, tip, lead = "Lead", term("Lead-lag"), here.lead
    if lead is None:
        return _unknown(name, "not measured yet", tip)
    age = f" Measured {span_text((now_ns - here.lead_ns) / S_NS)} ago." if here.lead_ns else ""
    counts = f" {lead.spot_moves:,} moves of spot, {lead.perp_moves:,} of the perpetual."
    why = _HYPHEN.sub(MINUS, lead.why)
    text = why if lead.leader or not math.isnan(lead.lead_ms) else f"{NOTHING} {why}"
    return Said(name, text, "text" if lead.leader else "muted", f"{tip}{age}{counts}")


def cases_line(here: PairForecast) -> Said:
    """What became of like cases."""
    name, tip, cases = "Similar cases", term("Similar cases"), here.analogues
    if cases is None:
        return _unknown(name, "none remembered yet", tip)
    if cases.n < CASES_MIN:
        return Said(name, f"{cases.n}, too few to tell ({CASES_MIN} are needed)", "muted", tip)
    return Said(name, cases.text.rstrip("."), tip=f"{tip} Mean net {_bp(cases.net_bp)} bp.")


def bands_line(here: PairForecast) -> Said:
    """Fast and slow mean of the basis, and where it stands in its band."""
    bands, name, tip = here.bands, "Means, band", term("MA crossover")
    known = bands.mid_bp, bands.fast_bp, bands.slow_bp, bands.sd_bp
    if not all(math.isfinite(x) for x in known):
        return _unknown(name, "warming up", tip)
    low, high = bands.slow_bp - BAND_SD * bands.sd_bp, bands.slow_bp + BAND_SD * bands.sd_bp
    place = "in" if low <= bands.mid_bp <= high else ("above" if bands.mid_bp > high else "below")
    over = "over" if bands.fast_bp >= bands.slow_bp else "under"
    text = (
        f"5 min {_bp(bands.fast_bp)} {over} 2 h {_bp(bands.slow_bp)} bp"
        f" ({sign_text(bands.crossed, 1)} sd); {_bp(bands.mid_bp)} is {place} the"
        f" \u00b1{BAND_SD:.0f} sd band, {_bp(low)} to {_bp(high)}"
    )
    narrow = math.isfinite(here.cost_bp) and BAND_SD * bands.sd_bp < here.cost_bp
    if narrow:
        tip += (
            f" From its edge to its middle are {number_text(BAND_SD * bands.sd_bp, 1)} bp, less"
            f" than the costs of {number_text(here.cost_bp, 1)} bp: touching it does not pay."
        )
    return Said(name, text, "muted" if narrow else "text", tip)


def indicators_line(view: ForecastView, now_ns: int) -> Said:
    """Numbers from outside, each with age and unit, or that there are none."""
    name, tip = "Outside numbers", term("Outside numbers")
    if not view.indicators:
        return Said(name, "no source", "muted", tip)
    parts, known = [], False
    for each in view.indicators:
        if not math.isfinite(each.value):
            parts.append(f"{each.name}: {each.why}")
            continue
        known = True
        age = span_text(each.age_s(now_ns))
        late = ", late" if each.late(now_ns) else ""
        figure = f"{size_text(each.value, 4)} {each.unit}".strip()
        parts.append(f"{each.name} {figure} ({age} old{late})")
    return Said(name, "; ".join(parts), "text" if known else "muted", tip)


def _bp(value: float) -> str:
    return sign_text(value, 1)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
