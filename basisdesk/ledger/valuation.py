"""What a leg is worth at a moment: its price, and what the money of that price is worth.

One small type, so that a price in dollars can never be taken for one in account currency.
"""

from decimal import Decimal

import msgspec


class Worth(msgspec.Struct, frozen=True):
    """One coin of a leg. price: in its quote currency. fx: account currency per quote currency."""

    price: Decimal
    fx: Decimal = Decimal(1)

    @property
    def value(self) -> Decimal:
        """One coin in account currency."""
        return self.price * self.fx


Price = Worth | Decimal  # a bare price is at the cross rate of its pair's last outcome
