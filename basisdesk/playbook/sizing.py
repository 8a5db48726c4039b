"""How large an entry of a playbook is: the desk's own suggestion, cut by what the playbook says.

The suggestion is trading/advice.py's: what a stop, a stress, the basis' deviation, the books and
the cash allow. A playbook may only make it smaller. The line of the books reckons with convergence;
a playbook that lives on funding brings its own edge instead, and the books are judged by that.
"""

from decimal import Decimal

import msgspec

from basisdesk.events import ExitPlan, OpenPair
from basisdesk.playbook.words import Priced, View, turned
from basisdesk.trading import words

ALWAYS = ("stop", "stress", "volatility", "capital")
SECTOR_CUT = 0.5  # as in trading/advice.py
HALVINGS = 6  # of a size whose impact eats too much of the edge
CENT = Decimal("0.01")
LEVEL_MAX = Decimal(9_000)  # bp; at -10,000 the second leg costs nothing


class Wish(msgspec.Struct, frozen=True):
    """An entry that a playbook wants. plan: with its stop; its net target is made of net_bp.

    edge_bp: what it expects after all costs. share: 0 to 1 of the suggested size; why: of that.
    alloc: part of the equity that the notional may be, account_risk: part of it that may be lost,
    each 0 for no line of its own. by_convergence: the edge is of the basis, so the desk's verdict
    and its line of the books count. net_bp: net target, bp of the notional; 0: none.
    impact: part of the edge that the size may pay for depth.
    """

    direction: int
    plan: ExitPlan
    edge_bp: float
    leverage: float = 1.0
    share: float = 1.0
    why: str = ""
    alloc: float = 0.0
    account_risk: float = 0.0
    by_convergence: bool = True
    net_bp: float = 0.0
    impact: float = 0.25


class Sized(msgspec.Struct, frozen=True):
    """An order as it would be sent, priced, and what its size comes from."""

    order: OpenPair
    priced: Priced
    text: str


def sized(view: View, wish: Wish) -> Sized | str:
    """The order, or the sentence why there is none."""
    account, probe = view.account, view.terms.probe
    levels = [each for each in (wish.plan.target_bp, wish.plan.stop_bp) if each is not None]
    if any(abs(level) > LEVEL_MAX for level in levels):
        return f"A plan at {words.bp(float(max(levels, key=abs)))} lies beyond any market."
    if probe <= 0:
        return "The smallest order of these legs is not known yet."
    first = view.price(_order(view, wish, probe, Decimal(0)))
    if first.refusal or first.notional <= 0:
        return first.refusal or "No price can be made of this pair."
    qty, text = _least(first, wish)
    if qty is None:
        return "No size can be suggested: no line of it is known."
    for cap, why in _own_lines(first, wish, account.equity):
        if cap < qty:
            qty, text = cap, why
    factor = wish.share * account.cut
    if view.word(wish.direction) == "against":
        factor, text = factor * SECTOR_CUT, f"{text}; the sector contradicts, so half of it"
    if wish.share < 1.0:
        text = f"{text}; {100 * wish.share:.0f} % of it as {wish.why}"
    lots = (qty * Decimal(repr(factor)) / view.terms.lot).to_integral_value("ROUND_FLOOR")
    return _priced(view, wish, lots * view.terms.lot, (first, text))


def _priced(view: View, wish: Wish, qty: Decimal, known: tuple[Priced, str]) -> Sized | str:
    # the order of this size, or of a smaller one where its books are too thin for the edge
    first, text = known
    for _ in range(HALVINGS):
        if qty <= 0:
            return f"The size comes out below one lot: {text}."
        notional = first.notional * qty / first.qty
        order = _order(view, wish, qty, notional)
        priced = view.price(order)
        if priced.refusal:
            return priced.refusal
        impact = priced.slip_bp - first.slip_bp
        if wish.by_convergence or impact <= wish.impact * wish.edge_bp:
            if wish.by_convergence and priced.verdict == "no":
                return f"At {words.plain(qty)} {view.coin} the desk's own verdict is no."
            return Sized(order, priced, text)
        qty = (qty / 2 / view.terms.lot).to_integral_value("ROUND_FLOOR") * view.terms.lot
        text = f"more would walk the books by over {100 * wish.impact:.0f} % of the edge"
    return f"The books are too thin: {text}."


def _least(priced: Priced, wish: Wish) -> tuple[Decimal | None, str]:
    names = (*ALWAYS, "depth") if wish.by_convergence else ALWAYS
    known = [line for line in priced.lines if line.name in names and line.qty is not None]
    least = min(known, key=lambda line: line.qty or Decimal(0), default=None)
    return (None, "") if least is None else (least.qty, least.text)


def _own_lines(first: Priced, wish: Wish, equity: Decimal) -> list[tuple[Decimal, str]]:
    lines = []
    per = first.qty / first.notional
    if wish.alloc:
        most = Decimal(repr(wish.alloc)) * equity * per
        lines.append((most, f"{100 * wish.alloc:.0f} % of the account is the most for a pair"))
    losses = [loss for loss in (first.loss_stop, first.loss_stress) if loss is not None]
    worst = max(losses, default=Decimal(0))
    if wish.account_risk and worst > 0:
        most = Decimal(repr(wish.account_risk)) * equity * first.qty / worst
        text = f"{100 * wish.account_risk:g} % of the account is the most to be lost"
        lines.append((most, text))
    return lines


def _order(view: View, wish: Wish, qty: Decimal, notional: Decimal) -> OpenPair:
    plan = wish.plan
    if wish.net_bp > 0.0:
        net = (notional * Decimal(repr(wish.net_bp)) / 10_000).quantize(CENT)
        plan = msgspec.structs.replace(plan, net_target=max(CENT, net))
    if view.two_perps and wish.direction < 0:
        plan = turned(plan)
    long, short = (view.first, view.second) if wish.direction > 0 else (view.second, view.first)
    return OpenPair(
        long=long,
        short=short,
        qty=qty,
        leverage=Decimal(repr(min(wish.leverage, view.account.leverage_max))),
        exit=plan,
        t_ns=view.t_ns,
    )
