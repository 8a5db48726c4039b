"""Every setting of the file in one window: found by group or by search, typed, checked, kept.

It blocks nothing, halting least of all. What was typed is lost only by saying so.
"""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from basisdesk.config import Settings
from basisdesk.ui.product_actions import SettingsActions
from basisdesk.ui.resources import resource
from basisdesk.ui.settings_draft import Draft, page_title, tiers_of
from basisdesk.ui.settings_page import NUMBERS_GROUP, SettingsPage
from basisdesk.ui.settings_texts import GROUPS
from basisdesk.ui.theme import PlainLabel, Theme
from basisdesk.ui.ticket_fields import explain

WIDE_PX, HIGH_PX = 860, 640
WIDE_MAX, HIGH_MAX = 1_240, 740  # fits a screen of 1280x800 at every font scale
LIST_PX = 168
SEARCH_MS, CHECK_MS = 120, 150
WHEN = (
    "All of it takes effect when the desk is opened again, which takes about 2 s. Open pairs and "
    "the ledger are kept."
)
LEAVE = "{count} not saved. Save, or close once more to drop {them}."


class SettingsDialog(QDialog):
    """List of groups, search, rows, and a foot that says what saving would do."""

    def __init__(
        self, actions: SettingsActions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.over = False
        self._actions, self._theme = actions, theme
        self._leaving = False
        self._refused = ""  # by the last check or save
        self.setWindowTitle("Settings")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        read = actions.read()
        self._broken = read if isinstance(read, str) else ""
        self.draft = Draft(read if isinstance(read, Settings) else Settings())
        self._tiers = tiers_of(resource("fees.toml").read_bytes())
        self._pages: dict[int, SettingsPage] = {}
        self.found: SettingsPage | None = None
        self._checking = self._timer(CHECK_MS, self._check)
        self._searching = self._timer(SEARCH_MS, self._search)
        self._make()
        self._make_foot()
        self._lay_out()
        self.groups.setCurrentRow(0)
        self._show_foot()

    def on_halt(self, act: object) -> None:
        """Let Ctrl+. work here too."""
        from basisdesk.ui.halt_box import HALT_KEY

        QShortcut(QKeySequence(HALT_KEY), self).activated.connect(act)

    # --- building ---------------------------------------------------------------------------------

    def _timer(self, wait_ms: int, act: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(wait_ms)
        timer.timeout.connect(act)
        return timer

    def _make(self) -> None:
        theme = self._theme
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search all settings: a name, a key, what it does")
        self.search.setAccessibleName("Search all settings")
        self.search.setClearButtonEnabled(True)
        self.search.setMaxLength(60)
        self.search.textChanged.connect(self._on_typed)
        QShortcut(QKeySequence.StandardKey.Find, self).activated.connect(self.search.setFocus)
        self.groups = QListWidget(self)
        self.groups.setAccessibleName("Groups of settings")
        self.groups.setFixedWidth(theme.px(LIST_PX))
        self.groups.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for index in range(len(GROUPS)):
            self.groups.addItem(page_title(index, self.draft))
            self.groups.item(index).setSizeHint(QSize(0, theme.px(28)))
        self.groups.currentRowChanged.connect(self._on_group)
        self.groups.itemClicked.connect(lambda _: self._on_group(self.groups.currentRow()))
        self.pages = QStackedWidget(self)

    def _make_foot(self) -> None:
        theme = self._theme
        self.path = theme.label(f"File {self._actions.path}", "muted", 11)
        self.path.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.path.setAccessibleName("Path of the settings file")
        self.path.setWordWrap(True)
        self.said: PlainLabel = theme.label("", "text")
        self.said.setWordWrap(True)
        self.said.setAccessibleName("What saving does")
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.said.setMinimumHeight(2 * self.said.fontMetrics().lineSpacing())
        self.show_bad = self._button("Show it", "Goes to the setting to be mended.", self._on_bad)
        self.show_bad.setProperty("role", "link")
        self.all = self._button("All to defaults", "Every setting back to its default. Nothing is "
                                "written before you save.", self._on_all)  # fmt: skip
        self.undo = self._button("Undo changes", "Everything as the file has it.", self._on_undo)
        self.again = self._button("Read file again", "Takes in what was changed in the file. What "
                                  "you typed here stays.", self._on_again)  # fmt: skip
        self.shut = self._button("Close", "Closes this window.", self.reject)
        self.save = self._button("Save", "Writes the file. Comments and everything else in it "
                                 "stay as they are.", self._on_save)  # fmt: skip
        self.reopen = self._button("Save and reopen the desk", WHEN, self._on_reopen)
        self.reopen.setProperty("role", "primary")

    def _button(self, text: str, tip: str, act: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        explain(button, tip)
        button.clicked.connect(act)
        return button

    def _lay_out(self) -> None:
        px = self._theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(12), px(12), px(12), px(10))
        column.setSpacing(px(6))
        column.addWidget(self.search)
        middle = QHBoxLayout()
        middle.setSpacing(px(8))
        middle.addWidget(self.groups)
        middle.addWidget(self.pages, 1)
        column.addLayout(middle, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.said, 1)
        foot.addWidget(self.show_bad, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(foot)
        column.addWidget(self.path)
        buttons = QHBoxLayout()
        buttons.setSpacing(px(6))
        for button in (self.all, self.undo, self.again):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.shut, self.save, self.reopen):
            buttons.addWidget(button)
        column.addLayout(buttons)
        self.resize(min(px(WIDE_PX), WIDE_MAX), min(px(HIGH_PX), HIGH_MAX))

    # --- pages ------------------------------------------------------------------------------------

    def page(self, index: int) -> SettingsPage:
        """The page of a group, made at its first use; it may not be whole yet, see `finish`."""
        if index not in self._pages:
            page = self._new_page()
            page.show_group(index)
            self._pages[index] = page
        return self._pages[index]

    def _new_page(self) -> SettingsPage:
        page = SettingsPage(self.draft, self._tiers, self._theme, self)
        page.setEnabled(not self._broken)
        page.changed.connect(self._on_changed)
        page.renamed.connect(self._on_renamed)
        self.pages.addWidget(page)
        return page

    def _drop(self, page: SettingsPage | None) -> None:
        if page is not None:
            self.pages.removeWidget(page)
            page.deleteLater()

    def _refresh(self) -> None:
        """Another file or other values: outside numbers may have come or gone."""
        self._drop(self._pages.pop(NUMBERS_GROUP, None))
        for page in self._pages.values():
            page.setEnabled(not self._broken)
        if self.search.text().strip():
            self._search()
        else:
            self._on_group(self.groups.currentRow())
        self._show_foot()

    # --- slots ------------------------------------------------------------------------------------

    def _on_group(self, index: int) -> None:
        if self.search.text():
            self.search.blockSignals(True)
            self.search.clear()
            self.search.blockSignals(False)
        page = self.page(max(0, index))
        page.refresh()
        self.pages.setCurrentWidget(page)
        self._drop(self.found)
        self.found = None

    def _on_typed(self, _: str) -> None:
        self._searching.start()

    def _search(self) -> None:
        query = self.search.text().strip()
        if not query:
            self._on_group(self.groups.currentRow())
            return
        old, self.found = self.found, self._new_page()
        self.found.show_found(query)
        self.pages.setCurrentWidget(self.found)
        self._drop(old)

    def _on_changed(self, key: str) -> None:
        self._leaving = False
        page = self.pages.currentWidget()
        if isinstance(page, SettingsPage):
            page.refresh_key(key)
        self._refused = ""
        self._checking.start()
        self._show_foot()

    def _on_renamed(self) -> None:
        self._leaving = False
        self._checking.start()
        self._refresh()

    def _check(self) -> None:
        """Every refusal that loading the file would give, before it is written."""
        if not self.draft.problems():
            self._refused = self._actions.check(self.draft.changes())
        self._show_foot()

    def _on_bad(self) -> None:
        """To the first setting that is wrong."""
        key = next(iter(self.draft.problems()), "")
        if key:
            index = self.draft.fields[key].group
            self.groups.setCurrentRow(index)
            self._on_group(index)
            page = self.page(index)
            page.finish()
            page.ensureWidgetVisible(page.rows[key])
            page.rows[key].editor.widget.setFocus()

    def _on_all(self) -> None:
        self.draft.reset_all()
        self._leaving = False
        self._check()
        self._refresh()

    def _on_undo(self) -> None:
        self.draft.undo()
        self._refused, self._leaving = "", False
        self._refresh()

    def _on_again(self) -> None:
        read = self._actions.read()
        self._broken = read if isinstance(read, str) else ""
        self._refused = ""
        if isinstance(read, Settings):
            self.draft.rebase(read)
            self._check()
        self._refresh()

    def _on_save(self) -> bool:
        """Write; what is refused stays typed."""
        self._checking.stop()
        if self.draft.problems() or self._broken:
            self._show_foot()
            return False
        self._refused = self._actions.save(self.draft.changes())
        if self._refused:
            self._show_foot()
            return False
        read = self._actions.read()
        if isinstance(read, Settings):
            self.draft.now = read
            self.draft.undo()
        self._leaving = False
        self._refresh()
        self._say(f"Saved. {WHEN}", "gain")
        return True

    def _on_reopen(self) -> None:
        if (not self._pending() or self._on_save()) and not self._broken:
            self.draft.undo()
            self.close()
            self._actions.reopen()

    # --- the foot ---------------------------------------------------------------------------------

    def _pending(self) -> int:
        draft = self.draft
        return len(draft.typed) + len(draft.dropped) + len(draft.added)

    def _show_foot(self) -> None:
        for index in range(len(GROUPS)):
            title = page_title(index, self.draft)
            if self.groups.item(index).text() != title:
                self.groups.item(index).setText(title)
        pending, problems = self._pending(), self.draft.problems()
        count = "1 change is" if pending == 1 else f"{pending} changes are"
        them = "it" if pending == 1 else "them"
        fine = not (self._broken or problems or self._refused)
        if self._broken:
            self._say(f"{self._broken} Nothing can be changed here before that.", "loss")
        elif problems:
            key, said = next(iter(problems.items()))
            self._say(f"{self.draft.fields[key].words.title}: {said}", "loss")
        elif self._refused:
            self._say(self._refused, "loss")
        elif self._leaving:
            self._say(LEAVE.format(count=count, them=them), "warn")
        else:
            self._say(f"{count} not saved. {WHEN}" if pending else WHEN, "muted")
        self.save.setEnabled(fine and pending > 0)
        self.reopen.setEnabled(fine)
        self.reopen.setText("Save and reopen the desk" if pending else "Reopen the desk")
        self.undo.setEnabled(pending > 0)
        self.show_bad.setVisible(bool(problems))
        self.all.setEnabled(not self._broken)

    def _say(self, text: str, tone: str) -> None:
        self.said.setText(text)
        self.said.set_colour(self._theme.qcolor(tone))

    # Qt

    def reject(self) -> None:
        """Close, by Esc, the button or the frame; with changes only at the second time."""
        if self._pending() and not self._leaving:
            self._leaving = True
            self._refused = ""
            pending = self._pending()
            count = "1 change is" if pending == 1 else f"{pending} changes are"
            them = "it" if pending == 1 else "them"
            self._say(LEAVE.format(count=count, them=them), "warn")
            return
        super().reject()

    def done(self, result: int) -> None:
        """Closed, either way."""
        self.over = True
        super().done(result)
