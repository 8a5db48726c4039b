"""Which plan p* and the probability are of: the registered candidate's, told beside them. No Qt."""

import math

from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.view import PairForecast
from basisdesk.ui.figures import sign_text, size_text

NAME = "p* is for"


def rule_text(rule: LabelRules | None, here: PairForecast) -> str:
    """Target, stop and horizon of the plan that p* is of; "" where no rule is known.

    "+10 bp net, left at −17.7; stop 20 bp wider; 8 h; not your ticket's plan"
    """
    if rule is None:
        return ""
    at = target_bp(rule, here)
    left = f", left at {sign_text(at, 1)}" if math.isfinite(at) else ""
    return (
        f"{sign_text(rule.gain_bp, 0)} bp net{left}; stop {size_text(rule.stop_bp)} bp wider;"
        f" {size_text(rule.horizon_h)} h; not your ticket's plan"
    )


def target_bp(rule: LabelRules, here: PairForecast) -> float:
    """The executable basis at which an entry now has the rule's net; NaN where it is not known.

    edge = d (entry - target) - cost, so entry = target + d (edge + cost), and the rule leaves at
    entry - d (cost + gain). Funding on the way moves it; this is without any.
    """
    return here.target_bp + here.direction * (here.edge_bp - rule.gain_bp)


def rule_tip(rule: LabelRules | None) -> str:
    """Whose plan that is, and how a plan of one's own has another break-even."""
    if rule is None:
        return ""
    return (
        f"Probability and p* are of the plan that every candidate is registered with: net"
        f" {size_text(rule.gain_bp)} bp after costs before the basis is {size_text(rule.stop_bp)}"
        f" bp wider than at entry, within {size_text(rule.horizon_h)} h. A ticket or a playbook"
        " with another target, stop or time has another break-even: loss at its stop over loss and"
        " gain together. The edge beside it is to fair value, where a candidate may have left"
        " before."
    )
