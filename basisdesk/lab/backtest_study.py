"""A backtest as a study: trade count first, three cost tiers, attribution, and what luck would do.

The chosen tier goes through the desk's own engine, its ledger and all; the kernel runs beside it
and must agree to the cent, and then gives the other tiers and what the rule is compared with. On
bars nobody can trade on the close that decides, so what is spoken of first is the same rule filled
one bar later (`kernel.later`); the fill on the deciding close stands beside it. What
the desk would refuse (leverage above its five, a price that halves in a row) is run by the kernel
alone, and the first sentences say so.
"""

import argparse
import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.errors import UserError
from basisdesk.lab.backtest import BacktestResult, begun, result, walk
from basisdesk.lab.backtest_charts import backtest_charts
from basisdesk.lab.backtest_nulls import always_on, random_entries, shuffled_funding
from basisdesk.lab.backtest_tables import backtest_tables, every_trade, terms_of
from basisdesk.lab.backtest_words import backtest_sentences
from basisdesk.lab.halted import halted_said
from basisdesk.lab.kernel import Table, later, midnights, prepare, run, run_many
from basisdesk.lab.rule import TIERS, BandRule, Costs, Size, checked, rule_row
from basisdesk.lab.series import Floats, PairSeries
from basisdesk.lab.series_frames import legs_of, row_frames
from basisdesk.lab.shown import shown
from basisdesk.lab.sources import SourceOptions, add_source_arguments, open_series, source_from
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.words import (
    Progress,
    data_row,
    made_by,
    no_progress,
    plain,
    pre_registration,
    told,
)
from basisdesk.trading.margin import LEVERAGE_CAP

VERSION = 1
PART = 5_000  # rows of the engine between two looks at the progress
CENT = 0.01
SLIPS_BP = (0.0, 1.0, 2.0)  # slippage of each leg and fill that is tried beside the chosen one
YEAR_NS = 365.0 * 86_400e9


class BacktestOptions(NamedTuple):
    """What to run. engine: walk the chosen tier through the desk's engine too. seed: of draws."""

    source: SourceOptions = SourceOptions()
    rule: BandRule = BandRule()
    tier: str = "taker"
    slippage_bp: float = 0.0
    size: Size = Size()
    engine: bool = True
    seed: int = 1

    @property
    def costs(self) -> Costs:
        """Of the chosen tier."""
        return TIERS[self.tier]._replace(slippage_bp=self.slippage_bp)


class Run(NamedTuple):
    """One rule under one set of costs. summary: SUMMARY; daily: money, UTC days.

    terms: what each trade's net is made of, see `backtest_tables.terms_of`.
    """

    name: str
    costs: Costs
    trades: NDArray[np.void]
    summary: np.void
    daily: Floats
    terms: dict[str, Floats]

    @property
    def net(self) -> float:
        """Of all trades, account currency."""
        return float(self.trades["net"].sum())


class Studied(NamedTuple):
    """Everything that tables and sentences are made of.

    runs: the chosen tier, the others and doubled costs, filled as can be done: of bars one bar
    later. close: the same, filled on the rows that decide; of quotes the same runs, the first one
    from the engine where it walked. carry: always-on carry at the chosen costs. cash: what the
    capital earns at the cost of money. random, shuffled: nets of the draws, empty without trades.
    slips: (slippage, bp; its run). walked: "" or why the engine did not. gap: largest difference of
    a trade's net between engine and kernel, account currency.
    """

    series: PairSeries
    options: BacktestOptions
    table: Table
    runs: list[Run]
    close: list[Run]
    carry: Run
    cash: float
    random: Floats
    shuffled: Floats
    slips: list[tuple[float, Run]]
    walked: str
    gap: float
    engine: BacktestResult | None

    @property
    def bars(self) -> bool:
        """Whether prices are closes of bars."""
        return self.series.kind == "bars"

    @property
    def head(self) -> Run:
        """What is spoken of first."""
        return self.runs[0]

    @property
    def main(self) -> Run:
        """The chosen tier, filled on the rows that decide."""
        return self.close[0]


