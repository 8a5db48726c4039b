"""How large a window of its own may be: as designed, and never larger than where it has to fit."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

FRAME = QSize(24, 56)  # a frame, its title bar, and a task bar
LEAST = QSize(480, 360)


def bounded(wanted: QSize, beside: QWidget | None) -> QSize:
    """`wanted`, or what there is room for on the screen of the window that `beside` belongs to.

    Where pictures are drawn without a screen that window itself is the bound.
    """
    unseen = QGuiApplication.platformName() in ("offscreen", "minimal")
    if beside is not None and unseen:
        return wanted.boundedTo((beside.window().size() - FRAME).expandedTo(LEAST))
    screen = beside.screen() if beside is not None else QGuiApplication.primaryScreen()
    return wanted if unseen else wanted.boundedTo(screen.availableSize() - FRAME)
