"""What moving margin in or out would do: cash, margin, where liquidation stands. Pure, no Qt."""

import copy
import math
from decimal import ROUND_DOWN, Decimal

from basisdesk.engine import Engine
from basisdesk.trading import exits
from basisdesk.trading.margin import Liquidation
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.close_rows import Terms
from basisdesk.ui.figures import NOTHING, number_text
from basisdesk.ui.leg_words import leg_name
from basisdesk.ui.position_figures import price_places

CENT = Decimal("0.01")
ZERO = Decimal(0)


def margin_terms(
    position: PairPosition, amount: Decimal | None, add: bool, engine: Engine
) -> Terms:
    """What moving this amount does. amount: account currency; None: not readable."""
    currency = engine.settings.account.currency
    button = "Add margin" if add else "Withdraw margin"
    free, margin = engine.books.balance("assets:cash"), position.margin
    if not any(perp.qty for perp in position.perps):
        problem = "This pair holds no perpetual that margin could protect."
        return Terms((), "", problem, button)
    most, why = (free, "is free") if add else withdrawable(position, engine)
    lines = [
        f"Margin of the perpetual: {number_text(margin, 2)} {currency}, of it "
        f"{number_text(_by_hand(position), 2)} added by hand.",
        f"Free cash: {number_text(free, 2)} {currency}.",
        f"At most {number_text(most, 2)} {currency} can be "
        f"{'added: that' if add else 'taken out:'} {why}.",
    ]
    if amount is None:
        problem = "Enter an amount above zero." if most > 0 else ""
        return Terms((*lines, *_liquidations(position, position, engine)), "", problem, button)
    said = f"{button.split()[0]} {number_text(amount, 2)} {currency}"
    if amount > most:
        problem = f"{number_text(amount, 2)} {currency} is more than the {number_text(most, 2)} "
        problem += f"{currency} that {'are free' if add else 'may leave'}."
        lines += _liquidations(position, position, engine)
        return Terms(tuple(lines), "", problem, said)
    moved = amount if add else -amount
    after = margin + moved
    lines.append(
        f"Afterwards: margin {number_text(after, 2)} {currency}, free cash "
        f"{number_text(free - moved, 2)} {currency}."
    )
    lines += _liquidations(position, moved_by(position, moved), engine)
    return Terms(tuple(lines), "" if add else "\u25b2 Liquidation comes nearer.", "", said)


def withdrawable(position: PairPosition, engine: Engine) -> tuple[Decimal, str]:
    """(the most that may leave in cents, why no more), by the rules that the desk holds it to.

    What was added by hand, and never so much that a liquidation comes nearer than the least room.
    """
    spare = _by_hand(position).quantize(CENT, ROUND_DOWN)
    if spare <= 0:
        return ZERO, "only margin that was added by hand can leave"
    least = engine.settings.risk.liq_distance_min_pct
    if _keeps(position, spare, engine, least):
        return spare, "what was added by hand"
    low, high = 0, int(spare / CENT)
    if not _keeps(position, ZERO, engine, least):
        return ZERO, f"less than {least:g} % of room to liquidation is left already"
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high) if _keeps(position, middle * CENT, engine, least) else (low, middle)
        )
    return low * CENT, f"at least {least:g} % of room to liquidation is kept"


def moved_by(position: PairPosition, amount: Decimal) -> PairPosition:
    """A copy of a pair after this amount of margin went in, or out where it is negative."""
    after = copy.copy(position)
    after.long, after.short = copy.copy(position.long), copy.copy(position.short)
    after.move_margin(amount)
    return after


def _by_hand(position: PairPosition) -> Decimal:
    return sum((max(ZERO, perp.added) for perp in position.perps), ZERO)


def _keeps(position: PairPosition, amount: Decimal, engine: Engine, least: float) -> bool:
    after = moved_by(position, -amount) if amount else position
    found = [at for _, at in _gauges(after, engine)]
    return all(at.price is None or at.distance_pct >= least for at in found)


def _gauges(position: PairPosition, engine: Engine) -> list[tuple[str, Liquidation]]:
    return [
        (
            perp.instrument,
            exits.gauge(position, perp, engine.market, engine.settings, engine.now_ns),
        )
        for perp in position.perps
        if perp.qty and perp.instrument in engine.market.instruments
    ]


def _liquidations(before: PairPosition, after: PairPosition, engine: Engine) -> list[str]:
    """Where each perpetual dies, and where it would: "... at mark 0.5412 (47.7 % away) -> ..."."""
    lines = []
    for (key, was), (_, then) in zip(_gauges(before, engine), _gauges(after, engine), strict=True):
        places = price_places(key, engine)
        said = f"Liquidation of {leg_name(key)}: {_place(was, places)}"
        if after is not before:
            said += f" \u2192 {_place(then, places)}"
        lines.append(f"{said}.")
    return lines


def _place(at: Liquidation, places: int) -> str:
    if at.price is None:
        return "none"
    away = f"{number_text(at.distance_pct, 1)} %" if math.isfinite(at.distance_pct) else NOTHING
    return f"mark {number_text(at.price, places)}, {away} away"
