"""The suggested size under the size field: one link takes it, another unfolds what was weighed."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.ticket_advice import Suggestion
from basisdesk.ui.ticket_fields import explain

LINES_MAX = 7  # as many as trading/advice.py weighs
CLOSED, OPEN = "\u25b8", "\u25be"


class AdviceRow(QWidget):
    """Shows a Suggestion. taken: the link that takes it was pressed."""

    taken = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._said = Suggestion()
        self.why = self._link(theme, "muted")
        self.why.setAccessibleName("What was weighed for the suggested size")
        self.why.clicked.connect(self._on_why)
        self.take = self._link(theme, "")
        policy = self.take.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # no line below moves when the offer comes and goes
        self.take.setSizePolicy(policy)
        self.take.clicked.connect(self.taken)
        self.lines = [self._line(theme) for _ in range(LINES_MAX)]
        self.weighed = QWidget(self)
        self.weighed.hide()
        self._lay_out()
        self.show_suggestion(Suggestion(tip="Waiting for prices."))

    def show_suggestion(self, said: Suggestion) -> None:
        """Show what is suggested now; nothing is touched that did not move."""
        if said == self._said:
            return
        self._said = said
        self._show_why()
        explain(self.why, said.tip)
        self.take.setText(said.offer)
        self.take.setAccessibleName(f"Suggested size: {said.offer}")
        self.take.setVisible(bool(said.offer))
        explain(self.take, said.tip)
        for place, (name, size) in enumerate(self.lines):
            shown = place < len(said.lines)
            name.setVisible(shown)
            size.setVisible(shown)
            if not shown:
                continue
            line = said.lines[place]
            name.setText(line.name)
            size.setText(line.size)
            size.set_colour(self._theme.qcolor("accent" if line.binds else "text"))
            set_tip(name, line.tip)
            set_tip(size, line.tip)

    # --- building ---------------------------------------------------------------------------------

    def _link(self, theme: Theme, tone: str) -> QPushButton:
        button = QPushButton("", self)
        button.setProperty("role", "link")
        button.setFont(theme.font(11))
        ink = f" color: {theme.qcolor(tone).name()};" if tone else ""
        button.setStyleSheet(f"padding: 0; text-align: left;{ink}")
        return button

    def _line(self, theme: Theme) -> tuple[PlainLabel, PlainLabel]:
        name, size = theme.label("", "muted", 11), theme.label("", "text", 11)
        size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return name, size

    def _lay_out(self) -> None:
        px = self._theme.px
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.why)
        head.addStretch(1)
        head.addWidget(self.take)
        grid = QGridLayout(self.weighed)
        grid.setContentsMargins(px(10), 0, 0, px(2))
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        for row, (name, size) in enumerate(self.lines):
            grid.addWidget(name, row, 0)
            grid.addWidget(size, row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addLayout(head)
        column.addWidget(self.weighed)

    def _show_why(self) -> None:
        mark = OPEN if not self.weighed.isHidden() else CLOSED
        self.why.setText(f"{mark} {self._said.why}" if self._said.lines else self._said.why)
        self.why.setEnabled(bool(self._said.lines))

    # --- slots ------------------------------------------------------------------------------------

    def _on_why(self) -> None:
        self.weighed.setVisible(self.weighed.isHidden())
        self._show_why()
