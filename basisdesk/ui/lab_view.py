"""What the lab's window is shown, and what a person can ask of the lab. The app fills and answers.

Runs, claims and jobs come as plain rows, a study as the dict that its maker wrote: the window
knows nothing of how studies are made.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from PySide6.QtCore import QObject, Signal

Study = Mapping[str, Any]


class RunRow(NamedTuple):
    """One kept run. said: the first sentence of what it found; digest: of its plan."""

    name: str
    utc: str
    study: str
    said: str
    note: str = ""
    digest: str = ""


class ClaimRow(NamedTuple):
    """One claim of the founding notes as it stands.

    run: name of the run that shows it, or "". study: what puts it to the test, or "".
    """

    note: str
    claim: str
    status: str
    said: str
    run: str = ""
    study: str = ""


class Job(NamedTuple):
    """One study that was asked for. state: waiting, running, stopping, done, failed, stopped.

    line: as it would be typed. done, total, what: how far it is, total 0 unknown; left_s: seconds
    to go of that work, NaN unknown. said: the one sentence of a failure, or of what a stopped one
    kept. run: what it kept.
    """

    number: int
    study: str
    line: str
    state: str = "waiting"
    done: int = 0
    total: int = 0
    what: str = ""
    left_s: float = math.nan
    said: str = ""
    run: str = ""

    @property
    def over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.state in ("done", "failed", "stopped")


class LabView(QObject):
    """What is shown. The app writes a part and tells its name; who shows it listens.

    changed: "runs", "claims", "jobs", "study", "compared" or "said". study_name: of the run in
    `study`, None where none is there. studies: names of those that can be run. said: a sentence
    about what could not be done, or "".
    """

    changed = Signal(str)

    def __init__(
        self, profile: Path, studies: Collection[str] = (), parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.profile = profile
        self.studies = frozenset(studies)
        self.runs: tuple[RunRow, ...] = ()
        self.claims: tuple[ClaimRow, ...] = ()
        self.jobs: tuple[Job, ...] = ()
        self.study_name = ""
        self.study: Study | None = None
        self.compared: Study | None = None
        self.said = ""

    @property
    def running(self) -> Job | None:
        """The job that runs now."""
        return next((job for job in self.jobs if job.state in ("running", "stopping")), None)


class LabActions(Protocol):
    """What a person can ask of the lab. Nothing blocks; answers come through the view."""

    def refresh(self) -> None:
        """Read the list of runs and the claims anew."""
        ...

    def show(self, name: str) -> None:
        """Read a run's study."""
        ...

    def compare(self, names: Sequence[str]) -> None:
        """Put two to four runs side by side."""
        ...

    def compare_sessions(self, logs: Sequence[Path]) -> None:
        """Put two saved session logs side by side."""
        ...

    def run(self, study: str, arguments: Sequence[str]) -> str:
        """Run a study in the background, or queue it. Gives why not, in a sentence, or ""."""
        ...

    def stop(self, number: int) -> None:
        """Stop a job, waiting or running. What it had finished of a sweep's log stays."""
        ...

    def note(self, name: str, text: str) -> None:
        """Keep a note with a run."""
        ...

    def to_trash(self, name: str) -> None:
        """Put a run into the lab's trash folder."""
        ...

    def page(self, name: str) -> Path:
        """Where a run's page lies."""
        ...

    def line(self, study: str, arguments: Sequence[str]) -> str:
        """The command line that does the same."""
        ...
