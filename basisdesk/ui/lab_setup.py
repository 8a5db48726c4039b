"""Setting up a study: which one, on which data, which figures; run it and see how far it is."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.lab_fields import (
    OPEN_KINDS,
    PATH_SEPARATOR,
    TEXT_MAX,
    Field,
    Filled,
    Study,
    filled,
    known_studies,
    shown_fields,
)
from basisdesk.ui.lab_rows import job_end, job_share, job_text, waiting_text
from basisdesk.ui.lab_study import surfaced
from basisdesk.ui.lab_view import Job, LabActions, LabView
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.ticket_fields import unit_label

LABEL_PX, UNIT_PX, WIDE_PX = 84, 50, 316
MORE_TIP = "Options without a field of their own, as they would be typed: --axis entry_bp=4:20:2."
PARTS = 1_000  # of the progress bar


class FieldRow(QWidget):
    """One field: its name, what is typed, its unit, and below it what is wrong with it."""

    changed = Signal()

    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._theme = theme
        self.edit: QLineEdit | QComboBox | QCheckBox = self._editor()
        self.edit.setAccessibleName(f"{field.name}, {field.unit}" if field.unit else field.name)
        set_tip(self.edit, f"{field.tip} ({field.option})".strip())
        self.browse: QPushButton | None = None
        self.problem = theme.label("", "loss", 11)
        self.problem.setWordWrap(True)
        self.problem.hide()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(6))
        if field.kind != "flag":
            name = theme.label(field.name, "muted")
            name.setMinimumWidth(theme.px(LABEL_PX))
            name.setBuddy(self.edit)
            set_tip(name, field.tip)
            row.addWidget(name)
        row.addWidget(self.edit, 1)
        if field.unit:
            unit = unit_label(field.unit, theme)
            unit.setFixedWidth(theme.px(UNIT_PX))
            row.addWidget(unit)
        if field.kind in OPEN_KINDS:
            self.browse = QPushButton("Browse\u2026", self)
            self.browse.setAccessibleName(f"Browse for {field.name}")
            self.browse.clicked.connect(self.ask)
            row.addWidget(self.browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addLayout(row)
        column.addWidget(self.problem)

    @property
    def text(self) -> str:
        """What is typed; "yes" or "" of a box."""
        if isinstance(self.edit, QLineEdit):
            return self.edit.text()
        if isinstance(self.edit, QCheckBox):
            return "yes" if self.edit.isChecked() else ""
        return self.field.choices[self.edit.currentIndex()]

    def put(self, text: str) -> None:
        """Fill it in."""
        if isinstance(self.edit, QLineEdit):
            self.edit.setText(text)
        elif isinstance(self.edit, QCheckBox):
            self.edit.setChecked(bool(text))
        elif text in self.field.choices:
            self.edit.setCurrentIndex(self.field.choices.index(text))

    def say(self, problem: str) -> None:
        """Show what is wrong, or nothing."""
        wrong = bool(problem)
        if bool(self.edit.property("bad")) != wrong:
            self.edit.setProperty("bad", wrong)
            self.edit.style().polish(self.edit)
        self.problem.setText(problem)
        self.problem.setVisible(wrong)
        self.edit.setAccessibleDescription(problem)

    def ask(self) -> QFileDialog:
        """Choose a folder or a file in a dialog that blocks nothing."""
        kind = self.field.kind
        dialog = QFileDialog(self, f"Choose {self.field.name.lower()}")
        if kind in ("folder", "paths"):
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly, on=kind == "folder")
        elif kind == "file":
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        else:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setOption(QFileDialog.Option.DontConfirmOverwrite, on=True)  # a log goes on
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_chosen)
        dialog.open()
        return dialog

    def _editor(self) -> QLineEdit | QComboBox | QCheckBox:
        field = self.field
        if field.kind == "choice":
            box = QComboBox(self)
            box.addItems(list(field.names or field.choices))
            box.setCurrentIndex(field.choices.index(field.default))
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.currentIndexChanged.connect(self.changed)
            return box
        if field.kind == "flag":
            check = QCheckBox(field.name, self)
            check.toggled.connect(self.changed)
            return check
        line = QLineEdit(field.default, self)
        line.setMaxLength(TEXT_MAX)
        line.setMinimumWidth(self._theme.px(60))
        if field.kind == "date":
            line.setPlaceholderText("2024-01-31")
        elif field.kind in ("number", "count"):
            line.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line.textEdited.connect(self.changed)
        return line

    def _on_chosen(self, path: str) -> None:
        if self.field.kind == "paths" and self.text.strip():
            path = f"{self.text.strip()}{PATH_SEPARATOR} {path}"
        self.put(path)
        self.changed.emit()


class SetupPanel(QWidget):
    """The form of one study, its command line, and the study that runs.

    What is typed is kept for each study while the window lives.
    """

    def __init__(
        self, view: LabView, actions: LabActions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._actions = actions
        self._theme = theme
        surfaced(self, theme)
        self._typed: dict[str, dict[str, str]] = {}
        self._strict = False  # after the first Run: empty fields that are needed say so too
        self.rows: dict[str, FieldRow] = {}
        self.chooser = QComboBox(self)
        self._studies = known_studies(view.studies)
        self.chooser.addItems([study.name for study in self._studies])
        self.chooser.setAccessibleName("Study")
        self.source = QComboBox(self)
        self.source.setAccessibleName("Source of the data")
        self.about = self._wrapped("", "muted", 11)
        self.more = QLineEdit(self)
        self.more.setMaxLength(TEXT_MAX)
        self.more.setAccessibleName("More options")
        set_tip(self.more, MORE_TIP)
        self.more_problem = self._wrapped("", "loss", 11)
        self.line = QLineEdit(self)
        self.line.setReadOnly(True)
        self.line.setAccessibleName("The same on the command line")
        set_tip(self.line, "The same on the command line, to copy.")
        self.copy = QPushButton("Copy", self)
        set_tip(self.copy, "Copy the command line.")
        self.run = QPushButton("Run", self)
        self.run.setProperty("role", "primary")
        self.stop = QPushButton("Stop", self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(theme.px(8))
        self.bar.setAccessibleName("Progress of the study")
        self.far = self._wrapped("", "muted", 11)
        self.waits = self._wrapped("", "muted", 11)
        self._fields = QWidget()
        self._lay_out()
        self._join()
        self._on_study()

    @property
    def study(self) -> Study:
        """The study that is set up."""
        return self._studies[self.chooser.currentIndex()]

    def choose(self, key: str) -> None:
        """Set up another study, by its name on the command line; nothing where there is none."""
        for at, study in enumerate(self._studies):
            if study.key == key.replace("_", "-"):
                self.chooser.setCurrentIndex(at)

    def put(self, typed: dict[str, str]) -> None:
        """Fill fields in, by option."""
        for option, text in typed.items():
            if option in self.rows:
                self.rows[option].put(text)
        self._on_typed()

    def start(self) -> None:
        """Run it as it is set up, or say beside each field why not."""
        self._strict = True
        found = self._check()
        if found.problems:
            return
        problem = self._actions.run(self.study.key, found.arguments)
        if problem:
            self._tell(problem, "loss")
        self._strict = False

    # --- building ---------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        px = self._theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(10), px(8), px(10), px(10))
        column.setSpacing(px(6))
        column.addWidget(self._heading("Set up a study"))
        column.addWidget(self.chooser)
        column.addWidget(self.about)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = surfaced(QWidget(), self._theme)
        self._inside = QVBoxLayout(inside)
        self._inside.setContentsMargins(0, 0, px(8), 0)
        self._inside.setSpacing(px(4))
        scroll.setWidget(inside)
        column.addWidget(scroll, 1)
        foot = QGridLayout()
        foot.setHorizontalSpacing(px(6))
        foot.setVerticalSpacing(px(4))
        foot.addWidget(self._theme.label("Command", "muted"), 0, 0)
        foot.addWidget(self.line, 0, 1)
        foot.addWidget(self.copy, 0, 2)
        foot.setColumnStretch(1, 1)
        column.addLayout(foot)
        column.addWidget(self.far)
        column.addWidget(self.bar)
        column.addWidget(self.waits)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run, 1)
        buttons.addWidget(self.stop)
        column.addLayout(buttons)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def _build_fields(self) -> None:
        """Rows of the fields that count, under the names of their groups."""
        study, px = self.study, self._theme.px
        self._fields.setParent(None)
        self._fields.deleteLater()
        self._fields = QWidget()
        column = QVBoxLayout(self._fields)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(5))
        self.rows = {}
        group = ""
        kept = self._typed.setdefault(study.key, {})
        for field in shown_fields(study, self.source.currentText()):
            if field.group != group:
                group = field.group
                column.addSpacing(px(4))
                column.addWidget(self._heading(group))
                if group == "Data" and study.sources:
                    column.addWidget(self.source)
                    self.source.show()
            row = FieldRow(field, self._theme)
            if field.option in kept:
                row.put(kept[field.option])
            row.changed.connect(self._on_typed)
            self.rows[field.option] = row
            column.addWidget(row)
        column.addSpacing(px(4))
        column.addWidget(self._heading("More options"))
        column.addWidget(self.more)
        column.addWidget(self.more_problem)
        column.addStretch(1)
        self._inside.addWidget(self._fields, 1)

    def _join(self) -> None:
        self.chooser.currentIndexChanged.connect(self._on_study)
        self.source.currentIndexChanged.connect(self._on_source)
        self.more.textEdited.connect(self._on_typed)
        self.copy.clicked.connect(self._on_copy)
        self.run.clicked.connect(self.start)
        self.stop.clicked.connect(self._on_stop)
        self._view.changed.connect(self._on_changed)
        self._show_job()

    def _heading(self, text: str) -> PlainLabel:
        return self._theme.label(text, "text", 12, 600)

    def _wrapped(self, text: str, tone: str, size: int = 12) -> PlainLabel:
        label = self._theme.label(text, tone, size)
        label.setWordWrap(True)
        return label

    # --- what is typed ----------------------------------------------------------------------------

    def _check(self) -> Filled:
        typed = {option: row.text for option, row in self.rows.items()}
        self._typed[self.study.key].update(typed)
        found = filled(self.study, self.source.currentText(), typed, self.more.text())
        for option, row in self.rows.items():
            empty = not row.text.strip()
            problem = found.problems.get(option, "")
            row.say(problem if self._strict or not empty else "")
        self.more_problem.setText(found.problems.get("more", ""))
        self.more_problem.setVisible("more" in found.problems)
        self.line.setText(self._actions.line(self.study.key, found.arguments))
        self.line.setCursorPosition(0)
        return found

    def _on_typed(self) -> None:
        self._check()

    def _on_study(self) -> None:
        study = self.study
        self._strict = False
        self.about.setText(study.about)
        blocked = self.source.blockSignals(True)
        if list(study.sources) != [self.source.itemText(at) for at in range(self.source.count())]:
            self.source.clear()
            self.source.addItems(list(study.sources))
        self.source.blockSignals(blocked)
        self._on_source()

    def _on_source(self) -> None:
        for shared in (self.source, self.more, self.more_problem):  # they outlive the rows
            shared.setParent(self)
            shared.hide()
        self._build_fields()
        self.more.show()
        self._check()

    def _on_copy(self) -> None:
        self.line.selectAll()
        self.line.copy()

    # --- what runs --------------------------------------------------------------------------------

    def _on_stop(self) -> None:
        running = self._view.running
        waiting = next((job for job in self._view.jobs if job.state == "waiting"), None)
        job = running or waiting
        if job is not None:
            self._actions.stop(job.number)

    def _on_changed(self, what: str) -> None:
        if what == "jobs":
            self._show_job()

    def _show_job(self) -> None:
        jobs = self._view.jobs
        job = self._view.running
        last = next((each for each in reversed(jobs) if each.over), None)
        self.stop.setEnabled(job is not None and job.state == "running")
        self.run.setText("Run" if job is None else "Run after this one")
        self.waits.setText(waiting_text(jobs))
        self.waits.setVisible(bool(waiting_text(jobs)))
        self.bar.setVisible(job is not None)
        if job is not None:
            self._show_share(job)
            self._tell(job_text(job), "text")
        elif last is not None:
            self._tell(*job_end(last))
        else:
            self._tell("", "muted")

    def _show_share(self, job: Job) -> None:
        share = job_share(job)
        self.bar.setRange(0, 0 if share is None else PARTS)  # 0 to 0: at work, how far unknown
        if share is not None:
            self.bar.setValue(round(share * PARTS))

    def _tell(self, text: str, tone: str) -> None:
        self.far.setText(text)
        self.far.set_colour(self._theme.qcolor(tone))
        self.far.setVisible(bool(text))

    # Qt

    def sizeHint(self) -> QSize:
        """As wide as its fields need."""
        return QSize(self._theme.px(WIDE_PX), self._theme.px(640))
