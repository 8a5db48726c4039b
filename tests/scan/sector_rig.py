"""A universe of made-up perpetuals with a settled past, and the overlay over it. No socket."""

import math
from types import SimpleNamespace

from basisdesk.config import Scanner, Settings
from basisdesk.events import ScanPage, ScanPast, ScanRow
from basisdesk.market.universe import Universe
from basisdesk.scan.sector_map import SectorMap
from basisdesk.scan.sectors import Sectors

H = 3_600_000
STEP = 8 * H
NOW_MS = 20_700 * 3 * STEP + 5 * H  # 05:00 of some day
L1 = ("BTC", "ETH", "SOL", "ADA", "DOT", "APT", "SUI")
DEFI = ("UNI", "AAVE", "CRV", "LDO", "JUP")
MAP = SectorMap(
    "2026-11-21", "a test", dict.fromkeys(L1, "L1") | dict.fromkeys(DEFI, "DeFi"), ("L1", "DeFi")
)


class SectorRig:
    """Two sectors on two venues. Rates are told in bp per 8 h, whatever the interval is."""

    def __init__(self, coins=(*L1, *DEFI), sectors=MAP, days=30, speed=1.0):
        self.coins = coins
        self.settings = Settings(
            scanner=Scanner(coins=coins, venues=("bybit", "okx"), funding_days=days)
        )
        self.universe = Universe(self.settings)
        self.market = SimpleNamespace(universe=self.universe)
        self.sectors = Sectors(sectors, self.settings, speed)
        self.now_ms = NOW_MS

    @staticmethod
    def keys(coin):
        return f"bybit:perp:{coin}USDT", f"okx:perp:{coin}-USDT-SWAP"

    def page(self, rate_bp=lambda coin: 1.0, *, turnover=5e6, interest=1e6, hours=8.0):
        """A page of each venue with the rates that float now."""
        for place, venue in enumerate(("bybit", "okx")):
            rows = tuple(
                ScanRow(
                    self.keys(coin)[place], 0.999, 10.0, 1.001, 10.0, 1.0, 1.0,
                    rate_bp(coin) / 1e4 * hours / 8.0, hours, self.now_ms // H * H + 3 * H, 0.0,
                    interest, turnover,
                )
                for coin in self.coins
            )  # fmt: skip
            self.universe.apply(ScanPage(venue, rows, self.now_ms), self.now_ms * 1_000_000)

    def settle(self, rate_bp, stamps=80, hours=8):
        """The past of all perpetuals. rate_bp(coin, i): per 8 h, i counts back from the newest."""
        newest = (self.now_ms - 600_000) // STEP * STEP
        per = 8 // hours
        for coin in self.coins:
            rows = tuple(
                (newest - i * STEP - part * hours * H, rate_bp(coin, i) / 1e4 / per)
                for i in range(stamps - 1, -1, -1)
                for part in range(per - 1, -1, -1)
            )
            for key in self.keys(coin):
                self.universe.apply(ScanPast(key, (), rows), self.now_ms * 1_000_000)

    def prices(self, price, minutes=1500):
        """A price each minute. price(coin, minutes ago)."""
        first = self.now_ms // 60_000 - minutes
        for coin in self.coins:
            rows = tuple(
                (m * 60_000, price(coin, minutes + first - m))
                for m in range(first, first + minutes)
            )
            event = ScanPast(self.keys(coin)[0], rows, ())
            self.universe.apply(event, self.now_ms * 1_000_000)

    def beats(self, count=12, seconds=1):
        """So many refreshes, a second apart."""
        view = self.sectors.view
        for _ in range(count):
            self.now_ms += round(seconds * 1000)
            view = self.sectors.refresh(self.market, self.now_ms * 1_000_000)
        return view

    def row(self, name):
        return next(row for row in self.sectors.view.rows if row.name == name)


def wobble(coin, i):
    """A dull past with a spread of about 0.3 bp, other in each sector."""
    lift = 0.4 if coin in DEFI else 0.0
    return 1.0 + lift * math.sin(i * 1.7)
