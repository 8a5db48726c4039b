"""The scanner on its own beat: what is polled, counted, remembered and told, in six parts a second.

Nothing here is on the way of a trade. What the sectors say reaches the desk as a command, through
the inbox like everything else, so that a replay sees it.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

from basisdesk.app.alert_outlets import DesktopOutlets
from basisdesk.app.alerting import Alerting
from basisdesk.clock import SystemClock, mono_s
from basisdesk.engine import Engine
from basisdesk.errors import ProfileError
from basisdesk.events import Changed, Command, SetValue
from basisdesk.feed.scan_feed import ScanPlan
from basisdesk.feed.supervisor import Supervisor
from basisdesk.feed.tasks import spawn
from basisdesk.lab.history import HistoryStore
from basisdesk.market.past import DAY_MS, Fresh, Past
from basisdesk.scan.alerts import AlertRule
from basisdesk.scan.composite import composites
from basisdesk.scan.matrix import MatrixMaker
from basisdesk.scan.openings import Scan
from basisdesk.scan.past_figures import PastFigures
from basisdesk.scan.scorecard import Scorecard
from basisdesk.scan.sector_map import SectorMap, parse_sectors
from basisdesk.scan.sectors import Sectors
from basisdesk.scan.view import ScanView
from basisdesk.scan.words import Flag, SectorView
from basisdesk.ui.resources import resource

if TYPE_CHECKING:
    from basisdesk.app.desk import DeskOptions

PHASE_MS = 166  # six phases make a beat of one second; each leaves the window its turn
ROWS_MAX = 100_000  # of the history handed to the disk in one beat
APPEND_S = 60.0  # between two writes of the history
SCORES_S = 5.0  # between two scorecards
FIGURES_S = 0.008  # of renewing figures of the past in one beat
UNSEEN_BEATS = 4  # beats from one matrix to the next while nobody looks
WORDS_MAX = 20  # sector commands in one beat
CALM_S = 600.0  # of a new profile, before alerts about the market at large are told
STOPPED = "The scanner stopped after a fault of its own. Trading goes on; restart to scan again."
SECTORS_FILE = "sectors.json"  # in the profile, in the place of the map that ships


@dataclass(frozen=True)
class ScanParts:
    """What the scanner is joined to. mark: told what changed. submit: takes commands.

    failed: told of a fault that ended the scanner, where it was, and what to tell the person.
    """

    engine: Engine
    supervisor: Supervisor
    clock: SystemClock
    mark: Callable[[Changed], None]
    submit: Callable[[Command], None]
    outlets: DesktopOutlets
    failed: Callable[[BaseException, str, str], None]
    speed: float = 1.0


class Scanning(QObject):
    """Owns everything the scan window shows and fills `view` with it. Is its ScanActions too.

    A fault in it ends the scanner and nothing else: exit plans go on. `view.problem` says so.
    Raises SettingsError where the user's sector map is wrong, ProfileError where it cannot be read.
    """

    def __init__(
        self,
        options: "DeskOptions",
        view: ScanView,
        parts: ScanParts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.view = view
        settings = options.settings
        self._settings = settings
        self._parts = parts
        self._universe = parts.engine.market.universe
        scanner = settings.scanner
        self._paced = parts.engine.settings  # ages are the market's; pages are polled in real time
        self._scan = Scan(self._paced)
        self._matrix = MatrixMaker()
        self._figures = PastFigures(self._universe.past, scanner.hold_h)
        self._sectors = Sectors(read_sectors(options.profile), settings, parts.speed)
        self._scan.flag = self._flag
        self._scores = Scorecard()
        self._store = HistoryStore(
            history_folder(options),
            scanner.disk_mb_max,
            scanner.funding_days,
            scanner.minute_days,
        )
        self.alerting = Alerting(
            options.folder, parts.engine, view, parts.outlets, parts.speed, CALM_S
        )
        self.alerting.reader.sector_of = self._sectors.map.sector_of
        self._said: dict[str, str] = {}
        self._complete = False  # once the past was filled in
        self._phase = 0
        self._append_s = self._scored_s = 0.0
        self._spans = (math.nan, math.nan)
        self._scored = -1  # the edition of the newest scorecard
        self._keeping: asyncio.Task[None] | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(PHASE_MS)
        self._timer.timeout.connect(self._on_phase)
        self._phases = (
            self._count,
            self._look_back,
            self._compare,
            self._compose,
            self._score,
            self._tell,
        )

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read what the disk kept, then beat. Needs a running loop."""
        self.alerting.start(self._fail)
        self._plan()
        self._keeping = spawn(self._restore(), "the history of the scanner", self._fail)
        self._timer.start()

    async def stop(self) -> None:
        """No more beats; what is fresh is on the disk when this returns."""
        self._timer.stop()
        if self._keeping is not None:
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._append(self._universe.past.drain())
        self._store.close()
        await self.alerting.stop()

    # --- what a person asks for (ScanActions) ----------------------------------------------------

    def set_scan_size(self, size: float) -> None:
        """Count openings at this size from the next beat on."""
        self._scan.size = size

    def set_alert_rule(self, rule: AlertRule) -> None:
        """Add an alert rule, or replace the one of the same id."""
        self.alerting.set_rule(rule)

    def drop_alert_rule(self, rule_id: str) -> None:
        """Forget an alert rule."""
        self.alerting.drop_rule(rule_id)

    def snooze_alert(self, rule_id: str, minutes: int) -> None:
        """Silence a rule for so long."""
        self.alerting.snooze(rule_id, minutes)

    def mute_alerts(self, muted: bool) -> None:
        """No sound of alerts, or sound again."""
        self.alerting.mute(muted)

    def test_webhook(self) -> None:
        """Send an example to the webhook."""
        self.alerting.test_webhook()

    # --- the beat --------------------------------------------------------------------------------

    def _on_phase(self) -> None:
        act = self._phases[self._phase]
        self._phase = (self._phase + 1) % len(self._phases)
        try:
            changed = act(self._parts.clock.now_ns())
        except Exception as exc:  # noqa: BLE001 - a fault here must not stop anybody's exit plan
            self._fail("the scanner", exc)
            return
        if changed:
            self._parts.mark(changed)

    def _count(self, now_ns: int) -> Changed:
        """Openings, triggers and the strip over them."""
        view, scan = self.view, self._scan
        began_s = mono_s()
        scan.refresh(self._parts.engine.market, now_ns, self._figures)
        view.openings, view.triggers = scan.openings, scan.triggers
        took_ms = (mono_s() - began_s) * 1e3
        done, wanted = self._parts.supervisor.scan_progress()
        view.strip = replace(
            scan.strip,
            history_mb=self._store.size_mb,
            funding_days=self._spans[0],
            minute_hours=self._spans[1],
            past_done=done,
            past_wanted=wanted,
            refresh_ms=took_ms,
        )
        view.version += 1
        return Changed.SCAN

    def _look_back(self, now_ns: int) -> Changed:
        """Figures of our own past, and the sectors."""
        view = self.view
        if view.openings is not None and len(view.openings):
            end_s = mono_s() + (FIGURES_S if view.seen else FIGURES_S / 2)
            self._figures.step(view.openings, enough=lambda: mono_s() > end_s)
        sectors = self._sectors.refresh(self._parts.engine.market, now_ns)
        self._scan.market_levels = self._sectors.market_levels
        if self._filled():
            view.sectors = sectors
            self._say_sectors()
        else:
            view.sectors = unspoken(sectors, *self._parts.supervisor.scan_progress())
        return Changed.NOTHING

    @property
    def _idle(self) -> bool:
        """Nobody looks, and this beat is none of those that alerts need."""
        view = self.view
        return not view.seen and view.version > UNSEEN_BEATS and view.version % UNSEEN_BEATS > 0

    def _compare(self, now_ns: int) -> Changed:
        """Coins over venues."""
        if self._idle:
            return Changed.NOTHING
        self.view.matrix = self._matrix.look(self._parts.engine.market, self._paced, now_ns)
        return Changed.NOTHING

    def _compose(self, now_ns: int) -> Changed:
        if self._idle:
            return Changed.NOTHING
        market = self._parts.engine.market
        self.view.composites = composites(market, self._paced, now_ns)
        self._scores.note(market, now_ns)
        return Changed.NOTHING

    def _score(self, now_ns: int) -> Changed:
        """How each venue keeps its word."""
        market, view = self._parts.engine.market, self.view
        if mono_s() >= self._scored_s + SCORES_S or self._universe.edition != self._scored:
            self._scored_s, self._scored = mono_s(), self._universe.edition
            view.scores = self._scores.scores(market, self._settings, now_ns)
            self._spans = spans(self._universe.past)
        return Changed.NOTHING

    def _tell(self, now_ns: int) -> Changed:
        """Alerts, what the feeds are to bring, and the disk."""
        self._plan()
        idle = self._keeping is None or self._keeping.done()
        if idle and mono_s() >= self._append_s + APPEND_S:
            fresh = self._universe.past.drain(ROWS_MAX)
            if fresh.rows < ROWS_MAX:  # else the rest follows at the next beat
                self._append_s = mono_s()
            self._keeping = spawn(self._append(fresh), "writing the history", self._fail)
        changed = self.alerting.beat(now_ns)
        return changed | Changed.FEEDS if self._parts.outlets.tick(mono_s()) else changed

    # --- inside ----------------------------------------------------------------------------------

    def _fail(self, where: str, exc: BaseException) -> None:
        self._timer.stop()
        self._parts.supervisor.scan(None)
        self.view.problem = self.view.why_empty = STOPPED
        self._parts.failed(exc, where, STOPPED)

    def _plan(self) -> None:
        scanner, legs = self._settings.scanner, self._universe.legs
        perps = tuple(key for key in legs if ":perp:" in key)
        spots = tuple(key for key in legs if ":spot:" in key)
        self._parts.supervisor.scan(
            ScanPlan(
                venues=scanner.venues,
                poll_s=scanner.poll_s,
                books=self._scan.deepen,
                past=perps + spots,
                past_days=scanner.funding_days,
                legs=perps,
            )
        )

    def _filled(self) -> bool:
        """Whether the venues were asked for all of the past: half a past makes sectors turn."""
        done, wanted = self._parts.supervisor.scan_progress()
        self._complete = self._complete or 0 < wanted <= done
        return self._complete

    def _flag(self, coin: str, direction: int) -> Flag:
        return self._sectors.flag(coin, direction) if self._complete else ""

    def _say_sectors(self) -> None:
        """A coin's word that changed, as a command: the journal's tape has it too."""
        said = self._sectors.words()
        news = [coin for coin, word in said.items() if self._said.get(coin, "") != word]
        for coin in news[:WORDS_MAX]:
            self._said[coin] = said[coin]
            self._parts.submit(SetValue(f"sector.{coin}", said[coin]))

    async def _restore(self) -> None:
        """What the disk kept, read beside the loop."""
        past = self._universe.past
        now_ms = self._parts.clock.now_ns() // 1_000_000
        loop = asyncio.get_running_loop()
        kept = await loop.run_in_executor(None, self._store.read, past.minutes_kept, now_ms)
        self._show_problem()
        for _ in past.restoring(kept):
            await asyncio.sleep(0)  # the window has its turn
        self._append_s = mono_s()

    async def _append(self, fresh: Fresh) -> None:
        now_ms = self._parts.clock.now_ns() // 1_000_000
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._store.append, fresh, now_ms)
        self._show_problem()

    def _show_problem(self) -> None:
        if self.view.problem != STOPPED:
            self.view.problem = self._store.problem


