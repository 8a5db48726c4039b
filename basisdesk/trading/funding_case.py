"""Has funding turned against a pair for good, and is leaving cheaper than staying?

Leaving costs fees, spread and depth, so a sign that flips is no reason to go (features.md row 82).
A pair leaves only when all four hold: the plan asks for it; its last settlements were paid by us;
the predicted rate is against us by what the plan names; and what staying is expected to pay over
the hold still expected is more than what leaving costs now.

The predicted rate is taken to stay. Funding is sticky: its autocorrelation from one 8 h settlement
to the next is about 0.8 (quant.md 1.2, one reading of 20 perpetuals), so a rate let fade with the
half-life of the basis, which is an hour or two, would make staying look cheaper than it is.
"""

import math
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.market.state import Market
from basisdesk.trading import words
from basisdesk.trading.accrual import funding_rule
from basisdesk.trading.cross import mid_rate
from basisdesk.trading.hold_time import Holds
from basisdesk.trading.holding import (
    CloseOut,
    close_out,
    expected_funding,
    funding_price,
)
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.margin import CENT
from basisdesk.trading.positions import HOUR_NS, PairPosition
from basisdesk.trading.quoting import decision_mid, undescribed

RUN = 2  # settlements in a row that we paid
HOLD_ASSUMED_H = 24.0  # where the hold cannot be measured
HOLD_NEVER_H = 72.0  # where the target may never be reached, and the longest that is looked ahead
HOUR_MS = 3_600_000
ZERO = Decimal(0)


class FundingCase(msgspec.Struct, frozen=True):
    """Staying weighed against leaving. Money in account currency.

    limit_bp: the plan's, None where it has no such rule. against_bp: the predicted rate against us,
    bp per 8 h of the reference leg's notional; < 0: for us; NaN unknown. run: settlements paid by
    us in a row. hold_h: hours looked ahead; hold_note: where they come from. adverse: funding
    expected to be paid until then, < 0 received. to_leave: cost of closing now; None where the
    books cannot say. leave: all of it together. text: the case in one sentence.
    """

    limit_bp: Decimal | None
    against_bp: float
    run: int
    hold_h: float
    hold_note: str
    adverse: Decimal
    to_leave: Decimal | None
    leave: bool
    text: str

    @property
    def turned(self) -> bool:
        """Whether funding is against us, and has been."""
        return _turned(self.limit_bp, self.run, self.against_bp)


def funding_case(
    position: PairPosition,
    market: Market,
    settings: Settings,
    now_ns: int,
    holds: Holds | None = None,
) -> FundingCase:
    """The case of an open pair, with or without the rule in its plan.

    holds: the caller's memory of how long pairs are held; without it this takes some 10 ms.
    """
    limit, run = position.plan.funding_bp, position.adverse
    against_bp = predicted_bp(position, market, settings.account.currency, now_ns)
    hold_h, note = _ahead(position, market, settings, now_ns, holds or Holds())
    adverse = _adverse(position, market, settings.account.currency, now_ns, hold_h)
    priced = close_out(position, market, settings, now_ns)
    to_leave = priced.cost if isinstance(priced, CloseOut) else None
    dearer = to_leave is not None and adverse > to_leave
    leave = dearer and _turned(limit, run, against_bp)
    case = FundingCase(limit, against_bp, run, hold_h, note, adverse, to_leave, leave, "")
    said = _sentence(case, settings.account.currency)
    return msgspec.structs.replace(case, text=said)


def turned_against(
    position: PairPosition,
    market: Market,
    settings: Settings,
    now_ns: int,
    holds: Holds | None = None,
) -> bool:
    """Whether the funding rule says leave. The dear part is asked only where it can matter."""
    plan, currency = position.plan, settings.account.currency
    if plan.funding_bp is None or position.adverse < RUN:
        return False
    against_bp = predicted_bp(position, market, currency, now_ns)
    if not _turned(plan.funding_bp, position.adverse, against_bp):
        return False
    priced = close_out(position, market, settings, now_ns)
    most = _adverse(position, market, currency, now_ns, HOLD_NEVER_H)
    if not isinstance(priced, CloseOut) or most <= priced.cost:
        return False
    return funding_case(position, market, settings, now_ns, holds).leave


