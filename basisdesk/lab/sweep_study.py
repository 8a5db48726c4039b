"""A judged sweep as a study: sentences first, then tables and charts, all of them plain values."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from basisdesk import __version__
from basisdesk.lab.rule import PARAMETERS
from basisdesk.lab.search import UNITS
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.statistics import Interval, annual
from basisdesk.lab.sweep_judge import TRADES_MIN, Choice, Heat, Judged, Outside
from basisdesk.lab.walk_forward import Plan
from basisdesk.lab.words import chart, plain, table

TOP = 10  # configurations that are listed
DSR_WANTED = 0.95
TRADES_FEW = 30  # under so many even an interval above zero is said with a doubt
ROOT_YEAR = math.sqrt(365.0)
NEVER = "do not trade"


def study_of(
    found: Judged,
    cut: Plan,
    data: dict[str, Any],
    block: dict[str, Any],
    made: dict[str, Any],
) -> dict[str, Any]:
    """The study of a sweep as a plain dict."""
    return {
        "study": "sweep",
        "title": f"Sweep of {found.trials.params.shape[0]:,} rules over {data['name']}",
        "version": __version__,
        "made_by": made,
        "data": [data],
        "pre_registration": block,
        "sentences": _sentences(found, cut, data) + _fewer(found, made["options"]["trials"]),
        "tables": _tables(found, cut),
        "charts": _charts(found, cut),
        "figures": plain(_figures(found)),
    }


# --- sentences ------------------------------------------------------------------------------------


def _sentences(found: Judged, cut: Plan, data: dict[str, Any]) -> list[str]:
    main = found.outside[0]
    days = len(main.daily)
    said = [
        f"Trades, not days, are your sample: {_trades(main.trades)} out of sample in {days} days "
        f"({len(cut.folds)} refits), at {main.round_trip_bp:.1f} bp a round trip ({main.name}).",
        f"Out of sample it earned {_percent(main.yearly)} of the capital a year, annual Sharpe "
        f"{_interval(main.sharpe)}; {_verdict(main)}.",
        _late(found),
        data.get("halted", ""),
        _gap(found),
        _deflated(found),
        _overfit(found),
        _plateau(found),
        _costs(found),
        _carry(found),
        _refused(found),
        _sealed(found, cut),
    ]
    if data["kind"] == "close-to-close proxy":
        said.append(
            "The prices are closes of candles, not quotes: all of this is a close-to-close proxy."
        )
    if found.damaged:
        said.append(
            f"{found.damaged} lines of the study log were damaged; their trials were run again."
        )
    return [each for each in said if each]


def _late(found: Judged) -> str:
    """What is left of it where nobody trades on the close that decides."""
    late, main = found.late, found.outside[0]
    if late is None:
        return ""
    return (
        "Every figure but this one is decided and filled on the same close, which nobody can do. "
        f"Filled at the next bar's close the same choices earned {_percent(late.yearly)} of the "
        f"capital a year out of sample, net {_money(late.net)} instead of {_money(main.net)} in "
        f"{_trades(late.trades)} instead of {main.trades:,}; {_verdict(late)}."
    )


def _money(value: float) -> str:
    return f"{value:+,.2f}".replace("-", "\u2212")


def _fewer(found: Judged, asked: int) -> list[str]:
    count = len(found.trials)
    if count >= asked:
        return []
    return [f"{asked:,} trials were asked for; these values of the parameters make {count:,}."]


def _gap(found: Judged) -> str:
    idle = sum(fold.chosen.number is None for fold in found.folds)
    inside = float(np.mean([fold.chosen.sharpe for fold in found.folds])) * ROOT_YEAR
    text = (
        f"Where they were chosen the monthly choices showed an annual Sharpe of {_number(inside)} "
        f"on average, where they were tested {_interval(found.outside[0].sharpe)}"
    )
    if idle:
        text += f"; in {idle} of {len(found.folds)} months the choice was not to trade"
    return text + "."


def _deflated(found: Judged) -> str:
    count = f"{found.evaluated:,} configurations"
    if found.others:
        count += f" ({found.others:,} of them by other studies of this log or of the same data)"
    if found.best.number is None:
        return (
            f"None of {count} was above zero in sample with at least {TRADES_MIN} trades: "
            "the best rule was not to trade."
        )
    sharpe = _number(annual(found.best_moments.sharpe))
    return (
        f"The best of {count} had an annual Sharpe of {sharpe} in sample; luck alone gives "
        f"{_number(annual(found.luck))}. Chance that it is better than luck (deflated Sharpe): "
        f"{found.deflated:.2f} by the spread of these trials ({DSR_WANTED} would need "
        f"{_number(annual(found.needed))} on these {found.best_moments.n} days), "
        f"{found.deflated_null:.2f} by that of as many worthless ones."
    )


def _overfit(found: Judged) -> str:
    if found.overfit is None:
        return "Too short or too few trials for a probability of overfitting."
    o = found.overfit
    return (
        f"In {o.pbo:.0%} of {o.splits:,} splits of the time the best half's winner was not above "
        f"the median in the other half, in {o.loss:.0%} it lost money there (probability of "
        f"backtest overfitting over {o.parts} parts; the splits overlap, so it has no interval)."
    )


def _plateau(found: Judged) -> str:
    if found.plateau is None:
        return ""
    p = found.plateau
    kind = "a plateau" if p.near > p.best / 2.0 and p.positive > 0.5 else "a peak, not a plateau"
    return (
        f"The best has annual Sharpe {_number(p.best)} in sample, its {p.neighbours} nearest "
        f"neighbours {_number(p.near)} on average, {p.positive:.0%} of them above zero: {kind}."
    )


def _costs(found: Judged) -> str:
    parts = [f"{o.name} {_percent(o.yearly)}" for o in found.outside[1:]]
    return f"The same choices at other costs, a year: {'; '.join(parts)}."


def _carry(found: Judged) -> str:
    if found.carry.refused:
        return (
            "Always-on carry is no comparison here: the capital did not pay all of its entries. "
            "Never trading earned 0."
        )
    return (
        f"Against always-on carry over the same days ({_percent(found.carry.yearly)} a year) the "
        f"difference is {_percent(found.over_carry)} a year; never trading earned 0."
    )


def _refused(found: Judged) -> str:
    count = int(found.trials.figure("refused").sum())
    if not count:
        return ""
    return (
        f"{count:,} of {len(found.trials):,} configurations ended early because their capital did "
        "not pay an entry: they lost it, or leverage is too low for the notional."
    )


def _sealed(found: Judged, cut: Plan) -> str:
    sealed = found.sealed
    if sealed.tested is None or sealed.yearly is None:
        if cut.sealed_ns >= cut.end_ns:
            return sealed.why
        return f"Sealed since {utc_text(cut.sealed_ns)[:10]}: {sealed.why}"
    return (
        f"Sealed part since {utc_text(cut.sealed_ns)[:10]}, opened on {sealed.opened}: "
        f"{_trades(sealed.tested.trades)}, {_percent(sealed.yearly)} of the capital a year."
    )


def _trades(count: int) -> str:
    return "1 trade" if count == 1 else f"{count:,} trades"


def _verdict(main: Outside) -> str:
    yearly = main.yearly
    if main.trades == 0:
        return "nothing was traded"
    if math.isinf(yearly.low):
        return f"{yearly.blocks} blocks of time are too few for an interval"
    if yearly.low <= 0.0 <= yearly.high:
        return "zero is inside the interval: nothing is shown"
    side = "above" if yearly.low > 0.0 else "below"
    few = f", but {_trades(main.trades)} are few" if main.trades < TRADES_FEW else ""
    return f"the whole interval is {side} zero{few}"


def _number(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.2f}".replace("-", "\u2212")


def _interval(found: Interval) -> str:
    if math.isinf(found.low):
        return f"{_number(found.value)} (no interval)"
    return f"{_number(found.value)} (95 %: {_number(found.low)} to {_number(found.high)})"


def _percent(found: Interval) -> str:
    def text(value: float) -> str:
        return f"{value * 100.0:+.2f}".replace("-", "\u2212")

    if math.isinf(found.low):
        return f"{text(found.value)} % (no interval)"
    return f"{text(found.value)} % (95 %: {text(found.low)} to {text(found.high)})"


# --- tables ---------------------------------------------------------------------------------------


def _tables(found: Judged, cut: Plan) -> list[dict[str, Any]]:
    return [_cost_table(found), _fold_table(found, cut), _top_table(found)]


def _cost_table(found: Judged) -> dict[str, Any]:
    late = () if found.late is None else (found.late,)
    rows = [_outside_row(each) for each in (found.outside[0], *late, *found.outside[1:])]
    rows.append(_outside_row(found.carry))
    rows.append(["never trade", 0.0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, None, 0.0, 0.0])
    return table(
        "Out of sample by costs",
        [
            ("costs", ""),
            ("round trip", "bp"),
            ("trades", ""),
            ("liquidated", ""),
            ("net a year", "% of capital"),
            ("low", "% of capital"),
            ("high", "% of capital"),
            ("Sharpe", "a year"),
            ("low", "a year"),
            ("P(Sharpe > 0)", ""),
            ("CVaR 5 %", "% a day"),
            ("drawdown", "% of capital"),
        ],
        rows,
        "Choices were made at the costs of the first row. Intervals 95 %, block bootstrap.",
    )


def _outside_row(o: Outside) -> list[Any]:
    yearly = [100.0 * each for each in o.yearly[:3]]
    figures = [o.sharpe.value, o.sharpe.low, o.psr, 100.0 * o.cvar, 100.0 * o.drawdown]
    return [o.name, round(o.round_trip_bp, 2), o.trades, o.liquidated, *_rounded(yearly + figures)]


def _fold_table(found: Judged, cut: Plan) -> dict[str, Any]:
    name = found.outside[0].name
    rows = []
    for fold in found.folds:
        tested = fold.tested[name]
        spread = float(np.std(tested.daily, ddof=1)) if len(tested.daily) > 1 else 0.0
        ratio = float(tested.daily.mean()) / spread * ROOT_YEAR if spread > 0.0 else 0.0
        rows.append(
            [
                _day(cut, fold.train_end),
                _day(cut, fold.test),
                _day(cut, fold.test_end),
                _rule(fold.chosen),
                *_rounded([fold.chosen.sharpe * ROOT_YEAR, ratio]),
                tested.trades,
                *_rounded([tested.net, 100.0 * float(tested.daily.sum())]),
            ]
        )
    return table(
        "Walk-forward",
        [
            ("learned before", "UTC"),
            ("tested from", "UTC"),
            ("to", "UTC"),
            ("chosen", ", ".join(PARAMETERS)),
            ("Sharpe in sample", "a year"),
            ("Sharpe tested", "a year"),
            ("trades", ""),
            ("net", "quote currency"),
            ("net", "% of capital"),
        ],
        rows,
        f"The gap of {cut.gap} days is the longest hold and one funding interval.",
    )


def _top_table(found: Judged) -> dict[str, Any]:
    ratios = found.trials.sharpe(0)
    order = np.argsort(-ratios, kind="stable")[:TOP].tolist()
    rows = [
        [
            n,
            *found.trials.params[n].tolist(),
            *_rounded([ratios[n] * ROOT_YEAR]),
            int(found.trials.figure("trades")[n]),
            *_rounded([found.trials.figure("net")[n]]),
        ]
        for n in order
    ]
    units = [(name, UNITS[name]) for name in PARAMETERS]
    columns = [("trial", ""), *units, ("Sharpe in sample", "a year"), ("trades", ""), ("net", "")]
    return table(
        "Best in sample",
        columns,
        rows,
        f"Of {len(found.trials):,}. These figures are what luck and choice made of them.",
    )


def _rule(choice: Choice) -> str:
    if choice.number is None:
        return NEVER
    return ", ".join(f"{value:g}" for value in choice.x)


def _day(cut: Plan, place: int) -> str:
    return utc_text(cut.at(place))[:10]


def _rounded(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


# --- charts ---------------------------------------------------------------------------------------


def _charts(found: Judged, cut: Plan) -> list[dict[str, Any]]:
    charts = [_path(found, cut), _bars(found, cut), _law(found)]
    return charts if found.heat is None else [*charts, _heat(found.heat)]


def _path(found: Judged, cut: Plan) -> dict[str, Any]:
    first = cut.folds[0].test
    x = [_day(cut, first + i + 1) for i in range(len(found.outside[0].daily))]
    lines = [
        {"name": each.name, "y": np.cumsum(each.daily) * 100.0}
        for each in (*found.outside, found.carry)
    ]
    titles = ("UTC day", "% of capital")
    return chart("line", "Out of sample, sum of daily returns", titles, x, lines)


def _bars(found: Judged, cut: Plan) -> dict[str, Any]:
    name = found.outside[0].name
    x = [_day(cut, fold.test)[:7] for fold in found.folds]
    lines = [
        {
            "name": "where chosen",
            "y": [100.0 * 365.0 * _mean(found, i) for i in range(len(found.folds))],
        },
        {
            "name": "where tested",
            "y": [100.0 * 365.0 * float(f.tested[name].daily.mean()) for f in found.folds],
        },
    ]
    titles = ("tested month", "% of capital a year")
    return chart("bars", "Chosen and tested", titles, x, lines)


def _mean(found: Judged, fold: int) -> float:
    number = found.folds[fold].chosen.number
    if number is None:
        return 0.0
    sums, _, days = found.trials.parts(range(1 + fold, 2 + fold))
    return float(sums[0, number]) / float(days[0])


def _law(found: Judged) -> dict[str, Any]:
    ratios = found.trials.sharpe(0) * ROOT_YEAR
    count, edges = np.histogram(ratios, bins=24)
    middles = (edges[1:] + edges[:-1]) / 2.0
    lines = [{"name": "trials", "y": count}]
    titles = ("annual Sharpe in sample", "trials")
    return chart("bars", "All configurations", titles, _rounded(middles.tolist()), lines)


def _heat(heat: Heat) -> dict[str, Any]:
    lines = [
        {"name": f"{value:g}", "y": row}
        for value, row in zip(heat.y_values, heat.cells, strict=True)
    ]
    titles = (f"{heat.x.name}, {heat.x.unit}", f"{heat.y.name}, {heat.y.unit}")
    title = "Mean annual Sharpe in sample: plateau or peak"
    return chart("heat", title, titles, heat.x_values, lines)


# --- figures --------------------------------------------------------------------------------------


def _figures(found: Judged) -> dict[str, Any]:
    main = found.outside[0]
    return {
        "trials": len(found.trials),
        "evaluated": found.evaluated,
        "best": {"x": list(found.best.x), "number": found.best.number},
        "best_sharpe": annual(found.best_moments.sharpe),
        "sd_trials": annual(found.sd_trials),
        "luck": annual(found.luck),
        "deflated": found.deflated,
        "deflated_null": found.deflated_null,
        "needed": annual(found.needed),
        "overfit": None if found.overfit is None else found.overfit._asdict(),
        "plateau": None if found.plateau is None else found.plateau._asdict(),
        "out_of_sample": {
            "trades": main.trades,
            "net": main.net,
            "yearly": main.yearly[:3],
            "sharpe": main.sharpe[:3],
            "psr": main.psr,
        },
        "filled_one_bar_later": None
        if found.late is None
        else {"trades": found.late.trades, "net": found.late.net, "yearly": found.late.yearly[:3]},
        "sealed": {"opened": found.sealed.opened, "why": found.sealed.why},
    }
