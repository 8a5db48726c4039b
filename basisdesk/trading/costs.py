"""The cost sheet: what a pair trade costs, where it breaks even, and whether it is worth it.

One cost model for ticket, scanner, lab and report. All thresholds are dimensionless, in bp of the
reference leg's notional, so a setting means the same for every coin. Prices come from quoting.py.

The arithmetic, d the direction: entry, target and stop are executable bases, so half spreads and
depth at entry and exit are inside them already. Two currencies meet at the middle of their cross
rate, as on the chart; what changing money costs beyond that stands beside the fees.
    convergence = d * (entry - target)
    expected    = convergence - four fees - conversion
    cost zone   = four fees + conversion + both legs' spread and depth, in and out: an immediate
                  round trip
"No" inside the cost zone; "thin" when one funding interval against us would bring it there.
"""

import math
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from basisdesk.config import Settings
from basisdesk.events import Funds, OpenPair, Refused
from basisdesk.market.state import Market
from basisdesk.trading.advice import SizeAdvice, advice
from basisdesk.trading.cross import cross_of
from basisdesk.trading.fees import schedule
from basisdesk.trading.margin import Isolated, Liquidation, liquidation
from basisdesk.trading.paper import Ladder, Memory, mid
from basisdesk.trading.payments import next_payment, payers, payments_until
from basisdesk.trading.quoting import LegQuote, OpenQuote, basis_at, leg_quote, rules_of
from basisdesk.trading.risk import No
from basisdesk.trading.sizing import buy_back
from basisdesk.trading.stress import StressLoss, stresses
from basisdesk.trading.verdict import EntryRule, entry_rule

ZERO = Decimal(0)
NAN = math.nan


class CostSheet(msgspec.Struct, frozen=True):
    """Everything the ticket shows before an order. Money in account currency, costs positive.

    priced: False where no price could be made; every figure is 0 or NaN then, `refusal` says why.
    notional: of the reference leg. residual_delta: base coin left unhedged after the entry.
    fee_*: the four fees, a fee in coins valued at its price. slip_in, slip_out: half spreads and
    depth of both legs. conversion_in, conversion_out: changing money for a spot leg in another
    currency, against the middle of its cross rate. round_trip: fees, slippage and conversion
    together; *_bp in bp of the notional.
    borrow_8h: interest of 8 h, 0 without a borrowed leg. funding_next: of a whole interval, at
    funding_next_ms, > 0 to us; 0 when unknown. break_even_bp: executable exit basis at which the
    net is zero.
    payments_to_break_even: settlements of either perpetual until they have paid the round trip at
    today's rates; None when they never do. capital_used: cash the entry takes. max_qty: largest
    size now.
    liq_*: of the perpetual that is liquidated first; liqs: of each, by its key.
    loss_at_stop: at the plan's stop with all fees. loss_stress: the worst of `stress` (stress.py).
    size_hint, size_note: of `advice`, the suggested size with all its lines (advice.py).
    verdict_kind: "go", "thin" or "no"; verdict: the sentence with its arithmetic; rule: the terms
    of both, None without a target or without a way out (verdict.py).
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
    conversion_in: Decimal = ZERO
    conversion_out: Decimal = ZERO
    round_trip: Decimal = ZERO
    fees_bp: float = NAN
    slip_bp: float = NAN
    conversion_bp: float = NAN
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
    liqs: tuple[tuple[str, Liquidation], ...] = ()
    loss_at_stop: Decimal | None = None
    loss_stress: Decimal = ZERO
    stress_note: str = ""
    max_qty: Decimal = ZERO
    size_hint: Decimal = ZERO
    size_note: str = ""
    stress: tuple[StressLoss, ...] = ()
    advice: SizeAdvice | None = None
    rule: EntryRule | None = None


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
        seen = (mid(leg, rule) or ZERO, leg.age_ms(now_ns))
        cross = cross_of(market, rule.quote, settings.account.currency, now_ns)
        if isinstance(cross, No) or not qty:
            return None
        quote = leg_quote(ladder, qty, schedule(settings, rule.venue), seen, cross)
        if quote is None:
            return None
        legs.append(quote)
    return Exit(legs[0], legs[1], basis_at(legs[0], legs[1], entry.direction))


def nearest_liquidation(quote: OpenQuote, request: OpenPair, market: Market) -> Liquidation | None:
    """The liquidation of the entry's perpetual; of two, the nearer one."""
    found = [at for _, at in liquidations(quote, request, market)]
    return min(found, key=lambda at: _or_far(at.distance_pct), default=None)


