"""Which configurations a sweep looks at: known beforehand, different, on the lattice."""

import sys

import numpy as np
import pytest

from basisdesk.errors import UserError
from basisdesk.lab.search import (
    DEFAULT_AXES,
    Asking,
    axes_of,
    feasible,
    grid,
    search_for,
    sobol,
    sobol_points,
)

# Joe and Kuo's own program prints these for three dimensions; scipy 1.17 agrees with all 4,096 x 6
# first numbers (looked at once, scipy is no dependency).
FIRST = [
    [0.0, 0.0, 0.0],
    [0.5, 0.5, 0.5],
    [0.75, 0.25, 0.25],
    [0.25, 0.75, 0.75],
    [0.375, 0.375, 0.625],
    [0.875, 0.875, 0.125],
    [0.625, 0.125, 0.875],
    [0.125, 0.625, 0.375],
    [0.1875, 0.3125, 0.9375],
    [0.6875, 0.8125, 0.4375],
]
TENTH_OF_SIX = [0.6875, 0.8125, 0.4375, 0.9375, 0.0625, 0.8125]


def test_sobol_begins_as_published() -> None:
    assert sobol_points(10, 3).tolist() == FIRST
    assert sobol_points(1, 6, first=9).tolist() == [TENTH_OF_SIX]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_sobol_fills_every_cell_once(seed: int | None) -> None:
    # of 2^k points each of 2^k equal slices of every axis holds one
    points = sobol_points(256, 6, seed)
    for column in (points * 256.0).astype(int).T:
        assert sorted(column.tolist()) == list(range(256))
    assert points.min() >= 0.0
    assert points.max() < 1.0


def test_scrambling_hangs_on_the_seed_alone() -> None:
    assert np.array_equal(sobol_points(64, 4, 3), sobol_points(64, 4, 3))
    assert not np.array_equal(sobol_points(64, 4, 3), sobol_points(64, 4, 4))
    assert np.array_equal(sobol_points(64, 4, 3)[32:], sobol_points(32, 4, 3, first=32))


def test_seven_dimensions_are_refused() -> None:
    with pytest.raises(UserError, match="1 to 6 dimensions"):
        sobol_points(1, 7)


def test_trials_differ_and_lie_on_the_lattice() -> None:
    rows = sobol(DEFAULT_AXES, 500, 7)
    assert len({tuple(row) for row in rows.tolist()}) == len(rows) == 500
    for axis, column in zip(DEFAULT_AXES, rows.T, strict=True):
        assert set(column.tolist()) <= set(axis.values)


def test_a_small_lattice_has_only_so_many_trials() -> None:
    axes = axes_of(["entry_bp=10,20", "exit_bp=0", "stop_bp=40", "max_hold_h=24", "leverage=1,2"])
    assert len(sobol(axes, 100, 7)) == 4
    assert search_for("grid", axes, 100, 7).trials == 4


@pytest.mark.parametrize("trials", [1, 2, 7, 100, 999, 5_000])
def test_a_grid_has_at_most_as_many_as_asked_and_keeps_its_ends(trials: int) -> None:
    rows = grid(DEFAULT_AXES, trials)
    assert 1 <= len(rows) <= trials
    if trials >= 100:
        assert len(rows) > trials / 2
        entry = rows[:, 1]
        assert {6.0, 60.0} <= set(entry.tolist())


def test_an_exit_beyond_the_entry_is_no_trial() -> None:
    axes = axes_of(["entry_bp=0,10", "exit_bp=-5,5"])
    for rows in (grid(axes, 10_000), sobol(axes, 10_000, 1)):
        assert len(feasible(rows)) == len(rows)
        assert {(0.0, 5.0)}.isdisjoint({tuple(pair) for pair in rows[:, 1:3].tolist()})
    with pytest.raises(UserError, match="exit is beyond its entry"):
        search_for("grid", axes_of(["entry_bp=0", "exit_bp=5"]), 10, 1)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("entry_bp=5:20:5", (5.0, 10.0, 15.0, 20.0)),
        ("entry_bp=5:19:5", (5.0, 10.0, 15.0)),
        ("entry_bp=0:0.3:0.1", (0.0, 0.1, 0.2, pytest.approx(0.3))),
        ("entry_bp=20,10,10", (10.0, 20.0)),
        ("entry_bp=7", (7.0,)),
    ],
)
def test_axes_as_written(text: str, values: tuple[float, ...]) -> None:
    assert axes_of([text])[1].values == values
    assert axes_of([text])[0] == DEFAULT_AXES[0]


@pytest.mark.parametrize(
    "text",
    ["speed=1", "entry_bp", "entry_bp=a,b", "entry_bp=1:2", "entry_bp=2:1:1", "exit_bp=0:1:0"],
)
def test_axes_badly_written(text: str) -> None:
    with pytest.raises(UserError, match="--axis"):
        axes_of([text])


@pytest.mark.parametrize("trials", [0, -1, 100_001])
def test_the_number_of_trials_has_limits(trials: int) -> None:
    with pytest.raises(UserError, match="--trials"):
        search_for("sobol", DEFAULT_AXES, trials, 1)


def test_an_unknown_search_is_named() -> None:
    with pytest.raises(UserError, match="--search random"):
        search_for("random", DEFAULT_AXES, 1, 1)


def test_without_optuna_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"pip install basisdesk\[optimise\]"):
        search_for("optuna", DEFAULT_AXES, 10, 1)


def test_optuna_asks_the_same_again_and_never_too_often() -> None:
    pytest.importorskip("optuna", reason="the extra `optimise` is not installed")

    def asked(seed: int) -> list[list[float]]:
        search = Asking(DEFAULT_AXES, 40, seed)
        rows: list[list[float]] = []
        while len(found := search.ask(search.round)):
            search.tell(-np.abs(found[:, 1] - 30.0))
            rows += found.tolist()
        return rows

    rows = asked(3)
    assert len(rows) == 40
    assert rows == asked(3)
    assert rows != asked(4)
    late = np.array(rows)[24:, 1]
    assert np.abs(late - 30.0).mean() < np.abs(np.array(rows)[:10, 1] - 30.0).mean()
