"""The lab: quotes a second through the engine and the kernel, and a sweep over a year of minutes.

Engine and kernel walk the same stream by the same rule in one run. Before the clock starts the
engine has its frames and the kernel its columns; `lab.frames_s` and `lab.prepare_s` say how long
that takes. packaging/compare_nautilus.py walks the same stream in NautilusTrader beside them.
"""

import gc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, product
from multiprocessing import get_context
from time import process_time
from typing import NamedTuple

import numpy as np

from basisdesk.app.bench.lab_stream import minute_year, quote_stream
from basisdesk.clock import mono_s
from basisdesk.events import Frame
from basisdesk.lab.backtest import BacktestResult, begun, result, walk
from basisdesk.lab.kernel import Table, prepare, run, run_many
from basisdesk.lab.rule import TIERS, BandRule, Size
from basisdesk.lab.series import Floats, PairSeries
from basisdesk.lab.series_frames import legs_of, row_frames
from basisdesk.lab.shown import shown

RULE = BandRule(direction=0, entry_bp=25.0, exit_bp=0.0, stop_bp=60.0, max_hold_h=6.0, leverage=3.0)
COSTS, SIZE = TIERS["taker"], Size()
BENCH_QUOTES = 250_000
CHUNK = 50_000  # rows whose frames are in memory at once
REPEATS = 5
STEP_TRIALS = 400
SWEEP_TRIALS = 10_000
SWEEP_BATCH = 250
WORKERS = 2


class Walked(NamedTuple):
    """A timed walk. seconds, cpu_s: of the walk alone; made_s: of what it was given."""

    result: BacktestResult
    seconds: float
    cpu_s: float
    made_s: float


def measure_lab() -> dict[str, float]:
    """lab.engine_ticks_per_s and, with numba, the kernel's figures beside it and a sweep."""
    from basisdesk.lab.jit import COMPILED

    series = quote_stream(BENCH_QUOTES)
    walked = time_engine(series)
    ticks = len(series.t_ns) / walked.seconds
    figures = {
        "lab.engine_ticks_per_s": ticks,
        "lab.frames_s": walked.made_s,
        "lab.compiled": float(COMPILED),
    }
    if not COMPILED:  # plain Python would take hours for the rest
        return figures
    begin_s = mono_s()
    run(series.cut(0, 1_000), RULE, COSTS, SIZE)
    figures["lab.compile_s"] = mono_s() - begin_s
    begin_s = mono_s()
    table = prepare(series, COSTS, SIZE)
    figures["lab.prepare_s"] = mono_s() - begin_s
    jumps, steps = (time_kernel(table, stepwise=each) for each in (False, True))
    figures["lab.kernel_over_engine"] = walked.seconds / jumps
    figures["lab.kernel_stepwise_over_engine"] = walked.seconds / steps
    figures["lab.trades_equal"] = float(same_trades(walked.result, run(table, RULE, COSTS, SIZE)))
    return figures | _sweeps()


def time_engine(series: PairSeries) -> Walked:
    """The rule over the stream in the engine; frames are made beforehand, part by part."""
    begin_s = mono_s()
    view = shown(series, COSTS, SIZE)
    engine, driver = begun(series, view, RULE, COSTS, SIZE)
    rows = zip(view.t_ns.tolist(), row_frames(legs_of(series), view, 8.0), strict=True)
    frames, left, took_s, cpu_s = 0, len(view.t_ns), 0.0, 0.0
    for part in _parts(rows):
        left -= len(part)
        gc.collect(0)
        start_s, start_cpu_s = mono_s(), process_time()
        frames += walk(engine, driver, part, (SIZE, view.lot), ends=not left)
        took_s, cpu_s = took_s + mono_s() - start_s, cpu_s + process_time() - start_cpu_s
    made_s = mono_s() - begin_s - took_s
    return Walked(result(engine, driver, view, frames, SIZE), took_s, cpu_s, made_s)


def _parts(
    rows: Iterator[tuple[int, list[Frame]]],
) -> Iterator[list[tuple[int, list[Frame]]]]:
    while part := list(islice(rows, CHUNK)):
        yield part


def time_kernel(table: Table, *, stepwise: bool) -> float:
    """Seconds of the rule over prepared columns, best of some."""
    took = []
    for _ in range(REPEATS):
        start_s = mono_s()
        run(table, RULE, COSTS, SIZE, stepwise=stepwise)
        took.append(mono_s() - start_s)
    return min(took)


def same_trades(
    of_engine: BacktestResult, of_kernel: np.ndarray[tuple[int], np.dtype[np.void]]
) -> bool:
    """Whether both made the same trades, and each nets the same to the cent."""
    trades = of_engine.trades
    names = ("entry_ns", "exit_ns", "direction", "why")
    return (
        len(trades) == len(of_kernel)
        and all(np.array_equal(trades[name], of_kernel[name]) for name in names)
        and bool(np.all(np.abs(trades["net"] - of_kernel["net"]) < 0.005))
    )


# --- a sweep over a year of minutes ---------------------------------------------------------------


def sweep_params(count: int = SWEEP_TRIALS) -> Floats:
    """A grid of `count` trials, the parameters in the kernel's order."""
    grid = product(
        (0.0, 1.0),
        np.linspace(4.0, 22.0, 10),
        np.linspace(-4.0, 2.0, 10),
        (10.0, 20.0, 40.0, 80.0, np.inf),
        (4.0, 12.0, 24.0, 72.0, np.inf),
        (2.0, 5.0),
    )
    return np.array(list(islice(grid, count)), dtype=np.float64)


def _sweeps() -> dict[str, float]:
    """Bar-steps a second of one core, and the seconds of a whole sweep on WORKERS processes."""
    table = prepare(minute_year(), COSTS, SIZE)
    rows = len(table.view.t_ns)
    some = sweep_params()[:: SWEEP_TRIALS // STEP_TRIALS]
    run_many(table, some[:2], COSTS, SIZE)  # compiled now
    start_s = mono_s()
    run_many(table, some, COSTS, SIZE)
    rate = rows * len(some) / (mono_s() - start_s)
    few = some[::20]
    start_s = mono_s()
    run_many(table, few, COSTS, SIZE, stepwise=True)
    stepwise = rows * len(few) / (mono_s() - start_s)
    start_s = mono_s()
    trades = sweep()
    return {
        "lab.kernel_steps_per_s": rate,
        "lab.kernel_stepwise_steps_per_s": stepwise,
        "lab.sweep_trials": float(SWEEP_TRIALS),
        "lab.sweep_rows": float(rows),
        "lab.sweep_trades": float(trades),
        "lab.sweep_s": mono_s() - start_s,
    }


def sweep() -> int:
    """All trials on WORKERS processes, their start and their series included; trades made."""
    starts = range(0, SWEEP_TRIALS, SWEEP_BATCH)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(_batch, starts))


_tables: list[Table] = []  # of a worker process: made once


def _batch(start: int) -> int:
    if not _tables:
        _tables.append(prepare(minute_year(), COSTS, SIZE))
    params = sweep_params()[start : start + SWEEP_BATCH]
    return int(run_many(_tables[0], params, COSTS, SIZE).rows["trades"].sum())
