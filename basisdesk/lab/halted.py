"""Bars in which a leg did not really trade: no price of theirs can be traded on.

A bar without a trade shows the price of one before it. The bar before it is no better: trading
stopped at some moment of it, so its close may be minutes old while the other leg went on. The same
holds of the bar before one that only the other leg has. Where files tell no number of trades, a
close that repeats to the digit while the other leg's moved stands for it, on bars of SILENT_STEP_S
and more; on short bars a price may well stand still.

`halted_bars` finds them once, when a pair is made of bars; everything that trades leaves them out
(`shown`, `traded`), and what only counts, as `replicate`, keeps them.
"""

import numpy as np

from basisdesk.lab.series import Bools, Floats, Ints, PairSeries
from basisdesk.lab.stamp import utc_text

SILENT_STEP_S = 900.0
SPANS_SAID = 5  # spans of halted bars that a sentence names


def halted_bars(
    t_ns: Ints,
    step_s: float,
    closes: tuple[Floats, Floats],
    trades: tuple[Floats | None, Floats | None] = (None, None),
    alone_ns: Ints | None = None,
) -> Bools:
    """Which bars are not tradable.

    closes: of both legs. trades: how many there were in each bar, None where that is not known.
    alone_ns: times of bars that only one of the legs has.
    """
    still = np.zeros(len(t_ns), dtype=np.bool_)
    for mine, other, count in ((*closes, trades[0]), (*closes[::-1], trades[1])):
        if count is not None:
            still |= count == 0.0
        elif step_s >= SILENT_STEP_S and len(t_ns) > 1:
            still[1:] |= (mine[1:] == mine[:-1]) & (other[1:] != other[:-1])
    out = still.copy()
    out[:-1] |= still[1:]
    if alone_ns is not None and len(alone_ns):
        before = np.searchsorted(t_ns, alone_ns) - 1
        inside = (before >= 0) & (before < len(t_ns) - 1)
        out[before[inside]] = True
    return out


def halted_rows(series: PairSeries) -> Bools:
    """Which rows of a series are not tradable: as was found when it was made of bars."""
    if series.halted is not None:
        return series.halted
    return np.zeros(len(series.t_ns), dtype=np.bool_)


def traded(series: PairSeries) -> PairSeries:
    """The series without its halted rows."""
    keep = np.flatnonzero(~halted_rows(series))
    return series if len(keep) == len(series.t_ns) else series.at(keep)


def halted_said(series: PairSeries) -> str:
    """One sentence on the rows that are not traded on, with their times; "" without any."""
    rows = np.flatnonzero(halted_rows(series))
    if not len(rows):
        return ""
    parts = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    said = [_span(series, part) for part in parts[:SPANS_SAID]]
    if len(parts) > SPANS_SAID:
        said.append(f"{len(parts) - SPANS_SAID:,} more times")
    bars = "bar is" if len(rows) == 1 else "bars are"
    return (
        f"{len(rows):,} {bars} not traded on, since a leg was halted in them or right after "
        f"them (closes of {'; '.join(said)}): whoever held a pair then held it on, without exit or "
        "liquidation in them."
    )


def _span(series: PairSeries, rows: Ints) -> str:
    first, last = (utc_text(int(series.t_ns[row]))[:16].replace("T", " ") for row in rows[[0, -1]])
    if first == last:
        return first
    return f"{first} to {last[11:] if first[:10] == last[:10] else last}"
