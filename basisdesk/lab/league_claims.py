"""What the league says to two claims: 8 to 12 % a month, and that simple crossovers work."""

from collections.abc import Mapping, Sequence
from typing import Any

from basisdesk.lab.league_costs import COSTS
from basisdesk.lab.league_lines import Line, Marks, held_of
from basisdesk.lab.league_nulls import Chance, Ground, together
from basisdesk.lab.league_tables import CarryLine
from basisdesk.lab.rule import Costs
from basisdesk.lab.series import PairSeries

LOW_PCT, HIGH_PCT = 8.0, 12.0  # a month, as claimed
MONTHS_MIN = 3.0
TRADES_MIN = 30
KINDEST, USUAL = "low", "taker"

Answers = dict[str, dict[str, Any]]


def league_claims(
    lines: Sequence[Line],
    tier: str,
    beside: tuple[CarryLine, Marks],
    variants: Mapping[str, Line],
    each: Sequence[PairSeries],
) -> Answers:
    """Answers by claim. Data of under three months answer nothing. tier: of the main table."""
    carry, marks = beside
    main = [line for line in lines if line.tier == tier]
    if marks.months < MONTHS_MIN or not main:
        return {}
    out = {"monthly": _monthly(main, carry, marks)}
    crossing = _crossover(lines, variants, each, marks)
    return {**out, "crossover": crossing} if crossing else out


def _monthly(main: Sequence[Line], carry: CarryLine, marks: Marks) -> dict[str, Any]:
    found = [
        (line.entrant.name, line.interval(marks), line.capital, len(line.deals))
        for line in main
        if line.deals
    ]
    found.append(("always-on carry", carry.interval(marks), carry.capital, carry.trades))
    name, net, capital, trades = max(found, key=lambda row: row[1][0] / row[2])
    share, low, high = (100.0 * x / capital / marks.months for x in net)
    said = (
        f"The best of {len(found)} that traded at {main[0].tier} costs, {name}, netted {share:.3f} "
        f"% of its capital a month (95 %: {low:.3f} to {high:.3f}; {trades} trades, "
        f"{marks.months:.0f} months). The claim is {LOW_PCT:g} to {HIGH_PCT:g} %."
    )
    status = "reproduced" if low >= LOW_PCT else "undecided"
    status = "not reproduced" if high < LOW_PCT else status
    return {"status": status, "said": said, "n": sum(row[3] for row in found)}


def _crossover(
    lines: Sequence[Line],
    variants: Mapping[str, Line],
    each: Sequence[PairSeries],
    marks: Marks,
) -> dict[str, Any] | None:
    """Reproduced only where it beats random entries at a regular user's fees.

    Not reproduced where it does not even at the kindest ones, with enough trades to tell.
    """
    own = {line.tier: line for line in lines if line.entrant.book.name == "decoupling"}
    if not {KINDEST, USUAL} <= set(own):
        return None
    chances = {tier: chance_of(own[tier], each, COSTS[tier]) for tier in (KINDEST, USUAL)}
    enough = {tier: len(own[tier].deals) >= TRADES_MIN for tier in chances}
    above = {tier: chances[tier].less[1] > 0.0 for tier in chances}
    status = "undecided"
    if enough[USUAL] and above[USUAL]:
        status = "reproduced"
    elif enough[KINDEST] and not above[KINDEST]:
        status = "not reproduced"
    parts = [_beside_random(own[tier], chances[tier]) for tier in chances]
    for name, other in variants.items():
        over, low, high = marks.total(own[KINDEST].changes - other.changes)
        parts.append(
            f"against {name.rpartition(', ')[2]} ({len(other.deals)} trades) {over:+,.2f} at "
            f"{KINDEST} costs (95 %: {low:+,.2f} to {high:+,.2f})"
        )
    said = f"{own[USUAL].entrant.name}: {'; '.join(parts)}."
    return {"status": status, "said": said, "n": len(own[USUAL].deals)}


def chance_of(line: Line, each: Sequence[PairSeries], costs: Costs) -> Chance:
    """A line's trades against the same ones at random times."""
    return together(
        [
            Ground(series, costs).random(held_of(one, int(series.t_ns[-1])), seed=1 + at)
            for at, (series, one) in enumerate(zip(each, line.each, strict=True))
        ]
    )


def _beside_random(line: Line, chance: Chance) -> str:
    if not line.deals:
        return f"at {line.tier} costs no trade"
    over, low, high = chance.less
    return (
        f"at {line.tier} costs {len(line.deals)} trades, net {float(line.net):+,.2f} USDT, less "
        f"random entries {over:+,.2f} (95 %: {low:+,.2f} to {high:+,.2f})"
    )
