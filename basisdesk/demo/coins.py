"""The simulated coins: how each moves, how deep and busy its books are, in which sector it is.

Five coins are calibrated one by one: premium levels and deviations are those fitted to Binance
history (2021 and 2025); spot volatility, effective perp spreads and the depth anchor come from the
literature; prices at the epoch, open interest, turnover and order rates are plain assumptions. The
others are rows of a table with a class of size, from which everything else is derived; their
prices and volatilities are plausible, not fitted, and their sectors follow common usage in 2026.
What a venue makes of a coin (ticks, lots, tiers, names) is in `listings.py`.
"""

from typing import Literal, NamedTuple
from zlib import crc32

Preset = Literal["mania", "calm", "mixed"]
MIXED_CALM_SHARE = 0.85  # "mixed" spends this share of the time in the calm state
MANIA_SLOW_SD_BP = 1.8
INTEREST_8H = 0.0001  # 0.03 % a day

Three = tuple[float, float, float]


class Mood(NamedTuple):
    """One state of the premium: the level it relaxes to and its deviations, all bp."""

    level_bp: float
    slow_sd_bp: float
    fast_sd_bp: float
    weight: float  # share of the time


class Coin(NamedTuple):
    """One coin. Prices in USDT for one coin, times in hours, pairs are (spot, perp).

    kind: "money" is a currency of the cross rates: no walk, no perpetual.
    size: "XL" to "S", the class that a venue's tiers and limits follow.
    """

    name: str
    price: float  # at the epoch
    sd_year: float  # of the log price
    sector: str
    size: str
    mania: tuple[Three, Three, Three]  # levels, weights, fast deviations of three moods
    calm: Three  # level, slow sd, fast sd
    fast_half_life_h: float
    spread_bp: tuple[float, float]
    depth_usd: tuple[float, float]  # notional within 0.3 bp of the touch
    trades_per_s: tuple[float, float]
    turnover_day: tuple[float, float]  # USDT
    open_interest_usd: float
    interest: float = INTEREST_8H  # per 8 h; 0 where the premium was fitted to such a contract
    kind: Literal["coin", "money"] = "coin"

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


CALIBRATED: tuple[Coin, ...] = (
    Coin(
        name="BTC", price=86_720.0, sd_year=0.50, sector="L1", size="XL",
        mania=((-4.8, 4.5, 17.0), (0.30, 0.50, 0.20), (2.0, 3.3, 5.5)), calm=(-4.3, 0.7, 0.8),
        fast_half_life_h=1.68, spread_bp=(0.11, 0.11), depth_usd=(250_000.0, 500_000.0),
        trades_per_s=(4.0, 12.0), turnover_day=(1.2e9, 6.0e9), open_interest_usd=4.0e9,
    ),
    Coin(
        name="ETH", price=2_950.0, sd_year=0.60, sector="L1", size="XL",
        mania=((-4.5, 4.5, 20.0), (0.28, 0.47, 0.25), (2.3, 4.0, 6.5)), calm=(-4.3, 0.7, 0.9),
        fast_half_life_h=2.34, spread_bp=(0.18, 0.18), depth_usd=(170_000.0, 350_000.0),
        trades_per_s=(3.0, 8.0), turnover_day=(7.0e8, 3.5e9), open_interest_usd=2.2e9,
    ),
    Coin(
        name="BNB", price=845.0, sd_year=1.00, sector="L1", size="M",
        mania=((-8.0, 3.5, 20.0), (0.25, 0.53, 0.22), (5.0, 7.0, 10.0)), calm=(0.1, 3.7, 3.1),
        fast_half_life_h=2.26, spread_bp=(0.66, 0.44), depth_usd=(25_000.0, 50_000.0),
        trades_per_s=(1.0, 2.0), turnover_day=(8.0e7, 3.0e8), open_interest_usd=2.5e8,
        interest=0.0,
    ),
    Coin(
        name="DOGE", price=0.16, sd_year=1.00, sector="Meme", size="L",
        mania=((-5.0, 5.0, 22.0), (0.25, 0.50, 0.25), (6.0, 9.0, 14.0)), calm=(-4.6, 0.6, 1.4),
        fast_half_life_h=2.5, spread_bp=(2.02, 1.35), depth_usd=(12_000.0, 25_000.0),
        trades_per_s=(1.5, 3.0), turnover_day=(9.0e7, 4.0e8), open_interest_usd=3.0e8,
    ),
    Coin(
        name="ADA", price=0.80, sd_year=1.00, sector="L1", size="L",
        mania=((-5.5, 5.0, 20.0), (0.27, 0.48, 0.25), (4.0, 6.0, 9.0)), calm=(-5.2, 1.4, 2.2),
        fast_half_life_h=3.5, spread_bp=(3.18, 2.12), depth_usd=(8_000.0, 16_000.0),
        trades_per_s=(1.0, 2.0), turnover_day=(5.0e7, 2.0e8), open_interest_usd=1.6e8,
    ),
)  # fmt: skip


