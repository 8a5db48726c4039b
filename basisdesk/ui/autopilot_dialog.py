"""Setting a pair on the autopilot: playbook, mode and every parameter. Blocks nothing."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from basisdesk.config import exact
from basisdesk.errors import UserError
from basisdesk.ui.autopilot_rows import (
    MODES,
    Watch,
    override_what,
    pair_name,
    param_name,
    rule_text,
    source_text,
)
from basisdesk.ui.dialog_size import bounded
from basisdesk.ui.glossary import term
from basisdesk.ui.halt_dialogs import REASON_MAX, AskDialog
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.ticket_execution import Choice
from basisdesk.ui.ticket_fields import AmountField, Widths, explain

if TYPE_CHECKING:
    from basisdesk.playbook.words import Param, Playbook
DIALOG_PX, HIGH_PX = 620, 530
PARAMS_PX_MIN = 150  # of the values; they scroll
DIALOG_PX, PARAMS_PX = 620, 300
FIELD = Widths(field=84, unit=112)
PAPER = "Paper only: no order ever leaves this program."
SHARED = "The values hold for every pair that runs this playbook."


class Setting(NamedTuple):
    """What the dialog made of a pair."""

    pair: str
    mode: str
    playbook: str
    values: dict[str, float]


class Doing(NamedTuple):
    """What the dialog calls; each gives why not, in a sentence, or "".

    save: takes the Setting. reset: counts the results of a playbook anew.
    """

    save: Callable[[Setting], str]
    reset: Callable[[str], str]


class ParamRow(QWidget):
    """One parameter: its field, or a box for yes and no, and its rule below."""

    changed = Signal()

    def __init__(self, param: "Param", theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.param = param
        self.field: AmountField | None = None
        self.box: QCheckBox | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, theme.px(8), theme.px(4))
        column.setSpacing(0)
        if param.unit == "yes/no":
            self.box = QCheckBox(param_name(param), self)
            self.box.toggled.connect(self.changed)
            explain(self.box, f"{param.text} {source_text(param)}")
            column.addWidget(self.box)
        else:
            self.field = AmountField(
                param_name(param), param.unit, f"{param.text} {source_text(param)}",
                self._check, theme, step=exact(param.high - param.low) / 100, widths=FIELD,
            )  # fmt: skip
            self.field.typed.connect(self.changed)
            column.addWidget(self.field)
        rule = theme.label(rule_text(param), "muted", 11)
        rule.setWordWrap(True)
        column.addWidget(rule)
        self.show_value(param.value)

    @property
    def value(self) -> float | None:
        """What is set; None while the field is wrong."""
        if self.box is not None:
            return float(self.box.isChecked())
        found = self.field.value if self.field is not None else None
        return None if found is None else float(found)

    @property
    def fault(self) -> str:
        """Why there is no value, or ""."""
        return self.field.problem.text() if self.field is not None else ""

    def show_value(self, value: float) -> None:
        """Put a value in."""
        if self.box is not None:
            self.box.setChecked(value != 0.0)
        elif self.field is not None:
            self.field.show_value(exact(value))

    def _check(self, value: Decimal | str) -> Decimal | str:
        if isinstance(value, str):
            return f"{param_name(self.param)}: {value}"
        try:
            self.param.at(float(value))
        except UserError as exc:
            return str(exc).replace(self.param.name, param_name(self.param), 1)
        return value


class AutopilotDialog(QDialog):
    """A pair, its mode, its playbook and the playbook's values.

    A sentence that refuses is shown and the dialog stays.
    over: it was closed, nothing of it may be touched any more.
    """

    def __init__(
        self,
        watch: Watch,
        playbooks: tuple["Playbook", ...],
        usual: Mapping[str, Mapping[str, float]],
        doing: Doing,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.over = False
        self._watch, self._books, self._usual = watch, playbooks, usual
        self._doing, self._theme = doing, theme
        self.rows: dict[str, ParamRow] = {}
        self.setWindowTitle(f"Autopilot: {pair_name(watch.pair)}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._make()
        self._lay_out()
        self._on_playbook()

    def _make(self) -> None:
        theme, watch = self._theme, self._watch
        self.paper = theme.label(f"{pair_name(watch.pair)} \u00b7 PAPER", "text", 12, 600)
        self.playbook = QComboBox(self)
        self.playbook.setAccessibleName("Playbook")
        for book in self._books:
            self.playbook.addItem(book.title, book.name)
        self.playbook.setCurrentIndex(max(0, self.playbook.findData(watch.playbook)))
        self.playbook.activated.connect(self._on_playbook)
        self.mode = Choice("Mode", MODES, theme)
        self.mode.show_code(watch.mode if watch.mode != "off" else "suggest")
        self.mode.chosen.connect(self._on_typed)
        self.about = theme.label("", "text")
        self.about.setWordWrap(True)
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setAccessibleName("Values of the playbook")
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setMinimumHeight(theme.px(PARAMS_PX_MIN))
        self.said = theme.label("", "muted")
        self.said.setWordWrap(True)
        self.said.setMinimumHeight(2 * self.said.fontMetrics().lineSpacing())
        self.said.setAccessibleName("What the setting does")
        self.usual = QPushButton("Usual values", self)
        self.usual.setAutoDefault(False)
        explain(self.usual, "Puts every value of this playbook back to its own.")
        self.usual.clicked.connect(self._on_usual)
        self.reset = QPushButton("Count anew", self)
        self.reset.setAutoDefault(False)
        explain(self.reset, "Counts this playbook's results anew: a kill switch lets go.")
        self.reset.clicked.connect(self._on_reset)
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.reject)
        self.save = QPushButton("Set", self)
        self.save.setProperty("role", "primary")
        self.save.setDefault(True)
        self.save.clicked.connect(self._on_saved)

    def _lay_out(self) -> None:
        px = self._theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(14), px(16), px(12))
        column.setSpacing(px(6))
        column.addWidget(self.paper)
        line = QHBoxLayout()
        label = self._theme.label("Playbook", "muted")
        set_tip(label, term("Playbook"))
        label.setBuddy(self.playbook)
        line.addWidget(label)
        line.addWidget(self.playbook, 1)
        column.addLayout(line)
        for part in (self.about, self.mode, self.area, self.said):
            column.addWidget(part, 1 if part is self.area else 0)
        buttons = QHBoxLayout()
        buttons.addWidget(self.usual)
        buttons.addWidget(self.reset)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.save)
        column.addLayout(buttons)
        self.setMinimumWidth(px(DIALOG_PX))
        self.resize(bounded(QSize(px(DIALOG_PX), px(HIGH_PX)), self.parentWidget()))

    # --- what it holds ----------------------------------------------------------------------------

    @property
    def book(self) -> "Playbook":
        """The chosen playbook."""
        return self._books[self.playbook.currentIndex()]

    def setting(self) -> Setting | None:
        """What was set; None while a field is wrong."""
        values = {name: row.value for name, row in self.rows.items()}
        known = {name: value for name, value in values.items() if value is not None}
        if len(known) < len(values):
            return None
        return Setting(self._watch.pair, self.mode.code, self.book.name, known)

    # --- slots ------------------------------------------------------------------------------------

    def _on_playbook(self) -> None:
        book = self.book
        self.about.setText(book.about)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        self.rows = {}
        for param in book.params:
            row = ParamRow(param, self._theme, inside)
            row.changed.connect(self._on_typed)
            self.rows[param.name] = row
            column.addWidget(row)
        column.addStretch(1)
        self.area.setWidget(inside)
        self._on_typed()

    def _on_usual(self) -> None:
        for name, value in self._usual.get(self.book.name, {}).items():
            if name in self.rows:
                self.rows[name].show_value(value)
        self._on_typed()

    def _on_reset(self) -> None:
        problem = self._doing.reset(self.book.name)
        done = f"The results of {self.book.title} are counted anew from now."
        self._say(problem or done, wrong=bool(problem))

    def _on_typed(self) -> None:
        fault = next((row.fault for row in self.rows.values() if row.fault), "")
        fine = self.setting() is not None
        if not fine and not fault:
            fault = "A field is empty. Type a figure."
        self.save.setEnabled(fine)
        explain(self.save, fault or "Holds from the next look on, a second from now at most.")
        self._say(fault or f"{MODES[self.mode.code][1]} {SHARED} {PAPER}", wrong=bool(fault))

    def _say(self, text: str, *, wrong: bool) -> None:
        self.said.setText(text)
        self.said.set_colour(self._theme.qcolor("loss" if wrong else "muted"))

    def _on_saved(self) -> None:
        made = self.setting()
        if made is None:
            return
        if problem := self._doing.save(made):
            self._say(problem, wrong=True)
        else:
            self.accept()

    # Qt

    def done(self, result: int) -> None:
        """Closed, either way."""
        self.over = True
        super().done(result)


class OverrideDialog(AskDialog):
    """Why does a person do otherwise? An empty reason is none. chosen: the reason as text."""

    chosen = Signal(object)

    def __init__(self, watch: Watch, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Override the autopilot", "Override", theme, parent)
        self.pair, self.what = watch.pair, override_what(watch)
        self.reason = QLineEdit(self)
        self.reason.setMaxLength(REASON_MAX)
        self.reason.setAccessibleName("Reason to override")
        self.reason.setPlaceholderText("What you see that the playbook does not")
        self.reason.textChanged.connect(self._on_typed)
        said = watch.text or "It has not looked yet."
        end = (
            f'It is noted as "{self.what}" with your reason, so that it can be scored later, and '
            "no entry is made in this pair for 5 minutes."
        )
        self.fill(self.wrapped(pair_name(watch.pair), weight=600), self.wrapped(said),
                  self.wrapped(end, "muted"), self.reason)  # fmt: skip
        self.act.setEnabled(False)
        self.act.setDefault(True)
        self.accepted.connect(self._on_accepted)
        self.reason.setFocus()

    def _on_typed(self, text: str) -> None:
        self.act.setEnabled(bool(text.strip()))

    def _on_accepted(self) -> None:
        self.chosen.emit(" ".join(self.reason.text().split()))
