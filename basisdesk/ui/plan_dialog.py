"""The exit plan of one open pair, to be changed: a small dialog that blocks nothing."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from basisdesk.events import ExitPlan
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import explain
from basisdesk.ui.ticket_plan import PlanFields

NOTE = "Whichever comes first closes the pair. An empty field switches its rule off."
BARE_NOTE = "One leg is held alone: net profit and time can close it, the other rules rest."
DIALOG_PX = 372
NOTE_LINES = 4  # room for a warning with its figures


def _never(_: ExitPlan) -> str:
    return ""


class PlanOf(NamedTuple):
    """The pair that a plan is of. sector: what the overlay says of its coin, None for nothing.

    reached: the warning for a plan that would close it at once, "" for none. bare: it holds one
    leg alone.
    """

    currency: str = "USDT"
    sector: str | None = None
    reached: Callable[[ExitPlan], str] = _never
    bare: bool = False


class PlanDialog(QDialog):
    """Every rule of a pair's exit plan. Set plan rests, with the reason, while a rule is missing.

    A plan that the market has reached already would close the pair at once: it cannot be set, and
    a second button says so by its name. chosen: the new ExitPlan, when somebody pressed Set plan.
    close_now: somebody pressed that button instead. over: it was closed, nothing of it may be
    touched any more.
    """

    chosen = Signal(object)
    close_now = Signal()

    def __init__(
        self,
        name: str,
        plan: ExitPlan,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        about: PlanOf = PlanOf(),  # noqa: B008  (frozen)
    ) -> None:
        super().__init__(parent)
        self.over = False
        self._reached, self._bare = about.reached, about.bare
        self.setWindowTitle(f"Exit plan of {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.rules = PlanFields(about.currency, theme)
        self.rules.show_plan(plan)
        self.rules.show_sector(name, about.sector)
        self.rules.typed.connect(self._on_typed)
        self.fields = self.rules.fields
        self.set_button = QPushButton("Set plan", self)
        self.set_button.setDefault(True)
        self.close_button = QPushButton("Close at market now", self)
        self.close_button.setProperty("role", "danger")
        self.close_button.setAutoDefault(False)
        self.close_button.hide()
        explain(self.close_button, "Closes both legs of this pair at market at once.")
        self.close_button.clicked.connect(self._on_close_now)
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
        buttons.addWidget(self.close_button)
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
        lines = NOTE_LINES * self.note.fontMetrics().lineSpacing()
        self.note.setMinimumHeight(lines)  # a reason does not move the buttons
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setMinimumWidth(px(DIALOG_PX))

    def plan(self) -> ExitPlan | None:
        """What the fields ask for; None while it cannot be read, is not whole, or is reached."""
        return None if self._problem() else self.rules.plan()

    def propose(self, plan: ExitPlan) -> None:
        """Put another plan into the fields, to be read before it is set: a line was dragged."""
        self.rules.show_plan(plan)
        self._on_typed()

    def refresh(self) -> None:
        """Look at the market again: it may have reached the plan meanwhile, or left it."""
        self._on_typed()

    def _problem(self) -> str:
        return self.rules.problem(bare=self._bare) or self._reached(self.rules.plan())

    # --- slots ------------------------------------------------------------------------------------

    def _on_typed(self) -> None:
        unread = self.rules.problem(bare=self._bare)
        problem = unread or self._reached(self.rules.plan())
        self.set_button.setEnabled(not problem)
        self.close_button.setVisible(bool(problem) and not unread)
        said = problem or (BARE_NOTE if self._bare else NOTE)
        if self.note.text() != said:
            self.note.setText(said)
        self.note.set_colour(self._theme.qcolor("warn" if problem else "muted"))
        explain(self.set_button, problem or "Replaces the exit plan of this pair at once.")

    def _on_close_now(self) -> None:
        self.close_now.emit()
        self.reject()

    def _on_accepted(self) -> None:
        plan = self.plan()
        if plan is not None:
            self.chosen.emit(plan)

    # Qt

    def done(self, result: int) -> None:
        """Set, cancelled or closed."""
        self.over = True
        super().done(result)
