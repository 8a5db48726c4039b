"""A replay in a window of its own: the same window class, an engine and an account of its own.

The window shows an engine that a player moves on the same Qt loop, in slices shorter than SLICE_S,
so the live desk beside it goes on receiving and recording. What a person does here is stamped with
tape time and goes to the player; nothing of it reaches the live engine, its journal or its tape.
A fault of a replay ends the replay and nothing else.
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QMenu

from basisdesk.app.crash import log
from basisdesk.app.meter import Meter
from basisdesk.app.replay_parts import (
    ReplayOptions,
    TapeClock,
    first_pair,
    journal_of,
    player_of,
    survey_all,
    tape_settings,
)
from basisdesk.app.saving import LOGS, save_job, saved
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.events import Changed, Command, Drill, SetValue
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.tasks import spawn
from basisdesk.lab.player import COMMANDS_MAX, commands_text
from basisdesk.lab.tape_index import TapeIndex, is_trade
from basisdesk.ui.context import Context, Status
from basisdesk.ui.halt_dialogs import AskDialog
from basisdesk.ui.pulse import Pulse
from basisdesk.ui.replay_bar import ReplayBar
from basisdesk.ui.replay_rows import ReplayView, branch_text
from basisdesk.ui.theme import theme_for
from basisdesk.ui.window import MainWindow

SLICE_S = 0.005  # of walking between two looks at the event loop
TICK_MS = 10
WORK_TICK_MS = 2  # a person waits for a jump
DT_S_MAX = 0.1  # of real time that one tick may make up for: after a stall the tape does not race
BAR_S = 0.06  # between two looks of the bar at a tape that moves
OPENING_NS = 5_000_000_000  # of tape that may pass before the first prices stand in the window
WALKED_S = 0.5  # of walking behind one measurement of its pace
ACCOUNT = "replay"


class Replaying(QObject):
    """One replay: what a person asks of it (Actions, ReplayActions) and what moves it.

    Raises UserError where the tape cannot be played. closed: its window is gone. opens: another
    tape is asked for (Path). Needs a running loop.
    """

    closed = Signal(object)
    opens = Signal(object)

    def __init__(self, options: ReplayOptions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._options = options
        self.index = TapeIndex(options.tape)
        if not len(self.index):
            raise UserError(f"Tape {options.tape} holds no message. Choose another one.")
        settings = tape_settings(self.index, options.settings)
        self.player = player_of(self.index, settings)
        self.player.play(options.speed)
        self.player.pause()
        name = options.tape.stem
        self.view = ReplayView(name, self.index.header.source)
        self._status = Status(profile=options.profile.name, account=ACCOUNT, session=name)
        self._status.speed, self._status.recorded = self.index.header.speed, True
        self._status.tape_state = "This is a replay: the desk beside it records, not this window."
        clock = TapeClock(self.player)
        self.context = Context(self.player.engine, settings, clock, self, "replay", self._status)
        self._note = ""
        self._opening = False
        self._goes_on = False  # it played when a jump was asked for
        self._pair = ("", "")  # on the screen when it was
        self._asked: AskDialog | None = None
        self._by_hand = (0, 0)  # commands by hand, and how many of them are done
        self._pace = (0, 0.0)  # raw bytes and seconds of walking, not told to the player yet
        self._over = threading.Event()
        self._build_window(settings)
        self._survey = spawn(self._look_through(), "look through the tape", self._on_failed)

    def _build_window(self, settings: Settings) -> None:
        self._theme = theme = theme_for(settings.ui)
        self.window = window = MainWindow(self.context, theme)
        window.setWindowTitle(f"basisdesk \u00b7 REPLAY \u00b7 {self._options.tape.name}")
        self.pulse = Pulse(window.panels(), settings.ui.repaint_ms, self)
        self._meter = Meter(self.player.engine, self._status, Inbox(), dict, None, self)
        self._meter.told = self._tell  # once a second, also while the tape stands
        self.bar = ReplayBar(self.view, self, theme)
        window.head.addWidget(self.bar)
        menu = QMenu("Replay", window)
        menus = window.menus.actions()
        window.menus.insertMenu(menus[-1], menu)  # Help stays the last
        self.bar.join(window, menu)
        window.closed.connect(self._on_window_closed)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)
        self._tick_s = self._bar_s = mono_s()

    def start(self) -> None:
        """Show the window and let the first moment of the tape stand in it."""
        self.window.show()
        self._meter.start()
        player = self.player
        until_ns = player.first_ns + OPENING_NS
        player.step(lambda: self._has_prices() or player.now_ns >= until_ns)
        self._opening = True
        self._go()

    def _has_prices(self) -> bool:
        pair = self.player.engine.shown()
        return pair is not None and pair.now.mid_bp == pair.now.mid_bp  # no NaN

    def _opened(self) -> None:
        """The first moment stands: a pair is on the screen, whatever the recording looked at."""
        self._opening = False
        engine = self.player.engine
        if not all(engine.pair) and (pair := first_pair(engine)) is not None:
            self.show_pair(*pair)
        if self._options.play:
            self.play()

    async def close(self) -> None:
        """Take the window and everything under it apart; what was found of the tape is kept."""
        self._over.set()
        self._timer.stop()
        self.pulse.stop()
        self._meter.stop()
        self.window.closed.disconnect(self._on_window_closed)
        self.window.close()
        self.window.deleteLater()
        await asyncio.wait({self._survey})

    # --- what moves it ---------------------------------------------------------------------------

    def _go(self) -> None:
        self._tick_s = mono_s()
        self._timer.start(WORK_TICK_MS if self.player.working else TICK_MS)
        self._tell()

    def _on_tick(self) -> None:
        now_s = mono_s()
        dt_s, self._tick_s = min(DT_S_MAX, now_s - self._tick_s), now_s
        player, raw = self.player, self.player.raw_walked
        end_s = now_s + SLICE_S
        if player.working:  # panels wait for its end: painting on the way would cost more than it
            self._try(lambda: player.work(lambda: mono_s() < end_s), quietly=True)
        else:
            self._try(lambda: player.tick(dt_s, lambda: mono_s() < end_s))
        self._measure(player.raw_walked - raw, mono_s() - now_s)
        if not (player.working or player.playing):
            self._stand()
        elif mono_s() - self._bar_s > BAR_S:
            self._tell()

    def _stand(self) -> None:
        """A walk came to its end, or nothing plays: show all of it, or play on after a jump."""
        self._timer.stop()
        if self._opening:
            self._opened()
        pair, self._pair = self._pair, ("", "")
        if all(pair) and self.player.engine.pair != pair:
            self.show_pair(*pair)  # before it was chosen; whoever scrubs wants to see it there, too
        goes_on, self._goes_on = self._goes_on, False
        if goes_on:
            self.player.play()
            self._go()
        self.pulse.mark_all()
        self._tell()

    def _measure(self, raw: int, seconds: float) -> None:
        """Note the pace of walking, told in pieces long enough to mean something."""
        known, spent = self._pace
        self._pace = (known + max(0, raw), spent + seconds)
        if self._pace[1] >= WALKED_S:
            self.player.took(*self._pace)
            self._pace = (0, 0.0)

    def _try(self, act: Callable[[], Changed], *, quietly: bool = False) -> None:
        """Do something with the player and let the panels know; a fault ends the playing."""
        try:
            changed = act()
            if not quietly:
                self.pulse.mark(changed)
        except UserError as exc:
            self._stop(str(exc))
        except Exception as exc:  # noqa: BLE001 - a bug here must not halt the desk that records
            self._on_failed("a replay", exc)

    def _stop(self, sentence: str) -> None:
        self.player.pause()
        self._timer.stop()
        self.warn(sentence)

    def _on_failed(self, where: str, exc: BaseException) -> None:
        log.error("%s ended by a fault", where, exc_info=exc)
        said = str(exc) if isinstance(exc, UserError) else f"a bug ({type(exc).__name__})"
        self._stop(f"The replay stopped: {said} The log has the details; the desk goes on.")

    def warn(self, sentence: str) -> None:
        """Say a sentence in the bar."""
        self._note = sentence
        self._tell()
        self.pulse.mark_all()

    def _tell(self) -> None:
        """Write what the bar shows."""
        self._bar_s = mono_s()
        player, view = self.player, self.view
        view.first_ns, view.last_ns, view.now_ns = player.first_ns, player.last_ns, player.now_ns
        view.playing, view.working = player.playing, player.working
        view.at_end, view.progress = player.at_end, player.progress
        view.asked, view.reached = player.speed, player.reached_speed
        if view.holes != player.holes:
            view.holes = player.holes
            begin_ns = player.holes[0][0] if player.holes else player.now_ns
            view.walk_s = player.walk_s(begin_ns, player.now_ns)
        view.blocked, view.doubt = player.blocked, player.doubt
        by_hand = len(player.commands), player.commands_done
        if by_hand != self._by_hand:
            self._by_hand = by_hand
            view.marks, view.later = player.trades_ns(), player.later_trades()
        view.commands = len(view.marks)
        view.surveyed = self.index.surveyed / len(self.index)
        view.note = self._note
        self.bar.refresh()

    # --- looking through the tape ----------------------------------------------------------------

    async def _look_through(self) -> None:
        """In a thread: which blocks somebody traded in. Kept beside the tape for the next time."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, survey_all, self.index, self._over)
        if not self._over.is_set():
            self._tell()

    # --- what a person asks of the player (ReplayActions) ----------------------------------------

    def play(self) -> None:
        """Play, or pause where it plays; a jump under way stops."""
        self._note = ""
        self._goes_on = False
        if self.player.playing or self.player.working:
            self.player.pause()
        else:
            self.player.play()
        self._go()

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as it went."""
        playing = self.player.playing
        self.player.play(speed)
        if not playing:
            self.player.playing = False
        self._tell()

    def step(self, what: str) -> None:
        """Go on to the next "frame", "change" or "settlement" and stand there."""
        self._note = ""
        if what == "settlement" and not self._legs_paid():
            self.warn("No funding is known of the pair on the screen.")
            return
        watched = {"change": self._tops, "settlement": self._stamps}.get(what)
        if watched is None:
            self.player.step()
        else:
            before = watched()
            self.player.step(lambda: watched() != before)
        self._go()

    def jump(self, t_ns: int) -> None:
        """Go to a time of the tape."""
        self._note = ""
        player = self.player
        self._goes_on = player.playing or (self._goes_on and player.working)
        if not player.working:
            self._pair = player.engine.pair
        self._try(lambda: player.jump(t_ns))
        self._go()

    def cancel(self) -> None:
        """Stop a jump or a walk where it is."""
        self._goes_on = False
        self.player.pause()
        self._go()

    def walk(self) -> None:
        """Walk what was left out."""
        self._pair = self.player.engine.pair
        self._try(self.player.walk_holes)
        self._go()

    def save_commands(self, path: str) -> None:
        """Write the trades by hand as a file for `basisdesk replay --commands`."""
        try:
            Path(path).write_text(commands_text(self.player.commands), "utf-8")
        except OSError as exc:
            self.warn(f"Cannot write {path}: {exc.strerror}. Choose another place.")
        else:
            self._status.saved = path
            self.pulse.mark_all()

    def _tops(self) -> tuple[float, ...]:
        """Best prices of the pair on the screen; NaN is written as 0, so that it equals itself."""
        pair = self.player.engine.shown()
        legs = (pair.spot, pair.perp) if pair is not None else ()
        prices = [each for leg in legs for each in (leg.bid, leg.ask)]
        return tuple(each if each == each else 0.0 for each in prices)

    def _stamps(self) -> tuple[int, ...]:
        """The coming funding stamps of the legs on the screen, and what was settled so far."""
        engine = self.player.engine
        pair = engine.shown()
        legs = (pair.spot, pair.perp) if pair is not None else ()
        return tuple(leg.funding.next_ms for leg in legs)

    def _legs_paid(self) -> bool:
        return any(self._stamps())

    # --- what a person asks of the desk (Actions) ------------------------------------------------

    def submit(self, command: Command) -> None:
        """Stamp a command with tape time and keep it. Ask first where it undoes later ones."""
        player = self.player
        if isinstance(command, Drill):
            return
        if problem := self._why_not(command):
            self.warn(problem)
        elif is_trade(command) and player.later_trades():
            self._ask_branch(command)
        else:
            self._take(command)

    def _why_not(self, command: Command) -> str:
        player = self.player
        if len(player.commands) >= COMMANDS_MAX:
            return (
                f"{COMMANDS_MAX:,} commands are the most one replay keeps. Save them, start anew."
            )
        if not is_trade(command):
            return ""
        if player.working:
            return "The tape is being walked. Stop it, or wait until it stands."
        if player.holes:
            return "Trades wait until what was left out is walked, so that the account is exact."
        return ""

    def _take(self, command: Command) -> None:
        self._note = ""
        self._try(lambda: self.player.submit(command))
        self._tell()

    def _ask_branch(self, command: Command) -> None:
        """The moment stands still until the answer is there."""
        if self._asked is not None:
            return
        self.player.pause()
        asked = AskDialog("Trade in the past", "Undo and trade", self._theme, self.window)
        asked.fill(asked.wrapped(branch_text(self.player.later_trades())))
        asked.accepted.connect(lambda: self._take(command))
        asked.finished.connect(self._on_answered)
        self._asked = asked
        asked.open()
        asked.cancel.setFocus()
        self._tell()

    def save_log(self, folder: Path | None) -> None:
        """Write this replay's session log: its journal first, then the usual report of it."""
        where = folder or self._options.profile / LOGS
        spawn(self._save(where), "save the session log", self._on_failed)

    async def _save(self, folder: Path) -> None:
        try:
            path = journal_of(self.player, self._options)
        except (OSError, UserError) as exc:
            self.warn(f"The log was not saved: {exc}")
            return
        job = save_job(folder, path, self.context.settings, self.player.engine)
        if problem := await saved(job):
            self.warn(problem)
        else:
            self._status.saved = str(job.folder)
            self.window.tell_saved(job.folder)
        self.pulse.mark_all()

    def show_pair(self, first: str, second: str) -> None:
        """Put a pair on the screen; of one that the tape does not hold nothing will come."""
        self.submit(SetValue("pair", f"{first} {second}"))

    def open_tape(self, path: Path) -> None:
        """Play another tape instead."""
        self.opens.emit(path)

    def reconnect(self, conn: str) -> None:
        """A recording has no connections."""
        self.warn(f"{conn} is on the tape as it was; there is nothing to connect.")

    def practise(self, kind: str, conn: str, for_s: float) -> None:
        """Faults are for the demo exchange."""

    def stop_practice(self) -> None:
        """Faults are for the demo exchange."""

    def switch_account(self, name: str) -> None:
        """A replay has one account."""

    def reset_account(self) -> None:
        """Back to the begin, without trades by hand."""
        self.jump(self.player.first_ns)
        self.player.branch()

    def quit(self) -> None:
        """Close the replay."""
        self.window.close()

    # --- slots -----------------------------------------------------------------------------------

    def _on_answered(self, _result: int) -> None:
        self._asked = None

    def _on_window_closed(self) -> None:
        self.closed.emit(self)
