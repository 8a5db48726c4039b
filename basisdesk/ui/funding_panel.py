"""Funding: the rate as it floats and when it is paid, what was settled, what each pair received."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from basisdesk.events import Changed
from basisdesk.ui.context import Context
from basisdesk.ui.glossary import term
from basisdesk.ui.market_rows import (
    FundingRow,
    funding_rows,
    meaning_of,
    payment_rows,
    settled_rows,
)
from basisdesk.ui.pulse import Panel
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme
from basisdesk.ui.times import zone_text

LEG_ROWS = 3  # perpetuals that show without scrolling


def funding_columns() -> tuple[Column, ...]:
    """One perpetual a row: the indicative rate on three scales, and the next settlement."""
    return (
        Column("Perpetual", lambda row: row.name, left=True, sample="Bybit perp ADAUSDT"),
        *_rate_columns(),
        *_settlement_columns(),
        Column(
            "Held",
            lambda row: row.held,
            tip="What the open pairs hold of this perpetual; minus is short.",
            sample="\u221210,000 ADA",
        ),
        Column("", lambda _: "", stretch=True),
    )


def _rate_columns() -> tuple[Column, ...]:
    return (
        Column(
            "Rate per interval",
            lambda row: row.rate,
            lambda row: row.rate_value,
            tip=term("Funding"),
            meaning=lambda _: "warn",
            sample="+0.0184 %",
        ),
        Column(
            "Interval",
            lambda row: row.interval,
            tip="Hours between settlements as this venue says for this symbol: 8 h.",
            sample="8 h",
        ),
        Column(
            "Per 8 h",
            lambda row: row.per_8h,
            lambda row: row.per_8h_value,
            tip="The same rate over eight hours, so that symbols compare: +0.0184 %.",
            sample="+0.0184 %",
        ),
        Column(
            "Per year",
            lambda row: row.per_year,
            lambda row: row.per_8h_value,
            tip="The same rate, every interval of a year, not compounded: +20.1 %.",
            sample="+120.1 %",
        ),
    )


def _settlement_columns() -> tuple[Column, ...]:
    return (
        Column(
            "Next in",
            lambda row: row.left,
            lambda row: row.left_s,
            tip="Time to the next settlement by the venue's stamp: 02:14:33.",
            sample="02:14:33",
        ),
        Column(
            "Velocity, bp/h",
            lambda row: row.velocity,
            lambda row: row.velocity_value,
            tip=term("Velocity"),
            sample="+12.30",
        ),
        Column(
            "Last settled",
            lambda row: row.settled,
            lambda row: row.settled_value,
            tip="The newest rate the venue published as paid: +0.0100 %.",
            sample="+0.0184 %",
        ),
        Column(
            "Cap", lambda row: row.cap, tip="The venue's limit of one payment.", sample="±2.00 %"
        ),
    )


def payment_columns(zone: str, currency: str) -> tuple[Column, ...]:
    """One payment of one pair a row."""
    return (
        Column(
            f"Settled, {zone}",
            lambda row: row.time,
            lambda row: row.settle_ms,
            left=True,
            sample="2026-11-21 08:00",
        ),
        Column("Pair", lambda row: str(row.pair), lambda row: row.pair, sample="12"),
        Column("Perpetual", lambda row: row.leg, left=True, sample="Bybit perp ADAUSDT"),
        Column("Rate", lambda row: row.rate, lambda row: row.rate_value, sample="+0.0184 %"),
        Column("Mark", lambda row: row.mark, sample="0.36651"),
        Column(
            "Held, coins",
            lambda row: row.qty,
            sample="\u221210,000",
            tip="What the pair held at the settlement; minus is short: \u221210,000.",
        ),
        Column(
            f"Received, {currency}",
            lambda row: row.amount,
            lambda row: row.amount_value,
            detail=lambda row: row.detail,
            meaning=lambda row: meaning_of(row.sign),
            sample="+0.6745",
        ),
        Column(
            "",
            lambda row: row.late,
            left=True,
            detail=lambda row: term("Late") if row.late else "",
            meaning=lambda _: "warn",
            sample="late",
            stretch=True,
        ),
    )


def settled_columns(zone: str) -> tuple[Column, ...]:
    """One settled rate of one perpetual a row."""
    return (
        Column(f"Settled, {zone}", lambda row: row.time, left=True, sample="2026-11-21 08:00"),
        Column("Rate", lambda row: row.rate, tip=term("Funding"), sample="+0.0184 %"),
        Column(
            "Per year",
            lambda row: row.per_year,
            sample="+20.1 %",
            tip="The same rate, every interval of a year, not compounded: +20.1 %.",
        ),
    )


def _table(columns: tuple[Column, ...], theme: Theme, name: str, empty: str) -> TableView:
    table = TableView(columns, theme, key=lambda row: row.key)
    table.setAccessibleName(name)
    table.empty_text = empty
    return table


class FundingPanel(Panel):
    """Three tables: perpetuals, payments of the pairs, settled rates of the chosen perpetual."""

    cares_about = Changed.FUNDING | Changed.LEDGER | Changed.POSITIONS | Changed.FEEDS

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.setAccessibleName("Funding")
        zone = zone_text(context.settings.ui.utc, context.engine.now_ns)
        self.legs = _table(
            funding_columns(),
            theme,
            "Funding of each perpetual",
            "No perpetual is watched yet. Waiting for the venue.",
        )
        self.payments = _table(
            payment_columns(zone, context.settings.account.currency),
            theme,
            "Funding payments of the pairs",
            "No payments yet. A pair that is open at a settlement pays or receives funding then.",
        )
        self.settled = _table(
            settled_columns(zone),
            theme,
            "Rates the venue has settled",
            "No settled rates heard yet.",
        )
        self._lay_out(theme)
        self._seen = (-1, 0)
        self.legs.row_chosen.connect(self._on_row_chosen)

    def _lay_out(self, theme: Theme) -> None:
        below = QHBoxLayout()
        below.setSpacing(theme.px(8))
        below.addWidget(self.payments, 3)
        below.addWidget(self.settled, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(6), 0, 0, 0)
        column.setSpacing(theme.px(4))
        column.addWidget(self.legs)
        column.addLayout(below, 1)

    def refresh(self) -> None:
        """Read the clocks; the payments only when something was booked."""
        engine, utc = self._context.engine, self._context.settings.ui.utc
        rows = funding_rows(engine)
        self.legs.show_rows(rows)
        self._fit_legs(len(rows))
        seen = engine.books.posted, len(engine.outcomes)
        if seen != self._seen:
            self._seen = seen
            self.payments.show_rows(payment_rows(list(engine.outcomes), engine, utc))
        self._show_settled()

    def _fit_legs(self, count: int) -> None:
        """The table of perpetuals is as high as its rows, up to a few; the rest is for payments."""
        row_px = self.legs.verticalHeader().defaultSectionSize()
        head_px = self.legs.horizontalHeader().sizeHint().height()
        high = head_px + row_px * min(LEG_ROWS, max(1, count)) + 2
        if self.legs.height() != high:
            self.legs.setFixedHeight(high)

    def _show_settled(self) -> None:
        row = self.legs.chosen()
        rows = self.legs.rows_model.rows
        if row is None:
            shown = self._context.engine.pair[1]
            row = next((each for each in rows if each.key == shown), rows[0] if rows else None)
        if isinstance(row, FundingRow):
            clock = self._context.engine.market.legs[row.key].funding
            self.settled.show_rows(settled_rows(clock, self._context.settings.ui.utc))

    def _on_row_chosen(self, _row: object) -> None:
        self._show_settled()
