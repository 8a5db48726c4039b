"""The left and the middle of the forecast panel: score, lines and features, a widget each.

Each shows what rows made of a view and knows nothing of the others; forecast_panel.py places them.
"""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.forecast.table import GROUPS
from basisdesk.forecast.view import ForecastView
from basisdesk.ui.forecast_charts import ScoreBar, SignedBars
from basisdesk.ui.forecast_rows import Said, Verdict, gauge_of, head_of, lines_of, verdict_of
from basisdesk.ui.forecast_table_rows import (
    FeatureLine,
    feature_lines,
    feature_tip,
    foot_of,
    group_text,
    missing_text,
)
from basisdesk.ui.forecast_texts import unbroken
from basisdesk.ui.glossary import term
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

NAME_PX, ROW_PX = 88, 22
OUTSIDE = "G"  # the group of numbers from outside, offered where there are any
ALL_GROUPS = "All groups"
_STATES = {"": 0, "warming": 1, "missing": 2}


def say(label: PlainLabel, verdict: Verdict, theme: Theme) -> None:
    """Show a sentence in its tone; nothing is done where it stands there already."""
    text = unbroken(verdict.text)
    if label.text() != text:
        label.setText(text)
    label.set_colour(theme.qcolor(verdict.tone))
    set_tip(label, verdict.tip)


def low_rows(table: TableView, theme: Theme) -> None:
    """Rows as low as their text allows."""
    rows = table.verticalHeader()
    high = max(theme.px(ROW_PX), round(table.fontMetrics().height() * 1.4))
    rows.setMinimumSectionSize(high)
    rows.setDefaultSectionSize(high)


# --- score ----------------------------------------------------------------------------------------


class ScoreBlock(QWidget):
    """The side and its time, the probability on its scale, and the decision in one sentence."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.head = theme.label("", "muted", 11)
        self.head.setWordWrap(True)
        self.head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.bar = ScoreBar(theme)
        self.verdict = theme.label("", "text")
        self.verdict.setWordWrap(True)
        self.verdict.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(4))
        column.addWidget(self.head)
        column.addWidget(self.bar)
        column.addWidget(self.verdict)
        column.addStretch(1)

    def show_view(self, view: ForecastView | None, utc: bool = True, ticket: int = 0) -> None:
        """Show the pair on the screen. ticket: the side chosen there, 0 where it is not known."""
        head = head_of(view, utc, ticket)
        say(self.head, head, self._theme)
        self.head.setVisible(bool(head.text))
        self.bar.show_gauge(gauge_of(view))
        say(self.verdict, verdict_of(view), self._theme)

    def height_for(self, width: int) -> int:
        """How high it is at this width, its sentence whole."""
        high = self.bar.height()
        for label in (self.head, self.verdict):
            if label.text():
                high += self._theme.px(4) + label.heightForWidth(width)
        return high


class LinesBlock(QScrollArea):
    """Named lines below each other, their text wrapped and whole; they scroll when it is low."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[Said, ...] = ()
        self._labels: list[tuple[PlainLabel, PlainLabel]] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("What is expected of the pair")
        inside = QWidget()
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(0, 0, theme.px(6), 0)
        self._grid.setHorizontalSpacing(theme.px(8))
        self._grid.setVerticalSpacing(theme.px(4))
        self._grid.setColumnMinimumWidth(0, theme.px(NAME_PX))
        self._grid.setColumnStretch(1, 1)
        self.setWidget(inside)
        self.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)  # Qt switched it on: the panel is behind it

    @property
    def shown(self) -> tuple[Said, ...]:
        """The lines on the screen."""
        return self._shown

    def show_lines(self, lines: tuple[Said, ...]) -> None:
        """Show these lines."""
        if lines == self._shown:
            return
        self._shown = lines
        while len(self._labels) < len(lines):
            self._add()
        for place, (name, text) in enumerate(self._labels):
            line = lines[place] if place < len(lines) else Said("", "")
            for label, words in ((name, line.name), (text, unbroken(line.text))):
                if label.text() != words:
                    label.setText(words)
                label.setVisible(bool(words))
                set_tip(label, line.tip)
            text.set_colour(self._theme.qcolor(line.tone))

    def _add(self) -> None:
        row = len(self._labels)
        name, text = self._theme.label("", "muted"), self._theme.label("")
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(name, row, 0, top)
        self._grid.addWidget(text, row, 1, top)
        self._grid.setRowStretch(row, 0)
        self._grid.setRowStretch(row + 1, 1)
        self._labels.append((name, text))

    def height_for(self, width: int) -> int:
        """How high all lines are at this width."""
        return self._grid.heightForWidth(width - self.verticalScrollBar().sizeHint().width())

    def show_view(self, view: ForecastView | None, utc: bool, now_ns: int) -> None:
        """Show what is said of the pair on the screen."""
        self.show_lines(lines_of(view, utc, now_ns))


