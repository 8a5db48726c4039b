"""The exit plan of one open pair, to be changed: a small dialog that blocks nothing."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from basisdesk.events import ExitPlan
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import explain
from basisdesk.ui.ticket_plan import PlanFields

NOTE = "Whichever comes first closes the pair. An empty field switches its rule off."
DIALOG_PX = 360


class PlanDialog(QDialog):
    """Every rule of a pair's exit plan. Set plan rests, with the reason, while a rule is missing.

    chosen: the new ExitPlan, when somebody pressed Set plan. sector: what the overlay says of the
    pair's coin, None where nothing does.
    """

    chosen = Signal(object)

    def __init__(
        self,
        name: str,
        plan: ExitPlan,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        currency: str = "USDT",
        sector: str | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Exit plan of {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.rules = PlanFields(currency, theme)
        self.rules.show_plan(plan)
        self.rules.show_sector(name, sector)
        self.rules.typed.connect(self._on_typed)
        self.fields = self.rules.fields
        self.set_button = QPushButton("Set plan", self)
        self.set_button.setDefault(True)
        cancel = QPushButton("Cancel", self)
        self.set_button.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        self.accepted.connect(self._on_accepted)
        self.note = theme.label(NOTE, "muted", 11)
        self.note.setWordWrap(True)
        self._theme = theme
        self._lay_out(cancel)
        self._on_typed()

    def _lay_out(self, cancel: QPushButton) -> None:
        px = self._theme.px
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.set_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(14), px(16), px(12))
        column.setSpacing(px(6))
        column.addWidget(self.rules)
        column.addSpacing(px(4))
        column.addWidget(self.note)
        column.addStretch(1)
        column.addLayout(buttons)
        lines = 3 * self.note.fontMetrics().lineSpacing()
        self.note.setMinimumHeight(lines)  # a reason does not move the buttons
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setMinimumWidth(px(DIALOG_PX))

    def plan(self) -> ExitPlan | None:
        """What the fields ask for; None while one cannot be read or the plan is not whole."""
        return None if self.rules.problem() else self.rules.plan()

    # --- slots ------------------------------------------------------------------------------------

    def _on_typed(self) -> None:
        problem = self.rules.problem()
        self.set_button.setEnabled(not problem)
        self.note.setText(problem or NOTE)
        self.note.set_colour(self._theme.qcolor("warn" if problem else "muted"))
        explain(self.set_button, problem or "Replaces the exit plan of this pair at once.")

    def _on_accepted(self) -> None:
        plan = self.plan()
        if plan is not None:
            self.chosen.emit(plan)
