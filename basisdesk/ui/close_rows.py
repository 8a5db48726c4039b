"""What a close, a flip or a rebalance would do, in words and with its cost beforehand. Pure, no Qt.

Costs are estimates at the displayed depth of this moment, exit fees in; the fill says what it was.
"""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.events import ClosePair, Execution, ExitPlan, OpenPair
from basisdesk.trading.costs import CostSheet
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.figures import gain_text, number_text, sign_text, size_text
from basisdesk.ui.leg_words import leg_name
from basisdesk.ui.position_figures import (
    base_of,
    drift_bp,
    leg_value,
    price_places,
    sign_of,
    taker_rate,
    walk_price,
)
from basisdesk.ui.rows import money_of
from basisdesk.venues.instrument import Instrument

Which = Literal["both", "long", "short"]
LEGS: dict[Which, tuple[str, str]] = {
    "both": ("Both legs", "The pair is closed as it was opened: long and short leg together."),
    "long": ("Long leg only", "Only the long leg is closed. The short leg then stands alone."),
    "short": ("Short leg only", "Only the short leg is closed. The long leg then stands alone."),
}
SHARES = (25, 50, 75, 100)
HUNDRED = Decimal(100)
ZERO = Decimal(0)
NAN = math.nan


@dataclass(frozen=True)
class Terms:
    """What an order would do: sentences to read before it, and whether it can be sent.

    lines: one fact a line. warning: what it leaves unsaid otherwise. problem: why it cannot be
    sent, "" when it can. button: what pressing it does. sign: of the net, for its colour.
    """

    lines: tuple[str, ...] = ()
    warning: str = ""
    problem: str = ""
    button: str = ""
    sign: int = 0
    net: str = field(default="")


def part_price(held: LegPosition, share: float, engine: Engine) -> float:
    """Average price of closing this share of a leg over the displayed depth; NaN if too thin."""
    leg = engine.market.legs.get(held.instrument)
    side = "sell" if held.role == "long" else "buy"
    return NAN if leg is None else walk_price(leg, side, abs(float(held.qty)) * share)


def _leg_line(held: LegPosition, share: float, price: float, engine: Engine) -> str:
    verb = "Sells" if held.role == "long" else "Buys"
    qty, base = abs(float(held.qty)) * share, base_of(held.instrument, engine)
    rule = engine.market.instruments.get(held.instrument)
    places = 8 if rule is None else max(0, -int(rule.lot.normalize().as_tuple().exponent))
    said = f"{verb} {size_text(qty, places)} {base} on {leg_name(held.instrument)}"
    if math.isnan(price):
        return f"{said}; the displayed depth does not reach for it now."
    return f"{said} at about {number_text(price, price_places(held.instrument, engine))}."


def close_terms(
    position: PairPosition, which: Which, share: Decimal | None, how: Execution | None,
    engine: Engine, settings: Settings,
) -> Terms:  # fmt: skip
    """What closing this share of these legs would do now. share: in (0, 1]; None: not readable."""
    button = close_button(which, share)
    if share is None:
        return Terms(problem="Enter the share to close, 1 to 100 %.", button=button)
    if how is None:
        return Terms(problem="An execution field is empty or cannot be read.", button=button)
    currency = settings.account.currency
    worths = engine.worths()
    closing = [leg for leg in position.legs if which in ("both", leg.role) and leg.qty]
    if not closing:
        return Terms(problem=f"The {which} leg holds nothing to close.", button=button)
    lines, cost = [], 0.0
    for held in closing:
        price = part_price(held, float(share), engine)
        lines.append(_leg_line(held, float(share), price, engine))
        worth = worths.get(held.instrument)
        if worth is None or math.isnan(price):
            cost = NAN
            continue
        qty = float(held.qty) * float(share)
        fee = abs(qty) * price * taker_rate(held.instrument, settings)
        cost += float(worth.fx) * (qty * (float(worth.price) - price) + fee)
    money = money_of(position, engine, worths)
    net = float(money.total) - cost if money is not None else NAN
    lines.append(
        f"Taker fees and half spreads with depth: {number_text(cost, 2)} {currency} now."
        if how.style == "market"
        else f"At market it would cost {number_text(cost, 2)} {currency} now."
    )
    whole = share == 1 and which == "both"
    said = gain_text(net, 2)
    lines.append(
        f"The pair then ends at {said} {currency}."
        if whole
        else f"The pair then stands at {said} {currency}, at mids for what is left."
    )
    warning = _alone_warning(position, which, share, engine, currency)
    return Terms(tuple(lines), warning, "", button, sign_of(net), said)