def predicted_bp(position: PairPosition, market: Market, currency: str, now_ns: int) -> float:
    """The predicted funding of both legs against us, bp per 8 h of the reference leg; NaN unknown.

    Intervals may differ: each rate is brought to 8 h first.
    """
    reference = position.reference
    if undescribed(position, market) is not None or not reference.qty:
        return math.nan
    hour = expected_funding(position, market, currency, now_ns)
    fx = mid_rate(market, reference.quote, currency, now_ns, reference.fx)
    notional = abs(reference.qty) * decision_mid(position, reference, market) * fx
    return float(-8 * hour / notional * 10_000) if notional and not hour.is_nan() else math.nan


def _turned(limit_bp: Decimal | None, run: int, against_bp: float) -> bool:
    return (
        limit_bp is not None
        and run >= RUN
        and math.isfinite(against_bp)
        and against_bp > 0
        and against_bp >= float(limit_bp)
    )


def _ahead(
    position: PairPosition, market: Market, settings: Settings, now_ns: int, holds: Holds
) -> tuple[float, str]:
    """(hours still to be held, where that comes from)."""
    hold = holds.of(position, market, settings, now_ns)
    if hold.median_h is not None:
        hours, note = min(hold.median_h, HOLD_NEVER_H), "the median time to the target"
    elif hold.may_never:
        hours, note = HOLD_NEVER_H, f"looked ahead: {hold.why}"
    else:
        hours, note = HOLD_ASSUMED_H, f"assumed: {hold.why}"
    if position.plan.max_hold_h is not None:
        left = float(position.plan.max_hold_h) - (now_ns - position.opened_ns) / HOUR_NS
        if left < hours:
            return max(0.0, left), "until the time stop"
    return hours, note


def _adverse(
    position: PairPosition, market: Market, currency: str, now_ns: int, hours: float
) -> Decimal:
    """Funding to be paid within so many hours at the predicted rates; < 0: received."""
    paid = ZERO
    for perp in position.perps:
        seen, price = market.leg(perp.instrument), funding_price(market, perp.instrument)
        rate = seen.funding.rate
        if not perp.qty or not (math.isfinite(rate) and math.isfinite(price)):
            continue
        fx = mid_rate(market, perp.quote, currency, now_ns, perp.fx)
        times = _settlements(perp, market, now_ns, hours)
        paid += perp.qty * exact(price) * exact(rate) * times * fx
    return paid.quantize(CENT, ROUND_HALF_EVEN)


def _settlements(perp: LegPosition, market: Market, now_ns: int, hours: float) -> Decimal:
    """How many intervals are paid within so many hours: stamps by the calendar, not T / interval.

    Where a venue accrues, parts of one count.
    """
    clock, now_ms = market.leg(perp.instrument).funding, now_ns // 1_000_000
    if clock.interval_h <= 0:
        return ZERO
    if funding_rule(market, perp.instrument).pays == "accrual":
        return Decimal(hours / clock.interval_h)
    first = clock.next_ms - now_ms
    if first <= 0:  # not known, or passing just now
        first = round(clock.interval_h * HOUR_MS)
    left = hours * HOUR_MS - first
    return Decimal(int(left // (clock.interval_h * HOUR_MS)) + 1) if left >= 0 else ZERO


def _sentence(case: FundingCase, currency: str) -> str:
    if not math.isfinite(case.against_bp):
        return "The predicted funding is not known: stay."
    if case.against_bp <= 0:
        return f"Funding is for this pair, {words.bp(-case.against_bp)} per 8 h: stay."
    if case.to_leave is None:
        return "The books show too little to leave, so leaving cannot be weighed: stay."
    weighed = (
        f"expected adverse {words.money(case.adverse, currency)} over {case.hold_h:.0f} h against "
        f"{words.money(case.to_leave, currency)} to leave"
    )
    if case.leave:
        return f"{weighed}: leave"
    if case.adverse <= case.to_leave:
        return f"{weighed}: stay"
    if case.limit_bp is None:
        return f"{weighed}; the plan has no funding rule: stay"
    if case.run < RUN:
        return f"{weighed}, but only {case.run} of the last {RUN} settlements were paid: stay"
    limit = words.bp(float(case.limit_bp))
    return f"{weighed}, but {words.bp(case.against_bp)} per 8 h is below the plan's {limit}: stay"
