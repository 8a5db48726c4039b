"""A long run under random faults: no price that was not true is ever shown as live.

    .venv/bin/python packaging/soak.py --minutes 30 --seed 1

A demo exchange and a desk without a window run in this process and talk over real sockets. Pairs
are opened and closed now and then, a random fault strikes a random connection every few seconds.
Ten times a second every quote that the desk would show as live must be a touch that the exchange
had within the last moments. At the end the faults stop: every stream must come back, every depth
book must equal the exchange's, the ledger must check clean, and no task may be left. Prints one
JSON object and ends with 1 if anything of this failed.
"""

import argparse
import asyncio
import logging
import math
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psutil
from soak_truth import Judge  # beside this file

from basisdesk.clock import SystemClock, mono_s
from basisdesk.config import Settings
from basisdesk.demo.exchange import DemoOptions, Exchange
from basisdesk.demo.faults import ANY, CONNS, FaultKind, fault_kinds
from basisdesk.engine import Engine
from basisdesk.events import (
    COMMAND,
    ClosePair,
    Command,
    ExitPlan,
    Frame,
    OpenPair,
    PairOpened,
    PairReduced,
    Refused,
    SessionStarted,
)
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.pace import Pace
from basisdesk.feed.supervisor import Supervisor
from basisdesk.ledger.check import check_journal
from basisdesk.ledger.journal import Journal
from basisdesk.market.cross import cross_leg
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import split_symbol

__all__ = ["Report", "Soak", "SoakOptions", "soak"]

# Every venue, spot against perpetual, across venues, across currencies, two perpetuals, multiples.
PAIRS = (
    ("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"),
    ("kraken:spot:ADA/USD", "binance:perp:ADAUSDT"),
    ("okx:perp:BTC-USDT-SWAP", "bybit:perp:BTCUSDT"),
    ("binance:spot:ETHUSDT", "okx:perp:ETH-USDT-SWAP"),
    ("okx:spot:DOGE-USDT", "kraken:perp:PF_DOGEUSD"),
    ("okx:spot:PEPE-USDT", "binance:perp:1000PEPEUSDT"),
)
PLAN = ExitPlan(Decimal(-2000), Decimal(2000), Decimal(72))

DRAIN_S = 0.005
SAMPLE_S = 0.1
BATCH = 2_000
RECOVER_S = 120.0
BOOKS_S = 30.0
BOOK_MATCHES = 3  # at so many different moments
START_S = 60.0


@dataclass(frozen=True)
class SoakOptions:
    """How long, how fast, how wild. fault_s, trade_s: seconds between two, at most."""

    seconds: float = 1_800.0
    speed: float = 1.0
    seed: int = 1
    fault_s: float = 4.0
    trade_s: float = 10.0
    kinds: tuple[str, ...] = ()  # only these faults; empty: all


@dataclass
class Report:
    """What came of it. The names are those of the printed JSON object."""

    seconds: float = 0.0
    frames: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    samples: int = 0
    live_samples: int = 0
    wrong_prices: int = 0
    wrong: list[dict[str, Any]] = field(default_factory=list)
    gaps: int = 0
    bad_frames: int = 0
    bad_by_reason: dict[str, int] = field(default_factory=dict)
    resyncs: int = 0
    reconnects: int = 0
    renewals: int = 0
    opened: int = 0
    closed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    recovered_s: float = math.nan
    not_live: list[str] = field(default_factory=list)
    books: int = 0
    books_equal: int = 0
    books_wrong: list[str] = field(default_factory=list)
    check_ok: bool = False
    check_problems: list[str] = field(default_factory=list)
    leaked_tasks: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    rss_mb: tuple[float, float] = (0.0, 0.0)

    @property
    def ok(self) -> bool:
        """Nothing of what must hold failed."""
        bad = self.wrong_prices or self.not_live or self.leaked_tasks or self.errors
        return not bad and self.check_ok and self.books == self.books_equal > 0


