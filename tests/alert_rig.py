"""Made-up openings, a book that has told things, and a desk that notes what it is asked."""

import dataclasses
import math
from decimal import Decimal
from types import SimpleNamespace

import numpy as np

from basisdesk.config import Settings
from basisdesk.scan.alert_watch import reading_of
from basisdesk.scan.alerts import AlertRule
from basisdesk.scan.view import ScanView
from basisdesk.scan.words import FRESH, Combo, Matrix, Openings, SectorRow, SectorView, Strip

S = 1_000_000_000
START_NS = 1_789_722_862 * S
D = Decimal


def rule(quantity="basis", scope="*", level=10.0, **more) -> AlertRule:
    settings = {"side": "over", "hold_s": 0.0, "again_s": 0.0, "id": "r1", "name": "Rule"} | more
    return AlertRule(quantity=quantity, scope=scope, level=float(level), **settings)


def one(value: float, quantity="basis", scope="*", name="it"):
    """A reading of one thing."""
    return [reading_of(quantity, [(scope, name, value)])]


def combos_of(coins: int, venues=("bybit", "okx", "binance", "kraken")) -> tuple[Combo, ...]:
    """Every perp against every other perp of another venue, and spot against perp."""
    found = []
    for at in range(coins):
        coin = f"C{at}"
        for long in venues:
            for short in venues:
                kind = "spot-perp" if long == short else "perp-perp"
                market = kind.partition("-")[0]
                found.append(
                    Combo(coin, kind, f"{long}:{market}:{coin}USDT", f"{short}:perp:{coin}USDT")
                )
    return tuple(found)


def openings(combos: tuple[Combo, ...], edition=1, **columns) -> Openings:
    """Openings whose columns are NaN unless given."""
    count = len(combos)
    fields = {}
    for field in dataclasses.fields(Openings):
        if field.name in ("now_ns", "edition", "size", "hold_h", "combos", "flags"):
            continue
        fields[field.name] = np.full(count, math.nan)
    for name in ("next_long_ms", "next_short_ms", "hazard_n"):
        fields[name] = np.zeros(count, dtype=np.int64)
    fields["touch_only"] = np.zeros(count, dtype=np.bool_)
    fields["state"] = np.full(count, FRESH, dtype=np.int8)
    fields |= {name: np.asarray(value) for name, value in columns.items()}
    return Openings(START_NS, edition, 1e4, 24.0, combos, flags=("",) * count, **fields)


def matrix(rows: dict[str, tuple[float, ...]], venues=("bybit", "okx"), age_s=1.0) -> Matrix:
    """Funding of coins on venues, bp per 8 h."""
    funding = np.array(list(rows.values()), dtype=float)
    return Matrix(
        coins=tuple(rows),
        venues=venues,
        funding_8h_bp=funding,
        age_s=np.full(funding.shape, age_s),
    )


def sector(name: str, state: str) -> SectorRow:
    figures = (math.nan,) * 8
    return SectorRow(name, 9, 9, *figures, state, 0, f"{name} is {state}.")


def view_of(**parts) -> ScanView:
    """A scanner's view with BTC and ETH apart, two sectors, and a gap."""
    view = ScanView()
    view.strip = Strip(btc_eth_bp=-7.5)
    view.matrix = matrix({"BTC": (9.0, 1.5), "ETH": (1.0, 1.2)})
    view.sectors = SectorView(rows=(sector("meme", "hot"), sector("L1", "calm")))
    for name, value in parts.items():
        setattr(view, name, value)
    return view


class NoDesk:
    """A desk that holds nothing and watches nothing."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.market = SimpleNamespace(legs={}, pairs={})
        self.desk = SimpleNamespace()
        self.now_ns = START_NS
        self.told = ()

    def open_pairs(self):
        return []

    def shown(self):
        return None

    def readings(self):
        return self.told
