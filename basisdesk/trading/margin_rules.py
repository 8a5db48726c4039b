"""Where each venue closes an isolated linear position, and at which price it does.

One rule a venue, pure formulas; which tier applies is decided in margin.py. E entry, Q size in
base, L leverage, X margin added by hand, m maintenance rate, d the tier's deduction, t taker fee,
W = EQ/L + X the isolated margin; all in quote currency.

* Bybit: help centre, "Liquidation Price under Isolated Mode", as updated 2026-05-27. The tier of
  the whole entry value, less that tier's deduction. Pages from before 2025 give another formula.
* Binance: FAQ on USD-M liquidation. The bracket of the notional at the liquidation price itself,
  cum as deduction, no fee.
* OKX: position tiers by size, the whole size in one, no deduction, the fee to close counts; checked
  by others against its demo account. Its reduction tier by tier is not modelled.
* Kraken: "liquidation when margin equity is below maintenance margin"; no fee in its text. The
  formula follows from that sentence; the haircut on collateral other than USD is left out.
"""

from decimal import Decimal
from typing import Literal, Protocol

import msgspec


class Isolated(msgspec.Struct, frozen=True):
    """One isolated position: what the venue's formulas need.

    entry: average price, quote. qty: base, > 0. long: direction. leverage: as chosen.
    added: margin beyond entry * qty / leverage, quote; < 0 where funding took some. taker: fee,
    fraction.
    """

    entry: Decimal
    qty: Decimal
    long: bool
    leverage: Decimal
    added: Decimal
    taker: Decimal

    @property
    def value(self) -> Decimal:
        """Entry value, quote."""
        return self.entry * self.qty

    @property
    def wallet(self) -> Decimal:
        """The isolated margin: initial and added, quote."""
        return self.value / self.leverage + self.added

    def liquidation_price(self, mmr: Decimal, deduction: Decimal) -> Decimal:
        """Bybit's price, see `BybitRule`."""
        return BybitRule().price(self, mmr, deduction)

    def bankruptcy_price(self) -> Decimal:
        """The price at which the loss equals the whole margin, added margin included."""
        per_unit = self.entry / self.leverage + self.added / self.qty
        return self.entry - per_unit if self.long else self.entry + per_unit


class MarginRule(Protocol):
    """A venue's way. tier_at: which notional picks the tier, that of the entry or of the price."""

    tier_at: Literal["entry", "price"]

    def price(self, position: Isolated, mmr: Decimal, deduction: Decimal) -> Decimal:
        """The mark at which the venue closes the position; may be <= 0 for a long."""
        ...

    def fill(self, position: Isolated) -> Decimal:
        """The price of the forced close: that of bankruptcy."""
        ...


class BybitRule:
    """Extra margin is counted net of the fee.

    long:  (EQ - EQ/L - X/(1-t) - d) / (Q - Q*m)
    short: (EQ + EQ/L + X/(1+t) + d) / (Q + Q*m)

    X < 0, margin that funding took: the venue's page says nothing of a fee then, so all of it is
    missing.
    """

    tier_at: Literal["entry", "price"] = "entry"

    def price(self, position: Isolated, mmr: Decimal, deduction: Decimal) -> Decimal:
        """See MarginRule."""
        p = position
        value, initial = p.value, p.value / p.leverage
        fee = p.taker if p.added > 0 else Decimal(0)
        if p.long:
            left = value - initial - p.added / (1 - fee) - deduction
            return left / (p.qty * (1 - mmr))
        return (value + initial + p.added / (1 + fee) + deduction) / (p.qty * (1 + mmr))

    def fill(self, position: Isolated) -> Decimal:
        """See MarginRule."""
        return position.bankruptcy_price()


class BinanceRule(BybitRule):
    """LP = (W + d - s*Q*E) / (Q*m - s*Q), s = 1 long, -1 short."""

    tier_at: Literal["entry", "price"] = "price"

    def price(self, position: Isolated, mmr: Decimal, deduction: Decimal) -> Decimal:
        """See MarginRule. In cross mode the wallet is less the other positions' needs."""
        p, s = position, 1 if position.long else -1
        return (p.wallet + deduction - s * p.value) / (p.qty * mmr - s * p.qty)


class OkxRule:
    """The fee to close counts, in the trigger and in the price of bankruptcy.

    trigger: (EQ - sW) / (Q * (1 - s*(m + t))); fill: (EQ - sW) / (Q * (1 - s*t)).
    """

    tier_at: Literal["entry", "price"] = "entry"

    def price(self, position: Isolated, mmr: Decimal, deduction: Decimal) -> Decimal:  # noqa: ARG002
        """See MarginRule. OKX's tiers have no deduction."""
        p, s = position, 1 if position.long else -1
        return (p.value - s * p.wallet) / (p.qty * (1 - s * (mmr + p.taker)))

    def fill(self, position: Isolated) -> Decimal:
        """See MarginRule: what is left pays the fee and nothing more."""
        p, s = position, 1 if position.long else -1
        return (p.value - s * p.wallet) / (p.qty * (1 - s * p.taker))


class KrakenRule(BybitRule):
    """LP = (EQ - sW) / (Q * (1 - s*m)), no fee, no deduction."""

    def price(self, position: Isolated, mmr: Decimal, deduction: Decimal) -> Decimal:  # noqa: ARG002
        """See MarginRule."""
        p, s = position, 1 if position.long else -1
        return (p.value - s * p.wallet) / (p.qty * (1 - s * mmr))


_BYBIT = BybitRule()
_RULES: dict[str, MarginRule] = {
    "bybit": _BYBIT,
    "binance": BinanceRule(),
    "okx": OkxRule(),
    "kraken": KrakenRule(),
}


def margin_rule(venue: str) -> MarginRule:
    """The rule of a venue; Bybit's for one that is not known."""
    return _RULES.get(venue, _BYBIT)
