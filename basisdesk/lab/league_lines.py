"""One line of the league: a playbook at one set of costs over all series, with its intervals."""

import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from basisdesk.lab.league_nulls import Held
from basisdesk.lab.league_run import TERMS, Deal, Entrant, Walked
from basisdesk.lab.series import Floats, Ints
from basisdesk.lab.statistics import Interval, block_mean

BLOCK_STEPS = 30  # of a bootstrap block: days where equity is marked daily
TRADES_MIN = 8  # under so many trades a net has no interval
BLOCKS_WANTED = 16  # shorter data get shorter blocks
SEED = 1
MONTH_NS = 30.4375 * 86_400e9
UNKNOWN = (math.nan, math.nan, math.nan)


class Marks(NamedTuple):
    """When equity was marked. steps: between two edges, ns; block: steps of a bootstrap block."""

    edges_ns: Ints
    step_ns: int
    block: int

    @property
    def months(self) -> float:
        """Length of the data."""
        return float(self.edges_ns[-1] - self.edges_ns[0]) / MONTH_NS

    @property
    def words(self) -> str:
        """The blocks, for a person."""
        hours = self.block * self.step_ns / 3.6e12
        return f"{hours / 24:g} days" if hours >= 24.0 else f"{60 * hours:g} minutes"

    @property
    def span(self) -> str:
        """Length of the data, for a person."""
        days = self.months * MONTH_NS / 86_400e9
        if days >= 60.0:
            return f"{self.months:.0f} months"
        return f"{days:.1f} days" if days >= 2.0 else f"{1_440.0 * days:.0f} minutes"

    def total(self, changes: Floats) -> tuple[float, float, float]:
        """(sum of the changes, low, high): 95 % by whole blocks; n/a under eight of them."""
        blocks = np.arange(len(changes)) // self.block
        found: Interval = block_mean(changes, blocks, SEED)
        told = tuple(x * len(changes) for x in (found.value, found.low, found.high))
        return told[0], *(x if math.isfinite(x) else math.nan for x in told[1:])  # type: ignore[return-value]


def marks_of(edges_ns: Ints, step_ns: int) -> Marks:
    """Blocks of BLOCK_STEPS, shorter where there would be too few of them."""
    block = min(BLOCK_STEPS, max(1, (len(edges_ns) - 1) // BLOCKS_WANTED))
    return Marks(edges_ns, step_ns, block)


class Line(NamedTuple):
    """What one entrant came to at one set of costs. each: by series. span_s: of one series."""

    entrant: Entrant
    tier: str
    each: tuple[Walked, ...]
    span_s: float

    @property
    def deals(self) -> list[Deal]:
        """All trades, by series and then in order."""
        return [deal for one in self.each for deal in one.deals]

    @property
    def net(self) -> Decimal:
        """Change of equity, exact."""
        return sum((one.end - one.start for one in self.each), Decimal(0))

    @property
    def capital(self) -> float:
        """What the accounts began with."""
        return float(sum(one.start for one in self.each))

    @property
    def changes(self) -> Floats:
        """Change of equity between edges, all series together."""
        rows = [np.diff([float(each) for each in one.equity]) for one in self.each]
        return np.asarray(np.sum(rows, axis=0), dtype=np.float64)

    @property
    def drawdown(self) -> float:
        """The largest fall of any of its accounts, at looks."""
        return float(max(one.drawdown for one in self.each))

    @property
    def in_market(self) -> float:
        """Share of the time that an account held something."""
        return sum(one.held_s for one in self.each) / (len(self.each) * self.span_s)

    @property
    def terms(self) -> dict[str, Decimal]:
        """Attribution of all trades, exact."""
        return {term: sum((deal.terms[term] for deal in self.deals), Decimal(0)) for term in TERMS}

    @property
    def stood(self) -> Counter[str]:
        """Looks at which nothing was done, by the code of the reason."""
        return sum((one.stood for one in self.each), Counter[str]())

    @property
    def refused(self) -> Counter[str]:
        """Entries that the desk refused, by limit."""
        return sum((one.refused for one in self.each), Counter[str]())

    @property
    def best_share(self) -> float:
        """Part of a profit that its best trade made; NaN without a profit."""
        nets = [float(deal.terms["total"]) for deal in self.deals]
        total = sum(nets)
        return max(nets) / total if total > 0.0 else math.nan

    def interval(self, marks: Marks) -> tuple[float, float, float]:
        """(net, low, high), account currency; without bounds under TRADES_MIN trades."""
        if len(self.deals) < TRADES_MIN:
            return (float(self.net), math.nan, math.nan)
        return marks.total(self.changes)


def held_of(one: Walked, end_ns: int) -> list[Held]:
    """The trades of one series as the nulls take them."""
    return [
        Held(deal.entry_ns, deal.exit_ns or end_ns, deal.direction, float(deal.notional))
        for deal in one.deals
    ]


def by_name(lines: Sequence[Line], tier: str) -> dict[str, Line]:
    """The lines of one set of costs."""
    return {line.entrant.name: line for line in lines if line.tier == tier}
