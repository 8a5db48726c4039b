"""A held pair in words: its plan, its working order, what stands alone and since when. Pure."""

import math
from decimal import Decimal

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.events import ExitPlan, Work
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.maker_queue import Resting
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.working import flattens
from basisdesk.ui.figures import NOTHING, number_text, sign_text, size_text
from basisdesk.ui.leg_words import leg_name
from basisdesk.ui.position_figures import base_of, price_places
from basisdesk.ui.times import clock_text, date_text, ticking_text, zone_text

ZERO = Decimal(0)
REASONS = {
    "user": "closed by hand",
    "target": "target hit",
    "net": "net target hit",
    "stop": "stop hit",
    "time": "time stop",
    "funding": "funding turned",
    "sector": "sector reversed",
    "flatten": "flattened",
    "liquidation": "liquidated",
    "adl": "deleveraged by the venue",
    "unwind": "unwound",
    "rebalance": "rebalanced away",
    "flip": "flipped",
}
DOES_NOW = {"hedge": "hedging now", "retry": "retrying", "unwind": "unwinding"}
DOES_LONG = {
    "hedge": "The missing quantity is sent at market again and again",
    "retry": "The missing quantity is tried within the pay-up of this order",
    "unwind": "The surplus of the other leg is given back at market",
}


def closed_text(position: PairPosition) -> str:
    """Why a pair is closed: "target hit", "closed by hand", or the author of its close."""
    return position.close_by or REASONS.get(position.close_reason, position.close_reason)


def opener_text(position: PairPosition) -> str:
    """Who opened a pair where no person did: ", by autopilot: carry, edge, decision 12"."""
    return f", by {position.open_by}" if position.open_by else ""


def legs_detail(position: PairPosition, engine: Engine) -> str:
    """Both legs with what they hold, their average entry price and symbol."""
    return " ".join(_leg_sentence(leg, engine) for leg in position.legs)


def _leg_sentence(leg: LegPosition, engine: Engine) -> str:
    held = f"{leg.role.capitalize()} {leg.instrument}: {size_text(leg.qty)} held"
    if not leg.entry_qty:
        return f"{held}, nothing filled yet."
    places = price_places(leg.instrument, engine)
    return f"{held}, entered at {number_text(leg.entry_price, places)}."


def basis_text(position: PairPosition, engine: Engine) -> str:
    """Entry basis and where it can be left now (where it was left, once closed), bp."""
    now = (
        position.exit_bp
        if position.state == "closed"
        else engine.desk.close_bp(position.pair, engine.market)
    )
    return f"{sign_text(position.entry_bp, 1)} \u2192 {sign_text(now, 1)}"


# --- what happens next ----------------------------------------------------------------------------


def state_text(
    position: PairPosition,
    closing: PairOrder | None,
    engine: Engine,
    settings: Settings,
    exposure: float,
) -> str:
    """What ends this pair, or what is being done about it now.

    exposure: notional that no other leg cancels, account currency.
    """
    if position.state == "closed":
        why = closed_text(position) or "nothing filled"
        return f"{why} {clock_text(position.closed_ns or 0, settings.ui.utc)[:5]}"
    if position.state == "unhedged":
        return unhedged_text(position, engine.now_ns, exposure, settings.account.currency)
    if position.state == "naked":
        return naked_text(position, exposure, settings.account.currency)
    if position.work is not None:
        return work_text(position, position.work, engine.desk.resting_of(position.pair))
    return "closing" if closing is not None else plan_text(position.plan, position.direction)


def unhedged_text(position: PairPosition, now_ns: int, exposure: float, currency: str) -> str:
    """The naked exposure in money, its clock, and what the desk does: one line, read at a glance.

    "unhedged 4,120 USDT for 3.2 s, hedging now"
    """
    does = DOES_NOW.get(position.how.policy, "mending")
    if position.work is not None and position.work.kind == "close":
        does = "closing the rest"
    amount = number_text(exposure, 0)
    return f"unhedged {amount} {currency} for {alone_text(position, now_ns)}, {does}"


def alone_text(position: PairPosition, now_ns: int) -> str:
    """How long a leg has stood alone: "3.2 s"."""
    if position.unhedged_ns is None:
        return NOTHING
    return ticking_text((now_ns - position.unhedged_ns) / 1e9)


