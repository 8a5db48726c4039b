"""A screen of our own to look at and to click on: Xvfb, its picture, and words found in it.

Knows nothing of the program on it. Words are found as a person finds them, by how they look: they
are drawn in the interface's font and searched for in the picture.
"""

import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QImage, QPainter

FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans")
WINDOW_MANAGERS = ("openbox", "icewm", "matchbox-window-manager", "fluxbox", "xfwm4", "twm")
ALIKE_MIN = 0.8  # half a point of another place in the grid costs 0.1
FLAT = 6.0  # standard deviation, of 255, below which a place is empty
LOOK_S = 0.15

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Grey = np.ndarray[Any, np.dtype[np.float32]]
Area = tuple[int, int, int, int]  # left, top, right, bottom, px of the screen


class Word(NamedTuple):
    """Words as they stand on the screen. px: the size of the font; weight: 400 plain, 600 bold.

    alike: correlation from which a place is the word.
    """

    text: str
    px: int
    weight: int = 400
    alike: float = ALIKE_MIN


class Found(NamedTuple):
    """Where words stand, px of the screen. alike: correlation with how they should look, 0 to 1."""

    left: int
    top: int
    width: int
    height: int
    alike: float

    def around(self, across: int, down: int) -> Area:
        """The place with so much beside, over and under it."""
        right, bottom = self.left + self.width, self.top + self.height
        return self.left - across, self.top - down, right + across, bottom + down

    @property
    def middle(self) -> tuple[int, int]:
        """Where one would click."""
        return self.left + self.width // 2, self.top + self.height // 2


class NotSeenError(Exception):
    """What was waited for did not come onto the screen."""


class Screen:
    """A screen with a mouse and a keyboard. Use as a context: at its end it is gone.

    clicks: how often the mouse was pressed. reading_s: time that reading took, which a person does
    not need.
    """

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.clicks = 0
        self.reading_s = 0.0
        self.manager = ""
        self._folder = tempfile.TemporaryDirectory(prefix="screen-")
        self._started: list[subprocess.Popen[bytes]] = []
        self._display = ""

    def __enter__(self) -> "Screen":
        width, height = self.size
        told, tell = os.pipe()
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(tell), "-screen", "0", f"{width}x{height}x24",
             "-fbdir", self._folder.name, "-nolisten", "tcp"],
            pass_fds=(tell,), stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(tell)
        self._started.append(server)
        with os.fdopen(told) as answer:
            number = answer.readline().strip()
        if not number:
            raise NotSeenError("Xvfb does not start.")
        self._display = f":{number}"
        for name in WINDOW_MANAGERS:
            if shutil.which(name):
                self.manager = name
                self._started.append(subprocess.Popen([name], env=self.environment()))
                time.sleep(0.5)
                break
        return self

    def __exit__(self, *_raised: object) -> None:
        for process in reversed(self._started):
            process.terminate()
            process.wait(10)
        self._folder.cleanup()

    def environment(self) -> dict[str, str]:
        """What a program needs to come onto this screen and no other."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("QT_")}
        kept.pop("WAYLAND_DISPLAY", None)
        return kept | {"DISPLAY": self._display}

    # --- looking ----------------------------------------------------------------------------------

    def pixels(self) -> Pixels:
        """What is on the screen now: height x width x (red, green, blue)."""
        raw = (Path(self._folder.name) / "Xvfb_screen0").read_bytes()
        header = struct.unpack(">25I", raw[:100])  # an X window dump
        begin, line = header[0] + 12 * header[19], header[12]
        width, height = self.size
        rows = np.frombuffer(raw, np.uint8, height * line, begin).reshape(height, line)
        return rows[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1].copy()

    def picture(self, path: Path) -> None:
        """Save what is on the screen now."""
        shown = self.pixels()
        height, width, _ = shown.shape
        image = QImage(shown.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        if not image.save(str(path)):
            raise NotSeenError(f"Cannot write {path}.")

    def find(self, word: Word, area: Area | None = None) -> list[Found]:
        """Every place in an area, or anywhere, where these words stand; from above."""
        began = time.monotonic()
        shown = self.pixels()
        left, top, right, bottom = area or (0, 0, *self.size)
        left, top = max(0, left), max(0, top)
        found = found_in(grey(shown[top:bottom, left:right]), word)
        self.reading_s += time.monotonic() - began
        return [place._replace(left=place.left + left, top=place.top + top) for place in found]

    def wait(self, word: Word, patience_s: float, area: Area | None = None) -> Found:
        """Wait until the words stand still on the screen; the uppermost place where they do.

        Raises NotSeenError.
        """
        hits: list[Found] = []

        def still() -> bool:
            hits[:] = self.find(word, area)[:1]
            if not hits:
                return False
            before = self._at(hits[0])
            time.sleep(LOOK_S)
            return bool(np.array_equal(before, self._at(hits[0])))

        self.until(still, patience_s, f"{word.text!r} did not come onto the screen")
        return hits[0]

    def wait_gone(self, word: Word, place: Found, patience_s: float) -> None:
        """Wait until the words stand at this place no more. Raises NotSeenError."""
        gone = f"{word.text!r} did not leave the screen"
        self.until(lambda: not self.find(word, place.around(6, 6)), patience_s, gone)

    def _at(self, place: Found) -> Pixels:
        left, top, right, bottom = place.around(0, 0)
        return self.pixels()[top:bottom, left:right]

    def until(self, what: Callable[[], bool], patience_s: float, otherwise: str) -> None:
        """Look again and again until it is so. Raises NotSeenError, saying `otherwise`."""
        end = time.monotonic() + patience_s
        while not what():
            if time.monotonic() > end:
                raise NotSeenError(f"{otherwise} in {patience_s:g} s")
            time.sleep(LOOK_S)

    # --- acting -----------------------------------------------------------------------------------

    def click(self, place: Found) -> None:
        """Move the mouse there and press its left button."""
        across, down = place.middle
        self._xdotool("mousemove", str(across), str(down), "click", "1")
        self.clicks += 1

    def _xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self.environment(), check=True, timeout=20)


def grey(shown: Pixels) -> Grey:
    """How light each point is, 0 to 255."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    light: Grey = shown.astype(np.float32) @ weights
    return light


