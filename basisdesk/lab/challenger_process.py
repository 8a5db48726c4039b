"""The challengers' own process: river's models hear each candidate and outcome over a pipe.

Importing river takes about a second and 120 MB and its trees are slow, so none of it is in the
desk. Run as `python -m basisdesk.lab.challenger_process FOLDER HORIZON_H`; a message is a line of
JSON:

    in    {"kind":"candidate",...}, {"kind":"outcome",...}   forecast/challenge.py has the fields
          {"kind":"tell"}                                    asks for the table
    out   {"kind":"ready","source":"river 0.26.1","n":412}   after the journal was heard again
          {"kind":"none","why":"..."}                        there is no river; then it ends
          {"kind":"said","id":7,"p":{"river logistic":0.61,...}}   of each new candidate
          {"kind":"table","rivals":[...],"n":...,"n_eff":...,"waiting":...}

What it heard it writes down in FOLDER (`challengers.jsonl`, two parts of bounded size) and hears
again at its next start; a row that comes twice counts once. It ends when its input ends. Nothing
random but the tree's sampling, whose seed is fixed: the same rows give the same answers.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from math import nan
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from basisdesk.forecast.challenge import DECODER, NO_RIVER, Contest, Features, Learner, Row

NAME, OLDER = "challengers.jsonl", "challengers-1.jsonl"
PART_BYTES_MAX = 16_000_000  # of a part of the journal; there are two
LINE_BYTES_MAX = 64_000
SEED = 1  # of the tree
RATE = 0.05  # AdaGrad's step, as ours
LOGISTIC, TREE = "river logistic", "river adaptive tree"
TELL = b'{"kind":"tell"}'


class RiverLearner:
    """One model of river's; what it cannot say is NaN."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, x: Features) -> float:
        """Probability of success; an untrained tree gives none."""
        told = self._model.predict_proba_one(x)
        return float(told.get(True, 0.0)) if told else nan

    def learn(self, x: Features, y: int) -> None:
        """Take in an outcome."""
        self._model.learn_one(x, bool(y))


def river_learners() -> tuple[dict[str, Learner], str]:
    """The challengers, and which river they are of. Raises ImportError where there is none."""
    river = import_module("river")
    scaler = import_module("river.preprocessing").StandardScaler()
    linear, optim = import_module("river.linear_model"), import_module("river.optim")
    tree = import_module("river.tree").HoeffdingAdaptiveTreeClassifier(seed=SEED)
    logistic = scaler | linear.LogisticRegression(optimizer=optim.AdaGrad(RATE))
    learners: dict[str, Learner] = {LOGISTIC: RiverLearner(logistic), TREE: RiverLearner(tree)}
    return learners, f"river {river.__version__}"


class Journal:
    """What the challengers heard, on the disk. Where it cannot be written they go on without."""

    def __init__(self, folder: Path) -> None:
        self._path, self._older = folder / NAME, folder / OLDER
        self._file: BinaryIO | None = None
        self._size = 0

    def rows(self) -> Iterator[Row]:
        """All rows, oldest first; lines that are none are passed over."""
        for path in (self._older, self._path):
            with suppress(OSError), path.open("rb") as file:
                for line in file:
                    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                        yield DECODER.decode(line)

    def put(self, row: Row) -> None:
        """Write a row."""
        data = msgspec.json.encode(row) + b"\n"
        with suppress(OSError):
            if self._size + len(data) > PART_BYTES_MAX:
                self.close()
                self._path.replace(self._older)
            if self._file is None:
                self._open()
            if self._file is not None:
                self._file.write(data)
                self._file.flush()
                self._size += len(data)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self._file, self._size = None, 0

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(self._path, flags, 0o600), "r+b", buffering=0)
        self._size = self._file.seek(0, os.SEEK_END)
        if self._size:
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":  # torn by a sudden end
                self._size += self._file.write(b"\n")


def serve(contest: Contest, journal: Journal, lines: BinaryIO, out: BinaryIO) -> None:
    """Answer until the input ends."""
    while line := lines.readline(LINE_BYTES_MAX):
        if line.strip() == TELL:
            _say(out, _table(contest))
            continue
        try:
            row = DECODER.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        said = contest.hear(row)
        if said is None:
            continue
        journal.put(row)
        if said:
            _say(out, {"kind": "said", "id": row.id, "p": said})


def _table(contest: Contest) -> dict[str, Any]:
    return {
        "kind": "table",
        "rivals": contest.rivals(),
        "n": len(contest),
        "n_eff": contest.n_eff,
        "waiting": contest.waiting,
    }


def _say(out: BinaryIO, message: dict[str, Any]) -> None:
    out.write(msgspec.json.encode(message) + b"\n")
    out.flush()


def main(folder: Path, horizon_h: float, lines: BinaryIO, out: BinaryIO) -> int:
    """Import, hear the journal again, serve. The exit code."""
    try:
        learners, source = river_learners()
    except ImportError as exc:
        why = NO_RIVER if exc.name == "river" else f"river does not load: {exc}"
        _say(out, {"kind": "none", "why": why})
        return 0
    contest, journal = Contest(learners, horizon_h * 3_600.0), Journal(folder)
    for row in journal.rows():
        contest.hear(row)
    _say(out, {"kind": "ready", "source": source, "n": len(contest)})
    try:
        serve(contest, journal, lines, out)
    except BrokenPipeError:
        return 0  # the desk is gone
    finally:
        journal.close()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the desk's; then our input ends
    with suppress(AttributeError, OSError):
        os.nice(10)
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]), sys.stdin.buffer, sys.stdout.buffer))
