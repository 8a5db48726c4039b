"""Stacked panes over one time axis: who is shown where, and what the pointer does with it.

Curves are pyqtgraph items, one view box a pane. Grid, axes, lines and labels are painted by
`chart_paint` straight in pixels, because only there can one text be kept from lying on another.
The chart knows nothing of markets: it is told ranges, curves and lines, and says what was moved.
"""

import math
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from basisdesk.ui.chart_paint import Scribe
from basisdesk.ui.theme import Theme

Array = npt.NDArray[np.float64]

Number = TypeVar("Number", float, Array)

GRAB_PX = 5.0  # how near to a line the pointer takes hold of it
SPAN_S_MIN = 5.0
ZOOM_PER_STEP = 1.25
WHEEL_STEP = 120.0
CROSSHAIR_MS = 16
_BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
PANE_GAP_PX = 6


@dataclass
class Line:
    """A level across a pane. `colour` by meaning; `drags`: it has a grip and can be moved.

    drawn: False where a curve draws it already and only the label is wanted. kept: its label stays
    where there is no room for all.
    """

    name: str
    value: float
    colour: str
    text: str
    dashed: bool = False
    drags: bool = False
    drawn: bool = True
    kept: bool = False


@dataclass
class Tag:
    """A last value on the axis, in its curve's colour. `hollow`: the value is stale."""

    value: float
    text: str
    colour: str
    hollow: bool = False


@dataclass
class Mark:
    """A trade: a triangle at a point (tip down when it opened) with one line of text."""

    t_s: float
    y: float
    colour: str
    text: str
    up: bool = False


@dataclass
class Band:
    """A translucent area between two curves over the same x."""

    colour: str
    alpha: float
    x: Array = field(default_factory=lambda: np.empty(0))
    low: Array = field(default_factory=lambda: np.empty(0))
    high: Array = field(default_factory=lambda: np.empty(0))


@dataclass
class Note:
    """A word beside a curve, at a point; it stands left of it, or right of it when `after`."""

    t_s: float
    y: float
    colour: str
    text: str
    after: bool = False


@dataclass
class Outage:
    """A time without a feed. `t1_s` is where the view ends while it lasts."""

    t0_s: float
    t1_s: float
    text: str


class Curve(pg.PlotCurveItem):  # type: ignore[misc]
    """A one-pixel curve, styled once. Its bounds are the pane: data is never searched for them."""

    def __init__(self, pen: QPen) -> None:
        super().__init__(pen=pen)
        self.opts["connect"] = "finite"
        self.opts["antialias"] = False

    # Qt

    def boundingRect(self) -> QRectF:  # noqa: D102
        view = self.getViewBox()
        return view.viewRect() if view is not None else QRectF()

    def viewRangeChanged(self, *_: object) -> None:  # noqa: D102
        self.prepareGeometryChange()


class Pane:
    """One plot of the stack: a view box, its curves, and what is written over them.

    height: share of the chart. places: decimals of values, for the axis and the crosshair.
    signed: values carry their sign. unit: stands behind a value, "" for prices.
    y: the range of values shown, None before the first.
    """

    def __init__(self, name: str, height: float, *, unit: str = "", signed: bool = False) -> None:
        self.name = name
        self.height = height
        self.unit = unit
        self.signed = signed
        self.places = 2
        self.y: tuple[float, float] | None = None
        self.rect = QRectF()
        self.box = pg.ViewBox(enableMenu=False, defaultPadding=0)
        self.box.setMouseEnabled(x=False, y=False)
        self.box.disableAutoRange()
        self.curves: dict[str, Curve] = {}
        self.bands: list[Band] = []
        self.lines: list[Line] = []
        self.tags: list[Tag] = []
        self.marks: list[Mark] = []
        self.notes: list[Note] = []
        self.dots: list[tuple[float, float]] = []
        self.names_outages = False

    def add_curve(self, name: str, pen: QPen) -> Curve:
        """One more curve, drawn over those before it."""
        curve = Curve(pen)
        self.curves[name] = curve
        self.box.addItem(curve, ignoreBounds=True)
        return curve

    @property
    def span(self) -> tuple[float, float]:
        """The range of values shown, 0 to 1 before there is one."""
        return self.y or (0.0, 1.0)

    def y_px(self, value: float) -> float:
        """Where a value stands, px from the top of the chart."""
        lo, hi = self.span
        return self.rect.bottom() - (value - lo) / (hi - lo) * self.rect.height()

    def value_at(self, y_px: float) -> float:
        """Which value stands there."""
        lo, hi = self.span
        share = (self.rect.bottom() - y_px) / max(1.0, self.rect.height())
        return lo + share * (hi - lo)


