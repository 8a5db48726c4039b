"""One page of the settings dialog, built a few rows at a time so that the desk goes on."""

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from time import perf_counter

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from basisdesk.ui.glossary import TERMS
from basisdesk.ui.settings_draft import Draft, Tiers
from basisdesk.ui.settings_row import AdderRow, SettingRow, TierRow
from basisdesk.ui.settings_rows import VENUES, Field, features_text, matches
from basisdesk.ui.settings_texts import CHOICES, GROUPS
from basisdesk.ui.theme import Theme, set_tip

SLICE_S = 0.008  # of building in one go; the loop gets a turn after it
FRACTIONS = "The file holds fractions where % is shown here: 0.05 in the file is 5 %."
NUMBERS_GROUP = next(i for i, group in enumerate(GROUPS) if "forecast.indicators" in group.keys)
FEES_GROUP = next(i for i, group in enumerate(GROUPS) if "fees" in group.keys)


class SettingsPage(QScrollArea):
    """Rows below each other. changed: told a key or a table that a person changed.

    renamed: outside numbers came or went; the page has to be built anew.
    """

    changed = Signal(str)
    renamed = Signal()

    def __init__(self, draft: Draft, tiers: Tiers, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._draft, self._tiers, self._theme = draft, tiers, theme
        self.rows: dict[str, SettingRow] = {}
        self.tier_rows: list[TierRow] = []
        self.adder: AdderRow | None = None
        self._todo: deque[Callable[[], QWidget]] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._build_some)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inside = QWidget(self)
        px = theme.px
        self._column = QVBoxLayout(self._inside)
        self._column.setContentsMargins(px(16), px(8), px(16), px(16))
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self.setWidget(self._inside)

    # --- what it shows ---------------------------------------------------------------------------

    def show_group(self, index: int) -> None:
        """One group's keys."""
        group = GROUPS[index]
        fields = [field for field in self._draft.fields.values() if field.group == index]
        self._later(lambda: self._heading(group.title))
        self._later(lambda: self._text(group.about))
        if any(field.words.scale != 1 for field in fields):
            self._later(lambda: self._text(FRACTIONS))
        if index == NUMBERS_GROUP:
            self._later_numbers()
        else:
            self._later_sections(fields, with_tiers=index == FEES_GROUP)
        self._go()

    def show_found(self, query: str) -> None:
        """Every key that a search finds, by its group."""
        found = [field for field in self._draft.fields.values() if matches(field, query)]
        count = "1 setting" if len(found) == 1 else f"{len(found) or 'No'} settings"
        more = "" if found else ". Try a part of its name, its key or of what it does"
        self._later(lambda: self._text(f"{count} with \u201c{query[:60]}\u201d{more}."))
        for index, group in enumerate(GROUPS):
            of_group = [field for field in found if field.group == index]
            if of_group:
                self._later(partial(self._heading, group.title))
                self._later_sections(of_group, with_tiers=False)
        self._go()

    def refresh(self) -> None:
        """Show what the draft holds."""
        for row in self.rows.values():
            row.refresh()
        for tier in self.tier_rows:
            tier.refresh()

    def refresh_key(self, key: str) -> None:
        """One key changed, or a table: its rows, and those that follow from it."""
        table = key if key.count(".") == 1 else key.rpartition(".")[0]
        follows = table.startswith(("fees.", "borrow."))
        for name, row in self.rows.items():
            if name == key or (follows and name.startswith(f"{table}.")):
                row.refresh()
        for tier in self.tier_rows:
            tier.refresh()

    def finish(self) -> None:
        """Build all that is left now."""
        while self._todo:
            self._build()
        self._timer.stop()
        self._settle()

    # --- building --------------------------------------------------------------------------------

    def _later(self, make: Callable[[], QWidget]) -> None:
        self._todo.append(make)

    def _later_sections(self, fields: Iterable[Field], *, with_tiers: bool) -> None:
        section = ""
        for field in fields:
            if field.section != section:
                section = field.section
                self._later(partial(self._section, section))
                venue = field.key.split(".")[1]
                if with_tiers and venue in VENUES:
                    self._later(partial(self._tier, venue))
            self._later(partial(self._row, field))

    def _later_numbers(self) -> None:
        draft = self._draft
        names = draft.indicators()
        count = sum(bool(draft.value(f"forecast.indicators.{name}.feature")) for name in names)
        self._later(lambda: self._text(features_text(count)))
        for name in names:
            self._later(partial(self._number_head, name))
            for field in draft.fields.values():
                if field.group == NUMBERS_GROUP and field.section == name:
                    self._later(partial(self._row, field))
        self._later(self._add_row)

    def _go(self) -> None:
        self._inside.setUpdatesEnabled(False)  # half a page would jump about while it grows
        self._timer.start()
        self._build_some()

    def _build_some(self) -> None:
        end = perf_counter() + SLICE_S
        while self._todo and perf_counter() < end:
            self._build()
        if not self._todo:
            self._timer.stop()
            QTimer.singleShot(0, self, self._settle)  # the rows are shown by then

    def _settle(self) -> None:
        """All is built: give the rows their room and show them."""
        width = self.viewport().width()
        self._inside.resize(width, max(self._inside.height(), self._column.heightForWidth(width)))
        self._column.activate()
        self._inside.setUpdatesEnabled(True)

    def _build(self) -> None:
        made = self._todo.popleft()()
        self._column.insertWidget(self._column.count() - 1, made)

    def _heading(self, title: str) -> QWidget:
        label = self._theme.label(title, "text", 16, 600)
        set_tip(label, TERMS.get(title, ""))
        return label

    def _text(self, text: str) -> QWidget:
        label = self._theme.label(text, "muted")
        label.setWordWrap(True)
        label.setContentsMargins(0, self._theme.px(2), 0, self._theme.px(4))
        return label

    def _section(self, title: str) -> QWidget:
        label = self._theme.label(title, "text", 14, 600)
        label.setContentsMargins(0, self._theme.px(14), 0, 0)
        return label

    def _row(self, field: Field) -> QWidget:
        row = SettingRow(field, self._draft, self._theme, self._inside)
        row.changed.connect(self.changed)
        self.rows[field.key] = row
        return row

    def _tier(self, venue: str) -> QWidget:
        names = (venue, CHOICES[venue])
        row = TierRow(names, self._tiers.get(venue, ()), self._draft, self._theme, self._inside)
        row.changed.connect(self.changed)
        self.tier_rows.append(row)
        return row

    def _number_head(self, name: str) -> QWidget:
        head = QWidget(self._inside)
        row = QHBoxLayout(head)
        row.setContentsMargins(0, self._theme.px(14), 0, 0)
        row.addWidget(self._theme.label(name, "text", 14, 600))
        row.addStretch(1)
        drop = QPushButton("Remove", head)
        drop.setProperty("role", "link")
        drop.setAutoDefault(False)
        drop.setAccessibleName(f"Remove the outside number {name}")
        drop.clicked.connect(lambda: self._on_dropped(name))
        row.addWidget(drop)
        return head

    def _add_row(self) -> QWidget:
        self.adder = AdderRow(self._draft.indicators, self._theme, self._inside)
        self.adder.wanted.connect(self._on_wanted)
        return self.adder

    # --- slots ------------------------------------------------------------------------------------

    def _on_dropped(self, name: str) -> None:
        self._draft.drop_indicator(name)
        self.renamed.emit()

    def _on_wanted(self, name: str) -> None:
        self._draft.add_indicator(name)
        self.renamed.emit()