def unhedged_detail(position: PairPosition, engine: Engine) -> str:
    """What is missing on which leg, what the desk does, and when it gives up."""
    base = base_of(position.long.instrument, engine)
    lagging = min(position.legs, key=lambda leg: abs(leg.qty))
    limit = engine.settings.risk.unhedged_s_max  # in the clock of the market
    does = DOES_LONG.get(position.how.policy, "The legs are mended")
    return (
        f"{leg_name(lagging.instrument)} lacks {size_text(abs(position.delta))} {base}. {does}; "
        f"after {limit} s alone it is unwound and entries stop. "
        f"{delta_detail(position, base)}"
    )


def naked_text(position: PairPosition, exposure: float, currency: str) -> str:
    """One leg stands alone for good: which, and with how much money."""
    left = max(position.legs, key=lambda leg: abs(leg.qty))
    gone = "short" if left.role == "long" else "long"
    why = {"liquidation": "liquidated", "adl": "deleveraged"}.get(position.close_reason, "closed")
    return f"{gone} leg {why}, {number_text(exposure, 0)} {currency} unhedged"


# --- the working order ----------------------------------------------------------------------------


def work_done(position: PairPosition, work: Work) -> tuple[Decimal, Decimal]:
    """(base filled, base asked) of a working order, on the leg that has most to do."""
    pairs = ((position.long_done, work.long_qty), (position.short_done, work.short_qty))
    return max(pairs, key=lambda pair: pair[1])


def slice_of(position: PairPosition, work: Work) -> int:
    """The slice at work now, from 1; the last one once all is filled."""
    done, asked = work_done(position, work)
    slices = max(1, work.how.slices)
    return min(slices, int(done * slices / asked) + 1) if asked else 1


def work_text(position: PairPosition, work: Work, resting: Resting | None = None) -> str:
    """A working order in a cell: "entry 4,000 of 10,000 \u00b7 slice 2 of 5 \u00b7 limit 12 bp"."""
    if flattens(work):
        return "flatten goes on"
    done, asked = work_done(position, work)
    parts = [
        f"{'entry' if work.kind == 'open' else 'exit'} {size_text(done)} of {size_text(asked)}"
    ]
    if work.how.slices > 1:
        parts.append(f"slice {slice_of(position, work)} of {work.how.slices}")
    if work.how.limit_bp is not None:
        parts.append(f"limit {size_text(work.how.limit_bp)} bp")
    if work.how.style == "passive":
        ahead = None if resting is None else resting.ahead
        queue = "" if ahead is None else f", {number_text(ahead, 0)} ahead"
        parts.append(f"{work.how.passive_leg} leg rests{queue}")
    return " \u00b7 ".join(parts)


def _queue_detail(position: PairPosition, work: Work, engine: Engine, base: str) -> str:
    """Price and queue of the resting leg in a sentence, "" where none stands in a book."""
    resting = engine.desk.resting_of(position.pair)
    if resting is None or resting.ahead is None:
        return ""
    leg = position.long if work.how.passive_leg == "long" else position.short
    price = number_text(resting.price, price_places(leg.instrument, engine))
    return (
        f" It rests at {price}; {number_text(resting.ahead, 0)} {base} are assumed to be filled "
        f"before it, of {number_text(resting.joined_behind, 0)} when it joined."
    )


def work_detail(position: PairPosition, work: Work, engine: Engine, utc: bool) -> str:
    """Progress of each leg, the queue ahead, what holds it up, when the rest is withdrawn."""
    base, waits = base_of(position.long.instrument, engine), engine.desk.waits_for(position.pair)
    if flattens(work):
        return f"Flatten goes on until nothing is left, after a restart too. {waits}".rstrip()
    said = (
        f"Long leg {size_text(position.long_done)} of {size_text(work.long_qty)} {base}, "
        f"short leg {size_text(position.short_done)} of {size_text(work.short_qty)} {base}."
    )
    if work.how.style == "limit" and work.how.limit_bp is not None:
        said += f" Waits until the executable basis is {size_text(work.how.limit_bp)} bp or better."
    if work.how.style == "passive":
        said += (
            f" The {work.how.passive_leg} leg rests at its best price; each fill is hedged up to "
            f"{work.how.pay_up} ticks beyond the other leg's best."
        )
        said += _queue_detail(position, work, engine, base)
    if waits:
        said += f" {waits}"
    zone = zone_text(utc, work.give_up_ns)
    return f"{said} What is left is withdrawn at {clock_text(work.give_up_ns, utc)} {zone}."


