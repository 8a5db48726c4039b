"""A real desk in a process of its own that trades by itself and prints each fill once it is shown.

usage: python scripted_desk.py PROFILE      (the parent kills it whenever it likes)
"""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

import msgspec

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.config import Demo, Paper, Settings, TapeSettings
from basisdesk.events import ClosePair, ExitPlan, OpenPair, PairOpened, PairReduced

LONG, SHORT = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
PLAN = ExitPlan(Decimal(-900), Decimal(900), Decimal(72))


def say(*words):
    """One line the parent can rely on."""
    print(*words, flush=True)


async def trade_for_ever(context, window):
    """Open and close small pairs as fast as the desk allows; print what a user could see."""
    engine = context.engine
    shown = 0
    say("resumed", *(f"{p.pair}:{p.state}" for p in engine.open_pairs()))
    while True:
        pair = engine.shown()
        if pair is not None and not pair.now.stale and not engine.desk.pending:
            held = engine.open_pairs()
            if len(held) < 3:
                context.actions.submit(OpenPair(LONG, SHORT, Decimal(100), Decimal(2), PLAN))
            else:
                context.actions.submit(ClosePair(held[0].pair, Decimal("0.5")))
                context.actions.submit(ClosePair(held[1].pair))
        await asyncio.sleep(0.03)
        window.refresh_all()  # what stands in the engine now is on the screen
        outcomes = [o for o in engine.outcomes if isinstance(o, PairOpened | PairReduced)]
        for outcome in outcomes[shown:]:
            for fill in outcome.fills:
                say("fill", outcome.pair, fill.leg, fill.side, fill.qty, fill.price, fill.ts_ns)
        shown = len(outcomes)


def main():
    settings = msgspec.structs.replace(
        Settings(),
        paper=Paper(latency_ms=0),
        demo=Demo(seed=5, scenario="mixed"),
        tape=TapeSettings(record=False),
    )
    return run_desk(DeskOptions(Path(sys.argv[1]), settings, pilot=trade_for_ever))


if __name__ == "__main__":
    sys.exit(main())
