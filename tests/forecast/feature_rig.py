"""Ticks by hand: a quiet pair whose every field is known, and long runs of a noisy one."""

import random
from collections.abc import Iterator

from basisdesk.forecast.words import Tick

NS = 1_000_000_000
T0 = 1_790_000_000  # s; 2026-09-21, 14:13:20 UTC
NEXT_MS = (T0 + 6_400) * 1000  # 16:00 UTC
SETTLED = tuple((NEXT_MS - (91 - i) * 28_800_000, 1.0 if i % 2 else 2.0) for i in range(90))


def tick(s: float, b: float = 10.0, spot: float = 100.0, **more) -> Tick:
    """A tick `s` seconds after T0 with this mid basis, the touch 1 bp of spot wide."""
    perp = spot * (1 + b / 1e4)
    half = spot * 0.5e-4
    fields = {
        "spot_bid": spot - half, "spot_ask": spot + half, "spot_bid_size": 5.0,
        "spot_ask_size": 5.0, "perp_bid": perp - half, "perp_ask": perp + half,
        "perp_bid_size": 5.0, "perp_ask_size": 5.0, "spot_bid_5": 10.0, "spot_ask_5": 10.0,
        "spot_bid_10": 20.0, "spot_ask_10": 20.0, "perp_bid_5": 30.0, "perp_ask_5": 10.0,
        "perp_bid_10": 60.0, "perp_ask_10": 20.0, "mark": perp, "index": spot, "rate": 1e-4,
        "cap": 0.0075, "interest_8h_bp": 1.0, "interval_h": 8.0, "next_ms": NEXT_MS,
        "settled": SETTLED, "open_bp": b - 1.0, "close_bp": b + 1.0, "impact_bp": 1.0,
        "fair_bp": -4.5, "cost_bp": 8.0, "target_bp": -4.0, "spot_signed": 0.0,
        "spot_volume": 1.0, "spot_trades": 1.0, "perp_signed": 1.0, "perp_volume": 2.0,
        "perp_trades": 1.0, "xv_f_bp": 0.25, "xv_b_bp": -0.5, "mkt_x_bp": 3.0, "sector_z": 1.5,
    }  # fmt: skip
    return Tick(t_ns=round((T0 + s) * NS), **(fields | more))


def walk(count: int, seed: int = 1, jitter: float = 0.05) -> Iterator[Tick]:
    """A noisy pair, a beat a second, give or take: spot wanders, the basis reverts to 3 bp."""
    rnd = random.Random(seed)
    spot, b, s = 100.0, 3.0, 0.0
    for _ in range(count):
        s += 1.0 + rnd.gauss(0.0, jitter)
        spot *= 1 + rnd.gauss(0.0, 1e-4)
        b += 1e-3 * (3.0 - b) + rnd.gauss(0.0, 0.05)
        yield tick(
            s, b, spot,
            spot_bid_size=rnd.uniform(1, 9), spot_ask_size=rnd.uniform(1, 9),
            perp_bid_size=rnd.uniform(1, 9), perp_ask_size=rnd.uniform(1, 9),
            spot_bid_5=rnd.uniform(1, 9), perp_ask_5=rnd.uniform(1, 9),
            perp_signed=rnd.uniform(-2, 2), spot_signed=rnd.uniform(-1, 1),
            perp_trades=float(rnd.randrange(5)), rate=1e-4 + rnd.gauss(0.0, 1e-6),
        )  # fmt: skip
