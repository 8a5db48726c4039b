"""Sector by time as a heat map: how much more or less longs paid than in the whole market."""

import math

import numpy as np
from PySide6.QtCore import QEvent, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from basisdesk.scan.words import SectorView
from basisdesk.ui.axis import tick_words, time_ticks, zone_of
from basisdesk.ui.sector_rows import Floats, bp_text, cell_tip, scale_bp
from basisdesk.ui.theme import Theme, safe

SHADES = 64  # to either side of nothing
FAINT, FULL = 0.06, 0.95  # share of the colour at nothing and at full scale
ROW_PX_MAX = 34
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


class SectorHeat(QWidget):
    """One row a sector, one column a settlement, the newest figure at the right."""

    def __init__(self, theme: Theme, *, utc: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._utc = utc
        self._names: tuple[str, ...] = ()
        self._t_s: Floats = np.empty(0)
        self._values: Floats = np.empty((0, 0))
        self._full_bp = 1.0
        self._image = QImage()
        self._font = theme.font(11)
        self._metrics = QFontMetricsF(self._font)
        self._high = math.ceil(self._metrics.height())
        self._shades = _shades(theme)
        self.empty_text = "No settled funding is known yet."
        self.setMinimumSize(theme.px(240), theme.px(180))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Sector funding against the rest of the market, heat map over time")

    def show_view(self, view: SectorView) -> None:
        """Show these divergences, from the first settlement of which any is known."""
        lines = {row.name: view.divergence_lines.get(row.name) for row in view.rows}
        known = {name: line for name, line in lines.items() if line is not None}
        self._names = tuple(known)
        table = np.stack(list(known.values())) if known else np.empty((0, 0))
        any_known = np.isfinite(table).any(axis=0) if table.size else np.empty(0, dtype=np.bool_)
        first = int(np.argmax(any_known)) if any_known.any() else table.shape[1]
        self._values = table[:, first:]
        self._t_s = view.times_ms[first:] / 1000.0
        self._full_bp = scale_bp([self._values])
        self._image = self._paint_image()
        self.update()

    # --- inside ----------------------------------------------------------------------------------

    def _paint_image(self) -> QImage:
        if not self._values.size:
            return QImage()
        with np.errstate(invalid="ignore"):
            shade = np.rint(np.clip(self._values / self._full_bp, -1.0, 1.0) * SHADES)
        unknown = ~np.isfinite(shade)
        shade[unknown] = 0.0
        pixels = self._shades[shade.astype(np.int64) + SHADES]
        pixels[unknown] = self._theme.qcolor("surface").rgb()
        high, wide = pixels.shape
        image = QImage(np.ascontiguousarray(pixels).tobytes(), wide, high, wide * 4, _RGB32)
        return image.copy()  # the bytes go, the picture stays

    def _rooms(self) -> tuple[QRectF, float]:
        """Where the cells stand, and how high a row is, px."""
        pad = self._theme.px(6)
        names = max((self._metrics.horizontalAdvance(name) for name in self._names), default=0.0)
        figure = self._metrics.horizontalAdvance("\u221200.00") + pad
        below = 2 * self._high + 3 * pad
        left, right = names + 2 * pad, self.width() - figure - pad
        room = QRectF(left, 2.0, max(1.0, right - left), max(1.0, self.height() - below - 2.0))
        row = min(float(self._theme.px(ROW_PX_MAX)), room.height() / max(1, len(self._names)))
        room.setHeight(row * len(self._names))
        return room, row

    def _rows(self, painter: QPainter, room: QRectF, row: float) -> None:
        pad = self._theme.px(6)
        wide = self._image.width()
        for place, name in enumerate(self._names):
            band = QRectF(room.left(), room.top() + place * row, room.width(), max(1.0, row - 1))
            painter.drawImage(band, self._image, QRectF(0, place, wide, 1))
            painter.setPen(self._theme.qcolor("text"))
            painter.drawText(QRectF(0, band.top(), room.left() - pad, band.height()), _RIGHT, name)
            last = bp_text(float(self._values[place, -1]))
            beside = QRectF(room.right(), band.top(), self.width() - room.right() - pad, row - 1)
            painter.drawText(beside, _RIGHT, last)

    def _times(self, painter: QPainter, room: QRectF) -> None:
        first, last = float(self._t_s[0]), float(self._t_s[-1])
        if last <= first:
            return
        _, offset_s = zone_of(self._utc, last)
        count = max(2, int(room.width() / (self._metrics.horizontalAdvance("22 Nov") * 2.2)))
        ticks = time_ticks(first, last, count, offset_s)
        top = room.bottom() + self._theme.px(3)
        painter.setPen(self._theme.qcolor("muted"))
        for tick, words in zip(ticks, tick_words(ticks, offset_s), strict=True):
            x = room.left() + (tick - first) / (last - first) * room.width()
            half = self._metrics.horizontalAdvance(words) / 2 + 1
            if room.left() <= x - half and x + half <= room.right():
                painter.drawText(QRectF(x - half, top, 2 * half, self._high), _CENTRE, words)

    def _legend(self, painter: QPainter, room: QRectF) -> None:
        # a scale from blue to orange between its two words
        pad = self._theme.px(6)
        top = room.bottom() + self._high + 2 * pad
        left_words = f"longs pay less  {bp_text(-self._full_bp)}"
        right_words = (
            f"{bp_text(self._full_bp)} bp per 8 h  longs pay more than in the whole market"
        )
        x = room.left()
        painter.setPen(self._theme.qcolor("muted"))
        for words, bar in ((left_words, True), (right_words, False)):
            wide = self._metrics.horizontalAdvance(words) + 1
            painter.drawText(QRectF(x, top, wide, self._high), _LEFT, words)
            x += wide + pad
            if bar:
                scale = QRectF(x, top + 2, self._theme.px(90), self._high - 4)
                painter.drawImage(scale, self._scale_image())
                x = scale.right() + pad

    def _scale_image(self) -> QImage:
        pixels = self._shades
        return QImage(pixels.tobytes(), len(pixels), 1, len(pixels) * 4, _RGB32).copy()

    def _tip_at(self, x: float, y: float) -> str:
        room, row = self._rooms()
        if not self._values.size or not room.contains(x, y):
            return ""
        place = min(int((y - room.top()) / row), len(self._names) - 1)
        columns = len(self._t_s)
        at = min(int((x - room.left()) / room.width() * columns), columns - 1)
        value = float(self._values[place, at])
        return cell_tip(self._names[place], round(float(self._t_s[at]) * 1000), value, self._utc)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, D102
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.qcolor("surface"))
        painter.setFont(self._font)
        if self._image.isNull():
            painter.setPen(self._theme.qcolor("muted"))
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(QRect(self.rect()), flags, self.empty_text)
        else:
            room, row = self._rooms()
            self._rows(painter, room, row)
            self._times(painter, room)
            self._legend(painter, room)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """The tooltip of the cell under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            said = self._tip_at(event.pos().x(), event.pos().y())
            if said:
                QToolTip.showText(event.globalPos(), safe(said), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)


_RGB32 = QImage.Format.Format_RGB32


def _shades(theme: Theme) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    """Colours from full blue by nothing to full orange, as 0xffRRGGBB."""
    found = []
    for step in range(-SHADES, SHADES + 1):
        name = "perp" if step > 0 else "spot"
        share = FAINT + (FULL - FAINT) * abs(step) / SHADES
        found.append(QColor(theme.blend(name, share, "raised")).rgb())
    return np.array(found, dtype=np.uint32)
