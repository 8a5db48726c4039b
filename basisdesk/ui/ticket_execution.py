"""How the order meets the books: a line in words, the legging policy, the rest folded away."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui import ticket_rules as rules
from basisdesk.ui.glossary import term
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.ticket_fields import AmountField, FieldPair, Widths, explain

LEFT, RIGHT = Widths(54, 60, 14, half=True), Widths(42, 60, 34, half=True)
FIGURE = re.compile(r"(?<=\d) (?=(?:s|min|h|bp|ticks?)\b)")
DEFAULTS = rules.HowDraft()


class Choice(QWidget):
    """One of a few, as segments beside a name. chosen: the code of the one that was pressed."""

    chosen = Signal(object)

    def __init__(self, name: str, options: Mapping[str, tuple[str, str]], theme: Theme) -> None:
        super().__init__()
        self.code = next(iter(options))
        self.buttons: dict[str, QPushButton] = {}
        label = theme.label(name, "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(2))
        row.addWidget(label)
        row.addStretch(1)
        group = QButtonGroup(self)
        for code, (text, tip) in options.items():
            button = QPushButton(text, self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setFont(theme.font(11))
            button.setAccessibleName(f"{name}: {text}")
            explain(button, tip)
            button.clicked.connect(lambda _=False, code=code: self._on_clicked(code))
            group.addButton(button)
            self.buttons[code] = button
            row.addWidget(button)
        self.show_code(self.code)

    def show_code(self, code: str) -> None:
        """Mark one option as the choice."""
        self.code = code
        self.buttons[code].setChecked(True)

    def _on_clicked(self, code: str) -> None:
        self.show_code(code)
        self.chosen.emit(code)


class ExecutionBox(QWidget):
    """The execution of the ticket's order.

    typed: something was changed by hand. now_pressed: take the executable basis of this moment.
    unfolded: all fields are shown.
    """

    typed = Signal()
    now_pressed = Signal()
    unfolded = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._direction = 1
        self.fold = self._link("Change", "Change how the order meets the books")
        self.fold.clicked.connect(self._on_fold)
        self.words = theme.label("", "muted", 11)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("What will happen")
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.policy = Choice("If one leg fails", rules.POLICIES, theme)
        self.style_choice = Choice("Order", rules.STYLES, theme)
        legs = {"0": ("spot", ""), "1": ("perp", "")}
        self.resting = Choice("Resting leg", legs, theme)
        self._make_fields(theme)
        self.details = QWidget(self)
        self._lay_out()
        for choice in (self.policy, self.style_choice, self.resting):
            choice.chosen.connect(self._on_typed)
        for field in self.fields:
            field.typed.connect(self._on_typed)
        self.details.hide()
        self._show_needed()

    # --- what it holds ----------------------------------------------------------------------------

    def draft(self) -> rules.HowDraft:
        """What the fields hold; the resting leg as long or short in the shown direction."""
        first = self.resting.code == "0"
        return rules.HowDraft(
            style=cast("rules.Style", self.style_choice.code),
            policy=cast("rules.Policy", self.policy.code),
            limit_bp=self.limit.value,
            passive_leg="long" if first == (self._direction > 0) else "short",
            pay_up=self.pay_up.value,
            slices=self.slices.value,
            gap_s=self.gap.value,
            good_for_s=self.good_for.value,
        )

    def problem(self) -> str:
        """Why these fields make no order; "" when they do."""
        faults = (field.fault for field in self.fields if not field.isHidden())
        return next(filter(None, faults), "") or self.draft().problem()

    def take_limit(self, value: Decimal) -> None:
        """A limit order at this basis, bp: a dragged entry line, or the basis of now."""
        if self.style_choice.code != "limit":
            self.style_choice.show_code("limit")
        self.unfold(True)
        self.limit.put(value)

    def forget_limit(self) -> None:
        """Another pair or direction: the limit's level means nothing any more."""
        self.limit.forget()

    # --- showing ----------------------------------------------------------------------------------

    def show_words(self, text: str) -> None:
        """The sentence that says what will happen; no line breaks between figure and unit."""
        text = FIGURE.sub("\u00a0", text)
        if self.words.text() != text:
            self.words.setText(text)

    def show_legs(self, names: tuple[str, str], direction: int) -> None:
        """Name the two legs of (reference, other), and which way the pair goes."""
        self._direction = direction
        for code, name, side in zip(("0", "1"), names, self._sides(), strict=True):
            button = self.resting.buttons[code]
            if button.text() != name:
                button.setText(name)
                button.setAccessibleName(f"Resting leg: {name}")
            explain(button, f"{name.capitalize()} rests at its best {side}, the other leg follows.")

    def unfold(self, whole: bool) -> None:
        """Show all fields, or the sentence and the policy alone."""
        self.details.setVisible(whole)
        self.fold.setText("Done" if whole else "Change")
        self._show_needed()
        if whole:
            self.unfolded.emit()

    def _sides(self) -> tuple[str, str]:
        return ("bid", "ask") if self._direction > 0 else ("ask", "bid")

    def _show_needed(self) -> None:
        needs = self.draft().needs
        self.resting.setVisible(self.style_choice.code == "passive")
        self.limit.setVisible("limit_bp" in needs)
        for name, field in (
            ("gap_s", self.gap), ("good_for_s", self.good_for), ("pay_up", self.pay_up),
        ):  # fmt: skip
            field.setVisible(name in needs)
            field.problem.setVisible(name in needs and field.wrong)
        self._patience.setVisible(bool({"good_for_s", "pay_up"} & needs))

    # --- building ---------------------------------------------------------------------------------

    def _make_fields(self, theme: Theme) -> None:
        now = self._link("now", "Take the executable basis of now as the limit")
        now.clicked.connect(self.now_pressed)
        explain(now, "Takes the executable basis at the ticket's size as it is now.")
        self.limit = AmountField(
            "Limit basis", "bp", term("Limit basis"), rules.LEVEL, theme, beside=now
        )
        self.slices = AmountField("Slices", "", term("Slices"), rules.SLICES, theme, widths=LEFT)
        self.gap = AmountField("Gap", "s", term("Slice gap"), rules.GAP, theme, widths=RIGHT)
        self.good_for = AmountField(
            "Good for", "s", term("Good for"), rules.GOOD, theme, step=Decimal(60), widths=LEFT
        )
        self.pay_up = AmountField(
            "Pay up", "ticks", term("Pay-up"), rules.TICKS, theme, widths=RIGHT
        )
        self.fields = (self.limit, self.slices, self.gap, self.good_for, self.pay_up)
        for field in (self.gap, self.good_for, self.pay_up):
            policy = field.sizePolicy()
            policy.setRetainSizeWhenHidden(True)  # its neighbour stays in its column
            field.setSizePolicy(policy)
        self.slices.show_value(DEFAULTS.slices)
        self.gap.show_value(DEFAULTS.gap_s)
        self.good_for.show_value(DEFAULTS.good_for_s)
        self.pay_up.show_value(DEFAULTS.pay_up)

    def _link(self, text: str, name: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("role", "link")
        button.setAccessibleName(name)
        return button

    def _lay_out(self) -> None:
        px = self._theme.px
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        title = self._theme.label("Execution", weight=600)
        set_tip(title, term("Execution"))
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignRight)
        inside = QVBoxLayout(self.details)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(px(3))
        self._cut = FieldPair(self.slices, self.gap, self._theme)
        self._patience = FieldPair(self.good_for, self.pay_up, self._theme)
        for part in (self.style_choice, self.limit, self.resting, self._cut, self._patience):
            inside.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(2))
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.policy)
        column.addWidget(self.details)

    # --- slots ------------------------------------------------------------------------------------

    def _on_fold(self) -> None:
        self.unfold(self.details.isHidden() or bool(self.problem()))

    def _on_typed(self) -> None:
        self._show_needed()
        if self.details.isHidden() and self.problem():
            self.unfold(True)  # what blocks the order is never out of sight
        self.typed.emit()
