"""One beat of one pair: its features, what has ended since, its score, and whether it is noted.

`Forecaster.beat`, or `beat_all` for many pairs in one moment, is the only way in, and ticks are all
that it hears; so the same ticks give the same scores to the last bit, whether they come live, from
a tape or from a journal of samples, and whether one by one or together. A session that ended goes
on from its last `dump` and the samples since (samples.py), with labels open and nothing changed.
What happens in a beat, in this order:

    vector   = features at this tick
    released = labels that reached their horizon: calibrator, drift watch, counts and model learn
    score    = what is now said of this vector, from the side of the tick
    noted    = a candidate, where the registered rule says so (labels.py)

Learning comes before scoring and is of outcomes that were due, so a score knows nothing that was
not known at its time. `taken` hands out what has to be journaled.
"""

import hashlib
import math
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from basisdesk.forecast.abstain import Distances, whole
from basisdesk.forecast.analogues import Analogues, Memory
from basisdesk.forecast.calibration import FORGETTING, FORGETTING_REVIEWED, Calibrator
from basisdesk.forecast.counts import Baselines, Effective, Payoff
from basisdesk.forecast.drift import DriftWatch
from basisdesk.forecast.evaluate import Outcomes, Report, report
from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.label_rules import HOUR_NS, LabelRules
from basisdesk.forecast.labels import Released
from basisdesk.forecast.model import USUAL, Model, ModelRules, sigmoid
from basisdesk.forecast.outside import refitted, tail
from basisdesk.forecast.pair_memory import PairMemory
from basisdesk.forecast.scoring import Stand
from basisdesk.forecast.table import INDEX, Feature, N, mirror_of, sided
from basisdesk.forecast.trust import Trust
from basisdesk.forecast.words import Candidate, Label, Score, Tick, Vector

FORMAT = 1
MARGIN = 0.02  # by which p has to be above p*
MARGIN_REVIEWED = 0.10  # while drift is under review
OUTCOMES_MAX = 8_192  # remembered for the report, the oldest go first
TAKEN_MAX = 16_384  # candidates and labels that wait to be journaled

_X, _Z = INDEX["x_fair"], INDEX["z_24h"]


class Taken(NamedTuple):
    """What has come since it was last asked for, in its order."""

    candidates: tuple[Candidate, ...]
    labels: tuple[Label, ...]


