"""What the screen reads of the forecast: one object, filled by the app on its own beat.

`ForecastView.pairs` has the pair on the screen, those looked at lately and the pairs held. Each
part is replaced as a whole and never changed in place, so a panel may keep what it read.
"""

from dataclasses import dataclass, field
from math import isnan, nan
from typing import TYPE_CHECKING, NamedTuple

from basisdesk.forecast.challenge import Challenge
from basisdesk.forecast.table import FEATURES, FIRST, Feature

if TYPE_CHECKING:
    from basisdesk.forecast.analogues import Analogues
    from basisdesk.forecast.drift import DriftEvent
    from basisdesk.forecast.evaluate import Report
    from basisdesk.forecast.indicators import Indicator
    from basisdesk.forecast.label_rules import LabelRules
    from basisdesk.forecast.leadlag import LeadLag
    from basisdesk.forecast.words import Candidate, Label, Regime, Score, Vector

PAIRS_MAX = 60
SIGNALS_MAX = 200  # candidates on the screen, the oldest go first

PairKey = tuple[str, str]  # (spot key, perp key), as in Market.pairs


class FeatureRow(NamedTuple):
    """One feature as it stands, a row of the panel's table.

    value: in `unit`, NaN where missing. z: in deviations of what was learned from, seen from the
    side of the trade (0 where missing). contribution: to the logit. missing: why there is no value,
    "" where there is one. warming: its memory is not full yet.
    """

    name: str
    group: str
    unit: str
    window: str
    formula: str
    source: str
    value: float
    z: float
    contribution: float
    missing: str
    warming: bool


class Hold(NamedTuple):
    """Hours until the target, and what they stand on. why: in words where there is no range.

    came, gaps: like gaps of the day that reached the target, and of how many; 0 where the range is
    by the half-life. half_h: of the basis around fair value, half_low_h and half_high_h a standard
    error either way. hours: of basis that all of it was measured on.
    """

    median_h: float = nan
    p90_h: float = nan
    may_never: bool = False
    why: str = ""
    came: int = 0
    gaps: int = 0
    half_h: float = nan
    half_low_h: float = nan
    half_high_h: float = nan
    hours: float = nan


class Due(NamedTuple):
    """One settlement to come. bp: what it should pay this side, of the notional; < 0 costs.

    indicative: the venue's own rate of the running interval; else the mean of the last settlements.
    """

    at_ms: int
    bp: float
    indicative: bool


class Funding(NamedTuple):
    """The settlement calendar, nearest first, and what it pays over the expected hold.

    over_median_bp, over_p90_bp: settlements s with now < s <= now + hold, summed; NaN where the
    hold or the rate is unknown. why: in words where they are.
    """

    dues: tuple[Due, ...] = ()
    over_median_bp: float = nan
    over_p90_bp: float = nan
    why: str = ""


class Bands(NamedTuple):
    """The moving averages of the basis and its band, bp. fast: EW of 5 min, slow: EW of 2 h.

    sd_bp: EW deviation over 2 h; the bands are slow +- k sd. crossed: fast - slow, deviations.
    """

    mid_bp: float = nan
    fast_bp: float = nan
    slow_bp: float = nan
    sd_bp: float = nan
    fair_bp: float = nan
    crossed: float = nan


@dataclass(frozen=True, slots=True)
class PairForecast:
    """What is said of one pair at one beat.

    t_ns: of the beat. direction: +1 long spot and short perp, the side that all of it is for.
    score: None before the first. decision: a sentence, "trade: ...", "no trade: ..." or
    "abstain: ...". vector: as seen for +1; scaled: from the side. warming: names of features whose
    memory is not full. cost_bp: four fees and conversion. target_bp: basis of exit that hold and
    edge are counted to. lead_ns: when `lead` was worked out, 0 for never. why_empty: a sentence
    where there is no score. extras: features behind the 44, of numbers from outside.
    """

    pair: PairKey
    t_ns: int = 0
    direction: int = 1
    held: bool = False
    score: "Score | None" = None
    decision: str = ""
    vector: "Vector | None" = None
    scaled: "Vector | None" = None
    warming: tuple[str, ...] = ()
    stale: str = ""
    cost_bp: float = nan
    target_bp: float = nan
    edge_bp: float = nan
    regime: "Regime | None" = None
    regime_why: str = ""
    hold: Hold = field(default_factory=Hold)
    funding: Funding = field(default_factory=Funding)
    analogues: "Analogues | None" = None
    lead: "LeadLag | None" = None
    lead_ns: int = 0
    bands: Bands = field(default_factory=Bands)
    open_labels: int = 0
    why_empty: str = ""
    extras: tuple[Feature, ...] = ()

    @property
    def rows(self) -> tuple[FeatureRow, ...]:
        """All features in the order of the table; made when asked for. Empty before the first."""
        if self.vector is None:
            return ()
        values = self.vector.tolist()
        scaled = self.scaled.tolist() if self.scaled is not None else [0.0] * len(values)
        parts = self.score.contributions.tolist() if self.score is not None else [0.0] * len(values)
        table = *FEATURES, *self.extras
        return tuple(
            FeatureRow(
                each.name, each.group, each.unit, each.window, each.formula, each.source,
                value, z, part, self._missing(each.name, value), each.name in self.warming,
            )
            for each, value, z, part in zip(table, values, scaled, parts, strict=True)
        )  # fmt: skip

    def _missing(self, name: str, value: float) -> str:
        if not isnan(value):
            return ""
        if self.stale:
            return self.stale
        first_s = FIRST.get(name, 0.0)
        if name in self.warming and first_s:
            return f"missing: comes after {first_s:.0f} s of data"
        return "missing: not heard"


