"""The frame around something that scrolls while the keys go to it, and where Tab goes next."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

_BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


def by_keyboard(event: QFocusEvent) -> bool:
    """Whether the focus came by a key; a click needs no frame to say where it went."""
    return event.reason() in _BY_KEYBOARD


def paint_frame(painter: QPainter, view: QAbstractScrollArea, colour: QColor) -> None:
    """A line along the edge of the viewport."""
    painter.setPen(colour)
    painter.drawRect(view.viewport().rect().adjusted(0, 0, -1, -1))


def walk(stops: Sequence[QWidget]) -> None:
    """Let the Tab key go from each of these to the next."""
    for one, next_one in pairwise(stops):
        QWidget.setTabOrder(one, next_one)