class Forecaster:
    """All pairs, one model. rules, model_rules: registered before the first outcome.

    extras: features of numbers from outside, behind the 44; none as a rule (outside.py).
    wished: the margin that p needs over p*, as a person set it. No score depends on it.
    """

    def __init__(
        self,
        rules: LabelRules | None = None,
        model_rules: ModelRules = USUAL,
        extras: tuple[Feature, ...] = (),
    ) -> None:
        self.rules = rules if rules is not None else LabelRules()
        self.extras = extras
        self._mirror = mirror_of(extras)
        self.model = Model(N + len(extras), model_rules)
        self.calibrator = Calibrator()
        self.drift = DriftWatch(self.rules.horizon_ns)
        self.distances = Distances()
        self.effective = Effective(self.rules.horizon_ns)
        self.payoff = Payoff(self.rules.gain_bp, self.rules.stop_bp)
        self.baselines = Baselines()
        self.trust = Trust()
        self.memory = Memory(self.rules.horizon_h)
        self.version = ""
        self._stand: Stand | None = None  # as after the last outcome
        self.wished = MARGIN
        self._pairs: dict[str, PairMemory] = {}
        self._numbers: dict[str, int] = {}  # of pairs, in the order they came
        self._next_id = 1
        self._outcomes: deque[tuple[float, ...]] = deque(maxlen=OUTCOMES_MAX)
        self._candidates: deque[Candidate] = deque(maxlen=TAKEN_MAX)
        self._labels: deque[Label] = deque(maxlen=TAKEN_MAX)
        self._name()

    # --- the beat --------------------------------------------------------------------------------

    def beat(self, pair: str, tick: Tick) -> Score | None:
        """Hear one tick. None where it is not later than the pair's last one.

        A score always comes with finite numbers; `Score.abstain` says why it must not be used.
        """
        state = self._state(pair)
        if tick.t_ns <= state.t_ns:
            return None
        state.t_ns = tick.t_ns
        vector = state.features.update(tick)
        if self.extras:
            vector = np.append(vector, tail(self.extras, () if tick.stale else tick.outside))
        state.tick, state.vector, state.z_n = tick, vector, -1
        for released in state.labels.beat(tick):
            self._learn(released)
        seen = sided(vector, tick.direction, self._mirror)
        raw, logit, _, contributions, distance, known = self.model.read(seen)
        read = raw, logit, contributions, distance, known
        score = self._stands().score(state, read, core=False)
        if state.labels.may(tick, vector.item(_X), vector.item(_Z)):
            self._note(pair, state, score)
        return score

    def beat_all(self, heard: Sequence[tuple[str, Tick]]) -> list[Score | None]:
        """`beat` of one tick each of so many pairs, in their order; the scores are bit for bit its.

        Vectors are scaled and weighed together as long as nothing is learned; an outcome that comes
        with a tick is learned when those before it are scored, and before it is scored itself.

        Raises:
            ValueError: a pair is in it twice.
        """
        if len({pair for pair, _ in heard}) < len(heard):
            raise ValueError("a pair is heard twice in one batch")
        rows = np.empty((len(heard), self.model.size))
        step, written = rows.strides[0], rows.data
        scores: list[Score | None] = []
        waiting: list[tuple[str, PairMemory, Tick]] = []
        first = last = 0  # rows that wait to be scored
        for pair, tick in heard:
            state = self._state(pair)
            if tick.t_ns <= state.t_ns:
                self._score_all(waiting, rows[first:last], scores)
                first = last
                scores.append(None)
                continue
            state.t_ns = tick.t_ns
            state.features.write(tick, written, last * step)
            if self.extras:
                rows[last, N:] = tail(self.extras, () if tick.stale else tick.outside)
            released = state.labels.beat(tick)
            if released:
                self._score_all(waiting, rows[first:last], scores)
                first = last
                for each in released:
                    self._learn(each)
            waiting.append((pair, state, tick))
            last += 1
        self._score_all(waiting, rows[first:last], scores)
        return scores

    def taken(self) -> Taken:
        """Candidates and labels since the last call, to be journaled. They are given once."""
        found = Taken(tuple(self._candidates), tuple(self._labels))
        self._candidates.clear()
        self._labels.clear()
        return found

    def forget(self, pair: str) -> None:
        """Drop what is remembered of a pair that is not watched any more, its open labels too."""
        self._pairs.pop(pair, None)

    # --- what a screen asks ----------------------------------------------------------------------

    @property
    def margin(self) -> float:
        """By how much p has to be above p* for a trade; more while drift is under review."""
        return max(self.wished, MARGIN_REVIEWED) if self.drift.review else self.wished

    def vector(self, pair: str) -> Vector | None:
        """The features of the pair's last beat."""
        state = self._pairs.get(pair)
        return None if state is None else state.vector

    def scaled(self, pair: str) -> Vector | None:
        """The same in deviations of what was learned from, as seen from the side; 0 if missing."""
        state = self._pairs.get(pair)
        if state is None or state.vector is None or state.tick is None:
            return None
        if state.z is not None and state.z_n == self.model.n:
            return state.z
        return self.model.scaled(sided(state.vector, state.tick.direction, self._mirror))

    def features(self, pair: str) -> FeatureState | None:
        """The feature memories of a pair, to be read."""
        state = self._pairs.get(pair)
        return None if state is None else state.features

    def open_labels(self, pair: str = "") -> int:
        """Candidates under way, of one pair or of all."""
        if pair:
            state = self._pairs.get(pair)
            return 0 if state is None else len(state.labels)
        return sum(len(state.labels) for state in self._pairs.values())

    def decided(self, since_ns: int) -> frozenset[int]:
        """Candidates noted since then that a chart tells the end of, though no label does yet."""
        found = (state.labels.decided(since_ns) for state in self._pairs.values())
        return frozenset(number for some in found for number in some)

    @property
    def voids(self) -> dict[str, int]:
        """Labels that could not be known, by reason."""
        found: dict[str, int] = {}
        for state in self._pairs.values():
            for why, n in state.labels.voids.items():
                found[why] = found.get(why, 0) + n
        return found

    def analogues(self, pair: str) -> Analogues | None:
        """What became of past cases like this pair's last beat."""
        state = self._pairs.get(pair)
        if state is None or state.vector is None or state.tick is None:
            return None
        return self.memory.like(sided(state.vector, state.tick.direction, self._mirror))

    def outcomes(self) -> Outcomes:
        """The last outcomes with what had been said of them."""
        table = np.array(self._outcomes, dtype=np.float64).reshape(-1, len(Outcomes._fields)).T
        t_s, pair, *rest = table
        return Outcomes(t_s, pair.astype(np.int64), *rest)

    def report(self, seed: int = 0) -> Report:
        """How good it was so far. seed: of the bootstrap."""
        return report(self.outcomes(), self.rules.horizon_h * 3_600.0, seed, self.margin)

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All that later scores depend on, as plain JSON; what `taken` would give is not in it."""
        return {
            "format": FORMAT,
            "rules": list(self.rules),
            "model": self.model.dump(),
            "calibrator": self.calibrator.dump(),
            "drift": self.drift.dump(),
            "distances": self.distances.dump(),
            "effective": self.effective.dump(),
            "payoff": self.payoff.dump(),
            "baselines": self.baselines.dump(),
            "trust": self.trust.dump(),
            "memory": self.memory.dump(),
            "next_id": self._next_id,
            "numbers": dict(self._numbers),
            "outcomes": [list(row) for row in self._outcomes],
            "pairs": {pair: state.dump() for pair, state in self._pairs.items()},
            **({"extras": [each.name for each in self.extras]} if self.extras else {}),
        }

    @classmethod
    def restored(cls, kept: dict[str, Any], extras: tuple[Feature, ...] = ()) -> "Forecaster":
        """The forecaster of a dump: every later score is the same, bit for bit.

        extras: as the settings name them now; of others what was learned is left out.

        Raises:
            ValueError: written in a format that this program does not read.
        """
        if kept.get("format") != FORMAT:
            raise ValueError(f"forecast of format {kept.get('format')}, this is {FORMAT}")
        kept = refitted(kept, extras)
        found = cls(LabelRules(*kept["rules"]), extras=extras)
        found.model = Model.restored(kept["model"])
        found.calibrator = Calibrator.restored(kept["calibrator"])
        found.drift = DriftWatch.restored(kept["drift"])
        found.distances = Distances.restored(kept["distances"])
        found.effective = Effective.restored(kept["effective"])
        found.payoff = Payoff.restored(kept["payoff"])
        found.baselines = Baselines.restored(kept["baselines"])
        found.trust = Trust.restored(kept.get("trust", found.trust.dump()))
        found.memory = Memory.restored(kept["memory"])
        found._next_id = int(kept["next_id"])
        found._numbers = {str(pair): int(n) for pair, n in kept["numbers"].items()}
        found._outcomes.extend(tuple(row) for row in kept["outcomes"])
        for pair, state in kept["pairs"].items():
            found._pairs[str(pair)] = PairMemory.restored(state, found.rules)
        found._name()
        return found

    # --- inside ----------------------------------------------------------------------------------

    def _state(self, pair: str) -> PairMemory:
        state = self._pairs.get(pair)
        if state is None:
            state = self._pairs[pair] = PairMemory(self.rules)
        return state

    def _score_all(
        self,
        waiting: list[tuple[str, PairMemory, Tick]],
        rows: Vector,
        scores: list[Score | None],
    ) -> None:
        if not waiting:
            return
        rows.flags.writeable = False
        seen, sides = rows, [tick.direction for _, _, tick in waiting]
        if min(sides) < 0:
            seen = rows * np.where(np.array(sides)[:, None] > 0, 1.0, self._mirror)
        n, stand = self.model.n, self._stands()
        logits, _, contributions, distances, known, z = self.model.read_all(seen)
        read = zip(map(sigmoid, logits), logits, contributions, distances, known, strict=True)
        x_z = rows[:, _X].tolist(), rows[:, _Z].tolist()
        for (pair, state, tick), vector, scaled, said, core, x_bp, z_24h in zip(
            waiting, rows, z, read, whole(rows), *x_z, strict=True
        ):
            state.tick, state.vector, state.z, state.z_n = tick, vector, scaled, n
            score = stand.score(state, said, core=core)
            scores.append(score)
            if state.labels.may(tick, x_bp, z_24h):
                self._note(pair, state, score)
        waiting.clear()

    def _stands(self) -> Stand:
        stand = self._stand
        if stand is None or stand.review is not self.drift.review:
            stand = self._stand = Stand(self)
        return stand

    def _note(self, pair: str, state: PairMemory, score: Score) -> None:
        tick, vector = state.tick, state.vector
        if tick is None or vector is None:
            return
        features = tuple(v if math.isfinite(v) else None for v in vector.tolist())
        candidate = Candidate(
            id=self._next_id,
            t_ns=tick.t_ns,
            pair=pair,
            direction=tick.direction,
            features=features,
            features_hash=hashlib.blake2b(vector.tobytes(), digest_size=8).hexdigest(),
            raw=score.raw,
            p=score.p,
            version=score.version,
            decision=decision(score, self.margin),
            cost_bp=tick.cost_bp,
            target_bp=tick.target_bp,
        )
        self._next_id += 1
        z = tick.direction * float(vector[_Z])
        noted = {
            "base": self.baselines.base,
            "by_z": self.baselines.by_z(z),
            "z": z if math.isfinite(z) else None,
            "p_star": score.p_star,
            "own": self.calibrator.told(score.raw).own,
        }
        state.labels.add(candidate, noted)
        self._candidates.append(candidate)

    def _learn(self, released: Released) -> None:
        candidate, label, noted = released
        pair, t_ns, y = candidate.pair, candidate.t_ns, label.y
        vector = np.array(candidate.features, dtype=np.float64)  # None becomes NaN
        seen = sided(vector, candidate.direction, self._mirror)
        z = math.nan if noted["z"] is None else float(noted["z"])
        hours = (label.t_first_ns - t_ns) / HOUR_NS
        added = self.effective.take(pair, t_ns)
        base = float(noted["base"])
        self.calibrator.learn(candidate.raw, y, self.effective.share)
        self.trust.take(float(noted.get("own", candidate.p)), base, y, added)
        self.drift.take(pair, t_ns, candidate.p, y, label.released_ns)
        self.calibrator.forgetting = FORGETTING_REVIEWED if self.drift.review else FORGETTING
        self.payoff.take(y, label.net_bp, candidate.cost_bp)
        self.baselines.take(z, y)
        self.memory.take(seen, pair, t_ns, (y, hours, label.net_bp))
        self.distances.take(self.model.learn(seen, y))
        number = self._numbers.setdefault(pair, len(self._numbers))
        told = (candidate.p, base, float(noted["by_z"]), float(noted["p_star"]))
        self._outcomes.append((t_ns / 1e9, float(number), float(y), *told, label.net_bp, hours))
        self._labels.append(label)
        self._name()

    def _name(self) -> None:
        self._stand = None
        more = f"+{len(self.extras)}" if self.extras else ""
        self.version = f"lr1.{self.rules.hash}.{self.model.n}{more}"


def decision(score: Score, margin: float) -> str:
    """What is made of a score, in words."""
    if score.abstain:
        return f"abstain: {'; '.join(score.abstain)}"
    line = f"p {100 * score.p:.1f} %, p* {100 * score.p_star:.1f} % + {100 * margin:.0f} %"
    return f"trade: {line}" if score.p >= score.p_star + margin else f"no trade: {line}"
