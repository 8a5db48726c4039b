"""Orders that work for a while: limit, passive and sliced. What is due next, and when they end.

Pure: an answer follows from the order, from what the pair has folded of it, and from the clock.
The desk's workbench (workbench.py) sends what is due.
"""

from decimal import Decimal
from typing import Literal

from basisdesk.events import Execution, Work
from basisdesk.trading import words
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.risk import DIGITS_MAX, No
from basisdesk.trading.sizing import smallest
from basisdesk.venues.instrument import Instrument

S_NS = 1_000_000_000
SLICES_MAX = 100
GAP_S_MAX = Decimal(86_400)
GOOD_S_MAX = Decimal(7 * 86_400)
PAY_UP_MAX = 10_000
BP_MAX = Decimal(1_000_000)
AGAIN_NS = S_NS  # what is left of a slice that filled in part is tried again after this

Parts = tuple[Decimal, Decimal]  # base coin of the long and the short leg
Side = Literal["both", "long", "short"]


def check_how(how: Execution, alone: bool = False) -> No | None:
    """Whether an order can be executed this way. alone: it closes one leg only."""
    bare = how.limit_bp is None and how.style == "limit"
    if bare or (how.limit_bp is not None and not _within(how.limit_bp, BP_MAX)):
        text = "A limit order needs its limit on the basis, in bp. Enter one."
        return No("execution", "no limit" if bare else "not such a number", "a basis in bp", text)
    if alone and how.style != "market":
        text = "One leg alone is closed at market. Choose market, or close both legs."
        return No("execution", how.style, "market", text)
    for word, value, most, unit in (
        ("Slices", Decimal(how.slices), Decimal(SLICES_MAX), ""),
        ("The time between slices", how.slice_gap_s, GAP_S_MAX, " s"),
        ("The time an order works", how.good_for_s, GOOD_S_MAX, " s"),
    ):
        if not (_within(value, most) and value > 0):
            asked, limit = words.plain(value) + unit, words.plain(most) + unit
            text = f"{word} can be above 0 and up to {limit}, {asked} asked. Choose within."
            return No("execution", asked, f"up to {limit}", text)
    if not 0 <= how.pay_up <= PAY_UP_MAX:
        ticks = f"{PAY_UP_MAX:,} ticks"
        text = f"Pay-up can be 0 to {ticks}, {how.pay_up:,} asked. Choose within."
        return No("execution", f"{how.pay_up} ticks", f"up to {ticks}", text)
    return None


def flattens(work: Work | None) -> bool:
    """Whether this is a Flatten that goes on: it tries until nothing is left, after a restart too.

    Nothing is sent by its terms; closing.py sends the exits.
    """
    return work is not None and work.kind == "close" and work.reason == "flatten"


def give_up_ns(how: Execution, now_ns: int) -> int:
    """When what is left of an order is withdrawn: all gaps between its slices, and its time."""
    seconds = how.good_for_s + (how.slices - 1) * how.slice_gap_s
    return now_ns + int(seconds * S_NS)


def slice_qty(total: Decimal, slices: int, rule: Instrument) -> Decimal:
    """The size of each slice but the last, whole lots; the last one takes the rest."""
    return rule.round_down(total / slices) if slices > 1 else total


def done(position: PairPosition, work: Work) -> Parts:
    """What is done of an order: its fills, less what was given back of an entry."""
    if work.kind == "close":
        return position.long_done, position.short_done
    return (
        max(Decimal(0), position.long_done - position.long.exit_qty),
        max(Decimal(0), position.short_done - position.short.exit_qty),
    )


def next_part(
    position: PairPosition, work: Work, rules: tuple[Instrument, Instrument]
) -> tuple[Parts, int]:
    """((long, short) of the next slice, when it is due in ns); (0, 0) once nothing is left.

    The parts add up exactly: the last slice takes what is left. Both legs go in proportion, so
    after each slice the pair is as hedged as its lots allow.
    """
    totals, made = (work.long_qty, work.short_qty), done(position, work)
    lead = 0 if totals[0] else 1  # of a close of one leg, that leg
    total, so_far = totals[lead], made[lead]
    each = slice_qty(total, work.how.slices, rules[lead])
    if each <= 0 or so_far >= total:
        return (_left(totals[0], made[0]), _left(totals[1], made[1])), work.asked_ns
    number = int(so_far / each)
    crumb = (number + 1) * each - so_far
    if crumb < smallest(rules[lead], position.legs[lead].entry_price):
        number += 1  # what no venue would take alone goes with the next slice
    number = min(number, work.how.slices - 1)
    last = number == work.how.slices - 1
    goal = total if last else (number + 1) * each
    other = totals[1 - lead]
    other_goal = other if last else rules[1 - lead].round_nearest(other * goal / total)
    parts = [Decimal(0), Decimal(0)]
    parts[lead], parts[1 - lead] = goal - so_far, _left(other_goal, made[1 - lead])
    return (parts[0], parts[1]), _due(position, work, so_far > number * each)


def next_is_last(position: PairPosition, work: Work, rules: tuple[Instrument, Instrument]) -> bool:
    """Whether the next slice takes all that is left of the order."""
    (long, short), _ = next_part(position, work, rules)
    made = done(position, work)
    return long >= _left(work.long_qty, made[0]) and short >= _left(work.short_qty, made[1])


def hedge_owed(work: Work, made: Parts, rules: tuple[Instrument, Instrument]) -> Decimal:
    """Of a passive order: what its other leg has to trade for what the resting leg has filled."""
    totals = work.long_qty, work.short_qty
    at = 0 if work.how.passive_leg == "long" else 1
    if not totals[at]:
        return Decimal(0)
    if made[at] >= totals[at]:
        return _left(totals[1 - at], made[1 - at])
    goal = rules[1 - at].round_nearest(totals[1 - at] * made[at] / totals[at])
    return _left(goal, made[1 - at])


def reached(work: Work, direction: int, basis_bp: float) -> bool:
    """Whether the executable basis is at the order's limit or better; without a limit always.

    An entry of a spot-long pair wants the basis high, its exit low; mirrored for the reverse.
    """
    if work.how.style != "limit" or work.how.limit_bp is None:
        return True
    sign = direction if work.kind == "open" else -direction
    return sign * (basis_bp - float(work.how.limit_bp)) >= 0  # NaN is never reached


def _due(position: PairPosition, work: Work, begun: bool) -> int:
    """A slice is due a gap after the fills before it; the rest of a begun one sooner."""
    last_ns = position.fills[-1].ts_ns if position.fills else 0
    if last_ns < work.asked_ns or not any(done(position, work)):
        return work.asked_ns
    return last_ns + (AGAIN_NS if begun else int(work.how.slice_gap_s * S_NS))


def _left(total: Decimal, made: Decimal) -> Decimal:
    return max(Decimal(0), total - made)


def _within(value: Decimal, most: Decimal) -> bool:
    if not value.is_finite() or value.copy_abs() > most:
        return False
    return value.adjusted() >= -DIGITS_MAX and len(value.as_tuple().digits) <= DIGITS_MAX
