"""The leverage lab: one set of signals at 1 to 20 times, and what became of them at each.

The founding notes tell that five times captures 94 % of the opportunities and twenty times 61 %,
and that 12 % and 40 % are liquidated, without saying of what. Here the denominator is fixed
beforehand: signals registered before their outcome, whose horizons do not overlap. The notes'
figures stand beside the measured ones as lines, never as results.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from basisdesk.errors import UserError
from basisdesk.lab.claims import COMPATIBLE, judged
from basisdesk.lab.halted import halted_said, traded
from basisdesk.lab.leverage_events import levered, signals
from basisdesk.lab.leverage_levels import AND_MORE, TOLD, Level, LeverageOptions, level_of
from basisdesk.lab.leverage_tables import (
    by_series_table,
    leverage_charts,
    money_table,
    rates_table,
    survival_table,
    worst_table,
)
from basisdesk.lab.rule import TIERS, Costs, Size, checked
from basisdesk.lab.series import PairSeries
from basisdesk.lab.sources import SourceOptions, add_source_arguments, open_series, source_from
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.words import (
    Progress,
    data_row,
    no_progress,
    plain,
    pre_registration,
    told,
)

VERSION = 1
RARE = 0.02  # liquidations that one may call rare
ENOUGH = 30  # signals, before a rate is spoken of


def study_leverage(each: Sequence[PairSeries], options: LeverageOptions) -> dict[str, Any]:
    """Figures, tables and charts of one run; see `lab.pages` for the words of a study."""
    costs = TIERS[options.tier]
    checked(options.rule, costs, Size())
    followed = [
        (series, signals(series, options.rule, costs, options.horizon_h))
        for series in map(traded, each)
    ]
    levels, rows = [], []
    for leverage in options.levels:
        outcomes = [
            (path, levered(path, series, leverage, costs), series)
            for series, paths in followed
            for path in paths
        ]
        levels.append(
            level_of(
                leverage, [outcome for _, outcome, _ in outcomes], [path for path, _, _ in outcomes]
            )
        )
        rows.append(outcomes)
    return {
        "study": "leverage",
        "title": "Leverage lab: the same signals at every leverage",
        "version": VERSION,
        "data": [data_row(series) for series in each],
        "pre_registration": _fixed(each, options, costs),
        "levels": plain([level._asdict() for level in levels]),
        "claims": _claims(levels),
        "sentences": _sentences(levels, options) + _halted(each),
        "tables": [
            rates_table(levels, options),
            money_table(levels),
            survival_table(each, options.levels, costs),
            worst_table(rows, options.levels),
            by_series_table(followed, options, costs),
        ],
        "charts": leverage_charts(levels, rows, options.levels),
    }


def _halted(each: Sequence[PairSeries]) -> list[str]:
    return [f"{one.name}: {said}" for one in each if (said := halted_said(one))]


def _fixed(each: Sequence[PairSeries], options: LeverageOptions, costs: Costs) -> dict[str, Any]:
    return pre_registration(
        "Leverage changes how many signals are captured and how many are liquidated.",
        options._asdict(),
        len(options.levels),
        {series.name: _span(series) for series in each},
        costs._asdict(),
    )


def _span(series: PairSeries) -> str:
    if not len(series.t_ns):
        return "no rows"
    return f"{utc_text(int(series.t_ns[0]))} to {utc_text(int(series.t_ns[-1]))}"


def _claims(levels: Sequence[Level]) -> dict[str, dict[str, Any]]:
    """Answers to the founding notes' claims about capture and liquidation."""
    out: dict[str, dict[str, Any]] = {}
    for level in levels:
        for what, key in (("captured", "capture"), ("liquidated", "liquidated")):
            claimed = TOLD[what].get(level.leverage)
            if claimed is not None and level.n:
                _, low, high = getattr(level, what)
                said = _beside(level, what, level.leverage)
                least = (what, level.leverage) in AND_MORE
                out[f"{key}_{level.leverage:g}"] = judged(
                    claimed, (low, high), said, level.n, least=least
                )
    ten = next((level for level in levels if level.leverage == 10.0), None)
    if ten is not None and ten.n:
        share, low, high = ten.liquidated
        said = (
            f"At ten times {share:.1%} of {ten.n} signals were liquidated (95 % interval {low:.1%} "
            f"to {high:.1%}); the desk stops at five times."
        )
        status = "reproduced" if high <= RARE else "not reproduced" if low > RARE else COMPATIBLE
        out["maximum"] = {"status": status, "said": said, "n": ten.n}
    return out


