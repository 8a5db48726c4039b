"""Commands: what a person asked for. Amounts are Decimal, written as text in files."""

from decimal import Decimal
from typing import Literal

import msgspec

LegName = Literal["long", "short"]


class ExitPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """When to leave, set before entry. None (or False) switches a rule off.

    target_bp, stop_bp: on the executable close basis, for a long spot / short perp pair at or
    below the target, at or above the stop; mirrored for the reverse pair.
    max_hold_h: hours after the entry fill.
    net_target: account currency; leave when closing now, exit fees and slippage paid, nets it.
    funding_bp: bp per 8 h; leave when funding has turned against the pair by at least this much,
    was so at the last settlements too, and staying is expected to cost more than leaving.
    sector: leave when the coin's sector signal reverses.
    """

    target_bp: Decimal | None = None
    stop_bp: Decimal | None = None
    max_hold_h: Decimal | None = None
    net_target: Decimal | None = None
    funding_bp: Decimal | None = None
    sector: bool = False


class Execution(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a pair order meets the books, and what happens when one leg fills and the other does not.

    style: "market": both legs at once, at the displayed prices. "limit": both legs at once, as soon
    as the executable basis is `limit_bp` or better. "passive": `passive_leg` rests at its best
    price, each of its fills is hedged on the other leg up to `pay_up` ticks beyond its best price.
    policy, for what is left unhedged: "hedge" buys or sells the missing leg at market at once,
    "retry" tries it within `pay_up` ticks for a while and then unwinds, "unwind" gives the
    surplus back at once.
    slices: number of equal parts, `slice_gap_s` seconds apart. good_for_s: how long a limit or
    passive order works before what is left of it is withdrawn.
    """

    style: Literal["market", "limit", "passive"] = "market"
    policy: Literal["hedge", "retry", "unwind"] = "hedge"
    limit_bp: Decimal | None = None
    passive_leg: LegName = "long"
    pay_up: int = 5
    slices: int = 1
    slice_gap_s: Decimal = Decimal(30)
    good_for_s: Decimal = Decimal(600)


class OpenPair(msgspec.Struct, frozen=True, tag_field="do", tag="open_pair", omit_defaults=True):
    """Buy the long leg, sell the short leg. `qty` in base of the long leg.

    by: who asks and why, where that is not the person, as in ClosePair.
    """

    long: str
    short: str
    qty: Decimal
    leverage: Decimal = Decimal(1)
    exit: ExitPlan = ExitPlan()
    t_ns: int = 0
    how: Execution = Execution()
    by: str = ""


class ClosePair(msgspec.Struct, frozen=True, tag_field="do", tag="close_pair", omit_defaults=True):
    """Close this fraction of what is left of a pair; of one leg only where `leg` names it.

    by: who asks and why, where that is not the person: "autopilot: carry, reverted".
    """

    pair: int
    fraction: Decimal = Decimal(1)
    t_ns: int = 0
    leg: Literal["both", "long", "short"] = "both"
    how: Execution = Execution()
    by: str = ""


class CancelOrder(msgspec.Struct, frozen=True, tag_field="do", tag="cancel", omit_defaults=True):
    """Withdraw what a pair's order has not filled yet. What is filled stays, and is hedged."""

    pair: int
    t_ns: int = 0


class FlipPair(msgspec.Struct, frozen=True, tag_field="do", tag="flip", omit_defaults=True):
    """Close a pair, then open the reverse one of the same size with this plan."""

    pair: int
    exit: ExitPlan = ExitPlan()
    t_ns: int = 0


class Rebalance(msgspec.Struct, frozen=True, tag_field="do", tag="rebalance", omit_defaults=True):
    """Trade a pair's perpetual by what its legs do not cancel, to the nearest lot."""

    pair: int
    t_ns: int = 0


class AddMargin(msgspec.Struct, frozen=True, tag_field="do", tag="add_margin", omit_defaults=True):
    """Move cash into the isolated margin of a pair's perpetual."""

    pair: int
    amount: Decimal
    t_ns: int = 0


class WithdrawMargin(
    msgspec.Struct, frozen=True, tag_field="do", tag="withdraw_margin", omit_defaults=True
):
    """Move isolated margin beyond the initial one back to cash."""

    pair: int
    amount: Decimal
    t_ns: int = 0


class Halt(msgspec.Struct, frozen=True, tag_field="do", tag="halt", omit_defaults=True):
    """No new entries until resumed. Closing stays possible."""

    reason: str = "by hand"
    t_ns: int = 0


class Resume(msgspec.Struct, frozen=True, tag_field="do", tag="resume", omit_defaults=True):
    """Allow entries again."""

    reason: str = ""
    t_ns: int = 0


class Flatten(msgspec.Struct, frozen=True, tag_field="do", tag="flatten", omit_defaults=True):
    """Close every open pair at market."""

    t_ns: int = 0


class SetPlan(msgspec.Struct, frozen=True, tag_field="do", tag="set_plan", omit_defaults=True):
    """Replace the exit plan of an open pair (a dragged line, an edited field)."""

    pair: int
    exit: ExitPlan
    t_ns: int = 0


class Drill(msgspec.Struct, frozen=True, tag_field="do", tag="drill", omit_defaults=True):
    """Practise a failure of execution. It happens once, to the next order it fits, then is over.

    kind: "reject" (the venue refuses the leg), "half" (half of the leg fills), "late" (the leg
    arrives `seconds` later), "adl" (the venue closes the perpetual leg of `pair` at its mark), or
    "off" (nothing is practised any more).
    """

    kind: Literal["reject", "half", "late", "adl", "off"]
    leg: LegName = "short"
    pair: int = 0
    seconds: Decimal = Decimal(5)
    t_ns: int = 0


class SetValue(msgspec.Struct, frozen=True, tag_field="do", tag="set", omit_defaults=True):
    """Change one setting of the running engine, e.g. key "ticket.qty", value "10000".

    "pair" with two legs to be shown; "watch" with all pairs to be watched unseen, "A B, C D".
    "sector.ADA" with "for", "against" or "": what the sector overlay says of a coin.
    """

    key: str
    value: str
    t_ns: int = 0


Command = (
    OpenPair
    | ClosePair
    | CancelOrder
    | FlipPair
    | Rebalance
    | AddMargin
    | WithdrawMargin
    | Halt
    | Resume
    | Flatten
    | SetPlan
    | Drill
    | SetValue
)