def run_backtest(options: BacktestOptions, progress: Progress = no_progress) -> dict[str, Any]:
    """The study. Raises UserError, or Cancelled where progress says so."""
    checked(options.rule, options.costs, options.size)
    series = open_series(options.source)
    return study_backtest(series, options, progress)


def study_backtest(
    series: PairSeries, options: BacktestOptions, progress: Progress = no_progress
) -> dict[str, Any]:
    """The study of a series that is at hand."""
    found = studied(series, options, progress)
    return {
        "study": "backtest",
        "title": f"Backtest: {series.name}",
        "version": VERSION,
        "made_by": made_by("basisdesk lab backtest", _flat(options)),
        "data": [data_row(series) | _read(series, found.table)],
        "pre_registration": _fixed(series, options),
        "sentences": backtest_sentences(found),
        "tables": backtest_tables(found),
        "trades": every_trade(found),
        "charts": backtest_charts(found),
        "ledger_digest": found.engine.digest if found.engine is not None else None,
    }


def studied(
    series: PairSeries, options: BacktestOptions, progress: Progress = no_progress
) -> Studied:
    """Run everything."""
    rule, size, costs = options.rule, options.size, options.costs
    table = prepare(series, costs, size)
    main = ran(options.tier, table, rule)
    walked, engine, gap = _walked(series, options, main, progress)
    if engine is not None:
        main = main._replace(trades=engine.trades, terms=terms_of(table, engine.trades))
    others = {name: prepare(series, each, size) for name, each in _tiers(options).items()}
    others = {name: each for name, each in others.items() if each.costs != costs}
    close = [main, *(ran(name, each, rule) for name, each in others.items())]
    runs = close
    if series.kind == "bars":
        every = {options.tier: table} | others
        runs = [ran(name, later(each), rule) for name, each in every.items()]
    draws = [np.empty(0), np.empty(0)]
    if len(trades := runs[0].trades):
        draws = [each(table, trades, options.seed) for each in (random_entries, shuffled_funding)]
    return Studied(
        series=series,
        options=options,
        table=table,
        runs=runs,
        close=close,
        carry=ran("always-on carry", table, always_on(rule.leverage)),
        cash=size.capital * costs.money_rate * float(np.ptp(table.view.t_ns)) / YEAR_NS,
        random=draws[0],
        shuffled=draws[1],
        slips=_slips(series, options) if len(trades) else [],
        walked=walked,
        gap=gap,
        engine=engine,
    )


def ran(name: str, table: Table, rule: BandRule) -> Run:
    """A rule through the kernel."""
    sums = run_many(
        table, rule_row(rule)[None, :], table.costs, table.size, midnights(table.view.t_ns)
    )
    trades = run(table, rule, table.costs, table.size)
    return Run(name, table.costs, trades, sums.rows[0], sums.daily[0], terms_of(table, trades))


def _slips(series: PairSeries, options: BacktestOptions) -> list[tuple[float, Run]]:
    """The rule at other slippages, filled as the headline is."""
    found = []
    for bp in sorted({*SLIPS_BP, options.slippage_bp}):
        table = prepare(series, options.costs._replace(slippage_bp=bp), options.size)
        table = later(table) if series.kind == "bars" else table
        found.append((bp, ran(f"{bp:g} bp", table, options.rule)))
    return found


def _tiers(options: BacktestOptions) -> dict[str, Costs]:
    """The three tiers, and the chosen one twice as dear."""
    tiers = {name: each._replace(slippage_bp=options.slippage_bp) for name, each in TIERS.items()}
    return tiers | {f"{options.tier}, twice the costs": options.costs.times(2.0)}


def _walked(
    series: PairSeries, options: BacktestOptions, main: Run, progress: Progress
) -> tuple[str, BacktestResult | None, float]:
    """(why the engine did not walk, what it made, largest difference to the kernel)."""
    if not options.engine:
        return "the desk's engine was left out, as asked (--kernel-only)", None, 0.0
    if options.rule.leverage > LEVERAGE_CAP:
        return f"the desk takes no leverage above {LEVERAGE_CAP}", None, 0.0
    try:
        engine = _through_engine(series, options, progress)
    except UserError as exc:
        if type(exc) is not UserError:  # cancelled
            raise
        return str(exc).rstrip("."), None, 0.0
    mine, other = engine.trades, main.trades
    if len(mine) != len(other) or not np.array_equal(mine["exit_ns"], other["exit_ns"]):
        raise AssertionError(f"engine made {len(mine)} trades, kernel {len(other)}")
    gap = float(np.abs(mine["net"] - other["net"]).max()) if len(mine) else 0.0
    if gap >= CENT:
        raise AssertionError(f"engine and kernel differ by {gap} in a trade's net")
    return "", engine, gap


