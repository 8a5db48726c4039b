"""`basisdesk lab sweep`: many configurations of one rule over one pair, judged without mercy.

The plan (what is searched, how many trials, which dates, which costs) is fixed and hashed before
the first trial runs. Every trial is written to the study log as soon as it is done, so a sweep that
was cancelled, crashed or lost its workers goes on where it stood. The judging is sweep_judge.py's.
"""

import argparse
import os
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from basisdesk import __version__
from basisdesk.errors import RuleError, UserError
from basisdesk.lab.halted import halted_said
from basisdesk.lab.rule import PARAMETERS, TIERS, Costs, Size
from basisdesk.lab.search import DEFAULT_AXES, Axis, Search, axes_of, search_for
from basisdesk.lab.series import Floats, PairSeries
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.sweep_judge import judge
from basisdesk.lab.sweep_study import study_of
from basisdesk.lab.trial_work import FIGURES, SUMS, Market, SeriesMarket, Shared, Trials, evaluate
from basisdesk.lab.trials import SEALS, Seals, StudyLog, short
from basisdesk.lab.walk_forward import Plan, Splits, leaks, plan
from basisdesk.lab.words import (
    Progress,
    data_row,
    digest,
    made_by,
    no_progress,
    pre_registration,
)
from basisdesk.lab.workers import Work, open_pool

BATCH_STEPS = 25_000_000  # rows times trials in one batch: about half a second of a core
BATCH_TRIALS_MAX = 512
HERE_STEPS = 200_000_000  # a sweep of fewer steps is done before a process has started
LOG = "trials.jsonl"
LOGS = "sweeps"  # folder of the logs that nobody named, beside the runs
SAID = ("trades", "net")  # of a trial, in words a reader of the log understands
HYPOTHESIS = (
    "Entering when the basis is so far from its fair value, and leaving nearer to it, earns more "
    "than its costs in months that it was not chosen on."
)


class SweepOptions(NamedTuple):
    """What to run. source: of the series (lab/sources.py); axes: what is searched, on which values.

    tier: costs that are charged, a name of TIERS, or `costs` themselves where given. workers: None
    for one a core, 0 for this process. study: file of the log; None for one of its own in `seals`.
    open_sealed: look at the sealed part at the end, which can be done once. heat: the two
    parameters of the heat map, empty for those with most values. seals: folder whose sealed.jsonl
    notes for all studies of a profile which sealed parts were looked at; None: the study's own log
    alone does, and without that nothing is kept.
    """

    source: Any = None
    search: str = "sobol"
    trials: int = 1_000
    seed: int = 7
    axes: tuple[Axis, ...] = DEFAULT_AXES
    tier: str = "taker"
    costs: Costs | None = None
    size: Size = Size()
    splits: Splits = Splits()
    workers: int | None = None
    scheduler: str | None = None
    study: Path | None = None
    open_sealed: bool = False
    heat: tuple[str, ...] = ()
    seals: Path | None = None

    @property
    def charged(self) -> Costs:
        """The costs of the sweep."""
        return TIERS[self.tier] if self.costs is None else self.costs


# --- the command line -----------------------------------------------------------------------------


