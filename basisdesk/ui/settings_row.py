"""Rows of the settings dialog: one key, a venue's fee tiers, an outside number's head."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.glossary import TERMS
from basisdesk.ui.settings_draft import OWN_RATES, Draft, Tier
from basisdesk.ui.settings_editors import CalmCombo, Editor
from basisdesk.ui.settings_rows import Field, caption, name_problem, said
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.ticket_fields import explain, unit_label

UNIT_PX, RESET_PX = 92, 46
CHANGED = "\u2022"  # before the title of what differs from its default


class SettingRow(QWidget):
    """A key: title, editor and unit; its sentence; range, default and what the file says.

    changed: told the key, after each change by hand.
    """

    changed = Signal(str)

    def __init__(self, field: Field, draft: Draft, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = field
        self._draft, self._theme = draft, theme
        self.title = theme.label(field.words.title, "text", 12, 600)
        set_tip(self.title, TERMS.get(field.words.title, ""))
        self.about = theme.label(field.words.about, "text")
        self.caption = theme.label("", "muted", 11)
        self.problem = theme.label("", "loss", 11)
        self.problem.hide()
        for label in (self.about, self.caption, self.problem):
            label.setWordWrap(True)
        self.editor = Editor(field, theme, self._put_text, self._put, self)
        self.title.setBuddy(self.editor.widget)
        self.reset: QPushButton | None = None
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        px, wide = self._theme.px, self.editor.wide
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, px(7), 0, px(7))
        grid.setHorizontalSpacing(px(8))
        grid.setVerticalSpacing(px(2))
        grid.setColumnStretch(0, 1)
        grid.setColumnMinimumWidth(3, px(RESET_PX))
        grid.addWidget(self.title, 0, 0)
        top = Qt.AlignmentFlag.AlignTop
        if wide:
            grid.addWidget(self.about, 1, 0, 1, 4)
            grid.addWidget(self.editor.widget, 2, 0, 1, 4)
        else:
            grid.setColumnMinimumWidth(2, px(UNIT_PX))
            grid.addWidget(self.about, 1, 0)
            grid.addWidget(self.editor.widget, 0, 1, 2, 1, top | Qt.AlignmentFlag.AlignRight)
            if self.field.unit:
                unit = unit_label(self.field.unit, self._theme)
                unit.setMinimumHeight(self.editor.widget.sizeHint().height())
                grid.addWidget(unit, 0, 2, 2, 1, top)
        grid.addWidget(self.problem, 3, 0, 1, 4)
        grid.addWidget(self.caption, 4, 0, 1, 4)

    def refresh(self) -> None:
        """Show what the draft holds."""
        draft, key = self._draft, self.field.key
        self.editor.show(draft)
        problem, differs = draft.problem(key), draft.differs(key)
        title = self.field.words.title
        self.title.setText(f"{CHANGED} {title}" if differs else title)
        self.title.set_colour(self._theme.qcolor("accent" if differs else "text"))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.caption.setText(caption(self.field, draft.was(key)))
        self._mark(problem)
        self._show_reset(differs)

    def _mark(self, problem: str) -> None:
        widget = self.editor.widget
        told = problem or f"{self.field.words.about} {self.caption.text()}"
        if widget.accessibleDescription() != told:
            explain(widget, told)
        if bool(widget.property("bad")) != bool(problem):
            widget.setProperty("bad", bool(problem))
            widget.style().polish(widget)

    def _show_reset(self, differs: bool) -> None:
        if self.reset is None and differs:
            self.reset = QPushButton("Reset", self)
            self.reset.setProperty("role", "link")
            self.reset.setAutoDefault(False)
            self.reset.setAccessibleName(f"Reset {self.field.name}")
            explain(self.reset, f"Back to {said(self.field, self.field.default)}.")
            self.reset.clicked.connect(self._on_reset)
            top = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
            self._grid.addWidget(self.reset, 0, 3, 2 if not self.editor.wide else 1, 1, top)
        if self.reset is not None and self.reset.isHidden() == differs:
            if not differs and self.reset.hasFocus():
                self.editor.widget.setFocus()
            self.reset.setVisible(differs)

    # --- slots ------------------------------------------------------------------------------------

    def _put_text(self, key: str, text: object) -> None:
        self._draft.put_text(key, str(text))
        self.changed.emit(key)

    def _put(self, key: str, value: object) -> None:
        self._draft.put(key, value)
        self.changed.emit(key)

    def _on_reset(self) -> None:
        self._draft.reset((self.field.key,))
        self.changed.emit(self.field.key)


class TierRow(QWidget):
    """A venue's fee tiers: choosing one fills in its rates and says where they come from.

    changed: told the venue's table, after a choice by hand.
    """

    changed = Signal(str)

    def __init__(
        self, venue: tuple[str, str], tiers: tuple[Tier, ...], draft: Draft, theme: Theme,
        parent: QWidget,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._venue, title = venue
        self._tiers, self._draft = tiers, draft
        self.choice = CalmCombo(self)
        self.choice.setAccessibleName(f"Fee tier of {title}")
        for tier in tiers:
            self.choice.addItem(tier.name, tier.name)
        self.choice.addItem(OWN_RATES, "")
        self.choice.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.choice.activated.connect(self._on_chosen)
        name = theme.label("Fee tier", "text", 12, 600)
        set_tip(name, TERMS["Fee tier"])
        name.setBuddy(self.choice)
        self.source = theme.label("", "muted", 11)
        self.source.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(name)
        row.addWidget(self.choice)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.px(4), 0, theme.px(2))
        column.setSpacing(theme.px(3))
        column.addLayout(row)
        column.addWidget(self.source)
        self.refresh()

    def refresh(self) -> None:
        """Show which tier has the rates that the draft holds."""
        tier = self._draft.tier(self._venue, self._tiers)
        self.choice.setCurrentIndex(self.choice.findData(tier.name if tier else ""))
        source = self._draft.value(f"fees.{self._venue}.source")
        self.source.setText(f"Rates: {source}.")
        explain(self.choice, f"Fills in the four rates below. Rates now: {source}.")

    def _on_chosen(self, index: int) -> None:
        if index < len(self._tiers):
            self._draft.put_tier(self._venue, self._tiers[index])
        self.refresh()
        self.changed.emit(f"fees.{self._venue}")


class AdderRow(QWidget):
    """A name for one more outside number. wanted: the name."""

    wanted = Signal(str)

    def __init__(self, taken: Callable[[], list[str]], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._taken = taken
        self.name = QLineEdit(self)
        self.name.setMaxLength(24)
        self.name.setPlaceholderText("fear_greed")
        self.name.setAccessibleName("Name of a new outside number")
        self.name.setFixedWidth(theme.px(180))
        self.add = QPushButton("Add a number", self)
        self.add.setAutoDefault(False)
        self.problem = theme.label("", "loss", 11)
        self.problem.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.name)
        row.addWidget(self.add)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.px(6), 0, theme.px(6))
        column.addLayout(row)
        column.addWidget(self.problem)
        self.add.clicked.connect(self._on_add)
        self.name.returnPressed.connect(self._on_add)

    def _on_add(self) -> None:
        name = self.name.text().strip()
        problem = name_problem(name, dict.fromkeys(self._taken()))
        self.problem.setText(problem)
        if not problem:
            self.wanted.emit(name)