def _alone_warning(
    position: PairPosition, which: Which, share: Decimal, engine: Engine, currency: str
) -> str:
    """What a close of one leg leaves without its hedge, in money."""
    if which == "both":
        return ""
    closed, other = (
        (position.long, position.short) if which == "long" else (position.short, position.long)
    )
    left = abs(other.qty) - abs(closed.qty) * (1 - share)
    if left <= position.tolerance:
        return ""
    worths = engine.worths()
    value = leg_value(other, worths) * float(left / abs(other.qty)) if other.qty else 0.0
    base = base_of(other.instrument, engine)
    way = "falls" if other.role == "long" else "rises"
    return (
        f"\u25b2 Leaves {size_text(left)} {base} ({number_text(value, 0)} {currency}) of the "
        f"{other.role} leg without its hedge: it loses when the price {way}. The desk does not "
        "mend what a person closed."
    )


def close_button(which: Which, share: Decimal | None) -> str:
    """What the button of the dialog says: what will happen."""
    part = "" if share is None or share == 1 else f" {size_text(share * 100, 2)} % of"
    legs = {"both": "both legs", "long": "the long leg", "short": "the short leg"}[which]
    return f"Close{part} {legs}"


def close_command(
    position: PairPosition, which: Which, share: Decimal, how: Execution
) -> ClosePair:
    """The command of the dialog."""
    return ClosePair(position.pair, share, leg=which, how=how)


# --- flip -----------------------------------------------------------------------------------------


def flip_request(position: PairPosition, plan: ExitPlan) -> OpenPair:
    """The reverse pair a flip would open: same size, legs swapped, this plan."""
    held = max(abs(position.long.qty), abs(position.short.qty))
    return OpenPair(
        position.short.instrument,
        position.long.instrument,
        held,
        position.leverage,
        plan,
        how=position.how,
    )


def flip_plan(position: PairPosition, entry_bp: float) -> ExitPlan:
    """A plan to start from: the old distances, mirrored around the basis of the new entry, in bp.

    A person reads and may change each figure; nothing is opened before that.
    """
    plan, level = position.plan, position.entry_bp
    if not math.isfinite(entry_bp) or not math.isfinite(level):
        return ExitPlan(max_hold_h=plan.max_hold_h, net_target=plan.net_target)
    lines = [
        None if line is None else (Decimal(repr(round(entry_bp, 1))) - (line - _tenth(level)))
        for line in (plan.target_bp, plan.stop_bp)
    ]
    return ExitPlan(lines[0], lines[1], plan.max_hold_h, plan.net_target)


def _tenth(value: float) -> Decimal:
    return Decimal(repr(round(value, 1)))


