"""The list of past sessions: search, filters, tags and note of the chosen one, and what to do."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.lab_study import surfaced
from basisdesk.ui.library_rows import (
    ALL,
    COMPARED_MOST,
    account_text,
    accounts_of,
    begun_text,
    chosen_text,
    count_text,
    lasted_text,
    mode_text,
    money,
    money_meaning,
    money_text,
    pairs_text,
    remark_meaning,
    remark_text,
    size_text,
    tags_text,
    typed_tags,
    wanted,
)
from basisdesk.ui.product_actions import SessionLine
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.times import zone_text

TAGS_CHARS_MAX, NOTE_CHARS_MAX = 420, 2_000
EMPTY = "No sessions yet. Each start of the desk is one: trade a little, and look again (F5)."
ACTS = (
    ("replay", "Replay tape", "Play the session's recording in a window of its own; "
     "where there are several, you are asked which."),
    ("page", "Open report in browser", "Write the session's page into the profile's folder export "
     "and open it."),
    ("export", "Export\u2026", "HTML, CSV and JSON of the session, into a folder you choose."),
    ("compare", "Compare", "Choose 2 to 4 sessions (Ctrl or Shift and click) to put side by side."),
    ("trash", "To trash\u2026", "Puts sessions into the trash; says first what goes and stays."),
)  # fmt: skip


def session_columns(zone: str, utc: bool) -> tuple[Column, ...]:
    """One session a row. Figures that are hidden first when it is narrow have a higher `spare`."""
    return (
        Column(f"Begun, {zone}", lambda line: begun_text(line, utc), lambda line: line.begun_ns,
               left=True, sample="2026-11-21 23:46", detail=lambda line: line.session,
               tip="Start of the desk; rest on a row for the session's name."),
        Column("Account", account_text, left=True, sample="main"),
        Column("Mode", mode_text, left=True, sample="SIMULATED", spare=1,
               tip="SIMULATED: on the demo exchange. LIVE: on the venues' prices. Paper both."),
        Column("Lasted", lasted_text, lambda line: line.ended_ns - line.begun_ns,
               sample="12 h 59 min", spare=4,
               tip="From the first entry of its journal to the last."),
        Column("Pairs", pairs_text, lambda line: line.pairs_opened, sample="12 / 12",
               tip="Pairs opened and closed in the session.", spare=3),
        Column("Net, USDT", lambda line: money_text(line.net), lambda line: money(line.net),
               sample="\u22121,234.56", meaning=lambda line: money_meaning(line.net),
               tip="Change in equity, after all costs."),
        Column("Fees", lambda line: money_text(line.fees), lambda line: money(line.fees),
               sample="\u2212123.45", tip="Fees of the session, USDT.", spare=2),
        Column("Funding", lambda line: money_text(line.funding), lambda line: money(line.funding),
               sample="\u2212123.45", tip="Funding received, USDT; paid is negative.", spare=5),
        Column("Borrow", lambda line: money_text(line.borrow), lambda line: money(line.borrow),
               sample="\u221212.34", tip="Interest on borrowed coins, USDT.", spare=8),
        Column("Refusals", lambda line: f"{line.refusals:,}" if line.session else "",
               lambda line: line.refusals, sample="12", tip="Orders the desk refused.", spare=6),
        Column("Tape, MB", size_text, lambda line: line.mb, sample="1,234.5",
               tip="Size of the recordings; a dash where there is none.", spare=7),
        Column("Tags", lambda line: tags_text(line.tags), left=True, sample="carry, ADA",
               tip="Your own words for it; type them under the list."),
        Column("Note", remark_text, left=True, stretch=True, detail=remark_text,
               meaning=remark_meaning, wide_px=130,
               tip="Your own note, or what is wrong with the journal."),
    )  # fmt: skip


class SessionList(QWidget):
    """The left half of the library. asked: a name of ACTS. marked: (key, tags, note) to keep.

    chosen_changed: the selection moved.
    """

    asked = Signal(str)
    marked = Signal(str, object, str)
    chosen_changed = Signal()

    def __init__(self, theme: Theme, *, utc: bool, now_ns: int) -> None:
        super().__init__()
        self._theme = theme
        self._lines: Sequence[SessionLine] = ()
        self.table = TableView(
            session_columns(zone_text(utc, now_ns), utc), theme, key=lambda line: line.key
        )
        self.table.setAccessibleName("Past sessions")
        self.table.empty_text = EMPTY
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search: any words, tags and notes too   Ctrl+F")
        self.search.setAccessibleName("Search the sessions")
        self.search.setClearButtonEnabled(True)
        self.mode = self._box("Mode", [("All modes", ALL), ("SIMULATED", "simulated"),
                                       ("live", "live")])  # fmt: skip
        self.account = self._box("Account", [("All accounts", ALL)])
        self.count = theme.label("", "muted", 11)
        self.tags = QLineEdit(self)
        self.tags.setMaxLength(TAGS_CHARS_MAX)
        self.tags.setPlaceholderText("carry, first try")
        self.tags.setAccessibleName("Tags of the session, parted by commas")
        self.note = QLineEdit(self)
        self.note.setMaxLength(NOTE_CHARS_MAX)
        self.note.setPlaceholderText("What was tried, and what came of it")
        self.note.setAccessibleName("Note of the session")
        self.keep = QPushButton("Keep", self)
        set_tip(self.keep, "Keep tags and note with the session (Enter).")
        self.buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self._join()
        self._on_chosen()

    def show_lines(self, lines: Sequence[SessionLine]) -> None:
        """Show these sessions; what was chosen stays chosen where it is still there."""
        self._lines = lines
        held = self.account.currentData()
        names = accounts_of(lines)
        if [self.account.itemData(at) for at in range(1, self.account.count())] != names:
            self.account.clear()
            for text, data in [("All accounts", ALL), *((name, name) for name in names)]:
                self.account.addItem(text, data)
            self.account.setCurrentIndex(max(0, self.account.findData(held)))
        self.table.show_rows(lines)
        self._tell()
        self._arm()
        if lines and not self.chosen():
            self.table.choose(0)

    def chosen(self) -> list[SessionLine]:
        """The chosen sessions, top first."""
        proxy, model = self.table.proxy, self.table.rows_model
        rows = sorted(self.table.selectionModel().selectedRows(), key=lambda at: at.row())
        return [model.row(proxy.mapToSource(at).row()) for at in rows]

    def choose_running(self) -> bool:
        """Choose the session that runs, whatever was searched for; whether there is one."""
        place = next((at for at, line in enumerate(self._lines) if line.running), None)
        if place is None:
            return False
        self.search.clear()
        self.mode.setCurrentIndex(0)
        self.account.setCurrentIndex(0)
        self.table.choose(place)
        return True

    def keep_mark(self) -> None:
        """Keep what stands in the fields with the one chosen session."""
        chosen = self.chosen()
        if len(chosen) == 1:
            note = self.note.text().strip()
            self.marked.emit(chosen[0].key, typed_tags(self.tags.text()), note)

    # --- building ---------------------------------------------------------------------------------

    def _box(self, name: str, items: Sequence[tuple[str, str]]) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(f"{name} of the sessions shown")
        for text, data in items:
            box.addItem(text, data)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        return box

    def _lay_out(self) -> None:
        px = self._theme.px
        surfaced(self, self._theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, px(6), 0, px(8))
        column.setSpacing(px(6))
        head = QHBoxLayout()
        head.setContentsMargins(px(8), 0, px(8), 0)
        head.setSpacing(px(6))
        for part, stretch in ((self.search, 1), (self.mode, 0), (self.account, 0)):
            head.addWidget(part, stretch)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(px(8), 0, px(8), 0)
        foot.setSpacing(px(6))
        foot.addWidget(self.count)
        foot.addLayout(self._fields())
        foot.addLayout(self._row_of_buttons())
        column.addLayout(foot)

    def _fields(self) -> QGridLayout:
        px = self._theme.px
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(6))
        grid.setVerticalSpacing(px(4))
        grid.setColumnStretch(1, 1)
        for row, (name, field) in enumerate((("Tags", self.tags), ("Note", self.note))):
            label = self._theme.label(name, "muted")
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self.keep, 1, 2)
        return grid

    def _row_of_buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(self._theme.px(4))
        for name, text, said in ACTS:
            button = QPushButton(text, self)
            set_tip(button, said)
            button.clicked.connect(partial(self.asked.emit, name))
            self.buttons[name] = button
            line.addWidget(button)
        line.addStretch(1)
        return line

    def _join(self) -> None:
        self.search.textChanged.connect(self._on_search)
        self.mode.currentIndexChanged.connect(self._on_filter)
        self.account.currentIndexChanged.connect(self._on_filter)
        self.table.selectionModel().selectionChanged.connect(self._on_chosen)
        self.keep.clicked.connect(self.keep_mark)
        self.tags.returnPressed.connect(self.keep_mark)
        self.note.returnPressed.connect(self.keep_mark)

    # --- slots ------------------------------------------------------------------------------------

    def _on_search(self, text: str) -> None:
        self.table.proxy.set_filter(text)
        self._tell()

    def _on_filter(self) -> None:
        mode, account = self.mode.currentData(), self.account.currentData()
        both = mode == ALL and account in (ALL, None)
        self.table.proxy.set_keep(None if both else lambda line: wanted(line, mode, account or ALL))
        self._tell()

    def _on_chosen(self) -> None:
        chosen = self.chosen()
        one = chosen[0] if len(chosen) == 1 else None
        self._arm()
        for field in (self.tags, self.note, self.keep):
            field.setEnabled(one is not None)
        self.tags.setText(tags_text(one.tags) if one is not None else "")
        self.note.setText(one.note if one is not None else "")
        self._tell()
        self.chosen_changed.emit()

    def _arm(self) -> None:
        """Switch the buttons by what is chosen as it stands now: its tape may have gone."""
        chosen = self.chosen()
        one = chosen[0] if len(chosen) == 1 else None
        readable = one is not None and bool(one.session)
        self.buttons["replay"].setEnabled(
            one is not None and one.tape is not None and not one.running
        )
        self.buttons["page"].setEnabled(readable)
        self.buttons["export"].setEnabled(readable)
        self.buttons["compare"].setEnabled(1 < len(chosen) <= COMPARED_MOST)
        self.buttons["trash"].setEnabled(bool(chosen))

    def _tell(self) -> None:
        several = chosen_text(self.chosen())
        self.count.setText(several or count_text(self._lines, self.table.proxy.rowCount()))

    def focus_search(self) -> None:
        """Put the cursor into the search line."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()
