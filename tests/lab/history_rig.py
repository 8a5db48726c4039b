"""Rows, stores and files of the history store, for its tests."""

import numpy as np

from basisdesk.lab.history import LOCK, HistoryStore
from basisdesk.market.past import Fresh

SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
DAY_MIN = 1_440
D0 = 20_000  # a day: 2024-10-04
M0 = D0 * DAY_MIN
HOUR = 3_600_000
NOTHING = Fresh({}, {})


def store_of(folder, disk_mb_max=100.0, funding_days=90, minute_days=14):
    return HistoryStore(folder, disk_mb_max, funding_days, minute_days)


def minutes_of(key, first, *prices):
    minute = np.arange(first, first + len(prices))
    return Fresh({}, {key: (minute, np.array(prices, dtype=np.float32))})


def settled_of(key, first_ms, *rates):
    ms = first_ms + 8 * HOUR * np.arange(len(rates))
    return Fresh({key: (ms, np.array(rates, dtype=float))}, {})


def plain(found):
    """Rows as sorted tuples."""
    return sorted(
        (key, int(time), round(float(value), 9))
        for part in found
        for key, columns in part.items()
        for time, value in zip(*columns, strict=True)
    )


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != LOCK)
