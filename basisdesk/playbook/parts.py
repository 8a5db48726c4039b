"""What all playbooks share: the refusals that come before any rule, and how a decision is told."""

import math
from decimal import Decimal

from basisdesk.events import ClosePair
from basisdesk.playbook.sizing import Wish, sized
from basisdesk.playbook.words import ODD_BP, Band, Decision, Held, View
from basisdesk.trading import words

HOUR_NS = 3_600_000_000_000
FAST_H = 300.0 / 3_600.0  # time constant of the fast band, hours
SD_FLOOR_BP = 0.3  # a deviation below it is the grid of prices
HUNDREDTH = Decimal("0.01")


def stand(code: str, text: str, direction: int = 0) -> Decision:
    """Do nothing, and say why."""
    return Decision("stand", code, text, (), direction)


def not_now(view: View, *, bands: bool = True) -> Decision | None:
    """Why nothing can be entered whatever the rules say; None where they may be asked.

    bands: the playbook reads the bands, so they have to be warm.
    """
    if view.stale:
        return stand("stale", view.stale)
    if not view.risk.entries:
        return stand("risk", f"The desk is {view.risk.state}: {view.risk.reason}")
    if view.busy:
        return stand("busy", "An order of this pair is at work; one at a time.")
    if not all(map(math.isfinite, (view.mid_bp, view.open_bp, view.close_bp))):
        return stand("thin", "The books show too little to enter and leave at this size.")
    if not (math.isfinite(view.terms.fees_bp) and math.isfinite(view.terms.round_trip_bp)):
        return stand("costs", "What a round trip costs is not known.")
    if bands and not (full(view.fast) and full(view.slow)):
        return stand("warm-up", "The bands of the basis are not full yet; nothing is judged.")
    return odd(view)


def odd(view: View) -> Decision | None:
    """Why these figures are not believed, so that no plan is made of them; None where they are.

    What is not known (NaN) is no odd figure.
    """
    fast, slow, funding, terms = view.fast, view.slow, view.funding, view.terms
    figures = (
        ("basis", (view.mid_bp, view.open_bp, view.close_bp, view.high_bp, view.low_bp)),
        ("fair basis", (view.fair_bp,)),
        ("mean of the basis", (fast.mean_bp, slow.mean_bp, fast.sd_bp, slow.sd_bp)),
        ("funding", (funding.rate_8h_bp, funding.settled_8h_bp, funding.borrow_8h_bp)),
        ("cost of a round trip", (terms.fees_bp, terms.round_trip_bp)),
    )
    for what, values in figures:
        if any(abs(value) > ODD_BP for value in values):
            text = f"The {what} is beyond {ODD_BP:,.0f} bp; such data is not traded on."
            return stand("odd", text)
    return None


def full(band: Band) -> bool:
    """Whether a band may be judged by."""
    return band.warm and math.isfinite(band.mean_bp) and math.isfinite(band.sd_bp)


def at_work(view: View) -> Decision | None:
    """Why a held position is left alone; None where its exit may be judged."""
    held = view.held
    if held is None:
        return None
    if not held.mine:
        text = f"Pair {held.pair} was not opened by this playbook; it is left alone."
        return stand("not-ours", text, held.direction)
    if view.busy or held.state != "open":
        return stand("busy", f"Pair {held.pair} is {held.state}, an order is at work.")
    if view.stale:
        return stand("stale", view.stale, held.direction)
    return None


def enter(view: View, wish: Wish, code: str, text: str) -> Decision:
    """An entry with its arithmetic; a refusal where no size of it can be sent."""
    found = sized(view, wish)
    d = wish.direction
    if isinstance(found, str):
        return stand("size", f"{_capital(text)}. But not sent: {found}", d)
    order, priced = found.order, found.priced
    money = words.money(priced.notional, view.account.currency)
    what = f"{words.plain(order.qty)} {view.coin} ({money}), because {found.text}"
    return Decision("enter", code, f"{_capital(text)}. Size {what}.", (order,), d)


def leave(held: Held, code: str, text: str) -> Decision:
    """Close all of a pair at market."""
    return Decision("exit", code, f"{_capital(text)}.", (ClosePair(held.pair),), held.direction)


def hold(held: Held, text: str) -> Decision:
    """Stay in a pair; its plan runs at the desk."""
    return stand("hold", f"{_capital(text)}.", held.direction)


def pace_sd_h(view: View, direction: int) -> float:
    """How fast the 5 min mean moves away from the trade, 2 h deviations an hour; NaN unknown.

    An exponentially weighted mean m with time constant tau follows dm/dt = (x - m) / tau, so its
    pace needs no memory beyond the mean itself. direction: of the trade; > 0 is widening.
    """
    if not (full(view.fast) and full(view.slow)):
        return math.nan
    moved = direction * (view.mid_bp - view.fast.mean_bp) / FAST_H
    return moved / max(view.slow.sd_bp, SD_FLOOR_BP)


def age_h(held: Held, now_ns: int) -> float:
    """Hours since the entry."""
    return (now_ns - held.opened_ns) / HOUR_NS


def net_bp(held: Held) -> float:
    """What closing now would have earned, bp of the notional; NaN where unknown."""
    if held.net is None or held.notional <= 0:
        return math.nan
    return float(held.net / held.notional) * 1e4


def net_words(view: View, held: Held) -> str:
    """The same in money."""
    if held.net is None:
        return "what closing nets is not known"
    return f"closing now nets {words.money(held.net, view.account.currency, signed=True)}"


def tenth(value: float) -> Decimal:
    """A level of a plan, to a hundredth of a bp."""
    return Decimal(repr(value)).quantize(HUNDREDTH)


def hours(value: float) -> Decimal:
    """A time of a plan, hours to a hundredth."""
    return max(HUNDREDTH, Decimal(repr(value)).quantize(HUNDREDTH))


def bp(value: float, *, signed: bool = False) -> str:
    """Basis points, "n/a" where not known."""
    return words.bp(value, signed) if math.isfinite(value) else "n/a"


def sides(direction: int) -> str:
    """What is meant by a direction, in words."""
    return "perp rich" if direction > 0 else "perp cheap"


def side_of(value: float) -> int:
    """+1 or -1; 0 for neither."""
    return (value > 0.0) - (value < 0.0)


def losing_streak(view: View, pairs: int) -> int:
    """How many of the playbook's last pairs lost."""
    return sum(result.net <= 0 for result in view.ours[-pairs:])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
