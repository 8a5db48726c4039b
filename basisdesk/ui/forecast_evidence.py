"""The right side of the forecast panel: whether it may be believed, and what it noted."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from basisdesk.forecast.view import ForecastView
from basisdesk.ui.facts_view import FactsView
from basisdesk.ui.forecast_blocks import low_rows, say
from basisdesk.ui.forecast_challengers import ChallengersBlock
from basisdesk.ui.forecast_charts import ReliabilityView
from basisdesk.ui.forecast_person import Spoken
from basisdesk.ui.forecast_proof_rows import (
    NO_REGIMES,
    REGIME_TIP,
    facts_of,
    proof_of,
    regime_rows,
    reliability_of,
)
from basisdesk.ui.forecast_table_rows import (
    SignalRow,
    signal_rows,
    signal_tip,
    signals_text,
    signals_tip,
)
from basisdesk.ui.glossary import term
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.ticket_fields import explain

PROOF_PX, FACTS_PX_MAX = 282, 400
BESIDE_PX, BELOW_PX = 420, 300  # from which the figures stand beside the curve, or below it
ONE_LINE_PX = 520  # from which a heading and its buttons share a line
WIDTH_MAX = 16_777_215  # Qt's own
OVERALL = "Overall"
VIEWS = {
    OVERALL: "All outcomes together: how good it was, drift, model and your own words.",
    "By regime": "The same by kind of market: outcomes, base rate and skill of each.",
    "Challengers": "Models of river beside ours on the same outcomes, where they are switched on.",
}


def regime_columns() -> tuple[Column, ...]:
    """One regime a row."""
    return (
        Column("Regime", lambda row: row.name, left=True, tip=term("Regime"), sample="pinned"),
        Column("Outcomes", lambda row: row.count, lambda row: row.n, tip=term("Candidate"),
               sample="1,234"),
        Column("Base, %", lambda row: row.base, lambda row: row.base_value,
               tip=term("Base rate"), sample="61.2"),
        Column("Skill, %", lambda row: row.skill, lambda row: row.skill_value,
               tip=REGIME_TIP, detail=lambda row: row.tip,
               meaning=lambda row: row.tone, sample="not enough (29 of 30)"),
        Column("95 % interval", lambda row: row.interval, spare=1, stretch=True,
               tip="Of the skill, by drawing whole blocks of time anew.",
               detail=lambda row: row.tip, meaning=lambda _: "muted",
               sample="\u221212.3 to +15.3"),
    )  # fmt: skip


class ProofBlock(QWidget):
    """What may be claimed, the reliability curve, and the figures beside it.

    review_asked: a person wants to end the review of drift.
    """

    review_asked = Signal()

    def __init__(self, theme: Theme, utc: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._utc = utc
        self.verdict = theme.label("", "muted")
        self.verdict.setWordWrap(True)
        self.curve = ReliabilityView(theme)
        self.facts = FactsView("The forecast so far in figures", theme)
        self.regimes = TableView(regime_columns(), theme, key=lambda row: row.name)
        self.regimes.setAccessibleName("The forecast by kind of market")
        self.regimes.empty_text = NO_REGIMES
        low_rows(self.regimes, theme)
        self.views = QStackedWidget(self)
        self.views.addWidget(self.facts)
        self.views.addWidget(self.regimes)
        self.challengers = ChallengersBlock(theme)
        self.views.addWidget(self.challengers)
        self.views.setMinimumWidth(theme.px(PROOF_PX))
        self.views.setMaximumWidth(theme.px(FACTS_PX_MAX))
        self._row = row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        row.addWidget(self.curve, 3)
        row.addWidget(self.views, 5)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(4))
        self._head = self._make_head()
        column.addLayout(self._head)
        column.addLayout(row, 1)

    def _make_head(self) -> QBoxLayout:
        theme = self._theme
        whole, head = QBoxLayout(QBoxLayout.Direction.LeftToRight), QHBoxLayout()
        whole.setSpacing(theme.px(2))
        head.setSpacing(theme.px(4))
        whole.addWidget(self.verdict, 1)
        whole.addLayout(head)
        self.review = QPushButton("End review\u2026", self)
        self.review.clicked.connect(self.review_asked)
        self.review.hide()
        set_tip(self.review, f"{term('Drift')} You may end the review, with a reason that is kept.")
        head.addWidget(self.review)
        self.choices: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        for name, tip in VIEWS.items():
            button = QPushButton(name, self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setChecked(name == OVERALL)
            set_tip(button, tip)
            button.clicked.connect(self._on_view_clicked)
            group.addButton(button)
            head.addWidget(button)
            self.choices[name] = button
        head.addStretch(1)
        return whole

    def show_view(self, view: ForecastView | None, *, can: bool = False) -> None:
        """Show how good it was. can: somebody listens to a person."""
        say(self.verdict, proof_of(view), self._theme)
        self.curve.show_curve(reliability_of(view))
        self.facts.show_rows(facts_of(view, self._utc))
        self.regimes.show_rows(regime_rows(view))
        self.challengers.show_view(view)
        self.review.setVisible(can and view is not None and bool(view.review))

    def _on_view_clicked(self) -> None:
        chosen = next(at for at, each in enumerate(self.choices.values()) if each.isChecked())
        self.views.setCurrentIndex(chosen)
        self._arrange()

    def _arrange(self) -> None:
        """Where it is narrow the figures stand below the curve; where it is low too, alone.

        A table of its own has all the room.
        """
        px, ways = self._theme.px, QBoxLayout.Direction
        beside = self.width() >= px(BESIDE_PX)
        curve = self.choices[OVERALL].isChecked() and (beside or self.height() >= px(BELOW_PX))
        one_line = self.width() >= px(ONE_LINE_PX)
        self._head.setDirection(ways.LeftToRight if one_line else ways.TopToBottom)
        self._row.setDirection(ways.LeftToRight if beside else ways.TopToBottom)
        self.views.setMaximumWidth(px(FACTS_PX_MAX) if curve and beside else WIDTH_MAX)
        self.curve.setVisible(curve)
        self._row.activate()

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The parts find their places anew."""
        super().resizeEvent(event)
        self._arrange()


