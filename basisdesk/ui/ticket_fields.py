"""One figure a person types: its name, its unit, and a sentence when it cannot be read."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from basisdesk.ui.figures import size_text
from basisdesk.ui.glossary import TERMS
from basisdesk.ui.theme import PlainLabel, Theme, safe, set_tip
from basisdesk.ui.ticket_sheet import amount

Check = Callable[[Decimal | str], Decimal | str]


@dataclass(frozen=True)
class Widths:
    """Widths of a field's parts, px of the 12 px design; label 0: as wide as its text.

    half: the field shares its line with another one, which then shows its problem below both.
    """

    label: int = 0
    field: int = 124
    unit: int = 54
    half: bool = False


FULL = Widths()


class AmountEdit(QLineEdit):
    """A line that holds one figure; the up and down keys move it by `step`."""

    stepped = Signal(int)

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down step the figure; all else types."""
        if event.key() == Qt.Key.Key_Up:
            self.stepped.emit(1)
        elif event.key() == Qt.Key.Key_Down:
            self.stepped.emit(-1)
        else:
            super().keyPressEvent(event)


class AmountField(QWidget):
    """A named figure with its unit. Holds an exact Decimal, or None and the reason why not.

    typed: emitted after each change by hand. `touched`: a person changed it, so nothing else may.
    beside: a widget between the name and the field. unit: a word, or a widget that shows one.
    optional: an empty field is no problem, it switches a rule off.
    """

    typed = Signal()

    def __init__(  # noqa: PLR0913  (a field is its parts)
        self,
        name: str,
        unit: str | QWidget,
        tip: str,
        check: Check,
        theme: Theme,
        *,
        step: Decimal = Decimal(1),
        beside: QWidget | None = None,
        optional: bool = False,
        widths: Widths = FULL,
    ) -> None:
        super().__init__()
        self.touched = False
        self.step = step
        self._name = name
        self._optional = optional
        self._check = check
        self._value: Decimal | None = None
        self.edit = AmountEdit(self)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.edit.setFixedWidth(theme.px(widths.field))
        if widths.half:
            self.edit.setStyleSheet(f"padding: 3px {theme.px(4)}px;")
        self.edit.setMaxLength(40)
        self.edit.setAccessibleName(name if not isinstance(unit, str) else f"{name}, {unit}")
        set_tip(self.edit, tip)
        self.problem = theme.label("", "loss", 11)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.problem.setAccessibleName(f"What is wrong with {name}")
        label = theme.label(name, "muted")
        label.setBuddy(self.edit)
        set_tip(label, tip)
        if widths.label:
            label.setFixedWidth(theme.px(widths.label))
        shown = unit_label(unit, theme) if isinstance(unit, str) else unit
        shown.setFixedWidth(theme.px(widths.unit))
        self._lay_out((label, beside, shown), theme, half=widths.half)
        self.edit.textEdited.connect(self._on_edited)
        self.edit.stepped.connect(self._on_stepped)
        self.edit.editingFinished.connect(self._on_finished)

    def _lay_out(
        self, parts: tuple[QWidget, QWidget | None, QWidget], theme: Theme, *, half: bool
    ) -> None:
        label, beside, unit = parts
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(4))
        row.addWidget(label)
        if beside is not None:
            row.addWidget(beside)
        row.addStretch(1)
        row.addWidget(self.edit)
        row.addWidget(unit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addLayout(row)
        if half:
            self.problem.setParent(self)
        else:
            column.addWidget(self.problem)

    # --- the figure -------------------------------------------------------------------------------

    @property
    def value(self) -> Decimal | None:
        """The figure, or None while the field is empty or wrong."""
        return self._value

    def show_value(self, value: Decimal | None) -> None:
        """Put a figure into the field from outside; does not count as touched."""
        self._value = value
        self.edit.setText("" if value is None else size_text(value))
        self._say("")

    def put(self, value: Decimal) -> None:
        """Put a figure in as a person's own choice (a dragged line, a link beside the field)."""
        self.show_value(value)
        self._read(self.edit.text())
        self.touched = True
        self.typed.emit()

    def forget(self) -> None:
        """Let the field be filled anew."""
        self.touched = False
        self.show_value(None)

    @property
    def wrong(self) -> bool:
        """Whether what stands in the field cannot be read."""
        return bool(self.problem.text())

    @property
    def fault(self) -> str:
        """What is wrong with the field, by its name: "Leverage 6 is outside 1 to 5."; or ""."""
        sentence = self.problem.text()
        if not sentence:
            return ""
        figure = isinstance(amount(self.edit.text()), Decimal)
        return f"{self._name} {sentence}" if figure else f"{self._name}: {sentence}"

    def _read(self, text: str) -> None:
        empty = self._optional and not text.strip()
        found = None if empty else self._check(amount(text))
        self._value = None if isinstance(found, str) else found
        self._say(found if isinstance(found, str) else "")

    def _say(self, sentence: str) -> None:
        wrong = bool(sentence)
        if bool(self.edit.property("bad")) != wrong:
            self.edit.setProperty("bad", wrong)
            self.edit.style().polish(self.edit)
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        self.edit.setAccessibleDescription(sentence)

    # --- slots ------------------------------------------------------------------------------------

    def _on_edited(self, text: str) -> None:
        self.touched = True
        self._read(text)
        self.typed.emit()

    def _on_stepped(self, way: int) -> None:
        start = self._value if self._value is not None else Decimal(0)
        moved = self._check(start + way * self.step)
        if isinstance(moved, Decimal):
            self.put(moved)

    def _on_finished(self) -> None:
        if self._value is not None:  # as the desk reads it: thousands, true minus
            self.edit.setText(size_text(self._value))


class FieldPair(QWidget):
    """Two half fields on one line; what is wrong with either stands below, over the full width."""

    def __init__(self, left: AmountField, right: QWidget, theme: Theme) -> None:
        super().__init__()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        row.addWidget(left, 1)
        row.addWidget(right)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addLayout(row)
        for part in (left, right):
            if isinstance(part, AmountField):
                column.addWidget(part.problem)


def unit_label(unit: str, theme: Theme) -> PlainLabel:
    """The unit behind a field, with its sentence where it is a term: "bp", "bp/8 h"."""
    label = theme.label(unit, "muted")
    set_tip(label, TERMS.get(unit.replace("/", " ").split(" ")[0], ""))
    return label


def explain(widget: QWidget, text: str) -> None:
    """Tooltip and accessible description together."""
    widget.setToolTip(safe(text))
    widget.setAccessibleDescription(text)
