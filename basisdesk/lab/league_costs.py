"""The costs of the league: the three tiers of the lab, and twice the highest."""

from basisdesk.lab.rule import TIERS, Costs

TWICE = "twice taker"
COSTS: dict[str, Costs] = {**TIERS, TWICE: TIERS["taker"].times(2.0)}
