"""A scanner's view that was made up, and a rig whose actions note what the scanner asks for."""

import math
from dataclasses import replace

import numpy as np
from ui_rig import Rig

from basisdesk.scan.view import ScanView
from basisdesk.scan.words import Composite, Matrix, Share, Strip, Trigger
from basisdesk.ui.scanner_speed import NOW_NS, VENUES, made_up_combos, made_up_openings


class ScanRig(Rig):
    """A rig with a universe. `sizes`: what was asked for by set_scan_size."""

    def __init__(self, scan=None, settings=None, mode="simulated"):
        super().__init__(settings, mode)
        self.sizes = []
        self.context.scan_actions = self
        self.context.scan = scan if scan is not None else made_up_view()

    def set_scan_size(self, size):
        self.sizes.append(size)

    def show_openings(self, openings):
        scan = self.context.scan
        scan.openings = openings
        scan.version += 1


def made_up_matrix(coins, seed=1):
    rng = np.random.default_rng(seed)
    shape = (len(coins), len(VENUES))
    funding = rng.normal(1.2, 2.4, shape)
    listed = rng.uniform(0, 1, shape) < (0.92 if len(coins) > 10 else 2.0)

    def known(values):
        return np.where(listed, values, np.nan)

    pairs = tuple(
        tuple(
            (f"{venue}:spot:{coin}USDT", f"{venue}:perp:{coin}USDT") if listed[row, at] else None
            for at, venue in enumerate(VENUES)
        )
        for row, coin in enumerate(coins)
    )
    funding[min(3, len(coins) - 1)] += 9.0
    age = known(rng.uniform(0.1, 4.0, shape))
    age[-1, -1] = 60.0 if listed[-1, -1] else math.nan
    return Matrix(
        coins,
        VENUES,
        known(funding),
        known(rng.normal(0, 12, shape)),
        known(rng.uniform(0, 1, shape)),
        known(rng.uniform(0, 1, shape)),
        known(np.full(shape, 88.0)),
        known(np.full(shape, 2.9)),
        known(np.broadcast_to([8.0, 4.0, 8.0, 1.0], shape)),
        age,
        pairs,
    )


def made_up_composites(coins):
    made = []
    for at, coin in enumerate(coins):
        weights = (0.44, 0.31, 0.25, 0.0)
        shares = tuple(
            Share(venue, weight, 2.0 + at % 5, 0.9, 4e5 * weight, venue == "kraken")
            for venue, weight in zip(VENUES, weights, strict=True)
        )
        warning = "" if at % 9 else "Binance reads +0.02 %, Bybit trades -0.01 %: they disagree."
        made.append(Composite(coin, 2.0 + at % 7, 0.94, shares, "binance", "bybit", warning))
    return tuple(made)


def made_up_view(seed=1, coins=None):
    combos = made_up_combos() if coins is None else made_up_combos(coins)
    openings = made_up_openings(seed, combos)
    names = tuple(dict.fromkeys(combo.coin for combo in combos))
    with np.errstate(invalid="ignore"):
        worth = int(np.nansum((openings.net_bp > 0) & (openings.state == 0)))
    strip = Strip(
        len(names), 4, len(combos), worth, 11, 9, 3, 1.2, 0.94, 0.61,
        NOW_NS // 1_000_000 + 2_650_000, (("bybit", 31), ("okx", 12), ("binance", 26)), 212.0, 8.1,
    )  # fmt: skip
    first = combos[20]
    triggers = (Trigger("gap", first.coin, first.long, first.short, 6.4, 7.1, 6.0, "both", "wide"),)
    return ScanView(
        openings=openings, strip=strip, triggers=triggers,
        composites=made_up_composites(names), matrix=made_up_matrix(names), version=1, why_empty="",
    )  # fmt: skip


def with_nets(openings, nets):
    """The same openings with these nets per 8 h."""
    nets = np.asarray(nets, dtype=np.float64)
    return replace(openings, net_8h_bp=nets, net_bp=nets * 3)
