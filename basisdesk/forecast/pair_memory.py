"""What the forecaster remembers of one pair between two beats."""

import math
from typing import TYPE_CHECKING, Any

from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.labels import PairLabels

if TYPE_CHECKING:
    from basisdesk.forecast.words import Tick, Vector

WARM_LOOK_NS = 60_000_000_000  # between two questions whether the features are warm


class PairMemory:
    """Features, labels, and the last beat of a pair.

    cold: core features whose memory is not full, as of looked_ns. tick, vector: of the last beat;
    z: the vector in deviations, as the model of z_n outcomes scaled it. p_star: the line at cost_bp
    after `priced` outcomes.
    """

    def __init__(self, rules: LabelRules) -> None:
        self.t_ns = 0
        self.features = FeatureState()
        self.labels = PairLabels(rules)
        self.cold: tuple[str, ...] = ()
        self.looked_ns = -WARM_LOOK_NS
        self.tick: Tick | None = None
        self.vector: Vector | None = None
        self.z: Vector | None = None
        self.z_n = -1
        self.cost_bp = self.p_star = math.nan
        self.priced = -1

    def dump(self) -> dict[str, Any]:
        """What later scores depend on, as plain JSON."""
        return {
            "t_ns": self.t_ns,
            "features": self.features.dump(),
            "labels": self.labels.dump(),
            "cold": list(self.cold),
            "looked_ns": self.looked_ns,
        }

    @classmethod
    def restored(cls, kept: dict[str, Any], rules: LabelRules) -> "PairMemory":
        """The memory of a dump, bit for bit."""
        state = cls(rules)
        state.t_ns = int(kept["t_ns"])
        state.features = FeatureState.restored(kept["features"])
        state.labels = PairLabels.restored(kept["labels"], rules)
        state.cold = tuple(kept["cold"])
        state.looked_ns = int(kept["looked_ns"])
        return state