def add_sweep_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `basisdesk lab sweep`, those of the data included."""
    from basisdesk.lab.sources import add_source_arguments

    usual = SweepOptions()
    add_source_arguments(parser)
    add, splits, size = parser.add_argument, usual.splits, usual.size
    add("--trials", type=int, default=usual.trials, metavar="N", help="fixed beforehand")
    add(
        "--search", choices=("grid", "sobol", "optuna"), default=usual.search,
        help="how configurations are chosen",
    )  # fmt: skip
    add("--seed", type=int, default=usual.seed, help="of Sobol, Optuna, bootstrap")
    add(
        "--axis", action="append", default=[], metavar="NAME=LOW:HIGH:STEP|A,B,C",
        help=f"what a parameter may be: {', '.join(PARAMETERS)}",
    )  # fmt: skip
    add("--tier", choices=tuple(TIERS), default=usual.tier, help="costs charged")
    add("--capital", type=float, default=size.capital, help="quote currency")
    add("--notional", type=float, default=size.notional, help="of each trade, quote currency")
    add("--train-months", type=int, default=splits.train_months, help="learned from at first")
    add("--test-months", type=int, default=splits.test_months, help="tested before a refit")
    add(
        "--sealed", type=float, default=splits.sealed, metavar="SHARE",
        help="of the days, kept for the last look",
    )  # fmt: skip
    add(
        "--open-sealed", action="store_true",
        help="look at the sealed part: once for these data in a profile",
    )  # fmt: skip
    add("--heat", nargs=2, default=(), metavar="NAME", choices=PARAMETERS, help="axes of the map")
    parser.add_argument("--workers", type=int, help="processes; default: one a core; 0: this one")
    parser.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="an existing Dask cluster")
    parser.add_argument(
        "--study",
        dest="study_log",
        type=Path,
        metavar="FILE.jsonl",
        help="log, and what resumes; default: one in the profile for each plan",
    )


def sweep_from(arguments: argparse.Namespace) -> SweepOptions:
    """The options of parsed arguments. Raises UserError."""
    from basisdesk.lab.sources import source_from

    out = getattr(arguments, "out", None)
    usual = SweepOptions()
    return SweepOptions(
        source=source_from(arguments),
        search=arguments.search,
        trials=arguments.trials,
        seed=arguments.seed,
        axes=axes_of(arguments.axis),
        tier=arguments.tier,
        size=usual.size._replace(capital=arguments.capital, notional=arguments.notional),
        splits=usual.splits._replace(
            train_months=arguments.train_months,
            test_months=arguments.test_months,
            sealed=arguments.sealed,
        ),
        workers=arguments.workers,
        scheduler=arguments.scheduler,
        study=arguments.study_log or (Path(out) / LOG if out else None),
        open_sealed=arguments.open_sealed,
        heat=tuple(arguments.heat),
        seals=getattr(arguments, "runs_folder", None),
    )


# --- running --------------------------------------------------------------------------------------


def run_sweep(options: SweepOptions, progress: Progress = no_progress) -> dict[str, Any]:
    """The whole study over the series that the options name.

    Raises UserError where the data, an option or the log cannot be used, Cancelled (with a sentence
    on what was kept) where `progress` says so.
    """
    from basisdesk.lab.sources import open_series

    return sweep_series(open_series(options.source), options, progress)


def sweep_series(
    series: PairSeries, options: SweepOptions, progress: Progress = no_progress
) -> dict[str, Any]:
    """The study over a series that is already open."""
    if len(series.t_ns) < 2:
        raise UserError(f"{series.name} has {len(series.t_ns)} rows: nothing to sweep over.")
    embargoed = options.splits._replace(embargo_h=series.terms.interval_h)
    options = options._replace(splits=embargoed)
    market = SeriesMarket(series, options.size)
    row = data_row(series)
    facts = {"data": row | {"halted": halted_said(series)}, "digest": row["digest"]}
    return sweep_market(market, facts, options, progress)


def sweep_market(
    market: Market, facts: dict[str, Any], options: SweepOptions, progress: Progress = no_progress
) -> dict[str, Any]:
    """The study over anything that trials can run on. facts: `data` as told, and its `digest`."""
    splits = _splits(options)
    cut = plan(market.first_ns, market.last_ns, splits)
    if leaks(cut, splits):
        raise RuleError("training reaches into a test of the walk-forward")
    search = search_for(options.search, options.axes, options.trials, options.seed)
    block = _registered(options, cut, search.trials, facts)
    seals = _seals(options.seals, facts["digest"])
    log = StudyLog(_log(options, block["hash"]), block["hash"], seals)
    try:
        log.begin(block)
        log.learns(market.name, market.first_ns, cut.sealed_ns)
        trials = _evaluated(market, options, cut, search, log, progress)
        log.count()
        judged = judge(market, trials, cut, options, log, progress)
    finally:
        log.close()
    return study_of(judged, cut, facts["data"], block, _made(options, facts))


def stretches_of(cut: Plan) -> tuple[tuple[int, int], ...]:
    """Spans of days that sums are kept of: everything learned from, each fold's, each month."""
    size = len(cut.days)
    learned = (0, size - cut.gap if cut.sealed_ns < cut.end_ns else size)
    folds = tuple((0, fold.train_end) for fold in cut.folds)
    edges = cut.edges.tolist()
    return (learned, *folds, *pairwise(edges))


def _splits(options: SweepOptions) -> Splits:
    hold = next(axis for axis in options.axes if axis.name == "max_hold_h")
    return options.splits._replace(hold_h=max(hold.values))


