"""The desk: profile, journal, engine, feeds and window, joined and taken apart again in order."""

import asyncio
import gc
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import qasync
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from basisdesk.app.accounts import account_names, why_not_free
from basisdesk.app.alert_outlets import DesktopOutlets
from basisdesk.app.beside import Beside, BesideParts
from basisdesk.app.crash import CrashHandler, log, start_log, stop_log
from basisdesk.app.desk import DeskOptions, Onward
from basisdesk.app.exchange_process import ExchangeProcess
from basisdesk.app.feeding import Feeding
from basisdesk.app.layout import restore_scanner, restore_window, save_window
from basisdesk.app.meter import Meter
from basisdesk.app.practice import Practice, practice_faults
from basisdesk.app.product import Product, ProductCalls
from basisdesk.app.pump import Pump
from basisdesk.app.qt_app import qt_app
from basisdesk.app.record import addresses
from basisdesk.app.replays import Replays
from basisdesk.app.saving import save_job, save_picture, saved, session_begun
from basisdesk.app.taping import Recording
from basisdesk.app.until_one import until_one
from basisdesk.app.uptime import watch_over
from basisdesk.app.watching import Pair, Watching
from basisdesk.clock import SystemClock, wall_ns
from basisdesk.engine import Engine
from basisdesk.errors import JournalError, ProfileError, UserError
from basisdesk.events import (
    COMMAND,
    Command,
    Drill,
    Frame,
    LinkChange,
    RiskChanged,
    SetValue,
)
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.shared import check_url
from basisdesk.feed.tasks import spawn
from basisdesk.forecast.view import ForecastView
from basisdesk.ledger.journal import Journal
from basisdesk.scan.view import ScanView
from basisdesk.ui.autopilot_rows import AutopilotView
from basisdesk.ui.context import Context, Status
from basisdesk.ui.pulse import Pulse
from basisdesk.ui.theme import theme_for
from basisdesk.ui.window import MainWindow
from basisdesk.venues import known_venues

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from basisdesk.app.desk import Pilot
    from basisdesk.lab.report import SaveJob
    from basisdesk.ui.scan_window import ScanWindow

OFFSCREEN_SIZE = (1600, 1000)  # of a picture drawn without a display, pixels
RESTARTS_MAX = 20
RESTART_DELAYS_S = (0.2, 1.0, 2.0, 5.0)
MARKET_BEHIND_NS = 60_000_000_000  # by which a fresh demo market may lag behind the journal
SHUTDOWN_S = 3.0


def run_in_qt(options: DeskOptions, exchange: ExchangeProcess | None) -> Onward | None:
    """Run one desk on a Qt event loop until it is closed; where to go on, None to leave."""
    app = qt_app()
    for conn, url in addresses(options.settings, {})[0].items():
        check_url(conn, url, "wss", "ws")  # before anything is written
    desk = Desk(options, exchange, app)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        runner.run(desk.run())
    return desk.onward


