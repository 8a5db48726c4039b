"""State to rows and texts: positions, the waterfall and the status line. Pure, no Qt.

A row holds what is on the screen, so two rows are equal when nothing a person can see has moved.
What only sorting needs is left out of the comparison.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.events import ExitPlan
from basisdesk.ledger.attribution import Attribution
from basisdesk.market.state import Leg
from basisdesk.trading.fees import schedule
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.positions import LegPosition, PairPosition
from basisdesk.ui.figures import (
    NOTHING,
    age_text,
    gain_text,
    number_text,
    places_of,
    sign_text,
    size_text,
)
from basisdesk.ui.leg_words import leg_name, legs_text
from basisdesk.ui.times import clock_text, date_text, held_text, zone_text
from basisdesk.venues.instrument import split_key

LIQ_WARN_PCT, LIQ_LOSS_PCT = 15.0, 7.5  # room to liquidation at which the gauge changes colour
LIQ_FULL_PCT = 50.0  # room that fills the gauge
TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual")
ZERO = Decimal(0)
NAN = math.nan

_REASONS = {
    "user": "closed by hand",
    "target": "target hit",
    "stop": "stop hit",
    "time": "time stop",
    "flatten": "flattened",
    "liquidation": "liquidated",
}


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One line of the positions table, as text; figures beside it are for sorting and colour.

    key: ("pair", 3) or ("order", time asked). state: "open", "naked", "closed" or "pending".
    terms: text of each attribution term by name. liq_pct: percent the mark may still move.
    """

    key: tuple[str, int]
    pair: int
    state: str
    name: str
    legs: str
    size: str
    basis: str
    net: str
    if_closed: str
    liq: str
    held: str
    plan: str
    delta: str
    terms: dict[str, str]
    net_sign: int
    closed_sign: int
    signs: dict[str, int]
    stale: str = ""
    legs_detail: str = ""
    plan_detail: str = ""
    liq_detail: str = ""
    delta_detail: str = ""
    net_value: float = field(default=NAN, compare=False)
    closed_value: float = field(default=NAN, compare=False)
    values: dict[str, float] = field(default_factory=dict, compare=False)
    size_value: float = field(default=NAN, compare=False)
    basis_value: float = field(default=NAN, compare=False)
    held_s: float = field(default=NAN, compare=False)
    delta_value: float = field(default=NAN, compare=False)
    liq_pct: float = field(default=NAN, compare=False)

    @property
    def solid(self) -> bool:
        """Whether this row must be seen: one leg stands alone, or an order is under way."""
        return self.state in ("naked", "pending")

    @property
    def over(self) -> bool:
        """Whether the pair is closed."""
        return self.state == "closed"


def position_rows(
    engine: Engine, settings: Settings, dismissed: Iterable[int]
) -> list[PositionRow]:
    """Orders under way, then open pairs (newest first), then closed ones not yet dismissed."""
    gone = frozenset(dismissed)
    pairs = list(engine.desk.pairs.values())
    live = [p for p in pairs if p.state != "closed"]
    over = [p for p in pairs if p.state == "closed" and p.pair not in gone]
    rows = [order_row(order, engine) for order in engine.desk.pending if order.kind == "open"]
    closing = {order.pair: order for order in engine.desk.pending if order.kind == "close"}
    rows += [position_row(p, engine, settings, closing.get(p.pair)) for p in reversed(live)]
    rows += [position_row(p, engine, settings, None) for p in reversed(over)]
    return rows


def order_row(order: PairOrder, engine: Engine) -> PositionRow:
    """An entry that was sent and has not met the book yet."""
    base = base_of(order.long, engine)
    qty = order.request.qty if order.request is not None else ZERO
    left_ms = max(0.0, (order.due_ns - engine.now_ns) / 1e6)
    return PositionRow(
        key=("order", order.asked_ns),
        pair=0,
        state="pending",
        name=base,
        legs=legs_text(order.long, order.short),
        size=f"{size_text(qty)} {base}",
        basis=NOTHING,
        net=NOTHING,
        if_closed=NOTHING,
        liq=NOTHING,
        held=NOTHING,
        plan="order sent",
        delta=NOTHING,
        terms=dict.fromkeys(TERMS, NOTHING),
        net_sign=0,
        closed_sign=0,
        signs={},
        plan_detail=f"Both legs meet the book together in {left_ms:.0f} ms.",
        size_value=float(qty),
    )


