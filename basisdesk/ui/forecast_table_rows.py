"""The 44 features and the newest candidates as rows of tables. Pure, no Qt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from basisdesk.forecast.outside import GROUP as OUTSIDE
from basisdesk.forecast.table import FEATURES, GROUPS, INDEX, WARM_S
from basisdesk.forecast.view import FeatureRow, ForecastView, PairForecast, Signal
from basisdesk.forecast.words import Score
from basisdesk.ui.figures import NOTHING, number_text, sign_text, span_text
from basisdesk.ui.forecast_rows import WEIGHT_MIN
from basisdesk.ui.forecast_texts import pct_text, short_side
from basisdesk.ui.leg_words import coin_of, legs_text
from basisdesk.ui.times import clock_text, date_text, zone_text

NAN = math.nan
MILLI = 1_000  # a logit is shown in thousandths
APART_MAX = 1e-6  # by which contributions and bias may miss the logit: float64 sums of 44
S_NS = 1_000_000_000
HOUR_NS = 3_600 * S_NS
SIGNED = frozenset({"edge", "slope", "sd_ratio", "depth_rel", "corr", "hour_sin", "hour_cos"})
PLACES = {"bp": 1, "bp/8h": 2, "bp/h": 2, "sd": 2, "min": 1}
_FLIPS = frozenset(feature.name for feature in FEATURES if feature.flips)


@dataclass(frozen=True, slots=True)
class FeatureLine:
    """One feature in the table. milli: its part of the logit in thousandths, as shown.

    state: "", "warming" or "missing". row: what it was made of. z, part: to sort by, NaN where
    missing. share: of the largest part, -1 to 1; None where there is none.
    """

    name: str
    group: str
    shown: str
    z_shown: str
    part_shown: str
    state: str
    share: float | None
    idle: bool
    row: FeatureRow = field(compare=False)
    z: float = field(default=NAN, compare=False)
    part: float = field(default=NAN, compare=False)


@dataclass(frozen=True, slots=True)
class Foot:
    """The sum below the table, of the figures as they are shown. right: it adds up."""

    text: str
    tip: str = ""
    right: bool = True


# --- features -------------------------------------------------------------------------------------


def value_text(name: str, unit: str, value: float) -> str:
    """A value with its unit: "+68.4 bp", "0.43", "62 % a year"; an en dash where missing."""
    if not math.isfinite(value):
        return NOTHING
    if unit == "a year":
        return f"{number_text(100 * value, 1)} % a year"
    if unit == "0/1":
        return "yes" if value else "no"
    places = PLACES.get(unit, 2)
    signed = name in SIGNED or name in _FLIPS or unit == "sd"
    write = sign_text if signed else number_text
    return f"{write(value, places)} {unit}".strip()


def thousandths(parts: Sequence[float], total: int) -> list[int]:
    """Each part in thousandths so that they sum to the total, largest remainder first.

    None is more than a thousandth from its exact value. Where the total is not theirs, each is
    rounded for itself.
    """
    exact = [part * MILLI for part in parts]
    floors = [math.floor(part) for part in exact]
    lacks = total - sum(floors)
    lost = [part - floor for part, floor in zip(exact, floors, strict=True)]
    inexact = sorted((i for i in range(len(lost)) if lost[i] > 0), key=lambda i: -lost[i])
    if not 0 <= lacks <= len(inexact):
        return [round(part) for part in exact]
    for i in inexact[:lacks]:
        floors[i] += 1
    return floors


def _shown_sum(score: Score) -> tuple[int, int, int]:
    """(parts together, bias, logit) in thousandths: the parts are what the other two leave."""
    bias, logit = round(score.bias * MILLI), round(score.logit * MILLI)
    return logit - bias, bias, logit


def feature_lines(here: PairForecast | None, *, learned: bool = True) -> list[FeatureLine]:
    """The table of features; the parts shown sum to what the foot shows.

    learned: the model has learned; before, there is nothing to be a deviation of, and no part.
    """
    rows = here.rows if here is not None else ()
    if here is None or not rows:
        return []
    score = here.score if learned else None
    parts = [row.contribution for row in rows]
    milli = thousandths(parts, _shown_sum(score)[0]) if score is not None else [0] * len(rows)
    most = max((abs(part) for part in parts), default=0.0) if score is not None else 0.0
    idle = score is not None and score.weight < WEIGHT_MIN
    return [
        replace(_line(row, part, most, learned), idle=idle)
        for row, part in zip(rows, milli, strict=True)
    ]


def _line(row: FeatureRow, milli: int, most: float, learned: bool) -> FeatureLine:
    gone = bool(row.missing)
    state = "missing" if gone else ("warming" if row.warming else "")
    bare = gone or not most
    return FeatureLine(
        name=row.name,
        group=row.group,
        shown=value_text(row.name, row.unit, row.value),
        z_shown=NOTHING if gone or not learned else sign_text(row.z, 2),
        part_shown=NOTHING if bare else sign_text(milli / MILLI, 3),
        state=state,
        share=None if bare else round(row.contribution / most, 2),
        idle=False,
        row=row,
        z=NAN if gone or not learned else row.z,
        part=NAN if bare else row.contribution,
    )


def feature_tip(row: FeatureRow) -> str:
    """Formula, window, source, and why there is no value or only a young one."""
    lines = [
        f"{row.name} = {row.formula}",
        f"Group {row.group}, {(GROUPS | OUTSIDE).get(row.group, '')}. Window: {row.window}.",
        f"Source: {row.source}.",
    ]
    if row.missing:
        lines.append(f"{row.missing[:1].upper()}{row.missing[1:].rstrip('.')}.")
    elif row.warming:
        needs_s = float(WARM_S[INDEX[row.name]])
        lines.append(f"Warming: its memory is full after {span_text(needs_s)} of quotes.")
    if row.name == "hl_log" and math.isfinite(row.value):
        lines.append(f"Half-life {span_text(60 * math.exp(min(row.value, 20.0)))}.")
    return "\n".join(lines)


def group_text(group: str) -> str:
    """A group with its letter: "A basis"."""
    return f"{group} {(GROUPS | OUTSIDE).get(group, '')}".strip()


def missing_text(lines: Sequence[FeatureLine]) -> str:
    """How many of the features are missing or young."""
    if not lines:
        return ""
    gone = sum(1 for line in lines if line.state == "missing")
    young = sum(1 for line in lines if line.state == "warming")
    parts = [f"{gone} of {len(lines)} missing" if gone else f"all {len(lines)} heard"]
    if young:
        parts.append(f"{young} warming")
    return ", ".join(parts)


def foot_of(here: PairForecast | None, *, learned: bool = True) -> Foot:
    """What the parts add up to. In doubt it says by how much they miss."""
    score = here.score if here is not None else None
    if score is None:
        return Foot("")
    if not learned:
        return Foot("Nothing is learned yet: no feature speaks for or against.")
    together = math.fsum(score.contributions.tolist())
    apart = together + score.bias - score.logit
    parts, bias, logit = (sign_text(x / MILLI, 3) for x in _shown_sum(score))
    beside = f"+ {bias.lstrip('+')}" if not bias.startswith("\u2212") else f"\u2212 {bias[1:]}"
    text = f"{parts} {beside} bias = logit {logit} \u2192 raw {pct_text(score.raw)}{_told(score)}"
    tip = (
        "The parts of all 44 features, missing ones at nothing, and the bias make the logit of the "
        "model's own probability, raw. The curve of outcomes makes it the calibrated one, and that "
        "and the base rate, by the weight the model has earned over it, the one that is told. "
        "While the weight is 0 % the features speak and change nothing."
    )
    if abs(apart) > APART_MAX * max(1.0, abs(score.logit)):
        return Foot(f"The parts miss the logit by {sign_text(apart, 6)}.", tip, right=False)
    return Foot(text, tip)


def _told(score: Score) -> str:
    # from the model's own probability to the one that is told
    if not math.isfinite(score.weight):
        return f" \u2192 calibrated {pct_text(score.p)}"
    return (
        f" \u2192 calibrated {pct_text(score.own)} \u2192 with base rate {pct_text(score.base)},"
        f" the model by weight {pct_text(score.weight, 0)}: {pct_text(score.p)}"
    )


# --- candidates -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One candidate. word: trade, no trade or abstain. net: NaN until it is released.

    p: NaN where the forecast abstained: what may not be acted upon is not shown as a figure.
    """

    id: int
    t_ns: int
    time: str
    coin: str
    legs: str
    side: str
    score: str
    word: str
    why: str
    end: str
    net_shown: str
    tone: str
    yours: str
    signal: Signal = field(compare=False)
    p: float = field(default=NAN, compare=False)
    net: float = field(default=NAN, compare=False)