def liquidations(
    quote: OpenQuote, request: OpenPair, market: Market
) -> list[tuple[LegQuote, Liquidation]]:
    """Where each perpetual of an entry would be liquidated, by its venue's rule and tier."""
    found = []
    for leg, is_long in ((quote.long, True), (quote.short, False)):
        rule = leg.ladder.instrument
        if rule.market != "perp" or not leg.qty:
            continue
        taker = leg.fees.rate(rule)
        position = Isolated(leg.vwap, leg.qty, is_long, request.leverage, ZERO, taker)
        mark = market.leg(rule.key).mark
        near = mark if math.isfinite(mark) else float(leg.mid)
        found.append((leg, liquidation(position, rule, near)))
    return found


def cost_sheet(
    entry: OpenQuote,
    leave: Exit | None,
    request: OpenPair,
    market: Market,
    settings: Settings,
    account: tuple[Funds, Decimal, Refused | None],
) -> CostSheet:
    """The sheet of a priced entry, yet without a verdict.

    account: (funds, largest size now, refusal if any). The passive leg of a passive order is
    counted as it is meant: a maker at its own best price. The cash is still what a taker needs.
    """
    funds, most, refusal = account
    entry = _passive(entry, request, market)
    sheet = _what_it_is(entry, request, refusal, settings.account.currency)
    sheet = _what_it_costs(sheet, entry, leave)
    sheet = _what_time_does(sheet, entry, market, settings)
    sheet = _what_can_be_lost(sheet, entry, market)
    sheet = replace(sheet, max_qty=most, free_after=funds.free - entry.cash)
    if leave is not None:
        sheet = replace(sheet, rule=entry_rule(sheet, market))
    if funds.equity <= 0:
        return sheet
    size = advice(sheet, entry, market, settings, funds)
    return replace(sheet, advice=size, size_hint=size.qty, size_note=size.note)


def _passive(entry: OpenQuote, request: OpenPair, market: Market) -> OpenQuote:
    if request.how.style != "passive":
        return entry
    name = request.how.passive_leg
    quote: LegQuote = getattr(entry, name)
    leg, rule = market.leg(quote.ladder.instrument.key), quote.ladder.instrument
    touch = rule.price(leg.bid if quote.ladder.side == "buy" else leg.ask)
    return replace(entry, **{name: quote.resting(touch)})


def _what_it_is(
    entry: OpenQuote, request: OpenPair, refusal: Refused | None, currency: str
) -> CostSheet:
    spot = [leg for leg in (entry.long, entry.short) if leg.ladder.instrument.market == "spot"]
    return CostSheet(
        request=request,
        direction=entry.direction,
        currency=currency,
        refusal=refusal,
        verdict_kind="no",
        verdict="",
        priced=True,
        long_qty=entry.long.qty,
        short_qty=entry.short.qty,
        spot_qty=spot[0].qty if spot else ZERO,
        perp_qty=entry.short.qty if entry.direction > 0 else entry.long.qty,
        residual_delta=entry.sizes.delta,
        notional=entry.reference.value,
        entry_bp=entry.basis_bp,
        capital_used=entry.cash,
        margin=entry.margin,
        collateral=entry.collateral,
    )