class ChartView(pg.GraphicsView):  # type: ignore[misc]
    """The stack of panes. It is told what to show; it says what a person did to it.

    ranged(t0, t1): the user panned or zoomed to this window, seconds.
    hovered(t): the pointer is at this time, or None when it left.
    line_dragged(name, value): a line is being moved. line_dropped(name, value): it was let go.
    """

    ranged = Signal(object, object)
    hovered = Signal(object)
    line_dragged = Signal(object, object)
    line_dropped = Signal(object, object)
    menu_requested = Signal(object)
    reset_requested = Signal()

    def __init__(
        self, panes: list[Pane], theme: Theme, *, utc: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, background=theme.qcolor("surface"))
        self.panes = panes
        self.theme = theme
        self.utc = utc
        self.t0_s, self.t1_s = 0.0, 60.0
        self.limits = (-math.inf, math.inf)
        self.following = True
        self.outages: list[Outage] = []
        self.note = ""
        self.framed = False  # the keyboard is here and came by keyboard: show it
        self.pointer: QPointF | None = None
        self.held: Line | None = None
        self.near: Line | None = None
        self.axis_px = theme.px(64)
        self.label_rects: dict[str, QRectF] = {}
        self._grabbed: tuple[float, float, float] | None = None
        self._was_moved = False  # the held line
        self._scribe = Scribe(self)
        self._moved = QTimer(self)
        self._moved.setSingleShot(True)
        self._moved.setInterval(CROSSHAIR_MS)
        self._moved.timeout.connect(self.viewport().update)
        for pane in panes:
            self.scene().addItem(pane.box)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportUpdateMode(self.ViewportUpdateMode.FullViewportUpdate)
        self.setCacheMode(self.CacheModeFlag.CacheNone)  # pyqtgraph keeps an old background
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setMinimumSize(theme.px(200), theme.px(128))

    # --- what it is told -------------------------------------------------------------------------

    def set_window(self, t0_s: float, t1_s: float) -> None:
        """Show this stretch of time in all panes."""
        self.t0_s, self.t1_s = t0_s, t1_s

    def show_frame(self) -> None:
        """Take the ranges and curves set so far onto the screen."""
        for pane in self.panes:
            pane.box.setRange(xRange=(self.t0_s, self.t1_s), yRange=pane.span, padding=0)
        self.viewport().update()

    def make_room(self, text: str) -> None:
        """Make the value axis wide enough for this tag. It never narrows: nothing jumps."""
        axis_px = self._scribe.axis_width(text)
        if axis_px > self.axis_px:
            self.axis_px = axis_px
            self._arrange()

    @property
    def plot_px(self) -> int:
        """Width of the panes, px: what an envelope is asked for."""
        return max(16, int(self.viewport().width()) - self.axis_px)

    # --- where things are ------------------------------------------------------------------------

    def x_px(self, t_s: Number) -> Number:
        """Where a time stands, px from the left; one time or an array of them."""
        return (t_s - self.t0_s) / (self.t1_s - self.t0_s) * self.plot_px

    def time_at(self, x_px: float) -> float:
        """Which time stands there, seconds."""
        return self.t0_s + x_px / self.plot_px * (self.t1_s - self.t0_s)

    def pane_at(self, y_px: float) -> Pane | None:
        """The pane at this height."""
        return next((p for p in self.panes if p.rect.top() <= y_px <= p.rect.bottom()), None)

    def _arrange(self) -> None:
        width, height = self.plot_px, self.viewport().height() - self._scribe.time_axis_px
        room = height - PANE_GAP_PX * (len(self.panes) - 1)
        whole = sum(pane.height for pane in self.panes)
        top = 0.0
        for pane in self.panes:
            high = max(8.0, math.floor(room * pane.height / whole))
            pane.rect = QRectF(0.0, top, width, high)
            pane.box.setGeometry(pane.rect)
            top += high + PANE_GAP_PX

    # --- what a person does ----------------------------------------------------------------------

    def zoom(self, factor: float, anchor_s: float | None = None) -> None:
        """Show `factor` times as much time; below 1 is closer. The anchor stays where it is."""
        if self.following or anchor_s is None:
            anchor_s = self.t1_s if self.following else (self.t0_s + self.t1_s) / 2
        span = (self.t1_s - self.t0_s) * factor
        share = (anchor_s - self.t0_s) / (self.t1_s - self.t0_s)
        t0_s = anchor_s - share * span
        self._range_to(t0_s, t0_s + span)

    def pan(self, seconds: float) -> None:
        """Move the window; positive is later."""
        self._range_to(self.t0_s + seconds, self.t1_s + seconds)

    def _range_to(self, t0_s: float, t1_s: float) -> None:
        first, last = self.limits
        widest = (last - first) * 1.15 if math.isfinite(last - first) else math.inf
        span = min(max(t1_s - t0_s, SPAN_S_MIN), max(widest, 60.0))
        if span != t1_s - t0_s:
            t0_s = (t0_s + t1_s - span) / 2
        t0_s = min(max(t0_s, first - span / 2), last - span / 4)
        self.set_window(t0_s, t0_s + span)
        self.ranged.emit(t0_s, t0_s + span)

    def _line_at(self, spot: QPointF) -> Line | None:
        pane = self.pane_at(spot.y())
        if pane is None or spot.x() > self.plot_px:
            return None
        movable = [line for line in pane.lines if line.drags and math.isfinite(line.value)]
        for line in movable:
            if self.label_rects.get(line.name, QRectF()).contains(spot):
                return line
        near = [(abs(pane.y_px(line.value) - spot.y()), i) for i, line in enumerate(movable)]
        best = min(near, default=(math.inf, 0))
        return movable[best[1]] if best[0] <= GRAB_PX else None

    def _drag_line(self, line: Line, y_px: float) -> None:
        pane = next(p for p in self.panes if line in p.lines)
        y_px = min(max(y_px, pane.rect.top() + 1), pane.rect.bottom() - 1)
        line.value = round(pane.value_at(y_px), 1)
        self._was_moved = True
        self.line_dragged.emit(line.name, line.value)
        self._moved.start()

    def pointed_s(self) -> float | None:
        """The time under the pointer, None where it is not over a pane."""
        spot = self.pointer
        return self.time_at(spot.x()) if spot is not None and spot.x() <= self.plot_px else None

    def _point(self, spot: QPointF | None) -> None:
        self.pointer = spot
        self.near = self._line_at(spot) if spot is not None else None
        self.hovered.emit(self.pointed_s())
        shape = Qt.CursorShape.SizeVerCursor if self.near else Qt.CursorShape.CrossCursor
        if self.viewport().cursor().shape() != shape:
            self.viewport().setCursor(shape)
        if not self._moved.isActive():
            self._moved.start()

    # --- Qt --------------------------------------------------------------------------------------

    def close(self) -> bool:
        """Close as any widget does. pyqtgraph would take the viewport away, which crashes."""
        return bool(QGraphicsView.close(self))

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:  # noqa: D102
        super().drawBackground(painter, rect)
        self._scribe.under(painter)

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:  # noqa: ARG002, D102
        self._scribe.over(painter)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: D102
        super().resizeEvent(event)
        if hasattr(self, "_scribe"):  # pyqtgraph resizes inside its own constructor
            self._arrange()
            self.show_frame()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.held = self._line_at(event.position())
        if self.held is None:
            self._grabbed = (event.position().x(), self.t0_s, self.t1_s)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        spot = event.position()
        if self.held is not None:
            self.pointer = spot
            self._drag_line(self.held, spot.y())
            return
        if self._grabbed is not None:
            x, t0_s, t1_s = self._grabbed
            if self.viewport().cursor().shape() != Qt.CursorShape.ClosedHandCursor:
                self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            back = (spot.x() - x) / self.plot_px * (t1_s - t0_s)
            self.pointer = spot
            self._range_to(t0_s - back, t1_s - back)
            return
        self._point(spot)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        dropped, self.held, self._grabbed = self.held, None, None
        if dropped is not None and self._was_moved:
            self.line_dropped.emit(dropped.name, dropped.value)
        self._was_moved = False
        self._point(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: ARG002, D102
        self.reset_requested.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: D102
        angle = event.angleDelta()
        if abs(angle.x()) > abs(angle.y()):
            self.pan(-angle.x() / WHEEL_STEP * 0.1 * (self.t1_s - self.t0_s))
        elif angle.y():
            spot = min(event.position().x(), float(self.plot_px))
            self.zoom(ZOOM_PER_STEP ** (-angle.y() / WHEEL_STEP), self.time_at(spot))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: D102
        super().leaveEvent(event)
        self._point(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: D102
        self.menu_requested.emit(event.globalPos())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        event.ignore()  # the panel around it knows the keys

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: D102
        super().focusInEvent(event)
        self.framed = event.reason() in _BY_KEYBOARD
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: D102
        super().focusOutEvent(event)
        self.framed = False
        self.viewport().update()
