"""What exactness costs: a synced commit beside a bare one, a fill until it is seen, fifty pairs.

The journal's commit is measured beside one row of bare SQLite, both WAL with synchronous FULL, in
the same folder and in turns. A fill is timed in the running desk: from the order's frame entering
the inbox until the positions table has been repainted with it.
"""

import asyncio
import sqlite3
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from basisdesk.app.bench.socket import Watch, run_desk_on, watch_pairs
from basisdesk.app.bench.source import LEGS, demo_exchange, pairs_of
from basisdesk.clock import mono_s
from basisdesk.config import Account, Paper, Risk, Settings, TapeSettings
from basisdesk.errors import UserError
from basisdesk.events import (
    ClosePair,
    ExitPlan,
    Fill,
    OpenPair,
    PairOpened,
    SessionStarted,
    Traded,
)
from basisdesk.ledger.books import Books
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.rules import transactions
from basisdesk.venues import known_venues

if TYPE_CHECKING:
    from basisdesk.ui.context import Context
    from basisdesk.ui.window import MainWindow

COMMITS = 300
FILLS = 300
PATIENCE_S = 5.0
PAUSE_S = 0.11
PAIRS = 50
RATE = 1.1
WARM_S = 40.0
MEASURE_S = 15.0
PLAN = ExitPlan(Decimal(-900), Decimal(5000), Decimal(72))


