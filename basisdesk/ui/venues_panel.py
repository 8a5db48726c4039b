"""Venues: which are deep, cheap, punctual and right about funding, with all their instruments."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Changed
from basisdesk.ui.context import Context
from basisdesk.ui.pulse import Panel
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.venue_rows import Cell, VenueRow, score_rows, summary_text, venue_rows
from basisdesk.venues.instrument import venue_title

if TYPE_CHECKING:
    from basisdesk.scan.words import Score

SUMMARY_ROWS = 4  # venues that show without scrolling
STALE_POLLS = 3.0

_TIPS = {
    "depth": (
        "What stands within 10 bp of mid, the thinner side, the median of the depth pages read: "
        "410,000."
    ),
    "spread": "Ask less bid in bp of mid, the median since the start: 0.35.",
    "error": (
        "How far the rate foretold just before a settlement was from the one paid, the median, in "
        "bp per 8 h: 0.12."
    ),
    "bias": "Foretold less paid, the mean: +0.10 says that the foretold rate was too high.",
    "missed": "Settlements that passed while no rate was heard: 0.",
    "capped": "Rates beyond the venue's own limit, brought down to it: 0.",
    "outages": "How often its connection or its pages were away since the start: 0.",
    "away": "How long they were away together: 45 s.",
    "lag": (
        "From the venue's stamp to us, the median, less the difference of the two clocks: 38. A "
        "dash where the venue gives no time."
    ),
    "age": "Time since the newest bid and ask: 2.1 s.",
}


def _figure(header: str, name: str, sample: str, spare: int = 0, *, warns: bool = False) -> Column:
    def cell(row: VenueRow) -> Cell:
        found: Cell = getattr(row, name)
        return found

    def meaning(row: VenueRow) -> str:
        if not cell(row).known:
            return "muted"
        return "warn" if warns and cell(row).value > 0 else ""

    return Column(
        header,
        lambda row: cell(row).text,
        lambda row: cell(row).value,
        tip=_TIPS.get(name, ""),
        detail=lambda row: cell(row).detail,
        meaning=meaning,
        sample=sample,
        spare=spare,
    )


def _figures(currency: str, fees: Column) -> tuple[Column, ...]:
    return (
        _figure(f"Depth in 10 bp, {currency}", "depth", "12,300,000"),
        _figure("Spread, bp", "spread", "123.45"),
        fees,
        _figure("Funding error, bp /8h", "error", "12.34"),
        _figure("Bias, bp /8h", "bias", "+12.34", spare=6),
        _figure("Missed", "missed", "12", spare=3),
        _figure("Capped", "capped", "12", spare=5),
        _figure("Outages", "outages", "12", spare=2, warns=True),
        _figure("Away", "away", "3 h 20 min", spare=4),
        _figure("Lag, ms", "lag", "1,234", spare=1),
        Column(
            "Age",
            lambda row: row.age.text,
            lambda row: row.age.value,
            tip=_TIPS["age"],
            meaning=lambda row: "warn" if row.old and row.age.known else "",
            sample="99.9 s",
        ),
    )


def _fees(header: str, tip: str, sample: str) -> Column:
    return Column(
        header,
        lambda row: row.fees.text,
        lambda row: row.fees.value,
        tip=tip,
        detail=lambda row: row.fees.detail,
        sample=sample,
    )


def summary_columns(currency: str) -> tuple[Column, ...]:
    """One venue a row."""
    return (
        Column("Venue", lambda row: row.title, left=True, sample="Binance"),
        Column(
            "Spot + perp",
            lambda row: row.count.text,
            lambda row: row.count.value,
            tip="Instruments of the watched coins there: 60 + 58.",
            detail=lambda row: row.count.detail,
            sample="60 + 60",
        ),
        *_figures(
            currency,
            _fees(
                "Taker / maker, spot \u00b7 perp, bp",
                "What a fill costs by your settings, taking or waiting, first spot, then "
                "perpetuals: 10.0 / 10.0 \u00b7 5.5 / 2.0. Rest on a cell for the source.",
                "40.0 / 25.0 \u00b7 5.0 / 2.0",
            ),
        ),
        Column("", lambda _: "", stretch=True),
    )


def score_columns(currency: str) -> tuple[Column, ...]:
    """One instrument a row."""
    return (
        Column("Coin", lambda row: row.coin, left=True, sample="PENDLE"),
        Column("Venue", lambda row: row.title, left=True, sample="Binance"),
        Column("Market", lambda row: row.market, left=True, sample="perp"),
        Column(
            "Symbol", lambda row: row.symbol, left=True, sample="PF_VIRTUALUSD", spare=7,
        ),
        *_figures(
            currency,
            _fees(
                "Taker / maker, bp",
                "What a fill costs by your settings, taking or waiting: 10.0 / 8.0. Rest on a "
                "cell for the source.",
                "40.0 / 25.0",
            ),
        ),
        Column("", lambda _: "", stretch=True),
    )  # fmt: skip


class VenuesPanel(Panel):
    """A line a venue with its medians; below, every instrument, by venue and by search."""

    cares_about = Changed.SCAN

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._seen: tuple[Score, ...] | None = None
        self._venue = ""
        currency = context.settings.account.currency
        self.setAccessibleName("Venues")
        self.summary = TableView(summary_columns(currency), theme, key=lambda row: row.key)
        self.summary.setAccessibleName("Venues, medians over their instruments")
        self.table = TableView(score_columns(currency), theme, key=lambda row: row.key)
        self.table.setAccessibleName("Instruments of the venues")
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Filter: coin, venue, market or symbol")
        self.filter.setAccessibleName("Filter the instruments")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMaximumWidth(theme.px(320))
        self.count = theme.label("", "muted", 11)
        self.choices: dict[str, QPushButton] = {}
        self._lay_out(theme)
        self.filter.textChanged.connect(self._on_filter_changed)

    def _lay_out(self, theme: Theme) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(0, theme.px(4), theme.px(8), theme.px(4))
        head.setSpacing(theme.px(4))
        self._group = QButtonGroup(self)
        for name in ("", *self._context.settings.scanner.venues):
            head.addWidget(self._choice(name))
        head.addSpacing(theme.px(8))
        head.addWidget(self.filter, 1)
        head.addStretch(1)
        head.addWidget(self.count)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(6), 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.summary)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        self._fit_summary(0)

    def _choice(self, name: str) -> QPushButton:
        title = venue_title(name) if name else "All"
        button = QPushButton(title, self)
        button.setProperty("role", "segment")
        button.setCheckable(True)
        button.setChecked(not name)
        set_tip(button, f"Only instruments of {title}." if name else "Instruments of every venue.")
        button.clicked.connect(self._on_choice_clicked)
        self._group.addButton(button)
        self.choices[name] = button
        return button

    def refresh(self) -> None:
        """Read the scores, where they are new ones."""
        scan = self._context.scan
        why = scan.why_empty if scan is not None else "No universe is watched in this session."
        self.summary.empty_text = self.table.empty_text = why
        scores = scan.scores if scan is not None else ()
        if scores is self._seen:
            return
        self._seen = scores
        stale_s = STALE_POLLS * self._context.settings.scanner.poll_s
        rows = venue_rows(scores, stale_s)
        self.summary.show_rows(rows)
        self._fit_summary(len(rows))
        self.table.show_rows(score_rows(scores, stale_s))
        self._show_count()

    def _fit_summary(self, count: int) -> None:
        row_px = self.summary.verticalHeader().defaultSectionSize()
        head_px = self.summary.horizontalHeader().sizeHint().height()
        high = head_px + row_px * min(SUMMARY_ROWS, max(1, count)) + 2
        if self.summary.height() != high:
            self.summary.setFixedHeight(high)

    def _show_count(self) -> None:
        rows = self.summary.rows_model.rows
        whole, shown = len(self.table.rows_model.rows), self.table.proxy.rowCount()
        self.count.setText(summary_text(rows, shown, whole))

    # --- slots ------------------------------------------------------------------------------------

    def _on_choice_clicked(self) -> None:
        venue = next(name for name, button in self.choices.items() if button.isChecked())
        if venue == self._venue:
            return
        self._venue = venue
        self.table.proxy.set_keep((lambda row: row.venue == venue) if venue else None)
        self.table.viewport().update()
        self._show_count()

    def _on_filter_changed(self, text: str) -> None:
        self.table.proxy.set_filter(text)
        self.table.viewport().update()
        self._show_count()
