"""Candidates scored one after the other, as a desk would have: learn what is released, then say.

Nothing here looks ahead: a score stands on outcomes whose release came before its candidate (or,
in a walk-forward, before the month that it is in, less an embargo), in the order of their release.
The baselines learn from the same outcomes at the same moments. Model, calibrator, baselines and
features are the desk's own.
"""

from typing import NamedTuple

import numpy as np

from basisdesk.forecast.calibration import Calibrator
from basisdesk.forecast.counts import Baselines, Effective, Payoff
from basisdesk.forecast.evaluate import Outcomes
from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.model import Model
from basisdesk.forecast.table import INDEX, N, sided
from basisdesk.forecast.trust import Trust
from basisdesk.lab.forecast_bars import (
    NS,
    Bars,
    Events,
    Floats,
    Ints,
    Rule,
    fees_bp,
    outcomes,
    ticks,
)

HOUR_S = 3_600.0


class Sample(NamedTuple):
    """Candidates of one or more pairs in the order of time, with what was known of each.

    vectors: features as seen from the side of the trade. pair: number of the pair of each.
    fees_bp: of the round trip of each, without spreads.
    """

    events: Events
    vectors: Floats
    pair: Ints
    fees_bp: Floats

    def take(self, chosen: Ints) -> "Sample":
        """Some of them, in the order asked for."""
        return Sample(
            self.events.take(chosen),
            self.vectors[chosen],
            self.pair[chosen],
            self.fees_bp[chosen],
        )


class Scored(NamedTuple):
    """What was said of each candidate before its outcome was known.

    p: calibrated; raw: of the model alone. base, by_z: of the base rate and the z-bins. p_star: at
    which the trade earns nothing, by the gains and losses known then. learned: outcomes before it.
    """

    p: Floats
    raw: Floats
    base: Floats
    by_z: Floats
    p_star: Floats
    learned: Ints


def sample(bars: Bars, rule: Rule, pair: int = 0) -> Sample:
    """The candidates of a pair and their features, by the desk's own feature state."""
    events = outcomes(bars, rule)
    side_at = dict(zip(events.at.tolist(), events.direction.tolist(), strict=True))
    state = FeatureState()
    vectors = np.empty((len(events.at), N))
    row = 0
    for i, tick in enumerate(ticks(bars, rule)):
        found = state.update(tick)
        if i in side_at:
            vectors[row] = sided(found, side_at[i])
            row += 1
    return Sample(
        events, vectors, np.full(row, pair, dtype=np.int64), np.full(row, fees_bp(bars, rule))
    )


def pooled(samples: list[Sample]) -> Sample:
    """Several pairs as one stream in the order of time."""
    events = Events(*(np.concatenate(parts) for parts in zip(*_columns(samples), strict=True)))
    whole = Sample(
        events,
        np.concatenate([each.vectors for each in samples]),
        np.concatenate([each.pair for each in samples]),
        np.concatenate([each.fees_bp for each in samples]),
    )
    return whole.take(np.lexsort((whole.pair, events.t_ns)))


def scored(sample: Sample, rule: Rule, until_ns: Ints) -> Scored:
    """Score every candidate on outcomes released at or before its `until_ns`, never falling."""
    learner = Learner(sample, rule)
    order = np.argsort(sample.events.release_ns, kind="stable")
    learned = np.searchsorted(sample.events.release_ns[order], until_ns, side="right")
    rows, done = order.tolist(), 0
    out = np.empty((len(rows), 5))
    for i, count in enumerate(learned.tolist()):
        while done < count:
            learner.learn(rows[done])
            done += 1
        out[i] = learner.say(i)
    p, raw, base, by_z, p_star = out.T
    return Scored(p, raw, base, by_z, p_star, learned.astype(np.int64))