@dataclass(frozen=True, slots=True)
class Signal:
    """One candidate and, once its horizon has passed, how it ended. label: None until then.

    override: what a person would do and why, or "". would: whether that is a trade; None where
    nobody said. regime: of the market then, "" unknown. `candidate.features` is not kept here.
    """

    candidate: "Candidate"
    label: "Label | None" = None
    override: str = ""
    would: bool | None = None
    regime: str = ""

    @property
    def decision(self) -> str:
        """What was made of it, in words."""
        return self.candidate.decision

    @property
    def outcome(self) -> str:
        """How it ended, in words."""
        label = self.label
        if label is None:
            return "open: told at its horizon"
        return f"{'success' if label.y else 'no success'} by {label.how}, net {label.net_bp:.1f} bp"


class RegimeSkill(NamedTuple):
    """How good it was in one kind of market. n: outcomes. base_rate: share of successes.

    skill: Brier skill against that very rate, which nobody knew before; low, high: of 95 %, NaN
    where blocks of time are too few.
    """

    regime: str
    n: int
    base_rate: float = nan
    skill: float = nan
    low: float = nan
    high: float = nan


class Overrides(NamedTuple):
    """What came of the candidates that a person spoke of. told: those whose outcome is known.

    person_bp, model_bp: mean net of a candidate where it was traded and 0 where it was not, by
    what the person said and by what the forecast said.
    """

    n: int = 0
    told: int = 0
    person_bp: float = nan
    model_bp: float = nan


@dataclass(frozen=True, slots=True)
class Skill:
    """How good it was so far, worked out now and then. t_ns: when, 0 for never.

    report: None before the first. curve: (raw, calibrated, outcomes) of the calibrator's blocks.
    drift_loss: mean log-loss of the drift watch's window, nats; drift_n: outcomes that do not
    overlap in it. regimes: of each kind of market that had candidates.
    """

    t_ns: int = 0
    report: "Report | None" = None
    curve: tuple[tuple[float, float, float], ...] = ()
    drift_loss: float = nan
    drift_n: int = 0
    regimes: tuple[RegimeSkill, ...] = ()


@dataclass
class ForecastView:
    """The newest of everything; each part is replaced as a whole, never changed in place.

    version: counts the beats. shown: the pair on the screen. rules: the registered rule in words,
    rule: itself. decided: young candidates whose end is decided, so a chart tells it already.
    overrides: what came of what a person said. model: names the model, n_learned: outcomes it
    learned from, n_eff: of them independent.
    margin: by how much p has to be above p*. review: "" or why drift is under review.
    voids: labels that could not be known, by reason. why_empty: one sentence while there is nothing
    to show. problem: of the disk or of the forecast itself, in words; "" while all is well.
    """

    shown: PairKey | None = None
    pairs: dict[PairKey, PairForecast] = field(default_factory=dict)
    skill: Skill = field(default_factory=Skill)
    signals: tuple[Signal, ...] = ()  # newest first
    drift: tuple["DriftEvent", ...] = ()  # newest last
    overrides: Overrides = field(default_factory=Overrides)
    review: str = ""
    indicators: tuple["Indicator", ...] = ()
    challenge: Challenge = field(default_factory=Challenge)
    rules: str = ""
    rule: "LabelRules | None" = None
    decided: frozenset[int] = frozenset()
    model: str = ""
    horizon_h: float = nan
    n_learned: int = 0
    n_eff: float = 0.0
    margin: float = nan
    open_labels: int = 0
    voids: dict[str, int] = field(default_factory=dict)
    journal_mb: float = 0.0
    beat_us: float = nan  # what the last beat took, a pair
    version: int = 0
    why_empty: str = "Waiting for the first beat."
    problem: str = ""

    @property
    def here(self) -> PairForecast | None:
        """The forecast of the pair on the screen."""
        return self.pairs.get(self.shown) if self.shown is not None else None