def _what_it_costs(sheet: CostSheet, entry: OpenQuote, leave: Exit | None) -> CostSheet:
    # Where the books show too little to leave, the way out is taken to cost what the way in does.
    back: Exit | OpenQuote = leave if leave is not None else entry
    fees_in = entry.long.fee_value + entry.short.fee_value
    fees = fees_in + back.long.fee_value + back.short.fee_value
    slip_in = entry.long.slippage + entry.short.slippage
    slip_out = back.long.slippage + back.short.slippage
    turn_in = entry.long.conversion + entry.short.conversion
    turn_out = back.long.conversion + back.short.conversion
    fees_bp, slip_bp = _bp(fees, sheet.notional), _bp(slip_in + slip_out, sheet.notional)
    turn_bp = _bp(turn_in + turn_out, sheet.notional)
    target, d = sheet.request.exit.target_bp, sheet.direction
    charges_bp = fees_bp + turn_bp
    expected_bp = NAN if target is None else d * (sheet.entry_bp - float(target)) - charges_bp
    return replace(
        sheet,
        fee_long_in=entry.long.fee_value,
        fee_short_in=entry.short.fee_value,
        fee_long_out=back.long.fee_value,
        fee_short_out=back.short.fee_value,
        fees=fees,
        slip_in=slip_in,
        slip_out=slip_out,
        conversion_in=turn_in,
        conversion_out=turn_out,
        round_trip=fees + slip_in + slip_out + turn_in + turn_out,
        fees_bp=fees_bp,
        slip_bp=slip_bp,
        conversion_bp=turn_bp,
        round_trip_bp=fees_bp + slip_bp + turn_bp,
        exit_bp_now=leave.bp if leave is not None else NAN,
        break_even_bp=sheet.entry_bp - d * charges_bp,
        expected_bp=expected_bp,
        expected=ZERO if target is None else sheet.notional * Decimal(expected_bp) / 10_000,
    )


def _what_time_does(
    sheet: CostSheet, entry: OpenQuote, market: Market, settings: Settings
) -> CostSheet:
    paying = payers(entry, market)
    funding, funding_ms = next_payment(paying)
    borrow = ZERO
    if entry.direction < 0:
        spot = entry.short
        rate = settings.borrow_rate(spot.ladder.instrument.venue)
        borrow = 8 * rate * spot.qty * spot.mid * spot.cross.mid
    return replace(
        sheet,
        borrow_8h=borrow,
        funding_next=funding,
        funding_next_ms=funding_ms,
        payments_to_break_even=payments_until(paying, sheet.round_trip),
    )


def _what_can_be_lost(sheet: CostSheet, entry: OpenQuote, market: Market) -> CostSheet:
    found = liquidations(entry, sheet.request, market)
    sheet = replace(sheet, liqs=tuple((leg.ladder.instrument.key, at) for leg, at in found))
    liq = nearest_liquidation(entry, sheet.request, market)
    if liq is not None:
        sheet = replace(
            sheet,
            liq_price=liq.price,
            liq_distance_pct=liq.distance_pct,
            liq_source=liq.source,
        )
    loss, stop = None, sheet.request.exit.stop_bp
    if stop is not None:
        widening = sheet.direction * (float(stop) - sheet.entry_bp)
        loss = sheet.notional * Decimal(widening) / 10_000 + sheet.fees
        loss += sheet.conversion_in + sheet.conversion_out
    lines = stresses(entry, liq, market)
    worst = lines[0]
    return replace(
        sheet, loss_at_stop=loss, stress=lines, loss_stress=worst.loss, stress_note=worst.text
    )


def refused_sheet(request: OpenPair, direction: int, refusal: Refused, currency: str) -> CostSheet:
    """The sheet where no price could be made."""
    return CostSheet(request, direction, currency, refusal, "no", refusal.text)


def _bp(amount: Decimal, notional: Decimal) -> float:
    return float(amount / notional * 10_000) if notional else NAN


def _or_far(distance_pct: float) -> float:
    return distance_pct if math.isfinite(distance_pct) else math.inf