# --- features -------------------------------------------------------------------------------------


def feature_columns() -> tuple[Column, ...]:
    """One feature a row, its part of the logit as a bar."""
    return (
        Column("Feature", lambda row: row.name, left=True, sample="ofi_diff_1m",
               tip=term("Feature"), detail=_feature_tip, meaning=_grey),
        Column("Group", lambda row: group_text(row.group), left=True, spare=2,
               detail=_feature_tip, meaning=lambda _: "muted",
               sample="D order flow"),
        Column("Value", lambda row: row.shown, lambda row: row.row.value,
               tip="As it stands now, with its unit, for long spot and short perp.",
               detail=_feature_tip, meaning=_grey, sample="\u2212123.45 bp/8h"),
        Column("", lambda row: row.state, lambda row: _STATES[row.state], left=True, spare=1,
               detail=_feature_tip, meaning=lambda _: "muted", sample="warming"),
        Column("z", lambda row: row.z_shown, lambda row: row.z,
               tip="In deviations of what was learned from, from the side of the trade.",
               meaning=_grey, sample="\u221212.34"),
        Column("Part of the logit", lambda row: row.part_shown, lambda row: row.part,
               tip=term("Contribution"), gauge=lambda row: row.share,
               meaning=lambda row: "muted" if row.idle else "",
               detail=_feature_tip, sample="\u22120.000", wide_px=120, stretch=True),
    )  # fmt: skip


def _grey(row: FeatureLine) -> str:
    return "muted" if row.state else ""


def _feature_tip(row: FeatureLine) -> str:
    return feature_tip(row.row)


class FeaturesBlock(QWidget):
    """All features, sorted by any column, of all groups or of one, and what they add up to."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._group = ""
        self.count = theme.label("", "muted", 11)
        self.groups = QComboBox(self)
        self.groups.setAccessibleName("Group of features")
        self.groups.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.groups.setMinimumContentsLength(len("D order flow"))
        self.groups.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.groups.view().setMinimumWidth(theme.px(180))
        set_tip(self.groups, "Show all 44 features or one of six groups.")
        self.groups.addItem(ALL_GROUPS, "")
        for letter in GROUPS:
            self.groups.addItem(group_text(letter), letter)
        self.groups.currentIndexChanged.connect(self._on_group_chosen)
        self.table = TableView(feature_columns(), theme, key=lambda row: row.name)
        self.table.setAccessibleName("Features")
        last = len(self.table.rows_model.columns) - 1
        self.table.setItemDelegateForColumn(last, SignedBars(theme, self.table))
        low_rows(self.table, theme)
        self.foot = theme.label("", "muted", 11)
        self.foot.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(theme.px(8))
        head.addWidget(theme.label("Features", weight=600))
        head.addWidget(self.count)
        head.addStretch(1)
        head.addWidget(self.groups)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(2))
        column.addLayout(head)
        column.addWidget(self.table, 1)
        column.addWidget(self.foot)

    def show_view(self, view: ForecastView | None) -> None:
        """Show the features of the pair on the screen."""
        here = view.here if view is not None else None
        learned = view is not None and view.n_learned > 0
        lines = feature_lines(here, learned=learned)
        if not lines:
            self.table.empty_text = verdict_of(view).text
        self.table.show_rows(lines)
        if here is not None and here.extras and self.groups.findData(OUTSIDE) < 0:
            self.groups.addItem(group_text(OUTSIDE), OUTSIDE)
        foot = foot_of(here, learned=learned)
        say(self.foot, Verdict(foot.text, "muted" if foot.right else "loss", foot.tip), self._theme)
        self.foot.setVisible(bool(foot.text))
        count = missing_text(lines)
        if self.count.text() != count:
            self.count.setText(count)

    def _on_group_chosen(self) -> None:
        self._group = str(self.groups.currentData() or "")
        group = self._group
        self.table.proxy.set_keep((lambda row: row.group == group) if group else None)
