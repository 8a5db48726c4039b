"""Challengers beside our own model: the same candidates, the same outcomes, told as late.

A challenger learns an outcome when ours does, at the horizon, and its probability goes through a
calibrator and a trust of its own as ours does (overlapping outcomes counted alike), else one would
win or lose by that alone: one that said what our model says would tell what ours tells. All are
scored on the same outcomes: those whose candidate was noted while the challengers ran.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec
import numpy as np

from basisdesk.errors import extra_from
from basisdesk.forecast.calibration import Calibrator
from basisdesk.forecast.counts import Baselines, Effective
from basisdesk.forecast.evaluate import auc, brier, effective, log_loss, paired
from basisdesk.forecast.model import FINITE_MAX, P_MIN
from basisdesk.forecast.table import NAMES, Feature, mirror_of, sided
from basisdesk.forecast.trust import Trust
from basisdesk.forecast.words import Candidate, Label

OUTCOMES_MAX = 8_192  # scored, the oldest go first
OPEN_MAX = 20_000  # candidates that wait for their end
KNOWN_MAX = 40_000  # candidates remembered by number, so that none is heard twice
DAY_S = 86_400.0

OURS, BASE = "basisdesk", "base rate"
OFF = "off"
NO_RIVER = f"no source: {extra_from('ai')}"

Features = dict[str, float]


class Learner(Protocol):
    """A model of somebody else's. Missing features are left out of `x`."""

    def predict(self, x: Features) -> float:
        """Probability of success; NaN where it has none."""
        ...

    def learn(self, x: Features, y: int) -> None:
        """Take in an outcome."""
        ...


class Noted(msgspec.Struct, frozen=True, tag_field="kind", tag="candidate"):
    """A candidate as a challenger hears it. x: as seen from its side; p: what ours said."""

    id: int
    t_ns: int
    pair: str
    p: float
    x: Features


class Ended(msgspec.Struct, frozen=True, tag_field="kind", tag="outcome"):
    """The end of a candidate, at its horizon."""

    id: int
    y: int
    released_ns: int


Row = Noted | Ended
DECODER = msgspec.json.Decoder[Row](Row)


class Rival(msgspec.Struct, frozen=True):
    """How good one was on the common outcomes. None where it is not known.

    skill: 1 - Brier / Brier of the running base rate; low, high: its 95 % interval by blocks.
    """

    name: str
    n: int = 0
    brier: float | None = None
    log_loss: float | None = None
    skill: float | None = None
    low: float | None = None
    high: float | None = None
    auc: float | None = None


class Challenge(msgspec.Struct, frozen=True):
    """The challengers as they stand. state: a word or a sentence. running: they hear candidates.

    n, n_eff: common outcomes, and how many of them are independent. waiting: candidates without an
    end yet. lost: rows that were not handed over because too many waited.
    """

    state: str = OFF
    running: bool = False
    rivals: tuple[Rival, ...] = ()
    n: int = 0
    n_eff: float = 0.0
    waiting: int = 0
    lost: int = 0


class _Open(NamedTuple):
    noted: Noted
    raw: dict[str, float]  # of each challenger, before calibration
    own: dict[str, float]  # after calibration, before trust
    p: dict[str, float]
    base: float


