"""Risk tiers of Binance USD-M perpetuals: a dated table, because the venue's own needs a key.

Figures: leverage tiers as bundled by freqtrade in 2024-10 (commit c9ae5e1), the first three of each
contract. They change, so an instrument's source says how old they are. What lies beyond them, and
every contract not listed, is the house's own cautious assumption: 5 % maintenance, 10x.
"""

from decimal import ROUND_CEILING, Decimal

from basisdesk.venues.instrument import Tier

TIERS_OF = "tiers of 2024-10"
ASSUMED = "tiers assumed (the venue's need a key)"

# Notional in USDT up to which it holds, maintenance margin rate, largest leverage; lowest first.
_ROWS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "BTCUSDT": (("50000", "0.004", "125"), ("600000", "0.005", "100"), ("3000000", "0.0065", "75")),
    "ETHUSDT": (("50000", "0.004", "125"), ("600000", "0.005", "100"), ("3000000", "0.0065", "75")),
    "SOLUSDT": (("20000", "0.005", "100"), ("100000", "0.0065", "75"), ("800000", "0.01", "50")),
    "ADAUSDT": (("10000", "0.005", "75"), ("50000", "0.01", "50"), ("100000", "0.015", "40")),
    "OPUSDT": (("10000", "0.006", "75"), ("50000", "0.01", "50"), ("80000", "0.015", "40")),
    "DOGEUSDT": (("10000", "0.005", "75"), ("50000", "0.007", "50"), ("750000", "0.01", "40")),
    "1000PEPEUSDT": (
        ("20000", "0.0065", "75"),
        ("200000", "0.01", "50"),
        ("300000", "0.015", "40"),
    ),
}
_BEYOND = ("100000000", "0.05", "10")  # the house's own, not the venue's
_SIX_PLACES = Decimal("0.000001")


def _ladder(rows: tuple[tuple[str, str, str], ...]) -> tuple[Tier, ...]:
    # cum_n = floor_n * (m_n - m_n-1) + cum_n-1: margin is continuous where tiers meet.
    tiers, floor, before, cum = [], Decimal(0), Decimal(0), Decimal(0)
    for limit, maintenance, leverage in rows:
        rate, most = Decimal(maintenance), Decimal(leverage)
        cum += floor * (rate - before)
        initial = (1 / most).quantize(_SIX_PLACES, ROUND_CEILING)
        tiers.append(Tier(Decimal(limit), rate, initial, most, cum))
        floor, before = Decimal(limit), rate
    return tuple(tiers)


_TIERS = {symbol: _ladder((*rows, _BEYOND)) for symbol, rows in _ROWS.items()}
_DEFAULT = _ladder((_BEYOND,))


def tiers_of(symbol: str) -> tuple[tuple[Tier, ...], str]:
    """(tiers by notional in quote currency, what they are) of a perpetual."""
    found = _TIERS.get(symbol)
    return (found, TIERS_OF) if found else (_DEFAULT, ASSUMED)