def measure_journal() -> dict[str, float]:
    """journal.commit_ms, journal.bare_commit_ms (medians) and journal.commit_ratio."""
    with tempfile.TemporaryDirectory() as folder:
        bare = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT)")
        ours, plain = [], []
        with Journal.open(Path(folder) / "journal.db") as journal:
            books = Books()
            for number in range(COMMITS + 1):
                outcome = _outcome(number)
                txns = transactions(outcome, books)
                began_s = mono_s()
                journal.append(outcome, txns)
                ours.append(mono_s() - began_s)
                books.apply(outcome, txns)
                began_s = mono_s()
                bare.execute("BEGIN IMMEDIATE")
                bare.execute("INSERT INTO row (body) VALUES (?)", ("x" * 400,))
                bare.execute("COMMIT")
                plain.append(mono_s() - began_s)
        bare.close()
    commit, least = (sorted(took)[COMMITS // 2] * 1e3 for took in (ours, plain))
    return {
        "journal.commit_ms": commit,
        "journal.bare_commit_ms": least,
        "journal.commit_ratio": commit / least,
    }


def _outcome(number: int) -> SessionStarted | PairOpened:
    """The deposit first, then entries of four postings' worth each."""
    if not number:
        return SessionStarted(1, "bench", "demo", "0", "USDT", Decimal(10_000_000))
    prices = {"long": Decimal("0.3640"), "short": Decimal("0.3665")}
    fills = tuple(
        Fill(
            ts_ns=number,
            leg=leg,
            instrument=key,
            side=side,
            qty=Decimal(100),
            price=prices[leg],
            fee=prices[leg] / 10,
            fee_currency="USDT",
        )
        for leg, key, side in zip(("long", "short"), LEGS, ("buy", "sell"), strict=True)
    )
    return PairOpened(
        ts_ns=number,
        pair=number,
        long=LEGS[0],
        short=LEGS[1],
        qty=Decimal(100),
        leverage=Decimal(2),
        plan=PLAN,
        reason="user",
        fills=fills,
        long_mid=prices["long"],
        short_mid=prices["short"],
        margin=Decimal("18.325"),
        collateral=Decimal(0),
    )


def measure_fills() -> dict[str, float]:
    """fill.shown_p50_ms and fill.shown_p99_ms: from the order's frame to the repainted table."""
    took_ms: list[float] = []

    async def fly(context: "Context", window: "MainWindow") -> None:
        await watch_pairs(context, [LEGS])
        paints = Paints(window.positions, context)
        for _ in range(FILLS // 2):
            entry = OpenPair(*LEGS, Decimal(100), Decimal(2), PLAN)
            took_ms.append(await _shown(context, paints, entry))
            held = context.engine.open_pairs()[-1]
            took_ms.append(await _shown(context, paints, ClosePair(held.pair)))

    with demo_exchange(RATE) as exchange:
        run_desk_on(exchange, fly, _settings())
    took_ms.sort()
    return {
        "fill.shown_p50_ms": took_ms[len(took_ms) // 2],
        "fill.shown_p99_ms": took_ms[int(len(took_ms) * 0.99)],
        "fill.count": float(len(took_ms)),
    }


def measure_pairs50() -> dict[str, float]:
    """Fifty open pairs on four venues: the p99 of the window's lag and the share of a core."""
    watch = Watch(MEASURE_S)
    legs = [pair for name in known_venues() for pair in pairs_of(name)]

    async def fly(context: "Context", window: "MainWindow") -> None:
        await watch_pairs(context, legs)
        await _open_many(context, legs)
        await watch.measure(context, window)

    with demo_exchange(RATE) as exchange:
        run_desk_on(exchange, fly, _settings())
    return {
        "pairs50.ui_lag_p99_ms": watch.lag_p99_ms,
        "pairs50.cpu_share": watch.cpu_share,
        "pairs50.msgs_per_s": watch.messages_per_s,
        "pairs50.open": float(PAIRS),
    }


def _settings() -> Settings:
    return msgspec.structs.replace(
        Settings(),
        account=Account(start=1e8),
        paper=Paper(latency_ms=0),
        risk=Risk(  # a bench loses its fees on every pair; it must not be stopped for that
            pairs_max=PAIRS,
            quote_age_ms_max=10_000,
            leg_skew_ms_max=10_000,
            win_rate_min=0.0,
            rolling_loss_max=1.0,
        ),
        tape=TapeSettings(record=False),
    )


class Paints(QObject):
    """Notes when a panel's tables are first painted after the next trade."""

    def __init__(self, panel: QWidget, context: "Context") -> None:
        super().__init__()
        self._context = context
        self.before = 0
        self.shown_s = 0.0
        for area in panel.findChildren(QAbstractScrollArea):
            area.viewport().installEventFilter(self)

    def wait_for_more(self) -> None:
        """Note the first paint with the next fills."""
        self.before, self.shown_s = _trades(self._context), 0.0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002
        """See the paint go by."""
        waits = event.type() == QEvent.Type.Paint and not self.shown_s
        if waits and _trades(self._context) > self.before:
            self.shown_s = mono_s()
        return False


async def _shown(context: "Context", paints: Paints, command: OpenPair | ClosePair) -> float:
    """Milliseconds from handing the order in until the table was painted with its fills."""
    paints.wait_for_more()
    began_s = mono_s()
    context.actions.submit(command)
    while mono_s() - began_s < PATIENCE_S:
        await asyncio.sleep(PAUSE_S)  # not in step with the beat
        if paints.shown_s:
            return (paints.shown_s - began_s) * 1e3
    raise UserError(f"bench: an order was not filled: {context.engine.log[-1].text}")


def _trades(context: "Context") -> int:
    return sum(isinstance(each, Traded) for each in context.engine.outcomes)


async def _open_many(context: "Context", legs: list[tuple[str, str]]) -> None:
    """Open PAIRS small pairs over these legs, as many commands as it takes."""
    engine, tries = context.engine, 0
    end_s = mono_s() + WARM_S
    while len(engine.open_pairs()) < PAIRS:
        long, short = legs[tries % len(legs)]
        tries += 1
        price = engine.market.leg(long).mid
        rule = engine.market.leg(short).instrument
        if rule is not None and price > 0:
            qty = max(rule.round_nearest(Decimal(500 / price)), rule.lot)
            context.actions.submit(OpenPair(long, short, qty, Decimal(2), PLAN))
        await asyncio.sleep(0.02)
        if mono_s() > end_s:
            raise UserError(f"bench: {len(engine.open_pairs())} of {PAIRS} pairs opened.")