def position_row(
    position: PairPosition, engine: Engine, settings: Settings, closing: PairOrder | None
) -> PositionRow:
    """One pair: what it holds, what it earned and why, what leaving now would leave."""
    base = base_of(position.long.instrument, engine)
    money = engine.attribution(position.pair)
    closed = position.state == "closed"
    out = NAN if closed else close_out(position, engine, settings)
    room, room_text = liquidation_room(position, engine)
    terms = {name: getattr(money, name) for name in TERMS}
    ended_ns = position.closed_ns if position.closed_ns is not None else engine.now_ns
    held_s = (ended_ns - position.opened_ns) / 1e9
    held_qty = max(abs(position.long.qty), abs(position.short.qty))
    qty = position.asked if closed else held_qty
    return PositionRow(
        key=("pair", position.pair),
        pair=position.pair,
        state=position.state,
        name=f"{base} #{position.pair}",
        legs=legs_text(position.long.instrument, position.short.instrument),
        size=f"{size_text(qty)} {base}",
        basis=basis_text(position, engine),
        net=gain_text(money.total, 2),
        if_closed="closed" if closed else gain_text(out, 2),
        liq=NOTHING if math.isnan(room) else f"{number_text(room, 0)} %",
        held=held_text(held_s),
        plan=state_text(position, closing, settings.ui.utc),
        delta=f"{size_text(position.delta)} {base}",
        terms={name: sign_text(value, 2) for name, value in terms.items()},
        net_sign=sign_of(money.total),
        closed_sign=0 if closed else sign_of(out),
        signs={name: sign_of(value) for name, value in terms.items()},
        stale="" if closed else stale_text(position, engine),
        legs_detail=legs_detail(position, engine),
        plan_detail=plan_detail(position, settings.ui.utc),
        liq_detail=room_text,
        delta_detail=delta_detail(position, base),
        net_value=float(money.total),
        closed_value=out,
        values={name: float(value) for name, value in terms.items()},
        size_value=float(qty),
        basis_value=position.entry_bp,
        held_s=held_s,
        delta_value=float(position.delta),
        liq_pct=room,
    )


# --- parts of a position row ----------------------------------------------------------------------


def sign_of(value: float | Decimal) -> int:
    """1, 0 or -1 of what is shown with two decimals; 0 for NaN."""
    shown = round(float(value), 2)
    return 0 if not math.isfinite(shown) or shown == 0 else (1 if shown > 0 else -1)


def meaning_of(sign: int) -> str:
    """The colour token of a sign: "gain", "loss" or "" for none."""
    return ("", "gain", "loss")[sign]


def base_of(key: str, engine: Engine) -> str:
    """The coin of a leg: "ADA". The symbol where no frame described the instrument yet."""
    rule = engine.market.instruments.get(key)
    return rule.base if rule is not None else split_key(key)[2]


def stale_text(position: PairPosition, engine: Engine) -> str:
    """Why the figures of an open pair are not of now: a leg's quote is old, gone or in doubt."""
    limit_ms = engine.settings.risk.quote_age_ms_max
    for held in position.legs:
        leg = engine.market.legs.get(held.instrument)
        if not held.qty:
            continue
        name = leg_name(held.instrument)
        if leg is None or math.isnan(leg.mid):
            return f"{name} has no quote now; the pair is valued at its last one."
        if (age_ms := leg.age_ms(engine.now_ns)) > limit_ms:
            return f"{name} quote is {age_text(age_ms)} old; the pair is valued at it."
    return ""


def legs_detail(position: PairPosition, engine: Engine) -> str:
    """Both legs with what they hold, their average entry price and symbol."""
    return " ".join(_leg_sentence(leg, engine) for leg in position.legs)


def _leg_sentence(leg: LegPosition, engine: Engine) -> str:
    rule = engine.market.instruments.get(leg.instrument)
    places = places_of(rule.tick if rule is not None else None, 6)
    return (
        f"{leg.role.capitalize()} {leg.instrument}: {size_text(leg.qty)} held, "
        f"entered at {number_text(leg.entry_price, places)}."
    )


def basis_text(position: PairPosition, engine: Engine) -> str:
    """Entry basis and where it can be left now (where it was left, once closed), bp."""
    now = (
        position.exit_bp
        if position.state == "closed"
        else engine.desk.close_bp(position.pair, engine.market)
    )
    return f"{sign_text(position.entry_bp, 1)} \u2192 {sign_text(now, 1)}"


def exit_price(held: LegPosition, leg: Leg) -> float:
    """Average price of closing what this leg holds over the displayed depth; NaN if too thin."""
    qty = float(abs(held.qty))
    side = "sell" if held.role == "long" else "buy"
    if qty == 0:
        return NAN
    if leg.book.valid:
        price, filled = leg.book.vwap(side, qty)
        return price if filled >= qty * (1 - 1e-9) else NAN
    return leg.bid if side == "sell" else leg.ask


