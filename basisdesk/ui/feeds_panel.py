"""Can the data be trusted: each connection and each stream, its age, its faults, its last error."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from basisdesk.events import Changed
from basisdesk.ui.context import Context
from basisdesk.ui.glossary import term
from basisdesk.ui.market_rows import LinkRow, RateMeter, link_rows, state_cell, stream_rows
from basisdesk.ui.pulse import Panel
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import explain
from basisdesk.ui.times import zone_text

BUTTON_PX = 98  # of the action at the end of a row
OWN = "desk."  # connections that are the desk's own cannot be connected anew


def link_columns(zone: str) -> tuple[Column, ...]:
    """One connection a row; its button stands in the last column."""
    return (
        Column("Connection", lambda row: row.key, left=True, sample="bybit.linear"),
        Column(
            "State", lambda row: row.state, left=True, sample="\u25cb connecting",
            meaning=lambda row: state_cell(row.state_word)[1],
            detail=lambda row: state_cell(row.state_word)[2],
        ),
        Column(f"Since, {zone}", lambda row: row.since, left=True, sample="09:14:22",
               spare=6),
        Column("Connects", lambda row: row.connects, lambda row: int(row.connects.replace(",", "")),
               tip="How often it came up in this session: 1 is a connection that never broke.",
               spare=1),
        Column("Renewed", lambda row: row.renewals, lambda row: int(row.renewals.replace(",", "")),
               tip="How often a second socket took over before the venue cut the first: 0.",
               spare=4),
        Column("To engine, ms", lambda row: row.engine, lambda row: row.engine_ms,
               tip=term("To engine"), sample="12 / 123", spare=3),
        Column("Clock, ms", lambda row: row.clock, lambda row: row.clock_ms,
               tip=term("Clock offset"), sample="\u22121,234", spare=5),
        Column("Bad", lambda row: row.bad, lambda row: int(row.bad.replace(",", "")),
               tip="Messages that could not be read: 0.", detail=lambda row: row.bad_detail),
        Column("Last said", lambda row: row.reason, left=True, stretch=True, sample="refused",
               detail=lambda row: row.reason),
        Column("", lambda _: "", wide_px=BUTTON_PX),
    )  # fmt: skip


def stream_columns() -> tuple[Column, ...]:
    """One topic of one connection a row."""
    return (
        Column("Stream", lambda row: row.topic, left=True, sample="orderbook.50.ADAUSDT",
               detail=lambda row: row.key),
        Column("Connection", lambda row: row.conn, left=True, sample="bybit.linear"),
        Column(
            "State", lambda row: row.state, left=True, sample="\u25cb connecting",
            meaning=lambda row: state_cell(row.state_word)[1],
            detail=lambda row: state_cell(row.state_word)[2],
        ),
        Column("Age", lambda row: row.age, lambda row: row.age_ms, tip=term("Age"),
               meaning=lambda row: "warn" if row.old else "", sample="99.9 s"),
        Column("Msg/s", lambda row: row.rate, lambda row: row.rate_value,
               tip="Messages a second, averaged over 3 s: 41.2.", spare=2),
        Column("Delay, ms", lambda row: row.latency,
               lambda row: row.latency_ms, tip=term("Delay over best"), sample="123 / 1,234"),
        Column("Gaps", lambda row: row.gaps, lambda row: row.gaps_value, tip=term("Gap"),
               meaning=lambda row: "warn" if row.gaps_value else ""),
        Column("Resyncs", lambda row: row.resyncs, lambda row: row.resyncs_value,
               tip="Subscriptions renewed after something was lost: 0.", spare=3),
        Column("Bad", lambda row: row.bad, lambda row: row.bad_value,
               tip="Messages that could not be read: 0.", detail=lambda row: row.bad_detail,
               spare=1, meaning=lambda row: "warn" if row.bad_value else ""),
        Column("Last fault", lambda row: row.error, left=True, stretch=True, sample="silent",
               detail=lambda row: row.error),
    )  # fmt: skip


class LinkButton(QWidget):
    """The one action of a connection. Says which; knows nothing of who does it."""

    pressed = Signal(object)

    def __init__(self, conn: str) -> None:
        super().__init__()
        self._conn = conn
        button = QPushButton("Reconnect", self)
        button.setProperty("role", "link")
        button.setAccessibleName(f"Reconnect {conn}")
        explain(button, f"Drops {conn} and connects it again; its quotes are blank until then.")
        button.clicked.connect(self._on_clicked)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 6, 0)
        line.addStretch(1)
        line.addWidget(button)

    def _on_clicked(self) -> None:
        self.pressed.emit(self._conn)


class FeedsPanel(Panel):
    """Connections at the left, streams at the right."""

    cares_about = Changed.FEEDS

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._meter = RateMeter()
        self.setAccessibleName("Feeds")
        zone = zone_text(context.settings.ui.utc, context.engine.now_ns)
        self.links = TableView(link_columns(zone), theme, key=lambda row: row.key)
        self.links.setAccessibleName("Connections")
        self.links.empty_text = "No connection was asked for yet."
        self.streams = TableView(stream_columns(), theme, key=lambda row: row.key)
        self.streams.setAccessibleName("Streams")
        self.streams.empty_text = "No stream is subscribed yet. Connections come first."
        self.total = theme.label("", "muted", 11)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.addWidget(self.links)
        split.addWidget(self.streams)
        split.setSizes([theme.px(690), theme.px(880)])
        split.setHandleWidth(theme.px(6))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(6), 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(split, 1)
        column.addWidget(self.total)
        self.total.setContentsMargins(theme.px(6), theme.px(2), theme.px(9), theme.px(4))

    def refresh(self) -> None:
        """Read links and streams."""
        engine, utc = self._context.engine, self._context.settings.ui.utc
        self.links.show_rows(link_rows(engine, self._context.status, utc))
        self.links.keep_widgets(
            lambda row: "" if row.key.startswith(OWN) else row.key, self._make_button
        )
        self.streams.show_rows(stream_rows(engine, self._meter))
        market = engine.market
        why = ", ".join(f"{name} {count:,}" for name, count in sorted(market.bad_by_reason.items()))
        self.total.setText(
            f"{market.frames:,} frames, {market.events:,} events, {market.gaps:,} gaps, "
            f"{market.bad_frames:,} unreadable{f' ({why})' if why else ''}"
        )

    def _make_button(self, row: LinkRow) -> LinkButton:
        button = LinkButton(row.key)
        button.pressed.connect(self._on_pressed)
        return button

    def _on_pressed(self, conn: object) -> None:
        self._context.actions.reconnect(str(conn))
