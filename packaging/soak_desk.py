"""A long run of the real window under load and faults: nothing grows, nothing lags, nothing leaks.

    .venv/bin/python packaging/soak_desk.py --minutes 60 --out /tmp/soak
    .venv/bin/python packaging/soak_desk.py --minutes 10 --speed 48 --out /tmp/soak  # 8 h of market

The program itself runs on its demo exchange, whose order books talk `--rate` times as much as they
do otherwise. The autopilot is in auto on some pairs, a hand trades now and then, panels, tabs and
windows come and go, and a random fault strikes every few seconds. Without a display it draws
offscreen. Writes soak.csv, soak.json and soak.html (the curves) into --out, prints the JSON object,
and ends with 1 if a limit was broken: memory beside the day's rings of the pairs, which fill up for
24 hours, may grow by 20 MB after the warm-up; 99 of 100 beats of the window come within 33 ms;
tasks, threads, timers and files are as many as after the warm-up; the ledger checks clean.
A machine that has other work shows lags that are not the desk's.
"""

import argparse
import asyncio
import math
import os
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QTabBar
from soak_figures import Meter, Report, Sample, census, counts, grown, page, share, slope_mb_h

from basisdesk.app import exchange_process
from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.clock import mono_s
from basisdesk.config import Demo, Settings
from basisdesk.demo.faults import ANY, CONNS, fault_kinds
from basisdesk.events import ClosePair, ExitPlan, OpenPair, PairOpened, PairReduced, Refused
from basisdesk.ledger.check import check_journal
from basisdesk.playbook.shelf import USUAL
from basisdesk.ui.context import Context
from basisdesk.ui.window import MainWindow

PAIRS = (
    ("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"),
    ("okx:perp:BTC-USDT-SWAP", "bybit:perp:BTCUSDT"),
    ("binance:spot:ETHUSDT", "okx:perp:ETH-USDT-SWAP"),
    ("kraken:spot:ADA/USD", "binance:perp:ADAUSDT"),
    ("bybit:spot:SOLUSDT", "binance:perp:SOLUSDT"),
    ("okx:spot:DOGE-USDT", "kraken:perp:PF_DOGEUSD"),
)
PLAN = ExitPlan(Decimal(-2000), Decimal(2000), Decimal(72))
SIZE = (1600, 1000)
SAMPLE_S = 5.0
READY_S = 60.0
QUIET_S = 12.0  # without faults and open panels, before what is left is counted
RECOVER_S = 60.0
ROUND_S = 0.25


@dataclass(frozen=True)
class SoakOptions:
    """How long, how fast, how loud. fault_s, trade_s, panel_s: seconds between two, at most."""

    minutes: float
    speed: float
    rate: float
    pairs: int
    seed: int
    out: Path
    warm_min: float
    fault_s: float = 6.0
    trade_s: float = 12.0
    panel_s: float = 3.0


