"""Before a person leaves with pairs open: one question, once. Blocks nothing."""

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence, QSessionManager
from PySide6.QtWidgets import QApplication, QWidget

from basisdesk.ui.context import Context
from basisdesk.ui.halt_dialogs import AskDialog
from basisdesk.ui.halt_rows import leave_words
from basisdesk.ui.theme import Theme, set_tip

QUIT_KEY = "Ctrl+Q"
SESSION_END_MS = 60_000  # for so long nothing is asked once the desktop wants to end its session


class LeaveDialog(AskDialog):
    """What stays open unwatched, with Leave and Stay, which is the default. The key means Leave."""

    def __init__(self, words: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Leave basisdesk", "Leave", theme, parent)
        self.words = self.wrapped(words, weight=600)
        self.cancel.setText("Stay")
        self.act.setProperty("role", "danger")
        set_tip(self.act, f"Leave now; {QUIT_KEY} again does the same.")
        self.fill(self.words)
        self.cancel.setDefault(True)
        self.cancel.setFocus()

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The window's own key cannot be heard while this stands; held down it is one wish."""
        if QKeySequence(event.keyCombination()) != QKeySequence(QUIT_KEY):
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self.accept()


class Leaving(QObject):
    """Whether the window may go. Asks only while the context says so: a person sits here."""

    def __init__(self, context: Context, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._theme = theme
        self._window = window
        self._session_ends = False
        self.dialog: LeaveDialog | None = None
        app = QApplication.instance()
        if isinstance(app, QApplication):
            direct = Qt.ConnectionType.DirectConnection  # asked for by Qt: it ends with the call
            app.commitDataRequest.connect(self._on_session_end, direct)

    def leave(self) -> None:
        """Leave the program, or ask first. Ctrl+Q; while the question stands it means Leave."""
        if self.dialog is not None:
            self.dialog.accept()
        elif self.may_go():
            self._context.actions.quit()

    def may_go(self) -> bool:
        """Whether the window may close now. False: the question stands, and its answer decides."""
        if self.dialog is not None:
            return False
        context = self._context
        asks = context.asks_leave and not self._session_ends and not context.status.fault_ns
        words = leave_words(context.engine) if asks else ""
        if words:
            self.dialog = LeaveDialog(words, self._theme, self._window)
            self.dialog.finished.connect(self._on_answered)
            self.dialog.open()
        return not words

    def end(self) -> None:
        """The desk is going anyway: ask no more, and take the question away."""
        self._context.asks_leave = False
        if self.dialog is not None:
            self.dialog.reject()

    def _on_answered(self, answer: int) -> None:
        self.dialog = None
        if answer == LeaveDialog.DialogCode.Accepted:
            self._context.asks_leave = False
            self._context.actions.quit()

    def _on_session_end(self, _manager: QSessionManager) -> None:
        self._session_ends = True
        QTimer.singleShot(SESSION_END_MS, self, self._on_session_stayed)

    def _on_session_stayed(self) -> None:
        self._session_ends = False  # somebody called the end off
