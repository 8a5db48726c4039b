"""A small dialog that says what will happen and what it costs before it happens; blocks nothing.

Its sentences are Terms from close_rows.py, made anew while it stands open. It is told by its
owner when to look again, so that no second timer runs beside the repaint.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Command
from basisdesk.ui.close_rows import Terms
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.ticket_fields import AmountField, Check

WIDE_PX = 430


class TermsDialog(QDialog):
    """Fields on top, then what they would do, then one button that says it.

    asked: the command, when somebody pressed the button. over: it was closed, and Qt may have
    deleted it: nothing of it may be touched any more. A subclass gives `terms` and `command`,
    adds its fields with `add_part` and calls `refresh` once they stand. A base class, as Panel is:
    its owner needs the dialog and the two answers in one object.
    """

    asked = Signal(object)

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.over = False
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(theme.px(WIDE_PX))
        self._parts = QVBoxLayout()
        self._parts.setSpacing(theme.px(6))
        self.lines = self._label("text")
        self.warning = self._label("warn")
        self.problem = self._label("loss")
        self.problem.setAccessibleName("Why it cannot be sent")
        self.send_button = QPushButton(self)
        self.send_button.setProperty("role", "primary")
        self.send_button.setDefault(True)
        self.send_button.clicked.connect(self._on_sent)
        cancel = QPushButton("Cancel", self)
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.send_button)
        column = QVBoxLayout(self)
        column.setSpacing(theme.px(8))
        column.addLayout(self._parts)
        for label in (self.lines, self.warning, self.problem):
            column.addWidget(label)
        column.addStretch(1)
        column.addLayout(buttons)

    def _label(self, tone: str) -> PlainLabel:
        label = self._theme.label("", tone)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    # --- what a subclass says ---------------------------------------------------------------------

    def terms(self) -> Terms:
        """What the fields would do now."""
        raise NotImplementedError

    def command(self) -> Command | None:
        """What to send; None while it cannot be."""
        raise NotImplementedError

    # --- showing ----------------------------------------------------------------------------------

    def add_part(self, part: QWidget) -> None:
        """One more field or row of choices, below those that stand."""
        self._parts.addWidget(part)

    def refresh(self) -> None:
        """Look at the market again."""
        self.show_terms(self.terms())

    def show_terms(self, terms: Terms) -> None:
        """Show these sentences; the button sends only what has no problem."""
        moved = False
        for label, text in (
            (self.lines, "\n".join(terms.lines)),
            (self.warning, terms.warning),
            (self.problem, terms.problem),
        ):
            if label.text() != text:
                label.setText(text)
                moved = True
            label.setVisible(bool(text))
        self.send_button.setText(terms.button)
        self.send_button.setEnabled(not terms.problem)
        self.send_button.setAccessibleDescription(terms.problem)
        if moved:
            self._fit()

    def _fit(self) -> None:
        """As high as its sentences need at this width: nothing is cut, and it never shrinks."""
        column = self.layout()
        if column is None:
            return
        column.activate()
        needed = column.totalHeightForWidth(max(self.width(), self.minimumWidth()))
        if needed > self.minimumHeight():
            self.setMinimumHeight(needed)

    # --- slots ------------------------------------------------------------------------------------

    def _on_typed(self) -> None:
        self.refresh()

    def _on_sent(self) -> None:
        self.refresh()  # the last look: what is sent is what stands there now
        command = self.command() if self.send_button.isEnabled() else None
        if command is not None:
            self.asked.emit(command)
            self.accept()

    # Qt

    def done(self, result: int) -> None:
        """Sent, cancelled or closed."""
        self.over = True
        super().done(result)


class Choice(QWidget):
    """One of several, as a row of segments under a name. chosen: the code that was picked."""

    chosen = Signal(str)

    def __init__(
        self, name: str, options: Sequence[tuple[str, str, str]], theme: Theme, first: str
    ) -> None:
        """options: (code, text, tip) of each segment; first: the code picked at the start."""
        super().__init__()
        self.value = first
        self._buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(2))
        row.addWidget(theme.label(name, "muted"))
        row.addStretch(1)
        group = QButtonGroup(self)
        for code, text, tip in options:
            button = QPushButton(text, self)
            button.setProperty("role", "segment")
            button.setProperty("code", code)
            button.setCheckable(True)
            button.setChecked(code == first)
            button.setAutoDefault(False)
            button.setAccessibleName(f"{name}: {text}")
            set_tip(button, tip)
            button.clicked.connect(self._on_clicked)
            group.addButton(button)
            row.addWidget(button)
            self._buttons[code] = button
        self.setAccessibleName(name)

    def pick(self, code: str) -> None:
        """Pick a segment as a person would."""
        self._buttons[code].click()

    def _on_clicked(self) -> None:
        button = self.sender()
        if button is not None:
            self.value = str(button.property("code"))
            self.chosen.emit(self.value)


class PlainTermsDialog(TermsDialog):
    """A confirmation with no field or with one amount: rebalance, margin.

    say: the terms for an amount (None without a field or while it cannot be read). make: the
    command for it. field: (name, unit, tip, check) of the amount, None for no field.
    """

    def __init__(
        self,
        title: str,
        say: Callable[[Decimal | None], Terms],
        make: Callable[[Decimal | None], Command | None],
        theme: Theme,
        parent: QWidget | None = None,
        field: tuple[str, str, str, Check] | None = None,
    ) -> None:
        super().__init__(title, theme, parent)
        self._say, self._make = say, make
        self.amount: AmountField | None = None
        if field is not None:
            self.amount = AmountField(*field, theme)
            self.amount.typed.connect(self._on_typed)
            self.add_part(self.amount)
        self.refresh()

    @property
    def value(self) -> Decimal | None:
        """The amount in the field."""
        return None if self.amount is None else self.amount.value

    def terms(self) -> Terms:
        """What the amount would do now."""
        return self._say(self.value)

    def command(self) -> Command | None:
        """The command for the amount."""
        return self._make(self.value)
