"""Fees of one venue as exact fractions, and in which coin a fee is taken."""

from decimal import Decimal

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.venues.instrument import Instrument


class FeeSchedule(msgspec.Struct, frozen=True):
    """Taker and maker fees of one venue, fractions of the notional.

    spot_buy_in_base: a spot buy pays in the coins it buys, so fewer arrive than were bought.
    """

    spot_taker: Decimal
    perp_taker: Decimal
    spot_buy_in_base: bool
    source: str
    spot_maker: Decimal = Decimal(0)
    perp_maker: Decimal = Decimal(0)

    def rate(self, instrument: Instrument, maker: bool = False) -> Decimal:
        """The fee of an instrument, fraction of the notional."""
        if instrument.market == "spot":
            return self.spot_maker if maker else self.spot_taker
        return self.perp_maker if maker else self.perp_taker

    def in_base(self, instrument: Instrument, side: str) -> bool:
        """Whether the fee of this trade is taken from the coins bought."""
        return self.spot_buy_in_base and instrument.market == "spot" and side == "buy"

    def fee(
        self, instrument: Instrument, side: str, qty: Decimal, price: Decimal, maker: bool = False
    ) -> tuple[Decimal, str]:
        """(fee, currency) of one fill, exact: nothing is rounded."""
        if self.in_base(instrument, side):
            return qty * self.rate(instrument, maker), instrument.base
        return qty * price * self.rate(instrument, maker), instrument.quote


def schedule(settings: Settings, venue: str) -> FeeSchedule:
    """The fee schedule of a venue from the settings."""
    fees = settings.fees_of(venue)
    return FeeSchedule(
        exact(fees.spot_taker),
        exact(fees.perp_taker),
        fees.spot_buy_fee_in == "base",
        fees.source,
        exact(fees.spot_maker),
        exact(fees.perp_maker),
    )
