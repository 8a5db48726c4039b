"""The lab beside the desk: studies one after another in child processes, runs read by a thread.

Nothing here is on the way of a trade, and nothing blocks the window: the disk is read by one thread
of ours, whose answers arrive as queued signals. Leaving the desk stops what runs.
"""

import asyncio
import importlib
import itertools
import math
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from basisdesk.app.crash import log
from basisdesk.app.lab_process import STOP_WAIT_S, End, LabProcess, Progress
from basisdesk.app.own_program import own_command
from basisdesk.clock import mono_s
from basisdesk.errors import UserError
from basisdesk.ui.lab_view import ClaimRow, Job, LabView, RunRow

WAITING_MAX = 8  # studies that wait for the one that runs
OVER_MAX = 20  # ended ones whose outcome is still told
WARM_MS = 8_000  # after the desk stands
CANCELLED = "Cancelled"  # how a study begins that stopped because it was asked to
SHARE_LEAST = 0.01  # of the work, before a time left is told

Command = Callable[[Sequence[str]], list[str]]
Then = Callable[[], None]


class Labs(QObject):
    """Runs studies and reads what they kept. Its methods are `LabActions`; answers go to `view`.

    command: makes the command line of a child; tests give a study of their own.
    """

    _back = Signal(object)  # something to do in the window's thread

    def __init__(
        self, view: LabView, parent: QObject | None = None, command: Command = own_command
    ) -> None:
        super().__init__(parent)
        self.view = view
        self._command = command
        self._reads = ThreadPoolExecutor(1, "lab-disk")
        self._numbers = itertools.count(1)
        self._asked: dict[int, tuple[str, ...]] = {}
        self._process: LabProcess | None = None
        self._began: tuple[str, float] = ("", 0.0)  # the work under way and when it began
        self._wanted = ""  # the run whose study was asked for last
        self._closed = False
        self._back.connect(self._do, Qt.ConnectionType.QueuedConnection)
        QTimer.singleShot(WARM_MS, self, self._warm)

    @property
    def folder(self) -> Path:
        """Where runs are kept."""
        return self.view.profile / "lab"

    # --- what a person asks for (LabActions) ------------------------------------------------------

    def refresh(self) -> None:
        """Read the list of runs and the claims anew."""
        self._read(self._listed)

    def show(self, name: str) -> None:
        """Read a run's study."""
        self._wanted = name
        self._read(lambda: self._studied(name))

    def compare(self, names: Sequence[str]) -> None:
        """Put two to four runs side by side."""
        chosen = tuple(names)
        self._read(lambda: self._compared(chosen))

    def compare_sessions(self, logs: Sequence[Path]) -> None:
        """Put two saved session logs side by side."""
        chosen = tuple(logs)
        self._read(lambda: self._sessions(chosen))

    def note(self, name: str, text: str) -> None:
        """Keep a note with a run."""
        self._change(lambda runs: runs.noted(name, text))

    def to_trash(self, name: str) -> None:
        """Put a run into the trash of the lab's folder."""
        self._change(lambda runs: runs.to_trash(name))

    def page(self, name: str) -> Path:
        """Where a run's page lies."""
        return self.folder / name / "report.html"

    def line(self, study: str, arguments: Sequence[str]) -> str:
        """The command line that does the same."""
        return shlex.join(["basisdesk", *self._arguments(study, arguments)])

    def run(self, study: str, arguments: Sequence[str]) -> str:
        """Run a study, or queue it; why not, in a sentence, or ""."""
        waiting = sum(job.state == "waiting" for job in self.view.jobs)
        if self._closed:
            return "The desk is being left."
        if waiting >= WAITING_MAX:
            return f"{WAITING_MAX} studies wait already. Stop one, or wait for the first."
        job = Job(next(self._numbers), study, self.line(study, arguments))
        self._asked[job.number] = tuple(arguments)
        self._show_jobs((*self.view.jobs, job))
        self._next()
        return ""

    def stop(self, number: int) -> None:
        """Stop a job. One that waits goes at once."""
        job = next((job for job in self.view.jobs if job.number == number), None)
        if job is None or job.over:
            return
        if job.state == "waiting":
            self._put(job._replace(state="stopped"))
        elif self._process is not None:
            self._put(job._replace(state="stopping"))
            self._process.stop()

    # --- the life of it ---------------------------------------------------------------------------

    async def close(self) -> None:
        """No more studies; what runs is asked to stop, and ended where it does not."""
        self._closed = True
        for job in self.view.jobs:
            self.stop(job.number)
        process, loop = self._process, asyncio.get_running_loop()
        self._reads.shutdown(wait=False, cancel_futures=True)
        if process is not None:
            await loop.run_in_executor(None, process.wait, STOP_WAIT_S + 1.0)

    def _arguments(self, study: str, arguments: Sequence[str]) -> list[str]:
        return ["lab", study, *arguments, "--profile", str(self.view.profile)]

    def _next(self) -> None:
        """Start the first that waits, if none runs."""
        waiting = next((job for job in self.view.jobs if job.state == "waiting"), None)
        if self._process is not None or waiting is None or self._closed:
            return
        number = waiting.number
        asked = [*self._arguments(waiting.study, self._asked.pop(number)), "--progress", "json"]
        self._began = ("", mono_s())
        try:
            self._process = LabProcess(
                self._command(asked),
                lambda told: self._send(lambda: self._on_progress(number, told)),
                lambda end: self._send(lambda: self._on_end(number, end)),
            )
        except OSError as exc:
            said = f"Cannot start the study: {exc.strerror}."
            self._put(waiting._replace(state="failed", said=said))
            self._next()
            return
        self._put(waiting._replace(state="running"))

    def _on_progress(self, number: int, told: Progress) -> None:
        job = self._job(number)
        if job is None or job.state != "running":
            return
        now_s = mono_s()
        if told.what != self._began[0]:
            self._began = (told.what, now_s)
        share = told.done / told.total if told.total > 0 else 0.0
        passed_s = now_s - self._began[1]
        left_s = passed_s / share * (1.0 - share) if share >= SHARE_LEAST else math.nan
        self._put(job._replace(done=told.done, total=told.total, what=told.what, left_s=left_s))

    def _on_end(self, number: int, end: End) -> None:
        self._process = None
        job = self._job(number)
        if job is not None:
            stopped = end.stopped and not end.run
            state = "stopped" if stopped else "done" if end.code == 0 else "failed"
            kept = stopped and end.said.startswith(CANCELLED)  # it says what goes on from where
            said = end.said if state == "failed" or kept else ""
            self._put(job._replace(state=state, said=said, run=end.run))
        if not self._closed:
            self.refresh()
            self._next()

    def _job(self, number: int) -> Job | None:
        return next((job for job in self.view.jobs if job.number == number), None)

    def _put(self, job: Job) -> None:
        self._show_jobs(
            tuple(job if each.number == job.number else each for each in self.view.jobs)
        )

    def _show_jobs(self, jobs: tuple[Job, ...]) -> None:
        over = [job.number for job in jobs if job.over]
        gone = frozenset(over[:-OVER_MAX])
        self.view.jobs = tuple(job for job in jobs if job.number not in gone)
        self.view.changed.emit("jobs")

    def _warm(self) -> None:
        """Import the lab's window in the thread: its first use does not hold the window up."""
        if not self._closed:
            self._reads.submit(importlib.import_module, "basisdesk.ui.lab_window")

    # --- reading, in the one thread for it --------------------------------------------------------

    def _read(self, work: Callable[[], Then]) -> None:
        """Do it in the thread; what it gives is done in the window's."""
        if not self._closed:
            self._reads.submit(self._worked, work)

    def _worked(self, work: Callable[[], Then]) -> None:
        try:
            self._send(work())
        except UserError as exc:
            said = str(exc)
            self._send(lambda: self._say(said))
        except Exception as exc:  # noqa: BLE001 - a thread's death is silent: it is told instead
            log.error("the lab's disk thread", exc_info=exc)
            self._send(lambda: self._say("The lab hit a fault of its own; see the log."))

    def _send(self, then: Then) -> None:
        """Let the window's thread do it. Called in threads of ours."""
        with suppress(RuntimeError):  # the desk went meanwhile, and its objects with it
            self._back.emit(then)

    @Slot(object)
    def _do(self, then: object) -> None:
        if callable(then) and not (self._closed and self._process is None):
            then()

    def _say(self, said: str) -> None:
        if said != self.view.said:
            self.view.said = said
            self.view.changed.emit("said")

    def _change(self, change: Callable[[Any], object]) -> None:
        def work() -> Then:
            change(_runs(self.folder))
            return self._listed()

        self._read(work)

    def _listed(self) -> Then:
        from basisdesk.lab.claims import answers

        kept = _runs(self.folder)
        heads = kept.heads()  # read once, for both
        runs = tuple(
            RunRow(run.name, run.utc, run.study, run.said, run.note, run.digest)
            for run in kept.listed(heads)
        )
        claims = tuple(_claim_row(each) for each in answers(heads))

        def then() -> None:
            self.view.runs, self.view.claims = runs, claims
            self._say("")
            self.view.changed.emit("runs")
            self.view.changed.emit("claims")

        return then

    def _studied(self, name: str) -> Then:
        from basisdesk.lab.words import checked

        study = _runs(self.folder).study(name) if name == self._wanted else None
        if study is not None and isinstance(block := study.get("pre_registration"), dict):
            study["pre_registration"] = checked(block)

        def then() -> None:
            if study is not None and name == self._wanted:
                self.view.study_name, self.view.study = name, study
                self._say("")
                self.view.changed.emit("study")

        return then

    def _compared(self, names: tuple[str, ...]) -> Then:
        from basisdesk.lab.compare import compare_runs

        runs = _runs(self.folder)
        return self._beside(compare_runs([(name, runs.study(name)) for name in names]))

    def _sessions(self, logs: tuple[Path, ...]) -> Then:
        from basisdesk.lab.compare_sessions import compare_sessions, read_session

        return self._beside(compare_sessions([(str(log), read_session(log)) for log in logs]))

    def _beside(self, found: dict[str, Any]) -> Then:
        def then() -> None:
            self.view.compared = found
            self._say("")
            self.view.changed.emit("compared")

        return then


def _runs(folder: Path) -> Any:
    from basisdesk.lab.runs import Runs  # a start of the desk does not wait for it

    return Runs(folder)


def _claim_row(answer: Any) -> ClaimRow:
    claim = answer.claim
    return ClaimRow(claim.note, claim.text, answer.status, answer.said, answer.run, claim.study)