def _evaluated(
    market: Market,
    options: SweepOptions,
    cut: Plan,
    search: Search,
    log: StudyLog,
    progress: Progress,
) -> Trials:
    stretches = stretches_of(cut)
    run = _Run(log, search.trials, progress, len(FIGURES) + SUMS * len(stretches))
    shared = Shared(
        market.model, market.data(market.first_ns, cut.sealed_ns, options.charged), stretches
    )
    size = max(1, min(BATCH_TRIALS_MAX, BATCH_STEPS // max(market.rows, 1)))
    workers = _workers(options, market.rows * search.trials)
    with open_pool(Work(evaluate, shared), workers, options.scheduler) as pool:
        run.beat()
        while len(run.params) < search.trials:
            params = search.ask(search.round or search.trials)
            batches = run.asked(params, size)
            pool.run(batches, run.answer, run.beat)
            search.tell(_score(run.cells(params), stretches))
    return Trials(np.array(run.params), run.cells(np.array(run.params), 0), stretches)


def _score(cells: Floats, stretches: tuple[tuple[int, int], ...]) -> Floats:
    # Optuna hears of the first training alone: what it asks for next must know no test
    params = np.zeros((len(cells), len(PARAMETERS)))
    return Trials(params, cells, stretches).sharpe(1)


def _workers(options: SweepOptions, steps: int) -> int:
    if options.workers is not None:
        return options.workers
    return 0 if steps < HERE_STEPS else os.cpu_count() or 1


class _Run:
    """Trials of one sweep as they come in: numbered, logged, counted."""

    def __init__(self, log: StudyLog, total: int, progress: Progress, width: int) -> None:
        self.params: list[list[float]] = []
        self._log, self._total, self._progress, self._width = log, total, progress, width
        self._numbers: dict[int, list[int]] = {}

    def asked(self, params: Floats, size: int) -> dict[int, Floats]:
        """Number the next configurations; gives those to be run, in batches."""
        first = len(self.params)
        self.params.extend(params.tolist())
        left = [
            first + i
            for i, x in enumerate(params)
            if self._log.trial(first + i, x, self._width) is None
        ]
        self._numbers = {i: left[i : i + size] for i in range(0, len(left), size)}
        return {i: np.array([self.params[n] for n in ns]) for i, ns in self._numbers.items()}

    def answer(self, batch: int, cells: Floats) -> None:
        """A batch came back."""
        numbers = self._numbers[batch]
        params = np.array([self.params[n] for n in numbers])
        said = [{name: float(row[FIGURES.index(name)]) for name in SAID} for row in cells]
        self._log.keep(numbers, params, cells, said)

    def beat(self) -> None:
        """Tell how far it is; raises Cancelled where that is wished."""
        done = len(self._log.mine)
        if not self._progress(done, self._total, "trials"):
            raise self._log.cancelled(done, self._total)

    def cells(self, params: Floats, first: int | None = None) -> Floats:
        """What the last configurations gave (or all from `first`), in their order."""
        begin = len(self.params) - len(params) if first is None else first
        return np.array([self._log.mine[begin + i][1] for i in range(len(params))])


# --- the plan -------------------------------------------------------------------------------------


def _registered(
    options: SweepOptions, cut: Plan, trials: int, facts: dict[str, Any]
) -> dict[str, Any]:
    parameters = {
        axis.name: {"values": list(axis.values), "unit": axis.unit} for axis in options.axes
    }
    dates = {
        "learned_from": utc_text(cut.at(0)),
        "first_test": utc_text(cut.at(cut.folds[0].test)),
        "sealed_from": utc_text(cut.sealed_ns),
        "end": utc_text(cut.end_ns),
        "folds": len(cut.folds),
        "gap_days": cut.gap,
        "splits": _splits(options)._asdict(),
        "digest_of_data": facts["digest"],
    }
    searched = {
        "search": options.search,
        "seed": options.seed,
        "size": options.size._asdict(),
        "basisdesk": __version__,
    }
    costs = {"tier": options.tier if options.costs is None else "own", **options.charged._asdict()}
    return pre_registration(HYPOTHESIS, {**parameters, **searched}, trials, dates, costs)


def _made(options: SweepOptions, facts: dict[str, Any]) -> dict[str, Any]:
    # where it ran is left out: it changes nothing
    kept = options._asdict() | {"digest": digest(facts["digest"])}
    for name in ("workers", "scheduler", "study", "seals"):
        kept.pop(name)
    kept["source"] = _source(options.source)
    kept["axes"] = {axis.name: list(axis.values) for axis in options.axes}
    kept["size"], kept["splits"] = options.size._asdict(), _splits(options)._asdict()
    kept["costs"] = options.charged._asdict()
    return made_by("basisdesk lab sweep", kept)


def _source(source: Any) -> str:
    """The options of the data that were given, as they are typed: data=DIR, symbol=BTCUSDT."""
    given = source._asdict() if source is not None else {}
    said = (f"{name}={value}" for name, value in given.items() if value not in (None, ""))
    return ", ".join(said) or "given"


def _log(options: SweepOptions, plan_hash: str) -> Path | None:
    """The log that was named, else one of the profile's for this very plan; None without either."""
    if options.study is not None or options.seals is None:
        return options.study
    return options.seals / LOGS / f"{short(plan_hash)}.jsonl"


def _seals(folder: Path | None, of_data: str) -> Seals | None:
    return None if folder is None else Seals(folder / SEALS, of_data)