class Soak:
    """Uses one desk in a person's place, and measures it."""

    def __init__(self, options: SoakOptions) -> None:
        self.options = options
        self.report = Report()
        self.samples: list[Sample] = []
        self._rng = random.Random(options.seed)
        self._kinds = fault_kinds()
        self._pairs = PAIRS[: options.pairs]

    async def fly(self, context: Context, window: MainWindow) -> None:
        """The run. A fault in here ends it and is told."""
        self._context, self._window = context, window
        meter = Meter(context, window, self.options.out / "soak.csv")
        self.samples = meter.samples
        try:
            await self._run(meter)
        except Exception as exc:  # noqa: BLE001 - the figures so far are worth having
            self.report.errors.append(repr(exc))
        finally:
            meter.close()
            self._read(meter)

    async def _run(self, meter: Meter) -> None:
        window = self._window
        window.resize(*SIZE)
        await self._until(self._live, READY_S, "the desk came alive")
        await self._set_autopilot()
        window.show_scanner()
        end_s = mono_s() + self.options.minutes * 60
        warm_s = mono_s() + self.options.warm_min * 60
        await self._live_on(meter, warm_s)
        before = await self._quiet(meter)
        self.report.warm, warm = counts(), meter.take()
        meter.lag.counting = True
        began = len(self.samples)
        await self._live_on(meter, end_s)
        meter.lag.counting = False
        after = await self._quiet(meter)
        self.report.end, end = counts(), meter.take()
        self.report.rss_warm_mb, self.report.rss_end_mb = warm.rss_mb, end.rss_mb
        self.report.rss_growth_mb = round(end.rss_mb - warm.rss_mb, 2)
        self.report.rings_growth_mb = round(end.rings_mb - warm.rings_mb, 2)
        self.report.grown = grown(before, after)
        self.report.recovered = self._live()
        kept = self.samples[began:]
        self.report.rss_slope_mb_h = round(slope_mb_h(kept), 2)
        self.report.messages_s = round(sum(s.messages_s for s in kept) / max(1, len(kept)), 1)
        self.report.frames_s = round(sum(s.frames_s for s in kept) / max(1, len(kept)), 2)

    async def _live_on(self, meter: Meter, end_s: float) -> None:
        options, rng = self.options, self._rng
        sample_s = fault_s = trade_s = panel_s = mono_s()
        while (now_s := mono_s()) < end_s:
            if now_s >= sample_s:
                meter.take()
                self._note_banner()
                sample_s = now_s + SAMPLE_S
            if now_s >= fault_s:
                self._strike()
                fault_s = now_s + rng.uniform(0.25, 1.0) * options.fault_s
            if now_s >= trade_s:
                self._trade()
                trade_s = now_s + rng.uniform(0.25, 1.0) * options.trade_s
            if now_s >= panel_s:
                self._touch()
                panel_s = now_s + rng.uniform(0.25, 1.0) * options.panel_s
            await asyncio.sleep(ROUND_S)

    async def _quiet(self, meter: Meter) -> Counter[str]:
        """No faults, no dialogs: what is there now has a reason to be."""
        self._context.actions.stop_practice()
        for dialog in self._window.findChildren(QDialog):
            dialog.close()
        self._window.reset_layout()
        with suppress(TimeoutError):
            await self._until(self._live, RECOVER_S, "")
        await asyncio.sleep(QUIET_S)
        found = census()
        meter.lag.skip()
        meter.lag.recent.clear()
        return found

    async def _until(self, what: Callable[[], bool], patience_s: float, name: str) -> None:
        end_s = mono_s() + patience_s
        while mono_s() < end_s:
            if what():
                return
            await asyncio.sleep(ROUND_S)
        if name:
            raise TimeoutError(f"not in {patience_s:g} s: {name}")

    def _live(self) -> bool:
        pair = self._context.engine.shown()
        return pair is not None and not pair.now.stale and math.isfinite(pair.now.open_bp)

    # --- what a person does ----------------------------------------------------------------------

    async def _set_autopilot(self) -> None:
        """Auto on each pair, whatever playbook: only what is shown or held can be set."""
        context, view = self._context, self._context.autopilot
        assert view is not None
        await self._until(lambda: view.ready, READY_S, "the autopilot is ready")
        for at, pair in enumerate(self._pairs):
            context.actions.show_pair(*pair)
            await asyncio.sleep(1.5)
            actions = context.autopilot_actions
            assert actions is not None
            book = USUAL[at % len(USUAL)]
            said = actions.set_pair(" ".join(pair), "auto", book.name, {}, "soak")
            self.report.actions["auto" if not said else f"auto: {said}"] += 1
        context.actions.show_pair(*self._pairs[0])

    def _trade(self) -> None:
        """Open the pair on the screen, close one that is held, or resume after a halt."""
        context, rng = self._context, self._rng
        engine, held = context.engine, context.engine.open_pairs()
        if held and rng.random() < 0.5:
            fraction = Decimal(1) if rng.random() < 0.7 else Decimal("0.5")
            context.actions.submit(ClosePair(rng.choice(held).pair, fraction))
            self.report.actions["close"] += 1
            return
        legs = [engine.market.leg(key) for key in engine.pair]
        if len(legs) == 2 and not any(
            leg.instrument is None or math.isnan(leg.mid) for leg in legs
        ):
            lot = max(leg.instrument.lot for leg in legs if leg.instrument is not None)
            wanted = Decimal(rng.uniform(200, 1_000)) / Decimal(legs[0].mid)
            if (qty := wanted // lot * lot) > 0:
                context.actions.submit(OpenPair(*engine.pair, qty, Decimal(2), PLAN))
                self.report.actions["open"] += 1

    def _touch(self) -> None:
        """One thing a person does to the window."""
        window, rng = self._window, self._rng
        act = rng.choice((self._tab, self._dock, self._pair, self._dialog, self._scan_tab))
        self.report.actions[act.__name__.strip("_")] += 1
        act(window, rng)

    def _tab(self, window: MainWindow, rng: random.Random) -> None:
        dock = window.docks[rng.choice(window.tabbed)]
        dock.show()
        dock.raise_()

    def _dock(self, window: MainWindow, rng: random.Random) -> None:
        dock = window.docks[rng.choice(("guide", "funding", "log", "feeds", "ledger"))]
        dock.setVisible(dock.isHidden())

    def _pair(self, _: MainWindow, rng: random.Random) -> None:
        self._context.actions.show_pair(*rng.choice(self._pairs))

    def _dialog(self, window: MainWindow, rng: random.Random) -> None:
        open_now = [each for each in window.findChildren(QDialog) if each.isVisible()]
        if open_now:
            open_now[0].close()
        else:
            rng.choice((window.show_glossary, window.show_about, window.pick_pair))()

    def _scan_tab(self, window: MainWindow, rng: random.Random) -> None:
        scan = window.show_scanner()
        if rng.random() < 0.3:
            scan.close()
            return
        bars = [bar for bar in scan.findChildren(QTabBar) if bar.count() > 1]
        if bars:
            bar = rng.choice(bars)
            where = bar.tabRect(rng.randrange(bar.count())).center()
            QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=where)

    def _strike(self) -> None:
        kind = self._rng.choice(self._kinds)
        where = self._rng.choice(CONNS if kind.on == ANY else kind.on)
        conn = "*" if kind.name == "storm" else where
        for_s = round(self._rng.uniform(0.5, 5.0), 2)
        self._context.actions.practise(kind.name, conn, for_s)
        self.report.faults[kind.name] += 1

    def _note_banner(self) -> None:
        status = self._context.status
        if status.banner and status.banner_level == "error":
            self.report.banners[status.banner[:160]] += 1

    # --- what is read at the end -----------------------------------------------------------------

    def _read(self, meter: Meter) -> None:
        report, market = self.report, self._context.engine.market
        last_s = self.samples[-1].t_s if self.samples else 0.0
        report.seconds = last_s
        report.market_hours = round(last_s * self.options.speed / 3_600, 2)
        report.messages = market.frames
        lags = meter.lag.all
        report.lag_p50_ms = round(share(lags, 0.5), 2)
        report.lag_p99_ms = round(share(lags, 0.99), 2)
        report.lag_max_ms = round(max(lags, default=math.nan), 1)
        report.reconnects = sum(max(0, link.connects - 1) for link in market.links.values())
        uptime = getattr(self._context.status, "uptime", None)
        report.stalls = uptime.stalls if uptime is not None else 0
        for outcome in self._context.engine.outcomes:
            report.opened += isinstance(outcome, PairOpened)
            report.closed += isinstance(outcome, PairReduced)
            if isinstance(outcome, Refused):
                report.refused[outcome.limit] += 1
        if report.banners:
            report.errors.append(f"a fault stood over the window: {next(iter(report.banners))}")


