"""The forecast's own beat: each pair once a second, what it learned on the disk, slow figures.

Four phases make a second, and each takes a quarter of the pairs. Nothing here is on the way of a
trade, and a fault ends the forecast and nothing else. Ticks are read at their moment and stand in a
queue until they are heard; while a dump is written in a thread the queue waits, so what is written
is of one moment and the window is not held up.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer

from basisdesk.app.forecast_figures import bands_of, funding_of, hold_of
from basisdesk.app.forecast_keeping import Keeping, in_thread
from basisdesk.app.forecast_life import Heard, Life, batch_of, rules_of
from basisdesk.app.forecast_outside import Outside
from basisdesk.app.forecast_pairs import (
    PERPS_ONLY,
    PairReaders,
    Past,
    Watched,
    name_of,
    of_perps,
)
from basisdesk.app.forecast_person import Person
from basisdesk.app.forecast_signals import signal_files
from basisdesk.clock import SystemClock, mono_s
from basisdesk.engine import Engine
from basisdesk.events import Changed
from basisdesk.feed.tasks import spawn
from basisdesk.forecast.analogues import Analogues
from basisdesk.forecast.evaluate import Outcomes, Report, report
from basisdesk.forecast.forecaster import decision
from basisdesk.forecast.leadlag import LeadLag, lead_lag
from basisdesk.forecast.signal_score import by_regime
from basisdesk.forecast.view import (
    ForecastView,
    Funding,
    Hold,
    PairForecast,
    PairKey,
    Skill,
)
from basisdesk.forecast.words import Score, Tick
from basisdesk.trading.hold_time import Holds

PHASES = 4
PHASE_MS = 250  # four phases make a beat of one second
HEAR_S = 0.008  # of hearing what waits, in one phase
QUEUE_MAX = 20_000  # ticks that wait; beyond it none is read
APPEND_S = 5.0  # between two writes of samples
DUMP_S = 600.0  # between two dumps
SLOW_S = 60.0  # between two looks at the hold of one pair
SOON_S = 5.0  # while it is not known; between two looks at what else moves slowly
LEAD_S, LEAD_PAST_S = 30.0, 300.0
SKILL_S = 60.0
SOON = "not measured yet for this side, a few seconds"
STOPPED = (
    "The forecast stopped after a fault of its own. Trading goes on; restart to forecast again."
)


@dataclass(frozen=True)
class ForecastParts:
    """What the forecast is joined to. mark: told what changed.

    recent: pairs looked at lately, the shown one last. sector_z: of a coin, NaN where unknown.
    failed: told of a fault that ended the forecast, where it was, and what to tell the user.
    """

    engine: Engine
    clock: SystemClock
    mark: Callable[[Changed], None]
    recent: Callable[[], tuple[PairKey, ...]]
    sector_z: Callable[[str], float]
    failed: Callable[[BaseException, str, str], None]


@dataclass
class _Slow:
    # the slow figures of one pair
    at_s: float = -SLOW_S
    at_ns: int = 0  # of the market, which may run faster
    told_s: float = -SLOW_S
    direction: int = 0
    funding: Funding = field(default_factory=Funding)
    analogues: Analogues | None = None
    warming: tuple[str, ...] = ()
    hold: Hold = field(default_factory=Hold)
    lead: LeadLag | None = None
    lead_ns: int = 0

    def hold_due(self, now_s: float, now_ns: int) -> bool:
        """A minute of the market passed since the hold was looked at, or soon where unknown."""
        if self.at_s < 0.0 or now_ns - self.at_ns >= SLOW_S * 1e9:
            return True
        return not self.hold.median_h >= 0.0 and now_s - self.at_s >= SOON_S


class Forecasting(QObject):
    """Owns everything the forecast panel shows and fills `view` with it. folder: of the account.

    story: names the market where that is a simulated one; what was learned in one says nothing of
    another. A fault ends the forecast and nothing else; `view.problem` says so.
    """

    def __init__(
        self,
        folder: Path,
        story: str,
        view: ForecastView,
        parts: ForecastParts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.view = view
        self._parts = parts
        self._engine = parts.engine
        settings = parts.engine.settings
        self._rules = rules = rules_of(settings)
        self.folder = folder / "forecast" / (story or "market") / self._rules.hash
        folders = folder / "forecast", self.folder
        self._outside = Outside(settings.forecast, folders, view, parts.clock.now_ns)
        margin, extras = settings.forecast.margin, self._outside.extras
        self._keeping = Keeping(self.folder, self._rules, margin, extras)
        self._keeping.told = self._outside.heard
        self._readers = PairReaders(parts.engine, parts.recent, parts.sector_z)
        self._holds = Holds()
        self._life: Life | None = None
        self._away = False  # a thread has the life
        self._failed = False
        self._queue: deque[Heard] = deque()
        self.person = Person(parts.engine, view, self._keeping, self._queue)
        self._watched: list[Watched] = []
        self._new: dict[str, Past] = {}  # pairs that wait for their past minutes
        self._begun: set[str] = set()  # pairs that do not
        self._last: dict[str, tuple[Tick, Score]] = {}
        self._slow: dict[PairKey, _Slow] = {}
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._appended_s = self._dumped_s = 0.0
        self._lead_s = self._skill_s = -SKILL_S
        self._skilled = -1  # outcomes when the skill was last worked out
        self._phase = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(PHASE_MS)
        self._timer.timeout.connect(self._on_phase)
        view.rule, view.rules, view.horizon_h = rules, rules.words, rules.horizon_h
        view.why_empty = "Reading what was learned."

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read what was learned, then beat. Needs a running loop."""
        self._outside.start()
        self._start_job("restore", self._restore())
        self._timer.start()

    async def stop(self) -> None:
        """No more beats; all that was heard is on the disk when this returns."""
        self._timer.stop()
        self._outside.cut()
        if self._jobs:
            await asyncio.gather(*self._jobs.values(), return_exceptions=True)
        if self._life is not None and not self._failed:
            await self._finish(self._life)
        await self._outside.stop()

    async def _finish(self, life: Life) -> None:
        try:
            self._new.clear()
            self._hear(life, math.inf)
        except Exception as exc:  # noqa: BLE001 - the rest of the desk has to close in order
            self._fail("the forecast", exc)
            return
        await self._keeping.finish(life)

    @property
    def signal_files(self) -> list[Path]:
        """The parts of the signal journal, oldest first, for the session log."""
        return signal_files(self.folder)

    # --- the beat --------------------------------------------------------------------------------

    def _on_phase(self) -> None:
        phase = self._phase
        self._phase = (phase + 1) % PHASES
        try:
            self._beat(phase)
        except Exception as exc:  # noqa: BLE001 - a fault here must not stop anybody's exit plan
            self._fail("the forecast", exc)

    def _beat(self, phase: int) -> None:
        life = self._life
        if life is None:
            return
        if phase == 0:
            self._watched = self._readers.watched()
            for gone in self._new.keys() - {watched.name for watched in self._watched}:
                del self._new[gone]
        began_s, now_ns = mono_s(), self._engine.now_ns
        mine = self._watched[phase::PHASES]
        if len(self._queue) < QUEUE_MAX:
            for watched in mine:
                self._read(watched, now_ns)
        if not self._away:
            self._hear(life, began_s + HEAR_S)
            self._tell(mine)
            if mine:
                self.view.beat_us = 1e6 * (mono_s() - began_s) / len(mine)
        (self._say, self._look, self._weigh, self._keep)[phase]()

    def _read(self, watched: Watched, now_ns: int) -> None:
        """The tick of a pair into the queue; a new pair waits until its past minutes were told."""
        life, name = self._life, watched.name
        if life is None:
            return
        past = self._new.get(name)
        if past is None and not (name in self._begun or life.knows(name)):
            past = self._new[name] = Past(mono_s())
        if past is not None:
            past.look(watched.market, mono_s())
            if not past.told:
                return
            del self._new[name]
        self._begun.add(name)
        tick = self._readers.read(watched, now_ns)
        self._queue.append((name, self._outside.joined(watched.key, tick)))

    def _hear(self, life: Life, until_s: float) -> None:
        """Let the forecaster hear what waits, then past minutes of new pairs, until so late."""
        queue = self._queue
        while queue and mono_s() < until_s:
            some = batch_of(queue)
            for each, score in zip(some, life.hear_all(some), strict=True):
                self._keeping.put(each)
                if score is not None:
                    self._last[each[0]] = each[1], score
            if not some:
                name, word = queue[0]  # a pair to forget, or a person's word
                life.hear(name, word)
                self._keeping.put(queue.popleft())
                if word is None:
                    self._last.pop(name, None)
                    self._begun.discard(name)
        for name, past in self._new.items():
            while mono_s() < until_s and (minute := past.next()) is not None:
                life.hear(name, minute)
                self._keeping.put((name, minute))

    # --- what the screen reads -------------------------------------------------------------------

    def _tell(self, some: list[Watched]) -> None:
        life, view = self._life, self.view
        if life is None or not some:
            return
        keys = {watched.key for watched in self._watched}
        pairs = {key: found for key, found in view.pairs.items() if key in keys}
        for watched in some:
            pairs[watched.key] = self._pair(life, watched)
        view.pairs = pairs

    def _pair(self, life: Life, watched: Watched) -> PairForecast:
        key, name = watched.key, watched.name
        known, forecaster = self._last.get(name), life.forecaster
        features, vector = forecaster.features(name), forecaster.vector(name)
        if known is None or features is None or vector is None:
            return PairForecast(key, why_empty="Waiting for the past minutes of this pair.")
        tick, score = known
        slow, regime = self._slow_of(watched, tick), life.regimes.get(name)
        if key == self._engine.pair or mono_s() - slow.told_s >= SOON_S:
            slow.told_s = mono_s()
            slow.warming, slow.analogues = features.warming, forecaster.analogues(name)
            clock = watched.market.perp.funding
            slow.funding = funding_of(clock, tick.direction, slow.hold, tick.t_ns // 1_000_000)
        return PairForecast(
            pair=key,
            t_ns=tick.t_ns,
            direction=tick.direction,
            held=watched.position is not None,
            score=score,
            decision=decision(score, forecaster.margin),
            vector=vector,
            scaled=forecaster.scaled(name),
            warming=slow.warming,
            stale=tick.stale,
            cost_bp=tick.cost_bp,
            target_bp=tick.target_bp,
            edge_bp=tick.edge_bp,
            regime=regime.now if regime is not None else None,
            regime_why=regime.why if regime is not None else "",
            hold=slow.hold,
            funding=slow.funding,
            analogues=slow.analogues,
            lead=slow.lead,
            lead_ns=slow.lead_ns,
            bands=bands_of(features, tick),
            open_labels=forecaster.open_labels(name),
            extras=forecaster.extras,
        )

    def _slow_of(self, watched: Watched, tick: Tick) -> _Slow:
        slow = self._slow.setdefault(watched.key, _Slow())
        if slow.direction != tick.direction:  # the other side has another target
            slow.direction, slow.hold = tick.direction, Hold(why=SOON)
            slow.at_s = slow.told_s = -SLOW_S
        return slow

    def _say(self) -> None:
        """Phase 0: what is said of all pairs together."""
        life, view = self._life, self.view
        if life is None:
            return
        shown = self._engine.pair
        view.shown = shown if all(shown) else None
        if view.shown is not None and of_perps(shown):
            view.pairs = {**view.pairs, shown: PairForecast(shown, why_empty=PERPS_ONLY)}
        view.why_empty = "" if view.pairs else "No pair is watched."
        if not self._away:
            forecaster = life.forecaster
            view.model, view.n_learned = forecaster.version, forecaster.model.n
            view.n_eff, view.margin = forecaster.effective.n, forecaster.margin
            view.review, view.drift = forecaster.drift.review, tuple(forecaster.drift.events)
            view.open_labels, view.voids = forecaster.open_labels(), forecaster.voids
        self.person.show(None if self._away else life.forecaster)
        view.problem, view.journal_mb = self._keeping.problem, self._keeping.size_mb
        view.version += 1
        self._parts.mark(Changed.FORECAST)

    # --- slow figures ----------------------------------------------------------------------------

    def _look(self) -> None:
        """Phase 1: the hold of one pair, and who leads on the screen."""
        now_s = mono_s()
        due = [
            (slow.at_s, at, watched, slow, known[0])
            for at, watched in enumerate(self._watched)
            if (known := self._last.get(watched.name)) is not None
            and (slow := self._slow_of(watched, known[0])).hold_due(now_s, self._engine.now_ns)
        ]
        if due:
            _, _, watched, slow, tick = min(due, key=lambda each: each[:2])
            slow.hold = hold_of(watched, tick, self._holds, self._engine)
            slow.at_s, slow.at_ns = now_s, self._engine.now_ns
        for gone in self._slow.keys() - {watched.key for watched in self._watched}:
            del self._slow[gone]
        shown = next((each for each in self._watched if each.key == self._engine.pair), None)
        here = self._slow.get(shown.key) if shown is not None else None
        if shown is None or here is None:
            return
        if here.lead is None or now_s - self._lead_s >= LEAD_S:
            self._lead_s = now_s
            self._start_job("lead", self._lead(shown, here))

    async def _lead(self, shown: Watched, slow: _Slow) -> None:
        now_ns = self._engine.now_ns
        now_s = now_ns / 1e9
        times, columns = shown.market.series.window(
            max(now_s - LEAD_PAST_S, shown.market.live_from_s), now_s
        )
        t_ns = (times * 1e9).astype("int64")
        slow.lead = await in_thread(lead_lag, (t_ns, columns["spot"]), (t_ns, columns["perp"]))
        slow.lead_ns = now_ns

    def _weigh(self) -> None:
        """Phase 2: how good it was, and the numbers from outside."""
        life, now_s = self._life, mono_s()
        if life is None or self._away:
            return
        n = life.forecaster.model.n
        hours = (self._engine.now_ns - self.view.skill.t_ns) / 3.6e12  # the market may run faster
        if n != self._skilled and now_s - self._skill_s >= (SOON_S if hours >= 1.0 else SKILL_S):
            self._skilled, self._skill_s = n, now_s if n else self._skill_s
            forecaster = life.forecaster
            skill = Skill(
                t_ns=self._engine.now_ns,
                curve=tuple(forecaster.calibrator.curve()),
                drift_loss=forecaster.drift.loss,
                drift_n=forecaster.drift.adwin.width,
            )
            self._start_job("skill", self._skill(skill, forecaster.outcomes(), forecaster.margin))
        work = self._outside.weigh(now_s, busy="outside" in self._jobs)
        if work is not None:
            self._start_job("outside", work)

    async def _skill(self, skill: Skill, outcomes: Outcomes, margin: float) -> None:
        horizon_s = self._rules.horizon_h * 3_600.0
        signals = tuple(self._keeping.book.all())
        found: Report = await in_thread(report, outcomes, horizon_s, 0, margin)
        regimes = await in_thread(by_regime, signals, horizon_s)
        self.view.skill = replace(skill, report=found, regimes=regimes)
        self.person.tell()

    # --- the disk --------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Phase 3: signals into the book, samples and signals onto the disk."""
        life, now_s = self._life, mono_s()
        if life is None or self._away:
            return
        self._keeping.take(life)
        if (spare := life.spare) and not self._queue:
            self._queue.append((spare, None))
        if "disk" in self._jobs:
            return
        dump = now_s - self._dumped_s >= DUMP_S or self._keeping.full
        if dump and not self._queue:
            self._dumped_s = self._appended_s = now_s
            self._away = True
            self._start_job("disk", self._checkpoint(life))
        elif now_s - self._appended_s >= APPEND_S:
            self._appended_s = now_s
            self._start_job("disk", self._keeping.append())

    async def _restore(self) -> None:
        self._life = await self._keeping.restore(self._engine.now_ns)
        self._dumped_s = self._appended_s = mono_s()

    async def _checkpoint(self, life: Life) -> None:
        try:
            await self._keeping.checkpoint(life)
        finally:
            self._away = False

    # --- inside ----------------------------------------------------------------------------------

    def _start_job(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """One job of a name at a time; a second one is not begun."""
        if name in self._jobs:
            work.close()
            return
        task = spawn(work, f"forecast: {name}", self._fail)
        self._jobs[name] = task
        task.add_done_callback(lambda _: self._jobs.pop(name, None))

    def _fail(self, where: str, exc: BaseException) -> None:
        self._timer.stop()
        self._failed = True  # and nothing more of it reaches the disk
        self.view.problem = self.view.why_empty = STOPPED
        self.view.pairs = {}
        self._parts.failed(exc, where, STOPPED)


__all__ = ["STOPPED", "ForecastParts", "Forecasting", "name_of", "rules_of"]
