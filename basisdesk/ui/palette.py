"""Ctrl+K: one line to type into, and everything the desk can do that fits. Esc leaves."""

from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.halt_box import HALT_KEY
from basisdesk.ui.palette_rows import TYPED_MAX, PaletteEntry, Recent, Sources, found, marked
from basisdesk.ui.theme import Theme

WIDE_PX = 680
ROW_PX = 30
ROWS_SHOWN = 12
TOP_PX = 76  # under the menus and over the charts
EDGE_PX = 24  # of the window that stays free at least
ENTRY = Qt.ItemDataRole.UserRole
HINT = "Type what to do: feeds, ada kraken, halt, light. Up and down choose, Enter does it."
NOTHING = "Nothing fits. Try other words, or fewer letters."


class _Rows(QAbstractListModel):
    """The entries found, for the list."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.entries: list[PaletteEntry] = []

    def show(self, entries: list[PaletteEntry]) -> None:
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    # Qt

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (entry.text, entry.group, entry.keys, entry.why)
            return ", ".join(part for part in parts if part)
        return entry if role == ENTRY else None

    def flags(self, index: Any) -> Qt.ItemFlag:
        able = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        return able if index.isValid() else Qt.ItemFlag.NoItemFlags


class _Line(QStyledItemDelegate):
    """Name at the left, where it stands beside it, its keys at the right."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name, self._small = theme.font(12), theme.font(11)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Any) -> QSize:
        return QSize(0, self._theme.px(ROW_PX))

    def paint(self, painter: QPainter, option: Any, index: Any) -> None:
        """Only names are cut where the room ends; keys never are."""
        entry, theme = index.data(ENTRY), self._theme
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if is_chosen:
            painter.fillRect(option.rect, theme.blend("accent", 0.22))
            painter.fillRect(QRect(option.rect.topLeft(), QSize(theme.px(3), option.rect.height())),
                             theme.qcolor("accent"))  # fmt: skip
        room = option.rect.adjusted(theme.px(12), 0, -theme.px(12), 0)
        small = QFontMetrics(self._small)
        if entry.keys:
            painter.setFont(self._small)
            painter.setPen(theme.qcolor("text" if is_chosen else "muted"))
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             entry.keys)  # fmt: skip
            room.setRight(room.right() - small.horizontalAdvance(entry.keys) - theme.px(16))
        painter.setFont(self._name)
        painter.setPen(theme.qcolor("muted" if entry.why else "text"))
        name = QFontMetrics(self._name)
        text = name.elidedText(entry.text, Qt.TextElideMode.ElideRight, room.width())
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, left, text)
        room.setLeft(room.left() + name.horizontalAdvance(text) + theme.px(12))
        painter.setFont(self._small)
        painter.setPen(theme.qcolor("warn" if entry.why else "muted"))
        beside = entry.why or entry.group
        painter.drawText(
            room, left, small.elidedText(beside, Qt.TextElideMode.ElideRight, max(0, room.width()))
        )
        painter.restore()


