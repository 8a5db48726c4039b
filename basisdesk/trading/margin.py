"""Isolated margin of a linear perpetual: tiers, leverage, and where the position dies.

The venues' formulas are in margin_rules.py. A tier's upper bound belongs to it; what its limits
count, notional in quote or size in coins, `Instrument.tiers_in` says.
"""

import decimal
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal

import msgspec

from basisdesk.trading.margin_rules import Isolated, margin_rule
from basisdesk.venues.instrument import Instrument, Tier

__all__ = ["Isolated", "Liquidation", "liquidation"]

CENT = Decimal("1e-8")  # margins are moved in whole units of this, account currency
LEVERAGE_CAP = Decimal(5)  # of the house; settings can only lower it
DEFAULT_MMR = Decimal("0.005")
_DEFAULT_MMRS = {"kraken": Decimal("0.01")}  # Linear Contract Specifications, read 2026-07

_WIDE = decimal.Context(prec=64)


class Liquidation(msgspec.Struct, frozen=True):
    """Where a perpetual leg dies.

    price: the mark that triggers, quote currency; None when no positive price does.
    bankruptcy: the price at which the whole margin is gone; the forced fill stands there.
    distance_pct: how far the mark may move against the leg, percent of the mark; NaN without one.
    source: which maintenance rate was used and where it came from.
    """

    price: Decimal | None
    bankruptcy: Decimal
    distance_pct: float
    source: str


def margin_for(notional: Decimal, leverage: Decimal) -> Decimal:
    """Initial margin of a notional in its currency, rounded up to 1e-8."""
    with decimal.localcontext(_WIDE):
        return (notional / leverage).quantize(CENT, ROUND_CEILING)


def share_of(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """What is released of a margin when `part` of `whole` is closed, rounded down to 1e-8."""
    if part >= whole:
        return amount
    with decimal.localcontext(_WIDE):
        return (amount * part / whole).quantize(CENT, ROUND_DOWN)


def tier_size(instrument: Instrument, qty: Decimal, notional: Decimal) -> Decimal:
    """What the instrument's tiers count of a position: coins, or notional in quote currency."""
    return qty if instrument.tiers_in == "base" else notional


def tier_of(instrument: Instrument, size: Decimal) -> Tier | None:
    """The risk tier of a size (see tier_size); the last one beyond the table; None without one."""
    ladder = _ladder(instrument)
    return next((tier for tier in ladder if size <= tier.limit), ladder[-1] if ladder else None)


def leverage_max(instrument: Instrument, size: Decimal, limit: Decimal) -> Decimal:
    """The most leverage for this size: the house's cap, the setting, the venue and its tier.

    size: see tier_size. An instrument with leverage_max 1 was never described by its venue, so it
    sets no limit here.
    """
    caps = [LEVERAGE_CAP, limit]
    if instrument.leverage_max > 1:
        caps.append(instrument.leverage_max)
    if tier := tier_of(instrument, size):
        caps.append(tier.leverage_max)
    return min(caps)


def liquidation(
    position: Isolated, instrument: Instrument, mark: float | None = None
) -> Liquidation:
    """Where an isolated position is liquidated, and how far the mark is from there."""
    rule = margin_rule(instrument.venue)
    tier, price = _tier_and_price(position, instrument)
    distance = float("nan")
    if price > 0 and mark is not None and mark > 0:
        gap = mark - float(price) if position.long else float(price) - mark
        distance = 100.0 * gap / mark
    return Liquidation(
        price if price > 0 else None, rule.fill(position), distance, _source(instrument, tier)
    )


def _tier_and_price(position: Isolated, instrument: Instrument) -> tuple[Tier | None, Decimal]:
    rule = margin_rule(instrument.venue)
    ladder = _ladder(instrument)
    if not ladder:
        rate = _DEFAULT_MMRS.get(instrument.venue, DEFAULT_MMR)
        return None, rule.price(position, rate, Decimal(0))
    tier = tier_of(instrument, tier_size(instrument, position.qty, position.value))
    if rule.tier_at == "price":
        # Maintenance is continuous over the brackets, so the lowest one that holds the notional
        # of its own price is the only one that does.
        for each in ladder:
            price = rule.price(position, each.maintenance, each.deduction)
            if tier_size(instrument, position.qty, price * position.qty) <= each.limit:
                return each, price
        tier = ladder[-1]
    assert tier is not None  # the ladder has rows
    return tier, rule.price(position, tier.maintenance, tier.deduction)


def _ladder(instrument: Instrument) -> list[Tier]:
    return sorted(instrument.tiers, key=lambda tier: tier.limit)


def _source(instrument: Instrument, tier: Tier | None) -> str:
    if tier is None:
        rate = _DEFAULT_MMRS.get(instrument.venue, DEFAULT_MMR)
        return f"{(rate * 100).normalize():f} % maintenance assumed: the venue gave no tiers"
    unit = f" {instrument.base}" if instrument.tiers_in == "base" else ""
    return f"tier up to {tier.limit:,f}{unit}, maintenance {tier.maintenance * 100:f} %"
