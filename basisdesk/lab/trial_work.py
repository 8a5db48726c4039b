"""What one trial of a sweep is: a rule over a series, and the few sums that are kept of it.

A worker gets parameters by the block and gives back one row a trial: figures of the whole run,
then for each stretch of days the sum of its daily returns, the sum of their squares and the number
of trades entered. These sums are enough for every Sharpe ratio that a walk-forward,
a deflation or a cross-validation asks for, and small enough to log.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from basisdesk.lab.rule import PARAMETERS, Costs, Size
from basisdesk.lab.series import Floats, Ints, PairSeries
from basisdesk.lab.statistics import sharpes

if TYPE_CHECKING:
    from basisdesk.lab.kernel import Table

# Of a trial's whole run, money in the account's currency. refused: 1 where its capital did not pay
# an entry, which ended it.
FIGURES = (
    "trades", "wins", "liquidated", "refused", "net", "basis", "funding", "fees", "slippage",
    "borrow", "residual", "max_drawdown", "hours",
)  # fmt: skip
SUMS = 3  # of returns, of their squares, of entries

DAY_NS = 86_400 * 1_000_000_000

Ran = tuple[Floats, Floats, Floats]
Model = Callable[[Any, Floats], Ran]


class Market(Protocol):
    """What a sweep runs on. `model(data, params)` gives (figures, daily returns, daily entries).

    params: float64[n, 6] in the order of PARAMETERS; figures: float64[n, len(FIGURES)]; returns on
    capital and entries: float64[n, UTC days of the span]. A row's hang on that row alone. rows: of
    the data, for the size of batches; name: of the data, which the sealed part is noted under.
    """

    name: str
    model: Model
    first_ns: int
    last_ns: int
    rows: int

    def data(self, first_ns: int, end_ns: int, costs: Costs) -> Any:
        """The rows from first to before end, ready for the model; picklable."""
        ...


class Shared(NamedTuple):
    """What all batches need. stretches: (first day, end day) of each."""

    model: Model
    data: Any
    stretches: tuple[tuple[int, int], ...]


class Columns(NamedTuple):
    """A span of a series as the kernel takes it. edges_ns: midnights between its UTC days.

    table: None where the span has no rows, so that nothing can be traded in it.
    """

    table: "Table | None"
    costs: Costs
    size: Size
    edges_ns: Ints


class SeriesMarket:
    """A pair's series, run by the compiled kernel."""

    def __init__(self, series: PairSeries, size: Size) -> None:
        self.series, self.size = series, size
        self.name = series.name
        self.model: Model = kernel_model
        self.first_ns, self.last_ns = int(series.t_ns[0]), int(series.t_ns[-1])
        self.rows = len(series.t_ns)

    def data(self, first_ns: int, end_ns: int, costs: Costs) -> Columns:
        """The rows of that span as the kernel takes them."""
        from basisdesk.lab.kernel import prepare

        first, end = np.searchsorted(self.series.t_ns, (first_ns, end_ns)).tolist()
        days = -(-end_ns // DAY_NS) - first_ns // DAY_NS
        edges = (first_ns // DAY_NS + np.arange(days + 1, dtype=np.int64)) * DAY_NS
        table = prepare(self.series.cut(first, end), costs, self.size) if end > first else None
        return Columns(table, costs, self.size, edges)


def kernel_model(data: Columns, params: Floats) -> Ran:
    """Figures, daily returns on capital and daily entries, by the compiled kernel."""
    from basisdesk.lab.kernel import run_many

    days = len(data.edges_ns) - 1
    if data.table is None:
        return np.zeros((len(params), len(FIGURES))), *np.zeros((2, len(params), days))
    found = run_many(data.table, params, data.costs, data.size, data.edges_ns)
    figures = np.stack([found.rows[name].astype(np.float64) for name in FIGURES], axis=1)
    return figures, found.daily / data.size.capital, found.entries.astype(np.float64)


def filled_later(market: Market, data: Any) -> Any:
    """The same data, what is decided on a bar's close filled at the next one's; None of no bars."""
    from basisdesk.lab.kernel import later

    if not isinstance(market, SeriesMarket) or market.series.kind != "bars":
        return None
    return data if data.table is None else data._replace(table=later(data.table))


def evaluate(shared: Shared, params: Floats) -> Floats:
    """One row a trial: its figures, then SUMS for each stretch. This is what workers run."""
    figures, daily, entries = shared.model(shared.data, params)
    sums = (_running(daily), _running(daily**2), _running(entries))
    columns = [each[:, end] - each[:, first] for first, end in shared.stretches for each in sums]
    return np.concatenate((figures, np.stack(columns, axis=1)), axis=1)


def _running(values: Floats) -> Floats:
    # summed day after day, so that a row's sums do not hang on how many rows there are
    out = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=out[:, 1:], dtype=np.float64)
    return out


class Trials:
    """All trials of a study in the order of their numbers, and their sums by stretch.

    params: float64[n, 6]; cells: as `evaluate` gave them.
    """

    def __init__(self, params: Floats, cells: Floats, stretches: Sequence[tuple[int, int]]) -> None:
        self.params, self.stretches = params, tuple(stretches)
        self._figures = cells[:, : len(FIGURES)]
        self._sums = cells[:, len(FIGURES) :].reshape(len(cells), len(self.stretches), SUMS)

    def __len__(self) -> int:
        return len(self.params)

    def figure(self, name: str) -> Floats:
        """One figure of the whole run of each trial."""
        return np.asarray(self._figures[:, FIGURES.index(name)])

    def days(self, stretch: int) -> int:
        """Days of a stretch."""
        first, end = self.stretches[stretch]
        return end - first

    def sharpe(self, stretch: int) -> Floats:
        """Daily Sharpe ratio of each trial over a stretch."""
        sums = self._sums[:, stretch]
        return sharpes(sums[:, 0], sums[:, 1], float(self.days(stretch)))

    def entries(self, stretch: int) -> Floats:
        """Trades that each trial entered in a stretch."""
        return np.asarray(self._sums[:, stretch, 2])

    def parts(self, chosen: range) -> tuple[Floats, Floats, Ints]:
        """(sums, sums of squares) float64[stretches, trials] and the days of each stretch."""
        days = np.array([self.days(i) for i in chosen], dtype=np.int64)
        picked = self._sums[:, chosen.start : chosen.stop]
        return picked[:, :, 0].T, picked[:, :, 1].T, days


def rule_text(x: Sequence[float]) -> dict[str, float]:
    """A configuration by the names of its parameters."""
    return dict(zip(PARAMETERS, (float(each) for each in x), strict=True))