class _Size(NamedTuple):
    """What coins of one class have in common; pairs are (spot, perp)."""

    spread_bp: tuple[float, float]
    depth_usd: tuple[float, float]
    trades_per_s: tuple[float, float]
    turnover_day: tuple[float, float]
    open_interest_usd: float
    calm_bp: Three
    fast_bp: Three  # of the three manic moods


_SIZES: dict[str, _Size] = {
    "XL": _Size((0.4, 0.3), (80_000, 160_000), (2.0, 5.0), (4e8, 2e9), 1.2e9, (-4.4, 0.8, 1.1),
                (3.0, 4.5, 7.0)),
    "L": _Size((1.8, 1.2), (15_000, 30_000), (1.2, 2.5), (8e7, 3.5e8), 2.5e8, (-4.7, 1.0, 1.6),
               (4.5, 6.5, 10.0)),
    "M": _Size((3.2, 2.2), (6_000, 12_000), (0.8, 1.6), (3e7, 1.2e8), 8e7, (-5.0, 1.4, 2.2),
               (5.5, 8.0, 12.0)),
    "S": _Size((5.5, 4.0), (2_500, 5_000), (0.4, 0.9), (8e6, 4e7), 2.5e7, (-5.4, 1.9, 3.2),
               (7.0, 10.0, 15.0)),
}  # fmt: skip
_MANIA_LEVELS, _MANIA_WEIGHTS = (-5.2, 5.0, 21.0), (0.26, 0.50, 0.24)

# Name, price in USDT, yearly deviation of the log price, sector, size.
_TABLE = """
SOL 138.2 0.85 L1 XL
AVAX 14.6 0.95 L1 L
DOT 2.31 0.95 L1 M
NEAR 1.92 1.00 L1 M
APT 2.48 1.05 L1 M
SUI 1.56 1.05 L1 L
ATOM 2.45 0.90 L1 M
TRX 0.281 0.55 L1 L
TON 1.52 0.90 L1 M
HBAR 0.136 1.00 L1 M
ARB 0.213 1.05 L2 M
OP 0.308 1.10 L2 M
STRK 0.112 1.20 L2 S
POL 0.128 1.00 L2 M
MNT 1.03 0.90 L2 S
IMX 0.287 1.10 L2 S
UNI 5.94 1.00 DeFi M
AAVE 182.4 0.95 DeFi L
CRV 0.384 1.10 DeFi M
LDO 0.613 1.05 DeFi S
PENDLE 2.17 1.10 DeFi S
JUP 0.221 1.10 DeFi S
ENA 0.252 1.25 DeFi M
SHIB 0.00000843 1.00 Meme L
PEPE 0.00000452 1.20 Meme L
WIF 0.371 1.35 Meme M
BONK 0.00000956 1.25 Meme M
FLOKI 0.0000463 1.20 Meme S
BABYDOGE 0.00000000118 1.30 Meme S
FET 0.241 1.20 AI M
TAO 287.5 1.05 AI M
RENDER 1.73 1.10 AI S
WLD 0.612 1.20 AI M
VIRTUAL 0.874 1.40 AI S
SAND 0.152 1.05 Gaming S
MANA 0.158 1.05 Gaming S
AXS 1.04 1.05 Gaming S
GALA 0.00716 1.15 Gaming S
XRP 2.04 0.85 Payments XL
XLM 0.241 0.90 Payments M
LTC 84.1 0.80 Payments L
BCH 548.0 0.80 Payments M
FIL 1.58 0.95 Storage M
AR 4.03 1.10 Storage S
STORJ 0.146 1.10 Storage S
SC 0.00184 1.15 Storage S
LINK 13.1 0.90 Oracle L
PYTH 0.0731 1.15 Oracle S
API3 0.512 1.15 Oracle S
BAND 0.421 1.10 Oracle S
ONDO 0.487 1.10 RWA M
OM 0.0712 1.30 RWA S
POLYX 0.0641 1.10 RWA S
SYRUP 0.271 1.15 RWA S
"""
# Came later: they stand behind the currencies, for a coin's number seeds its path.
_LATER = """
INJ 5.12 1.10 DeFi M
TIA 0.552 1.15 L1 M
SEI 0.124 1.15 L1 M
"""


