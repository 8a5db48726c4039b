"""The end of the top bar: the risk state, what stands unhedged, and the red button."""

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from basisdesk.ui.glossary import term
from basisdesk.ui.halt_rows import RiskWords
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.unhedged_rows import Alarm

REASON_PX = 150  # of a reason beside the button; the whole of it is in the banner and the tip
HALT_KEY, FLATTEN_KEY = "Ctrl+.", "Ctrl+Shift+Backspace"
_HALT_TIP = "Stops new entries at once. Open pairs stay, and closing stays possible. Ctrl+."


class HaltBox(QWidget):
    """State and button. Says that a person wants to halt, resume or flatten; does none of it."""

    halt_requested = Signal()
    resume_requested = Signal()
    flatten_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: RiskWords | None = None
        self.state = theme.label("", "gain", 12, 600)
        self.since = theme.label("Risk", "muted", 11)
        self.reason = PlainLabel(elide=True)
        self.reason.setFont(theme.font(11))
        self.reason.set_colour(theme.qcolor("muted"))
        self.reason.setMaximumWidth(theme.px(REASON_PX))
        self.reason.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.button = QPushButton()
        self.button.clicked.connect(self._on_clicked)
        self.more = QToolButton()
        self.more.setText("\u25be")
        self.more.setAccessibleName("Halt, resume or flatten")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setStyleSheet("padding: 5px 1px;")
        self.more.setFixedWidth(theme.px(16))
        set_tip(self.more, "Halt, resume, or close everything.")
        self.menu = QMenu(self.more)
        self.halt_action = self._act("Halt new entries", self.halt_requested, HALT_KEY)
        self.resume_action = self._act("Resume\u2026", self.resume_requested, "")
        self.menu.addSeparator()
        self.flatten_action = self._act(
            "Flatten: close all\u2026", self.flatten_requested, FLATTEN_KEY
        )
        self.more.setMenu(self.menu)
        self._lay_out()

    def _act(self, text: str, wanted: SignalInstance, key: str) -> QAction:
        # The key stands beside the word; the window's own menu owns the shortcut.
        action = self.menu.addAction(f"{text}\t{key}" if key else text)
        action.triggered.connect(wanted)
        return action

    def _lay_out(self) -> None:
        px = self._theme.px
        self.words = QWidget(self)
        words = QGridLayout(self.words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setVerticalSpacing(px(3))
        words.addWidget(self.since, 0, 0)
        words.addWidget(self.reason, 0, 1)
        words.addWidget(self.state, 1, 0, 1, 2)
        words.setColumnStretch(1, 1)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(px(8))
        line.addWidget(self.words)
        self._gap = px(8)
        self._buttons = buttons = QHBoxLayout()
        buttons.setSpacing(px(2))
        buttons.addWidget(self.button)
        buttons.addWidget(self.more)
        line.addLayout(buttons)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    @property
    def halted(self) -> bool:
        """Whether the button would resume."""
        return self._shown is not None and self._shown.state == "halted"

    def width_px(self, *, words: bool) -> int:
        """How wide the box is with the words of a calm state, or without; others always stand."""
        if (grid := self.words.layout()) is not None:
            grid.activate()  # a reason may just have come or gone
        self._buttons.invalidate()
        wide = self._buttons.sizeHint().width()
        return wide + (self._gap + self.words.sizeHint().width() if words or self._told else 0)

    def show_words(self, shown: bool) -> None:
        """Let the words of a calm state go, or show them."""
        shown = shown or self._told
        if self.words.isHidden() == shown:
            self.words.setVisible(shown)

    @property
    def _told(self) -> bool:
        return self._shown is not None and self._shown.state != "active"

    def show_risk(self, words: RiskWords, *, narrow: bool) -> None:
        """Show the state, since when and why; the button offers what is possible now.

        narrow: there is no room for the reason, which the banner tells in full anyway.
        """
        self.reason.setVisible(bool(words.reason) and not narrow)
        halted = words.state == "halted"
        key = "" if narrow else f"  {HALT_KEY}"
        self.button.setText("Halted" if words.final else "Resume\u2026" if halted else f"Halt{key}")
        if words == self._shown:
            return
        self._shown = words
        theme = self._theme
        self.state.setText(words.word)
        self.since.setText(f"since {words.since}" if words.since else "Risk")
        self.state.set_colour(theme.qcolor(words.tone))
        self.reason.setText(words.reason)
        set_tip(self.state, f"{words.tip} {term('Risk state')}")
        set_tip(self.reason, words.tip)
        self.button.setAccessibleName("Resume entries" if halted else "Halt all new entries")
        set_tip(self.button, "Asks for a reason, then allows entries." if halted else _HALT_TIP)
        self.button.setProperty("role", "resume" if halted else "danger")
        self.button.style().unpolish(self.button)
        self.button.style().polish(self.button)
        self.halt_action.setEnabled(not halted)
        self.resume_action.setEnabled(words.state != "active" and not words.final)
        self.flatten_action.setEnabled(not words.final)
        self.button.setEnabled(not words.final)
        if words.final:
            set_tip(self.button, words.tip)
        self.updateGeometry()

    def _on_clicked(self) -> None:
        (self.resume_requested if self.halted else self.halt_requested).emit()


class AlarmBadge(PlainLabel):
    """What stands unhedged: solid orange, there only while there is something."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFont(theme.font(12, 600))
        self.setProperty("role", "badge-alarm")
        self.set_colour(theme.ink_on("warn"))
        self.hide()

    def show_alarm(self, alarm: Alarm | None, *, narrow: bool) -> None:
        """Show the exposure in money and its clock, or nothing at all."""
        if alarm is not None:
            text = alarm.short if narrow else alarm.text
            if text != self.text():
                self.setText(text)
                self.setAccessibleName(text)
            set_tip(self, f"{alarm.tip}\n{term('Unhedged')}")
        if self.isHidden() != (alarm is None):
            self.setVisible(alarm is not None)
