"""The lab, a window of its own: runs, side by side, claims."""

from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMainWindow, QTabWidget, QVBoxLayout, QWidget

from basisdesk.ui.arrangement import offscreen
from basisdesk.ui.halt_box import HALT_KEY
from basisdesk.ui.lab_claims import ClaimsPanel
from basisdesk.ui.lab_compare import ComparePanel
from basisdesk.ui.lab_panel import RunsPanel
from basisdesk.ui.lab_view import LabActions, LabView
from basisdesk.ui.theme import Theme

FIRST_SIZE = (1600, 1000)


class LabWindow(QMainWindow):
    """Three tabs around one view. Made when somebody asks for it, a panel a turn of the loop."""

    def __init__(
        self, view: LabView, actions: LabActions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._actions = actions
        self._theme = theme
        self.setWindowTitle("Lab \u00b7 paper \u00b7 studies of the past")
        self.setObjectName("lab")
        self.runs = RunsPanel(view, actions, theme)
        self.beside: ComparePanel
        self.claims: ClaimsPanel
        self._rest = [self.runs.add_setup, self._add_beside, self._add_claims]
        self._later = QTimer(self)
        self._later.setInterval(0)
        self._later.timeout.connect(self._add_one)
        self.said = theme.label("", "text")
        self.said.setWordWrap(True)
        self.said.setProperty("role", "banner-warn")
        self.said.hide()
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.tabBar().setAccessibleName("Runs, side by side, claims")
        self.tabs.addTab(self.runs, "Runs")
        badge = theme.label("PAPER \u00b7 studies of the past", "muted", 11)
        badge.setContentsMargins(0, 0, theme.px(12), theme.px(7))
        self.tabs.setCornerWidget(badge)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.said)
        column.addWidget(self.tabs, 1)
        self.setCentralWidget(body)
        self._join()
        self.resize(*FIRST_SIZE)
        if not offscreen():
            room = QGuiApplication.primaryScreen().availableGeometry().size()
            self.resize(self.size().boundedTo(room))
        self._later.start()

    def _join(self) -> None:
        self.runs.compare_asked.connect(self._on_compare)
        self._view.changed.connect(self._on_changed)
        self._add_key("Ctrl+W", self.close)
        self._add_key("F5", self._actions.refresh)

    def finish(self) -> None:
        """Make what is still to come now."""
        while self._rest:
            self._add_one()

    def _add_one(self) -> None:
        if self._rest:
            self._rest.pop(0)()
        if not self._rest:
            self._later.stop()

    def _add_beside(self) -> None:
        self.beside = ComparePanel(self._view, self._actions, self._theme)
        self.tabs.addTab(self.beside, "Side by side")

    def _add_claims(self) -> None:
        self.claims = ClaimsPanel(self._view, self._theme)
        self.tabs.addTab(self.claims, "Claims")
        self.claims.run_asked.connect(self._on_run)
        self.claims.study_asked.connect(self._on_study)

    def _add_key(self, key: str, act: Any) -> None:
        action = QAction(self)
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(act)
        self.addAction(action)

    def on_halt(self, act: Any) -> None:
        """Let Ctrl+. work here too."""
        self._add_key(HALT_KEY, act)

    def _on_compare(self, names: object) -> None:
        if isinstance(names, tuple):
            self.beside.put(names)
            self.tabs.setCurrentWidget(self.beside)
            if len(self.beside.chosen()) > 1:
                self.beside.compare_runs()

    def _on_run(self, name: str) -> None:
        self.tabs.setCurrentWidget(self.runs)
        self.runs.choose(name)

    def _on_study(self, name: str) -> None:
        self.tabs.setCurrentWidget(self.runs)
        self.runs.setup.choose(name)
        self.runs.show_setup()

    def _on_changed(self, what: str) -> None:
        if what == "said":
            self.said.setText(self._view.said)
            self.said.setVisible(bool(self._view.said))

    # Qt

    def showEvent(self, event: Any) -> None:
        """Read what there is each time it comes onto the screen."""
        super().showEvent(event)
        self._actions.refresh()