class Desk(QObject):
    """One running desk. The constructor builds the parts; `run` lives and undoes all of it.

    onward: where to go on once it has been left, None to leave the program.
    """

    exchange_died = Signal(object)  # str; from a thread, so it arrives queued

    def __init__(
        self, options: DeskOptions, exchange: ExchangeProcess | None, app: QApplication
    ) -> None:
        super().__init__()
        self._options = options
        self._settings = options.settings
        self._app = app
        self._exchange = exchange
        self._folder = options.folder
        self.onward: Onward | None = None
        self._journal = Journal.open(self._folder / "journal.db")
        with ExitStack() as undo:  # a part that fails leaves nothing for the desk that comes next
            undo.callback(self._journal.close)
            self._build(undo)
            undo.pop_all()

    def _build(self, undo: ExitStack) -> None:
        settings, mode = self._settings, self._options.mode
        try:
            self._log = start_log(self._folder)
        except OSError as exc:
            raise ProfileError(
                f"Cannot write the log in {self._folder}: {exc.strerror}. Make room for it."
            ) from exc
        undo.callback(stop_log, self._log)
        self._status = Status(
            profile=self._options.profile.name,
            account=self._options.account,
            banner=self._options.notice,
        )
        self._status.speed = settings.demo.speed if mode == "simulated" else 1.0
        venues = known_venues()
        self._engine = Engine(settings, venues, self._journal, self._status.speed)
        self._engine.restore(self._journal.entries())
        self._address = self._exchange.address() if self._exchange is not None else None
        market_ns = self._address.epoch_ms * 1_000_000 if self._address else 0
        start_ns = max(wall_ns(), market_ns, self._engine.now_ns + 1)
        if self._exchange is not None and start_ns - market_ns > MARKET_BEHIND_NS:
            # its state was deleted while the journal was kept: the market must not run in the past
            self._exchange.restart(start_ns // 1_000_000)
            self._address = self._exchange.address()
        self._clock = SystemClock(self._status.speed, start_ns)
        self._inbox = Inbox()
        watching = Watching(self._folder / "shown.json", self._first_pair(), venues)
        self.feeding = Feeding(
            settings, self._inbox, self._clock, self._engine, watching, self._address
        )
        self._stop = asyncio.Event()
        self._start_session(start_ns)
        self._tape = Recording(self._options, self._journal, self._status, start_ns)
        undo.callback(self._tape.close)
        self._crashed = False
        self._build_window(undo)

    def _build_window(self, undo: ExitStack) -> None:
        settings = self._settings
        self._context = Context(
            self._engine,
            settings,
            self._clock,
            self,
            self._options.mode,
            self._status,
            practice_faults() if self._exchange is not None else (),
            tuple(self.feeding.supervisor.links),
            account_names(self._options.profile),
            ScanView() if settings.scanner.on else None,
            forecast=ForecastView() if settings.forecast.on else None,
            autopilot=AutopilotView(),
        )
        calls = ProductCalls(self.show_pair, self.open_tape, self._leave, self._warn)
        self._product = Product(self._options, self._context, calls, self)
        theme = theme_for(settings.ui)
        theme.apply(self._app)
        self._window = MainWindow(self._context, theme)
        self._pulse = Pulse(self._window.panels(), settings.ui.repaint_ms, self)
        self._pump = Pump(self._inbox, self._engine, self._tape.put, self._pulse.mark, self._clock)
        self._status.engine_ms = self._pump.waits_ms
        self._crash = CrashHandler(self._folder, self._on_crash)
        undo.callback(self._crash.close)
        if self._crash.found:
            self._status.banner, self._status.banner_level = self._crash.found, "warn"
        if self._journal.warnings:
            self._status.banner, self._status.banner_level = self._journal.warnings[0], "error"
        if self._exchange is not None:
            self.exchange_died.connect(self._on_exchange_died)
            undo.callback(setattr, self._exchange, "on_exit", None)
            self._exchange.on_exit = self.exchange_died.emit
        self._practice = Practice(self._exchange, self._engine, self._clock, self._status)
        self._meter = Meter(
            self._engine, self._status, self._inbox, self.feeding.notes, self._tape, self
        )
        self._meter.told = self._clear_exchange_banner
        figures, mark = self._status.uptime, self._pulse.mark_all
        self._uptime = watch_over(self._folder, self._context, figures, self._tape, mark, self)
        self._meter.beat = self._uptime.beat
        self._outlets = DesktopOutlets(self._status, self._on_alert_clicked, self)
        self._window.scanner_made.connect(self._on_scanner_made)
        parts = BesideParts(self.feeding, self._clock, self._pulse, self._outlets, self.submit)
        self._beside = Beside(self._options, self._context, parts, self)
        charts = self._window.chart_windows
        charts.made.connect(self._pulse.add)
        charts.gone.connect(self._pulse.remove)
        charts.wanted.connect(self._beside.watch_charts)
        self._replays = Replays(self._settings, self._options.profile, self)

    def _start_session(self, start_ns: int) -> None:
        begun = session_begun(self._engine, self._settings, self._options.mode, start_ns)
        self._status.session = begun.session
        self._engine.start_session(begun)

    # --- the life of a desk ----------------------------------------------------------------------

    async def run(self) -> None:
        """Show the window, connect, stay until asked to leave, then take everything apart."""
        loop = asyncio.get_running_loop()
        self._crash.watch_loop(loop)
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stop.set)
        gc.enable()
        gc.freeze()  # modules and widgets stay for good: later collections need not look at them
        try:
            restore_window(self._options.profile, self._window)
            if not self._engine.desk.pairs:  # nobody has traded here yet
                self._window.greet()
            if self._app.platformName() == "offscreen":
                self._window.resize(*OFFSCREEN_SIZE)  # its screen is a fiction of 800 x 800
            self._window.closed.connect(self._on_window_closed)
            self._window.show()
            if self._options.scanner:
                self._open_scanner()
            self._meter.start()
            self._uptime.start()
            self._connect()
            self._window.bars.help.first_steps()
            if self._options.replay is not None:
                self.open_tape(self._options.replay, play=self._options.replay_plays)
            await self._stay()
            if self._options.screenshot is not None:
                window, pulse = self._pictured()
                save_picture(window, pulse, self._options.screenshot)
        finally:
            await self._close(loop)

    def _open_scanner(self) -> None:
        scanner = self._window.show_scanner()
        if self._app.platformName() == "offscreen":
            scanner.resize(*OFFSCREEN_SIZE)

    def _connect(self) -> None:
        first, second = self.feeding.watching.shown
        self.submit(SetValue("pair", f"{first} {second}"))
        self.feeding.start(self._on_task_dead)
        self._beside.start()

    def _first_pair(self) -> Pair:
        """The newest open pair, spot first; else the symbol of the settings on Bybit."""
        symbol = self._settings.demo.symbol
        pair = (f"bybit:spot:{symbol}", f"bybit:perp:{symbol}")
        for position in self._engine.open_pairs():
            pair = (position.reference.instrument, position.other.instrument)
        return pair

    async def _stay(self) -> None:
        waits: set[asyncio.Task[None]] = {asyncio.create_task(self._until_stopped(), name="stop")}
        if self._options.exit_after_s is not None:
            waits.add(asyncio.create_task(asyncio.sleep(self._options.exit_after_s)))
        if self._options.pilot is not None:
            waits.add(asyncio.create_task(self._fly(self._options.pilot), name="pilot"))
        await until_one(waits)

    async def _until_stopped(self) -> None:
        await self._stop.wait()

    async def _fly(self, pilot: "Pilot") -> None:
        await pilot(self._context, self._window)

    async def _close(self, loop: asyncio.AbstractEventLoop) -> None:
        """No more frames, then feeds, exchange, tape, journal, window: the reverse of the start."""
        self._pump.stopped = True
        self._window.leaving.end()
        self._product.close()
        self._pulse.stop()
        self._meter.stop()
        self._uptime.stop()
        await self._replays.close()
        await self._beside.stop(orderly=not self._crashed)
        self._outlets.close()
        await self.feeding.stop(SHUTDOWN_S)
        await self._product.closed()
        self._product.keep()
        if self._exchange is not None:
            self._exchange.on_exit = None
        self._tape.close()
        self._journal.close()
        save_window(self._options.profile, self._window)
        self._window.close()
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        loop.set_exception_handler(None)
        self._window.deleteLater()  # with all that hangs on it, when another desk's loop turns
        self._crash.close()
        stop_log(self._log)

    # --- what a person asks for (Actions) --------------------------------------------------------

    def submit(self, command: Command) -> None:
        """Stamp a command and put it where everything else comes in. Drills are for the demo."""
        if isinstance(command, Drill) and not self._practice.possible:
            return
        now_ns = self._clock.now_ns()
        stamped = msgspec.structs.replace(command, t_ns=now_ns)
        self._inbox.put(Frame(COMMAND, msgspec.json.encode(stamped), now_ns))
        try:
            self._pump.hurry()
        except Exception as exc:  # noqa: BLE001 - goes where a walk by the timer would send it
            self._crash.record(exc, "a command")

    def save_log(self, folder: Path | None) -> None:
        """Write this journal's session log into a new folder, in a thread; then say where."""
        folder = self._product.log_folder(folder)
        journal, signals = self._journal.path, self._beside.signals
        job = save_job(folder, journal, self._settings, self._engine, signals)
        spawn(self._save(job), "save the session log", self._on_task_dead)

    async def _save(self, job: "SaveJob") -> None:
        if problem := await saved(job):
            self._warn(problem)
        else:
            self._status.saved = str(job.folder)
            self._window.tell_saved(job.folder)
        self._pulse.mark_all()

    def open_tape(self, path: Path, *, play: bool = False) -> None:
        """Play a tape in a window of its own; this desk goes on and records."""
        try:
            self._replays.open(path, self._options.replay_speed, play=play)
        except UserError as exc:
            self._warn(str(exc))

    def reconnect(self, conn: str) -> None:
        """Drop one connection; it comes back by itself."""
        self.feeding.supervisor.reconnect(conn)

    def show_pair(self, first: str, second: str) -> None:
        """Bring both legs' feeds and put the pair on the screen."""
        self.feeding.show(first, second)
        self.submit(SetValue("pair", f"{first} {second}"))

    def practise(self, kind: str, conn: str, for_s: float) -> None:
        """Let the demo exchange commit a fault, and say so."""
        self._practice.practise(kind, conn, for_s)
        self._pulse.mark_all()

    def stop_practice(self) -> None:
        """End every fault of the exchange, and what was to go wrong with the next order."""
        self._practice.stop()
        self.submit(Drill("off"))
        self._pulse.mark_all()

    def switch_account(self, name: str) -> None:
        """Leave in order, then open another account; stay, with a reason, where that cannot be."""
        if name == self._options.account:
            return
        if problem := why_not_free(self._options.profile, name):
            self._warn(problem)
        else:
            self._leave(Onward(name))

    def reset_account(self) -> None:
        """Leave in order, put the account's folder aside, and open it anew."""
        self._leave(Onward(self._options.account, reset=True))

    def _leave(self, onward: Onward) -> None:
        self.onward = onward
        self._stop.set()

    def _warn(self, sentence: str) -> None:
        self._status.banner, self._status.banner_level = sentence, "warn"
        self._pulse.mark_all()

    def quit(self) -> None:
        """Leave in order."""
        self._stop.set()

    # --- what happens to the desk ----------------------------------------------------------------

    def _on_alert_clicked(self) -> None:
        self._window.show_scanner()

    def _on_scanner_made(self, scanner: "ScanWindow") -> None:
        restore_scanner(self._options.profile, scanner)
        for panel in scanner.panels():
            self._pulse.add(panel)

    def _on_window_closed(self) -> None:
        self._stop.set()

    def _on_crash(self, sentence: str) -> None:
        """Decide nothing more on a state that may be half-way, and let nothing look live."""
        if self._crashed:
            return
        self._crashed = self._pump.stopped = True
        self._beside.look_no_more()
        self._status.banner, self._status.banner_level = sentence, "error"
        self._uptime.after_fault()
        now_ns = self._status.fault_ns = self._clock.now_ns()
        halted = RiskChanged(now_ns, "halted", "basisdesk stopped after a fault", "crash")
        try:
            self._journal.append(halted)  # the next start waits for a person
        except JournalError as exc:
            log.error("the halt was not journaled: %s", exc)
        for conn in list(self._engine.market.links):
            change = LinkChange(conn, "down", "basisdesk stopped")
            self._engine.market.link(change, now_ns)
        self._window.disable()
        self._window.refresh_all()

    def _on_task_dead(self, name: str, exc: BaseException) -> None:
        self._crash.record(exc, name)

    @Slot(object)
    def _on_exchange_died(self, sentence: str) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if exchange.restarts >= RESTARTS_MAX:
            self._status.banner = f"{sentence} It does not stay up; restart basisdesk."
            self._status.banner_level = "error"
            return
        delay_s = RESTART_DELAYS_S[min(exchange.restarts, len(RESTART_DELAYS_S) - 1)]
        self._status.banner = f"{sentence} Restarting it; your pairs and ledger are kept."
        self._status.banner_level = "warn"
        log.warning("%s", sentence)
        QTimer.singleShot(int(delay_s * 1000), self, self._restart_exchange)

    def _restart_exchange(self) -> None:
        if self._exchange is not None and not self._stop.is_set():
            self._exchange.restart(self._clock.now_ns() // 1_000_000)

    def _clear_exchange_banner(self) -> None:
        """The exchange is back: the warning goes once all of its sockets are up again."""
        if self._status.banner_level != "warn" or "Restarting it" not in self._status.banner:
            return
        links = self._engine.market.links.values()
        if all(link.state == "up" for link in links if link.state):
            self._status.banner = ""

    def _pictured(self) -> "tuple[QWidget | None, Pulse]":
        """The window a screenshot is of: the replay's, the scanner's or the desk's."""
        if (replay := self._replays.replay) is not None and self._options.replay is not None:
            return replay.window, replay.pulse
        return (self._window.scan if self._options.scanner else self._window), self._pulse
