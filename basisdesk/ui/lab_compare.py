"""Side by side: two to four runs of the lab, or two saved session logs."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.lab_rows import run_title
from basisdesk.ui.lab_study import StudyView, surfaced
from basisdesk.ui.lab_view import LabActions, LabView, RunRow
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

SIDES = ("A", "B", "C", "D")
NEEDED = 2
LEFT_PX = 330
NONE = "\u2013"
EMPTY = (
    "Choose two to four runs, or two saved session logs, at the left. What was fixed beforehand "
    "comes first, then what each said, then their tables column by column with the differences."
)


class ComparePanel(QWidget):
    """Chooses what stands side by side, and shows it."""

    def __init__(
        self, view: LabView, actions: LabActions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._actions = actions
        self._theme = theme
        self.runs = [self._run_box(side) for side in SIDES]
        self.logs = [self._log_edit(side) for side in SIDES[:NEEDED]]
        self.compare = QPushButton("Compare runs", self)
        self.sessions = QPushButton("Compare sessions", self)
        self.problem = self._wrapped("", "loss")
        self.problem.hide()
        self.found = StudyView(EMPTY, theme)
        self._lay_out()
        self.compare.clicked.connect(self.compare_runs)
        self.sessions.clicked.connect(self.compare_sessions)
        view.changed.connect(self._on_changed)
        self._fill()

    def put(self, names: tuple[str, ...]) -> None:
        """Choose these runs; the newest other run of the same study stands beside a single one."""
        if len(names) == 1:
            names = (*names, *self._like(names[0]))
        for box, name in zip(self.runs, (*names, "", "", "", ""), strict=False):
            box.setCurrentIndex(max(0, box.findData(name)))

    def chosen(self) -> list[str]:
        """Names of the chosen runs, each once."""
        names = [str(box.currentData() or "") for box in self.runs]
        return list(dict.fromkeys(name for name in names if name))

    def compare_runs(self) -> None:
        """Put the chosen runs side by side, or say why not."""
        names = self.chosen()
        if len(names) < NEEDED:
            self._say("Choose two different runs at least.")
            return
        self._say("")
        self._actions.compare(names)

    def compare_sessions(self) -> None:
        """Put the two session logs side by side, or say why not."""
        texts = [edit.text().strip() for edit in self.logs]
        if not all(texts):
            self._say("Choose two saved session logs. Session > Save log makes one.")
            return
        self._say("")
        self._actions.compare_sessions([Path(text) for text in texts])

    # --- building ---------------------------------------------------------------------------------

    def _run_box(self, side: str) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(f"Run {side}")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.addItem(NONE, "")
        return box

    def _log_edit(self, side: str) -> QLineEdit:
        edit = QLineEdit(self)
        edit.setAccessibleName(f"Session log {side}")
        edit.setPlaceholderText("folder, or session.json")
        return edit

    def _lay_out(self) -> None:
        px = self._theme.px
        left = surfaced(QWidget(self), self._theme)
        column = QVBoxLayout(left)
        column.setContentsMargins(px(10), px(8), px(10), px(10))
        column.setSpacing(px(6))
        column.addWidget(self._theme.label("Runs", "text", 12, 600))
        for side, box in zip(SIDES, self.runs, strict=True):
            column.addLayout(self._row(side, box))
        column.addWidget(self.compare)
        column.addSpacing(px(14))
        column.addWidget(self._theme.label("Session logs", "text", 12, 600))
        column.addWidget(self._wrapped("What Session > Save log wrote: a folder each.", "muted"))
        for side, edit in zip(SIDES, self.logs, strict=False):
            browse = QPushButton("Browse\u2026", left)
            browse.setAccessibleName(f"Browse for session log {side}")
            set_tip(browse, "Choose the folder of a saved session log.")
            browse.clicked.connect(lambda _on=False, to=edit: self.ask_log(to))
            row = self._row(side, edit)
            row.addWidget(browse)
            column.addLayout(row)
        column.addWidget(self.sessions)
        column.addWidget(self.problem)
        column.addStretch(1)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(px(6))
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(left)
        self.split.addWidget(self.found)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([px(LEFT_PX), px(900)])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.split)

    def _row(self, side: str, edit: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(6))
        name = self._theme.label(side, "muted")
        name.setFixedWidth(self._theme.px(14))
        row.addWidget(name)
        row.addWidget(edit, 1)
        return row

    def _wrapped(self, text: str, tone: str) -> PlainLabel:
        label = self._theme.label(text, tone, 11)
        label.setWordWrap(True)
        return label

    def ask_log(self, edit: QLineEdit) -> QFileDialog:
        """Choose the folder of a saved session log."""
        dialog = QFileDialog(self, "Choose the folder of a saved session log")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(edit.setText)
        dialog.open()
        return dialog

    # --- what is shown ----------------------------------------------------------------------------

    def _like(self, name: str) -> tuple[str, ...]:
        one = next((run for run in self._view.runs if run.name == name), None)
        others = [run.name for run in self._view.runs if run.name != name]
        same = [run.name for run in self._view.runs if one and run.study == one.study]
        found = [each for each in same if each != name] or others
        return tuple(found[:1])

    def _on_changed(self, what: str) -> None:
        if what == "runs":
            self._fill()
        elif what == "compared":
            self.found.show_study(self._view.compared)

    def _fill(self) -> None:
        for box in self.runs:
            held = box.currentData()
            box.clear()
            box.addItem(NONE, "")
            for run in self._view.runs:
                box.addItem(self._named(run), run.name)
            box.setCurrentIndex(max(0, box.findData(held)))
            view = box.view()
            view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)

    @staticmethod
    def _named(run: RunRow) -> str:
        return f"{run_title(run)} \u00b7 {run.note}" if run.note else run_title(run)

    def _say(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
