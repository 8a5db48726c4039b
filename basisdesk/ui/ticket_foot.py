"""What always stands over the ticket's button, and the scrolled part that is never cut mid-line."""

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLayout, QScrollArea, QWidget

from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.ticket_lines import SheetLine

LAID_OUT = (QEvent.Type.LayoutRequest, QEvent.Type.Resize)
Foot = tuple[tuple[SheetLine, SheetLine], ...]


class CostFoot(QWidget):
    """Two lines: fees and loss at the stop, liquidation and free cash. Never scrolled away."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.cells: list[tuple[PlainLabel, PlainLabel]] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.px(5))
        grid.setVerticalSpacing(theme.px(1))
        for place in range(4):
            name, value = theme.label("", "muted", 11), theme.label("", "text", 11)
            row, half = divmod(place, 2)
            grid.addWidget(name, row, 3 * half)
            grid.addWidget(value, row, 3 * half + 1, Qt.AlignmentFlag.AlignRight)
            self.cells.append((name, value))
        grid.setColumnStretch(2, 1)
        self.setAccessibleName("What the order costs, in short")

    def show_foot(self, foot: Foot) -> None:
        """Show these figures; a label is touched only when its text moved."""
        told = [line for row in foot for line in row]
        for (name, value), line in zip(self.cells, told, strict=True):
            text = f"{line.value}  {line.second}".strip()
            for label, said in ((name, line.name), (value, text)):
                if label.text() != said:
                    label.setText(said)
                set_tip(label, line.tip)
            value.set_colour(self._theme.qcolor(line.meaning or "text"))
        said = ", ".join(f"{line.name} {line.value} {line.second}".strip() for line in told)
        if self.accessibleDescription() != said:
            self.setAccessibleDescription(said)


class WholeRows(QScrollArea):
    """A scroll area whose lower edge never strikes through a line: what is cut is covered."""

    def __init__(self, body: QWidget, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._body = body
        self.curtain = QWidget(self.viewport())
        self.setWidget(body)  # and with it Qt hands the body's events to eventFilter
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for part in (body, self.viewport()):
            part.setAutoFillBackground(False)
        palette = self.curtain.palette()
        palette.setColor(QPalette.ColorRole.Window, theme.qcolor("surface"))
        self.curtain.setPalette(palette)
        self.curtain.setAutoFillBackground(True)
        self.curtain.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, True)
        self.curtain.hide()
        self.verticalScrollBar().valueChanged.connect(self.cover)

    def cover(self) -> None:
        """Cover the line that the lower edge cuts, down to the edge."""
        edge = self.verticalScrollBar().value() + self.viewport().height()
        clear = whole_edge(self._rows(), edge)
        high = edge - clear
        if high > 0:
            wide = self.viewport().width()
            self.curtain.setGeometry(QRect(0, self.viewport().height() - high, wide, high))
            self.curtain.raise_()
        if self.curtain.isHidden() == (high > 0):
            self.curtain.setVisible(high > 0)

    def _rows(self) -> list[tuple[int, int]]:
        """(top, bottom) of everything shown that holds nothing else, in the body's own pixels."""
        found = []
        for part in self._body.findChildren(QWidget):
            if part.isVisibleTo(self._body) and not _holds(part.layout()):
                top = part.mapTo(self._body, part.rect().topLeft()).y()
                found.append((top, top + part.height()))
        return found

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another height cuts another line."""
        super().resizeEvent(event)
        self.cover()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The body was laid out anew."""
        if watched is self._body and event.type() in LAID_OUT:
            self.cover()
        return super().eventFilter(watched, event)


def _holds(layout: QLayout | None) -> bool:
    return layout is not None and layout.count() > 0


def whole_edge(rows: list[tuple[int, int]], edge: int) -> int:
    """The lowest edge at or above `edge` that cuts no row, in pixels."""
    while cut := [top for top, bottom in rows if top < edge < bottom]:
        edge = min(cut)
    return edge
