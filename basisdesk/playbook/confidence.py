"""What a forecast's score means to a playbook: a probability, or a part of the size without one.

A score may be absent for want of evidence (warm-up, too few outcomes); then a playbook may be told
to trade a part of its size on the arithmetic alone. A forecast that speaks against itself (stale,
drift under review, unlike what was learned from) is no want of evidence: then nothing is entered.
"""

import math
from typing import NamedTuple

from basisdesk.playbook.words import View

WANT = ("warm-up", "too few", "missing features")  # how such reasons begin, forecast/abstain.py


class Said(NamedTuple):
    """p: None where there is no probability to act on. share: of the size, 0 refuses."""

    p: float | None
    p_star: float
    share: float
    text: str


def heard(view: View, direction: int, blind_share: float) -> Said:
    """What the forecast says to a direction."""
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
    text = (
        f"p {100 * score.p:.1f} % ({100 * score.low:.0f} to {100 * score.high:.0f}), p* "
        f"{100 * score.p_star:.1f} %"
    )
    return Said(score.p, score.p_star, 1.0, text)


def _blind(why: str, share: float) -> Said:
    return Said(None, math.nan, share, why)
