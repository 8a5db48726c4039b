"""What can be traded: instruments, legs by name, and the pair of a basis trade."""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Literal

import msgspec

Market = Literal["spot", "perp"]

_SCALED = re.compile(r"(10{3,9})([A-Z][A-Z0-9]*)|([A-Z]{2,})(10{3,9})")


class Tier(msgspec.Struct, frozen=True):
    """One risk tier: up to `limit` notional (quote, inclusive) these margin rates hold."""

    limit: Decimal
    maintenance: Decimal  # fraction of the notional
    initial: Decimal
    leverage_max: Decimal
    deduction: Decimal = Decimal(0)


class Instrument(msgspec.Struct, frozen=True):
    """One tradable instrument. Sizes are in base coin after `multiplier`, prices in quote.

    key: the leg's name everywhere in the desk, "bybit:spot:ADAUSDT".
    multiplier: base coins in one unit of the venue's size (1000PEPE: 1000), applied once, in the
        codec.
    source: where the rules came from and when, shown beside them.
    """

    key: str
    venue: str
    market: Market
    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_qty: Decimal
    min_notional: Decimal
    max_qty: Decimal
    multiplier: Decimal = Decimal(1)
    leverage_max: Decimal = Decimal(1)
    funding_interval_h: Decimal = Decimal(0)
    tiers: tuple[Tier, ...] = ()
    source: str = ""

    def price(self, value: float) -> Decimal:
        """The exact decimal price a float64 stands for: the nearest tick."""
        return (Decimal(value) / self.tick).quantize(Decimal(1), ROUND_HALF_EVEN) * self.tick

    def size(self, value: float) -> Decimal:
        """The exact decimal size a float64 stands for: whole lots, rounded down."""
        return self.round_down(Decimal(value).quantize(Decimal("1e-9")))

    def round_down(self, qty: Decimal) -> Decimal:
        """Qty rounded down to whole lots."""
        return (qty / self.lot).quantize(Decimal(1), ROUND_FLOOR) * self.lot

    def round_up(self, qty: Decimal) -> Decimal:
        """Qty rounded up to whole lots."""
        return (qty / self.lot).quantize(Decimal(1), ROUND_CEILING) * self.lot

    def round_nearest(self, qty: Decimal) -> Decimal:
        """Qty rounded to the nearest whole lot, ties to even."""
        return (qty / self.lot).quantize(Decimal(1), ROUND_HALF_EVEN) * self.lot


class Instruments(msgspec.Struct, frozen=True):
    """A market event: the venue described these instruments (from REST)."""

    venue: str
    rows: tuple[Instrument, ...]


class Tiers(msgspec.Struct, frozen=True):
    """A market event: the venue described the risk tiers of one perpetual (from REST)."""

    instrument: str
    tiers: tuple[Tier, ...]


def split_key(key: str) -> tuple[str, str, str]:
    """("bybit", "spot", "ADAUSDT") from "bybit:spot:ADAUSDT". Raises ValueError when malformed."""
    venue, market, symbol = key.split(":")
    if market not in ("spot", "perp") or not venue or not symbol:
        raise ValueError(f"leg {key!r} is not venue:spot|perp:SYMBOL")
    return venue, market, symbol


def split_coin(coin: str) -> tuple[Decimal, str]:
    """(multiplier, coin) of a venue's coin name: (1000, "PEPE") of "1000PEPE", (1, "BTC")."""
    found = _SCALED.fullmatch(coin)
    if found is None:
        return Decimal(1), coin
    return Decimal(found[1] or found[4]), found[2] or found[3]
