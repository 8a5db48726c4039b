"""Cross rates as exact money: what one unit of a leg's quote currency is in account currency.

The market says them as floats (`Market.fx`, from a leg of its own); here they become Decimals of
EXACT decimals, half-even, once, so that ticket, fill and ledger multiply by the same figure.
"""

import decimal
import math
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from basisdesk.market.state import Market
from basisdesk.trading.risk import No

EXACT = Decimal("1e-8")
ONE = Decimal(1)
_WIDE = decimal.Context(prec=64)


class Cross(msgspec.Struct, frozen=True):
    """Account currency per unit of a currency. bid: what selling it brings; ask: what it costs."""

    bid: Decimal = ONE
    ask: Decimal = ONE
    mid: Decimal = ONE

    def paid(self, market: str, side: str) -> Decimal:
        """The rate of a trade: a spot leg changes the money, so it meets the far side.

        A perpetual changes none; its profit and fee are converted at the middle.
        """
        if market == "perp":
            return self.mid
        return self.ask if side == "buy" else self.bid


_SAME = Cross()  # of the account's own currency


def cross_of(market: Market, currency: str, account: str, now_ns: int) -> Cross | No:
    """The rate that a trade of this moment gets, or why there is none (limit "cross")."""
    if currency == account:
        return _SAME
    fx = market.fx(currency, now_ns)
    rates = [exact_rate(rate) for rate in (fx.bid, fx.ask, fx.mid)]
    if not fx.stale and all(rates):
        return Cross(*rates)
    text = fx.stale or f"No rate of {currency} in {account} yet. Waiting for {fx.key or 'a quote'}."
    return No("cross", currency, "a fresh cross rate", text)


def mid_rate(market: Market, currency: str, account: str, now_ns: int, last: Decimal) -> Decimal:
    """The rate at the middle for valuing what is held; `last` where nothing is known now.

    last: of the position's last outcome. A held coin always has a worth, so an old rate is used
    here where a trade would be refused.
    """
    if currency == account:
        return ONE
    return exact_rate(market.fx(currency, now_ns).mid) or last


def exact_rate(rate: float) -> Decimal:
    """A rate as Decimal, EXACT decimals, half-even; 0 for what is no rate."""
    if not (math.isfinite(rate) and 0.0 < rate < 1e9):
        return Decimal(0)
    with decimal.localcontext(_WIDE):  # rounded on purpose, also where money may not be
        return Decimal(rate).quantize(EXACT, ROUND_HALF_EVEN)
