"""Claims of the founding notes and what became of them here: a word and a mark, never an arrow."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from basisdesk.ui.lab_rows import claims_text, status_text, status_tone
from basisdesk.ui.lab_study import surfaced
from basisdesk.ui.lab_view import ClaimRow, LabView
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme, set_tip

CLAIM_COLUMNS = (
    Column("Note", lambda row: row.note, left=True, sample="S1, S3",
           tip="Which of the founding notes says it."),
    Column("Claim", lambda row: row.claim, left=True, stretch=True, wide_px=300,
           detail=lambda row: row.claim),
    Column("Status", status_text, lambda row: row.status, left=True, meaning=status_tone,
           sample="\u25d2 compatible, cannot tell",
           tip="Reproduced where the interval measured here holds the claimed figure and is "
           "narrow enough to tell; the answer of the run with most outcomes."),
    Column("What shows it", lambda row: row.said, left=True, stretch=True, wide_px=300,
           detail=lambda row: row.said),
)  # fmt: skip
DEFAULTS = "No claim is a default of this program, and none is a promise."


class ClaimsPanel(QWidget):
    """The table, and below it the chosen claim in full.

    run_asked: name of the run that shows it. study_asked: name of the study that tests it.
    """

    run_asked = Signal(str)
    study_asked = Signal(str)

    def __init__(self, view: LabView, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        surfaced(self, theme)
        self.table = TableView(CLAIM_COLUMNS, theme, key=lambda row: (row.note, row.claim))
        self.table.setAccessibleName("Claims of the founding notes")
        self.table.empty_text = "The claims are being read."
        self.counts = theme.label("", "text")
        self.counts.setWordWrap(True)
        self.claim = theme.label("", "text", 12, 600)
        self.said = theme.label("", "text")
        for label in (self.claim, self.said):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.open = QPushButton("Show the run", self)
        set_tip(self.open, "Go to the run that shows it.")
        self.open.clicked.connect(self._on_open)
        self.test = QPushButton("Set up its study", self)
        set_tip(self.test, "Go to the study that puts this claim to the test.")
        self.test.clicked.connect(self._on_test)
        self._lay_out(theme)
        self.table.row_chosen.connect(self._on_chosen)
        view.changed.connect(self._on_changed)
        self._on_changed("claims")

    def _lay_out(self, theme: Theme) -> None:
        px = theme.px
        head = QHBoxLayout()
        head.setContentsMargins(px(10), px(8), px(10), px(4))
        head.addWidget(self.counts, 1)
        head.addWidget(theme.label(DEFAULTS, "muted"))
        foot = QVBoxLayout()
        foot.setContentsMargins(px(10), px(4), px(10), px(10))
        foot.setSpacing(px(4))
        foot.addWidget(self.claim)
        line = QHBoxLayout()
        line.addWidget(self.said, 1)
        line.addWidget(self.open, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.test, 0, Qt.AlignmentFlag.AlignTop)
        foot.addLayout(line)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        column.addLayout(foot)

    def _on_changed(self, what: str) -> None:
        if what == "claims":
            self.table.show_rows(self._view.claims)
            self.counts.setText(claims_text(self._view.claims))
            self._on_chosen(self.table.chosen())

    def _on_chosen(self, row: object) -> None:
        claim = row if isinstance(row, ClaimRow) else None
        self.claim.setText(
            f"{claim.claim}  {status_text(claim)}" if claim else "Choose a claim to read it whole."
        )
        self.said.setText(claim.said if claim else "")
        self.open.setVisible(bool(claim and claim.run))
        self.test.setVisible(bool(claim and claim.study.replace("_", "-") in self._view.studies))

    def _on_open(self) -> None:
        row = self.table.chosen()
        if isinstance(row, ClaimRow) and row.run:
            self.run_asked.emit(row.run)

    def _on_test(self) -> None:
        row = self.table.chosen()
        if isinstance(row, ClaimRow):
            self.study_asked.emit(row.study)
