"""The cost sheet: what a pair trade costs, where it breaks even, and whether it is worth it.

One cost model for ticket, scanner, lab and report. All thresholds are dimensionless, in bp of the
reference leg's notional, so a setting means the same for every coin. Prices come from quoting.py.

The arithmetic, d the direction: entry, target and stop are executable bases, so half spreads and
depth at entry and exit are inside them already.
    convergence = d * (entry - target)
    expected    = convergence - four fees
    cost zone   = four fees + both legs' spread and depth, in and out: an immediate round trip
"No" inside the cost zone; "thin" when one funding interval against us would bring it there.
"""

import math
from decimal import ROUND_CEILING, Decimal

import msgspec

from basisdesk.config import Settings
from basisdesk.events import ExitPlan, Funds, OpenPair, Refused
from basisdesk.market.state import Market
from basisdesk.trading import words
from basisdesk.trading.fees import FeeSchedule, schedule
from basisdesk.trading.margin import Isolated, Liquidation, liquidation
from basisdesk.trading.paper import Ladder, Memory, mid
from basisdesk.trading.quoting import LegQuote, OpenQuote, basis_at, leg_quote, rules_of
from basisdesk.trading.sizing import buy_back

DEFAULT_PLAN = ExitPlan(
    max_hold_h=Decimal(72)
)  # hours: carry is earned in settlements, not seconds
STRESS_FRACTION = Decimal("0.01")  # of one leg's notional, where its volatility is not known
ZERO = Decimal(0)
NAN = math.nan


class CostSheet(msgspec.Struct, frozen=True):
    """Everything the ticket shows before an order. Money in quote currency, costs positive.

    priced: False where no price could be made; every figure is 0 or NaN then, `refusal` says why.
    notional: of the reference leg. residual_delta: base coin left unhedged after the entry.
    fee_*: the four fees, a fee in coins valued at its price. slip_in, slip_out: half spreads and
    depth of both legs. round_trip: fees and slippage together; *_bp in bp of the notional.
    borrow_8h: interest of 8 h, 0 without a borrowed leg. funding_next: at funding_next_ms, > 0 to
    us; 0 when unknown. break_even_bp: executable exit basis at which the net is zero.
    payments_to_break_even: settlements like the next one that pay the round trip; None when the
    next one pays nothing to us. capital_used: cash the entry takes. max_qty: largest size now.
    size_hint: base quantity at which the worse of loss_at_stop and loss_stress is the account risk.
    verdict_kind: "go", "thin" or "no"; verdict: the sentence with its arithmetic.
    """

    request: OpenPair
    direction: int
    currency: str
    refusal: Refused | None
    verdict_kind: str
    verdict: str
    priced: bool = False
    long_qty: Decimal = ZERO
    short_qty: Decimal = ZERO
    spot_qty: Decimal = ZERO
    perp_qty: Decimal = ZERO
    residual_delta: Decimal = ZERO
    notional: Decimal = ZERO
    fee_long_in: Decimal = ZERO
    fee_short_in: Decimal = ZERO
    fee_long_out: Decimal = ZERO
    fee_short_out: Decimal = ZERO
    fees: Decimal = ZERO
    slip_in: Decimal = ZERO
    slip_out: Decimal = ZERO
    round_trip: Decimal = ZERO
    fees_bp: float = NAN
    slip_bp: float = NAN
    round_trip_bp: float = NAN
    borrow_8h: Decimal = ZERO
    funding_next: Decimal = ZERO
    funding_next_ms: int = 0
    entry_bp: float = NAN
    exit_bp_now: float = NAN
    break_even_bp: float = NAN
    payments_to_break_even: int | None = None
    expected_bp: float = NAN
    expected: Decimal = ZERO
    capital_used: Decimal = ZERO
    free_after: Decimal = ZERO
    margin: Decimal = ZERO
    collateral: Decimal = ZERO
    liq_price: Decimal | None = None
    liq_distance_pct: float = NAN
    liq_source: str = ""
    loss_at_stop: Decimal | None = None
    loss_stress: Decimal = ZERO
    stress_note: str = ""
    max_qty: Decimal = ZERO
    size_hint: Decimal = ZERO
    size_note: str = ""


class Exit(msgspec.Struct, frozen=True):
    """Leaving an entry at once, priced on the opposite sides of the same books."""

    long: LegQuote
    short: LegQuote
    bp: float


