"""The exit plan of one open pair, to be changed: a small dialog that blocks nothing."""

from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from basisdesk.events import ExitPlan
from basisdesk.ui import ticket_sheet as sheets
from basisdesk.ui.glossary import term
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import AmountField, explain
from basisdesk.ui.ticket_form import LEVEL_BP_MAX


class PlanDialog(QDialog):
    """Target, stop and time stop of a pair. An empty field switches its rule off.

    chosen: the new ExitPlan, when somebody pressed Set plan.
    """

    chosen = Signal(object)

    def __init__(
        self, name: str, plan: ExitPlan, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Exit plan of {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        level = partial(sheets.within, low=-LEVEL_BP_MAX, high=LEVEL_BP_MAX, unit="bp")
        above = partial(sheets.within, low=Decimal(0), above=True)
        self.target = AmountField("Target basis", "bp", term("Target basis"), level, theme)
        self.stop = AmountField("Stop basis", "bp", term("Stop basis"), level, theme)
        self.hold = AmountField("Time stop", "h", term("Time stop"), above, theme)
        self.fields = (self.target, self.stop, self.hold)
        for field, value in zip(
            self.fields, (plan.target_bp, plan.stop_bp, plan.max_hold_h), strict=True
        ):
            field.show_value(value)
            field.typed.connect(self._on_typed)
        self.set_button = QPushButton("Set plan", self)
        self.set_button.setDefault(True)
        explain(self.set_button, "Replaces the exit plan of this pair at once.")
        cancel = QPushButton("Cancel", self)
        self.set_button.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        self.accepted.connect(self._on_accepted)
        note = theme.label("Whichever comes first closes the pair. Empty: no such rule.", "muted")
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.set_button)
        column = QVBoxLayout(self)
        column.setSpacing(theme.px(5))
        for part in (*self.fields, note):
            column.addWidget(part)
        column.addSpacing(theme.px(6))
        column.addLayout(buttons)

    def plan(self) -> ExitPlan | None:
        """What the fields ask for; None while one cannot be read."""
        if any(field.value is None and field.edit.text().strip() for field in self.fields):
            return None
        return ExitPlan(self.target.value, self.stop.value, self.hold.value)

    # --- slots ------------------------------------------------------------------------------------

    def _on_typed(self) -> None:
        self.set_button.setEnabled(self.plan() is not None)

    def _on_accepted(self) -> None:
        plan = self.plan()
        if plan is not None:
            self.chosen.emit(plan)
