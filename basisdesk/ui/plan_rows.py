"""What a new exit plan would do to a pair at this very moment, before it is set. Pure, no Qt."""

import math
from decimal import Decimal

from msgspec.structs import replace

from basisdesk.engine import Engine
from basisdesk.events import ExitPlan
from basisdesk.trading.positions import HOUR_NS, PairPosition
from basisdesk.ui.figures import number_text, sign_text, size_text
from basisdesk.ui.position_figures import close_out
from basisdesk.ui.rows import money_of

DROP_BP = 0.5  # a level of an open pair is moved in steps of this


def with_level(plan: ExitPlan, which: str, value_bp: float) -> ExitPlan:
    """The plan with its "target" or "stop" where a line was dropped, in steps of DROP_BP."""
    level = Decimal(repr(round(value_bp / DROP_BP) * DROP_BP))
    if which == "target":
        return replace(plan, target_bp=level)
    return replace(plan, stop_bp=level)


def close_basis(position: PairPosition, engine: Engine) -> float:
    """The executable basis of closing the pair now, bp; NaN where it cannot be said."""
    return engine.desk.close_bp(position.pair, engine.market, engine.now_ns)


def net_if_closed(position: PairPosition, engine: Engine) -> float:
    """What the pair would end at if it were closed now, account currency; NaN when unknown."""
    worths = engine.worths()
    money = money_of(position, engine, worths)
    if money is None:
        return math.nan
    return close_out(money.total, position, engine, engine.settings, worths)


def reached_by(plan: ExitPlan, position: PairPosition, engine: Engine) -> str:
    """The rule of this plan that would close the pair at once: "target", "stop", "net", "time".

    "" while none would. The desk itself looks on fresh quotes only; here the last ones count.
    """
    d, basis = position.direction, close_basis(position, engine)
    if position.state == "open" and math.isfinite(basis):
        if plan.stop_bp is not None and d * (basis - float(plan.stop_bp)) >= 0:
            return "stop"
        if plan.target_bp is not None and d * (basis - float(plan.target_bp)) <= 0:
            return "target"
    if plan.net_target is not None and net_if_closed(position, engine) >= float(plan.net_target):
        return "net"
    hours = plan.max_hold_h
    if hours is not None and engine.now_ns - position.opened_ns >= int(hours * HOUR_NS):
        return "time"
    return ""


def reached_text(plan: ExitPlan, position: PairPosition, engine: Engine) -> str:
    """The warning that stands before a plan that would close the pair at once; "" for none.

    "The close basis is -1.3 bp: this target of 3 bp is reached now; the pair would close at market
    and end at about -4.20 USDT."
    """
    rule = reached_by(plan, position, engine)
    if not rule:
        return ""
    currency = engine.settings.account.currency
    net = net_if_closed(position, engine)
    basis = f"The close basis is {sign_text(close_basis(position, engine), 1)} bp"
    end = "would close at market"
    if math.isfinite(net):
        end += f" and end at about {sign_text(net, 2)} {currency}"
    said = {
        "target": f"{basis}: this target of {_bp(plan.target_bp)} is reached now",
        "stop": f"{basis}: this stop of {_bp(plan.stop_bp)} is reached now",
        "net": f"This net profit of {number_text(plan.net_target or 0, 2)} {currency} is there now",
        "time": f"The pair is held for longer than {size_text(plan.max_hold_h or 0)} h already",
    }[rule]
    return f"{said}; the pair {end}."


def _bp(level: Decimal | None) -> str:
    return "" if level is None else f"{size_text(level)} bp"
