"""Judging a sweep: what the best in sample is worth where it was not chosen.

A configuration is chosen by the Sharpe ratio of its daily returns on capital over the days learned
from, among those with at least TRADES_MIN entries in them; where none of these is above zero the
choice is not to trade, which earns nothing. Each test is a run of its own from a flat start to a
flat end over the test's rows alone, so no position is carried over a refit.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from basisdesk.lab.rule import PARAMETERS, TIERS, Costs
from basisdesk.lab.search import Axis
from basisdesk.lab.series import Floats
from basisdesk.lab.statistics import (
    Interval,
    Moments,
    Overfit,
    block_mean,
    block_sharpe,
    calendar_blocks,
    cvar,
    deflated_sharpe,
    luck,
    max_drawdown,
    moments,
    overfitting,
    paired_mean,
    psr,
    sharpe_needed,
)
from basisdesk.lab.trial_work import FIGURES, Market, Trials, filled_later
from basisdesk.lab.trials import Learned, StudyLog
from basisdesk.lab.walk_forward import DAY_NS, Plan
from basisdesk.lab.words import Progress, told

if TYPE_CHECKING:
    from basisdesk.lab.sweep import SweepOptions

TRADES_MIN = 5  # entries that a choice must have had in its training
BLOCK_DAYS = 7.0  # of the bootstrap; as long as the longest hold where that is longer
HEAT_CELLS_MAX = 12  # along each side of the map
LATER = "filled one bar later"
CARRY = (1.0, -np.inf, -np.inf, np.inf, np.inf, 2.0)  # long spot, short perpetual, always


class Choice(NamedTuple):
    """A configuration and its daily Sharpe where it was chosen.

    number: of the trial; None where none was worth trading, x is empty then.
    """

    number: int | None
    x: tuple[float, ...]
    sharpe: float


class Tested(NamedTuple):
    """Daily returns on capital over days it was not chosen on, and what else was counted.

    refused: runs that ended early, since what was left of the capital did not pay an entry.
    """

    daily: Floats
    trades: int
    liquidated: int
    refused: int
    net: float


class FoldResult(NamedTuple):
    """One fold: places of its days in the plan, its choice, what that gave by name of the costs."""

    train_end: int
    test: int
    test_end: int
    chosen: Choice
    tested: dict[str, Tested]


class Outside(NamedTuple):
    """The walk-forward under one set of costs. yearly: mean return on capital, fraction a year."""

    name: str
    round_trip_bp: float
    trades: int
    liquidated: int
    refused: int
    net: float
    yearly: Interval
    sharpe: Interval
    psr: float
    cvar: float
    drawdown: float
    daily: Floats


class Heat(NamedTuple):
    """Mean annual Sharpe over all trials in each cell. cells: float64[y, x], NaN where none is."""

    x: Axis
    y: Axis
    x_values: tuple[float, ...]
    y_values: tuple[float, ...]
    cells: Floats


class Plateau(NamedTuple):
    """The best beside its surroundings, annual Sharpe.

    near: mean of so many nearest configurations (neighbours); positive: share above zero.
    """

    best: float
    near: float
    neighbours: int
    positive: float


class Sealed(NamedTuple):
    """The sealed part. opened: when, empty: not; tested: None where it was not looked at.

    why: why it was not, one sentence.
    """

    opened: str
    tested: Tested | None
    yearly: Interval | None
    why: str


class Judged(NamedTuple):
    """Everything that was found.

    deflated: by the spread of these trials (sd_trials), deflated_null: by that of as many worthless
    ones. outside: by costs, the charged ones first; carry: always-on carry over the same days;
    over_carry: walk-forward minus it, fraction a year. late: of bars, the walk-forward at the
    charged costs with each order filled on the bar after the one that decided.
    """

    trials: Trials
    best: Choice
    best_moments: Moments
    best_daily: Floats
    evaluated: int
    others: int
    sd_trials: float
    luck: float
    deflated: float
    deflated_null: float
    needed: float
    overfit: Overfit | None
    folds: tuple[FoldResult, ...]
    outside: tuple[Outside, ...]
    carry: Outside
    over_carry: Interval
    heat: Heat | None
    plateau: Plateau | None
    sealed: Sealed
    damaged: int
    late: Outside | None = None


def judge(
    market: Market,
    trials: Trials,
    cut: Plan,
    options: "SweepOptions",
    log: StudyLog,
    progress: Progress,
) -> Judged:
    """Judge all trials of a sweep. Raises Cancelled where `progress` says so."""
    best = chosen(trials, 0)
    data = market.data(market.first_ns, cut.sealed_ns, options.charged)
    daily = _run(market, data, best.x).daily[: trials.days(0)]
    found = moments(daily)
    ratios = trials.sharpe(0)
    sd = float(np.std(ratios, ddof=1)) if len(trials) > 1 else 0.0
    folds = _folds(market, trials, cut, options, progress)
    outside = _outside(folds, cut, options)
    carry = _carry(market, cut, options)
    blocks = _blocks(cut, options)
    months = range(1 + len(cut.folds), len(trials.stretches))
    return Judged(
        trials=trials,
        best=best,
        best_moments=found,
        best_daily=daily,
        evaluated=log.evaluated,
        others=log.others,
        sd_trials=sd,
        luck=luck(log.evaluated, sd),
        deflated=deflated_sharpe(found, log.evaluated, sd),
        deflated_null=deflated_sharpe(found, log.evaluated, 1.0 / np.sqrt(max(found.n - 1.0, 1.0))),
        needed=sharpe_needed(found.n, log.evaluated, found.skew, found.kurtosis, sd or None),
        overfit=overfitting(*_as_floats(trials.parts(months))),
        folds=folds,
        outside=outside,
        carry=carry,
        over_carry=_yearly(paired_mean(outside[0].daily, carry.daily, blocks, options.seed)),
        heat=heat_map(trials, options.axes, options.heat),
        plateau=plateau(trials, options.axes, best),
        sealed=_sealed(market, best, cut, options, log),
        damaged=log.damaged,
        late=_late(folds, cut, options),
    )


def chosen(trials: Trials, stretch: int) -> Choice:
    """The best of all trials over a stretch; of equals the first."""
    ratios = np.where(trials.entries(stretch) >= TRADES_MIN, trials.sharpe(stretch), -np.inf)
    number = int(np.argmax(ratios))
    if not ratios[number] > 0.0:
        return Choice(None, (), 0.0)
    return Choice(number, tuple(trials.params[number].tolist()), float(ratios[number]))


# --- out of sample --------------------------------------------------------------------------------


def cost_sets(options: "SweepOptions") -> dict[str, Costs]:
    """The charged costs first, then every tier, then the charged ones doubled."""
    own = "own costs" if options.costs is not None else options.tier
    sets = {own: options.charged}
    sets.update({name: costs for name, costs in TIERS.items() if name != own})
    sets[f"2 x {own}"] = options.charged.times(2.0)
    return sets


def _run(market: Market, data: Any, x: Sequence[float]) -> Tested:
    row = np.array([x or CARRY], dtype=np.float64)
    figures, daily, _ = market.model(data, row)
    if not x:  # not trading earns nothing, on as many days
        return Tested(np.zeros(daily.shape[1]), 0, 0, 0, 0.0)
    said = dict(zip(FIGURES, figures[0].tolist(), strict=True))
    trades, liquidated, refused = (int(said[n]) for n in ("trades", "liquidated", "refused"))
    return Tested(daily[0], trades, liquidated, refused, said["net"])


def _folds(
    market: Market, trials: Trials, cut: Plan, options: "SweepOptions", progress: Progress
) -> tuple[FoldResult, ...]:
    found = []
    sets = cost_sets(options)
    for i, fold in enumerate(cut.folds):
        told(progress, i, len(cut.folds), "tests of the walk-forward")
        choice = chosen(trials, 1 + i)
        span = cut.at(fold.test), cut.at(fold.test_end)
        tested = {
            name: _run(market, market.data(*span, costs), choice.x) for name, costs in sets.items()
        }
        late = filled_later(market, market.data(*span, options.charged))
        if late is not None:
            tested[LATER] = _run(market, late, choice.x)
        found.append(FoldResult(*fold, choice, tested))
    return tuple(found)


def _outside(
    folds: Sequence[FoldResult], cut: Plan, options: "SweepOptions"
) -> tuple[Outside, ...]:
    sets = cost_sets(options).items()
    return tuple(
        _outside_of(name, costs, _joined(folds, name), cut, options) for name, costs in sets
    )


def _late(folds: Sequence[FoldResult], cut: Plan, options: "SweepOptions") -> Outside | None:
    if not folds or LATER not in folds[0].tested:
        return None
    return _outside_of(LATER, options.charged, _joined(folds, LATER), cut, options)


def _joined(folds: Sequence[FoldResult], name: str) -> Tested:
    parts = [fold.tested[name] for fold in folds]
    return Tested(
        np.concatenate([part.daily for part in parts]),
        sum(part.trades for part in parts),
        sum(part.liquidated for part in parts),
        sum(part.refused for part in parts),
        sum(part.net for part in parts),
    )


def _carry(market: Market, cut: Plan, options: "SweepOptions") -> Outside:
    span = cut.at(cut.folds[0].test), cut.at(cut.folds[-1].test_end)
    tested = _run(market, market.data(*span, options.charged), CARRY)
    return _outside_of("always-on carry", options.charged, tested, cut, options)


def _outside_of(
    name: str, costs: Costs, tested: Tested, cut: Plan, options: "SweepOptions"
) -> Outside:
    blocks = _blocks(cut, options)
    found = moments(tested.daily)
    return Outside(
        name=name,
        round_trip_bp=costs.round_trip_bp,
        trades=tested.trades,
        liquidated=tested.liquidated,
        refused=tested.refused,
        net=tested.net,
        yearly=_yearly(block_mean(tested.daily, blocks, options.seed)),
        sharpe=block_sharpe(tested.daily, blocks, options.seed),
        psr=psr(found.sharpe, found.n, found.skew, found.kurtosis),
        cvar=cvar(tested.daily),
        drawdown=max_drawdown(tested.daily),
        daily=tested.daily,
    )


def _blocks(cut: Plan, options: "SweepOptions") -> Any:
    first, end = cut.folds[0].test, cut.folds[-1].test_end
    return calendar_blocks(cut.days[first:end], block_days(options))


def block_days(options: "SweepOptions") -> float:
    """Days of one block of the bootstrap: no shorter than the longest hold."""
    hold = next(axis for axis in options.axes if axis.name == "max_hold_h")
    return float(max(BLOCK_DAYS, np.ceil(max(hold.values) / 24.0)))


def _yearly(day: Interval) -> Interval:
    return Interval(day.value * 365.0, day.low * 365.0, day.high * 365.0, day.blocks)


def _as_floats(parts: tuple[Any, Any, Any]) -> tuple[Floats, Floats, Floats]:
    return parts[0], parts[1], parts[2].astype(np.float64)


# --- the sealed part ------------------------------------------------------------------------------


def _sealed(
    market: Market, best: Choice, cut: Plan, options: "SweepOptions", log: StudyLog
) -> Sealed:
    if cut.sealed_ns >= cut.end_ns:
        return Sealed("", None, None, "Nothing was sealed.")
    known = log.opened(market.name, cut.sealed_ns, cut.end_ns)
    if known is not None and known.study != log.study:
        how = "learned from" if isinstance(known, Learned) else "opened"
        why = f"It was {how} on {known.utc} by another study; it can be opened once."
        return Sealed(known.utc, None, None, why)
    if known is None and not options.open_sealed:
        return Sealed("", None, None, "It stays sealed; --open-sealed looks at it, once.")
    if known is None and not log.notes:
        return Sealed("", None, None, "Without a --study file nothing notes that it was opened.")
    noted = known or log.open_sealed(market.name, cut.sealed_ns, cut.end_ns)
    tested = _run(market, market.data(cut.sealed_ns, cut.end_ns, options.charged), best.x)
    days = cut.sealed_ns + DAY_NS * np.arange(len(tested.daily), dtype=np.int64)
    blocks = calendar_blocks(days, block_days(options))
    yearly = _yearly(block_mean(tested.daily, blocks, options.seed))
    return Sealed(noted.utc, tested, yearly, "")


# --- peak or plateau ------------------------------------------------------------------------------


def heat_map(trials: Trials, axes: Sequence[Axis], asked: Sequence[str]) -> Heat | None:
    """Mean Sharpe over two parameters; None where fewer than two were searched."""
    wide = sorted((a for a in axes if len(a.values) > 1), key=lambda a: -len(a.values))
    named = [axis for name in asked for axis in axes if axis.name == name]
    if len(wide) < 2 and len(named) < 2:
        return None
    x, y = named if len(named) == 2 else wide[:2]
    ratios = trials.sharpe(0) * np.sqrt(365.0)
    columns, x_values = _binned(trials, x)
    rows, y_values = _binned(trials, y)
    place = rows * len(x_values) + columns
    size = len(x_values) * len(y_values)
    count = np.bincount(place, minlength=size)
    sums = np.bincount(place, weights=ratios, minlength=size)
    cells = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return Heat(x, y, x_values, y_values, cells.reshape(len(y_values), len(x_values)))


def _binned(trials: Trials, axis: Axis) -> tuple[Any, tuple[float, ...]]:
    # (bin of each trial, middle value of each bin)
    values = np.array(axis.values)
    bins = min(len(values), HEAT_CELLS_MAX)
    column = trials.params[:, PARAMETERS.index(axis.name)]
    at = np.searchsorted(values, column - 1e-9).clip(0, len(values) - 1)
    edges = np.arange(len(values)) * bins // len(values)
    middles = tuple(float(values[edges == b].mean()) for b in range(bins))
    return edges[at], middles


def plateau(trials: Trials, axes: Sequence[Axis], best: Choice) -> Plateau | None:
    """The best beside its nearest neighbours: two for each parameter that was searched.

    Distance is counted in steps of the lattice over the number of steps of its axis. None where
    nothing was chosen or there is nothing beside it.
    """
    used = [axis for axis in axes if len(axis.values) > 1]
    count = min(2 * len(used), len(trials) - 1)
    if best.number is None or count < 1:
        return None
    away = np.zeros(len(trials))
    for axis in used:
        column = trials.params[:, PARAMETERS.index(axis.name)]
        at = np.searchsorted(np.array(axis.values), column - 1e-9) / (len(axis.values) - 1)
        away += (at - at[best.number]) ** 2
    near = np.argsort(away, kind="stable")[: count + 1]
    near = near[near != best.number][:count]
    ratios = trials.sharpe(0)[near] * np.sqrt(365.0)
    return Plateau(
        best.sharpe * float(np.sqrt(365.0)),
        float(ratios.mean()),
        len(near),
        float(np.mean(ratios > 0.0)),
    )
