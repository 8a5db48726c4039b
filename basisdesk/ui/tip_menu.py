"""The menu of a figure that is no money of the ledger: it says in a sentence what the figure is."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QMenu, QToolTip, QWidget

EXPLAIN = "Explain this number\u2026"
SHOWN_MS = 20_000


def tip_menu(widget: QWidget, place: QPoint) -> QMenu | None:
    """A menu that shows the tip of a widget at this place of the screen; None where it has none.

    The tip then stays for a while, and goes as the pointer leaves the widget.
    """
    tip = widget.toolTip()
    if not tip:
        return None
    menu = QMenu(widget)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.addAction(EXPLAIN, lambda: QToolTip.showText(place, tip, widget, widget.rect(), SHOWN_MS))
    return menu


def offer_tip(widget: QWidget, event: QContextMenuEvent) -> bool:
    """Open that menu where it was asked for; says whether there is one."""
    menu = tip_menu(widget, event.globalPos())
    if menu is None:
        return False
    menu.popup(event.globalPos())
    event.accept()
    return True