# --- what is said ---------------------------------------------------------------------------------


def _sentences(levels: Sequence[Level], options: LeverageOptions) -> list[str]:
    n = levels[0].n if levels else 0
    if n == 0:
        return [
            f"No signal: the basis was never {options.entry_bp:g} bp from the fair basis with "
            f"{options.horizon_h:g} h of data after it. Lower --entry or bring more data."
        ]
    out = [
        f"{n} signals whose horizons of {options.horizon_h:g} h do not overlap; trades, not days, "
        "are the sample."
    ]
    if n < ENOUGH:
        out.append(f"Fewer than {ENOUGH} signals: every rate below is a range, not a result.")
    by = {level.leverage: level for level in levels}
    for level in (5.0, 20.0):
        if level in by:
            out += [_beside(by[level], what, level) for what in ("captured", "liquidated")]
    first, last = levels[0], levels[-1]
    out.append(
        f"Net per signal on the whole capital: {first.on_capital:+.3%} at {first.leverage:g} "
        f"times, {last.on_capital:+.3%} at {last.leverage:g} times; the worst twentieth on average "
        f"{first.cvar:+.2%} and {last.cvar:+.2%}."
    )
    return out


def _beside(level: Level, what: str, leverage: float) -> str:
    share, low, high = getattr(level, what)
    claimed = TOLD[what][leverage]
    within = "inside" if low <= claimed <= high else "outside"
    more = " and more" if (what, leverage) in AND_MORE else ""
    return (
        f"At {leverage:g} times {share:.1%} of the signals were {what} (95 % interval {low:.1%} to "
        f"{high:.1%}, n {level.n}); the note's {claimed:.0%}{more} lies {within} it."
    )


# --- the command line -----------------------------------------------------------------------------


def add_leverage_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `basisdesk lab leverage`, those of the data included."""
    usual = LeverageOptions()
    add_source_arguments(parser)
    add = parser.add_argument
    add("--entry", type=float, default=usual.entry_bp, metavar="BP", help="from fair, mid basis")
    add("--exit", type=float, default=usual.exit_bp, metavar="BP", help="from fair, executable")
    add("--stop", type=float, default=usual.stop_bp, metavar="BP", help="widening since entry")
    add("--horizon", type=float, default=usual.horizon_h, metavar="H", help="of a signal, hours")
    add(
        "--direction", type=int, choices=(-1, 0, 1), default=usual.direction,
        help="1: long spot, -1: short spot, 0: whichever",
    )  # fmt: skip
    add("--tier", choices=tuple(TIERS), default=usual.tier, help="costs charged")
    add(
        "--levels", type=float, nargs="+", default=list(usual.levels), metavar="X",
        help="leverages of the perpetual, side by side",
    )  # fmt: skip


def leverage_from(arguments: argparse.Namespace) -> tuple[SourceOptions, LeverageOptions]:
    """Data and options of parsed arguments. Raises UserError."""
    if not arguments.horizon > 0.0:
        raise UserError(f"--horizon is {arguments.horizon:g}; a signal needs hours ahead of it.")
    options = LeverageOptions(
        entry_bp=arguments.entry,
        exit_bp=arguments.exit,
        stop_bp=arguments.stop,
        horizon_h=arguments.horizon,
        direction=arguments.direction,
        tier=arguments.tier,
        levels=tuple(sorted(set(arguments.levels))),
    )
    for leverage in options.levels:
        checked(options.rule._replace(leverage=leverage), TIERS[options.tier], Size())
    return source_from(arguments), options


def run_leverage(
    source: SourceOptions, options: LeverageOptions, progress: Progress = no_progress
) -> dict[str, Any]:
    """The study over one symbol, or over several named with commas between."""
    symbols = source.symbol.split(",")
    each = []
    for done, symbol in enumerate(symbols):
        told(progress, done, len(symbols), "series read")
        each.append(open_series(source._replace(symbol=symbol)))
    told(progress, len(symbols), len(symbols), "series read")
    return study_leverage(each, options)
