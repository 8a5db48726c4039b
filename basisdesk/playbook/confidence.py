"""What a forecast's score means to a playbook: a probability, or a part of the size without one.

A score may be absent for want of evidence (warm-up, too few outcomes); then a playbook may be told
to trade a part of its size on the arithmetic alone. A forecast that speaks against itself (stale,
drift under review, unlike what was learned from) is no want of evidence: then nothing is entered.
"""

import math
from typing import NamedTuple

import msgspec

from basisdesk.playbook.words import Decision, View

WANT = ("warm-up", "too few", "missing features")  # how such reasons begin, forecast/abstain.py


class Said(NamedTuple):
    """p: None where there is no probability to act on. share: of the size, 0 refuses.

    line: what p has to reach, p* and the margin over it; margin: that, 0 to 1.
    """

    p: float | None
    p_star: float
    share: float
    text: str
    margin: float = 0.0

    @property
    def line(self) -> float:
        """What p has to reach."""
        return self.p_star + self.margin

    def told(self, decision: Decision) -> Decision:
        """The same decision, which says whether the forecast was used, and if not why."""
        said = f"Forecast used: {self.text}." if self.p is not None else _not_used(self.text)
        return msgspec.structs.replace(decision, forecast=said)


def unheard(view: View, direction: int) -> str:
    """Of a decision whose rules did not ask the forecast: that, and what it would have said."""
    said = heard(view, direction, 0.0) if direction else heard(view, view.score_side, 0.0)
    if said.p is None:
        return _not_used(said.text)
    return f"Forecast not asked: it says {said.text}."


def _not_used(why: str) -> str:
    why = why.removeprefix("the ")
    return f"{why[:1].upper()}{why[1:]}; not used."


def heard(view: View, direction: int, blind_share: float, margin: float = 0.0) -> Said:
    """What the forecast says to a direction.

    margin: that the playbook asks over p*; the forecast's own where that is more, as it is while
    drift is under review.
    """
    score = view.score
    if score is None or (view.score_side and view.score_side != direction):
        return _blind("there is no score of this side", blind_share)
    hard = [reason for reason in score.abstain if not reason.startswith(WANT)]
    if hard:
        return Said(None, math.nan, 0.0, f"the forecast abstains: {hard[0]}")
    if score.abstain:
        return _blind(f"the forecast abstains: {score.abstain[0]}", blind_share)
    if not (math.isfinite(score.p) and math.isfinite(score.p_star)):
        return Said(None, math.nan, 0.0, "the forecast gives no number")
    asked = max(margin, view.margin)
    text = (
        f"p {100 * score.p:.1f} % ({100 * score.low:.0f} to {100 * score.high:.0f}), p* "
        f"{100 * score.p_star:.1f} % + {100 * asked:g} %"
    )
    return Said(score.p, score.p_star, 1.0, text, asked)


def _blind(why: str, share: float) -> Said:
    return Said(None, math.nan, share, why)
