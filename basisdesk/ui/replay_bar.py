"""The banner of a replay: REPLAY across the window, the tape's time, and the controls of a player.

Keys work wherever nothing else wants them: Space, period, comma, N, the arrows, Home.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QProgressBar,
    QPushButton,
    QSlider,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Changed
from basisdesk.ui.chart_export import with_suffix
from basisdesk.ui.glossary import term
from basisdesk.ui.pulse import Panel
from basisdesk.ui.replay_rows import (
    BEGIN_TIP,
    SPEEDS,
    STEPS,
    ReplayActions,
    ReplayView,
    about_text,
    moment_text,
    place_text,
    reached_text,
    share_of,
    speed_text,
    state_text,
    time_of,
    walk_text,
)
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

SLIDER_STEPS = 100_000
NEAR_NS, FAR_NS = 10_000_000_000, 300_000_000_000  # of an arrow key, and with Shift
MARKS_MAX = 200  # trades drawn on the slider
_STEP_KEYS = {
    Qt.Key.Key_Period: "frame",
    Qt.Key.Key_Comma: "change",
    Qt.Key.Key_N: "settlement",
}


class Scrub(QSlider):
    """Where the tape stands. A click goes there; arrow keys are the window's."""

    def __init__(self, view: ReplayView, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._view = view
        self._theme = theme
        self.setRange(0, SLIDER_STEPS)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Time on the tape")

    @property
    def t_ns(self) -> int:
        """The time under the handle."""
        return time_of(self._view, self.value() / SLIDER_STEPS)

    def _value_at(self, x: float) -> int:
        half = self.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength, None, self) / 2
        room = max(1.0, self.width() - 2 * half)
        return round(min(1.0, max(0.0, (x - half) / room)) * SLIDER_STEPS)

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the handle to the pointer, and drag it from there."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderPosition(self._value_at(event.position().x()))
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The window knows the keys of a replay."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The slider, what was left out, and a mark for each trade by hand."""
        super().paintEvent(event)
        view, width = self._view, self.width() - 12
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.height() / 2
        painter.setBrush(self._theme.qcolor("warn"))
        for from_ns, to_ns in view.holes:
            left, right = (6 + width * share_of(view, each) for each in (from_ns, to_ns))
            painter.drawRect(QRectF(left, middle - 2, max(2.0, right - left), 4))
        painter.setBrush(self._theme.qcolor("perp"))
        for t_ns in view.marks[-MARKS_MAX:]:
            painter.drawRect(QRectF(5 + width * share_of(view, t_ns), middle - 6, 2, 12))
        painter.end()