ENDS = {"target": "target", "stop": "stop", "time": "time", "liquidated": "liquidated"}


def signal_rows(view: ForecastView | None, utc: bool) -> list[SignalRow]:
    """The newest candidates, the newest first."""
    if view is None:
        return []
    horizon_ns = round(view.horizon_h * HOUR_NS) if math.isfinite(view.horizon_h) else 0
    return [_signal(each, utc, horizon_ns) for each in view.signals]


def _signal(signal: Signal, utc: bool, horizon_ns: int) -> SignalRow:
    candidate, label = signal.candidate, signal.label
    spot, _, perp = candidate.pair.partition(" ")
    word, _, why = candidate.decision.partition(": ")
    net = label.net_bp if label is not None else NAN
    due = clock_text(candidate.t_ns + horizon_ns, utc)[:5] if horizon_ns else ""
    end = ENDS[label.how] if label is not None else (f"until {due}" if due else "open")
    return SignalRow(
        id=candidate.id,
        t_ns=candidate.t_ns,
        time=clock_text(candidate.t_ns, utc),
        coin=coin_of(spot) if perp else candidate.pair,
        legs=legs_text(spot, perp) if perp else "",
        side=short_side(candidate.direction),
        score=NOTHING if word == "abstain" else number_text(100 * candidate.p, 1),
        word=word,
        why=f"{signal.override}; {why}" if signal.override else why,
        end=end,
        net_shown=sign_text(net, 1),
        tone="" if label is None else ("gain" if net > 0 else "loss"),
        yours="" if signal.would is None else ("trade" if signal.would else "not"),
        signal=signal,
        p=NAN if word == "abstain" else candidate.p,
        net=net,
    )


