"""A note in the corner of the window: the session log is saved, here is its report."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QPushButton, QVBoxLayout

from basisdesk.ui.theme import PlainLabel, Theme, set_tip

STAYS_MS = 60_000  # a note that nobody uses goes by itself
WIDE_PX, EDGE_PX = 400, 12
REPORT = "report.html"


def open_file(path: Path) -> bool:
    """Show a file of ours with the system's own program. False where there is none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


class SavedNote(QFrame):
    """Blocks nothing.

    ask_elsewhere: save into another folder. show_report: shows the report in a window of ours, and
    says whether it could. opener: shows a file or a folder with a program of the system.
    """

    def __init__(
        self,
        theme: Theme,
        window: QMainWindow,
        ask_elsewhere: Callable[[], object],
        show_report: Callable[[], bool],
        opener: Callable[[Path], bool] = open_file,
    ) -> None:
        super().__init__(window)
        self._theme = theme
        self._home = window
        self._show_report = show_report
        self._opener = opener
        self._folder = Path()
        self.setObjectName("saved")
        self.setStyleSheet(
            f"QFrame#saved {{ background: {theme.raised}; border: 1px solid {theme.line};"
            " border-radius: 6px; }"
        )
        self.setAccessibleName("The session log is saved")
        self.title = theme.label("Session log saved", "text", 12, 600)
        self.where = PlainLabel(elide=True, where=Qt.TextElideMode.ElideMiddle)
        self.where.setFont(theme.font(11))
        self.where.set_colour(theme.qcolor("muted"))
        self.report = self._button(
            "Open report", "primary", "Shows it in a window of its own, without a browser."
        )
        self.files = self._button(
            "Open folder", "", "Shows the folder in your file manager: page, tables, data."
        )
        self.other = self._button(
            "Save elsewhere\u2026", "link", "Asks for a folder and saves there."
        )
        self.close_button = self._button("\u2715", "link", "Close this note. Esc.")
        self.close_button.setAccessibleName("Close this note")
        self.report.clicked.connect(self._on_report)
        self.files.clicked.connect(self._on_files)
        self.other.clicked.connect(ask_elsewhere)
        self.other.clicked.connect(self.hide)
        self.close_button.clicked.connect(self.hide)
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(STAYS_MS)
        self._timer.timeout.connect(self.hide)
        window.installEventFilter(self)
        self.hide()

    def _lay_out(self) -> None:
        px = self._theme.px
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.close_button)
        line = QHBoxLayout()
        line.setSpacing(px(8))
        line.addWidget(self.report)
        line.addWidget(self.files)
        line.addStretch(1)
        line.addWidget(self.other)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(14), px(8), px(10), px(10))
        column.setSpacing(px(4))
        column.addLayout(head)
        column.addWidget(self.where)
        column.addSpacing(px(4))
        column.addLayout(line)

    def _button(self, text: str, role: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        if role:
            button.setProperty("role", role)
        button.setAccessibleName(text.rstrip("\u2026"))
        set_tip(button, tip)
        return button

    def tell(self, folder: Path) -> None:
        """Say that a log was written into this folder."""
        self._folder = folder
        self.title.setText("Session log saved")
        self.where.setText(str(folder))
        self._place()
        self.show()
        self.raise_()
        self.report.setFocus(Qt.FocusReason.OtherFocusReason)
        self._timer.start()

    def _place(self) -> None:
        edge = self._theme.px(EDGE_PX)
        wide = min(self._theme.px(WIDE_PX), self._home.width() - 2 * edge)
        wide = max(wide, self.minimumSizeHint().width())
        high = self.sizeHint().height()
        foot = self._home.statusBar().height()
        left, top = self._home.width() - wide - edge, self._home.height() - foot - high - edge
        self.setGeometry(left, top, wide, high)

    def _on_report(self) -> None:
        if self._show_report() or self._open(self._folder / REPORT):
            self.hide()

    def _on_files(self) -> None:
        self._open(self._folder)  # the note stays: a file manager that is missing says nothing

    def _open(self, path: Path) -> bool:
        done = self._opener(path)
        if not done:
            self.title.setText("No program here opens it; it lies in this folder:")
        return done

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stays in its corner."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes it."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)