class Contest:
    """Hears rows, scores everybody. The same rows in the same order give the same figures."""

    def __init__(self, learners: Mapping[str, Learner], horizon_s: float) -> None:
        self.learners = dict(learners)
        self.horizon_s = horizon_s
        self.calibrators = {name: Calibrator() for name in self.learners}
        self.trusts = {name: Trust() for name in self.learners}
        self._effective = Effective(round(horizon_s * 1e9))
        self._baselines = Baselines()
        self._known: dict[int, int] = {}  # t_ns by number
        self._open: dict[int, _Open] = {}
        self._pairs: dict[str, int] = {}
        self._rows: deque[tuple[float, ...]] = deque(maxlen=OUTCOMES_MAX)

    def __len__(self) -> int:
        """Common outcomes that are scored."""
        return len(self._rows)

    @property
    def waiting(self) -> int:
        """Candidates without an end yet."""
        return len(self._open)

    def hear(self, row: Row) -> dict[str, float] | None:
        """Take a row: each challenger's p of a candidate, nothing of an end; None if not new."""
        return self._note(row) if isinstance(row, Noted) else self._end(row)

    def rivals(self, seed: int = 0) -> tuple[Rival, ...]:
        """Everybody on the common outcomes: ours, the challengers, the base rate."""
        names = (OURS, *self.learners, BASE)
        if not self._rows:
            return tuple(Rival(name) for name in names)
        t_s, _, y, base, *told = np.array(self._rows, dtype=np.float64).T
        base_brier = brier(base, y)
        found = []
        for name, p in zip(names, (*told, base), strict=True):
            skill: tuple[float, ...] = (math.nan,) * 3
            if name != BASE and base_brier > 0.0:
                block_s = max(3.0 * self.horizon_s, DAY_S)
                gain = paired((p - y) ** 2, (base - y) ** 2, t_s, block_s, seed)
                skill = tuple(each / base_brier for each in (gain.value, gain.low, gain.high))
            figures = brier(p, y), log_loss(p, y), *skill, auc(p, y)
            found.append(Rival(name, len(y), *map(_known, figures)))
        return tuple(found)

    @property
    def n_eff(self) -> float:
        """Independent ones among the common outcomes."""
        if not self._rows:
            return 0.0
        t_s, pair = np.array([row[:2] for row in self._rows], dtype=np.float64).T
        return effective(t_s, pair.astype(np.int64), self.horizon_s)

    # --- inside ----------------------------------------------------------------------------------

    def _note(self, row: Noted) -> dict[str, float] | None:
        if self._known.get(row.id) == row.t_ns:
            return None
        self._known[row.id] = row.t_ns
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]
        base = self._baselines.base
        share = self._effective.share
        raw, own, said = {}, {}, {}
        for name, learner in self.learners.items():
            told = learner.predict(row.x)
            raw[name] = min(max(told, P_MIN), 1.0 - P_MIN) if math.isfinite(told) else base
            weight = self.trusts[name].weight
            told_of = self.calibrators[name].told(raw[name], share, weight, base)
            own[name], said[name] = told_of.own, told_of.p
        self._open[row.id] = _Open(row, raw, own, said, base)
        if len(self._open) > OPEN_MAX:
            del self._open[next(iter(self._open))]
        return said

    def _end(self, row: Ended) -> dict[str, float] | None:
        each = self._open.pop(row.id, None)
        if each is None:
            return None
        noted, y = each.noted, int(row.y)
        added = self._effective.take(noted.pair, noted.t_ns)
        for name, learner in self.learners.items():
            learner.learn(noted.x, y)
            self.calibrators[name].learn(each.raw[name], y, self._effective.share)
            self.trusts[name].take(each.own[name], each.base, y, added)
        self._baselines.take(noted.x.get("z_24h", math.nan), y)
        pair = self._pairs.setdefault(noted.pair, len(self._pairs))
        told = (noted.p, *(each.p[name] for name in self.learners))
        self._rows.append((noted.t_ns / 1e9, float(pair), float(y), each.base, *told))
        return {}


def in_order(candidates: Sequence[Candidate], labels: Sequence[Label]) -> list[Candidate | Label]:
    """What a forecaster handed out, in the order of its time: ends first, as it learns first."""
    rows: list[tuple[int, int, Candidate | Label]] = [
        *((each.released_ns, 0, each) for each in labels),
        *((each.t_ns, 1, each) for each in candidates),
    ]
    return [row for _, _, row in sorted(rows, key=lambda each: each[:2])]


def row_of(each: Candidate | Label, extras: tuple[Feature, ...] = ()) -> Row:
    """A candidate or label as the challengers hear it. extras: features behind the 44."""
    if isinstance(each, Label):
        return Ended(each.candidate, each.y, each.released_ns)
    vector = np.array(each.features, dtype=np.float64)  # None becomes NaN
    seen = sided(vector, each.direction, mirror_of(extras))
    names = (*NAMES, *(extra.name for extra in extras))
    x = {
        name: value
        for name, value in zip(names, seen.tolist(), strict=True)
        if abs(value) <= FINITE_MAX  # false for NaN: one of them spoils a river model for good
    }
    return Noted(each.id, each.t_ns, each.pair, each.p, x)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