class ReplayBar(Panel):
    """Controls of one replay. Refreshed by who drives it, since time goes on without news.

    asked_text: the question that waits for an answer, "" for none.
    """

    cares_about = Changed.NOTHING

    def __init__(self, view: ReplayView, actions: ReplayActions, theme: Theme) -> None:
        super().__init__()
        self._view = view
        self._actions = actions
        self._theme = theme
        self._window: QMainWindow | None = None
        self.setAccessibleName("Replay")
        self._build_time()
        self._build_buttons()
        self._build_state()
        self._lay_out()
        self.refresh()

    def join(self, window: QMainWindow, menu: QMenu) -> None:
        """Hear the keys that nothing in the window wants, and fill the menu."""
        self._window = window
        window.installEventFilter(self)
        menu.addAction("Play or pause\tSpace", self._actions.play)
        for what, title, _ in STEPS:
            key = {"frame": ".", "change": ",", "settlement": "N"}[what]
            menu.addAction(f"{title}\t{key}", self._stepper(what))
        menu.addAction("Back to the start\tHome", self._on_begin)
        menu.addSeparator()
        menu.addAction("Save commands\u2026", self.ask_save)

    # --- showing ---------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show where the tape stands."""
        view = self._view
        date, clock = moment_text(self.scrub.t_ns if self.scrub.isSliderDown() else view.now_ns)
        _say(self.date, f"{date} UTC")
        _say(self.clock, clock)
        if not self.scrub.isSliderDown():
            self.scrub.setValue(round(share_of(view, view.now_ns) * SLIDER_STEPS))
        self.scrub.update()
        set_tip(self.scrub, about_text(view))
        _say(self.play, "Pause" if view.playing else "Play")
        self.play.setEnabled(not view.at_end or view.playing)
        _say(self.place, place_text(view))
        _say(self.reached, reached_text(view))
        text, meaning = state_text(view)
        _say(self.state, text)
        self.state.set_colour(self._theme.qcolor(meaning or "muted"))
        self.progress.setVisible(view.working)
        self.cancel.setVisible(view.working)
        self.progress.setValue(round(100 * view.progress))
        self.walk.setVisible(bool(view.holes) and not view.working)
        _say(self.walk, walk_text(view))
        self.save.setEnabled(bool(view.commands))
        self._show_speed(view.asked)

    # --- what a person asks for ------------------------------------------------------------------

    def ask_save(self) -> QFileDialog:
        """Ask where the commands go, without blocking anything."""
        dialog = QFileDialog(self, "Save commands", "replay.jsonl", "Commands (*.jsonl)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_path_chosen)
        dialog.open()
        return dialog

    def _nudge(self, by_ns: int) -> None:
        view = self._view
        self._actions.jump(min(view.last_ns, max(view.first_ns, view.now_ns + by_ns)))

    # --- building --------------------------------------------------------------------------------

    def _build_time(self) -> None:
        theme = self._theme
        self.badge = theme.label("REPLAY", "text", 12, 700)
        self.badge.setProperty("role", "badge-alarm")
        self.badge.set_colour(theme.ink_on("warn"))
        set_tip(self.badge, term("Replay"))
        self.date = theme.label("", "muted", 11)
        self.clock = theme.label("", "text", 16, 600)
        self.clock.setAccessibleName("Tape time")
        self.clock.setMinimumWidth(theme.px(92))
        set_tip(self.clock, term("Tape time"))

    def _build_buttons(self) -> None:
        self.play = self._button("Play", "Play or pause. Key Space", self._actions.play)
        self.play.setMinimumWidth(self._theme.px(64))
        self.begin = self._button("Start", BEGIN_TIP, self._on_begin)
        self.step = QToolButton(self)
        self.step.setText("Step")
        self.step.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.step.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.step.clicked.connect(self._stepper("frame"))
        set_tip(self.step, f"{term('Step')} {STEPS[0][2]}")
        menu = QMenu(self.step)
        menu.setToolTipsVisible(True)
        for what, title, tip in STEPS:
            action = menu.addAction(title, self._stepper(what))
            action.setToolTip(tip)
        self.step.setMenu(menu)
        self.speed = QComboBox(self)
        self.speed.addItems([speed_text(each) for each in SPEEDS])
        self.speed.setAccessibleName("Speed of the replay")
        self.speed.activated.connect(self._on_speed_chosen)
        set_tip(self.speed, "Seconds of tape in one of yours, at most.")
        self.save = self._button(
            "Save commands\u2026",
            "Your trades here as a file: basisdesk replay TAPE --commands FILE gives the same "
            "ledger.",
            self.ask_save,
        )

    def _build_state(self) -> None:
        theme = self._theme
        self.scrub = Scrub(self._view, theme)
        self.scrub.sliderMoved.connect(self._on_scrub_moved)
        self.scrub.sliderReleased.connect(self._on_scrub_released)
        self.place = theme.label("", "muted", 11)
        self.reached = theme.label("", "warn", 11)
        set_tip(self.reached, "This machine cannot walk the tape faster. Nothing is left out.")
        self.state = PlainLabel(elide=True)
        self.state.setFont(theme.font(11))
        self.state.setMinimumHeight(theme.px(26))  # of the buttons that come and go beside it
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setFixedSize(theme.px(160), theme.px(8))
        self.cancel = self._button("Stop", "Stay where the walk is.", self._actions.cancel)
        self.walk = self._button("Walk it", term("Warm-up"), self._actions.walk)
        for button in (self.cancel, self.walk):
            button.setProperty("role", "link")

    def _button(self, text: str, tip: str, act: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setFont(self._theme.font(12))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(act)
        set_tip(button, tip)
        return button

    def _lay_out(self) -> None:
        px = self._theme.px
        time = QHBoxLayout()
        time.setSpacing(px(8))
        time.addWidget(self.date)
        time.addWidget(self.clock)
        first = QHBoxLayout()
        first.setSpacing(px(8))
        first.addWidget(self.badge)
        first.addLayout(time)
        for widget in (self.begin, self.play, self.step, self.speed):
            first.addWidget(widget)
        first.addWidget(self.scrub, 1)
        first.addWidget(self.place)
        first.addWidget(self.save)
        second = QHBoxLayout()
        second.setSpacing(px(10))
        second.addWidget(self.state, 1)
        for part in (self.reached, self.progress, self.cancel, self.walk):
            second.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(12), px(6), px(12), px(4))
        column.setSpacing(px(2))
        column.addLayout(first)
        column.addLayout(second)

    # --- slots -----------------------------------------------------------------------------------

    def _stepper(self, what: str) -> Callable[..., None]:
        return lambda *_: self._actions.step(what)

    def _on_begin(self) -> None:
        self._actions.jump(self._view.first_ns)

    def _show_speed(self, asked: float) -> None:
        """Show the speed as it is: one that was typed stands behind those on offer."""
        if asked in SPEEDS:
            self.speed.setCurrentIndex(SPEEDS.index(asked))
            return
        if self.speed.count() == len(SPEEDS):
            self.speed.addItem("")
        if self.speed.itemData(len(SPEEDS)) != asked:
            self.speed.setItemText(len(SPEEDS), speed_text(asked))
            self.speed.setItemData(len(SPEEDS), asked)
        self.speed.setCurrentIndex(len(SPEEDS))

    def _on_speed_chosen(self, index: int) -> None:
        typed = self.speed.itemData(index)
        self._actions.set_speed(SPEEDS[index] if typed is None else typed)

    def _on_scrub_moved(self, _value: int) -> None:
        self.refresh()

    def _on_scrub_released(self) -> None:
        self._actions.jump(self.scrub.t_ns)

    def _on_path_chosen(self, path: str) -> None:
        self._actions.save_commands(with_suffix(path, ".jsonl"))

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys that reached the window because nothing that has the focus wanted them."""
        mine = watched is self._window and event.type() == QEvent.Type.KeyPress
        if mine and isinstance(event, QKeyEvent) and self._take_key(event):
            return True
        return super().eventFilter(watched, event)

    def _take_key(self, event: QKeyEvent) -> bool:
        shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        if event.modifiers() != Qt.KeyboardModifier.NoModifier and not shift:
            return False
        key, by_ns = Qt.Key(event.key()), FAR_NS if shift else NEAR_NS
        if key in _STEP_KEYS:
            self._actions.step(_STEP_KEYS[key])
        elif key == Qt.Key.Key_Space:
            self._actions.play()
        elif key == Qt.Key.Key_Left:
            self._nudge(-by_ns)
        elif key == Qt.Key.Key_Right:
            self._nudge(by_ns)
        elif key == Qt.Key.Key_Home:
            self._on_begin()
        else:
            return False
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground of a banner: nobody takes this window for the live one."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.blend("warn", 0.10))
        line = QRectF(0, self.height() - 1, self.width(), 1)
        painter.fillRect(line, self._theme.blend("warn", 0.45))
        painter.end()


def _say(widget: PlainLabel | QPushButton, text: str) -> None:
    if widget.text() != text:
        widget.setText(text)
