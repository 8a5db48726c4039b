"""Small panels and maps for the rotation study. No file, no socket."""

import numpy as np

from basisdesk.lab.rotation_panel import Panel, dated, month_turnover
from basisdesk.scan.sector_map import SectorMap
from basisdesk.scan.sector_series import STEP_MS

START_MS = 1_700_006_400_000  # 2023-11-15 00:00 UTC
COINS = tuple(f"C{i:02d}" for i in range(15))
GROUPS = {"One": COINS[:5], "Two": COINS[5:10], "Three": COINS[10:]}


def sector_map(groups=GROUPS, date="2023-01-01"):
    sector_of = {coin: name for name, coins in groups.items() for coin in coins}
    return SectorMap(date, "a test", sector_of, tuple(groups))


def maps(*more):
    return dated([sector_map(), *more])


def panel(stamps=400, seed=3, coins=COINS):
    """Funding that wanders, prices that walk, turnover that changes ranks."""
    rng = np.random.default_rng(seed)
    shape = (stamps, len(coins))
    noise = rng.standard_normal(shape)
    rate = np.empty(shape)
    now = np.zeros(len(coins))
    for row in range(stamps):
        now = 0.9 * now + noise[row]
        rate[row] = now
    return Panel(
        name="a test",
        simulated=True,
        stamps_ms=START_MS + STEP_MS * np.arange(stamps, dtype=np.int64),
        coins=coins,
        rate=rate,
        log_price=np.cumsum(0.01 * rng.standard_normal(shape), axis=0),
        turnover=month_turnover(np.exp(rng.standard_normal(shape)), 30),
    )


def after(panel, row, seed=9):
    """The same panel with another future: all that is after the row is made up anew."""
    rng = np.random.default_rng(seed)
    changed = {}
    for name in ("rate", "log_price", "turnover"):
        table = getattr(panel, name).copy()
        table[row + 1 :] = np.exp(rng.standard_normal(table[row + 1 :].shape)) * 5.0
        changed[name] = table
    return panel._replace(**changed)