def signal_columns(zone: str, utc: bool) -> tuple[Column, ...]:
    """One candidate a row, taken or not."""

    def tip(row: SignalRow) -> str:
        return signal_tip(row, utc)

    return (
        Column(f"Time, {zone}", lambda row: row.time, lambda row: row.t_ns, left=True,
               tip=term("Candidate"), detail=tip, sample="09:14:22"),
        Column("Coin", lambda row: row.coin, left=True, detail=tip,
               sample="DOGE", tip="Of the pair that the candidate is of."),
        Column("Legs", lambda row: row.legs, left=True, spare=5, meaning=lambda _: "muted",
               sample="Binance spot / perp", tip="Venue and market of both legs."),
        Column("Side", lambda row: row.side, left=True, sample="short spot",
               tip="The side it is told for; the perpetual is the other way."),
        Column("p, %", lambda row: row.score, lambda row: row.p, detail=tip, spare=1,
               tip=f"{term('Probability')} A dash where the forecast abstained.",
               sample="72.4"),
        Column("Decision", lambda row: row.word, left=True, detail=tip, spare=1,
               tip="What the forecast made of it: trade from p* and its margin on, else no trade; "
               "it abstains where p may not be acted upon.",
               meaning=lambda row: "muted" if row.word == "abstain" else "", sample="no trade"),
        Column("You", lambda row: row.yours, left=True, detail=tip, spare=2,
               tip=term("Your word"), sample="not"),
        Column("Outcome", lambda row: row.end, left=True, detail=tip,
               tip="Told at the horizon, 8 h after the candidate, never before.",
               meaning=lambda row: row.tone or "muted", sample="until 16:20"),
        Column("Net, bp", lambda row: row.net_shown, lambda row: row.net,
               tip="At the first barrier, executable prices and all costs.",
               meaning=lambda row: row.tone or "muted", sample="\u2212123.4"),
        Column("Why", lambda row: row.why, left=True, stretch=True, spare=3,
               detail=tip, tip="Your word first, then the forecast's reasons.",
               meaning=lambda _: "muted",
               sample="too few effective outcomes: 123 of 200"),
    )  # fmt: skip


class SignalsBlock(QWidget):
    """The newest candidates, how many are under way, and a person's word on the chosen one.

    word_asked: a person wants to say that they would trade (True) or would not.
    """

    word_asked = Signal(bool)

    def __init__(self, theme: Theme, zone: str, utc: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._utc = utc
        self._theme = theme
        self._problem = ""  # why the last word was not taken
        self._shown: object = None
        self.title = theme.label("Signals", weight=600)
        self.count = theme.label("", "muted", 11)
        self.table = TableView(signal_columns(zone, utc), theme, key=lambda row: row.id)
        self.table.setAccessibleName("Candidates, newest first")
        self.table.empty_text = (
            "No candidate yet. One is noted when the basis is far from fair on fresh quotes, traded"
            " or not."
        )
        low_rows(self.table, theme)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(theme.px(2))
        names, head = QHBoxLayout(), QHBoxLayout()
        names.setSpacing(theme.px(8))
        head.setSpacing(theme.px(4))
        names.addWidget(self.title)
        names.addWidget(self.count, 1)
        self._head.addLayout(names, 1)
        self._head.addLayout(head)
        self.words: dict[bool, QPushButton] = {}
        for would, text in ((True, "I would trade\u2026"), (False, "I would not\u2026")):
            button = QPushButton(text, self)
            button.clicked.connect(lambda _=False, said=would: self.word_asked.emit(said))
            head.addWidget(button)
            self.words[would] = button
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(2))
        column.addLayout(self._head)
        column.addWidget(self.table, 1)

    @property
    def chosen(self) -> int:
        """Number of the candidate whose row is chosen; 0 for none."""
        row = self.table.chosen()
        return row.id if isinstance(row, SignalRow) else 0

    def show_problem(self, problem: str) -> None:
        """Why the last word was not taken; "" when it was."""
        self._problem = problem

    def show_word(self, said: Spoken) -> None:
        """Say of which candidate a person may speak, or why of none."""
        for would, button in self.words.items():
            button.setEnabled(said.id != 0)
            explain(button, said.tip_of(would))

    def show_view(self, view: ForecastView | None) -> None:
        """Show the newest candidates of all pairs."""
        signals = view.signals if view is not None else None
        if signals is not self._shown:  # they are replaced as a whole, and seldom
            self._shown = signals
            self.table.show_rows(signal_rows(view, self._utc))
        text = self._problem or signals_text(view)
        if self.count.text() != text:
            self.count.setText(text)
        self.count.set_colour(self._theme.qcolor("warn" if self._problem else "muted"))
        set_tip(self.count, signals_tip(view))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where it is narrow the buttons stand below the heading."""
        super().resizeEvent(event)
        ways, wide = QBoxLayout.Direction, self.width() >= self._theme.px(ONE_LINE_PX)
        self._head.setDirection(ways.LeftToRight if wide else ways.TopToBottom)
