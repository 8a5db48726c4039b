"""Which configurations a sweep looks at: grid, Sobol, or Optuna asking for them.

All of them live on a lattice of honest units (basis points from the fair basis, hours, whole
leverage), so two trials that differ by less than a step are one. How many there will be is known
before the first is run: that number deflates the Sharpe ratio of the best.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import product
from typing import Any, NamedTuple, Protocol

import numpy as np

from basisdesk.errors import UserError, extra_from
from basisdesk.lab.rule import PARAMETERS
from basisdesk.lab.series import Floats, Ints

TRIALS_MAX = 100_000  # of one sweep
LEVELS_MAX = 10_001  # of one parameter
POINTS_A_TRIAL = (
    64  # Sobol points drawn for each trial at most, where many fall on one lattice site
)
ROUND = 16  # trials that Optuna is asked for at once; fixed, so that workers do not matter
BITS = 30  # of a Sobol coordinate
SCALE = float(1 << BITS)

# Joe and Kuo, Constructing Sobol sequences with better two-dimensional projections, 2008 (their
# table new-joe-kuo-6): degree s, coefficients a and first numbers m of dimensions 2 to 6.
DIRECTIONS = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
)


class Axis(NamedTuple):
    """One parameter and the values it may take, rising or as chosen. unit: as a person reads it."""

    name: str
    values: tuple[float, ...]
    unit: str


class Search(Protocol):
    """Gives configurations in batches and hears how they did; the number is fixed beforehand."""

    trials: int
    round: int  # how many to ask for at once; 0: all

    def ask(self, count: int) -> Floats:
        """The next configurations, at most so many, float64[n, 6] in the order of PARAMETERS."""
        ...

    def tell(self, scores: Floats) -> None:
        """Scores of the configurations last asked for, in their order; higher is better."""
        ...


# What is searched where nothing else is said: 6 to 60 bp is where entries happen between the
# cheapest tier and twice the retail taker's cost; a stop or a hold without end is no plan; at
# leverage 1 the usual notional and its fees take more than the usual capital.
UNITS = {
    "direction": "1 rich, -1 cheap, 0 both",
    "entry_bp": "bp from fair",
    "exit_bp": "bp from fair",
    "stop_bp": "bp of widening",
    "max_hold_h": "h",
    "leverage": "x",
}
DEFAULT_AXES = (
    Axis("direction", (0.0,), UNITS["direction"]),
    Axis("entry_bp", tuple(np.arange(6.0, 61.0, 2.0).tolist()), UNITS["entry_bp"]),
    Axis("exit_bp", tuple(np.arange(-6.0, 6.1, 1.0).tolist()), UNITS["exit_bp"]),
    Axis("stop_bp", (20.0, 40.0, 80.0, 160.0), UNITS["stop_bp"]),
    Axis("max_hold_h", (8.0, 24.0, 72.0, 168.0), UNITS["max_hold_h"]),
    Axis("leverage", (2.0, 3.0, 5.0), UNITS["leverage"]),
)


# --- axes -----------------------------------------------------------------------------------------


def axes_of(texts: Sequence[str]) -> tuple[Axis, ...]:
    """All six axes: the usual ones, with those that were asked for in their place.

    A text is NAME=LOW:HIGH:STEP, NAME=A,B,C or NAME=VALUE. Raises UserError.
    """
    axes = {axis.name: axis for axis in DEFAULT_AXES}
    for text in texts:
        name, equals, right = text.partition("=")
        if name not in axes or not equals:
            raise UserError(
                f"--axis {text}: write NAME=LOW:HIGH:STEP or NAME=A,B,C with a name of "
                f"{', '.join(PARAMETERS)}."
            )
        axes[name] = Axis(name, _values(text, right), UNITS[name])
    return tuple(axes[name] for name in PARAMETERS)


def _values(text: str, right: str) -> tuple[float, ...]:
    try:
        if ":" not in right:
            return tuple(sorted({float(each) for each in right.split(",")}))
        low, high, step = (float(each) for each in right.split(":"))
    except ValueError as exc:
        raise UserError(f"--axis {text}: write LOW:HIGH:STEP or A,B,C in numbers.") from exc
    if not (step > 0.0 and low <= high and (high - low) / step < LEVELS_MAX):
        raise UserError(f"--axis {text}: LOW to HIGH in steps above 0, at most {LEVELS_MAX:,}.")
    count = int((high - low) / step + 1e-9) + 1
    return tuple(low + i * step for i in range(count))


def feasible(rows: Floats) -> Floats:
    """Those whose exit is not beyond their entry."""
    entry, leave = PARAMETERS.index("entry_bp"), PARAMETERS.index("exit_bp")
    return np.asarray(rows[rows[:, leave] <= rows[:, entry]])


def sites(axes: Sequence[Axis]) -> int:
    """Sites of the whole lattice, feasible or not."""
    count = 1
    for axis in axes:
        count *= len(axis.values)
    return count


# --- grid -----------------------------------------------------------------------------------------


def grid(axes: Sequence[Axis], trials: int) -> Floats:
    """Every combination, with the axes thinned until there are at most so many.

    Thinning keeps both ends of an axis and spreads the rest; the axis that has most values gives
    first. float64[n, axes].
    """
    levels = [len(axis.values) for axis in axes]
    while int(np.prod(np.array(levels, dtype=np.float64))) > max(trials, 1):
        levels[int(np.argmax(levels))] -= 1
    kept = [_spread(axis.values, count) for axis, count in zip(axes, levels, strict=True)]
    return feasible(np.array(list(product(*kept)), dtype=np.float64))


def _spread(values: tuple[float, ...], count: int) -> list[float]:
    if count == 1:
        return [values[len(values) // 2]]
    places = np.round(np.linspace(0.0, len(values) - 1.0, count)).astype(int)
    return [values[i] for i in places.tolist()]


# --- Sobol ----------------------------------------------------------------------------------------


def sobol_points(count: int, dims: int, seed: int | None = None, first: int = 0) -> Floats:
    """Points first to first + count of the Sobol sequence in [0, 1), float64[count, dims].

    Sobol, 1967, in the order of Gray codes (Antonov and Saleev, 1979), at most six dimensions.
    seed: None for the plain sequence, which begins at 0; else each coordinate is scrambled by a
    random lower triangular matrix of bits and a shift (Matousek, 1998), which keeps its evenness.
    """
    if not 1 <= dims <= len(DIRECTIONS) + 1:
        raise UserError(f"Sobol has 1 to {len(DIRECTIONS) + 1} dimensions here, not {dims}.")
    directions, shift = _directions(dims), np.zeros(dims, dtype=np.int64)
    if seed is not None:
        directions, shift = _scrambled(directions, np.random.default_rng(seed))
    index = np.arange(first, first + count, dtype=np.int64)
    gray = index ^ (index >> 1)
    found = np.tile(shift, (count, 1))
    for bit in range(BITS):
        found ^= ((gray >> bit) & 1)[:, None] * directions[:, bit]
    return np.asarray(found / SCALE)


def _directions(dims: int) -> Ints:
    # int64[dims, BITS]: direction numbers, the first bit highest
    rows = [[1 << (BITS - 1 - i) for i in range(BITS)]]
    for degree, coefficients, first in DIRECTIONS[: dims - 1]:
        row = [m << (BITS - 1 - i) for i, m in enumerate(first)]
        for i in range(degree, BITS):
            value = row[i - degree] ^ (row[i - degree] >> degree)
            for k in range(1, degree):
                if coefficients >> (degree - 1 - k) & 1:
                    value ^= row[i - k]
            row.append(value)
        rows.append(row)
    return np.array(rows, dtype=np.int64)


def _scrambled(directions: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    places = BITS - 1 - np.arange(BITS)  # of a bit, the highest first
    bits = (directions[:, :, None] >> places) & 1
    out = np.empty_like(directions)
    for dim in range(len(directions)):
        matrix = np.tril(rng.integers(0, 2, (BITS, BITS)), -1) + np.eye(BITS, dtype=np.int64)
        out[dim] = (bits[dim] @ matrix.T % 2 << places).sum(axis=1)
    return out, rng.integers(0, 1 << BITS, len(directions))


def sobol(axes: Sequence[Axis], trials: int, seed: int | None) -> Floats:
    """The first so many different feasible lattice sites that the Sobol sequence meets.

    Fewer only where the lattice has no more, or has so few more that 64 points a trial miss them.
    """
    rows: dict[tuple[float, ...], None] = {}
    wanted, first = min(trials, sites(axes)), 0
    while len(rows) < wanted and first < POINTS_A_TRIAL * wanted:
        points = sobol_points(wanted, len(axes), seed, first)
        first += wanted
        columns = [_at(axis.values, points[:, i]) for i, axis in enumerate(axes)]
        for row in feasible(np.stack(columns, axis=1)).tolist():
            rows.setdefault(tuple(row))
            if len(rows) == wanted:
                break
    return np.array(list(rows), dtype=np.float64).reshape(len(rows), len(axes))


def _at(values: tuple[float, ...], point: Floats) -> Floats:
    return np.asarray(np.array(values)[(point * len(values)).astype(np.int64)])


# --- searches -------------------------------------------------------------------------------------


class Listed:
    """Configurations that are all known beforehand; how they do changes nothing."""

    def __init__(self, rows: Floats) -> None:
        self.rows, self.trials, self.round = rows, len(rows), 0
        self._next = 0

    def ask(self, count: int) -> Floats:
        """The next ones of the list."""
        found = self.rows[self._next : self._next + count]
        self._next += len(found)
        return np.asarray(found)

    def tell(self, scores: Floats) -> None:
        """Nothing is learned."""


class Asking:
    """Optuna's TPE, in memory and seeded, asked and told by whole rounds.

    A round is asked at once and told in its own order, so that what comes next does not hang on
    which worker was faster. An exit beyond its entry is drawn back to it. Raises UserError where
    the extra is not installed.
    """

    def __init__(self, axes: Sequence[Axis], trials: int, seed: int) -> None:
        try:
            optuna: Any = import_module("optuna")
        except ImportError as exc:
            raise UserError(
                f"--search optuna needs the extra `optimise`: {extra_from('optimise')}; or "
                "choose --search sobol."
            ) from exc
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.trials, self.round = trials, ROUND
        self._axes = tuple(axes)
        self._left = trials
        self._study: Any = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed)
        )
        self._laws = {
            axis.name: optuna.distributions.IntDistribution(0, len(axis.values) - 1)
            for axis in axes
            if len(axis.values) > 1
        }
        self._asked: list[Any] = []

    def ask(self, count: int) -> Floats:
        """The next round, as TPE draws it from what it was told so far."""
        self._asked = [self._study.ask(self._laws) for _ in range(min(count, self._left))]
        self._left -= len(self._asked)
        rows = [list(self._row(trial)) for trial in self._asked]
        found = np.array(rows, dtype=np.float64).reshape(len(rows), len(self._axes))
        entry, leave = PARAMETERS.index("entry_bp"), PARAMETERS.index("exit_bp")
        found[:, leave] = np.minimum(found[:, leave], found[:, entry])
        return found

    def tell(self, scores: Floats) -> None:
        """Scores of the round last asked for."""
        for trial, score in zip(self._asked, scores.tolist(), strict=True):
            self._study.tell(trial, score)
        self._asked = []

    def _row(self, trial: Any) -> Iterator[float]:
        for axis in self._axes:
            place = trial.params.get(axis.name, 0)
            yield axis.values[place]


def search_for(kind: str, axes: Sequence[Axis], trials: int, seed: int) -> Search:
    """The search of that name: grid, sobol or optuna. Raises UserError."""
    if not 1 <= trials <= TRIALS_MAX:
        raise UserError(f"--trials is {trials:,}; a sweep has 1 to {TRIALS_MAX:,}.")
    if kind == "optuna":
        return Asking(axes, trials, seed)
    if kind not in ("grid", "sobol"):
        raise UserError(f"--search {kind} is unknown. Choose grid, sobol or optuna.")
    rows = grid(axes, trials) if kind == "grid" else sobol(axes, trials, seed)
    if not len(rows):
        raise UserError("No configuration is left: every exit is beyond its entry. Widen --axis.")
    return Listed(rows)
