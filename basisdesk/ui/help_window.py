"""The user guide in a window: contents and search at the left, the page at the right. Offline."""

from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt, QUrl
from PySide6.QtGui import (
    QAction,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMainWindow,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.arrangement import offscreen
from basisdesk.ui.halt_box import HALT_KEY
from basisdesk.ui.help_pages import (
    INDEX,
    PAGES,
    QUERY_MAX,
    Hit,
    anchor_of,
    page_text,
    search,
    target_of,
)
from basisdesk.ui.theme import Theme, set_tip

FIRST_SIZE = (1040, 760)
LEFT_PX, TEXT_PX_MAX = 268, 720
TEXT_PX, HEADINGS_PX = 13, {1: 21, 2: 16, 3: 14, 4: 13}
BACK_MAX = 100  # pages that Back remembers
PLACE = Qt.ItemDataRole.UserRole


class _Place(NamedTuple):
    """A page, a heading of it, and how far it was scrolled when it was left."""

    page: str
    anchor: str = ""
    scrolled: int = -1


class PageView(QTextBrowser):
    """Shows Markdown of ours. It loads nothing and opens nothing by itself."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setAccessibleName("Page of the user guide")
        self.setStyleSheet(f"background: {theme.surface}; border: none; padding: 0;")
        self.setFont(theme.font(TEXT_PX))

    def show_markdown(self, text: str) -> None:
        """Put a page on the screen, in the theme's colours and the font scale."""
        document = self.document()
        document.setDefaultFont(self._theme.font(TEXT_PX))
        document.setMarkdown(text, QTextDocument.MarkdownFeature.MarkdownDialectGitHub)
        self._dress_blocks(document)
        self._dress_tables(document)
        self._fit()

    def scroll_to(self, anchor: str) -> bool:
        """Bring a heading to the top. False where there is none of that name."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and anchor_of(block.text()) == anchor:
                box = self.document().documentLayout().blockBoundingRect(block)
                self.verticalScrollBar().setValue(round(box.top()))
                return True
            block = block.next()
        return False

    def _dress_blocks(self, document: QTextDocument) -> None:
        theme, cursor = self._theme, QTextCursor(document)
        block = document.begin()
        while block.isValid():
            cursor.setPosition(block.position())
            level = block.blockFormat().headingLevel()
            shape = QTextBlockFormat()
            shape.setLineHeight(130, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            if level:
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                ink = QTextCharFormat()
                ink.setFont(theme.font(HEADINGS_PX[level], 600))
                ink.setForeground(theme.qcolor("text"))
                cursor.setCharFormat(ink)  # a merge would keep Markdown's own scale of the size
                shape.setTopMargin(theme.px(4 if level == 1 else 18))
                shape.setBottomMargin(theme.px(6))
            elif cursor.currentTable() is not None:
                shape.setTopMargin(0)
                shape.setBottomMargin(0)
            else:
                shape.setBottomMargin(theme.px(3 if block.textList() is not None else 8))
            cursor.setPosition(block.position())
            cursor.mergeBlockFormat(shape)
            self._dress_pieces(block, cursor)
            block = block.next()

    def _dress_pieces(self, block: Any, cursor: QTextCursor) -> None:
        theme = self._theme
        pieces = []
        at = block.begin()
        while not at.atEnd():
            piece = at.fragment()
            form = piece.charFormat()
            if form.isAnchor() or form.fontFixedPitch():
                pieces.append((piece.position(), piece.length(), form))
            at += 1
        for start, length, form in pieces:
            ink = QTextCharFormat()
            if form.isAnchor():
                ink.setForeground(theme.qcolor("accent"))
                ink.setFontUnderline(False)
            else:
                ink.setBackground(theme.qcolor("raised"))
                ink.setFontFamilies(["JetBrains Mono", "Consolas", "Menlo", "DejaVu Sans Mono"])
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(ink)

    def _dress_tables(self, document: QTextDocument) -> None:
        theme = self._theme
        for frame in document.rootFrame().childFrames():
            if not isinstance(frame, QTextTable):
                continue
            shape = frame.format()
            shape.setBorder(1)
            shape.setBorderCollapse(True)
            shape.setBorderBrush(theme.qcolor("line"))
            shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            shape.setCellPadding(theme.px(5))
            shape.setTopMargin(theme.px(4))
            shape.setBottomMargin(theme.px(12))
            shape.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
            frame.setFormat(shape)
            for column in range(frame.columns()):
                cell = frame.cellAt(0, column)
                form = cell.format().toTableCellFormat()
                form.setBackground(theme.qcolor("raised"))
                cell.setFormat(form)

    def _fit(self) -> None:
        # long lines are hard to read: a wide window gets wider margins, not longer lines
        room = self.viewport().width() - self._theme.px(TEXT_PX_MAX)
        side = max(self._theme.px(24), min(room // 2, self._theme.px(90)))
        root = self.document().rootFrame()
        shape = root.frameFormat()
        right = max(side, room - side)
        if (shape.leftMargin(), shape.rightMargin()) != (side, right):
            shape.setLeftMargin(side)
            shape.setRightMargin(right)
            shape.setTopMargin(self._theme.px(16))
            shape.setBottomMargin(self._theme.px(24))
            root.setFrameFormat(shape)

    # Qt

    def loadResource(self, _kind: int, _name: QUrl | str) -> Any:  # noqa: D102
        return None

    def resizeEvent(self, event: Any) -> None:  # noqa: D102
        super().resizeEvent(event)
        self._fit()


class HelpWindow(QMainWindow):
    """The guide. `show_page` opens a page at a heading."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._at = _Place(INDEX)
        self._back: list[_Place] = []
        self._ahead: list[_Place] = []
        self.setWindowTitle("User guide \u00b7 basisdesk")
        self.setObjectName("help")
        self.view = PageView(theme, self)
        self.view.anchorClicked.connect(self._on_link)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search the guide  Ctrl+F")
        self.search.setAccessibleName("Search the guide")
        self.search.setMaxLength(QUERY_MAX)
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._list)
        self.search.returnPressed.connect(self._take_first)
        self.search.installEventFilter(self)
        self.contents = QListWidget(self)
        self.contents.setAccessibleName("Contents")
        self.contents.setWordWrap(True)
        self.contents.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        pad = f"{theme.px(4)}px {theme.px(8)}px"
        self.contents.setStyleSheet(f"QListWidget::item {{ padding: {pad}; }}")
        self.contents.itemActivated.connect(self._on_item)
        self.contents.itemClicked.connect(self._on_item)
        self._lay_out()
        self._list("")
        for key, act in (
            ("Ctrl+F", self._find),
            ("Ctrl+W", self.close),
            ("Alt+Left", self.go_back),
            ("Alt+Right", self.go_on),
            ("Alt+Home", self._home),
            ("Esc", self._leave),
        ):
            self._add_key(key, act)
        size = (theme.px(FIRST_SIZE[0]), theme.px(FIRST_SIZE[1]))
        self.resize(*size)
        if not offscreen():
            room = QGuiApplication.primaryScreen().availableGeometry().size()
            self.resize(self.size().boundedTo(room))
        self._show(self._at)

    def _lay_out(self) -> None:
        theme = self._theme
        self.back = self._button("\u2190 Back", "The page before. Alt+Left", self.go_back)
        self.ahead = self._button("Forward \u2192", "The page after. Alt+Right", self.go_on)
        line = QHBoxLayout()
        line.setSpacing(theme.px(6))
        line.addWidget(self.back)
        line.addWidget(self.ahead)
        line.addStretch(1)
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(theme.px(10), theme.px(10), theme.px(8), theme.px(8))
        column.setSpacing(theme.px(8))
        column.addLayout(line)
        column.addWidget(self.search)
        column.addWidget(self.contents, 1)
        parts = QSplitter(Qt.Orientation.Horizontal, self)
        parts.setChildrenCollapsible(False)
        parts.addWidget(left)
        parts.addWidget(self.view)
        parts.setStretchFactor(1, 1)
        parts.setSizes([theme.px(LEFT_PX), theme.px(FIRST_SIZE[0] - LEFT_PX)])
        self.setCentralWidget(parts)

    def _button(self, text: str, tip: str, act: Any) -> QPushButton:
        button = QPushButton(text, self)
        button.setAccessibleName(tip.partition(".")[0])
        set_tip(button, tip)
        button.clicked.connect(act)
        return button

    def _add_key(self, key: str, act: Any) -> None:
        action = QAction(self)
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(act)
        self.addAction(action)

    # --- what it is told --------------------------------------------------------------------------

    def on_halt(self, act: Any) -> None:
        """Let Ctrl+. work here too."""
        self._add_key(HALT_KEY, act)

    @property
    def page(self) -> str:
        """The name of the page that is open."""
        return self._at.page

    def show_page(self, name: str, anchor: str = "") -> None:
        """Open a page, at a heading. An unknown page opens the contents, and says so nowhere."""
        place = _Place(name if name in PAGES else INDEX, anchor)
        if place[:2] == self._at[:2]:
            self._show(place)
            return
        self._back.append(self._left())
        del self._back[:-BACK_MAX]
        self._ahead.clear()
        self._show(place)

    def go_back(self) -> None:
        """The page before, where it was left."""
        if self._back:
            self._ahead.append(self._left())
            self._show(self._back.pop())

    def go_on(self) -> None:
        """The page that Back left."""
        if self._ahead:
            self._back.append(self._left())
            self._show(self._ahead.pop())

    def _left(self) -> _Place:
        return self._at._replace(scrolled=self.view.verticalScrollBar().value())

    # --- showing ----------------------------------------------------------------------------------

    def _show(self, place: _Place) -> None:
        if place.page != self._at.page or self.view.document().isEmpty():
            self.view.show_markdown(page_text(place.page))
        self._at = place
        bar = self.view.verticalScrollBar()
        if place.scrolled >= 0:
            bar.setValue(place.scrolled)
        elif not place.anchor or not self.view.scroll_to(place.anchor):
            bar.setValue(0)
        self.setWindowTitle(f"{PAGES[place.page]} \u00b7 basisdesk guide")
        self.back.setEnabled(bool(self._back))
        self.ahead.setEnabled(bool(self._ahead))
        if not self.search.text().strip():
            self.contents.setCurrentRow(list(PAGES).index(place.page))

    def _list(self, query: str) -> None:
        """Contents, or what was found."""
        self.contents.clear()
        hits = search(query)
        if not query.strip():
            for name, title in PAGES.items():
                self._add_item(title, (name, ""))
            self.contents.setCurrentRow(list(PAGES).index(self._at.page))
        elif not hits:
            item = QListWidgetItem("Nothing holds all of these words. Try fewer, or one alone.")
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.contents.addItem(item)
        for hit in hits:
            self._add_hit(hit)

    def _add_hit(self, hit: Hit) -> None:
        self._add_item(f"{hit.title}\n{hit.excerpt}", (hit.page, hit.anchor))

    def _add_item(self, text: str, place: tuple[str, str]) -> None:
        item = QListWidgetItem(text)
        item.setData(PLACE, place)
        self.contents.addItem(item)

    # --- slots ------------------------------------------------------------------------------------

    def _find(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _home(self) -> None:
        self.show_page(INDEX)

    def _leave(self) -> None:
        if self.search.text():
            self.search.clear()
        else:
            self.close()

    def _take_first(self) -> None:
        item = self.contents.item(max(0, self.contents.currentRow()))
        if item is not None:
            self._on_item(item)

    def _on_item(self, item: QListWidgetItem) -> None:
        place = item.data(PLACE)
        if place:
            self.show_page(*place)

    def _on_link(self, link: QUrl) -> None:
        place = target_of(link.toString())
        if place is not None:
            self.show_page(place[0] or self._at.page, place[1])

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down leads from the search line into the list."""
        if (
            watched is self.search
            and event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Down
        ):
            self.contents.setFocus(Qt.FocusReason.OtherFocusReason)
            self.contents.setCurrentRow(max(0, self.contents.currentRow()))
            return True
        return super().eventFilter(watched, event)
