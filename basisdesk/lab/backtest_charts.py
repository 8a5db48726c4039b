"""The charts of a backtest: the account by day, and the basis around each of its worst trades."""

from typing import TYPE_CHECKING, Any

import numpy as np

from basisdesk.lab.backtest_tables import ON_CLOSE, minute, worst_of
from basisdesk.lab.backtest_words import MONEY
from basisdesk.lab.kernel import midnights
from basisdesk.lab.series import Floats, Ints
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.words import chart

if TYPE_CHECKING:
    from basisdesk.lab.backtest_study import Studied

ROWS = 500  # of a chart; of more the least and the most of each stretch are drawn
AROUND = 12  # rows before and after a trade at least


def backtest_charts(found: "Studied") -> list[dict[str, Any]]:
    """The account by day beside always-on carry and cash, and each of the worst trades."""
    edges = midnights(found.table.view.t_ns)
    x = [utc_text(int(day))[:10] for day in edges[1:]]
    runs = [("the rule", found.head), ("always-on carry", found.carry)]
    if found.bars:
        runs.insert(1, ("the rule" + ON_CLOSE, found.main))
    lines: list[dict[str, Any]] = [{"name": name, "y": np.cumsum(run.daily)} for name, run in runs]
    share = np.arange(1, len(x) + 1) / max(len(x), 1)
    lines.append({"name": "cash at money_rate", "y": share * found.cash, "reference": True})
    account = chart("line", "Net by day, marked at mids", ("day, UTC", MONEY), x, lines)
    return [account, *(_around(found, at) for at in range(len(worst_of(found.head))))]


def _around(found: "Studied", number: int) -> dict[str, Any]:
    """The mid basis from as long before the entry as the trade lasted to as long after its exit.

    Entry and exit are upright lines: their moments stand twice in x.
    """
    trade = found.head.trades[worst_of(found.head)[number]]
    t_ns, mid = found.table.view.t_ns, found.table.columns.signal[2]
    first, last = np.searchsorted(t_ns, (trade["entry_ns"], trade["exit_ns"])).tolist()
    pad = max(last - first, AROUND)
    span = np.arange(max(0, first - pad), min(len(t_ns), last + pad + 1))
    rows = np.sort(np.concatenate((drawn(span, mid[span], (first, last)), (first, last))))
    y = mid[rows]
    ends = [y.min(), y.max()]
    lines = [
        {"name": "mid basis", "y": y},
        {"name": "while held", "y": np.where((rows >= first) & (rows <= last), y, np.nan)},
        {"name": "entry", "y": _upright(rows, first, ends)},
        {"name": "exit", "y": _upright(rows, last, ends)},
    ]
    title = (
        f"Worst trade {number + 1}: net {float(trade['net']):+.2f} {MONEY}, direction "
        f"{int(trade['direction']):+d}, {minute(int(trade['entry_ns']))} to "
        f"{minute(int(trade['exit_ns']))}"
    )
    x = [utc_text(int(each)) for each in t_ns[rows]]
    return chart("line", title, ("UTC", "bp"), x, lines)


def _upright(rows: Ints, row: int, ends: list[float]) -> Floats:
    out = np.full(len(rows), np.nan)
    out[np.flatnonzero(rows == row)[:2]] = ends
    return out


def drawn(rows: Ints, values: Floats, always: tuple[int, ...]) -> Ints:
    """The rows of a chart: all, or the extremes of each stretch and those that must not lack."""
    if len(rows) <= ROWS:
        return rows
    kept = set(always) | {int(rows[0]), int(rows[-1])}
    for part in np.array_split(np.arange(len(rows)), ROWS // 2):
        kept |= {int(rows[part[each(values[part])]]) for each in (np.argmin, np.argmax)}
    return np.array(sorted(kept), dtype=np.int64)