class Learner:
    """The model, its calibrator and what it has to beat, over the rows of one sample."""

    def __init__(self, sample: Sample, rule: Rule) -> None:
        self.model, self.calibrator = Model(), Calibrator()
        self.baselines, self.payoff = Baselines(), Payoff(rule.gain_bp, rule.stop_bp)
        self.effective, self.trust = Effective(rule.horizon_ns), Trust()
        self._t_ns, self._pair = sample.events.t_ns.tolist(), sample.pair.tolist()
        self._vectors = sample.vectors
        self._z = sample.vectors[:, INDEX["z_24h"]].tolist()
        self._y, self._net = sample.events.y.tolist(), sample.events.net_bp.tolist()
        self._fees = sample.fees_bp.tolist()
        self._said: dict[int, tuple[float, float, float]] = {}  # raw, own p, base rate

    def say(self, row: int) -> tuple[float, float, float, float, float]:
        """(p, raw, base rate, z-bins, p*) of a candidate now; kept for its outcome."""
        raw = self.model.read(self._vectors[row]).raw
        base, by_z = self.baselines.base, self.baselines.by_z(self._z[row])
        told = self.calibrator.told(raw, self.effective.share, self.trust.weight, base)
        self._said[row] = raw, told.own, base
        return told.p, raw, base, by_z, self.payoff.p_star(self._fees[row])

    def learn(self, row: int) -> None:
        """Take in the outcome of a candidate of which something was said."""
        y = int(self._y[row])
        raw, own, base = self._said.pop(row)
        added = self.effective.take(str(self._pair[row]), self._t_ns[row])
        self.calibrator.learn(raw, y, self.effective.share)
        self.trust.take(own, base, y, added)
        self.baselines.take(self._z[row], y)
        self.payoff.take(y, self._net[row], self._fees[row])
        self.model.learn(self._vectors[row], y)


# --- which outcomes may be learned from -----------------------------------------------------------


def online(sample: Sample) -> Ints:
    """Learning at every candidate: all that was released by then."""
    return sample.events.t_ns


def walk_forward(sample: Sample, starts_ns: Ints, embargo_ns: int) -> Ints:
    """Learning at the start of each fold only: all that was released an embargo before it.

    Anchored: a fold stands on everything since the beginning. Outcomes are released at t + H, so
    no candidate within H of a fold is learned from (the purge); the embargo comes on top.
    """
    fold = np.searchsorted(starts_ns, sample.events.t_ns, side="right") - 1
    starts = np.where(fold >= 0, starts_ns[np.maximum(fold, 0)] - embargo_ns, -1)
    return np.asarray(starts, dtype=np.int64)


def overlap(train: Events, test: Events) -> int:
    """Candidates learned from whose outcome reaches into the time that is tested: must be 0."""
    if not len(train.t_ns) or not len(test.t_ns):
        return 0
    return int(np.count_nonzero(train.release_ns > test.t_ns.min()))


def shuffled(sample: Sample, block_s: float, seed: int) -> Sample:
    """The same candidates with the outcomes of other times: blocks of calendar time change places.

    Nothing that was known can tell anything of these outcomes, but they still come in the runs
    that overlapping outcomes come in. The blocks go round in one ring, so none keeps its own.
    """
    events = sample.events
    block = (events.t_ns - events.t_ns[:1]) // round(block_s * NS)
    ring = np.random.default_rng(seed).permutation(np.unique(block))
    after = dict(zip(ring.tolist(), np.roll(ring, 1).tolist(), strict=True))
    parts = [np.flatnonzero(block == after[each]) for each in sorted(after)]
    source = np.concatenate([np.empty(0, dtype=np.int64), *parts])
    return sample._replace(
        events=events._replace(
            y=events.y[source], net_bp=events.net_bp[source], hold_s=events.hold_s[source]
        )
    )


def told(sample: Sample, said: Scored, learned_min: int) -> Outcomes:
    """What was said and what came, as evaluate.py reads it; the first outcomes are left out."""
    chosen = np.flatnonzero(said.learned >= learned_min)
    events = sample.events.take(chosen)
    return Outcomes(
        events.t_ns / NS,
        sample.pair[chosen],
        events.y.astype(np.float64),
        said.p[chosen],
        said.base[chosen],
        said.by_z[chosen],
        said.p_star[chosen],
        events.net_bp,
        events.hold_s / HOUR_S,
    )


def _columns(samples: list[Sample]) -> list[tuple[Floats | Ints, ...]]:
    return [tuple(each.events) for each in samples]