def _through_engine(
    series: PairSeries, options: BacktestOptions, progress: Progress
) -> BacktestResult:
    rule, costs, size = options.rule, options.costs, options.size
    view = shown(series, costs, size)
    engine, driver = begun(series, view, rule, costs, size)
    rows = zip(
        view.t_ns.tolist(), row_frames(legs_of(series), view, series.terms.interval_h), strict=True
    )
    count, done, frames = len(view.t_ns), 0, 0
    while part := list(itertools.islice(rows, PART)):
        told(progress, done, count, "rows through the engine")
        done += len(part)
        frames += walk(engine, driver, part, (size, view.lot), ends=done == count)
    told(progress, done, count, "rows through the engine")
    return result(engine, driver, view, frames, size)


def _fixed(series: PairSeries, options: BacktestOptions) -> dict[str, Any]:
    t_ns = series.t_ns
    dates = {"from": utc_text(int(t_ns[0])), "to": utc_text(int(t_ns[-1])), "series": series.name}
    parameters = options.rule._asdict() | options.size._asdict() | {"seed": options.seed}
    return pre_registration(
        "The rule earns more than nothing after costs, and more than luck with the same hand.",
        parameters,
        1,
        dates,
        {"tier": options.tier} | options.costs._asdict(),
    )


def _read(series: PairSeries, table: Table) -> dict[str, Any]:
    return {
        "rows_not_tradable": dict(table.view.left_out),
        "halted": halted_said(series) or "none",
        "prices_moved_to_a_tick": table.view.off_tick,
    }


def _flat(options: BacktestOptions) -> dict[str, Any]:
    said = options._asdict()
    for name in ("source", "rule", "size"):
        said |= {
            key: each for key, each in said.pop(name)._asdict().items() if each not in (None, "")
        }
    return dict(plain(said))


# --- the command line -----------------------------------------------------------------------------


def add_backtest_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `basisdesk lab backtest`, those of the data included."""
    usual, size = BandRule(), Size()
    add_source_arguments(parser)
    add = parser.add_argument
    add("--entry", type=float, default=usual.entry_bp, metavar="BP", help="from fair, executable")
    add("--exit", type=float, default=usual.exit_bp, metavar="BP", help="from fair, executable")
    add("--stop", type=float, default=usual.stop_bp, metavar="BP", help="widening, mid; inf: none")
    add("--hold", type=float, default=usual.max_hold_h, metavar="H", help="hours; inf: no end")
    add("--direction", type=int, choices=(-1, 0, 1), default=usual.direction)
    add("--leverage", type=float, default=usual.leverage, metavar="X")
    add("--tier", choices=tuple(TIERS), default="taker", help="costs charged")
    add("--slippage", type=float, default=0.0, metavar="BP", help="of each leg and fill")
    add("--capital", type=float, default=size.capital)
    add("--notional", type=float, default=size.notional)
    add("--seed", type=int, default=1, help="of the draws that luck is made of")
    add("--kernel-only", action="store_true", help="not through the engine: fast")


def backtest_from(arguments: argparse.Namespace) -> BacktestOptions:
    """The options of parsed arguments. Raises UserError."""
    rule = BandRule(
        arguments.direction,
        arguments.entry,
        arguments.exit,
        arguments.stop,
        arguments.hold,
        arguments.leverage,
    )
    options = BacktestOptions(
        source_from(arguments),
        rule,
        arguments.tier,
        arguments.slippage,
        Size(arguments.capital, arguments.notional),
        not arguments.kernel_only,
        arguments.seed,
    )
    checked(rule, options.costs, options.size)
    return options
