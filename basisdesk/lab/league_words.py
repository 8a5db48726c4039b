"""What a person reads of a league first; no figure without its interval."""

import math
from collections.abc import Mapping, Sequence

from basisdesk.lab.league_lines import Line, Marks
from basisdesk.lab.league_tables import Against, CarryLine
from basisdesk.lab.league_views import Need

ONE_TRADE = 0.5  # of a net: then it is one trade that is measured
CHANCE = 0.025  # of a worthless playbook to lie wholly above zero


def sentences(
    lines: Sequence[Line],
    needs: Mapping[str, Need],
    beside: tuple[CarryLine, Marks],
    against: Mapping[str, Against],
    *,
    demo: bool,
) -> list[str]:
    """The answer, the sample, the best one, what was missing."""
    carry, marks = beside
    out = [_answer(lines, marks), _sample(lines)]
    out += [_best(lines, against, marks), *_carried(carry, marks), *_one_trade(lines)]
    lacking = [name for name, need in needs.items() if need.why]
    if lacking:
        out.append(
            f"By the desk's clock {', '.join(lacking)} need quotes: what they judge by lasts "
            "seconds to minutes, a bar longer. Lines with x and a number are the same rules by a "
            "clock so many times slower, memories and decoupling's holds with it."
        )
    out.append(
        "Not there, as in a desk without them: a forecast (it claims nothing under 200 independent "
        "outcomes of 8 h, so clamp-aware does not enter), the scanner's gaps over venues, sectors, "
        "and a measured leader, without which decoupling halves its size."
    )
    if any(line.entrant.stretch > 1.0 for line in lines):
        out.append(
            "Bars are closes with an assumed spread, and any size is filled at them. A bar in "
            "which a leg did not trade, or whose price only repeats where trades are not counted, "
            "is taken for a halted market and not traded on, nor is the bar before it."
        )
    if demo:
        out.append(
            "The tape is of the demo exchange, where every basis comes back by construction: this "
            "shows the plumbing and no edge, and answers no claim."
        )
    return [each for each in out if each]


def _answer(lines: Sequence[Line], marks: Marks) -> str:
    tier = lines[0].tier if lines else ""
    beat = [line for line in lines if line.deals and line.interval(marks)[1] > 0.0]
    if not beat:
        return f"None: at {tier} costs no playbook is shown to earn more than never trading."
    names = ", ".join(line.entrant.name for line in beat)
    luck = 1.0 - (1.0 - CHANCE) ** len(lines)
    return (
        f"At {tier} costs {names} lie{'s' if len(beat) == 1 else ''} wholly above never trading. "
        f"Of {len(lines)} worthless ones at least one would with a chance of {luck:.0%}."
    )


def _sample(lines: Sequence[Line]) -> str:
    told = ", ".join(f"{line.entrant.name} {len(line.deals)}" for line in lines)
    return f"Trades, not days, are the sample: {told}."


def _best(lines: Sequence[Line], against: Mapping[str, Against], marks: Marks) -> str:
    traded = [line for line in lines if line.deals]
    if not traded:
        return "No playbook traded at these costs."
    best = max(traded, key=lambda line: line.net)
    net, low, high = best.interval(marks)
    beside = against[best.entrant.name]
    random = beside.random.less
    return (
        f"The best one, {best.entrant.name}, netted {_money(net)} ({_range(low, high)}) on "
        f"{best.capital:,.0f} in {marks.span}; less always-on carry "
        f"{_money(beside.carry[0])} ({_range(*beside.carry[1:])}); less random entries "
        f"{_money(random[0])} ({_range(*random[1:])})."
    )


def _carried(carry: CarryLine, marks: Marks) -> list[str]:
    net, low, high = carry.interval(marks)
    return [
        f"Always-on carry of half the capital netted {_money(net)} ({_range(low, high)}) with "
        f"{carry.trades} {'entry' if carry.trades == 1 else 'entries'}; never trading 0."
    ]


def _one_trade(lines: Sequence[Line]) -> list[str]:
    alone = [
        f"{line.entrant.name} ({line.best_share:.0%} of its net)"
        for line in lines
        if line.best_share > ONE_TRADE
    ]
    return [f"One trade makes the result of {', '.join(alone)}."] if alone else []


def _money(value: float) -> str:
    return f"{value:+,.2f} USDT"


def _range(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return "too few trades or too short for an interval"
    return f"95 %: {low:+,.2f} to {high:+,.2f}"
