"""The same rule on the same quotes in NautilusTrader, in the desk's engine and in the kernel.

    python -m venv /tmp/nautilus && /tmp/nautilus/bin/pip install nautilus_trader==1.221.0
    .venv/bin/python packaging/compare_nautilus.py --nautilus /tmp/nautilus/bin/python

NautilusTrader lives in a venv of its own and is only compared with; the desk never imports it. All
three get what they read before their clock starts: Nautilus its QuoteTick objects, the engine the
bytes of a venue's messages, the kernel its columns. The engine decodes them, keeps books, funding,
margin and an exact ledger; Nautilus matches orders and keeps an account. Runs take turns, and the
best of each counts, by wall clock and by CPU time; the latter is judged, since neighbours on a busy
machine cost it less.
Prints one JSON object; ends with 1 where the trades differ or a target is missed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from basisdesk.app.bench.lab import COSTS, RULE, SIZE, same_trades, time_engine, time_kernel
from basisdesk.app.bench.lab_stream import QUOTES, quote_stream
from basisdesk.lab.kernel import hold_ns, prepare, run
from basisdesk.lab.rule import fair_bounds_bp, lines
from basisdesk.lab.series import PairSeries
from basisdesk.lab.shown import shown

BESIDE = Path(__file__).parent / "nautilus_run.py"
ENGINE_TARGET, KERNEL_TARGET = 0.7, 100.0


def main() -> int:
    """Compare, print, and say by the exit code whether all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nautilus", required=True, help="a python that has nautilus_trader 1.221")
    parser.add_argument("--quotes", type=int, default=QUOTES)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    series = quote_stream(options.quotes)
    with tempfile.TemporaryDirectory() as folder:
        stream, rule = write(series, Path(folder))
        theirs, ours = [], []
        for _ in range(options.rounds):
            theirs.append(nautilus(options.nautilus, stream, rule))
            ours.append(time_engine(series))
    table = prepare(series, COSTS, SIZE)
    run(table, RULE, COSTS, SIZE)  # compiled now
    kernel_s = time_kernel(table, stepwise=False)
    stepwise_s = time_kernel(table, stepwise=True)
    trades = run(table, RULE, COSTS, SIZE)
    walked = ours[0]
    quotes = theirs[0]["quotes"]
    nautilus_s = min(each["seconds"] for each in theirs)
    nautilus_cpu = min(each["cpu_s"] for each in theirs)
    engine_s = min(each.seconds for each in ours)
    engine_cpu = min(each.cpu_s for each in ours)
    figures = {
        "quotes": quotes,
        "trades": len(trades),
        "nautilus_ticks_per_s": quotes / nautilus_s,
        "engine_ticks_per_s": quotes / engine_s,
        "kernel_ticks_per_s": quotes / kernel_s,
        "engine_over_nautilus": nautilus_s / engine_s,
        "engine_over_nautilus_cpu": nautilus_cpu / engine_cpu,
        "kernel_over_nautilus": nautilus_s / kernel_s,
        "kernel_stepwise_over_nautilus": nautilus_s / stepwise_s,
        "same_trades_engine_kernel": same_trades(walked.result, trades),
        "same_trades_nautilus": same_as_theirs(trades, theirs[0]),
    }
    print(json.dumps(figures, indent=1))
    good = (
        figures["engine_over_nautilus_cpu"] >= ENGINE_TARGET
        and figures["kernel_over_nautilus"] >= KERNEL_TARGET
        and figures["same_trades_engine_kernel"]
        and figures["same_trades_nautilus"]
    )
    return 0 if good else 1


def write(series: PairSeries, folder: Path) -> tuple[Path, Path]:
    """The stream as one quote a line, and the rule's levels."""
    view = shown(series, COSTS, SIZE)
    columns: dict[str, list[np.ndarray[Any, Any]]] = {n: [] for n in ("t_ns", "leg", "bid", "ask")}
    sides = (
        (1, view.tells_perp, view.perp_bid, view.perp_ask),
        (0, view.tells_spot, view.spot_bid, view.spot_ask),
    )
    for leg, tells, bid, ask in sides:
        columns["t_ns"].append(view.t_ns[tells])
        columns["leg"].append(np.full(int(tells.sum()), leg))
        columns["bid"].append(np.rint(bid[tells] * 100).astype(np.int64))
        columns["ask"].append(np.rint(ask[tells] * 100).astype(np.int64))
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    order = np.argsort(joined["t_ns"], kind="stable")
    stream, rule = folder / "stream.npz", folder / "rule.json"
    np.savez(stream, **{name: column[order] for name, column in joined.items()})
    at = lines(RULE, fair_bounds_bp(series.terms, COSTS.money_rate))
    levels = at._asdict() | {
        "stop_bp": RULE.stop_bp,
        "hold_ns": hold_ns(RULE.max_hold_h),
        "last_ns": int(view.t_ns[-1]),
        "notional": SIZE.notional,
        "capital": SIZE.capital,
        "lot": view.lot,
        "spot_taker": COSTS.spot_taker,
        "perp_taker": COSTS.perp_taker,
    }
    rule.write_text(json.dumps(levels))
    return stream, rule


def nautilus(python: str, stream: Path, rule: Path) -> dict[str, Any]:
    """One run over there."""
    done = subprocess.run(
        [python, str(BESIDE), str(stream), str(rule)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"NautilusTrader did not run: {done.stderr.strip()[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def same_as_theirs(trades: np.ndarray[Any, Any], theirs: dict[str, Any]) -> bool:
    """Whether Nautilus traded at the same quotes: times, directions and fill prices."""
    moments = []
    for trade in trades:
        d = int(trade["direction"])
        moments += [[int(trade["entry_ns"]), d], [int(trade["exit_ns"]), -d]]
    prices = np.concatenate(
        [trades[name] for name in ("spot_in", "spot_out", "perp_in", "perp_out")]
    )
    return moments == theirs["trades"] and bool(
        np.allclose(np.sort(prices), theirs["prices"], rtol=0, atol=0.006)
    )


if __name__ == "__main__":
    sys.exit(main())