def exit_now(
    entry: OpenQuote, request: OpenPair, market: Market, settings: Settings, now_ns: int
) -> Exit | None:
    """The exit of this entry at this moment's books; None when they show too little to leave."""
    legs = []
    owed = entry.sizes.short
    if entry.direction < 0:
        owed, _ = buy_back(owed, entry.short.ladder.instrument, entry.short.fees)
    for key, side, qty in (
        (request.long, "sell", entry.sizes.held),
        (request.short, "buy", owed),
    ):
        leg, rule = market.leg(key), rules_of(market, key)
        ladder = Ladder(leg, side, rule, Memory(enabled=False))
        takes = ladder.walk(qty)
        if takes is None or not qty:
            return None
        fees: FeeSchedule = schedule(settings, rule.venue)
        seen = (mid(leg, rule) or ZERO, leg.age_ms(now_ns))
        legs.append(leg_quote(ladder, takes, qty, fees, seen))
    return Exit(legs[0], legs[1], basis_at(legs[0], legs[1], entry.direction))


def next_funding(quote: OpenQuote, market: Market) -> tuple[Decimal, int]:
    """(amount to us, venue ms) of the next settlement of this pair's perpetuals; (0, 0) unknown."""
    due: dict[int, Decimal] = {}
    for leg, sign in ((quote.long, 1), (quote.short, -1)):
        rule = leg.ladder.instrument
        if rule.market != "perp":
            continue
        seen = market.leg(rule.key)
        rate, mark, at = seen.funding.rate, seen.funding.mark, seen.funding.next_ms
        if math.isfinite(rate) and math.isfinite(mark) and at:
            amount = -sign * leg.qty * Decimal(repr(mark)) * Decimal(repr(rate))
            due[at] = due.get(at, ZERO) + amount
    return (due[min(due)], min(due)) if due else (ZERO, 0)


def nearest_liquidation(quote: OpenQuote, request: OpenPair, market: Market) -> Liquidation | None:
    """The liquidation of the entry's perpetual; of two, the nearer one."""
    found = []
    for leg, is_long in ((quote.long, True), (quote.short, False)):
        rule = leg.ladder.instrument
        if rule.market != "perp" or not leg.qty:
            continue
        taker = leg.fees.rate(rule)
        position = Isolated(leg.vwap, leg.qty, is_long, request.leverage, ZERO, taker)
        mark = market.leg(rule.key).mark
        found.append(liquidation(position, rule, mark if math.isfinite(mark) else float(leg.mid)))
    return min(found, key=lambda at: _or_far(at.distance_pct), default=None)


def cost_sheet(
    entry: OpenQuote,
    leave: Exit | None,
    request: OpenPair,
    market: Market,
    settings: Settings,
    account: tuple[Funds, Decimal, Refused | None],
) -> CostSheet:
    """The sheet of a priced entry. account: (funds, largest size now, refusal if any)."""
    funds, most, refusal = account
    notional = entry.reference.cost
    fees_in = entry.long.fee_quote, entry.short.fee_quote
    fees_out = (leave.long.fee_quote, leave.short.fee_quote) if leave else fees_in
    fees = sum(fees_in + fees_out, ZERO)
    slip_in = entry.long.slippage + entry.short.slippage
    slip_out = leave.long.slippage + leave.short.slippage if leave else slip_in
    funding, funding_ms = next_funding(entry, market)
    borrow = _borrow_8h(entry, settings)
    liq = nearest_liquidation(entry, request, market)
    round_trip = fees + slip_in + slip_out
    fees_bp, slip_bp = _bp(fees, notional), _bp(slip_in + slip_out, notional)
    target = request.exit.target_bp
    d = entry.direction
    expected_bp = NAN if target is None else d * (entry.basis_bp - float(target)) - fees_bp
    loss = _loss_at_stop(entry, request.exit, fees)
    stress = notional * STRESS_FRACTION
    hint, note = _size_hint(entry, funds, settings, (loss, stress))
    against_bp = max(0.0, -_bp(funding, notional)) + _bp(borrow, notional)
    kind, verdict = _verdict(
        entry, target, (fees_bp, slip_bp, against_bp), leave is not None, refusal
    )
    spot = next(
        (leg.qty for leg in (entry.long, entry.short) if leg.ladder.instrument.market == "spot"),
        ZERO,
    )
    return CostSheet(
        request=request,
        direction=d,
        currency=entry.reference.ladder.instrument.quote,
        refusal=refusal,
        verdict_kind=kind,
        verdict=verdict,
        priced=True,
        long_qty=entry.long.qty,
        short_qty=entry.short.qty,
        spot_qty=spot,
        perp_qty=entry.short.qty if d > 0 else entry.long.qty,
        residual_delta=entry.sizes.delta,
        notional=notional,
        fee_long_in=fees_in[0],
        fee_short_in=fees_in[1],
        fee_long_out=fees_out[0],
        fee_short_out=fees_out[1],
        fees=fees,
        slip_in=slip_in,
        slip_out=slip_out,
        round_trip=round_trip,
        fees_bp=fees_bp,
        slip_bp=slip_bp,
        round_trip_bp=fees_bp + slip_bp,
        borrow_8h=borrow,
        funding_next=funding,
        funding_next_ms=funding_ms,
        entry_bp=entry.basis_bp,
        exit_bp_now=leave.bp if leave else NAN,
        break_even_bp=entry.basis_bp - d * fees_bp,
        payments_to_break_even=_payments(round_trip, funding),
        expected_bp=expected_bp,
        expected=ZERO if math.isnan(expected_bp) else notional * Decimal(expected_bp) / 10_000,
        capital_used=entry.cash,
        free_after=funds.free - entry.cash,
        margin=entry.margin,
        collateral=entry.collateral,
        liq_price=liq.price if liq else None,
        liq_distance_pct=liq.distance_pct if liq else NAN,
        liq_source=liq.source if liq else "",
        loss_at_stop=loss,
        loss_stress=stress,
        stress_note="one leg moves 1 % before the other follows",
        max_qty=most,
        size_hint=hint,
        size_note=note,
    )


