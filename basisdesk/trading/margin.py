"""Isolated margin of a linear perpetual, by Bybit's rule.

Source: Bybit help centre, "Liquidation Price under Isolated Mode", as updated 2026-05-27. Tiers are
flat: the whole notional carries the maintenance rate of the tier it falls in, less that tier's
deduction; a tier's upper bound is inclusive. Pages from before 2025 give another formula.
"""

from decimal import ROUND_CEILING, ROUND_DOWN, Decimal

import msgspec

from basisdesk.venues.instrument import Instrument, Tier

CENT = Decimal("1e-8")  # margins are moved in whole units of this, quote currency
LEVERAGE_CAP = Decimal(5)  # of the house; settings can only lower it
DEFAULT_MMR = Decimal("0.005")


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
    """Initial margin of a notional, quote currency, rounded up to 1e-8."""
    return (notional / leverage).quantize(CENT, ROUND_CEILING)


def share_of(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """What is released of a margin when `part` of `whole` is closed, rounded down to 1e-8."""
    if part >= whole:
        return amount
    return (amount * part / whole).quantize(CENT, ROUND_DOWN)


def tier_of(instrument: Instrument, notional: Decimal) -> Tier | None:
    """The risk tier of a notional; the last one beyond the table; None where none is known."""
    ladder = sorted(instrument.tiers, key=lambda tier: tier.limit)
    return next((tier for tier in ladder if notional <= tier.limit), ladder[-1] if ladder else None)


def leverage_max(instrument: Instrument, notional: Decimal, limit: Decimal) -> Decimal:
    """The most leverage for this notional: the house's cap, the setting, the venue and its tier.

    An instrument with leverage_max 1 was never described by its venue, so it sets no limit here.
    """
    caps = [LEVERAGE_CAP, limit]
    if instrument.leverage_max > 1:
        caps.append(instrument.leverage_max)
    if tier := tier_of(instrument, notional):
        caps.append(tier.leverage_max)
    return min(caps)


def maintenance(instrument: Instrument, notional: Decimal) -> tuple[Decimal, Decimal, str]:
    """(rate, deduction, source) for this notional; 0.5 % and 0 where no tier is known."""
    tier = tier_of(instrument, notional)
    if tier is None:
        return DEFAULT_MMR, Decimal(0), "0.5 % maintenance assumed: the venue gave no tiers"
    return (
        tier.maintenance,
        tier.deduction,
        f"tier up to {tier.limit:,f}, maintenance {tier.maintenance * 100:f} %",
    )


class Isolated(msgspec.Struct, frozen=True):
    """One isolated position: what the venue's formulas need.

    entry: average price, quote. qty: base, > 0. long: direction. leverage: as chosen.
    added: margin beyond entry * qty / leverage, quote. taker: fee, fraction.
    """

    entry: Decimal
    qty: Decimal
    long: bool
    leverage: Decimal
    added: Decimal
    taker: Decimal

    def liquidation_price(self, mmr: Decimal, deduction: Decimal) -> Decimal:
        """The mark price at which the venue closes the position; may be <= 0 for a long.

        long:  (EQ - EQ/L - X/(1-t) - d) / (Q - Q*m)
        short: (EQ + EQ/L + X/(1+t) + d) / (Q + Q*m)
        """
        value = self.entry * self.qty
        initial = value / self.leverage
        if self.long:
            left = value - initial - self.added / (1 - self.taker) - deduction
            return left / (self.qty * (1 - mmr))
        return (value + initial + self.added / (1 + self.taker) + deduction) / (
            self.qty * (1 + mmr)
        )

    def bankruptcy_price(self) -> Decimal:
        """The price at which the loss equals the whole margin, added margin included."""
        per_unit = self.entry / self.leverage + self.added / self.qty
        return self.entry - per_unit if self.long else self.entry + per_unit


def liquidation(
    position: Isolated, instrument: Instrument, mark: float | None = None
) -> Liquidation:
    """Where an isolated position is liquidated, and how far the mark is from there."""
    mmr, deduction, source = maintenance(instrument, position.entry * position.qty)
    price = position.liquidation_price(mmr, deduction)
    distance = float("nan")
    if price > 0 and mark is not None and mark > 0:
        gap = mark - float(price) if position.long else float(price) - mark
        distance = 100.0 * gap / mark
    return Liquidation(price if price > 0 else None, position.bankruptcy_price(), distance, source)
