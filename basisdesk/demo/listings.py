"""What each simulated venue lists: names, ticks, lots, limits, tiers and funding intervals.

Names follow each venue's own way (docs read 2026-07..09): Bybit SHIB1000USDT, Binance
1000PEPEUSDT and 1MBABYDOGEUSDT, OKX one price for one coin with a contract value, Kraken XBT in
futures. Ticks, lots and limits of the five calibrated coins on Bybit are its instruments
page's of 2026-08-09, tiers of BTC and ADA its risk-limit page's of 2026-08-05 (each deduction
follows from the tier before; steps between the published rows are filled in so that they do). All
the other figures are derived from a coin's price and class of size: plausible, nobody's.
"""

import math
from decimal import Decimal
from functools import cache
from typing import Literal, NamedTuple

from basisdesk.demo.coins import BY_NAME, CALIBRATED, COINS, Coin
from basisdesk.demo.places import PLACES, Place, funding_hours
from basisdesk.demo.wire import Spec

Market = Literal["spot", "perp"]
MARKETS: tuple[Market, ...] = ("spot", "perp")
TICK_SHARE = 1.3e-4  # a tick is at most this share of the price
MIN_COST_USD = {"bybit": "5", "binance": "5", "okx": "0", "kraken": "0.5"}

_SCALED: dict[str, dict[str, tuple[str, int]]] = {  # of perpetuals, and of Binance's BABYDOGE spot
    "bybit": {
        "PEPE": ("1000PEPE", 1000),
        "SHIB": ("SHIB1000", 1000),
        "BONK": ("1000BONK", 1000),
        "FLOKI": ("1000FLOKI", 1000),
        "BABYDOGE": ("1000000BABYDOGE", 1_000_000),
    },
    "binance": {
        "PEPE": ("1000PEPE", 1000),
        "SHIB": ("1000SHIB", 1000),
        "BONK": ("1000BONK", 1000),
        "FLOKI": ("1000FLOKI", 1000),
        "BABYDOGE": ("1MBABYDOGE", 1_000_000),
    },
}
_NOT_LISTED = {
    "bybit": {"USDT"},
    "binance": {"USDT", "MNT"},
    "okx": {"USDT", "SYRUP", "POLYX"},
    "kraken": {"BABYDOGE", "MNT", "SC", "BAND", "VIRTUAL"},
}
_TICKS = {  # decimals of (spot, perp) where the rule of thumb misses the venues' own
    "BTC": {"kraken": (1, 0), "": (1, 1)},
    "ETH": {"kraken": (2, 1), "": (2, 2)},
    "USDC": {"": (4, 4), "kraken": (4, 4)},
    "USDT": {"": (5, 5), "kraken": (5, 5)},
}
_BYBIT_DIGITS = {"BTC": 2, "BNB": 2}  # linear prints more digits than its tick has
_BYBIT_LOTS = {"BTC": (6, 3), "ETH": (5, 2), "BNB": (4, 2), "DOGE": (1, 0), "ADA": (2, 0)}
_OKX_VALUES = {"BTC": 0.01}
_CAPS = {
    "bybit": {"XL": 0.005, "L": 0.0058, "M": 0.01, "S": 0.02},
    "binance": {"XL": 0.003, "L": 0.0075, "M": 0.02, "S": 0.02},
    "okx": {"XL": 0.00375, "L": 0.0075, "M": 0.01, "S": 0.015},
    "kraken": {"XL": 0.0025, "L": 0.0025, "M": 0.0025, "S": 0.0025},
}
_ORDER_USD = {"XL": 1e7, "L": 1e6, "M": 4e5, "S": 1.2e5}  # largest market order

