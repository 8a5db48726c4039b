"""How much each leg trades: lots, fees taken in coins, and the hedge that follows from them.

Nothing here looks at a price.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Literal

import msgspec

from basisdesk.trading.fees import FeeSchedule
from basisdesk.trading.positions import PairPosition
from basisdesk.venues.instrument import Instrument


class OpenSizes(msgspec.Struct, frozen=True):
    """Quantities of an entry, base coin.

    long, short: ordered. dust: coins below a lot that the fee leaves over; written off at entry.
    held: what the long leg holds after fee and dust. delta: held minus short, left unhedged.
    """

    long: Decimal
    short: Decimal
    dust: Decimal
    held: Decimal

    @property
    def delta(self) -> Decimal:
        """Net exposure after the entry, base coin."""
        return self.held - self.short


class CloseSizes(msgspec.Struct, frozen=True):
    """Quantities of an exit, base coin; 0 for a leg that holds nothing.

    long: sold. short: bought. dust: coins bought back beyond what was owed.
    long_part, short_part: by how much each leg's position shrinks.
    """

    long: Decimal
    short: Decimal
    dust: Decimal
    long_part: Decimal
    short_part: Decimal


def open_sizes(
    long: Instrument, short: Instrument, qty: Decimal, long_fees: FeeSchedule
) -> OpenSizes:
    """Sizes of an entry of `qty` base on the long leg.

    Where the venue takes the fee of a spot buy in coins, the hedge is the lot nearest to what can
    be sold again; otherwise the short leg's lot nearest to `qty`.
    """
    if not long_fees.in_base(long, "buy"):
        return OpenSizes(qty, short.round_nearest(qty), Decimal(0), qty)
    left = qty - qty * long_fees.rate(long)
    held = long.round_down(left)
    return OpenSizes(qty, short.round_nearest(held), left - held, held)


def buy_back(owed: Decimal, spot: Instrument, fees: FeeSchedule) -> tuple[Decimal, Decimal]:
    """(quantity to buy, dust) so that what arrives after the fee covers the coins owed."""
    if not fees.in_base(spot, "buy"):
        return owed, Decimal(0)
    keep = 1 - fees.rate(spot)
    qty = spot.round_up(owed / keep)
    if qty * keep < owed:  # the division may have rounded down
        qty += spot.lot
    return qty, qty * keep - owed


def close_sizes(
    position: PairPosition,
    fraction: Decimal,
    rules: tuple[Instrument, Instrument],
    short_fees: FeeSchedule,
    leg: Literal["both", "long", "short"] = "both",
) -> CloseSizes:
    """Sizes of closing `fraction` of what is left. rules: (long, short) instruments.

    leg: the one leg that is closed, where not both are.

    The leg with the coarser lot gives up whole lots, rounded down; the other follows in
    proportion, so the pair stays as hedged as its lots allow. Fraction 1 takes everything.
    """
    long_left = abs(position.long.qty) if leg != "short" else Decimal(0)
    short_left = abs(position.short.qty) if leg != "long" else Decimal(0)
    if fraction >= 1:
        long_part, short_part = long_left, short_left
    elif not (long_left and short_left):
        long_part = rules[0].round_down(long_left * fraction)
        short_part = rules[1].round_down(short_left * fraction)
    elif rules[0].lot >= rules[1].lot:
        long_part = rules[0].round_down(long_left * fraction)
        short_part = min(short_left, rules[1].round_nearest(short_left * long_part / long_left))
    else:
        short_part = rules[1].round_down(short_left * fraction)
        long_part = min(long_left, rules[0].round_nearest(long_left * short_part / short_left))
    short_qty, dust = short_part, Decimal(0)
    if position.short.market == "spot" and short_part:
        short_qty, dust = buy_back(short_part, rules[1], short_fees)
    return CloseSizes(long_part, short_qty, dust, long_part, short_part)


def smallest(instrument: Instrument, price: Decimal) -> Decimal:
    """The smallest quantity a venue takes at this price: whole lots, minimum size and notional."""
    by_notional = Decimal(0)
    if instrument.min_notional and price > 0:
        lots = instrument.min_notional / price / instrument.lot
        by_notional = lots.quantize(Decimal(1), ROUND_CEILING) * instrument.lot
    return max(instrument.lot, instrument.round_up(instrument.min_qty), by_notional)
