"""The chart of the replication: the deviation of the perpetual by day, on a scale of its bulk."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from basisdesk.lab.series import Floats, Ints
from basisdesk.lab.sources import day
from basisdesk.lab.statistics import DAY_NS

BEYOND = 0.005  # of the days, at either end, that the scale may leave out
SCALE_ROOM = 1.15


def deviation_chart(coin: Mapping[str, Any], bound: tuple[float, float]) -> dict[str, Any]:
    """Daily extremes of rho, so that no excursion is lost to the width of a screen.

    The scale is cut to the bulk of the days and the bounds: an hour in which a leg was halted would
    flatten all others. What lies beyond is said. bound: of rho, fractions a year.
    """
    days = coin["opened_ns"] // (DAY_NS)
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
    rho = coin["rho"] * 100.0
    low, high = (100.0 * each for each in bound)
    count = len(starts)
    mean = np.add.reduceat(rho, starts) / np.diff(np.append(starts, len(rho)))
    least, most = np.minimum.reduceat(rho, starts), np.maximum.reduceat(rho, starts)
    floor = SCALE_ROOM * min(float(np.quantile(least, BEYOND)), low)
    roof = SCALE_ROOM * max(float(np.quantile(most, 1.0 - BEYOND)), high)

    def cut(values: Floats) -> list[float]:
        return [round(float(each), 1) for each in np.clip(values, floor, roof)]

    return {
        "kind": "line",
        "title": f"{coin['name']}: deviation of the perpetual, and the high bound",
        "x_title": "UTC day",
        "y_title": "rho, % a year",
        "x": [day(int(t))[:10] for t in coin["opened_ns"][starts]],
        "lines": [
            {
                "name": "rho, mean of the day, with its least and most",
                "y": cut(mean),
                "low": cut(least),
                "high": cut(most),
            },
            {"name": "upper bound", "y": [round(high, 1)] * count},
            {"name": "lower bound", "y": [round(low, 1)] * count},
        ],
        "note": _beyond(coin, starts, (least, most), (floor, roof)),
    }


def _beyond(
    coin: Mapping[str, Any], starts: Ints, ends: tuple[Floats, Floats], scale: tuple[float, float]
) -> str:
    """What the scale of the chart leaves out: how many days, and the furthest of them."""
    least, most = ends
    out = (least < scale[0]) | (most > scale[1])
    if not out.any():
        return ""
    furthest = np.where(most > -least, most, least)
    at = int(np.argmax(np.where(out, np.abs(furthest), 0.0)))
    value = f"{furthest[at]:,.0f}".replace("-", "\u2212")
    cut = " to ".join(f"{end:,.0f}".replace("-", "\u2212") for end in scale)
    return (
        f"Cut to {cut} % a year: {int(out.sum())} days reach beyond, furthest "
        f"{day(int(coin['opened_ns'][starts[at]]))[:10]} with {value} %. Every excursion is in the "
        "table."
    )
