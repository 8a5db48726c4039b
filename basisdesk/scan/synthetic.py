"""A whole universe made up by a fixed law, for the bench and for tests of the scanner's pace.

Every coin of the settings on every venue of theirs, spot and perpetual, with depth and two days of
settled funding. It looks like a market and means nothing.
"""

import math
from typing import TYPE_CHECKING

from basisdesk.events import ScanBook, ScanPage, ScanPast, ScanRow
from basisdesk.market.state import Market

if TYPE_CHECKING:
    from basisdesk.config import Settings

HOUR_MS = 3_600_000
LEVELS = 50
SETTLED = 60
_NAMES = {
    "binance": ("{}USDT", "{}USDT"),
    "bybit": ("{}USDT", "{}USDT"),
    "okx": ("{}-USDT", "{}-USDT-SWAP"),
    "kraken": ("{}/USD", "PF_{}USD"),
}


def synthetic_market(settings: "Settings", t_ns: int, beat: int = 0) -> Market:
    """A market whose universe is full at t_ns."""
    market = Market(settings)
    feed(market, t_ns, beat)
    for place, key in enumerate(market.universe.legs):
        market.apply_all([_book(market, key, place)], t_ns)
        market.apply_all([_past(key, place, t_ns // 1_000_000)], t_ns)
    return market


def feed(market: Market, t_ns: int, beat: int) -> None:
    """The pages of one round of polling; prices and rates move with each beat."""
    now_ms = t_ns // 1_000_000
    cross = ScanRow("kraken:spot:USDT/USD", 0.9996, 1e6, 0.9998, 1e6)
    market.apply_all([ScanPage("kraken", (cross,))], t_ns)
    for number, venue in enumerate(market.settings.scanner.venues):
        spots, perps = [], []
        for place, coin in enumerate(market.settings.scanner.coins):
            turn = 0.7 * place + 1.3 * number
            price = 10.0 ** (place % 6 - 1) * (1.0 + 2e-4 * math.sin(turn + 0.1 * beat))
            rate = 1e-4 * (1.0 + 4.0 * math.sin(turn + 0.01 * beat))
            step_h = (8, 8, 4, 1)[place % 4] if venue != "kraken" else 1
            spot, perp = (name.format(coin) for name in _NAMES[venue])
            size = 4e4 / price
            low, high = price * 0.9999, price * 1.0001
            spots.append(ScanRow(f"{venue}:spot:{spot}", low, size, high, size))
            basis = 1.0 + 3e-4 * math.sin(2.0 * turn + 0.05 * beat)
            stamp = (now_ms // (step_h * HOUR_MS) + 1) * step_h * HOUR_MS
            row = ScanRow(
                f"{venue}:perp:{perp}", low * basis, size, high * basis, size, price * basis,
                price, rate * step_h / 8, float(step_h), stamp, 0.02, 1e6 / price, 1e8,
            )  # fmt: skip
            perps.append(row)
        market.apply_all([ScanPage(venue, tuple(spots), now_ms)], t_ns)
        market.apply_all([ScanPage(venue, tuple(perps), now_ms)], t_ns)


def _book(market: Market, key: str, place: int) -> ScanBook:
    leg = market.universe.legs[key]
    steps = [k * (2 + place % 7) * 1e-5 for k in range(LEVELS)]
    sizes = [(0.2 + 0.1 * k) * leg.bid_size for k in range(LEVELS)]
    bids = tuple((leg.bid * (1 - step), size) for step, size in zip(steps, sizes, strict=True))
    asks = tuple((leg.ask * (1 + step), size) for step, size in zip(steps, sizes, strict=True))
    return ScanBook(key, bids, asks)


def _past(key: str, place: int, now_ms: int) -> ScanPast:
    if ":spot:" in key:
        return ScanPast(key)
    step_ms = 8 * HOUR_MS
    first = (now_ms // step_ms - SETTLED) * step_ms
    rates = [1e-4 * (1.0 + 2.0 * math.sin(0.7 * place + 0.3 * k)) for k in range(SETTLED)]
    return ScanPast(key, (), tuple((first + k * step_ms, rate) for k, rate in enumerate(rates)))
