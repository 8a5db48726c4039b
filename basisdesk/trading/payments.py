"""Funding that two legs pay each at their own times, as far as today's rates tell."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, NamedTuple

from basisdesk.config import exact
from basisdesk.trading.accrual import funding_rule

if TYPE_CHECKING:
    from basisdesk.market.state import Market
    from basisdesk.trading.quoting import OpenQuote

ZERO = Decimal(0)
HOUR_MS = 3_600_000
STAMPS_MAX = 8_760  # a year of hours; what takes longer never pays


class Payer(NamedTuple):
    """One perpetual of an entry. amount: account currency to us at each stamp, negative: we pay."""

    amount: Decimal
    next_ms: int
    interval_h: float


def payers(quote: "OpenQuote", market: "Market") -> list[Payer]:
    """The perpetuals of an entry at the indicative rates and marks of now; those unknown left out.

    For a whole interval: where a venue accrues, less is paid before its end.
    """
    found = []
    for leg, sign in ((quote.long, 1), (quote.short, -1)):
        rule = leg.ladder.instrument
        if rule.market != "perp":
            continue
        seen = market.leg(rule.key)
        clock = seen.funding
        price = clock.mark
        if funding_rule(market, rule.key).on == "index" and math.isfinite(seen.index):
            price = seen.index
        if math.isfinite(clock.rate) and math.isfinite(price) and clock.next_ms:
            amount = -sign * leg.qty * exact(price) * exact(clock.rate) * leg.cross.mid
            found.append(Payer(amount, clock.next_ms, clock.interval_h))
    return found


def next_payment(legs: Sequence[Payer]) -> tuple[Decimal, int]:
    """(amount to us, venue ms) of the next settlement of either leg; (0, 0) where unknown."""
    if not legs:
        return ZERO, 0
    at = min(leg.next_ms for leg in legs)
    return sum((leg.amount for leg in legs if leg.next_ms == at), ZERO), at


def payments_until(legs: Sequence[Payer], cost: Decimal) -> int | None:
    """Settlements, of either leg, until they have brought this much; None where they never do.

    Both legs' stamps count as the calendar has them: an hourly leg pays eight times before one of
    eight hours does.
    """
    if cost <= 0:
        return 0
    if len({(leg.next_ms, leg.interval_h) for leg in legs}) == 1:
        each = sum((leg.amount for leg in legs), ZERO)
        return int((cost / each).to_integral_value(ROUND_CEILING)) if each > 0 else None
    if not legs or any(leg.interval_h <= 0 for leg in legs):
        return None
    a_day = sum(float(leg.amount) * 24.0 / leg.interval_h for leg in legs)
    return _walked(legs, float(cost)) if a_day > 0 else None


def _walked(legs: Sequence[Payer], cost: float) -> int | None:
    due = [(leg.next_ms, round(leg.interval_h * HOUR_MS), float(leg.amount)) for leg in legs]
    paid = 0.0
    for count in range(1, STAMPS_MAX + 1):
        at = min(stamp for stamp, _, _ in due)
        paid += sum(amount for stamp, _, amount in due if stamp == at)
        if paid >= cost:
            return count
        due = [(s + step if s == at else s, step, amount) for s, step, amount in due]
    return None
