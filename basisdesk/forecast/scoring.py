"""From what the model read of a vector to what is told of it: the score with its reasons."""

from typing import TYPE_CHECKING

import numpy as np

from basisdesk.forecast.abstain import MISSING_MAX, Learned, Seen, core_of, reasons, usual
from basisdesk.forecast.pair_memory import WARM_LOOK_NS, PairMemory
from basisdesk.forecast.table import N
from basisdesk.forecast.words import Score, Vector

if TYPE_CHECKING:
    from basisdesk.forecast.forecaster import Forecaster

Read = tuple[float, float, Vector, float, int]  # raw, logit, contributions, distance, known


class Stand:
    """What every score stands on until something is learned.

    review: of the drift watch when it was taken; another one needs another stand.
    """

    def __init__(self, of: "Forecaster") -> None:
        self.review = of.drift.review
        self._model, self._calibrator, self._payoff = of.model, of.calibrator, of.payoff
        self._share, self._n_eff = of.effective.share, of.effective.n
        self._weight, self._base = of.trust.weight, of.baselines.base
        self._learned = Learned(of.effective.n, of.distances.line, self.review)
        self._version, self._extras = of.version, bool(of.extras)
        self._usual: dict[tuple[str, ...], tuple[str, ...]] = {}  # reasons, by what is cold

    def score(self, state: PairMemory, read: Read, *, core: bool) -> Score:
        """The score of the pair's last beat. core: nothing is missing that every score needs.

        Where that is not known core is False, and it is looked up.
        """
        tick, vector, learned = state.tick, state.vector, self._learned
        assert tick is not None
        assert vector is not None
        raw, logit, contributions, distance, known = read
        if tick.t_ns - state.looked_ns >= WARM_LOOK_NS:
            state.looked_ns = tick.t_ns
            state.cold = core_of(state.features.warming)
        weight, base = self._weight, self._base
        p, low, high, _, own = self._calibrator.told(raw, self._share, weight, base)
        if self._extras:  # what abstains counts the 44
            known -= int(np.count_nonzero(np.isfinite(vector[N:])))
        if core and not tick.stale and known >= N - MISSING_MAX and distance <= learned.line:
            why = self._usual.get(state.cold)
            if why is None:
                why = self._usual[state.cold] = usual(state.cold, learned)
        else:
            why = reasons(Seen(tick.stale, vector, known, distance, state.cold), learned)
        cost_bp = tick.cost_bp
        if cost_bp != state.cost_bp or state.priced != self._model.n:
            state.cost_bp, state.priced = cost_bp, self._model.n
            state.p_star = self._payoff.p_star(cost_bp)
        return Score(
            p=p,
            low=low,
            high=high,
            p_star=state.p_star,
            raw=raw,
            logit=logit,
            bias=self._model.bias,
            contributions=contributions,
            abstain=why,
            version=self._version,
            n_eff=self._n_eff,
            own=own,
            base=base,
            weight=weight,
        )