def unspoken(view: SectorView, done: int, wanted: int) -> SectorView:
    """The sectors while their past is being filled in: figures, and no state yet."""
    words = f"The past is being filled in, {done} of {wanted} legs. Until then no sector speaks."
    rows = tuple(row._replace(state="calm", since_ms=0, words="") for row in view.rows)
    return replace(view, rows=rows, verdict=words)


def spans(past: Past) -> tuple[float, float]:
    """Days of settled funding and hours of minutes that a past spans; NaN for none."""
    stamps = [ms for ms, _ in map(past.settled, past.perps) if len(ms)]
    days = max((float(ms[-1] - ms[0]) / DAY_MS for ms in stamps), default=math.nan)
    known = (np.flatnonzero(np.isfinite(past.minutes(key)[1])) for key in past.legs)
    hours = max(((at[-1] - at[0] + 1) / 60 for at in known if len(at)), default=math.nan)
    return days, float(hours)


def history_folder(options: "DeskOptions") -> Path:
    """Where the history of this market lies.

    Live markets are the same for every account of the profile; each account simulates its own.
    """
    if options.mode != "simulated":
        return options.profile / "history" / options.mode
    demo = options.settings.demo
    story = "".join(ch if ch.isalnum() else "-" for ch in demo.scenario.lower())
    return options.folder / "history" / f"{demo.seed}-{story}"


def read_sectors(profile: Path) -> SectorMap:
    """The user's sector map, else the one that ships. Raises SettingsError or ProfileError."""
    own = profile / SECTORS_FILE
    try:
        if own.exists():
            return parse_sectors(own.read_bytes(), str(own))
    except OSError as exc:
        raise ProfileError(
            f"Cannot read {own}: {exc.strerror}. Remove it to use the map of the program."
        ) from exc
    return parse_sectors(resource("sectors.json").read_bytes())