def signal_tip(row: SignalRow, utc: bool) -> str:
    """When and by what model it was noted, what was made of it, and how it ended."""
    candidate, label = row.signal.candidate, row.signal.label
    when = f"{date_text(candidate.t_ns, utc)} {zone_text(utc, candidate.t_ns)}"
    lines = [
        f"Candidate {candidate.id}, {when}, model {candidate.version}.",
        f"Decision: {candidate.decision}",
        f"Told then: {pct_text(candidate.p)}, the model alone {pct_text(candidate.raw)}.",
        *([f"You {row.signal.override}."] if row.signal.override else []),
        *([f"Regime then: {row.signal.regime}."] if row.signal.regime else []),
        f"Features {candidate.features_hash}. Costs then {number_text(candidate.cost_bp, 1)} bp.",
    ]
    if label is None:
        lines.append("Its outcome is told at its horizon, not before.")
    else:
        held = span_text((label.t_first_ns - candidate.t_ns) / S_NS)
        lines.append(
            f"Ended by {label.how} after {held}: net {sign_text(label.net_bp, 1)} bp, worst"
            f" {sign_text(label.mae_bp, 1)}, best {sign_text(label.mfe_bp, 1)} on the way."
        )
    return "\n".join(lines)


def signals_text(view: ForecastView | None) -> str:
    """How many candidates are under way, and how many outcomes could not be known."""
    if view is None:
        return ""
    voids = sum(view.voids.values())
    lost = f", {voids:,} not knowable" if voids else ""
    return f"{view.open_labels:,} open, {view.n_learned:,} learned from{lost}"


def signals_tip(view: ForecastView | None) -> str:
    """The registered rule, and why outcomes were lost."""
    if view is None:
        return ""
    voids = "; ".join(f"{n:,} because {why}" for why, n in sorted(view.voids.items()))
    return f"{view.rules}\n{f'Not knowable: {voids}.' if voids else ''}".strip()
