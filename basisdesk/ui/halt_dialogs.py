"""What is asked before a desk is resumed or flattened, in words. Blocks nothing."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.ui.halt_rows import RiskWords, flatten_words
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

REASON_MAX = 120
LINES_MAX = 12  # pairs named one by one
LOOK_MS = 500  # prices go on while the question stands


class AskDialog(QDialog):
    """A question with one button that says what will happen, and Cancel, which has the focus."""

    def __init__(self, title: str, act: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self.act = QPushButton(act, self)
        self.cancel = QPushButton("Cancel", self)
        self.act.setAutoDefault(False)
        self.act.clicked.connect(self.accept)
        self.cancel.clicked.connect(self.reject)
        self.column = QVBoxLayout(self)
        self.column.setSpacing(theme.px(6))
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.act)
        self._buttons = buttons
        self.setMinimumWidth(theme.px(460))

    def fill(self, *parts: QWidget) -> None:
        """Put the parts above the buttons."""
        for part in parts:
            self.column.addWidget(part)
        self.column.addSpacing(self._theme.px(6))
        self.column.addLayout(self._buttons)

    def wrapped(self, text: str, tone: str = "text", weight: int = 400) -> PlainLabel:
        """A label that takes the lines it needs."""
        label = self._theme.label(text, tone, 12, weight)
        label.setWordWrap(True)
        return label


class ResumeDialog(AskDialog):
    """Why may entries be opened again? An empty reason is none.

    chosen: the reason as text.
    """

    chosen = Signal(object)

    def __init__(self, words: RiskWords, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Resume entries", "Resume entries", theme, parent)
        self.reason = QLineEdit(self)
        self.reason.setMaxLength(REASON_MAX)
        self.reason.setAccessibleName("Reason to resume")
        self.reason.setPlaceholderText("What has been looked at, and why it is fine")
        self.reason.textChanged.connect(self._on_typed)
        why = f"{words.word} since {words.since}: {words.reason}." if words.since else words.tip
        said = "New pairs may be opened again. The reason is kept in the journal."
        if words.state == "active":
            why, said = "Entries are not halted.", "There is nothing to resume."
            self.reason.setEnabled(False)
        self.fill(self.wrapped(why, weight=600), self.wrapped(said, "muted"), self.reason)
        self.act.setEnabled(False)
        self.act.setDefault(True)
        self.accepted.connect(self._on_accepted)
        self.reason.setFocus()

    def _on_typed(self, text: str) -> None:
        self.act.setEnabled(bool(text.strip()))

    def _on_accepted(self) -> None:
        self.chosen.emit(" ".join(self.reason.text().split()))


class FlattenDialog(AskDialog):
    """What would be closed, and what that costs about, followed while the question stands."""

    def __init__(
        self, engine: Engine, settings: Settings, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Flatten", "Close everything at market", theme, parent)
        self._engine = engine
        self._settings = settings
        self.lines = self.wrapped("")
        self.cost = self.wrapped("", weight=600)
        end = "What cannot be closed at once is tried until it is."
        if engine.desk.risk.state == "active":
            end += " New entries stay possible: Halt stops them."
        self.fill(self.lines, self.cost, self.wrapped(end, "muted"))
        self.act.setProperty("role", "danger")
        set_tip(self.act, "Every open pair, both legs, at the displayed prices; orders withdrawn.")
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK_MS)
        self.cancel.setDefault(True)
        self.cancel.setFocus()
        self.look()

    def look(self) -> None:
        """Read again what is held and what leaving costs."""
        words = flatten_words(self._engine, self._settings)
        lines = list(words.lines[:LINES_MAX])
        if len(words.lines) > LINES_MAX:
            lines.append(f"and {len(words.lines) - LINES_MAX} more.")
        self.lines.setText("\n".join(lines) or "Nothing is held and no order is at work.")
        self.cost.setText(words.cost if lines else "")
        self.act.setEnabled(bool(lines))
