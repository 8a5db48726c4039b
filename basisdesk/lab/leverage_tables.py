"""Tables and charts of the leverage lab."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from basisdesk.lab.leverage_events import Levered, Path, levered, survival
from basisdesk.lab.leverage_levels import TOLD, Level, LeverageOptions, level_of
from basisdesk.lab.rule import Costs
from basisdesk.lab.series import PairSeries
from basisdesk.lab.stamp import utc_text
from basisdesk.market.stats import wilson

HOLDS_H = (8.0, 24.0, 72.0, 168.0, 720.0)
WORST = 5

# --- tables and charts ----------------------------------------------------------------------------


def rates_table(levels: Sequence[Level], options: LeverageOptions) -> dict[str, Any]:
    """Shares captured and liquidated at each leverage, with their intervals."""

    def pair(rate: tuple[float, float, float]) -> list[Any]:
        return [round(100.0 * x, 1) for x in rate]

    return {
        "title": "Captured and liquidated",
        "columns": [
            _column("leverage", "x"),
            _column("signals", ""),
            _column("captured", "%"),
            _column("from", "%"),
            _column("to", "%"),
            _column("note", "%"),
            _column("liquidated", "%"),
            _column("from", "%"),
            _column("to", "%"),
            _column("note", "%"),
            _column("value captured", "%"),
        ],
        "rows": [
            [
                level.leverage,
                level.n,
                *pair(level.captured),
                _told("captured", level.leverage),
                *pair(level.liquidated),
                _told("liquidated", level.leverage),
                round(100.0 * level.value_rate, 1),
            ]
            for level in levels
        ],
        "note": f"Captured: the exit at {options.exit_bp:g} bp was reached before stop, "
        f"liquidation and {options.horizon_h:g} h. Value captured: basis earned over the most "
        "there was within the horizon. From and to: 95 % Wilson interval.",
    }


def _told(what: str, leverage: float) -> float | None:
    told = TOLD[what].get(leverage)
    return None if told is None else round(100.0 * told, 1)


def money_table(levels: Sequence[Level]) -> dict[str, Any]:
    """Net, tail and top-ups of a signal at each leverage."""
    return {
        "title": "What it came to, per signal",
        "columns": [
            _column("leverage", "x"),
            _column("net", "bp of notional"),
            _column("net", "% of capital"),
            _column("CVaR 5 %", "% of capital"),
            _column("worst", "% of capital"),
            _column("needed a top-up", "%"),
            _column("top-up p95", "bp of notional"),
            _column("top-up most", "bp of notional"),
        ],
        "rows": [
            [
                level.leverage,
                round(level.net_bp, 2),
                round(100.0 * level.on_capital, 3),
                round(100.0 * level.cvar, 3),
                round(100.0 * level.worst, 3),
                round(100.0 * level.topped, 1),
                round(level.top_up_p95_bp, 1),
                round(level.top_up_most_bp, 1),
            ]
            for level in levels
        ],
        "note": "Capital is the spot leg and the margin together. A top-up is what the margin "
        "would have needed from outside so that no signal was liquidated.",
    }


def survival_table(
    each: Sequence[PairSeries], levels: Sequence[float], costs: Costs
) -> dict[str, Any]:
    """Liquidated shares of a short perpetual entered at every row, by hold and leverage."""
    rows: list[list[Any]] = []
    for series in each:
        span_h = float(series.t_ns[-1] - series.t_ns[0]) / 3.6e12 if len(series.t_ns) else 0.0
        for hold in HOLDS_H:
            row: list[Any] = [series.name, hold]
            for leverage in levels:
                gone, looked = survival(series, leverage, hold, costs)
                low, high = wilson(gone / looked, span_h / hold) if looked else (0.0, 1.0)
                row.append(_cell(gone / looked, low, high) if looked else "n/a")
            rows.append(row)
    return {
        "title": "Short perpetual entered at any hour: liquidated before the hold was over",
        "columns": [
            _column("data", ""),
            _column("hold", "h"),
            *(_column(f"{leverage:g}x", "%") for leverage in levels),
        ],
        "rows": rows,
        "note": "No top-up, no funding. In brackets the 95 % interval, rounded outwards. Holds "
        "overlap, so it counts only span over hold as independent.",
    }


def _cell(share: float, low: float, high: float) -> str:
    """A share and its interval in percent, short; ends rounded outwards, so that they hold it."""
    least, most = math.floor(1e3 * low) / 10.0, math.ceil(1e3 * high) / 10.0
    return f"{100.0 * share:.1f} ({least:.1f}\u2013{min(most, 100.0):.1f})"


Outcomes = Sequence[tuple[Path, Levered, PairSeries]]


def worst_table(rows: Sequence[Outcomes], levels: Sequence[float]) -> dict[str, Any]:
    """The worst signals of each leverage."""
    out: list[list[Any]] = []
    for leverage, outcomes in zip(levels, rows, strict=True):
        ranked = sorted(outcomes, key=lambda each: each[1].on_capital)[:WORST]
        out += [
            [
                leverage,
                series.name,
                utc_text(int(series.t_ns[path.entry]))[:16],
                round(outcome.hours, 1),
                outcome.why,
                round(outcome.net_bp, 1),
                round(100.0 * outcome.on_capital, 2),
                round(outcome.top_up_bp, 1),
            ]
            for path, outcome, series in ranked
        ]
    return {
        "title": f"The {WORST} worst of each leverage",
        "columns": [
            _column("leverage", "x"),
            _column("data", ""),
            _column("entered", "UTC"),
            _column("held", "h"),
            _column("end", ""),
            _column("net", "bp"),
            _column("net", "% of capital"),
            _column("top-up", "bp"),
        ],
        "rows": out,
    }


def by_series_table(
    followed: Sequence[tuple[PairSeries, list[Path]]], options: LeverageOptions, costs: Costs
) -> dict[str, Any]:
    """The rates of each coin by itself."""
    rows: list[list[Any]] = []
    for series, paths in followed:
        for leverage in options.levels:
            outcomes = [levered(path, series, leverage, costs) for path in paths]
            level = level_of(leverage, outcomes, paths)
            rows.append(
                [
                    series.name,
                    leverage,
                    level.n,
                    *(round(100.0 * x, 1) for x in (*level.captured, *level.liquidated)),
                    round(level.net_bp, 2),
                ]
            )
    return {
        "title": "By coin",
        "columns": [
            _column("data", ""),
            _column("leverage", "x"),
            _column("signals", ""),
            _column("captured", "%"),
            _column("from", "%"),
            _column("to", "%"),
            _column("liquidated", "%"),
            _column("from", "%"),
            _column("to", "%"),
            _column("net", "bp of notional"),
        ],
        "rows": rows,
    }


def leverage_charts(
    levels: Sequence[Level], rows: Sequence[Outcomes], names: Sequence[float]
) -> list[dict[str, Any]]:
    """Captured, liquidated and net on capital by leverage."""
    x = [f"{name:g}x" for name in names]

    def rate(what: str) -> dict[str, Any]:
        values = [getattr(level, what) for level in levels]
        return {
            "name": f"{what}, with its 95 % interval",
            "y": [100.0 * v[0] for v in values],
            "low": [100.0 * v[1] for v in values],
            "high": [100.0 * v[2] for v in values],
        }

    def told(what: str) -> dict[str, Any]:
        return {
            "name": f"the notes: {what}",
            "y": [None if name not in TOLD[what] else 100.0 * TOLD[what][name] for name in names],
        }

    tails: list[list[float]] = [
        np.quantile([o.on_capital for _, o, _ in each], [0.05, 0.5, 0.95]).tolist()
        if each
        else [math.nan] * 3
        for each in rows
    ]
    return [
        {
            "kind": "points",
            "title": f"Share of signals {what}, by leverage",
            "x_title": "leverage of the perpetual",
            "y_title": "% of signals",
            "x_kind": "words",
            "x": x,
            "lines": [rate(what), told(what)],
        }
        for what in ("captured", "liquidated")
    ] + [
        {
            "kind": "points",
            "title": "Net per signal on the whole capital: median, 5 % and 95 %",
            "x_title": "leverage of the perpetual",
            "y_title": "% of capital",
            "x_kind": "words",
            "x": x,
            "lines": [
                {
                    "name": "net",
                    "y": [100.0 * t[1] for t in tails],
                    "low": [100.0 * t[0] for t in tails],
                    "high": [100.0 * t[2] for t in tails],
                }
            ],
        }
    ]


def _column(name: str, unit: str) -> dict[str, str]:
    return {"name": name, "unit": unit}
