"""A made-up overlay of nine sectors for tests of the sector panel."""

import numpy as np

from basisdesk.scan.words import SectorRow, SectorView

NAMES = ("L1", "L2", "DeFi", "Meme", "Gaming", "AI", "Infrastructure", "Payment", "RWA")
T0_MS = 1_789_689_600_000  # 2026-09-18 00:00 UTC
STEP_MS = 28_800_000
NAN = float("nan")


def row(name="DeFi", **changes):
    usual = SectorRow(
        name, 7, 5, 1.25, 1.1, 0.4, 0.85, 0.6, 0.4, 4.1, NAN, "calm", 0,
        f"{name} in line with the market.",
    )  # fmt: skip
    return usual._replace(**changes)


def make_view(stamps=200, names=NAMES, seed=5, **changes):
    """Random walks; DeFi is hot."""
    rng = np.random.default_rng(seed)
    times = T0_MS + STEP_MS * np.arange(stamps, dtype=np.int64)
    lines, apart, rows = {}, {}, []
    for name in names:
        walk = np.cumsum(rng.normal(0, 0.25, stamps))
        walk -= np.linspace(0, walk[-1] - rng.normal(), stamps)
        walk[:21] = np.nan
        lines[name], apart[name] = walk, walk * 0.6
        z = float(walk[-1])
        rows.append(row(name, z=z, divergence_bp=z * 0.6, words=f"{name} in line with the market."))
    if "DeFi" in names:
        place = names.index("DeFi")
        lines["DeFi"][-1] = 1.9
        rows[place] = row(
            "DeFi", z=1.9, state="hot", since_ms=int(times[-2]),
            words="DeFi over the line since 2 settlements: longs crowd in.",
        )  # fmt: skip
    view = {
        "rows": tuple(rows),
        "times_ms": times,
        "z_lines": lines,
        "divergence_lines": apart,
        "map_date": "2026-11-21",
        "map_source": "Written by hand",
        "verdict": "Rotation is unproven. Not a reason to trade on its own.",
    }
    return SectorView(**(view | changes))