def _derived(row: str) -> Coin:
    """A coin of the table: its class, varied by its name so that no two are twins."""
    name, price, sd_year, sector, size = row.split()
    usual = _SIZES[size]
    own = crc32(name.encode()) % 1000 / 1000.0  # 0 .. 1, for ever the same
    more = 0.75 + 0.5 * own
    level, slow, fast = usual.calm_bp
    levels = tuple(value + (own - 0.5) for value in _MANIA_LEVELS)
    return Coin(
        name=name,
        price=float(price),
        sd_year=float(sd_year),
        sector=sector,
        size=size,
        mania=((levels[0], levels[1], levels[2]), _MANIA_WEIGHTS, usual.fast_bp),
        calm=(level + 1.6 * (own - 0.5), slow * more, fast * more),
        fast_half_life_h=1.8 + 2.0 * own,
        spread_bp=(usual.spread_bp[0] * more, usual.spread_bp[1] * more),
        depth_usd=(usual.depth_usd[0] / more, usual.depth_usd[1] / more),
        trades_per_s=(usual.trades_per_s[0] / more, usual.trades_per_s[1] / more),
        turnover_day=(usual.turnover_day[0] / more, usual.turnover_day[1] / more),
        open_interest_usd=usual.open_interest_usd / more,
    )


def _money(name: str, spread_bp: float) -> Coin:
    """A currency that others are valued by, traded on spot markets only."""
    return Coin(
        name=name,
        price=1.0,
        sd_year=0.0,
        sector="Stable",
        size="XL",
        mania=((0.0, 0.0, 0.0), _MANIA_WEIGHTS, (0.0, 0.0, 0.0)),
        calm=(0.0, 0.0, 0.0),
        fast_half_life_h=1.0,
        spread_bp=(spread_bp, spread_bp),
        depth_usd=(400_000.0, 400_000.0),
        trades_per_s=(0.6, 0.6),
        turnover_day=(1.5e8, 1.5e8),
        open_interest_usd=0.0,
        kind="money",
    )


COINS: tuple[Coin, ...] = (
    *CALIBRATED,
    *map(_derived, _TABLE.strip().splitlines()),
    _money("USDC", 1.0),
    _money("USDT", 0.3),
    *map(_derived, _LATER.strip().splitlines()),
)
BY_NAME: dict[str, Coin] = {coin.name: coin for coin in COINS}
NUMBER: dict[str, int] = {coin.name: number for number, coin in enumerate(COINS)}
SECTORS: tuple[str, ...] = tuple(dict.fromkeys(coin.sector for coin in COINS if coin.sd_year))
