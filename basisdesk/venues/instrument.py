"""What can be traded: instruments, legs by name, and the pair of a basis trade."""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Literal

import msgspec

Market = Literal["spot", "perp"]

TierUnit = Literal["quote", "base"]
STABLES = ("USDT", "USDC", "USD")
QUOTES = (
    "USDT",
    "USDC",
    "USDE",
    "USD1",
    "FDUSD",
    "TUSD",
    "EUR",
    "GBP",
    "BRL",
    "TRY",
    "USD",
    "BTC",
    "ETH",
    "BNB",
)

_SCALED = re.compile(r"(10{3,9})([A-Z][A-Z0-9]*)|([A-Z]{2,})(10{3,9})")
_ONE = Decimal(1)
_MILLION = re.compile(r"1M([A-Z][A-Z0-9]{2,})")  # Binance's 1MBABYDOGE
RENAMED = {"XBT": "BTC", "XDG": "DOGE"}  # Kraken's older names


class Tier(msgspec.Struct, frozen=True):
    """One risk tier: up to `limit` (inclusive; see Instrument.tiers_in) these margin rates hold."""

    limit: Decimal
    maintenance: Decimal  # fraction of the notional
    initial: Decimal
    leverage_max: Decimal
    deduction: Decimal = Decimal(0)


class FundingRule(msgspec.Struct, frozen=True):
    """How a venue makes its funding rate, and how it pays it.

    interest_8h_bp, clamp_bp: interest term for 8 hours and the clamp around the premium, bp.
    scale: "interval": F = P + clamp(I_interval - P); "8h": F = (P + clamp(I_8h - P)) / (8 / N);
        "24h": F = P / 24 an hour, no interest, no clamp (Kraken).
    pays: "snapshot": who holds at the stamp pays for all of it; "accrual": by the time held.
    on: the price it is paid on, "mark" or "index".
    """

    interest_8h_bp: float = 1.0
    clamp_bp: float = 5.0
    scale: Literal["interval", "8h", "24h"] = "interval"
    pays: Literal["snapshot", "accrual"] = "snapshot"
    on: Literal["mark", "index"] = "mark"


class Instrument(msgspec.Struct, frozen=True):
    """One tradable instrument. Sizes are in base coin after `multiplier`, prices in quote.

    key: the leg's name everywhere in the desk, "bybit:spot:ADAUSDT".
    multiplier: base coins in one unit of the venue's size (1000PEPE: 1000), applied once, in the
        codec.
    tiers_in: what the limits of `tiers` count, notional in quote or size in base coin.
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
    tiers_in: TierUnit = "quote"
    funding: FundingRule = FundingRule()

    def price(self, value: float) -> Decimal:
        """The exact decimal price a float64 stands for: the nearest tick."""
        return (Decimal(value) / self.tick).quantize(Decimal(1), ROUND_HALF_EVEN) * self.tick

    def size(self, value: float) -> Decimal:
        """The exact decimal size a float64 stands for: whole lots, rounded down.

        Read to 15 digits, all that a float64 holds of a decimal: contracts times their value may
        fall a hair short of a whole lot.
        """
        return self.round_down(Decimal(f"{value:.15g}"))

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
    unit: TierUnit = "quote"


def split_key(key: str) -> tuple[str, str, str]:
    """("bybit", "spot", "ADAUSDT") from "bybit:spot:ADAUSDT". Raises ValueError when malformed."""
    venue, market, symbol = key.split(":")
    if market not in ("spot", "perp") or not venue or not symbol:
        raise ValueError(f"leg {key!r} is not venue:spot|perp:SYMBOL")
    return venue, market, symbol


def venue_title(name: str) -> str:
    """A venue as it writes itself: "OKX" of "okx", "Bybit" of "bybit"."""
    return "OKX" if name == "okx" else name.capitalize()


def split_coin(coin: str) -> tuple[Decimal, str]:
    """(multiplier, coin) of a venue's coin name: (1000, "PEPE") of "1000PEPE", (1, "BTC")."""
    if "1" not in coin:  # nearly every coin
        return _ONE, coin
    if million := _MILLION.fullmatch(coin):
        return Decimal(1_000_000), million[1]
    found = _SCALED.fullmatch(coin)
    if found is None:
        return _ONE, coin
    return Decimal(found[1] or found[4]), found[2] or found[3]


def split_symbol(key: str) -> tuple[str, str]:
    """(base coin, quote currency) of a leg's name, by its venue's own way of naming.

    ("ADA", "USD") of "kraken:spot:ADA/USD" and "kraken:perp:PF_ADAUSD", ("PEPE", "USDT") of
    "binance:perp:1000PEPEUSDT", ("ADA", "USDT") of "okx:perp:ADA-USDT-SWAP". Raises ValueError.
    """
    _, _, symbol = split_key(key)
    for mark in "/-":
        if mark in symbol:
            base, quote = symbol.split(mark)[:2]
            return RENAMED.get(base, base), quote
    if symbol.startswith("PF_") and symbol.endswith("USD"):  # PF_DOTUSD is DOT, not DO in TUSD
        base = symbol[3:-3]
        return RENAMED.get(base, base), "USD"
    for quote in QUOTES:
        if symbol.endswith(quote) and symbol != quote:
            base = split_coin(symbol.removesuffix(quote))[1]
            return RENAMED.get(base, base), quote
    if symbol.endswith("PERP"):  # Bybit's USDC perpetuals
        return split_coin(symbol.removesuffix("PERP"))[1], "USDC"
    raise ValueError(f"leg {key!r} names no quote currency")