def flip_terms(
    position: PairPosition, sheet: CostSheet | None, plan_problem: str,
    engine: Engine, settings: Settings,
) -> Terms:  # fmt: skip
    """What a flip costs before it is sent: the way out, the way in, and what the desk says."""
    currency = settings.account.currency
    button = "Flip: close, then open the reverse"
    leaving = close_terms(position, "both", Decimal(1), Execution(), engine, settings)
    long, short = leg_name(position.short.instrument), leg_name(position.long.instrument)
    lines = [f"Closes the pair at market: it ends at {leaving.net} {currency}."]
    lines.append(f"Then buys {long} and sells {short}, the same size, once the close is filled.")
    if sheet is None or not sheet.priced:
        why = sheet.refusal.text if sheet is not None and sheet.refusal is not None else ""
        return Terms(tuple(lines), "", plan_problem or why or "No price now.", button, leaving.sign)
    way_in = sheet.round_trip / 2
    lines.append(
        f"Opening the reverse costs about {number_text(way_in, 2)} {currency} and leaving it "
        f"again as much: {number_text(sheet.round_trip, 2)} {currency} or "
        f"{number_text(sheet.round_trip_bp, 1)} bp the round trip."
    )
    lines.append(sheet.verdict)
    refusal = "" if sheet.refusal is None or _frees(sheet) else sheet.refusal.text
    return Terms(
        tuple(lines),
        "\u25b2 If the new entry is refused when its turn comes, the pair stays closed.",
        plan_problem or refusal,
        button,
        leaving.sign,
        leaving.net,
    )


def _frees(sheet: CostSheet) -> bool:
    """A refusal that the close before the entry lifts: its cash and its place come back."""
    return sheet.refusal is not None and sheet.refusal.limit in ("funds", "pairs_max", "pairs")


# --- rebalance ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """The perpetual trade that brings the legs together: side, whole lots, and what is left."""

    leg: LegPosition
    side: str
    qty: Decimal
    left: Decimal


def rebalance_move(position: PairPosition, rule: Instrument | None) -> Move | None:
    """What a rebalance trades: the perpetual by the delta, to the nearest lot; None for nothing."""
    perps = [leg for leg in position.perps if leg.qty]
    if not perps or rule is None:
        return None
    delta = position.delta
    leg = perps[-1]
    qty = rule.round_nearest(abs(delta))
    if qty <= 0 or qty < rule.min_qty:
        return None
    side = "sell" if delta > 0 else "buy"
    return Move(leg, side, qty, delta - qty if delta > 0 else delta + qty)


def rebalance_terms(position: PairPosition, engine: Engine, settings: Settings) -> Terms:
    """The trade of a rebalance with its cost beforehand, and what it leaves."""
    button = "Rebalance"
    perps = [leg for leg in position.perps if leg.qty]
    rule = engine.market.instruments.get(perps[-1].instrument) if perps else None
    move = rebalance_move(position, rule)
    base = base_of(position.long.instrument, engine)
    if move is None or rule is None:
        problem = "No perpetual is held to trade." if not perps else (
            f"The legs differ by {size_text(position.delta)} {base}: less than the smallest order."
        )  # fmt: skip
        return Terms(problem=problem, button=button)
    currency = settings.account.currency
    leg = engine.market.legs.get(move.leg.instrument)
    price = NAN if leg is None else walk_price(leg, move.side, float(move.qty))
    worth = engine.worths().get(move.leg.instrument)
    places = price_places(move.leg.instrument, engine)
    verb = "Sells" if move.side == "sell" else "Buys"
    lines = [
        f"{verb} {size_text(move.qty)} {base} on {leg_name(move.leg.instrument)} at about "
        f"{number_text(price, places)}."
    ]
    if worth is None or math.isnan(price):
        problem = "The perpetual has no price or too little depth now."
        return Terms(tuple(lines), "", problem, button)
    qty, fx = float(move.qty), float(worth.fx)
    fee = qty * price * taker_rate(move.leg.instrument, settings) * fx
    slip = abs(price - float(worth.price)) * qty * fx
    lines.append(
        f"Costs {number_text(fee + slip, 4)} {currency}: fee {number_text(fee, 4)}, half spread "
        f"and depth {number_text(slip, 4)}."
    )
    size = max(abs(each.qty) for each in position.legs)
    after = float(move.left / size * 10_000) if size else NAN
    lines.append(
        f"Drift goes from {sign_text(drift_bp(position), 1)} bp to {sign_text(after, 1)} bp; "
        f"{size_text(move.left)} {base} stays unhedged."
    )
    return Terms(tuple(lines), "", "", f"{verb[:-1]} {size_text(move.qty)} {base}")
