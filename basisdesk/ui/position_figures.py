"""Figures of a held pair that a row shows: what leaving leaves, room, drift, exposure. Pure, no Qt.

Floats: these are values to look at and to sort by. What is booked stays Decimal in the ledger.
"""

import math
from collections.abc import Mapping
from decimal import Decimal

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.ledger.valuation import Worth
from basisdesk.market.state import Leg
from basisdesk.trading.fees import schedule
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.figures import age_text, number_text, places_of
from basisdesk.ui.leg_words import leg_name
from basisdesk.venues.instrument import split_key

LIQ_WARN_PCT, LIQ_LOSS_PCT = 15.0, 7.5  # room to liquidation at which the gauge changes colour
LIQ_FULL_PCT = 50.0  # room that fills the gauge
NAN = math.nan
Worths = Mapping[str, Worth]


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


def price_places(key: str, engine: Engine) -> int:
    """Decimals of a leg's price."""
    rule = engine.market.instruments.get(key)
    return places_of(rule.tick if rule is not None else None, 6)


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


# --- leaving now ----------------------------------------------------------------------------------


def walk_price(leg: Leg, side: str, qty: float) -> float:
    """Average price of trading `qty` over the displayed depth; NaN where it is too thin."""
    if qty <= 0:
        return NAN
    if leg.book.valid:
        price, filled = leg.book.vwap(side, qty)
        return price if filled >= qty * (1 - 1e-9) else NAN
    return leg.bid if side == "sell" else leg.ask


def exit_price(held: LegPosition, leg: Leg) -> float:
    """Average price of closing what this leg holds over the displayed depth; NaN if too thin."""
    return walk_price(leg, "sell" if held.role == "long" else "buy", float(abs(held.qty)))


def taker_rate(key: str, settings: Settings) -> float:
    """Taker fee of a leg, a fraction of its notional."""
    venue, market, _ = split_key(key)
    fees = schedule(settings, venue)
    return float(fees.spot_taker if market == "spot" else fees.perp_taker)


def leg_exit(held: LegPosition, engine: Engine, settings: Settings, worths: Worths) -> float:
    """What closing one leg now over the displayed depth adds to its worth at the mid; or NaN.

    Account currency; the fee is taken, so it is below zero on any market that is not crossed.
    """
    if not held.qty:
        return 0.0
    leg, worth = engine.market.legs.get(held.instrument), worths.get(held.instrument)
    price = NAN if leg is None else exit_price(held, leg)
    if worth is None or math.isnan(price):
        return NAN
    qty = float(held.qty)
    fee = abs(qty) * price * taker_rate(held.instrument, settings)
    return float(worth.fx) * (qty * (price - float(worth.price)) - fee)


def close_out(
    net: Decimal, position: PairPosition, engine: Engine, settings: Settings, worths: Worths
) -> float:
    """Net profit if the pair were closed now over the displayed depth, exit fees taken; or NaN."""
    return float(net) + sum(leg_exit(held, engine, settings, worths) for held in position.legs)


# --- exposure -------------------------------------------------------------------------------------


def leg_value(held: LegPosition, worths: Worths) -> float:
    """Notional of what a leg holds at its mid, account currency, without its sign."""
    worth = worths.get(held.instrument)
    value = float(worth.value) if worth is not None else float(held.entry_price * held.fx)
    return abs(float(held.qty)) * value


def unhedged_value(position: PairPosition, worths: Worths) -> float:
    """Notional that the other leg does not cancel, account currency."""
    larger = max(position.legs, key=lambda leg: abs(leg.qty))
    size = abs(float(larger.qty))
    if size == 0:
        return 0.0
    return leg_value(larger, worths) * abs(float(position.delta)) / size


def drift_bp(position: PairPosition) -> float:
    """What the legs do not cancel in bp of the larger one; NaN while nothing is held."""
    size = max(abs(leg.qty) for leg in position.legs)
    return float(position.delta / size * 10_000) if size else NAN


def liquidation_room(position: PairPosition, engine: Engine) -> tuple[float, str]:
    """(percent the nearest mark may move before liquidation, a sentence); NaN where none can be."""
    nearest, said = NAN, ""
    for key, found in engine.desk.gauge(position.pair, engine.market):
        room = found.distance_pct
        if found.price is None or math.isnan(room) or room >= nearest:
            continue
        places = price_places(key, engine)
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
