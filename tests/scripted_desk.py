"""A real desk in a process of its own that trades by itself and prints each fill once it is shown.

usage: python scripted_desk.py PROFILE SEED [commit|disk]      (the parent kills it when it likes)

commit: it kills itself inside a commit, after a random number of SQLite's own steps.
disk: after a while no file may grow any more, as on a full disk; the parent kills it then.
"""

import asyncio
import os
import random
import resource
import signal
import sys
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import psutil

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.config import Demo, Paper, Risk, Settings, TapeSettings
from basisdesk.events import (
    ClosePair,
    Drill,
    Execution,
    ExitPlan,
    Halt,
    OpenPair,
    Resume,
    SetPlan,
    Traded,
)

LONG, SHORT = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
COMMITS_MAX, STEPS_MAX = 25, 400  # where in its life, and where in a commit, it kills itself
DISK_AFTER_S = 1.0


def say(*words):
    """One line the parent can rely on."""
    print(*words, flush=True)


def told(engine, seq):
    """What a restart must bring back, as JSON: pairs with plan and clock, and the risk state.

    seq: of the journal's last entry by now.
    """
    pairs = {
        str(p.pair): {
            "long": str(p.long.qty),
            "short": str(p.short.qty),
            "plan": msgspec.json.encode(p.plan).decode(),
            "works": p.work is not None,
            "unhedged_ns": p.unhedged_ns,
            "state": p.state,
        }
        for p in engine.open_pairs()
    }
    risk = engine.desk.risk
    said = {"seq": seq, "pairs": pairs, "risk": risk.state, "cause": risk.cause}
    return msgspec.json.encode(said).decode()


def wish(rng, engine):
    """What a busy trader might ask for next; failures are drilled, orders are sliced."""
    held = engine.open_pairs()
    sliced = Execution(slices=4, slice_gap_s=Decimal("0.2"))
    half = Execution(policy=rng.choice(["hedge", "retry", "unwind"]))
    plan = ExitPlan(Decimal(-900), Decimal(rng.randint(900, 4_000)), Decimal(72))
    if not engine.desk.risk.entries and rng.random() < 0.5:
        return Resume("by the script")
    if len(held) < 3:
        how = rng.choice([Execution(), Execution(), half, sliced])
        return OpenPair(LONG, SHORT, Decimal(100), Decimal(2), plan, 0, how)
    pair = rng.choice(held).pair
    return rng.choice(
        [
            ClosePair(pair, Decimal("0.5")),
            ClosePair(pair),
            ClosePair(pair, Decimal(1), 0, "both", sliced),
            SetPlan(pair, plan),
            Drill(rng.choice(["reject", "half", "late"]), rng.choice(["long", "short"])),
            Drill("off"),
            Halt("by the script") if rng.random() < 0.1 else Resume("by the script"),
        ]
    )


def trader(seed, mode):
    """The pilot of one life of the desk."""
    rng = random.Random(seed)

    async def trade_for_ever(context, window):
        engine = context.engine
        journal = context.actions._journal
        age_s = time.time() - psutil.Process().create_time()
        say("resumed", f"{age_s:.3f}", told(engine, journal.seq))
        shown = sum(isinstance(outcome, Traded) for outcome in engine.outcomes)
        if mode == "commit":
            die_in_a_commit(journal._db, rng)
        full_s = time.monotonic() + DISK_AFTER_S
        while True:
            if mode == "disk" and time.monotonic() > full_s:
                fill_the_disk()
                full_s = float("inf")
            pair = engine.shown()
            if pair is not None and not pair.now.stale:
                context.actions.submit(wish(rng, engine))
            await asyncio.sleep(0.03)
            window.refresh_all()  # what stands in the engine now is on the screen
            traded = [outcome for outcome in engine.outcomes if isinstance(outcome, Traded)]
            for outcome in traded[shown:]:
                for fill in outcome.fills:
                    say("fill", outcome.pair, fill.leg, fill.side, fill.qty, fill.price, fill.ts_ns)
            shown = len(traded)

    return trade_for_ever


def die_in_a_commit(db, rng):
    """Kill this process inside one of its next commits, between two steps of SQLite's machine."""
    commits, steps = rng.randint(1, COMMITS_MAX), rng.randint(1, STEPS_MAX)
    seen = {"commits": 0, "steps": 0}

    def trace(statement):
        seen["commits"] += statement.startswith("BEGIN")

    def step():
        if seen["commits"] >= commits and db.in_transaction:
            seen["steps"] += 1
            if seen["steps"] >= steps:
                os.kill(os.getpid(), signal.SIGKILL)
        return 0

    db.set_trace_callback(trace)
    db.set_progress_handler(step, 1)


def fill_the_disk():
    """No file of this process may grow beyond what the smallest of its files is by now."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
    say("full")


def main():
    profile, seed = Path(sys.argv[1]), int(sys.argv[2])
    mode = sys.argv[3] if len(sys.argv) > 3 else ""
    settings = msgspec.structs.replace(
        Settings(),
        paper=Paper(latency_ms=0),
        risk=Risk(unhedged_s_max=2, quote_age_ms_max=10_000),
        demo=Demo(seed=5, scenario="mixed"),
        tape=TapeSettings(record=False),
    )
    return run_desk(DeskOptions(profile, settings, pilot=trader(seed, mode)))


if __name__ == "__main__":
    sys.exit(main())
