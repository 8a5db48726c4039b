"""A dock with a title bar of one line that goes away while tabs name the panel."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.glossary import TERMS
from basisdesk.ui.theme import Theme, set_tip


class TitleBar(QWidget):
    """Name of the panel, float and close. Mouse events fall through, so that dragging works."""

    def __init__(self, dock: "Dock", theme: Theme) -> None:
        super().__init__(dock)
        self.label = theme.label(dock.windowTitle(), "text", 12, 600)
        set_tip(self.label, TERMS.get(dock.windowTitle(), ""))
        self.extra = QHBoxLayout()
        self.extra.setContentsMargins(0, 0, 0, 0)
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.px(12), theme.px(5), theme.px(6), theme.px(3))
        line.setSpacing(theme.px(4))
        line.addWidget(self.label)
        line.addStretch(1)
        line.addLayout(self.extra)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAutoFillBackground(True)
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.qcolor("surface"))
        self.setPalette(palette)
        for icon, said, act in (
            ("float", "Float this panel, or put it back.", dock.toggle_floating),
            ("close", "Close this panel. View > Panels brings it back.", dock.close),
        ):
            button = QToolButton(self)
            button.setIcon(theme.icon(icon))
            button.setAutoRaise(True)
            button.setStyleSheet("padding: 0; border: none; background: transparent;")
            button.setIconSize(QSize(theme.px(11), theme.px(11)))
            button.setFixedSize(theme.px(20), theme.px(20))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(f"{icon.capitalize()} {dock.windowTitle()}")
            set_tip(button, said)
            button.clicked.connect(act)
            line.addWidget(button)


class Dock(QDockWidget):
    """One panel in a dock. `name` is kept in layouts, the title may change.

    own_title: the panel has a header of its own, so docked it needs no title bar.
    """

    def __init__(
        self,
        name: str,
        title: str,
        panel: QWidget,
        theme: Theme,
        window: QMainWindow,
        *,
        own_title: bool = False,
    ) -> None:
        super().__init__(title, window)
        self.setObjectName(name)
        self.panel = panel
        self.bar = TitleBar(self, theme)  # first, so that Tab comes to it before the panel
        policy = panel.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # a tab behind keeps asking for its room
        panel.setSizePolicy(policy)
        frame = QWidget(self)
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(panel)
        self.setWidget(frame)
        self._own_title = own_title
        self._dressing = False
        self._float_size = QSize(theme.px(320), theme.px(260))
        self._no_bar = QWidget(self)
        self._no_bar.setFixedHeight(0)
        self.setTitleBarWidget(self.bar)
        self.setAccessibleName(title)
        self.topLevelChanged.connect(self._on_top_level_changed)
        self.dockLocationChanged.connect(self._on_moved)
        self.visibilityChanged.connect(self._on_visibility_changed)
        panel.installEventFilter(self)

    def toggle_floating(self) -> None:
        """Float, or go back to where it was docked."""
        self.setFloating(not self.isFloating())

    def name_tab(self, title: str) -> None:
        """Change the title: the tab, the bar and the View menu."""
        if title != self.windowTitle():
            self.setWindowTitle(title)
            self.bar.label.setText(title)

    def dress(self) -> None:
        """Show the title bar where nothing else names the panel."""
        window = self.parent()
        tabbed = isinstance(window, QMainWindow) and bool(window.tabifiedDockWidgets(self))
        bare = not self.isFloating() and (tabbed or self._own_title)
        wanted = self._no_bar if bare else self.bar
        if self.titleBarWidget() is not wanted:
            self.setTitleBarWidget(wanted)
            self.bar.setVisible(not bare)
            self._no_bar.setVisible(bare)

    def _on_top_level_changed(self, floating: bool) -> None:
        if floating:
            self.panel.show()
            least = self.panel.sizeHint().expandedTo(self._float_size)
            if self.width() < least.width() // 2 or self.height() < least.height() // 2:
                self.resize(least)
        self._on_moved()

    def _on_visibility_changed(self, front: bool) -> None:
        # Qt keeps a tab that is behind "visible", out of sight; its panel must not be refreshed.
        self.panel.setVisible(front or self.isFloating())
        self._on_moved()

    def _on_moved(self, *_args: object) -> None:
        # Qt tells before its own layout is done; neighbours lose their tab in the same move.
        if not self._dressing:
            self._dressing = True  # one move tells several times
            QTimer.singleShot(0, self, self._dress_all)

    def _dress_all(self) -> None:
        self._dressing = False
        window = self.parent()
        if isinstance(window, QMainWindow):
            for dock in window.findChildren(Dock):
                dock.dress()
            name_tab_bars(window)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A panel that comes to the front is named at once."""
        if event.type() == QEvent.Type.Show:
            self.dress()
        return super().eventFilter(watched, event)


def name_tab_bars(window: QMainWindow) -> None:
    """Give the tab bars of the docks a name for screen readers. Qt makes new ones as docks move."""
    for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        if not bar.accessibleName():
            bar.setAccessibleName("Panels")
