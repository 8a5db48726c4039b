"""The autopilot's own beat: a look a second at each pair, its commands, its memory on the disk.

Its commands go through the inbox like a person's, and the desk's limits stand over them. A fault
ends the autopilot and nothing else: every mode is off then, and exit plans go on. After a fault or
a crash "auto" comes back as "suggest"; after an orderly stop all is as it was.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer

from basisdesk.app.autopilot_disk import AutopilotFiles, KeptFile
from basisdesk.app.funding_gaps import Gaps
from basisdesk.clock import mono_s
from basisdesk.engine import Engine
from basisdesk.errors import UserError
from basisdesk.events import Changed, Command, OpenPair
from basisdesk.feed.tasks import spawn
from basisdesk.forecast.view import PairKey
from basisdesk.pairing import WATCHED_MAX
from basisdesk.playbook.autopilot import Autopilot
from basisdesk.playbook.journal import NOTES_MAX, Note
from basisdesk.playbook.reader import Beside, ViewReader
from basisdesk.playbook.shelf import USUAL
from basisdesk.playbook.words import View
from basisdesk.ui.autopilot_rows import NOTES_SHOWN, AutopilotView, Watch

if TYPE_CHECKING:
    from basisdesk.forecast.view import ForecastView
    from basisdesk.scan.view import ScanView
    from basisdesk.ui.context import Context

BEAT_MS = 1_000
DUMP_S = 60.0  # between two dumps while nothing is noted
BANDS_S = 300.0  # how old kept bands may be, else candles tell them anew
SCORE_BEATS = 10.0  # how old a score may be, in seconds of our own clock
ENTRY_S = 5.0  # how long an entry may wait for the disk, in seconds of our own clock
STOPPED = (
    "The autopilot stopped after a fault of its own: every pair is off. Open pairs keep their exit "
    "plans; restart to run it again."
)
TO_SUGGEST = "It did not end in order last time, so auto came back as suggest."
NOT_KEPT = "what it remembers cannot be written to the disk"
TOO_MANY = f"The autopilot looks after {WATCHED_MAX} pairs at most. Switch another pair off first."
UNSAFE = "Its memory cannot be written, so auto came back as suggest."
NOT_READY = "The autopilot is reading what it kept. Try again in a moment."
NOT_WATCHED = (
    "Only the pair on the screen and pairs that are held can be set. Show this pair first."
)
NOTHING_TO_ACCEPT = "Nothing stands to be accepted: prices moved on."


@dataclass(frozen=True)
class Calls:
    """What the autopilot calls. mark: told what changed. submit: takes commands.

    failed: told of a fault that ended it, where it was, and what to tell the user. watch: told all
    pairs that have to be watched, on the screen or not.
    """

    mark: Callable[[Changed], None]
    submit: Callable[[Command], None]
    failed: Callable[[BaseException, str, str], None]
    watch: Callable[[tuple[PairKey, ...]], None] = lambda _: None


@dataclass(frozen=True)
class AutopilotParts:
    """What the autopilot is joined to. speed: seconds of the market in one of ours."""

    engine: Engine
    calls: Calls
    forecast: "ForecastView | None" = None
    scan: "ScanView | None" = None
    speed: float = 1.0


class Autopiloting(QObject):
    """Owns the autopilot of one account and fills `view`. Is its AutopilotActions too.

    folder: of the account.
    """

    def __init__(
        self,
        folder: Path,
        view: AutopilotView,
        parts: AutopilotParts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.view = view
        self._parts = parts
        self._engine = parts.engine
        self._files = AutopilotFiles(folder / "autopilot")
        self._pilot: Autopilot | None = None  # None until restored
        self._reader = ViewReader(parts.engine)
        self._gaps = Gaps()
        self._since: dict[str, tuple[str, int]] = {}
        self._dumped = (-1, -math.inf)  # notes and seconds at the last dump
        self._unsaved: list[Note] = []  # notes that are not in their file yet
        self._watched: tuple[PairKey, ...] = ()  # as told to the feeds
        self._over = False  # stopped, or ended by a fault
        self._jobs: set[asyncio.Task[Any]] = set()
        self._disk = asyncio.Lock()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._on_beat)
        view.playbooks = USUAL
        view.usual = {book.name: {p.name: p.value for p in book.params} for book in USUAL}

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read what was kept, then look once a second. Needs a running loop."""
        self._start_job(self._restore(), "restore")

    def look_no_more(self) -> None:
        """The desk stopped after a fault: no more looks and commands."""
        self._timer.stop()
        self._over = True

    async def stop(self, *, orderly: bool = True) -> None:
        """No more looks; what is kept says whether this was an orderly end."""
        failed = self._over
        self.look_no_more()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        if self._pilot is None or failed or not orderly:
            return
        try:
            await self._write(orderly=True)
        except Exception as exc:  # noqa: BLE001 - the rest of the desk has to close in order
            self._fail("the autopilot", exc)

    # --- what a person asks for (AutopilotActions) -----------------------------------------------

    def set_pair(
        self, pair: str, mode: str, playbook: str, values: Mapping[str, float], reason: str = ""
    ) -> str:
        """Switch a pair and set values of its playbook; why not, in a sentence, or ""."""
        return self._asked(lambda pilot: self._set_pair(pilot, (pair, mode, playbook), values,
                                                        reason))  # fmt: skip

    def accept(self, pair: str) -> str:
        """Do what is suggested of a pair; why not, in a sentence, or ""."""
        return self._asked(lambda pilot: self._accept(pilot, pair))

    def override(self, pair: str, what: str, reason: str) -> str:
        """Note that a person does otherwise; the pair cools down. Why not, or ""."""

        def act(pilot: Autopilot) -> str:
            pilot.override(pair, what, reason, self._engine.now_ns)
            return ""

        return self._asked(act)

    def reset(self, playbook: str) -> str:
        """Count a playbook's results anew: its kill switch lets go. Why not, or ""."""

        def act(pilot: Autopilot) -> str:
            pilot.reset(playbook, self._engine.now_ns, "by hand")
            return ""

        return self._asked(act)

    def settable(self) -> tuple[str, ...]:
        """Pairs whose feeds are sure to come: those held, and the shown one, last."""
        engine = self._engine
        held = [{leg.instrument for leg in pair.legs} for pair in engine.open_pairs()]
        found = [" ".join(key) for key in engine.market.pairs if set(key) in held]
        if all(engine.pair):
            shown = " ".join(engine.pair)
            found = [pair for pair in found if pair != shown] + [shown]
        return tuple(found)

    def _asked(self, act: Callable[[Autopilot], str]) -> str:
        pilot = self._pilot
        if self._over:
            return self.view.problem or STOPPED
        if pilot is None:
            return NOT_READY
        try:
            problem = act(pilot)
            self._tell(pilot)
            self._keep(pilot)
        except UserError as exc:
            return str(exc)
        except Exception as exc:  # noqa: BLE001 - a fault here must not stop anybody's exit plan
            self._fail("the autopilot", exc)
            return STOPPED
        self._parts.calls.mark(Changed.AUTOPILOT)
        return problem

    def _set_pair(
        self, pilot: Autopilot, told: tuple[str, str, str], values: Mapping[str, float], reason: str
    ) -> str:
        (pair, mode, playbook), now_ns = told, self._engine.now_ns
        before = pilot.mode_of(pair)
        on = mode != "off"
        more = on and before.mode != "auto" and mode != before.mode  # less is always allowed
        if more and pair not in self.settable():
            return NOT_WATCHED
        if on and pair not in pilot.pairs and len(pilot.pairs) >= WATCHED_MAX:
            return TOO_MANY
        have = next((book for book in pilot.playbooks if book.name == playbook), None)
        if have is not None:
            now = {param.name: param.value for param in have.params}
            changed = {name: value for name, value in values.items() if now.get(name) != value}
            if changed:
                pilot.set_values(playbook, changed, now_ns, reason)
        if (mode, playbook if on else before.playbook) != (before.mode, before.playbook):
            pilot.set_mode(pair, mode, playbook, now_ns, reason)
        return ""

    def _accept(self, pilot: Autopilot, pair: str) -> str:
        commands = pilot.accept(pair, self._engine.now_ns)
        if not commands:
            return NOTHING_TO_ACCEPT
        self._send(pilot, commands)
        return ""

    # --- the beat --------------------------------------------------------------------------------

    def _on_beat(self) -> None:
        pilot = self._pilot
        if pilot is None or self._over:
            return
        try:
            commands = self.look(pilot)
            self._tell(pilot)
            if commands:
                self._send(pilot, commands)
            else:
                self._keep(pilot)
        except Exception as exc:  # noqa: BLE001 - a fault here must not stop anybody's exit plan
            self._fail("the autopilot", exc)
            return
        self._parts.calls.mark(Changed.AUTOPILOT)

    def look(self, pilot: Autopilot) -> list[Command]:
        """One look at every pair that is not off or held; the commands to be sent."""
        now_ns = self._engine.now_ns
        self._reader.keep([pair_key(pair) for pair in pilot.pairs])
        views = [self._read(pilot, pair, now_ns) for pair in pilot.pairs]
        return pilot.step(views, now_ns)

    def _read(self, pilot: Autopilot, pair: str, now_ns: int) -> View:
        first, second = pair_key(pair)
        return self._reader.read((first, second), now_ns, self._beside(pilot, first, second))

    def _beside(self, pilot: Autopilot, first: str, second: str) -> Beside:
        forecast, scan, own = self._parts.forecast, self._parts.scan, tuple(pilot.own)
        beside = Beside(own=own)
        if scan is not None:
            beside = beside._replace(gap=self._gaps.of(scan, second))
        told = forecast.pairs.get((first, second)) if forecast is not None else None
        if forecast is None or told is None:
            return beside
        if told.lead is not None:
            beside = beside._replace(leader=told.lead.leader, lead=told.lead.why)
        age_s = (self._engine.now_ns - told.t_ns) / 1e9
        if told.score is None or age_s > SCORE_BEATS * max(1.0, self._parts.speed):
            return beside
        margin = forecast.margin if math.isfinite(forecast.margin) else beside.margin
        return beside._replace(score=told.score, score_side=told.direction, margin=margin)

    def _send(self, pilot: Autopilot, commands: Sequence[Command]) -> None:
        """Entries once the disk remembers that they are ours; what closes a pair at once."""
        waiting = tuple(each for each in commands if isinstance(each, OpenPair))
        for command in commands:
            if command not in waiting:
                self._parts.calls.submit(command)
        if waiting:
            self._start_job(self._sent(waiting), "commands")
        else:
            self._keep(pilot)

    async def _sent(self, entries: tuple[Command, ...]) -> None:
        saved, pilot = await self._write(), self._pilot
        if self._over or pilot is None:
            return
        oldest_s, fault = ENTRY_S * max(1.0, self._parts.speed), "" if saved else NOT_KEPT
        for command in pilot.release(entries, self._engine.now_ns, fault, oldest_s):
            self._parts.calls.submit(command)

    # --- what the screen reads -------------------------------------------------------------------

    def _watch_all(self, pilot: Autopilot) -> None:
        """Every pair that is not off, or held by the autopilot, is watched wherever one looks.

        Those with a position or an entry come first: the engine takes so many and no more.
        """
        names = sorted(pilot.pairs, key=lambda pair: pair not in pilot.busy)
        wanted = tuple(pair_key(pair) for pair in names)
        if wanted != self._watched:
            self._watched = wanted
            self._parts.calls.watch(wanted)

    def _tell(self, pilot: Autopilot) -> None:
        self._watch_all(pilot)
        view, now_ns = self.view, self._engine.now_ns
        mine = {own.pair: number for number, own in pilot.own.items()}
        view.watches = tuple(self._watch(pilot, pair, mine, now_ns) for pair in pilot.pairs)
        self._since = {pair: said for pair, said in self._since.items() if pair in pilot.pairs}
        view.settable, view.playbooks = self.settable(), pilot.playbooks
        if pilot.journal.n != (view.notes[0].n if view.notes else 0):
            view.notes = tuple(reversed(pilot.journal.notes))[:NOTES_SHOWN]
        view.problem, view.ready = self._files.problem, True

    def _watch(self, pilot: Autopilot, pair: str, mine: dict[str, int], now_ns: int) -> Watch:
        told, said = pilot.mode_of(pair), pilot.seen(pair)
        position = mine.get(pair, 0)
        playbook = pilot.own[position].playbook if position else told.playbook
        if said is None:
            return Watch(pair, told.mode, playbook, position=position)
        key = f"{said.kind} {said.code}"
        if self._since.get(pair, ("", 0))[0] != key:
            self._since[pair] = key, now_ns
        suggested = told.mode == "suggest" and bool(said.commands)
        since_ns = self._since[pair][1]
        return Watch(
            pair, told.mode, playbook, said.kind, said.code, said.text, since_ns, suggested,
            position, said.forecast,
        )  # fmt: skip

    # --- the disk --------------------------------------------------------------------------------

    def _keep(self, pilot: Autopilot) -> None:
        """A dump where something was noted since the last one, and now and then anyway."""
        n, at_s = self._dumped
        if not self._disk.locked() and (pilot.journal.n != n or mono_s() - at_s >= DUMP_S):
            self._start_job(self._write(), "disk")

    async def _write(self, *, orderly: bool = False) -> bool:
        pilot = self._pilot
        if pilot is None:
            return False
        async with self._disk:
            self._dumped = pilot.journal.n, mono_s()
            now_ns, bands = self._engine.now_ns, self._reader.dump()
            kept = KeptFile(now_ns, orderly, pilot.dump(), bands)
            notes = self._unsaved = (self._unsaved + list(pilot.journal.taken()))[-NOTES_MAX:]
            loop = asyncio.get_running_loop()
            saved = await loop.run_in_executor(None, self._files.save, kept, notes)
            if saved:
                self._unsaved = []
            else:  # tried again at the next beat
                self._dumped = -1, -math.inf
            return saved

    async def _restore(self) -> None:
        loop = asyncio.get_running_loop()
        kept = await loop.run_in_executor(None, self._files.load)
        pilot = self._restored(kept)
        self._pilot = pilot
        # from here on an end is no orderly one unless it says so
        if not await self._write() and to_suggest(pilot, self._engine.now_ns):
            self.view.said = UNSAFE
        if self._over:
            return
        self._tell(pilot)
        self._parts.calls.mark(Changed.AUTOPILOT)
        self._timer.start()

    def _restored(self, kept: KeptFile | None) -> Autopilot:
        if kept is None:
            return Autopilot()
        try:
            pilot = Autopilot.restored(kept.autopilot)
            if 0 <= self._engine.now_ns - kept.t_ns <= BANDS_S * 1e9:
                self._reader.restore(kept.bands)
        except (ValueError, KeyError, TypeError) as exc:  # msgspec's errors are ValueErrors
            self._files.put_aside(str(exc))
            self._reader.keep(())
            return Autopilot()
        if not kept.orderly and to_suggest(pilot, self._engine.now_ns):
            self.view.said = TO_SUGGEST
        return pilot

    # --- inside ----------------------------------------------------------------------------------

    def _start_job(self, work: Coroutine[Any, Any, object], name: str) -> None:
        task = spawn(work, f"autopilot: {name}", self._fail)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    def _fail(self, where: str, exc: BaseException) -> None:
        self._timer.stop()
        self._over = True  # and nothing more of it reaches the desk or the disk
        view = self.view
        view.problem, view.stopped, view.settable = STOPPED, True, ()
        view.watches = tuple(
            Watch(each.pair, "off", each.playbook, position=each.position) for each in view.watches
        )
        self._parts.calls.failed(exc, where, STOPPED)


def pair_key(pair: str) -> PairKey:
    """The legs of a pair as the autopilot names it."""
    first, _, second = pair.partition(" ")
    return first, second


def joined(folder: Path, context: "Context", calls: Calls, parent: QObject) -> Autopiloting:
    """The autopilot of a desk, joined to its context."""
    parts = AutopilotParts(
        context.engine, calls, context.forecast, context.scan, context.status.speed
    )
    view = context.autopilot if context.autopilot is not None else AutopilotView()
    context.autopilot = view
    context.autopilot_actions = found = Autopiloting(folder, view, parts, parent)
    return found


def to_suggest(pilot: Autopilot, now_ns: int) -> bool:
    """Turn every auto into suggest; whether there was one."""
    autos = [pair for pair in pilot.pairs if pilot.mode_of(pair).mode == "auto"]
    for pair in autos:
        pilot.set_mode(pair, "suggest", "", now_ns, "after an end out of order")
    return bool(autos)
