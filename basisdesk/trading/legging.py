"""What is done about a pair that stands unhedged: a leg came short, late or never.

Nothing here is remembered: the answer follows from the position alone, so it is the same after a
restart. The desk asks again while nothing of the pair is under way.

* hedge    buy or sell what is missing, at market
* retry    the same, at no worse than `pay_up` ticks beyond the best price
* unwind   give back what the other leg has too much of

After `risk.unhedged_s_max` every policy unwinds. What an exit left over is never bought back: the
rest of the exit goes on, at market. A difference up to the position's tolerance is no exposure.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from basisdesk.events import LegName
from basisdesk.trading.positions import LegPosition, PairPosition
from basisdesk.venues.instrument import Instrument

S_NS = 1_000_000_000


class Remedy(msgspec.Struct, frozen=True):
    """The next order for an unhedged pair.

    kind: "add" to the leg that is missing, "close" part of the one that is too large, or all of
    the pair ("both") where neither can be traded alone. qty: by how much the leg shall change,
    base. limited: at no worse than the policy's pay_up ticks. reason: "hedge", "unwind", or why
    the exit that goes on was made.
    """

    kind: Literal["add", "close"]
    leg: Literal["both", "long", "short"]
    qty: Decimal
    reason: str
    limited: bool = False


def remedy(
    position: PairPosition,
    rules: tuple[Instrument, Instrument],
    least: tuple[Decimal, Decimal],
    unhedged_s_max: float,
    now_ns: int,
) -> Remedy | None:
    """What comes next, or None where nothing is to be done (or nothing can be).

    rules, least: the instruments of the long and the short leg, and their smallest orders now.
    """
    if position.state != "unhedged":
        return None
    surplus, missing = sides(position)
    gap = abs(position.delta)
    late = overdue(position, unhedged_s_max, now_ns)
    if asks(position, unhedged_s_max, now_ns):
        at = 0 if missing is position.long else 1
        qty = rules[at].round_nearest(gap)
        if qty >= least[at]:
            limited = position.how.policy == "retry"
            return Remedy("add", _name(missing), qty, "hedge", limited)
    return _give_back(position, surplus, rules, least, late)


def asks(position: PairPosition, unhedged_s_max: float, now_ns: int) -> bool:
    """Whether the policy asks for the missing leg still, rather than giving the other one back."""
    if position.state != "unhedged" or position.how.policy == "unwind" or leaving(position):
        return False
    return not overdue(position, unhedged_s_max, now_ns)


def sides(position: PairPosition) -> tuple[LegPosition, LegPosition]:
    """(the leg that is too large, the leg that is missing something)."""
    if abs(position.long.qty) >= abs(position.short.qty):
        return position.long, position.short
    return position.short, position.long


def overdue(position: PairPosition, unhedged_s_max: float, now_ns: int) -> bool:
    """Whether a pair has been unhedged for longer than is allowed."""
    return unhedged_s(position, now_ns) >= unhedged_s_max


def unhedged_s(position: PairPosition, now_ns: int) -> float:
    """Seconds that a pair has been unhedged for; 0 where it is not."""
    if position.unhedged_ns is None:
        return 0.0
    return max(0.0, (now_ns - position.unhedged_ns) / S_NS)


def leaving(position: PairPosition) -> bool:
    """Whether the last fill of the pair made it smaller: then an exit goes on."""
    if not position.fills:
        return False
    last = position.fills[-1]
    leg = position.long if last.leg == "long" else position.short
    return not leg.opens(last)


def _give_back(
    position: PairPosition,
    surplus: LegPosition,
    rules: tuple[Instrument, Instrument],
    least: tuple[Decimal, Decimal],
    late: bool,
) -> Remedy | None:
    reason = position.close_reason if leaving(position) and position.close_reason else "unwind"
    at = 0 if surplus is position.long else 1
    held, gap = abs(surplus.qty), abs(position.delta)
    if gap >= held:
        return Remedy("close", _name(surplus), held, reason)
    qty = min(held, rules[at].round_nearest(gap))
    if qty >= least[at]:
        return Remedy("close", _name(surplus), qty, reason)
    # Too small to be traded alone: once it is late the whole pair goes, which is always allowed.
    return Remedy("close", "both", held, reason) if late else None


def _name(leg: LegPosition) -> LegName:
    return "long" if leg.role == "long" else "short"