class Palette(QFrame):
    """A child of the window, over its docks: the keys of the window stay at hand, Halt above all.

    Closed by Esc, by Enter, and when
    the focus goes elsewhere; the focus then returns to where it was.
    """

    def __init__(self, sources: Sources, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._sources = sources
        self._listed: list[PaletteEntry] = []
        self._theme = theme
        self._recent = Recent()
        self._before: QWidget | None = None
        self.setObjectName("palette")
        self.setAccessibleName("Command palette")
        edge = theme.blend("muted", 0.55).name()
        self.setStyleSheet(
            f"QFrame#palette {{ background: {theme.raised}; border: 1px solid {edge}; "
            "border-radius: 6px; }"
        )
        self.line = QLineEdit(self)
        self.line.setMaxLength(TYPED_MAX)
        self.line.setPlaceholderText(HINT)
        self.line.setAccessibleName("What to do")
        self.line.setFont(theme.font(13))
        self.line.textChanged.connect(self._search)
        self.line.installEventFilter(self)
        self._rows = _Rows(self)
        self.list = QListView(self)
        self.list.setModel(self._rows)
        self.list.setItemDelegate(_Line(theme, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("What fits")
        self.list.clicked.connect(self._on_clicked)
        self.nothing = theme.label(NOTHING, "muted")
        self.nothing.setContentsMargins(theme.px(12), theme.px(6), 0, theme.px(8))
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(8), theme.px(8), theme.px(8), theme.px(6))
        column.setSpacing(theme.px(6))
        for widget in (self.line, self.list, self.nothing):
            column.addWidget(widget)
        window.installEventFilter(self)
        self.hide()

    @property
    def entries(self) -> list[PaletteEntry]:
        """What is listed now, best first."""
        return self._rows.entries

    def open(self) -> None:
        """Come up, empty, with the keys."""
        if self.isVisible():
            self.close_up()
            return
        self._before = QApplication.focusWidget()
        self._listed = [entry for each in self._sources.lists for entry in each()]
        self.line.clear()
        self._search("")
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_up(self) -> None:
        """Go away; the focus returns to where it was."""
        if self.isHidden():
            return
        had = self.line.hasFocus()
        before, self._before = self._before, None
        self.hide()
        if had and before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def take(self) -> None:
        """Do what is marked. What cannot be done now stays listed with its reason."""
        entry = self.list.currentIndex().data(ENTRY)
        if not isinstance(entry, PaletteEntry) or entry.why:
            return
        self._recent.used(entry)
        self.close_up()
        entry.act()

    # --- inside -----------------------------------------------------------------------------------

    def _search(self, typed: str) -> None:
        sought = [entry for search in self._sources.searches for entry in search(typed)]
        rows = found([*self._listed, *sought], typed, self._recent)
        self._rows.show(rows)
        row = marked(rows, typed)  # of -1 there is no index: nothing is marked
        self.list.setCurrentIndex(self._rows.index(row, 0))
        self.list.setVisible(bool(rows))
        self.nothing.setVisible(not rows)
        self._fit()

    def _fit(self) -> None:
        px, window = self._theme.px, self._window
        wide = min(px(WIDE_PX), window.width() - 2 * px(EDGE_PX))
        room = window.height() - px(TOP_PX) - px(EDGE_PX) - self.line.sizeHint().height() - px(22)
        rows = max(1, min(len(self._rows.entries), ROWS_SHOWN, room // px(ROW_PX)))
        self.list.setFixedHeight(rows * px(ROW_PX) + 2)
        high = self._column.sizeHint().height()
        self.setGeometry((window.width() - wide) // 2, px(TOP_PX), wide, high)

    def _on_clicked(self, index: QModelIndex) -> None:
        self.list.setCurrentIndex(index)
        self.take()

    def _on_key(self, event: QKeyEvent) -> bool:
        """Whether the palette took the key; else the line has it."""
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close_up()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.take()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._move(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._move(ROWS_SHOWN if key == Qt.Key.Key_PageDown else -ROWS_SHOWN)
        elif key not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):  # there is nowhere else to go
            return False
        return True

    def _move(self, steps: int) -> None:
        last = len(self._rows.entries) - 1
        row = max(0, min(last, self.list.currentIndex().row() + steps))
        self.list.setCurrentIndex(self._rows.index(row, 0))

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the list while the line has the focus; a window of another size; a click away."""
        kind = event.type()
        if watched is self._window:
            if kind == QEvent.Type.Resize and self.isVisible():
                self._fit()
            return False
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # Ctrl+Enter opens a trade and Ctrl+Backspace closes one: not while words are typed
            pressed = QKeySequence(event.keyCombination())
            if pressed != QKeySequence(HALT_KEY) and pressed != QKeySequence("Ctrl+K"):
                event.accept()
                return True
        elif kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(event)
        elif kind == QEvent.Type.FocusOut:
            self.close_up()
        return False
