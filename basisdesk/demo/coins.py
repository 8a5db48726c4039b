"""The simulated coins: how each moves, what its book looks like, and its trading rules.

Premium levels and deviations are those fitted to Binance history (2021 and 2025); spot volatility,
effective perp spreads and the depth anchor come from the literature; prices at the epoch, open
interest, turnover and order rates are plain assumptions. Ticks, lots and limits are Bybit's, read
from its instruments page of 2026-08-09; tiers of BTC and ADA from its risk-limit page of
2026-08-05 (each deduction follows from the tier before; the steps between the published rows are
filled in so that they do), the other coins' tiers are derived from those.
"""

from typing import Literal, NamedTuple

Preset = Literal["mania", "calm", "mixed"]
MIXED_CALM_SHARE = 0.85  # "mixed" spends this share of the time in the calm state
MANIA_SLOW_SD_BP = 1.8
INTEREST_8H = 0.0001  # Bybit: 0.03 % a day
CLAMP = 0.0005


class Mood(NamedTuple):
    """One state of the premium: the level it relaxes to and its deviations, all bp."""

    level_bp: float
    slow_sd_bp: float
    fast_sd_bp: float
    weight: float  # share of the time


class Tier(NamedTuple):
    """One risk tier: notional up to `limit` USDT; fractions of the notional."""

    limit: int
    maintenance: str
    initial: str
    leverage_max: str
    deduction: str


class Coin(NamedTuple):
    """One coin and its two instruments. Prices in USDT, sizes in coins, times in hours."""

    name: str
    price: float  # at the epoch
    sd_year: float  # of the log price
    mania: tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
    calm: tuple[float, float, float]  # level, slow sd, fast sd
    fast_half_life_h: float
    spread_bp: tuple[float, float]  # spot, perp
    depth_usd: tuple[float, float]  # notional within 0.3 bp of the touch, spot and perp
    trades_per_s: tuple[float, float]
    turnover_day: tuple[float, float]  # USDT
    open_interest_usd: float
    tick_decimals: int  # tick = 10 ** -tick_decimals, the same on both legs
    price_decimals: int  # digits that the linear market prints
    spot_lot_decimals: int
    perp_lot_decimals: int
    funding_cap: float
    leverage_max: str
    max_qty: tuple[str, str]  # one order, spot and perp
    max_market_qty: tuple[str, str]
    tiers: tuple[Tier, ...]
    symbol_id: tuple[int, int]
    launched_ms: int
    interest: float = INTEREST_8H  # per 8 h; 0 where the premium was fitted to such a contract

    @property
    def symbol(self) -> str:
        """The venue's symbol, the same on both markets."""
        return f"{self.name}USDT"

    def moods(self, preset: Preset) -> tuple[Mood, ...]:
        """The premium's states under a preset, weights adding up to 1."""
        level, slow, fast = self.calm
        rest = Mood(level, slow, fast, 1.0)
        if preset == "calm":
            return (rest,)
        levels, weights, fasts = self.mania
        hot = [
            Mood(*row) for row in zip(levels, (MANIA_SLOW_SD_BP,) * 3, fasts, weights, strict=True)
        ]
        if preset == "mania":
            return tuple(hot)
        share = 1.0 - MIXED_CALM_SHARE
        return (
            rest._replace(weight=MIXED_CALM_SHARE),
            *(mood._replace(weight=mood.weight * share) for mood in hot),
        )


_BTC_TIERS = (
    Tier(2_000_000, "0.005", "0.01", "100.00", ""),
    Tier(2_600_000, "0.0056", "0.0111", "90.00", "1200"),
    Tier(3_200_000, "0.0063", "0.0125", "80.00", "3020"),
    Tier(8_500_000, "0.01", "0.02", "50.00", "14860"),
    Tier(20_000_000, "0.016", "0.0285", "35.00", "65860"),
    Tier(100_000_000, "0.065", "0.1", "10.00", "1045860"),
)
_ADA_TIERS = (
    Tier(200_000, "0.0075", "0.0133", "75.00", ""),
    Tier(300_000, "0.01", "0.02", "50.00", "500"),
    Tier(500_000, "0.015", "0.03", "33.33", "2000"),
    Tier(900_000, "0.02", "0.04", "25.00", "4500"),
    Tier(2_100_000, "0.025", "0.05", "20.00", "9000"),
    Tier(3_300_000, "0.05", "0.1", "10.00", "61500"),
)
_BNB_TIERS = (
    Tier(300_000, "0.01", "0.02", "50.00", ""),
    Tier(500_000, "0.015", "0.03", "33.33", "1500"),
    Tier(900_000, "0.02", "0.04", "25.00", "4000"),
    Tier(2_100_000, "0.025", "0.05", "20.00", "8500"),
    Tier(3_300_000, "0.05", "0.1", "10.00", "61000"),
)

