"""Writes what the chart shows to a file: rows as CSV, without holding up the window; a picture."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QIODevice, QObject, QSaveFile, QTimer, Signal
from PySide6.QtGui import QPixmap

from basisdesk.market.day_series import STEP_S, DaySeries

ROWS_PER_STEP = 2_000  # some 10 ms of work between two turns of the event loop


class CsvExport(QObject):
    """Writes the rows of a window of a series, a few thousand at a time.

    The file appears under its name only when it is complete. `ended` carries what was written, and
    from when on it is every sample.
    """

    ended = Signal(object)

    def __init__(
        self, path: str, series: DaySeries, t0_s: float, t1_s: float, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._times, columns = series.window(t0_s, t1_s)
        self._names = tuple(columns)
        self._columns = tuple(columns.values())
        self._fine_from_s = series.fine_from_s
        self._at = 0
        self._path = path
        self._file = QSaveFile(path, self)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._step)

    def start(self) -> None:
        """Open the file and begin."""
        if not self._file.open(QIODevice.OpenModeFlag.WriteOnly):
            self._end(f"Cannot write {self._path}: {self._file.errorString()}.")
            return
        self._file.write((",".join(("time_utc", *self._names)) + "\n").encode())
        self._timer.start(0)

    def _step(self) -> None:
        end = min(len(self._times), self._at + ROWS_PER_STEP)
        times = self._times[self._at : end].tolist()
        cells = [column[self._at : end].tolist() for column in self._columns]
        lines = [
            ",".join((_stamp(t_s), *map(_cell, row)))
            for t_s, row in zip(times, zip(*cells, strict=True), strict=True)
        ]
        if lines and self._file.write(("\n".join(lines) + "\n").encode()) < 0:
            self._file.cancelWriting()
            self._end(f"Cannot write {self._path}: {self._file.errorString()}.")
            return
        self._at = end
        if end == len(self._times):
            done = self._file.commit()
            rows = f"{len(self._times):,} rows"
            self._end(
                f"Saved {rows} to {self._path}.{self._resolution()}"
                if done
                else f"Cannot write {self._path}: {self._file.errorString()}."
            )

    def _resolution(self) -> str:
        if not len(self._times) or self._times[0] >= self._fine_from_s:
            return ""
        since = datetime.fromtimestamp(self._fine_from_s, tz=UTC)
        thinned = f"{STEP_S:.0f} s apart (the last of each {STEP_S:.0f} s)"
        if self._times[-1] < self._fine_from_s:
            return f" Rows are {thinned}."
        return f" Rows before {since:%H:%M:%S} UTC are {thinned}."

    def _end(self, text: str) -> None:
        self._timer.stop()
        self.ended.emit(text)
        self.deleteLater()


def save_picture(picture: QPixmap, path: str, said: Callable[[str], None]) -> None:
    """Write a picture as PNG and say in one sentence how it went."""
    file = QSaveFile(path)
    done = (
        file.open(QIODevice.OpenModeFlag.WriteOnly) and picture.save(file, "PNG") and file.commit()
    )
    said(f"Saved {path}." if done else f"Cannot write {path}: {file.errorString()}.")


def with_suffix(path: str, suffix: str) -> str:
    """The path with this ending, added where it is missing."""
    return path if path.lower().endswith(suffix) else path + suffix


def _stamp(t_s: float) -> str:
    moment = datetime.fromtimestamp(t_s, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _cell(value: float) -> str:
    return f"{value:.10g}" if math.isfinite(value) else ""