def refused_sheet(request: OpenPair, direction: int, refusal: Refused, currency: str) -> CostSheet:
    """The sheet where no price could be made."""
    return CostSheet(request, direction, currency, refusal, "no", refusal.text)


def _verdict(
    entry: OpenQuote,
    target: Decimal | None,
    costs: tuple[float, float, float],
    can_leave: bool,
    refusal: Refused | None,
) -> tuple[str, str]:
    # costs: fees, spread and depth, one funding interval (and its borrow) against us; all bp
    if refusal is not None:
        return "no", refusal.text
    if not can_leave:
        return "no", "The books show too little to get out of this size again. Lower the size."
    if target is None:  # a sheet asked for without the ticket's rules
        return "no", "No target is set. Say where to leave before going in."
    fees, slip, against = costs
    zone = fees + slip
    move = entry.direction * (entry.basis_bp - float(target))
    safest = entry.basis_bp - entry.direction * (zone + against)
    where = "or lower" if entry.direction > 0 else "or higher"
    costs_text = f"{words.bp(fees)} of fees and {words.bp(slip)} of spread and depth"
    if move < zone:
        return "no", (
            f"The target is inside the cost zone: entry {words.bp(entry.basis_bp)} to target "
            f"{words.bp(float(target))} gives {words.bp(move, signed=True)}, the round trip costs "
            f"{words.bp(zone)} ({costs_text}). Set it to {words.bp(safest)} {where}, or wait."
        )
    after = f"{words.bp(move)} of convergence, less {costs_text}, leave {words.bp(move - zone)}"
    if move < zone + against:
        return "thin", (
            f"Thin: {after}; one interval of funding and interest against us takes "
            f"{words.bp(against)}. A target of {words.bp(safest)} {where} would cover it."
        )
    return "go", f"Worth it: {after}; one interval against us would take {words.bp(against)}."


def _loss_at_stop(entry: OpenQuote, plan: ExitPlan, fees: Decimal) -> Decimal | None:
    if plan.stop_bp is None:
        return None
    widening = entry.direction * (float(plan.stop_bp) - entry.basis_bp)
    return entry.reference.cost * Decimal(widening) / 10_000 + fees


def _size_hint(
    entry: OpenQuote, funds: Funds, settings: Settings, losses: tuple[Decimal | None, Decimal]
) -> tuple[Decimal, str]:
    risk = Decimal(repr(settings.risk.account_risk))
    stop, stress = losses
    worst = max(stop or ZERO, stress)
    if worst <= 0 or funds.equity <= 0:
        return ZERO, ""
    rule = entry.long.ladder.instrument
    hint = rule.round_down(entry.long.qty * risk * funds.equity / worst)
    which = "stop" if stop is not None and stop > stress else "stress"
    return hint, (
        f"{words.plain(hint)} {rule.base} puts {words.plain(risk * 100)} % of equity at risk "
        f"(the {which} loss binds)"
    )


def _borrow_8h(entry: OpenQuote, settings: Settings) -> Decimal:
    if entry.collateral == 0:
        return ZERO
    spot = entry.short
    return 8 * settings.borrow_rate(spot.ladder.instrument.venue) * spot.qty * spot.mid


def _payments(round_trip: Decimal, funding: Decimal) -> int | None:
    if funding <= 0:
        return None
    return max(0, int((round_trip / funding).to_integral_value(ROUND_CEILING)))


def _bp(amount: Decimal, notional: Decimal) -> float:
    return float(amount / notional * 10_000) if notional else NAN


def _or_far(distance_pct: float) -> float:
    return distance_pct if math.isfinite(distance_pct) else math.inf