COINS: tuple[Coin, ...] = (
    Coin(
        name="BTC", price=86_720.0, sd_year=0.50,
        mania=((-4.8, 4.5, 17.0), (0.30, 0.50, 0.20), (2.0, 3.3, 5.5)), calm=(-4.3, 0.7, 0.8),
        fast_half_life_h=1.68, spread_bp=(0.11, 0.11), depth_usd=(250_000.0, 500_000.0),
        trades_per_s=(4.0, 12.0), turnover_day=(1.2e9, 6.0e9), open_interest_usd=4.0e9,
        tick_decimals=1, price_decimals=2, spot_lot_decimals=6, perp_lot_decimals=3,
        funding_cap=0.005, leverage_max="100.00", max_qty=("230", "1500.000"),
        max_market_qty=("120", "150.000"), tiers=_BTC_TIERS, symbol_id=(9, 5),
        launched_ms=1_584_230_400_000,
    ),
    Coin(
        name="ETH", price=2_950.0, sd_year=0.60,
        mania=((-4.5, 4.5, 20.0), (0.28, 0.47, 0.25), (2.3, 4.0, 6.5)), calm=(-4.3, 0.7, 0.9),
        fast_half_life_h=2.34, spread_bp=(0.18, 0.18), depth_usd=(170_000.0, 350_000.0),
        trades_per_s=(3.0, 8.0), turnover_day=(7.0e8, 3.5e9), open_interest_usd=2.2e9,
        tick_decimals=2, price_decimals=2, spot_lot_decimals=5, perp_lot_decimals=2,
        funding_cap=0.005, leverage_max="100.00", max_qty=("8118", "10000.00"),
        max_market_qty=("2706", "2000.00"), tiers=_BTC_TIERS, symbol_id=(10, 6),
        launched_ms=1_615_766_400_000,
    ),
    Coin(
        name="BNB", price=845.0, sd_year=1.00,
        mania=((-8.0, 3.5, 20.0), (0.25, 0.53, 0.22), (5.0, 7.0, 10.0)), calm=(0.1, 3.7, 3.1),
        fast_half_life_h=2.26, spread_bp=(0.66, 0.44), depth_usd=(25_000.0, 50_000.0),
        trades_per_s=(1.0, 2.0), turnover_day=(8.0e7, 3.0e8), open_interest_usd=2.5e8,
        tick_decimals=1, price_decimals=2, spot_lot_decimals=4, perp_lot_decimals=2,
        funding_cap=0.01, leverage_max="50.00", max_qty=("2200", "940.00"),
        max_market_qty=("1100", "370.00"), tiers=_BNB_TIERS, symbol_id=(200, 36),
        launched_ms=1_624_951_080_000, interest=0.0,
    ),
    Coin(
        name="DOGE", price=0.16, sd_year=1.00,
        mania=((-5.0, 5.0, 22.0), (0.25, 0.50, 0.25), (6.0, 9.0, 14.0)), calm=(-4.6, 0.6, 1.4),
        fast_half_life_h=2.5, spread_bp=(2.02, 1.35), depth_usd=(12_000.0, 25_000.0),
        trades_per_s=(1.5, 3.0), turnover_day=(9.0e7, 4.0e8), open_interest_usd=3.0e8,
        tick_decimals=5, price_decimals=5, spot_lot_decimals=1, perp_lot_decimals=0,
        funding_cap=0.0058, leverage_max="75.00", max_qty=("14000000", "43678900"),
        max_market_qty=("6800000", "5991100"), tiers=_ADA_TIERS, symbol_id=(18, 33),
        launched_ms=1_622_630_640_000,
    ),
    Coin(
        name="ADA", price=0.80, sd_year=1.00,
        mania=((-5.5, 5.0, 20.0), (0.27, 0.48, 0.25), (4.0, 6.0, 9.0)), calm=(-5.2, 1.4, 2.2),
        fast_half_life_h=3.5, spread_bp=(3.18, 2.12), depth_usd=(8_000.0, 16_000.0),
        trades_per_s=(1.0, 2.0), turnover_day=(5.0e7, 2.0e8), open_interest_usd=1.6e8,
        tick_decimals=4, price_decimals=4, spot_lot_decimals=2, perp_lot_decimals=0,
        funding_cap=0.0058, leverage_max="75.00", max_qty=("7600000", "1500000"),
        max_market_qty=("1500000", "590000"), tiers=_ADA_TIERS, symbol_id=(33, 27),
        launched_ms=1_610_668_800_000,
    ),
)  # fmt: skip

BY_SYMBOL: dict[str, Coin] = {coin.symbol: coin for coin in COINS}
