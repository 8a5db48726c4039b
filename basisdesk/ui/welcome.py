"""The welcome of a first start: what this is, demo or live, a pair to begin with, one button."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.context import Context
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.welcome_rows import about, button_text, demo_about, live_about, offers

WIDE_PX = 560
INDENT_PX = 21  # of what stands under a choice
MODES = (("simulated", "Demo exchange"), ("live", "Live prices"))


class Welcome(QDialog):
    """Blocks nothing. Esc goes on with what is on the screen, and nobody is shown around.

    chosen: (mode, pair or None, whether to be shown around).
    """

    chosen = Signal(str, object, bool)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._mode = context.mode
        self.setWindowTitle("Welcome to basisdesk")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        settings = context.settings
        self._offers = offers(context.engine.pair)
        column = QVBoxLayout(self)
        edge = theme.px(24)
        column.setContentsMargins(edge, theme.px(20), edge, theme.px(20))
        column.setSpacing(theme.px(6))
        column.addWidget(theme.label("Welcome to basisdesk", size=19, weight=600))
        inner = self._inner = theme.px(WIDE_PX) - 2 * edge
        column.addWidget(self._wrapped(about(settings), "text", inner))
        column.addSpacing(theme.px(8))
        self._group = QButtonGroup(self)
        self.modes: dict[str, QRadioButton] = {}
        for mode, name in MODES:
            text = demo_about() if mode == "simulated" else live_about(settings)
            self._add_mode(column, mode, name, text)
        column.addSpacing(theme.px(8))
        column.addLayout(self._pair_line(context.engine.pair))
        column.addSpacing(theme.px(12))
        column.addLayout(self._foot())
        self.modes["live" if context.mode == "live" else "simulated"].setChecked(True)
        self._group.buttonToggled.connect(self._on_mode)
        self._on_mode()
        self.setFixedWidth(theme.px(WIDE_PX))
        self.rejected.connect(self._on_rejected)
        self.start.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def mode(self) -> str:
        """The mode that is marked."""
        return next(mode for mode, button in self.modes.items() if button.isChecked())

    def _add_mode(self, column: QVBoxLayout, mode: str, name: str, text: str) -> None:
        theme = self._theme
        button = QRadioButton(name, self)
        button.setFont(theme.font(12, 600))
        button.setAccessibleDescription(text)
        self._group.addButton(button)
        self.modes[mode] = button
        column.addWidget(button)
        said = self._wrapped(text, "muted", self._inner - theme.px(INDENT_PX))
        line = QHBoxLayout()
        line.setContentsMargins(theme.px(INDENT_PX), 0, 0, theme.px(6))
        line.addWidget(said)
        column.addLayout(line)

    def _pair_line(self, shown: tuple[str, str]) -> QHBoxLayout:
        theme = self._theme
        self.pairs = QComboBox(self)
        for offer in self._offers:
            self.pairs.addItem(offer.name)
        at = [offer.pair for offer in self._offers].index(shown) if shown[0] else 0
        self.pairs.setCurrentIndex(at)
        self.pairs.setAccessibleName("Pair to begin with")
        set_tip(self.pairs, "Any other pair of the four venues: Ctrl+P, at any time.")
        metrics = QFontMetrics(self.pairs.font())
        widest = max(metrics.horizontalAdvance(offer.name) for offer in self._offers)
        self.pairs.setMinimumWidth(widest + theme.px(48))
        caption = theme.label("Begin with")
        caption.setBuddy(self.pairs)
        line = QHBoxLayout()
        line.setSpacing(theme.px(8))
        line.addWidget(caption)
        line.addWidget(self.pairs)
        line.addWidget(theme.label("All others later: Ctrl+P", "muted", 11))
        line.addStretch(1)
        return line

    def _foot(self) -> QHBoxLayout:
        self.tour = QCheckBox("Show me around first, five steps", self)
        self.tour.setChecked(True)
        set_tip(self.tour, "Help > Take the tour shows it again.")
        self.start = QPushButton(self)
        self.start.setProperty("role", "primary")
        self.start.setDefault(True)
        self.start.clicked.connect(self._on_start)
        line = QHBoxLayout()
        line.addWidget(self.tour)
        line.addStretch(1)
        line.addWidget(self.start)
        return line

    def _wrapped(self, text: str, tone: str, wide: int) -> PlainLabel:
        label = self._theme.label(text, tone)
        label.setWordWrap(True)
        label.setFixedSize(wide, label.heightForWidth(wide))  # the dialog's width is known
        return label

    # --- slots ------------------------------------------------------------------------------------

    def _on_mode(self, *_args: object) -> None:
        self.start.setText(button_text(self.mode))

    def _on_start(self) -> None:
        offer = self._offers[self.pairs.currentIndex()]
        self.rejected.disconnect(self._on_rejected)
        self.accept()
        self.chosen.emit(self.mode, offer.pair, self.tour.isChecked())

    def _on_rejected(self) -> None:
        self.chosen.emit(self._mode, None, False)
