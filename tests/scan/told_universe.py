"""A market whose universe is told by hand, page by page, and figures of the past by hand."""

import math

import msgspec
import numpy as np

from basisdesk.config import COINS, Fees, Scanner, Settings
from basisdesk.events import ScanBook, ScanPage, ScanPast, ScanRow
from basisdesk.market.state import Market
from basisdesk.scan.openings import Scan

S = 1_000_000_000
HOUR_MS = 3_600_000
T0 = 1_790_006_400_000 * 1_000_000  # 2026-09-21 16:00:00 UTC, a settlement of every interval
NAN = math.nan
COIN_NAMES = tuple(COINS.split())
PLAIN = Fees(0.001, 0.001, 0.0005, 0.0002, "quote", "a test")


def settings(coins=COIN_NAMES, fees=PLAIN, **scanner):
    """All venues take 10 bp of spot and 5 bp of perpetuals, in quote."""
    venues = ("binance", "bybit", "okx", "kraken")
    made = Settings(fees=dict.fromkeys(venues, fees))
    return msgspec.structs.replace(made, scanner=Scanner(coins=coins, **scanner))


def key_of(venue, market, coin):
    symbol = {
        "okx": f"{coin}-USDT" + ("-SWAP" if market == "perp" else ""),
        "kraken": f"PF_{coin}USD" if market == "perp" else f"{coin}/USD",
    }.get(venue, f"{coin}USDT")
    return f"{venue}:{market}:{symbol}"


class Told:
    """A market, a scanner over it, and what the venues say."""

    def __init__(self, conf=None):
        self.settings = conf or settings()
        self.market = Market(self.settings)
        self.scan = Scan(self.settings)
        self.figures = Known()
        self.now = T0

    def touch(self, key, bid, ask, size=1e6, **fields):
        """One row of a page."""
        row = ScanRow(key, bid, size, ask, size, **fields)
        self.market.apply_all([ScanPage(key.partition(":")[0], (row,))], self.now)
        return key

    def book(self, key, bids, asks):
        """A depth page."""
        self.market.apply_all([ScanBook(key, tuple(bids), tuple(asks))], self.now)
        return key

    def leg(self, venue, market, coin, mid=100.0, size=1e6, spread_bp=1.0):
        """A leg with one level of so many coins a side, touch and depth page alike."""
        key, half = key_of(venue, market, coin), mid * spread_bp / 2e4
        bid, ask = mid - half, mid + half
        marks = {"mark": mid, "index": mid} if market == "perp" else {}
        self.touch(key, bid, ask, size, **marks)
        return self.book(key, [(bid, size)], [(ask, size)])

    def perp(self, venue, coin, rate_bp, hours=8.0, left_h=1.0, **changes):
        """A perpetual that says its funding; the next stamp is left_h away."""
        key = self.leg(venue, "perp", coin, **changes)
        return self.fund(key, rate_bp, hours, left_h)

    def fund(self, key, rate_bp, hours=8.0, left_h=1.0):
        """Its funding, bp an interval."""
        stamp = self.now // 10**6 + round(left_h * HOUR_MS)
        row = ScanRow(key, rate=rate_bp / 1e4, interval_h=hours, next_ms=stamp)
        self.market.apply_all([ScanPage(key.partition(":")[0], (row,))], self.now)
        return key

    def rested(self, long, short, basis_bp, minutes=800):
        """In the past of both, the basis of these legs was this, minute by minute."""
        first = self.now // 10**6 // 60_000 - minutes - 1
        for key, price in ((long, 100.0), (short, 100.0 * (1 + basis_bp / 1e4))):
            rows = tuple(((first + k) * 60_000, price) for k in range(minutes))
            self.market.apply_all([ScanPast(key, rows)], self.now)

    def look(self, flag=None):
        """Refresh; the openings."""
        self.scan.flag = flag
        self.scan.refresh(self.market, self.now, self.figures)
        return self.scan.openings

    def of(self, long, short):
        """Every figure of one opening, after a look."""
        openings = self.scan.openings
        at = [combo[2:] for combo in openings.combos].index((long, short))
        return One(openings, at)


class One:
    """One row of the openings."""

    def __init__(self, openings, at):
        self._openings, self.at = openings, at

    def __getattr__(self, name):
        return getattr(self._openings, name)[self.at]


class Known:
    """Figures of the past by leg and by combination; what is not named is not known."""

    def __init__(self):
        self.median_8h_bp = {}
        self.half_lives = {}  # (long, short) -> hours
        self.basis_half_lives = {}
        self.align(())

    def align(self, combos):
        legs = [combo[2:] for combo in combos]
        self.half_life_h = np.array([self.half_lives.get(each, NAN) for each in legs])
        found = [self.basis_half_lives.get(each, NAN) for each in legs]
        self.basis_half_life_h = np.array(found)
        self.hazard = self.z = self.momentum_bp = np.full(len(combos), NAN)
        self.hazard_n = np.zeros(len(combos), dtype=np.int64)