def drawn(word: Word) -> Grey:
    """The words as they look, light on dark, cut to their ink."""
    QGuiApplication.instance() or QGuiApplication(["screen", "-platform", "offscreen"])
    font = QFont()
    font.setFamilies(list(FAMILIES))
    font.setPixelSize(word.px)
    font.setWeight(QFont.Weight(word.weight))
    font.setFeature(QFont.Tag("tnum"), 1)
    metrics = QFontMetrics(font)
    wide, high = metrics.horizontalAdvance(word.text) + 4, metrics.height() + 4
    image = QImage(wide, high, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.black)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(QColor(Qt.GlobalColor.white))
    painter.drawText(2, 2 + metrics.ascent(), word.text)
    painter.end()
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(high, image.bytesPerLine())
    ink = raw[:, : 3 * wide].reshape(high, wide, 3).astype(np.float32).mean(axis=2)
    rows, columns = np.flatnonzero(ink.max(axis=1) > 60), np.flatnonzero(ink.max(axis=0) > 60)
    cut: Grey = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cut


def found_in(light: Grey, word: Word) -> list[Found]:
    """Where the words stand in a picture, in whatever two colours."""
    wanted = drawn(word)
    high, wide = wanted.shape
    if light.shape[0] < high or light.shape[1] < wide:
        return []
    wanted = wanted - wanted.mean()
    field = (_smooth(light.shape[0]), _smooth(light.shape[1]))  # a size that is quick to transform
    spectrum = np.fft.rfft2(light - light.mean(), field)
    spectrum *= np.conj(np.fft.rfft2(wanted, field))
    rows, columns = light.shape[0] - high + 1, light.shape[1] - wide + 1
    both = np.fft.irfft2(spectrum, field)[:rows, :columns]
    count = high * wide
    mean = _sums(light.astype(np.float64), high, wide) / count
    spread = _sums(light.astype(np.float64) ** 2, high, wide) / count - mean**2
    deviation = np.sqrt(np.maximum(spread, 0.0))
    alike = np.abs(both) / (count * np.maximum(deviation, FLAT) * wanted.std())
    return _peaks(alike, high, wide, word.alike)


def _smooth(least: int) -> int:
    """The next number with no prime factor over 5."""
    size = least
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1


def _sums(values: np.ndarray[Any, np.dtype[np.float64]], high: int, wide: int) -> Any:
    """The sum over every field of this size."""
    total = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(np.cumsum(values, axis=0), axis=1, out=total[1:, 1:])
    return total[high:, wide:] - total[:-high, wide:] - total[high:, :-wide] + total[:-high, :-wide]


def _peaks(alike: Any, high: int, wide: int, least: float) -> list[Found]:
    peaks: list[Found] = []
    while len(peaks) < 12:
        row, column = divmod(int(alike.argmax()), alike.shape[1])
        best = float(alike[row, column])
        if best < least:
            break
        peaks.append(Found(column, row, wide, high, best))
        alike[max(0, row - high) : row + high, max(0, column - wide) : column + wide] = 0.0
    return sorted(peaks, key=lambda found: (found.top, found.left))
