"""One alert rule, to be made or changed: says what the rule will do, and blocks nothing."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from basisdesk.scan.alerts import (
    AGAIN_S_MAX,
    HOLD_S_MAX,
    NAME_MAX,
    STATES,
    WATCHED,
    AlertRule,
    Channel,
    Quantity,
)
from basisdesk.ui.alert_rows import (
    SCOPES,
    RuleDraft,
    draft_of,
    payload_text,
    preview,
    sides_of,
    unit_text,
)
from basisdesk.ui.dialog_size import bounded
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.ticket_execution import FIGURE, Choice
from basisdesk.ui.ticket_fields import AmountField, Widths, explain
from basisdesk.ui.ticket_sheet import within

DIALOG_PX = 470
FIELD = Widths(field=110, unit=140)
SAID_LINES = 3  # room for the preview: a sentence does not move the buttons
PAYLOAD_LINES = 10
PAYLOAD_LINES_MIN = 4  # where the screen is low; the rest scrolls
MEND_FIRST = "Mend the fields above first."  # in the place of a payload that nothing makes
NO_WEBHOOK = "No webhook is set. Session > Settings\u2026, Alerts has a line for its address."
WAYS: tuple[tuple[Channel, str, str], ...] = (
    ("notify", "Message", "A message of the desktop, or over the window where there is no tray."),
    ("sound", "Sound", "The desktop's short sound, unless it is muted."),
    ("webhook", "Webhook", "A call to the address in the settings, with the payload below."),
)


class Hook(NamedTuple):
    """The webhook as the dialog shows it. host: "" where none is set. test: sends the payload."""

    host: str = ""
    test: Callable[[], None] | None = None
    now_ns: int = 0


class AlertDialog(QDialog):
    """The fields of a rule. Save rests, with the reason, while they make no rule.

    chosen: the new AlertRule, when somebody pressed Save. over: it was closed, nothing of it may
    be touched any more.
    """

    chosen = Signal(object)

    def __init__(
        self,
        rule: AlertRule,
        theme: Theme,
        hook: Hook = Hook(),  # noqa: B008  (frozen)
        parent: QWidget | None = None,
        *,
        new: bool = False,
    ) -> None:
        super().__init__(parent)
        self.over = False
        self._base, self._theme, self._hook = rule, theme, hook
        self.setWindowTitle("New alert" if new else f"Alert: {rule.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._make_what()
        self._make_figures()
        self._make_ways()
        self._make_foot(new)
        self._lay_out()
        self.show_draft(draft_of(rule))

    # --- building ---------------------------------------------------------------------------------

    def _make_what(self) -> None:
        theme = self._theme
        self.name = QLineEdit(self)
        self.name.setMaxLength(NAME_MAX)
        self.name.setAccessibleName("Name of the alert")
        self.quantity = QComboBox(self)
        self.quantity.setAccessibleName("What is watched")
        for code, watched in WATCHED.items():
            self.quantity.addItem(watched.title, code)
        self.about = theme.label("", "muted", 11)
        self.about.setWordWrap(True)
        self.scope_kind = QComboBox(self)
        self.scope_kind.setAccessibleName("Of what")
        self.scope = QLineEdit(self)
        self.scope.setMaxLength(120)
        self.scope.setAccessibleName("Which one")
        self.name.textEdited.connect(self._on_typed)
        self.quantity.activated.connect(self._on_quantity)
        self.scope_kind.activated.connect(self._on_kind)
        self.scope.textEdited.connect(self._on_typed)

    def _make_figures(self) -> None:
        theme = self._theme
        sides = {code: (text, f"Tells when it is {text.lower()} the level.")
                 for code, text in sides_of("basis").items()}  # fmt: skip
        states = {code: (text, f"Tells when the sector turns {text.lower()}.")
                  for code, text in sides_of("sector_state").items()}  # fmt: skip
        self.side = Choice("When it is", sides, theme)
        self.state = Choice("When it is", states, theme)
        self.unit = theme.label("", "muted")
        self.back_unit = theme.label("", "muted")
        self.level = AmountField(
            "Level", self.unit, "The line that has to be crossed.", self._check_level, theme,
            widths=FIELD,
        )  # fmt: skip
        self.hold = AmountField(
            "Holds for", "s", "How long it has to stay beyond the level before it is told.",
            lambda value: within(value, Decimal(0), Decimal(int(HOLD_S_MAX)), "s"), theme,
            step=Decimal(10), widths=FIELD,
        )  # fmt: skip
        self.quiet = AmountField(
            "Then quiet for", "min", "Nothing more is told of the same one for so long.",
            lambda value: within(value, Decimal(0), Decimal(int(AGAIN_S_MAX) // 60), "min"), theme,
            step=Decimal(5), widths=FIELD,
        )  # fmt: skip
        self.back = AmountField(
            "Goes back by", self.back_unit,
            "How far it has to return behind the level before a new crossing counts.",
            self._check_back, theme, widths=FIELD,
        )  # fmt: skip
        self.figures = (self.level, self.hold, self.quiet, self.back)
        for choice in (self.side, self.state):
            choice.chosen.connect(self._on_typed)
        for field in self.figures:
            field.typed.connect(self._on_typed)

    def _make_ways(self) -> None:
        self.ways: dict[Channel, QCheckBox] = {}
        for code, text, tip in WAYS:
            box = QCheckBox(text, self)
            set_tip(box, tip)
            box.setAccessibleDescription(tip)
            box.toggled.connect(self._on_typed)
            self.ways[code] = box
        self.payload = QPlainTextEdit(self)
        self.payload.setReadOnly(True)
        self.payload.setTabChangesFocus(True)
        self.payload.setAccessibleName("What the webhook is sent")
        line = self.payload.fontMetrics().lineSpacing()
        self.payload.setMinimumHeight(line * PAYLOAD_LINES_MIN + self._theme.px(8))
        self.payload.setMaximumHeight(line * PAYLOAD_LINES + self._theme.px(8))
        self.payload.setVisible(bool(self._hook.host))
        self.test = QPushButton("Send a test", self)
        self.test.setAutoDefault(False)
        self.test.clicked.connect(self._on_test)
        self.test.setEnabled(bool(self._hook.host))
        trial = f"Sends this to {self._hook.host}:\n{payload_text(None, self._hook.now_ns)}"
        explain(self.test, trial if self._hook.host else NO_WEBHOOK)
        text = f"Sent to {self._hook.host}, such as:" if self._hook.host else NO_WEBHOOK
        self.hook_said = self._theme.label(text, "muted", 11)
        self.hook_said.setWordWrap(True)

    def _make_foot(self, new: bool) -> None:
        self.said = self._theme.label("", "text")
        self.said.setWordWrap(True)
        self.said.setAccessibleName("What the alert will do")
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.said.setMinimumHeight(SAID_LINES * self.said.fontMetrics().lineSpacing())
        self.save = QPushButton("Add alert" if new else "Save", self)
        self.save.setProperty("role", "primary")
        self.save.setDefault(True)
        self.save.clicked.connect(self._on_saved)
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        px = self._theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(14), px(16), px(12))
        column.setSpacing(px(6))
        column.addLayout(self._line("Name", self.name))
        column.addLayout(self._line("Watch", self.quantity))
        column.addWidget(self.about)
        column.addLayout(self._line("Of", self.scope_kind, self.scope))
        for part in (self.side, self.state, *self.figures):
            column.addWidget(part)
        boxes = self._line("Tell by", *self.ways.values())
        column.addLayout(boxes)
        hook = QHBoxLayout()
        hook.addWidget(self.hook_said, 1)
        hook.addWidget(self.test)
        column.addLayout(hook)
        column.addWidget(self.payload)
        column.addSpacing(px(4))
        column.addWidget(self.said)
        if not self._hook.host:
            column.addStretch(1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.save)
        column.addLayout(buttons)
        self.setMinimumWidth(px(DIALOG_PX))
        self.resize(bounded(self.sizeHint(), self.parentWidget()))

    def _line(self, name: str, *parts: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(6))
        label: PlainLabel = self._theme.label(name, "muted")
        label.setFixedWidth(self._theme.px(56))
        label.setBuddy(parts[0])
        row.addWidget(label)
        for part in parts:
            row.addWidget(part, 0 if isinstance(part, QCheckBox) else 1)
        if isinstance(parts[0], QCheckBox):
            row.addStretch(1)
        return row

    # --- what it holds ----------------------------------------------------------------------------

    def draft(self) -> RuleDraft:
        """What the fields hold."""
        quantity = self._quantity()
        sector = quantity == "sector_state"
        level = Decimal(str(STATES[self.state.code])) if sector else self.level.value
        return RuleDraft(
            name=self.name.text(),
            quantity=quantity,
            scope_kind=str(self.scope_kind.currentData()),
            scope=self.scope.text(),
            side="equals" if sector else ("over" if self.side.code == "over" else "under"),
            level=level,
            hold_s=self.hold.value,
            quiet_min=self.quiet.value,
            back=Decimal(0) if sector else self.back.value,
            channels=tuple(code for code, box in self.ways.items() if box.isChecked()),
        )

    def show_draft(self, draft: RuleDraft) -> None:
        """Fill the fields."""
        self.name.setText(draft.name)
        self.quantity.setCurrentIndex(self.quantity.findData(draft.quantity))
        self._fill_kinds(draft.scope_kind)
        self.scope.setText(draft.scope)
        if draft.quantity == "sector_state":
            states = {Decimal(str(level)): word for word, level in STATES.items()}
            self.state.show_code(states.get(draft.level or Decimal(0), "calm"))
        else:
            self.side.show_code("over" if draft.side == "over" else "under")
        for field, value in zip(
            self.figures, (draft.level, draft.hold_s, draft.quiet_min, draft.back), strict=True
        ):
            field.show_value(value)
        for code, box in self.ways.items():
            box.setChecked(code in draft.channels)
        self._show_needed()
        self._on_typed()

    def rule(self) -> AlertRule | None:
        """The rule that the fields make; None while they make none."""
        return None if self.problem() else self.draft().rule(self._base)

    def problem(self) -> str:
        """Why the fields make no rule; "" when they do."""
        faults = (field.fault for field in self.figures if not field.isHidden())
        draft = self.draft()
        return draft.name_problem() or next(filter(None, faults), "") or draft.problem(self._base)

    def _quantity(self) -> Quantity:
        return cast("Quantity", self.quantity.currentData())

    def _check_level(self, value: Decimal | str) -> Decimal | str:
        watched = WATCHED[self._quantity()]
        low, high = Decimal(str(watched.least)), Decimal(str(watched.most))
        return within(value, low, high, watched.unit)

    def _check_back(self, value: Decimal | str) -> Decimal | str:
        watched = WATCHED[self._quantity()]
        return within(value, Decimal(0), Decimal(str(watched.most - watched.least)), watched.unit)

    # --- showing ----------------------------------------------------------------------------------

    def _fill_kinds(self, wanted: str) -> None:
        self.scope_kind.clear()
        for kind in ("any", *WATCHED[self._quantity()].scopes):
            self.scope_kind.addItem(SCOPES[kind][0], kind)
        self.scope_kind.setCurrentIndex(max(0, self.scope_kind.findData(wanted)))

    def _show_needed(self) -> None:
        watched, sector = WATCHED[self._quantity()], self._quantity() == "sector_state"
        self.about.setText(watched.about)
        self.back_unit.setText(watched.unit)
        for part, shown in (
            (self.side, not sector), (self.level, not sector), (self.back, not sector),
            (self.state, sector),
        ):  # fmt: skip
            part.setVisible(shown)
        kind = str(self.scope_kind.currentData())
        self.scope.setVisible(kind != "any")
        self.scope.setPlaceholderText(SCOPES[kind][1])

    # --- slots ------------------------------------------------------------------------------------

    def _on_typed(self) -> None:
        problem, draft = self.problem(), self.draft()
        self.unit.setText(unit_text(draft.quantity, draft.level))
        mark(self.name, draft.name_problem())
        mark(self.scope, draft.scope_problem())
        self.save.setEnabled(not problem)
        rule = draft.rule(self._base)
        said = problem or (preview(rule) if rule is not None else "")
        said = FIGURE.sub("\u00a0", said)  # no line break between a figure and its unit
        if self.said.text() != said:
            self.said.setText(said)
        self.said.set_colour(self._theme.qcolor("loss" if problem else "text"))
        explain(self.save, problem or "The rule is judged from the next second on.")
        made = rule is not None and not problem
        self._show_payload(payload_text(rule, self._hook.now_ns) if made else "")

    def _show_payload(self, text: str) -> None:
        """What would be sent; "" for nothing, greyed."""
        if self.payload.isEnabled() != bool(text):
            self.payload.setEnabled(bool(text))
            self.payload.setStyleSheet("" if text else f"color: {self._theme.muted};")
        shown = text or MEND_FIRST
        if self.payload.toPlainText() != shown:
            self.payload.setPlainText(shown)

    def _on_quantity(self) -> None:
        """Another quantity: its level means nothing any more, unless it has the same unit."""
        kind = str(self.scope_kind.currentData())
        self._fill_kinds(kind)
        for field in (self.level, self.back):
            value = field.value
            if value is not None:
                field.put(value)  # read again, within the new limits
        self._show_needed()
        self._on_typed()

    def _on_kind(self) -> None:
        self._show_needed()
        if not self.scope.isHidden():
            self.scope.clear()
            self.scope.setFocus()
        self._on_typed()

    def _on_test(self) -> None:
        if self._hook.test is not None:
            self._hook.test()
            self._show_payload(payload_text(None, self._hook.now_ns))
            said = f"This goes to {self._hook.host}. What became of it stands below the alert log."
            self.hook_said.setText(said)

    def _on_saved(self) -> None:
        rule = self.rule()
        if rule is not None:
            self.chosen.emit(rule)
            self.accept()

    # Qt

    def done(self, result: int) -> None:
        """Saved, cancelled or closed."""
        self.over = True
        super().done(result)


def mark(line: QLineEdit, problem: str) -> None:
    """A red frame and the sentence as its tip where something is wrong with a line."""
    if bool(line.property("bad")) != bool(problem):
        line.setProperty("bad", bool(problem))
        line.style().polish(line)
    explain(line, problem)