def _louder(rate: float) -> None:
    """Let every demo exchange this process starts talk so much more."""
    plain = exchange_process.own_command

    def command(arguments: list[str]) -> list[str]:
        more = ["--rate", str(rate)] if arguments[0] == "demo-exchange" else []
        return list(plain([*arguments, *more]))

    exchange_process.own_command = command


def soak(options: SoakOptions) -> Report:
    """One soak in a profile of its own."""
    _louder(options.rate)
    demo = Demo(seed=options.seed, speed=options.speed)
    settings = msgspec.structs.replace(Settings(), demo=demo)
    run = Soak(options)
    threads = set(threading.enumerate())
    with tempfile.TemporaryDirectory() as profile:
        desk = DeskOptions(Path(profile), settings, pilot=run.fly)
        run_desk(desk)
        report = run.report
        checked = check_journal(desk.folder / "journal.db")
        report.check_ok, report.check_problems = checked.ok, list(checked.problems)
        report.left += [each.name for each in set(threading.enumerate()) - threads]
        report.left += [
            told
            for name in os.listdir("/proc/self/fd")
            if (told := _target(name)).startswith(profile)
        ]
    said = report.broken() or ["Every limit held."]
    title = (
        f"The desk for {report.seconds / 60:.0f} min at {report.messages_s:,.0f} messages a second"
    )
    (options.out / "soak.html").write_text(page(run.samples, report, title, said), "utf-8")
    return report


def _target(name: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        return ""


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--warm",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="not judged at the start; a fifth of all, 10 at most, if not given",
    )
    parser.add_argument("--speed", type=float, default=1.0, help="of the market")
    parser.add_argument(
        "--rate", type=float, default=10.0, help="messages of each book, times 10/s"
    )
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()  # fmt: skip
    given.out.mkdir(parents=True, exist_ok=True)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    warm = given.warm or min(10.0, given.minutes / 5)
    options = SoakOptions(
        given.minutes, given.speed, given.rate, given.pairs, given.seed, given.out, warm
    )
    report = soak(options)
    told = msgspec.to_builtins(report) | {"broken": report.broken()}
    text = msgspec.json.format(msgspec.json.encode(told)).decode()
    (given.out / "soak.json").write_text(text, "utf-8")
    print(text)
    return 1 if told["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
