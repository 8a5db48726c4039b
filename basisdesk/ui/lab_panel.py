"""Runs of the lab: the list at the left, the chosen one in the middle, setting up at the right."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from basisdesk.ui.halt_dialogs import AskDialog
from basisdesk.ui.lab_rows import run_title, study_name
from basisdesk.ui.lab_setup import SetupPanel
from basisdesk.ui.lab_study import StudyView, surfaced
from basisdesk.ui.lab_view import LabActions, LabView, RunRow
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme, set_tip

NOTE_CHARS_MAX = 2_000
LIST_PX, SETUP_PX, SPACE_PX = 330, 330, 6
NARROW_PX = 1_100  # below it there is no room for list, study and form
EMPTY_RUNS = "No runs yet. Set a study up at the right and run it; what it finds is kept here."
EMPTY_STUDY = (
    "Choose a run at the left to read what it found. Each run keeps its plan, its data, its tables "
    "and a page that opens in a browser."
)


def _detail(run: RunRow) -> str:
    return "\n".join(part for part in (run.note and f"Note: {run.note}", run.said) if part)


RUN_COLUMNS = (
    Column("UTC", lambda run: run.utc[:16], lambda run: run.utc, left=True,
           sample="2026-11-21 23:46", tip="When the run was kept."),
    Column("Study", lambda run: study_name(run.study), left=True, sample="replicate"),
    Column("Found", lambda run: f"{run.note} \u2013 {run.said}" if run.note else run.said,
           left=True, stretch=True, detail=_detail,
           tip="Your note, and the first sentence of what was found.", wide_px=80),
)  # fmt: skip


class NoteDialog(AskDialog):
    """A note to keep with a run. Empty takes the old one away. chosen: the text."""

    chosen = Signal(str)

    def __init__(self, run: RunRow, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Note", "Keep note", theme, parent)
        self.text = QLineEdit(run.note, self)
        self.text.setMaxLength(NOTE_CHARS_MAX)
        self.text.setAccessibleName("Note of this run")
        self.text.setPlaceholderText("What this run was for")
        self.fill(
            self.wrapped(run_title(run), weight=600), self.wrapped(run.said, "muted"), self.text
        )
        self.act.setDefault(True)
        self.accepted.connect(lambda: self.chosen.emit(self.text.text().strip()))
        self.text.setFocus()


class TrashDialog(AskDialog):
    """Put a run away? It can be moved back by hand."""

    def __init__(self, run: RunRow, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("To the trash", "Put into the trash", theme, parent)
        said = "It goes into the folder lab/trash of your profile; nothing is deleted."
        self.fill(self.wrapped(run_title(run), weight=600), self.wrapped(said, "muted"))
        self.cancel.setFocus()


class RunsPanel(QWidget):
    """The tab of runs. compare_asked: names of the runs that shall stand side by side."""

    compare_asked = Signal(object)

    def __init__(
        self, view: LabView, actions: LabActions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._actions = actions
        self._theme = theme
        self._newest = ""  # the run that a job of this window kept last
        self.table = TableView(RUN_COLUMNS, theme, key=lambda run: run.name)
        self.table.empty_text = EMPTY_RUNS
        self.table.setAccessibleName("Runs of the lab")
        self.study = StudyView(EMPTY_STUDY, theme)
        self.setup: SetupPanel  # a turn of the loop later: `add_setup`
        self.form = QPushButton("Set up a study", self)
        self.form.setCheckable(True)
        set_tip(
            self.form, "Show the form in place of the study; the window is too narrow for both."
        )
        self.form.toggled.connect(self._share)
        self.form.hide()
        self.buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self.table.row_chosen.connect(self._on_chosen)
        self.table.doubleClicked.connect(lambda _at: self.open_page())
        view.changed.connect(self._on_changed)
        self._on_chosen(None)

    def add_setup(self) -> None:
        """Make the form at the right."""
        px = self._theme.px
        self.setup = SetupPanel(self._view, self._actions, self._theme)
        self.split.addWidget(self.setup)
        left, wide = self.split.sizes()[0], sum(self.split.sizes())
        self.split.setSizes([left, max(px(240), wide - left - px(SETUP_PX)), px(SETUP_PX)])
        self._share()

    def show_setup(self) -> None:
        """Bring the form onto the screen where it has to share its place with the study."""
        self.form.setChecked(True)

    @property
    def chosen(self) -> RunRow | None:
        """The run chosen in the list."""
        found = self.table.chosen()
        return found if isinstance(found, RunRow) else None

    def choose(self, name: str) -> None:
        """Choose a run by its name; nothing where it is gone."""
        for place, run in enumerate(self.table.rows_model.rows):
            if run.name == name:
                self.table.choose(place)
                return

    def open_page(self) -> None:
        """Open the chosen run's page in a browser."""
        if (run := self.chosen) is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._actions.page(run.name))))

    def ask_note(self) -> NoteDialog | None:
        """Ask for a note to keep with the chosen run."""
        run = self.chosen
        if run is None:
            return None
        dialog = NoteDialog(run, self._theme, self)
        dialog.chosen.connect(lambda text: self._actions.note(run.name, text))
        dialog.open()
        return dialog

    def ask_trash(self) -> TrashDialog | None:
        """Ask whether the chosen run shall be put away."""
        run = self.chosen
        if run is None:
            return None
        dialog = TrashDialog(run, self._theme, self)
        dialog.accepted.connect(lambda: self._actions.to_trash(run.name))
        dialog.open()
        return dialog

    # --- building ---------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        px = self._theme.px
        left = surfaced(QWidget(self), self._theme)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, px(6))
        column.setSpacing(px(6))
        column.addWidget(self.form)
        column.addWidget(self.table, 1)
        line = QHBoxLayout()
        line.setContentsMargins(px(6), 0, px(6), 0)
        line.setSpacing(px(4))
        for name, said, act in (
            ("Open page", "Open the run's page in a browser.", self.open_page),
            ("Compare", "Put this run beside another one.", self._on_compare),
            ("Note\u2026", "Keep a note with the run.", self.ask_note),
            ("To trash\u2026", "Puts the run into the lab's own trash folder.", self.ask_trash),
        ):
            button = QPushButton(name, left)
            set_tip(button, said)
            button.clicked.connect(act)
            self.buttons[name] = button
            line.addWidget(button)
        line.addStretch(1)
        column.addLayout(line)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(px(SPACE_PX))
        self.split.setChildrenCollapsible(False)
        for part, stretch in ((left, 1), (self.study, 3)):
            self.split.addWidget(part)
            self.split.setStretchFactor(self.split.count() - 1, stretch)
        self.split.setSizes([px(LIST_PX), px(620)])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.split)

    def _share(self) -> None:
        """In a narrow window the form and the study share one place, and a button turns them."""
        setup = getattr(self, "setup", None)
        if setup is None:
            return
        narrow = self.width() < self._theme.px(NARROW_PX)
        self.form.setVisible(narrow)
        setup.setVisible(not narrow or self.form.isChecked())
        self.study.setVisible(not narrow or not self.form.isChecked())

    # --- slots ------------------------------------------------------------------------------------

    def _on_changed(self, what: str) -> None:
        if what == "runs":
            before = self.chosen
            self.table.show_rows(self._view.runs)
            if self._newest:
                self.choose(self._newest)
                self._newest = ""
            elif before is None and self._view.runs:
                self.table.choose(0)
            elif before is not None and self.chosen is None:
                self.study.show_study(None)
        elif what == "study" and (run := self.chosen) is not None:
            if run.name == self._view.study_name:
                self.study.show_study(self._view.study, note=run.note)
        elif what == "jobs":
            kept = [job.run for job in self._view.jobs if job.state == "done" and job.run]
            known = {run.name for run in self._view.runs}
            self._newest = kept[-1] if kept and kept[-1] not in known else self._newest

    def _on_chosen(self, run: object) -> None:
        self.form.setChecked(False)
        for button in self.buttons.values():
            button.setEnabled(isinstance(run, RunRow))
        if isinstance(run, RunRow) and run.name != self._view.study_name:
            self._actions.show(run.name)
        elif isinstance(run, RunRow):
            self.study.show_study(self._view.study, note=run.note)

    def _on_compare(self) -> None:
        if (run := self.chosen) is not None:
            self.compare_asked.emit((run.name,))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """List, study and form side by side where there is room for the three."""
        super().resizeEvent(event)
        self._share()
