"""The editor of one setting, by its type: a figure with arrows, a box, a choice, a line, a list."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from basisdesk.config import shown_proxy
from basisdesk.ui.settings_draft import Draft
from basisdesk.ui.settings_rows import SECRET, Field
from basisdesk.ui.settings_texts import CHOICES
from basisdesk.ui.settings_typed import stepped
from basisdesk.ui.theme import Theme

TYPED_MAX = 4_000  # characters of one editor
NUMBER_PX, CHOICE_PX = 116, 176
LONG_LIST = 8  # values; a longer list gets several lines
LIST_LINES = 4
# A scroll area has no frame in this house; this one is a field.
FRAMED = (
    "QPlainTextEdit {{ border: 1px solid {line}; }} "
    "QPlainTextEdit:focus {{ border-color: {focus}; }}"
)

Put = Callable[[str, Any], None]


class NumberSpin(QAbstractSpinBox):
    """A figure as exact text, with arrows. It refuses no key: what is wrong is said beside it.

    typed: the new text, after each change by hand.
    """

    typed = Signal(str)

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field = field
        self.lineEdit().setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.lineEdit().setMaxLength(40)
        self.lineEdit().textEdited.connect(self.typed)

    def set_text(self, text: str) -> None:
        """Show a figure; tells nobody."""
        if self.text() != text:
            self.lineEdit().setText(text)

    # Qt

    def stepBy(self, steps: int) -> None:
        """The arrows, the arrow keys and the page keys."""
        text = stepped(self._field, self.text(), steps)
        if text != self.text():
            self.set_text(text)
            self.typed.emit(text)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Both ways, always: a step beyond a limit stays at it."""
        flag = QAbstractSpinBox.StepEnabledFlag
        return flag.StepUpEnabled | flag.StepDownEnabled

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Everything may be typed."""
        return QValidator.State.Acceptable, text, pos

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the page and never a figure."""
        event.ignore()


class CalmCombo(QComboBox):
    """A choice that the wheel passes over."""

    # Qt

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the page."""
        event.ignore()


class Marks(QWidget):
    """Some of several: a box each. chosen: a tuple, those that stay in the order they had."""

    chosen = Signal(object)

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._order: tuple[str, ...] = ()
        self.boxes: dict[str, QCheckBox] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for code in field.choices:
            box = QCheckBox(CHOICES.get(code, code), self)
            box.setAccessibleName(f"{field.words.title}: {CHOICES.get(code, code)}")
            box.clicked.connect(self._on_clicked)
            self.boxes[code] = box
            row.addWidget(box)
        row.addStretch(1)
        self.setFocusProxy(next(iter(self.boxes.values())))

    def show_value(self, value: tuple[str, ...]) -> None:
        """Mark these; tells nobody."""
        self._order = value
        for code, box in self.boxes.items():
            box.setChecked(code in value)

    def _on_clicked(self) -> None:
        marked = {code for code, box in self.boxes.items() if box.isChecked()}
        order = tuple(code for code in self._order if code in marked)
        order += tuple(code for code in self.boxes if code in marked and code not in order)
        self.show_value(order)
        self.chosen.emit(order)


class ListEdit(QPlainTextEdit):
    """A long list as text over several lines; Tab leaves it. typed: after each change by hand."""

    typed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._showing = False
        self.setTabChangesFocus(True)
        self.textChanged.connect(self._on_changed)

    def set_text(self, text: str) -> None:
        """Show a text; tells nobody."""
        if self.toPlainText() != text:
            self._showing = True
            self.setPlainText(text)
            self._showing = False

    def _on_changed(self) -> None:
        if not self._showing:
            self.typed.emit(self.toPlainText()[:TYPED_MAX])


class Editor:
    """The widget of a field and how it is filled. wide: it wants a line of its own.

    put_text: told key and text of what was typed; put: key and value of what was chosen.
    """

    def __init__(
        self, field: Field, theme: Theme, put_text: Put, put: Put, parent: QWidget
    ) -> None:
        self.field = field
        self.wide = field.kind in ("text", "list", "cuts", "marks")
        self.widget: QWidget = self._make(theme, put_text, put, parent)
        self.widget.setAccessibleName(field.name)

    def show(self, draft: Draft) -> None:
        """Show what the draft holds."""
        key, widget = self.field.key, self.widget
        if isinstance(widget, NumberSpin | ListEdit):
            widget.set_text(draft.text(key))
        elif isinstance(widget, QLineEdit):
            self._show_line(widget, draft)
        elif isinstance(widget, QCheckBox):
            widget.setChecked(bool(draft.value(key)))
            widget.setText("On" if widget.isChecked() else "Off")
        elif isinstance(widget, QComboBox):
            widget.setCurrentIndex(widget.findData(draft.value(key)))
        elif isinstance(widget, Marks):
            widget.show_value(tuple(draft.value(key)))

    def _show_line(self, line: QLineEdit, draft: Draft) -> None:
        text = draft.text(self.field.key)
        if self.field.key == SECRET and not draft.problem(self.field.key) and not line.hasFocus():
            text = shown_proxy(text)
        if line.text() != text and not (self.field.key == SECRET and line.hasFocus()):
            line.setText(text)
            line.setCursorPosition(0)

    def _make(self, theme: Theme, put_text: Put, put: Put, parent: QWidget) -> QWidget:
        field, key = self.field, self.field.key
        if field.kind == "number":
            spin = NumberSpin(field, parent)
            spin.setFixedWidth(theme.px(NUMBER_PX))
            spin.typed.connect(lambda text: put_text(key, text))
            return spin
        if field.kind == "flag":
            box = QCheckBox("Off", parent)
            box.toggled.connect(lambda on: box.setText("On" if on else "Off"))
            box.clicked.connect(lambda on: put(key, on))
            return box
        if field.kind == "choice":
            combo = CalmCombo(parent)
            for code in field.choices:
                combo.addItem(CHOICES.get(code, code), code)
            combo.setFixedWidth(theme.px(CHOICE_PX))
            combo.activated.connect(lambda _: put(key, combo.currentData()))
            return combo
        if field.kind == "marks":
            marks = Marks(field, parent)
            marks.chosen.connect(lambda value: put(key, value))
            return marks
        return self._line(theme, put_text, parent)

    def _line(self, theme: Theme, put_text: Put, parent: QWidget) -> QWidget:
        field, key = self.field, self.field.key
        if field.kind == "list" and len(field.default or ()) > LONG_LIST:
            text = ListEdit(parent)
            text.setStyleSheet(FRAMED.format(line=theme.line, focus=theme.accent))
            text.setFixedHeight(LIST_LINES * text.fontMetrics().lineSpacing() + theme.px(12))
            text.typed.connect(lambda typed: put_text(key, typed))
            return text
        line = QLineEdit(parent)
        line.setMaxLength(TYPED_MAX)
        line.setPlaceholderText(field.builtin)
        if field.kind == "band":
            line.setFixedWidth(theme.px(CHOICE_PX))
            line.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line.textEdited.connect(lambda typed: put_text(key, typed))
        return line