def close_out(position: PairPosition, engine: Engine, settings: Settings) -> float:
    """Net profit if the pair were closed now over the displayed depth, exit fees taken; or NaN."""
    money = float(engine.attribution(position.pair).total)
    worths = engine.worths()
    for held in position.legs:
        if not held.qty:
            continue
        leg, worth = engine.market.legs.get(held.instrument), worths.get(held.instrument)
        price = NAN if leg is None else exit_price(held, leg)
        if worth is None or math.isnan(price):
            return NAN
        venue, market, _ = split_key(held.instrument)
        fees = schedule(settings, venue)
        rate = float(fees.spot_taker if market == "spot" else fees.perp_taker)
        qty = float(held.qty)
        gained = qty * (price - float(worth.price)) - abs(qty) * price * rate
        money += float(worth.fx) * gained
    return money


def liquidation_room(position: PairPosition, engine: Engine) -> tuple[float, str]:
    """(percent the nearest mark may move before liquidation, a sentence); NaN where none can be."""
    nearest, said = NAN, ""
    for key, found in engine.desk.gauge(position.pair, engine.market):
        room = found.distance_pct
        if found.price is None or math.isnan(room) or room >= nearest:
            continue
        rule = engine.market.instruments.get(key)
        places = places_of(rule.tick if rule is not None else None, 6)
        mark = engine.market.leg(key).mark
        nearest = room
        said = (
            f"{key} is liquidated at mark {number_text(found.price, places)}; the mark is "
            f"{number_text(mark, places)}, {number_text(room, 1)} % away. "
            f"{found.source[:1].upper()}{found.source[1:]}."
        )
    return nearest, said


def liquidation_meaning(room_pct: float) -> str:
    """The colour token of the gauge: muted with room, warn under 15 %, loss under 7.5 %."""
    if math.isnan(room_pct):
        return "muted"
    if room_pct < LIQ_LOSS_PCT:
        return "loss"
    return "warn" if room_pct < LIQ_WARN_PCT else ""


def state_text(position: PairPosition, closing: PairOrder | None, utc: bool) -> str:
    """What ends this pair: its plan, the order that is closing it, or how it ended."""
    if position.state == "naked":
        return "perp liquidated, spot unhedged"
    if position.state == "closed":
        why = _REASONS.get(position.close_reason, position.close_reason)
        return f"{why} {clock_text(position.closed_ns or 0, utc)[:5]}"
    return "closing" if closing is not None else plan_text(position.plan, position.direction)


def plan_text(plan: ExitPlan, direction: int) -> str:
    """An exit plan in a cell: "\u2264 3 bp \u00b7 stop 120 \u00b7 72 h"."""
    parts = []
    if plan.target_bp is not None:
        within = "\u2264" if direction > 0 else "\u2265"
        parts.append(f"{within} {size_text(plan.target_bp)} bp")
    if plan.stop_bp is not None:
        parts.append(f"stop {size_text(plan.stop_bp)}")
    if plan.max_hold_h is not None:
        parts.append(f"{size_text(plan.max_hold_h)} h")
    return " \u00b7 ".join(parts) or "by hand only"


def plan_detail(position: PairPosition, utc: bool) -> str:
    """When the pair was opened and when its time stop comes."""
    said = f"Opened {date_text(position.opened_ns, utc)} {zone_text(utc, position.opened_ns)}"
    said += f" at {size_text(position.leverage)}x leverage."
    hours = position.plan.max_hold_h
    if hours is not None and position.state != "closed":
        ends_ns = position.opened_ns + int(hours * 3_600_000_000_000)
        said += f" Time stop {date_text(ends_ns, utc)}."
    return said


def delta_detail(position: PairPosition, base: str) -> str:
    """What the two legs do not cancel, in words."""
    if position.state == "naked":
        return (
            "One leg was liquidated: the other moves with the price. Close it or accept the risk."
        )
    return (
        f"Long {size_text(position.long.qty)} and short {size_text(abs(position.short.qty))} "
        f"{base}: {size_text(position.delta)} {base} is not hedged."
    )


# --- the waterfall --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the waterfall: it hangs between `start` and `end`, account currency."""

    name: str
    start: float
    end: float
    text: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Where a pair's money went: one bar a term, the net, and what no term explains.

    Terms that are exactly zero are left out, except those every pair has.
    """

    title: str
    bars: tuple[Bar, ...]
    left_over: str


def waterfall(name: str, money: Attribution, currency: str) -> Waterfall:
    """The bars of one attribution, in the order the money moved."""
    bars: list[Bar] = []
    at = ZERO
    for term in TERMS:
        value: Decimal = getattr(money, term)
        if value or term in TERMS[:4]:
            word = "Unhedged delta" if term == "residual" else term.capitalize()
            step = float(at), float(at + value)
            bars.append(Bar(word, *step, sign_text(value, 2), meaning_of(sign_of(value))))
            at += value
    bars.append(Bar("Net", 0.0, float(money.total), sign_text(money.total, 2), "muted"))
    left = money.truth - sum((getattr(money, term) for term in TERMS), ZERO)
    return Waterfall(
        f"{name}: net by cause, {currency}",
        tuple(bars),
        f"left over {number_text(left, 2)}" if not left else f"left over {size_text(left, 18)}",
    )
