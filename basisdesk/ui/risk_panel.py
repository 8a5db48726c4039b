"""Risk: may the desk open pairs, if not why and what ends it, and every trigger with its limit."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from basisdesk.events import Changed, Resume
from basisdesk.ui.context import Context
from basisdesk.ui.pulse import Panel
from basisdesk.ui.risk_rows import RiskCard, TriggerRow, risk_card, trigger_rows
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import PlainLabel, Theme
from basisdesk.ui.ticket_fields import explain

CARD_PX, ROW_PX = 380, 23
REASON_MAX = 200


def trigger_columns() -> tuple[Column, ...]:
    """One trigger a row: where it stands, its limit, and what happens beyond it."""
    return (
        Column("Trigger", lambda row: row.title, left=True, sample="Last pairs together",
               detail=lambda row: row.detail),
        Column(
            "State", lambda row: row.state, left=True, sample="? unknown",
            meaning=lambda row: row.meaning, solid=lambda row: row.meaning == "loss",
            tip="Near from three quarters of the limit on.",
        ),
        Column(
            "Now", lambda row: row.value, lambda row: row.value_of, sample="\u2212123.45 %",
            meaning=lambda row: "" if row.meaning == "muted" else row.meaning,
            gauge=lambda row: None if row.share != row.share else row.share,
            tip="The whole hedged account, or closed pairs with all their costs; never one leg.",
        ),
        Column("Limit", lambda row: row.limit, sample="at least 55.00 %",
               tip="Set in [risk] of the settings."),
        Column("Beyond it", lambda row: row.acts, left=True, sample="stops entries",
               tip="Halts: entries at work are withdrawn and a person has to resume. Stops "
               "entries: ends by itself, but for the win rate."),
        Column("What is seen", lambda row: row.note, left=True, stretch=True,
               detail=lambda row: row.detail,
               meaning=lambda _: "muted", sample="Every pair stands on both legs."),
    )  # fmt: skip


class RiskPanel(Panel):
    """The risk state in words at the left, the triggers at the right."""

    cares_about = Changed.RISK | Changed.POSITIONS | Changed.LEDGER | Changed.FEEDS

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._card: RiskCard | None = None
        self.setAccessibleName("Risk")
        self.title = theme.label("", "text", 19, 600)
        self.means = self._line("text")
        self.reason = self._line("text")
        self.since = self._line("muted")
        self.resume_words = self._line("muted")
        self.why = QLineEdit(self)
        self.why.setPlaceholderText("Why is it safe to go on?")
        self.why.setAccessibleName("Reason for resuming")
        self.why.setMaxLength(REASON_MAX)
        self.resume = QPushButton("Resume", self)
        self.resume.setProperty("role", "resume")
        explain(self.resume, "Allows new pairs again. The reason is kept in the journal.")
        self.why.textChanged.connect(self._on_reason_changed)
        self.why.returnPressed.connect(self._on_resumed)
        self.resume.clicked.connect(self._on_resumed)
        self.triggers = TableView(trigger_columns(), theme, key=lambda row: row.name)
        self.triggers.setAccessibleName("Triggers of the risk state")
        lines = self.triggers.verticalHeader()
        lines.setMinimumSectionSize(theme.px(ROW_PX))
        lines.setDefaultSectionSize(theme.px(ROW_PX))
        self.triggers.empty_text = "No trigger has been looked at yet. Waiting for the first beat."
        self._lay_out(theme)

    def _line(self, tone: str) -> PlainLabel:
        label = self._theme.label("", tone)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _lay_out(self, theme: Theme) -> None:
        card = QWidget(self)
        card.setFixedWidth(theme.px(CARD_PX))
        words = QVBoxLayout(card)
        words.setContentsMargins(theme.px(10), theme.px(8), theme.px(12), theme.px(8))
        words.setSpacing(theme.px(4))
        for label in (self.title, self.means, self.reason, self.since, self.resume_words):
            words.addWidget(label)
        words.addStretch(1)
        ask = QHBoxLayout()
        ask.setSpacing(theme.px(6))
        ask.addWidget(self.why, 1)
        ask.addWidget(self.resume)
        words.addLayout(ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(card)
        row.addWidget(self.triggers, 1)

    def refresh(self) -> None:
        """Read the state and every trigger."""
        engine = self._context.engine
        utc, fault_ns = self._context.settings.ui.utc, self._context.status.fault_ns
        self._show_card(risk_card(engine.desk.risk, utc, fault_ns))
        rows: list[TriggerRow] = trigger_rows(engine)
        self.triggers.show_rows(rows)

    def _show_card(self, card: RiskCard) -> None:
        if card == self._card:
            return
        self._card = card
        self.title.setText(card.title)
        self.title.set_colour(self._theme.qcolor(card.meaning))
        self.means.setText(card.means)
        for label, text in (
            (self.reason, card.reason),
            (self.since, " ".join(part for part in (card.since, card.scope) if part)),
            (self.resume_words, card.resume),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self.why.setVisible(card.can_resume)
        self.resume.setVisible(card.can_resume)
        self._on_reason_changed(self.why.text())
        self.setAccessibleDescription(f"{card.title}. {card.means} {card.reason} {card.resume}")

    # --- slots ------------------------------------------------------------------------------------

    def _on_reason_changed(self, text: str) -> None:
        self.resume.setEnabled(bool(text.strip()))

    def _on_resumed(self) -> None:
        reason = self.why.text().strip()
        if reason and self._card is not None and self._card.can_resume:
            self.why.clear()
            self._context.actions.submit(Resume(reason))