# --- the plan -------------------------------------------------------------------------------------


def plan_text(plan: ExitPlan, direction: int) -> str:
    """An exit plan in a cell: "\u2264 3 bp \u00b7 stop 120 \u00b7 72 h"."""
    parts = []
    if plan.target_bp is not None:
        within = "\u2264" if direction > 0 else "\u2265"
        parts.append(f"{within} {size_text(plan.target_bp)} bp")
    if plan.net_target is not None:
        parts.append(f"net {size_text(plan.net_target, 2)}")
    if plan.stop_bp is not None:
        parts.append(f"stop {size_text(plan.stop_bp)}")
    if plan.max_hold_h is not None:
        parts.append(f"{size_text(plan.max_hold_h)} h")
    if plan.funding_bp is not None:
        parts.append("funding")
    if plan.sector:
        parts.append("sector")
    return " \u00b7 ".join(parts) or "by hand only"


def acting(position: PairPosition) -> ExitPlan:
    """The rules of a pair's plan that can act: of a naked pair none that needs both legs."""
    plan = position.plan
    if position.state != "naked":
        return plan
    return ExitPlan(max_hold_h=plan.max_hold_h, net_target=plan.net_target)


def bare_text(plan: ExitPlan, currency: str) -> str:
    """What a plan can still do for one leg alone, in a sentence.

    "Only its time stop (72 h) can close it; target and stop basis need both legs."
    """
    rules = []
    if plan.max_hold_h is not None:
        rules.append(f"its time stop ({size_text(plan.max_hold_h)} h)")
    if plan.net_target is not None:
        rules.append(f"its net target ({sign_text(plan.net_target, 2)} {currency})")
    if not rules:
        return "No rule of its plan can act on one leg: it stays until somebody closes it."
    return f"Only {' and '.join(rules)} can close it by itself; basis rules need both legs."


def plan_detail(position: PairPosition, settings: Settings) -> str:
    """When the pair was opened, and every rule of its plan in words."""
    utc, currency = settings.ui.utc, settings.account.currency
    said = f"Opened {date_text(position.opened_ns, utc)} {zone_text(utc, position.opened_ns)}"
    said += f" at {size_text(position.leverage)}x leverage{opener_text(position)}."
    plan = acting(position)
    hours = plan.max_hold_h
    if position.state == "closed":
        return said
    if hours is not None:
        ends_ns = position.opened_ns + int(hours * 3_600_000_000_000)
        said += f" Time stop {date_text(ends_ns, utc)}."
    if plan.net_target is not None:
        said += f" Leaves once closing nets {sign_text(plan.net_target, 2)} {currency}."
    if plan.funding_bp is not None:
        said += (
            f" Leaves when funding costs {size_text(plan.funding_bp)} bp per 8 h or more and "
            f"staying is dearer than leaving; {position.adverse} settlements in a row were paid."
        )
    if plan.sector:
        said += " Leaves when the coin's sector signal reverses."
    if position.state == "naked":
        said += f" {bare_text(plan, currency)}"
    return said


def delta_detail(position: PairPosition, base: str) -> str:
    """What the two legs do not cancel, in words."""
    if position.state == "naked":
        what = {
            "liquidation": "One leg was liquidated",
            "adl": "The venue closed one leg to balance another trader's bankruptcy",
        }.get(position.close_reason, "One leg was closed alone")
        return f"{what}: the other moves with the price. Close it or accept the risk."
    return (
        f"Long {size_text(position.long.qty)} and short {size_text(abs(position.short.qty))} "
        f"{base}: {size_text(position.delta)} {base} is not hedged."
    )


def drift_text(drift_bp: float) -> str:
    """Hedge drift in bp of the larger leg, one decimal; nothing where nothing is held."""
    return NOTHING if math.isnan(drift_bp) else sign_text(drift_bp, 1)
