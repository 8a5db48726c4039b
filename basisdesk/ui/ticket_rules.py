"""How an order is executed and left, without Qt: bounds, what is missing, and it all in words."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Literal

from basisdesk.events import Execution, ExitPlan
from basisdesk.ui.figures import number_text, size_text, span_text
from basisdesk.ui.ticket_sheet import MARKET, within

Style = Literal["market", "limit", "passive"]
Policy = Literal["hedge", "retry", "unwind"]
LegName = Literal["long", "short"]
Check = Callable[[Decimal | str], Decimal | str]

LEVEL_BP_MAX = Decimal(10_000)
HOLD_H_MAX = Decimal(8_760)
NET_MAX = Decimal(1_000_000_000)
FUNDING_BP_MAX = Decimal(1_000)
SLICES_MAX = Decimal(50)
GAP_S_MAX = Decimal(3_600)
GOOD_S_LEAST, GOOD_S_MAX = Decimal(5), Decimal(86_400)
TICKS_MAX = Decimal(100)

STYLES: dict[str, tuple[str, str]] = {
    "market": (
        "Market",
        "Both legs at once, at the prices displayed: it costs both spreads and is done in "
        "under a second.",
    ),
    "limit": (
        "Limit",
        "Both legs at once, as soon as the executable basis is your limit or better; until then "
        "the order waits and may never fill.",
    ),
    "passive": (
        "Passive",
        "One leg rests at its best price and pays the maker fee; each of its fills is hedged on "
        "the other leg at once, a few ticks worse if need be.",
    ),
}
POLICIES: dict[str, tuple[str, str]] = {
    "hedge": (
        "Hedge now",
        "The missing leg is traded at market at once: the pair is whole again, at whatever price "
        "the book shows.",
    ),
    "retry": (
        "Retry",
        "The missing leg is tried within your pay-up ticks for a while, and what was filled is "
        "given back if it fails: cheaper, but longer exposed.",
    ),
    "unwind": (
        "Unwind",
        "What was filled of the other leg is given back at once: no pair, and one spread and two "
        "fees are lost.",
    ),
}
NO_SECTOR = "no source"


def whole(value: Decimal | str, low: Decimal, high: Decimal, unit: str = "") -> Decimal | str:
    """A whole number within limits, else a sentence."""
    found = within(value, low, high, unit)
    if isinstance(found, Decimal) and found != found.to_integral_value():
        near = size_text(max(low, found.to_integral_value()))
        return f"{size_text(found)} is no whole number, such as {near}."
    return found


LEVEL: Check = partial(within, low=-LEVEL_BP_MAX, high=LEVEL_BP_MAX, unit="bp")
HOLD: Check = partial(within, low=Decimal(0), high=HOLD_H_MAX, unit="h", above=True)
NET: Check = partial(within, low=Decimal(0), high=NET_MAX, above=True)
FUNDING: Check = partial(within, low=Decimal(0), high=FUNDING_BP_MAX, unit="bp per 8 h", above=True)
SLICES: Check = partial(whole, low=Decimal(1), high=SLICES_MAX)
GAP: Check = partial(within, low=Decimal(1), high=GAP_S_MAX, unit="s")
GOOD: Check = partial(within, low=GOOD_S_LEAST, high=GOOD_S_MAX, unit="s")
TICKS: Check = partial(whole, low=Decimal(0), high=TICKS_MAX, unit="ticks")


# --- the exit plan --------------------------------------------------------------------------------


def plan_problem(plan: ExitPlan) -> str:
    """Why nothing can be opened with this plan, in one sentence; "" when it can.

    The desk asks for the same at every entry (limit "exit_plan").
    """
    target = plan.target_bp is not None or plan.net_target is not None
    if plan.stop_bp is None and not target:
        return "The exit plan needs a stop basis and a target: enter target basis or net profit."
    if plan.stop_bp is None:
        return "The exit plan needs a stop basis: enter where the loss is taken."
    if not target:
        return "The exit plan needs a target: enter target basis or net profit."
    return ""


def bare_problem(plan: ExitPlan) -> str:
    """Why a plan cannot stand for a pair of one leg alone; "" when one of its rules can act."""
    if plan.max_hold_h is not None or plan.net_target is not None:
        return ""
    return "One leg is held alone: only net profit or time can close it. Enter one of them."


def sector_text(signal: str | None) -> str:
    """What the sector overlay says of a coin now, short; None without a source."""
    if signal is None:
        return NO_SECTOR
    return signal or "neutral"


def sector_tip(coin: str, signal: str | None) -> str:
    """What ticking the sector rule does, and whether it can act."""
    rule = f"Leave when the sector signal of {coin or 'the coin'} turns against the pair."
    if signal is not None:
        return f"{rule} Now it speaks {signal} it." if signal else f"{rule} Now it says neither."
    return f"{rule} Nothing feeds that signal yet: the rule is kept and stays silent until then."


# --- the execution --------------------------------------------------------------------------------


@dataclass(frozen=True)
class HowDraft:
    """What the execution fields hold. None: the field is empty or cannot be read."""

    style: Style = "market"
    policy: Policy = "hedge"
    limit_bp: Decimal | None = None
    passive_leg: LegName = "long"
    pay_up: Decimal | None = Decimal(5)
    slices: Decimal | None = Decimal(1)
    gap_s: Decimal | None = Decimal(30)
    good_for_s: Decimal | None = Decimal(600)

    @property
    def needs(self) -> frozenset[str]:
        """The fields that this style and policy look at; the others are hidden."""
        found = {"slices"}
        if self.slices is None or self.slices > 1:
            found.add("gap_s")
        if self.style != "market":
            found.add("good_for_s")
        if self.style == "limit":
            found.add("limit_bp")
        if self.style == "passive" or self.policy == "retry":
            found.add("pay_up")
        return frozenset(found)

    def execution(self) -> Execution | None:
        """The order's execution; None while a field it looks at is missing.

        What it does not look at stays at its default, so two orders that act alike are equal.
        """
        asked = {name: getattr(self, name) for name in self.needs}
        if any(value is None for value in asked.values()):
            return None
        return Execution(
            style=self.style,
            policy=self.policy,
            limit_bp=asked.get("limit_bp"),
            passive_leg=self.passive_leg if self.style == "passive" else MARKET.passive_leg,
            pay_up=int(asked.get("pay_up", MARKET.pay_up)),
            slices=int(asked["slices"]),
            slice_gap_s=asked.get("gap_s", MARKET.slice_gap_s),
            good_for_s=asked.get("good_for_s", MARKET.good_for_s),
        )

    def problem(self) -> str:
        """Why this cannot be sent, in one sentence; "" when it can."""
        if self.style == "limit" and self.limit_bp is None:
            return "A limit order needs its basis: enter one under Execution, or press now there."
        if self.execution() is None:
            return "An execution field is empty. Fill it in, or choose Market."
        return ""


def execution_text(
    how: Execution, direction: int, names: tuple[str, str], unhedged_s: float
) -> str:
    """In words, what will happen. names: (long leg, short leg). unhedged_s: until it unwinds."""
    many = f", {how.slices} slices {_seconds(how.slice_gap_s)} apart" if how.slices > 1 else ""
    wait = f" within {span_text(float(how.good_for_s))}"
    if how.style == "market":
        start = f"Market, both legs{many}"
    elif how.style == "limit":
        side = "above" if direction > 0 else "below"
        level = "\u2013" if how.limit_bp is None else number_text(how.limit_bp, 1)
        start = f"Limit, both legs once the basis is {level} bp or {side}{wait}{many}"
    else:
        rests, other = names if how.passive_leg == "long" else names[::-1]
        price = "bid" if how.passive_leg == "long" else "ask"
        start = (
            f"Passive, {rests} rests at its best {price}{wait}, each fill hedged on {other} "
            f"{_ticks(how.pay_up)}{many}"
        )
    return f"{start}; if one fails: {policy_text(how, unhedged_s)}."


def policy_text(how: Execution, unhedged_s: float) -> str:
    """What becomes of a leg that stands alone."""
    end = f"unwind after {size_text(unhedged_s)} s"
    if how.policy == "hedge":
        return f"hedge now, {end}"
    if how.policy == "retry":
        return f"retry {_ticks(how.pay_up)}, {end}"
    return "unwind at once"


def _ticks(count: int) -> str:
    if not count:
        return "at its best price"
    return f"up to {count} tick{'' if count == 1 else 's'} beyond"


def _seconds(value: Decimal) -> str:
    return span_text(float(value)) if value >= 100 else f"{size_text(value)} s"