# (limit USDT, maintenance, initial, largest leverage) by class of size
_LADDERS: dict[str, tuple[tuple[int, str, str, str], ...]] = {
    "XL": (
        (2_000_000, "0.005", "0.01", "100.00"),
        (2_600_000, "0.0056", "0.0111", "90.00"),
        (3_200_000, "0.0063", "0.0125", "80.00"),
        (8_500_000, "0.01", "0.02", "50.00"),
        (20_000_000, "0.016", "0.0285", "35.00"),
        (100_000_000, "0.065", "0.1", "10.00"),
    ),
    "L": (
        (200_000, "0.0075", "0.0133", "75.00"),
        (300_000, "0.01", "0.02", "50.00"),
        (500_000, "0.015", "0.03", "33.33"),
        (900_000, "0.02", "0.04", "25.00"),
        (2_100_000, "0.025", "0.05", "20.00"),
        (3_300_000, "0.05", "0.1", "10.00"),
    ),
    "M": (
        (300_000, "0.01", "0.02", "50.00"),
        (500_000, "0.015", "0.03", "33.33"),
        (900_000, "0.02", "0.04", "25.00"),
        (2_100_000, "0.025", "0.05", "20.00"),
        (3_300_000, "0.05", "0.1", "10.00"),
    ),
    "S": (
        (60_000, "0.02", "0.04", "25.00"),
        (200_000, "0.025", "0.05", "20.00"),
        (600_000, "0.05", "0.1", "10.00"),
        (1_200_000, "0.1", "0.2", "5.00"),
    ),
}
_KRAKEN_LADDERS: dict[str, tuple[tuple[int, str, str, str], ...]] = {
    "XL": (
        (1_000_000, "0.01", "0.02", "50"),
        (5_000_000, "0.025", "0.05", "20"),
        (20_000_000, "0.05", "0.1", "10"),
    ),
    "L": (
        (250_000, "0.01", "0.02", "50"),
        (1_000_000, "0.025", "0.05", "20"),
        (3_000_000, "0.1", "0.2", "5"),
    ),
    "M": ((150_000, "0.02", "0.04", "25"), (1_000_000, "0.05", "0.1", "10")),
    "S": ((50_000, "0.05", "0.1", "10"), (400_000, "0.1", "0.2", "5")),
}
_LIMIT_FACTOR = {"bybit": 1, "binance": 2, "okx": 1, "kraken": 1}
_DEDUCTS = {"bybit", "binance"}  # OKX and Kraken hold the whole position at one tier


class _Size(NamedTuple):
    """How a venue counts a coin's size: coins per unit, and the lot in those units."""

    unit: float
    price_unit: int
    lot: str
    decimals: int


@cache
def specs_of(venue: str, market: Market) -> tuple[Spec, ...]:
    """Every instrument a venue lists in a market, in the order of the coins."""
    found = (spec_of(venue, market, coin) for coin in COINS)
    return tuple(spec for spec in found if spec is not None)


@cache
def by_symbol(venue: str, market: Market) -> dict[str, Spec]:
    """The same, by symbol."""
    return {spec.symbol: spec for spec in specs_of(venue, market)}


def spec_of(venue: str, market: Market, coin: Coin) -> Spec | None:
    """The instrument, or None where the venue does not list it."""
    place = PLACES[venue]
    if coin.name in _NOT_LISTED[venue] or (market == "perp" and coin.kind == "money"):
        return None
    size = _size(venue, market, coin)
    price = coin.price * size.price_unit
    ticks = _tick_decimals(venue, market, coin, price)
    digits = _BYBIT_DIGITS.get(coin.name, ticks) if (venue, market) == ("bybit", "perp") else ticks
    lot_usd = float(size.lot) * size.unit * coin.price
    floor = 5.0 if (venue, market) == ("kraken", "spot") else 0.0
    perp = market == "perp"
    return Spec(
        venue=venue,
        market=market,
        symbol=_symbol(venue, market, coin),
        base=coin.name,
        quote=place.quote if coin.name != "USDT" else "USD",
        unit=size.unit,
        price_unit=float(size.price_unit),
        tick=f"{10.0**-ticks:.{digits}f}",
        lot=size.lot,
        tick_decimals=digits,
        lot_decimals=size.decimals,
        min_lots=max(1, math.ceil(floor / lot_usd)),
        min_notional=MIN_COST_USD[venue],
        max_lots=int(_rounded(_ORDER_USD[coin.size] / lot_usd)),
        leverage_max=_leverage(venue, coin) if perp else "1",
        interval_h=funding_hours(place, coin, usual=coin in CALIBRATED) if perp else 0,
        funding_cap=_CAPS[venue][coin.size] if perp else 0.0,
        sector=coin.sector,
        tiers=_tiers(venue, coin) if perp else (),
    )