class Soak:
    """One exchange, one desk, and what goes on between them."""

    def __init__(self, options: SoakOptions, folder: Path) -> None:
        self.options = options
        self.report = Report()
        self.rng = random.Random(options.seed)
        self.exchange = Exchange(DemoOptions(seed=options.seed, speed=options.speed))
        start_ns = self.exchange.epoch_ms * 1_000_000
        self.clock = SystemClock(options.speed, start_ns)
        self.journal_path = folder / "journal.db"
        self.journal = Journal.open(self.journal_path)
        self.engine = Engine(Settings(), known_venues(), self.journal, options.speed)
        start = Decimal(100_000)
        self.engine.start_session(
            SessionStarted(start_ns, "soak", "demo", "", "USDT", start, equity=start)
        )
        self.inbox = Inbox()
        self.supervisor: Supervisor | None = None
        self.legs = sorted({key for pair in PAIRS for key in pair} | self._cross())
        self.kinds = [
            kind for kind in fault_kinds() if not options.kinds or kind.name in options.kinds
        ]
        self.judge = Judge(self.exchange, self.engine, self.legs)

    def _cross(self) -> set[str]:
        quotes = {split_symbol(key)[1] for pair in PAIRS for key in pair}
        return {leg for quote in quotes if (leg := cross_leg(quote))}

    # --- the run ---------------------------------------------------------------------------------

    async def run(self) -> Report:
        """Start, suffer, recover, compare, and take everything apart."""
        before = asyncio.all_tasks()
        began_s = mono_s()
        process = psutil.Process()
        listening = asyncio.Event()
        tasks = [
            asyncio.create_task(self.exchange.run(lambda _: listening.set()), name="exchange"),
            asyncio.create_task(self._drain(), name="desk"),
        ]
        try:
            await self._first(listening.wait(), tasks)
            self._connect()
            assert self.supervisor is not None
            tasks.append(asyncio.create_task(self.supervisor.run(), name="feeds"))
            if not await self._until(self._all_live, START_S, tasks):
                self.report.errors.append("the desk never came alive")
            await asyncio.sleep(1.0)
            self.judge.judging = True
            rss = process.memory_info().rss / 1e6
            await self._suffer(tasks)
            await self._recover(tasks)
            self.report.rss_mb = (round(rss, 1), round(process.memory_info().rss / 1e6, 1))
        finally:
            self.report.seconds = round(mono_s() - began_s, 1)
            await self._take_apart(tasks, before)
        return self.report

    async def _first(self, wait: Any, tasks: list["asyncio.Task[None]"]) -> None:
        waiting = asyncio.ensure_future(wait)
        await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        self._look_at(tasks)

    def _connect(self) -> None:
        port, venues = self.exchange.port, known_venues()
        sockets = {
            conn: f"ws://127.0.0.1:{port}/{url.split('://', 1)[1].partition('/')[2]}"
            for venue in venues.values()
            for conn, url in venue.endpoints.items()
        }
        rest = dict.fromkeys(venues, f"http://127.0.0.1:{port}")
        pace = Pace(
            restraint=0.0,
            beat_s=min(1.0, 1.0 / self.options.speed),
            cool_s=4.0,  # told to go: the soak has minutes, not hours
            cool_max_s=8.0,
            limit_s=8.0,
            resync_max_s=8.0,
            seed_max_s=8.0,
            habit_max_s=30.0,
        )
        self.supervisor = Supervisor(
            list(venues.values()),
            self.inbox,
            self.clock,
            self.engine.market,
            sockets,
            rest,
            pace=pace,
            rng=random.Random(self.options.seed),
        )
        self.supervisor.watch(set(self.legs))
        for pair in PAIRS:
            self.engine.market.pair(*pair)

    async def _drain(self) -> None:
        while True:
            while frames := self.inbox.take(BATCH):
                self.engine.advance(frames)
                await asyncio.sleep(0)
            await asyncio.sleep(DRAIN_S)

    async def _suffer(self, tasks: list["asyncio.Task[None]"]) -> None:
        end_s = mono_s() + self.options.seconds
        fault_s = trade_s = mono_s()
        while (now_s := mono_s()) < end_s:
            if now_s >= fault_s:
                self._strike()
                fault_s = now_s + self.rng.uniform(0.25, 1.0) * self.options.fault_s
            if now_s >= trade_s:
                self._trade()
                trade_s = now_s + self.rng.uniform(0.25, 1.0) * self.options.trade_s
            self.judge.sample(self.clock.now_ns())
            self._look_at(tasks)
            await asyncio.sleep(SAMPLE_S)

    async def _recover(self, tasks: list["asyncio.Task[None]"]) -> None:
        """No more faults: everything must come back by itself, and be true."""
        self.exchange.command(b'{"clear": true}')
        stopped_s = mono_s()
        if await self._until(self._all_live, RECOVER_S, tasks):
            self.report.recovered_s = round(mono_s() - stopped_s, 1)
        self.report.not_live = self.judge.silent(self.clock.now_ns())
        await self._compare_books(tasks)

    def _all_live(self) -> bool:
        return not self.judge.silent(self.clock.now_ns())

    async def _until(
        self, what: Callable[[], bool], patience_s: float, tasks: list["asyncio.Task[None]"]
    ) -> bool:
        end_s = mono_s() + patience_s
        while mono_s() < end_s:
            if what():
                return True
            self.judge.sample(self.clock.now_ns())
            self._look_at(tasks)
            await asyncio.sleep(SAMPLE_S)
        return what()

    def _look_at(self, tasks: list["asyncio.Task[None]"]) -> None:
        """A part that died is the end of the soak."""
        for task in tasks:
            if task.done():
                task.result()
                raise RuntimeError(f"{task.get_name()} ended by itself")

    async def _take_apart(
        self, tasks: list["asyncio.Task[None]"], before: set["asyncio.Task[Any]"]
    ) -> None:
        report, market, judge = self.report, self.engine.market, self.judge
        for task in reversed(tasks):  # feeds first, the exchange last
            task.cancel()
            ended = await asyncio.gather(task, return_exceptions=True)
            if isinstance(ended[0], Exception):
                report.errors.append(f"{task.get_name()}: {ended[0]!r}")
        for _ in range(20):
            await asyncio.sleep(0.05)  # transports close in their own turns
            left = [t for t in asyncio.all_tasks() - before if not t.done()]
            if not left:
                break
        report.leaked_tasks = [task.get_name() for task in left]
        self.journal.close()
        checked = check_journal(self.journal_path)
        report.check_ok, report.check_problems = checked.ok, list(checked.problems)
        report.samples, report.live_samples = judge.samples, judge.live
        report.wrong_prices, report.wrong = judge.wrong, judge.details
        report.frames, report.gaps = market.frames, market.gaps
        report.bad_frames, report.bad_by_reason = market.bad_frames, dict(market.bad_by_reason)
        report.resyncs = sum(stream.resyncs for stream in market.streams.values())
        report.reconnects = sum(max(0, link.connects - 1) for link in market.links.values())
        report.renewals = sum(link.renewed for link in market.links.values())
        for outcome in self.engine.outcomes:
            report.opened += isinstance(outcome, PairOpened)
            report.closed += isinstance(outcome, PairReduced)
            if isinstance(outcome, Refused):
                report.refused[outcome.limit] += 1

    # --- what happens ----------------------------------------------------------------------------

    def _strike(self) -> None:
        kind = self.rng.choice(self.kinds)
        fault: dict[str, Any] = {"kind": kind.name, "conn": self._place(kind)}
        fault["for_s"] = round(self.rng.uniform(0.5, 6.0), 2)
        if kind.name == "jump":
            # A move of less than half is a price, and so are three that agree over two seconds.
            fault["for_s"] = round(1.2 / self.options.speed, 3)
            fault["value"] = self.rng.choice((0.01, 0.3, 3.0, 100.0))
        if kind.name == "clock_skew":
            fault["value"] = self.rng.choice((-1, 1, 5, "s"))
        if kind.name == "http_status":
            fault["value"] = self.rng.choice((302, 403, 418, 429, 451, 500, 503))
        if kind.name == "burst":
            self.judge.burst(fault["conn"])
        self.exchange.command(msgspec.json.encode({"fault": fault}))
        self.report.faults[kind.name] += 1

    def _place(self, kind: FaultKind) -> str:
        if kind.name == "storm":
            return "*"
        return self.rng.choice(CONNS if kind.on == ANY else kind.on)

    def _trade(self) -> None:
        """Open a pair that is not open, or close one that is. Refusals are part of the game."""
        held = {(p.long.instrument, p.short.instrument): p for p in self.engine.open_pairs()}
        pair = self.rng.choice(PAIRS)
        if pair in held and self.rng.random() < 0.7:
            fraction = Decimal(1) if self.rng.random() < 0.7 else Decimal("0.5")
            self._submit(ClosePair(held[pair].pair, fraction))
        elif pair not in held and (qty := self._size(*pair)) > 0:
            self._submit(OpenPair(*pair, qty, Decimal(self.rng.choice((1, 2, 3))), PLAN))

    def _size(self, long: str, short: str) -> Decimal:
        legs = [self.engine.market.leg(key) for key in (long, short)]
        if any(leg.instrument is None or math.isnan(leg.mid) for leg in legs):
            return Decimal(0)
        lot = max(leg.instrument.lot for leg in legs if leg.instrument is not None)
        wanted = Decimal(self.rng.uniform(200, 2_000)) / Decimal(legs[0].mid)
        return (wanted // lot) * lot

    def _submit(self, command: Command) -> None:
        now_ns = self.clock.now_ns()
        stamped = msgspec.structs.replace(command, t_ns=now_ns)
        self.inbox.put(Frame(COMMAND, msgspec.json.encode(stamped), now_ns))

    async def _compare_books(self, tasks: list["asyncio.Task[None]"]) -> None:
        """Each depth book equals the published one, at several moments.

        What is under way between the two makes a moment unequal; a level that is wrong makes all.
        """
        streams = self.judge.books()
        matched: dict[str, set[int]] = {stream.id: {-1} for stream in streams}
        end_s = mono_s() + BOOKS_S
        while mono_s() < end_s and any(len(ids) <= BOOK_MATCHES for ids in matched.values()):
            for stream in streams:
                matched[stream.id].add(self.judge.equal(stream))
            self._look_at(tasks)
            await asyncio.sleep(0.02)
        self.report.books = len(streams)
        self.report.books_wrong = [i for i, ids in matched.items() if len(ids) <= BOOK_MATCHES]
        self.report.books_equal = len(streams) - len(self.report.books_wrong)


def soak(options: SoakOptions, folder: Path) -> Report:
    """One soak in a folder of its own."""
    return asyncio.run(Soak(options, folder).run())


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault-every", type=float, default=4.0, metavar="SECONDS")
    parser.add_argument("--only", default="", metavar="KIND,KIND", help="only these faults")
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # what is refused and cut is the point
    options = SoakOptions(
        given.minutes * 60,
        given.speed,
        given.seed,
        given.fault_every,
        kinds=tuple(filter(None, given.only.split(","))),
    )
    with tempfile.TemporaryDirectory() as folder:
        report = soak(options, Path(folder))
    print(msgspec.json.format(msgspec.json.encode(report)).decode())
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
