"""The session library, a window of its own: the list at the left, what was asked for at the right.

At the right stands the report of the chosen session, several side by side, or an imported trade
log; each can be opened as a page in a browser, from our own files alone.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMainWindow,
    QMenu,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.arrangement import offscreen
from basisdesk.ui.context import Context
from basisdesk.ui.file_asks import ask_folder
from basisdesk.ui.halt_box import HALT_KEY
from basisdesk.ui.help_door import HELP_KEY
from basisdesk.ui.lab_study import StudyView, surfaced
from basisdesk.ui.library_dialogs import RestoreDialog, TrashDialog, ask_trade_log
from basisdesk.ui.library_list import SessionList
from basisdesk.ui.library_rows import part_texts, report_study, title_of
from basisdesk.ui.product_actions import Library, Shown, Told
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

FIRST_SIZE = (1600, 1000)
LIST_SHARE = 0.52
REPORT_LIST_SHARE = 0.36  # where one came for a report
REST_MS = 150  # a selection that moves on is not read
DONE_MS = 8_000  # how long it says what was done
FUNDING_PCT_MAX = 4
EMPTY = (
    "Choose a session at the left to read its report, two to four to compare them, or import the "
    "trade_log.csv of the convergence script to see what it left out."
)


class LibraryWindow(QMainWindow):
    """Past sessions. `library` answers in its own time; what comes late is not shown."""

    def __init__(self, library: Library, context: Context, theme: Theme) -> None:
        super().__init__()
        self._library = library
        self._context = context
        self._theme = theme
        self._asked = 0  # what is shown at the right answers to this number
        self._study: Mapping[str, object] | None = None  # compared or imported; None: a session's
        self._imported: Path | None = None
        self._arranged = False  # by hand; then it stays so
        self._to_running = False  # the next look chooses the desk's own session
        self.setWindowTitle("Sessions \u00b7 paper \u00b7 what was traded before")
        self.setObjectName("sessions")
        ui = context.settings.ui
        self.list = SessionList(theme, utc=ui.utc, now_ns=context.engine.now_ns)
        self.view = StudyView(EMPTY, theme)
        self.view.setAccessibleName("The report")
        self.said = self._banner()
        self.done = theme.label("", "muted", 11)
        self.buttons: dict[str, QPushButton] = {}
        self.funding = QLineEdit(self)
        self.assume = QWidget(self)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.setInterval(DONE_MS)
        self._fade.timeout.connect(self.done.clear)
        self._lay_out()
        self._join()

    # --- what a person asks for -------------------------------------------------------------------

    def refresh(self) -> None:
        """Look for sessions anew. F5."""
        self._library.look(self._on_looked)

    def show_report(self) -> None:
        """Read the report of the one chosen session."""
        chosen = self.list.chosen()
        if len(chosen) != 1:
            return
        line = chosen[0]
        self._forget_study()
        if not line.session:
            self._asked += 1
            self.view.show_study({"title": "This journal cannot be read",
                                  "sentences": [f"{line.status}.".replace("..", "."),
                                                "Its tapes are left where they are; `basisdesk "
                                                "check` says more of the journal."]})  # fmt: skip
            return
        self._library.report(line.key, self._shower(report_study))

    def show_running(self) -> None:
        """Choose the desk's own session and read its report as it stands now."""
        self._to_running = True
        if not self._arranged:
            self._split(REPORT_LIST_SHARE)
        self.refresh()

    def compare(self) -> None:
        """Put the chosen sessions side by side."""
        keys = [line.key for line in self.list.chosen()]
        self._library.compare(keys, self._shower(self._kept))

    def import_trades(self, path: str) -> None:
        """Re-price a trade log of the script; funding as typed, unknown where nothing is."""
        typed = self.funding.text().strip().rstrip("%").strip()
        rate = _rate(typed)
        if typed and rate is None:
            self._say(f"Funding is a percentage of at most {FUNDING_PCT_MAX} in 8 h, such as 0.01.")
            return
        self._imported = Path(path)
        self.assume.show()
        self._library.import_trades(self._imported, rate, self._shower(self._kept))

    def open_page(self) -> None:
        """Open what stands at the right as a page in a browser."""
        chosen = self.list.chosen()
        if self._study is not None:
            self._library.study_page(self._study, self._on_page)
        elif len(chosen) == 1:
            self._library.page(chosen[0].key, self._on_page)

    def ask_trash(self) -> TrashDialog | None:
        """Say what would go into the trash, and ask."""
        chosen = self.list.chosen()
        if not chosen:
            return None
        keys = [line.key for line in chosen]
        utc = self._context.settings.ui.utc
        title = title_of(chosen[0], utc) if len(chosen) == 1 else f"{len(chosen)} sessions"
        dialog = TrashDialog(title, self._library.trash_words(keys), self._theme, self)
        dialog.accepted.connect(
            lambda: self._library.trash(keys, self._teller("It lies in the trash now."))
        )
        dialog.open()
        return dialog

    def ask_restore(self) -> RestoreDialog:
        """Show what lies in the trash."""
        dialog = RestoreDialog(self._library.trashed(), self._theme, self)
        dialog.chosen.connect(
            lambda name: self._library.restore(name, self._teller("It was put back."))
        )
        dialog.open()
        return dialog

    def on_help(self, act: Callable[[], object]) -> None:
        """Let Shift+F1 open the guide's page about sessions."""
        self._add_key(HELP_KEY, act)

    def on_halt(self, act: Callable[[], object]) -> None:
        """Let Ctrl+. work here too."""
        self._add_key(HALT_KEY, act)

    # --- building ---------------------------------------------------------------------------------

    def _banner(self) -> PlainLabel:
        said = self._theme.label("", "text")
        said.setWordWrap(True)
        said.setProperty("role", "banner-warn")
        said.hide()
        return said

    def _lay_out(self) -> None:
        px = self._theme.px
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(px(6))
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.list)
        self.split.addWidget(self._right())
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.said)
        column.addWidget(self.split, 1)
        self.setCentralWidget(body)
        size = self.size().expandedTo(self.minimumSizeHint())
        self.resize(*FIRST_SIZE)
        if not offscreen():
            room = QGuiApplication.primaryScreen().availableGeometry().size()
            self.resize(self.size().boundedTo(room).expandedTo(size))
        self._split(LIST_SHARE)
        self.split.splitterMoved.connect(self._on_split)

    def _split(self, share: float) -> None:
        wide = self.width()
        self.split.setSizes([round(wide * share), round(wide * (1 - share))])

    def _on_split(self) -> None:
        self._arranged = True

    def _right(self) -> QWidget:
        px = self._theme.px
        right = surfaced(QWidget(self), self._theme)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, px(6), 0, 0)
        column.setSpacing(px(4))
        line = QHBoxLayout()
        line.setContentsMargins(px(8), 0, px(8), 0)
        line.setSpacing(px(4))
        for name, text, said in (
            ("import", "Import trade_log.csv\u2026",
             "The convergence script's log: what it claims, what it left out, what is left."),
            ("trash", "Trash\u2026", "What lies in the trash, and how to bring it back."),
            ("open", "Open page", "Write what stands here as a page and open it in a browser."),
        ):  # fmt: skip
            button = QPushButton(text, right)
            set_tip(button, said)
            self.buttons[name] = button
            line.addWidget(button)
        line.addWidget(self.done, 1)
        column.addLayout(line)
        self._fill_assume()
        column.addWidget(self.assume)
        column.addWidget(self.view, 1)
        return right

    def _fill_assume(self) -> None:
        px = self._theme.px
        line = QHBoxLayout(self.assume)
        line.setContentsMargins(px(8), 0, px(8), 0)
        line.setSpacing(px(6))
        label = self._theme.label("Assume funding, % each 8 h", "muted")
        label.setBuddy(self.funding)
        self.funding.setAccessibleName("Funding rate to assume, percent each 8 h")
        self.funding.setPlaceholderText("unknown")
        self.funding.setMaximumWidth(px(110))
        set_tip(self.funding, "Such as 0.01; above 0 longs pay shorts. Empty: unknown.")
        again = QPushButton("Price again", self.assume)
        self.buttons["again"] = again
        for part in (label, self.funding, again):
            line.addWidget(part)
        line.addStretch(1)
        self._forget_study()

    def _join(self) -> None:
        acts = {
            "replay": self._replay,
            "page": self.open_page,
            "export": self._ask_export,
            "compare": self.compare,
            "trash": self.ask_trash,
        }
        self.list.asked.connect(lambda name: acts[name]())
        self.list.marked.connect(self._on_marked)
        self.list.chosen_changed.connect(self._rest.start)
        self._rest.timeout.connect(self.show_report)
        self.buttons["open"].clicked.connect(self.open_page)
        self.buttons["import"].clicked.connect(lambda: ask_trade_log(self, self.import_trades))
        self.buttons["trash"].clicked.connect(self.ask_restore)
        self.buttons["again"].clicked.connect(self._again)
        self.funding.returnPressed.connect(self._again)
        self._add_key("Ctrl+W", self.close)
        self._add_key("Esc", self.close)
        self._add_key("Ctrl+F", self.list.focus_search)
        self._add_key("F5", self.refresh)

    def _add_key(self, key: str, act: Callable[..., object]) -> None:
        action = QAction(self)
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(act)
        self.addAction(action)

    # --- answers ----------------------------------------------------------------------------------

    def _shower(self, made: Callable[[Any], Mapping[str, object]]) -> Shown:
        """Shows what comes at the right, if nothing else was asked for since."""
        self._rest.stop()  # a selection that was about to be read gives way to what was asked for
        self._asked += 1
        number = self._asked

        def shown(found: object, sentence: str) -> None:
            if number != self._asked:
                return
            self._say(sentence)
            if found is not None:
                self.list.show_lines(self._library.lines())  # the running one was valued anew
                self.view.show_study(made(found))

        return shown

    def _kept(self, study: Mapping[str, object]) -> Mapping[str, object]:
        self._study = study
        self.done.clear()  # it told of what stood here before
        self.buttons["open"].show()
        return study

    def _forget_study(self) -> None:
        self._study, self._imported = None, None
        self.assume.hide()
        self.buttons["open"].hide()  # the list has a button for a session's own page

    def _teller(self, done: str) -> Told:
        def told(sentence: str) -> None:
            self._on_looked(sentence)
            self._did("" if sentence else done)

        return told

    def _did(self, done: str) -> None:
        """Say for a while what was done."""
        self.done.setText(done)
        self._fade.start()

    def _on_looked(self, sentence: str) -> None:
        self.list.show_lines(self._library.lines())
        if self._to_running and self.list.choose_running():
            self._rest.start()  # chosen already, it has moved on since it was read
        self._to_running = False
        count = len(self._library.trashed())
        self.buttons["trash"].setText(f"Trash ({count})\u2026" if count else "Trash\u2026")
        self._say(sentence)

    def _on_marked(self, key: str, tags: object, note: str) -> None:
        asked = [str(tag) for tag in tags] if isinstance(tags, list) else []
        problem = self._library.mark(key, asked, note)
        self._say(problem)
        if not problem:
            self.list.show_lines(self._library.lines())
            self._did("Kept.")

    def _on_page(self, found: object, sentence: str) -> None:
        self._say(sentence)
        if isinstance(found, Path):
            self.done.setText(f"Written: {found}")
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(found)))

    def _replay(self) -> None:
        chosen = self.list.chosen()
        if not chosen:
            return
        if len(chosen[0].tapes_mb) < 2:
            self._play(chosen[0].key, 0)
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for part, text in enumerate(part_texts(chosen[0])):
            menu.addAction(text).triggered.connect(partial(self._play, chosen[0].key, part))
        button = self.list.buttons["replay"]
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _play(self, key: str, part: int, *_checked: bool) -> None:
        self._say(self._library.replay(key, part))

    def _ask_export(self) -> None:
        if chosen := self.list.chosen():
            key = chosen[0].key
            ask_folder(self, lambda folder: self._export(key, folder))

    def _export(self, key: str, folder: str) -> None:
        def told(sentence: str) -> None:
            self._say(sentence)
            self.done.setText("" if sentence else f"Saved into {folder}")

        self._library.export(key, Path(folder), told)

    def _again(self) -> None:
        if self._imported is not None:
            self.import_trades(str(self._imported))

    def _say(self, sentence: str) -> None:
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))
        if sentence:
            self.done.setText("")

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        """Look anew each time it comes onto the screen."""
        super().showEvent(event)
        self.refresh()


def _rate(typed: str) -> Decimal | None:
    """A rate as typed in percent, as a fraction; None where it is none."""
    try:
        rate = Decimal(typed.replace("\N{MINUS SIGN}", "-"))
    except InvalidOperation:
        return None
    return rate / 100 if rate.is_finite() and abs(rate) <= FUNDING_PCT_MAX else None