def _symbol(venue: str, market: Market, coin: Coin) -> str:
    if venue == "okx":
        return f"{coin.name}-USDT-SWAP" if market == "perp" else f"{coin.name}-USDT"
    if venue == "kraken":
        base = "XBT" if coin.name == "BTC" else coin.name
        return f"PF_{base}USD" if market == "perp" else f"{coin.name}/USD"
    return f"{_scaled(venue, market, coin)[0]}USDT"


def _scaled(venue: str, market: Market, coin: Coin) -> tuple[str, int]:
    if market == "spot" and (venue, coin.name) != ("binance", "BABYDOGE"):
        return coin.name, 1
    return _SCALED.get(venue, {}).get(coin.name, (coin.name, 1))


def _size(venue: str, market: Market, coin: Coin) -> _Size:
    scale = _scaled(venue, market, coin)[1]
    price = coin.price * scale
    spot = max(0, min(6, math.ceil(math.log10(price / 0.05))))
    perp = max(0, round(math.log10(price)) - 1)
    if venue in ("bybit", "binance"):
        fine = _BYBIT_LOTS.get(coin.name, (spot, perp))
        decimals = fine[market == "perp"]
        if (venue, market) == ("binance", "spot"):
            decimals = max(0, decimals - 1)
        return _Size(float(scale), scale, _step(decimals), decimals)
    if market == "spot":
        decimals = min(8, spot + (1 if venue == "okx" else 4))
        return _Size(1.0, 1, _step(decimals), decimals)
    if venue == "okx":
        value = _OKX_VALUES.get(coin.name) or 10.0 ** round(math.log10(100.0 / coin.price))
        decimals = 2 if coin.size == "XL" else 1
        return _Size(value, 1, _step(decimals), decimals)
    if price < 0.001:
        return _Size(1.0, 1, "1000", 0)
    decimals = perp + 1 if price > 10.0 else 0
    return _Size(1.0, 1, _step(decimals), decimals)


def _tick_decimals(venue: str, market: Market, coin: Coin, price: float) -> int:
    own = _TICKS.get(coin.name)
    if own is not None:
        return own.get(venue, own[""])[market == "perp"]
    decimals = max(0, math.ceil(-math.log10(price * TICK_SHARE)))
    return decimals + 1 if venue == "kraken" else decimals


def _leverage(venue: str, coin: Coin) -> str:
    most = (_KRAKEN_LADDERS if venue == "kraken" else _LADDERS)[coin.size][0][3]
    return most if venue in ("bybit", "kraken") else str(int(float(most)))


def _tiers(venue: str, coin: Coin) -> tuple[tuple[str, str, str, str, str], ...]:
    rows = (_KRAKEN_LADDERS if venue == "kraken" else _LADDERS)[coin.size]
    out: list[tuple[str, str, str, str, str]] = []
    deduction, below, before = Decimal(0), Decimal(0), Decimal(0)
    for limit, maintenance, initial, leverage in rows:
        rate, top = Decimal(maintenance), Decimal(limit * _LIMIT_FACTOR[venue])
        if venue in _DEDUCTS and out:
            deduction += below * (rate - before)
        below, before = top, rate
        most = leverage if venue in ("bybit", "kraken") else str(int(float(leverage)))
        out.append((f"{top:f}", maintenance, initial, most, f"{deduction.normalize():f}"))
    return tuple(out)


def _rounded(value: float) -> float:
    """Two digits of it, at least 1."""
    if value < 10.0:
        return max(1.0, round(value))
    scale = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(value / scale) * scale


def _step(decimals: int) -> str:
    return f"{10.0**-decimals:.{decimals}f}"


def coin_of(spec: Spec) -> Coin:
    """The simulated coin behind an instrument."""
    return BY_NAME[spec.base]


def place_of(spec: Spec) -> Place:
    """The simulated venue of an instrument."""
    return PLACES[spec.venue]
