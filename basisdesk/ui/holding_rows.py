"""What holding a pair costs and how long it may last, in words: slow figures, made once a minute.

The panel keeps one HoldMemo. It looks at one pair a beat at most, and at each pair once a minute,
so fifty pairs cost no beat more than one of them does.
"""

import math
from dataclasses import dataclass, field

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.trading.hold_time import Hold, Holds
from basisdesk.trading.holding import HoldingCost, holding_cost
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.risk import No
from basisdesk.ui.figures import NOTHING, number_text, sign_text
from basisdesk.ui.position_figures import sign_of

AGAIN_NS = 60_000_000_000  # between two looks at one pair
COST_PLACES = 4
NAN = math.nan
PENDING = "Worked out once a minute; not looked at yet."
ONE_LEG = "A leg is missing: cost and length of a hold are worked out for whole pairs only."


@dataclass(frozen=True, slots=True)
class Holding:
    """What one pair's hold costs and how long it may last, as text.

    cost: account currency an hour, minus is paid. left: "5.0 h to 2.2 d"; both an en dash where
    nothing is known, the details say why.
    """

    cost: str = NOTHING
    cost_detail: str = PENDING
    cost_sign: int = 0
    left: str = NOTHING
    left_detail: str = PENDING
    cost_value: float = field(default=NAN, compare=False)
    left_value: float = field(default=NAN, compare=False)


NONE = Holding()
ALONE = Holding(cost_detail=ONE_LEG, left_detail=ONE_LEG)


class HoldMemo:
    """The holdings of pairs, each at most a minute old. of() works one out a beat at most."""

    def __init__(self) -> None:
        self._holds = Holds()
        self._known: dict[int, tuple[int, str, Holding]] = {}
        self._worked_ns = -1

    def of(self, position: PairPosition, engine: Engine, settings: Settings) -> Holding:
        """The holding of an open pair, as of the last look; a placeholder before the first.

        While a leg is missing there is none.
        """
        at_ns, plan, known = self._known.get(position.pair, (-AGAIN_NS, "", NONE))
        now_ns = engine.now_ns
        if position.state != "open":  # what was worked out for two legs says nothing of one
            self._known.pop(position.pair, None)
            return NONE if position.state == "working" else ALONE
        fresh = now_ns - at_ns < AGAIN_NS and plan == str(position.plan.target_bp)
        if fresh or self._worked_ns == now_ns:
            return known
        self._worked_ns = now_ns
        made = holding_of(position, engine, settings, self._holds)
        self._known[position.pair] = now_ns, str(position.plan.target_bp), made
        return made

    def keep(self, pairs: set[int]) -> None:
        """Forget pairs that are not held any more."""
        for gone in self._known.keys() - pairs:
            del self._known[gone]


def holding_of(position: PairPosition, engine: Engine, settings: Settings, holds: Holds) -> Holding:
    """Cost and range of a hold, worked out now."""
    cost = holding_cost(position, engine.market, settings, engine.now_ns)
    left = holds.of(position, engine.market, settings, engine.now_ns)
    currency = settings.account.currency
    text, value = left_text(left)
    if isinstance(cost, No):
        return Holding(left=text, left_detail=left_detail(left), left_value=value,
                       cost_detail=cost.text)  # fmt: skip
    paid = -cost.total
    return Holding(
        sign_text(paid, COST_PLACES),
        cost_detail(cost, currency, settings),
        sign_of(paid * 100),
        text,
        left_detail(left),
        float(paid),
        value,
    )


def cost_detail(cost: HoldingCost, currency: str, settings: Settings) -> str:
    """Each part of an hour's cost by its name, with what it is made of."""
    places = COST_PLACES
    if cost.funding is None:
        funding = "funding unknown: no rate"
    elif cost.funding >= 0:
        funding = f"funding {sign_text(cost.funding, places)} to you, not set off"
    else:
        funding = f"funding {sign_text(cost.funding, places)}"
    rate = number_text(settings.risk.money_rate_year * 100, 1)
    return (
        f"Per hour, {currency}: borrow {sign_text(-cost.borrow, places)}, {funding}, money "
        f"{sign_text(-cost.carry, places)} ({rate} % a year on {number_text(cost.capital, 2)} "
        f"tied up)."
    )


def left_text(hold: Hold) -> tuple[str, float]:
    """(the range in a cell, hours to sort by)."""
    if hold.may_never:
        return "may never", math.inf
    if hold.median_h is None or hold.p90_h is None:
        return NOTHING, NAN
    if not hold.p90_h:
        return "reached", 0.0
    return f"{hours_text(hold.median_h)} to {hours_text(hold.p90_h)}", hold.median_h


def left_detail(hold: Hold) -> str:
    """What the range says and what it was measured on."""
    seen = hold.reversion
    measured = "" if seen is None else (
        f" Measured on {number_text(seen.hours, 1)} h of basis: mean "
        f"{sign_text(seen.mean_bp, 1)} bp, half-life {hours_text(seen.half_life_h)}."
    )  # fmt: skip
    if hold.may_never:
        return f"It may never be reached: {hold.why}.{measured}"
    if hold.median_h is None or hold.p90_h is None:
        return f"No range: {hold.why or 'too little of this basis is known'}."
    if not hold.p90_h:
        return "The target is reached now."
    return (
        f"Half of the paths reach the target within {hours_text(hold.median_h)}, nine of ten "
        f"within {hours_text(hold.p90_h)}.{measured}"
    )


def hours_text(hours: float) -> str:
    """A span of hours in one unit: "40 min", "5.2 h", "2.1 d"."""
    if not math.isfinite(hours):
        return NOTHING
    if hours < 1:
        return f"{number_text(max(1.0, hours * 60), 0)} min"
    if hours < 48:
        return f"{number_text(hours, 1)} h"
    return f"{number_text(hours / 24, 1)} d"
