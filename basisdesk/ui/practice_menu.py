"""Practise ▸ a fault on one connection or on all: the demo exchange commits it, the desk copes."""

from functools import partial

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from basisdesk.ui.context import Context
from basisdesk.ui.theme import safe
from basisdesk.venues.instrument import venue_title

LASTS = (("10 seconds", 10.0), ("30 seconds", 30.0), ("2 minutes", 120.0), ("10 minutes", 600.0))
FIRST = "30 seconds"
EVERYWHERE = "*"


def conn_title(conn: str) -> str:
    """A connection as the menu names it: "Binance public", "Everywhere"."""
    if conn == EVERYWHERE:
        return "Everywhere"
    venue, _, channel = conn.partition(".")
    return f"{venue_title(venue)} {channel}".rstrip()


class PracticeMenu(QMenu):
    """Built once from the faults and connections of the context."""

    def __init__(self, context: Context) -> None:
        super().__init__("Practise")
        self._context = context
        self._for_s = dict(LASTS)[FIRST]
        self.setToolTipsVisible(True)
        lasts = self.addMenu("A fault lasts")
        group = QActionGroup(self)
        for text, seconds in LASTS:
            action = QAction(text, self, checkable=True)
            action.setChecked(text == FIRST)
            action.triggered.connect(partial(self._set_length, seconds))
            group.addAction(action)
            lasts.addAction(action)
        self.addSeparator()
        for conn in (EVERYWHERE, *context.conns):
            self._add_conn(conn)
        self.addSeparator()
        stop = self.addAction("Stop all faults")
        stop.triggered.connect(context.actions.stop_practice)

    def _add_conn(self, conn: str) -> None:
        menu = self.addMenu(conn_title(conn))
        menu.setToolTipsVisible(True)
        for fault in self._context.faults:
            if conn != EVERYWHERE and not {"*", conn} & set(fault.on):
                continue
            action = menu.addAction(fault.name.replace("_", " ").capitalize())
            action.setToolTip(safe(fault.about))
            action.setStatusTip(fault.about)
            action.triggered.connect(partial(self._start, fault.name, conn))

    def _set_length(self, seconds: float) -> None:
        self._for_s = seconds

    def _start(self, kind: str, conn: str) -> None:
        self._context.actions.practise(kind, conn, self._for_s)
